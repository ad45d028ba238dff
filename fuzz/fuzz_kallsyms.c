// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as read-only data: the first byte chooses pointer size, byte order and address. */
#include <stddef.h>
#include <stdint.h>

#include "btf/kallsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kallsyms_range range;
	struct kallsyms_iter it;
	struct kt_error *err;
	struct kallsyms k;

	if (!size)
		return 0;
	range = (struct kallsyms_range){
		.data = kt_cursor(data + 1, size - 1, data[0] & 1),
		.addr = 0xffffffff82000000ull + (data[0] & 4),
		.pointer_size = data[0] & 2 ? 4 : 8,
	};
	err = kallsyms_find(&range, &k);
	if (!err) {
		for (kallsyms_iter_init(&it, &k); kallsyms_next(&it);)
			if (it.name[it.name_len] || it.name_len > KALLSYMS_NAME_MAX)
				__builtin_trap();
	}
	kt_error_destroy(err);
	return 0;
}
