// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "memory/fiber.h"

/* The address sanitizer has to be told of other stacks (sanitizer/common_interface_defs.h). */
#if defined(__SANITIZE_ADDRESS__)
#define TELL_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TELL_SANITIZER 1
#endif
#endif

#ifdef TELL_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

/* Walkers keep what is large on the heap. Pages that are not touched cost nothing. */
#define STACK_SIZE (1u << 20)
/* Below the stack, so that one that is too small ends the process and nothing else. */
#define GUARD_SIZE (64u << 10) /* a page, on any machine */

struct fiber {
	void (*run)(void *arg);
	void *arg;
	uint8_t *mapping; /* the guard, then the stack */
	ucontext_t inside, outside;
	bool ended;
	/* For the sanitizer. */
	void *fake_inside, *fake_outside;
	const void *outer_stack;
	size_t outer_size;
};

static void leaving(struct fiber *fiber)
{
#ifdef TELL_SANITIZER
	__sanitizer_start_switch_fiber(fiber->ended ? NULL : &fiber->fake_inside,
				       fiber->outer_stack, fiber->outer_size);
#else
	(void)fiber;
#endif
}

static void arrived(struct fiber *fiber)
{
#ifdef TELL_SANITIZER
	__sanitizer_finish_switch_fiber(fiber->fake_inside, &fiber->outer_stack,
					&fiber->outer_size);
#else
	(void)fiber;
#endif
}

/* makecontext(3) passes numbers of the size of an int. */
static void begin(unsigned int high, unsigned int low)
{
	struct fiber *fiber = (struct fiber *)(uintptr_t)((uint64_t)high << 32 | low);

	arrived(fiber);
	fiber->run(fiber->arg);
	fiber->ended = true;
	leaving(fiber);
}

static bool prepare(struct fiber *fiber)
{
	uint64_t address = (uintptr_t)fiber;

	if (getcontext(&fiber->inside))
		return false;
	fiber->inside.uc_stack.ss_sp = fiber->mapping + GUARD_SIZE;
	fiber->inside.uc_stack.ss_size = STACK_SIZE;
	fiber->inside.uc_link = &fiber->outside;
	makecontext(&fiber->inside, (void (*)(void))begin, 2, (unsigned int)(address >> 32),
		    (unsigned int)address);
	return true;
}

struct fiber *fiber_create(void (*run)(void *arg), void *arg)
{
	struct fiber *fiber = calloc(1, sizeof(*fiber));

	if (!fiber)
		return NULL;
	fiber->run = run;
	fiber->arg = arg;
	fiber->mapping = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (fiber->mapping == MAP_FAILED) {
		free(fiber);
		return NULL;
	}
	if (mprotect(fiber->mapping, GUARD_SIZE, PROT_NONE) || !prepare(fiber)) {
		fiber_destroy(fiber);
		return NULL;
	}
	return fiber;
}

void fiber_destroy(struct fiber *fiber)
{
	if (!fiber)
		return;
	munmap(fiber->mapping, GUARD_SIZE + STACK_SIZE);
	free(fiber);
}

bool fiber_enter(struct fiber *fiber)
{
#ifdef TELL_SANITIZER
	__sanitizer_start_switch_fiber(&fiber->fake_outside, fiber->mapping + GUARD_SIZE,
				       STACK_SIZE);
#endif
	swapcontext(&fiber->outside, &fiber->inside);
#ifdef TELL_SANITIZER
	__sanitizer_finish_switch_fiber(fiber->fake_outside, NULL, NULL);
#endif
	return fiber->ended;
}

void fiber_leave(struct fiber *fiber)
{
	leaving(fiber);
	swapcontext(&fiber->inside, &fiber->outside);
	arrived(fiber);
}
