// SPDX-License-Identifier: LGPL-2.1-or-later
/* LPM tries (kernel/bpf/lpm_trie.c). Walked by level; a node's children have longer prefixes. */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_dump_impl.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define PREFIX_LEN_SIZE 4 /* struct bpf_lpm_trie_key begins with the length of the prefix */
#define NODES_MAX       (4u << 20)
#define INTERMEDIATE    1 /* LPM_TREE_NODE_FLAG_IM: a fork that nobody put in */

static const struct view_field trie_fields[] = {{.path = "root"}};
static const struct view_type trie_view = VIEW_TYPE("lpm_trie", trie_fields);

enum { NODE_CHILD, NODE_PREFIX, NODE_FLAGS };
static const struct view_field node_fields[] = {
	[NODE_CHILD] = {.path = "child", .max = 2 * MAP_POINTER_SIZE},
	[NODE_PREFIX] = {.path = "prefixlen"},
	[NODE_FLAGS] = {.path = "flags"},
};
static const struct view_type node_view = VIEW_TYPE("lpm_trie_node", node_fields);

bool map_trie_wants(struct wants *wants)
{
	return view_wants(&trie_view, wants) && view_wants(&node_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "lpm_trie_node", "data", true);
}

struct node {
	gaddr_t addr;
	int64_t above; /* length of its parent's prefix; -1 for the root */
};

struct nodes {
	KT_VEC(struct node) v;
};

static void nodes_deinit(struct nodes *nodes)
{
	kt_vec_free(&nodes->v);
}

struct trie {
	struct view node;
	uint32_t data;    /* offset of a node's */
	size_t key_bytes; /* of the prefix itself */
	uint64_t left;    /* of the nodes that it may have */
};

/* The node as an entry, unless it is a fork. */
static struct kt_error *take(struct map_walk *walk, const struct trie *trie, const uint8_t *image)
{
	const uint8_t *data = image + trie->node.size;
	size_t i = walk->out->n;
	uint64_t prefix = view_uint(&trie->node, image, NODE_PREFIX);

	if (view_uint(&trie->node, image, NODE_FLAGS) & INTERMEDIATE ||
	    (walk->order->max_entries && i == walk->order->max_entries))
		return NULL;
	if (!map_walk_grow(walk, 1))
		return kt_error_no_memory();
	for (size_t b = 0; b < PREFIX_LEN_SIZE; b++)
		map_walk_key(walk, i)[walk->out->big_endian ? PREFIX_LEN_SIZE - 1 - b : b] =
			(uint8_t)(prefix >> 8 * b);
	memcpy(map_walk_key(walk, i) + PREFIX_LEN_SIZE, data, trie->key_bytes);
	memcpy(map_walk_value(walk, i), data + trie->key_bytes, walk->out->value_len);
	return NULL;
}

/* Reads a level; what is below it goes to *below. Longer prefixes below end any circle. */
static struct kt_error *read_level(struct map_walk *walk, struct trie *trie,
				   const struct nodes *level, struct nodes *below)
{
	size_t size = trie->node.size + trie->key_bytes + walk->out->value_len;
	size_t pieces = trie->node.n_spans + 1, len = 0;
	_cleanup_free_ uint8_t *images = calloc(level->v.len + 1, size);
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < level->v.len; i++)
		if (!images ||
		    !view_read(&trie->node, &batch, level->v.data[i].addr, images + i * size) ||
		    !gmem_batch_add(&batch, level->v.data[i].addr + trie->data,
				    images + i * size + trie->node.size, size - trie->node.size))
			return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < level->v.len && !err; i++) {
		const uint8_t *image = images + i * size;
		int64_t prefix = (int64_t)view_uint(&trie->node, image, NODE_PREFIX);
		const uint8_t *child = view_bytes(&trie->node, image, NODE_CHILD, &len);

		if (gmem_batch_fault(&batch, i * pieces, (i + 1) * pieces) ||
		    prefix <= level->v.data[i].above || prefix > (int64_t)trie->key_bytes * 8) {
			walk->out->n_unreadable++;
			continue;
		}
		err = take(walk, trie, image);
		for (size_t c = 0; c + MAP_POINTER_SIZE <= len && !err; c += MAP_POINTER_SIZE) {
			gaddr_t addr = kt_load_uint(child + c, MAP_POINTER_SIZE,
						    walk->out->big_endian);

			if (!addr)
				continue;
			if (!trie->left) {
				walk->out->n_unreadable++;
				return NULL;
			}
			trie->left--;
			if (!kt_vec_push(&below->v, (struct node){addr, prefix}))
				return kt_error_no_memory();
		}
	}
	return err;
}

/* In one stop, whatever its size: nodes come and go, and none has a place of its own. */
struct kt_error *map_trie_read(struct map_walk *walk)
{
	const struct kfacts *facts = guest_facts(walk->guest);
	_cleanup_(object_deinit) struct object object = {0};
	_cleanup_(nodes_deinit) struct nodes level = {0};
	struct gmem memory = guest_memory(walk->guest);
	struct trie trie = {0};
	struct kfacts_member data;
	struct view view;
	gaddr_t root;
	struct kt_error *err = view_init(&view, &trie_view, facts);

	if (!err)
		err = view_init(&trie.node, &node_view, facts);
	if (!err && !kfacts_member(facts, "lpm_trie_node", "data", &data))
		err = kt_error_new(KT_ERROR_NOT_FOUND,
				   "this kernel's struct lpm_trie_node has no data");
	if (!err)
		err = object_read(&object, &view, walk->addr, &memory);
	if (err)
		return err;
	if (!object.known)
		return map_walk_fault(walk, "it is not mapped in the guest");
	if (walk->key_size <= PREFIX_LEN_SIZE)
		return map_walk_senseless(walk, "its keys are too short");
	trie.data = data.offset;
	trie.key_bytes = (size_t)walk->key_size - PREFIX_LEN_SIZE;
	/* A fork for each entry but one. */
	trie.left = walk->max_entries * 2 < NODES_MAX ? walk->max_entries * 2 : NODES_MAX;
	root = view_uint(&view, object.image, 0);
	if (root && !kt_vec_push(&level.v, (struct node){root, -1}))
		return kt_error_no_memory();
	while (level.v.len && !err) {
		_cleanup_(nodes_deinit) struct nodes below = {0};
		struct nodes done = level;

		err = read_level(walk, &trie, &level, &below);
		level = below;
		below = done;
	}
	walk->out->done = true;
	return err;
}
