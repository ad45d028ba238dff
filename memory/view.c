// SPDX-License-Identifier: LGPL-2.1-or-later
#include "memory/view.h"
#include "util/cursor.h"

void wants_deinit(struct wants *wants)
{
	kt_vec_free(&wants->v);
}

bool wants_add(struct wants *wants, enum kfacts_kind kind, const char *name, const char *path,
	       bool optional)
{
	return kt_vec_push(&wants->v,
			   (struct kfacts_want){
				   .kind = kind, .name = name, .path = path, .optional = optional});
}

bool view_wants(const struct view_type *type, struct wants *wants)
{
	for (size_t i = 0; i < type->n_fields; i++)
		if (!wants_add(wants, KFACTS_MEMBER, type->name, type->fields[i].path, true))
			return false;
	return true;
}

/* A gap of so many bytes between two members costs less than one more request. */
#define SPAN_GAP 704

/* Puts the members that this kernel has into spans, by their offset. */
static void view_layout(struct view *view)
{
	unsigned int order[VIEW_MAX_FIELDS];
	size_t n = 0;

	for (unsigned int i = 0; i < view->type->n_fields; i++) {
		size_t at = n;

		if (!view->fields[i].present)
			continue;
		for (; at &&
		       view->fields[order[at - 1]].member.offset > view->fields[i].member.offset;
		     at--)
			order[at] = order[at - 1];
		order[at] = i;
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		__auto_type field = &view->fields[order[i]];
		uint32_t start = field->member.offset;
		__auto_type span = &view->spans[view->n_spans ? view->n_spans - 1 : 0];

		if (!view->n_spans || start > span->offset + span->len + SPAN_GAP) {
			span = &view->spans[view->n_spans++];
			span->offset = start;
		}
		if (start + field->len > span->offset + span->len) {
			uint32_t len = start + field->len - span->offset;

			view->size += len - span->len;
			span->len = len;
		}
		/* The span that grows is the last one of the image. */
		field->image = view->size - span->len + (start - span->offset);
	}
}

/* No structure that is read is larger: then the facts are damaged. */
#define MAX_OFFSET (1u << 20)

static struct kt_error *view_init_by(struct view *view, const struct view_type *type,
				     bool big_endian, view_member_fn *find, const void *arg)
{
	struct view v = {.type = type, .big_endian = big_endian};

	for (size_t i = 0; i < type->n_fields; i++) {
		const struct view_field *field = &type->fields[i];
		struct kfacts_member *member = &v.fields[i].member;
		uint32_t max = field->max ? field->max : 8;

		v.fields[i].present = find(arg, type->name, field->path, member) &&
				      member->offset < MAX_OFFSET && member->size &&
				      member->bit_shift < 64;
		if (!v.fields[i].present && !field->optional)
			return kt_error_new(KT_ERROR_NOT_FOUND, "this kernel's struct %s has no %s",
					    type->name, field->path);
		v.fields[i].len = member->size < max ? member->size : max;
	}
	view_layout(&v);
	*view = v;
	return NULL;
}

static bool find_in_facts(const void *arg, const char *type, const char *path,
			  struct kfacts_member *ret)
{
	return kfacts_member(arg, type, path, ret);
}

struct kt_error *view_init(struct view *view, const struct view_type *type,
			   const struct kfacts *facts)
{
	return view_init_by(view, type, kfacts_kernel(facts)->big_endian, find_in_facts, facts);
}

bool view_try(struct view *view, const struct view_type *type, const struct kfacts *facts)
{
	struct kt_error *err = view_init(view, type, facts);

	kt_error_destroy(err);
	return !err;
}

bool view_try_by(struct view *view, const struct view_type *type, bool big_endian,
		 view_member_fn *find, const void *arg)
{
	struct kt_error *err = view_init_by(view, type, big_endian, find, arg);

	kt_error_destroy(err);
	return !err;
}

bool view_read(const struct view *view, struct gmem_batch *batch, gaddr_t addr, void *image)
{
	uint8_t *p = image;

	for (size_t i = 0; i < view->n_spans; i++) {
		if (!gmem_batch_add(batch, addr + view->spans[i].offset, p, view->spans[i].len))
			return false;
		p += view->spans[i].len;
	}
	return true;
}

bool view_has(const struct view *view, unsigned int field)
{
	return view->fields[field].present;
}

uint64_t view_uint(const struct view *view, const void *image, unsigned int field)
{
	const struct kfacts_member *member = &view->fields[field].member;
	uint64_t value;

	if (!view->fields[field].present || member->size > 8 ||
	    member->size > view->fields[field].len)
		return 0;
	value = kt_load_uint((const uint8_t *)image + view->fields[field].image, member->size,
			     view->big_endian);
	if (member->bit_size && member->bit_size < 64)
		value = value >> member->bit_shift & ((UINT64_C(1) << member->bit_size) - 1);
	return value;
}

const void *view_bytes(const struct view *view, const void *image, unsigned int field,
		       size_t *len_ret)
{
	if (!view->fields[field].present)
		return NULL;
	*len_ret = view->fields[field].len;
	return (const uint8_t *)image + view->fields[field].image;
}
