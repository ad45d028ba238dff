/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A BPF object as a preflight reads it: libbpf's programs and maps, and out of the ELF what libbpf
 * keeps to itself: where functions lie, what relocations refer to, externs, CO-RE relocations.
 * Everything in it is checked against the file's bounds; an index or an id may still lead nowhere.
 */
#ifndef KT_PREFLIGHT_OBJECT_H
#define KT_PREFLIGHT_OBJECT_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preflight/report.h"
#include "util/error.h"
#include "util/vec.h"

struct pf_section {
	const char *name; /* "" for one without */
	const uint8_t *data;
	size_t len;
	bool code; /* executable: BPF instructions */
};

/* A function of a section with code. */
struct pf_func {
	const char *name;
	size_t section; /* its index in the ELF */
	size_t first;   /* instruction in the section */
	size_t n;       /* instructions */
};

enum pf_symbol_kind { PF_SYM_SECTION, PF_SYM_DEFINED, PF_SYM_EXTERN };

/* A relocation of an instruction, or of 8 bytes of data. */
struct pf_reloc {
	size_t section, offset; /* bytes */
	enum pf_symbol_kind kind;
	size_t target;    /* the symbol's section */
	uint64_t value;   /* its offset there, in bytes */
	const char *name; /* the symbol's */
};

struct pf_extern {
	const char *name;
	bool weak;
	uint32_t type; /* BTF_KIND_VAR or BTF_KIND_FUNC of .ksyms */
};

struct pf_core {
	size_t section, insn;
	uint32_t type;
	const char *access;
	uint32_t kind; /* enum bpf_core_relo_kind */
};

struct pf_object {
	struct bpf_object *obj;
	struct btf *btf;     /* as it is in the file, before libbpf changes it; NULL: it has none */
	const char *license; /* "" where it says none */
	KT_VEC(struct bpf_program *) programs;
	KT_VEC(struct pf_section) sections; /* by their index in the ELF */
	KT_VEC(struct pf_func) funcs;
	KT_VEC(struct pf_reloc) relocs; /* by section and offset */
	KT_VEC(struct pf_extern) externs;
	KT_VEC(struct pf_core) cores;
	Elf *elf;
};

/*
 * Opens data, which has to outlive *ret. name is for libbpf's words. The message of
 * an error is its reason. KT_ERROR_FORMAT: it is no whole BPF object, so no libbpf takes it.
 * KT_ERROR_UNSUPPORTED: the libbpf of this tool does not; another one may.
 */
struct kt_error *pf_object_open(const void *data, size_t len, const char *name,
				struct pf_object *ret);
void pf_object_close(struct pf_object *object);

/* The function that a program is, NULL: it is not found. */
const struct pf_func *pf_program_func(const struct pf_object *object,
				      const struct bpf_program *program);

/* The function that has an instruction, NULL: none has. */
const struct pf_func *pf_func_at(const struct pf_object *object, size_t section, size_t insn);

/* The relocation at an offset of a section, NULL: there is none. */
const struct pf_reloc *pf_reloc_at(const struct pf_object *object, size_t section, size_t offset);

/* A section by name, NULL: there is none. */
const struct pf_section *pf_section_find(const struct pf_object *object, const char *name,
					 size_t *index_ret);

#endif
