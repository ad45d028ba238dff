// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a loader's or a scheduler's output. Blocks are slices, in order, and the text around
 * them comes through byte for byte.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/blocks.h"
#include "logparse/sched_output.h"
#include "tests/lib/unmark.h"
#include "util/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_log_blocks.c:%d: %s\n", line, what);
	abort();
}

#define check(e) check_at((e), #e, __LINE__)

static struct kt_error *append(void *arg, struct kt_text piece)
{
	check(piece.len > 0);
	kt_buf_append(arg, piece.data, piece.len);
	return NULL;
}

/* Appends the trace, collapsed, to out. The checker of the tests proves it. */
static void collapse(struct kt_text trace, struct kt_buf *out)
{
	struct unmark u;
	size_t start = out->len;
	struct kt_text made;

	check(!kt_collapse_cycles_to(trace, NULL, append, out));
	made = (struct kt_text){out->data ? out->data + start : "", out->len - start};
	if (!unmark_check(trace, made, &u))
		check_at(false, u.problem, __LINE__);
	unmark_deinit(&u);
}

/* The output that kt_collapse_blocks_to() should have, put together from the blocks. */
static void expect(struct kt_text blob, struct kt_buf *out)
{
	struct kt_log_blocks it;
	struct kt_log_block block;
	const char *pos = blob.data, *end = pos + blob.len;

	kt_log_blocks_init(&it, blob);
	while (kt_log_blocks_next(&it, &block)) {
		check(block.trace.data >= pos && block.trace.data <= end &&
		      block.trace.len <= (size_t)(end - block.trace.data));
		check(!block.program.len ||
		      (block.program.data >= pos && block.program.data < block.trace.data));
		kt_buf_append(out, pos, (size_t)(block.trace.data - pos));
		collapse(block.trace, out);
		pos = block.trace.data + block.trace.len;
	}
	if (end > pos)
		kt_buf_append(out, pos, (size_t)(end - pos));
}

static void check_extract(struct kt_text blob)
{
	struct kt_text log, output, partial;

	if (kt_extract_verifier_log(blob, &log)) {
		check(log.data >= blob.data && log.data + log.len <= blob.data + blob.len);
		check(!log.len || log.data[log.len - 1] != '\n');
	}
	if (kt_parse_sched_output(blob, &output)) {
		check(output.len > 0);
		check(output.data >= blob.data && output.data + output.len <= blob.data + blob.len);
		/* Text with both markers has the first. */
		check(kt_parse_sched_output_partial(blob, &partial));
		check(partial.data == output.data && partial.len >= output.len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_text blob = {(const char *)data, size};
	struct kt_buf want = KT_BUF_INIT, got = KT_BUF_INIT;

	expect(blob, &want);
	check(!kt_collapse_blocks_to(blob, NULL, append, &got));
	check(got.len == want.len && (!got.len || !memcmp(got.data, want.data, got.len)));
	kt_buf_deinit(&want);
	kt_buf_deinit(&got);
	check_extract(blob);
	return 0;
}
