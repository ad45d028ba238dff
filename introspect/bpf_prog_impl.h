/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the program walk share: the views, and where each program's walk stands. */
#ifndef KT_INTROSPECT_BPF_PROG_IMPL_H
#define KT_INTROSPECT_BPF_PROG_IMPL_H

#include "introspect/bpf_prog.h"
#include "introspect/percpu.h"
#include "introspect/wallclock.h"

enum {
	PROG_LEN,
	PROG_JITED_LEN,
	PROG_TYPE,
	PROG_TAG,
	PROG_GPL,
	PROG_AUX,
	PROG_STATS,
};

enum {
	AUX_REFCNT,
	AUX_ID,
	AUX_NAME,
	AUX_VERIFIED_INSNS,
	AUX_LOAD_TIME,
	AUX_USER,
	AUX_USED_MAPS,
	AUX_USED_MAP_CNT,
	AUX_FUNC,
	AUX_FUNC_CNT,
	AUX_BTF,
	AUX_FUNC_INFO,
	AUX_FUNC_INFO_CNT,
	AUX_FUNC_IDX,
	AUX_STATS,
};

enum { STATS_CNT, STATS_NSECS, STATS_MISSES };

/* Consecutive pieces of a batch: what one object's reads were. */
struct pieces_of {
	size_t first, end;
};

/* An array of pointers, and one view's image of what each leads to. */
struct pointees {
	size_t n;
	bool known; /* so far, everything could be read */
	uint8_t *pointers;
	uint8_t *images;
	struct pieces_of pieces;
};

/* One program's walk. */
struct walk_entry {
	uint64_t index; /* in the IDR */
	gaddr_t addr;
	bool readable; /* bpf_prog and its aux */
	uint8_t *prog, *aux;
	struct pieces_of pieces;

	struct pointees maps, funcs;

	bool uid_known;
	uint8_t *user;
	struct pieces_of user_pieces;

	bool stats_known;
	uint8_t *stats; /* an image a CPU */
	struct pieces_of stats_pieces;

	bool btf_known; /* the program's struct btf was read */
	uint8_t *btf;
	struct pieces_of btf_pieces;

	/* The chain to the full name: func_info, types[id], btf_type, string. */
	bool name_known;
	struct pieces_of name_pieces;
	uint8_t name_link[8];
	char *full_name;
	size_t full_name_max;
};

struct bpf_progs {
	struct view prog, aux, map, func, user, stats, btf, func_info, btf_type;
	bool has_map, has_user, has_stats, has_btf, has_func_info, has_btf_type;
	bool big_endian;
	size_t pieces_left; /* what may still hang on programs: see MAX_PIECES */
	struct percpu percpu;
	struct wallclock clock;
	struct walk_entry *entries;
	size_t n;
	size_t n_unreadable;
};

/* Longest name that the kernel puts without its BTF: BPF_OBJ_NAME_LEN - 1. */
#define SHORT_NAME_MAX 15

/* The views, for one kernel. */
struct kt_error *walk_init(struct bpf_progs *progs, const struct kfacts *facts);

/* Allocates *image and adds the reads of the object at addr. A null addr is not known. */
struct kt_error *walk_begin(const struct view *view, struct gmem_batch *batch, gaddr_t addr,
			    uint8_t **image, struct pieces_of *pieces, bool *known);

/* The length of aux->name, at most SHORT_NAME_MAX. */
size_t walk_short_name(const struct bpf_progs *progs, const struct walk_entry *entry,
		       const char **ret);

/* bpf_prog_refs.c: what hangs directly on a program: three batches in turn. */
bool refs_wants(struct wants *wants);
void refs_init(struct bpf_progs *progs, const struct kfacts *facts);
struct kt_error *refs_begin(struct bpf_progs *progs, struct walk_entry *entry,
			    struct gmem_batch *batch);
struct kt_error *refs_follow(struct bpf_progs *progs, struct walk_entry *entry,
			     const struct gmem_batch *done, struct gmem_batch *batch);
void refs_end(struct walk_entry *entry, const struct gmem_batch *done);
struct kt_error *refs_finish(const struct bpf_progs *progs, const struct walk_entry *entry,
			     struct program *ret);
void refs_deinit(struct walk_entry *entry);

/* bpf_prog_name.c: the program's BTF: its id, and the full name of the program in it. */
bool name_wants(struct wants *wants);
void name_init(struct bpf_progs *progs, const struct kfacts *facts);
struct kt_error *name_begin(struct bpf_progs *progs, struct walk_entry *entry,
			    struct gmem_batch *batch);

/* Steps 1 (types[id]), 2 (btf_type) and 3 (the string); each takes the batch before. */
#define NAME_STEPS 3
struct kt_error *name_step(struct bpf_progs *progs, struct walk_entry *entry, unsigned int step,
			   const struct gmem_batch *done, struct gmem_batch *batch);
void name_end(struct walk_entry *entry, const struct gmem_batch *done);
struct kt_error *name_finish(const struct bpf_progs *progs, const struct walk_entry *entry,
			     struct program *ret);
void name_deinit(struct walk_entry *entry);

#endif
