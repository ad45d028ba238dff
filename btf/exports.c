// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "btf/exports.h"
#include "btf/nameset.h"

#define ENTRY_SIZE 12
#define NAME       4 /* the offset of the name in an entry */

/* All kernels export them, and thousands more. */
static const char *const anchors[] = {"init_task", "jiffies", "kfree"};
#define MIN_ENTRIES 100
#define MAX_ENTRIES 100000
/* So many places where an anchor's name may lie are tried. */
#define MAX_PLACES 8

static gaddr_t reference(const struct kallsyms *k, size_t pos)
{
	const struct kt_cursor *data = &k->range.data;
	int32_t relative = (int32_t)kt_load_uint(data->data + pos, 4, data->big_endian);

	return k->range.addr + pos + (gaddr_t)(int64_t)relative;
}

static bool is_name(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && n < KALLSYMS_NAME_MAX &&
	       (s[n] == '_' || s[n] == '.' || (s[n] >= '0' && s[n] <= '9') ||
		((s[n] | 0x20) >= 'a' && (s[n] | 0x20) <= 'z')))
		n++;
	return n && n < max && !s[n];
}

/* The name of the entry at pos, or NULL: there is no entry. */
static const char *name_at(const struct kallsyms *k, size_t pos)
{
	const struct kt_cursor *data = &k->range.data;
	gaddr_t name;

	if (pos > data->len || data->len - pos < ENTRY_SIZE)
		return NULL;
	name = reference(k, pos + NAME) - k->range.addr;
	if (name >= data->len || !is_name((const char *)data->data + name, data->len - name))
		return NULL;
	return (const char *)data->data + name;
}

/*
 * Widens a table from one entry on, as long as names are in order. The order begins anew once,
 * where the symbols for GPL modules begin.
 */
static void widen(const struct kallsyms *k, size_t pos, struct exports *ret)
{
	const char *name = name_at(k, pos), *next;
	bool anew = false;

	*ret = (struct exports){.kallsyms = k, .first = pos, .n = 1};
	for (const char *last = name; ret->first >= ENTRY_SIZE && ret->n < MAX_ENTRIES;
	     last = next) {
		next = name_at(k, ret->first - ENTRY_SIZE);
		if (!next || (strcmp(next, last) >= 0 && anew))
			break;
		anew |= strcmp(next, last) >= 0;
		ret->first -= ENTRY_SIZE;
		ret->n++;
	}
	for (const char *last = name; ret->n < MAX_ENTRIES; last = next) {
		next = name_at(k, ret->first + ret->n * (size_t)ENTRY_SIZE);
		if (!next || (strcmp(next, last) <= 0 && anew))
			break;
		anew |= strcmp(next, last) <= 0;
		ret->n++;
	}
}

/* The entries that name `name`, which is the string at a place in the range. */
static bool find_entry(const struct kallsyms *k, size_t place, const char *name,
		       struct exports *ret)
{
	const struct kt_cursor *data = &k->range.data;
	gaddr_t addr = k->range.addr + place;

	for (size_t pos = 0; pos + ENTRY_SIZE <= data->len; pos += 4) {
		const char *own;

		if (reference(k, pos + NAME) != addr)
			continue;
		own = name_at(k, pos);
		if (!own || strcmp(own, name) != 0)
			continue;
		widen(k, pos, ret);
		if (ret->n >= MIN_ENTRIES)
			return true;
	}
	return false;
}

static bool find_anchor(const struct kallsyms *k, const char *name, struct exports *ret)
{
	const struct kt_cursor *data = &k->range.data;
	size_t size = strlen(name) + 1, tries = 0;

	for (size_t at = 0; at < data->len && tries < MAX_PLACES; tries++) {
		const uint8_t *found = memmem(data->data + at, data->len - at, name, size);

		if (!found)
			return false;
		at = (size_t)(found - data->data);
		if (find_entry(k, at, name, ret))
			return true;
		at++;
	}
	return false;
}

/* What both tables have is at the same address in both. */
static bool agrees(const struct exports *e)
{
	struct kallsyms_iter it;
	struct nameset names;
	size_t same = 0;
	bool agree = true;

	if (!nameset_init(&names, e->n))
		return false;
	for (uint32_t i = 0; i < e->n; i++) {
		gaddr_t addr;

		/* A name that is there twice has the index of the first one. */
		if (nameset_add(&names, exports_at(e, i, &addr)) != i)
			agree = false;
	}
	for (kallsyms_iter_init(&it, e->kallsyms); agree && kallsyms_next(&it);) {
		ptrdiff_t i = it.type == 'T' ? nameset_find(&names, it.name, it.name_len) : -1;
		gaddr_t addr;

		if (i < 0)
			continue;
		exports_at(e, (uint32_t)i, &addr);
		agree = addr == it.addr;
		same++;
	}
	nameset_deinit(&names);
	return agree && same;
}

bool exports_find(const struct kallsyms *kallsyms, struct exports *ret)
{
	for (size_t i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++)
		if (find_anchor(kallsyms, anchors[i], ret))
			return agrees(ret);
	return false;
}

const char *exports_at(const struct exports *e, uint32_t i, gaddr_t *addr_ret)
{
	size_t pos = e->first + i * (size_t)ENTRY_SIZE;

	*addr_ret = reference(e->kallsyms, pos);
	return name_at(e->kallsyms, pos);
}
