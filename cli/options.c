// SPDX-License-Identifier: LGPL-2.1-or-later
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
#include "introspect/inspect.h"
#include "render/objects.h"
#include "render/programs.h"
#include "util/cleanup.h"

/* clang-format off */
const struct cli_option cli_guest_options[] = {
	{"vmlinux", CLI_OPT_VMLINUX, "FILE",
	 "the guest's kernel: a vmlinux, or the distro's vmlinuz"},
	{"btf", CLI_OPT_BTF, "FILE",
	 "its types: a copy of the guest's /sys/kernel/btf/vmlinux"},
	{"system-map", CLI_OPT_SYSTEM_MAP, "FILE",
	 "its symbols: the System.map of the build"},
	{"kallsyms", CLI_OPT_KALLSYMS, "FILE",
	 "its symbols: a copy of the guest's /proc/kallsyms\n"
	 "What no file has is read from a running guest's memory."},
	{"wait", CLI_OPT_WAIT, "SECONDS",
	 "keep trying, for that long in all, until the guest is up and runs its kernel"},
	{"timeout", CLI_OPT_TIMEOUT, "SECONDS",
	 "how long to wait for any answer of the stub (5)"},
	{"leave-stopped", CLI_OPT_LEAVE_STOPPED, NULL,
	 "leave the guest stopped; without this it runs on, even if it was paused before"},
	{"no-cache", CLI_OPT_NO_CACHE, NULL,
	 "resolve the kernel's layout anew, boot a guest anew, and keep nothing"},
	{"trace", CLI_OPT_TRACE, "FILE",
	 "write every packet to and from the stub to FILE"},
	{0},
};

const struct cli_option cli_output_options[] = {
	{"type", CLI_OPT_TYPE, "TYPE[,TYPE]",
	 "only programs of these types, as bpftool names them"},
	{"name", CLI_OPT_NAME, "GLOB",
	 "only programs whose name matches; may be given again"},
	{"id", CLI_OPT_ID, "ID[,ID]",
	 "only these programs"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first; -KEY turns it around"},
	{"output", 'o', "LIST",
	 "columns: id, type, name, short_name, full_name, tag, verified_insns, bytes_xlated, jited, "
	 "bytes_jited, loaded_at, uid, gpl_compatible, map_ids, btf_id, run_cnt, run_time_ns, "
	 "recursion_misses, bytes_memlock, orphaned, sleepable, xdp_has_frags, expected_attach_type, "
	 "attach_btf_id, attach_btf_name, attach_btf_module, prog_tags; of a guest that runs by now also metadata, pids, "
	 "pinned"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document, with bpftool's names"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a program"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

struct kt_error *cli_number(const char *option, const char *text, long min, long max, long *ret)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		return kt_error_new(KT_ERROR_USAGE,
				    "%s takes a whole number from %ld to %ld, not "
				    "\"%s\"",
				    option, min, max, text);
	*ret = value;
	return NULL;
}

struct kt_error *cli_seconds(const char *option, const char *text, double *ret)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0.001) || value > 1e6)
		return kt_error_new(KT_ERROR_USAGE,
				    "%s takes seconds, such as 30 or 0.5, not "
				    "\"%s\"",
				    option, text);
	*ret = value;
	return NULL;
}

struct kt_error *cli_guest_option(struct cli_guest *guest, int option, const char *arg,
				  bool *taken_ret)
{
	*taken_ret = true;
	switch (option) {
	case CLI_OPT_VMLINUX: guest->vmlinux = arg; return NULL;
	case CLI_OPT_BTF: guest->btf = arg; return NULL;
	case CLI_OPT_SYSTEM_MAP: guest->system_map = arg; return NULL;
	case CLI_OPT_KALLSYMS: guest->kallsyms = arg; return NULL;
	case CLI_OPT_WAIT: return cli_seconds("--wait", arg, &guest->wait_s);
	case CLI_OPT_TIMEOUT: return cli_seconds("--timeout", arg, &guest->timeout_s);
	case CLI_OPT_LEAVE_STOPPED: guest->leave_stopped = true; return NULL;
	case CLI_OPT_NO_CACHE: guest->no_cache = true; return NULL;
	case CLI_OPT_TRACE: guest->trace = arg; return NULL;
	default: *taken_ret = false; return NULL;
	}
}

struct kfacts_sources cli_sources(const struct cli_guest *guest)
{
	return (struct kfacts_sources){.image = guest->vmlinux,
				       .btf = guest->btf,
				       .system_map = guest->system_map,
				       .kallsyms = guest->kallsyms};
}

const char *cli_sources_name(const struct kfacts_sources *sources)
{
	if (sources->image)
		return sources->image_name ? sources->image_name : sources->image;
	if (sources->system_map)
		return sources->system_map;
	return sources->kallsyms ? sources->kallsyms : sources->btf;
}

const char *cli_prog_type(int i)
{
	return libbpf_bpf_prog_type_str((enum bpf_prog_type)i);
}

const char *cli_map_type(int i)
{
	return libbpf_bpf_map_type_str((enum bpf_map_type)i);
}

const char *cli_link_type(int i)
{
	return libbpf_bpf_link_type_str((enum bpf_link_type)i);
}

static struct kt_error *add_types(struct cli_output *output, char *arg)
{
	for (char *save, *type = strtok_r(arg, ",", &save); type; type = strtok_r(NULL, ",", &save))
		if (!kt_vec_push(&output->filter.types, type))
			return kt_error_no_memory();
	if (!output->filter.types.len)
		return kt_error_new(KT_ERROR_USAGE,
				    "--type takes types as bpftool names them, such as xdp,hash");
	return NULL;
}

static struct kt_error *add_ids(struct cli_output *output, char *arg)
{
	for (char *save, *id = strtok_r(arg, ",", &save); id; id = strtok_r(NULL, ",", &save)) {
		struct kt_error *err;
		long value;

		err = cli_number("--id", id, 1, INT32_MAX, &value);
		if (err)
			return err;
		if (!kt_vec_push(&output->filter.ids, (uint32_t)value))
			return kt_error_no_memory();
	}
	if (!output->filter.ids.len)
		return kt_error_new(KT_ERROR_USAGE, "--id takes ids, such as 7,12");
	return NULL;
}

struct kt_error *cli_color_option(const char *arg, enum cli_color *ret)
{
	if (strcmp(arg, "auto") == 0)
		*ret = CLI_COLOR_AUTO;
	else if (strcmp(arg, "always") == 0)
		*ret = CLI_COLOR_ALWAYS;
	else if (strcmp(arg, "never") == 0)
		*ret = CLI_COLOR_NEVER;
	else
		return kt_error_new(KT_ERROR_USAGE,
				    "--color takes auto, always or never, not "
				    "\"%s\"",
				    arg);
	return NULL;
}

static struct render_grid grid_of(const struct cli_output *output)
{
	return output->grid ? *output->grid : render_programs_grid(&(struct programs){0});
}

/* A wrong column is refused here, before the guest is stopped. */
static struct kt_error *check_sort(const struct cli_output *output, const char *key)
{
	struct render_grid grid = grid_of(output);

	return kt_error_wrap(render_grid_check_sort(&grid, key), "--sort");
}

static struct kt_error *check_columns(const struct cli_output *output, const char *names)
{
	struct render_grid grid = grid_of(output);

	return kt_error_wrap(render_grid_select(&grid, names), "--output");
}

struct kt_error *cli_output_option(struct cli_output *output, int option, char *arg,
				   bool *taken_ret)
{
	*taken_ret = true;
	switch (option) {
	case CLI_OPT_JSON: output->json = true; return NULL;
	case CLI_OPT_CSV: output->csv = true; return NULL;
	case 'o':
		output->columns = arg;
		return output->columns_later ? NULL : check_columns(output, arg);
	case CLI_OPT_TYPE: return add_types(output, arg);
	case CLI_OPT_NAME:
		return kt_vec_push(&output->filter.globs, arg) ? NULL : kt_error_no_memory();
	case CLI_OPT_ID: return add_ids(output, arg);
	case CLI_OPT_TAG:
		return kt_vec_push(&output->filter.tags, arg) ? NULL : kt_error_no_memory();
	case CLI_OPT_SORT:
		output->sort = arg;
		return output->columns_later ? NULL : check_sort(output, arg);
	case CLI_OPT_TIMING: output->timing = true; return NULL;
	case CLI_OPT_HOLDERS: output->holders = true; return NULL;
	case CLI_OPT_COLOR: return cli_color_option(arg, &output->color);
	default: *taken_ret = false; return NULL;
	}
}

struct kt_error *cli_output_check_columns(const struct cli_output *output)
{
	struct kt_error *err = check_columns(output, output->columns);

	return err ? err : check_sort(output, output->sort);
}

struct kt_error *cli_output_check(const struct cli_output *output)
{
	if (output->json && output->csv)
		return kt_error_new(KT_ERROR_USAGE, "--json and --csv: one of them");
	return NULL;
}

static bool needs_holders(const struct render_column *column)
{
	return column && column->name &&
	       (!strcmp(column->name, "pids") || !strcmp(column->name, "pinned"));
}

unsigned int cli_output_metadata(const struct cli_output *output)
{
	struct render_grid grid = grid_of(output);
	struct kt_error *err = render_grid_select(&grid, output->columns);
	bool needed = output->json;

	for (size_t i = 0; i < grid.n_selected && !err; i++)
		needed |= grid.selected[i]->name && !strcmp(grid.selected[i]->name, "metadata");
	kt_error_destroy(err);
	return needed ? INSPECT_METADATA : 0;
}

unsigned int cli_output_holders(const struct cli_output *output)
{
	struct render_grid grid = grid_of(output);
	const char *key = output->sort ? output->sort + (output->sort[0] == '-') : "";
	struct kt_error *err = render_grid_select(&grid, output->columns);
	bool needed = output->holders || needs_holders(render_grid_find(&grid, key, strlen(key)));

	for (size_t i = 0; i < grid.n_selected && !err; i++)
		needed |= needs_holders(grid.selected[i]);
	kt_error_destroy(err);
	return needed ? INSPECT_HOLDERS : 0;
}

void cli_output_deinit(struct cli_output *output)
{
	kt_vec_free(&output->filter.types);
	kt_vec_free(&output->filter.globs);
	kt_vec_free(&output->filter.tags);
	kt_vec_free(&output->filter.ids);
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

struct kt_error *cli_not_a_target(const char *text, struct kt_error *err)
{
	_cleanup_free_ char *process = NULL;
	struct stat st;

	if (!err || strchr(text, ':') || kt_error_code(err) != KT_ERROR_USAGE)
		return err;
	if (stat(text, &st) == 0 && S_ISREG(st.st_mode)) {
		kt_error_destroy(err);
		return kt_error_hint(
			kt_error_new(KT_ERROR_USAGE, "%s is a file, and not a guest", text),
			"`ktstr-gdb collect %s --kernel debian:trixie` loads a BPF object, "
			"`ktstr-gdb log %s` reads a verifier's log",
			text, text);
	}
	if (is_number(text) && asprintf(&process, "/proc/%s", text) > 0 &&
	    access(process, F_OK) == 0) {
		kt_error_destroy(err);
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "%s is no TARGET", text),
				     "a process of QEMU is pid:%s, a port :%s", text, text);
	}
	return err;
}

struct kt_error *cli_one_target(int n, char **args)
{
	if (n < 2)
		return NULL;
	for (int i = 0; i < n; i++)
		if (!strchr(args[i], ':') && !is_number(args[i]))
			return kt_error_hint(
				kt_error_new(
					KT_ERROR_USAGE,
					"\"%s\" is no TARGET, and no word that may stand there",
					args[i]),
				"with --help the command says what may");
	return kt_error_new(KT_ERROR_USAGE, "give one TARGET, not also \"%s\"", args[1]);
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct cli_args *args = context;
	struct kt_error *err;
	bool taken;

	if (option->value == CLI_OPT_OWN) {
		args->own = true;
		return NULL;
	}
	err = cli_guest_option(&args->guest, option->value, arg, &taken);
	return err || taken ? err : cli_output_option(&args->output, option->value, arg, &taken);
}

int cli_parse_args(const struct cli_command *command, int argc, char **argv, struct cli_args *args)
{
	int status = cli_parse(command, argc, argv, take_option, args);
	struct kt_error *err;

	if (status != CLI_GO_ON)
		return status;
	err = cli_one_target(argc - optind, argv + optind);
	if (err)
		return cli_fail(err);
	args->target = argv[optind];
	return CLI_GO_ON;
}

struct kt_error *cli_id_and_target(const char *command, const char *what, const char *hint, int n,
				   char **args, long *id_ret)
{
	struct kt_error *err;

	if (n < 1)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "%s needs %s", command, what),
				     "%s", hint);
	err = cli_one_target(n - 1, args + 1);
	return err ? err : cli_number(command, args[0], 1, INT32_MAX, id_ret);
}
