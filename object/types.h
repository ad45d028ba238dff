/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The types of an object. Internal to object/. */
#ifndef KT_OBJECT_TYPES_H
#define KT_OBJECT_TYPES_H

#include <bpf/btf.h>

#include "util/error.h"

/* The BTF of the object at path, which the caller frees. FORMAT: it has none that can be read. */
struct kt_error *object_types_read(const char *path, struct btf **ret);

#endif
