// SPDX-License-Identifier: LGPL-2.1-or-later
/* How the guest's init makes one log of two streams; init's own channel is a buffer here. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/clock.h"
#include "vm/frame.h"
#include "vm/guest/guest.h"

static struct kt_buf sent;
static size_t n_frames;

void channel_send(uint32_t type, const void *payload, size_t len)
{
	assert_int_equal(type, KT_FRAME_SCHED_LOG);
	assert_true(len && len <= KT_FRAME_MAX);
	kt_buf_append(&sent, payload, len);
	n_frames++;
}

void die(const char *fmt, ...)
{
	fail_msg("died: %s", fmt);
	abort();
}

/*
 * The relay's time is the test's: on a busy machine a moment may take longer than a line is waited
 * for. It stands still but for pass() and, where time has to pass within one call, tick_ns: that
 * much with each look at the clock.
 */
static int64_t now_ns = 1000000000, tick_ns;

static int64_t test_now_ns(void)
{
	now_ns += tick_ns;
	return now_ns;
}

static void pass(int ms)
{
	now_ns += ms * INT64_C(1000000);
}

#define kt_now_ns test_now_ns
#include "vm/guest/relay.c"
#undef kt_now_ns

struct streams {
	struct relay relay;
	int out, err;
};

static void open_streams(struct streams *s)
{
	int out[2], err[2];

	kt_buf_deinit(&sent);
	sent = (struct kt_buf)KT_BUF_INIT;
	n_frames = 0;
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	relay_init(&s->relay, out[0], err[0]);
	s->out = out[1];
	s->err = err[1];
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void finish(struct streams *s)
{
	close(s->out);
	close(s->err);
	relay_finish(&s->relay);
	assert_true(relay_closed(&s->relay));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(s->relay.streams[i].held.len, 0);
		kt_buf_deinit(&s->relay.streams[i].held);
	}
	kt_buf_deinit(&sent);
	sent = (struct kt_buf)KT_BUF_INIT;
}

static void test_lines_are_not_torn(void **state)
{
	struct streams s;

	(void)state;
	open_streams(&s);
	put(s.out, "one, a line that is ");
	relay_pump(&s.relay, 0);
	pass(150); /* of the 200 for which a line is waited for */
	put(s.err, "two\n");
	relay_pump(&s.relay, 0);
	assert_string_equal(sent.data, "two\n");
	put(s.out, "not over\nthree");
	relay_pump(&s.relay, 0);
	assert_string_equal(sent.data, "two\none, a line that is not over\n");
	relay_finish(&s.relay);
	assert_string_equal(sent.data, "two\none, a line that is not over\nthree");
	assert_int_equal(s.relay.open, 0);
	finish(&s);
}

static void test_a_prompt_is_not_kept_for_ever(void **state)
{
	struct streams s;

	(void)state;
	open_streams(&s);
	put(s.out, "attaching...");
	relay_pump(&s.relay, 0);
	assert_int_equal(sent.len, 0);
	pass(250);
	relay_pump(&s.relay, 0);
	assert_string_equal(sent.data, "attaching...");
	/* The other one waits for the end of that line, but not for long either. */
	put(s.err, "an error\n");
	relay_pump(&s.relay, 0);
	assert_string_equal(sent.data, "attaching...");
	put(s.out, " done\n");
	relay_pump(&s.relay, 0);
	assert_string_equal(sent.data, "attaching... done\nan error\n");
	put(s.out, "and");
	pass(250);
	relay_pump(&s.relay, 0);
	pass(250);
	relay_pump(&s.relay, 0);
	put(s.err, "late\n");
	pass(250);
	relay_pump(&s.relay, 0);
	assert_string_equal(sent.data, "attaching... done\nan error\nandlate\n");
	finish(&s);
}

static void test_dots_do_not_keep_the_other_waiting(void **state)
{
	struct streams s;

	(void)state;
	open_streams(&s);
	put(s.out, "loading");
	relay_pump(&s.relay, 0);
	pass(250);
	relay_pump(&s.relay, 0);
	put(s.err, "an error\n");
	for (int i = 0; i < 15; i++) {
		put(s.out, ".");
		relay_pump(&s.relay, 0);
		pass(50);
	}
	assert_non_null(strstr(sent.data, "an error\n"));
	finish(&s);
}

/* As much as a pipe holds, in lines. */
static void fill(int fd)
{
	static char lines[65536];

	memset(lines, 'x', sizeof(lines));
	for (size_t i = 63; i < sizeof(lines); i += 64)
		lines[i] = '\n';
	assert_int_equal(write(fd, lines, sizeof(lines)), sizeof(lines));
}

/* It ends while one stream waits for the other's line, with more than is held of it. */
static void test_what_waits_at_the_end_is_not_lost(void **state)
{
	for (int closed = 0; closed < 2; closed++) {
		struct streams s;

		(void)state;
		open_streams(&s);
		put(s.err, "loading... ");
		relay_pump(&s.relay, 0);
		pass(250);
		relay_pump(&s.relay, 0);
		assert_string_equal(sent.data, "loading... ");
		for (int i = 0; i < 2; i++) {
			fill(s.out);
			relay_pump(&s.relay, 0);
		}
		fill(s.out);
		if (closed) {
			close(s.out);
			close(s.err);
			s.out = s.err = -1;
		}
		tick_ns = 1000000;
		relay_finish(&s.relay);
		tick_ns = 0;
		assert_int_equal(sent.len, strlen("loading... ") + 3 * 65536);
		finish(&s);
	}
}

/* Writes numbered lines in pieces that end anywhere, some lines longer than what is held. */
static _Noreturn void write_lines(int fd, char name, unsigned seed)
{
	struct kt_buf text = KT_BUF_INIT;
	unsigned n = 0;

	srand(seed);
	for (; n < 3000; n++) {
		int filler = rand() % 400 ? rand() % 150 : 100000 + rand() % 100000;

		kt_buf_printf(&text, "%c %u ", name, n);
		for (int i = 0; i < filler; i++)
			kt_buf_appendc(&text, (char)('a' + rand() % 26));
		kt_buf_appendc(&text, '\n');
	}
	for (size_t done = 0; done < text.len;) {
		size_t len = 1 + (size_t)(rand() % 5000);
		ssize_t w = write(fd, text.data + done,
				  len < text.len - done ? len : text.len - done);

		if (w <= 0)
			_exit(1);
		done += (size_t)w;
	}
	_exit(0);
}

/* What a stream has to be, made a second time. */
static size_t sum_of(char name, unsigned seed)
{
	int fds[2], status;
	char chunk[65536];
	size_t sum = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid)
		write_lines(fds[1], name, seed);
	close(fds[1]);
	while ((n = read(fds[0], chunk, sizeof(chunk))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)chunk[i];
	close(fds[0]);
	waitpid(pid, &status, 0);
	return sum;
}

static void test_nothing_is_lost_or_reordered(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 4; seed++) {
		size_t sums[2] = {0}, lines[2] = {0};
		struct streams s;
		pid_t pids[2];
		char *line, *rest;

		open_streams(&s);
		for (int i = 0; i < 2; i++) {
			pids[i] = fork();
			if (!pids[i])
				write_lines(i ? s.err : s.out, i ? 'e' : 'o',
					    seed * 2 + (unsigned)i);
		}
		close(s.out);
		close(s.err);
		s.out = s.err = -1;
		while (!relay_closed(&s.relay))
			relay_pump(&s.relay, 100);
		relay_finish(&s.relay);
		for (rest = sent.data; rest && *rest && (line = strsep(&rest, "\n"));) {
			int i = line[0] == 'e';

			assert_true(line[0] == 'e' || line[0] == 'o');
			assert_int_equal(strtoul(line + 2, NULL, 10), lines[i]++);
			for (; *line; line++)
				sums[i] = sums[i] * 31 + (unsigned char)*line;
			sums[i] = sums[i] * 31 + '\n';
		}
		assert_true(sums[0] == sum_of('o', seed * 2));
		assert_true(sums[1] == sum_of('e', seed * 2 + 1));
		assert_true(n_frames > 10);
		for (int i = 0; i < 2; i++)
			waitpid(pids[i], NULL, 0);
		finish(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_not_torn),
		cmocka_unit_test(test_a_prompt_is_not_kept_for_ever),
		cmocka_unit_test(test_dots_do_not_keep_the_other_waiting),
		cmocka_unit_test(test_what_waits_at_the_end_is_not_lost),
		cmocka_unit_test(test_nothing_is_lost_or_reordered),
	};

	return cmocka_run_group_tests_name("vm/relay", tests, NULL, NULL);
}
