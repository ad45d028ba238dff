/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that travel inside the tool, so that it runs from anywhere (vm/blobs.S). */
#ifndef KT_VM_BLOBS_H
#define KT_VM_BLOBS_H

#include <stddef.h>

extern const unsigned char kt_blob_init[], kt_blob_init_end[]; /* build/ktstr-init */

/* qemu-configs/ARCH.cfg */
extern const unsigned char kt_blob_x86_64_cfg[], kt_blob_x86_64_cfg_end[];
extern const unsigned char kt_blob_aarch64_cfg[], kt_blob_aarch64_cfg_end[];
extern const unsigned char kt_blob_riscv64_cfg[], kt_blob_riscv64_cfg_end[];
extern const unsigned char kt_blob_s390x_cfg[], kt_blob_s390x_cfg_end[];
extern const unsigned char kt_blob_ppc64le_cfg[], kt_blob_ppc64le_cfg_end[];
extern const unsigned char kt_blob_loongarch64_cfg[], kt_blob_loongarch64_cfg_end[];

/* qemu-configs/topologies/NAME.cfg; the last one's name is NULL. */
struct kt_blob_topology {
	const char *name;
	const unsigned char *start, *end;
};
extern const struct kt_blob_topology kt_blob_topologies[];

#endif
