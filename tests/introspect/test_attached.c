// SPDX-License-Identifier: LGPL-2.1-or-later
/* Trampolines and struct_ops of a synthetic kernel, whole and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/bpf_struct_ops.h"
#include "introspect/bpf_trampoline.h"
#include "tests/introspect/spoil.h"

/* Offsets in the image, where synth.h has nothing. */
#define TABLE    UINT64_C(0x0b00000)
#define MAP_IDR  UINT64_C(0x0b04000)
#define LINK_IDR 0x0b05000
#define FUNC     UINT64_C(0x0300040)

#define STRUCT_OPS 26

static gaddr_t map_leaf, link_leaf;

static int setup_attached(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_trampoline", "hlist", 8, 16},
		{"bpf_trampoline", "hlist.next", 8, 8},
		{"bpf_trampoline", "key", 32, 8},
		{"bpf_trampoline", "func.addr", 40, 8},
		{"bpf_trampoline", "extension_prog", 48, 8},
		{"bpf_trampoline", "progs_hlist", 56, 24},
		{"bpf_link", "id", 8, 4},
		{"bpf_link", "prog", 16, 8},
		{"bpf_map", "refcnt.counter", 8, 8},
		{"bpf_map", "map_type", 16, 4},
		{"bpf_map", "name", 32, 16},
		{"bpf_struct_ops_map", "st_ops", 128, 8},
		{"bpf_struct_ops_map", "links", 136, 8},
		{"bpf_struct_ops_map", "kvalue.state", 192, 4},
		{"bpf_struct_ops", "name", 0, 8},
		{"bpf_struct_ops", "type", 8, 8},
		{"btf_type", "info", 4, 4},
	};

	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_symbol(&s.facts, "trampoline_table", SYNTH_TEXT + TABLE);
	fake_symbol(&s.facts, "map_idr", SYNTH_TEXT + MAP_IDR);
	fake_symbol(&s.facts, "tcp_v4_rcv", SYNTH_TEXT + FUNC);
	fake_enum(&s.facts, "bpf_tramp_prog_type", "BPF_TRAMP_FENTRY", 0);
	fake_enum(&s.facts, "bpf_tramp_prog_type", "BPF_TRAMP_FEXIT", 1);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_STRUCT_OPS", STRUCT_OPS);
	fake_enum(&s.facts, "bpf_struct_ops_state", "BPF_STRUCT_OPS_STATE_INUSE", 1);
	map_leaf = synth_alloc(&s, 40 + 512);
	textmem_put_uint(s.mem, SYNTH_IMAGE + MAP_IDR + 8, synth_va(map_leaf) | 2, 8);
	for (size_t slot = 0; slot < 1024; slot += 512) /* both pages of it are there */
		textmem_put_uint(s.mem, SYNTH_IMAGE + TABLE + slot * 8, 0, 8);
	return 0;
}

#define TEST_ATTACHED(name) cmocka_unit_test_setup_teardown(name, setup_attached, teardown)

/* Since 5.19 the node of a program is in its link, before in its aux; since 7.2 it leads to a link.
 */
enum { NODE_IN_LINK, NODE_IN_AUX, NODE_ALONE };

static void setup_nodes(int where)
{
	static const char *const types[] = {"bpf_tramp_link", "bpf_prog_aux", "bpf_tramp_node"};

	fake_member(&s.facts, types[where], "tramp_hlist", 640, 16);
	fake_member(&s.facts, types[where], "tramp_hlist.next", 640, 8);
	if (where == NODE_IN_AUX) {
		fake_member(&s.facts, types[where], "prog", 656, 8);
		return;
	}
	fake_member(&s.facts, types[where], "cookie", 664, 8);
	if (where == NODE_ALONE) {
		fake_member(&s.facts, types[where], "link", 656, 8);
		return;
	}
	fake_member(&s.facts, types[where], "link.prog", 16, 8);
	fake_member(&s.facts, types[where], "link.id", 8, 4);
}

static gaddr_t put_trampoline(size_t slot, uint64_t key)
{
	gaddr_t trampoline = synth_alloc(&s, 80);

	textmem_put_uint(s.mem, SYNTH_IMAGE + TABLE + slot * 8, synth_va(trampoline) + 8, 8);
	synth_set(&s, "bpf_trampoline", "key", trampoline, key);
	synth_set(&s, "bpf_trampoline", "func.addr", trampoline, SYNTH_TEXT + s.kaslr + FUNC);
	return trampoline;
}

/* A node in front of the list of that kind. */
static gaddr_t put_node(gaddr_t trampoline, unsigned int kind, gaddr_t before)
{
	gaddr_t node = synth_alloc(&s, 680);

	textmem_put_uint(s.mem, node + 640, before ? synth_va(before) + 640 : 0, 8);
	textmem_put_uint(s.mem, trampoline + 56 + 8 * kind, synth_va(node) + 640, 8);
	return node;
}

static struct guest *guest(void)
{
	struct guest *ret;

	synth_cpu(&s);
	assert_null(synth_guest(&s, &ret));
	return ret;
}

static struct trampolines read_trampolines(void)
{
	struct guest *g = guest();
	struct bpf_trampolines *trampolines;
	struct trampolines out;

	assert_null(bpf_trampolines_check(&s.facts));
	assert_null(bpf_trampolines_read(g, &trampolines));
	guest_destroy(g);
	assert_null(bpf_trampolines_finish(trampolines, &s.facts, &out));
	bpf_trampolines_destroy(trampolines);
	return out;
}

static struct struct_ops_list read_struct_ops(void)
{
	struct guest *g = guest();
	struct struct_ops_list out;

	assert_null(bpf_struct_ops_check(&s.facts));
	assert_null(bpf_struct_ops_read(g, &out));
	guest_destroy(g);
	return out;
}

static void test_links(void **state)
{
	struct synth_prog first = synth_prog(&s, 7), second = synth_prog(&s, 9);
	gaddr_t trampoline = put_trampoline(3, UINT64_C(1) << 32 | 0x80000000 | 1234), node;
	struct trampolines all;

	(void)state;
	setup_nodes(NODE_IN_LINK);
	node = put_node(trampoline, 1, 0);
	textmem_put_uint(s.mem, node + 16, synth_va(second.prog), 8);
	textmem_put_uint(s.mem, node + 8, 31, 4);
	textmem_put_uint(s.mem, node + 664, 77, 8);
	node = put_node(trampoline, 0, 0);
	textmem_put_uint(s.mem, node + 16, synth_va(first.prog), 8);
	textmem_put_uint(s.mem, node + 8, 30, 4);
	all = read_trampolines();
	assert_int_equal(all.n, 2);
	assert_int_equal(all.n_unreadable, 0);
	assert_string_equal(all.all[0].func, "tcp_v4_rcv");
	assert_string_equal(all.all[0].type, "fentry");
	assert_number(all.all[0].prog_id, 7);
	assert_number(all.all[0].link_id, 30);
	assert_number(all.all[0].cookie, 0);
	assert_number(all.all[0].target_obj_id, 1);
	assert_number(all.all[0].target_btf_id, 1234);
	assert_string_equal(all.all[1].type, "fexit");
	assert_number(all.all[1].prog_id, 9);
	assert_number(all.all[1].link_id, 31);
	assert_number(all.all[1].cookie, 77);
	trampolines_deinit(&all);
}

/* Nothing leads from a trampoline to the link of the program that replaces its function. */
static gaddr_t put_extension_link(uint32_t id, gaddr_t prog, gaddr_t trampoline)
{
	gaddr_t link = synth_alloc(&s, 680);

	textmem_put_uint(s.mem, link + 8, id, 4);
	textmem_put_uint(s.mem, link + 16, synth_va(prog), 8);
	textmem_put_uint(s.mem, link + 24, 2, 4);
	textmem_put_uint(s.mem, link + 48, synth_va(trampoline), 8);
	textmem_put_uint(s.mem, link + 664, 100 + id, 8);
	textmem_put_uint(s.mem, link_leaf + 40 + 8 * id, synth_va(link), 8);
	return link;
}

static void setup_extensions(void)
{
	setup_nodes(NODE_IN_LINK);
	fake_member(&s.facts, "bpf_link", "type", 24, 4);
	fake_member(&s.facts, "bpf_tracing_link", "trampoline", 48, 8);
	fake_enum(&s.facts, "bpf_link_type", "BPF_LINK_TYPE_TRACING", 2);
	link_leaf = synth_idr(&s, "link_idr", LINK_IDR);
}

/* One program replaces two functions, each by a link; links of others lead to them, too. */
static void make_extensions(void)
{
	struct synth_prog extension = synth_prog(&s, 9), other = synth_prog(&s, 7);
	gaddr_t first = put_trampoline(1, UINT64_C(5) << 32 | 2);
	gaddr_t second = put_trampoline(2, UINT64_C(5) << 32 | 3), link;

	synth_set(&s, "bpf_trampoline", "extension_prog", first, synth_va(extension.prog));
	synth_set(&s, "bpf_trampoline", "extension_prog", second, synth_va(extension.prog));
	put_extension_link(12, other.prog, first);
	put_extension_link(13, extension.prog, second);
	put_extension_link(14, extension.prog, first);
	link = put_extension_link(15, extension.prog, first);
	textmem_put_uint(s.mem, link + 24, 3, 4); /* of another type */
}

static void test_extensions(void **state)
{
	struct trampolines all;

	(void)state;
	setup_extensions();
	make_extensions();
	all = read_trampolines();
	assert_int_equal(all.n, 2);
	for (size_t i = 0; i < 2; i++) {
		bool is_first = all.all[i].target_btf_id.value == 2;

		assert_number(all.all[i].link_id, is_first ? 14 : 13);
		assert_number(all.all[i].cookie, is_first ? 114 : 113);
	}
	trampolines_deinit(&all);
	/* Without an index of links all else is there. */
	fake_drop(&s.facts, KFACTS_SYMBOL, "link_idr", NULL);
	all = read_trampolines();
	assert_int_equal(all.n, 2);
	assert_unknown(all.all[0].link_id);
	trampolines_deinit(&all);
}

static int setup_spoiled(void **state)
{
	setup_attached(state);
	setup_extensions();
	return 0;
}

static bool reads_spoiled(void)
{
	struct trampolines all = read_trampolines();
	bool read = all.n == 2 && all.all[0].link_id.known && all.all[1].link_id.known;

	trampolines_deinit(&all);
	return read;
}

static void test_spoiled_extensions(void **state)
{
	(void)state;
	setup_extensions();
	spoil_each_word(setup_spoiled, make_extensions, reads_spoiled, 20);
}

static void test_programs(void **state)
{
	struct synth_prog prog = synth_prog(&s, 7), extension = synth_prog(&s, 9);
	gaddr_t trampoline = put_trampoline(1023, UINT64_C(5) << 32 | 2), node;
	struct trampolines all;

	(void)state;
	setup_nodes(NODE_IN_AUX);
	synth_set(&s, "bpf_trampoline", "extension_prog", trampoline, synth_va(extension.prog));
	node = put_node(trampoline, 0, 0);
	textmem_put_uint(s.mem, node + 656, synth_va(prog.prog), 8);
	all = read_trampolines();
	assert_int_equal(all.n, 2);
	assert_number(all.all[0].prog_id, 7);
	assert_unknown(all.all[0].link_id);
	assert_unknown(all.all[0].cookie);
	assert_string_equal(all.all[1].type, "replace");
	assert_number(all.all[1].prog_id, 9);
	assert_number(all.all[1].target_obj_id, 5);
	assert_number(all.all[1].target_btf_id, 2);
	trampolines_deinit(&all);
}

/* Two nodes of one link, as fsession has them. */
static void test_nodes(void **state)
{
	struct synth_prog prog = synth_prog(&s, 7);
	gaddr_t trampoline = put_trampoline(0, 1), link = synth_alloc(&s, 32);
	struct trampolines all;

	(void)state;
	setup_nodes(NODE_ALONE);
	textmem_put_uint(s.mem, link + 8, 30, 4);
	textmem_put_uint(s.mem, link + 16, synth_va(prog.prog), 8);
	for (unsigned int kind = 0; kind < 2; kind++)
		textmem_put_uint(s.mem, put_node(trampoline, kind, 0) + 656, synth_va(link), 8);
	all = read_trampolines();
	assert_int_equal(all.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_number(all.all[i].prog_id, 7);
		assert_number(all.all[i].link_id, 30);
	}
	trampolines_deinit(&all);
}

/* What cannot be read is counted, and the rest is there. A kind of program without a name is, too.
 */
static void test_damaged_trampolines(void **state)
{
	struct synth_prog prog = synth_prog(&s, 7);
	gaddr_t trampoline = put_trampoline(3, 1), node, circle;
	struct trampolines all;

	(void)state;
	setup_nodes(NODE_IN_LINK);
	textmem_put_uint(s.mem, SYNTH_IMAGE + TABLE, NOWHERE, 8);
	synth_set(&s, "bpf_trampoline", "hlist.next", trampoline, synth_va(trampoline) + 8);
	node = put_node(trampoline, 2, 0);
	textmem_put_uint(s.mem, node + 16, synth_va(prog.prog), 8);
	circle = put_node(trampoline, 0, 0);
	textmem_put_uint(s.mem, circle + 640, synth_va(circle) + 640, 8);
	textmem_put_uint(s.mem, circle + 16, NOWHERE, 8);
	all = read_trampolines();
	assert_int_equal(all.n, 2);
	assert_unknown(all.all[0].prog_id);
	assert_number(all.all[1].prog_id, 7);
	assert_null(all.all[1].type);
	/* The table's first slot, two circles, and the program that is nowhere. */
	assert_int_equal(all.n_unreadable, 4);
	trampolines_deinit(&all);
}

static void test_no_table(void **state)
{
	struct kt_error *err;

	(void)state;
	setup_nodes(NODE_IN_LINK);
	fake_drop(&s.facts, KFACTS_SYMBOL, "trampoline_table", NULL);
	err = bpf_trampolines_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_trampoline", "key");
	err = bpf_trampolines_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
}

/* A struct_ops whose struct has n members, and where its array of links is. */
static gaddr_t put_struct_ops(uint32_t id, uint32_t n, gaddr_t *links_ret)
{
	gaddr_t map = synth_alloc(&s, 200), kind = synth_alloc(&s, 16), type = synth_alloc(&s, 8);
	gaddr_t name = synth_alloc(&s, 16), links = synth_alloc(&s, 8 * 64);

	synth_set(&s, "bpf_map", "refcnt.counter", map, 1);
	synth_set(&s, "bpf_map", "id", map, id);
	synth_set(&s, "bpf_map", "map_type", map, STRUCT_OPS);
	synth_set(&s, "bpf_struct_ops_map", "st_ops", map, synth_va(kind));
	synth_set(&s, "bpf_struct_ops_map", "links", map, synth_va(links));
	synth_set(&s, "bpf_struct_ops_map", "kvalue.state", map, 1);
	synth_set(&s, "bpf_struct_ops", "name", kind, synth_va(name));
	synth_set(&s, "bpf_struct_ops", "type", kind, synth_va(type));
	synth_set(&s, "btf_type", "info", type, UINT32_C(4) << 24 | n);
	textmem_put(s.mem, name, "sched_ext_ops", 13);
	textmem_put_uint(s.mem, map_leaf + 40 + 8 * id, synth_va(map), 8);
	*links_ret = links;
	return map;
}

static void put_member(gaddr_t links, size_t nth, gaddr_t prog)
{
	gaddr_t link = synth_alloc(&s, 32);

	textmem_put_uint(s.mem, link + 16, prog, 8);
	textmem_put_uint(s.mem, links + 8 * nth, synth_va(link), 8);
}

static void test_struct_ops(void **state)
{
	struct synth_prog first = synth_prog(&s, 7), second = synth_prog(&s, 9);
	gaddr_t links;
	struct struct_ops_list list;

	(void)state;
	put_struct_ops(3, 4, &links);
	put_member(links, 1, synth_va(second.prog));
	put_member(links, 3, synth_va(first.prog));
	put_member(links, 4, synth_va(first.prog)); /* behind the last one */
	list = read_struct_ops();
	assert_int_equal(list.n, 1);
	assert_int_equal(list.all[0].id, 3);
	assert_string_equal(list.all[0].kernel_struct_ops, "sched_ext_ops");
	assert_string_equal(list.all[0].state, "inuse");
	assert_true(list.all[0].progs_known);
	assert_int_equal(list.all[0].n_progs, 2);
	assert_int_equal(list.all[0].progs[0].id, 9);
	assert_int_equal(list.all[0].progs[1].id, 7);
	struct_ops_list_deinit(&list);
}

/* A count that no kernel has, a program that is nowhere, all that is nowhere: unknown, each alone.
 */
static void test_damaged_struct_ops(void **state)
{
	struct synth_prog prog = synth_prog(&s, 7);
	struct struct_ops_list list;
	gaddr_t links, map;

	(void)state;
	put_struct_ops(1, 0xffff, &links);
	put_member(links, 0, synth_va(prog.prog));
	put_struct_ops(2, 4, &links);
	put_member(links, 0, NOWHERE);
	map = put_struct_ops(3, 4, &links);
	synth_set(&s, "bpf_struct_ops_map", "st_ops", map, NOWHERE);
	synth_set(&s, "bpf_struct_ops_map", "kvalue.state", map, 9);
	map = put_struct_ops(4, 4, &links);
	synth_set(&s, "bpf_struct_ops_map", "links", map, NOWHERE);
	put_struct_ops(5, 1, &links);
	put_member(links, 0, synth_va(prog.prog));
	list = read_struct_ops();
	assert_int_equal(list.n, 5);
	for (size_t i = 0; i < 4; i++) {
		assert_false(list.all[i].progs_known);
		assert_int_equal(list.all[i].n_progs, 0);
	}
	assert_null(list.all[2].kernel_struct_ops);
	assert_null(list.all[2].state);
	assert_int_equal(list.all[4].n_progs, 1);
	struct_ops_list_deinit(&list);
}

static void test_names(void **state)
{
	char known[] = "known", member[] = "init", func[] = "do_exit", module[] = "veth";
	struct program programs[] = {
		{.id = 7, .full_name = known, .attach_btf_name = member},
		{.id = 9, .name = "short", .attach_btf_name = func, .attach_btf_module = module}};
	const struct programs all = {.all = programs, .n = 2};
	struct struct_ops_prog progs[2] = {{.id = 7}, {.id = 8}};
	struct struct_ops ops = {.progs = progs, .n_progs = 2};
	struct trampoline rows[2] = {{.prog_id = {true, 9}}, {.prog_id = {false, 7}}};

	(void)state;
	assert_true(struct_ops_name(&(struct struct_ops_list){.all = &ops, .n = 1}, &all));
	assert_string_equal(progs[0].name, "known");
	assert_string_equal(progs[0].member, "init");
	assert_null(progs[1].name);
	assert_true(trampolines_name(&(struct trampolines){.all = rows, .n = 2}, &all));
	assert_string_equal(rows[0].name, "short");
	assert_string_equal(rows[0].func, "do_exit");
	assert_string_equal(rows[0].module, "veth");
	assert_null(rows[1].name);
	free(progs[0].name);
	free(progs[0].member);
	trampoline_deinit(&rows[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ATTACHED(test_links),
		TEST_ATTACHED(test_programs),
		TEST_ATTACHED(test_extensions),
		TEST_ATTACHED(test_spoiled_extensions),
		TEST_ATTACHED(test_nodes),
		TEST_ATTACHED(test_damaged_trampolines),
		TEST_ATTACHED(test_no_table),
		TEST_ATTACHED(test_struct_ops),
		TEST_ATTACHED(test_damaged_struct_ops),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("introspect/attached", tests, NULL, NULL);
}
