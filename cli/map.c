// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb map dump: the contents of one map. */
#include <inttypes.h>
#include <string.h>

#include "cli/show.h"
#include "host/target.h"
#include "introspect/typed.h"
#include "render/map_dump.h"
#include "util/cleanup.h"

static const char help[] =
	"Usage: ktstr-gdb map dump ID [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints the keys and values of one BPF map of a running QEMU guest, as\n"
	"`bpftool map dump id ID` does, with their types if the map has BTF.\n"
	"ktstr-gdb maps lists the maps.\n"
	"\n"
	"What is read: array, percpu_array, prog_array, array_of_maps, hash, lru_hash,\n"
	"percpu_hash, lru_percpu_hash, hash_of_maps, lpm_trie, queue (oldest first) and\n"
	"stack (newest first).\n"
	"\n"
	"The guest stands still while a map is read. A map of more than 1 MB is read in\n"
	"parts, and in between the guest runs on.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] = "Output:\n"
				  "  --max-entries N      N entries at most\n"
				  "  --json               as bpftool has it: an array of entries\n"
				  "  --timing             where the time went, on stderr\n";

enum { OPT_MAX_ENTRIES = CLI_OPT_OWN };

struct dump {
	struct map_dump_order order;
	long max_entries; /* 0: all */
	bool json, timing;
};

/* --- reading --- */

/* The next part, behind what *whole has. */
static struct kt_error *read_part(struct cli_session *session, struct dump *dump,
				  struct map_dump *whole)
{
	const struct inspect_options what = {.objects = INSPECT_MAP_DUMP, .map = &dump->order};
	struct kt_error *err;

	dump->order.first = whole->next;
	dump->order.max_entries = dump->max_entries ? (uint64_t)dump->max_entries - whole->n : 0;
	inspection_deinit(&session->inspection);
	err = cli_session_read(session, &what);
	if (err)
		return err;
	if (!whole->map.id) {
		*whole = session->inspection.dump;
		session->inspection.dump = (struct map_dump){0};
	} else if (!map_dump_append(whole, &session->inspection.dump)) {
		return kt_error_new(KT_ERROR_MISMATCH, "map %" PRIu32 " became another one",
				    whole->map.id);
	}
	return NULL;
}

static bool is_complete(const struct dump *dump, const struct map_dump *whole)
{
	return whole->done || (dump->max_entries && whole->n >= (uint64_t)dump->max_entries);
}

/* Says how large it is before it is read. */
static void announce(const struct cli_session *session, const struct map_dump *whole)
{
	cli_note("map %" PRIu32 " has room for %" PRIu64 " entries, %.1f MB: it is read in parts%s",
		 whole->map.id, whole->map.max_entries.value, (double)whole->size / 1e6,
		 session->options->leave_stopped ? "" : ", and the guest runs in between");
}

static struct kt_error *read_map(struct cli_session *session, struct dump *dump,
				 struct map_dump *whole)
{
	struct kt_error *err = read_part(session, dump, whole);
	size_t stops = 0;

	if (err || is_complete(dump, whole))
		return err;
	announce(session, whole);
	dump->order.large = true;
	do {
		err = read_part(session, dump, whole);
		stops++;
	} while (!err && !is_complete(dump, whole));
	if (!err && stops > 1)
		cli_note(
			"it took %zu stops: entries that changed meanwhile are of different moments",
			stops);
	return err;
}

/* --- showing --- */

static json_t *key_json(const void *types, const uint8_t *data)
{
	return typed_key_json(types, data);
}

static json_t *value_json(const void *types, const uint8_t *data)
{
	return typed_value_json(types, data);
}

/* The map's types. Damaged ones cost the types, and a note. */
static struct kt_error *find_types(const struct map_dump *whole, struct typed **ret)
{
	struct kt_error *err = typed_create(whole, ret);

	if (!err || kt_error_code(err) == KT_ERROR_NO_MEMORY)
		return err;
	cli_note("the types of map %" PRIu32 " are not shown: %s", whole->map.id,
		 kt_error_message(err));
	kt_error_destroy(err);
	return NULL;
}

static int show(const struct cli_result *result, const struct dump *dump,
		const struct map_dump *whole)
{
	_cleanup_free_ char *text = NULL;
	struct typed *typed = NULL;
	struct render_types types = {0};
	struct kt_error *err = find_types(whole, &typed);
	int status;

	if (typed)
		types = (struct render_types){.context = typed,
					      .key_json = typed_has_key(typed) ? key_json : NULL,
					      .value_json = value_json};
	if (!err)
		err = dump->json ? render_map_dump_json(whole, &types, &text)
				 : render_map_dump_text(whole, &types, &text);
	typed_destroy(typed);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (whole->n_unreadable)
		cli_note("%zu elements of the map could not be read, or make no sense",
			 whole->n_unreadable);
	if (!whole->done)
		cli_note("--max-entries: the map may have more");
	if (dump->timing)
		cli_print_timing(result);
	return status;
}

static int dump_target(const char *target, const struct cli_guest *guest, struct dump *dump)
{
	_cleanup_(cli_session_deinit) struct cli_session session = {0};
	_cleanup_(map_dump_deinit) struct map_dump whole = {0};
	const struct cli_result result = {.session = &session, .inspection = &session.inspection};
	struct kt_error *err = cli_session_open(&session, guest, target, NULL);

	if (!err)
		err = read_map(&session, dump, &whole);
	return err ? cli_fail(err) : show(&result, dump, &whole);
}

/* --- the command line --- */

/* "dump [id] ID [TARGET]" */
static int run_dump(int n, char **args, const struct cli_guest *guest, struct dump *dump)
{
	struct kt_error *err = NULL;
	long id = 0;

	if (n < 1 || strcmp(args[0], "dump") != 0)
		err = kt_error_hint(n < 1 ? kt_error_new(KT_ERROR_USAGE, "map needs a command")
					  : kt_error_new(KT_ERROR_USAGE,
							 "\"%s\" is no command of map", args[0]),
				    "use map dump ID [TARGET]; ktstr-gdb maps lists the maps");
	if (!err && n > 1 && strcmp(args[1], "id") == 0) /* bpftool's users write it */
		n--, args++;
	if (!err)
		err = cli_id_and_target("map dump", "a map's ID", "`ktstr-gdb maps` lists the maps",
					n - 1, args + 1, &id);
	dump->order.id = (uint32_t)id;
	return err ? cli_fail(err) : dump_target(n > 2 ? args[2] : NULL, guest, dump);
}

int cli_map(int argc, char **argv)
{
	static const struct option options[] = {CLI_GUEST_OPTIONS,
						{"json", no_argument, NULL, CLI_OPT_JSON},
						{"timing", no_argument, NULL, CLI_OPT_TIMING},
						{"max-entries", required_argument, NULL,
						 OPT_MAX_ENTRIES},
						{"help", no_argument, NULL, 'h'},
						{0}};
	struct cli_guest guest = {0};
	struct dump dump = {0};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		struct kt_error *err = NULL;
		bool taken;

		switch (c) {
		case 'h': return cli_print_texts(&(const struct cli_texts){help, output_help});
		case '?': return CLI_USAGE;
		case CLI_OPT_JSON: dump.json = true; break;
		case CLI_OPT_TIMING: dump.timing = true; break;
		case OPT_MAX_ENTRIES:
			err = cli_number("--max-entries", optarg, 1, INT32_MAX, &dump.max_entries);
			break;
		default: err = cli_guest_option(&guest, c, optarg, &taken); break;
		}
		if (err)
			return cli_fail(err);
	}
	return run_dump(argc - optind, argv + optind, &guest, &dump);
}
