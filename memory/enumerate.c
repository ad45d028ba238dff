// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "memory/pagetable_impl.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/*
 * Bounds on what a guest can make us do. A linear map of 64 GB in pages of 4 KiB takes 128 MB of
 * tables; real kernels map larger ones in larger pages.
 */
#define MAX_TABLE_BYTES (UINT64_C(128) << 20)
#define MAX_RANGES      1000000
/* A real page table may use one table twice (espfix64 of x86-64). More often maps only the same. */
#define MAX_SHARED 8
/* Bytes of tables that are read at once. */
#define BATCH_BYTES (UINT64_C(4) << 20)

/* A table to look through. */
struct task {
	struct arch_table table;
	uint64_t base; /* of its first entry, translated bits only */
	bool writable, executable;
	bool dropped;
};

struct tasks {
	KT_VEC(struct task) all;
};

static void tasks_deinit(struct tasks *tasks)
{
	kt_vec_free(&tasks->all);
}

struct enumeration {
	struct pagetable *pt;
	uint64_t first, last; /* translated bits only */
	unsigned int lowest;  /* the level where it ends */
	unsigned int level;   /* that is read now */
	struct tasks next;    /* the tables of the level below */
	uint64_t table_bytes;
	struct pagetable_ranges *ranges;
};

void pagetable_ranges_deinit(struct pagetable_ranges *ranges)
{
	kt_vec_free(&ranges->all);
}

/* The part of [*first, *last] that can be mapped, as translated bits. False: none of it. */
static bool bounds_clamp(const struct arch_space *space, uint64_t *first, uint64_t *last)
{
	unsigned int bits = arch_space_bits(space);
	uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
	uint64_t high = UINT64_MAX << (bits - 1);
	uint64_t lowest = space->form == ARCH_FORM_HIGH    ? ~mask
			  : space->form == ARCH_FORM_FIXED ? space->fixed & ~mask
							   : 0;
	uint64_t highest = space->form == ARCH_FORM_LOW     ? mask
			   : space->form == ARCH_FORM_FIXED ? lowest | mask
							    : UINT64_MAX;

	if (space->form == ARCH_FORM_SIGNED) {
		/* The hole between the halves. */
		if (*first > mask >> 1 && *first < high)
			*first = high;
		if (*last > mask >> 1 && *last < high)
			*last = mask >> 1;
	}
	if (*first < lowest)
		*first = lowest;
	if (*last > highest)
		*last = highest;
	if (*first > *last)
		return false;
	*first &= mask;
	*last &= mask;
	return true;
}

/* The entries of a table that [first, last] needs: [*lo_ret, *hi_ret]. False: none. */
static bool task_entries(const struct enumeration *e, const struct task *task, uint64_t *lo_ret,
			 uint64_t *hi_ret)
{
	const struct arch_level *l = &e->pt->space.level[e->level - 1];
	uint64_t lo = task->table.first, hi = (UINT64_C(1) << l->bits) - 1;

	if (task->table.count && hi > lo + task->table.count - 1)
		hi = lo + task->table.count - 1;
	if (e->last < task->base)
		return false;
	if (e->first > task->base && lo < (e->first - task->base) >> l->shift)
		lo = (e->first - task->base) >> l->shift;
	if (hi > (e->last - task->base) >> l->shift)
		hi = (e->last - task->base) >> l->shift;
	*lo_ret = lo;
	*hi_ret = hi;
	return lo <= hi;
}

/* b continues a. */
static bool range_joins(const struct pagetable_range *a, const struct pagetable_range *b)
{
	return a->virtual + a->len == b->virtual && a->writable == b->writable &&
	       a->executable == b->executable && a->below == b->below &&
	       (a->below || a->physical + a->len == b->physical);
}

static struct kt_error *range_add(struct enumeration *e, const struct pagetable_range *range)
{
	struct pagetable_ranges *ranges = e->ranges;
	struct pagetable_range *prev = ranges->all.len ? &ranges->all.data[ranges->all.len - 1]
						       : NULL;

	if (prev && range_joins(prev, range)) {
		prev->len += range->len;
		return NULL;
	}
	if (ranges->all.len == MAX_RANGES) {
		ranges->cut = true;
		return NULL;
	}
	return kt_vec_push(&ranges->all, *range) ? NULL : kt_error_no_memory();
}

/* What of [first, last] is in the linear range, where the access rights are not known. */
static struct kt_error *range_add_linear(struct enumeration *e, gaddr_t first, gaddr_t last)
{
	const struct arch_space *space = &e->pt->space;
	struct pagetable_range range = {.virtual = first};
	gaddr_t end = space->linear + (space->linear_len - 1);

	if (!space->linear_len || last < space->linear || first > end)
		return NULL;
	range.virtual = first > space->linear ? first : space->linear;
	range.physical = range.virtual - space->linear;
	range.len = (last < end ? last : end) - range.virtual + 1;
	return range_add(e, &range);
}

static struct kt_error *entry_take(struct enumeration *e, const struct task *task, uint64_t index,
				   uint64_t value)
{
	const struct arch_space *space = &e->pt->space;
	uint64_t size = UINT64_C(1) << space->level[e->level - 1].shift;
	uint64_t base = task->base + index * size;
	struct arch_entry entry = e->pt->arch->entry(space, e->level, value);
	struct pagetable_range range = {
		.virtual = arch_space_complete(space, base),
		.len = size,
		.writable = entry.writable && task->writable,
		.executable = entry.executable && task->executable,
		.below = entry.kind == ARCH_ENTRY_TABLE,
	};
	gaddr_t linear;

	if (entry.kind == ARCH_ENTRY_NONE)
		return NULL;
	/* Translation does not ask the table there, and nor does range_add_linear(). */
	if (entry.kind == ARCH_ENTRY_LEAF && arch_space_linear(space, range.virtual, &linear))
		return NULL;
	if (entry.kind == ARCH_ENTRY_TABLE && e->level > e->lowest)
		return kt_vec_push(&e->next.all,
				   (struct task){
					   .table = entry.table,
					   .base = base,
					   .writable = range.writable,
					   .executable = range.executable,
				   })
			       ? NULL
			       : kt_error_no_memory();
	if (entry.kind == ARCH_ENTRY_LEAF) {
		uint64_t page = entry.leaf_shift ? UINT64_C(1) << entry.leaf_shift : size;

		range.physical = entry.table.addr | (base & (page - 1));
	}
	return range_add(e, &range);
}

static int task_compare(const void *a, const void *b)
{
	const struct task *const *x = a, *const *y = b;

	if ((*x)->table.addr != (*y)->table.addr)
		return (*x)->table.addr < (*y)->table.addr ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

/* Drops what is above MAX_SHARED tasks for one table. */
static struct kt_error *tasks_drop_shared(struct tasks *tasks)
{
	_cleanup_free_ struct task **sorted = malloc((tasks->all.len + 1) * sizeof(*sorted));
	size_t same = 0;

	if (!sorted)
		return kt_error_no_memory();
	for (size_t i = 0; i < tasks->all.len; i++)
		sorted[i] = &tasks->all.data[i];
	qsort(sorted, tasks->all.len, sizeof(*sorted), task_compare);
	for (size_t i = 0; i < tasks->all.len; i++) {
		same = i && sorted[i]->table.addr == sorted[i - 1]->table.addr ? same + 1 : 0;
		sorted[i]->dropped = same >= MAX_SHARED;
	}
	return NULL;
}

/* Looks through the tables from *at on, as many as one batch takes; *at moves behind them. */
static struct kt_error *level_batch(struct enumeration *e, const struct tasks *tasks, size_t *at)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	unsigned int size = e->pt->arch->entry_size;
	_cleanup_free_ uint8_t *data = malloc(BATCH_BYTES);
	uint64_t used = 0, lo, hi;
	size_t begin = *at, piece = 0;
	struct kt_error *err;

	if (!data)
		return kt_error_no_memory();
	for (; *at < tasks->all.len; (*at)++) {
		const struct task *task = &tasks->all.data[*at];

		if (task->dropped || !task_entries(e, task, &lo, &hi))
			continue;
		/* The largest table has 64 KiB, so that one always fits. */
		if (used + (hi - lo + 1) * size > BATCH_BYTES)
			break;
		if (!gmem_batch_add(&batch, task->table.addr + lo * size, data + used,
				    (size_t)(hi - lo + 1) * size))
			return kt_error_no_memory();
		used += (hi - lo + 1) * size;
	}
	e->table_bytes += used;
	err = gmem_batch_read(&batch, e->pt->physical.read, e->pt->physical.source);
	for (size_t i = begin; !err && i < *at; i++) {
		const struct task *task = &tasks->all.data[i];
		const struct gmem_read *read;

		if (task->dropped || !task_entries(e, task, &lo, &hi))
			continue;
		read = &batch.reads.data[piece++];
		for (uint64_t k = lo; !read->fault && !err && k <= hi; k++)
			err = entry_take(e, task, k,
					 kt_load_uint((uint8_t *)read->buf + (k - lo) * size, size,
						      e->pt->big_endian));
	}
	return err;
}

static struct kt_error *level_take(struct enumeration *e, struct tasks *tasks)
{
	struct kt_error *err = tasks_drop_shared(tasks);

	for (size_t at = 0; !err && at < tasks->all.len;) {
		if (e->table_bytes >= MAX_TABLE_BYTES) {
			e->ranges->cut = true;
			break;
		}
		err = level_batch(e, tasks, &at);
	}
	return err;
}

static int range_compare(const void *a, const void *b)
{
	const struct pagetable_range *x = a, *y = b;

	return (x->virtual > y->virtual) - (x->virtual < y->virtual);
}

/* Ranges came level by level: sorts them by address, and joins neighbours. */
static void ranges_order(struct pagetable_ranges *ranges)
{
	size_t n = 0;

	if (!ranges->all.len)
		return;
	qsort(ranges->all.data, ranges->all.len, sizeof(*ranges->all.data), range_compare);
	for (size_t i = 1; i < ranges->all.len; i++) {
		if (range_joins(&ranges->all.data[n], &ranges->all.data[i]))
			ranges->all.data[n].len += ranges->all.data[i].len;
		else
			ranges->all.data[++n] = ranges->all.data[i];
	}
	ranges->all.len = n + 1;
}

struct kt_error *pagetable_enumerate(struct pagetable *pt, gaddr_t first, gaddr_t last,
				     unsigned int lowest, struct pagetable_ranges *ret)
{
	struct pagetable_ranges ranges = {0};
	struct enumeration e = {.pt = pt, .lowest = lowest, .ranges = &ranges};
	struct tasks tasks = {0};
	struct kt_error *err = range_add_linear(&e, first, last);

	if (err || !pt->space.levels || !bounds_clamp(&pt->space, &first, &last)) {
		*ret = ranges;
		return err;
	}
	e.first = first;
	e.last = last;
	if (!kt_vec_push(&tasks.all, (struct task){.table = pt->space.root,
						   .writable = true,
						   .executable = true}))
		err = kt_error_no_memory();
	for (e.level = pt->space.levels; !err && e.level >= lowest && e.level > 0; e.level--) {
		err = level_take(&e, &tasks);
		tasks_deinit(&tasks);
		tasks = e.next;
		e.next = (struct tasks){0};
	}
	tasks_deinit(&tasks);
	if (err) {
		pagetable_ranges_deinit(&ranges);
		return err;
	}
	ranges_order(&ranges);
	*ret = ranges;
	return NULL;
}
