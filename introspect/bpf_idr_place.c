// SPDX-License-Identifier: LGPL-2.1-or-later
/* Where an IDR is, if no list of symbols tells. */
#include <string.h>

#include "introspect/bpf_idr.h"
#include "memory/xarray.h"
#include "util/cleanup.h"

enum { FLAGS, HEAD, NEXT };
static const struct view_field idr_fields[] = {
	[FLAGS] = {.path = "idr_rt.xa_flags"},
	[HEAD] = {.path = "idr_rt.xa_head"},
	[NEXT] = {.path = "idr_next"},
};
static const struct view_type idr_type = VIEW_TYPE("idr", idr_fields);

/*
 * The low bits of an IDR's flags, all its life: ROOT_IS_IDR, and no others (IDR_INIT_BASE() in
 * include/linux/idr.h, 4.20 and later). A spinlock has no such bytes behind it.
 */
#define IDR_FLAGS_MASK 0xff
#define IDR_FLAGS      4

static const struct view_field prog_fields[] = {{.path = "aux"}};
static const struct view_type prog_type = VIEW_TYPE("bpf_prog", prog_fields);
static const struct view_field id_fields[] = {{.path = "id"}};
static const struct view_type aux_type = VIEW_TYPE("bpf_prog_aux", id_fields);
static const struct view_type map_type = VIEW_TYPE("bpf_map", id_fields);
static const struct view_type link_type = VIEW_TYPE("bpf_link", id_fields);
static const struct view_type btf_type = VIEW_TYPE("btf", id_fields);

/* An IDR: who uses it, and where an object in it has its ID. */
static const struct place {
	struct code_data data;
	const struct view_type *pointer; /* NULL: the object has the ID itself */
	const struct view_type *id;
} places[] = {
	{{"prog_idr",
	  {"bpf_prog_free_id", "bpf_prog_get_curr_or_next", "bpf_prog_by_id", "bpf_prog_load",
	   "bpf_prog_get_fd_by_id", "bpf_prog_alloc_id"}},
	 &prog_type,
	 &aux_type},
	{{"map_idr",
	  {"bpf_map_free_id", "bpf_map_get_curr_or_next", "map_create", "bpf_map_get_fd_by_id",
	   "bpf_map_alloc_id"}},
	 NULL,
	 &map_type},
	{{"link_idr",
	  {"bpf_link_get_curr_or_next", "bpf_link_by_id", "bpf_link_prime", "bpf_link_free",
	   "bpf_link_cleanup", "bpf_link_free_id"}},
	 NULL,
	 &link_type},
	{{"btf_idr",
	  {"btf_alloc_id", "btf_free_id", "btf_get_fd_by_id", "bpf_find_btf_id", "btf_put",
	   "bpf_get_btf_vmlinux"}},
	 NULL,
	 &btf_type},
};

static const struct place *place_of(const char *symbol)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcmp(places[i].data.symbol, symbol))
			return &places[i];
	return NULL;
}

const struct code_data *bpf_idr_users(const char *symbol)
{
	const struct place *place = place_of(symbol);

	return place ? &place->data : NULL;
}

bool bpf_idr_place_wants(const char *symbol, struct wants *wants)
{
	const struct place *place = place_of(symbol);

	return !place || (code_data_wants(&place->data, wants) && view_wants(&idr_type, wants) &&
			  (!place->pointer || view_wants(place->pointer, wants)) &&
			  view_wants(place->id, wants) && xarray_wants(wants));
}

bool bpf_idr_placed(const struct kfacts *facts, const char *symbol)
{
	const struct place *place = place_of(symbol);
	gaddr_t addr;

	return kfacts_symbol(facts, symbol, &addr) ||
	       (place && code_data_known(&place->data, facts));
}

/* So many objects are looked at. */
#define SAMPLE 16

/* Reads one number of each of n objects into numbers; where it cannot be read it is 0. */
static struct kt_error *read_numbers(struct guest *guest, const struct view_type *type,
				     const gaddr_t *objects, size_t n, uint64_t *numbers)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	uint8_t images[SAMPLE][8];
	struct view view;
	struct kt_error *err = view_init(&view, type, guest_facts(guest));

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		if (!view_read(&view, &batch, objects[i], images[i]))
			return kt_error_no_memory();
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < n && !err; i++)
		numbers[i] = batch.reads.data[i].fault ? 0 : view_uint(&view, images[i], 0);
	return err;
}

/*
 * *proved_ret: there are entries, and all that are looked at have the ID that they are listed under
 * (or none any more, but not all of them).
 */
static struct kt_error *prove_entries(struct guest *guest, const struct place *place,
				      const struct xarray_entries *index, bool *proved_ret)
{
	size_t n = index->v.len < SAMPLE ? index->v.len : SAMPLE, same = 0, dying = 0;
	uint64_t numbers[SAMPLE];
	gaddr_t objects[SAMPLE];
	struct kt_error *err = NULL;

	for (size_t i = 0; i < n; i++)
		objects[i] = index->v.data[i].pointer;
	if (place->pointer)
		err = read_numbers(guest, place->pointer, objects, n, objects);
	if (!err)
		err = read_numbers(guest, place->id, objects, n, numbers);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		same += numbers[i] && numbers[i] == index->v.data[i].index;
		dying += !numbers[i];
	}
	*proved_ret = same && same + dying == n;
	return NULL;
}

static bool looks_like_idr(const struct view *view, const uint8_t *image)
{
	return (view_uint(view, image, FLAGS) & IDR_FLAGS_MASK) == IDR_FLAGS &&
	       view_uint(view, image, NEXT) <= INT32_MAX;
}

enum proof { NO_IDR, EMPTY_IDR, THE_IDR };

static struct kt_error *prove(struct guest *guest, const struct place *place,
			      const struct view *view, const uint8_t *image, enum proof *ret)
{
	const struct gmem memory = guest_memory(guest);
	_cleanup_(xarray_entries_deinit) struct xarray_entries index = {0};
	bool proved = false;
	struct kt_error *err;

	*ret = NO_IDR;
	if (!looks_like_idr(view, image))
		return NULL;
	if (!view_uint(view, image, HEAD)) {
		*ret = EMPTY_IDR;
		return NULL;
	}
	err = xarray_walk(guest_facts(guest), &memory, view_uint(view, image, HEAD), BPF_IDR_MAX,
			  &index);
	if (err && kt_error_code(err) == KT_ERROR_FORMAT) {
		kt_error_destroy(err);
		return NULL;
	}
	if (err || index.damaged || !index.v.len)
		return err;
	err = prove_entries(guest, place, &index, &proved);
	if (proved)
		*ret = THE_IDR;
	return err;
}

/*
 * So many that look like an IDR with objects in it are walked. Two functions have a few in common;
 * more is a guest that wants to be read for hours.
 */
#define MAX_WALKS 16

/* The one candidate that is proved; where none is, the one that is an empty IDR. 0: none, or
 * several. */
static struct kt_error *choose(struct guest *guest, const struct place *place,
			       const struct code_places *found, gaddr_t *ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *images = NULL;
	gaddr_t by_proof[THE_IDR + 1] = {0};
	size_t count[THE_IDR + 1] = {0}, walks = 0;
	struct view view;
	struct kt_error *err = view_init(&view, &idr_type, guest_facts(guest));

	*ret = 0;
	if (err)
		return err;
	images = calloc(found->v.len + 1, view.size);
	if (!images)
		return kt_error_no_memory();
	for (size_t i = 0; i < found->v.len; i++)
		if (!view_read(&view, &batch, found->v.data[i], images + i * view.size))
			return kt_error_no_memory();
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < found->v.len && !err && count[THE_IDR] < 2; i++) {
		enum proof proof;

		if (gmem_batch_fault(&batch, i * view.n_spans, (i + 1) * view.n_spans))
			continue;
		if (looks_like_idr(&view, images + i * view.size) &&
		    view_uint(&view, images + i * view.size, HEAD) && ++walks > MAX_WALKS)
			return NULL;
		err = prove(guest, place, &view, images + i * view.size, &proof);
		by_proof[proof] = found->v.data[i];
		count[proof]++;
	}
	if (count[THE_IDR])
		*ret = count[THE_IDR] == 1 ? by_proof[THE_IDR] : 0;
	else
		*ret = count[EMPTY_IDR] == 1 ? by_proof[EMPTY_IDR] : 0;
	return err;
}

struct kt_error *bpf_idr_addr(struct guest *guest, const char *symbol, gaddr_t *ret)
{
	const struct place *place = place_of(symbol);
	_cleanup_(code_places_deinit) struct code_places found = {0};
	struct kt_error *err;

	if (guest_symbol(guest, symbol, ret))
		return NULL;
	if (!place || !code_data_known(&place->data, guest_facts(guest)))
		return bpf_idr_not_placed(symbol);
	err = code_data_places(&place->data, guest, &found);
	if (!err)
		err = choose(guest, place, &found, ret);
	if (err)
		return err;
	if (!*ret)
		return bpf_idr_not_placed(symbol);
	return guest_place(guest, place->data.symbol, *ret) ? NULL : kt_error_no_memory();
}
