/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a kernel's modules: .ko, .ko.gz, .ko.xz or .ko.zst, in a directory as a
 * distribution's package has it, or a kernel's build tree.
 */
#ifndef KT_IMAGE_MODULE_FILES_H
#define KT_IMAGE_MODULE_FILES_H

#include <stddef.h>

#include "util/buf.h"
#include "util/cursor.h"
#include "util/error.h"
#include "util/vec.h"

/* A module's file, found but not yet read. */
struct module_file {
	char *name; /* as lsmod has it: with "_", never "-" */
	char *path;
};

struct module_files {
	KT_VEC(struct module_file) v; /* by path */
};

/*
 * The length of the module's name, at *ret, in "kernel/virtio-rng.ko.xz": "virtio-rng"; 0: it is
 * not a module's file.
 */
size_t module_name_in_path(const char *path, const char **ret);

/* "virtio-rng" to "virtio_rng", as the kernel names it. The caller frees it; NULL: no memory. */
char *module_canonical_name(const char *name, size_t len);

/*
 * All of them anywhere below dir. Symbolic links to directories are not followed; one to a file is
 * listed. *ret is for module_files_deinit(), after an error, too. Errors name the directory:
 * KT_ERROR_OS; KT_ERROR_UNSUPPORTED: it has more files than any directory of modules.
 */
struct kt_error *module_files_list(const char *dir, struct module_files *ret);
void module_files_deinit(struct module_files *files);

/*
 * Appends what is in a file, decompressed if it is compressed. Stops after the first piece that
 * goes beyond limit: out->len is more than that then. An empty file gives nothing. Errors name the
 * file: KT_ERROR_OS: it cannot be read; KT_ERROR_FORMAT: damaged, or not a regular file.
 */
struct kt_error *module_file_read(const char *path, size_t limit, struct kt_buf *out);

/*
 * The first value of a key in section .modinfo, which has strings "key=value", one after the other;
 * NULL: there is none.
 */
const char *module_info_value(struct kt_cursor info, const char *key);

#endif
