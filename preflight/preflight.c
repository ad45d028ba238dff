// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/preflight.h"

#include <string.h>

#include "preflight/checks.h"
#include "preflight/core.h"
#include "util/cleanup.h"

/* Of several findings that say the same, one is told: the surest. */
static bool is_told(struct pf_check *check, const struct preflight_finding *finding)
{
	kt_vec_for_each (&check->report->findings, known) {
		if (!finding->what || known->program != finding->program ||
		    known->class != finding->class || strcmp(known->what, finding->what))
			continue;
		known->sure |= finding->sure;
		known->module |= finding->module;
		return true;
	}
	return false;
}

/* Takes finding.try, and what. */
static void add(struct pf_check *check, struct preflight_finding finding, struct kt_buf *what)
{
	struct kt_error *err;

	finding.what = kt_buf_steal(what);
	if (is_told(check, &finding)) {
		free(finding.what);
		free(finding.try);
		return;
	}
	err = preflight_add(check->report, finding);
	if (check->err)
		kt_error_destroy(err);
	else
		check->err = err;
}

void pf_found(struct pf_check *check, uint32_t program, enum kt_load_class class, bool sure,
	      char *try, const char *fmt, ...)
{
	struct kt_buf what = KT_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vprintf(&what, fmt, ap);
	va_end(ap);
	add(check,
	    (struct preflight_finding){
		    .class = class, .sure = sure, .program = program, .try = try},
	    &what);
}

void pf_found_missing(struct pf_check *check, struct pf_missing m, const char *fmt, ...)
{
	const char *module = NULL;
	enum pf_in_module where = pf_modules_ask(check->kernel->modules, m.kind, m.name, &module);
	struct preflight_finding finding = {
		.class = m.class,
		.sure = m.sure && where == PF_IN_NO_MODULE,
		.module = m.sure && where != PF_IN_NO_MODULE,
		.program = m.program,
		.try = m.try,
	};
	struct kt_buf what = KT_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vprintf(&what, fmt, ap);
	va_end(ap);
	switch (where) {
	case PF_IN_NO_MODULE: kt_buf_appends(&what, " is not in this kernel"); break;
	case PF_MAY_BE_IN_MODULE:
		kt_buf_appends(&what, " is not in this kernel's vmlinux; it may be in a module");
		break;
	case PF_IN_MODULE:
		kt_buf_printf(&what, " is in module %s, which has to be loaded", module);
		free(finding.try);
		finding.try = NULL;
		break;
	}
	add(check, finding, &what);
}

static void add_core(struct pf_check *check, const struct pf_subject *subject,
		     const struct pf_core *core, bool sure)
{
	struct pf_missing missing = {subject->index, KT_LOAD_CORE, 0, NULL, sure, NULL};
	_cleanup_free_ char *name = NULL, *what = NULL;
	char *try;

	name = pf_core_lacks_type(check->object, core, check->kernel, &missing.kind);
	pf_core_words(check->object, core, check->kernel, &what, &try);
	if (name && what) {
		missing.name = name;
		missing.try = try;
		pf_found_missing(check, missing, "%s", what);
	} else {
		pf_found(check, subject->index, KT_LOAD_CORE, sure, try, "%s",
			 what ? what : "a CO-RE relocation finds nothing");
	}
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
		pf_found(&check, PREFLIGHT_ALL, KT_LOAD_OBJECT, false, NULL,
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

struct kt_error *preflight_not_opened(const struct kt_error *why, struct preflight_report *ret)
{
	bool sure = kt_error_code(why) == KT_ERROR_FORMAT;
	const char *hint = kt_error_hint_text(why);
	struct preflight_finding finding = {
		.class = KT_LOAD_OBJECT, .sure = sure, .program = PREFLIGHT_ALL};

	*ret = (struct preflight_report){0};
	finding.what = strdup(kt_error_message(why));
	finding.try = hint ? strdup(hint) : NULL;
	return preflight_add(ret, finding);
}
