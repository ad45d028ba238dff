/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recovered kernel as a file: a small ELF with all that kfacts_load() wants of a vmlinux
 * (.BTF, .notes, .symtab, the banner in a .rodata, an empty .text), at link addresses. So what
 * comes from a guest's memory goes the same way as what comes from a file.
 *
 * In the cache, such files are kernel-KEY; behind the ELF, where no reader of ELF looks, is a
 * hash of it, since half a file must not pass for a kernel that lacks something.
 */
#ifndef KT_BTF_RECORD_H
#define KT_BTF_RECORD_H

#include "btf/cache.h"
#include "btf/recover.h"

/* The addresses at which the recovered kernel ran. */
struct record_place {
	gaddr_t text;         /* _text, at run time */
	int64_t kaslr_offset; /* run-time minus link-time address of the image */
	/* Nobody told the offset. The file then has run-time addresses, and says so. */
	bool offset_unknown;
};

/* An empty section of this name is in every recorded file: its .symtab is only the kallsyms. */
#define RECORD_MARK ".ktstr-gdb.recorded"

/* An empty section of this name: see offset_unknown. */
#define RECORD_UNPLACED ".ktstr-gdb.unplaced"

/*
 * Writes the ELF to a file in memory. *fd_ret is the caller's to close;
 * record_path() names it for as long as it is open.
 */
struct kt_error *record_write(const struct recovered *kernel, const struct record_place *place,
			      int *fd_ret);

struct record_path {
	char s[32];
};
struct record_path record_path(int fd);

/* By its build ID, or its banner where it has none. */
struct cache_name record_key(const struct recovered *kernel);

/* Keeps it in the cache. Failure is silent: the cache is only a shortcut. */
void record_store(const char *cache_dir, const struct cache_name *key, int fd);

/* The path of that key's file in the cache, if it is there and whole; else NULL. */
char *record_find(const char *cache_dir, const struct cache_name *key);

/* The key of the kernel that was last seen at a place (a TARGET's text). */
bool record_load_place(const char *cache_dir, const char *place, struct cache_name *key_ret);
void record_store_place(const char *cache_dir, const char *place, const struct cache_name *key);

#endif
