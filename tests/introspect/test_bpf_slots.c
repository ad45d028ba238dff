// SPDX-License-Identifier: LGPL-2.1-or-later
/* Slots of maps of a synthetic kernel, whose memory may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/bpf_slots.h"
#include "tests/introspect/spoil.h"

#define MAP_IDR 0x0b00100 /* in the image, where synth.h has nothing */
enum { ARRAY = 2, PROG_ARRAY = 3, ARRAY_OF_MAPS = 12 };
#define SLOTS 128 /* where they begin in a map */

static gaddr_t leaf; /* the one node of map_idr */

static int setup_slots(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_map", "refcnt.counter", 8, 8},
		{"bpf_map", "map_type", 16, 4},
		{"bpf_map", "max_entries", 60, 4},
		{"bpf_array", "map", 0, 128},
		{"bpf_array", "ptrs", SLOTS, 0},
		{"bpf_link", "id", 8, 4},
		{"btf", "id", 8, 4},
	};

	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_ARRAY", ARRAY);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_PROG_ARRAY", PROG_ARRAY);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_ARRAY_OF_MAPS", ARRAY_OF_MAPS);
	leaf = synth_idr(&s, "map_idr", MAP_IDR);
	return 0;
}

static gaddr_t put_map(uint32_t id, uint32_t type, uint32_t n)
{
	gaddr_t map = synth_alloc(&s, SLOTS + 8 * 64);

	synth_set(&s, "bpf_map", "refcnt.counter", map, 1);
	synth_set(&s, "bpf_map", "id", map, id);
	synth_set(&s, "bpf_map", "map_type", map, type);
	synth_set(&s, "bpf_map", "max_entries", map, n);
	textmem_put_uint(s.mem, leaf + 40 + 8 * id, synth_va(map), 8);
	return map;
}

static void put_slot(gaddr_t map, uint32_t i, uint64_t value)
{
	textmem_put_uint(s.mem, map + SLOTS + 8 * i, value, 8);
}

static struct kt_error *try_read(struct slots *ret)
{
	struct guest *guest;
	struct kt_error *err;

	synth_cpu(&s);
	err = synth_guest(&s, &guest);
	if (err)
		return err;
	err = bpf_slots_read(guest, ret);
	guest_destroy(guest);
	return err;
}

static void assert_slot(const struct slots *slots, size_t i, struct slot wanted)
{
	const struct slot *slot = &slots->all[i];

	assert_true(i < slots->n);
	assert_int_equal(slot->map_id, wanted.map_id);
	assert_int_equal(slot->index, wanted.index);
	assert_int_equal(slot->to.kind, wanted.to.kind);
	assert_int_equal(slot->known, wanted.known);
	if (wanted.known)
		assert_int_equal(slot->to.id, wanted.to.id);
}

/* A program and a map that no index lists are found; arrays of numbers have no slots. */
static void make_everything(void)
{
	gaddr_t numbers = put_map(1, ARRAY, 4), progs = put_map(2, PROG_ARRAY, 8);
	gaddr_t maps = put_map(3, ARRAY_OF_MAPS, 4), hidden = put_map(40, ARRAY, 1);
	struct synth_prog prog = synth_prog(&s, 7), lost = synth_prog(&s, 9);

	put_slot(numbers, 0, 77);
	put_slot(progs, 1, synth_va(prog.prog));
	put_slot(progs, 7, synth_va(prog.prog));
	synth_set(&s, "bpf_prog_aux", "id", lost.aux, 0);
	put_slot(progs, 3, synth_va(lost.prog));
	put_slot(maps, 2, synth_va(hidden));
	textmem_put_uint(s.mem, leaf + 40 + 8 * 40, 0, 8);
}

static void test_slots(void **state)
{
	struct slots slots;

	(void)state;
	make_everything();
	assert_null(try_read(&slots));
	assert_int_equal(slots.n, 4);
	assert_slot(&slots, 0, (struct slot){2, 1, {HELD_PROG, 7}, true});
	assert_slot(&slots, 1, (struct slot){2, 3, {HELD_PROG, 0}, true});
	assert_slot(&slots, 2, (struct slot){2, 7, {HELD_PROG, 7}, true});
	assert_slot(&slots, 3, (struct slot){3, 2, {HELD_MAP, 40}, true});
	assert_int_equal(slots.n_unreadable, 0);
	slots_deinit(&slots);
}

static void test_broken(void **state)
{
	gaddr_t progs = put_map(2, PROG_ARRAY, 8);
	struct slots slots;

	(void)state;
	put_map(3, PROG_ARRAY, UINT32_MAX); /* more than is read */
	put_map(4, PROG_ARRAY, 60000);      /* not all of it is mapped */
	put_map(5, PROG_ARRAY, 0);
	put_slot(progs, 0, NOWHERE);
	put_slot(progs, 1, synth_va(synth_prog(&s, 7).prog));
	assert_null(try_read(&slots));
	assert_int_equal(slots.n, 2);
	assert_slot(&slots, 0, (struct slot){2, 0, {HELD_PROG, 0}, false});
	assert_slot(&slots, 1, (struct slot){2, 1, {HELD_PROG, 7}, true});
	assert_int_equal(slots.n_unreadable, 3);
	slots_deinit(&slots);
}

static bool reads_spoiled(void)
{
	struct slots slots = {0};
	struct kt_error *err = try_read(&slots);
	bool read = !err;

	assert_true(slots.n <= 65536);
	kt_error_destroy(err);
	slots_deinit(&slots);
	return read;
}

static void test_each_word(void **state)
{
	(void)state;
	spoil_each_word(setup_slots, make_everything, reads_spoiled, 31);
}

static void test_lacking(void **state)
{
	struct kt_error *err;

	(void)state;
	assert_null(bpf_slots_check(&s.facts));
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_array", "ptrs");
	err = bpf_slots_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
}

#define TEST_SLOTS(name) cmocka_unit_test_setup_teardown(name, setup_slots, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_SLOTS(test_slots),
		TEST_SLOTS(test_broken),
		TEST_SLOTS(test_each_word),
		TEST_SLOTS(test_lacking),
	};

	return cmocka_run_group_tests_name("introspect/bpf_slots", tests, NULL, NULL);
}
