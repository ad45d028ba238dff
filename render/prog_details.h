/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One BPF program with all that is known of it. Internal to render/ and cli/. */
#ifndef KT_RENDER_PROG_DETAILS_H
#define KT_RENDER_PROG_DETAILS_H

#include "model/prog_details.h"
#include "render/guest.h"

/* A line for each value, of width columns at most where it has blanks. The caller frees *ret. */
struct kt_error *render_prog_details_text(const struct prog_details *details, size_t width,
					  char **ret);

/* The document "ktstr-gdb.programs.v1" of this program alone, which has some keys more there. */
struct kt_error *render_prog_details_json(const struct prog_details *details,
					  const struct render_guest *guest, char **ret);

#endif
