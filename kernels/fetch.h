/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs vm/fetch-kernel, which downloads a distribution's kernel into the cache. */
#ifndef KT_KERNELS_FETCH_H
#define KT_KERNELS_FETCH_H

#include <stdbool.h>

#include "kernels/kernel.h"

/* The distributions that have kernels: a spec begins with the name of one, and ":". */
enum kt_fetch_distribution { KT_FETCH_DEBIAN, KT_FETCH_UBUNTU, KT_FETCH_FEDORA };

/* What is to be fetched, cut out of "[DISTRIBUTION:]SUITE[/SERIES][:FLAVOUR]". */
struct kt_fetch {
	enum kt_fetch_distribution distribution; /* Debian, if none is named */
	char *suite, *series, *flavour;          /* series, flavour: NULL: not given */
	bool refresh;                            /* look for a newer one */
	bool debug;                              /* the vmlinux with debug info, too */
};

/* The length of the "debian:", "ubuntu:" or "fedora:" that text begins with; 0: there is none. */
size_t kt_fetch_prefix(const char *text);

/* Cuts the text up. KT_ERROR_USAGE: it has another form, or characters that no suite has. */
struct kt_error *kt_fetch_parse(const char *text, struct kt_fetch *ret);
void kt_fetch_deinit(struct kt_fetch *fetch);

/*
 * The path of the image, which the caller frees. fetch-kernel is in vm/ of the source tree, in
 * libexec/ktstr-gdb/ of an installed tool, or where KTSTR_FETCH_KERNEL says. KT_ERROR_NOT_FOUND:
 * there is no fetch-kernel, or it fails, with its words. KT_ERROR_UNSUPPORTED: this host has no
 * tool for packages of that distribution (apt, dnf), or that tool has no package lists of it.
 */
struct kt_error *kt_fetch_run(const struct kt_fetch *fetch,
			      const struct kt_kernels_options *options, char **ret);

#endif
