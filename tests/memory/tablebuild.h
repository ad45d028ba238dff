/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Page tables as an architecture's manual has them, written from that and not from ours:
 * levels by the manual's own names, entries by its figures.
 */
#ifndef KT_TESTS_INTROSPECT_TABLEBUILD_H
#define KT_TESTS_INTROSPECT_TABLEBUILD_H

#include "memory/arch.h"
#include "tests/memory/textmem.h"

#define BUILD_MAX_LEVELS 5

struct build;

/* A format of tables. Level 0 is the root's here, as people draw it. */
struct build_format {
	const char *name;
	const struct arch *arch;
	unsigned int levels;
	unsigned int shift[BUILD_MAX_LEVELS], bits[BUILD_MAX_LEVELS];
	bool leaf[BUILD_MAX_LEVELS]; /* may an entry of this level be a page? */
	gaddr_t va_low, va_high;     /* addresses to take, both within */
	gaddr_t pa_high;             /* the highest physical address */
	bool big_endian;
	uint64_t (*table)(const struct build_format *f, unsigned int level, gaddr_t addr);
	uint64_t (*page)(const struct build_format *f, unsigned int level, gaddr_t addr,
			 bool writable, bool executable);
	void (*registers)(const struct build_format *f, gaddr_t root, uint64_t *values);
	/* What the kernel's variables say, where no register leads to the table; else NULL. */
	void (*variables)(const struct build_format *f, gaddr_t root, struct arch_variable *ret);
	uint64_t page_size; /* for complete() */
	uint64_t empty;     /* an entry that leads nowhere */
	/* What else the functions have to know. */
	unsigned int va_bits, granule;
	bool wide;
};

struct build {
	const struct build_format *f;
	struct textmem *m;
	gaddr_t root;
	gaddr_t next; /* where the next table goes */
	/* What is mapped. */
	struct build_page {
		gaddr_t va, pa;
		uint64_t size;
		bool writable, executable;
	} pages[512];
	size_t n_pages;
};

static inline uint64_t build_get(struct build *b, gaddr_t addr)
{
	uint64_t value = 0;
	uint8_t bytes[8];

	if (!textmem_get(b->m, addr, bytes, 8))
		abort();
	for (unsigned int i = 0; i < 8; i++)
		value |= (uint64_t)bytes[i] << (b->f->big_endian ? 56 - 8 * i : 8 * i);
	return value;
}

static inline gaddr_t build_table(struct build *b, unsigned int level)
{
	uint64_t size = UINT64_C(8) << b->f->bits[level];
	uint64_t align = size > 0x1000 ? size : 0x1000;
	gaddr_t addr = (b->next + align - 1) / align * align;

	for (uint64_t i = 0; i < size; i += 8)
		textmem_put_uint(b->m, addr + i, b->f->empty, 8);
	b->next = addr + size;
	return addr;
}

static inline void build_init(struct build *b, const struct build_format *f, struct textmem *m,
			      gaddr_t tables)
{
	*b = (struct build){.f = f, .m = m, .next = tables};
	m->big_endian = f->big_endian;
	b->root = build_table(b, 0);
}

static inline gaddr_t build_entry_at(const struct build_format *f, gaddr_t table,
				     unsigned int level, gaddr_t va)
{
	return table + 8 * (va >> f->shift[level] & ((UINT64_C(1) << f->bits[level]) - 1));
}

/* Where the entry of va at a level is; tables above it are made. 0: something else is there. */
static inline gaddr_t build_entry(struct build *b, gaddr_t va, unsigned int level)
{
	gaddr_t table = b->root;

	for (unsigned int l = 0; l < level; l++) {
		gaddr_t at = build_entry_at(b->f, table, l, va), next = 0;

		for (size_t i = 0; i < b->n_pages; i++)
			if (va - b->pages[i].va < b->pages[i].size)
				return 0;
		/* Tables that were made before are known by what leads to them. */
		for (gaddr_t t = b->root; t < b->next && !next; t += 0x1000)
			if (build_get(b, at) == b->f->table(b->f, l, t))
				next = t;
		if (!next) {
			next = build_table(b, l + 1);
			textmem_put_uint(b->m, at, b->f->table(b->f, l, next), 8);
		}
		table = next;
	}
	table = build_entry_at(b->f, table, level, va);
	return build_get(b, table) == b->f->empty ? table : 0;
}

/* Maps a page of a level, unless something else is there. */
static inline bool build_map(struct build *b, gaddr_t va, gaddr_t pa, unsigned int level,
			     bool writable, bool executable)
{
	uint64_t size = UINT64_C(1) << b->f->shift[level];
	gaddr_t at;

	va &= ~(size - 1);
	pa &= ~(size - 1);
	at = build_entry(b, va, level);
	if (!at || b->n_pages == sizeof(b->pages) / sizeof(b->pages[0]))
		return false;
	textmem_put_uint(b->m, at, b->f->page(b->f, level, pa, writable, executable), 8);
	b->pages[b->n_pages++] = (struct build_page){va, pa, size, writable, executable};
	return true;
}

/* Sets the register of that name, in the order in which the architecture asks for them. */
static inline void build_register(const struct arch *arch, uint64_t *values, const char *name,
				  uint64_t value)
{
	for (size_t i = 0; i < arch->n_registers; i++) {
		const char *p = arch->registers[i] + (arch->registers[i][0] == '?');

		if (strncmp(p, name, strlen(name)) == 0 &&
		    (p[strlen(name)] == '\0' || p[strlen(name)] == '|')) {
			values[i] = value;
			return;
		}
	}
	abort();
}

#endif
