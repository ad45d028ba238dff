// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "watch/reader.h"

/* The kernel's own limit, BPF_MAX_SUBPROGS, is 256. */
#define MAX_SUBPROGS 4096
/* libbpf asks for 16 MiB at most; the kernel takes up to 1 GiB. */
#define MAX_LOG ((uint64_t)64 << 20)

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
	/* The first few; the rest is read with the task and the program. */
	[ENV_SUBPROGS] = {.path = "subprog_info", .optional = true, .max = 1024},
};
static const struct view_type env_type = VIEW_TYPE("bpf_verifier_env", env_fields);

/* The pointer from a bpf_prog_aux back to its program: where it holds, both are what they seem. */
static const struct view_field aux_prog_fields[] = {{.path = "prog"}};
static const struct view_type aux_prog_type = VIEW_TYPE("bpf_prog_aux", aux_prog_fields);

enum { TASK_COMM, TASK_TGID, TASK_CPU_TIME };
static const struct view_field task_fields[] = {
	[TASK_COMM] = {.path = "comm", .max = 16},
	[TASK_TGID] = {.path = "tgid"},
	[TASK_CPU_TIME] = {.path = "se.sum_exec_runtime", .optional = true},
};
static const struct view_type task_type = VIEW_TYPE("task_struct", task_fields);

bool reader_wants(struct wants *wants)
{
	return prog_wants(wants) && wants_add(wants, KFACTS_ENUM, "bpf_prog_type", NULL, true) &&
	       view_wants(&env_type, wants) && view_wants(&aux_prog_type, wants) &&
	       view_wants(&task_type, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_verifier_env", "log", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_verifier_env", "subprog_info", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_subprog_info", "stack_depth", true) &&
	       wants_add(wants, KFACTS_SIZE, "bpf_subprog_info", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_prog", "insnsi", true) &&
	       /* The pointer to the current task: in pcpu_hot from 6.2 to 6.14, else a variable. */
	       wants_add(wants, KFACTS_SYMBOL, "current_task", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "pcpu_hot", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "pcpu_hot", "current_task", true) &&
	       wants_add(wants, KFACTS_MEMBER, "lowcore", "current_task", true);
}

/*
 * The symbol of a per-CPU variable is a small number on x86-64 up to 6.14, and an address of the
 * image since, which KASLR moves. Either way, it plus a CPU's per-CPU offset is that CPU's copy.
 */
#define ABSOLUTE_PERCPU_MAX (UINT64_C(1) << 32)

bool reader_percpu(const struct kfacts *facts, const char *variable, const char *in_hot,
		   int64_t kaslr_offset, gaddr_t *ret)
{
	struct kfacts_member member = {0};
	gaddr_t addr;

	if (!kfacts_symbol(facts, variable, &addr) &&
	    !(kfacts_symbol(facts, "pcpu_hot", &addr) &&
	      kfacts_member(facts, "pcpu_hot", in_hot, &member)))
		return false;
	if (addr >= ABSOLUTE_PERCPU_MAX)
		addr += (uint64_t)kaslr_offset;
	*ret = addr + member.offset;
	return true;
}

/* What is added to the register that leads to the current task. */
static struct kt_error *find_current(const struct kfacts *facts, const struct watch_arch *arch,
				     int64_t kaslr_offset, gaddr_t *ret)
{
	struct kfacts_member member;

	*ret = 0;
	switch (arch->current_is) {
	case WATCH_CURRENT_TASK: return NULL;
	case WATCH_CURRENT_LOWCORE:
		if (!kfacts_member(facts, "lowcore", "current_task", &member))
			return kt_error_new(KT_ERROR_NOT_FOUND,
					    "the image does not tell where the current task is: "
					    "its types have no current_task in lowcore");
		*ret = member.offset;
		return NULL;
	default: break;
	}
	if (reader_percpu(facts, "current_task", "current_task", kaslr_offset, ret))
		return NULL;
	return kt_error_new(KT_ERROR_NOT_FOUND,
			    "the image does not tell where the current task is: neither "
			    "current_task nor pcpu_hot is among its symbols; give --system-map "
			    "FILE, the System.map of the same build, or --vmlinux FILE with a "
			    "symbol table");
}

struct kt_error *reader_init(struct reader *reader, struct stop *stop, const struct kfacts *facts,
			     int64_t kaslr_offset)
{
	struct kt_error *err;

	reader->stop = stop;
	reader->facts = facts;
	err = find_current(facts, stop->arch, kaslr_offset, &reader->current_task);
	if (!err)
		err = prog_views_init(&reader->progs, facts);
	if (!err)
		err = view_init(&reader->env, &env_type, facts);
	if (!err)
		err = view_init(&reader->aux_prog, &aux_prog_type, facts);
	if (!err)
		err = view_init(&reader->task, &task_type, facts);
	if (err)
		return err;
	kfacts_member(facts, "bpf_verifier_env", "log", &reader->log_in_env);
	kfacts_member(facts, "bpf_verifier_env", "subprog_info", &reader->subprogs_in_env);
	kfacts_member(facts, "bpf_subprog_info", "stack_depth", &reader->depth_in_subprog);
	kfacts_size(facts, "bpf_subprog_info", &reader->subprog_size);
	reader->has_insns = kfacts_member(facts, "bpf_prog", "insnsi", &reader->insns_in_prog);
	return NULL;
}

void reading_deinit(struct reading *r)
{
	gmem_batch_deinit(&r->batch);
	object_deinit(&r->env);
	object_deinit(&r->task);
	object_deinit(&r->aux_prog);
	prog_deinit(&r->prog);
	free(r->subprogs);
}

/* --- reading --- */

gaddr_t reader_env_of(const struct reader *reader, gaddr_t log)
{
	return log - reader->log_in_env.offset;
}

struct kt_error *reader_first(const struct reader *reader, struct reading *r, bool *complete)
{
	gaddr_t current = reader->stop->registers[WATCH_CURRENT] + reader->current_task;

	*complete = false;
	if (reader->stop->arch->current_is != WATCH_CURRENT_TASK &&
	    !gmem_batch_add(&r->batch, current, r->task_pointer, sizeof(r->task_pointer)))
		return kt_error_no_memory();
	return stop_read_with_code(reader->stop, &r->batch, complete);
}

gaddr_t reader_task_of(const struct reader *reader, const struct reading *r)
{
	if (reader->stop->arch->current_is == WATCH_CURRENT_TASK)
		return reader->stop->registers[WATCH_CURRENT];
	return kt_load_uint(r->task_pointer, sizeof(r->task_pointer), reader->progs.big_endian);
}

/* Adds the reads of the subprograms' records that are behind the end of the env's image. */
static struct kt_error *add_subprogs(const struct reader *reader, gaddr_t env, struct reading *r)
{
	const struct view *view = &reader->env;
	uint64_t n = view_uint(view, r->env.image, ENV_SUBPROG_CNT);
	uint64_t size = reader->subprog_size, seen;
	size_t got = 0;
	const void *first = view_bytes(view, r->env.image, ENV_SUBPROGS, &got);

	if (!first || !size || size > 65536)
		return NULL;
	if (n > MAX_SUBPROGS || n * size > reader->subprogs_in_env.size)
		return NULL; /* no program has so many: they stay unknown */
	r->n_subprogs = (size_t)n;
	r->subprogs = calloc(r->n_subprogs + 1, (size_t)size);
	if (!r->subprogs)
		return kt_error_no_memory();
	seen = got < n * size ? got : n * size;
	memcpy(r->subprogs, first, (size_t)seen);
	if (n * size > seen &&
	    !gmem_batch_add(&r->batch, env + reader->subprogs_in_env.offset + seen,
			    r->subprogs + seen, (size_t)(n * size - seen)))
		return kt_error_no_memory();
	return NULL;
}

struct kt_error *reader_task(const struct reader *reader, gaddr_t task, struct reading *r,
			     bool *known_ret)
{
	struct kt_error *err = object_begin(&r->task, &reader->task, task, &r->batch);
	bool complete;

	*known_ret = false;
	if (!err)
		err = stop_read(reader->stop, &r->batch, &complete);
	*known_ret = !err && complete && r->task.known;
	return err;
}

/*
 * bpf_vlog_finalize() is called for the log of a BTF load, too, and since 7.1 through the same
 * function. Then there is no bpf_verifier_env around the log, and what lies where its program
 * would be does not lead to an aux that leads back to it.
 */
static bool is_program(const struct reader *reader, const struct reading *r, gaddr_t prog)
{
	return r->aux_prog.known && view_uint(&reader->aux_prog, r->aux_prog.image, 0) == prog;
}

struct kt_error *reader_program(const struct reader *reader, gaddr_t prog, struct reading *r,
				bool *known_ret)
{
	struct gmem memory = stop_memory(reader->stop);
	struct kt_error *err;
	bool complete;
	gaddr_t aux;

	*known_ret = false;
	err = object_begin(&r->prog.prog, &reader->progs.prog, prog, &r->batch);
	/* The page that a program begins on has them, whether they are all or go on behind it. */
	if (!err && reader->has_insns &&
	    !gmem_batch_add(&r->batch, prog + reader->insns_in_prog.offset, r->insns,
			    sizeof(r->insns)))
		err = kt_error_no_memory();
	if (!err)
		err = stop_read(reader->stop, &r->batch, &complete);
	if (err || !complete || !r->prog.prog.known)
		return err;
	aux = view_uint(&reader->progs.prog, r->prog.prog.image, PROG_AUX);
	err = object_begin(&r->prog.aux, &reader->progs.aux, aux, &r->batch);
	if (!err)
		err = object_begin(&r->aux_prog, &reader->aux_prog, aux, &r->batch);
	if (!err)
		err = stop_read(reader->stop, &r->batch, &complete);
	if (err || !complete || !is_program(reader, r, prog))
		return err;
	*known_ret = true;
	return prog_name_read(&reader->progs, &r->prog, &memory);
}

struct kt_error *reader_env(const struct reader *reader, gaddr_t env, struct reading *r,
			    bool *is_load_ret)
{
	struct kt_error *err;
	bool complete;
	gaddr_t prog;

	*is_load_ret = false;
	err = object_begin(&r->env, &reader->env, env, &r->batch);
	if (!err)
		err = reader_first(reader, r, &complete);
	if (err || !complete || !r->env.known)
		return err;
	prog = view_uint(&reader->env, r->env.image, ENV_PROG);
	if (!prog)
		return NULL;
	err = object_begin(&r->task, &reader->task, reader_task_of(reader, r), &r->batch);
	if (!err)
		err = add_subprogs(reader, env, r);
	if (!err)
		err = reader_program(reader, prog, r, is_load_ret);
	*is_load_ret = *is_load_ret && r->task.known;
	return err;
}

/*
 * bpf_vlog_finalize() has put the text in order: as much as fits, and a NUL behind it. Log level 8
 * (BPF_LOG_FIXED) keeps the beginning, else it is the end.
 */
struct kt_error *reader_log(const struct reader *reader, const struct loader_log *log,
			    uint64_t most, struct bpf_load *load)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ char *text = NULL;
	struct gmem memory = stop_loader_memory(reader->stop);
	uint64_t len = log->end - log->start, skip;
	struct kt_error *err;

	if (len >= log->size)
		len = log->size ? log->size - 1 : 0;
	skip = len > most ? len - most : 0;
	len -= skip;
	if (!log->buf || !len || len > MAX_LOG)
		return NULL;
	text = malloc((size_t)len + 1);
	if (!text || !gmem_batch_add(&batch, log->buf + skip, text, (size_t)len))
		return kt_error_no_memory();
	err = gmem_batch_read(&batch, memory.read, memory.source);
	if (err || batch.reads.data[0].fault)
		return err;
	text[len] = '\0';
	load->log_len = strnlen(text, (size_t)len);
	load->log = kt_take_ptr(text);
	return NULL;
}

/* --- values --- */

static struct program_number number(const struct view *view, const void *image, unsigned int field)
{
	return (struct program_number){view_has(view, field), view_uint(view, image, field)};
}

void reading_take_task(const struct reader *reader, const struct reading *r, struct bpf_load *load)
{
	size_t len = 0;
	const char *comm = view_bytes(&reader->task, r->task.image, TASK_COMM, &len);

	memset(load->comm, 0, sizeof(load->comm));
	if (comm)
		memcpy(load->comm, comm, strnlen(comm, len < 15 ? len : 15));
	load->pid = (uint32_t)view_uint(&reader->task, r->task.image, TASK_TGID);
	load->by_known = true;
}

struct program_number reading_cpu_time(const struct reader *reader, const struct reading *r)
{
	return number(&reader->task, r->task.image, TASK_CPU_TIME);
}

void reading_take_log(const struct reader *reader, const struct reading *r, struct loader_log *ret)
{
	const struct view *env = &reader->env;

	*ret = (struct loader_log){
		.buf = view_uint(env, r->env.image, ENV_LOG_UBUF),
		.size = view_uint(env, r->env.image, ENV_LOG_SIZE),
		.start = view_uint(env, r->env.image, ENV_LOG_START),
		.end = view_uint(env, r->env.image, ENV_LOG_END),
	};
}

/* print_verification_stats() prints these, in kernel/bpf/verifier.c. */
struct kt_error *reading_take_numbers(const struct reader *reader, const struct reading *r,
				      struct bpf_load *load)
{
	const struct kfacts_member *depth = &reader->depth_in_subprog;
	const struct view *env = &reader->env;
	const uint8_t *image = r->env.image;

	load->verified_insns = number(env, image, ENV_INSN_PROCESSED);
	load->total_states = number(env, image, ENV_TOTAL_STATES);
	load->peak_states = number(env, image, ENV_PEAK_STATES);
	load->max_states_per_insn = number(env, image, ENV_MAX_STATES);
	load->mark_read = number(env, image, ENV_MARK_READ);
	load->verification_time_ns = number(env, image, ENV_VERIFICATION_TIME);
	load->stack_max = number(env, image, ENV_MAX_STACK_DEPTH);
	load->log_level = number(env, image, ENV_LOG_LEVEL);
	load->log_bytes = number(env, image, ENV_LOG_END);
	load->log_size = number(env, image, ENV_LOG_SIZE);
	if (!r->n_subprogs || !depth->size || depth->size > 4 || depth->bit_size ||
	    depth->offset + depth->size > reader->subprog_size)
		return NULL;
	load->stack_depth = calloc(r->n_subprogs, sizeof(*load->stack_depth));
	if (!load->stack_depth)
		return kt_error_no_memory();
	for (size_t i = 0; i < r->n_subprogs; i++)
		load->stack_depth[i] = (uint32_t)kt_load_uint(
			r->subprogs + i * reader->subprog_size + depth->offset, depth->size,
			reader->progs.big_endian);
	load->n_stack_depth = r->n_subprogs;
	return NULL;
}

struct kt_error *reading_take_program(const struct reader *reader, const struct reading *r,
				      struct bpf_load *load)
{
	const struct prog_views *progs = &reader->progs;
	struct kt_error *err;
	const char *name;
	size_t len = prog_short_name(progs, &r->prog, &name);

	memset(load->name, 0, sizeof(load->name));
	if (name)
		memcpy(load->name, name, len);
	load->probe = probe_of(load->name, view_uint(&progs->prog, r->prog.prog.image, PROG_TYPE),
			       view_uint(&progs->prog, r->prog.prog.image, PROG_LEN), r->insns);
	free(load->type);
	free(load->full_name);
	load->type = load->full_name = NULL;
	err = bpf_enum_text(reader->facts, "bpf_prog_type", "BPF_PROG_TYPE_",
			    view_uint(&progs->prog, r->prog.prog.image, PROG_TYPE), &load->type);
	return err ? err : prog_full_name(progs, &r->prog, &load->full_name);
}

void reading_take_kept(const struct reader *reader, const struct reading *r, struct bpf_load *load)
{
	load->verified_insns = number(&reader->progs.aux, r->prog.aux.image, AUX_VERIFIED_INSNS);
}
