// SPDX-License-Identifier: LGPL-2.1-or-later
/* The network of a synthetic kernel, whose memory may be anything. Truth is in tests/guest/net.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/net.h"
#include "tests/introspect/spoil.h"

#define LIST 0x0b00200 /* an offset in the image where synth.h has nothing */

static gaddr_t ns, heads;

static int setup_net(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"net", "list", 0, 16},
		{"net", "list.next", 0, 8},
		{"net", "ns.inum", 16, 4},
		{"net", "dev_index_head", 24, 8},
		{"net_device", "index_hlist", 0, 16},
		{"net_device", "index_hlist.next", 0, 8},
		{"net_device", "ifindex", 16, 4},
		{"net_device", "name", 24, 16},
		{"net_device", "xdp_state", 40, 48},
		{"net_device", "tcx_ingress", 88, 8},
		{"bpf_link", "id", 8, 4},
		{"bpf_link", "prog", 16, 8},
		{"bpf_xdp_link", "link", 0, 32},
		{"bpf_xdp_entity", "prog", 0, 8},
		{"bpf_xdp_entity", "link", 8, 8},
		{"bpf_mprog_entry", "fp_items", 0, 512},
		{"bpf_mprog_entry", "parent", 512, 8},
		{"bpf_mprog_bundle", "cp_items", 0, 512},
	};

	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_size(&s.facts, "bpf_xdp_entity", 16);
	fake_enum(&s.facts, "bpf_xdp_mode", "XDP_MODE_SKB", 0);
	fake_enum(&s.facts, "bpf_xdp_mode", "XDP_MODE_DRV", 1);
	fake_symbol(&s.facts, "net_namespace_list", SYNTH_TEXT + LIST);
	ns = synth_alloc(&s, 64);
	heads = synth_alloc(&s, 256 * 8);
	textmem_put_uint(s.mem, SYNTH_IMAGE + LIST, synth_va(ns), 8);
	synth_set(&s, "net", "list.next", ns, SYNTH_TEXT + SYNTH_KASLR + LIST);
	synth_set(&s, "net", "ns.inum", ns, 4026);
	synth_set(&s, "net", "dev_index_head", ns, synth_va(heads));
	return 0;
}

static gaddr_t put_device(uint32_t ifindex, const char *name)
{
	gaddr_t dev = synth_alloc(&s, 128);

	synth_set(&s, "net_device", "ifindex", dev, ifindex);
	textmem_put(s.mem, dev + 24, name, strlen(name));
	textmem_put_uint(s.mem, heads + 8 * ifindex, synth_va(dev), 8);
	return dev;
}

static struct net read_net(void)
{
	struct bpf_net *net;
	struct guest *guest;
	struct net out;

	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	assert_null(bpf_net_read(guest, &net));
	guest_destroy(guest);
	assert_null(bpf_net_finish(net, &s.facts, &out));
	bpf_net_destroy(net);
	return out;
}

static void test_xdp(void **state)
{
	gaddr_t one = put_device(3, "one"), two = put_device(2, "two"), link = synth_alloc(&s, 32);
	struct net out;

	(void)state;
	textmem_put_uint(s.mem, one + 40, synth_va(synth_prog(&s, 5).prog), 8);
	textmem_put_uint(s.mem, two + 40 + 16 + 8, synth_va(link), 8);
	synth_set(&s, "bpf_link", "id", link, 9);
	synth_set(&s, "bpf_link", "prog", link, synth_va(synth_prog(&s, 6).prog));
	out = read_net();
	assert_int_equal(out.n_netns, 1);
	assert_int_equal(out.n_unreadable, 0);
	assert_int_equal(out.n, 2);
	assert_string_equal(out.all[0].devname, "two");
	assert_string_equal(out.all[0].kind, "driver");
	assert_number(out.all[0].id, 6);
	assert_number(out.all[0].link_id, 9);
	assert_string_equal(out.all[1].devname, "one");
	assert_string_equal(out.all[1].kind, "generic");
	assert_number(out.all[1].id, 5);
	assert_number(out.all[1].link_id, 0);
	assert_number(out.all[1].netns_ino, 4026);
	net_deinit(&out);
}

/* 64 programs and no end; their bundle is not mapped, so that nobody knows of links. */
static void test_tcx(void **state)
{
	gaddr_t dev = put_device(3, "one"), entry = synth_alloc(&s, 520);
	gaddr_t prog = synth_va(synth_prog(&s, 5).prog);
	struct net out;

	(void)state;
	for (size_t i = 0; i < 64; i++)
		textmem_put_uint(s.mem, entry + 8 * i, prog, 8);
	synth_set(&s, "bpf_mprog_entry", "parent", entry, NOWHERE);
	synth_set(&s, "net_device", "tcx_ingress", dev, synth_va(entry));
	out = read_net();
	assert_int_equal(out.n, 64);
	assert_string_equal(out.all[63].kind, "tcx/ingress");
	assert_number(out.all[63].id, 5);
	assert_unknown(out.all[63].link_id);
	net_deinit(&out);
}

/* --- sockmaps --- */

#define MAP_IDR 0x0b00400
enum { SOCKMAP = 15, SOCKHASH = 18 };
#define PROGS 128 /* in a map of either type */

static gaddr_t maps_leaf;

static void setup_sockmaps(void)
{
	static const char *const types[] = {"bpf_stab", "bpf_shtab"};
	static const char *const paths[] = {
		"progs.msg_parser",  "progs.stream_parser",   "progs.stream_verdict",
		"progs.skb_verdict", "progs.msg_parser_link", "progs.stream_parser_link",
	};

	fake_member(&s.facts, "bpf_map", "refcnt.counter", 8, 8);
	fake_member(&s.facts, "bpf_map", "map_type", 16, 4);
	for (size_t i = 0; i < 2; i++)
		for (uint32_t k = 0; k < 6; k++)
			fake_member(&s.facts, types[i], paths[k], PROGS + 8 * k, 8);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_SOCKMAP", SOCKMAP);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_SOCKHASH", SOCKHASH);
	maps_leaf = synth_idr(&s, "map_idr", MAP_IDR);
}

static gaddr_t put_sockmap(uint32_t id, uint32_t type)
{
	gaddr_t map = synth_alloc(&s, PROGS + 64);

	synth_set(&s, "bpf_map", "refcnt.counter", map, 1);
	synth_set(&s, "bpf_map", "id", map, id);
	synth_set(&s, "bpf_map", "map_type", map, type);
	textmem_put_uint(s.mem, maps_leaf + 40 + 8 * id, synth_va(map), 8);
	return map;
}

/* An array, whose bytes are no programs; a sockhash with one; a sockmap with two, one by a link. */
static void make_sockmaps(void)
{
	gaddr_t array = put_sockmap(2, 2), hash = put_sockmap(9, SOCKHASH);
	gaddr_t map = put_sockmap(4, SOCKMAP), link;

	textmem_put_uint(s.mem, array + PROGS, 77, 8);
	textmem_put_uint(s.mem, hash + PROGS + 24, synth_va(synth_prog(&s, 5).prog), 8);
	textmem_put_uint(s.mem, map + PROGS, synth_va(synth_prog(&s, 6).prog), 8);
	textmem_put_uint(s.mem, map + PROGS + 8, synth_va(synth_prog(&s, 7).prog), 8);
	link = synth_alloc(&s, 32);
	synth_set(&s, "bpf_link", "id", link, 12);
	synth_set(&s, "bpf_link", "prog", link, synth_va(synth_prog(&s, 8).prog));
	textmem_put_uint(s.mem, map + PROGS + 40, synth_va(link), 8);
}

static void test_sockmaps(void **state)
{
	struct net out;

	(void)state;
	setup_sockmaps();
	make_sockmaps();
	out = read_net();
	assert_int_equal(out.n, 3);
	assert_int_equal(out.n_unreadable, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(out.all[i].section, NET_SOCKMAP);
		assert_unknown(out.all[i].netns_ino);
		assert_null(out.all[i].devname);
		assert_number(out.all[i].map_id, i < 2 ? 4 : 9);
		assert_number(out.all[i].link_id, i == 1 ? 12 : 0);
	}
	assert_string_equal(out.all[0].kind, "sk_msg_verdict");
	assert_number(out.all[0].id, 6);
	assert_string_equal(out.all[1].kind, "sk_skb_stream_parser");
	assert_number(out.all[1].id, 7);
	assert_string_equal(out.all[2].kind, "sk_skb_verdict");
	assert_number(out.all[2].id, 5);
	net_deinit(&out);
	/* A map that is nowhere costs its own programs. */
	textmem_put_uint(s.mem, maps_leaf + 40 + 8 * 9, NOWHERE, 8);
	out = read_net();
	assert_int_equal(out.n, 2);
	net_deinit(&out);
	/* Without an index of maps all else is there. */
	fake_drop(&s.facts, KFACTS_SYMBOL, "map_idr", NULL);
	out = read_net();
	assert_int_equal(out.n, 0);
	assert_int_equal(out.n_netns, 1);
	net_deinit(&out);
}

static int setup_spoiled_sockmaps(void **state)
{
	setup_net(state);
	setup_sockmaps();
	return 0;
}

static bool reads_spoiled_sockmaps(void)
{
	struct net out = read_net();
	bool read = out.n >= 2;

	for (size_t i = 0; i < out.n; i++)
		assert_int_equal(out.all[i].section, NET_SOCKMAP);
	net_deinit(&out);
	return read;
}

static void test_spoiled_sockmaps(void **state)
{
	(void)state;
	setup_sockmaps();
	spoil_each_word(setup_spoiled_sockmaps, make_sockmaps, reads_spoiled_sockmaps, 60);
}

/* --- tc: a device with htb, all of it built into the kernel --- */

#define PRIVATE 64 /* of a qdisc */

static void setup_tc(void)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"net_device", "qdisc", 96, 8},
		{"Qdisc", "hash", 0, 16},
		{"Qdisc", "hash.next", 0, 8},
		{"Qdisc", "ops", 16, 8},
		{"Qdisc", "handle", 24, 4},
		{"Qdisc", "privdata", PRIVATE, 0},
		{"Qdisc_ops", "id", 0, 16},
		{"netdev_queue", "qdisc_sleeping", 0, 8},
		{"tcf_block", "chain_list", 0, 16},
		{"tcf_block", "chain_list.next", 0, 8},
		{"tcf_chain", "list", 0, 16},
		{"tcf_chain", "list.next", 0, 8},
		{"tcf_chain", "filter_chain", 16, 8},
		{"tcf_chain", "index", 24, 4},
		{"tcf_proto", "next", 0, 8},
		{"tcf_proto", "root", 8, 8},
		{"tcf_proto", "protocol", 16, 2},
		{"tcf_proto", "prio", 20, 4},
		{"tcf_proto", "ops", 24, 8},
		{"tcf_proto_ops", "kind", 0, 16},
		{"cls_bpf_head", "plist", 0, 16},
		{"cls_bpf_prog", "link", 0, 16},
		{"cls_bpf_prog", "filter", 16, 8},
		{"cls_bpf_prog", "bpf_name", 24, 8},
		{"cls_bpf_prog", "bpf_ops", 32, 8},
		{"cls_bpf_prog", "handle", 40, 4},
		{"cls_bpf_prog", "exts_integrated", 44, 1},
		{"htb_sched", "block", 0, 8},
		{"htb_sched", "clhash", 16, 24},
		{"htb_class", "common", 8, 32},
		{"htb_class", "block", 48, 8},
		{"Qdisc_class_hash", "hash", 0, 8},
		{"Qdisc_class_hash", "hashsize", 8, 4},
		{"Qdisc_class_common", "hnode", 8, 16},
		{"Qdisc_class_common", "hnode.next", 8, 8},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
}

/* Of a block with one filter: its address in the guest. */
static uint64_t put_block(uint32_t id, uint32_t prio)
{
	gaddr_t block = synth_alloc(&s, 16), chain = synth_alloc(&s, 32);
	gaddr_t proto = synth_alloc(&s, 32), ops = synth_alloc(&s, 16);
	gaddr_t root = synth_alloc(&s, 16), filter = synth_alloc(&s, 48);

	textmem_put_uint(s.mem, block, synth_va(chain), 8);
	textmem_put_uint(s.mem, chain, synth_va(block), 8);
	synth_set(&s, "tcf_chain", "filter_chain", chain, synth_va(proto));
	synth_set(&s, "tcf_proto", "root", proto, synth_va(root));
	synth_set(&s, "tcf_proto", "prio", proto, prio << 16);
	synth_set(&s, "tcf_proto", "ops", proto, synth_va(ops));
	textmem_put(s.mem, ops, "bpf", 3);
	textmem_put_uint(s.mem, root, synth_va(filter), 8);
	textmem_put_uint(s.mem, filter, synth_va(root), 8);
	synth_set(&s, "cls_bpf_prog", "filter", filter, synth_va(synth_prog(&s, id).prog));
	return synth_va(block);
}

static gaddr_t qdisc, buckets, class_of[2];

/* Two classes in one bucket; the first one has a block, too. */
static void make_tc(void)
{
	gaddr_t dev = put_device(3, "one"), ops = synth_alloc(&s, 16);

	qdisc = synth_alloc(&s, PRIVATE + 64);
	buckets = synth_alloc(&s, 16 * 8);
	synth_set(&s, "net_device", "qdisc", dev, synth_va(qdisc));
	synth_set(&s, "Qdisc", "ops", qdisc, synth_va(ops));
	textmem_put(s.mem, ops, "htb", 3);
	textmem_put_uint(s.mem, qdisc + PRIVATE, put_block(5, 1), 8);
	textmem_put_uint(s.mem, qdisc + PRIVATE + 16, synth_va(buckets), 8);
	textmem_put_uint(s.mem, qdisc + PRIVATE + 24, 16, 4);
	for (size_t i = 0; i < 2; i++) {
		class_of[i] = synth_alloc(&s, 64);
		synth_set(&s, "htb_class", "block", class_of[i], put_block(6 + (uint32_t)i, 2));
	}
	textmem_put_uint(s.mem, buckets + 7 * 8, synth_va(class_of[0]) + 16, 8);
	textmem_put_uint(s.mem, class_of[0] + 16, synth_va(class_of[1]) + 16, 8);
}

/* In any order, programs of one device, as a mask of their IDs. */
static uint64_t programs_of(const struct net *net)
{
	uint64_t ret = 0;

	for (size_t i = 0; i < net->n; i++) {
		assert_string_equal(net->all[i].kind, "htb");
		ret |= UINT64_C(1) << net->all[i].id.value;
	}
	return ret;
}

static void test_classes(void **state)
{
	struct net out;

	(void)state;
	setup_tc();
	make_tc();
	out = read_net();
	assert_int_equal(out.n, 3);
	assert_int_equal(out.n_unreadable, 0);
	assert_int_equal(programs_of(&out), 1 << 5 | 1 << 6 | 1 << 7);
	net_deinit(&out);
	/* A class leads to itself, and has the qdisc's block, too. */
	textmem_put_uint(s.mem, class_of[0] + 16, synth_va(class_of[0]) + 16, 8);
	out = read_net();
	assert_int_equal(out.n, 2);
	assert_int_equal(out.n_unreadable, 1);
	net_deinit(&out);
	/* More heads than there may be, and heads that are nowhere: the qdisc's own filter is
	 * there. */
	textmem_put_uint(s.mem, qdisc + PRIVATE + 24, UINT32_MAX, 4);
	out = read_net();
	assert_int_equal(out.n, 1);
	assert_int_equal(out.n_unreadable, 1);
	net_deinit(&out);
	textmem_put_uint(s.mem, qdisc + PRIVATE + 24, 16, 4);
	textmem_put_uint(s.mem, qdisc + PRIVATE + 16, NOWHERE, 8);
	out = read_net();
	assert_int_equal(out.n, 1);
	assert_int_equal(out.n_unreadable, 1);
	net_deinit(&out);
}

/* Where nothing tells of classes, the qdisc counts as left out in part. */
static void test_no_classes(void **state)
{
	struct net out;

	(void)state;
	setup_tc();
	make_tc();
	fake_drop(&s.facts, KFACTS_MEMBER, "Qdisc_class_hash", "hashsize");
	out = read_net();
	assert_int_equal(out.n, 1);
	assert_int_equal(out.n_unknown, 1);
	net_deinit(&out);
}

static int setup_spoiled(void **state)
{
	setup_net(state);
	setup_tc();
	return 0;
}

static bool reads_spoiled(void)
{
	struct bpf_net *net = NULL;
	struct guest *guest;
	struct kt_error *err;
	struct net out = {0};
	bool read;

	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	err = bpf_net_read(guest, &net);
	guest_destroy(guest);
	if (!err)
		err = bpf_net_finish(net, &s.facts, &out);
	bpf_net_destroy(net);
	read = !err && out.n >= 1;
	kt_error_destroy(err);
	net_deinit(&out);
	return read;
}

static void test_spoiled_tc(void **state)
{
	(void)state;
	setup_tc();
	spoil_each_word(setup_spoiled, make_tc, reads_spoiled, 60);
}

static void test_hostile(void **state)
{
	gaddr_t dev = put_device(3, "one");
	struct net out;

	(void)state;
	/* Two buckets lead to one device, which leads to itself; one leads nowhere. */
	textmem_put_uint(s.mem, heads, synth_va(dev), 8);
	textmem_put_uint(s.mem, heads + 8 * 255, NOWHERE, 8);
	synth_set(&s, "net_device", "index_hlist.next", dev, synth_va(dev));
	textmem_put_uint(s.mem, dev + 40, NOWHERE, 8);
	synth_set(&s, "net_device", "tcx_ingress", dev, NOWHERE);
	/* And the list of namespaces never ends. */
	synth_set(&s, "net", "list.next", ns, synth_va(ns));
	out = read_net();
	assert_int_equal(out.n_netns, 1);
	assert_int_equal(out.n_unreadable, 5);
	assert_int_equal(out.n, 1);
	assert_unknown(out.all[0].id);
	net_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_xdp, setup_net, teardown),
		cmocka_unit_test_setup_teardown(test_tcx, setup_net, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup_net, teardown),
		cmocka_unit_test_setup_teardown(test_sockmaps, setup_net, teardown),
		cmocka_unit_test_setup_teardown(test_spoiled_sockmaps, setup_net, teardown),
		cmocka_unit_test_setup_teardown(test_classes, setup_net, teardown),
		cmocka_unit_test_setup_teardown(test_no_classes, setup_net, teardown),
		cmocka_unit_test_setup_teardown(test_spoiled_tc, setup_net, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
