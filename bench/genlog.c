// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * genlog KIND BYTES: writes a verifier log of that size (the last line may be cut), the same in
 * each run.
 *
 *	million    a loop of three instructions into the million, as 6.1 prints it at level 1
 *	loop       a simple loop with precision tracking, 6.12, level 2
 *	branches   a parser's loop in a loop, each branch popped later, backtracking of any length
 *	nested     loops in loops in loops, of other counts each time
 *	straight   a program without a loop, where each line is another
 *	equal      one line, again and again
 *	different  no line is like any other, and none is of a verifier
 *	periods    repeats of 1 to 3000 lines, 2 to 9 times each
 *	letters    lines of one byte, of two kinds, in no order
 *	fibonacci  the same in the order with the most repeats within repeats
 *	newlines   nothing but newlines
 *	pops       nothing but branches that are taken up
 *	line       one line without an end
 *	nul        NUL bytes
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t left, seed = 1;

static uint64_t below(uint64_t n)
{
	uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) % n;
}

static void put(const char *data, size_t len)
{
	if (len > left)
		len = left;
	fwrite(data, 1, len, stdout);
	left -= len;
}

__attribute__((format(printf, 1, 2))) static void line(const char *fmt, ...)
{
	char room[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room, sizeof(room) - 1, fmt, ap);
	va_end(ap);
	room[n++] = '\n';
	put(room, (size_t)n);
}

/* 6.1, bad_million: "8: (ad) if r3 < r2 goto pc-3          ; R0=scalar() R1_w=3 R2=..." */
static void million(uint64_t i)
{
	line("; asm volatile(\"\" : \"+r\"(s));");
	line("6: (0f) r1 += r3                      ; R1_w=%" PRIu64 " R3_w=%" PRIu64, i * i / 2,
	     i);
	line("; for (u64 i = 0; i < n; i++) {");
	line("7: (07) r3 += 1                       ; R3_w=%" PRIu64, i + 1);
	line("; for (u64 i = 0; i < n; i++) {");
	line("8: (ad) if r3 < r2 goto pc-3          ; R0=scalar() R1_w=%" PRIu64
	     " R2=scalar(umin=%" PRIu64 ",umax=4294967295,var_off=(0x0; 0xffffffff)) R3_w=%" PRIu64
	     " R10=fp0",
	     i * i / 2, i + 2, i + 1);
}

static void backtrack(unsigned int index, uint64_t lines)
{
	line("mark_precise: frame0: last_idx %u first_idx 2 subseq_idx -1 ", index);
	for (uint64_t i = 1; i <= lines; i++)
		line("mark_precise: frame0: regs=r1 stack= before %" PRIu64 ": (0f) r3 += r2",
		     2 + (index + 8 * i - i) % 9);
	line("mark_precise: frame0: parent state regs=r1 stack=:  R1_rw=P%" PRIu64
	     " R2_rw=0 R3_w=0 R10=fp0",
	     below(1000));
}

static void loop(uint64_t i)
{
	line("; s += i * 3 + (s >> 2); @ good.bpf.c:38");
	line("2: (bf) r3 = r2                       ; R2=%" PRIu64 " R3_w=%" PRIu64, i, i);
	line("3: (77) r3 >>= 2                      ; R3_w=%" PRIu64, i / 4);
	line("; asm volatile(\"\" : \"+r\"(s)); @ good.bpf.c:39");
	line("4: (0f) r2 += r3                      ; R2_w=%" PRIu64 " R3_w=%" PRIu64, i, i / 4);
	line("5: (bf) r3 = r1                       ; R1=%" PRIu64 " R3_w=%" PRIu64, i * 3, i * 3);
	line("; for (u32 i = 0; i < 100; i++) { @ good.bpf.c:37");
	line("7: (07) r1 += 3                       ; R1_w=%" PRIu64, i * 3 + 3);
	line("9: (15) if r1 == 0x12c goto pc+1");
	backtrack(9, 8 + below(3) * 9);
	line("9: R1_w=%" PRIu64, i * 3 + 3);
	line("10: (05) goto pc-9");
}

static void option(uint64_t i)
{
	line("; if ((void *)(p + i + 1) > e) @ good.bpf.c:212");
	line("37: (bf) r0 = r1                      ; R0_w=pkt(off=%" PRIu64 ",r=14) R1=pkt(r=14)",
	     i);
	line("38: (0f) r0 += r5");
	backtrack(38, 2 + below(5));
	line("39: R0_w=pkt(off=%" PRIu64 ",r=15) R5=%" PRIu64, i + 14, i);
	line("41: (2d) if r6 > r2 goto pc+6         ; R2=pkt_end() R6_w=pkt(off=%" PRIu64 ",r=16)",
	     i);
	line("; opts += p[i] == 1; @ good.bpf.c:214");
	line("43: (b4) w0 = 1                       ; R0_w=1");
	line("44: (16) if w6 == 0x1 goto pc-11      ; R6=scalar(smin=smin32=0,smax=umax=255)");
	if (below(2)) {
		line("45: (b4) w0 = 0                       ; R0_w=0");
		line("46: (05) goto pc-13");
	}
	line("34: (0c) w4 += w0                     ; R0_w=0 R4_w=%" PRIu64, i);
	line("36: (15) if r5 == 0x28 goto pc+11");
	backtrack(36, 5 + below(12));
	line("36: R5=%" PRIu64, i);
}

static void branches(uint64_t i)
{
	uint64_t depth = 1 + below(40);

	for (uint64_t k = 0; k < depth; k++)
		option(k);
	line("53: (95) exit");
	while (depth--) {
		line("\nfrom 44 to 34: R0_w=1 R1=pkt(off=14,r=%" PRIu64 ") R2=pkt_end() R5=%" PRIu64
		     " R10=fp0",
		     depth + 15, depth);
		line("34: R0_w=1 R1=pkt(off=14,r=%" PRIu64 ") R5=%" PRIu64 " R10=fp0", depth, i);
		line("; opts += p[i] == 1; @ good.bpf.c:214");
		line("34: (0c) w4 += w0                     ; R0_w=1 R4_w=%" PRIu64, depth);
		line("35: safe");
	}
}

static void nest(int depth)
{
	uint64_t n = 1 + below(9);

	line("; for (i%d = 0; i%d < n%d; i%d++) @ nest.bpf.c:%d", depth, depth, depth, depth,
	     depth);
	line("%d: (b7) r%d = 0                        ; R%d_w=0", depth * 10, depth, depth);
	while (n--) {
		line("; s += %d; @ nest.bpf.c:%d", depth, depth + 100);
		for (int k = 1; k < 5; k++)
			line("%d: (07) r%d += %d                        ; R%d_w=%" PRIu64,
			     depth * 10 + k, depth, k, depth, n);
		if (depth < 6)
			nest(depth + 1);
		line("%d: (55) if r%d != 0x9 goto pc-9          ; R%d=%" PRIu64, depth * 10 + 5,
		     depth, depth, n);
	}
}

static void nested(uint64_t i)
{
	(void)i;
	nest(0);
}

static void straight(uint64_t i)
{
	line("; a[%" PRIu64 "] = %" PRIu64 "; @ straight.bpf.c:%" PRIu64, i, i * 7, i);
	line("%" PRIu64 ": (b7) r1 = %" PRIu64 "                      ; R1_w=%" PRIu64, 2 * i,
	     i * 7, i * 7);
	line("%" PRIu64 ": (7b) *(u64 *)(r2 +%" PRIu64 ") = r1       ; R1_w=%" PRIu64 " R2=fp-8",
	     2 * i + 1, i * 8, i * 7);
}

static void equal(uint64_t i)
{
	(void)i;
	line("7: (07) r1 += 3                       ; R1_w=3");
}

static void different(uint64_t i)
{
	line("%016" PRIx64 " %" PRIu64, below(UINT64_MAX), i);
}

static void periods(uint64_t i)
{
	uint64_t period = 1 + below(below(10) ? 60 : 3000), count = 2 + below(8);

	for (uint64_t k = 0; k < period * count; k++)
		line("%" PRIu64 ": (07) r%" PRIu64 " += %" PRIu64 "     ; R1_w=%" PRIu64,
		     k % period, k % period % 10, i, k);
}

static void letters(uint64_t i)
{
	(void)i;
	put(below(2) ? "a\n" : "b\n", 2);
}

/* The Fibonacci word, a letter a line: each one followed by the one before it. Then again. */
static void fibonacci(uint64_t i)
{
	static char word[2 << 20] = "a\nb\na\n";
	static size_t len = 6, before = 4;

	(void)i;
	while (len + before <= sizeof(word)) {
		memcpy(word + len, word, before);
		len += before;
		before = len - before;
	}
	put(word, len);
}

static void newlines(uint64_t i)
{
	char block[4096];

	(void)i;
	memset(block, '\n', sizeof(block));
	put(block, sizeof(block));
}

static void pops(uint64_t i)
{
	line("from %" PRIu64 " to %" PRIu64 ": R1=%" PRIu64 " R10=fp0", below(50), below(50), i);
}

static void one_line(uint64_t i)
{
	static const char text[] = "7: (07) r1 += 3 ; R1_w=3 from 3 to 4: regs=2 before 8: -- END ";

	(void)i;
	put(text, sizeof(text) - 1);
}

static void nul(uint64_t i)
{
	static const char zeros[4096];

	(void)i;
	put(zeros, sizeof(zeros));
}

static const struct {
	const char *name;
	void (*write)(uint64_t i);
} kinds[] = {
	{"million", million},     {"loop", loop},         {"branches", branches},
	{"nested", nested},       {"straight", straight}, {"equal", equal},
	{"different", different}, {"periods", periods},   {"letters", letters},
	{"fibonacci", fibonacci}, {"newlines", newlines}, {"pops", pops},
	{"line", one_line},       {"nul", nul},
};

int main(int argc, char **argv)
{
	left = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	for (size_t k = 0; left && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (strcmp(argv[1], kinds[k].name) != 0)
			continue;
		for (uint64_t i = 0; left; i++)
			kinds[k].write(i);
		return fflush(stdout) ? 3 : 0;
	}
	fputs("usage: genlog KIND BYTES; the kinds are in genlog.c\n", stderr);
	return 2;
}
