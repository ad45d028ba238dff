// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_prog_impl.h"
#include "introspect/xarray.h"
#include "util/cleanup.h"

/*
 * Bounds on what a damaged guest makes us read and keep. More programs than any machine has,
 * of less than 2 KB each; and pieces that hang on them (maps, subprograms, statistics of a
 * CPU), of some 500 bytes each with all that is kept of a read: 10,000 programs on 256 CPUs
 * have 2,560,000.
 */
#define MAX_PROGRAMS 100000
#define MAX_PIECES   4000000

static const struct view_field prog_fields[] = {
	[PROG_LEN] = {.path = "len"},
	[PROG_JITED_LEN] = {.path = "jited_len"},
	[PROG_TYPE] = {.path = "type"},
	/* In a union with a SHA-256 digest of 32 bytes since 6.18: the tag is its start. */
	[PROG_TAG] = {.path = "tag", .max = 8},
	[PROG_GPL] = {.path = "gpl_compatible"},
	[PROG_AUX] = {.path = "aux"},
	[PROG_STATS] = {.path = "stats", .optional = true}, /* in bpf_prog since 5.12 */
};
static const struct view_type prog_type = VIEW_TYPE("bpf_prog", prog_fields);

static const struct view_field aux_fields[] = {
	[AUX_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[AUX_ID] = {.path = "id"},
	[AUX_NAME] = {.path = "name", .max = 16},
	[AUX_VERIFIED_INSNS] = {.path = "verified_insns", .optional = true}, /* since 5.16 */
	[AUX_LOAD_TIME] = {.path = "load_time"},
	[AUX_USER] = {.path = "user", .optional = true},
	[AUX_USED_MAPS] = {.path = "used_maps"},
	[AUX_USED_MAP_CNT] = {.path = "used_map_cnt"},
	[AUX_FUNC] = {.path = "func"},
	[AUX_FUNC_CNT] = {.path = "func_cnt"},
	[AUX_BTF] = {.path = "btf", .optional = true},
	[AUX_FUNC_INFO] = {.path = "func_info", .optional = true},
	[AUX_FUNC_INFO_CNT] = {.path = "func_info_cnt", .optional = true},
	[AUX_FUNC_IDX] = {.path = "func_idx", .optional = true},
	[AUX_STATS] = {.path = "stats", .optional = true}, /* here up to 5.11 */
};
static const struct view_type aux_type = VIEW_TYPE("bpf_prog_aux", aux_fields);

static const struct view_field idr_fields[] = {{.path = "idr_rt.xa_head"}};
static const struct view_type idr_type = VIEW_TYPE("idr", idr_fields);

bool bpf_progs_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_SYMBOL, "prog_idr", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_prog_type", NULL, true) &&
	       view_wants(&idr_type, wants) && view_wants(&prog_type, wants) &&
	       view_wants(&aux_type, wants) && xarray_wants(wants) && percpu_wants(wants) &&
	       wallclock_wants(wants) && refs_wants(wants) && name_wants(wants);
}

struct kt_error *bpf_progs_check(const struct kfacts *facts)
{
	struct kfacts_member member;
	bool has_type = kfacts_member(facts, "bpf_prog_aux", "id", &member);
	struct kt_error *err;
	struct view view;
	gaddr_t idr;

	if (!kfacts_symbol(facts, "prog_idr", &idr)) {
		if (!has_type)
			return kt_error_new(KT_ERROR_UNSUPPORTED,
					    "this kernel has no BPF (CONFIG_BPF_SYSCALL)");
		return bpf_idr_not_placed("prog_idr");
	}
	err = view_init(&view, &idr_type, facts);
	if (!err)
		err = view_init(&view, &prog_type, facts);
	if (!err)
		err = view_init(&view, &aux_type, facts);
	return err;
}

struct kt_error *walk_begin(const struct view *view, struct gmem_batch *batch, gaddr_t addr,
			    uint8_t **image, struct pieces_of *pieces, bool *known)
{
	if (!addr)
		return NULL;
	*image = calloc(1, view->size);
	pieces->first = batch->reads.len;
	if (!*image || !view_read(view, batch, addr, *image))
		return kt_error_no_memory();
	pieces->end = batch->reads.len;
	*known = true;
	return NULL;
}

size_t walk_short_name(const struct bpf_progs *progs, const struct walk_entry *entry,
		       const char **ret)
{
	size_t len = 0;
	const char *name = view_bytes(&progs->aux, entry->aux, AUX_NAME, &len);

	*ret = name;
	return name ? strnlen(name, len < SHORT_NAME_MAX ? len : SHORT_NAME_MAX) : 0;
}

/* What the walk needs besides programs; its first reads travel with theirs. */
struct context {
	struct guest *guest;
	struct percpu_reader percpu;
	struct gmem_batch batch, next;
};

static void context_deinit(struct context *ctx)
{
	percpu_reader_deinit(&ctx->percpu);
	gmem_batch_deinit(&ctx->batch);
	gmem_batch_deinit(&ctx->next);
}

/* Reads what was put into next; it becomes the batch that is done, next is empty. */
static struct kt_error *context_turn(struct context *ctx)
{
	struct gmem_batch done = ctx->batch;

	ctx->batch = ctx->next;
	ctx->next = done;
	ctx->next.reads.len = 0;
	return guest_read(ctx->guest, &ctx->batch);
}

/* prog_idr's head, the mask of CPUs, the clock; then the xarray. */
static struct kt_error *read_index(struct context *ctx, struct bpf_progs *progs,
				   struct xarray_entries *ret)
{
	const struct kfacts *facts = guest_facts(ctx->guest);
	const struct gmem memory = guest_memory(ctx->guest);
	uint8_t image[8];
	struct view idr;
	struct kt_error *err;
	gaddr_t addr;

	err = view_init(&idr, &idr_type, facts);
	if (err)
		return err;
	if (!guest_symbol(ctx->guest, "prog_idr", &addr))
		return bpf_progs_check(facts);
	if (!view_read(&idr, &ctx->next, addr, image))
		return kt_error_no_memory();
	err = percpu_begin(&ctx->percpu, ctx->guest, &ctx->next);
	if (!err)
		err = wallclock_begin(&progs->clock, ctx->guest, &ctx->next);
	if (!err)
		err = context_turn(ctx);
	if (err)
		return err;
	if (ctx->batch.reads.data[0].fault)
		return kt_error_new(KT_ERROR_FAULT,
				    "prog_idr, at 0x%016llx in the guest, is not mapped",
				    (unsigned long long)addr);
	wallclock_end(&progs->clock, &ctx->batch);
	return xarray_walk(facts, &memory, view_uint(&idr, image, 0), MAX_PROGRAMS, ret);
}

static struct kt_error *read_progs(struct context *ctx, struct bpf_progs *progs)
{
	struct kt_error *err;
	bool known;

	for (size_t i = 0; i < progs->n; i++) {
		struct walk_entry *entry = &progs->entries[i];

		err = walk_begin(&progs->prog, &ctx->next, entry->addr, &entry->prog,
				 &entry->pieces, &known);
		if (err)
			return err;
	}
	err = percpu_next(&ctx->percpu, ctx->guest, &ctx->batch, &ctx->next);
	if (!err)
		err = context_turn(ctx);
	if (!err)
		err = percpu_end(&ctx->percpu, ctx->guest, &ctx->batch, &progs->percpu);
	return err;
}

static struct kt_error *read_auxes(struct context *ctx, struct bpf_progs *progs)
{
	struct kt_error *err;

	for (size_t i = 0; i < progs->n; i++) {
		struct walk_entry *entry = &progs->entries[i];

		if (gmem_batch_fault(&ctx->batch, entry->pieces.first, entry->pieces.end))
			continue;
		err = walk_begin(&progs->aux, &ctx->next,
				 view_uint(&progs->prog, entry->prog, PROG_AUX), &entry->aux,
				 &entry->pieces, &entry->readable);
		if (err)
			return err;
	}
	err = context_turn(ctx);
	if (err)
		return err;
	for (size_t i = 0; i < progs->n; i++) {
		struct walk_entry *entry = &progs->entries[i];

		if (entry->readable)
			entry->readable = !gmem_batch_fault(&ctx->batch, entry->pieces.first,
							    entry->pieces.end);
	}
	return NULL;
}

/*
 * The IDR's index is the ID. So nothing is listed twice, and what a guest has claimed often is
 * followed once.
 */
static bool is_misplaced(const struct bpf_progs *progs, const struct walk_entry *entry)
{
	return view_uint(&progs->aux, entry->aux, AUX_ID) != entry->index;
}

/* One more level down from the programs: 0 begins, then one call a batch. */
static struct kt_error *step_down(struct context *ctx, struct bpf_progs *progs, unsigned int step)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < progs->n && !err; i++) {
		struct walk_entry *entry = &progs->entries[i];

		if (!entry->readable || is_misplaced(progs, entry))
			continue;
		if (step == 0) {
			err = refs_begin(progs, entry, &ctx->next);
			if (!err)
				err = name_begin(progs, entry, &ctx->next);
			continue;
		}
		if (step == 1)
			err = refs_follow(progs, entry, &ctx->batch, &ctx->next);
		else if (step == 2)
			refs_end(entry, &ctx->batch);
		if (!err)
			err = name_step(progs, entry, step, &ctx->batch, &ctx->next);
	}
	return err ? err : context_turn(ctx);
}

static struct kt_error *read_all(struct context *ctx, struct bpf_progs *progs)
{
	_cleanup_(xarray_entries_deinit) struct xarray_entries index = {0};
	struct kt_error *err = read_index(ctx, progs, &index);

	if (err)
		return err;
	progs->entries = calloc(index.v.len + 1, sizeof(*progs->entries));
	if (!progs->entries)
		return kt_error_no_memory();
	progs->n = index.v.len;
	progs->n_unreadable = index.damaged;
	for (size_t i = 0; i < progs->n; i++) {
		progs->entries[i].index = index.v.data[i].index;
		progs->entries[i].addr = index.v.data[i].pointer;
	}
	err = read_progs(ctx, progs);
	if (!err)
		err = read_auxes(ctx, progs);
	for (unsigned int step = 0; step <= NAME_STEPS && !err; step++)
		err = step_down(ctx, progs, step);
	if (err)
		return err;
	for (size_t i = 0; i < progs->n; i++)
		name_end(&progs->entries[i], &ctx->batch);
	return NULL;
}

struct kt_error *walk_init(struct bpf_progs *progs, const struct kfacts *facts)
{
	struct kt_error *err;

	progs->big_endian = kfacts_kernel(facts)->big_endian;
	progs->pieces_left = MAX_PIECES;
	refs_init(progs, facts);
	name_init(progs, facts);
	err = view_init(&progs->prog, &prog_type, facts);
	return err ? err : view_init(&progs->aux, &aux_type, facts);
}

struct kt_error *bpf_progs_read(struct guest *guest, struct bpf_progs **ret)
{
	_cleanup_(context_deinit) struct context ctx = {.guest = guest};
	const struct kfacts *facts = guest_facts(guest);
	struct bpf_progs *progs = calloc(1, sizeof(*progs));
	struct kt_error *err;

	if (!progs)
		return kt_error_no_memory();
	err = walk_init(progs, facts);
	if (!err)
		err = read_all(&ctx, progs);
	if (err) {
		bpf_progs_destroy(progs);
		return err;
	}
	*ret = progs;
	return NULL;
}

void bpf_progs_destroy(struct bpf_progs *progs)
{
	if (!progs)
		return;
	for (size_t i = 0; i < progs->n; i++) {
		free(progs->entries[i].prog);
		free(progs->entries[i].aux);
		refs_deinit(&progs->entries[i]);
		name_deinit(&progs->entries[i]);
	}
	free(progs->entries);
	percpu_deinit(&progs->percpu);
	free(progs);
}

static struct program_number known(uint64_t value)
{
	return (struct program_number){.known = true, .value = value};
}

#define INSN_SIZE 8 /* sizeof(struct bpf_insn) */

static struct kt_error *entry_finish(const struct bpf_progs *progs, const struct walk_entry *entry,
				     const struct kfacts *facts, struct program *ret)
{
	const struct view *prog = &progs->prog, *aux = &progs->aux;
	const uint8_t *tag;
	const char *name;
	int64_t loaded_at;
	struct kt_error *err;
	size_t len;

	ret->id = (uint32_t)view_uint(aux, entry->aux, AUX_ID);
	len = walk_short_name(progs, entry, &name);
	memcpy(ret->name, name, len);
	tag = view_bytes(prog, entry->prog, PROG_TAG, &len);
	for (size_t i = 0; i < len && i < 8; i++)
		snprintf(ret->tag + 2 * i, 3, "%02x", tag[i]);
	ret->gpl_known = true;
	ret->gpl_compatible = view_uint(prog, entry->prog, PROG_GPL) != 0;
	if (view_has(aux, AUX_VERIFIED_INSNS))
		ret->verified_insns = known(view_uint(aux, entry->aux, AUX_VERIFIED_INSNS));
	ret->bytes_xlated = known(view_uint(prog, entry->prog, PROG_LEN) * INSN_SIZE);
	if (wallclock_of_boottime(&progs->clock, view_uint(aux, entry->aux, AUX_LOAD_TIME),
				  &loaded_at) &&
	    loaded_at >= 0)
		ret->loaded_at = known((uint64_t)loaded_at / 1000000000);
	err = bpf_enum_text(facts, "bpf_prog_type", "BPF_PROG_TYPE_",
			    view_uint(prog, entry->prog, PROG_TYPE), &ret->type);
	if (!err)
		err = refs_finish(progs, entry, ret);
	if (!err)
		err = name_finish(progs, entry, ret);
	return err;
}

/* Still in the IDR, but nobody holds it: bpf_prog_by_id() would not find it either. */
static bool is_dying(const struct bpf_progs *progs, const struct walk_entry *entry)
{
	return view_uint(&progs->aux, entry->aux, AUX_ID) == 0 ||
	       (view_has(&progs->aux, AUX_REFCNT) &&
		view_uint(&progs->aux, entry->aux, AUX_REFCNT) == 0);
}

struct kt_error *bpf_progs_finish(const struct bpf_progs *progs, const struct kfacts *facts,
				  struct programs *ret)
{
	_cleanup_(programs_deinit) struct programs out = {.n_unreadable = progs->n_unreadable};

	out.all = calloc(progs->n + 1, sizeof(*out.all));
	if (!out.all)
		return kt_error_no_memory();
	for (size_t i = 0; i < progs->n; i++) {
		const struct walk_entry *entry = &progs->entries[i];
		struct kt_error *err;

		if (!entry->readable) {
			out.n_unreadable++;
			continue;
		}
		if (is_dying(progs, entry))
			continue;
		if (is_misplaced(progs, entry)) {
			out.n_unreadable++;
			continue;
		}
		err = entry_finish(progs, entry, facts, &out.all[out.n++]);
		if (err)
			return err;
	}
	*ret = out;
	out = (struct programs){0};
	return NULL;
}
