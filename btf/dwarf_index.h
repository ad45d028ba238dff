/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In which compile units of a vmlinux a name may be defined: no kernel has .debug_names or
 * .gdb_index, and reading thousands of units to find a hundred structs would take a minute.
 *
 * A DIE names itself by the offset of a string in .debug_str (DW_FORM_strp), by an index into
 * .debug_str_offsets, which has that offset (strx: clang's DWARF 5), or has the string in it. So a
 * search of the raw sections for those bytes tells every unit that can have the name, and some that
 * do not: a hit is where to look, and proves nothing.
 */
#ifndef KT_BTF_DWARF_INDEX_H
#define KT_BTF_DWARF_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "btf/dwarf_file.h"

struct dwarf_unit {
	uint64_t start, end; /* in .debug_info */
	uint64_t die;        /* offset of its first DIE */
};

struct dwarf_index {
	struct dwarf_unit *units;
	size_t n_units;
	size_t n_names;
	uint8_t *hits; /* n_names for each unit: how often, up to 255 */
};

/* Names are borrowed until it returns. KT_ERROR_FORMAT: .debug_info is no chain of units. */
struct kt_error *dwarf_index_create(struct dwarf_file *file, const char *const *names, size_t n,
				    struct dwarf_index *ret);
void dwarf_index_deinit(struct dwarf_index *index);

static inline uint8_t *dwarf_index_hits(const struct dwarf_index *index, size_t unit)
{
	return index->hits + unit * index->n_names;
}

#endif
