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

/* What failing_find() has to know. */
static const char *const callees[] = {
	"bpf_prog_new_fd",       "anon_inode_getfd",    "__bpf_prog_put_noref",
	"bpf_token_get_from_fd", "bpf_get_btf_vmlinux", "__stack_chk_fail",
};

bool places_wants(struct wants *wants)
{
	for (size_t i = 0; i < WATCH_PLACES; i++)
		if (place_symbols[i] &&
		    !wants_add(wants, KFACTS_SYMBOL, place_symbols[i], NULL, true))
			return false;
	for (size_t i = 0; i < sizeof(callees) / sizeof(callees[0]); i++)
		if (!wants_add(wants, KFACTS_SYMBOL, callees[i], NULL, true))
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

static gaddr_t symbol(struct guest *guest, const char *name)
{
	gaddr_t addr;

	return guest_symbol(guest, name, &addr) ? addr : 0;
}

static void take_failing(struct places *places, const struct failing *failing)
{
	for (size_t i = 0; i < failing->n_programs; i++)
		places->at[WATCH_AT_PROGRAM + i].addr = failing->programs[i];
	for (size_t i = 0; i < failing->n_exits; i++)
		places->at[WATCH_AT_EXIT + i].addr = failing->exits[i];
	places->at[WATCH_AT_TOKEN].addr = failing->token;
	places->only_failing = true;
}

/* Without a proof that only they are stopped at, and all of them, there are no such places. */
static struct kt_error *find_failing(struct places *places, struct guest *guest,
				     const struct watch_arch *arch)
{
	const struct failing_callees known = {
		.new_fd = {symbol(guest, "bpf_prog_new_fd"), symbol(guest, "anon_inode_getfd")},
		.put = symbol(guest, "__bpf_prog_put_noref"),
		.token = symbol(guest, "bpf_token_get_from_fd"),
		.kernel_btf = symbol(guest, "bpf_get_btf_vmlinux"),
		.no_return = symbol(guest, "__stack_chk_fail"),
	};
	_cleanup_free_ uint8_t *code = malloc(FUNCTION_MAX);
	gaddr_t load = symbol(guest, "bpf_prog_load");
	struct failing failing;
	struct kt_error *err;
	size_t len;

	if (!code)
		return kt_error_no_memory();
	if (!load || !places->at[WATCH_AT_RETURN].addr)
		return NULL;
	err = read_code(guest, load, code, FUNCTION_MAX, &len);
	if (!err)
		err = failing_find(arch, code, len, load, &known, &failing);
	if (!err)
		take_failing(places, &failing);
	if (!err || kt_error_code(err) != KT_ERROR_UNSUPPORTED)
		return err;
	kt_error_destroy(err);
	return NULL;
}

/* The function's first instruction worth a breakpoint. One that is not there is no error. */
static struct kt_error *find_function(struct places *places, struct guest *guest,
				      const struct watch_arch *arch, enum watch_place place)
{
	uint8_t code[WATCH_CODE_LEN];
	struct kt_error *err;
	gaddr_t addr;
	size_t len;

	if (!place_symbols[place] || !guest_symbol(guest, place_symbols[place], &addr))
		return NULL;
	err = read_code(guest, addr, code, sizeof(code), &len);
	if (!err && len == sizeof(code))
		places->at[place].addr = addr + arch->landing(code, len);
	return err;
}

struct kt_error *places_find_panic(struct places *places, struct guest *guest,
				   const struct watch_arch *arch)
{
	places->breakpoint_len = arch->breakpoint_len;
	places->lender = WATCH_NOWHERE;
	return find_function(places, guest, arch, WATCH_AT_PANIC);
}

struct kt_error *places_find(struct places *places, struct guest *guest,
			     const struct watch_arch *arch, bool with_init, bool only_failing)
{
	struct kt_error *err = NULL;

	places->breakpoint_len = arch->breakpoint_len;
	places->lender = WATCH_NOWHERE;
	for (enum watch_place i = 0; !err && i < WATCH_PLACES; i++)
		if (i != WATCH_AT_INIT || with_init)
			err = find_function(places, guest, arch, i);
	if (!err)
		err = find_return(guest, arch, &places->at[WATCH_AT_RETURN].addr);
	if (!err && only_failing)
		err = find_failing(places, guest, arch);
	if (!err && !places->at[WATCH_AT_FINALIZE].addr && !places->at[WATCH_AT_RETURN].addr)
		err = kt_error_new(KT_ERROR_UNSUPPORTED,
				   "this kernel has no function to stop at: neither "
				   "bpf_vlog_finalize() nor a call of bpf_prog_load() is found");
	return err;
}

static struct kt_error *set(struct places *places, struct rsp_client *client,
			    enum watch_place place, bool on)
{
	struct kt_error *err = rsp_client_breakpoint(client, places->at[place].addr,
						     places->breakpoint_len, on);

	if (!err || !on)
		places->at[place].set = on;
	return err;
}

/* Without these, a panic is seen when the guest reboots, or not at all; and a bad token is not. */
static bool is_optional(enum watch_place place)
{
	return place == WATCH_AT_PANIC || place == WATCH_AT_TOKEN;
}

/* Whether a breakpoint stays at this place for the whole watch. */
static bool is_lasting(const struct places *places, enum watch_place place)
{
	if (!places->at[place].addr)
		return false;
	if (place == WATCH_AT_PANIC)
		return true;
	return (place >= WATCH_AT_PROGRAM) == places->only_failing;
}

static struct kt_error *set_all(struct places *places, struct rsp_client *client)
{
	/* What is optional comes last, as it takes what is left. */
	for (size_t pass = 0; pass < 2; pass++)
		for (enum watch_place i = 0; i < WATCH_PLACES; i++) {
			struct kt_error *err;

			if (!is_lasting(places, i) || is_optional(i) != (pass == 1))
				continue;
			err = set(places, client, i, true);
			if (err && is_optional(i) && kt_error_code(err) == KT_ERROR_UNSUPPORTED) {
				kt_error_destroy(err);
				continue;
			}
			if (err)
				return err;
		}
	return NULL;
}

struct kt_error *places_set(struct places *places, struct rsp_client *client)
{
	struct kt_error *err = set_all(places, client), *remove_err;

	if (!err || !places->only_failing || kt_error_code(err) != KT_ERROR_UNSUPPORTED)
		return err;
	remove_err = places_remove(places, client);
	places->only_failing = false;
	if (remove_err)
		return kt_error_join(err, remove_err);
	kt_error_destroy(err);
	return set_all(places, client);
}

struct kt_error *places_remove(struct places *places, struct rsp_client *client)
{
	struct kt_error *err = NULL;

	/* A detach removes them too, but not those that an accelerator keeps (QEMU 7.2). */
	for (enum watch_place i = 0; i < WATCH_PLACES && !err; i++)
		if (places->at[i].set)
			err = set(places, client, i, false);
	return err;
}

/* Whose breakpoint the return gets: that of who misses it least. WATCH_NOWHERE: nobody has one. */
static enum watch_place find_lender(const struct places *places)
{
	static const enum watch_place lenders[] = {WATCH_AT_PANIC, WATCH_AT_TOKEN, WATCH_AT_EXIT};

	for (size_t i = 0; i < sizeof(lenders) / sizeof(lenders[0]); i++)
		if (places->at[lenders[i]].set)
			return lenders[i];
	return WATCH_NOWHERE;
}

static struct kt_error *await_return(struct places *places, struct rsp_client *client)
{
	struct kt_error *err = set(places, client, WATCH_AT_RETURN, true);
	enum watch_place lender = find_lender(places);

	if (!err || kt_error_code(err) != KT_ERROR_UNSUPPORTED || lender == WATCH_NOWHERE)
		return err;
	kt_error_destroy(err);
	err = set(places, client, lender, false);
	if (err)
		return err;
	places->lender = lender;
	return set(places, client, WATCH_AT_RETURN, true);
}

struct kt_error *places_await_return(struct places *places, struct rsp_client *client, bool await)
{
	enum watch_place lender = places->lender;
	struct kt_error *err;

	if (!places->only_failing || places->at[WATCH_AT_RETURN].set == await)
		return NULL;
	if (await)
		return await_return(places, client);
	err = set(places, client, WATCH_AT_RETURN, false);
	if (err || lender == WATCH_NOWHERE)
		return err;
	places->lender = WATCH_NOWHERE;
	return set(places, client, lender, true);
}

bool places_lacks_exit(const struct places *places)
{
	return places->lender == WATCH_AT_EXIT;
}

enum watch_place places_which(const struct places *places, gaddr_t pc)
{
	for (enum watch_place i = 0; i < WATCH_PLACES; i++) {
		if (!places->at[i].set || places->at[i].addr != pc)
			continue;
		if (i >= WATCH_AT_PROGRAM && i < WATCH_AT_EXIT)
			return WATCH_AT_PROGRAM;
		return i >= WATCH_AT_EXIT && i < WATCH_AT_TOKEN ? WATCH_AT_EXIT : i;
	}
	return WATCH_NOWHERE;
}
