/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Internal to the scx_*.c that read a whole state (scx_snapshot.h): what one stop has read so far.
 * Each file reads one part of it, in this order, and each part may take from those before:
 *
 *	scx_globals.c   the kernel's own variables, the CPUs, the clock
 *	scx_idle.c      the idle masks
 *	scx_sched.c     schedulers, and how they ended
 *	scx_queue.c     CPUs, queues, and the tasks there
 *	scx_finish.c    plain data of all that, when the guest runs again
 */
#ifndef KT_INTROSPECT_SCX_WALK_H
#define KT_INTROSPECT_SCX_WALK_H

#include "introspect/bpf_struct_ops.h"
#include "introspect/code_names.h"
#include "introspect/wallclock.h"
#include "memory/cstring.h"
#include "memory/list.h"
#include "memory/object.h"
#include "memory/percpu.h"
#include "model/sched.h"

#define SCX_POINTER_SIZE 8 /* 64-bit kernels */

/* A number of up to 8 bytes in the guest, or (data) more bytes. */
struct scx_piece {
	uint8_t raw[8];
	uint8_t *data; /* NULL: the bytes are in raw */
	size_t len;
	size_t at; /* of the batch */
	bool begun, known;
};

/* Adds the read of len bytes; the piece must not move until scx_piece_end(). A null pointer is not
 * read, and stays unknown. */
struct kt_error *scx_piece_begin(struct scx_piece *piece, gaddr_t addr, size_t len,
				 struct gmem_batch *batch);
void scx_piece_end(struct scx_piece *piece, const struct gmem_batch *done);
void scx_piece_deinit(struct scx_piece *piece);

enum scx_global {
	SCX_G_ROOT,
	SCX_G_ENABLE_SEQ,
	SCX_G_HOTPLUG_SEQ,
	SCX_G_NR_REJECTED,
	SCX_G_SWITCHING_ALL,
	SCX_G_WATCHDOG_TIMEOUT,
	SCX_G_WATCHDOG_AT,
	SCX_G_BYPASS_DEPTH,
	SCX_G_JIFFIES,
	SCX_G_NODES,
	SCX_G_ALL,
	SCX_G_IDLE_ENABLED,
	SCX_G_IDLE_PER_NODE,
	SCX_G_IDLE_NODES,
	SCX_N_GLOBALS,
};

/* What a scheduler has, in its scx_sched or, before 6.16, in variables of the kernel. */
enum scx_slot {
	SCX_S_TABLE,
	SCX_S_GLOBALS,
	SCX_S_NODES,
	SCX_S_PCPU,
	SCX_S_EVENTS,
	SCX_S_EXIT_KIND,
	SCX_S_EXIT_INFO,
	SCX_S_HELPER,
	SCX_S_BYPASS_DEPTH,
	SCX_S_ABORTING,
	SCX_S_LEVEL,
	SCX_S_CGROUP_PATH,
	SCX_S_TIMEOUT,
	SCX_N_SLOTS,
};

/* The fields of struct sched_ext_ops. */
enum { SCX_OPS_NAME, SCX_OPS_FLAGS, SCX_OPS_TIMEOUT, SCX_OPS_DUMP_LEN, SCX_OPS_SUB_CGROUP };
/* The fields of struct scx_exit_info. */
enum {
	SCX_EXIT_KIND,
	SCX_EXIT_CODE,
	SCX_EXIT_CPU,
	SCX_EXIT_REASON,
	SCX_EXIT_BT,
	SCX_EXIT_BT_LEN,
	SCX_EXIT_MSG,
	SCX_EXIT_DUMP,
};
/* The fields of struct scx_dispatch_q. */
enum { SCX_DSQ_FIRST, SCX_DSQ_LAST, SCX_DSQ_NR, SCX_DSQ_ID, SCX_DSQ_HASH_NEXT };
/* The fields of struct rq. */
enum { SCX_RQ_CURR, SCX_RQ_NR_RUNNING, SCX_RQ_FLAGS };
/* The fields of struct scx_dsq_list_node. */
enum { SCX_NODE_NEXT, SCX_NODE_PREV, SCX_NODE_FLAGS };
/* The fields of struct task_struct. */
enum {
	SCX_TASK_PID,
	SCX_TASK_TGID,
	SCX_TASK_COMM,
	SCX_TASK_CPU,
	SCX_TASK_CLASS,
	SCX_TASK_DSQ,
	SCX_TASK_DSQ_FLAGS,
	SCX_TASK_FLAGS,
	SCX_TASK_WEIGHT,
	SCX_TASK_SLICE,
	SCX_TASK_VTIME,
	SCX_TASK_RUNNABLE_AT,
	SCX_TASK_SCHED,
};

/* A scheduler, as it is read. */
struct scx_sched_read {
	gaddr_t addr; /* of its scx_sched; 0: a kernel before 6.16 */
	bool is_root, is_listed;
	const struct struct_ops *map; /* NULL: unknown */
	struct object ops;
	struct scx_piece slots[SCX_N_SLOTS];
	struct object exit;
	struct scx_piece worker; /* the task of its helper ... */
	struct scx_piece start;  /* ... and when that began, which is when it was enabled */
	struct scx_piece parent;
	struct scx_piece nodes; /* pointers to its global queues, or to what holds them */
	struct scx_piece table_size, table_nest, buckets;
	gaddr_t table;
	struct scx_piece backtrace, dump;
	struct module_symbol *frames; /* of the backtrace, that are not the kernel's own */
	size_t n_frames;
	struct cstring reason, message, cgroup;
	struct scx_piece *events; /* of each CPU */
};

struct scx_queue_read {
	enum scx_queue_kind kind;
	size_t sched;   /* in scheds, or SCX_NOBODY */
	uint32_t where; /* the CPU, or the node */
	gaddr_t addr;
	struct object dsq;
};

struct scx_cpu_read {
	uint32_t cpu;
	struct object rq, current;
	size_t queue; /* its local one */
};

/* A task that waits. */
struct scx_waiting {
	size_t queue;
	gaddr_t addr;
	struct object task;
};

struct scx_walk {
	struct guest *guest;
	const struct kfacts *facts;
	struct gmem memory;
	bool big_endian;
	int64_t kaslr_offset;
	struct scx_state state;

	struct scx_piece globals[SCX_N_GLOBALS];
	struct scx_piece tick_mult, tick_shift;
	struct percpu percpu;
	struct wallclock clock;

	/* Of CPUs, by number. */
	struct scx_piece online, idle, idle_core;

	struct struct_ops_list maps;
	struct view ops_view, exit_view;
	KT_VEC(struct scx_sched_read) scheds;

	struct view dsq_view, rq_view, task_view;
	uint32_t dsq_list_offset; /* of the list_head in scx_dispatch_q */
	struct lists user_queues;
	struct lists nodes; /* of all queues' lists; the owner of an item is in queues */
	KT_VEC(struct scx_queue_read) queues;
	KT_VEC(struct scx_cpu_read) cpus;
	KT_VEC(struct scx_waiting) tasks;
	bool has_queues;
	size_t n_large; /* bytes of what may be large that were asked for */
	size_t n_unreadable;
	bool is_torn;
};

/* The value of a piece of up to 8 bytes, not known if it could not be read. */
struct program_number scx_piece_number(const struct scx_walk *walk, const struct scx_piece *piece);
/* 0 if it is not known. */
uint64_t scx_piece_value(const struct scx_walk *walk, const struct scx_piece *piece);
/* Pointer i of an array. */
gaddr_t scx_piece_pointer(const struct scx_walk *walk, const struct scx_piece *piece, size_t i);
/* A value of an object that is known and has it. */
struct program_number scx_number(const struct object *object, const struct view *view,
				 unsigned int field);

bool scx_globals_wants(struct wants *wants);
struct kt_error *scx_globals_read(struct scx_walk *walk);
/* How many NUMA nodes there may be, 1 at least. */
size_t scx_nodes(const struct scx_walk *walk);

bool scx_idle_wants(struct wants *wants);
struct kt_error *scx_idle_read(struct scx_walk *walk);

bool scx_scheds_wants(struct wants *wants);
/* The maps of struct_ops. */
struct kt_error *scx_maps_read(struct scx_walk *walk);
/* The schedulers, by the globals and those maps; but for: */
struct kt_error *scx_scheds_read(struct scx_walk *walk);
/* Their strings, and the names in their backtraces. */
struct kt_error *scx_words_read(struct scx_walk *walk);
void scx_sched_read_deinit(struct scx_walk *walk, struct scx_sched_read *sched);

bool scx_queues_wants(struct wants *wants);
struct kt_error *scx_queues_read(struct scx_walk *walk);
void scx_queues_deinit(struct scx_walk *walk);

bool scx_finish_wants(struct wants *wants);
struct kt_error *scx_finish(const struct scx_walk *walk, struct scx_snapshot *ret);

#endif
