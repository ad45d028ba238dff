// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/modules.h"

#include <stdlib.h>
#include <string.h>

#include "btf/btf_lookup.h"

size_t pf_essential(const char *name)
{
	size_t len = strlen(name);

	/* "x___y": three underscores with something else on both sides of them. */
	for (size_t i = len; i >= 5; i--) {
		const char *p = name + i - 5;

		if (p[0] != '_' && p[1] == '_' && p[2] == '_' && p[3] == '_' && p[4] != '_')
			return i - 4;
	}
	return len;
}

void pf_modules_deinit(struct pf_modules *m)
{
	kt_vec_for_each (&m->asked, asked) {
		free(asked->name);
		free(asked->module);
	}
	kt_vec_free(&m->asked);
	free(m->why_not);
	kt_error_destroy(m->err);
	*m = (struct pf_modules){0};
}

static void remember(struct pf_modules *m, uint32_t kind, const char *name)
{
	struct pf_asked asked = {strdup(name), kind, NULL};

	if (asked.name && kt_vec_push(&m->asked, asked))
		return;
	free(asked.name);
	if (!m->err)
		m->err = kt_error_no_memory();
}

enum pf_in_module pf_modules_ask(struct pf_modules *m, uint32_t kind, const char *name,
				 const char **module_ret)
{
	kt_vec_for_each (&m->asked, asked) {
		if (asked->kind != kind || strcmp(asked->name, name))
			continue;
		if (asked->module) {
			*module_ret = asked->module;
			return PF_IN_MODULE;
		}
		return m->complete ? PF_IN_NO_MODULE : PF_MAY_BE_IN_MODULE;
	}
	if (m->none)
		return PF_IN_NO_MODULE;
	remember(m, kind, name);
	return PF_MAY_BE_IN_MODULE;
}

bool pf_modules_found_all(const struct pf_modules *m)
{
	kt_vec_for_each (&m->asked, asked)
		if (!asked->module)
			return false;
	return true;
}

bool pf_modules_want_symbols(const struct pf_modules *m)
{
	kt_vec_for_each (&m->asked, asked)
		if (asked->kind == PF_SYMBOL && !asked->module)
			return true;
	return false;
}

/* The first module that has it stays. */
static struct kt_error *found(struct pf_asked *asked, const char *module)
{
	if (!asked->module)
		asked->module = strdup(module);
	return asked->module ? NULL : kt_error_no_memory();
}

static bool is_kind(const struct btf_type *t, uint32_t kind)
{
	return btf_kind(t) == kind ||
	       (btf_is_any_enum(t) && (kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64));
}

struct kt_error *pf_modules_look_btf(struct pf_modules *m, const char *module,
				     const struct btf *btf, uint32_t first_id)
{
	struct kt_error *err = NULL;

	for (uint32_t id = first_id; id < btf__type_cnt(btf) && !err; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = t ? btf_name_of(btf, t->name_off) : "";

		if (!*name)
			continue;
		kt_vec_for_each (&m->asked, asked) {
			size_t len = pf_essential(asked->name);

			if (!err && is_kind(t, asked->kind) && !strncmp(name, asked->name, len) &&
			    pf_essential(name) == len)
				err = found(asked, module);
		}
	}
	return err;
}

struct kt_error *pf_modules_look_symbol(struct pf_modules *m, const char *module,
					const char *symbol)
{
	kt_vec_for_each (&m->asked, asked)
		if (asked->kind == PF_SYMBOL && !strcmp(asked->name, symbol))
			return found(asked, module);
	return NULL;
}
