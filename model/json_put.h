/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. A value that does not get into its document, for want of memory, must not
 * be missing silently: jansson's setters are noted here, and who makes text of a document asks.
 */
#ifndef KT_MODEL_JSON_PUT_H
#define KT_MODEL_JSON_PUT_H

#include <stdbool.h>

#include "model/json.h"

/* rc of a setter, which is also the result. */
int kt_json_put(int rc);

/* Something was lost in this thread since this was last asked; kt_json_dump() asks. */
bool kt_json_lost(void);

#define json_object_set_new(object, key, value)                                                    \
	kt_json_put(json_object_set_new(object, key, value))
#define json_array_append_new(array, value) kt_json_put(json_array_append_new(array, value))

#endif
