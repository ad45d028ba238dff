// SPDX-License-Identifier: LGPL-2.1-or-later
/* The columns of maps and links, named as `bpftool -j map` and `bpftool -j link` name them. */
#include "render/objects.h"

/* clang-format off */
#define KNOWN(member)  RENDER_KNOWN(struct map, member)
#define STRING(member) RENDER_STRING(struct map, member)

static const struct render_column map_columns[] = {
	{"id", NULL, "ID", &render_as_id, RENDER_U32(struct map, id), .flags = RENDER_ALWAYS},
	{"type", NULL, "TYPE", &render_as_text, STRING(type), .flags = RENDER_ALWAYS},
	{"name", NULL, "NAME", &render_as_text, RENDER_CHARS(struct map, name), .flags = RENDER_ALWAYS},
	{"flags", "map_flags", "FLAGS", &render_as_hex, KNOWN(flags)},
	{"bytes_key", "key_size", "KEY", &render_as_number, KNOWN(bytes_key)},
	{"bytes_value", "value_size", "VALUE", &render_as_number, KNOWN(bytes_value)},
	{"max_entries", "entries", "ENTRIES", &render_as_number, KNOWN(max_entries)},
	{"frozen", NULL, "FROZEN", &render_as_number, KNOWN(frozen)},
	{"btf_id", "btf", "BTF", &render_as_number, KNOWN(btf_id)},
};

#undef KNOWN
#undef STRING
#define KNOWN(member)  RENDER_KNOWN(struct link, member)
#define STRING(member) RENDER_STRING(struct link, member)

static const struct render_column link_columns[] = {
	{"id", NULL, "ID", &render_as_id, RENDER_U32(struct link, id), .flags = RENDER_ALWAYS},
	{"type", NULL, "TYPE", &render_as_text, STRING(type), .flags = RENDER_ALWAYS},
	{"prog_id", NULL, "PROG", &render_as_number, KNOWN(prog_id)},
	{"prog_type", NULL, "PROG TYPE", &render_as_text, STRING(prog_type)},
	{"attach_type", NULL, "ATTACH TYPE", &render_as_text, STRING(attach_type)},
	{"tp_name", NULL, "TRACEPOINT", &render_as_text, STRING(tp_name)},
	{"target_name", NULL, "TARGET", &render_as_text, STRING(target_name)},
	{"target_obj_id", NULL, "OBJ", &render_as_number, KNOWN(target_obj_id)},
	{"target_btf_id", NULL, "BTF TYPE", &render_as_number, KNOWN(target_btf_id)},
	{"cgroup_id", NULL, "CGROUP", &render_as_number, KNOWN(cgroup_id)},
	{"netns_ino", NULL, "NETNS", &render_as_number, KNOWN(netns_ino)},
	{"ifindex", NULL, "IF", &render_as_number, KNOWN(ifindex)},
	{"map_id", NULL, "MAP", &render_as_number, KNOWN(map_id)},
	{"func_cnt", NULL, "FUNCS", &render_as_number, KNOWN(func_cnt)},
};
/* clang-format on */

struct render_grid render_maps_grid(struct maps *maps)
{
	return (struct render_grid)RENDER_GRID(map_columns, maps->all, maps->n);
}

struct render_grid render_links_grid(struct links *links)
{
	return (struct render_grid)RENDER_GRID(link_columns, links->all, links->n);
}
