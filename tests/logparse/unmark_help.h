/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collapses a text and has the checker prove the result. Include after cmocka.h. */
#ifndef KT_TESTS_LOGPARSE_UNMARK_HELP_H
#define KT_TESTS_LOGPARSE_UNMARK_HELP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/collapse.h"
#include "tests/lib/unmark.h"
#include "util/buf.h"

static inline struct kt_text text_of(const struct kt_buf *buf)
{
	return (struct kt_text){buf->data, buf->len};
}

static inline void dump_as(const char *name, struct kt_text t)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", getenv("UNMARK_DUMP"), name);
	f = fopen(path, "we");
	if (f) {
		if (t.len)
			fwrite(t.data, 1, t.len, f);
		fclose(f);
	}
}

/* For a person to look at, into the directory that UNMARK_DUMP names. */
static inline void dump(struct kt_text in, struct kt_text out, struct kt_text want)
{
	if (!getenv("UNMARK_DUMP"))
		return;
	dump_as("in", in);
	dump_as("out", out);
	dump_as("want", want);
}

/*
 * The collapsed text, which the caller frees, proven. what: for the message when it is wrong.
 * *u is for unmark_deinit().
 */
static inline struct kt_text collapse_checked(struct kt_text in,
					      const struct kt_collapse_options *options,
					      const char *what, struct unmark *u)
{
	struct kt_error *err;
	struct kt_text out = {0};
	char *copy = malloc(in.len ? in.len : 1); /* exact, so that ASan guards its end */
	char *data = NULL;

	assert_non_null(copy);
	if (in.len)
		memcpy(copy, in.data, in.len);
	err = kt_collapse_cycles((struct kt_text){copy, in.len}, options, &data, &out.len);
	if (err)
		fail_msg("%s: %s", what, kt_error_message(err));
	free(copy);
	out.data = data;
	if (!unmark_check(in, out, u)) {
		dump(in, out, (struct kt_text){0});
		fail_msg("%s: %s", what, u->problem);
	}
	return out;
}

/* The same when only the proof is wanted. */
static inline void collapse_and_check(struct kt_text in, const char *what)
{
	struct kt_collapse_options keep = {.keep_precision = true};
	struct unmark u;

	free((void *)collapse_checked(in, NULL, what, &u).data);
	unmark_deinit(&u);
	free((void *)collapse_checked(in, &keep, what, &u).data);
	assert_int_equal(u.by_precision, 0);
	unmark_deinit(&u);
}

#endif
