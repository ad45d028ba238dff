/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to the engines: what they share about the cells that they run. */
#ifndef KT_SWEEP_WORK_H
#define KT_SWEEP_WORK_H

#include "sweep/engine.h"

/* What a guest takes of memory beside its own: QEMU, the tool, the initramfs. */
#define SWEEP_MARGIN_MIB 256

/* From SIGTERM to SIGKILL. */
#define SWEEP_GRACE_S 5

/* Is it time to stop? */
bool sweep_cancelled(const struct sweep_work *work);
struct kt_error *sweep_cancelled_error(void);

/* Waits; true as soon as it is time to stop. */
bool sweep_sleep_ms(const struct sweep_work *work, int ms);

void sweep_tell_begun(const struct sweep_work *work, size_t job);
void sweep_tell_ended(const struct sweep_work *work, size_t job);
void sweep_notice(const struct sweep_work *work, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* CPUs of the host that a job keeps busy. */
unsigned sweep_job_threads(const struct sweep_work *work, const struct sweep_job *job);

/* The indices of all jobs, the largest first; the caller frees them. */
struct kt_error *sweep_order(const struct sweep_work *work, size_t **ret);

/*
 * DIR/.logs/NAME.out, which the caller frees. Its directories exist and it is empty after
 * sweep_logs_create(), which is also where names are checked (USAGE).
 */
char *sweep_log_path(const struct sweep_work *work, const struct sweep_job *job);
struct kt_error *sweep_logs_create(const struct sweep_work *work);

/* NOT_FOUND unless PATH has the program, with the Debian package to install. */
struct kt_error *sweep_need_program(const char *name, const char *package);

#endif
