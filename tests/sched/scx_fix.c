// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * scx_fix MODE [NUMBER]: loads a scheduler, as users' loaders do, and then is good, or bad in one
 * of the ways in which they are. The modes are at the end.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scx_fix.skel.h"
#include "tests/sched/scx_fix.h"

/* What Debian 12's headers (Linux 6.1) lack. */
#define MAP_FLAG_LINK    (1u << 13) /* BPF_F_LINK, Linux 6.4 */
#define TYPE_STRUCT_OPS  44         /* BPF_STRUCT_OPS, Linux 6.4 */
#define POLICY_SCHED_EXT 7          /* SCHED_EXT, Linux 6.12 */

struct mode {
	const char *name;
	const char *ops;                 /* the struct sched_ext_ops of the object */
	const char *programs;            /* how the names of its programs begin */
	void (*before)(unsigned number); /* it loads; may not return */
	void (*loaded)(unsigned number); /* and before it attaches */
	void (*attached)(unsigned number);
	unsigned number;  /* unless one is given */
	unsigned die_how; /* the program's */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void msleep(unsigned ms)
{
	usleep(ms * 1000);
}

/* Until a signal ends it: nothing here would look at one. */
static _Noreturn void sleep_for_ever(unsigned number)
{
	(void)number;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	for (;;)
		pause();
}

/* --- what makes the modes differ --- */

static void exit_later(unsigned ms)
{
	msleep(ms);
	_exit(3);
}

static void crash_later(unsigned ms)
{
	int *volatile nowhere = NULL;

	msleep(ms);
	*(volatile int *)nowhere = 1;
}

static void write_flood(unsigned mb)
{
	if (!flood((size_t)mb << 20))
		exit(1);
}

static void ignore_signals(unsigned number)
{
	(void)number;
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
}

static void ignore_interrupts(unsigned number)
{
	(void)number;
	signal(SIGINT, SIG_IGN);
}

/* As many schedulers do with their statistics. */
static void chat(unsigned ms)
{
	for (unsigned i = 0; !stop; i++) {
		printf("statistics, round %u\n", i);
		msleep(ms);
	}
}

/* Looks at the workload until it is told to end. */
static void spy(unsigned ms)
{
	while (!stop) {
		spy_look();
		msleep(ms);
	}
	spy_print();
}

static void go_to_background(unsigned number)
{
	pid_t pid = fork();

	(void)number;
	if (pid)
		_exit(pid < 0);
	setsid();
}

/* Nothing of policy SCHED_OTHER runs once a scheduler stalls: not even who has to end it. */
static void be_realtime(unsigned number)
{
	struct sched_param param = {.sched_priority = 1};

	(void)number;
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		perror("scx_fix: cannot be SCHED_FIFO");
}

/* Someone has to ask for it, or the scheduler has nothing to do. */
static void be_ext(unsigned number)
{
	struct sched_param param = {};

	(void)number;
	if (sched_setscheduler(0, POLICY_SCHED_EXT, &param))
		perror("scx_fix: cannot be SCHED_EXT");
}

/* --- loading and attaching --- */

static void choose(struct scx_fix_bpf *skel, const struct mode *mode)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_program (prog, skel->obj)
		bpf_program__set_autoload(prog, !strncmp(bpf_program__name(prog), mode->programs,
							 strlen(mode->programs)));
	bpf_object__for_each_map (map, skel->obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		bpf_map__set_autocreate(map, !strcmp(bpf_map__name(map), mode->ops));
		bpf_map__set_map_flags(map, MAP_FLAG_LINK);
	}
	/* To make a queue may sleep. */
	bpf_program__set_flags(skel->progs.fix_init, BPF_F_SLEEPABLE);
	bpf_program__set_flags(skel->progs.stall_init, BPF_F_SLEEPABLE);
	bpf_program__set_flags(skel->progs.die_init, BPF_F_SLEEPABLE);
	bpf_program__set_flags(skel->progs.die_init_task, BPF_F_SLEEPABLE);
	bpf_program__set_flags(skel->progs.hold_init, BPF_F_SLEEPABLE);
}

/*
 * The scheduler goes when the descriptor does, however we end. libbpf before 1.2 knows only ops
 * without a link, which stay for ever: it fills the map, and the link is made here.
 */
static int attach(const struct bpf_map *map)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(map);

	if (!link)
		return -1;
#if LIBBPF_MAJOR_VERSION > 1 || LIBBPF_MINOR_VERSION >= 2
	return bpf_link__fd(link);
#else
	bpf_link__disconnect(link);
	return bpf_link_create(bpf_map__fd(map), 0, TYPE_STRUCT_OPS, NULL);
#endif
}

static const char *read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(line, size, f))
		snprintf(line, (size_t)size, "none");
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static void print_state(void)
{
	char state[64], ops[160];

	fprintf(stderr, "scx_fix: sched_ext is %s, ops %s\n",
		read_line("/sys/kernel/sched_ext/state", state, sizeof(state)),
		read_line("/sys/kernel/sched_ext/root/ops", ops, sizeof(ops)));
}

static void print_statistics(const struct scx_fix_bpf *skel)
{
	printf("enqueued %llu, idle %llu, dispatched %llu, from queues %llu %llu %llu %llu\n",
	       skel->bss->enqueued, skel->bss->idle_found, skel->bss->dispatched,
	       skel->bss->picked[0], skel->bss->picked[1], skel->bss->picked[2],
	       skel->bss->picked[3]);
}

/* What the kernel made of it: 0 if it ended because we ended it. */
static int print_exit(const struct scx_fix_bpf *skel, bool kicked)
{
	fprintf(stderr, "scx_fix: exit kind %d: %s%s%s\n", skel->bss->exit_kind,
		skel->bss->exit_reason, *skel->bss->exit_message ? ": " : "",
		skel->bss->exit_message);
	return kicked;
}

/* Says when so many tasks wait. */
static void watch_held(const struct scx_fix_bpf *skel, unsigned number)
{
	while (!stop && !skel->bss->exit_kind && skel->bss->held < number)
		msleep(20);
	printf("scx_fix: holds %llu\n", skel->bss->held);
}

/* The kernel keeps a scheduler that has ended as long as its link is open. */
static void keep_what_ended(const struct scx_fix_bpf *skel)
{
	printf("scx_fix: ended, kind %d: %s: %s\n", skel->bss->exit_kind, skel->bss->exit_reason,
	       skel->bss->exit_message);
	while (!stop)
		msleep(50);
}

static int run(struct scx_fix_bpf *skel, const struct mode *mode, unsigned number)
{
	struct bpf_map *map = bpf_object__find_map_by_name(skel->obj, mode->ops);
	bool kicked;
	int fd;

	if (mode->loaded)
		mode->loaded(number);
	fd = attach(map);
	if (fd < 0) {
		fprintf(stderr, "scx_fix: cannot attach %s: %s\n", mode->ops, strerror(errno));
		return 1;
	}
	printf("scx_fix: %s, attached\n", mode->name);
	print_state();
	if (mode->attached)
		mode->attached(number);
	if (!strcmp(mode->name, "holds"))
		watch_held(skel, number);
	while (!stop && !skel->bss->exit_kind)
		msleep(50);
	kicked = skel->bss->exit_kind;
	if (!strcmp(mode->name, "holds"))
		keep_what_ended(skel);
	close(fd);
	print_statistics(skel);
	return print_exit(skel, kicked);
}

static int load_and_run(const struct mode *mode, unsigned number)
{
	struct scx_fix_bpf *skel = scx_fix_bpf__open();
	int ret = 1;

	if (!skel) {
		perror("scx_fix: cannot open the object");
		return 1;
	}
	choose(skel, mode);
	if (!strcmp(mode->name, "kicked"))
		skel->rodata->fail_after_ms = number;
	skel->rodata->die_how = mode->die_how;
	skel->rodata->die_after_ms = mode->die_how ? number : 0;
	if (!scx_fix_bpf__load(skel))
		ret = run(skel, mode, number);
	else
		perror("scx_fix: cannot load the object");
	scx_fix_bpf__destroy(skel);
	return ret;
}

static const struct mode modes[] = {
	{.name = "good", .ops = "scx_fix", .programs = "fix_"},
	{.name = "partial", .ops = "scx_fix_partial", .programs = "fix_", .loaded = be_ext},
	{.name = "rejected", .ops = "scx_fix_rejected", .programs = "rejected_"},
	{.name = "holds", .ops = "scx_fix_holds", .programs = "hold_", .number = 20},
	{.name = "stalls", .ops = "scx_fix_stalls", .programs = "stall_", .loaded = be_realtime},
	{"dies", "scx_fix", "fix_", .attached = exit_later, .number = 300},
	{"crashes", "scx_fix", "fix_", .attached = crash_later, .number = 300},
	{"hangs", "scx_fix", "fix_", .before = sleep_for_ever},
	{"hangs-loaded", "scx_fix", "fix_", .loaded = sleep_for_ever},
	{"flood", "scx_fix", "fix_", .attached = write_flood, .number = 50},
	{"kicked", "scx_fix", "fix_", .number = 1000},
	{"wrong-cpu", "scx_fix_dies", "die_", .number = 500, .die_how = 1},
	{"wrong-queue", "scx_fix_dies", "die_", .number = 500, .die_how = 2},
	{"stalls-some", "scx_fix_dies", "die_", .number = 500, .die_how = 4},
	{"rejects", "scx_fix_dies", "die_", .loaded = be_ext, .die_how = 3},
	{"ignores-term", "scx_fix", "fix_", .before = ignore_signals},
	{"chats", "scx_fix", "fix_", ignore_interrupts, .attached = chat, .number = 500},
	{"forks", "scx_fix", "fix_", .before = go_to_background},
	{"spies", "scx_fix", "fix_", .loaded = be_realtime, .attached = spy, .number = 20},
};

#define NR_MODES (sizeof(modes) / sizeof(*modes))

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < NR_MODES; i++)
		if (!strcmp(modes[i].name, name))
			return &modes[i];
	return NULL;
}

static int usage(void)
{
	fprintf(stderr, "usage: scx_fix MODE [NUMBER]\nmodes:");
	for (size_t i = 0; i < NR_MODES; i++)
		fprintf(stderr, " %s", modes[i].name);
	fprintf(stderr, "\n");
	return 2;
}

int main(int argc, char **argv)
{
	const struct mode *mode = argc == 2 || argc == 3 ? find_mode(argv[1]) : NULL;
	unsigned number;

	if (!mode)
		return usage();
	number = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : mode->number;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (mode->before)
		mode->before(number);
	return load_and_run(mode, number);
}
