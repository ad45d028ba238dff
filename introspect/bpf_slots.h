/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the slots of a stopped guest's maps lead to: the programs of prog arrays, for tail calls,
 * and the maps of arrays of maps (struct bpf_array, kernel/bpf/arraymap.c). Of all maps that
 * map_idr lists.
 */
#ifndef KT_INTROSPECT_BPF_SLOTS_H
#define KT_INTROSPECT_BPF_SLOTS_H

#include "memory/guest.h"
#include "model/slots.h"

bool bpf_slots_wants(struct wants *wants);

/* KT_ERROR_UNSUPPORTED: a kernel without BPF. KT_ERROR_NOT_FOUND: the facts lack something. */
struct kt_error *bpf_slots_check(const struct kfacts *facts);

/* A fixed number of round trips. The caller owns *ret. */
struct kt_error *bpf_slots_read(struct guest *guest, struct slots *ret);

#endif
