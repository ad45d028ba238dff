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
