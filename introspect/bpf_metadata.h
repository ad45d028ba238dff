/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Metadata of BPF programs: variables "bpf_metadata_NAME" in the map of their constants, as bpftool
 * shows them (show_prog_metadata() of its prog.c). It takes the same two steps as
 * introspect/bpf_prog.h.
 */
#ifndef KT_INTROSPECT_BPF_METADATA_H
#define KT_INTROSPECT_BPF_METADATA_H

#include "memory/guest.h"
#include "model/program.h"

bool bpf_metadata_wants(struct wants *wants);

/* No kernel is refused: where the facts do not suffice, metadata stays unknown. */
struct kt_error *bpf_metadata_check(const struct kfacts *facts);

struct bpf_metadata;

/* Of one program; id 0: of all. KT_ERROR_NOT_FOUND: no program has that ID. */
struct kt_error *bpf_metadata_read(struct guest *guest, uint32_t id, struct bpf_metadata **ret);
void bpf_metadata_destroy(struct bpf_metadata *metadata);

/* Fills what the programs say of it. It stays unknown of those that could not be read. */
struct kt_error *bpf_metadata_finish(const struct bpf_metadata *metadata,
				     struct programs *programs);

#endif
