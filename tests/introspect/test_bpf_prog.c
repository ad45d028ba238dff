// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/bpf_prog_impl.h"
#include "tests/introspect/walk.h"

static void test_no_programs(void **state)
{
	struct programs all = programs();

	(void)state;
	assert_int_equal(all.n, 0);
	assert_int_equal(all.n_unreadable, 0);
	programs_deinit(&all);
}

static void test_every_value(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);
	struct programs all;
	struct program q;

	(void)state;
	synth_maps(&s, &p, 3, 40);
	all = programs();
	q = only(&all);
	assert_int_equal(q.id, 7);
	assert_string_equal(q.type, "sched_cls");
	assert_string_equal(q.name, "prog_7");
	assert_string_equal(q.full_name, "prog_7");
	assert_string_equal(q.tag, "a0a1a2a3a4a5a6a7");
	assert_true(q.gpl_known && q.gpl_compatible);
	assert_number(q.verified_insns, 1007);
	assert_number(q.bytes_xlated, 120);
	assert_number(q.bytes_jited, 120);
	assert_number(q.loaded_at, 1700000000 - 5 + 60);
	assert_number(q.uid, 33);
	assert_number(q.btf_id, 0);
	assert_number(q.run_cnt, 70);
	assert_number(q.run_time_ns, 700);
	assert_number(q.recursion_misses, 7);
	assert_true(q.map_ids_known);
	assert_int_equal(q.n_map_ids, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(q.map_ids[i], 40 + i);
	programs_deinit(&all);
}

static void test_values_at_their_limits(void **state)
{
	struct synth_prog p = synth_prog(&s, 1);
	struct programs all;
	struct program q;

	(void)state;
	textmem_put_uint(s.mem, p.prog + 2, 0xf7, 1); /* all its neighbours' bits */
	synth_set(&s, "bpf_prog", "len", p.prog, UINT32_MAX);
	synth_set(&s, "bpf_prog", "jited_len", p.prog, 0);
	synth_set(&s, "bpf_prog_aux", "verified_insns", p.aux, UINT32_MAX);
	synth_set(&s, "user_struct", "uid.val", p.user, UINT32_MAX);
	for (unsigned int i = 0; i < 3; i++)
		textmem_put_uint(s.mem, p.stats + (0x1000u << i) + 8, UINT64_MAX / 3, 8);
	textmem_put(s.mem, p.aux + 520, "0123456789abcdef", 16); /* without a NUL */
	all = programs();
	q = only(&all);
	assert_false(q.gpl_compatible);
	assert_number(q.bytes_xlated, UINT64_C(8) * UINT32_MAX);
	assert_number(q.bytes_jited, 0);
	assert_number(q.verified_insns, UINT32_MAX);
	assert_number(q.uid, UINT32_MAX);
	assert_number(q.run_time_ns, UINT64_MAX);
	assert_string_equal(q.name, "0123456789abcde");
	programs_deinit(&all);
}

/* What a kernel does not have is not known; it is not 0. */
static void test_older_kernel(void **state)
{
	struct programs all;
	struct program q;

	(void)state;
	synth_prog(&s, 7);
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_prog_aux", "verified_insns");
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_prog_stats", "misses");
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_map", "id");
	fake_drop(&s.facts, KFACTS_MEMBER, "user_struct", "uid.val");
	fake_drop(&s.facts, KFACTS_MEMBER, "btf", "id");
	fake_drop(&s.facts, KFACTS_SYMBOL, "tk_core", NULL);
	all = programs();
	q = only(&all);
	assert_unknown(q.verified_insns);
	assert_unknown(q.recursion_misses);
	assert_number(q.run_cnt, 70);
	assert_unknown(q.uid);
	assert_unknown(q.btf_id);
	assert_unknown(q.loaded_at);
	assert_false(q.map_ids_known);
	assert_int_equal(q.n_map_ids, 0);
	assert_string_equal(q.full_name, "prog_7");
	programs_deinit(&all);
}

static void test_unknown_type(void **state)
{
	static const uint32_t types[] = {27, 99, UINT32_MAX}; /* a name of another form; none */

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct synth_prog p = synth_prog(&s, i + 1);

		synth_set(&s, "bpf_prog", "type", p.prog, types[i]);
	}
	{
		struct programs all = programs();

		assert_int_equal(all.n, 3);
		for (size_t i = 0; i < 3; i++)
			assert_null(all.all[i].type);
		programs_deinit(&all);
	}
}

static void test_subprograms(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);
	struct programs all;

	(void)state;
	synth_funcs(&s, &p, 4);
	all = programs();
	assert_number(only(&all).bytes_jited, 100 + 200 + 300 + 400);
	programs_deinit(&all);
}

/* Left out without a word: the kernel's own lookups do not find them either. */
static void test_dying(void **state)
{
	struct synth_prog p = synth_prog(&s, 7), q = synth_prog(&s, 8);
	struct programs all;

	(void)state;
	synth_prog(&s, 9);
	synth_set(&s, "bpf_prog_aux", "refcnt.counter", p.aux, 0);
	synth_set(&s, "bpf_prog_aux", "id", q.aux, 0);
	all = programs();
	assert_int_equal(only(&all).id, 9);
	programs_deinit(&all);
}

/* Said, and not guessed: what cannot be read, or is not what its place in the IDR says. */
static void test_unreadable(void **state)
{
	struct synth_prog p = synth_prog(&s, 1), q = synth_prog(&s, 3);
	struct programs all;

	(void)state;
	synth_set(&s, "bpf_prog", "aux", p.prog, NOWHERE);
	textmem_put_uint(s.mem, s.leaf + 40 + 8 * 2, NOWHERE, 8);
	synth_set(&s, "bpf_prog_aux", "id", q.aux, 4);
	textmem_put_uint(s.mem, s.leaf + 40 + 8 * 5, synth_va(q.prog), 8);
	{
		struct synth_prog r = synth_prog(&s, 6);

		synth_set(&s, "bpf_prog", "aux", r.prog, 0);
	}
	synth_prog(&s, 9);
	all = programs();
	assert_int_equal(all.n, 1);
	assert_int_equal(all.all[0].id, 9);
	assert_int_equal(all.n_unreadable, 5);
	programs_deinit(&all);
}

/* An aux that reaches into a page that is not there. */
static void test_half_an_aux(void **state)
{
	struct synth_prog p;
	struct programs all;

	(void)state;
	p = synth_prog(&s, 2);
	synth_set(&s, "bpf_prog", "aux", p.prog, synth_va(0x30000f00));
	textmem_put(s.mem, 0x30000f00, NULL, 0x100);
	synth_prog(&s, 1);
	all = programs();
	assert_int_equal(all.n, 1);
	assert_int_equal(all.n_unreadable, 1);
	programs_deinit(&all);
}

/* Each pointer that leads nowhere costs its own value, and no other. */
static void test_dangling_pointers(void **state)
{
	static const gaddr_t bad[] = {NOWHERE, 0, 8, UINT64_MAX - 3, UINT64_C(0x8000000000000000)};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct synth_prog p;
		struct programs all;
		struct program q;

		synth_deinit(&s);
		synth_init(&s, 0);
		p = synth_prog(&s, 7);
		synth_maps(&s, &p, 2, 1);
		synth_funcs(&s, &p, 2);
		synth_btf(&s, &p, "a_name_longer_than_fifteen");
		synth_set(&s, "bpf_prog_aux", "used_maps", p.aux, bad[i]);
		synth_set(&s, "bpf_prog_aux", "func", p.aux, bad[i]);
		synth_set(&s, "bpf_prog_aux", "user", p.aux, bad[i]);
		synth_set(&s, "bpf_prog", "stats", p.prog, bad[i]);
		synth_set(&s, "btf", "types", p.btf, bad[i]);
		all = programs();
		q = only(&all);
		assert_false(q.map_ids_known);
		assert_unknown(q.bytes_jited);
		assert_unknown(q.uid);
		assert_unknown(q.run_cnt);
		assert_unknown(q.run_time_ns);
		assert_unknown(q.recursion_misses);
		assert_number(q.btf_id, 77);
		assert_null(q.full_name);
		assert_string_equal(q.name, "a_name_longer_t");
		assert_number(q.verified_insns, 1007);
		programs_deinit(&all);
	}
}

/* One map of three cannot be read: a list without it would be a wrong one. */
static void test_one_bad_map(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);
	struct programs all;

	(void)state;
	synth_maps(&s, &p, 3, 40);
	synth_funcs(&s, &p, 3);
	textmem_put_uint(s.mem, p.maps + 8, NOWHERE, 8);
	textmem_put_uint(s.mem, p.funcs + 8, 0, 8);
	all = programs();
	assert_false(only(&all).map_ids_known);
	assert_unknown(only(&all).bytes_jited);
	programs_deinit(&all);
}

static void test_huge_counts(void **state)
{
	static const uint32_t counts[] = {4097, 0x7fffffff, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct synth_prog p = synth_prog(&s, (uint32_t)i + 1);

		synth_maps(&s, &p, 1, 1);
		synth_funcs(&s, &p, 1);
		synth_set(&s, "bpf_prog_aux", "used_map_cnt", p.aux, counts[i]);
		synth_set(&s, "bpf_prog_aux", "func_cnt", p.aux, counts[i]);
	}
	{
		struct programs all = programs();

		assert_int_equal(all.n, 3);
		for (size_t i = 0; i < 3; i++) {
			assert_false(all.all[i].map_ids_known);
			assert_unknown(all.all[i].bytes_jited);
		}
		programs_deinit(&all);
	}
	assert_true(s.mem->bytes < 1 << 20);
}

/* The bound itself: one more than there may be, all of which could be read. */
static void test_most_maps(void **state)
{
	struct programs all;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct synth_prog p = synth_prog(&s, i + 1);

		synth_maps(&s, &p, 4096 + i, 1);
	}
	all = programs();
	assert_int_equal(all.n, 2);
	assert_true(all.all[0].map_ids_known);
	assert_int_equal(all.all[0].n_map_ids, 4096);
	assert_false(all.all[1].map_ids_known);
	programs_deinit(&all);
}

static void test_clock(void **state)
{
	static const struct {
		uint64_t load_time, offs_real, offs_boot;
		int64_t seconds; /* -1: unknown */
	} truth[] = {
		{0, 0, 0, 0},
		{UINT64_C(5999999999), 0, 0, 5},
		{0, UINT64_C(1000000000), UINT64_C(2000000000), -1}, /* before 1970 */
		{UINT64_MAX, 0, 0, -1},
		{UINT64_C(0x7fffffffffffffff), 0, 0, 9223372036},
		{UINT64_C(0x7fffffffffffffff), 1, 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(truth) / sizeof(truth[0]); i++) {
		struct synth_prog p;
		struct programs all;

		synth_deinit(&s);
		synth_init(&s, 0);
		p = synth_prog(&s, 7);
		synth_set(&s, "bpf_prog_aux", "load_time", p.aux, truth[i].load_time);
		synth_set(&s, "timekeeper", "offs_real", SYNTH_IMAGE + SYNTH_TK + 8,
			  truth[i].offs_real);
		synth_set(&s, "timekeeper", "offs_boot", SYNTH_IMAGE + SYNTH_TK + 8,
			  truth[i].offs_boot);
		all = programs();
		if (truth[i].seconds < 0)
			assert_unknown(only(&all).loaded_at);
		else
			assert_number(only(&all).loaded_at, truth[i].seconds);
		programs_deinit(&all);
	}
}

static void check_stop(enum kt_error_code code, const char *word)
{
	struct programs all;
	struct kt_error *err = try_programs(&all);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	if (!strstr(kt_error_message(err), word))
		fail_msg("%s", kt_error_message(err));
	kt_error_destroy(err);
}

static void test_idr_is_not_mapped(void **state)
{
	(void)state;
	fake_symbol(&s.facts, "prog_idr", UINT64_C(0xffffffffff600000));
	check_stop(KT_ERROR_FAULT, "prog_idr");
}

static void test_idr_in_circles(void **state)
{
	struct programs all;

	(void)state;
	synth_prog(&s, 7);
	textmem_put_uint(s.mem, s.leaf + 40 + 8 * 20, synth_va(s.leaf) | 2, 8);
	all = programs();
	assert_int_equal(all.n, 1);
	assert_int_equal(all.n_unreadable, 1);
	programs_deinit(&all);
}

/* A tree of shared nodes that claims 64 ^ 6 programs. */
static void test_idr_of_billions(void **state)
{
	gaddr_t below = s.leaf;

	(void)state;
	synth_prog(&s, 7);
	for (unsigned int i = 1; i < 6; i++) {
		gaddr_t node = synth_alloc(&s, 40 + 512);

		textmem_put_uint(s.mem, node, 6 * i, 1);
		for (unsigned int j = 0; j < 64; j++)
			textmem_put_uint(s.mem, node + 40 + 8 * j, synth_va(below) | 2, 8);
		below = node;
	}
	textmem_put_uint(s.mem, SYNTH_IMAGE + SYNTH_IDR + 8, synth_va(below) | 2, 8);
	check_stop(KT_ERROR_FORMAT, "more than");
}

/* What has to be read for one program is bounded, and for all together: the rest is unknown. */
static void test_bound_of_all_pieces(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);
	struct gmem_batch batch = {0};
	struct bpf_progs *progs;
	struct guest *guest;

	(void)state;
	synth_maps(&s, &p, 3, 1);
	synth_funcs(&s, &p, 4);
	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	assert_null(bpf_progs_read(guest, &progs));
	for (size_t left = 0; left <= 10; left++) {
		struct walk_entry *entry = &progs->entries[0];

		refs_deinit(&entry->refs);
		progs->refs.pieces_left = left;
		assert_null(refs_begin(&progs->refs, &progs->views, &entry->prog, &entry->refs,
				       &batch));
		assert_int_equal(entry->refs.maps.known, left >= 3);
		assert_int_equal(entry->refs.funcs.known, left >= 7);
		assert_int_equal(entry->refs.stats.known, left == 6 || left == 10);
	}
	gmem_batch_deinit(&batch);
	bpf_progs_destroy(progs);
	guest_destroy(guest);
}

/* The same program in every slot: only where it belongs is anything followed. */
static void test_one_program_everywhere(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);
	struct bpf_progs *progs;
	struct programs all;
	struct guest *guest;
	size_t left[2];

	(void)state;
	synth_maps(&s, &p, 60, 1);
	synth_cpu(&s);
	for (unsigned int round = 0; round < 2; round++) {
		assert_null(synth_guest(&s, &guest));
		assert_null(bpf_progs_read(guest, &progs));
		left[round] = progs->refs.pieces_left;
		bpf_progs_destroy(progs);
		guest_destroy(guest);
		for (unsigned int i = 0; i < 64; i++)
			textmem_put_uint(s.mem, s.leaf + 40 + 8 * i, synth_va(p.prog), 8);
	}
	assert_int_equal(left[0], left[1]);
	all = programs();
	assert_int_equal(all.n, 1);
	assert_int_equal(all.n_unreadable, 63);
	programs_deinit(&all);
}

static void test_kernel_without_bpf(void **state)
{
	struct kt_error *err;

	(void)state;
	assert_null(bpf_progs_check(&s.facts));
	fake_drop(&s.facts, KFACTS_SYMBOL, "prog_idr", NULL);
	err = bpf_progs_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	assert_non_null(kt_error_hint_text(err));
	kt_error_destroy(err);
	check_stop(KT_ERROR_NOT_FOUND, "prog_idr");
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_prog_aux", "id");
	err = bpf_progs_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
}

/* Required members of each kind are asked for before the guest is. */
static void test_missing_member(void **state)
{
	static const char *const paths[][2] = {
		{"bpf_prog", "aux"}, {"bpf_prog_aux", "used_maps"}, {"idr", "idr_rt.xa_head"}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct kt_error *err;

		synth_deinit(&s);
		synth_init(&s, 0);
		fake_drop(&s.facts, KFACTS_MEMBER, paths[i][0], paths[i][1]);
		err = bpf_progs_check(&s.facts);
		assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
		assert_non_null(strstr(kt_error_message(err), paths[i][1]));
		kt_error_destroy(err);
		check_stop(KT_ERROR_NOT_FOUND, paths[i][1]);
	}
}

/* The number of batches does not depend on how many programs there are. */
static void test_batches(void **state)
{
	struct programs all;
	size_t calls[2];

	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		synth_deinit(&s);
		synth_init(&s, 0);
		for (uint32_t id = 1; id <= (round ? 60u : 1u); id++) {
			struct synth_prog p = synth_prog(&s, id);

			synth_maps(&s, &p, 2, id);
			synth_btf(&s, &p, "a_name_of_more_than_fifteen");
		}
		all = programs();
		assert_int_equal(all.n, round ? 60 : 1);
		for (size_t i = 0; i < all.n; i++)
			assert_int_equal(all.all[i].id, i + 1);
		programs_deinit(&all);
		calls[round] = s.mem->calls;
	}
	assert_true(calls[1] <= calls[0] + 2);
	assert_true(calls[0] < 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_programs),
		TEST(test_every_value),
		TEST(test_values_at_their_limits),
		TEST(test_older_kernel),
		TEST(test_unknown_type),
		TEST(test_subprograms),
		TEST(test_dying),
		TEST(test_unreadable),
		TEST(test_half_an_aux),
		TEST(test_dangling_pointers),
		TEST(test_one_bad_map),
		TEST(test_huge_counts),
		TEST(test_most_maps),
		TEST(test_clock),
		TEST(test_idr_is_not_mapped),
		TEST(test_idr_in_circles),
		TEST(test_idr_of_billions),
		TEST(test_bound_of_all_pieces),
		TEST(test_one_program_everywhere),
		TEST(test_kernel_without_bpf),
		TEST(test_missing_member),
		TEST(test_batches),
	};

	return cmocka_run_group_tests_name("bpf_prog", tests, NULL, NULL);
}
