// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "btf/btf_lookup.h"
#include "preflight/near.h"

/* Members without a name, in each other. */
#define NESTING_MAX 16

static uint32_t hash(const char *s, size_t len)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619;
	return h;
}

/* Without CONFIG_MODULES, struct module is declared only, or empty (include/linux/module.h). */
static bool loads_modules(const struct pf_kernel *k)
{
	uint32_t id = 0;

	while (pf_kernel_next(k, "module", strlen("module"), &id)) {
		const struct btf_type *t = btf__type_by_id(k->btf, id);

		if (btf_is_struct(t) && btf_vlen(t))
			return true;
	}
	return false;
}

struct kt_error *pf_kernel_init(const struct btf *btf, const struct symbols *syms,
				struct pf_modules *modules, struct pf_kernel *ret)
{
	struct pf_kernel k = {.btf = btf,
			      .syms = syms,
			      .modules = modules,
			      .n_types = btf ? btf__type_cnt(btf) : 1};

	for (k.mask = 255; k.mask < k.n_types; k.mask = k.mask << 1 | 1)
		;
	k.heads = calloc((size_t)k.mask + 1, sizeof(*k.heads));
	k.next = calloc(k.n_types, sizeof(*k.next));
	if (!k.heads || !k.next) {
		pf_kernel_deinit(&k);
		return kt_error_no_memory();
	}
	/* From the last one on, so that a list has them in their order. */
	for (uint32_t id = k.n_types - 1; id; id--) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = t ? btf_name_of(btf, t->name_off) : "";
		uint32_t *head = &k.heads[hash(name, pf_essential(name)) & k.mask];

		if (!*name)
			continue;
		k.next[id] = *head;
		*head = id;
	}
	if (btf && !loads_modules(&k))
		modules->none = modules->complete = true;
	*ret = k;
	return NULL;
}

void pf_kernel_deinit(struct pf_kernel *kernel)
{
	free(kernel->heads);
	free(kernel->next);
	*kernel = (struct pf_kernel){0};
}

static const char *name_of(const struct pf_kernel *k, uint32_t id)
{
	return btf_name_of(k->btf, btf__type_by_id(k->btf, id)->name_off);
}

bool pf_kernel_next(const struct pf_kernel *k, const char *name, size_t len, uint32_t *id)
{
	for (*id = *id ? k->next[*id] : k->heads[hash(name, len) & k->mask]; *id;
	     *id = k->next[*id]) {
		const char *have = name_of(k, *id);

		if (pf_essential(have) == len && !memcmp(have, name, len))
			return true;
	}
	return false;
}

uint32_t pf_kernel_find(const struct pf_kernel *k, const char *name, uint32_t kind)
{
	uint32_t id = 0;

	while (pf_kernel_next(k, name, pf_essential(name), &id))
		if (btf_kind(btf__type_by_id(k->btf, id)) == kind && !strcmp(name_of(k, id), name))
			return id;
	return 0;
}

static bool has_value(const struct btf_type *t, int64_t value)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (btf_is_enum64(t) ? (int64_t)btf_enum64_value(&btf_enum64(t)[i]) == value
				     : btf_enum(t)[i].val == value)
			return true;
	return false;
}

bool pf_kernel_has_value(const struct pf_kernel *k, const char *name, int64_t value)
{
	bool known = false;
	uint32_t id = 0;

	while (pf_kernel_next(k, name, strlen(name), &id)) {
		const struct btf_type *t = btf__type_by_id(k->btf, id);

		if (!btf_is_any_enum(t) || !btf_vlen(t))
			continue;
		known = true;
		if (has_value(t, value))
			return true;
	}
	return !known;
}

char *pf_kernel_near(const struct pf_kernel *k, const char *prefix, const char *name, uint32_t kind)
{
	struct pf_near near = {.want = name};
	size_t len = strlen(prefix);

	for (uint32_t id = 1; id < k->n_types; id++) {
		const struct btf_type *t = btf__type_by_id(k->btf, id);
		const char *have = t && btf_kind(t) == kind ? btf_name_of(k->btf, t->name_off) : "";

		if (!strncmp(have, prefix, len))
			pf_near_offer(&near, have + len);
	}
	return pf_near_text(&near);
}

static void offer_members(const struct btf *btf, uint32_t id, struct pf_near *near, int nesting,
			  size_t *left)
{
	const struct btf_type *t = btf_strip(btf, &id);

	if (!t || !btf_is_struct_or_union(t) || nesting == NESTING_MAX)
		return;
	for (uint32_t i = 0; i < btf_vlen(t) && *left; i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *name = btf_name_of(btf, m->name_off);

		--*left;
		if (*name)
			pf_near_offer(near, name);
		else if (*left)
			offer_members(btf, m->type, near, nesting + 1, left);
	}
}

char *pf_near_members(const struct btf *btf, uint32_t id, const char *name)
{
	struct pf_near near = {.want = name};
	size_t left = BTF_VISITS_MAX;

	offer_members(btf, id, &near, 0, &left);
	return pf_near_text(&near);
}

char *pf_near_enumerators(const struct btf *btf, uint32_t id, const char *name)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	struct pf_near near = {.want = name};

	for (uint32_t i = 0; t && btf_is_any_enum(t) && i < btf_vlen(t); i++)
		pf_near_offer(&near, btf_name_of(btf, btf_is_enum64(t) ? btf_enum64(t)[i].name_off
								       : btf_enum(t)[i].name_off));
	return pf_near_text(&near);
}
