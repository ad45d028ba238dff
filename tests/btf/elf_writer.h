/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes small ELF files byte by byte: a stand-in for a kernel of a few kilobytes. */
#ifndef KT_TESTS_BTF_ELF_WRITER_H
#define KT_TESTS_BTF_ELF_WRITER_H

#include <elf.h>
#include <string.h>

#include "tests/btf/kallsyms_writer.h"
#include "util/buf.h"

#define EW_MAX_SECTIONS 16

struct ew_section {
	const char *name;
	uint32_t type;
	uint64_t flags;
	uint64_t addr;
	const struct kt_buf *data;
	uint32_t link;
	uint64_t entsize;
};

/* An ELF64 of either byte order; .shstrtab is added as the last section. */
static inline void ew_write(struct kt_buf *out, uint16_t machine, bool be,
			    const struct ew_section *sections, size_t n)
{
	uint64_t offsets[EW_MAX_SECTIONS], names[EW_MAX_SECTIONS], shoff, strtab;
	struct kt_buf body = KT_BUF_INIT, strings = KT_BUF_INIT;
	uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, be ? 2 : 1, 1};

	kt_buf_appendc(&strings, '\0');
	for (size_t i = 0; i < n; i++) {
		names[i] = strings.len;
		kt_buf_append(&strings, sections[i].name, strlen(sections[i].name) + 1);
		while (body.len % 64)
			kt_buf_appendc(&body, '\0');
		offsets[i] = 64 + body.len;
		if (sections[i].type != SHT_NOBITS)
			kt_buf_append(&body, sections[i].data->data, sections[i].data->len);
	}
	names[n] = strings.len;
	kt_buf_append(&strings, ".shstrtab", 10);
	strtab = 64 + body.len;
	kt_buf_append(&body, strings.data, strings.len);
	while (body.len % 8)
		kt_buf_appendc(&body, '\0');
	shoff = 64 + body.len;

	kt_buf_append(out, ident, sizeof(ident));
	kw_uint(out, ET_EXEC, 2, be);
	kw_uint(out, machine, 2, be);
	kw_uint(out, 1, 4, be);
	kw_uint(out, 0, 8, be); /* entry */
	kw_uint(out, 0, 8, be); /* no program headers */
	kw_uint(out, shoff, 8, be);
	kw_uint(out, 0, 4, be);
	kw_uint(out, 64, 2, be);
	kw_uint(out, 0, 2, be);
	kw_uint(out, 0, 2, be);
	kw_uint(out, 64, 2, be);
	kw_uint(out, n + 2, 2, be);
	kw_uint(out, n + 1, 2, be);
	kt_buf_append(out, body.data, body.len);
	for (size_t i = 0; i < 64; i++)
		kt_buf_appendc(out, '\0');
	for (size_t i = 0; i <= n; i++) {
		bool last = i == n;

		kw_uint(out, names[i], 4, be);
		kw_uint(out, last ? SHT_STRTAB : sections[i].type, 4, be);
		kw_uint(out, last ? 0 : sections[i].flags, 8, be);
		kw_uint(out, last ? 0 : sections[i].addr, 8, be);
		kw_uint(out, last ? strtab : offsets[i], 8, be);
		kw_uint(out, last ? strings.len : sections[i].data->len, 8, be);
		kw_uint(out, last ? 0 : sections[i].link, 4, be);
		kw_uint(out, 0, 4, be);
		kw_uint(out, 8, 8, be);
		kw_uint(out, last ? 0 : sections[i].entsize, 8, be);
	}
	kt_buf_deinit(&body);
	kt_buf_deinit(&strings);
}

#endif
