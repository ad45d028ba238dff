// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The superblocks of bpffs; of each its mounts in the initial mount namespace, and the tree of
 * dentries below its root; the inodes of those.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_holders_impl.h"
#include "introspect/dpath.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/seen.h"
#include "util/cleanup.h"

#define MAX_SUPERS   256
#define MAX_MOUNTS   1024  /* of all superblocks */
#define MAX_DENTRIES 16384 /* likewise */
#define MAX_PATHS    65536

/* Lists are followed until they come to where they were. */
#define MAX_SEEN (2u * MAX_DENTRIES)

static const struct view_field fs_fields[] = {{.path = "fs_supers.first"}};
static const struct view_type fs_type = VIEW_TYPE("file_system_type", fs_fields);

enum { SUPER_NODE, SUPER_NEXT, SUPER_ROOT, SUPER_MOUNTS, SUPER_MOUNT };
static const struct view_field super_fields[] = {
	[SUPER_NODE] = {.path = "s_instances"},
	[SUPER_NEXT] = {.path = "s_instances.next"},
	[SUPER_ROOT] = {.path = "s_root"},
	[SUPER_MOUNTS] = {.path = "s_mounts.next", .optional = true}, /* a list up to 6.17 */
	[SUPER_MOUNT] = {.path = "s_mounts"},                         /* the first since 6.18 */
};
static const struct view_type super_type = VIEW_TYPE("super_block", super_fields);

enum { MOUNT_MNT, MOUNT_NS, MOUNT_NODE, MOUNT_LIST_NEXT, MOUNT_NEXT };
static const struct view_field mount_fields[] = {
	[MOUNT_MNT] = {.path = "mnt"},
	[MOUNT_NS] = {.path = "mnt_ns"},
	[MOUNT_NODE] = {.path = "mnt_instance", .optional = true}, /* up to 6.17 */
	[MOUNT_LIST_NEXT] = {.path = "mnt_instance.next", .optional = true},
	[MOUNT_NEXT] = {.path = "mnt_next_for_sb", .optional = true}, /* since 6.18 */
};
static const struct view_type mount_type = VIEW_TYPE("mount", mount_fields);

static const struct view_field nsproxy_fields[] = {{.path = "mnt_ns"}};
static const struct view_type nsproxy_type = VIEW_TYPE("nsproxy", nsproxy_fields);

enum {
	DENTRY_INODE,
	DENTRY_HASHED,
	DENTRY_LIST_NODE,
	DENTRY_LIST_NEXT,
	DENTRY_LIST_HEAD,
	DENTRY_LIST_CHILD,
	DENTRY_NODE,
	DENTRY_NEXT,
	DENTRY_CHILD,
};
static const struct view_field dentry_fields[] = {
	[DENTRY_INODE] = {.path = "d_inode"},
	[DENTRY_HASHED] = {.path = "d_hash.pprev"},
	/* Lists up to 6.7. */
	[DENTRY_LIST_NODE] = {.path = "d_child", .optional = true},
	[DENTRY_LIST_NEXT] = {.path = "d_child.next", .optional = true},
	[DENTRY_LIST_HEAD] = {.path = "d_subdirs", .optional = true},
	[DENTRY_LIST_CHILD] = {.path = "d_subdirs.next", .optional = true},
	/* Since 6.8. */
	[DENTRY_NODE] = {.path = "d_sib", .optional = true},
	[DENTRY_NEXT] = {.path = "d_sib.next", .optional = true},
	[DENTRY_CHILD] = {.path = "d_children.first", .optional = true},
};
static const struct view_type dentry_type = VIEW_TYPE("dentry", dentry_fields);

enum { INODE_OP, INODE_PRIVATE };
static const struct view_field inode_fields[] = {
	[INODE_OP] = {.path = "i_op"},
	[INODE_PRIVATE] = {.path = "i_private"},
};
static const struct view_type inode_type = VIEW_TYPE("inode", inode_fields);

static const struct {
	const char *symbol;
	enum held_kind kind;
} operations[] = {
	{"bpf_prog_iops", HELD_PROG},
	{"bpf_map_iops", HELD_MAP},
	{"bpf_link_iops", HELD_LINK},
};
#define N_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

struct super {
	gaddr_t addr, root;
	gaddr_t next_mount; /* to be read; 0: none */
	gaddr_t any_mount;  /* of another namespace; 0: none */
	bool has_mount;     /* in the initial one */
	struct object read;
};

/* Its mnt, which a struct path has. */
struct mounted {
	size_t super;
	gaddr_t mnt;
};

struct dentry {
	size_t super;
	gaddr_t addr, parent; /* parent 0: a root */
	gaddr_t inode;        /* 0: none, or it has no name any more */
	struct object read;
};

struct search {
	struct guest *guest;
	struct pages *pages; /* for lists */
	struct view fs, super, mount, nsproxy, dentry, inode;
	gaddr_t fs_addr, nsproxy_addr, operations[N_OPERATIONS];
	gaddr_t ns; /* the initial mount namespace; 0: unknown */
	KT_VEC(struct super) supers;
	KT_VEC(struct mounted) mounts;
	KT_VEC(struct dentry) dentries;
	struct seen seen;
	size_t n_unread;
};

bool bpf_holders_pins_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_OPERATIONS; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, operations[i].symbol, NULL, true))
			return false;
	return wants_add(wants, KFACTS_SYMBOL, "bpf_fs_type", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "init_nsproxy", NULL, true) &&
	       view_wants(&fs_type, wants) && view_wants(&super_type, wants) &&
	       view_wants(&mount_type, wants) && view_wants(&nsproxy_type, wants) &&
	       view_wants(&dentry_type, wants) && view_wants(&inode_type, wants) &&
	       dpaths_wants(wants);
}

static bool init(struct search *search)
{
	const struct kfacts *facts = guest_facts(search->guest);

	for (size_t i = 0; i < N_OPERATIONS; i++)
		if (!guest_symbol(search->guest, operations[i].symbol, &search->operations[i]))
			return false;
	return guest_symbol(search->guest, "bpf_fs_type", &search->fs_addr) &&
	       guest_symbol(search->guest, "init_nsproxy", &search->nsproxy_addr) &&
	       view_try(&search->fs, &fs_type, facts) &&
	       view_try(&search->super, &super_type, facts) &&
	       view_try(&search->mount, &mount_type, facts) &&
	       view_try(&search->nsproxy, &nsproxy_type, facts) &&
	       view_try(&search->dentry, &dentry_type, facts) &&
	       view_try(&search->inode, &inode_type, facts) &&
	       (view_has(&search->super, SUPER_MOUNTS) ? view_has(&search->mount, MOUNT_LIST_NEXT)
						       : view_has(&search->mount, MOUNT_NEXT)) &&
	       (view_has(&search->dentry, DENTRY_CHILD)
			? view_has(&search->dentry, DENTRY_NEXT)
			: view_has(&search->dentry, DENTRY_LIST_NEXT) &&
				  view_has(&search->dentry, DENTRY_LIST_CHILD));
}

static void search_deinit(struct search *search)
{
	kt_vec_for_each (&search->supers, super)
		object_deinit(&super->read);
	kt_vec_for_each (&search->dentries, dentry)
		object_deinit(&dentry->read);
	kt_vec_free(&search->supers);
	kt_vec_free(&search->mounts);
	kt_vec_free(&search->dentries);
	seen_deinit(&search->seen);
	pages_destroy(search->pages);
}

/* Adds an address of a list. False: it was there, or there are too many, or no memory. */
static bool see(struct search *search, gaddr_t addr)
{
	bool is_new = false;
	struct kt_error *err = NULL;

	if (search->seen.n < MAX_SEEN)
		err = seen_add(&search->seen, addr, &is_new);
	kt_error_destroy(err);
	return is_new;
}

static struct kt_error *read_batch(const struct search *search, struct gmem_batch *batch)
{
	const struct gmem memory = pages_memory(search->pages);

	return gmem_batch_read(batch, memory.read, memory.source);
}

static uint32_t offset_of(const struct view *view, unsigned int field)
{
	return view->fields[field].member.offset;
}

/* --- superblocks --- */

static struct kt_error *read_pointer(const struct search *search, const struct view *view,
				     gaddr_t at, gaddr_t *ret)
{
	const struct gmem memory = pages_memory(search->pages);
	_cleanup_(object_deinit) struct object object = {0};
	struct kt_error *err = object_read(&object, view, at, &memory);

	*ret = !err && object.known ? view_uint(view, object.image, 0) : 0;
	return err;
}

/* As a rule there is one, or one for each container. */
static struct kt_error *read_supers(struct search *search)
{
	const struct gmem memory = pages_memory(search->pages);
	uint32_t node = offset_of(&search->super, SUPER_NODE);
	gaddr_t next;
	struct kt_error *err = read_pointer(search, &search->fs, search->fs_addr, &next);

	while (!err && next) {
		_cleanup_(object_deinit) struct object read = {0};
		struct super super = {.addr = next - node};

		if (search->supers.len == MAX_SUPERS || !see(search, super.addr)) {
			search->n_unread++;
			break;
		}
		err = object_read(&read, &search->super, super.addr, &memory);
		if (err || !read.known) {
			search->n_unread += !err;
			break;
		}
		super.root = view_uint(&search->super, read.image, SUPER_ROOT);
		super.next_mount = view_uint(&search->super, read.image,
					     view_has(&search->super, SUPER_MOUNTS) ? SUPER_MOUNTS
										    : SUPER_MOUNT);
		next = view_uint(&search->super, read.image, SUPER_NEXT);
		if (!kt_vec_push(&search->supers, super))
			return kt_error_no_memory();
	}
	return err;
}

/* --- their mounts --- */

/* The mount that a link of the list leads to; 0: the list ends here. */
static gaddr_t mount_of(const struct search *search, const struct super *super)
{
	if (!view_has(&search->super, SUPER_MOUNTS))
		return super->next_mount;
	if (super->next_mount == super->addr + offset_of(&search->super, SUPER_MOUNTS))
		return 0;
	return super->next_mount - offset_of(&search->mount, MOUNT_NODE);
}

static bool take_mount(struct search *search, size_t i, gaddr_t mount)
{
	struct super *super = &search->supers.data[i];
	const uint8_t *image = super->read.image;
	struct mounted mounted = {i, mount + offset_of(&search->mount, MOUNT_MNT)};

	super->next_mount = view_uint(&search->mount, image,
				      view_has(&search->mount, MOUNT_NEXT) ? MOUNT_NEXT
									   : MOUNT_LIST_NEXT);
	if (view_uint(&search->mount, image, MOUNT_NS) != search->ns) {
		super->any_mount = mounted.mnt;
		return true;
	}
	super->has_mount = true;
	return kt_vec_push(&search->mounts, mounted);
}

/* The next mount of each superblock. *more_ret: there is another one. */
static struct kt_error *read_next_mounts(struct search *search, bool *more_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	*more_ret = false;
	kt_vec_for_each (&search->supers, super) {
		gaddr_t mount = super->next_mount ? mount_of(search, super) : 0;

		object_deinit(&super->read);
		if (mount && !see(search, mount))
			search->n_unread++, mount = 0;
		if (!mount)
			super->next_mount = 0;
		err = object_begin(&super->read, &search->mount, mount, &batch);
		if (err)
			return err;
	}
	if (batch.reads.len)
		err = read_batch(search, &batch);
	for (size_t i = 0; i < search->supers.len && !err; i++) {
		struct super *super = &search->supers.data[i];
		gaddr_t mount = super->next_mount ? mount_of(search, super) : 0;

		object_end(&super->read, &batch);
		super->next_mount = 0;
		if (super->read.known && !take_mount(search, i, mount))
			return kt_error_no_memory();
		search->n_unread += mount && !super->read.known;
		*more_ret |= super->next_mount != 0;
	}
	return err;
}

/* Of a superblock that is not mounted in the initial namespace one mount of another: a container's.
 */
static struct kt_error *read_mounts(struct search *search)
{
	bool more = true;
	struct kt_error *err = read_pointer(search, &search->nsproxy, search->nsproxy_addr,
					    &search->ns);

	for (size_t k = 0; k < MAX_MOUNTS && more && !err; k++)
		err = read_next_mounts(search, &more);
	for (size_t i = 0; i < search->supers.len && !err; i++) {
		const struct super *super = &search->supers.data[i];
		struct mounted mounted = {i, super->any_mount};

		if (!super->has_mount && super->any_mount && !kt_vec_push(&search->mounts, mounted))
			return kt_error_no_memory();
	}
	return err;
}

/* --- what is below their roots --- */

static bool add_dentry(struct search *search, size_t super, gaddr_t parent, gaddr_t addr)
{
	struct dentry dentry = {.super = super, .addr = addr, .parent = parent};

	if (!addr)
		return true;
	if (search->dentries.len == MAX_DENTRIES || !see(search, addr)) {
		search->n_unread++;
		return true;
	}
	return kt_vec_push(&search->dentries, dentry);
}

/* The dentry that a link of the list of parent's children leads to; 0: the list ends. */
static gaddr_t child_of(const struct search *search, gaddr_t parent, gaddr_t link)
{
	const struct view *view = &search->dentry;

	if (view_has(view, DENTRY_CHILD))
		return link ? link - offset_of(view, DENTRY_NODE) : 0;
	if (link == parent + offset_of(view, DENTRY_LIST_HEAD))
		return 0;
	return link ? link - offset_of(view, DENTRY_LIST_NODE) : 0;
}

/* The dentry's own facts; then its first child, and the next one of its parent's. */
static bool take_dentry(struct search *search, size_t i)
{
	const struct view *view = &search->dentry;
	struct dentry dentry = search->dentries.data[i];
	const uint8_t *image = dentry.read.image;
	bool hlist = view_has(view, DENTRY_CHILD);
	gaddr_t child = view_uint(view, image, hlist ? DENTRY_CHILD : DENTRY_LIST_CHILD);
	gaddr_t next = view_uint(view, image, hlist ? DENTRY_NEXT : DENTRY_LIST_NEXT);

	if (view_uint(view, image, DENTRY_HASHED))
		search->dentries.data[i].inode = view_uint(view, image, DENTRY_INODE);
	if (!add_dentry(search, dentry.super, dentry.addr, child_of(search, dentry.addr, child)))
		return false;
	return !dentry.parent || add_dentry(search, dentry.super, dentry.parent,
					    child_of(search, dentry.parent, next));
}

static struct kt_error *read_level(struct search *search, size_t first, size_t end)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	for (size_t i = first; i < end && !err; i++) {
		struct dentry *dentry = &search->dentries.data[i];

		err = object_begin(&dentry->read, &search->dentry, dentry->addr, &batch);
	}
	if (!err)
		err = read_batch(search, &batch);
	for (size_t i = first; i < end && !err; i++) {
		object_end(&search->dentries.data[i].read, &batch);
		if (!search->dentries.data[i].read.known)
			search->n_unread++;
		else if (!take_dentry(search, i))
			return kt_error_no_memory();
	}
	return err;
}

static struct kt_error *read_dentries(struct search *search)
{
	struct kt_error *err = NULL;
	size_t done = 0;

	for (size_t i = 0; i < search->supers.len; i++)
		if (!add_dentry(search, i, 0, search->supers.data[i].root))
			return kt_error_no_memory();
	while (done < search->dentries.len && !err) {
		size_t end = search->dentries.len;

		err = read_level(search, done, end);
		done = end;
	}
	return err;
}

/* --- the objects --- */

static bool kind_of(const struct search *search, const uint8_t *inode, enum held_kind *ret)
{
	gaddr_t op = view_uint(&search->inode, inode, INODE_OP);

	for (size_t i = 0; i < N_OPERATIONS; i++) {
		if (search->operations[i] != op)
			continue;
		*ret = operations[i].kind;
		return true;
	}
	return false;
}

/* Keeps the files of objects alone: their dentries, and what they are of in found. */
static struct kt_error *read_inodes(struct search *search, struct found_pin *found)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < search->dentries.len && !err; i++) {
		struct dentry *dentry = &search->dentries.data[i];

		object_deinit(&dentry->read);
		err = object_begin(&dentry->read, &search->inode, dentry->inode, &batch);
	}
	if (!err && batch.reads.len)
		err = guest_read(search->guest, &batch);
	for (size_t i = 0; i < search->dentries.len && !err; i++) {
		struct dentry *dentry = &search->dentries.data[i], empty = {0};
		const uint8_t *image = dentry->read.image;

		object_end(&dentry->read, &batch);
		search->n_unread += dentry->inode && !dentry->read.known;
		if (!dentry->read.known || !kind_of(search, image, &found[kept].pin.of.kind))
			continue;
		found[kept].object = view_uint(&search->inode, image, INODE_PRIVATE);
		empty = search->dentries.data[kept];
		search->dentries.data[kept++] = *dentry;
		*dentry = empty;
	}
	if (err)
		return err;
	for (size_t i = kept; i < search->dentries.len; i++)
		object_deinit(&search->dentries.data[i].read);
	search->dentries.len = kept;
	return NULL;
}

/* Each file by each mount of its superblock. A mount of a part of it does not have all. */
static struct kt_error *read_paths(struct search *search, const struct found_pin *found,
				   struct found_pins *ret)
{
	size_t room = 0, n = 0;
	_cleanup_free_ struct dpath *paths = NULL;
	_cleanup_free_ size_t *files = NULL;
	struct kt_error *err;

	kt_vec_for_each (&search->dentries, dentry)
		kt_vec_for_each (&search->mounts, mount)
			room += mount->super == dentry->super;
	if (room > MAX_PATHS) {
		ret->n_unread += room - MAX_PATHS;
		room = MAX_PATHS;
	}
	paths = calloc(room + 1, sizeof(*paths));
	files = calloc(room + 1, sizeof(*files));
	if (!paths || !files)
		return kt_error_no_memory();
	for (size_t i = 0; i < search->dentries.len; i++)
		kt_vec_for_each (&search->mounts, mount) {
			const struct dentry *dentry = &search->dentries.data[i];

			if (mount->super != dentry->super || n == room)
				continue;
			files[n] = i;
			paths[n++] = (struct dpath){mount->mnt, dentry->addr, NULL};
		}
	err = dpaths_read(search->guest, paths, n);
	for (size_t i = 0; i < n; i++) {
		struct found_pin pin = found[files[i]];

		pin.pin.path = paths[i].text;
		if (err || !paths[i].text || !kt_vec_push(&ret->v, pin)) {
			free(paths[i].text);
			if (!err && paths[i].text)
				err = kt_error_no_memory();
		}
	}
	return err;
}

static struct kt_error *search_all(struct search *search, struct found_pins *ret)
{
	_cleanup_free_ struct found_pin *found = NULL;
	struct kt_error *err = read_supers(search);

	if (!err)
		err = read_mounts(search);
	if (!err)
		err = read_dentries(search);
	if (err)
		return err;
	found = calloc(search->dentries.len + 1, sizeof(*found));
	if (!found)
		return kt_error_no_memory();
	err = read_inodes(search, found);
	return err ? err : read_paths(search, found, ret);
}

struct kt_error *bpf_holders_pins_read(struct guest *guest, struct found_pins *ret)
{
	_cleanup_(search_deinit) struct search search = {.guest = guest};
	struct kt_error *err;

	if (!init(&search))
		return NULL;
	search.pages = pages_create(guest_memory(guest));
	if (!search.pages)
		return kt_error_no_memory();
	err = search_all(&search, ret);
	ret->known = true;
	ret->n_unread += search.n_unread;
	return err;
}
