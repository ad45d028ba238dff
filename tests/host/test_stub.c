// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/cmdline.h"
#include "host/stub.h"
#include "util/clock.h"

/* --- a monitor that answers from a table --- */

/* To a command, or a line of HMP, that begins with `asked`. Used up if `once`. */
struct answer {
	const char *asked, *json;
	bool once;
};

#define ANSWERS_MAX 24

struct fake {
	struct host_monitor base;
	struct answer answers[ANSWERS_MAX];
	char log[2000]; /* what was asked, a line each: questions that change nothing are not */
	int socket;     /* where `gdbserver unix:` listens; -1 */
};

static struct answer *find_answer(struct fake *fake, const char *asked)
{
	for (size_t i = 0; i < ANSWERS_MAX && fake->answers[i].asked; i++) {
		struct answer *a = &fake->answers[i];

		if (a->json && !strncmp(asked, a->asked, strlen(a->asked)))
			return a;
	}
	return NULL;
}

static void listen_at(struct fake *fake, const char *line)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	assert_int_equal(sscanf(line, "gdbserver unix:%107[^,]", addr.sun_path), 1);
	fake->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake->socket, (struct sockaddr *)&addr, sizeof(addr)), 0);
}

static struct kt_error *execute(struct host_monitor *monitor, json_t *command, int fd, json_t **ret)
{
	struct fake *fake = (struct fake *)monitor;
	const char *name = json_string_value(json_object_get(command, "execute"));
	const json_t *args = json_object_get(command, "arguments");
	const char *line = json_string_value(json_object_get(args, "command-line"));
	const char *asked = line ? line : name;
	struct answer *answer = find_answer(fake, asked);
	json_error_t why;

	if (strncmp(asked, "query-", 6) && strcmp(asked, "qom-get"))
		sprintf(fake->log + strlen(fake->log), "%s%s\n", asked, fd >= 0 ? " +fd" : "");
	if (!answer) {
		*ret = line ? json_pack("{s:s}", "return", "")
			    : json_pack("{s:{s:s, s:s}}", "error", "class", "CommandNotFound",
					"desc", "The command has not been found");
		return NULL;
	}
	if (!*answer->json)
		return kt_error_new(KT_ERROR_CLOSED, "QEMU closed its monitor");
	*ret = json_loads(answer->json, 0, &why);
	if (!*ret)
		fail_msg("%s: %s", answer->json, why.text);
	if (!strncmp(asked, "gdbserver unix:", 15) && strstr(answer->json, "Waiting") &&
	    fake->base.is_here)
		listen_at(fake, line);
	if (answer->once)
		answer->json = NULL;
	return NULL;
}

static void destroy(struct host_monitor *monitor)
{
	(void)monitor;
}

static const struct host_monitor_ops ops = {execute, destroy};

#define RUNNING                 "{\"return\": {\"running\": true, \"singlestep\": false, \"status\": \"running\"}}"
#define PAUSED                  "{\"return\": {\"running\": false, \"status\": \"paused\"}}"
#define NOTHING                 "{\"return\": {}}"
#define WAITING                 "{\"return\": \"Waiting for gdb connection on device 'chardev:x'\\r\\n\"}"
#define SERIAL                  "{\"label\": \"serial0\", \"filename\": \"file\", \"frontend-open\": true}"
#define DEVICES(...)            "{\"return\": [" __VA_ARGS__ "]}"
#define DEVICE(label, filename) "{\"label\": \"" label "\", \"filename\": \"" filename "\"}"
#define REFUSAL(text)           "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" text "\"}}"

/* What a QEMU 7.2 says, which has no stub; the test's own answers come before. */
static void fake_init(struct fake *fake, struct host_stub *stub, const struct answer *own, size_t n)
{
	static const struct answer usual[] = {
		{"query-status", RUNNING, false},
		{"query-migrate", NOTHING, false},
		{"qom-get", REFUSAL("Property '.confidential-guest-support' is not set"), false},
		{"query-chardev", DEVICES(SERIAL), false},
		{"getfd", NOTHING, false},
		{"chardev-", "{\"return\": {}}", false},
		{"closefd", NOTHING, false},
		{"cont", NOTHING, false},
		{"gdbserver none", "{\"return\": \"Disabled gdbserver\\r\\n\"}", false},
		{"gdbserver", WAITING, false},
	};

	*fake = (struct fake){.base = {.ops = &ops, .passes_fds = true, .is_here = true},
			      .socket = -1};
	for (size_t i = 0; i < n; i++)
		fake->answers[i] = own[i];
	memcpy(fake->answers + n, usual, sizeof(usual));
	host_stub_init(stub, &fake->base);
}

#define WITH(fake, stub, ...)                                                                      \
	do {                                                                                       \
		const struct answer own[] = {__VA_ARGS__};                                         \
		fake_init(fake, stub, own, sizeof(own) / sizeof(*own));                            \
	} while (0)

/* --- what there is --- */

static void test_look(void **state)
{
	struct host_stub stub;
	struct host_vm vm;
	struct fake fake;

	(void)state;
	fake_init(&fake, &stub, NULL, 0);
	fake.base.pid = 77;
	assert_null(host_stub_look(&stub, &vm));
	assert_true(vm.runs);
	assert_string_equal(vm.state, "running");
	assert_int_equal(vm.pid, 77);
	assert_null(vm.address);
	assert_string_equal(fake.log, "");
	host_vm_deinit(&vm);

	/* One that knows little. */
	WITH(&fake, &stub, {"query-status", PAUSED, false}, {"query-migrate", REFUSAL("x"), false});
	assert_null(host_stub_look(&stub, &vm));
	assert_false(vm.runs);
	assert_string_equal(vm.state, "paused");
	host_vm_deinit(&vm);
}

static void check_refused(struct answer own, enum kt_error_code code, const char *says)
{
	struct host_vm vm = {.pid = -1};
	struct host_stub stub;
	struct fake fake;
	struct kt_error *err;

	fake_init(&fake, &stub, &own, 1);
	err = host_stub_look(&stub, &vm);
	assert_non_null(err);
	if (kt_error_code(err) != code || !strstr(kt_error_message(err), says))
		fail_msg("%s: %s", own.json, kt_error_message(err));
	kt_error_destroy(err);
	assert_int_equal(vm.pid, -1);
	assert_string_equal(fake.log, ""); /* nothing was changed */
}

static void test_look_refused(void **state)
{
	static const char *const migrations[] = {
		"setup", "active", "device", "postcopy-active", "postcopy-paused", "cancelling",
	};
	char json[100];

	(void)state;
	check_refused(
		(struct answer){"query-status",
				"{\"return\": {\"running\": false, \"status\": \"inmigrate\"}}",
				false},
		KT_ERROR_NOT_READY, "'inmigrate'");
	check_refused(
		(struct answer){"query-status",
				"{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"\"}}",
				false},
		KT_ERROR_UNSUPPORTED, "this monitor has no guest");
	check_refused((struct answer){"query-status", "{\"return\": {\"running\": 1}}", false},
		      KT_ERROR_PROTOCOL, "does not say whether the guest runs");
	check_refused((struct answer){"query-chardev", "", false}, KT_ERROR_CLOSED, "closed");
	check_refused((struct answer){"qom-get", "{\"return\": \"/objects/sev0\"}", false},
		      KT_ERROR_UNSUPPORTED, "a confidential guest (/objects/sev0)");
	for (size_t i = 0; i < sizeof(migrations) / sizeof(*migrations); i++) {
		snprintf(json, sizeof(json), "{\"return\": {\"status\": \"%s\"}}", migrations[i]);
		check_refused((struct answer){"query-migrate", json, false}, KT_ERROR_NOT_READY,
			      "is being migrated");
	}
}

/* After a migration that is over, the guest can be read. */
static void test_migrated(void **state)
{
	static const char *const migrations[] = {"none", "completed", "failed", "cancelled"};
	struct host_stub stub;
	struct host_vm vm;
	struct fake fake;
	char json[100];

	(void)state;
	for (size_t i = 0; i < sizeof(migrations) / sizeof(*migrations); i++) {
		snprintf(json, sizeof(json), "{\"return\": {\"status\": \"%s\"}}", migrations[i]);
		WITH(&fake, &stub, {"query-migrate", json, false});
		assert_null(host_stub_look(&stub, &vm));
		host_vm_deinit(&vm);
	}
}

static void check_address(const char *devices, const char *gdb_label, const char *address)
{
	struct host_stub stub;
	struct host_vm vm;
	struct fake fake;

	WITH(&fake, &stub, {"query-chardev", devices, false});
	stub.gdb_label = (char *)(uintptr_t)gdb_label;
	assert_null(host_stub_look(&stub, &vm));
	if (address)
		assert_string_equal(vm.address, address);
	else
		assert_null(vm.address);
	host_vm_deinit(&vm);
	assert_string_equal(fake.log, "");
}

static void test_stub_that_is_there(void **state)
{
	(void)state;
	/* -s, of 7.2 and of 11.1 */
	check_address(DEVICES(SERIAL ", " DEVICE("gdb", "disconnected:tcp:0.0.0.0:1234,server=on")),
		      NULL, ":1234");
	check_address(DEVICES(DEVICE("gdb", "disconnected:tcp::::1234,server=on")), NULL, ":1234");
	check_address(DEVICES(DEVICE("gdb", "disconnected:tcp:127.0.0.1:99,server=on")), NULL,
		      "127.0.0.1:99");
	check_address(DEVICES(DEVICE("gdb0", "disconnected:unix:/a,b/gdb,server=on")), NULL,
		      "unix:/a,b/gdb");
	/* Whatever it is called: -gdb chardev:debug */
	check_address(DEVICES(DEVICE("debug", "disconnected:unix:/x,server=on")), "debug",
		      "unix:/x");
	check_address(DEVICES(DEVICE("debug", "disconnected:unix:/x,server=on")), NULL, NULL);
	/* QEMU's own for qRcmd, which stays after a stub. */
	check_address(DEVICES(DEVICE("compat_monitor0", "gdb")), NULL, NULL);
	check_address(DEVICES(DEVICE("not-a-gdb-socket", "file")), NULL, NULL);
}

static void test_stub_in_use(void **state)
{
	(void)state;
	check_refused((struct answer){"query-chardev",
				      DEVICES(DEVICE("gdb", "tcp:127.0.0.1:1234,server=on <-> x")),
				      false},
		      KT_ERROR_CLOSED,
		      "somebody else uses the guest's GDB stub (character device 'gdb'");
	check_refused((struct answer){"query-chardev",
				      DEVICES(DEVICE("gdb", "disconnected:pty:/dev/pts/1")), false},
		      KT_ERROR_UNSUPPORTED, "where nobody can connect to");
}

/* What a keeper that was killed has left behind is taken away. */
static void test_leftover(void **state)
{
	struct host_stub stub;
	struct host_vm vm;
	struct fake fake;

	(void)state;
	WITH(&fake, &stub,
	     {"query-chardev", DEVICES(DEVICE("ktstr-gdb-1", "disconnected:unix:")), false});
	assert_null(host_stub_look(&stub, &vm));
	assert_null(vm.address);
	assert_string_equal(fake.log, "gdbserver none\n");
	host_vm_deinit(&vm);
}

/* A stub that appears between the look and the dial is not replaced. */
static void test_look_again(void **state)
{
	struct host_vm vm = {.runs = true};
	struct host_stub stub;
	struct kt_error *err;
	struct fake fake;

	(void)state;
	WITH(&fake, &stub, {"query-status", PAUSED, true},
	     {"query-chardev", DEVICES(DEVICE("gdb", "disconnected:unix:/x,server=on")), false});
	err = host_stub_look_again(&stub, &vm);
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	kt_error_destroy(err);
	assert_false(vm.runs);
	vm.address = (char *)(uintptr_t) "unix:/x";
	assert_null(host_stub_look_again(&stub, &vm));
	assert_true(vm.runs);
	assert_string_equal(fake.log, "");
}

/* --- ours --- */

static void test_dial(void **state)
{
	struct host_stub stub;
	char expected[200];
	int64_t stopped_ns = 0, began = kt_now_ns();
	struct fake fake;

	(void)state;
	WITH(&fake, &stub, {"query-chardev", DEVICES(SERIAL), true});
	assert_null(host_stub_dial(&stub, STDIN_FILENO, &stopped_ns));
	assert_true(stub.there && stopped_ns >= began && stopped_ns <= kt_now_ns());
	snprintf(expected, sizeof(expected), "getfd +fd\nchardev-add\ngdbserver chardev:%s\n",
		 stub.label);
	assert_string_equal(fake.log, expected);
}

static void check_dial_refused(struct answer own, enum kt_error_code code, const char *says,
			       const char *log)
{
	struct host_stub stub;
	struct kt_error *err;
	struct fake fake;
	int64_t stopped_ns;

	fake_init(&fake, &stub, &own, 1);
	snprintf(stub.label, sizeof(stub.label), "L");
	err = host_stub_dial(&stub, STDIN_FILENO, &stopped_ns);
	assert_non_null(err);
	if (kt_error_code(err) != code || !strstr(kt_error_message(err), says))
		fail_msg("%s", kt_error_message(err));
	kt_error_destroy(err);
	assert_string_equal(fake.log, log);
	assert_false(stub.there);
}

/* Nothing stays behind. */
static void test_dial_refused(void **state)
{
	(void)state;
	check_dial_refused((struct answer){"gdbserver",
					   "{\"return\": \"unknown command: 'gdbserver'\\r\\n\"}",
					   false},
			   KT_ERROR_UNSUPPORTED, "this QEMU has no GDB stub",
			   "getfd +fd\nchardev-add\ngdbserver chardev:L\nchardev-remove\n");
	check_dial_refused(
		(struct answer){"gdbserver",
				"{\"return\": \"gdbstub: current accelerator doesn't support "
				"guest debugging\\r\\nCould not open gdbserver on device\\r\\n\"}",
				false},
		KT_ERROR_UNSUPPORTED, "doesn't support guest debugging'",
		"getfd +fd\nchardev-add\ngdbserver chardev:L\nchardev-remove\n");
	check_dial_refused((struct answer){"chardev-add", REFUSAL("no such backend"), false},
			   KT_ERROR_NOT_FOUND, "no such backend",
			   "getfd +fd\nchardev-add\nclosefd\n");
	check_dial_refused((struct answer){"getfd",
					   REFUSAL("No file descriptor supplied via SCM_RIGHTS"),
					   false},
			   KT_ERROR_NOT_FOUND, "cannot give QEMU a socket", "getfd +fd\n");
	check_dial_refused((struct answer){"getfd", "", false}, KT_ERROR_CLOSED,
			   "QEMU closed its monitor", "getfd +fd\n");
}

static void test_listen(void **state)
{
	char *address = NULL, dir[64];
	struct host_stub stub;
	struct kt_error *err;
	struct fake fake;
	struct stat st;

	(void)state;
	WITH(&fake, &stub, {"query-chardev", DEVICES(DEVICE("gdb", "disconnected:unix:")), false});
	assert_null(host_stub_listen(&stub, &address));
	assert_int_equal(strncmp(address, "unix:/tmp/ktstr-gdb-", 20), 0);
	strcpy(dir, stub.private);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_null(host_stub_end(&stub));
	assert_int_equal(stat(dir, &st), -1);
	free(address);
	close(fake.socket);

	/* QEMU may not enter the directory: on loopback. */
	WITH(&fake, &stub, {"gdbserver unix:", "{\"return\": \"Permission denied\\r\\n\"}", false},
	     {"query-chardev", DEVICES(DEVICE("gdb", "disconnected:tcp:127.0.0.1:4711,server=on")),
	      false});
	assert_null(host_stub_listen(&stub, &address));
	assert_string_equal(address, "127.0.0.1:4711");
	free(address);
	assert_null(host_stub_end(&stub));

	/* Elsewhere: no port of that host is opened. */
	WITH(&fake, &stub, {"query-chardev", DEVICES(DEVICE("gdb", "disconnected:unix:")), false});
	fake.base.is_here = false;
	err = host_stub_listen(&stub, &address);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	assert_non_null(strstr(kt_error_message(err), "on another host"));
	assert_non_null(kt_error_hint_text(err));
	kt_error_destroy(err);
	assert_non_null(strstr(fake.log, "gdbserver none"));
	assert_null(strstr(fake.log, "tcp"));
}

static void test_end(void **state)
{
	struct host_stub stub;
	struct kt_error *err;
	struct fake fake;
	bool idle;

	(void)state;
	WITH(&fake, &stub, {"query-chardev", DEVICES(DEVICE("L", "unix:")), true},
	     {"query-chardev", DEVICES(DEVICE("L", "disconnected:unix:")), false});
	snprintf(stub.label, sizeof(stub.label), "L");
	assert_null(host_stub_end(&stub)); /* not there */
	stub.there = true;
	assert_null(host_stub_is_idle(&stub, &idle));
	assert_false(idle);
	assert_null(host_stub_is_idle(&stub, &idle));
	assert_true(idle);
	assert_string_equal(fake.log, "");
	assert_null(host_stub_end(&stub));
	assert_null(host_stub_end(&stub));
	assert_string_equal(fake.log, "gdbserver none\n");

	/* Somebody's took its place, which is not ours to end. */
	WITH(&fake, &stub, {"query-chardev", DEVICES(DEVICE("gdb", "unix:")), false});
	stub.there = true;
	assert_null(host_stub_end(&stub));
	assert_string_equal(fake.log, "");

	WITH(&fake, &stub, {"query-chardev", "", false});
	stub.there = true;
	err = host_stub_end(&stub);
	assert_non_null(strstr(kt_error_message(err), "cannot end the GDB stub"));
	assert_true(stub.there); /* to be tried again */
	kt_error_destroy(err);
}

static void test_cmdline(void **state)
{
	static const struct {
		const char *cmdline;
		size_t len;
		const char *label;
	} cases[] = {
#define CASE(text, label) {text, sizeof(text) - 1, label}
		CASE("qemu\0-gdb\0chardev:a\0", "a"),
		CASE("qemu\0--gdb\0chardev:abc", "abc"),
		CASE("qemu\0-gdb\0tcp::1\0-gdb\0chardev:b\0", "b"),
		CASE("qemu\0chardev:a\0-gdb\0", NULL),
		CASE("qemu\0-gdb\0chardev:\0", NULL),
		CASE("qemu\0-gdb", NULL),
		CASE("", NULL),
		CASE("\0\0\0", NULL),
#undef CASE
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		/* On the heap, so that the sanitizer sees a look behind the end. */
		char *copy = malloc(cases[i].len ? cases[i].len : 1), *label;

		assert_non_null(copy);
		memcpy(copy, cases[i].cmdline, cases[i].len);
		label = host_cmdline_find_gdb_label(copy, cases[i].len);
		if (cases[i].label)
			assert_string_equal(label, cases[i].label);
		else
			assert_null(label);
		free(label);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look),         cmocka_unit_test(test_look_refused),
		cmocka_unit_test(test_migrated),     cmocka_unit_test(test_stub_that_is_there),
		cmocka_unit_test(test_stub_in_use),  cmocka_unit_test(test_leftover),
		cmocka_unit_test(test_look_again),   cmocka_unit_test(test_dial),
		cmocka_unit_test(test_dial_refused), cmocka_unit_test(test_listen),
		cmocka_unit_test(test_end),          cmocka_unit_test(test_cmdline),
	};

	return cmocka_run_group_tests_name("host/stub", tests, NULL, NULL);
}
