/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleanup attributes for locals: a function releases what it acquired on every way out. */
#ifndef KT_UTIL_CLEANUP_H
#define KT_UTIL_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void kt_freep(void *p)
{
	free(*(void **)p);
}

static inline void kt_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void kt_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_   _cleanup_(kt_freep)
#define _cleanup_close_  _cleanup_(kt_closep)
#define _cleanup_fclose_ _cleanup_(kt_fclosep)
#define _cleanup_error_  _cleanup_(kt_error_destroyp)

/* Hands a local's value to a new owner: its cleanup then has nothing to do. */
#define kt_take_ptr(p)                                                                             \
	({                                                                                         \
		__auto_type taken_ = (p);                                                          \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

static inline int kt_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
