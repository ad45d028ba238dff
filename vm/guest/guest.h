/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's init: PID 1 of the guest that `collect --kernel` boots. It reads its orders
 * from the initramfs, does them, and tells the host in frames (vm/frame.h) over a virtio port or
 * the second serial port. What it prints goes to the console, the first serial port.
 *
 * It never ends. What it cannot go on without, it says on the console as
 * "ktstr-init: CAUSE", a line that the host looks for, and resets the machine.
 */
#ifndef KT_VM_GUEST_H
#define KT_VM_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/vec.h"

/* /ktstr/orders: "KEY VALUE" lines; in a value \n is a newline and \\ a backslash. */
struct orders {
	KT_VEC(char *) objects; /* "object": BPF object files, loaded in this order */
	KT_VEC(char *) argv;    /* "arg": the payload's path, then its arguments; NULL-terminated */
	KT_VEC(char *) env;     /* "env": NAME=VALUE for the payload; NULL-terminated */
	const char *cwd;        /* "cwd": the payload's working directory; NULL: / */
	unsigned settle_ms;     /* how long the number of programs has to stay the same */
	unsigned max_ms;        /* how long the payload gets to load its programs */
};

/* The console's last word. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Reaps whatever child has ended, as PID 1 must; -1: none. */
int reap(int *wait_status);

/* The first bytes of a small file as a string, cut to size; false: there are none. */
bool read_small(const char *path, char *text, size_t size);

/* The virtio port, or else that serial one. */
void channel_open(const char *tty);
void channel_send(uint32_t type, const void *payload, size_t len);
void channel_lifecycle(uint8_t phase, const char *reason);
void channel_send_number(uint32_t type, int32_t value); /* a payload of an int32 */

/* Readable when the host has sent something. */
int channel_poll_fd(void);

/* A command (enum kt_command) that has come, without waiting. False: none. */
bool channel_command(uint8_t *ret);

/* Loads every program of every object on its own and holds what the verifier passed. */
void load_objects(const struct orders *orders);

/* Runs the payload; returns when it has ended and all was said. */
void run_payload(const struct orders *orders);

/* Zeroed at first. */
struct load_watch {
	int64_t window_ns;
	long long ticks;
	bool busy;
};

/* Somebody but init is in bpf(2), as far as can be seen. To be asked again and again. */
bool load_in_progress(struct load_watch *watch);

#endif
