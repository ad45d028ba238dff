/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plain data of gdbrsp/client.h. */
#ifndef KT_GDBRSP_TYPES_H
#define KT_GDBRSP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/gaddr.h"

struct rsp_client;

/* NULL for the defaults: 5 s, no cancel_fd, resume, no trace. */
struct rsp_options {
	int64_t timeout_ms; /* for each step: connecting, the handshake, each batch; 0: 5000 */
	int cancel_fd;      /* readable means: give up, KT_ERROR_CANCELLED; -1: none */
	bool leave_stopped; /* do not resume the guest on detach or destroy */
	FILE *trace;        /* each packet as a line, "> " sent or "< " received; NULL: none */
	size_t heap_bytes;  /* got before the guest stops, for what is read; see util/heap.h */
};

/* What a connection cost, for --timing and the tests. */
struct rsp_stats {
	int64_t connected_ns; /* when connect(2) came, in kt_now_ns() time */
	int64_t pause_ns;     /* from there to the reply of the detach, or to now */
	/*
	 * The part of it until the stub's first word: QEMU's main loop came to accept(2), and
	 * stopped the vCPUs. The guest was running for most of that.
	 */
	int64_t greeting_ns;
	uint64_t requests, bytes_read, round_trips;
};

/* A vCPU, as the stub names it (multiprocess form, "p01.01"). */
struct rsp_thread {
	char id[32];
};

struct rsp_stop {
	int signal;                      /* 5: a breakpoint or a step; 2: stopped from outside */
	const struct rsp_thread *thread; /* who, one of rsp_client_threads(); NULL: not told */
	bool is_write;                   /* a watchpoint: something was written, */
	gaddr_t written;                 /* there */
};

/* A register to change, by its name in the target XML. */
struct rsp_write {
	const char *name;
	uint64_t value;
};

enum rsp_space {
	RSP_VIRTUAL,  /* through the page table of the selected vCPU */
	RSP_PHYSICAL, /* Qqemu.PhyMemMode:1; no error where there is no memory */
};

struct rsp_read {
	gaddr_t addr;
	size_t len; /* bytes; any size, split by the stub's PacketSize */
	void *buf;
	bool fault; /* set by the read: (part of) it does not translate; buf is undefined then */
};

#endif
