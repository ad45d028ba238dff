// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "image/kind.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "vm/accel.h"
#include "vm/blobs.h"
#include "vm/machine.h"

/* A static init has 2 MB. */
#define INIT_MAX ((size_t)64 << 20)

/*
 * aarch64's and riscv64's second serial port is on PCI; the kernel numbers it after what ports of
 * the same driver the board has: riscv64 has one, and aarch64's is another driver's. QEMU 7.2 has
 * no "max" for riscv64, and no version has one for ppc64.
 * Without firmware, nothing tells a loongarch64 kernel that there is no i8042, and it dies of
 * looking. Without pauth-impdef an aarch64 guest spends half of its time under TCG in the hash of
 * pointer authentication.
 */
static const struct vm_machine machines[] = {
	{
		.arch = "x86_64",
		.elf = EM_X86_64,
		.package = "qemu-system-x86",
		.console = "ttyS0,115200",
		.frames_tty = "/dev/ttyS1",
		.bus_module = "virtio_pci",
		.tcg_cpu = TCG_MAX_CPU,
		.config = kt_blob_x86_64_cfg,
		.config_end = kt_blob_x86_64_cfg_end,
	},
	{
		.arch = "aarch64",
		.elf = EM_AARCH64,
		.package = "qemu-system-arm",
		.console = "ttyAMA0",
		.frames_tty = "/dev/ttyS0",
		.bus_module = "virtio_pci",
		.tcg_cpu = "max,pauth-impdef=on",
		.serial = true,
		.config = kt_blob_aarch64_cfg,
		.config_end = kt_blob_aarch64_cfg_end,
	},
	{
		.arch = "riscv64",
		.elf = EM_RISCV,
		.package = "qemu-system-misc (Debian 12), qemu-system-riscv (later)",
		.console = "ttyS0",
		.frames_tty = "/dev/ttyS1",
		.bus_module = "virtio_pci",
		.tcg_cpu = "rv64",
		.serial = true,
		.config = kt_blob_riscv64_cfg,
		.config_end = kt_blob_riscv64_cfg_end,
	},
	{
		.arch = "s390x",
		.elf = EM_S390,
		.big_endian = true,
		.package = "qemu-system-misc (Debian 12), qemu-system-s390x (later)",
		.console = "ttysclp0",
		.bus_module = "virtio_ccw",
		.tcg_cpu = "max",
		.config = kt_blob_s390x_cfg,
		.config_end = kt_blob_s390x_cfg_end,
	},
	{
		.arch = "ppc64le",
		.qemu = "qemu-system-ppc64",
		.elf = EM_PPC64,
		.package = "qemu-system-ppc",
		.console = "hvc0",
		.frames_tty = "/dev/ttyS0",
		.bus_module = "virtio_pci",
		.tcg_cpu = "power9",
		.other_cpu = "host",
		.serial = true,
		.config = kt_blob_ppc64le_cfg,
		.config_end = kt_blob_ppc64le_cfg_end,
	},
	{
		.arch = "loongarch64",
		.elf = EM_LOONGARCH,
		.package = "qemu-system-misc (Debian 13 and later)",
		.console = "ttyS0 initcall_blacklist=i8042_init",
		.frames_tty = "/dev/ttyS1",
		.bus_module = "virtio_pci",
		.tcg_cpu = "max",
		.serial = true,
		.serial_frames = true,
		.config = kt_blob_loongarch64_cfg,
		.config_end = kt_blob_loongarch64_cfg_end,
	},
};
#define N_MACHINES (sizeof(machines) / sizeof(machines[0]))

const struct vm_machine *const vm_machine_x86_64 = &machines[0];

const struct vm_machine *vm_machine_by_arch(const char *arch)
{
	for (size_t i = 0; i < N_MACHINES; i++)
		if (!strcmp(machines[i].arch, arch))
			return &machines[i];
	return NULL;
}

const struct vm_machine *vm_machine_by_elf(uint16_t elf, bool big_endian)
{
	for (size_t i = 0; i < N_MACHINES; i++)
		if (machines[i].elf == elf && machines[i].big_endian == big_endian)
			return &machines[i];
	return NULL;
}

bool vm_machine_is_host(const struct vm_machine *machine)
{
	struct utsname uts;

	return !uname(&uts) && !strcmp(uts.machine, machine->arch);
}

/* --- the init --- */

/* The folder of this program, without a trailing slash. */
static struct kt_error *own_dir(char *dir, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", dir, size - 1);
	char *slash;

	if (n < 0)
		return kt_error_os(errno, "cannot read the link /proc/self/exe");
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	return NULL;
}

static struct kt_error *no_init(const char *arch, const char *dir)
{
	struct kt_error *err = kt_error_new(
		KT_ERROR_NOT_FOUND,
		"there is no init for %s guests: no ktstr-init-%s in %s or "
		"%s/../libexec/ktstr-gdb",
		arch, arch, dir, dir);

	return kt_error_hint(err,
			     "`make foreign FOREIGN=%s` builds it, and then `make install` "
			     "takes it along",
			     arch);
}

struct kt_error *vm_machine_init(const struct vm_machine *machine, const void **data_ret,
				 size_t *size_ret, void **file_ret)
{
	static const char *const places[] = {"", "/..", "/../libexec/ktstr-gdb"};
	char dir[PATH_MAX];
	struct kt_error *err;

	*file_ret = NULL;
	if (machine == vm_machine_x86_64) {
		*data_ret = kt_blob_init;
		*size_ret = (size_t)(kt_blob_init_end - kt_blob_init);
		return NULL;
	}
	err = own_dir(dir, sizeof(dir));
	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && !err; i++) {
		_cleanup_(kt_buf_deinit) struct kt_buf path = KT_BUF_INIT;
		struct kt_buf file = KT_BUF_INIT;

		kt_buf_printf(&path, "%s%s/ktstr-init-%s", dir, places[i], machine->arch);
		if (path.failed)
			return kt_error_no_memory();
		err = kt_read_file(path.data, INIT_MAX, &file);
		if (err && kt_error_code(err) == KT_ERROR_NOT_FOUND) {
			kt_error_destroy(err);
			err = NULL;
			continue;
		}
		if (!err && !file.len)
			err = kt_error_new(KT_ERROR_FORMAT, "%s: the file is empty", path.data);
		if (err) {
			kt_buf_deinit(&file);
			return kt_error_wrap(err, "cannot read the guest's init");
		}
		*data_ret = *file_ret = file.data;
		*size_ret = file.len;
		return NULL;
	}
	return err ? err : no_init(machine->arch, dir);
}
