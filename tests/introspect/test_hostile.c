// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A guest whose memory lies: each word of a synthetic kernel that has anything in it (page tables,
 * xarray nodes, programs, counts, BTF, names, per-CPU offsets) is spoiled in each of several ways.
 * What comes of it is a clear error or a table: in time, within bounded memory, of no more
 * programs than there are, and with nothing in it that a terminal would obey.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "render/programs.h"
#include "tests/introspect/synth.h"

#define N_PROGRAMS 3
/* A walk of so small a guest takes a millisecond; a machine may be busy. */
#define TIME_MAX_MS 3000
#define MEMORY_MAX  (64 << 20)
#define PAGE        4096

/* --- memory: how much there is at once, where a sanitizer tells --- */

extern int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
						     void (*)(const volatile void *))
	__attribute__((weak));
extern size_t __sanitizer_get_allocated_size(const volatile void *) __attribute__((weak));

static int64_t memory_now, memory_peak;

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

/* --- the guest, and its words --- */

static void make_guest(struct synth *s)
{
	synth_init(s, SYNTH_KASLR);
	for (uint32_t id = 1; id <= N_PROGRAMS; id++) {
		struct synth_prog p = synth_prog(s, id);

		synth_maps(s, &p, 2, id);
		synth_funcs(s, &p, 1);
		synth_btf(s, &p, "a_name_of_more_than_fifteen");
	}
	synth_cpu(s);
}

struct words {
	gaddr_t *all;
	size_t n;
};

static int by_address(const void *a, const void *b)
{
	const gaddr_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Every word that is not 0, in order, so that case N is the same in each run. */
static struct words find_words(void)
{
	struct words words = {0};
	size_t room = 0;
	struct synth s;

	make_guest(&s);
	for (size_t i = 0; i < TEXTMEM_SLOTS; i++)
		room += s.mem->slots[i] ? PAGE / 8 : 0;
	words.all = calloc(room, sizeof(*words.all));
	assert_non_null(words.all);
	for (size_t i = 0; i < TEXTMEM_SLOTS; i++)
		for (size_t at = 0; s.mem->slots[i] && at < PAGE; at += 8) {
			gaddr_t addr = s.mem->slots[i]->addr + at;
			uint64_t value = 0;
			struct gmem_read read = {addr, 8, &value, false};

			assert_null(textmem_read_physical(s.mem, &read, 1));
			if (!read.fault && value)
				words.all[words.n++] = addr;
		}
	synth_deinit(&s);
	qsort(words.all, words.n, sizeof(*words.all), by_address);
	return words;
}

enum way {
	ZERO,
	ONES,
	BIG,        /* 2^32 */
	BIG_COUNTS, /* two 32-bit counts, both the largest there is */
	ITSELF,     /* a pointer to where it is */
	ITS_NODE,   /* the same as an xarray's node, at the start of its page */
	ITS_TABLE,  /* the same as an entry of a page table */
	NOWHERE,    /* a pointer to what is not mapped */
	NOT_CANONICAL,
	BEFORE, /* the word before it: alike ones are shared, others exchanged */
	ESCAPE, /* a name that a terminal would obey */
	NOT_UTF8,
	N_WAYS,
};

static uint64_t spoiled(enum way way, const struct words *words, size_t i, uint64_t before)
{
	gaddr_t addr = words->all[i], page = addr & ~(gaddr_t)(PAGE - 1);

	switch (way) {
	case ONES: return UINT64_MAX;
	case BIG: return UINT64_C(1) << 32;
	case BIG_COUNTS: return UINT64_C(0x7fffffff7fffffff);
	case ITSELF: return synth_va(addr);
	case ITS_NODE: return synth_va(page) | 2;
	case ITS_TABLE: return page | 0x67;
	case NOWHERE: return UINT64_C(0xffffc0dedead0000);
	case NOT_CANONICAL: return UINT64_C(0x00de000000000000);
	case BEFORE: return before;
	case ESCAPE: return UINT64_C(0x0a6d31335b1b0d41); /* "A\r\x1b[31m\n" */
	case NOT_UTF8: return UINT64_C(0x9bff80c0fee29b41);
	default: return 0;
	}
}

static void spoil(struct synth *s, const struct words *words, size_t i, enum way way)
{
	uint64_t before = 0;
	struct gmem_read read = {words->all[i ? i - 1 : words->n - 1], 8, &before, false};

	assert_null(textmem_read_physical(s->mem, &read, 1));
	textmem_put_uint(s->mem, words->all[i], spoiled(way, words, i, before), 8);
}

/* --- what comes of it --- */

static bool is_clean(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if ((*p < 0x20 && *p != '\n') || *p == 0x7f ||
		    (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			return false;
	return true;
}

static const char *judge_table(const struct programs *programs)
{
	const char *why = NULL;
	size_t lines = 0;
	char *table;

	if (programs->n > N_PROGRAMS + 1)
		return "more programs than there are";
	assert_null(render_programs_table(programs, "id,type,name,full_name,insns,jited", 200,
					  false, &table));
	for (const char *p = table; *p; p++)
		lines += *p == '\n';
	if (!is_clean(table))
		why = "a table that a terminal would obey";
	else if (programs->n && lines != programs->n + 1)
		why = "a table with a line too many";
	free(table);
	return why;
}

/* Of this thread: a busy machine costs it none. */
static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static const char *judge(const struct kt_error *err, const struct programs *programs,
			 int64_t start_ns)
{
	if (cpu_ns() - start_ns > TIME_MAX_MS * INT64_C(1000000))
		return "too late";
	if (memory_peak > MEMORY_MAX)
		return "too much memory";
	if (!err)
		return judge_table(programs);
	if (!is_clean(kt_error_message(err)) || strchr(kt_error_message(err), '\n') ||
	    strlen(kt_error_message(err)) < 10)
		return "an error that is not clear";
	return NULL;
}

static bool check_one(const struct words *words, size_t i, enum way way, size_t *errors)
{
	struct bpf_progs *progs = NULL;
	struct programs programs = {0};
	struct guest *guest = NULL;
	struct kt_error *err;
	struct synth s;
	const char *why;
	int64_t start;

	make_guest(&s);
	spoil(&s, words, i, way);
	start = cpu_ns();
	memory_now = memory_peak = 0;
	err = synth_guest(&s, &guest);
	if (!err)
		err = bpf_progs_read(guest, &progs);
	if (!err)
		err = bpf_progs_finish(progs, &s.facts, &programs);
	why = judge(err, &programs, start);
	if (why)
		printf("# word %zu (%#llx), way %d: %s: %s\n", i, (unsigned long long)words->all[i],
		       way, why, err ? kt_error_message(err) : "no error");
	*errors += err != NULL;
	kt_error_destroy(err);
	programs_deinit(&programs);
	bpf_progs_destroy(progs);
	guest_destroy(guest);
	synth_deinit(&s);
	return !why;
}

static void test_each_word(void **state)
{
	struct words words = find_words();
	size_t good = 0, errors = 0;
	int64_t peak = 0;

	(void)state;
	for (size_t i = 0; i < words.n; i++)
		for (enum way way = ZERO; way < N_WAYS; way++) {
			good += check_one(&words, i, way, &errors);
			peak = memory_peak > peak ? memory_peak : peak;
		}
	printf("# a guest that lies: %zu of %zu, %zu of them errors; at most %lld KiB\n", good,
	       words.n * N_WAYS, errors, (long long)peak >> 10);
	assert_true(words.n > 100);
	assert_true(errors > 0 && errors < words.n * N_WAYS);
	assert_int_equal(good, words.n * N_WAYS);
	free(words.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_word)};

	if (__sanitizer_install_malloc_and_free_hooks && __sanitizer_get_allocated_size)
		__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	return cmocka_run_group_tests_name("introspect/hostile", tests, NULL, NULL);
}
