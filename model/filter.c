// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "model/filter.h"

enum key {
	KEY_A,
	KEY_B,
	KEY_DELTA,
	KEY_DELTA_PCT,
	KEY_ABS_DELTA,
	KEY_ABS_DELTA_PCT,
	KEY_STATUS,
	KEY_NAME
};
enum op { OP_MORE, OP_AT_LEAST, OP_LESS, OP_AT_MOST, OP_EQUAL, OP_UNEQUAL };

static const struct {
	const char *name;
	enum key key;
} keys[] = {
	{"a", KEY_A},
	{"b", KEY_B},
	{"delta", KEY_DELTA},
	{"delta_pct", KEY_DELTA_PCT},
	{"|delta|", KEY_ABS_DELTA},
	{"|delta_pct|", KEY_ABS_DELTA_PCT},
	{"abs_delta", KEY_ABS_DELTA},
	{"abs_delta_pct", KEY_ABS_DELTA_PCT},
	{"status", KEY_STATUS},
	{"name", KEY_NAME},
};

/* find_op() takes the first that fits: ">=" has to come before ">". */
static const struct {
	const char *name;
	enum op op;
} ops[] = {
	{">=", OP_AT_LEAST}, {"<=", OP_AT_MOST}, {"<>", OP_UNEQUAL}, {"!=", OP_UNEQUAL},
	{"==", OP_EQUAL},    {">", OP_MORE},     {"<", OP_LESS},     {"=", OP_EQUAL},
};

#define KEYS_HINT                                                                                  \
	"the keys are a, b, delta, delta_pct, |delta|, |delta_pct|, status and name; the "         \
	"operators > >= < <= = !="

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A part of the condition, without blanks around it. */
struct part {
	const char *data;
	size_t len;
};

static struct part trim(const char *start, const char *end)
{
	while (start < end && isspace((unsigned char)*start))
		start++;
	while (end > start && isspace((unsigned char)end[-1]))
		end--;
	return (struct part){start, (size_t)(end - start)};
}

/* Arguments for "%.*s" in a message: at most 60 bytes of a part. */
#define QUOTE(part) (int)((part).len < 60 ? (part).len : 60), (part).data

static bool part_is(struct part part, const char *word)
{
	return strlen(word) == part.len && memcmp(part.data, word, part.len) == 0;
}

static struct kt_error *parse_key(struct part part, struct part whole, unsigned char *ret)
{
	for (size_t i = 0; i < N_OF(keys); i++)
		if (part_is(part, keys[i].name)) {
			*ret = (unsigned char)keys[i].key;
			return NULL;
		}
	return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "no key \"%.*s\" in \"%.*s\"",
					  QUOTE(part), QUOTE(whole)),
			     KEYS_HINT);
}

/* Returns where the first operator begins, and its end in *end_ret; NULL: there is none. */
static const char *find_op(struct part part, unsigned char *ret, const char **end_ret)
{
	const char *end = part.data + part.len, *p = part.data;

	while (p < end && !strchr("<>=!", *p))
		p++;
	for (size_t i = 0; i < N_OF(ops); i++) {
		size_t len = strlen(ops[i].name);

		if ((size_t)(end - p) < len || memcmp(p, ops[i].name, len) != 0)
			continue;
		*ret = (unsigned char)ops[i].op;
		*end_ret = p + len;
		return p;
	}
	return NULL;
}

#define DIGITS_MAX 15 /* a double keeps that many exactly */

/*
 * Not strtod(), which takes hexadecimal, "nan", and a comma in some locales. "12.5" is computed as
 * 125 / 10, so that it is rounded only once.
 */
static bool read_number(struct part part, double *ret)
{
	bool negative = part.len && part.data[0] == '-', point = false;
	size_t i = part.len && (negative || part.data[0] == '+'), digits = 0;
	double value = 0, scale = 1;

	if (part.len > i && part.data[part.len - 1] == '%')
		part = trim(part.data, part.data + part.len - 1);
	for (; i < part.len; i++) {
		char c = part.data[i];

		if (c == '.' && !point && digits) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)c) || ++digits > DIGITS_MAX)
			return false;
		value = value * 10 + (c - '0');
		scale *= point ? 10 : 1;
	}
	*ret = negative ? -value / scale : value / scale;
	return digits && part.data[part.len - 1] != '.';
}

static struct kt_error *parse_status(struct part part, enum kt_diff_status *ret)
{
	for (enum kt_diff_status status = 0; status < KT_N_DIFF_STATUS; status++)
		if (part_is(part, kt_diff_status_name(status))) {
			*ret = status;
			return NULL;
		}
	return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "no status \"%.*s\"", QUOTE(part)),
			     "there are unchanged, changed, unknown, added, removed, failed, "
			     "fixed and failed-in-both");
}

static struct kt_error *parse_glob(struct part part, char *ret)
{
	if (!part.len || part.len >= KT_FILTER_GLOB_MAX)
		return kt_error_new(KT_ERROR_USAGE,
				    "\"%.*s\" is no pattern for a name: of 1 to %d bytes",
				    QUOTE(part), KT_FILTER_GLOB_MAX - 1);
	memcpy(ret, part.data, part.len);
	ret[part.len] = '\0';
	return NULL;
}

static struct kt_error *parse_value(struct part part, struct part whole,
				    struct kt_filter_condition *c)
{
	bool is_word = c->key == KEY_STATUS || c->key == KEY_NAME;

	if (is_word && c->op != OP_EQUAL && c->op != OP_UNEQUAL)
		return kt_error_new(
			KT_ERROR_USAGE,
			"\"%.*s\": a %s is compared with = or !=, not with more or less",
			QUOTE(whole), c->key == KEY_STATUS ? "status" : "name");
	if (c->key == KEY_STATUS)
		return parse_status(part, &c->status);
	if (c->key == KEY_NAME)
		return parse_glob(part, c->glob);
	if (read_number(part, &c->number))
		return NULL;
	return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "\"%.*s\" in \"%.*s\" is no number",
					  QUOTE(part), QUOTE(whole)),
			     "such as 100, -2.5 or 10%%; of at most %d digits", DIGITS_MAX);
}

static struct kt_error *parse_condition(struct part whole, struct kt_filter_condition *ret)
{
	const char *op, *op_end;
	struct kt_error *err;

	op = find_op(whole, &ret->op, &op_end);
	if (!op)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						  "\"%.*s\" is no KEY OPERATOR VALUE",
						  QUOTE(whole)),
				     KEYS_HINT);
	err = parse_key(trim(whole.data, op), whole, &ret->key);
	return err ? err : parse_value(trim(op_end, whole.data + whole.len), whole, ret);
}

struct kt_error *kt_filter_parse(const char *text, struct kt_filter *ret)
{
	struct kt_filter filter = {0};
	const char *and;

	do {
		struct kt_error *err;

		if (filter.n == KT_FILTER_CONDITIONS_MAX)
			return kt_error_new(KT_ERROR_USAGE, "more than %d conditions in one",
					    KT_FILTER_CONDITIONS_MAX);
		and = strstr(text, "&&");
		err = parse_condition(trim(text, and? and : text + strlen(text)),
				      &filter.all[filter.n++]);
		if (err)
			return err;
		text = and? and+2 : NULL;
	} while (and);
	*ret = filter;
	return NULL;
}

/* The row's value for a key. False: it is not known. */
static bool value_of(const struct kt_diff_row *row, enum key key, double *ret)
{
	switch (key) {
	case KEY_A: *ret = (double)row->a.value; return row->a.known;
	case KEY_B: *ret = (double)row->b.value; return row->b.known;
	case KEY_DELTA: *ret = (double)row->delta; return row->has_delta;
	case KEY_ABS_DELTA: *ret = fabs((double)row->delta); return row->has_delta;
	case KEY_DELTA_PCT: *ret = row->delta_pct; return row->has_delta;
	default: *ret = fabs(row->delta_pct); return row->has_delta;
	}
}

static bool holds(const struct kt_filter_condition *c, const struct kt_diff_row *row)
{
	double value;

	if (c->key == KEY_STATUS)
		return (row->status == c->status) == (c->op == OP_EQUAL);
	if (c->key == KEY_NAME)
		return (fnmatch(c->glob, row->name, 0) == 0) == (c->op == OP_EQUAL);
	if (!value_of(row, c->key, &value))
		return false;
	switch ((enum op)c->op) {
	case OP_MORE: return value > c->number;
	case OP_AT_LEAST: return value >= c->number;
	case OP_LESS: return value < c->number;
	case OP_AT_MOST: return value <= c->number;
	case OP_EQUAL: return value == c->number;
	default: return value != c->number;
	}
}

bool kt_filter_matches(const struct kt_filter *filter, const struct kt_diff_row *row)
{
	for (size_t i = 0; i < filter->n; i++)
		if (!holds(&filter->all[i], row))
			return false;
	return true;
}

void kt_diff_rows_filter(struct kt_diff_rows *rows, const struct kt_filter *filters, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < rows->n; i++) {
		bool keep = true;

		for (size_t f = 0; f < n && keep; f++)
			keep = kt_filter_matches(&filters[f], &rows->all[i]);
		if (keep || rows->all[i].status == KT_DIFF_FAILED)
			rows->all[kept++] = rows->all[i];
	}
	rows->n = kept;
}
