// SPDX-License-Identifier: LGPL-2.1-or-later
/* The test is QEMU here: it connects, sends, hangs up. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "util/clock.h"
#include "vm/channel.h"

static struct vm_channel channel = VM_CHANNEL_INIT;
static struct kt_buf stream;

static int setup(void **state)
{
	channel = (struct vm_channel)VM_CHANNEL_INIT;
	stream = (struct kt_buf)KT_BUF_INIT;
	return scratch_setup(state);
}

static int teardown(void **state)
{
	vm_channel_close(&channel);
	kt_buf_deinit(&stream);
	return scratch_teardown(state);
}

static void listen_here(void)
{
	struct kt_error *err = vm_channel_listen(&channel, scratch, "frames.sock");

	if (err)
		fail_msg("%s", kt_error_message(err));
}

/* -1: nobody listens. */
static int try_to_connect(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/frames.sock", scratch);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int connect_here(void)
{
	int fd = try_to_connect();

	assert_true(fd >= 0);
	return fd;
}

static void put(int fd, const void *data, size_t len)
{
	assert_int_equal(write(fd, data, len), len);
}

static void put_frame(int fd, const char *payload)
{
	stream.len = 0;
	kt_frame_encode(&stream, KT_FRAME_SCHED_LOG, payload, strlen(payload));
	put(fd, stream.data, stream.len);
}

/* Takes in what has come, as vm.c does: when poll(2) says so, and no longer. */
static void receive(void)
{
	struct pollfd pfd = {vm_channel_poll_fd(&channel), POLLIN, 0};

	while (poll(&pfd, 1, 0) > 0) {
		assert_null(vm_channel_receive(&channel));
		pfd.fd = vm_channel_poll_fd(&channel);
	}
}

/* The next frame is a piece of log with this text; NULL: there is none. */
static void next_is(const char *payload)
{
	struct kt_frame frame;
	bool found = kt_frame_decoder_next(&channel.decoder, &frame);

	assert_int_equal(found, payload != NULL);
	if (!found)
		return;
	assert_int_equal(frame.len, strlen(payload));
	assert_memory_equal(frame.payload, payload, frame.len);
}

static void test_receive(void **state)
{
	int fd;

	(void)state;
	listen_here();
	assert_null(vm_channel_receive(&channel)); /* nobody is there */
	next_is(NULL);
	fd = connect_here();
	receive();
	next_is(NULL);
	put_frame(fd, "one");
	put_frame(fd, "two");
	receive();
	next_is("one");
	next_is("two");
	next_is(NULL);
	assert_null(vm_channel_receive(&channel)); /* nothing has come */
	/* In two pieces. */
	put_frame(fd, "three");
	put(fd, stream.data, 9);
	receive();
	next_is("three");
	next_is(NULL);
	put(fd, stream.data + 9, stream.len - 9);
	receive();
	next_is("three");
	close(fd);
}

/* There is one QEMU. */
static void test_one_peer(void **state)
{
	int fd;

	(void)state;
	listen_here();
	fd = connect_here();
	receive();
	assert_int_equal(channel.listen_fd, -1);
	assert_int_equal(try_to_connect(), -1);
	close(fd);
}

/* What was sent before the end is not lost, and a frame that it cut off is counted. */
static void test_hang_up(void **state)
{
	int fd;

	(void)state;
	listen_here();
	fd = connect_here();
	put_frame(fd, "one");
	put(fd, stream.data, stream.len - 1);
	close(fd);
	receive();
	assert_int_equal(vm_channel_poll_fd(&channel), -1);
	assert_true(channel.decoder.ended);
	next_is("one");
	next_is(NULL);
	assert_int_equal(channel.decoder.bad_frames, 1);
	assert_null(vm_channel_receive(&channel)); /* nothing will come any more */
}

/* With bytes in its own queue that it never read, a socket is reset and not closed. */
static void test_reset(void **state)
{
	int fd;

	(void)state;
	listen_here();
	fd = connect_here();
	receive();
	assert_null(vm_channel_send(&channel, KT_FRAME_COMMAND, "\1", 1));
	put_frame(fd, "one");
	close(fd);
	receive();
	assert_int_equal(vm_channel_poll_fd(&channel), -1);
	assert_true(channel.decoder.ended);
	next_is("one");
}

static void test_more_than_a_chunk(void **state)
{
	char *payload = malloc(200001);
	struct kt_frame frame;
	size_t sent = 0;
	int fd;

	(void)state;
	assert_non_null(payload);
	memset(payload, 'x', 200000);
	payload[200000] = '\0';
	listen_here();
	fd = connect_here();
	kt_frame_encode(&stream, KT_FRAME_SCHED_LOG, payload, 200000);
	while (sent < stream.len) {
		ssize_t n = send(fd, stream.data + sent, stream.len - sent, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		receive();
	}
	assert_true(kt_frame_decoder_next(&channel.decoder, &frame));
	assert_int_equal(frame.len, 200000);
	assert_memory_equal(frame.payload, payload, frame.len);
	close(fd);
	free(payload);
}

/* QEMU was started again: another socket in the same place, and nothing of the first stream. */
static void test_again(void **state)
{
	int fd, other;

	(void)state;
	listen_here();
	fd = connect_here();
	put_frame(fd, "one");
	put(fd, "garbage", 7);
	put(fd, stream.data, stream.len - 1);
	receive();
	next_is("one");
	next_is(NULL);
	assert_int_equal(channel.decoder.skipped_bytes, 7);
	vm_channel_close(&channel);
	assert_int_equal(vm_channel_poll_fd(&channel), -1);
	next_is(NULL);
	listen_here();
	assert_false(channel.decoder.ended);
	other = connect_here();
	put_frame(other, "two");
	receive();
	next_is("two");
	next_is(NULL);
	/* What it counted stays. */
	assert_int_equal(channel.decoder.skipped_bytes, 7);
	close(fd);
	close(other);
}

static void test_close_twice(void **state)
{
	(void)state;
	listen_here();
	vm_channel_close(&channel);
	vm_channel_close(&channel);
	assert_int_equal(vm_channel_poll_fd(&channel), -1);
	assert_null(vm_channel_receive(&channel));
}

static void test_cannot_listen(void **state)
{
	struct kt_error *err;

	(void)state;
	err = vm_channel_listen(&channel, in_scratch("none"), "frames.sock");
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_OS);
	assert_non_null(strstr(kt_error_message(err), "cannot listen on /tmp/ktstr-test."));
	assert_int_equal(vm_channel_poll_fd(&channel), -1);
	kt_error_destroy(err);
}

static void test_send(void **state)
{
	struct kt_frame_decoder decoder;
	struct kt_frame frame;
	char bytes[64];
	ssize_t n;
	int fd;

	(void)state;
	listen_here();
	fd = connect_here();
	receive();
	assert_null(vm_channel_send(&channel, KT_FRAME_COMMAND, "\1", 1));
	n = read(fd, bytes, sizeof(bytes));
	assert_int_equal(n, KT_FRAME_HEADER + 1);
	kt_frame_decoder_init(&decoder);
	assert_true(kt_frame_decoder_push(&decoder, bytes, (size_t)n));
	assert_true(kt_frame_decoder_next(&decoder, &frame));
	assert_int_equal(frame.type, KT_FRAME_COMMAND);
	assert_memory_equal(frame.payload, "\1", 1);
	kt_frame_decoder_deinit(&decoder);
	close(fd);
}

static void refused(enum kt_error_code code, const char *words)
{
	struct kt_error *err = vm_channel_send(&channel, KT_FRAME_COMMAND, "\1", 1);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	assert_string_equal(kt_error_message(err), words);
	kt_error_destroy(err);
}

/* It is an error, and no SIGPIPE, which would end the test. */
static void test_send_to_nobody(void **state)
{
	static const char words[] = "QEMU has closed the guest's channel";
	int fd;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	refused(KT_ERROR_CLOSED, words);
	listen_here();
	refused(KT_ERROR_CLOSED, words); /* QEMU has not come yet */
	fd = connect_here();
	receive();
	close(fd);
	refused(KT_ERROR_CLOSED, words); /* which nobody has noticed yet */
	receive();
	refused(KT_ERROR_CLOSED, words);
}

/* A guest that takes nothing: its queue is full after a while, and the host does not hang. */
static void test_send_to_deaf(void **state)
{
	char *payload = calloc(1, KT_FRAME_MAX);
	struct kt_error *err = NULL;
	int64_t began = 0, ms;
	int fd;

	(void)state;
	assert_non_null(payload);
	listen_here();
	fd = connect_here();
	receive();
	for (int i = 0; i < 100 && !err; i++) {
		began = kt_now_ns();
		err = vm_channel_send(&channel, KT_FRAME_COMMAND, payload, KT_FRAME_MAX);
	}
	ms = (kt_now_ns() - began) / 1000000;
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
	assert_string_equal(kt_error_message(err), "the guest does not listen");
	/* No less than was promised; how much more is a matter of who else is busy here. */
	assert_in_range(ms, 990, 20000);
	kt_error_destroy(err);
	close(fd);
	free(payload);
}

int main(void)
{
#define channel_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		channel_test(test_receive),
		channel_test(test_one_peer),
		channel_test(test_hang_up),
		channel_test(test_reset),
		channel_test(test_more_than_a_chunk),
		channel_test(test_again),
		channel_test(test_close_twice),
		channel_test(test_cannot_listen),
		channel_test(test_send),
		channel_test(test_send_to_nobody),
		channel_test(test_send_to_deaf),
	};

	return cmocka_run_group_tests_name("vm/channel", tests, NULL, NULL);
}
