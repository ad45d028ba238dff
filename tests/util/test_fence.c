// SPDX-License-Identifier: LGPL-2.1-or-later
/* What can and what cannot be done behind a fence, by the kernel's own word. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/cleanup.h"
#include "util/fence.h"

static char dir[] = "/tmp/fence-XXXXXX";
static char inside[64], outside[64], secret[64], named[64];
static struct kt_fence_state state;
static uint16_t open_port;
static int listening;

static void make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && write(fd, "text", 4) == 4);
	close(fd);
}

/* A port of this machine that takes connections. */
static uint16_t serve(int *fd_ret)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*fd_ret = fd;
	return ntohs(addr.sin_port);
}

/* The errno of what is tried in a process behind the fence; 0: it worked. */
static int behind(int (*what)(void))
{
	struct kt_fence fence = {.tcp_port = open_port};
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!kt_vec_push(&fence.places, (struct kt_fence_place){inside, KT_FENCE_WRITE}) ||
		    !kt_vec_push(&fence.places, (struct kt_fence_place){named, KT_FENCE_READ}) ||
		    !kt_vec_push(&fence.places, (struct kt_fence_place){"/none", KT_FENCE_READ}))
			_exit(250);
		kt_fence_put_up(&fence);
		kt_vec_free(&fence.places);
		errno = 0;
		_exit(what() < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int open_secret(void)
{
	return open(secret, O_RDONLY | O_CLOEXEC);
}

static int open_named(void)
{
	return open(named, O_RDONLY | O_CLOEXEC);
}

static int write_named(void)
{
	return open(named, O_WRONLY | O_CLOEXEC);
}

static int open_none(void)
{
	return open("/none", O_RDONLY | O_CLOEXEC);
}

static int list_outside(void)
{
	return open(outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int create_outside(void)
{
	return openat(AT_FDCWD, dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int remove_secret(void)
{
	return unlink(secret);
}

/* As the cache does: another name, and then in the place of the old file. */
static int replace_inside(void)
{
	char temp[100], final[100];
	int fd;

	snprintf(temp, sizeof(temp), "%s/.new-XXXXXX", inside);
	snprintf(final, sizeof(final), "%s/file", inside);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0 || write(fd, "new", 3) != 3 || close(fd))
		return -1;
	return rename(temp, final) ? -1 : open(final, O_RDONLY | O_CLOEXEC);
}

static int run_a_program(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static int trace_the_parent(void)
{
	char word[8];
	struct iovec local = {word, sizeof(word)}, remote = {dir, sizeof(word)};

	return (int)process_vm_readv(getppid(), &local, 1, &remote, 1, 0);
}

static int signal_the_parent(void)
{
	return kill(getppid(), SIGCONT);
}

static int signal_a_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	return kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid ? -1 : 0;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				   .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static int connect_to_target(void)
{
	return connect_to(open_port);
}

static uint16_t other_port;

static int connect_elsewhere(void)
{
	return connect_to(other_port);
}

/* Data with the SYN, which needs no connect(). */
static int connect_by_sending(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				   .sin_port = htons(other_port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return (int)sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&addr, sizeof(addr));
}

static int open_multipath_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 262 /* IPPROTO_MPTCP */);
}

static int open_internet_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int open_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int listen_again(void)
{
	return listen(listening, 8);
}

static int open_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static int type_for_the_user(void)
{
	char c = '\n';

	return ioctl(0, TIOCSTI, &c);
}

static int change_mode(void)
{
	return chmod(secret, 0666);
}

static int change_mode_newly(void)
{
	return (int)syscall(452 /* fchmodat2, Linux 6.6 */, AT_FDCWD, secret, 0666, 0);
}

static int make_a_namespace(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWUSER, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	return pid;
}

static int limit_the_parent(void)
{
	const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	return prlimit(getppid(), RLIMIT_CORE, &limit, NULL);
}

static int limit_oneself(void)
{
	const struct rlimit limit = {0, 0};

	return setrlimit(RLIMIT_CORE, &limit);
}

static void *nothing(void *arg)
{
	return arg;
}

/* The C library begins with clone3(). */
static int start_a_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, nothing, NULL);
	return errno || pthread_join(thread, NULL) ? -1 : 0;
}

static int allocate(void)
{
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("x", MFD_CLOEXEC);

	return p == MAP_FAILED || fd < 0 || ftruncate(fd, 4096) ? -1 : 0;
}

#define NEED(has)                                                                                  \
	do {                                                                                       \
		if (!(has)) {                                                                      \
			print_message("this kernel has Landlock ABI %d, seccomp: %d\n",            \
				      state.landlock, state.seccomp);                              \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

static void test_files(void **arg)
{
	(void)arg;
	assert_int_equal(behind(open_named), 0);
	assert_int_equal(behind(open_none), ENOENT);
	assert_int_equal(behind(replace_inside), 0);
	NEED(state.landlock);
	assert_int_equal(behind(write_named), EACCES);
	assert_int_equal(behind(open_secret), EACCES);
	assert_int_equal(behind(list_outside), EACCES);
	assert_int_equal(behind(create_outside), EACCES);
	assert_int_equal(behind(remove_secret), EACCES);
}

static void test_tcp(void **arg)
{
	(void)arg;
	assert_int_equal(behind(connect_to_target), 0);
	NEED(state.landlock >= 4);
	assert_int_equal(connect_to(other_port), 0);
	assert_int_equal(behind(connect_elsewhere), EACCES);
}

static void test_signals(void **arg)
{
	(void)arg;
	assert_int_equal(behind(signal_a_child), 0);
	NEED(state.landlock >= 6);
	assert_int_equal(behind(signal_the_parent), EPERM);
}

static void test_calls(void **arg)
{
	(void)arg;
	assert_int_equal(behind(allocate), 0);
	assert_int_equal(behind(limit_oneself), 0);
	assert_int_equal(behind(start_a_thread), 0);
	NEED(state.seccomp);
	assert_int_equal(behind(run_a_program), EPERM);
	assert_int_equal(behind(trace_the_parent), EPERM);
	assert_int_equal(behind(listen_again), EPERM);
	assert_int_equal(behind(open_packet_socket), EPERM);
	assert_int_equal(behind(type_for_the_user), EPERM);
	assert_int_equal(behind(change_mode), EPERM);
	assert_int_equal(behind(change_mode_newly), EPERM);
	assert_int_equal(behind(make_a_namespace), EPERM);
	assert_int_equal(behind(limit_the_parent), EPERM);
	assert_int_equal(behind(connect_by_sending), EPERM);
	assert_int_equal(behind(open_multipath_socket), EPERM);
	assert_int_equal(behind(open_internet_socket), 0);
}

/* For a target that is a Unix socket. */
static void test_no_network(void **arg)
{
	uint16_t port = open_port;

	(void)arg;
	open_port = 0;
	assert_int_equal(behind(open_unix_socket), 0);
	if (state.seccomp)
		assert_int_equal(behind(open_internet_socket), EPERM);
	open_port = port;
}

/* What this kernel has; the fence is around a child only. */
static int set_up(void **arg)
{
	int to_self[2], other;
	pid_t pid;

	(void)arg;
	assert_non_null(mkdtemp(dir));
	snprintf(inside, sizeof(inside), "%s/inside", dir);
	snprintf(outside, sizeof(outside), "%s/outside", dir);
	snprintf(secret, sizeof(secret), "%s/outside/secret", dir);
	snprintf(named, sizeof(named), "%s/outside/named", dir);
	assert_int_equal(mkdir(inside, 0700), 0);
	assert_int_equal(mkdir(outside, 0700), 0);
	make(secret);
	make(named);
	open_port = serve(&listening);
	other_port = serve(&other);
	assert_int_equal(pipe2(to_self, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		struct kt_fence fence = {.tcp_port = 1};
		struct kt_fence_state has = kt_fence_put_up(&fence);

		_exit(write(to_self[1], &has, sizeof(has)) != sizeof(has));
	}
	assert_int_equal(read(to_self[0], &state, sizeof(state)), sizeof(state));
	close(to_self[0]);
	close(to_self[1]);
	return waitpid(pid, NULL, 0) != pid;
}

static int tear_down(void **arg)
{
	char path[100];

	(void)arg;
	snprintf(path, sizeof(path), "%s/file", inside);
	unlink(path);
	unlink(secret);
	unlink(named);
	rmdir(inside);
	rmdir(outside);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),      cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_signals),    cmocka_unit_test(test_calls),
		cmocka_unit_test(test_no_network),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
