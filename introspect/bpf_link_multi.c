// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_link_impl.h"
#include "introspect/dpath.h"
#include "introspect/module_symbols.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* All links together: of more, each a round of 16 bytes or more, the guest would stand too long. */
#define MAX_FUNCS 65536

#define RETURNS 1 /* BPF_F_KPROBE_MULTI_RETURN and BPF_F_UPROBE_MULTI_RETURN */

/* clang-format off */
#define UPROBES {"bpf_uprobe_multi_link", "link", HOP_UP}

static const struct link_row rows[] = {
	{"KPROBE_MULTI", LINK_AT(func_cnt), VALUE_NUMBER, .hops = {HOP("bpf_kprobe_multi_link", "cnt")}},
	{"KPROBE_MULTI", LINK_AT(missed), VALUE_NUMBER,
	 .hops = {HOP("bpf_kprobe_multi_link", "fp.nmissed")}},
	/* In each type's own structure up to 6.16, in bpf_link since 6.17. */
	{"KPROBE_MULTI", VALUE_AT(flags), VALUE_NUMBER, .hops = {HOP("bpf_kprobe_multi_link", "flags")}},
	{"KPROBE_MULTI", VALUE_AT(flags), VALUE_NUMBER, .hops = {HOP("bpf_link", "flags")}},
	{"KPROBE_MULTI", VALUE_AT(addrs), VALUE_NUMBER, .hops = {HOP("bpf_kprobe_multi_link", "addrs")}},
	{"KPROBE_MULTI", VALUE_AT(cookies), VALUE_NUMBER,
	 .hops = {HOP("bpf_kprobe_multi_link", "cookies")}},
	{"UPROBE_MULTI", LINK_AT(func_cnt), VALUE_NUMBER,
	 .hops = {UPROBES, HOP("bpf_uprobe_multi_link", "cnt")}},
	{"UPROBE_MULTI", LINK_AT(pid), VALUE_NUMBER, .or_zero = true,
	 .hops = {UPROBES, HOP("bpf_uprobe_multi_link", "task"), HOP("task_struct", "pid")}},
	{"UPROBE_MULTI", VALUE_AT(flags), VALUE_NUMBER,
	 .hops = {UPROBES, HOP("bpf_uprobe_multi_link", "flags")}},
	{"UPROBE_MULTI", VALUE_AT(flags), VALUE_NUMBER, .hops = {HOP("bpf_link", "flags")}},
	{"UPROBE_MULTI", VALUE_AT(uprobes), VALUE_NUMBER,
	 .hops = {UPROBES, HOP("bpf_uprobe_multi_link", "uprobes")}},
	{"UPROBE_MULTI", VALUE_AT(path_mnt), VALUE_NUMBER,
	 .hops = {UPROBES, HOP("bpf_uprobe_multi_link", "path.mnt")}},
	{"UPROBE_MULTI", VALUE_AT(path_dentry), VALUE_NUMBER,
	 .hops = {UPROBES, HOP("bpf_uprobe_multi_link", "path.dentry")}},
};
/* clang-format on */

const struct link_rows bpf_link_multi_rows = LINK_ROWS(rows);

enum { UPROBE_OFFSET, UPROBE_REF_CTR_OFFSET, UPROBE_COOKIE };
static const struct view_field uprobe_fields[] = {
	[UPROBE_OFFSET] = {.path = "offset"},
	[UPROBE_REF_CTR_OFFSET] = {.path = "ref_ctr_offset"},
	[UPROBE_COOKIE] = {.path = "cookie"},
};
static const struct view_type uprobe_type = VIEW_TYPE("bpf_uprobe", uprobe_fields);

bool bpf_link_multi_wants(struct wants *wants)
{
	return link_rows_want(&bpf_link_multi_rows, wants) && view_wants(&uprobe_type, wants) &&
	       wants_add(wants, KFACTS_SIZE, "bpf_uprobe", NULL, true) &&
	       wants_add(wants, KFACTS_FUNCTIONS, KFACTS_ALL, NULL, true) && dpaths_wants(wants) &&
	       module_symbols_wants(wants);
}

/* The functions of one link as the kernel's arrays have them. */
struct arrays {
	size_t link, n;
	uint8_t *addrs, *cookies, *uprobes; /* NULL: there are none of them */
	size_t first, end;                  /* pieces of the batch */
};

struct reading {
	struct view uprobe;
	uint64_t uprobe_size; /* 0: this kernel has none */
	bool big_endian;
	KT_VEC(struct arrays) all;
	struct gmem_batch batch;
};

static void reading_deinit(struct reading *reading)
{
	for (size_t i = 0; i < reading->all.len; i++) {
		free(reading->all.data[i].addrs);
		free(reading->all.data[i].cookies);
		free(reading->all.data[i].uprobes);
	}
	kt_vec_free(&reading->all);
	gmem_batch_deinit(&reading->batch);
}

/* n numbers at an address; none for a null pointer. */
static struct kt_error *begin_numbers(struct reading *reading, gaddr_t at, size_t n, uint8_t **ret)
{
	if (!at || !n)
		return NULL;
	*ret = calloc(n, 8);
	return *ret && gmem_batch_add(&reading->batch, at, *ret, n * 8) ? NULL
									: kt_error_no_memory();
}

static struct kt_error *begin_uprobes(struct reading *reading, gaddr_t at, size_t n, uint8_t **ret)
{
	*ret = calloc(n + 1, reading->uprobe.size);
	if (!*ret)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (!view_read(&reading->uprobe, &reading->batch, at + i * reading->uprobe_size,
			       *ret + i * reading->uprobe.size))
			return kt_error_no_memory();
	return NULL;
}

static struct kt_error *begin(struct reading *reading, const struct link_values *values,
			      size_t link)
{
	const struct link_values *v = &values[link];
	struct arrays none = {.link = link, .n = (size_t)v->link.func_cnt.value};
	struct kt_error *err = NULL;
	struct arrays *arrays;

	if (!kt_vec_push(&reading->all, none))
		return kt_error_no_memory();
	arrays = &reading->all.data[reading->all.len - 1];
	arrays->first = reading->batch.reads.len;
	if (v->uprobes.known) {
		err = begin_uprobes(reading, v->uprobes.value, arrays->n, &arrays->uprobes);
	} else {
		err = begin_numbers(reading, v->addrs.value, arrays->n, &arrays->addrs);
		if (!err)
			err = begin_numbers(reading, v->cookies.value, arrays->n, &arrays->cookies);
	}
	arrays->end = reading->batch.reads.len;
	return err;
}

static bool has_funcs(const struct reading *reading, const struct link_values *v)
{
	if (!v->link.func_cnt.known)
		return false;
	return v->uprobes.known ? v->uprobes.value && reading->uprobe_size
				: v->addrs.known && v->addrs.value && v->cookies.known;
}

static struct program_number known(uint64_t value)
{
	return (struct program_number){.known = true, .value = value};
}

static void take_func(const struct reading *reading, const struct arrays *arrays, size_t i,
		      struct link_func *ret)
{
	const uint8_t *uprobe = arrays->uprobes + i * reading->uprobe.size;
	const struct view *view = &reading->uprobe;

	if (arrays->uprobes) {
		ret->offset = known(view_uint(view, uprobe, UPROBE_OFFSET));
		ret->ref_ctr_offset = known(view_uint(view, uprobe, UPROBE_REF_CTR_OFFSET));
		ret->cookie = known(view_uint(view, uprobe, UPROBE_COOKIE));
		return;
	}
	ret->addr = known(kt_load_uint(arrays->addrs + i * 8, 8, reading->big_endian));
	/* As the kernel tells it of a link without cookies. */
	ret->cookie = known(arrays->cookies
				    ? kt_load_uint(arrays->cookies + i * 8, 8, reading->big_endian)
				    : 0);
}

static int compare_addrs(const void *a, const void *b)
{
	uint64_t x = ((const struct link_func *)a)->addr.value;
	uint64_t y = ((const struct link_func *)b)->addr.value;

	return (x > y) - (x < y);
}

static struct kt_error *take(const struct reading *reading, const struct arrays *arrays,
			     struct link *link)
{
	if (gmem_batch_fault(&reading->batch, arrays->first, arrays->end))
		return NULL;
	link->funcs = calloc(arrays->n + 1, sizeof(*link->funcs));
	if (!link->funcs)
		return kt_error_no_memory();
	for (size_t i = 0; i < arrays->n; i++)
		take_func(reading, arrays, i, &link->funcs[i]);
	link->n_funcs = arrays->n;
	link->funcs_known = true;
	if (arrays->addrs)
		qsort(link->funcs, link->n_funcs, sizeof(*link->funcs), compare_addrs);
	return NULL;
}

static struct kt_error *read_funcs(struct guest *guest, struct link_values *values, size_t n)
{
	_cleanup_(reading_deinit) struct reading reading = {0};
	const struct kfacts *facts = guest_facts(guest);
	uint64_t left = MAX_FUNCS;
	struct kt_error *err = NULL;

	reading.big_endian = kfacts_kernel(facts)->big_endian;
	if (!view_try(&reading.uprobe, &uprobe_type, facts) ||
	    !kfacts_size(facts, "bpf_uprobe", &reading.uprobe_size))
		reading.uprobe_size = 0;
	for (size_t i = 0; i < n && !err; i++) {
		uint64_t cnt = values[i].link.func_cnt.value;

		if (!has_funcs(&reading, &values[i]) || cnt > left)
			continue;
		left -= cnt;
		err = begin(&reading, values, i);
	}
	if (!err && reading.batch.reads.len)
		err = guest_read(guest, &reading.batch);
	for (size_t i = 0; i < reading.all.len && !err; i++)
		err = take(&reading, &reading.all.data[i], &values[reading.all.data[i].link].link);
	return err;
}

static struct kt_error *read_paths(struct guest *guest, struct link_values *values, size_t n)
{
	_cleanup_free_ struct dpath *paths = calloc(n + 1, sizeof(*paths));
	_cleanup_free_ size_t *links = calloc(n + 1, sizeof(*links));
	size_t n_paths = 0;
	struct kt_error *err;

	if (!paths || !links)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		const struct link_values *v = &values[i];

		if (!v->path_mnt.known || !v->path_dentry.known)
			continue;
		links[n_paths] = i;
		paths[n_paths++] = (struct dpath){v->path_mnt.value, v->path_dentry.value, NULL};
	}
	err = dpaths_read(guest, paths, n_paths);
	for (size_t i = 0; i < n_paths; i++)
		values[links[i]].link.path = paths[i].text;
	return err;
}

/*
 * The function that ftrace's place for an entry belongs to. It is the function's first byte, or
 * lies behind the instruction that an indirect jump lands on (endbr64; bti of arm64) and the one
 * that saves the return address. bpftool looks 4 bytes back, too (symbol_matches_target() in
 * link.c).
 */
#define MAX_BACK 8
static const char *function_of(const struct kfacts *facts, gaddr_t link_addr)
{
	const char *name = NULL;

	for (gaddr_t back = 0; back <= MAX_BACK && !name; back += 4)
		name = kfacts_function_at(facts, link_addr - back);
	return name;
}

/* Those that are none of the kernel's own functions. */
static struct kt_error *read_modules(struct guest *guest, struct link_values *values, size_t n)
{
	const uint64_t kaslr = (uint64_t)guest_kaslr_offset(guest);
	_cleanup_free_ struct module_symbol *symbols = NULL;
	_cleanup_free_ struct link_func **funcs = NULL;
	size_t total = 0, n_symbols = 0;
	struct kt_error *err;

	for (size_t i = 0; i < n; i++)
		total += values[i].link.n_funcs;
	symbols = calloc(total + 1, sizeof(*symbols));
	funcs = calloc(total + 1, sizeof(*funcs));
	if (!symbols || !funcs)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < values[i].link.n_funcs; k++) {
			struct link_func *func = &values[i].link.funcs[k];

			if (!func->addr.known ||
			    function_of(guest_facts(guest), func->addr.value - kaslr))
				continue;
			funcs[n_symbols] = func;
			symbols[n_symbols++].addr = func->addr.value;
		}
	err = module_symbols_read(guest, symbols, n_symbols);
	for (size_t i = 0; i < n_symbols && !err; i++) {
		if (!symbols[i].name || symbols[i].addr - symbols[i].start > MAX_BACK)
			continue;
		funcs[i]->func = symbols[i].name;
		funcs[i]->module = symbols[i].module;
		symbols[i].name = symbols[i].module = NULL;
	}
	module_symbols_deinit(symbols, n_symbols);
	return err;
}

struct kt_error *bpf_link_multi_read(struct guest *guest, struct link_values *values, size_t n)
{
	struct kt_error *err = read_funcs(guest, values, n);

	if (!err)
		err = read_modules(guest, values, n);
	return err ? err : read_paths(guest, values, n);
}

struct kt_error *bpf_link_multi_finish(struct link_values *values, const struct kfacts *facts,
				       int64_t kaslr_offset)
{
	struct link *link = &values->link;

	if (values->flags.known)
		link->retprobe = known(values->flags.value & RETURNS);
	for (size_t i = 0; i < link->n_funcs; i++) {
		struct link_func *func = &link->funcs[i];
		const char *name = func->addr.known
					   ? function_of(facts,
							 func->addr.value - (uint64_t)kaslr_offset)
					   : NULL;

		if (name)
			func->func = strdup(name);
		if (name && !func->func)
			return kt_error_no_memory();
	}
	return NULL;
}
