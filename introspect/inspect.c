// SPDX-License-Identifier: LGPL-2.1-or-later
#include "introspect/inspect.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* What has to be let go of, whichever way the stop ends. */
struct stop {
	struct rsp_client *client;
	struct guest *guest;
	struct bpf_progs *progs;
};

static void stop_deinit(struct stop *stop)
{
	bpf_progs_destroy(stop->progs);
	guest_destroy(stop->guest);
	rsp_client_destroy(stop->client);
}

/* Nanoseconds since *mark, which moves to now. */
static int64_t lap(int64_t *mark)
{
	int64_t now = kt_now_ns(), ns = now - *mark;

	*mark = now;
	return ns;
}

static struct kt_error *read_stopped(struct stop *stop, const struct kfacts *facts,
				     const struct inspect_options *what, int64_t *mark,
				     struct inspection *out)
{
	struct source source = source_from_stub(stop->client);
	struct kt_error *err = guest_create(&source, facts, what->hint, &stop->guest);

	if (err)
		return err;
	out->timing.locate_ns = lap(mark);
	out->kaslr_offset = guest_kaslr_offset(stop->guest);
	err = bpf_progs_read(stop->guest, &stop->progs);
	if (err)
		return kt_error_wrap(err, "cannot read the guest's BPF programs");
	if (what->scx)
		err = scx_read(stop->guest, &out->scx);
	if (err)
		return kt_error_wrap(err, "cannot read the guest's sched_ext state");
	out->timing.read_ns = lap(mark);
	return NULL;
}

struct kt_error *inspect_programs(const struct rsp_target *target,
				  const struct rsp_options *options, const struct kfacts *facts,
				  const struct inspect_options *what, struct inspection *ret)
{
	_cleanup_(stop_deinit) struct stop stop = {0};
	struct inspection out = {0};
	const struct rsp_stats *stats;
	struct kt_error *err, *detach_err;
	int64_t mark = kt_now_ns();

	err = rsp_client_connect(target, options, &stop.client);
	if (err)
		return err;
	out.timing.connect_ns = lap(&mark);
	out.was_paused = !rsp_client_was_running(stop.client);
	err = read_stopped(&stop, facts, what, &mark, &out);
	detach_err = rsp_client_detach(stop.client);
	out.timing.detach_ns = lap(&mark);
	if (err) {
		/* The first error is the one that matters; that the guest stands still, more. */
		if (detach_err) {
			const char *what_to_do = kt_error_hint_text(detach_err);

			err = kt_error_wrap(err, "%s", kt_error_message(detach_err));
			if (what_to_do)
				err = kt_error_hint(err, "%s", what_to_do);
		}
		kt_error_destroy(detach_err);
		return err;
	}
	if (detach_err)
		return detach_err;
	stats = rsp_client_stats(stop.client);
	out.timing.pause_ns = stats->pause_ns;
	out.timing.requests = stats->requests;
	out.timing.bytes_read = stats->bytes_read;
	out.timing.round_trips = stats->round_trips;
	err = bpf_progs_finish(stop.progs, facts, &out.programs);
	if (err)
		return err;
	out.timing.finish_ns = lap(&mark);
	*ret = out;
	return NULL;
}

void inspection_deinit(struct inspection *inspection)
{
	programs_deinit(&inspection->programs);
}
