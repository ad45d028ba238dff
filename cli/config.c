// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/config.h"

#include <errno.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "util/cleanup.h"
#include "util/edits.h"
#include "util/vec.h"

#define FILE_MAX (1 << 20) /* bytes */

/* It is there until the process ends. */
static struct {
	bool read;
	config_t file;
	struct cli_config values;
	KT_VEC(const char *) kernels;
	const config_setting_t *columns; /* NULL: none */
} config;

char *cli_config_path(void)
{
	const char *told = getenv("KTSTR_GDB_CONFIG"), *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char *path;
	int n;

	if (told)
		return strdup(told);
	if (xdg && xdg[0] == '/')
		n = asprintf(&path, "%s/ktstr-gdb/config", xdg);
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.config/ktstr-gdb/config", home);
	else
		return NULL;
	return n < 0 ? NULL : path;
}

/* --- settings --- */

static struct kt_error *wrong(const char *path, const config_setting_t *at, const char *why)
{
	return kt_error_new(KT_ERROR_USAGE, "%s:%d: %s", path, config_setting_source_line(at), why);
}

static struct kt_error *take_text(const char *path, const config_setting_t *at, const char **ret)
{
	*ret = config_setting_get_string(at);
	return *ret ? NULL : wrong(path, at, "this has to be a text in quotes");
}

static struct kt_error *take_kernels(const char *path, const config_setting_t *at)
{
	const char *one = config_setting_get_string(at);

	if (one)
		return kt_vec_push(&config.kernels, one) ? NULL : kt_error_no_memory();
	for (int i = 0; i < config_setting_length(at); i++) {
		one = config_setting_get_string_elem(at, i);
		if (!one)
			break;
		if (!kt_vec_push(&config.kernels, one))
			return kt_error_no_memory();
	}
	return config.kernels.len ? NULL
				  : wrong(path, at, "kernel is a text, or an array of texts");
}

static struct kt_error *take_columns(const char *path, const config_setting_t *at)
{
	if (!config_setting_is_group(at))
		return wrong(path, at, "columns is a group: { attach = \"id,name\"; }");
	for (int i = 0; i < config_setting_length(at); i++) {
		const config_setting_t *one = config_setting_get_elem(at, (unsigned)i);
		const char *text;
		struct kt_error *err = take_text(path, one, &text);

		if (err)
			return err;
		if (!cli_command_find(config_setting_name(one)))
			return kt_error_new(KT_ERROR_USAGE,
					    "%s:%d: columns of \"%s\": there is no such command",
					    path, config_setting_source_line(one),
					    config_setting_name(one));
	}
	config.columns = at;
	return NULL;
}

static struct kt_error *no_setting(const char *path, const config_setting_t *at, const char *name)
{
	static const char *const names[] = {"target", "kernel", "accel", "color", "columns"};
	struct kt_nearest nearest = {0};
	struct kt_error *err;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		kt_nearest_try(&nearest, name, strlen(name), names[i]);
	err = kt_error_new(KT_ERROR_USAGE, "%s:%d: there is no setting \"%s\"", path,
			   config_setting_source_line(at), name);
	return nearest.name
		       ? kt_error_hint(err, "did you mean %s?", nearest.name)
		       : kt_error_hint(err, "there are target, kernel, accel, color and columns");
}

static struct kt_error *take(const char *path, const config_setting_t *at)
{
	const char *name = config_setting_name(at);

	if (strcmp(name, "target") == 0)
		return take_text(path, at, &config.values.target);
	if (strcmp(name, "accel") == 0)
		return take_text(path, at, &config.values.accel);
	if (strcmp(name, "color") == 0)
		return take_text(path, at, &config.values.color);
	if (strcmp(name, "kernel") == 0)
		return take_kernels(path, at);
	if (strcmp(name, "columns") == 0)
		return take_columns(path, at);
	return no_setting(path, at, name);
}

/* --- the file --- */

static struct kt_error *parse(const char *path, FILE *file)
{
	const config_setting_t *root;
	struct kt_error *err = NULL;
	struct stat st;

	if (fstat(fileno(file), &st) || S_ISDIR(st.st_mode) || st.st_size > FILE_MAX)
		return kt_error_new(KT_ERROR_USAGE, "%s is no file of settings", path);
	if (config_read(&config.file, file) != CONFIG_TRUE)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "%s:%d: %s", path,
						  config_error_line(&config.file),
						  config_error_text(&config.file)),
				     "texts stand in quotes, and a setting ends with a semicolon");
	root = config_root_setting(&config.file);
	for (int i = 0; !err && i < config_setting_length(root); i++)
		err = take(path, config_setting_get_elem(root, (unsigned)i));
	config.values.kernels = config.kernels.data;
	config.values.n_kernels = config.kernels.len;
	return err;
}

struct kt_error *cli_config(const struct cli_config **ret)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	struct kt_error *err = NULL;

	*ret = &config.values;
	if (config.read)
		return NULL;
	config.read = true;
	config_init(&config.file);
	path = cli_config_path();
	if (!path)
		return NULL;
	file = fopen(path, "re");
	if (file)
		err = parse(path, file);
	else if ((errno != ENOENT && errno != ENOTDIR) || getenv("KTSTR_GDB_CONFIG"))
		err = kt_error_os(errno, "cannot read the settings in %s", path);
	return err;
}

const char *cli_config_columns(const char *command)
{
	const config_setting_t *at;

	at = config.columns ? config_setting_get_member(config.columns, command) : NULL;
	return at ? config_setting_get_string(at) : NULL;
}
