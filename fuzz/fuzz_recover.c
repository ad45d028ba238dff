// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a kernel's read-only data: the first byte chooses pointer size, byte order and
 * whether it is in one range or two. What is found goes through the record, and as far as that
 * is read again.
 */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "btf/facts.h"
#include "btf/record.h"
#include "btf/vmcoreinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void record(const struct recovered *kernel)
{
	static const struct kfacts_want wants[] = {
		{KFACTS_SYMBOL, "prog_idr", NULL, true},
		{KFACTS_MEMBER, "bpf_prog", "aux", true},
	};
	const struct record_place place = {.text = kernel->text, .kaslr_offset = 0x200000};
	struct record_path path;
	const struct kfacts_sources sources = {.image = path.s};
	struct kfacts *facts = NULL;
	struct kt_error *err;
	int fd;

	err = record_write(kernel, &place, &fd);
	if (!err) {
		path = record_path(fd);
		err = kfacts_load(&sources, wants, 2, NULL, &facts, NULL);
		close(fd);
	}
	kt_error_destroy(err);
	kfacts_destroy(facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recover_memory memory = {.n = 1};
	struct recover_range ranges[2];
	struct recovered kernel;
	struct kt_error *err;
	bool known;
	int64_t offset;
	gaddr_t addr;
	size_t cut;

	if (!size)
		return 0;
	cut = (size - 1) / 2 & ~(size_t)3;
	memory.big_endian = data[0] & 1;
	memory.pointer_size = data[0] & 2 ? 4 : 8;
	memory.machine = memory.pointer_size == 8 ? EM_X86_64 : EM_386;
	memory.ranges = ranges;
	/* The address that the tests use: the seeds are their memory. */
	addr = memory.pointer_size == 8 ? 0xffffffff82000000ull : 0xc2000000ull;
	ranges[0] = (struct recover_range){data + 1, size - 1, addr};
	if (data[0] & 4) {
		memory.n = 2;
		ranges[0].len = cut;
		ranges[1] = (struct recover_range){data + 1 + cut, size - 1 - cut,
						   addr + 0x1000000};
	}
	if (data[0] & 8)
		memory.unrelocated_base = 0xffffffff81000000ull;
	err = recover_find(&memory, &kernel);
	if (!err) {
		if (!kernel.banner || !kernel.release || strpbrk(kernel.banner, "\n\033"))
			__builtin_trap();
		kt_error_destroy(vmcoreinfo_check((const char *)data + 1, size - 1, &kernel,
						  &offset, &known));
		record(&kernel);
		recovered_deinit(&kernel);
	}
	kt_error_destroy(err);
	return 0;
}
