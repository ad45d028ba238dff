// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a program was loaded as, of a synthetic kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/introspect/walk.h"

/* Members that lie where synth.h has nothing. */
static struct synth_prog with_attrs(void)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_prog", "pages", 0, 2},
		{"bpf_prog", "expected_attach_type", 40, 4},
		{"bpf_prog_aux", "attach_btf_id", 48, 4},
		{"bpf_prog_aux", "attach_func_name", 56, 8},
		{"bpf_prog_aux", "sleepable", 64, 1},
		{"bpf_prog_aux", "xdp_has_frags", 65, 1},
		{"bpf_prog_aux", "dev_bound", 66, 1},
		{"bpf_prog_aux", "offload", 72, 8},
		{"bpf_ringbuf", "consumer_pos", 16384, 8},
		{"bpf_ringbuf", "producer_pos", 32768, 8},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_enum(&s.facts, "bpf_attach_type", "BPF_CGROUP_INET_INGRESS", 0);
	fake_enum(&s.facts, "bpf_attach_type", "BPF_TRACE_FENTRY", 24);
	return synth_prog(&s, 7);
}

/* Pages of 16 KiB; a name on two pages of which the second is there. */
static void test_attrs(void **state)
{
	struct synth_prog p = with_attrs();
	gaddr_t name = 0x7ffff8; /* eight bytes before the end of a page */
	struct programs all;
	struct program q;

	(void)state;
	textmem_put(s.mem, name, "security_bpf", 13);
	textmem_put(s.mem, name + 13, NULL, 128);
	synth_set(&s, "bpf_prog", "pages", p.prog, 2);
	synth_set(&s, "bpf_prog", "expected_attach_type", p.prog, 24);
	synth_set(&s, "bpf_prog_aux", "attach_btf_id", p.aux, 4711);
	synth_set(&s, "bpf_prog_aux", "attach_func_name", p.aux, synth_va(name));
	synth_set(&s, "bpf_prog_aux", "sleepable", p.aux, 1);
	synth_set(&s, "bpf_prog_aux", "dev_bound", p.aux, 1);
	all = programs();
	q = only(&all);
	assert_number(q.bytes_memlock, 2 * 16384);
	assert_number(q.attach_btf_id, 4711);
	assert_number(q.sleepable, 1);
	assert_number(q.xdp_has_frags, 0);
	assert_number(q.orphaned, 1);
	assert_string_equal(q.expected_attach_type, "trace_fentry");
	assert_string_equal(q.attach_btf_name, "security_bpf");
	assert_int_equal(q.n_prog_tags, 1);
	assert_string_equal(q.prog_tags[0], q.tag);
	programs_deinit(&all);
}

/* The module is the one whose BTF it is; the kernel's own is none, nor is what cannot be read. */
static void test_module(void **state)
{
	static const struct {
		const char name[64];
		const char *wanted;
	} cases[] = {{"veth", "veth"}, {"vmlinux", NULL}, {"vmlinuxes", "vmlinuxes"}, {"", NULL}};
	char endless[64];

	(void)state;
	memset(endless, 'm', sizeof(endless));
	for (size_t i = 0; i < 6; i++) {
		struct synth_prog p;
		struct programs all;
		gaddr_t btf;

		synth_deinit(&s);
		synth_init(&s, 0);
		fake_member(&s.facts, "bpf_prog_aux", "attach_btf", 80, 8);
		fake_member(&s.facts, "btf", "name", 72, 64);
		p = with_attrs();
		btf = synth_alloc(&s, 136);
		textmem_put(s.mem, btf + 72, i < 4 ? cases[i].name : endless, 64);
		synth_set(&s, "bpf_prog_aux", "attach_btf", p.aux, i < 5 ? synth_va(btf) : NOWHERE);
		all = programs();
		if (i < 4 && cases[i].wanted)
			assert_string_equal(only(&all).attach_btf_module, cases[i].wanted);
		else if (i == 4)
			assert_int_equal(strlen(only(&all).attach_btf_module), 64);
		else
			assert_null(only(&all).attach_btf_module);
		programs_deinit(&all);
	}
}

/* What a kernel does not have is unknown, and no 0. */
static void test_none(void **state)
{
	struct programs all;
	struct program q;

	(void)state;
	synth_prog(&s, 7);
	all = programs();
	q = only(&all);
	assert_unknown(q.bytes_memlock);
	assert_unknown(q.attach_btf_id);
	assert_unknown(q.sleepable);
	assert_unknown(q.xdp_has_frags);
	assert_unknown(q.orphaned);
	assert_null(q.expected_attach_type);
	assert_null(q.attach_btf_name);
	programs_deinit(&all);
}

/* A name that is not there, or does not end, is none; the program stays. */
static void test_hostile_names(void **state)
{
	gaddr_t endless, cut = 0x8ffff8;
	gaddr_t names[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct synth_prog p;
		struct programs all;

		synth_deinit(&s);
		synth_init(&s, 0);
		p = with_attrs();
		endless = synth_alloc(&s, 256);
		for (unsigned int k = 0; k < 256; k++)
			textmem_put(s.mem, endless + k, "x", 1);
		names[0] = NOWHERE;
		names[1] = synth_va(endless);
		names[2] = synth_va(cut);
		textmem_put(s.mem, cut, "12345678", 8);
		synth_set(&s, "bpf_prog_aux", "attach_func_name", p.aux, names[i]);
		/* Loaded without a type: 0 is that of another kind of program. */
		synth_set(&s, "bpf_prog", "expected_attach_type", p.prog, 0);
		all = programs();
		assert_null(only(&all).attach_btf_name);
		assert_null(only(&all).expected_attach_type);
		programs_deinit(&all);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_attrs),
		TEST(test_module),
		TEST(test_none),
		TEST(test_hostile_names),
	};

	return cmocka_run_group_tests_name("introspect/bpf_prog_attrs", tests, NULL, NULL);
}
