/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this machine has for guests. */
#ifndef KT_UTIL_RESOURCES_H
#define KT_UTIL_RESOURCES_H

#include <stdint.h>

/* CPUs that this process may use; at least 1. */
int64_t kt_online_cpus(void);

/* MiB that can be had without swapping, MemAvailable of /proc/meminfo; INT64_MAX: not known. */
int64_t kt_available_memory_mib(void);

#endif
