/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a loader asked the kernel for, out of its own memory: the system call's arguments are kept
 * on the task's kernel stack while it is under way, and lead to bpf(2)'s attributes. Internal to
 * watch/.
 */
#ifndef KT_WATCH_ASKED_H
#define KT_WATCH_ASKED_H

#include "watch/reader.h"

struct asked_reader {
	bool known;        /* this kernel's types tell all that it takes */
	gaddr_t stack_top; /* plus a CPU's per-CPU offset: the pointer to the end of its stack */
	bool by_task;      /* that is not there, but a task's pointer to where its stack begins: */
	struct kfacts_member stack;
	uint64_t regs_size;
	struct kfacts_member number, args[3];                    /* of pt_regs */
	struct kfacts_member log_level, log_size, log_buf, used; /* of bpf_attr */
	bool has_used;
	bool big_endian;
};

struct asked {
	bool known;
	uint32_t log_level, log_size;
	gaddr_t log_buf;
	bool used_known;
	uint32_t used; /* bytes that the log takes, with the NUL (since 6.4, if the loader knows) */
};

/* False: no memory. */
bool asked_wants(struct wants *wants);
void asked_init(struct asked_reader *reader, const struct watch_arch *arch,
		const struct kfacts *facts, int64_t kaslr_offset);

/*
 * Of the vCPU that stopped, which is in bpf(2) for a load; else *ret is not known. Three round
 * trips. A thread of the loader may have changed it meanwhile: it is what the loader says.
 */
struct kt_error *asked_read(const struct asked_reader *reader, struct stop *stop,
			    struct asked *ret);

/*
 * The log's text, into load->log, and what that tells of its length; with `all` false, only its end
 * if it is long. None, if there is none or it is unreadable. bpf_vlog_finalize() was there before.
 */
struct kt_error *asked_log(const struct asked *asked, struct stop *stop, bool all,
			   struct bpf_load *load);

#endif
