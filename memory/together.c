// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "memory/fiber.h"
#include "memory/together.h"
#include "util/cleanup.h"

enum state {
	MAY_RUN,
	READS, /* waits for memory */
	WAITS, /* for walks of its own */
	ENDED,
};

/* The walks of one together_run(). */
struct group {
	struct task *parent; /* which runs them; NULL: no walk does */
	size_t n_left;
	struct kt_error *err;
	bool called_off; /* err is of a walk whose reads were called off */
};

struct task {
	struct together *together;
	struct fiber *fiber;
	struct guest_walk walk;
	struct group *group;
	enum state state;
	/* What it waits for, and what came of it. */
	struct gmem_read *reads;
	size_t n_reads;
	struct kt_error *err;
	bool called_off;
};

struct together {
	struct gmem below;
	KT_VEC(struct task *) tasks; /* the walks of all groups */
	struct task *running;        /* NULL: no walk */
	bool failed;                 /* a walk has: nothing is read any more */
};

struct together *together_create(struct gmem below)
{
	struct together *together = calloc(1, sizeof(*together));

	if (together)
		together->below = below;
	return together;
}

void together_destroy(struct together *together)
{
	if (!together)
		return;
	kt_vec_free(&together->tasks);
	free(together);
}

/* --- in a walk --- */

static void run_task(void *arg)
{
	struct task *task = arg;

	task->err = task->walk.run(task->walk.arg);
}

static struct kt_error *called_off(void)
{
	return kt_error_new(KT_ERROR_CANCELLED, "called off, since another walk failed");
}

static struct kt_error *read_in_walk(struct task *task, struct gmem_read *reads, size_t count)
{
	if (!task->together->failed) {
		task->reads = reads;
		task->n_reads = count;
		task->state = READS;
		fiber_leave(task->fiber);
		return kt_take_ptr(task->err);
	}
	task->called_off = true;
	return called_off();
}

static struct kt_error *read_together(void *source, struct gmem_read *reads, size_t count)
{
	struct together *together = source;

	if (together->running)
		return read_in_walk(together->running, reads, count);
	return together->below.read(together->below.source, reads, count);
}

struct gmem together_memory(struct together *together)
{
	return (struct gmem){read_together, together};
}

/* --- outside of walks --- */

/* What the only task that waits for memory waits for. */
static struct kt_error *read_one(struct together *together)
{
	kt_vec_for_each (&together->tasks, at)
		if ((*at)->state == READS)
			return together->below.read(together->below.source, (*at)->reads,
						    (*at)->n_reads);
	return NULL;
}

/* What all tasks wait for, merged. */
static struct kt_error *read_merged(struct together *together)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;
	size_t n = 0;

	kt_vec_for_each (&together->tasks, at) {
		struct task *task = *at;

		for (size_t i = 0; task->state == READS && i < task->n_reads; i++)
			if (!kt_vec_push(&batch.reads, task->reads[i]))
				return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, together->below.read, together->below.source);
	if (err)
		return err;
	kt_vec_for_each (&together->tasks, at) {
		struct task *task = *at;

		for (size_t i = 0; task->state == READS && i < task->n_reads; i++)
			task->reads[i].fault = batch.reads.data[n++].fault;
	}
	return NULL;
}

/* Reads what tasks wait for, after which they may run. False: none waits. */
static bool read_all(struct together *together)
{
	struct kt_error *err = NULL;
	size_t n = 0;

	kt_vec_for_each (&together->tasks, at)
		n += (*at)->state == READS;
	if (!n)
		return false;
	if (together->failed)
		err = called_off();
	else
		err = n > 1 ? read_merged(together) : read_one(together);
	kt_vec_for_each (&together->tasks, at) {
		struct task *task = *at;

		if (task->state != READS)
			continue;
		task->state = MAY_RUN;
		/* The first one has the error. The others are called off. */
		if (err) {
			task->called_off |= together->failed;
			together->failed = true;
			task->err = kt_take_ptr(err);
		} else if (together->failed) {
			task->called_off = true;
			task->err = called_off();
		}
	}
	return true;
}

/* The error of the group is the first one that is of nobody who was called off. */
static void end_task(struct task *task)
{
	struct group *group = task->group;
	struct kt_error *err = kt_take_ptr(task->err);

	task->state = ENDED;
	if (err && (!group->err || (group->called_off && !task->called_off))) {
		struct kt_error *old = group->err;

		group->err = err;
		group->called_off = task->called_off;
		err = old;
	}
	kt_error_destroy(err);
	task->together->failed |= group->err != NULL;
	group->n_left--;
	if (!group->n_left && group->parent) {
		group->parent->state = MAY_RUN;
		group->parent->called_off |= group->called_off;
	}
}

/* Until no walk can go on without memory. A walk that runs may add walks, behind the others. */
static void run_all(struct together *together)
{
	bool any = true;

	while (any) {
		any = false;
		for (size_t i = 0; i < together->tasks.len; i++) {
			struct task *task = together->tasks.data[i];

			if (task->state != MAY_RUN)
				continue;
			any = true;
			together->running = task;
			if (fiber_enter(task->fiber))
				end_task(task);
			together->running = NULL;
		}
	}
}

static bool add_task(struct together *together, struct guest_walk walk, struct group *group)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return false;
	*task = (struct task){.together = together, .walk = walk, .group = group};
	task->fiber = fiber_create(run_task, task);
	if (task->fiber && kt_vec_push(&together->tasks, task))
		return true;
	fiber_destroy(task->fiber);
	free(task);
	return false;
}

/* Those of other groups stay. */
static void remove_tasks(struct together *together, const struct group *group)
{
	size_t kept = 0;

	for (size_t i = 0; i < together->tasks.len; i++) {
		struct task *task = together->tasks.data[i];

		if (task->group != group) {
			together->tasks.data[kept++] = task;
			continue;
		}
		fiber_destroy(task->fiber);
		free(task);
	}
	together->tasks.len = kept;
}

struct kt_error *together_run(struct together *together, const struct guest_walk *walks, size_t n)
{
	struct group group = {.parent = together->running, .n_left = n};

	if (n == 0)
		return NULL;
	if (n == 1)
		return walks[0].run(walks[0].arg);
	for (size_t i = 0; i < n; i++) {
		if (add_task(together, walks[i], &group))
			continue;
		remove_tasks(together, &group);
		return kt_error_no_memory();
	}
	if (group.parent) {
		group.parent->state = WAITS;
		fiber_leave(group.parent->fiber);
	} else {
		do
			run_all(together);
		while (read_all(together));
		together->failed = false;
	}
	remove_tasks(together, &group);
	return group.err;
}
