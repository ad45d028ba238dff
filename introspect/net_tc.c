// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Filters of tc that are BPF programs (cls_bpf): of each device its qdiscs, of each qdisc its block
 * of chains, of each chain its protocols, and of those of kind "bpf" the programs. Where a qdisc
 * has its block, and what cls_bpf has, is private to them, and as a rule to a module
 * (module_types.h). Classes of some qdiscs have blocks of their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/module_types.h"
#include "introspect/net_impl.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define MAX_QDISCS  100000
#define MAX_FILTERS 100000
#define MAX_CLASSES 100000
/* Heads of a qdisc's hash of classes, and of all together: classes have 16 bits. */
#define MAX_HASH  65536
#define MAX_HEADS 262144

enum { Q_NEXT, Q_OPS, Q_HANDLE };
static const struct view_field qdisc_fields[] = {
	[Q_NEXT] = {.path = "hash.next"},
	[Q_OPS] = {.path = "ops"},
	[Q_HANDLE] = {.path = "handle"},
};
static const struct view_type qdisc_view = VIEW_TYPE("Qdisc", qdisc_fields);
static const struct list_type qdisc_list = {&qdisc_view, Q_NEXT, .node = "hash"};

static const struct view_field qops_fields[] = {{.path = "id", .max = 16}};
static const struct view_type qops_view = VIEW_TYPE("Qdisc_ops", qops_fields);

static const struct view_field queue_fields[] = {{.path = "qdisc_sleeping"}};
static const struct view_type queue_view = VIEW_TYPE("netdev_queue", queue_fields);

static const struct view_field block_fields[] = {{.path = "chain_list.next"}};
static const struct view_type block_view = VIEW_TYPE("tcf_block", block_fields);

enum { CHAIN_NEXT, CHAIN_FIRST, CHAIN_INDEX };
static const struct view_field chain_fields[] = {
	[CHAIN_NEXT] = {.path = "list.next"},
	[CHAIN_FIRST] = {.path = "filter_chain"},
	[CHAIN_INDEX] = {.path = "index"},
};
static const struct view_type chain_view = VIEW_TYPE("tcf_chain", chain_fields);
static const struct list_type chain_list = {&chain_view, CHAIN_NEXT, .node = "list"};

enum { TP_NEXT, TP_ROOT, TP_PROTOCOL, TP_PRIO, TP_OPS };
static const struct view_field proto_fields[] = {
	[TP_NEXT] = {.path = "next"},         [TP_ROOT] = {.path = "root"},
	[TP_PROTOCOL] = {.path = "protocol"}, [TP_PRIO] = {.path = "prio"},
	[TP_OPS] = {.path = "ops"},
};
static const struct view_type proto_view = VIEW_TYPE("tcf_proto", proto_fields);
static const struct list_type proto_list = {.view = &proto_view, .next = TP_NEXT};

static const struct view_field tops_fields[] = {{.path = "kind", .max = 16}};
static const struct view_type tops_view = VIEW_TYPE("tcf_proto_ops", tops_fields);

/* cls_bpf's own. */
static const struct view_field head_fields[] = {{.path = "plist"}};
static const struct view_type head_view = VIEW_TYPE("cls_bpf_head", head_fields);
enum { F_NEXT, F_PROG, F_NAME, F_OPS, F_HANDLE, F_DIRECT };
static const struct view_field filter_fields[] = {
	[F_NEXT] = {.path = "link"},
	[F_PROG] = {.path = "filter"},
	[F_NAME] = {.path = "bpf_name"},
	[F_OPS] = {.path = "bpf_ops"}, /* the instructions of a classic one */
	[F_HANDLE] = {.path = "handle"},
	[F_DIRECT] = {.path = "exts_integrated"},
};
static const struct view_type filter_view = VIEW_TYPE("cls_bpf_prog", filter_fields);
static const struct list_type filter_list = {&filter_view, F_NEXT, .node = "link"};

/* Where each kind of qdisc has its blocks. kind: as bpftool has it, NULL: the qdisc's. */
static const struct {
	const char *qdisc, *module, *type, *member, *kind;
} blocks[] = {
	{"clsact", "sch_ingress", "clsact_sched_data", "ingress_block", "clsact/ingress"},
	{"clsact", "sch_ingress", "clsact_sched_data", "egress_block", "clsact/egress"},
	{"ingress", "sch_ingress", "ingress_sched_data", "block", NULL},
	{"cake", "sch_cake", "cake_sched_data", "block", NULL},
	{"drr", "sch_drr", "drr_sched", "block", NULL},
	{"dualpi2", "sch_dualpi2", "dualpi2_sched_data", "tcf_block", NULL},
	{"ets", "sch_ets", "ets_sched", "block", NULL},
	{"fq_codel", "sch_fq_codel", "fq_codel_sched_data", "block", NULL},
	{"htb", "sch_htb", "htb_sched", "block", NULL},
	{"multiq", "sch_multiq", "multiq_sched_data", "block", NULL},
	{"prio", "sch_prio", "prio_sched_data", "block", NULL},
	{"qfq", "sch_qfq", "qfq_sched", "block", NULL},
	{"sfb", "sch_sfb", "sfb_sched_data", "block", NULL},
	{"sfq", "sch_sfq", "sfq_sched_data", "block", NULL},
};
#define N_CLSACT 2
#define N_BLOCKS (sizeof(blocks) / sizeof(blocks[0]))

/* Whose classes have blocks: the qdisc has a hash of them, `clhash`, which they are in by `common`.
 */
static const struct {
	const char *qdisc, *module, *sched, *type, *common;
} classes[] = {
	{"cbq", "sch_cbq", "cbq_sched_data", "cbq_class", "common"}, /* up to 6.2 */
	{"hfsc", "sch_hfsc", "hfsc_sched", "hfsc_class", "cl_common"},
	{"htb", "sch_htb", "htb_sched", "htb_class", "common"},
};
#define N_CLASSES (sizeof(classes) / sizeof(classes[0]))

/* The next class is found in `common`; class_member() tells where that is. */
enum { CLASS_NEXT, CLASS_BLOCK };
static const struct view_field class_fields[] = {
	[CLASS_NEXT] = {.path = "next"},
	[CLASS_BLOCK] = {.path = "block"},
};
static const struct view_type class_view = VIEW_TYPE("class", class_fields);
static const struct list_type class_list = {&class_view, CLASS_NEXT, .node = "common"};

static const struct module_member members[] = {
	{"cls_bpf", "cls_bpf_head", "plist", 8},
	{"cls_bpf", "cls_bpf_prog", "link", 8},
	{"cls_bpf", "cls_bpf_prog", "filter", 8},
	{"cls_bpf", "cls_bpf_prog", "bpf_name", 8},
	{"cls_bpf", "cls_bpf_prog", "bpf_ops", 8},
	{"cls_bpf", "cls_bpf_prog", "handle", 4},
	{"cls_bpf", "cls_bpf_prog", "exts_integrated", 1},
	{"sch_ingress", "clsact_sched_data", "ingress_block", 8},
	{"sch_ingress", "clsact_sched_data", "egress_block", 8},
	{"sch_ingress", "ingress_sched_data", "block", 8},
	{"sch_cake", "cake_sched_data", "block", 8},
	{"sch_cbq", "cbq_sched_data", "clhash", 8},
	{"sch_cbq", "cbq_class", "common", 8},
	{"sch_cbq", "cbq_class", "block", 8},
	{"sch_drr", "drr_sched", "block", 8},
	{"sch_dualpi2", "dualpi2_sched_data", "tcf_block", 8},
	{"sch_ets", "ets_sched", "block", 8},
	{"sch_fq_codel", "fq_codel_sched_data", "block", 8},
	{"sch_hfsc", "hfsc_sched", "clhash", 8},
	{"sch_hfsc", "hfsc_class", "cl_common", 8},
	{"sch_hfsc", "hfsc_class", "block", 8},
	{"sch_htb", "htb_sched", "block", 8},
	{"sch_htb", "htb_sched", "clhash", 8},
	{"sch_htb", "htb_class", "common", 8},
	{"sch_htb", "htb_class", "block", 8},
	{"sch_multiq", "multiq_sched_data", "block", 8},
	{"sch_prio", "prio_sched_data", "block", 8},
	{"sch_qfq", "qfq_sched", "block", 8},
	{"sch_sfb", "sfb_sched_data", "block", 8},
	{"sch_sfq", "sfq_sched_data", "block", 8},
};
#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

bool net_tc_wants(struct wants *wants)
{
	return list_wants(&qdisc_list, wants) && view_wants(&qops_view, wants) &&
	       view_wants(&queue_view, wants) && view_wants(&block_view, wants) &&
	       list_wants(&chain_list, wants) && list_wants(&proto_list, wants) &&
	       view_wants(&tops_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "Qdisc", "privdata", true) &&
	       wants_add(wants, KFACTS_MEMBER, "tcf_block", "chain_list", true) &&
	       wants_add(wants, KFACTS_MEMBER, "Qdisc_class_hash", "hash", true) &&
	       wants_add(wants, KFACTS_MEMBER, "Qdisc_class_hash", "hashsize", true) &&
	       wants_add(wants, KFACTS_MEMBER, "Qdisc_class_common", "hnode", true) &&
	       wants_add(wants, KFACTS_MEMBER, "Qdisc_class_common", "hnode.next", true) &&
	       module_types_wants(members, N_MEMBERS, wants);
}

struct qdisc {
	size_t dev;
	gaddr_t addr;
	struct object self, ops;
	char id[17];
};

/* A qdisc's pointer to a block, and the block itself, once for all that share it. */
struct use {
	size_t qdisc, which; /* which: in blocks[]; N_BLOCKS: it is of a class */
	gaddr_t block;
	uint8_t raw[NET_POINTER_SIZE];
	size_t piece;
};

struct tc {
	struct bpf_net *net;
	struct guest *guest;
	struct gmem memory;
	struct module_types types;
	struct view qdisc, qops, queue, block, tops;
	uint32_t privdata, chain_head;
	KT_VEC(struct qdisc) qdiscs;
	KT_VEC(struct use) uses; /* by block */
	/* Owners: of chains the first of uses that has the block; of protocols chains. */
	struct lists hashed, chains, protos, filters;
	struct lists classes[N_CLASSES]; /* owners are qdiscs */
	struct object *blocks;           /* of each use; only of the first of a block */
};

static void tc_deinit(struct tc *tc)
{
	module_types_deinit(&tc->types);
	kt_vec_for_each (&tc->qdiscs, q) {
		object_deinit(&q->self);
		object_deinit(&q->ops);
	}
	kt_vec_free(&tc->qdiscs);
	for (size_t i = 0; tc->blocks && i < tc->uses.len; i++)
		object_deinit(&tc->blocks[i]);
	free(tc->blocks);
	kt_vec_free(&tc->uses);
	lists_deinit(&tc->hashed);
	lists_deinit(&tc->chains);
	lists_deinit(&tc->protos);
	lists_deinit(&tc->filters);
	for (size_t c = 0; c < N_CLASSES; c++)
		lists_deinit(&tc->classes[c]);
}

/* False: this kernel has no tc, or nothing tells how it lays it out. */
static bool prepare(struct tc *tc)
{
	const struct kfacts *facts = guest_facts(tc->guest);
	struct kfacts_member privdata, chains;

	if (!view_try(&tc->qdisc, &qdisc_view, facts) || !view_try(&tc->qops, &qops_view, facts) ||
	    !view_try(&tc->queue, &queue_view, facts) ||
	    !view_try(&tc->block, &block_view, facts) || !view_try(&tc->tops, &tops_view, facts) ||
	    !lists_init(&tc->hashed, &qdisc_list, facts, MAX_QDISCS) ||
	    !lists_init(&tc->chains, &chain_list, facts, MAX_FILTERS) ||
	    !lists_init(&tc->protos, &proto_list, facts, MAX_FILTERS) ||
	    !kfacts_member(facts, "Qdisc", "privdata", &privdata) ||
	    !kfacts_member(facts, "tcf_block", "chain_list", &chains))
		return false;
	tc->privdata = privdata.offset;
	tc->chain_head = chains.offset;
	return true;
}

/* --- qdiscs: a device's root, the one behind its ingress, and those of its hash --- */

static struct kt_error *find_hashed(struct tc *tc)
{
	const struct lists *devices = &tc->net->devices;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < devices->items.len && !err; i++)
		for (size_t k = 0; k < 16 && !err; k++)
			err = lists_add(&tc->hashed, i, 0,
					net_pointer(&devices->view, devices->items.data[i].image,
						    DEV_QDISC_HASH, k));
	if (!err)
		err = lists_read(&tc->hashed, &tc->memory);
	kt_vec_for_each (&tc->hashed.items, item)
		if (!kt_vec_push(&tc->qdiscs,
				 (struct qdisc){.dev = item->owner, .addr = item->addr}))
			return kt_error_no_memory();
	return err;
}

static struct kt_error *find_ingress(struct tc *tc)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct lists *devices = &tc->net->devices;
	size_t n = devices->items.len;
	struct object *queues = calloc(n + 1, sizeof(*queues));
	struct kt_error *err = queues ? NULL : kt_error_no_memory();

	for (size_t i = 0; i < n && !err; i++)
		err = object_begin(&queues[i], &tc->queue,
				   view_uint(&devices->view, devices->items.data[i].image,
					     DEV_INGRESS_QUEUE),
				   &batch);
	if (!err && batch.reads.len)
		err = guest_read(tc->guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		gaddr_t addr;

		object_end(&queues[i], &batch);
		addr = queues[i].known ? view_uint(&tc->queue, queues[i].image, 0) : 0;
		if (addr && !kt_vec_push(&tc->qdiscs, (struct qdisc){.dev = i, .addr = addr}))
			err = kt_error_no_memory();
	}
	for (size_t i = 0; queues && i < n; i++)
		object_deinit(&queues[i]);
	free(queues);
	return err;
}

static struct kt_error *read_qdiscs(struct tc *tc)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0}, more = {0};
	struct kt_error *err = NULL;

	kt_vec_for_each (&tc->qdiscs, q)
		if (!err)
			err = object_begin(&q->self, &tc->qdisc, q->addr, &batch);
	if (!err && batch.reads.len)
		err = guest_read(tc->guest, &batch);
	kt_vec_for_each (&tc->qdiscs, q) {
		object_end(&q->self, &batch);
		if (!err && q->self.known)
			err = object_begin(&q->ops, &tc->qops,
					   view_uint(&tc->qdisc, q->self.image, Q_OPS), &more);
	}
	if (!err && more.reads.len)
		err = guest_read(tc->guest, &more);
	kt_vec_for_each (&tc->qdiscs, q) {
		size_t len = 0;
		const void *id;

		object_end(&q->ops, &more);
		id = q->ops.known ? view_bytes(&tc->qops, q->ops.image, 0, &len) : NULL;
		if (id)
			memcpy(q->id, id, len);
	}
	return err;
}

static struct kt_error *find_qdiscs(struct tc *tc)
{
	const struct lists *devices = &tc->net->devices;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < devices->items.len; i++) {
		gaddr_t root = view_uint(&devices->view, devices->items.data[i].image, DEV_QDISC);

		if (root && !kt_vec_push(&tc->qdiscs, (struct qdisc){.dev = i, .addr = root}))
			return kt_error_no_memory();
	}
	err = find_hashed(tc);
	if (!err)
		err = find_ingress(tc);
	return err ? err : read_qdiscs(tc);
}

/* --- modules --- */

static bool has_qdisc(const struct tc *tc, const char *id)
{
	for (size_t i = 0; i < tc->qdiscs.len; i++)
		if (strcmp(tc->qdiscs.data[i].id, id) == 0)
			return true;
	return false;
}

static bool is_among(const char *const *modules, size_t n, const char *module)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(modules[i], module) == 0)
			return true;
	return false;
}

/* Members that these qdiscs need, of modules whose types are not known yet. */
static struct kt_error *learn_qdiscs(struct tc *tc)
{
	const char *modules[N_BLOCKS + N_CLASSES];
	struct kfacts_member place;
	size_t n = 0;

	for (size_t c = 0; c < N_CLASSES; c++)
		if (has_qdisc(tc, classes[c].qdisc) &&
		    !module_types_member(&tc->types, classes[c].type, "block", &place))
			modules[n++] = classes[c].module;

	for (size_t b = 0; b < N_BLOCKS; b++)
		if (has_qdisc(tc, blocks[b].qdisc) &&
		    !module_types_member(&tc->types, blocks[b].type, blocks[b].member, &place) &&
		    !is_among(modules, n, blocks[b].module))
			modules[n++] = blocks[b].module;
	return n ? module_types_read(&tc->types, tc->guest, modules, n) : NULL;
}

/* --- blocks, chains, protocols --- */

static int by_block(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->qdisc != y->qdisc ? (x->qdisc > y->qdisc) - (x->qdisc < y->qdisc)
				    : (x->which > y->which) - (x->which < y->which);
}

/* The pointers to blocks in the qdiscs' private parts. */
static struct kt_error *find_blocks(struct tc *tc)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kfacts_member place;
	struct kt_error *err;

	for (size_t i = 0; i < tc->qdiscs.len; i++)
		for (size_t b = 0; b < N_BLOCKS; b++) {
			if (strcmp(tc->qdiscs.data[i].id, blocks[b].qdisc) != 0)
				continue;
			if (!module_types_member(&tc->types, blocks[b].type, blocks[b].member,
						 &place)) {
				tc->net->n_unknown++;
				continue;
			}
			if (!kt_vec_push(&tc->uses, (struct use){.qdisc = i,
								 .which = b,
								 .block = place.offset}))
				return kt_error_no_memory();
		}
	/* No push any more: raw stays where it is. */
	kt_vec_for_each (&tc->uses, use)
		if (!gmem_batch_add(&batch,
				    tc->qdiscs.data[use->qdisc].addr + tc->privdata + use->block,
				    use->raw, sizeof(use->raw)))
			return kt_error_no_memory();
	err = batch.reads.len ? guest_read(tc->guest, &batch) : NULL;
	for (size_t i = 0; i < tc->uses.len && !err; i++) {
		struct use *use = &tc->uses.data[i];

		tc->net->n_damaged += batch.reads.data[i].fault;
		use->block = batch.reads.data[i].fault ? 0
						       : kt_load_uint(use->raw, sizeof(use->raw),
								      tc->qdisc.big_endian);
	}
	return err;
}

/* --- classes --- */

/* Where classes[c] has what class_view names. */
struct class_layout {
	const struct tc *tc;
	size_t c;
};

static bool class_member(const void *arg, const char *type, const char *path,
			 struct kfacts_member *ret)
{
	const struct class_layout *layout = arg;
	const struct kfacts *facts = guest_facts(layout->tc->guest);
	struct kfacts_member common;

	(void)type;
	if (strcmp(path, "block") == 0)
		return module_types_member(&layout->tc->types, classes[layout->c].type, "block",
					   ret);
	if (!module_types_member(&layout->tc->types, classes[layout->c].type,
				 classes[layout->c].common, &common) ||
	    !kfacts_member(facts, "Qdisc_class_common", "hnode.next", ret))
		return false;
	ret->offset += common.offset;
	return true;
}

/* False: nothing tells how these classes lie. *hash_ret: where a qdisc has its hash. */
static bool classes_init(struct tc *tc, size_t c, uint32_t *hash_ret)
{
	const struct class_layout layout = {tc, c};
	const struct kfacts *facts = guest_facts(tc->guest);
	struct kfacts_member common, hnode, hash, other;
	struct view view;

	if (!kfacts_member(facts, "Qdisc_class_hash", "hash", &other) ||
	    !kfacts_member(facts, "Qdisc_class_hash", "hashsize", &other) ||
	    !view_try_by(&view, &class_view, tc->qdisc.big_endian, class_member, &layout) ||
	    !module_types_member(&tc->types, classes[c].type, classes[c].common, &common) ||
	    !module_types_member(&tc->types, classes[c].sched, "clhash", &hash) ||
	    !kfacts_member(facts, "Qdisc_class_common", "hnode", &hnode))
		return false;
	tc->classes[c] = (struct lists){.type = &class_list,
					.view = view,
					.node_offset = common.offset + hnode.offset,
					.max = MAX_CLASSES};
	*hash_ret = hash.offset;
	return true;
}

/* A qdisc's hash of classes. */
struct hash {
	size_t qdisc, c;
	gaddr_t at;
	uint8_t heads[NET_POINTER_SIZE], size[4];
	size_t n;
	uint8_t *array;
};

struct hashes {
	KT_VEC(struct hash) v;
};

static void hashes_deinit(struct hashes *hashes)
{
	kt_vec_for_each (&hashes->v, hash)
		free(hash->array);
	kt_vec_free(&hashes->v);
}

static struct kt_error *find_hashes(struct tc *tc, struct hashes *ret)
{
	for (size_t c = 0; c < N_CLASSES; c++) {
		uint32_t offset = 0;
		bool known = classes_init(tc, c, &offset);

		for (size_t i = 0; i < tc->qdiscs.len; i++) {
			struct hash hash = {.qdisc = i, .c = c};

			if (strcmp(tc->qdiscs.data[i].id, classes[c].qdisc) != 0)
				continue;
			hash.at = tc->qdiscs.data[i].addr + tc->privdata + offset;
			tc->net->n_unknown += !known;
			if (known && !kt_vec_push(&ret->v, hash))
				return kt_error_no_memory();
		}
	}
	return NULL;
}

/* Where the heads are, and how many. */
static struct kt_error *read_hashes(struct tc *tc, struct hashes *hashes)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct kfacts *facts = guest_facts(tc->guest);
	struct kfacts_member heads, size;
	size_t left = MAX_HEADS, piece = 0;
	struct kt_error *err;

	if (!hashes->v.len || !kfacts_member(facts, "Qdisc_class_hash", "hash", &heads) ||
	    !kfacts_member(facts, "Qdisc_class_hash", "hashsize", &size))
		return NULL;
	kt_vec_for_each (&hashes->v, hash)
		if (!gmem_batch_add(&batch, hash->at + heads.offset, hash->heads,
				    sizeof(hash->heads)) ||
		    !gmem_batch_add(&batch, hash->at + size.offset, hash->size, sizeof(hash->size)))
			return kt_error_no_memory();
	err = guest_read(tc->guest, &batch);
	if (err)
		return err;
	kt_vec_for_each (&hashes->v, hash) {
		bool damaged = gmem_batch_fault(&batch, piece, piece + 2);

		piece += 2;
		hash->at = kt_load_uint(hash->heads, sizeof(hash->heads), tc->qdisc.big_endian);
		hash->n = kt_load_uint(hash->size, sizeof(hash->size), tc->qdisc.big_endian);
		if (damaged || hash->n > MAX_HASH || hash->n > left) {
			tc->net->n_damaged++;
			hash->n = 0;
		}
		left -= hash->n;
	}
	return NULL;
}

static struct kt_error *read_heads(struct tc *tc, struct hashes *hashes)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t piece = 0;
	struct kt_error *err;

	kt_vec_for_each (&hashes->v, hash) {
		hash->array = calloc(hash->n + 1, NET_POINTER_SIZE);
		if (!hash->array ||
		    !gmem_batch_add(&batch, hash->at, hash->array, hash->n * NET_POINTER_SIZE))
			return kt_error_no_memory();
	}
	err = batch.reads.len ? guest_read(tc->guest, &batch) : NULL;
	kt_vec_for_each (&hashes->v, hash) {
		if (err || !hash->n)
			continue;
		if (batch.reads.data[piece++].fault) {
			tc->net->n_damaged++;
			continue;
		}
		for (size_t i = 0; i < hash->n && !err; i++)
			err = lists_add(&tc->classes[hash->c], hash->qdisc, 0,
					kt_load_uint(hash->array + i * NET_POINTER_SIZE,
						     NET_POINTER_SIZE, tc->qdisc.big_endian));
	}
	return err;
}

/* The blocks of classes. */
static struct kt_error *find_classes(struct tc *tc)
{
	_cleanup_(hashes_deinit) struct hashes hashes = {0};
	struct kt_error *err = find_hashes(tc, &hashes);

	if (!err)
		err = read_hashes(tc, &hashes);
	if (!err)
		err = read_heads(tc, &hashes);
	for (size_t c = 0; c < N_CLASSES && !err; c++) {
		struct lists *lists = &tc->classes[c];

		if (!lists->type)
			continue;
		err = lists_read(lists, &tc->memory);
		tc->net->n_damaged += lists->n_damaged;
		for (size_t i = 0; i < lists->items.len && !err; i++) {
			const struct list_item *item = &lists->items.data[i];
			struct use use = {.qdisc = item->owner, .which = N_BLOCKS};

			use.block = view_uint(&lists->view, item->image, CLASS_BLOCK);
			if (use.block && !kt_vec_push(&tc->uses, use))
				err = kt_error_no_memory();
		}
	}
	if (!err && tc->uses.len)
		qsort(tc->uses.data, tc->uses.len, sizeof(*tc->uses.data), by_block);
	return err;
}

/* --- what is in blocks --- */

/* Several qdiscs may share a block: the first use stands for it. */
static bool is_first_use(const struct tc *tc, size_t i)
{
	return tc->uses.data[i].block &&
	       (!i || tc->uses.data[i].block != tc->uses.data[i - 1].block);
}

static struct kt_error *read_chains(struct tc *tc)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	tc->blocks = calloc(tc->uses.len + 1, sizeof(*tc->blocks));
	if (!tc->blocks)
		return kt_error_no_memory();
	for (size_t i = 0; i < tc->uses.len && !err; i++)
		if (is_first_use(tc, i))
			err = object_begin(&tc->blocks[i], &tc->block, tc->uses.data[i].block,
					   &batch);
	if (!err && batch.reads.len)
		err = guest_read(tc->guest, &batch);
	for (size_t i = 0; i < tc->uses.len && !err; i++) {
		if (!is_first_use(tc, i))
			continue;
		object_end(&tc->blocks[i], &batch);
		if (tc->blocks[i].known)
			err = lists_add(&tc->chains, i, tc->uses.data[i].block + tc->chain_head,
					view_uint(&tc->block, tc->blocks[i].image, 0));
		else
			tc->net->n_damaged++;
	}
	if (!err)
		err = lists_read(&tc->chains, &tc->memory);
	for (size_t i = 0; i < tc->chains.items.len && !err; i++)
		err = lists_add(&tc->protos, i, 0,
				view_uint(&tc->chains.view, tc->chains.items.data[i].image,
					  CHAIN_FIRST));
	return err ? err : lists_read(&tc->protos, &tc->memory);
}

/* --- cls_bpf --- */

/* *is_bpf of each protocol, which the caller frees. */
static struct kt_error *find_bpf(struct tc *tc, bool **ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t n = tc->protos.items.len, size = tc->tops.size, spans = tc->tops.n_spans;
	_cleanup_free_ uint8_t *images = calloc(n + 1, size + 1);
	bool *is_bpf = calloc(n + 1, sizeof(*is_bpf));
	struct kt_error *err = NULL;

	*ret = is_bpf;
	if (!images || !is_bpf)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (!view_read(&tc->tops, &batch,
			       view_uint(&tc->protos.view, tc->protos.items.data[i].image, TP_OPS),
			       images + i * size))
			return kt_error_no_memory();
	if (n)
		err = guest_read(tc->guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		const char *kind;
		size_t len = 0;

		kind = view_bytes(&tc->tops, images + i * size, 0, &len);
		is_bpf[i] = !gmem_batch_fault(&batch, i * spans, (i + 1) * spans) && len >= 4 &&
			    memcmp(kind, "bpf", 4) == 0;
	}
	return err;
}

/* The heads of cls_bpf, which lead to its filters; owners are protocols. */
static struct kt_error *read_filters(struct tc *tc, const bool *is_bpf)
{
	static const char *const module[] = {"cls_bpf"};
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t n = tc->protos.items.len, n_bpf = 0;
	struct object *heads = NULL;
	struct kfacts_member link, plist;
	struct kt_error *err = NULL;
	struct view view, head;

	for (size_t i = 0; i < n; i++)
		n_bpf += is_bpf[i];
	if (!n_bpf)
		return NULL;
	if (!module_types_member(&tc->types, "cls_bpf_head", "plist", &plist))
		err = module_types_read(&tc->types, tc->guest, module, 1);
	if (err)
		return err;
	if (!module_types_member(&tc->types, "cls_bpf_head", "plist", &plist) ||
	    !module_types_member(&tc->types, "cls_bpf_prog", "link", &link) ||
	    !view_try_by(&head, &head_view, tc->qdisc.big_endian, module_types_member,
			 &tc->types) ||
	    !view_try_by(&view, &filter_view, tc->qdisc.big_endian, module_types_member,
			 &tc->types)) {
		tc->net->n_unknown += n_bpf;
		return NULL;
	}
	tc->filters = (struct lists){
		.type = &filter_list, .view = view, .node_offset = link.offset, .max = MAX_FILTERS};
	heads = calloc(n + 1, sizeof(*heads));
	if (!heads)
		return kt_error_no_memory();
	for (size_t i = 0; i < n && !err; i++)
		if (is_bpf[i])
			err = object_begin(&heads[i], &head,
					   view_uint(&tc->protos.view,
						     tc->protos.items.data[i].image, TP_ROOT),
					   &batch);
	if (!err && batch.reads.len)
		err = guest_read(tc->guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		gaddr_t root = view_uint(&tc->protos.view, tc->protos.items.data[i].image, TP_ROOT);

		object_end(&heads[i], &batch);
		if (heads[i].known)
			err = lists_add(&tc->filters, i, root + plist.offset,
					view_uint(&head, heads[i].image, 0));
	}
	for (size_t i = 0; i < n; i++)
		object_deinit(&heads[i]);
	free(heads);
	return err ? err : lists_read(&tc->filters, &tc->memory);
}

static struct program_number known(uint64_t value)
{
	return (struct program_number){.known = true, .value = value};
}

/* A filter, at one of the places that have its block. */
static struct kt_error *add_filter(struct tc *tc, size_t filter, const struct use *use)
{
	const struct list_item *item = &tc->filters.items.data[filter];
	const struct list_item *proto = &tc->protos.items.data[item->owner];
	const struct list_item *chain = &tc->chains.items.data[proto->owner];
	const struct qdisc *q = &tc->qdiscs.data[use->qdisc];
	const char *kind = use->which < N_BLOCKS ? blocks[use->which].kind : NULL;
	const struct view *view = &tc->filters.view;
	gaddr_t name = view_uint(view, item->image, F_NAME);
	uint64_t protocol = view_uint(&tc->protos.view, proto->image, TP_PROTOCOL);
	struct net_place place = {
		.section = NET_TC,
		.ns = tc->net->devices.items.data[q->dev].owner,
		.dev = q->dev,
		/* tcx and netkit before it, the qdiscs, then clsact. */
		.order = ((use->which < N_CLSACT ? N_BLOCKS + use->which : use->which) + 1) *
				 NET_MAX_ATTACHMENTS +
			 tc->net->places.len,
		.prog = view_uint(view, item->image, F_PROG),
		.name = LIST_NOBODY,
		.chain = known(view_uint(&tc->chains.view, chain->image, CHAIN_INDEX)),
		.prio = known(view_uint(&tc->protos.view, proto->image, TP_PRIO) >> 16),
		/* It is in the network's byte order. */
		.protocol = known(tc->qdisc.big_endian ? protocol
						       : (protocol << 8 | protocol >> 8) & 0xffff),
		.handle = known(view_uint(view, item->image, F_HANDLE)),
		.direct_action = known(view_uint(view, item->image, F_DIRECT) != 0),
		.classic = known(view_uint(view, item->image, F_OPS) != 0),
	};

	/* The kernel makes a program of a classic filter, too, but it has no ID. */
	if (place.classic.value)
		place.prog = 0;
	if (name) {
		place.name = tc->net->names.len;
		if (!kt_vec_push(&tc->net->names, (struct cstring){.addr = name}))
			return kt_error_no_memory();
	}
	snprintf(place.kind, sizeof(place.kind), "%s", kind ? kind : q->id);
	return net_place_add(tc->net, &place);
}

/* For each use of a block its filters, chain by chain, as they are asked. */
struct order {
	size_t use, filter;
	uint64_t chain;
	size_t proto;
};

static int by_order(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->use != y->use)
		return x->use < y->use ? -1 : 1;
	if (x->chain != y->chain)
		return x->chain < y->chain ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	return (x->filter > y->filter) - (x->filter < y->filter);
}

static struct kt_error *add_filters(struct tc *tc)
{
	struct {
		KT_VEC(struct order) v;
	} found = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < tc->filters.items.len && !err; i++) {
		size_t proto = tc->filters.items.data[i].owner;
		const struct list_item *chain =
			&tc->chains.items.data[tc->protos.items.data[proto].owner];
		gaddr_t block = tc->uses.data[chain->owner].block;

		for (size_t u = chain->owner; u < tc->uses.len && !err; u++) {
			if (tc->uses.data[u].block != block || found.v.len >= NET_MAX_ATTACHMENTS)
				break;
			if (!kt_vec_push(&found.v,
					 (struct order){.use = u,
							.filter = i,
							.chain = view_uint(&tc->chains.view,
									   chain->image,
									   CHAIN_INDEX),
							.proto = proto}))
				err = kt_error_no_memory();
		}
	}
	if (found.v.len)
		qsort(found.v.data, found.v.len, sizeof(*found.v.data), by_order);
	kt_vec_for_each (&found.v, o)
		if (!err)
			err = add_filter(tc, o->filter, &tc->uses.data[o->use]);
	kt_vec_free(&found.v);
	return err;
}

struct kt_error *net_tc_read(struct bpf_net *net, struct guest *guest)
{
	_cleanup_(tc_deinit) struct tc tc = {
		.net = net, .guest = guest, .memory = guest_memory(guest)};
	_cleanup_free_ bool *is_bpf = NULL;
	struct kt_error *err;

	if (!prepare(&tc))
		return NULL;
	err = module_types_init(&tc.types, members, N_MEMBERS, guest_facts(guest));
	if (!err)
		err = find_qdiscs(&tc);
	if (!err)
		err = learn_qdiscs(&tc);
	if (!err)
		err = find_blocks(&tc);
	if (!err)
		err = find_classes(&tc);
	if (!err)
		err = read_chains(&tc);
	if (!err)
		err = find_bpf(&tc, &is_bpf);
	if (!err)
		err = read_filters(&tc, is_bpf);
	net->n_damaged += tc.hashed.n_damaged + tc.chains.n_damaged + tc.protos.n_damaged +
			  tc.filters.n_damaged;
	return err ? err : add_filters(&tc);
}
