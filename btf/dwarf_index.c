// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "btf/dwarf_index.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/vec.h"

/* A kernel with everything built in has 20,000. */
#define UNITS_MAX 200000
/* Places in .debug_str where one name ends a string, of which linkers use one. */
#define ENDINGS_MAX 4096

#define FILTER_BITS 21

/* Four bytes (a number in the byte order of the file) that stand for a name. */
struct pattern {
	uint32_t value;
	uint32_t name;
};

struct patterns {
	KT_VEC(struct pattern) v; /* sorted */
	uint8_t filter[(1 << FILTER_BITS) / 8];
	bool big_endian;
};

static uint32_t filter_bit(uint32_t value)
{
	return value * 2654435761u >> (32 - FILTER_BITS);
}

static bool add_pattern(struct patterns *p, uint32_t value, size_t name)
{
	uint32_t bit = filter_bit(value);

	p->filter[bit / 8] |= (uint8_t)(1 << bit % 8);
	return kt_vec_push(&p->v, (struct pattern){value, (uint32_t)name});
}

static int by_value(const void *a, const void *b)
{
	const struct pattern *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* The first pattern with this value (there may be more), or NULL. */
static const struct pattern *find(const struct patterns *p, uint32_t value)
{
	uint32_t bit = filter_bit(value);
	size_t low = 0, high = p->v.len;

	if (!(p->filter[bit / 8] & 1 << bit % 8))
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->v.data[mid].value < value)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->v.len && p->v.data[low].value == value ? &p->v.data[low] : NULL;
}

/* Adds every place in .debug_str where a string ends with the name. *found_ret: there is one. */
static bool add_strings(struct patterns *p, const struct dwarf_section *str, const char *name,
			size_t index, bool *found_ret)
{
	size_t len = strlen(name) + 1, at = 0, n = 0;

	*found_ret = false;
	while (str->data && at < str->size && n++ < ENDINGS_MAX) {
		const uint8_t *hit = memmem(str->data + at, str->size - at, name, len);

		if (!hit)
			break;
		at = (size_t)(hit - str->data);
		if (at <= UINT32_MAX && !add_pattern(p, (uint32_t)at, index))
			return false;
		at += len;
		*found_ret = true;
	}
	return true;
}

/* A string that is no longer than an offset stands in the DIE itself, with its NUL. */
static bool add_inline(struct patterns *p, const char *name, size_t index)
{
	if (strlen(name) != 3)
		return true;
	return add_pattern(p, (uint32_t)kt_load_uint(name, 4, p->big_endian), index);
}

/* A unit's header: DWARF 5, section 7.5.1. */
static bool read_unit(struct kt_cursor *c, struct dwarf_unit *ret)
{
	uint64_t length, start = c->pos;
	unsigned int version, type = DW_UT_compile, offset_size = 4;

	length = kt_cursor_u32(c);
	if (length == 0xffffffff) {
		offset_size = 8;
		length = kt_cursor_u64(c);
	}
	if (c->failed || length > c->len - c->pos)
		return false;
	*ret = (struct dwarf_unit){.start = start, .end = c->pos + length};
	version = kt_cursor_u16(c);
	if (version >= 5)
		type = kt_cursor_u8(c);
	kt_cursor_bytes(c, offset_size + 1); /* .debug_abbrev's offset, size of an address */
	if (type == DW_UT_compile || type == DW_UT_partial)
		ret->die = c->pos;
	if (c->failed || c->pos > ret->end)
		return false;
	return kt_cursor_seek(c, ret->end);
}

static struct kt_error *read_units(struct dwarf_file *file, struct dwarf_index *ret)
{
	const struct dwarf_section *info = &file->sections[DWARF_INFO];
	struct kt_cursor c = kt_cursor(info->data, info->size, file->big_endian);
	struct {
		KT_VEC(struct dwarf_unit) v;
	} units = {0};

	while (c.pos < c.len && units.v.len < UNITS_MAX) {
		struct dwarf_unit unit;

		if (!read_unit(&c, &unit)) {
			kt_vec_free(&units.v);
			return kt_error_new(KT_ERROR_FORMAT,
					    "its DWARF is damaged: no compile unit at byte %zu of "
					    ".debug_info",
					    c.pos);
		}
		if (unit.die && !kt_vec_push(&units.v, unit)) {
			kt_vec_free(&units.v);
			return kt_error_no_memory();
		}
	}
	ret->units = units.v.data;
	ret->n_units = units.v.len;
	return NULL;
}

static void count(struct dwarf_index *index, size_t unit, const struct patterns *p,
		  const struct pattern *hit)
{
	const struct pattern *end = p->v.data + p->v.len;
	uint32_t value = hit->value;

	for (; hit < end && hit->value == value; hit++) {
		uint8_t *n = &dwarf_index_hits(index, unit)[hit->name];

		if (*n < UINT8_MAX)
			++*n;
	}
}

/* One pass over [from, to) of a section, which belongs to one unit. */
static void search(struct dwarf_index *index, size_t unit, const struct patterns *p,
		   const uint8_t *data, size_t len)
{
	for (size_t i = 0; i + 4 <= len; i++) {
		const struct pattern *hit;
		uint32_t value;

		memcpy(&value, data + i, sizeof(value));
		if (p->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
			value = __builtin_bswap32(value);
		hit = find(p, value);
		if (hit)
			count(index, unit, p, hit);
	}
}

/* Where in .debug_str_offsets a unit's strings begin; they end where the next one's do. */
struct base {
	uint64_t at;
	size_t unit;
};

static int by_place(const void *a, const void *b)
{
	const struct base *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static struct kt_error *search_str_offsets(struct dwarf_file *file, struct dwarf_index *index,
					   const struct patterns *p)
{
	const struct dwarf_section *s = &file->sections[DWARF_STR_OFFSETS];
	_cleanup_free_ struct base *bases = calloc(index->n_units ? index->n_units : 1,
						   sizeof(*bases));
	size_t n = 0;

	if (!bases)
		return kt_error_no_memory();
	for (size_t i = 0; i < index->n_units && !file->damage[0]; i++) {
		Dwarf_Die die;

		if (!dwarf_file_die(file, index->units[i].die, &die))
			continue;
		bases[n].unit = i;
		if (dwarf_file_sec_offset(file, die, DW_AT_str_offsets_base, &bases[n].at) &&
		    bases[n].at <= s->size)
			n++;
		dwarf_dealloc_die(die);
	}
	qsort(bases, n, sizeof(*bases), by_place);
	for (size_t i = 0; i < n; i++) {
		uint64_t end = i + 1 < n ? bases[i + 1].at : s->size;

		search(index, bases[i].unit, p, s->data + bases[i].at, (size_t)(end - bases[i].at));
	}
	return NULL;
}

/* A name that is in no string table may still be in the DIEs themselves. */
static void search_inline(struct dwarf_file *file, struct dwarf_index *index, const char *name,
			  size_t at)
{
	const struct dwarf_section *info = &file->sections[DWARF_INFO];
	size_t len = strlen(name) + 1;
	const uint8_t *from = info->data, *end = info->data + info->size;

	for (size_t unit = 0; unit < index->n_units; unit++) {
		const uint8_t *hit = memmem(from, (size_t)(end - from), name, len);

		if (!hit)
			return;
		while (unit < index->n_units &&
		       index->units[unit].end <= (uint64_t)(hit - info->data))
			unit++;
		if (unit == index->n_units)
			return;
		dwarf_index_hits(index, unit)[at] = 1;
		from = info->data + index->units[unit].end;
	}
}

static struct kt_error *search_all(struct dwarf_file *file, struct dwarf_index *index,
				   const struct patterns *p)
{
	const uint8_t *info = file->sections[DWARF_INFO].data;

	for (size_t i = 0; i < index->n_units; i++) {
		const struct dwarf_unit *u = &index->units[i];

		search(index, i, p, info + u->start, (size_t)(u->end - u->start));
	}
	return file->sections[DWARF_STR_OFFSETS].data ? search_str_offsets(file, index, p) : NULL;
}

static struct kt_error *fill(struct dwarf_file *file, const char *const *names,
			     struct dwarf_index *index, struct patterns *p)
{
	for (size_t i = 0; i < index->n_names; i++) {
		bool found;

		if (!add_strings(p, &file->sections[DWARF_STR], names[i], i, &found) ||
		    !add_inline(p, names[i], i))
			return kt_error_no_memory();
		if (!found && strlen(names[i]) != 3)
			search_inline(file, index, names[i], i);
	}
	if (!p->v.len)
		return NULL;
	qsort(p->v.data, p->v.len, sizeof(*p->v.data), by_value);
	return search_all(file, index, p);
}

struct kt_error *dwarf_index_create(struct dwarf_file *file, const char *const *names, size_t n,
				    struct dwarf_index *ret)
{
	struct dwarf_index index = {.n_names = n};
	struct patterns *patterns;
	struct kt_error *err = read_units(file, &index);

	if (err)
		return err;
	index.hits = calloc(index.n_units + 1, n + 1);
	patterns = calloc(1, sizeof(*patterns));
	if (patterns)
		patterns->big_endian = file->big_endian;
	err = index.hits && patterns ? fill(file, names, &index, patterns) : kt_error_no_memory();
	if (patterns)
		kt_vec_free(&patterns->v);
	free(patterns);
	if (err)
		dwarf_index_deinit(&index);
	else
		*ret = index;
	return err;
}

void dwarf_index_deinit(struct dwarf_index *index)
{
	free(index->units);
	free(index->hits);
	*index = (struct dwarf_index){0};
}
