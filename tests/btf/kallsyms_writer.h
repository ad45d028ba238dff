/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes kallsyms tables as the kernel's build does, release by release: an independent
 * counterpart of btf/kallsyms.c, after the output that scripts/kallsyms.c is documented to
 * make (labels in order, alignment, encodings).
 */
#ifndef KT_TESTS_BTF_KALLSYMS_WRITER_H
#define KT_TESTS_BTF_KALLSYMS_WRITER_H

#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/gaddr.h"

enum kw_release { KW_5_10, KW_6_1, KW_6_2, KW_6_4, KW_6_15, KW_7_0, KW_RELEASES };

struct kw_symbol {
	gaddr_t addr;
	char type;
	const char *name;
};

struct kw_options {
	enum kw_release release;
	bool big_endian;
	unsigned int pointer_size; /* 4 or 8 */
	bool whole_addresses;      /* not BASE_RELATIVE */
	bool seqs_of_four;         /* 6.2 release candidates had 4 bytes a symbol */
	gaddr_t addr;              /* of the buffer's first byte */
	size_t junk;               /* bytes before and behind the tables */
};

/* Codes that stand for more than themselves; the others in use are one character each. */
static const char *const kw_tokens[256] = {
	[1] = "bpf_", [2] = "__", [3] = "_ops", [4] = "tprog_", [5] = "Tsym_", [200] = "sched_",
};

static inline const char *kw_token(unsigned int code, char one[2])
{
	if (kw_tokens[code])
		return kw_tokens[code];
	one[0] = code > ' ' && code < 127 ? (char)code : '\0';
	one[1] = '\0';
	return one;
}

static inline void kw_uint(struct kt_buf *out, uint64_t value, size_t size, bool be)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[be ? size - 1 - i : i] = (uint8_t)(value >> (8 * i));
	kt_buf_append(out, bytes, size);
}

static inline size_t kw_alignment(const struct kw_options *o)
{
	return o->release >= KW_7_0 ? 4 : o->pointer_size;
}

static inline void kw_label(struct kt_buf *out, const struct kw_options *o)
{
	while ((o->addr + out->len) % kw_alignment(o))
		kt_buf_appendc(out, '\0');
}

/* The compressed form of "TYPEname": the longest token that fits, again and again. */
static inline size_t kw_compress(const struct kw_symbol *sym, uint8_t *codes)
{
	char whole[2048], one[2];
	size_t n = 0;

	whole[0] = sym->type;
	strcpy(whole + 1, sym->name);
	for (const char *p = whole; *p;) {
		unsigned int best = (unsigned char)*p;
		size_t best_len = 1;

		for (unsigned int c = 0; c < 256; c++) {
			const char *t = kw_token(c, one);

			if (strlen(t) > best_len && !strncmp(p, t, strlen(t))) {
				best = c;
				best_len = strlen(t);
			}
		}
		codes[n++] = (uint8_t)best;
		p += best_len;
	}
	return n;
}

static inline void kw_names(struct kt_buf *out, const struct kw_options *o,
			    const struct kw_symbol *syms, uint32_t n)
{
	uint32_t *markers = calloc(n / 256 + 1, sizeof(*markers));
	size_t start;

	kw_label(out, o);
	kw_uint(out, n, 4, o->big_endian); /* kallsyms_num_syms */
	kw_label(out, o);
	start = out->len; /* kallsyms_names */
	for (uint32_t i = 0; i < n; i++) {
		uint8_t codes[2048];
		size_t len = kw_compress(&syms[i], codes);

		if (!(i & 0xff))
			markers[i >> 8] = (uint32_t)(out->len - start);
		if (o->release >= KW_6_1 && len > 0x7f) {
			kw_uint(out, (len & 0x7f) | 0x80, 1, false);
			kw_uint(out, len >> 7, 1, false);
		} else {
			kw_uint(out, len, 1, false);
		}
		kt_buf_append(out, codes, len);
	}
	kw_label(out, o); /* kallsyms_markers */
	for (uint32_t i = 0; i < (n + 255) >> 8; i++)
		kw_uint(out, markers[i], 4, o->big_endian);
	free(markers);
}

/* kallsyms_seqs_of_names: its order does not matter to a reader that ignores it. */
static inline void kw_seqs(struct kt_buf *out, const struct kw_options *o, uint32_t n)
{
	kw_label(out, o);
	for (uint32_t i = 0; i < n; i++)
		kw_uint(out, (i * 7919) % n, o->seqs_of_four ? 4 : 3, !o->seqs_of_four);
}

static inline void kw_token_tables(struct kt_buf *out, const struct kw_options *o)
{
	uint16_t index[256];
	size_t start;
	char one[2];

	kw_label(out, o);
	start = out->len;
	for (unsigned int c = 0; c < 256; c++) {
		const char *t = kw_token(c, one);

		index[c] = (uint16_t)(out->len - start);
		kt_buf_append(out, t, strlen(t) + 1);
	}
	kw_label(out, o);
	for (unsigned int c = 0; c < 256; c++)
		kw_uint(out, index[c], 2, o->big_endian);
}

/* The first symbol outside the absolute per-CPU area, which begins at address 0. */
static inline gaddr_t kw_base(const struct kw_symbol *syms, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (syms[i].addr >= 1 << 20)
			return syms[i].addr;
	}
	return 0;
}

static inline void kw_offsets(struct kt_buf *out, const struct kw_options *o,
			      const struct kw_symbol *syms, uint32_t n)
{
	gaddr_t base = kw_base(syms, n);

	kw_label(out, o);
	for (uint32_t i = 0; i < n; i++) {
		gaddr_t value;

		if (o->whole_addresses) {
			kw_uint(out, syms[i].addr, o->pointer_size, o->big_endian);
			continue;
		}
		if (o->release >= KW_7_0)
			value = syms[i].addr - (o->addr + out->len);
		else if (o->release >= KW_6_15)
			value = syms[i].addr - base;
		else
			value = syms[i].addr < base ? syms[i].addr : base - syms[i].addr - 1;
		kw_uint(out, value & UINT32_MAX, 4, o->big_endian);
	}
	if (o->whole_addresses || o->release >= KW_7_0)
		return;
	kw_label(out, o);
	kw_uint(out, base, o->pointer_size, o->big_endian);
}

/* Bytes that look like some other read-only data. */
static inline void kw_junk(struct kt_buf *out, size_t n)
{
	uint32_t x = 0x1234567 + (uint32_t)n;

	for (size_t i = 0; i < n; i++) {
		x = x * 1103515245 + 12345;
		kt_buf_appendc(out, i % 64 < 16 ? '\0' : (char)(x >> 16));
	}
}

static inline void kw_write(struct kt_buf *out, const struct kw_options *o,
			    const struct kw_symbol *syms, uint32_t n)
{
	kw_junk(out, o->junk);
	if (o->release < KW_6_4)
		kw_offsets(out, o, syms, n);
	kw_names(out, o, syms, n);
	if (o->release == KW_6_2)
		kw_seqs(out, o, n);
	kw_token_tables(out, o);
	if (o->release >= KW_6_4) {
		kw_offsets(out, o, syms, n);
		kw_seqs(out, o, n);
	}
	kw_junk(out, o->junk);
}

#endif
