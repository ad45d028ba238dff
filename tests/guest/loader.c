// SPDX-License-Identifier: LGPL-2.1-or-later
/* loader [STATUS]: a user's loader, as small as they come, with OBJECT inside. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* clang-format off */
__asm__(".section .rodata\n"
	"object: .incbin \"" OBJECT "\"\n"
	"object_end:\n"
	".previous\n");
/* clang-format on */

extern const char object[], object_end[];

int main(int argc, char **argv)
{
	struct bpf_object *obj;

	if (argc > 1)
		return atoi(argv[1]);
	obj = bpf_object__open_mem(object, (size_t)(object_end - object), NULL);
	if (!obj || bpf_object__load(obj))
		return 1;
	printf("loaded\n");
	fflush(stdout);
	fprintf(stderr, "and a word on stderr\n");
	for (;;)
		pause();
}
