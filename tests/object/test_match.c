// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is a section in a guest that of an object? The section as it was loaded is made of what libbpf
 * reads of the object: its BTF, which has places and sizes once libbpf has opened it, and its
 * bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "object/match.h"

#define OBJECT "build/bpf/globals.bpf.o"

static struct object_globals *globals;
static struct bpf_object *truth;
static struct object_loaded_var vars[64];
static struct object_loaded loaded;
static uint8_t bytes[4096];

static const struct btf_type *rodata_type(const struct btf *btf)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_datasec(t) && !strcmp(btf__name_by_offset(btf, t->name_off), ".rodata"))
			return t;
	}
	return NULL;
}

/* In the object's BTF sizes are the compiler's, and offsets the symbols', as libbpf fills them in.
 */
static int open_all(void **state)
{
	const struct btf_type *t;
	const struct btf *btf;
	struct bpf_map *map;
	const void *data;
	size_t size = 0;

	(void)state;
	assert_null(object_globals_open(OBJECT, &globals));
	truth = bpf_object__open_file(OBJECT, NULL);
	assert_non_null(truth);
	btf = bpf_object__btf(truth);
	t = rodata_type(btf);
	assert_non_null(t);
	map = bpf_object__find_map_by_name(truth, "globals.rodata");
	assert_non_null(map);
	data = bpf_map__initial_value(map, &size);
	assert_true(size <= sizeof(bytes) && btf_vlen(t) <= 64);
	memcpy(bytes, data, size);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_var_secinfo *info = &btf_var_secinfos(t)[i];
		const struct btf_type *var = btf__type_by_id(btf, info->type);

		vars[i] = (struct object_loaded_var){btf__name_by_offset(btf, var->name_off),
						     info->offset, info->size};
	}
	loaded = (struct object_loaded){".rodata", bytes, size, vars, btf_vlen(t)};
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	object_globals_close(globals);
	bpf_object__close(truth);
	return 0;
}

static void differs(const char *words)
{
	struct kt_error *err = object_match(globals, &loaded);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_MISMATCH);
	if (!strstr(kt_error_message(err), words))
		fail_msg("\"%s\" is not in: %s", words, kt_error_message(err));
	kt_error_destroy(err);
}

static struct object_loaded_var *var(const char *name)
{
	for (size_t i = 0; i < loaded.n_vars; i++)
		if (!strcmp(vars[i].name, name))
			return &vars[i];
	fail_msg("no %s", name);
	return NULL;
}

/* With other values, too. */
static void test_same(void **state)
{
	(void)state;
	assert_true(loaded.n_vars > 8);
	assert_null(object_match(globals, &loaded));
	for (size_t i = 0; i < loaded.n_vars; i++)
		memset(bytes + vars[i].offset, 0xa5, vars[i].size);
	assert_null(object_match(globals, &loaded));
}

static void test_bytes(void **state)
{
	const uint8_t *data;
	size_t len = 0;

	(void)state;
	data = object_section_data(globals, ".rodata", &len);
	assert_int_equal(len, loaded.len);
	assert_memory_equal(data, bytes, len);
	assert_null(object_section_data(globals, ".rodata.none", &len));
	assert_true(object_has_function(globals, "loops"));
	assert_false(object_has_function(globals, "loop"));
	assert_false(object_has_function(globals, "bound"));
}

static void test_other_variables(void **state)
{
	struct object_loaded_var saved = *var("bound");

	(void)state;
	var("bound")->size = 8;
	differs("'bound' has 8 bytes in the guest, and 4 in the object");
	*var("bound") = saved;
	var("bound")->offset += 4;
	differs("'bound' lies at byte ");
	*var("bound") = saved;
	var("bound")->name = "bund";
	differs("'bund' is not in the object; 'bound' is not in the guest");
	var("bund")->name = "bound";
	loaded.n_vars--;
	differs("is not in the guest");
	loaded.n_vars = 0;
	differs(" more");
}

/* What hostile memory may say of itself. */
static void test_hostile(void **state)
{
	(void)state;
	var("bound")->offset = UINT64_MAX;
	differs("'bound' lies at byte 18446744073709551615 in the guest");
	var("bound")->size = UINT64_MAX;
	differs("'bound' has 18446744073709551615 bytes");
	for (size_t i = 1; i < loaded.n_vars; i++)
		vars[i] = vars[0];
	differs(" more");
	loaded.name = ".rodata.mine";
	differs("the object has no .rodata.mine");
}

static void test_other_bytes(void **state)
{
	static const uint8_t longer[8192];
	size_t at = loaded.len;

	(void)state;
	loaded.len++;
	differs("it has");
	loaded.data = longer;
	loaded.len = sizeof(longer);
	differs("it has 8192 bytes in the guest");
	loaded.data = bytes;
	loaded.len = at;
	/* A byte that is in no variable: padding, here. */
	for (at = 0; at < loaded.len; at++) {
		bool in = false;

		for (size_t i = 0; i < loaded.n_vars; i++)
			in |= at >= vars[i].offset && at < vars[i].offset + vars[i].size;
		if (!in)
			break;
	}
	assert_true(at < loaded.len);
	bytes[at]++;
	differs("a constant without a name differs at byte ");
}

#define match_test(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		match_test(test_same),
		match_test(test_bytes),
		match_test(test_other_variables),
		match_test(test_hostile),
		match_test(test_other_bytes),
	};

	return cmocka_run_group_tests_name("object/match", tests, NULL, NULL);
}
