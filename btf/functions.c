// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "btf/functions.h"
#include "util/cleanup.h"

/* A kernel has some 200,000 symbols, a debug kernel a million. Each name is of 511 bytes at most.
 */
#define MAX_FUNCTIONS 4000000
#define LONGEST_NAME  511
#define FUNCTION_MAX  65536 /* bytes */

void functions_deinit(struct functions *functions)
{
	kt_vec_free(&functions->v);
	kt_buf_deinit(&functions->names);
	*functions = (struct functions){0};
}

/* ARM's "$x" and the assembler's ".L1" mark places; before a function lies padding (6.2). */
static bool is_no_function(const char *name, size_t len)
{
	return !len || len > LONGEST_NAME || name[0] == '$' || name[0] == '.' ||
	       (len > 6 && !memcmp(name, "__pfx_", 6));
}

void functions_offer(struct functions *functions, const char *name, size_t len, gaddr_t addr,
		     bool global)
{
	struct function function = {.addr = addr, .global = global};

	if (is_no_function(name, len))
		return;
	function.name = (uint32_t)functions->names.len;
	kt_buf_append(&functions->names, name, len);
	kt_buf_appendc(&functions->names, '\0');
	if (functions->names.len > UINT32_MAX || functions->v.len == MAX_FUNCTIONS ||
	    !kt_vec_push(&functions->v, function))
		functions->names.failed = true;
}

void functions_move(struct functions *functions, gaddr_t start, gaddr_t shift)
{
	kt_vec_for_each (&functions->v, function)
		if (function->addr >= start)
			function->addr += shift;
}

static const char *name_of(const struct functions *functions, const struct function *function)
{
	return functions->names.data + function->name;
}

/* qsort_r()'s: by address; of one address the best name first. */
static int compare(const void *x, const void *y, void *arg)
{
	const struct function *a = x, *b = y;
	const char *p = name_of(arg, a), *q = name_of(arg, b);
	size_t bars = strspn(p, "_"), others = strspn(q, "_");

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (a->global != b->global)
		return a->global ? -1 : 1;
	if (bars != others)
		return bars < others ? -1 : 1;
	return strcmp(p, q);
}

/* The address of a symbol that is in the list, or what to take instead. */
static gaddr_t address_of(const struct functions *functions, const char *name, gaddr_t otherwise)
{
	kt_vec_for_each (&functions->v, function)
		if (!strcmp(name_of(functions, function), name))
			return function->addr;
	return otherwise;
}

bool functions_finish(struct functions *functions)
{
	_cleanup_(kt_buf_deinit) struct kt_buf names = KT_BUF_INIT;
	gaddr_t start, end;
	size_t kept = 0;

	if (kt_buf_failed(&functions->names))
		return false;
	if (!functions->v.len)
		return true;
	start = address_of(functions, "_stext", 0);
	end = address_of(functions, "_etext", UINT64_MAX);
	qsort_r(functions->v.data, functions->v.len, sizeof(*functions->v.data), compare,
		functions);
	for (size_t i = 0; i < functions->v.len; i++) {
		struct function *f = &functions->v.data[i];
		const char *name = name_of(functions, f);

		if (f->addr < start || f->addr >= end ||
		    (kept && functions->v.data[kept - 1].addr == f->addr))
			continue;
		functions->v.data[kept] = *f;
		functions->v.data[kept++].name = (uint32_t)names.len;
		kt_buf_appendz(&names, name);
	}
	functions->v.len = kept;
	if (kt_buf_failed(&names))
		return false;
	kt_buf_deinit(&functions->names);
	functions->names = names;
	names = (struct kt_buf)KT_BUF_INIT;
	return true;
}

static int compare_address(const void *key, const void *element)
{
	gaddr_t addr = *(const gaddr_t *)key;
	const struct function *function = element;

	return addr < function->addr ? -1 : addr > function->addr;
}

const char *functions_at(const struct functions *functions, gaddr_t addr)
{
	const struct function *found = functions->v.len
					       ? bsearch(&addr, functions->v.data, functions->v.len,
							 sizeof(*functions->v.data),
							 compare_address)
					       : NULL;

	return found ? name_of(functions, found) : NULL;
}

const char *functions_around(const struct functions *functions, gaddr_t addr, uint64_t *offset_ret)
{
	size_t from = 0, to = functions->v.len;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (functions->v.data[mid].addr <= addr)
			from = mid + 1;
		else
			to = mid;
	}
	if (!from || addr - functions->v.data[from - 1].addr >= FUNCTION_MAX)
		return NULL;
	*offset_ret = addr - functions->v.data[from - 1].addr;
	return name_of(functions, &functions->v.data[from - 1]);
}

void functions_encode(const struct functions *functions, struct kt_buf *out)
{
	gaddr_t before = 0;

	kt_buf_append_le(out, functions->v.len, 4);
	kt_vec_for_each (&functions->v, function) {
		kt_buf_append_le(out, function->addr - before, 8);
		kt_buf_appendz(out, name_of(functions, function));
		before = function->addr;
	}
}

bool functions_decode(struct kt_cursor *c, struct functions *ret)
{
	struct functions out = {0};
	uint32_t n = kt_cursor_u32(c);
	gaddr_t before = 0;

	for (uint32_t i = 0; i < n && !c->failed; i++) {
		gaddr_t step = kt_cursor_u64(c);
		const char *name = kt_cursor_string(c);

		/* In order, each address once: else a search goes astray. */
		if (!name || (i && !step) || before + step < before) {
			c->failed = true;
			break;
		}
		before += step;
		functions_offer(&out, name, strlen(name), before, false);
	}
	if (c->failed || out.v.len != n || kt_buf_failed(&out.names)) {
		functions_deinit(&out);
		return false;
	}
	*ret = out;
	return true;
}
