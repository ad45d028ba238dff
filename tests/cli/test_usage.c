// SPDX-License-Identifier: LGPL-2.1-or-later
/* Misuse of every option: exit status 2, one line that says what would be right. */
#include "tests/cli/tool.h"

#include <sys/stat.h>

static void test_commands(void **state)
{
	(void)state;
	tool_refused(RUN("bogus"), 2, "\"bogus\" is no command; `ktstr-gdb --help` lists");
	tool_refused(RUN("--bogus"), 2, "is no command");
	tool_refused(RUN("attach", "--bogus"), 2,
		     "attach has no option --bogus; `ktstr-gdb attach --help`");
	tool_refused(RUN("collect", "-x"), 2, "collect has no option -x");
	assert_int_equal(RUN("--version")->status, 0);
	assert_int_equal(RUN("--help")->status, 0);
	assert_non_null(strstr(RUN("attach", "--help")->out, "--leave-stopped"));
	assert_non_null(strstr(RUN("help", "attach")->out, "--leave-stopped"));
	assert_int_equal(RUN("help", "nope")->status, 2);
	assert_int_equal(RUN("help", "help")->status, 0);
	assert_non_null(strstr(RUN("collect", "--help")->out, "--qemu-arg"));
}

/* A terminal of 80 columns shows a line of --help as one line. */
#define HELP_WIDTH 80

static void check_help(const char *command)
{
	const struct tool_run *run;
	char words[64], *second;
	size_t lines = 0;

	snprintf(words, sizeof(words), "%s", command);
	second = strchr(words, ' ');
	if (second)
		*second++ = '\0';
	run = second     ? RUN(words, second, "--help")
	      : *command ? RUN(command, "--help")
			 : RUN("--help");
	assert_int_equal(run->status, 0);
	for (const char *line = run->out; *line; line = strchr(line, '\n') + 1) {
		size_t len = strcspn(line, "\n"), width = 0;

		assert_int_equal(line[len], '\n');
		for (size_t i = 0; i < len; i++)
			width += (line[i] & 0xc0) != 0x80; /* not inside a character */
		if (width > HELP_WIDTH)
			fail_msg("%s --help: %zu columns: %.*s", command, width, (int)len, line);
		lines++;
	}
	assert_true(lines > 5);
}

/* The names are those that the tool lists itself. */
static void test_help_width(void **state)
{
	char *list = strdup(RUN("--help")->out), *line, *rest;
	size_t n = 0;

	(void)state;
	check_help("");
	for (line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char name[32];

		if (strncmp(line, "  ktstr-gdb ", 12) != 0 ||
		    sscanf(line + 12, "%31[a-z_-]", name) != 1)
			continue;
		check_help(name);
		n++;
	}
	free(list);
	assert_true(n > 25);
	check_help("prog show");
	check_help("sched watch");
}

/* A slip gets the word that was meant. */
static void test_near_words(void **state)
{
	(void)state;
	tool_refused(RUN("atach"), 2, "\"atach\" is no command; did you mean attach?");
	tool_refused(RUN("swepe"), 2, "did you mean sweep?");
	tool_refused(RUN("programs"), 2, "did you mean attach?");
	tool_refused(RUN("GNUmakefile"), 2, "it is a file: `ktstr-gdb log FILE`");
	tool_refused(RUN("help", "colect"), 2, "did you mean collect?");
	tool_refused(RUN("attach", "--jsno"), 2,
		     "attach has no option --jsno; did you mean --json?");
	tool_refused(RUN("collect", "--kernal=x"), 2, "did you mean --kernel?");
	tool_refused(RUN("attach", "--json=x"), 2, "--json takes no argument");
	tool_refused(RUN("collect", "--load-"), 2, "needs an argument");
	tool_refused(RUN("collect", "--lo"), 2,
		     "--lo may be --log-level, --load-timeout: write more of it");
	tool_refused(RUN("attach", "-o", "id,nmae"), 2, "no column \"nmae\"; did you mean name?");
	tool_refused(RUN("attach", "--sort", "verified"), 2, "did you mean verified_insns?");
	tool_refused(RUN("attach", "-o", "verfied"), 2, "did you mean verified_insns?");
	tool_refused(RUN("--verson"), 2, "did you mean --version?");
	tool_refused(RUN("--kernel", "x", "collect"), 2, "options stand behind the command");
	tool_refused(RUN(":1234"), 2, "`ktstr-gdb attach :1234`");
	tool_refused(RUN("sched", "wach"), 2, "sched has no \"wach\"; did you mean watch?");
	tool_refused(RUN("map", "dmup", "3"), 2, "did you mean dump?");
	tool_refused(RUN("map", "dump", "3", "xyz", ":1"), 2, "\"xyz\" is no TARGET");
	tool_refused(RUN("attach", "GNUmakefile"), 2, "GNUmakefile is a file, and not a guest");
	tool_refused(RUN("collect", "debian:trixie", "x.bpf.o"), 2, "debian:trixie is a kernel");
	tool_refused(RUN("collect", "x.bpf.o", "--kernel", "trixie"), 3,
		     "a kernel of Debian's is debian:trixie");
	tool_refused(RUN("collect", "x.bpf.o", "--kernel", "arch:latest"), 3,
		     "kernels of debian:SUITE, ubuntu:SUITE");
	tool_refused(RUN("cache", "clear"), 2, "what is to be removed is not said; --snapshots");
	/* Not near anything. */
	tool_refused(RUN("attach", "--zzzz"), 2, "`ktstr-gdb attach --help` lists the options");
	assert_null(strstr(RUN("zzzz")->err, "did you mean"));
}

/* What bpftool's users type works, or leads there. No guest is at that path: each command gets so
 * far. */
static void test_words_of_bpftool(void **state)
{
	static const char *const none = "unix:/nonexistent/x";

	(void)state;
	tool_refused(RUN("map", "show", none), 3, "/nonexistent/x");
	tool_refused(RUN("map", "list", "id", "3", none), 3, "/nonexistent/x");
	tool_refused(RUN("map", "show", "name", "m", none), 3, "/nonexistent/x");
	tool_refused(RUN("link", "show", none), 3, "/nonexistent/x");
	tool_refused(RUN("link", "list", "id", "3", none), 3, "/nonexistent/x");
	tool_refused(RUN("link", "list", "id", "x", none), 2, "--id takes a whole number");
	tool_refused(RUN("prog", "list", none), 3, "/nonexistent/x");
	tool_refused(RUN("prog", "show", "name", "x*", none), 3, "/nonexistent/x");
	tool_refused(RUN("prog", "show", "tag", "0123456789abcdef", none), 3, "/nonexistent/x");
	tool_refused(RUN("-j", "prog", "show", none), 3, "/nonexistent/x");
	tool_refused(RUN("-p", "map", "dump", "id", "1", none), 3, "/nonexistent/x");
	tool_refused(RUN("struct_ops", "list", none), 3, "/nonexistent/x");
	tool_refused(RUN("prog", "dump", "xlated", "id", "5", none), 3, "/nonexistent/x");
	tool_refused(RUN("prog", "dump", "jited", "id", "5", none), 3, "/nonexistent/x");
	tool_refused(RUN("btf", "show", none), 3, "/nonexistent/x");
	tool_refused(RUN("prog", "dump", "xlated", "name", "xyz", none), 2,
		     "`ktstr-gdb attach --name xyz -o id,name` tells it");
	tool_refused(RUN("prog", "show", "pinned", "/sys/fs/bpf/x"), 2,
		     "--holders shows the paths");
	tool_refused(RUN("prog", "load", "x.o", "/sys/fs/bpf/x"), 2,
		     "prog load: a guest is only looked at");
	tool_refused(RUN("map", "update", "id", "1"), 2, "map update: a guest is only looked at");
	tool_refused(RUN("struct_ops", "dump", "id", "1"), 2, "`ktstr-gdb map dump ID` shows it");
	tool_refused(RUN("feature", "probe"), 2, "there is no \"feature\" here");
}

/* Each option that wants a value, without one. */
static void test_values_missing(void **state)
{
	static const char *const both[] = {"--btf",  "--system-map", "--kallsyms", "--vmlinux",
					   "--wait", "--timeout",    "--trace",    "--type",
					   "--name", "--id",         "--sort",     "--output",
					   "--color"};
	static const char *const collect[] = {"--kernel", "--object",   "--run",     "--accel",
					      "--memory", "--smp",      "--append",  "--qemu",
					      "--gdb",    "--qemu-arg", "--topology"};

	(void)state;
	for (size_t i = 0; i < sizeof(both) / sizeof(*both); i++) {
		tool_refused(RUN("attach", both[i]), 2, "needs an argument");
		tool_refused(RUN("collect", both[i]), 2, "needs an argument");
	}
	for (size_t i = 0; i < sizeof(collect) / sizeof(*collect); i++)
		tool_refused(RUN("collect", collect[i]), 2, "needs an argument");
}

static void test_layout(void **state)
{
	(void)state;
	tool_refused(RUN("layout"), 2, "layout takes one type; as in");
	tool_refused(RUN("layout", "a", "b", "--btf", "/x"), 2, "layout takes one type");
	tool_refused(RUN("layout", "bpf_prog"), 2, "nothing tells the kernel's types; --vmlinux");
	tool_refused(RUN("layout", ".a", "--btf", "/x"), 2, "is no type and member");
	tool_refused(RUN("layout", "a.", "--btf", "/x"), 2, "is no type and member");
	tool_refused(RUN("layout", "a", "--btf", "/nowhere/x"), 3, "/nowhere/x: no such file");
	tool_refused(RUN("layout", "a", "--color", "x"), 2, "auto, always or never");
	assert_int_equal(RUN("layout", "--help")->status, 0);
}

static void test_values_wrong(void **state)
{
	static const struct {
		const char *option, *value, *words;
	} cases[] = {
		{"--wait", "x", "--wait takes seconds"},
		{"--wait", "0", "--wait takes seconds"},
		{"--timeout", "-1", "--timeout takes seconds"},
		{"--timeout", "nan", "--timeout takes seconds"},
		{"--timeout", "0.0001", "--timeout takes seconds"},
		{"--timeout", "1e9", "--timeout takes seconds"},
		{"--id", "x", "--id takes a whole number"},
		{"--id", "0", "--id takes a whole number"},
		{"--id", "99999999999", "--id takes a whole number"},
		{"--id", ",", "--id takes ids"},
		{"--type", "", "--type takes types"},
		{"--sort", "nope", "no column \"nope\"; there are id, type"},
		{"--sort", "-", "no column"},
		{"--output", "id,,name", "no column"},
		{"--output", "", "no column"},
		{"--color", "maybe", "auto, always or never"},
		{"--memory", "0", "--memory takes MiB"},
		{"--memory", "0G", "--memory takes MiB"},
		{"--memory", "1T", "--memory takes MiB"},
		{"--memory", "16385G", "--memory takes MiB"},
		{"--memory", "99999999999999999999G", "--memory takes MiB"},
		{"--memory", "G", "--memory takes MiB"},
		{"--smp", "-2", "--smp takes a whole number"},
		{"--smp", "99999", "--smp takes a whole number"},
		{"--topology", "", "there is no topology ''; `--topology list`"},
		{"--topology", "2numa-16cpu",
		 "near it: 2numa-16cpu-4llc-nosmt, 2numa-32cpu-2llc-smt;"},
		{"--topology", "xyz", "there is no topology 'xyz'; `--topology list` shows all"},
	};

	static const char *const sizes[] = {"700", "700M", "1G", "2g"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		tool_refused(RUN("collect", cases[i].option, cases[i].value), 2, cases[i].words);
	/* These are taken. */
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		tool_refused(RUN("collect", "--memory", sizes[i], "--kernel", "/no/kernel"), 2,
			     "nothing to load in the guest is given");
}

static void test_topologies(void **state)
{
	(void)state;
	assert_non_null(
		strstr(RUN("collect", "--topology", "list")->out, "4numa-32cpu-8llc-nosmt "));
	assert_non_null(strstr(RUN("diff", "--topology", "list")->out, "4numa-32cpu-8llc-nosmt "));
}

static void test_targets(void **state)
{
	static const char *const targets[] = {"",        "x",         ":",     ":0",   ":99999",
					      "host:",   "1.2.3.4",   "unix:", "[]:1", "::1:1234",
					      "a b:123", "host:12x4", "a/b:1"};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++)
		tool_refused(RUN("attach", targets[i], "--vmlinux", "x"), 2,
			     "a target is HOST:PORT");
	tool_refused(RUN("attach", ":1", ":2", "--vmlinux", "x"), 2, "one TARGET");
	tool_refused(RUN("collect", ":1", ":2", "--vmlinux", "x"), 2, "one TARGET");
}

/* Options may stand before an ID, also those with an argument; an argument is no ID. */
static void test_prog_show(void **state)
{
	(void)state;
	tool_refused(RUN("prog", "show", "--json", "41", "unix:/nonexistent", "--vmlinux", "x"), 3,
		     "x: ");
	tool_refused(RUN("prog", "show", "--timeout", "3", "id", "41", ":1", ":2"), 2,
		     "give one TARGET, not also \":2\"");
	tool_refused(RUN("prog", "show", "--vmlinux=x", "--json", "41", ":1", ":2"), 2,
		     "give one TARGET, not also \":2\"");
	tool_refused(RUN("prog", "show", "--json", "41", "-o", "id"), 2,
		     "prog show has no option -o");
	tool_refused(RUN("prog", "show", "--id", "41", ":1", ":2"), 2,
		     "give one TARGET, not also \":2\"");
	tool_refused(RUN("prog", "show", "--id", "41", "-o", "nope"), 2, "no column \"nope\"");
	assert_non_null(strstr(RUN("prog", "show", "--json", "--help")->out, "prog show ID"));
}

static void test_together(void **state)
{
	(void)state;
	/* A target is all that attach needs, and it has a default one. */
	tool_refused(RUN("attach", "unix:/nonexistent"), 3, "cannot attach to unix:/nonexistent");
	tool_refused(RUN("collect", "unix:/nonexistent"), 3, "cannot attach to unix:/nonexistent");
	tool_refused(RUN("collect"), 2, "--kernel IMAGE boots a guest");
	tool_refused(RUN("collect", "--object", "x"), 2, "--kernel IMAGE");
	tool_refused(RUN("collect", "--run", "x"), 2, "--kernel IMAGE");
	tool_refused(RUN("collect", "--kernel", "x"), 2,
		     "--object FILE.bpf.o, --run BIN, or --scheduler BIN");
	tool_refused(RUN("collect", "--kernel", "x", "--object", "x", "--run", "x"), 2, "one of");
	tool_refused(RUN("collect", "--kernel", "x", "--object", "x", ":1"), 2, "no TARGET");
	tool_refused(RUN("collect", "--kernel", "x", "--run", "x", "--smp", "4", "--topology",
			 "4cpu-1llc-nosmt"),
		     2, "one of them");
	tool_refused(RUN("attach", "--json", "--csv", "--vmlinux", "x"), 2, "one of them");
	tool_refused(RUN("collect", "--json", "--csv", "--kernel", "x", "--run", "x"), 2, "one of");
}

static void test_watch(void **state)
{
	static const struct {
		const char *option, *value, *words;
	} cases[] = {
		{"--count", "0", "--count takes a whole number"},
		{"--duration", "x", "--duration takes seconds"},
		{"--max-overhead", "0", "--max-overhead takes a share of time"},
		{"--max-overhead", "60%", "--max-overhead takes a share of time"},
		{"--color", "maybe", "auto, always or never"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		tool_refused(RUN("watch", cases[i].option, cases[i].value), 2, cases[i].words);
	tool_refused(RUN("watch", "unix:/nonexistent"), 3, "cannot attach to unix:/nonexistent");
	tool_refused(RUN("watch", "x", "--vmlinux", "x"), 2, "a target is HOST:PORT");
	tool_refused(RUN("watch", ":1", ":2", "--vmlinux", "x"), 2, "one TARGET");
	tool_refused(RUN("watch", ":1", "--vmlinux", "/nonexistent"), 3, "no such file");
	tool_refused(RUN("watch", ":1", "--logs", "/nonexistent/x", "--vmlinux", "x"), 3,
		     "cannot make the directory");
	assert_non_null(strstr(RUN("watch", "--help")->out, "--max-overhead"));
}

/* What --dump cannot be is refused before there is any guest. */
static void test_dump(void **state)
{
	char dir[] = "/tmp/ktstr-dump.XXXXXX", logs[64], slash[64], dump[64], text[128];
	const struct tool_run *run;
	struct stat st;

	(void)state;
	tool_refused(RUN("sched", "watch", ":1", "--vmlinux", "x", "--dump", "/dev/null"), 2,
		     "/dev/null is a character device: --dump takes a regular file");
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	tool_refused(RUN("watch", ":1", "--vmlinux", "x", "--sched", "--dump", "/dev/null"), 2,
		     "/dev/null is a character device: --dump takes a regular file");
	tool_refused(RUN("sched", "watch", ":1", "--vmlinux", "x", "--dump", "/tmp"), 2,
		     "/tmp is a directory");
	tool_refused(RUN("sched", "watch", ":1", "--vmlinux", "x", "--dump", "/nonexistent/x"), 3,
		     "cannot write to its directory /nonexistent");
	/* The directory of --logs is made, and may be written in more than one way. */
	assert_non_null(mkdtemp(dir));
	snprintf(logs, sizeof(logs), "%s/logs", dir);
	snprintf(slash, sizeof(slash), "%s/logs//", dir);
	snprintf(dump, sizeof(dump), "%s/logs/end.json", dir);
	snprintf(text, sizeof(text), "with --logs %s, --dump takes a file", logs);
	tool_refused(RUN("watch", ":1", "--vmlinux", "x", "--sched", "--logs", logs, "--dump",
			 "/tmp/x"),
		     2, text);
	assert_int_not_equal(stat(logs, &st), 0);
	run = RUN("watch", ":1", "--vmlinux", "/nonexistent", "--sched", "--logs", slash, "--dump",
		  dump);
	assert_int_equal(run->status, 3);
	assert_non_null(strstr(run->err, "/nonexistent: no such file"));
	assert_int_equal(rmdir(logs), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_info(void **state)
{
	(void)state;
	tool_refused(RUN("info", "x"), 2, "a target is HOST:PORT");
	tool_refused(RUN("info", ":1", ":2"), 2, "one TARGET");
	tool_refused(RUN("info", "unix:/nonexistent"), 3, "cannot attach to unix:/nonexistent");
	tool_refused(RUN("info", ":1", "--vmlinux", "/nonexistent"), 3, "no such file");
	tool_refused(RUN("info", "--color", "maybe"), 2, "auto, always or never");
	assert_non_null(strstr(RUN("info", "--help")->out, "what of ktstr-gdb works"));
}

static void test_workload(void **state)
{
	(void)state;
	tool_refused(
		RUN("collect", "--kernel", "x", "--scheduler", "x", "--workload", "pip"), 2,
		"--workload: there is no workload 'pip'; near it: pipe; there are mixed, spin");
	tool_refused(RUN("collect", "--kernel", "x", "--object", "x", "--dump", "x"), 2,
		     "--dump needs --scheduler");
	tool_refused(RUN("collect", "--kernel", "x", "--scheduler", "x", "--dump", "/dev/null"), 2,
		     "/dev/null is a character device");
	tool_refused(RUN("collect", "--kernel", "x", "--scheduler", "x", "--dump", "/none/x"), 3,
		     "cannot write to its directory /none");
	assert_non_null(strstr(RUN("collect", "--help")->out, "--dump FILE"));
	tool_refused(RUN("collect", "--kernel", "x", "--object", "x", "--workload", "pipe"), 2,
		     "need --scheduler");
	tool_refused(RUN("sweep", "--workload", "bench"), 2,
		     "there is no workload 'bench'; there are");
	tool_refused(RUN("sweep", "--workload"), 2, "needs an argument");
}

static void test_replay(void **state)
{
	(void)state;
	tool_refused(RUN("replay"), 2, "--object FILE.bpf.o, or --save-rodata FILE");
	tool_refused(RUN("replay", ":1"), 2, "--object FILE.bpf.o, or --save-rodata FILE");
	tool_refused(RUN("replay", ":1", ":2", "--object", "x"), 2, "one TARGET");
	tool_refused(RUN("replay", "--object", "x", "--object", "y"), 2, "one --object");
	tool_refused(RUN("replay", "--save-rodata", "x", "--kernel", "x"), 2, "they need --object");
	tool_refused(RUN("replay", "--object", "x", "--set", "a=1"), 2, "they need --kernel");
	tool_refused(RUN("replay", "--object", "x", "--raw"), 2, "they need --kernel");
	tool_refused(RUN("replay", "--object", "x", "--sort", "id"), 2, "has no option --sort");
	tool_refused(RUN("replay", "--object", "x", "--kernel", "x", "-o", "nope"), 2, "no column");
	tool_refused(RUN("replay", "--object", "x", "--json", "--csv"), 2, "one of them");
	tool_refused(RUN("replay", "--object", "x", "--id", "0"), 2, "--id takes a whole number");
	tool_refused(RUN("replay", "--object", "/nonexistent/x", "unix:/nonexistent"), 3,
		     "/nonexistent/x: ");
	tool_refused(RUN("replay", "--object", "GNUmakefile", "unix:/nonexistent"), 3,
		     "GNUmakefile: it is no ELF file");
	tool_refused(RUN("replay", "--save-rodata", "x", "unix:/nonexistent"), 3,
		     "cannot attach to unix:/nonexistent");
	tool_refused(RUN("collect", "--kernel", "x", "--run", "x", "--sleepable", "x"), 2,
		     "it needs --object");
	assert_non_null(strstr(RUN("replay", "--help")->out, "--save-rodata"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),       cmocka_unit_test(test_help_width),
		cmocka_unit_test(test_near_words),     cmocka_unit_test(test_words_of_bpftool),
		cmocka_unit_test(test_values_missing), cmocka_unit_test(test_layout),
		cmocka_unit_test(test_values_wrong),   cmocka_unit_test(test_targets),
		cmocka_unit_test(test_prog_show),      cmocka_unit_test(test_together),
		cmocka_unit_test(test_topologies),     cmocka_unit_test(test_watch),
		cmocka_unit_test(test_dump),           cmocka_unit_test(test_info),
		cmocka_unit_test(test_replay),         cmocka_unit_test(test_workload),
	};

	return cmocka_run_group_tests_name("cli usage", tests, NULL, NULL);
}
