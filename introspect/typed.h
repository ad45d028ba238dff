/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes of a guest by their types in BTF, as JSON in bpftool's form (btf_dumper_type() of its
 * btf_dumper.c). libbpf's own form for people is not used: 1.1 leaves numbers out behind an array
 * of char.
 */
#ifndef KT_INTROSPECT_TYPED_H
#define KT_INTROSPECT_TYPED_H

#include <jansson.h>

#include "model/map_dump.h"
#include "util/error.h"

struct typed;

/*
 * The types of a map's keys and values, out of its BTF. *ret is NULL if it has none.
 * KT_ERROR_FORMAT: it is damaged, or its types do not fit the bytes.
 */
struct kt_error *typed_create(const struct map_dump *dump, struct typed **ret);
void typed_destroy(struct typed *typed); /* accepts NULL */

/* Keys have a type, too. Values always do. */
bool typed_has_key(const struct typed *typed);

/*
 * Of a map of global variables: its section, ".rodata"; NULL: the values are something else. And
 * where variable i lies in a value; false: there is none. Texts live as long as typed.
 */
const char *typed_section(const struct typed *typed);
bool typed_variable(const struct typed *typed, uint32_t i, const char **name_ret,
		    uint32_t *offset_ret, uint32_t *size_ret);

/* A new reference, NULL without memory. data has the map's key_len, or value_len, bytes. */
json_t *typed_key_json(const struct typed *typed, const uint8_t *data);
json_t *typed_value_json(const struct typed *typed, const uint8_t *data);
/* The value of variable i, which typed_variable() knows, alone. */
json_t *typed_variable_json(const struct typed *typed, uint32_t i, const uint8_t *data);

#endif
