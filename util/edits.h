/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How like each other two names are, for "near it: ...". Internal to the tool; not a public header.
 */
#ifndef KT_UTIL_EDITS_H
#define KT_UTIL_EDITS_H

#include <stddef.h>

#define KT_EDITS_NAME_MAX 96 /* bytes; a longer name is like no other */

/*
 * How many letters have to be put in, left out or replaced to make one name of the other
 * (Levenshtein's distance): at most max, or max + 1.
 */
size_t kt_edits(const char *a, size_t a_len, const char *b, size_t b_len, size_t max);

/* Of names that are tried one by one, the one that a mistyped word may mean. All zeros at first. */
struct kt_nearest {
	const char *name; /* borrowed; NULL: none is near */
	size_t edits;
};

/*
 * Near is a name that differs in a third of its letters at most, by two letters that changed
 * places, that begins with three letters or more of the word alone, or whose first part (before "_"
 * or "-") differs in one letter.
 */
void kt_nearest_try(struct kt_nearest *nearest, const char *word, size_t len, const char *name);

#endif
