/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the test guest's init share. */
#ifndef KT_TRUTH_H
#define KT_TRUTH_H

#include <linux/types.h>
#include <stdio.h>

/* For whoever reads the console of a run that failed; die() does not return. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A JSON string, and a program's type as bpftool names it. */
void put_string(FILE *f, const char *s);
const char *type_name(__u32 type);

/* Makes links of each type that this kernel has, and holds them. */
void make_links(void);

/*
 * What the kernel says of a link, as JSON: null for what its type does not have. What this kernel
 * does not tell of any link is not there.
 */
void put_link(FILE *f, __u32 id);

#endif
