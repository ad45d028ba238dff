// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/scx.h"
#include "introspect/scx_snapshot.h"
#include "introspect/scx_walk.h"
#include "util/cleanup.h"
#include "util/cursor.h"

struct kt_error *scx_piece_begin(struct scx_piece *piece, gaddr_t addr, size_t len,
				 struct gmem_batch *batch)
{
	if (!addr || !len)
		return NULL;
	if (len > sizeof(piece->raw)) {
		piece->data = calloc(1, len);
		if (!piece->data)
			return kt_error_no_memory();
	}
	piece->len = len;
	piece->at = batch->reads.len;
	piece->begun = true;
	return gmem_batch_add(batch, addr, piece->data ? piece->data : piece->raw, len)
		       ? NULL
		       : kt_error_no_memory();
}

void scx_piece_end(struct scx_piece *piece, const struct gmem_batch *done)
{
	if (piece->begun)
		piece->known = !gmem_batch_fault(done, piece->at, piece->at + 1);
	piece->begun = false;
}

void scx_piece_deinit(struct scx_piece *piece)
{
	free(piece->data);
	*piece = (struct scx_piece){0};
}

uint64_t scx_piece_value(const struct scx_walk *walk, const struct scx_piece *piece)
{
	return piece->known && !piece->data ? kt_load_uint(piece->raw, piece->len, walk->big_endian)
					    : 0;
}

struct program_number scx_piece_number(const struct scx_walk *walk, const struct scx_piece *piece)
{
	return (struct program_number){.known = piece->known,
				       .value = scx_piece_value(walk, piece)};
}

gaddr_t scx_piece_pointer(const struct scx_walk *walk, const struct scx_piece *piece, size_t i)
{
	const uint8_t *bytes = piece->data ? piece->data : piece->raw;

	return piece->known && (i + 1) * SCX_POINTER_SIZE <= piece->len
		       ? kt_load_uint(bytes + i * SCX_POINTER_SIZE, SCX_POINTER_SIZE,
				      walk->big_endian)
		       : 0;
}

struct program_number scx_number(const struct object *object, const struct view *view,
				 unsigned int field)
{
	bool known = object->image && object->known && view_has(view, field);

	return (struct program_number){.known = known,
				       .value = known ? view_uint(view, object->image, field) : 0};
}

bool scx_snapshot_wants(struct wants *wants)
{
	return scx_wants(wants) && scx_globals_wants(wants) && scx_idle_wants(wants) &&
	       scx_scheds_wants(wants) && scx_queues_wants(wants) && scx_finish_wants(wants);
}

struct kt_error *scx_snapshot_check(const struct kfacts *facts)
{
	return scx_supported(facts) ? NULL
				    : kt_error_new(KT_ERROR_UNSUPPORTED,
						   "this kernel has no sched_ext "
						   "(CONFIG_SCHED_CLASS_EXT, since Linux 6.12)");
}

static struct kt_error *read_globals(void *arg)
{
	struct scx_walk *walk = arg;
	struct kt_error *err = scx_read(walk->guest, &walk->state);

	return err ? err : scx_globals_read(walk);
}

static struct kt_error *read_maps(void *arg)
{
	return scx_maps_read(arg);
}

static struct kt_error *read_idle(void *arg)
{
	return scx_idle_read(arg);
}

static struct kt_error *read_words(void *arg)
{
	return scx_words_read(arg);
}

static struct kt_error *read_queues(void *arg)
{
	return scx_queues_read(arg);
}

/* What does not lead to each other is read at once. */
static struct kt_error *read_all(struct scx_walk *walk)
{
	const struct guest_walk first[] = {{read_globals, walk}, {read_maps, walk}};
	const struct guest_walk last[] = {
		{read_idle, walk}, {read_words, walk}, {read_queues, walk}};
	struct kt_error *err = guest_together(walk->guest, first, 2);

	if (!err)
		err = scx_scheds_read(walk);
	return err ? err : guest_together(walk->guest, last, 3);
}

struct kt_error *scx_snapshot_read(struct guest *guest, struct scx_walk **ret)
{
	struct scx_walk *walk = calloc(1, sizeof(*walk));
	struct kt_error *err;

	if (!walk)
		return kt_error_no_memory();
	walk->guest = guest;
	walk->facts = guest_facts(guest);
	walk->memory = guest_memory(guest);
	walk->big_endian = kfacts_kernel(walk->facts)->big_endian;
	walk->kaslr_offset = guest_kaslr_offset(guest);
	err = read_all(walk);
	/* The guest is good for this stop alone. */
	walk->guest = NULL;
	walk->memory = (struct gmem){0};
	if (err) {
		scx_walk_destroy(walk);
		return err;
	}
	*ret = walk;
	return NULL;
}

void scx_walk_destroy(struct scx_walk *walk)
{
	if (!walk)
		return;
	for (size_t i = 0; i < SCX_N_GLOBALS; i++)
		scx_piece_deinit(&walk->globals[i]);
	scx_piece_deinit(&walk->online);
	scx_piece_deinit(&walk->idle);
	scx_piece_deinit(&walk->idle_core);
	scx_queues_deinit(walk);
	kt_vec_for_each (&walk->scheds, sched)
		scx_sched_read_deinit(walk, sched);
	kt_vec_free(&walk->scheds);
	struct_ops_list_deinit(&walk->maps);
	percpu_deinit(&walk->percpu);
	free(walk);
}

struct kt_error *scx_snapshot_finish(const struct scx_walk *walk, struct scx_snapshot *ret)
{
	struct scx_snapshot out = {.state = walk->state};
	struct kt_error *err = scx_finish(walk, &out);

	if (err) {
		scx_snapshot_deinit(&out);
		return err;
	}
	*ret = out;
	return NULL;
}
