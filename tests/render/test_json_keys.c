// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * docs/json.md against documents that it takes a guest to print: here they are made of what a guest
 * could have. tests/cli/json.sh has the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "model/cell_json.h"
#include "render/bpf_disasm.h"
#include "render/load.h"
#include "render/objects.h"
#include "render/prog_details.h"
#include "render/programs.h"
#include "tests/lib/json_keys.h"
#include "util/buf.h"

/* What the tests show owns no strings. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* Appends the document that a render function gave, and frees it. */
static void add(struct kt_buf *documents, struct kt_error *err, char *const *document)
{
	assert_null(err);
	kt_buf_appends(documents, *document);
	free(*document);
}

static void check(const char *section, struct kt_buf *documents)
{
	assert_false(kt_buf_failed(documents));
	assert_json_keys(section, documents->data);
	kt_buf_deinit(documents);
}

/* Of an object that a process and a file hold. */
static struct held held_once(void)
{
	static const struct held_fd fd = {.pid = 1, .fd = 3, .comm = "init"};
	static const struct held_pin pin = {.path = (char *)"/sys/fs/bpf/x"};

	return (struct held){true, true, &fd, 1, &pin, 1};
}

/* Of --object, of --run, and of --scheduler: no document has the keys of all three. */
static void test_programs(void **state)
{
	struct program all[] = {{.id = 1, .name = "a", .held = held_once()}};
	const struct programs programs = {.all = all, .n = 1};
	struct kt_trial tried[] = {
		{.object = text("a.bpf.o"),
		 .section = text("xdp"),
		 .name = text("a"),
		 .passed = true,
		 .id = 1,
		 .log = text("")},
		{.object = text("a.bpf.o"),
		 .section = text("xdp"),
		 .name = text("b"),
		 .errnum = 22,
		 .log = text("log")},
		{.object = text("a.bpf.o"),
		 .section = text("xdp"),
		 .name = text("gone"),
		 .passed = true,
		 .id = 2,
		 .log = text("")},
	};
	struct kt_trial refused = {
		.object = text(""), .section = text(""), .name = text(""), .log = text("log")};
	struct kt_trials trials = {.v = {tried, 3, 3}}, rejected = {.v = {&refused, 1, 1}};
	const struct render_payload payload = {.exited = true, .output = "", .rejected = &rejected};
	struct kt_prog_stats failed = {.name = text("c"), .failed = true};
	const struct kt_verifier_vm_result run = {
		.stats = {&failed, 1},
		.sysfs = {.known = true, .state = "enabled"},
		.memory = {.known = true, .state = "enabled"},
		.scheduler_log = text(""),
	};
	const struct render_guest guests[] = {
		{.release = "7.3", .trials = &trials},
		{.release = "7.3", .trials = &trials, .not_read = true},
		{.payload = &payload},
		{.scheduler = "scx_fix", .run = &run},
	};
	struct prog_function function = {.proto = "int a(void)"};
	struct prog_used_map map = {.id = 1};
	char *name = text("bpf_ktime_get_ns");
	const struct prog_details details = {.program = all,
					     .helpers = {&name, 1},
					     .functions = &function,
					     .n_functions = 1,
					     .maps = &map,
					     .n_maps = 1,
					     .maps_known = true};
	struct kt_buf documents = KT_BUF_INIT;
	char *out = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++)
		add(&documents, render_programs_json(&programs, &guests[i], &out), &out);
	add(&documents, render_prog_details_json(&details, &guests[0], &out), &out);
	check("programs", &documents);
}

static void test_objects(void **state)
{
	const struct render_guest guest = {.release = "7.3"};
	const struct held held = held_once();
	struct map map = {.id = 1, .held = held};
	struct link_func funcs[] = {
		{.addr = {true, 1}, .cookie = {true, 0}},
		{.offset = {true, 2}, .ref_ctr_offset = {true, 0}, .cookie = {true, 0}},
	};
	struct link link[] = {
		{.id = 1, .held = held},
		{.id = 2, .funcs = &funcs[0], .n_funcs = 1, .funcs_known = true},
		{.id = 3, .funcs = &funcs[1], .n_funcs = 1, .funcs_known = true},
	};
	struct maps maps = {.all = &map, .n = 1};
	struct links links = {.all = link, .n = 3};
	struct render_grid map_grid = render_maps_grid(&maps);
	struct render_grid link_grid = render_links_grid(&links);
	struct perf_prog prog = {.pid = 1, .event = &link[0]};
	struct perf_progs progs = {.all = &prog, .n = 1};
	struct render_grid perf_grid = render_perf_grid(&progs);
	struct kt_buf documents = KT_BUF_INIT;
	char *out = NULL;

	(void)state;
	add(&documents, render_objects_json(&map_grid, "maps", &guest, &out), &out);
	check("maps", &documents);
	add(&documents, render_objects_json(&link_grid, "links", &guest, &out), &out);
	check("links", &documents);
	add(&documents, render_objects_json(&perf_grid, "perf", &guest, &out), &out);
	check("perf", &documents);
}

static void test_prog_dump(void **state)
{
	struct insn exit_insn = {.code = 0x95};
	struct insn_function function = {0, (char *)"int f(void)"};
	struct insn_line line = {0, (char *)"return 0;", (char *)"a.c", 7, 9};
	const struct insns insns = {.all = &exit_insn,
				    .n = 1,
				    .functions = &function,
				    .n_functions = 1,
				    .lines = &line,
				    .n_lines = 1};
	struct kt_buf documents = KT_BUF_INIT;
	char *out = NULL;

	(void)state;
	add(&documents, render_insns_json(&insns, &(struct render_insns){true, true}, &out), &out);
	add(&documents, render_insns_json(&insns, &(struct render_insns){0}, &out), &out);
	check("prog dump", &documents);
}

static void test_watch(void **state)
{
	const struct bpf_load load = {.name = "a"};
	const struct bpf_load_progress progress = {.name = "a"};
	const struct load_summary summary = {0};
	struct kt_buf documents = KT_BUF_INIT;
	char *out = NULL;

	(void)state;
	add(&documents, render_load_begin_json("7.3", NULL, true, false, &out), &out);
	add(&documents, render_load_json(&load, "why", &out), &out);
	add(&documents, render_load_json(&load, NULL, &out), &out);
	add(&documents, render_load_progress_json(&progress, &out), &out);
	add(&documents, render_load_summary_json(&summary, NULL, &out), &out);
	assert_json_keys("watch begin", documents.data);
	assert_json_keys("watch load", documents.data);
	assert_json_keys("watch progress", documents.data);
	check("watch end", &documents);
}

static void test_cell_record(void **state)
{
	struct kt_prog_stats stats = {
		.name = text("a"), .type = text("xdp"), .tag = text("0"), .failed = true};
	const struct kt_cell_record records[] = {
		{.scheduler = text("s"), .kernel = text("k"), .topology = text("t")},
		{.scheduler = text("s"),
		 .kernel = text("k"),
		 .topology = text("t"),
		 .stats = {&stats, 1},
		 .verdict = text("pass"),
		 .reason = text("why"),
		 .release = text("7.3"),
		 .log = text("s.log"),
		 .dump = text("s.dump"),
		 .no_dump = text("it needs Linux 6.16"),
		 .workload = text("pipe"),
		 .last = text("the steps"),
		 .place = 1,
		 .file = text("/sweep.conf"),
		 .host = text("here"),
		 .version = text("0.1"),
		 .started = 1,
		 .duration_s = 2.5,
		 .attempts = 1},
	};
	struct kt_buf documents = KT_BUF_INIT;
	char *out = NULL;

	(void)state;
	for (size_t k = 0; k < KT_N_TRIAL_NUMBERS; k++)
		stats.more[k] = (struct program_number){true, k};
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		add(&documents, kt_cell_record_encode(&records[i], &out), &out);
	check("cell record", &documents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),    cmocka_unit_test(test_objects),
		cmocka_unit_test(test_prog_dump),   cmocka_unit_test(test_watch),
		cmocka_unit_test(test_cell_record),
	};

	return cmocka_run_group_tests_name("json keys", tests, NULL, NULL);
}
