// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is(const char *word, const char *other)
{
	return word && strcmp(word, other) == 0;
}

static bool shows(const char *word)
{
	return is(word, "show") || is(word, "list");
}

static void drop(int *argc, char **argv, int at)
{
	memmove(argv + at, argv + at + 1, (size_t)(*argc - at) * sizeof(*argv));
	--*argc;
}

/* "id 5" behind a list is "--id 5". */
static struct kt_error *take_selector(int argc, char **argv, int at)
{
	static char id[] = "--id", name[] = "--name", tag[] = "--tag";

	if (at + 1 >= argc)
		return NULL;
	if (is(argv[at], "id"))
		argv[at] = id;
	else if (is(argv[at], "name"))
		argv[at] = name;
	else if (is(argv[at], "tag"))
		argv[at] = tag;
	else if (is(argv[at], "pinned"))
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						  "objects are not found by their path in bpffs"),
				     "--holders shows the paths of all");
	return NULL;
}

/* bpftool's options stand in front of the object. */
static void take_options_in_front(int *argc, char **argv)
{
	static char json[] = "--json";

	while (*argc > 1 && (is(argv[0], "-j") || is(argv[0], "-p") || is(argv[0], "--json") ||
			     is(argv[0], "--pretty"))) {
		drop(argc, argv, 0);
		argv[(*argc)++] = json;
		argv[*argc] = NULL;
	}
}

static struct kt_error *cannot(const char *verb, const char *object)
{
	return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
					  "%s %s: a guest is only looked at, and not changed",
					  object, verb),
			     "`ktstr-gdb collect` loads objects in a guest of its own; bpftool in "
			     "the guest does the rest");
}

/* What changes something, which this tool does not. */
static bool changes(const char *word)
{
	static const char *const verbs[] = {"load", "loadall", "attach",   "detach",
					    "pin",  "update",  "delete",   "create",
					    "run",  "freeze",  "register", "unregister"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (is(word, verbs[i]))
			return true;
	return false;
}

struct kt_error *cli_words_of_bpftool(int *argc, char **argv)
{
	static char attach[] = "attach", maps[] = "maps", links[] = "links";
	char *object, *verb;

	take_options_in_front(argc, argv);
	object = argv[0];
	verb = *argc > 1 ? argv[1] : NULL;
	if ((is(object, "prog") || is(object, "map") || is(object, "link") ||
	     is(object, "struct_ops") || is(object, "net") || is(object, "cgroup")) &&
	    changes(verb))
		return cannot(verb, object);
	if (is(object, "feature") || is(object, "gen") || is(object, "iter") || is(object, "token"))
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "there is no \"%s\" here",
						  object),
				     "docs/bpftool.md says what of bpftool is where; `ktstr-gdb "
				     "check` tells what a kernel lacks");
	if (is(object, "struct_ops") && shows(verb)) {
		drop(argc, argv, 1);
		return take_selector(*argc, argv, 1);
	}
	if (is(object, "struct_ops") && is(verb, "dump"))
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "struct_ops has no dump"),
				     "`ktstr-gdb map dump ID` shows it; it is a map");
	if (is(object, "map") && shows(verb))
		argv[0] = maps;
	else if (is(object, "link") && (shows(verb) || !verb))
		argv[0] = links;
	else if (is(object, "prog") && shows(verb) && *argc > 3 &&
		 (is(argv[2], "name") || is(argv[2], "tag") || is(argv[2], "pinned")))
		argv[0] = attach;
	else if (is(object, "maps") || is(object, "links") || is(object, "attach"))
		return take_selector(*argc, argv, 1);
	else
		return NULL;
	if (verb)
		drop(argc, argv, 1);
	return take_selector(*argc, argv, 1);
}
