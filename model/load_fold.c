// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/load_fold.h"

/* More than libbpf ever loads before its "libbpf_nametest"; a process that has more held has none.
 */
#define HELD_MAX 256

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct load_fold_process process_of(const struct bpf_load *load)
{
	struct load_fold_process ret = {.pid = load->pid};

	memcpy(ret.comm, load->comm, sizeof(ret.comm));
	return ret;
}

static bool is_same(const struct load_fold_process *a, const struct load_fold_process *b)
{
	return a->pid == b->pid && strcmp(a->comm, b->comm) == 0;
}

static bool uses_libbpf(const struct load_fold *fold, const struct load_fold_process *by)
{
	for (size_t i = 0; i < N_OF(fold->users) && i < fold->n_users; i++)
		if (is_same(&fold->users[i], by))
			return true;
	return false;
}

static bool put(struct load_fold *fold, struct bpf_load *load, enum bpf_load_role role)
{
	load->role = role;
	if (!kt_vec_push(&fold->ready, *load))
		return false;
	*load = (struct bpf_load){0};
	return true;
}

/* Lets those go that are held: of the process `by`, or if that is NULL, all until until_ns. */
static bool release(struct load_fold *fold, const struct load_fold_process *by, int64_t until_ns,
		    enum bpf_load_role role)
{
	size_t kept = 0;
	bool ok = true;

	for (size_t i = 0; i < fold->held.len; i++) {
		struct bpf_load *load = &fold->held.data[i];
		struct load_fold_process its = process_of(load);
		bool goes = by ? is_same(by, &its) : load->at_ns <= until_ns;

		ok = ok && (!goes || put(fold, load, role));
		if (!goes || !ok)
			fold->held.data[kept++] = *load;
	}
	fold->held.len = kept;
	return ok;
}

/* The failure of this process that the load repeats; NULL: none. */
static struct load_fold_failure *find_failure(struct load_fold *fold,
					      const struct load_fold_process *by)
{
	for (size_t i = 0; i < N_OF(fold->failures) && i < fold->n_failures; i++)
		if (is_same(&fold->failures[i].by, by))
			return &fold->failures[i];
	return NULL;
}

#define ENOSPC_VALUE 28 /* of the guest's, which is x86-64's */

/*
 * libbpf_prepare_prog_load(), bpf_object_load_prog(): the first try has no log; when it fails, the
 * next has one, and those after that a larger buffer, as long as it is ENOSPC.
 */
static bool is_retry(const struct load_fold_failure *failure, const struct bpf_load *load)
{
	return failure && bpf_load_failed(load) && load->log_level.value &&
	       strcmp(failure->name, load->name) == 0 && load->type &&
	       strncmp(failure->type, load->type, sizeof(failure->type) - 1) == 0 &&
	       (load->error.value == failure->error || load->error.value == ENOSPC_VALUE) &&
	       load->verified_insns.value == failure->insns;
}

static void remember_failure(struct load_fold *fold, const struct load_fold_process *by,
			     const struct bpf_load *load)
{
	struct load_fold_failure *at = find_failure(fold, by);

	if (!bpf_load_failed(load) || !load->log_level.known || load->log_level.value ||
	    !load->type) {
		if (at)
			*at = (struct load_fold_failure){0};
		return;
	}
	if (!at)
		at = &fold->failures[fold->n_failures++ % N_OF(fold->failures)];
	*at = (struct load_fold_failure){
		.by = *by, .error = load->error.value, .insns = load->verified_insns.value};
	memcpy(at->name, load->name, sizeof(at->name));
	strncpy(at->type, load->type, sizeof(at->type) - 1);
}

struct kt_error *load_fold_add(struct load_fold *fold, struct bpf_load *load)
{
	struct load_fold_process by = process_of(load);
	enum bpf_load_role role = BPF_LOAD_ORDINARY;
	bool ok;

	if (!load->by_known)
		return put(fold, load, role) ? NULL : kt_error_no_memory();
	if (load->probe == BPF_LOAD_MAYBE_PROBE && !uses_libbpf(fold, &by)) {
		ok = fold->held.len < HELD_MAX || release(fold, NULL, INT64_MAX, BPF_LOAD_ORDINARY);
		ok = ok && kt_vec_push(&fold->held, *load);
		if (ok)
			*load = (struct bpf_load){0};
		return ok ? NULL : kt_error_no_memory();
	}
	if (load->probe == BPF_LOAD_IS_PROBE && !uses_libbpf(fold, &by))
		fold->users[fold->n_users++ % N_OF(fold->users)] = by;
	if (load->probe != BPF_LOAD_NO_PROBE)
		role = BPF_LOAD_PROBE;
	else if (is_retry(find_failure(fold, &by), load))
		role = BPF_LOAD_RETRY;
	else
		remember_failure(fold, &by, load);
	ok = release(fold, &by, 0, role == BPF_LOAD_PROBE ? role : BPF_LOAD_ORDINARY);
	return ok && put(fold, load, role) ? NULL : kt_error_no_memory();
}

bool load_fold_next(struct load_fold *fold, struct bpf_load *ret)
{
	if (!fold->ready.len)
		return false;
	*ret = fold->ready.data[0];
	fold->ready.len--;
	memmove(fold->ready.data, fold->ready.data + 1,
		fold->ready.len * sizeof(*fold->ready.data));
	return true;
}

int64_t load_fold_due_ns(const struct load_fold *fold)
{
	int64_t due = INT64_MAX;

	kt_vec_for_each (&fold->held, load)
		if (load->at_ns < due - LOAD_FOLD_HOLD_NS)
			due = load->at_ns + LOAD_FOLD_HOLD_NS;
	return due;
}

struct kt_error *load_fold_let_go(struct load_fold *fold, int64_t now_ns)
{
	int64_t until = now_ns == INT64_MAX ? now_ns : now_ns - LOAD_FOLD_HOLD_NS;

	return release(fold, NULL, until, BPF_LOAD_ORDINARY) ? NULL : kt_error_no_memory();
}

void load_fold_deinit(struct load_fold *fold)
{
	kt_vec_for_each (&fold->held, load)
		bpf_load_deinit(load);
	kt_vec_for_each (&fold->ready, load)
		bpf_load_deinit(load);
	kt_vec_free(&fold->held);
	kt_vec_free(&fold->ready);
}
