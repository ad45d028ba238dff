// SPDX-License-Identifier: LGPL-2.1-or-later
#include "watch/identity.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/cursor.h"

/* How often to check, if nothing else stops the guest. */
#define CHECK_INTERVAL_NS INT64_C(2000000000)

bool identity_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_SYMBOL, "jiffies_64", NULL, true);
}

/* *jiffies_ret: 0 where they are not known. */
static struct kt_error *read_jiffies(struct guest *guest, uint64_t *jiffies_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;
	uint8_t value[8];
	gaddr_t addr;

	*jiffies_ret = 0;
	if (!guest_symbol(guest, "jiffies_64", &addr))
		return NULL;
	if (!gmem_batch_add(&batch, addr, value, sizeof(value)))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && !batch.reads.data[0].fault)
		*jiffies_ret = kt_load_uint(value, sizeof(value),
					    kfacts_kernel(guest_facts(guest))->big_endian);
	return err;
}

struct kt_error *identity_init(struct identity *identity, const struct source *source,
			       const struct kfacts *facts, const int64_t *hint, struct guest **ret)
{
	struct guest *guest;
	struct kt_error *err = guest_create(source, facts, hint, &guest);
	uint64_t jiffies;

	if (err)
		return err;
	err = read_jiffies(guest, &jiffies);
	if (err) {
		guest_destroy(guest);
		return err;
	}
	*identity = (struct identity){
		.facts = facts,
		.kaslr_offset = guest_kaslr_offset(guest),
		.jiffies = jiffies,
		.next_check_ns = kt_now_ns() + CHECK_INTERVAL_NS,
	};
	*ret = guest;
	return NULL;
}

/* These errors say that the kernel is not there, others that it cannot be looked for. */
static bool is_gone(const struct kt_error *err)
{
	return kt_error_code(err) == KT_ERROR_NOT_READY ||
	       kt_error_code(err) == KT_ERROR_MISMATCH || kt_error_code(err) == KT_ERROR_FAULT;
}

struct kt_error *identity_check(struct identity *identity, const struct source *source,
				struct guest **ret, const char **why_ret)
{
	struct guest *guest;
	struct kt_error *err = guest_create(source, identity->facts, &identity->kaslr_offset,
					    &guest);
	uint64_t jiffies;

	identity->next_check_ns = kt_now_ns() + CHECK_INTERVAL_NS;
	if (err && is_gone(err)) {
		kt_error_destroy(err);
		*why_ret = "the guest rebooted: the kernel that was watched is gone";
		return NULL;
	}
	if (err)
		return err;
	err = read_jiffies(guest, &jiffies);
	if (err) {
		guest_destroy(guest);
		return err;
	}
	*why_ret = guest_kaslr_offset(guest) != identity->kaslr_offset ||
				   jiffies < identity->jiffies
			   ? "the guest rebooted: it runs the same kernel anew"
			   : NULL;
	identity->jiffies = jiffies;
	if (*why_ret)
		guest_destroy(guest);
	else
		*ret = guest;
	return NULL;
}
