// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_btf.h"
#include "introspect/bpf_idr.h"
#include "memory/object.h"
#include "util/cleanup.h"

enum { BTF_REFCNT, BTF_ID, BTF_DATA, BTF_SIZE, BTF_BASE, BTF_NAME, BTF_KERNEL };
static const struct view_field btf_fields[] = {
	[BTF_REFCNT] = {.path = "refcnt.refs.counter", .optional = true},
	[BTF_ID] = {.path = "id"},
	[BTF_DATA] = {.path = "data"},
	[BTF_SIZE] = {.path = "data_size"},
	/* These three are since 5.11. */
	[BTF_BASE] = {.path = "base_btf", .optional = true},
	[BTF_NAME] = {.path = "name", .max = 63, .optional = true},
	[BTF_KERNEL] = {.path = "kernel_btf", .optional = true},
};
static const struct view_type btf_view = VIEW_TYPE("btf", btf_fields);

static const struct bpf_idr_type btf_idr = {
	.symbol = "btf_idr", .view = &btf_view, .id = BTF_ID, .refcnt = BTF_REFCNT};

bool bpf_btf_wants(struct wants *wants)
{
	return bpf_idr_wants(&btf_idr, wants);
}

struct kt_error *bpf_btf_check(const struct kfacts *facts)
{
	return bpf_idr_check(&btf_idr, facts);
}

static void describe(const struct view *view, const uint8_t *image, struct btf_object *ret)
{
	size_t len = 0;
	const char *name = view_bytes(view, image, BTF_NAME, &len);

	*ret = (struct btf_object){
		.id = (uint32_t)view_uint(view, image, BTF_ID),
		.size = {true, view_uint(view, image, BTF_SIZE)},
		.kernel = {view_has(view, BTF_KERNEL), view_uint(view, image, BTF_KERNEL) != 0},
	};
	if (name)
		memcpy(ret->name, name, strnlen(name, len));
}

/* The ID of what each object continues. All at once, since modules may be many. */
static struct kt_error *read_bases(struct guest *guest, const struct bpf_idr *idr,
				   struct btf_objects *objects, const size_t *entry_of)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *images = calloc(objects->n + 1, idr->view.size);
	struct kt_error *err;
	size_t at = 0;

	if (!images)
		return kt_error_no_memory();
	for (size_t i = 0; i < objects->n; i++) {
		gaddr_t base = view_uint(&idr->view, idr->entries[entry_of[i]].image, BTF_BASE);

		if (base && !view_read(&idr->view, &batch, base, images + i * idr->view.size))
			return kt_error_no_memory();
	}
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < objects->n && !err; i++) {
		if (!view_uint(&idr->view, idr->entries[entry_of[i]].image, BTF_BASE))
			continue;
		if (!gmem_batch_fault(&batch, at, at + idr->view.n_spans))
			objects->all[i].base_id = (uint32_t)view_uint(
				&idr->view, images + i * idr->view.size, BTF_ID);
		at += idr->view.n_spans;
	}
	return err;
}

struct kt_error *bpf_btf_list(struct guest *guest, struct btf_objects *ret)
{
	_cleanup_(bpf_idr_deinit) struct bpf_idr idr = {0};
	_cleanup_(btf_objects_deinit) struct btf_objects out = {0};
	_cleanup_free_ size_t *entry_of = NULL;
	struct kt_error *err = bpf_idr_read(guest, &btf_idr, &idr);

	if (err)
		return err;
	out.n_unreadable = idr.damaged;
	out.all = calloc(idr.n + 1, sizeof(*out.all));
	entry_of = calloc(idr.n + 1, sizeof(*entry_of));
	if (!out.all || !entry_of)
		return kt_error_no_memory();
	for (size_t i = 0; i < idr.n; i++) {
		enum bpf_idr_state state = bpf_idr_state(&idr, &idr.entries[i]);

		out.n_unreadable += state == BPF_IDR_UNREADABLE;
		if (state != BPF_IDR_HERE)
			continue;
		entry_of[out.n] = i;
		describe(&idr.view, idr.entries[i].image, &out.all[out.n++]);
	}
	err = read_bases(guest, &idr, &out, entry_of);
	if (err)
		return err;
	*ret = out;
	out = (struct btf_objects){0};
	return NULL;
}

/* Reads the struct btf at addr. *data_ret: where its data is. */
static struct kt_error *read_object(struct guest *guest, const struct view *view, gaddr_t addr,
				    struct btf_object *ret, gaddr_t *data_ret, bool *known_ret)
{
	_cleanup_(object_deinit) struct object object = {0}, base = {0};
	struct gmem memory = guest_memory(guest);
	struct kt_error *err = object_read(&object, view, addr, &memory);

	*known_ret = !err && object.known;
	if (err || !object.known)
		return err;
	describe(view, object.image, ret);
	*data_ret = view_uint(view, object.image, BTF_DATA);
	err = object_read(&base, view, view_uint(view, object.image, BTF_BASE), &memory);
	if (!err && base.known)
		ret->base_id = (uint32_t)view_uint(view, base.image, BTF_ID);
	else if (!err && view_uint(view, object.image, BTF_BASE))
		*known_ret = false;
	return err;
}

/* Reads len bytes of an object's data from its offset on. KT_ERROR_FAULT: not mapped. */
static struct kt_error *read_data(struct guest *guest, gaddr_t data, struct btf_data *out)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	out->data = calloc(1, out->len + 1);
	if (!out->data || !gmem_batch_add(&batch, data + out->offset, out->data, out->len))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && gmem_batch_fault(&batch, 0, batch.reads.len))
		err = kt_error_new(KT_ERROR_FAULT,
				   "the data of BTF object %u are not mapped in the guest",
				   out->object.id);
	return err;
}

struct kt_error *bpf_btf_read(struct guest *guest, uint32_t id, uint64_t offset,
			      struct btf_data *ret)
{
	_cleanup_(btf_data_deinit) struct btf_data out = {.offset = offset};
	gaddr_t addr = 0, data = 0;
	struct view view;
	bool known = false;
	struct kt_error *err = view_init(&view, &btf_view, guest_facts(guest));

	if (!err)
		err = bpf_idr_find(guest, &bpf_idr_btfs, id, &addr);
	if (!err)
		err = read_object(guest, &view, addr, &out.object, &data, &known);
	if (!err && !known)
		err = kt_error_new(KT_ERROR_FAULT, "BTF object %u is not mapped in the guest", id);
	if (!err && out.object.id != id)
		err = bpf_idr_none(&bpf_idr_btfs, id);
	if (!err && out.object.size.value > BPF_BTF_SIZE_MAX)
		err = kt_error_new(KT_ERROR_FORMAT, "BTF object %u claims %llu bytes", id,
				   (unsigned long long)out.object.size.value);
	if (err)
		return err;
	if (offset < out.object.size.value)
		out.len = (size_t)(out.object.size.value - offset);
	if (out.len > BPF_BTF_PIECE)
		out.len = BPF_BTF_PIECE;
	err = read_data(guest, data, &out);
	if (err)
		return err;
	*ret = out;
	out = (struct btf_data){0};
	return NULL;
}

struct kt_error *bpf_btf_read_at(struct guest *guest, gaddr_t addr, struct btf_data *ret)
{
	_cleanup_(btf_data_deinit) struct btf_data out = {0};
	gaddr_t data = 0;
	struct view view;
	bool known = false;
	struct kt_error *err = NULL;

	if (view_try(&view, &btf_view, guest_facts(guest)))
		err = read_object(guest, &view, addr, &out.object, &data, &known);
	if (err)
		return err;
	if (known && !out.object.base_id && out.object.size.value <= BPF_BTF_PIECE) {
		out.len = (size_t)out.object.size.value;
		err = read_data(guest, data, &out);
		if (err && kt_error_code(err) == KT_ERROR_FAULT) {
			kt_error_destroy(kt_take_ptr(err));
			free(kt_take_ptr(out.data));
		}
	}
	if (err)
		return err;
	*ret = out;
	out = (struct btf_data){0};
	return NULL;
}
