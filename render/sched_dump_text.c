// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <string.h>

#include "model/json.h"
#include "render/sched.h"
#include "render/sched_dump.h"
#include "render/sched_event.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"

static void put_head(struct kt_buf *out, const struct sched_saved *saved)
{
	kt_buf_appends(out, "Linux ");
	render_append_visible(out, saved->release ? saved->release : "-", false);
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

/* "  scx_claim_exit+0x1d", a guess as in an oops: "  ? schedule+0x28" */
static void put_stack(struct kt_buf *out, const struct sched_dump *dump)
{
	if (!dump->n_frames)
		return;
	kt_buf_appends(out, "\nthe stack of that CPU:\n");
	for (size_t i = 0; i < dump->n_frames; i++) {
		const struct sched_frame *frame = &dump->frames[i];

		kt_buf_appends(out, frame->is_guess ? "  ? " : "  ");
		if (frame->func) {
			render_append_visible(out, frame->func, false);
			kt_buf_printf(out, "+%#" PRIx64 "\n", frame->offset);
		} else {
			kt_buf_printf(out, "%#" PRIx64 "\n", frame->addr);
		}
	}
	if (dump->frames_cut)
		kt_buf_appends(out, "  ...\n");
}

static void put_variable(struct kt_buf *out, const char *name, const json_t *value)
{
	_cleanup_free_ char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	kt_buf_appends(out, "  ");
	render_append_visible(out, name, false);
	kt_buf_appends(out, " = ");
	render_append_visible(out, text ? text : "?", false);
	kt_buf_appendc(out, '\n');
}

/* {".bss": [{"enqueued": 1}, ...]}, as bpftool has a section's variables */
static void put_section(struct kt_buf *out, const json_t *section)
{
	const char *name = kt_json_get_text(json_object_get(section, "name"));
	const json_t *variables = json_object_get(section, "variables");
	const char *key;
	json_t *value;

	kt_buf_appendc(out, '\n');
	render_append_visible(out, name ? name : "-", false);
	kt_buf_appends(out, json_is_object(variables) ? ":\n" : ": its types are not known\n");
	json_object_foreach((json_t *)(uintptr_t)variables, key,
			    value) for (size_t i = 0; i < json_array_size(value); i++)
	{
		json_t *one = json_array_get(value, i), *of;
		const char *variable;

		json_object_foreach(one, variable, of) put_variable(out, variable, of);
	}
}

struct kt_error *render_sched_dump_text(const struct sched_saved *saved, size_t width, bool color,
					char **ret)
{
	const struct sched_dump *dump = saved->event.dump;
	const json_t *sections = json_object_get(saved->document, "sections");
	_cleanup_free_ char *line = NULL, *sched = NULL;
	struct kt_buf out = KT_BUF_INIT;
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
	for (size_t i = 0; i < json_array_size(sections); i++)
		put_section(&out, json_array_get(sections, i));
	if (sched)
		kt_buf_printf(&out, "\nsched_ext at that instant:\n\n%s", sched);
	return kt_buf_finish(&out, ret);
}
