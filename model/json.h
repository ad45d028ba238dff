/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules that all JSON documents of this tool share, on top of jansson.
 *
 * Text: a guest's words may be any bytes. What is not UTF-8 becomes U+FFFD, and everything that is
 * not ASCII is written as "\uNNNN", so that no document can control a terminal.
 *
 * Numbers: the kernel's counters are unsigned 64-bit integers, and are written as that, like
 * bpftool's. jansson's integers end at INT64_MAX. A larger one travels inside a tree as a string
 * that begins with a NUL, which no text has; kt_json_dump() writes its digits without quotes. So
 * print a tree with the functions below, not with jansson's own. Fractions have 15 digits, as many
 * as a double keeps.
 */
#ifndef KT_MODEL_JSON_H
#define KT_MODEL_JSON_H

#include <jansson.h>

#include "logparse/text.h"
#include "model/program.h"
#include "util/error.h"

/* --- values --- Each returns a new reference, or NULL without memory. */

/* Text of any bytes. NULL gives JSON's null. */
json_t *kt_json_text(const char *text);

/*
 * The same for a slice, which is never null. A NUL becomes U+FFFD, too: many readers of JSON,
 * jansson among them, refuse a document with one.
 */
json_t *kt_json_slice(struct kt_text text);

json_t *kt_json_u64(uint64_t value);

/* null where the number is not known. */
json_t *kt_json_number(struct program_number number);

/* --- writing --- */

/* A document for people, too: indented, with a newline at its end. The caller frees the text.
 * Takes root. KT_ERROR_NO_MEMORY, also if a value got lost while the tree was built (json_put.h).
 */
struct kt_error *kt_json_dump(json_t *root, char **ret);

/* The same on one line, without a newline at its end: for streams, and for many small files. */
struct kt_error *kt_json_dump_line(json_t *root, char **ret);

/* --- reading --- */

/*
 * Parses what the above wrote; flags are jansson's for decoding. Returns NULL with jansson's reason
 * in *why. Unlike jansson, it reads integers up to UINT64_MAX: get them with kt_json_get_u64().
 */
json_t *kt_json_load(struct kt_text text, size_t flags, json_error_t *why);

/* True and *ret if this is an integer from 0 to UINT64_MAX. json may be NULL. */
bool kt_json_get_u64(const json_t *json, uint64_t *ret);

/* The text of a string, which lives as long as json; NULL for anything else. json may be NULL. */
const char *kt_json_get_text(const json_t *json);

#endif
