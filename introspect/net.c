// SPDX-License-Identifier: LGPL-2.1-or-later
/* Namespaces and devices, XDP, and the values of all that the other parts found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/net_impl.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define HASH_ENTRIES 256 /* NETDEV_HASHENTRIES, since 2.6.32 */

static const struct view_field ns_fields[] = {
	[NS_NEXT] = {.path = "list.next"},
	[NS_INO] = {.path = "ns.inum"},
	[NS_DEVICES] = {.path = "dev_index_head"},
	[NS_RUN_ARRAY] = {.path = "bpf.run_array", .max = 64, .optional = true}, /* since 5.9 */
	[NS_LINKS] = {.path = "bpf.links", .max = 64, .optional = true},
	[NS_IPV4] = {.path = "nf.hooks_ipv4", .max = 64, .optional = true},
	[NS_IPV6] = {.path = "nf.hooks_ipv6", .max = 64, .optional = true},
};
static const struct view_type ns_view = VIEW_TYPE("net", ns_fields);
static const struct list_type ns_list = {&ns_view, NS_NEXT, .node = "list"};

static const struct view_field dev_fields[] = {
	[DEV_NEXT] = {.path = "index_hlist.next"},
	[DEV_IFINDEX] = {.path = "ifindex"},
	[DEV_NAME] = {.path = "name", .max = 16},
	[DEV_XDP_PROG] = {.path = "xdp_prog", .optional = true},
	[DEV_XDP_STATE] = {.path = "xdp_state", .max = 64, .optional = true}, /* since 5.9 */
	[DEV_TCX_INGRESS] = {.path = "tcx_ingress", .optional = true},        /* since 6.6 */
	[DEV_TCX_EGRESS] = {.path = "tcx_egress", .optional = true},
	[DEV_QDISC] = {.path = "qdisc", .optional = true},
	[DEV_QDISC_HASH] = {.path = "qdisc_hash", .max = 128, .optional = true},
	[DEV_INGRESS_QUEUE] = {.path = "ingress_queue", .optional = true},
	[DEV_LINK_OPS] = {.path = "rtnl_link_ops", .optional = true},
};
static const struct view_type dev_view = VIEW_TYPE("net_device", dev_fields);
static const struct list_type dev_list = {&dev_view, DEV_NEXT, .node = "index_hlist"};

enum { LINK_ID, LINK_PROG };
static const struct view_field link_fields[] = {
	[LINK_ID] = {.path = "id"},
	[LINK_PROG] = {.path = "prog"},
};
static const struct view_type link_view = VIEW_TYPE("bpf_link", link_fields);

bool bpf_net_wants(struct wants *wants)
{
	return list_wants(&ns_list, wants) && list_wants(&dev_list, wants) &&
	       view_wants(&link_view, wants) &&
	       wants_add(wants, KFACTS_SYMBOL, "net_namespace_list", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_xdp_entity", "prog", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_xdp_entity", "link", true) &&
	       wants_add(wants, KFACTS_SIZE, "bpf_xdp_entity", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_xdp_link", "link", true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_xdp_mode", NULL, true) && net_tc_wants(wants) &&
	       net_mprog_wants(wants) && net_ns_wants(wants) && net_sockmap_wants(wants) &&
	       bpf_progs_wants(wants);
}

struct kt_error *bpf_net_check(const struct kfacts *facts)
{
	struct kfacts_member member;
	struct kt_error *err;
	struct view view;
	gaddr_t addr;

	if (!kfacts_member(facts, "net", "list.next", &member))
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "this kernel has no network (CONFIG_NET)");
	if (!kfacts_symbol(facts, "net_namespace_list", &addr))
		return bpf_idr_not_placed("net_namespace_list");
	err = view_init(&view, &ns_view, facts);
	if (!err)
		err = view_init(&view, &dev_view, facts);
	return err ? err : view_init(&view, &link_view, facts);
}

struct kt_error *net_place_add(struct bpf_net *net, const struct net_place *place)
{
	if (net->places.len >= NET_MAX_ATTACHMENTS) {
		net->n_damaged++;
		return NULL;
	}
	return kt_vec_push(&net->places, *place) ? NULL : kt_error_no_memory();
}

gaddr_t net_pointer(const struct view *view, const void *image, unsigned int field, size_t i)
{
	size_t len = 0;
	const uint8_t *bytes = view_bytes(view, image, field, &len);

	return bytes && (i + 1) * NET_POINTER_SIZE <= len
		       ? kt_load_uint(bytes + i * NET_POINTER_SIZE, NET_POINTER_SIZE,
				      view->big_endian)
		       : 0;
}

/* --- the read --- */

static struct kt_error *read_namespaces(struct bpf_net *net, struct guest *guest)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct gmem memory = guest_memory(guest);
	uint8_t first[NET_POINTER_SIZE];
	struct kt_error *err;
	gaddr_t head;

	if (!guest_symbol(guest, "net_namespace_list", &head))
		return bpf_idr_not_placed("net_namespace_list");
	if (!lists_init(&net->namespaces, &ns_list, guest_facts(guest), NET_MAX_NAMESPACES))
		return bpf_net_check(guest_facts(guest));
	if (!gmem_batch_add(&batch, head, first, sizeof(first)))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && batch.reads.data[0].fault)
		err = kt_error_new(KT_ERROR_FAULT,
				   "net_namespace_list, at 0x%016llx in the guest, is not mapped",
				   (unsigned long long)head);
	if (!err)
		err = lists_add(&net->namespaces, 0, head,
				kt_load_uint(first, sizeof(first),
					     net->namespaces.view.big_endian));
	return err ? err : lists_read(&net->namespaces, &memory);
}

/* The hash of devices by their ifindex. */
static struct kt_error *read_devices(struct bpf_net *net, struct guest *guest)
{
	const size_t size = HASH_ENTRIES * NET_POINTER_SIZE;
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *heads = calloc(net->namespaces.items.len + 1, size);
	const struct gmem memory = guest_memory(guest);
	struct kt_error *err;

	if (!lists_init(&net->devices, &dev_list, guest_facts(guest), NET_MAX_DEVICES))
		return bpf_net_check(guest_facts(guest));
	if (!heads)
		return kt_error_no_memory();
	for (size_t i = 0; i < net->namespaces.items.len; i++) {
		gaddr_t addr = view_uint(&net->namespaces.view, net->namespaces.items.data[i].image,
					 NS_DEVICES);

		if (!gmem_batch_add(&batch, addr, heads + i * size, size))
			return kt_error_no_memory();
	}
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < net->namespaces.items.len && !err; i++) {
		if (batch.reads.data[i].fault) {
			net->n_damaged++;
			continue;
		}
		for (size_t k = 0; k < HASH_ENTRIES && !err; k++)
			err = lists_add(&net->devices, i, 0,
					kt_load_uint(heads + i * size + k * NET_POINTER_SIZE,
						     NET_POINTER_SIZE,
						     net->namespaces.view.big_endian));
	}
	return err ? err : lists_read(&net->devices, &memory);
}

/* dev_xdp_prog() for each mode of a device. */
static struct kt_error *find_xdp(struct bpf_net *net, const struct kfacts *facts, size_t dev)
{
	static const char *const modes[][2] = {{"XDP_MODE_SKB", "generic"},
					       {"XDP_MODE_DRV", "driver"},
					       {"XDP_MODE_HW", "offload"}};
	const struct view *view = &net->devices.view;
	const struct list_item *item = &net->devices.items.data[dev];
	struct kfacts_member prog, link, in_link;
	struct kt_error *err = NULL;
	const uint8_t *state;
	uint64_t size = 0;
	size_t len = 0;

	state = view_bytes(view, item->image, DEV_XDP_STATE, &len);
	if (!state || !kfacts_member(facts, "bpf_xdp_entity", "prog", &prog) ||
	    !kfacts_member(facts, "bpf_xdp_entity", "link", &link) ||
	    !kfacts_member(facts, "bpf_xdp_link", "link", &in_link) ||
	    !kfacts_size(facts, "bpf_xdp_entity", &size))
		return NULL;
	for (size_t i = 0; (i + 1) * size <= len && !err; i++) {
		const char *mode = kfacts_enum_name(facts, "bpf_xdp_mode", (int64_t)i);
		struct net_place place = {.section = NET_XDP,
					  .ns = item->owner,
					  .dev = dev,
					  .order = i,
					  .name = LIST_NOBODY};

		if (prog.offset + NET_POINTER_SIZE > size || link.offset + NET_POINTER_SIZE > size)
			break;
		place.prog = kt_load_uint(state + i * size + prog.offset, NET_POINTER_SIZE,
					  view->big_endian);
		place.link = kt_load_uint(state + i * size + link.offset, NET_POINTER_SIZE,
					  view->big_endian);
		if (!place.prog && !place.link)
			continue;
		if (place.link) {
			place.link += in_link.offset;
			place.prog = 0;
		}
		for (size_t m = 0; mode && m < sizeof(modes) / sizeof(modes[0]); m++)
			if (strcmp(mode, modes[m][0]) == 0)
				snprintf(place.kind, sizeof(place.kind), "%s", modes[m][1]);
		err = net_place_add(net, &place);
	}
	return err;
}

static struct kt_error *read_links(struct bpf_net *net, struct guest *guest)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = view_init(&net->link, &link_view, guest_facts(guest));

	kt_vec_for_each (&net->places, place)
		if (!err)
			err = object_begin(&place->link_read, &net->link, place->link, &batch);
	if (!err && batch.reads.len)
		err = guest_read(guest, &batch);
	if (err)
		return err;
	kt_vec_for_each (&net->places, place) {
		object_end(&place->link_read, &batch);
		if (!place->prog && place->link_read.known)
			place->prog = view_uint(&net->link, place->link_read.image, LINK_PROG);
	}
	return NULL;
}

static struct kt_error *read_programs(struct bpf_net *net, struct guest *guest)
{
	const struct gmem memory = guest_memory(guest);
	gaddr_t *addrs = calloc(net->places.len + 1, sizeof(*addrs));
	struct kt_error *err;
	size_t n = 0;

	if (!addrs)
		return kt_error_no_memory();
	kt_vec_for_each (&net->places, place)
		addrs[n++] = place->prog;
	err = prog_set_read(&net->progs, guest, addrs, n);
	return err ? err : cstrings_read(&memory, net->names.data, net->names.len);
}

static struct kt_error *read_all(struct bpf_net *net, struct guest *guest)
{
	struct kt_error *err = read_namespaces(net, guest);

	if (!err)
		err = read_devices(net, guest);
	for (size_t i = 0; i < net->devices.items.len && !err; i++)
		err = find_xdp(net, guest_facts(guest), i);
	if (!err)
		err = net_mprog_read(net, guest);
	if (!err)
		err = net_tc_read(net, guest);
	if (!err)
		err = net_ns_read(net, guest);
	if (!err)
		err = net_sockmap_read(net, guest);
	if (!err)
		err = read_links(net, guest);
	return err ? err : read_programs(net, guest);
}

struct kt_error *bpf_net_read(struct guest *guest, struct bpf_net **ret)
{
	struct bpf_net *net = calloc(1, sizeof(*net));
	struct kt_error *err = net ? read_all(net, guest) : kt_error_no_memory();

	if (err) {
		bpf_net_destroy(net);
		return err;
	}
	*ret = net;
	return NULL;
}

void bpf_net_destroy(struct bpf_net *net)
{
	if (!net)
		return;
	lists_deinit(&net->namespaces);
	lists_deinit(&net->devices);
	kt_vec_for_each (&net->places, place)
		object_deinit(&place->link_read);
	kt_vec_free(&net->places);
	kt_vec_for_each (&net->names, name)
		cstring_deinit(name);
	kt_vec_free(&net->names);
	prog_set_deinit(&net->progs);
	free(net);
}

/* --- the values --- */

static uint64_t ifindex_of(const struct bpf_net *net, const struct net_place *place)
{
	if (place->dev == LIST_NOBODY)
		return 0;
	return view_uint(&net->devices.view, net->devices.items.data[place->dev].image,
			 DEV_IFINDEX);
}

static int compare_places(const void *x, const void *y, void *arg)
{
	const struct net_place *a = x, *b = y;
	uint64_t p = ifindex_of(arg, a), q = ifindex_of(arg, b);

	if (a->ns != b->ns)
		return a->ns < b->ns ? -1 : 1;
	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	if (p != q)
		return p < q ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static struct kt_error *copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? kt_error_no_memory() : NULL;
}

static struct program_number known(uint64_t value)
{
	return (struct program_number){.known = true, .value = value};
}

static struct kt_error *finish_device(const struct bpf_net *net, const struct net_place *place,
				      struct net_attachment *ret)
{
	const struct view *view = &net->devices.view;
	const char *name;
	size_t len = 0;

	if (place->dev == LIST_NOBODY)
		return NULL;
	name = view_bytes(view, net->devices.items.data[place->dev].image, DEV_NAME, &len);
	ret->ifindex = known(ifindex_of(net, place));
	ret->devname = name ? strndup(name, len) : NULL;
	return ret->devname ? NULL : kt_error_no_memory();
}

static struct kt_error *finish_place(const struct bpf_net *net, const struct net_place *place,
				     struct net_attachment *ret)
{
	const struct program *program = prog_set_find(&net->progs, place->prog);
	const struct cstring *name = place->name == LIST_NOBODY ? NULL
								: &net->names.data[place->name];
	struct kt_error *err = finish_device(net, place, ret);

	ret->section = place->section;
	if (place->ns != LIST_NOBODY)
		ret->netns_ino = known(view_uint(&net->namespaces.view,
						 net->namespaces.items.data[place->ns].image,
						 NS_INO));
	ret->map_id = place->map_id;
	ret->chain = place->chain;
	ret->prio = place->prio;
	ret->protocol = place->protocol;
	ret->handle = place->handle;
	ret->direct_action = place->direct_action;
	ret->classic = place->classic;
	ret->pf = place->pf;
	ret->hook = place->hook;
	ret->flags = place->flags;
	ret->priority = place->priority;
	if (place->link_read.known)
		ret->link_id = known(view_uint(&net->link, place->link_read.image, LINK_ID));
	else if (!place->link && !place->link_unknown)
		ret->link_id = known(0);
	if (program)
		ret->id = known(program->id);
	if (!err && place->kind[0])
		err = copy(place->kind, &ret->kind);
	if (!err && name && name->known)
		err = copy(name->text.data ? name->text.data : "", &ret->filter_name);
	if (!err && program)
		err = copy(program->full_name ? program->full_name : program->name, &ret->name);
	return err;
}

struct kt_error *bpf_net_finish(struct bpf_net *net, const struct kfacts *facts, struct net *ret)
{
	_cleanup_(net_deinit) struct net out = {
		.n_unreadable = net->n_damaged + net->namespaces.n_damaged + net->devices.n_damaged,
		.n_unknown = net->n_unknown,
	};
	struct kt_error *err = prog_set_finish(&net->progs, facts);

	if (err)
		return err;
	out.all = calloc(net->places.len + 1, sizeof(*out.all));
	out.netns = calloc(net->namespaces.items.len + 1, sizeof(*out.netns));
	if (!out.all || !out.netns)
		return kt_error_no_memory();
	kt_vec_for_each (&net->namespaces.items, item)
		out.netns[out.n_netns++] = known(
			view_uint(&net->namespaces.view, item->image, NS_INO));
	if (net->places.len)
		qsort_r(net->places.data, net->places.len, sizeof(*net->places.data),
			compare_places, net);
	kt_vec_for_each (&net->places, place) {
		err = finish_place(net, place, &out.all[out.n++]);
		if (err)
			return err;
	}
	*ret = out;
	out = (struct net){0};
	return NULL;
}
