/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The addresses of wanted symbols, whatever told them: .symtab or kallsyms today; any
 * other source, such as a System.map, only has to call symbols_offer().
 *
 * Several static symbols may share a name. A global one wins; among static ones the one
 * with the lowest address, so that every source gives the same answer.
 */
#ifndef KT_BTF_SYMBOLS_H
#define KT_BTF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "btf/image.h"
#include "btf/kallsyms.h"
#include "btf/nameset.h"
#include "util/error.h"
#include "util/gaddr.h"

struct symbol {
	gaddr_t addr;
	bool found;
	bool global;
};

struct symbols {
	struct nameset names;
	struct symbol *symbols; /* parallel to names.names */
	const char *source;     /* what filled it, for messages: ".symtab", "kallsyms" */
};

/* Room for capacity names; they are borrowed. False without memory. */
bool symbols_init(struct symbols *syms, size_t capacity);
void symbols_deinit(struct symbols *syms);
void symbols_want(struct symbols *syms, const char *name);

/* A source tells one symbol that it has. */
void symbols_offer(struct symbols *syms, const char *name, size_t len, gaddr_t addr, bool global);

/* Fills from the image: from .symtab if it has one, else from kallsyms in its data. */
struct kt_error *symbols_load(struct symbols *syms, struct image *image);

void symbols_load_kallsyms(struct symbols *syms, const struct kallsyms *kallsyms);

/* Finds kallsyms in the image's sections. *ret points into the image. */
struct kt_error *symbols_find_kallsyms(struct image *image, struct kallsyms *ret);

bool symbols_get(const struct symbols *syms, const char *name, gaddr_t *addr_ret);

#endif
