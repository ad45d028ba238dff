// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Maps of the types that bpftool cannot dump, or that hold sockets, devices, CPUs and stacks. What
 * a kernel does not have is left out, and then not in the document either.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "truth.h"

/* Newer than the oldest headers that this builds with. */
#define TYPE_CGRP_STORAGE 32 /* 6.2 */
#define TYPE_ARENA        33 /* 6.9 */
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif

#define PAGE ((__u32)sysconf(_SC_PAGESIZE))

/* What was made, for the document. Maps are descriptors; below 0: this kernel does not have it. */
static struct {
	int ring, user_ring, bloom, arena;
	__u64 *ring_positions; /* the producer's page */
	__u64 inode, device, sock_cookie, cgroup;
	int task_storage, inode_storage, sk_storage, cgrp_storage;
	__u64 arena_addr;
	pid_t child;
} made;

static int create(int type, const char *name, __u32 key, __u32 value, __u32 n, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create((enum bpf_map_type)type, name, key, value, n, &opts);

	if (fd < 0)
		say("no map %s here: %s", name, strerror(errno));
	return fd;
}

static void put(int fd, const void *key, const void *value, const char *what)
{
	if (fd >= 0 && bpf_map_update_elem(fd, key, value, BPF_ANY))
		die("cannot put %s: %s", what, strerror(errno));
}

/* --- a program that fills maps --- */

struct code {
	struct bpf_insn insns[64];
	size_t n;
};

static void emit(struct code *code, int op, int dst, int src, int off, int imm)
{
	code->insns[code->n++] = (struct bpf_insn){.code = (__u8)op,
						   .dst_reg = (__u8)(dst & 15),
						   .src_reg = (__u8)(src & 15),
						   .off = (__s16)off,
						   .imm = imm};
}

#define MOV   (BPF_ALU64 | BPF_MOV | BPF_K)
#define MOV_X (BPF_ALU64 | BPF_MOV | BPF_X)
#define ADD   (BPF_ALU64 | BPF_ADD | BPF_K)
#define CALL  (BPF_JMP | BPF_CALL)
#define EXIT  (BPF_JMP | BPF_EXIT)

static void emit_map(struct code *code, int reg, int map)
{
	emit(code, BPF_LD | BPF_DW | BPF_IMM, reg, BPF_PSEUDO_MAP_FD, 0, map);
	emit(code, 0, 0, 0, 0, 0);
}

static int load(enum bpf_prog_type type, struct code *code, int result)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int fd;

	emit(code, MOV, BPF_REG_0, 0, 0, result);
	emit(code, EXIT, 0, 0, 0, 0);
	fd = bpf_prog_load(type, "filler", "GPL", code->insns, code->n, &opts);
	if (fd < 0)
		die("cannot load a program that fills maps: %s", strerror(errno));
	note_loaded(fd);
	return fd;
}

static void run(int fd)
{
	static __u64 context[8];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = context, .ctx_size_in = sizeof(context));

	if (bpf_prog_test_run_opts(fd, &opts))
		die("cannot run a program that fills maps: %s", strerror(errno));
}

/* The kernel's stack in this very call of the program, and three records of 16 bytes. */
static void fill_by_program(int stacks, int ring)
{
	struct code code = {.n = 0};

	emit(&code, MOV_X, BPF_REG_6, BPF_REG_1, 0, 0);
	emit_map(&code, BPF_REG_2, stacks);
	emit(&code, MOV, BPF_REG_3, 0, 0, 0);
	emit(&code, CALL, 0, 0, 0, BPF_FUNC_get_stackid);
	emit(&code, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, 0x1234);
	emit(&code, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0x5678);
	for (int i = 0; i < 3; i++) {
		emit_map(&code, BPF_REG_1, ring);
		emit(&code, MOV_X, BPF_REG_2, BPF_REG_10, 0, 0);
		emit(&code, ADD, BPF_REG_2, 0, 0, -16);
		emit(&code, MOV, BPF_REG_3, 0, 0, 16);
		emit(&code, MOV, BPF_REG_4, 0, 0, 0);
		emit(&code, CALL, 0, 0, 0, BPF_FUNC_ringbuf_output);
	}
	run(load(BPF_PROG_TYPE_RAW_TRACEPOINT, &code, 0));
}

static void make_stacks_and_rings(void)
{
	int stacks = create(BPF_MAP_TYPE_STACK_TRACE, "d_stacks", 4, 160, 16, 0);
	__u64 *page;

	made.ring = create(BPF_MAP_TYPE_RINGBUF, "d_ring", 0, 0, PAGE, 0);
	fill_by_program(stacks, made.ring);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, made.ring, 0);
	made.ring_positions = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, made.ring, PAGE);
	if (page == MAP_FAILED || made.ring_positions == MAP_FAILED)
		die("cannot map a ring buffer: %s", strerror(errno));
	*page = 24; /* the first record is read */
	made.user_ring = create(BPF_MAP_TYPE_USER_RINGBUF, "d_user_ring", 0, 0, 2 * PAGE, 0);
	if (made.user_ring < 0)
		return;
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, made.user_ring, PAGE);
	if (page == MAP_FAILED)
		die("cannot map a ring buffer: %s", strerror(errno));
	*page = 64;
}

static void make_bloom(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_extra = 3);

	made.bloom = bpf_map_create(BPF_MAP_TYPE_BLOOM_FILTER, "d_bloom", 0, 8, 100, &opts);
	for (__u64 value = 1; made.bloom >= 0 && value <= 5; value++)
		put(made.bloom, NULL, &value, "into a Bloom filter");
}

/* --- devices, CPUs, sockets --- */

static int listening(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(7777)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		die("no socket: %s", strerror(errno));
	return fd;
}

static void make_sockets(void)
{
	__u64 sock = (__u64)listening();
	__u32 narrow = (__u32)sock, key = 1;
	unsigned char wide_key[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	put(create(BPF_MAP_TYPE_SOCKMAP, "d_sockmap", 4, 8, 3, 0), &key, &sock, "a socket");
	put(create(BPF_MAP_TYPE_SOCKMAP, "d_sockmap4", 4, 4, 3, 0), &key, &narrow, "a socket");
	put(create(BPF_MAP_TYPE_SOCKHASH, "d_sockhash", 8, 8, 9, 0), wide_key, &sock, "a socket");
	put(create(BPF_MAP_TYPE_SOCKHASH, "d_sockhash4", 8, 4, 9, 0), wide_key, &narrow,
	    "a socket");
	sock = (__u64)listening();
	put(create(BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, "d_reuseport", 4, 8, 3, 0), &key, &sock,
	    "a socket");
}

static void make_devices(void)
{
	__u32 key = 1, far_key = 77, lo[2] = {1, 0}, cpu = 0, queue[2] = {64, 0};
	int event, dir = open("/sys/fs/cgroup/below", O_RDONLY | O_CLOEXEC);
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_BPF_OUTPUT};

	put(create(BPF_MAP_TYPE_DEVMAP, "d_devmap", 4, 4, 3, 0), &key, lo, "a device");
	put(create(BPF_MAP_TYPE_DEVMAP, "d_devmap8", 4, 8, 3, 0), &key, lo, "a device");
	put(create(BPF_MAP_TYPE_DEVMAP_HASH, "d_devhash", 4, 8, 5, 0), &far_key, lo, "a device");
	put(create(BPF_MAP_TYPE_CPUMAP, "d_cpumap", 4, 4, 2, 0), &cpu, queue, "a CPU");
	put(create(BPF_MAP_TYPE_CPUMAP, "d_cpumap8", 4, 8, 2, 0), &cpu, queue, "a CPU");
	create(BPF_MAP_TYPE_XSKMAP, "d_xskmap", 4, 4, 3, 0);
	put(create(BPF_MAP_TYPE_CGROUP_ARRAY, "d_cgroups", 4, 4, 3, 0), &key, &dir, "a cgroup");
	event = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (event < 0)
		die("no perf event: %s", strerror(errno));
	put(create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, "d_perf", 4, 4, 3, 0), &key, &event, "an event");
}

/* --- storage --- */

/* BTF with int and struct told { int number; char word[8]; }: storage has to have types. */
static int storage_types(__u32 *key, __u32 *value)
{
	struct btf *btf = btf__new_empty();
	int number, character, word, told, fd;
	__u32 size;
	const void *data;

	LIBBPF_OPTS(bpf_btf_load_opts, opts);

	if (!btf)
		die("out of memory");
	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	character = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	word = btf__add_array(btf, number, character, 8);
	told = btf__add_struct(btf, "told", 12);
	btf__add_field(btf, "number", number, 0, 0);
	btf__add_field(btf, "word", word, 32, 0);
	data = btf__raw_data(btf, &size);
	fd = data ? bpf_btf_load(data, size, &opts) : -1;
	if (fd < 0 || told < 0)
		die("no BTF for storage: %s", strerror(errno));
	btf__free(btf);
	*key = (__u32)number;
	*value = (__u32)told;
	return fd;
}

struct told {
	int number;
	char word[8];
};

static int create_storage(int type, const char *name)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int btf = storage_types(&opts.btf_key_type_id, &opts.btf_value_type_id), fd;

	opts.btf_fd = (__u32)btf;
	fd = bpf_map_create((enum bpf_map_type)type, name, sizeof(int), sizeof(struct told), 0,
			    &opts);
	if (fd < 0)
		say("no map %s here: %s", name, strerror(errno));
	close(btf);
	return fd;
}

/*
 * Since 7.0 storage is allocated by kmalloc_nolock(), which has nothing on a CPU without
 * cmpxchg16b: boot's. Then there is no such map.
 */
static void store(int *map, const int *owner, int number, const char *word)
{
	struct told value = {.number = number};

	if (*map < 0)
		return;
	snprintf(value.word, sizeof(value.word), "%s", word);
	if (!bpf_map_update_elem(*map, owner, &value, BPF_ANY))
		return;
	if (errno != ENOMEM)
		die("cannot store \"%s\": %s", word, strerror(errno));
	say("no storage here: %s", strerror(errno));
	close(*map);
	*map = -1;
}

static void make_storage(void)
{
	int self = (int)syscall(__NR_pidfd_open, getpid(), 0), other, file, sock, dir;
	socklen_t len = sizeof(made.sock_cookie);
	struct stat st;

	made.child = fork();
	if (!made.child)
		for (;;)
			pause();
	other = (int)syscall(__NR_pidfd_open, made.child, 0);
	made.task_storage = create_storage(BPF_MAP_TYPE_TASK_STORAGE, "d_task");
	store(&made.task_storage, &self, 1, "self");
	store(&made.task_storage, &other, 2, "child");
	/* A file of its own, which stays: an inode that nobody has goes, and its storage with it.
	 */
	file = open("/stored", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || fstat(file, &st))
		die("no file: %s", strerror(errno));
	made.inode = st.st_ino;
	made.device = st.st_dev;
	made.inode_storage = create_storage(BPF_MAP_TYPE_INODE_STORAGE, "d_inode");
	store(&made.inode_storage, &file, 3, "file");
	sock = listening();
	getsockopt(sock, SOL_SOCKET, SO_COOKIE, &made.sock_cookie, &len);
	made.sk_storage = create_storage(BPF_MAP_TYPE_SK_STORAGE, "d_sk");
	store(&made.sk_storage, &sock, 4, "sock");
	dir = open("/sys/fs/cgroup/below", O_RDONLY | O_CLOEXEC);
	made.cgrp_storage = create_storage(TYPE_CGRP_STORAGE, "d_cgrp");
	store(&made.cgrp_storage, &dir, 5, "below");
	if (fstat(dir, &st))
		die("no cgroup: %s", strerror(errno));
	made.cgroup = st.st_ino; /* the ID, on 64-bit kernels since 5.5 */
}

/* The storage of programs that are attached to a cgroup, which the kernel makes with that. */
static void make_cgroup_storage(void)
{
	static const struct {
		int type;
		const char *name;
		__u32 key;
	} maps[] = {
		{BPF_MAP_TYPE_CGROUP_STORAGE, "d_cgroup", sizeof(struct bpf_cgroup_storage_key)},
		{BPF_MAP_TYPE_CGROUP_STORAGE, "d_cgroup8", sizeof(__u64)},
		{BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, "d_pcpu_cgroup",
		 sizeof(struct bpf_cgroup_storage_key)},
	};
	int dir = open("/sys/fs/cgroup/below", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		int map = create(maps[i].type, maps[i].name, maps[i].key, 12, 0, 0), prog;
		struct code code = {.n = 0};
		struct bpf_cgroup_storage_key key = {0};

		emit_map(&code, BPF_REG_1, map);
		emit(&code, MOV, BPF_REG_2, 0, 0, 0);
		emit(&code, CALL, 0, 0, 0, BPF_FUNC_get_local_storage);
		prog = load(BPF_PROG_TYPE_CGROUP_SKB, &code, 1);
		if (bpf_prog_attach(prog, dir, BPF_CGROUP_INET_EGRESS, BPF_F_ALLOW_MULTI))
			die("cannot attach to a cgroup: %s", strerror(errno));
		if (maps[i].type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE)
			continue;
		if (bpf_map_get_next_key(map, NULL, &key))
			die("no cgroup's storage: %s", strerror(errno));
		put(map, &key, "twelve bytes", "a cgroup's storage");
	}
}

static void make_arena(void)
{
	char *at;

	made.arena = create(TYPE_ARENA, "d_arena", 0, 0, 10, BPF_F_MMAPABLE);
	if (made.arena < 0)
		return;
	at = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, made.arena, 0);
	if (at == MAP_FAILED)
		die("cannot map an arena: %s", strerror(errno));
	at[2 * PAGE + 5] = 'a';
	at[7 * PAGE] = 'b';
	made.arena_addr = (__u64)(unsigned long)at;
}

void make_maps(void)
{
	make_stacks_and_rings();
	make_bloom();
	make_sockets();
	make_devices();
	make_storage();
	make_cgroup_storage();
	make_arena();
}

void put_made_maps(FILE *f)
{
	fprintf(f, ",\"made\":{\"ring\":{\"size\":%d,\"consumer_pos\":24,\"producer_pos\":%llu}",
		PAGE, (unsigned long long)made.ring_positions[0]);
	fprintf(f, ",\"user_ring\":%s", made.user_ring < 0 ? "false" : "true");
	fprintf(f, ",\"bloom\":%s", made.bloom < 0 ? "false" : "true");
	fprintf(f, ",\"self\":%d,\"child\":%d", getpid(), made.child);
	fprintf(f, ",\"rootdev\":\"%u:%u\"", major(made.device), minor(made.device));
	fprintf(f, ",\"inode\":%llu,\"sock_cookie\":%llu", (unsigned long long)made.inode,
		(unsigned long long)made.sock_cookie);
	fprintf(f, ",\"task_storage\":%s", made.task_storage < 0 ? "false" : "true");
	fprintf(f, ",\"inode_storage\":%s", made.inode_storage < 0 ? "false" : "true");
	fprintf(f, ",\"sk_storage\":%s", made.sk_storage < 0 ? "false" : "true");
	fprintf(f, ",\"cgrp_storage\":%s", made.cgrp_storage < 0 ? "false" : "true");
	fprintf(f, ",\"cgroup\":%llu", (unsigned long long)made.cgroup);
	fprintf(f, ",\"arena\":%s,\"arena_addr\":%llu}", made.arena < 0 ? "false" : "true",
		(unsigned long long)made.arena_addr);
}
