// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Opens an object so that one of its programs can be loaded without the others. The file is changed
 * in memory first: libbpf fills program arrays when all is loaded, with programs that are not, and
 * fails then, and has no function to keep it from that.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/io.h"
#include "vm/guest/guest.h"
#include "vm/guest/objects.h"

#define OBJECT_MAX (256u << 20) /* bytes */

/* Copies what is at offset; false: it is not in the file. */
static bool get(const struct kt_buf *elf, uint64_t offset, void *ret, size_t size)
{
	if (offset > elf->len || size > elf->len - offset)
		return false;
	memcpy(ret, elf->data + offset, size);
	return true;
}

/* Section header i, whose bytes are in the file. */
static bool get_section(const struct kt_buf *elf, const Elf64_Ehdr *header, uint32_t i,
			Elf64_Shdr *ret)
{
	return i < header->e_shnum &&
	       get(elf, header->e_shoff + (uint64_t)i * sizeof(*ret), ret, sizeof(*ret)) &&
	       ret->sh_offset <= elf->len && ret->sh_size <= elf->len - ret->sh_offset;
}

static bool is_named(const struct kt_buf *elf, const Elf64_Ehdr *header, uint32_t i,
		     const char *name)
{
	size_t len = strlen(name) + 1;
	Elf64_Shdr section, names;
	char got[16];

	return len <= sizeof(got) && get_section(elf, header, i, &section) &&
	       get_section(elf, header, header->e_shstrndx, &names) &&
	       section.sh_name < names.sh_size &&
	       get(elf, names.sh_offset + section.sh_name, got, len) && !memcmp(got, name, len);
}

static bool is_function(const struct kt_buf *elf, const Elf64_Shdr *symbols, const Elf64_Rel *rel)
{
	uint64_t offset = (uint64_t)ELF64_R_SYM(rel->r_info) * sizeof(Elf64_Sym);
	Elf64_Sym symbol;

	return offset < symbols->sh_size &&
	       get(elf, symbols->sh_offset + offset, &symbol, sizeof(symbol)) &&
	       ELF64_ST_TYPE(symbol.st_info) == STT_FUNC;
}

/* Removes the relocations to functions: of .maps, they are the values of program arrays. */
static void drop_functions(struct kt_buf *elf, const Elf64_Ehdr *header, uint32_t i)
{
	Elf64_Shdr section, symbols;
	uint64_t n, kept = 0;
	Elf64_Rel rel;

	if (!get_section(elf, header, i, &section) ||
	    !get_section(elf, header, section.sh_link, &symbols))
		return;
	n = section.sh_size / sizeof(rel);
	for (uint64_t j = 0; j < n; j++) {
		memcpy(&rel, elf->data + section.sh_offset + j * sizeof(rel), sizeof(rel));
		if (is_function(elf, &symbols, &rel))
			continue;
		memcpy(elf->data + section.sh_offset + kept++ * sizeof(rel), &rel, sizeof(rel));
	}
	section.sh_size = kept * sizeof(rel);
	memcpy(elf->data + header->e_shoff + i * sizeof(section), &section, sizeof(section));
}

/* Of a file that is no such ELF, nothing is changed: libbpf says what is wrong with it. */
static void clear_program_arrays(struct kt_buf *elf)
{
	Elf64_Ehdr header;
	Elf64_Shdr section;

	if (!get(elf, 0, &header, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(section))
		return;
	for (uint32_t i = 0; get_section(elf, &header, i, &section); i++)
		if (section.sh_type == SHT_REL && section.sh_info != i &&
		    is_named(elf, &header, section.sh_info, ".maps"))
			drop_functions(elf, &header, i);
}

/* As libbpf makes it of a path; the file's name in the guest is "N-NAME". Maps are named by it. */
static void object_name(const char *path, char *name, size_t size)
{
	const char *base = strrchr(path, '/');
	const char *dash = strchr(base ? base : path, '-');

	snprintf(name, size, "%s", dash ? dash + 1 : path);
	name[strcspn(name, ".")] = '\0';
}

struct bpf_object *load_open(const char *path, struct kt_buf *elf)
{
	char name[256];
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name);
	struct kt_error *err = kt_read_file(path, OBJECT_MAX, elf);

	if (err) {
		kt_buf_printf(&load_log, "%s\n", kt_error_message(err));
		errno = kt_error_errno(err) ? kt_error_errno(err) : ENOEXEC;
		kt_error_destroy(err);
		return NULL;
	}
	clear_program_arrays(elf);
	object_name(path, name, sizeof(name));
	/* libbpf keeps no copy of what it may need until the load. */
	return bpf_object__open_mem(elf->data ? elf->data : "", elf->len, &options);
}

void load_close(struct bpf_object *obj, struct kt_buf *elf)
{
	bpf_object__close(obj);
	kt_buf_deinit(elf);
}
