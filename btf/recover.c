// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "btf/recover.h"
#include "btf/symbols.h"
#include "btf/types.h"
#include "util/cleanup.h"

#define BANNER_START "Linux version "
/* A banner is one line of the log, which has room for less than this. */
#define BANNER_MAX 2048

/* struct btf_header (include/uapi/linux/btf.h). Newer ones may be longer. */
#define BTF_MAGIC   0xeb9f
#define BTF_HDR_LEN 24
#define BTF_HDR_MAX 256
/* The largest of stock kernels have 7 MB. */
#define BTF_SIZE_MAX ((uint64_t)256 << 20)
/* How many headers that look like BTF are parsed before we give up. */
#define BTF_TRIES 16

#define NOTE_GNU_BUILD_ID 3
/* A vmlinux has 500 bytes of notes at most (Xen's and the build ID). */
#define NOTES_MAX 4096

/* The n bytes at an address; NULL: no range has all of them. */
static const uint8_t *bytes_at(const struct recover_memory *m, gaddr_t addr, uint64_t n)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct recover_range *r = &m->ranges[i];

		if (addr >= r->addr && n <= r->len && addr - r->addr <= r->len - n)
			return r->data + (addr - r->addr);
	}
	return NULL;
}

/* --- kallsyms --- */

static const char *const wanted[] = {
	"_text",       "_stext",     "linux_banner",    "__start_notes",   "__stop_notes",
	"__start_BTF", "__stop_BTF", "vmcoreinfo_data", "vmcoreinfo_size",
};

static void find_kallsyms(const struct recover_memory *m, struct recovered *out)
{
	for (size_t i = 0; i < m->n && !out->has_kallsyms; i++) {
		const struct recover_range *r = &m->ranges[i];
		struct kallsyms_range range = {
			.data = kt_cursor(r->data, r->len, m->big_endian),
			.addr = r->addr,
			.pointer_size = m->pointer_size,
			.unrelocated_base = m->unrelocated_base,
		};
		struct kt_error *err;

		if (r->addr & 3)
			continue;
		err = kallsyms_find(&range, &out->kallsyms);
		out->has_kallsyms = !err;
		kt_error_destroy(err);
	}
}

static gaddr_t symbol_or_0(const struct symbols *syms, const char *name)
{
	gaddr_t addr;

	return symbols_get(syms, name, &addr) ? addr : 0;
}

static struct kt_error *contradiction(const char *symbol, gaddr_t addr, const char *what)
{
	return kt_error_new(KT_ERROR_FORMAT,
			    "the tables in the kernel's memory contradict each other: %s is %#llx, "
			    "where %s",
			    symbol, (unsigned long long)addr, what);
}

/* --- the banner --- */

/* "... #1 SMP ...": the number of the build, which the weak banner does not have. */
static bool has_build_number(const uint8_t *banner, size_t len)
{
	for (size_t i = 0; i + 2 < len && banner[i] >= ' '; i++)
		if (banner[i] == ' ' && banner[i + 1] == '#')
			return banner[i + 2] >= '0' && banner[i + 2] <= '9';
	return false;
}

const uint8_t *recover_banner(const uint8_t *data, size_t len)
{
	const uint8_t *p = data, *end = data + len, *weak = NULL;

	while (p < end && (p = memmem(p, (size_t)(end - p), BANNER_START, strlen(BANNER_START)))) {
		const uint8_t *version = p + strlen(BANNER_START);
		size_t left = (size_t)(end - p);

		/* "Linux version %s (" is the format of linux_proc_banner. */
		if (version < end && *version >= '0' && *version <= '9') {
			if (has_build_number(p, left < BANNER_MAX ? left : BANNER_MAX))
				return p;
			weak = weak ? weak : p;
		}
		p = version;
	}
	return weak;
}

static const uint8_t *search_banner(const struct recover_memory *m, gaddr_t *addr_ret)
{
	const uint8_t *weak = NULL;

	for (size_t i = 0; i < m->n; i++) {
		const struct recover_range *r = &m->ranges[i];
		const uint8_t *p = recover_banner(r->data, r->len);
		bool whole = p && has_build_number(p, (size_t)(r->data + r->len - p));

		if (!whole && (!p || weak))
			continue;
		*addr_ret = r->addr + (gaddr_t)(p - r->data);
		if (whole)
			return p;
		weak = p;
	}
	return weak;
}

/* The length of a banner, up to its newline or NUL; 0: it is none. */
static size_t banner_length(const struct recover_memory *m, gaddr_t addr)
{
	size_t len = 0;
	const uint8_t *p;

	while (len < BANNER_MAX && (p = bytes_at(m, addr + len, 1)) && *p >= ' ' && *p < 0x7f)
		len++;
	p = bytes_at(m, addr + len, 1);
	return p && (!*p || *p == '\n') ? len : 0;
}

/*
 * "Linux version 6.12.107+deb13-cloud-amd64 (debian-kernel@...) ... #1 SMP ...\n"
 * (init/version.c; init/version-timestamp.c since 6.1)
 */
static struct kt_error *find_banner(const struct recover_memory *m, const struct symbols *syms,
				    struct recovered *out)
{
	gaddr_t addr = symbol_or_0(syms, "linux_banner");
	const uint8_t *p;
	size_t len;

	if (addr) {
		p = bytes_at(m, addr, strlen(BANNER_START));
		if (!p || memcmp(p, BANNER_START, strlen(BANNER_START)))
			return contradiction("linux_banner", addr, "there is no banner");
	} else {
		p = search_banner(m, &addr);
		if (!p)
			return kt_error_new(KT_ERROR_NOT_FOUND,
					    "no \"" BANNER_START "...\" in its read-only data");
	}
	len = banner_length(m, addr);
	if (len <= strlen(BANNER_START))
		return contradiction("linux_banner", addr, "the banner has no end");
	out->banner = strndup((const char *)p, len);
	if (!out->banner)
		return kt_error_no_memory();
	p += strlen(BANNER_START);
	out->release = strndup((const char *)p, strcspn(out->banner + strlen(BANNER_START), " "));
	out->banner_addr = addr;
	return out->release ? NULL : kt_error_no_memory();
}

/* --- BTF --- */

size_t recover_btf_size(const uint8_t *data, size_t len, bool big_endian)
{
	struct kt_cursor c = kt_cursor(data, len, big_endian);
	uint16_t magic = kt_cursor_u16(&c);
	uint8_t version = kt_cursor_u8(&c), flags = kt_cursor_u8(&c);
	uint32_t hdr_len = kt_cursor_u32(&c);
	uint32_t type_off = kt_cursor_u32(&c), type_len = kt_cursor_u32(&c);
	uint32_t str_off = kt_cursor_u32(&c), str_len = kt_cursor_u32(&c);
	uint64_t end = (uint64_t)str_off + str_len, size;

	/* Longer headers also have the offset and length of the layout of kinds. */
	if (hdr_len >= BTF_HDR_LEN + 8) {
		uint64_t layout_off = kt_cursor_u32(&c), layout_len = kt_cursor_u32(&c);

		end = layout_off + layout_len > end ? layout_off + layout_len : end;
	}
	size = hdr_len + end;
	/* pahole writes types, then strings; the kernel checks it (btf_check_sec_info()). */
	if (c.failed || magic != BTF_MAGIC || version != 1 || flags || hdr_len < BTF_HDR_LEN ||
	    hdr_len > BTF_HDR_MAX || hdr_len % 4 || type_off || type_len < 12 || type_len % 4 ||
	    str_off < type_len || str_len < 2 || size > BTF_SIZE_MAX)
		return 0;
	return (size_t)size;
}

const uint8_t *recover_btf_start(const uint8_t *data, size_t len, bool big_endian)
{
	const uint8_t magic[] = {big_endian ? 0xeb : 0x9f, big_endian ? 0x9f : 0xeb, 1, 0};
	const uint8_t *p = data, *end = data + len;

	for (; p < end && (p = memmem(p, (size_t)(end - p), magic, sizeof(magic))); p++)
		if (recover_btf_size(p, (size_t)(end - p), big_endian))
			return p;
	return NULL;
}

/* The first string is the empty one, and the last has an end. */
static bool strings_hold(const uint8_t *btf, bool be)
{
	uint64_t strings = kt_load_uint(btf + 4, 4, be) + kt_load_uint(btf + 16, 4, be);

	return !btf[strings] && !btf[strings + kt_load_uint(btf + 20, 4, be) - 1];
}

/* *ret: all of the BTF is there, its strings have ends, and libbpf parses it. */
static struct kt_error *btf_holds(const struct recover_memory *m, const uint8_t *p, size_t left,
				  size_t *size_ret, bool *ret)
{
	size_t size = recover_btf_size(p, left, m->big_endian);
	struct types *types;
	struct kt_error *err;

	*ret = false;
	if (!size || size > left || !strings_hold(p, m->big_endian))
		return NULL;
	err = types_from_btf(p, size, m->pointer_size, &types);
	if (err && kt_error_code(err) == KT_ERROR_NO_MEMORY)
		return err;
	if (!err)
		types_destroy(types);
	*ret = !err;
	*size_ret = size;
	kt_error_destroy(err);
	return NULL;
}

static struct kt_error *btf_by_symbol(const struct recover_memory *m, gaddr_t start, gaddr_t stop,
				      struct recovered *out)
{
	uint64_t len = stop - start;
	const uint8_t *p = stop > start ? bytes_at(m, start, len) : NULL;
	struct kt_error *err;
	size_t size = 0;
	bool holds;

	/* CONFIG_DEBUG_INFO_BTF is off: the linker script has no .BTF, or an empty one. */
	if (start == stop)
		return NULL;
	if (!p || len < BTF_HDR_LEN)
		return contradiction("__start_BTF", start, "nothing can be read");
	err = btf_holds(m, p, (size_t)len, &size, &holds);
	if (err)
		return err;
	if (!holds || len - size >= 8)
		return contradiction("__start_BTF", start, "there is no BTF of the right size");
	out->btf = p;
	out->btf_len = size;
	out->btf_addr = start;
	return NULL;
}

static const char two_btfs[] = "two places in its read-only data have BTF";

/* Searches one range. *tries counts down, over all ranges, how often BTF may be parsed. */
static struct kt_error *btf_in_range(const struct recover_memory *m, const struct recover_range *r,
				     int *tries, struct recovered *out)
{
	const uint8_t *p = r->data, *end = r->data + r->len;

	while (p < end && (p = recover_btf_start(p, (size_t)(end - p), m->big_endian))) {
		struct kt_error *err;
		size_t size = 0;
		bool holds;

		err = (*tries)-- > 0 ? btf_holds(m, p, (size_t)(end - p), &size, &holds)
				     : kt_error_new(KT_ERROR_FORMAT,
						    "too much in the kernel's memory that looks "
						    "like BTF and is none");
		if (err)
			return err;
		if (holds && out->btf) {
			out->btf = NULL;
			out->no_btf = two_btfs;
			return NULL;
		}
		if (holds) {
			out->btf = p;
			out->btf_len = size;
			out->btf_addr = r->addr + (gaddr_t)(p - r->data);
		}
		p += holds ? size : 1;
	}
	return NULL;
}

/*
 * Searches the range that has kallsyms, if there is one, because both are read-only data. Other
 * memory may have the BTF of something else: arm64's fixmap maps the device tree and what was
 * loaded behind it, which may be an initramfs with BPF objects.
 */
static struct kt_error *btf_by_shape(const struct recover_memory *m, struct recovered *out)
{
	int tries = BTF_TRIES;

	out->no_btf = "no BTF in its read-only data";
	for (size_t i = 0; i < m->n; i++) {
		struct kt_error *err;

		if (out->has_kallsyms && m->ranges[i].addr != out->kallsyms.range.addr)
			continue;
		err = btf_in_range(m, &m->ranges[i], &tries, out);
		if (err || out->no_btf == two_btfs)
			return err;
	}
	return NULL;
}

/* --- notes --- */

size_t recover_build_id(const uint8_t *notes, size_t len, bool big_endian, uint8_t *id, size_t size)
{
	struct kt_cursor c = kt_cursor(notes, len, big_endian);
	size_t found = 0;

	while (c.pos < c.len) {
		uint32_t namesz = kt_cursor_u32(&c), descsz = kt_cursor_u32(&c);
		uint32_t type = kt_cursor_u32(&c);
		const uint8_t *name = kt_cursor_bytes(&c, ((size_t)namesz + 3) & ~(size_t)3);
		const uint8_t *desc = kt_cursor_bytes(&c, ((size_t)descsz + 3) & ~(size_t)3);

		if (c.failed)
			return 0;
		if (found || type != NOTE_GNU_BUILD_ID || namesz != 4 || memcmp(name, "GNU", 4) ||
		    descsz < 8 || descsz > size)
			continue;
		memcpy(id, desc, descsz);
		found = descsz;
	}
	return found;
}

static struct kt_error *notes_by_symbol(const struct recover_memory *m, gaddr_t start, gaddr_t stop,
					struct recovered *out)
{
	uint64_t len = stop - start;
	const uint8_t *p = stop > start ? bytes_at(m, start, len) : NULL;

	if (start == stop)
		return NULL;
	if (!p || len > NOTES_MAX)
		return contradiction("__start_notes", start, "nothing can be read");
	out->build_id_len = recover_build_id(p, (size_t)len, m->big_endian, out->build_id,
					     sizeof(out->build_id));
	if (!out->build_id_len)
		return contradiction("__start_notes", start, "there is no note with a build ID");
	out->notes = p;
	out->notes_len = (size_t)len;
	out->notes_addr = start;
	return NULL;
}

/* The longest run of notes that ends where the BTF begins. */
static void notes_before_btf(const struct recover_memory *m, struct recovered *out)
{
	const struct recover_range *r = m->ranges;
	size_t end, most;

	if (!out->btf || out->btf_addr & 3)
		return;
	while (out->btf < r->data || out->btf >= r->data + r->len)
		r++;
	end = (size_t)(out->btf - r->data);
	most = end < NOTES_MAX ? end : NOTES_MAX;
	for (size_t len = 24; len <= most; len += 4) {
		uint8_t id[sizeof(out->build_id)];
		size_t n = recover_build_id(out->btf - len, len, m->big_endian, id, sizeof(id));

		if (!n)
			continue;
		memcpy(out->build_id, id, n);
		out->build_id_len = n;
		out->notes = out->btf - len;
		out->notes_len = len;
		out->notes_addr = out->btf_addr - len;
		return;
	}
}

/* --- all of it --- */

static struct kt_error *find_all(const struct recover_memory *m, struct symbols *syms,
				 struct recovered *out)
{
	gaddr_t start, stop;
	struct kt_error *err;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		symbols_want(syms, wanted[i]);
	find_kallsyms(m, out);
	if (out->has_kallsyms)
		symbols_load_kallsyms(syms, &out->kallsyms);
	err = find_banner(m, syms, out);
	if (err)
		return err;
	start = symbol_or_0(syms, "__start_BTF");
	stop = symbol_or_0(syms, "__stop_BTF");
	err = start && stop ? btf_by_symbol(m, start, stop, out) : btf_by_shape(m, out);
	if (err)
		return err;
	start = symbol_or_0(syms, "__start_notes");
	stop = symbol_or_0(syms, "__stop_notes");
	if (start && stop)
		err = notes_by_symbol(m, start, stop, out);
	else
		notes_before_btf(m, out);
	out->text = symbol_or_0(syms, "_text");
	out->stext = symbol_or_0(syms, "_stext");
	out->vmcoreinfo_data = symbol_or_0(syms, "vmcoreinfo_data");
	out->vmcoreinfo_size = symbol_or_0(syms, "vmcoreinfo_size");
	return err;
}

struct kt_error *recover_find(const struct recover_memory *memory, struct recovered *ret)
{
	_cleanup_(recovered_deinit) struct recovered out = {
		.machine = memory->machine,
		.big_endian = memory->big_endian,
		.pointer_size = memory->pointer_size,
	};
	struct symbols syms;
	struct kt_error *err;

	if (!symbols_init(&syms, sizeof(wanted) / sizeof(*wanted)))
		return kt_error_no_memory();
	err = find_all(memory, &syms, &out);
	symbols_deinit(&syms);
	if (err)
		return err;
	*ret = out;
	out = (struct recovered){0};
	return NULL;
}

void recovered_deinit(struct recovered *recovered)
{
	free(recovered->banner);
	free(recovered->release);
	recovered->banner = recovered->release = NULL;
}
