// SPDX-License-Identifier: LGPL-2.1-or-later
/* What libbpf and the kernel say while a program is loaded. */
#include <string.h>

#include "vm/guest/guest.h"
#include "vm/guest/load_log.h"

/*
 * A rejected program's log can have 16 MB, and the serial port is slow. A reader needs its
 * beginning and its end.
 */
#define LOG_HEAD (128u << 10)
#define LOG_TAIL (256u << 10)

/* libbpf's print function has no context pointer. */
struct kt_buf load_log;

__attribute__((format(printf, 2, 0))) static int capture(enum libbpf_print_level level,
							 const char *fmt, va_list ap)
{
	if (level != LIBBPF_DEBUG)
		kt_buf_vprintf(&load_log, fmt, ap);
	return 0;
}

void load_log_init(void)
{
	libbpf_set_print(capture);
}

struct kt_buf load_log_take(void)
{
	struct kt_buf taken = load_log;

	if (taken.failed)
		die("out of memory");
	load_log = (struct kt_buf)KT_BUF_INIT;
	return taken;
}

bool load_log_kernel(const struct bpf_program *prog, const char *log)
{
	size_t len = strnlen(log, LOG_BUF);

	if (!len)
		return false;
	kt_buf_printf(&load_log, "libbpf: prog '%s': -- BEGIN PROG LOAD LOG --\n",
		      bpf_program__name(prog));
	kt_buf_append(&load_log, log, len);
	kt_buf_appends(&load_log, log[len - 1] == '\n' ? "" : "\n");
	kt_buf_appends(&load_log, "-- END PROG LOAD LOG --\n");
	return true;
}

uint32_t load_log_bound(struct kt_buf *log)
{
	struct kt_buf bounded = KT_BUF_INIT;
	const char *head_end, *tail;
	size_t dropped;

	if (log->len <= LOG_HEAD + LOG_TAIL)
		return 0;
	head_end = memrchr(log->data, '\n', LOG_HEAD);
	head_end = head_end ? head_end + 1 : log->data + LOG_HEAD;
	tail = memchr(log->data + log->len - LOG_TAIL, '\n', LOG_TAIL - 1);
	tail = tail ? tail + 1 : log->data + log->len - LOG_TAIL;
	dropped = (size_t)(tail - head_end);
	kt_buf_append(&bounded, log->data, (size_t)(head_end - log->data));
	kt_buf_printf(&bounded, "[... %zu bytes of this log were left out here ...]\n", dropped);
	kt_buf_append(&bounded, tail, (size_t)(log->data + log->len - tail));
	if (bounded.failed)
		die("out of memory");
	kt_buf_deinit(log);
	*log = bounded;
	return (uint32_t)dropped;
}
