// SPDX-License-Identifier: LGPL-2.1-or-later
/* What QEMU is told of a guest's CPUs and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "vm/qemu.h"

static const char *read_back(const char *name)
{
	static char text[16384];
	FILE *file = fopen(in_scratch(name), "r");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

/* guest.cfg, as it is written for this configuration. */
static const char *written(const struct vm_config *config)
{
	const struct vm_guard guard = {.dir = scratch, .fd = -1};

	assert_null(vm_qemu_write_config(&guard, config, VM_START_BOOT));
	return read_back("guest.cfg");
}

static const char *started(const struct vm_config *config, enum vm_start how)
{
	const struct vm_guard guard = {.dir = scratch, .fd = -1};

	assert_null(vm_qemu_write_config(&guard, config, how));
	return read_back("guest.cfg");
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void has(const char *text, const char *what)
{
	if (count(text, what) != 1)
		fail_msg("%u of '%s' in:\n%s", count(text, what), what, text);
}

/* The memory of a guest that is kept, or was: a file; shared when it is kept, and only then. */
static void test_memory_file(void **state)
{
	struct vm_config config = {.memory_mib = 99};
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "  mem-path = \"%s/ram\"\n", scratch);
	assert_int_equal(vm_qemu_ram(&config), 99 << 20);
	assert_null(strstr(started(&config, VM_START_BOOT), "memory-backend"));
	has(started(&config, VM_START_KEEP), path);
	has(started(&config, VM_START_KEEP), "  size = \"99M\"\n");
	has(started(&config, VM_START_KEEP), "  share = \"on\"\n");
	has(started(&config, VM_START_RESTORE), path);
	has(started(&config, VM_START_RESTORE), "  share = \"off\"\n");
	config = (struct vm_config){.topology = vm_topologies(&(size_t){0})};
	assert_int_equal(vm_qemu_ram(&config), 0);
	assert_null(strstr(started(&config, VM_START_KEEP), "memory-backend-file"));
}

static void test_no_topology(void **state)
{
	struct vm_config config = {0};

	(void)state;
	has(written(&config), "[memory]\n  size = \"1024\"\n");
	has(written(&config), "[smp-opts]\n  cpus = \"2\"\n");
	config.smp = 7;
	config.memory_mib = 99;
	has(written(&config), "[memory]\n  size = \"99\"\n");
	has(written(&config), "[smp-opts]\n  cpus = \"7\"\n");
	assert_int_equal(count(read_back("guest.cfg"), "sockets"), 0);
	has(read_back("machine.cfg"), "type = \"q35\"");
}

static void test_topology(void **state)
{
	struct vm_config config = {.topology = vm_topology_by_name("2numa-16cpu-4llc-nosmt")};
	const char *text = written(&config);

	(void)state;
	has(text, "[memory]\n  size = \"2048\"\n");
	has(text, "[smp-opts]\n  cpus = \"16\"\n  sockets = \"4\"\n");
	assert_int_equal(count(text, "[smp-opts]"), 1);
	assert_int_equal(count(text, "[memory]"), 1);
	assert_int_equal(count(text, "size = \"1024M\""), 2);
	has(text, "[chardev \"console\"]");
	config.smp = 16;
	config.memory_mib = 1501;
	text = written(&config);
	has(text, "[memory]\n  size = \"1500\"\n");
	assert_int_equal(count(text, "size = \"750M\""), 2);
}

static void refused(const struct vm_config *config, const char *why)
{
	const struct vm_guard guard = {.dir = scratch, .fd = -1};
	struct kt_error *err = vm_qemu_write_config(&guard, config, VM_START_BOOT);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	assert_string_equal(kt_error_message(err), why);
	kt_error_destroy(err);
}

static void test_conflicts(void **state)
{
	struct vm_config config = {.topology = vm_topology_by_name("4numa-32cpu-8llc-nosmt")};

	(void)state;
	config.smp = 31;
	refused(&config, "31 CPUs are not the 32 of topology 4numa-32cpu-8llc-nosmt");
	config.smp = 0;
	config.memory_mib = 3;
	refused(&config, "3 MiB are too few for the 4 nodes of 4numa-32cpu-8llc-nosmt");
}

/* Where the stub listens, in QEMU's words. */
static void check_gdb(const char *gdb, const char *expected)
{
	struct vm_config config = {.gdb = gdb};
	char section[512];

	snprintf(
		section, sizeof(section),
		"[chardev \"gdb0\"]\n  backend = \"socket\"\n  server = \"on\"\n  wait = \"off\"\n%s",
		expected);
	has(written(&config), section);
}

static void test_gdb(void **state)
{
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "  path = \"%s\"\n", in_scratch("gdb.sock"));
	check_gdb(NULL, path);
	check_gdb("unix:/run/a:b.sock", "  path = \"/run/a:b.sock\"\n");
	check_gdb(":12345", "  host = \"127.0.0.1\"\n  port = \"12345\"\n");
	check_gdb("12345", "  host = \"127.0.0.1\"\n  port = \"12345\"\n");
	check_gdb("example.org:12345", "  host = \"example.org\"\n  port = \"12345\"\n");
	check_gdb("[::1]:12345", "  host = \"::1\"\n  port = \"12345\"\n");
	check_gdb("tcp::12345", "  host = \"127.0.0.1\"\n  port = \"12345\"\n");
	check_gdb("tcp:[::1]:12345", "  host = \"::1\"\n  port = \"12345\"\n");
}

static void test_bad_gdb(void **state)
{
	struct vm_config config = {.gdb = "host"};

	(void)state;
	refused(&config, "'host' is not a GDB stub's address: "
			 "the port is not a number from 1 to 65535");
	config.gdb = "unix:/a\"b";
	refused(&config, "QEMU's stub cannot listen at 'unix:/a\"b': it has a quotation mark or a "
			 "newline");
}

/* The argument behind -cpu. */
static void check_cpu(const struct vm_config *config, const char *accel, const char *expected)
{
	const struct vm_guard guard = {.dir = scratch, .fd = -1};
	struct vm_argv argv = {0};
	const char *cpu = NULL;

	assert_null(vm_qemu_argv(&guard, config, accel, VM_START_BOOT, &argv));
	for (size_t i = 0; argv.v.data[i]; i++)
		if (!strcmp(argv.v.data[i], "-cpu"))
			cpu = argv.v.data[i + 1];
	assert_string_equal(cpu, expected);
	vm_argv_deinit(&argv);
}

static void test_cpu(void **state)
{
	struct vm_config config = {.kernel = "vmlinuz"};

	(void)state;
	check_cpu(&config, "tcg", "max,-cx16");
	check_cpu(&config, "kvm", "max");
	config.topology = vm_topology_by_name("8cpu-2llc-smt");
	check_cpu(&config, "tcg", "max,-cx16,vendor=GenuineIntel,family=6,model=85,stepping=7");
	check_cpu(&config, "tcg,thread=multi",
		  "max,-cx16,vendor=GenuineIntel,family=6,model=85,stepping=7");
	check_cpu(&config, "kvm", vm_topology_cpu("kvm"));
	config.cpu = "qemu64";
	check_cpu(&config, "tcg", "qemu64");
}

int main(void)
{
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		scratch_test(test_memory_file), scratch_test(test_no_topology),
		scratch_test(test_topology),    scratch_test(test_conflicts),
		scratch_test(test_gdb),         scratch_test(test_bad_gdb),
		scratch_test(test_cpu),
	};

	return cmocka_run_group_tests_name("vm/qemu", tests, NULL, NULL);
}
