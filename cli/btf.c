// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb btf list, btf dump: the guest's BTF objects, and the types of one. */
#include <bpf/btf.h>
#include <inttypes.h>
#include <string.h>

#include "btf/btf_checked.h"
#include "cli/btf_read.h"
#include "cli/objects.h"
#include "host/target.h"
#include "render/objects.h"
#include "util/cleanup.h"

/* --- list --- */

static const char list_help[] =
	"Usage: ktstr-gdb btf list [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"       ktstr-gdb btf dump ID [format c|raw] [TARGET] [--vmlinux FILE]\n"
	"                 [OPTION...]\n"
	"\n"
	"list prints the BTF objects of a running QEMU guest, as `bpftool btf list` does:\n"
	"the kernel's, its modules', and those of programs and maps. dump prints the\n"
	"types of one as C, as `bpftool btf dump id ID format c` does, or with format raw\n"
	"one by one, with their IDs.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char list_output_help[] =
	"Output of list:\n"
	"  --name GLOB          only objects whose name matches; may be given again\n"
	"  --id ID[,ID]         only these objects\n"
	"  --sort KEY           sort by a column of -o; names from A, numbers the largest\n"
	"                       first, ids the smallest; -KEY turns it around\n"
	"  -o, --output LIST    columns: id, name, size, kernel, base_id, prog_ids,\n"
	"                       map_ids, pids\n" CLI_HOLDERS_HELP
	"  --json               one JSON document, with bpftool's names\n"
	"  --csv                comma-separated, one line an object\n"
	"  --color WHEN         auto, always or never\n"
	"Output of dump:\n"
	"  --json               of format raw, as bpftool has it\n"
	"Output of both:\n"
	"  --timing             where the time went, on stderr\n";

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
						   .texts = {list_help, list_output_help},
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

static int dump(int argc, char **argv)
{
	static const struct option options[] = {CLI_GUEST_OPTIONS,
						{"json", no_argument, NULL, CLI_OPT_JSON},
						{"timing", no_argument, NULL, CLI_OPT_TIMING},
						{"help", no_argument, NULL, 'h'},
						{0}};
	struct cli_guest guest = {0};
	struct dump dump = {0};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		struct kt_error *err = NULL;
		bool taken;

		switch (c) {
		case 'h':
			return cli_print_texts(
				&(const struct cli_texts){list_help, list_output_help});
		case '?': return CLI_USAGE;
		case CLI_OPT_JSON: dump.json = true; break;
		case CLI_OPT_TIMING: dump.timing = true; break;
		default: err = cli_guest_option(&guest, c, optarg, &taken); break;
		}
		if (err)
			return cli_fail(err);
	}
	return run_dump(argc - optind, argv + optind, &guest, &dump);
}

int cli_btf(int argc, char **argv)
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
	return is_dump ? dump(argc - 1, argv + 1) : list(argc - 1, argv + 1);
}
