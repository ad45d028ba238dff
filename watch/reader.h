/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a load in the stop at hand: the verifier's environment, the program, the loader. Internal
 * to watch/.
 */
#ifndef KT_WATCH_READER_H
#define KT_WATCH_READER_H

#include "introspect/bpf_prog_one.h"
#include "model/load.h"
#include "watch/probe.h"
#include "watch/stop.h"

/* How one kernel lays a load out. */
struct reader {
	struct stop *stop;
	const struct kfacts *facts;
	/* Plus WATCH_CURRENT: where the pointer to the task is, unless that is the task itself. */
	gaddr_t current_task;
	struct view env, aux_prog, task;
	struct prog_views progs;
	struct kfacts_member log_in_env, depth_in_subprog, subprogs_in_env, insns_in_prog;
	bool has_insns;
	uint64_t subprog_size;
};

/* What was read of a load in one stop. */
struct reading {
	struct gmem_batch batch;
	uint8_t task_pointer[8];
	struct object env, task, aux_prog;
	struct prog prog;
	uint8_t insns[PROBE_BYTES]; /* the first of the program */
	uint8_t *subprogs;          /* n_subprogs of reader's subprog_size bytes */
	size_t n_subprogs;
};

/* The verifier's log, in the loader's own memory. */
struct loader_log {
	gaddr_t buf; /* null: the loader asked for none */
	uint64_t size;
	uint64_t start, end; /* positions, which count on when the buffer is full */
};

/* False: no memory. */
bool reader_wants(struct wants *wants);

/* stop and facts stay the caller's, and in use. */
struct kt_error *reader_init(struct reader *reader, struct stop *stop, const struct kfacts *facts,
			     int64_t kaslr_offset);
void reading_deinit(struct reading *r);

/*
 * Where a per-CPU variable of the kernel is, which from 6.2 to 6.14 is the member in_hot of
 * pcpu_hot: *ret plus a CPU's per-CPU offset. False: the image does not tell.
 */
bool reader_percpu(const struct kfacts *facts, const char *variable, const char *in_hot,
		   int64_t kaslr_offset, gaddr_t *ret);

/* The bpf_verifier_env around a log. */
gaddr_t reader_env_of(const struct reader *reader, gaddr_t log);

/*
 * The first round trip of a stop: which task runs, the code at hand, and what was added to
 * r->batch. *complete: it is known which task, and nothing that was added was unreadable.
 */
struct kt_error *reader_first(const struct reader *reader, struct reading *r, bool *complete);
gaddr_t reader_task_of(const struct reader *reader, const struct reading *r);

/*
 * The bpf_verifier_env at env, its program and the task: four round trips, and four more for a
 * name that is cut. *is_load_ret: it is proved that this is the load of a program.
 */
struct kt_error *reader_env(const struct reader *reader, gaddr_t env, struct reading *r,
			    bool *is_load_ret);

/* The task at that address. One round trip. */
struct kt_error *reader_task(const struct reader *reader, gaddr_t task, struct reading *r,
			     bool *known_ret);

/*
 * The program at that address, and what was added to r->batch: two round trips, and four more for a
 * name that is cut. *known_ret: all of it could be read, and it is proved that it is a program.
 */
struct kt_error *reader_program(const struct reader *reader, gaddr_t prog, struct reading *r,
				bool *known_ret);

/* The last `most` bytes of the log's text; without an error and without a text, there is none or it
 * is unreadable. */
struct kt_error *reader_log(const struct reader *reader, const struct loader_log *log,
			    uint64_t most, struct bpf_load *load);

/* Values out of a reading. */
void reading_take_task(const struct reader *reader, const struct reading *r, struct bpf_load *load);
/* How long the task has run, in nanoseconds of the guest's clock, as of its last tick. */
struct program_number reading_cpu_time(const struct reader *reader, const struct reading *r);
void reading_take_log(const struct reader *reader, const struct reading *r, struct loader_log *ret);
struct kt_error *reading_take_numbers(const struct reader *reader, const struct reading *r,
				      struct bpf_load *load);
struct kt_error *reading_take_program(const struct reader *reader, const struct reading *r,
				      struct bpf_load *load);
/* The one number of the verifier that the kernel keeps with a program. */
void reading_take_kept(const struct reader *reader, const struct reading *r, struct bpf_load *load);

#endif
