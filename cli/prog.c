// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/show.h"
#include "machine/disasm.h"
#include "render/bpf_cfg.h"
#include "render/jited.h"
#include "util/cleanup.h"

enum { OPT_OPCODES = CLI_OPT_OWN, OPT_LINUM, OPT_VISUAL };

struct dump {
	long id;
	bool jited, json, timing, visual;
	struct render_insns how;
};

static struct kt_error *xlated_text(const struct insns *insns, const struct dump *dump, char **ret)
{
	if (dump->visual)
		return render_insns_dot(insns, &dump->how, ret);
	return dump->json ? render_insns_json(insns, &dump->how, ret)
			  : render_insns_text(insns, &dump->how, ret);
}

/* Who names what the code calls: what is known of the kernel, and then the guest. */
struct callees {
	const struct cli_session *session;
	KT_VEC(uint64_t) unknown;
	const struct code_names *named; /* of those; NULL: not yet */
};

static struct kt_error *callee_at(void *arg, uint64_t addr, char **ret)
{
	struct callees *callees = arg;
	const struct cli_session *session = callees->session;
	struct kt_error *err = bpf_jited_callee(session->facts, session->inspection.kaslr_offset,
						addr, ret);

	if (err || *ret)
		return err;
	if (!callees->named)
		return kt_vec_push(&callees->unknown, addr) ? NULL : kt_error_no_memory();
	for (size_t i = 0; i < callees->named->n; i++) {
		const struct module_symbol *symbol = &callees->named->all[i];

		if (symbol->addr != addr || symbol->start != addr || !symbol->name)
			continue;
		*ret = strdup(symbol->name);
		return *ret ? NULL : kt_error_no_memory();
	}
	return NULL;
}

/* BPF's own functions, and modules', by one more stop; then the code is read once more. */
static struct kt_error *name_the_rest(struct cli_session *session, struct callees *callees,
				      struct jited *jited)
{
	const struct inspect_options what = {
		.objects = INSPECT_CODE,
		.addrs = callees->unknown.data,
		.n_addrs = callees->unknown.len,
	};
	struct kt_error *err;
	bool known;

	inspection_deinit(&session->inspection);
	err = cli_session_read(session, &what);
	if (err) {
		cli_note("not all that it calls has a name: %s", kt_error_message(err));
		kt_error_destroy(err);
		return NULL;
	}
	callees->named = &session->inspection.code;
	jited_forget_insns(jited);
	return machine_disassemble(jited, callee_at, callees, &known);
}

static struct kt_error *read_code(struct cli_session *session, struct jited *jited, bool *known_ret)
{
	struct callees callees = {.session = session};
	struct kt_error *err = machine_disassemble(jited, callee_at, &callees, known_ret);

	if (!err && callees.unknown.len)
		err = name_the_rest(session, &callees, jited);
	kt_vec_free(&callees.unknown);
	return err;
}

static struct kt_error *jited_text(struct cli_session *session, const struct dump *dump, char **ret)
{
	_cleanup_(jited_deinit) struct jited jited = session->inspection.jited;
	struct kt_error *err;
	bool known;

	session->inspection.jited = (struct jited){0};
	err = read_code(session, &jited, &known);
	if (!err && !known)
		cli_note("%s: only bytes are shown",
			 machine_load() ? "capstone does not know this architecture"
					: "there is no capstone (libcapstone) for ktstr-gdb here");
	if (err)
		return err;
	return dump->json ? render_jited_json(&jited, &dump->how, ret)
			  : render_jited_text(&jited, &dump->how, ret);
}

static int show(struct cli_session *session, const struct dump *dump)
{
	const struct cli_result result = {.session = session, .inspection = &session->inspection};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = dump->jited ? jited_text(session, dump, &text)
					   : xlated_text(&session->inspection.insns, dump, &text);
	int status;

	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (dump->timing)
		cli_print_timing(&result);
	return status;
}

static int dump_target(const char *target, const struct cli_guest *guest, const struct dump *dump)
{
	const struct inspect_options what = {.objects = dump->jited ? INSPECT_JITED | INSPECT_CODE
								    : INSPECT_INSNS,
					     .not_read = INSPECT_CODE,
					     .prog_id = (uint32_t)dump->id};
	_cleanup_(cli_session_deinit) struct cli_session session = {0};
	struct kt_error *err;

	if (dump->jited)
		machine_load();
	err = cli_session_open(&session, guest, target, NULL);
	if (!err)
		err = cli_session_read(&session, &what);
	return err ? cli_fail(err) : show(&session, dump);
}

/* Drops args[1]. */
static void drop_word(int *n, char **args)
{
	memmove(&args[1], &args[2], (size_t)(*n - 2) * sizeof(*args));
	--*n;
}

/* "xlated" or "jited", and "id", which bpftool's users write before the ID. */
static void take_words_before(int *n, char **args, struct dump *dump)
{
	dump->jited = *n >= 2 && !strcmp(args[1], "jited");
	if (dump->jited || (*n >= 2 && !strcmp(args[1], "xlated")))
		drop_word(n, args);
	if (*n >= 2 && !strcmp(args[1], "id"))
		drop_word(n, args);
}

/* The same for the words behind the ID. No TARGET is one of them. */
static void take_words_behind(int *n, char **args, struct dump *dump)
{
	int kept = 2;

	for (int i = 2; i < *n; i++) {
		if (!strcmp(args[i], "opcodes"))
			dump->how.opcodes = true;
		else if (!strcmp(args[i], "linum"))
			dump->how.linum = true;
		else if (!strcmp(args[i], "visual"))
			dump->visual = true;
		else
			args[kept++] = args[i];
	}
	*n = *n < 2 ? *n : kept;
}

/* "dump [xlated|jited] [id] ID [opcodes] [linum] [visual] [TARGET]" */
static int run_dump(int n, char **args, const struct cli_guest *guest, struct dump *dump)
{
	struct kt_error *err = NULL;

	take_words_before(&n, args, dump);
	if (n > 2 && (!strcmp(args[1], "name") || !strcmp(args[1], "tag")))
		return cli_fail(kt_error_hint(kt_error_new(KT_ERROR_USAGE, "prog dump takes an ID"),
					      "`ktstr-gdb attach --%s %s -o id,name` tells it",
					      args[1], args[2]));
	take_words_behind(&n, args, dump);
	if (n < 1 || strcmp(args[0], "dump") != 0)
		err = kt_error_hint(n < 1 ? kt_error_new(KT_ERROR_USAGE, "prog needs a command")
					  : kt_error_new(KT_ERROR_USAGE,
							 "\"%s\" is no command of prog", args[0]),
				    "use prog show [ID] [TARGET] or prog dump ID [TARGET]");
	else
		err = cli_id_and_target("prog dump", "a program's ID",
					"`ktstr-gdb attach` lists the programs", n - 1, args + 1,
					&dump->id);
	if (!err && dump->visual && (dump->json || dump->jited))
		err = kt_error_new(KT_ERROR_USAGE, "--visual is for the text of xlated");
	return err ? cli_fail(err) : dump_target(n > 2 ? args[2] : NULL, guest, dump);
}

struct command_line {
	struct cli_guest guest;
	struct dump dump;
};

/* clang-format off */
static const struct cli_option output_options[] = {
	{"opcodes", OPT_OPCODES, NULL,
	 "each instruction's bytes, too"},
	{"linum", OPT_LINUM, NULL,
	 "with each line of source its file, number and column"},
	{"visual", OPT_VISUAL, NULL,
	 "of xlated, the flow of control: a graph for dot(1)"},
	{"json", CLI_OPT_JSON, NULL,
	 "as bpftool has it: an array of instructions"},
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
	case OPT_OPCODES: line->dump.how.opcodes = true; return NULL;
	case OPT_LINUM: line->dump.how.linum = true; return NULL;
	case OPT_VISUAL: line->dump.visual = true; return NULL;
	default: return cli_guest_option(&line->guest, option->value, arg, &taken);
	}
}

static int run_command(int argc, char **argv)
{
	struct command_line line = {0};
	int status;

	if (argc > 1 && (!strcmp(argv[1], "show") || !strcmp(argv[1], "list")))
		return cli_prog_show_command.run(argc, argv);
	status = cli_parse(&cli_prog_command, argc, argv, take_option, &line);
	if (status != CLI_GO_ON)
		return status;
	return run_dump(argc - optind, argv + optind, &line.guest, &line.dump);
}

/* clang-format off */
const struct cli_command cli_prog_command = {
	.name = "prog",
	.summary = "the instructions of a BPF program of a running guest",
	.section = CLI_RUNNING,
	.uses = {{"prog dump ID [TARGET]", "a program's translated instructions"}},
	.synopsis = "prog dump [xlated|jited] ID [TARGET] [OPTION...]\n"
		    "prog show [ID] [TARGET] [OPTION...]",
	.text = "dump prints one BPF program of a running QEMU guest, as `bpftool prog dump`\n"
		"does: its translated instructions, or the machine code that the kernel's JIT\n"
		"made of them. bpftool's words may stand here: `prog dump xlated id ID opcodes\n"
		"linum`.\n"
		"show tells all that is known of one: ktstr-gdb prog show --help. ktstr-gdb\n"
		"attach, or show without an ID, lists the programs.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb prog dump 17 :1234 --linum",
		      NULL},
		     {"ktstr-gdb prog dump jited 17 :1234",
		      NULL}},
	.words = "dump,show,list",
	.needs_word = true,
	.see = "bpftool-prog(8), ktstr-gdb-prog-show(1)",
	.takes = CLI_TAKES_TARGET,
	.run = run_command,
};
/* clang-format on */
