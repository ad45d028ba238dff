/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the objects of an IDR (map_idr, link_idr), one view's image of each, in a fixed number of
 * batches; and what all walkers of BPF objects use.
 */
#ifndef KT_INTROSPECT_BPF_IDR_H
#define KT_INTROSPECT_BPF_IDR_H

#include "introspect/code_data.h"
#include "memory/guest.h"
#include "memory/view.h"
#include "memory/xarray.h"

/* More objects than any machine has, of less than 2 KB each. */
#define BPF_IDR_MAX 100000

/* A kind of object: the view, and in it the fields with the ID and with the count of users. */
struct bpf_idr_type {
	const char *symbol; /* the IDR's */
	const struct view_type *view;
	unsigned int id, refcnt;
};

struct bpf_idr_entry {
	uint64_t index;
	gaddr_t addr;
	bool readable;
	uint8_t *image; /* NULL only before the read */
};

struct bpf_idr {
	const struct bpf_idr_type *type;
	struct view view;
	struct bpf_idr_entry *entries; /* by index */
	size_t n;
	bool damaged; /* nodes of the IDR made no sense */
};

/* False: no memory. */
bool bpf_idr_wants(const struct bpf_idr_type *type, struct wants *wants);

/* The error that nothing tells where the symbol is; its hint names the files that would. */
struct kt_error *bpf_idr_not_placed(const char *symbol);

/*
 * Where an IDR is: by its symbol; where kallsyms has no data (CONFIG_KALLSYMS_ALL), by the code of
 * the functions that use it, proved by the objects in it, each of which has the ID that it is
 * listed under. An IDR that is empty is known by its flags, if only one place looks like that.
 */
bool bpf_idr_place_wants(const char *symbol, struct wants *wants);
/* The functions whose code tells. NULL: no such IDR. */
const struct code_data *bpf_idr_users(const char *symbol);
/* Can that be found? */
bool bpf_idr_placed(const struct kfacts *facts, const char *symbol);
/* KT_ERROR_NOT_FOUND: nothing tells; a wrong place is worse than none. */
struct kt_error *bpf_idr_addr(struct guest *guest, const char *symbol, gaddr_t *ret);

/* KT_ERROR_UNSUPPORTED: a kernel without BPF. KT_ERROR_NOT_FOUND: the facts lack something. */
struct kt_error *bpf_idr_check(const struct bpf_idr_type *type, const struct kfacts *facts);

/* On error *ret is untouched. */
struct kt_error *bpf_idr_read(struct guest *guest, const struct bpf_idr_type *type,
			      struct bpf_idr *ret);
void bpf_idr_deinit(struct bpf_idr *idr);

/* The entries of an IDR, without reading the objects. */
bool bpf_idr_index_wants(const char *symbol, struct wants *wants);
struct kt_error *bpf_idr_index(struct guest *guest, const char *symbol, struct xarray_entries *ret);

/* An IDR, and the words for what is in it. */
struct bpf_idr_kind {
	const char *symbol, *what, *hint;
};
extern const struct bpf_idr_kind bpf_idr_progs, bpf_idr_maps, bpf_idr_btfs;

/* Where the object with an ID is. KT_ERROR_NOT_FOUND: none has it. */
struct kt_error *bpf_idr_find(struct guest *guest, const struct bpf_idr_kind *kind, uint32_t id,
			      gaddr_t *ret);
/* That error, for an object that nobody holds any more. */
struct kt_error *bpf_idr_none(const struct bpf_idr_kind *kind, uint32_t id);

enum bpf_idr_state {
	BPF_IDR_HERE,
	BPF_IDR_DYING,      /* nobody holds it; the kernel's own lookups skip it, too */
	BPF_IDR_UNREADABLE, /* or damaged: its ID is not its index */
};
enum bpf_idr_state bpf_idr_state(const struct bpf_idr *idr, const struct bpf_idr_entry *entry);

/*
 * An enumerator's name as libbpf and bpftool write it: in small letters, without the prefix and
 * without "_DEPRECATED". The caller frees *ret, which is NULL for a value that this kernel's enum
 * does not have.
 */
struct kt_error *bpf_enum_text(const struct kfacts *facts, const char *type, const char *prefix,
			       uint64_t value, char **ret);

#endif
