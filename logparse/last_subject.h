/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registers, slots and references that an error's message is about. Internal to
 * logparse/last.c.
 */
#ifndef KT_LOGPARSE_LAST_SUBJECT_H
#define KT_LOGPARSE_LAST_SUBJECT_H

#include "logparse/last_result.h"

/* The number behind the first `what` in text; KT_LINE_NO_INDEX where there is none. */
uint32_t kt_last_number_behind(struct kt_text text, const char *what);

/*
 * Adds the registers, slots and references that last->error names, or else the registers of the
 * instruction last->at. Returns the instruction that took a reference, or KT_LINE_NO_INDEX.
 */
uint32_t kt_last_add_subjects(struct kt_log_last *last);

#endif
