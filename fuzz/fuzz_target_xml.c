// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as a stub's target description. Every item is bounded, and the list ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/target_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_items(const char *doc, size_t len)
{
	struct rsp_xml_item item;
	size_t pos = 0, before = 0, n = 0;

	while (rsp_xml_next(doc, len, &pos, &item)) {
		size_t room = item.element == RSP_ELEMENT_REGISTER ? RSP_REGISTER_NAME_MAX
								   : sizeof(item.name);

		if (pos > len || pos <= before || !memchr(item.name, '\0', room))
			abort();
		if (item.element == RSP_ELEMENT_INCLUDE && !item.name[0])
			abort();
		if (item.bits > 999999 || item.number < -1 || item.number > 999999)
			abort();
		before = pos;
		n++;
	}
	if (pos != len && len)
		abort();
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *doc = (const char *)data;
	size_t whole = count_items(doc, size);
	char *copy = malloc(size + 5);

	if (!copy)
		return 0;
	/* A prefix of a document has no more items than the whole. */
	for (size_t len = 0; len < size; len += 1 + size / 16)
		if (count_items(doc, len) > whole)
			abort();
	/* A comment that is not closed hides all behind it. */
	memcpy(copy, "<!--", 4);
	memcpy(copy + 4, data, size);
	if (!memmem(data, size, "-->", 3) && count_items(copy, size + 4))
		abort();
	free(copy);
	return 0;
}
