// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/hex_json.h"
#include "render/map_dump.h"
#include "util/buf.h"
#include "util/cursor.h"

#define UNREADABLE "not mapped in the guest"

/* Bytes on a line; with a name before them, as many as 80 columns have. */
#define BYTES_A_LINE 16
#define BYTES_INLINE 20
#define LINE_MAX_LEN 64

static const uint8_t *key_of(const struct map_dump *dump, size_t i)
{
	return dump->keys + i * dump->key_len;
}

static const uint8_t *value_of(const struct map_dump *dump, size_t i, size_t cpu)
{
	return dump->values + (i * dump->n_values + cpu) * dump->value_len;
}

/* --- JSON --- */

static json_t *json_error(void)
{
	json_t *object = json_object();

	json_object_set_new(object, "error", json_string(UNREADABLE));
	return object;
}

/* [{"cpu": 0, "value": ...}]: raw bytes, or by the types. */
static json_t *json_values(const struct map_dump *dump, size_t i, const struct render_types *types)
{
	json_t *array = json_array();

	for (size_t cpu = 0; cpu < dump->n_values; cpu++) {
		const uint8_t *value = value_of(dump, i, cpu);
		json_t *object = json_object();

		json_object_set_new(object, "cpu", json_integer((json_int_t)cpu));
		json_object_set_new(object, "value",
				    types ? types->value_json(types->context, value)
					  : render_hex_json(value, dump->value_len));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *json_formatted(const struct map_dump *dump, size_t i,
			      const struct render_types *types)
{
	json_t *object = json_object();

	if (types->key_json && dump->key_len)
		json_object_set_new(object, "key",
				    types->key_json(types->context, key_of(dump, i)));
	if (dump->per_cpu)
		json_object_set_new(object, "values", json_values(dump, i, types));
	else
		json_object_set_new(object, "value",
				    types->value_json(types->context, value_of(dump, i, 0)));
	return object;
}

static json_t *json_entry(const struct map_dump *dump, size_t i, const struct render_types *types)
{
	json_t *object = json_object();

	if (dump->key_len)
		json_object_set_new(object, "key", render_hex_json(key_of(dump, i), dump->key_len));
	if (dump->missing[i]) {
		json_object_set_new(object, "value", json_error());
		return object;
	}
	if (dump->per_cpu)
		json_object_set_new(object, "values", json_values(dump, i, NULL));
	else
		json_object_set_new(object, "value",
				    render_hex_json(value_of(dump, i, 0), dump->value_len));
	if (dump->of_maps)
		json_object_set_new(object, "inner_map_id",
				    json_integer((json_int_t)kt_load_uint(value_of(dump, i, 0), 4,
									  dump->big_endian)));
	if (types->value_json)
		json_object_set_new(object, "formatted", json_formatted(dump, i, types));
	return object;
}

struct kt_error *render_map_dump_json(const struct map_dump *dump, const struct render_types *types,
				      char **ret)
{
	json_t *root = json_array();

	for (size_t i = 0; i < dump->n; i++)
		json_array_append_new(root, json_entry(dump, i, types));
	return kt_json_dump(root, ret);
}

/* --- text --- */

static void put_hex(struct kt_buf *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (len > BYTES_INLINE && i % BYTES_A_LINE == 0)
			kt_buf_appends(out, "\n ");
		kt_buf_printf(out, " %02x", data[i]);
	}
}

typedef json_t *json_fn(const void *context, const uint8_t *data);

/* Behind the name that is there already: on its line, if 80 columns are enough for it. */
static void put_value(struct kt_buf *out, const void *context, json_fn *fn, const uint8_t *data,
		      size_t len)
{
	json_t *json = fn ? fn(context, data) : NULL;
	char *line = NULL;

	if (!json) {
		put_hex(out, data, len);
		kt_buf_appendc(out, '\n');
		return;
	}
	kt_error_destroy(kt_json_dump_line(json_incref(json), &line));
	if (line && strlen(line) > LINE_MAX_LEN) {
		free(line);
		line = NULL;
		kt_error_destroy(kt_json_dump(json_incref(json), &line));
	}
	json_decref(json);
	kt_buf_printf(out, " %s", line ? line : "");
	out->failed |= !line;
	if (out->len && out->data[out->len - 1] != '\n')
		kt_buf_appendc(out, '\n');
	free(line);
}

static void put_entry(struct kt_buf *out, const struct map_dump *dump, size_t i,
		      const struct render_types *types)
{
	if (dump->key_len) {
		kt_buf_appends(out, "key:");
		put_value(out, types->context, types->key_json, key_of(dump, i), dump->key_len);
	}
	if (dump->missing[i]) {
		kt_buf_appends(out, "value: - (" UNREADABLE ")\n");
		return;
	}
	if (dump->of_maps) {
		kt_buf_printf(out, "inner_map_id: %u\n",
			      (uint32_t)kt_load_uint(value_of(dump, i, 0), 4, dump->big_endian));
		return;
	}
	for (size_t cpu = 0; cpu < dump->n_values; cpu++) {
		if (dump->per_cpu)
			kt_buf_printf(out, "value (CPU %02zu):", cpu);
		else
			kt_buf_appends(out, "value:");
		put_value(out, types->context, types->value_json, value_of(dump, i, cpu),
			  dump->value_len);
	}
}

struct kt_error *render_map_dump_text(const struct map_dump *dump, const struct render_types *types,
				      char **ret)
{
	struct kt_buf out = KT_BUF_INIT;

	for (size_t i = 0; i < dump->n; i++)
		put_entry(&out, dump, i, types);
	kt_buf_printf(&out, "Found %zu element%s\n", dump->n, dump->n == 1 ? "" : "s");
	return kt_buf_finish(&out, ret);
}
