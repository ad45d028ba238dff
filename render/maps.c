// SPDX-License-Identifier: LGPL-2.1-or-later
/* The columns of maps, named as `bpftool -j map` names them. */
#include "render/held.h"
#include "render/objects.h"

RENDER_HELD_GETTERS(struct map)

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
	{"bytes_memlock", "memlock", "MEMLOCK", &render_as_number, KNOWN(bytes_memlock), .flags = RENDER_NOT_IN_TABLE},
	{"frozen", NULL, "FROZEN", &render_as_number, KNOWN(frozen)},
	{"btf_id", "btf", "BTF", &render_as_number, KNOWN(btf_id)},
	{"pids", NULL, "HELD BY", &render_as_pids, RENDER_GET(get_pids), .flags = RENDER_WRAP},
	{"pinned", NULL, "PINNED", &render_as_pinned, RENDER_GET(get_pinned), .flags = RENDER_WRAP},
};

/* clang-format on */

struct render_grid render_maps_grid(struct maps *maps)
{
	return (struct render_grid)RENDER_GRID(map_columns, maps->all, maps->n);
}
