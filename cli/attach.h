/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KT_CLI_ATTACH_H
#define KT_CLI_ATTACH_H

#include "cli/cli.h"

/* The whole of attach after its options: resolve, read, print. Gives the exit status. */
int cli_attach_to(const char *target, const struct cli_guest *guest,
		  const struct cli_output *output);

#endif
