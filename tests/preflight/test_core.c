// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether CO-RE relocations find what they ask for, in types made up here, beside libbpf's own
 * verdict: what is said to fail, libbpf has to poison or refuse; and what it poisons is found out,
 * in all cases that are named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "preflight/compat.h"
#include "preflight/core.h"
#include "tests/preflight/libbpf_core.h"

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* An object's types, and a kernel's. */
struct pair {
	struct btf *local, *target;
};

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	libbpf_set_print(quiet);
	p->local = btf__new_empty();
	p->target = btf__new_empty();
	*state = p;
	return p->local && p->target ? 0 : -1;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	btf__free(p->local);
	btf__free(p->target);
	free(p);
	return 0;
}

static bool fails(const struct pair *p, uint32_t type, const char *access, uint32_t kind)
{
	const struct pf_object object = {.btf = p->local};
	const struct pf_core core = {.type = type, .access = access, .kind = kind};
	struct pf_modules modules = {0};
	struct pf_kernel kernel;
	bool ret;

	assert_null(pf_kernel_init(p->target, NULL, &modules, &kernel));
	ret = pf_core_fails(&object, &core, &kernel);
	pf_kernel_deinit(&kernel);
	pf_modules_deinit(&modules);
	return ret;
}

/* Both say the same. */
static void agree(const struct pair *p, uint32_t type, const char *access, uint32_t kind, bool want)
{
	assert_int_equal(fails(p, type, access, kind), want);
	if (core_has_libbpf())
		assert_int_equal(core_ask_libbpf(p->local, type, access, kind, p->target) !=
					 CORE_FINDS,
				 want);
}

static void field(struct btf *btf, const char *name, int type, uint32_t bytes)
{
	assert_int_equal(btf__add_field(btf, name, type, bytes * 8, 0), 0);
}

static void test_members(void **state)
{
	struct pair *p = *state;
	int u32_ = btf__add_int(p->local, "u32", 4, 0), s, ptr;
	int k32 = btf__add_int(p->target, "u32", 4, 0), k64 = btf__add_int(p->target, "u64", 8, 0);
	int anon, kptr;

	ptr = btf__add_ptr(p->local, u32_);
	s = btf__add_struct(p->local, "task___mine", 32);
	field(p->local, "pid", u32_, 0);
	field(p->local, "gone", u32_, 4);
	field(p->local, "deep", u32_, 8);
	field(p->local, "other", ptr, 16);
	field(p->local, "wide", u32_, 24);
	kptr = k64;
	anon = btf__add_union(p->target, NULL, 8);
	field(p->target, "deep", k64, 0);
	btf__add_struct(p->target, "task", 40);
	field(p->target, "wide", k64, 0);
	field(p->target, "pid", k32, 8);
	field(p->target, NULL, anon, 16);
	field(p->target, "other", kptr, 24);

	agree(p, (uint32_t)s, "0:0", PF_CORE_FIELD_OFFSET, false);
	agree(p, (uint32_t)s, "0:1", PF_CORE_FIELD_OFFSET, true);
	agree(p, (uint32_t)s, "0:1", PF_CORE_FIELD_SIZE, true);
	agree(p, (uint32_t)s, "0:1", PF_CORE_FIELD_EXISTS, false);
	agree(p, (uint32_t)s, "0:2", PF_CORE_FIELD_OFFSET, false);
	agree(p, (uint32_t)s, "0:3", PF_CORE_FIELD_OFFSET, true); /* a pointer is no integer */
	agree(p, (uint32_t)s, "0:4", PF_CORE_FIELD_OFFSET, false);
}

/* Of several types with the name, one is enough; a declaration is none. */
static void test_candidates(void **state)
{
	struct pair *p = *state;
	int u32_ = btf__add_int(p->local, "u32", 4, 0), k32 = btf__add_int(p->target, "u32", 4, 0);
	int s = btf__add_struct(p->local, "s", 4), t;

	field(p->local, "a", u32_, 0);
	t = btf__add_struct(p->local, "only_declared", 4);
	field(p->local, "a", u32_, 0);
	btf__add_struct(p->target, "s", 4);
	field(p->target, "b", k32, 0);
	agree(p, (uint32_t)s, "0:0", PF_CORE_FIELD_OFFSET, true);
	btf__add_struct(p->target, "s___v2", 4);
	field(p->target, "a", k32, 0);
	agree(p, (uint32_t)s, "0:0", PF_CORE_FIELD_OFFSET, false);
	btf__add_fwd(p->target, "only_declared", BTF_FWD_STRUCT);
	agree(p, (uint32_t)t, "0:0", PF_CORE_FIELD_OFFSET, true);
	agree(p, (uint32_t)t, "0", PF_CORE_TYPE_SIZE, false);
	agree(p, (uint32_t)t, "0", PF_CORE_TYPE_ID_TARGET, false);
	agree(p, (uint32_t)t, "0", PF_CORE_TYPE_EXISTS, false);
}

static void test_arrays(void **state)
{
	struct pair *p = *state;
	int u32_ = btf__add_int(p->local, "u32", 4, 0), k32 = btf__add_int(p->target, "u32", 4, 0);
	int array = btf__add_array(p->local, u32_, u32_, 8), s;
	int shorter = btf__add_array(p->target, k32, k32, 4);
	int flexible = btf__add_array(p->target, k32, k32, 0);

	s = btf__add_struct(p->local, "s", 64);
	field(p->local, "short", array, 0);
	field(p->local, "open", array, 32);
	btf__add_struct(p->target, "s", 16);
	field(p->target, "short", shorter, 0);
	field(p->target, "open", flexible, 16);
	agree(p, (uint32_t)s, "0:0:3", PF_CORE_FIELD_OFFSET, false);
	agree(p, (uint32_t)s, "0:0:4", PF_CORE_FIELD_OFFSET, true);
	agree(p, (uint32_t)s, "0:1:7", PF_CORE_FIELD_OFFSET, false);
}

static void test_enumerators(void **state)
{
	struct pair *p = *state;
	int e = btf__add_enum(p->local, "e", 4);

	btf__add_enum_value(p->local, "THERE", 0);
	btf__add_enum_value(p->local, "GONE", 1);
	btf__add_enum64(p->target, "e", 8, false);
	btf__add_enum64_value(p->target, "THERE", 7);
	agree(p, (uint32_t)e, "0", PF_CORE_ENUMVAL_VALUE, false);
	agree(p, (uint32_t)e, "1", PF_CORE_ENUMVAL_VALUE, true);
	agree(p, (uint32_t)e, "1", PF_CORE_ENUMVAL_EXISTS, false);
}

/* --- types that nobody thought of --- */

static uint32_t seed;

static uint32_t below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static const char *const names[] = {"a", "b", "c", "a___x", "b___y"};

static const char *any_name(void)
{
	return names[below(5)];
}

/* Types that refer to those before them, so that none contains itself. */
static void make_types(struct btf *btf, uint32_t n)
{
	while (btf__type_cnt(btf) < n) {
		int ref = (int)below(btf__type_cnt(btf));
		int some = ref ? ref : 1, members = (int)below(4);

		switch (btf__type_cnt(btf) == 1 ? 0 : below(9)) {
		case 0: btf__add_int(btf, "int", 1 << below(4), 0); break;
		case 1: btf__add_ptr(btf, ref); break;
		case 2: btf__add_const(btf, some); break;
		case 3: btf__add_typedef(btf, any_name(), some); break;
		case 4: btf__add_array(btf, some, some, below(4)); break;
		case 5:
			btf__add_enum(btf, any_name(), 4);
			for (int i = 0; i < members; i++)
				btf__add_enum_value(btf, names[i], i);
			break;
		case 6: btf__add_fwd(btf, any_name(), BTF_FWD_STRUCT); break;
		case 7:
			btf__add_func_proto(btf, ref);
			for (int i = 0; i < members; i++)
				btf__add_func_param(btf, "", some);
			break;
		default:
			btf__add_struct(btf, below(4) ? any_name() : NULL, 64);
			for (int i = 0; i < members; i++)
				btf__add_field(btf, below(4) ? names[i] : NULL,
					       1 + (int)below(btf__type_cnt(btf) - 2),
					       (uint32_t)i * 64, 0);
		}
	}
}

static void ask_random(const struct pair *p, size_t *failed)
{
	uint32_t n = btf__type_cnt(p->local);

	for (uint32_t id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(p->local, id);
		uint32_t kind = below(12), left;
		char access[32] = "0";

		if (!t->name_off)
			continue;
		for (left = kind <= PF_CORE_FIELD_RSHIFT ? below(4) : 0; left; left--)
			snprintf(access + strlen(access), 3, ":%u", below(3));
		if (kind >= PF_CORE_ENUMVAL_EXISTS)
			snprintf(access, sizeof(access), "%u", below(3));
		if (!fails(p, id, access, kind))
			continue;
		++*failed;
		assert_int_not_equal(core_ask_libbpf(p->local, id, access, kind, p->target),
				     CORE_FINDS);
	}
}

static void test_random(void **state)
{
	size_t failed = 0, unfit = 0;

	(void)state;
	if (!core_has_libbpf())
		skip();
	for (uint32_t round = 0; round < 3000; round++) {
		struct pair p = {btf__new_empty(), btf__new_empty()};

		seed = round;
		make_types(p.local, 24);
		make_types(p.target, 24);
		for (uint32_t i = 0; i < 40; i++) {
			uint32_t a = 1 + below(23), b = 1 + below(23);

			if (pf_types_fit(p.local, a, p.target, b))
				continue;
			unfit++;
			assert_true(bpf_core_types_are_compat(p.local, a, p.target, b) <= 0);
		}
		ask_random(&p, &failed);
		btf__free(p.local);
		btf__free(p.target);
	}
	/* The test is of something. */
	assert_true(failed > 1000 && unfit > 1000);
}

static void test_prototypes(void **state)
{
	struct pair *p = *state;
	int u32_ = btf__add_int(p->local, "u32", 4, 0), k32 = btf__add_int(p->target, "u32", 4, 0);
	int one, two, pointer, same, ptr = btf__add_ptr(p->target, k32);

	one = btf__add_func_proto(p->local, u32_);
	btf__add_func_param(p->local, "a", u32_);
	two = btf__add_func_proto(p->target, k32);
	btf__add_func_param(p->target, "a", k32);
	btf__add_func_param(p->target, "b", k32);
	pointer = btf__add_func_proto(p->target, k32);
	btf__add_func_param(p->target, "a", ptr);
	same = btf__add_func_proto(p->target, k32);
	btf__add_func_param(p->target, "b", k32);
	for (int i = 0; i < 3; i++) {
		uint32_t other = (uint32_t)(i == 0 ? two : i == 1 ? pointer : same);

		assert_int_equal(pf_types_fit(p->local, (uint32_t)one, p->target, other), i == 2);
		if (core_has_libbpf())
			assert_int_equal(bpf_core_types_are_compat(p->local, (uint32_t)one,
								   p->target, other) > 0,
					 i == 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_members, setup, teardown),
		cmocka_unit_test_setup_teardown(test_candidates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arrays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enumerators, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prototypes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
