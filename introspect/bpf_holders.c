// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_holders_impl.h"
#include "introspect/bpf_ids.h"
#include "introspect/open_files.h"
#include "util/cleanup.h"

/* What tells that a file is an object's: its operations. */
static const char *const operations[] = {
	"bpf_prog_fops", "bpf_map_fops", "bpf_link_fops", "bpf_link_fops_poll", "btf_fops",
};
#define N_OPERATIONS (sizeof(operations) / sizeof(operations[0]))
static const enum held_kind kinds[N_OPERATIONS] = {HELD_PROG, HELD_MAP, HELD_LINK,
						   HELD_LINK /* since 6.11 */, HELD_BTF};

bool bpf_holders_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_OPERATIONS; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, operations[i], NULL, true))
			return false;
	return bpf_ids_wants(wants) && open_files_wants(wants) && bpf_holders_pins_wants(wants);
}

struct kt_error *bpf_holders_check(const struct kfacts *facts)
{
	return open_files_check(facts);
}

/* What has no ID by now is in no list, and is left out. */
static struct kt_error *take(const struct bpf_ids *ids, const struct open_files *fds,
			     struct found_pins *pins, struct holdings *out)
{
	out->fds = calloc(fds->v.len + 1, sizeof(*out->fds));
	out->pins = calloc(pins->v.len + 1, sizeof(*out->pins));
	if (!out->fds || !out->pins)
		return kt_error_no_memory();
	kt_vec_for_each (&fds->v, file) {
		struct held_fd fd = {
			.of.kind = kinds[file->kind], .pid = file->pid, .fd = file->fd};

		memcpy(fd.comm, file->comm, sizeof(fd.comm));
		if (bpf_ids_find(ids, fd.of.kind, file->private_data, &fd.of.id) && fd.of.id)
			out->fds[out->n_fds++] = fd;
	}
	kt_vec_for_each (&pins->v, found) {
		struct held_pin pin = found->pin;

		if (!bpf_ids_find(ids, pin.of.kind, found->object, &pin.of.id) || !pin.of.id)
			continue;
		out->pins[out->n_pins++] = pin;
		found->pin.path = NULL;
	}
	out->fds_known = true;
	out->pins_known = pins->known;
	out->n_unread = fds->n_unread + pins->n_unread;
	holdings_sort(out);
	return NULL;
}

static void found_pins_deinit(struct found_pins *found)
{
	kt_vec_for_each (&found->v, pin)
		free(pin->pin.path);
	kt_vec_free(&found->v);
}

/* Files and pins are read at once, and what events lead to as soon as files are. */
struct search {
	struct guest *guest;
	struct bpf_perf *perf; /* NULL: nobody asks for it; the caller's */
	struct open_files_want wants[2];
	struct open_files fds;
	struct found_pins pins;
};

static struct kt_error *read_fds(void *arg)
{
	struct search *search = arg;

	struct kt_error *err = open_files_read(search->guest, search->wants, search->perf ? 2 : 1);

	return err || !search->perf ? err : bpf_perf_follow(search->perf, search->guest);
}

static struct kt_error *read_pins(void *arg)
{
	struct search *search = arg;

	return bpf_holders_pins_read(search->guest, &search->pins);
}

static void search_deinit(struct search *search)
{
	open_files_deinit(&search->fds);
	found_pins_deinit(&search->pins);
}

static struct kt_error *read_into(struct guest *guest, struct bpf_perf **perf_ret,
				  struct holdings *ret)
{
	_cleanup_(bpf_ids_deinit) struct bpf_ids ids = {0};
	_cleanup_(search_deinit) struct search search = {.guest = guest};
	_cleanup_(holdings_deinit) struct holdings out = {0};
	const struct guest_walk walks[] = {{read_fds, &search}, {read_pins, &search}};
	struct kt_error *err = NULL;

	search.wants[0] = (struct open_files_want){operations, N_OPERATIONS, &search.fds};
	if (perf_ret) {
		err = bpf_perf_begin(perf_ret, &search.wants[1]);
		search.perf = *perf_ret;
	}
	if (!err)
		err = guest_together(guest, walks, sizeof(walks) / sizeof(walks[0]));
	if (err)
		return err;
	kt_vec_for_each (&search.fds.v, file)
		if (!bpf_ids_add(&ids, kinds[file->kind], file->private_data))
			return kt_error_no_memory();
	kt_vec_for_each (&search.pins.v, found)
		if (!bpf_ids_add(&ids, found->pin.of.kind, found->object))
			return kt_error_no_memory();
	err = bpf_ids_read(&ids, guest);
	if (!err)
		err = take(&ids, &search.fds, &search.pins, &out);
	if (err)
		return err;
	*ret = out;
	out = (struct holdings){0};
	return NULL;
}

struct kt_error *bpf_holders_read(struct guest *guest, struct holdings *ret)
{
	return read_into(guest, NULL, ret);
}

struct kt_error *bpf_holders_read_with_perf(struct guest *guest, struct holdings *ret,
					    struct bpf_perf **perf_ret)
{
	*perf_ret = NULL;
	return read_into(guest, perf_ret, ret);
}
