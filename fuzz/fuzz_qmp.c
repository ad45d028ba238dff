// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as what QEMU's monitor says, while all that the keeper asks of one is asked: the
 * greeting, what there is, a stub, its end. The replies are there before the questions, and then
 * the monitor closes. How the bytes are cut up on their way must not matter.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gdbrsp/target.h"
#include "host/qmp.h"
#include "host/stub.h"
#include "util/buf.h"
#include "util/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_qmp.c:%d: %s\n", line, what);
	abort();
}

#define check(e) check_at((e), #e, __LINE__)

/* Takes err, and notes what it says. */
static bool note(struct kt_buf *notes, const char *what, struct kt_error *err)
{
	kt_buf_printf(notes, "%s: %s\n", what, err ? kt_error_message(err) : "done");
	check(!err || *kt_error_message(err));
	/* Nobody waits here: all that will ever come is there. */
	check(!err || kt_error_code(err) != KT_ERROR_TIMEOUT);
	kt_error_destroy(err);
	return !err;
}

static void note_vm(struct kt_buf *notes, const struct host_vm *vm)
{
	struct rsp_target target;
	struct kt_error *err;

	check(memchr(vm->state, '\0', sizeof(vm->state)));
	kt_buf_printf(notes, "%d %s %s\n", vm->runs, vm->state, vm->address ? vm->address : "-");
	if (!vm->address)
		return;
	err = rsp_target_parse(vm->address, &target);
	if (!err)
		rsp_target_deinit(&target);
	kt_error_destroy(err);
}

static void ask_all(struct host_monitor *monitor, int fd, struct kt_buf *notes)
{
	struct host_stub stub;
	struct host_vm vm = {0};
	int64_t stopped_ns;
	bool idle;

	host_stub_init(&stub, monitor);
	if (note(notes, "look", host_stub_look(&stub, &vm)))
		note_vm(notes, &vm);
	if (note(notes, "look again", host_stub_look_again(&stub, &vm)))
		note_vm(notes, &vm);
	if (note(notes, "dial", host_stub_dial(&stub, fd, &stopped_ns)))
		check(stub.there);
	if (note(notes, "is idle", host_stub_is_idle(&stub, &idle)))
		kt_buf_printf(notes, "%d\n", idle);
	if (note(notes, "end", host_stub_end(&stub)))
		check(!stub.there);
	note(notes, "continue", host_stub_continue(&stub));
	host_vm_deinit(&vm);
}

/* Packets, of which each recv(2) gets one. */
static void serve(int fd, const uint8_t *data, size_t size, size_t piece)
{
	while (size) {
		size_t n = size < piece ? size : piece;

		if (send(fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
			break;
		data += n;
		size -= n;
	}
	shutdown(fd, SHUT_WR);
}

static void run(const uint8_t *data, size_t size, size_t piece, struct kt_buf *notes)
{
	struct host_monitor *monitor;
	int pair[2];

	check(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	serve(pair[1], data, size, piece);
	if (note(notes, "open", host_qmp_from_fd(pair[0], kt_deadline_ms(60000), &monitor))) {
		/* The label has this process's number in it, which is the same in both runs. */
		ask_all(monitor, pair[1], notes);
		host_monitor_destroy(monitor);
	}
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_buf whole = KT_BUF_INIT, cut = KT_BUF_INIT;

	if (size > 16 * 1024) /* more than a packet may be read at once */
		return 0;
	run(data, size, 16 * 1024, &whole);
	/* A socket's queue has room for some hundred packets. */
	run(data, size, 1 + size / 64, &cut);
	check(whole.len == cut.len && !memcmp(whole.data, cut.data, whole.len));
	kt_buf_deinit(&whole);
	kt_buf_deinit(&cut);
	return 0;
}
