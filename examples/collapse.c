// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Collapses a verifier log, or the verifier logs in a loader's output.
 *
 *	cc collapse.c $(pkg-config --cflags --libs libktstrgdb) -o collapse
 *	./my_loader 2>&1 | ./collapse
 *
 * For -static, a program that draws tables or writes JSON (render/) also needs pkg-config --static.
 *
 * Other bytes come out as they came in. A log can hold escape sequences: for a terminal, use
 * render_append_visible_bytes() (render/text.h).
 */
#include <stdio.h>

#include "logparse/blocks.h"
#include "util/buf.h"

static struct kt_error *print(void *arg, struct kt_text piece)
{
	fwrite(piece.data, 1, piece.len, arg);
	return NULL;
}

int main(void)
{
	struct kt_buf in = KT_BUF_INIT;
	struct kt_text text, log;
	struct kt_error *err;
	char chunk[65536];
	size_t n;

	while ((n = fread(chunk, 1, sizeof(chunk), stdin)))
		kt_buf_append(&in, chunk, n);
	text = (struct kt_text){in.data, in.len};
	if (kt_extract_verifier_log(text, &log))
		err = kt_collapse_blocks_to(text, NULL, print, stdout);
	else
		err = kt_collapse_cycles_to(text, NULL, print, stdout);
	if (err)
		fprintf(stderr, "%s\n", kt_error_message(err));
	kt_buf_deinit(&in);
	return err != NULL;
}
