// SPDX-License-Identifier: LGPL-2.1-or-later
/* The helpers and kfuncs that a program calls, and its license. */
#include <linux/bpf.h>
#include <string.h>

#include "preflight/checks.h"

/* Helpers by number, as the headers of this build know them. */
#define HELPER_NAME(name) "bpf_" #name
static const char *const helpers[] = {__BPF_FUNC_MAPPER(HELPER_NAME)};

#define N_HELPERS ((int)(sizeof(helpers) / sizeof(helpers[0])))

/* libbpf puts bpf_probe_read() in their place on a kernel without them. */
static bool is_replaced(int32_t helper)
{
	return helper >= BPF_FUNC_probe_read_user && helper <= BPF_FUNC_probe_read_kernel_str;
}

/* Those that every kernel keeps for programs under the GPL. */
static bool is_gpl_only(int32_t helper)
{
	static const int32_t only[] = {
		BPF_FUNC_probe_read,      BPF_FUNC_probe_read_str,    BPF_FUNC_trace_printk,
		BPF_FUNC_trace_vprintk,   BPF_FUNC_perf_event_read,   BPF_FUNC_perf_event_output,
		BPF_FUNC_get_stackid,     BPF_FUNC_probe_write_user,  BPF_FUNC_override_return,
		BPF_FUNC_probe_read_user, BPF_FUNC_probe_read_kernel,
	};

	for (size_t i = 0; i < sizeof(only) / sizeof(only[0]); i++)
		if (only[i] == helper)
			return true;
	return false;
}

/* license_is_gpl_compatible() of the kernel. */
static bool is_gpl(const char *license)
{
	static const char *const all[] = {
		"GPL",          "GPL v2",       "GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i], license))
			return true;
	return false;
}

static void refuse_license(struct pf_check *check, const struct pf_subject *s, const char *what)
{
	const char *license = check->object->license;

	pf_found(check, s->index, KT_LOAD_POLICY, true,
		 strdup("char LICENSE[] SEC(\"license\") = \"GPL\", if it is so"),
		 "%s is for programs under the GPL; the object's license is \"%.60s\"", what,
		 license);
}

/* Was this said of the program already? */
static bool is_told(const struct pf_check *check, const struct pf_subject *s,
		    enum kt_load_class class, const char *name, bool sure)
{
	kt_vec_for_each (&check->report->findings, f) {
		if (f->program == s->index && f->class == class && strstr(f->what, name) &&
		    (f->sure || !sure))
			return true;
	}
	return false;
}

static void check_helper(struct pf_check *check, const struct pf_subject *s, int32_t helper,
			 bool sure)
{
	char name[64];

	if (helper <= 0 || is_replaced(helper))
		return;
	if (helper < N_HELPERS)
		snprintf(name, sizeof(name), "%s()", helpers[helper]);
	else
		snprintf(name, sizeof(name), "helper #%d", helper);
	if (sure && is_gpl_only(helper) && !is_gpl(check->object->license) &&
	    !is_told(check, s, KT_LOAD_POLICY, "", true))
		refuse_license(check, s, name);
	if (!pf_kernel_has_value(check->kernel, "bpf_func_id", helper) &&
	    !is_told(check, s, KT_LOAD_HELPER, name, sure))
		pf_found(check, s->index, KT_LOAD_HELPER, sure,
			 strdup("guard it: if (bpf_core_enum_value_exists(enum bpf_func_id, "
				"BPF_FUNC_...))"),
			 "%s is not in this kernel", name);
}

static void check_kfunc(struct pf_check *check, const struct pf_subject *s, const char *name,
			bool sure)
{
	kt_vec_for_each (&check->object->externs, e) {
		const struct btf_type *t = btf__type_by_id(check->object->btf, e->type);

		if (strcmp(e->name, name) || !t || !btf_is_func(t))
			continue;
		if (!pf_extern_is_missing(check, e)) {
			if (!is_gpl(check->object->license) &&
			    !is_told(check, s, KT_LOAD_POLICY, "", true))
				refuse_license(check, s, "a kfunc");
		} else if (e->weak && !is_told(check, s, KT_LOAD_KFUNC, name, sure)) {
			pf_found_missing(check,
					 (struct pf_missing){
						 s->index, KT_LOAD_KFUNC, BTF_KIND_FUNC, name, sure,
						 strdup("guard it: if (bpf_ksym_exists(...))")},
					 "kfunc %s, which is weak but called%s,", name,
					 sure ? " on every path" : "");
		}
		return;
	}
}

static void check_insn(struct pf_check *check, const struct pf_subject *s, const struct pf_func *f,
		       size_t i)
{
	const struct bpf_insn *insn = &pf_insns(check->object, f)[i];
	enum pf_reach reach = pf_reach_of(s->reaches, f->section, f->first + i);
	const struct pf_reloc *reloc;
	bool sure = reach == PF_REACH_SURELY;

	if (insn->code != (BPF_JMP | BPF_CALL) || reach == PF_REACH_NEVER)
		return;
	reloc = pf_reloc_at(check->object, f->section, (f->first + i) * sizeof(*insn));
	if (reloc && reloc->kind == PF_SYM_EXTERN)
		check_kfunc(check, s, reloc->name, sure);
	else if (!reloc && !insn->src_reg)
		check_helper(check, s, insn->imm, sure);
}

void pf_check_calls(struct pf_check *check, const struct pf_subject *s)
{
	const struct pf_object *o = check->object;

	if (bpf_program__type(s->program) == BPF_PROG_TYPE_LSM && !is_gpl(o->license))
		refuse_license(check, s, "an LSM program");
	for (size_t k = 0; s->reaches && k < o->funcs.len; k++) {
		if (!s->reaches->of_funcs[k])
			continue;
		for (size_t i = 0; i < o->funcs.data[k].n && !check->err; i++)
			check_insn(check, s, &o->funcs.data[k], i);
	}
}
