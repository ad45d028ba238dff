/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks, one a file, and what they share. Internal to preflight/. */
#ifndef KT_PREFLIGHT_CHECKS_H
#define KT_PREFLIGHT_CHECKS_H

#include "preflight/kernel.h"
#include "preflight/object.h"
#include "preflight/reach.h"
#include "preflight/report.h"

struct pf_check {
	const struct pf_object *object;
	const struct pf_kernel *kernel;
	struct preflight_report *report;
	struct kt_error *err; /* the first one */
};

/* A program that is looked at. */
struct pf_subject {
	uint32_t index;
	const struct bpf_program *program;
	const struct pf_reaches *reaches; /* NULL: its function is not found */
};

/* Adds a finding about a program, or all (PREFLIGHT_ALL). Takes try. */
void pf_found(struct pf_check *check, uint32_t program, enum kt_load_class class, bool sure,
	      char *try, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* What is not in vmlinux: whether it is in a module decides what is said, and how sure it is. */
struct pf_missing {
	uint32_t program; /* or PREFLIGHT_ALL */
	enum kt_load_class class;
	uint32_t kind; /* BTF_KIND_*, or PF_SYMBOL */
	const char *name;
	bool sure; /* that the load fails if no module has it */
	char *try; /* taken; not told of what is in a module */
};

/* Adds the finding that what fmt names is not in this kernel. */
void pf_found_missing(struct pf_check *check, struct pf_missing missing, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* --- of the whole object --- */

void pf_check_maps(struct pf_check *check);
void pf_check_externs(struct pf_check *check);
void pf_check_struct_ops(struct pf_check *check);

/* --- of a program --- */

/* Its type, how it attaches, and to what. */
void pf_check_type(struct pf_check *check, const struct pf_subject *subject);
/* The helpers and kfuncs that it calls, and its license. */
void pf_check_calls(struct pf_check *check, const struct pf_subject *subject);
void pf_check_core(struct pf_check *check, const struct pf_subject *subject);

/* What an extern lacks in this kernel; false: nothing. */
bool pf_extern_is_missing(const struct pf_check *check, const struct pf_extern *e);

#endif
