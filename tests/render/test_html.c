// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>

#include "render/html.h"
#include "render/markup.h"
#include "tests/render/cells.h"

/* --- a checker: every element is closed, in order, and nothing is what it should not be --- */

static const char *const allowed[] = {
	"html",     "head",   "meta",   "title",   "style",      "body",  "h1",    "h2",
	"h3",       "ul",     "li",     "b",       "p",          "div",   "input", "select",
	"option",   "span",   "a",      "bdi",     "section",    "table", "thead", "tbody",
	"tr",       "th",     "td",     "figure",  "figcaption", "svg",   "line",  "text",
	"polyline", "g",      "circle", "details", "summary",    "dl",    "dt",    "dd",
	"pre",      "script", "code",
};

#define MAX_OPEN 200

struct checker {
	const char *at;
	char open[MAX_OPEN][16];
	size_t depth, deepest;
	size_t scripts, styles, details, ids;
};

static void fail_at(const struct checker *c, const char *why)
{
	print_error("%s: %.80s\n", why, c->at);
	fail();
}

static bool is_allowed(const char *name)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (strcmp(allowed[i], name) == 0)
			return true;
	return false;
}

/* Quoted values, in which neither "<" nor a bare "&" is; no handler, no style, no address. */
static void check_attributes(struct checker *c, const char *end)
{
	const char *p = c->at;

	while (p < end && *p == ' ') {
		const char *name = ++p, *value;
		size_t len = strcspn(p, "= />");

		if (*p == '/')
			return;
		p += len;
		if (p[0] != '=' || p[1] != '"')
			fail_at(c, "an attribute without a quoted value");
		value = p + 2;
		p = strchr(value, '"');
		if (!p || memchr(value, '<', (size_t)(p - value)))
			fail_at(c, "a bad value");
		p++;
		if (strncmp(name, "on", 2) == 0 || (len == 5 && !strncmp(name, "style", 5)) ||
		    (len == 3 && !strncmp(name, "src", 3)))
			fail_at(c, "an attribute that runs or loads something");
		if (len == 4 && !strncmp(name, "href", 4) && value[0] != '#')
			fail_at(c, "a link that leads away");
		c->ids += len == 2 && !strncmp(name, "id", 2);
	}
	if (p != end)
		fail_at(c, "rubbish in a tag");
}

/* The end of a tag: a ">" outside of quotes. */
static const char *tag_end(const struct checker *c)
{
	const char *p = c->at;

	for (bool quoted = false; *p && (quoted || *p != '>'); p++)
		quoted ^= *p == '"';
	if (!*p)
		fail_at(c, "a tag without an end");
	return p;
}

static void open_tag(struct checker *c)
{
	size_t len = strspn(c->at + 1, "abcdefghijklmnopqrstuvwxyz0123456789");
	char name[16];
	const char *end;

	assert_true(len && len < sizeof(name));
	sprintf(name, "%.*s", (int)len, c->at + 1);
	if (!is_allowed(name))
		fail_at(c, "an element that the page has no use for");
	c->at += 1 + len;
	end = tag_end(c);
	check_attributes(c, end[-1] == '/' ? end - 1 : end);
	c->scripts += strcmp(name, "script") == 0;
	c->styles += strcmp(name, "style") == 0;
	c->details += strcmp(name, "details") == 0;
	c->at = end + 1;
	if (end[-1] == '/')
		return;
	assert_true(c->depth < MAX_OPEN);
	strcpy(c->open[c->depth++], name);
	c->deepest = c->depth > c->deepest ? c->depth : c->deepest;
	if (strcmp(name, "script") == 0 || strcmp(name, "style") == 0) {
		char close[20];

		sprintf(close, "</%s>", name);
		c->at = strstr(c->at, close);
		assert_non_null(c->at);
	}
}

static void close_tag(struct checker *c)
{
	char name[16];

	assert_true(c->depth);
	sprintf(name, "%.*s", (int)strcspn(c->at + 2, ">"), c->at + 2);
	if (strcmp(name, c->open[--c->depth]) != 0)
		fail_at(c, c->open[c->depth]);
	c->at += 2 + strlen(name) + 1;
}

static void check_entity(struct checker *c)
{
	static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

	for (size_t i = 0; i < 5; i++)
		if (strncmp(c->at, known[i], strlen(known[i])) == 0)
			return;
	fail_at(c, "a bare &");
}

static struct checker check(const char *html)
{
	struct checker c = {.at = html};

	if (strncmp(html, "<!DOCTYPE html>\n", 16) == 0)
		c.at += 16;
	while (*c.at)
		if (c.at[0] == '<' && c.at[1] == '/') {
			close_tag(&c);
		} else if (*c.at == '<') {
			open_tag(&c);
		} else {
			if (*c.at == '&')
				check_entity(&c);
			if ((unsigned char)*c.at < ' ' && *c.at != '\n' && *c.at != '\t')
				fail_at(&c, "a control character");
			c.at++;
		}
	assert_int_equal(c.depth, 0);
	return c;
}

/* --- pages --- */

static const char *log_text;

static void give_log(void *arg, const struct kt_cell_record *record, struct kt_buf *out)
{
	(void)arg;
	(void)record;
	kt_buf_appends(out, log_text);
}

static void give_dump(void *arg, const struct kt_cell_record *record, struct kt_buf *sum,
		      struct kt_buf *all)
{
	(void)arg;
	kt_buf_printf(sum, "how it ended: %s\n", record->dump);
	kt_buf_printf(all, "the stack:\n  %s\n", record->dump);
}

static char *page(const struct cells *cells)
{
	struct kt_cell_records records = records_of(cells);
	char *text;

	assert_null(kt_format_cells_html(
		&records, &(struct kt_html_options){.log = give_log, .dump = give_dump}, &text));
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void make_cells(struct cells *cells)
{
	static const char *const kernels[] = {"6.9", "6.12", "7.0"};
	struct kt_cell_record *r;

	for (int i = 0; i < 12; i++) {
		r = add_cell(cells, i % 2 ? "scx_a" : "scx_b", kernels[i % 3],
			     i < 6 ? "4cpu" : "8cpu", i % 5 == 4 ? FAIL : PASS);
		add_stat(r, "init", 100 + i, false);
		add_stat(r, "run", i % 3 ? 5000000 : 10, i == 3);
	}
	cells->v.data[4].log = copy("a.log");
	cells->v.data[4].reason = copy("it exited");
	cells->v.data[5].started = 1790000000;
	cells->v.data[5].log = copy("b.log");
}

/* How a scheduler ended, or why that is not known; and with which workload it ran. */
static void test_end(void **state)
{
	struct cells cells = {0};
	struct kt_cell_record *r;
	char *text;

	(void)state;
	log_text = "";
	r = add_cell(&cells, "a", "7.0", "4cpu", FAIL);
	r->dump = copy("<b>a.dump");
	r->file = copy("/x/sweep.conf");
	r->workload = copy("/bin/it's -n 4");
	r = add_cell(&cells, "b", "6.12", "4cpu", FAIL);
	r->no_dump = copy("it needs Linux 6.16 & later");
	r->file = copy("/x/sweep.conf");
	r->workload = copy("pipe");
	add_cell(&cells, "objects", "6.12", "4cpu", FAIL)->file = copy("/x/sweep.conf");
	text = page(&cells);
	check(text);
	assert_int_equal(count(text, "how it ended: &lt;b&gt;a.dump\n"), 1);
	assert_int_equal(count(text, "the stack:\n  &lt;b&gt;a.dump\n"), 1);
	assert_int_equal(count(text, "<details class=\"dump\">"), 1);
	assert_non_null(strstr(text, "<dt>how it ended was not kept</dt><dd>it needs Linux 6.16 "
				     "&amp; later</dd>"));
	assert_non_null(strstr(text, "<dt>workload</dt><dd>/bin/it&#39;s -n 4</dd>"));
	assert_non_null(strstr(text,
			       "<code>ktstr-gdb sweep /x/sweep.conf --cell verifier/a/7.0/4cpu "
			       "--workload &#39;/bin/it&#39;\\&#39;&#39;s -n 4&#39;</code>"));
	assert_non_null(strstr(text, "--cell verifier/b/6.12/4cpu --workload pipe</code>"));
	assert_non_null(strstr(text, "--cell verifier/objects/6.12/4cpu</code>"));
	assert_int_equal(count(text, "<dt>workload</dt>"), 2);
	free(text);
	cells_free(&cells);
}

static void test_page(void **state)
{
	struct cells cells = {0};
	struct checker c;
	char *text;

	(void)state;
	log_text = "one\n--- 8x of the following 2 lines ---\na\nb\n--- 6 identical iterations "
		   "omitted ---\na\nb\n--- end repeat ---\nlast\n";
	make_cells(&cells);
	text = page(&cells);
	c = check(text);
	assert_int_equal(c.scripts, 1);
	assert_int_equal(c.styles, 1);
	/* Three cells with something to tell, and a repeat in each log. */
	assert_int_equal(c.details, 3 + 2);
	assert_non_null(strstr(text, "<title>Sweep: 2 of 12 cells failed</title>"));
	assert_int_equal(count(text, "<svg "), 4); /* two programs of two schedulers */
	assert_non_null(strstr(text, "aria-label=\"verified_insns by kernel: 6.9 103..109, 6.12 "
				     "101..107, 7.0 105..111\""));
	assert_int_equal(count(text, "<td class=\"f\""), 2);
	assert_int_equal(count(text, "<td class=\"h\""), 2); /* over all kernels */
	assert_non_null(strstr(text, "<summary>8x of the following 2 lines</summary>"));
	assert_non_null(strstr(text, "<pre class=\"mark\">6 identical iterations omitted</pre>"));
	assert_non_null(strstr(text, "2026-09-21 14:13:20 UTC"));
	assert_null(strstr(text, "http:"));
	assert_null(strstr(text, "https:"));
	assert_null(strstr(text, "url("));
	assert_null(strstr(text, "@import"));
	free(text);
	cells_free(&cells);
}

/* Equal failures are one entry; a cell says how it is run again, and what led to its error. */
static void test_failures(void **state)
{
	struct kt_cell_record *r;
	struct cells cells = {0};
	char *text, name[16];

	(void)state;
	log_text = "all of it\n";
	for (int i = 0; i < 34; i++) {
		sprintf(name, "%dcpu", i + 1);
		r = add_cell(&cells, "scx", "trixie", name, FAIL);
		r->reason = copy("QEMU is not there");
		r->release = copy("6.12.117+deb13-amd64");
	}
	r = add_cell(&cells, "scx", "trixie", "99cpu", FAIL);
	r->reason = copy("prog: a.c:3: R0 is bad");
	r->file = copy("/home/me/it's mine.conf");
	r->host = copy("builder");
	r->version = copy("0.1.0");
	r->started = 1790000000;
	r->last = copy("prog: R0 is bad\n\n  ; x = *p; @ a.c:3\n");
	text = page(&cells);
	check(text);
	assert_int_equal(count(text, "<li class=\"group\">"), 1);
	assert_non_null(
		strstr(text, "<b>34 cells</b> <span class=\"why\">QEMU is not there</span>"));
	assert_int_equal(count(text, "<li class=\"f\" data-n"), 35);
	assert_non_null(strstr(text, "<code>ktstr-gdb sweep &#39;/home/me/it&#39;\\&#39;&#39;s "
				     "mine.conf&#39; --cell verifier/scx/trixie/99cpu</code>"));
	assert_non_null(strstr(text, "<span class=\"err\">prog: R0 is bad</span>\n"));
	assert_non_null(strstr(text, "<span class=\"src\">  ; x = *p; @ a.c:3</span>\n"));
	assert_non_null(strstr(text, "2026-09-21 14:13:20 UTC on builder, by ktstr-gdb 0.1.0</p>"));
	assert_non_null(strstr(text, "<h3>trixie (6.12.117)</h3>"));
	free(text);
	cells_free(&cells);
}

static void test_none(void **state)
{
	struct cells cells = {0};
	char *text = page(&cells);

	(void)state;
	check(text);
	assert_non_null(strstr(text, "none of 0 cells failed"));
	free(text);
}

static void test_same_bytes(void **state)
{
	struct cells cells = {0};
	uint64_t seed = 5;
	char *first, *text;

	(void)state;
	log_text = "x\n";
	make_cells(&cells);
	first = page(&cells);
	for (int i = 0; i < 10; i++) {
		shuffle(&cells, &seed);
		text = page(&cells);
		assert_string_equal(text, first);
		free(text);
	}
	free(first);
	cells_free(&cells);
}

#define EVIL "<script>alert(1)</script>\" onload=\"x\" '&amp;\xe2\x80\xae\xff\033</pre></details>"

/* Names, reasons and logs that would rather be a page of their own. */
static void test_hostile(void **state)
{
	struct kt_cell_record *r;
	struct cells cells = {0};
	struct checker c;
	char *text;

	(void)state;
	log_text = EVIL "\n--- 2x of the following " EVIL " ---\n" EVIL "\n";
	for (int i = 0; i < 3; i++) {
		r = add_cell(&cells, EVIL, i ? EVIL "6" : EVIL "7", EVIL, i);
		r->reason = copy(EVIL);
		r->verdict = copy(EVIL);
		r->release = copy(EVIL);
		r->log = copy(EVIL);
		r->dump = copy(EVIL);
		r->no_dump = copy(EVIL);
		r->workload = copy(EVIL);
		r->file = copy(EVIL);
		add_stat(r, EVIL, 3, false);
		add_stat(r, EVIL, 3, true);
	}
	text = page(&cells);
	c = check(text);
	assert_int_equal(c.scripts, 1);
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_null(strpbrk(text, "\033\xff"));
	assert_non_null(strstr(text, "\\u202e\\xff\\x1b"));
	free(text);
	cells_free(&cells);
}

static void test_odd_names(void **state)
{
	struct cells cells = {0};
	uint64_t seed = 31;
	char *text;

	(void)state;
	log_text = "<x";
	for (int i = 0; i < 40; i++) {
		char s[64], k[64], t[64];

		put_random_text(s, sizeof(s), &seed);
		put_random_text(k, sizeof(k), &seed);
		put_random_text(t, sizeof(t), &seed);
		add_stat(add_cell(&cells, s, k, t, i % 3), k, (int64_t)(next_random(&seed) >> 1),
			 false);
		cells.v.data[i].log = copy("l");
	}
	text = page(&cells);
	check(text);
	free(text);
	cells_free(&cells);
}

/* What turns the direction of writing around, or is in no XML; and their neighbours, which stay. */
static void test_refused_characters(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{"\xe2\x80\x8e\xe2\x80\x8f", "\\u200e\\u200f"},
		{"\xe2\x80\xaa\xe2\x80\xae", "\\u202a\\u202e"},
		{"\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069"},
		{"\xef\xbf\xbe\xef\xbf\xbf", "\\ufffe\\uffff"},
		{"\xe2\x80\x90", "\xe2\x80\x90"},
		{"\xe2\x80\xaf", "\xe2\x80\xaf"},
		{"\xef\xbf\xbd", "\xef\xbf\xbd"},
		{"<>&\"'", "&lt;&gt;&amp;&quot;&#39;"},
		{"a\nb\t", "a\\x0ab\\x09"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kt_buf out = KT_BUF_INIT;

		render_append_markup(&out, cases[i].text, false);
		assert_string_equal(out.data, cases[i].wanted);
		kt_buf_deinit(&out);
	}
}

/* --- logs --- */

static void assert_log(const char *log, const char *wanted)
{
	struct kt_buf out = KT_BUF_INIT;

	kt_append_log_html(&out, (struct kt_text){log, strlen(log)});
	check(out.data ? out.data : "");
	assert_string_equal(out.data ? out.data : "", wanted);
	kt_buf_deinit(&out);
}

#define BEGIN "--- 3x of the following 1..2 lines ---\n"
#define END   "--- end repeat ---\n"
#define OPEN  "<details><summary>3x of the following 1..2 lines</summary>\n"
#define CLOSE "</details>\n"

static void test_log(void **state)
{
	(void)state;
	assert_log("", "");
	assert_log("a\r\n\tb", "<pre>\na\n\tb\n</pre>\n");
	assert_log("a\n" BEGIN "b\n" BEGIN "c\n" END END "d\n",
		   "<pre>\na\n</pre>\n" OPEN "<pre>\nb\n</pre>\n" OPEN
		   "<pre>\nc\n</pre>\n" CLOSE CLOSE "<pre>\nd\n</pre>\n");
	assert_log("--- 17 lines of precision tracking omitted ---\n",
		   "<pre class=\"mark\">17 lines of precision tracking omitted</pre>\n");
	/* What is no mark, or one too many. */
	assert_log(END, "<pre>\n--- end repeat ---\n</pre>\n");
	assert_log(BEGIN BEGIN, OPEN OPEN CLOSE CLOSE);
	assert_log("--- x of the following 1 lines ---\n",
		   "<pre>\n--- x of the following 1 lines ---\n</pre>\n");
	assert_log("-- BEGIN PROG LOAD LOG --\n", "<pre>\n-- BEGIN PROG LOAD LOG --\n</pre>\n");
	assert_log("--- ---\n", "<pre>\n--- ---\n</pre>\n");
}

static void test_deep_log(void **state)
{
	struct kt_buf log = KT_BUF_INIT, out = KT_BUF_INIT;
	struct checker c;

	(void)state;
	for (int i = 0; i < 10000; i++)
		kt_buf_appends(&log, BEGIN);
	kt_append_log_html(&out, (struct kt_text){log.data, log.len});
	c = check(out.data);
	assert_true(c.deepest < 40);
	assert_int_equal(count(out.data, "3x of the following"), 10000);
	kt_buf_deinit(&log);
	kt_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page),       cmocka_unit_test(test_end),
		cmocka_unit_test(test_none),       cmocka_unit_test(test_failures),
		cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_odd_names),  cmocka_unit_test(test_refused_characters),
		cmocka_unit_test(test_log),        cmocka_unit_test(test_deep_log),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
