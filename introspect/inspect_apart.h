/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reading of a guest in a process of its own, behind a fence, for who has to start programs. */
#ifndef KT_INTROSPECT_INSPECT_APART_H
#define KT_INTROSPECT_INSPECT_APART_H

#include "introspect/inspect.h"
#include "util/buf.h"

/*
 * As inspect_guest(), in a child (util/apart.h) that can open no file, start no program and use no
 * network: it has the guest's words to parse, and this process only what the child makes of them,
 * which is checked once more. Where the target has a port, the child may connect to that, and read
 * what the resolver does. what->objects may be INSPECT_PROGRAMS,
 * INSPECT_SCX and INSPECT_AVAILABLE.
 *
 * The errors are inspect_guest()'s, and those of kt_apart().
 */
struct kt_error *inspect_guest_apart(const struct rsp_target *target,
				     const struct rsp_options *options, const struct kfacts *facts,
				     const struct inspect_options *what, struct inspection *ret);

/* What the child hands back, as bytes; and what the parent takes. For tests. */
void inspection_pack(const struct inspection *inspection, struct kt_buf *out);
/* KT_ERROR_PROTOCOL: these bytes are no inspection. */
struct kt_error *inspection_unpack(const void *data, size_t len, struct inspection *ret);

#endif
