// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Programs of tcx (since 6.6) and netkit (since 6.7), both in a struct bpf_mprog_entry: up to 64
 * programs, up to a null pointer, and behind them a pointer to the bundle with their links.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/net_impl.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define MAX_PROGS 64 /* BPF_MPROG_MAX */

enum { ENTRY_PROGS, ENTRY_BUNDLE };
static const struct view_field entry_fields[] = {
	[ENTRY_PROGS] = {.path = "fp_items", .max = MAX_PROGS * NET_POINTER_SIZE},
	[ENTRY_BUNDLE] = {.path = "parent"},
};
static const struct view_type entry_view = VIEW_TYPE("bpf_mprog_entry", entry_fields);

static const struct view_field bundle_fields[] = {
	{.path = "cp_items", .max = MAX_PROGS * NET_POINTER_SIZE}};
static const struct view_type bundle_view = VIEW_TYPE("bpf_mprog_bundle", bundle_fields);

enum { KIT_PEER, KIT_ACTIVE, KIT_PRIMARY };
static const struct view_field kit_fields[] = {
	[KIT_PEER] = {.path = "peer"},
	[KIT_ACTIVE] = {.path = "active"},
	[KIT_PRIMARY] = {.path = "primary"},
};
static const struct view_type kit_view = VIEW_TYPE("netkit", kit_fields);

static const struct view_field ops_fields[] = {{.path = "kind"}};
static const struct view_type ops_view = VIEW_TYPE("rtnl_link_ops", ops_fields);

bool net_mprog_wants(struct wants *wants)
{
	return view_wants(&entry_view, wants) && view_wants(&bundle_view, wants) &&
	       view_wants(&kit_view, wants) && view_wants(&ops_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "net_device", "priv", true) &&
	       wants_add(wants, KFACTS_SIZE, "net_device", NULL, true);
}

/* An entry of a device. */
struct entry {
	size_t dev;
	const char *kind;
	gaddr_t addr;
	struct object entry, bundle;
};

/* A device that may be a netkit's, by the name of its kind. */
struct kit {
	size_t dev;
	bool is_kit;
	struct object ops, self, peer;
};

struct mprogs {
	struct bpf_net *net;
	struct guest *guest;
	struct view entry, bundle, kit, ops;
	KT_VEC(struct entry) entries;
	KT_VEC(struct kit) kits;
};

static void mprogs_deinit(struct mprogs *m)
{
	kt_vec_for_each (&m->entries, e) {
		object_deinit(&e->entry);
		object_deinit(&e->bundle);
	}
	kt_vec_free(&m->entries);
	kt_vec_for_each (&m->kits, kit) {
		object_deinit(&kit->ops);
		object_deinit(&kit->self);
		object_deinit(&kit->peer);
	}
	kt_vec_free(&m->kits);
}

static bool add_entry(struct mprogs *m, size_t dev, const char *kind, gaddr_t addr)
{
	return !addr ||
	       kt_vec_push(&m->entries, (struct entry){.dev = dev, .kind = kind, .addr = addr});
}

/* netdev_priv(): behind the net_device, which is a multiple of 32 bytes. */
static bool priv_offset(const struct kfacts *facts, uint64_t *ret)
{
	struct kfacts_member priv;

	if (kfacts_member(facts, "net_device", "priv", &priv)) { /* since 6.11 */
		*ret = priv.offset;
		return true;
	}
	if (!kfacts_size(facts, "net_device", ret))
		return false;
	*ret = (*ret + 31) & ~(uint64_t)31;
	return true;
}

static gaddr_t device_addr(const struct mprogs *m, size_t dev)
{
	return m->net->devices.items.data[dev].addr;
}

/* Which devices are netkit's: their rtnl_link_ops' kind says so. Those of one kind have the same.
 */
static struct kt_error *find_kits(struct mprogs *m)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct gmem memory = guest_memory(m->guest);
	const struct lists *devices = &m->net->devices;
	struct cstring *kinds;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < devices->items.len; i++)
		if (view_uint(&devices->view, devices->items.data[i].image, DEV_LINK_OPS) &&
		    !kt_vec_push(&m->kits, (struct kit){.dev = i}))
			return kt_error_no_memory();
	kt_vec_for_each (&m->kits, kit)
		if (!err)
			err = object_begin(&kit->ops, &m->ops,
					   view_uint(&devices->view,
						     devices->items.data[kit->dev].image,
						     DEV_LINK_OPS),
					   &batch);
	if (!err && batch.reads.len)
		err = guest_read(m->guest, &batch);
	kinds = calloc(m->kits.len + 1, sizeof(*kinds));
	if (!kinds && !err)
		err = kt_error_no_memory();
	for (size_t i = 0; i < m->kits.len && !err; i++) {
		object_end(&m->kits.data[i].ops, &batch);
		if (m->kits.data[i].ops.known)
			kinds[i].addr = view_uint(&m->ops, m->kits.data[i].ops.image, 0);
	}
	if (!err)
		err = cstrings_read(&memory, kinds, m->kits.len);
	for (size_t i = 0; kinds && i < m->kits.len; i++) {
		m->kits.data[i].is_kit = kinds[i].known && kinds[i].text.data &&
					 strcmp(kinds[i].text.data, "netkit") == 0;
		cstring_deinit(&kinds[i]);
	}
	free(kinds);
	return err;
}

/* What a netkit and its peer run is a matter of the primary device: netkit_prog_query(). */
static struct kt_error *read_kits(struct mprogs *m, uint64_t priv)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0}, peers = {0};
	struct kt_error *err = NULL;

	kt_vec_for_each (&m->kits, kit)
		if (!err && kit->is_kit)
			err = object_begin(&kit->self, &m->kit, device_addr(m, kit->dev) + priv,
					   &batch);
	if (!err && batch.reads.len)
		err = guest_read(m->guest, &batch);
	kt_vec_for_each (&m->kits, kit) {
		gaddr_t peer;

		object_end(&kit->self, &batch);
		kit->is_kit = kit->self.known && view_uint(&m->kit, kit->self.image, KIT_PRIMARY);
		peer = kit->is_kit ? view_uint(&m->kit, kit->self.image, KIT_PEER) : 0;
		if (!err)
			err = object_begin(&kit->peer, &m->kit, peer ? peer + priv : 0, &peers);
	}
	if (!err && peers.reads.len)
		err = guest_read(m->guest, &peers);
	kt_vec_for_each (&m->kits, kit) {
		object_end(&kit->peer, &peers);
		if (err || !kit->is_kit)
			continue;
		if (!add_entry(m, kit->dev, "netkit/primary",
			       view_uint(&m->kit, kit->self.image, KIT_ACTIVE)) ||
		    (kit->peer.known &&
		     !add_entry(m, kit->dev, "netkit/peer",
				view_uint(&m->kit, kit->peer.image, KIT_ACTIVE))))
			err = kt_error_no_memory();
	}
	return err;
}

static struct kt_error *take_entry(struct mprogs *m, const struct entry *e)
{
	struct kt_error *err = NULL;

	if (!e->entry.known) {
		m->net->n_damaged++;
		return NULL;
	}
	for (size_t i = 0; i < MAX_PROGS && !err; i++) {
		struct net_place place = {.section = NET_TC,
					  .ns = m->net->devices.items.data[e->dev].owner,
					  .dev = e->dev,
					  .order = m->net->places.len,
					  .name = LIST_NOBODY};

		place.prog = net_pointer(&m->entry, e->entry.image, ENTRY_PROGS, i);
		if (!place.prog)
			break;
		strcpy(place.kind, e->kind);
		place.link_unknown = !e->bundle.known;
		if (e->bundle.known)
			place.link = net_pointer(&m->bundle, e->bundle.image, 0, i);
		err = net_place_add(m->net, &place);
	}
	return err;
}

static struct kt_error *read_entries(struct mprogs *m)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0}, bundles = {0};
	struct kt_error *err = NULL;

	kt_vec_for_each (&m->entries, e)
		if (!err)
			err = object_begin(&e->entry, &m->entry, e->addr, &batch);
	if (!err && batch.reads.len)
		err = guest_read(m->guest, &batch);
	kt_vec_for_each (&m->entries, e) {
		object_end(&e->entry, &batch);
		if (!err && e->entry.known && net_pointer(&m->entry, e->entry.image, 0, 0))
			err = object_begin(&e->bundle, &m->bundle,
					   view_uint(&m->entry, e->entry.image, ENTRY_BUNDLE),
					   &bundles);
	}
	if (!err && bundles.reads.len)
		err = guest_read(m->guest, &bundles);
	kt_vec_for_each (&m->entries, e) {
		object_end(&e->bundle, &bundles);
		if (!err)
			err = take_entry(m, e);
	}
	return err;
}

struct kt_error *net_mprog_read(struct bpf_net *net, struct guest *guest)
{
	_cleanup_(mprogs_deinit) struct mprogs m = {.net = net, .guest = guest};
	const struct kfacts *facts = guest_facts(guest);
	const struct lists *devices = &net->devices;
	struct kt_error *err = NULL;
	uint64_t priv = 0;

	if (!view_try(&m.entry, &entry_view, facts) || !view_try(&m.bundle, &bundle_view, facts))
		return NULL;
	for (size_t i = 0; i < devices->items.len; i++) {
		const uint8_t *image = devices->items.data[i].image;

		if (!add_entry(&m, i, "tcx/ingress",
			       view_uint(&devices->view, image, DEV_TCX_INGRESS)) ||
		    !add_entry(&m, i, "tcx/egress",
			       view_uint(&devices->view, image, DEV_TCX_EGRESS)))
			return kt_error_no_memory();
	}
	if (view_try(&m.kit, &kit_view, facts) && view_try(&m.ops, &ops_view, facts) &&
	    priv_offset(facts, &priv)) {
		err = find_kits(&m);
		if (!err)
			err = read_kits(&m, priv);
	}
	return err ? err : read_entries(&m);
}
