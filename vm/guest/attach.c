// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * By type: what a program can be attached to in a guest that has nothing but its kernel. An XDP or
 * tc program gets the loopback device, a cgroup program a fresh cgroup, a program with a target in
 * its section that target; libbpf attaches those by itself.
 */
#include "vm/guest/attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "vm/guest/load_log.h"

#define LO     1 /* the index of the loopback device in each network namespace */
#define CGROUP "/ktstr/cgroup"

/* Newer than some headers: linux/bpf.h has them in enums. */
#define TYPE_NETFILTER    32 /* BPF_PROG_TYPE_NETFILTER, Linux 6.4 */
#define TCX_INGRESS       46 /* BPF_TCX_INGRESS, Linux 6.6 */
#define ATTACH_LSM_CGROUP 43 /* BPF_LSM_CGROUP, Linux 6.0 */

/* --- places --- */

static void to_target(struct bpf_program *prog, struct attach_result *ret)
{
	char to[128];
	struct bpf_link *link = bpf_program__attach(prog);

	snprintf(to, sizeof(to), "%.120s", bpf_program__section_name(prog));
	if (!link && errno == EOPNOTSUPP)
		attach_say(ret, KT_ATTACH_NO_PLACE, "its section \"%s\" names no target", to);
	else
		attach_take_link(link, to, ret);
}

/* What it prints is read once, which is what an iterator is for. */
static void to_iterator(struct bpf_program *prog, struct attach_result *ret)
{
	struct bpf_link *link = bpf_program__attach(prog);
	char buf[4096];
	int fd;

	if (!link && errno == EBADF) {
		attach_say(ret, KT_ATTACH_NO_PLACE,
			   "it iterates over a map, which its loader names");
		return;
	}
	if (!link) {
		attach_say_refused(ret, errno, bpf_program__section_name(prog));
		return;
	}
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd >= 0)
		while (read(fd, buf, sizeof(buf)) > 0)
			;
	if (fd < 0)
		attach_say_refused(ret, errno, "as an iterator");
	else
		attach_say(ret, KT_ATTACH_DONE, "an iterator, read once");
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
}

static void to_xdp(struct bpf_program *prog, struct attach_result *ret)
{
	enum bpf_attach_type type = bpf_program__expected_attach_type(prog);

	if (type == BPF_XDP_DEVMAP || type == BPF_XDP_CPUMAP)
		attach_say(ret, KT_ATTACH_NO_PLACE, "it runs behind a map of devices or CPUs");
	else
		attach_take_link(bpf_program__attach_xdp(prog, LO), "lo", ret);
}

/* tcx since 6.6, before that clsact, which may be a module that this guest lacks. */
static void to_tc(struct bpf_program *prog, struct attach_result *ret)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LO, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(prog));
	int fd = bpf_link_create(bpf_program__fd(prog), LO, (enum bpf_attach_type)TCX_INGRESS,
				 NULL);
	int err;

	if (fd >= 0) {
		close(fd);
		attach_say(ret, KT_ATTACH_DONE, "lo, tcx ingress");
		return;
	}
	err = bpf_tc_hook_create(&hook);
	if (!err || err == -EEXIST)
		err = bpf_tc_attach(&hook, &opts);
	if (err == -ENOENT || err == -EOPNOTSUPP)
		attach_say(
			ret, KT_ATTACH_NO_PLACE,
			"this kernel has no tcx (6.6), and clsact is a module that the guest lacks");
	else if (err)
		attach_say_refused(ret, -err, "lo, clsact ingress");
	else
		attach_say(ret, KT_ATTACH_DONE, "lo, clsact ingress");
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(&hook);
}

static void to_cgroup(struct bpf_program *prog, struct attach_result *ret)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), CGROUP "/try-%d", (int)getpid());
	if (mkdir(path, 0755) || (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		attach_say(ret, KT_ATTACH_NO_PLACE, "this kernel gives no cgroup v2: %s",
			   strerror(errno));
		rmdir(path);
		return;
	}
	attach_take_link(bpf_program__attach_cgroup(prog, fd), "a fresh cgroup", ret);
	close(fd);
	rmdir(path);
}

static void to_netns(struct bpf_program *prog, struct attach_result *ret)
{
	_cleanup_close_ int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	attach_take_link(bpf_program__attach_netns(prog, fd), "the network namespace", ret);
}

static void to_socket(struct bpf_program *prog, struct attach_result *ret)
{
	int fd = bpf_program__fd(prog), socks[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, socks)) {
		attach_say_refused(ret, errno, "a socket");
		return;
	}
	if (setsockopt(socks[0], SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)))
		attach_say_refused(ret, errno, "a socket");
	else
		attach_say(ret, KT_ATTACH_DONE, "a socket");
	close(socks[0]);
	close(socks[1]);
}

static void to_sockmap(struct bpf_program *prog, struct attach_result *ret)
{
	_cleanup_close_ int map = bpf_map_create(BPF_MAP_TYPE_SOCKMAP, "try", 4, 4, 1, NULL);
	enum bpf_attach_type type = bpf_program__expected_attach_type(prog);

	/* SEC("sk_skb") names none; 0 is of cgroups. */
	if (!type)
		type = BPF_SK_SKB_STREAM_VERDICT;
	if (map < 0 || bpf_prog_attach(bpf_program__fd(prog), map, type, 0)) {
		attach_say_refused(ret, errno, "a socket map");
		return;
	}
	bpf_prog_detach2(bpf_program__fd(prog), map, type);
	attach_say(ret, KT_ATTACH_DONE, "a socket map");
}

static void to_perf_event(struct bpf_program *prog, struct attach_result *ret)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 1000000,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		attach_say_refused(ret, errno, "a clock of perf");
	else /* the link takes fd */
		attach_take_link(bpf_program__attach_perf_event(prog, fd), "a clock of perf", ret);
}

/* --- runs --- */

/* Ethernet, IPv4, UDP from port 7 to 7, on lo. */
static const unsigned char packet[64] = {
	0, 0, 0,  0,  0, 0, 0,   0, 0, 0, 0,   0, 0x08, 0x00, 0x45, 0, 0, 50, 0, 0,
	0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0,    1,    0,    7, 0, 7,  0, 30,
};

static void run_once(int fd, bool with_packet, struct attach_result *ret)
{
	static unsigned char context[4096]; /* of a syscall program, which may read any of it */
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err;

	if (with_packet) {
		opts.data_in = packet;
		opts.data_size_in = sizeof(packet);
		opts.repeat = 1;
	} else {
		opts.ctx_in = context;
		opts.ctx_size_in = sizeof(context);
	}
	err = bpf_prog_test_run_opts(fd, &opts);
	ret->ran = err ? KT_TEST_RUN_REFUSED : KT_TEST_RUN_DONE;
	ret->run_error = err < 0 ? -err : err;
	ret->retval = opts.retval;
}

/* While it is there, the program that it was loaded for is run: that calls it. */
static void to_function(struct bpf_program *prog, int target, struct attach_result *ret)
{
	struct bpf_link *link = bpf_program__attach(prog);

	if (link)
		run_once(target, true, ret);
	attach_take_link(link, bpf_program__section_name(prog), ret);
}

/* --- types --- */

static const struct place {
	int type;
	void (*attach)(struct bpf_program *prog, struct attach_result *ret); /* NULL: nowhere */
	enum { NOT_RUN, PACKET, NO_PACKET } run;
	const char *why; /* there is no place */
} places[] = {
	{BPF_PROG_TYPE_XDP, to_xdp, PACKET, NULL},
	{BPF_PROG_TYPE_SCHED_CLS, to_tc, PACKET, NULL},
	{BPF_PROG_TYPE_SCHED_ACT, NULL, PACKET, "an action of tc needs a filter"},
	{BPF_PROG_TYPE_CGROUP_SKB, to_cgroup, PACKET, NULL},
	{BPF_PROG_TYPE_CGROUP_SOCK, to_cgroup, NOT_RUN, NULL},
	{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, to_cgroup, NOT_RUN, NULL},
	{BPF_PROG_TYPE_CGROUP_SOCKOPT, to_cgroup, NOT_RUN, NULL},
	{BPF_PROG_TYPE_CGROUP_SYSCTL, to_cgroup, NOT_RUN, NULL},
	{BPF_PROG_TYPE_CGROUP_DEVICE, to_cgroup, NOT_RUN, NULL},
	{BPF_PROG_TYPE_SOCK_OPS, to_cgroup, NOT_RUN, NULL},
	{BPF_PROG_TYPE_SOCKET_FILTER, to_socket, PACKET, NULL},
	{BPF_PROG_TYPE_SK_SKB, to_sockmap, NOT_RUN, NULL},
	{BPF_PROG_TYPE_SK_MSG, to_sockmap, NOT_RUN, NULL},
	{BPF_PROG_TYPE_SK_LOOKUP, to_netns, NOT_RUN, NULL},
	{BPF_PROG_TYPE_FLOW_DISSECTOR, to_netns, PACKET, NULL},
	{BPF_PROG_TYPE_LWT_IN, attach_route, PACKET, NULL},
	{BPF_PROG_TYPE_LWT_OUT, attach_route, PACKET, NULL},
	{BPF_PROG_TYPE_LWT_XMIT, attach_route, PACKET, NULL},
	{BPF_PROG_TYPE_LWT_SEG6LOCAL, NULL, PACKET, "it needs a route of segments"},
	{BPF_PROG_TYPE_PERF_EVENT, to_perf_event, NOT_RUN, NULL},
	{BPF_PROG_TYPE_SYSCALL, NULL, NO_PACKET, "it is run by bpf(2), and attached to nothing"},
	{BPF_PROG_TYPE_LIRC_MODE2, NULL, NOT_RUN, "it needs an infrared receiver"},
	{BPF_PROG_TYPE_SK_REUSEPORT, NULL, NOT_RUN, "it needs a group of sockets"},
	{TYPE_NETFILTER, attach_netfilter, PACKET, NULL},
	{BPF_PROG_TYPE_KPROBE, to_target, NOT_RUN, NULL},
	{BPF_PROG_TYPE_TRACEPOINT, to_target, NOT_RUN, NULL},
	{BPF_PROG_TYPE_RAW_TRACEPOINT, to_target, NOT_RUN, NULL},
	{BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, to_target, NOT_RUN, NULL},
	{BPF_PROG_TYPE_TRACING, to_target, NOT_RUN, NULL},
	{BPF_PROG_TYPE_LSM, to_target, NOT_RUN, NULL},
	{BPF_PROG_TYPE_EXT, to_target, NOT_RUN, NULL},
};

static const struct place *find_place(int type)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (places[i].type == type)
			return &places[i];
	return NULL;
}

void attach_program(struct bpf_program *prog, const struct attach_object *object,
		    struct attach_result *ret)
{
	const struct place *place = find_place((int)bpf_program__type(prog));
	int type = (int)bpf_program__expected_attach_type(prog);
	struct kt_buf before = load_log_take();

	kt_buf_deinit(&before);
	*ret = (struct attach_result){0};
	if (bpf_program__type(prog) == BPF_PROG_TYPE_STRUCT_OPS)
		attach_struct_ops(prog, object, ret);
	else if (!place)
		attach_say(ret, KT_ATTACH_NO_PLACE, "the guest knows no place for this type");
	else if (type == ATTACH_LSM_CGROUP)
		to_cgroup(prog, ret);
	else if (!place->attach)
		attach_say(ret, KT_ATTACH_NO_PLACE, "%s", place->why);
	else if (attach_is_of_user_space(prog))
		attach_uprobe(prog, ret);
	else if (type == BPF_TRACE_ITER && place->attach == to_target)
		to_iterator(prog, ret);
	else if (bpf_program__type(prog) == BPF_PROG_TYPE_EXT)
		to_function(prog, object->target, ret);
	else
		place->attach(prog, ret);
	/* Those behind a map run when that sends a packet on. */
	if (place && place->run != NOT_RUN && type != BPF_XDP_DEVMAP && type != BPF_XDP_CPUMAP)
		run_once(bpf_program__fd(prog), place->run == PACKET, ret);
}

/* --- what the guest needs for it --- */

static void bring_lo_up(void)
{
	_cleanup_close_ int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo"};

	if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &request))
		return;
	request.ifr_flags |= IFF_UP;
	ioctl(sock, SIOCSIFFLAGS, &request);
}

/* What is missing then shows where a program wants it. */
void attach_init(void)
{
	mkdir("/sys/kernel/tracing", 0755);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	mkdir(CGROUP, 0755);
	mount("cgroup2", CGROUP, "cgroup2", 0, NULL);
	bring_lo_up();
}
