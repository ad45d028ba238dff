/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KT_CLI_ATTACH_H
#define KT_CLI_ATTACH_H

#include "cli/options.h"

/* All that attach does once its options are parsed. Returns the exit status. */
int cli_attach_to(const struct cli_args *args);

#endif
