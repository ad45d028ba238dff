// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/hex_json.h"
#include "model/json_put.h"

json_t *render_hex_json(const uint8_t *bytes, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_sprintf("0x%02x", bytes[i]));
	return array;
}
