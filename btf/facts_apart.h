/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reading of a kernel's files in a process of its own, behind a fence, for who starts programs.
 */
#ifndef KT_BTF_FACTS_APART_H
#define KT_BTF_FACTS_APART_H

#include "btf/facts.h"

struct kfacts_wanted {
	const struct kfacts_want *all;
	size_t n;
	int image_fd;  /* what the image's path, /proc/self/fd/N, stands for; -1: it is a file */
	int cancel_fd; /* -1: none */
};

/*
 * As kfacts_load(), in a child (util/apart.h) that can open these files and those of the cache, and
 * nothing else: it has what may be a hostile guest's kernel to parse, and this process only the
 * answers, which are checked once more. The errors are kfacts_load()'s, and those of kt_apart().
 */
struct kt_error *kfacts_load_apart(const struct kfacts_sources *sources,
				   const struct kfacts_wanted *wanted, const char *cache_dir,
				   struct kfacts **ret, bool *from_cache_ret);

#endif
