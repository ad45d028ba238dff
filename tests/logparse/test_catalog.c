// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The catalogue: its data is whole, its patterns find what kernels printed, and its answers have
 * the facts of the log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <ctype.h>

#include "logparse/catalog.h"
#include "logparse/catalog_match.h"
#include "logparse/catalog_template.h"
#include "logparse/last.h"
#include "tests/logparse/catalog_examples.h"
#include "tests/logparse/errors.h"
#include "tests/memory/rng.h"
#include "util/cleanup.h"

static struct kt_text text(const char *s)
{
	return (struct kt_text){s, strlen(s)};
}

static const char *id_of(const char *line)
{
	const struct kt_catalog_entry *entry = kt_catalog_find(text(line));

	return entry ? entry->id : "none";
}

/* --- the data --- */

/* Data that is wrong is named, all of it, before the test fails. */
static unsigned int n_wrong;

static void wrong(const struct kt_catalog_entry *entry, const char *why, const char *what)
{
	print_message("# %s: %s: \"%s\"\n", entry->id, why, what);
	n_wrong++;
}

static void check_template(const struct kt_catalog_entry *entry, const char *template,
			   bool may_be_empty)
{
	static const char *const bad[] = {"  ", " ,", " . ", "..", " )", "( ", ",,"};
	static const struct kt_facts none;
	_cleanup_(kt_buf_deinit) struct kt_buf filled = KT_BUF_INIT;
	int depth = 0;

	for (const char *p = template; *p; p++) {
		depth += (*p == '[') - (*p == ']');
		if (depth < 0 || depth > 1)
			wrong(entry, "choices are not in one another", p);
		if (!depth && *p == '<' && (islower((unsigned char)p[1]) || p[1] == '?'))
			wrong(entry, "a fact outside of a choice", p);
		/* Without a fact in it, it would always be chosen. */
		if (*p == '[' && p[1] != ']' && strcspn(p, "<") > strcspn(p, "|]"))
			wrong(entry, "no choice", p);
	}
	assert_int_equal(depth, 0);
	kt_template_fill(template, &none, &filled);
	if (!filled.len && may_be_empty)
		return;
	assert_true(filled.len > 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (strstr(filled.data, bad[i]) && !(i == 3 && strstr(filled.data, "...")) &&
		    !strstr(filled.data, " ..."))
			wrong(entry, "blanks and points without facts", filled.data);
	if (!strchr(".;)\"", filled.data[filled.len - 1]))
		wrong(entry, "no end", filled.data);
}

static void test_entries(void **state)
{
	static const char *const classes[] = {
		"Register Type Safety",
		"Memory Safety",
		"Resource Lifetime Safety",
		"Call Type Safety",
		"Execution Context Safety",
		"Program Structure",
		"Policy",
		"Complexity",
		"Load Request",
		"Verifier Error",
	};
	const struct kt_catalog_entry *entry;

	(void)state;
	for (size_t i = 0; (entry = kt_catalog_at(i)); i++) {
		bool known = false;

		assert_true(strspn(entry->id, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
			    strlen(entry->id));
		assert_true(strlen(entry->id) <= 24);
		assert_ptr_equal(kt_catalog_by_id(text(entry->id)), entry);
		for (size_t c = 0; c < sizeof(classes) / sizeof(*classes); c++)
			known |= strcmp(entry->class, classes[c]) == 0;
		assert_true(known);
		if (!isupper((unsigned char)entry->title[0]) &&
		    strncmp(entry->title, "bpf_", 4) != 0 && strncmp(entry->title, "lib", 3) != 0)
			wrong(entry, "title", entry->title);
		assert_true(entry->title[strlen(entry->title) - 1] != '.');
		assert_true(entry->remedies[0] && entry->patterns[0]);
		check_template(entry, entry->reason, false);
		for (size_t r = 0; entry->remedies[r]; r++)
			check_template(entry, entry->remedies[r], true);
	}
	assert_int_equal(n_wrong, 0);
}

/* A line as the pattern describes it. */
static void make_line(const char *pattern, struct kt_buf *out)
{
	for (const char *p = pattern; *p;) {
		const char *end = *p == '<' ? p + 2 + strspn(p + 2, "abcdefghijklmnopqrstuvwxyz_")
					    : p;

		if (*p != '<' || *end != '>') {
			kt_buf_appendc(out, *p++);
			continue;
		}
		if (strncmp(p, "<reg>", 5) == 0)
			kt_buf_appends(out, "R7");
		else
			kt_buf_appends(out, p[1] == '#'   ? "12"
					    : p[1] == '@' ? "some_name"
							  : "any text");
		p = end + 1;
	}
}

/* Each pattern is found by what it describes, by no other entry's, and there are none twice. */
static void test_patterns(void **state)
{
	const struct kt_catalog_entry *entry, *found;
	size_t n = 0;

	(void)state;
	n_wrong = 0;
	for (size_t i = 0; (entry = kt_catalog_at(i)); i++) {
		for (const char *const *p = entry->patterns; *p; p++, n++) {
			_cleanup_(kt_buf_deinit) struct kt_buf line = KT_BUF_INIT;

			make_line(*p, &line);
			found = kt_catalog_find((struct kt_text){line.data, line.len});
			if (found != entry)
				wrong(entry, found ? found->id : "none", *p);
			for (const char *const *q = entry->patterns; q < p; q++)
				if (strcmp(*p, *q) == 0)
					wrong(entry, "twice", *p);
		}
	}
	print_message("# %zu patterns\n", n);
	assert_int_equal(n_wrong, 0);
	assert_in_range(n, 500, 2000); /* the index has room for 2048 */
}

/* --- what kernels printed --- */

static void test_examples(void **state)
{
	const struct kt_catalog_entry *entry;
	size_t n = sizeof(examples) / sizeof(*examples), lines = 0, without = 0;

	(void)state;
	for (size_t i = 0; (entry = kt_catalog_at(i)); i++) {
		size_t of_entry = 0;

		for (size_t k = 0; k < n; k++)
			of_entry += strcmp(examples[k].id, entry->id) == 0;
		if (!of_entry)
			fail_msg("%s has no example, and no reason why", entry->id);
	}
	for (size_t k = 0; k < n; k++) {
		if (!examples[k].kernel) {
			without++;
			continue;
		}
		assert_string_equal(id_of(examples[k].line), examples[k].id);
		lines++;
	}
	print_message("# %zu lines of kernels; %zu entries without\n", lines, without);
}

/* The same message as several kernels print it. */
static void test_versions(void **state)
{
	static const char *const same[][5] = {
		{"number-dereference", "R3 invalid mem access 'inv'",
		 "R3 invalid mem access 'scalar'"},
		{"dynptr-state", "Expected an initialized dynptr as arg #1",
		 "Expected an initialized dynptr as R1"},
		{"null-argument", "Possibly NULL pointer passed to trusted arg0",
		 "Possibly NULL pointer passed to trusted R1"},
		{"stack-uninitialized", "invalid indirect read from stack off -16+0 size 16",
		 "invalid indirect read from stack R3 off -16+0 size 16",
		 "invalid read from stack R3 off -16+0 size 16"},
		{"helper-not-allowed", "unknown func bpf_override_return#58",
		 "program of this type cannot use helper bpf_override_return#58"},
		{"release-unowned",
		 "release kernel function bpf_task_release expects refcounted PTR_TO_BTF_ID",
		 "release kfunc bpf_task_release expects referenced PTR_TO_BTF_ID passed to R1"},
		{"sleep", "helper call might sleep in a non-sleepable prog",
		 "sleepable helper bpf_copy_from_user#148 in non-preemptible region"},
		{"return-value",
		 "At program exit the register R0 has value (0x5; 0x0) should have been in (0x0; "
		 "0x1)",
		 "At program exit the register R0 has smin=5 smax=5 should have been in [0, 1]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		for (size_t k = 1; k < 5 && same[i][k]; k++)
			assert_string_equal(id_of(same[i][k]), same[i][0]);
}

/* Whatever stands around it; and what is no message has no entry. */
static void test_around(void **state)
{
	(void)state;
	assert_string_equal(id_of("  libbpf: R3 invalid mem access 'scalar'"),
			    "number-dereference");
	assert_string_equal(
		id_of("7: (61) r0 = *(u32 *)(r3 +0): R3 invalid mem access 'scalar' (12 line(s) "
		      "omitted)"),
		"number-dereference");
	assert_string_equal(
		id_of("insn 3 cannot call exception cb directlyprocessed 7 insns (limit 1000000)"),
		"exception");
	assert_string_equal(id_of("verifier bug: R1 must be referenced"), "verifier-bug");
	assert_string_equal(id_of(""), "none");
	assert_string_equal(id_of("processed 7 insns (limit 1000000) max_states_per_insn 0"),
			    "none");
	assert_string_equal(id_of("7: (61) r0 = *(u32 *)(r3 +0)          ; R0=scalar()"), "none");
	assert_string_equal(id_of("; int x = unreachable; @ a.c:7"), "none");
	assert_string_equal(id_of("xR3 !read_ok"), "none");
	assert_string_equal(id_of("unreachable insn seven"), "none");
}

/* --- patterns and templates --- */

static void assert_fact(const char *pattern, const char *line, const char *name, const char *value)
{
	struct kt_facts facts = {0};
	struct kt_text fact;

	assert_true(kt_pattern_match(pattern, text(line), &facts));
	fact = kt_facts_get(&facts, text(name));
	assert_int_equal(fact.len, strlen(value));
	assert_memory_equal(fact.data, value, fact.len);
}

static void test_holes(void **state)
{
	(void)state;
	assert_fact("<reg> !read_ok", "xx R10 !read_ok", "reg", "R10");
	assert_fact("as <reg>", "as arg #2", "reg", "arg #2");
	assert_fact("as <reg>", "as *(R11-8)", "reg", "*(R11-8)");
	assert_fact("off=<#off> size=<#n>", "off=-16 size=8", "off", "-16");
	assert_fact("off=<#off> size=<#n>", "off=0xfff0 size=8", "n", "8");
	assert_fact("<@lock>_unlock of", "bpf_res_spin_unlock of", "lock", "bpf_res_spin");
	assert_fact("a <x> b <y> c", "a 1 b 2 b 3 c", "x", "1");
	assert_fact("a <x> b <y> c", "a 1 b 2 b 3 c", "y", "2 b 3");
	assert_fact("type=<type> expected=<rest>", "type=ctx expected=fp, pkt", "rest", "fp, pkt");
	assert_false(kt_pattern_match("insn <#n>", text("insn x"), NULL));
	assert_false(kt_pattern_match("insn <#n> x", text("insn 7"), NULL));
	assert_false(kt_pattern_match("safe", text("unsafe"), NULL));
	assert_false(kt_pattern_match("safe", text("safety"), NULL));
	assert_false(kt_pattern_match("a <x> b", text("a b"), NULL));
}

static void assert_filled(const char *template, const char *want)
{
	struct kt_facts facts = {0};
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;

	kt_facts_add(&facts, KT_TEXT("one"), KT_TEXT("1"));
	kt_facts_add(&facts, KT_TEXT("one"), KT_TEXT("2"));
	kt_template_fill(template, &facts, &out);
	assert_string_equal(out.data ? out.data : "", want);
}

static void test_templates(void **state)
{
	(void)state;
	assert_filled("[<one>|none] of [<two>|two]", "1 of two");
	assert_filled("a[ <two>]", "a");
	assert_filled("[<two>|<one>|x]", "1");
	assert_filled("[<?one>known]", "known");
	assert_filled("[<?two>known|unknown]", "unknown");
	assert_filled("if (a < b)", "if (a < b)");
	assert_filled("[<one>", "[1");
	assert_filled("char a[] = x", "char a[] = x");
}

/* --- answers about logs --- */

static void explain(const char *log, struct kt_catalog_why *why)
{
	struct kt_log_last last;

	assert_null(kt_log_find_last(text(log), &last));
	assert_null(kt_catalog_explain(&last, why));
}

static void assert_reason(const char *log, const char *id, const char *part)
{
	_cleanup_(kt_catalog_why_deinit) struct kt_catalog_why why;

	explain(log, &why);
	assert_non_null(why.entry);
	assert_string_equal(why.entry->id, id);
	if (!strstr(why.reason, part))
		fail_msg("\"%s\" does not have \"%s\"", why.reason, part);
	assert_null(strchr(why.reason, '\n'));
}

#define STATS                                                                                      \
	"processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "    \
	"mark_read 0\n"

static void test_facts(void **state)
{
	(void)state;
	assert_reason(
		"0: R1=ctx() R10=fp0\n"
		"0: (85) call bpf_map_lookup_elem#1   ; R0_w=map_value_or_null(id=1,ks=4,vs=8)\n"
		"1: (7b) *(u64 *)(r0 +0) = r1\n"
		"R0 invalid mem access 'map_value_or_null'\n" STATS,
		"null-check",
		"R0 may be NULL here: it is what bpf_map_lookup_elem returned (insn 0).");
	/* The second line says which bound is missing. */
	assert_reason("0: R1=ctx() R10=fp0\n"
		      "0: (0f) r6 += r0                     ; R6_w=map_value(map=a,ks=4,vs=32,"
		      "smin=smin32=0,smax=umax=smax32=umax32=56,var_off=(0x0; 0x38))\n"
		      "1: (7b) *(u64 *)(r6 +0) = r1\n"
		      "invalid access to map value, value_size=32 off=56 size=8\n"
		      "R6 max value is outside of the allowed memory range\n" STATS,
		      "upper-bound", "goes up to 56");
	assert_reason("0: R1=ctx() R10=fp0\n"
		      "0: (79) r0 = *(u64 *)(r10 -8)\n"
		      "invalid read from stack R10 off=-8 size=8\n" STATS,
		      "stack-uninitialized", "8 bytes");
	assert_reason("0: R1=ctx() R10=fp0\n"
		      "0: (7b) *(u64 *)(r10 -520) = r1\n"
		      "invalid write to stack R10 off=-520 size=8\n" STATS,
		      "stack-bounds", "at offset -520");
	assert_reason("0: R1=ctx() R10=fp0\n"
		      "0: (85) call bpf_copy_from_user#148\n"
		      "helper call might sleep in a non-sleepable prog\n" STATS,
		      "sleep", "bpf_copy_from_user may sleep");
	/* What is general says less than the line before it. */
	assert_reason("0: R1=ctx() R10=fp0\n"
		      "0: (85) call pc+2\n"
		      "Global function foo() doesn't return scalar. Only those are supported.\n"
		      "Caller passes invalid args into func#1 ('foo')\n" STATS,
		      "function-signature", "foo is global");
}

/* What 7.3 explains stays the kernel's, and the catalogue's remedies come behind the kernel's. */
static void test_kernels_words(void **state)
{
	static const struct {
		const char *name, *id, *class, *reason;
		size_t suggestions;
	} cases[] = {
		{"7.3_bad_bounds", "upper-bound", "Memory Safety",
		 "The verifier cannot prove offset + access_size", 1},
		{"7.3_bad_leak", "unreleased-reference", "Resource Lifetime Safety",
		 "Owned resource (id=2) was", 1},
		{"7.3_bad_uninit", "unreadable-register", "Register Type Safety",
		 "R8 has never been initialized", 1},
		{"7.3_bad_argtype", "argument-type", "Call Type Safety",
		 "The second argument (R2) to", 1},
		{"7.3_bad_unreach", "unreachable-code", "Program Structure",
		 "Instruction 2 is not reachable", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kt_text log = read_error_log(cases[i].name);
		struct kt_catalog_why why;
		struct kt_log_last last;

		assert_null(kt_log_find_last(log, &last));
		assert_null(kt_catalog_explain(&last, &why));
		assert_true(why.by_kernel);
		assert_string_equal(why.entry->id, cases[i].id);
		assert_int_equal(why.class.len, strlen(cases[i].class));
		assert_memory_equal(why.class.data, cases[i].class, why.class.len);
		assert_memory_equal(why.reason, cases[i].reason, strlen(cases[i].reason));
		assert_non_null(memmem(log.data, log.len, why.remedies[0], 20));
		assert_true(why.n_remedies > 1);
		/* Class and entry agree, since the catalogue has the kernel's classes. */
		assert_string_equal(why.entry->class, cases[i].class);
		kt_catalog_why_deinit(&why);
		free((char *)log.data);
	}
}

static void test_no_answer(void **state)
{
	struct kt_catalog_why why;

	(void)state;
	explain("0: (95) exit\n" STATS, &why);
	assert_true(!why.entry && !why.reason && !why.n_remedies && !why.class.len);
	kt_catalog_why_deinit(&why);
	explain("0: R1=ctx() R10=fp0\n0: (95) exit\nsomething that no kernel says\n" STATS, &why);
	assert_true(!why.entry && !why.reason && !why.n_remedies && !why.class.len);
	kt_catalog_why_deinit(&why);
}

/* --- hostile lines --- */

/* Any bytes, and words of the catalogue in any order, are no more than a line. */
static void test_hostile(void **state)
{
	struct kt_buf line = KT_BUF_INIT;
	uint64_t seed = 7;

	(void)state;
	for (unsigned int round = 0; round < 2000; round++) {
		line.len = 0;
		while (line.len < rng_below(&seed, 3000)) {
			const struct kt_catalog_entry *entry = kt_catalog_at(rng_below(&seed, 100));
			const char *pattern = entry->patterns[0];

			if (rng_below(&seed, 3))
				make_line(pattern, &line);
			else
				kt_buf_appendc(&line, (char)rng_below(&seed, 256));
			if (rng_below(&seed, 2))
				line.len -= line.len ? rng_below(&seed, (uint32_t)line.len) : 0;
		}
		/* Exactly as large as it is, so that a byte too far is seen. */
		char *exact = malloc(line.len ? line.len : 1);

		memcpy(exact, line.data ? line.data : "", line.len);
		kt_catalog_find((struct kt_text){exact, line.len});
		free(exact);
	}
	kt_buf_deinit(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),       cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_examples),      cmocka_unit_test(test_versions),
		cmocka_unit_test(test_around),        cmocka_unit_test(test_holes),
		cmocka_unit_test(test_templates),     cmocka_unit_test(test_facts),
		cmocka_unit_test(test_kernels_words), cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
