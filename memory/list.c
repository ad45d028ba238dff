// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "memory/list.h"
#include "util/cleanup.h"

bool list_wants(const struct list_type *type, struct wants *wants)
{
	const char *name = type->view->name;

	return view_wants(type->view, wants) &&
	       (!type->node || wants_add(wants, KFACTS_MEMBER, name, type->node, true)) &&
	       (!type->children_head ||
		wants_add(wants, KFACTS_MEMBER, name, type->children_head, true));
}

static bool offset_of(const struct list_type *type, const char *path, const struct kfacts *facts,
		      uint32_t *ret)
{
	struct kfacts_member member;

	if (!path)
		return true;
	if (!kfacts_member(facts, type->view->name, path, &member))
		return false;
	*ret = member.offset;
	return true;
}

bool lists_init(struct lists *ret, const struct list_type *type, const struct kfacts *facts,
		size_t max)
{
	*ret = (struct lists){.type = type, .max = max};
	return view_try(&ret->view, type->view, facts) &&
	       offset_of(type, type->node, facts, &ret->node_offset) &&
	       offset_of(type, type->children_head, facts, &ret->children_offset);
}

void lists_deinit(struct lists *lists)
{
	kt_vec_for_each (&lists->items, item)
		free(item->image);
	kt_vec_free(&lists->items);
	kt_vec_free(&lists->now.v);
	kt_vec_free(&lists->next.v);
	kt_vec_free(&lists->cut);
	seen_deinit(&lists->seen);
	*lists = (struct lists){0};
}

/* --- the walk --- */

static struct kt_error *go_on(struct lists *lists, const struct list_step *step)
{
	bool is_new = false;
	struct kt_error *err;

	if (lists->type->is_nulls && step->node & 1)
		return NULL;
	if (!step->node || step->node == step->head) {
		lists->n_damaged += !step->node && step->head; /* a list_head never leads to 0 */
		return NULL;
	}
	if (lists->seen.n >= lists->max) {
		lists->n_damaged++;
		return kt_vec_push(&lists->cut, step->owner) ? NULL : kt_error_no_memory();
	}
	err = seen_add(&lists->seen, step->node, &is_new);
	if (err)
		return err;
	if (!is_new) {
		lists->n_damaged += !step->is_both;
		return NULL;
	}
	return kt_vec_push(&lists->next.v, *step) ? NULL : kt_error_no_memory();
}

struct kt_error *lists_add(struct lists *lists, size_t owner, gaddr_t head, gaddr_t first)
{
	return go_on(lists, &(struct list_step){.owner = owner, .head = head, .node = first});
}

struct kt_error *lists_add_both(struct lists *lists, size_t owner, gaddr_t head, gaddr_t first,
				gaddr_t last)
{
	struct list_step step = {.owner = owner, .head = head, .node = first, .is_both = true};
	struct kt_error *err = go_on(lists, &step);

	step.node = last;
	step.is_back = true;
	return err ? err : go_on(lists, &step);
}

struct kt_error *lists_add_root(struct lists *lists, gaddr_t addr)
{
	return go_on(lists, &(struct list_step){.owner = LIST_NOBODY,
						.node = addr ? addr + lists->node_offset : 0});
}

/* What the object leads to. A root is on no list. */
static struct kt_error *follow(struct lists *lists, const struct list_step *step, size_t i)
{
	const struct list_item *item = &lists->items.data[i];
	const struct list_type *type = lists->type;
	struct list_step children = {.owner = i, .head = item->addr + lists->children_offset};
	struct list_step next = *step;
	struct kt_error *err = NULL;

	next.node = view_uint(&lists->view, item->image, step->is_back ? type->prev : type->next);
	if (type->children_head) {
		children.node = view_uint(&lists->view, item->image, type->children);
		err = go_on(lists, &children);
	}
	return err || step->owner == LIST_NOBODY ? err : go_on(lists, &next);
}

static struct kt_error *read_steps(struct lists *lists, const struct gmem *memory, uint8_t **images)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t spans = lists->view.n_spans;
	struct kt_error *err;

	for (size_t i = 0; i < lists->now.v.len; i++) {
		gaddr_t addr = lists->now.v.data[i].node - lists->node_offset;

		images[i] = calloc(1, lists->view.size + 1);
		if (!images[i] || !view_read(&lists->view, &batch, addr, images[i]))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, memory->read, memory->source);
	for (size_t i = 0; i < lists->now.v.len && !err; i++) {
		const struct list_step *step = &lists->now.v.data[i];

		if (gmem_batch_fault(&batch, i * spans, (i + 1) * spans)) {
			lists->n_damaged++;
			continue;
		}
		if (!kt_vec_push(&lists->items,
				 (struct list_item){.owner = step->owner,
						    .addr = step->node - lists->node_offset,
						    .image = images[i],
						    .is_back = step->is_back}))
			return kt_error_no_memory();
		images[i] = NULL;
		err = follow(lists, step, lists->items.len - 1);
	}
	return err;
}

static struct kt_error *read_turn(struct lists *lists, const struct gmem *memory)
{
	uint8_t **images = calloc(lists->now.v.len, sizeof(*images));
	struct kt_error *err = images ? read_steps(lists, memory, images) : kt_error_no_memory();

	for (size_t i = 0; images && i < lists->now.v.len; i++)
		free(images[i]);
	free(images);
	return err;
}

struct kt_error *lists_read(struct lists *lists, const struct gmem *memory)
{
	struct kt_error *err = NULL;

	/* Each turn reads a new object, of max. */
	for (size_t turns = 0; lists->next.v.len && !err; turns++) {
		struct list_steps done = lists->now;

		if (lists->max_turns && turns == lists->max_turns) {
			lists->n_cut += lists->next.v.len;
			kt_vec_for_each (&lists->next.v, step)
				if (!err && !kt_vec_push(&lists->cut, step->owner))
					err = kt_error_no_memory();
			lists->next.v.len = 0;
			break;
		}
		lists->now = lists->next;
		lists->next = done;
		lists->next.v.len = 0;
		err = read_turn(lists, memory);
	}
	return err;
}
