/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The addresses of wanted symbols, whatever told them: .symtab, kallsyms in an image, a
 * System.map; any other source only has to call symbols_offer().
 *
 * Several static symbols may share a name. A global one wins; among static ones the one
 * with the lowest address, so that every source gives the same answer.
 */
#ifndef KT_BTF_SYMBOLS_H
#define KT_BTF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "btf/functions.h"
#include "btf/kallsyms.h"
#include "btf/nameset.h"
#include "image/image.h"
#include "util/error.h"
#include "util/gaddr.h"

struct symbol {
	gaddr_t addr;
	gaddr_t end; /* symbols_want_end(): 0 if nothing tells */
	bool found;
	bool global;
};

struct symbols {
	struct nameset names;
	struct symbol *symbols; /* parallel to names.names */
	KT_VEC(size_t) ends;    /* of symbols_want_end() */
	const char *source;     /* where they come from, for messages: ".symtab", "kallsyms", … */
	bool want_functions;    /* set by whoever wants them: functions is filled, too */
	struct functions functions;
};

/* Room for capacity names; they are borrowed. False without memory. */
bool symbols_init(struct symbols *syms, size_t capacity);
void symbols_deinit(struct symbols *syms);
/* For the same names, none of them found yet. */
bool symbols_init_like(struct symbols *syms, const struct symbols *like);
void symbols_want(struct symbols *syms, const char *name);
/* And where it ends: where the next symbol begins, whatever that is. False: no memory. */
bool symbols_want_end(struct symbols *syms, const char *name);

/* A source tells one symbol that it has. */
void symbols_offer(struct symbols *syms, const char *name, size_t len, gaddr_t addr, bool global);

/* Fills from the image: from .symtab if it has one, else from kallsyms in its data. */
struct kt_error *symbols_load(struct symbols *syms, struct image *image);

/* With what the kernel exports (btf/exports.h), where kallsyms has no data. */
void symbols_load_kallsyms(struct symbols *syms, const struct kallsyms *kallsyms);

/* Finds kallsyms in the image's sections. *ret points into the image. */
struct kt_error *symbols_find_kallsyms(struct image *image, struct kallsyms *ret);

/*
 * From the text of a System.map or a copy of /proc/kallsyms. Symbols of modules are left out.
 * KT_ERROR_FORMAT: no such list, or one whose addresses are hidden (all 0).
 */
struct kt_error *symbols_load_text(struct symbols *syms, const char *text, size_t len);

/*
 * Adds what is not found yet, from one of symbols_init_like(), each address from `start` on plus
 * shift: what lies below the kernel's image (per-CPU offsets on x86 up to 6.14) does not move.
 * Takes its functions if syms has none.
 */
void symbols_merge(struct symbols *syms, struct symbols *from, gaddr_t start, gaddr_t shift);

/* False: both have it, and it is not the same address once shift is added to b's. */
bool symbols_agree(const struct symbols *a, const struct symbols *b, gaddr_t shift,
		   const char *name);

/* Is any found? */
bool symbols_any(const struct symbols *syms);

bool symbols_get(const struct symbols *syms, const char *name, gaddr_t *addr_ret);

/* And where it ends, behind its last byte. False: that is not known. */
bool symbols_get_end(const struct symbols *syms, const char *name, gaddr_t *addr_ret,
		     gaddr_t *end_ret);

#endif
