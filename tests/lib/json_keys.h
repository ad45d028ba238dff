/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A document against the table of its keys in docs/json.md. For tests; jq has to be there. */
#ifndef KT_TESTS_JSON_KEYS_H
#define KT_TESTS_JSON_KEYS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* documents: one or several, one behind the other. They have all keys of the section, no others. */
static inline void assert_json_keys(const char *section, const char *documents)
{
	char path[] = "/tmp/json-keys.XXXXXX", command[200], why[2000];
	int fd = mkstemp(path);
	FILE *out;
	size_t n;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, documents, strlen(documents)), strlen(documents));
	close(fd);
	snprintf(command, sizeof(command), "tests/json-keys --all '%s' %s 2>&1", section, path);
	out = popen(command, "r");
	assert_non_null(out);
	n = fread(why, 1, sizeof(why) - 1, out);
	why[n] = '\0';
	if (pclose(out) != 0)
		fail_msg("%s: %s", section, why);
	unlink(path);
}

#endif
