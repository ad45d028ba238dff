// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_metadata.h"
#include "introspect/typed.h"
#include "memory/object.h"
#include "model/json.h"
#include "model/json_put.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define POINTER_SIZE 8u /* 64-bit kernels */
#define NOBODY       SIZE_MAX
#define PREFIX       "bpf_metadata_"

/* Pointers to maps, of all programs together. */
#define MAX_POINTERS 100000
/* Bytes of values and their types that one stop reads at most, and of one map: some 20 ms a MB. */
#define MAX_BYTES     (8u << 20)
#define MAX_MAP_BYTES (1u << 20)
/* Bytes of text: many programs may have one map. */
#define MAX_TEXT (32u << 20)

static const struct view_field prog_fields[] = {{.path = "aux"}};
static const struct view_type prog_type = VIEW_TYPE("bpf_prog", prog_fields);

enum { AUX_ID, AUX_MAPS, AUX_MAP_CNT };
static const struct view_field aux_fields[] = {
	[AUX_ID] = {.path = "id"},
	[AUX_MAPS] = {.path = "used_maps"},
	[AUX_MAP_CNT] = {.path = "used_map_cnt"},
};
static const struct view_type aux_type = VIEW_TYPE("bpf_prog_aux", aux_fields);

enum { MAP_TYPE, MAP_NAME, MAP_KEY, MAP_VALUE, MAP_ENTRIES, MAP_BTF, MAP_VALUE_TYPE };
static const struct view_field map_fields[] = {
	[MAP_TYPE] = {.path = "map_type"},
	[MAP_NAME] = {.path = "name", .max = 16},
	[MAP_KEY] = {.path = "key_size"},
	[MAP_VALUE] = {.path = "value_size"},
	[MAP_ENTRIES] = {.path = "max_entries"},
	[MAP_BTF] = {.path = "btf"},
	[MAP_VALUE_TYPE] = {.path = "btf_value_type_id"},
};
static const struct view_type map_type = VIEW_TYPE("bpf_map", map_fields);

enum { BTF_DATA, BTF_SIZE, BTF_BASE };
static const struct view_field btf_fields[] = {
	[BTF_DATA] = {.path = "data"},
	[BTF_SIZE] = {.path = "data_size"},
	[BTF_BASE] = {.path = "base_btf", .optional = true}, /* since 5.11 */
};
static const struct view_type btf_type = VIEW_TYPE("btf", btf_fields);

struct user {
	uint32_t id;
	gaddr_t aux, maps;
	size_t n_maps;
	uint8_t *pointers;
	size_t piece;
	bool known;       /* all of its maps could be looked at */
	size_t constants; /* which map has them; NOBODY: none */
};

/* A map that programs have, and what was read of it if it has their constants. */
struct used_map {
	gaddr_t addr;
	bool wanted, known;
	uint32_t type;
	uint8_t *value, *btf;
	size_t value_len, btf_len, piece;
};

struct bpf_metadata {
	struct view prog, aux, map, btf;
	uint32_t value_offset; /* of an array's values */
	bool big_endian;
	KT_VEC(struct user) users;
	struct used_map *maps; /* by address */
	size_t n_maps;
};

bool bpf_metadata_wants(struct wants *wants)
{
	return bpf_idr_index_wants("prog_idr", wants) && view_wants(&prog_type, wants) &&
	       view_wants(&aux_type, wants) && view_wants(&map_type, wants) &&
	       view_wants(&btf_type, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_array", "value", true);
}

struct kt_error *bpf_metadata_check(const struct kfacts *facts)
{
	(void)facts;
	return NULL;
}

/* False: nothing tells how this kernel lays them out. */
static bool prepare(struct bpf_metadata *m, const struct kfacts *facts)
{
	struct kfacts_member value;

	m->big_endian = kfacts_kernel(facts)->big_endian;
	if (!view_try(&m->prog, &prog_type, facts) || !view_try(&m->aux, &aux_type, facts) ||
	    !view_try(&m->map, &map_type, facts) || !view_try(&m->btf, &btf_type, facts) ||
	    !kfacts_member(facts, "bpf_array", "value", &value))
		return false;
	m->value_offset = value.offset;
	return true;
}

/* --- programs, and the maps that they have --- */

/* Where the programs are; user.aux is their address so far. */
static struct kt_error *find_programs(struct bpf_metadata *m, struct guest *guest, uint32_t id)
{
	_cleanup_(xarray_entries_deinit) struct xarray_entries index = {0};
	struct user one = {.id = id, .constants = NOBODY};
	struct kt_error *err;

	if (id) {
		err = bpf_idr_find(guest, &bpf_idr_progs, id, &one.aux);
		if (!err && !kt_vec_push(&m->users, one))
			err = kt_error_no_memory();
		return err;
	}
	err = bpf_idr_index(guest, "prog_idr", &index);
	for (size_t i = 0; i < index.v.len && !err; i++) {
		struct user user = {.id = (uint32_t)index.v.data[i].index,
				    .aux = index.v.data[i].pointer,
				    .constants = NOBODY};

		if (!kt_vec_push(&m->users, user))
			err = kt_error_no_memory();
	}
	return err;
}

static struct kt_error *read_users(struct bpf_metadata *m, const struct gmem *memory)
{
	_cleanup_(objects_deinit) struct objects progs = {0}, auxes = {0};
	_cleanup_free_ gaddr_t *addrs = calloc(m->users.len + 1, sizeof(*addrs));
	struct kt_error *err;

	if (!addrs)
		return kt_error_no_memory();
	for (size_t i = 0; i < m->users.len; i++)
		addrs[i] = m->users.data[i].aux;
	err = objects_read(memory, &m->prog, addrs, m->users.len, &progs);
	for (size_t i = 0; i < m->users.len && !err; i++)
		addrs[i] = objects_uint(&progs, i, 0);
	if (!err)
		err = objects_read(memory, &m->aux, addrs, m->users.len, &auxes);
	for (size_t i = 0; i < m->users.len && !err; i++) {
		struct user *user = &m->users.data[i];

		/* A guest can put one program into many slots; it counts in its own. */
		user->known = objects_image(&auxes, i) &&
			      objects_uint(&auxes, i, AUX_ID) == user->id;
		user->maps = objects_uint(&auxes, i, AUX_MAPS);
		user->n_maps = user->known ? objects_uint(&auxes, i, AUX_MAP_CNT) : 0;
	}
	return err;
}

static struct kt_error *read_pointers(struct bpf_metadata *m, struct guest *guest)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t left = MAX_POINTERS;
	struct kt_error *err = NULL;

	kt_vec_for_each (&m->users, user) {
		if (user->n_maps > left) {
			user->n_maps = 0;
			user->known = false;
		}
		if (!user->n_maps)
			continue;
		left -= user->n_maps;
		user->pointers = calloc(user->n_maps, POINTER_SIZE);
		user->piece = batch.reads.len;
		if (!user->pointers || !gmem_batch_add(&batch, user->maps, user->pointers,
						       user->n_maps * POINTER_SIZE))
			return kt_error_no_memory();
	}
	if (batch.reads.len)
		err = guest_read(guest, &batch);
	kt_vec_for_each (&m->users, user) {
		if (err || !user->n_maps || !batch.reads.data[user->piece].fault)
			continue;
		user->n_maps = 0;
		user->known = false;
	}
	return err;
}

static gaddr_t nth_map(const struct bpf_metadata *m, const struct user *user, size_t i)
{
	return kt_load_uint(user->pointers + i * POINTER_SIZE, POINTER_SIZE, m->big_endian);
}

static int compare_maps(const void *a, const void *b)
{
	const struct used_map *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* The maps of all programs, each once. */
static struct kt_error *gather_maps(struct bpf_metadata *m)
{
	size_t n = 0, kept = 0;

	kt_vec_for_each (&m->users, user)
		n += user->n_maps;
	m->maps = calloc(n + 1, sizeof(*m->maps));
	if (!m->maps)
		return kt_error_no_memory();
	n = 0;
	kt_vec_for_each (&m->users, user)
		for (size_t i = 0; i < user->n_maps; i++)
			m->maps[n++].addr = nth_map(m, user, i);
	qsort(m->maps, n, sizeof(*m->maps), compare_maps);
	for (size_t i = 0; i < n; i++)
		if (!kept || m->maps[kept - 1].addr != m->maps[i].addr)
			m->maps[kept++] = m->maps[i];
	m->n_maps = kept;
	return NULL;
}

/* --- the map with the constants --- */

/* As bpftool's find_metadata() knows it. */
static bool has_constants(const struct view *view, const uint8_t *image)
{
	char name[17] = {0};
	size_t len = 0;
	const void *bytes = view_bytes(view, image, MAP_NAME, &len);

	memcpy(name, bytes, len < sizeof(name) ? len : sizeof(name) - 1);
	return view_uint(view, image, MAP_TYPE) == BPF_MAP_TYPE_ARRAY &&
	       view_uint(view, image, MAP_KEY) == 4 && view_uint(view, image, MAP_ENTRIES) == 1 &&
	       view_uint(view, image, MAP_VALUE_TYPE) && strstr(name, ".rodata");
}

/* The first one counts. One that cannot be read may be it. */
static void choose(struct bpf_metadata *m, const struct objects *maps, struct user *user)
{
	for (size_t i = 0; i < user->n_maps && user->known; i++) {
		const struct used_map key = {.addr = nth_map(m, user, i)};
		struct used_map *map = bsearch(&key, m->maps, m->n_maps, sizeof(*m->maps),
					       compare_maps);
		const uint8_t *image = objects_image(maps, (size_t)(map - m->maps));

		user->known = image != NULL;
		if (!image || !has_constants(&m->map, image))
			continue;
		map->wanted = true;
		user->constants = (size_t)(map - m->maps);
		return;
	}
}

/* Its value and its types, in one batch with those of other maps. */
static struct kt_error *begin_map(struct bpf_metadata *m, struct used_map *map,
				  const uint8_t *image, const uint8_t *btf, size_t *left,
				  struct gmem_batch *batch)
{
	uint64_t value_len = view_uint(&m->map, image, MAP_VALUE);
	uint64_t btf_len = btf ? view_uint(&m->btf, btf, BTF_SIZE) : 0;

	/* That of a program continues no other, so that nothing else has to be read. */
	if (!btf_len || !value_len || view_uint(&m->btf, btf, BTF_BASE) ||
	    value_len > MAX_MAP_BYTES || btf_len > MAX_MAP_BYTES || value_len + btf_len > *left)
		return NULL;
	*left -= value_len + btf_len;
	map->type = (uint32_t)view_uint(&m->map, image, MAP_VALUE_TYPE);
	map->value_len = value_len;
	map->btf_len = btf_len;
	map->value = calloc(1, value_len);
	map->btf = calloc(1, btf_len);
	map->piece = batch->reads.len;
	if (!map->value || !map->btf ||
	    !gmem_batch_add(batch, map->addr + m->value_offset, map->value, value_len) ||
	    !gmem_batch_add(batch, view_uint(&m->btf, btf, BTF_DATA), map->btf, btf_len))
		return kt_error_no_memory();
	map->known = true;
	return NULL;
}

static struct kt_error *read_constants(struct bpf_metadata *m, struct guest *guest,
				       const struct objects *maps, gaddr_t *addrs)
{
	_cleanup_(objects_deinit) struct objects btfs = {0};
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct gmem memory = guest_memory(guest);
	size_t left = MAX_BYTES;
	struct kt_error *err;

	for (size_t i = 0; i < m->n_maps; i++)
		addrs[i] = m->maps[i].wanted ? objects_uint(maps, i, MAP_BTF) : 0;
	err = objects_read(&memory, &m->btf, addrs, m->n_maps, &btfs);
	for (size_t i = 0; i < m->n_maps && !err; i++)
		if (m->maps[i].wanted)
			err = begin_map(m, &m->maps[i], objects_image(maps, i),
					objects_image(&btfs, i), &left, &batch);
	if (!err && batch.reads.len)
		err = guest_read(guest, &batch);
	for (size_t i = 0; i < m->n_maps && !err; i++)
		if (m->maps[i].known)
			m->maps[i].known = !gmem_batch_fault(&batch, m->maps[i].piece,
							     m->maps[i].piece + 2);
	return err;
}

static struct kt_error *read_maps(struct bpf_metadata *m, struct guest *guest)
{
	_cleanup_(objects_deinit) struct objects maps = {0};
	_cleanup_free_ gaddr_t *addrs = calloc(m->n_maps + 1, sizeof(*addrs));
	const struct gmem memory = guest_memory(guest);
	struct kt_error *err;

	if (!addrs)
		return kt_error_no_memory();
	for (size_t i = 0; i < m->n_maps; i++)
		addrs[i] = m->maps[i].addr;
	err = objects_read(&memory, &m->map, addrs, m->n_maps, &maps);
	if (err)
		return err;
	kt_vec_for_each (&m->users, user)
		choose(m, &maps, user);
	return read_constants(m, guest, &maps, addrs);
}

static struct kt_error *read_all(struct bpf_metadata *m, struct guest *guest, uint32_t id)
{
	const struct gmem memory = guest_memory(guest);
	struct kt_error *err;

	if (!prepare(m, guest_facts(guest)))
		return NULL;
	err = find_programs(m, guest, id);
	if (!err)
		err = read_users(m, &memory);
	if (!err)
		err = read_pointers(m, guest);
	if (!err)
		err = gather_maps(m);
	return err ? err : read_maps(m, guest);
}

struct kt_error *bpf_metadata_read(struct guest *guest, uint32_t id, struct bpf_metadata **ret)
{
	struct bpf_metadata *m = calloc(1, sizeof(*m));
	struct kt_error *err = m ? read_all(m, guest, id) : kt_error_no_memory();

	if (err) {
		bpf_metadata_destroy(m);
		return err;
	}
	*ret = m;
	return NULL;
}

void bpf_metadata_destroy(struct bpf_metadata *metadata)
{
	if (!metadata)
		return;
	kt_vec_for_each (&metadata->users, user)
		free(user->pointers);
	kt_vec_free(&metadata->users);
	for (size_t i = 0; i < metadata->n_maps; i++) {
		free(metadata->maps[i].value);
		free(metadata->maps[i].btf);
	}
	free(metadata->maps);
	free(metadata);
}

/* --- the values --- */

/* Its variables, as a JSON object. *ret: NULL if its types make no sense. */
static struct kt_error *variables_text(const struct bpf_metadata *m, const struct used_map *map,
				       char **ret)
{
	const struct map_dump dump = {
		.big_endian = m->big_endian,
		.value_len = map->value_len,
		.btf = map->btf,
		.btf_len = map->btf_len,
		.value_type = map->type,
	};
	struct typed *typed = NULL;
	struct kt_error *err = typed_create(&dump, &typed);
	const char *name;
	uint32_t offset, size;
	json_t *object;

	if (err && kt_error_code(err) != KT_ERROR_NO_MEMORY) {
		kt_error_destroy(err);
		return NULL;
	}
	if (err)
		return err;
	object = json_object();
	for (uint32_t i = 0; typed_variable(typed, i, &name, &offset, &size); i++)
		if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
			json_object_set_new(object, name + strlen(PREFIX),
					    typed_variable_json(typed, i, map->value));
	typed_destroy(typed);
	return kt_json_dump_line(object, ret);
}

struct kt_error *bpf_metadata_finish(const struct bpf_metadata *metadata, struct programs *programs)
{
	_cleanup_free_ char **texts = calloc(metadata->n_maps + 1, sizeof(*texts));
	struct kt_error *err = texts ? NULL : kt_error_no_memory();
	size_t left = MAX_TEXT;

	for (size_t i = 0; i < metadata->n_maps && !err; i++)
		if (metadata->maps[i].known)
			err = variables_text(metadata, &metadata->maps[i], &texts[i]);
	kt_vec_for_each (&metadata->users, user) {
		const char *text = user->constants == NOBODY ? "{}" : texts[user->constants];
		struct program *program = programs_find(programs, user->id);

		if (err || !user->known || !program || !text || program->metadata ||
		    strlen(text) > left)
			continue;
		left -= strlen(text);
		program->metadata = strdup(text);
		if (!program->metadata)
			err = kt_error_no_memory();
	}
	for (size_t i = 0; texts && i < metadata->n_maps; i++)
		free(texts[i]);
	return err;
}
