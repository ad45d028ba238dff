// SPDX-License-Identifier: LGPL-2.1-or-later
/* Walks that read at once: what they get, in how many round trips, and how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/together.h"

/* Memory in which each byte tells its address. Nothing is mapped from MAPPED on. */
#define MAPPED 0x100000u

struct fake {
	size_t trips, requests;
	size_t fail_at; /* the trip that ends in an error; 0: none */
};

static uint8_t byte_at(gaddr_t addr)
{
	return (uint8_t)(addr * 7 + (addr >> 8));
}

static struct kt_error *fake_read(void *source, struct gmem_read *reads, size_t count)
{
	struct fake *fake = source;

	if (++fake->trips == fake->fail_at)
		return kt_error_new(KT_ERROR_CLOSED, "the stub is gone");
	fake->requests += count;
	for (size_t i = 0; i < count; i++) {
		reads[i].fault = reads[i].addr + reads[i].len > MAPPED;
		for (size_t k = 0; k < reads[i].len && !reads[i].fault; k++)
			((uint8_t *)reads[i].buf)[k] = byte_at(reads[i].addr + k);
	}
	return NULL;
}

/* A walk: `steps` reads, one after the other, of what the one before tells. */
struct steps {
	struct together *together;
	gaddr_t addr;
	size_t steps, done;
	bool fails; /* by itself, after its steps */
	bool faults;
	const struct guest_walk *children; /* run at the end */
	size_t n_children;
};

static struct kt_error *run_steps(void *arg)
{
	struct steps *s = arg;
	const struct gmem memory = together_memory(s->together);

	for (; s->done < s->steps; s->done++) {
		uint8_t bytes[4];
		struct gmem_read read = {.addr = s->addr, .len = sizeof(bytes), .buf = bytes};
		struct kt_error *err = memory.read(memory.source, &read, 1);

		if (err)
			return kt_error_wrap(err, "walk at 0x%x", (unsigned int)s->addr);
		s->faults |= read.fault;
		for (size_t k = 0; k < sizeof(bytes) && !read.fault; k++)
			assert_int_equal(bytes[k], byte_at(s->addr + k));
		s->addr += 4096;
	}
	if (s->fails)
		return kt_error_new(KT_ERROR_FORMAT, "a fault of its own");
	return s->children ? together_run(s->together, s->children, s->n_children) : NULL;
}

static struct together *make(struct fake *fake)
{
	struct together *together = together_create((struct gmem){fake_read, fake});

	assert_non_null(together);
	return together;
}

static void test_trips(void **state)
{
	struct fake fake = {0};
	struct together *together = make(&fake);
	struct steps a = {.together = together, .addr = 0x1000, .steps = 3},
		     b = {.together = together, .addr = 0x1008, .steps = 7},
		     c = {.together = together, .addr = 0x9000, .steps = 0};
	const struct guest_walk walks[] = {{run_steps, &a}, {run_steps, &b}, {run_steps, &c}};

	(void)state;
	assert_null(together_run(together, walks, 3));
	assert_int_equal(a.done, 3);
	assert_int_equal(b.done, 7);
	assert_int_equal(fake.trips, 7);    /* the longest's, and not 10 */
	assert_int_equal(fake.requests, 7); /* neighbours of two walks are one request */
	/* One walk, and none, work as well. */
	a.done = 0;
	assert_null(together_run(together, walks, 1));
	assert_int_equal(fake.trips, 10);
	assert_null(together_run(together, walks, 0));
	together_destroy(together);
}

/* A walk whose memory is not there does not take that of another away. */
static void test_fault(void **state)
{
	struct fake fake = {0};
	struct together *together = make(&fake);
	struct steps a = {.together = together, .addr = MAPPED - 4, .steps = 1},
		     b = {.together = together, .addr = MAPPED - 2, .steps = 1};
	const struct guest_walk walks[] = {{run_steps, &a}, {run_steps, &b}};

	(void)state;
	assert_null(together_run(together, walks, 2));
	assert_false(a.faults);
	assert_true(b.faults);
	together_destroy(together);
}

static void test_nested(void **state)
{
	struct fake fake = {0};
	struct together *together = make(&fake);
	struct steps inner[2] = {{.together = together, .addr = 0x5000, .steps = 4},
				 {.together = together, .addr = 0x6000, .steps = 2}};
	const struct guest_walk children[] = {{run_steps, &inner[0]}, {run_steps, &inner[1]}};
	struct steps outer[2] = {{.together = together,
				  .addr = 0x1000,
				  .steps = 1,
				  .children = children,
				  .n_children = 2},
				 {.together = together, .addr = 0x2000, .steps = 6}};
	const struct guest_walk walks[] = {{run_steps, &outer[0]}, {run_steps, &outer[1]}};

	(void)state;
	assert_null(together_run(together, walks, 2));
	assert_int_equal(inner[0].done, 4);
	assert_int_equal(inner[1].done, 2);
	assert_int_equal(outer[1].done, 6);
	assert_int_equal(fake.trips, 6);
	together_destroy(together);
}

static void expect_error(struct kt_error *err, enum kt_error_code code, const char *message)
{
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	assert_string_equal(kt_error_message(err), message);
	kt_error_destroy(err);
}

/* What a walk holds is released: each runs to its end, and no walk reads on. */
static void test_own_failure(void **state)
{
	struct fake fake = {0};
	struct together *together = make(&fake);
	struct steps a = {.together = together, .addr = 0x1000, .steps = 9},
		     b = {.together = together, .addr = 0x2000, .steps = 2, .fails = true};
	struct steps c = {.together = together, .addr = 0x3000, .steps = 9};
	const struct guest_walk walks[] = {{run_steps, &a}, {run_steps, &b}, {run_steps, &c}};

	(void)state;
	expect_error(together_run(together, walks, 3), KT_ERROR_FORMAT, "a fault of its own");
	assert_int_equal(fake.trips, 2);
	/* The next walks are not told of it. */
	c.done = 0;
	assert_null(together_run(together, walks + 2, 1));
	a = (struct steps){.together = together, .addr = 0x1000, .steps = 2};
	c = (struct steps){.together = together, .addr = 0x3000, .steps = 2};
	b.fails = false;
	assert_null(together_run(together, walks, 3));
	together_destroy(together);
}

/* The error is of the walk within a walk, though others end before the outer one does. */
static void test_nested_failure(void **state)
{
	struct fake fake = {0};
	struct together *together = make(&fake);
	struct steps inner[2] = {{.together = together, .addr = 0x5000, .steps = 1, .fails = true},
				 {.together = together, .addr = 0x6000, .steps = 5}};
	const struct guest_walk children[] = {{run_steps, &inner[0]}, {run_steps, &inner[1]}};
	struct steps outer[2] = {{.together = together, .addr = 0x1000, .steps = 9},
				 {.together = together,
				  .addr = 0x2000,
				  .steps = 1,
				  .children = children,
				  .n_children = 2}};
	const struct guest_walk walks[] = {{run_steps, &outer[0]}, {run_steps, &outer[1]}};

	(void)state;
	expect_error(together_run(together, walks, 2), KT_ERROR_FORMAT, "a fault of its own");
	together_destroy(together);
}

static void test_lost(void **state)
{
	struct fake fake = {.fail_at = 2};
	struct together *together = make(&fake);
	struct steps a = {.together = together, .addr = 0x1000, .steps = 9},
		     b = {.together = together, .addr = 0x2000, .steps = 9};
	const struct guest_walk walks[] = {{run_steps, &a}, {run_steps, &b}};

	(void)state;
	expect_error(together_run(together, walks, 2), KT_ERROR_CLOSED,
		     "walk at 0x2000: the stub is gone");
	assert_int_equal(fake.trips, 2);
	assert_int_equal(a.done, 1);
	assert_int_equal(b.done, 1);
	together_destroy(together);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trips),          cmocka_unit_test(test_fault),
		cmocka_unit_test(test_nested),         cmocka_unit_test(test_own_failure),
		cmocka_unit_test(test_nested_failure), cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
