/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registers, slots and references that an error's message is about. Internal to
 * logparse/last.c.
 */
#ifndef KT_LOGPARSE_LAST_SUBJECT_H
#define KT_LOGPARSE_LAST_SUBJECT_H

#include "logparse/last_path.h"

/* The number behind the first `what` in text; KT_LINE_NO_INDEX where there is none. */
uint32_t kt_last_number_behind(struct kt_text text, const char *what);

/*
 * Finds what the error is about: the registers, slots and references that last->error names, or
 * else the registers of the instruction last->at; and what they depend on, the size of the access
 * and what was added to its address. path leads to last->at. Linear in the path.
 */
void kt_last_find_subjects(const struct kt_path *path, const struct kt_path_sources *sources,
			   struct kt_log_last *last);

#endif
