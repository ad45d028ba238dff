// SPDX-License-Identifier: LGPL-2.1-or-later
#include "memory/arch.h"

void arch_space_cut(struct arch_space *space, unsigned int page_shift, unsigned int bits_each,
		    unsigned int addr_bits)
{
	unsigned int shift = page_shift;

	space->levels = 0;
	while (shift < addr_bits && space->levels < ARCH_MAX_LEVELS) {
		unsigned int left = addr_bits - shift;

		space->level[space->levels++] = (struct arch_level){
			.shift = (uint8_t)shift,
			.bits = (uint8_t)(left < bits_each ? left : bits_each),
		};
		shift += bits_each;
	}
}

gaddr_t arch_space_complete(const struct arch_space *space, gaddr_t addr)
{
	unsigned int bits = arch_space_bits(space);
	uint64_t rest = bits < 64 ? ~UINT64_C(0) << bits : 0;

	switch (space->form) {
	case ARCH_FORM_SIGNED: return addr >> (bits - 1) & 1 ? addr | rest : addr & ~rest;
	case ARCH_FORM_HIGH: return addr | rest;
	case ARCH_FORM_FIXED: return (addr & ~rest) | (space->fixed & rest);
	case ARCH_FORM_LOW: break;
	}
	return addr & ~rest;
}

bool arch_space_has(const struct arch_space *space, gaddr_t addr)
{
	return space->levels && ((addr ^ arch_space_complete(space, addr)) << space->tag_bits) == 0;
}

bool arch_space_linear(const struct arch_space *space, gaddr_t addr, gaddr_t *physical_ret)
{
	*physical_ret = addr - space->linear;
	return *physical_ret < space->linear_len;
}
