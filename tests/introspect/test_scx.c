// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/scx.h"
#include "tests/introspect/walk.h"

/* Offsets in the image, and in struct scx_sched. */
#define STATE_AT 0x0a04010
#define ROOT_AT  0x0a05008
#define OPS_AT   0x0a06000
#define NAME_AT  344

#define LONGEST                                                                                    \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                         \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

/* The kernel as it is since 6.16. */
static void with_root(void)
{
	fake_symbol(&s.facts, "scx_enable_state_var", SYNTH_TEXT + STATE_AT);
	fake_symbol(&s.facts, "scx_root", SYNTH_TEXT + ROOT_AT);
	fake_member(&s.facts, "scx_sched", "ops.name", NAME_AT, 128);
	fake_member(&s.facts, "sched_ext_ops", "name", NAME_AT, 128);
	fake_enum(&s.facts, "scx_enable_state", "SCX_ENABLING", 0);
	fake_enum(&s.facts, "scx_enable_state", "SCX_ENABLED", 1);
	fake_enum(&s.facts, "scx_enable_state", "SCX_DISABLING", 2);
	fake_enum(&s.facts, "scx_enable_state", "SCX_DISABLED", 3);
}

/* The kernel as it was up to 6.15. */
static void with_ops(void)
{
	fake_symbol(&s.facts, "scx_ops_enable_state_var", SYNTH_TEXT + STATE_AT);
	fake_symbol(&s.facts, "scx_ops", SYNTH_TEXT + OPS_AT);
	fake_member(&s.facts, "sched_ext_ops", "name", NAME_AT, 128);
	fake_enum(&s.facts, "scx_ops_enable_state", "SCX_OPS_ENABLING", 0);
	fake_enum(&s.facts, "scx_ops_enable_state", "SCX_OPS_ENABLED", 1);
	fake_enum(&s.facts, "scx_ops_enable_state", "SCX_OPS_DISABLED", 3);
}

static void put_state(uint64_t value)
{
	/* What follows the atomic is somebody else's. */
	textmem_printf(s.mem, "@%#llx %llu/4 0xffffffff/4",
		       (unsigned long long)SYNTH_IMAGE + STATE_AT, (unsigned long long)value);
}

static void put_root(gaddr_t pointer)
{
	textmem_printf(s.mem, "@%#llx %#llx", (unsigned long long)SYNTH_IMAGE + ROOT_AT,
		       (unsigned long long)pointer);
}

/* A struct scx_sched of that name, which scx_root points to; its physical address. */
static gaddr_t put_sched(const char *name)
{
	gaddr_t at = synth_alloc(&s, 1024);

	textmem_put(s.mem, at + NAME_AT, name, strlen(name));
	put_root(synth_va(at));
	return at;
}

/* Reads, and counts what that took in *calls_ret. */
static struct scx_state read_scx(size_t *calls_ret)
{
	struct scx_state state;
	struct guest *guest;
	struct kt_error *err;

	/* What was in the struct before must not show through. */
	memset(&state, 0x67, sizeof(state));
	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	s.mem->calls = 0;
	err = scx_read(guest, &state);
	if (err)
		fail_msg("%s", kt_error_message(err));
	*calls_ret = s.mem->calls;
	guest_destroy(guest);
	return state;
}

/* state "": not known. */
static void check(const char *state, const char *ops)
{
	size_t calls;
	struct scx_state got = read_scx(&calls);

	assert_string_equal(got.state, state);
	assert_string_equal(got.ops, ops);
	assert_int_equal(got.known, state[0] != '\0');
	assert_int_equal(got.is_number, state[0] && !(state[0] >= 'a' && state[0] <= 'z'));
}

static void test_enabled(void **state)
{
	size_t calls;
	struct scx_state got;

	(void)state;
	with_root();
	put_state(1);
	put_sched("simple_ops");
	got = read_scx(&calls);
	assert_true(got.known && !got.is_number);
	assert_string_equal(got.state, "enabled");
	assert_string_equal(got.ops, "simple_ops");
	assert_int_equal(calls, 2);
}

static void test_each_state(void **state)
{
	static const char *const names[] = {"enabling", "enabled", "disabling"};

	(void)state;
	with_root();
	put_sched("x");
	for (uint32_t i = 0; i < 3; i++) {
		put_state(i);
		check(names[i], "x");
	}
}

/* Nobody is attached, whether or not what was is still there. */
static void test_disabled(void **state)
{
	(void)state;
	with_root();
	put_state(3);
	put_root(0);
	check("disabled", "");
	put_sched("left_behind");
	check("disabled", "");
}

static void test_up_to_6_15(void **state)
{
	struct scx_state got;
	size_t calls;

	(void)state;
	with_ops();
	put_state(1);
	textmem_printf(s.mem, "@%#llx \"simple\" 0/1",
		       (unsigned long long)SYNTH_IMAGE + OPS_AT + NAME_AT);
	got = read_scx(&calls);
	assert_string_equal(got.state, "enabled");
	assert_string_equal(got.ops, "simple");
	assert_int_equal(calls, 1);
	put_state(3);
	check("disabled", "");
	put_state(0);
	check("enabling", "simple");
}

/* Since 7.x ops is in an anonymous union, through which its path stays the same. */
static void test_name_elsewhere(void **state)
{
	gaddr_t at;

	(void)state;
	with_root();
	put_state(1);
	at = put_sched("not_here");
	fake_member(&s.facts, "scx_sched", "ops.name", 512, 128);
	textmem_put(s.mem, at + 512, "here", 5);
	check("enabled", "here");
}

static void test_longest_name(void **state)
{
	(void)state;
	with_root();
	put_state(1);
	put_sched(LONGEST);
	check("enabled", LONGEST);
	put_sched(LONGEST "fghij"); /* no NUL in 128 bytes */
	check("enabled", LONGEST);
}

/* Its size is not what it is on any kernel. */
static void test_odd_sizes(void **state)
{
	(void)state;
	with_root();
	put_state(1);
	put_sched(LONGEST "fghij");
	fake_member(&s.facts, "scx_sched", "ops.name", NAME_AT, 4);
	check("enabled", "0123");
	fake_member(&s.facts, "scx_sched", "ops.name", NAME_AT, 0);
	check("enabled", "");
	fake_member(&s.facts, "scx_sched", "ops.name", NAME_AT, 4096);
	check("enabled", LONGEST);
	fake_member(&s.facts, "scx_sched", "ops.name", UINT32_MAX, 128);
	check("enabled", "");
}

static void test_unknown_states(void **state)
{
	static const struct {
		uint32_t value;
		const char *text;
	} truth[] = {{7, "7"}, {INT32_MAX, "2147483647"}, {0x80000000, "-2147483648"}, {-1u, "-1"}};

	(void)state;
	with_root();
	put_sched("x");
	for (size_t i = 0; i < sizeof(truth) / sizeof(truth[0]); i++) {
		put_state(truth[i].value);
		check(truth[i].text, "x");
	}
	put_state(9);
	fake_enum(&s.facts, "scx_enable_state", "OF_ANOTHER_FORM", 9);
	check("9", "x");
	put_state(10);
	fake_enum(&s.facts, "scx_enable_state", "SCX_A_NAME_OF_MANY_CHARACTERS", 10);
	check("a_name_of_many_", "x");
}

/* A pointer to nowhere, into user space, to its own place, and to where it ends too early. */
static void test_wild_root(void **state)
{
	static const uint64_t pointers[] = {
		0,
		1,
		0x7fff00000000,
		NOWHERE,
		UINT64_MAX,
		UINT64_MAX - NAME_AT,
		UINT64_C(0x8000000000000000),
	};

	(void)state;
	with_root();
	put_state(1);
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		put_root(pointers[i]);
		check("enabled", "");
	}
	/* scx_root's own page: mapped, and empty where the name would be. */
	put_root(SYNTH_TEXT + SYNTH_KASLR + ROOT_AT);
	check("enabled", "");
}

/* The last of the name lies on a page that is not there. */
static void test_half_a_name(void **state)
{
	gaddr_t page = (s.heap + 0x10000) & ~UINT64_C(0xfff);
	gaddr_t at = page - NAME_AT - 64;

	(void)state;
	with_root();
	put_state(1);
	textmem_put(s.mem, at + NAME_AT, LONGEST, 64);
	put_root(synth_va(at));
	check("enabled", "");
}

static void test_not_mapped(void **state)
{
	(void)state;
	with_root();
	put_state(1);
	put_sched("x");
	fake_symbol(&s.facts, "scx_enable_state_var", UINT64_C(0xffffffffff600000));
	check("", "x");
	fake_symbol(&s.facts, "scx_root", UINT64_C(0xffffffffff600000));
	check("", "");
	fake_symbol(&s.facts, "scx_enable_state_var", SYNTH_TEXT + STATE_AT);
	check("enabled", "");
}

static void test_unknown_symbols(void **state)
{
	(void)state;
	with_root();
	put_state(1);
	put_sched("x");
	fake_drop(&s.facts, KFACTS_SYMBOL, "scx_root", NULL);
	check("enabled", "");
	fake_drop(&s.facts, KFACTS_SYMBOL, "scx_enable_state_var", NULL);
	check("", "");
	fake_symbol(&s.facts, "scx_root", SYNTH_TEXT + ROOT_AT);
	check("", "x");
	fake_drop(&s.facts, KFACTS_MEMBER, "scx_sched", "ops.name");
	check("", "");
}

static void test_without_sched_ext(void **state)
{
	size_t calls;
	struct scx_state got = read_scx(&calls);

	(void)state;
	assert_false(got.known || got.is_number || got.state[0] || got.ops[0]);
	assert_int_equal(calls, 0);
}

static void test_supported(void **state)
{
	(void)state;
	assert_false(scx_supported(&s.facts));
	fake_member(&s.facts, "sched_ext_ops", "name", NAME_AT, 128);
	assert_true(scx_supported(&s.facts));
	fake_drop(&s.facts, KFACTS_MEMBER, "sched_ext_ops", "name");
	fake_symbol(&s.facts, "scx_enable_state_var", SYNTH_TEXT + STATE_AT);
	assert_true(scx_supported(&s.facts));
	fake_drop(&s.facts, KFACTS_SYMBOL, "scx_enable_state_var", NULL);
	assert_false(scx_supported(&s.facts));
	fake_symbol(&s.facts, "scx_ops_enable_state_var", SYNTH_TEXT + STATE_AT);
	assert_true(scx_supported(&s.facts));
}

/* All that the tests above give it is asked for. */
static void test_wants(void **state)
{
	struct wants wants = {0};
	size_t n = s.facts.n, found = 0;

	(void)state;
	with_root();
	with_ops();
	assert_true(scx_wants(&wants));
	for (size_t i = n; i < s.facts.n; i++) {
		const struct fake_fact *f = &s.facts.all[i];

		kt_vec_for_each (&wants.v, want)
			if (want->kind == f->kind && !strcmp(want->name, f->name) &&
			    (f->kind != KFACTS_MEMBER || !strcmp(want->path, f->path)))
				found++;
	}
	assert_int_equal(found, s.facts.n - n);
	kt_vec_for_each (&wants.v, want)
		assert_true(want->optional);
	wants_deinit(&wants);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_enabled),           TEST(test_each_state),     TEST(test_disabled),
		TEST(test_up_to_6_15),        TEST(test_name_elsewhere), TEST(test_longest_name),
		TEST(test_odd_sizes),         TEST(test_unknown_states), TEST(test_wild_root),
		TEST(test_half_a_name),       TEST(test_not_mapped),     TEST(test_unknown_symbols),
		TEST(test_without_sched_ext), TEST(test_supported),      TEST(test_wants),
	};

	return cmocka_run_group_tests_name("scx", tests, NULL, NULL);
}
