// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/state.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_blanks(struct kt_text *text)
{
	while (text->len && is_blank(text->data[0]))
		kt_text_skip(text, 1);
}

/* The digits at the start of text as a number of at most nine digits; how many, 0 for none. */
static size_t read_number(struct kt_text text, int32_t *ret)
{
	int32_t value = 0;
	size_t n = 0;

	for (; n < text.len && is_digit(text.data[n]); n++) {
		if (n == 9)
			return 0;
		value = value * 10 + (text.data[n] - '0');
	}
	if (n)
		*ret = value;
	return n;
}

void kt_state_items_init(struct kt_state_items *it, struct kt_text state)
{
	static const struct kt_text prefix = {"frame", 5};
	struct kt_text rest;
	int32_t frame;
	size_t n;

	*it = (struct kt_state_items){.rest = state};
	skip_blanks(&it->rest);
	if (!kt_text_starts_with(it->rest, prefix))
		return;
	rest = it->rest;
	kt_text_skip(&rest, prefix.len);
	n = read_number(rest, &frame);
	if (!n || n == rest.len || rest.data[n] != ':')
		return;
	kt_text_skip(&rest, n + 1);
	it->rest = rest;
	it->frame = (uint32_t)frame;
}

/*
 * The next word. Blanks within parentheses belong to it:
 *	R2_w=scalar(umax=4294967295,var_off=(0x0; 0xffffffff))
 * A parenthesis that is never closed (a log that was cut off) ends with the text.
 */
static bool next_word(struct kt_text *rest, struct kt_text *ret)
{
	size_t n = 0, depth = 0;

	skip_blanks(rest);
	for (; n < rest->len && (depth || !is_blank(rest->data[n])); n++) {
		char c = rest->data[n];

		if (c == '\r' || c == '\n')
			break;
		depth += c == '(';
		depth -= c == ')' && depth;
	}
	*ret = (struct kt_text){rest->data, n};
	/* A line end ends the state. */
	kt_text_skip(rest, n < rest->len && !is_blank(rest->data[n]) ? rest->len : n);
	return n;
}

/*
 * What stands left of '=': "R3", "R3_rw", "fp-16_w", "refs". False: something else does. The
 * marks are r, w, D (6.17 and before) and P, which 5.10 has in the value instead.
 */
static bool read_name(struct kt_text name, struct kt_state_item *ret)
{
	size_t prefix, n;

	if (name.len == 4 && memcmp(name.data, "refs", 4) == 0) {
		ret->place = KT_PLACE_REFS;
		ret->name = name;
		return true;
	}
	if (kt_text_starts_with(name, KT_TEXT("R"))) {
		ret->place = KT_PLACE_REG;
		prefix = 1;
	} else if (kt_text_starts_with(name, KT_TEXT("fp-"))) {
		ret->place = KT_PLACE_SLOT;
		prefix = 3;
	} else {
		return false;
	}
	n = read_number((struct kt_text){name.data + prefix, name.len - prefix}, &ret->number);
	if (!n || (prefix + n < name.len && name.data[prefix + n] != '_'))
		return false;
	if (ret->place == KT_PLACE_SLOT)
		ret->number = -ret->number;
	ret->name = (struct kt_text){name.data, prefix + n};
	ret->live = (struct kt_text){name.data + prefix + n, name.len - prefix - n};
	return true;
}

static bool read_item(struct kt_text word, struct kt_state_item *ret)
{
	const char *equals = memchr(word.data, '=', word.len);
	size_t n;

	*ret = (struct kt_state_item){.value = word};
	if (!equals) {
		ret->place = KT_PLACE_FLAG;
		ret->name = word;
		return (word.len == 2 && memcmp(word.data, "cb", 2) == 0) ||
		       (word.len == 8 && memcmp(word.data, "async_cb", 8) == 0);
	}
	n = (size_t)(equals - word.data);
	kt_text_skip(&ret->value, n + 1);
	return read_name((struct kt_text){word.data, n}, ret);
}

bool kt_state_items_next(struct kt_state_items *it, struct kt_state_item *ret)
{
	struct kt_state_item item;
	struct kt_text word;

	while (next_word(&it->rest, &word)) {
		if (read_item(word, &item)) {
			*ret = item;
			return true;
		}
	}
	return false;
}

bool kt_state_find(struct kt_text state, enum kt_place place, int32_t number,
		   struct kt_state_item *ret)
{
	struct kt_state_items it;
	struct kt_state_item item;

	/* A slot is named by its lowest byte: fp-8 has the bytes -8 to -1. */
	if (place == KT_PLACE_SLOT)
		number -= number % 8 ? 8 + number % 8 : 0;
	kt_state_items_init(&it, state);
	while (kt_state_items_next(&it, &item)) {
		if (item.place == place && item.number == number) {
			*ret = item;
			return true;
		}
	}
	return false;
}

bool kt_state_is(struct kt_text text)
{
	struct kt_state_items it;
	struct kt_state_item item;
	struct kt_text word;

	kt_state_items_init(&it, text);
	if (it.frame)
		return true;
	return next_word(&it.rest, &word) && read_item(word, &item);
}
