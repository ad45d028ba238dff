/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One error object for the whole tool.
 *
 * A function that can fail returns `struct kt_error *`: NULL is success. The
 * message grows outward, so that a person reads "outer: inner: cause"; a hint,
 * if there is one, says what to try. Outputs are untouched on failure.
 */
#ifndef KT_UTIL_ERROR_H
#define KT_UTIL_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

enum kt_error_code {
	KT_ERROR_NO_MEMORY,
	KT_ERROR_OS,          /* a system call failed; kt_error_errno() has its errno */
	KT_ERROR_USAGE,       /* what the user typed makes no sense */
	KT_ERROR_NOT_FOUND,   /* a symbol, type, member or file is not there */
	KT_ERROR_FORMAT,      /* a file or a structure is not what it should be */
	KT_ERROR_UNSUPPORTED, /* understood, but not something this tool can do */
	KT_ERROR_TIMEOUT,     /* a deadline passed */
	KT_ERROR_CLOSED,      /* the other side hung up */
	KT_ERROR_PROTOCOL,    /* the other side does not speak the protocol */
	KT_ERROR_FAULT,       /* guest memory that cannot be read */
	KT_ERROR_MISMATCH,    /* image and guest do not belong together */
	KT_ERROR_NOT_READY,   /* the guest is not yet running a kernel */
	KT_ERROR_CANCELLED,   /* the user pressed Ctrl-C */
	KT_ERROR_PARTIAL,     /* it works, but for what the message says */
	KT_ERROR_NESTED,      /* the vCPUs are in guests of the guest: soon one may not be */
};

struct kt_error;

/* The error for a failed allocation. Never NULL, needs no memory itself. */
struct kt_error *kt_error_no_memory(void) __attribute__((returns_nonnull));

/* A new error. Never NULL: without memory, it is kt_error_no_memory(). */
struct kt_error *kt_error_new(enum kt_error_code code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull, warn_unused_result));

/* A new KT_ERROR_OS: "MESSAGE: strerror(errnum)". */
struct kt_error *kt_error_os(int errnum, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull, warn_unused_result));

/* An error that another process had, of its parts. errnum: 0, or that of KT_ERROR_OS. */
struct kt_error *kt_error_again(enum kt_error_code code, int errnum, const char *message,
				const char *hint)
	__attribute__((returns_nonnull, warn_unused_result));

/*
 * Adds context outside: "CONTEXT: MESSAGE". Takes err and returns it (or, for
 * NULL, NULL), so that `return kt_error_wrap(f(), "cannot do it")` reads well.
 */
struct kt_error *kt_error_wrap(struct kt_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* Says what the user can try. The innermost hint stays. Takes and returns err. */
struct kt_error *kt_error_hint(struct kt_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/*
 * Two failures at once, "OTHER: ERR", with the code of err. other's hint stays, if it has one: it
 * is the one that must not get lost, for instance that a guest still stands. Takes both, and
 * returns one; either may be NULL.
 */
struct kt_error *kt_error_join(struct kt_error *err, struct kt_error *other)
	__attribute__((warn_unused_result));

enum kt_error_code kt_error_code(const struct kt_error *err);

/* The errno of a KT_ERROR_OS, 0 for all others. */
int kt_error_errno(const struct kt_error *err);

/* One line without a newline; valid as long as err. */
const char *kt_error_message(const struct kt_error *err);

/* What to try, or NULL. */
const char *kt_error_hint_text(const struct kt_error *err);

/* Accepts NULL. */
void kt_error_destroy(struct kt_error *err);
void kt_error_destroyp(struct kt_error **err);

#endif
