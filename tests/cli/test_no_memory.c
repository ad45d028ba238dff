// SPDX-License-Identifier: LGPL-2.1-or-later
/* Out of memory: the stub, a kernel's facts, a log, a report. See tests/lib/no_memory.h. */
#include "tests/lib/no_memory.h"

#include <unistd.h>

#include "btf/facts.h"
#include "gdbrsp/client.h"
#include "logparse/blocks.h"
#include "model/cell_json.h"
#include "render/cells.h"
#include "render/html.h"
#include "render/log_format.h"
#include "tests/btf/fake_kernel.h"
#include "tests/lib/liar.h"

static struct kt_error *converse(struct rsp_client *client, char **ret)
{
	static const char *const names[] = {"rip", "cr3"};
	uint8_t bytes[0x1800];
	struct rsp_read reads[] = {{0x1000, 8, bytes, false}, {0x2345, 0x1700, bytes + 8, false}};
	const struct rsp_thread *threads;
	uint64_t values[4] = {0};
	struct kt_error *err, *detach_err;
	size_t n;

	err = rsp_client_threads(client, &threads, &n);
	if (!err)
		err = rsp_client_registers(client, threads, n, names, 2, values);
	if (!err)
		err = rsp_client_read(client, RSP_VIRTUAL, reads, 2);
	detach_err = rsp_client_detach(client);
	if (err)
		kt_error_destroy(detach_err);
	else
		err = detach_err;
	if (!err && asprintf(ret, "%zu threads, rip %lx, %02x", n, (unsigned long)values[2],
			     bytes[100]) < 0)
		err = kt_error_no_memory();
	return err;
}

static struct kt_error *talk_to_stub(char **ret)
{
	static const struct rsp_options options = {.timeout_ms = 60000, .cancel_fd = -1};
	struct rsp_client *client = NULL;
	struct kt_error *err;
	struct liar *liar;
	int fd;

	liar = liar_start(liar_n_ways, 0, NULL, NULL, &fd);
	counting = true;
	err = rsp_client_from_fd(fd, &options, &client);
	if (!err)
		err = converse(client, ret);
	rsp_client_destroy(client);
	counting = false;
	liar_join(liar);
	return err;
}

static char kernel_path[] = "/tmp/ktstr-memory-XXXXXX";

static struct kt_error *load_facts(char **ret)
{
	static const struct kfacts_want wants[] = {
		{KFACTS_SYMBOL, "prog_idr", NULL, false},
		{KFACTS_MEMBER, "bpf_prog", "aux", false},
		{KFACTS_SIZE, "bpf_prog", NULL, false},
		{KFACTS_ENUM, "bpf_prog_type", NULL, false},
	};
	const struct kfacts_sources sources = {.image = kernel_path};
	struct kfacts *facts;
	struct kt_error *err;
	bool cached;

	counting = true;
	err = kfacts_load(&sources, wants, 4, NULL, &facts, &cached);
	if (!err) {
		*ret = strdup(kfacts_kernel(facts)->release);
		kfacts_destroy(facts);
		err = *ret ? NULL : kt_error_no_memory();
	}
	counting = false;
	return err;
}

/* Linux 7.3. */
#define EXPLAINED                                                                                  \
	"0: R1=ctx() R10=fp0\n"                                                                    \
	"; v = bpf_map_lookup_elem(&m, &k); @ two.bpf.c:5\n"                                       \
	"1: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=m,ks=4,vs=4)\n"     \
	"2: (bf) r6 = r0                       ; R6=map_value_or_null(id=1,map=m,ks=4,vs=4)\n"     \
	"3: (15) if r7 == 0x2 goto pc+2        ; R7=scalar()\n"                                    \
	"4: (95) exit\n\n"                                                                         \
	"from 3 to 6: R6=map_value_or_null(id=1,map=m,ks=4,vs=4) R7=2 R10=fp0\n"                   \
	"; return *v; @ two.bpf.c:9\n"                                                             \
	"6: (61) r0 = *(u32 *)(r6 +0)\n"                                                           \
	"R6 invalid mem access 'map_value_or_null'\n\n"                                            \
	"Verification failed: Memory Safety: Pointer may be NULL\n\n"                              \
	"Reason:\n"                                                                                \
	"  R6 may be NULL.\n\n"                                                                    \
	"At:\n"                                                                                    \
	"  p @ two.bpf.c:9:9\n\n"                                                                  \
	"processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 "    \
	"mark_read 0\n"

static struct kt_error *append(void *arg, struct kt_text piece)
{
	kt_buf_append(arg, piece.data, piece.len);
	return kt_buf_failed(arg) ? kt_error_no_memory() : NULL;
}

/* A loop's trace, of a hundred iterations. */
static struct kt_error *collapse_log(char **ret)
{
	struct kt_buf log = KT_BUF_INIT, out = KT_BUF_INIT;
	struct kt_error *err;

	kt_buf_appends(&log, "libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n0: R1=ctx() R10=fp0\n");
	for (int i = 0; i < 100; i++)
		for (int insn = 1; insn < 8; insn++)
			kt_buf_printf(&log, "%d: (07) r%d += 1 ; R%d_w=%d\n", insn, insn, insn, i);
	kt_buf_appends(&log, "processed 700 insns (limit 1000000) max_states_per_insn 1 "
			     "total_states 9 peak_states 9 mark_read 1\n-- END PROG LOAD LOG --\n");
	counting = true;
	err = kt_collapse_blocks_to((struct kt_text){log.data, log.len}, NULL, append, &out);
	if (!err) {
		*ret = strndup(out.data, out.len);
		err = *ret ? NULL : kt_error_no_memory();
	}
	kt_buf_deinit(&out);
	counting = false;
	kt_buf_deinit(&log);
	return err;
}

/* The error of a log, with all that a problem has: a column, steps, a branch, a reason. */
static struct kt_error *format_log(char **ret)
{
	static struct kt_error *(*const formats[])(const struct render_log_program *, size_t,
						   const struct render_log_format_options *,
						   char **) = {
		render_log_gcc,
		render_log_github,
		render_log_sarif,
	};
	static const struct render_log_program program = {
		.file = KT_TEXT("my.log"),
		.log = {.program = KT_TEXT("p"), .trace = KT_TEXT(EXPLAINED), .complete = true},
	};
	struct kt_buf all = KT_BUF_INIT;
	struct kt_error *err = NULL;

	counting = true;
	for (size_t i = 0; !err && i < sizeof(formats) / sizeof(*formats); i++) {
		char *one = NULL;

		err = formats[i](&program, 1, NULL, &one);
		if (!err)
			kt_buf_appends(&all, one);
		free(one);
	}
	if (!err) {
		*ret = kt_buf_failed(&all) ? NULL : strndup(all.data, all.len);
		err = *ret ? NULL : kt_error_no_memory();
	}
	kt_buf_deinit(&all);
	counting = false;
	return err;
}

static struct kt_error *format_counts(const struct kt_cell_records *records, char **ret)
{
	return kt_render_instruction_count_tables(records, NULL, ret);
}

static struct kt_error *format_results(const struct kt_cell_records *records, char **ret)
{
	return kt_render_result_table(records, NULL, ret);
}

static struct kt_error *format_html(const struct kt_cell_records *records, char **ret)
{
	return kt_format_cells_html(records, &(struct kt_html_options){0}, ret);
}

static struct kt_error *report(char **ret)
{
	static struct kt_error *(*const formats[])(const struct kt_cell_records *, char **) = {
		format_counts,        format_results,      format_html,
		kt_format_cells_json, kt_format_cells_csv, kt_format_cells_junit,
	};
	static const char text[] =
		"{\"scheduler\": \"s\", \"kernel\": \"6.12\", \"topology\": \"t\", \"passed\": false,"
		" \"reason\": \"stalled\", \"stats\": [{\"name\": \"p\", \"verified_insns\": 7}]}";
	struct kt_buf all = KT_BUF_INIT;
	struct kt_cell_record record;
	struct kt_cell_records records = {&record, 1};
	struct kt_error *err;

	counting = true;
	err = kt_cell_record_decode((struct kt_text){text, strlen(text)}, &record);
	if (!err) {
		for (size_t i = 0; !err && i < sizeof(formats) / sizeof(*formats); i++) {
			char *one = NULL;

			err = formats[i](&records, &one);
			if (!err)
				kt_buf_appends(&all, one);
			free(one);
		}
		kt_cell_record_deinit(&record);
	}
	if (!err) {
		*ret = kt_buf_failed(&all) ? NULL : strndup(all.data, all.len);
		err = *ret ? NULL : kt_error_no_memory();
	}
	kt_buf_deinit(&all);
	counting = false;
	return err;
}

static void test_stub(void **state)
{
	(void)state;
	check_each(talk_to_stub, "connect, registers, memory, detach");
}

static void test_facts(void **state)
{
	struct kt_buf elf = KT_BUF_INIT;
	int fd = mkstemp(kernel_path);

	(void)state;
	fake_kernel(&elf, &(struct fake_options){0});
	assert_int_equal(write(fd, elf.data, elf.len), elf.len);
	close(fd);
	kt_buf_deinit(&elf);
	check_each(load_facts, "a kernel's facts");
	unlink(kernel_path);
}

static void test_log(void **state)
{
	(void)state;
	check_each(collapse_log, "a log, collapsed");
}

static void test_log_formats(void **state)
{
	(void)state;
	check_each(format_log, "the error of a log, in each format");
}

static void test_report(void **state)
{
	(void)state;
	check_each(report, "a report of cells");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stub),   cmocka_unit_test(test_facts),
		cmocka_unit_test(test_log),    cmocka_unit_test(test_log_formats),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests_name("cli/no_memory", tests, NULL, NULL);
}
