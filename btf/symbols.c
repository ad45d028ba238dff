// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "btf/exports.h"
#include "btf/symbols.h"

/* No wanted name is longer. It bounds the work on a hostile string table. */
#define LONGEST_NAME 1024

bool symbols_init(struct symbols *syms, size_t capacity)
{
	*syms = (struct symbols){.source = "nothing"};
	if (!nameset_init(&syms->names, capacity))
		return false;
	syms->symbols = calloc(capacity ? capacity : 1, sizeof(*syms->symbols));
	if (syms->symbols)
		return true;
	symbols_deinit(syms);
	return false;
}

void symbols_deinit(struct symbols *syms)
{
	nameset_deinit(&syms->names);
	functions_deinit(&syms->functions);
	kt_vec_free(&syms->ends);
	free(syms->symbols);
	syms->symbols = NULL;
}

bool symbols_init_like(struct symbols *syms, const struct symbols *like)
{
	if (!symbols_init(syms, like->names.n))
		return false;
	syms->want_functions = like->want_functions;
	for (size_t i = 0; i < like->names.n; i++)
		symbols_want(syms, like->names.names[i]);
	kt_vec_for_each (&like->ends, i) {
		if (!kt_vec_push(&syms->ends, *i)) {
			symbols_deinit(syms);
			return false;
		}
	}
	return true;
}

void symbols_want(struct symbols *syms, const char *name)
{
	nameset_add(&syms->names, name);
}

bool symbols_want_end(struct symbols *syms, const char *name)
{
	return kt_vec_push(&syms->ends, nameset_add(&syms->names, name));
}

/* Some symbol begins at addr. */
static void end_before(struct symbols *syms, gaddr_t addr)
{
	kt_vec_for_each (&syms->ends, i) {
		struct symbol *s = &syms->symbols[*i];

		if (s->found && addr > s->addr && (!s->end || addr < s->end))
			s->end = addr;
	}
}

void symbols_offer(struct symbols *syms, const char *name, size_t len, gaddr_t addr, bool global)
{
	ptrdiff_t i = nameset_find(&syms->names, name, len);
	struct symbol *s;

	if (syms->want_functions)
		functions_offer(&syms->functions, name, len, addr, global);
	end_before(syms, addr);
	if (i < 0)
		return;
	s = &syms->symbols[i];
	if (s->found && (s->global > global || (s->global == global && s->addr <= addr)))
		return;
	*s = (struct symbol){.addr = addr, .found = true, .global = global};
}

bool symbols_get(const struct symbols *syms, const char *name, gaddr_t *addr_ret)
{
	ptrdiff_t i = nameset_find(&syms->names, name, strlen(name));

	if (i < 0 || !syms->symbols[i].found)
		return false;
	*addr_ret = syms->symbols[i].addr;
	return true;
}

bool symbols_get_end(const struct symbols *syms, const char *name, gaddr_t *addr_ret,
		     gaddr_t *end_ret)
{
	ptrdiff_t i = nameset_find(&syms->names, name, strlen(name));

	if (i < 0 || !syms->symbols[i].found || !syms->symbols[i].end)
		return false;
	*addr_ret = syms->symbols[i].addr;
	*end_ret = syms->symbols[i].end;
	return true;
}

void symbols_merge(struct symbols *syms, struct symbols *from, gaddr_t start, gaddr_t shift)
{
	if (!syms->functions.v.len && !syms->functions.names.failed) {
		functions_deinit(&syms->functions);
		syms->functions = from->functions;
		from->functions = (struct functions){0};
		functions_move(&syms->functions, start, shift);
	}
	for (size_t i = 0; i < syms->names.n; i++) {
		if (syms->symbols[i].found || !from->symbols[i].found)
			continue;
		syms->symbols[i] = from->symbols[i];
		if (syms->symbols[i].addr < start)
			continue;
		syms->symbols[i].addr += shift;
		if (syms->symbols[i].end)
			syms->symbols[i].end += shift;
	}
}

bool symbols_agree(const struct symbols *a, const struct symbols *b, gaddr_t shift,
		   const char *name)
{
	gaddr_t x, y;

	return !symbols_get(a, name, &x) || !symbols_get(b, name, &y) || x == y + shift;
}

bool symbols_any(const struct symbols *syms)
{
	for (size_t i = 0; i < syms->names.n; i++)
		if (syms->symbols[i].found)
			return true;
	return false;
}

/* The string table of a symbol table. False: it has none that ends with NUL. */
static bool linked_strings(struct image *image, Elf_Scn *scn, struct image_section *ret)
{
	GElf_Shdr sh;
	struct image_section s;

	if (!gelf_getshdr(scn, &sh))
		return false;
	for (size_t i = 0; image_section_next(image, &i, &s);) {
		if (i == sh.sh_link && s.type == SHT_STRTAB && s.data && s.size &&
		    !s.data[s.size - 1]) {
			*ret = s;
			return true;
		}
	}
	return false;
}

static void offer_elf_symbol(struct symbols *syms, const GElf_Sym *sym,
			     const struct image_section *strings)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);
	const char *name;
	size_t len, max = LONGEST_NAME;

	if (sym->st_shndx == SHN_UNDEF || type == STT_SECTION || type == STT_FILE ||
	    sym->st_name >= strings->size)
		return;
	name = (const char *)strings->data + sym->st_name;
	if (max > strings->size - sym->st_name)
		max = (size_t)(strings->size - sym->st_name);
	len = strnlen(name, max);
	symbols_offer(syms, name, len, sym->st_value, GELF_ST_BIND(sym->st_info) != STB_LOCAL);
}

static bool load_symtab(struct symbols *syms, struct image *image)
{
	struct image_section table, strings;
	Elf_Scn *scn;
	Elf_Data *data;
	GElf_Sym sym;
	int n;

	if (!image_section(image, ".symtab", &table) || table.type != SHT_SYMTAB || !table.data)
		return false;
	scn = elf_getscn(image_elf(image), table.index);
	data = scn ? elf_getdata(scn, NULL) : NULL;
	if (!data || !data->d_buf || !linked_strings(image, scn, &strings))
		return false;
	n = (int)(data->d_size / gelf_fsize(image_elf(image), ELF_T_SYM, 1, EV_CURRENT));
	/* They are in no order: those before a symbol may tell, too, where it ends. */
	for (int pass = 0; pass < (syms->ends.len ? 2 : 1); pass++)
		for (int i = 1; i < n && gelf_getsym(data, i, &sym); i++)
			offer_elf_symbol(syms, &sym, &strings);
	syms->source = ".symtab";
	return n > 1;
}

void symbols_load_kallsyms(struct symbols *syms, const struct kallsyms *kallsyms)
{
	struct kallsyms_iter it;
	struct exports exports;
	size_t n_data = 0;

	for (kallsyms_iter_init(&it, kallsyms); kallsyms_next(&it);) {
		symbols_offer(syms, it.name, it.name_len, it.addr,
			      it.type >= 'A' && it.type <= 'Z');
		n_data += kallsyms_is_data(it.type);
	}
	syms->source = "kallsyms";
	if (n_data >= KALLSYMS_DATA || !exports_find(kallsyms, &exports))
		return;
	for (uint32_t i = 0; i < exports.n; i++) {
		gaddr_t addr;
		const char *name = exports_at(&exports, i, &addr);

		symbols_offer(syms, name, strlen(name), addr, true);
	}
}

/*
 * scripts/kallsyms.c puts its tables into .rodata, which is looked at first. Some linker scripts
 * merge that into another section.
 */
struct kt_error *symbols_find_kallsyms(struct image *image, struct kallsyms *ret)
{
	struct image_section s;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; image_section_next(image, &i, &s);) {
			struct kallsyms_range range = {
				.data = kt_cursor(s.data, (size_t)s.size, image_big_endian(image)),
				.addr = s.addr,
				.pointer_size = image_pointer_size(image),
			};
			struct kt_error *err;

			if (!s.alloc || !s.data || s.addr & 3 ||
			    (strcmp(s.name, ".rodata") != 0) != pass)
				continue;
			err = kallsyms_find(&range, ret);
			if (!err)
				return NULL;
			kt_error_destroy(err);
		}
	}
	return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
					  "no symbols: it has no .symtab, and no kallsyms "
					  "(built without CONFIG_KALLSYMS)"),
			     "--system-map or --kallsyms of the same build, or its vmlinux (the "
			     "debug package)");
}

struct kt_error *symbols_load(struct symbols *syms, struct image *image)
{
	struct kallsyms kallsyms;
	struct kt_error *err;

	if (load_symtab(syms, image))
		return NULL;
	err = symbols_find_kallsyms(image, &kallsyms);
	if (!err)
		symbols_load_kallsyms(syms, &kallsyms);
	return err;
}
