// SPDX-License-Identifier: LGPL-2.1-or-later
/* Functions of modules of a synthetic kernel, whose memory may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/module_symbols.h"
#include "tests/introspect/modules.h"
#include "tests/introspect/spoil.h"

/* Where modules are; nothing of their code is read. */
#define TEXT UINT64_C(0xffffffffc0100000)

static int setup_all(void **state)
{
	setup(state);
	setup_modules();
	return 0;
}

static struct kt_error *try_read(struct module_symbol *symbols, size_t n)
{
	const struct source source = textmem_source(s.mem);
	const int64_t kaslr = (int64_t)s.kaslr;
	struct guest *guest;
	struct kt_error *err;

	synth_cpu(&s);
	/* With a hint, whatever architecture it is said to be. */
	err = guest_create(&source, &s.facts, &kaslr, &guest);
	if (err)
		return err;
	err = module_symbols_read(guest, symbols, n);
	guest_destroy(guest);
	return err;
}

static void test_names(void **state)
{
	struct module_symbol symbols[] = {
		{.addr = TEXT + 0x44}, {.addr = TEXT + 0x10},          {.addr = TEXT + 0xfff},
		{.addr = TEXT + 0xf},  {.addr = TEXT + 0x2000 + 0x80}, {.addr = TEXT + 0x1000},
		{.addr = 0},           {.addr = UINT64_MAX},
	};
	const size_t n = sizeof(symbols) / sizeof(symbols[0]);

	(void)state;
	put_module("one", TEXT);
	put_module("nobody_asks_for", TEXT + 0x9000);
	put_module("two", TEXT + 0x2000);
	assert_null(try_read(symbols, n));
	assert_string_equal(symbols[0].name, "second");
	assert_int_equal(symbols[0].start, TEXT + 0x40);
	assert_string_equal(symbols[0].module, "one");
	assert_string_equal(symbols[1].name, "first");
	assert_string_equal(symbols[2].name, "third");
	assert_null(symbols[3].name); /* in front of the first */
	assert_string_equal(symbols[4].name, "third");
	assert_string_equal(symbols[4].module, "two");
	for (size_t i = 5; i < n; i++)
		assert_null(symbols[i].name);
	module_symbols_deinit(symbols, n);
}

/* Up to 6.3 a module's text has another place in its structure. */
static void test_old_layout(void **state)
{
	struct module_symbol symbol = {.addr = TEXT + 0x80};
	gaddr_t module;

	(void)state;
	fake_drop(&s.facts, KFACTS_MEMBER, "module", "mem");
	fake_member(&s.facts, "module", "core_layout.base", 100, 8);
	fake_member(&s.facts, "module", "core_layout.size", 108, 4);
	module = put_module("old", TEXT);
	synth_set(&s, "module", "core_layout.base", module, TEXT);
	synth_set(&s, "module", "core_layout.size", module, 0x1000);
	assert_null(try_read(&symbol, 1));
	assert_string_equal(symbol.name, "third");
	module_symbols_deinit(&symbol, 1);
}

/* What marks a place in code is no function, neither at one nor within one: by its name, and as the
 * kernel of that release does. */
static void test_marks(void **state)
{
	static const struct {
		const char *release;
		uint32_t mark;
		const char *at,
			*behind; /* names at the second symbol, and behind the mark within it */
	} cases[] = {
		{"6.1.0-50-amd64", MARK_X, "second", "second"},
		{"6.1.0-50-amd64", MARK_X_DOT, "second", "second"},
		{"6.1.0-50-amd64", MARK_DOT_L, "second", "second"},
		{"6.1.0-50-amd64", MARK_L0, "L0x", "L0x"},
		{"6.1.0-50-amd64", MARK_RISCV, "$xrv64", "$xrv64"},
		{"6.1.0-50-amd64", MARK_BARE, "$", "$"},
		{"6.4.0", MARK_L0, "second", "second"},
		{"6.5.13", MARK_RISCV, "$xrv64", "$xrv64"},
		{"6.6.0-rc1", MARK_RISCV, "second", "second"},
		{"6.12.73+deb13", MARK_X, "second", "second"},
		{"6.12.73+deb13", MARK_BARE, "second", "second"},
		{"7.1", MARK_L0, "second", "second"},
		{"", MARK_RISCV, "second", "second"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct module_symbol symbols[] = {{.addr = TEXT + 0x40}, {.addr = TEXT + 0x48}};
		char release[32];

		snprintf(release, sizeof(release), "%s", cases[i].release);
		s.facts.kernel.release = release;
		mark = cases[i].mark;
		put_module("one", TEXT);
		assert_null(try_read(symbols, 2));
		assert_string_equal(symbols[0].name, cases[i].at);
		assert_string_equal(symbols[1].name, cases[i].behind);
		assert_int_equal(symbols[1].start,
				 TEXT + (strcmp(cases[i].behind, "second") ? 0x44 : 0x40));
		module_symbols_deinit(symbols, 2);
		teardown(state);
		setup_all(state);
	}
}

/* Names that are far from each other are not read, and cost that module alone. */
static void test_far_names(void **state)
{
	struct module_symbol symbols[] = {{.addr = TEXT + 0x80}, {.addr = TEXT + 0x2000 + 0x80}};
	gaddr_t kallsyms = put_module("one", TEXT) + 160, table = kallsyms + 32 + 64;

	(void)state;
	put_module("two", TEXT + 0x2000);
	textmem_put_uint(s.mem, table + 24 * 3, UINT32_MAX, 4);
	assert_null(try_read(symbols, 2));
	assert_null(symbols[0].name);
	assert_string_equal(symbols[1].name, "third");
	module_symbols_deinit(symbols, 2);
}

static void test_lacking(void **state)
{
	struct module_symbol symbol = {.addr = TEXT + 0x80};

	(void)state;
	put_module("one", TEXT);
	fake_drop(&s.facts, KFACTS_SYMBOL, "modules", NULL);
	assert_null(try_read(&symbol, 1));
	assert_null(symbol.name);
}

static void make_everything(void)
{
	put_module("one", TEXT);
	put_module("two", TEXT + 0x2000);
}

static bool reads_spoiled(void)
{
	struct module_symbol symbols[] = {{.addr = TEXT + 0x44}, {.addr = TEXT + 0x2000 + 0x80}};
	struct kt_error *err = try_read(symbols, 2);
	bool read = symbols[0].name && symbols[1].name;

	kt_error_destroy(err);
	module_symbols_deinit(symbols, 2);
	return read;
}

static void test_each_word(void **state)
{
	(void)state;
	spoil_each_word(setup_all, make_everything, reads_spoiled, 21);
}

#define TEST_MODULES(name) cmocka_unit_test_setup_teardown(name, setup_all, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_MODULES(test_names),   TEST_MODULES(test_old_layout),
		TEST_MODULES(test_marks),   TEST_MODULES(test_far_names),
		TEST_MODULES(test_lacking), TEST_MODULES(test_each_word),
	};

	return cmocka_run_group_tests_name("introspect/module_symbols", tests, NULL, NULL);
}
