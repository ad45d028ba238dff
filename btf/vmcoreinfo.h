/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmcoreinfo, the text that a kernel keeps for whoever reads its memory after a crash, one
 * KEY=VALUE a line (Documentation/admin-guide/kdump/vmcoreinfo.rst). A cross-check of what was
 * recovered, and the one place where a running kernel tells its own KASLR offset.
 */
#ifndef KT_BTF_VMCOREINFO_H
#define KT_BTF_VMCOREINFO_H

#include "btf/recover.h"

/* VMCOREINFO_BYTES is a page (include/linux/vmcore_info.h). */
#define VMCOREINFO_MAX 4096

/*
 * Compares text with the kernel: OSRELEASE, BUILD-ID, SYMBOL(_stext). What the text does
 * not have, or the kernel, is not compared. *has_offset_ret: it has a KERNELOFFSET, which is
 * in *offset_ret. KT_ERROR_FORMAT: they disagree; the message names both.
 */
struct kt_error *vmcoreinfo_check(const char *text, size_t len, const struct recovered *kernel,
				  int64_t *offset_ret, bool *has_offset_ret);

#endif
