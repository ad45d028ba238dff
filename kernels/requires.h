/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a package needs, as it says itself: for a meta package, where the kernel is. Internal to
 * kernels/. */
#ifndef KT_KERNELS_REQUIRES_H
#define KT_KERNELS_REQUIRES_H

#include "util/buf.h"

/*
 * Appends the names in it that may be those of kernels, at most four, with ", " between them: of a
 * .deb's control file ("Depends: a (= 1), b | c"), or of a .PKGINFO ("depend = a=1").
 */
void kernels_requires_text(const char *info, struct kt_buf *names);

/* The same of an .rpm. Nothing, if the file is none. */
void kernels_requires_rpm(int fd, struct kt_buf *names);

#endif
