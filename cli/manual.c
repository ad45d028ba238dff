// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb manual [COMMAND]: a command's table as a man page, in the macros of man(7). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "host/target.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* --- texts --- */

static void append_char(struct kt_buf *out, char c, bool *bold)
{
	if (c == '\\') {
		kt_buf_appends(out, "\\e");
	} else if (c == '`') {
		*bold = !*bold;
		kt_buf_appends(out, *bold ? "\\fB" : "\\fR");
	} else if (c == '-') {
		kt_buf_appends(out, "\\-");
	} else {
		kt_buf_appendc(out, c);
	}
}

/* A line as it is. Of `words` in backquotes the quotes become bold letters. */
static void append_line(struct kt_buf *out, const char *line, size_t len)
{
	bool bold = false;

	if (len && (line[0] == '.' || line[0] == '\''))
		kt_buf_appends(out, "\\&");
	for (size_t i = 0; i < len; i++)
		append_char(out, line[i], &bold);
	kt_buf_appendc(out, '\n');
}

#define SOURCE_WIDTH 62

/* The same of running text, cut up at blanks as far as the source of a page is wide. */
static void append_words(struct kt_buf *out, const char *text, size_t len)
{
	size_t start = out->len;
	bool bold = false;

	if (len && (text[0] == '.' || text[0] == '\''))
		kt_buf_appends(out, "\\&");
	for (size_t i = 0; i < len; i++) {
		size_t word;

		if (text[i] != ' ' && text[i] != '\n') {
			append_char(out, text[i], &bold);
			continue;
		}
		word = strcspn(text + i + 1, " \n");
		if (out->len - start + word > SOURCE_WIDTH && i + 1 < len) {
			kt_buf_appendc(out, '\n');
			start = out->len;
			if (text[i + 1] == '.' || text[i + 1] == '\'')
				kt_buf_appends(out, "\\&");
		} else {
			kt_buf_appendc(out, ' ');
		}
	}
	kt_buf_appendc(out, '\n');
}

/* Whether a quotation that begins in this line ends in a later one. */
static bool is_open(const char *line, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += line[i] == '`';
	return n % 2;
}

/* A line of the text; with what a quotation in it needs of the lines behind. */
static size_t line_length(const char *text)
{
	size_t len = strcspn(text, "\n");

	while (is_open(text, len) && text[len] == '\n' && text[len + 1] && text[len + 1] != '\n')
		len += 1 + strcspn(text + len + 1, "\n");
	return len;
}

static void append_text(struct kt_buf *out, const char *text)
{
	bool literal = false, begins = false;

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		bool wants = strncmp(text, "  ", 2) == 0;

		len = wants ? strcspn(text, "\n") : line_length(text);
		if (!len) {
			begins = true;
			continue;
		}
		if (literal && !wants)
			kt_buf_appends(out, ".EE\n.PP\n");
		else if ((begins || wants) && !literal)
			kt_buf_appends(out, wants ? ".PP\n.EX\n" : ".PP\n");
		else if (begins)
			kt_buf_appendc(out, '\n');
		literal = wants;
		begins = false;
		if (wants)
			append_line(out, text, len);
		else
			append_words(out, text, len);
	}
	if (literal)
		kt_buf_appends(out, ".EE\n");
}

static void append_bold(struct kt_buf *out, const char *text)
{
	_cleanup_free_ char *quoted = NULL;

	if (asprintf(&quoted, "`%s`", text) < 0)
		out->failed = true;
	else
		append_line(out, quoted, strlen(quoted));
}

/* --- the parts of a page --- */

/* "ktstr-gdb-sched-watch"; 'to' is what stands for a blank. */
static void append_page_name(struct kt_buf *out, const struct cli_command *command, bool upper)
{
	kt_buf_appends(out, upper ? "KTSTR-GDB-" : "ktstr\\-gdb\\-");
	for (const char *p = command->name; *p; p++) {
		bool is_dash = *p == ' ' || *p == '-';

		kt_buf_printf(out, "%s%c", is_dash && !upper ? "\\" : "",
			      is_dash ? '-'
			      : upper ? toupper((unsigned char)*p)
				      : *p);
	}
}

static void append_option(struct kt_buf *out, const struct cli_option *o)
{
	_cleanup_free_ char *name = NULL, *arg = NULL;
	bool letter = o->value > ' ' && o->value < 0x7f;
	char letter_text[] = {(char)o->value, '\0'};

	kt_buf_appends(out, ".TP\n");
	if (asprintf(&name, "%s%s%s%s%s", letter ? "`-" : "", letter ? letter_text : "",
		     letter ? (o->name ? "`, `--" : "`") : "`--", o->name ? o->name : "",
		     o->name ? "`" : "") < 0 ||
	    asprintf(&arg, "%s%s", o->arg ? " " : "", o->arg ? o->arg : "") < 0) {
		out->failed = true;
		return;
	}
	append_line(out, name, strlen(name));
	if (o->arg && !out->failed) {
		out->len--; /* its line goes on */
		kt_buf_appends(out, " \\fI");
		append_line(out, o->arg, strlen(o->arg));
		out->len--;
		kt_buf_appends(out, "\\fR\n");
	}
	for (const char *line = o->help; *line;) {
		size_t len = strcspn(line, "\n");

		if (line != o->help)
			kt_buf_appends(out, ".br\n");
		append_words(out, line, len);
		line += len + (line[len] == '\n');
	}
}

static void append_options(struct kt_buf *out, const struct cli_command *command)
{
	kt_buf_appends(out, ".SH OPTIONS\n");
	for (const struct cli_group *g = command->groups; g->options; g++) {
		bool some = false;

		for (const struct cli_option *o = g->options; o->value; o++)
			some |= o->help != NULL;
		if (some && g->title)
			kt_buf_printf(out, ".SS %s\n", g->title);
		for (const struct cli_option *o = g->options; o->value; o++)
			if (o->help)
				append_option(out, o);
		if (g->note) {
			kt_buf_appends(out, ".PP\n");
			append_text(out, g->note);
		}
	}
	if (!command->groups[0].options)
		append_option(out, &(const struct cli_option){"help", 'h', NULL, "a short help"});
	if (command->behind) {
		kt_buf_appends(out, ".SS Notes\n");
		append_text(out, command->behind);
	}
}

static void append_synopsis(struct kt_buf *out, const char *synopsis)
{
	for (const char *form = synopsis; *form;) {
		size_t len = strcspn(form, "\n");

		if (form != synopsis)
			kt_buf_appends(out, ".br\n");
		kt_buf_appends(out, "\\fBktstr\\-gdb\\fR ");
		append_line(out, form, len);
		form += len + (form[len] == '\n');
	}
}

static void append_examples(struct kt_buf *out, const struct cli_command *command)
{
	if (command->examples[0].command)
		kt_buf_appends(out, ".SH EXAMPLES\n");
	for (size_t i = 0; i < CLI_EXAMPLES_MAX && command->examples[i].command; i++) {
		const struct cli_example *example = &command->examples[i];

		if (example->what) {
			kt_buf_appends(out, i ? ".PP\n" : "");
			append_words(out, example->what, strlen(example->what));
		}
		kt_buf_appends(out, example->what || i ? ".PP\n.EX\n" : ".EX\n");
		append_line(out, example->command, strlen(example->command));
		kt_buf_appends(out, ".EE\n");
	}
}

/* "0 done; 1 a program failed; it is told; 2 usage": a paragraph for each number. */
static void append_status(struct kt_buf *out, const char *status)
{
	kt_buf_appends(out, ".SH EXIT STATUS\n");
	while (*status) {
		const char *end = status;

		do {
			end += strcspn(end, ";") + 1;
		} while (end[-1] &&
			 !(end[0] == ' ' && isdigit((unsigned char)end[1]) && end[2] == ' '));
		if (isdigit((unsigned char)status[0])) {
			kt_buf_printf(out, ".TP\n\\fB%c\\fR\n", status[0]);
			status += 2;
		}
		append_words(out, status, (size_t)(end - 1 - status));
		status = end[-1] ? end + 1 : end - 1;
	}
}

static void append_head(struct kt_buf *out)
{
	kt_buf_printf(out, " 1 %s \"ktstr-gdb %s\" \"ktstr-gdb\"\n.SH NAME\n", KTSTR_DATE,
		      KTSTR_VERSION);
}

static const char files[] =
	".SH FILES\n"
	".TP\n"
	"\\fI$XDG_CACHE_HOME/ktstr\\-gdb\\fR, or \\fI~/.cache/ktstr\\-gdb\\fR\n"
	"Kernels that were fetched, the layout of each kernel,\n"
	"guests that were booted. See\n"
	".BR ktstr\\-gdb\\-cache (1).\n"
	".TP\n"
	"\\fI$XDG_CONFIG_HOME/ktstr\\-gdb/config\\fR, or \\fI~/.config/ktstr\\-gdb/config\\fR\n"
	"What options are if they are not given. See\n"
	".BR ktstr\\-gdb (1).\n";

static void append_see(struct kt_buf *out, const char *see)
{
	kt_buf_appends(out, ".SH SEE ALSO\n.BR ktstr\\-gdb (1)");
	while (see && *see) {
		size_t len = strcspn(see, "("), all = strcspn(see, ",");

		kt_buf_appends(out, ",\n.BR ");
		append_line(out, see, len);
		out->len--;
		kt_buf_printf(out, " %.*s", (int)(all - len), see + len);
		see += all;
		see += strspn(see, ", ");
	}
	kt_buf_appendc(out, '\n');
}

static void append_command_page(struct kt_buf *out, const struct cli_command *command)
{
	kt_buf_appends(out, ".\\\" SPDX-License-Identifier: LGPL-2.1-or-later\n.TH ");
	append_page_name(out, command, true);
	append_head(out);
	append_page_name(out, command, false);
	kt_buf_appends(out, " \\- ");
	append_line(out, command->summary, strlen(command->summary));
	kt_buf_appends(out, ".SH SYNOPSIS\n");
	append_synopsis(out, command->synopsis);
	kt_buf_appends(out, ".SH DESCRIPTION\n");
	append_text(out, command->text);
	if (command->takes == CLI_TAKES_TARGET) {
		kt_buf_appends(out, ".PP\n");
		append_text(out, HOST_TARGET_HELP);
	}
	append_options(out, command);
	append_examples(out, command);
	append_status(out, command->status ? command->status : CLI_USUAL_STATUS);
	kt_buf_appends(out, files);
	append_see(out, command->see);
}

/* --- ktstr-gdb(1) --- */

static const struct {
	const char *name, *what;
} environment[] = {
	{"KTSTR_GDB_PAGER, PAGER", "the pager of `ktstr-gdb log` on a terminal"},
	{"NO_COLOR", "if it is set, nothing is in color, unless `--color always` says so"},
	{"KTSTR_VERIFIER_RESULT_DIR", "where `ktstr-gdb sweep` keeps its records"},
	{"KTSTR_GDB_CONFIG", "a file of settings in place of the usual one"},
	{"KTSTR_FETCH_KERNEL", "another program in place of fetch-kernel"},
	{"XDG_CACHE_HOME, XDG_CONFIG_HOME", "see FILES"},
};

static const char settings[] =
	".SH SETTINGS\n"
	"The file \\fI$XDG_CONFIG_HOME/ktstr\\-gdb/config\\fR, or\n"
	"\\fI~/.config/ktstr\\-gdb/config\\fR, or the one that $KTSTR_GDB_CONFIG names,\n"
	"says what holds if the command line does not. Its syntax is libconfig\\(aqs:\n"
	".PP\n"
	".EX\n"
	"target = \"libvirt:vm1\";\n"
	"kernel = [\"debian:trixie\", \"debian:sid\"];\n"
	"accel = \"tcg\";\n"
	"color = \"never\";\n"
	"columns = { attach = \"id,name,verified_insns\"; maps = \"id,name\"; };\n"
	".EE\n"
	".TP\n"
	"\\fBtarget\\fR\n"
	"the TARGET of a command that gets none\n"
	".TP\n"
	"\\fBkernel\\fR\n"
	"what \\fBcollect\\fR and \\fBcheck\\fR use without \\fB\\-\\-kernel\\fR: one, or several\n"
	".TP\n"
	"\\fBaccel\\fR\n"
	"\\fB\\-\\-accel\\fR of \\fBcollect\\fR, \\fBreplay\\fR and \\fBdiff\\fR\n"
	".TP\n"
	"\\fBcolor\\fR\n"
	"\\fB\\-\\-color\\fR of all commands\n"
	".TP\n"
	"\\fBcolumns\\fR\n"
	"\\fB\\-o\\fR of each command\\(aqs table\n";

static void append_commands(struct kt_buf *out)
{
	const struct cli_command *const *all;
	size_t n;

	all = cli_commands(&n);
	for (int section = 0; section < CLI_N_SECTIONS; section++) {
		kt_buf_printf(out, ".SS %s\n", cli_section_titles[section]);
		for (size_t i = 0; i < n; i++) {
			if ((int)all[i]->section != section || !all[i]->uses[0].how)
				continue;
			kt_buf_appends(out, ".TP\n.BR ");
			append_page_name(out, all[i], false);
			kt_buf_appends(out, " (1)\n");
			append_line(out, all[i]->summary, strlen(all[i]->summary));
		}
	}
}

static void append_main_page(struct kt_buf *out)
{
	kt_buf_appends(out, ".\\\" SPDX-License-Identifier: LGPL-2.1-or-later\n.TH KTSTR-GDB");
	append_head(out);
	kt_buf_appends(out, "ktstr\\-gdb \\- what the BPF verifier did in a QEMU guest\n"
			    ".SH SYNOPSIS\n"
			    "\\fBktstr\\-gdb\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]\n"
			    ".SH DESCRIPTION\n");
	append_text(out, cli_about);
	kt_buf_appends(out, ".SH COMMANDS\n");
	append_commands(out);
	kt_buf_appends(out, ".SH TARGET\n");
	append_text(out, HOST_TARGET_HELP);
	kt_buf_appends(out, ".SH OPTIONS\n");
	append_option(out, &(const struct cli_option){"help", 'h', NULL, "the commands"});
	append_option(out, &(const struct cli_option){"version", 'V', NULL, "the version"});
	append_status(out, "0 done; 1 what was tested failed; 2 usage; 3 it could not be done");
	kt_buf_appends(out, ".SH ENVIRONMENT\n");
	for (size_t i = 0; i < sizeof(environment) / sizeof(*environment); i++) {
		kt_buf_appends(out, ".TP\n");
		append_bold(out, environment[i].name);
		append_line(out, environment[i].what, strlen(environment[i].what));
	}
	kt_buf_appends(out, settings);
	kt_buf_appends(out, files);
	kt_buf_appends(out, ".SH SEE ALSO\n"
			    ".BR ktstr\\-gdb.json (5),\n"
			    ".BR sweep.conf (5),\n"
			    ".BR libktstrgdb (3),\n"
			    ".BR qemu (1),\n"
			    ".BR bpftool (8)\n");
}

/* --- the command --- */

struct kt_error *cli_manual(const struct cli_command *command, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;

	if (command)
		append_command_page(&out, command);
	else
		append_main_page(&out);
	return kt_buf_finish(&out, ret);
}

bool cli_show_manual(const struct cli_command *command)
{
	_cleanup_free_ char *page = NULL;
	struct kt_error *err;
	FILE *man;

	if (!isatty(STDOUT_FILENO) || system("command -v man >/dev/null 2>&1"))
		return false;
	err = cli_manual(command, &page);
	if (err) {
		kt_error_destroy(err);
		return false;
	}
	man = popen("exec man -l -", "w");
	if (!man)
		return false;
	fputs(page, man);
	return pclose(man) == 0;
}

static int run_command(int argc, char **argv)
{
	const struct cli_command *command = argc > 1 ? cli_command_find(argv[1]) : NULL;
	_cleanup_free_ char *page = NULL;
	struct kt_error *err;

	if (argc > 1 && !command)
		return cli_fail(kt_error_new(KT_ERROR_USAGE, "\"%s\" is no command", argv[1]));
	err = cli_manual(command, &page);
	return err ? cli_fail(err) : cli_print(page);
}

const struct cli_command cli_manual_command = {
	.name = "manual",
	.summary = "a man page",
	.synopsis = "manual [COMMAND]",
	.text = "Prints the man page of a command, or of ktstr-gdb, for man(1).",
	.takes = CLI_TAKES_NOTHING,
	.run = run_command,
};
