// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "btf/dwarf_file.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/*
 * The largest section, in bytes, unpacked. The .debug_info of a vmlinux with everything built in
 * has 300 MB.
 */
#define SECTION_LIMIT ((uint64_t)2 << 30)

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

#define HINT_DEBUG_PACKAGE                                                                         \
	"give the vmlinux of the build's debug package, or --btf with a copy of the guest's "      \
	"/sys/kernel/btf/vmlinux"

static const char *const names[DWARF_SECTIONS] = {
	[DWARF_INFO] = ".debug_info",
	[DWARF_ABBREV] = ".debug_abbrev",
	[DWARF_STR] = ".debug_str",
	[DWARF_LINE_STR] = ".debug_line_str",
	[DWARF_STR_OFFSETS] = ".debug_str_offsets",
	[DWARF_ADDR] = ".debug_addr",
	[DWARF_LOCLISTS] = ".debug_loclists",
	[DWARF_RNGLISTS] = ".debug_rnglists",
};

/* struct Elf64_Chdr: type, reserved, size, alignment; gabi, "Section Compression". */
static struct kt_error *unpack(const struct image_section *s, bool big_endian, bool wide,
			       struct dwarf_section *ret)
{
	struct kt_cursor c = kt_cursor(s->data, (size_t)s->size, big_endian);
	uint32_t type = kt_cursor_u32(&c);
	const uint8_t *packed;
	uint64_t size;
	uLongf got;
	bool ok;

	if (wide)
		kt_cursor_u32(&c);
	size = kt_cursor_uint(&c, wide ? 8 : 4);
	kt_cursor_uint(&c, wide ? 8 : 4);
	if (c.failed || size > SECTION_LIMIT)
		return kt_error_new(KT_ERROR_FORMAT, "damaged: its compressed %s", s->name);
	if (type != ELFCOMPRESS_ZLIB && type != ELFCOMPRESS_ZSTD)
		return kt_error_new(
			KT_ERROR_UNSUPPORTED,
			"its %s is compressed in a way (%u) that is neither zlib nor zstd", s->name,
			type);
	ret->owned = malloc(size ? (size_t)size : 1);
	if (!ret->owned)
		return kt_error_no_memory();
	packed = c.data + c.pos;
	got = (uLongf)size;
	if (type == ELFCOMPRESS_ZLIB)
		ok = uncompress(ret->owned, &got, packed, (uLong)(c.len - c.pos)) == Z_OK;
	else
		ok = !ZSTD_isError(
			got = ZSTD_decompress(ret->owned, (size_t)size, packed, c.len - c.pos));
	if (!ok || got != size)
		return kt_error_new(KT_ERROR_FORMAT, "damaged: its compressed %s does not unpack",
				    s->name);
	ret->data = ret->owned;
	ret->size = (size_t)size;
	return NULL;
}

static struct kt_error *load_section(struct image *image, const char *name,
				     struct dwarf_section *ret)
{
	struct image_section s;
	bool compressed;

	ret->name = name;
	if (!image_section_raw(image, name, &s, &compressed) || !s.data || !s.size)
		return NULL;
	if (compressed)
		return unpack(&s, image_big_endian(image), image_pointer_size(image) == 8, ret);
	ret->data = s.data;
	ret->size = (size_t)s.size;
	return NULL;
}

static bool has_section(struct image *image, const char *name)
{
	struct image_section s;
	bool compressed;

	return image_section_raw(image, name, &s, &compressed);
}

bool dwarf_present(struct image *image)
{
	return has_section(image, ".debug_info");
}

/* The error that there is no DWARF, with the reason if there is a known one. */
static struct kt_error *check_form(struct image *image)
{
	struct image_section s;
	bool compressed;
	GElf_Ehdr ehdr;

	if (has_section(image, ".zdebug_info"))
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "its DWARF is compressed in the old "
						  "way (.zdebug_info)"),
				     "objcopy --decompress-debug-sections unpacks it");
	if (has_section(image, ".gnu_debugaltlink"))
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "a part of its DWARF is in another file "
						  "(.gnu_debugaltlink, made by dwz)"),
				     HINT_DEBUG_PACKAGE);
	if (!dwarf_present(image) && image_section_raw(image, ".gnu_debuglink", &s, &compressed) &&
	    s.data && memchr(s.data, 0, (size_t)s.size))
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						  "no types: no .BTF in it, and its DWARF is in "
						  "another file, %s (.gnu_debuglink)",
						  (const char *)s.data),
				     "give that file");
	if (!dwarf_present(image))
		return kt_error_hint(
			kt_error_new(
				KT_ERROR_NOT_FOUND,
				"no types: neither .BTF (CONFIG_DEBUG_INFO_BTF) nor DWARF in it"),
			HINT_DEBUG_PACKAGE);
	if (gelf_getehdr(image_elf(image), &ehdr) && ehdr.e_type == ET_REL)
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "a relocatable object (ET_REL), not a linked "
						  "vmlinux"),
				     HINT_DEBUG_PACKAGE);
	return NULL;
}

/* libdwarf counts sections from 1, as ELF does. */
static const struct dwarf_section *by_index(void *object, uint64_t index)
{
	struct dwarf_file *file = object;

	return index >= 1 && index <= DWARF_SECTIONS ? &file->sections[index - 1] : NULL;
}

static int give_section(void *object, uint64_t index, Dwarf_Small **ret)
{
	const struct dwarf_section *s = by_index(object, index);

	if (!s || !s->data)
		return DW_DLV_NO_ENTRY;
	*ret = (Dwarf_Small *)(uintptr_t)s->data;
	return DW_DLV_OK;
}

static Dwarf_Unsigned section_count(void *object)
{
	(void)object;
	return DWARF_SECTIONS + 1;
}

static Dwarf_Small pointer_size(void *object)
{
	return (Dwarf_Small)((struct dwarf_file *)object)->pointer_size;
}

/* The size of an offset in DWARF, where a unit does not tell its own. */
static Dwarf_Small length_size(void *object)
{
	(void)object;
	return 4;
}

#ifdef DW_LIBDWARF_VERSION_MAJOR
typedef Dwarf_Obj_Access_Interface_a access_interface;

static int section_info(void *object, Dwarf_Unsigned index, Dwarf_Obj_Access_Section_a *ret,
			int *error)
{
	const struct dwarf_section *s = by_index(object, index);

	(void)error;
	*ret = (Dwarf_Obj_Access_Section_a){
		.as_name = s ? s->name : "",
		.as_size = s ? s->size : 0,
		.as_addralign = 1,
	};
	return DW_DLV_OK;
}

static Dwarf_Small byte_order(void *object)
{
	return ((struct dwarf_file *)object)->big_endian ? DW_END_big : DW_END_little;
}

/* libdwarf checks sections against this size; unpacked ones may be larger than the file. */
static Dwarf_Unsigned file_size(void *object)
{
	const struct dwarf_file *file = object;
	Dwarf_Unsigned size = file->image_len;

	for (size_t i = 0; i < DWARF_SECTIONS; i++)
		size += file->sections[i].size;
	return size;
}

static int load(void *object, Dwarf_Unsigned index, Dwarf_Small **ret, int *error)
{
	(void)error;
	return give_section(object, index, ret);
}

static const Dwarf_Obj_Access_Methods_a methods = {
	.om_get_section_info = section_info,
	.om_get_byte_order = byte_order,
	.om_get_length_size = length_size,
	.om_get_pointer_size = pointer_size,
	.om_get_filesize = file_size,
	.om_get_section_count = section_count,
	.om_load_section = load,
};

static void fill_access(struct dwarf_file *file, access_interface *access)
{
	*access = (access_interface){.ai_object = file, .ai_methods = &methods};
}

static void finish(Dwarf_Debug debug)
{
	dwarf_object_finish(debug);
}
#else
typedef Dwarf_Obj_Access_Interface access_interface;

static int section_info(void *object, Dwarf_Half index, Dwarf_Obj_Access_Section *ret, int *error)
{
	const struct dwarf_section *s = by_index(object, index);

	(void)error;
	*ret = (Dwarf_Obj_Access_Section){
		.name = s ? s->name : "",
		.size = s ? s->size : 0,
	};
	return DW_DLV_OK;
}

static Dwarf_Endianness byte_order(void *object)
{
	return ((struct dwarf_file *)object)->big_endian ? DW_OBJECT_MSB : DW_OBJECT_LSB;
}

static int load(void *object, Dwarf_Half index, Dwarf_Small **ret, int *error)
{
	(void)error;
	return give_section(object, index, ret);
}

static const Dwarf_Obj_Access_Methods methods = {
	.get_section_info = section_info,
	.get_byte_order = byte_order,
	.get_length_size = length_size,
	.get_pointer_size = pointer_size,
	.get_section_count = section_count,
	.load_section = load,
};

static void fill_access(struct dwarf_file *file, access_interface *access)
{
	*access = (access_interface){.object = file, .methods = &methods};
}

static void finish(Dwarf_Debug debug)
{
	Dwarf_Error error = NULL;

	dwarf_object_finish(debug, &error);
}
#endif

static struct kt_error *open_debug(struct dwarf_file *file)
{
	Dwarf_Error error = NULL;
	struct kt_error *err;
	int res;

	file->access = calloc(1, sizeof(access_interface));
	if (!file->access)
		return kt_error_no_memory();
	fill_access(file, file->access);
	res = dwarf_object_init_b(file->access, NULL, NULL, DW_GROUPNUMBER_ANY, &file->debug,
				  &error);
	if (res == DW_DLV_OK)
		return NULL;
	err = kt_error_new(KT_ERROR_FORMAT, "its DWARF is damaged: %s",
			   res == DW_DLV_ERROR ? dwarf_errmsg(error) : "nothing of it is there");
	if (res == DW_DLV_ERROR)
		dwarf_dealloc_error(file->debug, error);
	file->debug = NULL;
	return err;
}

struct kt_error *dwarf_file_open(struct image *image, struct dwarf_file *ret)
{
	struct kt_error *err = check_form(image);

	*ret = (struct dwarf_file){
		.big_endian = image_big_endian(image),
		.pointer_size = image_pointer_size(image),
		.image_len = image_len(image),
	};
	for (size_t i = 0; i < DWARF_SECTIONS && !err; i++)
		err = load_section(image, names[i], &ret->sections[i]);
	if (!err)
		err = open_debug(ret);
	if (err)
		dwarf_file_close(ret);
	return err;
}

void dwarf_file_close(struct dwarf_file *file)
{
	if (file->debug)
		finish(file->debug);
	free(file->access);
	for (size_t i = 0; i < DWARF_SECTIONS; i++)
		free(file->sections[i].owned);
	*file = (struct dwarf_file){0};
}

static bool ok(struct dwarf_file *file, int res, Dwarf_Error error)
{
	if (res == DW_DLV_ERROR) {
		if (!file->damage[0])
			snprintf(file->damage, sizeof(file->damage), "%s",
				 error ? dwarf_errmsg(error) : "libdwarf does not say what");
		dwarf_dealloc_error(file->debug, error);
	}
	return res == DW_DLV_OK;
}

bool dwarf_file_die(struct dwarf_file *file, uint64_t offset, Dwarf_Die *ret)
{
	Dwarf_Error error = NULL;

	return ok(file, dwarf_offdie_b(file->debug, offset, true, ret, &error), error);
}

bool dwarf_file_child(struct dwarf_file *file, Dwarf_Die die, Dwarf_Die *ret)
{
	Dwarf_Error error = NULL;

	*ret = NULL;
	return ok(file, dwarf_child(die, ret, &error), error);
}

bool dwarf_file_next(struct dwarf_file *file, Dwarf_Die *die)
{
	Dwarf_Die next = NULL;
	Dwarf_Error error = NULL;
	uint64_t at;

	if (!*die)
		return false;
	at = dwarf_file_offset(file, *die);
	if (!ok(file, dwarf_siblingof_b(file->debug, *die, true, &next, &error), error))
		next = NULL;
	dwarf_dealloc_die(*die);
	*die = next;
	/* Damaged: with a sibling that lies before its DIE, the loop would have no end. */
	if (next && dwarf_file_offset(file, next) <= at) {
		snprintf(file->damage, sizeof(file->damage), "a DIE's sibling lies before it");
		dwarf_dealloc_die(next);
		*die = NULL;
	}
	return *die;
}

unsigned int dwarf_file_tag(struct dwarf_file *file, Dwarf_Die die)
{
	Dwarf_Error error = NULL;
	Dwarf_Half tag = 0;

	return ok(file, dwarf_tag(die, &tag, &error), error) ? tag : 0;
}

uint64_t dwarf_file_offset(struct dwarf_file *file, Dwarf_Die die)
{
	Dwarf_Error error = NULL;
	Dwarf_Off offset = 0;

	return ok(file, dwarf_dieoffset(die, &offset, &error), error) ? offset : 0;
}

const char *dwarf_file_name(struct dwarf_file *file, Dwarf_Die die)
{
	Dwarf_Error error = NULL;
	char *name = NULL;

	return ok(file, dwarf_diename(die, &name, &error), error) ? name : NULL;
}

static bool attribute_of(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute,
			 Dwarf_Attribute *ret)
{
	Dwarf_Error error = NULL;

	return ok(file, dwarf_attr(die, (Dwarf_Half)attribute, ret, &error), error);
}

/* A form that is no constant (an expression, say) is not damage; the value is unknown. */
static bool constant(struct dwarf_file *file, int res, Dwarf_Error error)
{
	if (res == DW_DLV_ERROR)
		dwarf_dealloc_error(file->debug, error);
	file->odd |= res != DW_DLV_OK;
	return res == DW_DLV_OK;
}

/*
 * libdwarf extends the sign of DW_FORM_data1 and its like when it is asked for a signed number, and
 * gives DW_FORM_implicit_const only as one.
 */
static bool value_of(struct dwarf_file *file, Dwarf_Attribute attr, int64_t *ret)
{
	Dwarf_Error error = NULL;
	Dwarf_Half form = 0;
	Dwarf_Unsigned plain = 0;
	Dwarf_Signed with_sign = 0;
	bool found;

	if (!ok(file, dwarf_whatform(attr, &form, &error), error))
		return false;
	if (form == DW_FORM_sdata || form == DW_FORM_implicit_const) {
		found = constant(file, dwarf_formsdata(attr, &with_sign, &error), error);
		*ret = with_sign;
	} else {
		found = constant(file, dwarf_formudata(attr, &plain, &error), error);
		*ret = (int64_t)plain;
	}
	return found;
}

bool dwarf_file_int(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute, int64_t *ret)
{
	Dwarf_Attribute attr;
	int64_t value;
	bool found;

	if (!attribute_of(file, die, attribute, &attr))
		return false;
	found = value_of(file, attr, &value);
	dwarf_dealloc_attribute(attr);
	if (found)
		*ret = value;
	return found;
}

/* A negative value becomes a huge one, which the bounds of each caller refuse. */
bool dwarf_file_uint(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute, uint64_t *ret)
{
	int64_t value;

	if (!dwarf_file_int(file, die, attribute, &value))
		return false;
	*ret = (uint64_t)value;
	return true;
}

static bool global_offset(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute,
			  uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Error error = NULL;
	Dwarf_Off offset = 0;
	bool found;

	if (!attribute_of(file, die, attribute, &attr))
		return false;
	found = ok(file, dwarf_global_formref(attr, &offset, &error), error);
	dwarf_dealloc_attribute(attr);
	*ret = offset;
	return found;
}

bool dwarf_file_ref(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute, uint64_t *ret)
{
	return global_offset(file, die, attribute, ret);
}

/* libdwarf has one function for both. */
bool dwarf_file_sec_offset(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute,
			   uint64_t *ret)
{
	return global_offset(file, die, attribute, ret);
}

bool dwarf_file_flag(struct dwarf_file *file, Dwarf_Die die, unsigned int attribute)
{
	Dwarf_Attribute attr;
	Dwarf_Error error = NULL;
	Dwarf_Bool flag = false;

	if (!attribute_of(file, die, attribute, &attr))
		return false;
	if (!ok(file, dwarf_formflag(attr, &flag, &error), error))
		flag = false;
	dwarf_dealloc_attribute(attr);
	return flag;
}
