// SPDX-License-Identifier: LGPL-2.1-or-later
/* What can be wrong before any guest is there: targets, images, QEMU, what is to be run. */
#include "tests/cli/tool.h"

#include <elf.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "tests/cli/progs_btf.h"

static char dir[64], image[96], object[96];

static const char *in_dir(const char *name)
{
	static char paths[4][128];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static const char *write_file(const char *name, const void *data, size_t len, mode_t mode)
{
	const char *path = in_dir(name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
	chmod(path, mode);
	return path;
}

/* As much of an object as is looked at before a guest is there. */
static const Elf64_Ehdr bpf_header = {
	.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
	.e_type = ET_REL,
	.e_machine = EM_BPF,
};

static int setup(void **state)
{
	struct kt_buf btf = KT_BUF_INIT, elf = KT_BUF_INIT;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	strcpy(dir, "/tmp/ktstr-refusals.XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("XDG_CACHE_HOME", dir, 1);
	setenv("TMPDIR", dir, 1);
	progs_btf(&btf);
	fake_kernel(&elf, &(struct fake_options){.build_id = 7, .btf = &btf});
	strcpy(image, write_file("vmlinux", elf.data, elf.len, 0600));
	strcpy(object, write_file("some.bpf.o", &bpf_header, sizeof(bpf_header), 0600));
	kt_buf_deinit(&btf);
	kt_buf_deinit(&elf);
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* What is refused at once, and not by the deadline. */
static void attach_refused(const char *target, const char *words)
{
	tool_refused(RUN("attach", target, "--vmlinux", image, "--timeout", "50"), 3, words);
}

static void test_nobody_listens(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char target[128];

	(void)state;
	attach_refused(":1", "cannot connect: Connection refused; QEMU needs -s");
	attach_refused("unix:/nonexistent/sock", "No such file or directory; QEMU needs -s");
	attach_refused("no-such-host.invalid:1", "cannot resolve 'no-such-host.invalid'");
	snprintf(target, sizeof(target), "unix:%s", image);
	attach_refused(target, "Socket operation on non-socket");
	strcpy(addr.sun_path, in_dir("stale"));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	snprintf(target, sizeof(target), "unix:%s", addr.sun_path);
	attach_refused(target, "Connection refused");
}

/* What somebody that is no stub does with a connection. */
static void impostor(int fd, const char *first, bool listen_first, bool echo, bool stay)
{
	char bytes[4096];
	ssize_t n;

	if (listen_first && read(fd, bytes, sizeof(bytes)) < 0)
		return;
	if (first && write(fd, first, strlen(first)) < 0)
		return;
	while ((echo || stay) && (n = read(fd, bytes, sizeof(bytes))) > 0)
		if (echo && write(fd, bytes, (size_t)n) < 0)
			return;
}

static void no_stub_in(const char *timeout, const char *first, bool listen_first, bool echo,
		       bool stay, const char *words)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char target[32];
	pid_t pid;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&addr, &len);
	snprintf(target, sizeof(target), "127.0.0.1:%d", ntohs(addr.sin_port));
	pid = fork();
	if (!pid) {
		alarm(60);
		impostor(accept(fd, NULL, NULL), first, listen_first, echo, stay);
		_exit(0);
	}
	close(fd);
	tool_refused(RUN("attach", target, "--vmlinux", image, "--timeout", timeout), 3, words);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void no_stub(const char *first, bool listen_first, bool echo, bool stay, const char *words)
{
	no_stub_in("50", first, listen_first, echo, stay, words);
}

static void test_no_stub(void **state)
{
	(void)state;
	no_stub("SSH-2.0-OpenSSH_9.2\r\n", false, false, true,
		"not a GDB stub: it says 'SSH-2.0-OpenSSH_9.2'; is it the right port?");
	no_stub("HTTP/1.1 400 Bad Request\r\n\r\n", true, false, true, "it says 'HTTP/1.1 400");
	no_stub("\033[2J\n\001", false, false, true, "not a GDB stub: what it sends is no text");
	no_stub(NULL, false, false, false, "closed the connection; did QEMU end");
	no_stub(NULL, true, false, false, "closed the connection; did QEMU end");
	no_stub(NULL, false, true, true, "not a GDB stub: it says '#00");
	no_stub_in("0.3", NULL, false, false, true,
		   "went silent: no answer in time; QEMU serves one");
}

static void test_images(void **state)
{
	struct kt_buf elf = KT_BUF_INIT;
	char part[96];
	FILE *file = fopen(image, "r");
	static char bytes[65536];
	size_t len = fread(bytes, 1, sizeof(bytes), file);

	(void)state;
	fclose(file);
	for (size_t n = 100; n < len; n += len / 5) {
		strcpy(part, write_file("part", bytes, n, 0600));
		tool_refused(RUN("attach", ":1", "--vmlinux", part), 3, "truncated");
	}
	tool_refused(RUN("attach", ":1", "--vmlinux", write_file("none", "", 0, 0600)), 3,
		     "is empty");
	tool_refused(RUN("attach", ":1", "--vmlinux", write_file("text", "hello", 5, 0600)), 3,
		     "not a kernel");
	tool_refused(RUN("attach", ":1", "--vmlinux", "/nonexistent"), 3, "no such file");
	tool_refused(RUN("attach", ":1", "--vmlinux", dir), 3, "not a regular file");
	fake_kernel(&elf, &(struct fake_options){.no_btf = true});
	tool_refused(RUN("attach", ":1", "--vmlinux", write_file("nobtf", elf.data, elf.len, 0600)),
		     3, "BTF");
	kt_buf_deinit(&elf);
}

static void test_kernel_without_bpf(void **state)
{
	struct kt_buf raw = KT_BUF_INIT, elf = KT_BUF_INIT;
	struct btf *btf = btf__new_empty();
	const void *data;
	uint32_t len;

	(void)state;
	btf__add_int(btf, "long unsigned int", 8, 0);
	data = btf__raw_data(btf, &len);
	kt_buf_append(&raw, data, len);
	fake_kernel(&elf, &(struct fake_options){.no_bpf = true, .btf = &raw});
	tool_refused(RUN("attach", ":1", "--vmlinux", write_file("nobpf", elf.data, elf.len, 0600)),
		     3, "this kernel has no BPF (CONFIG_BPF_SYSCALL)");
	btf__free(btf);
	kt_buf_deinit(&raw);
	kt_buf_deinit(&elf);
}

static void collect_refused(const char *option, const char *value, const char *words)
{
	tool_refused(RUN("collect", "--accel", "tcg", "--kernel", image, "--object", object, option,
			 value),
		     3, words);
}

/* `check` and `collect` say the same of the same file. */
static void no_object(const char *path, const char *words)
{
	static char said[TOOL_TEXT];

	const struct tool_run *run = RUN("collect", "--kernel", image, "--object", object,
					 "--object", path);

	tool_refused(run, 3, words);
	strcpy(said, run->err);
	run = RUN("check", "--kernel", image, object, path);
	tool_refused(run, 3, words);
	assert_string_equal(run->err, said);
}

static void test_objects(void **state)
{
	(void)state;
	no_object(image, "is no BPF object: it is made for another machine; clang");
	no_object(write_file("void", "", 0, 0600), "is no BPF object: it is empty");
	no_object(write_file("text", "hello", 5, 0600), "is no BPF object: it is no ELF file");
	no_object("/nonexistent", "cannot read the object /nonexistent: No such file or directory");
}

static void test_qemu(void **state)
{
	static const char script[] = "#!/bin/sh\necho 'qemu: out of luck' >&2\nexit 4\n";
	static const char crash[] = "#!/bin/sh\nkill -SEGV $$\n";
	static const char hang[] = "#!/bin/sh\nexec sleep 50\n";

	(void)state;
	collect_refused("--qemu", "/nonexistent", "No such file or directory; apt install");
	collect_refused("--qemu", "/tmp", "cannot start /tmp: Permission denied");
	collect_refused("--qemu", "/bin/true", "what was started is no QEMU");
	collect_refused("--qemu", write_file("q1", script, sizeof(script) - 1, 0700),
			"exited with status 4 before the guest was up: qemu: out of luck");
	collect_refused("--qemu", write_file("q2", crash, sizeof(crash) - 1, 0700),
			"killed by signal 11");
	tool_refused(RUN("collect", "--accel", "tcg", "--kernel", image, "--object", object,
			 "--timeout", "0.5", "--qemu",
			 write_file("q3", hang, sizeof(hang) - 1, 0700)),
		     3, "did not come up in time");
}

static void test_scheduler_options(void **state)
{
	(void)state;
	tool_refused(RUN("collect", "--kernel", image, "--run", "/bin/true", "-o", "id,pids"), 2,
		     "pids and pinned are of a guest that runs by now");
	tool_refused(RUN("collect", "--kernel", image, "--scheduler", "/bin/true",
			 "--leave-stopped"),
		     2, "--leave-stopped: a scheduler's guest has to run on");
	tool_refused(RUN("collect", "--kernel", image, "--scheduler", "/bin/true", "--keep"), 2,
		     "--keep: a scheduler's guest ends when");
}

static void run_refused(const char *path, const char *words)
{
	tool_refused(RUN("collect", "--accel", "tcg", "--kernel", image, "--run", path), 3, words);
}

static void test_run(void **state)
{
	static char program[1 << 16];
	FILE *self = fopen("/proc/self/exe", "r");
	size_t n;

	(void)state;
	run_refused("/nonexistent", "cannot run /nonexistent: No such file or directory");
	run_refused(dir, "Is a directory");
	run_refused(write_file("s1", "#!/nonexistent/sh\n", 18, 0700), "its interpreter: cannot");
	run_refused(write_file("s2", "#!/bin/sh\n", 10, 0600), "not executable");
	run_refused(write_file("s3", "hello\n", 6, 0700), "neither an ELF program nor a script");
	/* This very program, for AArch64, and the beginning of it. */
	n = fread(program, 1, sizeof(program), self);
	fclose(self);
	run_refused(write_file("p1", program, 3000, 0700), "truncated");
	program[18] = (char)EM_AARCH64;
	run_refused(write_file("p2", program, n, 0700), "a program for another machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_no_stub),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_qemu),
		cmocka_unit_test(test_scheduler_options),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_kernel_without_bpf),
	};

	return cmocka_run_group_tests_name("cli refusals", tests, setup, teardown);
}
