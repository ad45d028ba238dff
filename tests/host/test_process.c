// SPDX-License-Identifier: LGPL-2.1-or-later
/* VMs out of a made-up /proc, in which anything may stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "host/process.h"

#define UID 1000

static char top[64];     /* of everything */
static char run_dir[80]; /* where sockets lie */
static char root[80];    /* of /proc */
static struct host_proc proc = {.uid = UID};

static const char *fmt_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* static storage, for 32 at a time */
static const char *fmt_path(const char *fmt, ...)
{
	static char texts[32][4096];
	static int turn;
	char *text = texts[turn++ % 32];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(*texts), fmt, ap);
	va_end(ap);
	return text;
}

static void put(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static void shell(const char *command)
{
	assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/ktstr-proc.XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(root, sizeof(root), "%s/proc", top);
	snprintf(run_dir, sizeof(run_dir), "%s/run", top);
	proc.root = root;
	mkdir(root, 0755);
	mkdir(run_dir, 0755);
	mkdir(fmt_path("%s/self", root), 0755);
	mkdir(fmt_path("%s/self/ns", root), 0755);
	mkdir(fmt_path("%s/self/net", root), 0755);
	assert_int_equal(symlink("mnt:[1]", fmt_path("%s/self/ns/mnt", root)), 0);
	assert_int_equal(symlink("net:[1]", fmt_path("%s/self/ns/net", root)), 0);
	/* What is no process. */
	put_text(fmt_path("%s/cpuinfo", root), "");
	mkdir(fmt_path("%s/12x", root), 0755);
	mkdir(fmt_path("%s/99999999999999999999", root), 0755);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	shell(fmt_path("chmod -R u+rwX %s; rm -rf %s", top, top));
	return 0;
}

/* A process; args: with "|" for the NUL between arguments. exe NULL: may not be read. */
static void process(int pid, int uid, const char *exe, const char *args)
{
	char dir[128], text[4096];
	size_t len = strlen(args);

	snprintf(dir, sizeof(dir), "%s/%d", root, pid);
	mkdir(dir, 0755);
	mkdir(fmt_path("%s/ns", dir), 0755);
	mkdir(fmt_path("%s/net", dir), 0755);
	mkdir(fmt_path("%s/fd", dir), 0755);
	put_text(fmt_path("%s/net/unix", dir),
		 "Num       RefCount Protocol Flags    Type St Inode Path\n");
	put_text(fmt_path("%s/net/tcp", dir), "  sl  local_address rem_address   st\n");
	assert_int_equal(symlink("mnt:[1]", fmt_path("%s/ns/mnt", dir)), 0);
	assert_int_equal(symlink("net:[1]", fmt_path("%s/ns/net", dir)), 0);
	assert_int_equal(symlink("/", fmt_path("%s/root", dir)), 0);
	assert_int_equal(symlink(run_dir, fmt_path("%s/cwd", dir)), 0);
	put_text(fmt_path("%s/status", dir),
		 fmt_path("Name:\tqemu\nUid:\t7\t%d\t7\t7\nGid:\t0\t0\t0\t0\n", uid));
	if (exe)
		assert_int_equal(symlink(exe, fmt_path("%s/exe", dir)), 0);
	strcpy(text, args);
	for (char *c = text; *c; c++)
		if (*c == '|')
			*c = '\0';
	put(fmt_path("%s/cmdline", dir), text, len + (len > 0));
}

static void fd(int pid, int number, const char *target)
{
	assert_int_equal(symlink(target, fmt_path("%s/%d/fd/%d", root, pid, number)), 0);
}

static void net_unix(int pid, bool listens, int inode, const char *path)
{
	FILE *file = fopen(fmt_path("%s/%d/net/unix", root, pid), "a");

	fprintf(file, "0000000000000000: 00000002 00000000 %s 0001 %s %d %s\n",
		listens ? "00010000" : "00000000", listens ? "01" : "03", inode, path);
	fclose(file);
}

static void net_tcp(const char *pid, bool listens, int inode, int port)
{
	FILE *file = fopen(fmt_path("%s/%s/net/tcp", root, pid), "a");

	fprintf(file,
		"   0: 0100007F:%04X 00000000:0000 %s 00000000:00000000 00:00000000 00000000     0 "
		"       0 %d 1 0000000000000000 100 0 0 10 0\n",
		port, listens ? "0A" : "01", inode);
	fclose(file);
}

/* A socket that is there. */
static void bind_socket(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, path);
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(sock);
}

static struct vm vm;

static const struct vm *vm_of(int pid)
{
	vm_deinit(&vm);
	assert_null(host_vm_read(&proc, pid, &vm));
	return &vm;
}

/* The only way, or what is in the reason why there is none. */
static void way(int pid, const char *target, const char *why)
{
	const struct vm *it = vm_of(pid);
	const struct vm_way *best = vm_best_way(it);

	if (target) {
		if (!best)
			fail_msg("%d: %s", pid, it->why);
		assert_string_equal(best->target, target);
	} else {
		assert_null(best);
	}
	if (why && (!it->why || !strstr(it->why, why)))
		fail_msg("%d: wanted '%s', got '%s'", pid, why, it->why ? it->why : "nothing");
	if (!why)
		assert_null(it->why);
}

static void refused(struct kt_error *err, enum kt_error_code code, const char *words)
{
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	if (!strstr(kt_error_message(err), words))
		fail_msg("wanted '%s', got '%s'", words, kt_error_message(err));
	kt_error_destroy(err);
}

#define QEMU "/usr/bin/qemu-system-x86_64"

static void test_which(void **state)
{
	struct vms vms = {0};

	(void)state;
	process(10, UID, QEMU, "qemu|-name|a");
	process(11, UID, "/usr/bin/bash", "qemu-system-x86_64|-s");
	process(12, UID, QEMU " (deleted)", "x");
	process(13, UID, "/usr/libexec/qemu-kvm", "x");
	process(14, UID, "/usr/bin/.qemu-system-aarch64-wrapped", "x");
	process(15, UID, "/lib/ld-linux-x86-64.so.2",
		"/lib/ld.so|--library-path|/x|/y/qemu-system-riscv64|-name|loaded");
	process(16, UID, "/lib/ld-linux-x86-64.so.2", "/lib/ld.so|/bin/true|-name");
	process(17, 64055, NULL, "/usr/bin/qemu-system-x86_64|-name|other's");
	process(18, 64055, NULL, "/usr/bin/python3|qemu-system-x86_64");
	process(19, UID, NULL, "");
	process(20, UID, QEMU, "");
	process(21, UID, "/usr/bin/qemu-img", "qemu-img");
	process(22, UID, "/usr/bin/kvmtool", "kvm");
	assert_null(host_vms_read(&proc, &vms));
	assert_int_equal(vms.v.len, 7);
	for (size_t i = 0; i < vms.v.len; i++) {
		static const uint32_t pids[] = {10, 12, 13, 14, 15, 17, 20};

		assert_int_equal(vms.v.data[i].pid, pids[i]);
	}
	vms_deinit(&vms);
	assert_string_equal(vm_of(10)->name, "a");
	assert_string_equal(vm_of(14)->arch, "aarch64");
	assert_string_equal(vm_of(15)->arch, "riscv64");
	assert_string_equal(vm.name, "loaded");
	assert_int_equal(vm_of(17)->uid, 64055);
	way(20, NULL, "command line cannot be read");
	refused(host_vm_read(&proc, 11, &vm), KT_ERROR_UNSUPPORTED,
		"process 11 is no QEMU: it runs /usr/bin/bash");
	refused(host_vm_read(&proc, 18, &vm), KT_ERROR_UNSUPPORTED, "/usr/bin/python3");
	refused(host_vm_read(&proc, 19, &vm), KT_ERROR_UNSUPPORTED, "may not see");
	refused(host_vm_read(&proc, 4000, &vm), KT_ERROR_NOT_FOUND, "there is no process 4000");
	/* It ends while it is read. */
	unlink(fmt_path("%s/10/status", root));
	refused(host_vm_read(&proc, 10, &vm), KT_ERROR_NOT_FOUND, "process 10 is gone");
}

static void test_accel(void **state)
{
	(void)state;
	process(10, UID, QEMU, "q|-accel|kvm|-accel|tcg|-smp|8");
	assert_string_equal(vm_of(10)->accel, "tcg");
	assert_int_equal(vm.vcpus.value, 8);
	fd(10, 5, "anon_inode:kvm-vm");
	fd(10, 6, "anon_inode:kvm-vcpu:0");
	fd(10, 7, "anon_inode:kvm-vcpu:1");
	fd(10, 8, "/dev/kvm");
	assert_string_equal(vm_of(10)->accel, "kvm");
	assert_int_equal(vm.vcpus.value, 2);
	process(11, UID, QEMU, "q");
	assert_string_equal(vm_of(11)->accel, "tcg");
	process(12, UID, QEMU, "q|-machine|accel=xen");
	assert_string_equal(vm_of(12)->accel, "xen");
	/* Where its files may not be seen, it is what it says. */
	process(13, 5, NULL, QEMU "|-machine|accel=kvm:tcg");
	rmdir(fmt_path("%s/13/fd", root));
	assert_string_equal(vm_of(13)->accel, "kvm:tcg");
	process(14, 5, NULL, QEMU);
	rmdir(fmt_path("%s/14/fd", root));
	assert_null(vm_of(14)->accel);
}

static void test_sockets(void **state)
{
	char path[128], long_path[200], args[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/q", run_dir);
	bind_socket(path);
	snprintf(args, sizeof(args), "q|-qmp|unix:%s,server=on", path);
	process(10, UID, QEMU, args);
	/* The path is bound by nobody, or by somebody else, who put a socket there. */
	way(10, NULL, "nobody listens");
	net_unix(10, true, 77, path);
	way(10, NULL, "nobody listens");
	fd(10, 4, "socket:[77]");
	way(10, fmt_path("qmp:%s", path), NULL);
	/* A client, which QEMU has accepted; another is in the queue. */
	net_unix(10, false, 0, path);
	way(10, fmt_path("qmp:%s", path), NULL);
	net_unix(10, false, 78, path);
	fd(10, 5, "socket:[78]");
	way(10, fmt_path("qmp:%s", path), "somebody else is connected to its QMP monitor");
	assert_true(vm_best_way(&vm)->busy);
	chmod(path, 0);
	if (geteuid())
		way(10, NULL, "may not be reached");
	unlink(path);
	way(10, NULL, "is not there");
	put_text(path, "");
	way(10, NULL, "is no socket");

	/* As QEMU has it, from its working directory. */
	process(11, UID, QEMU, "q|-gdb|unix:g,server=on");
	bind_socket(fmt_path("%s/g", run_dir));
	net_unix(11, true, 80, "g");
	fd(11, 4, "socket:[80]");
	way(11, fmt_path("unix:%s/g", run_dir), NULL);

	snprintf(long_path, sizeof(long_path), "%s/%0100d", run_dir, 1);
	process(12, UID, QEMU, fmt_path("q|-gdb|unix:%s,server=on", long_path));
	net_unix(12, true, 81, long_path);
	fd(12, 4, "socket:[81]");
	way(12, NULL, "too long");
}

/* In a container: its paths are beneath its root. */
static void test_namespaces(void **state)
{
	char inside[128];

	(void)state;
	process(10, UID, QEMU, "q|-gdb|unix:/vm/g,server=on|-kernel|/boot/k");
	unlink(fmt_path("%s/10/ns/mnt", root));
	assert_int_equal(symlink("mnt:[2]", fmt_path("%s/10/ns/mnt", root)), 0);
	unlink(fmt_path("%s/10/root", root));
	assert_int_equal(symlink(top, fmt_path("%s/10/root", root)), 0);
	mkdir(fmt_path("%s/vm", top), 0755);
	bind_socket(fmt_path("%s/vm/g", top));
	net_unix(10, true, 5, "/vm/g");
	fd(10, 4, "socket:[5]");
	snprintf(inside, sizeof(inside), "%s/10/root/vm/g", root);
	way(10, fmt_path("unix:%s", inside), NULL);
	assert_string_equal(vm.image, fmt_path("%s/10/root/boot/k", root));

	process(11, UID, QEMU, "q|-s|-kernel|/proc/self/environ");
	net_tcp("11", true, 6, 1234);
	fd(11, 4, "socket:[6]");
	way(11, ":1234", NULL);
	assert_null(vm.image);
	unlink(fmt_path("%s/11/ns/net", root));
	assert_int_equal(symlink("net:[2]", fmt_path("%s/11/ns/net", root)), 0);
	way(11, NULL, "another network namespace");
}

static void test_tcp(void **state)
{
	static const struct {
		const char *args, *target;
	} cases[] = {
		{"q|-gdb|tcp::5", ":5"},
		{"q|-gdb|tcp:0.0.0.0:5", ":5"},
		{"q|-gdb|tcp:127.0.0.2:5", "127.0.0.2:5"},
		{"q|-gdb|tcp:[::1]:5", "[::1]:5"},
		{"q|-chardev|socket,id=g,host=::1,port=5,server=on|-gdb|chardev:g", "[::1]:5"},
		{"q|-qmp|tcp::5,server=on", "qmp:localhost:5"},
		{"q|-qmp|tcp:10.0.0.1:5,server=on", "qmp:10.0.0.1:5"},
		{"q|-gdb|tcp:a b:5", NULL},
		{"q|-gdb|tcp::5x", NULL},
		{"q|-gdb|tcp::70000", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int pid = 100 + (int)i;

		process(pid, UID, QEMU, cases[i].args);
		net_tcp(fmt_path("%d", pid), true, 6, 5);
		fd(pid, 4, "socket:[6]");
		way(pid, cases[i].target, cases[i].target ? NULL : "");
	}
}

/* A monitor is better than a stub; a busy one is not. */
static void test_preference(void **state)
{
	(void)state;
	bind_socket(fmt_path("%s/q", run_dir));
	process(10, UID, QEMU, fmt_path("q|-s|-qmp|unix:%s/q,server=on", run_dir));
	net_unix(10, true, 5, fmt_path("%s/q", run_dir));
	net_tcp("10", true, 6, 1234);
	fd(10, 4, "socket:[5]");
	fd(10, 5, "socket:[6]");
	fd(10, 6, "socket:[7]");
	fd(10, 7, "socket:[8]");
	way(10, fmt_path("qmp:%s/q", run_dir), NULL);
	assert_int_equal(vm.ways.len, 2);
	net_unix(10, false, 7, fmt_path("%s/q", run_dir));
	way(10, ":1234", NULL);
	net_tcp("10", false, 8, 1234);
	way(10, fmt_path("qmp:%s/q", run_dir), "somebody else is connected");
}

#define LIBVIRT(name, dir)                                                                         \
	"q|-name|guest=" name ",debug-threads=on|-object|{\"qom-type\":\"secret\",\"id\":"         \
	"\"masterKey0\",\"file\":\"" dir "/qemu/domain-1-x/master-key.aes\"}|-uuid|"               \
	"d5d3a1ac-1111-4e4e-8888-0123456789ab|-chardev|socket,id=charmonitor,fd=23,server=on|"     \
	"-mon|chardev=charmonitor,id=monitor,mode=control"

static void test_libvirt(void **state)
{
	struct host_proc as_root = proc;

	(void)state;
	process(10, 64055, QEMU, LIBVIRT("web", "/var/lib/libvirt"));
	way(10, "libvirt+qemu:///system:web", NULL);
	process(11, UID, QEMU, LIBVIRT("mine", "/home/u/.config/libvirt"));
	way(11, "libvirt+qemu:///session:mine", NULL);
	process(12, 1001, QEMU, LIBVIRT("hers", "/home/v/.config/libvirt"));
	way(12, NULL, "of another user (uid 1001)");
	/* What would be an id or a UUID, or is no name. */
	process(13, 64055, QEMU, LIBVIRT("12", "/var/lib/libvirt"));
	way(13, "libvirt+qemu:///system:d5d3a1ac-1111-4e4e-8888-0123456789ab", NULL);
	process(14, 64055, QEMU, LIBVIRT("a:b\x1b[31m", "/var/lib/libvirt"));
	way(14, "libvirt+qemu:///system:d5d3a1ac-1111-4e4e-8888-0123456789ab", NULL);
	process(15, 0, QEMU,
		"q|-chardev|socket,id=charmonitor,fd=3|-mon|chardev=charmonitor,id=monitor,"
		"mode=control");
	way(15, NULL, "no name");
	as_root.uid = 0;
	vm_deinit(&vm);
	assert_null(host_vm_read(&as_root, 10, &vm));
	assert_string_equal(vm_best_way(&vm)->target, "libvirt:web");
}

static void test_no_way(void **state)
{
	char *target = NULL;

	(void)state;
	process(10, UID, QEMU, "q|-m|1G");
	way(10, NULL, "without -qmp, -gdb and -s");
	process(11, 1001, QEMU, "q|-monitor|stdio");
	way(11, NULL, "in its human monitor, gdbserver");
	refused(host_vm_target(&proc, 10, &target), KT_ERROR_UNSUPPORTED,
		"QEMU's process 10 cannot be reached: it was started without");
	refused(host_vm_target(&proc, 11, &target), KT_ERROR_UNSUPPORTED,
		"of another user (uid 1001)");
	refused(host_vm_target(&proc, 12, &target), KT_ERROR_NOT_FOUND, "no process 12");
	process(13, UID, "/bin/true", "true");
	refused(host_vm_target(&proc, 13, &target), KT_ERROR_UNSUPPORTED, "is no QEMU");
	assert_null(target);
}

/* What a user who gives no TARGET gets. */
static void test_default(void **state)
{
	char *target = NULL;
	uint32_t pid = 7;

	(void)state;
	net_tcp("self", true, 1, 80);
	assert_null(host_vm_default(&proc, &target, &pid));
	assert_null(target);
	assert_int_equal(pid, 0);

	/* One that cannot be reached does not count. */
	process(10, UID, QEMU, "q");
	process(11, UID, QEMU, "q|-gdb|tcp::5");
	net_tcp("11", true, 6, 5);
	fd(11, 4, "socket:[6]");
	assert_null(host_vm_default(&proc, &target, &pid));
	assert_string_equal(target, ":5");
	assert_int_equal(pid, 11);
	free(target);
	target = NULL;

	process(12, UID, QEMU, LIBVIRT("mine", "/home/u/.config/libvirt"));
	refused(host_vm_default(&proc, &target, &pid), KT_ERROR_USAGE,
		"2 VMs run on this host; a TARGET has to say which: :5 (pid 11), "
		"libvirt+qemu:///session:mine (pid 12, mine)");
	for (int i = 0; i < 20; i++)
		process(100 + i, UID, QEMU, LIBVIRT("m", "/home/u/.config/libvirt"));
	refused(host_vm_default(&proc, &target, &pid), KT_ERROR_USAGE, ", ...");

	/* As it was before there were VMs. */
	net_tcp("self", true, 1, 1234);
	assert_null(host_vm_default(&proc, &target, &pid));
	assert_null(target);
}

/* No file of a process has to be what it should be, or to be there. */
static void test_hostile(void **state)
{
	static char args[4096 - 8];
	struct vms vms = {0};

	(void)state;
	memset(args, '|', sizeof(args) - 1);
	process(10, UID, QEMU, args);
	memset(args, 'x', sizeof(args) - 1);
	memcpy(args, "q|-name|", 8);
	process(11, UID, QEMU, args);
	assert_int_equal(strlen(vm_of(11)->name), sizeof(args) - 9);
	process(12, UID, QEMU, "q|-readconfig|cfg|-readconfig|/proc/self/environ|-readconfig|fifo");
	put_text(fmt_path("%s/cfg", run_dir), "[chardev \"x\nbackend\n[mon]\nmode = \"control\"\n");
	mkfifo(fmt_path("%s/fifo", run_dir), 0600);
	process(13, UID, QEMU, "q|-s");
	put(fmt_path("%s/13/net/unix", root), "x\n\0\0y\n0: 0 0\n", 13);
	put_text(fmt_path("%s/13/net/tcp", root), "0: 0:4D2 0:0 0A\n1: z\n");
	fd(13, 3, "socket:[99999999999999999999999]");
	fd(13, 4, "anon_inode:kvm-vcpu:");
	way(13, NULL, "nobody listens");
	process(14, UID, QEMU, "q|-s");
	put_text(fmt_path("%s/14/status", root), "Name: x\nUid:\n");
	process(15, UID, QEMU, "q|-s");
	shell(fmt_path("cd %s/15 && rm -r net fd ns root cwd", root));
	/* Where the kernel does not tell, it is as the command line says. */
	way(15, ":1234", NULL);
	process(16, UID, QEMU, "q|-gdb|unix:../../../../etc/passwd,server=on|-uuid|\n|-kernel|");
	assert_null(host_vms_read(&proc, &vms));
	assert_int_equal(vms.v.len, 6);
	vms_deinit(&vms);
	proc.root = "/nowhere";
	refused(host_vms_read(&proc, &vms), KT_ERROR_OS, "/nowhere");
}

static int after(void **state)
{
	vm_deinit(&vm);
	return teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_which),      TEST(test_accel),  TEST(test_sockets),
		TEST(test_namespaces), TEST(test_tcp),    TEST(test_preference),
		TEST(test_libvirt),    TEST(test_no_way), TEST(test_default),
		TEST(test_hostile),
	};

	return cmocka_run_group_tests_name("host process", tests, NULL, NULL);
}
