// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * aux->name holds 15 characters; the full name is in the program's own BTF, where
 * func_info says which FUNC the program is. As bpftool's get_prog_full_name() has it.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_prog_impl.h"
#include "util/cursor.h"

#define POINTER_SIZE 8 /* 64-bit kernels */

/* KSYM_NAME_LEN since 6.1, and with it the longest name of a function. */
#define FULL_NAME_MAX 512

enum { BTF_ID, BTF_TYPES, BTF_NR_TYPES, BTF_STRINGS, BTF_STR_LEN, BTF_START_ID };
static const struct view_field btf_fields[] = {
	[BTF_ID] = {.path = "id"},
	[BTF_TYPES] = {.path = "types", .optional = true},
	[BTF_NR_TYPES] = {.path = "nr_types", .optional = true},
	[BTF_STRINGS] = {.path = "strings", .optional = true},
	[BTF_STR_LEN] = {.path = "hdr.str_len", .optional = true},
	[BTF_START_ID] = {.path = "start_id", .optional = true}, /* since 5.11 */
};
static const struct view_type btf_view_type = VIEW_TYPE("btf", btf_fields);

static const struct view_field func_info_fields[] = {{.path = "type_id"}};
static const struct view_type func_info_type = VIEW_TYPE("bpf_func_info", func_info_fields);

static const struct view_field btf_type_fields[] = {{.path = "name_off"}};
static const struct view_type btf_type_type = VIEW_TYPE("btf_type", btf_type_fields);

bool name_wants(struct wants *wants)
{
	return view_wants(&btf_view_type, wants) && view_wants(&func_info_type, wants) &&
	       view_wants(&btf_type_type, wants) &&
	       wants_add(wants, KFACTS_SIZE, "bpf_func_info", NULL, true);
}

void name_init(struct bpf_progs *progs, const struct kfacts *facts)
{
	struct kt_error *err;

	err = view_init(&progs->btf, &btf_view_type, facts);
	progs->has_btf = !err;
	kt_error_destroy(err);
	err = view_init(&progs->func_info, &func_info_type, facts);
	progs->has_func_info = !err;
	kt_error_destroy(err);
	err = view_init(&progs->btf_type, &btf_type_type, facts);
	progs->has_btf_type = !err;
	kt_error_destroy(err);
}

/* struct bpf_func_info of the UAPI: insn_off, type_id. The kernel keeps records of this size. */
#define FUNC_INFO_SIZE 8

static bool wants_full_name(const struct bpf_progs *progs, const struct walk_entry *entry)
{
	const char *name;

	return entry->btf_known && progs->has_func_info && progs->has_btf_type &&
	       view_uint(&progs->aux, entry->aux, AUX_FUNC_INFO) &&
	       view_uint(&progs->aux, entry->aux, AUX_FUNC_IDX) <
		       view_uint(&progs->aux, entry->aux, AUX_FUNC_INFO_CNT) &&
	       walk_short_name(progs, entry, &name) == SHORT_NAME_MAX;
}

struct kt_error *name_begin(struct bpf_progs *progs, struct walk_entry *entry,
			    struct gmem_batch *batch)
{
	gaddr_t func_info = view_uint(&progs->aux, entry->aux, AUX_FUNC_INFO) +
			    view_uint(&progs->aux, entry->aux, AUX_FUNC_IDX) * FUNC_INFO_SIZE;
	struct kt_error *err;

	if (!progs->has_btf)
		return NULL;
	err = walk_begin(&progs->btf, batch, view_uint(&progs->aux, entry->aux, AUX_BTF),
			 &entry->btf, &entry->btf_pieces, &entry->btf_known);
	if (err || !wants_full_name(progs, entry))
		return err;
	entry->name_pieces.first = batch->reads.len;
	if (!view_read(&progs->func_info, batch, func_info, entry->name_link))
		return kt_error_no_memory();
	entry->name_pieces.end = batch->reads.len;
	entry->name_known = true;
	return NULL;
}

/* Where the next link of the chain is; 0: nowhere, the name stays unknown. */
static gaddr_t next_link(struct bpf_progs *progs, struct walk_entry *entry, unsigned int step,
			 size_t *len)
{
	const uint8_t *btf = entry->btf;
	uint64_t id, start, offset, str_len;

	switch (step) {
	case 1:
		id = view_uint(&progs->func_info, entry->name_link, 0);
		start = view_uint(&progs->btf, btf, BTF_START_ID);
		if (id < start || id - start >= view_uint(&progs->btf, btf, BTF_NR_TYPES))
			return 0;
		*len = POINTER_SIZE;
		return view_uint(&progs->btf, btf, BTF_TYPES) + (id - start) * POINTER_SIZE;
	case 2:
		*len = progs->btf_type.size;
		return kt_load_uint(entry->name_link, POINTER_SIZE, progs->big_endian) +
		       progs->btf_type.spans[0].offset;
	default:
		offset = view_uint(&progs->btf_type, entry->name_link, 0);
		str_len = view_uint(&progs->btf, btf, BTF_STR_LEN);
		if (!offset || offset >= str_len)
			return 0;
		*len = str_len - offset < FULL_NAME_MAX ? (size_t)(str_len - offset)
							: FULL_NAME_MAX;
		return view_uint(&progs->btf, btf, BTF_STRINGS) + offset;
	}
}

struct kt_error *name_step(struct bpf_progs *progs, struct walk_entry *entry, unsigned int step,
			   const struct gmem_batch *done, struct gmem_batch *batch)
{
	size_t len = 0;
	gaddr_t addr;

	if (step == 1)
		entry->btf_known &= !gmem_batch_fault(done, entry->btf_pieces.first,
						      entry->btf_pieces.end);
	/* The pieces of a chain that broke earlier are of an earlier batch. */
	entry->name_known = entry->name_known && entry->btf_known &&
			    !gmem_batch_fault(done, entry->name_pieces.first,
					      entry->name_pieces.end);
	if (!entry->name_known)
		return NULL;
	addr = next_link(progs, entry, step, &len);
	entry->name_known = addr && (step == 3 || len <= sizeof(entry->name_link));
	if (!entry->name_known)
		return NULL;
	if (step == 3) {
		entry->full_name = calloc(1, len + 1);
		entry->full_name_max = len;
		if (!entry->full_name)
			return kt_error_no_memory();
	}
	entry->name_pieces.first = batch->reads.len;
	if (!gmem_batch_add(batch, addr,
			    step == 3 ? (void *)entry->full_name : (void *)entry->name_link, len))
		return kt_error_no_memory();
	entry->name_pieces.end = batch->reads.len;
	return NULL;
}

void name_end(struct walk_entry *entry, const struct gmem_batch *done)
{
	entry->name_known = entry->name_known && !gmem_batch_fault(done, entry->name_pieces.first,
								   entry->name_pieces.end);
}

struct kt_error *name_finish(const struct bpf_progs *progs, const struct walk_entry *entry,
			     struct program *ret)
{
	const char *name;
	size_t len = walk_short_name(progs, entry, &name);

	if (progs->has_btf && !view_uint(&progs->aux, entry->aux, AUX_BTF))
		ret->btf_id = (struct program_number){.known = true, .value = 0};
	else if (entry->btf_known)
		ret->btf_id = (struct program_number){
			.known = true, .value = view_uint(&progs->btf, entry->btf, BTF_ID)};
	/* Without BTF, the kernel knows no more of the name than this; nor does bpftool. */
	if (len < SHORT_NAME_MAX || !view_uint(&progs->aux, entry->aux, AUX_FUNC_INFO))
		ret->full_name = strndup(name, len);
	else if (entry->name_known && entry->full_name[0] &&
		 strnlen(entry->full_name, entry->full_name_max) < entry->full_name_max)
		ret->full_name = strdup(entry->full_name);
	else
		return NULL;
	return ret->full_name ? NULL : kt_error_no_memory();
}

void name_deinit(struct walk_entry *entry)
{
	free(entry->btf);
	free(entry->full_name);
}
