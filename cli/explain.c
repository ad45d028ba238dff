// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb explain: an entry of the catalogue, without a log. */
#include <string.h>

#include "cli/options.h"
#include "logparse/loader.h"
#include "render/explain.h"
#include "render/text.h"
#include "util/cleanup.h"

/* The words of the command line as one text, as if they were quoted. */
static void join(struct kt_buf *text, int n, char **words)
{
	for (int i = 0; i < n; i++) {
		if (i)
			kt_buf_appendc(text, ' ');
		kt_buf_appends(text, words[i]);
	}
}

/* The entry of the first line that has one. */
static const struct kt_catalog_entry *find_entry(struct kt_text text)
{
	const struct kt_catalog_entry *entry = kt_catalog_by_id(text);
	struct kt_text line;

	while (!entry && kt_text_next_line(&text, &line))
		entry = kt_catalog_find(line);
	return entry;
}

static struct kt_error *not_found(struct kt_text text, struct kt_buf *out)
{
	_cleanup_(kt_buf_deinit) struct kt_buf near = KT_BUF_INIT;

	kt_buf_appends(out, "No entry is for \"");
	render_append_visible_bytes(out, text.data, text.len, false);
	kt_buf_appends(out, "\".\n");
	if (kt_loader_find_errno(text)) {
		kt_buf_appends(out,
			       "An errno does not tell why the verifier rejects a program. Its "
			       "log does:\ntry ./my_loader 2>&1 | ktstr-gdb log --last\n");
		return NULL;
	}
	if (render_explain_near(text, &near))
		kt_buf_printf(out, "\nThese are near:\n%s", near.data ? near.data : "");
	else
		kt_buf_appends(out, "`ktstr-gdb explain` lists all entries.\n");
	return kt_buf_failed(&near) ? kt_error_no_memory() : NULL;
}

static struct kt_error *explain(struct kt_text text, bool *found, struct kt_buf *out)
{
	const struct kt_catalog_entry *entry = find_entry(text);

	*found = true;
	if (entry)
		return render_explain_entry(entry, out);
	if (!text.len || text.len > 3)
		*found = render_explain_class(text, out);
	else
		*found = false;
	return *found ? NULL : not_found(text, out);
}

static int show(int n, char **words)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT, out = KT_BUF_INIT;
	_cleanup_free_ char *printed = NULL;
	struct kt_error *err = NULL;
	bool found = false;
	int status;

	join(&text, n, words);
	if (!kt_buf_failed(&text))
		err = explain((struct kt_text){text.data, text.len}, &found, &out);
	if (!err)
		err = kt_buf_failed(&text) ? kt_error_no_memory() : kt_buf_finish(&out, &printed);
	if (err)
		return cli_fail(err);
	status = cli_print(printed);
	return status == CLI_DONE && !found ? CLI_TEST_FAILED : status;
}

/* It has none but --help. */
static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	(void)context;
	(void)option;
	(void)arg;
	return NULL;
}

static int run_command(int argc, char **argv)
{
	int status = cli_parse(&cli_explain_command, argc, argv, take_option, NULL);

	return status == CLI_GO_ON ? show(argc - optind, argv + optind) : status;
}

/* clang-format off */
const struct cli_command cli_explain_command = {
	.name = "explain",
	.summary = "why the BPF verifier says something, and what to do",
	.section = CLI_NO_GUEST,
	.uses = {{"explain [MESSAGE]", "why the verifier says it, and what to do"}},
	.synopsis = "explain [MESSAGE | ID | CLASS]",
	.text = "Says why the BPF verifier prints a message, and what to do about it.\n"
		"\n"
		"  MESSAGE      a line that the verifier printed, whole or with what stands\n"
		"               around it:\n"
		"               ktstr-gdb explain \"R3 invalid mem access 'scalar'\"\n"
		"  ID           an entry: null-check; `ktstr-gdb log --last` names it\n"
		"  CLASS        the entries of a class: \"Memory Safety\", or memory\n"
		"\n"
		"Without any of them: all entries, by class.",
	.status = "0 done; 1 no entry is for that; 2 usage; 3 it could not be done",
	.examples = {{"ktstr-gdb explain \"R3 invalid mem access 'scalar'\"",
		      NULL},
		     {"ktstr-gdb explain null-check",
		      NULL}},
	.words_end_options = true,
	.see = "ktstr-gdb-log(1)",
	.takes = CLI_TAKES_ENTRY,
	.run = run_command,
};
/* clang-format on */
