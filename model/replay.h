/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. Programs that a guest has, beside trials of the same programs: `ktstr-gdb
 * replay`. A program is known by its name.
 */
#ifndef KT_MODEL_REPLAY_H
#define KT_MODEL_REPLAY_H

#include "model/trial.h"

/*
 * Only the first 15 characters of its name are known: a kernel keeps no more, and its own BTF,
 * which has all of it, does not tell.
 */
bool kt_replay_is_cut(const struct program *program);

/* The program of the guest that is a trial's; NULL: the guest has none of that name. */
const struct program *kt_replay_find(const struct programs *guest, const struct kt_trial *trial);

/*
 * The guest's programs as trials that passed, with the names that the object has, in the order in
 * which they were tried; tried[0..n) may be NULL. What was tried nowhere is not in *ret, which
 * borrows the programs. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_replay_guest_trials(const struct programs *guest,
					const struct kt_trials *const *tried, size_t n,
					struct kt_trials *ret);

/*
 * Whether the code that was loaded is not the guest's, by the tag, which covers all instructions as
 * libbpf hands them over, but for addresses of maps (bpf_prog_calc_tag() in kernel/bpf/core.c). So
 * values of constants are not in it, and what libbpf relocates for a kernel is: on another kernel
 * an other tag says nothing. False: the same, or not known.
 */
bool kt_replay_is_other_code(const struct programs *guest, const struct kt_trial *trial);

#endif
