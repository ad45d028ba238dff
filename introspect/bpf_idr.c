// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "memory/xarray.h"
#include "util/cleanup.h"

static const struct view_field head_fields[] = {{.path = "idr_rt.xa_head"}};
static const struct view_type head_type = VIEW_TYPE("idr", head_fields);

bool bpf_idr_index_wants(const char *symbol, struct wants *wants)
{
	return wants_add(wants, KFACTS_SYMBOL, symbol, NULL, true) &&
	       bpf_idr_place_wants(symbol, wants) && view_wants(&head_type, wants) &&
	       xarray_wants(wants);
}

bool bpf_idr_wants(const struct bpf_idr_type *type, struct wants *wants)
{
	return bpf_idr_index_wants(type->symbol, wants) && view_wants(type->view, wants);
}

struct kt_error *bpf_idr_not_placed(const char *symbol)
{
	return kt_error_hint(
		kt_error_new(KT_ERROR_NOT_FOUND,
			     "nothing tells where %s is: the kernel's own kallsyms leave out data "
			     "symbols (CONFIG_KALLSYMS_ALL)",
			     symbol),
		"give --system-map FILE, the System.map of the same build, or --vmlinux FILE with "
		"a symbol table (its debug package)");
}

struct kt_error *bpf_idr_check(const struct bpf_idr_type *type, const struct kfacts *facts)
{
	const char *id = type->view->fields[type->id].path;
	struct kfacts_member member;
	struct kt_error *err;
	struct view view;

	if (!bpf_idr_placed(facts, type->symbol)) {
		if (!kfacts_member(facts, type->view->name, id, &member))
			return kt_error_new(KT_ERROR_UNSUPPORTED,
					    "this kernel has no struct %s (CONFIG_BPF_SYSCALL)",
					    type->view->name);
		return bpf_idr_not_placed(type->symbol);
	}
	err = view_init(&view, &head_type, facts);
	return err ? err : view_init(&view, type->view, facts);
}

struct kt_error *bpf_idr_index(struct guest *guest, const char *symbol, struct xarray_entries *ret)
{
	const struct kfacts *facts = guest_facts(guest);
	const struct gmem memory = guest_memory(guest);
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct view head;
	uint8_t image[8];
	struct kt_error *err = view_init(&head, &head_type, facts);
	gaddr_t addr;

	if (err)
		return err;
	err = bpf_idr_addr(guest, symbol, &addr);
	if (err)
		return err;
	if (!view_read(&head, &batch, addr, image))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (err)
		return err;
	if (batch.reads.data[0].fault)
		return kt_error_new(KT_ERROR_FAULT, "%s, at 0x%016llx in the guest, is not mapped",
				    symbol, (unsigned long long)addr);
	return xarray_walk(facts, &memory, view_uint(&head, image, 0), BPF_IDR_MAX, ret);
}

const struct bpf_idr_kind bpf_idr_progs = {"prog_idr", "program",
					   "ktstr-gdb attach lists the programs"};
const struct bpf_idr_kind bpf_idr_maps = {"map_idr", "map", "ktstr-gdb maps lists them"};
const struct bpf_idr_kind bpf_idr_btfs = {"btf_idr", "BTF object", "ktstr-gdb btf list lists them"};

struct kt_error *bpf_idr_none(const struct bpf_idr_kind *kind, uint32_t id)
{
	return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND, "no %s has the id %u", kind->what,
					  id),
			     "%s", kind->hint);
}

struct kt_error *bpf_idr_find(struct guest *guest, const struct bpf_idr_kind *kind, uint32_t id,
			      gaddr_t *ret)
{
	_cleanup_(xarray_entries_deinit) struct xarray_entries index = {0};
	struct kt_error *err = bpf_idr_index(guest, kind->symbol, &index);

	if (err)
		return err;
	kt_vec_for_each (&index.v, entry) {
		if (entry->index != id)
			continue;
		*ret = entry->pointer;
		return NULL;
	}
	return bpf_idr_none(kind, id);
}

static struct kt_error *read_objects(struct guest *guest, const struct xarray_entries *index,
				     struct bpf_idr *idr)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t spans = idr->view.n_spans;
	struct kt_error *err;

	for (size_t i = 0; i < idr->n; i++) {
		struct bpf_idr_entry *entry = &idr->entries[i];

		entry->index = index->v.data[i].index;
		entry->addr = index->v.data[i].pointer;
		entry->image = calloc(1, idr->view.size);
		if (!entry->image || !view_read(&idr->view, &batch, entry->addr, entry->image))
			return kt_error_no_memory();
	}
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < idr->n && !err; i++)
		idr->entries[i].readable = !gmem_batch_fault(&batch, i * spans, (i + 1) * spans);
	return err;
}

struct kt_error *bpf_idr_read(struct guest *guest, const struct bpf_idr_type *type,
			      struct bpf_idr *ret)
{
	_cleanup_(xarray_entries_deinit) struct xarray_entries index = {0};
	_cleanup_(bpf_idr_deinit) struct bpf_idr idr = {.type = type};
	struct kt_error *err = view_init(&idr.view, type->view, guest_facts(guest));

	if (!err)
		err = bpf_idr_index(guest, type->symbol, &index);
	if (err)
		return err;
	idr.entries = calloc(index.v.len + 1, sizeof(*idr.entries));
	if (!idr.entries)
		return kt_error_no_memory();
	idr.n = index.v.len;
	idr.damaged = index.damaged;
	err = read_objects(guest, &index, &idr);
	if (err)
		return err;
	*ret = idr;
	idr = (struct bpf_idr){0};
	return NULL;
}

void bpf_idr_deinit(struct bpf_idr *idr)
{
	for (size_t i = 0; i < idr->n; i++)
		free(idr->entries[i].image);
	free(idr->entries);
	*idr = (struct bpf_idr){0};
}

enum bpf_idr_state bpf_idr_state(const struct bpf_idr *idr, const struct bpf_idr_entry *entry)
{
	uint64_t id;

	if (!entry->readable)
		return BPF_IDR_UNREADABLE;
	id = view_uint(&idr->view, entry->image, idr->type->id);
	if (!id || (view_has(&idr->view, idr->type->refcnt) &&
		    !view_uint(&idr->view, entry->image, idr->type->refcnt)))
		return BPF_IDR_DYING;
	return id == entry->index ? BPF_IDR_HERE : BPF_IDR_UNREADABLE;
}

struct kt_error *bpf_enum_text(const struct kfacts *facts, const char *type, const char *prefix,
			       uint64_t value, char **ret)
{
	static const char deprecated[] = "_DEPRECATED";
	const char *name = kfacts_enum_name(facts, type, (int64_t)value);
	size_t skip = strlen(prefix), len;
	char *copy;

	*ret = NULL;
	if (!name || strncmp(name, prefix, skip) != 0)
		return NULL;
	len = strlen(name + skip);
	if (len > sizeof(deprecated) - 1 &&
	    strcmp(name + skip + len - (sizeof(deprecated) - 1), deprecated) == 0)
		len -= sizeof(deprecated) - 1;
	copy = strndup(name + skip, len);
	if (!copy)
		return kt_error_no_memory();
	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	*ret = copy;
	return NULL;
}
