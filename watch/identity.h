/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the guest is still the one that is watched. Internal to watch/. */
#ifndef KT_WATCH_IDENTITY_H
#define KT_WATCH_IDENTITY_H

#include "memory/guest.h"

struct identity {
	const struct kfacts *facts;
	int64_t kaslr_offset;
	uint64_t jiffies;      /* at the last check; 0: this kernel's are not known */
	int64_t next_check_ns; /* in kt_now_ns() time */
};

/* False: no memory. */
bool identity_wants(struct wants *wants);

/* Finds the kernel of the facts, as guest_create(), and remembers it. *ret is the caller's. */
struct kt_error *identity_init(struct identity *identity, const struct source *source,
			       const struct kfacts *facts, const int64_t *hint, struct guest **ret);

/*
 * Proves the kernel anew, in a stop. *why_ret: why it is not the same any more, static; NULL: it
 * is, and *ret is the guest, which the caller destroys.
 */
struct kt_error *identity_check(struct identity *identity, const struct source *source,
				struct guest **ret, const char **why_ret);

#endif
