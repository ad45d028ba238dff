// SPDX-License-Identifier: LGPL-2.1-or-later
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "btf/btf_checked.h"
#include "util/buf.h"

static void append(void *context, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void append(void *context, const char *format, va_list args)
{
	kt_buf_vprintf(context, format, args);
}

/*
 * As bpftool has it: types are read with CO-RE relocations, and a function's program does not want
 * the definitions of its header again.
 */
static const char head[] = "#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n\n"
			   "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
			   "#pragma clang attribute push (__attribute__((preserve_access_index)), "
			   "apply_to = record)\n#endif\n\n";
static const char tail[] = "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
			   "#pragma clang attribute pop\n#endif\n\n"
			   "#endif /* __VMLINUX_H__ */\n";

/* The types of btf alone, without those of its base. */
static int dump_types(const struct btf *btf, struct btf_dump *dump)
{
	const struct btf *base = btf__base_btf(btf);
	uint32_t first = base ? btf__type_cnt(base) : 1;
	int rc = 0;

	for (uint32_t id = first; id < btf__type_cnt(btf) && !rc; id++)
		rc = btf_dump__dump_type(dump, id);
	return rc;
}

struct kt_error *btf_as_c(const struct btf *btf, char **ret)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct kt_buf out = KT_BUF_INIT;
	struct btf_dump *dump = btf_dump__new(btf, append, &out, NULL);
	int rc = dump ? 0 : -errno;

	kt_buf_appends(&out, head);
	if (!rc)
		rc = dump_types(btf, dump);
	kt_buf_appends(&out, tail);
	btf_dump__free(dump);
	libbpf_set_print(print);
	if (rc) {
		kt_buf_deinit(&out);
		return rc == -ENOMEM ? kt_error_no_memory()
				     : kt_error_os(-rc, "these types cannot be written as C");
	}
	return kt_buf_finish(&out, ret);
}
