/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that are to be put into a section of an object before it is loaded. */
#ifndef KT_OBJECT_WRITE_H
#define KT_OBJECT_WRITE_H

#include <stddef.h>
#include <stdint.h>

struct object_write {
	const char *section; /* ".rodata", or ".data.mine"; belongs to the object_globals */
	uint64_t offset;     /* bytes, in the section */
	void *data;          /* belongs to the object_globals */
	void *mask;          /* likewise: which bits of them; NULL: all. The others of data are 0 */
	size_t size;         /* bytes */
};

#endif
