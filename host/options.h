/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list of options as QEMU writes it in one argument, "file=a,,b,readonly=on", as JSON, or as a
 * section of a file of -readconfig. Internal to host/.
 */
#ifndef KT_HOST_OPTIONS_H
#define KT_HOST_OPTIONS_H

#include "util/error.h"
#include "util/vec.h"

struct host_option {
	char *key, *value;
};

struct host_options {
	KT_VEC(struct host_option) v;
};

/*
 * Reads "value,key=value,flag,noflag". implied is the key of a first value that has none; NULL:
 * that is a flag, too. A flag has the value "on", or with "no" before it "off" (QEMU's short form,
 * deprecated since 5.2). Text that begins with "{" is JSON, of which the strings, numbers and
 * booleans of the outer object are read. False: no memory. What is malformed has no options.
 */
bool host_options_parse(struct host_options *options, const char *text, const char *implied);

/* Appends one. False: no memory. */
bool host_options_add(struct host_options *options, const char *key, const char *value);

/* The last value of the key; NULL: it is not there. */
const char *host_options_get(const struct host_options *options, const char *key);

/* Whether the key's value says yes. */
bool host_options_on(const struct host_options *options, const char *key);

void host_options_deinit(struct host_options *options);

#endif
