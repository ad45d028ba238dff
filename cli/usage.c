// SPDX-License-Identifier: LGPL-2.1-or-later
/* --help: a command's table as text. */
#include <string.h>

#include "cli/command.h"
#include "host/target.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define WIDTH       80
#define TEXT_COLUMN 23
#define INDENT      "                       "
#define USE_COLUMN  40
#define USE_INDENT  "                                        "

static void append_name(struct kt_buf *out, const struct cli_option *o)
{
	bool letter = o->value > ' ' && o->value < 0x7f;

	if (letter)
		kt_buf_printf(out, "-%c", o->value);
	if (o->name)
		kt_buf_printf(out, "%s--%s", letter ? ", " : "", o->name);
	if (o->arg)
		kt_buf_printf(out, " %s", o->arg);
}

/* Lines of text, behind what is in front of the first, which may be too long for that. */
static void append_lines(struct kt_buf *out, const char *front, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		_cleanup_free_ char *line = NULL;

		if (asprintf(&line, "%-*s%.*s", TEXT_COLUMN, front, (int)len, text) < 0) {
			out->failed = true;
			return;
		}
		render_append_wrapped(out, line, WIDTH, INDENT);
		kt_buf_appendc(out, '\n');
		text += len + (text[len] == '\n');
		front = "";
	}
}

static void append_option(struct kt_buf *out, const struct cli_option *o)
{
	_cleanup_(kt_buf_deinit) struct kt_buf name = KT_BUF_INIT;

	kt_buf_appends(&name, "  ");
	append_name(&name, o);
	if (name.failed) {
		out->failed = true;
		return;
	}
	if (name.len >= TEXT_COLUMN)
		kt_buf_printf(out, "%s\n", name.data);
	append_lines(out, name.len < TEXT_COLUMN ? name.data : "", o->help);
}

static void append_group(struct kt_buf *out, const struct cli_group *group)
{
	if (group->title)
		kt_buf_printf(out, "\n%s:\n", group->title);
	for (const struct cli_option *o = group->options; o->value; o++)
		if (o->help)
			append_option(out, o);
	if (group->note)
		kt_buf_printf(out, "%s\n", group->note);
}

/* What is in brackets stays on one line: their blanks are none for a moment. */
static void keep_brackets(char *text, char from, char to)
{
	int depth = 0;

	for (; *text; text++) {
		depth += (*text == '[') - (*text == ']');
		if (*text == from && (depth || from != ' '))
			*text = to;
	}
}

#define NO_BLANK '`' /* no form has one */

/* "Usage: ktstr-gdb FORM", and so for each form; what is too long goes on below its words. */
static void append_synopsis(struct kt_buf *out, const char *synopsis)
{
	const char *front = "Usage: ";
	size_t start = out->len;

	for (const char *form = synopsis; *form;) {
		size_t len = strcspn(form, "\n");
		_cleanup_free_ char *line = NULL;

		if (asprintf(&line, "%sktstr-gdb %.*s", front, (int)len, form) < 0) {
			out->failed = true;
			return;
		}
		keep_brackets(line, ' ', NO_BLANK);
		render_append_wrapped(out, line, WIDTH, "                 ");
		kt_buf_appendc(out, '\n');
		form += len + (form[len] == '\n');
		front = "       ";
	}
	if (!out->failed)
		keep_brackets(out->data + start, NO_BLANK, ' ');
}

static void append_examples(struct kt_buf *out, const struct cli_command *command)
{
	if (command->examples[0].command)
		kt_buf_appends(out, "\nExamples:\n");
	for (size_t i = 0; i < CLI_EXAMPLES_MAX && command->examples[i].command; i++)
		kt_buf_printf(out, "  %s\n", command->examples[i].command);
}

static void append_status(struct kt_buf *out, const char *status)
{
	_cleanup_free_ char *line = NULL;

	if (asprintf(&line, "Exit status: %s.", status) < 0) {
		out->failed = true;
		return;
	}
	kt_buf_appendc(out, '\n');
	render_append_wrapped(out, line, WIDTH, "");
	kt_buf_appendc(out, '\n');
}

int cli_print_help(const struct cli_command *command)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;

	append_synopsis(&out, command->synopsis);
	kt_buf_printf(&out, "\n%s\n", command->text);
	if (command->takes == CLI_TAKES_TARGET)
		kt_buf_printf(&out, "\n%s", HOST_TARGET_HELP);
	for (const struct cli_group *g = command->groups; g->options; g++)
		append_group(&out, g);
	if (command->behind)
		kt_buf_printf(&out, "\n%s\n", command->behind);
	append_examples(&out, command);
	append_status(&out, command->status ? command->status : CLI_USUAL_STATUS);
	return out.failed ? cli_fail(kt_error_no_memory()) : cli_print(out.data);
}

/* --- the list of commands --- */

static void append_use(struct kt_buf *out, const struct cli_use *use)
{
	_cleanup_free_ char *front = NULL, *line = NULL;

	if (asprintf(&front, "  ktstr-gdb %s", use->how) < 0) {
		out->failed = true;
		return;
	}
	if (strlen(front) >= USE_COLUMN)
		kt_buf_printf(out, "%s\n", front);
	if (asprintf(&line, "%-*s%s", USE_COLUMN, strlen(front) < USE_COLUMN ? front : "",
		     use->what) < 0) {
		out->failed = true;
		return;
	}
	render_append_wrapped(out, line, WIDTH, USE_INDENT);
	kt_buf_appendc(out, '\n');
}

const char cli_about[] =
	"ktstr-gdb tells why the BPF verifier rejects a program, what a program costs it,\n"
	"and on which kernels it loads; and shows the BPF programs, maps and schedulers\n"
	"of a VM while it runs, from outside, through stock QEMU's GDB stub.";

const char *const cli_section_titles[] = {
	[CLI_RUNNING] = "A guest that is already running",
	[CLI_BOOTED] = "A guest that is booted for it",
	[CLI_NO_GUEST] = "No guest",
	[CLI_HOST] = "This host",
};

static void append_section(struct kt_buf *out, enum cli_section section)
{
	const struct cli_command *const *all;
	size_t n;

	all = cli_commands(&n);
	kt_buf_printf(out, "\n%s:\n", cli_section_titles[section]);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < CLI_USES_MAX && all[i]->uses[j].how; j++)
			if (all[i]->section == section)
				append_use(out, &all[i]->uses[j]);
}

struct kt_error *cli_usage(char **ret)
{
	struct kt_buf out = KT_BUF_INIT;

	kt_buf_printf(&out, "%s\n", cli_about);
	for (size_t i = 0; i < sizeof(cli_section_titles) / sizeof(*cli_section_titles); i++)
		append_section(&out, (enum cli_section)i);
	kt_buf_printf(
		&out,
		"\n%s\n"
		"Options:\n"
		"  -h, --help       this text; `ktstr-gdb COMMAND --help` (or\n"
		"                   `ktstr-gdb help COMMAND`) for a command's\n"
		"  -V, --version    the version\n"
		"\n"
		"Exit status: 0 done; 1 what was tested failed; 2 usage; 3 it could not be done.\n",
		HOST_TARGET_HELP);
	return kt_buf_finish(&out, ret);
}
