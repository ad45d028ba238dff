// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "memory/object.h"
#include "util/cleanup.h"

struct kt_error *object_begin(struct object *object, const struct view *view, gaddr_t addr,
			      struct gmem_batch *batch)
{
	if (!addr)
		return NULL;
	object->image = calloc(1, view->size);
	object->first = batch->reads.len;
	if (!object->image || !view_read(view, batch, addr, object->image))
		return kt_error_no_memory();
	object->end = batch->reads.len;
	object->known = true;
	return NULL;
}

void object_end(struct object *object, const struct gmem_batch *done)
{
	/* The pieces of an unknown object may be those of an earlier batch. */
	object->known = object->known && !gmem_batch_fault(done, object->first, object->end);
}

struct kt_error *object_read(struct object *object, const struct view *view, gaddr_t addr,
			     const struct gmem *memory)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = object_begin(object, view, addr, &batch);

	if (!err)
		err = gmem_batch_read(&batch, memory->read, memory->source);
	if (err)
		return err;
	object_end(object, &batch);
	return NULL;
}

void object_deinit(struct object *object)
{
	free(object->image);
	*object = (struct object){0};
}

void objects_deinit(struct objects *objects)
{
	free(objects->images);
	free(objects->known);
	*objects = (struct objects){0};
}

struct kt_error *objects_read(const struct gmem *memory, const struct view *view,
			      const gaddr_t *addrs, size_t n, struct objects *ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;
	size_t piece = 0;

	*ret = (struct objects){.view = view, .n = n};
	ret->images = calloc(n + 1, view->size);
	ret->known = calloc(n + 1, sizeof(*ret->known));
	if (!ret->images || !ret->known)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (addrs[i] && !view_read(view, &batch, addrs[i], ret->images + i * view->size))
			return kt_error_no_memory();
	if (!batch.reads.len)
		return NULL;
	err = gmem_batch_read(&batch, memory->read, memory->source);
	for (size_t i = 0; i < n && !err; i++)
		if (addrs[i]) {
			ret->known[i] = !gmem_batch_fault(&batch, piece, piece + view->n_spans);
			piece += view->n_spans;
		}
	return err;
}

const uint8_t *objects_image(const struct objects *objects, size_t i)
{
	return objects->known && objects->known[i] ? objects->images + i * objects->view->size
						   : NULL;
}

uint64_t objects_uint(const struct objects *objects, size_t i, unsigned int field)
{
	const uint8_t *image = objects_image(objects, i);

	return image ? view_uint(objects->view, image, field) : 0;
}
