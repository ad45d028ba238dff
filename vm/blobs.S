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

	.section .note.GNU-stack, "", %progbits
