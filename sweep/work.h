/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to the engines: helpers that they share. */
#ifndef KT_SWEEP_WORK_H
#define KT_SWEEP_WORK_H

#include "sweep/engine.h"

/* Host memory that a guest needs beside its own: QEMU, the tool, the initramfs. */
#define SWEEP_MARGIN_MIB 256

/* Seconds from SIGTERM to SIGKILL. */
#define SWEEP_GRACE_S 5

/* Whether the sweep was cancelled. */
bool sweep_cancelled(const struct sweep_work *work);
struct kt_error *sweep_cancelled_error(void);

/* Waits. Returns true as soon as the sweep is cancelled. */
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
 * The path of a cell's output, DIR/.logs/NAME.out; the caller frees it. sweep_logs_create() makes
 * these files, empty, with their directories. It also checks the names (KT_ERROR_USAGE).
 */
char *sweep_log_path(const struct sweep_work *work, const struct sweep_job *job);
struct kt_error *sweep_logs_create(const struct sweep_work *work);

/* KT_ERROR_NOT_FOUND, with the Debian package to install, if PATH does not have the program. */
struct kt_error *sweep_need_program(const char *name, const char *package);

#endif
