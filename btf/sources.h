/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files that facts come from, opened: an image, raw BTF, lists of symbols. Which of them
 * tells what, and how their addresses come together.
 */
#ifndef KT_BTF_SOURCES_H
#define KT_BTF_SOURCES_H

#include "btf/cache.h"
#include "btf/kfacts.h"
#include "btf/symbols.h"
#include "btf/types.h"
#include "image/image.h"

struct sources {
	struct kfacts_sources paths; /* borrowed strings */
	struct image_file file;
	struct image *image; /* NULL until sources_open_image() */
	struct kt_buf btf, system_map, kallsyms;
};

/* Maps the image and reads the other files. Errors name the file, here and below. */
struct kt_error *sources_open(const struct kfacts_sources *paths, struct sources *ret);
void sources_close(struct sources *sources);

/* Unpacks the image, if one is given. May be called again. */
struct kt_error *sources_open_image(struct sources *sources);

/* Is the image all that is given? */
bool sources_only_image(const struct sources *sources);

/*
 * The cache's key for all that is given. Opens an image that is an ELF; of a compressed one, and of
 * the other files, it is a hash of the content.
 */
struct kt_error *sources_key(struct sources *sources, struct cache_name *ret);

/* The key of the opened image by itself: that of its build, and of which tables it has. */
struct cache_name sources_image_key(struct sources *sources);

/* The layouts of types. *from_ret, for people, is static. */
struct kt_error *sources_types(struct sources *sources, struct types **ret, const char **from_ret);

struct btf;

/*
 * The BTF itself, parsed by libbpf, of --btf, else of the image; btf__free() it.
 * KT_ERROR_NOT_FOUND: neither has any. KT_ERROR_FORMAT: it is damaged.
 */
struct kt_error *sources_btf(struct sources *sources, struct btf **ret);

/*
 * Proves that a BTF file is of the kernel that the other sources are of, by what of its BTF these
 * know, and fills the samples in *kernel, which a guest's memory has to have. KT_ERROR_MISMATCH.
 */
struct kt_error *sources_prove_btf(struct sources *sources, const struct symbols *syms,
				   struct kfacts_kernel *kernel);

/*
 * Fills syms, whose source is then what told most. *shift_ret is what the image's own addresses
 * have to be moved by to be those of syms.
 */
struct kt_error *sources_symbols(struct sources *sources, struct symbols *syms, gaddr_t *shift_ret);

/* "kallsyms of the image", say, for people, once sources_symbols() has told. NULL: no memory. */
char *sources_symbols_from(const struct sources *sources, const struct symbols *syms);

/* The file to name when something is not there: the one that would have it. */
const char *sources_image_name(const struct sources *sources);
const char *sources_types_path(const struct sources *sources);
const char *sources_symbols_path(const struct sources *sources);

#endif
