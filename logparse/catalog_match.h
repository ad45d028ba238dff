/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pattern language of the catalogue; logparse/catalog_data.h explains it. Not a public header.
 */
#ifndef KT_LOGPARSE_CATALOG_MATCH_H
#define KT_LOGPARSE_CATALOG_MATCH_H

#include <stdint.h>

#include "logparse/text.h"

#define KT_MAX_FACTS 24

/* What the holes of patterns hold. */
struct kt_facts {
	size_t n;
	struct {
		struct kt_text name;  /* static: a slice of a pattern */
		struct kt_text value; /* a slice of the line */
	} v[KT_MAX_FACTS];
};

/* The value of a fact; len is 0 where it is not known. */
struct kt_text kt_facts_get(const struct kt_facts *facts, struct kt_text name);

/* Adds a fact, unless it is known already or there are too many. */
void kt_facts_add(struct kt_facts *facts, struct kt_text name, struct kt_text value);

/* Does the pattern match a part of the line? What its holes hold is added to facts, if not NULL. */
bool kt_pattern_match(const char *pattern, struct kt_text line, struct kt_facts *facts);

/* The literal bytes of a pattern: how much it says. */
size_t kt_pattern_weight(const char *pattern);

/* A letter, digit or underscore. */
bool kt_is_word_char(char c);

/*
 * Takes the next word off *rest, a run of letters, digits and underscores. With holes, *rest is a
 * pattern, and words that a hole may continue are left out.
 */
bool kt_next_word(struct kt_text *rest, bool holes, struct kt_text *ret);

#endif
