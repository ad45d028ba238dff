// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/unwrap.h"

#include <ctype.h>

#include "logparse/anchor.h"
#include "logparse/unwrap_layer.h"
#include "util/cleanup.h"

/* A text up to the first size is looked at whole; of a longer one its ends, and some windows. */
#define LOOK_WHOLE  (512 * 1024)
#define LOOK_END    (128 * 1024)
#define LOOK_WINDOW 4096
#define LOOK_PLACES 64

/* A kernel's line that is longer may be many lines, whose newlines are escaped. */
#define LONG_LINE 200

/* What stands around the text of a line. */
struct wrapping {
	struct kt_text prefix; /* in the line that had it last */
	enum wrap_code code;
	bool quoted; /* the prefix ends in the quote that begins the text */
};

struct unwrapper {
	struct wrap_layer *layer;
	struct wrapping now;
	KT_VEC(struct kt_text) held; /* lines that may turn out to have the next prefix */
	bool changed;                /* some line had something around it */
	bool failed;                 /* no memory */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* --- Building a layer --- */

static bool add_line(struct wrap_layer *layer, uint64_t outer, size_t prefix, enum wrap_code code)
{
	const struct wrap_line line = {
		.inner = layer->inner_len,
		.outer = outer,
		.prefix = (uint32_t)prefix,
		.code = (uint8_t)code,
	};

	if (code == WRAP_PLAIN && layer->lines.len &&
	    layer->lines.data[layer->lines.len - 1].code == WRAP_PLAIN)
		return true;
	return kt_vec_push(&layer->lines, line);
}

static void put_inner(struct wrap_layer *layer, const char *p, size_t n)
{
	if (n)
		memcpy(layer->inner + layer->inner_len, p, n);
	layer->inner_len += n;
}

static bool put_plain(struct wrap_layer *layer, struct kt_text raw)
{
	if (!add_line(layer, (uint64_t)(raw.data - layer->outer.data), 0, WRAP_PLAIN))
		return false;
	put_inner(layer, raw.data, raw.len);
	return true;
}

/*
 * The text of the line raw (with its newline) that begins behind the prefix and ends before `end`;
 * a line inside for each newline that is decoded.
 */
static bool put_decoded(struct wrap_layer *layer, struct kt_text raw, size_t prefix, size_t end,
			enum wrap_code code)
{
	const char *p = raw.data + prefix, *stop = raw.data + end;
	uint64_t outer = (uint64_t)(raw.data - layer->outer.data), inner = layer->inner_len;
	char special = wrap_special(code), unit[4];
	size_t n;

	if (!add_line(layer, outer, prefix, code))
		return false;
	while (p < stop) {
		const char *q = memchr(p, special, (size_t)(stop - p));

		put_inner(layer, p, (size_t)((q ? q : stop) - p));
		if (!q)
			break;
		p = wrap_decode(code, q, stop, unit, &n);
		if (n == 1 && *unit == '\n' && layer->inner_len > inner &&
		    layer->inner[layer->inner_len - 1] == '\r')
			layer->inner_len--;
		put_inner(layer, unit, n);
		if (n == 1 && *unit == '\n' && p < stop &&
		    !add_line(layer, (uint64_t)(p - layer->outer.data), 0, code))
			return false;
	}
	if (raw.data[raw.len - 1] == '\n' &&
	    (!layer->inner_len || layer->inner[layer->inner_len - 1] != '\n' ||
	     stop == raw.data + prefix))
		put_inner(layer, "\n", 1);
	return true;
}

/*
 * Whether the blanks before the line of the kernel's at `at` may be its own: in a listing, which
 * has a heading.
 */
static bool is_listing(struct wrap_layer *layer, struct kt_text line, size_t at)
{
	if (!log_may_be_listing(line, at))
		return false;
	if (layer->lists == WRAP_NOT_KNOWN)
		layer->lists = kt_text_has(layer->outer, KT_TEXT("subprog#")) ||
					       kt_text_has(layer->outer,
							   KT_TEXT("Live regs before")) ||
					       kt_text_has(layer->outer, KT_TEXT("stack use/def "))
				       ? WRAP_YES
				       : WRAP_NO;
	return layer->lists == WRAP_YES;
}

/* Equal but for digits, of which each stands for any other: "10:41:53 host prog[104]: ". */
static bool is_alike(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] && !(is_digit(a[i]) && is_digit(b[i])))
			return false;
	return true;
}

struct words {
	const char *at, *end;
};

/* Takes the run of letters and digits, or of blanks, at the beginning. */
static struct kt_text take_run(struct words *w, bool blanks)
{
	const char *p = w->at;

	while (w->at < w->end && (blanks ? is_blank(*w->at) : isalnum((unsigned char)*w->at) != 0))
		w->at++;
	return (struct kt_text){p, (size_t)(w->at - p)};
}

static bool has_digit(struct kt_text run)
{
	for (size_t i = 0; i < run.len; i++)
		if (is_digit(run.data[i]))
			return true;
	return false;
}

/*
 * Whether the line begins as the prefix does, with other numbers of other lengths, columns of
 * another width, and a word that is another one, for the level or the month:
 *	[    9.999871] WARN [7] x
 *	[   10.000012] ERROR [12] x
 */
static bool begins_alike(const struct wrapping *wrapping, struct kt_text line, size_t *ret)
{
	struct words p = {wrapping->prefix.data, wrapping->prefix.data + wrapping->prefix.len};
	struct words l = {line.data, line.data + line.len};
	bool numbers = wrapping->quoted;
	unsigned int others = 0;

	while (p.at < p.end) {
		bool blanks = is_blank(*p.at), first = p.at == wrapping->prefix.data;
		struct kt_text a, b;

		if (!blanks && !isalnum((unsigned char)*p.at)) {
			if (l.at == l.end || *l.at++ != *p.at++)
				return false;
			continue;
		}
		a = take_run(&p, blanks);
		b = take_run(&l, blanks && p.at < p.end);
		if (blanks && p.at == p.end) { /* the text may begin with a blank */
			b = (struct kt_text){l.at, a.len};
			if ((size_t)(l.end - l.at) < a.len)
				return false;
			l.at += a.len;
		}
		numbers |= !blanks && has_digit(a);
		if (kt_text_equals(a, b))
			continue;
		if (!b.len || (blanks && (first || p.at == p.end)))
			return false;
		if (!blanks && !(has_digit(a) && has_digit(b)) && (has_digit(a) || others++))
			return false;
	}
	if (others && !numbers)
		return false;
	*ret = (size_t)(l.at - line.data);
	return true;
}

/*
 * Where the text of a line begins that has the present prefix. A line without text may lack the
 * blanks at the end of it.
 */
static bool match_prefix(const struct wrapping *wrapping, struct kt_text line, size_t *ret)
{
	const struct kt_text *prefix = &wrapping->prefix;
	size_t len = line.len, rest;

	if (!prefix->len)
		return false;
	if (len >= prefix->len && is_alike(prefix->data, line.data, prefix->len)) {
		*ret = prefix->len;
		return true;
	}
	while (len && is_blank(line.data[len - 1]))
		len--;
	for (rest = prefix->len; rest && is_blank(prefix->data[rest - 1]); rest--)
		;
	if (len <= rest && rest < prefix->len && len == rest &&
	    is_alike(prefix->data, line.data, len)) {
		*ret = line.len < prefix->len ? line.len : prefix->len;
		return true;
	}
	return begins_alike(wrapping, line, ret);
}

/* The quote that ends the string whose text begins at `at`; not one behind a backslash. */
static bool find_quote(struct kt_text line, size_t at, size_t *ret)
{
	for (size_t from = at; from < line.len;) {
		const char *p = memchr(line.data + from, '"', line.len - from);
		size_t quote, slash;

		if (!p)
			return false;
		quote = slash = (size_t)(p - line.data);
		while (slash > at && line.data[slash - 1] == '\\')
			slash--;
		if ((quote - slash) % 2 == 0) {
			*ret = quote;
			return true;
		}
		from = quote + 1;
	}
	return false;
}

/* Whether `at` is in a string; *ret is where the string's text begins. */
static bool is_in_string(struct kt_text line, size_t at, size_t *ret)
{
	bool open = false;

	for (size_t i = 0; i < at; i++) {
		if (line.data[i] == '\\' && open) {
			i++;
		} else if (line.data[i] == '"') {
			open = !open;
			*ret = i + 1;
		}
	}
	return open;
}

/* How far behind a newline a line of the kernel's is looked for. */
#define NEAR 256

/* Whether a newline in the text is written so, and a line of the kernel's follows it. */
static bool has_escaped_line(struct kt_text text, struct kt_text newline)
{
	size_t at;

	while (text.len > newline.len) {
		const char *p = memmem(text.data, text.len, newline.data, newline.len);

		if (!p)
			return false;
		text.len -= (size_t)(p + newline.len - text.data);
		text.data = p + newline.len;
		if (log_find_anchor(kt_text_slice(text, 0, text.len < NEAR ? text.len : NEAR), &at))
			return true;
	}
	return false;
}

/* How newlines are written in a text of several lines. */
static enum wrap_code newlines_of(struct kt_text text)
{
	if (has_escaped_line(text, KT_TEXT("#012")))
		return WRAP_OCTAL;
	return has_escaped_line(text, KT_TEXT("\\n")) ? WRAP_ESCAPED : WRAP_VERBATIM;
}

/*
 * What is around the line of the kernel's that begins at `at`. Where newlines are escaped outside
 * of strings, each line inside may have a string of its own.
 */
static struct wrapping wrapping_of(struct kt_text line, size_t at)
{
	struct wrapping ret = {.prefix = {line.data, 0}};
	size_t begin = 0, end = at;
	bool quoted = is_in_string(line, at, &begin) && find_quote(line, begin, &end) && end >= at;

	ret.code = newlines_of(kt_text_slice(line, quoted ? end : at, line.len));
	if (ret.code != WRAP_VERBATIM)
		return ret;
	ret.prefix.len = quoted ? begin : at;
	ret.quoted = quoted;
	if (quoted)
		ret.code = WRAP_ESCAPED;
	return ret;
}

/* --- Lines --- */

static struct kt_text without_newline(struct kt_text raw)
{
	raw.len -= raw.len && raw.data[raw.len - 1] == '\n';
	return raw;
}

/* A line whose text begins at `begin`, by the present wrapping. */
static void put_wrapped(struct unwrapper *u, struct kt_text raw, size_t begin)
{
	struct kt_text line = without_newline(raw);
	size_t end = line.len;

	while (raw.len > line.len && end > begin && line.data[end - 1] == '\r')
		end--;
	if (u->now.quoted && !find_quote(line, begin, &end)) {
		u->failed |= !put_plain(u->layer, raw);
		return;
	}
	u->changed = true;
	if (u->now.code == WRAP_VERBATIM) {
		u->failed |= !add_line(u->layer, (uint64_t)(raw.data - u->layer->outer.data), begin,
				       WRAP_VERBATIM);
		put_inner(u->layer, raw.data + begin, end - begin);
		put_inner(u->layer, "\n", raw.len > line.len);
		return;
	}
	u->failed |= !put_decoded(u->layer, raw, begin, end, u->now.code);
}

/* The held lines go out: as they are, or, if a new prefix was found, without it. */
static void release(struct unwrapper *u, bool found)
{
	size_t begin;

	kt_vec_for_each (&u->held, raw) {
		if (found && match_prefix(&u->now, without_newline(*raw), &begin))
			put_wrapped(u, *raw, begin);
		else
			u->failed |= !put_plain(u->layer, *raw);
	}
	u->held.len = 0;
}

/* A line in which a line of the kernel's begins at `at`, behind something new. */
static void begin_wrapping(struct unwrapper *u, struct kt_text raw, size_t at)
{
	struct kt_text line = without_newline(raw);

	u->now = wrapping_of(line, at);
	release(u, at > 0);
	if (!u->now.prefix.len && u->now.code == WRAP_VERBATIM)
		u->failed |= !put_plain(u->layer, raw);
	else
		put_wrapped(u, raw, u->now.prefix.len);
}

/* Whether a line is one of the kernel's where it begins; most are. */
static bool is_known(struct kt_text line)
{
	return line.len < LONG_LINE && (log_is_anchor(line) || (line.len && line.data[0] == ';'));
}

static void take_line(struct unwrapper *u, struct kt_text raw)
{
	struct kt_text line = without_newline(raw), text = line;
	size_t begin = 0, at;
	bool matches = match_prefix(&u->now, line, &begin);

	if (matches)
		text = kt_text_slice(line, begin, line.len);
	if (!is_known(text) && log_find_anchor(text, &at) &&
	    (at ? !is_listing(u->layer, text, at) : !matches || text.len >= LONG_LINE)) {
		begin_wrapping(u, raw, begin + at);
		return;
	}
	if (matches) {
		if (line.len > begin) /* else the blanks at its end may be missing */
			u->now.prefix = kt_text_slice(line, 0, begin);
		release(u, false);
		put_wrapped(u, raw, begin);
		return;
	}
	if (log_is_anchor(line)) {
		u->now = (struct wrapping){0};
		release(u, false);
		u->failed |= !put_plain(u->layer, raw);
		return;
	}
	u->failed |= !kt_vec_push(&u->held, raw);
}

static void unwrapper_deinit(struct unwrapper *u)
{
	kt_vec_free(&u->held);
}

/* Takes the next line off *rest, with its newline. */
static bool next_raw(struct kt_text *rest, struct kt_text *ret)
{
	struct kt_text before = *rest;

	if (!kt_text_next_line(rest, ret))
		return false;
	ret->len = before.len - rest->len;
	return true;
}

static bool unwrap_lines(struct wrap_layer *layer, bool *changed)
{
	_cleanup_(unwrapper_deinit) struct unwrapper u = {.layer = layer};
	struct kt_text rest = layer->outer, raw;

	while (!u.failed && next_raw(&rest, &raw))
		take_line(&u, raw);
	release(&u, false);
	*changed = u.changed;
	return !u.failed;
}

/* A line that quoted-printable has broken goes on in the next one. */
static void join_broken(struct kt_text *rest, struct kt_text *raw)
{
	struct kt_text more;

	while (raw->len >= 2 && raw->data[raw->len - 1] == '\n') {
		size_t at = raw->len - 2;

		at -= raw->data[at] == '\r' && at;
		if (raw->data[at] != '=' || !next_raw(rest, &more))
			return;
		raw->len += more.len;
	}
}

static bool unwrap_bytes(struct wrap_layer *layer, enum wrap_code code)
{
	struct kt_text rest = layer->outer, raw;

	while (next_raw(&rest, &raw)) {
		if (code == WRAP_QUOTED_PRINTABLE)
			join_broken(&rest, &raw);
		if (!memchr(raw.data, wrap_special(code), raw.len)) {
			if (!put_plain(layer, raw))
				return false;
		} else if (!put_decoded(layer, raw, 0, without_newline(raw).len, code)) {
			return false;
		}
	}
	return true;
}

/* --- Is there anything to be taken off? --- */

enum evidence { PLAIN, LINES, QUOTED_PRINTABLE, COLORS };

/* Of the lines of a part of the text. */
static enum evidence look_at(struct wrap_layer *layer, struct kt_text part)
{
	bool colors = part.len && memchr(part.data, '\033', part.len);
	bool printable = kt_text_has(part, KT_TEXT("=3D"));
	enum evidence found = PLAIN;
	struct kt_text line;

	while (kt_text_next_line(&part, &line)) {
		size_t at;

		if (colors && kt_text_has(line, KT_TEXT("\033[")) &&
		    (kt_text_has(line, KT_TEXT(": (")) ||
		     kt_text_has(line, KT_TEXT(" insns (limit "))))
			return COLORS;
		if (!printable && (found || is_known(line)))
			continue;
		if (!log_find_anchor(line, &at))
			continue;
		if (printable && kt_text_has(line, KT_TEXT("=3D")))
			found = QUOTED_PRINTABLE;
		else if (!found &&
			 (at ? !is_listing(layer, line, at)
			     : line.len >= LONG_LINE && wrapping_of(line, 0).code != WRAP_VERBATIM))
			found = LINES;
	}
	return found;
}

static enum evidence look(struct wrap_layer *layer)
{
	struct kt_text text = layer->outer;
	enum evidence most = PLAIN, found;
	size_t step, from;

	if (text.len <= LOOK_WHOLE)
		return look_at(layer, text);
	step = (text.len - 2 * LOOK_END) / LOOK_PLACES;
	for (size_t i = 0; i < LOOK_PLACES + 2; i++) {
		size_t len = i < 2 ? LOOK_END : LOOK_WINDOW;
		struct kt_text part, line;

		from = !i ? 0 : i == 1 ? text.len - LOOK_END : LOOK_END + (i - 2) * step;
		part = kt_text_slice(text, from,
				     from + (len < text.len - from ? len : text.len - from));
		if (i)
			kt_text_next_line(&part, &line); /* it may lack its beginning */
		found = look_at(layer, part);
		if (found > most)
			most = found;
	}
	return most;
}

/* --- All wrappings --- */

static void layer_deinit(struct wrap_layer *layer)
{
	free(layer->inner);
	kt_vec_free(&layer->lines);
	*layer = (struct wrap_layer){0};
}

void kt_unwrapped_destroy(struct kt_unwrapped *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->n; i++)
		layer_deinit(&u->layers[i]);
	free(u);
}

/* False: no memory. *changed: there was something to take off. */
static bool layer_init(struct wrap_layer *layer, struct kt_text outer, bool *changed)
{
	enum evidence evidence;

	*layer = (struct wrap_layer){.outer = outer};
	*changed = false;
	evidence = look(layer);
	if (evidence == PLAIN)
		return true;
	layer->inner = malloc(outer.len + 1);
	if (!layer->inner)
		return false;
	*changed = true;
	switch (evidence) {
	case LINES: return unwrap_lines(layer, changed);
	case QUOTED_PRINTABLE: return unwrap_bytes(layer, WRAP_QUOTED_PRINTABLE);
	default: return unwrap_bytes(layer, WRAP_COLORED);
	}
}

struct kt_error *kt_unwrap(struct kt_text text, struct kt_unwrapped **ret)
{
	struct kt_unwrapped *u = NULL;
	struct wrap_layer layer;
	bool changed;

	do {
		if (!layer_init(&layer, text, &changed) ||
		    (changed && !u && !(u = calloc(1, sizeof(*u))))) {
			layer_deinit(&layer);
			kt_unwrapped_destroy(u);
			return kt_error_no_memory();
		}
		if (!changed) {
			layer_deinit(&layer);
			break;
		}
		u->layers[u->n++] = layer;
		text = (struct kt_text){layer.inner, layer.inner_len};
	} while (u->n < WRAP_MAX_LAYERS);
	*ret = u;
	return NULL;
}

struct kt_text kt_unwrapped_text(const struct kt_unwrapped *u)
{
	const struct wrap_layer *layer = &u->layers[u->n - 1];

	return (struct kt_text){layer->inner, layer->inner_len};
}
