/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One BPF program of a guest: its bpf_prog and bpf_prog_aux, its BTF, and its full name in that. */
#ifndef KT_INTROSPECT_BPF_PROG_ONE_H
#define KT_INTROSPECT_BPF_PROG_ONE_H

#include "memory/object.h"
#include "model/program.h"

/* The fields of struct bpf_prog. */
enum {
	PROG_LEN,
	PROG_JITED_LEN,
	PROG_TYPE,
	PROG_TAG,
	PROG_GPL,
	PROG_AUX,
	PROG_STATS,
	PROG_PAGES,
	PROG_ATTACH,
	PROG_SLEEPABLE,
};

/* The fields of struct bpf_prog_aux. */
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
	AUX_ATTACH_BTF_ID,
	AUX_ATTACH_NAME,
	AUX_SLEEPABLE,
	AUX_XDP_FRAGS,
	AUX_OFFLOAD,
	AUX_DEV_BOUND,
	AUX_OFFLOADED,
	AUX_ATTACH_BTF,
};

/* How one kernel lays programs out. */
struct prog_views {
	struct view prog, aux;
	struct view btf, func_info, btf_type; /* for the full name */
	bool has_btf, has_func_info, has_btf_type;
	bool big_endian;
	uint64_t page_size; /* bytes; 0: unknown */
};

/* The size of a page, as far as types tell it; 0: they do not. */
bool prog_page_wants(struct wants *wants);
uint64_t prog_page_size(const struct kfacts *facts);

/* What was read of one program. The caller reads prog and aux by object_begin(). */
struct prog {
	struct object prog, aux, btf;

	/* The full name is at the end of a chain: func_info, types[id], btf_type, string. */
	struct {
		bool known;        /* the chain is whole so far */
		size_t first, end; /* the pieces of the link that is read now */
		uint8_t link[8];
		char *text; /* NULL until the last step */
		size_t max;
	} name;
};

/* False: no memory. */
bool prog_wants(struct wants *wants);

/* KT_ERROR_NOT_FOUND names a member that every known kernel has, but not this one. */
struct kt_error *prog_check(const struct kfacts *facts);
struct kt_error *prog_views_init(struct prog_views *views, const struct kfacts *facts);
void prog_deinit(struct prog *prog);

/* Longest name that the kernel keeps without BTF: BPF_OBJ_NAME_LEN - 1. */
#define SHORT_NAME_MAX 15

/* aux->name, which is not terminated in *ret: its length. A longer name is cut to SHORT_NAME_MAX.
 */
size_t prog_short_name(const struct prog_views *views, const struct prog *prog, const char **ret);

/*
 * The program's BTF and its full name, for a prog whose aux is known. prog_name_begin() adds to the
 * first batch; each of NAME_STEPS calls of prog_name_step() takes the batch before and adds to
 * the next; prog_name_end() takes the last one. A chain that breaks leaves the name unknown.
 */
#define NAME_STEPS 3
struct kt_error *prog_name_begin(const struct prog_views *views, struct prog *prog,
				 struct gmem_batch *batch);
struct kt_error *prog_name_step(const struct prog_views *views, struct prog *prog,
				unsigned int step, const struct gmem_batch *done,
				struct gmem_batch *batch);
void prog_name_end(struct prog *prog, const struct gmem_batch *done);

/* All of that for one program: four round trips if the short name may be cut, else none. */
struct kt_error *prog_name_read(const struct prog_views *views, struct prog *prog,
				const struct gmem *memory);

/*
 * The full name as bpftool has it (get_prog_full_name()): a copy that is the caller's. *ret is NULL
 * if the short name is cut and the full one unknown.
 */
struct kt_error *prog_full_name(const struct prog_views *views, const struct prog *prog,
				char **ret);

/* The tag's bytes, of which there may be none, as hex digits. */
void prog_tag_text(const uint8_t *tag, size_t len, char ret[17]);

/* The ID of a struct btf that was read with views->btf. */
uint64_t prog_btf_object_id(const struct prog_views *views, const struct object *btf);

/* The name of the module whose BTF it is, without a NUL: so many bytes; 0: it is no module's. */
size_t prog_btf_module(const struct prog_views *views, const struct object *btf, const char **ret);

/* The ID of the program's BTF; 0: it has none. */
struct program_number prog_btf_id(const struct prog_views *views, const struct prog *prog);

#endif
