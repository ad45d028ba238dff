/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One object of the guest, read as a part of a batch that others share. Reading takes two calls:
 * object_begin() adds to the batch, object_end() looks at the batch after it was read.
 */
#ifndef KT_MEMORY_OBJECT_H
#define KT_MEMORY_OBJECT_H

#include "memory/view.h"

struct object {
	uint8_t *image;    /* of the view; NULL: not begun, or a null pointer led to it */
	size_t first, end; /* its pieces of the batch */
	bool known;        /* all of it could be read so far */
};

/* Adds the reads of the object at addr. A null pointer leaves it unknown, and is no error. */
struct kt_error *object_begin(struct object *object, const struct view *view, gaddr_t addr,
			      struct gmem_batch *batch);
void object_end(struct object *object, const struct gmem_batch *done);

/* Both, in one round trip of its own; none for a null pointer. */
struct kt_error *object_read(struct object *object, const struct view *view, gaddr_t addr,
			     const struct gmem *memory);
void object_deinit(struct object *object);

/* Many objects of one view. */
struct objects {
	const struct view *view;
	size_t n;
	uint8_t *images; /* of n objects */
	bool *known;     /* of each: it could be read */
};

/*
 * Reads the n objects at addrs in one round trip; a null pointer is an object that is not known.
 * The view must outlive *ret, which is for objects_deinit() after an error, too.
 */
struct kt_error *objects_read(const struct gmem *memory, const struct view *view,
			      const gaddr_t *addrs, size_t n, struct objects *ret);
void objects_deinit(struct objects *objects);

/* The image of one; NULL: not known. */
const uint8_t *objects_image(const struct objects *objects, size_t i);
/* A value of one; 0 if it is not known. */
uint64_t objects_uint(const struct objects *objects, size_t i, unsigned int field);

#endif
