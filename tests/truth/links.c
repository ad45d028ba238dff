// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What BPF_OBJ_GET_INFO_BY_FD says of links, in the words of bpftool's show_link_close_json(). The
 * headers that this builds with are older than the kernels: the layout is written here, and the
 * guest's own BTF says which members its kernel fills.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "truth.h"

#define MAX_FUNCS 64

/* struct bpf_link_info of 7.2, with names of its own. */
struct link_info {
	__u32 type, id, prog_id, pad;
	union {
		struct {
			__u64 name;
			__u32 name_len, map_id;
			union {
				__u64 cookie, cgroup_id;
				__u32 task[2]; /* tid, pid */
			};
			__u32 order;
		} named; /* raw_tracepoint, iter */
		struct {
			__u32 attach_type, target_obj_id, target_btf_id;
			__u64 cookie;
		} tracing;
		struct {
			__u64 id;
			__u32 attach_type;
		} cgroup;
		struct {
			__u32 number, attach_type;
		} place; /* netns, xdp, tcx, netkit, sockmap, struct_ops */
		struct {
			__u32 pf, hook;
			__s32 prio;
			__u32 flags;
		} netfilter;
		struct {
			__u64 addrs;
			__u32 count, flags;
			__u64 missed, cookies;
		} kprobe_multi;
		struct {
			__u64 path, offsets, ref_ctr_offsets, cookies;
			__u32 path_size, count, flags, pid;
		} uprobe_multi;
		struct {
			__u32 type;
			union {
				struct {
					__u64 name;
					__u32 name_len, offset;
					__u64 cookie, ref_ctr_offset;
				} uprobe;
				struct {
					__u64 name;
					__u32 name_len, offset;
					__u64 addr, missed, cookie;
				} kprobe;
				struct {
					__u64 name;
					__u32 name_len;
					__u64 cookie;
				} tracepoint;
				struct {
					__u64 config;
					__u32 type;
					__u64 cookie;
				} event;
			};
		} perf_event;
		char room[128];
	};
};

/* --- which members this kernel's struct bpf_link_info has --- */

/* The type of a member, also of anonymous ones; 0: there is none. */
static __u32 member_type(const struct btf *btf, __u32 id, const char *name, size_t len)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	const struct btf_member *m;

	if (!t || !btf_is_composite(t))
		return 0;
	m = btf_members(t);
	for (__u32 i = 0; i < btf_vlen(t); i++) {
		const char *has = btf__name_by_offset(btf, m[i].name_off);
		__u32 found = has[0] ? 0 : member_type(btf, m[i].type, name, len);

		if (strlen(has) == len && !strncmp(has, name, len))
			return m[i].type;
		if (found)
			return found;
	}
	return 0;
}

static bool tells(const char *path)
{
	static struct btf *btf;
	__s32 id;

	if (!btf)
		btf = btf__load_vmlinux_btf();
	id = btf ? btf__find_by_name_kind(btf, "bpf_link_info", BTF_KIND_STRUCT) : 0;
	if (id <= 0)
		return false;
	for (;;) {
		size_t len = strcspn(path, ".");

		id = (__s32)member_type(btf, (__u32)id, path, len);
		if (!id || !path[len])
			return id;
		path += len + 1;
	}
}

/* --- the answers, by key --- */

/* What is said of a link: each key is in it, null at first. */
struct answer {
	char *json;
	bool absent;
};

static const char *const keys[] = {
	"type",      "prog_id",     "prog_type",     "attach_type",
	"tp_name",   "target_name", "target_obj_id", "target_btf_id",
	"cgroup_id", "netns_ino",   "ifindex",       "devname",
	"map_id",    "order",       "tid",           "pid",
	"cookie",    "perf_type",   "retprobe",      "addr",
	"func",      "offset",      "file",          "ref_ctr_offset",
	"missed",    "tracepoint",  "event_type",    "event_config",
	"path",      "func_cnt",    "funcs",         "pf",
	"hook",      "prio",        "flags",
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static struct answer answers[N_KEYS];

static struct answer *answer(const char *key)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (!strcmp(keys[i], key))
			return &answers[i];
	die("no key %s", key);
}

static void number(const char *key, __u64 value)
{
	if (asprintf(&answer(key)->json, "%llu", (unsigned long long)value) < 0)
		die("out of memory");
}

static void signed_number(const char *key, int value)
{
	if (asprintf(&answer(key)->json, "%d", value) < 0)
		die("out of memory");
}

static void text(const char *key, const char *value)
{
	size_t size;
	FILE *f = open_memstream(&answer(key)->json, &size);

	if (!f)
		die("out of memory");
	put_string(f, value);
	fclose(f);
}

/* As number(); absent where this kernel does not tell it. */
static void told_number(const char *key, const char *path, __u64 value)
{
	if (tells(path))
		number(key, value);
	else
		answer(key)->absent = true;
}

static void is_return(bool value)
{
	answer("retprobe")->json = strdup(value ? "true" : "false");
}

static void absent(const char *const *names)
{
	for (; *names; names++)
		answer(*names)->absent = true;
}

/* --- each type --- */

static const char *link_type(__u32 type)
{
	static const char *const late[] = {
		[10] = "netfilter", "tcx", "uprobe_multi", "netkit", "sockmap", "tracing_multi",
	};
	const char *known = libbpf_bpf_link_type_str((enum bpf_link_type)type);

	if (known)
		return known;
	return type < sizeof(late) / sizeof(late[0]) && late[type] ? late[type] : "unknown";
}

static void attach_type(__u32 type)
{
	static const char *const late[] = {
		[45] = "netfilter",      "tcx_ingress", "tcx_egress",
		[54] = "netkit_primary", "netkit_peer",
	};
	const char *known = libbpf_bpf_attach_type_str((enum bpf_attach_type)type);

	if (!known && type < sizeof(late) / sizeof(late[0]))
		known = late[type];
	text("attach_type", known ? known : "unknown");
}

static void program(__u32 id)
{
	struct bpf_prog_info info = {.type = 0};
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		die("program %u of a link: %s", id, strerror(errno));
	close(fd);
	number("prog_id", id);
	text("prog_type", type_name(info.type));
}

static void ask(int fd, struct link_info *info)
{
	__u32 len = sizeof(*info);

	if (bpf_obj_get_info_by_fd(fd, (struct bpf_link_info *)info, &len))
		die("BPF_OBJ_GET_INFO_BY_FD of a link: %s", strerror(errno));
}

static void device(const struct link_info *info, bool has_attach_type)
{
	char name[IF_NAMESIZE] = "(detached)";

	if (info->place.number && !if_indextoname(info->place.number, name))
		die("no device %u: %s", info->place.number, strerror(errno));
	number("ifindex", info->place.number);
	text("devname", name);
	if (has_attach_type)
		attach_type(info->place.attach_type);
}

static void iterator(const struct link_info *info, const char *target)
{
	static const char *const orders[] = {"order_unspec", "self_only", "descendants_pre",
					     "descendants_post", "ancestors_up"};

	text("target_name", target);
	if (!strcmp(target, "bpf_map_elem"))
		number("map_id", info->named.map_id);
	if (!strcmp(target, "cgroup")) {
		number("cgroup_id", info->named.cgroup_id);
		text("order", orders[info->named.order]);
	}
	if (!strcmp(target, "task") && info->named.task[0])
		number("tid", info->named.task[0]);
	else if (!strcmp(target, "task") && info->named.task[1])
		number("pid", info->named.task[1]);
}

static void named(int fd)
{
	static char name[256];
	struct link_info info = {.named = {(__u64)(unsigned long)name, sizeof(name), 0, {0}, 0}};

	ask(fd, &info);
	if (info.type == BPF_LINK_TYPE_ITER) {
		iterator(&info, name);
		return;
	}
	text("tp_name", name);
	told_number("cookie", "raw_tracepoint.cookie", info.named.cookie);
}

/* What kprobe_multi links are attached to: as it was asked for, at the address that came of it. */
static struct {
	const char *name;
	__u64 cookie, addr;
} functions[8];

void note_functions(const char *const *names, const __u64 *cookies, size_t n)
{
	size_t at = 0;

	while (at < 8 && functions[at].name)
		at++;
	for (size_t i = 0; i < n && at < 8; i++, at++) {
		functions[at].name = names[i];
		functions[at].cookie = cookies[i];
	}
}

/* The first link has the cookies, later ones the same addresses. */
static const char *function_at(__u64 addr, __u64 cookie)
{
	for (size_t i = 0; i < 8 && functions[i].name; i++) {
		if (cookie && functions[i].cookie == cookie)
			functions[i].addr = addr;
		if (functions[i].addr == addr)
			return functions[i].name;
	}
	die("a kprobe_multi link at no function that was asked for");
}

static void kprobe_multi(int fd)
{
	static __u64 addrs[MAX_FUNCS], cookies[MAX_FUNCS];
	struct link_info info = {.type = 0};
	size_t size, done = 0;
	FILE *f;

	if (!tells("kprobe_multi.cookies")) { /* 6.9 */
		absent((const char *const[]){"retprobe", "func_cnt", "missed", "funcs", NULL});
		return;
	}
	info.kprobe_multi.addrs = (__u64)(unsigned long)addrs;
	info.kprobe_multi.cookies = (__u64)(unsigned long)cookies;
	info.kprobe_multi.count = MAX_FUNCS;
	ask(fd, &info);
	is_return(info.kprobe_multi.flags & 1);
	number("func_cnt", info.kprobe_multi.count);
	number("missed", info.kprobe_multi.missed);
	f = open_memstream(&answer("funcs")->json, &size);
	fputc('[', f);
	while (f && done < info.kprobe_multi.count) { /* the lowest first */
		size_t min = MAX_FUNCS;

		for (size_t i = 0; i < info.kprobe_multi.count; i++)
			if (addrs[i] && (min == MAX_FUNCS || addrs[i] < addrs[min]))
				min = i;
		if (min == MAX_FUNCS)
			die("a kprobe_multi link hides its addresses");
		fprintf(f, "%s{\"addr\":%llu,\"func\":\"%s\",\"module\":null,\"cookie\":%llu}",
			done++ ? "," : "", (unsigned long long)addrs[min],
			function_at(addrs[min], cookies[min]), (unsigned long long)cookies[min]);
		addrs[min] = 0;
	}
	fputc(']', f);
	fclose(f);
}

static void uprobe_multi(int fd)
{
	static __u64 offsets[MAX_FUNCS], counters[MAX_FUNCS], cookies[MAX_FUNCS];
	static char path[256];
	struct link_info info = {.type = 0};
	size_t size;
	FILE *f;

	if (!tells("uprobe_multi")) {
		absent((const char *const[]){"retprobe", "func_cnt", "path", "pid", "funcs", NULL});
		return;
	}
	info.uprobe_multi.path = (__u64)(unsigned long)path;
	info.uprobe_multi.path_size = sizeof(path);
	info.uprobe_multi.offsets = (__u64)(unsigned long)offsets;
	info.uprobe_multi.ref_ctr_offsets = (__u64)(unsigned long)counters;
	info.uprobe_multi.cookies = (__u64)(unsigned long)cookies;
	info.uprobe_multi.count = MAX_FUNCS;
	ask(fd, &info);
	is_return(info.uprobe_multi.flags & 1);
	text("path", path);
	number("func_cnt", info.uprobe_multi.count);
	number("pid", info.uprobe_multi.pid);
	f = open_memstream(&answer("funcs")->json, &size);
	fputc('[', f);
	for (__u32 i = 0; f && i < info.uprobe_multi.count; i++)
		fprintf(f, "%s{\"offset\":%llu,\"ref_ctr_offset\":%llu,\"cookie\":%llu}",
			i ? "," : "", (unsigned long long)offsets[i],
			(unsigned long long)counters[i], (unsigned long long)cookies[i]);
	fputc(']', f);
	fclose(f);
}

static void event(const struct link_info *info)
{
	/* The one that make_links() opens. */
	if (info->perf_event.event.type != 1 || info->perf_event.event.config != 9)
		die("a perf event of type %u", info->perf_event.event.type);
	text("event_type", "software");
	text("event_config", "dummy");
	told_number("cookie", "perf_event.event.cookie", info->perf_event.event.cookie);
}

static void perf_event(int fd)
{
	static const char *const types[] = {NULL,        "uprobe",     "uretprobe", "kprobe",
					    "kretprobe", "tracepoint", "event"};
	static char name[256];
	struct link_info info = {.type = 0};
	__u32 type;

	if (!tells("perf_event")) { /* 6.6 */
		absent((const char *const[]){"perf_type", "retprobe", "addr", "func", "offset",
					     "file", "ref_ctr_offset", "missed", "tracepoint",
					     "event_type", "event_config", "cookie", NULL});
		return;
	}
	ask(fd, &info);
	type = info.perf_event.type;
	text("perf_type", type && type < 7 ? types[type] : "unknown");
	if (type == 6) {
		event(&info);
		return;
	}
	memset(&info, 0, sizeof(info));
	info.perf_event.kprobe.name = (__u64)(unsigned long)name;
	info.perf_event.kprobe.name_len = sizeof(name);
	name[0] = '\0';
	ask(fd, &info);
	if (type == 5) {
		text("tracepoint", name);
		told_number("cookie", "perf_event.tracepoint.cookie",
			    info.perf_event.tracepoint.cookie);
		return;
	}
	is_return(type == 2 || type == 4);
	if (type >= 3) {
		text("func", name);
		number("offset", info.perf_event.kprobe.offset);
		number("addr", info.perf_event.kprobe.addr);
		told_number("missed", "perf_event.kprobe.missed", info.perf_event.kprobe.missed);
		told_number("cookie", "perf_event.kprobe.cookie", info.perf_event.kprobe.cookie);
		return;
	}
	text("file", name);
	number("offset", info.perf_event.uprobe.offset);
	told_number("cookie", "perf_event.uprobe.cookie", info.perf_event.uprobe.cookie);
	told_number("ref_ctr_offset", "perf_event.uprobe.ref_ctr_offset",
		    info.perf_event.uprobe.ref_ctr_offset);
}

static void tracing(const struct link_info *info)
{
	attach_type(info->tracing.attach_type);
	number("target_obj_id", info->tracing.target_obj_id);
	number("target_btf_id", info->tracing.target_btf_id);
	told_number("cookie", "tracing.cookie", info->tracing.cookie);
}

static void netfilter(const struct link_info *info)
{
	number("pf", info->netfilter.pf);
	number("hook", info->netfilter.hook);
	signed_number("prio", info->netfilter.prio);
	number("flags", info->netfilter.flags);
}

static void fill(int fd, const struct link_info *info)
{
	switch (info->type) {
	case BPF_LINK_TYPE_RAW_TRACEPOINT:
	case BPF_LINK_TYPE_ITER: named(fd); break;
	case BPF_LINK_TYPE_TRACING: tracing(info); break;
	case BPF_LINK_TYPE_CGROUP:
		number("cgroup_id", info->cgroup.id);
		attach_type(info->cgroup.attach_type);
		break;
	case BPF_LINK_TYPE_NETNS:
		number("netns_ino", info->place.number);
		attach_type(info->place.attach_type);
		break;
	case BPF_LINK_TYPE_XDP: device(info, false); break;
	case BPF_LINK_TYPE_PERF_EVENT: perf_event(fd); break;
	case BPF_LINK_TYPE_KPROBE_MULTI: kprobe_multi(fd); break;
	case BPF_LINK_TYPE_STRUCT_OPS: number("map_id", info->place.number); break;
	case 10: netfilter(info); break;
	case 11:
	case 13: device(info, true); break;
	case 12: uprobe_multi(fd); break;
	case 14:
		number("map_id", info->place.number);
		attach_type(info->place.attach_type);
		break;
	default: break;
	}
}

void put_link(FILE *f, __u32 id)
{
	struct link_info info = {.type = 0};
	int fd = bpf_link_get_fd_by_id(id);

	if (fd < 0)
		die("link %u: %s", id, strerror(errno));
	ask(fd, &info);
	text("type", link_type(info.type));
	if (info.prog_id)
		program(info.prog_id);
	fill(fd, &info);
	close(fd);
	fprintf(f, "{\"id\":%u", info.id);
	for (size_t i = 0; i < N_KEYS; i++) {
		if (!answers[i].absent)
			fprintf(f, ",\"%s\":%s", keys[i],
				answers[i].json ? answers[i].json : "null");
		free(answers[i].json);
		answers[i] = (struct answer){.json = NULL};
	}
	fputc('}', f);
}
