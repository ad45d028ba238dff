// SPDX-License-Identifier: LGPL-2.1-or-later
/* The columns of maps, named as `bpftool map show -j` names them. */
#include <string.h>

#include "render/objects.h"

static struct render_cell number(struct program_number n)
{
	return (struct render_cell){.known = n.known, .number = n.value};
}

static struct render_cell text(const char *s)
{
	return (struct render_cell){.known = s, .text = {s, s ? strlen(s) : 0}};
}

static struct render_cell map_id(const void *row)
{
	return (struct render_cell){.known = true, .number = ((const struct map *)row)->id};
}

static struct render_cell map_type(const void *row)
{
	return text(((const struct map *)row)->type);
}

static struct render_cell map_name(const void *row)
{
	return text(((const struct map *)row)->name);
}

static struct render_cell map_flags(const void *row)
{
	return number(((const struct map *)row)->flags);
}

static struct render_cell map_key(const void *row)
{
	return number(((const struct map *)row)->bytes_key);
}

static struct render_cell map_value(const void *row)
{
	return number(((const struct map *)row)->bytes_value);
}

static struct render_cell map_entries(const void *row)
{
	return number(((const struct map *)row)->max_entries);
}

static struct render_cell map_frozen(const void *row)
{
	return number(((const struct map *)row)->frozen);
}

static struct render_cell map_btf(const void *row)
{
	return number(((const struct map *)row)->btf_id);
}

static const struct render_grid_column columns[] = {
	{"id", NULL, "ID", RENDER_GRID_RISING, RENDER_GRID_ALWAYS, map_id, 0},
	{"type", NULL, "TYPE", RENDER_GRID_TEXT, RENDER_GRID_ALWAYS, map_type, 0},
	{"name", NULL, "NAME", RENDER_GRID_TEXT, RENDER_GRID_ALWAYS, map_name, 0},
	{"flags", "map_flags", "FLAGS", RENDER_GRID_NUMBER, 0, map_flags, 0},
	{"bytes_key", "key_size", "KEY", RENDER_GRID_NUMBER, 0, map_key, 0},
	{"bytes_value", "value_size", "VALUE", RENDER_GRID_NUMBER, 0, map_value, 0},
	{"max_entries", "entries", "ENTRIES", RENDER_GRID_NUMBER, 0, map_entries, 0},
	{"frozen", NULL, "FROZEN", RENDER_GRID_NUMBER, 0, map_frozen, 0},
	{"btf_id", "btf", "BTF", RENDER_GRID_NUMBER, 0, map_btf, 0},
};

struct render_grid render_maps_grid(struct maps *maps)
{
	return (struct render_grid){
		.columns = columns,
		.n_columns = sizeof(columns) / sizeof(columns[0]),
		.rows = maps->all,
		.row_size = sizeof(*maps->all),
		.n_rows = maps->n,
	};
}
