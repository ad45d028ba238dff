// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A stub that lies: each reply of a whole conversation, spoiled in each of the ways of
 * tests/lib/liar.c, and target descriptions that are huge, recursive or wrong. Each time it
 * must be one clear error, or the truth, within the deadline, and within bounded memory.
 */
#include <ctype.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gdbrsp/client.h"
#include "tests/lib/liar.h"
#include "util/clock.h"

#define TIMEOUT_MS 150
/*
 * What gdbrsp/client.c takes for a detach, and what a busy machine takes for anything: each of the
 * workers forks a guardian, of a process that a sanitizer has made large. What hangs, hangs longer.
 */
#define DETACH_MS 2000
#define BUSY_MS   12000
/* A client, its flight and its longest packet; 16 descriptions of 1 MiB at most, which grow. */
#define TALK_MEMORY_MAX        (1 << 20)
#define DESCRIPTION_MEMORY_MAX (34 << 20)
#define WORKERS                32

/* --- memory: how much a thread has at once, where a sanitizer tells --- */

extern int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
						     void (*)(const volatile void *))
	__attribute__((weak));
extern size_t __sanitizer_get_allocated_size(const volatile void *) __attribute__((weak));

static _Thread_local int64_t memory_now, memory_peak;

static void on_malloc(const volatile void *p, size_t size)
{
	(void)p;
	memory_now += (int64_t)size;
	if (memory_now > memory_peak)
		memory_peak = memory_now;
}

static void on_free(const volatile void *p)
{
	if (p)
		memory_now -= (int64_t)__sanitizer_get_allocated_size(p);
}

/* --- the conversation --- */

struct outcome {
	struct kt_error *err;
	int64_t late_ms; /* the longest that a call took over its deadline */
	bool wrong;      /* something was told that is not so */
};

static void timed(struct outcome *o, int64_t start_ns, int64_t allowed_ms, struct kt_error *err)
{
	int64_t late_ms = (kt_now_ns() - start_ns) / 1000000 - allowed_ms;

	if (late_ms > o->late_ms)
		o->late_ms = late_ms;
	if (o->err)
		kt_error_destroy(err);
	else
		o->err = err;
}

static void read_pieces(struct outcome *o, struct rsp_client *client, enum rsp_space space)
{
	static const struct {
		uint64_t addr;
		size_t len;
	} pieces[] = {{0x1000, 8}, {0xffffffff80000001, 100}, {0x2345, 0x1800}};
	uint8_t bytes[3][0x1800];
	struct rsp_read reads[3];
	int64_t start = kt_now_ns();
	struct kt_error *err;

	for (size_t i = 0; i < 3; i++)
		reads[i] = (struct rsp_read){pieces[i].addr, pieces[i].len, bytes[i], false};
	err = rsp_client_read(client, space, reads, 3);
	for (size_t i = 0; !err && i < 3; i++)
		for (size_t j = 0; !reads[i].fault && j < pieces[i].len; j++)
			o->wrong |= bytes[i][j] != (uint8_t)(pieces[i].addr + j);
	timed(o, start, TIMEOUT_MS, err);
}

static void read_registers(struct outcome *o, struct rsp_client *client)
{
	static const char *const names[] = {"rip", "cr0", "cr3", "efer"};
	static const uint64_t truth[] = {LIAR_RIP, LIAR_CR0, LIAR_CR3, LIAR_EFER};
	const struct rsp_thread *threads;
	uint64_t values[8];
	size_t n;
	int64_t start = kt_now_ns();
	struct kt_error *err = rsp_client_threads(client, &threads, &n);

	if (!err)
		err = rsp_client_registers(client, threads, n > 2 ? 2 : n, names, 4, values);
	for (size_t i = 0; !err && i < 4 * n && i < 8; i++)
		o->wrong |= values[i] != truth[i % 4];
	/* Each document that includes another is an exchange of its own. */
	timed(o, start, 16 * TIMEOUT_MS, err);
}

static void run_on(struct outcome *o, struct rsp_client *client)
{
	const struct rsp_thread *threads;
	struct rsp_stop stop;
	size_t n;
	int64_t start = kt_now_ns();
	struct kt_error *err = rsp_client_threads(client, &threads, &n);

	if (!err)
		err = rsp_client_breakpoint(client, 0xffffffff81000000, 1, true);
	timed(o, start, TIMEOUT_MS, err);
	start = kt_now_ns();
	if (!o->err)
		timed(o, start, TIMEOUT_MS, rsp_client_step(client, threads, &stop));
	start = kt_now_ns();
	if (!o->err)
		timed(o, start, TIMEOUT_MS,
		      rsp_client_breakpoint(client, 0xffffffff81000000, 1, false));
}

/* The guest runs, is stopped for a moment, and runs; this one stops again at once. */
static void glance(struct outcome *o, struct rsp_client *client)
{
	uint8_t bytes[64];
	struct rsp_read read = {.addr = 0x1230, .len = sizeof(bytes), .buf = bytes};
	int64_t start = kt_now_ns(), stopped_ns = 0;
	struct rsp_stop stop;
	struct kt_error *err = rsp_client_resume(client, NULL, NULL, 0);

	if (!err)
		err = rsp_client_glance(client, RSP_PHYSICAL, &read, 1, &stopped_ns);
	for (size_t i = 0; !err && !read.fault && i < sizeof(bytes); i++)
		o->wrong |= bytes[i] != (uint8_t)(read.addr + i);
	timed(o, start, 2 * TIMEOUT_MS, err);
	start = kt_now_ns();
	if (!o->err)
		timed(o, start, TIMEOUT_MS, rsp_client_wait(client, 0, &stop));
}

/* Everything that there is to ask, up to the first error, and the detach. */
static struct outcome converse(int fd)
{
	static const struct rsp_options options = {.timeout_ms = TIMEOUT_MS, .cancel_fd = -1};
	struct rsp_client *client = NULL;
	struct outcome o = {0};
	int64_t start = kt_now_ns();

	timed(&o, start, TIMEOUT_MS + DETACH_MS, rsp_client_from_fd(fd, &options, &client));
	if (!client)
		return o;
	read_registers(&o, client);
	if (!o.err)
		read_pieces(&o, client, RSP_VIRTUAL);
	if (!o.err)
		read_pieces(&o, client, RSP_PHYSICAL);
	if (!o.err)
		run_on(&o, client);
	if (!o.err)
		glance(&o, client);
	start = kt_now_ns();
	timed(&o, start, DETACH_MS, rsp_client_detach(client));
	rsp_client_destroy(client);
	return o;
}

/* --- the cases --- */

struct test_case {
	size_t way, at;
	liar_describe_fn *describe;
	const char *name;
	bool fatal;
	int64_t memory_max;
};

struct run {
	const struct test_case *cases;
	size_t n;
	atomic_size_t next, good;
	atomic_llong peak, latest_ms;
};

static bool is_clear(const struct kt_error *err)
{
	const char *text = kt_error_message(err), *hint = kt_error_hint_text(err);

	for (const char *p = text; *p; p++)
		if (!isprint((unsigned char)*p))
			return false;
	return strlen(text) > 10 && strlen(text) < 500 && (!hint || !strchr(hint, '\n'));
}

static const char *judge(const struct test_case *c, const struct outcome *o)
{
	if (o->wrong)
		return "what was told is not so";
	if (o->late_ms > BUSY_MS)
		return "too late";
	if (c->fatal && !o->err)
		return "no error";
	if (o->err && !is_clear(o->err))
		return "an error that is not clear";
	if (memory_peak > c->memory_max)
		return "too much memory";
	return NULL;
}

static void raise_to(atomic_llong *to, long long value)
{
	long long seen = atomic_load(to);

	while (value > seen && !atomic_compare_exchange_weak(to, &seen, value))
		;
}

static void *worker(void *arg)
{
	struct run *run = arg;
	size_t i;

	while ((i = atomic_fetch_add(&run->next, 1)) < run->n) {
		const struct test_case *c = &run->cases[i];
		struct outcome o;
		struct liar *liar;
		const char *why;
		size_t nth = c->at;
		int fd;

		liar = liar_start(c->way, c->at, c->describe, &nth, &fd);
		memory_now = memory_peak = 0;
		o = converse(fd);
		why = judge(c, &o);
		raise_to(&run->peak, memory_peak);
		raise_to(&run->latest_ms, o.late_ms);
		if (why)
			fprintf(stderr, "# reply %zu, %s: %s: %s\n", c->at, c->name, why,
				o.err ? kt_error_message(o.err) : "no error");
		else
			atomic_fetch_add(&run->good, 1);
		kt_error_destroy(o.err);
		liar_join(liar);
	}
	return NULL;
}

static void run_cases(const struct test_case *cases, size_t n, const char *what)
{
	struct run run = {.cases = cases, .n = n};
	pthread_t threads[WORKERS];

	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, worker, &run), 0);
	for (size_t i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	printf("# %s: %zu of %zu; at most %lld KiB, and %lld ms over a deadline\n", what,
	       (size_t)run.good, n, (long long)run.peak >> 10, (long long)run.latest_ms);
	assert_int_equal((size_t)run.good, n);
}

static size_t count_replies(void)
{
	int fd;
	struct liar *liar = liar_start(liar_n_ways, 0, NULL, NULL, &fd);
	struct outcome o = converse(fd);

	if (o.err)
		fail_msg("%s", kt_error_message(o.err));
	assert_false(o.wrong);
	return liar_join(liar);
}

static void test_each_reply_in_each_way(void **state)
{
	size_t replies = count_replies(), n = 0;
	struct test_case *cases = calloc(replies * liar_n_ways, sizeof(*cases));

	(void)state;
	assert_non_null(cases);
	/* The slow ways first, so that they wait side by side. */
	for (int slowly = 1; slowly >= 0; slowly--)
		for (size_t at = 0; at < replies; at++)
			for (size_t way = 0; way < liar_n_ways; way++)
				if (liar_ways[way].slowly == slowly)
					cases[n++] = (struct test_case){
						.way = way,
						.at = at,
						.name = liar_ways[way].name,
						.fatal = liar_ways[way].fatal,
						.memory_max = TALK_MEMORY_MAX,
					};
	assert_true(n >= 300);
	run_cases(cases, n, "a stub that lies");
	free(cases);
}

/* --- target descriptions --- */

static void piece_of(const char *doc, size_t size, size_t offset, size_t len, char *reply,
		     size_t *reply_len)
{
	size_t rest = offset < size ? size - offset : 0;

	len = len < LIAR_REPLY_MAX - 1 ? len : LIAR_REPLY_MAX - 1;
	reply[0] = rest > len ? 'm' : 'l';
	*reply_len = 1 + (rest > len ? len : rest);
	memcpy(reply + 1, doc + (rest ? offset : size), *reply_len - 1);
}

#define DESCRIBE(fn)                                                                               \
	static void fn(void *arg, const char *name, size_t offset, size_t len, char *reply,        \
		       size_t *reply_len)

/* One line of many, which is the document, over and over. */
static void endless(const char *line, size_t len, char *reply, size_t *reply_len)
{
	size_t n = strlen(line);

	len = len < LIAR_REPLY_MAX - 1 ? len : LIAR_REPLY_MAX - 1;
	reply[0] = 'm';
	for (size_t i = 0; i < len; i++)
		reply[1 + i] = line[i % n];
	*reply_len = 1 + len;
}

DESCRIBE(without_end)
{
	static const char *const lines[] = {
		"<reg name=\"a\" bitsize=\"64\"/>", "<!-- ", "<", "a",
		"<xi:include href=\"t.xml\"/>",
	};

	(void)offset, (void)name;
	endless(lines[*(size_t *)arg % 5], len, reply, reply_len);
}

DESCRIBE(one_byte_at_a_time)
{
	(void)arg, (void)name, (void)offset, (void)len;
	memcpy(reply, "m<", 2);
	*reply_len = 2;
}

DESCRIBE(includes_itself)
{
	char doc[256];
	int n = snprintf(doc, sizeof(doc),
			 "<xi:include href=\"%s\"/><xi:include href=\"target.xml\"/>"
			 "<reg name=\"rip\" bitsize=\"64\"/>",
			 name);

	(void)arg;
	piece_of(doc, (size_t)n, offset, len, reply, reply_len);
}

/* 0.xml includes 1.xml, and so on, for ever; or ten each. */
DESCRIBE(includes_more)
{
	size_t nth = *(size_t *)arg, each = nth ? 10 : 1;
	long i = strtol(name, NULL, 10);
	char doc[1024] = "";
	size_t n = 0;

	for (size_t j = 0; j < each; j++)
		n += (size_t)snprintf(doc + n, sizeof(doc) - n, "<xi:include href=\"%zu.xml\"/>",
				      (size_t)i * each + j + 1);
	piece_of(doc, n, offset, len, reply, reply_len);
}

/* Many registers: up to the most that are taken, and one more. */
DESCRIBE(too_many)
{
	static const char reg[] = "<reg name=\"r\" bitsize=\"64\"/>";
	size_t n = sizeof(reg) - 1, total = n * (8192 + *(size_t *)arg % 2), i;

	(void)name;
	reply[0] = 'm';
	for (i = 0; i < len && i < LIAR_REPLY_MAX - 1 && offset + i < total; i++)
		reply[1 + i] = reg[(offset + i) % n];
	if (offset + i >= total)
		reply[0] = 'l';
	*reply_len = 1 + i;
}

/* The good one, cut off after so many bytes. */
DESCRIBE(cut_off)
{
	bool is_target = !strcmp(name, "target.xml");
	const char *doc = is_target ? liar_target_xml : liar_registers_xml;
	size_t size = strlen(doc), nth = *(size_t *)arg;

	if (is_target == (nth < strlen(liar_target_xml)))
		size = is_target ? nth : nth - strlen(liar_target_xml);
	piece_of(doc, size, offset, len, reply, reply_len);
}

/* What is cut off is only the end tag. */
static bool misses_nothing(size_t nth)
{
	const char *end = strstr(liar_target_xml, "</target>");

	return nth >= (size_t)(end - liar_target_xml) && nth < strlen(liar_target_xml);
}

/* The good one with one byte that is another: a bound, a sign, a name. */
DESCRIBE(damaged)
{
	static const char bytes[] = "<>\"'/!-= 09\xff\n";
	char doc[512];
	size_t nth = *(size_t *)arg, size = strlen(liar_registers_xml);

	if (!strcmp(name, "target.xml")) {
		piece_of(liar_target_xml, strlen(liar_target_xml), offset, len, reply, reply_len);
		return;
	}
	memcpy(doc, liar_registers_xml, size);
	doc[nth * 7 % size] = bytes[nth % (sizeof(bytes) - 1)];
	piece_of(doc, size, offset, len, reply, reply_len);
}

static void test_descriptions(void **state)
{
	static const struct {
		liar_describe_fn *describe;
		const char *name;
		size_t n;
		bool fatal;
	} kinds[] = {
		{without_end, "a description without end", 5, true},
		{one_byte_at_a_time, "a byte at a time", 1, true},
		{includes_itself, "a description that includes itself", 1, true},
		{includes_more, "a description that includes more and more", 2, true},
		{too_many, "too many registers", 2, true},
		{cut_off, "a description that is cut off", 0, true},
		{damaged, "a description with a wrong byte", 200, false},
	};
	struct test_case cases[1000];
	size_t n = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		/* Up to the last register's tag, of which the rest is only more to pass over. */
		size_t last = (size_t)(strstr(liar_registers_xml, "<reg name=\"efer\"") -
				       liar_registers_xml);
		size_t nth_max = kinds[k].n ? kinds[k].n : strlen(liar_target_xml) + last;

		for (size_t nth = 0; nth < nth_max; nth++)
			cases[n++] = (struct test_case){
				.way = liar_n_ways,
				.at = nth,
				.describe = kinds[k].describe,
				.name = kinds[k].name,
				.fatal = kinds[k].fatal &&
					 !(kinds[k].describe == cut_off && misses_nothing(nth)),
				.memory_max = DESCRIPTION_MEMORY_MAX,
			};
	}
	run_cases(cases, n, "target descriptions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_reply_in_each_way),
		cmocka_unit_test(test_descriptions),
	};

	if (__sanitizer_install_malloc_and_free_hooks && __sanitizer_get_allocated_size)
		__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	return cmocka_run_group_tests_name("gdbrsp/hostile", tests, NULL, NULL);
}
