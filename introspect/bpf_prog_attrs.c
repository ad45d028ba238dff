// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_prog_attrs.h"
#include "util/cleanup.h"

/* Of a function that is attached to; the kernel's longest have some 60 characters. */
#define NAME_MAX_LEN 128
/* The smallest page: what lies behind one may not be mapped. */
#define PAGE_STEP 4096

bool attrs_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_ENUM, "bpf_attach_type", NULL, true);
}

void attrs_deinit(struct attrs *attrs)
{
	free(attrs->name);
	object_deinit(&attrs->btf);
	*attrs = (struct attrs){0};
}

struct kt_error *attrs_begin(const struct prog_views *views, const struct prog *prog,
			     struct attrs *attrs, struct gmem_batch *batch)
{
	gaddr_t addr = view_uint(&views->aux, prog->aux.image, AUX_ATTACH_NAME);
	size_t head = PAGE_STEP - addr % PAGE_STEP;
	struct kt_error *err = NULL;

	if (views->has_btf)
		err = object_begin(&attrs->btf, &views->btf,
				   view_uint(&views->aux, prog->aux.image, AUX_ATTACH_BTF), batch);
	if (err || !addr)
		return err;
	attrs->head = head < NAME_MAX_LEN ? head : NAME_MAX_LEN;
	attrs->name = calloc(1, NAME_MAX_LEN + 1);
	attrs->first = batch->reads.len;
	if (!attrs->name || !gmem_batch_add(batch, addr, attrs->name, attrs->head) ||
	    !gmem_batch_add(batch, addr + attrs->head, attrs->name + attrs->head,
			    NAME_MAX_LEN - attrs->head))
		return kt_error_no_memory();
	attrs->end = batch->reads.len;
	return NULL;
}

void attrs_end(struct attrs *attrs, const struct gmem_batch *done)
{
	size_t len = NAME_MAX_LEN;

	object_end(&attrs->btf, done);
	if (!attrs->name)
		return;
	if (gmem_batch_fault(done, attrs->first + 1, attrs->end))
		len = attrs->head;
	/* One that does not end is none. */
	if (gmem_batch_fault(done, attrs->first, attrs->first + 1) ||
	    strnlen(attrs->name, len) == len)
		free(kt_take_ptr(attrs->name));
}

static struct program_number flag(const struct view *view, const uint8_t *image, unsigned int field)
{
	if (!view_has(view, field))
		return (struct program_number){0};
	return (struct program_number){true, view_uint(view, image, field) != 0};
}

/* bpf_prog_get_info_by_fd() fails with ENODEV, by which bpftool knows such a program. */
static struct program_number orphaned(const struct view *aux, const uint8_t *image)
{
	unsigned int bound = view_has(aux, AUX_DEV_BOUND) ? AUX_DEV_BOUND : AUX_OFFLOADED;

	if (!view_has(aux, bound) || !view_has(aux, AUX_OFFLOAD))
		return (struct program_number){0};
	return (struct program_number){true, view_uint(aux, image, bound) &&
						     !view_uint(aux, image, AUX_OFFLOAD)};
}

/*
 * 0 is cgroup_inet_ingress, and what a program has that was loaded without one. Only programs of
 * the one type are attached there. Those of struct_ops have the number of their member there.
 */
static bool has_attach_type(uint64_t value, const struct program *program)
{
	if (!program->type || !strcmp(program->type, "struct_ops"))
		return false;
	return value || !strcmp(program->type, "cgroup_skb");
}

/* bpf_prog_get_target_btf(); what is attached to another program has that one's BTF, which is not
 * read. */
static struct program_number attach_btf_obj(const struct prog_views *views, const struct prog *prog,
					    const struct attrs *attrs)
{
	const struct view *aux = &views->aux;

	if (attrs->btf.known)
		return (struct program_number){true, prog_btf_object_id(views, &attrs->btf)};
	if (view_has(aux, AUX_ATTACH_BTF_ID) && !view_uint(aux, prog->aux.image, AUX_ATTACH_BTF_ID))
		return (struct program_number){.known = true};
	return (struct program_number){0};
}

static struct kt_error *take_module(const struct prog_views *views, const struct attrs *attrs,
				    struct program *ret)
{
	const char *name;
	size_t len = prog_btf_module(views, &attrs->btf, &name);

	ret->attach_btf_module = len ? strndup(name, len) : NULL;
	return !len || ret->attach_btf_module ? NULL : kt_error_no_memory();
}

struct kt_error *attrs_finish(const struct prog_views *views, const struct prog *prog,
			      const struct attrs *attrs, const struct kfacts *facts,
			      struct program *ret)
{
	const struct view *view = &views->prog, *aux = &views->aux;
	const uint8_t *image = prog->prog.image, *aux_image = prog->aux.image;
	uint64_t attach_type = view_uint(view, image, PROG_ATTACH);
	struct kt_error *err = NULL;

	ret->attach_btf_obj_id = attach_btf_obj(views, prog, attrs);
	if (view_has(view, PROG_PAGES) && views->page_size)
		ret->bytes_memlock = (struct program_number){
			true, view_uint(view, image, PROG_PAGES) * views->page_size};
	ret->orphaned = orphaned(aux, aux_image);
	ret->sleepable = view_has(view, PROG_SLEEPABLE) ? flag(view, image, PROG_SLEEPABLE)
							: flag(aux, aux_image, AUX_SLEEPABLE);
	ret->xdp_has_frags = flag(aux, aux_image, AUX_XDP_FRAGS);
	if (view_has(aux, AUX_ATTACH_BTF_ID))
		ret->attach_btf_id = (struct program_number){true, view_uint(aux, aux_image,
									     AUX_ATTACH_BTF_ID)};
	if (view_has(view, PROG_ATTACH) && has_attach_type(attach_type, ret))
		err = bpf_enum_text(facts, "bpf_attach_type", "BPF_", attach_type,
				    &ret->expected_attach_type);
	if (!err && attrs->btf.known && attrs->btf.image)
		err = take_module(views, attrs, ret);
	if (err || !attrs->name)
		return err;
	ret->attach_btf_name = strdup(attrs->name);
	return ret->attach_btf_name ? NULL : kt_error_no_memory();
}
