/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KT_CLI_FENCE_H
#define KT_CLI_FENCE_H

#include "btf/facts.h"
#include "gdbrsp/target.h"

/*
 * From here on this process opens no files but these, the cache and results_dir (NULL: none),
 * starts no program, and connects to no TCP port but the target's; as far as this kernel has the
 * means (util/fence.h, docs/security.md). What is open stays open. The error is that of lacking
 * memory.
 */
struct kt_error *cli_fence(const struct rsp_target *target, const struct kfacts_sources *files,
			   const char *cache_dir, const char *results_dir);

#endif
