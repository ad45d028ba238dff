/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What render/html_page.h declares. make defines the hashes, which are those of the files. */

#ifdef __CET__
/* An object without this note takes -fcf-protection away from all that it is linked into. */
#include <cet.h>
#endif

	.macro	text name, files:vararg
	.global	\name
	.type	\name, %object
\name:
	.irp	file, \files
	.incbin	"\file"
	.endr
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
	text	html_log_style, render/assets/log.css
	text	html_log_script, render/assets/log_data.js, render/assets/log_list.js, render/assets/log_state.js, render/assets/log_view.js
	hash	html_style_hash, HTML_STYLE_HASH
	hash	html_script_hash, HTML_SCRIPT_HASH
	hash	html_log_style_hash, LOG_STYLE_HASH
	hash	html_log_script_hash, LOG_SCRIPT_HASH

	.section .note.GNU-stack, "", %progbits
