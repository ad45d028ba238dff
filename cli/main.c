// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/cli.h"
#include "host/target.h"

static const char help[] =
	"ktstr-gdb looks into a QEMU guest through its GDB stub and shows what the BPF\n"
	"verifier did there: every program with its verified_insns, read from the guest's\n"
	"memory.\n"
	"\n"
	"A guest that is already running:\n"
	"  ktstr-gdb list                        the VMs of this host, and how to reach\n"
	"                                        them\n"
	"  ktstr-gdb attach [TARGET]             its BPF programs\n"
	"  ktstr-gdb maps [TARGET]               its BPF maps\n"
	"  ktstr-gdb map dump ID [TARGET]        the contents of one\n"
	"  ktstr-gdb map lookup ID key BYTE... [TARGET]\n"
	"                                        the value of one key\n"
	"  ktstr-gdb links [TARGET]              its BPF links\n"
	"  ktstr-gdb trampolines [TARGET]        programs before and behind functions\n"
	"  ktstr-gdb perf [TARGET]               programs at its perf events\n"
	"  ktstr-gdb struct_ops [TARGET]         its struct_ops, and their programs\n"
	"  ktstr-gdb sched [TARGET]              the state of sched_ext: schedulers,\n"
	"                                        queues, and the tasks that wait there\n"
	"  ktstr-gdb sched watch [TARGET]        a line for each scheduler that comes or\n"
	"                                        ends, and what was there when it failed\n"
	"  ktstr-gdb cgroup [TARGET]             what is attached to its cgroups\n"
	"  ktstr-gdb net [TARGET]                what is attached to its network\n"
	"  ktstr-gdb btf list [TARGET]           its BTF objects\n"
	"  ktstr-gdb btf dump ID [TARGET]        the types of one, as C\n"
	"  ktstr-gdb prog show ID [TARGET]       all that is known of a program\n"
	"  ktstr-gdb prog dump ID [TARGET]       a program's translated instructions\n"
	"  ktstr-gdb audit [TARGET]              does it hide programs or maps?\n"
	"  ktstr-gdb watch [TARGET]              a line for each load, as it happens\n"
	"  ktstr-gdb info [TARGET]               its kernel, and what works on it\n"
	"\n"
	"A guest that is booted for it:\n"
	"  ktstr-gdb collect FILE.bpf.o... --kernel KERNEL...\n"
	"                                        do these programs load, on each kernel?\n"
	"  ktstr-gdb collect --kernel IMAGE --run BIN [-- ARGS]\n"
	"                                        the programs of a loader of yours\n"
	"  ktstr-gdb collect --kernel IMAGE --scheduler BIN [-- ARGS]\n"
	"                                        does it attach, and schedule?\n"
	"  ktstr-gdb replay [TARGET] --object FILE.bpf.o --kernel KERNEL...\n"
	"                                        with the constants that a running guest\n"
	"                                        has: what do they cost, on each kernel?\n"
	"  ktstr-gdb sweep [FILE]                scheduler x kernel x topology\n"
	"  ktstr-gdb fetch-kernel SUITE...       a stock kernel to boot\n"
	"  ktstr-gdb cache                       what is kept between runs; to remove it\n"
	"  ktstr-gdb report DIR                  what a sweep came to, cell by cell\n"
	"\n"
	"No guest:\n"
	"  ktstr-gdb check FILE.bpf.o... --kernel IMAGE...\n"
	"                                        what is sure to fail in a load\n"
	"  ktstr-gdb log [FILE...]               a loader's output, its verifier logs\n"
	"                                        collapsed\n"
	"  ktstr-gdb explain [MESSAGE]           why the verifier says it, and what to do\n"
	"  ktstr-gdb diff A.json B.json          two results (of --save) side by side, or\n"
	"                                        of two guests that it boots\n"
	"  ktstr-gdb layout TYPE[.MEMBER] --vmlinux FILE\n"
	"                                        a struct of a kernel, member by member\n"
	"\n" HOST_TARGET_HELP "\n"
	"Options:\n"
	"  -h, --help       this text; `ktstr-gdb COMMAND --help` (or\n"
	"                   `ktstr-gdb help COMMAND`) for a command's\n"
	"  -V, --version    the version\n"
	"\n"
	"Exit status: 0 done; 1 what was tested failed; 2 usage; 3 it could not be done.\n";

/* clang-format off */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"attach", cli_attach},
	{"audit", cli_audit},
	{"btf", cli_btf},
	{"cache", cli_cache},
	{"cgroup", cli_cgroup},
	{"check", cli_check},
	{"collect", cli_collect},
	{"diff", cli_diff},
	{"explain", cli_explain},
	{"fetch-kernel", cli_fetch_kernel},
	{"info", cli_info},
	{"layout", cli_layout},
	{"links", cli_links},
	{"list", cli_list},
	{"log", cli_log},
	{"map", cli_map},
	{"maps", cli_maps},
	{"net", cli_net},
	{"perf", cli_perf},
	{"prog", cli_prog},
	{"replay", cli_replay},
	{"report", cli_report},
	{"sched", cli_sched},
	{"struct_ops", cli_struct_ops},
	{"sweep", cli_sweep},
	{"trampolines", cli_trampolines},
	{"watch", cli_watch},
};
/* clang-format on */

/* If stdin, stdout or stderr is closed, no file that is opened may take its number. */
static void fill_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY);
}

static int unknown_command(const char *name)
{
	size_t n = sizeof(commands) / sizeof(commands[0]);
	char list[512] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			 !i          ? ""
			 : i + 1 < n ? ", "
				     : " and ",
			 commands[i].name);
	return cli_fail(kt_error_hint(kt_error_new(KT_ERROR_USAGE, "\"%s\" is no command", name),
				      "there are %s; see ktstr-gdb --help", list));
}

/*
 * A core file, of this process or of a QEMU that it starts, would have a guest's memory in it. With
 * a limit of one byte Linux writes no core file, and gives none to a pipe (systemd-coredump); a
 * limit of 0 does not stop the pipe. PR_SET_DUMPABLE would also take gdb, strace and /proc/PID of
 * this process from the user.
 */
static void leave_no_core(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) || limit.rlim_cur <= 1)
		return;
	limit.rlim_cur = 1;
	setrlimit(RLIMIT_CORE, &limit);
}

/* argv[0] stands in the messages of getopt_long(). */
static int run_command(const char *command, int argc, char **argv)
{
	static char name[] = "ktstr-gdb";

	argv[0] = name;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(command, commands[i].name) == 0)
			return commands[i].run(argc, argv);
	return unknown_command(command);
}

static bool is_either(const char *arg, const char *one, const char *other)
{
	return strcmp(arg, one) == 0 || strcmp(arg, other) == 0;
}

static bool is_help(const char *arg)
{
	return is_either(arg, "--help", "-h") || strcmp(arg, "help") == 0;
}

int main(int argc, char **argv)
{
	static char help_option[] = "--help";

	fill_standard_fds();
	leave_no_core();
	setlocale(LC_CTYPE,
		  ""); /* the width of characters; numbers stay the same in every locale */
	if (argc < 2) {
		fputs(help, stderr);
		return CLI_USAGE;
	}
	if (is_either(argv[1], "--version", "-V"))
		return cli_print("ktstr-gdb " KTSTR_VERSION "\n");
	if (strcmp(argv[1], "help") == 0 && argc > 2 && !is_help(argv[2]))
		return run_command(argv[2], 2, (char *[]){NULL, help_option, NULL});
	if (is_help(argv[1]))
		return cli_print(help);
	return run_command(argv[1], argc - 1, argv + 1);
}
