// SPDX-License-Identifier: LGPL-2.1-or-later
#include <jansson.h>
#include <string.h>

#include "host/options.h"
#include "util/buf.h"
#include "util/cleanup.h"

bool host_options_add(struct host_options *options, const char *key, const char *value)
{
	struct host_option option = {strdup(key), strdup(value)};

	if (option.key && option.value && kt_vec_push(&options->v, option))
		return true;
	free(option.key);
	free(option.value);
	return false;
}

void host_options_deinit(struct host_options *options)
{
	kt_vec_for_each (&options->v, option) {
		free(option->key);
		free(option->value);
	}
	kt_vec_free(&options->v);
}

const char *host_options_get(const struct host_options *options, const char *key)
{
	for (size_t i = options->v.len; i-- > 0;)
		if (strcmp(options->v.data[i].key, key) == 0)
			return options->v.data[i].value;
	return NULL;
}

bool host_options_on(const struct host_options *options, const char *key)
{
	const char *value = host_options_get(options, key);

	return value && (!strcmp(value, "on") || !strcmp(value, "yes") || !strcmp(value, "true") ||
			 !strcmp(value, "y"));
}

static bool parse_json(struct host_options *options, const char *text)
{
	json_t *root = json_loads(text, 0, NULL), *value;
	const char *key;
	bool ok = true;

	/* json_object_foreach() does nothing for what is no object. */
	json_object_foreach(root, key, value)
	{
		char number[32];

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		if (json_is_string(value))
			ok &= host_options_add(options, key, json_string_value(value));
		else if (json_is_integer(value))
			ok &= host_options_add(options, key, number);
		else if (json_is_boolean(value))
			ok &= host_options_add(options, key, json_is_true(value) ? "on" : "off");
	}
	json_decref(root);
	return ok;
}

/* Reads up to a comma that is not doubled, and behind it. Doubled ones become one. */
static char *next_piece(const char **text)
{
	struct kt_buf piece = KT_BUF_INIT;
	const char *p = *text;

	for (; *p && (*p != ',' || p[1] == ','); p++) {
		if (*p == ',')
			p++;
		kt_buf_appendc(&piece, *p);
	}
	*text = *p ? p + 1 : p;
	return kt_buf_steal(&piece);
}

static bool add_piece(struct host_options *options, char *piece, const char *implied)
{
	char *equals = strchr(piece, '=');

	if (equals) {
		*equals = '\0';
		return host_options_add(options, piece, equals + 1);
	}
	if (implied)
		return host_options_add(options, implied, piece);
	if (!strncmp(piece, "no", 2))
		return host_options_add(options, piece + 2, "off");
	return host_options_add(options, piece, "on");
}

bool host_options_parse(struct host_options *options, const char *text, const char *implied)
{
	if (*text == '{')
		return parse_json(options, text);
	while (*text) {
		_cleanup_free_ char *piece = next_piece(&text);

		if (!piece || !add_piece(options, piece, implied))
			return false;
		implied = NULL;
	}
	return true;
}
