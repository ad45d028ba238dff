/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who holds BPF objects: processes that have them open, and files in bpffs that pin them. Plain
 * data: this header needs only the C library.
 */
#ifndef KT_MODEL_HOLDERS_H
#define KT_MODEL_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum held_kind { HELD_PROG, HELD_MAP, HELD_LINK, HELD_BTF, N_HELD_KINDS };

struct held_object {
	enum held_kind kind;
	uint32_t id;
};

/* A descriptor that is open for an object. */
struct held_fd {
	struct held_object of;
	uint32_t pid;  /* of the process, by the initial PID namespace */
	uint32_t fd;   /* in the process, or in a thread of it that has descriptors of its own */
	char comm[16]; /* of the process's first thread, at most 15 characters */
};

/* A file in bpffs. */
struct held_pin {
	struct held_object of;
	char *path;
};

struct holdings {
	struct held_fd *fds; /* by kind, id, pid, fd; none twice */
	size_t n_fds;
	struct held_pin *pins; /* by kind, id, path; none twice */
	size_t n_pins;
	bool fds_known, pins_known;
	size_t n_unread; /* tables of descriptors, and files in bpffs, that could not be read */
};

/* The part that one object has of that; borrowed. Zeros: nobody asked. */
struct held {
	bool fds_known, pins_known;
	const struct held_fd *fds;
	size_t n_fds;
	const struct held_pin *pins;
	size_t n_pins;
};

/* --- not for users of the library --- */

/* Puts both lists into their order, and leaves out what is there twice. */
void holdings_sort(struct holdings *holdings);

struct held holdings_of(const struct holdings *holdings, struct held_object object);

static inline void holdings_deinit(struct holdings *holdings)
{
	for (size_t i = 0; i < holdings->n_pins; i++)
		free(holdings->pins[i].path);
	free(holdings->pins);
	free(holdings->fds);
	*holdings = (struct holdings){0};
}

#endif
