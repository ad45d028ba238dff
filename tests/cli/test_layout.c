// SPDX-License-Identifier: LGPL-2.1-or-later
/* layout, of a kernel of a few kilobytes whose BTF the test makes. */
#include "tests/cli/tool.h"

#include <jansson.h>

#include "tests/btf/fake_kernel.h"
#include "tests/lib/json_keys.h"

static char path[] = "/tmp/ktstr-layout-XXXXXX";

static int setup(void **state)
{
	struct fake_options o = {0};
	struct kt_buf elf = KT_BUF_INIT;
	int fd = mkstemp(path);
	bool good;

	(void)state;
	fake_kernel(&elf, &o);
	good = fd >= 0 && write(fd, elf.data, elf.len) == (ssize_t)elf.len;
	close(fd);
	kt_buf_deinit(&elf);
	return good ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

/* The line of a table that has a word, without its blanks in a row. */
static void expect_row(const char *out, const char *want)
{
	char squeezed[4096];
	size_t n = 0;

	for (const char *p = out; *p && n < sizeof(squeezed) - 1; p++)
		if (*p != ' ' || (n && squeezed[n - 1] != ' '))
			squeezed[n++] = *p;
	squeezed[n] = '\0';
	if (!strstr(squeezed, want))
		fail_msg("\"%s\" is not in:\n%s", want, squeezed);
}

static void test_struct(void **state)
{
	const char *out = RUN("layout", "struct bpf_prog", "--vmlinux", path)->out;

	(void)state;
	expect_row(out, "struct bpf_prog, 64 bytes: BTF of the image, /tmp/");
	expect_row(out, "2 2 0..0 jited short unsigned int");
	expect_row(out, "2 2 2..2 gpl_compatible short unsigned int");
	expect_row(out, "8 32 - (anonymous) union {...}");
	expect_row(out, "8 8 - tag unsigned char[8]");
	expect_row(out, "40 8 - aux struct bpf_prog_aux *");
	assert_non_null(strstr(out, "  digest")); /* in the union: indented */
}

static void test_member_and_enum(void **state)
{
	const char *out = RUN("layout", "bpf_prog.digest", "--btf", path)->out;

	(void)state;
	expect_row(out, "BTF file");
	expect_row(out, "8 8 digest long long unsigned int");
	assert_null(strstr(out, "jited"));
	out = RUN("layout", "bpf_prog_type", "--vmlinux", path)->out;
	expect_row(out, "enum bpf_prog_type, 4 bytes");
	expect_row(out, "\n 2 BPF_PROG_TYPE_KPROBE");
}

static void test_not_there(void **state)
{
	(void)state;
	tool_refused(RUN("layout", "bpf_prog.auxx", "--vmlinux", path), 3,
		     "bpf_prog has no member auxx; near it: aux");
	tool_refused(RUN("layout", "bpf_prog.aux.id", "--vmlinux", path), 3,
		     "bpf_prog.aux is a pointer; ask for bpf_prog_aux.id");
	tool_refused(RUN("layout", "no_type", "--vmlinux", path), 3,
		     "no struct, union or enum no_type");
}

static void test_json(void **state)
{
	json_t *root = json_loads(RUN("layout", "bpf_prog", "--vmlinux", path, "--json")->out, 0,
				  NULL);
	json_t *members = json_object_get(root, "members"), *m;
	bool seen = false;
	size_t i;

	(void)state;
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "schema")),
			    "ktstr-gdb.layout.v1");
	assert_int_equal(json_integer_value(json_object_get(root, "size")), 64);
	json_array_foreach(members, i, m)
	{
		const char *name = json_string_value(json_object_get(m, "name"));

		if (!name || strcmp(name, "gpl_compatible"))
			continue;
		seen = true;
		assert_int_equal(json_integer_value(json_object_get(m, "offset")), 2);
		assert_int_equal(json_integer_value(json_object_get(m, "bit_shift")), 2);
		assert_int_equal(json_integer_value(json_object_get(m, "bit_size")), 1);
	}
	assert_true(seen);
	json_decref(root);
}

static void test_json_keys(void **state)
{
	struct kt_buf documents = KT_BUF_INIT;

	(void)state;
	kt_buf_appends(&documents, RUN("layout", "bpf_prog", "--vmlinux", path, "--json")->out);
	kt_buf_appends(&documents,
		       RUN("layout", "bpf_prog_type", "--vmlinux", path, "--json")->out);
	assert_json_keys("layout", documents.data);
	kt_buf_deinit(&documents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_struct),    cmocka_unit_test(test_member_and_enum),
		cmocka_unit_test(test_not_there), cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_keys),
	};

	return cmocka_run_group_tests_name("cli: layout", tests, setup, teardown);
}
