// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/audit.h"
#include "model/json.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* Places of one finding that are named; the others are counted. */
#define PLACES_SHOWN 8

const char *audit_kind_name(enum audit_kind kind)
{
	static const char *const names[] = {"program", "map", "link", "BTF object"};

	return names[kind];
}

void audit_deinit(struct audit *audit)
{
	for (size_t i = 0; i < audit->places.len; i++)
		free(audit->places.data[i].where);
	kt_vec_free(&audit->places);
}

void audit_result_deinit(struct audit_result *result)
{
	for (size_t i = 0; i < result->n; i++)
		free(result->all[i].where);
	for (size_t kind = 0; kind < AUDIT_N_KINDS; kind++)
		free(result->counts[kind].unreached);
	free(result->all);
	*result = (struct audit_result){0};
}

/* --- places --- */

struct kt_error *audit_see(struct audit *audit, enum audit_kind kind, uint32_t id, const char *fmt,
			   ...)
{
	struct audit_place place = {.kind = kind, .id = id};
	struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err;
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	err = kt_buf_finish(&text, &place.where);
	if (err)
		return err;
	if (kt_vec_push(&audit->places, place))
		return NULL;
	free(place.where);
	return kt_error_no_memory();
}

/* A number that a list has; 0 is none there. */
static struct kt_error *see_number(struct audit *audit, enum audit_kind kind,
				   const struct program_number *number, const char *what,
				   uint32_t id)
{
	if (!number->known || !number->value)
		return NULL;
	return audit_see(audit, kind, (uint32_t)number->value, "%s %u", what, id);
}

struct kt_error *audit_programs(struct audit *audit, const struct programs *programs)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < programs->n && !err; i++) {
		const struct program *program = &programs->all[i];

		for (size_t m = 0; m < program->n_map_ids && !err; m++)
			err = audit_see(audit, AUDIT_MAP, program->map_ids[m], "program %u",
					program->id);
		if (!err)
			err = see_number(audit, AUDIT_BTF, &program->btf_id, "program",
					 program->id);
	}
	return err;
}

struct kt_error *audit_maps(struct audit *audit, const struct maps *maps)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < maps->n && !err; i++)
		err = see_number(audit, AUDIT_BTF, &maps->all[i].btf_id, "map", maps->all[i].id);
	return err;
}

struct kt_error *audit_links(struct audit *audit, const struct links *links)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < links->n && !err; i++) {
		const struct link *link = &links->all[i];

		err = see_number(audit, AUDIT_PROG, &link->prog_id, "link", link->id);
		if (!err)
			err = see_number(audit, AUDIT_MAP, &link->map_id, "link", link->id);
	}
	return err;
}

struct kt_error *audit_trampolines(struct audit *audit, const struct trampolines *trampolines)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < trampolines->n && !err; i++) {
		const struct trampoline *t = &trampolines->all[i];
		const char *type = t->type ? t->type : "trampoline";
		const char *func = t->func ? t->func : "a function without a name";

		if (t->prog_id.known)
			err = audit_see(audit, AUDIT_PROG, (uint32_t)t->prog_id.value, "%s of %s",
					type, func);
		if (!err && t->link_id.known && t->link_id.value)
			err = audit_see(audit, AUDIT_LINK, (uint32_t)t->link_id.value, "%s of %s",
					type, func);
	}
	return err;
}

struct kt_error *audit_struct_ops(struct audit *audit, const struct struct_ops_list *list)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < list->n && !err; i++)
		for (size_t p = 0; p < list->all[i].n_progs && !err; p++)
			err = audit_see(audit, AUDIT_PROG, list->all[i].progs[p].id,
					"struct_ops %u (%s)", list->all[i].id, list->all[i].name);
	return err;
}

struct kt_error *audit_perf(struct audit *audit, const struct perf_progs *progs)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < progs->n && !err; i++) {
		const struct perf_prog *prog = &progs->all[i];

		if (prog->event->prog_id.known)
			err = audit_see(audit, AUDIT_PROG, (uint32_t)prog->event->prog_id.value,
					"%s of process %u (%s)",
					prog->event->perf_type ? prog->event->perf_type
							       : "perf event",
					prog->pid, prog->comm);
	}
	return err;
}

struct kt_error *audit_cgroups(struct audit *audit, const struct cgroups *cgroups)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < cgroups->n && !err; i++) {
		const struct cgroup_program *program = &cgroups->all[i];
		const char *path = program->path ? program->path : "a cgroup";

		if (program->id.known)
			err = audit_see(audit, AUDIT_PROG, (uint32_t)program->id.value, "%s of %s",
					program->attach_type ? program->attach_type : "cgroup",
					path);
		if (!err && program->link_id.known && program->link_id.value)
			err = audit_see(audit, AUDIT_LINK, (uint32_t)program->link_id.value,
					"cgroup %s", path);
	}
	return err;
}

struct kt_error *audit_net(struct audit *audit, const struct net *net)
{
	static const char *const sections[] = {
		[NET_XDP] = "XDP",
		[NET_TC] = "tc",
		[NET_FLOW_DISSECTOR] = "flow_dissector",
		[NET_SK_LOOKUP] = "sk_lookup",
		[NET_NETFILTER] = "netfilter",
		[NET_SOCKMAP] = "sockmap",
	};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < net->n && !err; i++) {
		const struct net_attachment *a = &net->all[i];
		const char *section = sections[a->section];
		const char *of = a->devname ? " of " : "", *device = a->devname ? a->devname : "";
		char map[16];

		if (a->map_id.known) {
			snprintf(map, sizeof(map), "%u", (uint32_t)a->map_id.value);
			of = " ";
			device = map;
		}

		if (a->id.known)
			err = audit_see(audit, AUDIT_PROG, (uint32_t)a->id.value, "%s%s%s", section,
					of, device);
		if (!err && a->link_id.known && a->link_id.value)
			err = audit_see(audit, AUDIT_LINK, (uint32_t)a->link_id.value, "%s%s%s",
					section, of, device);
	}
	return err;
}

struct kt_error *audit_slots(struct audit *audit, const struct slots *slots)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < slots->n && !err; i++) {
		const struct slot *slot = &slots->all[i];

		if (slot->known)
			err = audit_see(audit, slot->to.kind == HELD_PROG ? AUDIT_PROG : AUDIT_MAP,
					slot->to.id, "slot %u of map %u", slot->index,
					slot->map_id);
	}
	return err;
}

struct kt_error *audit_holdings(struct audit *audit, const struct holdings *holdings)
{
	static const enum audit_kind kinds[] = {[HELD_PROG] = AUDIT_PROG,
						[HELD_MAP] = AUDIT_MAP,
						[HELD_LINK] = AUDIT_LINK,
						[HELD_BTF] = AUDIT_BTF};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < holdings->n_fds && !err; i++) {
		const struct held_fd *fd = &holdings->fds[i];

		err = audit_see(audit, kinds[fd->of.kind], fd->of.id, "process %u (%s)", fd->pid,
				fd->comm);
	}
	for (size_t i = 0; i < holdings->n_pins && !err; i++)
		err = audit_see(audit, kinds[holdings->pins[i].of.kind], holdings->pins[i].of.id,
				"%s", holdings->pins[i].path);
	return err;
}

/* --- comparing --- */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool has(const uint32_t *ids, size_t n, uint32_t id)
{
	return n && bsearch(&id, ids, n, sizeof(*ids), by_number);
}

/* IDs of each kind, in order. */
struct ids {
	uint32_t *ids[AUDIT_N_KINDS];
	size_t n[AUDIT_N_KINDS];
};

static void ids_deinit(struct ids *listed)
{
	for (size_t kind = 0; kind < AUDIT_N_KINDS; kind++)
		free(listed->ids[kind]);
}

static bool listed_init(struct ids *ret, const struct programs *programs, const struct maps *maps,
			const struct links *links, const struct btf_objects *btfs)
{
	const size_t n[] = {programs->n, maps->n, links->n, btfs->n};

	for (size_t kind = 0; kind < AUDIT_N_KINDS; kind++) {
		ret->ids[kind] = calloc(n[kind] + 1, sizeof(*ret->ids[kind]));
		if (!ret->ids[kind])
			return false;
		ret->n[kind] = n[kind];
	}
	for (size_t i = 0; i < programs->n; i++)
		ret->ids[AUDIT_PROG][i] = programs->all[i].id;
	for (size_t i = 0; i < maps->n; i++)
		ret->ids[AUDIT_MAP][i] = maps->all[i].id;
	for (size_t i = 0; i < links->n; i++)
		ret->ids[AUDIT_LINK][i] = links->all[i].id;
	for (size_t i = 0; i < btfs->n; i++)
		ret->ids[AUDIT_BTF][i] = btfs->all[i].id;
	for (size_t kind = 0; kind < AUDIT_N_KINDS; kind++)
		qsort(ret->ids[kind], n[kind], sizeof(uint32_t), by_number);
	return true;
}

static int by_object(const void *a, const void *b)
{
	const struct audit_place *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return strcmp(x->where, y->where);
}

static struct kt_error *add(struct audit_result *result, struct audit_finding finding)
{
	struct audit_finding *all = reallocarray(result->all, result->n + 1, sizeof(*all));

	if (!all) {
		free(finding.where);
		return kt_error_no_memory();
	}
	result->all = all;
	all[result->n++] = finding;
	return NULL;
}

/* The places [first, end) are of one object, which the index does not list. */
static struct kt_error *add_hidden(struct audit_result *result, const struct audit_place *places,
				   size_t n)
{
	struct audit_finding finding = {.kind = places[0].kind,
					.id = places[0].id,
					.problem = places[0].id ? AUDIT_HIDDEN : AUDIT_WITHOUT_ID};
	struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err;

	for (size_t i = 0; i < n && i < PLACES_SHOWN; i++)
		kt_buf_printf(&text, "%s%s", i ? ", " : "", places[i].where);
	if (n > PLACES_SHOWN)
		kt_buf_printf(&text, " and %zu more", n - PLACES_SHOWN);
	err = kt_buf_finish(&text, &finding.where);
	return err ? err : add(result, finding);
}

/* Reached, and listed or not: *reached gets the IDs that something leads to, in order. */
static struct kt_error *find_hidden(const struct audit *audit, const struct ids *listed,
				    struct ids *reached, struct audit_result *result)
{
	struct kt_error *err = NULL;

	for (size_t kind = 0; kind < AUDIT_N_KINDS; kind++) {
		reached->ids[kind] = calloc(audit->places.len + 1, sizeof(uint32_t));
		if (!reached->ids[kind])
			return kt_error_no_memory();
	}
	for (size_t i = 0, end; i < audit->places.len && !err; i = end) {
		const struct audit_place *place = &audit->places.data[i];
		enum audit_kind kind = place->kind;

		for (end = i + 1; end < audit->places.len && audit->places.data[end].kind == kind &&
				  audit->places.data[end].id == place->id;
		     end++)
			;
		reached->ids[kind][reached->n[kind]++] = place->id;
		if (!has(listed->ids[kind], listed->n[kind], place->id))
			err = add_hidden(result, place, end - i);
	}
	return err;
}

static struct kt_error *find_unreached(const struct ids *listed, const struct ids *reached,
				       struct audit_result *result)
{
	for (size_t kind = 0; kind < AUDIT_N_KINDS; kind++) {
		struct audit_count *count = &result->counts[kind];

		count->listed = listed->n[kind];
		count->unreached = calloc(listed->n[kind] + 1, sizeof(*count->unreached));
		if (!count->unreached)
			return kt_error_no_memory();
		for (size_t i = 0; i < listed->n[kind]; i++)
			if (!has(reached->ids[kind], reached->n[kind], listed->ids[kind][i]))
				count->unreached[count->n_unreached++] = listed->ids[kind][i];
	}
	return NULL;
}

/* The list that bpftool printed, and the programs that are in one of the two lists alone. */
static struct kt_error *find_not_told(const json_t *told, const struct ids *listed,
				      struct audit_result *result)
{
	_cleanup_free_ uint32_t *ids = calloc(json_array_size(told) + 1, sizeof(*ids));
	const uint32_t *own = listed->ids[AUDIT_PROG];
	size_t n = json_array_size(told), n_own = listed->n[AUDIT_PROG];
	struct kt_error *err = NULL;

	if (!ids)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		uint64_t id;

		if (!kt_json_get_u64(json_object_get(json_array_get(told, i), "id"), &id))
			return kt_error_new(KT_ERROR_FORMAT, "entry %zu of the list has no id", i);
		ids[i] = (uint32_t)id;
	}
	qsort(ids, n, sizeof(*ids), by_number);
	for (size_t i = 0; i < n_own && !err; i++)
		if (!has(ids, n, own[i]))
			err = add(result, (struct audit_finding){.kind = AUDIT_PROG,
								 .problem = AUDIT_NOT_TOLD,
								 .id = own[i]});
	for (size_t i = 0; i < n && !err; i++)
		if (!has(own, n_own, ids[i]))
			err = add(result, (struct audit_finding){.kind = AUDIT_PROG,
								 .problem = AUDIT_ONLY_TOLD,
								 .id = ids[i]});
	return err;
}

static int by_finding(const void *a, const void *b)
{
	const struct audit_finding *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->problem != y->problem)
		return x->problem < y->problem ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

struct kt_error *audit_finish(struct audit *audit, const struct programs *programs,
			      const struct maps *maps, const struct links *links,
			      const struct btf_objects *btfs, const json_t *told,
			      struct audit_result *ret)
{
	_cleanup_(audit_result_deinit) struct audit_result result = {0};
	_cleanup_(ids_deinit) struct ids listed = {0}, reached = {0};
	struct kt_error *err;

	if (told && !json_is_array(told))
		return kt_error_new(KT_ERROR_FORMAT, "it is no list of programs, as bpftool -j "
						     "prog show prints it");
	if (!listed_init(&listed, programs, maps, links, btfs))
		return kt_error_no_memory();
	if (audit->places.len)
		qsort(audit->places.data, audit->places.len, sizeof(audit->places.data[0]),
		      by_object);
	err = find_hidden(audit, &listed, &reached, &result);
	if (!err)
		err = find_unreached(&listed, &reached, &result);
	if (!err && told)
		err = find_not_told(told, &listed, &result);
	if (err)
		return err;
	if (result.n)
		qsort(result.all, result.n, sizeof(result.all[0]), by_finding);
	*ret = result;
	result = (struct audit_result){0};
	return NULL;
}

void audit_keep_both(struct audit_result *result, const struct audit_result *again)
{
	size_t kept = 0;

	for (size_t i = 0; i < result->n; i++) {
		if (again->n && bsearch(&result->all[i], again->all, again->n,
					sizeof(again->all[0]), by_finding))
			result->all[kept++] = result->all[i];
		else
			free(result->all[i].where);
	}
	result->n = kept;
}
