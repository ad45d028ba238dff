/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See vm/blobs.h. Paths are from the top folder, where the build runs. */

	.macro	blob name, file
	.global	\name, \name\()_end
	.balign	16
\name:
	.incbin	"\file"
\name\()_end:
	.byte	0
	.endm

	.section .rodata
	blob	kt_blob_init, build/ktstr-init
	blob	kt_blob_x86_64_cfg, qemu-configs/x86_64.cfg
	blob	kt_blob_aarch64_cfg, qemu-configs/aarch64.cfg
	blob	kt_blob_riscv64_cfg, qemu-configs/riscv64.cfg
	blob	kt_blob_s390x_cfg, qemu-configs/s390x.cfg
	blob	kt_blob_ppc64le_cfg, qemu-configs/ppc64le.cfg
	blob	kt_blob_loongarch64_cfg, qemu-configs/loongarch64.cfg

	/* struct kt_blob_topology of each preset, and one without a name. */
	.macro	topology name
	.section .rodata
7:	.asciz	"\name"
8:	.incbin	"qemu-configs/topologies/\name\().cfg"
9:	.byte	0
	.section .data.rel.ro, "aw"
	.quad	7b, 8b, 9b
	.endm

	.section .data.rel.ro, "aw"
	.balign	8
	.global	kt_blob_topologies
kt_blob_topologies:
	topology "4cpu-1llc-nosmt"
	topology "4cpu-2llc-nosmt"
	topology "9cpu-3llc-nosmt"
	topology "15cpu-5llc-nosmt"
	topology "14cpu-7llc-nosmt"
	topology "8cpu-2llc-smt"
	topology "12cpu-3llc-smt"
	topology "32cpu-4llc-smt"
	topology "32cpu-4llc-nosmt"
	topology "64cpu-8llc-smt"
	topology "64cpu-8llc-nosmt"
	topology "128cpu-4llc-smt"
	topology "128cpu-4llc-nosmt"
	topology "128cpu-8llc-smt"
	topology "128cpu-8llc-nosmt"
	topology "240cpu-15llc-smt"
	topology "240cpu-15llc-nosmt"
	topology "252cpu-14llc-smt"
	topology "252cpu-14llc-nosmt"
	topology "2numa-16cpu-4llc-nosmt"
	topology "2numa-32cpu-2llc-smt"
	topology "4numa-32cpu-8llc-nosmt"
	.quad	0, 0, 0

	.section .note.GNU-stack, "", %progbits
