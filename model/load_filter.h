/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which loads a person asks for. Not a public header. */
#ifndef KT_MODEL_LOAD_FILTER_H
#define KT_MODEL_LOAD_FILTER_H

#include "model/load.h"
#include "util/vec.h"

/* All zero: all loads. Strings stay the caller's. */
struct load_filter {
	bool failed; /* only those that fail */
	/* Of each of these that is not empty, one has to fit; globs are for fnmatch(3). */
	KT_VEC(const char *) names, comms, types;
	KT_VEC(uint32_t) pids;
	uint64_t min_insns; /* that the verifier processed, at least */
};

/* What is not known of a load does not fit, unless nobody asked. */
bool load_filter_takes(const struct load_filter *filter, const struct bpf_load *load);
void load_filter_deinit(struct load_filter *filter);

#endif
