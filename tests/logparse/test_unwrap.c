// SPDX-License-Identifier: LGPL-2.1-or-later
/* What stands around logs: taken off, and put back around what is made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "logparse/anchor.h"
#include "logparse/blocks.h"
#include "logparse/unwrap.h"
#include "tests/logparse/unmark_help.h"
#include "tests/logparse/walk.h"
#include "tests/logparse/wrappings.h"

#define SEEDS 12

static const char small[] = "0: R1=ctx() R10=fp0\n"
			    "; u32 *v = lookup(&m, \"a\\n\", k > 3); @ a.bpf.c:10\n"
			    "0: (b7) r1 = 0                        ; R1_w=0\n"
			    "1: (bf) r2 = r10                      ; R2_w=fp0 R10=fp0\n"
			    "2: (85) call pc+3\n"
			    "caller:\n"
			    " R10=fp0\n"
			    "callee:\n"
			    " frame1: R1_w=0 R10=fp0\n"
			    "; return 0; @ a.bpf.c:12\n"
			    "6: (61) r0 = *(u32 *)(r0 +0)\n"
			    "R0 invalid mem access 'map_value_or_null'\n"
			    "processed 7 insns (limit 1000000) max_states_per_insn 0\n";

/* What is made of a wrapped log: the lines inside, and the collapsed text. */
struct made {
	struct kt_buf wrapped, inner, collapsed;
	bool blocks; /* it has libbpf's markers */
};

static void made_deinit(struct made *m)
{
	kt_buf_deinit(&m->wrapped);
	kt_buf_deinit(&m->inner);
	kt_buf_deinit(&m->collapsed);
}

/* Unwraps m->wrapped; the copy lets ASan guard its end. */
static void make(struct made *m)
{
	struct kt_unwrapped *u;
	struct kt_rewrap rewrap;
	struct kt_text inner;
	char *copy = malloc(m->wrapped.len + !m->wrapped.len);

	assert_non_null(copy);
	memcpy(copy, m->wrapped.data, m->wrapped.len);
	assert_null(kt_unwrap((struct kt_text){copy, m->wrapped.len}, &u));
	if (u) {
		inner = kt_unwrapped_text(u);
		kt_buf_append(&m->inner, inner.data, inner.len);
		kt_rewrap_init(&rewrap, u, kt_sink_append, &m->collapsed);
		assert_null((m->blocks ? kt_collapse_blocks_to : kt_collapse_cycles_to)(
			inner, NULL, kt_rewrap_put, &rewrap));
		assert_null(kt_rewrap_end(&rewrap));
		inner = kt_unwrapped_origin(u, inner);
		assert_true(inner.data == copy && inner.len == m->wrapped.len);
	}
	kt_unwrapped_destroy(u);
	free(copy);
}

static void check_inner(struct kt_text log, const struct wrapping_kind *kind, const struct made *m)
{
	const char *at = memmem(m->inner.data, m->inner.len, log.data, log.len);

	/* A log in a string may lack the newline that its last line has. */
	if (!at)
		at = m->inner.len ? memmem(m->inner.data, m->inner.len, log.data, log.len - 1)
				  : NULL;
	if (at)
		return;
	dump(text_of(&m->wrapped), text_of(&m->inner), log);
	fail_msg("%s: the lines inside are not those of the log", kind->name);
}

static void check_collapsed(struct kt_text log, const struct wrapping_kind *kind,
			    const struct made *m)
{
	struct kt_buf want = KT_BUF_INIT;
	struct unmark u;
	struct kt_text out = collapse_checked(log, NULL, kind->name, &u);

	wrap_log(&want, out, kind);
	if (want.len != m->collapsed.len || memcmp(want.data, m->collapsed.data, want.len) != 0) {
		dump(text_of(&m->wrapped), text_of(&m->collapsed), text_of(&want));
		fail_msg("%s: the log collapsed is another one when it is wrapped", kind->name);
	}
	unmark_deinit(&u);
	free((void *)out.data);
	kt_buf_deinit(&want);
}

static void check_wrapped(struct kt_text log, const struct wrapping_kind *kind)
{
	struct made m = {0};

	wrap_log(&m.wrapped, log, kind);
	make(&m);
	check_inner(log, kind, &m);
	if (!kind->head[0] || !kind->before) /* else there are lines around the log */
		check_collapsed(log, kind, &m);
	made_deinit(&m);
}

static void test_small(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_WRAPPINGS; i++)
		check_wrapped((struct kt_text){small, sizeof(small) - 1}, &wrapping_kinds[i]);
}

/* Random logs that are collapsed: the wrapping of what is collapsed is what is collapsed wrapped.
 */
static void test_programs(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct kt_buf log = KT_BUF_INIT;

		kt_buf_appends(&log, "0: R1=ctx() R10=fp0\n");
		walk_log(seed, 3000, &log);
		for (size_t i = 0; i < N_WRAPPINGS; i++)
			check_wrapped(text_of(&log), &wrapping_kinds[i]);
		kt_buf_deinit(&log);
	}
}

/* The last line has nothing but what each line begins with, and no newline. */
static void test_empty_end(void **state)
{
	static const char prefix[] = "2024-01-01T10:11:12.123456789Z stderr F ";
	static const char end[] = "-- END PROG LOAD LOG --\n";
	struct kt_buf log = KT_BUF_INIT, want = KT_BUF_INIT;
	struct made m = {.blocks = true};
	struct kt_text out, rest, line;
	struct unmark u;

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		kt_buf_printf(&log, "1: (07) r1 += 1 ; R1=%u\n2: (15) if r1 == 0x9 goto pc-2\n", i);
		for (unsigned int n = 0; n < 30; n++)
			kt_buf_appends(&log, "mark_precise: frame0: regs=r1 stack= before 1: (07) "
					     "r1 += 1\n");
	}
	out = collapse_checked(text_of(&log), NULL, prefix, &u);
	kt_buf_printf(&m.wrapped, "%s-- BEGIN PROG LOAD LOG --\n", prefix);
	kt_buf_append(&want, m.wrapped.data, m.wrapped.len);
	for (rest = text_of(&log); kt_text_next_line(&rest, &line);)
		kt_buf_printf(&m.wrapped, "%s%.*s\n", prefix, (int)line.len, line.data);
	for (rest = out; kt_text_next_line(&rest, &line);)
		kt_buf_printf(&want, "%s%.*s\n", prefix, (int)line.len, line.data);
	kt_buf_printf(&m.wrapped, "%s%s%s", prefix, end, prefix);
	kt_buf_printf(&want, "%s%s%s", prefix, end, prefix);
	make(&m);
	assert_int_equal(m.collapsed.len, want.len);
	assert_memory_equal(m.collapsed.data, want.data, want.len);
	unmark_deinit(&u);
	free((void *)out.data);
	made_deinit(&m);
	kt_buf_deinit(&log);
	kt_buf_deinit(&want);
}

/* Two wrappings, one in the other. */
static void test_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_WRAPPINGS; i++) {
		for (size_t j = 0; j < N_WRAPPINGS; j++) {
			struct kt_text log = {small, sizeof(small) - 1};
			struct kt_buf once = KT_BUF_INIT;
			struct made m = {0};

			/* An escape sequence is no part of a JSON string or of an rsyslog line. */
			if (strcmp(wrapping_kinds[i].name, "colours") == 0)
				continue;
			wrap_log(&once, log, &wrapping_kinds[i]);
			wrap_log(&m.wrapped, text_of(&once), &wrapping_kinds[j]);
			make(&m);
			if (!m.inner.len ||
			    !memmem(m.inner.data, m.inner.len, log.data, log.len - 1)) {
				dump(text_of(&m.wrapped), text_of(&m.inner), log);
				fail_msg("%s in %s", wrapping_kinds[i].name,
					 wrapping_kinds[j].name);
			}
			made_deinit(&m);
			kt_buf_deinit(&once);
		}
	}
}

/* A text that is not wrapped is not copied. */
static void test_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"a\n",
		small,
		"; \"0: (b7) r1 = 0\"\n",
		"Live regs before insn:\n  0: .......... (b7) r1 = 0\n  5: (85) call f#7\tr1: fp0-8\n",
		"R0 invalid mem access 'inv'\n  at insn 7: (61) r0 = *(u32 *)(r0 +0)\n",
		"stack backtrace:\n   0: app::call\n   1: app::main\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct kt_unwrapped *u;

		assert_null(kt_unwrap((struct kt_text){texts[i], strlen(texts[i])}, &u));
		if (u)
			fail_msg("text %zu is taken for a wrapped one", i);
	}
}

static void check_text(const char *wrapped, const char *inner)
{
	struct kt_unwrapped *u;
	struct kt_text text;

	assert_null(kt_unwrap((struct kt_text){wrapped, strlen(wrapped)}, &u));
	if (!u)
		fail_msg("nothing is taken off \"%s\"", wrapped);
	text = kt_unwrapped_text(u);
	if (text.len != strlen(inner) || memcmp(text.data, inner, text.len) != 0)
		fail_msg("\"%.*s\" is not \"%s\"", (int)text.len, text.data, inner);
	kt_unwrapped_destroy(u);
}

/* Numbers that change, a level, a month; a line without text; another logger's line. */
static void test_prefixes(void **state)
{
	(void)state;
	check_text("[    9.999871] WARN [7] 0: (b7) r1 = 0\n[   10.000012] ERROR [12] x\n",
		   "0: (b7) r1 = 0\nx\n");
	check_text("Mar 31 h p[1]: a\nMar 31 h p[1]: 0: (b7) r1 = 0\nApr 01 h p[1]: b\n",
		   "a\n0: (b7) r1 = 0\nb\n");
	check_text("> 0: (b7) r1 = 0\n>\n> ; a @ b.c:1\n>\nOn Monday\n",
		   "0: (b7) r1 = 0\n\n; a @ b.c:1\n\nOn Monday\n");
	check_text("\t0: (b7) r1 = 0\n\n\t R1=2\nmain: x\n", "0: (b7) r1 = 0\n\n R1=2\nmain: x\n");
	check_text("a: 0: (b7) r1 = 0\nb: c: d\na: x\n", "0: (b7) r1 = 0\nb: c: d\nx\n");
	check_text("  1: load. Verifier output: 0: R1=ctx() R10=fp0\n     ; a\n     0: (95) exit\n"
		   "  2: Permission denied\n",
		   "0: R1=ctx() R10=fp0\n; a\n0: (95) exit\n  2: Permission denied\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),     cmocka_unit_test(test_programs),
		cmocka_unit_test(test_empty_end), cmocka_unit_test(test_twice),
		cmocka_unit_test(test_nothing),   cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
