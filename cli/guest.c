// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reading a guest and showing what was read: what attach and collect have in common. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "introspect/bpf_idr.h"
#include "introspect/locate.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/watch.h"

char *cli_cache_dir(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *dir;
	int n;

	if (xdg && xdg[0] == '/')
		n = asprintf(&dir, "%s/ktstr-gdb", xdg);
	else if (home && home[0] == '/')
		n = asprintf(&dir, "%s/.cache/ktstr-gdb", home);
	else
		return NULL;
	return n < 0 ? NULL : dir;
}

struct kfacts_sources cli_sources(const struct cli_guest *guest)
{
	return (struct kfacts_sources){.image = guest->vmlinux,
				       .btf = guest->btf,
				       .system_map = guest->system_map,
				       .kallsyms = guest->kallsyms};
}

bool cli_sources_suffice(const struct kfacts_sources *sources)
{
	return sources->image || (sources->btf && (sources->system_map || sources->kallsyms));
}

const char *cli_sources_name(const struct kfacts_sources *sources)
{
	if (sources->image)
		return sources->image_name ? sources->image_name : sources->image;
	if (sources->system_map)
		return sources->system_map;
	return sources->kallsyms ? sources->kallsyms : sources->btf;
}

/* Shown all the same, with what there is. Takes err. */
static void note_lack(struct kt_error *err)
{
	const char *hint = kt_error_hint_text(err);

	cli_note("%s%s%s", kt_error_message(err), hint ? "; " : "", hint ? hint : "");
	kt_error_destroy(err);
}

struct kt_error *cli_load_facts(const struct kfacts_sources *sources, bool use_cache,
				unsigned int objects, struct kfacts **ret, int64_t *resolve_ns_ret,
				bool *cached_ret)
{
	_cleanup_free_ char *cache_dir = use_cache ? cli_cache_dir() : NULL;
	_cleanup_(wants_deinit) struct wants wants = {0};
	int64_t start = kt_now_ns();
	struct kfacts *facts;
	struct kt_error *err;

	if (!inspect_wants(objects, &wants) ||
	    (objects & INSPECT_LOADS && !watch_wants(&wants)) || !locate_wants(&wants))
		return kt_error_no_memory();
	cli_progress("reading the kernel image");
	err = kfacts_load(sources, wants.v.data, wants.v.len, cache_dir, &facts, cached_ret);
	if (err && objects & INSPECT_AVAILABLE && kt_error_code(err) == KT_ERROR_NOT_FOUND) {
		struct kfacts_sources part = *sources;
		struct kt_error *worse;

		part.partial = true;
		/* What is not whole has no place in the cache. */
		worse = kfacts_load(&part, wants.v.data, wants.v.len, NULL, &facts, cached_ret);
		if (!worse) {
			note_lack(err);
			err = NULL;
		}
		kt_error_destroy(worse);
	}
	if (err)
		return err;
	err = inspect_check(objects, facts);
	if (err) {
		kfacts_destroy(facts);
		return kt_error_wrap(err, "%s", cli_sources_name(sources));
	}
	*resolve_ns_ret = kt_now_ns() - start;
	*ret = facts;
	return NULL;
}

bool cli_worth_waiting(const struct kt_error *err)
{
	int errnum = kt_error_errno(err);

	return kt_error_code(err) == KT_ERROR_NOT_READY || errnum == ECONNREFUSED ||
	       errnum == ENOENT;
}

/* A run may connect many times: to gather, to wait. One trace has it all; exit() ends it. */
static struct kt_error *open_trace(const char *path, FILE **ret)
{
	static FILE *trace;

	if (path && !trace)
		trace = fopen(path, "we");
	*ret = trace;
	return path && !trace ? kt_error_os(errno, "cannot write the trace to %s", path) : NULL;
}

static struct kt_error *
inspect_until_ready(const struct rsp_target *target, const struct cli_guest *guest,
		    const struct rsp_options *options, const struct kfacts *facts,
		    const struct inspect_options *what, struct inspection *ret)
{
	int64_t deadline = kt_deadline_ms((int64_t)(guest->wait_s * 1000));

	for (;;) {
		struct kt_error *err;

		cli_progress("reading the guest");
		err = inspect_guest(target, options, facts, what, ret);
		if (!err || !cli_worth_waiting(err) || !kt_deadline_left_ms(deadline))
			return err;
		cli_progress("waiting for the guest");
		if (cli_sleep_ms(500))
			return err;
		kt_error_destroy(err);
	}
}

struct kt_error *cli_stub_options(const struct cli_guest *guest, struct rsp_options *ret)
{
	struct kt_error *err;
	FILE *trace;

	err = open_trace(guest->trace, &trace);
	if (err)
		return err;
	*ret = (struct rsp_options){
		.timeout_ms = (int64_t)(guest->timeout_s * 1000),
		.cancel_fd = cli_cancel_fd(),
		.leave_stopped = guest->leave_stopped,
		.trace = trace,
	};
	return NULL;
}

struct kt_error *cli_inspect(const struct rsp_target *target, const struct cli_guest *guest,
			     const struct kfacts *facts, const struct inspect_options *what,
			     struct inspection *ret)
{
	struct inspect_options how = *what;
	_cleanup_free_ char *cache_dir = guest->no_cache ? NULL : cli_cache_dir();
	struct rsp_options options;
	struct kt_error *err = cli_stub_options(guest, &options);
	int64_t seen_at = 0;
	bool has_hint;

	if (err)
		return err;
	has_hint = kfacts_load_hint(facts, cache_dir, target->text, &seen_at);
	how.hint = has_hint ? &seen_at : NULL;
	err = inspect_until_ready(target, guest, &options, facts, &how, ret);
	if (!err && !(has_hint && seen_at == ret->kaslr_offset))
		kfacts_store_hint(facts, cache_dir, target->text, ret->kaslr_offset);
	return err;
}

void cli_facts_destroyp(struct kfacts **facts)
{
	kfacts_destroy(*facts);
}

static struct kt_error *inspect_with_files(const struct rsp_target *target,
					   const struct cli_guest *guest,
					   const struct kfacts_sources *sources,
					   const struct inspect_options *what,
					   struct cli_result *result, struct kfacts **facts_ret)
{
	struct kt_error *err;

	err = cli_load_facts(sources, !guest->no_cache, what->objects, facts_ret,
			     &result->resolve_ns, &result->cached);
	if (err)
		return err;
	err = cli_inspect(target, guest, *facts_ret, what, result->inspection);
	if (err && kt_error_code(err) == KT_ERROR_MISMATCH)
		err = kt_error_wrap(err, "%s", cli_sources_name(sources));
	return err;
}

struct kt_error *cli_read_target(const char *target_text, const struct cli_guest *guest,
				 const struct inspect_options *what, struct cli_result *result,
				 struct kfacts **facts_ret)
{
	const struct kfacts_sources sources = cli_sources(guest);
	_cleanup_(rsp_target_deinit) struct rsp_target target = {0};
	struct kt_error *err = rsp_target_parse(target_text, &target);

	*facts_ret = NULL;
	if (err)
		return err;
	cli_cancel_fd();
	err = cli_fence(&target, guest, NULL);
	if (err)
		return err;
	err = cli_sources_suffice(&sources)
		      ? inspect_with_files(&target, guest, &sources, what, result, facts_ret)
		      : cli_inspect_unknown(&target, guest, what, result, facts_ret);
	result->facts = *facts_ret;
	if (!err && result->inspection->was_paused && !guest->leave_stopped)
		cli_note("the guest was paused before, and runs now; --leave-stopped keeps it so");
	return err;
}

void cli_print_timing(const struct cli_result *result)
{
	const struct inspect_timing *t = &result->inspection->timing;
	const struct {
		const char *what;
		int64_t ns;
		const char *note;
	} lines[] = {
		{"resolve", result->resolve_ns,
		 result->cached ? "from the cache" : "from the image"},
		{"boot", result->boot_ns, "to the guest's init"},
		{"load", result->load_ns, "the programs"},
		{"connect", t->connect_ns, "a guardian; then the guest stops"},
		{"locate", t->locate_ns, "page tables, KASLR, proof"},
		{"read", t->read_ns, "the walk"},
		{"detach", t->detach_ns, "the guest runs again"},
		{"finish", t->finish_ns, "names and numbers"},
		{"pause", t->pause_ns, "connect to detach"},
	};

	if (result->gathered.stops)
		fprintf(stderr,
			"%-8s %9.3f ms  the kernel from memory: %zu stops, the longest %.3f ms, "
			"together %.3f ms, %" PRIu64 " bytes\n",
			"gather", (double)result->gathered.total_ns / 1e6, result->gathered.stops,
			(double)result->gathered.longest_ns / 1e6,
			(double)result->gathered.paused_ns / 1e6, result->gathered.bytes);
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

/* Of what only an image tells: NULL is null in JSON. */
static const char *known(const char *text)
{
	return text[0] ? text : NULL;
}

struct render_guest cli_render_guest(const struct cli_result *result,
				     char build_id[CLI_BUILD_ID_MAX])
{
	const struct kfacts_kernel *kernel = kfacts_kernel(result->facts);

	build_id[0] = '\0';
	hex(kernel->build_id, kernel->build_id_len, build_id);
	return (struct render_guest){
		.release = known(kernel->release),
		.arch = known(kernel->arch),
		.build_id = build_id[0] ? build_id : NULL,
		.kaslr_offset = result->inspection->kaslr_offset + kernel->moved,
		.kaslr_unknown = !kernel->moved_known,
		.pause_us = result->inspection->timing.pause_ns / 1000,
		.failures = result->failures,
		.n_failures = result->n_failures,
		.payload = result->payload,
		.scheduler = result->scheduler,
		.run = result->run,
	};
}

struct kt_error *cli_render_json(const struct cli_result *result, char **ret)
{
	char build_id[CLI_BUILD_ID_MAX];
	struct render_guest guest = cli_render_guest(result, build_id);

	return render_programs_json(&result->inspection->programs, &guest, ret);
}

static struct kt_error *render(const struct cli_result *result, const struct cli_output *output,
			       char **ret)
{
	const struct programs *programs = &result->inspection->programs;

	if (output->json)
		return cli_render_json(result, ret);
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
	};
}

struct kt_error *cli_filter_and_sort(struct programs *programs, const struct cli_output *output)
{
	struct render_filter filter = cli_filter(output);

	render_programs_filter(programs, &filter);
	return render_programs_sort(programs, output->sort);
}

/* In JSON, the failures are in the document; CSV has no room for them. */
static int show_failures(const struct cli_result *result, const struct cli_output *output)
{
	_cleanup_free_ char *text = NULL;
	FILE *stream = output->csv ? stderr : stdout;
	struct kt_error *err;

	if (!result->n_failures || output->json)
		return CLI_DONE;
	err = render_failures_text(result->failures, result->n_failures,
				   cli_color_on(output->color, stream), &text);
	if (err)
		return cli_fail(err);
	if (output->csv)
		return fputs(text, stderr) < 0 ? CLI_CANNOT : CLI_DONE;
	if (result->inspection->programs.n)
		cli_print("\n");
	return cli_print(text);
}

void cli_note_unreadable(size_t n, const char *idr)
{
	if (n)
		cli_note("%zu entries of the guest's %s could not be read and are left out", n,
			 idr);
}

/* More types than any of the kernel's enums has. */
#define TYPES_MAX 256

struct kt_error *cli_check_types(const struct kfacts *facts, const struct cli_output *output,
				 const char *enumeration, const char *prefix, const char *what)
{
	_cleanup_(kt_buf_deinit) struct kt_buf all = KT_BUF_INIT;
	size_t left = output->filter.types.len;

	if (!left)
		return NULL;
	for (uint64_t value = 0; value < TYPES_MAX; value++) {
		_cleanup_free_ char *name = NULL;
		struct kt_error *err = bpf_enum_text(facts, enumeration, prefix, value, &name);

		if (err)
			return err;
		if (!name || !strcmp(name, "unspec"))
			continue;
		kt_buf_printf(&all, "%s%s", all.len ? ", " : "", name);
		kt_vec_for_each (&output->filter.types, type)
			left -= !strcmp(*type, name);
	}
	if (!all.len || !left)
		return NULL;
	kt_vec_for_each (&output->filter.types, type) {
		_cleanup_free_ char *padded = NULL, *list = NULL;

		if (asprintf(&padded, " %s,", *type) < 0 ||
		    asprintf(&list, " %.*s,", (int)all.len, all.data) < 0)
			return kt_error_no_memory();
		if (!strstr(list, padded))
			return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
							  "this kernel has no %s type \"%s\"", what,
							  *type),
					     "it has %.*s", (int)all.len, all.data);
	}
	return NULL;
}

int cli_show(const struct cli_result *result, const struct cli_output *output)
{
	struct programs *programs = &result->inspection->programs;
	_cleanup_free_ char *text = NULL;
	size_t total = programs->n;
	struct kt_error *err;
	int status;

	err = cli_check_types(result->facts, output, "bpf_prog_type", "BPF_PROG_TYPE_", "program");
	if (!err)
		err = cli_filter_and_sort(programs, output);
	if (!err)
		err = render(result, output, &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (status == CLI_DONE)
		status = show_failures(result, output);
	if (!programs->n && !output->json && !output->csv) {
		if (total)
			cli_note("none of the guest's %zu BPF programs is one of those asked for",
				 total);
		else if (!programs->n_unreadable)
			cli_note("the guest has no BPF programs loaded");
	}
	cli_note_unreadable(programs->n_unreadable, "prog_idr");
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
