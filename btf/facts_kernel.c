// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "btf/facts_kernel.h"
#include "btf/record.h"

#define BANNER_START "Linux version "
/* A banner is one line of the log, which has room for less than this. */
#define BANNER_MAX 2048

/* As `uname -m` has it. */
static const char *arch_name(uint16_t machine, unsigned int pointer_size, bool big_endian)
{
	static const struct {
		uint16_t machine;
		unsigned int pointer_size;
		const char *name;
	} archs[] = {
		{EM_X86_64, 8, "x86_64"}, {EM_AARCH64, 8, "aarch64"}, {EM_386, 4, "i386"},
		{EM_ARM, 4, "arm"},       {EM_RISCV, 8, "riscv64"},   {EM_RISCV, 4, "riscv32"},
		{EM_S390, 8, "s390x"},    {EM_PPC64, 8, "ppc64"},     {258, 8, "loongarch64"},
	};

	for (size_t i = 0; i < sizeof(archs) / sizeof(*archs); i++) {
		if (archs[i].machine == machine && archs[i].pointer_size == pointer_size)
			return machine == EM_PPC64 && !big_endian ? "ppc64le" : archs[i].name;
	}
	return "unknown";
}

/* Finds the banner without a symbol: it is a string in a read-only section. */
static bool search_banner(struct image *image, struct image_section *s, size_t *offset_ret)
{
	for (size_t i = 0; image_section_next(image, &i, s);) {
		const uint8_t *hit;

		if (!s->alloc || !s->data || strncmp(s->name, ".rodata", 7))
			continue;
		hit = recover_banner(s->data, (size_t)s->size);
		if (hit) {
			*offset_ret = (size_t)(hit - s->data);
			return true;
		}
	}
	return false;
}

static bool find_banner(struct image *image, const struct symbols *syms, gaddr_t shift,
			struct image_section *s, size_t *offset_ret)
{
	gaddr_t addr;

	if (symbols_get(syms, "linux_banner", &addr) &&
	    image_section_at(image, addr - shift, strlen(BANNER_START), s) &&
	    !memcmp(s->data + (addr - shift - s->addr), BANNER_START, strlen(BANNER_START))) {
		*offset_ret = (size_t)(addr - shift - s->addr);
		return true;
	}
	return search_banner(image, s, offset_ret);
}

static struct kt_error *take_banner(struct kfacts_kernel *kernel, const char *banner, size_t max)
{
	size_t len = strnlen(banner, max < BANNER_MAX ? max : BANNER_MAX);
	const char *release;

	while (len && banner[len - 1] == '\n')
		len--;
	kernel->banner = strndup(banner, len);
	if (!kernel->banner)
		return kt_error_no_memory();
	release = kernel->banner + strlen(BANNER_START);
	kernel->release = strndup(release, strcspn(release, " "));
	return kernel->release ? NULL : kt_error_no_memory();
}

/* "Linux version 6.12.107+deb13-amd64 (debian-kernel@...) ... #1 SMP ...\n" (init/version.c) */
static struct kt_error *read_banner(struct image *image, const struct symbols *syms, gaddr_t shift,
				    struct kfacts_kernel *kernel)
{
	struct image_section s;
	size_t offset;

	if (!find_banner(image, syms, shift, &s, &offset))
		return kt_error_new(KT_ERROR_FORMAT,
				    "not a kernel: an ELF without a \"" BANNER_START
				    "...\" banner");
	kernel->banner_link = s.addr + offset + shift;
	return take_banner(kernel, (const char *)s.data + offset, (size_t)s.size - offset);
}

static void read_notes(struct image *image, const struct symbols *syms, gaddr_t shift,
		       struct kfacts_kernel *kernel)
{
	struct image_section s;
	gaddr_t start, stop;

	kernel->build_id_len = image_build_id(image, kernel->build_id, sizeof(kernel->build_id));
	if (symbols_get(syms, "__start_notes", &start) &&
	    symbols_get(syms, "__stop_notes", &stop) && stop > start) {
		kernel->notes_link = start;
		kernel->notes_size = stop - start;
	} else if (image_section(image, ".notes", &s) && s.alloc) {
		kernel->notes_link = s.addr + shift;
		kernel->notes_size = s.size;
	}
}

static struct kt_error *read_image(struct image *image, const struct symbols *syms, gaddr_t shift,
				   struct kfacts_kernel *kernel)
{
	struct image_section unplaced;

	kernel->big_endian = image_big_endian(image);
	kernel->arch = strdup(
		arch_name(image_machine(image), image_pointer_size(image), kernel->big_endian));
	if (!kernel->arch)
		return kt_error_no_memory();
	read_notes(image, syms, shift, kernel);
	if (!symbols_get(syms, "_text", &kernel->text_link))
		return kt_error_new(KT_ERROR_FORMAT,
				    "not a kernel: no _text symbol and no .text section");
	kernel->moved = (int64_t)shift;
	kernel->moved_known = !image_section(image, RECORD_UNPLACED, &unplaced);
	return read_banner(image, syms, shift, kernel);
}

/*
 * The architecture by the name of its wrapper of bpf(2): x86 since 4.17, arm64 4.19, s390 5.0,
 * RISC-V 6.6.
 */
static const struct {
	const char *symbol, *arch;
} by_symbol[] = {
	{"__x64_sys_bpf", "x86_64"},
	{"__arm64_sys_bpf", "aarch64"},
	{"__s390x_sys_bpf", "s390x"},
	{"__riscv_sys_bpf", "riscv64"},
};
#define N_BY_SYMBOL (sizeof(by_symbol) / sizeof(*by_symbol))

/* Without an image, all that a guest can be told by is that its banner is where a symbol says. */
static struct kt_error *read_symbols(const struct symbols *syms, struct kfacts_kernel *kernel)
{
	const char *arch = "";
	gaddr_t addr;

	for (size_t i = 0; i < N_BY_SYMBOL && !*arch; i++)
		if (symbols_get(syms, by_symbol[i].symbol, &addr))
			arch = by_symbol[i].arch;
	kernel->release = strdup("");
	kernel->banner = strdup("");
	kernel->arch = strdup(arch);
	if (!kernel->release || !kernel->banner || !kernel->arch)
		return kt_error_no_memory();
	if (!symbols_get(syms, "_text", &kernel->text_link) ||
	    !symbols_get(syms, "linux_banner", &kernel->banner_link))
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "no symbols _text and linux_banner in it: it cannot be told "
				    "whether a guest runs this kernel");
	return NULL;
}

void facts_kernel_wants(struct symbols *syms)
{
	static const char *const own[] = {"_text",        "linux_banner", "__start_notes",
					  "__stop_notes", "__start_BTF",  "__stop_BTF"};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		symbols_want(syms, own[i]);
	for (size_t i = 0; i < N_BY_SYMBOL; i++)
		symbols_want(syms, by_symbol[i].symbol);
}

struct kt_error *facts_kernel_read(struct image *image, const struct symbols *syms, gaddr_t shift,
				   struct kfacts_kernel *ret)
{
	return image ? read_image(image, syms, shift, ret) : read_symbols(syms, ret);
}

void facts_kernel_deinit(struct kfacts_kernel *kernel)
{
	free(kernel->release);
	free(kernel->banner);
	free(kernel->arch);
	free(kernel->types_from);
	free(kernel->symbols_from);
	*kernel = (struct kfacts_kernel){0};
}
