// SPDX-License-Identifier: LGPL-2.1-or-later
/* What libbpf says of loads that fail, as it says it, and the class that a person would name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "model/load_class.h"

static void expect(int errnum, const char *words, enum kt_load_class class, const char *headline)
{
	struct kt_text line;

	assert_int_equal(kt_load_classify(errnum, (struct kt_text){words, strlen(words)}, &line),
			 class);
	assert_int_equal(line.len, strlen(headline));
	assert_memory_equal(line.data ? line.data : "", headline, line.len);
}

#define BEGIN(p) "libbpf: prog '" p "': -- BEGIN PROG LOAD LOG --\n"
#define END      "-- END PROG LOAD LOG --\n"
#define FAILED   "libbpf: prog 'p': failed to load: -22\nlibbpf: failed to load object 'x.bpf.o'\n"

static void test_libbpf(void **state)
{
	(void)state;
	expect(ENOENT,
	       "libbpf: extern (func ksym) 'bpf_gone': not found in kernel or module BTFs\n"
	       "libbpf: failed to load object 'x.bpf.o'\n",
	       KT_LOAD_KFUNC, "extern (func ksym) 'bpf_gone': not found in kernel or module BTFs");
	expect(EINVAL,
	       "libbpf: extern (func ksym) 'bpf_x': func_proto [5] incompatible with kernel "
	       "[1234]\r\n",
	       KT_LOAD_KFUNC,
	       "extern (func ksym) 'bpf_x': func_proto [5] incompatible with kernel [1234]");
	expect(ESRCH, "libbpf: extern (var ksym) 'gone': not found in kernel BTF\n", KT_LOAD_KSYM,
	       "extern (var ksym) 'gone': not found in kernel BTF");
	expect(ESRCH, "libbpf: extern 'gone' (strong): not resolved\n", KT_LOAD_KSYM,
	       "extern 'gone' (strong): not resolved");
	expect(ESRCH,
	       "libbpf: prog 'p': failed to find kernel BTF type ID of 'gone': -3\n"
	       "libbpf: prog 'p': failed to prepare load attributes: -3\n" FAILED,
	       KT_LOAD_REQUEST, "prog 'p': failed to find kernel BTF type ID of 'gone': -3");
	expect(EINVAL,
	       "libbpf: Error in bpf_create_map_xattr(m):Invalid argument(-22). Retrying without "
	       "BTF.\nlibbpf: map 'm': failed to create: Invalid argument(-22)\n",
	       KT_LOAD_MAP_TYPE, "map 'm': failed to create: Invalid argument(-22)");
	expect(ENOMEM, "libbpf: map 'm': failed to create: Cannot allocate memory(-12)\n",
	       KT_LOAD_MEMORY, "map 'm': failed to create: Cannot allocate memory(-12)");
	expect(ENOEXEC, "libbpf: elf: 'x' is not a proper ELF object\n", KT_LOAD_OBJECT,
	       "elf: 'x' is not a proper ELF object");
}

static void test_no_words(void **state)
{
	(void)state;
	expect(EINVAL, "libbpf: prog 'p': BPF program load failed: Invalid argument\n" FAILED,
	       KT_LOAD_UNKNOWN, "prog 'p': BPF program load failed: Invalid argument");
	expect(E2BIG, "", KT_LOAD_TOO_LARGE, "");
	expect(0, "", KT_LOAD_UNKNOWN, "");
	/* A BTF that is refused is no reason: libbpf goes on without it. */
	expect(EINVAL,
	       "libbpf: Error loading .BTF into kernel: -22. BTF is optional, ignoring.\n"
	       "libbpf: prog 'p': BPF program load failed: Invalid argument\n",
	       KT_LOAD_UNKNOWN, "prog 'p': BPF program load failed: Invalid argument");
}

static void test_in_the_log(void **state)
{
	(void)state;
	expect(EINVAL,
	       "libbpf: prog 'p': BPF program load failed: Invalid argument\n" BEGIN(
		       "p") "0: R1=ctx(off=0,imm=0) R10=fp0\n0: <invalid CO-RE relocation>\n"
			    "failed to resolve CO-RE relocation <byte_off> [8] struct task_struct.gone\n"
			    "processed 1 insns (limit 1000000)\n" END,
	       KT_LOAD_CORE,
	       "failed to resolve CO-RE relocation <byte_off> [8] struct task_struct.gone");
	expect(EINVAL, BEGIN("p") "0: (85) call unknown#211\ninvalid func unknown#211\n" END,
	       KT_LOAD_HELPER, "invalid func unknown#211");
	expect(EACCES,
	       "libbpf: prog 'p': BPF program load failed: Permission denied\n" BEGIN(
		       "p") "0: R1=ctx() R10=fp0\n0: (61) r0 = *(u32 *)(r3 +0)\nR3 !read_ok\n"
			    "processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 "
			    "peak_states 0 mark_read 0\n" END FAILED,
	       KT_LOAD_REJECTED, "R3 !read_ok");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(kt_load_class_name(KT_LOAD_CORE), "CO-RE Relocation");
	assert_null(kt_load_class_name(KT_LOAD_REJECTED));
	for (int i = KT_LOAD_PROG_TYPE; i <= KT_LOAD_OBJECT; i++)
		assert_non_null(kt_load_class_name((enum kt_load_class)i));
	assert_null(kt_load_class_name((enum kt_load_class)(KT_LOAD_OBJECT + 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libbpf),
		cmocka_unit_test(test_no_words),
		cmocka_unit_test(test_in_the_log),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
