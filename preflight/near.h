/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names that are most like a name that is not there. */
#ifndef KT_PREFLIGHT_NEAR_H
#define KT_PREFLIGHT_NEAR_H

#include <stdbool.h>
#include <stddef.h>

#define PF_NEAR_MAX 3

struct pf_near {
	const char *want;
	size_t n;
	struct pf_near_name {
		const char *name; /* borrowed */
		size_t distance;
	} best[PF_NEAR_MAX];
};

/* Offers one name that is there. */
void pf_near_offer(struct pf_near *near, const char *name);

/* "near it: a, b"; NULL: none is near, or no memory. The caller frees it. */
char *pf_near_text(const struct pf_near *near);

#endif
