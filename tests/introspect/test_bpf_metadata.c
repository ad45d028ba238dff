// SPDX-License-Identifier: LGPL-2.1-or-later
/* Metadata of programs of a synthetic kernel, well and ill. Truth is in tests/guest/objects.sh. */
#include <bpf/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/bpf_metadata.h"
#include "tests/introspect/spoil.h"

enum { HASH = 1, ARRAY = 2 };
#define VALUES 128 /* where they begin in an array */
#define LEN    16

/* Types: 1 int, 2 char, 3 char[8], 4 and 5 and 6 variables, 7 the section. */
static struct btf *types;
static gaddr_t constants, btf;

static int setup_metadata(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_map", "map_type", 16, 4},
		{"bpf_map", "name", 32, 16},
		{"bpf_map", "key_size", 52, 4},
		{"bpf_map", "value_size", 56, 4},
		{"bpf_map", "max_entries", 60, 4},
		{"bpf_map", "btf", 72, 8},
		{"bpf_map", "btf_value_type_id", 80, 4},
		{"bpf_array", "value", VALUES, 0},
		{"btf", "data", 80, 8},
		{"btf", "data_size", 88, 4},
		{"btf", "base_btf", 96, 8},
	};

	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	btf__free(types);
	types = btf__new_empty();
	btf__add_int(types, "int", 4, BTF_INT_SIGNED);
	btf__add_int(types, "char", 1, 0);
	btf__add_array(types, 1, 2, 8);
	btf__add_var(types, "bpf_metadata_count", BTF_VAR_STATIC, 1);
	btf__add_var(types, "other", BTF_VAR_STATIC, 1);
	btf__add_var(types, "bpf_metadata_name", BTF_VAR_STATIC, 3);
	btf__add_datasec(types, ".rodata", LEN);
	btf__add_datasec_var_info(types, 4, 0, 4);
	btf__add_datasec_var_info(types, 5, 4, 4);
	btf__add_datasec_var_info(types, 6, 8, 8);
	return 0;
}

static int teardown_metadata(void **state)
{
	btf__free(types);
	types = NULL;
	return teardown(state);
}

static gaddr_t put_map(uint32_t type, const char *name)
{
	gaddr_t map = synth_alloc(&s, VALUES + LEN);

	synth_set(&s, "bpf_map", "map_type", map, type);
	textmem_put(s.mem, map + 32, name, strlen(name));
	synth_set(&s, "bpf_map", "key_size", map, 4);
	synth_set(&s, "bpf_map", "value_size", map, LEN);
	synth_set(&s, "bpf_map", "max_entries", map, 1);
	synth_set(&s, "bpf_map", "btf", map, synth_va(btf));
	synth_set(&s, "bpf_map", "btf_value_type_id", map, 7);
	return map;
}

static void put_types(void)
{
	uint32_t len;
	const void *data = btf__raw_data(types, &len);
	gaddr_t blob = synth_alloc(&s, len);

	textmem_put(s.mem, blob, data, len);
	btf = synth_alloc(&s, 128);
	synth_set(&s, "btf", "data", btf, synth_va(blob));
	synth_set(&s, "btf", "data_size", btf, len);
}

static gaddr_t put_constants(int32_t count, const char *name)
{
	gaddr_t map = put_map(ARRAY, "objec.rodata");

	textmem_put_uint(s.mem, map + VALUES, (uint32_t)count, 4);
	textmem_put(s.mem, map + VALUES + 8, name, strlen(name));
	return map;
}

static struct synth_prog put_prog(uint32_t id, const gaddr_t *maps, uint32_t n)
{
	struct synth_prog prog = synth_prog(&s, id);
	gaddr_t array = synth_alloc(&s, 8 * n + 8);

	for (uint32_t i = 0; i < n; i++)
		textmem_put_uint(s.mem, array + 8 * i, synth_va(maps[i]), 8);
	synth_set(&s, "bpf_prog_aux", "used_maps", prog.aux, synth_va(array));
	synth_set(&s, "bpf_prog_aux", "used_map_cnt", prog.aux, n);
	return prog;
}

/* Programs 7 and 9 have the same constants, 11 others besides, of which the first count; 5 has
 * none. */
static void make_everything(void)
{
	gaddr_t maps[3], second;

	put_types();
	maps[0] = put_map(HASH, "no.rodata");
	maps[1] = constants = put_constants(-3, "first");
	maps[2] = second = put_constants(4, "second");
	put_prog(5, maps, 1);
	put_prog(7, &constants, 1);
	put_prog(9, maps, 2);
	maps[1] = second;
	maps[2] = constants;
	put_prog(11, maps, 3);
}

/* id 0: of all. Only IDs and metadata are in *ret. */
static struct kt_error *try_read(uint32_t id, struct programs *ret)
{
	struct bpf_metadata *metadata = NULL;
	struct guest *guest;
	struct kt_error *err;

	*ret = (struct programs){.all = calloc(4, sizeof(*ret->all)), .n = 4};
	for (uint32_t i = 0; i < 4; i++)
		ret->all[i].id = 5 + 2 * i;
	synth_cpu(&s);
	err = synth_guest(&s, &guest);
	if (err)
		return err;
	err = bpf_metadata_read(guest, id, &metadata);
	guest_destroy(guest);
	if (!err)
		err = bpf_metadata_finish(metadata, ret);
	bpf_metadata_destroy(metadata);
	return err;
}

#define FIRST  "{\"count\": -3, \"name\": \"first\"}"
#define SECOND "{\"count\": 4, \"name\": \"second\"}"

static void check(uint32_t id, const char *const wanted[4])
{
	struct programs programs;
	struct kt_error *err = try_read(id, &programs);

	if (err)
		fail_msg("%s", kt_error_message(err));
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(programs.all[i].metadata ? programs.all[i].metadata : "?",
				    wanted[i]);
	programs_deinit(&programs);
}

static void test_metadata(void **state)
{
	(void)state;
	make_everything();
	check(0, (const char *const[]){"{}", FIRST, FIRST, SECOND});
	check(9, (const char *const[]){"?", "?", FIRST, "?"});
}

static void test_no_program(void **state)
{
	struct programs programs;
	struct kt_error *err;

	(void)state;
	make_everything();
	err = try_read(13, &programs);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
	programs_deinit(&programs);
}

/* What bpftool does not take for constants. */
static void test_other_maps(void **state)
{
	static const struct {
		const char *member;
		uint64_t value;
	} others[] = {
		{"map_type", 27}, {"key_size", 8}, {"max_entries", 2}, {"btf_value_type_id", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		make_everything();
		synth_set(&s, "bpf_map", others[i].member, constants, others[i].value);
		check(0, (const char *const[]){"{}", "{}", "{}", SECOND});
		teardown(NULL);
		setup_metadata(NULL);
	}
	make_everything();
	textmem_put(s.mem, constants + 32, "objec.data\0\0", 12);
	check(0, (const char *const[]){"{}", "{}", "{}", SECOND});
}

/* What cannot be read, or makes no sense, is unknown, and the rest is there. */
static void test_damaged(void **state)
{
	static const struct {
		const char *type, *member;
		uint64_t value;
	} damages[] = {
		{"bpf_map", "btf", NOWHERE},           {"bpf_map", "btf", 0},
		{"bpf_map", "value_size", 0},          {"bpf_map", "value_size", 12},
		{"bpf_map", "value_size", UINT32_MAX}, {"bpf_map", "btf_value_type_id", 99},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		make_everything();
		synth_set(&s, damages[i].type, damages[i].member, constants, damages[i].value);
		check(0, (const char *const[]){"{}", "?", "?", SECOND});
		teardown(NULL);
		setup_metadata(NULL);
	}
	make_everything();
	synth_set(&s, "btf", "data_size", btf, UINT32_MAX);
	check(0, (const char *const[]){"{}", "?", "?", "?"});
	synth_set(&s, "btf", "data_size", btf, 20);
	check(0, (const char *const[]){"{}", "?", "?", "?"});
}

/* A count that no program has costs that program alone. */
static void test_many_maps(void **state)
{
	struct synth_prog prog;

	(void)state;
	make_everything();
	prog = put_prog(9, &constants, 1);
	synth_set(&s, "bpf_prog_aux", "used_map_cnt", prog.aux, UINT32_MAX);
	check(0, (const char *const[]){"{}", FIRST, "?", SECOND});
	synth_set(&s, "bpf_prog_aux", "used_map_cnt", prog.aux, 1);
	synth_set(&s, "bpf_prog_aux", "used_maps", prog.aux, NOWHERE);
	check(0, (const char *const[]){"{}", FIRST, "?", SECOND});
}

/* A kernel whose facts lack something is no error. */
static void test_lacking(void **state)
{
	(void)state;
	make_everything();
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_map", "btf_value_type_id");
	assert_null(bpf_metadata_check(&s.facts));
	check(0, (const char *const[]){"?", "?", "?", "?"});
}

static bool reads_spoiled(void)
{
	struct programs programs;
	struct kt_error *err = try_read(0, &programs);
	bool read = !err;

	kt_error_destroy(err);
	programs_deinit(&programs);
	return read;
}

static void test_each_word(void **state)
{
	(void)state;
	spoil_each_word(setup_metadata, make_everything, reads_spoiled, 60);
}

#define TEST_METADATA(name) cmocka_unit_test_setup_teardown(name, setup_metadata, teardown_metadata)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_METADATA(test_metadata),   TEST_METADATA(test_no_program),
		TEST_METADATA(test_other_maps), TEST_METADATA(test_damaged),
		TEST_METADATA(test_many_maps),  TEST_METADATA(test_lacking),
		TEST_METADATA(test_each_word),
	};

	return cmocka_run_group_tests_name("introspect/bpf_metadata", tests, NULL, NULL);
}
