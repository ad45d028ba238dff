// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/catalog_match.h"

#include <ctype.h>

bool kt_is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

struct kt_text kt_facts_get(const struct kt_facts *facts, struct kt_text name)
{
	for (size_t i = 0; i < facts->n; i++)
		if (kt_text_equals(facts->v[i].name, name))
			return facts->v[i].value;
	return (struct kt_text){0};
}

void kt_facts_add(struct kt_facts *facts, struct kt_text name, struct kt_text value)
{
	if (!value.len || facts->n == KT_MAX_FACTS || kt_facts_get(facts, name).len)
		return;
	facts->v[facts->n].name = name;
	facts->v[facts->n++].value = value;
}

enum hole_kind { HOLE_NONE, HOLE_TEXT, HOLE_NUMBER, HOLE_NAME, HOLE_REG };

struct hole {
	enum hole_kind kind;
	struct kt_text name;
	const char *behind; /* of the pattern */
};

/* The hole that a pattern begins with. Another "<" is a literal: "<< 32",
"<invalid kfunc call>". */
static struct hole read_hole(const char *p)
{
	struct hole hole = {HOLE_NONE, {0}, p};
	const char *end;

	if (*p != '<' || !(islower((unsigned char)p[1]) || p[1] == '#' || p[1] == '@'))
		return hole;
	end = p + 2 + strspn(p + 2, "abcdefghijklmnopqrstuvwxyz_");
	if (*end != '>')
		return hole;
	hole.kind = p[1] == '#' ? HOLE_NUMBER : p[1] == '@' ? HOLE_NAME : HOLE_TEXT;
	p += hole.kind == HOLE_TEXT ? 1 : 2;
	hole.name = (struct kt_text){p, (size_t)(end - p)};
	if (kt_text_equals(hole.name, KT_TEXT("reg")))
		hole.kind = HOLE_REG;
	hole.behind = end + 1;
	return hole;
}

static size_t digits(struct kt_text line, size_t at, bool hex)
{
	size_t i = at;

	while (i < line.len &&
	       (hex ? isxdigit((unsigned char)line.data[i]) : isdigit((unsigned char)line.data[i])))
		i++;
	return i - at;
}

/* The length of a number at a place: "12", "-8", "0x1f"; 0: there is none. */
static size_t number_at(struct kt_text line, size_t at)
{
	size_t sign = at < line.len && (line.data[at] == '-' || line.data[at] == '+'), n;

	at += sign;
	if (at + 2 < line.len && line.data[at] == '0' && line.data[at + 1] == 'x') {
		n = digits(line, at + 2, true);
		return n ? sign + 2 + n : 0;
	}
	n = digits(line, at, false);
	return n ? sign + n : 0;
}

static size_t name_at(struct kt_text line, size_t at)
{
	size_t i = at;

	while (i < line.len &&
	       (kt_is_word_char(line.data[i]) || line.data[i] == '.' || line.data[i] == '$'))
		i++;
	return i - at;
}

/* "R3", "r3", "arg#0", "args#0", "arg 0", "arg #0", "arg0", "Arg#0" and, since 7.2, "*(R11-8)". */
static size_t reg_at(struct kt_text line, size_t at)
{
	struct kt_text rest = {line.data + at, line.len - at};
	size_t n = 0;

	if (kt_text_starts_with(rest, KT_TEXT("*(R11-"))) {
		n = digits(rest, 6, false);
		return n && 6 + n < rest.len && rest.data[6 + n] == ')' ? 7 + n : 0;
	}
	if (rest.len > 3 && (rest.data[0] == 'a' || rest.data[0] == 'A') &&
	    memcmp(rest.data + 1, "rg", 2) == 0) {
		n = 3;
		n += rest.data[n] == 's';
		n += n < rest.len && rest.data[n] == ' ';
		n += n < rest.len && rest.data[n] == '#';
	} else if (rest.len && (rest.data[0] == 'R' || rest.data[0] == 'r')) {
		n = 1;
	}
	return n && digits(rest, n, false) ? n + digits(rest, n, false) : 0;
}

/* Of "bpf_spin_unlock" the part before "_unlock", where the pattern goes on so. */
static size_t name_before(struct kt_text line, size_t at, const char *behind)
{
	size_t len = name_at(line, at), n = 0;

	while (kt_is_word_char(behind[n]))
		n++;
	while (n && len &&
	       (line.len - at - len < n || memcmp(line.data + at + len, behind, n) != 0))
		len--;
	return len;
}

static size_t hole_at(struct hole hole, struct kt_text line, size_t at)
{
	switch (hole.kind) {
	case HOLE_NUMBER: return number_at(line, at);
	case HOLE_NAME: return name_before(line, at, hole.behind);
	case HOLE_REG: return reg_at(line, at);
	default: return 0;
	}
}

/* A hole for any text that was met last; the literal behind it is looked for further on. */
struct open_hole {
	const char *behind; /* of the pattern; NULL: there is none */
	size_t begin, end;  /* what it holds, of the line */
	size_t fact;        /* its number */
};

static bool ends_word(const char *pattern, const char *p, struct kt_text line, size_t at)
{
	return p == pattern || !kt_is_word_char(p[-1]) || at == line.len ||
	       !kt_is_word_char(line.data[at]);
}

static void set_fact(struct kt_facts *facts, size_t i, struct kt_text name, struct kt_text value)
{
	if (i >= KT_MAX_FACTS)
		return;
	facts->v[i].name = name;
	facts->v[i].value = value;
	facts->n = i + 1;
}

/* Matches from a place of the line on. Where a literal does not fit, the last open hole grows. */
static bool match_at(const char *pattern, struct kt_text line, size_t at, struct kt_facts *facts)
{
	struct open_hole open = {0};
	const char *p = pattern;

	facts->n = 0;
	for (;;) {
		struct hole hole = read_hole(p);
		size_t len = hole_at(hole, line, at);

		if (!*p && ends_word(pattern, p, line, at))
			return true;
		if (hole.kind == HOLE_TEXT) {
			open = (struct open_hole){hole.behind, at, at, facts->n};
			if (!*hole.behind)
				at = line.len;
			set_fact(facts, facts->n, hole.name,
				 (struct kt_text){line.data + open.begin, at - open.begin});
			p = hole.behind;
		} else if (len) {
			set_fact(facts, facts->n, hole.name, (struct kt_text){line.data + at, len});
			at += len;
			p = hole.behind;
		} else if (*p && hole.kind == HOLE_NONE && at < line.len && line.data[at] == *p) {
			at++;
			p++;
		} else {
			if (!open.behind || open.end == line.len || open.fact >= KT_MAX_FACTS)
				return false;
			at = ++open.end;
			p = open.behind;
			facts->v[open.fact].value.len = open.end - open.begin;
			facts->n = open.fact + 1;
		}
	}
}

bool kt_pattern_match(const char *pattern, struct kt_text line, struct kt_facts *facts)
{
	bool hole = read_hole(pattern).kind != HOLE_NONE;
	struct kt_facts found;

	for (size_t at = 0; at < line.len; at++) {
		if ((at && kt_is_word_char(line.data[at - 1]) && kt_is_word_char(line.data[at])) ||
		    (!hole && line.data[at] != pattern[0]) || !match_at(pattern, line, at, &found))
			continue;
		for (size_t i = 0; facts && i < found.n; i++)
			kt_facts_add(facts, found.v[i].name, found.v[i].value);
		return true;
	}
	return false;
}

size_t kt_pattern_weight(const char *pattern)
{
	size_t n = 0;

	while (*pattern) {
		struct hole hole = read_hole(pattern);

		n += hole.kind == HOLE_NONE;
		pattern = hole.kind == HOLE_NONE ? pattern + 1 : hole.behind;
	}
	return n;
}

bool kt_next_word(struct kt_text *rest, bool holes, struct kt_text *ret)
{
	const char *p = rest->data, *end = p + rest->len, *begin;
	bool behind_hole = false;

	while (p < end) {
		struct hole hole = holes ? read_hole(p) : (struct hole){HOLE_NONE, {0}, p};

		if (hole.kind != HOLE_NONE) {
			behind_hole = true;
			p = hole.behind;
			continue;
		}
		for (begin = p; p < end && kt_is_word_char(*p); p++)
			;
		if (p > begin && !behind_hole && !(holes && read_hole(p).kind != HOLE_NONE)) {
			*ret = (struct kt_text){begin, (size_t)(p - begin)};
			*rest = (struct kt_text){p, (size_t)(end - p)};
			return true;
		}
		behind_hole = false;
		p += p == begin;
	}
	return false;
}
