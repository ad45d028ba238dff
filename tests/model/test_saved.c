// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <string.h>

#include "model/saved.h"
#include "tests/render/list.h"
#include "util/buf.h"

static struct kt_saved saved;
static struct kt_saved direct; /* the same, made without a document */

static int release(void **state)
{
	(void)state;
	kt_saved_deinit(&saved);
	kt_saved_deinit(&direct);
	return 0;
}

static void read_text(const char *text)
{
	struct kt_error *err;

	kt_saved_deinit(&saved);
	err = kt_saved_read((struct kt_text){text, strlen(text)}, "a.json", &saved);
	if (err)
		fail_msg("%s", kt_error_message(err));
}

static void refused_bytes(const char *text, size_t len, const char *words)
{
	struct kt_saved untouched = {.passed = true};
	struct kt_error *err = kt_saved_read((struct kt_text){text, len}, "a.json", &untouched);

	if (!err)
		fail_msg("taken: %.*s", (int)len, text);
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	assert_memory_equal(kt_error_message(err), "a.json ", 7);
	if (!strstr(kt_error_message(err), words))
		fail_msg("no \"%s\" in: %s", words, kt_error_message(err));
	assert_true(untouched.passed && !untouched.programs.all);
	kt_error_destroy(err);
}

static void refused(const char *text, const char *words)
{
	refused_bytes(text, strlen(text), words);
}

#define DOCUMENT(rest) "{\"schema\": \"ktstr-gdb.programs.v1\", " rest "}"
#define PROGRAM(rest)  DOCUMENT("\"programs\": [{\"name\": \"ok\"}, {" rest "}]")
#define FAILURE(rest)  DOCUMENT("\"programs\": [], \"failed\": [{" rest "}]")

static void check_program(size_t i, const char *name, const char *type, const char *tag,
			  int64_t insns, bool failed)
{
	const struct kt_prog_stats *p = &saved.programs.all[i];

	assert_true(i < saved.programs.n);
	assert_string_equal(p->name, name);
	assert_true(!type == !p->type && !tag == !p->tag);
	if (type)
		assert_string_equal(p->type, type);
	if (tag)
		assert_string_equal(p->tag, tag);
	assert_int_equal(p->verified_insns.known, insns >= 0);
	if (insns >= 0)
		assert_int_equal(p->verified_insns.value, insns);
	assert_int_equal(p->failed, failed);
}

static void assert_same_string(const char *a, const char *b)
{
	assert_true(!a == !b);
	if (a)
		assert_string_equal(a, b);
}

static void check_direct(void)
{
	assert_same_string(direct.kernel, saved.kernel);
	assert_same_string(direct.verdict, saved.verdict);
	assert_int_equal(direct.passed_known, saved.passed_known);
	assert_int_equal(direct.passed, saved.passed);
	assert_int_equal(direct.programs.n, saved.programs.n);
	for (size_t i = 0; i < direct.programs.n; i++) {
		const struct kt_prog_stats *p = &direct.programs.all[i];

		check_program(i, p->name, p->type, p->tag,
			      p->verified_insns.known ? (int64_t)p->verified_insns.value : -1,
			      p->failed);
	}
}

static void make_direct(const struct render_guest *guest, const struct programs *programs)
{
	kt_saved_deinit(&direct);
	direct.kernel = copy(guest->release);
	assert_null(kt_prog_stats_add_loaded(&direct.programs, programs));
	for (size_t i = 0; guest->trials && i < guest->trials->v.len; i++) {
		const struct kt_trial *trial = &guest->trials->v.data[i];

		assert_null(kt_saved_add_trial(&direct, trial));
	}
	if (guest->run)
		assert_null(kt_saved_set_run(&direct, guest->scheduler, guest->run));
}

#define BLOCK(name, n)                                                                             \
	"libbpf: prog '" name "': -- BEGIN PROG LOAD LOG --\n0: R1=ctx()\nbad\nprocessed " n       \
	" insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n"  \
	"-- END PROG LOAD LOG --\n"

/* The document that the tool itself makes; the caller frees it. */
static char *make_document(void)
{
	static const struct {
		const char *object, *section, *name;
		int errnum;
		const char *log;
	} failures[] = {
		{"x.bpf.o", "xdp", "bad", 22,
		 "libbpf: hello\n" BLOCK("bad", "5") BLOCK("bad", "7")},
		{"x.bpf.o", "xdp", "silent", 7, ""},
		{"y.bpf.o", "", "", 2, "no such file"},
		{"z.bpf.o", "lsm", "no_stats", 13,
		 BLOCK("no_stats",
		       "3") "-- BEGIN PROG LOAD LOG --\nbad\n-- END PROG LOAD LOG --\n"},
	};
	struct kt_trials trials = {0};
	const struct render_guest guest = {
		.release = "6.12.107+deb13-amd64",
		.arch = "x86_64",
		.trials = &trials,
	};
	struct programs programs = {0};
	char *text;

	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		const struct kt_trial trial = {
			.object = (char *)(uintptr_t)failures[i].object,
			.section = (char *)(uintptr_t)failures[i].section,
			.name = (char *)(uintptr_t)failures[i].name,
			.errnum = failures[i].errnum,
			.log = (char *)(uintptr_t)failures[i].log,
		};

		assert_null(kt_trials_add(&trials, &trial));
	}

	put(&programs, full(7, "xdp", "short", NULL, 1396));
	put(&programs, full(8, "tracing", "a_name_that_is_", "a_name_that_is_long", 12));
	put(&programs, blank(9));
	assert_null(render_programs_json(&programs, &guest, &text));
	make_direct(&guest, &programs);
	programs_deinit(&programs);
	kt_trials_deinit(&trials);
	return text;
}

static void test_own_document(void **state)
{
	static const char tag[] = "0123456789abcdef";
	char *text = make_document();

	(void)state;
	read_text(text);
	assert_string_equal(saved.kernel, "6.12.107+deb13-amd64");
	assert_null(saved.scheduler);
	assert_null(saved.verdict);
	assert_false(saved.passed_known);
	assert_int_equal(saved.programs.n, 7);
	check_program(0, "short", "xdp", tag, 1396, false);
	check_program(1, "a_name_that_is_long", "tracing", tag, 12, false);
	check_program(2, "", NULL, "", -1, false);
	check_program(3, "bad", NULL, NULL, 7, true); /* of the last try */
	check_program(4, "silent", NULL, NULL, -1, true);
	check_program(5, "y.bpf.o", NULL, NULL, -1, true);
	check_program(6, "no_stats", NULL, NULL, -1, true); /* not what a try before it said */
	check_direct();
	free(text);
}

/* Of a loader of the user's: a program that nobody named cannot be compared, the others are. */
static void test_rejected_of_a_loader(void **state)
{
	struct kt_trial rejected[] = {{.object = copy(""), .name = copy("p"), .log = copy("")},
				      {.object = copy(""), .name = copy(""), .log = copy("")}};
	struct kt_trials trials = {.v = {rejected, 2, 2}};
	const struct render_payload payload = {.output = "", .rejected = &trials};
	const struct render_guest guest = {.release = "6", .payload = &payload};
	const struct programs none = {0};
	char *text;

	(void)state;
	rejected[0].number[KT_TRIAL_INSNS] = (struct program_number){true, 8};
	assert_null(render_programs_json(&none, &guest, &text));
	make_direct(&guest, &none);
	for (size_t i = 0; i < 2; i++) {
		assert_null(kt_saved_add_trial(&direct, &rejected[i]));
		free(rejected[i].object);
		free(rejected[i].name);
		free(rejected[i].log);
	}
	read_text(text);
	assert_int_equal(saved.programs.n, 1);
	check_program(0, "p", NULL, NULL, 8, true);
	check_direct();
	free(text);
}

/* What a person sees of a run, and what a script does. */
static char *run_document(const struct kt_verifier_vm_result *run)
{
	const struct render_guest guest = {
		.release = "6.12.107+deb13-amd64",
		.arch = "x86_64",
		.scheduler = "scx_\xff",
		.run = run,
	};
	struct programs programs = {0};
	char *text;

	put(&programs, full(7, "struct_ops", "enqueue", NULL, 1396));
	put(&programs, full(8, "struct_ops", "a_name_that_is_", "a_name_that_is_long", 12));
	assert_null(render_programs_json(&programs, &guest, &text));
	make_direct(&guest, &programs);
	programs_deinit(&programs);
	return text;
}

/* Strings that are borrowed: it is not given up. */
static struct kt_verifier_vm_result passing_run(void)
{
	return (struct kt_verifier_vm_result){
		.attached = true,
		.ops = (char *)(uintptr_t) "simple",
		.dispatched = true,
		.workload = (char *)(uintptr_t) "8 of 8 tasks ran",
		.exited = true,
		.end_reported = true,
		.sysfs = {.known = true, .state = "enabled", .ops = "simple"},
		.memory = {.known = true, .state = "enabled", .ops = "simple"},
		.scheduler_log = (char *)(uintptr_t) "",
	};
}

static void check_loaded(void)
{
	static const char tag[] = "0123456789abcdef";

	assert_string_equal(saved.kernel, "6.12.107+deb13-amd64");
	assert_string_equal(saved.scheduler, "scx_\xef\xbf\xbd");
	check_program(0, "enqueue", "struct_ops", tag, 1396, false);
	check_program(1, "a_name_that_is_long", "struct_ops", tag, 12, false);
}

static void test_own_run(void **state)
{
	struct kt_verifier_vm_result run = passing_run();
	char *text = run_document(&run);

	(void)state;
	read_text(text);
	check_loaded();
	assert_int_equal(saved.programs.n, 2);
	assert_string_equal(saved.verdict, "pass");
	assert_true(saved.passed_known && saved.passed);
	check_direct();
	assert_string_equal(direct.scheduler, "scx_\xff");
	free(text);
}

/* Each verdict, with the programs that failed behind those that did not. */
static void test_own_run_failed(void **state)
{
	static const char log[] = "words\n" BLOCK("bad", "5") BLOCK("bad", "7") BLOCK("other", "x");
	struct kt_buf sentence = KT_BUF_INIT;

	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct kt_verifier_vm_result run = passing_run();
		char *text;

		run.timed_out = bits & 1;
		run.died = bits & 2;
		run.attached = bits & 4;
		run.dispatched = bits & 8;
		run.exited_early = bits & 16;
		run.end_reported = bits & 32;
		assert_null(kt_failed_from_log(KT_TEXT(log), &run.stats));
		text = run_document(&run);
		read_text(text);
		check_loaded();
		assert_int_equal(saved.programs.n, 4);
		check_program(2, "bad", NULL, NULL, 7, true);
		check_program(3, "other", NULL, NULL, -1, true);
		kt_verdict_text(&run, &sentence);
		assert_string_equal(saved.verdict, sentence.data);
		assert_true(saved.passed_known);
		assert_int_equal(saved.passed, kt_verdict(&run) == KT_VERDICT_PASS);
		check_direct();
		kt_prog_stats_deinit(&run.stats);
		kt_buf_deinit(&sentence);
		sentence = (struct kt_buf)KT_BUF_INIT;
		free(text);
	}
}

/* Wherever it was cut off: an error that names it, and nothing read. */
static void test_truncated(void **state)
{
	char *text = make_document();
	size_t end = (size_t)(strrchr(text, '}') - text);

	(void)state;
	refused_bytes(text, 0, "is empty");
	for (size_t len = 1; len <= end; len++) {
		/* A buffer of its own, so that a byte too far is noticed. */
		char *part = malloc(len);

		assert_non_null(part);
		memcpy(part, text, len);
		refused_bytes(part, len, "is not JSON, or not whole: line ");
		free(part);
	}
	free(text);
}

/* Any byte made another one: an error that names it, or something that was read. */
static void test_damaged(void **state)
{
	static const char bytes[] = "\0\"{}[],:0-n\x80\xff \\";
	char *text = make_document();
	size_t len = strlen(text);

	(void)state;
	for (size_t i = 0; i < len; i++)
		for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
			struct kt_text slice = {text, len};
			char before = text[i];
			struct kt_error *err;

			text[i] = bytes[b];
			err = kt_saved_read(slice, "a.json", &saved);
			if (err)
				assert_memory_equal(kt_error_message(err), "a.json ", 7);
			kt_error_destroy(err);
			kt_saved_deinit(&saved);
			text[i] = before;
		}
	free(text);
}

static void test_no_result(void **state)
{
	(void)state;
	refused("hello", "is not JSON, or not whole: line 1, column 5");
	refused("null", "is not JSON");
	refused("[]", "is not a result of ktstr-gdb: no \"schema\"");
	refused("{}", "is not a result of ktstr-gdb: no \"schema\"");
	refused("{\"schema\": 5}", "no \"schema\"");
	refused("{\"schema\": \"ktstr-gdb.log.v1\", \"programs\": []}",
		"is a \"ktstr-gdb.log.v1\"; what can be compared is a \"ktstr-gdb.programs.v1\"");
	refused(DOCUMENT("\"kernel\": {}"), "is damaged: it has no \"programs\"");
	refused(DOCUMENT("\"programs\": []") "x", "is not JSON");
	refused_bytes("{\"schema\0\": 1}", 14, "is not JSON");
	refused(DOCUMENT("\"programs\": [], \"a\": \"\\u0000\""), "is not JSON");
	refused(DOCUMENT("\"programs\": [], \"a\": \"\xff\""), "is not JSON");
}

static void test_wrong_types(void **state)
{
	(void)state;
	refused(DOCUMENT("\"programs\": {}"), "\"programs\" is an object, not a list");
	refused(DOCUMENT("\"programs\": null"), "\"programs\" is null, not a list");
	refused(DOCUMENT("\"programs\": [5]"), "programs[0]: it is a number, not an object");
	refused(DOCUMENT("\"programs\": [null]"), "programs[0]: it is null");
	refused(DOCUMENT("\"programs\": [[]]"), "programs[0]: it is a list");
	refused(DOCUMENT("\"programs\": [], \"failed\": \"x\""), "\"failed\" is a string");
	refused(DOCUMENT("\"programs\": [], \"failed\": [true]"), "failed[0]: it is a boolean");
	refused(DOCUMENT("\"programs\": [], \"kernel\": 5"), "\"kernel\" is a number, not an");
	refused(DOCUMENT("\"programs\": [], \"kernel\": {\"release\": 6.12}"),
		"kernel: \"release\" is a fraction, not a string");
	refused(PROGRAM(""), "programs[1]: it has no \"name\"");
	refused(PROGRAM("\"name\": null"), "programs[1]: it has no \"name\"");
	refused(PROGRAM("\"name\": 5"), "programs[1]: \"name\" is a number, not a string");
	refused(PROGRAM("\"name\": 18446744073709551615"),
		"programs[1]: \"name\" is a number, not a string");
	refused(PROGRAM("\"name\": \"p\", \"full_name\": []"), "\"full_name\" is a list");
	refused(PROGRAM("\"name\": \"p\", \"type\": 6"), "\"type\" is a number");
	refused(PROGRAM("\"name\": \"p\", \"tag\": {}"), "\"tag\" is an object");
	refused(PROGRAM("\"name\": \"p\", \"verified_insns\": \"5\""),
		"programs[1]: \"verified_insns\" is a string, not a whole number");
	refused(PROGRAM("\"name\": \"p\", \"verified_insns\": 5.0"), "is a fraction");
	refused(PROGRAM("\"name\": \"p\", \"verified_insns\": true"), "is a boolean");
	refused(PROGRAM("\"name\": \"p\", \"verified_insns\": -1"), "is -1, which is no count");
	refused(PROGRAM("\"name\": \"p\", \"verified_insns\": 18446744073709551616"),
		"is not JSON, or not whole: line 1, column 117: too big integer");
	refused(PROGRAM("\"name\": \"p\", \"verified_insns\": 1e999"), "real number overflow");
	refused(FAILURE(""), "failed[0]: it has neither a \"name\" nor an \"object\"");
	refused(FAILURE("\"name\": \"\""), "failed[0]: it has neither");
	refused(FAILURE("\"name\": \"p\", \"log\": 5"), "failed[0]: \"log\" is a number");
	refused(FAILURE("\"name\": \"p\", \"verified_insns\": -5"),
		"failed[0]: \"verified_insns\"");
}

/* As deep as anyone likes. */
static void test_nested(void **state)
{
	static const char opens[] = "[{";

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t len = 1 << 20;
		char *text = malloc(len);

		assert_non_null(text);
		memset(text, '[', len);
		for (size_t at = 0; opens[i] == '{' && at + 5 <= len; at += 5)
			memcpy(text + at, "{\"a\":", 5);
		refused_bytes(text, len, "maximum parsing depth reached");
		free(text);
	}
}

static void test_huge(void **state)
{
	(void)state;
	/* Nothing of it is looked at. */
	refused_bytes("{", KT_SAVED_MAX + 1, "is larger than 256 MiB, which no result is");
}

static void test_optional(void **state)
{
	(void)state;
	read_text(DOCUMENT("\"programs\": [{\"name\": \"p\"}], \"failed\": null, \"kernel\": null, "
			   "\"more\": {\"to\": [\"come\"]}"));
	check_program(0, "p", NULL, NULL, -1, false);
	assert_null(saved.kernel);
	read_text(PROGRAM("\"name\": \"p\", \"verified_insns\": null"));
	check_program(1, "p", NULL, NULL, -1, false);
	read_text(PROGRAM("\"name\": \"p\", \"verified_insns\": 9223372036854775807"));
	check_program(1, "p", NULL, NULL, INT64_MAX, false);
	read_text(PROGRAM("\"name\": \"p\", \"run_time_ns\": 9223372036854775808, "
			  "\"verified_insns\": 18446744073709551615"));
	assert_true(saved.programs.all[1].verified_insns.value == UINT64_MAX);
	read_text(PROGRAM("\"full_name\": \"p\", \"verified_insns\": 0"));
	check_program(1, "p", NULL, NULL, 0, false);
	read_text(FAILURE("\"name\": \"p\", \"type\": \"xdp\", \"verified_insns\": 3, \"log\": "
			  "\"-- BEGIN PROG LOAD LOG --\\nprocessed 9 insns (limit 1)\\n\""));
	check_program(0, "p", "xdp", NULL, 3, true);
}

/* What a run came to is read where it is there, whatever it is. */
static void test_run(void **state)
{
	(void)state;
	read_text(DOCUMENT(
		"\"programs\": [], \"run\": {\"scheduler\": \"scx_a\", \"kernel\": \"7.0\", "
		"\"verdict\": \"timed out\", \"passed\": false}"));
	assert_string_equal(saved.scheduler, "scx_a");
	assert_string_equal(saved.kernel, "7.0");
	assert_string_equal(saved.verdict, "timed out");
	assert_true(saved.passed_known && !saved.passed);
	read_text(DOCUMENT("\"programs\": [], \"kernel\": {\"release\": \"6.12\"}, \"run\": "
			   "{\"kernel\": \"7.0\", \"passed\": true}"));
	assert_string_equal(saved.kernel, "6.12");
	assert_true(saved.passed_known && saved.passed);
	read_text(DOCUMENT("\"programs\": [], \"run\": {\"scheduler\": 5, \"kernel\": [], "
			   "\"verdict\": null, \"passed\": \"yes\"}"));
	assert_null(saved.scheduler);
	assert_null(saved.kernel);
	assert_null(saved.verdict);
	assert_false(saved.passed_known);
	read_text(DOCUMENT("\"programs\": [], \"run\": 5"));
	assert_false(saved.passed_known);
}

/* Many, in the time of a few. */
static void test_many(void **state)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)state;
	kt_buf_appends(&text, "{\"schema\": \"ktstr-gdb.programs.v1\", \"programs\": [");
	for (int i = 0; i < 100000; i++)
		kt_buf_printf(&text, "%s{\"name\": \"p%d\", \"verified_insns\": %d}", i ? "," : "",
			      i, i);
	kt_buf_appends(&text, "]}");
	read_text(text.data);
	assert_int_equal(saved.programs.n, 100000);
	check_program(99999, "p99999", NULL, NULL, 99999, false);
	kt_buf_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_own_document, release),
		cmocka_unit_test_teardown(test_rejected_of_a_loader, release),
		cmocka_unit_test_teardown(test_own_run, release),
		cmocka_unit_test_teardown(test_own_run_failed, release),
		cmocka_unit_test_teardown(test_truncated, release),
		cmocka_unit_test_teardown(test_damaged, release),
		cmocka_unit_test_teardown(test_no_result, release),
		cmocka_unit_test_teardown(test_wrong_types, release),
		cmocka_unit_test_teardown(test_nested, release),
		cmocka_unit_test_teardown(test_huge, release),
		cmocka_unit_test_teardown(test_optional, release),
		cmocka_unit_test_teardown(test_run, release),
		cmocka_unit_test_teardown(test_many, release),
	};

	return cmocka_run_group_tests_name("render/saved", tests, NULL, NULL);
}
