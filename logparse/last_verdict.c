// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/last_verdict.h"

#include <errno.h>

#include "logparse/btf_log.h"
#include "logparse/last_path.h"

/* Of a log as much is looked at for its age, in bytes. */
#define AGE_BYTES 16384

static bool contains(struct kt_text text, const char *what)
{
	return kt_path_find(text, what);
}

static void trim_lines(struct kt_text *text)
{
	while (text->len && memchr(" \t\r\n", text->data[text->len - 1], 4))
		text->len--;
}

/* Of an error text with other lines in it, as many are looked at for the kernel's. */
#define ERROR_LINES 64

/*
 * A source line may stand before the message (6.16, level 4), or this, which 5.10 says of any
 * argument that is no context:
 *	arg#1 type is not a struct
 */
static bool is_preface(struct kt_text line)
{
	return line.data[0] == ';' || (kt_text_starts_with(line, KT_TEXT("arg#")) &&
				       contains(line, " type is not a struct"));
}

/*
 * The first line of the message: the first one that the catalogue knows, without what a loader put
 * before it; else the first that is not a loader's.
 */
struct kt_text kt_last_headline(struct kt_text error)
{
	struct kt_text line, first = {0}, unknown = {0};
	size_t at;

	if (log_is_btf(error))
		return log_btf_error(error);

	for (int n = 0; n < ERROR_LINES && kt_text_next_line(&error, &line); n++) {
		trim_lines(&line);
		if (!line.len)
			continue;
		if (!first.len)
			first = line;
		if (is_preface(line))
			continue;
		if (log_find_message(line, &at))
			return (struct kt_text){line.data + at, line.len - at};
		if (!unknown.len && !log_is_loader_line(line))
			unknown = line;
	}
	return unknown.len ? unknown : first;
}

static bool is_known(struct kt_text line)
{
	size_t at;

	return log_find_message(line, &at);
}

/*
 * By what is printed of a kernel before 6.4 alone, or of newer ones: "inv" and "invP" are of 5.17
 * and before; precision tracking has "mark_precise: " since 6.4; "ctx()" and "smin32=" are of 6.7
 * and 6.8, and "@ a.bpf.c:4" behind source lines is of 6.9.
 */
enum kt_last_age kt_last_age(struct kt_text log)
{
	static const char *const old[] = {"=inv", "\nregs=", "\nlast_idx ", "\nparent didn't",
					  "\nparent already"};
	static const char *const new[] = {"mark_precise: ", "=ctx()", "smin32=", ".c:"};

	if (log.len > AGE_BYTES)
		log.len = AGE_BYTES;
	for (size_t i = 0; i < sizeof(new) / sizeof(new[0]); i++)
		if (contains(log, new[i]))
			return KT_LAST_SINCE_6_4;
	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (contains(log, old[i]))
			return KT_LAST_BEFORE_6_4;
	return KT_LAST_AGE_UNKNOWN;
}

/* "7: (61) r0 = *(u32 *)(r0 +0): R0 invalid mem access 'scalar'", or the message alone. */
static void take_quote(struct kt_text quote, struct kt_log_last *out, struct kt_last_insn *quoted)
{
	struct kt_trace trace;
	struct kt_event ev;

	kt_trace_init(&trace, quote);
	out->error = quote;
	if (kt_trace_next(&trace, &ev) && ev.kind == KT_EVENT_INSN && ev.message.len) {
		*quoted = (struct kt_last_insn){.index = ev.index, .insn = ev.insn, .line = quote};
		out->error = ev.message;
	}
	trim_lines(&out->error);
	out->headline = kt_last_headline(out->error);
}

/*
 * What the loader says counts where the log has no error. A log that did not fit is cut, no more:
 * its program may be all right.
 */
static void weigh_loader(const struct kt_log_block *block, struct kt_log_last *out,
			 struct kt_last_insn *quoted)
{
	const struct kt_loader_words *loader = &block->loader;

	out->loader = *loader;
	if (out->outcome == KT_LAST_FAILED || !loader->failed)
		return;
	if (out->outcome == KT_LAST_EMPTY ? block->quoted
					  : out->outcome == KT_LAST_PASSED ||
						    loader->error != ENOSPC || loader->message.len)
		out->outcome = KT_LAST_FAILED;
	if (out->outcome == KT_LAST_FAILED && loader->message.len)
		take_quote(loader->message, out, quoted);
}

/* A program that passes has an instruction that was processed, and no more than may be. */
static bool has_failing_count(const struct kt_verifier_stats *stats)
{
	return stats->has[KT_STAT_PROCESSED] &&
	       (!stats->value[KT_STAT_PROCESSED] ||
		(stats->has[KT_STAT_LIMIT] &&
		 stats->value[KT_STAT_PROCESSED] > stats->value[KT_STAT_LIMIT]));
}

void kt_last_decide(const struct kt_last_facts *facts, const struct kt_log_block *block,
		    struct kt_log_last *out, struct kt_last_insn *quoted)
{
	bool surely = block && (block->marked || block->quoted);

	*quoted = (struct kt_last_insn){.index = KT_LINE_NO_INDEX};
	if (!facts->traced && !out->stats.len && !out->explanation.len &&
	    !(out->error.len && (surely || log_is_btf(out->error) || is_known(out->headline)))) {
		out->outcome = KT_LAST_EMPTY;
		out->error = out->headline = (struct kt_text){0};
	} else if (log_is_btf(out->error) && !out->headline.len) {
		out->outcome = KT_LAST_CUT;
		out->error.len = 0;
	} else if (out->error.len || has_failing_count(&out->stat_values)) {
		out->outcome = KT_LAST_FAILED;
	} else {
		out->outcome = facts->processed ? KT_LAST_PASSED : KT_LAST_CUT;
	}
	if (block)
		weigh_loader(block, out, quoted);
}
