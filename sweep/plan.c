// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fnmatch.h>
#include <libconfig.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/fetch.h"
#include "sweep/plan.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/path.h"
#include "vm/workload.h"

#define ENTRIES_MAX 1000
#define FILE_MAX    (1u << 20) /* bytes */

/* State while the file is read. */
struct reader {
	const char *path;
	char *dir; /* of the file: relative paths in it begin here */
	config_t config;
	struct sweep_plan *plan;
};

static void strings_deinit(struct sweep_strings *strings)
{
	kt_vec_for_each (&strings->v, string)
		free(*string);
	kt_vec_free(&strings->v);
}

static void scheduler_deinit(struct sweep_scheduler *s)
{
	free(s->name);
	free(s->scheduler);
	strings_deinit(&s->args);
	strings_deinit(&s->files);
	strings_deinit(&s->objects);
	strings_deinit(&s->set);
	free(s->rodata);
	free(s->workload);
}

void sweep_plan_deinit(struct sweep_plan *plan)
{
	kt_vec_for_each (&plan->schedulers, s)
		scheduler_deinit(s);
	kt_vec_for_each (&plan->kernels, k) {
		free(k->name);
		free(k->image);
	}
	kt_vec_free(&plan->schedulers);
	kt_vec_free(&plan->kernels);
	kt_vec_free(&plan->topologies);
	free(plan->path);
	free(plan->accel);
	free(plan->append);
	free(plan->workload);
	*plan = (struct sweep_plan){0};
}

__attribute__((format(printf, 3, 4))) static struct kt_error *
wrong(const struct reader *r, const config_setting_t *at, const char *fmt, ...)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	return kt_error_new(KT_ERROR_FORMAT, "%s:%u: %s", r->path,
			    at ? config_setting_source_line(at) : 0, text.data ? text.data : "");
}

/* Refuses a setting that is not one of these names: most likely it is misspelt. */
static struct kt_error *check_names(const struct reader *r, const config_setting_t *group,
				    const char *const *names)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(s);
		_cleanup_(kt_buf_deinit) struct kt_buf known = KT_BUF_INIT;
		bool found = false;

		for (size_t n = 0; names[n]; n++) {
			found |= name && !strcmp(name, names[n]);
			kt_buf_printf(&known, "%s%s", n ? ", " : "", names[n]);
		}
		if (!found)
			return wrong(r, s, "\"%.60s\" is no setting here; there are %s",
				     name ? name : "", known.data ? known.data : "");
	}
	return NULL;
}

static struct kt_error *take_string(const struct reader *r, const config_setting_t *s, char **ret)
{
	const char *text = config_setting_get_string(s);

	if (!text || !text[0])
		return wrong(r, s, "a string is expected, in quotes");
	*ret = strdup(text);
	return *ret ? NULL : kt_error_no_memory();
}

/* Makes a path of the file absolute. */
static struct kt_error *take_path(const struct reader *r, const config_setting_t *s, char **ret)
{
	const char *text = config_setting_get_string(s);

	if (!text || !text[0])
		return wrong(r, s, "a path is expected, in quotes");
	if (text[0] == '/')
		*ret = strdup(text);
	else if (asprintf(ret, "%s/%s", r->dir, text) < 0)
		*ret = NULL;
	return *ret ? NULL : kt_error_no_memory();
}

static struct kt_error *take_workload(const struct reader *r, const config_setting_t *s, char **ret)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = take_string(r, s, &text), *known;

	if (err)
		return err;
	err = vm_workload_absolute(text, r->dir, ret);
	if (!err || kt_error_code(err) != KT_ERROR_USAGE)
		return err;
	known = kt_error_hint(wrong(r, s, "%s", kt_error_message(err)), "%s",
			      kt_error_hint_text(err) ? kt_error_hint_text(err) : "");
	kt_error_destroy(err);
	return known;
}

typedef struct kt_error *take_text_fn(const struct reader *r, const config_setting_t *s,
				      char **ret);

static struct kt_error *take_strings(const struct reader *r, const config_setting_t *s,
				     take_text_fn *take, struct sweep_strings *ret)
{
	if (!config_setting_is_aggregate(s) || config_setting_is_group(s))
		return wrong(r, s, "a list of strings is expected: [\"one\", \"two\"]");
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *item = config_setting_get_elem(s, (unsigned)i);
		char *text = NULL;
		struct kt_error *err;

		if (i == ENTRIES_MAX)
			return wrong(r, item, "more than %d entries", ENTRIES_MAX);
		err = take(r, item, &text);
		if (err)
			return err;
		if (!kt_vec_push(&ret->v, text)) {
			free(text);
			return kt_error_no_memory();
		}
	}
	return NULL;
}

static struct kt_error *take_number(const struct reader *r, const config_setting_t *s, int min,
				    unsigned *ret)
{
	int value = config_setting_get_int(s);

	if (config_setting_type(s) != CONFIG_TYPE_INT || value < min || value > 1000000)
		return wrong(r, s, "a whole number from %d to 1000000 is expected", min);
	*ret = (unsigned)value;
	return NULL;
}

/* Reads a range: [4, 64] is from 4 to 64; [4, 0] is 4 or more. */
static struct kt_error *take_range(const struct reader *r, const config_setting_t *s,
				   struct sweep_range *ret)
{
	struct sweep_range range;
	struct kt_error *err;

	if (!config_setting_is_array(s) || config_setting_length(s) != 2)
		return wrong(r, s, "a range is expected: [LEAST, MOST], with 0 for no limit");
	err = take_number(r, config_setting_get_elem(s, 0), 0, &range.min);
	if (!err)
		err = take_number(r, config_setting_get_elem(s, 1), 0, &range.max);
	if (!err && range.max && range.max < range.min)
		err = wrong(r, s, "an empty range: %u is more than %u", range.min, range.max);
	if (!err)
		*ret = range;
	return err;
}

/* Checks a name, which becomes a part of a cell's name and of a file's. */
static struct kt_error *check_name(const struct reader *r, const config_setting_t *at,
				   const char *name)
{
	for (const char *p = name; *p; p++)
		if (*p == '/' || (unsigned char)*p < ' ' || *p == 127)
			return wrong(r, at, "the name \"%.60s\" has a \"/\" or a control character",
				     name);
	return strlen(name) > 100 ? wrong(r, at, "the name \"%.60s...\" is too long", name) : NULL;
}

/* --- schedulers --- */

static struct kt_error *take_scheduler_setting(const struct reader *r, const config_setting_t *s,
					       struct sweep_scheduler *ret)
{
	const char *name = config_setting_name(s);

	if (!strcmp(name, "name"))
		return take_string(r, s, &ret->name);
	if (!strcmp(name, "scheduler"))
		return take_path(r, s, &ret->scheduler);
	if (!strcmp(name, "args"))
		return take_strings(r, s, take_string, &ret->args);
	if (!strcmp(name, "files"))
		return take_strings(r, s, take_path, &ret->files);
	if (!strcmp(name, "objects"))
		return take_strings(r, s, take_path, &ret->objects);
	if (!strcmp(name, "cpus"))
		return take_range(r, s, &ret->cpus);
	if (!strcmp(name, "llcs"))
		return take_range(r, s, &ret->llcs);
	if (!strcmp(name, "numa_nodes"))
		return take_range(r, s, &ret->numa_nodes);
	if (!strcmp(name, "workload"))
		return take_workload(r, s, &ret->workload);
	return NULL; /* sets: when the rest is known */
}

/* Adds *s to the plan, which owns it then. Not after an error. */
static struct kt_error *add_scheduler(const struct reader *r, const config_setting_t *at,
				      struct sweep_scheduler *s)
{
	s->line = config_setting_source_line(at);
	kt_vec_for_each (&r->plan->schedulers, other)
		if (!strcmp(other->name, s->name))
			return wrong(r, at, "there is a scheduler \"%.60s\" already", s->name);
	if (r->plan->schedulers.len == ENTRIES_MAX)
		return wrong(r, at, "more than %d schedulers, with their sets", ENTRIES_MAX);
	if (!kt_vec_push(&r->plan->schedulers, *s))
		return kt_error_no_memory();
	*s = (struct sweep_scheduler){0};
	return NULL;
}

static struct kt_error *finish_scheduler(const struct reader *r, const config_setting_t *group,
					 struct sweep_scheduler *s)
{
	if (!s->scheduler == !s->objects.v.len)
		return wrong(r, group, "either scheduler = \"PATH\" or objects = [\"PATH\"]");
	if (!s->scheduler && (s->args.v.len || s->files.v.len))
		return wrong(r, group, "args and files are for what is run, not for objects");
	if (!s->scheduler && s->workload)
		return wrong(r, group, "a workload is for a scheduler, not for objects");
	if (!s->name)
		s->name = strdup(kt_base_name(s->scheduler ? s->scheduler : s->objects.v.data[0]));
	if (!s->name)
		return kt_error_no_memory();
	s->entry_len = strlen(s->name);
	return check_name(r, group, s->name);
}

/* --- sets of values for the variables of objects --- */

/* "VAR=VALUE", or "@FILE" with one a line. A VALUE may be "@FILE", too. */
static struct kt_error *take_assignment(const struct reader *r, const config_setting_t *s,
					char **ret)
{
	const char *text = config_setting_get_string(s);
	const char *file = text;

	if (text && text[0] != '@') {
		file = strchr(text, '=');
		file = file && file > text ? file + 1 + strspn(file + 1, " \t") : NULL;
	}
	if (!file || !file[file[0] == '@'])
		return wrong(r, s, "\"VAR=VALUE\" or \"@FILE\" is expected, in quotes");
	if (file[0] != '@' || file[1] == '/')
		*ret = strdup(text);
	else if (asprintf(ret, "%.*s@%s/%s", (int)(file - text), text, r->dir, file + 1) < 0)
		*ret = NULL;
	return *ret ? NULL : kt_error_no_memory();
}

static bool copy_strings(const struct sweep_strings *from, struct sweep_strings *to)
{
	kt_vec_for_each (&from->v, string) {
		char *copy = strdup(*string);

		if (!copy || !kt_vec_push(&to->v, copy)) {
			free(copy);
			return false;
		}
	}
	return true;
}

static struct kt_error *fill_set(const struct reader *r, const config_setting_t *group,
				 const struct sweep_scheduler *entry, struct sweep_scheduler *ret)
{
	const config_setting_t *set = config_setting_get_member(group, "set");
	const config_setting_t *rodata = config_setting_get_member(group, "rodata");
	const config_setting_t *named = config_setting_get_member(group, "name");
	_cleanup_free_ char *name = NULL;
	struct kt_error *err;

	if (!named)
		return wrong(r, group, "a set has a name: { name = \"n1\"; set = [\"VAR=1\"]; }");
	err = take_string(r, named, &name);
	if (!err && asprintf(&ret->name, "%s+%s", entry->name, name) < 0) {
		ret->name = NULL;
		err = kt_error_no_memory();
	}
	if (!err)
		err = check_name(r, named, ret->name);
	if (!err && set)
		err = take_strings(r, set, take_assignment, &ret->set);
	if (!err && rodata)
		err = take_path(r, rodata, &ret->rodata);
	if (!err && !copy_strings(&entry->objects, &ret->objects))
		err = kt_error_no_memory();
	ret->entry_len = entry->entry_len;
	ret->cpus = entry->cpus;
	ret->llcs = entry->llcs;
	ret->numa_nodes = entry->numa_nodes;
	return err;
}

/* Adds the entry with the values of one of its sets. */
static struct kt_error *take_set(const struct reader *r, const config_setting_t *group,
				 const struct sweep_scheduler *entry)
{
	static const char *const names[] = {"name", "set", "rodata", NULL};
	struct sweep_scheduler s = {0};
	struct kt_error *err;

	if (!config_setting_is_group(group))
		return wrong(r, group, "a set is expected: { name = \"n1\"; set = [\"VAR=1\"]; }");
	err = check_names(r, group, names);
	if (!err)
		err = fill_set(r, group, entry, &s);
	if (!err)
		err = add_scheduler(r, group, &s);
	scheduler_deinit(&s);
	return err;
}

static struct kt_error *take_sets(const struct reader *r, const config_setting_t *sets,
				  const struct sweep_scheduler *entry)
{
	struct kt_error *err = NULL;

	if (entry->scheduler)
		return wrong(r, sets, "sets are for objects; a scheduler sets its own variables");
	if (!config_setting_is_list(sets) || !config_setting_length(sets))
		return wrong(r, sets,
			     "sets are expected: ( { name = \"n1\"; set = [\"VAR=1\"]; } )");
	for (int i = 0; !err && i < config_setting_length(sets); i++)
		err = take_set(r, config_setting_get_elem(sets, (unsigned)i), entry);
	return err;
}

static struct kt_error *take_scheduler(const struct reader *r, const config_setting_t *group)
{
	static const char *const names[] = {"name",    "scheduler", "args", "files",
					    "objects", "cpus",      "llcs", "numa_nodes",
					    "sets",    "workload",  NULL};
	const config_setting_t *sets = config_setting_get_member(group, "sets");
	struct sweep_scheduler s = {0};
	struct kt_error *err;

	if (!config_setting_is_group(group))
		return wrong(r, group, "a scheduler is expected: { scheduler = \"PATH\"; }");
	err = check_names(r, group, names);
	for (int i = 0; !err && i < config_setting_length(group); i++)
		err = take_scheduler_setting(r, config_setting_get_elem(group, (unsigned)i), &s);
	if (!err)
		err = finish_scheduler(r, group, &s);
	if (!err)
		err = sets ? take_sets(r, sets, &s) : add_scheduler(r, group, &s);
	scheduler_deinit(&s);
	return err;
}

/* --- kernels --- */

/*
 * "debian:trixie-backports/6.18" is called "trixie-backports-6.18", "ubuntu:noble" "ubuntu-noble":
 * it becomes a part of file names.
 */
static char *kernel_name(const char *image)
{
	size_t prefix = kt_fetch_prefix(image);
	bool is_cut = !strncmp(image, "debian:", prefix);
	char *name;

	if (!prefix)
		return strdup(kt_base_name(image));
	name = strdup(is_cut ? image + prefix : image);
	for (char *p = name; p && *p; p++)
		if (*p == '/' || (!is_cut && p == name + prefix - 1))
			*p = '-';
	return name;
}

static struct kt_error *take_image(const struct reader *r, const config_setting_t *s, char **ret)
{
	const char *text = config_setting_get_string(s);

	_cleanup_(kt_fetch_deinit) struct kt_fetch fetch = {0};
	bool fetched = text && kt_fetch_prefix(text);
	struct kt_error *err;

	if (text && !fetched && text[strcspn(text, ":/")] == ':')
		return wrong(r, s,
			     "\"%.60s\" is no kernel: debian:SUITE, debian:SUITE/SERIES (ubuntu: "
			     "and fedora: likewise), or a path (./%.60s)",
			     text, text);
	if (!fetched)
		return take_path(r, s, ret);
	err = kt_fetch_parse(text, &fetch);
	if (err) {
		kt_error_destroy(err);
		return wrong(
			r, s,
			"\"%.60s\" is no kernel: debian:SUITE, or debian:SUITE/SERIES; ubuntu: and fedora: likewise",
			text);
	}
	*ret = strdup(text);
	return *ret ? NULL : kt_error_no_memory();
}

static struct kt_error *take_kernel(const struct reader *r, const config_setting_t *s)
{
	static const char *const names[] = {"name", "image", NULL};
	const config_setting_t *image = s, *name = NULL;
	struct sweep_kernel k = {0};
	struct kt_error *err = NULL;

	if (config_setting_is_group(s)) {
		err = check_names(r, s, names);
		image = config_setting_get_member(s, "image");
		name = config_setting_get_member(s, "name");
		if (!err && !image)
			err = wrong(
				r, s,
				"which image? image = \"PATH\" or \"debian:SUITE\" (or ubuntu:, fedora:)");
	}
	if (!err)
		err = take_image(r, image, &k.image);
	if (!err && name)
		err = take_string(r, name, &k.name);
	if (!err && !name && !(k.name = kernel_name(k.image)))
		err = kt_error_no_memory();
	if (!err)
		err = check_name(r, s, k.name);
	kt_vec_for_each (&r->plan->kernels, other)
		if (!err && !strcmp(other->name, k.name))
			err = wrong(r, s, "there is a kernel \"%.60s\" already; give it a name",
				    k.name);
	if (!err && !kt_vec_push(&r->plan->kernels, k))
		err = kt_error_no_memory();
	if (err) {
		free(k.name);
		free(k.image);
	}
	return err;
}

/* --- topologies --- */

static struct kt_error *take_topology(const struct reader *r, const config_setting_t *s)
{
	const char *name = config_setting_get_string(s);
	const struct vm_topology *topology = name ? vm_topology_by_name(name) : NULL;

	if (!topology)
		return kt_error_hint(wrong(r, s, "\"%.60s\" is no topology preset",
					   name ? name : "(no string)"),
				     "`ktstr-gdb collect --topology list` has them");
	kt_vec_for_each (&r->plan->topologies, other)
		if (*other == topology)
			return wrong(r, s, "%s is there already", name);
	return kt_vec_push(&r->plan->topologies, topology) ? NULL : kt_error_no_memory();
}

/* --- the file --- */

static struct kt_error *take_list(const struct reader *r, const config_setting_t *s,
				  struct kt_error *(*take)(const struct reader *r,
							   const config_setting_t *s))
{
	struct kt_error *err = NULL;

	if (!config_setting_is_list(s) && !config_setting_is_array(s))
		return wrong(r, s, "a list is expected: ( ..., ... )");
	if (config_setting_length(s) > ENTRIES_MAX)
		return wrong(r, s, "more than %d entries", ENTRIES_MAX);
	for (int i = 0; !err && i < config_setting_length(s); i++)
		err = take(r, config_setting_get_elem(s, (unsigned)i));
	return err;
}

static struct kt_error *take_setting(const struct reader *r, const config_setting_t *s)
{
	const char *name = config_setting_name(s);

	if (!strcmp(name, "schedulers"))
		return take_list(r, s, take_scheduler);
	if (!strcmp(name, "kernels"))
		return take_list(r, s, take_kernel);
	if (!strcmp(name, "topologies"))
		return take_list(r, s, take_topology);
	if (!strcmp(name, "timeout"))
		return take_number(r, s, 1, &r->plan->timeout_s);
	if (!strcmp(name, "retries"))
		return take_number(r, s, 0, &r->plan->retries);
	if (!strcmp(name, "accel"))
		return take_string(r, s, &r->plan->accel);
	if (!strcmp(name, "workload"))
		return take_workload(r, s, &r->plan->workload);
	return take_string(r, s, &r->plan->append);
}

static struct kt_error *take_all(const struct reader *r)
{
	static const char *const names[] = {"schedulers", "kernels",  "topologies",
					    "timeout",    "retries",  "accel",
					    "append",     "workload", NULL};
	const config_setting_t *root = config_root_setting(&r->config);
	struct kt_error *err = check_names(r, root, names);

	for (int i = 0; !err && i < config_setting_length(root); i++)
		err = take_setting(r, config_setting_get_elem(root, (unsigned)i));
	if (!err && !r->plan->schedulers.len)
		err = kt_error_new(KT_ERROR_FORMAT, "%s: no schedulers are declared", r->path);
	if (!err && !r->plan->kernels.len)
		err = kt_error_new(KT_ERROR_FORMAT, "%s: no kernels are declared", r->path);
	if (!err && !r->plan->topologies.len)
		err = kt_error_new(KT_ERROR_FORMAT, "%s: no topologies are declared", r->path);
	return err;
}

static struct kt_error *parse(struct reader *r)
{
	_cleanup_fclose_ FILE *file = fopen(r->path, "re");
	struct stat st;

	if (!file || fstat(fileno(file), &st))
		return kt_error_os(errno, "cannot read the sweep file %s", r->path);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "%s is no sweep file: %s", r->path,
				    S_ISREG(st.st_mode) ? "it is too large"
							: "it is no regular file");
	if (config_read(&r->config, file) != CONFIG_TRUE)
		return kt_error_new(KT_ERROR_FORMAT, "%s:%d: %s", r->path,
				    config_error_line(&r->config), config_error_text(&r->config));
	return NULL;
}

/* The directory of an absolute path. */
static char *directory_of(const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	return len ? strndup(path, len) : strdup("/");
}

struct kt_error *sweep_plan_read(const char *path, struct sweep_plan *ret)
{
	struct sweep_plan plan = {0};
	struct reader r = {.path = path, .plan = &plan};
	struct kt_error *err;

	/* Absolute: an engine runs a cell in another working directory. */
	plan.path = realpath(path, NULL);
	if (!plan.path)
		return kt_error_hint(
			kt_error_os(errno, "cannot read the sweep file %s", path),
			"it declares what is swept; `ktstr-gdb sweep --help` shows one");
	r.dir = directory_of(plan.path);
	config_init(&r.config);
	err = r.dir ? parse(&r) : kt_error_no_memory();
	if (!err)
		err = take_all(&r);
	config_destroy(&r.config);
	free(r.dir);
	if (err)
		sweep_plan_deinit(&plan);
	else
		*ret = plan;
	return err;
}

/* --- cells --- */

static bool within(unsigned value, const struct sweep_range *range)
{
	return value >= range->min && (!range->max || value <= range->max);
}

static bool allows(const struct sweep_scheduler *s, const struct vm_topology *t)
{
	return within(t->cpus, &s->cpus) && within(t->llcs, &s->llcs) &&
	       within(t->numa_nodes, &s->numa_nodes);
}

#define PREFIX "verifier/"

static bool matches(const char *name, const char *const *globs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(globs[i], name, 0) || !fnmatch(globs[i], name + strlen(PREFIX), 0))
			return true;
	return !n;
}

static struct kt_error *add_cell(struct sweep_cells *cells, const struct sweep_cell *like,
				 const char *const *globs, size_t n)
{
	struct sweep_cell cell = *like;
	bool chosen;

	if (!allows(cell.scheduler, cell.topology)) {
		cells->n_rejected++;
		return NULL;
	}
	if (asprintf(&cell.name, PREFIX "%s/%s/%s", cell.scheduler->name, cell.kernel->name,
		     cell.topology->name) < 0)
		return kt_error_no_memory();
	chosen = matches(cell.name, globs, n);
	if (chosen && kt_vec_push(&cells->v, cell))
		return NULL;
	free(cell.name);
	return chosen ? kt_error_no_memory() : NULL;
}

bool sweep_scheduler_is(const struct sweep_scheduler *s, const char *name)
{
	return !strcmp(s->name, name) ||
	       (strlen(name) == s->entry_len && !strncmp(s->name, name, s->entry_len));
}

struct kt_error *sweep_plan_cells(const struct sweep_plan *plan, const char *const *globs, size_t n,
				  const char *scheduler, struct sweep_cells *ret)
{
	struct sweep_cells cells = {0};
	struct kt_error *err = NULL;

	kt_vec_for_each (&plan->schedulers, s) {
		if (scheduler && !sweep_scheduler_is(s, scheduler))
			continue;
		kt_vec_for_each (&plan->kernels, k)
			kt_vec_for_each (&plan->topologies, t)
				if (!err)
					err = add_cell(&cells,
						       &(struct sweep_cell){.scheduler = s,
									    .kernel = k,
									    .topology = *t},
						       globs, n);
	}
	if (err)
		sweep_cells_deinit(&cells);
	else
		*ret = cells;
	return err;
}

void sweep_cells_deinit(struct sweep_cells *cells)
{
	kt_vec_for_each (&cells->v, cell)
		free(cell->name);
	kt_vec_free(&cells->v);
	*cells = (struct sweep_cells){0};
}
