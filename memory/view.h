/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A walker's view of a kernel structure: a short table of the members that it needs. The table
 * gives the questions to the kernel image, the reads (only the bytes of those members) and the
 * values.
 *
 *	enum { NODE_SHIFT, NODE_SLOTS };
 *	static const struct view_field node_fields[] = {
 *		[NODE_SHIFT] = {"shift"},
 *		[NODE_SLOTS] = {"slots"},
 *	};
 *	static const struct view_type node_type = VIEW_TYPE("xa_node", node_fields);
 */
#ifndef KT_MEMORY_VIEW_H
#define KT_MEMORY_VIEW_H

#include "btf/facts.h"
#include "memory/memory.h"

#define VIEW_MAX_FIELDS 24

struct view_field {
	const char *path; /* of the member, as for KFACTS_MEMBER */
	bool optional;    /* not in every kernel: view_has() tells */
	uint32_t max;     /* bytes to read of an array or struct; 0: at most 8 */
};

struct view_type {
	const char *name; /* the struct's */
	const struct view_field *fields;
	size_t n_fields;
};

#define VIEW_TYPE(type_name, table)                                                                \
	{                                                                                          \
		.name = (type_name), .fields = (table),                                            \
		.n_fields = sizeof(table) / sizeof((table)[0])                                     \
	}

struct wants {
	KT_VEC(struct kfacts_want) v;
};

void wants_deinit(struct wants *wants);

/* One want. False: no memory. */
bool wants_add(struct wants *wants, enum kfacts_kind kind, const char *name, const char *path,
	       bool optional);

/* A want for each member. All are optional: view_init() tells which one is missing. */
bool view_wants(const struct view_type *type, struct wants *wants);

/*
 * A view resolved for one kernel. An image is what view_read() fills for one object: the
 * spans, one behind the other; members that lie close together share a span.
 */
struct view {
	const struct view_type *type;
	bool big_endian;
	size_t size; /* bytes of an image */
	struct {
		bool present;
		struct kfacts_member member;
		uint32_t len; /* bytes read of it */
		size_t image; /* its offset in an image */
	} fields[VIEW_MAX_FIELDS];
	struct {
		uint32_t offset; /* in the object */
		uint32_t len;
	} spans[VIEW_MAX_FIELDS];
	size_t n_spans;
};

/* KT_ERROR_NOT_FOUND names the required member that this kernel does not have. */
struct kt_error *view_init(struct view *view, const struct view_type *type,
			   const struct kfacts *facts);

/* The same for a view that not every kernel has. False: this one does not. */
bool view_try(struct view *view, const struct view_type *type, const struct kfacts *facts);

/* The same for members whose places something else than the facts knows. */
typedef bool view_member_fn(const void *arg, const char *type, const char *path,
			    struct kfacts_member *ret);
bool view_try_by(struct view *view, const struct view_type *type, bool big_endian,
		 view_member_fn *find, const void *arg);

/* Adds the reads of one object at addr. image has view->size bytes. False: no memory. */
bool view_read(const struct view *view, struct gmem_batch *batch, gaddr_t addr, void *image);

bool view_has(const struct view *view, unsigned int field);

/* The value of an integer, pointer, enum or bit field; 0 for one that is not there. */
uint64_t view_uint(const struct view *view, const void *image, unsigned int field);

/* The bytes that were read of an array or struct; NULL for one that is not there. */
const void *view_bytes(const struct view *view, const void *image, unsigned int field,
		       size_t *len_ret);

#endif
