/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts are the answers that a kernel image has to what was asked: addresses of symbols, places of
 * members, sizes, names of enumerators. They are small, need no image any more, and are kept in the
 * cache.
 *
 * A walker says what it wants as a table (`struct kfacts_want`), the loader answers all of
 * them at once, before the guest is touched.
 */
#ifndef KT_BTF_FACTS_H
#define KT_BTF_FACTS_H

#include "btf/kfacts.h"
#include "util/buf.h"
#include "util/error.h"

struct kfacts;

/*
 * The facts of a kernel. Answers come from the cache when cache_dir is not NULL and has them for
 * this very content and these very wants; else the sources are opened and the cache written. The
 * cache is never a reason to fail. *from_cache_ret (may be NULL) tells which it was.
 *
 * All addresses are those of the first source of symbols that is given, of system_map, kallsyms,
 * image, in this order: a kallsyms file of a running guest has KASLR in it, and the others are
 * then shifted until their _text is the same. A name that the first does not have is taken from
 * the next. KT_ERROR_MISMATCH: image and symbol file are not of one build.
 *
 * Without wants, what kernel it is (kfacts_kernel()): types and symbols need not be there then.
 *
 * Errors name the file: not a kernel, truncated, without types, a required want absent.
 */
struct kt_error *kfacts_load(const struct kfacts_sources *sources, const struct kfacts_want *wants,
			     size_t n_wants, const char *cache_dir, struct kfacts **ret,
			     bool *from_cache_ret);
void kfacts_destroy(struct kfacts *facts);

/* As bytes, and back: for the answers to the same wants. KT_ERROR_PROTOCOL: they are no such
 * answers. */
void kfacts_pack(const struct kfacts *facts, struct kt_buf *out);
struct kt_error *kfacts_unpack(const void *data, size_t len, const struct kfacts_want *wants,
			       size_t n_wants, struct kfacts **ret);

const struct kfacts_kernel *kfacts_kernel(const struct kfacts *facts);

/* Each of these answers only what was wanted; asking for anything else gives absent. */
bool kfacts_symbol(const struct kfacts *facts, const char *name, gaddr_t *link_addr_ret);
/* A function's code, as far as the next symbol. False: nothing tells where it ends, either. */
bool kfacts_code(const struct kfacts *facts, const char *name, gaddr_t *link_addr_ret,
		 uint64_t *size_ret);
bool kfacts_member(const struct kfacts *facts, const char *type, const char *path,
		   struct kfacts_member *ret);
bool kfacts_size(const struct kfacts *facts, const char *type, uint64_t *ret);

/* The first parameter is 0. */
bool kfacts_param(const struct kfacts *facts, const char *function, const char *type,
		  uint64_t *ret);

/* The function that begins there, or NULL: KFACTS_FUNCTIONS. Lives as long as the facts. */
const char *kfacts_function_at(const struct kfacts *facts, gaddr_t link_addr);

/* The function that the address is in, and how far; NULL: functions_around() knows none. */
const char *kfacts_function_around(const struct kfacts *facts, gaddr_t link_addr,
				   uint64_t *offset_ret);

/* The wants that this kernel has no answer to, all optional: start with *i = 0; NULL at the end. */
const struct kfacts_want *kfacts_missing(const struct kfacts *facts, size_t *i);

/*
 * The KASLR offset that the kernel of these facts last had at a place (a TARGET's text). Kept in
 * the cache like the facts. Only a hint: the guest may have booted again.
 */
bool kfacts_load_hint(const struct kfacts *facts, const char *cache_dir, const char *place,
		      int64_t *kaslr_offset_ret);
void kfacts_store_hint(const struct kfacts *facts, const char *cache_dir, const char *place,
		       int64_t kaslr_offset);

/* The enumerator's name, or NULL; lives as long as the facts. */
const char *kfacts_enum_name(const struct kfacts *facts, const char *type, int64_t value);

/* The value of an enumerator. */
bool kfacts_enum_value(const struct kfacts *facts, const char *type, const char *name,
		       int64_t *ret);

/* Member i of a struct, in its order, and its offset in bytes; NULL: it has no more. */
const char *kfacts_nth_member(const struct kfacts *facts, const char *type, size_t i,
			      uint32_t *offset_ret);

#endif
