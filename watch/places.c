// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "util/cleanup.h"
#include "watch/places.h"

/* No function of the kernel that is looked into is longer. */
#define FUNCTION_MAX 32768
#define PAGE         4096

static const char *const place_symbols[WATCH_PLACES] = {
	[WATCH_AT_FINALIZE] = "bpf_vlog_finalize",
	[WATCH_AT_PANIC] = "panic",
	[WATCH_AT_INIT] = "bpf_vlog_init",
};

/*
 * The calls whose return has a load's result, the best first. Where bpf_prog_load() is inlined
 * into __sys_bpf(), only bpf_check() is left: then errors of the JIT and of the file table, which
 * come later, are missed.
 */
static const struct {
	const char *callee, *caller;
} results[] = {
	{"bpf_prog_load", "__sys_bpf"},
	{"bpf_check", "bpf_prog_load"},
	{"bpf_check", "__sys_bpf"},
};
#define N_RESULTS (sizeof(results) / sizeof(results[0]))

bool places_wants(struct wants *wants)
{
	for (size_t i = 0; i < WATCH_PLACES; i++)
		if (place_symbols[i] &&
		    !wants_add(wants, KFACTS_SYMBOL, place_symbols[i], NULL, true))
			return false;
	return wants_add(wants, KFACTS_SYMBOL, "bpf_prog_load", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "bpf_check", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "__sys_bpf", NULL, true);
}

/* *got: the bytes up to the first page that is not mapped. */
static struct kt_error *read_code(struct guest *guest, gaddr_t addr, uint8_t *code, size_t len,
				  size_t *got)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	for (size_t at = 0, n; at < len; at += n) {
		n = PAGE - (addr + at) % PAGE;
		if (n > len - at)
			n = len - at;
		if (!gmem_batch_add(&batch, addr + at, code + at, n))
			return kt_error_no_memory();
	}
	err = guest_read(guest, &batch);
	*got = 0;
	for (size_t i = 0; !err && i < batch.reads.len && !batch.reads.data[i].fault; i++)
		*got += batch.reads.data[i].len;
	return err;
}

static struct kt_error *find_return(struct guest *guest, const struct watch_arch *arch,
				    gaddr_t *ret)
{
	_cleanup_free_ uint8_t *code = malloc(FUNCTION_MAX);

	if (!code)
		return kt_error_no_memory();
	for (size_t i = 0; i < N_RESULTS && !*ret; i++) {
		gaddr_t callee, caller;
		struct kt_error *err;
		size_t len;

		if (!guest_symbol(guest, results[i].callee, &callee) ||
		    !guest_symbol(guest, results[i].caller, &caller))
			continue;
		err = read_code(guest, caller, code, FUNCTION_MAX, &len);
		if (err)
			return err;
		*ret = arch->call_return(code, len, caller, callee);
	}
	return NULL;
}

struct kt_error *places_find(struct places *places, struct guest *guest,
			     const struct watch_arch *arch, bool with_init)
{
	uint8_t code[WATCH_CODE_LEN];
	struct kt_error *err;

	places->breakpoint_len = arch->breakpoint_len;
	for (size_t i = 0; i < WATCH_PLACES; i++) {
		gaddr_t addr;
		size_t len;

		if (!place_symbols[i] || !guest_symbol(guest, place_symbols[i], &addr) ||
		    (i == WATCH_AT_INIT && !with_init))
			continue;
		err = read_code(guest, addr, code, sizeof(code), &len);
		if (err)
			return err;
		if (len == sizeof(code))
			places->at[i].addr = addr + arch->landing(code, len);
	}
	err = find_return(guest, arch, &places->at[WATCH_AT_RETURN].addr);
	if (!err && !places->at[WATCH_AT_FINALIZE].addr && !places->at[WATCH_AT_RETURN].addr)
		err = kt_error_new(KT_ERROR_UNSUPPORTED,
				   "this kernel has no function to stop at: neither "
				   "bpf_vlog_finalize() nor a call of bpf_prog_load() is found");
	return err;
}

struct kt_error *places_set(struct places *places, struct rsp_client *client)
{
	for (size_t i = 0; i < WATCH_PLACES; i++) {
		struct kt_error *err;

		if (!places->at[i].addr)
			continue;
		err = rsp_client_breakpoint(client, places->at[i].addr, places->breakpoint_len,
					    true);
		/* Without it, a panic is seen when the guest reboots, or not at all. */
		if (err && i == WATCH_AT_PANIC && kt_error_code(err) == KT_ERROR_UNSUPPORTED) {
			kt_error_destroy(err);
			continue;
		}
		if (err)
			return err;
		places->at[i].set = true;
	}
	return NULL;
}

struct kt_error *places_remove(struct places *places, struct rsp_client *client)
{
	struct kt_error *err = NULL;

	/* A detach removes them too, but not those that an accelerator keeps (QEMU 7.2). */
	for (size_t i = 0; i < WATCH_PLACES && !err; i++) {
		if (!places->at[i].set)
			continue;
		err = rsp_client_breakpoint(client, places->at[i].addr, places->breakpoint_len,
					    false);
		places->at[i].set = false;
	}
	return err;
}

enum watch_place places_which(const struct places *places, gaddr_t pc)
{
	for (enum watch_place i = 0; i < WATCH_PLACES; i++)
		if (places->at[i].set && places->at[i].addr == pc)
			return i;
	return WATCH_NOWHERE;
}
