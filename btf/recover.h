/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A kernel out of its own memory: what a running one (or a flat Image file) carries in its
 * read-only data, found by its shape and proved before it is believed.
 *
 *   kallsyms   tables that agree with each other (btf/kallsyms.h)
 *   banner     "Linux version ...", where the symbol linux_banner says, if kallsyms has it
 *   BTF        a header, types and strings that fill what the header promises, read by libbpf;
 *              from __start_BTF to __stop_BTF, if kallsyms has them
 *   notes      ELF notes with a GNU build ID, from __start_notes to __stop_notes, or else
 *              those that end where the BTF begins: RO_DATA in vmlinux.lds.h has NOTES right
 *              before BTF (5.10 to 7.x). A vDSO in the same memory has a build ID of its own.
 *
 * All bytes are hostile: work and memory are bounded, and a table that contradicts another
 * is an error and not a choice. It is a pure function, which reads no guest itself.
 */
#ifndef KT_BTF_RECOVER_H
#define KT_BTF_RECOVER_H

#include "btf/kallsyms.h"
#include "util/buf.h"
#include "util/error.h"

/* Bytes of kernel memory, and their virtual address, a multiple of 4. */
struct recover_range {
	const uint8_t *data;
	size_t len;
	gaddr_t addr;
};

struct recover_memory {
	const struct recover_range *ranges;
	size_t n;
	uint16_t machine; /* EM_* */
	bool big_endian;
	unsigned int pointer_size; /* 4 or 8 */
	/*
	 * Of a flat Image: where its _text is, which is what kallsyms_relative_base stands for
	 * while nobody has applied its relocation (it reads 0 then). 0: memory of a running one.
	 */
	gaddr_t unrelocated_base;
};

/* A recovered kernel. Points into the memory; owns banner and release (recovered_deinit()). */
struct recovered {
	uint16_t machine;
	bool big_endian;
	unsigned int pointer_size;

	char *banner;  /* without its newline */
	char *release; /* the banner's third word */
	gaddr_t banner_addr;

	const uint8_t *btf; /* NULL: none; no_btf then says why */
	size_t btf_len;
	gaddr_t btf_addr;
	const char *no_btf;

	const uint8_t *notes; /* NULL: none */
	size_t notes_len;
	gaddr_t notes_addr;
	uint8_t build_id[64];
	size_t build_id_len; /* 0: none */

	bool has_kallsyms;
	struct kallsyms kallsyms;

	/* Symbols that kallsyms has, 0 if it does not. */
	gaddr_t text;            /* _text */
	gaddr_t stext;           /* _stext */
	gaddr_t vmcoreinfo_data; /* of the pointer */
	gaddr_t vmcoreinfo_size;
};

/*
 * KT_ERROR_NOT_FOUND: no kernel there. KT_ERROR_FORMAT: what is there contradicts itself.
 * Tables that a kernel may lack (kallsyms, BTF, notes) are no error when they are not there.
 */
struct kt_error *recover_find(const struct recover_memory *memory, struct recovered *ret);
void recovered_deinit(struct recovered *recovered);

/*
 * The size of a .BTF by its header, at the start of data. 0: no header there. It proves nothing
 * about the bytes behind the header.
 */
size_t recover_btf_size(const uint8_t *data, size_t len, bool big_endian);

/* The first place in data where a .BTF seems to begin, or NULL. */
const uint8_t *recover_btf_start(const uint8_t *data, size_t len, bool big_endian);

/*
 * A GNU build ID among ELF notes, at most size bytes; 0 when there is none, or when the notes
 * do not fill len bytes exactly.
 */
size_t recover_build_id(const uint8_t *notes, size_t len, bool big_endian, uint8_t *id,
			size_t size);

/*
 * The kernel's banner among its read-only data: not a format, and of several the one with the
 * number of the build. From 6.1 on, a weak linux_banner that serves to link the first time stays
 * in some images next to the strong one ("# SMP ..."; init/version.c, init/version-timestamp.c).
 * NULL: none.
 */
const uint8_t *recover_banner(const uint8_t *data, size_t len);

#endif
