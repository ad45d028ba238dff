// SPDX-License-Identifier: LGPL-2.1-or-later
/* The types of values: how they look, sort, and stand in JSON. */
#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "model/json.h"
#include "render/grid.h"

/* A table is made of C strings, which cannot hold a NUL: it becomes U+FFFD. */
static void append_text(struct kt_buf *out, struct kt_text text)
{
	while (text.len) {
		const char *nul = memchr(text.data, '\0', text.len);
		size_t len = nul ? (size_t)(nul - text.data) : text.len;

		kt_buf_append(out, text.data, len);
		if (nul)
			kt_buf_appends(out, "\xef\xbf\xbd");
		text.data += len + (nul != NULL);
		text.len -= len + (nul != NULL);
	}
}

void render_append_cell(struct kt_buf *out, const struct render_column *column,
			const struct render_cell *cell, bool exact)
{
	if (!cell->known)
		return;
	if (cell->text.data)
		append_text(out, cell->text);
	else
		column->type->print(cell, exact, out);
}

int render_compare_texts(const struct render_cell *m, const struct render_cell *n)
{
	struct kt_text a = m->text, b = n->text;
	size_t len = a.len < b.len ? a.len : b.len;
	int cmp = len ? memcmp(a.data, b.data, len) : 0;

	return cmp ? cmp : (a.len > b.len) - (a.len < b.len);
}

static int compare_signed(const struct render_cell *m, const struct render_cell *n)
{
	int64_t a = (int64_t)m->number, b = (int64_t)n->number;

	return (a > b) - (a < b);
}

static int compare_real(const struct render_cell *m, const struct render_cell *n)
{
	return (m->real > n->real) - (m->real < n->real);
}

static void print_text(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	(void)exact;
	append_text(out, cell->text);
}

static void print_number(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	(void)exact;
	kt_buf_printf(out, "%" PRIu64, cell->number);
}

static void print_hex(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	kt_buf_printf(out, exact ? "%" PRIu64 : "0x%" PRIx64, cell->number);
}

static void print_tenths(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	(void)exact;
	kt_buf_printf(out, "%" PRIu64 ".%" PRIu64, cell->number / 10, cell->number % 10);
}

static void print_signed(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	int64_t number = (int64_t)cell->number;

	kt_buf_printf(out, "%s%" PRId64, !exact && number > 0 ? "+" : "", number);
}

static void print_percent(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	if (exact)
		kt_buf_printf(out, "%.12g", cell->real);
	else if (cell->real == 0)
		kt_buf_appends(out, "0.0%");
	else
		kt_buf_printf(out, "%+.1f%%", cell->real); /* infinity is "+inf%" */
}

static void print_seconds(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	kt_buf_printf(out, exact ? "%.12g" : "%.1f s", cell->real);
}

static void print_range(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	print_number(cell, exact, out);
	if (cell->second != cell->number)
		kt_buf_printf(out, "..%" PRIu64, cell->second);
}

static void print_yes_no(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	(void)exact;
	kt_buf_appends(out, cell->number ? "yes" : "no");
}

static void print_time(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	time_t when = (time_t)cell->number;
	char stamp[32];
	struct tm tm;

	if (!exact && when >= 0 && localtime_r(&when, &tm) &&
	    strftime(stamp, sizeof(stamp), "%F %T", &tm))
		kt_buf_appends(out, stamp);
	else
		print_number(cell, exact, out);
}

static json_t *json_text(const struct render_cell *cell)
{
	return cell->text.data ? kt_json_slice(cell->text) : json_null();
}

json_t *render_number_json(const struct render_cell *cell)
{
	if (cell->known && cell->text.data)
		return kt_json_slice(cell->text);
	return cell->known ? kt_json_u64(cell->number) : json_null();
}

static json_t *json_signed(const struct render_cell *cell)
{
	return cell->known ? json_integer((int64_t)cell->number) : json_null();
}

/* JSON has no infinity. */
static json_t *json_real_or_null(const struct render_cell *cell)
{
	return cell->known && isfinite(cell->real) ? json_real(cell->real) : json_null();
}

static json_t *json_yes_no(const struct render_cell *cell)
{
	return cell->known ? json_boolean(cell->number != 0) : json_null();
}

/* clang-format off */
const struct render_type render_as_text = {false, false, render_compare_texts, print_text, json_text};
const struct render_type render_as_number = {true, true, NULL, print_number, render_number_json};
const struct render_type render_as_id = {true, false, NULL, print_number, render_number_json};
const struct render_type render_as_hex = {true, true, NULL, print_hex, render_number_json};
const struct render_type render_as_tenths = {true, true, NULL, print_tenths, NULL};
const struct render_type render_as_signed = {true, true, compare_signed, print_signed, json_signed};
const struct render_type render_as_percent = {true, true, compare_real, print_percent, json_real_or_null};
const struct render_type render_as_seconds = {true, true, compare_real, print_seconds, json_real_or_null};
const struct render_type render_as_range = {true, true, NULL, print_range, NULL};
const struct render_type render_as_yes_no = {false, true, NULL, print_yes_no, json_yes_no};
const struct render_type render_as_time = {false, true, NULL, print_time, render_number_json};
/* clang-format on */
