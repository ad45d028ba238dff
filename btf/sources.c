// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "btf/kernel_file.h"
#include "btf/record.h"
#include "btf/sources.h"
#include "util/cleanup.h"
#include "util/io.h"

/* In bytes. A System.map has 10 MB, BTF 7 MB, kallsyms with many modules 20 MB. */
#define SOURCE_MAX (1u << 30)

#define HINT_TYPES                                                                                 \
	"--btf takes a copy of the guest's /sys/kernel/btf/vmlinux, --vmlinux the vmlinux of "     \
	"the same build (its debug package)"
#define HINT_SYMBOLS                                                                               \
	"--system-map takes the build's System.map, --kallsyms a copy of the guest's "             \
	"/proc/kallsyms (read as root, with kernel.kptr_restrict=0), --vmlinux the vmlinux of "    \
	"the same build (its debug package)"

/* Not mapped: files in /proc have no size, and those in /sys cannot always be mapped. */
static struct kt_error *slurp(const char *path, struct kt_buf *buf)
{
	struct kt_error *err = path ? kt_read_file(path, SOURCE_MAX, buf) : NULL;

	if (path && !err && !buf->len)
		err = kt_error_new(KT_ERROR_FORMAT, "%s: the file is empty", path);
	return err;
}

const char *sources_image_name(const struct sources *s)
{
	return s->paths.image_name ? s->paths.image_name : s->paths.image;
}

struct kt_error *sources_open(const struct kfacts_sources *paths, struct sources *ret)
{
	struct sources s = {.paths = *paths};
	struct kt_error *err = NULL;

	if (paths->image)
		err = kt_error_wrap(image_file_open(paths->image, &s.file), "%s",
				    sources_image_name(&s));
	if (!err)
		err = slurp(paths->btf, &s.btf);
	if (!err)
		err = slurp(paths->system_map, &s.system_map);
	if (!err)
		err = slurp(paths->kallsyms, &s.kallsyms);
	if (err)
		sources_close(&s);
	else
		*ret = s;
	return err;
}

void sources_close(struct sources *sources)
{
	image_close(sources->image);
	image_file_close(&sources->file);
	kt_buf_deinit(&sources->btf);
	kt_buf_deinit(&sources->system_map);
	kt_buf_deinit(&sources->kallsyms);
	*sources = (struct sources){0};
}

struct kt_error *sources_open_image(struct sources *s)
{
	if (s->image || !s->paths.image)
		return NULL;
	return kt_error_wrap(kernel_file_open(s->file.data, s->file.len, &s->image), "%s",
			     sources_image_name(s));
}

bool sources_only_image(const struct sources *s)
{
	return s->paths.image && !s->paths.btf && !s->paths.system_map && !s->paths.kallsyms;
}

static bool has(struct image *image, const char *section)
{
	struct image_section s;

	return image_section(image, section, &s) && s.data;
}

static bool is_marked(struct image *image, const char *section)
{
	struct image_section s;

	return image_section(image, section, &s);
}

struct cache_name sources_image_key(struct sources *s)
{
	uint8_t id[64];
	size_t len = image_build_id(s->image, id, sizeof(id));
	struct cache_name key = cache_key(id, len, s->file.data, s->file.len);

	/* A stripped image has the same build ID, but other facts. */
	if (!has(s->image, ".BTF"))
		strcat(key.s, "t");
	if (!has(s->image, ".symtab"))
		strcat(key.s, "s");
	/* So has a record, whose symbols are kallsyms and whose addresses may be of one boot. */
	if (is_marked(s->image, RECORD_MARK))
		strcat(key.s, "k");
	if (is_marked(s->image, RECORD_UNPLACED))
		strcat(key.s, "u");
	return key;
}

static void add_part(struct kt_buf *all, const char *what, const struct cache_name *part)
{
	kt_buf_printf(all, "%s %s\n", what, part->s);
}

struct kt_error *sources_key(struct sources *s, struct cache_name *ret)
{
	const struct {
		const char *what;
		const struct kt_buf *bytes;
	} files[] = {{"btf", &s->btf}, {"system_map", &s->system_map}, {"kallsyms", &s->kallsyms}};
	struct kt_error *err = s->file.is_elf ? sources_open_image(s) : NULL;
	struct kt_buf all = KT_BUF_INIT;
	struct cache_name part;

	if (err)
		return err;
	if (s->paths.image) {
		part = s->image ? sources_image_key(s)
				: cache_content_hash(s->file.data, s->file.len);
		add_part(&all, "image", &part);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (!files[i].bytes->len)
			continue;
		part = cache_content_hash(files[i].bytes->data, files[i].bytes->len);
		add_part(&all, files[i].what, &part);
	}
	err = kt_buf_failed(&all) ? kt_error_no_memory() : NULL;
	if (!err)
		*ret = cache_key(NULL, 0, all.data, all.len);
	kt_buf_deinit(&all);
	return err;
}

static unsigned int pointer_size(const struct sources *s)
{
	return s->image ? image_pointer_size(s->image) : 0;
}

/* The BTF in --btf: all of the file, or a section of the ELF in *elf_ret, which the caller closes.
 */
static struct kt_error *btf_in_file(const struct sources *s, const uint8_t **data_ret,
				    size_t *len_ret, struct image **elf_ret)
{
	struct image_section btf;
	struct kt_error *err;

	*elf_ret = NULL;
	*data_ret = (const uint8_t *)s->btf.data;
	*len_ret = s->btf.len;
	if (s->btf.len < 4 || memcmp(s->btf.data, "\177ELF", 4))
		return NULL;
	err = image_open(s->btf.data, s->btf.len, elf_ret);
	if (err)
		return err;
	if (!image_section(*elf_ret, ".BTF", &btf) || !btf.data)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND, "an ELF without .BTF"),
				     "--vmlinux takes a vmlinux with DWARF");
	*data_ret = btf.data;
	*len_ret = (size_t)btf.size;
	return NULL;
}

static struct kt_error *types_of_btf_file(struct sources *s, struct types **ret)
{
	_cleanup_(image_closep) struct image *elf = NULL;
	const uint8_t *data;
	size_t len;
	struct kt_error *err = btf_in_file(s, &data, &len, &elf);

	return err ? err
		   : types_from_btf(data, len, elf ? image_pointer_size(elf) : pointer_size(s),
				    ret);
}

struct kt_error *sources_btf(struct sources *s, struct btf **ret)
{
	_cleanup_(image_closep) struct image *elf = NULL;
	struct kt_error *err = sources_open_image(s);
	struct image_section section;
	const uint8_t *data;
	size_t len;

	if (err)
		return err;
	if (s->paths.btf) {
		err = btf_in_file(s, &data, &len, &elf);
		if (!err)
			err = types_parse_btf(data, len,
					      elf ? image_pointer_size(elf) : pointer_size(s), ret);
	} else if (s->image && image_section(s->image, ".BTF", &section) && section.data) {
		err = types_parse_btf(section.data, (size_t)section.size, pointer_size(s), ret);
	} else {
		return kt_error_new(KT_ERROR_NOT_FOUND, "no BTF");
	}
	return kt_error_wrap(err, "%s", sources_types_path(s));
}

/* Compares with the length of the kernel's own BTF, and takes samples to compare in the guest. */
static struct kt_error *btf_by_symbols(const struct symbols *syms, const uint8_t *data, size_t len,
				       struct kfacts_kernel *k)
{
	gaddr_t start, stop;

	/* start == stop: the kernel has no BTF, so that there is nothing to compare. */
	if (!symbols_get(syms, "__start_BTF", &start) || !symbols_get(syms, "__stop_BTF", &stop) ||
	    stop <= start || len < KFACTS_BTF_SAMPLE)
		return NULL;
	if (stop - start < len || stop - start - len >= 8)
		return kt_error_new(KT_ERROR_MISMATCH,
				    "not the BTF of this kernel: it has %zu bytes, and by the "
				    "symbols of the %s the kernel's own has %llu",
				    len, syms->source, (unsigned long long)(stop - start));
	k->btf_link = start;
	k->btf_size = len;
	for (unsigned int i = 0; i < KFACTS_BTF_SAMPLES; i++)
		memcpy(k->btf_samples[i], data + kfacts_btf_sample(len, i), KFACTS_BTF_SAMPLE);
	return NULL;
}

struct kt_error *sources_prove_btf(struct sources *s, const struct symbols *syms,
				   struct kfacts_kernel *kernel)
{
	_cleanup_(image_closep) struct image *elf = NULL;
	struct image_section own;
	const uint8_t *data;
	size_t len;
	struct kt_error *err;

	if (!s->paths.btf)
		return NULL;
	err = btf_in_file(s, &data, &len, &elf);
	if (!err && s->image && image_section(s->image, ".BTF", &own) && own.data) {
		if (len != own.size || memcmp(data, own.data, len))
			err = kt_error_new(KT_ERROR_MISMATCH, "not the BTF of %s",
					   sources_image_name(s));
	} else if (!err) {
		err = btf_by_symbols(syms, data, len, kernel);
	}
	if (err && kt_error_code(err) == KT_ERROR_MISMATCH)
		err = kt_error_hint(err, "--btf takes a copy of the guest's own "
					 "/sys/kernel/btf/vmlinux");
	return kt_error_wrap(err, "%s", s->paths.btf);
}

static struct kt_error *types_of_image(struct sources *s, struct types **ret, const char **from)
{
	struct image_section btf;

	*from = "BTF of the image";
	if (image_section(s->image, ".BTF", &btf) && btf.data)
		return types_from_btf(btf.data, (size_t)btf.size, pointer_size(s), ret);
	*from = "DWARF of the image";
	return types_from_dwarf(s->image, ret);
}

struct kt_error *sources_types(struct sources *s, struct types **ret, const char **from_ret)
{
	struct kt_error *err = sources_open_image(s);

	if (err)
		return err;
	if (s->paths.btf) {
		*from_ret = "BTF file";
		err = types_of_btf_file(s, ret);
	} else if (s->image) {
		err = types_of_image(s, ret, from_ret);
	} else {
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						  "nothing tells the kernel's types"),
				     HINT_TYPES);
	}
	return kt_error_wrap(err, "%s", sources_types_path(s));
}

/*
 * Adds the symbols of layer that syms does not have yet, moved so that both have _text at the same
 * address. path and against are the two files, for the error that they do not fit.
 */
static struct kt_error *add_layer(struct symbols *syms, struct symbols *layer, const char *path,
				  const char *against, gaddr_t *shift_ret)
{
	/* Every list has some of these, also one of text symbols only. */
	static const char *const alike[] = {
		"linux_banner",    "prog_idr",        "__stop_BTF",
		"__x64_sys_bpf",   "__arm64_sys_bpf", "__s390x_sys_bpf",
		"__riscv_sys_bpf", "bpf_prog_load",   "__sys_bpf",
	};
	gaddr_t text, own;

	*shift_ret = 0;
	if (!symbols_any(syms)) {
		symbols_merge(syms, layer, 0, 0);
		syms->source = layer->source;
		return NULL;
	}
	if (!symbols_get(syms, "_text", &text) || !symbols_get(layer, "_text", &own))
		return NULL;
	*shift_ret = text - own;
	for (size_t i = 0; i < sizeof(alike) / sizeof(*alike); i++)
		if (!symbols_agree(syms, layer, *shift_ret, alike[i]))
			return kt_error_hint(kt_error_new(KT_ERROR_MISMATCH,
							  "%s: not of the same build as %s: "
							  "%s is elsewhere",
							  path, against, alike[i]),
					     "give files of the guest's own build");
	symbols_merge(syms, layer, own, *shift_ret);
	return NULL;
}

static struct kt_error *add_text_layer(struct symbols *syms, const char *path,
				       const struct kt_buf *text, const char *source)
{
	struct symbols layer;
	struct kt_error *err;
	gaddr_t shift;

	if (!path)
		return NULL;
	if (!symbols_init_like(&layer, syms))
		return kt_error_no_memory();
	err = kt_error_wrap(symbols_load_text(&layer, text->data, text->len), "%s", path);
	layer.source = source;
	if (!err)
		err = add_layer(syms, &layer, path, "the System.map", &shift);
	symbols_deinit(&layer);
	return err;
}

/* An image without symbols still has a section that begins with _text. */
static void image_text(struct image *image, struct symbols *layer)
{
	static const char *const sections[] = {".head.text", ".text"};
	struct image_section s;
	gaddr_t addr;

	for (size_t i = 0; i < 2 && !symbols_get(layer, "_text", &addr); i++)
		if (image_section(image, sections[i], &s) && s.alloc)
			symbols_offer(layer, "_text", strlen("_text"), s.addr, true);
}

static struct kt_error *add_image_layer(struct symbols *syms, struct sources *s, gaddr_t *shift)
{
	struct symbols layer;
	struct kt_error *err;

	if (!symbols_init_like(&layer, syms))
		return kt_error_no_memory();
	err = symbols_load(&layer, s->image);
	/* The image needs no symbols where another source has them, only its _text. */
	if (err &&
	    (symbols_any(syms) || (s->paths.partial && kt_error_code(err) == KT_ERROR_NOT_FOUND))) {
		layer.source = NULL;
		kt_error_destroy(err);
		err = NULL;
	}
	if (err) {
		err = kt_error_wrap(kt_error_hint(err, HINT_SYMBOLS), "%s", sources_image_name(s));
	} else {
		image_text(s->image, &layer);
		/* Do not report a mismatch for a file that the user did not name. */
		const char *list = sources_symbols_path(s), *image = sources_image_name(s);
		bool given = !s->paths.image_name;

		err = add_layer(syms, &layer, given ? image : list, given ? list : image, shift);
	}
	symbols_deinit(&layer);
	return err;
}

struct kt_error *sources_symbols(struct sources *s, struct symbols *syms, gaddr_t *shift_ret)
{
	struct kt_error *err = sources_open_image(s);

	*shift_ret = 0;
	if (!err)
		err = add_text_layer(syms, s->paths.system_map, &s->system_map, "System.map");
	if (!err)
		err = add_text_layer(syms, s->paths.kallsyms, &s->kallsyms, "kallsyms file");
	if (!err && s->image)
		err = add_image_layer(syms, s, shift_ret);
	if (!err && !s->image && !s->paths.system_map && !s->paths.kallsyms)
		err = kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						 "nothing tells where the kernel's symbols are"),
				    HINT_SYMBOLS);
	return err;
}

char *sources_symbols_from(const struct sources *s, const struct symbols *syms)
{
	bool of_image = !s->paths.system_map && !s->paths.kallsyms;
	char *from;

	if (!syms->source)
		return strdup("");
	return asprintf(&from, "%s%s", syms->source, of_image ? " of the image" : "") < 0 ? NULL
											  : from;
}

const char *sources_types_path(const struct sources *s)
{
	return s->paths.btf ? s->paths.btf : sources_image_name(s);
}

const char *sources_symbols_path(const struct sources *s)
{
	if (s->paths.system_map)
		return s->paths.system_map;
	return s->paths.kallsyms ? s->paths.kallsyms : sources_image_name(s);
}
