/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where distributions put a kernel: which files of a package, of a layer or of a root directory are
 * wanted. Internal to kernels/.
 *
 *	boot/vmlinuz-V                     Debian, Ubuntu, Alpine, Gentoo, older Fedora
 *	lib/modules/V/vmlinuz              Fedora, RHEL, Arch, openSUSE, newer Debian
 *	lib/modules/V/kernel/…/NAME.ko*    and modules.builtin, modules.order
 *
 * each of them also below usr/.
 */
#ifndef KT_KERNELS_PLACE_H
#define KT_KERNELS_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#define KERNELS_PATH_MAX 1024

/*
 * The path of an archive's entry as one below a directory: no "/" or "./" in front, none at the
 * end; usr/lib/ is lib/. False: it is empty or too long, leads out by "..", or has control
 * characters.
 */
bool kernels_clean_path(const char *path, char ret[KERNELS_PATH_MAX]);

/* Whether a clean path is one of the above. */
bool kernels_path_is_image(const char *path);
bool kernels_path_is_module(const char *path);

#endif
