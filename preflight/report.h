/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a preflight finds: plain data, and as bytes, which a child hands to its parent. */
#ifndef KT_PREFLIGHT_REPORT_H
#define KT_PREFLIGHT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/load_class.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/vec.h"

/* Of a finding that is about all programs of the object. */
#define PREFLIGHT_ALL UINT32_MAX

struct preflight_finding {
	enum kt_load_class class;
	bool sure;        /* the load fails; false: it may */
	bool module;      /* it fails, unless a module that may have it is loaded; not sure */
	uint32_t program; /* index into programs, or PREFLIGHT_ALL */
	char *what;       /* "kfunc bpf_gone is not in this kernel" */
	char *try;        /* what to try, "near it: bpf_got"; NULL: nothing is known */
};

struct preflight_program {
	char *name, *section; /* never NULL */
	bool off;             /* its object says not to load it: SEC("?...") */
};

/* One object on one kernel. */
struct preflight_report {
	KT_VEC(struct preflight_program) programs; /* none: the object cannot be opened */
	KT_VEC(struct preflight_finding) findings; /* in the order of the checks */
};

void preflight_report_deinit(struct preflight_report *report);

/* Adds a finding. Takes what, and try, which may be NULL. what is NULL: there was no memory. */
struct kt_error *preflight_add(struct preflight_report *report, struct preflight_finding finding);

/* Whether program i will fail: the first finding that is sure, its own before those of all. NULL:
 * none is. */
const struct preflight_finding *preflight_failure(const struct preflight_report *report, size_t i);

/*
 * The report of an object that cannot be opened. KT_ERROR_FORMAT: by no libbpf, which is sure; all
 * else only may fail. why stays the caller's. KT_ERROR_NO_MEMORY.
 */
struct kt_error *preflight_not_opened(const struct kt_error *why, struct preflight_report *ret);

void preflight_pack(const struct preflight_report *report, struct kt_buf *out);

struct kt_cursor;

/* KT_ERROR_PROTOCOL: these bytes are no report. *ret is for preflight_report_deinit(). */
struct kt_error *preflight_unpack(struct kt_cursor *from, struct preflight_report *ret);

#endif
