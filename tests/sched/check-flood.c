// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * check-flood [out|err] <LOG: every line that "scx_fix flood" wrote to its two streams, or to
 * one, is there, once, in order and whole. Other lines may be between them. Exit status 1: not
 * so; it says where.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "tests/sched/flood.h"

#define COMPLAINTS_MAX 10

struct stream {
	const char *name;
	uint32_t next; /* the line that has to come now */
	bool ended;
};

static unsigned complaints;

static void complain(unsigned long at, const char *what, const char *name, uint32_t n)
{
	if (complaints++ < COMPLAINTS_MAX)
		printf("line %lu of the log: %s: %s %09u\n", at, what, name, n);
}

static void check_end(struct stream *s, const char *text, unsigned long at)
{
	char *rest;
	unsigned long count = strtoul(text, &rest, 10);

	if (s->ended || rest == text || *rest)
		complain(at, "a second or broken end", s->name, s->next);
	else if (count != s->next)
		complain(at, "the end comes early", s->name, s->next);
	s->ended = true;
}

/* "NNNNNNNNN ", and nothing else. */
static bool read_number(const char *text, uint32_t *ret)
{
	if (strspn(text, "0123456789") != 9 || text[9] != ' ')
		return false;
	*ret = (uint32_t)strtoul(text, NULL, 10);
	return true;
}

/* After a complaint, goes on behind the line that is there. */
static void check_line(struct stream *s, const char *line, size_t len, unsigned long at)
{
	char want[FLOOD_LINE_MAX];
	uint32_t n;

	if (!strncmp(line + 4, "end ", 4)) {
		check_end(s, line + 8, at);
		return;
	}
	if (!read_number(line + 4, &n)) {
		complain(at, "has no number, where this should be", s->name, s->next);
		return;
	}
	if (s->ended)
		complain(at, "comes after the end", s->name, n);
	else if (n != s->next)
		complain(at, n < s->next ? "came before" : "does not come here, but", s->name,
			 n < s->next ? n : s->next);
	else if (flood_line(s->name, n, want) != len || memcmp(want, line, len) != 0)
		complain(at, "is not as it was written", s->name, n);
	if (n >= s->next)
		s->next = n + 1;
}

static void check_log(FILE *log, struct stream *streams, int n)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	for (unsigned long at = 1; (len = getline(&line, &size, log)) > 0; at++) {
		if (line[len - 1] == '\n')
			line[--len] = '\0';
		for (int i = 0; i < n; i++)
			if (len > 4 && !strncmp(line, streams[i].name, 3) && line[3] == ' ')
				check_line(&streams[i], line, (size_t)len, at);
	}
	free(line);
	for (int i = 0; i < n; i++)
		if (!streams[i].ended)
			complain(0, "no end; missing from", streams[i].name, streams[i].next);
}

int main(int argc, char **argv)
{
	struct stream streams[2] = {{.name = argc > 1 ? argv[1] : "out"}, {.name = "err"}};
	int n = argc > 1 ? 1 : 2;

	check_log(stdin, streams, n);
	for (int i = 0; i < n; i++)
		printf("%s: %u lines\n", streams[i].name, streams[i].next);
	printf("%u wrong\n", complaints);
	return complaints != 0;
}
