// SPDX-License-Identifier: LGPL-2.1-or-later
/* libbpf's own loads, and which loads a person asks for. How libbpf loads is its src/libbpf.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "model/load_filter.h"
#include "model/load_fold.h"

static const struct program_number unknown;

static struct bpf_load make(const char *comm, uint32_t pid, const char *name)
{
	struct bpf_load load = {.by_known = true, .pid = pid, .type = strdup("xdp")};

	assert_non_null(load.type);
	strcpy(load.comm, comm);
	strcpy(load.name, name);
	load.error = load.log_level = (struct program_number){true, 0};
	load.verified_insns = (struct program_number){true, 10};
	return load;
}

static struct bpf_load failed(const char *name, uint64_t error, uint64_t log_level)
{
	struct bpf_load load = make("loader", 7, name);

	load.error.value = error;
	load.log_level.value = log_level;
	return load;
}

static void add(struct load_fold *fold, struct bpf_load load, enum bpf_load_probe probe)
{
	load.probe = probe;
	assert_null(load_fold_add(fold, &load));
	assert_null(load.type);
}

static void comes(struct load_fold *fold, const char *name, enum bpf_load_role role)
{
	struct bpf_load load;

	assert_true(load_fold_next(fold, &load));
	assert_string_equal(load.name, name);
	assert_int_equal(load.role, role);
	bpf_load_deinit(&load);
}

static void nothing_comes(struct load_fold *fold)
{
	struct bpf_load load;

	assert_false(load_fold_next(fold, &load));
}

/* A process that loads libbpf_nametest has loaded probes before it, and does behind it. */
static void test_probes(void **state)
{
	struct load_fold fold = {0};

	(void)state;
	add(&fold, make("loader", 7, ""), BPF_LOAD_MAYBE_PROBE);
	nothing_comes(&fold);
	assert_int_equal(load_fold_due_ns(&fold), LOAD_FOLD_HOLD_NS);
	add(&fold, make("loader", 7, "libbpf_nametest"), BPF_LOAD_IS_PROBE);
	comes(&fold, "", BPF_LOAD_PROBE);
	comes(&fold, "libbpf_nametest", BPF_LOAD_PROBE);
	add(&fold, make("loader", 7, ""), BPF_LOAD_MAYBE_PROBE);
	comes(&fold, "", BPF_LOAD_PROBE);
	add(&fold, make("loader", 7, "mine"), BPF_LOAD_NO_PROBE);
	comes(&fold, "mine", BPF_LOAD_ORDINARY);
	nothing_comes(&fold);
	load_fold_deinit(&fold);
}

/* The same program of somebody who does not use libbpf is his own. */
static void test_no_probe(void **state)
{
	struct load_fold fold = {0};

	(void)state;
	add(&fold, make("other", 8, ""), BPF_LOAD_MAYBE_PROBE);
	add(&fold, make("loader", 7, "libbpf_nametest"), BPF_LOAD_IS_PROBE);
	comes(&fold, "libbpf_nametest", BPF_LOAD_PROBE);
	nothing_comes(&fold);
	/* Its next load is no probe: so the one before was none. */
	add(&fold, make("other", 8, "next"), BPF_LOAD_NO_PROBE);
	comes(&fold, "", BPF_LOAD_ORDINARY);
	comes(&fold, "next", BPF_LOAD_ORDINARY);
	/* Or none comes for as long as is waited. */
	add(&fold, make("other", 8, ""), BPF_LOAD_MAYBE_PROBE);
	assert_null(load_fold_let_go(&fold, LOAD_FOLD_HOLD_NS - 1));
	nothing_comes(&fold);
	assert_null(load_fold_let_go(&fold, LOAD_FOLD_HOLD_NS));
	comes(&fold, "", BPF_LOAD_ORDINARY);
	assert_int_equal(load_fold_due_ns(&fold), INT64_MAX);
	/* Another process of that number is another one. */
	add(&fold, make("new", 7, ""), BPF_LOAD_MAYBE_PROBE);
	nothing_comes(&fold);
	load_fold_deinit(&fold);
}

static void test_retries(void **state)
{
	struct load_fold fold = {0};
	struct bpf_load load;

	(void)state;
	add(&fold, failed("prog", EINVAL, 0), BPF_LOAD_NO_PROBE);
	comes(&fold, "prog", BPF_LOAD_ORDINARY);
	add(&fold, failed("prog", ENOSPC, 1), BPF_LOAD_NO_PROBE);
	comes(&fold, "prog", BPF_LOAD_RETRY);
	add(&fold, failed("prog", EINVAL, 1), BPF_LOAD_NO_PROBE);
	comes(&fold, "prog", BPF_LOAD_RETRY);
	/* What is not just that load again is the user's. */
	add(&fold, failed("prog", E2BIG, 1), BPF_LOAD_NO_PROBE);
	comes(&fold, "prog", BPF_LOAD_ORDINARY);
	add(&fold, failed("prog", EINVAL, 1), BPF_LOAD_NO_PROBE);
	comes(&fold, "prog", BPF_LOAD_ORDINARY);
	add(&fold, failed("prog", EINVAL, 0), BPF_LOAD_NO_PROBE);
	comes(&fold, "prog", BPF_LOAD_ORDINARY);
	load = failed("prog", EINVAL, 1);
	load.verified_insns.value++;
	add(&fold, load, BPF_LOAD_NO_PROBE);
	comes(&fold, "prog", BPF_LOAD_ORDINARY);
	add(&fold, failed("prog", EINVAL, 0), BPF_LOAD_NO_PROBE);
	comes(&fold, "prog", BPF_LOAD_ORDINARY);
	add(&fold, failed("other", EINVAL, 1), BPF_LOAD_NO_PROBE);
	comes(&fold, "other", BPF_LOAD_ORDINARY);
	load_fold_deinit(&fold);
}

static void test_filter(void **state)
{
	struct bpf_load load = make("loader", 7, "prog");
	struct load_filter all = {0}, filter = {0};

	(void)state;
	assert_true(load_filter_takes(&all, &load));
	assert_true(kt_vec_push(&filter.comms, "load*"));
	assert_true(kt_vec_push(&filter.pids, 7));
	assert_true(kt_vec_push(&filter.types, "kprobe"));
	assert_true(kt_vec_push(&filter.types, "xdp"));
	assert_true(kt_vec_push(&filter.names, "p?og"));
	filter.min_insns = 10;
	assert_true(load_filter_takes(&filter, &load));
	load.verified_insns.value = 9;
	assert_false(load_filter_takes(&filter, &load));
	load.verified_insns = unknown;
	assert_false(load_filter_takes(&filter, &load));
	filter.min_insns = 0;
	assert_true(load_filter_takes(&filter, &load));
	filter.failed = true;
	assert_false(load_filter_takes(&filter, &load));
	load.error.value = EINVAL;
	assert_true(load_filter_takes(&filter, &load));
	load.pid = 8;
	assert_false(load_filter_takes(&filter, &load));
	load.pid = 7;
	load.by_known = false;
	assert_false(load_filter_takes(&filter, &load));
	load.by_known = true;
	strcpy(load.name, "none");
	assert_false(load_filter_takes(&filter, &load));
	/* The name that is not cut counts, too. */
	load.full_name = strdup("prog");
	assert_true(load_filter_takes(&filter, &load));
	bpf_load_deinit(&load);
	load_filter_deinit(&filter);
}

/* ENOSPC takes the place of the verifier's word, which its log still has. */
static void test_accepted(void **state)
{
	struct bpf_load load = failed("prog", ENOSPC, 2);

	(void)state;
	assert_false(kt_bpf_load_accepted(&load).known);
	load.log = strdup("0: R1=ctx() R10=fp0\n0: (b7) r0 = 0\n1: (95) exit\nprocessed 2 insns "
			  "(limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "
			  "mark_read 0\n");
	assert_non_null(load.log);
	load.log_len = strlen(load.log);
	assert_true(kt_bpf_load_accepted(&load).known);
	assert_int_equal(kt_bpf_load_accepted(&load).value, 1);
	load.error = unknown;
	free(load.log);
	load.log = NULL;
	assert_false(kt_bpf_load_accepted(&load).known);
	load.error = (struct program_number){true, 0};
	assert_int_equal(kt_bpf_load_accepted(&load).value, 1);
	bpf_load_deinit(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes),   cmocka_unit_test(test_no_probe),
		cmocka_unit_test(test_retries),  cmocka_unit_test(test_filter),
		cmocka_unit_test(test_accepted),
	};

	return cmocka_run_group_tests_name("model load fold", tests, NULL, NULL);
}
