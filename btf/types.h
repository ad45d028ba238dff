/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The layouts of types, whatever describes them: BTF or DWARF.
 */
#ifndef KT_BTF_TYPES_H
#define KT_BTF_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "btf/kfacts.h"
#include "util/error.h"

void kfacts_answer_deinit(struct kfacts_answer *answer);

enum types_kind { TYPES_STRUCT, TYPES_UNION, TYPES_ENUM };

/* A member as it lies in the outermost struct. */
struct types_member {
	char *name;         /* "": a struct or union without one, whose members follow */
	char *type;         /* as C has it: "struct bpf_prog_aux *" */
	unsigned int depth; /* in how many of those without a name it is */
	bool placed;        /* false: where it lies or how large it is is not told */
	struct kfacts_member place;
};

/* A type with all its members or enumerators. */
struct types_layout {
	enum types_kind kind;
	char *name;
	uint64_t size;
	struct types_member *members; /* of a struct or union, in order */
	size_t n_members;
	struct kfacts_enumerator *enums; /* of an enum */
	uint32_t n_enums;
	unsigned int same_name; /* how many different types have this name, this one included */
};

void types_layout_deinit(struct types_layout *layout);

struct types;

struct types_ops {
	const char *name; /* for messages: "BTF" */

	/*
	 * Fills answers[i] for every wants[i] that is about a type, in one pass over all
	 * types; leaves absent ones and symbols as they are. BTF: only memory can fail.
	 */
	struct kt_error *(*resolve)(struct types *types, const struct kfacts_want *wants, size_t n,
				    struct kfacts_answer *answers);
	struct kt_error *(*describe)(struct types *types, const char *name, const char *path,
				     struct types_layout *ret);
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

/* The same as libbpf has it, for btf__free(). libbpf prints nothing meanwhile. Errors: as above. */
struct kt_error *types_parse_btf(const void *data, size_t len, unsigned int pointer_size,
				 struct btf **ret);

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
/*
 * A struct, union or enum by its name. With a path ("a.b"), only that member; if it is a struct or
 * union itself, its members after it. Of several types of one name it is the first that has the
 * path. KT_ERROR_NOT_FOUND: no such type; no such member, kt_error_hint_text() has those whose
 * names are like it.
 */
struct kt_error *types_describe(struct types *types, const char *name, const char *path,
				struct types_layout *ret);
bool types_big_endian(const struct types *types);
void types_destroy(struct types *types);
void types_destroyp(struct types **types);

#endif
