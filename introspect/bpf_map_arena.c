// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Arenas (kernel/bpf/arena.c): pages that a program and user space share. An entry is a page that
 * is allocated. Since 6.13 a tree has the ranges that are free; in 6.9 to 6.12 the page is there or
 * not.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_dump_impl.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/vec.h"

#define PAGES_MAX (1u << 20) /* an arena has 4 GB at most */
#define NODES_MAX (PAGES_MAX / 2 + 1)
#define PROBES    8192 /* pages that are looked for in one stop */

enum { ARENA_START, ARENA_END, ARENA_VM, ARENA_FREE };
static const struct view_field arena_fields[] = {
	[ARENA_START] = {.path = "user_vm_start"},
	[ARENA_END] = {.path = "user_vm_end"},
	[ARENA_VM] = {.path = "kern_vm"},
	[ARENA_FREE] = {.path = "rt.it_root.rb_root.rb_node", .optional = true}, /* since 6.13 */
};
static const struct view_type arena_view = VIEW_TYPE("bpf_arena", arena_fields);

enum { FREE_LEFT, FREE_RIGHT, FREE_FIRST, FREE_LAST };
static const struct view_field free_fields[] = {
	[FREE_LEFT] = {.path = "rn_rbnode.rb_left"},
	[FREE_RIGHT] = {.path = "rn_rbnode.rb_right"},
	[FREE_FIRST] = {.path = "rn_start"},
	[FREE_LAST] = {.path = "rn_last"},
};
static const struct view_type free_view = VIEW_TYPE("range_node", free_fields);

bool map_arena_wants(struct wants *wants)
{
	return view_wants(&arena_view, wants) && view_wants(&free_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "range_node", "rn_rbnode", true) &&
	       wants_add(wants, KFACTS_MEMBER, "vm_struct", "addr", true);
}

struct arena {
	uint64_t start, pages, page_size;
	gaddr_t kernel; /* where the kernel has user address 0 of the low 32 bits */
	uint8_t *free;  /* a byte a page; NULL: nothing tells */
	uint64_t n_free;
};

/* The nodes of a tree, level by level. One that makes no sense costs what is below it. */
static struct kt_error *read_level(struct map_walk *walk, const struct view *view,
				   const gaddr_t *level, size_t n, gaddr_t *below, size_t *n_below,
				   struct arena *arena)
{
	_cleanup_free_ uint8_t *images = calloc(n + 1, view->size);
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	if (!images)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (!view_read(view, &batch, level[i], images + i * view->size))
			return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		const uint8_t *image = images + i * view->size;
		uint64_t first = view_uint(view, image, FREE_FIRST);
		uint64_t last = view_uint(view, image, FREE_LAST);
		gaddr_t left = view_uint(view, image, FREE_LEFT);
		gaddr_t right = view_uint(view, image, FREE_RIGHT);

		if (gmem_batch_fault(&batch, i * view->n_spans, (i + 1) * view->n_spans) ||
		    first > last || last >= arena->pages || arena->free[first] ||
		    last - first >= arena->pages - arena->n_free) {
			walk->out->n_unreadable++;
			continue;
		}
		arena->n_free += last - first + 1;
		memset(arena->free + first, 1, last - first + 1);
		if (left)
			below[(*n_below)++] = left;
		if (right)
			below[(*n_below)++] = right;
	}
	return err;
}

/*
 * Marks the pages that are free. A node is counted once, since its range is free by then; so no
 * circle goes on, and a level has no more nodes than the arena has pages.
 */
static struct kt_error *read_free(struct map_walk *walk, gaddr_t root, struct arena *arena)
{
	struct kfacts_member member;
	_cleanup_free_ gaddr_t *level = NULL, *below = NULL;
	struct view view;
	size_t n = 0;
	uint64_t left = NODES_MAX;
	struct kt_error *err = view_init(&view, &free_view, guest_facts(walk->guest));

	if (err)
		return err;
	if (!kfacts_member(guest_facts(walk->guest), "range_node", "rn_rbnode", &member))
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "this kernel's struct range_node has no rn_rbnode");
	arena->free = calloc(1, (size_t)arena->pages + 1);
	level = calloc(2 * NODES_MAX + 2, sizeof(*level));
	below = calloc(2 * NODES_MAX + 2, sizeof(*below));
	if (!arena->free || !level || !below)
		return kt_error_no_memory();
	if (root)
		level[n++] = root;
	while (n && !err) {
		size_t n_below = 0;
		gaddr_t *done = level;

		if (n > left)
			return map_walk_senseless(walk, "its list of free pages has no end");
		left -= n;
		for (size_t i = 0; i < n; i++)
			level[i] -= member.offset;
		err = read_level(walk, &view, level, n, below, &n_below, arena);
		level = below;
		below = done;
		n = n_below;
	}
	return err;
}

static struct kt_error *prepare(struct map_walk *walk, struct arena *arena)
{
	_cleanup_(object_deinit) struct object object = {0};
	uint64_t end, vm, guard;
	struct view view;
	bool there = false;
	struct kt_error *err = map_walk_head(walk, &arena_view, NULL, &view, &object, NULL);

	if (err)
		return err;
	arena->start = view_uint(&view, object.image, ARENA_START);
	end = view_uint(&view, object.image, ARENA_END);
	arena->pages = walk->max_entries;
	if (!arena->start) /* nobody has mapped it yet */
		return NULL;
	if (!arena->pages || arena->pages > PAGES_MAX || end <= arena->start)
		return map_walk_senseless(walk, "its range makes no sense");
	arena->page_size = (end - arena->start) / arena->pages;
	if (arena->page_size < 4096 || arena->page_size > 65536 ||
	    arena->page_size & (arena->page_size - 1))
		return map_walk_senseless(walk, "its range makes no sense");
	vm = view_uint(&view, object.image, ARENA_VM);
	err = map_walk_numbers(walk, "vm_struct", "addr", &vm, &vm, &there, 1);
	if (!err && !there)
		err = map_walk_fault(walk, "where its pages are is not mapped in the guest");
	if (err)
		return err;
	/* GUARD_SZ: what an instruction's offset reaches, in whole pairs of pages; a half before.
	 */
	guard = arena->page_size * 2 > 65536 ? arena->page_size * 2 : 65536;
	arena->kernel = vm + guard / 2;
	return view_has(&view, ARENA_FREE)
		       ? read_free(walk, view_uint(&view, object.image, ARENA_FREE), arena)
		       : NULL;
}

static uint64_t user_address(const struct arena *arena, uint64_t page)
{
	return arena->start + page * arena->page_size;
}

static gaddr_t kernel_address(const struct arena *arena, uint64_t page)
{
	return arena->kernel + (uint32_t)user_address(arena, page);
}

/* The pages from first on that are there, `room` at most. *next is behind the last one looked at.
 */
static struct kt_error *find_pages(struct map_walk *walk, const struct arena *arena, uint64_t *next,
				   uint64_t room, uint64_t *pages, size_t *n_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint64_t *tried = calloc(PROBES, sizeof(*tried));
	_cleanup_free_ uint8_t *bytes = calloc(PROBES, 1);
	uint64_t page = *next;
	size_t n = 0, found = 0;
	struct kt_error *err;

	if (!tried || !bytes)
		return kt_error_no_memory();
	for (; page < arena->pages && n < (arena->free ? room : PROBES); page++) {
		if (arena->free && arena->free[page])
			continue;
		tried[n] = page;
		if (!gmem_batch_add(&batch, kernel_address(arena, page), bytes + n, 1))
			return kt_error_no_memory();
		n++;
	}
	*next = page;
	err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		if (gmem_batch_fault(&batch, i, i + 1))
			continue;
		if (found == room) {
			*next = tried[i];
			break;
		}
		pages[found++] = tried[i];
	}
	*n_ret = found;
	return err;
}

struct kt_error *map_arena_read(struct map_walk *walk)
{
	static const struct map_fact_type types[] = {{"index", 0, 0}, {"addr", 0, 1}};
	struct arena arena = {0};
	_cleanup_free_ uint64_t *pages = NULL;
	_cleanup_free_ gaddr_t *addrs = NULL;
	uint64_t next = walk->order->first, room = 1;
	size_t n = 0;
	struct kt_error *err = prepare(walk, &arena);

	walk->out->facts_of = "page";
	walk->out->fact_types = types;
	walk->out->n_facts = sizeof(types) / sizeof(types[0]);
	walk->out->value_len = (size_t)arena.page_size;
	walk->out->size = arena.page_size * arena.pages;
	if (!err && walk->out->size > BPF_MAP_PIECE && !walk->order->large) {
		free(arena.free);
		return NULL;
	}
	if (!err)
		room = map_walk_part(walk, 0, PROBES);
	pages = calloc((size_t)room + 1, sizeof(*pages));
	addrs = calloc((size_t)room + 1, sizeof(*addrs));
	if (!err && (!pages || !addrs))
		err = kt_error_no_memory();
	if (!err && arena.page_size)
		err = find_pages(walk, &arena, &next, room, pages, &n);
	if (!err && !map_walk_grow(walk, n))
		err = kt_error_no_memory();
	for (size_t i = 0; i < n && !err; i++) {
		struct map_fact *facts = map_walk_facts(walk, i);

		facts[0] = (struct map_fact){true, pages[i], ""};
		facts[1] = (struct map_fact){true, user_address(&arena, pages[i]), ""};
		addrs[i] = kernel_address(&arena, pages[i]);
	}
	walk->out->next = next;
	walk->out->done = !arena.page_size || next >= arena.pages;
	free(arena.free);
	return err ? err : map_walk_values(walk, 0, addrs);
}
