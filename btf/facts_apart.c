// SPDX-License-Identifier: LGPL-2.1-or-later
#include "btf/facts_apart.h"
#include "util/apart.h"
#include "util/cleanup.h"
#include "util/fence.h"
#include "util/io.h"

/* Of a result. Facts take some ten kilobytes. */
#define RESULT_MAX ((size_t)16 << 20)
/* For a child that hangs. A debug kernel of a gigabyte takes seconds. */
#define TIMEOUT_MS 600000

struct work {
	const struct kfacts_sources *sources;
	const struct kfacts_want *wants;
	size_t n_wants;
	const char *cache_dir;
};

static struct kt_error *load_behind_fence(void *arg, struct kt_buf *result)
{
	const struct work *work = arg;
	struct kt_fence_place places[] = {
		/* The C library, and the sanitizers after a crash. */
		{"/proc/self", KT_FENCE_READ},
		{"/sys/devices/system/cpu/online", KT_FENCE_READ},
		{"/dev/null", KT_FENCE_WRITE},
	};
	const struct kt_fence_place files[] = {
		{work->sources->image, KT_FENCE_READ},
		{work->sources->btf, KT_FENCE_READ},
		{work->sources->system_map, KT_FENCE_READ},
		{work->sources->kallsyms, KT_FENCE_READ},
		{work->cache_dir, KT_FENCE_WRITE},
	};
	struct kt_fence fence = {0};
	struct kfacts *facts = NULL;
	bool from_cache = false, ok = true;
	struct kt_error *err;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		ok &= kt_vec_push(&fence.places, places[i]);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		ok &= !files[i].path || kt_vec_push(&fence.places, files[i]);
	if (!ok)
		return kt_error_no_memory();
	kt_fence_put_up(&fence);
	kt_vec_free(&fence.places);
	err = kfacts_load(work->sources, work->wants, work->n_wants, work->cache_dir, &facts,
			  &from_cache);
	if (err)
		return err;
	kt_buf_append_le(result, from_cache, 1);
	kfacts_pack(facts, result);
	kfacts_destroy(facts);
	return NULL;
}

struct kt_error *kfacts_load_apart(const struct kfacts_sources *sources,
				   const struct kfacts_wanted *wanted, const char *cache_dir,
				   struct kfacts **ret, bool *from_cache_ret)
{
	struct work work = {sources, wanted->all, wanted->n, cache_dir};
	const int keep[] = {wanted->image_fd};
	const struct kt_apart apart = {
		.name = "ktstr-facts",
		.what = "the process that reads the kernel's files",
		.work = load_behind_fence,
		.arg = &work,
		.keep = keep,
		.n_keep = 1,
		.max = RESULT_MAX,
		.timeout_ms = TIMEOUT_MS,
		.cancel_fd = wanted->cancel_fd,
	};
	_cleanup_(kt_buf_deinit) struct kt_buf result = KT_BUF_INIT;
	struct kt_error *err;

	/* Only a place that exists can be allowed. Without it, nothing is cached. */
	if (cache_dir)
		kt_error_destroy(kt_mkdir_p(cache_dir, 0700));
	err = kt_apart(&apart, &result);
	if (!err && !result.len)
		err = kt_error_new(KT_ERROR_PROTOCOL,
				   "the process that reads the kernel's files says nothing");
	if (!err)
		err = kfacts_unpack(result.data + 1, result.len - 1, wanted->all, wanted->n, ret);
	if (!err && from_cache_ret)
		*from_cache_ret = result.data[0] != 0;
	return err;
}
