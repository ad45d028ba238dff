// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lines of tests/bpf/reject.bpf.c. The truth is the source itself: the number has to be that of the
 * line with the text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include "object/lines.h"
#include "tests/vm/scratch.h"
#include "util/buf.h"
#include "util/io.h"

#define OBJECT "build/bpf/reject.bpf.o"
#define SOURCE "tests/bpf/reject.bpf.c"

static const char *const lookup = "__u64 *n = bpf_map_lookup_elem(&counters, &key);";

/* The numbers of the source's lines with that text, at most 4. */
static size_t lines_with(const char *text, uint32_t *ret)
{
	FILE *f = fopen(SOURCE, "r");
	char line[256];
	size_t found = 0;

	assert_non_null(f);
	for (uint32_t n = 1; fgets(line, sizeof(line), f); n++)
		if (strstr(line, text) && found < 4)
			ret[found++] = n;
	fclose(f);
	return found;
}

static bool find(const struct object_lines *lines, const char *program, uint32_t insn,
		 const char *text, uint32_t *line)
{
	const struct object_insn where = {"tc", program, insn, text, text ? strlen(text) : 0};
	const char *file;

	if (!object_lines_find(lines, &where, &file, line))
		return false;
	assert_string_equal(file, "reject.bpf.c");
	return true;
}

/* The call is instruction 7 of either program: "7: (85) call bpf_map_lookup_elem#1" in kernels'
 * logs. */
static void test_own_function(void **state)
{
	struct object_lines *lines;
	uint32_t wanted[4], line;

	(void)state;
	assert_null(object_lines_open(OBJECT, &lines));
	assert_int_equal(lines_with(lookup, wanted), 2);
	assert_true(find(lines, "accepted", 7, lookup, &line));
	assert_int_equal(line, wanted[0]);
	assert_true(find(lines, "rejected_null_unchecked", 7, lookup, &line));
	assert_int_equal(line, wanted[1]);
	/* Without the text, and with the blanks of the source. */
	assert_true(find(lines, "accepted", 7, NULL, &line));
	assert_int_equal(line, wanted[0]);
	assert_true(find(lines, "accepted", 7,
			 "\t__u64 *n = bpf_map_lookup_elem(&counters, &key); ", &line));
	/* It is no other line's: then the object is not that of the log. */
	assert_false(find(lines, "accepted", 7, "*n += 2;", &line));
	assert_false(find(lines, "no_such_program", 7, lookup, &line));
	object_lines_close(lines);
}

static void test_behind_it(void **state)
{
	struct object_lines *lines;
	uint32_t wanted[4], line;

	(void)state;
	assert_null(object_lines_open(OBJECT, &lines));
	/* "if (n)" is there once, the lookup twice. */
	assert_int_equal(lines_with("if (n)", wanted), 1);
	assert_true(find(lines, "accepted", 1000, "if (n)", &line));
	assert_int_equal(line, wanted[0]);
	assert_false(find(lines, "accepted", 1000, lookup, &line));
	assert_false(find(lines, "accepted", 1000, NULL, &line));
	assert_false(find(lines, "accepted", UINT32_MAX, "", &line));
	object_lines_close(lines);
}

static void test_no_object(void **state)
{
	struct object_lines *lines;
	struct kt_error *err = object_lines_open("GNUmakefile", &lines);

	(void)state;
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	kt_error_destroy(err);
	err = object_lines_open("build/bpf/none", &lines);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
}

/* Where .BTF.ext is in the file. */
static void ext_range(size_t *offset, size_t *len)
{
	int fd = open(OBJECT, O_RDONLY);
	Elf_Scn *scn = NULL;
	GElf_Shdr header;
	size_t names;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	*len = 0;
	while ((scn = elf_nextscn(elf, scn))) {
		assert_non_null(gelf_getshdr(scn, &header));
		if (strcmp(elf_strptr(elf, names, header.sh_name), ".BTF.ext") != 0)
			continue;
		*offset = header.sh_offset;
		*len = header.sh_size;
	}
	elf_end(elf);
	close(fd);
	assert_true(*len > 100);
}

/* Each byte of .BTF.ext is another one: it may say less, or something else, and reads nothing else.
 */
static void test_damaged(void **state)
{
	static const uint8_t values[] = {0x00, 0x7f, 0x80, 0xff};
	struct kt_buf file = KT_BUF_INIT;
	size_t offset = 0, len;

	(void)state;
	assert_null(kt_read_file(OBJECT, 1 << 20, &file));
	ext_range(&offset, &len);
	for (size_t i = 0; i < len * sizeof(values); i++) {
		char *byte = file.data + offset + i / sizeof(values), was = *byte;
		struct object_lines *lines;
		uint32_t line;

		*byte = (char)values[i % sizeof(values)];
		assert_null(
			kt_replace_file(in_scratch("damaged.o"), file.data, file.len, 0600, false));
		assert_null(object_lines_open(in_scratch("damaged.o"), &lines));
		for (uint32_t insn = 0; insn < 12; insn++) {
			const struct object_insn where = {"tc", "accepted", insn, NULL, 0};
			const char *name;

			if (object_lines_find(lines, &where, &name, &line))
				assert_true(line > 0 && strlen(name) < 100);
		}
		object_lines_close(lines);
		*byte = was;
	}
	kt_buf_deinit(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_function),
		cmocka_unit_test(test_behind_it),
		cmocka_unit_test(test_no_object),
		cmocka_unit_test_setup_teardown(test_damaged, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("object/lines", tests, NULL, NULL);
}
