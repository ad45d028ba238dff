// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/prog.h"
#include "cli/show.h"
#include "host/target.h"
#include "machine/disasm.h"
#include "render/bpf_cfg.h"
#include "render/jited.h"
#include "util/cleanup.h"

static const char help[] =
	"Usage: ktstr-gdb prog dump [xlated|jited] ID [TARGET] [--vmlinux FILE]\n"
	"                 [OPTION...]\n"
	"       ktstr-gdb prog show [ID] [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"dump prints one BPF program of a running QEMU guest, as `bpftool prog dump`\n"
	"does: its translated instructions, or the machine code that the kernel's JIT\n"
	"made of them. bpftool's words may stand here: `prog dump xlated id ID opcodes\n"
	"linum`.\n"
	"show tells all that is known of one: ktstr-gdb prog show --help. ktstr-gdb\n"
	"attach, or show without an ID, lists the programs.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] =
	"Output:\n"
	"  --opcodes            each instruction's bytes, too\n"
	"  --linum              with each line of source its file, number and column\n"
	"  --visual             of xlated, the flow of control: a graph for dot(1)\n"
	"  --json               as bpftool has it: an array of instructions\n"
	"  --timing             where the time went, on stderr\n";

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

/* What the session knows of the guest's kernel names what the code calls. */
static struct kt_error *callee_at(void *arg, uint64_t addr, char **ret)
{
	const struct cli_session *session = arg;

	return bpf_jited_callee(session->facts, session->inspection.kaslr_offset, addr, ret);
}

static struct kt_error *jited_text(struct cli_session *session, const struct dump *dump, char **ret)
{
	struct jited *jited = &session->inspection.jited;
	bool known;
	struct kt_error *err = machine_disassemble(jited, callee_at, session, &known);

	if (!err && !known)
		cli_note("%s: only bytes are shown",
			 machine_load() ? "capstone does not know this architecture"
					: "there is no capstone (libcapstone) for ktstr-gdb here");
	if (err)
		return err;
	return dump->json ? render_jited_json(jited, &dump->how, ret)
			  : render_jited_text(jited, &dump->how, ret);
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
	const struct inspect_options what = {.objects = dump->jited ? INSPECT_JITED : INSPECT_INSNS,
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

int cli_prog(int argc, char **argv)
{
	static const struct option options[] = {CLI_GUEST_OPTIONS,
						{"json", no_argument, NULL, CLI_OPT_JSON},
						{"timing", no_argument, NULL, CLI_OPT_TIMING},
						{"opcodes", no_argument, NULL, OPT_OPCODES},
						{"linum", no_argument, NULL, OPT_LINUM},
						{"visual", no_argument, NULL, OPT_VISUAL},
						{"help", no_argument, NULL, 'h'},
						{0}};
	struct cli_guest guest = {0};
	struct dump dump = {0};
	int c;

	if (argc > 1 && (!strcmp(argv[1], "show") || !strcmp(argv[1], "list")))
		return cli_prog_show(argc, argv);
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		struct kt_error *err = NULL;
		bool taken;

		switch (c) {
		case 'h': return cli_print_texts(&(const struct cli_texts){help, output_help});
		case '?': return CLI_USAGE;
		case CLI_OPT_JSON: dump.json = true; break;
		case CLI_OPT_TIMING: dump.timing = true; break;
		case OPT_OPCODES: dump.how.opcodes = true; break;
		case OPT_LINUM: dump.how.linum = true; break;
		case OPT_VISUAL: dump.visual = true; break;
		default: err = cli_guest_option(&guest, c, optarg, &taken); break;
		}
		if (err)
			return cli_fail(err);
	}
	return run_dump(argc - optind, argv + optind, &guest, &dump);
}
