/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The catalogue of the verifier's messages (logparse/catalog.h), for a person. */
#ifndef KT_RENDER_EXPLAIN_H
#define KT_RENDER_EXPLAIN_H

#include "logparse/catalog.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * Appends why a log failed and the best of what to do, indented by two blanks; nothing if the
 * catalogue does not know, or if the kernel explains it itself. Bytes of the log are copied as they
 * are. Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_explain_log(const struct kt_log_last *last, struct kt_buf *out);

/* Appends all of an entry. Errors: KT_ERROR_NO_MEMORY. */
struct kt_error *render_explain_entry(const struct kt_catalog_entry *entry, struct kt_buf *out);

/*
 * Appends id and title of the entries of a class, whose name may be cut ("memory") and in any case;
 * of all classes, if it is empty. Returns how many there are.
 */
size_t render_explain_class(struct kt_text class, struct kt_buf *out);

/*
 * Appends id and title of up to five entries whose texts have most of the words of text. Returns
 * how many there are; 0: no word of it means anything.
 */
size_t render_explain_near(struct kt_text text, struct kt_buf *out);

#endif
