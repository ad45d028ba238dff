/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What options are if the command line does not give them: the user's file, in libconfig's syntax,
 *
 *	target = "libvirt:vm1";                    where no TARGET is given
 *	kernel = ["debian:trixie", "debian:sid"];  of collect and check, where --kernel is not
 *	accel = "tcg";
 *	color = "never";
 *	columns = { attach = "id,name,verified_insns"; maps = "id,name"; };
 *
 * It is $KTSTR_GDB_CONFIG; or ktstr-gdb/config in $XDG_CONFIG_HOME, or in ~/.config. None is no
 * error. The file is read once; what is given out belongs to this room, and stays.
 */
#ifndef KT_CLI_CONFIG_H
#define KT_CLI_CONFIG_H

#include <stddef.h>

#include "util/error.h"

struct cli_config {
	const char *target, *accel, *color; /* NULL: not there */
	const char *const *kernels;
	size_t n_kernels;
};

/*
 * Never gives NULL in *ret without an error. KT_ERROR_USAGE: the file is not right, and where;
 * KT_ERROR_OS: it is there, and cannot be read.
 */
struct kt_error *cli_config(const struct cli_config **ret);

/* Its columns for that command; NULL: none. To be called behind cli_config(). */
const char *cli_config_columns(const char *command);

/* Where the file is looked for, which the caller frees; NULL: nowhere, there is no home. */
char *cli_config_path(void);

#endif
