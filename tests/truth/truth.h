/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the test guest's init share. */
#ifndef KT_TRUTH_H
#define KT_TRUTH_H

#include <bpf/libbpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

/* For whoever reads the console of a run that failed; die() does not return. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A JSON string, and a program's type as bpftool names it. */
void put_string(FILE *f, const char *s);
const char *type_name(__u32 type);

/* How a program was loaded, which the kernel does not tell. */
struct loaded {
	__u32 id;
	bool sleepable, frags;
	int attach_type; /* 0: none */
	char attach_name[64];
	char stack_depth[64]; /* "16+8", of each subprogram, as the verifier's log has it */
};

/* Has to be called for each program, as soon as it is loaded. The caller fills in what it knows. */
struct loaded *note_loaded(int fd);

/* The same of one of an object, by its section. */
void note_object_prog(const struct bpf_program *prog);

/* Makes maps of the types that init.c does not fill, and says what is in them, as JSON. */
void make_maps(void);
void put_made_maps(FILE *f);

/* Makes links of each type that this kernel has, and holds them. */
void make_links(void);

/* The functions of a kprobe_multi link by their cookies; for put_link(). */
void note_functions(const char *const *names, const __u64 *cookies, size_t n);

/*
 * What the kernel says of a link, as JSON: null for what its type does not have. What this kernel
 * does not tell of any link is not there.
 */
void put_link(FILE *f, __u32 id);

/* Attaches programs to cgroups and to the network, in each way that there is. */
void attach_places(void);

/* What bpftool and the kernel say of that: keys of the document, each with a comma before it. */
void put_places(FILE *f);

/*
 * What bpftool prints, which the caller frees. There is no shell in the guest. may_fail: its exit
 * status does not count.
 */
char *run_bpftool(char *const *argv, bool may_fail);

/* Processes and files that hold objects, and `more` processes that hold a few each. */
void make_holders(long more);

/* What the kernel says of who holds what: ,"held_fds":[...],"pins":[...] */
void put_holders(FILE *f);

#endif
