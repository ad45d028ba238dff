// SPDX-License-Identifier: LGPL-2.1-or-later
#include <bpf/libbpf.h>
#include <errno.h>

#include "object/types.h"

static int ignore(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

struct kt_error *object_types_read(const char *path, struct btf **ret)
{
	libbpf_print_fn_t print = libbpf_set_print(ignore);
	struct btf *btf = btf__parse_elf(path, NULL);
	int error = errno;

	libbpf_set_print(print);
	if (btf) {
		*ret = btf;
		return NULL;
	}
	if (error == ENOMEM)
		return kt_error_no_memory();
	return kt_error_hint(kt_error_new(KT_ERROR_FORMAT,
					  "it has no types (BTF) that can be read"),
			     "clang -g -target bpf gives it them");
}
