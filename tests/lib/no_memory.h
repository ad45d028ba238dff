/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lets each allocation of a piece of work fail, one after the other: only that one, and all from
 * there on. The result is an error, or the same as without a failure; no crash, and (the sanitizer
 * looks at the end) no leak.
 *
 * The linker gives us each call of malloc(3) and its kin from the house and the test (--wrap, see
 * GNUmakefile). Other libraries' own allocations do not fail here.
 */
#ifndef KT_TESTS_NO_MEMORY_H
#define KT_TESTS_NO_MEMORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/error.h"

/* Gives a text, or an error. Allocations count while `counting` is set. */
typedef struct kt_error *(*no_memory_fn)(char **ret);

static _Thread_local bool counting;
static _Thread_local long allocations, fail_at; /* from 1; 0: none */
static _Thread_local bool fail_on;        /* and all after it */

static bool fails(void)
{
	if (!counting)
		return false;
	allocations++;
	return fail_at && (allocations == fail_at || (fail_on && allocations > fail_at));
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
int __real_vasprintf(char **ret, const char *fmt, va_list ap);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_vasprintf(char **ret, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return fails() ? NULL : __real_strndup(s, n);
}

int __wrap_vasprintf(char **ret, const char *fmt, va_list ap)
{
	return fails() ? -1 : __real_vasprintf(ret, fmt, ap);
}

int __wrap_asprintf(char **ret, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = fails() ? -1 : __real_vasprintf(ret, fmt, ap);
	va_end(ap);
	return n;
}

static inline bool holds(no_memory_fn work, const char *truth)
{
	char *text = NULL;
	struct kt_error *err;
	bool good;

	allocations = 0;
	err = work(&text);
	good = err ? kt_error_message(err) && *kt_error_message(err) : !strcmp(text, truth);
	if (!good)
		printf("# %s\n", err ? "an error without a word" : "something else comes of it");
	kt_error_destroy(err);
	free(text);
	return good;
}

static inline void check_each(no_memory_fn work, const char *what)
{
	long total, good = 0;
	char *truth = NULL;
	struct kt_error *err;

	allocations = fail_at = 0;
	err = work(&truth);
	if (err)
		fail_msg("%s", kt_error_message(err));
	total = allocations;
	assert_true(total > 5);
	for (int on = 0; on < 2; on++) {
		fail_on = on;
		for (fail_at = 1; fail_at <= total; fail_at++) {
			bool held = holds(work, truth);

			good += held;
			if (!held)
				printf("# %s: allocation %ld%s\n", what, fail_at,
				       on ? " and all after it" : "");
		}
	}
	fail_at = 0;
	free(truth);
	printf("# %s: %ld of %ld\n", what, good, 2 * total);
	assert_int_equal(good, 2 * total);
}

#endif
