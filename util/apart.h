/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work in a process of its own: a child does it, and hands back bytes, or an error with all its
 * parts. So the child can be behind a fence (util/fence.h) that this process could not have.
 *
 * The child has the memory of this process as it was, but of its open files only stderr and those
 * that are named; its stdin and stdout are /dev/null. It ends with this process, however that ends.
 * It ignores SIGINT, SIGTERM and SIGHUP: cancel_fd tells it, too, if it is kept.
 * Internal to the tool; not a public header.
 */
#ifndef KT_UTIL_APART_H
#define KT_UTIL_APART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/error.h"

struct kt_apart {
	const char *name; /* in ps, 15 characters */
	const char *what; /* "the process that reads the guest": for messages */
	/* In the child. What it leaves in result is what the parent gets, unless it fails. */
	struct kt_error *(*work)(void *arg, struct kt_buf *result);
	/*
	 * In place of that, of a child that is asked: reads questions, a byte each, from sock,
	 * which is a stream; end of file tells it to end. It answers by kt_apart_answer().
	 */
	void (*serve)(void *arg, int sock);
	void *arg;
	const int *keep; /* descriptors that stay open in the child; one may be -1 */
	size_t n_keep;
	size_t max;         /* bytes of a result */
	int64_t timeout_ms; /* for all of it: the child may have been taken over, and hang */
	int cancel_fd;      /* readable: the child gets a moment to come to an end; -1: none */
};

/*
 * The result in *ret, which the caller frees. It is not to be trusted more than what the child
 * reads. The error is the child's own, or KT_ERROR_CLOSED: it ended without a word,
 * KT_ERROR_TIMEOUT, KT_ERROR_CANCELLED, KT_ERROR_PROTOCOL.
 */
struct kt_error *kt_apart(const struct kt_apart *apart, struct kt_buf *ret);

/* --- a child that works beside this process, and is asked --- */

struct kt_apart_child {
	const struct kt_apart *apart; /* which must stay; NULL: there is no child */
	pid_t pid;
	int sock;
};

/* Starts one that has `serve`. */
struct kt_error *kt_apart_start(const struct kt_apart *apart, struct kt_apart_child *ret);

/* In the child: an answer, which is the error, unless that is NULL. Takes both. */
void kt_apart_answer(int sock, struct kt_error *err, struct kt_buf *result);

/* Asks it; false: it has ended. */
bool kt_apart_ask(const struct kt_apart_child *child, char question);

/*
 * Waits for its next answer, until apart->cancel_fd is readable or the time is over. The errors are
 * kt_apart()'s. Once one is not the child's own, only kt_apart_end() is left.
 */
struct kt_error *kt_apart_hear(const struct kt_apart_child *child, int64_t timeout_ms,
			       struct kt_buf *ret);

/* Tells it to end, gives it a moment for that, and then kills it. Accepts one that is not there. */
void kt_apart_end(struct kt_apart_child *child);

#endif
