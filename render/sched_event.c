// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/sched_event.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"

static const char *const names[SCHED_EVENT_KINDS] = {
	[SCHED_RUNNING] = "running", [SCHED_ENABLING] = "enabling", [SCHED_ENABLED] = "enabled",
	[SCHED_BYPASS] = "bypass",   [SCHED_HOTPLUG] = "hotplug",   [SCHED_REJECTED] = "rejected",
	[SCHED_EXIT] = "exit",       [SCHED_DISABLED] = "disabled", [SCHED_PANIC] = "panic",
};

const char *render_sched_event_name(const struct sched_event *event)
{
	return event->kind == SCHED_EXIT && event->is_error ? "error" : names[event->kind];
}

/* --- text --- */

/* "runnable task stall: stress[12] failed to run for 5.001s", as dmesg has it */
static void put_exit(struct kt_buf *out, const struct scx_exit *exit)
{
	if (!exit->kind.known)
		return;
	kt_buf_appends(out, "  ");
	if (exit->reason)
		render_append_visible(out, exit->reason, false);
	else if (exit->kind_name)
		render_append_visible(out, exit->kind_name, false);
	else
		kt_buf_printf(out, "exit kind %" PRIu64, exit->kind.value);
	if (exit->message) {
		kt_buf_appends(out, ": ");
		render_append_visible(out, exit->message, false);
	}
}

static void put_count(struct kt_buf *out, const struct sched_event *e, const char *what)
{
	kt_buf_printf(out, "  %s %" PRIu64, what, e->count.value);
	if (e->more > 1)
		kt_buf_printf(out, " (%" PRIu64 " more)", e->more);
}

static void put_details(struct kt_buf *out, const struct sched_event *e)
{
	switch (e->kind) {
	case SCHED_ENABLED: put_count(out, e, "enable_seq"); break;
	case SCHED_HOTPLUG: put_count(out, e, "hotplug_seq"); break;
	case SCHED_REJECTED:
		if (e->rejected_pid.known) {
			kt_buf_appends(out, "  ");
			render_append_visible(out, e->rejected_comm, false);
			kt_buf_printf(out, "[%" PRIu64 "]", e->rejected_pid.value);
		}
		put_count(out, e, "nr_rejected");
		break;
	case SCHED_BYPASS:
		kt_buf_printf(out, "  %s", e->on.value ? "begins" : "ends");
		if (e->depth.known)
			kt_buf_printf(out, ", depth %" PRId32 " to %" PRId32,
				      (int32_t)e->depth.value,
				      (int32_t)e->depth.value + (e->on.value ? 1 : -1));
		break;
	case SCHED_EXIT:
	case SCHED_DISABLED: put_exit(out, &e->exit); break;
	case SCHED_PANIC:
		kt_buf_appends(out, "  ");
		render_append_visible(out, e->panic, false);
		break;
	default: break;
	}
}

struct kt_error *render_sched_event_line(const struct sched_event *e, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	time_t seconds = (time_t)(e->at_ns / 1000000000);
	char when[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	kt_buf_printf(&out, "%s.%03d  %-8s  ", when, (int)(e->at_ns / 1000000 % 1000),
		      render_sched_event_name(e));
	render_append_visible(&out, *e->ops ? e->ops : "-", false);
	put_details(&out, e);
	if (e->cpu.known)
		kt_buf_printf(&out, "  CPU %" PRIu64, e->cpu.value);
	if (e->pid.known) {
		kt_buf_appends(&out, "  by ");
		render_append_visible(&out, e->comm, false);
		kt_buf_printf(&out, "[%" PRIu64 "]", e->pid.value);
	}
	if (e->late)
		kt_buf_appends(&out, "  (seen later)");
	kt_buf_appendc(&out, '\n');
	return kt_buf_finish(&out, ret);
}

/* --- JSON --- */

json_t *render_sched_frames_json(const struct scx_frame *frames, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *frame = json_object();

		json_object_set_new(frame, "addr", kt_json_u64(frames[i].addr));
		json_object_set_new(frame, "func", kt_json_text(frames[i].func));
		json_object_set_new(frame, "offset",
				    frames[i].func ? kt_json_u64(frames[i].offset) : json_null());
		json_object_set_new(frame, "module", kt_json_text(frames[i].module));
		json_object_set_new(frame, "guess", json_boolean(frames[i].is_guess));
		json_array_append_new(array, frame);
	}
	return array;
}

/* One line, so that a reader of the stream can take each object as it comes. */
static struct kt_error *dump_line(json_t *root, char **ret)
{
	struct kt_buf buf = KT_BUF_INIT;
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = kt_json_dump_line(root, &text);

	if (err)
		return err;
	kt_buf_printf(&buf, "%s\n", text);
	return kt_buf_finish(&buf, ret);
}

/* Without what is long: the dump has that. */
static json_t *brief_exit_json(const struct scx_exit *exit)
{
	json_t *object = json_object();

	json_object_set_new(object, "kind", kt_json_number(exit->kind));
	json_object_set_new(object, "kind_name", kt_json_text(exit->kind_name));
	json_object_set_new(object, "code",
			    exit->code.known ? json_integer((json_int_t)exit->code.value)
					     : json_null());
	json_object_set_new(object, "cpu", kt_json_number(exit->cpu));
	json_object_set_new(object, "reason", kt_json_text(exit->reason));
	json_object_set_new(object, "message", kt_json_text(exit->message));
	return object;
}

static json_t *rejected_json(const struct sched_event *e)
{
	json_t *object;

	if (!e->rejected_pid.known)
		return json_null();
	object = json_object();
	json_object_set_new(object, "pid", kt_json_number(e->rejected_pid));
	json_object_set_new(object, "comm", kt_json_text(e->rejected_comm));
	return object;
}

struct kt_error *render_sched_event_json(const struct sched_event *e, const char *file, char **ret)
{
	json_t *root = json_object();
	bool ends = e->kind == SCHED_EXIT || e->kind == SCHED_DISABLED;

	json_object_set_new(root, "event", json_string(render_sched_event_name(e)));
	json_object_set_new(root, "at_us", json_integer(e->at_ns / 1000));
	json_object_set_new(root, "late", json_boolean(e->late));
	json_object_set_new(root, "ops", kt_json_text(*e->ops ? e->ops : NULL));
	json_object_set_new(root, "cpu", kt_json_number(e->cpu));
	json_object_set_new(root, "pid", kt_json_number(e->pid));
	json_object_set_new(root, "comm", kt_json_text(*e->comm ? e->comm : NULL));
	json_object_set_new(root, "begins", e->on.known ? json_boolean(e->on.value) : json_null());
	json_object_set_new(root, "depth",
			    e->depth.known ? json_integer((int32_t)e->depth.value) : json_null());
	json_object_set_new(root, "count", kt_json_number(e->count));
	json_object_set_new(root, "more", e->count.known ? kt_json_u64(e->more) : json_null());
	json_object_set_new(root, "rejected", rejected_json(e));
	json_object_set_new(root, "exit",
			    ends && e->exit.kind.known ? brief_exit_json(&e->exit) : json_null());
	json_object_set_new(root, "panic", kt_json_text(*e->panic ? e->panic : NULL));
	json_object_set_new(root, "dump", kt_json_text(file));
	json_object_set_new(root, "pause_us", json_integer(e->pause_ns / 1000));
	return dump_line(root, ret);
}

struct kt_error *render_sched_begin_json(const char *release, const char *points, char **ret)
{
	json_t *root = json_object();

	json_object_set_new(root, "event", json_string("begin"));
	json_object_set_new(root, "schema", json_string("ktstr-gdb.sched-watch.v1"));
	json_object_set_new(root, "release", kt_json_text(*release ? release : NULL));
	json_object_set_new(root, "points", kt_json_text(points));
	return dump_line(root, ret);
}

struct kt_error *render_sched_end_json(uint64_t events, uint64_t stops, int64_t paused_ns,
				       int64_t elapsed_ns, const char *ended, char **ret)
{
	json_t *root = json_object();

	json_object_set_new(root, "event", json_string("end"));
	json_object_set_new(root, "events", kt_json_u64(events));
	json_object_set_new(root, "stops", kt_json_u64(stops));
	json_object_set_new(root, "pause_us", json_integer(paused_ns / 1000));
	json_object_set_new(root, "elapsed_us", json_integer(elapsed_ns / 1000));
	json_object_set_new(root, "ended", kt_json_text(ended));
	return dump_line(root, ret);
}
