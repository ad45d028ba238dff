/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * By how much the guest's clock falls behind. It stands still while QEMU has stopped the guest, but
 * not where a guest reads a TSC that runs on under KVM. So it is read, not reckoned. Internal to
 * watch/.
 */
#ifndef KT_WATCH_CLOCK_H
#define KT_WATCH_CLOCK_H

#include "watch/stop.h"

struct guest_clock {
	struct view view;
	gaddr_t addr;                        /* of the guest's struct timekeeper; 0: not known */
	int64_t host_ns, guest_ns;           /* when it was first read; host_ns 0: not yet */
	int64_t last_host_ns, last_guest_ns; /* and last */
};

/* False: no memory. */
bool guest_clock_wants(struct wants *wants);
void guest_clock_init(struct guest_clock *clock, const struct kfacts *facts, int64_t kaslr_offset);

/*
 * Reads it in this stop, if it is time to. The vCPU has to have stopped at work: what is read is as
 * of the last tick, and a guest that sleeps has none.
 */
struct kt_error *guest_clock_read(struct guest_clock *clock, struct stop *stop);

/* False: not known, or seen for too short a time to tell. */
bool guest_clock_behind(const struct guest_clock *clock, int64_t *ret);

#endif
