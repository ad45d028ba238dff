// SPDX-License-Identifier: LGPL-2.1-or-later
/* Out of memory: reading a guest's programs, and showing them. See tests/lib/no_memory.h. */
#include "tests/lib/no_memory.h"

#include <jansson.h>

#include "render/programs.h"
#include "tests/introspect/synth.h"

static struct kt_error *render(struct programs *programs, char **ret)
{
	const struct render_guest info = {.release = "6", .arch = "x86_64"};
	const char *columns = "id,type,name,full_name,insns";
	char *table = NULL, *csv = NULL, *json = NULL;
	struct kt_error *err = render_programs_table(programs, columns, 80, true, &table);

	if (!err)
		err = render_programs_csv(programs, columns, &csv);
	if (!err)
		err = render_programs_json(programs, &info, &json);
	if (!err && asprintf(ret, "%s%s%s", table, csv, json) < 0)
		err = kt_error_no_memory();
	free(table);
	free(csv);
	free(json);
	return err;
}

static struct kt_error *read_guest(char **ret)
{
	struct bpf_progs *progs = NULL;
	struct programs programs = {0};
	struct guest *guest = NULL;
	struct kt_error *err;
	struct synth s;

	synth_init(&s, SYNTH_KASLR);
	for (uint32_t id = 1; id <= 3; id++) {
		struct synth_prog p = synth_prog(&s, id);

		synth_maps(&s, &p, 2, id);
		synth_funcs(&s, &p, 1);
		synth_btf(&s, &p, "a_name_of_more_than_fifteen");
	}
	synth_cpu(&s);
	counting = true;
	err = synth_guest(&s, &guest);
	if (!err)
		err = bpf_progs_read(guest, &progs);
	if (!err)
		err = bpf_progs_finish(progs, &s.facts, &programs);
	if (!err)
		err = render(&programs, ret);
	programs_deinit(&programs);
	bpf_progs_destroy(progs);
	guest_destroy(guest);
	counting = false;
	synth_deinit(&s);
	return err;
}

static void test_guest(void **state)
{
	(void)state;
	check_each(read_guest, "a guest's programs, and their tables");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_guest)};

	/* What jansson gets, too. (Its parser, 2.14, frees a wrong pointer then: not in the
	 * others.) */
	json_set_alloc_funcs(__wrap_malloc, free);
	return cmocka_run_group_tests_name("introspect/no_memory", tests, NULL, NULL);
}
