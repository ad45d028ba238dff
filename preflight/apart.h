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

/* A kernel, and what it does to each of the objects. */
struct preflight_result {
	char *release;             /* "" where it is not known; never NULL */
	bool has_btf, has_symbols; /* of the kernel; what it has not was not looked into */
	KT_VEC(struct preflight_report) reports;
};

void preflight_result_deinit(struct preflight_result *result);

/*
 * sources: as kfacts_load() takes them. An object that libbpf crashes on is a finding, and no
 * error. Errors: those of reading the kernel; KT_ERROR_UNSUPPORTED: it has another byte order than
 * this machine; those of kt_apart().
 */
struct kt_error *preflight_apart(const struct kfacts_sources *sources,
				 const struct preflight_file *files, size_t n, int cancel_fd,
				 struct preflight_result *ret);

/* The same in this process. */
struct kt_error *preflight_files(const struct kfacts_sources *sources,
				 const struct preflight_file *files, size_t n,
				 struct preflight_result *ret);

#endif
