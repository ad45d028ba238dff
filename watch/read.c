// SPDX-License-Identifier: LGPL-2.1-or-later
/* What one stop reads: the verifier's environment of a load, its program, its task. */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "watch/watch_impl.h"

/* Subprograms of a program, at most: BPF_MAX_SUBPROGS is 256. */
#define MAX_SUBPROGS 4096

/* struct bpf_verifier_env, include/linux/bpf_verifier.h; the log's positions since 6.4 */
enum {
	ENV_PROG,
	ENV_LOG_START,
	ENV_LOG_END,
	ENV_LOG_UBUF,
	ENV_LOG_LEVEL,
	ENV_LOG_SIZE,
	ENV_SUBPROG_CNT,
	ENV_INSN_PROCESSED,
	ENV_VERIFICATION_TIME,
	ENV_MAX_STATES,
	ENV_TOTAL_STATES,
	ENV_PEAK_STATES,
	ENV_MARK_READ,
	ENV_MAX_STACK_DEPTH,
	ENV_SUBPROGS,
};
static const struct view_field env_fields[] = {
	[ENV_PROG] = {.path = "prog"},
	[ENV_LOG_START] = {.path = "log.start_pos", .optional = true},
	[ENV_LOG_END] = {.path = "log.end_pos", .optional = true},
	[ENV_LOG_UBUF] = {.path = "log.ubuf", .optional = true},
	[ENV_LOG_LEVEL] = {.path = "log.level", .optional = true},
	[ENV_LOG_SIZE] = {.path = "log.len_total", .optional = true},
	[ENV_SUBPROG_CNT] = {.path = "subprog_cnt", .optional = true},
	[ENV_INSN_PROCESSED] = {.path = "insn_processed", .optional = true},
	[ENV_VERIFICATION_TIME] = {.path = "verification_time", .optional = true},
	[ENV_MAX_STATES] = {.path = "max_states_per_insn", .optional = true},
	[ENV_TOTAL_STATES] = {.path = "total_states", .optional = true},
	[ENV_PEAK_STATES] = {.path = "peak_states", .optional = true},
	[ENV_MARK_READ] = {.path = "longest_mark_read_walk", .optional = true},
	/* since 7.2, which prints it in place of the depths */
	[ENV_MAX_STACK_DEPTH] = {.path = "max_stack_depth", .optional = true},
	/* The first few; a program with more of them costs a round trip more. */
	[ENV_SUBPROGS] = {.path = "subprog_info", .optional = true, .max = 1024},
};
static const struct view_type env_type = VIEW_TYPE("bpf_verifier_env", env_fields);

/* The way back from a bpf_prog_aux to its program, which proves that it is one. */
static const struct view_field aux_prog_fields[] = {{.path = "prog"}};
static const struct view_type aux_prog_type = VIEW_TYPE("bpf_prog_aux", aux_prog_fields);

enum { TASK_COMM, TASK_TGID };
static const struct view_field task_fields[] = {
	[TASK_COMM] = {.path = "comm", .max = 16},
	[TASK_TGID] = {.path = "tgid"},
};
static const struct view_type task_type = VIEW_TYPE("task_struct", task_fields);

bool watch_read_wants(struct wants *wants)
{
	return view_wants(&env_type, wants) && view_wants(&aux_prog_type, wants) &&
	       view_wants(&task_type, wants) && watch_loaded_wants(wants) &&
	       wants_add(wants, KFACTS_PARAM, "bpf_vlog_finalize", "bpf_verifier_log", true) &&
	       wants_add(wants, KFACTS_PARAM, "bpf_vlog_init", "bpf_verifier_log", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_verifier_env", "log", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_verifier_env", "subprog_info", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_subprog_info", "stack_depth", true) &&
	       wants_add(wants, KFACTS_SIZE, "bpf_subprog_info", NULL, true) &&
	       /* Where the current task is: in pcpu_hot from 6.2 to 6.14, else a variable. */
	       wants_add(wants, KFACTS_SYMBOL, "current_task", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "pcpu_hot", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "pcpu_hot", "current_task", true);
}

/*
 * Symbols of per-CPU variables are small numbers on x86-64 up to 6.14, and addresses of the
 * image since. Either way, the variable of a CPU is where its per-CPU offset is added.
 */
#define ABSOLUTE_PERCPU_MAX (UINT64_C(1) << 32)

static struct kt_error *find_current_task(struct watch *watch)
{
	struct kfacts_member member = {0};
	gaddr_t addr;

	if (!kfacts_symbol(watch->facts, "current_task", &addr)) {
		if (!kfacts_symbol(watch->facts, "pcpu_hot", &addr) ||
		    !kfacts_member(watch->facts, "pcpu_hot", "current_task", &member))
			return kt_error_new(KT_ERROR_NOT_FOUND,
					    "the image does not tell where the current task is: "
					    "neither current_task nor pcpu_hot is among its "
					    "symbols");
	}
	if (addr >= ABSOLUTE_PERCPU_MAX)
		addr += (uint64_t)watch->kaslr_offset;
	watch->current_task = addr + member.offset;
	return NULL;
}

/* The register of the parameter that is the log; the first, where the types do not tell. */
static const char *log_register(const struct watch *watch, const char *function)
{
	uint64_t at;

	if (!kfacts_param(watch->facts, function, "bpf_verifier_log", &at))
		at = 0;
	return watch->arch->args[at < watch->arch->n_args ? at : 0];
}

static void name_registers(struct watch *watch)
{
	watch->register_names[WATCH_PC] = watch->arch->pc;
	watch->register_names[WATCH_RESULT] = watch->arch->result;
	watch->register_names[WATCH_PERCPU] = watch->arch->percpu;
	watch->register_names[WATCH_FINALIZE_LOG] = log_register(watch, "bpf_vlog_finalize");
	watch->register_names[WATCH_INIT_LOG] = log_register(watch, "bpf_vlog_init");
}

struct kt_error *watch_read_init(struct watch *watch)
{
	const struct kfacts *facts = watch->facts;
	struct kt_error *err = find_current_task(watch);

	if (!err)
		err = walk_init(&watch->progs, facts);
	if (!err)
		err = view_init(&watch->env, &env_type, facts);
	if (!err)
		err = view_init(&watch->aux_prog, &aux_prog_type, facts);
	if (!err)
		err = view_init(&watch->task, &task_type, facts);
	if (err)
		return err;
	name_registers(watch);
	kfacts_member(facts, "bpf_verifier_env", "log", &watch->log_in_env);
	kfacts_member(facts, "bpf_verifier_env", "subprog_info", &watch->subprogs_in_env);
	kfacts_member(facts, "bpf_subprog_info", "stack_depth", &watch->depth_in_subprog);
	kfacts_size(facts, "bpf_subprog_info", &watch->subprog_size);
	return NULL;
}

/* --- batches --- */

struct kt_error *watch_read(struct watch *watch, struct gmem_batch *batch)
{
	return gmem_batch_read(batch, watch->source.read_virtual, watch->source.context);
}

/* A round trip: what was added is read, and the batch is empty for the next. */
struct kt_error *watch_read_all(struct watch *watch, struct gmem_batch *batch, bool *complete)
{
	struct kt_error *err = watch_read(watch, batch);

	*complete = !err && !gmem_batch_fault(batch, 0, batch->reads.len);
	batch->reads.len = 0;
	return err;
}

static struct program_number number(const struct view *view, const void *image, unsigned int field)
{
	return (struct program_number){view_has(view, field), view_uint(view, image, field)};
}

void watch_take_task(const struct watch *watch, const void *image, struct bpf_load *load)
{
	size_t len = 0;
	const char *comm = view_bytes(&watch->task, image, TASK_COMM, &len);

	if (comm)
		memcpy(load->comm, comm, strnlen(comm, len < 15 ? len : 15));
	load->pid = (uint32_t)view_uint(&watch->task, image, TASK_TGID);
	load->by_known = true;
}

void watch_reading_deinit(struct watch_reading *r)
{
	gmem_batch_deinit(&r->batch);
	free(r->env);
	free(r->task);
	free(r->aux_prog);
	free(r->entry.prog);
	free(r->entry.aux);
	free(r->subprogs);
	name_deinit(&r->entry);
}

static struct kt_error *add(const struct view *view, struct watch_reading *r, gaddr_t addr,
			    uint8_t **image)
{
	struct pieces_of pieces;
	bool known;

	return walk_begin(view, &r->batch, addr, image, &pieces, &known);
}

gaddr_t watch_task_of(const struct watch *watch, const struct watch_reading *r)
{
	return kt_load_uint(r->task_pointer, sizeof(r->task_pointer), watch->progs.big_endian);
}

/*
 * The first round trip of a stop: what was added, the current task, and the instruction at hand.
 * It may have changed since the breakpoint was set: ftrace patches code.
 */
struct kt_error *watch_read_first(struct watch *watch, struct watch_reading *r, bool *complete)
{
	size_t n = r->batch.reads.len;
	struct kt_error *err;

	if (!gmem_batch_add(&r->batch, watch->registers[WATCH_PERCPU] + watch->current_task,
			    r->task_pointer, sizeof(r->task_pointer)) ||
	    !gmem_batch_add(&r->batch, watch->registers[WATCH_PC], watch->code, WATCH_CODE_LEN))
		return kt_error_no_memory();
	err = watch_read(watch, &r->batch);
	watch->code_known = !err && !gmem_batch_fault(&r->batch, n + 1, n + 2);
	*complete = !err && !gmem_batch_fault(&r->batch, 0, n + 1);
	r->batch.reads.len = 0;
	return err;
}

/* The subprograms' records that are still to be read. */
static struct kt_error *add_subprogs(struct watch *watch, struct watch_reading *r, gaddr_t env)
{
	uint64_t n = view_uint(&watch->env, r->env, ENV_SUBPROG_CNT), seen, size;
	size_t got = 0;

	if (!view_bytes(&watch->env, r->env, ENV_SUBPROGS, &got) || !watch->subprog_size ||
	    watch->subprog_size > 65536)
		return NULL;
	size = watch->subprog_size;
	if (n > MAX_SUBPROGS || n * size > watch->subprogs_in_env.size)
		return NULL; /* no program has so many: they stay unknown */
	r->n_subprogs = (size_t)n;
	r->subprogs = calloc(r->n_subprogs + 1, (size_t)size);
	if (!r->subprogs)
		return kt_error_no_memory();
	seen = got < n * size ? got : n * size;
	memcpy(r->subprogs, view_bytes(&watch->env, r->env, ENV_SUBPROGS, &got), (size_t)seen);
	if (n * size > seen &&
	    !gmem_batch_add(&r->batch, env + watch->subprogs_in_env.offset + seen,
			    r->subprogs + seen, (size_t)(n * size - seen)))
		return kt_error_no_memory();
	return NULL;
}

struct kt_error *watch_read_task(struct watch *watch, struct watch_reading *r, gaddr_t task,
				 bool *complete)
{
	struct kt_error *err = add(&watch->task, r, task, &r->task);

	*complete = false;
	return err ? err : watch_read_all(watch, &r->batch, complete);
}

/*
 * bpf_vlog_finalize() is called for the log of a BTF load, too, and since 7.1 through the same
 * function. Then there is no bpf_verifier_env around the log: what lies where its program would
 * be is no program whose aux leads back to it.
 */
static bool is_program(const struct watch *watch, const struct watch_reading *r, gaddr_t prog)
{
	return r->aux_prog && view_uint(&watch->aux_prog, r->aux_prog, 0) == prog;
}

/* Two round trips; what was added before goes along. *ok_ret: it is one, proved. */
struct kt_error *watch_read_program(struct watch *watch, struct watch_reading *r, gaddr_t prog,
				    bool *ok_ret)
{
	struct kt_error *err;
	bool complete;
	gaddr_t aux;

	*ok_ret = false;
	err = add(&watch->progs.prog, r, prog, &r->entry.prog);
	if (!err)
		err = watch_read_all(watch, &r->batch, &complete);
	if (err || !complete || !prog)
		return err;
	aux = view_uint(&watch->progs.prog, r->entry.prog, PROG_AUX);
	err = add(&watch->progs.aux, r, aux, &r->entry.aux);
	if (!err)
		err = add(&watch->aux_prog, r, aux, &r->aux_prog);
	if (!err)
		err = watch_read_all(watch, &r->batch, &complete);
	*ok_ret = !err && complete && is_program(watch, r, prog);
	return err;
}

struct kt_error *watch_read_name(struct watch *watch, struct guest *guest, struct walk_entry *entry)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const char *name;
	struct kt_error *err;

	/* A shorter one is not cut. */
	if (walk_short_name(&watch->progs, entry, &name) < SHORT_NAME_MAX)
		return NULL;
	err = name_begin(&watch->progs, entry, &batch);
	for (unsigned int step = 1; !err && step <= NAME_STEPS + 1; step++) {
		_cleanup_(gmem_batch_deinit) struct gmem_batch done = batch;

		batch = (struct gmem_batch){0};
		err = guest ? guest_read(guest, &done) : watch_read(watch, &done);
		if (!err && step <= NAME_STEPS)
			err = name_step(&watch->progs, entry, step, &done, &batch);
		else if (!err)
			name_end(entry, &done);
	}
	return err;
}

/* Four round trips, and four more for a name that is cut. *is_load_ret: it is a program's. */
struct kt_error *watch_read_env(struct watch *watch, gaddr_t env, struct watch_reading *r,
				bool *is_load_ret)
{
	struct kt_error *err;
	bool complete;
	gaddr_t prog;

	*is_load_ret = false;
	err = add(&watch->env, r, env, &r->env);
	if (!err)
		err = watch_read_first(watch, r, &complete);
	if (err || !complete)
		return err;
	prog = view_uint(&watch->env, r->env, ENV_PROG);
	if (!prog)
		return NULL;
	err = add(&watch->task, r, watch_task_of(watch, r), &r->task);
	if (!err)
		err = add_subprogs(watch, r, env);
	if (!err)
		err = watch_read_program(watch, r, prog, is_load_ret);
	return err || !*is_load_ret ? err : watch_read_name(watch, NULL, &r->entry);
}

/* print_verification_stats() prints these, in kernel/bpf/verifier.c. */
struct kt_error *watch_take_numbers(const struct watch *watch, const struct watch_reading *r,
				    struct bpf_load *load)
{
	const struct view *env = &watch->env;
	const struct kfacts_member *depth = &watch->depth_in_subprog;

	load->verified_insns = number(env, r->env, ENV_INSN_PROCESSED);
	load->total_states = number(env, r->env, ENV_TOTAL_STATES);
	load->peak_states = number(env, r->env, ENV_PEAK_STATES);
	load->max_states_per_insn = number(env, r->env, ENV_MAX_STATES);
	load->mark_read = number(env, r->env, ENV_MARK_READ);
	load->verification_time_ns = number(env, r->env, ENV_VERIFICATION_TIME);
	load->stack_max = number(env, r->env, ENV_MAX_STACK_DEPTH);
	load->log_level = number(env, r->env, ENV_LOG_LEVEL);
	load->log_bytes = number(env, r->env, ENV_LOG_END);
	if (!r->n_subprogs || !depth->size || depth->size > 4 || depth->bit_size ||
	    depth->offset + depth->size > watch->subprog_size)
		return NULL;
	load->stack_depth = calloc(r->n_subprogs, sizeof(*load->stack_depth));
	if (!load->stack_depth)
		return kt_error_no_memory();
	for (size_t i = 0; i < r->n_subprogs; i++)
		load->stack_depth[i] = (uint32_t)kt_load_uint(
			r->subprogs + i * watch->subprog_size + depth->offset, depth->size,
			watch->progs.big_endian);
	load->n_stack_depth = r->n_subprogs;
	return NULL;
}

struct kt_error *watch_take_program(const struct watch *watch, const struct watch_reading *r,
				    struct bpf_load *load)
{
	_cleanup_(program_deinit) struct program program = {0};
	struct kt_error *err;
	const char *name;
	size_t len = walk_short_name(&watch->progs, &r->entry, &name);

	if (name)
		memcpy(load->name, name, len);
	err = bpf_enum_text(watch->facts, "bpf_prog_type", "BPF_PROG_TYPE_",
			    view_uint(&watch->progs.prog, r->entry.prog, PROG_TYPE), &load->type);
	if (!err)
		err = name_finish(&watch->progs, &r->entry, &program);
	load->full_name = kt_take_ptr(program.full_name);
	return err;
}

void watch_take_log(const struct watch *watch, const struct watch_reading *r,
		    struct watch_pending *p)
{
	p->log_buf = view_uint(&watch->env, r->env, ENV_LOG_UBUF);
	p->log_start = view_uint(&watch->env, r->env, ENV_LOG_START);
	p->log_end = view_uint(&watch->env, r->env, ENV_LOG_END);
	p->log_size = view_uint(&watch->env, r->env, ENV_LOG_SIZE);
}

void watch_take_unverified(const struct watch *watch, const struct watch_reading *r,
			   struct bpf_load *load)
{
	load->verified_insns = number(&watch->progs.aux, r->entry.aux, AUX_VERIFIED_INSNS);
}
