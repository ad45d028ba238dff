/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why the verifier says what it says, and what to do about it. Linux 7.3 explains its rejections
 * itself; the catalogue does it for the messages of every kernel.
 */
#ifndef KT_LOGPARSE_CATALOG_H
#define KT_LOGPARSE_CATALOG_H

#include "logparse/catalog_entry.h"
#include "logparse/last_result.h"
#include "util/error.h"

/*
 * The entry of a line that the verifier printed, with or without what a loader prints around it.
 * NULL: none. Time is linear in the line, of which the first kB counts. Any thread may call it.
 */
const struct kt_catalog_entry *kt_catalog_find(struct kt_text message);

/* The entry of an id; NULL: none. */
const struct kt_catalog_entry *kt_catalog_by_id(struct kt_text id);

/* All entries, sorted by class and in it by topic; NULL behind the last one. */
const struct kt_catalog_entry *kt_catalog_at(size_t i);

/* An answer about one log. */
struct kt_catalog_why {
	const struct kt_catalog_entry *entry; /* NULL: the catalogue does not know the message */
	bool by_kernel;       /* class, reason and the first remedy are the kernel's own (7.3) */
	struct kt_text class; /* a slice of the log, or static; empty where none is known */
	char *reason; /* one line of UTF-8 or of the log's bytes; NULL where none is known */
	size_t n_remedies;
	char *remedies[KT_CATALOG_MAX_REMEDIES + 1]; /* likewise; the best first */
};

/*
 * Why a log failed, with its own facts filled in. last is of kt_log_find_last(); unless it FAILED,
 * the answer is empty. Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_catalog_explain(const struct kt_log_last *last, struct kt_catalog_why *ret);
void kt_catalog_why_deinit(struct kt_catalog_why *why);

/* The reason of an entry as it reads without a log; the caller frees *ret. */
struct kt_error *kt_catalog_reason(const struct kt_catalog_entry *entry, char **ret);

/* All of an entry as it reads without a log. Errors: KT_ERROR_NO_MEMORY. */
struct kt_error *kt_catalog_general(const struct kt_catalog_entry *entry,
				    struct kt_catalog_why *ret);

#endif
