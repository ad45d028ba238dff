/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory and vCPUs of a guest, written as text:
 *
 *	# a comment
 *	@0x1000 0x2003 0x5/4 "text" +16
 *	cpu cr0=0x80000001 cr3=0x1000 cr4=0 efer=0x500 cs=0x10
 *
 * `@` moves to a physical address; a number is 8 bytes there (or as many as stand behind its
 * slash) in the guest's byte order, a string its characters, `+N` N bytes of 0. A page that
 * is written to exists, all of it; reading any other is a fault.
 *
 * Virtual reads go through a page walk of its own, as naive as can be: one address, one
 * entry at a time. It stands for QEMU's, and is what the tests hold ours against.
 */
#ifndef KT_TESTS_INTROSPECT_TEXTMEM_H
#define KT_TESTS_INTROSPECT_TEXTMEM_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/source.h"

#define TEXTMEM_SLOTS 32768u
#define TEXTMEM_CPUS  128

struct textmem_page {
	gaddr_t addr;
	uint8_t data[4096];
};

struct textmem_cpu {
	uint64_t cr0, cr3, cr4, efer, cs, eflags, rip;
};

struct textmem {
	struct textmem_page *slots[TEXTMEM_SLOTS];
	size_t n_pages;
	struct textmem_cpu cpus[TEXTMEM_CPUS];
	size_t n_cpus;
	size_t selected;
	gaddr_t at;
	gaddr_t next_table; /* where textmem_map() puts its tables */
	bool big_endian;
	const char *const *monitor; /* replies to the commands, in order, and NULL; NULL: none */
	size_t commands;
	/* What was asked for. */
	size_t calls, reads;
	uint64_t bytes;
	size_t registers_asked; /* vCPUs */
};

static inline struct textmem *textmem_create(void)
{
	struct textmem *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	return m;
}

static inline void textmem_destroy(struct textmem *m)
{
	for (size_t i = 0; i < TEXTMEM_SLOTS; i++)
		free(m->slots[i]);
	free(m);
}

static inline struct textmem_page **textmem_slot(struct textmem *m, gaddr_t page)
{
	size_t i = (size_t)((page >> 12) * 2654435761u) % TEXTMEM_SLOTS;

	while (m->slots[i] && m->slots[i]->addr != page)
		i = (i + 1) % TEXTMEM_SLOTS;
	return &m->slots[i];
}

/* The byte at addr, or NULL when there is no memory. */
static inline uint8_t *textmem_at(struct textmem *m, gaddr_t addr)
{
	struct textmem_page *page = *textmem_slot(m, addr & ~UINT64_C(0xfff));

	return page ? &page->data[addr & 0xfff] : NULL;
}

/* How many of len bytes at addr lie in its page. */
static inline size_t textmem_in_page(gaddr_t addr, size_t len)
{
	size_t left = 4096 - (size_t)(addr & 0xfff);

	return len < left ? len : left;
}

/* Writes len bytes, zeros for NULL. */
static inline void textmem_put(struct textmem *m, gaddr_t addr, const void *data, size_t len)
{
	for (size_t done = 0, n; done < len; done += n) {
		gaddr_t at = addr + done;
		struct textmem_page **slot = textmem_slot(m, at & ~UINT64_C(0xfff));

		if (!*slot) {
			*slot = calloc(1, sizeof(**slot));
			if (!*slot || ++m->n_pages == TEXTMEM_SLOTS)
				abort();
			(*slot)->addr = at & ~UINT64_C(0xfff);
		}
		n = textmem_in_page(at, len - done);
		if (data)
			memcpy(&(*slot)->data[at & 0xfff], (const uint8_t *)data + done, n);
		else
			memset(&(*slot)->data[at & 0xfff], 0, n);
	}
}

static inline void textmem_put_uint(struct textmem *m, gaddr_t addr, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[m->big_endian ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
	textmem_put(m, addr, bytes, size);
}

static inline bool textmem_get(struct textmem *m, gaddr_t addr, void *buf, size_t len)
{
	for (size_t done = 0, n; done < len; done += n) {
		const uint8_t *p = textmem_at(m, addr + done);

		if (!p)
			return false;
		n = textmem_in_page(addr + done, len - done);
		memcpy((uint8_t *)buf + done, p, n);
	}
	return true;
}

static inline void textmem_register(struct textmem_cpu *cpu, const char *name, size_t len,
				    uint64_t value)
{
	static const char *const names[] = {"cr0", "cr3", "cr4", "efer", "cs", "eflags", "rip"};
	uint64_t *values[] = {&cpu->cr0, &cpu->cr3,    &cpu->cr4, &cpu->efer,
			      &cpu->cs,  &cpu->eflags, &cpu->rip};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
			*values[i] = value;
			return;
		}
	}
	abort();
}

static inline void textmem_text(struct textmem *m, const char *p)
{
	char *end;

	for (; *p;) {
		if (isspace((unsigned char)*p)) {
			p++;
		} else if (*p == '#') {
			p += strcspn(p, "\n");
		} else if (*p == '@') {
			m->at = strtoull(p + 1, &end, 0);
			p = end;
		} else if (*p == '+') {
			uint64_t n = strtoull(p + 1, &end, 0);

			textmem_put(m, m->at, NULL, n);
			m->at += n;
			p = end;
		} else if (*p == '"') {
			size_t len = strcspn(p + 1, "\"");

			textmem_put(m, m->at, p + 1, len);
			m->at += len;
			p += len + 2;
		} else if (strncmp(p, "cpu", 3) == 0) {
			m->cpus[m->n_cpus++] = (struct textmem_cpu){.eflags = 0x202};
			p += 3;
		} else if (isalpha((unsigned char)*p)) {
			size_t len = strcspn(p, "=");

			textmem_register(&m->cpus[m->n_cpus - 1], p, len,
					 strtoull(p + len + 1, &end, 0));
			p = end;
		} else {
			uint64_t value = strtoull(p, &end, 0);
			size_t size = 8;

			if (end == p)
				abort();
			if (*end == '/')
				size = strtoul(end + 1, &end, 0);
			textmem_put_uint(m, m->at, value, size);
			m->at += size;
			p = end;
		}
	}
}

static inline void textmem_printf(struct textmem *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static inline void textmem_printf(struct textmem *m, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	textmem_text(m, text);
	free(text);
}

/* Intel SDM volume 3, 4.5: one address through a table of 4 or 5 levels. */
static inline bool textmem_walk(struct textmem *m, gaddr_t root, unsigned int levels, gaddr_t va,
				gaddr_t *ret)
{
	unsigned int spare = levels == 5 ? 7 : 16;
	gaddr_t table = root & UINT64_C(0x000ffffffffff000);
	uint8_t b[8];

	if ((uint64_t)((int64_t)(va << spare) >> spare) != va)
		return false;
	for (unsigned int level = levels;; level--) {
		uint64_t e = 0;

		if (!textmem_get(m, table + (va >> (3 + 9 * level) & 511) * 8, b, 8))
			return false;
		for (unsigned int i = 0; i < 8; i++)
			e |= (uint64_t)b[i] << 8 * i;
		if (!(e & 1))
			return false;
		if (level == 1)
			*ret = (e & UINT64_C(0x000ffffffffff000)) + (va & 0xfff);
		else if (level == 2 && e & 0x80)
			*ret = (e & UINT64_C(0x000fffffffe00000)) + (va & 0x1fffff);
		else if (level == 3 && e & 0x80)
			*ret = (e & UINT64_C(0x000fffffc0000000)) + (va & 0x3fffffff);
		else {
			table = e & UINT64_C(0x000ffffffffff000);
			continue;
		}
		return true;
	}
}

/* Maps one page of a level (1: 4 KiB, 2: 2 MiB, 3: 1 GiB), with new tables where needed. */
static inline void textmem_map(struct textmem *m, gaddr_t root, unsigned int levels, gaddr_t va,
			       gaddr_t pa, unsigned int level)
{
	gaddr_t table = root;

	for (unsigned int l = levels; l > level; l--) {
		gaddr_t at = table + (va >> (3 + 9 * l) & 511) * 8;
		uint64_t e = 0;

		if (!textmem_get(m, at, &e, 8) || !(e & 1)) {
			e = m->next_table | 0x67;
			m->next_table += 0x1000;
			textmem_put_uint(m, at, e, 8);
		}
		table = e & UINT64_C(0x000ffffffffff000);
	}
	textmem_put_uint(m, table + (va >> (3 + 9 * level) & 511) * 8,
			 pa | 0x63 | (level > 1 ? 0x80 : 0), 8);
}

static inline void textmem_count(struct textmem *m, const struct gmem_read *reads, size_t count)
{
	m->calls++;
	m->reads += count;
	for (size_t i = 0; i < count; i++)
		m->bytes += reads[i].len;
}

/* What a buffer holds after a fault looks like something, so that a test sees who uses it. */
static inline void textmem_answer(struct gmem_read *read, bool ok)
{
	read->fault = !ok;
	if (!ok)
		memset(read->buf, 0x67, read->len);
}

static inline struct kt_error *textmem_read_physical(void *context, struct gmem_read *reads,
						     size_t count)
{
	struct textmem *m = context;

	textmem_count(m, reads, count);
	for (size_t i = 0; i < count; i++)
		textmem_answer(&reads[i],
			       textmem_get(m, reads[i].addr, reads[i].buf, reads[i].len));
	return NULL;
}

static inline bool textmem_get_virtual(struct textmem *m, gaddr_t va, void *buf, size_t len)
{
	const struct textmem_cpu *cpu = &m->cpus[m->selected];

	for (size_t done = 0; done < len;) {
		size_t n = 4096 - (size_t)((va + done) & 0xfff);
		gaddr_t pa;

		n = n < len - done ? n : len - done;
		if (!textmem_walk(m, cpu->cr3, cpu->cr4 & 0x1000 ? 5 : 4, va + done, &pa) ||
		    !textmem_get(m, pa, (uint8_t *)buf + done, n))
			return false;
		done += n;
	}
	return true;
}

static inline struct kt_error *textmem_read_virtual(void *context, struct gmem_read *reads,
						    size_t count)
{
	struct textmem *m = context;

	textmem_count(m, reads, count);
	for (size_t i = 0; i < count; i++)
		textmem_answer(&reads[i],
			       textmem_get_virtual(m, reads[i].addr, reads[i].buf, reads[i].len));
	return NULL;
}

static inline uint64_t textmem_cpu_value(const struct textmem_cpu *cpu, const char *name)
{
	return strcmp(name, "cr0") == 0      ? cpu->cr0
	       : strcmp(name, "cr3") == 0    ? cpu->cr3
	       : strcmp(name, "cr4") == 0    ? cpu->cr4
	       : strcmp(name, "efer") == 0   ? cpu->efer
	       : strcmp(name, "cs") == 0     ? cpu->cs
	       : strcmp(name, "eflags") == 0 ? cpu->eflags
					     : cpu->rip;
}

static inline struct kt_error *textmem_registers(void *context, size_t first, size_t end,
						 const char *const *names, size_t n_names,
						 uint64_t **values_ret, size_t *n_cpus_ret)
{
	struct textmem *m = context;
	uint64_t *values;

	end = end < m->n_cpus ? end : m->n_cpus;
	first = first < end ? first : end;
	values = calloc((end - first) * n_names + 1, sizeof(*values));
	if (!values)
		return kt_error_no_memory();
	for (size_t i = 0; i < (end - first) * n_names; i++)
		values[i] = textmem_cpu_value(&m->cpus[first + i / n_names], names[i % n_names]);
	m->registers_asked += end - first;
	*values_ret = values;
	*n_cpus_ret = m->n_cpus;
	return NULL;
}

static inline struct kt_error *textmem_select(void *context, size_t cpu)
{
	((struct textmem *)context)->selected = cpu;
	return NULL;
}

static inline struct kt_error *textmem_monitor(void *context, const char *command, char **ret)
{
	struct textmem *m = context;

	if (strncmp(command, "qom-get /", 9) || strpbrk(command, "\r\n"))
		abort();
	if (!m->monitor[m->commands])
		return kt_error_new(KT_ERROR_UNSUPPORTED, "no monitor");
	*ret = strdup(m->monitor[m->commands++]);
	return *ret ? NULL : kt_error_no_memory();
}

static inline struct source textmem_source(struct textmem *m)
{
	return (struct source){
		.context = m,
		.registers = textmem_registers,
		.select = textmem_select,
		.read_virtual = textmem_read_virtual,
		.read_physical = textmem_read_physical,
		.monitor = m->monitor ? textmem_monitor : NULL,
	};
}

#endif
