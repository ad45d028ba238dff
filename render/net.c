// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is attached to the network, a row a program at a place, named as `bpftool -j net` names it.
 */
#include <inttypes.h>
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/objects.h"

static const char *const sections[] = {[NET_XDP] = "xdp",
				       [NET_TC] = "tc",
				       [NET_FLOW_DISSECTOR] = "flow_dissector",
				       [NET_SK_LOOKUP] = "sk_lookup",
				       [NET_NETFILTER] = "netfilter",
				       [NET_SOCKMAP] = "sockmap"};

static struct render_cell get_section(const void *row)
{
	const struct net_attachment *a = row;

	return render_string_cell(sections[a->section]);
}

/* "clsact/ingress chain 3 prio 2 handle 0x1 direct-action", "pf 2 hook 0 prio -100" */
static void append_place(struct kt_buf *out, const struct net_attachment *a)
{
	if (a->kind)
		kt_buf_appends(out, a->kind);
	if (a->chain.known && a->chain.value)
		kt_buf_printf(out, " chain %" PRIu64, a->chain.value);
	if (a->prio.known)
		kt_buf_printf(out, " prio %" PRIu64, a->prio.value);
	if (a->handle.known)
		kt_buf_printf(out, " handle 0x%" PRIx64, a->handle.value);
	if (a->direct_action.value)
		kt_buf_appends(out, " direct-action");
	if (a->classic.value)
		kt_buf_appends(out, " classic");
	if (a->pf.known)
		kt_buf_printf(out, "pf %" PRIu64 " hook %" PRIu64 " prio %" PRId64, a->pf.value,
			      a->hook.value, (int64_t)a->priority.value);
	if (a->flags.value)
		kt_buf_printf(out, " flags %" PRIu64, a->flags.value);
	if (a->map_id.known)
		kt_buf_printf(out, " map %" PRIu64, a->map_id.value);
}

static void print_place(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)exact;
	append_place(&text, cell->object);
	if (text.len)
		kt_buf_append(out, text.data, text.len);
	out->failed |= text.failed;
	kt_buf_deinit(&text);
}

static const struct render_type as_place = {.print = print_place};

static struct render_cell get_place(const void *row)
{
	const struct net_attachment *a = row;

	return (struct render_cell){.known = a->kind || a->pf.known, .object = row};
}

/* bpftool has the program's name at tcx and netkit, and the filter's at a filter. */
static struct render_cell get_name(const void *row)
{
	const struct net_attachment *a = row;

	return render_string_cell(a->chain.known ? a->filter_name : a->name);
}

static json_t *no_flags_json(const struct render_cell *cell)
{
	(void)cell;
	return json_array();
}

/* The kernel fills in none (bpf_mprog_query(), as of 7.1). */
static const struct render_type as_no_flags = {.json = no_flags_json};

static struct render_cell get_nothing(const void *row)
{
	(void)row;
	return (struct render_cell){0};
}

/* clang-format off */
#define KNOWN(member)  RENDER_KNOWN(struct net_attachment, member)
#define STRING(member) RENDER_STRING(struct net_attachment, member)
#define APART          .flags = RENDER_NOT_IN_TABLE
#define ALWAYS         .flags = RENDER_ALWAYS

static const struct render_column columns[] = {
	{"netns_ino", "netns", "NETNS", &render_as_id, KNOWN(netns_ino), ALWAYS},
	{"section", NULL, "SECTION", &render_as_text, RENDER_GET(get_section), ALWAYS},
	{"devname", NULL, "DEVICE", &render_as_text, STRING(devname)},
	{"ifindex", NULL, "IF", &render_as_id, KNOWN(ifindex), APART},
	{"id", NULL, "ID", &render_as_id, KNOWN(id), ALWAYS},
	{"prog_name", "name", "NAME", &render_as_text, STRING(name), .flags = RENDER_ALWAYS, .longest = 24},
	{"link_id", "link", "LINK", &render_as_number, KNOWN(link_id), .leave = 1},
	{"place", NULL, "PLACE", &as_place, RENDER_GET(get_place), .flags = RENDER_NOT_IN_CSV | RENDER_WRAP},
	{"kind", NULL, "KIND", &render_as_text, STRING(kind), APART},
	{"filter", NULL, "FILTER", &render_as_text, STRING(filter_name), APART},
	{"chain", NULL, "CHAIN", &render_as_id, KNOWN(chain), APART},
	{"prio", NULL, "PRIO", &render_as_id, KNOWN(prio), APART},
	{"protocol", NULL, "PROTOCOL", &render_as_hex, KNOWN(protocol), APART},
	{"handle", NULL, "HANDLE", &render_as_hex, KNOWN(handle), APART},
	{"direct_action", NULL, "DA", &render_as_yes_no, KNOWN(direct_action), APART},
	{"classic", NULL, "CLASSIC", &render_as_yes_no, KNOWN(classic), APART},
	{"map_id", "map", "MAP", &render_as_id, KNOWN(map_id), APART},
	{"pf", NULL, "PF", &render_as_number, KNOWN(pf), APART},
	{"hook", NULL, "HOOK", &render_as_number, KNOWN(hook), APART},
	{"priority", NULL, "PRIORITY", &render_as_signed, KNOWN(priority), APART},
	{"flags", NULL, "FLAGS", &render_as_hex, KNOWN(flags), APART},
};

/* The keys of each section in the document: bpftool's first. */
#define NAME {"name", NULL, NULL, &render_as_text, STRING(name)}
#define ID   {"id", NULL, NULL, &render_as_id, KNOWN(id)}
#define LINK {"link_id", NULL, NULL, &render_as_number, KNOWN(link_id)}
#define DEVICE                                                          \
	{"devname", NULL, NULL, &render_as_text, STRING(devname)},      \
	{"ifindex", NULL, NULL, &render_as_id, KNOWN(ifindex)}

static const struct render_column xdp_keys[] = {
	DEVICE, {"mode", NULL, NULL, &render_as_text, STRING(kind)}, ID, NAME, LINK};
static const struct render_column tc_keys[] = {
	DEVICE,
	{"kind", NULL, NULL, &render_as_text, STRING(kind)},
	{"name", NULL, NULL, &render_as_text, RENDER_GET(get_name)},
	ID,
	{"prog_id", NULL, NULL, &render_as_id, KNOWN(id)},
	{"prog_flags", NULL, NULL, &as_no_flags, RENDER_GET(get_nothing)},
	LINK,
	{"link_flags", NULL, NULL, &as_no_flags, RENDER_GET(get_nothing)},
	{"prog_name", NULL, NULL, &render_as_text, STRING(name)},
	{"chain", NULL, NULL, &render_as_id, KNOWN(chain)},
	{"prio", NULL, NULL, &render_as_id, KNOWN(prio)},
	{"protocol", NULL, NULL, &render_as_id, KNOWN(protocol)},
	{"handle", NULL, NULL, &render_as_id, KNOWN(handle)},
	{"direct_action", NULL, NULL, &render_as_yes_no, KNOWN(direct_action)},
	{"classic", NULL, NULL, &render_as_yes_no, KNOWN(classic)},
};
static const struct render_column ns_keys[] = {ID, NAME, LINK};
static const struct render_column netfilter_keys[] = {
	{"pf", NULL, NULL, &render_as_number, KNOWN(pf)},
	{"hook", NULL, NULL, &render_as_number, KNOWN(hook)},
	{"prio", NULL, NULL, &render_as_signed, KNOWN(priority)},
	{"flags", NULL, NULL, &render_as_number, KNOWN(flags)},
	ID, NAME, LINK};

static const struct render_column sockmap_keys[] = {
	{"map_id", NULL, NULL, &render_as_id, KNOWN(map_id)},
	{"attach_type", NULL, NULL, &render_as_text, STRING(kind)},
	ID, NAME, LINK};

#define KEYS(table) {(table), sizeof(table) / sizeof((table)[0])}
static const struct {
	const struct render_column *columns;
	size_t n;
} keys[] = {
	[NET_XDP] = KEYS(xdp_keys),
	[NET_TC] = KEYS(tc_keys),
	[NET_FLOW_DISSECTOR] = KEYS(ns_keys),
	[NET_SK_LOOKUP] = KEYS(ns_keys),
	[NET_NETFILTER] = KEYS(netfilter_keys),
	[NET_SOCKMAP] = KEYS(sockmap_keys),
};
/* clang-format on */

struct render_grid render_net_grid(struct net *net)
{
	return (struct render_grid)RENDER_GRID(columns, net->all, net->n);
}

/* ino: not known: those of no namespace. */
static json_t *section_json(const struct render_grid *grid, struct program_number ino,
			    size_t section)
{
	struct render_grid part = *grid;
	json_t *array = json_array();

	part.columns = keys[section].columns;
	part.n_columns = keys[section].n;
	part.n_selected = 0;
	for (size_t i = 0; i < grid->n_rows; i++) {
		const struct net_attachment *a = render_grid_row(grid, i);
		json_t *object;

		if (a->section != section || a->netns_ino.known != ino.known ||
		    a->netns_ino.value != ino.value)
			continue;
		object = json_object();
		render_grid_json(&part, a, object);
		json_array_append_new(array, object);
	}
	return array;
}

struct kt_error *render_net_json(const struct net *net, const struct render_grid *grid,
				 const struct render_guest *guest, char **ret)
{
	json_t *array = json_array(), *root;

	for (size_t i = 0; i < net->n_netns; i++) {
		json_t *object = json_object();

		json_object_set_new(object, "netns_ino", kt_json_number(net->netns[i]));
		for (size_t s = 0; s < NET_SOCKMAP; s++)
			json_object_set_new(object, sections[s],
					    section_json(grid, net->netns[i], s));
		json_array_append_new(array, object);
	}
	root = render_array_document(array, "net", guest);
	json_object_set_new(root, sections[NET_SOCKMAP],
			    section_json(grid, (struct program_number){0}, NET_SOCKMAP));
	return kt_json_dump(root, ret);
}
