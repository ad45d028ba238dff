// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/audit.h"
#include "render/grid.h"
#include "render/objects.h"

static const char *const problems[] = {
	[AUDIT_HIDDEN] = "hidden",
	[AUDIT_WITHOUT_ID] = "without_id",
	[AUDIT_NOT_TOLD] = "not_told",
	[AUDIT_ONLY_TOLD] = "only_told",
};

static const char *const kinds[] = {
	[AUDIT_PROG] = "program",
	[AUDIT_MAP] = "map",
	[AUDIT_LINK] = "link",
	[AUDIT_BTF] = "btf",
};

static struct render_cell get_problem(const void *row)
{
	return render_string_cell(problems[((const struct audit_finding *)row)->problem]);
}

static struct render_cell get_kind(const void *row)
{
	return render_string_cell(kinds[((const struct audit_finding *)row)->kind]);
}

static struct render_cell get_id(const void *row)
{
	const struct audit_finding *finding = row;

	return render_number_cell(finding->id, finding->id);
}

/* clang-format off */
static const struct render_column columns[] = {
	{"problem", NULL, "PROBLEM", &render_as_text, RENDER_GET(get_problem), .flags = RENDER_ALWAYS},
	{"kind", NULL, "KIND", &render_as_text, RENDER_GET(get_kind), .flags = RENDER_ALWAYS},
	{"id", NULL, "ID", &render_as_id, RENDER_GET(get_id), .flags = RENDER_ALWAYS},
	{"where", NULL, "WHERE", &render_as_text, RENDER_STRING(struct audit_finding, where),
	 .flags = RENDER_ALWAYS | RENDER_WRAP},
};
/* clang-format on */

static struct render_grid findings_grid(const struct audit_result *result)
{
	return (struct render_grid)RENDER_GRID(columns, result->all, result->n);
}

/* "77 programs, 108 maps, 43 links and 50 BTF objects" */
static void append_counts(struct kt_buf *out, const struct audit_result *result, bool unreached)
{
	size_t left = 0;

	for (size_t kind = 0; kind < AUDIT_N_KINDS; kind++) {
		const struct audit_count *count = &result->counts[kind];
		size_t n = unreached ? count->n_unreached : count->listed;

		if (!n)
			continue;
		kt_buf_printf(out, "%s%zu %s%s", left++ ? ", " : "", n,
			      audit_kind_name((enum audit_kind)kind), n == 1 ? "" : "s");
	}
	if (!left)
		kt_buf_appends(out, "nothing");
}

struct kt_error *render_audit_text(const struct audit_result *result, size_t width, char **ret)
{
	struct render_grid grid = findings_grid(result);
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = NULL;
	size_t unreached = 0;

	if (result->n)
		err = render_grid_table(&grid, width, false, &out);
	if (err) {
		kt_buf_deinit(&out);
		return err;
	}
	kt_buf_appends(&out, "The kernel lists ");
	append_counts(&out, result, false);
	kt_buf_printf(&out, ".\n%s\n",
		      result->n ? "Not all that it runs or holds is told."
				: "All that was found to run or to be held is among them.");
	for (size_t kind = 0; kind < AUDIT_N_KINDS; kind++)
		unreached += result->counts[kind].n_unreached;
	if (unreached) {
		kt_buf_appends(&out, "Nothing that was looked at leads to ");
		append_counts(&out, result, true);
		kt_buf_appends(&out, " of those: something else holds them.\n");
	}
	return kt_buf_finish(&out, ret);
}

static json_t *counts_json(const struct audit_result *result)
{
	json_t *root = json_object();

	for (size_t kind = 0; kind < AUDIT_N_KINDS; kind++) {
		const struct audit_count *count = &result->counts[kind];
		json_t *object = json_object(), *ids = json_array();

		for (size_t i = 0; i < count->n_unreached; i++)
			json_array_append_new(ids, json_integer(count->unreached[i]));
		json_object_set_new(object, "listed", json_integer((json_int_t)count->listed));
		json_object_set_new(object, "unreached", ids);
		json_object_set_new(root, kinds[kind], object);
	}
	return root;
}

struct kt_error *render_audit_json(const struct audit_result *result,
				   const struct render_guest *guest, char **ret)
{
	struct render_grid grid = findings_grid(result);
	json_t *root = render_objects_document(&grid, "audit", guest);

	json_object_set_new(root, "lists", counts_json(result));
	return kt_json_dump(root, ret);
}
