// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/dpath.h"
#include "memory/cstring.h"
#include "memory/object.h"
#include "util/cleanup.h"

#define MAX_STEPS 256 /* names and mounts on the way up */

enum { DENTRY_PARENT, DENTRY_NAME, DENTRY_HASHED };
static const struct view_field dentry_fields[] = {
	[DENTRY_PARENT] = {.path = "d_parent"},
	[DENTRY_NAME] = {.path = "d_name.name"},
	[DENTRY_HASHED] = {.path = "d_hash.pprev"},
};
static const struct view_type dentry_type = VIEW_TYPE("dentry", dentry_fields);

/* A struct path has the address of mnt in it. */
enum { MOUNT_PARENT, MOUNT_POINT, MOUNT_ROOT, MOUNT_MNT };
static const struct view_field mount_fields[] = {
	[MOUNT_PARENT] = {.path = "mnt_parent"},
	[MOUNT_POINT] = {.path = "mnt_mountpoint"},
	[MOUNT_ROOT] = {.path = "mnt.mnt_root"},
	[MOUNT_MNT] = {.path = "mnt"},
};
static const struct view_type mount_type = VIEW_TYPE("mount", mount_fields);

/* On the way from the file up. */
struct climb {
	gaddr_t mount, dentry;
	struct object mount_read, dentry_read;
	KT_VEC(gaddr_t) names; /* the last one first */
	bool over, failed, deleted;
};

struct climbs {
	struct view dentry, mount;
	struct climb *all;
	size_t n;
};

bool dpaths_wants(struct wants *wants)
{
	return view_wants(&dentry_type, wants) && view_wants(&mount_type, wants);
}

static void climbs_deinit(struct climbs *climbs)
{
	for (size_t i = 0; climbs->all && i < climbs->n; i++) {
		struct climb *c = &climbs->all[i];

		kt_vec_free(&c->names);
		object_deinit(&c->mount_read);
		object_deinit(&c->dentry_read);
	}
	free(climbs->all);
}

/* One step up: out of the mount, or to the parent. */
static struct kt_error *go_up(const struct climbs *climbs, struct climb *c, bool is_first)
{
	const uint8_t *mount = c->mount_read.image, *dentry = c->dentry_read.image;
	gaddr_t parent = view_uint(&climbs->dentry, dentry, DENTRY_PARENT);
	gaddr_t name = view_uint(&climbs->dentry, dentry, DENTRY_NAME);
	gaddr_t at = c->dentry;

	if (c->dentry == view_uint(&climbs->mount, mount, MOUNT_ROOT)) {
		gaddr_t up = view_uint(&climbs->mount, mount, MOUNT_PARENT);

		c->dentry = view_uint(&climbs->mount, mount, MOUNT_POINT);
		c->over = up == c->mount;
		c->mount = up;
		return NULL;
	}
	if (is_first)
		c->deleted = !view_uint(&climbs->dentry, dentry, DENTRY_HASHED);
	c->dentry = parent;
	c->over = c->failed = parent == at; /* a root, but not that of its mount */
	if (c->failed)
		return NULL;
	return kt_vec_push(&c->names, name) ? NULL : kt_error_no_memory();
}

static struct kt_error *step(struct guest *guest, struct climbs *climbs, bool is_first)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < climbs->n && !err; i++) {
		struct climb *c = &climbs->all[i];

		object_deinit(&c->mount_read);
		object_deinit(&c->dentry_read);
		if (c->over)
			continue;
		err = object_begin(&c->mount_read, &climbs->mount, c->mount, &batch);
		if (!err)
			err = object_begin(&c->dentry_read, &climbs->dentry, c->dentry, &batch);
	}
	if (!err && batch.reads.len)
		err = guest_read(guest, &batch);
	for (size_t i = 0; i < climbs->n && !err; i++) {
		struct climb *c = &climbs->all[i];

		if (c->over)
			continue;
		object_end(&c->mount_read, &batch);
		object_end(&c->dentry_read, &batch);
		if (c->mount_read.known && c->dentry_read.known)
			err = go_up(climbs, c, is_first);
		else
			c->over = c->failed = true;
	}
	return err;
}

static bool all_over(const struct climbs *climbs)
{
	for (size_t i = 0; i < climbs->n; i++)
		if (!climbs->all[i].over)
			return false;
	return true;
}

/* The names of all, one behind the other. */
struct names {
	struct cstring *all;
	size_t n;
};

static void names_deinit(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		cstring_deinit(&names->all[i]);
	free(names->all);
}

static struct kt_error *path_text(const struct climb *c, const struct cstring *names, char **ret)
{
	struct kt_buf text = KT_BUF_INIT;

	for (size_t i = c->names.len; i--;) {
		if (!names[i].known || text.len > CSTRING_MAX) {
			kt_buf_deinit(&text);
			return NULL;
		}
		kt_buf_appendc(&text, '/');
		kt_buf_append(&text, names[i].text.data, names[i].text.len);
	}
	if (!c->names.len)
		kt_buf_appendc(&text, '/');
	if (c->deleted)
		kt_buf_appends(&text, " (deleted)");
	return kt_buf_finish(&text, ret);
}

static struct kt_error *read_names(struct guest *guest, const struct climbs *climbs,
				   struct dpath *paths)
{
	_cleanup_(names_deinit) struct names names = {0};
	const struct gmem memory = guest_memory(guest);
	size_t total = 0, at = 0;
	struct kt_error *err;

	for (size_t i = 0; i < climbs->n; i++)
		total += climbs->all[i].names.len;
	names.all = calloc(total + 1, sizeof(*names.all));
	if (!names.all)
		return kt_error_no_memory();
	for (size_t i = 0; i < climbs->n; i++)
		for (size_t k = 0; k < climbs->all[i].names.len; k++)
			names.all[names.n++].addr = climbs->all[i].names.data[k];
	err = cstrings_read(&memory, names.all, names.n);
	for (size_t i = 0; i < climbs->n && !err; i++) {
		const struct climb *c = &climbs->all[i];

		if (c->over && !c->failed)
			err = path_text(c, names.all + at, &paths[i].text);
		at += c->names.len;
	}
	return err;
}

struct kt_error *dpaths_read(struct guest *guest, struct dpath *paths, size_t n)
{
	_cleanup_(climbs_deinit) struct climbs climbs = {.n = n};
	const struct kfacts *facts = guest_facts(guest);
	struct kt_error *err = NULL;

	if (!view_try(&climbs.dentry, &dentry_type, facts) ||
	    !view_try(&climbs.mount, &mount_type, facts) || !n)
		return NULL;
	climbs.all = calloc(n, sizeof(*climbs.all));
	if (!climbs.all)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		struct climb *c = &climbs.all[i];

		c->over = c->failed = !paths[i].mnt || !paths[i].dentry;
		c->mount = paths[i].mnt - climbs.mount.fields[MOUNT_MNT].member.offset;
		c->dentry = paths[i].dentry;
	}
	for (size_t k = 0; k < MAX_STEPS && !err && !all_over(&climbs); k++)
		err = step(guest, &climbs, k == 0);
	return err ? err : read_names(guest, &climbs, paths);
}
