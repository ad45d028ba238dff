// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * PID 1 of a guest in which four loaders load BPF programs at once, on a CPU each: of every kind
 * that the verifier has something to say about, a third of which fail. What the kernel told the
 * loader goes to the second serial port, a line a load:
 *
 *   load NAME COMM PID ERRNO LEVEL LOG_BYTES LOG_CRC STATS...
 *   early PID ERRNO
 *
 * STATS are the lines of BPF_LOG_STATS, with "|" between. "early" are loads that never get to the
 * verifier. BTF is loaded in between, which is no program. It all begins with a byte on the third
 * serial port, and ends with a line "done"; then a program named "tick" is loaded every second.
 * Kernel command line: loads.n=N for each loader, loads.slow=1 a load that takes seconds,
 * loads.end=panic|reboot|poweroff what comes then; loads.cost=N what N loads take by this guest's
 * clock, before the byte and behind it, as lines "cost NANOSECONDS". A machine without such ports
 * has loads.go=console, where the byte is a line, and truth.tell=console: the lines are there, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define N_LOADERS 4
#define MAX_INSNS 4096
#define LOG_SIZE  (1 << 20)
#define STATS     4 /* BPF_LOG_STATS */

#define INSN(c, d, s, o, i)                                                                        \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define MOV(dst, imm)      INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define MOVR(dst, src)     INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define ADD(dst, imm)      INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define STORE(off)         INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, off, 7)
#define JEQ(dst, imm, off) INSN(BPF_JMP | BPF_JEQ | BPF_K, dst, 0, off, imm)
#define JNE(dst, imm, off) INSN(BPF_JMP | BPF_JNE | BPF_K, dst, 0, off, imm)
#define JGT(dst, imm, off) INSN(BPF_JMP | BPF_JGT | BPF_K, dst, 0, off, imm)
#define JA(off)            INSN(BPF_JMP | BPF_JA, 0, 0, off, 0)
#define HELPER(id)         INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define SUBPROG(off)       INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, off)
#define EXIT               INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

struct program {
	struct bpf_insn insns[MAX_INSNS];
	int n;
};

static char serial_line[4096];
static int serial;

static void put(struct program *p, struct bpf_insn insn)
{
	p->insns[p->n++] = insn;
}

static void finish(struct program *p)
{
	put(p, MOV(0, 0));
	put(p, EXIT);
}

/* --- those that pass --- */

static void straight(struct program *p, int i)
{
	for (int k = 0; k < i % 50; k++)
		put(p, MOV(2, k));
	finish(p);
}

/* Branches on what is not known: states, some of them pruned. */
static void branches(struct program *p, int i)
{
	put(p, HELPER(BPF_FUNC_ktime_get_ns));
	put(p, MOVR(6, 0));
	put(p, MOV(7, 0));
	for (int k = 0; k < 3 + i % 12; k++) {
		put(p, JEQ(6, k, 1));
		put(p, ADD(7, 1 << (k % 4)));
	}
	finish(p);
}

static void loop(struct program *p, int i)
{
	put(p, MOV(6, 20 + i % 180));
	put(p, STORE(-8 * (1 + i % 6)));
	put(p, ADD(6, -1));
	put(p, JNE(6, 0, -3));
	finish(p);
}

/* Subprograms with stacks of their own. */
static void calls(struct program *p, int i)
{
	int n = 1 + i % 6;

	put(p, STORE(-16));
	for (int k = 0; k < n; k++) {
		int at = p->n;

		/* Main has n + 3 instructions, each subprogram 3. */
		put(p, SUBPROG(n + 3 + 3 * k - at - 1));
	}
	finish(p);
	for (int k = 0; k < n; k++) {
		put(p, STORE(-8 * (k + 1)));
		finish(p);
	}
}

/* --- those that fail --- */

static void unreadable(struct program *p, int i)
{
	branches(p, i);
	p->n -= 2;
	put(p, MOVR(0, 9));
	put(p, EXIT);
}

static void out_of_stack(struct program *p, int i)
{
	calls(p, i);
	p->insns[p->n - 3] = STORE(-520 - 8 * (i % 9));
}

static void endless(struct program *p, int i)
{
	(void)i;
	put(p, MOV(0, 0));
	put(p, HELPER(BPF_FUNC_ktime_get_ns));
	put(p, JGT(0, 1, -2));
	put(p, JA(-1));
	finish(p);
}

static void unreachable(struct program *p, int i)
{
	straight(p, i);
	finish(p);
}

static void bad_helper(struct program *p, int i)
{
	loop(p, i);
	p->n -= 2;
	put(p, HELPER(100000 + i));
	finish(p);
}

static void (*const kinds[])(struct program *p, int i) = {
	straight, branches, unreadable, loop,        calls, out_of_stack, branches,   loop,
	endless,  calls,    straight,   unreachable, loop,  branches,     bad_helper,
};
#define N_KINDS (int)(sizeof(kinds) / sizeof(kinds[0]))

static const enum bpf_prog_type types[] = {BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP,
					   BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_TRACEPOINT};

/* --- loading --- */

/* CRC-32, which gzip puts at the end of a file. */
static uint32_t crc32(const char *data, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* The last lines of the log, from "verification time" on. */
static void stats_of(const char *log, char *out, size_t size)
{
	const char *from = strstr(log, "verification time ");
	size_t n = 0;

	/* The text of an error may not have it; a trace that does is not ours. */
	for (; from && *from && n + 1 < size; from++)
		out[n++] = *from == '\n' ? '|' : *from;
	out[n] = '\0';
}

static void tell(const char *comm, const char *name, int error, int level, const char *log)
{
	char stats[1024];
	int n;

	stats_of(log, stats, sizeof(stats));
	n = snprintf(serial_line, sizeof(serial_line), "load %s %s %d %d %d %zu %08x %s\n", name,
		     comm, getpid(), error, level, strlen(log), crc32(log, strlen(log)), stats);
	if (write(serial, serial_line, (size_t)n) < 0)
		_exit(1);
}

/* What a compiler's BTF tells of a program. */
struct debug {
	int btf_fd;
	const struct bpf_func_info *funcs;
	const struct bpf_line_info *lines;
	unsigned int n_lines;
};

static int load(const struct program *p, enum bpf_prog_type type, const char *name, int level,
		char *log, unsigned int log_size, const struct debug *debug)
{
	union bpf_attr attr = {
		.prog_type = type,
		.insns = (uint64_t)(uintptr_t)p->insns,
		.insn_cnt = (uint32_t)p->n,
		.license = (uint64_t)(uintptr_t) "GPL",
		.log_level = (uint32_t)level,
		.log_buf = (uint64_t)(uintptr_t)log,
		.log_size = log_size,
	};
	int fd;

	if (debug) {
		attr.prog_btf_fd = (uint32_t)debug->btf_fd;
		attr.func_info = (uint64_t)(uintptr_t)debug->funcs;
		attr.func_info_cnt = 1;
		attr.func_info_rec_size = sizeof(*debug->funcs);
		attr.line_info = (uint64_t)(uintptr_t)debug->lines;
		attr.line_info_cnt = debug->n_lines;
		attr.line_info_rec_size = sizeof(*debug->lines);
	}
	strncpy(attr.prog_name, name, sizeof(attr.prog_name) - 1);
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* A log of its own is what the verifier's is told apart from. */
static void load_btf(char *log, bool good)
{
	struct {
		struct btf_header header;
		struct btf_type type;
		uint32_t encoding;
		char strings[8];
	} btf = {
		.header = {.magic = BTF_MAGIC,
			   .version = BTF_VERSION,
			   .hdr_len = sizeof(struct btf_header),
			   .type_len = 16,
			   .str_off = 16,
			   .str_len = 5},
		.type = {.name_off = good ? 1 : 77, .info = BTF_KIND_INT << 24, .size = 4},
		.encoding = BTF_INT_SIGNED << 24 | 32,
		.strings = "\0int",
	};
	union bpf_attr attr = {
		.btf = (uint64_t)(uintptr_t)&btf,
		.btf_log_buf = (uint64_t)(uintptr_t)log,
		.btf_size = sizeof(struct btf_header) + 16 + 5,
		.btf_log_size = LOG_SIZE,
		.btf_log_level = 1,
	};
	int fd = (int)syscall(SYS_bpf, BPF_BTF_LOAD, &attr, sizeof(attr));

	if ((fd >= 0) != good) {
		fprintf(stderr, "loads: a BTF load gave %d, errno %d\n", fd, errno);
		_exit(1);
	}
	if (fd >= 0)
		close(fd);
}

/* Each is refused in another place: no instructions, flags, where it attaches, license, token. */
static void load_early(int i)
{
	const struct bpf_insn insns[] = {MOV(0, 0), EXIT};
	union {
		union bpf_attr attr;
		unsigned char bytes[256];
	} a = {.attr = {
		       .prog_type = BPF_PROG_TYPE_XDP,
		       .insns = (uint64_t)(uintptr_t)insns,
		       .insn_cnt = 2,
		       .license = (uint64_t)(uintptr_t) "GPL",
	       }};
	int n;

	switch (i % 5) {
	case 0: a.attr.insn_cnt = 0; break;
	case 1: a.attr.prog_flags = 1u << 30; break;
	case 2:
		a.attr.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
		a.attr.expected_attach_type = BPF_XDP;
		break;
	case 3: a.attr.license = 8; break;
	default:
		a.attr.prog_flags = 1u << 16; /* BPF_F_TOKEN_FD, since 6.9 */
		a.bytes[144] = 99;            /* prog_token_fd */
		break;
	}
	if (syscall(SYS_bpf, BPF_PROG_LOAD, &a, 152) >= 0) {
		fprintf(stderr, "loads: early %d passes\n", i % 5);
		_exit(1);
	}
	/* A kernel that has no tokens knows no attribute there: it is not taken for a load at all.
	 */
	if (i % 5 == 4 && errno == E2BIG)
		return;
	n = snprintf(serial_line, sizeof(serial_line), "early %d %d\n", getpid(), errno);
	if (write(serial, serial_line, (size_t)n) < 0)
		_exit(1);
}

static void allow_files(bool allow)
{
	struct rlimit limit = {.rlim_cur = allow ? 64 : 0, .rlim_max = 64};

	if (setrlimit(RLIMIT_NOFILE, &limit)) {
		fprintf(stderr, "loads: no limit\n");
		_exit(1);
	}
}

static void loader(int cpu, int n)
{
	static struct program program;
	char comm[16], name[16];
	char *log = calloc(1, LOG_SIZE);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	snprintf(comm, sizeof(comm), "loader%d", cpu);
	prctl(PR_SET_NAME, comm);
	for (int i = 0; i < n; i++) {
		int level = STATS | (i % 5 == 1 ? 1 : 0) | (i % 7 == 3 ? 2 : 0), error;
		/* Some have no room for it all: the end is kept, and the load gives ENOSPC. */
		unsigned int log_size = i % 40 == 39 ? 300 : LOG_SIZE;

		program.n = 0;
		kinds[i % N_KINDS](&program, i);
		snprintf(name, sizeof(name), "l%d_%04d", cpu, i);
		memset(log, 0, 4096);
		/* The verifier accepts it, and there is no file descriptor for it. */
		allow_files(i % 13 != 12);
		error = load(&program, types[i % 4], name, level, log, log_size, NULL);
		allow_files(true);
		tell(comm, name, error, level, log);
		if (i % 5 == 0)
			load_early(i / 5);
		if (i % 10 == 0)
			load_btf(log, i % 20 == 0);
	}
	_exit(0);
}

/* Its source is this; the second line has a blank in front. */
#define SLOW_STRINGS                                                                               \
	"\0int\0slow_with_a_long_name\0/src/slow.bpf.c\0int turns = 300000;\0\tturns--;\0"         \
	"while (turns)\0return 0;"
enum { SLOW_INT = 1, SLOW_NAME = 5, SLOW_FILE = 27, SLOW_LINES = 43 };

static void debug_of_slow(struct debug *ret)
{
	static const struct {
		struct btf_header header;
		struct btf_type integer;
		uint32_t encoding;
		struct btf_type proto, func;
		char strings[sizeof(SLOW_STRINGS)];
	} __attribute__((packed)) btf = {
		.header = {.magic = BTF_MAGIC,
			   .version = BTF_VERSION,
			   .hdr_len = sizeof(struct btf_header),
			   .type_len = 3 * sizeof(struct btf_type) + 4,
			   .str_off = 3 * sizeof(struct btf_type) + 4,
			   .str_len = sizeof(SLOW_STRINGS)},
		.integer = {.name_off = SLOW_INT, .info = BTF_KIND_INT << 24, .size = 4},
		.encoding = BTF_INT_SIGNED << 24 | 32,
		.proto = {.info = BTF_KIND_FUNC_PROTO << 24, .type = 1},
		.func = {.name_off = SLOW_NAME,
			 .info = BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL,
			 .type = 2},
		.strings = SLOW_STRINGS,
	};
	static const struct bpf_func_info func = {.type_id = 3};
	static struct bpf_line_info lines[4];
	union bpf_attr attr = {.btf = (uint64_t)(uintptr_t)&btf, .btf_size = sizeof(btf)};
	uint32_t text = SLOW_LINES;

	for (unsigned int i = 0; i < 4; i++) {
		lines[i] = (struct bpf_line_info){i, SLOW_FILE, text, (10 + i) << 10 | 1};
		text += (uint32_t)strlen(btf.strings + text) + 1;
	}
	*ret = (struct debug){.funcs = &func, .lines = lines, .n_lines = 4};
	ret->btf_fd = (int)syscall(SYS_bpf, BPF_BTF_LOAD, &attr, sizeof(attr));
	if (ret->btf_fd < 0) {
		printf("loads: no BTF of the slow program: errno %d\n", errno);
		_exit(1);
	}
}

/* Nothing is pruned: each turn of the loop is another state. Seconds under TCG. */
static void load_slow(void)
{
	static struct program program;
	char *log = calloc(1, LOG_SIZE);
	struct debug debug;

	prctl(PR_SET_NAME, "slowloader");
	put(&program, MOV(6, 300000));
	put(&program, ADD(6, -1));
	put(&program, JNE(6, 0, -2));
	finish(&program);
	debug_of_slow(&debug);
	tell("slowloader", "slow_with_a_lon",
	     load(&program, BPF_PROG_TYPE_XDP, "slow_with_a_lon", STATS, log, LOG_SIZE, &debug),
	     STATS, log);
	_exit(0);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* One loader, one kind of program: by itself, all that differs is whether somebody watches. */
static void tell_cost(long n)
{
	static struct program program;
	int64_t since = now_ns();
	int len;

	if (!program.n)
		branches(&program, 11);
	for (long i = 0; i < n; i++)
		if (load(&program, BPF_PROG_TYPE_XDP, "cost", 0, NULL, 0, NULL))
			printf("loads: a program does not load\n");
	len = snprintf(serial_line, sizeof(serial_line), "cost %lld\n",
		       (long long)(now_ns() - since));
	if (write(serial, serial_line, (size_t)len) != len)
		printf("loads: cannot tell\n");
}

/* --- the guest --- */

/* For ever: a breakpoint that somebody left behind would stop the guest at the next load. */
static void tick(void)
{
	static struct program program;

	finish(&program);
	for (int i = 0;; i++) {
		if (load(&program, BPF_PROG_TYPE_XDP, "tick", 0, NULL, 0, NULL))
			printf("loads: a tick does not load\n");
		printf("truth: tick %d\n", i);
		fflush(stdout);
		sleep(1);
	}
}

static int open_serial(const char *path, int flags)
{
	int fd = open(path, flags | O_NOCTTY);
	struct termios t;

	if (fd >= 0 && !tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

static long option(const char *cmdline, const char *name, long otherwise)
{
	const char *at = strstr(cmdline, name);

	return at ? strtol(at + strlen(name), NULL, 10) : otherwise;
}

int main(void)
{
	static char cmdline[4096];
	long cost;
	char go;
	int fd, n;

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	fd = open("/proc/cmdline", O_RDONLY);
	if (fd < 0 || read(fd, cmdline, sizeof(cmdline) - 1) < 0)
		printf("loads: no command line\n");
	serial = strstr(cmdline, "truth.tell=console") ? 1 : open_serial("/dev/ttyS1", O_WRONLY);
	/* A console is left as it is: what is typed there is a line. */
	fd = strstr(cmdline, "loads.go=console") ? 0 : open_serial("/dev/ttyS2", O_RDONLY);
	cost = option(cmdline, "loads.cost=", 0);
	if (cost) {
		tell_cost(cost); /* translates what a load executes, and is not counted */
		tell_cost(cost);
	}
	printf("loads: ready\n");
	fflush(stdout);
	while (read(fd, &go, 1) == 0)
		usleep(10000);
	if (cost)
		tell_cost(cost);
	n = (int)option(cmdline, "loads.n=", 250);
	for (int i = 0; i < N_LOADERS; i++)
		if (!fork())
			loader(i, n);
	if (option(cmdline, "loads.slow=", 0) && !fork())
		load_slow();
	while (wait(NULL) > 0)
		;
	if (write(serial, "done\n", 5) != 5)
		printf("loads: cannot tell\n");
	tcdrain(serial);
	printf("loads: done\n");
	fflush(stdout);
	tcdrain(1);
	if (strstr(cmdline, "loads.end=panic"))
		return 0; /* PID 1 that exits: a panic */
	if (strstr(cmdline, "loads.end=reboot"))
		reboot(RB_AUTOBOOT);
	if (strstr(cmdline, "loads.end=poweroff"))
		reboot(RB_POWER_OFF);
	tick();
}
