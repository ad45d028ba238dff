// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/cmdline.h"
#include "host/keeper.h"
#include "host/libvirt.h"
#include "host/qmp.h"
#include "host/stub.h"
#include "model/json.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fdpass.h"
#include "util/fence.h"
#include "util/survivor.h"

/* How long a guardian (gdbrsp/guardian.c) may take to let the guest go, and a little more. */
#define GUARDIAN_MS 12000
/* How often to look whether it has. */
#define LOOK_MS 10
/* For each thing that is put right at the end: QEMU may be busy. */
#define PATIENCE_MS 10000
/* libvirt's library waits for its daemon as long as that takes. So long after its time, this ends.
 */
#define LATE_S 2
/* For all that is put right at the end. */
#define END_S 60

/* Keeper and spare share it. */
struct keeper {
	const struct host_target *target;
	struct host_monitor *monitor; /* NULL: not open */
	struct host_stub stub;
	struct host_vm vm;
	char *gdb_label;
	bool dialed;        /* a client was connected, and its end was not seen to yet */
	bool leave_stopped; /* that client leaves the guest stopped, whatever it did before */
	struct kt_buf in;
	int passed; /* a descriptor that came with a question; -1: none */
};

/* --- answers --- */

/* Takes answer. */
static void answer(const json_t *question, json_t *reply)
{
	_cleanup_free_ char *line = NULL;
	struct kt_error *err;

	if (reply)
		json_object_set(reply, "id", json_object_get(question, "id"));
	err = reply ? kt_json_dump_line(reply, &line) : kt_error_no_memory();
	if (!err) {
		size_t len = strlen(line);

		line[len] = '\n'; /* over the NUL: a line ends with it */
		(void)send(KT_SURVIVOR_SOCK, line, len + 1, MSG_NOSIGNAL);
	}
	kt_error_destroy(err);
}

/* Takes err. */
static json_t *error_to_json(struct kt_error *err)
{
	const char *hint = kt_error_hint_text(err);
	json_t *json = json_pack("{s:{s:i, s:i, s:o, s:o}}", "error", "code",
				 (int)kt_error_code(err), "errno", kt_error_errno(err), "message",
				 kt_json_text(kt_error_message(err)), "hint", kt_json_text(hint));

	kt_error_destroy(err);
	return json;
}

static json_t *vm_to_json(const struct host_vm *vm)
{
	return json_pack("{s:b, s:o, s:I, s:o, s:b}", "runs", vm->runs, "state",
			 kt_json_text(vm->state), "pid", (json_int_t)vm->pid, "address",
			 kt_json_text(vm->address), "started", vm->started);
}

/* --- the guest --- */

static struct kt_error *open_monitor(struct keeper *k, int64_t deadline_ns)
{
	switch (k->target->kind) {
	case HOST_TARGET_QMP: return host_qmp_open(&k->target->address, deadline_ns, &k->monitor);
	case HOST_TARGET_LIBVIRT:
		return host_libvirt_open(k->target->uri, k->target->domain, &k->monitor);
	default: return kt_error_new(KT_ERROR_USAGE, "%s has no monitor", k->target->text);
	}
}

/* Ends this process by SIGALRM if what it does next takes so long. 0: whatever it takes. */
static void end_in(unsigned int seconds)
{
	alarm(seconds);
}

/*
 * From here on QEMU's words are read. A Unix socket that is open is all that the keeper needs then.
 */
static void fence_in(const struct keeper *k)
{
	static const struct kt_fence nothing;

	if (k->target->kind == HOST_TARGET_QMP && k->monitor->passes_fds)
		kt_fence_put_up(&nothing);
}

static void use_monitor(struct keeper *k)
{
	k->stub.monitor = k->monitor;
	k->gdb_label = k->monitor->pid ? host_cmdline_gdb_label(k->monitor->pid) : NULL;
	k->stub.gdb_label = k->gdb_label;
	fence_in(k);
}

static struct kt_error *look(struct keeper *k)
{
	struct kt_error *err = host_stub_look(&k->stub, &k->vm);

	if (err || k->vm.address || k->monitor->passes_fds)
		return err;
	err = host_stub_listen(&k->stub, &k->vm.address);
	k->vm.started = !err;
	return err;
}

static struct kt_error *do_open(struct keeper *k, const json_t *question)
{
	json_int_t deadline = json_integer_value(json_object_get(question, "deadline"));
	struct kt_error *err;

	if (k->monitor)
		return kt_error_new(KT_ERROR_USAGE, "the monitor is open");
	end_in((unsigned int)(kt_deadline_left_ms(deadline) / 1000 + LATE_S));
	err = open_monitor(k, deadline);
	if (err)
		return err;
	host_stub_init(&k->stub, k->monitor);
	use_monitor(k);
	k->monitor->deadline_ns = deadline;
	return look(k);
}

static struct kt_error *do_dial(struct keeper *k, const json_t *question, int64_t *stopped_ns_ret)
{
	struct kt_error *err;

	if (!k->monitor)
		return kt_error_new(KT_ERROR_USAGE, "no monitor is open");
	k->monitor->deadline_ns = json_integer_value(json_object_get(question, "deadline"));
	end_in((unsigned int)(kt_deadline_left_ms(k->monitor->deadline_ns) / 1000 + LATE_S));
	k->leave_stopped = json_is_true(json_object_get(question, "leave_stopped"));
	err = host_stub_look_again(&k->stub, &k->vm);
	if (err)
		return err;
	k->dialed = true;
	if (json_is_true(json_object_get(question, "passes")) && k->passed < 0)
		return kt_error_new(KT_ERROR_USAGE, "no socket came");
	return k->passed < 0 ? NULL : host_stub_dial(&k->stub, k->passed, stopped_ns_ret);
}

/*
 * The guest is left as it was. settled: whoever had it has done that. A guest that slept (S3) when
 * the stub stopped it is "paused" from QEMU 9.0 on, and `cont` has it sleep on.
 */
static struct kt_error *restore(struct keeper *k, bool settled)
{
	bool slept = !strcmp(k->vm.state, "suspended");
	struct host_vm now = {0};
	struct kt_error *err;

	if ((settled || !k->vm.runs) && !slept)
		return NULL;
	err = host_stub_state(&k->stub, &now);
	if (err || now.runs || (strcmp(now.state, "paused") && strcmp(now.state, "debug")))
		return err;
	return host_stub_continue(&k->stub);
}

/* Its client is gone, and what it leaves undone is done. */
static struct kt_error *hang_up(struct keeper *k, bool settled)
{
	struct kt_error *err = NULL, *restore_err;

	if (!k->monitor || !k->dialed)
		return NULL;
	k->dialed = false;
	k->monitor->deadline_ns = kt_deadline_ms(PATIENCE_MS);
	end_in(END_S);
	if (!k->vm.address) /* else it stays until the end of all, or is not ours */
		err = host_stub_end(&k->stub);
	restore_err = restore(k, settled || k->leave_stopped);
	return kt_error_join(err, restore_err);
}

/* The process that asked is gone. Its guardian has the guest now, and lets it go. */
static void finish(struct keeper *k)
{
	int64_t deadline = kt_deadline_ms(GUARDIAN_MS);
	struct kt_error *err = NULL;
	bool idle = false;

	if (!k->monitor)
		return;
	end_in(END_S);
	while (k->dialed && !idle && !err && kt_deadline_left_ms(deadline)) {
		k->monitor->deadline_ns = kt_deadline_ms(PATIENCE_MS);
		err = host_stub_is_idle(&k->stub, &idle);
		if (!err && !idle)
			poll(NULL, 0, LOOK_MS);
	}
	kt_error_destroy(err);
	kt_error_destroy(hang_up(k, false));
	k->monitor->deadline_ns = kt_deadline_ms(PATIENCE_MS);
	kt_error_destroy(host_stub_end(&k->stub));
	host_monitor_destroy(k->monitor);
}

/* --- questions --- */

static json_t *reply_to(struct keeper *k, const json_t *question)
{
	const char *what = json_string_value(json_object_get(question, "do"));
	int64_t stopped_ns = 0;
	struct kt_error *err;

	if (what && !strcmp(what, "open")) {
		err = do_open(k, question);
		return err ? error_to_json(err) : json_pack("{s:o}", "vm", vm_to_json(&k->vm));
	}
	if (what && !strcmp(what, "dial")) {
		err = do_dial(k, question, &stopped_ns);
		return err ? error_to_json(err)
			   : json_pack("{s:I, s:b}", "stopped_ns", (json_int_t)stopped_ns, "runs",
				       k->vm.runs);
	}
	err = hang_up(k, json_is_true(json_object_get(question, "settled")));
	return err ? error_to_json(err) : json_object();
}

static void take_line(struct keeper *k, const char *line, size_t len)
{
	json_error_t why;
	json_t *question = kt_json_load((struct kt_text){line, len}, 0, &why);

	if (question)
		answer(question, reply_to(k, question));
	end_in(0);
	json_decref(question);
	if (k->passed >= 0)
		close(k->passed);
	k->passed = -1;
}

/* False: the process that asks is gone. */
static bool receive(struct keeper *k)
{
	char bytes[4096];
	int fd;
	ssize_t n = kt_fd_receive(KT_SURVIVOR_SOCK, bytes, sizeof(bytes), &fd);

	if (fd >= 0) {
		if (k->passed >= 0)
			close(k->passed);
		k->passed = fd;
	}
	if (n <= 0)
		return false;
	kt_buf_append(&k->in, bytes, (size_t)n);
	return !kt_buf_failed(&k->in) && k->in.len <= HOST_LINE_MAX;
}

static void keep(struct keeper *k)
{
	while (receive(k)) {
		char *end;

		while (k->in.len && (end = memchr(k->in.data, '\n', k->in.len))) {
			size_t len = (size_t)(end - k->in.data);

			take_line(k, k->in.data, len);
			kt_buf_consume(&k->in, len + 1);
		}
	}
	finish(k);
}

/* --- the spare --- */

/*
 * The keeper was killed. What it had QEMU make is in the memory that is shared; pointers in it are
 * the keeper's.
 */
static void take_over(struct keeper *k)
{
	char bytes[256];
	struct kt_error *err;

	k->monitor = NULL;
	/* The process that asks reads end of file by this, and we do when it is done, or gone. */
	shutdown(KT_SURVIVOR_SOCK, SHUT_WR);
	while (recv(KT_SURVIVOR_SOCK, bytes, sizeof(bytes), 0) > 0)
		;
	if (!k->dialed && !k->stub.there && !*k->stub.private)
		return;
	end_in(END_S);
	err = open_monitor(k, kt_deadline_ms(PATIENCE_MS));
	if (err) {
		kt_error_destroy(err);
		return;
	}
	use_monitor(k);
	finish(k);
}

static void stand_by(struct keeper *k, pid_t keeper)
{
	int status = 0;

	prctl(PR_SET_NAME, "ktstr-spare");
	while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		take_over(k);
}

void host_keeper_run(void *arg)
{
	struct keeper *k = mmap(NULL, sizeof(*k), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigset_t alarm_only;
	pid_t keeper;

	if (k == MAP_FAILED) /* the process that asks reads end of file */
		return;
	*k = (struct keeper){.target = arg, .passed = -1};
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
	keeper = fork();
	if (keeper > 0)
		stand_by(k, keeper);
	else /* without a spare, too */
		keep(k);
}
