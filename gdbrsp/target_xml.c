// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "gdbrsp/target_xml.h"

struct span {
	const char *p, *end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool starts_with(struct span s, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(s.end - s.p) >= n && !memcmp(s.p, text, n);
}

static bool equals(struct span s, const char *text)
{
	return (size_t)(s.end - s.p) == strlen(text) && starts_with(s, text);
}

/* Behind the next text; false, and at the end, if there is none. */
static bool skip_past(struct span *s, const char *text)
{
	size_t n = strlen(text);
	const char *found = memmem(s->p, (size_t)(s->end - s->p), text, n);

	s->p = found ? found + n : s->end;
	return found;
}

/* The inside of the next <...> that is an element's start; false at the end. */
static bool next_tag(struct span *doc, struct span *tag)
{
	while (skip_past(doc, "<")) {
		if (starts_with(*doc, "!--")) {
			doc->p += strlen("!--");
			skip_past(doc, "-->");
			continue;
		}
		tag->p = doc->p;
		if (!skip_past(doc, ">"))
			return false;
		tag->end = doc->p - 1;
		if (tag->p < tag->end && *tag->p != '?' && *tag->p != '!' && *tag->p != '/')
			return true;
	}
	return false;
}

static struct span next_word(struct span *tag, const char *stops)
{
	struct span word;

	while (tag->p < tag->end && (is_space(*tag->p) || *tag->p == '/'))
		tag->p++;
	word.p = tag->p;
	while (tag->p < tag->end && !is_space(*tag->p) && !memchr(stops, *tag->p, strlen(stops)))
		tag->p++;
	word.end = tag->p;
	return word;
}

/* NAME="VALUE" or NAME='VALUE'; false at the end, or where it is something else. */
static bool next_attribute(struct span *tag, struct span *name, struct span *value)
{
	char quote;

	*name = next_word(tag, "=");
	while (tag->p < tag->end && (is_space(*tag->p) || *tag->p == '='))
		tag->p++;
	if (name->p == name->end || tag->p == tag->end)
		return false;
	quote = *tag->p++;
	if (quote != '"' && quote != '\'')
		return false;
	value->p = tag->p;
	value->end = memchr(tag->p, quote, (size_t)(tag->end - tag->p));
	if (!value->end)
		return false;
	tag->p = value->end + 1;
	return true;
}

static bool take_number(struct span s, uint32_t *ret)
{
	uint32_t value = 0;

	if (s.p == s.end || s.end - s.p > 6)
		return false;
	for (; s.p < s.end; s.p++) {
		if (*s.p < '0' || *s.p > '9')
			return false;
		value = value * 10 + (uint32_t)(*s.p - '0');
	}
	*ret = value;
	return true;
}

static bool take_name(struct span s, char *name, size_t size)
{
	size_t len = (size_t)(s.end - s.p);

	if (len == 0 || len >= size || memchr(s.p, '\0', len))
		return false;
	memcpy(name, s.p, len);
	name[len] = '\0';
	return true;
}

/* A register without a (sane) name counts, too: those behind it go by its number. */
static void take_register(struct span tag, struct rsp_xml_item *item)
{
	struct span name, value;
	uint32_t number;

	item->element = RSP_ELEMENT_REGISTER;
	while (next_attribute(&tag, &name, &value)) {
		if (equals(name, "name"))
			take_name(value, item->name, RSP_REGISTER_NAME_MAX);
		if (equals(name, "bitsize") && !take_number(value, &item->bits))
			item->bits = 0;
		if (equals(name, "regnum") && take_number(value, &number))
			item->number = number;
	}
}

static bool take_include(struct span tag, struct rsp_xml_item *item)
{
	struct span name, value;

	item->element = RSP_ELEMENT_INCLUDE;
	while (next_attribute(&tag, &name, &value)) {
		if (equals(name, "href"))
			return take_name(value, item->name, sizeof(item->name));
	}
	return false;
}

bool rsp_xml_next(const char *doc, size_t len, size_t *pos, struct rsp_xml_item *ret)
{
	struct span rest, tag;
	bool found = false;

	if (len == 0) /* doc may be NULL then */
		return false;
	rest = (struct span){doc + *pos, doc + len};

	while (!found && next_tag(&rest, &tag)) {
		struct span element = next_word(&tag, "/");

		*ret = (struct rsp_xml_item){.number = -1};
		if (equals(element, "reg")) {
			take_register(tag, ret);
			found = true;
		} else if (equals(element, "xi:include")) {
			found = take_include(tag, ret);
		}
	}
	*pos = (size_t)(rest.p - doc);
	return found;
}
