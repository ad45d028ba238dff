/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The debug information of an image, opened with libdwarf, and what of libdwarf is used: every
 * call through here frees its error and remembers that there was one.
 *
 * libdwarf changed its door for objects in memory, and how a Dwarf_Debug is closed, in 0.1 (2021);
 * Debian 12 has 20210528.
 */
#ifndef KT_BTF_DWARF_FILE_H
#define KT_BTF_DWARF_FILE_H

#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "util/error.h"

/* One section of debug information, unpacked if it was compressed. */
struct dwarf_section {
	const char *name;
	const uint8_t *data; /* NULL: there is none */
	size_t size;
	uint8_t *owned; /* data, if it had to be unpacked */
};

enum dwarf_section_index {
	DWARF_INFO,
	DWARF_ABBREV,
	DWARF_STR,
	DWARF_LINE_STR,
	DWARF_STR_OFFSETS,
	/* libdwarf wants those only where a unit names its place in them. */
	DWARF_ADDR,
	DWARF_LOCLISTS,
	DWARF_RNGLISTS,
	DWARF_SECTIONS,
};

struct dwarf_file {
	struct dwarf_section sections[DWARF_SECTIONS];
	bool big_endian;
	unsigned int pointer_size;
	size_t image_len;
	Dwarf_Debug debug;
	char damage[128]; /* libdwarf's words for the first damage that was met; "": none */
	bool odd;         /* an attribute was there, and no constant: the caller clears it */
	void *access;     /* what libdwarf reads sections through */
};

/* Has the image DWARF at all? */
bool dwarf_present(struct image *image);

/*
 * The image must outlive *ret. KT_ERROR_FORMAT: damaged. KT_ERROR_UNSUPPORTED: not linked, split,
 * in a form that no kernel has. KT_ERROR_NOT_FOUND: no DWARF; the message tells where it may be.
 */
struct kt_error *dwarf_file_open(struct image *image, struct dwarf_file *ret);
void dwarf_file_close(struct dwarf_file *file);

/* The DIE at an offset of .debug_info; the caller frees it with dwarf_dealloc_die(). */
bool dwarf_file_die(struct dwarf_file *file, uint64_t offset, Dwarf_Die *ret);
bool dwarf_file_child(struct dwarf_file *file, Dwarf_Die die, Dwarf_Die *ret);

/* Replaces *die by the next one beside it; at the end, or without it, it is NULL. */
bool dwarf_file_next(struct dwarf_file *file, Dwarf_Die *die);

/* 0 if the tag cannot be read. */
unsigned int dwarf_file_tag(struct dwarf_file *file, Dwarf_Die die);
uint64_t dwarf_file_offset(struct dwarf_file *file, Dwarf_Die die);

/* NULL: it has no name. Lives as long as the image. */
const char *dwarf_file_name(struct dwarf_file *file, Dwarf_Die die);

/* An attribute that is a constant. False: not there, or something else, and then odd is set. */
bool dwarf_file_uint(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute, uint64_t *ret);

/* The same, of an enumerator: negative only where the form says so. */
bool dwarf_file_int(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute, int64_t *ret);

/* The offset of the DIE that an attribute refers to. */
bool dwarf_file_ref(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute, uint64_t *ret);

/* An offset into another section of debug information (DW_FORM_sec_offset). */
bool dwarf_file_sec_offset(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute,
			   uint64_t *ret);
bool dwarf_file_flag(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute);

#endif
