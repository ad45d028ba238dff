/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts of a kernel as plain data: the files that are given, what is asked of them, the answers.
 * Loading them is in btf/facts.h.
 */
#ifndef KT_BTF_KFACTS_H
#define KT_BTF_KFACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "btf/functions.h"
#include "util/gaddr.h"

/*
 * The files that facts come from: paths, NULL for a file that is not given. As a rule, an image is
 * given and nothing else.
 */
struct kfacts_sources {
	const char *image;      /* a vmlinux (ELF with .BTF or DWARF, and .symtab or kallsyms), or a
				   distro's vmlinuz */
	const char *image_name; /* the image's name in errors; NULL: its path */
	const char *btf;        /* raw BTF, as /sys/kernel/btf/vmlinux; before the image's types */
	const char *system_map; /* before the image's symbols */
	const char *kallsyms;   /* a copy of /proc/kallsyms: the same, after system_map */
	/* It is no error if no file has the types, or the symbols: they are absent then. */
	bool partial;
};

/* What a want asks for. */
enum kfacts_kind {
	KFACTS_SYMBOL, /* name: a symbol */
	KFACTS_CODE,   /* name: a function, where it is and ends: kfacts_code() */
	KFACTS_MEMBER, /* name: a struct or union, path: "a.b.c", through anonymous members */
	KFACTS_SIZE,   /* name: a struct or union */
	KFACTS_ENUM,   /* name: an enum, all of its enumerators */
	/*
	 * path: the name of one member, name: that member's struct type; the holder is
	 * whichever struct, named or not, has it. For statics of an anonymous type, such as
	 * tk_core up to 6.12. Absent when two holders have it at different offsets.
	 * kfacts_member(facts, name, path) gives the answer.
	 */
	KFACTS_HELD,
	/*
	 * name: a function, path: a struct; which of the function's parameters is a pointer to
	 * that struct: kfacts_param(). From BTF only.
	 */
	KFACTS_PARAM,
	KFACTS_FUNCTIONS, /* name: KFACTS_ALL; every function of the kernel: kfacts_function_at() */
	/* name: a struct; each of its own members that has a name: kfacts_nth_member() */
	KFACTS_MEMBERS,
};

#define KFACTS_ALL "*"

struct kfacts_want {
	enum kfacts_kind kind;
	const char *name;
	const char *path; /* MEMBER, HELD and PARAM only */
	bool optional;    /* absent is an answer; a required one that is absent is an error */
};

/*
 * The place of a value in its structure. To read it: load `size` bytes at `offset` as an
 * unsigned number in the kernel's byte order; if bit_size is not 0, shift right by
 * bit_shift and keep bit_size bits. For arrays and structs, size is that of the whole.
 */
struct kfacts_member {
	uint32_t offset;
	uint32_t size;
	uint8_t bit_shift;
	uint8_t bit_size;
};

struct kfacts_enumerator {
	int64_t value;
	char *name;
};

/* The answer to one want. The kind of the want tells which fields are used. */
struct kfacts_answer {
	bool present;
	uint64_t value;                  /* SYMBOL, CODE: link address; SIZE: bytes; PARAM: index */
	uint64_t size;                   /* CODE: bytes */
	struct kfacts_member member;     /* MEMBER, HELD */
	struct kfacts_enumerator *enums; /* ENUM; MEMBERS: their names, and offsets in bytes */
	uint32_t n_enums;
	struct functions functions; /* FUNCTIONS */
};

#define KFACTS_BTF_SAMPLES 16
#define KFACTS_BTF_SAMPLE  32

/* The offset of sample i in a BTF of size bytes, which are KFACTS_BTF_SAMPLE at least. */
static inline uint64_t kfacts_btf_sample(uint64_t size, unsigned int i)
{
	const unsigned int n = KFACTS_BTF_SAMPLES - 1;
	uint64_t last = size - KFACTS_BTF_SAMPLE;

	return last / n * i + last % n * i / n;
}

/*
 * The kernel that the facts are of. Strings live as long as the facts, and are never NULL.
 * Facts that only an image has are "" or 0 without one.
 */
struct kfacts_kernel {
	char *release; /* "6.12.107+deb13-amd64", out of the banner; "": unknown */
	char *banner; /* "Linux version …" as the image has it, without the newline; "": unknown */
	char *arch;   /* "x86_64"; "": unknown */
	char *types_from;   /* for people: "BTF of the image", "DWARF of the image", "BTF file" */
	char *symbols_from; /* ".symtab of the image", "kallsyms of the image", "System.map", …;
			       both are "" where there are none */
	bool big_endian;
	uint8_t build_id[64];
	size_t build_id_len; /* 0: the image has none */
	gaddr_t text_link;   /* where _text is linked to */
	gaddr_t notes_link;  /* where the image's notes (with the build ID) lie; 0: unknown */
	uint64_t notes_size; /* bytes */
	gaddr_t banner_link; /* where linux_banner lies; 0: unknown */
	/*
	 * Of a BTF file: what the kernel has to have where its own BTF lies, which nothing else
	 * proves. Samples, each of KFACTS_BTF_SAMPLE bytes, the first at the start of the BTF, the
	 * last at its end, the others in equal steps: kfacts_btf_sample(). btf_link is 0 where no
	 * symbol tells.
	 */
	gaddr_t btf_link;
	uint64_t btf_size; /* bytes */
	uint8_t btf_samples[KFACTS_BTF_SAMPLES][KFACTS_BTF_SAMPLE];
	/*
	 * What all addresses of these facts are moved by against those that the kernel was linked
	 * to: a guest's KASLR offset is that and where it is found to be moved to. Not known of
	 * a kallsyms file without an image, and of a guest's memory that did not tell
	 * (btf/record.h).
	 */
	int64_t moved;
	bool moved_known;
};

#endif
