// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "introspect/scx.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* The longest name that the kernel takes, without its NUL: SCX_OPS_NAME_LEN - 1. */
#define NAME_MAX_LEN (sizeof(((struct scx_state *)0)->ops) - 1)

static const struct view_field sched_fields[] = {{.path = "ops.name", .max = NAME_MAX_LEN}};
static const struct view_type sched_type = VIEW_TYPE("scx_sched", sched_fields); /* since 6.16 */

static const struct view_field ops_fields[] = {{.path = "name", .max = NAME_MAX_LEN}};
static const struct view_type ops_type = VIEW_TYPE("sched_ext_ops", ops_fields);

/* New names first: renamed in 6.16, and the enumerators from SCX_OPS_ENABLED to SCX_ENABLED. */
static const char *const state_symbols[] = {"scx_enable_state_var", "scx_ops_enable_state_var"};
static const char *const state_enums[] = {"scx_enable_state", "scx_ops_enable_state"};

#define N_NAMES 2

bool scx_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, state_symbols[i], NULL, true) ||
		    !wants_add(wants, KFACTS_ENUM, state_enums[i], NULL, true))
			return false;
	return wants_add(wants, KFACTS_SYMBOL, "scx_root", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "scx_ops", NULL, true) &&
	       view_wants(&sched_type, wants) && view_wants(&ops_type, wants);
}

bool scx_supported(const struct kfacts *facts)
{
	struct kfacts_member member;
	gaddr_t addr;

	for (size_t i = 0; i < N_NAMES; i++)
		if (kfacts_symbol(facts, state_symbols[i], &addr))
			return true;
	/* Where kallsyms leaves out data, the type still tells. */
	return kfacts_member(facts, ops_type.name, ops_fields[0].path, &member);
}

struct walk {
	struct guest *guest;
	struct gmem_batch batch;
	struct view view; /* of what holds the name */
	uint8_t state[4]; /* an atomic_t */
	uint8_t root[8];  /* a pointer */
	uint8_t name[NAME_MAX_LEN];
};

static void walk_deinit(struct walk *walk)
{
	gmem_batch_deinit(&walk->batch);
}

/* Adds the read of the state: piece 0. False in *known_ret: this kernel has none. */
static struct kt_error *state_begin(struct walk *walk, bool *known_ret)
{
	gaddr_t addr;

	*known_ret = guest_symbol(walk->guest, state_symbols[0], &addr) ||
		     guest_symbol(walk->guest, state_symbols[1], &addr);
	if (*known_ret && !gmem_batch_add(&walk->batch, addr, walk->state, sizeof(walk->state)))
		return kt_error_no_memory();
	return NULL;
}

/* Adds the read of the pointer to the scheduler, or up to 6.15 of the name itself. */
static struct kt_error *name_begin(struct walk *walk, bool *direct_ret)
{
	const struct kfacts *facts = guest_facts(walk->guest);
	bool ok = true;
	gaddr_t addr;

	*direct_ret = false;
	if (guest_symbol(walk->guest, "scx_root", &addr) &&
	    view_try(&walk->view, &sched_type, facts)) {
		ok = gmem_batch_add(&walk->batch, addr, walk->root, sizeof(walk->root));
	} else if (guest_symbol(walk->guest, "scx_ops", &addr) &&
		   view_try(&walk->view, &ops_type, facts)) {
		*direct_ret = true;
		ok = view_read(&walk->view, &walk->batch, addr, walk->name);
	}
	return ok ? NULL : kt_error_no_memory();
}

/* Reads the name through the pointer, which is piece `first` if name_begin() added it. */
static struct kt_error *name_follow(struct walk *walk, size_t first, bool *known)
{
	bool big_endian = kfacts_kernel(guest_facts(walk->guest))->big_endian;
	gaddr_t addr = kt_load_uint(walk->root, sizeof(walk->root), big_endian);
	struct kt_error *err;

	*known = false;
	if (first == walk->batch.reads.len || walk->batch.reads.data[first].fault || !addr)
		return NULL;
	walk->batch.reads.len = 0;
	if (!view_read(&walk->view, &walk->batch, addr, walk->name))
		return kt_error_no_memory();
	err = guest_read(walk->guest, &walk->batch);
	*known = !err && !gmem_batch_fault(&walk->batch, 0, walk->batch.reads.len);
	return err;
}

/* "SCX_ENABLED" or "SCX_OPS_ENABLED" to "enabled", which is what sysfs says. */
static void state_name(const struct walk *walk, struct scx_state *out)
{
	const struct kfacts *facts = guest_facts(walk->guest);
	bool big_endian = kfacts_kernel(facts)->big_endian;
	int32_t value = (int32_t)kt_load_uint(walk->state, sizeof(walk->state), big_endian);
	const char *name = kfacts_enum_name(facts, state_enums[0], value);

	if (!name)
		name = kfacts_enum_name(facts, state_enums[1], value);
	if (!name || strncmp(name, "SCX_", 4)) {
		out->is_number = true;
		snprintf(out->state, sizeof(out->state), "%d", value);
		return;
	}
	name += strncmp(name, "SCX_OPS_", 8) ? 4 : 8;
	for (size_t i = 0; name[i] && i < sizeof(out->state) - 1; i++)
		out->state[i] = (char)tolower((unsigned char)name[i]);
}

static void ops_name(const struct walk *walk, struct scx_state *out)
{
	size_t len = 0;
	const char *name = view_bytes(&walk->view, walk->name, 0, &len);

	if (name)
		memcpy(out->ops, name, strnlen(name, len));
}

struct kt_error *scx_read(struct guest *guest, struct scx_state *ret)
{
	_cleanup_(walk_deinit) struct walk walk = {.guest = guest};
	struct scx_state out = {0};
	struct kt_error *err;
	bool direct, named;
	size_t first;

	err = state_begin(&walk, &out.known);
	first = walk.batch.reads.len;
	if (!err)
		err = name_begin(&walk, &direct);
	if (!err && walk.batch.reads.len)
		err = guest_read(guest, &walk.batch);
	if (err)
		return err;
	out.known = out.known && !walk.batch.reads.data[0].fault;
	if (direct)
		named = !gmem_batch_fault(&walk.batch, first, walk.batch.reads.len);
	else
		err = name_follow(&walk, first, &named);
	if (err)
		return err;
	if (out.known)
		state_name(&walk, &out);
	/* A scheduler that was detached stays in memory as long as somebody holds it. */
	if (named && strcmp(out.state, "disabled"))
		ops_name(&walk, &out);
	*ret = out;
	return NULL;
}
