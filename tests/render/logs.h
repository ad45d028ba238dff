/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small verifier logs to render. Include after cmocka.h. */
#ifndef KT_TESTS_RENDER_LOGS_H
#define KT_TESTS_RENDER_LOGS_H

#include <string.h>

#include "render/log.h"

/* Linux 6.12, log_level 4. */
#define PASSED                                                                                     \
	"verification time 477 usec\n"                                                             \
	"stack depth 8+0\n"                                                                        \
	"processed 136 insns (limit 1000000) max_states_per_insn 1 total_states 9 peak_states 8 "  \
	"mark_read 3\n"

/* Linux 6.12, log_level 1. */
#define FAILED                                                                                     \
	"0: R1=ctx() R10=fp0\n"                                                                    \
	"; int bad(void *ctx) @ bad.bpf.c:7\n"                                                     \
	"0: (b7) r1 = 0                        ; R1_w=0\n"                                         \
	"1: (07) r1 += 8                       ; R1_w=8\n"                                         \
	"; return *p; @ bad.bpf.c:9\n"                                                             \
	"2: (61) r0 = *(u32 *)(r1 +0)\n"                                                           \
	"R1 invalid mem access 'scalar'\n"                                                         \
	"processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 "    \
	"mark_read 0\n"

/* A buffer that was too small, Linux 6.1. */
#define CUT                                                                                        \
	"0: R1=ctx(off=0,imm=0) R10=fp0\n"                                                         \
	"; int bad(void *ctx)\n"                                                                   \
	"0: (b7) r1 = 0                        ; R1_w=0\n"                                         \
	"1: (07) r1 += 8                       ; R1_"

static inline struct render_log_program program(const char *name, const char *trace)
{
	return (struct render_log_program){
		.file = KT_TEXT("my.log"),
		.log = {.program = {name, strlen(name)},
			.trace = {trace, strlen(trace)},
			.complete = true},
	};
}

#endif
