// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/failure.h"

#include <ctype.h>

/* `word`, which is in lower case, in either case. */
static bool begins_with(struct kt_text text, const char *word)
{
	size_t i = 0;

	for (; word[i]; i++)
		if (i == text.len || tolower((unsigned char)text.data[i]) != word[i])
			return false;
	return true;
}

static bool has_any(struct kt_text text, const char *const *words)
{
	for (; text.len; text = kt_text_from(text, 1))
		for (const char *const *word = words; *word; word++)
			if (begins_with(text, *word))
				return true;
	return false;
}

static bool begins_with_any(struct kt_text text, const char *const *words)
{
	for (; *words; words++)
		if (begins_with(text, *words))
			return true;
	return false;
}

/* Of a name, as "load_errors" or "err2" are: no word of a sentence. */
static bool is_of_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* "no errors", "0 failed", "without error": what stands before `at`. */
static bool is_denied_before(struct kt_text line, size_t at)
{
	static const char *const words[] = {"0", "no", "zero", "without", "without any"};

	while (at && line.data[at - 1] == ' ')
		at--;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (at < len || !begins_with(kt_text_from(line, at - len), words[i]))
			continue;
		if (at == len || !(is_of_name(line.data[at - len - 1]) ||
				   memchr(".,-:", line.data[at - len - 1], 4)))
			return true;
	}
	return false;
}

/* "errors=0", "failed: 0", "error: none", "err=<nil>" */
static bool is_denied_behind(struct kt_text rest)
{
	static const char *const none[] = {"none", "<nil>", "nil", "null", NULL};
	size_t n = 0;

	while (n < rest.len && memchr(" \t:=(\"", rest.data[n], 6))
		n++;
	rest = kt_text_from(rest, n);
	if (!n || !rest.len)
		return false;
	if (rest.data[0] != '0')
		return begins_with_any(rest, none);
	return rest.len == 1 || !(is_of_name(rest.data[1]) || memchr(".:", rest.data[1], 2));
}

/* A word of failure that is not denied. */
static bool has_failure(struct kt_text line)
{
	static const char *const words[] = {"fail",   "error",     "reject",   "denied", "unable",
					    "cannot", "could not", "couldn't", "can't",  NULL};

	for (size_t i = 0; i < line.len; i++) {
		size_t end = i;

		if (!begins_with_any(kt_text_from(line, i), words))
			continue;
		while (end < line.len && is_of_name(line.data[end]))
			end++;
		if ((!i || line.data[i - 1] != '_') && !memchr(line.data + i, '_', end - i) &&
		    !is_denied_before(line, i) && !is_denied_behind(kt_text_from(line, end)))
			return true;
		if (end > i)
			i = end - 1;
	}
	return false;
}

/* "load", "loading", "be loaded"; but no "payload", "loaded", "load average", "load balancer". */
static bool speaks_of_loading(struct kt_text line)
{
	static const char *const others[] = {"load average", "load avg", "load balanc",
					     "load-balanc",  "loader",   NULL};
	static const char *const undone[] = {"be ", "not ", "n't ", NULL};

	for (size_t i = 0; i < line.len; i++) {
		struct kt_text rest = kt_text_from(line, i);

		if (!begins_with(rest, "load") || (i && isalpha((unsigned char)line.data[i - 1])))
			continue;
		if (begins_with_any(rest, others) && !begins_with(rest, "loaderr"))
			continue;
		if (!begins_with(rest, "loaded"))
			return true;
		for (const char *const *word = undone; *word; word++)
			if (i >= strlen(*word) &&
			    begins_with(kt_text_from(line, i - strlen(*word)), *word))
				return true;
	}
	return false;
}

/* What is loaded is a program, or nothing says that it is something else. */
static bool is_of_program(struct kt_text line, bool of_btf)
{
	static const char *const ours[] = {"prog", "object", "skeleton", "verif", NULL};
	static const char *const btf[] = {"btf", NULL};
	static const char *const bpf[] = {"bpf", NULL};
	static const char *const others[] = {"module",      "config", "plugin", "librar",
					     "certificate", "driver", NULL};

	if (has_any(line, ours))
		return true;
	if (has_any(line, btf))
		return of_btf;
	return has_any(line, bpf) || !has_any(line, others);
}

bool log_says_failed(struct kt_text line, bool has_errno, bool of_btf)
{
	static const char *const verifier[] = {"verifier", "bpf_prog_", NULL};
	static const char *const rejects[] = {"reject", NULL};
	static const char *const rejected[] = {"prog", "bpf", "kernel", "section", NULL};
	static const char *const harmless[] = {"level=info", "level=debug", NULL};

	if (!(has_errno || has_failure(line)) || has_any(line, harmless) ||
	    !is_of_program(line, of_btf))
		return false;
	/* "failed to load: 0" */
	if (line.len > 3 && memcmp(line.data + line.len - 3, ": 0", 3) == 0)
		return false;
	return speaks_of_loading(line) || has_any(line, verifier) ||
	       (has_any(line, rejects) && has_any(line, rejected));
}
