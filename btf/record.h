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
	gaddr_t text; /* _text, at run time */
	/* Where the mapped image begins (memory/gather.h); 0: nobody looked. */
	gaddr_t image_start;
	/* Run-time minus link-time address of the image. */
	int64_t kaslr_offset;
	/* Nobody told the offset. The file then has run-time addresses, and says so. */
	bool offset_unknown;
};

/* An empty section of this name is in every recorded file: its .symtab is only the kallsyms. */
#define RECORD_MARK ".ktstr-gdb.recorded"

/* An empty section of this name: see offset_unknown. */
#define RECORD_UNPLACED ".ktstr-gdb.unplaced"

/* An empty section of this name is at image_start, for record_list(). */
#define RECORD_START ".ktstr-gdb.start"

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

/* What tells a recorded kernel in the memory of a guest: its build ID, and where that has to be. */
struct record_known {
	struct cache_name key;
	uint16_t machine;
	gaddr_t notes; /* from image_start on */
	size_t notes_len;
	uint8_t build_id[64];
	size_t build_id_len;
};

/* More notes no kernel has. */
#define RECORD_NOTES_MAX 4096

/*
 * Recorded kernels of the cache, at most max, the newest first. Returns how many. One without a
 * build ID is left out, and so is one that was recorded before there was RECORD_START. Whether a
 * file is whole is not looked at here, but in record_find().
 */
size_t record_list(const char *cache_dir, struct record_known *ret, size_t max);

/*
 * A part of the kernel at a place, which was left over when gathering it was interrupted
 * (memory/gather.h). False: there is none. Storing an empty part removes what is there. The
 * cache keeps the parts of a few places.
 */
bool record_load_part(const char *cache_dir, const char *place, struct kt_buf *ret);
void record_store_part(const char *cache_dir, const char *place, const struct kt_buf *part);

/* The key of the kernel that was last seen at a place (a TARGET's text). */
bool record_load_place(const char *cache_dir, const char *place, struct cache_name *key_ret);
void record_store_place(const char *cache_dir, const char *place, const struct cache_name *key);

#endif
