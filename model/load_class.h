/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a program was not loaded, as one word: the vocabulary of collect, check and their documents.
 * What the verifier rejects has the classes of logparse/catalog.h, which `log` prints; the classes
 * here are of all else that a load may fail of.
 */
#ifndef KT_MODEL_LOAD_CLASS_H
#define KT_MODEL_LOAD_CLASS_H

#include "logparse/text.h"

enum kt_load_class {
	KT_LOAD_UNKNOWN,     /* no word says why: an errno alone is no reason */
	KT_LOAD_REJECTED,    /* by the verifier, in its log: kt_catalog_explain() has the class */
	KT_LOAD_PROG_TYPE,   /* the kernel lacks this type of program */
	KT_LOAD_MAP_TYPE,    /* it does not make such a map: its type, flags or sizes */
	KT_LOAD_ATTACH_TYPE, /* it lacks this way to attach */
	KT_LOAD_HELPER,      /* it lacks a helper */
	KT_LOAD_KFUNC,       /* it lacks a kfunc, or has it with another prototype */
	KT_LOAD_KSYM,        /* it lacks a variable or a symbol */
	KT_LOAD_CORE,        /* it lacks a type, member or enumerator that code needs (CO-RE) */
	KT_LOAD_BTF,         /* it has no BTF, or refuses that of the object */
	KT_LOAD_REQUEST,     /* it lacks what the program attaches to: a function, a struct_ops */
	KT_LOAD_POLICY,      /* a license, a capability */
	KT_LOAD_TOO_LARGE,   /* more instructions, bytes or entries than the kernel takes */
	KT_LOAD_MEMORY,      /* memory, or the limit of it */
	KT_LOAD_OBJECT,      /* the object itself: damaged, or not as libbpf wants it */
};

/*
 * The class as people and documents have it: "Program Type", "CO-RE Relocation". "Load Request" and
 * "Policy" are the catalogue's. NULL: UNKNOWN, and REJECTED, whose name the catalogue has. Static.
 */
const char *kt_load_class_name(enum kt_load_class class);

/*
 * The class of a load that failed: by what libbpf said, the verifier's log included, and only where
 * no word tells, by errno (above 0; 0: not known). What libbpf put into the code of a program in
 * place of what the kernel lacks (a CO-RE relocation, a kfunc, a helper's number) is of that class,
 * although it is the verifier that stumbles over it.
 *
 * *headline_ret, which may be NULL, is the line that says it: a slice of the words, without
 * "libbpf: "; empty where none does. Time is linear in the words, which may be hostile.
 */
enum kt_load_class kt_load_classify(int errnum, struct kt_text words, struct kt_text *headline_ret);

#endif
