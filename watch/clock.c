// SPDX-License-Identifier: LGPL-2.1-or-later
#include "watch/clock.h"
#include "introspect/wallclock.h"
#include "util/cleanup.h"

#define INTERVAL_NS INT64_C(500000000)
#define SECOND_NS   UINT64_C(1000000000)
/* Of the members that are read. */
#define IMAGE_MAX 128

/* kernel/time/timekeeping.c: monotonic time = xtime + wall_to_monotonic, as of the last tick. */
enum { TK_SEC, TK_NSEC, TK_SHIFT, TK_MONO_SEC, TK_MONO_NSEC };
static const struct view_field timekeeper_fields[] = {
	[TK_SEC] = {.path = "xtime_sec"},
	[TK_NSEC] = {.path = "tkr_mono.xtime_nsec"},
	[TK_SHIFT] = {.path = "tkr_mono.shift"},
	[TK_MONO_SEC] = {.path = "wall_to_monotonic.tv_sec"},
	[TK_MONO_NSEC] = {.path = "wall_to_monotonic.tv_nsec"},
};
static const struct view_type timekeeper_type = VIEW_TYPE("timekeeper", timekeeper_fields);

bool guest_clock_wants(struct wants *wants)
{
	return wallclock_wants(wants) && view_wants(&timekeeper_type, wants);
}

void guest_clock_init(struct guest_clock *clock, const struct kfacts *facts, int64_t kaslr_offset)
{
	gaddr_t addr;

	*clock = (struct guest_clock){0};
	if (wallclock_place(facts, &addr) && view_try(&clock->view, &timekeeper_type, facts) &&
	    clock->view.size <= IMAGE_MAX)
		clock->addr = addr + (uint64_t)kaslr_offset;
}

struct kt_error *guest_clock_read(struct guest_clock *clock, struct stop *stop)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct view *view = &clock->view;
	uint8_t image[IMAGE_MAX];
	struct kt_error *err;
	uint64_t ns, shift;
	bool complete;

	if (!clock->addr || stop->since_ns < clock->last_host_ns + INTERVAL_NS)
		return NULL;
	if (!view_read(view, &batch, clock->addr, image))
		return kt_error_no_memory();
	err = stop_read(stop, &batch, &complete);
	shift = complete ? view_uint(view, image, TK_SHIFT) : UINT64_MAX;
	if (err || shift >= 64)
		return err;
	ns = (view_uint(view, image, TK_NSEC) >> shift) + view_uint(view, image, TK_MONO_NSEC) +
	     (view_uint(view, image, TK_SEC) + view_uint(view, image, TK_MONO_SEC)) * SECOND_NS;
	if (!clock->host_ns) {
		clock->host_ns = stop->since_ns;
		clock->guest_ns = (int64_t)ns;
	}
	clock->last_host_ns = stop->since_ns;
	clock->last_guest_ns = (int64_t)ns;
	return NULL;
}

bool guest_clock_behind(const struct guest_clock *clock, int64_t *ret)
{
	int64_t host_ns = clock->last_host_ns - clock->host_ns;

	*ret = (int64_t)((uint64_t)host_ns -
			 ((uint64_t)clock->last_guest_ns - (uint64_t)clock->guest_ns));
	/* What no guest's clock does: it was set, or is not where it should be. */
	return host_ns >= (int64_t)SECOND_NS && *ret <= host_ns && *ret > -host_ns;
}
