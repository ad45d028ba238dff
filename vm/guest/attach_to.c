// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vm/guest/attach_to.h"
#include "vm/guest/load_log.h"

void attach_say(struct attach_result *ret, enum kt_attach outcome, const char *fmt, ...)
{
	va_list ap;

	ret->outcome = outcome;
	va_start(ap, fmt);
	vsnprintf(ret->text, sizeof(ret->text), fmt, ap);
	va_end(ap);
}

/* The last line says more than an errno. */
void attach_say_refused(struct attach_result *ret, int errnum, const char *to)
{
	struct kt_buf log = load_log_take();
	const char *line = log.data ? log.data : "";

	for (const char *p = line; *p; p++)
		if (p[0] == '\n' && p[1])
			line = p + 1;
	attach_say(ret, KT_ATTACH_REFUSED, "%s: %s%s%.*s", to, strerror(errnum), *line ? "; " : "",
		   (int)strcspn(line, "\n"), line);
	kt_buf_deinit(&log);
}

void attach_take_link(struct bpf_link *link, const char *to, struct attach_result *ret)
{
	if (!link) {
		attach_say_refused(ret, errno, to);
		return;
	}
	bpf_link__destroy(link);
	attach_say(ret, KT_ATTACH_DONE, "%s", to);
}
