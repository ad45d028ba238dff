/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which line of its source an instruction of a BPF object is of, as clang's .BTF.ext has it.
 * Kernels before 6.9 print the text of a line in a verifier's log, and neither its file nor its
 * number.
 */
#ifndef KT_OBJECT_LINES_H
#define KT_OBJECT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct object_lines;

/*
 * Reads the object at path. Errors: OS; FORMAT: it is no ELF file, or has no BTF. One without lines
 * is no error, nor is a damaged table of lines: it ends where the damage begins.
 */
struct kt_error *object_lines_open(const char *path, struct object_lines **ret);
void object_lines_close(struct object_lines *lines); /* accepts NULL */

/* Where an instruction is: by the program that libbpf loads, of which it is number insn. */
struct object_insn {
	const char *section, *program;
	uint32_t insn;    /* in the program as it is loaded: its subprograms are behind it */
	const char *text; /* the source line, as the log has it; NULL or "": not known */
	size_t text_len;
};

/*
 * The line. Of an instruction of the program's own function, it is the one that the table has, and
 * has to have that text. Behind it are the subprograms, in an order that libbpf chooses: there it
 * is the only line with that text. *file is the name without folders, as kernels print it since
 * 6.9, and belongs to lines. False: not known.
 */
bool object_lines_find(const struct object_lines *lines, const struct object_insn *insn,
		       const char **file, uint32_t *line);

#endif
