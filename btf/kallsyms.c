// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "btf/kallsyms.h"

/* Symbols per entry of the markers table (scripts/kallsyms.c). */
#define PER_MARKER 256

/*
 * Hostile bytes can offer many almost-tables. Each step of the search costs one; a real
 * kernel with 200,000 symbols needs a few million.
 */
#define BUDGET ((uint64_t)1 << 28)

struct search {
	struct kallsyms *k;
	const uint8_t *data;
	size_t len;
	bool be;
	size_t align; /* of the tables */
	uint64_t budget;
};

static uint32_t load32(const struct search *s, size_t pos)
{
	return (uint32_t)kt_load_uint(s->data + pos, 4, s->be);
}

static bool spend(struct search *s, uint64_t n)
{
	if (s->budget < n) {
		s->budget = 0;
		return false;
	}
	s->budget -= n;
	return true;
}

/* Alignment counts from address 0, not from where the range happens to begin. */
static size_t misaligned(const struct search *s, size_t pos, size_t align)
{
	return (size_t)((s->k->range.addr + pos) & (align - 1));
}

static size_t align_up(const struct search *s, size_t pos)
{
	size_t over = misaligned(s, pos, s->align);

	return over ? pos + s->align - over : pos;
}

static uint16_t token_at(const struct search *s, size_t index_pos, size_t token)
{
	return (uint16_t)kt_load_uint(s->data + index_pos + 2 * token, 2, s->be);
}

/* token_index: 256 offsets, of which the first is 0 and each is larger than the one before. */
static bool looks_token_index(const struct search *s, size_t pos)
{
	uint16_t prev = 0;

	if (token_at(s, pos, 0))
		return false;
	for (size_t i = 1; i < 256; i++) {
		uint16_t cur = token_at(s, pos, i);

		if (cur <= prev || cur - prev > KALLSYMS_NAME_MAX + 1)
			return false;
		prev = cur;
	}
	/* A table of 256 empty strings is a stretch of zeroes, not tokens. */
	return prev > 2 * 128;
}

/* token_table at pos: every string ends exactly where token_index says that the next begins. */
static bool looks_token_table(struct search *s, size_t pos, size_t index_pos)
{
	for (size_t i = 0; i < 256; i++) {
		size_t start = pos + token_at(s, index_pos, i);
		const uint8_t *nul;
		size_t end;

		nul = start < index_pos ? memchr(s->data + start, 0, index_pos - start) : NULL;
		if (!nul)
			return false;
		end = (size_t)(nul - s->data);
		if (i < 255 && end + 1 != pos + token_at(s, index_pos, i + 1))
			return false;
		if (i == 255 && index_pos - (end + 1) >= s->align)
			return false;
		if (end - start > KALLSYMS_NAME_MAX)
			return false;
		s->k->token_len[i] = (uint16_t)(end - start);
	}
	return true;
}

/* The table lies before its index; only the length of its last string is not known. */
static bool find_token_table(struct search *s, size_t index_pos)
{
	size_t least = (size_t)token_at(s, index_pos, 255) + 1;
	size_t pos;

	if (least > index_pos)
		return false;
	pos = index_pos - least;
	for (pos -= misaligned(s, pos, s->align) <= pos ? misaligned(s, pos, s->align) : 0;
	     index_pos - pos <= least + KALLSYMS_NAME_MAX + s->align; pos -= s->align) {
		if (!spend(s, 1))
			return false;
		if (looks_token_table(s, pos, index_pos)) {
			s->k->token_table = pos;
			s->k->token_index = index_pos;
			return true;
		}
		if (pos < s->align)
			break;
	}
	return false;
}

/* The length byte or bytes at *pos, which is moved behind them; 0 if there is none. */
static size_t name_length(const uint8_t *data, size_t end, bool wide, size_t *pos)
{
	size_t len;

	if (*pos >= end)
		return 0;
	len = data[(*pos)++];
	if (wide && len & 0x80) {
		if (*pos >= end)
			return 0;
		len = (len & 0x7f) | (size_t)data[(*pos)++] << 7;
	}
	return len;
}

/* Are there num_syms names at pos, which end where the markers begin and agree with them? */
static bool looks_names(struct search *s, size_t pos, uint32_t num_syms, size_t markers, bool wide)
{
	size_t start = pos;

	for (uint32_t i = 0; i < num_syms; i++) {
		size_t len, expanded = 0;

		if (!(i % PER_MARKER) && load32(s, markers + i / PER_MARKER * 4) != pos - start)
			return false;
		len = name_length(s->data, markers, wide, &pos);
		if (!len || len > markers - pos || !spend(s, len))
			return false;
		while (len--)
			expanded += s->k->token_len[s->data[pos++]];
		/* A type letter and at least one character. */
		if (expanded < 2 || expanded > KALLSYMS_NAME_MAX)
			return false;
	}
	return markers - pos < s->align;
}

/*
 * num_syms stands right before names in every release. Where names begins is known up to
 * the length of the last, incomplete group of 256.
 */
static bool find_names(struct search *s, size_t markers, uint32_t n_markers)
{
	uint32_t max = n_markers * PER_MARKER;
	size_t last = load32(s, markers + 4 * (size_t)(n_markers - 1));
	size_t window = PER_MARKER * (KALLSYMS_NAME_MAX + 2) + s->align;
	size_t pos, lowest;

	if (last > markers)
		return false;
	pos = markers - last;
	lowest = pos > window ? pos - window : 0;
	pos -= misaligned(s, pos, s->align) <= pos ? misaligned(s, pos, s->align) : 0;
	for (; pos >= s->align && pos >= lowest; pos -= s->align) {
		uint32_t num_syms = load32(s, pos - s->align);

		if (!spend(s, 1))
			return false;
		if (num_syms > max || num_syms <= max - PER_MARKER ||
		    (s->align == 8 && load32(s, pos - 4)))
			continue;
		for (int wide = 1; wide >= 0; wide--) {
			if (!looks_names(s, pos, num_syms, markers, wide))
				continue;
			s->k->num_syms = num_syms;
			s->k->names = pos;
			s->k->markers = markers;
			s->k->wide_lengths = wide;
			return true;
		}
	}
	return false;
}

/*
 * The markers that end at pos, read backwards to the first one, which is 0. Each group of
 * 256 names has 2 to 514 bytes a name: next to nothing else looks like that.
 */
static bool markers_before(struct search *s, size_t end, size_t *start_ret, uint32_t *n_ret)
{
	size_t pos = end;
	uint32_t n = 0;
	uint64_t next = 0;

	while (pos >= 4 && spend(s, 1)) {
		uint32_t cur = load32(s, pos - 4);

		if (n && (next < cur || next - cur < PER_MARKER * 2 ||
			  next - cur > PER_MARKER * (KALLSYMS_NAME_MAX + 2)))
			return false;
		pos -= 4;
		n++;
		next = cur;
		if (!cur) {
			*start_ret = pos;
			*n_ret = n;
			return !misaligned(s, pos, s->align);
		}
	}
	return false;
}

/* Whether gap bytes between markers and tokens can be seqs_of_names, 3 or 4 bytes a symbol. */
static bool gap_fits(size_t gap, uint32_t n_markers, size_t align)
{
	size_t most = gap / 3 / PER_MARKER + 1;
	size_t least = gap > align ? (gap - align) / 4 / PER_MARKER : 0;

	return gap < align || (n_markers >= least && n_markers <= most);
}

/* Markers end before the tokens, with only padding or seqs_of_names between. */
static bool find_markers_and_names(struct search *s)
{
	for (size_t end = s->k->token_table; end >= 4; end -= 4) {
		size_t markers;
		uint32_t n;

		if (!s->budget)
			return false;
		if (markers_before(s, end, &markers, &n) &&
		    gap_fits(s->k->token_table - end, n, s->align) && find_names(s, markers, n))
			return true;
	}
	return false;
}

static gaddr_t value_at(const struct kallsyms *k, uint32_t i)
{
	bool be = k->range.data.big_endian;
	const uint8_t *values = k->range.data.data + k->values;
	gaddr_t mask = k->range.pointer_size == 8 ? UINT64_MAX : UINT32_MAX;
	uint32_t offset;

	if (k->encoding == KALLSYMS_ADDRESSES)
		return kt_load_uint(values + (size_t)i * k->range.pointer_size,
				    k->range.pointer_size, be);
	offset = (uint32_t)kt_load_uint(values + (size_t)i * 4, 4, be);
	switch (k->encoding) {
	case KALLSYMS_ABSOLUTE_PERCPU:
		if ((int32_t)offset >= 0)
			return offset;
		return (k->base - 1 - (gaddr_t)(int64_t)(int32_t)offset) & mask;
	case KALLSYMS_PLACE_RELATIVE:
		return (k->range.addr + k->values + (size_t)i * 4 +
			(gaddr_t)(int64_t)(int32_t)offset) &
		       mask;
	default: return (k->base + offset) & mask;
	}
}

/* The table is sorted by address, in each encoding: so the right encoding is found. */
static bool values_rise(struct search *s, enum kallsyms_values encoding, size_t values,
			gaddr_t base)
{
	struct kallsyms *k = s->k;
	gaddr_t prev = 0;

	k->encoding = encoding;
	k->values = values;
	k->base = base;
	if (!spend(s, k->num_syms))
		return false;
	for (uint32_t i = 0; i < k->num_syms; i++) {
		gaddr_t cur = value_at(k, i);

		if (cur < prev)
			return false;
		prev = cur;
	}
	return k->num_syms == 1 || prev > value_at(k, 0);
}

/* Symbols lie within 2 GiB of the tables that describe them: offsets have 32 bits. */
static bool near(const struct search *s, gaddr_t addr)
{
	gaddr_t here = s->k->range.addr;

	return addr && (addr > here ? addr - here : here - addr) < (gaddr_t)1 << 31;
}

/* Tries the offsets at values, relative to the pointer at base_pos. */
static bool based_values(struct search *s, size_t values, size_t base_pos)
{
	unsigned int pointer_size = s->k->range.pointer_size;
	gaddr_t base;

	if (base_pos > s->len || s->len - base_pos < pointer_size)
		return false;
	base = kt_load_uint(s->data + base_pos, pointer_size, s->be);
	if (!base)
		base = s->k->range.unrelocated_base;
	if (!near(s, base))
		return false;
	/*
	 * Where no offset is negative, both readings rise. Absolute per-CPU has negative ones
	 * always: they are its ordinary symbols.
	 */
	for (uint32_t i = 0; i < s->k->num_syms; i++) {
		if (load32(s, values + (size_t)i * 4) >> 31)
			return values_rise(s, KALLSYMS_ABSOLUTE_PERCPU, values, base) ||
			       values_rise(s, KALLSYMS_RELATIVE, values, base);
	}
	return values_rise(s, KALLSYMS_RELATIVE, values, base);
}

/* The image begins before its own kallsyms. */
static bool place_relative_values(struct search *s, size_t values)
{
	return values_rise(s, KALLSYMS_PLACE_RELATIVE, values, 0) &&
	       value_at(s->k, 0) < s->k->range.addr + s->k->names;
}

static bool whole_addresses(struct search *s, size_t values)
{
	return values_rise(s, KALLSYMS_ADDRESSES, values, 0) &&
	       near(s, value_at(s->k, s->k->num_syms - 1));
}

/* The values of 6.4 and later, behind token_index. */
static bool find_values_behind(struct search *s)
{
	size_t n = s->k->num_syms, pointer_size = s->k->range.pointer_size;
	size_t values = align_up(s, s->k->token_index + 2 * 256);

	if (values > s->len || n > (s->len - values) / 4)
		return false;
	return based_values(s, values, align_up(s, values + 4 * n)) ||
	       (n <= (s->len - values) / pointer_size && whole_addresses(s, values)) ||
	       place_relative_values(s, values);
}

/* The values of 6.3 and earlier, before num_syms. */
static bool find_values_before(struct search *s)
{
	size_t n = s->k->num_syms, pointer_size = s->k->range.pointer_size;
	size_t end = s->k->names - s->align; /* num_syms */
	size_t back;

	if (end >= pointer_size && n <= (end - pointer_size) / 4) {
		size_t base = end - pointer_size;

		back = base - 4 * n;
		back -= misaligned(s, back, s->align) <= back ? misaligned(s, back, s->align) : 0;
		if (based_values(s, back, base))
			return true;
	}
	return n <= end / pointer_size && whole_addresses(s, end - n * pointer_size);
}

static bool find_all(struct search *s, size_t index_pos)
{
	return find_token_table(s, index_pos) && find_markers_and_names(s) &&
	       (find_values_behind(s) || find_values_before(s));
}

struct kt_error *kallsyms_find(const struct kallsyms_range *range, struct kallsyms *ret)
{
	struct kallsyms k = {.range = *range};
	struct search s = {
		.k = &k,
		.data = range->data.data,
		.len = range->data.len,
		.be = range->data.big_endian,
		.budget = BUDGET,
	};

	for (size_t pos = 0; s.len >= 512 && pos <= s.len - 512; pos += 4) {
		if (!looks_token_index(&s, pos))
			continue;
		for (s.align = range->pointer_size; s.align >= 4; s.align /= 2) {
			if (misaligned(&s, pos, s.align) || !find_all(&s, pos))
				continue;
			*ret = k;
			return NULL;
		}
	}
	return kt_error_new(KT_ERROR_NOT_FOUND, "no kallsyms table");
}

void kallsyms_iter_init(struct kallsyms_iter *iter, const struct kallsyms *kallsyms)
{
	*iter = (struct kallsyms_iter){.kallsyms = kallsyms, .pos = kallsyms->names};
}

bool kallsyms_next(struct kallsyms_iter *iter)
{
	const struct kallsyms *k = iter->kallsyms;
	const uint8_t *data = k->range.data.data;
	size_t n = 0, len;

	if (iter->i == k->num_syms)
		return false;
	len = name_length(data, k->markers, k->wide_lengths, &iter->pos);
	for (; len; len--) {
		uint8_t code = data[iter->pos++];
		size_t token = k->token_table +
			       (size_t)kt_load_uint(data + k->token_index + 2 * (size_t)code, 2,
						    k->range.data.big_endian);

		memcpy(iter->whole + n, data + token, k->token_len[code]);
		n += k->token_len[code];
	}
	iter->whole[n] = '\0';
	iter->type = iter->whole[0];
	iter->name = iter->whole + 1;
	iter->name_len = n - 1;
	iter->addr = value_at(k, iter->i++);
	return true;
}
