// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as a kernel file: unified images, decompression, ELF, notes, symbols, BTF. */
#include <stddef.h>
#include <stdint.h>

#include "btf/kernel_file.h"
#include "btf/symbols.h"
#include "btf/types.h"
#include "image/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_types(struct image *image)
{
	static const struct kfacts_want wants[] = {
		{KFACTS_MEMBER, "bpf_prog", "aux", true},
		{KFACTS_MEMBER, "bpf_prog", "jited", true},
		{KFACTS_MEMBER, "bpf_prog", "digest", true},
		{KFACTS_MEMBER, "outer", "in.b", true},
		{KFACTS_SIZE, "bpf_prog", NULL, true},
		{KFACTS_ENUM, "bpf_prog_type", NULL, true},
		{KFACTS_HELD, "timekeeper", "timekeeper", true},
	};
	struct kfacts_answer answers[sizeof(wants) / sizeof(*wants)] = {0};
	struct types *types = NULL;
	struct image_section btf;
	struct kt_error *err;

	if (!image_section(image, ".BTF", &btf) || !btf.data)
		return;
	err = types_from_btf(btf.data, (size_t)btf.size, image_pointer_size(image), &types);
	if (!err)
		err = types_resolve(types, wants, sizeof(wants) / sizeof(*wants), answers);
	kt_error_destroy(err);
	types_destroy(types);
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++)
		kfacts_answer_deinit(&answers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image *image = NULL;
	struct kt_error *err = kernel_file_open(data, size, &image);
	struct symbols syms;
	struct image_uki uki;
	uint8_t id[64];

	if (image_uki(data, size, &uki) &&
	    (uki.kernel < data || uki.kernel_len > size - (size_t)(uki.kernel - data)))
		__builtin_trap();
	if (err) {
		kt_error_destroy(err);
		return 0;
	}
	image_build_id(image, id, sizeof(id));
	if (symbols_init(&syms, 2)) {
		symbols_want(&syms, "prog_idr");
		kt_error_destroy(symbols_load(&syms, image));
		symbols_deinit(&syms);
	}
	ask_types(image);
	image_close(image);
	return 0;
}
