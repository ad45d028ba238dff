// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb map dump, map lookup: the contents of one map, the value of one key. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/btf_read.h"
#include "cli/show.h"
#include "introspect/typed.h"
#include "render/map_dump.h"
#include "util/cleanup.h"

enum { OPT_MAX_ENTRIES = CLI_OPT_OWN };

struct dump {
	struct map_dump_order order;
	long max_entries;  /* 0: all */
	struct kt_buf key; /* of a lookup */
	bool lookup;
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
	if (!dump->lookup)
		announce(session, whole);
	dump->order.large = true;
	do {
		err = read_part(session, dump, whole);
		stops++;
	} while (!err && !is_complete(dump, whole));
	if (!err && stops > 1 && !dump->lookup)
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

/* The object that a struct_ops map has its types from; what it continues, too. */
static struct kt_error *read_types(struct cli_session *session, struct map_dump *whole)
{
	_cleanup_(kt_buf_deinit) struct kt_buf data = KT_BUF_INIT, base = KT_BUF_INIT;
	struct btf_object object, base_object;
	struct kt_error *err;

	if (!whole->types_btf_id || whole->btf)
		return NULL;
	cli_progress("reading the kernel's types");
	err = cli_btf_read(session, whole->types_btf_id, &object, &data);
	if (!err && object.base_id)
		err = cli_btf_read(session, object.base_id, &base_object, &base);
	if (err)
		return err;
	whole->btf_len = data.len;
	whole->base_btf_len = base.len;
	if (base.len)
		err = kt_buf_finish(&base, (char **)&whole->base_btf);
	return err ? err : kt_buf_finish(&data, (char **)&whole->btf);
}

/* Who tells what function an address is in. */
struct names {
	const struct kfacts *facts;
	int64_t kaslr_offset;
};

static struct map_frame frame_of(const void *context, uint64_t addr)
{
	const struct names *names = context;
	struct map_frame ret = {.addr = addr};

	ret.func = kfacts_function_around(names->facts, addr - (uint64_t)names->kaslr_offset,
					  &ret.offset);
	return ret;
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

static bool has_stacks(const struct map_dump *whole)
{
	return strcmp(whole->map.type, "stack_trace") == 0 &&
	       !(whole->map.flags.value & BPF_F_STACK_BUILD_ID);
}

static struct kt_error *make_text(const struct dump *dump, const struct map_dump *whole,
				  const struct render_types *types, char **ret)
{
	if (!dump->lookup)
		return dump->json ? render_map_dump_json(whole, types, ret)
				  : render_map_dump_text(whole, types, ret);
	return dump->json ? render_map_lookup_json(whole, types, ret)
			  : render_map_lookup_text(whole, dump->order.key, types, ret);
}

static int show(const struct cli_result *result, const struct dump *dump,
		const struct map_dump *whole)
{
	const struct names names = {result->session->facts, result->inspection->kaslr_offset};
	_cleanup_free_ char *text = NULL;
	struct typed *typed = NULL;
	struct render_types types = {0};
	struct kt_error *err = find_types(whole, &typed);
	int status;

	if (typed)
		types = (struct render_types){.context = typed,
					      .key_json = typed_has_key(typed) ? key_json : NULL,
					      .value_json = value_json};
	if (has_stacks(whole)) {
		types.frame = frame_of;
		types.frame_context = &names;
	}
	if (!err)
		err = make_text(dump, whole, &types, &text);
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
	/* bpftool's lookup fails, too, where there is no such entry. */
	if (dump->lookup && status == CLI_DONE && (!whole->n || whole->states[0] != MAP_THERE))
		status = CLI_TEST_FAILED;
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
	if (!err)
		err = read_types(&session, &whole);
	/* The names of functions, which no other type needs. Nothing is read. */
	if (!err && has_stacks(&whole))
		err = cli_session_know(&session, INSPECT_JITED);
	return err ? cli_fail(err) : show(&result, dump, &whole);
}

/* --- the command line --- */

/* A byte as bpftool takes it, and no larger number. */
static struct kt_error *take_byte(const char *word, int base, struct kt_buf *key)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(word, &end, base);
	if (!isxdigit((unsigned char)*word) || *end || errno || value > UINT8_MAX)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "\"%s\" is no byte of a key",
						  word),
				     base == 16 ? "behind \"hex\" bytes are 00 to ff"
						: "bytes are 0 to 255, or 0x00 to 0xff");
	kt_buf_appendc(key, (char)value);
	return kt_buf_failed(key) ? kt_error_no_memory() : NULL;
}

/* Takes "key [hex] BYTE..." out of the arguments. A TARGET has a colon, and no byte has one. */
static struct kt_error *take_key(int *n, char **args, struct kt_buf *key)
{
	struct kt_error *err = NULL;
	int at = 0, kept, base = 0;

	while (at < *n && strcmp(args[at], "key") != 0)
		at++;
	kept = at;
	if (++at < *n && strcmp(args[at], "hex") == 0) {
		base = 16;
		at++;
	}
	for (; at < *n && !err; at++) {
		if (strchr(args[at], ':'))
			args[kept++] = args[at];
		else
			err = take_byte(args[at], base, key);
	}
	if (!err && !key->len)
		err = kt_error_hint(kt_error_new(KT_ERROR_USAGE, "map lookup needs a key"),
				    "use map lookup ID key [hex] BYTE... [TARGET]");
	*n = kept;
	return err;
}

/* "dump [id] ID [TARGET]", "lookup [id] ID key [hex] BYTE... [TARGET]" */
static int run(int n, char **args, const struct cli_guest *guest, struct dump *dump)
{
	struct kt_error *err = NULL;
	long id = 0;

	dump->lookup = n > 0 && strcmp(args[0], "lookup") == 0;
	if (!dump->lookup && (n < 1 || strcmp(args[0], "dump") != 0))
		err = kt_error_hint(n < 1 ? kt_error_new(KT_ERROR_USAGE, "map needs a command")
					  : kt_error_new(KT_ERROR_USAGE,
							 "\"%s\" is no command of map", args[0]),
				    "use map dump ID [TARGET] or map lookup ID key BYTE... "
				    "[TARGET]; ktstr-gdb maps lists the maps");
	if (!err && n > 1 && strcmp(args[1], "id") == 0) /* bpftool's users write it */
		n--, args++;
	if (!err && dump->lookup)
		err = take_key(&n, args, &dump->key);
	if (!err)
		err = cli_id_and_target(dump->lookup ? "map lookup" : "map dump", "a map's ID",
					"`ktstr-gdb maps` lists the maps", n - 1, args + 1, &id);
	if (!err && dump->lookup && dump->max_entries)
		err = kt_error_new(KT_ERROR_USAGE, "--max-entries is for map dump");
	if (dump->lookup) {
		dump->order.key = (const uint8_t *)dump->key.data;
		dump->order.key_len = dump->key.len;
	}
	dump->order.id = (uint32_t)id;
	return err ? cli_fail(err) : dump_target(n > 2 ? args[2] : NULL, guest, dump);
}

struct command_line {
	struct cli_guest guest;
	struct dump dump;
};

/* clang-format off */
static const struct cli_option output_options[] = {
	{"max-entries", OPT_MAX_ENTRIES, "N",
	 "of a dump, N entries at most"},
	{"json", CLI_OPT_JSON, NULL,
	 "as bpftool has it: an array of entries; of a lookup one entry, or null"},
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
	case OPT_MAX_ENTRIES:
		return cli_number("--max-entries", arg, 1, INT32_MAX, &line->dump.max_entries);
	default: return cli_guest_option(&line->guest, option->value, arg, &taken);
	}
}

static int run_command(int argc, char **argv)
{
	struct command_line line = {.dump.key = KT_BUF_INIT};
	int status = cli_parse(&cli_map_command, argc, argv, take_option, &line);

	if (status == CLI_GO_ON)
		status = run(argc - optind, argv + optind, &line.guest, &line.dump);
	kt_buf_deinit(&line.dump.key);
	return status;
}

/* clang-format off */
const struct cli_command cli_map_command = {
	.name = "map",
	.summary = "the contents of a BPF map of a running guest",
	.section = CLI_RUNNING,
	.uses = {{"map dump ID [TARGET]", "the contents of one"},
		 {"map lookup ID key BYTE... [TARGET]", "the value of one key"}},
	.synopsis = "map dump ID [TARGET] [OPTION...]\n"
		    "map lookup ID key [hex] BYTE... [TARGET] [OPTION...]",
	.text = "dump prints the keys and values of one BPF map of a running QEMU guest, as\n"
		"`bpftool map dump id ID` does, with their types if the map has BTF; lookup the\n"
		"value of one key, as `bpftool map lookup id ID key BYTE...`. BYTEs are decimal,\n"
		"or 0x..; behind \"hex\" in hexadecimal. ktstr-gdb maps lists the maps.\n"
		"\n"
		"What is read: array, percpu_array, prog_array, array_of_maps, hash, lru_hash,\n"
		"percpu_hash, lru_percpu_hash, hash_of_maps, lpm_trie, queue (oldest first),\n"
		"stack (newest first); cgroup_storage, percpu_cgroup_storage, and with whose it\n"
		"is task_storage, inode_storage, sk_storage, cgrp_storage; stack_trace with the\n"
		"names of functions; struct_ops; devmap, devmap_hash, cpumap, sockmap, sockhash,\n"
		"reuseport_sockarray; arena, by page; of ringbuf, user_ringbuf and bloom_filter\n"
		"how full they are. xskmap, perf_event_array and cgroup_array answer no lookup.\n"
		"\n"
		"The guest stands still while a map is read. A map of more than 1 MB is read in\n"
		"parts, and in between the guest runs on. A lookup reads an index and nothing\n"
		"else; another map it reads until the key is found.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb map dump 2 :1234",
		      NULL},
		     {"ktstr-gdb map lookup 2 key 1 0 0 0 :1234",
		      NULL}},
	.words = "dump,lookup",
	.needs_word = true,
	.see = "bpftool-map(8), ktstr-gdb-maps(1)",
	.takes = CLI_TAKES_TARGET,
	.run = run_command,
};
/* clang-format on */
