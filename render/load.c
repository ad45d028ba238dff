// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/grid.h"
#include "render/load.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* Only the kernel has it, not errno(3). BPF returns it where the JIT or a hook lacks support. */
#define ENOTSUPP 524

/* Of the column of stack depths, which is cut; JSON has them all. */
#define STACK_WIDTH 12

const char *render_errno(uint64_t error, char *buf, size_t size)
{
	const char *name = NULL;

	if (error == 0)
		return "ok";
	if (error == ENOTSUPP)
		return "ENOTSUPP";
	if (error < 4096)
		name = strerrorname_np((int)error);
	if (name)
		return name;
	snprintf(buf, size, "%" PRIu64, error);
	return buf;
}

/* --- the columns of a load --- */

/* Nanoseconds since 1970. */
static struct render_cell get_time(const void *row)
{
	return render_number_cell(true, (uint64_t)((const struct bpf_load *)row)->at_ns);
}

/* The local time of day, in milliseconds. */
static void print_time(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	time_t seconds = (time_t)((int64_t)cell->number / 1000000000);
	struct tm tm;

	(void)exact;
	localtime_r(&seconds, &tm);
	kt_buf_printf(out, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
		      (int)((int64_t)cell->number / 1000000 % 1000));
}

/* "2026-11-25T01:34:28.123Z" */
static json_t *json_time(const struct render_cell *cell)
{
	time_t seconds = (time_t)((int64_t)cell->number / 1000000000);
	char text[40], whole[24];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03dZ", whole,
		 (int)((int64_t)cell->number / 1000000 % 1000));
	return json_string(text);
}

static const struct render_type as_time_of_day = {.print = print_time, .json = json_time};

static struct render_cell get_comm(const void *row)
{
	const struct bpf_load *load = row;

	return render_string_cell(load->by_known ? load->comm : NULL);
}

static struct render_cell get_pid(const void *row)
{
	const struct bpf_load *load = row;

	return render_number_cell(load->by_known, load->pid);
}

/* The name of a load is known if its type is. */
static struct render_cell get_name(const void *row)
{
	const struct bpf_load *load = row;

	return render_string_cell(load->type ? bpf_load_name(load) : NULL);
}

/* The kernel's own, which may be cut. */
static struct render_cell get_short_name(const void *row)
{
	const struct bpf_load *load = row;

	return render_string_cell(load->type ? load->name : NULL);
}

static struct render_cell get_best_name(const void *row)
{
	const struct bpf_load *load = row;
	struct render_cell cell = render_string_cell(load->full_name ? load->full_name
								     : load->name);

	cell.object = load;
	return cell;
}

/* Null if the kernel's own name is cut, and the whole one is not known. */
static json_t *json_full_name(const struct render_cell *cell)
{
	return kt_json_text(((const struct bpf_load *)cell->object)->full_name);
}

static const struct render_type as_best_name = {.json = json_full_name};

static struct render_cell get_result(const void *row)
{
	struct program_number error = ((const struct bpf_load *)row)->error;
	struct render_cell cell = render_number_cell(error.known, error.value);

	cell.tone = error.known && error.value ? RENDER_TONE_BAD : RENDER_TONE_PLAIN;
	return cell;
}

static void print_result(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	char number[24];

	(void)exact;
	kt_buf_appends(out, render_errno(cell->number, number, sizeof(number)));
}

static const struct render_type as_result = {.print = print_result, .json = render_number_json};

static struct render_cell get_stack(const void *row)
{
	const struct bpf_load *load = row;

	return (struct render_cell){.known = load->n_stack_depth > 0, .object = load};
}

/* "16+0+8", one number a subprogram, as the verifier prints it up to 7.1. */
static void print_stack(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct bpf_load *load = cell->object;

	(void)exact;
	for (size_t i = 0; i < load->n_stack_depth && i < STACK_WIDTH; i++)
		kt_buf_printf(out, "%s%" PRIu32, i ? "+" : "", load->stack_depth[i]);
}

static json_t *json_stack(const struct render_cell *cell)
{
	const struct bpf_load *load = cell->object;
	json_t *array;

	if (!cell->known)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < load->n_stack_depth; i++)
		json_array_append_new(array, json_integer(load->stack_depth[i]));
	return array;
}

static const struct render_type as_stack = {.print = print_stack, .json = json_stack};

static void print_duration(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	(void)exact;
	if (cell->number < 10000000)
		kt_buf_printf(out, "%" PRIu64 " us", cell->number / 1000);
	else
		kt_buf_printf(out, "%" PRIu64 " ms", cell->number / 1000000);
}

static const struct render_type as_duration = {
	.right = true,
	.print = print_duration,
	.json = render_number_json,
};

static struct render_cell get_accepted(const void *row)
{
	struct program_number accepted = kt_bpf_load_accepted(row);

	return render_number_cell(accepted.known, accepted.value);
}

static struct render_cell get_role(const void *row)
{
	static const char *const roles[] = {
		[BPF_LOAD_ORDINARY] = NULL, [BPF_LOAD_PROBE] = "probe", [BPF_LOAD_RETRY] = "retry"};

	return render_string_cell(roles[((const struct bpf_load *)row)->role]);
}

static struct render_cell get_pause(const void *row)
{
	return render_number_cell(true,
				  (uint64_t)(((const struct bpf_load *)row)->pause_ns / 1000));
}

/* clang-format off */
#define KNOWN(member) RENDER_KNOWN(struct bpf_load, member)

/* In the order of the JSON object. */
static const struct render_column columns[] = {
	{"time", NULL, "TIME", &as_time_of_day, RENDER_GET(get_time), .width = 12},
	{"comm", NULL, "COMM", &render_as_text, RENDER_GET(get_comm), .width = 15},
	{"pid", NULL, "PID", &render_as_number, RENDER_GET(get_pid), .width = 7},
	{"name", NULL, "", &render_as_text, RENDER_GET(get_name)},
	{"short_name", NULL, "", &render_as_text, RENDER_GET(get_short_name)},
	{"full_name", NULL, "NAME", &as_best_name, RENDER_GET(get_best_name)},
	{"type", NULL, "TYPE", &render_as_text, RENDER_STRING(struct bpf_load, type), .width = 23},
	{"errno", NULL, "RESULT", &as_result, RENDER_GET(get_result), .width = 10},
	{"accepted", NULL, "", &render_as_yes_no, RENDER_GET(get_accepted)},
	{"libbpf", NULL, "", &render_as_text, RENDER_GET(get_role)},
	{"verified_insns", NULL, "INSNS", &render_as_number, KNOWN(verified_insns), .width = 8},
	{"total_states", NULL, "STATES", &render_as_number, KNOWN(total_states), .width = 7},
	{"peak_states", NULL, "PEAK", &render_as_number, KNOWN(peak_states), .width = 7},
	{"max_states_per_insn", NULL, "MAX", &render_as_number, KNOWN(max_states_per_insn), .width = 5},
	{"mark_read", NULL, "READ", &render_as_number, KNOWN(mark_read), .width = 5},
	{"stack_max", NULL, "", &render_as_number, KNOWN(stack_max)},
	{"verification_time_ns", NULL, "DURATION", &as_duration, KNOWN(verification_time_ns), .width = 10},
	{"log_level", NULL, "", &render_as_number, KNOWN(log_level)},
	{"log_bytes", NULL, "LOG", &render_as_number, KNOWN(log_bytes), .width = 10},
	{"log_size", NULL, "", &render_as_number, KNOWN(log_size)},
	{"stack_depth", NULL, "STACK", &as_stack, RENDER_GET(get_stack), .width = STACK_WIDTH, .longest = STACK_WIDTH},
	{"pause_us", NULL, "", &render_as_number, RENDER_GET(get_pause)},
};
/* clang-format on */

/* The columns of a line, in order. The narrower a line is, the more are left out: 1 first. --help
 * of watch says the same. */
static const struct {
	const char *name;
	unsigned int goes;
} line_columns[] = {
	{"time", 9},         {"comm", 10},       {"pid", 8},
	{"type", 0},         {"errno", 0},       {"verified_insns", 0},
	{"total_states", 6}, {"peak_states", 3}, {"max_states_per_insn", 2},
	{"mark_read", 1},    {"stack_depth", 5}, {"verification_time_ns", 7},
	{"log_bytes", 4},    {"full_name", 0},
};
#define N_LINE_COLUMNS (sizeof(line_columns) / sizeof(line_columns[0]))
#define GOES_LAST      10
/* On a terminal: room for a name that is not cut by the kernel, and for nearly all types. */
#define NAME_WIDTH 15
#define TYPE_WIDTH 16

/* A line's columns as a terminal of that width shows them; 0: it is no terminal. */
struct line_view {
	struct render_column columns[sizeof(columns) / sizeof(columns[0])];
	struct render_grid grid;
};

/* Selects those that are left without the first `gone`; *rest_ret: what they leave for the name. */
static struct kt_error *select_columns(struct line_view *view, unsigned int gone, size_t width,
				       size_t *rest_ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf names = KT_BUF_INIT;
	size_t taken = 0;

	for (size_t i = 0; i < N_LINE_COLUMNS; i++) {
		const char *name = line_columns[i].name;

		if (line_columns[i].goes && line_columns[i].goes <= gone)
			continue;
		kt_buf_printf(&names, "%s%s", names.len ? "," : "", name);
		if (i + 1 < N_LINE_COLUMNS)
			taken += render_grid_find(&view->grid, name, strlen(name))->width + 1;
	}
	*rest_ret = width > taken ? width - taken : 0;
	return kt_buf_failed(&names) ? kt_error_no_memory()
				     : render_grid_select(&view->grid, names.data);
}

static struct render_column *column_of(struct line_view *view, const char *name)
{
	return &view->columns[render_grid_find(&view->grid, name, strlen(name)) - view->columns];
}

static struct kt_error *line_view_init(struct line_view *view, size_t width)
{
	struct kt_error *err;
	size_t rest;

	memcpy(view->columns, columns, sizeof(columns));
	view->grid = (struct render_grid)RENDER_GRID(view->columns, (const struct bpf_load *)NULL,
						     0);
	if (!width)
		return select_columns(view, 0, 0, &rest);
	column_of(view, "comm")->longest = column_of(view, "comm")->width;
	column_of(view, "type")->width = column_of(view, "type")->longest = TYPE_WIDTH;
	for (unsigned int gone = 0; gone <= GOES_LAST; gone++) {
		err = select_columns(view, gone, width, &rest);
		if (err || rest >= NAME_WIDTH)
			break;
	}
	column_of(view, "full_name")->longest = rest > NAME_WIDTH ? rest : NAME_WIDTH;
	return err;
}

/* --- text --- */

struct kt_error *render_load_head(size_t width, char **ret)
{
	struct kt_buf buf = KT_BUF_INIT;
	struct line_view view;
	struct kt_error *err = line_view_init(&view, width);

	if (err)
		return err;
	render_grid_head(&view.grid, &buf);
	return kt_buf_finish(&buf, ret);
}

struct kt_error *render_load_line(const struct bpf_load *load, size_t width, bool color, char **ret)
{
	struct kt_buf buf = KT_BUF_INIT;
	struct line_view view;
	struct kt_error *err = line_view_init(&view, width);

	if (err)
		return err;
	render_grid_line(&view.grid, load, color, &buf);
	return kt_buf_finish(&buf, ret);
}

bool render_load_log_only(const struct bpf_load *load)
{
	struct program_number accepted = kt_bpf_load_accepted(load);

	return bpf_load_failed(load) && load->error.value == ENOSPC && accepted.known &&
	       accepted.value;
}

struct kt_error *render_load_why_enospc(const struct bpf_load *load, char **ret)
{
	struct kt_buf buf = KT_BUF_INIT;

	render_append_visible(&buf, *bpf_load_name(load) ? bpf_load_name(load) : "-", false);
	kt_buf_printf(&buf,
		      ": the verifier accepted the program; but its log of %" PRIu64
		      " bytes does not fit into the loader's buffer of %" PRIu64 "\n",
		      load->log_bytes.value, load->log_size.value);
	return kt_buf_finish(&buf, ret);
}

/* "1396 ", or "- " */
static void put_number(struct kt_buf *buf, struct program_number number)
{
	if (number.known)
		kt_buf_printf(buf, "%" PRIu64 " ", number.value);
	else
		kt_buf_appends(buf, "- ");
}

/* " (+1234/s), " */
static void put_rate(struct kt_buf *buf, struct program_number rate)
{
	if (rate.known)
		kt_buf_printf(buf, " (+%" PRIu64 "/s)", rate.value);
	kt_buf_appends(buf, ", ");
}

struct kt_error *render_load_progress_line(const struct bpf_load_progress *progress, char **ret)
{
	struct kt_buf buf = KT_BUF_INIT;

	kt_buf_printf(&buf, "  ... %.1f s in the verifier: ", (double)progress->since_ns / 1e9);
	render_append_visible(&buf,
			      progress->full_name ? progress->full_name
			      : *progress->name   ? progress->name
						  : "-",
			      false);
	kt_buf_appends(&buf, " of ");
	render_append_visible(&buf, progress->comm, false);
	kt_buf_printf(&buf, "[%" PRIu32 "]: ", progress->pid);
	put_number(&buf, progress->verified_insns);
	kt_buf_appends(&buf, "insns");
	put_rate(&buf, progress->insns_rate);
	put_number(&buf, progress->total_states);
	kt_buf_appends(&buf, "states");
	put_rate(&buf, progress->states_rate);
	kt_buf_appends(&buf, "at insn");
	if (progress->insn_idx.known)
		kt_buf_printf(&buf, " %" PRIu64, progress->insn_idx.value);
	else
		kt_buf_appends(&buf, " -");
	if (progress->file) {
		kt_buf_appends(&buf, " in ");
		render_append_visible(&buf, progress->file, false);
		kt_buf_printf(&buf, ":%" PRIu32, progress->line);
	}
	if (progress->source) {
		kt_buf_appends(&buf, ": ");
		render_append_visible(&buf, progress->source, false);
	}
	kt_buf_appendc(&buf, '\n');
	return kt_buf_finish(&buf, ret);
}

static void put_loads(struct kt_buf *buf, const struct load_summary *s)
{
	uint64_t n = s->passed + s->failed + s->unknown;

	if (s->only_failing)
		kt_buf_printf(buf,
			      "%" PRIu64 " load%s failed in %.1f s; those that passed were not "
			      "stopped, and are not counted",
			      s->failed, s->failed == 1 ? "" : "s", (double)s->elapsed_ns / 1e9);
	else
		kt_buf_printf(
			buf, "%" PRIu64 " load%s in %.1f s: %" PRIu64 " passed, %" PRIu64 " failed",
			n, n == 1 ? "" : "s", (double)s->elapsed_ns / 1e9, s->passed, s->failed);
	if (s->unknown)
		kt_buf_printf(buf, ", %" PRIu64 " with an unknown result", s->unknown);
	kt_buf_printf(buf, "; %" PRIu64 " instructions verified", s->insns);
	if (s->most_insns) {
		kt_buf_printf(buf, ", most by ");
		render_append_visible(buf, s->most_name && *s->most_name ? s->most_name : "-",
				      false);
		kt_buf_printf(buf, " (%" PRIu64 ")", s->most_insns);
	}
	kt_buf_appendc(buf, '\n');
	if (!s->probes && !s->retries)
		return;
	kt_buf_printf(buf,
		      "of these, libbpf's own: %" PRIu64 " probe%s, %" PRIu64 " second tr%s%s\n",
		      s->probes, s->probes == 1 ? "" : "s", s->retries,
		      s->retries == 1 ? "y" : "ies",
		      s->folded ? "; not shown, --all shows them" : "");
}

struct kt_error *render_load_summary(const struct load_summary *s, char **ret)
{
	struct kt_buf buf = KT_BUF_INIT;

	put_loads(&buf, s);
	kt_buf_printf(&buf, "the guest was stopped for %.1f ms, %.2f %% of the time",
		      (double)s->paused_ns / 1e6,
		      s->elapsed_ns ? 100.0 * (double)s->paused_ns / (double)s->elapsed_ns : 0.0);
	if (s->median_pause_ns)
		kt_buf_printf(&buf, "; a load in the median %.3f ms",
			      (double)s->median_pause_ns / 1e6);
	if (s->behind_known)
		kt_buf_printf(&buf, "; its clock is %.3f s behind", (double)s->behind_ns / 1e9);
	kt_buf_appendc(&buf, '\n');
	if (s->load_cost_ns > 0)
		kt_buf_printf(
			&buf,
			"by its own clock, a load cost the guest some %.1f ms more: QEMU (TCG) "
			"dropped the code that it had translated %" PRIu64 " times\n",
			(double)s->load_cost_ns / 1e6, s->drops.value);
	return kt_buf_finish(&buf, ret);
}

/* --- JSON --- */

/* One line, so that a reader of the stream can take each object as it comes. */
static struct kt_error *dump_line(json_t *root, char **ret)
{
	struct kt_buf buf = KT_BUF_INIT;
	char *text;
	struct kt_error *err = kt_json_dump_line(root, &text);

	if (err)
		return err;
	kt_buf_printf(&buf, "%s\n", text);
	free(text);
	return kt_buf_finish(&buf, ret);
}

struct kt_error *render_load_begin_json(const char *release, const int64_t *kaslr_offset,
					bool sees_verifier, bool only_failing, char **ret)
{
	json_t *root = json_object();

	json_object_set_new(root, "event", json_string("begin"));
	json_object_set_new(root, "schema", json_string("ktstr-gdb.watch.v1"));
	json_object_set_new(root, "release", kt_json_text(*release ? release : NULL));
	json_object_set_new(root, "kaslr_offset",
			    kaslr_offset ? json_integer(*kaslr_offset) : json_null());
	json_object_set_new(root, "sees_verifier", json_boolean(sees_verifier));
	json_object_set_new(root, "only_failing", json_boolean(only_failing));
	return dump_line(root, ret);
}

struct kt_error *render_load_json(const struct bpf_load *load, const char *last, char **ret)
{
	const struct render_grid grid = RENDER_GRID(columns, load, 1);
	json_t *root = json_object();

	json_object_set_new(root, "event", json_string("load"));
	render_grid_json(&grid, load, root);
	if (last)
		json_object_set_new(root, "last", kt_json_text(last));
	return dump_line(root, ret);
}

struct kt_error *render_load_progress_json(const struct bpf_load_progress *progress, char **ret)
{
	json_t *root = json_object();

	json_object_set_new(root, "event", json_string("progress"));
	json_object_set_new(root, "comm", kt_json_text(progress->comm));
	json_object_set_new(root, "pid", json_integer(progress->pid));
	json_object_set_new(root, "name",
			    kt_json_text(progress->full_name ? progress->full_name
							     : progress->name));
	json_object_set_new(root, "short_name", kt_json_text(progress->name));
	json_object_set_new(root, "full_name", kt_json_text(progress->full_name));
	json_object_set_new(root, "since_us", json_integer(progress->since_ns / 1000));
	json_object_set_new(root, "insn", kt_json_number(progress->insn_idx));
	json_object_set_new(root, "verified_insns", kt_json_number(progress->verified_insns));
	json_object_set_new(root, "total_states", kt_json_number(progress->total_states));
	json_object_set_new(root, "peak_states", kt_json_number(progress->peak_states));
	json_object_set_new(root, "insns_per_s", kt_json_number(progress->insns_rate));
	json_object_set_new(root, "states_per_s", kt_json_number(progress->states_rate));
	json_object_set_new(root, "file", kt_json_text(progress->file));
	json_object_set_new(root, "line",
			    progress->line ? json_integer(progress->line) : json_null());
	json_object_set_new(root, "source", kt_json_text(progress->source));
	return dump_line(root, ret);
}

struct kt_error *render_load_summary_json(const struct load_summary *s, const char *ended,
					  char **ret)
{
	json_t *root = json_object();

	json_object_set_new(root, "event", json_string("end"));
	json_object_set_new(root, "passed", s->only_failing ? json_null() : kt_json_u64(s->passed));
	json_object_set_new(root, "failed", kt_json_u64(s->failed));
	json_object_set_new(root, "unknown", kt_json_u64(s->unknown));
	json_object_set_new(root, "probes", kt_json_u64(s->probes));
	json_object_set_new(root, "retries", kt_json_u64(s->retries));
	json_object_set_new(root, "verified_insns", kt_json_u64(s->insns));
	json_object_set_new(root, "elapsed_us", json_integer(s->elapsed_ns / 1000));
	json_object_set_new(root, "pause_us", json_integer(s->paused_ns / 1000));
	json_object_set_new(root, "look_us", json_integer(s->looked_ns / 1000));
	json_object_set_new(root, "stops", kt_json_u64(s->stops));
	json_object_set_new(root, "median_pause_us",
			    s->median_pause_ns ? json_integer(s->median_pause_ns / 1000)
					       : json_null());
	json_object_set_new(root, "translations_dropped", kt_json_number(s->drops));
	json_object_set_new(root, "load_cost_us",
			    s->load_cost_ns >= 0 ? json_integer(s->load_cost_ns / 1000)
						 : json_null());
	json_object_set_new(root, "clock_behind_us",
			    s->behind_known ? json_integer(s->behind_ns / 1000) : json_null());
	json_object_set_new(root, "ended", kt_json_text(ended));
	return dump_line(root, ret);
}
