// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/stub_address.h"
#include "vm/qemu.h"

#define MEMORY_MIB 1024
#define SMP        2

/*
 * x86_64's. With a thread for each vCPU, QEMU 7.2 runs stale code when a guest patches its own
 * while another vCPU runs it: static keys, and so whatever attaches or detaches a scheduler. The
 * guest dies of "Oops: int3". Of 8 runs of a scheduler that the kernel ejects 7 died so, with one
 * thread none.
 */
#define TCG_ACCEL "tcg,thread=single"

/*
 * With panic=-1 the kernel resets the machine at once when it panics, and with -no-reboot QEMU
 * exits then: a dead guest is noticed at once, and the reason is on the console.
 */
#define KERNEL_PARAMETERS "console=%s panic=-1"

#define WORDS_MAX 1000

static struct kt_error *write_file(const char *path, const void *data, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct kt_error *err = fd < 0 ? kt_error_os(errno, "cannot create it")
				      : kt_write_all(fd, data, len);

	return kt_error_wrap(err, "cannot write %s", path);
}

/* The stub's chardev: at `gdb`, or at a socket in dir if that is NULL. */
static struct kt_error *config_gdb(struct kt_buf *cfg, const char *dir, const char *gdb)
{
	_cleanup_(kt_stub_address_deinit) struct kt_stub_address address = {0};
	struct kt_error *err;

	kt_buf_appends(cfg, "[chardev \"gdb0\"]\n  backend = \"socket\"\n"
			    "  server = \"on\"\n  wait = \"off\"\n");
	if (!gdb) {
		kt_buf_printf(cfg, "  path = \"%s/gdb.sock\"\n", dir);
		return NULL;
	}
	err = kt_stub_address_parse(gdb, &address);
	/* There is no way to quote these in the file. */
	if (!err && strpbrk(gdb, "\"\n"))
		err = kt_error_new(KT_ERROR_USAGE,
				   "QEMU's stub cannot listen at '%s': it has a "
				   "quotation mark or a newline",
				   gdb);
	if (err)
		return kt_error_hint(err, "--gdb takes " KT_STUB_ADDRESS_FORMS);
	/*
	 * Not "localhost": a minimal system has no /etc/hosts to resolve it with. And not all
	 * addresses: whoever connects to the stub owns the guest.
	 */
	if (address.path)
		kt_buf_printf(cfg, "  path = \"%s\"\n", address.path);
	else
		kt_buf_printf(cfg, "  host = \"%s\"\n  port = \"%s\"\n",
			      address.host ? address.host : "127.0.0.1", address.port);
	return NULL;
}

/* The tool listens there before it starts QEMU, which connects. */
static void config_channel(struct kt_buf *cfg, const char *dir, const char *id)
{
	kt_buf_printf(cfg, "[chardev \"%s\"]\n  backend = \"socket\"\n  path = \"%s/%s.sock\"\n",
		      id, dir, id);
}

static unsigned memory_mib(const struct vm_config *config)
{
	return config->memory_mib ? config->memory_mib : MEMORY_MIB;
}

static struct kt_error *config_cpus(struct kt_buf *cfg, const struct vm_config *config)
{
	const struct vm_topology *topology = config->topology;

	if (topology && config->smp && config->smp != topology->cpus)
		return kt_error_new(KT_ERROR_USAGE, "%u CPUs are not the %u of topology %s",
				    config->smp, topology->cpus, topology->name);
	if (topology && config->memory_mib && config->memory_mib < topology->numa_nodes)
		return kt_error_new(KT_ERROR_USAGE, "%u MiB are too few for the %u nodes of %s",
				    config->memory_mib, topology->numa_nodes, topology->name);
	if (topology) {
		vm_topology_write(topology, config->memory_mib, cfg);
		return NULL;
	}
	kt_buf_printf(cfg, "[memory]\n  size = \"%u\"\n", memory_mib(config));
	kt_buf_printf(cfg, "[smp-opts]\n  cpus = \"%u\"\n", config->smp ? config->smp : SMP);
	return NULL;
}

uint64_t vm_qemu_ram(const struct vm_config *config)
{
	return config->topology ? 0 : (uint64_t)memory_mib(config) << 20;
}

/* A guest that is restored changes its own copy of a page. */
static void config_ram(struct kt_buf *cfg, const struct vm_guard *guard,
		       const struct vm_config *config, bool share)
{
	kt_buf_printf(cfg,
		      "[machine]\n  memory-backend = \"ram\"\n"
		      "[object \"ram\"]\n  qom-type = \"memory-backend-file\"\n  size = \"%uM\"\n"
		      "  mem-path = \"%s/" VM_QEMU_RAM "\"\n  share = \"%s\"\n",
		      memory_mib(config), guard->dir, share ? "on" : "off");
}

static const struct vm_machine *machine_of(const struct vm_config *config)
{
	return config->machine ? config->machine : vm_machine_x86_64;
}

struct kt_error *vm_qemu_config(const struct vm_guard *guard, const struct vm_config *config,
				enum vm_start how, struct kt_buf *cfg)
{
	struct kt_error *err = config_cpus(cfg, config);

	if (err)
		return err;
	kt_buf_printf(cfg,
		      "[chardev \"console\"]\n  backend = \"file\"\n"
		      "  path = \"%s/console.log\"\n",
		      guard->dir);
	config_channel(cfg, guard->dir, "frames");
	config_channel(cfg, guard->dir, "bulk");
	if (how != VM_START_BOOT && vm_qemu_ram(config))
		config_ram(cfg, guard, config, how == VM_START_KEEP);
	if (how != VM_START_BOOT) {
		config_channel(cfg, guard->dir, "monitor");
		kt_buf_appends(cfg, "[mon \"monitor0\"]\n  mode = \"control\"\n"
				    "  chardev = \"monitor\"\n");
	}
	return config_gdb(cfg, guard->dir, config->gdb);
}

struct kt_error *vm_qemu_write_config(const struct vm_guard *guard, const struct vm_config *config,
				      enum vm_start how)
{
	_cleanup_(kt_buf_deinit) struct kt_buf cfg = KT_BUF_INIT;
	_cleanup_free_ char *machine = vm_guard_path(guard, "machine.cfg");
	_cleanup_free_ char *guest = vm_guard_path(guard, "guest.cfg");
	const struct vm_machine *m = machine_of(config);
	struct kt_error *err = vm_qemu_config(guard, config, how, &cfg);

	if (err)
		return err;
	if (!machine || !guest || cfg.failed)
		return kt_error_no_memory();
	err = write_file(machine, m->config, (size_t)(m->config_end - m->config));
	if (!err)
		err = write_file(guest, cfg.data, cfg.len);
	return err;
}

static bool push(struct vm_argv *argv, const char *arg)
{
	return kt_vec_push(&argv->v, arg);
}

static bool push_owned(struct vm_argv *argv, char *arg)
{
	if (arg && kt_vec_push(&argv->owned, arg))
		return push(argv, arg);
	free(arg);
	return false;
}

void vm_argv_deinit(struct vm_argv *argv)
{
	kt_vec_for_each (&argv->owned, p)
		free(*p);
	kt_vec_free(&argv->owned);
	kt_vec_free(&argv->v);
}

static char *kernel_parameters(const struct vm_config *config)
{
	char *s;

	return asprintf(&s, KERNEL_PARAMETERS "%s%s", machine_of(config)->console,
			config->append ? " " : "", config->append ? config->append : "") < 0
		       ? NULL
		       : s;
}

static const char *default_cpu(const struct vm_config *config, const char *accel)
{
	if (config->topology)
		return vm_topology_cpu(accel);
	if (!strncmp(accel, "tcg", 3))
		return machine_of(config)->tcg_cpu;
	return machine_of(config)->other_cpu ? machine_of(config)->other_cpu : "max";
}

static const char *accel_argument(const struct vm_config *config, const char *accel)
{
	return machine_of(config) == vm_machine_x86_64 && !strcmp(accel, "tcg") ? TCG_ACCEL : accel;
}

static bool push_qemu(struct vm_argv *argv, const struct vm_config *config)
{
	char *name;

	if (config->qemu || machine_of(config)->qemu)
		return push(argv, config->qemu ? config->qemu : machine_of(config)->qemu);
	return asprintf(&name, "qemu-system-%s", machine_of(config)->arch) >= 0 &&
	       push_owned(argv, name);
}

struct kt_error *vm_qemu_argv(const struct vm_guard *guard, const struct vm_config *config,
			      const char *accel, enum vm_start how, struct vm_argv *ret)
{
	const char *cpu = config->cpu ? config->cpu : default_cpu(config, accel);
	struct vm_argv argv = {0};
	bool ok;

	ok = push_qemu(&argv, config) && push(&argv, "-readconfig") &&
	     push_owned(&argv, vm_guard_path(guard, "machine.cfg")) && push(&argv, "-readconfig") &&
	     push_owned(&argv, vm_guard_path(guard, "guest.cfg")) && push(&argv, "-nodefaults") &&
	     push(&argv, "-no-user-config") && push(&argv, "-display") && push(&argv, "none") &&
	     push(&argv, "-no-reboot") && push(&argv, "-accel") &&
	     push(&argv, accel_argument(config, accel)) && push(&argv, "-cpu") &&
	     push(&argv, cpu) && push(&argv, "-kernel") && push(&argv, config->kernel) &&
	     push(&argv, "-initrd") && push_owned(&argv, vm_guard_path(guard, "initrd.cpio")) &&
	     push(&argv, "-append") && push_owned(&argv, kernel_parameters(config)) &&
	     push(&argv, "-gdb") && push(&argv, "chardev:gdb0");
	if (ok && machine_of(config)->serial)
		ok = push(&argv, "-serial") && push(&argv, "chardev:console");
	if (ok && machine_of(config)->serial_frames)
		ok = push(&argv, "-serial") && push(&argv, "chardev:frames");
	if (ok && how == VM_START_RESTORE)
		ok = push(&argv, "-incoming") && push(&argv, "defer");
	for (size_t i = 0; ok && i < config->num_qemu_args; i++)
		ok = push(&argv, config->qemu_args[i]);
	if (!ok || !push(&argv, NULL)) {
		vm_argv_deinit(&argv);
		return kt_error_no_memory();
	}
	*ret = argv;
	return NULL;
}

char *vm_qemu_gdb_target(const struct vm_guard *guard, const struct vm_config *config)
{
	char *target;

	if (config->gdb)
		return strdup(config->gdb);
	return asprintf(&target, "unix:%s/gdb.sock", guard->dir) < 0 ? NULL : target;
}

/*
 * qemu-system-x86_64: -accel foo: invalid accelerator foo
 * qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID....
 */
char *vm_qemu_words(const struct vm_guard *guard)
{
	_cleanup_(kt_buf_deinit) struct kt_buf words = KT_BUF_INIT;
	_cleanup_free_ char *path = vm_guard_path(guard, "qemu.log");
	_cleanup_fclose_ FILE *file = path ? fopen(path, "re") : NULL;
	char line[512];

	while (file && fgets(line, sizeof(line), file) && words.len < WORDS_MAX) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!line[0] || strstr(line, ": warning: "))
			continue;
		kt_buf_printf(&words, "%s%s", words.len ? "; " : "", line);
	}
	kt_buf_appends(&words, "");
	return words.failed ? NULL : kt_buf_steal(&words);
}
