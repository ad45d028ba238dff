// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "introspect/cgroup_mount.h"
#include "introspect/dpath.h"
#include "memory/list.h"
#include "memory/object.h"
#include "util/cleanup.h"

/* More mounts of one file system than any machine has. */
#define MAX_MOUNTS 10000

enum { ROOT_SUPERS };
static const struct view_field root_fields[] = {[ROOT_SUPERS] = {.path = "supers.next"}};
static const struct view_type root_view = VIEW_TYPE("kernfs_root", root_fields);

/* One for each network namespace; a file system of cgroups has one. */
enum { SUPER_NEXT, SUPER_SB };
static const struct view_field super_fields[] = {
	[SUPER_NEXT] = {.path = "node.next"},
	[SUPER_SB] = {.path = "sb"},
};
static const struct view_type super_view = VIEW_TYPE("kernfs_super_info", super_fields);
static const struct list_type supers = {&super_view, SUPER_NEXT, .node = "node"};

/* A list_head up to 6.17, and since 6.18 a pointer to the first mount. */
enum { SB_ROOT, SB_MOUNTS, SB_MOUNTS_NEXT };
static const struct view_field sb_fields[] = {
	[SB_ROOT] = {.path = "s_root"},
	[SB_MOUNTS] = {.path = "s_mounts"},
	[SB_MOUNTS_NEXT] = {.path = "s_mounts.next", .optional = true},
};
static const struct view_type sb_view = VIEW_TYPE("super_block", sb_fields);

enum { MOUNT_NEXT, MOUNT_NS, MOUNT_ROOT };
static const struct view_field mount_fields[] = {
	[MOUNT_NEXT] = {.path = "mnt_instance.next"},
	[MOUNT_NS] = {.path = "mnt_ns"},
	[MOUNT_ROOT] = {.path = "mnt.mnt_root"},
};
static const struct view_field new_mount_fields[] = {
	[MOUNT_NEXT] = {.path = "mnt_next_for_sb"},
	[MOUNT_NS] = {.path = "mnt_ns"},
	[MOUNT_ROOT] = {.path = "mnt.mnt_root"},
};
static const struct view_type mount_view = VIEW_TYPE("mount", mount_fields);
static const struct view_type new_mount_view = VIEW_TYPE("mount", new_mount_fields);
static const struct list_type mounts = {&mount_view, MOUNT_NEXT, .node = "mnt_instance"};
static const struct list_type new_mounts = {.view = &new_mount_view, .next = MOUNT_NEXT};

static const struct view_field nsproxy_fields[] = {{.path = "mnt_ns"}};
static const struct view_type nsproxy_view = VIEW_TYPE("nsproxy", nsproxy_fields);

bool kernfs_mount_wants(struct wants *wants)
{
	return view_wants(&root_view, wants) && list_wants(&supers, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "kernfs_root", "supers", true) &&
	       view_wants(&sb_view, wants) && list_wants(&mounts, wants) &&
	       list_wants(&new_mounts, wants) && view_wants(&nsproxy_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "mount", "mnt", true) &&
	       wants_add(wants, KFACTS_SYMBOL, "init_nsproxy", NULL, true) && dpaths_wants(wants);
}

/* The first of the lists' objects; they have to be initialised, and are read. */
static struct kt_error *read_list(struct lists *lists, gaddr_t head, gaddr_t first,
				  const struct gmem *memory)
{
	struct kt_error *err = lists_add(lists, 0, head, first);

	return err ? err : lists_read(lists, memory);
}

/* The super_block of a kernfs_root; 0: none. */
static struct kt_error *find_super(struct guest *guest, gaddr_t root, gaddr_t *ret)
{
	_cleanup_(lists_deinit) struct lists list = {0};
	_cleanup_(object_deinit) struct object object = {0};
	const struct kfacts *facts = guest_facts(guest);
	const struct gmem memory = guest_memory(guest);
	struct kfacts_member head;
	struct kt_error *err;
	struct view view;

	*ret = 0;
	if (!view_try(&view, &root_view, facts) || !lists_init(&list, &supers, facts, MAX_MOUNTS) ||
	    !kfacts_member(facts, "kernfs_root", "supers", &head))
		return NULL;
	err = object_read(&object, &view, root, &memory);
	if (!err && object.known)
		err = read_list(&list, root + head.offset,
				view_uint(&view, object.image, ROOT_SUPERS), &memory);
	if (!err && list.items.len)
		*ret = view_uint(&list.view, list.items.data[0].image, SUPER_SB);
	return err;
}

/* The first whole mount in a namespace. */
static void choose(const struct lists *list, gaddr_t ns, gaddr_t sb_root, uint32_t mnt,
		   struct dpath *ret)
{
	kt_vec_for_each (&list->items, item) {
		gaddr_t root = view_uint(&list->view, item->image, MOUNT_ROOT);

		if (view_uint(&list->view, item->image, MOUNT_NS) != ns || root != sb_root)
			continue;
		*ret = (struct dpath){.mnt = item->addr + mnt, .dentry = root};
		return;
	}
}

/* Where the mount of a super_block is. */
static struct kt_error *find_mount(struct guest *guest, gaddr_t sb, gaddr_t ns, struct dpath *ret)
{
	_cleanup_(lists_deinit) struct lists list = {0};
	_cleanup_(object_deinit) struct object object = {0};
	const struct kfacts *facts = guest_facts(guest);
	const struct gmem memory = guest_memory(guest);
	struct kfacts_member mnt;
	struct kt_error *err;
	struct view view;
	bool is_head;

	if (!view_try(&view, &sb_view, facts) || !kfacts_member(facts, "mount", "mnt", &mnt))
		return NULL;
	is_head = view_has(&view, SB_MOUNTS_NEXT);
	if (!lists_init(&list, is_head ? &mounts : &new_mounts, facts, MAX_MOUNTS))
		return NULL;
	err = object_read(&object, &view, sb, &memory);
	if (err || !object.known)
		return err;
	err = read_list(&list, is_head ? sb + view.fields[SB_MOUNTS].member.offset : 0,
			view_uint(&view, object.image, is_head ? SB_MOUNTS_NEXT : SB_MOUNTS),
			&memory);
	if (!err)
		choose(&list, ns, view_uint(&view, object.image, SB_ROOT), mnt.offset, ret);
	return err;
}

static struct kt_error *first_namespace(struct guest *guest, gaddr_t *ret)
{
	_cleanup_(object_deinit) struct object object = {0};
	const struct gmem memory = guest_memory(guest);
	struct kt_error *err = NULL;
	struct view view;
	gaddr_t addr;

	*ret = 0;
	if (view_try(&view, &nsproxy_view, guest_facts(guest)) &&
	    guest_symbol(guest, "init_nsproxy", &addr))
		err = object_read(&object, &view, addr, &memory);
	if (!err && object.known)
		*ret = view_uint(&view, object.image, 0);
	return err;
}

struct kt_error *kernfs_mount_read(struct guest *guest, gaddr_t root, char **ret)
{
	struct dpath path = {0};
	gaddr_t sb = 0, ns = 0;
	struct kt_error *err = root ? first_namespace(guest, &ns) : NULL;

	*ret = NULL;
	if (!err && ns)
		err = find_super(guest, root, &sb);
	if (!err && sb)
		err = find_mount(guest, sb, ns, &path);
	if (!err && path.mnt)
		err = dpaths_read(guest, &path, 1);
	if (err) {
		free(path.text);
		return err;
	}
	*ret = path.text;
	return NULL;
}
