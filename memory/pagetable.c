// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "memory/pagetable_impl.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* Entries are read and kept in lines of this size: neighbours in a vmalloc area come along. */
#define LINE_SIZE 64
#define LINE_FREE UINT64_MAX

/*
 * A bound on what a guest can make us read in one stop: 64 MB of page tables. 10,000 scattered
 * programs need 40,000 lines.
 */
#define MAX_LINES 1000000

struct pagetable_line {
	gaddr_t addr; /* physical, a multiple of LINE_SIZE; LINE_FREE: an empty slot */
	bool fault;
	uint8_t data[LINE_SIZE];
};

static void lines_clear(struct pagetable_line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		lines[i].addr = LINE_FREE;
}

struct kt_error *pagetable_create(const struct arch *arch, bool big_endian,
				  const struct arch_space *space, const struct gmem *physical,
				  struct pagetable **ret)
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
	pt->big_endian = big_endian || arch->entry_big_endian;
	pt->space = *space;
	pt->physical = *physical;
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

const struct arch *pagetable_arch(const struct pagetable *pt)
{
	return pt->arch;
}

const struct arch_space *pagetable_space(const struct pagetable *pt)
{
	return &pt->space;
}

/* The line's slot, or the empty one where it belongs. */
static struct pagetable_line *line_slot(const struct pagetable *pt, struct pagetable_line *lines,
					size_t n_slots, gaddr_t addr)
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
	struct pagetable_line *lines;

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

/* The state of one query in the walk. */
struct step {
	struct arch_table table;
	bool done;
};

/* False: the table has no such entry. */
static bool entry_addr(const struct pagetable *pt, const struct step *step, gaddr_t va,
		       unsigned int level, gaddr_t *ret)
{
	const struct arch_level *l = &pt->space.level[level - 1];
	uint64_t index = va >> l->shift & ((UINT64_C(1) << l->bits) - 1);

	*ret = step->table.addr + index * pt->arch->entry_size;
	return !step->table.count ||
	       (index >= step->table.first && index - step->table.first < step->table.count);
}

/* Reads the entries of this level that are not kept yet, all in one batch. */
static struct kt_error *level_fetch(struct pagetable *pt, const struct pagetable_query *queries,
				    const struct step *steps, size_t count, unsigned int level)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = lines_reserve(pt, count);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		gaddr_t addr;
		struct pagetable_line *line;

		if (steps[i].done || !entry_addr(pt, &steps[i], queries[i].virtual, level, &addr))
			continue;
		addr &= ~(gaddr_t)(LINE_SIZE - 1);
		line = line_slot(pt, pt->lines, pt->n_slots, addr);
		if (line->addr == addr)
			continue;
		line->addr = addr;
		line->fault = true;
		pt->n_lines++;
		if (!gmem_batch_add(&batch, addr, line->data, LINE_SIZE))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, pt->physical.read, pt->physical.source);
	if (err)
		return err;
	kt_vec_for_each (&batch.reads, read)
		line_slot(pt, pt->lines, pt->n_slots, read->addr)->fault = read->fault;
	return NULL;
}

static void level_step(const struct pagetable *pt, struct pagetable_query *query, struct step *step,
		       unsigned int level)
{
	struct arch_entry entry;
	const struct pagetable_line *line;
	uint64_t page;
	gaddr_t addr;

	step->done = true;
	if (!entry_addr(pt, step, query->virtual, level, &addr))
		return;
	line = line_slot(pt, pt->lines, pt->n_slots, addr & ~(gaddr_t)(LINE_SIZE - 1));
	if (line->fault)
		return;
	entry = pt->arch->entry(&pt->space, level,
				kt_load_uint(line->data + addr % LINE_SIZE, pt->arch->entry_size,
					     pt->big_endian));
	switch (entry.kind) {
	case ARCH_ENTRY_NONE: break;
	case ARCH_ENTRY_TABLE:
		step->table = entry.table;
		step->done = false;
		break;
	case ARCH_ENTRY_LEAF:
		page = UINT64_C(1)
		       << (entry.leaf_shift ? entry.leaf_shift : pt->space.level[level - 1].shift);
		query->physical = entry.table.addr | (query->virtual & (page - 1));
		query->left = page - (query->virtual & (page - 1));
		query->mapped = true;
		break;
	}
}

static void take_linear(const struct pagetable *pt, struct pagetable_query *query,
			struct step *step)
{
	if (!arch_space_linear(&pt->space, query->virtual, &query->physical))
		return;
	query->left = pt->space.linear_len - query->physical;
	query->mapped = true;
	step->done = true;
}

struct kt_error *pagetable_translate(struct pagetable *pt, struct pagetable_query *queries,
				     size_t count)
{
	_cleanup_free_ struct step *steps = malloc((count + 1) * sizeof(*steps));

	if (!steps)
		return kt_error_no_memory();
	for (size_t i = 0; i < count; i++) {
		steps[i] = (struct step){
			.table = pt->space.root,
			.done = !arch_space_has(&pt->space, queries[i].virtual),
		};
		queries[i].mapped = false;
		take_linear(pt, &queries[i], &steps[i]);
	}
	for (unsigned int level = pt->space.levels; level >= 1; level--) {
		struct kt_error *err = level_fetch(pt, queries, steps, count, level);

		if (err)
			return err;
		for (size_t i = 0; i < count; i++)
			if (!steps[i].done)
				level_step(pt, &queries[i], &steps[i], level);
	}
	return NULL;
}

struct kt_error *pagetable_read_physical(struct pagetable *pt, struct gmem_read *reads,
					 size_t count)
{
	return pt->physical.read(pt->physical.source, reads, count);
}

#define IMAGE_HEAD_MAX 16

struct kt_error *pagetable_has_image(struct pagetable *pt, const gaddr_t *addrs, size_t n,
				     bool *ret)
{
	const struct arch *arch = pt->arch;
	size_t len = arch->image_head ? strlen(arch->image_head) : 0;
	_cleanup_free_ uint8_t *heads = malloc(n * IMAGE_HEAD_MAX + 1);
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	if (!heads)
		return kt_error_no_memory();
	for (size_t i = 0; i < n && len; i++)
		if (!gmem_batch_add(&batch, addrs[i] + arch->image_head_at,
				    heads + i * IMAGE_HEAD_MAX, len))
			return kt_error_no_memory();
	err = gmem_batch_read(&batch, pagetable_read, pt);
	for (size_t i = 0; i < n && !err; i++)
		ret[i] = !len || (!batch.reads.data[i].fault &&
				  !memcmp(heads + i * IMAGE_HEAD_MAX, arch->image_head, len));
	return err;
}

bool pagetable_complete(struct pagetable *pt, const struct arch_variable *variables,
			uint64_t page_size)
{
	struct arch_space space = pt->space;

	if (!pt->arch->complete(variables, page_size, &space))
		return false;
	pt->space = space;
	return true;
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
	err = gmem_batch_read(&batch, pt->physical.read, pt->physical.source);
	if (err)
		return err;
	/* The batch holds the mapped pieces in the order of the queries. */
	for (size_t i = 0, j = 0; i < pieces.queries.len; i++)
		if (pieces.queries.data[i].mapped && batch.reads.data[j++].fault)
			reads[pieces.owners.data[i]].fault = true;
	return NULL;
}
