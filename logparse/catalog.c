// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

/* clang-format off */
#define PATTERNS(...) (const char *const[]){__VA_ARGS__, NULL}
/* clang-format on */

static const struct kt_catalog_entry entries[] = {
	{
		.id = "null-check",
		.class = "Memory Safety",
		.title = "A pointer that may be NULL is used",
		.reason = "The pointer may be NULL here.",
		.remedies = {"Compare the pointer with NULL, and use it only where it is not."},
		.patterns = PATTERNS("_or_null'"),
	},
	{
		.id = "unreadable-register",
		.class = "Register Type Safety",
		.title = "A register is read that holds nothing",
		.reason = "The register was never set on this path, or a call took its value away.",
		.remedies = {"Give the variable a value on every path."},
		.patterns = PATTERNS("!read_ok"),
	},
	{
		.id = "unreleased-reference",
		.class = "Resource Lifetime Safety",
		.title = "A reference is not given back",
		.reason = "The program took a reference and does not release it on this path.",
		.remedies = {"Release it on every path that leads to the exit."},
		.patterns = PATTERNS("Unreleased reference"),
	},
};

#define N_ENTRIES (sizeof(entries) / sizeof(entries[0]))

const struct kt_catalog_entry *kt_catalog_at(size_t i)
{
	return i < N_ENTRIES ? &entries[i] : NULL;
}

const struct kt_catalog_entry *kt_catalog_by_id(struct kt_text id)
{
	for (size_t i = 0; i < N_ENTRIES; i++)
		if (kt_text_equals(id, (struct kt_text){entries[i].id, strlen(entries[i].id)}))
			return &entries[i];
	return NULL;
}

const struct kt_catalog_entry *kt_catalog_find(struct kt_text message)
{
	for (size_t i = 0; i < N_ENTRIES; i++)
		for (const char *const *p = entries[i].patterns; *p; p++)
			if (memmem(message.data, message.len, *p, strlen(*p)))
				return &entries[i];
	return NULL;
}

static struct kt_error *copy(const char *text, char **ret)
{
	*ret = strdup(text);
	return *ret ? NULL : kt_error_no_memory();
}

struct kt_error *kt_catalog_reason(const struct kt_catalog_entry *entry, char **ret)
{
	return copy(entry->reason, ret);
}

struct kt_error *kt_catalog_explain(const struct kt_log_last *last, struct kt_catalog_why *ret)
{
	struct kt_catalog_why why = {0};
	struct kt_error *err;

	if (last->outcome == KT_LAST_FAILED)
		why.entry = kt_catalog_find(last->headline);
	if (why.entry) {
		why.class = (struct kt_text){why.entry->class, strlen(why.entry->class)};
		err = copy(why.entry->reason, &why.reason);
		for (; !err && why.entry->remedies[why.n_remedies]; why.n_remedies++)
			err = copy(why.entry->remedies[why.n_remedies],
				   &why.remedies[why.n_remedies]);
		if (err) {
			kt_catalog_why_deinit(&why);
			return err;
		}
	}
	*ret = why;
	return NULL;
}

void kt_catalog_why_deinit(struct kt_catalog_why *why)
{
	free(why->reason);
	for (size_t i = 0; i < KT_CATALOG_MAX_REMEDIES + 1; i++)
		free(why->remedies[i]);
	*why = (struct kt_catalog_why){0};
}
