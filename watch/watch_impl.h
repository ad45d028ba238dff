/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the watch share. */
#ifndef KT_WATCH_WATCH_IMPL_H
#define KT_WATCH_WATCH_IMPL_H

#include "introspect/bpf_prog_impl.h"
#include "watch/watch.h"

/* The registers that are read at each stop, in this order. */
enum watch_register {
	WATCH_PC,
	/* The pointer to the log, as bpf_vlog_finalize() and bpf_vlog_init() get it. */
	WATCH_FINALIZE_LOG,
	WATCH_INIT_LOG,
	WATCH_RESULT,
	WATCH_PERCPU, /* this CPU's per-CPU offset */
	WATCH_REGISTERS,
};

/* Code that is looked at to get a vCPU past a breakpoint. */
#define WATCH_CODE_LEN 16

/*
 * What watching has to know of an architecture. x86-64 is in watch_x86_64.c.
 */
struct watch_arch {
	const char *pc, *result, *percpu; /* the registers, by name */
	const char *const *args;          /* those that functions get their arguments in */
	size_t n_args;
	size_t breakpoint_len; /* as the protocol has it */
	/* The bytes of `code` before the first instruction worth a breakpoint. */
	size_t (*landing)(const uint8_t *code, size_t len);
	/*
	 * What the instruction at pc does, when that is nothing but changes of registers:
	 * writes at most 2. 0: it has to be executed.
	 */
	size_t (*emulate)(const uint8_t *code, size_t len, const uint64_t *registers,
			  struct rsp_write *ret);
	/* Where the only call of target in code returns to; 0: there is none, or more. */
	gaddr_t (*call_return)(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t target);
};

extern const struct watch_arch watch_x86_64;

enum watch_place {
	WATCH_AT_FINALIZE, /* bpf_vlog_finalize() */
	WATCH_AT_RETURN,   /* behind the call of bpf_prog_load() */
	WATCH_AT_PANIC,    /* panic() */
	WATCH_AT_INIT,     /* bpf_vlog_init(): a load gets to the verifier */
	WATCH_PLACES,
	WATCH_NOWHERE = WATCH_PLACES,
};

/* A load under way, by its task. */
struct watch_pending {
	gaddr_t task, env;
	gaddr_t log_buf; /* the loader's, in its own memory */
	uint64_t log_start, log_end, log_size;
	int64_t since_ns;
	bool finalized; /* load has the verifier's numbers */
	/* For progress: the last sample, */
	int64_t sampled_ns; /* 0: there was none */
	uint64_t sampled_insns, sampled_states;
	/* and the program's line records (struct bpf_line_info), and its strings. */
	bool lines_read;
	uint8_t *lines;
	size_t n_lines;
	gaddr_t strings;
	uint64_t strings_len;
	struct bpf_load load;
};

struct watch {
	struct rsp_client *client;
	const struct kfacts *facts;
	struct watch_options options;
	const struct watch_arch *arch;
	const char *register_names[WATCH_REGISTERS];
	struct source source;
	int64_t kaslr_offset;

	struct {
		gaddr_t addr;
		bool set;
	} places[WATCH_PLACES];
	gaddr_t current_task; /* where a per-CPU offset leads to the task */

	struct view env, aux_prog, task;
	struct bpf_progs progs; /* the views of programs and their names */
	struct kfacts_member log_in_env, depth_in_subprog, subprogs_in_env;
	uint64_t subprog_size;

	KT_VEC(struct watch_pending) pending;
	KT_VEC(struct watch_event) queue; /* that were not given out yet */
	struct {
		struct view env, aux, btf;
		bool has_lines;
		int64_t next_ns;
	} progress;

	/* The stop at hand. */
	struct rsp_stop stop;
	uint64_t registers[WATCH_REGISTERS];
	uint8_t code[WATCH_CODE_LEN];
	bool code_known;
	struct rsp_write writes[2]; /* to be done when it runs on */
	size_t n_writes;
	int64_t stopped_ns;

	int64_t next_check_ns;
	uint64_t jiffies; /* at the last check */
	bool ended;
	struct watch_stats stats;
};

/* What one stop reads of a load (watch_read.c); images are NULL until they are read. */
struct watch_reading {
	struct gmem_batch batch;
	uint8_t task_pointer[8];
	uint8_t *env, *task, *aux_prog;
	struct walk_entry entry;
	uint8_t *subprogs; /* those that the env's view does not reach */
	size_t n_subprogs;
};

bool watch_read_wants(struct wants *wants);
struct kt_error *watch_read_init(struct watch *watch);
void watch_reading_deinit(struct watch_reading *r);

/* Reads what was put into the batch, through the vCPU that stopped. */
struct kt_error *watch_read(struct watch *watch, struct gmem_batch *batch);
/* The same, and the batch is empty for the next. *complete: nothing was unreadable. */
struct kt_error *watch_read_all(struct watch *watch, struct gmem_batch *batch, bool *complete);

/*
 * The first round trip of a stop: what was added before, the current task, and the instruction at
 * hand. It may have changed since the breakpoint was set: ftrace patches code.
 */
struct kt_error *watch_read_first(struct watch *watch, struct watch_reading *r, bool *complete);
gaddr_t watch_task_of(const struct watch *watch, const struct watch_reading *r);

/*
 * The bpf_verifier_env at env, its program and its task: four round trips, and four more for a
 * name that is cut. *is_load_ret: that is what it is, proved.
 */
struct kt_error *watch_read_env(struct watch *watch, gaddr_t env, struct watch_reading *r,
				bool *is_load_ret);
struct kt_error *watch_read_task(struct watch *watch, struct watch_reading *r, gaddr_t task,
				 bool *complete);
/* Two round trips; what was added before goes along. *ok_ret: it is one, proved. */
struct kt_error *watch_read_program(struct watch *watch, struct watch_reading *r, gaddr_t prog,
				    bool *ok_ret);
/* The program's full name, as its BTF has it by now. guest NULL: through the vCPU that stopped. */
struct kt_error *watch_read_name(struct watch *watch, struct guest *guest,
				 struct walk_entry *entry);

/* Out of a reading. */
void watch_take_task(const struct watch *watch, const void *image, struct bpf_load *load);
void watch_take_log(const struct watch *watch, const struct watch_reading *r,
		    struct watch_pending *p);
void watch_take_unverified(const struct watch *watch, const struct watch_reading *r,
			   struct bpf_load *load);
struct kt_error *watch_take_numbers(const struct watch *watch, const struct watch_reading *r,
				    struct bpf_load *load);
struct kt_error *watch_take_program(const struct watch *watch, const struct watch_reading *r,
				    struct bpf_load *load);

/* watch_load.c */
struct kt_error *watch_at_finalize(struct watch *watch);

/* At bpf_vlog_init(): a load begins. */
struct kt_error *watch_at_init(struct watch *watch);

/* *ret is filled: a load came back. */
struct kt_error *watch_at_return(struct watch *watch, struct bpf_load *ret);

void watch_pending_deinit(struct watch_pending *pending);

/* watch_loaded.c: the program behind a file descriptor of a task; *ret 0: it is not known. */
bool watch_loaded_wants(struct wants *wants);
struct kt_error *watch_find_loaded(struct watch *watch, gaddr_t task, uint32_t fd, gaddr_t *ret);

/* watch_progress.c */
bool watch_progress_wants(struct wants *wants);
struct kt_error *watch_progress_init(struct watch *watch);
/* When to look at the loads under way; INT64_MAX: there are none, or nobody wants to know. */
int64_t watch_next_sample_ns(const struct watch *watch);
/* Looks at them, through a guest that was found in this stop; events go to the queue. */
struct kt_error *watch_sample(struct watch *watch, struct guest *guest);

#endif
