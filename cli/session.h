/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session: one command reads one running guest.
 *
 * It owns the guest's address, the facts of its kernel, what was read of it, the path of the cache,
 * and one deadline, that of --wait. It borrows the options. The command makes it, and goes through
 * these steps in this order:
 *
 *   1. Open.  Parse the target, catch signals, open the trace. --wait begins. A link to the
 *             guest's monitor is opened, if the target has one. The fence is put up.
 *   2. Facts. From the files that the options name, if these have types and symbols. Else from the
 *             cache, if it has the kernel that was last seen at this address, or if one of its
 *             kernels is recognised in the guest's memory. Else out of that memory, in many short
 *             stops (memory/gather.h), over one connection, which step 3 goes on with.
 *   3. Stop.  Connect, find the kernel, prove that it is the kernel of the facts, read, detach.
 *             If the facts are the cache's and the guest runs another kernel by now, step 2 is
 *             done again, from memory.
 *
 * Whichever step finds the guest not ready is tried again, until the one deadline. After it each
 * step that is left is tried once.
 *
 *   attach, maps, links, cgroup, net, prog, info
 *                                     cli_session_open(), cli_session_read()
 *   map, btf                          the same; cli_session_read() again for each further part
 *   watch                             cli_session_open(), cli_session_know(); it connects by
 *                                     itself, with cli_session_try_again() between its tries
 *   collect, diff, sweep              cli_session_init(), cli_session_load() of the image to boot;
 *                                     they boot it; cli_session_aim(), cli_session_read()
 */
#ifndef KT_CLI_SESSION_H
#define KT_CLI_SESSION_H

#include "cli/options.h"
#include "host/link.h"
#include "introspect/inspect.h"
#include "memory/gather_stub.h"

/* A command may read every member, and set retry_ms. */
struct cli_session {
	const struct cli_guest *options;
	struct host_link *link; /* to the guest's monitor; NULL: the target is a stub's address */
	struct rsp_target target;
	struct rsp_options stub; /* how the stub is talked to */
	char *cache_dir;         /* NULL: nothing is cached */
	struct kfacts *facts;    /* NULL until step 2 */
	struct gather_stub
		gathering; /* step 2's connection to the guest, for step 3 to go on with */
	struct inspection inspection; /* what step 3 read */
	int64_t deadline_ns;          /* of --wait, in kt_now_ns() time */
	int retry_ms;                 /* from one try to the next */
	int nested_tries;             /* so many failed: the vCPUs were in guests of the guest */
	int image_fd; /* of a kernel in memory, while its facts are loaded; else -1 */
	/* This process starts programs: children behind a fence read the guest and the kernel. */
	bool booted;

	/* What step 2 cost. */
	int64_t resolve_ns;
	bool cached;                  /* the facts came from the cache */
	struct gather_stats gathered; /* no stops: nothing was read out of the guest's memory */
	bool recognised;              /* in them: the cache had the kernel, from another place */
};

/* Step 1 for a guest that is booted later. The error is the trace's. */
struct kt_error *cli_session_init(struct cli_session *session, const struct cli_guest *options);

/* Accepts a session that is all zeros, and one whose init or open failed. */
void cli_session_deinit(struct cli_session *session);

/*
 * Step 1. target: as the user wrote it, NULL for the default, which the host's processes decide
 * (host/process.h). results_dir: a directory that the
 * command writes to, made if it is not there; NULL: none. From here on this process can open no
 * other files (cli/fence.h).
 */
struct kt_error *cli_session_open(struct cli_session *session, const struct cli_guest *options,
				  const char *target, const char *results_dir);

/*
 * Sets the address of a guest that this process has just booted. Its socket is used once, so
 * nothing is cached; and --timeout was for the boot.
 */
struct kt_error *cli_session_aim(struct cli_session *session, const char *target);

/*
 * Step 2 from files: the facts that reading `objects` (INSPECT_*) takes. With INSPECT_AVAILABLE a
 * kernel may lack some; a note says which. Needs no guest.
 */
struct kt_error *cli_session_load(struct cli_session *session, const struct kfacts_sources *sources,
				  unsigned int objects);

/* Step 2. Reads the guest only if files do not suffice; then it also goes through step 3. */
struct kt_error *cli_session_know(struct cli_session *session, unsigned int objects);

/* Steps 2 (unless there are facts) and 3. what->hint is set here. */
struct kt_error *cli_session_read(struct cli_session *session, const struct inspect_options *what);

/*
 * After a try that failed with *err: true if waiting may help and there is time. Then it has waited
 * for retry_ms, and *err is NULL. False: *err is what to tell the user.
 */
bool cli_session_try_again(struct cli_session *session, struct kt_error **err);

/* If err says that the guest runs another kernel: adds which file was wrong. Takes err. */
struct kt_error *cli_session_name_file(const struct cli_session *session, struct kt_error *err);

#endif
