// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The /init of a guest whose programs refer to modules. It loads the modules of /modules, in the
 * order of the command line's MODULES=a,b,..., and /bpf/modules.bpf.o, and attaches what is a
 * tracing program. On the second serial port it tells what the kernel and bpftool say of that, in
 * parts that begin with "== NAME".
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void part(const char *name)
{
	printf("== %s\n", name);
	fflush(stdout);
}

static void bpftool(const char *const *argv)
{
	pid_t pid = fork();

	if (!pid) {
		execv("/usr/sbin/bpftool", (char *const *)argv);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	puts("");
}

static void show(const char *path)
{
	FILE *f = fopen(path, "r");
	int c;

	while (f && (c = getc(f)) != EOF)
		putchar(c);
	if (f)
		fclose(f);
}

static void load_modules(void)
{
	char *list = getenv("MODULES"), *save = NULL;

	for (char *name = list ? strtok_r(list, ",", &save) : NULL; name;
	     name = strtok_r(NULL, ",", &save)) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "/modules/%s.ko", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		/* Some are in the kernel itself, or need nothing. */
		if (fd >= 0 && syscall(SYS_finit_module, fd, "", 0))
			perror(path);
		close(fd);
	}
}

static void tell(uint32_t id)
{
	char number[16], name[32];
	const char *const dump[] = {"bpftool", "prog", "dump", "xlated", "id", number, NULL};

	snprintf(number, sizeof(number), "%u", id);
	snprintf(name, sizeof(name), "xlated %u", id);
	part(name);
	bpftool(dump);
}

static void load(void)
{
	struct bpf_object *object = bpf_object__open("/bpf/modules.bpf.o");
	struct bpf_program *program;

	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "modules: cannot load the object\n");
		return;
	}
	bpf_object__for_each_program (program, object) {
		struct bpf_prog_info info = {0};
		uint32_t len = sizeof(info);

		if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING &&
		    !bpf_program__attach(program))
			fprintf(stderr, "modules: cannot attach %s\n", bpf_program__name(program));
		if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
			tell(info.id);
	}
}

int main(void)
{
	static const char *const links[] = {"bpftool", "-j", "link", "show", NULL};
	static const char *const btf[] = {"bpftool", "-j", "btf", "list", NULL};
	struct termios raw;
	int port;

	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("trace", "/sys/kernel/tracing", "tracefs", 0, NULL);
	port = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port >= 0 && !tcgetattr(port, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(port, TCSANOW, &raw);
	}
	dup2(port, STDOUT_FILENO);
	load_modules();
	load();
	part("link");
	bpftool(links);
	part("btf");
	bpftool(btf);
	part("functions");
	show("/sys/kernel/tracing/enabled_functions");
	part("end");
	tcdrain(STDOUT_FILENO);
	fprintf(stderr, "modules: ready\n");
	for (;;)
		pause();
}
