// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "util/buf.h"
#include "util/utf8.h"

static _Thread_local bool lost;

int kt_json_put(int rc)
{
	lost |= rc != 0;
	return rc;
}

bool kt_json_lost(void)
{
	bool was = lost;

	lost = false;
	return was;
}

json_t *kt_json_text(const char *text)
{
	if (!text)
		return json_null();
	return kt_json_slice((struct kt_text){text, strlen(text)});
}

/* Replaces every byte that is NUL or not part of a valid sequence by U+FFFD. */
static json_t *json_cleaned(struct kt_text text)
{
	struct kt_buf clean = KT_BUF_INIT;
	json_t *json = NULL;

	for (size_t i = 0; i < text.len;) {
		const char *p = text.data + i;
		size_t len = *p ? kt_utf8_length(p, text.len - i) : 0;

		kt_buf_append(&clean, len ? p : "\xef\xbf\xbd", len ? len : 3);
		i += len ? len : 1;
	}
	if (!kt_buf_failed(&clean))
		json = json_stringn(clean.data, clean.len);
	kt_buf_deinit(&clean);
	return json;
}

json_t *kt_json_slice(struct kt_text text)
{
	json_t *json = NULL;

	if (!text.len)
		return json_string("");
	/* jansson refuses what is not UTF-8, but takes a NUL. */
	if (!memchr(text.data, '\0', text.len))
		json = json_stringn(text.data, text.len);
	return json ? json : json_cleaned(text);
}

json_t *kt_json_u64(uint64_t value)
{
	char digits[24];
	int len;

	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	len = snprintf(digits, sizeof(digits), "%c%" PRIu64, '\0', value);
	return json_stringn(digits, (size_t)len);
}

json_t *kt_json_number(struct program_number number)
{
	return number.known ? kt_json_u64(number.value) : json_null();
}

/* --- writing --- */

/* How a string that stands for a large integer begins in a document. */
#define LARGE "\"\\u0000"

/* Turns each "\u0000N" in a document into N, in place. */
static void unquote_large(char *text)
{
	char *out = strstr(text, LARGE);
	const char *in = out;

	while (in) {
		const char *end, *next;
		size_t len;

		in += strlen(LARGE);
		end = strchr(in, '"');
		memmove(out, in, (size_t)(end - in));
		out += end - in;
		in = end + 1;
		next = strstr(in, LARGE);
		len = next ? (size_t)(next - in) : strlen(in) + 1;
		memmove(out, in, len);
		out += len;
		in = next;
	}
}

static int dump_chunk(const char *data, size_t len, void *arg)
{
	struct kt_buf *buf = arg;

	kt_buf_append(buf, data, len);
	return kt_buf_failed(buf) ? -1 : 0;
}

static struct kt_error *dump(json_t *root, size_t flags, const char *end, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	bool incomplete = kt_json_lost();
	int failed = !root || incomplete ||
		     json_dump_callback(root, dump_chunk, &out,
					flags | JSON_ENCODE_ANY | JSON_ENSURE_ASCII |
						JSON_REAL_PRECISION(15));

	json_decref(root);
	kt_buf_appends(&out, end);
	if (failed || kt_buf_failed(&out)) {
		kt_buf_deinit(&out);
		return kt_error_no_memory();
	}
	unquote_large(out.data);
	*ret = kt_buf_steal(&out);
	return NULL;
}

struct kt_error *kt_json_dump(json_t *root, char **ret)
{
	return dump(root, JSON_INDENT(2), "\n", ret);
}

struct kt_error *kt_json_dump_line(json_t *root, char **ret)
{
	return dump(root, 0, "", ret);
}

/* --- reading --- */

/* Whether these digits are an integer that fits 64 bits without a sign, and not with one. */
static bool is_large(struct kt_text digits)
{
	uint64_t value = 0;

	if (!digits.len || digits.data[0] == '0')
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		char c = digits.data[i];

		if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (unsigned)(c - '0'), &value))
			return false;
	}
	return value > INT64_MAX;
}

/* The end of the string that begins at p, or NULL if it has none, or holds a NUL. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\') {
			if (end - p > 5 && memcmp(p, "\\u0000", 6) == 0)
				return NULL;
			p++;
		}
	return p < end ? p + 1 : NULL;
}

/* Appends the document with each large integer quoted, as kt_json_u64() has it; false: it cannot.
 */
static bool quote_large(struct kt_text text, struct kt_buf *out)
{
	const char *p = text.data, *end = p + text.len;

	while (p < end) {
		const char *start = p;

		if (*p == '"') {
			p = skip_string(p, end);
			if (!p)
				return false;
			kt_buf_append(out, start, (size_t)(p - start));
			continue;
		}
		while (p < end && strchr("+-.0123456789eE", *p) && *p)
			p++;
		if (is_large((struct kt_text){start, (size_t)(p - start)}))
			kt_buf_printf(out, LARGE "%.*s\"", (int)(p - start), start);
		else
			kt_buf_append(out, start, p > start ? (size_t)(p - start) : 1);
		p += p == start;
	}
	return !kt_buf_failed(out);
}

json_t *kt_json_load(struct kt_text text, size_t flags, json_error_t *why)
{
	json_t *root = json_loadb(text.data, text.len, flags, why);
	struct kt_buf quoted = KT_BUF_INIT;

	/* Rare, so that the usual document is not looked at twice. */
	if (!root && json_error_code(why) == json_error_numeric_overflow &&
	    quote_large(text, &quoted))
		root = json_loadb(quoted.data, quoted.len, flags | JSON_ALLOW_NUL, why);
	kt_buf_deinit(&quoted);
	return root;
}

static bool is_large_integer(const json_t *json)
{
	return json_is_string(json) && json_string_length(json) && !json_string_value(json)[0];
}

bool kt_json_get_u64(const json_t *json, uint64_t *ret)
{
	if (is_large_integer(json)) {
		*ret = strtoull(json_string_value(json) + 1, NULL, 10);
		return true;
	}
	if (!json_is_integer(json) || json_integer_value(json) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(json);
	return true;
}

const char *kt_json_get_text(const json_t *json)
{
	return is_large_integer(json) ? NULL : json_string_value(json);
}
