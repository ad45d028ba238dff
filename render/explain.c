// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/explain.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "util/cleanup.h"
#include "util/edits.h"

#define WIDTH    96 /* of a line of prose, as Linux 7.3 has it */
#define MAX_DO   3  /* remedies of an answer about a log */
#define MAX_NEAR 5  /* entries that are named for a text that no entry is for */
#define MIN_WORD 4  /* bytes of a word that says something about its text */
#define MAX_NAME 48

/* Letters that may be wrong in a name, and the shortest word in which they may. */
#define MAX_TYPOS     2
#define MIN_TYPO_WORD 5

static struct kt_text text_of(const char *s)
{
	return (struct kt_text){s, s ? strlen(s) : 0};
}

/* Appends prose, broken at blanks. The first line begins with `first`, which is as wide as indent.
 */
static void append_wrapped(struct kt_buf *out, const char *first, const char *indent,
			   struct kt_text text)
{
	size_t column = strlen(first);

	kt_buf_appends(out, first);
	for (bool begin = true; text.len; begin = false) {
		const char *blank = memchr(text.data, ' ', text.len);
		size_t len = blank ? (size_t)(blank - text.data) : text.len;

		if (!begin && column + 1 + len > WIDTH) {
			kt_buf_appendc(out, '\n');
			kt_buf_appends(out, indent);
			column = strlen(indent);
		} else if (!begin) {
			kt_buf_appendc(out, ' ');
			column++;
		}
		kt_buf_append(out, text.data, len);
		column += len;
		text.data += len + (blank != NULL);
		text.len -= len + (blank != NULL);
	}
	kt_buf_appendc(out, '\n');
}

/* --- the answer about a log --- */

struct kt_error *render_explain_log(const struct kt_log_last *last, struct kt_buf *out)
{
	_cleanup_(kt_catalog_why_deinit) struct kt_catalog_why why = {0};
	struct kt_error *err = kt_catalog_explain(last, &why);

	if (err || why.by_kernel || !why.entry)
		return err;
	kt_buf_appends(out, "  Reason (");
	kt_buf_append(out, why.class.data, why.class.len);
	kt_buf_printf(out, ", %s):\n", why.entry->id);
	append_wrapped(out, "    ", "    ", text_of(why.reason));
	kt_buf_appends(out, "  What to do:\n");
	for (size_t i = 0; i < why.n_remedies && i < MAX_DO; i++)
		append_wrapped(out, "    - ", "      ", text_of(why.remedies[i]));
	return NULL;
}

/* --- an entry --- */

/* "<#off>" and "<@func>" of a pattern are "<off>" and "<func>" here. */
static void append_pattern(struct kt_buf *out, const char *pattern)
{
	kt_buf_appends(out, "    ");
	for (; *pattern; pattern++) {
		kt_buf_appendc(out, *pattern);
		if (*pattern == '<' && (pattern[1] == '#' || pattern[1] == '@'))
			pattern++;
	}
	kt_buf_appendc(out, '\n');
}

struct kt_error *render_explain_entry(const struct kt_catalog_entry *entry, struct kt_buf *out)
{
	_cleanup_(kt_catalog_why_deinit) struct kt_catalog_why why = {0};
	struct kt_error *err = kt_catalog_general(entry, &why);

	if (err)
		return err;
	kt_buf_printf(out, "%s: %s\n\n", entry->id, entry->title);
	kt_buf_printf(out, "  Class: %s\n", entry->class);
	kt_buf_appends(out, "  Reason:\n");
	append_wrapped(out, "    ", "    ", text_of(why.reason));
	kt_buf_appends(out, "  What to do:\n");
	for (size_t i = 0; i < why.n_remedies; i++)
		append_wrapped(out, "    - ", "      ", text_of(why.remedies[i]));
	if (entry->since) {
		kt_buf_appends(out, "  Since when:\n");
		append_wrapped(out, "    ", "    ", text_of(entry->since));
	}
	kt_buf_appends(out, "  The kernel's words:\n");
	for (const char *const *p = entry->patterns; *p; p++)
		append_pattern(out, *p);
	return NULL;
}

/* --- lists --- */

static void append_title(struct kt_buf *out, const struct kt_catalog_entry *entry)
{
	char first[40];

	snprintf(first, sizeof(first), "  %-24s ", entry->id);
	append_wrapped(out, first, "                           ", text_of(entry->title));
}

size_t render_explain_class(struct kt_text class, struct kt_buf *out)
{
	const struct kt_catalog_entry *entry;
	const char *before = "";
	size_t n = 0;

	for (size_t i = 0; (entry = kt_catalog_at(i)); i++) {
		if (class.len > strlen(entry->class) ||
		    (class.len && strncasecmp(entry->class, class.data, class.len) != 0))
			continue;
		if (strcmp(entry->class, before) != 0)
			kt_buf_printf(out, "%s%s\n", n ? "\n" : "", entry->class);
		before = entry->class;
		append_title(out, entry);
		n++;
	}
	return n;
}

struct near {
	const struct kt_catalog_entry *entry;
	size_t points;
};

static bool has_word(const char *text, struct kt_text word)
{
	for (; text && *text; text++)
		if (strncasecmp(text, word.data, word.len) == 0)
			return true;
	return false;
}

/* A word in the id or a message says more than one in the title. */
static size_t points_of(const struct kt_catalog_entry *entry, struct kt_text word)
{
	size_t points = has_word(entry->title, word) + 2 * (size_t)has_word(entry->id, word);

	for (const char *const *p = entry->patterns; *p; p++)
		if (has_word(*p, word))
			return points + 2;
	return points;
}

static bool next_word(struct kt_text *rest, struct kt_text *ret)
{
	while (rest->len && !isalnum((unsigned char)rest->data[0])) {
		rest->data++;
		rest->len--;
	}
	*ret = (struct kt_text){rest->data, 0};
	while (rest->len && (isalnum((unsigned char)rest->data[0]) || rest->data[0] == '_')) {
		ret->len++;
		rest->data++;
		rest->len--;
	}
	return ret->len;
}

/* The letters and digits of a name in lower case: of "Null-Check" "nullcheck". */
static size_t squeeze(struct kt_text name, char ret[MAX_NAME])
{
	size_t n = 0;

	for (size_t i = 0; i < name.len && n < MAX_NAME; i++)
		if (isalnum((unsigned char)name.data[i]))
			ret[n++] = (char)tolower((unsigned char)name.data[i]);
	return n;
}

/* Whether one is the other, mistyped or written in another way. */
static bool is_typo(struct kt_text a, struct kt_text b)
{
	char x[MAX_NAME], y[MAX_NAME];
	size_t n = squeeze(a, x), m = squeeze(b, y);

	return kt_edits(x, n, y, m, MAX_TYPOS) <= MAX_TYPOS;
}

/* An id, or a part of one, that is mistyped or written in another way: "nullcheck", "memroy". */
static size_t typo_points(const struct kt_catalog_entry *entry, struct kt_text text)
{
	struct kt_text id = {entry->id, strlen(entry->id)}, rest = id, word;

	if (text.len < MIN_WORD || text.len > MAX_NAME)
		return 0;
	if (is_typo(id, text))
		return 6;
	while (next_word(&rest, &word))
		if (word.len >= MIN_TYPO_WORD && is_typo(word, text))
			return 4;
	rest = (struct kt_text){entry->class, strlen(entry->class)};
	while (next_word(&rest, &word))
		if (word.len >= MIN_TYPO_WORD && is_typo(word, text))
			return 2;
	return 0;
}

static size_t all_points(const struct kt_catalog_entry *entry, struct kt_text text)
{
	size_t points = typo_points(entry, text);
	struct kt_text word;

	while (next_word(&text, &word))
		if (word.len >= MIN_WORD)
			points += points_of(entry, word);
	return points;
}

/* Keeps the best of them, the best first. */
static void keep(struct near best[MAX_NEAR], const struct near *other)
{
	size_t i = MAX_NEAR;

	while (i && other->points > best[i - 1].points)
		i--;
	if (i == MAX_NEAR)
		return;
	memmove(&best[i + 1], &best[i], (MAX_NEAR - 1 - i) * sizeof(*best));
	best[i] = *other;
}

size_t render_explain_near(struct kt_text text, struct kt_buf *out)
{
	const struct kt_catalog_entry *entry;
	struct near best[MAX_NEAR] = {0};
	size_t n = 0;

	if (text.len > 256)
		text.len = 256;
	for (size_t i = 0; (entry = kt_catalog_at(i)); i++)
		keep(best, &(struct near){entry, all_points(entry, text)});
	/* One that has less than half of what the best one has is not near. */
	for (; n < MAX_NEAR && best[n].points && best[n].points * 2 >= best[0].points; n++)
		append_title(out, best[n].entry);
	return n;
}
