/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verifier logs as people have them: what stands before each line or around it is taken off, so
 * that what is left are the kernel's lines; and what is made of those gets it back.
 *
 *	Apr 01 10:41:53 host prog[104]: 0: R1=ctx() R10=fp0
 *	agent-1  | 0: R1=ctx() R10=fp0
 *	> > 0: R1=ctx() R10=fp0
 *	level=warning msg="0: R1=ctx() R10=fp0" subsys=loader
 *	{"error":"load program: 0: R1=ctx() R10=fp0\n0: (b7) r1 = 0\n"}
 *	failed: 0: R1=ctx() R10=fp0#0120: (b7) r1 = 0
 *
 * No logger is known by name. The lines that are surely the kernel's (logparse/anchor.h) show what
 * stands before them; a line without such a mark has the same before it, digit for digit. Likewise
 * quotes, escapes, quoted-printable and colours: they count where a line of the kernel's is in
 * them. What is wrapped several times is taken out of one wrapping after the other.
 */
#ifndef KT_LOGPARSE_UNWRAP_H
#define KT_LOGPARSE_UNWRAP_H

#include "logparse/collapse.h"
#include "logparse/text.h"
#include "util/buf.h"
#include "util/error.h"

struct kt_unwrapped;

/*
 * The text without its wrappings, for kt_unwrapped_destroy(). *ret is NULL if there are none; of a
 * long text only parts are looked at for that. `text` has to stay where it is. Time is linear,
 * memory up to twice the text for each wrapping. Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_unwrap(struct kt_text text, struct kt_unwrapped **ret);
void kt_unwrapped_destroy(struct kt_unwrapped *unwrapped);

/*
 * The lines without what was before and around them. A line of the input may be several of them
 * ("\n" in a string), and in quoted-printable several may be one.
 */
struct kt_text kt_unwrapped_text(const struct kt_unwrapped *unwrapped);

/* The bytes of the input that lines of kt_unwrapped_text() were made from. */
struct kt_text kt_unwrapped_origin(const struct kt_unwrapped *unwrapped, struct kt_text lines);

/*
 * The bytes of the input that the text of one line of kt_unwrapped_text() was made from, without
 * its end of line; what stands before and behind them, up to the lines around it, is in *before and
 * *after.
 */
struct kt_text kt_unwrapped_line(const struct kt_unwrapped *unwrapped, struct kt_text line,
				 struct kt_text *before, struct kt_text *after);

/*
 * A sink for what is made of kt_unwrapped_text(): pieces of it go to another sink as the bytes of
 * the input that they come from. A mark of a collapsed log gets what stands before and around the
 * lines next to it.
 */
struct kt_rewrap {
	const struct kt_unwrapped *unwrapped;
	kt_sink_fn sink;
	void *arg;

	/* For logparse/rewrap.c alone. */
	struct kt_buf marks; /* that wait for the line behind them */
	struct kt_text line; /* the last line that went out; its data is NULL before that */
	struct kt_text tail; /* what is around that line, and has to wait for the marks in it */
	char last;           /* the last byte that went out */
};

void kt_rewrap_init(struct kt_rewrap *rewrap, const struct kt_unwrapped *unwrapped, kt_sink_fn sink,
		    void *arg);

/* A kt_sink_fn, of which `rewrap` is the argument. Pieces are whole lines, or marks. */
struct kt_error *kt_rewrap_put(void *rewrap, struct kt_text piece);

/* Ends the output, and releases the memory; also to be called after an error. */
struct kt_error *kt_rewrap_end(struct kt_rewrap *rewrap);

#endif
