/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an audit of a guest's lists of BPF objects came to. Not a public header. */
#ifndef KT_RENDER_AUDIT_H
#define KT_RENDER_AUDIT_H

#include "model/audit.h"
#include "render/guest.h"

/* The findings as a table, none as a line that says so; and what is listed. The caller frees *ret.
 */
struct kt_error *render_audit_text(const struct audit_result *result, size_t width, char **ret);

/* The document ktstr-gdb.audit.v1. */
struct kt_error *render_audit_json(const struct audit_result *result,
				   const struct render_guest *guest, char **ret);

#endif
