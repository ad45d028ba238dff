/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The open files of all processes of a stopped guest, as far as they are of some kind: a kind is
 * known by its file_operations.
 */
#ifndef KT_INTROSPECT_OPEN_FILES_H
#define KT_INTROSPECT_OPEN_FILES_H

#include "memory/guest.h"
#include "util/vec.h"

/* A descriptor. */
struct open_file {
	unsigned int kind;    /* the index of its operations, as they were asked for */
	gaddr_t private_data; /* what the file is of */
	uint32_t pid;         /* of the process, by the initial PID namespace */
	uint32_t fd;   /* in the process, or in a thread of it that has descriptors of its own */
	char comm[16]; /* of the process's first thread, at most 15 characters */
};

struct open_files {
	/* In no order; one that several threads share may be there several times. */
	KT_VEC(struct open_file) v;
	size_t n_unread; /* tables of descriptors that could not be read whole */
};

bool open_files_wants(struct wants *wants);

/* KT_ERROR_NOT_FOUND: nothing tells where the guest's processes are. */
struct kt_error *open_files_check(const struct kfacts *facts);

/* Somebody who asks: operations are the symbols of n file_operations, of which a kernel may lack
 * some.
 */
struct open_files_want {
	const char *const *operations;
	size_t n;
	struct open_files *ret;
};

/*
 * Walks the files once for all who ask. A fixed number of round trips. Each *ret, zeroed before, is
 * for open_files_deinit() after an error, too.
 */
struct kt_error *open_files_read(struct guest *guest, const struct open_files_want *wants,
				 size_t n);
void open_files_deinit(struct open_files *files);

#endif
