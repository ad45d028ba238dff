// SPDX-License-Identifier: LGPL-2.1-or-later
#include "introspect/wallclock.h"

/*
 * kernel/time/timekeeping.c: real time = monotonic + offs_real, boot time = monotonic +
 * offs_boot. Both change only when the clock is set, or the machine slept.
 */
enum { TK_OFFS_REAL, TK_OFFS_BOOT };
static const struct view_field timekeeper_fields[] = {
	[TK_OFFS_REAL] = {.path = "offs_real"},
	[TK_OFFS_BOOT] = {.path = "offs_boot"},
};
static const struct view_type timekeeper_type = VIEW_TYPE("timekeeper", timekeeper_fields);

bool wallclock_wants(struct wants *wants)
{
	/*
	 * The timekeeper lies behind a seqcount: in the static tk_core, an anonymous struct up
	 * to 6.12, struct tk_data from 6.13, the first of an array timekeeper_data from 6.17.
	 */
	return view_wants(&timekeeper_type, wants) &&
	       wants_add(wants, KFACTS_HELD, "timekeeper", "timekeeper", true) &&
	       wants_add(wants, KFACTS_SYMBOL, "tk_core", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "timekeeper_data", NULL, true);
}

bool wallclock_place(const struct kfacts *facts, gaddr_t *ret)
{
	struct kfacts_member held;
	gaddr_t addr;

	if ((!kfacts_symbol(facts, "tk_core", &addr) &&
	     !kfacts_symbol(facts, "timekeeper_data", &addr)) ||
	    !kfacts_member(facts, "timekeeper", "timekeeper", &held))
		return false;
	*ret = addr + held.offset;
	return true;
}

struct kt_error *wallclock_begin(struct wallclock *clock, const struct guest *guest,
				 struct gmem_batch *batch)
{
	const struct kfacts *facts = guest_facts(guest);
	gaddr_t addr;

	if (!wallclock_place(facts, &addr) || !view_try(&clock->view, &timekeeper_type, facts) ||
	    clock->view.size > sizeof(clock->image))
		return NULL;
	clock->first = batch->reads.len;
	if (!view_read(&clock->view, batch, addr + (uint64_t)guest_kaslr_offset(guest),
		       clock->image))
		return kt_error_no_memory();
	clock->end = batch->reads.len;
	clock->known = true;
	return NULL;
}

void wallclock_end(struct wallclock *clock, const struct gmem_batch *done)
{
	if (clock->known && gmem_batch_fault(done, clock->first, clock->end))
		clock->known = false;
}

bool wallclock_of_boottime(const struct wallclock *clock, uint64_t boottime_ns, int64_t *ret)
{
	if (!clock->known)
		return false;
	*ret = (int64_t)(boottime_ns + view_uint(&clock->view, clock->image, TK_OFFS_REAL) -
			 view_uint(&clock->view, clock->image, TK_OFFS_BOOT));
	return true;
}
