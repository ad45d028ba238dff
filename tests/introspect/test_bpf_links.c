// SPDX-License-Identifier: LGPL-2.1-or-later
/* Links of a synthetic kernel, whose memory may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/inspect.h"
#include "tests/introspect/walk.h"

/* An offset in the image where synth.h has nothing. */
#define LINK_IDR 0x0b00200
#define REGISTER                                                                                   \
	UINT64_C(0xffffffff81300000) /* kprobe_register(); trace_uprobe_register() behind it */

enum { XDP = 6, PERF_EVENT = 7, KPROBE_MULTI = 8, UPROBE_MULTI = 12 };

static gaddr_t leaf;

static int setup_links(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_link", "refcnt.counter", 0, 8},
		{"bpf_link", "id", 8, 4},
		{"bpf_link", "type", 12, 4},
		{"bpf_link", "prog", 16, 8},
		{"bpf_link", "flags", 24, 4},
		{"bpf_xdp_link", "dev", 32, 8},
		{"net_device", "ifindex", 0, 4},
		{"net_device", "name", 8, 16},
		{"bpf_perf_link", "perf_file", 32, 8},
		{"file", "private_data", 8, 8},
		{"perf_event", "attr.type", 0, 4},
		{"perf_event", "attr.config", 8, 8},
		{"perf_event", "bpf_cookie", 16, 8},
		{"perf_event", "tp_event", 24, 8},
		{"trace_event_call", "class", 0, 8},
		{"trace_event_class", "reg", 8, 8},
		{"trace_probe_event", "call", 16, 32},
		{"trace_probe_event", "probes", 64, 16},
		{"trace_probe", "list", 8, 16},
		{"trace_kprobe", "tp", 64, 8},
		{"trace_kprobe", "rp.kp.addr", 0, 8},
		{"trace_kprobe", "rp.kp.offset", 8, 4},
		{"trace_kprobe", "rp.kp.nmissed", 16, 8},
		{"trace_kprobe", "rp.handler", 24, 8},
		{"trace_kprobe", "rp.nmissed", 32, 4},
		{"trace_kprobe", "symbol", 40, 8},
		{"bpf_kprobe_multi_link", "cnt", 32, 4},
		{"bpf_kprobe_multi_link", "addrs", 40, 8},
		{"bpf_kprobe_multi_link", "cookies", 48, 8},
		{"bpf_uprobe_multi_link", "link", 16, 32},
		{"bpf_uprobe_multi_link", "path.mnt", 0, 8},
		{"bpf_uprobe_multi_link", "path.dentry", 8, 8},
		{"bpf_uprobe_multi_link", "cnt", 48, 4},
		{"dentry", "d_parent", 0, 8},
		{"dentry", "d_name.name", 8, 8},
		{"dentry", "d_hash.pprev", 16, 8},
		{"mount", "mnt_parent", 0, 8},
		{"mount", "mnt_mountpoint", 8, 8},
		{"mount", "mnt.mnt_root", 16, 8},
		{"mount", "mnt", 16, 8},
	};

	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_enum(&s.facts, "bpf_link_type", "BPF_LINK_TYPE_XDP", XDP);
	fake_enum(&s.facts, "bpf_link_type", "BPF_LINK_TYPE_PERF_EVENT", PERF_EVENT);
	fake_enum(&s.facts, "bpf_link_type", "BPF_LINK_TYPE_KPROBE_MULTI", KPROBE_MULTI);
	fake_enum(&s.facts, "bpf_link_type", "BPF_LINK_TYPE_UPROBE_MULTI", UPROBE_MULTI);
	fake_symbol(&s.facts, "kprobe_register", REGISTER);
	fake_symbol(&s.facts, "trace_uprobe_register", REGISTER + 16);
	fake_symbol(&s.facts, "link_idr", SYNTH_TEXT + LINK_IDR);
	leaf = synth_alloc(&s, 40 + 512);
	textmem_printf(s.mem, "@%#llx %#llx\n", (unsigned long long)SYNTH_IMAGE + LINK_IDR + 8,
		       (unsigned long long)synth_va(leaf) | 2);
	return 0;
}

static void set(const char *type, const char *path, gaddr_t at, uint64_t value)
{
	synth_set(&s, type, path, at, value);
}

/* A link at that offset of a structure; the physical address of the link. */
static gaddr_t put_link(uint32_t id, uint32_t type, gaddr_t prog, size_t at)
{
	gaddr_t link = synth_alloc(&s, 96) + at;

	set("bpf_link", "refcnt.counter", link, 1);
	set("bpf_link", "id", link, id);
	set("bpf_link", "type", link, type);
	set("bpf_link", "prog", link, prog ? synth_va(prog) : 0);
	textmem_put_uint(s.mem, leaf + 40 + 8 * id, synth_va(link), 8);
	return link;
}

static struct links read_links(void)
{
	struct bpf_links *links;
	struct guest *guest;
	struct links out;

	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	assert_null(bpf_links_read(guest, &links));
	guest_destroy(guest);
	assert_null(bpf_links_finish(links, &s.facts, &out));
	bpf_links_destroy(links);
	return out;
}

static void test_device(void **state)
{
	gaddr_t dev = synth_alloc(&s, 32), named = put_link(1, XDP, 0, 0);
	struct links links;

	(void)state;
	set("bpf_xdp_link", "dev", named, synth_va(dev));
	set("net_device", "ifindex", dev, 7);
	textmem_put(s.mem, dev + 8, "eth0", 4);
	put_link(2, XDP, 0, 0); /* its device is gone */
	set("bpf_xdp_link", "dev", put_link(3, XDP, 0, 0), NOWHERE);
	links = read_links();
	assert_int_equal(links.n, 3);
	assert_number(links.all[0].ifindex, 7);
	assert_string_equal(links.all[0].devname, "eth0");
	assert_number(links.all[1].ifindex, 0);
	assert_null(links.all[1].devname);
	assert_unknown(links.all[2].ifindex);
	assert_null(links.all[2].devname);
	links_deinit(&links);
}

/* A kretprobe that a link leads to, and where its parts are. */
struct probe {
	gaddr_t link, event, call, kprobe;
};

static struct probe put_probe(uint32_t id, const char *symbol)
{
	struct synth_prog prog = synth_prog(&s, id);
	struct probe p = {.link = put_link(id, PERF_EVENT, prog.prog, 0)};
	gaddr_t file = synth_alloc(&s, 16), class = synth_alloc(&s, 16);
	gaddr_t name = synth_alloc(&s, strlen(symbol) + 1);

	p.event = synth_alloc(&s, 32);
	p.call = synth_alloc(&s, 96) + 16;
	p.kprobe = synth_alloc(&s, 96);
	set("bpf_prog", "type", prog.prog, 2); /* BPF_PROG_TYPE_KPROBE */
	set("bpf_perf_link", "perf_file", p.link, synth_va(file));
	set("file", "private_data", file, synth_va(p.event));
	set("perf_event", "bpf_cookie", p.event, 99);
	set("perf_event", "tp_event", p.event, synth_va(p.call));
	set("trace_event_call", "class", p.call, synth_va(class));
	set("trace_event_class", "reg", class, REGISTER + SYNTH_KASLR);
	set("trace_probe_event", "probes", p.call - 16, synth_va(p.kprobe + 64 + 8));
	set("trace_kprobe", "rp.kp.addr", p.kprobe, 0x1234);
	set("trace_kprobe", "rp.kp.nmissed", p.kprobe, 2);
	set("trace_kprobe", "rp.handler", p.kprobe, 1);
	set("trace_kprobe", "rp.nmissed", p.kprobe, 5);
	set("trace_kprobe", "symbol", p.kprobe, synth_va(name));
	textmem_put(s.mem, name, symbol, strlen(symbol));
	return p;
}

static void test_kprobes(void **state)
{
	struct probe entry;
	struct links links;

	(void)state;
	put_probe(1, "do_sys_open");
	entry = put_probe(2, "x");
	set("trace_kprobe", "rp.handler", entry.kprobe, 0);
	set("trace_kprobe", "symbol", entry.kprobe, 0);
	links = read_links();
	assert_string_equal(links.all[0].perf_type, "kretprobe");
	assert_string_equal(links.all[0].func, "do_sys_open");
	assert_number(links.all[0].addr, 0x1234);
	assert_number(links.all[0].missed, 7);
	assert_number(links.all[0].cookie, 99);
	assert_unknown(links.all[0].event_type);
	assert_string_equal(links.all[1].perf_type, "kprobe");
	assert_string_equal(links.all[1].func, "");
	assert_number(links.all[1].missed, 2);
	links_deinit(&links);
}

/* What leads nowhere leaves the probe unknown; the link stays. */
static void test_broken_probes(void **state)
{
	struct probe empty = put_probe(1, "empty"), other = put_probe(2, "other");
	struct probe endless = put_probe(3, "endless"), lost = put_probe(4, "lost");
	gaddr_t text = synth_alloc(&s, 8192);
	struct links links;

	(void)state;
	set("trace_probe_event", "probes", empty.call - 16, synth_va(empty.call - 16 + 64));
	set("trace_event_call", "class", other.call, NOWHERE);
	for (size_t i = 0; i < 8192; i += 8)
		textmem_put_uint(s.mem, text + i, UINT64_C(0x4141414141414141), 8);
	set("trace_kprobe", "symbol", endless.kprobe, synth_va(text));
	set("perf_event", "tp_event", lost.event, NOWHERE);
	links = read_links();
	assert_int_equal(links.n, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_number(links.all[i].cookie, 99);
		assert_null(links.all[i].func);
		if (i == 2)
			continue;
		assert_null(links.all[i].perf_type);
		assert_unknown(links.all[i].addr);
		assert_unknown(links.all[i].missed);
	}
	assert_number(links.all[2].addr, 0x1234);
	links_deinit(&links);
}

static gaddr_t put_multi(uint32_t id, uint32_t cnt, uint64_t addrs)
{
	gaddr_t link = put_link(id, KPROBE_MULTI, 0, 0);

	set("bpf_kprobe_multi_link", "cnt", link, cnt);
	set("bpf_kprobe_multi_link", "addrs", link, addrs);
	return link;
}

static void test_kprobe_multi(void **state)
{
	gaddr_t addrs = synth_alloc(&s, 16), cookies = synth_alloc(&s, 16), link;
	gaddr_t named = synth_alloc(&s, 32);
	struct links links;

	(void)state;
	/* At a function, behind its endbr64, and elsewhere. */
	textmem_put_uint(s.mem, named, REGISTER + SYNTH_KASLR, 8);
	textmem_put_uint(s.mem, named + 8, REGISTER + SYNTH_KASLR + 16 + 4, 8);
	textmem_put_uint(s.mem, named + 16, REGISTER + SYNTH_KASLR + 32, 8);
	textmem_put_uint(s.mem, addrs, 0x2000, 8);
	textmem_put_uint(s.mem, addrs + 8, 0x1000, 8);
	textmem_put_uint(s.mem, cookies, 20, 8);
	textmem_put_uint(s.mem, cookies + 8, 10, 8);
	link = put_multi(1, 2, synth_va(addrs));
	set("bpf_kprobe_multi_link", "cookies", link, synth_va(cookies));
	set("bpf_link", "flags", link, 1);
	put_multi(2, 1, synth_va(addrs));
	put_multi(3, UINT32_MAX, synth_va(addrs)); /* would take 32 GB */
	put_multi(4, 2, NOWHERE);
	put_multi(5, 3, synth_va(named));
	links = read_links();
	assert_string_equal(links.all[4].funcs[0].func, "kprobe_register");
	assert_string_equal(links.all[4].funcs[1].func, "trace_uprobe_register");
	assert_null(links.all[4].funcs[2].func);
	assert_int_equal(links.all[0].n_funcs, 2);
	assert_null(links.all[0].funcs[0].func);
	assert_number(links.all[0].funcs[0].addr, 0x1000);
	assert_number(links.all[0].funcs[0].cookie, 10);
	assert_number(links.all[0].funcs[1].cookie, 20);
	assert_number(links.all[0].retprobe, 1);
	assert_number(links.all[1].funcs[0].cookie, 0);
	assert_number(links.all[1].retprobe, 0);
	for (size_t i = 2; i < 4; i++) {
		assert_true(links.all[i].func_cnt.known);
		assert_false(links.all[i].funcs_known);
	}
	links_deinit(&links);
}

static gaddr_t put_dentry(const char *name)
{
	gaddr_t dentry = synth_alloc(&s, 24), text = synth_alloc(&s, strlen(name) + 1);

	textmem_put(s.mem, text, name, strlen(name));
	set("dentry", "d_parent", dentry, synth_va(dentry));
	set("dentry", "d_name.name", dentry, synth_va(text));
	set("dentry", "d_hash.pprev", dentry, 1);
	return dentry;
}

static gaddr_t put_mount(gaddr_t root)
{
	gaddr_t mount = synth_alloc(&s, 24);

	set("mount", "mnt_parent", mount, synth_va(mount));
	set("mount", "mnt.mnt_root", mount, synth_va(root));
	return mount;
}

static void put_path(uint32_t id, gaddr_t mount, gaddr_t dentry)
{
	gaddr_t link = put_link(id, UPROBE_MULTI, 0, 16) - 16;

	set("bpf_uprobe_multi_link", "path.mnt", link, synth_va(mount) + 16);
	set("bpf_uprobe_multi_link", "path.dentry", link, synth_va(dentry));
}

/* /usr is a mount of its own. */
static void test_paths(void **state)
{
	gaddr_t root = put_dentry("/"), usr = put_dentry("usr"), top = put_dentry("/");
	gaddr_t lib = put_dentry("lib"), file = put_dentry("libc.so"), gone = put_dentry("gone");
	gaddr_t a = put_dentry("a"), b = put_dentry("b");
	gaddr_t base = put_mount(root), mount = put_mount(top);
	struct links links;

	(void)state;
	set("mount", "mnt_parent", mount, synth_va(base));
	set("mount", "mnt_mountpoint", mount, synth_va(usr));
	set("dentry", "d_parent", usr, synth_va(root));
	set("dentry", "d_parent", file, synth_va(lib));
	set("dentry", "d_parent", lib, synth_va(top));
	set("dentry", "d_parent", gone, synth_va(top));
	set("dentry", "d_hash.pprev", gone, 0);
	set("dentry", "d_parent", a, synth_va(b)); /* a circle */
	set("dentry", "d_parent", b, synth_va(a));
	put_path(1, mount, file);
	put_path(2, mount, gone);
	put_path(3, mount, a);
	put_path(4, mount, put_dentry("alone")); /* a root, but not that of the mount */
	put_path(5, base, root);
	links = read_links();
	assert_string_equal(links.all[0].path, "/usr/lib/libc.so");
	assert_string_equal(links.all[1].path, "/usr/gone (deleted)");
	assert_null(links.all[2].path);
	assert_null(links.all[3].path);
	assert_string_equal(links.all[4].path, "/");
	links_deinit(&links);
}

#define TEST_LINKS(name) cmocka_unit_test_setup_teardown(name, setup_links, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_LINKS(test_device),        TEST_LINKS(test_kprobes),
		TEST_LINKS(test_broken_probes), TEST_LINKS(test_kprobe_multi),
		TEST_LINKS(test_paths),
	};

	return cmocka_run_group_tests_name("bpf links", tests, NULL, NULL);
}
