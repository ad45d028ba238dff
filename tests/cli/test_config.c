// SPDX-License-Identifier: LGPL-2.1-or-later
/* The user's settings: what holds where the command line says nothing; and doctor. */
#include "tests/cli/tool.h"

#include <jansson.h>
#include <signal.h>
#include <sys/stat.h>

static char path[] = "/tmp/ktstr-config.XXXXXX";

static void settings(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return setenv("KTSTR_GDB_CONFIG", path, 1);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return unsetenv("KTSTR_GDB_CONFIG");
}

static void test_target(void **state)
{
	(void)state;
	settings("target = \"unix:/nonexistent/of-settings\";\n");
	tool_refused(RUN("attach"), 3, "/nonexistent/of-settings");
	/* The command line is stronger. */
	tool_refused(RUN("attach", "unix:/nonexistent/other"), 3, "/nonexistent/other");
	settings("target = \"nonsense\";\n");
	tool_refused(RUN("maps"), 2, "a target is HOST:PORT");
}

static const char *first_word(const char *text)
{
	return text + strspn(text, " ");
}

/* A process that is QEMU by its program's name, so that there is something to list. */
static pid_t start_qemu(const char *dir)
{
	char command[128], file[64];
	pid_t pid;

	snprintf(file, sizeof(file), "%s/qemu-system-x86_64", dir);
	snprintf(command, sizeof(command), "cp \"$(command -v sleep)\" %s", file);
	assert_int_equal(system(command), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		execl(file, file, "600", (char *)NULL);
		_exit(126);
	}
	snprintf(command, sizeof(command), "\"pid\": %d,", (int)pid);
	while (!strstr(RUN("list", "--json")->out, command))
		usleep(10000);
	return pid;
}

static void test_columns(void **state)
{
	char dir[] = "/tmp/ktstr-qemu.XXXXXX", file[64];
	pid_t qemu;

	(void)state;
	settings("");
	assert_non_null(mkdtemp(dir));
	qemu = start_qemu(dir);
	settings("columns = { list = \"uid,pid\"; };\n");
	assert_memory_equal(first_word(RUN("list")->out), "UID", 3);
	assert_memory_equal(first_word(RUN("list", "-o", "pid")->out), "PID", 3);
	assert_memory_equal(RUN("list", "--json")->out, "{", 1);
	assert_non_null(strstr(RUN("list", "--csv")->out, ","));
	settings("columns = { list = \"uid,pdi\"; };\n");
	tool_refused(RUN("list"), 2, "no column \"pdi\"; did you mean pid?");
	assert_non_null(strstr(RUN("list")->err, path));
	kill(qemu, SIGKILL);
	waitpid(qemu, NULL, 0);
	snprintf(file, sizeof(file), "%s/qemu-system-x86_64", dir);
	unlink(file);
	rmdir(dir);
	/* Another command's are no matter. */
	assert_int_equal(RUN("log", "/dev/null")->status, 0);
}

static void test_color(void **state)
{
	static const char *const log[] = {"log", "--last", "examples/rejected.log", NULL};

	(void)state;
	if (access(log[2], R_OK))
		skip();
	settings("color = \"always\";\n");
	assert_non_null(strchr(tool_run(log)->out, '\033'));
	assert_null(strchr(RUN("log", "--last", "--color", "never", log[2])->out, '\033'));
	settings("color = \"sometimes\";\n");
	tool_refused(RUN("list"), 2, "--color takes auto, always or never");
}

static void test_kernel_and_accel(void **state)
{
	(void)state;
	settings("kernel = [\"/nonexistent/k1\", \"/nonexistent/k2\"];\n");
	tool_refused(RUN("check", "build/bpf/demo.bpf.o"), 3, "/nonexistent/k1");
	tool_refused(RUN("collect", "build/bpf/demo.bpf.o"), 3, "/nonexistent/k1");
	tool_refused(RUN("collect", "build/bpf/demo.bpf.o", "--kernel", "/nonexistent/k3"), 3,
		     "/nonexistent/k3");
	/* A guest that runs is no guest to boot. */
	tool_refused(RUN("collect", "unix:/nonexistent/x"), 3, "/nonexistent/x");
	settings("kernel = \"/nonexistent/one\";\n");
	tool_refused(RUN("collect", "build/bpf/demo.bpf.o"), 3, "/nonexistent/one");
}

static void test_mistakes(void **state)
{
	(void)state;
	settings("acel = \"tcg\";\n");
	tool_refused(RUN("list"), 2, ":1: there is no setting \"acel\"; did you mean accel?");
	settings("# a comment\nzzz = 1;\n");
	tool_refused(RUN("list"), 2, ":2: there is no setting \"zzz\"; there are target, kernel");
	settings("target = 1234;\n");
	tool_refused(RUN("list"), 2, ":1: this has to be a text in quotes");
	settings("columns = \"id\";\n");
	tool_refused(RUN("list"), 2, "columns is a group");
	settings("columns = { atach = \"id\"; };\n");
	tool_refused(RUN("list"), 2, "columns of \"atach\": there is no such command");
	settings("kernel = [1, 2];\n");
	tool_refused(RUN("list"), 2, "kernel is a text, or an array of texts");
	settings("kernel = debian:trixie;\n");
	tool_refused(RUN("list"), 2, "texts stand in quotes");
	/* What tells of the mistake works all the same. */
	assert_non_null(strstr(RUN("doctor")->out, "-    settings "));
	settings("");
	assert_int_equal(RUN("list")->status, 0);
	/* --help does not need them. */
	settings("acel = 1;\n");
	assert_int_equal(RUN("list", "--help")->status, 0);
	/* A file that is named has to be there. */
	unlink(path);
	tool_refused(RUN("list"), 3, "cannot read the settings in /tmp/ktstr-config.");
	setenv("KTSTR_GDB_CONFIG", "/", 1);
	tool_refused(RUN("list"), 2, "/ is no file of settings");
	setenv("KTSTR_GDB_CONFIG", path, 1);
}

/* A directory with nothing but this QEMU is the whole PATH. */
static void test_doctor(void **state)
{
	char dir[] = "/tmp/ktstr-doctor.XXXXXX", qemu[64];
	char *old = strdup(getenv("PATH"));
	json_t *document;
	int status;

	(void)state;
	settings("");
	assert_non_null(mkdtemp(dir));
	snprintf(qemu, sizeof(qemu), "%s/qemu-system-x86_64", dir);
	setenv("PATH", dir, 1);
	assert_int_equal(RUN("doctor")->status, 1);
	assert_non_null(strstr(RUN("doctor")->out, "NO   QEMU for x86_64   no qemu-system-x86_64"));
	assert_int_equal(symlink("/bin/true", qemu), 0);
	assert_int_equal(RUN("doctor")->status, 0);
	assert_non_null(strstr(RUN("doctor")->out, qemu));
	assert_non_null(strstr(RUN("doctor")->out, "-    Slurm             no sbatch"));
	status = RUN("doctor", "--json")->status;
	document = json_loads(RUN("doctor", "--json")->out, 0, NULL);
	setenv("PATH", old, 1);
	free(old);
	unlink(qemu);
	rmdir(dir);
	assert_int_equal(status, 0);
	assert_non_null(document);
	assert_string_equal(json_string_value(json_object_get(document, "schema")),
			    "ktstr-gdb.doctor.v1");
	json_decref(document);
	tool_refused(RUN("doctor", "x"), 2, "doctor takes no argument");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),   cmocka_unit_test(test_columns),
		cmocka_unit_test(test_color),    cmocka_unit_test(test_kernel_and_accel),
		cmocka_unit_test(test_mistakes), cmocka_unit_test(test_doctor),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
