// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/holders.h"

#include <string.h>

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_objects(const struct held_object *a, const struct held_object *b)
{
	int cmp = compare_numbers(a->kind, b->kind);

	return cmp ? cmp : compare_numbers(a->id, b->id);
}

static int compare_fds(const void *a, const void *b)
{
	const struct held_fd *x = a, *y = b;
	int cmp = compare_objects(&x->of, &y->of);

	if (!cmp)
		cmp = compare_numbers(x->pid, y->pid);
	return cmp ? cmp : compare_numbers(x->fd, y->fd);
}

static int compare_pins(const void *a, const void *b)
{
	const struct held_pin *x = a, *y = b;
	int cmp = compare_objects(&x->of, &y->of);

	return cmp ? cmp : strcmp(x->path, y->path);
}

static void sort_fds(struct holdings *holdings)
{
	size_t kept = 0;

	if (holdings->n_fds)
		qsort(holdings->fds, holdings->n_fds, sizeof(*holdings->fds), compare_fds);
	for (size_t i = 0; i < holdings->n_fds; i++)
		if (!kept || compare_fds(&holdings->fds[kept - 1], &holdings->fds[i]))
			holdings->fds[kept++] = holdings->fds[i];
	holdings->n_fds = kept;
}

static void sort_pins(struct holdings *holdings)
{
	size_t kept = 0;

	if (holdings->n_pins)
		qsort(holdings->pins, holdings->n_pins, sizeof(*holdings->pins), compare_pins);
	for (size_t i = 0; i < holdings->n_pins; i++) {
		if (!kept || compare_pins(&holdings->pins[kept - 1], &holdings->pins[i]))
			holdings->pins[kept++] = holdings->pins[i];
		else
			free(holdings->pins[i].path);
	}
	holdings->n_pins = kept;
}

void holdings_sort(struct holdings *holdings)
{
	sort_fds(holdings);
	sort_pins(holdings);
}

/* The element i of an array of structs that begin with a struct held_object. */
static const struct held_object *object_at(const void *array, size_t size, size_t i)
{
	return (const void *)((const char *)array + i * size);
}

/* The elements of one object, in a sorted array of n: *first_ret, and how many. */
static size_t find(const void *array, size_t n, size_t size, const struct held_object *object,
		   size_t *first_ret)
{
	size_t from = 0, to = n, end;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (compare_objects(object_at(array, size, mid), object) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	for (end = from; end < n && !compare_objects(object_at(array, size, end), object); end++)
		;
	*first_ret = from;
	return end - from;
}

struct held holdings_of(const struct holdings *holdings, struct held_object object)
{
	struct held held = {.fds_known = holdings->fds_known, .pins_known = holdings->pins_known};
	size_t first;

	held.n_fds = find(holdings->fds, holdings->n_fds, sizeof(*holdings->fds), &object, &first);
	held.fds = held.n_fds ? holdings->fds + first : NULL;
	held.n_pins = find(holdings->pins, holdings->n_pins, sizeof(*holdings->pins), &object,
			   &first);
	held.pins = held.n_pins ? holdings->pins + first : NULL;
	return held;
}
