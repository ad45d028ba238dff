/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Monotonic time and deadlines. Every wait in this tool has one. */
#ifndef KT_UTIL_CLOCK_H
#define KT_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
static inline int64_t kt_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The moment, in kt_now_ns() time, that is ms milliseconds from now. */
static inline int64_t kt_deadline_ms(int64_t ms)
{
	return kt_now_ns() + ms * 1000000;
}

/* Milliseconds left until the deadline, rounded up, 0 when it has passed: poll(2)'s timeout. */
static inline int kt_deadline_left_ms(int64_t deadline_ns)
{
	int64_t left = deadline_ns - kt_now_ns();

	if (left <= 0)
		return 0;
	left = (left + 999999) / 1000000;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

#endif
