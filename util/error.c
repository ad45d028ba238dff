// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"

struct kt_error {
	enum kt_error_code code;
	int errnum;
	char *message;
	char *hint;
};

static struct kt_error no_memory = {
	.code = KT_ERROR_NO_MEMORY,
	.message = (char *)"out of memory",
};

struct kt_error *kt_error_no_memory(void)
{
	return &no_memory;
}

__attribute__((format(printf, 3, 0))) static struct kt_error *
error_newv(enum kt_error_code code, int errnum, const char *fmt, va_list ap)
{
	struct kt_error *err = calloc(1, sizeof(*err));

	if (!err)
		return &no_memory;
	err->code = code;
	err->errnum = errnum;
	if (vasprintf(&err->message, fmt, ap) < 0) {
		free(err);
		return &no_memory;
	}
	return err;
}

struct kt_error *kt_error_new(enum kt_error_code code, const char *fmt, ...)
{
	struct kt_error *err;
	va_list ap;

	va_start(ap, fmt);
	err = error_newv(code, 0, fmt, ap);
	va_end(ap);
	return err;
}

struct kt_error *kt_error_os(int errnum, const char *fmt, ...)
{
	struct kt_error *err;
	va_list ap;
	char *whole;

	va_start(ap, fmt);
	err = error_newv(KT_ERROR_OS, errnum, fmt, ap);
	va_end(ap);
	if (err == &no_memory)
		return err;
	if (asprintf(&whole, "%s: %s", err->message, strerror(errnum)) < 0)
		return err;
	free(err->message);
	err->message = whole;
	return err;
}

struct kt_error *kt_error_again(enum kt_error_code code, int errnum, const char *message,
				const char *hint)
{
	struct kt_error *err = kt_error_new(code, "%s", message);

	if (err != &no_memory)
		err->errnum = errnum;
	return hint ? kt_error_hint(err, "%s", hint) : err;
}

struct kt_error *kt_error_wrap(struct kt_error *err, const char *fmt, ...)
{
	char *outer, *whole;
	va_list ap;
	int len;

	if (!err || err == &no_memory)
		return err;
	va_start(ap, fmt);
	len = vasprintf(&outer, fmt, ap);
	va_end(ap);
	if (len < 0)
		return err;
	len = asprintf(&whole, "%s: %s", outer, err->message);
	free(outer);
	if (len < 0)
		return err;
	free(err->message);
	err->message = whole;
	return err;
}

struct kt_error *kt_error_hint(struct kt_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err == &no_memory || err->hint)
		return err;
	va_start(ap, fmt);
	if (vasprintf(&err->hint, fmt, ap) < 0)
		err->hint = NULL;
	va_end(ap);
	return err;
}

struct kt_error *kt_error_join(struct kt_error *err, struct kt_error *other)
{
	if (!err || !other)
		return err ? err : other;
	err = kt_error_wrap(err, "%s", other->message);
	if (other->hint && err != &no_memory) {
		free(err->hint);
		err->hint = other->hint;
		other->hint = NULL;
	}
	kt_error_destroy(other);
	return err;
}

enum kt_error_code kt_error_code(const struct kt_error *err)
{
	return err->code;
}

int kt_error_errno(const struct kt_error *err)
{
	return err->errnum;
}

const char *kt_error_message(const struct kt_error *err)
{
	return err->message;
}

const char *kt_error_hint_text(const struct kt_error *err)
{
	return err->hint;
}

void kt_error_destroy(struct kt_error *err)
{
	if (!err || err == &no_memory)
		return;
	free(err->message);
	free(err->hint);
	free(err);
}

void kt_error_destroyp(struct kt_error **err)
{
	kt_error_destroy(*err);
}
