/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lines of a flood, for who writes them and who checks them: "out 000000042 FILLER", where
 * FILLER is 0 to 239 letters that follow from the stream and the number. The last line of a
 * stream is "out end COUNT".
 */
#ifndef SCHED_FLOOD_H
#define SCHED_FLOOD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FLOOD_FILLER_MAX 240
#define FLOOD_LINE_MAX   (14 + FLOOD_FILLER_MAX + 1)

/* What follows from x and looks like chance (Knuth's multiplicative hash). */
static inline uint32_t flood_hash(uint32_t x)
{
	x *= 2654435761u;
	return x ^ x >> 15;
}

/* Line n of stream "out" or "err", without a newline, into FLOOD_LINE_MAX bytes. Its length. */
static inline size_t flood_line(const char *stream, uint32_t n, char *line)
{
	uint32_t hash = flood_hash(n * 2 + (*stream == 'e')), filler = hash % FLOOD_FILLER_MAX;
	size_t len = (size_t)snprintf(line, FLOOD_LINE_MAX, "%s %09u ", stream, n);

	for (uint32_t i = 0; i < filler; i++)
		line[len++] = (char)('a' + (hash + i) % 26);
	line[len] = '\0';
	return len;
}

#endif
