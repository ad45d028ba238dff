/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A synthetic kernel for each test, and the walk of its programs. Include once, after cmocka.h. */
#ifndef KT_TESTS_INTROSPECT_WALK_H
#define KT_TESTS_INTROSPECT_WALK_H

#include "tests/introspect/synth.h"

#define NOWHERE UINT64_C(0xffffc90000000000) /* canonical, and not mapped */

static struct synth s;

static inline int setup(void **state)
{
	(void)state;
	synth_init(&s, SYNTH_KASLR);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	synth_deinit(&s);
	return 0;
}

static inline struct kt_error *try_programs(struct programs *ret)
{
	struct bpf_progs *progs;
	struct guest *guest;
	struct kt_error *err;

	synth_cpu(&s);
	err = synth_guest(&s, &guest);
	if (err)
		return err;
	err = bpf_progs_read(guest, &progs);
	guest_destroy(guest);
	if (err)
		return err;
	/* No guest any more: nothing may be read from here on. */
	s.mem->reads = 0;
	err = bpf_progs_finish(progs, &s.facts, ret);
	assert_int_equal(s.mem->reads, 0);
	bpf_progs_destroy(progs);
	return err;
}

static inline struct programs programs(void)
{
	struct programs out;
	struct kt_error *err = try_programs(&out);

	if (err)
		fail_msg("%s", kt_error_message(err));
	return out;
}

/* The one program that there is. */
static inline struct program only(struct programs *all)
{
	assert_int_equal(all->n, 1);
	assert_int_equal(all->n_unreadable, 0);
	return all->all[0];
}

#define assert_number(number, wanted)                                                              \
	do {                                                                                       \
		assert_true((number).known);                                                       \
		assert_int_equal((number).value, wanted);                                          \
	} while (0)

#define assert_unknown(number) assert_false((number).known)

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
