// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is attached to a network namespace as a whole: flow dissectors and sk_lookup (net->bpf), and
 * the programs among netfilter's hooks (since 6.4).
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/net_impl.h"
#include "introspect/prog_array.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define MAX_HOOKS 1024 /* MAX_HOOK_COUNT of net/netfilter/core.c */
#define N_HOOKS   8    /* more than any protocol has places (NF_INET_NUMHOOKS is 5) */

static const struct view_field link_fields[] = {{.path = "node.next"}};
static const struct view_type netns_link_view = VIEW_TYPE("bpf_netns_link", link_fields);
static const struct list_type netns_links = {&netns_link_view, 0, .node = "node"};

static const struct view_field entries_fields[] = {{.path = "num_hook_entries"}};
static const struct view_type entries_view = VIEW_TYPE("nf_hook_entries", entries_fields);

enum { OPS_HOOK, OPS_PRIV, OPS_PF, OPS_HOOKNUM, OPS_PRIORITY };
static const struct view_field ops_fields[] = {
	[OPS_HOOK] = {.path = "hook"},
	[OPS_PRIV] = {.path = "priv"},
	[OPS_PF] = {.path = "pf"},
	[OPS_HOOKNUM] = {.path = "hooknum"},
	[OPS_PRIORITY] = {.path = "priority"},
};
static const struct view_type ops_view = VIEW_TYPE("nf_hook_ops", ops_fields);

static const struct view_field nf_link_fields[] = {{.path = "defrag_hook", .optional = true}};
static const struct view_type nf_link_view = VIEW_TYPE("bpf_nf_link", nf_link_fields);

bool net_ns_wants(struct wants *wants)
{
	return prog_arrays_wants(wants) && list_wants(&netns_links, wants) &&
	       view_wants(&entries_view, wants) && view_wants(&ops_view, wants) &&
	       view_wants(&nf_link_view, wants) &&
	       wants_add(wants, KFACTS_ENUM, "netns_bpf_attach_type", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_netns_link", "link", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_nf_link", "link", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_nf_link", "hook_ops", true) &&
	       wants_add(wants, KFACTS_MEMBER, "net", "bpf.links", true) &&
	       wants_add(wants, KFACTS_MEMBER, "nf_hook_entries", "hooks", true) &&
	       wants_add(wants, KFACTS_MEMBER, "nf_hook_entry", "hook", true) &&
	       wants_add(wants, KFACTS_SIZE, "nf_hook_entry", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "nf_hook_run_bpf", NULL, true);
}

/* --- net->bpf --- */

static const struct {
	const char *name;
	enum net_section section;
} types[] = {
	{"NETNS_BPF_FLOW_DISSECTOR", NET_FLOW_DISSECTOR},
	{"NETNS_BPF_SK_LOOKUP", NET_SK_LOOKUP},
};

/* A type's index in the arrays of struct netns_bpf; -1: this kernel has it not. */
static int type_index(const struct kfacts *facts, const char *name)
{
	for (int i = 0; i < 8; i++) {
		const char *here = kfacts_enum_name(facts, "netns_bpf_attach_type", i);

		if (here && strcmp(here, name) == 0)
			return i;
	}
	return -1;
}

/* Links of a place are as many as its programs, in the same order; or there are none. */
static gaddr_t nth_link(const struct lists *links, size_t owner, size_t n, uint32_t offset)
{
	kt_vec_for_each (&links->items, item)
		if (item->owner == owner && !n--)
			return item->addr + offset;
	return 0;
}

static struct kt_error *take_array(struct bpf_net *net, const struct lists *links,
				   const struct prog_arrays *arrays, size_t ns, size_t type,
				   int index, uint32_t link_offset)
{
	const struct prog_array *array = prog_arrays_find(
		arrays, net_pointer(&net->namespaces.view, net->namespaces.items.data[ns].image,
				    NS_RUN_ARRAY, (size_t)index));
	struct kt_error *err = NULL;

	for (size_t i = 0; array && i < array->n && !err; i++) {
		struct net_place place = {.section = types[type].section,
					  .ns = ns,
					  .dev = LIST_NOBODY,
					  .order = i,
					  .name = LIST_NOBODY,
					  .prog = array->progs[i]};

		place.link = nth_link(links, ns * 8 + (size_t)index, i, link_offset);
		place.link_unknown = links->n_damaged && !place.link;
		err = net_place_add(net, &place);
	}
	return err;
}

static struct kt_error *read_bpf(struct bpf_net *net, struct guest *guest)
{
	_cleanup_(prog_arrays_deinit) struct prog_arrays arrays = {0};
	_cleanup_(lists_deinit) struct lists links = {0};
	const struct kfacts *facts = guest_facts(guest);
	const struct gmem memory = guest_memory(guest);
	const struct view *view = &net->namespaces.view;
	struct kfacts_member link, heads;
	struct kt_error *err = NULL;

	if (!view_has(view, NS_RUN_ARRAY) || !view_has(view, NS_LINKS) ||
	    !lists_init(&links, &netns_links, facts, NET_MAX_ATTACHMENTS) ||
	    !kfacts_member(facts, "bpf_netns_link", "link", &link) ||
	    !kfacts_member(facts, "net", "bpf.links", &heads))
		return NULL;
	for (size_t i = 0; i < net->namespaces.items.len && !err; i++)
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]) && !err; t++) {
			const struct list_item *ns = &net->namespaces.items.data[i];
			int index = type_index(facts, types[t].name);
			gaddr_t first;

			if (index < 0)
				continue;
			first = net_pointer(view, ns->image, NS_LINKS, 2 * (size_t)index);
			if (!prog_arrays_add(&arrays, net_pointer(view, ns->image, NS_RUN_ARRAY,
								  (size_t)index)))
				return kt_error_no_memory();
			if (first)
				err = lists_add(&links, i * 8 + (size_t)index,
						ns->addr + heads.offset +
							2 * NET_POINTER_SIZE * (uint32_t)index,
						first);
		}
	if (!err)
		err = lists_read(&links, &memory);
	if (!err)
		err = prog_arrays_read(&arrays, guest);
	kt_vec_for_each (&arrays.v, array)
		net->n_damaged += array->damaged;
	for (size_t i = 0; i < net->namespaces.items.len && !err; i++)
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]) && !err; t++) {
			int index = type_index(facts, types[t].name);

			if (index >= 0)
				err = take_array(net, &links, &arrays, i, t, index, link.offset);
		}
	return err;
}

/* --- netfilter --- */

/* The hooks at one place: an array of them, and behind it one of pointers to their nf_hook_ops. */
struct hooks {
	size_t ns;
	gaddr_t addr;
	struct object head;
	size_t n;
	uint8_t *bytes; /* both arrays */
	size_t piece;
};

struct hook {
	size_t ns;
	gaddr_t addr; /* of its nf_hook_ops */
	struct object ops, link;
};

struct netfilter {
	struct bpf_net *net;
	struct guest *guest;
	struct view entries, ops, link;
	struct kfacts_member array, function, in_link, in_ops;
	uint64_t entry_size;
	gaddr_t run_bpf;
	KT_VEC(struct hooks) all;
	KT_VEC(struct hook) found;
};

static void netfilter_deinit(struct netfilter *nf)
{
	kt_vec_for_each (&nf->all, hooks) {
		object_deinit(&hooks->head);
		free(hooks->bytes);
	}
	kt_vec_free(&nf->all);
	kt_vec_for_each (&nf->found, hook) {
		object_deinit(&hook->ops);
		object_deinit(&hook->link);
	}
	kt_vec_free(&nf->found);
}

/* False: this kernel has no programs in netfilter, or nothing tells of them. */
static bool netfilter_init(struct netfilter *nf, struct bpf_net *net, struct guest *guest)
{
	const struct kfacts *facts = guest_facts(guest);

	*nf = (struct netfilter){.net = net, .guest = guest};
	return view_try(&nf->entries, &entries_view, facts) &&
	       view_try(&nf->ops, &ops_view, facts) && view_try(&nf->link, &nf_link_view, facts) &&
	       kfacts_member(facts, "nf_hook_entries", "hooks", &nf->array) &&
	       kfacts_member(facts, "nf_hook_entry", "hook", &nf->function) &&
	       kfacts_member(facts, "bpf_nf_link", "link", &nf->in_link) &&
	       kfacts_member(facts, "bpf_nf_link", "hook_ops", &nf->in_ops) &&
	       kfacts_size(facts, "nf_hook_entry", &nf->entry_size) &&
	       nf->entry_size >= nf->function.offset + NET_POINTER_SIZE && nf->entry_size <= 64 &&
	       guest_symbol(guest, "nf_hook_run_bpf", &nf->run_bpf);
}

static struct kt_error *read_heads(struct netfilter *nf)
{
	static const unsigned int fields[] = {NS_IPV4, NS_IPV6};
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct lists *namespaces = &nf->net->namespaces;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < namespaces->items.len; i++)
		for (size_t f = 0; f < 2; f++)
			for (size_t k = 0; k < N_HOOKS; k++) {
				gaddr_t addr = net_pointer(&namespaces->view,
							   namespaces->items.data[i].image,
							   fields[f], k);

				if (addr &&
				    !kt_vec_push(&nf->all, (struct hooks){.ns = i, .addr = addr}))
					return kt_error_no_memory();
			}
	kt_vec_for_each (&nf->all, hooks)
		if (!err)
			err = object_begin(&hooks->head, &nf->entries, hooks->addr, &batch);
	if (!err && batch.reads.len)
		err = guest_read(nf->guest, &batch);
	kt_vec_for_each (&nf->all, hooks) {
		object_end(&hooks->head, &batch);
		if (hooks->head.known)
			hooks->n = view_uint(&nf->entries, hooks->head.image, 0);
		if (!hooks->head.known || hooks->n > MAX_HOOKS) {
			hooks->n = 0;
			nf->net->n_damaged++;
		}
	}
	return err;
}

/* Which hooks run a program, by their function. */
static struct kt_error *read_hooks(struct netfilter *nf)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t each = (size_t)nf->entry_size + NET_POINTER_SIZE;
	bool big_endian = nf->ops.big_endian;
	struct kt_error *err;

	kt_vec_for_each (&nf->all, hooks) {
		hooks->bytes = calloc(hooks->n + 1, each);
		hooks->piece = batch.reads.len;
		if (!hooks->bytes || !gmem_batch_add(&batch, hooks->addr + nf->array.offset,
						     hooks->bytes, hooks->n * each))
			return kt_error_no_memory();
	}
	err = batch.reads.len ? guest_read(nf->guest, &batch) : NULL;
	if (err)
		return err;
	kt_vec_for_each (&nf->all, hooks) {
		const uint8_t *ops = hooks->bytes + hooks->n * nf->entry_size;

		if (hooks->n && batch.reads.data[hooks->piece].fault) {
			nf->net->n_damaged++;
			continue;
		}
		for (size_t i = 0; i < hooks->n; i++) {
			gaddr_t function = kt_load_uint(hooks->bytes + i * nf->entry_size +
								nf->function.offset,
							NET_POINTER_SIZE, big_endian);
			struct hook hook = {.ns = hooks->ns,
					    .addr = kt_load_uint(ops + i * NET_POINTER_SIZE,
								 NET_POINTER_SIZE, big_endian)};

			if (function != nf->run_bpf || nf->found.len >= NET_MAX_ATTACHMENTS)
				continue;
			if (!kt_vec_push(&nf->found, hook))
				return kt_error_no_memory();
		}
	}
	return NULL;
}

static struct program_number known(uint64_t value)
{
	return (struct program_number){.known = true, .value = value};
}

/* Each is within its link. */
static struct kt_error *read_ops(struct netfilter *nf)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	kt_vec_for_each (&nf->found, hook) {
		gaddr_t link = hook->addr ? hook->addr - nf->in_ops.offset : 0;

		if (!err)
			err = object_begin(&hook->ops, &nf->ops, hook->addr, &batch);
		if (!err)
			err = object_begin(&hook->link, &nf->link, link, &batch);
	}
	if (!err && batch.reads.len)
		err = guest_read(nf->guest, &batch);
	kt_vec_for_each (&nf->found, hook) {
		const uint8_t *ops = hook->ops.image;
		struct net_place place = {.section = NET_NETFILTER,
					  .ns = hook->ns,
					  .dev = LIST_NOBODY,
					  .order = nf->net->places.len,
					  .name = LIST_NOBODY};

		object_end(&hook->ops, &batch);
		object_end(&hook->link, &batch);
		if (err || !hook->ops.known) {
			nf->net->n_damaged++;
			continue;
		}
		place.prog = view_uint(&nf->ops, ops, OPS_PRIV);
		place.link = hook->addr - nf->in_ops.offset + nf->in_link.offset;
		place.pf = known(view_uint(&nf->ops, ops, OPS_PF));
		place.hook = known(view_uint(&nf->ops, ops, OPS_HOOKNUM));
		place.priority = known(
			(uint64_t)(int64_t)(int32_t)view_uint(&nf->ops, ops, OPS_PRIORITY));
		/* BPF_F_NETFILTER_IP_DEFRAG, the one flag that there is, is 1. */
		if (hook->link.known)
			place.flags = known(view_uint(&nf->link, hook->link.image, 0) != 0);
		err = net_place_add(nf->net, &place);
	}
	return err;
}

static struct kt_error *read_netfilter(struct bpf_net *net, struct guest *guest)
{
	_cleanup_(netfilter_deinit) struct netfilter nf;
	struct kt_error *err;

	if (!netfilter_init(&nf, net, guest))
		return NULL;
	err = read_heads(&nf);
	if (!err)
		err = read_hooks(&nf);
	return err ? err : read_ops(&nf);
}

struct kt_error *net_ns_read(struct bpf_net *net, struct guest *guest)
{
	struct kt_error *err = read_bpf(net, guest);

	return err ? err : read_netfilter(net, guest);
}
