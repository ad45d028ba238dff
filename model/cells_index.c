// SPDX-License-Identifier: LGPL-2.1-or-later
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/cells_index.h"
#include "util/cleanup.h"

/* --- names --- */

enum { SCHEDULER, KERNEL, TOPOLOGY };

static const char *name_of(const struct kt_cell_record *record, int which)
{
	return which == SCHEDULER ? record->scheduler
	       : which == KERNEL  ? record->kernel
				  : record->topology;
}

/* A name, and what it is sorted by. */
struct entry {
	const char *name;
	const char *release; /* of a kernel: the latest of its records; NULL: not known */
	unsigned place;      /* of a scheduler in its file, the first; UINT_MAX: not known */
	uint32_t index;      /* of the name, in order */
};

struct entries {
	struct entry *all; /* by bytes of the name */
	size_t n;
};

static void entries_deinit(struct entries *entries)
{
	free(entries->all);
}

static int compare_bytes(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *p = *(const struct entry *const *)a,
			   *q = *(const struct entry *const *)b;
	int cmp = (p->place > q->place) - (p->place < q->place);

	/* A kernel that never ran is sorted by its name, among the releases. */
	if (!cmp && (p->release || q->release))
		cmp = cells_compare_names(p->release ? p->release : p->name,
					  q->release ? q->release : q->name);
	return cmp ? cmp : cells_compare_names(p->name, q->name);
}

static int compare_topologies(const void *a, const void *b)
{
	return cells_compare_topologies((*(const struct entry *const *)a)->name,
					(*(const struct entry *const *)b)->name);
}

static void join(struct entry *into, const struct entry *from)
{
	if (from->place < into->place)
		into->place = from->place;
	if (from->release &&
	    (!into->release || cells_compare_names(from->release, into->release) > 0))
		into->release = from->release;
}

static struct entry entry_of(const struct kt_cell_record *record, int which, bool by_name)
{
	struct entry entry = {.name = name_of(record, which), .place = UINT_MAX};

	if (which == SCHEDULER && record->place && !by_name)
		entry.place = record->place;
	if (which == KERNEL && record->release && record->release[0] && !by_name)
		entry.release = record->release;
	return entry;
}

/* Gives each entry its index. */
static struct kt_error *sort_names(struct entries *entries, int which, struct cells_names *ret)
{
	_cleanup_free_ struct entry **order = calloc(entries->n + 1, sizeof(*order));

	ret->all = calloc(entries->n + 1, sizeof(*ret->all));
	if (!order || !ret->all)
		return kt_error_no_memory();
	for (size_t i = 0; i < entries->n; i++)
		order[i] = &entries->all[i];
	qsort(order, entries->n, sizeof(*order),
	      which == TOPOLOGY ? compare_topologies : compare_entries);
	for (; ret->n < entries->n; ret->n++) {
		order[ret->n]->index = (uint32_t)ret->n;
		ret->all[ret->n] = order[ret->n]->name;
	}
	return NULL;
}

/*
 * Gathers each name once. There are many records with few different names, so they are sorted by
 * bytes first, which is cheaper than by cells_compare_names().
 */
static struct kt_error *gather_names(const struct kt_cell_records *records, int which, bool by_name,
				     struct entries *entries, struct cells_names *ret)
{
	size_t n = 0;

	entries->all = calloc(records->n + 1, sizeof(*entries->all));
	if (!entries->all)
		return kt_error_no_memory();
	for (size_t i = 0; i < records->n; i++)
		entries->all[i] = entry_of(&records->all[i], which, by_name);
	qsort(entries->all, records->n, sizeof(*entries->all), compare_bytes);
	for (size_t i = 0; i < records->n; i++)
		if (!n || strcmp(entries->all[n - 1].name, entries->all[i].name) != 0)
			entries->all[n++] = entries->all[i];
		else
			join(&entries->all[n - 1], &entries->all[i]);
	entries->n = n;
	return sort_names(entries, which, ret);
}

static uint32_t place_of(const struct entries *entries, const char *name)
{
	const struct entry key = {.name = name};
	const struct entry *found = bsearch(&key, entries->all, entries->n, sizeof(key),
					    compare_bytes);

	return found->index;
}

/* "trixie (6.12.117)"; the name alone if that says it, or no release is known. */
static char *label_of(const char *name, const char *release)
{
	size_t len = release ? cells_release_length(release) : 0;
	char *label;

	if (!len || memmem(name, strlen(name), release, len))
		return strdup(name);
	return asprintf(&label, "%s (%.*s)", name, (int)len, release) < 0 ? NULL : label;
}

static struct kt_error *label_kernels(const struct entries *kernels, struct cells_index *index)
{
	index->releases = calloc(kernels->n + 1, sizeof(*index->releases));
	index->kernel_labels = calloc(kernels->n + 1, sizeof(*index->kernel_labels));
	if (!index->releases || !index->kernel_labels)
		return kt_error_no_memory();
	for (size_t i = 0; i < kernels->n; i++) {
		const struct entry *entry = &kernels->all[i];

		index->releases[entry->index] = entry->release;
		index->kernel_labels[entry->index] = label_of(entry->name, entry->release);
		if (!index->kernel_labels[entry->index])
			return kt_error_no_memory();
	}
	return NULL;
}

/* --- records of one cell --- */

enum cells_state cells_state(const struct kt_cell_record *record)
{
	if (record->skipped)
		return CELLS_SKIPPED;
	return record->passed ? CELLS_PASSED : CELLS_FAILED;
}

const char *cells_state_name(enum cells_state state)
{
	switch (state) {
	case CELLS_PASSED: return "passed";
	case CELLS_FAILED: return "failed";
	case CELLS_SKIPPED: return "skipped";
	default: return "none";
	}
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_stats(const struct kt_prog_stats_list *a, const struct kt_prog_stats_list *b)
{
	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	for (size_t i = 0; i < a->n; i++) {
		const struct kt_prog_stats *p = &a->all[i], *q = &b->all[i];
		uint64_t m = p->verified_insns.known ? p->verified_insns.value : 0;
		uint64_t n = q->verified_insns.known ? q->verified_insns.value : 0;
		int cmp = strcmp(p->name, q->name);

		if (!cmp)
			cmp = (m < n) - (m > n);
		if (!cmp)
			cmp = q->failed - p->failed;
		if (!cmp)
			cmp = compare_texts(p->type, q->type);
		if (cmp)
			return cmp;
	}
	return 0;
}

/*
 * Compares two records of one cell; the lesser one counts. Everything that is shown is compared, so
 * that the choice does not depend on the order of files.
 */
static int compare_rest(const struct kt_cell_record *a, const struct kt_cell_record *b)
{
	static const int order[] = {[CELLS_FAILED] = 0, [CELLS_PASSED] = 1, [CELLS_SKIPPED] = 2};
	int cmp = order[cells_state(a)] - order[cells_state(b)];

	if (!cmp)
		cmp = (a->started < b->started) - (a->started > b->started);
	if (!cmp)
		cmp = (a->attempts < b->attempts) - (a->attempts > b->attempts);
	if (!cmp)
		cmp = (a->duration_s < b->duration_s) - (a->duration_s > b->duration_s);
	if (!cmp)
		cmp = compare_texts(a->reason, b->reason);
	if (!cmp)
		cmp = compare_texts(a->verdict, b->verdict);
	if (!cmp)
		cmp = compare_texts(a->release, b->release);
	if (!cmp)
		cmp = compare_texts(a->log, b->log);
	if (!cmp)
		cmp = compare_texts(a->last, b->last);
	if (!cmp)
		cmp = compare_texts(a->host, b->host);
	if (!cmp)
		cmp = compare_texts(a->version, b->version);
	if (!cmp)
		cmp = compare_texts(a->file, b->file);
	return cmp ? cmp : compare_stats(&a->stats, &b->stats);
}

/* --- the index --- */

static int compare_place(const struct cells_cell *a, const struct cells_cell *b)
{
	if (a->scheduler != b->scheduler)
		return a->scheduler > b->scheduler ? 1 : -1;
	if (a->kernel != b->kernel)
		return a->kernel > b->kernel ? 1 : -1;
	return (a->topology > b->topology) - (a->topology < b->topology);
}

static int compare_cells(const void *a, const void *b)
{
	const struct cells_cell *p = a, *q = b;
	int cmp = compare_place(p, q);

	return cmp ? cmp : compare_rest(p->record, q->record);
}

static void drop_duplicates(struct cells_index *index)
{
	size_t n = 0;

	for (size_t i = 0; i < index->n; i++)
		if (!n || compare_place(&index->cells[n - 1], &index->cells[i]) != 0)
			index->cells[n++] = index->cells[i];
	index->duplicates = index->n - n;
	index->n = n;
}

static void count_states(struct cells_index *index)
{
	for (size_t i = 0; i < index->n; i++)
		switch (index->cells[i].state) {
		case CELLS_PASSED: index->passed++; break;
		case CELLS_FAILED: index->failed++; break;
		default: index->skipped++;
		}
}

/* The entries of all three kinds of names. */
struct all_entries {
	struct entries schedulers, kernels, topologies;
};

static void all_entries_deinit(struct all_entries *all)
{
	entries_deinit(&all->schedulers);
	entries_deinit(&all->kernels);
	entries_deinit(&all->topologies);
}

static struct kt_error *fill_cells(const struct kt_cell_records *records,
				   const struct all_entries *names, struct cells_index *index)
{
	index->cells = calloc(records->n + 1, sizeof(*index->cells));
	if (!index->cells)
		return kt_error_no_memory();
	index->n = records->n;
	for (size_t i = 0; i < records->n; i++) {
		const struct kt_cell_record *record = &records->all[i];

		index->cells[i] = (struct cells_cell){
			.record = record,
			.scheduler = place_of(&names->schedulers, record->scheduler),
			.kernel = place_of(&names->kernels, record->kernel),
			.topology = place_of(&names->topologies, record->topology),
			.state = cells_state(record),
		};
	}
	qsort(index->cells, index->n, sizeof(*index->cells), compare_cells);
	drop_duplicates(index);
	count_states(index);
	return NULL;
}

static struct kt_error *init(const struct kt_cell_records *records, bool by_name,
			     struct cells_index *ret)
{
	_cleanup_(all_entries_deinit) struct all_entries names = {0};
	struct cells_index index = {0};
	struct kt_error *err;

	err = gather_names(records, SCHEDULER, by_name, &names.schedulers, &index.schedulers);
	if (!err)
		err = gather_names(records, KERNEL, by_name, &names.kernels, &index.kernels);
	if (!err)
		err = gather_names(records, TOPOLOGY, by_name, &names.topologies,
				   &index.topologies);
	if (!err)
		err = label_kernels(&names.kernels, &index);
	if (!err)
		err = fill_cells(records, &names, &index);
	if (err) {
		cells_index_deinit(&index);
		return err;
	}
	*ret = index;
	return NULL;
}

struct kt_error *cells_index_init(const struct kt_cell_records *records, struct cells_index *ret)
{
	return init(records, false, ret);
}

struct kt_error *cells_index_init_by_name(const struct kt_cell_records *records,
					  struct cells_index *ret)
{
	return init(records, true, ret);
}

void cells_index_deinit(struct cells_index *index)
{
	for (size_t i = 0; index->kernel_labels && i < index->kernels.n; i++)
		free(index->kernel_labels[i]);
	free(index->kernel_labels);
	free(index->releases);
	free(index->schedulers.all);
	free(index->kernels.all);
	free(index->topologies.all);
	free(index->cells);
	*index = (struct cells_index){0};
}

static int compare_to_key(const void *key, const void *cell)
{
	return compare_place(key, cell);
}

const struct cells_cell *cells_index_find(const struct cells_index *index, size_t scheduler,
					  size_t kernel, size_t topology)
{
	const struct cells_cell key = {
		.scheduler = (uint32_t)scheduler,
		.kernel = (uint32_t)kernel,
		.topology = (uint32_t)topology,
	};

	return bsearch(&key, index->cells, index->n, sizeof(key), compare_to_key);
}

/* The index of the first cell of this scheduler or a later one. */
static size_t lower_bound(const struct cells_index *index, size_t scheduler)
{
	size_t lo = 0, hi = index->n;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (index->cells[middle].scheduler < scheduler)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

void cells_index_scheduler(const struct cells_index *index, size_t scheduler, size_t *first,
			   size_t *end)
{
	*first = lower_bound(index, scheduler);
	*end = lower_bound(index, scheduler + 1);
}

/* Cells of a grid. Real sweeps have 10,000 at most; nobody reads a larger grid. */
#define GRID_MAX 4000000

struct kt_error *cells_check_size(const struct cells_index *index, bool by_kernel)
{
	size_t kernels = by_kernel ? index->kernels.n : 1, all;

	if (!__builtin_mul_overflow(index->schedulers.n, index->topologies.n, &all) &&
	    !__builtin_mul_overflow(all, kernels, &all) && all <= GRID_MAX)
		return NULL;
	return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
					  "a grid of %zu schedulers, %zu kernels and %zu "
					  "topologies is too large to show",
					  index->schedulers.n, index->kernels.n,
					  index->topologies.n),
			     "JSON and CSV have no grid");
}

struct kt_error *cells_ratios(const struct cells_index *index, struct cells_ratio **ret)
{
	struct kt_error *err = cells_check_size(index, false);
	struct cells_ratio *all;

	if (err)
		return err;
	all = calloc(index->topologies.n * index->schedulers.n + 1, sizeof(*all));
	if (!all)
		return kt_error_no_memory();
	for (size_t i = 0; i < index->n; i++) {
		const struct cells_cell *cell = &index->cells[i];
		struct cells_ratio *ratio =
			&all[cell->topology * index->schedulers.n + cell->scheduler];

		ratio->ran += cell->state != CELLS_SKIPPED;
		ratio->passed += cell->state == CELLS_PASSED;
	}
	*ret = all;
	return NULL;
}
