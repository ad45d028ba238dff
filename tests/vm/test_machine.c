// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is refused for a kernel of another architecture, before anything is booted. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "vm/qemu.h"
#include "vm/vm.h"

/* A file with some bytes at a place in it, else zeros. */
static const char *file_with(const char *name, size_t offset, const void *bytes, size_t len)
{
	static char data[66000];
	const char *path = in_scratch(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	memset(data, 0, sizeof(data));
	memcpy(data + offset, bytes, len);
	fwrite(data, 1, sizeof(data), file);
	fclose(file);
	return path;
}

/* A BPF object's header; the rest is for the guest's libbpf. */
static const char *object(bool big_endian)
{
	Elf64_Ehdr header = {.e_ident = ELFMAG};
	uint8_t *machine = (uint8_t *)&header.e_machine;

	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = big_endian ? ELFDATA2MSB : ELFDATA2LSB;
	machine[!big_endian] = 0;
	machine[big_endian] = EM_BPF;
	return file_with(big_endian ? "big.bpf.o" : "little.bpf.o", 0, &header, sizeof(header));
}

static void refused(const struct vm_config *config, const char *object_path, const char *words,
		    const char *hint)
{
	struct vm_load load = {.objects = &object_path, .num_objects = 1};
	struct vm *vm = NULL;
	struct kt_error *err = vm_start(config, &load, &vm);

	assert_non_null(err);
	assert_null(vm);
	if (!strstr(kt_error_message(err), words) || !strstr(kt_error_hint_text(err), hint))
		fail_msg("not '%s' with '%s': %s", words, hint, kt_error_message(err));
	kt_error_destroy(err);
}

static void test_byte_order(void **state)
{
	struct vm_config config = {.cancel_fd = -1, .qemu = "/no/qemu"};

	(void)state;
	config.kernel = file_with("s390", 0x10008, "S390EP", 6);
	refused(&config, object(false),
		"little-endian BPF object, and the kernel is for s390x, which is big-endian",
		"bpfeb");
	config.kernel = file_with("arm", 56, "ARM\x64", 4);
	refused(&config, object(true),
		"big-endian BPF object, and the kernel is for aarch64, which is little-endian",
		"bpfel");
}

/* This program has no init beside it. */
static void test_no_init(void **state)
{
	struct vm_config config = {.cancel_fd = -1, .qemu = "/no/qemu"};

	(void)state;
	config.kernel = file_with("riscv", 56, "RSC\x05", 4);
	refused(&config, object(false), "no ktstr-init-riscv64 in", "make foreign FOREIGN=riscv64");
}

static void test_topology(void **state)
{
	struct vm_config config = {.cancel_fd = -1, .qemu = "/no/qemu"};

	(void)state;
	config.topology = vm_topology_by_name("8cpu-2llc-smt");
	config.kernel = file_with("arm", 56, "ARM\x64", 4);
	refused(&config, object(false),
		"topology 8cpu-2llc-smt is for x86_64 guests, and this kernel is for aarch64",
		"--smp");
}

/* The arguments that differ between machines. */
static void argv_has(const char *arch, const char *qemu, const char *append, const char *serial)
{
	const struct vm_guard guard = {.dir = scratch, .fd = -1};
	struct vm_config config = {.kernel = "Image", .machine = vm_machine_by_arch(arch)};
	const char *found_append = NULL, *found_serial = NULL;
	struct vm_argv argv = {0};

	assert_null(vm_qemu_argv(&guard, &config, "tcg", VM_START_BOOT, &argv));
	assert_string_equal(argv.v.data[0], qemu);
	for (size_t i = 0; argv.v.data[i]; i++) {
		if (!strcmp(argv.v.data[i], "-append"))
			found_append = argv.v.data[i + 1];
		if (!strcmp(argv.v.data[i], "-serial"))
			found_serial = argv.v.data[i + 1];
	}
	assert_string_equal(found_append, append);
	if (serial)
		assert_string_equal(found_serial, serial);
	else
		assert_null(found_serial);
	vm_argv_deinit(&argv);
}

static void test_argv(void **state)
{
	(void)state;
	argv_has("x86_64", "qemu-system-x86_64", "console=ttyS0,115200 panic=-1", NULL);
	argv_has("aarch64", "qemu-system-aarch64", "console=ttyAMA0 panic=-1", "chardev:console");
	argv_has("riscv64", "qemu-system-riscv64", "console=ttyS0 panic=-1", "chardev:console");
	argv_has("s390x", "qemu-system-s390x", "console=ttysclp0 panic=-1", NULL);
	argv_has("ppc64le", "qemu-system-ppc64", "console=hvc0 panic=-1", "chardev:console");
	argv_has("loongarch64", "qemu-system-loongarch64",
		 "console=ttyS0 initcall_blacklist=i8042_init panic=-1", "chardev:frames");
	assert_null(vm_machine_by_arch("vax"));
	assert_ptr_equal(vm_machine_by_elf(EM_S390, true), vm_machine_by_arch("s390x"));
	assert_null(vm_machine_by_elf(EM_S390, false));
}

int main(void)
{
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		scratch_test(test_byte_order),
		scratch_test(test_no_init),
		scratch_test(test_topology),
		scratch_test(test_argv),
	};

	return cmocka_run_group_tests_name("vm/machine", tests, NULL, NULL);
}
