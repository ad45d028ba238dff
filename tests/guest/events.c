// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * events KERNEL OBJECT...: boots the kernel as the tool does, and prints what its init says of each
 * program: "program NAME ERRNO ID", then "ready" once all are held. Nothing reads the guest's
 * memory, so that it shows what vm/ does for an architecture alone. Exit status: 0 ready; 1 not.
 */
#include <stdio.h>

#include "util/clock.h"
#include "vm/modules.h"
#include "vm/vm.h"

#define TIMEOUT_MS 120000

static int fail(struct kt_error *err)
{
	fprintf(stderr, "events: %s\n", kt_error_message(err));
	kt_error_destroy(err);
	return 1;
}

static int follow(struct vm *vm)
{
	int64_t deadline_ns = kt_deadline_ms(TIMEOUT_MS);
	struct vm_event event;
	struct kt_error *err;

	while (!(err = vm_next_event(vm, deadline_ns, &event))) {
		switch (event.type) {
		case VM_EVENT_PROGRAM:
			printf("program %s %d %u\n", event.program.name, event.program.error,
			       event.program.id);
			break;
		case VM_EVENT_READY: printf("ready\n"); return 0;
		case VM_EVENT_GUEST_DIED:
		case VM_EVENT_QEMU_EXITED: fprintf(stderr, "events: %s\n", event.text); return 1;
		default: break;
		}
	}
	return fail(err);
}

int main(int argc, char **argv)
{
	struct vm_config config = {.kernel = argc > 2 ? argv[1] : NULL,
				   .accel = "tcg",
				   .qemu = getenv("EVENTS_QEMU"),
				   .cancel_fd = -1};
	struct vm_load load = {.objects = (const char *const *)argv + 2,
			       .num_objects = argc > 2 ? (size_t)argc - 2 : 0};
	struct kt_error *err;
	struct vm *vm;
	char *modules;
	int status;

	if (!config.kernel)
		return 2;
	load.modules_dir = modules = vm_modules_dir(config.kernel, NULL);
	err = vm_start(&config, &load, &vm);
	free(modules);
	if (err)
		return fail(err);
	status = follow(vm);
	vm_destroy(vm);
	return status;
}
