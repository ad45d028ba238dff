/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the entry of a message among the tables of the catalogue. Not a public header. */
#ifndef KT_LOGPARSE_CATALOG_INDEX_H
#define KT_LOGPARSE_CATALOG_INDEX_H

#include "logparse/catalog_entry.h"
#include "logparse/catalog_match.h"

/* As kt_catalog_at(). */
const struct kt_catalog_entry *kt_catalog_entry_at(size_t i);

/*
 * The entry of the first line of a message; NULL: none. What the holes of its pattern hold is added
 * to facts, if not NULL.
 */
const struct kt_catalog_entry *kt_catalog_match(struct kt_text message, struct kt_facts *facts);

#endif
