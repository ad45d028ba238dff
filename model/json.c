// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

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

static int dump_chunk(const char *data, size_t len, void *arg)
{
	struct kt_buf *buf = arg;

	kt_buf_append(buf, data, len);
	return kt_buf_failed(buf) ? -1 : 0;
}

struct kt_error *kt_json_dump(json_t *root, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	bool incomplete = kt_json_lost();
	/* ASCII only: a C1 control out of a guest would be one for the terminal, too. */
	int failed = !root || incomplete ||
		     json_dump_callback(root, dump_chunk, &out,
					JSON_INDENT(2) | JSON_ENSURE_ASCII |
						JSON_REAL_PRECISION(15));

	json_decref(root);
	kt_buf_appendc(&out, '\n');
	if (!failed)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return kt_error_no_memory();
}
