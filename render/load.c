// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model/json.h"
#include "model/json_put.h"
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

/* --- text --- */

const char *render_load_head(void)
{
	return "TIME         COMM                PID TYPE           RESULT     INSNS  STATES "
	       "  PEAK  MAX  READ STACK      DURATION    LOG NAME\n";
}

/* Pads the text since `from` to a width, and appends a space. */
static void pad(struct kt_buf *buf, size_t from, size_t width)
{
	while (!kt_buf_failed(buf) && buf->len - from < width)
		kt_buf_appendc(buf, ' ');
	kt_buf_appendc(buf, ' ');
}

static void put_text(struct kt_buf *buf, const char *text, size_t width)
{
	size_t from = buf->len;

	render_append_visible(buf, text && *text ? text : "-", false);
	pad(buf, from, width);
}

static void put_number(struct kt_buf *buf, struct program_number number, int width)
{
	if (number.known)
		kt_buf_printf(buf, "%*" PRIu64 " ", width, number.value);
	else
		kt_buf_printf(buf, "%*s ", width, "-");
}

/* The local time of day, in milliseconds. */
static void put_time(struct kt_buf *buf, int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	kt_buf_printf(buf, "%02d:%02d:%02d.%03d ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		      (int)(ns / 1000000 % 1000));
}

/* "16+0+8", one number a subprogram, as the verifier prints it up to 7.1. */
static void put_stack(struct kt_buf *buf, const struct bpf_load *load, size_t width)
{
	size_t from = buf->len;

	for (size_t i = 0; i < load->n_stack_depth && i < 8; i++)
		kt_buf_printf(buf, "%s%" PRIu32, i ? "+" : "", load->stack_depth[i]);
	if (load->n_stack_depth > 8)
		kt_buf_appends(buf, "+...");
	if (!load->n_stack_depth)
		kt_buf_appendc(buf, '-');
	pad(buf, from, width);
}

static void put_duration(struct kt_buf *buf, struct program_number ns)
{
	if (!ns.known)
		kt_buf_printf(buf, "%10s ", "-");
	else if (ns.value < 10000000)
		kt_buf_printf(buf, "%7" PRIu64 " us ", ns.value / 1000);
	else
		kt_buf_printf(buf, "%7" PRIu64 " ms ", ns.value / 1000000);
}

static void put_result(struct kt_buf *buf, const struct bpf_load *load, bool color)
{
	bool red = color && load->error.known && load->error.value;
	char number[24];

	if (red)
		kt_buf_appends(buf, "\033[31m");
	put_text(buf,
		 load->error.known ? render_errno(load->error.value, number, sizeof(number)) : NULL,
		 7);
	if (red)
		kt_buf_appends(buf, "\033[m");
}

struct kt_error *render_load_line(const struct bpf_load *load, bool color, char **ret)
{
	struct kt_buf buf = KT_BUF_INIT;

	put_time(&buf, load->at_ns);
	put_text(&buf, load->comm, 15);
	put_number(&buf, (struct program_number){load->by_known, load->pid}, 7);
	put_text(&buf, load->type, 14);
	put_result(&buf, load, color);
	put_number(&buf, load->verified_insns, 8);
	put_number(&buf, load->total_states, 7);
	put_number(&buf, load->peak_states, 6);
	put_number(&buf, load->max_states_per_insn, 4);
	put_number(&buf, load->mark_read, 5);
	put_stack(&buf, load, 8);
	put_duration(&buf, load->verification_time_ns);
	put_number(&buf, load->log_bytes, 6);
	render_append_visible(&buf,
			      load->full_name ? load->full_name
			      : *load->name   ? load->name
					      : "-",
			      false);
	kt_buf_appendc(&buf, '\n');
	return kt_buf_finish(&buf, ret);
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
	put_number(&buf, progress->verified_insns, 0);
	kt_buf_appends(&buf, "insns");
	put_rate(&buf, progress->insns_rate);
	put_number(&buf, progress->total_states, 0);
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

static json_t *json_stack(const struct bpf_load *load)
{
	json_t *array;

	if (!load->n_stack_depth)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < load->n_stack_depth; i++)
		json_array_append_new(array, json_integer(load->stack_depth[i]));
	return array;
}

/* "2026-11-25T01:34:28.123Z" */
static json_t *json_time(int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[40], whole[24];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03dZ", whole, (int)(ns / 1000000 % 1000));
	return json_string(text);
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
	const struct {
		const char *key;
		struct program_number number;
	} numbers[] = {
		{"errno", load->error},
		{"verified_insns", load->verified_insns},
		{"total_states", load->total_states},
		{"peak_states", load->peak_states},
		{"max_states_per_insn", load->max_states_per_insn},
		{"mark_read", load->mark_read},
		{"stack_max", load->stack_max},
		{"verification_time_ns", load->verification_time_ns},
		{"log_level", load->log_level},
		{"log_bytes", load->log_bytes},
	};
	json_t *root = json_object();

	json_object_set_new(root, "event", json_string("load"));
	json_object_set_new(root, "time", json_time(load->at_ns));
	json_object_set_new(root, "comm", load->by_known ? kt_json_text(load->comm) : json_null());
	json_object_set_new(root, "pid", load->by_known ? json_integer(load->pid) : json_null());
	json_object_set_new(root, "name", kt_json_text(load->type ? load->name : NULL));
	json_object_set_new(root, "full_name", kt_json_text(load->full_name));
	json_object_set_new(root, "type", kt_json_text(load->type));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_set_new(root, numbers[i].key, kt_json_number(numbers[i].number));
	json_object_set_new(root, "stack_depth", json_stack(load));
	json_object_set_new(root, "pause_us", json_integer(load->pause_ns / 1000));
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
