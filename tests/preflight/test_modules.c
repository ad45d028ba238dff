// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is in modules, of directories of modules made here: all there, one missing, one damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>

#include "preflight/modules.h"
#include "tests/btf/elf_writer.h"
#include "tests/vm/scratch.h"
#include "util/buf.h"

/* What vmlinux has: an int, and a name that modules use for something else. */
static struct btf *make_base(void)
{
	struct btf *btf = btf__new_empty();

	assert_int_equal(btf__add_int(btf, "int", 4, 0), 1);
	btf__add_enum(btf, "e", 4);
	btf__add_enum_value(btf, "also_a_value", 1);
	return btf;
}

struct module {
	const char *file, *release;
	const char *func, *type; /* that its BTF has */
	bool own_base;           /* .BTF.base: it was built outside of the tree */
	bool damaged;
};

static void add_section(struct ew_section *sections, size_t *n, const char *name,
			struct kt_buf *data)
{
	sections[(*n)++] = (struct ew_section){name, SHT_PROGBITS, 0, 0, data, 0, 0};
}

static void take_raw(const struct btf *btf, struct kt_buf *out)
{
	uint32_t len;
	const void *data = btf__raw_data(btf, &len);

	assert_non_null(data);
	kt_buf_append(out, data, len);
}

static void write_module(const struct module *m)
{
	struct kt_buf types = KT_BUF_INIT, own = KT_BUF_INIT, info = KT_BUF_INIT, elf = KT_BUF_INIT;
	struct btf *base = m->own_base ? btf__new_empty() : make_base(), *btf;
	struct ew_section sections[3];
	size_t n = 0;
	FILE *file;

	if (m->own_base)
		btf__add_float(base, "of_the_base", 4);
	btf = btf__new_empty_split(base);
	btf__add_func(btf, m->func, BTF_FUNC_STATIC, btf__add_func_proto(btf, 1));
	btf__add_struct(btf, m->type, 4);
	take_raw(btf, &types);
	take_raw(base, &own);
	if (m->damaged)
		types.len = 30;
	kt_buf_printf(&info, "license=GPL%cvermagic=%s SMP preempt%c", 0, m->release, 0);
	add_section(sections, &n, ".BTF", &types);
	add_section(sections, &n, ".modinfo", &info);
	if (m->own_base)
		add_section(sections, &n, ".BTF.base", &own);
	ew_write(&elf, EM_X86_64, false, sections, n);
	file = fopen(in_scratch(m->file), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(elf.data, 1, elf.len, file), elf.len);
	fclose(file);
	kt_buf_deinit(&types);
	kt_buf_deinit(&own);
	kt_buf_deinit(&info);
	kt_buf_deinit(&elf);
	btf__free(btf);
	btf__free(base);
}

static const struct module plain = {"a-b.ko", "6.1.0", "also_a_value", "in_a", false, false};

/* What is asked, and the module that has it; NULL: none. */
struct question {
	uint32_t kind;
	const char *name, *module;
};

static const struct question questions[] = {
	{BTF_KIND_FUNC, "also_a_value", "a_b"},
	{BTF_KIND_STRUCT, "in_a___flavour", "a_b"},
	{BTF_KIND_STRUCT, "also_a_value", NULL},
	{BTF_KIND_FUNC, "gone", NULL},
};

#define N_QUESTIONS (sizeof(questions) / sizeof(*questions))

static enum pf_in_module ask(struct pf_modules *m, const struct question *q)
{
	const char *module = NULL;
	enum pf_in_module ret = pf_modules_ask(m, q->kind, q->name, &module);

	if (ret == PF_IN_MODULE)
		assert_string_equal(module, q->module);
	return ret;
}

/* If not all could be read, what none has may be in one; what one has is in it all the same. */
static void expect(const char *dir, const char *release, bool complete, bool has)
{
	const struct pf_module_places places = {dir, NULL, release};
	struct btf *base = make_base();
	struct pf_modules m = {0};

	for (size_t i = 0; i < N_QUESTIONS; i++)
		assert_int_equal(ask(&m, &questions[i]), PF_MAY_BE_IN_MODULE);
	assert_null(pf_modules_read(&m, &places, base));
	assert_int_equal(!m.why_not, complete);
	for (size_t i = 0; i < N_QUESTIONS; i++)
		assert_int_equal(ask(&m, &questions[i]), questions[i].module && has ? PF_IN_MODULE
							 : complete ? PF_IN_NO_MODULE
								    : PF_MAY_BE_IN_MODULE);
	/* Nobody looked for this one. */
	assert_int_equal(ask(&m, &(struct question){BTF_KIND_FUNC, "new", NULL}),
			 PF_MAY_BE_IN_MODULE);
	pf_modules_deinit(&m);
	btf__free(base);
}

static void order(const char *text)
{
	scratch_file("modules.order", text, 0644);
}

static void test_all_there(void **state)
{
	char command[128];

	(void)state;
	write_module(&plain);
	order("kernel/net/a-b.ko\n");
	expect(scratch, "6.1.0", true, true);
	expect(scratch, "", true, true);
	snprintf(command, sizeof(command), "gzip %s", in_scratch("a-b.ko"));
	assert_int_equal(system(command), 0);
	expect(scratch, "6.1.0", true, true);
}

static void test_not_all(void **state)
{
	(void)state;
	write_module(&plain);
	expect(scratch, "6.1.0", false, true); /* no modules.order */
	order("kernel/net/a-b.ko\nkernel/extra/c.ko\n");
	expect(scratch, "6.1.0", false, true);
	expect(NULL, "6.1.0", false, false);
	expect("/nowhere", "6.1.0", false, false);
}

static void test_unreadable(void **state)
{
	struct module damaged = plain, other = plain;

	(void)state;
	order("kernel/a-b.ko\n");
	damaged.damaged = true;
	write_module(&damaged);
	expect(scratch, "6.1.0", false, false);
	other.release = "6.1.0-other";
	write_module(&other);
	expect(scratch, "6.1.0", false, false);
	scratch_file("a-b.ko", "no ELF", 0644);
	expect(scratch, "6.1.0", false, false);
	scratch_file("a-b.ko", "", 0644);
	expect(scratch, "6.1.0", false, false);
}

static void test_built_outside(void **state)
{
	struct module outside = plain;

	(void)state;
	outside.own_base = true;
	write_module(&outside);
	order("kernel/a-b.ko\n");
	expect(scratch, "6.1.0", true, true);
}

/* A kernel that loads no modules has no need of a directory. */
static void test_none(void **state)
{
	struct pf_modules m = {.none = true, .complete = true};

	(void)state;
	for (size_t i = 0; i < N_QUESTIONS; i++)
		assert_int_equal(ask(&m, &questions[i]), PF_IN_NO_MODULE);
	assert_int_equal(m.asked.len, 0);
	pf_modules_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_there, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_not_all, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_built_outside, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
