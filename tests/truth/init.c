// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * PID 1 of the test guest. It fills the guest with BPF programs, then writes what the guest's own
 * kernel says of each (BPF_OBJ_GET_INFO_BY_FD) to the second serial port: one JSON document,
 * gzipped. From then on nothing in the guest runs a BPF program, so that counters stand still.
 *
 * The kernel command line decides:
 *   truth.progs=N     programs that are alive in the end (default 120)
 *   truth.objects=0   none from the objects in /bpf, so that none has BTF
 *   truth.skip=N      ids to burn half-way: programs loaded and freed (default 150)
 *   truth.mode=spin   keep every CPU busy in user mode; idle is the default
 *   truth.links=1     there are links of every type, and holders of every kind; and the
 *                     document has what the kernel says of every map, every link and its holders
 *   truth.holders=N   with truth.links: so many more processes that hold something
 *   truth.dump=N      the document has the instructions of each Nth program, in bpftool's words
 *   truth.maps=1      maps of every type that `map dump` reads, with something in them; and the
 *                     document has what bpftool says of their contents, and of BTF
 *   truth.attached=1  programs attached to cgroups and to the network, with the modules of
 *                     /modules; and the document has what bpftool says of them
 *   truth.churn=1     load and free programs named "churn" for ever
 *   truth.tell=console  the document goes to the console, as lines "truth: base64 TEXT": the
 *                     machines of other architectures have one serial port
 *
 * "truth: tick N" on the console once a second shows that the guest is running.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "truth.h"

/* Newer than the oldest headers that this builds with. */
#define PROG_TYPE_NETFILTER   32 /* 6.4 */
#define ATTACH_TYPE_NETFILTER 45
#define XDP_HAS_FRAGS         (1U << 5) /* 5.18 */

#define BIG_INSNS 4000
#define MAX_INSNS (BIG_INSNS + 8)
#define N_MAPS    40
#define N_RUNS    200 /* raw programs at most that are run: a run costs more than a load */
#define LAST_UID  4294967294u

struct config {
	long progs;
	long objects;
	long skip;
	long churn;
	long links;
	long holders;
	long dump;
	long maps;
	long attached;
	bool spin;
	bool tell_console;
};

struct guest {
	struct config config;
	int nr_cpus;
	int *fds; /* of every program held; those that are pinned instead are -1 */
	size_t nr_fds;
	int maps[N_MAPS];
};

/* What the guest says is for whoever reads the console of a run that failed. */
static void vsay(const char *prefix, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void vsay(const char *prefix, const char *fmt, va_list ap)
{
	printf("truth: %s", prefix);
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay("", fmt, ap);
	va_end(ap);
}

/* PID 1 must not exit: the kernel would panic, and that is another kind of failure. */
void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay("failed: ", fmt, ap);
	va_end(ap);
	for (;;)
		pause();
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say("cannot write %s to %s: %s", text, path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* The first line of a file, without its newline; empty when there is none. */
static void read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");

	line[0] = '\0';
	if (f) {
		if (fgets(line, size, f))
			line[strcspn(line, "\n")] = '\0';
		fclose(f);
	}
}

static void mount_all(void)
{
	static const struct {
		const char *type;
		const char *dir;
	} mounts[] = {
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"bpf", "/sys/fs/bpf"},
		{"tracefs", "/sys/kernel/tracing"},
		{"cgroup2", "/sys/fs/cgroup"},
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL) && errno != EBUSY)
			say("cannot mount %s: %s", mounts[i].dir, strerror(errno));
	}
	mkdir("/sys/fs/cgroup/below", 0755);
}

static void take_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	if (fd < 0)
		return;
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	if (fd > 2)
		close(fd);
}

static void read_config(struct config *config)
{
	static char line[4096];
	char *save = NULL;

	*config = (struct config){.progs = 120, .objects = 1, .skip = 150};
	read_line("/proc/cmdline", line, sizeof(line));
	for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		if (!value || strncmp(word, "truth.", 6))
			continue;
		*value++ = '\0';
		if (!strcmp(word, "truth.progs"))
			config->progs = strtol(value, NULL, 10);
		else if (!strcmp(word, "truth.objects"))
			config->objects = strtol(value, NULL, 10);
		else if (!strcmp(word, "truth.skip"))
			config->skip = strtol(value, NULL, 10);
		else if (!strcmp(word, "truth.dump"))
			config->dump = strtol(value, NULL, 10);
		else if (!strcmp(word, "truth.maps"))
			config->maps = strtol(value, NULL, 10);
		else if (!strcmp(word, "truth.attached"))
			config->attached = strtol(value, NULL, 10);
		else if (!strcmp(word, "truth.holders"))
			config->holders = strtol(value, NULL, 10);
		else if (!strcmp(word, "truth.links"))
			config->links = strtol(value, NULL, 10);
		else if (!strcmp(word, "truth.churn"))
			config->churn = strtol(value, NULL, 10);
		else if (!strcmp(word, "truth.mode") && !strcmp(value, "spin"))
			config->spin = true;
		else if (!strcmp(word, "truth.tell") && !strcmp(value, "console"))
			config->tell_console = true;
		else if (strcmp(word, "truth.mode") || strcmp(value, "idle"))
			die("unknown option %s=%s", word, value);
	}
	if (config->progs < 0 || config->progs > 100000)
		die("truth.progs=%ld is out of range", config->progs);
}

static void hold(struct guest *guest, int fd)
{
	int *fds = reallocarray(guest->fds, guest->nr_fds + 1, sizeof(*fds));

	if (!fds)
		die("out of memory");
	guest->fds = fds;
	fds[guest->nr_fds++] = fd;
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void run_anywhere(const struct guest *guest)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = 0; cpu < guest->nr_cpus; cpu++)
		CPU_SET((size_t)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static bool has_frags; /* this kernel knows XDP_HAS_FRAGS */
/* In the order of their ids. */
static struct loaded *all_loaded;
static size_t nr_loaded;

struct loaded *note_loaded(int fd)
{
	struct bpf_prog_info info = {.type = 0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		die("no id of a program: %s", strerror(errno));
	if (!(nr_loaded & (nr_loaded + 1))) {
		all_loaded = reallocarray(all_loaded, 2 * nr_loaded + 2, sizeof(*all_loaded));
		if (!all_loaded)
			die("out of memory");
	}
	all_loaded[nr_loaded] = (struct loaded){.id = info.id};
	return &all_loaded[nr_loaded++];
}

static const struct loaded *find_loaded(__u32 id)
{
	for (size_t from = 0, to = nr_loaded; from < to;) {
		size_t mid = (from + to) / 2;

		if (all_loaded[mid].id == id)
			return &all_loaded[mid];
		if (all_loaded[mid].id < id)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

/* By its section, as libbpf loads it: "fentry.s/function". */
void note_object_prog(const struct bpf_program *prog)
{
	static const char *const named[][2] = {{"fentry", ""},        {"fexit", ""},
					       {"tp_btf", ""},        {"lsm", "bpf_lsm_"},
					       {"iter", "bpf_iter_"}, {"struct_ops", ""},
					       {"freplace", ""}};
	struct loaded *loaded = note_loaded(bpf_program__fd(prog));
	const char *section = bpf_program__section_name(prog);
	size_t kind = strcspn(section, "./");
	const char *slash = strchr(section, '/');

	loaded->sleepable = !strncmp(section + kind, ".s/", 3) ||
			    bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL;
	loaded->frags = !strncmp(section, "xdp.frags", 9);
	if (bpf_program__type(prog) != BPF_PROG_TYPE_STRUCT_OPS)
		loaded->attach_type = (int)bpf_program__expected_attach_type(prog);
	for (size_t i = 0; slash && i < sizeof(named) / sizeof(named[0]); i++)
		if (kind == strlen(named[i][0]) && !strncmp(section, named[i][0], kind))
			snprintf(loaded->attach_name, sizeof(loaded->attach_name), "%s%s",
				 named[i][1], slash + 1);
}

static int quiet_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* Programs from objects, through libbpf */

/* Since 5.12 a tracing program does not run within itself; before, that ends in a panic. */
static bool may_recurse(int fd)
{
	struct bpf_prog_info info = {.type = 0};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       len > offsetof(struct bpf_prog_info, recursion_misses);
}

/* Those that hang on something rare. The rest must not run by themselves. */
static void attach(struct bpf_program *prog)
{
	static const char *const names[] = {
		"kprobe_mod",
		"kretprobe_of_do_init_module",
		"tp_module_free",
		"fentry_mod",
		"fexit_do_init_module_with_return",
		"tp_btf_modload",
		"loop_with_a_callback_function",
		"count_calls_of_getpriority",
		"delete_within_delete",
		"iter_every_task",
		"replaces",
	};
	const char *name = bpf_program__name(prog);

	if (!strcmp(name, "delete_within_delete") && !may_recurse(bpf_program__fd(prog)))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name) && !bpf_program__attach(prog))
			say("cannot attach %s: %s", name, strerror(errno));
}

/* Makes the attached programs run: on every CPU, since the kernel counts on each apart. */
static void provoke(const struct guest *guest, const struct bpf_object *obj)
{
	const struct bpf_map *outer = bpf_object__find_map_by_name(obj, "outer");

	for (int cpu = 0; cpu < guest->nr_cpus; cpu++) {
		run_on(cpu);
		for (int i = 0; i < 5 + cpu; i++) {
			getpriority(PRIO_PROCESS, 0);
			if (outer) {
				__u32 key = 0;

				bpf_map_delete_elem(bpf_map__fd(outer), &key);
			}
		}
	}
	run_anywhere(guest);
}

/* Asks for the verifier's numbers, of which the kernel does not tell the use of the stack. */
#define LOG_SIZE  4096
#define LOG_STATS 4

static void ask_for_log(struct bpf_program *prog)
{
	char *log = calloc(1, LOG_SIZE);

	if (!log || bpf_program__set_log_buf(prog, log, LOG_SIZE) ||
	    bpf_program__set_log_level(prog, LOG_STATS))
		die("no log of %s: %s", bpf_program__name(prog), strerror(errno));
}

static void note_stack(const struct bpf_program *prog)
{
	size_t size;
	const char *log = bpf_program__log_buf(prog, &size), *line;
	struct loaded *loaded = &all_loaded[nr_loaded - 1];

	line = log ? strstr(log, "stack depth ") : NULL;
	if (line)
		sscanf(line, "stack depth %63[0-9+]", loaded->stack_depth);
}

/* The program whose function another one replaces. */
static int replaceable = -1;

static bool load_object_of(struct guest *guest, const char *path, const char *only)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;

	if (!obj)
		die("cannot open %s: %s", path, strerror(errno));
	if (only)
		bpf_object__for_each_program (prog, obj)
			bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), only));
	bpf_object__for_each_program (prog, obj) {
		ask_for_log(prog);
		if (bpf_program__type(prog) == BPF_PROG_TYPE_EXT)
			bpf_program__set_attach_target(prog, replaceable, "md_replaced");
	}
	if (bpf_object__load(obj)) {
		bpf_object__close(obj);
		return false;
	}
	bpf_object__for_each_program (prog, obj) {
		if (bpf_program__fd(prog) < 0)
			continue;
		hold(guest, bpf_program__fd(prog));
		note_object_prog(prog);
		note_stack(prog);
		attach(prog);
		if (!strcmp(bpf_program__name(prog), "md_uses"))
			replaceable = bpf_program__fd(prog);
	}
	provoke(guest, obj);
	/* The object stays open: it holds its programs. */
	return true;
}

/* One by one where the whole does not load: a kernel may lack a type, a program may be bad. */
static void load_object(struct guest *guest, const char *path)
{
	struct bpf_object *obj;
	struct bpf_program *prog;

	if (load_object_of(guest, path, NULL))
		return;
	obj = bpf_object__open_file(path, NULL);
	if (!obj)
		die("cannot open %s again: %s", path, strerror(errno));
	bpf_object__for_each_program (prog, obj)
		if (!load_object_of(guest, path, bpf_program__name(prog)))
			say("%s: %s does not load here", path, bpf_program__name(prog));
	bpf_object__close(obj);
}

static void load_objects(struct guest *guest)
{
	glob_t found;

	if (glob("/bpf/*.bpf.o", 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		load_object(guest, found.gl_pathv[i]);
	globfree(&found);
}

/* Programs made here: no BTF, and cheap enough for ten thousand of them */

struct code {
	struct bpf_insn insns[MAX_INSNS];
	size_t cnt;
};

static void emit(struct code *code, int op, int dst, int src, int off, int imm)
{
	code->insns[code->cnt++] = (struct bpf_insn){
		.code = (__u8)op,
		.dst_reg = (__u8)(dst & 15),
		.src_reg = (__u8)(src & 15),
		.off = (__s16)off,
		.imm = imm,
	};
}

#define MOV_IMM (BPF_ALU64 | BPF_MOV | BPF_K)
#define ADD_IMM (BPF_ALU64 | BPF_ADD | BPF_K)
#define LD_IMM  (BPF_LD | BPF_DW | BPF_IMM)

static void emit_map(struct code *code, int map)
{
	emit(code, LD_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map);
	emit(code, 0, 0, 0, 0, 0);
}

static void emit_end(struct code *code)
{
	emit(code, MOV_IMM, BPF_REG_0, 0, 0, 0);
	emit(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* The n-th program: its shape depends on n alone. */
static void make_code(const struct guest *guest, long n, struct code *code)
{
	int turns = (int)(n % 120) + 2;

	code->cnt = 0;
	switch (n % 8) {
	case 0: /* two instructions */ break;
	case 1: /* straight on, of many lengths, one of them big */
		emit(code, MOV_IMM, BPF_REG_0, 0, 0, 1);
		for (int i = 0; i < (n == 41 ? BIG_INSNS : turns); i++)
			emit(code, ADD_IMM, BPF_REG_0, 0, 0, i);
		break;
	case 2: /* a bounded loop: the verifier walks each turn */
	case 6:
		emit(code, MOV_IMM, BPF_REG_1, 0, 0, 0);
		emit(code, ADD_IMM, BPF_REG_1, 0, 0, 1);
		emit(code, BPF_JMP | BPF_JLT | BPF_K, BPF_REG_1, 0, -2, n == 42 ? 5000 : turns);
		break;
	case 3: /* one map, used twice */
		emit_map(code, guest->maps[n % N_MAPS]);
		emit_map(code, guest->maps[n % N_MAPS]);
		break;
	case 4: /* three maps, in descending order of their ids; once every map there is */
		for (int i = n == 44 ? N_MAPS - 1 : 2; i >= 0; i--)
			emit_map(code, guest->maps[(n + i) % N_MAPS]);
		break;
	case 5: /* a subprogram */
		emit(code, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1);
		emit(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
		break;
	default: /* a 64-bit constant that is no map */
		emit(code, LD_IMM, BPF_REG_2, 0, 0, (int)n);
		emit(code, 0, 0, 0, 0, 1);
		break;
	}
	emit_end(code);
}

static void make_name(long n, char *name, size_t size)
{
	unsigned int k = (unsigned int)(n % 1000000);

	switch (n % 6) {
	case 0: snprintf(name, size, "p%u", k); break;
	case 1: snprintf(name, size, "raw_%011u", k); break; /* 15 characters */
	case 2: snprintf(name, size, "%s", "same_name"); break;
	case 3: snprintf(name, size, "a.b_%u", k); break;
	case 4: name[0] = '\0'; break;
	default: snprintf(name, size, "Raw_Prog%u", k); break;
	}
}

struct raw_type {
	enum bpf_prog_type type;
	int attach_type;
	__u32 flags;
	bool missing; /* found to be unknown to this kernel */
};

static struct raw_type raw_types[] = {
	{.type = BPF_PROG_TYPE_SOCKET_FILTER},
	{.type = BPF_PROG_TYPE_KPROBE},
	{.type = BPF_PROG_TYPE_SCHED_CLS},
	{.type = BPF_PROG_TYPE_SCHED_ACT},
	{.type = BPF_PROG_TYPE_TRACEPOINT},
	{.type = BPF_PROG_TYPE_XDP},
	{.type = BPF_PROG_TYPE_PERF_EVENT},
	{.type = BPF_PROG_TYPE_CGROUP_SKB},
	{.type = BPF_PROG_TYPE_CGROUP_SOCK, .attach_type = BPF_CGROUP_INET_SOCK_CREATE},
	{.type = BPF_PROG_TYPE_LWT_IN},
	{.type = BPF_PROG_TYPE_LWT_OUT},
	{.type = BPF_PROG_TYPE_LWT_XMIT},
	{.type = BPF_PROG_TYPE_SOCK_OPS, .attach_type = BPF_CGROUP_SOCK_OPS},
	{.type = BPF_PROG_TYPE_SK_SKB},
	{.type = BPF_PROG_TYPE_CGROUP_DEVICE, .attach_type = BPF_CGROUP_DEVICE},
	{.type = BPF_PROG_TYPE_SK_MSG, .attach_type = BPF_SK_MSG_VERDICT},
	{.type = BPF_PROG_TYPE_RAW_TRACEPOINT},
	{.type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR, .attach_type = BPF_CGROUP_INET4_CONNECT},
	{.type = BPF_PROG_TYPE_LWT_SEG6LOCAL},
	{.type = BPF_PROG_TYPE_LIRC_MODE2},
	{.type = BPF_PROG_TYPE_SK_REUSEPORT, .attach_type = BPF_SK_REUSEPORT_SELECT},
	{.type = BPF_PROG_TYPE_FLOW_DISSECTOR, .attach_type = BPF_FLOW_DISSECTOR},
	{.type = BPF_PROG_TYPE_CGROUP_SYSCTL, .attach_type = BPF_CGROUP_SYSCTL},
	{.type = BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE},
	{.type = BPF_PROG_TYPE_CGROUP_SOCKOPT, .attach_type = BPF_CGROUP_GETSOCKOPT},
	{.type = BPF_PROG_TYPE_SK_LOOKUP, .attach_type = BPF_SK_LOOKUP},
	{.type = BPF_PROG_TYPE_SYSCALL, .flags = BPF_F_SLEEPABLE},
	{.type = BPF_PROG_TYPE_XDP, .flags = XDP_HAS_FRAGS},
	{.type = (enum bpf_prog_type)PROG_TYPE_NETFILTER, .attach_type = ATTACH_TYPE_NETFILTER},
};
#define N_RAW_TYPES (sizeof(raw_types) / sizeof(raw_types[0]))

static int load_raw(struct raw_type *type, const char *name, const char *license,
		    const struct code *code)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)type->attach_type,
		    .prog_flags = type->flags);
	int fd = bpf_prog_load(type->type, name, license, code->insns, code->cnt, &opts);
	struct loaded *loaded;

	if (fd < 0)
		return fd;
	loaded = note_loaded(fd);
	loaded->sleepable = type->flags & BPF_F_SLEEPABLE;
	loaded->frags = type->flags & XDP_HAS_FRAGS;
	loaded->attach_type = type->attach_type;
	return fd;
}

/* Types that this kernel does not know are out, so that a later failure means something. */
static void probe_raw_types(void)
{
	struct code code = {.cnt = 0};

	emit_end(&code);
	for (size_t i = 0; i < N_RAW_TYPES; i++) {
		int fd = load_raw(&raw_types[i], "probe", "GPL", &code);

		raw_types[i].missing = fd < 0;
		if (fd < 0)
			say("no programs of type %d here: %s", (int)raw_types[i].type,
			    strerror(errno));
		else
			close(fd);
		has_frags |= fd >= 0 && raw_types[i].flags & XDP_HAS_FRAGS;
	}
}

static __u32 uid_of(long n)
{
	if (n % 11 == 3)
		return 1000 + (__u32)(n % 3);
	return n % 29 == 5 ? LAST_UID : 0;
}

/* The kernel notes the real uid; the effective one stays 0, and with it every capability. */
static int load_nth(struct guest *guest, long n)
{
	struct raw_type *type = &raw_types[(size_t)n % N_RAW_TYPES];
	static struct code code;
	char name[BPF_OBJ_NAME_LEN];
	__u32 uid = uid_of(n);
	int fd;

	if (type->missing)
		return -1;
	make_code(guest, n, &code);
	make_name(n, name, sizeof(name));
	if (uid && setresuid(uid, 0, 0))
		die("cannot become uid %u: %s", uid, strerror(errno));
	fd = load_raw(type, name, n % 3 ? "GPL" : "Proprietary", &code);
	if (fd < 0)
		die("cannot load program %ld of type %d: %s", n, (int)type->type, strerror(errno));
	if (uid && setresuid(0, 0, 0))
		die("cannot become root again: %s", strerror(errno));
	return fd;
}

static void create_maps(struct guest *guest)
{
	for (int i = 0; i < N_MAPS; i++) {
		/* Map ids get holes, too. */
		int gone = bpf_map_create(BPF_MAP_TYPE_ARRAY, "gone", 4, 8, 1, NULL);

		guest->maps[i] = bpf_map_create(i & 1 ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY,
						"map", 4, 8, (__u32)i + 1, NULL);
		if (gone < 0 || guest->maps[i] < 0)
			die("cannot create a map: %s", strerror(errno));
		if (i % 3 == 0)
			close(gone);
	}
}

/* Whole stretches of ids without a program: the tree under prog_idr gets empty branches. */
static void burn_ids(long count)
{
	struct code code = {.cnt = 0};

	emit_end(&code);
	for (long i = 0; i < count; i++) {
		int fd = load_raw(&raw_types[0], "burnt", "GPL", &code);

		if (fd < 0)
			die("cannot load a program to free it: %s", strerror(errno));
		close(fd);
	}
}

static void load_interpreted(struct guest *guest)
{
	struct code code;

	write_file("/proc/sys/net/core/bpf_jit_enable", "0");
	for (long n = 0; n < 3; n++) {
		int fd;

		make_code(guest, n, &code);
		fd = load_raw(&raw_types[n], "interpreted", "GPL", &code);
		if (fd >= 0)
			hold(guest, fd);
	}
	write_file("/proc/sys/net/core/bpf_jit_enable", "1");
}

static void load_raws(struct guest *guest)
{
	size_t wanted = (size_t)guest->config.progs;
	bool burnt = false;

	probe_raw_types();
	create_maps(guest);
	if (guest->nr_fds < wanted)
		load_interpreted(guest);
	for (long n = 0; guest->nr_fds < wanted; n++) {
		int fd = load_nth(guest, n);
		char path[64];

		if (fd < 0)
			continue;
		if (n % 7 == 6) { /* a hole */
			close(fd);
			continue;
		}
		if (n % 50 == 20) { /* held by the file system alone */
			snprintf(path, sizeof(path), "/sys/fs/bpf/pinned_%ld", n);
			if (bpf_obj_pin(fd, path))
				die("cannot pin %s: %s", path, strerror(errno));
			close(fd);
			fd = -1;
		}
		hold(guest, fd);
		if (!burnt && guest->nr_fds >= wanted / 2) {
			burn_ids(guest->config.skip);
			burnt = true;
		}
	}
}

/*
 * Helpers that programs of one type have a function of their own for, whose name is not the
 * helper's: bpf_sock_ops_setsockopt, bpf_get_stack_pe, bpf_sock_addr_getsockopt.
 */
static void load_callers(struct guest *guest)
{
	static const struct {
		struct raw_type type;
		int helper;
		int args[4]; /* 2nd to 5th; -1: 16 bytes of the stack */
	} callers[] = {
		{{.type = BPF_PROG_TYPE_SOCK_OPS, .attach_type = BPF_CGROUP_SOCK_OPS},
		 BPF_FUNC_setsockopt,
		 {6, 13, -1, 16}},
		{{.type = BPF_PROG_TYPE_PERF_EVENT}, BPF_FUNC_get_stack, {-1, 16, 0, 0}},
		{{.type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR, .attach_type = BPF_CGROUP_INET4_CONNECT},
		 BPF_FUNC_getsockopt,
		 {6, 13, -1, 16}},
	};

	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++) {
		struct raw_type type = callers[i].type;
		struct code code = {.cnt = 0};
		int fd;

		emit(&code, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, 0);
		emit(&code, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0);
		for (int k = 0; k < 4; k++) {
			bool stack = callers[i].args[k] < 0;

			emit(&code, stack ? BPF_ALU64 | BPF_MOV | BPF_X : MOV_IMM, BPF_REG_2 + k,
			     stack ? BPF_REG_10 : 0, 0, stack ? 0 : callers[i].args[k]);
			if (stack)
				emit(&code, ADD_IMM, BPF_REG_2 + k, 0, 0, -16);
		}
		emit(&code, BPF_JMP | BPF_CALL, 0, 0, 0, callers[i].helper);
		emit(&code, MOV_IMM, BPF_REG_0, 0, 0, 1);
		emit(&code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
		fd = load_raw(&type, "caller", "GPL", &code);
		if (fd < 0)
			die("cannot load a caller of helper %d: %s", callers[i].helper,
			    strerror(errno));
		hold(guest, fd);
	}
}

/* Links of the kinds that objects do not make. What a kernel has not is left out. */
static void link_raws(struct guest *guest)
{
	static const struct {
		enum bpf_prog_type type;
		int attach_type;
		const char *target; /* a path; NULL: the loopback device */
	} links[] = {
		{BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, "/sys/fs/cgroup"},
		{BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, "/sys/fs/cgroup/below"},
		{BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, "/proc/self/ns/net"},
		{BPF_PROG_TYPE_XDP, BPF_XDP, NULL},
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct raw_type type = {.type = links[i].type, .attach_type = links[i].attach_type};
		struct code code = {.cnt = 0};
		int prog, target = 1;

		emit(&code, MOV_IMM, BPF_REG_0, 0, 0, 1);
		emit(&code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
		prog = load_raw(&type, "linked", "GPL", &code);
		if (links[i].target)
			target = open(links[i].target, O_RDONLY | O_CLOEXEC);
		if (prog < 0 || target < 0 ||
		    bpf_link_create(prog, target, (enum bpf_attach_type)links[i].attach_type,
				    NULL) < 0)
			say("no link of attach type %d: %s", links[i].attach_type, strerror(errno));
		else
			hold(guest, prog);
	}
}

/* Maps with contents, named "d_..." */

static int create_told(enum bpf_map_type type, const char *name, __u32 key, __u32 value, __u32 n,
		       __u32 flags, int inner)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd;

	if (inner >= 0)
		opts.inner_map_fd = (__u32)inner;
	fd = bpf_map_create(type, name, key, value, n, &opts);
	if (fd < 0)
		die("cannot create the map %s: %s", name, strerror(errno));
	return fd;
}

static void put_told(int fd, const void *key, const void *value)
{
	if (bpf_map_update_elem(fd, key, value, BPF_ANY))
		die("cannot fill a map: %s", strerror(errno));
}

/* Keys and values of any size, each byte another; a per-CPU map gets other values for each CPU. */
static void fill_told(int fd, __u32 key_size, __u32 n)
{
	unsigned char key[64], value[4096];

	for (__u32 i = 0; i < n; i++) {
		memset(key, 0x55, sizeof(key));
		memcpy(key, &i, key_size < sizeof(i) ? key_size : sizeof(i));
		for (size_t b = 0; b < sizeof(value); b++)
			value[b] = (unsigned char)(b * 3 + b / 256 + i * 31 + 1);
		put_told(fd, key, value);
	}
}

static void fill_ring(int fd)
{
	__u32 value;

	for (value = 100; value < 105; value++)
		put_told(fd, NULL, &value);
	for (int i = 0; i < 3; i++)
		if (bpf_map_lookup_and_delete_elem(fd, NULL, &value))
			die("cannot pop: %s", strerror(errno));
	for (value = 200; value < 203; value++)
		put_told(fd, NULL, &value);
}

static void fill_trie(int fd)
{
	struct {
		__u32 prefix;
		unsigned char address[4];
	} keys[] = {{8, {10}},
		    {16, {10, 1}},
		    {24, {10, 1, 2}},
		    {32, {10, 1, 2, 3}},
		    {32, {10, 1, 2, 4}},
		    {12, {192, 160}},
		    {0, {0}},
		    {25, {10, 1, 2, 128}},
		    {31, {172, 16, 0, 2}}};

	for (__u32 i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		unsigned char value[6] = {(unsigned char)(i + 1), 2, 3, 4, 5, 6};

		put_told(fd, &keys[i], value);
	}
	if (bpf_map_delete_elem(fd, &keys[2]))
		die("cannot delete of a trie: %s", strerror(errno));
}

static void create_told_maps(void)
{
	static const struct {
		enum bpf_map_type type;
		const char *name;
		__u32 key, value, n, filled, flags;
	} maps[] = {
		{BPF_MAP_TYPE_ARRAY, "d_array", 4, 13, 5, 4, 0},
		{BPF_MAP_TYPE_ARRAY, "d_mmapable", 4, 24, 3, 3, BPF_F_MMAPABLE},
		{BPF_MAP_TYPE_PERCPU_ARRAY, "d_pcpu_array", 4, 12, 3, 2, 0},
		{BPF_MAP_TYPE_HASH, "d_hash", 6, 10, 100, 90, 0},
		{BPF_MAP_TYPE_HASH, "d_hash_full", 8, 8, 33, 33, BPF_F_NO_PREALLOC},
		{BPF_MAP_TYPE_LRU_HASH, "d_lru", 4, 9, 64, 20, 0},
		{BPF_MAP_TYPE_PERCPU_HASH, "d_pcpu_hash", 4, 12, 20, 9, 0},
		{BPF_MAP_TYPE_PERCPU_HASH, "d_pcpu_hash8", 8, 8, 20, 9, BPF_F_NO_PREALLOC},
		{BPF_MAP_TYPE_LRU_PERCPU_HASH, "d_pcpu_lru", 12, 4, 20, 9, 0},
		{BPF_MAP_TYPE_HASH, "d_empty", 4, 4, 20, 0, 0},
	};
	struct code code = {.cnt = 0};
	__u32 key = 2;
	int fd, inner, prog;

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		fd = create_told(maps[i].type, maps[i].name, maps[i].key, maps[i].value, maps[i].n,
				 maps[i].flags, -1);
		fill_told(fd, maps[i].key, maps[i].filled);
	}
	emit_end(&code);
	prog = load_raw(&raw_types[0], "in_a_slot", "GPL", &code);
	fd = create_told(BPF_MAP_TYPE_PROG_ARRAY, "d_progs", 4, 4, 4, 0, -1);
	put_told(fd, &key, &prog);
	inner = create_told(BPF_MAP_TYPE_ARRAY, "d_inner", 4, 4, 1, 0, -1);
	fd = create_told(BPF_MAP_TYPE_ARRAY_OF_MAPS, "d_maps", 4, 4, 4, 0, inner);
	put_told(fd, &key, &inner);
	fd = create_told(BPF_MAP_TYPE_HASH_OF_MAPS, "d_hash_maps", 4, 4, 4, 0, inner);
	put_told(fd, &key, &inner);
	fill_trie(create_told(BPF_MAP_TYPE_LPM_TRIE, "d_trie", 8, 6, 20, BPF_F_NO_PREALLOC, -1));
	fill_ring(create_told(BPF_MAP_TYPE_QUEUE, "d_queue", 0, 4, 5, 0, -1));
	fill_ring(create_told(BPF_MAP_TYPE_STACK, "d_stack", 0, 4, 5, 0, -1));
	/* So large that it is read in parts: each value is seven times its key. */
	fd = create_told(BPF_MAP_TYPE_HASH, "d_big", 4, 96, 30000, 0, -1);
	for (key = 0; key < 20000; key++) {
		__u32 wide[24] = {key * 7};

		put_told(fd, &key, wide);
	}
}

/* Runs what BPF_PROG_TEST_RUN can run; the rest says so with an error, which is fine. */
static void run_progs(const struct guest *guest)
{
	static char packet[256], context[64];

	for (size_t i = 0; i < guest->nr_fds && i < N_RUNS; i++) {
		struct bpf_prog_info info = {.type = 0};
		__u32 len = sizeof(info);
		LIBBPF_OPTS(bpf_test_run_opts, opts);

		if (i % 3 == 2 || bpf_obj_get_info_by_fd(guest->fds[i], &info, &len))
			continue;
		run_on((int)i % guest->nr_cpus);
		switch (info.type) {
		case BPF_PROG_TYPE_RAW_TRACEPOINT:
		case BPF_PROG_TYPE_SYSCALL:
			opts.ctx_in = context;
			opts.ctx_size_in = sizeof(context);
			break;
		default:
			opts.data_in = packet;
			opts.data_size_in = sizeof(packet);
			opts.repeat = 1 + (int)i % 13;
			break;
		}
		for (int turn = 0; turn < 3; turn++) {
			run_on((int)(i + (size_t)turn) % guest->nr_cpus);
			bpf_prog_test_run_opts(guest->fds[i], &opts);
		}
	}
	run_anywhere(guest);
}

/* The document */

void put_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\' || (unsigned char)*s < ' ')
			fprintf(f, "\\u%04x", (unsigned char)*s);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}

const char *type_name(__u32 type)
{
	const char *name = libbpf_bpf_prog_type_str((enum bpf_prog_type)type);

	if (type == PROG_TYPE_NETFILTER)
		return "netfilter";
	return name ? name : "unknown";
}

/* BTF objects are shared by the programs of one object: the last one is likely the next one. */
static const struct btf *btf_of(__u32 id)
{
	static struct btf *btf;
	static __u32 btf_id;

	if (id == btf_id)
		return btf;
	btf__free(btf);
	btf = btf__load_from_kernel_by_id(id);
	btf_id = id;
	return btf;
}

/*
 * The name of the first function in the program's BTF. The kernel's own field ends after 15
 * characters, so only names that long are looked up, as in bpftool's get_prog_full_name().
 */
static void put_full_name(FILE *f, int fd, const struct bpf_prog_info *info)
{
	struct bpf_func_info func = {.type_id = 0};
	struct bpf_prog_info ask = {.type = 0};
	const char *name = info->name;
	__u32 len = sizeof(ask);

	if (strlen(name) == BPF_OBJ_NAME_LEN - 1 && info->btf_id && info->nr_func_info) {
		ask.nr_func_info = 1;
		ask.func_info_rec_size = sizeof(func);
		ask.func_info = (__u64)(unsigned long)&func;
		if (!bpf_obj_get_info_by_fd(fd, &ask, &len) && func.type_id) {
			const struct btf *btf = btf_of(info->btf_id);
			const struct btf_type *t = btf ? btf__type_by_id(btf, func.type_id) : NULL;

			if (!t)
				die("no BTF for %s", name);
			name = btf__name_by_offset(btf, t->name_off);
		}
	}
	put_string(f, name);
}

static long long ns_of(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void put_number(FILE *f, const char *key, __u64 value)
{
	fprintf(f, ",\"%s\":%llu", key, (unsigned long long)value);
}

static __u64 fdinfo_number(int fd, const char *key);
static void put_bool(FILE *f, const char *key, bool value);

static void put_text_if(FILE *f, const char *key, const char *text)
{
	fprintf(f, ",\"%s\":", key);
	if (text)
		put_string(f, text);
	else
		fprintf(f, "null");
}

/*
 * The kernel's own word for an attach type, "BPF_TCX_INGRESS"; NULL: it has none. 5.10 takes any
 * number for some types of programs.
 */
static const char *attach_type_word(int type)
{
	static struct btf *btf;
	const struct btf_type *t;
	__s32 id;

	if (!btf)
		btf = btf__load_vmlinux_btf();
	id = btf ? btf__find_by_name_kind(btf, "bpf_attach_type", BTF_KIND_ENUM) : -1;
	if (id < 0)
		return "BPF_"; /* a kernel without BTF: libbpf's has to do */
	t = btf__type_by_id(btf, (__u32)id);
	for (__u16 i = 0; i < btf_vlen(t); i++) {
		const char *word = btf__name_by_offset(btf, btf_enum(t)[i].name_off);

		if (btf_enum(t)[i].val == type && strncmp(word, "__MAX", 5))
			return word;
	}
	return NULL;
}

/* As libbpf has it, which may be older than the type. */
static const char *attach_type_name(int type)
{
	static char name[64];
	const char *word = attach_type_word(type);
	const char *known = libbpf_bpf_attach_type_str((enum bpf_attach_type)type);

	if (!word || known)
		return word ? known : NULL;
	snprintf(name, sizeof(name), "%s", word + strlen("BPF_"));
	for (char *c = name; *c; c++)
		*c = (char)tolower(*c);
	return name[0] ? name : NULL;
}

static void put_prog_tags(FILE *f, int fd)
{
	static __u8 tags[64][BPF_TAG_SIZE];
	struct bpf_prog_info info = {.nr_prog_tags = 64};
	__u32 len = sizeof(info);

	info.prog_tags = (__u64)(unsigned long)tags;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.nr_prog_tags > 64)
		die("no tags of a program: %s", strerror(errno));
	fprintf(f, ",\"prog_tags\":[");
	for (__u32 i = 0; i < info.nr_prog_tags; i++) {
		fprintf(f, "%s\"", i ? "," : "");
		for (int k = 0; k < BPF_TAG_SIZE; k++)
			fprintf(f, "%02x", tags[i][k]);
		fputc('"', f);
	}
	fputc(']', f);
}

/* What bpf_prog_info does not tell is what the program was loaded with. */
static void put_load(FILE *f, int fd, __u32 id, __u32 type)
{
	const struct loaded *loaded = find_loaded(id);
	bool has_type;

	if (!loaded)
		die("program %u: nobody here loaded it", id);
	has_type = loaded->attach_type || type == BPF_PROG_TYPE_CGROUP_SKB;
	put_number(f, "bytes_memlock", fdinfo_number(fd, "memlock"));
	put_bool(f, "orphaned", false); /* its info could be had */
	put_bool(f, "sleepable", loaded->sleepable);
	if (has_frags)
		put_bool(f, "xdp_has_frags", loaded->frags);
	else
		fprintf(f, ",\"xdp_has_frags\":null");
	put_text_if(f, "expected_attach_type",
		    has_type ? attach_type_name(loaded->attach_type) : NULL);
	put_text_if(f, "attach_btf_name", loaded->attach_name[0] ? loaded->attach_name : NULL);
	put_text_if(f, "stack_depth", loaded->stack_depth[0] ? loaded->stack_depth : NULL);
	put_prog_tags(f, fd);
}

/*
 * A number that came with some release: the kernel says how much of the struct it knows. len is
 * what BPF_OBJ_GET_INFO_BY_FD made of it.
 */
#define put_late_number(f, info, len, key, member)                                                 \
	do {                                                                                       \
		if ((len) >= offsetof(struct bpf_prog_info, member) + sizeof((info)->member))      \
			put_number(f, key, (info)->member);                                        \
		else                                                                               \
			fprintf(f, ",\"%s\":null", key);                                           \
	} while (0)

static void put_bool(FILE *f, const char *key, bool value)
{
	fprintf(f, ",\"%s\":%s", key, value ? "true" : "false");
}

/* The clocks are read once: programs that were loaded together get the same offset. */
static void put_prog(FILE *f, int fd, long long boot_to_wall)
{
	struct bpf_prog_info info = {.nr_map_ids = 64};
	__u32 maps[64], len = sizeof(info);

	info.map_ids = (__u64)(unsigned long)maps;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		die("BPF_OBJ_GET_INFO_BY_FD: %s", strerror(errno));
	if (info.nr_map_ids > 64)
		die("program %u has %u maps", info.id, info.nr_map_ids);
	fprintf(f, "{\"id\":%u,\"type\":\"%s\",\"type_id\":%u,\"short_name\":", info.id,
		type_name(info.type), info.type);
	put_string(f, info.name);
	fprintf(f, ",\"name\":");
	put_full_name(f, fd, &info);
	fprintf(f, ",\"full_name\":");
	put_full_name(f, fd, &info);
	fprintf(f, ",\"tag\":\"");
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		fprintf(f, "%02x", info.tag[i]);
	fputc('"', f);
	put_late_number(f, &info, len, "verified_insns", verified_insns); /* 5.16 */
	put_number(f, "bytes_xlated", info.xlated_prog_len);
	put_bool(f, "jited", info.jited_prog_len);
	put_number(f, "bytes_jited", info.jited_prog_len);
	put_number(f, "load_time_ns", info.load_time);
	put_number(f, "loaded_at", (info.load_time + (__u64)boot_to_wall) / 1000000000);
	put_number(f, "uid", info.created_by_uid);
	put_bool(f, "gpl_compatible", info.gpl_compatible);
	fprintf(f, ",\"map_ids\":[");
	for (__u32 i = 0; i < info.nr_map_ids; i++)
		fprintf(f, "%s%u", i ? "," : "", maps[i]);
	fputc(']', f);
	put_number(f, "btf_id", info.btf_id);
	put_number(f, "run_cnt", info.run_cnt);
	put_number(f, "run_time_ns", info.run_time_ns);
	put_late_number(f, &info, len, "recursion_misses", recursion_misses); /* 5.12 */
	put_late_number(f, &info, len, "attach_btf_id", attach_btf_id);
	put_load(f, fd, info.id, info.type);
	fputc('}', f);
}

/* Every program of the guest as a JSON array; the caller frees it. */
static char *list_progs(long long boot_to_wall, size_t *count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	__u32 id = 0;

	if (!f)
		die("out of memory");
	*count = 0;
	fputc('[', f);
	while (!bpf_prog_get_next_id(id, &id)) {
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			die("program %u: %s", id, strerror(errno));
		fprintf(f, "%s", (*count)++ ? "," : "");
		put_prog(f, fd, boot_to_wall);
		close(fd);
	}
	fputc(']', f);
	if (fclose(f))
		die("out of memory");
	return text;
}

static const char *small(const char *prefix, const char *name)
{
	return name ? name : prefix;
}

/* /proc/self/fdinfo has what bpf_map_info lacks. */
static __u64 fdinfo_number(int fd, const char *key)
{
	char path[64], line[256];
	__u64 value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			value = strtoull(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

static void put_map(FILE *f, __u32 id)
{
	struct bpf_map_info info = {.type = 0};
	__u32 len = sizeof(info);
	int fd = bpf_map_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		die("map %u: %s", id, strerror(errno));
	fprintf(f, "{\"id\":%u,\"type\":\"%s\",\"name\":", info.id,
		small("unknown", libbpf_bpf_map_type_str((enum bpf_map_type)info.type)));
	put_string(f, info.name);
	put_number(f, "flags", info.map_flags);
	put_number(f, "bytes_key", info.key_size);
	put_number(f, "bytes_value", info.value_size);
	put_number(f, "max_entries", info.max_entries);
	put_number(f, "bytes_memlock", fdinfo_number(fd, "memlock"));
	put_number(f, "frozen", fdinfo_number(fd, "frozen"));
	put_number(f, "btf_id", info.btf_id);
	fputc('}', f);
	close(fd);
}

/* Every object that next() finds, as a JSON array under this key. */
static void put_all(FILE *f, const char *key, int (*next)(__u32, __u32 *),
		    void (*put)(FILE *, __u32))
{
	size_t n = 0;
	__u32 id = 0;

	fprintf(f, ",\"%s\":[", key);
	while (!next(id, &id)) {
		fprintf(f, "%s", n++ ? "," : "");
		put(f, id);
	}
	fputc(']', f);
}

char *run_bpftool(char *const *argv, bool may_fail)
{
	char *text = NULL, buf[4096];
	int pipes[2], status;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	ssize_t n;
	pid_t pid;

	if (!f || pipe(pipes))
		die("no pipe for bpftool: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		dup2(pipes[1], 1);
		close(pipes[0]);
		close(pipes[1]);
		execv("/usr/sbin/bpftool", argv);
		_exit(127);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, f);
	close(pipes[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || (status && !may_fail) || fclose(f))
		die("bpftool %s %s %s %s fails", argv[1], argv[2], argv[3], argv[4] ? argv[4] : "");
	return text;
}

/* A program. how: "opcodes" or "linum", of which bpftool of 6.1 takes one. */
static char *bpftool_dump(__u32 id, char *how, bool json)
{
	char number[16];
	char *argv[] = {"bpftool",          "prog", "dump", "xlated", "id", number, how,
			json ? "-j" : NULL, NULL};

	snprintf(number, sizeof(number), "%u", id);
	return run_bpftool(argv, false);
}

/*
 * bpftool reads all of kallsyms for each program, which takes an emulated guest seconds. It
 * gets the lines that a call may need.
 */
static void shorten_kallsyms(void)
{
	static const char *const words[] = {"bpf", "map", "elem", "scx", "trie", "sock"};
	FILE *from = fopen("/proc/kallsyms", "re"), *to = fopen("/kallsyms", "we");
	char line[1024];

	if (!from || !to)
		die("no copy of kallsyms: %s", strerror(errno));
	while (fgets(line, sizeof(line), from))
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strstr(line, words[i])) {
				fputs(line, to);
				break;
			}
	fclose(from);
	if (fclose(to) || mount("/kallsyms", "/proc/kallsyms", NULL, MS_BIND, NULL))
		die("no short kallsyms: %s", strerror(errno));
}

/* truth.dump: of how many programs one is dumped. */
static __u32 dump_every = 1;

/* As bpf_prog_get_next_id(), for programs that are dumped. */
static int next_dumped(__u32 id, __u32 *next)
{
	do {
		if (bpf_prog_get_next_id(id, &id))
			return -1;
	} while (id % dump_every);
	*next = id;
	return 0;
}

/* The JIT's functions, as the kernel's own list has them: lines of /proc/kallsyms. */
static char *jit_symbols(void)
{
	FILE *from = fopen("/proc/kallsyms", "re"), *to;
	char line[1024], *text = NULL;
	size_t size;

	to = open_memstream(&text, &size);
	if (!from || !to)
		die("no list of the JIT's functions: %s", strerror(errno));
	while (fgets(line, sizeof(line), from))
		if (strstr(line, " bpf_prog_"))
			fputs(line, to);
	fclose(from);
	fclose(to);
	return text;
}

static void put_ksym(FILE *f, __u64 addr)
{
	static char *symbols;
	char number[32], name[512] = "unknown";
	const char *line;

	if (!symbols)
		symbols = jit_symbols();
	snprintf(number, sizeof(number), "%016llx ", (unsigned long long)addr);
	line = strstr(symbols, number);
	if (line)
		sscanf(line, "%*s %*c %511s", name);
	put_string(f, name);
}

/* The machine code of each function, in hexadecimal. */
static void put_jited(FILE *f, __u32 id)
{
	static __u8 code[1 << 20];
	static __u64 ksyms[256];
	static __u32 lens[256];
	static __u64 places[8192];
	static struct bpf_line_info lines[8192];
	struct bpf_prog_info info = {
		.nr_jited_line_info = 8192,
		.jited_line_info_rec_size = sizeof(places[0]),
		.jited_line_info = (__u64)(unsigned long)places,
		.nr_line_info = 8192,
		.line_info_rec_size = sizeof(lines[0]),
		.line_info = (__u64)(unsigned long)lines,
		.jited_prog_len = sizeof(code),
		.jited_prog_insns = (__u64)(unsigned long)code,
		.nr_jited_ksyms = 256,
		.jited_ksyms = (__u64)(unsigned long)ksyms,
		.nr_jited_func_lens = 256,
		.jited_func_lens = (__u64)(unsigned long)lens,
	};
	int fd = bpf_prog_get_fd_by_id(id);
	__u32 len = sizeof(info);
	const __u8 *at = code;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ||
	    info.jited_prog_len > sizeof(code) || info.nr_jited_func_lens > 256)
		die("no machine code of program %u: %s", id, strerror(errno));
	close(fd);
	fputs(",\"jited\":[", f);
	for (__u32 i = 0; i < info.nr_jited_func_lens && info.jited_prog_len; i++) {
		fprintf(f, "%s{\"name\":", i ? "," : "");
		put_ksym(f, ksyms[i]);
		fputs(",\"code\":\"", f);
		for (__u32 k = 0; k < lens[i]; k++)
			fprintf(f, "%02x", *at++);
		fputs("\",\"lines\":[", f);
		for (__u32 k = 0, n = 0; k < info.nr_jited_line_info && k < info.nr_line_info; k++)
			if (places[k] >= ksyms[i] && places[k] - ksyms[i] < lens[i])
				fprintf(f, "%s[%llu,%u,%u]", n++ ? "," : "",
					(unsigned long long)(places[k] - ksyms[i]),
					lines[k].line_col >> 10, lines[k].line_col & 0x3ff);
		fputs("]}", f);
	}
	fputc(']', f);
}

/*
 * bpftool of 6.1 reads all symbols for each block, so of a small program only; and it dies of some
 * calls at the end of a block.
 */
static void put_graph(FILE *f, __u32 id)
{
	struct bpf_prog_info info = {.type = 0};
	__u32 len = sizeof(info);
	char number[16];
	char *argv[] = {"bpftool", "prog", "dump", "xlated", "id", number, "visual", NULL}, *text;
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		die("no program %u: %s", id, strerror(errno));
	close(fd);
	if (info.xlated_prog_len > 1200)
		return;
	snprintf(number, sizeof(number), "%u", id);
	text = run_bpftool(argv, true);
	fprintf(f, ",\"visual\":");
	put_string(f, text);
	free(text);
}

static void put_dump(FILE *f, __u32 id)
{
	char *how = id / dump_every % 2 ? "linum" : "opcodes";
	char *text = bpftool_dump(id, how, false);

	fprintf(f, "{\"id\":%u,\"how\":\"%s\",\"text\":", id, how);
	put_string(f, text);
	free(text);
	if (id / dump_every % 8 < 2) {
		text = bpftool_dump(id, how, true);
		fprintf(f, ",\"json\":%s", text);
		free(text);
	}
	if (id / dump_every % 8 == 4)
		put_graph(f, id);
	put_jited(f, id);
	fputc('}', f);
}

/* As bpf_map_get_next_id(), for maps whose contents are told. Of "map" and "gone" there are many.
 */
static int next_told(__u32 id, __u32 *next)
{
	static const __u32 types[] = {BPF_MAP_TYPE_ARRAY,
				      BPF_MAP_TYPE_PERCPU_ARRAY,
				      BPF_MAP_TYPE_PROG_ARRAY,
				      BPF_MAP_TYPE_HASH,
				      BPF_MAP_TYPE_LRU_HASH,
				      BPF_MAP_TYPE_PERCPU_HASH,
				      BPF_MAP_TYPE_LPM_TRIE,
				      BPF_MAP_TYPE_ARRAY_OF_MAPS,
				      BPF_MAP_TYPE_LRU_PERCPU_HASH,
				      BPF_MAP_TYPE_HASH_OF_MAPS,
				      BPF_MAP_TYPE_STACK_TRACE,
				      BPF_MAP_TYPE_STRUCT_OPS,
				      BPF_MAP_TYPE_DEVMAP,
				      BPF_MAP_TYPE_DEVMAP_HASH,
				      BPF_MAP_TYPE_CPUMAP,
				      BPF_MAP_TYPE_XSKMAP,
				      BPF_MAP_TYPE_SOCKMAP,
				      BPF_MAP_TYPE_SOCKHASH,
				      BPF_MAP_TYPE_CGROUP_STORAGE,
				      BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
				      BPF_MAP_TYPE_CGROUP_ARRAY,
				      BPF_MAP_TYPE_PERF_EVENT_ARRAY,
				      BPF_MAP_TYPE_REUSEPORT_SOCKARRAY};

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = {.type = 0};
		__u32 len = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			die("map %u: %s", id, strerror(errno));
		close(fd);
		if (!strcmp(info.name, "map") || !strcmp(info.name, "gone") ||
		    !strcmp(info.name, "d_big"))
			continue;
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			if (types[i] == info.type) {
				*next = id;
				return 0;
			}
	}
	return -1;
}

static void put_contents(FILE *f, __u32 id)
{
	char number[16];
	char *argv[] = {"bpftool", "-j", "map", "dump", "id", number, NULL}, *text, *p;
	static const char unknown[] = "(unsupported-kind", null[] = "null             ";

	snprintf(number, sizeof(number), "%u", id);
	text = run_bpftool(argv, false);
	/* What bpftool prints of a double is no JSON. */
	while ((p = strstr(text, unknown)))
		memcpy(p, null, sizeof(null) - 1);
	fprintf(f, "{\"id\":%u,\"entries\":%s}", id, text);
	free(text);
}

/*
 * What bpftool says of lookups: the map by its name, bytes of the key. The trie's is a prefix that
 * it does not have; the last of each are of keys that are not there.
 */
static void put_lookups(FILE *f)
{
	static char *const lookups[][9] = {
		{"d_array", "2", "0", "0", "0"},
		{"d_pcpu_array", "1", "0", "0", "0"},
		{"d_hash", "7", "0", "0", "0", "85", "85"},
		{"d_lru", "9", "0", "0", "0"},
		{"d_pcpu_hash", "3", "0", "0", "0"},
		{"d_progs", "2", "0", "0", "0"},
		{"d_hash_maps", "2", "0", "0", "0"},
		{"d_trie", "30", "0", "0", "0", "10", "1", "7", "8"},
		{"d_trie", "27", "0", "0", "0", "10", "1", "2", "130"},
		{"d_trie", "32", "0", "0", "0", "10", "1", "2", "3"},
		{"d_trie", "32", "0", "0", "0", "99", "1", "2", "3"},
		{"d_big", "0x10", "0x27", "0", "0"},
		{"d_devmap8", "1", "0", "0", "0"},
		{"d_hash", "7", "1", "0", "0", "85", "85"},
		{"d_progs", "0", "0", "0", "0"},
		{"d_devmap8", "0", "0", "0", "0"},
		{"d_array", "200", "0", "0", "0"},
	};

	fprintf(f, ",\"lookups\":[");
	for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
		char *argv[16] = {"bpftool", "-j", "map", "lookup", "name", lookups[i][0], "key"};
		char *text;

		for (size_t k = 1; k < 9 && lookups[i][k]; k++)
			argv[6 + k] = lookups[i][k];
		text = run_bpftool(argv, true);
		fprintf(f, "%s{\"map\":\"%s\",\"key\":[", i ? "," : "", lookups[i][0]);
		for (size_t k = 1; k < 9 && lookups[i][k]; k++)
			fprintf(f, "%s\"%s\"", k > 1 ? "," : "", lookups[i][k]);
		fprintf(f, "],\"entry\":%s}", text);
		free(text);
	}
	fputc(']', f);
}

/* Of BTF objects that are no module's, every third: bpftool takes its time. */
static int next_btf_told(__u32 id, __u32 *next)
{
	do {
		if (bpf_btf_get_next_id(id, &id))
			return -1;
	} while (id == 1 || id % 3);
	*next = id;
	return 0;
}

static void put_btf_as_c(FILE *f, __u32 id)
{
	char number[16];
	char *argv[] = {"bpftool", "btf", "dump", "id", number, "format", "c", NULL}, *text;
	char *raw[] = {"bpftool", "btf", "dump", "id", number, NULL};
	char *json[] = {"bpftool", "-j", "btf", "dump", "id", number, NULL};

	snprintf(number, sizeof(number), "%u", id);
	text = run_bpftool(argv, false);
	fprintf(f, "{\"id\":%u,\"c\":", id);
	put_string(f, text);
	free(text);
	text = run_bpftool(raw, false);
	fprintf(f, ",\"raw\":");
	put_string(f, text);
	free(text);
	text = run_bpftool(json, false);
	fprintf(f, ",\"json\":%s}", text);
	free(text);
}

static void put_btf_list(FILE *f)
{
	char *argv[] = {"bpftool", "-j", "btf", "list", NULL}, *text = run_bpftool(argv, false);

	fprintf(f, ",\"btf\":%s", text);
	free(text);
}

/* Programs in bpftool's words, maps of struct_ops, perf events, and the functions that ftrace says
 * call a trampoline. */
static void put_attached(FILE *f)
{
	char *prog_argv[] = {"bpftool", "-j", "prog", "show", NULL},
	     *progs = run_bpftool(prog_argv, false);
	char *argv[] = {"bpftool", "-j", "struct_ops", "show", NULL},
	     *perf_argv[] = {"bpftool", "-j", "perf", "show", NULL},
	     *text = run_bpftool(argv, false), *perf = run_bpftool(perf_argv, false);
	FILE *functions = fopen("/sys/kernel/tracing/enabled_functions", "re");
	char line[512], func[256] = "";
	unsigned int n = 0;

	fprintf(f, ",\"prog_show\":%s", progs);
	free(progs);
	fprintf(f, ",\"struct_ops\":%s,\"perf\":%s,\"direct_functions\":[", text, perf);
	free(text);
	free(perf);
	while (functions && fgets(line, sizeof(line), functions)) {
		if (line[0] != '\t')
			snprintf(func, sizeof(func), "%.*s", (int)strcspn(line, " \n"), line);
		if (strstr(line, "-->bpf_trampoline_"))
			fprintf(f, "%s\"%s\"", n++ ? "," : "", func);
	}
	fputc(']', f);
	if (functions)
		fclose(functions);
}

static bool has_cpu_flag(const char *flag)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	static char line[8192];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *save = NULL;

		if (strncmp(line, "flags", 5))
			continue;
		for (char *w = strtok_r(line, " \n", &save); w && !found;
		     w = strtok_r(NULL, " \n", &save))
			found = !strcmp(w, flag);
		break;
	}
	if (f)
		fclose(f);
	return found;
}

/* How many bits the addresses of a process have: the highest one where the kernel maps a page. */
static int user_bits(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (int bits = 57; bits > 30; bits--) {
		void *want = (void *)(uintptr_t)(UINT64_C(3) << (bits - 2));
		void *got = mmap(want, page, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (got != MAP_FAILED)
			munmap(got, page);
		if (got == want)
			return bits;
	}
	return 0;
}

/* riscv64's translation mode, "sv48"; empty elsewhere. */
static void read_mmu(char *mode, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[8192];

	mode[0] = '\0';
	while (f && !mode[0] && fgets(line, sizeof(line), f))
		if (!strncmp(line, "mmu\t", 4) && strchr(line, ':'))
			snprintf(mode, size, "%.*s", (int)strcspn(strchr(line, ':') + 2, "\n"),
				 strchr(line, ':') + 2);
	if (f)
		fclose(f);
}

/* Whether the kernel said this while it booted. */
static bool kernel_said(const char *words)
{
	static char log[1 << 18];
	int len = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, sizeof(log) - 1);

	log[len > 0 ? len : 0] = '\0';
	return strstr(log, words);
}

/* Where the kernel's image begins in this boot, as hex digits: with KASLR each has another. */
static void read_text_address(char *text, size_t size)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[256];

	text[0] = '\0';
	while (f && !text[0] && fgets(line, sizeof(line), f)) {
		char *name = strrchr(line, ' ');

		if (name && !strcmp(name, " _text\n"))
			snprintf(text, size, "%.*s", (int)strcspn(line, " "), line);
	}
	if (f)
		fclose(f);
}

static char *make_document(const struct guest *guest, size_t *size)
{
	long long boot_to_wall = ns_of(CLOCK_REALTIME) - ns_of(CLOCK_BOOTTIME);
	char jit[16], address[32], mmu[16], *first, *second, *text = NULL;
	struct utsname uts;
	FILE *f = open_memstream(&text, size);
	size_t count;

	if (!f)
		die("out of memory");
	uname(&uts);
	read_line("/proc/sys/net/core/bpf_jit_enable", jit, sizeof(jit));
	/* Quiet: the same answers twice, and time for something to have happened in between. */
	first = list_progs(boot_to_wall, &count);
	usleep(100000);
	second = list_progs(boot_to_wall, &count);

	fprintf(f, "{\"schema\":\"ktstr-gdb.truth.v1\",\"kernel\":{\"release\":");
	put_string(f, uts.release);
	fprintf(f, ",\"arch\":");
	put_string(f, uts.machine);
	fprintf(f, ",\"page_table_levels\":%d", has_cpu_flag("la57") ? 5 : 4);
	put_bool(f, "pti", has_cpu_flag("pti"));
	put_number(f, "page_size", (__u64)sysconf(_SC_PAGESIZE));
	put_number(f, "user_bits", (__u64)user_bits());
	read_mmu(mmu, sizeof(mmu));
	put_text_if(f, "mmu", mmu[0] ? mmu : NULL);
	put_bool(f, "el2", kernel_said("started at EL2"));
	fprintf(f, ",\"bpf_jit_enable\":");
	put_string(f, jit);
	put_bool(f, "btf", !access("/sys/kernel/btf/vmlinux", R_OK));
	read_text_address(address, sizeof(address));
	fprintf(f, ",\"text\":");
	put_string(f, address);
	fprintf(f, ",\"cpus\":%d},\"mode\":\"%s\"", guest->nr_cpus,
		guest->config.spin ? "spin" : "idle");
	put_bool(f, "churn", guest->config.churn);
	put_bool(f, "quiet", !strcmp(first, second));
	if (guest->config.links) {
		put_all(f, "maps", bpf_map_get_next_id, put_map);
		put_all(f, "links", bpf_link_get_next_id, put_link);
		put_holders(f);
	}
	if (guest->config.attached)
		put_places(f);
	if (guest->config.maps) {
		put_all(f, "contents", next_told, put_contents);
		put_made_maps(f);
		put_lookups(f);
		put_btf_list(f);
		put_all(f, "btf_as_c", next_btf_told, put_btf_as_c);
	}
	if (guest->config.dump) {
		put_attached(f);
		shorten_kallsyms();
		dump_every = (__u32)guest->config.dump;
		put_all(f, "dumps", next_dumped, put_dump);
	}
	fprintf(f, ",\"programs\":%s}\n", second);
	if (fclose(f))
		die("out of memory");
	free(first);
	free(second);
	say("%zu programs", count);
	return text;
}

/* Compressed: an emulated serial port takes a quarter of a megabyte a second. */
static void write_compressed(int fd, const char *text, size_t size)
{
	gzFile gz = gzdopen(fd, "w1");

	if (!gz || gzwrite(gz, text, (unsigned int)size) != (int)size || gzclose(gz) != Z_OK)
		die("cannot write the truth: %s", strerror(errno));
}

static void put_base64_line(FILE *in, FILE *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char b[3] = {0};
	size_t n;

	fprintf(out, "truth: base64 ");
	for (int i = 0; i < 20 && (n = fread(b, 1, 3, in)); i++) {
		fprintf(out, "%c%c%c%c", digits[b[0] >> 2], digits[(b[0] & 3) << 4 | b[1] >> 4],
			n > 1 ? digits[(b[1] & 15) << 2 | b[2] >> 6] : '=',
			n > 2 ? digits[b[2] & 63] : '=');
		memset(b, 0, sizeof(b));
	}
	fputc('\n', out);
}

/* Text, since a console translates; the file is in the initramfs, and so in memory. */
static void tell_console(const char *text, size_t size)
{
	int fd = open("/truth.gz", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *in;
	int c;

	if (fd < 0)
		die("/truth.gz: %s", strerror(errno));
	write_compressed(fd, text, size);
	in = fopen("/truth.gz", "re");
	while (in && (c = fgetc(in)) != EOF) {
		ungetc(c, in);
		put_base64_line(in, stdout);
	}
	if (!in || ferror(in) || fclose(in) || fflush(stdout))
		die("cannot tell: %s", strerror(errno));
	tcdrain(1);
}

static void tell_serial(const char *text, size_t size)
{
	int fd = open("/dev/ttyS1", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	struct termios tio;

	if (fd < 0 || tcgetattr(fd, &tio))
		die("/dev/ttyS1: %s", strerror(errno));
	cfmakeraw(&tio);
	tcsetattr(fd, TCSANOW, &tio);
	write_compressed(dup(fd), text, size);
	tcdrain(fd);
	close(fd);
}

/* What the guest does from now on */

static void spin(int cpu)
{
	if (fork())
		return;
	run_on(cpu);
	for (;;)
		__asm__ volatile("");
}

static void churn(void)
{
	int held[4] = {-1, -1, -1, -1};

	if (fork())
		return;
	for (size_t i = 0;; i++) {
		struct code code = {.cnt = 0};
		int *fd = &held[i % 4];

		emit_end(&code);
		if (*fd >= 0)
			close(*fd);
		*fd = load_raw(&raw_types[i % 4], "churn", "GPL", &code);
	}
}

static void tick_for_ever(void)
{
	for (unsigned int tick = 1;; tick++) {
		sleep(1);
		say("tick %u", tick);
	}
}

int main(void)
{
	struct guest guest = {.nr_fds = 0};
	struct rlimit files = {1 << 20, 1 << 20}, locked = {RLIM_INFINITY, RLIM_INFINITY};
	size_t size;
	char *text;

	mount_all();
	take_console();
	read_config(&guest.config);
	guest.nr_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (setrlimit(RLIMIT_NOFILE, &files) || setrlimit(RLIMIT_MEMLOCK, &locked))
		say("cannot raise limits: %s", strerror(errno));
	write_file("/proc/sys/kernel/bpf_stats_enabled", "1");
	libbpf_set_print(quiet_print);

	if (guest.config.objects)
		load_objects(&guest);
	if (guest.config.links) {
		link_raws(&guest);
		make_links();
	}
	if (guest.config.attached)
		attach_places();
	if (guest.config.dump)
		load_callers(&guest);
	load_raws(&guest);
	if (guest.config.maps) {
		create_told_maps();
		make_maps();
	}
	if (guest.config.links)
		make_holders(guest.config.holders);
	run_progs(&guest);
	say("loaded at %lld ms", ns_of(CLOCK_BOOTTIME) / 1000000);
	text = make_document(&guest, &size);
	say("read at %lld ms", ns_of(CLOCK_BOOTTIME) / 1000000);

	if (guest.config.churn)
		churn();
	for (int cpu = 0; guest.config.spin && cpu < guest.nr_cpus; cpu++)
		spin(cpu);
	if (guest.config.tell_console)
		tell_console(text, size);
	else
		tell_serial(text, size);
	say("told"); /* boot waits for this line */
	tick_for_ever();
}
