// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb layout: a type as the kernel's files describe it. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "btf/sources.h"
#include "cli/options.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/grid.h"
#include "render/text.h"
#include "util/cleanup.h"

struct layout_options {
	struct kfacts_sources sources;
	bool json;
	enum cli_color color;
};

/* A line of the table. */
struct row {
	const struct types_member *member;
	char *name;     /* indented */
	char bits[24];  /* of a bit field "first..last", else ""; the value of an enumerator */
	uint64_t value; /* of an enumerator */
};

static struct render_cell text_cell(const char *text)
{
	return render_text_cell((struct kt_text){text, strlen(text)});
}

static struct render_cell get_offset(const void *row)
{
	const struct types_member *m = ((const struct row *)row)->member;

	return render_number_cell(m->placed, m->place.offset);
}

static struct render_cell get_size(const void *row)
{
	const struct types_member *m = ((const struct row *)row)->member;

	return render_number_cell(m->placed, m->place.size);
}

static struct render_cell get_bits(const void *row)
{
	return text_cell(((const struct row *)row)->bits);
}

static struct render_cell get_name(const void *row)
{
	return text_cell(((const struct row *)row)->name);
}

static struct render_cell get_type(const void *row)
{
	return text_cell(((const struct row *)row)->member->type);
}

static struct render_cell get_value(const void *row)
{
	const struct row *r = row;
	struct render_cell cell = text_cell(r->bits);

	cell.number = r->value;
	return cell;
}

/* clang-format off */
static const struct render_column member_columns[] = {
	{"offset", NULL, "OFFSET", &render_as_id, RENDER_GET(get_offset), .flags = RENDER_ALWAYS},
	{"size", NULL, "SIZE", &render_as_number, RENDER_GET(get_size), .flags = RENDER_ALWAYS},
	{"bits", NULL, "BITS", &render_as_text, RENDER_GET(get_bits)},
	{"member", NULL, "MEMBER", &render_as_text, RENDER_GET(get_name), .flags = RENDER_ALWAYS},
	{"type", NULL, "TYPE", &render_as_text, RENDER_GET(get_type), .flags = RENDER_CUT},
};

static const struct render_column enum_columns[] = {
	{"value", NULL, "VALUE", &render_as_signed, RENDER_GET(get_value), .flags = RENDER_ALWAYS},
	{"name", NULL, "NAME", &render_as_text, RENDER_GET(get_name), .flags = RENDER_ALWAYS},
};
/* clang-format on */

static const char *keyword(const struct types_layout *layout)
{
	static const char *const words[] = {
		[TYPES_STRUCT] = "struct", [TYPES_UNION] = "union", [TYPES_ENUM] = "enum"};

	return words[layout->kind];
}

static bool fill_member(struct row *row, const struct types_member *m)
{
	const char *name = *m->name ? m->name : "(anonymous)";

	*row = (struct row){.member = m};
	if (m->placed && m->place.bit_size)
		snprintf(row->bits, sizeof(row->bits), "%u..%u", m->place.bit_shift,
			 m->place.bit_shift + m->place.bit_size - 1);
	return asprintf(&row->name, "%*s%s", (int)m->depth * 2, "", name) >= 0;
}

static bool fill_enumerator(struct row *row, const struct kfacts_enumerator *e)
{
	*row = (struct row){.value = (uint64_t)e->value, .name = strdup(e->name)};
	snprintf(row->bits, sizeof(row->bits), "%" PRId64, e->value);
	return row->name;
}

static struct kt_error *render_rows(const struct types_layout *layout, bool color,
				    struct kt_buf *out)
{
	bool is_enum = layout->kind == TYPES_ENUM;
	size_t n = is_enum ? layout->n_enums : layout->n_members;
	_cleanup_free_ struct row *rows = calloc(n ? n : 1, sizeof(*rows));
	struct kt_error *err = rows ? NULL : kt_error_no_memory();
	struct render_grid grid = {
		.columns = is_enum ? enum_columns : member_columns,
		.n_columns = is_enum ? sizeof(enum_columns) / sizeof(*enum_columns)
				     : sizeof(member_columns) / sizeof(*member_columns),
		.rows = rows,
		.row_size = sizeof(*rows),
		.n_rows = n,
	};

	for (size_t i = 0; i < n && !err; i++) {
		bool good = is_enum ? fill_enumerator(&rows[i], &layout->enums[i])
				    : fill_member(&rows[i], &layout->members[i]);

		if (!good)
			err = kt_error_no_memory();
	}
	if (!err && n)
		err = render_grid_table(&grid, cli_terminal_width(), color, out);
	for (size_t i = 0; i < n && rows; i++)
		free(rows[i].name);
	return err;
}

static struct kt_error *render_text(const struct types_layout *layout, const char *from,
				    const char *file, bool color, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err;

	kt_buf_printf(&out, "%s ", keyword(layout));
	render_append_visible(&out, layout->name, false);
	kt_buf_printf(&out, ", %" PRIu64 " bytes: %s, ", layout->size, from);
	render_append_visible(&out, file, false);
	kt_buf_appends(&out, "\n\n");
	err = render_rows(layout, color, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

static json_t *json_member(const struct types_member *m)
{
	bool bits = m->placed && m->place.bit_size;
	json_t *json = json_object();

	json_object_set_new(json, "name", *m->name ? kt_json_text(m->name) : json_null());
	json_object_set_new(json, "type", kt_json_text(m->type));
	json_object_set_new(json, "depth", json_integer(m->depth));
	json_object_set_new(json, "offset",
			    m->placed ? json_integer(m->place.offset) : json_null());
	json_object_set_new(json, "size", m->placed ? json_integer(m->place.size) : json_null());
	json_object_set_new(json, "bit_shift",
			    bits ? json_integer(m->place.bit_shift) : json_null());
	json_object_set_new(json, "bit_size", bits ? json_integer(m->place.bit_size) : json_null());
	return json;
}

static struct kt_error *render_json(const struct types_layout *layout, const char *from,
				    const char *file, char **ret)
{
	json_t *root = json_object(), *members = json_array(), *enums = json_array();

	for (size_t i = 0; i < layout->n_members; i++)
		json_array_append_new(members, json_member(&layout->members[i]));
	for (uint32_t i = 0; i < layout->n_enums; i++) {
		json_t *e = json_object();

		json_object_set_new(e, "name", kt_json_text(layout->enums[i].name));
		json_object_set_new(e, "value", json_integer(layout->enums[i].value));
		json_array_append_new(enums, e);
	}
	json_object_set_new(root, "schema", json_string("ktstr-gdb.layout.v1"));
	json_object_set_new(root, "kind", json_string(keyword(layout)));
	json_object_set_new(root, "name", kt_json_text(layout->name));
	json_object_set_new(root, "size", kt_json_u64(layout->size));
	json_object_set_new(root, "same_name", json_integer(layout->same_name));
	json_object_set_new(root, "from", json_string(from));
	json_object_set_new(root, "file", kt_json_text(file));
	json_object_set_new(root, "members", members);
	json_object_set_new(root, "enumerators", enums);
	return kt_json_dump(root, ret);
}

static struct kt_error *describe(const struct layout_options *o, const char *name, const char *path,
				 char **ret)
{
	_cleanup_(sources_close) struct sources sources = {0};
	_cleanup_(types_destroyp) struct types *types = NULL;
	_cleanup_(types_layout_deinit) struct types_layout layout = {0};
	struct kt_error *err = sources_open(&o->sources, &sources);
	const char *from, *file;

	if (!err)
		err = sources_types(&sources, &types, &from);
	if (err)
		return err;
	file = sources_types_path(&sources);
	err = kt_error_wrap(types_describe(types, name, path, &layout), "%s", file);
	if (err)
		return err;
	if (layout.same_name > 1)
		cli_note("there are %u types %s that differ; this is the first%s", layout.same_name,
			 name, path ? " that has the member" : "");
	return o->json ? render_json(&layout, from, file, ret)
		       : render_text(&layout, from, file, cli_color_on(o->color, stdout), ret);
}

/* "struct bpf_prog.aux" is name "bpf_prog", path "aux"; NULL: no path. Cuts text at the dot. */
static struct kt_error *split(char *text, const char **name, const char **path)
{
	static const char *const words[] = {"struct ", "union ", "enum "};
	char *dot;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strncmp(text, words[i], strlen(words[i])))
			text += strlen(words[i]);
	dot = strchr(text, '.');
	if (!*text || dot == text || (dot && !dot[1]))
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "\"%s\" is no type and member",
						  text),
				     "as in bpf_prog, or bpf_prog.aux");
	if (dot)
		*dot = '\0';
	*name = text;
	*path = dot ? dot + 1 : NULL;
	return NULL;
}

static int show(const struct layout_options *o, const char *what)
{
	_cleanup_free_ char *copy = strdup(what), *text = NULL;
	const char *name = NULL, *path = NULL;
	struct kt_error *err = copy ? split(copy, &name, &path) : kt_error_no_memory();

	cli_progress("reading the kernel's types");
	if (!err)
		err = describe(o, name, path, &text);
	cli_progress(NULL);
	return err ? cli_fail(err) : cli_print(text);
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct layout_options *o = context;
	switch (option->value) {
	case CLI_OPT_VMLINUX: o->sources.image = arg; return NULL;
	case CLI_OPT_BTF: o->sources.btf = arg; return NULL;
	case CLI_OPT_JSON: o->json = true; return NULL;
	default: return cli_color_option(arg, &o->color);
	}
}

/* clang-format off */
static const struct cli_option own_options[] = {
	{"vmlinux", CLI_OPT_VMLINUX, "FILE",
	 "a vmlinux (.BTF or DWARF), or a distro's vmlinuz"},
	{"btf", CLI_OPT_BTF, "FILE",
	 "raw BTF, a copy of a /sys/kernel/btf/vmlinux"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	struct layout_options o = {0};
	int status = cli_parse(&cli_layout_command, argc, argv, take_option, &o);

	if (status != CLI_GO_ON)
		return status;
	if (argc - optind != 1)
		return cli_fail(kt_error_hint(kt_error_new(KT_ERROR_USAGE, "layout takes one type"),
					      "as in ktstr-gdb layout bpf_prog --vmlinux FILE"));
	if (!o.sources.image && !o.sources.btf)
		return cli_fail(kt_error_hint(
			kt_error_new(KT_ERROR_USAGE, "nothing tells the kernel's types"),
			"--vmlinux FILE takes a vmlinux or vmlinuz, --btf FILE raw BTF"));
	return show(&o, argv[optind]);
}

/* clang-format off */
const struct cli_command cli_layout_command = {
	.name = "layout",
	.summary = "a struct of a kernel, member by member",
	.section = CLI_NO_GUEST,
	.uses = {{"layout TYPE[.MEMBER] --vmlinux FILE", "a struct of a kernel, member by member"}},
	.synopsis = "layout TYPE[.MEMBER...] --vmlinux FILE [OPTION...]",
	.text = "Prints a struct, union or enum of a kernel: where each member lies, how large it\n"
		"is, and of which type. TYPE is a name, bpf_prog, as well as \"struct bpf_prog\".",
	.groups = {{"Options", own_options, NULL}},
	.examples = {{"ktstr-gdb layout bpf_prog_aux --vmlinux vmlinuz",
		      NULL},
		     {"ktstr-gdb layout bpf_prog_aux.verified_insns --vmlinux vmlinuz",
		      NULL}},
	.see = "pahole(1)",
	.takes = CLI_TAKES_NOTHING,
	.run = run_command,
};
/* clang-format on */
