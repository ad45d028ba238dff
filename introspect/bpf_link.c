// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each value of a link is at the end of a chain of pointers. All chains of all links are followed
 * at once, one batch a step.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_link.h"
#include "util/cleanup.h"
#include "util/cursor.h"

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

#define POINTER_SIZE 8 /* 64-bit kernels */
#define MAX_HOPS     4
#define TEXT_MAX     128 /* of a tracepoint's name, or an iterator's target */

struct hop {
	const char *type, *path;
};

enum value { VALUE_NUMBER, VALUE_TEXT };

enum detail_kind {
	DETAIL_PROG_ID,
	DETAIL_PROG_TYPE,
	DETAIL_ATTACH_TYPE,
	DETAIL_TP_NAME,
	DETAIL_TARGET_NAME,
	DETAIL_TRAMPOLINE_KEY,
	DETAIL_CGROUP_ID,
	DETAIL_NETNS_INO,
	DETAIL_IFINDEX,
	DETAIL_MAP_ID,
	DETAIL_FUNC_CNT,
};

/*
 * One value, and the members that lead from the link to it. The first member is of bpf_link, or of
 * the structure around it, which begins with bpf_link. If there are several rows for one value, the
 * first one counts that this kernel has.
 */
struct detail {
	const char *link; /* the type of link, without BPF_LINK_TYPE_; NULL: all */
	enum detail_kind kind;
	enum value value;
	struct hop hops[MAX_HOPS];
};

static const struct detail details[] = {
	{NULL,
	 DETAIL_PROG_ID,
	 VALUE_NUMBER,
	 {{"bpf_link", "prog"}, {"bpf_prog", "aux"}, {"bpf_prog_aux", "id"}}},
	{NULL, DETAIL_PROG_TYPE, VALUE_NUMBER, {{"bpf_link", "prog"}, {"bpf_prog", "type"}}},
	/* In each type's own structure up to 6.16, in bpf_link since 6.17. */
	{"TRACING", DETAIL_ATTACH_TYPE, VALUE_NUMBER, {{"bpf_link", "attach_type"}}},
	{"TRACING", DETAIL_ATTACH_TYPE, VALUE_NUMBER, {{"bpf_tracing_link", "attach_type"}}},
	{"TRACING",
	 DETAIL_TRAMPOLINE_KEY,
	 VALUE_NUMBER,
	 {{"bpf_tracing_link", "trampoline"}, {"bpf_trampoline", "key"}}},
	{"RAW_TRACEPOINT",
	 DETAIL_TP_NAME,
	 VALUE_TEXT,
	 {{"bpf_raw_tp_link", "btp"}, {"bpf_raw_event_map", "tp"}, {"tracepoint", "name"}}},
	{"CGROUP", DETAIL_ATTACH_TYPE, VALUE_NUMBER, {{"bpf_link", "attach_type"}}},
	{"CGROUP", DETAIL_ATTACH_TYPE, VALUE_NUMBER, {{"bpf_cgroup_link", "type"}}},
	{"CGROUP",
	 DETAIL_CGROUP_ID,
	 VALUE_NUMBER,
	 {{"bpf_cgroup_link", "cgroup"}, {"cgroup", "kn"}, {"kernfs_node", "id"}}},
	{"ITER",
	 DETAIL_TARGET_NAME,
	 VALUE_TEXT,
	 {{"bpf_iter_link", "tinfo"},
	  {"bpf_iter_target_info", "reg_info"},
	  {"bpf_iter_reg", "target"}}},
	{"NETNS", DETAIL_ATTACH_TYPE, VALUE_NUMBER, {{"bpf_link", "attach_type"}}},
	{"NETNS", DETAIL_ATTACH_TYPE, VALUE_NUMBER, {{"bpf_netns_link", "type"}}},
	{"NETNS", DETAIL_NETNS_INO, VALUE_NUMBER, {{"bpf_netns_link", "net"}, {"net", "ns.inum"}}},
	{"XDP", DETAIL_IFINDEX, VALUE_NUMBER, {{"bpf_xdp_link", "dev"}, {"net_device", "ifindex"}}},
	{"STRUCT_OPS",
	 DETAIL_MAP_ID,
	 VALUE_NUMBER,
	 {{"bpf_struct_ops_link", "map"}, {"bpf_map", "id"}}},
	{"TCX", DETAIL_ATTACH_TYPE, VALUE_NUMBER, {{"bpf_link", "attach_type"}}},
	{"TCX", DETAIL_ATTACH_TYPE, VALUE_NUMBER, {{"tcx_link", "location"}}},
	{"TCX", DETAIL_IFINDEX, VALUE_NUMBER, {{"tcx_link", "dev"}, {"net_device", "ifindex"}}},
	{"KPROBE_MULTI", DETAIL_FUNC_CNT, VALUE_NUMBER, {{"bpf_kprobe_multi_link", "cnt"}}},
};
#define N_DETAILS (sizeof(details) / sizeof(details[0]))

/* One value of one link, on the way there. */
struct chain {
	const struct detail *detail;
	size_t link;  /* in the IDR */
	gaddr_t addr; /* of the structure that has the next member */
	bool alive;   /* so far, everything could be read */
	size_t piece; /* in the batch */
	uint64_t value;
	uint8_t raw[POINTER_SIZE];
	char *text;
};

struct bpf_links {
	struct bpf_idr idr;
	KT_VEC(struct chain) chains;
	bool big_endian;
};

bool bpf_links_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_DETAILS; i++)
		for (size_t h = 0; h < MAX_HOPS && details[i].hops[h].type; h++)
			if (!wants_add(wants, KFACTS_MEMBER, details[i].hops[h].type,
				       details[i].hops[h].path, true))
				return false;
	return bpf_idr_wants(&link_idr, wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_link_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_prog_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_attach_type", NULL, true);
}

struct kt_error *bpf_links_check(const struct kfacts *facts)
{
	return bpf_idr_check(&link_idr, facts);
}

static bool kernel_has(const struct kfacts *facts, const struct detail *detail)
{
	struct kfacts_member member;

	for (size_t h = 0; h < MAX_HOPS && detail->hops[h].type; h++)
		if (!kfacts_member(facts, detail->hops[h].type, detail->hops[h].path, &member) ||
		    member.size > POINTER_SIZE || !member.size)
			return false;
	return true;
}

static bool applies(const struct detail *detail, const char *type)
{
	static const char prefix[] = "BPF_LINK_TYPE_";

	return !detail->link || (type && strncmp(type, prefix, sizeof(prefix) - 1) == 0 &&
				 strcmp(type + sizeof(prefix) - 1, detail->link) == 0);
}

/* Adds a chain for each value of one link: the first row that this kernel has. */
static struct kt_error *begin_chains(const struct kfacts *facts, struct bpf_links *links, size_t i)
{
	const struct bpf_idr_entry *entry = &links->idr.entries[i];
	const char *type = kfacts_enum_name(facts, "bpf_link_type",
					    (int64_t)view_uint(&links->idr.view, entry->image,
							       LINK_TYPE));
	unsigned int found = 0;

	for (size_t d = 0; d < N_DETAILS; d++) {
		struct chain chain = {
			.detail = &details[d], .link = i, .addr = entry->addr, .alive = true};

		if (found & 1u << details[d].kind || !applies(&details[d], type) ||
		    !kernel_has(facts, &details[d]))
			continue;
		found |= 1u << details[d].kind;
		if (!kt_vec_push(&links->chains, chain))
			return kt_error_no_memory();
	}
	return NULL;
}

static bool is_over(const struct chain *chain, size_t hop)
{
	return hop >= MAX_HOPS || !chain->detail->hops[hop].type;
}

static uint64_t load(const uint8_t *raw, const struct kfacts_member *member, bool big_endian)
{
	uint64_t value = kt_load_uint(raw, member->size, big_endian);

	if (member->bit_size && member->bit_size < 64)
		value = value >> member->bit_shift & ((UINT64_C(1) << member->bit_size) - 1);
	return value;
}

/* Reads the member of this hop of all chains that have one. */
static struct kt_error *step(struct guest *guest, struct bpf_links *links, size_t hop)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct kfacts *facts = guest_facts(guest);
	struct kfacts_member member;
	struct kt_error *err;

	for (size_t i = 0; i < links->chains.len; i++) {
		struct chain *c = &links->chains.data[i];

		if (!c->alive || is_over(c, hop))
			continue;
		kfacts_member(facts, c->detail->hops[hop].type, c->detail->hops[hop].path, &member);
		c->piece = batch.reads.len;
		if (!gmem_batch_add(&batch, c->addr + member.offset, c->raw, member.size))
			return kt_error_no_memory();
	}
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < links->chains.len && !err; i++) {
		struct chain *c = &links->chains.data[i];

		if (!c->alive || is_over(c, hop))
			continue;
		kfacts_member(facts, c->detail->hops[hop].type, c->detail->hops[hop].path, &member);
		c->value = load(c->raw, &member, links->big_endian);
		c->addr = c->value;
		c->alive = !batch.reads.data[c->piece].fault &&
			   (c->addr || is_over(c, hop + 1)); /* not a null pointer */
	}
	return err;
}

/*
 * Reads the strings in two pieces each, up to the end of the page and behind it: a string may end
 * in the last page that is mapped.
 */
static struct kt_error *read_texts(struct guest *guest, struct bpf_links *links)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	for (size_t i = 0; i < links->chains.len; i++) {
		struct chain *c = &links->chains.data[i];
		size_t first = 4096 - (size_t)(c->addr & 4095);

		if (!c->alive || c->detail->value != VALUE_TEXT)
			continue;
		first = first < TEXT_MAX ? first : TEXT_MAX;
		c->text = calloc(1, TEXT_MAX + 1);
		c->piece = batch.reads.len;
		if (!c->text || !gmem_batch_add(&batch, c->addr, c->text, first) ||
		    !gmem_batch_add(&batch, c->addr + first, c->text + first, TEXT_MAX - first))
			return kt_error_no_memory();
	}
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < links->chains.len && !err; i++) {
		struct chain *c = &links->chains.data[i];
		const struct gmem_read *read;

		if (!c->alive || !c->text)
			continue;
		read = &batch.reads.data[c->piece];
		c->alive = !read->fault && (memchr(c->text, '\0', read->len) ||
					    (read->len < TEXT_MAX && !read[1].fault &&
					     memchr(c->text, '\0', TEXT_MAX)));
	}
	return err;
}

static struct kt_error *read_all(struct guest *guest, struct bpf_links *links)
{
	const struct kfacts *facts = guest_facts(guest);
	struct kt_error *err = bpf_idr_read(guest, &link_idr, &links->idr);

	for (size_t i = 0; i < links->idr.n && !err; i++)
		if (bpf_idr_state(&links->idr, &links->idr.entries[i]) == BPF_IDR_HERE)
			err = begin_chains(facts, links, i);
	for (size_t hop = 0; hop < MAX_HOPS && !err; hop++)
		err = step(guest, links, hop);
	return err ? err : read_texts(guest, links);
}

struct kt_error *bpf_links_read(struct guest *guest, struct bpf_links **ret)
{
	struct bpf_links *links = calloc(1, sizeof(*links));
	struct kt_error *err;

	if (!links)
		return kt_error_no_memory();
	links->big_endian = kfacts_kernel(guest_facts(guest))->big_endian;
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
	for (size_t i = 0; i < links->chains.len; i++)
		free(links->chains.data[i].text);
	kt_vec_free(&links->chains);
	bpf_idr_deinit(&links->idr);
	free(links);
}

/* bpf_trampoline_compute_key(): the object's ID, a bit that is set for BTF, the type's ID. */
static void set_target(struct link *link, uint64_t key)
{
	link->target_obj_id = (struct program_number){true, key >> 32};
	link->target_btf_id = (struct program_number){true, key & 0x7fffffff};
}

static struct kt_error *take_text(const char *text, char **ret)
{
	*ret = strdup(text);
	return *ret ? NULL : kt_error_no_memory();
}

static struct kt_error *chain_finish(const struct chain *c, const struct kfacts *facts,
				     struct link *link)
{
	struct program_number number = {.known = true, .value = c->value};

	switch (c->detail->kind) {
	case DETAIL_PROG_ID: link->prog_id = number; return NULL;
	case DETAIL_CGROUP_ID: link->cgroup_id = number; return NULL;
	case DETAIL_NETNS_INO: link->netns_ino = number; return NULL;
	case DETAIL_IFINDEX: link->ifindex = number; return NULL;
	case DETAIL_MAP_ID: link->map_id = number; return NULL;
	case DETAIL_FUNC_CNT: link->func_cnt = number; return NULL;
	case DETAIL_TRAMPOLINE_KEY: set_target(link, c->value); return NULL;
	case DETAIL_TP_NAME: return take_text(c->text, &link->tp_name);
	case DETAIL_TARGET_NAME: return take_text(c->text, &link->target_name);
	case DETAIL_PROG_TYPE:
		return bpf_enum_text(facts, "bpf_prog_type", "BPF_PROG_TYPE_", c->value,
				     &link->prog_type);
	case DETAIL_ATTACH_TYPE:
		return bpf_enum_text(facts, "bpf_attach_type", "BPF_", c->value,
				     &link->attach_type);
	}
	return NULL;
}

static struct kt_error *links_finish(const struct bpf_links *links, const struct kfacts *facts,
				     struct links *out)
{
	const struct view *view = &links->idr.view;
	const struct chain *c = links->chains.data, *end = c + links->chains.len;

	for (size_t i = 0; i < links->idr.n; i++) {
		const struct bpf_idr_entry *entry = &links->idr.entries[i];
		enum bpf_idr_state state = bpf_idr_state(&links->idr, entry);
		struct kt_error *err;
		struct link *link;

		out->n_unreadable += state == BPF_IDR_UNREADABLE;
		if (state != BPF_IDR_HERE)
			continue;
		link = &out->all[out->n++];
		link->id = (uint32_t)entry->index;
		err = bpf_enum_text(facts, "bpf_link_type", "BPF_LINK_TYPE_",
				    view_uint(view, entry->image, LINK_TYPE), &link->type);
		for (; c < end && c->link == i && !err; c++)
			if (c->alive)
				err = chain_finish(c, facts, link);
		if (err)
			return err;
	}
	return NULL;
}

struct kt_error *bpf_links_finish(const struct bpf_links *links, const struct kfacts *facts,
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
