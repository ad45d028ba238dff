/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What became of a program, by its log and by what its loader says. Internal to logparse/last.c.
 */
#ifndef KT_LOGPARSE_LAST_VERDICT_H
#define KT_LOGPARSE_LAST_VERDICT_H

#include "logparse/blocks.h"
#include "logparse/last_result.h"

/*
 * The line of an error's text that says most: the first one that the catalogue knows, without what
 * a loader put before it; else the first that is not a loader's. Empty where the text is.
 */
struct kt_text kt_last_headline(struct kt_text error);

/* Which kernel printed the log, by its format. */
enum kt_last_age kt_last_age(struct kt_text log);

struct kt_last_facts {
	bool traced;    /* the log has a trace */
	bool processed; /* ... and "processed ..." */
};

/*
 * Sets out->outcome, and out->loader. out has the error, the headline, the explanation and the
 * statistics of the log; error and headline become those that the loader quotes, where the log has
 * none, and *quoted the instruction in that quote, if it has one. block may be NULL.
 */
void kt_last_decide(const struct kt_last_facts *facts, const struct kt_log_block *block,
		    struct kt_log_last *out, struct kt_last_insn *quoted);

#endif
