// SPDX-License-Identifier: LGPL-2.1-or-later
/* BTF of a module in a guest's memory, well and ill. Truth is in tests/guest/net.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/module_types.h"
#include "tests/introspect/walk.h"

#define BTF_IDR 0x0b00200 /* an offset in the image where synth.h has nothing */

/* The kernel's own BTF has these strings, and the module's go on behind them. */
static const char base_strings[] = "\0link\0spare";
#define START sizeof(base_strings)
static const char own_strings[] = "thing\0secret\0bits";

static const struct module_member members[] = {
	{"mod", "thing", "link", 8},  {"mod", "thing", "secret", 4},   {"mod", "thing", "bits", 1},
	{"mod", "thing", "spare", 8}, {"other", "thing", "secret", 4},
};

static gaddr_t data;
static size_t data_len;

static void put32(uint32_t value)
{
	textmem_put_uint(s.mem, data + data_len, value, 4);
	data_len += 4;
}

/* struct thing { link at 0, 16 bytes; secret at 16, 4 bytes; bits: a bit field of 3 bits at 160 }
 */
static void put_data(uint32_t n_members)
{
	data = synth_alloc(&s, 4096);
	data_len = 0;
	put32(0x0001eb9f);
	put32(24);
	put32(0);
	put32(16 + 12 + 3 * 12);
	put32(16 + 12 + 3 * 12);
	put32(sizeof(own_strings));
	/* An int: 12 bytes, and 4 behind them. */
	put32(0);
	put32(1u << 24);
	put32(4);
	put32(32);
	put32(START);
	put32(4u << 24 | 1u << 31 | n_members);
	put32(24);
	put32(1);
	put32(1);
	put32(0);
	put32(START + 6);
	put32(1);
	put32(16 * 8);
	put32(START + 13);
	put32(1);
	put32(3u << 24 | 20 * 8);
	textmem_put(s.mem, data + data_len, own_strings, sizeof(own_strings));
	data_len += sizeof(own_strings);
}

/* The module's struct btf; the base's strings are at its base_btf. */
static gaddr_t put_btf(void)
{
	gaddr_t leaf = synth_alloc(&s, 40 + 512), btf = synth_alloc(&s, 256);
	gaddr_t base = synth_alloc(&s, 256), strings = synth_alloc(&s, 64);

	textmem_put(s.mem, strings, base_strings, sizeof(base_strings));
	synth_set(&s, "btf", "strings", base, synth_va(strings));
	synth_set(&s, "btf", "refcnt.refs.counter", btf, 1);
	synth_set(&s, "btf", "id", btf, 3);
	synth_set(&s, "btf", "data", btf, synth_va(data));
	synth_set(&s, "btf", "data_size", btf, data_len);
	synth_set(&s, "btf", "base_btf", btf, synth_va(base));
	synth_set(&s, "btf", "start_str_off", btf, START);
	textmem_put(s.mem, btf + 120, "mod", 3);
	textmem_printf(s.mem, "@%#llx %#llx\n", (unsigned long long)SYNTH_IMAGE + BTF_IDR + 8,
		       (unsigned long long)synth_va(leaf) | 2);
	textmem_put_uint(s.mem, leaf + 40 + 8 * 3, synth_va(btf), 8);
	return btf;
}

static int setup_btf(void **state)
{
	setup(state);
	fake_member(&s.facts, "btf", "refcnt.refs.counter", 72, 4);
	fake_member(&s.facts, "btf", "data", 80, 8);
	fake_member(&s.facts, "btf", "data_size", 88, 4);
	fake_member(&s.facts, "btf", "base_btf", 96, 8);
	fake_member(&s.facts, "btf", "start_str_off", 104, 4);
	fake_member(&s.facts, "btf", "name", 120, 56);
	fake_symbol(&s.facts, "btf_idr", SYNTH_TEXT + BTF_IDR);
	put_data(3);
	return 0;
}

/* What is known of "mod" in the end: a letter for each member. */
static void check(const char *wanted)
{
	static const char *const module[] = {"mod"};
	struct module_types types;
	struct kfacts_member place;
	struct guest *guest;
	char got[8] = "";

	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	assert_null(module_types_init(&types, members, 5, &s.facts));
	assert_null(module_types_read(&types, guest, module, 1));
	guest_destroy(guest);
	if (module_types_member(&types, "thing", "link", &place) && place.offset == 0)
		strcat(got, "l");
	if (module_types_member(&types, "thing", "secret", &place) && place.offset == 16)
		strcat(got, "s");
	if (module_types_member(&types, "thing", "bits", &place))
		strcat(got, "b");
	if (module_types_member(&types, "thing", "spare", &place))
		strcat(got, "x");
	module_types_deinit(&types);
	assert_string_equal(got, wanted);
}

static void test_found(void **state)
{
	(void)state;
	put_btf();
	check("ls"); /* no bit field, and nothing that it does not have */
}

static void test_facts_first(void **state)
{
	(void)state;
	put_btf();
	fake_member(&s.facts, "thing", "spare", 40, 8);
	check("lsx");
}

static void test_damage(void **state)
{
	gaddr_t btf = put_btf();

	(void)state;
	synth_set(&s, "btf", "base_btf", btf, NOWHERE);
	check("s"); /* link's name is in the base */
	synth_set(&s, "btf", "data_size", btf, UINT32_MAX);
	check("");
	synth_set(&s, "btf", "data_size", btf, 30); /* the records are longer */
	check("");
	synth_set(&s, "btf", "data_size", btf, 4);
	check("");
	synth_set(&s, "btf", "data_size", btf, data_len);
	synth_set(&s, "btf", "data", btf, NOWHERE);
	check("");
	put_data(65535); /* more members than there are bytes */
	synth_set(&s, "btf", "data", btf, synth_va(data));
	check("");
	put_data(3);
	textmem_put_uint(s.mem, data + 24 + 4, 31u << 24, 4); /* no such kind */
	synth_set(&s, "btf", "data", btf, synth_va(data));
	check("");
	put_data(3);
	textmem_put_uint(s.mem, data + 24 + 16 + 8, 18, 4); /* smaller than its members */
	synth_set(&s, "btf", "data", btf, synth_va(data));
	synth_set(&s, "btf", "start_str_off", btf, START);
	check(""); /* link's name needs the base */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found, setup_btf, teardown),
		cmocka_unit_test_setup_teardown(test_facts_first, setup_btf, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup_btf, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
