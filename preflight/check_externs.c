// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Externs of .ksyms. libbpf resolves all of an object before it loads the first program: a strong
 * one that is missing fails them all.
 */
#include <string.h>

#include "btf/btf_lookup.h"
#include "preflight/checks.h"
#include "preflight/compat.h"

/* The type of a variable, without qualifiers; 0 is void: the symbol's address is all that is asked.
 */
static uint32_t var_type(const struct btf *btf, const struct btf_type *var)
{
	uint32_t id = var->type;

	return btf_strip(btf, &id) ? id : 0;
}

static uint32_t find(const struct pf_check *check, const struct pf_extern *e, uint32_t kind)
{
	size_t len = pf_essential(e->name);
	char plain[256];
	uint32_t id = pf_kernel_find(check->kernel, e->name, kind);

	/* libbpf 1.3 and later take a flavour's suffix off. */
	if (id || !e->name[len] || len >= sizeof(plain))
		return id;
	memcpy(plain, e->name, len);
	plain[len] = '\0';
	return pf_kernel_find(check->kernel, plain, kind);
}

static bool has_symbol(const struct pf_check *check, const char *name)
{
	gaddr_t addr;

	return !check->kernel->syms || symbols_get(check->kernel->syms, name, &addr);
}

bool pf_extern_is_missing(const struct pf_check *check, const struct pf_extern *e)
{
	const struct btf *btf = check->object->btf;
	const struct btf_type *t = btf__type_by_id(btf, e->type);

	if (!t)
		return false;
	if (btf_is_var(t) && !var_type(btf, t))
		return !has_symbol(check, e->name);
	return check->kernel->btf && !find(check, e, btf_is_func(t) ? BTF_KIND_FUNC : BTF_KIND_VAR);
}

static void missing(struct pf_check *check, const struct pf_extern *e, enum kt_load_class class,
		    uint32_t kind, const char *what)
{
	char *try = kind == PF_SYMBOL ? NULL : pf_kernel_near(check->kernel, "", e->name, kind);

	pf_found_missing(check, (struct pf_missing){PREFLIGHT_ALL, class, kind, e->name, true, try},
			 "%s %s", what, e->name);
}

static void check_func(struct pf_check *check, const struct pf_extern *e, const struct btf_type *t)
{
	const struct btf *target = check->kernel->btf;
	uint32_t id = find(check, e, BTF_KIND_FUNC);
	const struct btf_type *f = btf__type_by_id(target, id);

	if (!id)
		missing(check, e, KT_LOAD_KFUNC, BTF_KIND_FUNC, "kfunc");
	else if (f && !pf_types_fit(check->object->btf, t->type, target, f->type))
		pf_found(check, PREFLIGHT_ALL, KT_LOAD_KFUNC, true, NULL,
			 "kfunc %s has another prototype in this kernel", e->name);
}

static void check_var(struct pf_check *check, const struct pf_extern *e, uint32_t type)
{
	const struct btf *target = check->kernel->btf;
	uint32_t id = find(check, e, BTF_KIND_VAR);
	const struct btf_type *v = btf__type_by_id(target, id);

	if (!id)
		missing(check, e, KT_LOAD_KSYM, BTF_KIND_VAR, "variable");
	else if (v && !pf_types_fit(check->object->btf, type, target, v->type))
		pf_found(check, PREFLIGHT_ALL, KT_LOAD_KSYM, true, NULL,
			 "variable %s has another type in this kernel", e->name);
}

static void check_extern(struct pf_check *check, const struct pf_extern *e)
{
	const struct btf_type *t = btf__type_by_id(check->object->btf, e->type);
	uint32_t type;

	if (!t || e->weak)
		return;
	type = btf_is_var(t) ? var_type(check->object->btf, t) : 0;
	if (btf_is_var(t) && !type) {
		if (!has_symbol(check, e->name))
			missing(check, e, KT_LOAD_KSYM, PF_SYMBOL, "symbol");
	} else if (!check->kernel->btf) {
		pf_found(check, PREFLIGHT_ALL, KT_LOAD_BTF, true,
			 strdup("a kernel with CONFIG_DEBUG_INFO_BTF=y"),
			 "%s is looked for in the kernel's BTF, and this kernel has none", e->name);
	} else if (btf_is_func(t)) {
		check_func(check, e, t);
	} else {
		check_var(check, e, type);
	}
}

void pf_check_externs(struct pf_check *check)
{
	for (size_t i = 0; i < check->object->externs.len && !check->err; i++)
		check_extern(check, &check->object->externs.data[i]);
}
