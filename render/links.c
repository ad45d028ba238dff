// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The columns of links, named as `bpftool -j link` names them. A table has what all links have, and
 * what is particular to each type in one column.
 */
#include <inttypes.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/held.h"
#include "render/objects.h"

static bool is(const struct link *link, const char *type)
{
	return link->type && strcmp(link->type, type) == 0;
}

static void append_number(struct kt_buf *out, const char *what, const struct program_number *number)
{
	if (number->known)
		kt_buf_printf(out, "%s%s%" PRIu64, out->len ? " " : "", what, number->value);
}

static void append_word(struct kt_buf *out, const char *word)
{
	if (word)
		kt_buf_printf(out, "%s%s", out->len ? " " : "", word);
}

void render_event_place(const struct link *link, struct kt_buf *out)
{
	append_word(out, link->tracepoint);
	append_word(out, link->file);
	if (link->func && link->func[0])
		append_word(out, link->func);
	else if (link->addr.known)
		kt_buf_printf(out, "%s0x%" PRIx64, out->len ? " " : "", link->addr.value);
	if (link->offset.known && (link->offset.value || link->file))
		kt_buf_printf(out, "+0x%" PRIx64, link->offset.value);
	append_word(out, link->event_type_name);
	if (!link->event_type_name)
		append_number(out, "type ", &link->event_type);
	append_word(out, link->event_config_name);
	if (!link->event_config_name)
		append_number(out, "config ", &link->event_config);
}

static void append_multi(struct kt_buf *out, const struct link *link)
{
	append_word(out, link->path);
	if (link->func_cnt.known)
		kt_buf_printf(out, "%s%" PRIu64 " %s%s", out->len ? " " : "", link->func_cnt.value,
			      link->retprobe.value ? "return" : "function",
			      link->func_cnt.value == 1 ? "" : "s");
	if (link->pid.value)
		append_number(out, "pid ", &link->pid);
}

static void append_netfilter(struct kt_buf *out, const struct link *link)
{
	append_number(out, "pf ", &link->pf);
	append_number(out, "hook ", &link->hook);
	if (link->prio.known)
		kt_buf_printf(out, " prio %" PRId64, (int64_t)link->prio.value);
	if (link->flags.value)
		append_number(out, "flags ", &link->flags);
}

static void append_device(struct kt_buf *out, const struct link *link)
{
	if (!link->ifindex.known)
		return;
	append_word(out, link->ifindex.value ? link->devname : "(detached)");
	append_number(out, "ifindex ", &link->ifindex);
}

static void append_attached_to(struct kt_buf *out, const struct link *link)
{
	if (is(link, "perf_event")) {
		append_word(out, link->perf_type);
		render_event_place(link, out);
	} else if (is(link, "kprobe_multi") || is(link, "uprobe_multi"))
		append_multi(out, link);
	else if (is(link, "netfilter"))
		append_netfilter(out, link);
	append_word(out, link->tp_name);
	append_word(out, link->target_name);
	append_number(out, "object ", &link->target_obj_id);
	append_number(out, "type ", &link->target_btf_id);
	append_number(out, "cgroup ", &link->cgroup_id);
	append_word(out, link->order);
	append_number(out, "netns ", &link->netns_ino);
	append_device(out, link);
	append_number(out, "map ", &link->map_id);
	append_number(out, "tid ", &link->tid);
	if (is(link, "iter"))
		append_number(out, "pid ", &link->pid);
}

static void print_attached_to(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)exact;
	append_attached_to(&text, cell->object);
	if (text.len)
		kt_buf_append(out, text.data, text.len);
	out->failed |= text.failed;
	kt_buf_deinit(&text);
}

static int compare_attached_to(const struct render_cell *a, const struct render_cell *b)
{
	struct kt_buf x = KT_BUF_INIT, y = KT_BUF_INIT;
	int cmp;

	print_attached_to(a, false, &x);
	print_attached_to(b, false, &y);
	cmp = strcmp(x.data ? x.data : "", y.data ? y.data : "");
	kt_buf_deinit(&x);
	kt_buf_deinit(&y);
	return cmp;
}

static struct render_cell get_self(const void *row)
{
	return (struct render_cell){.known = true, .object = row};
}

static json_t *number_json(const struct program_number *number)
{
	return number->known ? kt_json_u64(number->value) : json_null();
}

/* The members that functions of this type of link have. */
static json_t *func_json(const struct link_func *func)
{
	json_t *object = json_object();

	if (func->addr.known) {
		json_object_set_new(object, "addr", number_json(&func->addr));
		json_object_set_new(object, "func", kt_json_text(func->func));
		json_object_set_new(object, "module", kt_json_text(func->module));
	} else {
		json_object_set_new(object, "offset", number_json(&func->offset));
		json_object_set_new(object, "ref_ctr_offset", number_json(&func->ref_ctr_offset));
	}
	json_object_set_new(object, "cookie", number_json(&func->cookie));
	return object;
}

static json_t *funcs_json(const struct render_cell *cell)
{
	const struct link *link = cell->object;
	json_t *array;

	if (!link->funcs_known)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < link->n_funcs; i++)
		json_array_append_new(array, func_json(&link->funcs[i]));
	return array;
}

/* By addr or offset, with blanks between them. */
static void print_funcs(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct link *link = cell->object;

	(void)exact;
	for (size_t i = 0; i < link->n_funcs; i++)
		kt_buf_printf(out, "%s0x%" PRIx64, i ? " " : "",
			      link->funcs[i].addr.known ? link->funcs[i].addr.value
							: link->funcs[i].offset.value);
}

static struct render_cell get_funcs(const void *row)
{
	const struct link *link = row;

	return (struct render_cell){
		.known = link->funcs_known, .number = link->n_funcs, .object = row};
}

/* As bpftool has it for a device that is gone. */
static struct render_cell get_devname(const void *row)
{
	const struct link *link = row;
	bool detached = link->ifindex.known && !link->ifindex.value;

	return render_string_cell(detached ? "(detached)" : link->devname);
}

static struct render_cell named(const struct program_number *number, const char *name)
{
	struct render_cell cell = render_number_cell(number->known, number->value);

	if (name)
		cell.text = (struct kt_text){name, strlen(name)};
	return cell;
}

struct render_cell render_link_event_type(const void *row)
{
	const struct link *link = row;

	return named(&link->event_type, link->event_type_name);
}

struct render_cell render_link_event_config(const void *row)
{
	const struct link *link = row;

	return named(&link->event_config, link->event_config_name);
}

static const struct render_type as_attached_to = {false, false, compare_attached_to,
						  print_attached_to, NULL};
static const struct render_type as_funcs = {false, true, NULL, print_funcs, funcs_json};

RENDER_HELD_GETTERS(struct link)

/* clang-format off */
#define KNOWN(member)  RENDER_KNOWN(struct link, member)
#define STRING(member) RENDER_STRING(struct link, member)
#define APART          .flags = RENDER_NOT_IN_TABLE

static const struct render_column columns[] = {
	{"id", NULL, "ID", &render_as_id, RENDER_U32(struct link, id), .flags = RENDER_ALWAYS},
	{"type", NULL, "TYPE", &render_as_text, STRING(type), .flags = RENDER_ALWAYS},
	{"prog_id", NULL, "PROG", &render_as_number, KNOWN(prog_id)},
	{"prog_type", NULL, "PROG TYPE", &render_as_text, STRING(prog_type), .leave = 1},
	{"attach_type", NULL, "ATTACH TYPE", &render_as_text, STRING(attach_type), .leave = 4},
	{"attached_to", NULL, "ATTACHED TO", &as_attached_to, RENDER_GET(get_self),
	 .flags = RENDER_NOT_IN_CSV | RENDER_ALWAYS | RENDER_WRAP},
	{"tp_name", NULL, "TRACEPOINT", &render_as_text, STRING(tp_name), APART},
	{"target_name", NULL, "TARGET", &render_as_text, STRING(target_name), APART},
	{"target_obj_id", NULL, "OBJ", &render_as_number, KNOWN(target_obj_id), APART},
	{"target_btf_id", NULL, "BTF TYPE", &render_as_number, KNOWN(target_btf_id), APART},
	{"cgroup_id", NULL, "CGROUP", &render_as_number, KNOWN(cgroup_id), APART},
	{"netns_ino", NULL, "NETNS", &render_as_number, KNOWN(netns_ino), APART},
	{"ifindex", NULL, "IF", &render_as_number, KNOWN(ifindex), APART},
	{"devname", NULL, "DEVICE", &render_as_text, RENDER_GET(get_devname), APART},
	{"map_id", NULL, "MAP", &render_as_number, KNOWN(map_id), APART},
	{"order", NULL, "ORDER", &render_as_text, STRING(order), APART},
	{"tid", NULL, "TID", &render_as_number, KNOWN(tid), APART},
	{"pid", NULL, "PID", &render_as_number, KNOWN(pid), APART},
	{"cookie", NULL, "COOKIE", &render_as_hex, KNOWN(cookie), .leave = 2},
	{"perf_type", NULL, "EVENT", &render_as_text, STRING(perf_type), APART},
	{"retprobe", NULL, "RETURN", &render_as_yes_no, KNOWN(retprobe), APART},
	{"addr", NULL, "ADDR", &render_as_hex, KNOWN(addr), APART},
	{"func", NULL, "FUNC", &render_as_text, STRING(func), APART},
	{"offset", NULL, "OFFSET", &render_as_hex, KNOWN(offset), APART},
	{"file", NULL, "FILE", &render_as_text, STRING(file), APART},
	{"ref_ctr_offset", NULL, "COUNTER", &render_as_hex, KNOWN(ref_ctr_offset), APART},
	{"missed", NULL, "MISSED", &render_as_number, KNOWN(missed), .leave = 3},
	{"tracepoint", NULL, "TP", &render_as_text, STRING(tracepoint), APART},
	{"event_type", NULL, "EVENT TYPE", &render_as_number, RENDER_GET(render_link_event_type), APART},
	{"event_config", NULL, "CONFIG", &render_as_number, RENDER_GET(render_link_event_config), APART},
	{"path", NULL, "PATH", &render_as_text, STRING(path), APART},
	{"func_cnt", NULL, "FUNCS", &render_as_number, KNOWN(func_cnt), APART},
	{"funcs", NULL, "ADDRS", &as_funcs, RENDER_GET(get_funcs), APART},
	{"pf", NULL, "PF", &render_as_number, KNOWN(pf), APART},
	{"hook", NULL, "HOOK", &render_as_number, KNOWN(hook), APART},
	{"prio", NULL, "PRIO", &render_as_signed, KNOWN(prio), APART},
	{"flags", NULL, "FLAGS", &render_as_hex, KNOWN(flags), APART},
	{"pids", NULL, "HELD BY", &render_as_pids, RENDER_GET(get_pids), .flags = RENDER_WRAP},
	{"pinned", NULL, "PINNED", &render_as_pinned, RENDER_GET(get_pinned), .flags = RENDER_WRAP},
};
/* clang-format on */

struct render_grid render_links_grid(struct links *links)
{
	return (struct render_grid)RENDER_GRID(columns, links->all, links->n);
}
