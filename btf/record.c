// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "btf/exports.h"
#include "btf/record.h"
#include "image/image.h"
#include "util/cleanup.h"

/* No kernel image is larger, on any architecture. */
#define IMAGE_MAX ((gaddr_t)1 << 30)

/* libelf keeps pointers to names, strings and symbols until the file is written. */
struct writer {
	const struct recovered *kernel;
	const struct record_place *place;
	Elf *elf;
	struct kt_buf names, strings;   /* .shstrtab, .strtab */
	struct kt_buf symbols, globals; /* .symtab; those that come last in it */
};

static void writer_deinit(struct writer *w)
{
	elf_end(w->elf);
	kt_buf_deinit(&w->names);
	kt_buf_deinit(&w->strings);
	kt_buf_deinit(&w->symbols);
	kt_buf_deinit(&w->globals);
}

/* KASLR moves the symbols of the image, but not absolute ones. */
static gaddr_t link_address(const struct writer *w, gaddr_t addr)
{
	gaddr_t text = w->place->text;

	if (w->place->offset_unknown || addr + IMAGE_MAX < text || addr - text >= IMAGE_MAX)
		return addr;
	return addr - (gaddr_t)w->place->kaslr_offset;
}

/* Adds a section. data has to outlive the writer; NULL: the section has no bytes. */
static Elf_Scn *add_section(struct writer *w, const char *name, GElf_Shdr sh, const void *data,
			    size_t size)
{
	Elf_Scn *scn = elf_newscn(w->elf);
	Elf_Data *d = scn ? elf_newdata(scn) : NULL;
	GElf_Shdr whole;

	if (!d || !gelf_getshdr(scn, &whole))
		return NULL;
	d->d_buf = (void *)data;
	d->d_size = size;
	d->d_type = sh.sh_type == SHT_SYMTAB ? ELF_T_SYM : ELF_T_BYTE;
	d->d_align = sh.sh_addralign ? sh.sh_addralign : 1;
	d->d_version = EV_CURRENT;
	whole.sh_name = (GElf_Word)w->names.len;
	whole.sh_type = sh.sh_type;
	whole.sh_flags = sh.sh_flags;
	whole.sh_addr = sh.sh_addr;
	whole.sh_link = sh.sh_link;
	whole.sh_info = sh.sh_info;
	whole.sh_entsize = sh.sh_entsize;
	kt_buf_append(&w->names, name, strlen(name) + 1);
	return gelf_update_shdr(scn, &whole) ? scn : NULL;
}

static bool add_contents(struct writer *w)
{
	const struct recovered *k = w->kernel;

	if (!add_section(w, ".text",
			 (GElf_Shdr){.sh_type = SHT_NOBITS,
				     .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
				     .sh_addr = link_address(w, w->place->text)},
			 NULL, 0))
		return false;
	if (!add_section(w, ".rodata",
			 (GElf_Shdr){.sh_type = SHT_PROGBITS,
				     .sh_flags = SHF_ALLOC,
				     .sh_addr = link_address(w, k->banner_addr)},
			 k->banner, strlen(k->banner) + 1))
		return false;
	if (k->notes && !add_section(w, ".notes",
				     (GElf_Shdr){.sh_type = SHT_NOTE,
						 .sh_flags = SHF_ALLOC,
						 .sh_addr = link_address(w, k->notes_addr),
						 .sh_addralign = 4},
				     k->notes, k->notes_len))
		return false;
	if (k->btf && !add_section(w, ".BTF",
				   (GElf_Shdr){.sh_type = SHT_PROGBITS,
					       .sh_flags = SHF_ALLOC,
					       .sh_addr = link_address(w, k->btf_addr),
					       .sh_addralign = 4},
				   k->btf, k->btf_len))
		return false;
	if (w->place->image_start &&
	    !add_section(w, RECORD_START,
			 (GElf_Shdr){.sh_type = SHT_NOBITS,
				     .sh_flags = SHF_ALLOC,
				     .sh_addr = link_address(w, w->place->image_start)},
			 NULL, 0))
		return false;
	return add_section(w, RECORD_MARK, (GElf_Shdr){.sh_type = SHT_NOBITS}, NULL, 0) &&
	       (!w->place->offset_unknown ||
		add_section(w, RECORD_UNPLACED, (GElf_Shdr){.sh_type = SHT_NOBITS}, NULL, 0));
}

/* In the byte order of this machine: libelf converts to that of the file. */
static void add_symbol(struct writer *w, const char *name, size_t len, gaddr_t addr, char letter)
{
	bool global = letter >= 'A' && letter <= 'Z'; /* as nm(1) has it */
	struct kt_buf *table = global ? &w->globals : &w->symbols;
	bool code = letter == 't' || letter == 'T';
	Elf64_Sym sym = {
		.st_name = (Elf64_Word)w->strings.len,
		.st_info = (unsigned char)ELF64_ST_INFO(global ? STB_GLOBAL : STB_LOCAL,
							code ? STT_FUNC : STT_OBJECT),
		.st_shndx = SHN_ABS,
		.st_value = link_address(w, addr),
	};
	Elf32_Sym narrow = {
		.st_name = sym.st_name,
		.st_info = sym.st_info, /* the same in both classes */
		.st_shndx = sym.st_shndx,
		.st_value = (Elf32_Addr)sym.st_value,
	};

	kt_buf_append(&w->strings, name, len + 1);
	if (w->kernel->pointer_size == 8)
		kt_buf_append(table, &sym, sizeof(sym));
	else
		kt_buf_append(table, &narrow, sizeof(narrow));
}

/* Of kallsyms; where that has no data, of what the kernel exports, too. */
static void add_all_symbols(struct writer *w)
{
	const struct kallsyms *kallsyms = &w->kernel->kallsyms;
	size_t n_data = 0;
	struct kallsyms_iter it;
	struct exports exports;

	for (kallsyms_iter_init(&it, kallsyms); kallsyms_next(&it);) {
		add_symbol(w, it.name, it.name_len, it.addr, it.type);
		n_data += kallsyms_is_data(it.type);
	}
	if (n_data >= KALLSYMS_DATA || !exports_find(kallsyms, &exports))
		return;
	for (uint32_t i = 0; i < exports.n; i++) {
		gaddr_t addr;
		const char *name = exports_at(&exports, i, &addr);

		add_symbol(w, name, strlen(name), addr, 'D');
	}
}

/* ELF wants local symbols before global ones, and before all of them one that says nothing. */
static bool add_symbols(struct writer *w)
{
	size_t entry = w->kernel->pointer_size == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	const Elf64_Sym none = {0};
	size_t first_global;
	Elf_Scn *strtab;

	if (!w->kernel->has_kallsyms)
		return true;
	kt_buf_appendc(&w->strings, '\0');
	kt_buf_append(&w->symbols, &none, entry);
	add_all_symbols(w);
	first_global = w->symbols.len / entry;
	kt_buf_append(&w->symbols, w->globals.data, w->globals.len);
	if (kt_buf_failed(&w->strings) || kt_buf_failed(&w->globals) || kt_buf_failed(&w->symbols))
		return false;
	strtab = add_section(w, ".strtab", (GElf_Shdr){.sh_type = SHT_STRTAB}, w->strings.data,
			     w->strings.len);
	return strtab && add_section(w, ".symtab",
				     (GElf_Shdr){.sh_type = SHT_SYMTAB,
						 .sh_link = (GElf_Word)elf_ndxscn(strtab),
						 .sh_info = (GElf_Word)first_global,
						 .sh_entsize = entry,
						 .sh_addralign = w->kernel->pointer_size},
				     w->symbols.data, w->symbols.len);
}

static bool add_header(struct writer *w)
{
	const struct recovered *k = w->kernel;
	GElf_Ehdr ehdr;

	if (!gelf_newehdr(w->elf, k->pointer_size == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    !gelf_getehdr(w->elf, &ehdr))
		return false;
	ehdr.e_ident[EI_DATA] = k->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
	ehdr.e_machine = k->machine;
	ehdr.e_type = ET_EXEC;
	ehdr.e_version = EV_CURRENT;
	if (!gelf_update_ehdr(w->elf, &ehdr))
		return false;
	kt_buf_appendc(&w->names, '\0');
	return true;
}

/* Adds .shstrtab. It is the last section, because it has the names of all. */
static bool add_names(struct writer *w)
{
	Elf_Scn *scn = elf_newscn(w->elf);
	Elf_Data *d = scn ? elf_newdata(scn) : NULL;
	GElf_Shdr sh;
	GElf_Ehdr ehdr;

	if (!d || !gelf_getshdr(scn, &sh) || !gelf_getehdr(w->elf, &ehdr))
		return false;
	sh.sh_name = (GElf_Word)w->names.len;
	sh.sh_type = SHT_STRTAB;
	kt_buf_append(&w->names, ".shstrtab", sizeof(".shstrtab"));
	ehdr.e_shstrndx = (GElf_Half)elf_ndxscn(scn);
	d->d_buf = w->names.data;
	d->d_size = w->names.len;
	d->d_type = ELF_T_BYTE;
	d->d_align = 1;
	d->d_version = EV_CURRENT;
	return !kt_buf_failed(&w->names) && gelf_update_shdr(scn, &sh) &&
	       gelf_update_ehdr(w->elf, &ehdr);
}

struct kt_error *record_write(const struct recovered *kernel, const struct record_place *place,
			      int *fd_ret)
{
	_cleanup_close_ int fd = memfd_create("recorded kernel", MFD_CLOEXEC);
	_cleanup_(writer_deinit) struct writer w = {.kernel = kernel, .place = place};

	if (fd < 0)
		return kt_error_os(errno, "cannot create a file in memory");
	elf_version(EV_CURRENT);
	w.elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (!w.elf || !add_header(&w) || !add_contents(&w) || !add_symbols(&w) || !add_names(&w) ||
	    elf_update(w.elf, ELF_C_WRITE) < 0)
		return w.strings.failed || w.names.failed || w.symbols.failed || w.globals.failed
			       ? kt_error_no_memory()
			       : kt_error_new(KT_ERROR_OS, "cannot write an ELF: %s",
					      elf_errmsg(-1));
	*fd_ret = kt_take_fd(&fd);
	return NULL;
}

struct record_path record_path(int fd)
{
	struct record_path path;

	snprintf(path.s, sizeof(path.s), "/proc/self/fd/%d", fd);
	return path;
}

struct cache_name record_key(const struct recovered *kernel)
{
	return cache_key(kernel->build_id, kernel->build_id_len, kernel->banner,
			 strlen(kernel->banner));
}

/* --- records in the cache --- */

static const char hash_magic[] = "\nktstr-gdb record ";
#define HASH_LEN 32
#define TAIL_LEN (sizeof(hash_magic) - 1 + HASH_LEN + 1)

static struct cache_name file_name(const struct cache_name *key)
{
	struct cache_name name;

	snprintf(name.s, sizeof(name.s), "kernel-%.140s", key->s);
	return name;
}

void record_store(const char *cache_dir, const struct cache_name *key, int fd)
{
	struct record_path path = record_path(fd);
	struct cache_name name = file_name(key), hash;
	struct image_file file = {0};
	struct kt_buf whole = KT_BUF_INIT;
	struct kt_error *err;

	if (!cache_dir)
		return;
	err = image_file_open(path.s, &file);
	if (!err) {
		hash = cache_content_hash(file.data, file.len);
		kt_buf_append(&whole, file.data, file.len);
		kt_buf_printf(&whole, "%s%s\n", hash_magic, hash.s);
		if (!kt_buf_failed(&whole))
			cache_write_plain(cache_dir, &name, &whole);
	}
	kt_error_destroy(err);
	kt_buf_deinit(&whole);
	image_file_close(&file);
}

static bool is_whole(const struct image_file *file)
{
	struct cache_name hash;
	const char *tail;

	if (file->len <= TAIL_LEN)
		return false;
	tail = (const char *)file->data + file->len - TAIL_LEN;
	hash = cache_content_hash(file->data, file->len - TAIL_LEN);
	return !memcmp(tail, hash_magic, sizeof(hash_magic) - 1) &&
	       !memcmp(tail + sizeof(hash_magic) - 1, hash.s, HASH_LEN);
}

char *record_find(const char *cache_dir, const struct cache_name *key)
{
	_cleanup_free_ char *path = NULL;
	struct cache_name name = file_name(key);
	struct image_file file = {0};
	struct kt_error *err;
	bool whole;

	if (!cache_dir || asprintf(&path, "%s/%s", cache_dir, name.s) < 0) {
		path = NULL;
		return NULL;
	}
	err = image_file_open(path, &file);
	whole = !err && is_whole(&file);
	kt_error_destroy(err);
	image_file_close(&file);
	return whole ? kt_take_ptr(path) : NULL;
}

/* False: it is no record, or none that can be recognised. */
static bool describe(const struct image_file *file, struct record_known *ret)
{
	struct image_section notes, start;
	struct record_known known = {0};
	struct image *image;
	struct kt_error *err = image_open(file->data, file->len, &image);
	bool ok;

	if (err) {
		kt_error_destroy(err);
		return false;
	}
	ok = image_section(image, RECORD_START, &start) && image_section(image, ".notes", &notes) &&
	     notes.data && notes.size <= RECORD_NOTES_MAX;
	if (ok) {
		known.machine = image_machine(image);
		known.notes = notes.addr - start.addr;
		known.notes_len = (size_t)notes.size;
		known.build_id_len = recover_build_id(notes.data, known.notes_len,
						      image_big_endian(image), known.build_id,
						      sizeof(known.build_id));
	}
	image_close(image);
	ok &= known.build_id_len > 0;
	if (ok) {
		known.key = cache_key(known.build_id, known.build_id_len, NULL, 0);
		*ret = known;
	}
	return ok;
}

/* The files of the cache that are looked at, of which some may be none that can be recognised. */
#define LIST_MAX 64

size_t record_list(const char *cache_dir, struct record_known *ret, size_t max)
{
	struct cache_name names[LIST_MAX];
	size_t n = cache_dir ? cache_newest(cache_dir, "kernel-id", names, LIST_MAX) : 0, found = 0;

	for (size_t i = 0; i < n && found < max; i++) {
		_cleanup_free_ char *path = NULL;
		struct image_file file = {0};
		struct kt_error *err;

		if (asprintf(&path, "%s/%s", cache_dir, names[i].s) < 0) {
			path = NULL;
			break;
		}
		err = image_file_open(path, &file);
		if (!err && describe(&file, &ret[found]))
			found++;
		kt_error_destroy(err);
		image_file_close(&file);
	}
	return found;
}

/* --- parts in the cache --- */

#define PART_PREFIX "part-at-"
/* They have some megabytes each. */
#define PARTS_MAX 4

static struct cache_name part_name(const char *place)
{
	struct cache_name hash = cache_content_hash(place, strlen(place)), name;

	snprintf(name.s, sizeof(name.s), PART_PREFIX "%.32s", hash.s);
	return name;
}

bool record_load_part(const char *cache_dir, const char *place, struct kt_buf *ret)
{
	struct cache_name name = part_name(place);

	return cache_dir && cache_read(cache_dir, &name, ret);
}

void record_store_part(const char *cache_dir, const char *place, const struct kt_buf *part)
{
	struct cache_name name = part_name(place), others[LIST_MAX];
	size_t n;

	if (!cache_dir)
		return;
	cache_remove(cache_dir, &name);
	if (!part->len)
		return;
	n = cache_newest(cache_dir, PART_PREFIX, others, LIST_MAX);
	for (size_t i = PARTS_MAX - 1; i < n; i++)
		cache_remove(cache_dir, &others[i]);
	cache_write(cache_dir, &name, part->data, part->len);
}

/* --- which kernel is where --- */

/* The name of the file that has the KEY of the kernel last seen at a place. */
static struct cache_name place_name(const char *place)
{
	struct cache_name hash = cache_content_hash(place, strlen(place)), name;

	snprintf(name.s, sizeof(name.s), "kernel-at-%.32s", hash.s);
	return name;
}

bool record_load_place(const char *cache_dir, const char *place, struct cache_name *key_ret)
{
	struct cache_name name = place_name(place), key = {0};
	struct kt_buf payload = KT_BUF_INIT;
	bool ok = cache_dir && cache_read(cache_dir, &name, &payload) && payload.len &&
		  payload.len < sizeof(key.s) &&
		  strspn(payload.data, "0123456789abcdefidx") == payload.len;

	if (ok) {
		memcpy(key.s, payload.data, payload.len);
		*key_ret = key;
	}
	kt_buf_deinit(&payload);
	return ok;
}

void record_store_place(const char *cache_dir, const char *place, const struct cache_name *key)
{
	struct cache_name name = place_name(place);

	if (cache_dir)
		cache_write(cache_dir, &name, key->s, strlen(key->s));
}
