// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/held.h"

#include "model/json.h"
#include "model/json_put.h"

/* Of an object that many hold, a table shows so many, and how many more there are. */
#define SHOWN_MAX 6

struct render_cell render_pids_cell(const struct held *held)
{
	return (struct render_cell){
		.known = held->fds_known, .number = held->n_fds, .object = held};
}

struct render_cell render_pinned_cell(const struct held *held)
{
	return (struct render_cell){
		.known = held->pins_known, .number = held->n_pins, .object = held};
}

/* Whether descriptor i is the first one of its process. */
static bool begins(const struct held *held, size_t i)
{
	return !i || held->fds[i].pid != held->fds[i - 1].pid;
}

static void print_pids(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct held *held = cell->object;

	size_t n = 0;

	for (size_t i = 0; i < held->n_fds; i++) {
		if (!begins(held, i))
			continue;
		if (exact || n < SHOWN_MAX)
			kt_buf_printf(out, "%s%s(%u)", n ? "," : "", held->fds[i].comm,
				      held->fds[i].pid);
		n++;
	}
	if (!exact && n > SHOWN_MAX)
		kt_buf_printf(out, ",+%zu", n - SHOWN_MAX);
}

static json_t *pids_json(const struct render_cell *cell)
{
	const struct held *held = cell->object;
	json_t *array, *fds = NULL;

	if (!cell->known)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < held->n_fds; i++) {
		if (begins(held, i)) {
			json_t *process = json_object();

			fds = json_array();
			json_object_set_new(process, "pid", json_integer(held->fds[i].pid));
			json_object_set_new(process, "comm", kt_json_text(held->fds[i].comm));
			json_object_set_new(process, "fds", fds);
			json_array_append_new(array, process);
		}
		json_array_append_new(fds, json_integer(held->fds[i].fd));
	}
	return array;
}

static void print_pinned(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct held *held = cell->object;

	for (size_t i = 0; i < held->n_pins && (exact || i < SHOWN_MAX); i++)
		kt_buf_printf(out, "%s%s", i ? "," : "", held->pins[i].path);
	if (!exact && held->n_pins > SHOWN_MAX)
		kt_buf_printf(out, ",+%zu", held->n_pins - SHOWN_MAX);
}

static json_t *pinned_json(const struct render_cell *cell)
{
	const struct held *held = cell->object;
	json_t *array;

	if (!cell->known)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < held->n_pins; i++)
		json_array_append_new(array, kt_json_text(held->pins[i].path));
	return array;
}

const struct render_type render_as_pids = {
	.from_largest = true, .print = print_pids, .json = pids_json};
const struct render_type render_as_pinned = {
	.from_largest = true, .print = print_pinned, .json = pinned_json};
