// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The types of the guest's kernel, read once. libbpf reads them anew for each object that it loads,
 * which here is each program: under TCG that takes longer than most programs do. The linker gives
 * libbpf these functions in place of its own (--wrap). Of a libbpf whose archive is a single object
 * file, the linker can replace nothing: all works then, and takes longer.
 */
#include <bpf/btf.h>
#include <errno.h>

#include "vm/guest/objects.h"

/* As the linker names them. */
struct btf *__real_btf__load_vmlinux_btf(void);
struct btf *__wrap_btf__load_vmlinux_btf(void);
void __real_btf__free(struct btf *btf);
void __wrap_btf__free(struct btf *btf);

static struct btf *kept;

/* libbpf only reads in it. NULL, and errno is set: this kernel has none, or it cannot be read. */
struct btf *__wrap_btf__load_vmlinux_btf(void)
{
	if (!kept)
		kept = __real_btf__load_vmlinux_btf();
	return kept;
}

void __wrap_btf__free(struct btf *btf)
{
	if (btf != kept)
		__real_btf__free(btf);
}

void kernel_btf_read(void)
{
	int errnum = errno;

	__wrap_btf__load_vmlinux_btf();
	errno = errnum;
}
