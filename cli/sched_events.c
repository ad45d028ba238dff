// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/sched_events.h"
#include "introspect/typed.h"
#include "render/sched_dump.h"
#include "render/sched_event.h"
#include "util/cleanup.h"
#include "util/io.h"

/* --- the file of --dump --- */

static const char *what_it_is(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return "a directory";
	case S_IFCHR: return "a character device";
	case S_IFBLK: return "a block device";
	case S_IFIFO: return "a pipe";
	case S_IFSOCK: return "a socket";
	default: return "no regular file";
	}
}

/* A dump takes the place of a file that is there, which must not be a device, or a pipe. */
static struct kt_error *check_kind(const char *file)
{
	struct stat st;

	if (stat(file, &st) || S_ISREG(st.st_mode))
		return NULL;
	return kt_error_new(KT_ERROR_USAGE,
			    "%s is %s: --dump takes a regular file, or a name that is free", file,
			    what_it_is(st.st_mode));
}

char *cli_sched_events_dir(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (!slash)
		return strdup(".");
	return slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
}

struct kt_error *cli_sched_events_check(const char *file)
{
	_cleanup_free_ char *dir = cli_sched_events_dir(file);
	struct kt_error *err = dir ? check_kind(file) : kt_error_no_memory();

	if (!err && (!*file || file[strlen(file) - 1] == '/'))
		return kt_error_new(KT_ERROR_USAGE, "--dump takes the name of a file, not \"%s\"",
				    file);
	/* A file is made in its directory, and renamed. */
	if (!err && faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS))
		err = kt_error_os(errno, "--dump %s: cannot write to its directory %s", file, dir);
	return err;
}

/* --- what is in it --- */

static json_t *value_json(const void *types, const uint8_t *data)
{
	return typed_value_json(types, data);
}

/* The variables of one section by their names; NULL: its types are damaged, or it has none. */
static struct kt_error *section_json(const struct map_dump *dump, json_t **ret)
{
	struct typed *typed = NULL;
	struct kt_error *err = typed_create(dump, &typed);

	*ret = NULL;
	if (err && kt_error_code(err) == KT_ERROR_FORMAT) {
		kt_error_destroy(err);
		return NULL;
	}
	if (err)
		return err;
	if (typed && dump->n && dump->states[0] == MAP_THERE)
		*ret = value_json(typed, dump->values);
	typed_destroy(typed);
	return NULL;
}

static struct kt_error *variables_json(const struct sched_dump *dump, json_t ***ret)
{
	json_t **all = calloc(dump->n_sections + 1, sizeof(json_t *));
	struct kt_error *err = all ? NULL : kt_error_no_memory();

	for (size_t i = 0; !err && i < dump->n_sections; i++)
		err = section_json(&dump->sections[i].dump, &all[i]);
	*ret = all;
	return err;
}

struct kt_error *cli_sched_dump_json(const struct kfacts *facts, int64_t kaslr_offset,
				     const struct sched_event *event, char **ret)
{
	json_t **variables = NULL;
	struct kt_error *err = variables_json(event->dump, &variables);

	if (!err)
		err = render_sched_dump_json(event, kfacts_kernel(facts)->release, kaslr_offset,
					     variables, ret);
	for (size_t i = 0; variables && i < event->dump->n_sections; i++)
		json_decref(variables[i]);
	free(variables);
	return err;
}

struct kt_error *cli_sched_dump_write(const char *path, const char *text)
{
	struct kt_error *err = check_kind(path);

	/* What is in it comes from the memory of a guest. */
	return err ? err : kt_replace_file(path, text, strlen(text), 0600, false);
}

static struct kt_error *write_dump(const struct cli_session *session, int64_t kaslr_offset,
				   const struct sched_event *event, const char *path)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = cli_sched_dump_json(session->facts, kaslr_offset, event, &text);

	return err ? err : cli_sched_dump_write(path, text);
}

static struct kt_error *name_file(const struct cli_sched_events *events, char **ret)
{
	if (events->n_dumps < 2)
		*ret = strdup(events->dump);
	else if (asprintf(ret, "%s.%u", events->dump, events->n_dumps) < 0)
		*ret = NULL;
	return *ret ? NULL : kt_error_no_memory();
}

/* The file's name in *ret; NULL, and events->unsaved: it could not be saved. */
static void save(struct cli_sched_events *events, const struct cli_session *session,
		 int64_t kaslr_offset, const struct sched_event *event, char **ret)
{
	_cleanup_free_ char *file = NULL;
	struct kt_error *err = name_file(events, &file);

	if (!err)
		err = kt_error_wrap(write_dump(session, kaslr_offset, event, file),
				    "cannot save the dump to %s", file);
	if (!err)
		*ret = kt_take_ptr(file);
	events->lost = events->lost || err;
	events->unsaved = kt_error_join(events->unsaved, err);
}

/* What the kernel says of the end by now: the dump of that scheduler gets it. */
static void complete(struct cli_sched_events *events, struct sched_event *gone)
{
	struct sched_event *last = &events->last;
	const struct scx_exit early = last->exit;

	if (!gone->exit.kind.known)
		return;
	/* Both events keep what they own. */
	last->exit = gone->exit;
	gone->exit = early;
}

struct kt_error *cli_sched_event(struct cli_sched_events *events, const struct cli_session *session,
				 int64_t kaslr_offset, struct sched_event *event, char **ret)
{
	_cleanup_free_ char *file = NULL, *again = NULL;
	struct kt_error *err;

	if (events->dump && event->dump) {
		events->n_dumps++;
		save(events, session, kaslr_offset, event, &file);
	}
	err = events->json ? render_sched_event_json(event, file, ret)
			   : render_sched_event_line(event, ret);
	if (!err && event->kind == SCHED_DISABLED && events->dump && events->last.dump &&
	    events->last.scheduler == event->scheduler) {
		complete(events, event);
		save(events, session, kaslr_offset, &events->last, &again);
	}
	events->shown++;
	if (event->dump) {
		sched_event_deinit(&events->last);
		events->last = *event;
		*event = (struct sched_event){0};
	}
	sched_event_deinit(event);
	return err;
}

void cli_sched_events_tell(struct cli_sched_events *events)
{
	if (events->unsaved)
		cli_fail(kt_take_ptr(events->unsaved));
}

void cli_sched_events_deinit(struct cli_sched_events *events)
{
	sched_event_deinit(&events->last);
	kt_error_destroy(kt_take_ptr(events->unsaved));
}
