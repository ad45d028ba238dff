// SPDX-License-Identifier: LGPL-2.1-or-later
/* A program's maps, subprograms, owner and run statistics. */
#include <stdlib.h>

#include "introspect/bpf_prog_impl.h"
#include "util/cursor.h"

#define POINTER_SIZE 8 /* 64-bit kernels */

/* The kernel's own limits are 64 maps (MAX_USED_MAPS) and 256 subprograms; be generous. */
#define MAX_POINTEES 4096

static const struct view_field map_fields[] = {{.path = "id"}};
static const struct view_type map_type = VIEW_TYPE("bpf_map", map_fields);

static const struct view_field func_fields[] = {{.path = "jited_len"}};
static const struct view_type func_type = VIEW_TYPE("bpf_prog", func_fields);

static const struct view_field user_fields[] = {{.path = "uid.val"}};
static const struct view_type user_type = VIEW_TYPE("user_struct", user_fields);

/* misses came with 5.12. Up to 5.10, the three were not u64_stats_t but u64: the same bytes. */
static const struct view_field stats_fields[] = {
	[STATS_CNT] = {.path = "cnt"},
	[STATS_NSECS] = {.path = "nsecs"},
	[STATS_MISSES] = {.path = "misses", .optional = true},
};
static const struct view_type stats_type = VIEW_TYPE("bpf_prog_stats", stats_fields);

bool refs_wants(struct wants *wants)
{
	return view_wants(&map_type, wants) && view_wants(&func_type, wants) &&
	       view_wants(&user_type, wants) && view_wants(&stats_type, wants);
}

/* A view that this kernel may not have: its values are then not known. */
static bool try_view(struct view *view, const struct view_type *type, const struct kfacts *facts)
{
	struct kt_error *err = view_init(view, type, facts);

	kt_error_destroy(err);
	return !err;
}

void refs_init(struct bpf_progs *progs, const struct kfacts *facts)
{
	progs->has_map = try_view(&progs->map, &map_type, facts);
	try_view(&progs->func, &func_type, facts);
	progs->has_user = try_view(&progs->user, &user_type, facts);
	progs->has_stats = try_view(&progs->stats, &stats_type, facts);
}

/* May n more pieces be read? What may not stays unknown. */
static bool afford(struct bpf_progs *progs, size_t n)
{
	if (n > progs->pieces_left)
		return false;
	progs->pieces_left -= n;
	return true;
}

/* Begins with the array of n pointers at addr. */
static struct kt_error *pointees_begin(struct bpf_progs *progs, struct pointees *p,
				       struct gmem_batch *batch, gaddr_t addr, uint64_t n)
{
	p->n = (size_t)n;
	p->known = n == 0;
	if (!n || !addr || n > MAX_POINTEES || !afford(progs, p->n))
		return NULL;
	p->pointers = calloc(p->n, POINTER_SIZE);
	p->pieces.first = batch->reads.len;
	if (!p->pointers || !gmem_batch_add(batch, addr, p->pointers, p->n * POINTER_SIZE))
		return kt_error_no_memory();
	p->pieces.end = batch->reads.len;
	p->known = true;
	return NULL;
}

static struct kt_error *pointees_follow(struct pointees *p, const struct view *view,
					const struct gmem_batch *done, struct gmem_batch *batch)
{
	if (!p->known || !p->n)
		return NULL;
	p->known = !gmem_batch_fault(done, p->pieces.first, p->pieces.end);
	if (!p->known)
		return NULL;
	p->images = calloc(p->n, view->size);
	if (!p->images)
		return kt_error_no_memory();
	p->pieces.first = batch->reads.len;
	for (size_t i = 0; i < p->n; i++) {
		gaddr_t addr = kt_load_uint(p->pointers + i * POINTER_SIZE, POINTER_SIZE,
					    view->big_endian);

		if (!view_read(view, batch, addr, p->images + i * view->size))
			return kt_error_no_memory();
	}
	p->pieces.end = batch->reads.len;
	return NULL;
}

static void pointees_end(struct pointees *p, const struct gmem_batch *done)
{
	if (p->known && p->n)
		p->known = !gmem_batch_fault(done, p->pieces.first, p->pieces.end);
}

static void pointees_deinit(struct pointees *p)
{
	free(p->pointers);
	free(p->images);
}

static struct kt_error *stats_begin(struct bpf_progs *progs, struct walk_entry *entry,
				    struct gmem_batch *batch)
{
	gaddr_t stats = view_has(&progs->prog, PROG_STATS)
				? view_uint(&progs->prog, entry->prog, PROG_STATS)
				: view_uint(&progs->aux, entry->aux, AUX_STATS);
	size_t n = progs->percpu.offsets.len;

	if (!progs->has_stats || !stats || !n || !afford(progs, n))
		return NULL;
	entry->stats = calloc(n, progs->stats.size);
	if (!entry->stats)
		return kt_error_no_memory();
	entry->stats_pieces.first = batch->reads.len;
	for (size_t i = 0; i < n; i++)
		if (!view_read(&progs->stats, batch, stats + progs->percpu.offsets.data[i],
			       entry->stats + i * progs->stats.size))
			return kt_error_no_memory();
	entry->stats_pieces.end = batch->reads.len;
	entry->stats_known = true;
	return NULL;
}

struct kt_error *refs_begin(struct bpf_progs *progs, struct walk_entry *entry,
			    struct gmem_batch *batch)
{
	const struct view *aux = &progs->aux;
	struct kt_error *err = NULL;

	if (progs->has_map)
		err = pointees_begin(progs, &entry->maps, batch,
				     view_uint(aux, entry->aux, AUX_USED_MAPS),
				     view_uint(aux, entry->aux, AUX_USED_MAP_CNT));
	if (!err)
		err = pointees_begin(progs, &entry->funcs, batch,
				     view_uint(aux, entry->aux, AUX_FUNC),
				     view_uint(aux, entry->aux, AUX_FUNC_CNT));
	if (!err && progs->has_user)
		err = walk_begin(&progs->user, batch, view_uint(aux, entry->aux, AUX_USER),
				 &entry->user, &entry->user_pieces, &entry->uid_known);
	if (!err)
		err = stats_begin(progs, entry, batch);
	return err;
}

struct kt_error *refs_follow(struct bpf_progs *progs, struct walk_entry *entry,
			     const struct gmem_batch *done, struct gmem_batch *batch)
{
	struct kt_error *err;

	entry->uid_known &= !gmem_batch_fault(done, entry->user_pieces.first,
					      entry->user_pieces.end);
	entry->stats_known &= !gmem_batch_fault(done, entry->stats_pieces.first,
						entry->stats_pieces.end);
	err = pointees_follow(&entry->maps, &progs->map, done, batch);
	if (!err)
		err = pointees_follow(&entry->funcs, &progs->func, done, batch);
	return err;
}

void refs_end(struct walk_entry *entry, const struct gmem_batch *done)
{
	pointees_end(&entry->maps, done);
	pointees_end(&entry->funcs, done);
}

static struct program_number known(uint64_t value)
{
	return (struct program_number){.known = true, .value = value};
}

/* The sum over subprograms where there are any, as the kernel reports it. */
static struct program_number jited_bytes(const struct bpf_progs *progs,
					 const struct walk_entry *entry)
{
	uint64_t sum = 0;

	if (!entry->funcs.known)
		return (struct program_number){0};
	if (!entry->funcs.n)
		return known(view_uint(&progs->prog, entry->prog, PROG_JITED_LEN));
	for (size_t i = 0; i < entry->funcs.n; i++)
		sum += view_uint(&progs->func, entry->funcs.images + i * progs->func.size, 0);
	return known(sum);
}

static void stats_finish(const struct bpf_progs *progs, const struct walk_entry *entry,
			 struct program *ret)
{
	uint64_t sums[3] = {0};

	if (!entry->stats_known)
		return;
	for (size_t cpu = 0; cpu < progs->percpu.offsets.len; cpu++)
		for (unsigned int i = 0; i < 3; i++)
			sums[i] += view_uint(&progs->stats, entry->stats + cpu * progs->stats.size,
					     i);
	ret->run_cnt = known(sums[STATS_CNT]);
	ret->run_time_ns = known(sums[STATS_NSECS]);
	if (view_has(&progs->stats, STATS_MISSES))
		ret->recursion_misses = known(sums[STATS_MISSES]);
}

struct kt_error *refs_finish(const struct bpf_progs *progs, const struct walk_entry *entry,
			     struct program *ret)
{
	ret->bytes_jited = jited_bytes(progs, entry);
	if (entry->uid_known)
		ret->uid = known(view_uint(&progs->user, entry->user, 0));
	stats_finish(progs, entry, ret);
	ret->map_ids_known = progs->has_map && entry->maps.known;
	if (!ret->map_ids_known || !entry->maps.n)
		return NULL;
	ret->map_ids = calloc(entry->maps.n, sizeof(*ret->map_ids));
	if (!ret->map_ids)
		return kt_error_no_memory();
	for (size_t i = 0; i < entry->maps.n; i++)
		ret->map_ids[i] = (uint32_t)view_uint(&progs->map,
						      entry->maps.images + i * progs->map.size, 0);
	ret->n_map_ids = entry->maps.n;
	return NULL;
}

void refs_deinit(struct walk_entry *entry)
{
	pointees_deinit(&entry->maps);
	pointees_deinit(&entry->funcs);
	free(entry->user);
	free(entry->stats);
}
