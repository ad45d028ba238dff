// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_prog_refs.h"
#include "util/cursor.h"

#define POINTER_SIZE 8 /* 64-bit kernels */

/* The kernel's own limits are 64 maps (MAX_USED_MAPS) and 256 subprograms; be generous. */
#define MAX_POINTEES 4096

static const struct view_field map_fields[] = {{.path = "id"}};
static const struct view_type map_type = VIEW_TYPE("bpf_map", map_fields);

enum { FUNC_JITED_LEN, FUNC_TAG };
static const struct view_field func_fields[] = {
	[FUNC_JITED_LEN] = {.path = "jited_len"},
	[FUNC_TAG] = {.path = "tag", .max = 8},
};
static const struct view_type func_type = VIEW_TYPE("bpf_prog", func_fields);

static const struct view_field user_fields[] = {{.path = "uid.val"}};
static const struct view_type user_type = VIEW_TYPE("user_struct", user_fields);

enum { STATS_CNT, STATS_NSECS, STATS_MISSES };
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

/*
 * Pieces that hang on programs (maps, subprograms, statistics of a CPU), of some 500 bytes each
 * with all that is kept of a read. 10,000 programs on 256 CPUs have 2,560,000.
 */
#define MAX_PIECES 4000000

void refs_views_init(struct refs_views *views, const struct kfacts *facts)
{
	views->has_map = view_try(&views->map, &map_type, facts);
	view_try(&views->func, &func_type, facts);
	views->has_user = view_try(&views->user, &user_type, facts);
	views->has_stats = view_try(&views->stats, &stats_type, facts);
	views->pieces_left = MAX_PIECES;
}

/* False: too many pieces were read already. */
static bool afford(struct refs_views *views, size_t n)
{
	if (n > views->pieces_left)
		return false;
	views->pieces_left -= n;
	return true;
}

/* Begins with the array of n pointers at addr. */
static struct kt_error *pointees_begin(struct pointees *p, struct refs_views *views, gaddr_t addr,
				       uint64_t n, struct gmem_batch *batch)
{
	p->n = (size_t)n;
	p->known = n == 0;
	if (!n || !addr || n > MAX_POINTEES || !afford(views, p->n))
		return NULL;
	p->pointers = calloc(p->n, POINTER_SIZE);
	p->first = batch->reads.len;
	if (!p->pointers || !gmem_batch_add(batch, addr, p->pointers, p->n * POINTER_SIZE))
		return kt_error_no_memory();
	p->end = batch->reads.len;
	p->known = true;
	return NULL;
}

static void pointees_end(struct pointees *p, const struct gmem_batch *done)
{
	if (p->known && p->n)
		p->known = !gmem_batch_fault(done, p->first, p->end);
}

static struct kt_error *pointees_follow(struct pointees *p, const struct view *view,
					const struct gmem_batch *done, struct gmem_batch *batch)
{
	pointees_end(p, done);
	if (!p->known || !p->n)
		return NULL;
	p->images = calloc(p->n, view->size);
	if (!p->images)
		return kt_error_no_memory();
	p->first = batch->reads.len;
	for (size_t i = 0; i < p->n; i++) {
		gaddr_t addr = kt_load_uint(p->pointers + i * POINTER_SIZE, POINTER_SIZE,
					    view->big_endian);

		if (!view_read(view, batch, addr, p->images + i * view->size))
			return kt_error_no_memory();
	}
	p->end = batch->reads.len;
	return NULL;
}

static void pointees_deinit(struct pointees *p)
{
	free(p->pointers);
	free(p->images);
	*p = (struct pointees){0};
}

static struct kt_error *stats_begin(struct refs_views *views, gaddr_t addr, struct object *stats,
				    struct gmem_batch *batch)
{
	size_t n = views->percpu.offsets.len;

	if (!views->has_stats || !addr || !n || !afford(views, n))
		return NULL;
	stats->image = calloc(n, views->stats.size);
	if (!stats->image)
		return kt_error_no_memory();
	stats->first = batch->reads.len;
	for (size_t i = 0; i < n; i++)
		if (!view_read(&views->stats, batch, addr + views->percpu.offsets.data[i],
			       stats->image + i * views->stats.size))
			return kt_error_no_memory();
	stats->end = batch->reads.len;
	stats->known = true;
	return NULL;
}

struct kt_error *refs_begin(struct refs_views *views, const struct prog_views *progs,
			    const struct prog *prog, struct refs *refs, struct gmem_batch *batch)
{
	const struct view *view = &progs->aux;
	const uint8_t *aux = prog->aux.image;
	gaddr_t stats = view_has(&progs->prog, PROG_STATS)
				? view_uint(&progs->prog, prog->prog.image, PROG_STATS)
				: view_uint(view, aux, AUX_STATS);
	struct kt_error *err = NULL;

	if (views->has_map)
		err = pointees_begin(&refs->maps, views, view_uint(view, aux, AUX_USED_MAPS),
				     view_uint(view, aux, AUX_USED_MAP_CNT), batch);
	if (!err)
		err = pointees_begin(&refs->funcs, views, view_uint(view, aux, AUX_FUNC),
				     view_uint(view, aux, AUX_FUNC_CNT), batch);
	if (!err && views->has_user)
		err = object_begin(&refs->user, &views->user, view_uint(view, aux, AUX_USER),
				   batch);
	return err ? err : stats_begin(views, stats, &refs->stats, batch);
}

struct kt_error *refs_follow(const struct refs_views *views, struct refs *refs,
			     const struct gmem_batch *done, struct gmem_batch *batch)
{
	struct kt_error *err;

	object_end(&refs->user, done);
	object_end(&refs->stats, done);
	err = pointees_follow(&refs->maps, &views->map, done, batch);
	return err ? err : pointees_follow(&refs->funcs, &views->func, done, batch);
}

void refs_end(struct refs *refs, const struct gmem_batch *done)
{
	pointees_end(&refs->maps, done);
	pointees_end(&refs->funcs, done);
}

static struct program_number known(uint64_t value)
{
	return (struct program_number){.known = true, .value = value};
}

/* The sum over subprograms where there are any, as the kernel reports it. */
static struct program_number jited_bytes(const struct refs_views *views, const struct refs *refs,
					 uint64_t whole)
{
	uint64_t sum = 0;

	if (!refs->funcs.known)
		return (struct program_number){0};
	if (!refs->funcs.n)
		return known(whole);
	for (size_t i = 0; i < refs->funcs.n; i++)
		sum += view_uint(&views->func, refs->funcs.images + i * views->func.size,
				 FUNC_JITED_LEN);
	return known(sum);
}

/* As the kernel tells prog_tags: of each subprogram, or of the whole. */
static struct kt_error *tags_finish(const struct refs_views *views, const struct refs *refs,
				    struct program *ret)
{
	const struct pointees *funcs = &refs->funcs;
	size_t n = funcs->n ? funcs->n : 1;

	ret->prog_tags_known = funcs->known;
	if (!funcs->known)
		return NULL;
	ret->prog_tags = calloc(n, sizeof(*ret->prog_tags));
	if (!ret->prog_tags)
		return kt_error_no_memory();
	ret->n_prog_tags = n;
	if (!funcs->n)
		memcpy(ret->prog_tags[0], ret->tag, sizeof(ret->tag));
	for (size_t i = 0; i < funcs->n; i++) {
		size_t len = 0;
		const uint8_t *tag = view_bytes(&views->func, funcs->images + i * views->func.size,
						FUNC_TAG, &len);

		prog_tag_text(tag, len, ret->prog_tags[i]);
	}
	return NULL;
}

static void stats_finish(const struct refs_views *views, const struct object *stats,
			 struct program *ret)
{
	uint64_t sums[3] = {0};

	if (!stats->known)
		return;
	for (size_t cpu = 0; cpu < views->percpu.offsets.len; cpu++)
		for (unsigned int i = 0; i < 3; i++)
			sums[i] += view_uint(&views->stats, stats->image + cpu * views->stats.size,
					     i);
	ret->run_cnt = known(sums[STATS_CNT]);
	ret->run_time_ns = known(sums[STATS_NSECS]);
	if (view_has(&views->stats, STATS_MISSES))
		ret->recursion_misses = known(sums[STATS_MISSES]);
}

struct kt_error *refs_finish(const struct refs_views *views, const struct prog_views *progs,
			     const struct prog *prog, const struct refs *refs, struct program *ret)
{
	const struct pointees *maps = &refs->maps;
	struct kt_error *err;

	ret->bytes_jited = jited_bytes(views, refs,
				       view_uint(&progs->prog, prog->prog.image, PROG_JITED_LEN));
	if (refs->user.known)
		ret->uid = known(view_uint(&views->user, refs->user.image, 0));
	stats_finish(views, &refs->stats, ret);
	err = tags_finish(views, refs, ret);
	if (err)
		return err;
	ret->map_ids_known = views->has_map && maps->known;
	if (!ret->map_ids_known || !maps->n)
		return NULL;
	ret->map_ids = calloc(maps->n, sizeof(*ret->map_ids));
	if (!ret->map_ids)
		return kt_error_no_memory();
	for (size_t i = 0; i < maps->n; i++)
		ret->map_ids[i] = (uint32_t)view_uint(&views->map,
						      maps->images + i * views->map.size, 0);
	ret->n_map_ids = maps->n;
	return NULL;
}

void refs_deinit(struct refs *refs)
{
	pointees_deinit(&refs->maps);
	pointees_deinit(&refs->funcs);
	object_deinit(&refs->user);
	object_deinit(&refs->stats);
}
