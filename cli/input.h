/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file's or standard input's whole content, decompressed where it is compressed. */
#ifndef KT_CLI_INPUT_H
#define KT_CLI_INPUT_H

#include "logparse/text.h"
#include "util/error.h"

struct cli_input {
	struct kt_text text; /* good until cli_input_deinit() */
	struct kt_error
		*error; /* why there is no more of it (truncated, damaged); NULL: it is whole */

	/* For cli/input.c alone. Where it lies, pages; `next` is read by a signal handler. */
	char *map;
	size_t map_len;
	volatile bool shrank;
	struct cli_input *next;
};

/*
 * Reads path, "-": standard input. What is compressed is known by its first bytes, not by its
 * name: zstd, gzip, xz, bzip2, lz4. A regular file is mapped, so that it costs no memory of
 * ours; anything else is read to its end into memory, which then is what the content needs and
 * a few MB.
 *
 * Where the content ends early (truncated, damaged) ret->error says so and ret->text is what is
 * there. *ret must stay where it is until cli_input_deinit(), for both outcomes but failure.
 *
 * Errors: KT_ERROR_OS; KT_ERROR_UNSUPPORTED for a directory, and for what is larger than fits
 * in memory; KT_ERROR_NO_MEMORY.
 */
struct kt_error *cli_input_read(const char *path, struct cli_input *ret);

/*
 * The error that the file became shorter since it was read (text now has zeros instead), or
 * NULL. To be asked when the text has been used; path is for the message.
 */
struct kt_error *cli_input_check(const struct cli_input *input, const char *path);

/* Accepts one that is all zeros. */
void cli_input_deinit(struct cli_input *input);

#endif
