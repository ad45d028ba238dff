// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Bytes for places of sections, {"bytes": [{"section": ".rodata", "offset": 8, "hex": "00ff"}]}:
 * what replay read of variables whose places it has compared. All of a value is set so, bit-fields
 * too.
 */
#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "object/globals_impl.h"
#include "util/cleanup.h"

static const struct global_section *find_section(const struct object_globals *globals,
						 const char *name)
{
	kt_vec_for_each (&globals->sections, section)
		if (!strcmp(section->name, name))
			return section;
	return NULL;
}

static unsigned digit(char c)
{
	return isdigit((unsigned char)c) ? (unsigned)(c - '0')
					 : (unsigned)(tolower((unsigned char)c) - 'a') + 10;
}

static struct kt_error *put_hex(struct object_globals *globals,
				const struct global_section *section, uint64_t offset,
				const char *hex)
{
	struct object_write write = {
		.section = section->name, .offset = offset, .size = strlen(hex) / 2};
	_cleanup_free_ uint8_t *data = malloc(write.size);

	if (!data)
		return kt_error_no_memory();
	for (size_t i = 0; i < write.size; i++)
		data[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	write.data = data;
	if (!kt_vec_push(&globals->writes.v, write))
		return kt_error_no_memory();
	data = NULL;
	return NULL;
}

static struct kt_error *put_bytes(struct object_globals *globals, const json_t *entry)
{
	const char *name = json_string_value(json_object_get(entry, "section"));
	const char *hex = json_string_value(json_object_get(entry, "hex"));
	json_int_t offset = json_integer_value(json_object_get(entry, "offset"));
	const struct global_section *section;
	size_t len = hex ? strlen(hex) : 0;

	if (!name || !len || len % 2 || strspn(hex, "0123456789abcdefABCDEF") != len || offset < 0)
		return kt_error_new(KT_ERROR_FORMAT, "it does not say which bytes are to be set");
	section = find_section(globals, name);
	if (!section || (uint64_t)offset > section->len || len / 2 > section->len - (size_t)offset)
		return kt_error_new(KT_ERROR_USAGE, "the object has no %zu bytes at %lld of %.80s",
				    len / 2, (long long)offset, name);
	return put_hex(globals, section, (uint64_t)offset, hex);
}

struct kt_error *globals_set_bytes(struct object_globals *globals, const json_t *list)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < json_array_size(list) && !err; i++)
		err = put_bytes(globals, json_array_get(list, i));
	return err;
}
