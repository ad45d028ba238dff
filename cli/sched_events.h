/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events of sched_ext as they come: a line each, and the file of --dump. */
#ifndef KT_CLI_SCHED_EVENTS_H
#define KT_CLI_SCHED_EVENTS_H

#include "cli/session.h"
#include "model/sched_event.h"

struct cli_sched_events {
	bool json;
	/*
	 * Where the first dump goes; the others are FILE.2, FILE.3, ... NULL: none is kept. A
	 * scheduler's dump is written when it begins to end, and again, with what the kernel says
	 * of the end, when it is gone.
	 */
	const char *dump;
	unsigned int n_dumps;
	struct sched_event last; /* with the dump that is to be completed */
	uint64_t shown;
	/* Why the dump of the last event could not be saved: see cli_sched_events_tell(). */
	struct kt_error *unsaved;
	bool lost; /* that happened at least once */
};

/*
 * Before a watch begins: whether the file of --dump can be written. KT_ERROR_USAGE: it is there and
 * no regular file. KT_ERROR_OS: not in its directory.
 */
struct kt_error *cli_sched_events_check(const char *file);

/*
 * Takes the event. The line, with a newline, is in *ret, which the caller frees. That its dump
 * could not be saved is no error: print the line, and then let cli_sched_events_tell() say so.
 */
struct kt_error *cli_sched_event(struct cli_sched_events *events, const struct cli_session *session,
				 int64_t kaslr_offset, struct sched_event *event, char **ret);
/* Prints which dump could not be saved, and why; nothing if all were. */
void cli_sched_events_tell(struct cli_sched_events *events);
void cli_sched_events_deinit(struct cli_sched_events *events);

/* What is written: the event's dump as a document, which the caller frees; and a file of it. */
struct kt_error *cli_sched_dump_json(const struct kfacts *facts, int64_t kaslr_offset,
				     const struct sched_event *event, char **ret);
struct kt_error *cli_sched_dump_write(const char *path, const char *text);

/* The directory of a file, for cli_session_open(). NULL: no memory. The caller frees it. */
char *cli_sched_events_dir(const char *file);

#endif
