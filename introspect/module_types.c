// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/module_types.h"
#include "memory/cstring.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* Of a module's BTF; those of Debian's largest modules have less. */
#define MAX_BYTES (1u << 20)
/* Names that are read one by one, of structs and of the members of one. */
#define MAX_NAMES 20000

#define BTF_MAGIC 0xeb9f

enum { BTF_REFCNT, BTF_ID, BTF_DATA, BTF_SIZE, BTF_BASE, BTF_NAME, BTF_START_STR, BTF_STRINGS };
static const struct view_field btf_fields[] = {
	[BTF_REFCNT] = {.path = "refcnt.refs.counter", .optional = true},
	[BTF_ID] = {.path = "id"},
	[BTF_DATA] = {.path = "data"},
	[BTF_SIZE] = {.path = "data_size"},
	[BTF_BASE] = {.path = "base_btf"},
	[BTF_NAME] = {.path = "name", .max = 63},
	[BTF_START_STR] = {.path = "start_str_off"},
	[BTF_STRINGS] = {.path = "strings"},
};
static const struct view_type btf_view = VIEW_TYPE("btf", btf_fields);
static const struct bpf_idr_type btf_idr = {
	.symbol = "btf_idr", .view = &btf_view, .id = BTF_ID, .refcnt = BTF_REFCNT};

bool module_types_wants(const struct module_member *members, size_t n, struct wants *wants)
{
	for (size_t i = 0; i < n; i++)
		if (!wants_add(wants, KFACTS_MEMBER, members[i].type, members[i].path, true))
			return false;
	return bpf_idr_wants(&btf_idr, wants);
}

struct kt_error *module_types_init(struct module_types *ret, const struct module_member *members,
				   size_t n, const struct kfacts *facts)
{
	*ret = (struct module_types){.members = members,
				     .n = n,
				     .places = calloc(n + 1, sizeof(*ret->places)),
				     .known = calloc(n + 1, sizeof(*ret->known))};
	if (!ret->places || !ret->known)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		struct kfacts_member *place = &ret->places[i];

		ret->known[i] = kfacts_member(facts, members[i].type, members[i].path, place) &&
				place->size >= members[i].size && !place->bit_size;
		place->size = members[i].size;
	}
	return NULL;
}

void module_types_deinit(struct module_types *types)
{
	free(types->places);
	free(types->known);
	*types = (struct module_types){0};
}

bool module_types_member(const void *arg, const char *type, const char *path,
			 struct kfacts_member *ret)
{
	const struct module_types *types = arg;

	for (size_t i = 0; i < types->n; i++) {
		if (!types->known[i] || strcmp(types->members[i].type, type) != 0 ||
		    strcmp(types->members[i].path, path) != 0)
			continue;
		*ret = types->places[i];
		return true;
	}
	return false;
}

/* --- one module's BTF --- */

struct record {
	uint32_t name, n_members, size;
	bool has_bits; /* kind_flag: offsets have the bits of bit fields above them */
	const uint8_t *members;
};

struct module_btf {
	struct guest *guest;
	bool big_endian;
	uint8_t *data;
	size_t len;
	const char *strings; /* its own */
	size_t strings_len;
	uint32_t start_str; /* the offset of the first of those */
	gaddr_t base_strings;
	KT_VEC(struct record) structs;
};

static void module_btf_deinit(struct module_btf *btf)
{
	free(btf->data);
	kt_vec_free(&btf->structs);
}

static uint32_t u32(const struct module_btf *btf, const uint8_t *p)
{
	return (uint32_t)kt_load_uint(p, 4, btf->big_endian);
}

/* Bytes behind the 12 of a record, by its kind (include/uapi/linux/btf.h); -1: no such kind. */
static int64_t tail(uint32_t kind, uint32_t vlen)
{
	static const struct {
		uint8_t fixed, each;
	} sizes[] = {
		{0, 0}, {4, 0}, {0, 0}, {12, 0}, {0, 12}, {0, 12}, {0, 8}, {0, 0}, {0, 0}, {0, 0},
		{0, 0}, {0, 0}, {0, 0}, {0, 8},  {4, 0},  {0, 12}, {0, 0}, {4, 0}, {0, 0}, {0, 12},
	};

	if (kind >= sizeof(sizes) / sizeof(sizes[0]))
		return -1;
	return sizes[kind].fixed + (int64_t)sizes[kind].each * vlen;
}

enum { KIND_STRUCT = 4 };

/* Finds strings and structs in the data. False: it makes no sense. */
static bool parse(struct module_btf *btf, bool *no_memory)
{
	const uint8_t *p = btf->data, *end;
	uint64_t head, types, types_len, strings, strings_len;

	*no_memory = false;
	if (btf->len < 24 || kt_load_uint(p, 2, btf->big_endian) != BTF_MAGIC)
		return false;
	head = u32(btf, p + 4);
	types = head + u32(btf, p + 8);
	types_len = u32(btf, p + 12);
	strings = head + u32(btf, p + 16);
	strings_len = u32(btf, p + 20);
	if (types + types_len > btf->len || strings + strings_len > btf->len)
		return false;
	btf->strings = (const char *)p + strings;
	btf->strings_len = (size_t)strings_len;
	end = p + types + types_len;
	for (p += types; end - p >= 12;) {
		uint32_t info = u32(btf, p + 4), kind = info >> 24 & 31, vlen = info & 0xffff;
		int64_t more = tail(kind, vlen);

		if (more < 0 || end - p < 12 + more)
			return false;
		if (kind == KIND_STRUCT &&
		    !kt_vec_push(&btf->structs, (struct record){.name = u32(btf, p),
								.n_members = vlen,
								.size = u32(btf, p + 8),
								.has_bits = info >> 31,
								.members = p + 12})) {
			*no_memory = true;
			return false;
		}
		p += 12 + more;
	}
	return true;
}

/* A name of its own strings; NULL: it is not there. */
static const char *own_name(const struct module_btf *btf, uint32_t offset)
{
	size_t at = offset - btf->start_str;

	if (offset < btf->start_str || at >= btf->strings_len ||
	    !memchr(btf->strings + at, '\0', btf->strings_len - at))
		return NULL;
	return btf->strings + at;
}

/* Names, of which those below start_str are in the kernel's own BTF, and are read there. */
struct names {
	uint32_t *offsets;
	struct cstring *base;
	size_t n;
};

static void names_deinit(struct names *names)
{
	for (size_t i = 0; names->base && i < names->n; i++)
		cstring_deinit(&names->base[i]);
	free(names->base);
	free(names->offsets);
}

static struct kt_error *names_init(struct names *names, size_t n)
{
	names->offsets = calloc(n + 1, sizeof(*names->offsets));
	names->base = calloc(n + 1, sizeof(*names->base));
	return names->offsets && names->base ? NULL : kt_error_no_memory();
}

static struct kt_error *names_read(struct names *names, const struct module_btf *btf)
{
	const struct gmem memory = guest_memory(btf->guest);

	for (size_t i = 0; i < names->n; i++)
		if (names->offsets[i] && names->offsets[i] < btf->start_str)
			names->base[i].addr = btf->base_strings + names->offsets[i];
	return cstrings_read(&memory, names->base, names->n);
}

static bool name_is(const struct names *names, const struct module_btf *btf, size_t i,
		    const char *text)
{
	const char *own = own_name(btf, names->offsets[i]);

	if (names->base[i].known)
		own = names->base[i].text.data ? names->base[i].text.data : "";
	return own && strcmp(own, text) == 0;
}

/* Where member i of a struct is, if it can be `size` bytes: the next one lies behind it. */
static bool place(const struct module_btf *btf, const struct record *record, uint32_t i,
		  uint32_t size, struct kfacts_member *ret)
{
	uint32_t mask = record->has_bits ? 0xffffff : 0xffffffff;
	uint32_t raw = u32(btf, record->members + 12 * i + 8), bits = raw & mask;
	uint64_t end = (uint64_t)record->size * 8;

	if ((record->has_bits && raw >> 24) || bits % 8)
		return false;
	for (uint32_t k = 0; k < record->n_members; k++) {
		uint32_t other = u32(btf, record->members + 12 * k + 8) & mask;

		if (other > bits && other < end)
			end = other;
	}
	if (bits + (uint64_t)size * 8 > end)
		return false;
	*ret = (struct kfacts_member){.offset = bits / 8, .size = size};
	return true;
}

static struct kt_error *take_members(struct module_types *types, const struct module_btf *btf,
				     const char *type, const struct record *record)
{
	_cleanup_(names_deinit) struct names names = {0};
	struct kt_error *err;

	if (record->n_members > MAX_NAMES)
		return NULL;
	err = names_init(&names, record->n_members);
	if (err)
		return err;
	for (uint32_t i = 0; i < record->n_members; i++)
		names.offsets[names.n++] = u32(btf, record->members + 12 * i);
	err = names_read(&names, btf);
	for (size_t m = 0; m < types->n && !err; m++) {
		const struct module_member *member = &types->members[m];

		if (types->known[m] || strcmp(member->type, type) != 0)
			continue;
		for (uint32_t i = 0; i < record->n_members && !types->known[m]; i++)
			types->known[m] = name_is(&names, btf, i, member->path) &&
					  place(btf, record, i, member->size, &types->places[m]);
	}
	return err;
}

/* Whether a member of that type and module is still wanted, and no earlier one has the same type.
 */
static bool is_first_wanted(const struct module_types *types, size_t m, const char *module)
{
	const struct module_member *member = &types->members[m];

	if (types->known[m] || strcmp(member->module, module) != 0)
		return false;
	for (size_t i = 0; i < m; i++)
		if (!types->known[i] && strcmp(types->members[i].type, member->type) == 0)
			return false;
	return true;
}

static struct kt_error *find_types(struct module_types *types, const struct module_btf *btf,
				   const char *module)
{
	_cleanup_(names_deinit) struct names names = {0};
	struct kt_error *err = names_init(&names, btf->structs.len);

	if (err || btf->structs.len > MAX_NAMES)
		return err;
	kt_vec_for_each (&btf->structs, record)
		names.offsets[names.n++] = record->name;
	err = names_read(&names, btf);
	for (size_t m = 0; m < types->n && !err; m++) {
		const char *type = types->members[m].type;

		if (!is_first_wanted(types, m, module))
			continue;
		for (size_t i = 0; i < names.n && !err; i++)
			if (name_is(&names, btf, i, type))
				err = take_members(types, btf, type, &btf->structs.data[i]);
	}
	return err;
}

/* --- the guest --- */

static struct kt_error *read_base(struct guest *guest, const struct view *view, gaddr_t base,
				  gaddr_t *strings_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *image = calloc(1, view->size + 1);
	struct kt_error *err;

	if (!image || !view_read(view, &batch, base, image))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && !gmem_batch_fault(&batch, 0, batch.reads.len))
		*strings_ret = view_uint(view, image, BTF_STRINGS);
	return err;
}

/* What one BTF object of the IDR tells of its module. */
static struct kt_error *read_object(struct module_types *types, struct guest *guest,
				    const struct view *view, const uint8_t *image,
				    const char *module)
{
	_cleanup_(module_btf_deinit) struct module_btf btf = {.guest = guest,
							      .big_endian = view->big_endian};
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;
	bool no_memory;

	btf.len = (size_t)view_uint(view, image, BTF_SIZE);
	btf.start_str = (uint32_t)view_uint(view, image, BTF_START_STR);
	if (btf.len > MAX_BYTES)
		return NULL;
	btf.data = calloc(1, btf.len + 1);
	if (!btf.data ||
	    !gmem_batch_add(&batch, view_uint(view, image, BTF_DATA), btf.data, btf.len))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && view_uint(view, image, BTF_BASE))
		err = read_base(guest, view, view_uint(view, image, BTF_BASE), &btf.base_strings);
	if (err || gmem_batch_fault(&batch, 0, batch.reads.len))
		return err;
	if (!parse(&btf, &no_memory))
		return no_memory ? kt_error_no_memory() : NULL;
	return find_types(types, &btf, module);
}

struct kt_error *module_types_read(struct module_types *types, struct guest *guest,
				   const char *const *modules, size_t n)
{
	_cleanup_(bpf_idr_deinit) struct bpf_idr idr = {0};
	struct kt_error *err = NULL;
	struct view view;
	gaddr_t addr;

	if (!view_try(&view, &btf_view, guest_facts(guest)) ||
	    !guest_symbol(guest, "btf_idr", &addr))
		return NULL;
	err = bpf_idr_read(guest, &btf_idr, &idr);
	for (size_t i = 0; i < idr.n && !err; i++) {
		size_t len = 0;
		const char *name;

		if (bpf_idr_state(&idr, &idr.entries[i]) != BPF_IDR_HERE)
			continue;
		name = view_bytes(&idr.view, idr.entries[i].image, BTF_NAME, &len);
		for (size_t m = 0; m < n && !err; m++)
			if (strnlen(name, len) == strlen(modules[m]) &&
			    memcmp(name, modules[m], strlen(modules[m])) == 0)
				err = read_object(types, guest, &idr.view, idr.entries[i].image,
						  modules[m]);
	}
	return err;
}
