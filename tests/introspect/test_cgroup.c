// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cgroups of a synthetic kernel, whose memory may be anything. Truth is in tests/guest/net.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/cgroup.h"
#include "tests/introspect/walk.h"

#define ROOT    0x0b00400 /* an offset in the image where synth.h has nothing */
#define N_TYPES 4
#define CGROUP  256 /* bytes of a struct cgroup here */

static gaddr_t root; /* physical, of the root's struct cgroup */

static int setup_cgroups(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"cgroup_root", "kf_root", 0, 8},
		{"cgroup_root", "cgrp", 64, CGROUP},
		{"cgroup", "self.sibling", 16, 16},
		{"cgroup", "self.sibling.next", 16, 8},
		{"cgroup", "self.children", 32, 16},
		{"cgroup", "self.children.next", 32, 8},
		{"cgroup", "self.flags", 48, 4},
		{"cgroup", "kn", 56, 8},
		{"cgroup", "bpf.effective", 64, N_TYPES * 8},
		{"cgroup", "bpf.progs", 96, N_TYPES * 8},
		{"cgroup", "bpf.flags", 128, N_TYPES},
		{"kernfs_node", "name", 0, 8},
		{"kernfs_node", "id", 8, 8},
		{"bpf_prog_list", "node", 0, 16},
		{"bpf_prog_list", "node.next", 0, 8},
		{"bpf_prog_list", "prog", 16, 8},
		{"bpf_prog_list", "link", 24, 8},
		{"bpf_cgroup_link", "link.id", 8, 4},
		{"bpf_cgroup_link", "link.prog", 16, 8},
		{"bpf_prog_array", "items", 16, 0},
		{"bpf_prog_array_item", "prog", 0, 8},
	};

	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_size(&s.facts, "bpf_prog_array_item", 24);
	fake_enum(&s.facts, "cgroup_bpf_attach_type", "CGROUP_INET_INGRESS", 0);
	fake_enum(&s.facts, "cgroup_bpf_attach_type", "CGROUP_SYSCTL", 1);
	fake_enum(&s.facts, "cgroup_bpf_attach_type", "CGROUP_LSM_START", 2);
	fake_enum(&s.facts, "cgroup_bpf_attach_type", "CGROUP_LSM_END", 3);
	fake_enum(&s.facts, "bpf_attach_type", "BPF_CGROUP_INET_INGRESS", 0);
	fake_enum(&s.facts, "bpf_attach_type", "BPF_CGROUP_SYSCTL", 18);
	fake_enum(&s.facts, "bpf_attach_type", "BPF_LSM_CGROUP", 43);
	fake_symbol(&s.facts, "cgrp_dfl_root", SYNTH_TEXT + ROOT);
	root = SYNTH_IMAGE + ROOT + 64;
	synth_set(&s, "cgroup", "self.children.next", root,
		  SYNTH_TEXT + SYNTH_KASLR + ROOT + 64 + 32);
	synth_set(&s, "cgroup", "self.flags", root, 2);
	return 0;
}

static void set(const char *type, const char *path, gaddr_t at, uint64_t value)
{
	synth_set(&s, type, path, at, value);
}

/* The first child of the root, and only one. head: where its list goes on. */
static gaddr_t put_child(const char *name, uint64_t id)
{
	gaddr_t cgroup = synth_alloc(&s, CGROUP), kn = synth_alloc(&s, 16);
	gaddr_t text = synth_alloc(&s, 64);

	textmem_put(s.mem, text, name, strlen(name) + 1);
	set("kernfs_node", "name", kn, synth_va(text));
	set("kernfs_node", "id", kn, id);
	set("cgroup", "kn", cgroup, synth_va(kn));
	set("cgroup", "self.flags", cgroup, 2);
	set("cgroup", "self.sibling.next", cgroup, SYNTH_TEXT + SYNTH_KASLR + ROOT + 64 + 32);
	set("cgroup", "self.children.next", cgroup, synth_va(cgroup) + 32);
	set("cgroup", "self.children.next", root, synth_va(cgroup) + 16);
	return cgroup;
}

/* Attaches to a cgroup; the bpf_prog_list. */
static gaddr_t attach(gaddr_t cgroup, unsigned int type, gaddr_t prog)
{
	gaddr_t pl = synth_alloc(&s, 32);

	set("bpf_prog_list", "prog", pl, prog);
	textmem_put_uint(s.mem, cgroup + 96 + 8 * type, synth_va(pl), 8);
	return pl;
}

static struct cgroups read_cgroups(bool effective)
{
	struct bpf_cgroups *cgroups;
	struct guest *guest;
	struct cgroups out;

	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	assert_null(bpf_cgroups_read(guest, effective, &cgroups));
	guest_destroy(guest);
	assert_null(bpf_cgroups_finish(cgroups, &s.facts, &out));
	bpf_cgroups_destroy(cgroups);
	return out;
}

static void test_attached(void **state)
{
	gaddr_t child = put_child("child", 77), link = synth_alloc(&s, 32), pl;
	struct cgroups out;

	(void)state;
	textmem_put_uint(s.mem, child + 128 + 1, 2, 1);
	attach(child, 1, synth_va(synth_prog(&s, 5).prog));
	pl = attach(child, 3, 0);
	set("bpf_prog_list", "link", pl, synth_va(link));
	set("bpf_cgroup_link", "link.id", link, 9);
	set("bpf_cgroup_link", "link.prog", link, synth_va(synth_prog(&s, 6).prog));
	attach(root, 0, NOWHERE);
	out = read_cgroups(false);
	assert_int_equal(out.n_cgroups, 2);
	assert_int_equal(out.n, 3);
	assert_int_equal(out.n_unreadable, 0);
	assert_string_equal(out.all[0].path, "/");
	assert_null(out.all[0].cgroup);
	assert_unknown(out.all[0].id); /* it is there, but nobody knows what it is */
	assert_string_equal(out.all[0].attach_type, "cgroup_inet_ingress");
	assert_string_equal(out.all[1].path, "/child");
	assert_number(out.all[1].cgroup_id, 77);
	assert_number(out.all[1].id, 5);
	assert_string_equal(out.all[1].name, "prog_5");
	assert_string_equal(out.all[1].attach_type, "cgroup_sysctl");
	assert_number(out.all[1].attach_flags, 2);
	assert_number(out.all[1].link_id, 0);
	assert_number(out.all[2].id, 6);
	assert_string_equal(out.all[2].attach_type, "lsm_cgroup");
	assert_number(out.all[2].link_id, 9);
	cgroups_deinit(&out);
}

static void test_effective(void **state)
{
	gaddr_t child = put_child("child", 77), array = synth_alloc(&s, 16 + 3 * 24);
	gaddr_t prog = synth_va(synth_prog(&s, 5).prog);
	struct cgroups out;

	(void)state;
	textmem_put_uint(s.mem, array + 16, prog, 8);
	textmem_put_uint(s.mem, array + 16 + 24, prog, 8);
	/* Both cgroups have the same one; and one that is not mapped. */
	textmem_put_uint(s.mem, child + 64, synth_va(array), 8);
	textmem_put_uint(s.mem, root + 64 + 8, synth_va(array), 8);
	textmem_put_uint(s.mem, root + 64 + 16, NOWHERE, 8);
	out = read_cgroups(true);
	assert_int_equal(out.n, 4);
	assert_int_equal(out.n_unreadable, 1);
	assert_string_equal(out.all[0].attach_type, "cgroup_sysctl");
	assert_unknown(out.all[0].attach_flags);
	assert_unknown(out.all[0].link_id);
	assert_number(out.all[3].id, 5);
	cgroups_deinit(&out);
}

/* An array without an end, full of one program: as much as memory has. */
static void test_endless_array(void **state)
{
	gaddr_t array = synth_alloc(&s, 16 + 24 * 8192);
	gaddr_t prog = synth_va(synth_prog(&s, 5).prog);
	struct cgroups out;

	(void)state;
	for (size_t i = 0; i < 8192; i++)
		textmem_put_uint(s.mem, array + 16 + 24 * i, prog, 8);
	textmem_put_uint(s.mem, root + 64, synth_va(array), 8);
	out = read_cgroups(true);
	assert_int_equal(out.n, 4096);
	assert_int_equal(out.n_unreadable, 1);
	cgroups_deinit(&out);
}

static void test_hostile(void **state)
{
	gaddr_t child = put_child("child", 77), pl;
	struct cgroups out;

	(void)state;
	/* Its own child; a program list that bites its tail, and one that leads nowhere. */
	set("cgroup", "self.children.next", child, synth_va(child) + 16);
	pl = attach(child, 0, synth_va(synth_prog(&s, 5).prog));
	set("bpf_prog_list", "node.next", pl, synth_va(pl));
	textmem_put_uint(s.mem, child + 96 + 8, NOWHERE, 8);
	/* A name that is not mapped. */
	set("cgroup", "kn", child, NOWHERE);
	out = read_cgroups(false);
	assert_int_equal(out.n_cgroups, 2);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.n_unreadable, 3);
	assert_null(out.all[0].path);
	assert_unknown(out.all[0].cgroup_id);
	assert_number(out.all[0].id, 5);
	cgroups_deinit(&out);
}

/* A removed one is told apart. */
static void test_dead(void **state)
{
	gaddr_t child = put_child("gone", 77);
	struct cgroups out;

	(void)state;
	set("cgroup", "self.flags", child, 0);
	attach(child, 0, synth_va(synth_prog(&s, 5).prog));
	out = read_cgroups(false);
	assert_int_equal(out.n, 1);
	assert_number(out.all[0].dead, 1);
	cgroups_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_attached, setup_cgroups, teardown),
		cmocka_unit_test_setup_teardown(test_effective, setup_cgroups, teardown),
		cmocka_unit_test_setup_teardown(test_endless_array, setup_cgroups, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup_cgroups, teardown),
		cmocka_unit_test_setup_teardown(test_dead, setup_cgroups, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
