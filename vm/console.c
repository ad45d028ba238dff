// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "vm/console.h"

#define READ_MAX (256u << 10) /* bytes; why a guest died is near the end */

#define TRACE_MAX 60 /* lines of registers and call traces that may follow it */

uint64_t vm_console_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

/* The end of the file as text, in which nothing can control a terminal. */
static bool read_end(const char *path, struct kt_buf *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t size = vm_console_size(path);
	char chunk[4096];
	ssize_t n;

	if (fd >= 0 && size > READ_MAX)
		lseek(fd, (off_t)(size - READ_MAX), SEEK_SET);
	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			unsigned char c = (unsigned char)chunk[i];

			if (c == '\r')
				continue;
			kt_buf_appendc(ret, c == '\n' || c == '\t' || (c >= 32 && c != 127)
						    ? chunk[i]
						    : '?');
		}
	}
	kt_buf_appends(ret, "");
	return !ret->failed;
}

/* Behind "[    1.757843] ", or with CONFIG_PRINTK_CALLER "[    1.757843][    T1] ". */
static const char *skip_stamp(const char *line)
{
	const char *p = line;

	while (*p == '[') {
		p += strcspn(p, "]");
		if (!*p++)
			return line;
	}
	return p + strspn(p, " ");
}

/*
 * Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)
 * ktstr-init: no channel to the host: /dev/ttyS1: No such file or directory
 * BUG: unable to handle page fault for address: ffffa2c00a7ff000
 * Oops: general protection fault, probably for non-canonical address ...
 *
 * How well a line explains the end of a guest; 0: not at all.
 */
static int rank(const char *line)
{
	if (!strncmp(line, "ktstr-init: ", 12))
		return 3;
	if (!strncmp(line, "Kernel panic", 12) && !strstr(line, "Fatal exception"))
		return 2;
	if (!strncmp(line, "BUG: ", 5) || !strncmp(line, "Oops: ", 6) ||
	    !strncmp(line, "Kernel panic", 12) || strstr(line, ": 0000 [#1]"))
		return 1;
	return 0;
}

/* The first line that explains a death, up to `lines` lines before begin; none: begin. */
static size_t include_death(const char *text, size_t begin, unsigned lines)
{
	size_t at = begin, found = begin;

	while (at && lines--) {
		const char *nl = memrchr(text, '\n', at - 1);

		at = nl ? (size_t)(nl + 1 - text) : 0;
		if (rank(skip_stamp(text + at)))
			found = at;
	}
	return found;
}

char *vm_console_read_tail(const char *path, unsigned lines)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	size_t begin;

	if (!read_end(path, &text))
		return NULL;
	while (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	for (begin = text.len; begin; begin--)
		if (text.data[begin - 1] == '\n' && !--lines)
			break;
	return strdup(text.data + include_death(text.data, begin, TRACE_MAX));
}

char *vm_console_death(const char *path)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	const char *best = NULL;
	char *rest, *line;
	int best_rank = 0;

	if (!read_end(path, &text))
		return NULL;
	for (rest = text.data; (line = strsep(&rest, "\n"));) {
		const char *words = skip_stamp(line);

		if (rank(words) > best_rank) {
			best = words;
			best_rank = rank(words);
		}
	}
	return best ? strdup(best) : NULL;
}

char *vm_console_last_line(const char *path, const char *prefix)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	const char *found = NULL;
	char *rest, *line;

	if (!read_end(path, &text))
		return NULL;
	for (rest = text.data; (line = strsep(&rest, "\n"));) {
		const char *words = skip_stamp(line);

		if (!strncmp(words, prefix, strlen(prefix)))
			found = words;
	}
	return found ? strdup(found) : NULL;
}
