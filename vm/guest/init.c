// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/io.h"
#include "vm/frame.h"
#include "vm/guest/guest.h"

/* Bytes; the arguments and the environment of the payload are in it. */
#define ORDERS_MAX (64u << 20)

void die(const char *fmt, ...)
{
	va_list ap;

	printf("\nktstr-init: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	/* QEMU runs with -no-reboot: this ends it. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

int reap(int *wait_status)
{
	pid_t pid = waitpid(-1, wait_status, WNOHANG);

	return pid > 0 ? pid : -1;
}

bool read_small(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/*
 * In order: a later one may lie inside an earlier one. Nothing on /tmp: the payload may
 * come from there, and the root is in memory anyway.
 */
static const struct mount_point {
	const char *type, *path;
	bool optional; /* a kernel may be built without it, and most programs load without it */
} mount_points[] = {
	{"proc", "/proc", false},
	{"sysfs", "/sys", false},
	{"devtmpfs", "/dev", false},
	{"bpf", "/sys/fs/bpf", true},
	{"debugfs", "/sys/kernel/debug", true},
	{"tracefs", "/sys/kernel/tracing", true},
	{"cgroup2", "/sys/fs/cgroup", true},
};

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mount_points) / sizeof(*mount_points); i++) {
		const struct mount_point *m = &mount_points[i];

		mkdir(m->path, 0755);
		if (mount(m->type, m->path, m->type, 0, NULL) && errno != EBUSY && !m->optional)
			die("cannot mount %s on %s: %s", m->type, m->path, strerror(errno));
	}
}

/* An initramfs without /dev/console leaves PID 1 without standard streams. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	for (int i = 0; i < 3 && fd >= 0; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/* Before 5.11 BPF memory counts as locked memory. Each held program needs a descriptor. */
static void raise_limits(void)
{
	struct rlimit memlock = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit nofile = {1 << 20, 1 << 20};

	setrlimit(RLIMIT_MEMLOCK, &memlock);
	setrlimit(RLIMIT_NOFILE, &nofile);
}

/* "lo" is the only network device here to which loaders can attach. */
static void loopback_up(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
}

/* Undoes the escapes of a value, in place. */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			*out++ = *++s == 'n' ? '\n' : *s;
		else
			*out++ = *s;
	}
	*out = '\0';
}

static void read_order(struct orders *orders, const char *key, char *value)
{
	bool ok = true;

	if (!strcmp(key, "object"))
		ok = kt_vec_push(&orders->objects, value);
	else if (!strcmp(key, "name"))
		ok = kt_vec_push(&orders->name_globs, value);
	else if (!strcmp(key, "type"))
		ok = kt_vec_push(&orders->types, value);
	else if (!strcmp(key, "sleepable"))
		ok = kt_vec_push(&orders->sleepable_globs, value);
	else if (!strcmp(key, "set"))
		ok = kt_vec_push(&orders->sets, value);
	else if (!strcmp(key, "attach"))
		orders->attach = true;
	else if (!strcmp(key, "log_level"))
		orders->log_level = (unsigned)strtoul(value, NULL, 10);
	else if (!strcmp(key, "arg"))
		ok = kt_vec_push(&orders->argv, value);
	else if (!strcmp(key, "env"))
		ok = kt_vec_push(&orders->env, value);
	else if (!strcmp(key, "module"))
		ok = kt_vec_push(&orders->modules, value);
	else if (!strcmp(key, "scheduler"))
		orders->scheduler = true;
	else if (!strcmp(key, "workload"))
		orders->workload = value;
	else if (!strcmp(key, "workload_arg"))
		ok = kt_vec_push(&orders->command, value);
	else if (!strcmp(key, "workload_env"))
		ok = kt_vec_push(&orders->command_env, value);
	else if (!strcmp(key, "attach_ms"))
		orders->attach_ms = (unsigned)strtoul(value, NULL, 10);
	else if (!strcmp(key, "workload_ms"))
		orders->workload_ms = (unsigned)strtoul(value, NULL, 10);
	else if (!strcmp(key, "tty"))
		orders->tty = value;
	else if (!strcmp(key, "cwd"))
		orders->cwd = value;
	else if (!strcmp(key, "settle_ms"))
		orders->settle_ms = (unsigned)strtoul(value, NULL, 10);
	else if (!strcmp(key, "max_ms"))
		orders->max_ms = (unsigned)strtoul(value, NULL, 10);
	else if (!strcmp(key, "loading_ms"))
		orders->loading_ms = (unsigned)strtoul(value, NULL, 10);
	else
		die("its orders have '%s', which this init does not know", key);
	if (!ok)
		die("out of memory");
}

/* The strings live in the file's buffer, which is never freed. */
static void read_orders(const char *path, struct orders *orders)
{
	struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err = kt_read_file(path, ORDERS_MAX, &text);
	char *line, *rest;

	if (err)
		die("%s", kt_error_message(err));
	for (rest = text.data; rest && (line = strsep(&rest, "\n"));) {
		char *value = strchr(line, ' ');

		if (!value)
			continue;
		*value++ = '\0';
		unescape(value);
		read_order(orders, line, value);
	}
}

static void end_lists(struct orders *orders)
{
	if (!kt_vec_push(&orders->argv, NULL) || !kt_vec_push(&orders->env, NULL) ||
	    !kt_vec_push(&orders->command, NULL) || !kt_vec_push(&orders->command_env, NULL))
		die("out of memory");
}

/* Without one of them the guest may still work; the kernel prints the reason on the console. */
static void load_modules(const struct orders *orders)
{
	kt_vec_for_each (&orders->modules, path) {
		int fd = open(*path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			printf("ktstr-init (goes on): cannot load %s: %s\n", *path,
			       strerror(errno));
		if (fd >= 0)
			close(fd);
	}
}

int main(void)
{
	struct orders orders = {.settle_ms = 700,
				.max_ms = 15000,
				.loading_ms = 240000,
				.attach_ms = 15000,
				.workload_ms = 5000};

	if (getpid() != 1) {
		fprintf(stderr, "ktstr-init: this is the init of a guest, not a command\n");
		return 2;
	}
	mount_all();
	open_console();
	raise_limits();
	loopback_up();
	read_orders("/ktstr/base", &orders);
	load_modules(&orders);
	channel_open(orders.tty);
	if (access("/ktstr/orders", F_OK))
		wait_for_work();
	read_orders("/ktstr/orders", &orders);
	end_lists(&orders);
	channel_lifecycle(KT_PHASE_INIT_STARTED, "");
	if (orders.scheduler)
		run_scheduler(&orders);
	if (orders.argv.len > 1)
		run_payload(&orders);
	else
		load_objects(&orders);
	for (;;) {
		if (waitpid(-1, NULL, 0) < 0)
			pause();
	}
}
