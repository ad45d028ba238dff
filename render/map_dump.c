// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/hex_json.h"
#include "render/map_dump.h"
#include "util/buf.h"
#include "util/cursor.h"

#define ADDRESS_SIZE 8 /* of a stack: 64-bit kernels */

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

static const struct map_fact *fact_of(const struct map_dump *dump, size_t i, size_t k)
{
	return &dump->facts[i * dump->n_facts + k];
}

/* In bpftool's words, where it has some: those of the guest's errno. */
static const char *why_not(const struct map_dump *dump, size_t i)
{
	switch (dump->states[i]) {
	case MAP_EMPTY: return "No such file or directory";
	case MAP_NO_COOKIE: return "the socket has no cookie yet";
	case MAP_REFUSED: return dump->refusal;
	default: return "not mapped in the guest";
	}
}

/* Something is there, whether it can be read or not. */
static bool is_there(const struct map_dump *dump, size_t i)
{
	return dump->states[i] != MAP_EMPTY && dump->states[i] != MAP_REFUSED;
}

/* The next address of a stack; false: that was the last one. */
static bool frame_at(const struct map_dump *dump, size_t i, size_t k,
		     const struct render_types *types, struct map_frame *ret)
{
	uint64_t addr;

	if ((k + 1) * ADDRESS_SIZE > dump->value_len)
		return false;
	addr = kt_load_uint(value_of(dump, i, 0) + k * ADDRESS_SIZE, ADDRESS_SIZE,
			    dump->big_endian);
	if (addr)
		*ret = types->frame(types->frame_context, addr);
	return addr;
}

/* --- JSON --- */

static json_t *json_error(const struct map_dump *dump, size_t i)
{
	json_t *object = json_object();

	json_object_set_new(object, "error", json_string(why_not(dump, i)));
	return object;
}

static json_t *json_fact(const struct map_fact_type *type, const struct map_fact *fact)
{
	if (!fact->known)
		return json_null();
	return type->text ? kt_json_text(fact->text) : kt_json_u64(fact->number);
}

static json_t *json_facts(const struct map_dump *dump, size_t i)
{
	json_t *object = json_object();

	for (size_t k = 0; k < dump->n_facts; k++)
		json_object_set_new(object, dump->fact_types[k].name,
				    json_fact(&dump->fact_types[k], fact_of(dump, i, k)));
	return object;
}

static json_t *json_stack(const struct map_dump *dump, size_t i, const struct render_types *types)
{
	json_t *array = json_array();
	struct map_frame frame;

	for (size_t k = 0; frame_at(dump, i, k, types, &frame); k++) {
		json_t *object = json_object();

		json_object_set_new(object, "addr", kt_json_u64(frame.addr));
		json_object_set_new(object, "func",
				    frame.func ? kt_json_text(frame.func) : json_null());
		json_object_set_new(object, "offset",
				    frame.func ? kt_json_u64(frame.offset) : json_null());
		json_array_append_new(array, object);
	}
	return array;
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
	if (dump->facts_of && is_there(dump, i))
		json_object_set_new(object, dump->facts_of, json_facts(dump, i));
	if (!dump->value_len)
		return object;
	if (dump->states[i] != MAP_THERE) {
		json_object_set_new(object, "value", json_error(dump, i));
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
	if (types->frame)
		json_object_set_new(object, "stack", json_stack(dump, i, types));
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

static bool is_found(const struct map_dump *dump)
{
	return dump->n && dump->states[0] != MAP_EMPTY;
}

struct kt_error *render_map_lookup_json(const struct map_dump *dump,
					const struct render_types *types, char **ret)
{
	if (is_found(dump))
		return kt_json_dump(json_entry(dump, 0, types), ret);
	*ret = strdup("null\n");
	return *ret ? NULL : kt_error_no_memory();
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

/* A guest's words, for a terminal. */
static void put_clean(struct kt_buf *out, const char *text)
{
	for (; *text; text++)
		kt_buf_appendc(out, *text >= ' ' && *text < 0x7f ? *text : '?');
}

/* "task: pid 7, tgid 7, comm init" */
static void put_facts(struct kt_buf *out, const struct map_dump *dump, size_t i)
{
	kt_buf_printf(out, "%s:", dump->facts_of);
	for (size_t k = 0; k < dump->n_facts; k++) {
		const struct map_fact_type *type = &dump->fact_types[k];
		const struct map_fact *fact = fact_of(dump, i, k);

		kt_buf_printf(out, "%s %s ", k ? "," : "", type->name);
		if (!fact->known)
			kt_buf_appendc(out, '-');
		else if (type->text)
			put_clean(out, fact->text);
		else if (type->hex)
			kt_buf_printf(out, "%#" PRIx64, fact->number);
		else
			kt_buf_printf(out, "%" PRIu64, fact->number);
	}
	kt_buf_appendc(out, '\n');
}

static void put_stack(struct kt_buf *out, const struct map_dump *dump, size_t i,
		      const struct render_types *types)
{
	struct map_frame frame;

	for (size_t k = 0; frame_at(dump, i, k, types, &frame); k++) {
		kt_buf_printf(out, "  %016" PRIx64, frame.addr);
		if (frame.func)
			kt_buf_printf(out, " %s+%#" PRIx64, frame.func, frame.offset);
		kt_buf_appendc(out, '\n');
	}
}

static void put_entry(struct kt_buf *out, const struct map_dump *dump, size_t i,
		      const struct render_types *types)
{
	if (dump->key_len) {
		kt_buf_appends(out, "key:");
		put_value(out, types->context, types->key_json, key_of(dump, i), dump->key_len);
	}
	if (dump->facts_of && is_there(dump, i))
		put_facts(out, dump, i);
	if (!dump->value_len)
		return;
	if (dump->states[i] == MAP_EMPTY) {
		kt_buf_appends(out, "value: <no entry>\n");
		return;
	}
	if (dump->states[i] != MAP_THERE) {
		kt_buf_printf(out, "value: - (%s)\n", why_not(dump, i));
		return;
	}
	if (types->frame) {
		kt_buf_appends(out, "stack:\n");
		put_stack(out, dump, i, types);
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
	size_t n = 0;

	for (size_t i = 0; i < dump->n; i++) {
		put_entry(&out, dump, i, types);
		n += is_there(dump, i);
	}
	kt_buf_printf(&out, "Found %zu element%s\n", n, n == 1 ? "" : "s");
	return kt_buf_finish(&out, ret);
}

struct kt_error *render_map_lookup_text(const struct map_dump *dump, const uint8_t *key,
					const struct render_types *types, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;

	if (is_found(dump)) {
		put_entry(&out, dump, 0, types);
	} else {
		kt_buf_appends(&out, "key:");
		put_hex(&out, key, dump->key_len);
		kt_buf_appends(&out, "\nNot found\n");
	}
	return kt_buf_finish(&out, ret);
}
