// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/core_ext.h"

#include <linux/bpf.h>
#include <string.h>

#include "util/cursor.h"

#define BTF_EXT_MAGIC 0xeb9f

/*
 * struct btf_ext_header, then the data it leads to:
 *
 *	u16 magic; u8 version, flags; u32 hdr_len;
 *	u32 func_info_off, func_info_len, line_info_off, line_info_len;
 *	u32 core_relo_off, core_relo_len;		(if hdr_len says so)
 *
 * The table of CO-RE relocations is u32 rec_size, and for each section
 *
 *	u32 sec_name_off, num_info; struct bpf_core_relo[num_info]
 */
static bool find_table(struct kt_cursor *c, struct kt_cursor *ret)
{
	uint32_t hdr_len, off, len;

	c->big_endian = kt_cursor_u16(c) != BTF_EXT_MAGIC;
	kt_cursor_bytes(c, 2);
	hdr_len = kt_cursor_u32(c);
	kt_cursor_bytes(c, 16);
	if (hdr_len < 32)
		return false;
	off = kt_cursor_u32(c);
	len = kt_cursor_u32(c);
	if (!kt_cursor_seek(c, (uint64_t)hdr_len + off) || len > c->len - c->pos)
		return false;
	*ret = kt_cursor(c->data + c->pos, len, c->big_endian);
	return len != 0;
}

static struct kt_error *read_records(struct pf_object *o, struct kt_cursor *c, uint32_t rec_size,
				     size_t section, uint32_t n)
{
	for (; n; n--) {
		struct pf_core core = {.section = section};
		uint32_t access;

		core.insn = kt_cursor_u32(c) / sizeof(struct bpf_insn);
		core.type = kt_cursor_u32(c);
		access = kt_cursor_u32(c);
		core.kind = kt_cursor_u32(c);
		kt_cursor_bytes(c, rec_size - 16);
		if (c->failed)
			return NULL;
		core.access = btf__str_by_offset(o->btf, access);
		if (core.access && !kt_vec_push(&o->cores, core))
			return kt_error_no_memory();
	}
	return NULL;
}

struct kt_error *pf_core_read(struct pf_object *o)
{
	const struct pf_section *ext;
	struct kt_error *err = NULL;
	struct kt_cursor c, table;
	uint32_t rec_size;
	size_t index;

	ext = o->btf ? pf_section_find(o, ".BTF.ext", &index) : NULL;
	if (!ext || !ext->data)
		return NULL;
	c = kt_cursor(ext->data, ext->len, false);
	if (!find_table(&c, &table))
		return NULL;
	rec_size = kt_cursor_u32(&table);
	if (rec_size < 16)
		return NULL;
	while (!err && !table.failed && table.pos < table.len) {
		const char *name = btf__str_by_offset(o->btf, kt_cursor_u32(&table));
		uint32_t n = kt_cursor_u32(&table);

		if (!name || table.failed || !pf_section_find(o, name, &index))
			break;
		err = read_records(o, &table, rec_size, index, n);
	}
	return err;
}
