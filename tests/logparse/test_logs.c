// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where logs begin and end in what people paste, and what is said around them. The inputs are
 * written from what loaders print: libbpf, cilium/ebpf, aya, bcc, bpftrace, tc.
 */
#include <errno.h>

#include "logparse/last.h"
#include "logparse/logs.h"
#include "tests/logparse/logs.h"

#define STATS                                                                                      \
	"processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "    \
	"mark_read 0\n"
#define STATS_OF(n) "processed " n " insns (limit 1000000) max_states_per_insn 0 total_states 0\n"
#define TRACE                                                                                      \
	"0: R1=ctx() R10=fp0\n"                                                                    \
	"; return *v; @ a.bpf.c:11\n"                                                              \
	"0: (b7) r0 = 0                        ; R0_w=0\n"                                         \
	"1: (61) r0 = *(u32 *)(r0 +0)\n"
#define ERROR "R0 invalid mem access 'scalar'\n"
#define BEGIN "-- BEGIN PROG LOAD LOG --\n"
#define END   "-- END PROG LOAD LOG --\n"

static struct kt_unwrapped *unwrapped;
static struct kt_logs logs;

static void find(const char *text)
{
	struct kt_text input = {text, strlen(text)};

	kt_logs_deinit(&logs);
	kt_unwrapped_destroy(unwrapped);
	unwrapped = NULL;
	assert_null(kt_unwrap(input, &unwrapped));
	if (unwrapped)
		input = kt_unwrapped_text(unwrapped);
	assert_null(kt_logs_find(input, unwrapped, &logs));
}

static int forget(void **state)
{
	(void)state;
	kt_logs_deinit(&logs);
	kt_unwrapped_destroy(unwrapped);
	unwrapped = NULL;
	return 0;
}

static void assert_text(struct kt_text got, const char *want)
{
	if (got.len != strlen(want) || (got.len && memcmp(got.data, want, got.len)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)got.len, got.data, want);
}

static void assert_only(const char *text, const char *trace)
{
	find(text);
	assert_int_equal(logs.v.len, 1);
	assert_text(logs.v.data[0].trace, trace);
}

static void test_ends_at_processed(void **state)
{
	static const char *const behind[] = {
		"\nstack backtrace:\n   0: app::frame_0::call\n   1: app::frame_1::call\n",
		"\nCaused by:\n    0: failed to load\n    1: Permission denied (os error 13)\n",
		"  1: x\n",
		"; exit\n",
		"goroutine 1 [running]:\nmain.main()\n\t/src/main.go:12 +0x1d\n",
		"END\n",
		"",
	};
	struct kt_buf text = KT_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
		text.len = 0;
		kt_buf_printf(&text, "%s%s%s", "loading\n" TRACE ERROR, STATS, behind[i]);
		assert_only(text.data, TRACE ERROR STATS);
		assert_true(logs.v.data[0].complete);
	}
	kt_buf_deinit(&text);
}

/* Without "processed ..." the error is the last line of a log. */
static void test_ends_at_error(void **state)
{
	(void)state;
	assert_only(TRACE ERROR "\nCaused by:\n    0: x\n    1: y\n", TRACE ERROR);
	assert_only(TRACE ERROR "Error: failed to load object\n", TRACE ERROR);
	assert_only(TRACE "Error: Prog section 'a' rejected: Permission denied (13)!\n", TRACE);
	assert_only(TRACE "[truncated]\n", TRACE);
	assert_only(TRACE "an error that nobody knows yet\nError: failed to load object\n",
		    TRACE "an error that nobody knows yet\n");
	assert_false(logs.v.data[0].complete);
}

static void test_begins(void **state)
{
	(void)state;
	assert_only("    0: load program p\n" TRACE ERROR STATS, TRACE ERROR STATS);
	assert_only("reg type unsupported for arg#0 function f#5\n" TRACE ERROR STATS,
		    "reg type unsupported for arg#0 function f#5\n" TRACE ERROR STATS);
	assert_only("$ ./prog\n; int f(void *ctx) @ a.bpf.c:9\n" TRACE ERROR STATS,
		    "; int f(void *ctx) @ a.bpf.c:9\n" TRACE ERROR STATS);
	assert_only("func#0 @0\nLive regs before insn:\n  0: .......... (b7) r0 = 0\n" TRACE ERROR,
		    "func#0 @0\nLive regs before insn:\n  0: .......... (b7) r0 = 0\n" TRACE ERROR);
}

/* A log without a trace has its error before the statistics. */
static void test_no_trace(void **state)
{
	(void)state;
	assert_only("$ sudo ./prog\nbpf: Failed to load program: Invalid argument\n"
		    "jump out of range from insn 38 to 148\n" STATS,
		    "jump out of range from insn 38 to 148\n" STATS);
	assert_int_equal(logs.v.data[0].loader.error, EINVAL);
	assert_only("bpf: Failed to load program: Invalid argument\n" STATS, STATS);
	assert_only("...\nR3 invalid mem access 'scalar'\n" STATS,
		    "R3 invalid mem access 'scalar'\n" STATS);
	assert_only("\n\nnobody knows this error\n" STATS, "nobody knows this error\n" STATS);
	/* Level 4, which has no trace. */
	assert_only("; while (s != 7) { @ a.bpf.c:21\ninfinite loop detected at insn 36\n"
		    "cur state: R1=ctx() R10=fp0\nold state: R1=ctx() R10=fp0\n"
		    "verification time 3166 usec\nstack depth max 0\n" STATS,
		    "; while (s != 7) { @ a.bpf.c:21\ninfinite loop detected at insn 36\n"
		    "cur state: R1=ctx() R10=fp0\nold state: R1=ctx() R10=fp0\n"
		    "verification time 3166 usec\nstack depth max 0\n" STATS);
}

static void test_two(void **state)
{
	(void)state;
	find(TRACE ERROR STATS "\nagain\n" TRACE "R9 !read_ok\n" STATS);
	assert_int_equal(logs.v.len, 2);
	assert_text(logs.v.data[0].trace, TRACE ERROR STATS);
	assert_text(logs.v.data[1].trace, TRACE "R9 !read_ok\n" STATS);
	/* Neither has statistics. */
	find(TRACE ERROR "ERROR: loading BPF program (errno 13):\n" TRACE "R9 !read_ok\n");
	assert_int_equal(logs.v.len, 2);
	assert_text(logs.v.data[0].trace, TRACE ERROR);
	assert_text(logs.v.data[1].trace, TRACE "R9 !read_ok\n");
	/* A log behind libbpf's markers. */
	find("libbpf: prog 'p': " BEGIN TRACE ERROR STATS END "and\n" TRACE "R9 !read_ok\n" STATS);
	assert_int_equal(logs.v.len, 2);
	assert_true(logs.v.data[0].marked);
	assert_false(logs.v.data[1].marked);
}

static void test_twice(void **state)
{
	(void)state;
	assert_only(TRACE ERROR "ERROR: loading BPF program (errno 13):\n" TRACE ERROR,
		    TRACE ERROR);
	assert_only(TRACE ERROR STATS "Caused by:\n" TRACE ERROR STATS, TRACE ERROR STATS);
}

/* Two snippets of one log, or of two. */
static void test_snippets(void **state)
{
	static const char second[] = "512: (79) r7 = *(u64 *)(r1 +8)\nR9 !read_ok\n";

	(void)state;
	find(TRACE "R9 !read_ok\nand then\n\n512: (79) r7 = *(u64 *)(r1 +8)\nR9 !read_ok\n");
	assert_int_equal(logs.v.len, 2);
	assert_text(logs.v.data[0].trace, TRACE "R9 !read_ok\n");
	assert_text(logs.v.data[1].trace, second);
	/* Since 6.16 an error on a speculative path is none, and the verifier goes on. */
	assert_only(TRACE "R9 !read_ok\nfrom 1 to 3: R0=1 R10=fp0\n3: (95) exit\n" STATS,
		    TRACE "R9 !read_ok\nfrom 1 to 3: R0=1 R10=fp0\n3: (95) exit\n" STATS);
}

static void test_names(void **state)
{
	static const char *const texts[] = {
		"libbpf: prog 'p:1': failed to load: -13\n" TRACE ERROR,
		TRACE ERROR STATS "libbpf: failed to load program 'p:1'\n",
		"Prog section 'p:1' rejected: Permission denied (13)!\n" TRACE ERROR STATS,
		"Error loading program: p:1\n" TRACE ERROR STATS,
		"ERROR: Error loading BPF program for p:1.\nKernel error log:\n" TRACE ERROR STATS,
		TRACE ERROR STATS
		"Exception: Failed to load BPF program b'p:1': Permission denied\n",
		("field P: program p:1: load program: permission denied:\n\t0: R1=ctx() R10=fp0\n"
		 "\t0: (61) r0 = *(u32 *)(r0 +0)\n\tR0 !read_ok\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		find(texts[i]);
		assert_int_equal(logs.v.len, 1);
		assert_text(logs.v.data[0].program, "p:1");
	}
}

/* A global function comes before the program, and the program before another: one log. */
static void test_functions(void **state)
{
	static const char log[] =
		"Validating f() func#1...\n12: R1=scalar() R10=fp0\n12: (b7) r0 = 0\n13: (95) exit\n"
		"Func#1 is safe for any args that match its prototype\n" TRACE ERROR STATS;

	(void)state;
	assert_only(log, log);
}

static void test_one_line(void **state)
{
	struct kt_log_last last;

	(void)state;
	find("2024/01/01 00:00:00 loading objects: field P: program p: load program: permission "
	     "denied: 7: (61) r0 = *(u32 *)(r0 +0): R0 invalid mem access 'scalar' "
	     "(12 line(s) omitted)\n");
	assert_int_equal(logs.v.len, 1);
	assert_text(logs.v.data[0].program, "p");
	assert_int_equal(logs.v.data[0].loader.left_out, 12);
	assert_int_equal(logs.v.data[0].loader.error, EACCES);
	assert_null(kt_log_find_last_of(&logs.v.data[0], &last));
	assert_int_equal(last.outcome, KT_LAST_FAILED);
	assert_int_equal(last.at.index, 7);
	assert_text(last.at.insn, "(61) r0 = *(u32 *)(r0 +0)");
	assert_text(last.headline, "R0 invalid mem access 'scalar'");
	/* The error is behind a call, and nothing was left out. */
	find("load program: invalid argument: 8: (85) call bpf_foo#12: R1 !read_ok\n");
	assert_null(kt_log_find_last_of(&logs.v.data[0], &last));
	assert_text(last.at.insn, "(85) call bpf_foo#12");
	assert_text(last.headline, "R1 !read_ok");
}

static const struct said {
	const char *text;
	enum kt_last_outcome outcome;
	int error;
	const char *headline;
} said[] = {
	/* The verifier has nothing against it. */
	{"libbpf: prog 'p': BPF program load failed: Argument list too long\n"
	 "libbpf: prog 'p': " BEGIN STATS END "libbpf: prog 'p': failed to load: -7\n",
	 KT_LAST_FAILED, E2BIG, ""},
	{"libbpf: prog 'p': " BEGIN STATS END "libbpf: prog 'p': failed to load: -524\n",
	 KT_LAST_FAILED, KT_ERRNO_NOTSUPP, ""},
	{"libbpf: prog 'p': BPF program load failed: -EINVAL\nlibbpf: prog 'p': " BEGIN TRACE END,
	 KT_LAST_FAILED, EINVAL, ""},
	{"libbpf: prog 'p': " BEGIN STATS END "loaded\n", KT_LAST_PASSED, 0, ""},
	{"libbpf: prog 'p': " BEGIN STATS END "libbpf: prog 'q': failed to load: -22\n",
	 KT_LAST_PASSED, 0, ""},
	/* Nothing but an error is between the markers. */
	{"libbpf: load bpf program failed: Invalid argument\nlibbpf: -- BEGIN DUMP LOG ---\n"
	 "libbpf: \nback-edge from insn 71 to 9\n\nlibbpf: -- END LOG --\n",
	 KT_LAST_FAILED, EINVAL, "back-edge from insn 71 to 9"},
	{"libbpf: prog 'p': " BEGIN "nobody knows this error\n" END, KT_LAST_FAILED, 0,
	 "nobody knows this error"},
	{"libbpf: prog 'p': " BEGIN END, KT_LAST_EMPTY, 0, ""},
	/* A log that does not fit is cut, which is why it failed. */
	{"libbpf: prog 'p': BPF program load failed: No space left on device\n"
	 "libbpf: prog 'p': " BEGIN TRACE END,
	 KT_LAST_CUT, ENOSPC, ""},
	{"libbpf: Error loading BTF: Invalid argument(22)\nlibbpf: -- BEGIN BTF LOAD LOG ---\n"
	 "magic: 0xeb9f\nversion: 1\n[1] INT int size=4\n[2] FUNC f type_id=9 Invalid type_id\n"
	 "-- END BTF LOAD LOG --\n",
	 KT_LAST_FAILED, EINVAL, "[2] FUNC f type_id=9 Invalid type_id"},
	/* aya, anyhow; tc; bpftrace; bcc */
	{"Error: the BPF_PROG_LOAD syscall failed. Verifier output: " TRACE ERROR STATS
	 "\nCaused by:\n    Permission denied (os error 13)\n",
	 KT_LAST_FAILED, EACCES, "R0 invalid mem access 'scalar'"},
	{"Prog section 'cls' rejected: Permission denied (13)!\n - Type: 3\n\n"
	 "Verifier analysis:\n\n" TRACE ERROR STATS,
	 KT_LAST_FAILED, EACCES, "R0 invalid mem access 'scalar'"},
	{"ERROR: Error loading BPF program (errno 13): \n" TRACE ERROR, KT_LAST_FAILED, EACCES,
	 "R0 invalid mem access 'scalar'"},
	{"libbpf: Error loading BTF: Invalid argument(22)\nlibbpf: -- BEGIN BTF LOAD LOG ---\n"
	 "magic: 0xeb9f\nversion: 1\nbtf_total_size: 12\n-- END BTF LOAD LOG --\n",
	 KT_LAST_FAILED, EINVAL, ""},
	{"load BTF: invalid argument: magic: 0xeb9f\nversion: 1\n<snip>\n"
	 "[52] STRUCT s size=7744 vlen=218\n\tm type_id=109 bits_offset=7744 Invalid member\n\n"
	 "goroutine 1 [running]:\n",
	 KT_LAST_FAILED, EINVAL, "m type_id=109 bits_offset=7744 Invalid member"},
	/* Nothing is said, but the count tells. */
	{STATS_OF("1000001"), KT_LAST_FAILED, 0, ""},
	{STATS_OF("0"), KT_LAST_FAILED, 0, ""},
	{STATS_OF("1"), KT_LAST_PASSED, 0, ""},
	{"-28: Kernel error log:\n" STATS "ERROR: Error loading BPF program for x. (errno 28)\n",
	 KT_LAST_FAILED, ENOSPC, ""},
	/* A loader's quote, and then the log as far as it goes. */
	{"program p: load program: permission denied: 9: (61) r0 = *(u32 *)(r1 +0): R1 invalid mem "
	 "access 'scalar' (646 line(s) omitted)\nVerifier error tail:\n" TRACE,
	 KT_LAST_FAILED, EACCES, "R1 invalid mem access 'scalar'"},
	{"program p: load program: permission denied: nobody knows this error\n", KT_LAST_FAILED,
	 EACCES, "nobody knows this error"},
	{"Error: the BPF_PROG_LOAD syscall failed. Verifier output: last insn is not an exit or jmp\n"
	 "verification time 9 usec\nstack depth 0+0\n" STATS_OF(
		 "0") "\n\nCaused by:\n    Invalid argument (os error 22)\n",
	 KT_LAST_FAILED, EINVAL, "last insn is not an exit or jmp"},
	/* The block has no END, and prose is behind it. */
	{"libbpf: prog 'p': " BEGIN "nobody knows this error\n\nSigned-off-by: X\n---\n",
	 KT_LAST_FAILED, 0, "nobody knows this error"},
	{"libbpf: prog 'p': " BEGIN TRACE ERROR "\nWhat can I do about it?\n", KT_LAST_FAILED, 0,
	 "R0 invalid mem access 'scalar'"},
	/* Cut within a line, by whoever passed it on. */
	{TRACE "2: (\n", KT_LAST_CUT, 0, ""},
	{TRACE "147\n", KT_LAST_CUT, 0, ""},
	{TRACE "level=warning msg=\"; i\n", KT_LAST_CUT, 0, ""},
	{TRACE "0xffffffff)) R7_w=inv2097152\n", KT_LAST_CUT, 0, ""},
	{TRACE "M\303\244r 21 11:01:44 host systemd[1]: started\n", KT_LAST_CUT, 0, ""},
	{TRACE "(...)\n", KT_LAST_CUT, 0, ""},
	/* A line of another program in between. */
	{TRACE "Error: could not load program\n" ERROR STATS, KT_LAST_FAILED, 0,
	 "R0 invalid mem access 'scalar'"},
};

static void test_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct kt_log_outcome outcome;
		struct kt_log_last last;

		find(said[i].text);
		if (logs.v.len != 1)
			fail_msg("%zu logs in: %s", logs.v.len, said[i].text);
		assert_null(kt_log_find_last_of(&logs.v.data[0], &last));
		kt_log_find_outcome_of(&logs.v.data[0], &outcome);
		if (last.outcome != said[i].outcome || outcome.outcome != said[i].outcome)
			fail_msg("outcome %d: %s", (int)last.outcome, said[i].text);
		if (last.loader.error != said[i].error)
			fail_msg("errno %d: %s", last.loader.error, said[i].text);
		assert_text(last.headline, said[i].headline);
		assert_text(outcome.headline, said[i].headline);
	}
}

/* Words of loaders, and of other programs, that say nothing of a log's program. */
static const char *const harmless[] = {
	"errors=0 loaded=3",
	"0 errors, 3 programs loaded",
	"loaded 3 programs: errors: none, failed=0",
	"program loaded, err=<nil>",
	"failed to load: 0",
	"Summary: 1/0 PASSED, 0 SKIPPED, 0 FAILED (loader)",
	"verifier: PASSED 12 FAILED 0",
	"Load succeeded without errors",
	"verifier done, no errors",
	"load average: 0.03 0.01 0.00, 2 failed units",
	"load balancer: permission denied for 10.0.0.1",
	"#12 verifier_error_load:OK",
	"loading error_handler.o",
	"error_handler loaded",
	"attached 'reject_icmp' (loaded)",
	"program loaded, cannot find symbol foo",
	"modprobe: can't load module foo: No such file or directory",
	"could not load config file /etc/x.toml: No such file or directory",
	"systemd[1]: Failed to load configuration of foo.service",
	"libbpf: Error loading .BTF into kernel: -22. BTF is optional, ignoring.",
	"libbpf: failed to load vmlinux BTF",
};

static const char *const harmful[] = {
	"libbpf: prog 'p': BPF program load failed: -524",
	"libbpf: prog 'p': failed to load: -524",
	"libbpf: failed to load object 'x.bpf.o'",
	"libbpf: failed to load BPF skeleton 'x_bpf': -13",
	"Error: failed to load object file",
	"load program: permission denied",
	"program p: load program: no space left on device",
	"Error: the BPF_PROG_LOAD syscall failed",
	"bpf: Failed to load program: Unknown error 524",
	"Prog section 'p' rejected: Permission denied (13)!",
	"ERROR: Error loading BPF program for p. (errno 13)",
	"Error loading probes: LoadError(\"p\", BPF)",
	"the program could not be loaded: EINVAL",
	"failed to load BPF object: -22, 0 retries left",
	"0: failed to load",
	"load failed: 12 errors",
	"kernel rejected BPF_PROG_REJIT: Device or resource busy",
};

/* A log that passes, with a line before or behind it: does that say that the load failed? */
static void assert_said(const char *line, bool failed)
{
	static const char log[] = "libbpf: prog 'p': " BEGIN "0: (95) exit\n" STATS END;
	struct kt_log_outcome outcome;
	char text[1024];

	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "%s%s%s%s%s", i % 2 ? "" : line, i % 2 ? "" : "\n",
			 i < 2 ? log : "0: (95) exit\n" STATS, i % 2 ? line : "",
			 i % 2 ? "\n" : "");
		find(text);
		assert_int_equal(logs.v.len, 1);
		kt_log_find_outcome_of(&logs.v.data[0], &outcome);
		if (outcome.outcome != (failed ? KT_LAST_FAILED : KT_LAST_PASSED))
			fail_msg("outcome %d: %s", (int)outcome.outcome, text);
	}
}

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		assert_said(harmless[i], false);
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++)
		assert_said(harmful[i], true);
}

/* libbpf 1.x: p was loaded, q was not, and so the whole object was not. */
static void test_other_program(void **state)
{
	static const char q[] = "libbpf: prog 'q': BPF program load failed: Invalid argument\n"
				"libbpf: prog 'q': failed to load: -22\n"
				"libbpf: failed to load object 'x.bpf.o'\n";
	struct kt_log_outcome outcome;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "libbpf: prog 'p': %s0: (95) exit\n%s%s%s", BEGIN, STATS, END,
		 q);
	find(text);
	assert_int_equal(logs.v.len, 1);
	kt_log_find_outcome_of(&logs.v.data[0], &outcome);
	assert_int_equal(outcome.outcome, KT_LAST_PASSED);
	assert_text(logs.v.data[0].loader.said, "");
}

/* What is said of a BTF is of the BTF's log, and not of the program's behind it. */
static void test_btf_is_optional(void **state)
{
	static const char text[] = "libbpf: BTF loading error: -22\n"
				   "magic: 0xeb9f\n"
				   "[2] FUNC f type_id=9 Invalid type_id\n"
				   "libbpf: Error loading .BTF into kernel: -22. BTF is optional, "
				   "ignoring.\n"
				   "libbpf: prog 'p': " BEGIN "0: (95) exit\n" STATS END;
	struct kt_log_outcome outcome;

	(void)state;
	find(text);
	assert_int_equal(logs.v.len, 2);
	assert_text(logs.v.data[0].loader.said, "libbpf: BTF loading error: -22");
	kt_log_find_outcome_of(&logs.v.data[1], &outcome);
	assert_int_equal(outcome.outcome, KT_LAST_PASSED);
}

static void test_none(void **state)
{
	static const char *const texts[] = {
		"",         "\n",
		"hello\n",  "1: x\n2: y\n",
		"; exit\n", "stack backtrace:\n   0: a::b\n   1: c::d\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		find(texts[i]);
		if (logs.v.len)
			fail_msg("a log in: %s", texts[i]);
	}
}

/* No log, but a loader that says what became of the load. */
static void test_no_log(void **state)
{
	static const char failed[] =
		"libbpf: prog 'p': BPF program load failed: Operation not permitted\n"
		"libbpf: prog 'p': failed to load: -1\n";
	struct kt_log_block none;
	struct kt_log_last last;

	(void)state;
	find(failed);
	assert_int_equal(logs.v.len, 0);
	none = kt_logs_none((struct kt_text){failed, sizeof(failed) - 1});
	assert_text(none.program, "p");
	assert_null(kt_log_find_last_of(&none, &last));
	assert_int_equal(last.outcome, KT_LAST_FAILED);
	assert_int_equal(last.class, KT_LAST_UNSAID);
	assert_int_equal(last.loader.error, EPERM);
	none = kt_logs_none(KT_TEXT("hello\n"));
	assert_null(kt_log_find_last_of(&none, &last));
	assert_int_equal(last.outcome, KT_LAST_EMPTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_at_processed),
		cmocka_unit_test(test_ends_at_error),
		cmocka_unit_test(test_begins),
		cmocka_unit_test(test_no_trace),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_snippets),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_other_program),
		cmocka_unit_test(test_btf_is_optional),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_no_log),
	};

	return cmocka_run_group_tests_name("logparse/logs", tests, NULL, forget);
}
