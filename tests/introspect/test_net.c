// SPDX-License-Identifier: LGPL-2.1-or-later
/* The network of a synthetic kernel, whose memory may be anything. Truth is in tests/guest/net.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/net.h"
#include "tests/introspect/walk.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
