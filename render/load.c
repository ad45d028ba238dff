// SPDX-License-Identifier: LGPL-2.1-or-later
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

/* JSON has the short name as "name", and null if there is no full one. */
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
	for (size_t i = 0; i < load->n_stack_depth && i < 8; i++)
		kt_buf_printf(out, "%s%" PRIu32, i ? "+" : "", load->stack_depth[i]);
	if (load->n_stack_depth > 8)
		kt_buf_appends(out, "+...");
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
	{"full_name", NULL, "NAME", &as_best_name, RENDER_GET(get_best_name)},
	{"type", NULL, "TYPE", &render_as_text, RENDER_STRING(struct bpf_load, type), .width = 14},
	{"errno", NULL, "RESULT", &as_result, RENDER_GET(get_result), .width = 7},
	{"verified_insns", NULL, "INSNS", &render_as_number, KNOWN(verified_insns), .width = 8},
	{"total_states", NULL, "STATES", &render_as_number, KNOWN(total_states), .width = 7},
	{"peak_states", NULL, "PEAK", &render_as_number, KNOWN(peak_states), .width = 6},
	{"max_states_per_insn", NULL, "MAX", &render_as_number, KNOWN(max_states_per_insn), .width = 4},
	{"mark_read", NULL, "READ", &render_as_number, KNOWN(mark_read), .width = 5},
	{"stack_max", NULL, "", &render_as_number, KNOWN(stack_max)},
	{"verification_time_ns", NULL, "DURATION", &as_duration, KNOWN(verification_time_ns), .width = 10},
	{"log_level", NULL, "", &render_as_number, KNOWN(log_level)},
	{"log_bytes", NULL, "LOG", &render_as_number, KNOWN(log_bytes), .width = 6},
	{"stack_depth", NULL, "STACK", &as_stack, RENDER_GET(get_stack), .width = 8},
	{"pause_us", NULL, "", &render_as_number, RENDER_GET(get_pause)},
};
/* clang-format on */

static const char line_columns[] =
	"time,comm,pid,type,errno,verified_insns,total_states,peak_states,max_states_per_insn,"
	"mark_read,stack_depth,verification_time_ns,log_bytes,full_name";

/* --- text --- */

struct kt_error *render_load_head(char **ret)
{
	struct render_grid grid = RENDER_GRID(columns, (const struct bpf_load *)NULL, 0);
	struct kt_error *err = render_grid_select(&grid, line_columns);
	struct kt_buf buf = KT_BUF_INIT;

	if (err)
		return err;
	render_grid_head(&grid, &buf);
	return kt_buf_finish(&buf, ret);
}

struct kt_error *render_load_line(const struct bpf_load *load, bool color, char **ret)
{
	struct render_grid grid = RENDER_GRID(columns, load, 1);
	struct kt_error *err = render_grid_select(&grid, line_columns);
	struct kt_buf buf = KT_BUF_INIT;

	if (err)
		return err;
	render_grid_line(&grid, load, color, &buf);
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

struct kt_error *render_load_summary(const struct load_summary *s, char **ret)
{
	uint64_t n = s->passed + s->failed + s->unknown;
	struct kt_buf buf = KT_BUF_INIT;

	kt_buf_printf(&buf, "%" PRIu64 " load%s in %.1f s: %" PRIu64 " passed, %" PRIu64 " failed",
		      n, n == 1 ? "" : "s", (double)s->elapsed_ns / 1e9, s->passed, s->failed);
	if (s->unknown)
		kt_buf_printf(&buf, ", %" PRIu64 " with an unknown result", s->unknown);
	kt_buf_printf(&buf, "; %" PRIu64 " instructions verified", s->insns);
	if (s->most_insns) {
		kt_buf_printf(&buf, ", most by ");
		render_append_visible(&buf, *s->most_name ? s->most_name : "-", false);
		kt_buf_printf(&buf, " (%" PRIu64 ")", s->most_insns);
	}
	kt_buf_printf(&buf, "\nthe guest was stopped for %.1f ms, %.2f %% of the time",
		      (double)s->paused_ns / 1e6,
		      s->elapsed_ns ? 100.0 * (double)s->paused_ns / (double)s->elapsed_ns : 0.0);
	if (s->median_pause_ns)
		kt_buf_printf(&buf, "; a load in the median %.3f ms",
			      (double)s->median_pause_ns / 1e6);
	kt_buf_appendc(&buf, '\n');
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
					bool sees_verifier, char **ret)
{
	json_t *root = json_object();

	json_object_set_new(root, "event", json_string("begin"));
	json_object_set_new(root, "schema", json_string("ktstr-gdb.watch.v1"));
	json_object_set_new(root, "release", kt_json_text(*release ? release : NULL));
	json_object_set_new(root, "kaslr_offset",
			    kaslr_offset ? json_integer(*kaslr_offset) : json_null());
	json_object_set_new(root, "sees_verifier", json_boolean(sees_verifier));
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
	json_object_set_new(root, "name", kt_json_text(progress->name));
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
	json_object_set_new(root, "passed", kt_json_u64(s->passed));
	json_object_set_new(root, "failed", kt_json_u64(s->failed));
	json_object_set_new(root, "unknown", kt_json_u64(s->unknown));
	json_object_set_new(root, "verified_insns", kt_json_u64(s->insns));
	json_object_set_new(root, "elapsed_us", json_integer(s->elapsed_ns / 1000));
	json_object_set_new(root, "pause_us", json_integer(s->paused_ns / 1000));
	json_object_set_new(root, "look_us", json_integer(s->looked_ns / 1000));
	json_object_set_new(root, "stops", kt_json_u64(s->stops));
	json_object_set_new(root, "median_pause_us",
			    s->median_pause_ns ? json_integer(s->median_pause_ns / 1000)
					       : json_null());
	json_object_set_new(root, "ended", kt_json_text(ended));
	return dump_line(root, ret);
}
