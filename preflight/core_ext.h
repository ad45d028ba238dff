/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the CO-RE relocations of an object out of its .BTF.ext. Internal to preflight/. */
#ifndef KT_PREFLIGHT_CORE_EXT_H
#define KT_PREFLIGHT_CORE_EXT_H

#include "preflight/object.h"

/* Fills object->cores; those of a damaged section end where the damage begins. */
struct kt_error *pf_core_read(struct pf_object *object);

#endif
