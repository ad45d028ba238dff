/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest that a list was read from, and what was run in it: the frame of each document. */
#ifndef KT_RENDER_GUEST_H
#define KT_RENDER_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/trial.h"
#include "model/verdict.h"
#include "render/filter.h"

/* The result of the user's own loader in the guest. */
struct render_payload {
	bool exited;
	int exit_code; /* when exited; 128 + N: killed by signal N */
	const char *output;
	const char *reason; /* why it did not pass, "loaded nothing ..."; NULL: it did */
	const struct kt_trials *rejected; /* its programs that were; NULL: none */
};

/* What JSON has beside the programs. Strings are the caller's. */
struct render_guest {
	const char *release, *arch;
	const char *build_id; /* hex; NULL: none */
	int64_t kaslr_offset;
	bool kaslr_unknown; /* then it is null */
	int64_t pause_us;
	bool not_read; /* its memory was not: kaslr_offset, pause_us are null */
	const struct render_filter *filter;      /* that the programs went through; NULL: none */
	const struct kt_trials *trials;          /* of objects; NULL: none were loaded by us */
	const struct render_payload *payload;    /* NULL: none was run */
	const char *scheduler;                   /* what was run as one, and: */
	const struct kt_verifier_vm_result *run; /* NULL: none was */
};

#endif
