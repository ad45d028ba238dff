/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stop of a guest, up to the detach: find the kernel, read what is asked for, go. */
#ifndef KT_INTROSPECT_INSPECT_H
#define KT_INTROSPECT_INSPECT_H

#include "gdbrsp/client.h"
#include "introspect/bpf_btf.h"
#include "introspect/bpf_holders.h"
#include "introspect/bpf_insns.h"
#include "introspect/bpf_jited.h"
#include "introspect/bpf_link.h"
#include "introspect/bpf_map.h"
#include "introspect/bpf_map_dump.h"
#include "introspect/bpf_metadata.h"
#include "introspect/bpf_perf.h"
#include "introspect/bpf_prog.h"
#include "introspect/bpf_slots.h"
#include "introspect/bpf_struct_ops.h"
#include "introspect/bpf_trampoline.h"
#include "introspect/cgroup.h"
#include "introspect/code_names.h"
#include "introspect/emulator.h"
#include "introspect/net.h"
#include "introspect/scx.h"
#include "introspect/scx_snapshot.h"

/* How long each step took, in nanoseconds. */
struct inspect_timing {
	/* Connect and handshake, or the interrupt; the guest is stopped from here. */
	int64_t connect_ns;
	int64_t locate_ns; /* registers, page tables, KASLR, the proof */
	int64_t read_ns;   /* the walks */
	int64_t detach_ns; /* until the stub's word that the guest runs */
	int64_t pause_ns;  /* that stop alone: the guest stood still for that long at most */
	int64_t finish_ns; /* the values out of what was read; the guest runs again */
	uint64_t requests, bytes_read, round_trips;
};

/* What can be read of a guest; several together, in one stop. */
enum {
	INSPECT_PROGRAMS = 1,
	INSPECT_MAPS = 2,
	INSPECT_LINKS = 4,
	INSPECT_INSNS = 8, /* of one program */
	INSPECT_SCX = 16,  /* sched_ext's state: one round trip more, or two */
	/* Not read here, and nothing is wanted for it: cli/ asks for what watch_wants(). */
	INSPECT_LOADS = 32,
	INSPECT_SCHED_EVENTS = 1 << 20, /* likewise, watch_wants_sched() */
	/* Skip those of the others that the facts do not suffice for; inspection.objects tells. */
	INSPECT_AVAILABLE = 64,
	INSPECT_BTF = 128,      /* the list of BTF objects */
	INSPECT_BTF_DATA = 256, /* bytes of one */
	INSPECT_MAP_DUMP = 512, /* contents of one map */
	INSPECT_JITED = 1024,   /* the machine code of one program */
	INSPECT_TRAMPOLINES = 2048,
	INSPECT_STRUCT_OPS = 4096,
	INSPECT_CGROUPS = 8192,  /* what is attached to cgroups */
	INSPECT_NET = 16384,     /* and to the network */
	INSPECT_HOLDERS = 32768, /* who holds programs, maps, links and BTF objects */
	INSPECT_PERF = 65536,    /* programs at perf events */
	INSPECT_SLOTS = 131072,  /* what prog arrays and arrays of maps lead to */
	INSPECT_SCHED = 262144,  /* the whole state of sched_ext, with its queues and tasks */
	/* Metadata of programs; of one alone if prog_id is given. Goes with INSPECT_PROGRAMS. */
	INSPECT_METADATA = 524288,
	INSPECT_CODE = 1 << 21, /* names of code that is BPF's or modules', at addresses */
};

/* Adds what reading them takes to know of a kernel. False: no memory. */
bool inspect_wants(unsigned int objects, struct wants *wants);

/* The error of the first walker that these facts do not suffice for. Call it before connecting. */
struct kt_error *inspect_check(unsigned int objects, const struct kfacts *facts);

struct inspect_options {
	const int64_t *hint;   /* where the kernel was, as for guest_create(); may be NULL */
	unsigned int objects;  /* INSPECT_*, or-ed */
	unsigned int not_read; /* those of objects of which only the facts are wanted */
	/* Whose code INSPECT_INSNS and INSPECT_JITED read, and whose metadata; 0: none, and all */
	uint32_t prog_id;
	uint32_t btf_id; /* whose bytes INSPECT_BTF_DATA reads, and from where on; 0: none */
	uint64_t btf_offset;
	const uint64_t *addrs; /* that INSPECT_CODE names */
	size_t n_addrs;
	const struct map_dump_order *map; /* what INSPECT_MAP_DUMP reads; NULL: nothing */
	bool effective; /* INSPECT_CGROUPS reads what runs there, and not what is attached */
	bool paging;    /* fill inspection's paging and n_cpus, which needs a search: no hint */
	bool emulator;  /* fill inspection's emulator: two round trips */
};

/* Only what was asked for is filled. */
struct inspection {
	unsigned int objects; /* INSPECT_*, that were read */
	struct programs programs;
	struct maps maps;
	struct links links;
	struct insns insns;
	struct jited jited;
	struct code_names code;
	struct btf_objects btfs;
	struct btf_data btf;
	struct map_dump dump;
	struct trampolines trampolines;
	struct struct_ops_list struct_ops;
	struct perf_progs perf;
	struct slots slots;
	struct cgroups cgroups;
	struct net net;
	struct scx_state scx;
	struct scx_snapshot sched;
	struct holdings holdings; /* of which each object has its part as `held` */
	int64_t kaslr_offset;
	struct guest_paging paging; /* and n_cpus: when asked for */
	size_t n_cpus;
	bool runs_guests;         /* so that its kaslr_offset is no hint: guest_runs_guests() */
	struct emulator emulator; /* when asked for */
	bool was_paused; /* before the connect, as far as the stub tells (QEMU up to 8.0) */
	struct inspect_timing timing;
};

/*
 * Reads the guest at target. The facts stay the caller's. The guest runs again after an error, too,
 * unless the stub does not answer; then the message says that.
 */
struct kt_error *inspect_guest(const struct rsp_target *target, const struct rsp_options *options,
			       const struct kfacts *facts, const struct inspect_options *what,
			       struct inspection *ret);
/*
 * The same over a connection that is there, which it takes, success or not. The guest may run, and
 * is stopped then; or it may stand.
 */
struct kt_error *inspect_client(struct rsp_client *client, const struct kfacts *facts,
				const struct inspect_options *what, struct inspection *ret);
/*
 * The same of a guest that whoever watches it has stopped and found: it stays stopped. Of the
 * timing only read_ns and finish_ns are filled.
 */
struct kt_error *inspect_found(struct guest *guest, const struct kfacts *facts,
			       const struct inspect_options *what, struct inspection *ret);
void inspection_deinit(struct inspection *inspection);

#endif
