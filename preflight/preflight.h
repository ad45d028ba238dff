/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is sure to fail when an object is loaded on a kernel, told without a boot: a function of the
 * object, and of the kernel's types and symbols.
 *
 * The first rule: what loads is never called failing. So what only may fail says so, programs
 * that are optional are left alone, and so is code that the verifier may not come to
 * (preflight/reach.h). What is not in vmlinux may be in a module; the findings say that it
 * is not "in vmlinux" then.
 */
#ifndef KT_PREFLIGHT_PREFLIGHT_H
#define KT_PREFLIGHT_PREFLIGHT_H

#include "preflight/kernel.h"
#include "preflight/object.h"
#include "preflight/report.h"

/*
 * *ret is for preflight_report_deinit(), after an error, too. KT_ERROR_NO_MEMORY. Time is bounded
 * by the sizes of the two files.
 */
struct kt_error *preflight_check(const struct pf_object *object, const struct pf_kernel *kernel,
				 struct preflight_report *ret);

#endif
