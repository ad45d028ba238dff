// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Machine code of programs of a synthetic kernel, and its lines of source, well and ill. Truth is
 * in tests/guest/objects.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <bpf/btf.h>

#include "introspect/bpf_jited.h"
#include "tests/introspect/walk.h"

#define ID 5

static struct synth_prog prog;
static gaddr_t code, places, lines;

/* Two lines, at 0 and 8 of 16 bytes of code. */
static void put_lines(const struct btf *btf, uint32_t source, uint32_t file)
{
	gaddr_t object = synth_alloc(&s, 128), funcs = synth_alloc(&s, 8), blob;
	uint32_t len;
	const void *data = btf__raw_data(btf, &len);

	blob = synth_alloc(&s, len);
	textmem_put(s.mem, blob, data, len);
	synth_set(&s, "btf", "data", object, synth_va(blob));
	synth_set(&s, "btf", "data_size", object, len);
	textmem_put_uint(s.mem, funcs + 4, 3, 4);
	places = synth_alloc(&s, 16);
	lines = synth_alloc(&s, 32);
	for (unsigned int i = 0; i < 2; i++) {
		textmem_put_uint(s.mem, places + 8 * i, synth_va(code) + 8 * i, 8);
		textmem_put_uint(s.mem, lines + 16 * i, i, 4);
		textmem_put_uint(s.mem, lines + 16 * i + 4, file, 4);
		textmem_put_uint(s.mem, lines + 16 * i + 8, source, 4);
		textmem_put_uint(s.mem, lines + 16 * i + 12, (40 + i) << 10 | 7, 4);
	}
	synth_set(&s, "bpf_prog_aux", "btf", prog.aux, synth_va(object));
	synth_set(&s, "bpf_prog_aux", "func_info", prog.aux, synth_va(funcs));
	synth_set(&s, "bpf_prog_aux", "func_info_cnt", prog.aux, 1);
	synth_set(&s, "bpf_prog_aux", "linfo", prog.aux, synth_va(lines));
	synth_set(&s, "bpf_prog_aux", "nr_linfo", prog.aux, 2);
	synth_set(&s, "bpf_prog_aux", "jited_linfo", prog.aux, synth_va(places));
}

static int setup_jited(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_prog", "bpf_func", 24, 8},
		{"bpf_prog_aux", "linfo", 560, 8},
		{"bpf_prog_aux", "nr_linfo", 568, 4},
		{"bpf_prog_aux", "jited_linfo", 576, 8},
		{"btf", "data", 80, 8},
		{"btf", "data_size", 88, 4},
	};
	struct btf *btf = btf__new_empty();
	int proto;

	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	prog = synth_prog(&s, ID);
	code = synth_alloc(&s, 16);
	textmem_put(s.mem, code, "sixteen bytes..", 16);
	synth_set(&s, "bpf_prog", "bpf_func", prog.prog, synth_va(code));
	synth_set(&s, "bpf_prog", "jited_len", prog.prog, 16);
	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	proto = btf__add_func_proto(btf, 1);
	assert_int_equal(btf__add_func(btf, "main_prog", BTF_FUNC_GLOBAL, proto), 3);
	put_lines(btf, (uint32_t)btf__add_str(btf, "\treturn 0;"),
		  (uint32_t)btf__add_str(btf, "a.bpf.c"));
	btf__free(btf);
	return 0;
}

static struct kt_error *try_read(uint32_t id, struct jited *ret)
{
	struct guest *guest;
	struct kt_error *err;

	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	err = bpf_jited_read(guest, id, ret);
	guest_destroy(guest);
	return err;
}

static struct jited jited(void)
{
	struct jited ret;
	struct kt_error *err = try_read(ID, &ret);

	if (err)
		fail_msg("%s", kt_error_message(err));
	return ret;
}

static void refused(uint32_t id, enum kt_error_code error_code, const char *words)
{
	struct jited ret;
	struct kt_error *err = try_read(id, &ret);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), error_code);
	if (!strstr(kt_error_message(err), words))
		fail_msg("%s", kt_error_message(err));
	kt_error_destroy(err);
}

/* How many lines the one function has, whose code is there. */
static size_t n_lines(void)
{
	struct jited out = jited();
	size_t n;

	assert_int_equal(out.funcs.len, 1);
	assert_memory_equal(out.funcs.data[0].code, "sixteen bytes..", 16);
	n = out.funcs.data[0].lines.len;
	jited_deinit(&out);
	return n;
}

static void test_lines(void **state)
{
	struct jited out = jited();
	const struct jited_func *func = out.funcs.data;

	(void)state;
	assert_int_equal(out.funcs.len, 1);
	assert_string_equal(func->proto, "int main_prog()");
	assert_int_equal(func->lines.len, 2);
	assert_int_equal(func->lines.data[1].at, 8);
	assert_string_equal(func->lines.data[1].source, "return 0;");
	assert_string_equal(func->lines.data[1].file, "a.bpf.c");
	assert_int_equal(func->lines.data[1].line, 41);
	assert_int_equal(func->lines.data[1].column, 7);
	jited_deinit(&out);
}

/* What is wrong with the lines costs the lines, and never the code. */
static void test_lines_damaged(void **state)
{
	(void)state;
	textmem_put_uint(s.mem, places, UINT64_MAX, 8);
	assert_int_equal(n_lines(), 1);
	textmem_put_uint(s.mem, places + 8, synth_va(code) + 16, 8);
	assert_int_equal(n_lines(), 0);
	textmem_put_uint(s.mem, places, synth_va(code), 8);
	assert_int_equal(n_lines(), 1);
	textmem_put_uint(s.mem, lines + 8, UINT32_MAX, 4); /* a text that is nowhere */
	assert_int_equal(n_lines(), 1);
	synth_set(&s, "bpf_prog_aux", "nr_linfo", prog.aux, UINT32_MAX);
	assert_int_equal(n_lines(), 0);
	synth_set(&s, "bpf_prog_aux", "nr_linfo", prog.aux, 2);
	synth_set(&s, "bpf_prog_aux", "jited_linfo", prog.aux, NOWHERE);
	assert_int_equal(n_lines(), 0);
	synth_set(&s, "bpf_prog_aux", "jited_linfo", prog.aux, 0);
	assert_int_equal(n_lines(), 0);
	synth_set(&s, "bpf_prog_aux", "jited_linfo", prog.aux, synth_va(places));
	assert_int_equal(n_lines(), 1);
	synth_set(&s, "bpf_prog_aux", "linfo", prog.aux, NOWHERE);
	assert_int_equal(n_lines(), 0);
	synth_set(&s, "bpf_prog_aux", "btf", prog.aux, NOWHERE);
	assert_int_equal(n_lines(), 0);
}

static void test_code_damaged(void **state)
{
	(void)state;
	refused(ID + 1, KT_ERROR_NOT_FOUND, "no program has the id 6");
	synth_set(&s, "bpf_prog", "bpf_func", prog.prog, NOWHERE);
	refused(ID, KT_ERROR_FAULT, "the machine code of program 5");
	synth_set(&s, "bpf_prog", "jited_len", prog.prog, UINT32_MAX);
	refused(ID, KT_ERROR_FORMAT, "claims 4294967295 bytes");
	synth_set(&s, "bpf_prog", "jited_len", prog.prog, 0);
	refused(ID, KT_ERROR_NOT_FOUND, "has no machine code");
	synth_set(&s, "bpf_prog_aux", "func_cnt", prog.aux, 5000);
	refused(ID, KT_ERROR_FORMAT, "claims 5000 subprograms");
	synth_set(&s, "bpf_prog_aux", "func_cnt", prog.aux, 2);
	synth_set(&s, "bpf_prog_aux", "func", prog.aux, NOWHERE);
	refused(ID, KT_ERROR_FAULT, "the list of subprograms");
	synth_set(&s, "bpf_prog_aux", "id", prog.aux, 77);
	refused(ID, KT_ERROR_NOT_FOUND, "no program has the id 5");
}

#define TEST_JITED(name) cmocka_unit_test_setup_teardown(name, setup_jited, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_JITED(test_lines),
		TEST_JITED(test_lines_damaged),
		TEST_JITED(test_code_damaged),
	};

	return cmocka_run_group_tests_name("machine code", tests, NULL, NULL);
}
