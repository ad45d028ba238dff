// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of BPF's code by the kernel's own tree, in memory that may be anything. The truth of a real
 * kernel's tree is tests/guest/sched-watch.sh's, against the kernel's own backtraces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/code_names.h"
#include "tests/introspect/modules.h"
#include "tests/introspect/spoil.h"

#define TREE 0x0b07000 /* offset in the image where synth.h has nothing */
/* Where code is; none of it is read. */
#define JIT    UINT64_C(0xffffffffc0000000)
#define MODULE UINT64_C(0xffffffffc0100000)
#define N      7

static gaddr_t ksyms[N];

static int setup_all(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"latch_tree_root", "seq.seqcount.sequence", 0, 4},
		{"latch_tree_root", "tree", 8, 16},
		{"bpf_ksym", "start", 0, 8},
		{"bpf_ksym", "end", 8, 8},
		{"bpf_ksym", "name", 16, 512},
		{"bpf_ksym", "tnode.node", 544, 48},
		{"rb_node", "rb_left", 16, 8},
		{"rb_node", "rb_right", 8, 8},
	};

	setup(state);
	setup_modules();
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_symbol(&s.facts, "bpf_tree", SYNTH_TEXT + TREE);
	return 0;
}

/* A node of one of the two trees. */
static gaddr_t node(size_t which, size_t i)
{
	return synth_va(ksyms[i]) + 544 + which * 24;
}

/* [from, to): a balanced tree of those. */
static gaddr_t put_nodes(size_t which, size_t from, size_t to)
{
	size_t mid = from + (to - from) / 2;

	if (from == to)
		return 0;
	textmem_put_uint(s.mem, ksyms[mid] + 544 + which * 24 + 16, put_nodes(which, from, mid), 8);
	textmem_put_uint(s.mem, ksyms[mid] + 544 + which * 24 + 8, put_nodes(which, mid + 1, to),
			 8);
	return node(which, mid);
}

/* Each is 0x80 bytes, and 0x100 from the next. The other tree is just being changed. */
static void put_tree(size_t which)
{
	for (size_t i = 0; i < N; i++) {
		char name[32];

		ksyms[i] = synth_alloc(&s, 544 + 48);
		snprintf(name, sizeof(name), "bpf_prog_%zu", i);
		textmem_put_uint(s.mem, ksyms[i], JIT + i * 0x100, 8);
		textmem_put_uint(s.mem, ksyms[i] + 8, JIT + i * 0x100 + 0x80, 8);
		textmem_put(s.mem, ksyms[i] + 16, name, strlen(name));
	}
	textmem_put_uint(s.mem, SYNTH_IMAGE + TREE, 6 + which, 4);
	textmem_put_uint(s.mem, SYNTH_IMAGE + TREE + 8 + which * 8, put_nodes(which, 0, N), 8);
	textmem_put_uint(s.mem, SYNTH_IMAGE + TREE + 8 + (1 - which) * 8, NOWHERE, 8);
}

static struct kt_error *try_read(struct module_symbol *symbols, size_t n)
{
	const struct source source = textmem_source(s.mem);
	const int64_t kaslr = (int64_t)s.kaslr;
	struct guest *guest;
	struct kt_error *err;

	synth_cpu(&s);
	err = guest_create(&source, &s.facts, &kaslr, &guest);
	if (err)
		return err;
	err = code_names_read(guest, symbols, n);
	guest_destroy(guest);
	return err;
}

/* All of BPF's, what is between them, and a module's. */
static void assert_names(void)
{
	struct module_symbol symbols[N + 5] = {0};
	char name[32];

	for (size_t i = 0; i < N; i++)
		symbols[i].addr = JIT + i * 0x100 + i;
	symbols[N].addr = JIT + 0x80;     /* behind the last call of a program */
	symbols[N + 1].addr = JIT + 0x81; /* behind it */
	symbols[N + 2].addr = JIT - 1;
	symbols[N + 3].addr = JIT + N * 0x100;
	symbols[N + 4].addr = MODULE + 0x44;
	assert_null(try_read(symbols, N + 5));
	for (size_t i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "bpf_prog_%zu", i);
		assert_string_equal(symbols[i].name, name);
		assert_int_equal(symbols[i].start, JIT + i * 0x100);
		assert_null(symbols[i].module);
	}
	assert_string_equal(symbols[N].name, "bpf_prog_0");
	for (size_t i = N + 1; i < N + 4; i++)
		assert_null(symbols[i].name);
	assert_string_equal(symbols[N + 4].name, "second");
	assert_string_equal(symbols[N + 4].module, "veth");
	module_symbols_deinit(symbols, N + 5);
}

static void test_names(void **state)
{
	for (size_t which = 0; which < 2; which++) {
		put_module("veth", MODULE);
		put_tree(which);
		assert_names();
		teardown(state);
		setup_all(state);
	}
}

/* Up to 5.9 the sequence is a plain one. */
static void test_old_sequence(void **state)
{
	(void)state;
	fake_drop(&s.facts, KFACTS_MEMBER, "latch_tree_root", "seq.seqcount.sequence");
	fake_member(&s.facts, "latch_tree_root", "seq.sequence", 0, 4);
	put_module("veth", MODULE);
	put_tree(1);
	assert_names();
}

/* No tree: modules are named all the same. */
static void test_without(void **state)
{
	struct module_symbol symbols[] = {{.addr = JIT}, {.addr = MODULE + 0x44}};

	(void)state;
	put_module("veth", MODULE);
	assert_null(try_read(symbols, 2)); /* an empty one */
	assert_null(symbols[0].name);
	assert_string_equal(symbols[1].name, "second");
	module_symbols_deinit(symbols, 2);
	put_tree(0);
	fake_drop(&s.facts, KFACTS_SYMBOL, "bpf_tree", NULL);
	memset(symbols, 0, sizeof(symbols));
	symbols[0].addr = JIT;
	symbols[1].addr = MODULE + 0x44;
	assert_null(try_read(symbols, 2));
	assert_null(symbols[0].name);
	assert_string_equal(symbols[1].name, "second");
	module_symbols_deinit(symbols, 2);
}

/* A node that leads to itself, or a name without an end. */
static void test_endless(void **state)
{
	struct module_symbol symbols[] = {{.addr = JIT + 0x600}, {.addr = JIT + 0x300}};
	char name[512];

	(void)state;
	put_tree(0);
	textmem_put_uint(s.mem, ksyms[5] + 544 + 8, node(0, 5), 8);
	memset(name, 'a', sizeof(name));
	textmem_put(s.mem, ksyms[3] + 16, name, sizeof(name));
	assert_null(try_read(symbols, 2));
	assert_null(symbols[0].name);
	assert_null(symbols[1].name);
}

static void make(void)
{
	put_module("veth", MODULE);
	put_tree(1);
}

static bool reads(void)
{
	struct module_symbol symbols[N] = {0};
	struct kt_error *err;
	bool ok;

	for (size_t i = 0; i < N; i++)
		symbols[i].addr = JIT + i * 0x100 + 0x10;
	err = try_read(symbols, N);
	ok = !err;
	for (size_t i = 0; i < N; i++)
		assert_true(!symbols[i].name || strlen(symbols[i].name) < 512);
	module_symbols_deinit(symbols, N);
	kt_error_destroy(err);
	return ok;
}

static void test_spoiled(void **state)
{
	(void)state;
	spoil_each_word(setup_all, make, reads, 40);
}

#define TEST_ALL(name) cmocka_unit_test_setup_teardown(name, setup_all, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ALL(test_names),   TEST_ALL(test_old_sequence), TEST_ALL(test_without),
		TEST_ALL(test_endless), TEST_ALL(test_spoiled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
