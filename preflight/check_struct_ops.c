// SPDX-License-Identifier: LGPL-2.1-or-later
/* The structs of .struct_ops: the kernel has to have the type, and the members that are set. */
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf_lookup.h"
#include "preflight/checks.h"
#include "util/cleanup.h"

/*
 * A variable of .struct_ops. Its types are those of libbpf, who has put in where in the section it
 * lies.
 */
struct ops {
	size_t section;
	uint32_t offset; /* in the section */
	const struct btf_type *type;
	const char *name; /* of the type */
};

#define NO_PROGRAM UINT32_MAX

/* The program that a member points to, NO_PROGRAM: it points to none. */
static uint32_t program_at(const struct pf_check *check, const struct ops *ops, uint32_t i)
{
	const struct pf_object *o = check->object;
	size_t at = ops->offset + btf_member_bit_offset(ops->type, i) / 8;
	const struct pf_reloc *reloc = pf_reloc_at(o, ops->section, at);

	for (uint32_t p = 0; reloc && p < o->programs.len; p++) {
		const struct pf_func *func = pf_program_func(o, o->programs.data[p]);

		if (func && func->section == reloc->target &&
		    func->first * sizeof(struct bpf_insn) == reloc->value)
			return p;
	}
	return NO_PROGRAM;
}

static bool is_set(const struct pf_check *check, const struct ops *ops, uint32_t i)
{
	const struct btf_member *m = &btf_members(ops->type)[i];
	size_t at = ops->offset + btf_member_bit_offset(ops->type, i) / 8;
	const struct pf_section *s = &check->object->sections.data[ops->section];
	int64_t size = btf__resolve_size(bpf_object__btf(check->object->obj), m->type);

	if (pf_reloc_at(check->object, ops->section, at))
		return true;
	for (size_t k = at; s->data && size > 0 && k < s->len && k - at < (size_t)size; k++)
		if (s->data[k])
			return true;
	return false;
}

static bool has_member(const struct btf *btf, const struct btf_type *t, const char *name)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf_name_of(btf, btf_members(t)[i].name_off), name))
			return true;
	return false;
}

/*
 * Fails the programs of the struct. Any other one may load: it is refused with the whole object,
 * but not where libbpf (1.4 and later) is told to leave the struct_ops out.
 */
static void found_type(struct pf_check *check, const struct ops *ops, const char *plain)
{
	for (uint32_t i = 0; i < btf_vlen(ops->type) && !check->err; i++) {
		uint32_t program = program_at(check, ops, i);
		struct pf_missing missing = {program, KT_LOAD_REQUEST, BTF_KIND_STRUCT, plain, true,
					     NULL};

		if (program == NO_PROGRAM)
			continue;
		missing.try = pf_kernel_near(check->kernel, "", plain, BTF_KIND_STRUCT);
		pf_found_missing(check, missing, "struct_ops %s", plain);
	}
}

/* One that is no program's fails all programs of the struct. */
static void found_member(struct pf_check *check, const struct ops *ops, uint32_t id,
			 uint32_t member)
{
	const char *name = btf_name_of(bpf_object__btf(check->object->obj),
				       btf_members(ops->type)[member].name_off);
	uint32_t own = program_at(check, ops, member);

	for (uint32_t i = 0; i < btf_vlen(ops->type) && !check->err; i++) {
		uint32_t program = program_at(check, ops, i);

		if (program != NO_PROGRAM && (own == NO_PROGRAM || i == member))
			pf_found(check, program, KT_LOAD_REQUEST, true,
				 pf_near_members(check->kernel->btf, id, name),
				 "struct_ops %s has no member %s in this kernel", ops->name, name);
	}
}

static void check_members(struct pf_check *check, const struct ops *ops, uint32_t id)
{
	const struct btf *own = bpf_object__btf(check->object->obj), *target = check->kernel->btf;
	const struct btf_type *t = btf__type_by_id(target, id);

	for (uint32_t i = 0; i < btf_vlen(ops->type) && !check->err; i++) {
		const char *name = btf_name_of(own, btf_members(ops->type)[i].name_off);

		if (*name && !has_member(target, t, name) && is_set(check, ops, i))
			found_member(check, ops, id, i);
	}
}

static void check_ops(struct pf_check *check, const struct ops *ops)
{
	_cleanup_free_ char *plain = strndup(ops->name, pf_essential(ops->name));
	uint32_t id = plain ? pf_kernel_find(check->kernel, plain, BTF_KIND_STRUCT) : 0;

	if (!plain)
		check->err = kt_error_no_memory();
	else if (!id)
		found_type(check, ops, plain);
	else
		check_members(check, ops, id);
}

static void check_section(struct pf_check *check, const struct btf_type *sec, size_t section)
{
	const struct btf *btf = bpf_object__btf(check->object->obj);

	for (uint32_t i = 0; i < btf_vlen(sec) && !check->err; i++) {
		const struct btf_var_secinfo *info = &btf_var_secinfos(sec)[i];
		struct ops ops = {.section = section, .offset = info->offset};
		const struct btf_type *var = btf__type_by_id(btf, info->type);
		uint32_t id = var && btf_is_var(var) ? var->type : 0;

		ops.type = btf_strip(btf, &id);
		if (!id || !ops.type || !btf_is_struct(ops.type))
			continue;
		ops.name = btf_name_of(btf, ops.type->name_off);
		if (*ops.name)
			check_ops(check, &ops);
	}
}

static bool is_struct_ops(const char *name)
{
	return !strcmp(name, ".struct_ops") || !strcmp(name, ".struct_ops.link");
}

void pf_check_struct_ops(struct pf_check *check)
{
	const struct btf *btf = bpf_object__btf(check->object->obj);

	if (!btf || !check->kernel->btf)
		return;
	for (uint32_t id = 1; id < btf__type_cnt(btf) && !check->err; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name;
		size_t section;

		if (!t || !btf_is_datasec(t))
			continue;
		name = btf_name_of(btf, t->name_off);
		if (is_struct_ops(name) && pf_section_find(check->object, name, &section))
			check_section(check, t, section);
	}
}
