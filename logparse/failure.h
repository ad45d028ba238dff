/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a line around a log says that the load of a BPF program failed. A line that only has
 * the words says nothing:
 *
 *	loaded 3 programs, 0 errors
 *	load average: 0.03 0.01 0.00, 2 failed units
 *	libbpf: Error loading .BTF into kernel: -22. BTF is optional, ignoring.
 *	#12 verifier_error_load:OK
 */
#ifndef KT_LOGPARSE_FAILURE_H
#define KT_LOGPARSE_FAILURE_H

#include "logparse/text.h"

/*
 * `has_errno`: the line has an errno in words, which Go has instead of any other word of failure
 * ("load program: permission denied").
 * `of_btf`: the log is of a BTF, and so may the line be. Time is linear in the line. Not a public
 * function.
 */
bool log_says_failed(struct kt_text line, bool has_errno, bool of_btf);

#endif
