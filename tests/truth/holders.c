// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Processes that hold BPF objects in odd ways, and files in bpffs; and what the kernel says of all
 * of them: /proc/PID/task/TID/fdinfo has the ID of an open object, BPF_OBJ_GET opens a file.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "truth.h"

#define BPFFS     "/sys/fs/bpf"
#define CONTAINED "/contained"

/* What each child holds of its own. */
static int map, prog, link_fd, btf;
static __u32 contained_map; /* the ID of what only the container's bpffs has; 0: it has none */
static int ready[2];        /* a byte of each child that is as it will stay */

static void stay(void)
{
	if (write(ready[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void keep_only(int a, int b)
{
	for (int fd = 3; fd < 4096; fd++)
		if (fd != a && fd != b && fd != ready[1])
			close(fd);
}

static void *hold_apart(void *arg)
{
	(void)arg;
	if (unshare(CLONE_FILES) || dup2(map, 40) < 0)
		_exit(1);
	close(map);
	stay();
	return NULL;
}

static void few(void)
{
	keep_only(map, prog);
	for (int i = 0; i < 20; i++)
		if (open("/dev/null", O_RDONLY) < 0)
			_exit(1);
	stay();
}

/* One object twice, and a descriptor that only a large table has room for. */
static void many(void)
{
	prctl(PR_SET_NAME, "a holder(1),b\t2");
	keep_only(map, prog);
	if (dup(prog) < 0 || dup2(map, 3000) < 0)
		_exit(1);
	stay();
}

static void thread(void)
{
	pthread_t other;

	keep_only(map, btf);
	if (pthread_create(&other, NULL, hold_apart, NULL))
		_exit(1);
	for (;;)
		pause();
}

/* The first thread has ended: it has no descriptors, and the other one is the only to have them. */
static void headless(void)
{
	pthread_t other;

	keep_only(map, link_fd);
	if (pthread_create(&other, NULL, hold_apart, NULL))
		_exit(1);
	syscall(SYS_exit, 0);
}

/* A container: all mounts once more, and a bpffs that nobody else sees. */
static void container(void)
{
	int own = bpf_map_create(BPF_MAP_TYPE_ARRAY, "contained", 4, 4, 1, NULL);

	keep_only(own, own);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", CONTAINED, "bpf", 0, NULL) || bpf_obj_pin(own, CONTAINED "/map"))
		_exit(1);
	stay();
}

static void start(const char *what, void (*child)(void), unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	char byte;

	if (!pid) {
		child();
		_exit(1);
	}
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		die("no process that holds: %s: %s", what, strerror(errno));
}

static __u32 id_of_map(int fd)
{
	struct bpf_map_info info = {.type = 0};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static void pin(int fd, const char *path)
{
	if (bpf_obj_pin(fd, path))
		die("cannot pin %s: %s", path, strerror(errno));
}

static void make_pins(void)
{
	mkdir(BPFFS "/dir", 0755);
	mkdir(BPFFS "/dir/deeper", 0755);
	mkdir("/second", 0755);
	mkdir("/bound", 0755);
	mkdir(CONTAINED, 0755);
	pin(map, BPFFS "/dir/deeper/map");
	pin(link_fd, BPFFS "/dir/link");
	pin(prog, BPFFS "/prog");
	pin(prog, BPFFS "/gone");
	if (open(BPFFS "/gone", O_PATH) < 0 || unlink(BPFFS "/gone") ||
	    link(BPFFS "/prog", BPFFS "/dir/once more") || symlink("prog", BPFFS "/symlink") ||
	    mount("bpf", "/second", "bpf", 0, NULL) ||
	    mount(BPFFS "/dir", "/bound", NULL, MS_BIND, NULL))
		die("cannot fill bpffs: %s", strerror(errno));
	pin(map, "/second/another");
	/* More than one level of anything. */
	for (int i = 0; i < 40; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/second/of_many_%d", i);
		pin(i % 2 ? prog : map, path);
	}
}

void make_holders(long more)
{
	__u32 id = 0;
	int own;

	if (bpf_prog_get_next_id(0, &id))
		die("no program to hold");
	prog = bpf_prog_get_fd_by_id(id);
	if (bpf_link_get_next_id(0, &id))
		die("no link to hold");
	link_fd = bpf_link_get_fd_by_id(id);
	for (id = 0; !bpf_btf_get_next_id(id, &id);)
		;
	btf = bpf_btf_get_fd_by_id(id);
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "held", 4, 4, 1, NULL);
	if (prog < 0 || link_fd < 0 || btf < 0 || map < 0 || pipe(ready))
		die("nothing to hold: %s", strerror(errno));
	make_pins();
	start("many", many, 0);
	start("thread", thread, 0);
	start("headless", headless, 0);
	start("container", container, 0);
	start("shared", stay, CLONE_FILES);
	for (long i = 0; i < more; i++)
		start("few", few, 0);
	for (id = 0; !bpf_map_get_next_id(id, &id);) {
		struct bpf_map_info info = {.type = 0};
		__u32 len = sizeof(info);

		own = bpf_map_get_fd_by_id(id);
		if (own >= 0 && !bpf_obj_get_info_by_fd(own, &info, &len) &&
		    !strcmp(info.name, "contained"))
			contained_map = id_of_map(own);
		close(own);
	}
}

/* --- what the kernel says --- */

/* The kind of what is open, and its ID; NULL: no BPF object. A link's fdinfo has its program, too.
 */
static const char *read_fdinfo(const char *path, __u32 *id_ret)
{
	static const char *const kinds[] = {"link", "map", "btf", "prog"};
	FILE *f = fopen(path, "re");
	const char *kind = NULL;
	char line[256];
	size_t best = 4;

	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < best; i++) {
			size_t len = strlen(kinds[i]);

			if (strncmp(line, kinds[i], len) || strncmp(line + len, "_id:", 4))
				continue;
			*id_ret = (__u32)strtoul(line + len + 4, NULL, 10);
			kind = kinds[i];
			best = i;
		}
	if (f)
		fclose(f);
	return kind;
}

/* Numbers that name the entries of a directory, in order. The caller frees them. */
static size_t list(const char *path, int **ret)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	*ret = NULL;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		*ret = reallocarray(*ret, n + 1, sizeof(**ret));
		if (!*ret)
			die("out of memory");
		(*ret)[n++] = atoi(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return n;
}

static void put_fds_of_task(FILE *f, int pid, int tid, const char *comm, bool *first)
{
	char path[128];
	int *fds;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fdinfo", pid, tid);
	n = list(path, &fds);
	for (size_t i = 0; i < n; i++) {
		const char *kind;
		__u32 id;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/fdinfo/%d", pid, tid, fds[i]);
		kind = read_fdinfo(path, &id);
		if (!kind)
			continue;
		fprintf(f, "%s{\"kind\":\"%s\",\"id\":%u,\"pid\":%d,\"comm\":", *first ? "" : ",",
			kind, id, pid);
		put_string(f, comm);
		fprintf(f, ",\"fd\":%d}", fds[i]);
		*first = false;
	}
	free(fds);
}

static void put_fds(FILE *f)
{
	int *pids, *tids;
	size_t n = list("/proc", &pids), n_tids;
	bool first = true;

	for (size_t i = 0; i < n; i++) {
		char path[64], comm[64] = "";
		FILE *in;

		snprintf(path, sizeof(path), "/proc/%d/comm", pids[i]);
		in = fopen(path, "re");
		if (in && fgets(comm, sizeof(comm), in))
			comm[strlen(comm) - 1] = '\0';
		if (in)
			fclose(in);
		snprintf(path, sizeof(path), "/proc/%d/task", pids[i]);
		n_tids = list(path, &tids);
		for (size_t k = 0; k < n_tids; k++)
			put_fds_of_task(f, pids[i], tids[k], comm, &first);
		free(tids);
	}
	free(pids);
}

static FILE *pins_to;
static bool pins_first;

static void put_one_pin(const char *kind, __u32 id, const char *path)
{
	fprintf(pins_to, "%s{\"kind\":\"%s\",\"id\":%u,\"path\":", pins_first ? "" : ",", kind, id);
	put_string(pins_to, path);
	fputc('}', pins_to);
	pins_first = false;
}

static int put_pin(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char info[64];
	const char *kind;
	__u32 id;
	int fd;

	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		die("cannot open %s: %s", path, strerror(errno));
	snprintf(info, sizeof(info), "/proc/self/fdinfo/%d", fd);
	kind = read_fdinfo(info, &id);
	close(fd);
	if (kind)
		put_one_pin(kind, id, path);
	return 0;
}

/* As bpftool does it: below each mount of type bpf. */
static void put_pins(FILE *f)
{
	FILE *mounts = fopen("/proc/mounts", "re");
	char line[1024], where[512], type[64];

	pins_to = f;
	pins_first = true;
	while (mounts && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %511s %63s", where, type) == 2 && !strcmp(type, "bpf"))
			nftw(where, put_pin, 16, FTW_PHYS | FTW_MOUNT);
	if (mounts)
		fclose(mounts);
	if (contained_map)
		put_one_pin("map", contained_map, CONTAINED "/map");
}

void put_holders(FILE *f)
{
	fputs(",\"held_fds\":[", f);
	put_fds(f);
	fputs("],\"pins\":[", f);
	put_pins(f);
	fputc(']', f);
}
