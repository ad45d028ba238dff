/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a loader, a shell or a logger says around a verifier log. The kernel's own result is in
 * there, which the log does not have: a program that the verifier takes may still fail to load.
 *
 *	libbpf: prog 'p': BPF program load failed: Argument list too long
 *	libbpf: prog 'p': failed to load: -7
 *	load program: permission denied:
 *	Error: the BPF_PROG_LOAD syscall failed. Verifier output: 0: R1=ctx() R10=fp0
 *	    1: Permission denied (os error 13)
 *	Prog section 'cls' rejected: Permission denied (13)!
 *	ERROR: Error loading BPF program (errno 13)
 */
#ifndef KT_LOGPARSE_LOADER_H
#define KT_LOGPARSE_LOADER_H

#include <stdint.h>

#include "logparse/text.h"

#define KT_ERRNO_NOTSUPP 524 /* the kernel's ENOTSUPP, which no libc has a name for */

/* The texts are slices of what was read. */
struct kt_loader_words {
	bool of_btf;            /* set by the caller: the log is of a BTF, not of a program */
	bool failed;            /* a line says that the load failed */
	int error;              /* its errno, above 0; 0: no line says it */
	struct kt_text said;    /* the line that says so; or empty */
	struct kt_text program; /* the program's name; or empty */
	struct kt_text message; /* what it quotes of the log, "7: (61) ...: R0 invalid mem access
				   'scalar'", when the log itself ends before that; or empty */
	uint32_t left_out;      /* lines of the log that the loader did not print */
};

/*
 * Reads some lines before or behind a log. What *words has already, stays; lines that name another
 * program than words->program are passed over, and with `named` all that do not name it.
 */
void kt_loader_read(struct kt_text lines, bool named, struct kt_loader_words *words);

/* "EACCES", "ENOTSUPP", for the errors that bpf(2) gives for a program; NULL: another one. */
const char *kt_loader_errno_name(int error);

/* The errno that a text names: "Permission denied", "EACCES", "-13", "errno 13"; 0: none. */
int kt_loader_find_errno(struct kt_text text);

/*
 * The end of a line where cilium/ebpf says how much it left out: " (12 line(s) omitted)". True: it
 * is taken off the line.
 */
bool kt_loader_take_omitted(struct kt_text *line, uint32_t *ret);

/* Is this line a loader's, a logger's or a shell's, by its words? Not a public function. */
bool log_is_loader_line(struct kt_text line);

/*
 * Where somebody left out lines, or cut one: "...", "<snip>", "(truncated...)", " [...]".
 * Not a public function.
 */
bool log_is_elision(struct kt_text line);

/*
 * Where in a line begins what a loader quotes of the log. Not a public function.
 *	Error: the BPF_PROG_LOAD syscall failed. Verifier output: last insn is not an exit or jmp
 *	program p: load program: permission denied: invalid indirect read from stack off -92+0 size
 *80
 */
bool log_find_quote(struct kt_text line, size_t *ret);

/* Where in a line begins what it quotes, or a message that the catalogue knows. Not public. */
bool log_find_message(struct kt_text line, size_t *ret);

/*
 * A line that was cut after its first bytes, "7: (", "147"; and one that is the rest of a state,
 * "0xfffffff)) R7_w=inv2097152". They are no messages. Not a public function.
 */
bool log_is_fragment(struct kt_text line);

#endif
