// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/last_lost.h"

/* bpf_helper_changes_pkt_data() of Linux 5.10 to 7.3, and kfuncs that do the same. */
static const char *const changes_packet[] = {
	"bpf_skb_vlan_push",       "bpf_skb_vlan_pop",    "bpf_skb_store_bytes",
	"bpf_skb_change_proto",    "bpf_skb_change_head", "bpf_skb_change_tail",
	"bpf_skb_adjust_room",     "bpf_skb_pull_data",   "bpf_clone_redirect",
	"bpf_l3_csum_replace",     "bpf_l4_csum_replace", "bpf_xdp_adjust_head",
	"bpf_xdp_adjust_meta",     "bpf_xdp_adjust_tail", "bpf_xdp_store_bytes",
	"bpf_xdp_pull_data",       "bpf_msg_pull_data",   "bpf_msg_push_data",
	"bpf_msg_pop_data",        "bpf_lwt_push_encap",  "bpf_lwt_seg6_store_bytes",
	"bpf_lwt_seg6_adjust_srh", "bpf_lwt_seg6_action", "bpf_store_hdr_opt",
	"bpf_dynptr_write",        "bpf_tail_call",       NULL,
};

/* "bpf_sk_release", "bpf_ringbuf_submit", "bpf_task_release", "bpf_obj_drop_impl", ... */
static const char *const releases[] = {
	"_release", "_submit",    "_discard", "_drop",       "_destroy",    "_put",
	"put_file", "_kptr_xchg", "_free",    "_list_push_", "_rbtree_add", NULL,
};

static const char *const ends_section[] = {
	"_preempt_enable",
	"_local_irq_restore",
	"_rcu_read_unlock",
	"_spin_unlock",
	"_rbtree_remove",
	"_list_pop_",
	NULL,
};

/* They take nothing, whatever else is not known. */
static const char *const harmless[] = {
	"bpf_map_lookup_elem", "bpf_get_",          "bpf_probe_",
	"bpf_trace_",          "bpf_ktime_",        "bpf_snprintf",
	"bpf_dynptr_data",     "bpf_dynptr_slice",  "bpf_dynptr_size",
	"bpf_dynptr_is_",      "bpf_dynptr_read",   "bpf_rcu_read_lock",
	"bpf_sk_lookup_",      "bpf_ringbuf_query", NULL,
};

static bool contains(struct kt_text text, const char *what)
{
	return text.len && memmem(text.data, text.len, what, strlen(what));
}

unsigned kt_lost_takes(struct kt_text name)
{
	unsigned ret = 0;

	if (!name.len)
		return KT_TAKES_PACKET; /* a global function may change the packet; since 6.13 */
	for (size_t i = 0; changes_packet[i]; i++)
		if (name.len == strlen(changes_packet[i]) &&
		    !memcmp(name.data, changes_packet[i], name.len))
			ret |= KT_TAKES_PACKET;
	for (size_t i = 0; releases[i]; i++)
		if (contains(name, releases[i]))
			ret |= KT_TAKES_OBJECT;
	for (size_t i = 0; ends_section[i]; i++)
		if (contains(name, ends_section[i]))
			ret |= KT_TAKES_SECTION;
	return ret;
}

/*
 * What may have taken a value:
 *	pkt(r=0), pkt_meta(), pkt_end()
 *	ptr_node_data(non_own_ref,...)		until the lock is given up
 *	rcu_ptr_task_struct()
 *	sock(ref_obj_id=2), ringbuf_mem(id=2,sz=8), ptr_or_null_task_struct(id=2,ref_obj_id=2)
 *	mem(sz=8), rdonly_mem(id=4,ref_obj_id=2,sz=4)	of a dynptr or an iterator
 */
static unsigned taken_by(struct kt_text value)
{
	struct kt_text type = kt_value_type(value);

	if (kt_text_starts_with(type, KT_TEXT("pkt")))
		return KT_TAKES_PACKET;
	if (contains(value, "non_own_ref") || contains(type, "rcu_"))
		return KT_TAKES_SECTION;
	if (kt_value_ref(value))
		return KT_TAKES_OBJECT;
	if (contains(type, "mem"))
		return KT_TAKES_PACKET | KT_TAKES_OBJECT;
	return KT_TAKES_OBJECT | KT_TAKES_SECTION;
}

void kt_lost_pass(struct kt_lost *lost, const struct kt_lost_call *call)
{
	lost->calls[lost->n++ % KT_LOST_CALLS] = *call;
}

static struct kt_text name_of(const struct kt_path *path, const struct kt_lost_call *call)
{
	struct kt_event ev;
	struct kt_op op;

	kt_path_read_step(path, &path->steps.data[call->step], &ev);
	kt_op_read(ev.insn, &op);
	return op.name;
}

/* What a place holds right before or right behind the call, and nearby. */
static bool value_at(const struct kt_path *path, const struct kt_lost_call *call,
		     enum kt_place kind, int32_t number, struct kt_text *ret)
{
	struct kt_path_value find = {
		.path = path,
		.place = {kind, number, 8, path->steps.data[call->step].frame},
		.step = call->step,
		.begin = call->step,
		.max = KT_PATH_NEAR,
	};

	return kt_path_find_value(&find, ret);
}

/*
 * Does the step write over a dynptr? That takes its slices:
 *	21: (73) *(u8 *)(r10 -16) = r7        ; R7=0 R10=fp0 fp-16=???????0
 *	51: (85) call bpf_dynptr_from_mem#197         ; fp-24=dynptr_local(id=3)
 */
static bool overwrites_dynptr(const struct kt_path *path, const struct kt_lost_call *call)
{
	struct kt_state_items it;
	struct kt_state_item item;
	struct kt_event ev;

	kt_path_read_step(path, &path->steps.data[call->step], &ev);
	kt_state_items_init(&it, ev.state);
	for (int n = 0; n < 8 && kt_state_items_next(&it, &item);) {
		struct kt_text before;

		if (item.place != KT_PLACE_SLOT)
			continue;
		n++;
		/* It has two slots, of which the lower one is printed. */
		for (int32_t slot = item.number; slot >= item.number - 8; slot -= 8)
			if (value_at(path, call, KT_PLACE_SLOT, slot, &before) &&
			    kt_text_starts_with(before, KT_TEXT("dynptr_")) &&
			    (slot != item.number || !kt_text_equals(before, item.value)))
				return !kt_text_starts_with(item.value, KT_TEXT("dynptr_")) ||
				       slot == item.number;
	}
	return false;
}

enum receipt {
	RECEIVES_IT,
	RECEIVES_OTHER,
	RECEIVES_UNKNOWN,
};

/* The number that links values that go together: of the reference, or else the value's own. */
static uint32_t link_of(struct kt_text value)
{
	return kt_value_ref(value) ? kt_value_ref(value) : kt_value_id(value);
}

/* Does an argument of the call come from where the value is, or does it have its reference? */
static enum receipt receives_by(const struct kt_path *path, const struct kt_lost_call *call,
				uint32_t reg, struct kt_text value)
{
	const struct kt_path_place *place = &call->place;
	const struct kt_path_step *step = &path->steps.data[call->step];
	struct kt_text arg;
	struct kt_event ev;
	struct kt_op op;

	if (link_of(value) && value_at(path, call, KT_PLACE_REG, (int32_t)reg, &arg) &&
	    link_of(arg) == link_of(value))
		return RECEIVES_IT;
	for (size_t i = call->step, n = 0; i && n < KT_PATH_NEAR; i--, n++) {
		const struct kt_path_step *s = &path->steps.data[i - 1];

		if (s->frame != step->frame || !(s->defs >> reg & 1))
			continue;
		if (step->frame != place->frame)
			return RECEIVES_UNKNOWN;
		kt_path_read_step(path, s, &ev);
		kt_op_read(ev.insn, &op);
		if (op.kind == KT_OP_COPY && place->kind == KT_PLACE_REG)
			return op.src == place->number ? RECEIVES_IT : RECEIVES_OTHER;
		if (op.kind == KT_OP_LOAD && place->kind == KT_PLACE_SLOT && op.base == 10)
			return op.offset == place->number ? RECEIVES_IT : RECEIVES_OTHER;
		return RECEIVES_UNKNOWN;
	}
	return RECEIVES_UNKNOWN;
}

static enum receipt receives(const struct kt_path *path, const struct kt_lost_call *call,
			     struct kt_text value)
{
	enum receipt first = receives_by(path, call, 1, value);

	/* bpf_kptr_xchg(), bpf_list_push_front_impl() and bpf_rbtree_add_impl() have it second. */
	if (first != RECEIVES_IT && receives_by(path, call, 2, value) == RECEIVES_IT)
		return RECEIVES_IT;
	/* What has slices is in a dynptr on the stack. */
	return first == RECEIVES_OTHER && contains(name_of(path, call), "_dynptr")
		       ? RECEIVES_UNKNOWN
		       : first;
}

enum chance {
	CHANCE_NONE,
	CHANCE_CALL,  /* nothing is known of the call */
	CHANCE_OTHER, /* it takes something, but rather something else */
	CHANCE_GOOD,
	CHANCE_SURE,
};

static enum chance chance_of(const struct kt_path *path, const struct kt_lost_call *call,
			     unsigned by, struct kt_text value)
{
	struct kt_text name;
	unsigned match;

	if (contains(kt_value_type(value), "mem") && overwrites_dynptr(path, call))
		return CHANCE_SURE;
	if (path->steps.data[call->step].defs != KT_STEP_CALL_DEFS)
		return CHANCE_NONE;
	name = name_of(path, call);
	match = by & kt_lost_takes(name);
	if (match & (KT_TAKES_PACKET | KT_TAKES_SECTION))
		return CHANCE_SURE;
	if (match) {
		switch (receives(path, call, value)) {
		case RECEIVES_IT: return CHANCE_SURE;
		case RECEIVES_UNKNOWN: return CHANCE_GOOD;
		case RECEIVES_OTHER: return CHANCE_OTHER;
		}
	}
	for (size_t i = 0; harmless[i]; i++)
		if (kt_text_starts_with(name, (struct kt_text){harmless[i], strlen(harmless[i])}))
			return CHANCE_NONE;
	return CHANCE_CALL;
}

/*
 * The call that took it: the first one in the order of execution of which that is likely, or the
 * only one of which it is possible. sure: the log does not say that it was taken at all.
 */
static const struct kt_lost_call *find_taker(const struct kt_lost *lost, const struct kt_path *path,
					     unsigned by, struct kt_text value, bool sure)
{
	size_t kept = lost->n < KT_LOST_CALLS ? lost->n : KT_LOST_CALLS;
	const struct kt_lost_call *only[CHANCE_SURE] = {0};
	size_t n[CHANCE_SURE] = {0};

	for (size_t i = 1; i <= kept; i++) {
		const struct kt_lost_call *call = &lost->calls[(lost->n - i) % KT_LOST_CALLS];
		enum chance chance = chance_of(path, call, by, value);

		if (chance == CHANCE_SURE || (chance == CHANCE_GOOD && !sure))
			return call;
		n[chance]++;
		only[chance] = call;
	}
	if (sure || lost->n > kept)
		return NULL;
	if (n[CHANCE_OTHER])
		return n[CHANCE_OTHER] == 1 ? only[CHANCE_OTHER] : NULL;
	return n[CHANCE_CALL] == 1 ? only[CHANCE_CALL] : NULL;
}

const struct kt_lost_call *kt_lost_see(struct kt_lost *lost, const struct kt_path *path,
				       struct kt_text value)
{
	enum kt_value_rank rank = kt_value_rank(value);
	int64_t n;

	/* The outcome of a check for NULL: a call makes an unknown scalar of what it takes. */
	if (kt_value_is_const(value, &n))
		lost->over = true;
	if (lost->over)
		return NULL;
	if (!lost->known || rank <= lost->now || rank <= KT_VALUE_SCALAR) {
		lost->known = true;
		lost->now = rank;
		lost->n = 0;
		lost->over = rank == KT_VALUE_POINTER;
		return NULL;
	}
	lost->over = true;
	return find_taker(lost, path, taken_by(value), value, false);
}

/*
 * "(61) r7 = *(u32 *)(r6 +76)": where data, data_end and data_meta are in struct __sk_buff and
 * struct xdp_md.
 */
static bool reads_packet_pointer(const struct kt_op *op)
{
	return op->kind == KT_OP_LOAD && op->size == 4 &&
	       (op->offset == 76 || op->offset == 80 || op->offset == 140 || op->offset == 0 ||
		op->offset == 4 || op->offset == 8);
}

const struct kt_lost_call *kt_lost_guess(struct kt_lost *lost, const struct kt_path *path,
					 const struct kt_op *set_by)
{
	unsigned by = reads_packet_pointer(set_by) ? KT_TAKES_PACKET : 0;

	if (lost->over || !lost->known || !lost->n)
		return NULL;
	lost->over = true;
	if (set_by->kind == KT_OP_CALL)
		by |= KT_TAKES_OBJECT;
	return find_taker(lost, path, by, (struct kt_text){0}, true);
}
