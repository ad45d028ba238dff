// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "introspect/wallclock.h"
#include "util/cleanup.h"

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

/* What proves a timekeeper: the kernel keeps offs_real as minus wall_to_monotonic. */
enum { PROOF_OFFS_REAL, PROOF_SECONDS, PROOF_NANOSECONDS };
static const struct view_field proof_fields[] = {
	[PROOF_OFFS_REAL] = {.path = "offs_real"},
	[PROOF_SECONDS] = {.path = "wall_to_monotonic.tv_sec"},
	[PROOF_NANOSECONDS] = {.path = "wall_to_monotonic.tv_nsec"},
};
static const struct view_type proof_type = VIEW_TYPE("timekeeper", proof_fields);

const struct code_data wallclock_users = {
	"tk_core",
	{"ktime_get", "ktime_get_raw", "ktime_get_real_ts64", "ktime_get_with_offset",
	 "ktime_get_real_seconds", "ktime_get_coarse_real_ts64"},
};

bool wallclock_wants(struct wants *wants)
{
	/*
	 * The timekeeper lies behind a seqcount: in the static tk_core, an anonymous struct up
	 * to 6.12, struct tk_data from 6.13, the first of an array timekeeper_data from 6.17.
	 */
	return view_wants(&timekeeper_type, wants) && view_wants(&proof_type, wants) &&
	       code_data_wants(&wallclock_users, wants) &&
	       wants_add(wants, KFACTS_HELD, "timekeeper", "timekeeper", true) &&
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

static bool is_timekeeper(const struct view *view, const uint8_t *image)
{
	uint64_t offset = view_uint(view, image, PROOF_OFFS_REAL);
	uint64_t seconds = view_uint(view, image, PROOF_SECONDS);

	return offset && !(offset + seconds * UINT64_C(1000000000) +
			   view_uint(view, image, PROOF_NANOSECONDS));
}

struct kt_error *wallclock_find(struct guest *guest)
{
	const struct kfacts *facts = guest_facts(guest);
	_cleanup_(code_places_deinit) struct code_places found = {0};
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *images = NULL;
	struct kfacts_member held;
	size_t n = 0, which = 0;
	struct kt_error *err;
	struct view view;
	gaddr_t addr;

	if (guest_symbol(guest, "tk_core", &addr) ||
	    guest_symbol(guest, "timekeeper_data", &addr) ||
	    !code_data_known(&wallclock_users, facts) || !view_try(&view, &proof_type, facts) ||
	    !kfacts_member(facts, "timekeeper", "timekeeper", &held))
		return NULL;
	err = code_data_places(&wallclock_users, guest, &found);
	if (err)
		return err;
	images = calloc(found.v.len + 1, view.size);
	if (!images)
		return kt_error_no_memory();
	for (size_t i = 0; i < found.v.len; i++)
		if (!view_read(&view, &batch, found.v.data[i] + held.offset,
			       images + i * view.size))
			return kt_error_no_memory();
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < found.v.len && !err; i++) {
		if (gmem_batch_fault(&batch, i * view.n_spans, (i + 1) * view.n_spans) ||
		    !is_timekeeper(&view, images + i * view.size))
			continue;
		which = i;
		n++;
	}
	if (err || n != 1)
		return err;
	return guest_place(guest, wallclock_users.symbol, found.v.data[which])
		       ? NULL
		       : kt_error_no_memory();
}

struct kt_error *wallclock_begin(struct wallclock *clock, const struct guest *guest,
				 struct gmem_batch *batch)
{
	const struct kfacts *facts = guest_facts(guest);
	struct kfacts_member held;
	gaddr_t addr;

	if ((!guest_symbol(guest, "tk_core", &addr) &&
	     !guest_symbol(guest, "timekeeper_data", &addr)) ||
	    !kfacts_member(facts, "timekeeper", "timekeeper", &held) ||
	    !view_try(&clock->view, &timekeeper_type, facts) ||
	    clock->view.size > sizeof(clock->image))
		return NULL;
	clock->first = batch->reads.len;
	if (!view_read(&clock->view, batch, addr + held.offset, clock->image))
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
