/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The output of a watch: a line for each load of a BPF program, as text or as JSON. Not a public
 * header.
 */
#ifndef KT_RENDER_LOAD_H
#define KT_RENDER_LOAD_H

#include "model/load.h"
#include "util/error.h"

/*
 * The heads of the text's columns, as one line, with a newline, which the caller frees. width: that
 * lines are made to fit; 0: nothing is left out or cut but stack depths.
 */
struct kt_error *render_load_head(size_t width, char **ret);

/*
 * The load as one line, with a newline, which the caller frees. It is for a terminal: control
 * characters in a guest's names are shown as "\xNN".
 */
struct kt_error *render_load_line(const struct bpf_load *load, size_t width, bool color,
				  char **ret);

/* Whether it failed only because the verifier's log did not fit; and that as a line. */
bool render_load_log_only(const struct bpf_load *load);
struct kt_error *render_load_why_enospc(const struct bpf_load *load, char **ret);

/* The same as a JSON object. last: the part of its log that leads to the error, or NULL. */
struct kt_error *render_load_json(const struct bpf_load *load, const char *last, char **ret);

/*
 * The first object of the JSON: the watch has begun. kaslr_offset NULL: unknown. only_failing: the
 * guest is not stopped by loads that pass.
 */
struct kt_error *render_load_begin_json(const char *release, const int64_t *kaslr_offset,
					bool sees_verifier, bool only_failing, char **ret);

/* A load that is under way. */
struct kt_error *render_load_progress_line(const struct bpf_load_progress *progress, char **ret);
struct kt_error *render_load_progress_json(const struct bpf_load_progress *progress, char **ret);

/* "EINVAL", or the number of an error without a name, which is put into buf. */
const char *render_errno(uint64_t error, char *buf, size_t size);

/* Of a whole watch. */
struct load_summary {
	uint64_t passed, failed, unknown; /* loads by their result */
	uint64_t probes, retries;         /* libbpf's, which are among them */
	bool folded;                      /* those were not shown */
	bool only_failing;                /* loads that passed were not seen */
	uint64_t insns, most_insns;       /* instructions processed */
	char *most_name;                  /* NULL or "": none */
	uint64_t stops;
	int64_t paused_ns, looked_ns, elapsed_ns; /* as in struct watch_stats */
	int64_t median_pause_ns;                  /* for one load; 0: there was none */
	struct program_number drops;              /* as in struct watch_stats */
	int64_t load_cost_ns;                     /* likewise; -1: not known */
	bool behind_known;
	int64_t behind_ns;
};
struct kt_error *render_load_summary(const struct load_summary *summary, char **ret);
struct kt_error *render_load_summary_json(const struct load_summary *summary, const char *ended,
					  char **ret);

#endif
