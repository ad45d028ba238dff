// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "render/grid.h"
#include "render/sched.h"
#include "render/text.h"
#include "util/cleanup.h"

static const struct render_cell unknown = {.known = false};

/* --- CPUs: those that are alike are one row --- */

struct cpu_row {
	char *cpus; /* "0-3,7" */
	const struct scx_cpu *cpu;
	struct program_number depth;
	size_t n;
};

struct cpu_rows {
	KT_VEC(struct cpu_row) v;
};

static void cpu_rows_deinit(struct cpu_rows *rows)
{
	kt_vec_for_each (&rows->v, row)
		free(row->cpus);
	kt_vec_free(&rows->v);
}

static bool same_number(struct program_number a, struct program_number b)
{
	return a.known == b.known && a.value == b.value;
}

static bool same_text(const char *a, const char *b)
{
	return !a == !b && (!a || !strcmp(a, b));
}

/* Idle tasks are alike, and any other task is on one CPU only. */
static bool same_current(const struct scx_cpu *a, const struct scx_cpu *b)
{
	if (!a->has_current || !b->has_current)
		return a->has_current == b->has_current;
	return same_number(a->current.pid, b->current.pid);
}

static struct program_number depth_of(const struct scx_snapshot *snapshot,
				      const struct scx_cpu *cpu)
{
	return cpu->queue == SCX_NOBODY ? (struct program_number){0}
					: snapshot->queues[cpu->queue].depth;
}

static bool is_like(const struct cpu_row *row, const struct scx_cpu *cpu,
		    struct program_number depth)
{
	const struct scx_cpu *other = row->cpu;

	return same_number(row->depth, depth) && same_number(other->online, cpu->online) &&
	       same_number(other->nr_running, cpu->nr_running) &&
	       same_text(other->flag_names, cpu->flag_names) &&
	       same_number(other->idle, cpu->idle) &&
	       same_number(other->idle_core, cpu->idle_core) && same_current(other, cpu);
}

/* The CPUs that are in row k, as ranges. */
static struct kt_error *list_cpus(const struct scx_snapshot *snapshot, const size_t *row_of,
				  size_t k, char **ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;

	for (size_t i = 0; i < snapshot->n_cpus; i++) {
		size_t last = i;

		if (row_of[i] != k)
			continue;
		while (last + 1 < snapshot->n_cpus && row_of[last + 1] == k &&
		       snapshot->cpus[last + 1].cpu == snapshot->cpus[last].cpu + 1)
			last++;
		kt_buf_printf(&text, "%s%" PRIu32, text.len ? "," : "", snapshot->cpus[i].cpu);
		if (last > i)
			kt_buf_printf(&text, "-%" PRIu32, snapshot->cpus[last].cpu);
		i = last;
	}
	return kt_buf_finish(&text, ret);
}

static struct kt_error *group_cpus(const struct scx_snapshot *snapshot, struct cpu_rows *ret)
{
	_cleanup_free_ size_t *row_of = calloc(snapshot->n_cpus + 1, sizeof(*row_of));
	struct kt_error *err = NULL;

	if (!row_of)
		return kt_error_no_memory();
	for (size_t i = 0; i < snapshot->n_cpus; i++) {
		const struct scx_cpu *cpu = &snapshot->cpus[i];
		struct program_number depth = depth_of(snapshot, cpu);
		size_t k = 0;

		while (k < ret->v.len && !is_like(&ret->v.data[k], cpu, depth))
			k++;
		row_of[i] = k;
		if (k == ret->v.len &&
		    !kt_vec_push(&ret->v, (struct cpu_row){.cpu = cpu, .depth = depth}))
			return kt_error_no_memory();
		ret->v.data[k].n++;
	}
	for (size_t k = 0; k < ret->v.len && !err; k++)
		err = list_cpus(snapshot, row_of, k, &ret->v.data[k].cpus);
	return err;
}

static struct render_cell get_count(const void *row)
{
	return render_number_cell(true, ((const struct cpu_row *)row)->n);
}

static const struct scx_cpu *cpu_of(const void *row)
{
	return ((const struct cpu_row *)row)->cpu;
}

static struct render_cell get_state(const void *row)
{
	const struct scx_cpu *cpu = cpu_of(row);

	if (cpu->online.known && !cpu->online.value)
		return render_string_cell("offline");
	if (!cpu->idle.known)
		return unknown;
	return render_string_cell(cpu->idle_core.value ? "idle core"
				  : cpu->idle.value    ? "idle"
						       : "busy");
}

static struct render_cell get_running(const void *row)
{
	return render_number_cell(cpu_of(row)->nr_running.known, cpu_of(row)->nr_running.value);
}

static struct render_cell get_flags(const void *row)
{
	return render_string_cell(cpu_of(row)->flag_names);
}

static struct render_cell get_pid(const void *row)
{
	const struct scx_task *task = &cpu_of(row)->current;

	return render_number_cell(cpu_of(row)->has_current && task->pid.value, task->pid.value);
}

static struct render_cell get_current(const void *row)
{
	const struct scx_cpu *cpu = cpu_of(row);

	if (!cpu->has_current)
		return unknown;
	return render_string_cell(cpu->current.pid.value ? cpu->current.comm : "swapper");
}

static struct render_cell get_class(const void *row)
{
	const struct scx_cpu *cpu = cpu_of(row);

	return cpu->has_current ? render_string_cell(cpu->current.is_ext ? "yes" : "no") : unknown;
}

/* clang-format off */
static const struct render_column cpu_columns[] = {
	{"n", NULL, "CPUS", &render_as_number, RENDER_GET(get_count), .flags = RENDER_ALWAYS},
	{"state", NULL, "STATE", &render_as_text, RENDER_GET(get_state)},
	{"nr_running", NULL, "RUNNABLE", &render_as_number, RENDER_GET(get_running)},
	{"local", NULL, "LOCAL", &render_as_number, RENDER_KNOWN(struct cpu_row, depth)},
	{"task", NULL, "CURRENT", &render_as_text, RENDER_GET(get_current)},
	{"pid", NULL, "PID", &render_as_number, RENDER_GET(get_pid)},
	{"ext", NULL, "EXT", &render_as_text, RENDER_GET(get_class), .leave = 1},
	{"flags", NULL, "FLAGS", &render_as_text, RENDER_GET(get_flags), .longest = 24, .leave = 2},
	{"cpu", NULL, "WHICH", &render_as_text, RENDER_STRING(struct cpu_row, cpus), .flags = RENDER_ALWAYS | RENDER_WRAP},
};
/* clang-format on */

/* --- queues: a row for each task that waits --- */

struct task_row {
	char *queue;
	const struct scx_queue *of;
	const struct scx_task *task; /* NULL: a queue whose tasks are unknown */
};

struct task_rows {
	KT_VEC(struct task_row) v;
};

static void task_rows_deinit(struct task_rows *rows)
{
	kt_vec_for_each (&rows->v, row)
		free(row->queue);
	kt_vec_free(&rows->v);
}

/* "local 3", "global node 1", "user 0x2", "bypass 3"; "global -": its node is unknown */
static char *queue_name(const struct scx_queue *queue)
{
	const char *kind = render_queue_kind(queue->kind);
	char *name = NULL;
	int len;

	if (queue->kind == SCX_QUEUE_USER)
		len = asprintf(&name, "%s %#" PRIx64, kind, queue->id);
	else if (queue->cpu.known)
		len = asprintf(&name, "%s %" PRIu64, kind, queue->cpu.value);
	else if (queue->node.known)
		len = asprintf(&name, "%s node %" PRIu64, kind, queue->node.value);
	else
		len = asprintf(&name, "%s -", kind);
	return len < 0 ? NULL : name;
}

static bool is_empty(const struct scx_queue *queue)
{
	return !queue->n_tasks && !queue->is_torn && !queue->is_cut &&
	       !(queue->depth.known && queue->depth.value);
}

static struct kt_error *add_tasks(const struct scx_queue *queue, struct task_rows *rows)
{
	for (size_t i = 0; i < queue->n_tasks || (!i && !queue->n_tasks); i++) {
		struct task_row row = {.of = queue,
				       .queue = queue_name(queue),
				       .task = queue->n_tasks ? &queue->tasks[i] : NULL};

		if (!row.queue || !kt_vec_push(&rows->v, row)) {
			free(row.queue);
			return kt_error_no_memory();
		}
	}
	return NULL;
}

static const struct scx_task *task_of(const void *row)
{
	return ((const struct task_row *)row)->task;
}

static struct render_cell get_depth(const void *row)
{
	const struct scx_queue *queue = ((const struct task_row *)row)->of;

	return render_number_cell(queue->depth.known, queue->depth.value);
}

static struct render_cell get_comm(const void *row)
{
	return task_of(row) && task_of(row)->comm[0] ? render_string_cell(task_of(row)->comm)
						     : unknown;
}

#define GET_NUMBER(name, member)                                                                   \
	static struct render_cell name(const void *row)                                            \
	{                                                                                          \
		const struct scx_task *task = task_of(row);                                        \
		return task ? render_number_cell(task->member.known, task->member.value)           \
			    : unknown;                                                             \
	}
GET_NUMBER(get_task_pid, pid)
GET_NUMBER(get_waits, waits_ms)
GET_NUMBER(get_weight, weight)

static struct render_cell get_slice(const void *row)
{
	const struct scx_task *task = task_of(row);

	if (!task || !task->slice_ns.known)
		return unknown;
	if (task->slice_ns.value == UINT64_MAX)
		return render_string_cell("inf");
	return render_number_cell(true, task->slice_ns.value / 1000);
}

/* It orders tasks only where the queue is ordered by it. */
static struct render_cell get_vtime(const void *row)
{
	const struct task_row *task = row;

	return task->task && task->of->is_by_vtime
		       ? render_number_cell(task->task->vtime.known, task->task->vtime.value)
		       : unknown;
}

static struct render_cell get_mark(const void *row)
{
	const struct scx_queue *queue = ((const struct task_row *)row)->of;

	return queue->is_torn     ? render_string_cell("torn")
	       : queue->is_cut    ? render_string_cell("cut")
	       : queue->is_uneven ? render_string_cell("uneven")
				  : unknown;
}

/* clang-format off */
static const struct render_column task_columns[] = {
	{"queue", NULL, "QUEUE", &render_as_text, RENDER_STRING(struct task_row, queue), .flags = RENDER_ALWAYS, .longest = 24},
	{"depth", NULL, "DEPTH", &render_as_number, RENDER_GET(get_depth), .flags = RENDER_ALWAYS},
	{"mark", NULL, "MARK", &render_as_text, RENDER_GET(get_mark)},
	{"task", NULL, "TASK", &render_as_text, RENDER_GET(get_comm), .flags = RENDER_ALWAYS},
	{"pid", NULL, "PID", &render_as_number, RENDER_GET(get_task_pid)},
	{"waits_ms", NULL, "WAITS ms", &render_as_number, RENDER_GET(get_waits)},
	{"weight", NULL, "WEIGHT", &render_as_number, RENDER_GET(get_weight), .leave = 2},
	{"slice", NULL, "SLICE us", &render_as_number, RENDER_GET(get_slice), .leave = 1},
	{"vtime", NULL, "VTIME", &render_as_number, RENDER_GET(get_vtime)},
};

static const struct render_column op_columns[] = {
	{"op", NULL, "OP", &render_as_text, RENDER_STRING(struct scx_op, name), .flags = RENDER_ALWAYS, .longest = 24},
	{"id", NULL, "ID", &render_as_id, RENDER_KNOWN(struct scx_op, prog_id), .flags = RENDER_ALWAYS},
	{"name", NULL, "PROGRAM", &render_as_text, RENDER_STRING(struct scx_op, prog_name), .longest = 24},
	{"verified_insns", NULL, "VERIFIED", &render_as_number, RENDER_KNOWN(struct scx_op, verified_insns)},
	{"run_cnt", NULL, "RUNS", &render_as_number, RENDER_KNOWN(struct scx_op, run_cnt)},
	{"run_time_ns", NULL, "RUN ns", &render_as_number, RENDER_KNOWN(struct scx_op, run_time_ns), .leave = 1},
};
/* clang-format on */

/* --- the page --- */

struct page {
	const struct scx_snapshot *snapshot;
	size_t width;
	bool color;
	struct kt_buf *out;
};

static struct kt_error *append_table(const struct page *page, struct render_grid grid)
{
	kt_buf_appends(page->out, "\n");
	return render_grid_table(&grid, page->width, page->color, page->out);
}

/* A line that is broken where the terminal ends. */
static void append_line(const struct page *page, struct kt_buf *line)
{
	render_append_wrapped(page->out, line->data ? line->data : "",
			      page->width ? page->width : SIZE_MAX, "  ");
	kt_buf_appends(page->out, "\n");
	line->len = 0;
}

static void append_number(struct kt_buf *out, const char *what, struct program_number number)
{
	if (number.known)
		kt_buf_printf(out, ", %s %" PRId64, what, (int64_t)number.value);
	else
		kt_buf_printf(out, ", %s -", what);
}

static void append_head(const struct page *page)
{
	const struct scx_snapshot *s = page->snapshot;
	_cleanup_(kt_buf_deinit) struct kt_buf line = KT_BUF_INIT;

	kt_buf_appends(&line, "sched_ext is ");
	render_append_visible(&line, s->state.known ? s->state.state : "-", false);
	if (s->switched_all.known && s->n_schedulers && s->schedulers[0].is_root)
		kt_buf_printf(&line, " for %s",
			      s->switched_all.value ? "all normal tasks"
						    : "tasks of policy SCHED_EXT");
	append_number(&line, "enable_seq", s->enable_seq);
	append_number(&line, "hotplug_seq", s->hotplug_seq);
	append_number(&line, "nr_rejected", s->nr_rejected);
	append_line(page, &line);
	if (s->watchdog_timeout_ms.known || s->watchdog_age_ms.known) {
		kt_buf_appends(&line, "watchdog:");
		append_number(&line, "timeout ms", s->watchdog_timeout_ms);
		append_number(&line, "looked ms ago", s->watchdog_age_ms);
		memmove(line.data + 9, line.data + 10, line.len - 9); /* the first comma */
		line.len--;
		append_line(page, &line);
	}
}

static void append_since(struct kt_buf *out, const struct scx_scheduler *scheduler)
{
	time_t when = (time_t)(scheduler->since_ns.value / 1000000000);
	char stamp[32];
	struct tm tm;

	if (scheduler->since_ns.known && localtime_r(&when, &tm) &&
	    strftime(stamp, sizeof(stamp), "%F %T", &tm))
		kt_buf_printf(out, ", since %s", stamp);
}

void render_append_scx_frame(struct kt_buf *out, const struct scx_frame *frame)
{
	kt_buf_appends(out, frame->is_guess ? "? " : "");
	if (frame->func) {
		render_append_visible(out, frame->func, false);
		kt_buf_printf(out, "+%#" PRIx64, frame->offset);
	} else {
		kt_buf_printf(out, "%#" PRIx64, frame->addr);
	}
	if (frame->module) {
		kt_buf_appends(out, " [");
		render_append_visible(out, frame->module, false);
		kt_buf_appendc(out, ']');
	}
	kt_buf_appendc(out, '\n');
}

void render_append_scx_exit(struct kt_buf *out, const struct scx_exit *exit, size_t width)
{
	const struct page whole = {.width = width, .out = out}, *page = &whole;
	_cleanup_(kt_buf_deinit) struct kt_buf line = KT_BUF_INIT;

	if (!exit->kind.known || !exit->kind.value)
		return;
	kt_buf_printf(&line, "exit: kind %" PRIu64, exit->kind.value);
	if (exit->kind_name) {
		kt_buf_appendc(&line, ' ');
		render_append_visible(&line, exit->kind_name, false);
	}
	if (exit->reason) {
		kt_buf_appends(&line, " (");
		render_append_visible(&line, exit->reason, false);
		kt_buf_appends(&line, ")");
	}
	append_number(&line, "code", exit->code);
	if (exit->cpu.known)
		append_number(&line, "CPU", exit->cpu);
	append_line(page, &line);
	if (exit->message) {
		kt_buf_appends(page->out, "  ");
		render_append_visible(page->out, exit->message, true);
		kt_buf_appends(page->out, "\n");
	}
	for (size_t i = 0; i < exit->n_frames; i++) {
		kt_buf_appends(page->out, "    ");
		render_append_scx_frame(page->out, &exit->frames[i]);
	}
}

void render_append_scx_exit_dump(struct kt_buf *out, const struct scx_exit *exit)
{
	if (!exit->dump)
		return;
	kt_buf_printf(out, "\nThe kernel's dump of that exit%s:\n",
		      exit->dump_is_cut ? " (it is longer)" : "");
	render_append_visible(out, exit->dump, true);
	kt_buf_appends(out, "\n");
}

static void append_events(const struct page *page, const struct scx_scheduler *scheduler)
{
	size_t zeros = 0;

	if (!scheduler->events_known)
		return;
	for (size_t i = 0; i < scheduler->n_events; i++)
		zeros += !scheduler->events[i].value;
	kt_buf_printf(page->out, "\nevents%s\n",
		      zeros == scheduler->n_events ? ": none"
		      : zeros                      ? ", all others are 0:"
						   : ":");
	for (size_t i = 0; i < scheduler->n_events; i++) {
		const struct scx_event *event = &scheduler->events[i];

		if (!event->value)
			continue;
		kt_buf_appends(page->out, "  ");
		render_append_visible(page->out, event->name, false);
		kt_buf_printf(page->out, " %" PRId64 "\n", event->value);
	}
}

static struct kt_error *append_scheduler(const struct page *page, size_t i)
{
	const struct scx_scheduler *scheduler = &page->snapshot->schedulers[i];
	_cleanup_(kt_buf_deinit) struct kt_buf line = KT_BUF_INIT;

	kt_buf_appends(page->out, "\n");
	kt_buf_printf(&line, "%s ",
		      scheduler->is_attached && !scheduler->is_root ? "sub-scheduler"
								    : "scheduler");
	render_append_visible(&line, scheduler->ops ? scheduler->ops : "-", false);
	if (!scheduler->is_attached)
		kt_buf_appends(&line, ", which has ended");
	if (scheduler->is_attached && scheduler->parent != SCX_NOBODY) {
		const char *parent = page->snapshot->schedulers[scheduler->parent].ops;

		kt_buf_appends(&line, " below ");
		render_append_visible(&line, parent ? parent : "-", false);
	}
	if (scheduler->cgroup && !scheduler->is_root) {
		kt_buf_appends(&line, ", of cgroup ");
		render_append_visible(&line, scheduler->cgroup, false);
	}
	append_since(&line, scheduler);
	if (scheduler->flag_names && scheduler->flag_names[0]) {
		kt_buf_appends(&line, ", flags ");
		render_append_visible(&line, scheduler->flag_names, false);
	}
	append_number(&line, "bypass depth", scheduler->bypass_depth);
	append_line(page, &line);
	render_append_scx_exit(page->out, &scheduler->exit, page->width);
	if (scheduler->ops_known && scheduler->n_ops) {
		struct kt_error *err = append_table(
			page, (struct render_grid)RENDER_GRID(op_columns, scheduler->all_ops,
							      scheduler->n_ops));

		if (err)
			return err;
	}
	append_events(page, scheduler);
	return NULL;
}

static struct kt_error *append_cpus(const struct page *page)
{
	_cleanup_(cpu_rows_deinit) struct cpu_rows rows = {0};
	struct kt_error *err = group_cpus(page->snapshot, &rows);

	if (err || !rows.v.len)
		return err;
	return append_table(page,
			    (struct render_grid)RENDER_GRID(cpu_columns, rows.v.data, rows.v.len));
}

/* The queues of one scheduler, or those of the CPUs. */
static struct kt_error *append_queues(const struct page *page, size_t scheduler)
{
	_cleanup_(task_rows_deinit) struct task_rows rows = {0};
	size_t empty[SCX_N_QUEUE_KINDS] = {0}, n_empty = 0;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < page->snapshot->n_queues && !err; i++) {
		const struct scx_queue *queue = &page->snapshot->queues[i];

		if (queue->scheduler != scheduler)
			continue;
		if (is_empty(queue)) {
			empty[queue->kind]++;
			n_empty++;
		} else {
			err = add_tasks(queue, &rows);
		}
	}
	if (!err && rows.v.len)
		err = append_table(page, (struct render_grid)RENDER_GRID(task_columns, rows.v.data,
									 rows.v.len));
	if (err || !n_empty)
		return err;
	kt_buf_appends(page->out, "empty queues");
	for (unsigned int kind = 0, first = 1; kind < SCX_N_QUEUE_KINDS; kind++) {
		if (!empty[kind])
			continue;
		kt_buf_printf(page->out, "%s%zu %s", first ? ": " : ", ", empty[kind],
			      render_queue_kind(kind));
		first = 0;
	}
	kt_buf_appends(page->out, "\n");
	return NULL;
}

static struct kt_error *append_all(const struct page *page)
{
	const struct scx_snapshot *snapshot = page->snapshot;
	struct kt_error *err = NULL;

	append_head(page);
	for (size_t i = 0; i < snapshot->n_schedulers && !err; i++) {
		err = append_scheduler(page, i);
		if (!err && snapshot->schedulers[i].is_attached)
			err = append_queues(page, i);
	}
	if (!err)
		err = append_cpus(page);
	if (!err)
		err = append_queues(page, SCX_NOBODY);
	for (size_t i = 0; i < snapshot->n_schedulers && !err; i++)
		render_append_scx_exit_dump(page->out, &snapshot->schedulers[i].exit);
	return err;
}

struct kt_error *render_sched_text(const struct scx_snapshot *snapshot, size_t width, bool color,
				   char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	const struct page page = {
		.snapshot = snapshot, .width = width, .color = color, .out = &out};
	struct kt_error *err = append_all(&page);

	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
