/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's init: PID 1 of the guest that `collect --kernel` boots. It reads its orders
 * from the initramfs, does them, and tells the host in frames (vm/frame.h) over a virtio port or
 * the second serial port. What it prints goes to the console, the first serial port.
 *
 * Without /ktstr/orders it first waits for the rest of the initramfs, which the host sends. A guest
 * that waits can be kept as a snapshot, and be given other work each time that it is restored.
 *
 * It never ends. After a fatal error it prints "ktstr-init: CAUSE" on the console, a line that the
 * host looks for, and resets the machine. Other errors begin with "ktstr-init (goes on): ", so that
 * the host does not take them for the reason if the guest dies later.
 */
#ifndef KT_VM_GUEST_H
#define KT_VM_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/vec.h"

/* /ktstr/base, then /ktstr/orders: "KEY VALUE" lines; in a value \n is a newline and \\ a
 * backslash. */
struct orders {
	KT_VEC(char *) objects;         /* "object": BPF object files, loaded in this order */
	KT_VEC(char *) name_globs;      /* "name", "type": only programs that match one of each; */
	KT_VEC(char *) types;           /* none: all */
	KT_VEC(char *) sleepable_globs; /* "sleepable": those are loaded as BPF_F_SLEEPABLE */
	KT_VEC(char *) sets;            /* "set": OBJECT SECTION OFFSET HEX, bytes of a variable */
	bool attach;                    /* "attach": programs are attached and run once, too */
	unsigned log_level;             /* "log_level": of each load; statistics always come */
	KT_VEC(char *) argv;    /* "arg": the payload's path, then its arguments; NULL-terminated */
	KT_VEC(char *) env;     /* "env": NAME=VALUE for the payload; NULL-terminated */
	const char *tty;        /* "tty": the serial port for frames; NULL: there is none */
	const char *cwd;        /* "cwd": the payload's working directory; NULL: / */
	KT_VEC(char *) modules; /* "module": kernel modules, loaded in this order */
	bool scheduler;         /* "scheduler": the payload is one, see run_scheduler() */
	unsigned
		attach_ms; /* how long it may take to attach; time in the verifier is not counted */
	const char *workload; /* "workload": a name of vm/workload.h; NULL: "mixed" */
	/* "workload_arg", "workload_env": a command in its place; both NULL-terminated. */
	KT_VEC(char *) command, command_env;
	unsigned workload_ms; /* how long the workload may take to make progress */
	unsigned settle_ms;   /* how long nothing may be loaded before all is */
	unsigned max_ms;      /* how long the payload gets to load a first program, or begin to */
	unsigned loading_ms;  /* and to load all of them */
};

/* Prints a fatal error on the console and resets the machine. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Reaps any child that has ended, as PID 1 must; -1: none has. */
int reap(int *wait_status);

/* Reads a small file into a string, cut to size; false: it is empty, or cannot be read. */
bool read_small(const char *path, char *text, size_t size);

/* Opens the virtio port, or else the serial port tty (NULL: there is none). */
void channel_open(const char *tty);
void channel_send(uint32_t type, const void *payload, size_t len);
void channel_lifecycle(uint8_t phase, const char *reason);
void channel_send_number(uint32_t type, int32_t value); /* a payload of an int32 */

/* Readable when the host has sent something. */
int channel_poll_fd(void);

/* The next frame from the host, which is waited for; its payload is good until the next call. */
struct kt_frame;
void channel_receive(struct kt_frame *ret);

/* Says that it waits, gets the host's work, sets the clock, stirs the entropy, unpacks the work. */
void wait_for_work(void);

/*
 * Unpacks an archive (cpio, "newc") of directories and regular files below the directory root, ""
 * for /. False: it is damaged, or could not be written; *why says which.
 */
bool unpack(const void *data, size_t len, const char *root, const char **why);

/* A command (enum kt_command), without waiting. False: none has come. */
bool channel_command(uint8_t *ret);

/* Loads every program of every object on its own, and holds those that the verifier accepts. */
void load_objects(const struct orders *orders);

/* Runs the payload; returns when it has ended and the host has been told all. */
void run_payload(const struct orders *orders);

/*
 * Starts the payload in a session of its own, with /dev/null as stdin. Its stdout and stderr can be
 * read from pipes[0] and pipes[1].
 */
pid_t spawn(const struct orders *orders, int pipes[2]);

/*
 * Runs a scheduler: waits until it has attached (process alive, sched_ext enabled), runs a
 * workload, waits until the host has read the guest, stops the scheduler, and powers off.
 */
_Noreturn void run_scheduler(const struct orders *orders);

/* Merges two streams into one log; see relay.c. */
struct relay_stream {
	int fd; /* -1: it has ended */
	struct kt_buf held;
	int64_t since_ns; /* when the oldest held byte came, or bytes were last sent */
};

struct relay {
	struct relay_stream streams[2];
	int open; /* the stream whose line the log is in the middle of; -1: none */
};

void relay_init(struct relay *relay, int out, int err); /* takes the descriptors */
bool relay_closed(const struct relay *relay);

/* Waits for output, timeout_ms at most, and sends it. False: none came. */
bool relay_pump(struct relay *relay, int timeout_ms);

/* Sends all that is left, and closes both. */
void relay_finish(struct relay *relay);

#define WORKERS_MAX 64

#define PROBES_MAX 64

struct workload_kind;

struct workload {
	const struct workload_kind *kind; /* NULL: a command */
	bool command;
	pid_t pids[WORKERS_MAX]; /* a command's is the only one */
	size_t n;
	pid_t probes[PROBES_MAX];
	size_t n_probes;
	int64_t began_ns;
	bool ended; /* the command has, with this wait status */
	int status;
	/* As workload_look() found it: */
	size_t tasks, moved; /* all; those that were on a CPU several times */
	unsigned long turns; /* how often they were on a CPU, in sum */
	int error;           /* errno: the kernel refused something; 0: it did not */
	const char *failed;  /* what that was, "be SCHED_EXT" */
	unsigned withheld;   /* percent of the time in which the host did not run the CPUs */
};

/* Zeroed at first. Does not wait for anything. */
void workload_start(struct workload *workload, const struct orders *orders);
void workload_look(struct workload *workload);
void workload_stop(struct workload *workload);

/* Whether a process that lives is one of the workload's, or a child of one. */
bool workload_owns(const struct workload *workload, pid_t pid);

/* Init has reaped that process; false: it was none of the workload's. */
bool workload_reaped(struct workload *workload, pid_t pid, int status);

/* Makes this task one of SCHED_EXT; false, with errno: the kernel refuses. */
bool workload_be_ext(void);

/* Starts the command. */
pid_t workload_command(const struct orders *orders);

/* Sets tasks, moved and turns: a task that sleeps, or had turns_min turns, has moved. */
void workload_command_look(struct workload *workload, unsigned long turns_min);

/* Zeroed at first. */
struct load_watch {
	int64_t window_ns;
	long long ticks;
	bool busy;
};

/* Whether a process other than init is in bpf(2), as far as can be seen. Call it often. */
bool load_in_progress(struct load_watch *watch);

#endif
