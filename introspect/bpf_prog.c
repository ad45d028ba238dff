// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_prog_impl.h"
#include "memory/xarray.h"
#include "util/cleanup.h"

/* More than any machine has, of less than 2 KB each: a bound for a guest that is damaged. */
#define MAX_PROGRAMS 100000

static const struct view_field idr_fields[] = {{.path = "idr_rt.xa_head"}};
static const struct view_type idr_type = VIEW_TYPE("idr", idr_fields);

bool bpf_progs_wants(struct wants *wants)
{
	return bpf_idr_index_wants("prog_idr", wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_prog_type", NULL, true) &&
	       view_wants(&idr_type, wants) && prog_wants(wants) && xarray_wants(wants) &&
	       percpu_wants(wants) && wallclock_wants(wants) && refs_wants(wants) &&
	       attrs_wants(wants);
}

struct kt_error *bpf_progs_check(const struct kfacts *facts)
{
	struct kfacts_member member;
	bool has_type = kfacts_member(facts, "bpf_prog_aux", "id", &member);
	struct kt_error *err;
	struct view view;

	if (!bpf_idr_placed(facts, "prog_idr")) {
		if (!has_type)
			return kt_error_new(KT_ERROR_UNSUPPORTED,
					    "this kernel has no BPF (CONFIG_BPF_SYSCALL)");
		return bpf_idr_not_placed("prog_idr");
	}
	err = view_init(&view, &idr_type, facts);
	return err ? err : prog_check(facts);
}

/* A walk under way. The per-CPU offsets are read in the same batches as the programs. */
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

/* Reads `next`, which becomes `batch`; the new `next` is empty. */
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
	err = bpf_idr_addr(ctx->guest, "prog_idr", &addr);
	if (!err)
		err = wallclock_find(ctx->guest);
	if (err)
		return err;
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

	for (size_t i = 0; i < progs->n; i++) {
		struct walk_entry *entry = &progs->entries[i];

		err = object_begin(&entry->prog.prog, &progs->views.prog, entry->addr, &ctx->next);
		if (err)
			return err;
	}
	err = percpu_next(&ctx->percpu, ctx->guest, &ctx->batch, &ctx->next);
	if (!err)
		err = context_turn(ctx);
	if (!err)
		err = percpu_end(&ctx->percpu, ctx->guest, &ctx->batch, &progs->refs.percpu);
	return err;
}

static struct kt_error *read_auxes(struct context *ctx, struct bpf_progs *progs)
{
	struct kt_error *err;

	for (size_t i = 0; i < progs->n; i++) {
		struct prog *prog = &progs->entries[i].prog;

		object_end(&prog->prog, &ctx->batch);
		if (!prog->prog.known)
			continue;
		err = object_begin(&prog->aux, &progs->views.aux,
				   view_uint(&progs->views.prog, prog->prog.image, PROG_AUX),
				   &ctx->next);
		if (err)
			return err;
	}
	err = context_turn(ctx);
	if (err)
		return err;
	for (size_t i = 0; i < progs->n; i++)
		object_end(&progs->entries[i].prog.aux, &ctx->batch);
	return NULL;
}

static uint64_t aux_uint(const struct bpf_progs *progs, const struct walk_entry *entry,
			 unsigned int field)
{
	return view_uint(&progs->views.aux, entry->prog.aux.image, field);
}

/*
 * The IDR's index is the ID. A guest can put one program into many slots; only the one in its own
 * slot is followed, so that nothing is listed twice or read more than once.
 */
static bool is_misplaced(const struct bpf_progs *progs, const struct walk_entry *entry)
{
	return !progs->at && aux_uint(progs, entry, AUX_ID) != entry->index;
}

/* One level further down from the programs, in a batch: 0 is the first. */
static struct kt_error *step_down(struct context *ctx, struct bpf_progs *progs, unsigned int step)
{
	const struct prog_views *views = &progs->views;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < progs->n && !err; i++) {
		struct walk_entry *entry = &progs->entries[i];
		struct prog *prog = &entry->prog;

		if (!prog->aux.known || is_misplaced(progs, entry))
			continue;
		if (step == 0) {
			if (!progs->at)
				err = refs_begin(&progs->refs, views, prog, &entry->refs,
						 &ctx->next);
			if (!err)
				err = prog_name_begin(views, prog, &ctx->next);
			if (!err)
				err = attrs_begin(views, prog, &entry->attrs, &ctx->next);
			continue;
		}
		if (step == 1)
			attrs_end(&entry->attrs, &ctx->batch);
		if (step == 1 && !progs->at)
			err = refs_follow(&progs->refs, &entry->refs, &ctx->batch, &ctx->next);
		else if (step == 2 && !progs->at)
			refs_end(&entry->refs, &ctx->batch);
		if (!err)
			err = prog_name_step(views, prog, step, &ctx->batch, &ctx->next);
	}
	return err ? err : context_turn(ctx);
}

/* What hangs on the programs whose addresses are known. */
static struct kt_error *read_entries(struct context *ctx, struct bpf_progs *progs)
{
	struct kt_error *err = read_progs(ctx, progs);

	if (!err)
		err = read_auxes(ctx, progs);
	for (unsigned int step = 0; step <= NAME_STEPS && !err; step++)
		err = step_down(ctx, progs, step);
	if (err)
		return err;
	for (size_t i = 0; i < progs->n; i++)
		prog_name_end(&progs->entries[i].prog, &ctx->batch);
	return NULL;
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
	return read_entries(ctx, progs);
}

static struct kt_error *read_at(struct context *ctx, struct bpf_progs *progs, const gaddr_t *addrs,
				size_t n)
{
	progs->entries = calloc(n + 1, sizeof(*progs->entries));
	if (!progs->entries)
		return kt_error_no_memory();
	progs->at = true;
	progs->n = n;
	for (size_t i = 0; i < n; i++)
		progs->entries[i].addr = addrs[i];
	return read_entries(ctx, progs);
}

/* addrs: NULL: those of the IDR. */
static struct kt_error *read_into(struct guest *guest, const gaddr_t *addrs, size_t n,
				  struct bpf_progs **ret)
{
	_cleanup_(context_deinit) struct context ctx = {.guest = guest};
	const struct kfacts *facts = guest_facts(guest);
	struct bpf_progs *progs = calloc(1, sizeof(*progs));
	struct kt_error *err;

	if (!progs)
		return kt_error_no_memory();
	refs_views_init(&progs->refs, facts);
	err = prog_views_init(&progs->views, facts);
	if (!err && addrs)
		err = read_at(&ctx, progs, addrs, n);
	else if (!err)
		err = read_all(&ctx, progs);
	if (err) {
		bpf_progs_destroy(progs);
		return err;
	}
	*ret = progs;
	return NULL;
}

struct kt_error *bpf_progs_read(struct guest *guest, struct bpf_progs **ret)
{
	return read_into(guest, NULL, 0, ret);
}

struct kt_error *bpf_progs_read_at(struct guest *guest, const gaddr_t *addrs, size_t n,
				   struct bpf_progs **ret)
{
	static const gaddr_t none;

	return read_into(guest, addrs ? addrs : &none, n, ret);
}

void bpf_progs_destroy(struct bpf_progs *progs)
{
	if (!progs)
		return;
	for (size_t i = 0; i < progs->n; i++) {
		prog_deinit(&progs->entries[i].prog);
		refs_deinit(&progs->entries[i].refs);
		attrs_deinit(&progs->entries[i].attrs);
	}
	free(progs->entries);
	percpu_deinit(&progs->refs.percpu);
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
	const struct prog_views *views = &progs->views;
	const struct view *prog = &views->prog;
	const uint8_t *image = entry->prog.prog.image, *tag;
	const char *name;
	int64_t loaded_at;
	struct kt_error *err;
	size_t len;

	ret->id = (uint32_t)aux_uint(progs, entry, AUX_ID);
	len = prog_short_name(views, &entry->prog, &name);
	memcpy(ret->name, name, len);
	tag = view_bytes(prog, image, PROG_TAG, &len);
	prog_tag_text(tag, len, ret->tag);
	ret->gpl_known = true;
	ret->gpl_compatible = view_uint(prog, image, PROG_GPL) != 0;
	if (view_has(&views->aux, AUX_VERIFIED_INSNS))
		ret->verified_insns = known(aux_uint(progs, entry, AUX_VERIFIED_INSNS));
	ret->bytes_xlated = known(view_uint(prog, image, PROG_LEN) * INSN_SIZE);
	if (wallclock_of_boottime(&progs->clock, aux_uint(progs, entry, AUX_LOAD_TIME),
				  &loaded_at) &&
	    loaded_at >= 0)
		ret->loaded_at = known((uint64_t)loaded_at / 1000000000);
	ret->btf_id = prog_btf_id(views, &entry->prog);
	err = bpf_enum_text(facts, "bpf_prog_type", "BPF_PROG_TYPE_",
			    view_uint(prog, image, PROG_TYPE), &ret->type);
	if (!err && !progs->at)
		err = refs_finish(&progs->refs, views, &entry->prog, &entry->refs, ret);
	if (!err)
		err = attrs_finish(views, &entry->prog, &entry->attrs, facts, ret);
	return err ? err : prog_full_name(views, &entry->prog, &ret->full_name);
}

/* Still in the IDR, but nobody holds it: bpf_prog_by_id() would not find it either. */
static bool is_dying(const struct bpf_progs *progs, const struct walk_entry *entry)
{
	return aux_uint(progs, entry, AUX_ID) == 0 ||
	       (view_has(&progs->views.aux, AUX_REFCNT) && aux_uint(progs, entry, AUX_REFCNT) == 0);
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

		if (!entry->prog.aux.known) {
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

struct kt_error *bpf_progs_finish_at(const struct bpf_progs *progs, const struct kfacts *facts,
				     struct programs *ret)
{
	_cleanup_(programs_deinit) struct programs out = {0};

	out.all = calloc(progs->n + 1, sizeof(*out.all));
	if (!out.all)
		return kt_error_no_memory();
	for (size_t i = 0; i < progs->n; i++) {
		const struct walk_entry *entry = &progs->entries[i];
		struct program *program = &out.all[out.n++];
		struct kt_error *err = NULL;

		if (entry->prog.aux.known)
			err = entry_finish(progs, entry, facts, program);
		if (err)
			return err;
	}
	*ret = out;
	out = (struct programs){0};
	return NULL;
}
