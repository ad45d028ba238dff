// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/apart.h"

#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "util/apart.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/fence.h"

/* Of a result: findings are sentences. */
#define RESULT_MAX ((size_t)64 << 20)
/* For a child that hangs. A debug kernel of a gigabyte, or 5,000 compressed modules, take seconds,
 * and on a busy machine minutes. */
#define TIMEOUT_MS 900000

struct work {
	const struct preflight_kernel *kernel;
	const struct preflight_file *files;
	size_t n;
};

static void pack(const struct preflight_result *result, struct kt_buf *out)
{
	kt_buf_appendz(out, result->release);
	kt_buf_append_le(out, result->has_btf, 1);
	kt_buf_append_le(out, result->has_symbols, 1);
	kt_buf_append_le(out, result->asked_modules, 1);
	kt_buf_appendz(out, result->why_not_modules);
	kt_vec_for_each (&result->reports, report)
		preflight_pack(report, out);
}

static struct kt_error *unpack(const struct kt_buf *from, size_t n, struct preflight_result *ret)
{
	struct kt_cursor c = kt_cursor(from->data, from->len, false);
	const char *release = kt_cursor_string(&c), *why_not;
	struct preflight_result result = {0};
	struct kt_error *err = NULL;

	result.has_btf = kt_cursor_u8(&c);
	result.has_symbols = kt_cursor_u8(&c);
	result.asked_modules = kt_cursor_u8(&c);
	why_not = kt_cursor_string(&c);
	result.release = release && !c.failed ? strdup(release) : NULL;
	result.why_not_modules = why_not && !c.failed ? strdup(why_not) : NULL;
	if (!result.release || !result.why_not_modules)
		err = kt_error_new(KT_ERROR_PROTOCOL, "what a preflight tells makes no sense");
	for (; n && !err; n--) {
		struct preflight_report report;

		err = preflight_unpack(&c, &report);
		if (!err && kt_vec_push(&result.reports, report))
			continue;
		preflight_report_deinit(&report);
		err = err ? err : kt_error_no_memory();
	}
	if (err)
		preflight_result_deinit(&result);
	else
		*ret = result;
	return err;
}

static struct kt_error *work_behind_fence(void *arg, struct kt_buf *ret)
{
	const struct work *work = arg;
	const struct kfacts_sources *s = work->kernel->sources;
	const struct kt_fence_place all[] = {
		/* The C library, and the sanitizers after a crash. */
		{"/proc/self", KT_FENCE_READ},
		{"/sys/devices/system/cpu/online", KT_FENCE_READ},
		{"/dev/null", KT_FENCE_WRITE},
		{s->image, KT_FENCE_READ},
		{s->btf, KT_FENCE_READ},
		{s->system_map, KT_FENCE_READ},
		{s->kallsyms, KT_FENCE_READ},
		{work->kernel->modules, KT_FENCE_READ},
		{work->kernel->module_btf, KT_FENCE_READ},
	};
	_cleanup_(preflight_result_deinit) struct preflight_result result = {0};
	struct kt_fence fence = {0};
	struct kt_error *err;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].path && !kt_vec_push(&fence.places, all[i]))
			return kt_error_no_memory();
	kt_fence_put_up(&fence);
	kt_vec_free(&fence.places);
	err = preflight_files(work->kernel, work->files, work->n, &result);
	if (!err)
		pack(&result, ret);
	return err;
}

static struct kt_error *once(struct work *work, int cancel_fd, struct preflight_result *ret)
{
	const struct kt_apart apart = {
		.name = "ktstr-check",
		.what = "the process that reads the kernel's files",
		.work = work_behind_fence,
		.arg = work,
		.max = RESULT_MAX,
		.timeout_ms = TIMEOUT_MS,
		.cancel_fd = cancel_fd,
	};
	_cleanup_(kt_buf_deinit) struct kt_buf bytes = KT_BUF_INIT;
	struct kt_error *err = kt_apart(&apart, &bytes);

	return err ? err : unpack(&bytes, work->n, ret);
}

/* Moves what was found of one object. Takes err. */
static struct kt_error *take_one(struct kt_error *err, struct preflight_result *one,
				 struct preflight_result *all)
{
	struct preflight_report report = {0};

	if (err && kt_error_code(err) == KT_ERROR_CLOSED) {
		struct kt_error *why = kt_error_new(
			KT_ERROR_UNSUPPORTED, "libbpf %u.%u, which this tool has, crashes on it",
			libbpf_major_version(), libbpf_minor_version());

		kt_error_destroy(err);
		err = preflight_not_opened(why, &report);
		kt_error_destroy(why);
	} else if (!err) {
		report = one->reports.data[0];
		one->reports.len = 0;
		all->has_btf = one->has_btf;
		all->has_symbols = one->has_symbols;
		free(all->release);
		all->release = kt_take_ptr(one->release);
		if (one->asked_modules && !all->asked_modules) {
			all->asked_modules = true;
			free(all->why_not_modules);
			all->why_not_modules = kt_take_ptr(one->why_not_modules);
		}
	}
	if (!err && !kt_vec_push(&all->reports, report)) {
		preflight_report_deinit(&report);
		err = kt_error_no_memory();
	}
	return err;
}

/* One by one, to see which object it is that crashes. */
static struct kt_error *one_by_one(const struct work *work, int cancel_fd,
				   struct preflight_result *ret)
{
	struct preflight_result all = {.release = strdup(""), .why_not_modules = strdup("")};
	bool ok = all.release && all.why_not_modules;
	struct kt_error *err = ok ? NULL : kt_error_no_memory();
	struct work none = {work->kernel, NULL, 0};

	/* The kernel's own files may be what it is. */
	if (!err) {
		struct preflight_result result = {0};

		err = once(&none, cancel_fd, &result);
		preflight_result_deinit(&result);
	}
	for (size_t i = 0; i < work->n && !err; i++) {
		struct work one = {work->kernel, work->files + i, 1};
		struct preflight_result result = {0};

		err = take_one(once(&one, cancel_fd, &result), &result, &all);
		preflight_result_deinit(&result);
	}
	if (err)
		preflight_result_deinit(&all);
	else
		*ret = all;
	return err;
}

struct kt_error *preflight_apart(const struct preflight_kernel *kernel,
				 const struct preflight_file *files, size_t n, int cancel_fd,
				 struct preflight_result *ret)
{
	struct work work = {kernel, files, n};
	struct kt_error *err = once(&work, cancel_fd, ret);

	if (!err || kt_error_code(err) != KT_ERROR_CLOSED)
		return err;
	kt_error_destroy(err);
	return one_by_one(&work, cancel_fd, ret);
}
