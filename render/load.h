/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads of BPF programs, as a watch sees them: a line each, as text or as JSON. Not
 * a public header.
 */
#ifndef KT_RENDER_LOAD_H
#define KT_RENDER_LOAD_H

#include "model/load.h"
#include "util/error.h"

/* The head of the lines; static. */
const char *render_load_head(void);

/*
 * The load as one line with a newline at its end, which the caller frees. It is made for a
 * terminal: what a guest's names might make it obey is shown as "\xNN".
 */
struct kt_error *render_load_line(const struct bpf_load *load, bool color, char **ret);

/* The same as a JSON object on one line. last: what to say of its log, or NULL. */
struct kt_error *render_load_json(const struct bpf_load *load, const char *last, char **ret);

/* That a guest is watched from now on, as a JSON object on one line. kaslr_offset NULL: unknown. */
struct kt_error *render_load_begin_json(const char *release, const int64_t *kaslr_offset,
					bool sees_verifier, char **ret);

/* A load that is under way. */
struct kt_error *render_load_progress_line(const struct bpf_load_progress *progress, char **ret);
struct kt_error *render_load_progress_json(const struct bpf_load_progress *progress, char **ret);

/* "EINVAL"; a number for one without a name. buf is for that. */
const char *render_errno(uint64_t error, char *buf, size_t size);

/* What a watch saw, for the end of it. */
struct load_summary {
	uint64_t passed, failed, unknown; /* loads by their result */
	uint64_t insns, most_insns;       /* instructions processed */
	char most_name[16];
	uint64_t stops;
	int64_t paused_ns, looked_ns, elapsed_ns; /* looked_ns: of paused_ns, for no load's sake */
	int64_t median_pause_ns;                  /* of a load; 0: there was none */
};
struct kt_error *render_load_summary(const struct load_summary *summary, char **ret);
struct kt_error *render_load_summary_json(const struct load_summary *summary, const char *ended,
					  char **ret);

#endif
