// SPDX-License-Identifier: LGPL-2.1-or-later
/* How names of schedulers, kernels and topologies are ordered. */
#include <string.h>

#include "model/cells_index.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Compares two numbers of any length by value, and skips both. */
static int compare_numbers(const char **a, const char **b)
{
	size_t len_a, len_b;
	int cmp;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	len_a = strspn(*a, "0123456789");
	len_b = strspn(*b, "0123456789");
	cmp = len_a != len_b ? (len_a > len_b ? 1 : -1) : memcmp(*a, *b, len_a);
	*a += len_a;
	*b += len_b;
	return cmp;
}

/* Ranks what follows at p: "-rcN" before the end of the name, and that before anything else. */
static int rank(const char *p)
{
	if (p[0] == '-' && p[1] == 'r' && p[2] == 'c' && is_digit(p[3]))
		return 0;
	return *p ? 2 : 1;
}

int cells_compare_names(const char *a, const char *b)
{
	const char *p = a, *q = b;
	int cmp;

	for (;;) {
		if (is_digit(*p) && is_digit(*q)) {
			cmp = compare_numbers(&p, &q);
			if (cmp)
				return cmp;
			continue;
		}
		if (rank(p) != rank(q))
			return rank(p) - rank(q);
		if (!*p || *p != *q)
			break;
		p++;
		q++;
	}
	if (*p != *q)
		return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
	return strcmp(a, b); /* "06" and "6" */
}

/* Whether the part of a release at p, up to "-", "." or "_", is a machine's or a flavour's. */
static bool is_flavour(const char *p)
{
	static const char *const known[] = {"amd64",   "x86_64", "arm64", "aarch64",
					    "generic", "cloud",  "arch",  "unsigned"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t len = strlen(known[i]);

		if (!strncmp(p, known[i], len) && (!p[len] || strchr("-.+", p[len])))
			return true;
	}
	return false;
}

/*
 * 6.1.0-50-amd64, 6.12.117+deb13-cloud-amd64, 7.2.3+deb14-amd64	Debian
 * 6.8.0-45-generic							Ubuntu
 * 5.14.0-503.el9.x86_64, 6.16.3-200.fc42.x86_64			Red Hat, Fedora
 */
size_t cells_release_length(const char *release)
{
	size_t len = strcspn(release, "+");

	for (size_t i = 1; i < len; i++)
		if ((release[i - 1] == '-' || release[i - 1] == '.') && is_flavour(release + i))
			return i - 1;
	return len;
}

/* The number before "cpu"; if there is none, more than any real number. */
static unsigned long cpus(const char *name)
{
	for (const char *p = strstr(name, "cpu"); p; p = strstr(p + 1, "cpu")) {
		const char *start = p;
		unsigned long n = 0;

		while (start > name && is_digit(start[-1]) && p - start < 6)
			start--;
		for (const char *q = start; q < p; q++)
			n = 10 * n + (unsigned long)(*q - '0');
		if (start < p)
			return n;
	}
	return 10000000;
}

int cells_compare_topologies(const char *a, const char *b)
{
	unsigned long m = cpus(a), n = cpus(b);

	return m != n ? (m > n ? 1 : -1) : cells_compare_names(a, b);
}
