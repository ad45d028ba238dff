// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values for the variables of tests/bpf/globals.bpf.c. Where a variable lies is the compiler's
 * word: what is overwritten has to be what the source initialises it with, as libbpf reads the
 * object.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <cmocka.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include "object/globals.h"
#include "object/value.h"

#define OBJECT "build/bpf/globals.bpf.o"

static struct object_globals *globals;
static struct bpf_object *truth;

static int open_all(void **state)
{
	(void)state;
	assert_null(object_globals_open(OBJECT, &globals));
	truth = bpf_object__open_file(OBJECT, NULL);
	return !truth;
}

static int close_all(void **state)
{
	(void)state;
	object_globals_close(globals);
	bpf_object__close(truth);
	globals = NULL;
	return 0;
}

/* The last `size` bytes of libbpf's name of a map are the section's. */
static const char *initial(const struct object_write *write)
{
	struct bpf_map *map;
	size_t size = 0, n = strlen(write->section);

	bpf_object__for_each_map (map, truth) {
		const char *name = bpf_map__name(map), *value;
		size_t len = strlen(name);

		if (len < n || strcmp(name + len - n, write->section) != 0)
			continue;
		value = bpf_map__initial_value(map, &size);
		assert_true(write->offset + write->size <= size);
		return value + write->offset;
	}
	fail_msg("libbpf has no map of %s", write->section);
	return NULL;
}

/* The newest write, and what is there in the object. */
static const struct object_write *newest(size_t size, const void *before)
{
	size_t n;
	const struct object_write *all = object_globals_writes(globals, &n);

	assert_true(n > 0);
	assert_int_equal(all[n - 1].size, size);
	assert_memory_equal(initial(&all[n - 1]), before, size);
	return &all[n - 1];
}

#define sets(assignment, type, before, after)                                                      \
	do {                                                                                       \
		const type before_ = (before), after_ = (after);                                   \
		assert_null(object_globals_set(globals, assignment));                              \
		assert_memory_equal(newest(sizeof(type), &before_)->data, &after_, sizeof(type));  \
	} while (0)

static void test_values(void **state)
{
	(void)state;
	sets("bound = 1000", uint32_t, 3, 1000);
	sets("bound=0xffffffff", uint32_t, 3, UINT32_MAX);
	sets("  bound\t=  017 ", uint32_t, 3, 15);
	sets("small=-128", int8_t, -1, -128);
	sets("small='a'", int8_t, -1, 'a');
	sets("small='\\xff'", int8_t, -1, -1);
	sets("wide=18446744073709551615", uint64_t, 1, UINT64_MAX);
	sets("verbose=true", uint8_t, 0, 1);
	sets("verbose=0", uint8_t, 0, 0);
	sets("mode=MODE_LOW", int32_t, 3, -2);
	sets("mode=MODE_OFF", int32_t, 3, 0);
	sets("bound=MODE_ON", uint32_t, 3, 3);
	sets("counter=-7", int32_t, 7, -7);
	sets("elsewhere=65535", uint16_t, 9, 65535);
	sets("ratio=-2.5", double, 0.5, -2.5);
	sets("table[0][0]=11", int32_t, 1, 11);
	sets("table[1][2]=66", int32_t, 6, 66);
	sets("table[0][MODE_OFF]=1", int32_t, 1, 1);
	sets("limits.low=255", uint8_t, 1, 255);
	sets("limits.high=256", uint16_t, 2, 256);
	sets("limits.inner=-1", int32_t, 0, -1);
	sets("limits.per_node[3]=4", uint64_t, 0, 4);
	sets("comm[1]='z'", char, 'b', 'z');
	assert_null(object_globals_set(globals, "comm=hello"));
	assert_memory_equal(newest(8, "abc\0\0\0\0\0")->data, "hello\0\0\0", 8);
	assert_null(object_globals_set(globals, "comm=\"a\\n=\\\"b\""));
	assert_memory_equal(newest(8, "abc\0\0\0\0\0")->data, "a\n=\"b\0\0\0", 8);
	assert_null(object_globals_set(globals, "comm=\"\""));
	assert_memory_equal(newest(8, "abc\0\0\0\0\0")->data, "\0\0\0\0\0\0\0\0", 8);
}

/* As in the source; on a little-endian host the compiler lays it out as for BPF. */
enum mode { MODE_OFF, MODE_ON = 3, MODE_LOW = -2 };
struct bits {
	uint32_t three : 3;
	int32_t seven : 7;
	uint32_t across : 13;
	_Bool one : 1;
	enum mode mode : 4;
	uint64_t wide : 61;
};

/* Sets it, and has what the object has then: the bits of its neighbours, too. */
static struct bits with(const char *assignment)
{
	const struct object_write *all;
	struct bits bits;
	size_t n;

	assert_null(object_globals_set(globals, "bits.three=5"));
	all = object_globals_writes(globals, &n);
	memcpy(&bits, initial(&all[n - 1]), sizeof(bits));
	assert_null(object_globals_set(globals, assignment));
	all = object_globals_writes(globals, &n);
	for (size_t i = 0; i < all[n - 1].size; i++) {
		uint64_t at = all[n - 1].offset - all[n - 2].offset + i;
		uint8_t *byte = (uint8_t *)&bits + at;
		uint8_t mask = ((const uint8_t *)all[n - 1].mask)[i];
		uint8_t set = ((const uint8_t *)all[n - 1].data)[i];

		assert_true(at < sizeof(bits));
		assert_int_equal(set & ~mask, 0);
		*byte = (uint8_t)((*byte & ~mask) | set);
	}
	return bits;
}

#define sets_bits(assignment, member, value)                                                       \
	do {                                                                                       \
		struct bits is = with(assignment), wanted;                                         \
                                                                                                   \
		memset(&wanted, 0, sizeof(wanted));                                                \
		wanted.three = 5;                                                                  \
		wanted.seven = -3;                                                                 \
		wanted.across = 1000;                                                              \
		wanted.one = true;                                                                 \
		wanted.mode = MODE_ON;                                                             \
		wanted.wide = 1;                                                                   \
		wanted.member = value;                                                             \
		assert_memory_equal(&is, &wanted, sizeof(is));                                     \
	} while (0)

static void test_bits(void **state)
{
	(void)state;
	sets_bits("bits.three=0", three, 0);
	sets_bits("bits.three=7", three, 7);
	sets_bits("bits.seven=-64", seven, -64);
	sets_bits("bits.seven=63", seven, 63);
	/* As bpftool prints the bits of a negative one. */
	sets_bits("bits.seven=0x58", seven, -40);
	sets_bits("bits.seven=0x7f", seven, -1);
	sets_bits("bits.mode=0xf", mode, -1);
	sets_bits("bits.across=8191", across, 8191);
	sets_bits("bits.across=0x1555", across, 0x1555);
	sets_bits("bits.one=false", one, false);
	sets_bits("bits.one=0x0", one, false);
	sets_bits("bits.one=0x1", one, true);
	sets_bits("bits.mode=MODE_LOW", mode, MODE_LOW);
	sets_bits("bits.wide=0x1fffffffffffffff", wide, 0x1fffffffffffffff);
	sets_bits("bits.wide=0x123456789abcdef", wide, 0x123456789abcdef);
}

/* The bytes of a section of the object, which libbpf refuses to open on a host of the other order.
 */
static void section_bytes(const char *path, const struct object_write *write, uint8_t *ret)
{
	int fd = open(path, O_RDONLY);
	size_t names, seen = 0;
	Elf_Scn *scn = NULL;
	GElf_Shdr header;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	while ((scn = elf_nextscn(elf, scn))) {
		assert_non_null(gelf_getshdr(scn, &header));
		if (strcmp(elf_strptr(elf, names, header.sh_name), write->section) != 0)
			continue;
		assert_true(write->offset + write->size <= header.sh_size);
		seen += pread(fd, ret, write->size, (off_t)(header.sh_offset + write->offset)) ==
			(ssize_t)write->size;
	}
	assert_int_equal(seen, 1);
	elf_end(elf);
	close(fd);
}

/* The compiler's own layout: what the source initialises it with is what would be put there. */
static void test_big_endian(void **state)
{
	static const char path[] = "build/bpf/big/globals.bpf.o";
	static const char *const all[] = {
		"bits.three=5",  "bits.seven=-3",     "bits.across=1000",
		"bits.one=true", "bits.mode=MODE_ON", "bits.wide=1",
		"huge=1",        "huge_signed=-1",    "bound=3",
	};
	struct object_globals *big;
	size_t n;

	(void)state;
	assert_null(object_globals_open(path, &big));
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const struct object_write *write;
		uint8_t bytes[32];

		assert_null(object_globals_set(big, all[i]));
		write = &object_globals_writes(big, &n)[n - 1];
		assert_true(write->size <= sizeof(bytes));
		section_bytes(path, write, bytes);
		for (size_t j = 0; write->mask && j < write->size; j++)
			bytes[j] &= ((const uint8_t *)write->mask)[j];
		assert_memory_equal(bytes, write->data, write->size);
	}
	object_globals_close(big);
}

static void test_wide_integers(void **state)
{
	typedef unsigned __int128 u128;
	typedef __int128 s128;
	const u128 high = (u128)0x0123456789abcdef << 64;

	(void)state;
	sets("huge=340282366920938463463374607431768211455", u128, 1, ~(u128)0);
	sets("huge=0x0123456789abcdeffedcba9876543210", u128, 1, high | 0xfedcba9876543210);
	sets("huge=18446744073709551616", u128, 1, (u128)1 << 64);
	sets("huge_signed=-170141183460469231731687303715884105728", s128, -1,
	     (s128)((u128)1 << 127));
	sets("huge_signed=-18446744073709551617", s128, -1, -((s128)1 << 64) - 1);
	/* As bpftool prints -2. */
	sets("huge_signed=0xfffffffffffffffffffffffffffffffe", s128, -1, -2);
}

/* In order, and every one of them. */
static void test_lists(void **state)
{
	const struct object_write *all;
	size_t before, n;

	(void)state;
	assert_null(object_globals_set(globals, "table[1]={-1, 2,0x3}"));
	object_globals_writes(globals, &before);
	assert_null(object_globals_set(globals, "table[*][*]=9"));
	all = object_globals_writes(globals, &n);
	assert_int_equal(before, 3);
	assert_int_equal(n, 9);
	for (size_t i = 0; i < 3; i++) {
		const int32_t is = (int32_t[]){-1, 2, 3}[i], was = (int32_t)i + 4;

		assert_memory_equal(all[i].data, &is, 4);
		assert_memory_equal(initial(&all[i]), &was, 4);
	}
	for (size_t i = 0; i < 6; i++) {
		const int32_t was = (int32_t)i + 1;

		assert_memory_equal(initial(&all[3 + i]), &was, 4);
	}
}

static void fails(const char *assignment, enum kt_error_code code, const char *words)
{
	struct kt_error *err = object_globals_set(globals, assignment);
	const char *hint;
	size_t n;

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	hint = kt_error_hint_text(err);
	if (!strstr(kt_error_message(err), words) && (!hint || !strstr(hint, words)))
		fail_msg("%s: no '%s' in: %s; %s", assignment, words, kt_error_message(err),
			 hint ? hint : "");
	kt_error_destroy(err);
	object_globals_writes(globals, &n);
	assert_int_equal(n, 0);
}

static void test_errors(void **state)
{
	(void)state;
	fails("bund=1", KT_ERROR_NOT_FOUND, "bound");
	fails("=1", KT_ERROR_USAGE, "VAR=VALUE");
	fails("bound", KT_ERROR_USAGE, "VAR=VALUE");
	fails("bound= ", KT_ERROR_USAGE, "no value");
	fails("bound=-1", KT_ERROR_USAGE, "does not fit");
	fails("bound=4294967296", KT_ERROR_USAGE, "0 to 4294967295");
	fails("bound=0x1_0", KT_ERROR_USAGE, "is no number");
	fails("bound=--1", KT_ERROR_USAGE, "is no number");
	fails("bound=1 2", KT_ERROR_USAGE, "is no number");
	fails("bound=''", KT_ERROR_USAGE, "is no number");
	fails("bound[0]=1", KT_ERROR_USAGE, "no array");
	fails("bound.x=1", KT_ERROR_USAGE, "no struct");
	fails("small=128", KT_ERROR_USAGE, "-128 to 127");
	fails("small=-129", KT_ERROR_USAGE, "-128 to 127");
	fails("wide=18446744073709551616", KT_ERROR_USAGE, "0 to 18446744073709551615");
	fails("huge=340282366920938463463374607431768211456", KT_ERROR_USAGE, "128 bits");
	fails("huge=-1", KT_ERROR_USAGE, "0 to 340282366920938463463374607431768211455");
	fails("huge_signed=170141183460469231731687303715884105728", KT_ERROR_USAGE,
	      "-170141183460469231731687303715884105728 to "
	      "170141183460469231731687303715884105727");
	fails("bits.three=8", KT_ERROR_USAGE, "0 to 7");
	fails("bits.seven=64", KT_ERROR_USAGE, "-64 to 63");
	fails("bits.seven=-65", KT_ERROR_USAGE, "-64 to 63");
	fails("bits.seven=0x80", KT_ERROR_USAGE, "-64 to 63");
	fails("bits.seven=-0x41", KT_ERROR_USAGE, "-64 to 63");
	fails("bits.one=2", KT_ERROR_USAGE, "true nor false");
	fails("bits.one=0x2", KT_ERROR_USAGE, "true nor false");
	fails("bits.mode=8", KT_ERROR_USAGE, "-8 to 7");
	fails("bits.wide=0x2000000000000000", KT_ERROR_USAGE, "does not fit");
	fails("wide=-9223372036854775808", KT_ERROR_USAGE, "does not fit");
	fails("verbose=2", KT_ERROR_USAGE, "true nor false");
	fails("mode=MODE_NONE", KT_ERROR_USAGE, "MODE_ON");
	fails("table[2][0]=1", KT_ERROR_USAGE, "no element 2");
	fails("table[0][-1]=1", KT_ERROR_USAGE, "no index");
	fails("table[0][99999999999999999999]=1", KT_ERROR_USAGE, "no index");
	fails("table[0][18446744073709551615]=1", KT_ERROR_USAGE, "no element");
	fails("table[0=1", KT_ERROR_USAGE, "no ']'");
	fails("table[0]x=1", KT_ERROR_USAGE, "expected here");
	fails("table=1", KT_ERROR_USAGE, "array");
	fails("table[0]={1,2,3,4}", KT_ERROR_USAGE, "no element 3");
	fails("table[*]=1", KT_ERROR_USAGE, "array");
	fails("table[0]=@build/bpf/none", KT_ERROR_NOT_FOUND, "build/bpf/none");
	fails("comm=12345678", KT_ERROR_USAGE, "do not fit into 8");
	fails("comm=\"a", KT_ERROR_USAGE, "quote");
	fails("limits=1", KT_ERROR_USAGE, "struct");
	fails("limits.lo=1", KT_ERROR_NOT_FOUND, "low");
	fails("text=x", KT_ERROR_UNSUPPORTED, "pointer, which has no value before the load");
	fails("_license=GPL", KT_ERROR_NOT_FOUND, "no variable");
}

/* As bpftool 7.1 prints it of this object in a guest, and what may be wrong with it. */
static void test_json(void **state)
{
	static const char dump[] =
		"[{\"key\":[\"0x00\"],\"value\":[\"0x03\"],\"formatted\":{\"key\":0,\"value\":{\".rodata\":["
		"{\"bound\":77},{\"small\":-3},{\"wide\":18446744073709551615},{\"verbose\":true},"
		"{\"mode\":\"MODE_LOW\"},{\"table\":[[9,8,7],[6,5,4]]},{\"comm\":[97,98,0,0,0,0,0,0]},"
		"{\"limits\":{\"low\":5,\"high\":6,\"(anon)\":{\"inner\":-9},\"per_node\":[1,2,3,4]}},"
		"{\"gone\":1},{\"loops.____fmt\":[1,2]},{\"text\":4096}]}}}]";
	struct kt_buf missing = KT_BUF_INIT;
	const struct object_write *all;
	const uint64_t wide = UINT64_MAX;
	size_t n;

	(void)state;
	assert_null(object_globals_set_json(globals, dump, sizeof(dump) - 1, &missing));
	assert_string_equal(missing.data, "gone\ntext (it cannot be set)\n");
	all = object_globals_writes(globals, &n);
	/* Each bare value is one: 5, a table of 6, a text of 8, and 7 members. */
	assert_int_equal(n, 5 + 6 + 8 + 7);
	assert_memory_equal(all[2].data, &wide, 8);
	kt_buf_deinit(&missing);
}

static void json_fails(const char *text, enum kt_error_code code)
{
	struct kt_buf missing = KT_BUF_INIT;
	struct kt_error *err = object_globals_set_json(globals, text, strlen(text), &missing);
	size_t n;

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	kt_error_destroy(err);
	object_globals_writes(globals, &n);
	assert_int_equal(n, 0);
	kt_buf_deinit(&missing);
}

static void test_json_errors(void **state)
{
	(void)state;
	json_fails("", KT_ERROR_FORMAT);
	json_fails("[{\"value\":[\"0x01\"]}]", KT_ERROR_FORMAT);
	json_fails("[1, 2]", KT_ERROR_FORMAT);
	json_fails("{\"bound\": 1", KT_ERROR_FORMAT);
	json_fails("{\"wide\": 1, \"bound\": -1}", KT_ERROR_USAGE);
	json_fails("{\"table\": [[1, 2, 3, 4]]}", KT_ERROR_USAGE);
	json_fails("{\"bound\": \"\\u0000\"}", KT_ERROR_USAGE);
	json_fails("{\"limits\": {\"none\": 1}}", KT_ERROR_NOT_FOUND);
}

/* Bytes of places, which may be those of bit-fields, too. */
static void test_bytes(void **state)
{
	static const char text[] =
		"{\"bytes\": [{\"section\": \".rodata\", \"offset\": 4, \"hex\": \"00fFA5\"}]}";
	struct kt_buf missing = KT_BUF_INIT;
	const struct object_write *all;
	size_t n = 0;

	(void)state;
	json_fails("{\"bytes\": [{\"section\": \".rodata\", \"offset\": 4, \"hex\": \"0\"}]}",
		   KT_ERROR_FORMAT);
	json_fails("{\"bytes\": [{\"section\": \".rodata\", \"offset\": 4, \"hex\": \"0g\"}]}",
		   KT_ERROR_FORMAT);
	json_fails("{\"bytes\": [{\"section\": \".rodata\", \"offset\": -1, \"hex\": \"00\"}]}",
		   KT_ERROR_FORMAT);
	json_fails("{\"bytes\": [{\"offset\": 4, \"hex\": \"00\"}]}", KT_ERROR_FORMAT);
	json_fails("{\"bytes\": [{\"section\": \".rodata\", \"offset\": 999999, \"hex\": \"00\"}]}",
		   KT_ERROR_USAGE);
	json_fails("{\"bytes\": [{\"section\": \".text\", \"offset\": 0, \"hex\": \"00\"}]}",
		   KT_ERROR_USAGE);
	assert_null(object_globals_set_json(globals, text, sizeof(text) - 1, &missing));
	all = object_globals_writes(globals, &n);
	assert_int_equal(n, 1);
	assert_string_equal(all[0].section, ".rodata");
	assert_int_equal(all[0].offset, 4);
	assert_int_equal(all[0].size, 3);
	assert_memory_equal(all[0].data, "\x00\xff\xa5", 3);
	kt_buf_deinit(&missing);
}

static void test_no_object(void **state)
{
	struct object_globals *none;
	struct kt_error *err = object_globals_open("GNUmakefile", &none);

	(void)state;
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	kt_error_destroy(err);
	err = object_globals_open("build/ktstr-init", &none);
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	kt_error_destroy(err);
}

#define globals_test(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		globals_test(test_values),         globals_test(test_bits),
		globals_test(test_wide_integers),  globals_test(test_lists),
		globals_test(test_errors),         globals_test(test_json),
		globals_test(test_json_errors),    cmocka_unit_test(test_no_object),
		cmocka_unit_test(test_big_endian), globals_test(test_bytes),
	};

	return cmocka_run_group_tests_name("object/globals", tests, NULL, NULL);
}
