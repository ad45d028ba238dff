// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_holders_impl.h"
#include "introspect/open_files.h"
#include "memory/object.h"
#include "util/cleanup.h"

static const struct view_field prog_fields[] = {{.path = "aux"}};
static const struct view_field id_fields[] = {{.path = "id"}};

static const struct view_type prog_type = VIEW_TYPE("bpf_prog", prog_fields);
/* What has the ID; of a program that is its aux. */
static const struct view_type id_types[N_HELD_KINDS] = {
	[HELD_PROG] = VIEW_TYPE("bpf_prog_aux", id_fields),
	[HELD_MAP] = VIEW_TYPE("bpf_map", id_fields),
	[HELD_LINK] = VIEW_TYPE("bpf_link", id_fields),
	[HELD_BTF] = VIEW_TYPE("btf", id_fields),
};

/* What tells that a file is an object's: its operations. */
static const char *const operations[] = {
	"bpf_prog_fops", "bpf_map_fops", "bpf_link_fops", "bpf_link_fops_poll", "btf_fops",
};
#define N_OPERATIONS (sizeof(operations) / sizeof(operations[0]))
static const enum held_kind kinds[N_OPERATIONS] = {HELD_PROG, HELD_MAP, HELD_LINK,
						   HELD_LINK /* since 6.11 */, HELD_BTF};

/* An object by its address. */
struct known_object {
	gaddr_t addr, has_id;
	struct held_object of; /* id 0: unknown, or it has none any more */
	struct object read;
};

struct known_objects {
	KT_VEC(struct known_object) v; /* by kind and addr, none twice, once they are sorted */
	struct view prog, ids[N_HELD_KINDS];
	bool has[N_HELD_KINDS];
};

bool bpf_holders_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_HELD_KINDS; i++)
		if (!view_wants(&id_types[i], wants))
			return false;
	for (size_t i = 0; i < N_OPERATIONS; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, operations[i], NULL, true))
			return false;
	return view_wants(&prog_type, wants) && open_files_wants(wants) &&
	       bpf_holders_pins_wants(wants);
}

struct kt_error *bpf_holders_check(const struct kfacts *facts)
{
	return open_files_check(facts);
}

static void known_objects_deinit(struct known_objects *objects)
{
	kt_vec_for_each (&objects->v, object)
		object_deinit(&object->read);
	kt_vec_free(&objects->v);
}

static int compare(const void *a, const void *b)
{
	const struct known_object *x = a, *y = b;

	if (x->of.kind != y->of.kind)
		return x->of.kind < y->of.kind ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

static bool add(struct known_objects *objects, enum held_kind kind, gaddr_t addr)
{
	struct known_object object = {.addr = addr, .has_id = addr, .of.kind = kind};

	return kt_vec_push(&objects->v, object);
}

static void sort(struct known_objects *objects)
{
	size_t kept = 0;

	if (objects->v.len)
		qsort(objects->v.data, objects->v.len, sizeof(*objects->v.data), compare);
	for (size_t i = 0; i < objects->v.len; i++)
		if (!kept || compare(&objects->v.data[kept - 1], &objects->v.data[i]))
			objects->v.data[kept++] = objects->v.data[i];
	objects->v.len = kept;
}

/* One batch: each program's aux, or (ids) what has the ID of each object. */
static struct kt_error *read_one(struct guest *guest, struct known_objects *objects, bool ids)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	kt_vec_for_each (&objects->v, object) {
		const struct view *view = ids ? &objects->ids[object->of.kind] : &objects->prog;

		object_deinit(&object->read);
		if (objects->has[object->of.kind] && (ids || object->of.kind == HELD_PROG))
			err = object_begin(&object->read, view, object->has_id, &batch);
		if (err)
			return err;
	}
	if (batch.reads.len)
		err = guest_read(guest, &batch);
	kt_vec_for_each (&objects->v, object)
		object_end(&object->read, &batch);
	return err;
}

static struct kt_error *read_ids(struct guest *guest, struct known_objects *objects)
{
	const struct kfacts *facts = guest_facts(guest);
	struct kt_error *err;

	for (size_t i = 0; i < N_HELD_KINDS; i++)
		objects->has[i] = view_try(&objects->ids[i], &id_types[i], facts);
	objects->has[HELD_PROG] &= view_try(&objects->prog, &prog_type, facts);
	err = read_one(guest, objects, false);
	if (err)
		return err;
	kt_vec_for_each (&objects->v, object)
		if (object->of.kind == HELD_PROG)
			object->has_id = object->read.known
						 ? view_uint(&objects->prog, object->read.image, 0)
						 : 0;
	err = read_one(guest, objects, true);
	if (err)
		return err;
	kt_vec_for_each (&objects->v, object)
		if (object->read.known)
			object->of.id = (uint32_t)view_uint(&objects->ids[object->of.kind],
							    object->read.image, 0);
	return NULL;
}

/* 0: the object has no ID. */
static uint32_t id_of(const struct known_objects *objects, enum held_kind kind, gaddr_t addr)
{
	const struct known_object key = {.addr = addr, .of.kind = kind};
	const struct known_object *found = objects->v.len
						   ? bsearch(&key, objects->v.data, objects->v.len,
							     sizeof(key), compare)
						   : NULL;

	return found ? found->of.id : 0;
}

/* What has no ID by now is in no list, and is left out. */
static struct kt_error *take(const struct known_objects *objects, const struct open_files *fds,
			     struct found_pins *pins, struct holdings *out)
{
	out->fds = calloc(fds->v.len + 1, sizeof(*out->fds));
	out->pins = calloc(pins->v.len + 1, sizeof(*out->pins));
	if (!out->fds || !out->pins)
		return kt_error_no_memory();
	kt_vec_for_each (&fds->v, file) {
		struct held_fd fd = {
			.of.kind = kinds[file->kind], .pid = file->pid, .fd = file->fd};

		memcpy(fd.comm, file->comm, sizeof(fd.comm));
		fd.of.id = id_of(objects, fd.of.kind, file->private_data);
		if (fd.of.id)
			out->fds[out->n_fds++] = fd;
	}
	kt_vec_for_each (&pins->v, found) {
		struct held_pin pin = found->pin;

		pin.of.id = id_of(objects, pin.of.kind, found->object);
		if (!pin.of.id)
			continue;
		out->pins[out->n_pins++] = pin;
		found->pin.path = NULL;
	}
	out->fds_known = true;
	out->pins_known = pins->known;
	out->n_unread = fds->n_unread + pins->n_unread;
	holdings_sort(out);
	return NULL;
}

static void found_pins_deinit(struct found_pins *found)
{
	kt_vec_for_each (&found->v, pin)
		free(pin->pin.path);
	kt_vec_free(&found->v);
}

/* Both are read at once. */
struct search {
	struct guest *guest;
	struct open_files fds;
	struct found_pins pins;
};

static struct kt_error *read_fds(void *arg)
{
	struct search *search = arg;

	return open_files_read(search->guest, operations, N_OPERATIONS, &search->fds);
}

static struct kt_error *read_pins(void *arg)
{
	struct search *search = arg;

	return bpf_holders_pins_read(search->guest, &search->pins);
}

static void search_deinit(struct search *search)
{
	open_files_deinit(&search->fds);
	found_pins_deinit(&search->pins);
}

struct kt_error *bpf_holders_read(struct guest *guest, struct holdings *ret)
{
	_cleanup_(known_objects_deinit) struct known_objects objects = {0};
	_cleanup_(search_deinit) struct search search = {.guest = guest};
	_cleanup_(holdings_deinit) struct holdings out = {0};
	const struct guest_walk walks[] = {{read_fds, &search}, {read_pins, &search}};
	struct kt_error *err = guest_together(guest, walks, sizeof(walks) / sizeof(walks[0]));

	if (err)
		return err;
	kt_vec_for_each (&search.fds.v, file)
		if (!add(&objects, kinds[file->kind], file->private_data))
			return kt_error_no_memory();
	kt_vec_for_each (&search.pins.v, found)
		if (!add(&objects, found->pin.of.kind, found->object))
			return kt_error_no_memory();
	sort(&objects);
	err = read_ids(guest, &objects);
	if (!err)
		err = take(&objects, &search.fds, &search.pins, &out);
	if (err)
		return err;
	*ret = out;
	out = (struct holdings){0};
	return NULL;
}
