/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The layouts of types, whatever describes them: BTF or DWARF.
 */
#ifndef KT_BTF_TYPES_H
#define KT_BTF_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "btf/facts.h"
#include "util/error.h"

struct kfacts_enumerator {
	int64_t value;
	char *name;
};

/* What is known about one want. Which fields count depends on the want's kind. */
struct kfacts_answer {
	bool present;
	uint64_t value;              /* SYMBOL: link address; SIZE: bytes */
	struct kfacts_member member; /* MEMBER, HELD */
	struct kfacts_enumerator *enums;
	uint32_t n_enums;
};

void kfacts_answer_deinit(struct kfacts_answer *answer);

struct types;

struct types_ops {
	const char *name; /* for messages: "BTF" */

	/*
	 * Fills answers[i] for every wants[i] that is about a type, in one pass over all
	 * types; leaves absent ones and symbols as they are. BTF: only memory can fail.
	 */
	struct kt_error *(*resolve)(struct types *types, const struct kfacts_want *wants, size_t n,
				    struct kfacts_answer *answers);
	bool (*big_endian)(const struct types *types);
	void (*destroy)(struct types *types);
};

/* A loader embeds this as its first member. */
struct types {
	const struct types_ops *ops;
};

/*
 * Types out of the bytes of a .BTF section, which are copied. pointer_size is the kernel's,
 * in bytes; 0: as the BTF has it. Either byte order. KT_ERROR_FORMAT: damaged BTF,
 * or split BTF, a module's, which says nothing without the kernel's.
 */
struct kt_error *types_from_btf(const void *data, size_t len, unsigned int pointer_size,
				struct types **ret);

struct btf;
struct image;

/* The same of what libbpf has parsed or built. Takes btf, also when it fails. */
struct kt_error *types_of_btf(struct btf *btf, struct types **ret);

/*
 * Types out of the DWARF of an image, which must outlive *ret. Nothing is read before something is
 * asked, and then only the compile units that may define it. Errors: see dwarf_file_open(); those
 * of damage come from types_resolve().
 */
struct kt_error *types_from_dwarf(struct image *image, struct types **ret);

struct kt_error *types_resolve(struct types *types, const struct kfacts_want *wants, size_t n,
			       struct kfacts_answer *answers);
bool types_big_endian(const struct types *types);
void types_destroy(struct types *types);
void types_destroyp(struct types **types);

#endif
