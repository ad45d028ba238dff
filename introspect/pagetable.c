// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "introspect/pagetable.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* Entries are read and kept a cache line at a time: a vmalloc area's neighbours come along. */
#define LINE_SIZE 64
#define LINE_FREE UINT64_MAX

/*
 * A bound on what a guest can make us read in one stop: 1,000,000 lines are 64 MB of page
 * tables, far above the 40,000 that 10,000 scattered programs need.
 */
#define MAX_LINES 1000000

struct line {
	gaddr_t addr; /* physical, a multiple of LINE_SIZE; LINE_FREE: an empty slot */
	bool fault;
	uint8_t data[LINE_SIZE];
};

struct pagetable {
	const struct arch *arch;
	bool big_endian;
	struct arch_space space;
	gmem_read_fn *read_physical;
	void *source;
	struct line *lines; /* open addressing; a power of two slots */
	uint64_t salt;      /* of the hash, so that a guest cannot choose what collides */
	size_t n_slots, n_lines;
};

static void lines_clear(struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		lines[i].addr = LINE_FREE;
}

struct kt_error *pagetable_create(const struct arch *arch, bool big_endian,
				  const struct arch_space *space, gmem_read_fn *read_physical,
				  void *source, struct pagetable **ret)
{
	struct pagetable *pt = calloc(1, sizeof(*pt));

	if (!pt)
		return kt_error_no_memory();
	pt->n_slots = 256;
	pt->lines = malloc(pt->n_slots * sizeof(*pt->lines));
	if (!pt->lines) {
		free(pt);
		return kt_error_no_memory();
	}
	lines_clear(pt->lines, pt->n_slots);
	if (getrandom(&pt->salt, sizeof(pt->salt), GRND_NONBLOCK) != sizeof(pt->salt))
		pt->salt = UINT64_C(0x9e3779b97f4a7c15);
	pt->salt |= 1; /* an odd factor loses no bits */
	pt->arch = arch;
	pt->big_endian = big_endian;
	pt->space = *space;
	pt->read_physical = read_physical;
	pt->source = source;
	*ret = pt;
	return NULL;
}

void pagetable_destroy(struct pagetable *pt)
{
	if (!pt)
		return;
	free(pt->lines);
	free(pt);
}

/* The line's slot, or the empty one where it belongs. */
static struct line *line_slot(const struct pagetable *pt, struct line *lines, size_t n_slots,
			      gaddr_t addr)
{
	size_t i = (size_t)(addr / LINE_SIZE * pt->salt >> 20) & (n_slots - 1);

	while (lines[i].addr != LINE_FREE && lines[i].addr != addr)
		i = (i + 1) & (n_slots - 1);
	return &lines[i];
}

/* Makes room for n more lines, so that slots do not move while a level is read. */
static struct kt_error *lines_reserve(struct pagetable *pt, size_t n)
{
	size_t want = pt->n_slots;
	struct line *lines;

	if (n > MAX_LINES || pt->n_lines + n > MAX_LINES)
		return kt_error_new(KT_ERROR_FORMAT,
				    "the guest's page tables are larger than any real ones");
	while (pt->n_lines + n > want / 2)
		want *= 2;
	if (want == pt->n_slots)
		return NULL;
	lines = malloc(want * sizeof(*lines));
	if (!lines)
		return kt_error_no_memory();
	lines_clear(lines, want);
	for (size_t i = 0; i < pt->n_slots; i++)
		if (pt->lines[i].addr != LINE_FREE)
			*line_slot(pt, lines, want, pt->lines[i].addr) = pt->lines[i];
	free(pt->lines);
	pt->lines = lines;
	pt->n_slots = want;
	return NULL;
}

/* Where one query stands in the walk. */
struct step {
	gaddr_t table;
	bool done;
};

static gaddr_t entry_addr(const struct pagetable *pt, const struct step *step, gaddr_t va,
			  unsigned int level)
{
	uint64_t index = va >> pt->arch->shift(level) & ((UINT64_C(1) << pt->arch->index_bits) - 1);

	return step->table + index * pt->arch->entry_size;
}

/* Reads the entries of this level that are not known yet, all in one batch. */
static struct kt_error *level_fetch(struct pagetable *pt, const struct pagetable_query *queries,
				    const struct step *steps, size_t count, unsigned int level)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = lines_reserve(pt, count);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		gaddr_t addr;
		struct line *line;

		if (steps[i].done)
			continue;
		addr = entry_addr(pt, &steps[i], queries[i].virtual, level) &
		       ~(gaddr_t)(LINE_SIZE - 1);
		line = line_slot(pt, pt->lines, pt->n_slots, addr);
		if (line->addr == addr)
			continue;
		line->addr = addr;
		line->fault = true;
		pt->n_lines++;
		if (!gmem_batch_add(&batch, addr, line->data, LINE_SIZE))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, pt->read_physical, pt->source);
	if (err)
		return err;
	kt_vec_for_each (&batch.reads, read)
		line_slot(pt, pt->lines, pt->n_slots, read->addr)->fault = read->fault;
	return NULL;
}

static void level_step(const struct pagetable *pt, struct pagetable_query *query, struct step *step,
		       unsigned int level)
{
	gaddr_t addr = entry_addr(pt, step, query->virtual, level);
	const struct line *line = line_slot(pt, pt->lines, pt->n_slots,
					    addr & ~(gaddr_t)(LINE_SIZE - 1));
	uint64_t page = UINT64_C(1) << pt->arch->shift(level);
	gaddr_t next = 0;
	uint64_t entry;

	if (line->fault) {
		step->done = true;
		return;
	}
	entry = kt_load_uint(line->data + addr % LINE_SIZE, pt->arch->entry_size, pt->big_endian);
	switch (pt->arch->entry(level, entry, &next)) {
	case ARCH_ENTRY_NONE: step->done = true; break;
	case ARCH_ENTRY_TABLE: step->table = next; break;
	case ARCH_ENTRY_LEAF:
		query->physical = next | (query->virtual & (page - 1));
		query->left = page - (query->virtual & (page - 1));
		query->mapped = true;
		step->done = true;
		break;
	}
}

/* Walks down to the lowest level; where a table is below that, its address is in steps. */
static struct kt_error *walk_down(struct pagetable *pt, struct pagetable_query *queries,
				  struct step *steps, size_t count, unsigned int lowest)
{
	for (size_t i = 0; i < count; i++) {
		steps[i] = (struct step){
			.table = pt->space.root,
			.done = !pt->arch->canonical(&pt->space, queries[i].virtual),
		};
		queries[i].mapped = false;
	}
	for (unsigned int level = pt->space.levels; level >= lowest; level--) {
		struct kt_error *err = level_fetch(pt, queries, steps, count, level);

		if (err)
			return err;
		for (size_t i = 0; i < count; i++)
			if (!steps[i].done)
				level_step(pt, &queries[i], &steps[i], level);
	}
	return NULL;
}

struct kt_error *pagetable_translate(struct pagetable *pt, struct pagetable_query *queries,
				     size_t count)
{
	_cleanup_free_ struct step *steps = malloc((count + 1) * sizeof(*steps));

	if (!steps)
		return kt_error_no_memory();
	return walk_down(pt, queries, steps, count, 1);
}

struct kt_error *pagetable_probe(struct pagetable *pt, struct pagetable_query *queries,
				 size_t count, unsigned int level)
{
	_cleanup_free_ struct step *steps = malloc((count + 1) * sizeof(*steps));
	struct kt_error *err;

	if (!steps)
		return kt_error_no_memory();
	err = walk_down(pt, queries, steps, count, level);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		queries[i].mapped |= !steps[i].done;
	return NULL;
}

#define PAGE_SIZE UINT64_C(4096)

/* The pieces of the reads, cut where a page ends. */
struct pieces {
	KT_VEC(struct pagetable_query) queries;
	KT_VEC(size_t) owners; /* the read that a query belongs to */
};

static void pieces_deinit(struct pieces *p)
{
	kt_vec_free(&p->queries);
	kt_vec_free(&p->owners);
}

static bool pieces_cut(struct pieces *p, const struct gmem_read *reads, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (uint64_t done = 0; done < reads[i].len;) {
			gaddr_t va = reads[i].addr + done;

			if (!kt_vec_push(&p->queries, (struct pagetable_query){.virtual = va}) ||
			    !kt_vec_push(&p->owners, i))
				return false;
			done += PAGE_SIZE - va % PAGE_SIZE;
		}
	}
	return true;
}

struct kt_error *pagetable_read(void *source, struct gmem_read *reads, size_t count)
{
	_cleanup_(pieces_deinit) struct pieces pieces = {0};
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct pagetable *pt = source;
	struct kt_error *err;

	if (!pieces_cut(&pieces, reads, count))
		return kt_error_no_memory();
	err = pagetable_translate(pt, pieces.queries.data, pieces.queries.len);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		reads[i].fault = false;
	for (size_t i = 0; i < pieces.queries.len; i++) {
		const struct pagetable_query *q = &pieces.queries.data[i];
		struct gmem_read *read = &reads[pieces.owners.data[i]];
		uint64_t offset = q->virtual - read->addr;
		uint64_t len = PAGE_SIZE - q->virtual % PAGE_SIZE;

		if (len > read->len - offset)
			len = read->len - offset;
		if (!q->mapped)
			read->fault = true;
		else if (!gmem_batch_add(&batch, q->physical, (uint8_t *)read->buf + offset,
					 (size_t)len))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, pt->read_physical, pt->source);
	if (err)
		return err;
	/* The batch holds the mapped pieces in the order of the queries. */
	for (size_t i = 0, j = 0; i < pieces.queries.len; i++)
		if (pieces.queries.data[i].mapped && batch.reads.data[j++].fault)
			reads[pieces.owners.data[i]].fault = true;
	return NULL;
}
