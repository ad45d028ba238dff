// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb audit: do the guest's lists of BPF objects tell all? */

#include "model/audit.h"
#include "cli/input.h"
#include "cli/show.h"
#include "model/json.h"
#include "render/audit.h"
#include "util/cleanup.h"

enum { OPT_AGAINST = CLI_OPT_OWN };

/* The lists, without which nothing can be told; and what leads to their objects, if the kernel has
 * it. */
#define LISTS (INSPECT_PROGRAMS | INSPECT_MAPS | INSPECT_LINKS | INSPECT_BTF)
#define PLACES                                                                                     \
	(INSPECT_TRAMPOLINES | INSPECT_STRUCT_OPS | INSPECT_SLOTS | INSPECT_PERF |                 \
	 INSPECT_CGROUPS | INSPECT_NET | INSPECT_HOLDERS)

struct options {
	const char *target, *against;
	struct cli_guest guest;
	bool json, timing;
};

/* --- what the guest says of itself --- */

static struct kt_error *load_told(const char *path, json_t **ret)
{
	struct cli_input input = {0};
	struct kt_error *err = cli_input_read(path, &input);
	json_error_t why;

	if (err)
		return err;
	*ret = kt_json_load(input.text, 0, &why);
	err = input.error;
	input.error = NULL;
	if (!err && !*ret)
		err = kt_error_new(KT_ERROR_FORMAT, "it is no JSON: line %d: %s", why.line,
				   why.text);
	cli_input_deinit(&input);
	return err ? kt_error_wrap(err, "cannot read %s", path) : NULL;
}

/* --- one look --- */

static struct kt_error *find_places(const struct inspection *in, struct audit *audit)
{
	struct kt_error *err = audit_programs(audit, &in->programs);

	if (!err)
		err = audit_maps(audit, &in->maps);
	if (!err)
		err = audit_links(audit, &in->links);
	if (!err)
		err = audit_trampolines(audit, &in->trampolines);
	if (!err)
		err = audit_struct_ops(audit, &in->struct_ops);
	if (!err)
		err = audit_perf(audit, &in->perf);
	if (!err)
		err = audit_slots(audit, &in->slots);
	if (!err)
		err = audit_cgroups(audit, &in->cgroups);
	if (!err)
		err = audit_net(audit, &in->net);
	return err ? err : audit_holdings(audit, &in->holdings);
}

static struct kt_error *look(struct cli_session *session, const json_t *told,
			     struct audit_result *ret)
{
	const struct inspect_options what = {.objects = LISTS | PLACES | INSPECT_AVAILABLE};
	_cleanup_(audit_deinit) struct audit audit = {0};
	const struct inspection *in = &session->inspection;
	struct kt_error *err;

	inspection_deinit(&session->inspection);
	err = cli_session_read(session, &what);
	if (!err)
		err = inspect_check(LISTS, session->facts);
	if (!err)
		err = find_places(in, &audit);
	return err ? err
		   : audit_finish(&audit, &in->programs, &in->maps, &in->links, &in->btfs, told,
				  ret);
}

static const struct {
	unsigned int object;
	const char *what;
} places[] = {
	{INSPECT_TRAMPOLINES, "trampolines"},
	{INSPECT_STRUCT_OPS, "struct_ops"},
	{INSPECT_PERF, "perf events"},
	{INSPECT_SLOTS, "prog arrays and arrays of maps"},
	{INSPECT_CGROUPS, "cgroups"},
	{INSPECT_NET, "the network"},
	{INSPECT_HOLDERS, "processes and bpffs"},
};

static void note_unreadable(const struct inspection *in)
{
	cli_note_unreadable(in->programs.n_unreadable, "prog_idr");
	cli_note_unreadable(in->maps.n_unreadable, "map_idr");
	cli_note_unreadable(in->links.n_unreadable, "link_idr");
	cli_note_unreadable(in->btfs.n_unreadable, "btf_idr");
	cli_note_unreadable(in->trampolines.n_unreadable, "trampoline_table");
	cli_note_unreadable(in->perf.n_unreadable, "perf events");
	cli_note_unreadable(in->slots.n_unreadable, "slots of maps");
	cli_note_unreadable(in->cgroups.n_unreadable, "cgroups");
	cli_note_unreadable(in->net.n_unreadable, "network");
	cli_note_holders(in);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!(in->objects & places[i].object))
			cli_note("not looked at, since the kernel's types or symbols lack it: %s",
				 places[i].what);
}

static int show(const struct cli_session *session, const struct options *options,
		const struct audit_result *result)
{
	const struct cli_result read = {.session = session,
					.inspection = (struct inspection *)&session->inspection};
	char build_id[CLI_BUILD_ID_MAX];
	struct render_guest guest = cli_render_guest(&read, build_id);
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = options->json ? render_audit_json(result, &guest, &text)
					     : render_audit_text(result, cli_table_width(), &text);
	int status;

	if (err)
		return cli_fail(err);
	status = cli_print(text);
	note_unreadable(&session->inspection);
	if (options->timing)
		cli_print_timing(&read);
	return status == CLI_DONE && result->n ? CLI_TEST_FAILED : status;
}

static int run(const struct options *options, const json_t *told)
{
	_cleanup_(audit_result_deinit) struct audit_result result = {0}, again = {0};
	_cleanup_(cli_session_deinit) struct cli_session session = {0};
	struct kt_error *err = cli_session_open(&session, &options->guest, options->target, NULL);

	if (!err)
		err = look(&session, told, &result);
	if (!err && result.n) {
		err = look(&session, told, &again);
		if (!err)
			audit_keep_both(&result, &again);
	}
	return err ? cli_fail(err) : show(&session, options, &result);
}

/* --- the command line --- */

static int audit_target(int n, char **args, struct options *options)
{
	struct kt_error *err = cli_one_target(n, args);
	json_t *told = NULL;
	int status;

	options->target = n ? args[0] : NULL;
	/* The fence keeps other files from being opened later. */
	if (!err && options->against)
		err = load_told(options->against, &told);
	status = err ? cli_fail(err) : run(options, told);
	json_decref(told);
	return status;
}

/* clang-format off */
static const struct cli_option output_options[] = {
	{"against", OPT_AGAINST, "FILE",
	 "besides: programs that are not in FILE, which is what the guest's own `bpftool -j prog show` "
	 "printed; -: stdin"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	CLI_TIMING_OPTION,
	{0},
};
/* clang-format on */

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct options *o = context;
	bool taken;

	switch (option->value) {
	case CLI_OPT_JSON: o->json = true; return NULL;
	case CLI_OPT_TIMING: o->timing = true; return NULL;
	case OPT_AGAINST: o->against = arg; return NULL;
	default: return cli_guest_option(&o->guest, option->value, arg, &taken);
	}
}

static int run_command(int argc, char **argv)
{
	struct options options = {0};
	int status = cli_parse(&cli_audit_command, argc, argv, take_option, &options);

	return status == CLI_GO_ON ? audit_target(argc - optind, argv + optind, &options) : status;
}

/* clang-format off */
const struct cli_command cli_audit_command = {
	.name = "audit",
	.summary = "does a running guest hide BPF objects?",
	.section = CLI_RUNNING,
	.uses = {{"audit [TARGET]", "does it hide programs or maps?"}},
	.synopsis = "audit [TARGET] [--against FILE] [OPTION...]",
	.text = "Compares the BPF programs, maps, links and BTF objects that the kernel of a\n"
		"running QEMU guest lists with those that something in it runs or holds: links,\n"
		"trampolines, struct_ops, perf events, prog arrays, arrays of maps, cgroups,\n"
		"network devices, programs, processes, bpffs.\n"
		"What is not listed is hidden, from bpftool too. If something is found, the guest\n"
		"is read once more: what is just made or removed is no finding.\n"
		"\n"
		"The guest stops for a few milliseconds, and runs on.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.status = "0 all is told; 1 something is hidden; 2 usage; 3 it could not be done",
	.examples = {{"ktstr-gdb audit :1234",
		      NULL},
		     {"ssh vm1 sudo bpftool -j prog show | ktstr-gdb audit libvirt:vm1 --against -",
		      "What bpftool in the guest does not tell."}},
	.takes = CLI_TAKES_TARGET,
	.run = run_command,
};
/* clang-format on */
