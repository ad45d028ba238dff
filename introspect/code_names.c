// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/code_names.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define TREE "bpf_tree"
/* A red-black tree is at most twice as deep as a balanced one of as many nodes. */
#define MAX_DEPTH 64
/* KSYM_NAME_LEN since 6.1 */
#define NAME_MAX_LEN 512

/* A latch tree is two trees over the same objects: while one is changed, the other one is whole. */
enum { ROOT_TREES, ROOT_SEQ, ROOT_SEQ_PLAIN };
static const struct view_field root_fields[] = {
	[ROOT_TREES] = {.path = "tree", .max = 16},
	[ROOT_SEQ] = {.path = "seq.seqcount.sequence", .optional = true}, /* since 5.10 */
	[ROOT_SEQ_PLAIN] = {.path = "seq.sequence", .optional = true},
};
static const struct view_type root_type = VIEW_TYPE("latch_tree_root", root_fields);

enum { KSYM_START, KSYM_END, KSYM_NODES, KSYM_NAME };
static const struct view_field ksym_fields[] = {
	[KSYM_START] = {.path = "start"},
	[KSYM_END] = {.path = "end"},
	[KSYM_NODES] = {.path = "tnode.node", .max = 64},
	[KSYM_NAME] = {.path = "name", .max = NAME_MAX_LEN},
};
static const struct view_type ksym_type = VIEW_TYPE("bpf_ksym", ksym_fields);

bool code_names_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_SYMBOL, TREE, NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "rb_node", "rb_left", true) &&
	       wants_add(wants, KFACTS_MEMBER, "rb_node", "rb_right", true) &&
	       view_wants(&root_type, wants) && view_wants(&ksym_type, wants) &&
	       module_symbols_wants(wants);
}

/* The tree that is whole. */
struct tree {
	struct view view;
	size_t node;        /* of bpf_ksym, its offset */
	size_t in_nodes;    /* the same in KSYM_NODES */
	size_t left, right; /* in that */
	gaddr_t root;
};

/* False: this kernel has no such tree, or other ones. */
static bool tree_init(struct tree *tree, const struct kfacts *facts)
{
	struct kfacts_member left, right;
	size_t size;

	if (!view_try(&tree->view, &ksym_type, facts) ||
	    !kfacts_member(facts, "rb_node", "rb_left", &left) ||
	    !kfacts_member(facts, "rb_node", "rb_right", &right))
		return false;
	tree->left = left.offset;
	tree->right = right.offset;
	size = tree->view.fields[KSYM_NODES].len / 2;
	return size >= 8 && tree->left <= size - 8 && tree->right <= size - 8;
}

static struct kt_error *find_root(struct guest *guest, struct tree *tree)
{
	const struct kfacts *facts = guest_facts(guest);
	const struct gmem memory = guest_memory(guest);
	_cleanup_(object_deinit) struct object root = {0};
	const uint8_t *trees;
	struct kt_error *err;
	struct view view;
	gaddr_t addr;
	size_t which, len = 0;

	if (!view_try(&view, &root_type, facts) || !guest_symbol(guest, TREE, &addr))
		return NULL;
	err = object_read(&root, &view, addr, &memory);
	if (err || !root.known)
		return err;
	which = view_uint(&view, root.image,
			  view_has(&view, ROOT_SEQ) ? ROOT_SEQ : ROOT_SEQ_PLAIN) &
		1;
	trees = view_bytes(&view, root.image, ROOT_TREES, &len);
	if (len != 16)
		return NULL;
	tree->root = kt_load_uint(trees + which * 8, 8, view.big_endian);
	tree->in_nodes = which * (tree->view.fields[KSYM_NODES].len / 2);
	tree->node = tree->view.fields[KSYM_NODES].member.offset + tree->in_nodes;
	return NULL;
}

/* What is there, or where to go on: a node, or 0. */
static struct kt_error *visit(const struct tree *tree, const uint8_t *image,
			      struct module_symbol *symbol, gaddr_t *next_ret)
{
	uint64_t start = view_uint(&tree->view, image, KSYM_START);
	size_t len = 0, name_len = 0;
	const uint8_t *node = view_bytes(&tree->view, image, KSYM_NODES, &len);
	const char *name = view_bytes(&tree->view, image, KSYM_NAME, &name_len);

	node += tree->in_nodes;
	*next_ret = 0;
	if (symbol->addr < start) {
		*next_ret = kt_load_uint(node + tree->left, 8, tree->view.big_endian);
		return NULL;
	}
	/* As the kernel has it: what the last call of a program returns to is in it, too. */
	if (symbol->addr > view_uint(&tree->view, image, KSYM_END)) {
		*next_ret = kt_load_uint(node + tree->right, 8, tree->view.big_endian);
		return NULL;
	}
	len = strnlen(name, name_len);
	if (!len || len == name_len)
		return NULL;
	symbol->start = start;
	symbol->name = strndup(name, len);
	return symbol->name ? NULL : kt_error_no_memory();
}

/* All addresses go down at once, a level for each round trip. */
static struct kt_error *go_down(struct guest *guest, const struct tree *tree, gaddr_t *at,
				struct module_symbol *symbols, size_t n, bool *more_ret)
{
	const struct gmem memory = guest_memory(guest);
	_cleanup_(objects_deinit) struct objects objects = {0};
	struct kt_error *err = objects_read(&memory, &tree->view, at, n, &objects);

	*more_ret = false;
	for (size_t i = 0; i < n && !err; i++) {
		const uint8_t *image = objects_image(&objects, i);
		gaddr_t next = 0;

		if (image)
			err = visit(tree, image, &symbols[i], &next);
		at[i] = next ? next - tree->node : 0;
		*more_ret |= next != 0;
	}
	return err;
}

static struct kt_error *read_bpf(struct guest *guest, struct module_symbol *symbols, size_t n)
{
	_cleanup_free_ gaddr_t *at = calloc(n, sizeof(*at));
	struct tree tree = {0};
	struct kt_error *err;
	bool more;

	if (!at)
		return kt_error_no_memory();
	if (!tree_init(&tree, guest_facts(guest)))
		return NULL;
	err = find_root(guest, &tree);
	for (size_t i = 0; i < n; i++)
		at[i] = tree.root ? tree.root - tree.node : 0;
	more = tree.root;
	for (size_t i = 0; i < MAX_DEPTH && more && !err; i++)
		err = go_down(guest, &tree, at, symbols, n, &more);
	return err;
}

/* Those that have no name yet. */
static struct kt_error *read_modules(struct guest *guest, struct module_symbol *symbols, size_t n)
{
	_cleanup_free_ struct module_symbol *left = calloc(n, sizeof(*left));
	struct kt_error *err;
	size_t n_left = 0;

	if (!left)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (!symbols[i].name)
			left[n_left++].addr = symbols[i].addr;
	err = module_symbols_read(guest, left, n_left);
	for (size_t i = 0, at = 0; i < n; i++)
		if (!symbols[i].name)
			symbols[i] = left[at++];
	return err;
}

struct kt_error *code_names_read(struct guest *guest, struct module_symbol *symbols, size_t n)
{
	struct kt_error *err;

	if (!n)
		return NULL;
	err = read_bpf(guest, symbols, n);
	return err ? err : read_modules(guest, symbols, n);
}

struct kt_error *code_names_of(struct guest *guest, const uint64_t *addrs, size_t n,
			       struct code_names *ret)
{
	struct code_names names = {.all = calloc(n + 1, sizeof(*names.all)), .n = n};
	struct kt_error *err;

	if (!names.all)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		names.all[i].addr = addrs[i];
	err = code_names_read(guest, names.all, n);
	if (err) {
		code_names_deinit(&names);
		return err;
	}
	*ret = names;
	return NULL;
}
