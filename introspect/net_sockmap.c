// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Programs of sockmaps and sockhashes (struct sk_psock_progs of net/core/sock_map.c): those that
 * were attached to the map by a link, since 6.10, and by BPF_PROG_ATTACH. A map is of no namespace
 * and of no device.
 */
#include <stdio.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/net_impl.h"
#include "util/cleanup.h"

enum { MAP_REFCNT, MAP_ID, MAP_TYPE };
static const struct view_field map_fields[] = {
	[MAP_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[MAP_ID] = {.path = "id"},
	[MAP_TYPE] = {.path = "map_type"},
};
static const struct view_type map_view = VIEW_TYPE("bpf_map", map_fields);
static const struct bpf_idr_type map_idr = {
	.symbol = "map_idr", .view = &map_view, .id = MAP_ID, .refcnt = MAP_REFCNT};

/* As libbpf names the types of attachment; each has its program, and its link behind those. */
static const char *const types[] = {"sk_msg_verdict", "sk_skb_stream_parser",
				    "sk_skb_stream_verdict", "sk_skb_verdict"};
#define N_TYPES (sizeof(types) / sizeof(types[0]))

static const struct view_field progs_fields[2 * N_TYPES] = {
	{.path = "progs.msg_parser"},
	{.path = "progs.stream_parser"},
	{.path = "progs.stream_verdict"},
	{.path = "progs.skb_verdict", .optional = true}, /* since 5.13 */
	{.path = "progs.msg_parser_link", .optional = true},
	{.path = "progs.stream_parser_link", .optional = true},
	{.path = "progs.stream_verdict_link", .optional = true},
	{.path = "progs.skb_verdict_link", .optional = true},
};
static const struct {
	const char *map; /* the type of map */
	struct view_type progs;
} kinds[] = {
	{"BPF_MAP_TYPE_SOCKMAP", VIEW_TYPE("bpf_stab", progs_fields)},
	{"BPF_MAP_TYPE_SOCKHASH", VIEW_TYPE("bpf_shtab", progs_fields)},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

bool net_sockmap_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!view_wants(&kinds[i].progs, wants))
			return false;
	return bpf_idr_wants(&map_idr, wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_map_type", NULL, true);
}

static bool is_of_kind(const struct bpf_idr *idr, const struct bpf_idr_entry *entry, size_t kind,
		       const struct kfacts *facts)
{
	const char *name;

	if (bpf_idr_state(idr, entry) != BPF_IDR_HERE)
		return false;
	name = kfacts_enum_name(facts, "bpf_map_type",
				(int64_t)view_uint(&idr->view, entry->image, MAP_TYPE));
	return name && strcmp(name, kinds[kind].map) == 0;
}

static struct kt_error *add_places(struct bpf_net *net, const struct view *view,
				   const uint8_t *image, uint32_t map_id)
{
	struct kt_error *err = NULL;

	for (unsigned int i = 0; i < N_TYPES && !err; i++) {
		struct net_place place = {
			.section = NET_SOCKMAP,
			.ns = LIST_NOBODY,
			.dev = LIST_NOBODY,
			.name = LIST_NOBODY,
			.order = (size_t)map_id * N_TYPES + i,
			.prog = view_uint(view, image, i),
			.link = view_uint(view, image, N_TYPES + i),
			.map_id = {true, map_id},
		};

		if (!place.prog)
			continue;
		snprintf(place.kind, sizeof(place.kind), "%s", types[i]);
		err = net_place_add(net, &place);
	}
	return err;
}

static struct kt_error *read_kind(struct bpf_net *net, struct guest *guest,
				  const struct bpf_idr *idr, size_t kind)
{
	_cleanup_free_ gaddr_t *addrs = calloc(idr->n + 1, sizeof(*addrs));
	_cleanup_(objects_deinit) struct objects maps = {0};
	const struct gmem memory = guest_memory(guest);
	struct kt_error *err;
	struct view view;

	if (!addrs)
		return kt_error_no_memory();
	if (!view_try(&view, &kinds[kind].progs, guest_facts(guest)))
		return NULL;
	for (size_t i = 0; i < idr->n; i++)
		if (is_of_kind(idr, &idr->entries[i], kind, guest_facts(guest)))
			addrs[i] = idr->entries[i].addr;
	err = objects_read(&memory, &view, addrs, idr->n, &maps);
	for (size_t i = 0; i < idr->n && !err; i++) {
		const uint8_t *image = objects_image(&maps, i);

		net->n_damaged += addrs[i] && !image;
		if (image)
			err = add_places(net, &view, image, (uint32_t)idr->entries[i].index);
	}
	return err;
}

struct kt_error *net_sockmap_read(struct bpf_net *net, struct guest *guest)
{
	_cleanup_(bpf_idr_deinit) struct bpf_idr idr = {0};
	struct kt_error *err = bpf_idr_check(&map_idr, guest_facts(guest));

	if (!err)
		err = bpf_idr_read(guest, &map_idr, &idr);
	for (size_t kind = 0; kind < N_KINDS && !err; kind++)
		err = read_kind(net, guest, &idr, kind);
	if (!err)
		return NULL;
	switch (kt_error_code(err)) {
	case KT_ERROR_FAULT: net->n_damaged++; /* fall through */
	case KT_ERROR_NOT_FOUND:
	case KT_ERROR_UNSUPPORTED: kt_error_destroy(err); return NULL;
	default: return err;
	}
}
