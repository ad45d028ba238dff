// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/btf.h"

static int by_id(const void *key, const void *object)
{
	uint32_t id = *(const uint32_t *)key, other = ((const struct btf_object *)object)->id;

	return (id > other) - (id < other);
}

/* The object that the number tells; NULL: none. */
static struct btf_object *find(struct btf_objects *objects, struct program_number btf_id)
{
	uint32_t id = (uint32_t)btf_id.value;

	if (!btf_id.known || !id || !objects->n)
		return NULL;
	return bsearch(&id, objects->all, objects->n, sizeof(*objects->all), by_id);
}

static bool add(uint32_t **ids, size_t *n, uint32_t id)
{
	uint32_t *p = reallocarray(*ids, *n + 1, sizeof(*p));

	if (!p)
		return false;
	*ids = p;
	p[(*n)++] = id;
	return true;
}

bool btf_objects_find_users(struct btf_objects *objects, const struct programs *programs,
			    const struct maps *maps)
{
	bool ok = true;

	for (size_t i = 0; i < programs->n && ok; i++) {
		struct btf_object *object = find(objects, programs->all[i].btf_id);

		ok = !object || add(&object->prog_ids, &object->n_prog_ids, programs->all[i].id);
	}
	for (size_t i = 0; i < maps->n && ok; i++) {
		struct btf_object *object = find(objects, maps->all[i].btf_id);

		ok = !object || add(&object->map_ids, &object->n_map_ids, maps->all[i].id);
	}
	return ok;
}
