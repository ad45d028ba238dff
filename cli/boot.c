// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/boot.h"
#include "cli/config.h"
#include "kernels/fetch.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* clang-format off */
const struct cli_option cli_boot_load_options[] = {
	{"object", CLI_OPT_OBJECT, "FILE",
	 "every program of a BPF object, each on its own; may be given again. One that is rejected does "
	 "not stop the others: it is listed as failed, with libbpf's log, and the exit status is 1"},
	{"set", CLI_OPT_SET, "VAR=VALUE",
	 "a constant, or another global variable, of the objects that have it: VAR may be a[3], a[*] "
	 "(each), s.member, of any type but a pointer; VALUE a number, an enumerator, true, a text, {1, "
	 "2}, or @FILE with an element a line; may be given again. `--set @FILE` takes a VAR=VALUE a line"},
	{"rodata", CLI_OPT_RODATA, "FILE",
	 "what `bpftool map dump -j` prints of .rodata: sets all of it; --set comes after that"},
	{"sleepable", CLI_OPT_SLEEPABLE, "GLOB",
	 "load programs of these names as sleepable ones, as their loader may do; may be given again"},
	{"attach", CLI_OPT_ATTACH, NULL,
	 "attach each program that is loaded to something harmless (lo, a route, a fresh cgroup, the "
	 "target in its section, its whole struct_ops; a uprobe: a function of the guest's init), detach "
	 "it, and run it once where bpf(2) can; not attached: status 1"},
	{"log-level", CLI_OPT_LOG_LEVEL, "N",
	 "the verifier's log of the programs that pass, too: 1 its instructions, 2 its state after each; "
	 "0 statistics only, as always"},
	{"run", CLI_OPT_RUN, "BIN",
	 "a loader of your own, run in the guest with the shared libraries it needs; read once it has "
	 "loaded programs and no other has come for a while. The exit status is 1 when it loads nothing, "
	 "fails, or one of its programs does"},
	{"load-timeout", CLI_OPT_LOAD_TIMEOUT, "SECONDS",
	 "for the loader to load its programs (15 until the first is there, or in the verifier; 240 for "
	 "all)"},
	{"settle", CLI_OPT_SETTLE, "SECONDS",
	 "without a new program: then all are loaded (0.7)"},
	{"scheduler", CLI_OPT_SCHEDULER, "BIN",
	 "a sched_ext scheduler, run likewise: does it attach, and schedule? Read while it is attached, "
	 "and stopped then; the exit status is 1 when it fails"},
	{"file", CLI_OPT_FILE, "FILE",
	 "a file that the loader or scheduler reads, put at the same place in the guest; may be given "
	 "again"},
	{"attach-timeout", CLI_OPT_ATTACH_TIMEOUT, "SECONDS",
	 "for the scheduler to attach, its time in the verifier not counted (15)"},
	{"workload", CLI_OPT_WORKLOAD, "KIND",
	 "what it is given to schedule: mixed (every second task spins, the others sleep; the default), "
	 "spin, yield, pipe (pairs that wake each other), fork (a storm), nice (mixed nice values), "
	 "pinned, cgroups (with weights); or a command, whose path has a \"/\": './bench -n 4'"},
	{"workload-timeout", CLI_OPT_WORKLOAD_TIMEOUT, "SECONDS",
	 "for each task under it to get on a CPU; a command runs until it ends, or for so long (5)"},
	{"live", CLI_OPT_LIVE, NULL,
	 "show the output of the scheduler or loader on stderr as it comes, not collapsed"},
	{0},
};

const struct cli_option cli_boot_guest_options[] = {
	{"kernel", CLI_OPT_KERNEL, "KERNEL",
	 "what to boot: a distro's vmlinuz, a UKI; a package with one (.deb, .rpm, .pkg.tar.zst, .apk); "
	 "an OCI image, or what docker save writes; a root directory, a build tree; "
	 "debian:SUITE[/SERIES][:FLAVOUR], which is fetched, as are ubuntu:SUITE and fedora:RELEASE "
	 "where apt and dnf of this host have them; a glob of files (quoted). Packages of one release "
	 "are joined: kernel-core and kernel-modules-core"},
	{"modules", CLI_OPT_MODULES, "DIR",
	 "its modules, where it has virtio's console as one (found near the image, or in its package)"},
	{"accel", CLI_OPT_ACCEL, "kvm|tcg",
	 "kvm or tcg; kvm where it runs this guest, if not given. tcg is tcg,thread=single: QEMU's "
	 "several threads kill guests that patch their code"},
	{"memory", CLI_OPT_MEMORY, "MIB",
	 "or with G behind it (1024)"},
	{"smp", CLI_OPT_SMP, "N",
	 "vCPUs (2)"},
	{"topology", CLI_OPT_TOPOLOGY, "PRESET",
	 "CPUs with caches and NUMA nodes, and memory unless --memory says how much; `--topology list` "
	 "shows the presets, which are qemu-configs/topologies/"},
	{"append", CLI_OPT_APPEND, "WORDS",
	 "more kernel parameters"},
	{"qemu", CLI_OPT_QEMU, "BIN",
	 "another QEMU (qemu-system-ARCH, by the kernel)"},
	{"qemu-arg", CLI_OPT_QEMU_ARG, "ARG",
	 "one more argument for it; may be given again"},
	{NULL, 's', NULL,
	 "its GDB stub on :1234, for a debugger of yours"},
	{"gdb", CLI_OPT_GDB, "TARGET",
	 "likewise, there; if not given, on a private socket"},
	{"keep", CLI_OPT_KEEP, NULL,
	 "leave the guest running, and say how to attach to it"},
	{"timeout", CLI_OPT_TIMEOUT, "SECONDS",
	 "for booting and loading, with --kernel; of a scheduler, for all of it (300)"},
	{0},
};
/* clang-format on */

void cli_boot_deinit(struct cli_boot *boot)
{
	kt_kernels_deinit(&boot->found);
	kt_vec_free(&boot->kernels);
	kt_vec_free(&boot->schedulers);
	kt_vec_free(&boot->objects);
	kt_vec_free(&boot->files);
	kt_vec_free(&boot->sleepable);
	kt_vec_free(&boot->qemu_args);
	cli_globals_options_deinit(&boot->globals);
	vm_workload_deinit(&boot->workload);
}

static struct kt_error *number(const char *option, const char *arg, long max, unsigned *ret)
{
	long value;
	struct kt_error *err = cli_number(option, arg, 1, max, &value);

	if (!err)
		*ret = (unsigned)value;
	return err;
}

#define MEMORY_MIB_MAX (1L << 24)

/* As QEMU's -m: MiB, or with an M or G behind it. */
static struct kt_error *memory(const char *arg, unsigned int *mib_ret)
{
	char *end;
	long value = strtol(arg, &end, 10);
	long factor = !strcasecmp(end, "G") ? 1024 : 1;

	if (end == arg || (*end && factor == 1 && strcasecmp(end, "M") != 0) || value < 1 ||
	    value > MEMORY_MIB_MAX / factor)
		return kt_error_new(KT_ERROR_USAGE,
				    "--memory takes MiB, or a number with M or G behind it, "
				    "such as 2G, not \"%s\"",
				    arg);
	*mib_ret = (unsigned int)(value * factor);
	return NULL;
}

static struct kt_error *milliseconds(const char *option, const char *arg, unsigned *ret)
{
	double seconds;
	struct kt_error *err = cli_seconds(option, arg, &seconds);

	if (!err)
		*ret = (unsigned)(seconds * 1000);
	return err;
}

static struct kt_error *log_level(struct cli_boot *boot, const char *arg)
{
	long value;
	struct kt_error *err = cli_number("--log-level", arg, 0, 7, &value);

	if (!err)
		boot->load.log_level = (unsigned)value;
	return err;
}

static struct kt_error *workload(struct cli_boot *boot, const char *arg)
{
	vm_workload_deinit(&boot->workload);
	return kt_error_wrap(vm_workload_parse(arg, &boot->workload), "--workload");
}

/* A preset that begins as the typed name does ("16cpu-…"), or has all of it in its name. */
static bool is_near(const char *name, const char *typed)
{
	size_t first = strcspn(typed, "-");

	return *typed && (strstr(name, typed) || (!strncmp(name, typed, first) && first));
}

static struct kt_error *no_topology(const char *arg)
{
	_cleanup_(kt_buf_deinit) struct kt_buf near = KT_BUF_INIT;
	const struct vm_topology *all;
	struct kt_error *err;
	size_t n;

	all = vm_topologies(&n);
	for (size_t i = 0; i < n; i++)
		if (is_near(all[i].name, arg))
			kt_buf_printf(&near, "%s%s", near.len ? ", " : "near it: ", all[i].name);
	kt_buf_printf(&near, "%s`--topology list` shows all", near.len ? "; " : "");
	err = kt_error_new(KT_ERROR_USAGE, "there is no topology '%s'", arg);
	return near.failed ? err : kt_error_hint(err, "%s", near.data);
}

static struct kt_error *topology(struct cli_boot *boot, const char *arg)
{
	boot->list_topologies = !strcmp(arg, "list");
	boot->vm.topology = vm_topology_by_name(arg);
	return boot->vm.topology || boot->list_topologies ? NULL : no_topology(arg);
}

int cli_list_topologies(void)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;
	const struct vm_topology *all;
	size_t n;

	kt_buf_appends(&out, "PRESET                  CPUS  NODES  CACHES  CORES  THREADS  MIB\n");
	all = vm_topologies(&n);
	for (size_t i = 0; i < n; i++)
		kt_buf_printf(&out, "%-22s  %4u  %5u  %6u  %5u  %7u  %u\n", all[i].name,
			      all[i].cpus, all[i].numa_nodes, all[i].llcs, all[i].cores_per_llc,
			      all[i].threads_per_core, all[i].memory_mib);
	kt_buf_appends(&out, "CORES a cache, THREADS a core.\n");
	return out.failed ? cli_fail(kt_error_no_memory()) : cli_print(out.data);
}

#define PUSH(list, arg) (kt_vec_push(list, arg) ? NULL : kt_error_no_memory())

struct kt_error *cli_boot_settings(struct cli_boot *boot, bool kernels)
{
	const struct cli_config *config;
	struct kt_error *err = cli_config(&config);

	kernels &= !boot->kernels.len;
	for (size_t i = 0; !err && kernels && i < config->n_kernels; i++)
		err = PUSH(&boot->kernels, config->kernels[i]);
	if (!err && !boot->vm.accel)
		boot->vm.accel = config->accel;
	return err;
}

struct kt_error *cli_boot_option(struct cli_boot *boot, int option, char *arg, bool *taken)
{
	bool before = boot->given;

	*taken = boot->given = true;
	switch (option) {
	case CLI_OPT_KERNEL: return PUSH(&boot->kernels, arg);
	case CLI_OPT_OBJECT: return PUSH(&boot->objects, arg);
	case CLI_OPT_SET: return PUSH(&boot->globals.sets, arg);
	case CLI_OPT_RODATA: return PUSH(&boot->globals.rodata, arg);
	case CLI_OPT_SLEEPABLE: return PUSH(&boot->sleepable, arg);
	case CLI_OPT_ATTACH: boot->load.attach = true; return NULL;
	case CLI_OPT_LOG_LEVEL: return log_level(boot, arg);
	case CLI_OPT_RUN: boot->load.run = arg; return NULL;
	case CLI_OPT_SCHEDULER: return PUSH(&boot->schedulers, arg);
	case CLI_OPT_FILE: return PUSH(&boot->files, arg);
	case CLI_OPT_MODULES: boot->modules = arg; return NULL;
	case CLI_OPT_ATTACH_TIMEOUT:
		return milliseconds("--attach-timeout", arg, &boot->load.attach_ms);
	case CLI_OPT_WORKLOAD_TIMEOUT:
		return milliseconds("--workload-timeout", arg, &boot->load.workload_ms);
	case CLI_OPT_WORKLOAD: return workload(boot, arg);
	case CLI_OPT_LOAD_TIMEOUT: return milliseconds("--load-timeout", arg, &boot->load.max_ms);
	case CLI_OPT_SETTLE: return milliseconds("--settle", arg, &boot->load.settle_ms);
	case CLI_OPT_LIVE: boot->live = true; return NULL;
	case CLI_OPT_ACCEL: boot->vm.accel = arg; return NULL;
	case CLI_OPT_MEMORY: return memory(arg, &boot->vm.memory_mib);
	case CLI_OPT_SMP: return number("--smp", arg, 4096, &boot->vm.smp);
	case CLI_OPT_TOPOLOGY: return topology(boot, arg);
	case CLI_OPT_APPEND: boot->vm.append = arg; return NULL;
	case CLI_OPT_QEMU: boot->vm.qemu = arg; return NULL;
	case CLI_OPT_QEMU_ARG: return PUSH(&boot->qemu_args, arg);
	case 's': boot->vm.gdb = ":1234"; return NULL;
	case CLI_OPT_GDB: boot->vm.gdb = arg; return NULL;
	case CLI_OPT_KEEP: boot->vm.keep = true; return NULL;
	default: break;
	}
	*taken = false;
	boot->given = before;
	return NULL;
}

struct kt_error *cli_boot_take_objects(struct cli_boot *boot, int *argc, char **argv, int first)
{
	if (!boot->given || boot->load.run || boot->schedulers.len)
		return NULL;
	for (int i = first; i < *argc; i++) {
		if (kt_fetch_prefix(argv[i]) && access(argv[i], F_OK))
			return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "%s is a kernel",
							  argv[i]),
					     "--kernel %s", argv[i]);
		if (strchr(argv[i], ':') && access(argv[i], F_OK))
			return kt_error_new(KT_ERROR_USAGE,
					    "\"%s\" is no file: with --kernel there is no TARGET, "
					    "arguments are objects",
					    argv[i]);
		if (!kt_vec_push(&boot->objects, argv[i]))
			return kt_error_no_memory();
	}
	*argc = first < *argc ? first : *argc;
	return NULL;
}

struct kt_error *cli_boot_check(const struct cli_boot *boot, int n_args, char **args)
{
	bool scheduler = boot->schedulers.len, program = boot->load.run || scheduler;

	if (!boot->kernels.len)
		return kt_error_new(KT_ERROR_USAGE,
				    "no kernel to boot is given: --kernel IMAGE names one");
	if (!!boot->load.run + scheduler + !!boot->objects.len > 1)
		return kt_error_new(KT_ERROR_USAGE,
				    "--scheduler, --run and --object are three ways to load "
				    "programs: give one of them");
	if (!program && !boot->objects.len)
		return kt_error_new(KT_ERROR_USAGE,
				    "nothing to load in the guest is given: --object "
				    "FILE.bpf.o, --run BIN, or --scheduler BIN");
	if (program && (boot->globals.sets.len || boot->globals.rodata.len))
		return kt_error_new(
			KT_ERROR_USAGE,
			"--set and --rodata are for objects that ktstr-gdb loads; a loader "
			"has its own copy: they need --object");
	if (program && boot->sleepable.len)
		return kt_error_new(KT_ERROR_USAGE,
				    "--sleepable is for objects that ktstr-gdb loads: it needs "
				    "--object");
	if (program && boot->load.attach)
		return kt_error_new(KT_ERROR_USAGE,
				    "--attach is for objects: a loader attaches its "
				    "programs by itself");
	if (program && boot->load.log_level)
		return kt_error_new(
			KT_ERROR_USAGE,
			"--log-level is for objects that ktstr-gdb loads: it needs --object");
	if (!program && boot->files.len)
		return kt_error_new(KT_ERROR_USAGE, "--file is for a program that reads the file: "
						    "it needs --run or --scheduler");
	if (!program && n_args)
		return kt_error_new(KT_ERROR_USAGE,
				    "\"%s\": with --kernel there is no TARGET, and other "
				    "arguments need --run or --scheduler",
				    args[0]);
	if (boot->vm.topology && boot->vm.smp)
		return kt_error_new(KT_ERROR_USAGE, "--smp and --topology both set the number of "
						    "CPUs: give one of them");
	if (!scheduler && (boot->load.attach_ms || boot->load.workload_ms || boot->workload.kind))
		return kt_error_new(KT_ERROR_USAGE,
				    "--attach-timeout, --workload and --workload-timeout need "
				    "--scheduler");
	if (!boot->load.run && (boot->load.max_ms || boot->load.settle_ms))
		return kt_error_new(KT_ERROR_USAGE, "--load-timeout and --settle need --run");
	if (!program && boot->live)
		return kt_error_new(KT_ERROR_USAGE, "--live needs --run or --scheduler");
	if (scheduler && boot->vm.keep)
		return kt_error_new(KT_ERROR_USAGE,
				    "--keep: a scheduler's guest ends when its verdict is known; "
				    "with --run or --object it can be kept");
	return NULL;
}

/* --- the kernels --- */

/* A fetch downloads a hundred megabytes, over whatever line there is. */
#define FETCH_MAX_MS 1800000

static void show_stage(void *arg, const char *stage)
{
	(void)arg;
	cli_progress(stage);
}

struct kt_kernels_options cli_kernels_options(void)
{
	return (struct kt_kernels_options){
		.deadline_ns = kt_deadline_ms(FETCH_MAX_MS),
		.cancel_fd = cli_cancel_fd(),
		.progress = show_stage,
	};
}

struct kt_error *cli_boot_find_kernels(struct cli_boot *boot)
{
	struct kt_kernels_options options = cli_kernels_options();
	struct kt_error *err = NULL;

	kt_vec_for_each (&boot->kernels, spec) {
		err = kt_kernels_find(*spec, &options, &boot->found);
		if (err)
			break;
	}
	if (!err)
		err = kt_kernels_join(&boot->found, &options);
	cli_progress(NULL);
	return err;
}
