/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The linked lists of a stopped guest: list_head, hlist_head, or a bare pointer to the next object.
 * All lists of one kind are followed at once, so that there are as many round trips as the longest
 * one has objects. With each object the fields of its view are read.
 *
 *	static const struct list_type devices = {&device_view, DEVICE_NEXT, .node = "dev_list"};
 */
#ifndef KT_MEMORY_LIST_H
#define KT_MEMORY_LIST_H

#include "memory/seen.h"
#include "memory/view.h"

struct list_type {
	const struct view_type *view;
	unsigned int next; /* the field that leads to the next object */
	/* The member that pointers lead to, "dev_list"; NULL: they lead to the object. */
	const char *node;
	/*
	 * Of a tree: the field with the first of an object's own children, and the list_head that
	 * it is in. Children are objects of the same list_type. NULL: there are none.
	 */
	unsigned int children;
	const char *children_head;
	bool is_nulls;     /* an odd pointer ends a list, as in include/linux/list_nulls.h */
	unsigned int prev; /* the field that leads back, for lists_add_both() */
};

#define LIST_NOBODY ((size_t)-1)

struct list_item {
	size_t owner;   /* as for lists_add(); in a tree the index of its parent in items */
	gaddr_t addr;   /* of the object */
	uint8_t *image; /* of the view */
	bool is_back;   /* of lists_add_both(): found from the end */
};

/* Where a list goes on. */
struct list_step {
	size_t owner;
	gaddr_t head; /* of a list_head; 0: the list ends with a null pointer */
	gaddr_t node;
	bool is_both, is_back;
};

struct list_steps {
	KT_VEC(struct list_step) v;
};

struct lists {
	const struct list_type *type;
	struct view view;
	uint32_t node_offset, children_offset;
	size_t max;
	/*
	 * What was found and could be read. The objects of one list are in its order; those of
	 * several lists are mixed.
	 */
	KT_VEC(struct list_item) items;
	size_t n_damaged; /* lists that end in what is not mapped, or that bite their tail */
	/*
	 * The caller may set it after lists_init(): as many objects of one list are read, one round
	 * trip each, and it ends there. 0: only max is a bound. n_cut lists were longer.
	 */
	size_t max_turns, n_cut;
	/* The owners of lists that max or max_turns ended; of one from both ends, for each end. */
	KT_VEC(size_t) cut;

	/* Internal. */
	struct list_steps now, next;
	struct seen seen;
};

/* False: no memory. */
bool list_wants(const struct list_type *type, struct wants *wants);

/*
 * max: of objects, in all lists together. False: this kernel does not have such lists. *ret is for
 * lists_deinit() in either case.
 */
bool lists_init(struct lists *ret, const struct list_type *type, const struct kfacts *facts,
		size_t max);
void lists_deinit(struct lists *lists);

/*
 * Adds a list. head: the address of its list_head, which its last object leads back to; 0: it ends
 * with a null pointer. first: the pointer to its first object. owner: the caller's, for its items.
 */
struct kt_error *lists_add(struct lists *lists, size_t owner, gaddr_t head, gaddr_t first);

/*
 * The same from both ends, which takes half as many round trips: items with is_back come from the
 * last one on. That both ends met, and where, is not looked at here, and is no damage: the pointers
 * of the last two items tell.
 */
struct kt_error *lists_add_both(struct lists *lists, size_t owner, gaddr_t head, gaddr_t first,
				gaddr_t last);

/* The object at that address itself, which is on no list, as the root of a tree. */
struct kt_error *lists_add_root(struct lists *lists, gaddr_t addr);

/*
 * Reads all lists that were added. Each object is read once, whatever leads to it: what leads to
 * one for the second time is damage, and ends there.
 */
struct kt_error *lists_read(struct lists *lists, const struct gmem *memory);

#endif
