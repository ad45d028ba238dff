// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What Debian 13's static libelf (0.192) lacks: two functions of elfutils' internal libeu,
 * which elf_begin() and elf_end() call for a tree that only elf_getdata_rawchunk() fills.
 * libbpf never calls that, so the tree, whose first member is its root, stays empty. Weak:
 * a library that is complete wins.
 */
#include <stddef.h>

struct search_tree {
	void *root;
};

void eu_search_tree_init(struct search_tree *tree) __attribute__((weak));
void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *)) __attribute__((weak));

void eu_search_tree_init(struct search_tree *tree)
{
	tree->root = NULL;
}

void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *))
{
	(void)tree;
	(void)free_node;
}
