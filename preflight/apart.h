/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preflight from files, in a process of its own behind a fence: both may be hostile. */
#ifndef KT_PREFLIGHT_APART_H
#define KT_PREFLIGHT_APART_H

#include "btf/kfacts.h"
#include "preflight/report.h"

/* An object's bytes; borrowed. */
struct preflight_file {
	const char *name; /* for messages */
	const void *data;
	size_t len;
};

/* The files of a kernel; borrowed. */
struct preflight_kernel {
	const struct kfacts_sources *sources; /* as kfacts_load() takes them */
	/* Where its modules are, as in preflight/modules.h; NULL: not known. */
	const char *modules, *module_btf;
};

/* A kernel, and what it does to each of the objects. */
struct preflight_result {
	char *release;             /* "" where it is not known; never NULL */
	bool has_btf, has_symbols; /* of the kernel; what it has not was not looked into */
	bool asked_modules;        /* something is not in vmlinux, and was looked for in modules */
	char *why_not_modules;     /* not in all of them, and why; "": in all. Never NULL */
	KT_VEC(struct preflight_report) reports;
};

void preflight_result_deinit(struct preflight_result *result);

/*
 * An object that libbpf crashes on is a finding, and no
 * error. Errors: those of reading the kernel; KT_ERROR_UNSUPPORTED: it has another byte order than
 * this machine; those of kt_apart().
 */
struct kt_error *preflight_apart(const struct preflight_kernel *kernel,
				 const struct preflight_file *files, size_t n, int cancel_fd,
				 struct preflight_result *ret);

/* The same in this process. */
struct kt_error *preflight_files(const struct preflight_kernel *kernel,
				 const struct preflight_file *files, size_t n,
				 struct preflight_result *ret);

#endif
