/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fills in templates of the catalogue (logparse/catalog_data.h). Not a public header. */
#ifndef KT_LOGPARSE_CATALOG_TEMPLATE_H
#define KT_LOGPARSE_CATALOG_TEMPLATE_H

#include "logparse/catalog_match.h"
#include "util/buf.h"

/* Appends the template to out, with facts filled in. A fact of more than 200 bytes is cut. */
void kt_template_fill(const char *template, const struct kt_facts *facts, struct kt_buf *out);

#endif
