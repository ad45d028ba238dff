// SPDX-License-Identifier: LGPL-2.1-or-later
/* The files of modules, and of their BTF. */
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/image.h"
#include "image/module_files.h"
#include "preflight/modules.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/io.h"

/* Of one module. With debug info, the largest of a build tree has half of that. */
#define MODULE_MAX ((size_t)512 << 20)
/* Of modules.order, which has 200 KB. */
#define ORDER_MAX ((size_t)16 << 20)

struct reading {
	struct pf_modules *modules;
	const struct pf_module_places *places;
	struct btf *base;          /* NULL: the kernel has no BTF */
	struct module_files files; /* by name */
	struct kt_error *err;      /* no memory */
};

static void btf_freep(struct btf **btf)
{
	btf__free(*btf);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The first reason is told. */
__attribute__((format(printf, 2, 3))) static void incomplete(struct pf_modules *m, const char *fmt,
							     ...)
{
	va_list ap;

	m->complete = false;
	if (m->why_not)
		return;
	va_start(ap, fmt);
	if (vasprintf(&m->why_not, fmt, ap) < 0)
		m->why_not = NULL;
	va_end(ap);
}

/* Takes err. Memory is an error, all else only makes them incomplete. */
static void not_read(struct reading *r, struct kt_error *err)
{
	if (kt_error_code(err) == KT_ERROR_NO_MEMORY && !r->err) {
		r->err = err;
		return;
	}
	incomplete(r->modules, "%s", kt_error_message(err));
	kt_error_destroy(err);
}

/* --- one module --- */

/* Split BTF; NULL: it is damaged. base is NULL of one that stands alone. */
static struct btf *parse(struct reading *r, const void *data, size_t len, struct btf *base)
{
	_cleanup_close_ int fd = memfd_create("btf", MFD_CLOEXEC);
	libbpf_print_fn_t print;
	struct kt_error *err;
	struct btf *btf;
	char path[32];

	err = fd < 0 ? kt_error_os(errno, "cannot make a file in memory")
		     : kt_write_all(fd, data, len);
	if (err) {
		not_read(r, err);
		return NULL;
	}
	/* libbpf has btf__new_split() in its header since 0.3, and in the library since 1.3. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	print = libbpf_set_print(NULL);
	btf = btf__parse_raw_split(path, base);
	libbpf_set_print(print);
	return btf;
}

/*
 * A module that was built outside of the kernel's tree has in .BTF.base what it needs of vmlinux
 * (6.12), and refers to that. So its names are read without vmlinux, by every libbpf.
 */
static void look_btf(struct reading *r, const char *name, struct image *image)
{
	_cleanup_(btf_freep) struct btf *own_base = NULL, *btf = NULL;
	struct image_section section, base;
	struct btf *from = r->base;

	if (!r->base || !image_section(image, ".BTF", &section) || !section.data)
		return;
	if (image_section(image, ".BTF.base", &base) && base.data)
		from = own_base = parse(r, base.data, (size_t)base.size, NULL);
	if (from)
		btf = parse(r, section.data, (size_t)section.size, from);
	if (btf)
		r->err = pf_modules_look_btf(r->modules, name, btf, btf__type_cnt(from));
	else
		incomplete(r->modules, "the BTF of module %s is not that of this kernel", name);
}

static void look_symbols(struct reading *r, const char *name, struct image *image)
{
	Elf *elf = image_elf(image);
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;
		GElf_Sym sym;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB ||
		    !(data = elf_getdata(scn, NULL)))
			continue;
		for (int i = 1; gelf_getsym(data, i, &sym) && !r->err; i++) {
			const char *symbol = elf_strptr(elf, shdr.sh_link, sym.st_name);

			if (symbol && sym.st_shndx != SHN_UNDEF)
				r->err = pf_modules_look_symbol(r->modules, name, symbol);
		}
	}
}

/* "vermagic=6.1.0-50-cloud-amd64 SMP preempt mod_unload modversions" */
static bool is_of_release(const struct reading *r, struct image *image)
{
	size_t len = r->places->release ? strlen(r->places->release) : 0;
	struct image_section section;
	const char *vermagic = NULL;

	if (image_section(image, ".modinfo", &section) && section.data)
		vermagic = module_info_value(kt_cursor(section.data, (size_t)section.size, false),
					     "vermagic");
	return !len || !vermagic ||
	       (!strncmp(vermagic, r->places->release, len) && strchr(" ", vermagic[len]));
}

static void look(struct reading *r, const struct module_file *file)
{
	_cleanup_(image_closep) struct image *image = NULL;
	_cleanup_(kt_buf_deinit) struct kt_buf data = KT_BUF_INIT;
	struct kt_error *err = module_file_read(file->path, MODULE_MAX, &data);

	if (!err && data.len > MODULE_MAX)
		err = kt_error_new(KT_ERROR_UNSUPPORTED, "%s: too large", file->path);
	if (!err)
		err = kt_error_wrap(image_open(data.data, data.len, &image), "%s", file->path);
	if (err) {
		not_read(r, err);
		return;
	}
	if (!is_of_release(r, image)) {
		incomplete(r->modules, "%s is of another kernel", file->path);
		return;
	}
	look_btf(r, file->name, image);
	if (!r->err && pf_modules_want_symbols(r->modules))
		look_symbols(r, file->name, image);
}

/* --- all of a directory --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct module_file *)a)->name, ((const struct module_file *)b)->name);
}

static bool is_there(const struct reading *r, const char *name)
{
	const struct module_file key = {.name = (char *)(uintptr_t)name};

	return r->files.v.len &&
	       bsearch(&key, r->files.v.data, r->files.v.len, sizeof(key), by_name);
}

/* modules.order has a line for each module of the build: "kernel/net/sctp/sctp.ko". */
static void compare_order(struct reading *r)
{
	_cleanup_(kt_buf_deinit) struct kt_buf path = KT_BUF_INIT, text = KT_BUF_INIT;
	_cleanup_free_ char *first = NULL;
	size_t n = 0, missing = 0;
	struct kt_error *err;
	char *line, *rest;

	kt_buf_printf(&path, "%s/modules.order", r->places->dir);
	err = kt_buf_failed(&path) ? kt_error_no_memory()
				   : kt_read_file(path.data, ORDER_MAX, &text);
	if (!err)
		kt_buf_appendc(&text, '\0');
	if (!err && kt_buf_failed(&text))
		err = kt_error_no_memory();
	if (err) {
		not_read(r, err);
		return;
	}
	for (rest = text.data; (line = strsep(&rest, "\n"));) {
		const char *base;
		size_t len = module_name_in_path(line, &base);
		_cleanup_free_ char *name = len ? module_canonical_name(base, len) : NULL;

		n += name != NULL;
		if (name && !is_there(r, name) && !missing++)
			first = kt_take_ptr(name);
	}
	if (missing)
		incomplete(r->modules, "%zu of its %zu modules are not there, such as %s", missing,
			   n, first);
}

static void read_dir(struct reading *r)
{
	struct kt_error *err = module_files_list(r->places->dir, &r->files);

	if (err) {
		not_read(r, err);
		return;
	}
	if (r->files.v.len)
		qsort(r->files.v.data, r->files.v.len, sizeof(*r->files.v.data), by_name);
	compare_order(r);
	for (size_t i = 0; i < r->files.v.len && !r->err && !pf_modules_found_all(r->modules); i++)
		look(r, &r->files.v.data[i]);
}

/* Of /sys/kernel/btf, or a copy. What is no BTF over this vmlinux is left out. */
static void read_btf_dir(struct reading *r)
{
	_cleanup_(closedirp) DIR *dir = opendir(r->places->btf_dir);
	struct dirent *entry;

	while (dir && r->base && !r->err && (entry = readdir(dir))) {
		_cleanup_(kt_buf_deinit) struct kt_buf path = KT_BUF_INIT, data = KT_BUF_INIT;
		_cleanup_(btf_freep) struct btf *btf = NULL;

		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "vmlinux"))
			continue;
		kt_buf_printf(&path, "%s/%s", r->places->btf_dir, entry->d_name);
		if (kt_buf_failed(&path)) {
			r->err = kt_error_no_memory();
			return;
		}
		kt_error_destroy(kt_read_file(path.data, MODULE_MAX, &data));
		btf = data.len ? parse(r, data.data, data.len, r->base) : NULL;
		if (btf)
			r->err = pf_modules_look_btf(r->modules, entry->d_name, btf,
						     btf__type_cnt(r->base));
	}
}

struct kt_error *pf_modules_read(struct pf_modules *modules, const struct pf_module_places *places,
				 struct btf *base)
{
	struct reading r = {.modules = modules, .places = places, .base = base};

	modules->complete = true;
	if (places->dir)
		read_dir(&r);
	else
		incomplete(modules, "where its modules are is not known");
	if (places->btf_dir && !r.err)
		read_btf_dir(&r);
	module_files_deinit(&r.files);
	return r.err;
}
