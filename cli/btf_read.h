/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of one BTF object of a running guest. */
#ifndef KT_CLI_BTF_READ_H
#define KT_CLI_BTF_READ_H

#include "cli/session.h"
#include "util/buf.h"

/*
 * All data of one object, behind what *data has, in as many stops as it takes: it does not change
 * while it is there. What the session read before is released. The strings of *object_ret are none.
 */
struct kt_error *cli_btf_read(struct cli_session *session, uint32_t id,
			      struct btf_object *object_ret, struct kt_buf *data);

#endif
