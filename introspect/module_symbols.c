// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/module_symbols.h"
#include "memory/cstring.h"
#include "memory/list.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define MAX_MODULES 4096
/* Of all modules together, 24 bytes each; the largest of Debian's have some 10,000. */
#define MAX_SYMBOLS (1u << 18)
/* Bytes of their names, likewise; those have some 300,000. */
#define MAX_NAMES (8u << 20)

/* Bytes of a name that tell a mark. Behind the names are the types of the symbols, since 5.2. */
#define LETTERS 3

#define LIST "modules"

enum { MODULE_NEXT, MODULE_NAME, MODULE_KALLSYMS, MODULE_MEM, MODULE_BASE, MODULE_SIZE };
static const struct view_field module_fields[] = {
	[MODULE_NEXT] = {.path = "list.next"},
	[MODULE_NAME] = {.path = "name", .max = 64},
	[MODULE_KALLSYMS] = {.path = "kallsyms"},
	[MODULE_MEM] = {.path = "mem", .max = 64, .optional = true}, /* since 6.4; text is first */
	[MODULE_BASE] = {.path = "core_layout.base", .optional = true},
	[MODULE_SIZE] = {.path = "core_layout.size", .optional = true},
};
static const struct view_type module_type = VIEW_TYPE("module", module_fields);
static const struct list_type modules_list = {&module_type, MODULE_NEXT, .node = "list"};

enum { KALLSYMS_SYMTAB, KALLSYMS_N, KALLSYMS_STRTAB };
static const struct view_field kallsyms_fields[] = {
	[KALLSYMS_SYMTAB] = {.path = "symtab"},
	[KALLSYMS_N] = {.path = "num_symtab"},
	[KALLSYMS_STRTAB] = {.path = "strtab"},
};
static const struct view_type kallsyms_type = VIEW_TYPE("mod_kallsyms", kallsyms_fields);

static const struct view_field head_fields[] = {{.path = "next"}};
static const struct view_type head_type = VIEW_TYPE("list_head", head_fields);

bool module_symbols_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_SYMBOL, LIST, NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "module_memory", "base", true) &&
	       wants_add(wants, KFACTS_MEMBER, "module_memory", "size", true) &&
	       list_wants(&modules_list, wants) && view_wants(&kallsyms_type, wants) &&
	       view_wants(&head_type, wants);
}

/* A module that has some of the addresses. */
struct module {
	char name[64];
	gaddr_t kallsyms, base, size, strtab;
	size_t first, end; /* of the symbols, which are by address */
	uint8_t *table;    /* Elf64_Sym */
	size_t n;
	size_t piece;
	/* A part of strtab: all names of symbols in the text begin in it. */
	char *names;
	uint32_t names_at;
	size_t names_len, names_piece;
};

struct search {
	struct guest *guest;
	bool big_endian;
	unsigned int release; /* of the kernel: 6.12 is 6012; 0: unknown */
	struct module_symbol **by_addr;
	size_t n;
	KT_VEC(struct module) modules;
};

static void search_deinit(struct search *search)
{
	kt_vec_for_each (&search->modules, module)
		free(module->table), free(module->names);
	kt_vec_free(&search->modules);
	free(search->by_addr);
}

static int compare_addr(const void *a, const void *b)
{
	const struct module_symbol *x = *(struct module_symbol *const *)a;
	const struct module_symbol *y = *(struct module_symbol *const *)b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* The first symbol at addr or behind it. */
static size_t lower_bound(const struct search *search, gaddr_t addr)
{
	size_t from = 0, to = search->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (search->by_addr[mid]->addr < addr)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* Where its functions are. */
static void take_layout(const struct search *search, const struct view *view, const uint8_t *image,
			struct module *module)
{
	const struct kfacts *facts = guest_facts(search->guest);
	struct kfacts_member base, size;
	size_t len = 0;
	const uint8_t *mem = view_bytes(view, image, MODULE_MEM, &len);

	if (!view_has(view, MODULE_MEM)) {
		module->base = view_uint(view, image, MODULE_BASE);
		module->size = view_uint(view, image, MODULE_SIZE);
		return;
	}
	if (!kfacts_member(facts, "module_memory", "base", &base) ||
	    !kfacts_member(facts, "module_memory", "size", &size) || base.size != 8 ||
	    size.size != 4 || len < 8 || base.offset > len - 8 || size.offset > len - 4)
		return;
	module->base = kt_load_uint(mem + base.offset, 8, search->big_endian);
	module->size = kt_load_uint(mem + size.offset, 4, search->big_endian);
}

static struct kt_error *find_modules(struct search *search, const struct lists *lists)
{
	for (size_t i = 0; i < lists->items.len; i++) {
		const struct list_item *item = &lists->items.data[i];
		struct module module = {0};
		size_t len = 0;
		const char *name = view_bytes(&lists->view, item->image, MODULE_NAME, &len);

		take_layout(search, &lists->view, item->image, &module);
		module.kallsyms = view_uint(&lists->view, item->image, MODULE_KALLSYMS);
		memcpy(module.name, name,
		       len < sizeof(module.name) - 1 ? len : sizeof(module.name) - 1);
		module.first = lower_bound(search, module.base);
		module.end = module.base + module.size < module.base
				     ? module.first
				     : lower_bound(search, module.base + module.size);
		if (module.first < module.end && !kt_vec_push(&search->modules, module))
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *read_modules(struct search *search)
{
	const struct kfacts *facts = guest_facts(search->guest);
	const struct gmem memory = guest_memory(search->guest);
	_cleanup_(lists_deinit) struct lists lists = {0};
	_cleanup_(object_deinit) struct object head = {0};
	struct kt_error *err;
	struct view view;
	gaddr_t addr;

	if (!lists_init(&lists, &modules_list, facts, MAX_MODULES) ||
	    !view_try(&view, &head_type, facts) || !guest_symbol(search->guest, LIST, &addr))
		return NULL;
	err = object_read(&head, &view, addr, &memory);
	if (!err && head.known)
		err = lists_add(&lists, 0, addr, view_uint(&view, head.image, 0));
	if (!err)
		err = lists_read(&lists, &memory);
	return err ? err : find_modules(search, &lists);
}

/* Each module's table of symbols. */
static struct kt_error *read_tables(struct search *search)
{
	const struct gmem memory = guest_memory(search->guest);
	_cleanup_free_ gaddr_t *addrs = calloc(search->modules.len + 1, sizeof(*addrs));
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_(objects_deinit) struct objects objects = {0};
	size_t left = MAX_SYMBOLS;
	struct kt_error *err;
	struct view view;

	if (!addrs)
		return kt_error_no_memory();
	if (!view_try(&view, &kallsyms_type, guest_facts(search->guest)))
		return NULL;
	for (size_t i = 0; i < search->modules.len; i++)
		addrs[i] = search->modules.data[i].kallsyms;
	err = objects_read(&memory, &view, addrs, search->modules.len, &objects);
	for (size_t i = 0; i < search->modules.len && !err; i++) {
		struct module *module = &search->modules.data[i];
		uint64_t n = objects_uint(&objects, i, KALLSYMS_N);

		if (!n || n > left)
			continue;
		left -= n;
		module->strtab = objects_uint(&objects, i, KALLSYMS_STRTAB);
		module->table = calloc(n, sizeof(Elf64_Sym));
		module->piece = batch.reads.len;
		if (!module->table ||
		    !gmem_batch_add(&batch, objects_uint(&objects, i, KALLSYMS_SYMTAB),
				    module->table, n * sizeof(Elf64_Sym)))
			return kt_error_no_memory();
		module->n = n;
	}
	if (!err && batch.reads.len)
		err = guest_read(search->guest, &batch);
	for (size_t i = 0; i < search->modules.len && !err; i++) {
		struct module *module = &search->modules.data[i];

		if (module->n && gmem_batch_fault(&batch, module->piece, module->piece + 1))
			module->n = 0;
	}
	return err;
}

/* A symbol of a table, as far as it counts. */
struct place {
	gaddr_t value;
	uint32_t name;
	size_t index;
};

/* False: it is not in the module's text, or has no name. */
static bool place_at(const struct search *search, const struct module *module, size_t i,
		     struct place *ret)
{
	const uint8_t *sym = module->table + i * sizeof(Elf64_Sym);
	uint64_t section = kt_load_uint(sym + offsetof(Elf64_Sym, st_shndx), 2, search->big_endian);

	ret->value = kt_load_uint(sym + offsetof(Elf64_Sym, st_value), 8, search->big_endian);
	ret->name = (uint32_t)kt_load_uint(sym + offsetof(Elf64_Sym, st_name), 4,
					   search->big_endian);
	ret->index = i;
	return ret->name && section != SHN_UNDEF && ret->value >= module->base &&
	       ret->value - module->base < module->size;
}

/* Where the names of a module's text begin. A module with too many has no names here. */
static bool find_letters(const struct search *search, struct module *module, size_t *left)
{
	uint32_t first = UINT32_MAX, last = 0;
	struct place place;

	for (size_t i = 0; i < module->n; i++)
		if (place_at(search, module, i, &place)) {
			first = place.name < first ? place.name : first;
			last = place.name > last ? place.name : last;
		}
	if (first > last || last - first > MAX_NAMES || (size_t)(last - first) + LETTERS > *left) {
		module->n = 0;
		return true;
	}
	module->names_at = first;
	module->names_len = (size_t)(last - first) + LETTERS;
	module->names = calloc(1, module->names_len);
	*left -= module->names_len;
	return module->names;
}

/* How the names begin: that tells which are no functions. */
static struct kt_error *read_letters(struct search *search)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t left = MAX_NAMES;
	struct kt_error *err = NULL;

	kt_vec_for_each (&search->modules, module) {
		if (!find_letters(search, module, &left))
			return kt_error_no_memory();
		module->names_piece = batch.reads.len;
		if (module->n && !gmem_batch_add(&batch, module->strtab + module->names_at,
						 module->names, module->names_len))
			return kt_error_no_memory();
	}
	if (batch.reads.len)
		err = guest_read(search->guest, &batch);
	kt_vec_for_each (&search->modules, module)
		if (!err && module->n &&
		    gmem_batch_fault(&batch, module->names_piece, module->names_piece + 1))
			module->n = 0;
	return err;
}

/*
 * Symbols by which assemblers mark places in code: "$x", ".L1". The kernel goes by the name
 * (is_mapping_symbol(), before 6.4 is_arm_mapping_symbol()), on each architecture: up to 6.3 ".L",
 * and "$a", "$d", "$t", "$x", also with a "." behind it; since 6.4 "L0", too; since 6.6 all with
 * "$".
 */
static bool is_mark(const struct search *search, const struct module *module, uint32_t at)
{
	const char *name = module->names + (at - module->names_at);

	if (name[0] == '.' && name[1] == 'L')
		return true;
	if (name[0] == 'L' && name[1] == '0')
		return !search->release || search->release >= 6004;
	if (name[0] != '$')
		return false;
	if (!search->release || search->release >= 6006)
		return true;
	return name[1] && strchr("adtx", name[1]) && (!name[2] || name[2] == '.');
}

static int compare_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* The symbols of a module's text, by address; of several at one place the first. */
static size_t find_places(const struct search *search, const struct module *module,
			  struct place *ret)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < module->n; i++) {
		struct place place;

		if (place_at(search, module, i, &place) && !is_mark(search, module, place.name))
			ret[n++] = place;
	}
	qsort(ret, n, sizeof(*ret), compare_place);
	for (size_t i = 0; i < n; i++)
		if (!kept || ret[kept - 1].value != ret[i].value)
			ret[kept++] = ret[i];
	return kept;
}

/* The last place at addr or before it; NULL: there is none. */
static const struct place *place_of(const struct place *places, size_t n, gaddr_t addr)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (places[mid].value <= addr)
			from = mid + 1;
		else
			to = mid;
	}
	return from ? &places[from - 1] : NULL;
}

static struct kt_error *find_names(struct search *search, const struct module *module,
				   struct cstring *names)
{
	_cleanup_free_ struct place *places = calloc(module->n + 1, sizeof(*places));
	size_t n;

	if (!places)
		return kt_error_no_memory();
	n = find_places(search, module, places);
	for (size_t i = module->first; i < module->end; i++) {
		struct module_symbol *symbol = search->by_addr[i];
		const struct place *place = place_of(places, n, symbol->addr);

		/* Two modules cannot be at one place. */
		if (!place || names[i].addr)
			continue;
		symbol->start = place->value;
		names[i].addr = module->strtab + place->name;
	}
	return NULL;
}

static struct kt_error *take_names(struct search *search, const struct cstring *names)
{
	kt_vec_for_each (&search->modules, module)
		for (size_t i = module->first; i < module->end; i++) {
			struct module_symbol *symbol = search->by_addr[i];

			if (!names[i].known || !names[i].text.data || symbol->name)
				continue;
			symbol->name = strdup(names[i].text.data);
			symbol->module = strdup(module->name);
			if (!symbol->name || !symbol->module)
				return kt_error_no_memory();
		}
	return NULL;
}

static struct kt_error *read_names(struct search *search)
{
	const struct gmem memory = guest_memory(search->guest);
	_cleanup_free_ struct cstring *names = calloc(search->n + 1, sizeof(*names));
	struct kt_error *err = NULL;

	if (!names)
		return kt_error_no_memory();
	for (size_t i = 0; i < search->modules.len && !err; i++)
		err = find_names(search, &search->modules.data[i], names);
	if (!err)
		err = cstrings_read(&memory, names, search->n);
	if (!err)
		err = take_names(search, names);
	for (size_t i = 0; i < search->n; i++)
		cstring_deinit(&names[i]);
	return err;
}

/* "6.12.73+deb13-amd64" is 6012. */
static unsigned int release_of(const struct kfacts_kernel *kernel)
{
	unsigned int major, minor;

	if (!kernel->release || sscanf(kernel->release, "%3u.%3u", &major, &minor) != 2)
		return 0;
	return major * 1000 + minor;
}

struct kt_error *module_symbols_read(struct guest *guest, struct module_symbol *symbols, size_t n)
{
	_cleanup_(search_deinit) struct search search = {
		.guest = guest,
		.big_endian = kfacts_kernel(guest_facts(guest))->big_endian,
		.release = release_of(kfacts_kernel(guest_facts(guest))),
		.by_addr = calloc(n + 1, sizeof(*search.by_addr)),
		.n = n,
	};
	struct kt_error *err;

	if (!n)
		return NULL;
	if (!search.by_addr)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		search.by_addr[i] = &symbols[i];
	qsort(search.by_addr, n, sizeof(*search.by_addr), compare_addr);
	err = read_modules(&search);
	if (err || !search.modules.len)
		return err;
	err = read_tables(&search);
	if (!err)
		err = read_letters(&search);
	return err ? err : read_names(&search);
}

void module_symbols_deinit(struct module_symbol *symbols, size_t n)
{
	for (size_t i = 0; symbols && i < n; i++) {
		free(symbols[i].name);
		free(symbols[i].module);
	}
}
