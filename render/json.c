// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "render/json.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* The length of the valid UTF-8 sequence at p (RFC 3629), 0 for none. p ends in a NUL. */
static size_t utf8_length(const uint8_t *p)
{
	uint32_t code;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		code = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		len = 3;
		code = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		code = p[0] & 0x07;
	} else {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if ((len == 3 && code < 0x800) || (len == 4 && code < 0x10000) || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}

json_t *render_json_text(const char *text)
{
	struct kt_buf clean = KT_BUF_INIT;
	json_t *json;

	if (!text)
		return json_null();
	json = json_string(text);
	if (json)
		return json;
	for (const uint8_t *p = (const uint8_t *)text; *p;) {
		size_t len = utf8_length(p);

		kt_buf_append(&clean, len ? (const char *)p : "\xef\xbf\xbd", len ? len : 3);
		p += len ? len : 1;
	}
	json = kt_buf_failed(&clean) || !clean.data ? NULL : json_string(clean.data);
	kt_buf_deinit(&clean);
	return json;
}

static int dump_chunk(const char *data, size_t len, void *arg)
{
	struct kt_buf *buf = arg;

	kt_buf_append(buf, data, len);
	return kt_buf_failed(buf) ? -1 : 0;
}

struct kt_error *render_json_dump(json_t *root, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	int failed = !root || json_dump_callback(root, dump_chunk, &out, JSON_INDENT(2));
	char *text = NULL;

	json_decref(root);
	kt_buf_appendc(&out, '\n');
	if (!failed)
		text = kt_buf_steal(&out);
	kt_buf_deinit(&out);
	if (!text)
		return kt_error_no_memory();
	*ret = text;
	return NULL;
}
