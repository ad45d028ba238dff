// SPDX-License-Identifier: LGPL-2.1-or-later
/* The command line, by a command's table. */
#include "cli/parse.h"

#include <getopt.h>
#include <string.h>

#include "cli/config.h"
#include "util/cleanup.h"
#include "util/edits.h"
#include "util/vec.h"

static const struct cli_option help_option = {"help", 'h', NULL, "this text"};

static bool is_letter(int value)
{
	return value > ' ' && value < 0x7f;
}

/* The tables that getopt_long() takes, and what each of its values stands for. */
struct tables {
	KT_VEC(struct option) options;
	KT_VEC(const struct cli_option *) names; /* options[i] is of names[i] */
	char letters[160];
};

static void tables_deinit(struct tables *t)
{
	kt_vec_free(&t->options);
	kt_vec_free(&t->names);
}

static bool add(struct tables *t, const struct cli_option *o)
{
	const struct option option = {o->name, o->arg ? required_argument : no_argument, NULL,
				      o->value};
	size_t n = strlen(t->letters);

	if (is_letter(o->value) && n + 3 < sizeof(t->letters))
		snprintf(t->letters + n, 3, "%c%s", o->value, o->arg ? ":" : "");
	return !o->name || (kt_vec_push(&t->options, option) && kt_vec_push(&t->names, o));
}

/* first: what getopt_long() wants in front of the letters. */
static struct kt_error *fill(struct tables *t, const struct cli_command *command, const char *first)
{
	bool ok = true;

	snprintf(t->letters, sizeof(t->letters), "%s", first);
	for (const struct cli_group *g = command->groups; g->options; g++)
		for (const struct cli_option *o = g->options; o->value; o++)
			ok = ok && add(t, o);
	ok = ok && add(t, &help_option) && kt_vec_push(&t->options, (struct option){0});
	return ok ? NULL : kt_error_no_memory();
}

/* --- what is wrong with an option --- */

static struct kt_error *see_help(const struct cli_command *command, struct kt_error *err)
{
	return kt_error_hint(err, "`ktstr-gdb %s --help` lists the options", command->name);
}

/* text is "--name" or "--name=value". */
static struct kt_error *no_option(const struct cli_command *command, const struct tables *t,
				  const char *text)
{
	int len = (int)strcspn(text, "=");
	struct kt_nearest nearest = {0};
	size_t n_alike = 0;
	char alike[256] = "";

	for (size_t i = 0; i < t->names.len; i++) {
		const char *name = t->names.data[i]->name;

		if (!t->names.data[i]->help)
			continue;
		if (len > 2 && !strncmp(name, text + 2, (size_t)len - 2)) {
			snprintf(alike + strlen(alike), sizeof(alike) - strlen(alike), "%s--%s",
				 n_alike++ ? ", " : "", name);
		}
		kt_nearest_try(&nearest, text + 2, (size_t)len - 2, name);
	}
	if (n_alike > 1)
		return kt_error_new(KT_ERROR_USAGE, "%.*s may be %s: write more of it", len, text,
				    alike);
	if (nearest.name)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "%s has no option %.*s",
						  command->name, len, text),
				     "did you mean --%s?", nearest.name);
	return see_help(command, kt_error_new(KT_ERROR_USAGE, "%s has no option %.*s",
					      command->name, len, text));
}

static struct kt_error *no_argument_given(const struct cli_command *command, const char *text)
{
	const struct cli_option *o = cli_option_find(command, text + strspn(text, "-"));

	return see_help(command, kt_error_new(KT_ERROR_USAGE, "%s needs an argument%s%s", text,
					      o && o->arg ? ": " : "", o && o->arg ? o->arg : ""));
}

static struct kt_error *wrong_option(const struct cli_command *command, const struct tables *t,
				     int c, const char *text)
{
	if (c == ':')
		return no_argument_given(command, text);
	if (strncmp(text, "--", 2) == 0)
		return optopt ? kt_error_new(KT_ERROR_USAGE, "%.*s takes no argument",
					     (int)strcspn(text, "="), text)
			      : no_option(command, t, text);
	return see_help(command, kt_error_new(KT_ERROR_USAGE, "%s has no option -%c", command->name,
					      optopt));
}

/* --- parsing --- */

static const struct cli_option *option_of(const struct cli_command *command, int value)
{
	for (const struct cli_group *g = command->groups; g->options; g++)
		for (const struct cli_option *o = g->options; o->value; o++)
			if (o->value == value)
				return o;
	return &help_option;
}

static bool name_is(const struct cli_option *o, const char *name)
{
	return (o->name && !strcmp(o->name, name)) ||
	       (is_letter(o->value) && name[0] == o->value && !name[1]);
}

const struct cli_option *cli_option_find(const struct cli_command *command, const char *name)
{
	for (const struct cli_group *g = command->groups; g->options; g++)
		for (const struct cli_option *o = g->options; o->value; o++)
			if (name_is(o, name))
				return o;
	return name_is(&help_option, name) ? &help_option : NULL;
}

/* Which options a command line has, of those that the settings know. */
struct given {
	bool columns, color, no_table;
};

static void note_given(struct given *given, const struct cli_option *o)
{
	const char *name = o->name ? o->name : "";

	given->columns |= o->value == 'o';
	given->color |= strcmp(name, "color") == 0;
	given->no_table |= strcmp(name, "json") == 0 || strcmp(name, "csv") == 0;
}

/* Hands over what the settings say of an option that the command has. */
static struct kt_error *set(const struct cli_command *command, const char *name, const char *value,
			    cli_take_fn *take, void *context)
{
	const struct cli_option *o = cli_option_find(command, name);
	_cleanup_free_ char *path = NULL;

	if (!value || !o)
		return NULL;
	path = cli_config_path();
	/* Options may keep their argument, or cut it up; the settings stay. */
	return kt_error_wrap(take(context, o, (char *)(uintptr_t)value), "%s", path ? path : "");
}

static struct kt_error *take_settings(const struct cli_command *command, const struct given *given,
				      cli_take_fn *take, void *context)
{
	const struct cli_config *config;
	struct kt_error *err = cli_config(&config);

	if (!err && !given->color)
		err = set(command, "color", config->color, take, context);
	if (!err && !given->columns && !given->no_table)
		err = set(command, "output", cli_config_columns(command->name), take, context);
	return err;
}

/* A first argument that may be a slip of one of the command's words. */
static struct kt_error *check_word(const struct cli_command *command, const char *word)
{
	struct kt_nearest nearest = {0};
	char names[4][16];
	size_t n = 0;

	if (!word || !command->words || strpbrk(word, ":/"))
		return NULL;
	for (const char *list = command->words; *list && n < 4; n++) {
		size_t len = strcspn(list, ",");

		snprintf(names[n], sizeof(names[n]), "%.*s", (int)len, list);
		if (strcmp(names[n], word) == 0)
			return NULL;
		kt_nearest_try(&nearest, word, strlen(word), names[n]);
		list += len + (list[len] == ',');
	}
	if (!nearest.name)
		return NULL;
	return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "%s has no \"%s\"", command->name, word),
			     "did you mean %s?", nearest.name);
}

static int parse(const struct cli_command *command, const struct tables *t, int argc, char **argv,
		 cli_take_fn *take, void *context)
{
	struct given given = {0};
	struct kt_error *err = NULL;
	int c, which = -1;

	opterr = 0;
	while (!err && (c = getopt_long(argc, argv, t->letters, t->options.data, &which)) != -1) {
		const struct cli_option *o;

		if (c == 'h')
			return cli_print_help(command);
		if (c == '?' || c == ':') {
			err = wrong_option(command, t, c, argv[optind - 1]);
			break;
		}
		o = which < 0 ? option_of(command, c) : t->names.data[which];
		note_given(&given, o);
		err = take(context, o, optarg);
		which = -1;
	}
	if (!err)
		err = check_word(command, optind < argc ? argv[optind] : NULL);
	if (!err && !command->without_settings)
		err = take_settings(command, &given, take, context);
	return err ? cli_fail(err) : CLI_GO_ON;
}

int cli_parse(const struct cli_command *command, int argc, char **argv, cli_take_fn *take,
	      void *context)
{
	struct tables t = {0};
	struct kt_error *err = fill(&t, command, command->words_end_options ? "+:" : ":");
	int status = err ? cli_fail(err) : parse(command, &t, argc, argv, take, context);

	tables_deinit(&t);
	return status;
}

int cli_first_argument(const struct cli_command *command, int argc, char **argv, bool *help_ret)
{
	struct tables t = {0};
	struct kt_error *err = fill(&t, command, "+:");
	int c, ret = argc;

	*help_ret = false;
	if (!err) {
		opterr = 0;
		while ((c = getopt_long(argc, argv, t.letters, t.options.data, NULL)) != -1)
			*help_ret |= c == 'h';
		ret = optind;
		optind = 0; /* the next getopt_long() begins anew */
	}
	kt_error_destroy(err);
	tables_deinit(&t);
	return ret;
}
