// SPDX-License-Identifier: LGPL-2.1-or-later
/* Prototypes of functions whose types make no sense. Real ones are compared in
 * tests/guest/objects.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <string.h>

#include "btf/proto.h"

static struct kt_buf text;

/* The prototype, which the next call overwrites; NULL: it has none, and nothing was appended. */
static const char *proto(const struct btf *btf, uint32_t id)
{
	bool ok;

	kt_buf_deinit(&text);
	text = (struct kt_buf)KT_BUF_INIT;
	ok = btf_proto(btf, id, &text);
	assert_false(kt_buf_failed(&text));
	assert_int_equal(ok, text.len != 0);
	return ok ? text.data : NULL;
}

/* int f(first, ...): a function of these types. */
static uint32_t add_func(struct btf *btf, const char *name, uint32_t ret, uint32_t first,
			 unsigned int n)
{
	int id = btf__add_func_proto(btf, (int)ret);

	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(btf__add_func_param(btf, "p", (int)first), 0);
	return (uint32_t)btf__add_func(btf, name, BTF_FUNC_STATIC, id);
}

static void test_good(void **state)
{
	struct btf *btf = btf__new_empty();
	uint32_t number = (uint32_t)btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	uint32_t ctx = (uint32_t)btf__add_ptr(btf, btf__add_struct(btf, "ctx", 8));

	(void)state;
	assert_string_equal(proto(btf, add_func(btf, "f", number, ctx, 1)),
			    "int f(struct ctx * p)");
	assert_string_equal(proto(btf, add_func(btf, "g", 0, 0, 1)), "void g(...)");
	assert_string_equal(proto(btf, add_func(btf, "h", 0, 0, 0)), "void h()");
	assert_null(proto(btf, number)); /* no function */
	assert_null(proto(btf, 0));
	assert_null(proto(btf, UINT32_MAX));
	btf__free(btf);
}

/* Types that lead to themselves, or nowhere; and more text than bpftool has room for. */
static void test_hostile(void **state)
{
	struct btf *btf = btf__new_empty();
	uint32_t number = (uint32_t)btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	uint32_t self = (uint32_t)btf__add_ptr(btf, (int)number + 1);
	uint32_t nowhere = (uint32_t)btf__add_ptr(btf, 1000000);
	uint32_t circle = (uint32_t)btf__type_cnt(btf);

	(void)state;
	/* A function that takes itself, twice. */
	assert_int_equal(btf__add_func_proto(btf, 0), circle);
	btf__add_func_param(btf, "a", (int)circle);
	btf__add_func_param(btf, "b", (int)circle);
	assert_null(proto(btf, add_func(btf, "f", number, self, 1)));
	assert_null(proto(btf, add_func(btf, "f", self, number, 1)));
	assert_null(proto(btf, add_func(btf, "f", nowhere, number, 1)));
	assert_null(proto(btf, add_func(btf, "f", number, circle, 1)));
	assert_null(proto(btf, add_func(btf, "f", number, number, 200)));
	assert_null(proto(btf, add_func(btf, "f", number, 0, 1000)));
	/* A function whose type is none. */
	assert_null(proto(btf, (uint32_t)btf__add_func(btf, "f", BTF_FUNC_STATIC, (int)number)));
	assert_null(proto(btf, (uint32_t)btf__add_func(btf, "f", BTF_FUNC_STATIC, 1000000)));
	/* A kind that no value has. */
	assert_null(proto(btf, add_func(btf, "f", number,
					(uint32_t)btf__add_datasec(btf, "section", 8), 1)));
	btf__free(btf);
	kt_buf_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("prototypes", tests, NULL, NULL);
}
