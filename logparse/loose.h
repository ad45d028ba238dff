/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What unrolled copies have in common: the instructions without their constants, offsets and
 * jump distances. Not a public header.
 */
#ifndef KT_LOGPARSE_LOOSE_H
#define KT_LOGPARSE_LOOSE_H

#include "logparse/node.h"

/* What the node executes, without numbers. For a loop, and for what is no instruction, shape. */
uint64_t node_loose_shape(const struct log_node *node);

#endif
