/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is a file a kernel, and of which release? Internal to kernels/. */
#ifndef KT_KERNELS_RECOGNISE_H
#define KT_KERNELS_RECOGNISE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* How `what` begins for a kernel of 32 bits, which cannot be booted here. */
#define KERNELS_32_BITS "a kernel of 32 bits"

/* A file, by its first bytes and its ELF header. */
struct kernels_kind {
	bool is_kernel;
	bool is_uki;         /* a kernel is in it: kernels/uki.h */
	bool may_be_archive; /* see kernels/archive.h */
	const char *what;    /* what it is, as in "not a kernel: WHAT" */
	const char *remedy;  /* what to do with it; NULL: nothing that is known here */
	char release[128];   /* of a kernel whose header tells it; else "" */
};

/*
 * Looks at what is in the file. Errors do not name it: KT_ERROR_OS, KT_ERROR_NOT_FOUND: it cannot
 * be read; KT_ERROR_UNSUPPORTED: not a regular file.
 */
struct kt_error *kernels_recognise(const char *path, struct kernels_kind *ret);

/* Letters, digits, and "._+~-" only, not "." in front, and not too long: a file name, safe to
 * print. */
bool kernels_release_ok(const char *release, size_t len);

/*
 * The release of the image at path, which the caller frees: by its header, by the file `release`
 * that fetch-kernel puts beside it, by its path (vmlinuz-RELEASE, modules/RELEASE/vmlinuz). NULL:
 * not known, or no memory.
 */
char *kernels_release_of(const char *path, const struct kernels_kind *kind);

#endif
