/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's init: PID 1 of the guest that `collect --kernel` boots. It reads its orders
 * from the initramfs, does them, and tells the host in frames (vm/frame.h) over a virtio port or
 * the second serial port. What it prints goes to the console, the first serial port.
 *
 * It never ends. What it cannot go on without, it says on the console as
 * "ktstr-init: CAUSE", a line that the host looks for, and resets the machine. Lines of what it can
 * go on without begin otherwise, or they would be taken for why a guest died later.
 */
#ifndef KT_VM_GUEST_H
#define KT_VM_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/vec.h"

/* /ktstr/orders: "KEY VALUE" lines; in a value \n is a newline and \\ a backslash. */
struct orders {
	KT_VEC(char *) objects; /* "object": BPF object files, loaded in this order */
	KT_VEC(char *) argv;    /* "arg": the payload's path, then its arguments; NULL-terminated */
	KT_VEC(char *) env;     /* "env": NAME=VALUE for the payload; NULL-terminated */
	const char *tty;        /* "tty": the serial port for frames; NULL: there is none */
	const char *cwd;        /* "cwd": the payload's working directory; NULL: / */
	KT_VEC(char *) modules; /* "module": kernel modules, loaded in this order */
	bool scheduler;         /* "scheduler": the payload is one, see run_scheduler() */
	unsigned attach_ms;     /* how long it may take to attach, when it does not load programs */
	unsigned workload_ms;   /* how long the workload may take to make progress */
	unsigned settle_ms;     /* how long nothing may be loaded before all is */
	unsigned max_ms;        /* how long the payload gets to load its programs */
};

/* The console's last word. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Reaps whatever child has ended, as PID 1 must; -1: none. */
int reap(int *wait_status);

/* The first bytes of a small file as a string, cut to size; false: there are none. */
bool read_small(const char *path, char *text, size_t size);

/* The virtio port, or else that serial one; NULL: there is none. */
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

/*
 * Starts the payload in a session of its own; it reads nothing, and pipes[0] and [1] get the
 * descriptors that its stdout and stderr can be read from.
 */
pid_t spawn(const struct orders *orders, int pipes[2]);

/*
 * Runs a scheduler: until it has attached (process alive, sched_ext enabled), through a workload,
 * until the host has read the guest, to its end. Then powers off.
 */
_Noreturn void run_scheduler(const struct orders *orders);

/* Two streams on their way into one log; see relay.c. */
struct relay_stream {
	int fd; /* -1: it has ended */
	struct kt_buf held;
	int64_t since_ns; /* when what is held began to be held, or was last sent */
};

struct relay {
	struct relay_stream streams[2];
	int open; /* whose line the log is in the middle of; -1: nobody's */
};

void relay_init(struct relay *relay, int out, int err); /* takes the descriptors */
bool relay_closed(const struct relay *relay);

/* Waits for output, at most so long, and sends it. False: nothing came. */
bool relay_pump(struct relay *relay, int timeout_ms);

/* Sends all that is left, and closes both. */
void relay_finish(struct relay *relay);

#define WORKERS_MAX 64

struct workload {
	pid_t pids[WORKERS_MAX];
	size_t n;
	int64_t began_ns;
	/* As of the last look: */
	size_t moved;        /* workers that were on a CPU again and again */
	unsigned long turns; /* how often, of all */
	int error;           /* errno: the kernel does not let them be SCHED_EXT; 0: it does */
};

/* Zeroed at first. Does not wait for anything. */
void workload_start(struct workload *workload);
void workload_look(struct workload *workload);
bool workload_is_worker(const struct workload *workload, pid_t pid);
void workload_stop(struct workload *workload);

/* Zeroed at first. */
struct load_watch {
	int64_t window_ns;
	long long ticks;
	bool busy;
};

/* Somebody but init is in bpf(2), as far as can be seen. To be asked again and again. */
bool load_in_progress(struct load_watch *watch);

#endif
