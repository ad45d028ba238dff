/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An entry of the catalogue (logparse/catalog.h): plain data. */
#ifndef KT_LOGPARSE_CATALOG_ENTRY_H
#define KT_LOGPARSE_CATALOG_ENTRY_H

#include <stdbool.h>

#define KT_CATALOG_MAX_REMEDIES 4

/* One kind of error. All strings are static. */
struct kt_catalog_entry {
	const char *id;    /* "null-check": lower case, digits and hyphens; unique, and stays */
	const char *class; /* "Memory Safety": as Linux 7.3 prints it */
	const char *title; /* "A pointer that may be NULL is used": no full stop */
	/*
	 * Plain sentences. They are templates (logparse/catalog_data.h): kt_catalog_explain() fills
	 * in the facts of a log, and kt_catalog_reason() makes them readable without a log.
	 */
	const char *reason;
	const char *remedies[KT_CATALOG_MAX_REMEDIES + 1]; /* NULL behind the last */
	const char *since; /* "Linux 5.3 takes bounded loops": what newer kernels take; or NULL */
	const char *const *patterns; /* the kernel's lines, NULL behind the last; likewise */
	bool overrides; /* it is the entry, however long the patterns of others are that match, too
			 */
	bool general;   /* another line of the same message says more, if there is one */
};

#endif
