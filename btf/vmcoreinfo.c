// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "btf/vmcoreinfo.h"

/* Room for a build ID of 64 bytes in hex, and for a release. */
#define VALUE_MAX 160

static bool is_printable(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < ' ' || s[i] >= 0x7f)
			return false;
	return true;
}

/* The value of the line "KEY=VALUE\n". False: there is no such line, or it is not printable. */
static bool value_of(const char *text, size_t len, const char *key, char value[VALUE_MAX])
{
	size_t key_len = strlen(key);
	const char *end = text + len;

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t n = (size_t)((newline ? newline : end) - line);

		if (n > key_len && n - key_len - 1 < VALUE_MAX && !memcmp(line, key, key_len) &&
		    line[key_len] == '=' && is_printable(line, n)) {
			n -= key_len + 1;
			memcpy(value, line + key_len + 1, n);
			value[n] = '\0';
			return true;
		}
		line += n + 1;
	}
	return false;
}

/* The number after KEY=, which is hex without 0x. */
static bool hex_of(const char *text, size_t len, const char *key, uint64_t *ret)
{
	char value[VALUE_MAX];
	size_t n;

	if (!value_of(text, len, key, value))
		return false;
	n = strlen(value);
	if (!n || n > 16 || strspn(value, "0123456789abcdef") != n)
		return false;
	return sscanf(value, "%lx", (unsigned long *)ret) == 1;
}

static struct kt_error *disagree(const char *what, const char *info, const char *memory)
{
	struct kt_error *err = kt_error_new(
		KT_ERROR_FORMAT,
		"the guest's memory contradicts itself: vmcoreinfo has the %s %s, the tables %s",
		what, info, memory);

	return kt_error_hint(err, "give the guest's own kernel with --vmlinux");
}

struct kt_error *vmcoreinfo_check(const char *text, size_t len, const struct recovered *kernel,
				  int64_t *offset_ret, bool *has_offset_ret)
{
	char value[VALUE_MAX], own[VALUE_MAX] = "";
	uint64_t number;

	if (value_of(text, len, "OSRELEASE", value) && strcmp(value, kernel->release))
		return disagree("release", value, kernel->release);
	for (size_t i = 0; i < kernel->build_id_len; i++)
		snprintf(own + 2 * i, 3, "%02x", kernel->build_id[i]);
	if (own[0] && value_of(text, len, "BUILD-ID", value) && strcmp(value, own))
		return disagree("build ID", value, own);
	if (kernel->stext && hex_of(text, len, "SYMBOL(_stext)", &number) &&
	    number != kernel->stext) {
		snprintf(value, sizeof(value), "%#llx", (unsigned long long)number);
		snprintf(own, sizeof(own), "%#llx", (unsigned long long)kernel->stext);
		return disagree("address of _stext", value, own);
	}
	*has_offset_ret = hex_of(text, len, "KERNELOFFSET", &number);
	if (*has_offset_ret)
		*offset_ret = (int64_t)number;
	return NULL;
}
