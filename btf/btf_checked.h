/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BTF that comes out of a guest's memory, and its types as C, or one by one. A kernel refuses BTF
 * that makes no sense; a hostile one may have anything there. libbpf's dumpers recurse over types,
 * and follow IDs and names without a second look, so all of it is checked before they see it.
 */
#ifndef KT_BTF_BTF_CHECKED_H
#define KT_BTF_BTF_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct btf;

/*
 * Parses BTF in either byte order. base: what it continues, which has to outlive it, or NULL. The
 * result is for btf__free(). KT_ERROR_FORMAT: damaged, or types within themselves, or too deep.
 */
struct kt_error *btf_parse_checked(const void *data, size_t len, struct btf *base,
				   struct btf **ret);

/*
 * How many numbers a value of this type has, its arrays' elements one by one; UINT64_MAX: more than
 * that, or no such type. Only of what btf_parse_checked() gave.
 */
uint64_t btf_weight(const struct btf *btf, uint32_t type);

/*
 * All types but those of the base, one a line, as `bpftool btf dump format raw` has them, and as
 * `bpftool -j` does: {"types": [{"id", "kind", "name", ...}]}. The caller frees *ret.
 */
struct kt_error *btf_as_raw(const struct btf *btf, bool json, char **ret);

/* All types as C declarations, as `bpftool btf dump format c` has them. The caller frees *ret. */
struct kt_error *btf_as_c(const struct btf *btf, char **ret);

#endif
