// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Logs that are plain repeats: only register state changes from one iteration to the next. Of
 * each it is known, from how it was made, what its collapsed text is, byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/logparse/unmark_help.h"
#include "tests/memory/rng.h"

#define BODY_MAX 40
#define RUNS     400

enum item_kind { INSN, STATE, SOURCE, PRECISION };

/* Lines that an iteration has at one place: one, or a block of precision tracking. */
struct item {
	enum item_kind kind;
	unsigned int index; /* of the instruction */
	unsigned int id;    /* makes it different from all others of its kind */
	size_t lines;
};

struct body {
	struct item items[BODY_MAX];
	size_t n;
	size_t lines;
};

struct gen {
	uint64_t rng;
	unsigned int index, id;
	struct kt_buf in, want;
};

static size_t pick(struct gen *g, size_t lo, size_t hi)
{
	return lo + (size_t)rng_below(&g->rng, hi - lo + 1);
}

static void registers(struct gen *g, struct kt_buf *out)
{
	unsigned int reg = (unsigned int)pick(g, 0, 9), n = (unsigned int)pick(g, 0, 99999);

	if (pick(g, 0, 3) == 0)
		kt_buf_appends(out, "frame1: ");
	switch (pick(g, 0, 3)) {
	case 0: kt_buf_printf(out, "R%u_w=%u", reg, n); break;
	case 1:
		kt_buf_printf(out, "R%u=scalar(umax=%u,var_off=(0x0; 0x%x)) R10=fp0", reg, n, n);
		break;
	case 2:
		kt_buf_printf(out, "R%u_w=pkt(off=%u,r=14) R2=pkt_end() fp-8_w=%u", reg, n, n);
		break;
	default: kt_buf_printf(out, "R%u=map_value(map=m,ks=4,vs=8) refs=%u", reg, n);
	}
}

static void insn(struct gen *g, const struct item *item, struct kt_buf *out)
{
	size_t start = out->len;

	if (item->id % 3 == 0)
		kt_buf_printf(out, "%u: (07) r%u += %u", item->index, item->id % 10, item->id);
	else if (item->id % 3 == 1)
		kt_buf_printf(out, "%u: (61) r%u = *(u32 *)(r1 +%u)", item->index, item->id % 10,
			      item->id);
	else
		kt_buf_printf(out, "%u: (15) if r%u == 0x%x goto pc+3", item->index, item->id % 10,
			      item->id);
	if (pick(g, 0, 7) == 0) /* the registers are those printed before: no state */
		return;
	kt_buf_printf(out, "%*s; ", (int)(start + 38 > out->len ? start + 38 - out->len : 1), "");
	registers(g, out);
}

static void precision(struct gen *g, const struct item *item, struct kt_buf *out)
{
	for (size_t i = 0; i < item->lines; i++) {
		if (i == 0)
			kt_buf_printf(out,
				      "mark_precise: frame0: last_idx %u first_idx %zu "
				      "subseq_idx -1 \n",
				      item->index, pick(g, 0, 99));
		else
			kt_buf_printf(out,
				      "mark_precise: frame0: regs=r%zu stack= before %u: (07) "
				      "r1 += %u\n",
				      pick(g, 0, 9), item->index - (unsigned int)i, item->id);
	}
}

/* One iteration to the input and, if it is to be shown, to what is wanted. */
static void emit(struct gen *g, const struct item *items, size_t n, bool shown)
{
	for (size_t i = 0; i < n; i++) {
		const struct item *item = &items[i];
		size_t start = g->in.len;

		switch (item->kind) {
		case INSN:
			insn(g, item, &g->in);
			kt_buf_appendc(&g->in, '\n');
			break;
		case STATE:
			kt_buf_printf(&g->in, "%u: ", item->index);
			registers(g, &g->in);
			kt_buf_appendc(&g->in, '\n');
			break;
		case SOURCE:
			kt_buf_printf(&g->in, "; s += f(%u); @ plain.bpf.c:%u\n", item->id,
				      item->id % 100);
			break;
		case PRECISION: precision(g, item, &g->in); break;
		}
		if (shown && item->kind == PRECISION && item->lines > 3)
			kt_buf_printf(&g->want, "--- %zu lines of precision tracking omitted ---\n",
				      item->lines);
		else if (shown)
			kt_buf_append(&g->want, g->in.data + start, g->in.len - start);
	}
}

/* Lines that appear nowhere else; a source line is before an instruction, as in real logs. */
static void random_body(struct gen *g, struct body *b, size_t n, bool with_precision)
{
	*b = (struct body){.n = n};
	for (size_t i = 0; i < n; i++) {
		struct item *item = &b->items[i];
		bool after_insn = i && b->items[i - 1].kind == INSN && i < n - 1;
		size_t kind = pick(g, 0, 9);

		*item = (struct item){INSN, g->index, ++g->id, 1};
		if ((i == 0 && n > 1) || (after_insn && kind == 0))
			item->kind = SOURCE;
		else if (after_insn && kind == 1)
			item->kind = STATE;
		else if (after_insn && kind < 4 && with_precision)
			item->kind = PRECISION;
		if (item->kind == PRECISION)
			item->lines = pick(g, 1, 12);
		if (item->kind == INSN)
			g->index++;
		b->lines += item->lines;
	}
}

static void unique_lines(struct gen *g, size_t n)
{
	struct body b;

	if (!n)
		return;
	random_body(g, &b, n, false);
	emit(g, b.items, b.n, true);
}

static void header(struct gen *g, size_t count, size_t lines)
{
	kt_buf_printf(&g->want, "--- %zux of the following %zu lines ---\n", count, lines);
}

static void repeat(struct gen *g, const struct body *b, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i == 0)
			header(g, count, b->lines);
		else if (i == 1)
			kt_buf_printf(&g->want, "--- %zu identical iterations omitted ---\n",
				      count - 2);
		emit(g, b->items, b->n, i == 0 || i == count - 1);
	}
	kt_buf_appends(&g->want, "--- end repeat ---\n");
}

static struct gen begin(uint64_t seed)
{
	struct gen g = {.rng = rng_mix(seed), .index = 100};

	unique_lines(&g, pick(&g, 1, 12));
	return g;
}

static void end(struct gen *g, uint64_t seed, const char *what)
{
	struct kt_text out;
	struct unmark u;
	char name[100];
	size_t same = 0;

	unique_lines(g, pick(g, 0, 9));
	if (pick(g, 0, 1)) {
		kt_buf_appends(&g->in, "R1 !read_ok\nprocessed 3 insns (limit 1000000)\n");
		kt_buf_appends(&g->want, "R1 !read_ok\nprocessed 3 insns (limit 1000000)\n");
	}
	snprintf(name, sizeof(name), "%s, seed %llu", what, (unsigned long long)seed);
	out = collapse_checked(text_of(&g->in), NULL, name, &u);
	while (same < out.len && same < g->want.len && out.data[same] == g->want.data[same])
		same++;
	if (out.len != g->want.len || same != out.len) {
		dump(text_of(&g->in), out, text_of(&g->want));
		while (same && out.data[same - 1] != '\n')
			same--;
		fail_msg("%s: \"%.60s\" instead of \"%.60s\"", name, out.data + same,
			 g->want.data + same);
	}
	unmark_deinit(&u);
	free((void *)out.data);
	kt_buf_deinit(&g->in);
	kt_buf_deinit(&g->want);
}

static void test_one(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body b;

		random_body(&g, &b, pick(&g, 5, BODY_MAX), false);
		repeat(&g, &b, pick(&g, 0, 9) ? pick(&g, 3, 20) : pick(&g, 21, 200));
		end(&g, seed, "one repeat");
	}
}

/* The last time only a part of it, as when a loop ends in its condition. */
static void test_partial_end(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body b;

		random_body(&g, &b, pick(&g, 5, BODY_MAX), false);
		repeat(&g, &b, pick(&g, 3, 20));
		emit(&g, b.items, pick(&g, 1, b.n - 1), true);
		end(&g, seed, "a part of an iteration at the end");
	}
}

/*
 * The first time only its end, as when a loop is entered in the middle: the earliest start is
 * there, so an iteration is that end and then the beginning.
 */
static void test_partial_start(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body b, turned;
		size_t skip;

		random_body(&g, &b, pick(&g, 5, BODY_MAX), false);
		skip = pick(&g, 1, b.n - 1);
		turned = b;
		for (size_t i = 0; i < b.n; i++)
			turned.items[i] = b.items[(skip + i) % b.n];
		repeat(&g, &turned, pick(&g, 3, 20));
		emit(&g, turned.items, b.n - skip, true);
		end(&g, seed, "the end of an iteration at the start");
	}
}

/* Fewer than 5 lines: so many iterations at a time that they are 5 or more. */
static void test_short(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body b, several = {.n = 0};
		size_t n = pick(&g, 2, 4), times = (5 + n - 1) / n;

		random_body(&g, &b, n, false);
		for (size_t i = 0; i < times; i++)
			for (size_t k = 0; k < n; k++)
				several.items[several.n++] = b.items[k];
		several.lines = several.n;
		/* No rest, which another period could have used. */
		repeat(&g, &several, pick(&g, 3, 20));
		end(&g, seed, "a short repeat");
	}
}

static void test_too_few(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body b;

		random_body(&g, &b, pick(&g, 5, BODY_MAX), false);
		emit(&g, b.items, b.n, true);
		emit(&g, b.items, b.n, true);
		end(&g, seed, "twice is no repeat");
	}
}

static void test_sequence(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);

		for (size_t i = pick(&g, 2, 5); i; i--) {
			struct body b;

			random_body(&g, &b, pick(&g, 5, 20), false);
			repeat(&g, &b, pick(&g, 3, 9));
			unique_lines(&g, pick(&g, 0, 3));
		}
		end(&g, seed, "one after the other");
	}
}

/* Blocks of precision tracking of the same length each time. */
static void test_precision(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body b;

		random_body(&g, &b, pick(&g, 5, BODY_MAX), true);
		repeat(&g, &b, pick(&g, 3, 20));
		end(&g, seed, "with precision tracking");
	}
}

/* Unrolled copies: the same instructions at other indexes. */
static void test_unrolled(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body b;
		size_t count = pick(&g, 3, 12);
		unsigned int first = g.index, insns;

		random_body(&g, &b, pick(&g, 5, BODY_MAX), false);
		insns = g.index - first;
		for (size_t i = 0; i < count; i++) {
			if (i == 0)
				header(&g, count, b.lines);
			else if (i == 1)
				kt_buf_printf(&g.want, "--- %zu identical iterations omitted ---\n",
					      count - 2);
			emit(&g, b.items, b.n, i == 0 || i == count - 1);
			for (size_t k = 0; k < b.n; k++)
				b.items[k].index += insns;
		}
		g.index = first + insns * (unsigned int)count;
		kt_buf_appends(&g.want, "--- end repeat ---\n");
		end(&g, seed, "unrolled");
	}
}

/* A repeat in each iteration of a repeat, the same number of times each time. */
static void test_nested(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body head, inner, tail;
		size_t outer_count, inner_count = pick(&g, 3, 9), lines;

		random_body(&g, &head, pick(&g, 2, 9), false);
		random_body(&g, &inner, pick(&g, 5, 15), false);
		random_body(&g, &tail, pick(&g, 2, 9), false);
		outer_count = pick(&g, 3, 9);
		lines = head.lines + inner_count * inner.lines + tail.lines;
		for (size_t i = 0; i < outer_count; i++) {
			size_t want = g.want.len;

			if (i == 0)
				header(&g, outer_count, lines);
			else if (i == outer_count - 1)
				kt_buf_printf(&g.want, "--- %zu identical iterations omitted ---\n",
					      outer_count - 2);
			if (i == 0 || i == outer_count - 1)
				want = SIZE_MAX;
			emit(&g, head.items, head.n, true);
			repeat(&g, &inner, inner_count);
			emit(&g, tail.items, tail.n, true);
			if (want != SIZE_MAX)
				g.want.len = want; /* this iteration is omitted */
		}
		kt_buf_appends(&g.want, "--- end repeat ---\n");
		end(&g, seed, "nested");
	}
}

/* The same with an inner repeat of other counts each time: alike, not identical. */
static void test_nested_similar(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body head, inner, tail;
		size_t outer_count = pick(&g, 3, 9), lines[9], lo = SIZE_MAX, hi = 0, omitted = 0;
		size_t counts[9];

		random_body(&g, &head, pick(&g, 2, 9), false);
		random_body(&g, &inner, pick(&g, 5, 15), false);
		random_body(&g, &tail, pick(&g, 2, 9), false);
		for (size_t i = 0; i < outer_count; i++) {
			counts[i] = i < 2 ? 3 + i : pick(&g, 3, 9);
			lines[i] = head.lines + counts[i] * inner.lines + tail.lines;
			lo = lines[i] < lo ? lines[i] : lo;
			hi = lines[i] > hi ? lines[i] : hi;
			omitted += i && i < outer_count - 1 ? lines[i] : 0;
		}
		kt_buf_printf(&g.want, "--- %zux of the following %zu..%zu lines ---\n",
			      outer_count, lo, hi);
		for (size_t i = 0; i < outer_count; i++) {
			size_t want = g.want.len;

			emit(&g, head.items, head.n, true);
			repeat(&g, &inner, counts[i]);
			emit(&g, tail.items, tail.n, true);
			if (i && i < outer_count - 1)
				g.want.len = want; /* this iteration is omitted */
			if (i == outer_count - 2)
				kt_buf_printf(&g.want,
					      "--- %zu similar iterations omitted, %zu lines ---\n",
					      outer_count - 2, omitted);
		}
		kt_buf_appends(&g.want, "--- end repeat ---\n");
		end(&g, seed, "nested, of other counts");
	}
}

/* Backtracking that is longer in one iteration than in another. */
static void test_precision_similar(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct gen g = begin(seed);
		struct body b;
		size_t count = pick(&g, 3, 20), at, lo = SIZE_MAX, hi = 0, omitted = 0, length[20];

		random_body(&g, &b, pick(&g, 6, BODY_MAX), false);
		at = pick(&g, 2, b.n - 2);
		b.items[at - 1].kind = INSN; /* what backtracking hangs on */
		b.items[at] = (struct item){PRECISION, b.items[at].index, ++g.id, 0};
		for (size_t i = 0; i < count; i++) {
			length[i] = i < 2 ? 2 + i : pick(&g, 1, 30);
			lo = length[i] < lo ? length[i] : lo;
			hi = length[i] > hi ? length[i] : hi;
			omitted += i && i < count - 1 ? b.lines - 1 + length[i] : 0;
		}
		kt_buf_printf(&g.want, "--- %zux of the following %zu..%zu lines ---\n", count,
			      b.lines - 1 + lo, b.lines - 1 + hi);
		for (size_t i = 0; i < count; i++) {
			b.items[at].lines = length[i];
			emit(&g, b.items, b.n, i == 0 || i == count - 1);
			if (i == 0)
				kt_buf_printf(&g.want,
					      "--- %zu similar iterations omitted, %zu lines ---\n",
					      count - 2, omitted);
		}
		kt_buf_appends(&g.want, "--- end repeat ---\n");
		end(&g, seed, "precision tracking of other lengths");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_partial_end),
		cmocka_unit_test(test_partial_start),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_precision),
		cmocka_unit_test(test_unrolled),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_nested_similar),
		cmocka_unit_test(test_precision_similar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
