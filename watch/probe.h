/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a program is one of libbpf's probes, by what it is. Internal to watch/. */
#ifndef KT_WATCH_PROBE_H
#define KT_WATCH_PROBE_H

#include "model/load.h"

/* No probe has more instructions. */
#define PROBE_INSNS 6
#define PROBE_BYTES (PROBE_INSNS * 8)

/* name: without BTF's help, as the probes have none that is cut. insns: PROBE_BYTES of them. */
enum bpf_load_probe probe_of(const char *name, uint64_t type, uint64_t len, const uint8_t *insns);

#endif
