// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/anchor.h"

#include <ctype.h>

#define MAX_DIGITS 7 /* of an instruction's index: a program has at most 1,000,000 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static size_t digits(struct kt_text text)
{
	size_t n = 0;

	while (n < text.len && is_digit(text.data[n]))
		n++;
	return n;
}

/* Takes `what` and a number behind it off the front. */
static bool take_numbered(struct kt_text *text, struct kt_text what)
{
	size_t n;

	if (!kt_text_starts_with(*text, what))
		return false;
	n = digits(kt_text_from(*text, what.len));
	*text = kt_text_from(*text, what.len + n);
	return n && n <= MAX_DIGITS;
}

/* "R1=ctx()", "R1_w=3", "frame1: R1_w=3": a register with its value. */
static bool is_register(struct kt_text text)
{
	size_t n;

	if (take_numbered(&text, KT_TEXT("frame")) && kt_text_starts_with(text, KT_TEXT(": ")))
		text = kt_text_from(text, 2);
	if (!text.len || text.data[0] != 'R')
		return false;
	n = 1 + digits(kt_text_from(text, 1));
	if (n < 2 || n > 3)
		return false;
	if (n < text.len && text.data[n] == '_')
		for (n++; n < text.len && islower((unsigned char)text.data[n]) && n < 8; n++)
			;
	return n < text.len && text.data[n] == '=';
}

/* What stands behind "7:" of an instruction or a state. */
static bool is_behind_index(struct kt_text text)
{
	if (text.len < 4 || text.data[0] != ' ')
		return false;
	if (text.data[1] == '(')
		return text.len > 5 && is_hex(text.data[2]) && is_hex(text.data[3]) &&
		       text.data[4] == ')' && text.data[5] == ' ';
	return is_register(kt_text_from(text, 1)) ||
	       kt_text_starts_with(text, KT_TEXT(" <invalid "));
}

static bool is_indexed(struct kt_text text)
{
	size_t n = digits(text);

	return n && n <= MAX_DIGITS && n < text.len && text.data[n] == ':' &&
	       is_behind_index(kt_text_from(text, n + 1));
}

/* "from 44 to 34: " */
static bool is_branch(struct kt_text text)
{
	return take_numbered(&text, KT_TEXT("from ")) && take_numbered(&text, KT_TEXT(" to ")) &&
	       (kt_text_starts_with(text, KT_TEXT(": ")) ||
		kt_text_starts_with(text, KT_TEXT(" (speculative execution): ")));
}

/* "[5] ARRAY (anon) type_id=3", of the log of a BTF. */
static bool is_btf_type(struct kt_text text)
{
	static const char *const kinds[] = {"INT ",    "PTR ",        "ARRAY ",    "STRUCT ",
					    "UNION ",  "ENUM ",       "FWD ",      "TYPEDEF ",
					    "FUNC ",   "FUNC_PROTO ", "DATASEC ",  "VAR ",
					    "CONST ",  "VOLATILE ",   "RESTRICT ", "FLOAT ",
					    "ENUM64 ", "DECL_TAG ",   "TYPE_TAG "};

	if (!take_numbered(&text, KT_TEXT("[")) || !kt_text_starts_with(text, KT_TEXT("] ")))
		return false;
	text = kt_text_from(text, 2);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kt_text_starts_with(text, (struct kt_text){kinds[i], strlen(kinds[i])}))
			return true;
	return false;
}

/* Such a line that begins with a word. */
static bool is_worded(struct kt_text text)
{
	struct kt_text rest = text;

	switch (text.data[0]) {
	case '[': return is_btf_type(text);
	case 'p':
		if (kt_text_starts_with(text, KT_TEXT("parent didn't have regs=")) ||
		    kt_text_starts_with(text, KT_TEXT("parent already had regs=")))
			return true;
		return take_numbered(&rest, KT_TEXT("processed ")) &&
		       kt_text_starts_with(rest, KT_TEXT(" insn"));
	case 'f':
		if (is_branch(text))
			return true;
		return take_numbered(&rest, KT_TEXT("func#")) &&
		       take_numbered(&rest, KT_TEXT(" @"));
	case 'm':
		return take_numbered(&rest, KT_TEXT("mark_precise: frame")) ||
		       kt_text_starts_with(text, KT_TEXT("magic: 0xeb9f"));
	case 'l':
		return take_numbered(&rest, KT_TEXT("last_idx ")) &&
		       kt_text_starts_with(rest, KT_TEXT(" first_idx "));
	case 'r':
		return kt_text_starts_with(text, KT_TEXT("regs=")) &&
		       kt_text_has(kt_text_head(text, 80), KT_TEXT(" stack=")) &&
		       kt_text_has(kt_text_head(text, 120), KT_TEXT(" before "));
	case 'V':
		return kt_text_starts_with(text, KT_TEXT("Validating ")) &&
		       kt_text_has(kt_text_head(text, 256), KT_TEXT(" func#"));
	default: return false;
	}
}

bool log_is_anchor(struct kt_text text)
{
	if (!text.len)
		return false;
	return is_digit(text.data[0]) ? is_indexed(text) : is_worded(text);
}

/* "\n", "\t", "#012", "#011", or the end of a colour, "[33m": no letter and no digit of a word. */
static bool ends_in_escape(struct kt_text before)
{
	size_t n = before.len;

	if (n > 1 && before.data[n - 2] == '\\' && memchr("ntr", before.data[n - 1], 3))
		return true;
	if (kt_text_ends_with(before, KT_TEXT("#012")) ||
	    kt_text_ends_with(before, KT_TEXT("#011")))
		return true;
	if (before.data[n - 1] != 'm')
		return false;
	for (n--; n && before.len - n < 12 &&
		  (is_digit(before.data[n - 1]) || before.data[n - 1] == ';');
	     n--)
		;
	return n && before.data[n - 1] == '[';
}

/* No part of a longer word or number, and not the object of a sentence. */
static bool begins(struct kt_text before)
{
	if (!before.len)
		return true;
	if (isalnum((unsigned char)before.data[before.len - 1]) ||
	    memchr("_-.#", before.data[before.len - 1], 4))
		return ends_in_escape(before);
	return !kt_text_ends_with(before, KT_TEXT("insn ")) &&
	       !kt_text_ends_with(before, KT_TEXT("before ")) &&
	       !kt_text_ends_with(before, KT_TEXT("at "));
}

/*
 * The place whose colon is at `colon`: an index before it, or the word that the colon belongs to.
 * floor: where it may begin at the earliest.
 */
static bool place_at(struct kt_text line, size_t floor, size_t colon, size_t *ret)
{
	static const struct kt_text precise = KT_TEXT("mark_precise");
	size_t at = colon;

	while (at > floor && is_digit(line.data[at - 1]))
		at--;
	/* rsyslog has "#012" for a newline, and then there are more digits. */
	if (at > floor && line.data[at - 1] == '#' && colon - at > 3 &&
	    (memcmp(line.data + at, "012", 3) == 0 || memcmp(line.data + at, "011", 3) == 0))
		at += 3;
	if (at == colon) {
		if (colon - floor < precise.len)
			return false;
		at = colon - precise.len;
	} else {
		size_t back = at - floor < 24 ? at - floor : 24;
		const char *word = memmem(line.data + at - back, back, "from ", 5);

		if (word && is_branch(kt_text_from(line, (size_t)(word - line.data))))
			at = (size_t)(word - line.data);
	}
	*ret = at;
	return begins((struct kt_text){line.data, at}) && log_is_anchor(kt_text_from(line, at));
}

static bool find_btf_type(struct kt_text line, size_t end, size_t *ret)
{
	const char *p = line.data, *stop = line.data + end;

	while (p < stop && (p = memchr(p, '[', (size_t)(stop - p)))) {
		size_t at = (size_t)(p++ - line.data);

		if (!begins((struct kt_text){line.data, at}) ||
		    !is_btf_type(kt_text_from(line, at)))
			continue;
		*ret = at;
		return true;
	}
	return false;
}

/* The first of the lines that have no colon behind their first word. */
static bool find_worded(struct kt_text line, size_t end, size_t *ret)
{
	static const struct kt_text words[] = {KT_TEXT("processed "),  KT_TEXT("func#"),
					       KT_TEXT("regs="),       KT_TEXT("last_idx "),
					       KT_TEXT("Validating "), KT_TEXT("magic: 0xeb9f")};
	bool found = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *p = end ? memmem(line.data, end, words[i].data, words[i].len) : NULL;
		size_t at = p ? (size_t)(p - line.data) : end;

		if (!p || !begins((struct kt_text){line.data, at}) ||
		    !log_is_anchor(kt_text_from(line, at)))
			continue;
		*ret = end = at;
		found = true;
	}
	return find_btf_type(line, end, ret) || found;
}

bool log_find_anchor(struct kt_text line, size_t *ret)
{
	size_t floor = 0, end = line.len;
	bool found = false;

	if (log_is_anchor(line)) {
		*ret = 0;
		return true;
	}
	while (floor < line.len && !found) {
		const char *p = memchr(line.data + floor, ':', line.len - floor);
		size_t colon = p ? (size_t)(p - line.data) : line.len;

		if (!p)
			break;
		if (colon + 1 < line.len && line.data[colon + 1] == ' ')
			found = place_at(line, floor, colon, ret);
		floor = colon + 1;
	}
	if (found)
		end = *ret;
	return find_worded(line, end, ret) || found;
}

bool log_may_be_listing(struct kt_text line, size_t anchor)
{
	return anchor && anchor < 3 && line.data[0] == ' ' && line.data[anchor - 1] == ' ' &&
	       anchor + digits(kt_text_from(line, anchor)) == 3;
}
