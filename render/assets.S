/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What render/html_page.h declares. make defines the hashes, which are those of the two files. */

#ifdef __CET__
/* An object without this note takes -fcf-protection away from all that it is linked into. */
#include <cet.h>
#endif

	.macro	text name, file
	.global	\name
	.type	\name, %object
\name:
	.incbin	"\file"
	.byte	0
	.size	\name, . - \name
	.endm

	.macro	hash name, value
	.global	\name
	.type	\name, %object
\name:
	.asciz	"\value"
	.size	\name, . - \name
	.endm

	.section .rodata
	text	html_style, render/assets/report.css
	text	html_script, render/assets/report.js
	hash	html_style_hash, HTML_STYLE_HASH
	hash	html_script_hash, HTML_SCRIPT_HASH

	.section .note.GNU-stack, "", %progbits
