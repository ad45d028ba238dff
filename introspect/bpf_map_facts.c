// SPDX-License-Identifier: LGPL-2.1-or-later
/* What tells a person which kernel object a value belongs to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_dump_impl.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define HOPS_MAX 3

enum form {
	FORM_NUMBER,
	FORM_TEXT,
	FORM_DEV,  /* a dev_t as "MAJOR:MINOR", as /proc/PID/mountinfo has it */
	FORM_PORT, /* 16 bits in network byte order */
};

struct path {
	enum form form;
	struct {
		const char *type, *member;
	} hops[HOPS_MAX]; /* all but the last are pointers */
};

struct map_owner {
	const char *of;
	const struct map_fact_type *types;
	const struct path *paths;
	size_t n;
};

#define OWNER(word, types_table, paths_table)                                                      \
	{                                                                                          \
		.of = (word), .types = (types_table), .paths = (paths_table),                      \
		.n = sizeof(types_table) / sizeof((types_table)[0])                                \
	}

/* IDs are those of the initial PID namespace. */
static const struct map_fact_type task_types[] = {{"pid", 0, 0}, {"tgid", 0, 0}, {"comm", 1, 0}};
static const struct path task_paths[] = {
	{FORM_NUMBER, {{"task_struct", "pid"}}},
	{FORM_NUMBER, {{"task_struct", "tgid"}}},
	{FORM_TEXT, {{"task_struct", "comm"}}},
};
const struct map_owner map_owner_task = OWNER("task", task_types, task_paths);

static const struct map_fact_type inode_types[] = {{"ino", 0, 0}, {"dev", 1, 0}, {"sb", 1, 0}};
static const struct path inode_paths[] = {
	{FORM_NUMBER, {{"inode", "i_ino"}}},
	{FORM_DEV, {{"inode", "i_sb"}, {"super_block", "s_dev"}}},
	{FORM_TEXT, {{"inode", "i_sb"}, {"super_block", "s_id"}}},
};
const struct map_owner map_owner_inode = OWNER("inode", inode_types, inode_paths);

static const struct map_fact_type cgroup_types[] = {{"id", 0, 0}};
static const struct path cgroup_paths[] = {
	{FORM_NUMBER, {{"cgroup", "kn"}, {"kernfs_node", "id"}}},
};
const struct map_owner map_owner_cgroup = OWNER("cgroup", cgroup_types, cgroup_paths);

/* skc_num is in the CPU's byte order, skc_dport is not (include/net/sock.h). */
static const struct map_fact_type sock_types[] = {
	{"cookie", 0, 0}, {"family", 0, 0}, {"protocol", 0, 0}, {"port", 0, 0}, {"peer_port", 0, 0},
};
static const struct path sock_paths[] = {
	{FORM_NUMBER, {{"sock", "__sk_common.skc_cookie.counter"}}},
	{FORM_NUMBER, {{"sock", "__sk_common.skc_family"}}},
	{FORM_NUMBER, {{"sock", "sk_protocol"}}},
	{FORM_NUMBER, {{"sock", "__sk_common.skc_num"}}},
	{FORM_PORT, {{"sock", "__sk_common.skc_dport"}}},
};
const struct map_owner map_owner_sock = OWNER("socket", sock_types, sock_paths);

static const struct map_owner *const owners[] = {&map_owner_task, &map_owner_inode,
						 &map_owner_cgroup, &map_owner_sock};

bool map_owners_wants(struct wants *wants)
{
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		for (size_t k = 0; k < owners[i]->n; k++)
			for (size_t h = 0; h < HOPS_MAX && owners[i]->paths[k].hops[h].type; h++)
				if (!wants_add(wants, KFACTS_MEMBER,
					       owners[i]->paths[k].hops[h].type,
					       owners[i]->paths[k].hops[h].member, true))
					return false;
	return true;
}

void map_walk_owned(struct map_walk *walk, const struct map_owner *owner)
{
	walk->out->facts_of = owner->of;
	walk->out->fact_types = owner->types;
	walk->out->n_facts = owner->n;
}

static bool has_all(const struct map_walk *walk, const struct path *path)
{
	struct kfacts_member member;

	for (size_t h = 0; h < HOPS_MAX && path->hops[h].type; h++)
		if (!kfacts_member(guest_facts(walk->guest), path->hops[h].type,
				   path->hops[h].member, &member))
			return false;
	return true;
}

/* The text is the last member: an array of char, which may lack its NUL. */
static struct kt_error *read_text(struct map_walk *walk, const char *type, const char *member_path,
				  size_t first, size_t fact, const gaddr_t *from)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kfacts_member member = {0};
	struct kt_error *err;
	size_t len, at = 0;

	kfacts_member(guest_facts(walk->guest), type, member_path, &member);
	len = sizeof(((struct map_fact *)0)->text) - 1;
	len = member.size < len ? member.size : len;
	for (size_t i = first; i < walk->out->n; i++)
		if (from[i - first] && !gmem_batch_add(&batch, from[i - first] + member.offset,
						       map_walk_facts(walk, i)[fact].text, len))
			return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	for (size_t i = first; i < walk->out->n && !err; i++) {
		struct map_fact *ret = &map_walk_facts(walk, i)[fact];

		if (!from[i - first])
			continue;
		ret->known = !gmem_batch_fault(&batch, at, at + 1);
		at++;
	}
	return err;
}

static void put_number(struct map_fact *ret, enum form form, uint64_t number, bool big_endian)
{
	if (form == FORM_DEV) /* MINORBITS is 20 */
		snprintf(ret->text, sizeof(ret->text), "%u:%u", (unsigned int)(number >> 20),
			 (unsigned int)(number & 0xfffff));
	else if (form == FORM_PORT && !big_endian)
		ret->number = (number & 0xff) << 8 | (number >> 8 & 0xff);
	else
		ret->number = number;
}

static struct kt_error *read_fact(struct map_walk *walk, const struct path *path, size_t first,
				  size_t fact, const gaddr_t *objects)
{
	size_t n = walk->out->n - first, h = 0;
	_cleanup_free_ uint64_t *at = calloc(n + 1, sizeof(*at));
	_cleanup_free_ bool *there = calloc(n + 1, sizeof(*there));
	struct kt_error *err = NULL;

	if (!at || !there)
		return kt_error_no_memory();
	memcpy(at, objects, n * sizeof(*at));
	for (; h + 1 < HOPS_MAX && path->hops[h + 1].type && !err; h++)
		err = map_walk_numbers(walk, path->hops[h].type, path->hops[h].member, at, at,
				       there, n);
	if (err)
		return err;
	if (path->form == FORM_TEXT)
		return read_text(walk, path->hops[h].type, path->hops[h].member, first, fact, at);
	err = map_walk_numbers(walk, path->hops[h].type, path->hops[h].member, at, at, there, n);
	for (size_t i = 0; i < n && !err; i++) {
		struct map_fact *ret = &map_walk_facts(walk, first + i)[fact];

		ret->known = there[i];
		if (there[i])
			put_number(ret, path->form, at[i], walk->out->big_endian);
	}
	return err;
}

struct kt_error *map_walk_own(struct map_walk *walk, const struct map_owner *owner, size_t first,
			      const gaddr_t *objects)
{
	struct kt_error *err = NULL;

	for (size_t k = 0; k < owner->n && !err; k++)
		if (has_all(walk, &owner->paths[k]))
			err = read_fact(walk, &owner->paths[k], first, k, objects);
	return err;
}
