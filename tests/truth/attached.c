// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Programs that are attached to cgroups and to the network, in each way that there is. What a
 * kernel has not is left out, and said. Devices, qdiscs and filters are made by ip and tc, whose
 * modules are in /modules.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

#define CGROUPS        "/sys/fs/cgroup"
#define ALLOW_PREORDER 64 /* since 6.15 */

/* Newer than the headers that this builds with. */
enum { TCX_INGRESS = 46, TCX_EGRESS, NETKIT_PRIMARY = 54, NETKIT_PEER };

/* --- programs and commands --- */

/* A program that returns 1, under its name in bpffs. */
static int load(const char *name, enum bpf_prog_type type, enum bpf_attach_type attach_type,
		const char *btf_name)
{
	struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type);
	char path[64];
	int fd, id;

	if (btf_name) {
		id = libbpf_find_vmlinux_btf_id(btf_name, attach_type);
		opts.attach_btf_id = id > 0 ? (__u32)id : 0;
	}
	fd = bpf_prog_load(type, name, "GPL", insns, 2, &opts);
	if (fd < 0) {
		say("no program %s: %s", name, strerror(errno));
		return fd;
	}
	note_loaded(fd)->attach_type = (int)attach_type;
	snprintf(path, sizeof(path), "/sys/fs/bpf/%s", name);
	if (bpf_obj_pin(fd, path))
		say("%s is not pinned: %s", path, strerror(errno));
	return fd;
}

/* A command of /usr/sbin and its words; what it prints goes to the console. */
static void run(const char *command)
{
	char line[512], path[64], *words[40] = {NULL}, *save = NULL;
	int n = 0, status = -1;
	pid_t pid;

	snprintf(line, sizeof(line), "%s", command);
	for (char *w = strtok_r(line, " ", &save); w && n < 39; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	snprintf(path, sizeof(path), "/usr/sbin/%s", words[0]);
	pid = fork();
	if (!pid) {
		execv(path, words);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		say("not done (%d): %s", status, command);
}

static void load_modules(void)
{
	struct dirent **found;
	int n = scandir("/modules", &found, NULL, alphasort);
	char path[320];

	for (int i = 0; i < n; i++) {
		int fd;

		snprintf(path, sizeof(path), "/modules/%s", found[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (found[i]->d_name[0] != '.' && (fd < 0 || syscall(SYS_finit_module, fd, "", 0)))
			say("no module %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		free(found[i]);
	}
	if (n >= 0)
		free(found);
}

/* --- cgroups --- */

static void attach(const char *dir, enum bpf_attach_type type, int prog, __u32 flags)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = flags);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || bpf_prog_attach_opts(prog, fd, type, &opts))
		say("nothing attached to %s as %d with %u: %s", dir, type, flags, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void link_to(const char *dir, enum bpf_attach_type type, int prog)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || bpf_link_create(prog, fd, type, NULL) < 0)
		say("no link to %s of %d: %s", dir, type, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void move_to(const char *dir)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		say("cannot go to %s: %s", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* A cgroup that is removed, while a socket is still in it. */
static void outlive(int prog)
{
	static const char dir[] = CGROUPS "/gone";

	mkdir(dir, 0755);
	attach(dir, BPF_CGROUP_INET_INGRESS, prog, 0);
	move_to(dir);
	if (socket(AF_INET, SOCK_DGRAM, 0) < 0)
		say("no socket: %s", strerror(errno));
	move_to(CGROUPS);
	if (rmdir(dir))
		say("cannot remove %s: %s", dir, strerror(errno));
}

static void cgroups(void)
{
	int skb[5], device, sysctl, bind, sock, ops, lsm[2];
	char name[32];

	mkdir(CGROUPS "/a.slice", 0755);
	mkdir(CGROUPS "/a.slice/b-with-a-long-name.service", 0755);
	mkdir(CGROUPS "/a.slice/b-with-a-long-name.service/c", 0755);
	mkdir(CGROUPS "/d", 0755);
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), CGROUPS "/many%d", i);
		mkdir(name, 0755);
	}
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "cg_skb%d", i);
		skb[i] = load(name, BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, NULL);
	}
	device = load("cg_device", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, NULL);
	sysctl = load("cg_sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, NULL);
	bind = load("cg_bind6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND, NULL);
	sock = load("cg_release", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE, NULL);
	ops = load("cg_sockops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, NULL);
	lsm[0] = load("cg_lsm_bind", BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, "socket_bind");
	lsm[1] = load("cg_lsm_post", BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, "socket_post_create");
	attach(CGROUPS, BPF_CGROUP_INET_INGRESS, skb[0], BPF_F_ALLOW_MULTI);
	attach(CGROUPS "/a.slice", BPF_CGROUP_INET_INGRESS, skb[1], BPF_F_ALLOW_MULTI);
	attach(CGROUPS "/a.slice", BPF_CGROUP_INET_INGRESS, skb[2], BPF_F_ALLOW_MULTI);
	attach(CGROUPS "/a.slice", BPF_CGROUP_INET_INGRESS, skb[3],
	       BPF_F_ALLOW_MULTI | ALLOW_PREORDER);
	link_to(CGROUPS "/a.slice", BPF_CGROUP_INET_INGRESS, skb[4]);
	attach(CGROUPS "/a.slice/b-with-a-long-name.service", BPF_CGROUP_INET_INGRESS, skb[4], 0);
	attach(CGROUPS "/a.slice/b-with-a-long-name.service/c", BPF_CGROUP_DEVICE, device,
	       BPF_F_ALLOW_OVERRIDE);
	attach(CGROUPS "/a.slice/b-with-a-long-name.service/c", BPF_CGROUP_SYSCTL, sysctl, 0);
	attach(CGROUPS "/d", BPF_CGROUP_INET6_BIND, bind, BPF_F_ALLOW_OVERRIDE);
	attach(CGROUPS "/d", BPF_CGROUP_INET_SOCK_RELEASE, sock, BPF_F_ALLOW_MULTI);
	attach(CGROUPS "/many40", BPF_CGROUP_SOCK_OPS, ops, 0);
	attach(CGROUPS "/d", BPF_LSM_CGROUP, lsm[0], 0);
	link_to(CGROUPS "/d", BPF_LSM_CGROUP, lsm[0]);
	link_to(CGROUPS, BPF_LSM_CGROUP, lsm[1]);
	outlive(skb[0]);
}

/* --- the network --- */

static void tcx(const char *device, __u32 type, int prog, bool is_link)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts);
	int ifindex = (int)if_nametoindex(device);

	if (is_link ? bpf_link_create(prog, ifindex, (enum bpf_attach_type)type, NULL) < 0
		    : bpf_prog_attach_opts(prog, ifindex, (enum bpf_attach_type)type, &opts))
		say("no tcx at %s of %u: %s", device, type, strerror(errno));
}

static void network(void)
{
	static const char *const commands[] = {
		"ip link set lo up",
		"ip link add v0 type veth peer name v1",
		"ip link add dum0 type dummy",
		"ip link add dum1 type dummy",
		"ip link add kit0 type netkit",
		"ip link set v0 up",
		"ip link set v0 xdpdrv pinned /sys/fs/bpf/n_xdp0",
		"ip link set v1 xdpgeneric pinned /sys/fs/bpf/n_xdp1",
		"tc qdisc add dev v0 clsact",
		"tc filter add dev v0 ingress prio 2 handle 1 bpf da object-pinned /sys/fs/bpf/n_cls0",
		"tc filter add dev v0 ingress prio 2 handle 7 bpf object-pinned /sys/fs/bpf/n_cls1",
		"tc filter add dev v0 ingress prio 1 protocol ip bpf da object-pinned /sys/fs/bpf/n_cls2",
		"tc filter add dev v0 ingress chain 3 bpf da object-pinned /sys/fs/bpf/n_cls1",
		"tc filter add dev v0 egress bpf da object-pinned /sys/fs/bpf/n_cls1",
		"tc filter add dev v0 egress bpf bytecode-file /classic",
		"tc qdisc add dev v1 ingress",
		"tc filter add dev v1 ingress bpf da object-pinned /sys/fs/bpf/n_cls2",
		"tc qdisc add dev dum0 root handle 1: prio",
		"tc filter add dev dum0 parent 1: prio 5 bpf object-pinned /sys/fs/bpf/n_cls0",
		"tc qdisc add dev dum0 ingress_block 22 clsact",
		"tc filter add block 22 bpf da object-pinned /sys/fs/bpf/n_cls0",
		"tc qdisc add dev dum1 ingress_block 22 clsact",
		"tc qdisc add dev dum1 root handle 5: htb",
		"tc filter add dev dum1 parent 5: bpf object-pinned /sys/fs/bpf/n_cls1",
		"tc class add dev dum1 parent 5: classid 5:1 htb rate 1mbit",
		"tc class add dev dum1 parent 5:1 classid 5:21 htb rate 1mbit",
		"tc filter add dev dum1 parent 5:1 bpf object-pinned /sys/fs/bpf/n_cls0",
		"tc filter add dev dum1 parent 5:21 prio 3 bpf object-pinned /sys/fs/bpf/n_cls2",
		"tc filter add dev dum1 parent 5:21 prio 4 bpf object-pinned /sys/fs/bpf/n_cls1",
		"ip link add dum2 type dummy",
		"tc qdisc add dev dum2 root handle 6: hfsc",
		"tc filter add dev dum2 parent 6: bpf object-pinned /sys/fs/bpf/n_cls1",
		"tc class add dev dum2 parent 6: classid 6:9 hfsc ls rate 1mbit",
		"tc filter add dev dum2 parent 6:9 bpf object-pinned /sys/fs/bpf/n_cls2",
		/* Chain 0 is empty, so that no packet gets to chain 4. */
		"tc qdisc add dev lo clsact",
		"tc filter add dev lo egress chain 4 bpf da object-pinned /sys/fs/bpf/n_cls0",
	};
	int cls[3], kit, flow;
	char name[16];
	FILE *f;

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "n_cls%d", i);
		cls[i] = load(name, BPF_PROG_TYPE_SCHED_CLS, 0, NULL);
	}
	load("n_xdp0", BPF_PROG_TYPE_XDP, BPF_XDP, NULL);
	load("n_xdp1", BPF_PROG_TYPE_XDP, BPF_XDP, NULL);
	kit = load("n_kit", BPF_PROG_TYPE_SCHED_CLS, (enum bpf_attach_type)NETKIT_PRIMARY, NULL);
	flow = load("n_flow", BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, NULL);
	f = fopen("/classic", "we");
	if (f) {
		fprintf(f, "1,6 0 0 4294967295");
		fclose(f);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		run(commands[i]);
	tcx("v0", TCX_INGRESS, cls[1], false);
	tcx("v0", TCX_INGRESS, cls[2], true);
	tcx("v0", TCX_EGRESS, cls[0], true);
	tcx("kit0", NETKIT_PRIMARY, kit, false);
	tcx("kit0", NETKIT_PEER, kit, true);
	if (bpf_prog_attach(flow, 0, BPF_FLOW_DISSECTOR, 0))
		say("no flow dissector: %s", strerror(errno));
}

/* Programs of a sockmap and of a sockhash, without links. */
static void sockmaps(void)
{
	static const struct {
		const char *name;
		__u32 prog, attach;
	} progs[] = {
		{"s_msg", BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT},
		{"s_parser", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_PARSER},
		{"s_stream", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_VERDICT},
		{"s_skb", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_VERDICT},
	};
	const int maps[] = {bpf_map_create(BPF_MAP_TYPE_SOCKMAP, "s_map", 4, 4, 4, NULL),
			    bpf_map_create(BPF_MAP_TYPE_SOCKHASH, "s_hash", 4, 4, 4, NULL)};

	/* A map takes a program for streams or one for each skb. */
	for (size_t i = 0; i < sizeof(progs) / sizeof(progs[0]); i++) {
		int prog = load(progs[i].name, progs[i].prog, progs[i].attach, NULL);
		int map = maps[progs[i].attach == BPF_SK_SKB_VERDICT];

		if (bpf_prog_attach(prog, map, (enum bpf_attach_type)progs[i].attach, 0))
			say("%s is not attached: %s", progs[i].name, strerror(errno));
	}
	if (bpf_prog_attach(load("s_msg2", BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT, NULL), maps[1],
			    BPF_SK_MSG_VERDICT, 0))
		say("s_msg2 is not attached: %s", strerror(errno));
}

/* --- what the kernel says --- */

/* The part of union bpf_attr for BPF_PROG_QUERY, as it is since 6.6. */
struct query {
	__u32 target, type, flags, attach_flags;
	__u64 ids;
	__u32 count, pad;
	__u64 prog_flags, link_ids, link_flags, revision;
};

static void put_mprog(FILE *f, const struct if_nameindex *dev, __u32 type, const char *kind,
		      bool *is_first)
{
	__u32 ids[64] = {0}, links[64] = {0};
	struct query query = {.target = dev->if_index,
			      .type = type,
			      .ids = (__u64)(unsigned long)ids,
			      .link_ids = (__u64)(unsigned long)links,
			      .count = 64};

	if (syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof(query)))
		return;
	for (__u32 i = 0; i < query.count; i++) {
		fprintf(f, "%s{\"devname\":", *is_first ? "" : ",");
		put_string(f, dev->if_name);
		fprintf(f, ",\"ifindex\":%u,\"kind\":\"%s\",\"prog_id\":%u,\"link_id\":%u}",
			dev->if_index, kind, ids[i], links[i]);
		*is_first = false;
	}
}

/* bpftool of 6.1 does not know of tcx and netkit. */
static void put_mprogs(FILE *f)
{
	struct if_nameindex *devices = if_nameindex();
	bool is_first = true;

	fprintf(f, ",\"mprogs\":[");
	for (struct if_nameindex *dev = devices; dev && dev->if_index; dev++) {
		put_mprog(f, dev, TCX_INGRESS, "tcx/ingress", &is_first);
		put_mprog(f, dev, TCX_EGRESS, "tcx/egress", &is_first);
		put_mprog(f, dev, NETKIT_PRIMARY, "netkit/primary", &is_first);
		put_mprog(f, dev, NETKIT_PEER, "netkit/peer", &is_first);
	}
	if_freenameindex(devices);
	fprintf(f, "]");
}

/* The network namespace that this process is in. What bpftool prints need not be JSON. */
static void put_net(FILE *f)
{
	char *argv[] = {"bpftool", "-j", "net", NULL}, *text = run_bpftool(argv, false);
	struct stat ns;

	if (stat("/proc/self/ns/net", &ns))
		die("no namespace: %s", strerror(errno));
	fprintf(f, "{\"netns_ino\":%llu,\"text\":", (unsigned long long)ns.st_ino);
	put_string(f, text);
	put_mprogs(f);
	fputc('}', f);
	free(text);
}

/* Since 5.16 a map can be asked for its programs. */
static void put_sockmap(FILE *f, int fd, __u32 id, bool *is_first)
{
	static const struct {
		const char *name;
		__u32 type;
	} types[] = {
		{"sk_msg_verdict", BPF_SK_MSG_VERDICT},
		{"sk_skb_stream_parser", BPF_SK_SKB_STREAM_PARSER},
		{"sk_skb_stream_verdict", BPF_SK_SKB_STREAM_VERDICT},
		{"sk_skb_verdict", BPF_SK_SKB_VERDICT},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		__u32 ids[4] = {0};
		struct query query = {.target = (__u32)fd,
				      .type = types[i].type,
				      .ids = (__u64)(unsigned long)ids,
				      .count = 4};

		if (syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof(query)) || !query.count)
			continue;
		fprintf(f, "%s{\"map_id\":%u,\"attach_type\":\"%s\",\"id\":%u}",
			*is_first ? "" : ",", id, types[i].name, ids[0]);
		*is_first = false;
	}
}

static void put_sockmaps(FILE *f)
{
	bool is_first = true;

	fprintf(f, ",\"sockmap\":[");
	for (__u32 id = 0; !bpf_map_get_next_id(id, &id);) {
		struct bpf_map_info info = {.type = 0};
		__u32 len = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    (info.type == BPF_MAP_TYPE_SOCKMAP || info.type == BPF_MAP_TYPE_SOCKHASH))
			put_sockmap(f, fd, id, &is_first);
		close(fd);
	}
	fputc(']', f);
}

#define OTHER "/other-net"

static void tell_other(void)
{
	FILE *f = fopen(OTHER, "we");

	if (!f)
		die(OTHER ": %s", strerror(errno));
	put_net(f);
	fclose(f);
}

static void put_file(FILE *to, const char *path)
{
	FILE *f = fopen(path, "re");
	int c;

	while (f && (c = fgetc(f)) != EOF)
		fputc(c, to);
	if (f)
		fclose(f);
}

/* Another network namespace, which a process has that waits for ever. */
static void another_namespace(void)
{
	static const char *const commands[] = {
		"ip link add w0 type dummy",
		"ip link set w0 xdpgeneric pinned /sys/fs/bpf/n_xdp1",
		"tc qdisc add dev w0 clsact",
		"tc filter add dev w0 egress bpf da object-pinned /sys/fs/bpf/n_cls1",
	};
	int done[2], fd, lookup = load("n_lookup", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, NULL);
	char c;

	if (pipe(done))
		die("no pipe: %s", strerror(errno));
	if (!fork()) {
		if (unshare(CLONE_NEWNET))
			say("no namespace: %s", strerror(errno));
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			run(commands[i]);
		fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (bpf_link_create(lookup, fd, BPF_SK_LOOKUP, NULL) < 0)
			say("no sk_lookup: %s", strerror(errno));
		tell_other();
		if (write(done[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(done[0], &c, 1) != 1)
		die("no other namespace");
}

static void put_cgroups(FILE *f, const char *key, char *effective)
{
	char *argv[] = {"bpftool", "-j", "cgroup", "tree", CGROUPS, effective, NULL};
	char *text = run_bpftool(argv, false);

	fprintf(f, ",\"%s\":%s", key, text);
	free(text);
}

/* A kprobe_multi link to a function of a module; before 5.18 there are none. */
static void probe_module(void)
{
	static const char *const syms[] = {"veth_dellink"};
	static const __u64 cookies[] = {0x1234};
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.cnt = 1,
		    .kprobe_multi.syms = (const char **)(unsigned long)syms,
		    .kprobe_multi.cookies = cookies);
	int prog = load("in_module", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, NULL);

	note_functions(syms, cookies, 1);
	if (prog < 0 || bpf_link_create(prog, 0, BPF_TRACE_KPROBE_MULTI, &opts) < 0)
		say("no kprobe_multi of a module: %s", strerror(errno));
}

void attach_places(void)
{
	load_modules();
	probe_module();
	cgroups();
	network();
	sockmaps();
	another_namespace();
}

/* What `bpftool cgroup show` has of one, and `bpftool net show dev`. */
static void put_one(FILE *f)
{
	static char cgroup[] = CGROUPS "/a.slice", other[] = CGROUPS "/d",
		    effective[] = "effective";
	char *show[] = {"bpftool", "-j", "cgroup", "show", cgroup, NULL, NULL};
	char *dev[] = {"bpftool", "-j", "net", "show", "dev", "v0", NULL};
	char *text = run_bpftool(show, true);

	fprintf(f, ",\"cgroup_slice\":%s", text[0] ? text : "[]");
	free(text);
	show[5] = effective;
	text = run_bpftool(show, true);
	fprintf(f, ",\"cgroup_slice_effective\":%s", text[0] ? text : "[]");
	free(text);
	show[4] = other;
	show[5] = NULL;
	text = run_bpftool(show, true);
	fprintf(f, ",\"cgroup_d\":%s,\"net_v0\":", text[0] ? text : "[]");
	free(text);
	text = run_bpftool(dev, false);
	put_string(f, text);
	free(text);
}

void put_places(FILE *f)
{
	put_one(f);
	put_sockmaps(f);
	put_cgroups(f, "cgroups", NULL);
	put_cgroups(f, "effective", "effective");
	fprintf(f, ",\"net\":[");
	put_net(f);
	fputc(',', f);
	put_file(f, OTHER);
	fputc(']', f);
}
