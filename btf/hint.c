// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "btf/cache.h"
#include "btf/facts.h"
#include "util/cursor.h"

#define HINT_SIZE 8

/* The key is the build ID, or the banner of a kernel that has none. */
static struct cache_name hint_name(const struct kfacts *facts, const char *place)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(facts);
	const char *banner = kernel->banner ? kernel->banner : "";
	struct cache_name key = cache_key(kernel->build_id, kernel->build_id_len, banner,
					  strlen(banner));

	return cache_place_name(&key, place);
}

bool kfacts_load_hint(const struct kfacts *facts, const char *cache_dir, const char *place,
		      int64_t *kaslr_offset_ret)
{
	struct cache_name name = hint_name(facts, place);
	struct kt_buf payload = KT_BUF_INIT;
	bool found = cache_dir && cache_read(cache_dir, &name, &payload) &&
		     payload.len == HINT_SIZE;

	if (found)
		*kaslr_offset_ret = (int64_t)kt_load_uint(payload.data, HINT_SIZE, false);
	kt_buf_deinit(&payload);
	return found;
}

void kfacts_store_hint(const struct kfacts *facts, const char *cache_dir, const char *place,
		       int64_t kaslr_offset)
{
	struct cache_name name = hint_name(facts, place);
	struct kt_buf payload = KT_BUF_INIT;

	kt_buf_append_le(&payload, (uint64_t)kaslr_offset, HINT_SIZE);
	if (cache_dir && !kt_buf_failed(&payload))
		cache_write(cache_dir, &name, payload.data, payload.len);
	kt_buf_deinit(&payload);
}
