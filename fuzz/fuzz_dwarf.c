// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as debug information. An input is three lengths of two bytes, little-endian, and what
 * they are of: .debug_info, .debug_abbrev, .debug_str_offsets; the rest is .debug_str.
 */
#include <stddef.h>
#include <stdint.h>

#include "btf/types.h"
#include "image/image.h"
#include "tests/btf/elf_writer.h"
#include "util/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct types *types)
{
	static const struct kfacts_want wants[] = {
		{KFACTS_MEMBER, "outer", "in.b", true}, {KFACTS_MEMBER, "outer", "wide", true},
		{KFACTS_MEMBER, "outer", "grid", true}, {KFACTS_MEMBER, "idr", "a", true},
		{KFACTS_SIZE, "tight", NULL, true},     {KFACTS_ENUM, "colour", NULL, true},
		{KFACTS_HELD, "inner", "held", true},
	};
	struct kfacts_answer answers[sizeof(wants) / sizeof(*wants)] = {0};
	struct types_layout layout = {0};
	struct kt_error *err = types_resolve(types, wants, sizeof(wants) / sizeof(*wants), answers);

	kt_error_destroy(err);
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++)
		kfacts_answer_deinit(&answers[i]);
	err = types_describe(types, "outer", NULL, &layout);
	if (!err)
		types_layout_deinit(&layout);
	kt_error_destroy(err);
}

/* The next part of the input; empty when there is no more. */
static struct kt_buf part(struct kt_cursor *c, size_t len)
{
	size_t left = c->len - c->pos, n = len < left ? len : left;
	struct kt_buf buf = KT_BUF_INIT;

	kt_buf_append(&buf, kt_cursor_bytes(c, n), n);
	return buf;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {".debug_info", ".debug_abbrev", ".debug_str_offsets",
					    ".debug_str"};
	struct kt_cursor c = kt_cursor(data, size, false);
	struct ew_section sections[4];
	struct kt_buf parts[4], elf = KT_BUF_INIT;
	struct image *image = NULL;
	struct types *types = NULL;
	struct kt_error *err;
	size_t lengths[4];

	for (size_t i = 0; i < 3; i++)
		lengths[i] = kt_cursor_u16(&c);
	if (c.failed)
		return 0;
	lengths[3] = size;
	for (size_t i = 0; i < 4; i++) {
		parts[i] = part(&c, lengths[i]);
		sections[i] = (struct ew_section){
			.name = names[i], .type = SHT_PROGBITS, .data = &parts[i]};
	}
	ew_write(&elf, EM_X86_64, false, sections, 4);
	err = image_open(elf.data, elf.len, &image);
	if (!err)
		err = types_from_dwarf(image, &types);
	if (!err)
		ask(types);
	kt_error_destroy(err);
	types_destroy(types);
	image_close(image);
	for (size_t i = 0; i < 4; i++)
		kt_buf_deinit(&parts[i]);
	kt_buf_deinit(&elf);
	return 0;
}
