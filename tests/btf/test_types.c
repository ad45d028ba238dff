// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <bpf/btf.h>

#include "btf/types.h"
#include "tests/btf/fake_kernel.h"

static struct types *load(struct btf *btf)
{
	struct types *types = NULL;
	uint32_t len;
	const void *data = btf__raw_data(btf, &len);
	struct kt_error *err = types_from_btf(data, len, 8, &types);

	if (err)
		fail_msg("%s", kt_error_message(err));
	btf__free(btf);
	return types;
}

static struct kfacts_answer ask(struct types *types, enum kfacts_kind kind, const char *name,
				const char *path)
{
	struct kfacts_want want = {kind, name, path, true};
	struct kfacts_answer answer = {0};

	assert_null(types_resolve(types, &want, 1, &answer));
	return answer;
}

static void expect_member(struct types *types, const char *type, const char *path,
			  struct kfacts_member m)
{
	struct kfacts_answer a = ask(types, KFACTS_MEMBER, type, path);

	if (!a.present)
		fail_msg("no %s.%s", type, path);
	assert_int_equal(a.member.offset, m.offset);
	assert_int_equal(a.member.size, m.size);
	assert_int_equal(a.member.bit_shift, m.bit_shift);
	assert_int_equal(a.member.bit_size, m.bit_size);
}

static void expect_absent(struct types *types, enum kfacts_kind kind, const char *name,
			  const char *path)
{
	assert_false(ask(types, kind, name, path).present);
}

/*
 * struct inner { int a; int b[3]; char flex[]; };
 * struct outer { int pad; const volatile inner_t in; union { struct { int deep; }; long l; }; };
 */
static void test_paths(void **state)
{
	struct btf *btf = btf__new_empty();
	int i = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), l = btf__add_int(btf, "long", 8, 0);
	int c = btf__add_int(btf, "char", 1, 0), arr, flex, inner, cv, anon, un;
	struct types *types;

	(void)state;
	arr = btf__add_array(btf, i, i, 3);
	flex = btf__add_array(btf, i, c, 0);
	inner = btf__add_struct(btf, "inner", 16);
	btf__add_field(btf, "a", i, 0, 0);
	btf__add_field(btf, "b", arr, 32, 0);
	btf__add_field(btf, "flex", flex, 128, 0);
	cv = btf__add_typedef(btf, "inner_t", inner);
	cv = btf__add_const(btf, btf__add_volatile(btf, cv));
	anon = btf__add_struct(btf, NULL, 4);
	btf__add_field(btf, "deep", i, 0, 0);
	un = btf__add_union(btf, NULL, 8);
	btf__add_field(btf, NULL, anon, 0, 0);
	btf__add_field(btf, "l", l, 0, 0);
	btf__add_struct(btf, "outer", 32);
	btf__add_field(btf, "pad", i, 0, 0);
	btf__add_field(btf, "in", cv, 32, 0);
	btf__add_field(btf, NULL, un, 192, 0);
	types = load(btf);
	expect_member(types, "outer", "in", (struct kfacts_member){4, 16, 0, 0});
	expect_member(types, "outer", "in.b", (struct kfacts_member){8, 12, 0, 0});
	expect_member(types, "outer", "in.flex", (struct kfacts_member){20, 0, 0, 0});
	expect_member(types, "outer", "deep", (struct kfacts_member){24, 4, 0, 0});
	expect_member(types, "outer", "l", (struct kfacts_member){24, 8, 0, 0});
	expect_absent(types, KFACTS_MEMBER, "outer", "in.c");
	expect_absent(types, KFACTS_MEMBER, "outer", "pad.a");
	expect_absent(types, KFACTS_MEMBER, "outer", "inn");
	expect_absent(types, KFACTS_MEMBER, "outer", "i");
	expect_absent(types, KFACTS_MEMBER, "outer", "");
	expect_absent(types, KFACTS_MEMBER, "outer", "in.");
	expect_absent(types, KFACTS_MEMBER, "outer", ".in");
	expect_absent(types, KFACTS_MEMBER, "inner_t", "a");
	expect_absent(types, KFACTS_ENUM, "outer", NULL);
	assert_int_equal(ask(types, KFACTS_SIZE, "outer", NULL).value, 32);
	expect_absent(types, KFACTS_SIZE, "int", NULL);
	types_destroy(types);
}

static struct btf *bitfields(enum btf_endianness endian)
{
	struct btf *btf = btf__new_empty();
	int u16_ = btf__add_int(btf, "u16", 2, 0), u32_ = btf__add_int(btf, "u32", 4, 0);
	int u64_ = btf__add_int(btf, "u64", 8, 0);

	btf__set_endianness(btf, endian);
	btf__add_struct(btf, "flags", 32);
	btf__add_field(btf, "pages", u16_, 0, 0);
	btf__add_field(btf, "jited", u16_, 16, 1);
	btf__add_field(btf, "two", u16_, 18, 2);
	btf__add_field(btf, "word", u32_, 36, 5);
	btf__add_field(btf, "packed", u32_, 60, 10); /* over the end of a u32 */
	btf__add_field(btf, "wide", u64_, 129, 63);
	btf__add_field(btf, "huge", u64_, 196, 64); /* over nine bytes */
	return btf;
}

static void test_bitfields(void **state)
{
	struct types *types = load(bitfields(BTF_LITTLE_ENDIAN));

	(void)state;
	expect_member(types, "flags", "pages", (struct kfacts_member){0, 2, 0, 0});
	expect_member(types, "flags", "jited", (struct kfacts_member){2, 2, 0, 1});
	expect_member(types, "flags", "two", (struct kfacts_member){2, 2, 2, 2});
	expect_member(types, "flags", "word", (struct kfacts_member){4, 4, 4, 5});
	expect_member(types, "flags", "packed", (struct kfacts_member){7, 2, 4, 10});
	expect_member(types, "flags", "wide", (struct kfacts_member){16, 8, 1, 63});
	expect_absent(types, KFACTS_MEMBER, "flags", "huge");
	expect_absent(types, KFACTS_MEMBER, "flags", "word.x");
	types_destroy(types);
}

/* Bits count from the most significant end there. */
static void test_bitfields_big_endian(void **state)
{
	struct types *types = load(bitfields(BTF_BIG_ENDIAN));

	(void)state;
	expect_member(types, "flags", "jited", (struct kfacts_member){2, 2, 15, 1});
	expect_member(types, "flags", "two", (struct kfacts_member){2, 2, 12, 2});
	expect_member(types, "flags", "word", (struct kfacts_member){4, 4, 23, 5});
	expect_member(types, "flags", "packed", (struct kfacts_member){7, 2, 2, 10});
	types_destroy(types);
}

static const char *enum_name(const struct kfacts_answer *a, int64_t value)
{
	for (uint32_t i = 0; i < a->n_enums; i++) {
		if (a->enums[i].value == value)
			return a->enums[i].name;
	}
	return NULL;
}

static void test_enums(void **state)
{
	struct btf *btf = btf__new_empty();
	struct kfacts_answer a;
	struct types *types;

	(void)state;
	btf__add_enum(btf, "state", 4);
	btf__add_enum_value(btf, "DISABLED", 0);
	btf__add_enum_value(btf, "BIG", 0xffffffff);
	btf__add_enum(btf, "signed_state", 4);
	btf__add_enum_value(btf, "MINUS", -5);
	btf__add_enum64(btf, "wide", 8, false);
	btf__add_enum64_value(btf, "HUGE_ONE", 1ull << 63 | 7);
	btf__add_enum(btf, "empty", 4);
	types = load(btf);
	a = ask(types, KFACTS_ENUM, "state", NULL);
	assert_string_equal(enum_name(&a, 0), "DISABLED");
	assert_string_equal(enum_name(&a, 0xffffffff), "BIG");
	kfacts_answer_deinit(&a);
	a = ask(types, KFACTS_ENUM, "signed_state", NULL);
	assert_string_equal(enum_name(&a, -5), "MINUS");
	assert_null(enum_name(&a, 5));
	kfacts_answer_deinit(&a);
	a = ask(types, KFACTS_ENUM, "wide", NULL);
	assert_string_equal(enum_name(&a, (int64_t)(1ull << 63 | 7)), "HUGE_ONE");
	kfacts_answer_deinit(&a);
	a = ask(types, KFACTS_ENUM, "empty", NULL);
	assert_true(a.present);
	kfacts_answer_deinit(&a);
	expect_absent(types, KFACTS_SIZE, "state", NULL);
	types_destroy(types);
}

static void test_members(void **state)
{
	struct btf *btf = btf__new_empty();
	int s64 = btf__add_int(btf, "s64", 8, BTF_INT_SIGNED), inner;
	struct kfacts_answer a;
	struct types *types;

	(void)state;
	inner = btf__add_union(btf, NULL, 8);
	btf__add_struct(btf, "stats", 32);
	btf__add_field(btf, "ONE", s64, 0, 0);
	btf__add_field(btf, NULL, inner, 64, 0);
	btf__add_field(btf, "TWO", s64, 128, 0);
	types = load(btf);
	a = ask(types, KFACTS_MEMBERS, "stats", NULL);
	assert_true(a.present);
	assert_int_equal(a.n_enums, 2);
	assert_string_equal(a.enums[0].name, "ONE");
	assert_int_equal(a.enums[0].value, 0);
	assert_string_equal(a.enums[1].name, "TWO");
	assert_int_equal(a.enums[1].value, 16);
	kfacts_answer_deinit(&a);
	expect_absent(types, KFACTS_MEMBERS, "missing", NULL);
	types_destroy(types);
}

static void test_param(void **state)
{
	struct btf *btf = btf__new_empty();
	int i = btf__add_int(btf, "int", 4, 0), log = btf__add_struct(btf, "log", 4), proto;
	int pointer = btf__add_ptr(btf, btf__add_typedef(btf, "log_t", btf__add_const(btf, log)));
	int nothing, constant;
	struct kfacts_answer a;
	struct types *types;

	(void)state;
	nothing = btf__add_ptr(btf, 0);
	constant = btf__add_const(btf, pointer);
	proto = btf__add_func_proto(btf, i);
	btf__add_func_param(btf, "n", i);
	btf__add_func_param(btf, "nothing", nothing);
	btf__add_func_param(btf, "log", constant);
	btf__add_func_param(btf, "another", pointer);
	btf__add_func(btf, "finalize", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(btf, i);
	btf__add_func_param(btf, "log", log); /* not a pointer */
	btf__add_func(btf, "other", BTF_FUNC_STATIC, proto);
	types = load(btf);
	a = ask(types, KFACTS_PARAM, "finalize", "log");
	assert_true(a.present);
	assert_int_equal(a.value, 2);
	expect_absent(types, KFACTS_PARAM, "finalize", "nothing");
	expect_absent(types, KFACTS_PARAM, "other", "log");
	expect_absent(types, KFACTS_PARAM, "log", "log");
	expect_absent(types, KFACTS_PARAM, "missing", "log");
	types_destroy(types);
}

static int add_holder(struct btf *btf, const char *name, int type, uint32_t bits)
{
	int id = btf__add_struct(btf, name, 64);

	btf__add_field(btf, "timekeeper", type, bits, 0);
	return id;
}

static void test_held(void **state)
{
	struct btf *btf = btf__new_empty();
	int i = btf__add_int(btf, "int", 4, 0), tk = btf__add_struct(btf, "timekeeper", 24);
	struct kfacts_answer a;
	struct types *types;

	(void)state;
	btf__add_field(btf, "x", i, 0, 0);
	/* The same name of another type, and the type under another name, are no holders. */
	btf__add_struct(btf, "decoy", 64);
	btf__add_field(btf, "timekeeper", btf__add_ptr(btf, tk), 0, 0);
	btf__add_field(btf, "shadow", tk, 128, 0);
	add_holder(btf, NULL, btf__add_const(btf, tk), 64);
	types = load(btf);
	a = ask(types, KFACTS_HELD, "timekeeper", "timekeeper");
	assert_true(a.present);
	assert_int_equal(a.member.offset, 8);
	assert_int_equal(a.member.size, 24);
	expect_absent(types, KFACTS_HELD, "timekeeper", "nothing");
	expect_absent(types, KFACTS_HELD, "nothing", "timekeeper");
	types_destroy(types);
}

static void test_held_twice(void **state)
{
	for (int differ = 0; differ < 2; differ++) {
		struct btf *btf = btf__new_empty();
		int i = btf__add_int(btf, "int", 4, 0);
		int tk = btf__add_struct(btf, "timekeeper", 24);
		struct types *types;

		(void)state;
		btf__add_field(btf, "x", i, 0, 0);
		add_holder(btf, "one", tk, 64);
		add_holder(btf, "two", tk, differ ? 128 : 64);
		types = load(btf);
		assert_int_equal(ask(types, KFACTS_HELD, "timekeeper", "timekeeper").present,
				 !differ);
		types_destroy(types);
	}
}

/* Three files' private structs of one name: the one that has most of what is asked. */
static void test_same_name(void **state)
{
	struct kfacts_want wants[] = {
		{KFACTS_MEMBER, "state", "b", true},
		{KFACTS_MEMBER, "state", "c", true},
		{KFACTS_MEMBER, "state", "a", true},
		{KFACTS_SIZE, "state", NULL, true},
	};
	struct kfacts_answer answers[4] = {0};
	struct btf *btf = btf__new_empty();
	int i = btf__add_int(btf, "int", 4, 0);
	struct types *types;

	(void)state;
	btf__add_struct(btf, "state", 4);
	btf__add_field(btf, "a", i, 0, 0);
	btf__add_struct(btf, "state", 12);
	btf__add_field(btf, "b", i, 32, 0);
	btf__add_field(btf, "c", i, 64, 0);
	btf__add_struct(btf, "state", 8);
	btf__add_field(btf, "a", i, 32, 0);
	btf__add_fwd(btf, "state", BTF_FWD_STRUCT);
	types = load(btf);
	assert_null(types_resolve(types, wants, 4, answers));
	assert_true(answers[0].present && answers[1].present);
	assert_false(answers[2].present); /* never a mixture */
	assert_int_equal(answers[3].value, 12);
	types_destroy(types);
}

/* typedef a b; typedef b a; and a struct with a member of its own type. */
static void test_cycles(void **state)
{
	struct btf *btf = btf__new_empty();
	int a = btf__add_typedef(btf, "a", 2), loop;
	struct types *types;

	(void)state;
	btf__add_typedef(btf, "b", a);
	loop = btf__add_struct(btf, "loop", 8);
	btf__add_field(btf, "chain", a, 0, 0);
	btf__add_field(btf, "self", loop, 0, 0);
	btf__add_field(btf, NULL, loop, 0, 0);
	btf__add_field(btf, NULL, loop, 0, 0);
	types = load(btf);
	expect_absent(types, KFACTS_MEMBER, "loop", "chain.x");
	expect_absent(types, KFACTS_MEMBER, "loop", "chain");
	expect_absent(types, KFACTS_MEMBER, "loop", "none");
	expect_member(types, "loop", "self.self.self", (struct kfacts_member){0, 8, 0, 0});
	types_destroy(types);
}

/* Ids from nowhere: libbpf refuses them since 1.3; before, we have to live with them. */
static void test_wild_ids(void **state)
{
	struct btf *btf = btf__new_empty();
	struct types *types = NULL;
	struct kt_error *err;
	const void *data;
	uint32_t len;

	(void)state;
	btf__add_struct(btf, "wild", 8);
	btf__add_field(btf, "far", 7777, 0, 0);
	btf__add_field(btf, NULL, 8888, 0, 0);
	data = btf__raw_data(btf, &len);
	err = types_from_btf(data, len, 8, &types);
	btf__free(btf);
	if (err) {
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		kt_error_destroy(err);
		return;
	}
	expect_absent(types, KFACTS_MEMBER, "wild", "far");
	expect_absent(types, KFACTS_MEMBER, "wild", "far.away");
	expect_absent(types, KFACTS_HELD, "wild", "far");
	expect_absent(types, KFACTS_MEMBER, "wild", "none");
	types_destroy(types);
}

/* Random damage: libbpf may refuse it, else every question must have an end. */
static void test_bit_flips(void **state)
{
	struct kfacts_want wants[] = {
		{KFACTS_MEMBER, "bpf_prog", "aux", true},
		{KFACTS_MEMBER, "bpf_prog", "digest", true},
		{KFACTS_MEMBER, "bpf_prog", "jited", true},
		{KFACTS_SIZE, "bpf_prog_aux", NULL, true},
		{KFACTS_ENUM, "bpf_prog_type", NULL, true},
		{KFACTS_HELD, "timekeeper", "timekeeper", true},
	};
	struct kt_buf btf = KT_BUF_INIT;
	size_t refused = 0, read = 0;

	(void)state;
	fake_btf(&btf);
	for (size_t bit = 0; bit < btf.len * 8; bit++) {
		struct kfacts_answer answers[6] = {0};
		struct types *types = NULL;
		struct kt_error *err;

		btf.data[bit / 8] ^= (char)(1 << bit % 8);
		err = types_from_btf(btf.data, btf.len, 8, &types);
		btf.data[bit / 8] ^= (char)(1 << bit % 8);
		if (err) {
			assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
			kt_error_destroy(err);
			refused++;
			continue;
		}
		assert_null(types_resolve(types, wants, 6, answers));
		for (int i = 0; i < 6; i++)
			kfacts_answer_deinit(&answers[i]);
		types_destroy(types);
		read++;
	}
	assert_true(refused > 50 && read > 50);
	kt_buf_deinit(&btf);
}

static void test_every_truncation(void **state)
{
	struct kt_buf btf = KT_BUF_INIT;

	(void)state;
	fake_btf(&btf);
	for (size_t n = 0; n < btf.len; n++) {
		struct types *types = NULL;
		struct kt_error *err = types_from_btf(btf.data, n, 8, &types);

		assert_non_null(err);
		assert_null(types);
		assert_non_null(strstr(kt_error_message(err), "damaged"));
		kt_error_destroy(err);
	}
	kt_buf_deinit(&btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_bitfields),
		cmocka_unit_test(test_bitfields_big_endian),
		cmocka_unit_test(test_enums),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_param),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_held_twice),
		cmocka_unit_test(test_same_name),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_wild_ids),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_every_truncation),
	};

	return cmocka_run_group_tests_name("btf: types", tests, NULL, NULL);
}
