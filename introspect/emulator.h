/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What QEMU says of itself, by its monitor, through the stub (`qRcmd`). */
#ifndef KT_INTROSPECT_EMULATOR_H
#define KT_INTROSPECT_EMULATOR_H

#include "gdbrsp/client.h"
#include "model/program.h"

struct emulator {
	char version[32];          /* "7.2.22"; "": it does not say */
	struct program_number kvm; /* whether it uses KVM */
};

/* Two commands. That the stub has no monitor is no error: nothing is known then. */
struct kt_error *emulator_ask(struct rsp_client *client, struct emulator *ret);

#endif
