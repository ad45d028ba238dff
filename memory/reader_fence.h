/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child that reads a guest by its stub, and has nothing else to do: its fence. */
#ifndef KT_MEMORY_READER_FENCE_H
#define KT_MEMORY_READER_FENCE_H

#include "gdbrsp/target.h"

/*
 * From here on this process can open no file, start no program and use no network. Where the target
 * has a port, it may connect to that, and read what the resolver does. It gets short turns on the
 * CPU (util/turns.h).
 */
void reader_fence_put_up(const struct rsp_target *target);

#endif
