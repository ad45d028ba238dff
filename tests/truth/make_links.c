// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Links of the types that objects do not make. None of their programs runs by itself: what they
 * hang on does not happen in this guest. What a kernel has not is left out, and said.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/perf_event.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "truth.h"

/* Newer than the headers that this builds with. */
enum {
	TYPE_NETFILTER = 32,
	ATTACH_STRUCT_OPS = 44,
	ATTACH_NETFILTER = 45,
	ATTACH_TCX_INGRESS = 46,
	ATTACH_TCX_EGRESS = 47,
	ATTACH_UPROBE_MULTI = 48,
	ATTACH_NETKIT_PRIMARY = 54,
};
#define MAP_LINKED (1U << 13) /* BPF_F_LINK */
#define LOOPBACK   1
#define COOKIE     0xabcdef0123456789

/* The part of union bpf_attr for BPF_LINK_CREATE and BPF_RAW_TRACEPOINT_OPEN. */
union link_attr {
	struct {
		__u32 prog, target, attach_type, flags;
		union {
			__u32 btf_id;
			struct {
				__u32 btf_id;
				__u64 cookie;
			} tracing;
			struct {
				__u32 pf, hook;
				__s32 prio;
				__u32 flags;
			} netfilter;
			struct {
				__u64 path, offsets, ref_ctr_offsets, cookies;
				__u32 cnt, flags, pid;
			} uprobe_multi;
			struct {
				__u32 flags, cnt;
				__u64 syms, addrs, cookies;
			} kprobe_multi;
			struct {
				__u64 cookie;
			} perf_event;
			struct {
				__u64 info;
				__u32 info_len;
			} iter;
		};
	} create;
	struct {
		__u64 name;
		__u32 prog, pad;
		__u64 cookie;
	} raw_tracepoint;
	char room[128];
};

static __u64 pointer(const void *p)
{
	return (__u64)(unsigned long)p;
}

/* The link is open as long as the guest runs. */
static void create(const char *what, const union link_attr *attr)
{
	if (syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(*attr)) < 0)
		say("no link: %s: %s", what, strerror(errno));
}

/* A program that returns 1, or 0 for the types that may not. */
static int load(__u32 type, __u32 attach_type, const char *btf_name)
{
	struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type);
	const char *prefix = attach_type == BPF_TRACE_ITER ? "bpf_iter_" : "";
	struct loaded *loaded;
	int fd, id = 0;

	if (type == BPF_PROG_TYPE_SK_MSG || type == TYPE_NETFILTER)
		insns[0].imm = 1;
	if (btf_name) {
		id = libbpf_find_vmlinux_btf_id(btf_name, (enum bpf_attach_type)attach_type);
		opts.attach_btf_id = id > 0 ? (__u32)id : 0;
	}
	fd = bpf_prog_load((enum bpf_prog_type)type, "linked", "GPL", insns, 2, &opts);
	if (fd < 0) {
		say("no program of type %u for %u: %s", type, attach_type, strerror(errno));
		return fd;
	}
	loaded = note_loaded(fd);
	loaded->attach_type = (int)attach_type;
	if (btf_name)
		snprintf(loaded->attach_name, sizeof(loaded->attach_name), "%s%s", prefix,
			 btf_name);
	return fd;
}

/* Nobody calls it, so that a breakpoint in it stops nobody. */
__attribute__((noinline, used)) static void never_called(void)
{
	__asm__ volatile("" ::: "memory");
}

/* Where a function of this program lies in its file. */
static __u64 file_offset(void (*function)(void))
{
	unsigned long addr = (unsigned long)function, start, end, offset;
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 && addr >= start &&
		    addr < end) {
			fclose(f);
			return addr - start + offset;
		}
	die("no map of this program");
}

static unsigned int read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	unsigned int ret = 0;

	if (f) {
		if (fscanf(f, "%u", &ret) != 1)
			ret = 0;
		fclose(f);
	}
	return ret;
}

static void perf_link(const char *what, __u32 prog_type, struct perf_event_attr *event)
{
	union link_attr attr = {.create = {.attach_type = BPF_PERF_EVENT}};
	int prog = load(prog_type, 0, NULL), fd;

	event->size = sizeof(*event);
	fd = (int)syscall(SYS_perf_event_open, event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (prog < 0 || fd < 0) {
		say("no event: %s: %s", what, strerror(errno));
		return;
	}
	attr.create.prog = (__u32)prog;
	attr.create.target = (__u32)fd;
	attr.create.perf_event.cookie = COOKIE;
	create(what, &attr);
}

/* The same in the old way, which makes no link. */
static void perf_ioctl(const char *what, __u32 prog_type, struct perf_event_attr *event)
{
	int prog = load(prog_type, 0, NULL), fd;

	event->size = sizeof(*event);
	fd = (int)syscall(SYS_perf_event_open, event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (prog < 0 || fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog))
		say("no event by ioctl: %s: %s", what, strerror(errno));
}

/* 0: it is not there. */
static __u64 address_of(const char *function)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long addr = 0;
	char line[512], name[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx %*c %255s", &addr, name) == 2 && !strcmp(name, function))
			break;
	if (!f || feof(f))
		addr = 0;
	if (f)
		fclose(f);
	return addr;
}

/* Each in both ways: at the entry, and at the return. */
static void probes(void)
{
	static const char kprobes[] = "/sys/bus/event_source/devices/kprobe/type";
	static const char uprobes[] = "/sys/bus/event_source/devices/uprobe/type";

	for (__u64 is_return = 0; is_return < 2; is_return++) {
		struct perf_event_attr kprobe = {.type = read_number(kprobes),
						 .config = is_return,
						 .config1 = pointer("do_init_module")};
		struct perf_event_attr uprobe = {.type = read_number(uprobes),
						 .config = is_return,
						 .config1 = pointer("/init"),
						 .config2 = file_offset(never_called)};

		perf_link("kprobe", BPF_PROG_TYPE_KPROBE, &kprobe);
		perf_link("uprobe", BPF_PROG_TYPE_KPROBE, &uprobe);
		perf_ioctl("kprobe", BPF_PROG_TYPE_KPROBE, &kprobe);
		perf_ioctl("uprobe", BPF_PROG_TYPE_KPROBE, &uprobe);
		kprobe.config1 = 0;
		kprobe.config2 = address_of("kernel_restart");
		perf_ioctl("kprobe at an address", BPF_PROG_TYPE_KPROBE, &kprobe);
	}
}

static void events(void)
{
	static const char dir[] = "/sys/kernel/tracing/events/%s/id";
	static const char *const tracepoints[] = {"module/module_free", "syscalls/sys_enter_reboot",
						  "syscalls/sys_exit_reboot"};
	struct perf_event_attr dummy = {.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_DUMMY,
					.sample_period = 1,
					.disabled = 1};

	for (size_t i = 0; i < sizeof(tracepoints) / sizeof(tracepoints[0]); i++) {
		struct perf_event_attr event = {.type = PERF_TYPE_TRACEPOINT, .sample_period = 1};
		char path[128];

		snprintf(path, sizeof(path), dir, tracepoints[i]);
		event.config = read_number(path);
		perf_link(tracepoints[i], BPF_PROG_TYPE_TRACEPOINT, &event);
	}
	perf_link("event", BPF_PROG_TYPE_PERF_EVENT, &dummy);
	perf_ioctl("event", BPF_PROG_TYPE_PERF_EVENT, &dummy);
}

static void multi(void)
{
	static const char *const syms[] = {"do_init_module", "panic", "kernel_restart"};
	static const __u64 cookies[] = {3, COOKIE, 5};
	__u64 offsets[] = {file_offset(never_called), file_offset(never_called) + 1};
	union link_attr attr = {.create = {.attach_type = BPF_TRACE_KPROBE_MULTI}};
	int kprobe = load(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, NULL);
	int uprobe = load(BPF_PROG_TYPE_KPROBE, ATTACH_UPROBE_MULTI, NULL);

	attr.create.prog = (__u32)kprobe;
	attr.create.kprobe_multi.cnt = 3;
	attr.create.kprobe_multi.syms = pointer(syms);
	attr.create.kprobe_multi.cookies = pointer(cookies);
	attr.create.kprobe_multi.flags = 1;
	/* First, since its cookies tell which address is which function's: note_functions(). */
	create("kretprobe_multi", &attr);
	note_functions(syms, cookies, 3);
	attr.create.kprobe_multi.cookies = 0;
	attr.create.kprobe_multi.flags = 0;
	create("kprobe_multi", &attr);

	attr = (union link_attr){.create = {.attach_type = ATTACH_UPROBE_MULTI}};
	attr.create.prog = (__u32)uprobe;
	attr.create.uprobe_multi.path = pointer("/init");
	attr.create.uprobe_multi.offsets = pointer(offsets);
	attr.create.uprobe_multi.cnt = 1;
	create("uprobe_multi", &attr);
	attr.create.uprobe_multi.cookies = pointer(cookies);
	attr.create.uprobe_multi.flags = 1;
	attr.create.uprobe_multi.pid = (__u32)getpid();
	create("uretprobe_multi", &attr);
}

/* A device, or none any more: of NLM_F_CREATE and RTM_DELLINK. False: it cannot be. */
static bool change_device(__u16 what, const char *kind, const char *name)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
		char room[256];
	} ask = {.head = {.nlmsg_type = what,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
					 (what == RTM_NEWLINK ? NLM_F_CREATE | NLM_F_EXCL : 0)}};
	struct rtattr *attr = (void *)ask.room, *outer;
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char room[512];
	} reply = {.error = {.error = -1}};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	attr->rta_type = IFLA_IFNAME;
	attr->rta_len = (unsigned short)RTA_LENGTH(strlen(name) + 1);
	memcpy(RTA_DATA(attr), name, strlen(name) + 1);
	outer = (void *)((char *)attr + RTA_ALIGN(attr->rta_len));
	outer->rta_type = IFLA_LINKINFO;
	attr = RTA_DATA(outer);
	attr->rta_type = IFLA_INFO_KIND;
	attr->rta_len = (unsigned short)RTA_LENGTH(strlen(kind));
	memcpy(RTA_DATA(attr), kind, strlen(kind));
	outer->rta_len = (unsigned short)RTA_LENGTH(RTA_ALIGN(attr->rta_len));
	ask.head.nlmsg_len = (__u32)((char *)outer + RTA_ALIGN(outer->rta_len) - (char *)&ask);
	if (fd < 0 || send(fd, &ask, ask.head.nlmsg_len, 0) < 0 ||
	    recv(fd, &reply, sizeof(reply), 0) < 0)
		reply.error.error = -errno;
	if (fd >= 0)
		close(fd);
	if (reply.error.error)
		say("no device %s of kind %s: %s", name, kind, strerror(-reply.error.error));
	return !reply.error.error;
}

static void on_device(const char *what, __u32 prog_type, __u32 attach_type, __u32 device)
{
	union link_attr attr = {.create = {.attach_type = attach_type, .target = device}};

	attr.create.prog = (__u32)load(prog_type, attach_type, NULL);
	create(what, &attr);
}

static void devices(void)
{
	on_device("tcx", BPF_PROG_TYPE_SCHED_CLS, ATTACH_TCX_INGRESS, LOOPBACK);
	on_device("tcx", BPF_PROG_TYPE_SCHED_CLS, ATTACH_TCX_EGRESS, LOOPBACK);
	if (change_device(RTM_NEWLINK, "netkit", "kit0"))
		on_device("netkit", BPF_PROG_TYPE_SCHED_CLS, ATTACH_NETKIT_PRIMARY,
			  if_nametoindex("kit0"));
	/* Their device goes, and they stay. */
	if (change_device(RTM_NEWLINK, "netkit", "gone0")) {
		__u32 gone = if_nametoindex("gone0");

		on_device("netkit", BPF_PROG_TYPE_SCHED_CLS, ATTACH_NETKIT_PRIMARY, gone);
		on_device("tcx", BPF_PROG_TYPE_SCHED_CLS, ATTACH_TCX_INGRESS, gone);
		on_device("xdp", BPF_PROG_TYPE_XDP, BPF_XDP, gone);
		change_device(RTM_DELLINK, "netkit", "gone0");
	}
}

static void net(void)
{
	union link_attr attr = {.create = {.attach_type = ATTACH_NETFILTER}};
	int map = bpf_map_create(BPF_MAP_TYPE_SOCKMAP, "sockets", 4, 4, 4, NULL);

	attr.create.prog = (__u32)load(TYPE_NETFILTER, ATTACH_NETFILTER, NULL);
	attr.create.netfilter.pf = 2; /* NFPROTO_IPV4 */
	attr.create.netfilter.hook = 2;
	attr.create.netfilter.prio = -123;
	create("netfilter", &attr);
	attr.create.netfilter.hook = 0;
	attr.create.netfilter.prio = 77;
	attr.create.netfilter.flags = 1; /* BPF_F_NETFILTER_IP_DEFRAG */
	create("netfilter with defragmentation", &attr);
	attr = (union link_attr){.create = {.attach_type = BPF_SK_MSG_VERDICT}};
	attr.create.prog = (__u32)load(BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT, NULL);
	attr.create.target = (__u32)map;
	create("sockmap", &attr);
}

static void iterator(const char *what, union bpf_iter_link_info *info)
{
	union link_attr attr = {.create = {.attach_type = BPF_TRACE_ITER}};
	char name[64];

	snprintf(name, sizeof(name), "%s", what);
	attr.create.prog = (__u32)load(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, name);
	attr.create.iter.info = pointer(info);
	attr.create.iter.info_len = info ? sizeof(*info) : 0;
	create(what, &attr);
}

static void iterators(void)
{
	union bpf_iter_link_info map = {.map = {.map_fd = 0}}, tid = {.task = {.tid = 0}};
	union bpf_iter_link_info pid = {.task = {.pid = 0}}, cgroup = {.cgroup = {.order = 0}};

	map.map.map_fd = (__u32)bpf_map_create(BPF_MAP_TYPE_ARRAY, "walked", 4, 4, 4, NULL);
	tid.task.tid = (__u32)getpid();
	pid.task.pid = (__u32)getpid();
	cgroup.cgroup.order = BPF_CGROUP_ITER_DESCENDANTS_PRE;
	cgroup.cgroup.cgroup_fd = (__u32)open("/sys/fs/cgroup/below",
					      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	iterator("bpf_map_elem", &map);
	iterator("task", &tid);
	iterator("task", &pid);
	iterator("task_file", NULL);
	iterator("cgroup", &cgroup);
	iterator("bpf_map", NULL);
}

static void tracing(void)
{
	static const char name[] = "module_free";
	union link_attr attr = {.create = {.attach_type = BPF_TRACE_FEXIT}};

	attr.create.prog = (__u32)load(BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, "kernel_restart");
	attr.create.tracing.cookie = COOKIE;
	create("tracing", &attr);
	attr = (union link_attr){.raw_tracepoint = {.name = pointer(name), .cookie = COOKIE}};
	attr.raw_tracepoint.prog = (__u32)load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL);
	if (syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)) < 0)
		say("no link: raw_tracepoint with a cookie: %s", strerror(errno));
}

/* Loads the congestion control of ops.bpf.o, and returns its map; NULL: that does not work. */
static struct bpf_map *load_struct_ops(__u32 flags)
{
	struct bpf_object *obj = bpf_object__open_file("/bpf/ops.bpf.o", NULL);
	struct bpf_map *map = NULL, *m;
	struct bpf_program *prog;

	if (!obj)
		return NULL;
	bpf_object__for_each_map (m, obj)
		if (bpf_map__type(m) == BPF_MAP_TYPE_STRUCT_OPS)
			map = m;
	if (!map || bpf_map__set_map_flags(map, flags) || bpf_object__load(obj)) {
		say("no struct_ops with flags %#x: %s", flags, strerror(errno));
		bpf_object__close(obj);
		return NULL;
	}
	bpf_object__for_each_program (prog, obj)
		note_object_prog(prog);
	return map;
}

/* Once more and as a link; before 6.4, without one. */
static void struct_ops(void)
{
	union link_attr attr = {.create = {.attach_type = ATTACH_STRUCT_OPS}};
	struct bpf_map *map = load_struct_ops(MAP_LINKED);
	bool linked = map;

	if (!map)
		map = load_struct_ops(0);
	if (!map || !bpf_map__attach_struct_ops(map)) {
		say("no struct_ops is attached: %s", strerror(errno));
		return;
	}
	attr.create.prog = (__u32)bpf_map__fd(map);
	if (linked)
		create("struct_ops", &attr);
}

void make_links(void)
{
	probes();
	events();
	multi();
	devices();
	net();
	iterators();
	tracing();
	struct_ops();
}
