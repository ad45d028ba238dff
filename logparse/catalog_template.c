// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/catalog_template.h"

#include <ctype.h>

#define MAX_FACT 200

/* "<name>" at the beginning of text: its name; empty if there is none. Takes it off. */
static struct kt_text take_fact(struct kt_text *text, bool *shown)
{
	struct kt_text name = {0};
	const char *end;

	*shown = text->len > 2 && text->data[1] != '?';
	if (text->len < 3 || text->data[0] != '<' ||
	    (*shown && !islower((unsigned char)text->data[1])))
		return name;
	end = memchr(text->data, '>', text->len);
	if (!end)
		return name;
	name.data = text->data + (*shown ? 1 : 2);
	name.len = (size_t)(end - name.data);
	text->len -= (size_t)(end + 1 - text->data);
	text->data = end + 1;
	return name;
}

static void advance(struct kt_text *text, size_t n)
{
	text->data += n;
	text->len -= n;
}

static bool all_known(struct kt_text text, const struct kt_facts *facts)
{
	bool shown;

	while (text.len) {
		struct kt_text name = take_fact(&text, &shown);

		if (!name.len)
			advance(&text, 1);
		else if (!kt_facts_get(facts, name).len)
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
	bool shown;

	while (text.len) {
		struct kt_text name = take_fact(&text, &shown);

		if (name.len && shown) {
			append_fact(out, kt_facts_get(facts, name));
		} else if (!name.len) {
			kt_buf_appendc(out, text.data[0]);
			advance(&text, 1);
		}
	}
}

/* "one|other" of "[one|other]": the first whose facts are all known. "[]" is C's. */
static void fill_group(struct kt_text group, const struct kt_facts *facts, struct kt_buf *out)
{
	if (!group.len)
		kt_buf_appends(out, "[]");
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
