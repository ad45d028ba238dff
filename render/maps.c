// SPDX-License-Identifier: LGPL-2.1-or-later
/* The columns of maps and links, named as `bpftool -j map` and `bpftool -j link` name them. */
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

/* The getters of a struct's members: `map_flags` gets map->flags. */
#define GET(type, member, how)                                                                     \
	static struct render_cell type##_##member(const void *row)                                 \
	{                                                                                          \
		return how(((const struct type *)row)->member);                                    \
	}

static struct render_cell id(uint32_t n)
{
	return (struct render_cell){.known = true, .number = n};
}

GET(map, id, id)
GET(map, type, text)
GET(map, name, text)
GET(map, flags, number)
GET(map, bytes_key, number)
GET(map, bytes_value, number)
GET(map, max_entries, number)
GET(map, frozen, number)
GET(map, btf_id, number)

static const struct render_grid_column map_columns[] = {
	{"id", NULL, "ID", RENDER_GRID_RISING, RENDER_GRID_ALWAYS, map_id, 0},
	{"type", NULL, "TYPE", RENDER_GRID_TEXT, RENDER_GRID_ALWAYS, map_type, 0},
	{"name", NULL, "NAME", RENDER_GRID_TEXT, RENDER_GRID_ALWAYS, map_name, 0},
	{"flags", "map_flags", "FLAGS", RENDER_GRID_HEX, 0, map_flags, 0},
	{"bytes_key", "key_size", "KEY", RENDER_GRID_NUMBER, 0, map_bytes_key, 0},
	{"bytes_value", "value_size", "VALUE", RENDER_GRID_NUMBER, 0, map_bytes_value, 0},
	{"max_entries", "entries", "ENTRIES", RENDER_GRID_NUMBER, 0, map_max_entries, 0},
	{"frozen", NULL, "FROZEN", RENDER_GRID_NUMBER, 0, map_frozen, 0},
	{"btf_id", "btf", "BTF", RENDER_GRID_NUMBER, 0, map_btf_id, 0},
};

struct render_grid render_maps_grid(struct maps *maps)
{
	return (struct render_grid){
		.columns = map_columns,
		.n_columns = sizeof(map_columns) / sizeof(map_columns[0]),
		.rows = maps->all,
		.row_size = sizeof(*maps->all),
		.n_rows = maps->n,
	};
}

GET(link, id, id)
GET(link, type, text)
GET(link, prog_id, number)
GET(link, prog_type, text)
GET(link, attach_type, text)
GET(link, tp_name, text)
GET(link, target_name, text)
GET(link, target_obj_id, number)
GET(link, target_btf_id, number)
GET(link, cgroup_id, number)
GET(link, netns_ino, number)
GET(link, ifindex, number)
GET(link, map_id, number)
GET(link, func_cnt, number)

static const struct render_grid_column link_columns[] = {
	{"id", NULL, "ID", RENDER_GRID_RISING, RENDER_GRID_ALWAYS, link_id, 0},
	{"type", NULL, "TYPE", RENDER_GRID_TEXT, RENDER_GRID_ALWAYS, link_type, 0},
	{"prog_id", NULL, "PROG", RENDER_GRID_NUMBER, 0, link_prog_id, 0},
	{"prog_type", NULL, "PROG TYPE", RENDER_GRID_TEXT, 0, link_prog_type, 0},
	{"attach_type", NULL, "ATTACH TYPE", RENDER_GRID_TEXT, 0, link_attach_type, 0},
	{"tp_name", NULL, "TRACEPOINT", RENDER_GRID_TEXT, 0, link_tp_name, 0},
	{"target_name", NULL, "TARGET", RENDER_GRID_TEXT, 0, link_target_name, 0},
	{"target_obj_id", NULL, "OBJ", RENDER_GRID_NUMBER, 0, link_target_obj_id, 0},
	{"target_btf_id", NULL, "BTF TYPE", RENDER_GRID_NUMBER, 0, link_target_btf_id, 0},
	{"cgroup_id", NULL, "CGROUP", RENDER_GRID_NUMBER, 0, link_cgroup_id, 0},
	{"netns_ino", NULL, "NETNS", RENDER_GRID_NUMBER, 0, link_netns_ino, 0},
	{"ifindex", NULL, "IF", RENDER_GRID_NUMBER, 0, link_ifindex, 0},
	{"map_id", NULL, "MAP", RENDER_GRID_NUMBER, 0, link_map_id, 0},
	{"func_cnt", NULL, "FUNCS", RENDER_GRID_NUMBER, 0, link_func_cnt, 0},
};

struct render_grid render_links_grid(struct links *links)
{
	return (struct render_grid){
		.columns = link_columns,
		.n_columns = sizeof(link_columns) / sizeof(link_columns[0]),
		.rows = links->all,
		.row_size = sizeof(*links->all),
		.n_rows = links->n,
	};
}
