// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Instructions of x86-64, against what objdump says of this very program: their lengths, and where
 * jumps and calls lead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch/arch.h"

/* "  401136:\t0f 84 11 00 00 00    \tje     40114d <main+0x1d>": address, bytes, words */
struct line {
	gaddr_t addr, target;
	uint8_t bytes[16];
	size_t len;
	char name[32];
};

static bool read_line(const char *text, struct line *ret)
{
	unsigned long long addr, target;
	unsigned int byte;
	int n = 0;

	*ret = (struct line){0};
	if (sscanf(text, " %llx:%n", &addr, &n) != 1 || !n || text[n] != '\t')
		return false;
	ret->addr = addr;
	text += n + 1;
	while (ret->len < 16 && sscanf(text, "%2x%n", &byte, &n) == 1 && text[n] == ' ') {
		ret->bytes[ret->len++] = (uint8_t)byte;
		text += n + 1;
	}
	if (sscanf(text, " %31s%n", ret->name, &n) != 1)
		return false;
	if (!strcmp(ret->name, "bnd") || !strcmp(ret->name, "notrack"))
		return false; /* the name is the word behind it */
	if (sscanf(text + n, " %llx <", &target) == 1)
		ret->target = target;
	return true;
}

static enum watch_insn_kind kind_of(const char *name)
{
	if (!strncmp(name, "call", 4))
		return WATCH_INSN_CALL;
	if (!strncmp(name, "jmp", 3))
		return WATCH_INSN_JUMP;
	if (name[0] == 'j' || !strncmp(name, "loop", 4))
		return WATCH_INSN_BRANCH;
	if (!strncmp(name, "ret", 3) || !strcmp(name, "hlt") || !strcmp(name, "int3"))
		return WATCH_INSN_END;
	return WATCH_INSN_PLAIN;
}

static void test_objdump(void **state)
{
	size_t n = 0, jumps = 0, unknown = 0;
	char text[512];
	FILE *f;

	(void)state;
	if (system("objdump --version >/dev/null 2>&1") != 0) {
		print_message("no objdump: its word is not to be had\n");
		skip();
	}
	f = popen("objdump -d -w /proc/$PPID/exe", "r");
	assert_non_null(f);
	while (n < 100000 && fgets(text, sizeof(text), f)) {
		struct watch_insn insn;
		struct line line;
		uint8_t *exact;

		/* What takes more than 7 bytes is on one line because of -w. */
		if (!read_line(text, &line) || !strcmp(line.name, "(bad)"))
			continue;
		exact = malloc(line.len);
		memcpy(exact, line.bytes, line.len);
		insn = x86_64_decode(exact, line.len, line.addr);
		free(exact);
		n++;
		if (insn.kind == WATCH_INSN_UNKNOWN) {
			unknown++;
			continue;
		}
		if (insn.len != line.len || insn.kind != kind_of(line.name) ||
		    (line.target && insn.kind != WATCH_INSN_PLAIN && insn.target != line.target))
			fail_msg("%s: %zu bytes, kind %d, to %#llx", text, insn.len, insn.kind,
				 (unsigned long long)insn.target);
		jumps += insn.target != 0;
		/* It never says more than it was given. */
		for (size_t len = 0; len < line.len; len++)
			assert_int_equal(x86_64_decode(line.bytes, len, 0).len == 0 ||
						 x86_64_decode(line.bytes, len, 0).len <= len,
					 true);
	}
	pclose(f);
	print_message("%zu instructions, %zu that lead away, %zu unknown\n", n, jumps, unknown);
	assert_true(n > 10000 && jumps > n / 50);
	/* Jumps through a register, and what compilers make for processors that the kernel does not
	 * ask for. */
	assert_true(unknown < n / 100);
}

static void test_conditions(void **state)
{
	static const struct {
		uint8_t bytes[8];
		enum watch_condition condition;
		bool tests, stores;
	} codes[] = {
		{{0x79, 0x10}, WATCH_IF_NOT_NEGATIVE, false, false},
		{{0x0f, 0x89, 1, 0, 0, 0}, WATCH_IF_NOT_NEGATIVE, false, false},
		{{0x0f, 0x88, 1, 0, 0, 0}, WATCH_IF_NEGATIVE, false, false},
		{{0x7c, 0x10}, WATCH_IF_NEGATIVE, false, false},
		{{0x74, 0x10}, WATCH_IF_OTHER, false, false},
		{{0xe3, 0x10}, WATCH_IF_OTHER, false, false}, /* jrcxz */
		{{0x85, 0xc0}, WATCH_IF_OTHER, true, false},
		{{0x48, 0x85, 0xc0}, WATCH_IF_OTHER, true, false},
		{{0x85, 0xdb}, WATCH_IF_OTHER, false, false}, /* %ebx */
		{{0x66, 0x85, 0xc0}, WATCH_IF_OTHER, false, false},
		{{0x45, 0x85, 0xc0}, WATCH_IF_OTHER, false, false}, /* %r8d */
		{{0x89, 0x44, 0x24, 0x24}, WATCH_IF_OTHER, false, true},
		{{0x41, 0x89, 0xc6}, WATCH_IF_OTHER, false, true},
		{{0x89, 0xd8}, WATCH_IF_OTHER, false, false}, /* %ebx to %eax */
		{{0x44, 0x89, 0xc1}, WATCH_IF_OTHER, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct watch_insn insn = x86_64_decode(codes[i].bytes, 8, 0);

		assert_int_equal(insn.condition, codes[i].condition);
		assert_int_equal(insn.tests_result, codes[i].tests);
		assert_int_equal(insn.stores_result, codes[i].stores);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objdump),
		cmocka_unit_test(test_conditions),
	};

	return cmocka_run_group_tests_name("watch/x86_64_code", tests, NULL, NULL);
}
