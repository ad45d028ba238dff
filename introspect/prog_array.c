// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "introspect/prog_array.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define POINTER_SIZE 8 /* 64-bit kernels */
#define PAGE         4096
#define PIECE        8 /* items that are read at once */

/* More than any machine has: in one array (64 a cgroup, and its ancestors'), and in all together.
 */
#define MAX_IN_ONE 4096
#define MAX_PROGS  1000000

bool prog_arrays_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_MEMBER, "bpf_prog_array", "items", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_prog_array_item", "prog", true) &&
	       wants_add(wants, KFACTS_SIZE, "bpf_prog_array_item", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "dummy_bpf_prog", NULL, true);
}

void prog_arrays_deinit(struct prog_arrays *arrays)
{
	kt_vec_for_each (&arrays->v, array)
		free(array->progs);
	kt_vec_free(&arrays->v);
}

bool prog_arrays_add(struct prog_arrays *arrays, gaddr_t addr)
{
	return !addr || kt_vec_push(&arrays->v, (struct prog_array){.addr = addr});
}

static int by_addr(const void *a, const void *b)
{
	gaddr_t x = ((const struct prog_array *)a)->addr, y = ((const struct prog_array *)b)->addr;

	return (x > y) - (x < y);
}

static void keep_one_of_each(struct prog_arrays *arrays)
{
	size_t kept = 0;

	if (arrays->v.len)
		qsort(arrays->v.data, arrays->v.len, sizeof(*arrays->v.data), by_addr);
	for (size_t i = 0; i < arrays->v.len; i++)
		if (!kept || arrays->v.data[i].addr != arrays->v.data[kept - 1].addr)
			arrays->v.data[kept++] = arrays->v.data[i];
	arrays->v.len = kept;
}

/* How one kernel lays them out. */
struct layout {
	uint64_t items, item_size, prog; /* offsets and sizes in bytes */
	gaddr_t dummy; /* what bpf_prog_array_delete_safe() leaves; 0: not known, or none */
	bool big_endian;
	size_t left; /* of MAX_PROGS */
};

static bool layout_init(struct layout *layout, const struct guest *guest)
{
	const struct kfacts *facts = guest_facts(guest);
	struct kfacts_member items, prog;

	*layout = (struct layout){.big_endian = kfacts_kernel(facts)->big_endian,
				  .left = MAX_PROGS};
	if (!kfacts_member(facts, "bpf_prog_array", "items", &items) ||
	    !kfacts_member(facts, "bpf_prog_array_item", "prog", &prog) ||
	    !kfacts_size(facts, "bpf_prog_array_item", &layout->item_size) ||
	    prog.size != POINTER_SIZE || layout->item_size < prog.offset + POINTER_SIZE ||
	    layout->item_size > PAGE / PIECE)
		return false;
	layout->items = items.offset;
	layout->prog = prog.offset;
	if (!guest_symbol(guest, "dummy_bpf_prog", &layout->dummy))
		layout->dummy = 0;
	return true;
}

/* The items of a piece: those up to the end of a page, since the array may end there, or one. */
static size_t piece_items(const struct layout *layout, gaddr_t addr)
{
	size_t n = (size_t)((PAGE - addr % PAGE) / layout->item_size);

	return !n ? 1 : n < PIECE ? n : PIECE;
}

static struct kt_error *take(struct layout *layout, struct prog_array *array, const uint8_t *piece,
			     size_t n)
{
	for (size_t i = 0; i < n && !array->over; i++) {
		gaddr_t prog = kt_load_uint(piece + i * layout->item_size + layout->prog,
					    POINTER_SIZE, layout->big_endian);
		gaddr_t *progs;

		array->over = !prog;
		if (!prog)
			break;
		if (!layout->left || array->n_items >= MAX_IN_ONE) {
			array->over = array->damaged = true;
			break;
		}
		array->n_items++;
		layout->left--;
		if (prog == layout->dummy)
			continue;
		progs = reallocarray(array->progs, array->n + 1, sizeof(*progs));
		if (!progs)
			return kt_error_no_memory();
		array->progs = progs;
		array->progs[array->n++] = prog;
	}
	return NULL;
}

/* The next piece of each array that is not over, which is at at[]. */
static struct kt_error *read_turn(struct prog_arrays *arrays, struct guest *guest,
				  struct layout *layout, gaddr_t *at, bool *more)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t size = PIECE * layout->item_size, piece = 0;
	_cleanup_free_ uint8_t *pieces = calloc(arrays->v.len + 1, size);
	struct kt_error *err = NULL;

	if (!pieces)
		return kt_error_no_memory();
	for (size_t i = 0; i < arrays->v.len; i++)
		if (!arrays->v.data[i].over &&
		    !gmem_batch_add(&batch, at[i], pieces + i * size,
				    piece_items(layout, at[i]) * layout->item_size))
			return kt_error_no_memory();
	*more = batch.reads.len;
	if (*more)
		err = guest_read(guest, &batch);
	for (size_t i = 0; i < arrays->v.len && !err; i++) {
		struct prog_array *array = &arrays->v.data[i];
		size_t n = piece_items(layout, at[i]);

		if (array->over)
			continue;
		if (batch.reads.data[piece++].fault)
			array->over = array->damaged = true;
		else
			err = take(layout, array, pieces + i * size, n);
		at[i] += n * layout->item_size;
	}
	return err;
}

struct kt_error *prog_arrays_read(struct prog_arrays *arrays, struct guest *guest)
{
	struct kt_error *err = NULL;
	_cleanup_free_ gaddr_t *at = NULL;
	struct layout layout;
	bool more = true;

	keep_one_of_each(arrays);
	if (!layout_init(&layout, guest)) {
		kt_vec_for_each (&arrays->v, array)
			array->damaged = true;
		return NULL;
	}
	at = calloc(arrays->v.len + 1, sizeof(*at));
	if (!at)
		return kt_error_no_memory();
	for (size_t i = 0; i < arrays->v.len; i++)
		at[i] = arrays->v.data[i].addr + layout.items;
	while (more && !err)
		err = read_turn(arrays, guest, &layout, at, &more);
	return err;
}

const struct prog_array *prog_arrays_find(const struct prog_arrays *arrays, gaddr_t addr)
{
	struct prog_array key = {.addr = addr};

	return arrays->v.len ? bsearch(&key, arrays->v.data, arrays->v.len, sizeof(*arrays->v.data),
				       by_addr)
			     : NULL;
}
