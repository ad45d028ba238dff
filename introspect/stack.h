/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's stack of a CPU of a stopped guest, by the kernel's own tables: ORC, as
 * arch/x86/kernel/unwind_orc.c reads them (since 6.4). Code that has no entry there, as BPF
 * programs', has frame pointers. Where neither leads on, what looks like a return address on the
 * rest of the stack is shown as a guess, as the kernel does in an oops ("? name").
 */
#ifndef KT_INTROSPECT_STACK_H
#define KT_INTROSPECT_STACK_H

#include "memory/guest.h"
#include "model/sched_event.h"

#define STACK_MAX_FRAMES 64

struct stack_views {
	const struct kfacts *facts;
	int64_t kaslr_offset;
	gaddr_t ip_begin, ip_end;   /* __start_orc_unwind_ip, __stop_orc_unwind_ip */
	gaddr_t entries;            /* __start_orc_unwind */
	gaddr_t lookup, lookup_end; /* orc_lookup */
	gaddr_t text, text_end;     /* the code that orc_lookup is for */
	uint32_t ip_in_regs, sp_in_regs, bp_in_regs; /* struct pt_regs */
	gaddr_t function;                            /* the beginning of one; 0: not known */
	bool has_orc;
};

/* False: no memory. */
bool stack_wants(struct wants *wants);
void stack_views_init(struct stack_views *views, const struct kfacts *facts, int64_t kaslr_offset);

struct stack_registers {
	uint64_t pc, sp, bp;
};

/*
 * The frames, the innermost first. What cannot be read ends it, and is no error. *frames_ret is the
 * caller's, with each func. *cut_ret: there are more than STACK_MAX_FRAMES.
 */
struct kt_error *stack_read(const struct stack_views *views, const struct gmem *memory,
			    const struct stack_registers *registers, struct scx_frame **frames_ret,
			    size_t *n_ret, bool *cut_ret);

/* The names of those n that have none yet: BPF's and modules', as far as they can be read. */
struct kt_error *stack_name(struct guest *guest, struct scx_frame *frames, size_t n);

#endif
