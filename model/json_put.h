/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. A value that is missing from its document for want of memory must not be
 * missing silently. In a file that includes this header, jansson's setters note each failure, and
 * kt_json_dump() then fails.
 */
#ifndef KT_MODEL_JSON_PUT_H
#define KT_MODEL_JSON_PUT_H

#include <jansson.h>
#include <stdbool.h>

/* Notes a setter's failure for this thread. Returns rc, what the setter returned. */
int kt_json_put(int rc);

/* Whether a setter failed in this thread since the last call. kt_json_dump() calls it. */
bool kt_json_lost(void);

#define json_object_set_new(object, key, value) kt_json_put(json_object_set_new(object, key, value))
#define json_array_append_new(array, value)     kt_json_put(json_array_append_new(array, value))

#endif
