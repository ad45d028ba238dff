// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf/cache.h"
#include "btf/facts.h"
#include "btf/image.h"
#include "btf/symbols.h"
#include "btf/types.h"
#include "util/cleanup.h"

#define BANNER_START "Linux version "
/* A banner is one line of the log, which has room for less than this. */
#define BANNER_MAX 2048

struct kfacts {
	struct kfacts_kernel kernel;
	struct kfacts_want *wants; /* copies */
	struct kfacts_answer *answers;
	size_t n;
};

static void kfacts_destroyp(struct kfacts **facts)
{
	kfacts_destroy(*facts);
}

static bool copy_want(struct kfacts_want *to, const struct kfacts_want *from)
{
	*to = *from;
	to->name = strdup(from->name);
	to->path = from->path ? strdup(from->path) : NULL;
	return to->name && (to->path || !from->path);
}

static struct kfacts *kfacts_new(const struct kfacts_want *wants, size_t n)
{
	_cleanup_(kfacts_destroyp) struct kfacts *facts = calloc(1, sizeof(*facts));

	if (!facts)
		return NULL;
	facts->wants = calloc(n ? n : 1, sizeof(*facts->wants));
	facts->answers = calloc(n ? n : 1, sizeof(*facts->answers));
	if (!facts->wants || !facts->answers)
		return NULL;
	while (facts->n < n) {
		size_t i = facts->n++;

		if (!copy_want(&facts->wants[i], &wants[i]))
			return NULL;
	}
	return kt_take_ptr(facts);
}

static void kernel_deinit(struct kfacts_kernel *kernel)
{
	free(kernel->release);
	free(kernel->banner);
	free(kernel->arch);
	*kernel = (struct kfacts_kernel){0};
}

void kfacts_destroy(struct kfacts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; i < facts->n; i++) {
		free((char *)facts->wants[i].name);
		free((char *)facts->wants[i].path);
		kfacts_answer_deinit(&facts->answers[i]);
	}
	free(facts->wants);
	free(facts->answers);
	kernel_deinit(&facts->kernel);
	free(facts);
}

static const char *arch_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} archs[] = {
		{EM_X86_64, "x86_64"}, {EM_AARCH64, "aarch64"}, {EM_386, "i386"},
		{EM_ARM, "arm"},       {EM_RISCV, "riscv"},     {EM_S390, "s390"},
		{EM_PPC64, "ppc64"},   {258, "loongarch"},
	};

	for (size_t i = 0; i < sizeof(archs) / sizeof(*archs); i++) {
		if (archs[i].machine == machine)
			return archs[i].name;
	}
	return "unknown";
}

/* Where the banner is if no symbol tells: it begins some read-only section's string. */
static bool search_banner(struct image *image, struct image_section *s, size_t *offset_ret)
{
	for (size_t i = 0; image_section_next(image, &i, s);) {
		const char *hit;

		if (!s->alloc || !s->data || strncmp(s->name, ".rodata", 7))
			continue;
		hit = memmem(s->data, (size_t)s->size, BANNER_START, strlen(BANNER_START));
		if (hit) {
			*offset_ret = (size_t)((const uint8_t *)hit - s->data);
			return true;
		}
	}
	return false;
}

static bool find_banner(struct image *image, const struct symbols *syms, struct image_section *s,
			size_t *offset_ret)
{
	gaddr_t addr;

	if (symbols_get(syms, "linux_banner", &addr) &&
	    image_section_at(image, addr, strlen(BANNER_START), s) &&
	    !memcmp(s->data + (addr - s->addr), BANNER_START, strlen(BANNER_START))) {
		*offset_ret = (size_t)(addr - s->addr);
		return true;
	}
	return search_banner(image, s, offset_ret);
}

/* "Linux version 6.12.107+deb13-amd64 (debian-kernel@...) ... #1 SMP ...\n" (init/version.c) */
static struct kt_error *read_banner(struct image *image, const struct symbols *syms,
				    struct kfacts_kernel *kernel)
{
	struct image_section s;
	size_t offset, len, max;
	const char *banner, *release;

	if (!find_banner(image, syms, &s, &offset))
		return kt_error_new(KT_ERROR_FORMAT,
				    "not a kernel: an ELF without a \"" BANNER_START
				    "...\" banner");
	banner = (const char *)s.data + offset;
	max = (size_t)s.size - offset;
	len = strnlen(banner, max < BANNER_MAX ? max : BANNER_MAX);
	while (len && banner[len - 1] == '\n')
		len--;
	kernel->banner = strndup(banner, len);
	if (!kernel->banner)
		return kt_error_no_memory();
	kernel->banner_link = s.addr + offset;
	release = kernel->banner + strlen(BANNER_START);
	kernel->release = strndup(release, strcspn(release, " "));
	return kernel->release ? NULL : kt_error_no_memory();
}

static void read_notes(struct image *image, const struct symbols *syms,
		       struct kfacts_kernel *kernel)
{
	struct image_section s;
	gaddr_t start, stop;

	kernel->build_id_len = image_build_id(image, kernel->build_id, sizeof(kernel->build_id));
	if (symbols_get(syms, "__start_notes", &start) &&
	    symbols_get(syms, "__stop_notes", &stop) && stop > start) {
		kernel->notes_link = start;
		kernel->notes_size = stop - start;
	} else if (image_section(image, ".notes", &s) && s.alloc) {
		kernel->notes_link = s.addr;
		kernel->notes_size = s.size;
	}
}

static struct kt_error *read_kernel(struct image *image, const struct symbols *syms,
				    struct kfacts_kernel *kernel)
{
	struct image_section text;

	kernel->big_endian = image_big_endian(image);
	kernel->arch = strdup(arch_name(image_machine(image)));
	if (!kernel->arch)
		return kt_error_no_memory();
	read_notes(image, syms, kernel);
	if (!symbols_get(syms, "_text", &kernel->text_link)) {
		/* Every linker script of the kernel begins .text with _text. */
		if (!image_section(image, ".text", &text) || !text.alloc)
			return kt_error_new(KT_ERROR_FORMAT,
					    "not a kernel: no _text symbol and no .text section");
		kernel->text_link = text.addr;
	}
	return read_banner(image, syms, kernel);
}

static struct kt_error *resolve_types(struct image *image, struct kfacts *facts)
{
	_cleanup_(types_destroyp) struct types *types = NULL;
	struct image_section btf;
	struct kt_error *err;

	if (!image_section(image, ".BTF", &btf) || !btf.data)
		return kt_error_hint(
			kt_error_new(KT_ERROR_NOT_FOUND,
				     "no .BTF in it: built without CONFIG_DEBUG_INFO_BTF"),
			"boot a kernel built with CONFIG_DEBUG_INFO_BTF=y");
	err = types_from_btf(btf.data, (size_t)btf.size, image_pointer_size(image), &types);
	return err ? err : types_resolve(types, facts->wants, facts->n, facts->answers);
}

static struct kt_error *absent(const struct kfacts_want *want, const char *symbol_source)
{
	switch (want->kind) {
	case KFACTS_SYMBOL:
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND, "no symbol %s in its %s",
						  want->name, symbol_source),
				     "static variables need CONFIG_KALLSYMS_ALL, or the vmlinux "
				     "of the same build (its debug package)");
	case KFACTS_MEMBER:
		return kt_error_new(KT_ERROR_NOT_FOUND, "no member %s in struct %s of its BTF",
				    want->path, want->name);
	case KFACTS_HELD:
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "no one place in its BTF where a struct holds struct %s %s",
				    want->name, want->path);
	case KFACTS_ENUM:
		return kt_error_new(KT_ERROR_NOT_FOUND, "no enum %s in its BTF", want->name);
	default: return kt_error_new(KT_ERROR_NOT_FOUND, "no struct %s in its BTF", want->name);
	}
}

static struct kt_error *take_symbols(struct kfacts *facts, const struct symbols *syms)
{
	for (size_t i = 0; i < facts->n; i++) {
		const struct kfacts_want *want = &facts->wants[i];

		if (want->kind == KFACTS_SYMBOL)
			facts->answers[i].present = symbols_get(syms, want->name,
								&facts->answers[i].value);
		if (!facts->answers[i].present && !want->optional)
			return absent(want, syms->source);
	}
	return NULL;
}

static struct kt_error *resolve_with(struct image *image, struct symbols *syms,
				     struct kfacts *facts)
{
	static const char *const own[] = {"_text", "linux_banner", "__start_notes", "__stop_notes"};
	struct kt_error *err;

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		symbols_want(syms, own[i]);
	for (size_t i = 0; i < facts->n; i++) {
		if (facts->wants[i].kind == KFACTS_SYMBOL)
			symbols_want(syms, facts->wants[i].name);
	}
	err = symbols_load(syms, image);
	if (!err)
		err = read_kernel(image, syms, &facts->kernel);
	if (!err)
		err = resolve_types(image, facts);
	return err ? err : take_symbols(facts, syms);
}

static struct kt_error *resolve(struct image *image, struct kfacts *facts)
{
	struct symbols syms;
	struct kt_error *err;

	if (!symbols_init(&syms, facts->n + 8))
		return kt_error_no_memory();
	err = resolve_with(image, &syms, facts);
	symbols_deinit(&syms);
	return err;
}

static bool load_cached(const char *dir, const struct cache_name *key, struct kfacts *facts)
{
	struct cache_name name = cache_facts_name(key, facts->wants, facts->n);
	struct kt_buf payload = KT_BUF_INIT;
	bool ok = cache_read(dir, &name, &payload) &&
		  cache_decode_facts(payload.data, payload.len, facts->wants, facts->n,
				     &facts->kernel, facts->answers);

	kt_buf_deinit(&payload);
	if (ok)
		return true;
	/* What a broken file left behind must not reach the answers. */
	kernel_deinit(&facts->kernel);
	for (size_t i = 0; i < facts->n; i++)
		kfacts_answer_deinit(&facts->answers[i]);
	return false;
}

static void store(const char *dir, const struct cache_name *key, const struct kfacts *facts)
{
	struct cache_name name = cache_facts_name(key, facts->wants, facts->n);
	struct kt_buf payload = KT_BUF_INIT;

	cache_encode_facts(&payload, &facts->kernel, facts->wants, facts->answers, facts->n);
	if (!kt_buf_failed(&payload))
		cache_write(dir, &name, payload.data, payload.len);
	kt_buf_deinit(&payload);
}

/* An ELF: opening it costs nothing, and its notes have the key. */
static struct kt_error *load_elf(const struct image_file *file, const char *dir,
				 struct kfacts *facts, bool *from_cache)
{
	_cleanup_(image_closep) struct image *image = NULL;
	struct kt_error *err = image_open(file->data, file->len, &image);
	struct cache_name key;
	uint8_t id[64];

	if (err || !dir)
		return err ? err : resolve(image, facts);
	key = cache_key(id, image_build_id(image, id, sizeof(id)), file->data, file->len);
	*from_cache = load_cached(dir, &key, facts);
	if (*from_cache)
		return NULL;
	err = resolve(image, facts);
	if (!err)
		store(dir, &key, facts);
	return err;
}

/* The key that an earlier run noted for a compressed file of this content. */
static bool load_noted(const char *dir, const struct cache_name *note, struct kfacts *facts)
{
	struct kt_buf payload = KT_BUF_INIT;
	struct cache_name key = {0};
	bool ok = cache_read(dir, note, &payload) && payload.len < sizeof(key.s);

	if (ok) {
		memcpy(key.s, payload.data, payload.len);
		ok = load_cached(dir, &key, facts);
	}
	kt_buf_deinit(&payload);
	return ok;
}

static struct kt_error *load_compressed(const struct image_file *file, const char *dir,
					struct kfacts *facts, bool *from_cache)
{
	_cleanup_(image_closep) struct image *image = NULL;
	struct cache_name hash, note, key;
	struct kt_error *err;

	if (dir) {
		hash = cache_content_hash(file->data, file->len);
		note = cache_image_name(&hash);
		*from_cache = load_noted(dir, &note, facts);
		if (*from_cache)
			return NULL;
	}
	err = image_open(file->data, file->len, &image);
	if (!err)
		err = resolve(image, facts);
	if (err || !dir)
		return err;
	key = cache_key(facts->kernel.build_id, facts->kernel.build_id_len, file->data, file->len);
	store(dir, &key, facts);
	cache_write(dir, &note, key.s, strlen(key.s));
	return NULL;
}

struct kt_error *kfacts_load(const char *path, const struct kfacts_want *wants, size_t n_wants,
			     const char *cache_dir, struct kfacts **ret, bool *from_cache_ret)
{
	_cleanup_(kfacts_destroyp) struct kfacts *facts = kfacts_new(wants, n_wants);
	struct image_file file = {0};
	bool from_cache = false;
	struct kt_error *err;

	if (!facts)
		return kt_error_no_memory();
	err = image_file_open(path, &file);
	if (!err)
		err = file.is_elf ? load_elf(&file, cache_dir, facts, &from_cache)
				  : load_compressed(&file, cache_dir, facts, &from_cache);
	image_file_close(&file);
	if (err)
		return kt_error_wrap(err, "%s", path);
	*ret = kt_take_ptr(facts);
	if (from_cache_ret)
		*from_cache_ret = from_cache;
	return NULL;
}

const struct kfacts_kernel *kfacts_kernel(const struct kfacts *facts)
{
	return &facts->kernel;
}

static bool is_member(enum kfacts_kind kind)
{
	return kind == KFACTS_MEMBER || kind == KFACTS_HELD;
}

/* The present answer to a want, or NULL. MEMBER stands for HELD too. */
static const struct kfacts_answer *find(const struct kfacts *facts, enum kfacts_kind kind,
					const char *name, const char *path)
{
	for (size_t i = 0; i < facts->n; i++) {
		const struct kfacts_want *want = &facts->wants[i];
		bool fits = is_member(kind) ? is_member(want->kind) : want->kind == kind;

		if (fits && facts->answers[i].present && !strcmp(want->name, name) &&
		    (!path || !strcmp(want->path, path)))
			return &facts->answers[i];
	}
	return NULL;
}

bool kfacts_symbol(const struct kfacts *facts, const char *name, gaddr_t *link_addr_ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_SYMBOL, name, NULL);

	if (a)
		*link_addr_ret = a->value;
	return a;
}

bool kfacts_member(const struct kfacts *facts, const char *type, const char *path,
		   struct kfacts_member *ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_MEMBER, type, path);

	if (a)
		*ret = a->member;
	return a;
}

bool kfacts_size(const struct kfacts *facts, const char *type, uint64_t *ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_SIZE, type, NULL);

	if (a)
		*ret = a->value;
	return a;
}

const char *kfacts_enum_name(const struct kfacts *facts, const char *type, int64_t value)
{
	const struct kfacts_answer *a = find(facts, KFACTS_ENUM, type, NULL);

	for (uint32_t i = 0; a && i < a->n_enums; i++) {
		if (a->enums[i].value == value)
			return a->enums[i].name;
	}
	return NULL;
}
