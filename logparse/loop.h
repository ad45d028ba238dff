/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A loop whose iteration is itself a repeat. Not a public header. */
#ifndef KT_LOGPARSE_LOOP_H
#define KT_LOGPARSE_LOOP_H

#include "logparse/node.h"

/*
 * An iteration may itself be a repeat by shape: it executes the same instructions several times,
 * and only the lines that hang on them differ. loop_find_root() sets body and body_len to those of
 * the shorter iteration, and sets `multiple`. loop_split() then splits the run accordingly. Both
 * may be called for any loop.
 */
void loop_find_root(struct log_loop *loop);
void loop_split(struct log_loop *loop);

#endif
