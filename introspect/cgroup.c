// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/cgroup.h"
#include "introspect/cgroup_mount.h"
#include "introspect/prog_array.h"
#include "introspect/prog_set.h"
#include "memory/cstring.h"
#include "memory/list.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* More than any machine has: bounds for a guest that is damaged. */
#define MAX_CGROUPS  50000
#define MAX_PROGRAMS 100000
/* Of MAX_CGROUP_BPF_ATTACH_TYPE, which was 38 in 7.1. */
#define MAX_TYPES 64

#define POINTER_SIZE   8 /* 64-bit kernels */
#define LIST_HEAD_SIZE (2 * POINTER_SIZE)
#define CSS_ONLINE     2 /* (1 << 1) of css flags, since 3.13 */

/* The same members of what is attached and of what is effective, each with its arrays. */
enum { CG_NEXT, CG_CHILDREN, CG_STATE, CG_KN, CG_ARRAY, CG_FLAGS };
#define TREE_FIELDS                                                                                \
	[CG_NEXT] = {.path = "self.sibling.next"}, [CG_CHILDREN] = {.path = "self.children.next"}, \
	[CG_STATE] = {.path = "self.flags"}, [CG_KN] = {.path = "kn"}

static const struct view_field attached_fields[] = {
	TREE_FIELDS,
	[CG_ARRAY] = {.path = "bpf.progs", .max = MAX_TYPES * LIST_HEAD_SIZE},
	[CG_FLAGS] = {.path = "bpf.flags", .max = MAX_TYPES * 4},
};
static const struct view_field effective_fields[] = {
	TREE_FIELDS,
	[CG_ARRAY] = {.path = "bpf.effective", .max = MAX_TYPES * POINTER_SIZE},
};
static const struct view_type attached_view = VIEW_TYPE("cgroup", attached_fields);
static const struct view_type effective_view = VIEW_TYPE("cgroup", effective_fields);
static const struct list_type attached_tree = {&attached_view, CG_NEXT, "self.sibling", CG_CHILDREN,
					       .children_head = "self.children"};
static const struct list_type effective_tree = {&effective_view, CG_NEXT, "self.sibling",
						CG_CHILDREN, .children_head = "self.children"};

static const struct view_field root_fields[] = {{.path = "kf_root"}};
static const struct view_type root_view = VIEW_TYPE("cgroup_root", root_fields);

enum { KN_NAME, KN_ID };
static const struct view_field kn_fields[] = {
	[KN_NAME] = {.path = "name"}, [KN_ID] = {.path = "id"}};
static const struct view_type kn_view = VIEW_TYPE("kernfs_node", kn_fields);

enum { PL_NEXT, PL_PROG, PL_LINK };
static const struct view_field pl_fields[] = {
	[PL_NEXT] = {.path = "node.next"},
	[PL_PROG] = {.path = "prog"},
	[PL_LINK] = {.path = "link", .optional = true}, /* since 5.7 */
};
static const struct view_type pl_view = VIEW_TYPE("bpf_prog_list", pl_fields);
static const struct list_type prog_list = {&pl_view, PL_NEXT, .node = "node"};

enum { LINK_ID, LINK_PROG };
static const struct view_field link_fields[] = {
	[LINK_ID] = {.path = "link.id"},
	[LINK_PROG] = {.path = "link.prog"},
};
static const struct view_type link_view = VIEW_TYPE("bpf_cgroup_link", link_fields);

/* A program at a place. */
struct attachment {
	size_t cgroup; /* in the tree's items */
	unsigned int type;
	size_t order; /* among those of its cgroup and type */
	gaddr_t prog, link;
	struct object link_read;
};

struct bpf_cgroups {
	bool effective;
	unsigned int n_types;
	size_t element; /* bytes of an element of CG_ARRAY */
	struct view kn, link;
	bool has_link;
	struct lists tree;
	struct object *kns;    /* of each cgroup */
	struct cstring *names; /* likewise */
	KT_VEC(struct attachment) attached;
	struct prog_set progs;
	char *mount; /* NULL: none */
	size_t n_damaged;
};

bool bpf_cgroups_wants(struct wants *wants)
{
	return list_wants(&attached_tree, wants) && list_wants(&effective_tree, wants) &&
	       view_wants(&root_view, wants) && view_wants(&kn_view, wants) &&
	       list_wants(&prog_list, wants) && view_wants(&link_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "cgroup_root", "cgrp", true) &&
	       wants_add(wants, KFACTS_MEMBER, "cgroup", "bpf.progs", true) &&
	       wants_add(wants, KFACTS_SYMBOL, "cgrp_dfl_root", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "cgroup_bpf_attach_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_attach_type", NULL, true) &&
	       prog_arrays_wants(wants) && kernfs_mount_wants(wants) && bpf_progs_wants(wants);
}

struct kt_error *bpf_cgroups_check(const struct kfacts *facts)
{
	struct kfacts_member member;
	struct kt_error *err;
	struct view view;
	gaddr_t addr;

	if (!kfacts_member(facts, "cgroup", "bpf.progs", &member))
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "this kernel has no BPF for cgroups (CONFIG_CGROUP_BPF)");
	if (!kfacts_symbol(facts, "cgrp_dfl_root", &addr))
		return bpf_idr_not_placed("cgrp_dfl_root");
	err = view_init(&view, &attached_view, facts);
	if (!err)
		err = view_init(&view, &effective_view, facts);
	if (!err)
		err = view_init(&view, &root_view, facts);
	if (!err)
		err = view_init(&view, &kn_view, facts);
	return err ? err : view_init(&view, &pl_view, facts);
}

/* --- the read --- */

static struct kt_error *prepare(struct guest *guest, struct bpf_cgroups *cgroups)
{
	const struct kfacts *facts = guest_facts(guest);
	struct kfacts_member array, effective;
	struct kt_error *err = view_init(&cgroups->kn, &kn_view, facts);

	if (err)
		return err;
	cgroups->has_link = view_try(&cgroups->link, &link_view, facts);
	if (!lists_init(&cgroups->tree, cgroups->effective ? &effective_tree : &attached_tree,
			facts, MAX_CGROUPS) ||
	    !kfacts_member(facts, "cgroup", "bpf.effective", &effective))
		return bpf_cgroups_check(facts);
	array = cgroups->tree.view.fields[CG_ARRAY].member;
	cgroups->n_types = effective.size / POINTER_SIZE;
	if (cgroups->n_types > MAX_TYPES)
		cgroups->n_types = MAX_TYPES;
	if (!effective.size || array.size % (effective.size / POINTER_SIZE))
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "nothing tells how this kernel lays out struct cgroup_bpf");
	/* A list_head up to 5.19, an hlist_head since 6.0. */
	cgroups->element = array.size / (effective.size / POINTER_SIZE);
	if (cgroups->element != POINTER_SIZE && cgroups->element != LIST_HEAD_SIZE)
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "nothing tells what struct cgroup_bpf's progs are lists of");
	return NULL;
}

static struct kt_error *read_tree(struct guest *guest, struct bpf_cgroups *cgroups)
{
	const struct kfacts *facts = guest_facts(guest);
	const struct gmem memory = guest_memory(guest);
	_cleanup_(object_deinit) struct object root = {0};
	struct kfacts_member cgrp;
	struct kt_error *err;
	struct view view;
	gaddr_t addr;

	if (!guest_symbol(guest, "cgrp_dfl_root", &addr))
		return bpf_idr_not_placed("cgrp_dfl_root");
	if (!kfacts_member(facts, "cgroup_root", "cgrp", &cgrp))
		return kt_error_new(KT_ERROR_NOT_FOUND, "struct cgroup_root has no member cgrp");
	err = view_init(&view, &root_view, facts);
	if (!err)
		err = object_read(&root, &view, addr, &memory);
	if (!err && root.known)
		err = kernfs_mount_read(guest, view_uint(&view, root.image, 0), &cgroups->mount);
	if (!err)
		err = lists_add_root(&cgroups->tree, addr + cgrp.offset);
	if (!err)
		err = lists_read(&cgroups->tree, &memory);
	if (!err && !cgroups->tree.items.len)
		err = kt_error_new(KT_ERROR_FAULT,
				   "cgrp_dfl_root, at 0x%016llx in the guest, is not mapped",
				   (unsigned long long)addr);
	return err;
}

/* Names and IDs of all cgroups. */
static struct kt_error *read_names(struct guest *guest, struct bpf_cgroups *cgroups)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct gmem memory = guest_memory(guest);
	size_t n = cgroups->tree.items.len;
	struct kt_error *err = NULL;

	cgroups->kns = calloc(n + 1, sizeof(*cgroups->kns));
	cgroups->names = calloc(n + 1, sizeof(*cgroups->names));
	if (!cgroups->kns || !cgroups->names)
		return kt_error_no_memory();
	for (size_t i = 0; i < n && !err; i++)
		err = object_begin(&cgroups->kns[i], &cgroups->kn,
				   view_uint(&cgroups->tree.view, cgroups->tree.items.data[i].image,
					     CG_KN),
				   &batch);
	if (!err)
		err = guest_read(guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		object_end(&cgroups->kns[i], &batch);
		if (cgroups->kns[i].known)
			cgroups->names[i].addr = view_uint(&cgroups->kn, cgroups->kns[i].image,
							   KN_NAME);
	}
	return err ? err : cstrings_read(&memory, cgroups->names, n);
}

/* Element type of the cgroup's array: the first pointer in it. */
static gaddr_t element(const struct bpf_cgroups *cgroups, size_t cgroup, unsigned int type)
{
	const struct view *view = &cgroups->tree.view;
	const uint8_t *bytes;
	size_t len = 0;

	bytes = view_bytes(view, cgroups->tree.items.data[cgroup].image, CG_ARRAY, &len);
	if (!bytes || (type + 1) * cgroups->element > len)
		return 0;
	return kt_load_uint(bytes + type * cgroups->element, POINTER_SIZE, view->big_endian);
}

static struct kt_error *attach(struct bpf_cgroups *cgroups, size_t cgroup, unsigned int type,
			       size_t order, gaddr_t prog, gaddr_t link)
{
	if (cgroups->attached.len >= MAX_PROGRAMS) {
		cgroups->n_damaged++;
		return NULL;
	}
	return kt_vec_push(&cgroups->attached, (struct attachment){.cgroup = cgroup,
								   .type = type,
								   .order = order,
								   .prog = prog,
								   .link = link})
		       ? NULL
		       : kt_error_no_memory();
}

/* The arrays of what runs. */
static struct kt_error *read_effective(struct guest *guest, struct bpf_cgroups *cgroups)
{
	_cleanup_(prog_arrays_deinit) struct prog_arrays arrays = {0};
	size_t n = cgroups->tree.items.len;
	struct kt_error *err;

	for (size_t i = 0; i < n; i++)
		for (unsigned int t = 0; t < cgroups->n_types; t++)
			if (!prog_arrays_add(&arrays, element(cgroups, i, t)))
				return kt_error_no_memory();
	err = prog_arrays_read(&arrays, guest);
	kt_vec_for_each (&arrays.v, array)
		cgroups->n_damaged += array->damaged;
	for (size_t i = 0; i < n && !err; i++)
		for (unsigned int t = 0; t < cgroups->n_types && !err; t++) {
			const struct prog_array *array = prog_arrays_find(&arrays,
									  element(cgroups, i, t));

			for (size_t k = 0; array && k < array->n && !err; k++)
				err = attach(cgroups, i, t, k, array->progs[k], 0);
		}
	return err;
}

/* prog_list_prog(): the program is the list's own, or that of its link. */
static struct kt_error *read_links(struct guest *guest, struct bpf_cgroups *cgroups)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	if (!cgroups->has_link)
		return NULL;
	kt_vec_for_each (&cgroups->attached, a)
		if (!err)
			err = object_begin(&a->link_read, &cgroups->link, a->link, &batch);
	if (!err && batch.reads.len)
		err = guest_read(guest, &batch);
	if (err)
		return err;
	kt_vec_for_each (&cgroups->attached, a) {
		object_end(&a->link_read, &batch);
		if (!a->prog && a->link_read.known)
			a->prog = view_uint(&cgroups->link, a->link_read.image, LINK_PROG);
	}
	return NULL;
}

/* The lists of what is attached. */
static struct kt_error *read_attached(struct guest *guest, struct bpf_cgroups *cgroups)
{
	_cleanup_(lists_deinit) struct lists lists = {0};
	const struct gmem memory = guest_memory(guest);
	uint32_t array = cgroups->tree.view.fields[CG_ARRAY].member.offset;
	struct kt_error *err = NULL;

	if (!lists_init(&lists, &prog_list, guest_facts(guest), MAX_PROGRAMS))
		return bpf_cgroups_check(guest_facts(guest));
	for (size_t i = 0; i < cgroups->tree.items.len; i++)
		for (unsigned int t = 0; t < cgroups->n_types && !err; t++) {
			gaddr_t head = cgroups->tree.items.data[i].addr + array +
				       t * cgroups->element;

			err = lists_add(&lists, i * MAX_TYPES + t,
					cgroups->element == LIST_HEAD_SIZE ? head : 0,
					element(cgroups, i, t));
		}
	if (!err)
		err = lists_read(&lists, &memory);
	cgroups->n_damaged += lists.n_damaged;
	for (size_t i = 0; i < lists.items.len && !err; i++) {
		const struct list_item *item = &lists.items.data[i];

		err = attach(cgroups, item->owner / MAX_TYPES,
			     (unsigned int)(item->owner % MAX_TYPES), i,
			     view_uint(&lists.view, item->image, PL_PROG),
			     view_uint(&lists.view, item->image, PL_LINK));
	}
	return err ? err : read_links(guest, cgroups);
}

static struct kt_error *read_programs(struct guest *guest, struct bpf_cgroups *cgroups)
{
	gaddr_t *addrs = calloc(cgroups->attached.len + 1, sizeof(*addrs));
	size_t n = 0;

	if (!addrs)
		return kt_error_no_memory();
	kt_vec_for_each (&cgroups->attached, a)
		addrs[n++] = a->prog;
	return prog_set_read(&cgroups->progs, guest, addrs, n);
}

struct kt_error *bpf_cgroups_read(struct guest *guest, bool effective, struct bpf_cgroups **ret)
{
	struct bpf_cgroups *cgroups = calloc(1, sizeof(*cgroups));
	struct kt_error *err;

	if (!cgroups)
		return kt_error_no_memory();
	cgroups->effective = effective;
	err = prepare(guest, cgroups);
	if (!err)
		err = read_tree(guest, cgroups);
	if (!err)
		err = read_names(guest, cgroups);
	if (!err)
		err = effective ? read_effective(guest, cgroups) : read_attached(guest, cgroups);
	if (!err)
		err = read_programs(guest, cgroups);
	if (err) {
		bpf_cgroups_destroy(cgroups);
		return err;
	}
	*ret = cgroups;
	return NULL;
}

void bpf_cgroups_destroy(struct bpf_cgroups *cgroups)
{
	if (!cgroups)
		return;
	for (size_t i = 0; i < cgroups->tree.items.len; i++) {
		if (cgroups->kns)
			object_deinit(&cgroups->kns[i]);
		if (cgroups->names)
			cstring_deinit(&cgroups->names[i]);
	}
	free(cgroups->kns);
	free(cgroups->names);
	kt_vec_for_each (&cgroups->attached, a)
		object_deinit(&a->link_read);
	kt_vec_free(&cgroups->attached);
	prog_set_deinit(&cgroups->progs);
	free(cgroups->mount);
	lists_deinit(&cgroups->tree);
	free(cgroups);
}

/* --- the values --- */

/* What all values are made of. */
struct finish {
	struct bpf_cgroups *cgroups;
	const struct kfacts *facts;
	char **paths; /* of each cgroup; NULL: unknown */
	int64_t types[MAX_TYPES];
};

static void finish_deinit(struct finish *finish)
{
	for (size_t i = 0; finish->paths && i < finish->cgroups->tree.items.len; i++)
		free(finish->paths[i]);
	free(finish->paths);
}

/* The paths, from the root on: a parent comes before its children. */
static struct kt_error *make_paths(struct finish *finish)
{
	const struct bpf_cgroups *cgroups = finish->cgroups;
	size_t n = cgroups->tree.items.len;

	finish->paths = calloc(n + 1, sizeof(*finish->paths));
	if (!finish->paths)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		size_t parent = cgroups->tree.items.data[i].owner;
		const struct cstring *name = &cgroups->names[i];
		const char *above = parent == LIST_NOBODY ? "" : finish->paths[parent];

		if (parent == LIST_NOBODY)
			finish->paths[i] = strdup("/");
		else if (!above || !name->known || strlen(above) + name->text.len >= CSTRING_MAX)
			continue;
		else if (asprintf(&finish->paths[i], "%s/%s", above[1] ? above : "",
				  name->text.data ? name->text.data : "") < 0)
			finish->paths[i] = NULL;
		if (!finish->paths[i])
			return kt_error_no_memory();
	}
	return NULL;
}

/* An attach type of the kernel by its name; -1: it has none. */
static int64_t attach_type_named(const struct kfacts *facts, const char *name)
{
	for (int64_t i = 0; i < 256; i++) {
		const char *here = kfacts_enum_name(facts, "bpf_attach_type", i);

		if (here && strcmp(here, name) == 0)
			return i;
	}
	return -1;
}

/*
 * The attach types of the indices of cgroup_bpf's arrays; -1: unknown. Up to 5.14 an index is the
 * type itself. Since then to_cgroup_bpf_attach_type() maps one to the other by their names, and
 * (since 6.0) functions of LSM have the indices from CGROUP_LSM_START to CGROUP_LSM_END, one each.
 */
static void make_types(struct finish *finish)
{
	static const char type[] = "cgroup_bpf_attach_type";
	bool is_mapped = kfacts_enum_name(finish->facts, type, 0), is_lsm = false;
	int64_t lsm = attach_type_named(finish->facts, "BPF_LSM_CGROUP");
	char full[128];

	for (unsigned int i = 0; i < finish->cgroups->n_types; i++) {
		const char *name = kfacts_enum_name(finish->facts, type, i);

		is_lsm |= name && strcmp(name, "CGROUP_LSM_START") == 0;
		snprintf(full, sizeof(full), "BPF_%s", name ? name : "");
		finish->types[i] = !is_mapped ? (int64_t)i
				   : is_lsm   ? lsm
				   : name     ? attach_type_named(finish->facts, full)
					      : -1;
		is_lsm &= !name || strcmp(name, "CGROUP_LSM_END") != 0;
	}
}

static struct kt_error *copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? kt_error_no_memory() : NULL;
}

static struct kt_error *finish_cgroup(const struct finish *finish, size_t i,
				      struct cgroup_program *ret)
{
	const struct bpf_cgroups *cgroups = finish->cgroups;
	const char *path = finish->paths[i], *mount = cgroups->mount;
	const uint8_t *image = cgroups->tree.items.data[i].image;

	if (cgroups->kns[i].known)
		ret->cgroup_id = (struct program_number){
			true, view_uint(&cgroups->kn, cgroups->kns[i].image, KN_ID)};
	ret->dead = (struct program_number){
		true, !(view_uint(&cgroups->tree.view, image, CG_STATE) & CSS_ONLINE)};
	if (path && mount &&
	    asprintf(&ret->cgroup, "%s%s", mount[1] ? mount : "", path[1] ? path : "") < 0) {
		ret->cgroup = NULL;
		return kt_error_no_memory();
	}
	return copy(path, &ret->path);
}

/* The flags are an int each up to 5.14, and a byte since 5.15. */
static void finish_flags(const struct bpf_cgroups *cgroups, const struct attachment *a,
			 struct cgroup_program *ret)
{
	const struct view *view = &cgroups->tree.view;
	size_t len = 0, size = view->fields[CG_FLAGS].member.size;
	const uint8_t *bytes;

	bytes = view_bytes(view, cgroups->tree.items.data[a->cgroup].image, CG_FLAGS, &len);
	size /= cgroups->n_types;
	if (bytes && size && size <= 8 && (a->type + 1) * size <= len)
		ret->attach_flags = (struct program_number){
			true, kt_load_uint(bytes + a->type * size, size, view->big_endian)};
	if (a->link_read.known)
		ret->link_id = (struct program_number){
			true, view_uint(&cgroups->link, a->link_read.image, LINK_ID)};
	else if (!a->link)
		ret->link_id = (struct program_number){.known = true};
}

static struct kt_error *finish_program(const struct finish *finish, const struct attachment *a,
				       struct cgroup_program *ret)
{
	const struct bpf_cgroups *cgroups = finish->cgroups;
	const struct program *program = prog_set_find(&cgroups->progs, a->prog);
	int64_t type = finish->types[a->type];
	struct kt_error *err = NULL;

	if (type >= 0)
		err = bpf_enum_text(finish->facts, "bpf_attach_type", "BPF_", (uint64_t)type,
				    &ret->attach_type);
	if (!cgroups->effective)
		finish_flags(cgroups, a, ret);
	if (err || !program)
		return err;
	ret->id = (struct program_number){true, program->id};
	ret->attach_btf_id = program->attach_btf_id;
	ret->attach_btf_obj_id = program->attach_btf_obj_id;
	err = copy(program->full_name ? program->full_name : program->name, &ret->name);
	if (!err)
		err = copy(program->type, &ret->type);
	return err ? err : copy(program->attach_btf_name, &ret->attach_btf_name);
}

/* By path; then as the kernel has them. */
static int compare_attachments(const void *x, const void *y, void *arg)
{
	const struct attachment *a = x, *b = y;
	char *const *paths = arg;
	const char *p = paths[a->cgroup], *q = paths[b->cgroup];
	int cmp = a->cgroup == b->cgroup ? 0 : strcmp(p ? p : "", q ? q : "");

	if (!cmp)
		cmp = (a->cgroup > b->cgroup) - (a->cgroup < b->cgroup);
	if (!cmp)
		cmp = (a->type > b->type) - (a->type < b->type);
	return cmp ? cmp : (a->order > b->order) - (a->order < b->order);
}

struct kt_error *bpf_cgroups_finish(struct bpf_cgroups *cgroups, const struct kfacts *facts,
				    struct cgroups *ret)
{
	_cleanup_(finish_deinit) struct finish finish = {.cgroups = cgroups, .facts = facts};
	_cleanup_(cgroups_deinit) struct cgroups out = {
		.n_cgroups = cgroups->tree.items.len,
		.n_unreadable = cgroups->n_damaged + cgroups->tree.n_damaged,
		.effective = cgroups->effective,
	};
	struct kt_error *err = make_paths(&finish);

	make_types(&finish);
	if (!err)
		err = prog_set_finish(&cgroups->progs, facts);
	if (err)
		return err;
	out.all = calloc(cgroups->attached.len + 1, sizeof(*out.all));
	if (!out.all)
		return kt_error_no_memory();
	if (cgroups->attached.len)
		qsort_r(cgroups->attached.data, cgroups->attached.len,
			sizeof(*cgroups->attached.data), compare_attachments, finish.paths);
	kt_vec_for_each (&cgroups->attached, a) {
		struct cgroup_program *program = &out.all[out.n++];

		err = finish_cgroup(&finish, a->cgroup, program);
		if (!err)
			err = finish_program(&finish, a, program);
		if (err)
			return err;
	}
	*ret = out;
	out = (struct cgroups){0};
	return NULL;
}
