/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every JSON document of this tool shares. */
#ifndef KT_MODEL_JSON_H
#define KT_MODEL_JSON_H

#include <jansson.h>

#include "logparse/text.h"
#include "util/error.h"

/*
 * A string out of bytes of unknown origin: what is not UTF-8 becomes U+FFFD. NULL gives
 * JSON's null. A new reference, NULL without memory.
 */
json_t *kt_json_text(const char *text);

/*
 * The same for a slice, which is never null. A NUL becomes U+FFFD, too: many readers of JSON,
 * jansson among them, refuse a document with one.
 */
json_t *kt_json_slice(struct kt_text text);

/* The document as text with a newline at its end, which the caller frees. Takes root. */
struct kt_error *kt_json_dump(json_t *root, char **ret);

#endif
