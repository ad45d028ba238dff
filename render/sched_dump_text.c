// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "model/json.h"
#include "render/sched.h"
#include "render/sched_dump.h"
#include "render/sched_event.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* "Linux 7.1.0, on 2026-11-30": the line of the event has the time of that day. */
static void put_head(struct kt_buf *out, const struct sched_saved *saved)
{
	time_t when = (time_t)(saved->event.at_ns / 1000000000);
	char day[32];
	struct tm tm;

	kt_buf_appends(out, "Linux ");
	render_append_visible(out, saved->release ? saved->release : "-", false);
	if (saved->event.at_ns && localtime_r(&when, &tm) && strftime(day, sizeof(day), "%F", &tm))
		kt_buf_printf(out, ", on %s", day);
	kt_buf_appendc(out, '\n');
}

static void put_task(struct kt_buf *out, const char *what, const struct scx_task *task)
{
	if (!task->pid.known)
		return;
	kt_buf_printf(out, "%s: ", what);
	render_append_visible(out, *task->comm ? task->comm : "-", false);
	kt_buf_printf(out, "[%" PRIu64 "]", task->pid.value);
	if (task->waits_ms.known)
		kt_buf_printf(out, ", has waited for %" PRIu64 " ms", task->waits_ms.value);
	kt_buf_appendc(out, '\n');
}

static void put_frames(struct kt_buf *out, const struct sched_dump *dump, size_t max,
		       const char *indent)
{
	for (size_t i = 0; i < dump->n_frames && i < max; i++) {
		kt_buf_appends(out, indent);
		render_append_scx_frame(out, &dump->frames[i]);
	}
	if (dump->frames_cut || dump->n_frames > max)
		kt_buf_printf(out, "%s...\n", indent);
}

static void put_stack(struct kt_buf *out, const struct sched_dump *dump)
{
	if (!dump->n_frames)
		return;
	kt_buf_appends(out, "\nthe stack of that CPU:\n");
	put_frames(out, dump, SIZE_MAX, "  ");
}

/* --- the sum --- */

#define SUM_FRAMES 5

static void put_visible(struct kt_buf *out, const char *before, const char *text)
{
	if (!text || !*text)
		return;
	kt_buf_appends(out, before);
	render_append_visible(out, text, false);
}

void render_append_sched_end(struct kt_buf *out, const struct sched_saved *saved)
{
	const struct sched_event *event = &saved->event;
	const struct sched_dump *dump = event->dump;
	const struct scx_exit *exit = &event->exit;

	kt_buf_appends(out, "how it ended: ");
	if (*event->panic) {
		kt_buf_appends(out, "panic: ");
		/* A format, which may end with a newline. */
		render_append_visible_bytes(out, event->panic, strcspn(event->panic, "\n"), false);
	} else {
		put_visible(out, "", exit->kind_name ? exit->kind_name : "its kind is not known");
		put_visible(out, ", ", exit->reason);
		put_visible(out, ": ", exit->message);
	}
	kt_buf_appendc(out, '\n');
	if (event->cpu.known)
		kt_buf_printf(out, "  on CPU %" PRIu64 "\n", event->cpu.value);
	put_task(out, "  where ran", &dump->task);
	put_task(out, "  to blame", &saved->blamed);
	put_frames(out, dump, SUM_FRAMES, "    ");
}

static struct kt_error *put_variable(struct kt_buf *out, const char *name, json_t *value)
{
	_cleanup_free_ char *text = NULL;
	/* Not json_dumps(): kt_json_load() keeps integers of 2^63 and more in its own way. */
	struct kt_error *err = kt_json_dump_line(json_incref(value), &text);

	if (err)
		return err;
	kt_buf_appends(out, "  ");
	render_append_visible(out, name, false);
	kt_buf_appends(out, " = ");
	render_append_visible(out, text, false);
	kt_buf_appendc(out, '\n');
	return NULL;
}

static struct kt_error *put_variables(struct kt_buf *out, json_t *variables)
{
	struct kt_error *err = NULL;
	const char *name;
	json_t *value;

	json_object_foreach(variables, name, value)
	{
		err = err ? err : put_variable(out, name, value);
	}
	return err;
}

/* {".bss": [{"enqueued": 1}, ...]}, as bpftool has a section's variables */
static struct kt_error *put_section(struct kt_buf *out, const json_t *section)
{
	const char *name = kt_json_get_text(json_object_get(section, "name"));
	const json_t *variables = json_object_get(section, "variables");
	struct kt_error *err = NULL;
	const char *key;
	json_t *value;

	kt_buf_appendc(out, '\n');
	render_append_visible(out, name ? name : "-", false);
	kt_buf_appends(out, json_is_object(variables) ? ":\n" : ": its types are not known\n");
	json_object_foreach((json_t *)(uintptr_t)variables, key, value)
	{
		for (size_t i = 0; i < json_array_size(value) && !err; i++)
			err = put_variables(out, json_array_get(value, i));
	}
	return err;
}

struct kt_error *render_sched_dump_text(const struct sched_saved *saved, size_t width, bool color,
					char **ret)
{
	const struct sched_dump *dump = saved->event.dump;
	const json_t *sections = json_object_get(saved->document, "sections");
	_cleanup_free_ char *line = NULL, *sched = NULL;
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;
	const struct scx_exit *exit = &saved->event.exit;
	struct kt_error *err = render_sched_event_line(&saved->event, &line);

	if (!err && dump->snapshot_known)
		err = render_sched_text(&dump->snapshot, width, color, &sched);
	if (err)
		return err;
	put_head(&out, saved);
	kt_buf_appends(&out, line);
	put_task(&out, "to blame", &saved->blamed);
	if (*dump->why) {
		kt_buf_appends(&out, "not all could be read: ");
		render_append_visible(&out, dump->why, false);
		kt_buf_appendc(&out, '\n');
	}
	put_stack(&out, dump);
	if (exit->kind.known && exit->kind.value)
		kt_buf_appends(&out, "\nwhat the kernel says of the end:\n");
	render_append_scx_exit(&out, exit, width);
	for (size_t i = 0; i < json_array_size(sections) && !err; i++)
		err = put_section(&out, json_array_get(sections, i));
	if (err)
		return err;
	if (sched)
		kt_buf_printf(&out, "\nsched_ext at that instant:\n\n%s", sched);
	render_append_scx_exit_dump(&out, exit);
	return kt_buf_finish(&out, ret);
}
