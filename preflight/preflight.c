// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/preflight.h"

#include <string.h>

#include "preflight/checks.h"
#include "preflight/core.h"
#include "util/cleanup.h"

void pf_found(struct pf_check *check, uint32_t program, enum kt_load_class class, bool sure,
	      char *try, const char *fmt, ...)
{
	struct preflight_finding finding = {class, sure, program, NULL, try};
	struct kt_buf what = KT_BUF_INIT;
	struct kt_error *err;
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vprintf(&what, fmt, ap);
	va_end(ap);
	finding.what = kt_buf_steal(&what);
	err = preflight_add(check->report, finding);
	if (check->err)
		kt_error_destroy(err);
	else
		check->err = err;
}

/* Of several relocations that miss the same, one is told: the surest. */
static void add_core(struct pf_check *check, const struct pf_subject *subject,
		     const struct pf_core *core, bool sure)
{
	char *what, *try;

	pf_core_words(check->object, core, check->kernel, &what, &try);
	kt_vec_for_each (&check->report->findings, known) {
		if (!what || known->program != subject->index || strcmp(known->what, what))
			continue;
		known->sure |= sure;
		free(what);
		free(try);
		return;
	}
	pf_found(check, subject->index, KT_LOAD_CORE, sure, try, "%s",
		 what ? what : "a CO-RE relocation finds nothing");
	free(what);
}

void pf_check_core(struct pf_check *check, const struct pf_subject *subject)
{
	bool any = false;

	kt_vec_for_each (&check->object->cores, core) {
		enum pf_reach reach = subject->reaches ? pf_reach_of(subject->reaches,
								     core->section, core->insn)
						       : PF_REACH_NEVER;

		any |= reach != PF_REACH_NEVER;
		if (reach != PF_REACH_NEVER && check->kernel->btf &&
		    pf_core_fails(check->object, core, check->kernel))
			add_core(check, subject, core, reach == PF_REACH_SURELY);
	}
	if (any && !check->kernel->btf)
		pf_found(check, subject->index, KT_LOAD_BTF, false, NULL,
			 "it has CO-RE relocations, and this kernel has no BTF: its loader has to "
			 "bring one (btf_custom_path)");
}

static struct kt_error *list_programs(const struct pf_object *o, struct preflight_report *ret)
{
	for (size_t i = 0; i < o->programs.len; i++) {
		const struct bpf_program *program = o->programs.data[i];
		struct preflight_program p = {
			.name = strdup(bpf_program__name(program)),
			.section = strdup(bpf_program__section_name(program)),
			.off = !bpf_program__autoload(program),
		};

		if (p.name && p.section && kt_vec_push(&ret->programs, p))
			continue;
		free(p.name);
		free(p.section);
		return kt_error_no_memory();
	}
	return NULL;
}

static void check_program(struct pf_check *check, uint32_t index)
{
	_cleanup_(pf_reaches_deinit) struct pf_reaches reaches = {0};
	struct pf_subject subject = {index, check->object->programs.data[index], NULL};
	const struct pf_func *func = pf_program_func(check->object, subject.program);

	if (func) {
		check->err = pf_reaches_find(check->object, func, &reaches);
		subject.reaches = &reaches;
	}
	if (!check->err)
		pf_check_type(check, &subject);
	if (!check->err)
		pf_check_calls(check, &subject);
	if (!check->err)
		pf_check_core(check, &subject);
}

struct kt_error *preflight_check(const struct pf_object *object, const struct pf_kernel *kernel,
				 struct preflight_report *ret)
{
	struct pf_check check = {object, kernel, ret, NULL};

	*ret = (struct preflight_report){0};
	check.err = list_programs(object, ret);
	if (!check.err && !object->programs.len)
		pf_found(&check, PREFLIGHT_ALL, KT_LOAD_OBJECT, true, NULL,
			 "it has no BPF program");
	if (!check.err)
		pf_check_maps(&check);
	if (!check.err)
		pf_check_externs(&check);
	if (!check.err)
		pf_check_struct_ops(&check);
	for (uint32_t i = 0; !check.err && i < object->programs.len; i++)
		if (!ret->programs.data[i].off)
			check_program(&check, i);
	return check.err;
}

struct kt_error *preflight_not_opened(struct kt_error *why, struct preflight_report *ret)
{
	const char *hint = kt_error_hint_text(why);
	struct preflight_finding finding = {KT_LOAD_OBJECT, true, PREFLIGHT_ALL, NULL, NULL};
	struct kt_error *err;

	*ret = (struct preflight_report){0};
	finding.what = strdup(kt_error_message(why));
	finding.try = hint ? strdup(hint) : NULL;
	err = preflight_add(ret, finding);
	kt_error_destroy(why);
	return err;
}
