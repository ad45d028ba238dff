// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb btf list, btf dump: the guest's BTF objects, and the types of one. */
#include <bpf/btf.h>
#include <inttypes.h>
#include <string.h>

#include "btf/btf_checked.h"
#include "cli/btf_read.h"
#include "cli/objects.h"
#include "render/objects.h"
#include "util/cleanup.h"

/* --- list --- */

static struct render_grid grid(struct inspection *inspection)
{
	return render_btf_grid(&inspection->btfs);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->btfs.n_unreadable;
}

static struct kt_error *find_users(struct inspection *inspection)
{
	return btf_objects_find_users(&inspection->btfs, &inspection->programs, &inspection->maps)
		       ? NULL
		       : kt_error_no_memory();
}

static int list(int argc, char **argv)
{
	static const struct cli_objects objects = {.what = "btf",
						   .noun = "BTF objects",
						   .command = &cli_btf_command,
						   .idr = "btf_idr",
						   .object = INSPECT_BTF | INSPECT_PROGRAMS |
							     INSPECT_MAPS,
						   .prepare = find_users,
						   .grid = grid,
						   .unreadable = unreadable};

	return cli_objects(&objects, argc, argv);
}

/* --- dump --- */

/* An object, and what it continues. */
struct types {
	struct btf *base, *btf;
};

static void types_deinit(struct types *types)
{
	btf__free(types->btf);
	btf__free(types->base);
}

static struct kt_error *parse(uint32_t id, const struct kt_buf *data, struct btf *base,
			      struct btf **ret)
{
	return kt_error_wrap(btf_parse_checked(data->data, data->len, base, ret),
			     "BTF object %" PRIu32, id);
}

static struct kt_error *read_types(struct cli_session *session, uint32_t id, struct types *ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf data = KT_BUF_INIT, base_data = KT_BUF_INIT;
	struct btf_object object, base;
	struct kt_error *err = cli_btf_read(session, id, &object, &data);

	if (!err && object.base_id) {
		cli_progress("reading the BTF that it continues");
		err = cli_btf_read(session, object.base_id, &base, &base_data);
		if (!err && base.base_id)
			err = kt_error_new(KT_ERROR_UNSUPPORTED,
					   "BTF object %" PRIu32 " continues one that continues "
					   "another",
					   id);
		if (!err)
			err = parse(object.base_id, &base_data, NULL, &ret->base);
	}
	return err ? err : parse(id, &data, ret->base, &ret->btf);
}

struct dump {
	uint32_t id;
	bool c, raw; /* the format that was asked for; neither: C, or what --json has */
	bool json, timing;
};

static int dump_target(const char *target, const struct cli_guest *guest, const struct dump *dump)
{
	_cleanup_(cli_session_deinit) struct cli_session session = {0};
	const struct cli_result result = {.session = &session, .inspection = &session.inspection};
	_cleanup_(types_deinit) struct types types = {0};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = cli_session_open(&session, guest, target, NULL);
	int status;

	if (!err)
		err = read_types(&session, dump->id, &types);
	if (!err)
		err = dump->raw || dump->json ? btf_as_raw(types.btf, dump->json, &text)
					      : btf_as_c(types.btf, &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (dump->timing)
		cli_print_timing(&result);
	return status;
}

/* Takes "id" before the ID and "format c" behind it, which bpftool's users write. */
static struct kt_error *skip_bpftool_words(int *n, char ***args, struct dump *dump)
{
	if (*n > 0 && strcmp((*args)[0], "id") == 0)
		--*n, ++*args;
	if (*n < 2 || strcmp((*args)[1], "format") != 0)
		return NULL;
	dump->c = *n > 2 && strcmp((*args)[2], "c") == 0;
	dump->raw = *n > 2 && strcmp((*args)[2], "raw") == 0;
	if (!dump->c && !dump->raw)
		return kt_error_new(KT_ERROR_USAGE,
				    "btf dump has the formats c and raw, not \"%s\"",
				    *n < 3 ? "" : (*args)[2]);
	if (dump->c && dump->json)
		return kt_error_new(KT_ERROR_USAGE, "--json is of format raw, not of c");
	(*args)[2] = (*args)[0];
	*n -= 2;
	*args += 2;
	return NULL;
}

static int run_dump(int n, char **args, const struct cli_guest *guest, struct dump *dump)
{
	struct kt_error *err = skip_bpftool_words(&n, &args, dump);
	long id = 0;

	if (!err)
		err = cli_id_and_target("btf dump", "an object's ID",
					"`ktstr-gdb btf list` lists them", n, args, &id);
	dump->id = (uint32_t)id;
	return err ? cli_fail(err) : dump_target(n > 1 ? args[1] : NULL, guest, dump);
}

static struct render_grid columns(void)
{
	struct inspection none = {0};

	return grid(&none);
}

struct command_line {
	struct cli_guest guest;
	struct dump dump;
};

/* clang-format off */
static const struct cli_option list_options[] = {
	{"name", CLI_OPT_NAME, "GLOB",
	 "only objects whose name matches; may be given again"},
	{"id", CLI_OPT_ID, "ID[,ID]",
	 "only these objects"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first, ids the smallest; -KEY turns "
	 "it around"},
	{"output", 'o', "LIST",
	 "columns: id, name, size, kernel, base_id, prog_ids, map_ids, pids"},
	CLI_HOLDERS_OPTION,
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document, with bpftool's names"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line an object"},
	CLI_COLOR_OPTION,
	{0},
};

static const struct cli_option dump_options[] = {
	{"json", CLI_OPT_JSON, NULL,
	 "of format raw, as bpftool has it"},
	{0},
};

static const struct cli_option both_options[] = {
	CLI_TIMING_OPTION,
	{0},
};
/* clang-format on */

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct command_line *line = context;
	bool taken;

	switch (option->value) {
	case CLI_OPT_JSON: line->dump.json = true; return NULL;
	case CLI_OPT_TIMING: line->dump.timing = true; return NULL;
	default: return cli_guest_option(&line->guest, option->value, arg, &taken);
	}
}

static int dump_command(int argc, char **argv)
{
	struct command_line line = {0};
	int status = cli_parse(&cli_btf_command, argc, argv, take_option, &line);

	if (status != CLI_GO_ON)
		return status;
	return run_dump(argc - optind, argv + optind, &line.guest, &line.dump);
}

static int run_command(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	bool is_dump = strcmp(command, "dump") == 0;

	if (!is_dump && strcmp(command, "list") != 0 && strcmp(command, "show") != 0 &&
	    command[0] != '-')
		return cli_fail(kt_error_hint(
			*command ? kt_error_new(KT_ERROR_USAGE, "\"%s\" is no command of btf",
						command)
				 : kt_error_new(KT_ERROR_USAGE, "btf needs a command"),
			"use btf list [TARGET] or btf dump ID [TARGET]"));
	if (command[0] == '-')
		return list(argc, argv);
	argv[1] = argv[0];
	return is_dump ? dump_command(argc - 1, argv + 1) : list(argc - 1, argv + 1);
}

/* clang-format off */
const struct cli_command cli_btf_command = {
	.name = "btf",
	.summary = "the BTF objects of a running guest, and their types",
	.section = CLI_RUNNING,
	.uses = {{"btf list [TARGET]", "its BTF objects"},
		 {"btf dump ID [TARGET]", "the types of one, as C"}},
	.synopsis = "btf list [TARGET] [OPTION...]\n"
		    "btf dump ID [format c|raw] [TARGET] [OPTION...]",
	.text = "list prints the BTF objects of a running QEMU guest, as `bpftool btf list` does:\n"
		"the kernel's, its modules', and those of programs and maps. dump prints the\n"
		"types of one as C, as `bpftool btf dump id ID format c` does, or with format raw\n"
		"one by one, with their IDs.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output of list", list_options, NULL},
		{"Output of dump", dump_options, NULL},
		{"Output of both", both_options, NULL},
	},
	.examples = {{"ktstr-gdb btf list :1234",
		      NULL},
		     {"ktstr-gdb btf dump 10 :1234 > types.h",
		      NULL}},
	.words = "list,show,dump",
	.grid = columns,
	.needs_word = true,
	.see = "bpftool-btf(8)",
	.takes = CLI_TAKES_TARGET,
	.run = run_command,
};
/* clang-format on */
