// SPDX-License-Identifier: LGPL-2.1-or-later
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

#include "object/globals_impl.h"
#include "object/types.h"
#include "object/value.h"
#include "util/cleanup.h"
#include "util/edits.h"
#include "util/io.h"

#define FILE_MAX (64u << 20) /* bytes of an @FILE */

/* --- the object --- */

/* Sections of global variables, as libbpf knows them. Others that begin so are made for strings. */
static bool has_globals(const char *section)
{
	static const char *const names[] = {".rodata", ".data", ".bss"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t len = strlen(names[i]);

		if (!strncmp(section, names[i], len) && (!section[len] || section[len] == '.'))
			return !strpbrk(section, " \t\n");
	}
	return false;
}

static struct kt_error *add_function(struct object_globals *globals, const char *name)
{
	char *copy = strdup(name);

	if (copy && kt_vec_push(&globals->functions, copy))
		return NULL;
	free(copy);
	return kt_error_no_memory();
}

static struct kt_error *add_symbol(struct object_globals *globals, Elf *elf, size_t names,
				   size_t strings, const GElf_Sym *sym)
{
	Elf_Scn *scn = elf_getscn(elf, sym->st_shndx);
	const char *section, *name = elf_strptr(elf, strings, sym->st_name);
	struct global global = {0};
	GElf_Shdr header;

	if (GELF_ST_TYPE(sym->st_info) == STT_FUNC && name && sym->st_shndx)
		return add_function(globals, name);
	if (GELF_ST_TYPE(sym->st_info) != STT_OBJECT || !scn || !gelf_getshdr(scn, &header))
		return NULL;
	section = elf_strptr(elf, names, header.sh_name);
	if (!name || !name[0] || !section || !has_globals(section) ||
	    sym->st_value > header.sh_size || sym->st_size > header.sh_size - sym->st_value)
		return NULL;
	global.name = strdup(name);
	global.section = strdup(section);
	global.offset = sym->st_value;
	global.size = sym->st_size;
	if (global.name && global.section && kt_vec_push(&globals->all, global))
		return NULL;
	free(global.name);
	free(global.section);
	return kt_error_no_memory();
}

/* A section without bytes in the file (.bss) is left out, and so is one that reaches out of it. */
static struct kt_error *add_section(struct object_globals *globals, Elf_Scn *scn, const char *name)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	struct global_section section = {0};

	if (!name || !has_globals(name) || !data || !data->d_buf)
		return NULL;
	section.name = strdup(name);
	section.data = malloc(data->d_size ? data->d_size : 1);
	section.len = data->d_size;
	if (section.name && section.data && kt_vec_push(&globals->sections, section)) {
		memcpy(section.data, data->d_buf, data->d_size);
		return NULL;
	}
	free(section.name);
	free(section.data);
	return kt_error_no_memory();
}

static struct kt_error *read_symbols(struct object_globals *globals, Elf *elf)
{
	struct kt_error *err = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return kt_error_new(KT_ERROR_FORMAT, "its sections have no names");
	while (!err && (scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;
		GElf_Sym sym;

		if (!gelf_getshdr(scn, &header))
			continue;
		if (header.sh_type == SHT_PROGBITS)
			err = add_section(globals, scn, elf_strptr(elf, names, header.sh_name));
		if (header.sh_type != SHT_SYMTAB || !(data = elf_getdata(scn, NULL)))
			continue;
		for (int i = 0; !err && gelf_getsym(data, i, &sym); i++)
			err = add_symbol(globals, elf, names, header.sh_link, &sym);
	}
	return err;
}

struct kt_error *object_globals_open(const char *path, struct object_globals **ret)
{
	_cleanup_close_ int fd = -1;
	struct object_globals *globals;
	struct kt_error *err = kt_open_file(AT_FDCWD, path, 0, &fd, NULL);
	Elf *elf;

	if (err)
		return kt_error_wrap(err, "%s", path);
	globals = calloc(1, sizeof(*globals));
	if (!globals)
		return kt_error_no_memory();
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		err = kt_error_new(KT_ERROR_FORMAT, "it is no ELF file");
	if (!err)
		err = object_types_read(path, &globals->btf);
	if (!err)
		err = read_symbols(globals, elf);
	elf_end(elf);
	if (err) {
		object_globals_close(globals);
		return kt_error_wrap(err, "%s", path);
	}
	*ret = globals;
	return NULL;
}

void globals_drop_writes(struct object_globals *globals, size_t from)
{
	while (globals->writes.v.len > from) {
		const struct object_write *last = &globals->writes.v.data[--globals->writes.v.len];

		free(last->data);
		free(last->mask);
	}
}

void object_globals_close(struct object_globals *globals)
{
	if (!globals)
		return;
	globals_drop_writes(globals, 0);
	kt_vec_free(&globals->writes.v);
	kt_vec_for_each (&globals->all, global) {
		free(global->name);
		free(global->section);
	}
	kt_vec_free(&globals->all);
	kt_vec_for_each (&globals->sections, section) {
		free(section->name);
		free(section->data);
	}
	kt_vec_free(&globals->sections);
	kt_vec_for_each (&globals->functions, function)
		free(*function);
	kt_vec_free(&globals->functions);
	btf__free(globals->btf);
	free(globals);
}

const struct object_write *object_globals_writes(const struct object_globals *globals, size_t *n)
{
	*n = globals->writes.v.len;
	return globals->writes.v.data;
}

/* --- a variable --- */

/* The type of a variable in a section; 0: the BTF does not have it. */
static uint32_t type_of(const struct btf *btf, const struct global *global)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *sec = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, sec->name_off);

		if (!btf_is_datasec(sec) || !name || strcmp(name, global->section) != 0)
			continue;
		for (uint32_t i = 0; i < btf_vlen(sec); i++) {
			const struct btf_type *var = btf__type_by_id(btf,
								     btf_var_secinfos(sec)[i].type);

			name = var && btf_is_var(var) ? btf__name_by_offset(btf, var->name_off)
						      : NULL;
			if (name && !strcmp(name, global->name))
				return var->type;
		}
	}
	return 0;
}

struct kt_error *global_place(const struct object_globals *globals, const struct global *global,
			      struct place *ret)
{
	uint32_t type = type_of(globals->btf, global);

	if (!type)
		return kt_error_new(KT_ERROR_FORMAT, "the object's BTF does not have its type");
	*ret = (struct place){
		.btf = globals->btf,
		.type = type,
		.section = global->section,
		.offset = global->offset,
		.end = global->offset + global->size,
	};
	return NULL;
}

/* A name that is part of the other, or some letters off. */
static bool is_near(const char *name, const char *typed)
{
	size_t len = strlen(typed), max = 1 + len / 4;

	return (len > 2 && strstr(name, typed)) || (strlen(name) > 2 && strstr(typed, name)) ||
	       kt_edits(name, strlen(name), typed, len, max) <= max;
}

struct kt_error *global_missing(const struct object_globals *globals, const char *name)
{
	_cleanup_(kt_buf_deinit) struct kt_buf near = KT_BUF_INIT;
	struct kt_error *err = kt_error_new(KT_ERROR_NOT_FOUND, "there is no variable '%.80s'",
					    name);

	kt_vec_for_each (&globals->all, global)
		if (near.len < 200 && is_near(global->name, name))
			kt_buf_printf(&near, "%s%.80s",
				      near.len ? ", " : "near it: ", global->name);
	/* A few are all that it has. */
	for (size_t i = 0; !near.len && globals->all.len < 9 && i < globals->all.len; i++)
		kt_buf_printf(&near, "%s%.40s", i ? ", " : "there are ", globals->all.data[i].name);
	if (near.failed || !near.len)
		return err;
	return kt_error_hint(err, "%s", near.data);
}

/* --- "VAR[3].member = VALUE" --- */

/* Names of static variables in functions have dots in them: the longest name counts. */
static size_t name_length(const struct object_globals *globals, const char *path)
{
	size_t longest = 0;

	kt_vec_for_each (&globals->all, global) {
		size_t len = strlen(global->name);

		if (len > longest && !strncmp(path, global->name, len) &&
		    (!path[len] || strchr(".[", path[len])))
			longest = len;
	}
	return longest;
}

static struct kt_error *set_at(const struct place *place, const char *path, const char *value,
			       struct place_writes *writes);

/* path is behind "[". */
static struct kt_error *set_elements(const struct place *place, const char *path, const char *value,
				     struct place_writes *writes)
{
	size_t len = strcspn(path, "]");
	_cleanup_free_ char *index = strndup(path, len);
	struct value_int i = {0};
	struct kt_error *err = NULL;
	struct place element;
	int64_t named;

	if (!index)
		return kt_error_no_memory();
	if (!path[len])
		return kt_error_new(KT_ERROR_USAGE, "'[%.80s': there is no ']'", path);
	if (!strcmp(index, "*")) {
		uint32_t n = place_length(place);

		for (uint32_t j = 0; j < n && !err; j++) {
			err = place_element(place, j, &element);
			if (!err)
				err = set_at(&element, path + len + 1, value, writes);
		}
		return err || n ? err : kt_error_new(KT_ERROR_USAGE, "it has no elements");
	}
	if (value_read_int(index, &i) != VALUE_OK) {
		if (!place_enumerator(place, index, &named) || named < 0)
			return kt_error_new(KT_ERROR_USAGE, "'%.80s' is no index", index);
		i.magnitude = (uint64_t)named;
	}
	if ((i.negative && i.magnitude) || i.magnitude > UINT64_MAX)
		return kt_error_new(KT_ERROR_USAGE, "'%.80s' is no index", index);
	err = place_element(place, (uint64_t)i.magnitude, &element);
	return err ? err : set_at(&element, path + len + 1, value, writes);
}

/* path is behind ".". */
static struct kt_error *set_member(const struct place *place, const char *path, const char *value,
				   struct place_writes *writes)
{
	size_t len = strcspn(path, ".[");
	_cleanup_free_ char *name = strndup(path, len);
	struct kt_error *err;
	struct place member;

	if (!name)
		return kt_error_no_memory();
	err = place_member(place, name, &member);
	return err ? err : set_at(&member, path + len, value, writes);
}

/* Cuts the next part off *rest at any of the separators, and blanks around it. NULL: the end. */
static char *next_part(char **rest, const char *separators)
{
	char *part = strsep(rest, separators), *end;

	if (!part)
		return NULL;
	part += strspn(part, " \t");
	for (end = part + strlen(part); end > part && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	return part;
}

/* Elements of an array, one after the other; parts that are empty do not count. text is cut up. */
static struct kt_error *set_list(const struct place *place, char *text, const char *separators,
				 struct place_writes *writes)
{
	struct kt_error *err = NULL;
	struct place element;
	uint64_t i = 0;
	char *part;

	while (!err && (part = next_part(&text, separators))) {
		if (!part[0])
			continue;
		err = place_element(place, i++, &element);
		if (!err)
			err = set_at(&element, "", part, writes);
	}
	return err;
}

static struct kt_error *set_from_file(const struct place *place, const char *path,
				      struct place_writes *writes)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err = kt_read_file(path, FILE_MAX, &text);

	if (err || !text.len)
		return err;
	if (!place_is_text(place))
		return kt_error_wrap(set_list(place, text.data, "\n", writes), "%s", path);
	if (text.data[text.len - 1] == '\n')
		text.len--;
	return kt_error_wrap(place_put_text(place, text.data, text.len, writes), "%s", path);
}

static struct kt_error *set_array(const struct place *place, const char *value,
				  struct place_writes *writes)
{
	size_t len = strlen(value);
	_cleanup_free_ char *list = NULL;

	if (value[0] == '@')
		return set_from_file(place, value + 1, writes);
	if (place_is_text(place) || value[0] != '{' || value[len - 1] != '}')
		return place_put(place, value, writes);
	list = strndup(value + 1, len - 2);
	return list ? set_list(place, list, ",", writes) : kt_error_no_memory();
}

/* path is what of the place is meant: "", or begins with "[" or ".". */
static struct kt_error *set_at(const struct place *place, const char *path, const char *value,
			       struct place_writes *writes)
{
	switch (*path) {
	case '\0':
		return place_length(place) ? set_array(place, value, writes)
					   : place_put(place, value, writes);
	case '[': return set_elements(place, path + 1, value, writes);
	case '.': return set_member(place, path + 1, value, writes);
	default: return kt_error_new(KT_ERROR_USAGE, "'%.80s': '[' or '.' is expected here", path);
	}
}

/* Every variable of that name: those of two linked files may have the same one. */
static struct kt_error *set_variables(struct object_globals *globals, const char *path,
				      const char *value)
{
	size_t len = name_length(globals, path);
	struct kt_error *err = NULL;
	struct place place;

	if (!len) {
		_cleanup_free_ char *name = strndup(path, strcspn(path, "["));

		return name ? global_missing(globals, name) : kt_error_no_memory();
	}
	kt_vec_for_each (&globals->all, global) {
		if (err || strlen(global->name) != len || strncmp(path, global->name, len) != 0)
			continue;
		err = global_place(globals, global, &place);
		if (!err)
			err = set_at(&place, path + len, value, &globals->writes);
	}
	return err;
}

struct kt_error *object_globals_set(struct object_globals *globals, const char *assignment)
{
	_cleanup_free_ char *text = strdup(assignment);
	size_t before = globals->writes.v.len;
	char *value = text, *path;
	struct kt_error *err;

	if (!text)
		return kt_error_no_memory();
	path = next_part(&value, "=");
	if (!value || !path[0])
		return kt_error_new(KT_ERROR_USAGE, "'%.80s' is not VAR=VALUE", assignment);
	value += strspn(value, " \t");
	for (size_t len = strlen(value); len && isspace((unsigned char)value[len - 1]);)
		value[--len] = '\0';
	if (!value[0])
		return kt_error_new(KT_ERROR_USAGE, "'%.80s': there is no value", assignment);
	err = set_variables(globals, path, value);
	if (err)
		globals_drop_writes(globals, before);
	return kt_error_wrap(err, "%.80s", path);
}

bool object_globals_has(const struct object_globals *globals, const char *assignment)
{
	_cleanup_free_ char *path = strndup(assignment, strcspn(assignment, " \t="));

	return path && name_length(globals, path + strspn(path, " \t"));
}
