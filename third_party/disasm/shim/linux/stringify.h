/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KT_DISASM_SHIM_STRINGIFY_H
#define KT_DISASM_SHIM_STRINGIFY_H

#define __stringify_1(x...) #x
#define __stringify(x...)   __stringify_1(x)

#endif
