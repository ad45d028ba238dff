// SPDX-License-Identifier: LGPL-2.1-or-later
/* A place for programs that probe a program of user space: this one. */
#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "vm/guest/attach_to.h"

#define ATTACH_UPROBES 48 /* BPF_TRACE_UPROBE_MULTI, Linux 6.6 */

#define SELF  "/proc/self/exe"
#define PLACE "a function of the guest's init"

/* Is probed. It has external linkage: so no compiler makes a copy of it for its one call. */
int attach_probed(int value);
__attribute__((noinline)) int attach_probed(int value)
{
	__asm__ volatile("" : "+r"(value));
	return value + 1;
}

bool attach_is_of_user_space(const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);

	return !strncmp(section, "uprobe", 6) || !strncmp(section, "uretprobe", 9) ||
	       !strncmp(section, "usdt", 4) ||
	       (int)bpf_program__expected_attach_type(prog) == ATTACH_UPROBES;
}

/* Where attach_probed() is in the file of this program: by its segments. 0: nowhere. */
static size_t file_offset(void)
{
	const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR); /* NOLINT: it is one */
	unsigned long n = getauxval(AT_PHNUM);
	uintptr_t at = (uintptr_t)attach_probed, base = 0;

	for (unsigned long i = 0; ph && i < n; i++)
		if (ph[i].p_type == PT_PHDR)
			base = (uintptr_t)ph - ph[i].p_vaddr;
	for (unsigned long i = 0; ph && i < n; i++)
		if (ph[i].p_type == PT_LOAD && at - base >= ph[i].p_vaddr &&
		    at - base - ph[i].p_vaddr < ph[i].p_filesz)
			return at - base - ph[i].p_vaddr + ph[i].p_offset;
	return 0;
}

static struct bpf_link *attach_one(struct bpf_program *prog, size_t offset, bool at_return)
{
	DECLARE_LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = at_return);

	return bpf_program__attach_uprobe_opts(prog, 0, SELF, offset, &opts);
}

#if HAS_LIBBPF_1(3)
static struct bpf_link *attach_many(struct bpf_program *prog, size_t offset, bool at_return)
{
	const unsigned long offsets[] = {offset};
	DECLARE_LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = offsets, .cnt = 1,
			    .retprobe = at_return);

	return bpf_program__attach_uprobe_multi(prog, 0, SELF, NULL, &opts);
}
#else
#define attach_many attach_one /* its sections are no program type of libbpf yet */
#endif

void attach_uprobe(struct bpf_program *prog, struct attach_result *ret)
{
	const char *section = bpf_program__section_name(prog);
	bool at_return = !strncmp(section, "uretprobe", 9);
	size_t offset = file_offset();
	struct bpf_link *link;

	if (!strncmp(section, "usdt", 4) || strstr(section, "probe.session") || !offset) {
		attach_say(ret, KT_ATTACH_NO_PLACE, "the guest has no program with such a probe");
		return;
	}
	if ((int)bpf_program__expected_attach_type(prog) == ATTACH_UPROBES)
		link = attach_many(prog, offset, at_return);
	else
		link = attach_one(prog, offset, at_return);
	if (link)
		attach_probed((int)offset);
	attach_take_link(link, at_return ? "the end of " PLACE : PLACE, ret);
}
