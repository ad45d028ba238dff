/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A GDB stub that answers as QEMU does, except for one reply, which it spoils in one of many ways.
 * It runs in a thread, on the other end of a socketpair. After the spoiled reply it goes on as QEMU
 * would, as far as possible.
 *
 * Memory at ADDR is the byte ADDR & 0xff; the registers' values are LIAR_RIP and so on.
 */
#ifndef KT_TESTS_LIAR_H
#define KT_TESTS_LIAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIAR_RIP  UINT64_C(0xffffffff81234567)
#define LIAR_CR0  UINT64_C(0x80050033)
#define LIAR_CR3  UINT64_C(0x1234000)
#define LIAR_EFER UINT64_C(0xd01)

/* The well-formed description of these four registers. */
extern const char liar_target_xml[], liar_registers_xml[];

struct liar_way {
	const char *name;
	bool fatal;  /* no client can take this for a reply to any request */
	bool slowly; /* a client needs its deadline, and more for the detach */
};

extern const struct liar_way liar_ways[];
extern const size_t liar_n_ways;

/* A description to serve: the piece of document NAME at offset, "mTEXT", "lTEXT" or "E00". */
typedef void liar_describe_fn(void *arg, const char *name, size_t offset, size_t len, char *reply,
			      size_t *reply_len);
/* Room for a reply: PacketSize is 0x1000. */
#define LIAR_REPLY_MAX 0x1000

struct liar;

/*
 * Starts; *fd_ret is the client's end, which the caller owns. Reply number `at`, from 0, is
 * spoiled in way liar_ways[way]; way >= liar_n_ways: none is. describe NULL: the good one.
 */
struct liar *liar_start(size_t way, size_t at, liar_describe_fn *describe, void *arg, int *fd_ret);

/* Waits until the client has hung up, frees. Returns how many replies there were. */
size_t liar_join(struct liar *liar);

#endif
