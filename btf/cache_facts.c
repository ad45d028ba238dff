// SPDX-License-Identifier: LGPL-2.1-or-later
/* Facts as the bytes of a cache file: little-endian numbers, NUL-terminated strings. */
#include <stdlib.h>
#include <string.h>

#include "btf/cache.h"
#include "util/cursor.h"

static void put_kernel(struct kt_buf *buf, const struct kfacts_kernel *k)
{
	kt_buf_appendz(buf, k->release);
	kt_buf_appendz(buf, k->banner);
	kt_buf_appendz(buf, k->arch);
	kt_buf_appendz(buf, k->types_from);
	kt_buf_appendz(buf, k->symbols_from);
	kt_buf_append_le(buf, k->big_endian, 1);
	kt_buf_append_le(buf, k->build_id_len, 1);
	kt_buf_append(buf, k->build_id, k->build_id_len);
	kt_buf_append_le(buf, k->text_link, 8);
	kt_buf_append_le(buf, k->notes_link, 8);
	kt_buf_append_le(buf, k->notes_size, 8);
	kt_buf_append_le(buf, k->banner_link, 8);
	kt_buf_append_le(buf, k->btf_link, 8);
	kt_buf_append_le(buf, k->btf_size, 8);
	if (k->btf_link)
		kt_buf_append(buf, k->btf_samples, sizeof(k->btf_samples));
	kt_buf_append_le(buf, (uint64_t)k->moved, 8);
	kt_buf_append_le(buf, k->moved_known, 1);
}

static void put_answer(struct kt_buf *buf, enum kfacts_kind kind, const struct kfacts_answer *a)
{
	kt_buf_append_le(buf, a->present, 1);
	if (!a->present)
		return;
	switch (kind) {
	case KFACTS_SYMBOL:
	case KFACTS_PARAM:
	case KFACTS_SIZE: kt_buf_append_le(buf, a->value, 8); return;
	case KFACTS_CODE:
		kt_buf_append_le(buf, a->value, 8);
		kt_buf_append_le(buf, a->size, 8);
		return;
	case KFACTS_MEMBER:
	case KFACTS_HELD:
		kt_buf_append_le(buf, a->member.offset, 4);
		kt_buf_append_le(buf, a->member.size, 4);
		kt_buf_append_le(buf, a->member.bit_shift, 1);
		kt_buf_append_le(buf, a->member.bit_size, 1);
		return;
	case KFACTS_FUNCTIONS: functions_encode(&a->functions, buf); return;
	case KFACTS_ENUM:
	case KFACTS_MEMBERS:
		kt_buf_append_le(buf, a->n_enums, 4);
		for (uint32_t i = 0; i < a->n_enums; i++) {
			kt_buf_append_le(buf, (uint64_t)a->enums[i].value, 8);
			kt_buf_appendz(buf, a->enums[i].name);
		}
		return;
	}
}

void cache_encode_facts(struct kt_buf *buf, const struct kfacts_kernel *kernel,
			const struct kfacts_want *wants, const struct kfacts_answer *answers,
			size_t n)
{
	put_kernel(buf, kernel);
	kt_buf_append_le(buf, n, 4);
	for (size_t i = 0; i < n; i++)
		put_answer(buf, wants[i].kind, &answers[i]);
}

static char *get_string(struct kt_cursor *c)
{
	const char *s = kt_cursor_string(c);
	char *copy = s ? strdup(s) : NULL;

	if (!copy)
		c->failed = true;
	return copy;
}

static bool get_bool(struct kt_cursor *c)
{
	uint8_t b = kt_cursor_u8(c);

	if (b > 1)
		c->failed = true;
	return b == 1;
}

static void get_kernel(struct kt_cursor *c, struct kfacts_kernel *k)
{
	const uint8_t *id, *samples;
	size_t len;

	k->release = get_string(c);
	k->banner = get_string(c);
	k->arch = get_string(c);
	k->types_from = get_string(c);
	k->symbols_from = get_string(c);
	k->big_endian = get_bool(c);
	len = kt_cursor_u8(c);
	id = kt_cursor_bytes(c, len);
	if (id && len <= sizeof(k->build_id)) {
		memcpy(k->build_id, id, len);
		k->build_id_len = len;
	} else {
		c->failed = true;
	}
	k->text_link = kt_cursor_u64(c);
	k->notes_link = kt_cursor_u64(c);
	k->notes_size = kt_cursor_u64(c);
	k->banner_link = kt_cursor_u64(c);
	k->btf_link = kt_cursor_u64(c);
	k->btf_size = kt_cursor_u64(c);
	samples = k->btf_link ? kt_cursor_bytes(c, sizeof(k->btf_samples)) : NULL;
	if (samples && k->btf_size >= KFACTS_BTF_SAMPLE)
		memcpy(k->btf_samples, samples, sizeof(k->btf_samples));
	else if (k->btf_link)
		c->failed = true;
	k->moved = (int64_t)kt_cursor_u64(c);
	k->moved_known = get_bool(c);
}

static void get_enums(struct kt_cursor *c, struct kfacts_answer *a)
{
	uint32_t n = kt_cursor_u32(c);

	/* Each takes nine bytes at least: a bound for the allocation. */
	if (c->failed || n > (c->len - c->pos) / 9) {
		c->failed = true;
		return;
	}
	a->enums = calloc(n ? n : 1, sizeof(*a->enums));
	if (!a->enums) {
		c->failed = true;
		return;
	}
	while (a->n_enums < n && !c->failed) {
		struct kfacts_enumerator *e = &a->enums[a->n_enums++];

		e->value = (int64_t)kt_cursor_u64(c);
		e->name = get_string(c);
	}
}

static void get_answer(struct kt_cursor *c, const struct kfacts_want *want, struct kfacts_answer *a)
{
	a->present = get_bool(c);
	if (!a->present) {
		/* The facts of a kernel that lacks a required one are not cached. */
		if (!want->optional)
			c->failed = true;
		return;
	}
	switch (want->kind) {
	case KFACTS_SYMBOL:
	case KFACTS_PARAM:
	case KFACTS_SIZE: a->value = kt_cursor_u64(c); return;
	case KFACTS_CODE:
		a->value = kt_cursor_u64(c);
		a->size = kt_cursor_u64(c);
		return;
	case KFACTS_MEMBER:
	case KFACTS_HELD:
		a->member.offset = kt_cursor_u32(c);
		a->member.size = kt_cursor_u32(c);
		a->member.bit_shift = kt_cursor_u8(c);
		a->member.bit_size = kt_cursor_u8(c);
		if (a->member.bit_size &&
		    (a->member.size > 8 ||
		     a->member.bit_shift + a->member.bit_size > (int)a->member.size * 8))
			c->failed = true;
		return;
	case KFACTS_ENUM:
	case KFACTS_MEMBERS: get_enums(c, a); return;
	case KFACTS_FUNCTIONS:
		if (!functions_decode(c, &a->functions))
			c->failed = true;
		return;
	}
	c->failed = true;
}

bool cache_decode_facts(const void *payload, size_t len, const struct kfacts_want *wants, size_t n,
			struct kfacts_kernel *kernel, struct kfacts_answer *answers)
{
	struct kt_cursor c = kt_cursor(payload, len, false);

	get_kernel(&c, kernel);
	if (kt_cursor_u32(&c) != n)
		return false;
	for (size_t i = 0; i < n && !c.failed; i++)
		get_answer(&c, &wants[i], &answers[i]);
	return !c.failed && c.pos == c.len;
}
