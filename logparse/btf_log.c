// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/btf_log.h"

#include "logparse/anchor.h"
#include "logparse/loader.h"

bool log_is_btf(struct kt_text text)
{
	return kt_text_starts_with(text, KT_TEXT("magic: 0xeb9f")) ||
	       (text.len && text.data[0] == '[' && log_is_anchor(text));
}

static bool is_header(struct kt_text line)
{
	static const char *const keys[] = {"magic: 0x", "version: ",  "flags: 0x",
					   "hdr_len: ", "type_off: ", "type_len: ",
					   "str_off: ", "str_len: ",  "btf_total_size: "};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (kt_text_starts_with(line, (struct kt_text){keys[i], strlen(keys[i])}))
			return true;
	return false;
}

/* "[11] FUNC f type_id=10", and of a type its members and parameters, which are indented. */
static bool is_type(struct kt_text line)
{
	return line.len > 1 &&
	       ((line.data[0] == '[' && line.data[1] >= '0' && line.data[1] <= '9') ||
		line.data[0] == '\t');
}

static struct kt_text trim(struct kt_text line)
{
	while (line.len &&
	       (memchr(" \t\r\n", line.data[line.len - 1], 4) || !line.data[line.len - 1]))
		line.len--;
	while (line.len && memchr(" \t", line.data[0], 2)) {
		line.data++;
		line.len--;
	}
	return line;
}

size_t log_btf_len(struct kt_text text)
{
	struct kt_text rest = text, line;
	size_t len = 0;

	while (kt_text_next_line(&rest, &line)) {
		bool own = is_header(line) || is_type(line);
		struct kt_text words = trim(line);

		if (!words.len || (len && !own && log_is_elision(line)))
			continue;
		if (len && !own && (log_is_loader_line(line) || words.data[words.len - 1] == ':'))
			break;
		len = text.len - rest.len;
		/* What is neither is the reason, in a line of its own. */
		if (!own)
			break;
	}
	return len;
}

struct kt_text log_btf_error(struct kt_text log)
{
	struct kt_text line, last = {0};

	while (kt_text_next_line(&log, &line))
		if (trim(line).len && (is_type(line) || !log_is_elision(line)))
			last = line;
	if (is_header(last))
		last.len = 0;
	return trim(last);
}
