/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A watch, from its connection to its end: what `watch` and `sched watch` share. */
#ifndef KT_CLI_FOLLOWING_H
#define KT_CLI_FOLLOWING_H

#include "cli/session.h"
#include "watch/watch.h"

/* Whoever follows a watch embeds this as the first member, and sets the first four. */
struct cli_following {
	const struct cli_following_ops *ops;
	struct cli_session guest; /* open, and its facts known */
	struct watch_options what;
	double duration_s; /* 0: without end */
	/* The rest is set here. */
	bool stdout_failed;
	bool began;      /* the breakpoints were set, and the guest ran */
	bool was_paused; /* somebody else paused the guest, which ended the watch */
	char why[200];   /* why the guest ended the watch; "": it did not */
	struct watch_stats stats;
};

struct cli_following_ops {
	/* The guest runs, and is watched from now on. */
	struct kt_error *(*begin)(struct cli_following *f, const struct watch *watch);
	/* Takes what event->kind says that it has. */
	struct kt_error *(*show)(struct cli_following *f, const struct watch *watch,
				 struct watch_event *event);
	bool (*is_done)(const struct cli_following *f);
	/* For how long the next event is waited for, at most `wait` (-1: without end). NULL: so
	 * long. */
	int64_t (*wait_ms)(const struct cli_following *f, int64_t wait);
	/* Shows what still waits to be shown, however the watch ends. NULL: nothing does. */
	struct kt_error *(*let_go)(struct cli_following *f);
	/* Shows the sum, however it ended. */
	struct kt_error *(*end)(struct cli_following *f);
};

/* Prints, and flushes, so that a reader behind a pipe gets each line at once. */
void cli_following_put(struct cli_following *f, const char *text);

/*
 * Watches until the user, an option or the guest ends it; until it began, tries again as --wait
 * says. KT_ERROR_CLOSED: the guest ended it.
 */
struct kt_error *cli_following_run(struct cli_following *f);

#endif
