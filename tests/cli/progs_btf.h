/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BTF of a kernel that has BPF programs: for a fake_kernel() that the tool is content with. */
#ifndef KT_TESTS_CLI_PROGS_BTF_H
#define KT_TESTS_CLI_PROGS_BTF_H

#include "tests/btf/fake_kernel.h"

/* The members without which no program can be read. */
static inline void progs_btf(struct kt_buf *out)
{
	static const char *const prog[] = {"len", "jited_len", "type", "tag", "gpl_compatible",
					   "aux", "jited"};
	static const char *const aux[] = {"id",           "name", "load_time", "used_maps",
					  "used_map_cnt", "func", "func_cnt"};
	struct btf *btf = btf__new_empty();
	const void *data;
	int u64_, root;
	uint32_t len;

	u64_ = btf__add_int(btf, "long unsigned int", 8, 0);
	root = btf__add_struct(btf, "xarray", 8);
	btf__add_field(btf, "xa_head", u64_, 0, 0);
	btf__add_struct(btf, "idr", 8);
	btf__add_field(btf, "idr_rt", root, 0, 0);
	btf__add_struct(btf, "bpf_prog", 56);
	for (uint32_t i = 0; i < 7; i++)
		btf__add_field(btf, prog[i], u64_, 64 * i, 0);
	btf__add_struct(btf, "bpf_prog_aux", 56);
	for (uint32_t i = 0; i < 7; i++)
		btf__add_field(btf, aux[i], u64_, 64 * i, 0);
	data = btf__raw_data(btf, &len);
	kt_buf_append(out, data, len);
	btf__free(btf);
}

#endif
