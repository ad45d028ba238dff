// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "logparse/stats.h"

struct reader {
	struct kt_verifier_stats *stats;
	struct kt_text line; /* the one being read */
	kt_stats_warn_fn warn;
	void *arg;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool contains(struct kt_text text, struct kt_text what)
{
	return text.len && memmem(text.data, text.len, what.data, what.len);
}

/* Takes the last line off the end of *rest. False when nothing is left. */
static bool take_last_line(struct kt_text *rest, struct kt_text *ret)
{
	const char *newline;
	size_t start;

	if (!rest->len)
		return false;
	if (rest->data[rest->len - 1] == '\n')
		rest->len--;
	newline = rest->len ? memrchr(rest->data, '\n', rest->len) : NULL;
	start = newline ? (size_t)(newline - rest->data) + 1 : 0;
	*ret = (struct kt_text){rest->data + start, rest->len - start};
	rest->len = start;
	return true;
}

/* Takes the next word off the start of *rest; an empty one when there is none. */
static struct kt_text take_word(struct kt_text *rest)
{
	struct kt_text word;
	size_t i = 0, len = 0;

	while (i < rest->len && is_blank(rest->data[i]))
		i++;
	while (i + len < rest->len && !is_blank(rest->data[i + len]))
		len++;
	word = (struct kt_text){rest->len ? rest->data + i : NULL, len};
	if (rest->len)
		rest->data += i + len;
	rest->len -= i + len;
	return word;
}

/* NULL, or what is wrong with the number. */
static const char *read_number(struct kt_text word, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!word.len)
		return "not a number";
	for (size_t i = 0; i < word.len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)word.data[i] - '0';

		if (digit > 9)
			return "not a number";
		if (value > max / 10 || value * 10 > max - digit)
			return max == UINT64_MAX ? "larger than 64 bits" : "larger than 32 bits";
		value = value * 10 + digit;
	}
	*ret = value;
	return NULL;
}

static void complain(const struct reader *r, const char *name, const char *problem)
{
	char what[80];

	if (!r->warn)
		return;
	snprintf(what, sizeof(what), "%s: %s", name, problem);
	r->warn(r->arg, r->line, what);
}

static void read_stat(const struct reader *r, enum kt_stat stat, const char *name,
		      struct kt_text word)
{
	uint64_t value = 0;
	const char *problem = read_number(word, UINT64_MAX, &value);

	r->stats->has[stat] = !problem;
	r->stats->value[stat] = value;
	if (problem)
		complain(r, name, problem);
}

/*
 * "processed 136 insns (limit 1000000) max_states_per_insn 1 total_states 9 peak_states 9
 * mark_read 3", in one line (Linux 5.2 to 7.3). Other words are for a kernel to come.
 */
static void read_processed(const struct reader *r)
{
	static const struct {
		struct kt_text word;
		const char *name;
		enum kt_stat stat;
	} keys[] = {
		{{"processed", 9}, "processed", KT_STAT_PROCESSED},
		{{"(limit", 6}, "limit", KT_STAT_LIMIT},
		{{"max_states_per_insn", 19}, "max_states_per_insn", KT_STAT_MAX_STATES_PER_INSN},
		{{"total_states", 12}, "total_states", KT_STAT_TOTAL_STATES},
		{{"peak_states", 11}, "peak_states", KT_STAT_PEAK_STATES},
		{{"mark_read", 9}, "mark_read", KT_STAT_MARK_READ},
	};
	struct kt_text rest = r->line, word;

	while (word = take_word(&rest), word.len) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			struct kt_text value;

			if (!kt_text_equals(word, keys[i].word))
				continue;
			/* "(limit 1000000)", before 5.2 "(limit 131072), stack depth 8" */
			value = take_word(&rest);
			while (value.len && memchr("),", value.data[value.len - 1], 2))
				value.len--;
			read_stat(r, keys[i].stat, keys[i].name, value);
			break;
		}
	}
}

/* "verification time 1234 usec". Without the unit the number may be cut off, too. */
static void read_time(const struct reader *r)
{
	struct kt_text rest = r->line, word;

	take_word(&rest);
	take_word(&rest);
	word = take_word(&rest);
	if (kt_text_equals(take_word(&rest), KT_TEXT("usec")))
		read_stat(r, KT_STAT_TIME, "verification time", word);
	else
		complain(r, "verification time", "not a number of microseconds");
}

/* "8+0+0". All of them or none: a list with a gap would give a depth to another subprogram. */
static void read_depths(const struct reader *r, struct kt_text list)
{
	struct kt_verifier_stats *stats = r->stats;
	struct kt_text rest = list;
	size_t n = 0;

	for (;;) {
		const char *plus = rest.len ? memchr(rest.data, '+', rest.len) : NULL;
		struct kt_text one = {rest.data, plus ? (size_t)(plus - rest.data) : rest.len};
		const char *problem = "more subprograms than there can be";
		uint64_t depth = 0;

		if (n < KT_STACK_DEPTHS_MAX)
			problem = read_number(one, UINT32_MAX, &depth);
		if (problem) {
			memset(stats->stack_depth, 0, sizeof(stats->stack_depth));
			complain(r, "stack depth", problem);
			return;
		}
		stats->stack_depth[n++] = (uint32_t)depth;
		if (!plus)
			break;
		rest = (struct kt_text){plus + 1, rest.len - one.len - 1};
	}
	stats->stack = list;
	stats->n_stack = n;
}

/* "stack depth 8+0+0", since 7.2 "stack depth 8+0+0 max 16", since 7.3 "stack depth max 16". */
static void read_stack(const struct reader *r)
{
	struct kt_text rest = r->line, word;

	take_word(&rest);
	take_word(&rest);
	word = take_word(&rest);
	if (!kt_text_equals(word, KT_TEXT("max"))) {
		read_depths(r, word);
		word = take_word(&rest);
	}
	if (kt_text_equals(word, KT_TEXT("max")))
		read_stat(r, KT_STAT_STACK_MAX, "stack depth max", take_word(&rest));
}

static bool is_processed(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("processed ")) &&
	       contains(line, KT_TEXT(" insns"));
}

static bool is_time(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("verification time "));
}

static bool is_stack(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("stack depth "));
}

bool kt_parse_verifier_stats(struct kt_text log, struct kt_verifier_stats *ret,
			     kt_stats_warn_fn warn, void *arg)
{
	struct {
		bool (*is)(struct kt_text line);
		void (*read)(const struct reader *r);
	} kinds[] = {{is_processed, read_processed}, {is_time, read_time}, {is_stack, read_stack}};
	struct reader r = {.stats = ret, .warn = warn, .arg = arg};
	size_t n = sizeof(kinds) / sizeof(kinds[0]);
	bool found = false;

	memset(ret, 0, sizeof(*ret));
	while (n && take_last_line(&log, &r.line)) {
		for (size_t i = 0; i < n; i++) {
			if (!kinds[i].is(r.line))
				continue;
			kinds[i].read(&r);
			kinds[i] = kinds[--n];
			break;
		}
	}
	for (size_t i = 0; i < KT_N_STATS; i++)
		found = found || ret->has[i];
	return found || ret->n_stack;
}

/* Takes "KEY NUMBER" off the start of *rest. */
static bool take_pair(struct kt_text *rest, struct kt_text key, uint64_t max, uint64_t *ret)
{
	return kt_text_equals(take_word(rest), key) && !read_number(take_word(rest), max, ret);
}

/* "subprog 1 (glob_fn) global insns_self 122 insns_total 122 stack 0" (Linux 7.3) */
static bool read_subprog(struct kt_text line, struct kt_subprog_stats *ret)
{
	struct kt_subprog_stats subprog = {0};
	uint64_t index, stack;

	if (!take_pair(&line, KT_TEXT("subprog"), UINT32_MAX, &index))
		return false;
	subprog.name = take_word(&line);
	if (subprog.name.len < 2 || subprog.name.data[0] != '(' ||
	    subprog.name.data[subprog.name.len - 1] != ')')
		return false;
	subprog.name.data++;
	subprog.name.len -= 2;
	subprog.kind = take_word(&line);
	if (!take_pair(&line, KT_TEXT("insns_self"), UINT64_MAX, &subprog.insns_self) ||
	    !take_pair(&line, KT_TEXT("insns_total"), UINT64_MAX, &subprog.insns_total) ||
	    !take_pair(&line, KT_TEXT("stack"), UINT32_MAX, &stack))
		return false;
	subprog.index = (uint32_t)index;
	subprog.stack = (uint32_t)stack;
	*ret = subprog;
	return true;
}

size_t kt_parse_subprog_stats(struct kt_text log, struct kt_subprog_stats *ret, size_t max)
{
	struct kt_subprog_stats one;
	struct kt_text line, run;
	size_t n = 0;

	do {
		if (!take_last_line(&log, &line))
			return 0;
	} while (!is_processed(line));
	run = (struct kt_text){line.data, 0};
	while (take_last_line(&log, &line) && read_subprog(line, &one)) {
		run.len += (size_t)(run.data - line.data);
		run.data = line.data;
	}
	while (n < max && kt_text_next_line(&run, &line) && read_subprog(line, &one))
		ret[n++] = one;
	return n;
}
