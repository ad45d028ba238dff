/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A loop whose iteration is itself a repeat. Not a public header. */
#ifndef KT_LOGPARSE_LOOP_H
#define KT_LOGPARSE_LOOP_H

#include "logparse/node.h"

/*
 * A loop of equal iterations may be one of fewer nodes that are alike: what is executed is
 * the same, and what hangs on it differs in turn. loop_find_root() makes body and body_len
 * those of the shorter one, by shape, and sets `multiple`; loop_split() then makes the run
 * itself so. Both may be called for any loop.
 */
void loop_find_root(struct log_loop *loop);
void loop_split(struct log_loop *loop);

#endif
