/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kallsyms, the symbol table that a kernel carries for its own use, found by its shape in
 * the kernel's read-only data and decoded there: in a file, or in a guest's memory.
 *
 * The tables have no header. What scripts/kallsyms.c wrote over the releases, each table
 * aligned to a pointer, from 7.0 on to 4 bytes:
 *
 *   to 6.3    offsets relative_base num_syms names markers [seqs_of_names] token_table token_index
 *   6.4 on    num_syms names markers token_table token_index offsets relative_base seqs_of_names
 *   7.0 on    the same without relative_base
 *
 *   6.1 (73bbb94466fd)  a name's length may take two bytes
 *   6.2 (60443c88f3a8)  seqs_of_names, an index sorted by name, which we do not need
 *   6.4 (404bad70fcf7)  the order
 *   6.15                no "absolute per-CPU" encoding of offsets any more
 *   7.0                 an offset is relative to its own place in the table
 *
 * Kernels without KALLSYMS_BASE_RELATIVE (ia64, some 32-bit ones) have an array of whole
 * addresses for offsets.
 */
#ifndef KT_BTF_KALLSYMS_H
#define KT_BTF_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cursor.h"
#include "util/error.h"
#include "util/gaddr.h"

/* The longest name, with its type letter: KSYM_NAME_LEN is 128 up to 6.0, 512 since 6.1. */
#define KALLSYMS_NAME_MAX 512

/* Bytes to look in, and where they lie in the kernel's address space. */
struct kallsyms_range {
	struct kt_cursor data;     /* its data, len and big_endian */
	gaddr_t addr;              /* of data[0], a multiple of 4 */
	unsigned int pointer_size; /* 4 or 8 */
	/*
	 * What a relative base of 0 stands for, as it reads in an image of a relocatable kernel
	 * (arm64, riscv, s390) before it has relocated itself; 0: there is none.
	 */
	gaddr_t unrelocated_base;
};

enum kallsyms_values {
	KALLSYMS_RELATIVE,        /* base + unsigned offset */
	KALLSYMS_ABSOLUTE_PERCPU, /* negative: base - 1 - offset; else the address itself */
	KALLSYMS_PLACE_RELATIVE,  /* the entry's own address + signed offset */
	KALLSYMS_ADDRESSES,       /* whole pointers */
};

/*
 * The tables, as offsets into range.data. All of them are checked when they are found, so that
 * walking them needs no more checks. Points into the caller's bytes, owns nothing.
 */
struct kallsyms {
	struct kallsyms_range range;
	uint32_t num_syms;
	size_t names, markers, token_table, token_index, values;
	enum kallsyms_values encoding;
	gaddr_t base;
	bool wide_lengths; /* a length may take two bytes */
	uint16_t token_len[256];
};

/* KT_ERROR_NOT_FOUND: there is no kallsyms in these bytes. */
struct kt_error *kallsyms_find(const struct kallsyms_range *range, struct kallsyms *ret);

/* One symbol after the other, in the order of their addresses. */
struct kallsyms_iter {
	const struct kallsyms *kallsyms;
	uint32_t i;
	size_t pos;
	/* The symbol at hand, until the next one. */
	const char *name; /* NUL-terminated */
	size_t name_len;
	char type; /* as nm(1) prints it: upper case is global */
	gaddr_t addr;
	/* How the tables have it: the letter of the type, then the name. */
	char whole[KALLSYMS_NAME_MAX + 1];
};

void kallsyms_iter_init(struct kallsyms_iter *iter, const struct kallsyms *kallsyms);

/* False after the last one. */
bool kallsyms_next(struct kallsyms_iter *iter);

/*
 * By the letter: data. A kallsyms without CONFIG_KALLSYMS_ALL leaves that out, but for a label or
 * two at the end of the text (_etext): one with fewer than KALLSYMS_DATA is such a one.
 */
#define KALLSYMS_DATA 64
static inline bool kallsyms_is_data(char type)
{
	return (type | 0x20) == 'd' || (type | 0x20) == 'b' || (type | 0x20) == 'r';
}

#endif
