// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * System.map and /proc/kallsyms: the three columns of nm(1), and in kallsyms a module's name.
 *
 *   ffffffff81000000 T _text
 *   ffffffffc0201000 t nf_hook	[nf_tables]
 */
#include <string.h>

#include "btf/symbols.h"

/* A line has room for an address, a type, a name of 511 characters and a module's name. */
#define LINE_MAX_ 1024

struct line {
	const char *name;
	size_t name_len;
	gaddr_t addr;
	char type;
	bool module;
};

static bool hex_digit(char c, gaddr_t *digit)
{
	if (c >= '0' && c <= '9')
		*digit = (gaddr_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*digit = (gaddr_t)(c - 'a' + 10);
	else if (c >= 'A' && c <= 'F')
		*digit = (gaddr_t)(c - 'A' + 10);
	else
		return false;
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '?' || c == '-';
}

static bool read_line(const char *s, size_t len, struct line *ret)
{
	gaddr_t digit;
	size_t i = 0;

	*ret = (struct line){0};
	for (; i < len && i < 16 && hex_digit(s[i], &digit); i++)
		ret->addr = ret->addr << 4 | digit;
	if (i < 8 || len < i + 4 || s[i] != ' ' || !is_letter(s[i + 1]) || s[i + 2] != ' ')
		return false;
	ret->type = s[i + 1];
	ret->name = s + i + 3;
	len -= i + 3;
	while (ret->name_len < len && (unsigned char)ret->name[ret->name_len] > ' ')
		ret->name_len++;
	ret->module = memchr(ret->name + ret->name_len, '[', len - ret->name_len);
	return ret->name_len;
}

static struct kt_error *no_list(size_t number)
{
	return kt_error_hint(
		kt_error_new(KT_ERROR_FORMAT,
			     "line %zu is not \"ADDRESS TYPE NAME\": no System.map, and "
			     "no copy of /proc/kallsyms",
			     number),
		"--vmlinux takes kernels, --btf raw BTF");
}

static struct kt_error *check_list(size_t lines, bool nonzero, bool stub)
{
	if (!lines)
		return kt_error_new(KT_ERROR_FORMAT, "it has no symbols");
	if (stub)
		return kt_error_hint(
			kt_error_new(KT_ERROR_FORMAT,
				     "one line, which tells that the real System.map is elsewhere"),
			"Debian has it in the kernel's -dbg package");
	if (!nonzero)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "all addresses are 0"),
				     "read /proc/kallsyms as root, with kernel.kptr_restrict=0");
	return NULL;
}

/*
 * The System.map of Debian's package is one line: "ffffffffffffffff B The real System.map is in the
 * linux-image-<version>-dbg package".
 */
static bool is_stub(const char *s, size_t len, size_t total)
{
	return total < LINE_MAX_ && len > 19 && !strncmp(s + 17, "B The real", 10);
}

struct kt_error *symbols_load_text(struct symbols *syms, const char *text, size_t len)
{
	bool nonzero = false, stub = false;
	size_t number = 0;

	for (size_t at = 0; at < len; number++) {
		const char *s = text + at, *end = memchr(s, '\n', len - at);
		size_t n = end ? (size_t)(end - s) : len - at;
		struct line line;

		at += n + 1;
		if (n > LINE_MAX_ || !read_line(s, n, &line))
			return no_list(number + 1);
		stub |= is_stub(s, n, len);
		nonzero |= line.addr != 0;
		if (!line.module)
			symbols_offer(syms, line.name, line.name_len, line.addr,
				      line.type >= 'A' && line.type <= 'Z');
	}
	return check_list(number, nonzero, stub);
}
