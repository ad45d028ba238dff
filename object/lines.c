// SPDX-License-Identifier: LGPL-2.1-or-later
#include <bpf/btf.h>
#include <fcntl.h>
#include <gelf.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "object/lines.h"
#include "object/types.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/io.h"
#include "util/path.h"
#include "util/vec.h"

#define BTF_EXT_MAGIC 0xeb9f
#define HEADER_LEN    24 /* of a header with line_info */
#define RECORD_LEN    16 /* struct bpf_line_info: insn_off, file_name_off, line_off, line_col */

struct function {
	const char *name, *section; /* of the ELF file */
	uint64_t first, n;          /* instructions, in the section */
};

struct record {
	const char *section, *file, *text; /* of the BTF's strings */
	uint64_t insn;                     /* in the section */
	uint32_t line;
};

struct object_lines {
	int fd;
	Elf *elf;
	struct btf *btf;
	KT_VEC(struct function) functions;
	KT_VEC(struct record) records;
};

/* --- the table --- */

/*
 * .BTF.ext is struct btf_ext_header, then the data it leads to:
 *
 *	u16 magic; u8 version, flags; u32 hdr_len;
 *	u32 func_info_off, func_info_len, line_info_off, line_info_len;
 *
 * The table of lines is u32 rec_size, and for each section
 *
 *	u32 sec_name_off, num_info; struct bpf_line_info[num_info]
 */
static bool find_table(const void *data, size_t len, struct kt_cursor *ret)
{
	struct kt_cursor c = kt_cursor(data, len, false);
	uint32_t header, offset, size;

	c.big_endian = kt_cursor_u16(&c) != BTF_EXT_MAGIC;
	kt_cursor_bytes(&c, 2);
	header = kt_cursor_u32(&c);
	kt_cursor_bytes(&c, 8);
	offset = kt_cursor_u32(&c);
	size = kt_cursor_u32(&c);
	if (c.failed || header < HEADER_LEN || !kt_cursor_seek(&c, (uint64_t)header + offset) ||
	    size > c.len - c.pos)
		return false;
	*ret = kt_cursor(c.data + c.pos, size, c.big_endian);
	return size != 0;
}

/* A name that is printed: without what would move the cursor. */
static const char *file_name(const struct btf *btf, uint32_t offset)
{
	const char *name = btf__str_by_offset(btf, offset);

	for (const char *p = name; p && *p; p++)
		if ((unsigned char)*p < 0x20)
			return NULL;
	return name && name[0] ? kt_base_name(name) : NULL;
}

static struct kt_error *read_records(struct object_lines *lines, struct kt_cursor *c,
				     uint32_t rec_size, const char *section)
{
	for (uint32_t n = kt_cursor_u32(c); n; n--) {
		struct record r = {.section = section};

		r.insn = kt_cursor_u32(c) / sizeof(struct bpf_insn);
		r.file = file_name(lines->btf, kt_cursor_u32(c));
		r.text = btf__str_by_offset(lines->btf, kt_cursor_u32(c));
		r.line = kt_cursor_u32(c) >> 10; /* the column is in the lower bits */
		kt_cursor_bytes(c, rec_size - RECORD_LEN);
		if (c->failed)
			return NULL;
		if (r.file && r.text && r.line && !kt_vec_push(&lines->records, r))
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *read_table(struct object_lines *lines, const Elf_Data *data)
{
	struct kt_error *err = NULL;
	struct kt_cursor table;
	uint32_t rec_size;

	if (!data || !data->d_buf || !find_table(data->d_buf, data->d_size, &table))
		return NULL;
	rec_size = kt_cursor_u32(&table);
	while (rec_size >= RECORD_LEN && !err && !table.failed && table.pos < table.len) {
		const char *section = btf__str_by_offset(lines->btf, kt_cursor_u32(&table));

		if (!section)
			break;
		err = read_records(lines, &table, rec_size, section);
	}
	return err;
}

/* --- the ELF file --- */

static struct kt_error *read_functions(struct object_lines *lines, size_t names, Elf_Data *data,
				       size_t strings)
{
	GElf_Sym sym;

	for (int i = 0; gelf_getsym(data, i, &sym); i++) {
		struct function f = {.first = sym.st_value / sizeof(struct bpf_insn),
				     .n = sym.st_size / sizeof(struct bpf_insn)};
		Elf_Scn *scn = elf_getscn(lines->elf, sym.st_shndx);
		GElf_Shdr header;

		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC || !scn || !gelf_getshdr(scn, &header))
			continue;
		f.name = elf_strptr(lines->elf, strings, sym.st_name);
		f.section = elf_strptr(lines->elf, names, header.sh_name);
		if (f.name && f.section && !kt_vec_push(&lines->functions, f))
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *read_sections(struct object_lines *lines)
{
	struct kt_error *err = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(lines->elf, &names))
		return kt_error_new(KT_ERROR_FORMAT, "its sections have no names");
	while (!err && (scn = elf_nextscn(lines->elf, scn))) {
		const char *name = gelf_getshdr(scn, &header)
					   ? elf_strptr(lines->elf, names, header.sh_name)
					   : NULL;
		Elf_Data *data = elf_getdata(scn, NULL);

		if (name && data && header.sh_type == SHT_SYMTAB)
			err = read_functions(lines, names, data, header.sh_link);
		else if (name && !strcmp(name, ".BTF.ext"))
			err = read_table(lines, data);
	}
	return err;
}

struct kt_error *object_lines_open(const char *path, struct object_lines **ret)
{
	struct object_lines *lines = calloc(1, sizeof(*lines));
	struct kt_error *err;

	if (!lines)
		return kt_error_no_memory();
	lines->fd = -1;
	err = kt_open_file(AT_FDCWD, path, 0, &lines->fd, NULL);
	elf_version(EV_CURRENT);
	if (!err)
		lines->elf = elf_begin(lines->fd, ELF_C_READ, NULL);
	if (!err && (!lines->elf || elf_kind(lines->elf) != ELF_K_ELF))
		err = kt_error_new(KT_ERROR_FORMAT, "it is no ELF file");
	if (!err)
		err = object_types_read(path, &lines->btf);
	if (!err)
		err = read_sections(lines);
	if (!err)
		*ret = lines;
	else
		object_lines_close(lines);
	return kt_error_wrap(err, "%s", path);
}

void object_lines_close(struct object_lines *lines)
{
	if (!lines)
		return;
	kt_vec_free(&lines->functions);
	kt_vec_free(&lines->records);
	btf__free(lines->btf);
	elf_end(lines->elf);
	if (lines->fd >= 0)
		close(lines->fd);
	free(lines);
}

/* --- a line --- */

static const struct function *find_function(const struct object_lines *lines,
					    const struct object_insn *insn)
{
	kt_vec_for_each (&lines->functions, f)
		if (!strcmp(f->name, insn->program) && !strcmp(f->section, insn->section))
			return f;
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Kernels leave out the blanks that a line begins with. */
static bool has_text(const struct record *r, const struct object_insn *insn)
{
	const char *text = insn->text, *own = r->text;
	size_t len = insn->text_len, own_len;

	while (is_blank(*own))
		own++;
	own_len = strlen(own);
	while (own_len && is_blank(own[own_len - 1]))
		own_len--;
	while (len && is_blank(*text))
		text++, len--;
	while (len && is_blank(text[len - 1]))
		len--;
	return len == own_len && !memcmp(text, own, len);
}

/* A record is of all instructions up to the next one. */
static const struct record *find_own(const struct object_lines *lines, const struct function *f,
				     uint64_t insn)
{
	const struct record *found = NULL;

	kt_vec_for_each (&lines->records, r)
		if (!strcmp(r->section, f->section) && r->insn >= f->first &&
		    r->insn <= f->first + insn && (!found || r->insn >= found->insn))
			found = r;
	return found;
}

static const struct record *find_only(const struct object_lines *lines,
				      const struct object_insn *insn)
{
	const struct record *found = NULL;

	kt_vec_for_each (&lines->records, r) {
		if (!has_text(r, insn))
			continue;
		if (found && (found->line != r->line || strcmp(found->file, r->file) != 0))
			return NULL;
		found = r;
	}
	return found;
}

bool object_lines_find(const struct object_lines *lines, const struct object_insn *insn,
		       const char **file, uint32_t *line)
{
	const struct function *f = find_function(lines, insn);
	bool has = insn->text && insn->text_len;
	const struct record *r = NULL;

	if (f && insn->insn < f->n) {
		r = find_own(lines, f, insn->insn);
		if (r && has && !has_text(r, insn))
			r = NULL;
	} else if (f && has) {
		r = find_only(lines, insn);
	}
	if (!r)
		return false;
	*file = r->file;
	*line = r->line;
	return true;
}
