/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A GDB stub that follows a script, in a thread, on the other end of a socketpair.
 *
 * A script is a list of steps. The stub does what the steps say, in order, and closes at
 * the end. A request that is not the one in the script is a failure, which stub_join() tells.
 */
#ifndef KT_TESTS_STUB_H
#define KT_TESTS_STUB_H

#include <stdbool.h>
#include <stddef.h>

/* Most steps need one or two members; the others are 0 in a script that says nothing of them. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum stub_op {
	STUB_END,
	STUB_EXPECT,      /* the next packet has this payload */
	STUB_EXPECT_ANY,  /* the next packet may be anything */
	STUB_RESYNC,      /* raw "#00#00$#00" comes, as it does at the start of each handshake */
	STUB_INTERRUPTED, /* the byte 0x03 comes */
	STUB_REPLY,       /* send "+" and this payload as a packet */
	STUB_HUGE,        /* send "+" and a packet of n times the text */
	STUB_RAW,         /* send these bytes */
	STUB_DRIP,        /* send these bytes, one at a time, n ms apart */
	STUB_SLEEP,       /* n ms */
	STUB_DRAIN,       /* read, and send nothing, until the client hangs up */
	STUB_MEMORY,      /* answer n "m" requests in a row: each byte is its address & 0xff */
	STUB_SERVE, /* answer requests with serve(), until that gives NULL: the next step is then */
	STUB_WAIT,  /* for stub_go() */
	STUB_QUIET, /* nothing has come: the client waits for a reply before it says more */
	STUB_CLOSE, /* hang up */
};

struct stub_step {
	enum stub_op op;
	const char *text;
	int n;
	const char *(*serve)(const char *request);
};

/* The handshake of QEMU 7.2 with two vCPUs; PacketSize=1000. */
#define STUB_HELLO_SIZE(size)                                                                      \
	{STUB_RESYNC, NULL, 0}, {STUB_RAW, "+$#00", 0},                                            \
		{STUB_EXPECT, "qSupported:multiprocess+", 0},                                      \
		{STUB_REPLY, "PacketSize=" size ";qXfer:features:read+;multiprocess+", 0},         \
		{STUB_EXPECT, "?", 0}, {STUB_REPLY, "T05thread:p01.01;", 0},                       \
		{STUB_EXPECT, "Qqemu.PhyMemMode:0", 0}, {STUB_REPLY, "OK", 0}, STUB_THREADS

#define STUB_THREADS                                                                               \
	{STUB_EXPECT, "qfThreadInfo", 0}, {STUB_REPLY, "mp01.01", 0},                              \
		{STUB_EXPECT, "qsThreadInfo", 0}, {STUB_REPLY, "mp01.02", 0},                      \
		{STUB_EXPECT, "qsThreadInfo", 0}, {STUB_REPLY, "l", 0},                            \
		{STUB_EXPECT, "qsThreadInfo", 0}, {STUB_REPLY, "l", 0},                            \
		{STUB_EXPECT, "qsThreadInfo", 0},                                                  \
	{                                                                                          \
		STUB_REPLY, "l", 0                                                                 \
	}

/* The guest was running: no version is asked for. */
#define STUB_HELLO {STUB_RAW, "$T02thread:01;#04", 0}, STUB_HELLO_SIZE("1000")

#define STUB_BYE                                                                                   \
	{STUB_EXPECT, "D;01", 0},                                                                  \
	{                                                                                          \
		STUB_REPLY, "OK", 0                                                                \
	}

/* Makes QEMU fetch a vCPU's registers, ahead of the first `p` or `P` of a stop. */
#define STUB_FETCH(id)                                                                             \
	{STUB_EXPECT, "qThreadExtraInfo," id},                                                     \
	{                                                                                          \
		STUB_REPLY, "4350552330"                                                           \
	}

struct stub;

/* Starts; *fd_ret is the client's end, which the caller owns. send_buf 0: the system's. */
struct stub *stub_start(const struct stub_step *script, int send_buf, int *fd_ret);

/* Lets a stub go on that is at a STUB_WAIT, or comes to one. */
void stub_go(struct stub *stub);

/* Waits for the end, frees. NULL: all went as scripted. Else the step that did not; static. */
const char *stub_join(struct stub *stub);

#endif
