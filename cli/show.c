// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/show.h"
#include "introspect/bpf_idr.h"
#include "util/cleanup.h"
#include "util/edits.h"

void cli_print_timing(const struct cli_result *result)
{
	const struct inspect_timing *t = &result->inspection->timing;
	const struct cli_session *session = result->session;
	const struct gather_stats *gathered = &session->gathered;
	const struct {
		const char *what;
		int64_t ns;
		const char *note;
	} lines[] = {
		{"resolve", session->resolve_ns,
		 session->cached ? "from the cache" : "from the image"},
		{"boot", result->boot_ns,
		 result->restored ? "restored from a snapshot" : "to the guest's init"},
		{"load", result->load_ns, "the programs"},
		{"connect", t->connect_ns, "a guardian; then the guest stops"},
		{"locate", t->locate_ns, "page tables, KASLR, proof"},
		{"read", t->read_ns, "the walk"},
		{"detach", t->detach_ns, "the guest runs again"},
		{"finish", t->finish_ns, "names and numbers"},
		{"pause", t->pause_ns, "connect to detach"},
	};

	if (gathered->stops)
		fprintf(stderr,
			"%-8s %9.3f ms  the kernel %s: %zu stop%s, the longest %.3f ms, "
			"together %.3f ms, %" PRIu64 " bytes\n",
			session->recognised ? "known" : "gather", (double)gathered->total_ns / 1e6,
			session->recognised ? "is in the cache" : "from memory", gathered->stops,
			gathered->stops == 1 ? "" : "s", (double)gathered->longest_ns / 1e6,
			(double)gathered->paused_ns / 1e6, gathered->bytes);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].ns) /* attach boots nothing */
			fprintf(stderr, "%-8s %9.3f ms  %s\n", lines[i].what,
				(double)lines[i].ns / 1e6, lines[i].note);
	fprintf(stderr, "%-8s %" PRIu64 " requests, %" PRIu64 " round trips, %" PRIu64 " bytes\n",
		"stub", t->requests, t->round_trips, t->bytes_read);
}

static void hex(const uint8_t *bytes, size_t len, char *ret)
{
	for (size_t i = 0; i < len; i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

/* "" is unknown, which JSON has as null. */
static const char *known(const char *text)
{
	return text[0] ? text : NULL;
}

struct render_guest cli_render_guest(const struct cli_result *result,
				     char build_id[CLI_BUILD_ID_MAX])
{
	static const struct kfacts_kernel unknown = {.release = "", .arch = ""};
	const struct kfacts *facts = result->session->facts;
	const struct kfacts_kernel *kernel = facts ? kfacts_kernel(facts) : &unknown;

	build_id[0] = '\0';
	hex(kernel->build_id, kernel->build_id_len, build_id);
	return (struct render_guest){
		.release = known(kernel->release),
		.arch = known(kernel->arch),
		.build_id = build_id[0] ? build_id : NULL,
		.kaslr_offset = result->inspection->kaslr_offset + kernel->moved,
		.kaslr_unknown = !kernel->moved_known,
		.pause_us = result->inspection->timing.pause_ns / 1000,
		.not_read = result->trials && result->trials->cut_off,
		.trials = result->trials,
		.payload = result->payload,
		.scheduler = result->scheduler,
		.run = result->run,
	};
}

static struct kt_error *render_json(const struct cli_result *result,
				    const struct render_filter *filter, char **ret)
{
	char build_id[CLI_BUILD_ID_MAX];
	struct render_guest guest = cli_render_guest(result, build_id);

	guest.filter = filter;
	return render_programs_json(&result->inspection->programs, &guest, ret);
}

struct kt_error *cli_render_json(const struct cli_result *result, char **ret)
{
	return render_json(result, NULL, ret);
}

static struct kt_error *render(const struct cli_result *result, const struct cli_output *output,
			       char **ret)
{
	const struct programs *programs = &result->inspection->programs;
	const struct render_filter filter = cli_filter(output);

	if (output->json)
		return render_json(result, &filter, ret);
	if (output->csv)
		return render_programs_csv(programs, output->columns, ret);
	return render_programs_table(programs, output->columns, cli_terminal_width(),
				     cli_color_on(output->color, stdout), ret);
}

struct render_filter cli_filter(const struct cli_output *output)
{
	return (struct render_filter){
		.types = output->filter.types.data,
		.n_types = output->filter.types.len,
		.globs = output->filter.globs.data,
		.n_globs = output->filter.globs.len,
		.ids = output->filter.ids.data,
		.n_ids = output->filter.ids.len,
		.tags = output->filter.tags.data,
		.n_tags = output->filter.tags.len,
	};
}

struct kt_error *cli_filter_and_sort(struct programs *programs, const struct cli_output *output)
{
	struct render_filter filter = cli_filter(output);

	render_programs_filter(programs, &filter);
	return render_programs_sort(programs, output->sort);
}

void cli_note_unreadable(size_t n, const char *idr)
{
	if (n)
		cli_note("%zu entries of the guest's %s could not be read and are left out", n,
			 idr);
}

void cli_note_holders(const struct inspection *inspection)
{
	const struct holdings *holdings = &inspection->holdings;

	if (!(inspection->objects & INSPECT_HOLDERS))
		return;
	if (holdings->n_unread)
		cli_note(
			"%zu parts of the guest's processes and of its bpffs could not be read, or "
			"are too large: more may hold an object than is shown",
			holdings->n_unread);
	if (!holdings->pins_known)
		cli_note("the kernel's symbols do not tell where bpffs is: pinned is unknown");
}

/* More types than any of the kernel's enums has. */
#define TYPES_MAX 256

/* "kprobe, uprobe": nothing if the kernel's types do not tell. */
static struct kt_error *append_types(const struct kfacts *facts, const struct cli_type_enum *types,
				     struct kt_buf *out)
{
	if (types->list) {
		kt_buf_appends(out, types->list);
		return NULL;
	}
	for (uint64_t value = 0; value < TYPES_MAX; value++) {
		_cleanup_free_ char *name = NULL;
		struct kt_error *err = bpf_enum_text(facts, types->name, types->prefix, value,
						     &name);

		if (err)
			return err;
		if (name && strcmp(name, "unspec") != 0)
			kt_buf_printf(out, "%s%s", out->len ? ", " : "", name);
	}
	return NULL;
}

/* The type in " a, b, c," that was meant, or NULL: in another case, or mistyped. */
static const char *near_type(const char *list, const char *type)
{
	struct kt_nearest nearest = {0};
	const char *found = NULL;
	char name[64];

	while (*list == ' ') {
		size_t len = strcspn(++list, ",");

		snprintf(name, sizeof(name), "%.*s", (int)len, list);
		if (strcasecmp(name, type) == 0)
			return list;
		nearest = (struct kt_nearest){0};
		kt_nearest_try(&nearest, type, strlen(type), name);
		if (nearest.name && !found)
			found = list;
		list += len + (list[len] == ',');
	}
	return found;
}

struct kt_error *cli_check_types(const struct kfacts *facts, const struct cli_output *output,
				 const struct cli_type_enum *types)
{
	_cleanup_(kt_buf_deinit) struct kt_buf all = KT_BUF_INIT;
	struct kt_error *err = output->filter.types.len ? append_types(facts, types, &all) : NULL;

	if (err || !all.len)
		return err;
	kt_vec_for_each (&output->filter.types, type) {
		_cleanup_free_ char *padded = NULL, *list = NULL;

		if (asprintf(&padded, " %s,", *type) < 0 ||
		    asprintf(&list, " %.*s,", (int)all.len, all.data) < 0)
			return kt_error_no_memory();
		if (!strstr(list, padded)) {
			const char *near = near_type(list, *type);

			if (near)
				return kt_error_hint(
					kt_error_new(KT_ERROR_USAGE, "there is no %s type \"%s\"",
						     types->what, *type),
					"did you mean %.*s?", (int)strcspn(near, ","), near);
			return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
							  types->list
								  ? "there is no %s type \"%s\""
								  : "this kernel has no %s type "
								    "\"%s\"",
							  types->what, *type),
					     types->list ? "there are %.*s" : "it has %.*s",
					     (int)all.len, all.data);
		}
	}
	return NULL;
}

int cli_show(const struct cli_result *result, const struct cli_output *output)
{
	static const struct cli_type_enum types = {"bpf_prog_type", "BPF_PROG_TYPE_", "program",
						   NULL};
	struct programs *programs = &result->inspection->programs;
	_cleanup_free_ char *text = NULL;
	size_t total = programs->n;
	struct kt_error *err;
	int status;

	err = cli_check_types(result->session->facts, output, &types);
	if (!err)
		err = cli_filter_and_sort(programs, output);
	if (!err)
		err = render(result, output, &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (!programs->n && !output->json && !output->csv) {
		if (total)
			cli_note("none of the guest's %zu BPF programs is let through by the "
				 "filter",
				 total);
		else if (!programs->n_unreadable)
			cli_note("the guest has no BPF programs loaded");
	}
	cli_note_unreadable(programs->n_unreadable, "prog_idr");
	cli_note_holders(result->inspection);
	if (output->timing)
		cli_print_timing(result);
	return status;
}

int cli_save(const struct cli_result *result, const char *path)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = cli_render_json(result, &text);

	if (!err)
		err = cli_replace_file(path, text);
	return err ? cli_fail(kt_error_wrap(err, "cannot save the result to %s", path)) : CLI_DONE;
}

struct kt_error *cli_render_grid(struct render_grid *grid, const struct cli_output *output,
				 size_t width, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = render_grid_select(grid, output->columns);

	if (!err && output->csv)
		err = render_grid_csv(grid, &out);
	else if (!err)
		err = render_grid_table(grid, width, cli_color_on(output->color, stdout), &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
