// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Against truth: the kernels of x86-64 that the other tests fetched. Their kallsyms has data
 * symbols, and two functions at least have to point to each that is looked for in code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "btf/symbols.h"
#include "image/image.h"
#include "introspect/bpf_idr.h"
#include "introspect/wallclock.h"
#include "memory/arch.h"

#define MAX_OPERANDS 4096

static bool points_to(struct image *image, gaddr_t from, gaddr_t end, gaddr_t to)
{
	static gaddr_t found[MAX_OPERANDS];
	struct image_section text;
	size_t n;

	assert_true(image_section(image, ".text", &text) && text.data);
	if (from < text.addr || end > text.addr + text.size)
		return false;
	n = arch_x86_64.operands(text.data + (from - text.addr), (size_t)(end - from), from, found,
				 MAX_OPERANDS);
	for (size_t i = 0; i < n; i++)
		if (found[i] == to)
			return true;
	return false;
}

static void check_data(struct image *image, const char *path, const struct code_data *data,
		       const char *symbol)
{
	struct symbols syms;
	gaddr_t at, from, end;
	size_t n = 0;

	assert_true(symbols_init(&syms, CODE_DATA_USERS + 1));
	symbols_want(&syms, symbol);
	for (size_t i = 0; i < CODE_DATA_USERS && data->users[i]; i++)
		assert_true(symbols_want_end(&syms, data->users[i]));
	assert_null(symbols_load(&syms, image));
	if (!symbols_get(&syms, symbol, &at)) {
		assert_string_not_equal(symbol, "prog_idr");
		symbols_deinit(&syms);
		return;
	}
	for (size_t i = 0; i < CODE_DATA_USERS && data->users[i]; i++)
		if (symbols_get_end(&syms, data->users[i], &from, &end))
			n += points_to(image, from, end, at);
	if (n < 2)
		fail_msg("%s: %zu functions point to %s", path, n, symbol);
	print_message("# %s: %zu functions point to %s\n", path, n, symbol);
	symbols_deinit(&syms);
}

static void check_kernel(const char *path)
{
	static const char *const idrs[] = {"prog_idr", "map_idr", "link_idr", "btf_idr"};
	struct image_file file = {0};
	struct image *image = NULL;

	assert_null(image_file_open(path, &file));
	assert_null(image_open(file.data, file.len, &image));
	for (size_t i = 0; i < sizeof(idrs) / sizeof(idrs[0]); i++)
		check_data(image, path, bpf_idr_users(idrs[i]), idrs[i]);
	check_data(image, path, &wallclock_users, "tk_core");
	check_data(image, path, &wallclock_users, "timekeeper_data");
	image_close(image);
	image_file_close(&file);
}

static void test_real_kernels(void **state)
{
	const char *env = getenv("KTSTR_KERNELS"), *xdg = getenv("XDG_CACHE_HOME");
	char pattern[400];
	glob_t kernels;

	(void)state;
	if (env)
		snprintf(pattern, sizeof(pattern), "%s/*amd64/vmlinuz", env);
	else if (xdg && *xdg)
		snprintf(pattern, sizeof(pattern), "%s/ktstr-gdb/kernels/*amd64/vmlinuz", xdg);
	else
		snprintf(pattern, sizeof(pattern), "%s/.cache/ktstr-gdb/kernels/*amd64/vmlinuz",
			 getenv("HOME"));
	if (glob(pattern, 0, NULL, &kernels)) {
		print_message("# SKIP: no %s\n", pattern);
		skip();
	}
	for (size_t i = 0; i < kernels.gl_pathc; i++)
		check_kernel(kernels.gl_pathv[i]);
	globfree(&kernels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_kernels),
	};

	return cmocka_run_group_tests_name("code_data: real kernels", tests, NULL, NULL);
}
