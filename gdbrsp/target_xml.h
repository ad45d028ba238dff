/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Target descriptions: which registers a stub has, and their numbers (GDB manual, appendix G).
 *
 * Takes what is needed from documents like these, of QEMU 7.2, and passes over all else:
 *
 *	<target><architecture>i386:x86-64</architecture><xi:include href="i386-64bit.xml"/></target>
 *	<reg name="rax" bitsize="64" type="int64" regnum="0"/>
 *	<reg name="rbx" bitsize="64" type="int64"/>
 */
#ifndef KT_GDBRSP_TARGET_XML_H
#define KT_GDBRSP_TARGET_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSP_REGISTER_NAME_MAX 32

enum rsp_element {
	RSP_ELEMENT_REGISTER, /* <reg>: name, bits, number */
	RSP_ELEMENT_INCLUDE,  /* <xi:include>: href in name */
};

struct rsp_xml_item {
	enum rsp_element element;
	char name[2 * RSP_REGISTER_NAME_MAX];
	uint32_t bits;
	int64_t number; /* regnum, -1: one more than that of the register before */
};

/*
 * The next register or include in doc from *pos on; false at the end. Comments count for
 * nothing: i386-64bit.xml has some registers in one, which the stub does not serve.
 * A register without a name, or with one of 32 bytes or more, has an empty one. doc may be
 * NULL if len is 0.
 */
bool rsp_xml_next(const char *doc, size_t len, size_t *pos, struct rsp_xml_item *ret);

#endif
