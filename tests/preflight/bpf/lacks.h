/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs that ask for what some kernel, or every kernel, does not have; and such that only seem
 * to. */
#ifndef KTSTR_LACKS_H
#define KTSTR_LACKS_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define CORE __attribute__((preserve_access_index))
#ifndef __weak
#define __weak __attribute__((weak))
#endif

#endif
