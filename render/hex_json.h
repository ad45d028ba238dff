/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as bpftool's JSON has them. Internal to render/. */
#ifndef KT_RENDER_HEX_JSON_H
#define KT_RENDER_HEX_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* ["0x01","0x00"]. A new reference, NULL without memory. */
json_t *render_hex_json(const uint8_t *bytes, size_t n);

#endif
