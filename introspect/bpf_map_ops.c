// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Maps of struct_ops (kernel/bpf/bpf_struct_ops.c). The value is what user space put in, with the
 * state that the kernel keeps in a copy of its own, and how often it is used. Its type is the
 * kernel's, or a module's.
 */
#include <stdlib.h>

#include "introspect/bpf_map_dump_impl.h"
#include "util/cleanup.h"

enum {
	OPS_REFCNT,
	OPS_USERCNT,
	OPS_UVALUE,
	OPS_STATE,
	OPS_OLD_STATE,
	OPS_OLD_REFCNT,
	OPS_BTF,
	OPS_TYPE
};
static const struct view_field ops_fields[] = {
	[OPS_REFCNT] = {.path = "map.refcnt.counter"},
	[OPS_USERCNT] = {.path = "map.usercnt.counter"},
	[OPS_UVALUE] = {.path = "uvalue"},
	[OPS_STATE] = {.path = "kvalue.common.state", .optional = true}, /* since 6.9 */
	[OPS_OLD_STATE] = {.path = "kvalue.state", .optional = true},
	[OPS_OLD_REFCNT] = {.path = "kvalue.refcnt.refs.counter", .optional = true},
	[OPS_BTF] = {.path = "btf", .optional = true}, /* since 6.9 */
	[OPS_TYPE] = {.path = "map.btf_vmlinux_value_type_id", .optional = true},
};
static const struct view_type ops_view = VIEW_TYPE("bpf_struct_ops_map", ops_fields);

#define VALUE     "bpf_struct_ops_value"
#define INITIAL   0 /* BPF_STRUCT_OPS_STATE_INIT */
#define KERNEL_ID 1 /* of the kernel's own BTF, which is made before any other */

bool map_ops_wants(struct wants *wants)
{
	return view_wants(&ops_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, VALUE, "common.state", true) &&
	       wants_add(wants, KFACTS_MEMBER, VALUE, "common.refcnt", true) &&
	       wants_add(wants, KFACTS_MEMBER, VALUE, "state", true) &&
	       wants_add(wants, KFACTS_MEMBER, VALUE, "refcnt", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_struct_ops_link", "map", true) &&
	       wants_add(wants, KFACTS_MEMBER, "btf", "id", true);
}

static void put(struct map_walk *walk, const char *path, const char *old_path, uint64_t number)
{
	const struct kfacts *facts = guest_facts(walk->guest);
	struct kfacts_member member;

	if ((kfacts_member(facts, VALUE, path, &member) ||
	     kfacts_member(facts, VALUE, old_path, &member)) &&
	    member.size == 4 && member.offset <= walk->out->value_len &&
	    walk->out->value_len - member.offset >= 4)
		map_walk_store(map_walk_value(walk, 0) + member.offset, number, 4,
			       walk->out->big_endian);
}

/*
 * Up to 6.3 the kernel's copy counts its users; since then the map does, but for those of user
 * space (commit b671c2067a04), and there are links of struct_ops.
 */
static uint64_t users(const struct map_walk *walk, const struct view *view, const uint8_t *image)
{
	struct kfacts_member link;
	int64_t n;

	if (!kfacts_member(guest_facts(walk->guest), "bpf_struct_ops_link", "map", &link))
		return view_uint(view, image, OPS_OLD_REFCNT);
	n = (int64_t)view_uint(view, image, OPS_REFCNT) -
	    (int64_t)view_uint(view, image, OPS_USERCNT);
	return n > 0 ? (uint64_t)n : 0;
}

/* What the value's type is, and in which BTF object. */
static struct kt_error *find_type(struct map_walk *walk, const struct view *view,
				  const uint8_t *image)
{
	uint64_t btf = view_uint(view, image, OPS_BTF), id = KERNEL_ID;
	struct kt_error *err = NULL;
	bool there = true;

	if (btf)
		err = map_walk_numbers(walk, "btf", "id", &btf, &id, &there, 1);
	if (err || !there || !id)
		return err;
	free(kt_take_ptr(walk->out->btf)); /* its own has the type as the program was built with */
	walk->out->key_type = 0;
	walk->out->types_btf_id = (uint32_t)id;
	walk->out->value_type = (uint32_t)view_uint(view, image, OPS_TYPE);
	return NULL;
}

struct kt_error *map_ops_read(struct map_walk *walk)
{
	_cleanup_(object_deinit) struct object object = {0};
	struct view view;
	uint64_t state;
	gaddr_t value;
	struct kt_error *err = map_walk_head(walk, &ops_view, NULL, &view, &object, NULL);

	if (err)
		return err;
	if (walk->key_size != 4 || walk->max_entries != 1)
		return map_walk_senseless(walk, "it is no struct_ops");
	if (!map_walk_grow(walk, 1))
		return kt_error_no_memory();
	walk->out->done = true;
	err = find_type(walk, &view, object.image);
	state = view_uint(&view, object.image,
			  view_has(&view, OPS_STATE) ? OPS_STATE : OPS_OLD_STATE);
	if (err || state == INITIAL)
		return err;
	value = view_uint(&view, object.image, OPS_UVALUE);
	err = map_walk_values(walk, 0, &value);
	put(walk, "common.state", "state", state);
	put(walk, "common.refcnt", "refcnt", users(walk, &view, object.image));
	return err;
}
