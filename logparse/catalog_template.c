// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/catalog_template.h"

#include <ctype.h>

#define MAX_FACT 200

/* "<name>" at the beginning of text: its name; empty if there is none. */
static struct kt_text fact_name(struct kt_text text)
{
	const char *end;

	if (text.len < 3 || text.data[0] != '<' || !islower((unsigned char)text.data[1]))
		return (struct kt_text){0};
	end = memchr(text.data, '>', text.len);
	if (!end)
		return (struct kt_text){0};
	return (struct kt_text){text.data + 1, (size_t)(end - text.data - 1)};
}

static void advance(struct kt_text *text, size_t n)
{
	text->data += n;
	text->len -= n;
}

static bool all_known(struct kt_text text, const struct kt_facts *facts)
{
	for (; text.len; advance(&text, 1)) {
		struct kt_text name = fact_name(text);

		if (name.len && !kt_facts_get(facts, name).len)
			return false;
	}
	return true;
}

static void append_fact(struct kt_buf *out, struct kt_text value)
{
	kt_buf_append(out, value.data, value.len > MAX_FACT ? MAX_FACT : value.len);
	if (value.len > MAX_FACT)
		kt_buf_appends(out, "...");
}

static void fill(struct kt_text text, const struct kt_facts *facts, struct kt_buf *out)
{
	while (text.len) {
		struct kt_text name = fact_name(text);

		if (!name.len) {
			kt_buf_appendc(out, text.data[0]);
			advance(&text, 1);
			continue;
		}
		append_fact(out, kt_facts_get(facts, name));
		advance(&text, name.len + 2);
	}
}

/* "one|other" of "[one|other]": the first whose facts are all known. */
static void fill_group(struct kt_text group, const struct kt_facts *facts, struct kt_buf *out)
{
	while (group.len) {
		const char *bar = memchr(group.data, '|', group.len);
		struct kt_text one = {group.data, bar ? (size_t)(bar - group.data) : group.len};

		if (all_known(one, facts)) {
			fill(one, facts, out);
			return;
		}
		advance(&group, one.len + (bar != NULL));
	}
}

void kt_template_fill(const char *template, const struct kt_facts *facts, struct kt_buf *out)
{
	struct kt_text rest = {template, strlen(template)};

	while (rest.len) {
		const char *open = memchr(rest.data, '[', rest.len);
		size_t before = open ? (size_t)(open - rest.data) : rest.len;
		const char *close = open ? memchr(open, ']', rest.len - before) : NULL;

		if (!close)
			before = rest.len;
		fill((struct kt_text){rest.data, before}, facts, out);
		advance(&rest, before);
		if (!close)
			break;
		fill_group((struct kt_text){open + 1, (size_t)(close - open - 1)}, facts, out);
		advance(&rest, (size_t)(close - open + 1));
	}
}
