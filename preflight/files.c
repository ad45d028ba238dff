// SPDX-License-Identifier: LGPL-2.1-or-later
/* From files to a result, in this process. */
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf_lookup.h"
#include "btf/facts_kernel.h"
#include "btf/sources.h"
#include "preflight/apart.h"
#include "preflight/core_ext.h"
#include "preflight/preflight.h"
#include "util/cleanup.h"

/* Objects as they were opened, or why they were not. */
struct opened {
	struct pf_object object;
	struct kt_error *why_not;
};

struct kernel_read {
	struct sources sources;
	struct symbols syms;
	struct btf *btf; /* NULL: it has none */
	struct kfacts_kernel facts;
	bool has_symbols;
};

static void reports_deinit(struct preflight_result *result)
{
	kt_vec_for_each (&result->reports, report)
		preflight_report_deinit(report);
	kt_vec_free(&result->reports);
}

void preflight_result_deinit(struct preflight_result *result)
{
	reports_deinit(result);
	free(result->release);
	free(result->why_not_modules);
	*result = (struct preflight_result){0};
}

static bool is_typeless(const struct pf_object *o, const struct pf_extern *e)
{
	const struct btf_type *t = btf__type_by_id(o->btf, e->type);
	uint32_t id = t && btf_is_var(t) ? t->type : 1;

	return t && btf_is_var(t) && (!btf_strip(o->btf, &id) || !id);
}

/* Adds the symbols that objects ask for by name alone. */
static void want_symbols(const struct opened *opened, size_t n, struct symbols *syms, size_t *count)
{
	for (size_t i = 0; i < n; i++) {
		if (opened[i].why_not)
			continue;
		kt_vec_for_each (&opened[i].object.externs, e) {
			if (!is_typeless(&opened[i].object, e))
				continue;
			if (syms)
				symbols_want(syms, e->name);
			else
				++*count;
		}
	}
}

static bool is_missing(struct kt_error **err)
{
	if (!*err || kt_error_code(*err) != KT_ERROR_NOT_FOUND)
		return false;
	kt_error_destroy(*err);
	*err = NULL;
	return true;
}

/* A kernel without symbols, or none of which are found, is one that says nothing about them. */
static struct kt_error *read_symbols(struct kernel_read *k)
{
	bool given = k->sources.paths.image || k->sources.paths.system_map ||
		     k->sources.paths.kallsyms;
	gaddr_t shift = 0;
	struct kt_error *err = given ? sources_symbols(&k->sources, &k->syms, &shift) : NULL;

	if (is_missing(&err))
		shift = 0;
	k->has_symbols = !err && given && symbols_any(&k->syms);
	if (!err && given)
		err = facts_kernel_read(k->sources.image, &k->syms, shift, &k->facts);
	return err;
}

static bool other_order(const struct kernel_read *k)
{
	bool big = k->btf ? btf__endianness(k->btf) == BTF_BIG_ENDIAN : k->facts.big_endian;

	return big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

static struct kt_error *read_kernel(const struct kfacts_sources *paths, const struct opened *opened,
				    size_t n, struct kernel_read *k)
{
	struct kt_error *err = sources_open(paths, &k->sources);
	size_t count = 0;

	want_symbols(opened, n, NULL, &count);
	if (!err && !symbols_init(&k->syms, count + FACTS_KERNEL_WANTS))
		err = kt_error_no_memory();
	if (err)
		return err;
	facts_kernel_wants(&k->syms);
	want_symbols(opened, n, &k->syms, NULL);
	err = read_symbols(k);
	if (!err)
		err = sources_btf(&k->sources, &k->btf);
	is_missing(&err);
	if (!err && other_order(k))
		err = kt_error_new(KT_ERROR_UNSUPPORTED,
				   "%s: a kernel of another byte order than this machine's",
				   sources_image_name(&k->sources) ? sources_image_name(&k->sources)
								   : paths->btf);
	return err;
}

static void kernel_read_deinit(struct kernel_read *k)
{
	btf__free(k->btf);
	facts_kernel_deinit(&k->facts);
	symbols_deinit(&k->syms);
	sources_close(&k->sources);
}

static struct kt_error *check_each(const struct pf_kernel *kernel, struct opened *opened, size_t n,
				   struct preflight_result *ret)
{
	struct kt_error *err = NULL;

	reports_deinit(ret);
	for (size_t i = 0; i < n && !err; i++) {
		const struct kt_error *why_not = opened[i].why_not;
		struct preflight_report report = {0};

		err = why_not ? preflight_not_opened(why_not, &report)
			      : preflight_check(&opened[i].object, kernel, &report);
		if (!err && kt_vec_push(&ret->reports, report))
			continue;
		preflight_report_deinit(&report);
		err = err ? err : kt_error_no_memory();
	}
	if (!err)
		err = kt_take_ptr(kernel->modules->err);
	return err;
}

/* If something is not in vmlinux, the modules are read, and all is done again. */
static struct kt_error *check_with_modules(const struct preflight_kernel *files,
					   const struct kernel_read *k,
					   const struct pf_kernel *kernel, struct opened *opened,
					   size_t n, struct preflight_result *ret)
{
	const struct pf_module_places places = {files->modules, files->module_btf, ret->release};
	struct pf_modules *modules = kernel->modules;
	struct kt_error *err = check_each(kernel, opened, n, ret);

	ret->asked_modules = !err && modules->asked.len;
	if (!ret->asked_modules)
		return err;
	err = pf_modules_read(modules, &places, k->btf);
	if (!err)
		err = check_each(kernel, opened, n, ret);
	if (!err && modules->why_not) {
		free(ret->why_not_modules);
		ret->why_not_modules = kt_take_ptr(modules->why_not);
	}
	return err;
}

static struct kt_error *check_all(const struct preflight_kernel *files, struct kernel_read *k,
				  struct opened *opened, size_t n, struct preflight_result *ret)
{
	_cleanup_(pf_modules_deinit) struct pf_modules modules = {0};
	_cleanup_(pf_kernel_deinit) struct pf_kernel kernel = {0};
	struct kt_error *err;

	ret->has_btf = k->btf;
	ret->has_symbols = k->has_symbols;
	ret->release = strdup(k->facts.release ? k->facts.release : "");
	ret->why_not_modules = strdup("");
	if (!ret->release || !ret->why_not_modules)
		return kt_error_no_memory();
	err = pf_kernel_init(k->btf, k->has_symbols ? &k->syms : NULL, &modules, &kernel);
	return err ? err : check_with_modules(files, k, &kernel, opened, n, ret);
}

struct kt_error *preflight_files(const struct preflight_kernel *kernel,
				 const struct preflight_file *files, size_t n,
				 struct preflight_result *ret)
{
	_cleanup_(kernel_read_deinit) struct kernel_read read = {0};
	_cleanup_free_ struct opened *opened = calloc(n + 1, sizeof(*opened));
	struct preflight_result result = {0};
	struct kt_error *err = NULL;

	if (!opened)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		opened[i].why_not = pf_object_open(files[i].data, files[i].len, files[i].name,
						   &opened[i].object);
	for (size_t i = 0; i < n; i++)
		if (!opened[i].why_not)
			opened[i].why_not = pf_core_read(&opened[i].object);
	err = read_kernel(kernel->sources, opened, n, &read);
	if (!err)
		err = check_all(kernel, &read, opened, n, &result);
	for (size_t i = 0; i < n; i++) {
		pf_object_close(&opened[i].object);
		kt_error_destroy(opened[i].why_not);
	}
	if (err)
		preflight_result_deinit(&result);
	else
		*ret = result;
	return err;
}
