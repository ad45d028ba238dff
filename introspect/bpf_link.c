// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_link.h"
#include "introspect/bpf_link_impl.h"
#include "util/cleanup.h"

enum { LINK_REFCNT, LINK_ID, LINK_TYPE, LINK_PROG };
static const struct view_field link_fields[] = {
	[LINK_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[LINK_ID] = {.path = "id"},
	[LINK_TYPE] = {.path = "type"},
	[LINK_PROG] = {.path = "prog", .optional = true},
};
static const struct view_type link_view = VIEW_TYPE("bpf_link", link_fields);

static const struct bpf_idr_type link_idr = {
	.symbol = "link_idr", .view = &link_view, .id = LINK_ID, .refcnt = LINK_REFCNT};

/* clang-format off */
static const struct link_row rows[] = {
	{NULL, LINK_AT(prog_id), VALUE_NUMBER,
	 .hops = {HOP("bpf_link", "prog"), HOP("bpf_prog", "aux"), HOP("bpf_prog_aux", "id")}},
	{NULL, LINK_AT(prog_type), VALUE_PROG_TYPE, .hops = {HOP("bpf_link", "prog"), HOP("bpf_prog", "type")}},
	/* In each type's own structure up to 6.16, in bpf_link since 6.17. */
	{"TRACING", LINK_AT(attach_type), VALUE_ATTACH_TYPE, .hops = {HOP("bpf_link", "attach_type")}},
	{"TRACING", LINK_AT(attach_type), VALUE_ATTACH_TYPE, .hops = {HOP("bpf_tracing_link", "attach_type")}},
	{"TRACING", VALUE_AT(trampoline_key), VALUE_NUMBER,
	 .hops = {HOP("bpf_tracing_link", "trampoline"), HOP("bpf_trampoline", "key")}},
	{"TRACING", LINK_AT(cookie), VALUE_NUMBER, .hops = {HOP("bpf_tramp_link", "cookie")}}, /* 5.19 */
	{"TRACING", LINK_AT(cookie), VALUE_NUMBER, .hops = {HOP("bpf_tramp_link", "node.cookie")}}, /* 7.2 */
	{"RAW_TRACEPOINT", LINK_AT(tp_name), VALUE_TEXT,
	 .hops = {HOP("bpf_raw_tp_link", "btp"), HOP("bpf_raw_event_map", "tp"), HOP("tracepoint", "name")}},
	{"RAW_TRACEPOINT", LINK_AT(cookie), VALUE_NUMBER, .hops = {HOP("bpf_raw_tp_link", "cookie")}}, /* 6.10 */
	{"CGROUP", LINK_AT(attach_type), VALUE_ATTACH_TYPE, .hops = {HOP("bpf_link", "attach_type")}},
	{"CGROUP", LINK_AT(attach_type), VALUE_ATTACH_TYPE, .hops = {HOP("bpf_cgroup_link", "type")}},
	{"CGROUP", LINK_AT(cgroup_id), VALUE_NUMBER, .or_zero = true,
	 .hops = {HOP("bpf_cgroup_link", "cgroup"), HOP("cgroup", "kn"), HOP("kernfs_node", "id")}},
	{"ITER", LINK_AT(target_name), VALUE_TEXT,
	 .hops = {HOP("bpf_iter_link", "tinfo"), HOP("bpf_iter_target_info", "reg_info"),
		  HOP("bpf_iter_reg", "target")}},
	{"ITER", VALUE_AT(iter_map), VALUE_NUMBER, .hops = {HOP("bpf_iter_link", "aux.map"), HOP("bpf_map", "id")}},
	{"ITER", VALUE_AT(iter_cgroup), VALUE_NUMBER, .or_zero = true,
	 .hops = {HOP("bpf_iter_link", "aux.cgroup.start"), HOP("cgroup", "kn"), HOP("kernfs_node", "id")}},
	{"ITER", VALUE_AT(iter_order), VALUE_NUMBER, .hops = {HOP("bpf_iter_link", "aux.cgroup.order")}},
	{"ITER", VALUE_AT(iter_task_type), VALUE_NUMBER, .hops = {HOP("bpf_iter_link", "aux.task.type")}},
	{"ITER", VALUE_AT(iter_task_pid), VALUE_NUMBER, .hops = {HOP("bpf_iter_link", "aux.task.pid")}},
	{"STRUCT_OPS", LINK_AT(map_id), VALUE_NUMBER, .or_zero = true,
	 .hops = {HOP("bpf_struct_ops_link", "map"), HOP("bpf_map", "id")}},
};
/* clang-format on */

static const struct link_rows link_rows = LINK_ROWS(rows);

/* A type of link finds its rows in one of them, and those of all links in the first. */
static const struct link_rows *const tables[] = {&link_rows, &bpf_link_net_rows,
						 &bpf_link_perf_rows, &bpf_link_multi_rows};
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

struct bpf_links {
	struct bpf_idr idr;
	struct link_layout layouts[N_TABLES];
	struct link_chains chains;
	struct bpf_link_calls calls;
	struct link_values *values; /* of each entry */
	int64_t kaslr_offset;
};

bool bpf_links_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_TABLES; i++)
		if (!link_rows_want(tables[i], wants))
			return false;
	return bpf_idr_wants(&link_idr, wants) && bpf_link_perf_wants(wants) &&
	       bpf_link_multi_wants(wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_link_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_prog_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_attach_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_iter_task_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_cgroup_iter_order", NULL, true);
}

struct kt_error *bpf_links_check(const struct kfacts *facts)
{
	return bpf_idr_check(&link_idr, facts);
}

static bool is_here(const struct bpf_links *links, size_t i)
{
	return bpf_idr_state(&links->idr, &links->idr.entries[i]) == BPF_IDR_HERE;
}

static struct kt_error *read_values(struct guest *guest, struct bpf_links *links)
{
	const struct kfacts *facts = guest_facts(guest);
	struct kt_error *err = NULL;

	for (size_t t = 0; t < N_TABLES && !err; t++)
		err = link_layout_init(&links->layouts[t], tables[t], facts);
	for (size_t i = 0; i < links->idr.n && !err; i++) {
		const struct bpf_idr_entry *entry = &links->idr.entries[i];
		uint64_t type = view_uint(&links->idr.view, entry->image, LINK_TYPE);
		const char *name = kfacts_enum_name(facts, "bpf_link_type", (int64_t)type);

		for (size_t t = 0; t < N_TABLES && is_here(links, i); t++)
			if (!link_chains_begin(&links->chains, &links->layouts[t], name, i,
					       entry->addr))
				return kt_error_no_memory();
	}
	if (!err)
		err = link_chains_read(&links->chains, guest);
	if (!err)
		link_chains_take_numbers(&links->chains, links->values);
	return err;
}

static struct kt_error *read_all(struct guest *guest, struct bpf_links *links)
{
	struct kt_error *err = bpf_idr_read(guest, &link_idr, &links->idr);

	if (err)
		return err;
	links->kaslr_offset = guest_kaslr_offset(guest);
	links->values = calloc(links->idr.n + 1, sizeof(*links->values));
	if (!links->values)
		return kt_error_no_memory();
	err = read_values(guest, links);
	if (!err)
		err = bpf_link_calls_read(guest, links->values, links->idr.n, &links->calls);
	return err ? err : bpf_link_multi_read(guest, links->values, links->idr.n);
}

struct kt_error *bpf_links_read(struct guest *guest, struct bpf_links **ret)
{
	struct bpf_links *links = calloc(1, sizeof(*links));
	struct kt_error *err;

	if (!links)
		return kt_error_no_memory();
	err = read_all(guest, links);
	if (err) {
		bpf_links_destroy(links);
		return err;
	}
	*ret = links;
	return NULL;
}

void bpf_links_destroy(struct bpf_links *links)
{
	if (!links)
		return;
	for (size_t i = 0; links->values && i < links->idr.n; i++)
		link_deinit(&links->values[i].link);
	free(links->values);
	link_chains_deinit(&links->chains);
	bpf_link_calls_deinit(&links->calls);
	for (size_t t = 0; t < N_TABLES; t++)
		link_layout_deinit(&links->layouts[t]);
	bpf_idr_deinit(&links->idr);
	free(links);
}

static bool is_any(const char *text, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, texts[i]) == 0)
			return true;
	return false;
}

/* What an iterator is for depends on its target, as in bpftool's show_iter_json(). */
static struct kt_error *finish_iter(struct link_values *values, const struct kfacts *facts)
{
	static const char *const tasks[] = {"task", "task_file", "task_vma"};
	static const char *const maps[] = {"bpf_map_elem", "bpf_sk_storage_map", "sockmap"};
	struct link *link = &values->link;
	const char *type = kfacts_enum_name(facts, "bpf_iter_task_type",
					    (int64_t)values->iter_task_type.value);

	if (!link->target_name)
		return NULL;
	if (is_any(link->target_name, maps, sizeof(maps) / sizeof(maps[0])))
		link->map_id = values->iter_map;
	if (is_any(link->target_name, tasks, sizeof(tasks) / sizeof(tasks[0])) &&
	    values->iter_task_type.known && type) {
		if (strcmp(type, "BPF_TASK_ITER_TID") == 0)
			link->tid = values->iter_task_pid;
		else if (strcmp(type, "BPF_TASK_ITER_TGID") == 0)
			link->pid = values->iter_task_pid;
	}
	if (strcmp(link->target_name, "cgroup") != 0 || !values->iter_order.known)
		return NULL;
	link->cgroup_id = values->iter_cgroup;
	return bpf_enum_text(facts, "bpf_cgroup_iter_order", "BPF_CGROUP_ITER_",
			     values->iter_order.value, &link->order);
}

/* bpf_trampoline_compute_key(): the object's ID, a bit that is set for BTF, the type's ID. */
static void finish_tracing(struct link_values *values)
{
	uint64_t key = values->trampoline_key.value;

	if (!values->trampoline_key.known)
		return;
	values->link.target_obj_id = (struct program_number){true, key >> 32};
	values->link.target_btf_id = (struct program_number){true, key & 0x7fffffff};
}

static struct kt_error *link_finish(const struct bpf_links *links, size_t i,
				    const struct kfacts *facts)
{
	const struct bpf_idr_entry *entry = &links->idr.entries[i];
	struct link_values *values = &links->values[i];
	struct kt_error *err;

	values->link.id = (uint32_t)entry->index;
	finish_tracing(values);
	err = bpf_link_multi_finish(values, facts, links->kaslr_offset);
	if (!err)
		err = bpf_enum_text(facts, "bpf_link_type", "BPF_LINK_TYPE_",
				    view_uint(&links->idr.view, entry->image, LINK_TYPE),
				    &values->link.type);
	if (!err)
		err = finish_iter(values, facts);
	return err ? err : bpf_link_perf_finish(values);
}

static struct kt_error *links_finish(struct bpf_links *links, const struct kfacts *facts,
				     struct links *out)
{
	struct kt_error *err = link_chains_take_texts(&links->chains, facts, links->values);

	if (!err)
		err = link_chains_take_texts(&links->calls.chains, facts, links->values);
	for (size_t i = 0; i < links->idr.n && !err; i++) {
		enum bpf_idr_state state = bpf_idr_state(&links->idr, &links->idr.entries[i]);

		out->n_unreadable += state == BPF_IDR_UNREADABLE;
		if (state != BPF_IDR_HERE)
			continue;
		err = link_finish(links, i, facts);
		if (err)
			break;
		out->all[out->n++] = links->values[i].link;
		links->values[i].link = (struct link){0};
	}
	return err;
}

struct kt_error *bpf_links_finish(struct bpf_links *links, const struct kfacts *facts,
				  struct links *ret)
{
	_cleanup_(links_deinit) struct links out = {.n_unreadable = links->idr.damaged};
	struct kt_error *err;

	out.all = calloc(links->idr.n + 1, sizeof(*out.all));
	if (!out.all)
		return kt_error_no_memory();
	err = links_finish(links, facts, &out);
	if (err)
		return err;
	*ret = out;
	out = (struct links){0};
	return NULL;
}
