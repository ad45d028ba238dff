/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts on disk. One directory, safe to delete at any time, of files of these sorts:
 *
 *   facts-KEY-WANTS   the answers for one kernel and one table of wants. KEY is the
 *                     kernel's build ID and what it has (.BTF, DWARF, .symtab), or its
 *                     content's hash where it has no build ID; a hash of all of that where
 *                     facts come from several files.
 *   image-HASH        the KEY of a compressed kernel file, whose build ID cannot be read
 *                     without unpacking it. HASH is of the file's content.
 *
 *   kernel-KEY        a kernel recovered from a guest's memory (btf/record.h): no header.
 *
 *   kernel-at-HASH    the KEY of the kernel that was last seen at a TARGET. HASH is of that.
 *
 *   place-HASH        the KASLR offset at which a kernel was last seen at a TARGET. HASH is
 *                     of its KEY and the TARGET.
 *
 * Each of the others is one header (magic, format version, what it is for, length, XXH3-128 of all
 * that) and a payload. Files are written under another name and renamed, so that a reader sees a
 * whole file or none. Whatever is not exactly right when read counts as absent.
 */
#ifndef KT_BTF_CACHE_H
#define KT_BTF_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "btf/kfacts.h"
#include "util/buf.h"

/* Room for "facts-", a build ID of 64 bytes in hex, a hash in hex, and a NUL. */
#define CACHE_NAME_MAX 192

/* A key or a name in the cache directory. */
struct cache_name {
	char s[CACHE_NAME_MAX];
};

/* By build ID if id_len is not 0, else by the content. */
struct cache_name cache_key(const uint8_t *id, size_t id_len, const void *data, size_t len);
struct cache_name cache_content_hash(const void *data, size_t len);
struct cache_name cache_facts_name(const struct cache_name *key, const struct kfacts_want *wants,
				   size_t n);
/* The name of the file with the KASLR offset that a kernel last had at a place (a TARGET's text).
 */
struct cache_name cache_place_name(const struct cache_name *key, const char *place);
struct cache_name cache_image_name(const struct cache_name *content_hash);

/*
 * The payload of one file, which the caller frees with kt_buf_deinit(). False: not there, or
 * not right in any way.
 */
bool cache_read(const char *dir, const struct cache_name *name, struct kt_buf *payload);

/* Makes dir and its parents, too. Failure is silent: the cache is only a shortcut. */
void cache_write(const char *dir, const struct cache_name *name, const void *payload, size_t len);

/* The same without a header, for a file that others read, too. */
void cache_write_plain(const char *dir, const struct cache_name *name, const struct kt_buf *file);

/* Removes a file. */
void cache_remove(const char *dir, const struct cache_name *name);

/*
 * Names of regular files that begin with prefix, at most max, the newest first. Returns how many.
 * Of a directory with very many entries, some are not looked at.
 */
size_t cache_newest(const char *dir, const char *prefix, struct cache_name *ret, size_t max);

/* Facts as a payload; false if they are not of this shape. Decoding fills kernel and answers. */
void cache_encode_facts(struct kt_buf *buf, const struct kfacts_kernel *kernel,
			const struct kfacts_want *wants, const struct kfacts_answer *answers,
			size_t n);
bool cache_decode_facts(const void *payload, size_t len, const struct kfacts_want *wants, size_t n,
			struct kfacts_kernel *kernel, struct kfacts_answer *answers);

#endif
