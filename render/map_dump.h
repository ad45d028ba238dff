/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contents of a map, as `bpftool map dump` has them. Internal to render/ and cli/. */
#ifndef KT_RENDER_MAP_DUMP_H
#define KT_RENDER_MAP_DUMP_H

#include <jansson.h>

#include "model/map_dump.h"
#include "util/error.h"

/*
 * Who knows the types of keys and values. Each function makes JSON, a new reference, of the bytes
 * of one key or value; one that is NULL does not know.
 */
struct render_types {
	const void *context;
	json_t *(*key_json)(const void *context, const uint8_t *data);
	json_t *(*value_json)(const void *context, const uint8_t *data);
	/* For stack_trace: what function an address is in. NULL: values are no stacks. */
	struct map_frame (*frame)(const void *context, uint64_t addr);
	const void *frame_context;
};

/*
 * As `bpftool -j map dump`: an array of {"key": ["0x01"], "value": [...], "formatted": {...}}; of a
 * per-CPU map {"key", "values": [{"cpu", "value"}], "formatted"}. A value that could not be read,
 * or that the kernel's own lookup refuses, is {"error": "..."}. What bpftool does not have: the
 * facts, by their name, and "stack". The caller frees *ret.
 */
struct kt_error *render_map_dump_json(const struct map_dump *dump, const struct render_types *types,
				      char **ret);

/*
 * The same of one entry, as `bpftool -j map lookup`; of none: null. And for people: what there is
 * of it, or that it is not found. key has the key_len bytes that were asked for.
 */
struct kt_error *render_map_lookup_json(const struct map_dump *dump,
					const struct render_types *types, char **ret);
struct kt_error *render_map_lookup_text(const struct map_dump *dump, const uint8_t *key,
					const struct render_types *types, char **ret);

/* For people: by the types where they are known, else bytes in hex. The caller frees *ret. */
struct kt_error *render_map_dump_text(const struct map_dump *dump, const struct render_types *types,
				      char **ret);

#endif
