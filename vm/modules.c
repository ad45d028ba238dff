// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

#include "image/module_files.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "vm/modules.h"

/* Bounds for damaged files. virtio over PCI takes six modules, which have 0.3 MB together. */
#define MAX_MODULES 256
#define MAX_BYTES   ((size_t)64 << 20)

struct search {
	const char *dir, *release;
	struct module_files files;
	KT_VEC(char *) builtin; /* names */
	KT_VEC(char *) seen;    /* names that were looked for, found or not */
	size_t bytes_left;
	struct vm_modules out;
};

static void elf_endp(Elf **elf)
{
	elf_end(*elf);
}

static void module_deinit(struct vm_module *module)
{
	free(module->name);
	free(module->path);
	free(module->data);
}

void vm_modules_deinit(struct vm_modules *modules)
{
	kt_vec_for_each (&modules->all, module)
		module_deinit(module);
	kt_vec_for_each (&modules->missing, name)
		free(*name);
	kt_vec_free(&modules->all);
	kt_vec_free(&modules->missing);
}

static void search_deinit(struct search *s)
{
	kt_vec_for_each (&s->builtin, name)
		free(*name);
	kt_vec_for_each (&s->seen, name)
		free(*name);
	module_files_deinit(&s->files);
	kt_vec_free(&s->builtin);
	kt_vec_free(&s->seen);
	vm_modules_deinit(&s->out);
}

/* --- reading a file --- */

/* The file's content, decompressed if it is compressed, of at most `limit` bytes. */
static struct kt_error *read_file(const char *path, size_t limit, struct kt_buf *out)
{
	struct kt_error *err = module_file_read(path, limit, out);

	if (!err && out->len > limit)
		err = kt_error_new(KT_ERROR_UNSUPPORTED,
				   "%s: with this one, the modules are larger than %zu MB "
				   "together",
				   path, MAX_BYTES >> 20);
	return err;
}

/* Each line of modules.builtin is a path, as if the built-in module were a file. */
static struct kt_error *read_builtin(struct search *s)
{
	_cleanup_(kt_buf_deinit) struct kt_buf path = KT_BUF_INIT, text = KT_BUF_INIT;
	struct kt_error *err;
	char *line, *rest;

	kt_buf_printf(&path, "%s/modules.builtin", s->dir);
	if (path.failed)
		return kt_error_no_memory();
	if (access(path.data, F_OK))
		return NULL; /* only the files tell which modules there are */
	err = read_file(path.data, MAX_BYTES, &text);
	if (err)
		return err;
	for (rest = text.data; (line = strsep(&rest, "\n"));) {
		_cleanup_free_ char *name = NULL;
		const char *base;
		size_t len = module_name_in_path(line, &base);

		if (!len)
			continue;
		name = module_canonical_name(base, len);
		if (!name || !kt_vec_push(&s->builtin, name))
			return kt_error_no_memory();
		name = NULL;
	}
	return NULL;
}

/* --- .modinfo, which a module has about itself --- */

static struct kt_error *not_a_module(const struct vm_module *module, const char *why)
{
	return kt_error_new(KT_ERROR_FORMAT, "%s: not a kernel module: %s", module->path, why);
}

/* Section .modinfo: strings "key=value", one after the other. */
static struct kt_error *find_modinfo(const struct vm_module *module, struct kt_cursor *ret)
{
	_cleanup_(elf_endp) Elf *elf = NULL;
	Elf_Scn *section = NULL;
	size_t names;
	GElf_Shdr sh;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)module->data, module->size);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return not_a_module(module, "no ELF file");
	if (elf_getshdrstrndx(elf, &names))
		return not_a_module(module, "truncated or damaged");
	while ((section = elf_nextscn(elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &sh) || !(name = elf_strptr(elf, names, sh.sh_name)))
			return not_a_module(module, "truncated or damaged");
		if (strcmp(name, ".modinfo"))
			continue;
		if (sh.sh_type == SHT_NOBITS || sh.sh_offset > module->size ||
		    sh.sh_size > module->size - sh.sh_offset)
			return not_a_module(module, "truncated or damaged");
		*ret = kt_cursor(module->data + sh.sh_offset, (size_t)sh.sh_size, false);
		return NULL;
	}
	return not_a_module(module, "it has no .modinfo");
}

/* "vermagic=6.1.0-50-cloud-amd64 SMP preempt mod_unload modversions" */
static struct kt_error *check_release(const struct search *s, const struct vm_module *module,
				      struct kt_cursor info)
{
	const char *vermagic = module_info_value(info, "vermagic");
	int len = vermagic ? (int)strcspn(vermagic, " ") : 0;
	struct kt_error *err;

	if (!s->release || !vermagic ||
	    ((size_t)len == strlen(s->release) && !strncmp(vermagic, s->release, (size_t)len)))
		return NULL;
	err = kt_error_new(KT_ERROR_MISMATCH,
			   "the modules in %s are of kernel %.*s, the image is %s (%s)", s->dir,
			   len < 80 ? len : 80, vermagic, s->release, module->path);
	return kt_error_hint(err, "give the directory of the image's own modules");
}

/* --- the search --- */

static struct kt_error *take(struct search *s, const char *name, size_t len);

/* "depends=virtio_ring,virtio", or nothing behind the "=". */
static struct kt_error *take_depends(struct search *s, const char *depends)
{
	struct kt_error *err = NULL;

	while (!err && depends && *depends) {
		size_t len = strcspn(depends, ",");

		if (len)
			err = take(s, depends, len);
		depends += len + (depends[len] == ',');
	}
	return err;
}

static struct kt_error *load(struct search *s, const struct module_file *file,
			     struct vm_module *module)
{
	_cleanup_(kt_buf_deinit) struct kt_buf data = KT_BUF_INIT;
	struct kt_error *err;

	module->name = strdup(file->name);
	module->path = strdup(file->path);
	if (!module->name || !module->path)
		return kt_error_no_memory();
	err = read_file(file->path, s->bytes_left, &data);
	if (err)
		return err;
	if (!data.len)
		return not_a_module(module, "the file is empty");
	module->size = data.len;
	module->data = (uint8_t *)kt_buf_steal(&data);
	s->bytes_left -= module->size;
	return NULL;
}

static struct kt_error *take_file(struct search *s, const struct module_file *file)
{
	_cleanup_(module_deinit) struct vm_module module = {0};
	struct kt_cursor info;
	struct kt_error *err;

	err = load(s, file, &module);
	if (!err)
		err = find_modinfo(&module, &info);
	if (!err)
		err = check_release(s, &module, info);
	if (!err)
		err = take_depends(s, module_info_value(info, "depends"));
	if (err)
		return err;
	if (!kt_vec_push(&s->out.all, module))
		return kt_error_no_memory();
	module = (struct vm_module){0};
	return NULL;
}

/*
 * Remembers a name, so that each module is looked for once, and modules that depend on each other
 * are no endless loop. *ret is the name, or NULL if it was there before.
 */
static struct kt_error *remember(struct search *s, const char *name, size_t len, const char **ret)
{
	_cleanup_free_ char *copy = module_canonical_name(name, len);

	*ret = NULL;
	if (!copy)
		return kt_error_no_memory();
	kt_vec_for_each (&s->seen, it)
		if (!strcmp(*it, copy))
			return NULL;
	if (s->seen.len == MAX_MODULES)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "%s: more than %u modules are needed",
				    s->dir, MAX_MODULES);
	if (!kt_vec_push(&s->seen, copy))
		return kt_error_no_memory();
	*ret = kt_take_ptr(copy);
	return NULL;
}

static struct kt_error *add_missing(struct search *s, const char *name)
{
	_cleanup_free_ char *copy = strdup(name);

	if (!copy || !kt_vec_push(&s->out.missing, copy))
		return kt_error_no_memory();
	copy = NULL;
	return NULL;
}

/* Adds a module after those that it depends on. Recursion ends at MAX_MODULES names. */
static struct kt_error *take(struct search *s, const char *name, size_t len)
{
	const char *wanted;
	struct kt_error *err = remember(s, name, len, &wanted);

	if (err || !wanted)
		return err;
	kt_vec_for_each (&s->builtin, it)
		if (!strcmp(*it, wanted))
			return NULL;
	kt_vec_for_each (&s->files.v, file)
		if (!strcmp(file->name, wanted))
			return take_file(s, file);
	return add_missing(s, wanted);
}

struct kt_error *vm_modules_find(const char *dir, const char *release, const char *const *names,
				 size_t n, struct vm_modules *ret)
{
	_cleanup_(search_deinit) struct search s = {
		.dir = dir,
		.release = release,
		.bytes_left = MAX_BYTES,
	};
	struct kt_error *err;

	err = module_files_list(dir, &s.files);
	if (!err)
		err = read_builtin(&s);
	for (size_t i = 0; i < n && !err; i++)
		err = take(&s, names[i], strlen(names[i]));
	if (err)
		return err;
	*ret = s.out;
	s.out = (struct vm_modules){0};
	return NULL;
}

/* --- the directory of modules --- */

/* A kernel that has everything built in comes with modules.builtin, but without kernel/. */
static bool holds_modules(const char *dir)
{
	static const char *const names[] = {"kernel/.", "modules.builtin"};

	for (size_t i = 0; i < 2; i++) {
		_cleanup_(kt_buf_deinit) struct kt_buf path = KT_BUF_INIT;

		kt_buf_printf(&path, "%s/%s", dir, names[i]);
		if (!path.failed && !access(path.data, F_OK))
			return true;
	}
	return false;
}

static char *dir_beside(const char *image, const char *release)
{
	static const char *const places[] = {"/modules", "", "/../lib/modules/",
					     "/../usr/lib/modules/"};
	const char *slash = strrchr(image, '/');
	/* The release comes from the image, which is hostile: no ".." and no "/". */
	bool named = release && release[0] && release[0] != '.' && !strchr(release, '/');

	for (size_t i = 0; i < (named ? 4 : 2); i++) {
		struct kt_buf path = KT_BUF_INIT;

		if (slash)
			kt_buf_append(&path, image, (size_t)(slash - image));
		else
			kt_buf_appendc(&path, '.');
		kt_buf_printf(&path, "%s%s", places[i], i < 2 ? "" : release);
		/* For "/vmlinuz" the path is "" here, which would be the working directory. */
		if (!path.len)
			kt_buf_appendc(&path, '/');
		if (!path.failed && holds_modules(path.data))
			return kt_buf_steal(&path);
		kt_buf_deinit(&path);
	}
	return NULL;
}

char *vm_modules_dir(const char *image, const char *release)
{
	_cleanup_free_ char *real = NULL;
	char *dir = dir_beside(image, release);

	if (dir)
		return dir;
	/* /vmlinuz and the like are symbolic links: look beside the file that they lead to. */
	real = realpath(image, NULL);
	return real ? dir_beside(real, release) : NULL;
}
