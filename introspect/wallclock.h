/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns the guest's stamps of boot time into real time. */
#ifndef KT_INTROSPECT_WALLCLOCK_H
#define KT_INTROSPECT_WALLCLOCK_H

#include "introspect/code_data.h"
#include "memory/guest.h"

struct wallclock {
	struct view view;
	uint8_t image[64];
	size_t first, end; /* its pieces of the batch */
	bool known;
};

bool wallclock_wants(struct wants *wants);

/* The link address of the kernel's struct timekeeper. False: this kernel has it elsewhere. */
bool wallclock_place(const struct kfacts *facts, gaddr_t *ret);

/*
 * Where no list of symbols tells where the clock is, finds it in the code that reads it (see
 * introspect/code_data.h). A clock that is not found is unknown, and no error.
 */
struct kt_error *wallclock_find(struct guest *guest);
extern const struct code_data wallclock_users;

/* Adds the read of the clock's offsets to a batch. */
struct kt_error *wallclock_begin(struct wallclock *clock, const struct guest *guest,
				 struct gmem_batch *batch);

/* Takes the batch, once it is read. */
void wallclock_end(struct wallclock *clock, const struct gmem_batch *done);

/* Real time, in ns since 1970, of a CLOCK_BOOTTIME stamp. False: unknown. */
bool wallclock_of_boottime(const struct wallclock *clock, uint64_t boottime_ns, int64_t *ret);

#endif
