// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/cell_json.h"
#include "sweep/records.h"
#include "tests/render/cells.h"

static char dir[] = "/tmp/ktstr-cells-XXXXXX";

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

static int empty_dir(void **state)
{
	(void)state;
	run("rm -rf %s && mkdir %s", dir, dir);
	return 0;
}

static void put(const char *name, const char *text, size_t len)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

struct warnings {
	size_t n;
	char last[512];
};

static void warn(void *arg, const char *file, const struct kt_error *why)
{
	struct warnings *warnings = arg;

	warnings->n++;
	snprintf(warnings->last, sizeof(warnings->last), "%s: %s", file, kt_error_message(why));
}

static struct warnings warnings;

static struct kt_cell_records read_dir(void)
{
	struct kt_cell_records records;

	warnings = (struct warnings){0};
	assert_null(kt_read_cell_records(dir, warn, &warnings, &records));
	return records;
}

static void write_cell(const char *scheduler, const char *kernel, const char *topology, int how)
{
	struct cells cells = {0};

	add_stat(add_cell(&cells, scheduler, kernel, topology, how), "p", 7, false);
	assert_null(kt_write_cell_record(dir, &cells.v.data[0]));
	cells_free(&cells);
}

static void assert_stem(const char *scheduler, const char *kernel, const char *topology,
			const char *wanted)
{
	char *stem;

	assert_null(kt_cell_stem(scheduler, kernel, topology, &stem));
	assert_string_equal(stem, wanted);
	free(stem);
}

static void test_stem(void **state)
{
	(void)state;
	assert_stem("scx_simple", "6.12", "4cpu-1llc-nosmt",
		    "verifier~scx_simple~6.12~4cpu-1llc-nosmt");
	assert_stem("a~b", "debian:trixie", "..", "verifier~a%7Eb~debian%3Atrixie~..");
	assert_stem("%7E", "\n", "\xff", "verifier~%257E~%0A~%FF");
}

/* Names of bytes that a stem is made of: all different. */
static void test_stems_differ(void **state)
{
	static const char *const names[] = {"a",  "~", "%",  "%7E", "a~",
					    "~a", "-", "%-", "a%",  "%25"};
	const size_t n = sizeof(names) / sizeof(*names);
	char *stems[10 * 10 * 10 + 4], longer[3000];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < n * n * n; i++)
		assert_null(kt_cell_stem(names[i / n / n], names[i / n % n], names[i % n],
					 &stems[count++]));
	memset(longer, 'x', sizeof(longer));
	for (size_t i = 1; i <= 4; i++) {
		longer[sizeof(longer) - i] = '\0';
		assert_null(kt_cell_stem("s", "k", longer, &stems[count]));
		assert_int_equal(strlen(stems[count++]), KT_CELL_STEM_MAX);
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(stems[i], stems[j]);
	/* One that is short, and looks like one that was shortened. */
	free(stems[0]);
	assert_null(kt_cell_stem("s", "k", stems[count - 1], &stems[0]));
	assert_string_not_equal(stems[0], stems[count - 1]);
	while (count--)
		free(stems[count]);
}

static void test_write_and_read(void **state)
{
	struct kt_cell_records records;
	struct kt_cell_record record;
	struct kt_error *err;

	(void)state;
	write_cell("s", "6.9", "t", FAIL);
	write_cell("s", "6.16", "t", PASS);
	write_cell("s", "6.9", "t", PASS); /* a retry */
	records = read_dir();
	assert_int_equal(records.n, 2);
	assert_true(records.all[0].passed && records.all[1].passed);
	assert_int_equal(warnings.n, 0);
	kt_cell_records_deinit(&records);
	run("test $(ls -A %s | wc -l) = 2", dir); /* nothing temporary is left */
	run("test $(stat -c %%a %s/verifier~s~6.9~t.json) = 644", dir);

	assert_null(kt_read_cell_record(dir, "s", "6.16", "t", &record));
	assert_string_equal(record.kernel, "6.16");
	kt_cell_record_deinit(&record);
	err = kt_read_cell_record(dir, "s", "6.17", "t", &record);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
	run("cp %s/verifier~s~6.16~t.json %s/verifier~s~6.17~t.json", dir, dir);
	err = kt_read_cell_record(dir, "s", "6.17", "t", &record);
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	kt_error_destroy(err);
}

static void test_cannot_write(void **state)
{
	struct cells cells = {0};
	struct kt_error *err;

	(void)state;
	add_cell(&cells, "s", "k", "t", PASS);
	err = kt_write_cell_record("/nonexistent/dir", &cells.v.data[0]);
	assert_int_equal(kt_error_code(err), KT_ERROR_OS);
	assert_non_null(strstr(kt_error_message(err), "verifier/s/k/t to /nonexistent/dir"));
	kt_error_destroy(err);
	/* What is in the way stays, and nothing temporary does. */
	run("mkdir -p %s/verifier~s~k~t.json/x", dir);
	err = kt_write_cell_record(dir, &cells.v.data[0]);
	assert_int_equal(kt_error_code(err), KT_ERROR_OS);
	kt_error_destroy(err);
	run("test $(ls -A %s | wc -l) = 1", dir);
	cells_free(&cells);
}

static void test_no_directory(void **state)
{
	struct kt_cell_records records = {0};
	struct kt_error *err;

	(void)state;
	assert_null(kt_read_cell_records("/nonexistent", warn, &warnings, &records));
	assert_int_equal(records.n, 0);
	err = kt_read_cell_records("/etc/passwd", warn, &warnings, &records);
	assert_int_equal(kt_error_code(err), KT_ERROR_OS);
	kt_error_destroy(err);
}

/* What lies in such a directory, and is no record. */
static void test_what_is_skipped(void **state)
{
	struct kt_cell_records records;

	(void)state;
	write_cell("s", "k", "t", PASS);
	run("cd %s && cp verifier~s~k~t.json copy.txt && cp verifier~s~k~t.json .hidden.json && "
	    "mkdir sub && cp verifier~s~k~t.json sub/ && : > .json",
	    dir);
	records = read_dir();
	assert_int_equal(records.n, 1);
	assert_int_equal(warnings.n, 0);
	kt_cell_records_deinit(&records);

	run("cd %s && mkfifo pipe.json && ln -s copy.txt link.json && mkdir dir.json && "
	    "ln -s loop.json loop.json && : > empty.json && head -c 5000000 /dev/zero > huge.json",
	    dir);
	records = read_dir();
	assert_int_equal(records.n, 2); /* a link to a record is one */
	assert_int_equal(warnings.n, 5);
	kt_cell_records_deinit(&records);

	run("cd %s && rm -rf *.json", dir);
	put("bad.json", "{", 1);
	records = read_dir();
	assert_int_equal(records.n, 0);
	assert_string_equal(warnings.last,
			    "bad.json: not JSON, or not whole: line 1, column 1: string or '}' "
			    "expected near end of file");
	kt_cell_records_deinit(&records);
	assert_null(kt_read_cell_records(dir, NULL, NULL, &records));
	assert_int_equal(records.n, 0);
}

/* A record cut at every byte, as a file. */
static void test_half_written(void **state)
{
	struct kt_cell_records records;
	struct cells cells = {0};
	char *text;

	(void)state;
	add_stat(add_cell(&cells, "s", "k", "t", PASS), "p", 7, false);
	assert_null(kt_cell_record_encode(&cells.v.data[0], &text));
	for (size_t len = 0; len <= strlen(text); len++) {
		put("half.json", text, len);
		records = read_dir();
		assert_int_equal(records.n, len == strlen(text));
		assert_int_equal(warnings.n, len != strlen(text));
		kt_cell_records_deinit(&records);
	}
	free(text);
	cells_free(&cells);
}

/* One process writes, and is killed at some moment: what is read is one record or the other. */
static void test_killed_writer(void **state)
{
	(void)state;
	write_cell("s", "k", "t", FAIL);
	for (int i = 0; i < 20; i++) {
		struct kt_cell_records records;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid)
			for (int how = 0;; how = !how)
				write_cell("s", "k", "t", how ? PASS : FAIL);
		for (int k = 0; k < 5; k++) {
			usleep(200 + 137 * (unsigned)i);
			records = read_dir();
			assert_int_equal(records.n, 1);
			assert_int_equal(records.all[0].stats.n, 1);
			assert_int_equal(warnings.n, 0);
			kt_cell_records_deinit(&records);
		}
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

static void assert_log(const char *log, size_t max, const char *wanted)
{
	struct cells cells = {0};
	struct kt_buf out = KT_BUF_INIT;

	add_cell(&cells, "s", "k", "t", PASS)->log = copy(log);
	assert_null(kt_read_cell_log(dir, &cells.v.data[0], max, &out));
	assert_string_equal(out.data, wanted);
	kt_buf_deinit(&out);
	cells_free(&cells);
}

static void assert_no_log(const char *log, enum kt_error_code code)
{
	struct cells cells = {0};
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err;

	add_cell(&cells, "s", "k", "t", PASS)->log = copy(log);
	err = kt_read_cell_log(dir, &cells.v.data[0], 100, &out);
	assert_int_equal(kt_error_code(err), code);
	assert_int_equal(out.len, 0);
	kt_error_destroy(err);
	kt_buf_deinit(&out);
	cells_free(&cells);
}

static void test_log(void **state)
{
	(void)state;
	put("a.log", "one\ntwo\n", 8);
	assert_log("a.log", 8, "one\ntwo\n");
	put("b.log", "first\nsecond\nthird\nfourth\nfifth\nlast\n", 37);
	assert_log("b.log", 30, "first\n... 13 bytes left out ...\nfourth\nfifth\nlast\n");
	assert_no_log(NULL, KT_ERROR_NOT_FOUND);
	assert_no_log("none.log", KT_ERROR_NOT_FOUND);
	assert_no_log("../../etc/passwd", KT_ERROR_UNSUPPORTED);
	assert_no_log("/etc/passwd", KT_ERROR_UNSUPPORTED);
	assert_no_log("..", KT_ERROR_UNSUPPORTED);
	run("ln -s /etc/passwd %s/link.log && mkfifo %s/pipe.log", dir, dir);
	assert_no_log("link.log", KT_ERROR_UNSUPPORTED);
	assert_no_log("pipe.log", KT_ERROR_UNSUPPORTED);
}

static void assert_no_dump(const char *name, enum kt_error_code code)
{
	const struct kt_cell_record record = {.dump = (char *)(uintptr_t)name};
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = kt_read_cell_dump(dir, &record, 100, &out);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	assert_int_equal(out.len, 0);
	kt_error_destroy(err);
	kt_buf_deinit(&out);
}

/* It is beside the record, is none itself, and goes with it. */
static void test_dump(void **state)
{
	struct kt_buf out = KT_BUF_INIT;
	struct warnings told = {0};
	struct kt_cell_records records;
	struct cells cells = {0};
	struct kt_cell_record *record = add_cell(&cells, "s", "k", "t", FAIL);

	(void)state;
	assert_null(kt_write_cell_dump(dir, record, "{\"a\": 1}\n", &record->dump));
	assert_string_equal(record->dump, "verifier~s~k~t.dump");
	assert_null(kt_write_cell_record(dir, record));
	assert_null(kt_read_cell_dump(dir, record, 100, &out));
	assert_int_equal(out.len, 9);
	assert_memory_equal(out.data, "{\"a\": 1}\n", 9);
	assert_null(kt_read_cell_records(dir, warn, &told, &records));
	assert_int_equal(records.n, 1);
	assert_int_equal(told.n, 0);
	assert_string_equal(records.all[0].dump, record->dump);
	kt_cell_records_deinit(&records);
	/* The next try has none. */
	free(record->dump);
	record->dump = NULL;
	assert_null(kt_write_cell_record(dir, record));
	run("test $(ls -A %s | wc -l) = 1", dir);
	assert_no_dump(NULL, KT_ERROR_NOT_FOUND);
	assert_no_dump("none.dump", KT_ERROR_NOT_FOUND);
	assert_no_dump("../../etc/passwd", KT_ERROR_UNSUPPORTED);
	put("long.dump", "0123456789", 10);
	run("truncate -s 101 %s/long.dump && ln -s long.dump %s/link.dump", dir, dir);
	assert_no_dump("long.dump", KT_ERROR_UNSUPPORTED);
	assert_no_dump("link.dump", KT_ERROR_UNSUPPORTED);
	kt_buf_deinit(&out);
	cells_free(&cells);
}

static bool is_due(void)
{
	bool due;

	assert_null(kt_cell_is_due(dir, "s", "k", "t", &due));
	return due;
}

static bool has_record(void)
{
	struct kt_cell_record record = {0};
	struct kt_error *err = kt_read_cell_record(dir, "s", "k", "t", &record);
	bool has = !err;

	if (err)
		assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
	kt_cell_record_deinit(&record);
	return has;
}

/* A record is there for readers until its cell starts. */
static void test_due(void **state)
{
	(void)state;
	assert_null(kt_cell_set_due(dir, "s", "k", "t"));
	assert_false(is_due()); /* it has no record that could be taken for a new one */
	write_cell("s", "k", "t", PASS);
	write_cell("s", "k", "other", PASS);
	put("verifier~s~k~t.log", "old", 3);
	put("verifier~s~k~t.dump", "old", 3);
	assert_null(kt_cell_start(dir, "s", "k", "t"));
	assert_true(has_record()); /* not due: it is of an earlier try */
	assert_null(kt_cell_set_due(dir, "s", "k", "t"));
	assert_null(kt_cell_set_due(dir, "s", "k", "t"));
	assert_true(is_due() && has_record());
	assert_null(kt_cell_start(dir, "s", "k", "t"));
	assert_false(is_due() || has_record());
	run("test $(ls -A %s | wc -l) = 1", dir); /* the other cell's record, no log, no dump */
	write_cell("s", "k", "t", FAIL);
	assert_null(kt_cell_set_due(dir, "s", "k", "t"));
	write_cell("s", "k", "t", PASS);
	assert_false(is_due());
	/* The mark is left, and somebody removed the record. */
	assert_null(kt_cell_set_due(dir, "s", "k", "t"));
	run("rm %s/verifier~s~k~t.json", dir);
	assert_false(is_due());
	assert_null(kt_cell_set_due(dir, "s", "k", "t"));
	run("test ! -e %s/.verifier~s~k~t.due", dir);
	/* A log without a record is of a try that was killed. */
	run("rm %s/*; touch %s/verifier~s~k~t.log", dir, dir);
	assert_null(kt_cell_start(dir, "s", "k", "t"));
	run("test -z \"$(ls -A %s)\"", dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stem),
		cmocka_unit_test(test_stems_differ),
		cmocka_unit_test_setup(test_write_and_read, empty_dir),
		cmocka_unit_test_setup(test_cannot_write, empty_dir),
		cmocka_unit_test(test_no_directory),
		cmocka_unit_test_setup(test_what_is_skipped, empty_dir),
		cmocka_unit_test_setup(test_half_written, empty_dir),
		cmocka_unit_test_setup(test_killed_writer, empty_dir),
		cmocka_unit_test_setup(test_log, empty_dir),
		cmocka_unit_test_setup(test_dump, empty_dir),
		cmocka_unit_test_setup(test_due, empty_dir),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	run("rm -rf %s", dir);
	return failed;
}
