// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/text.h"

/* Not inline: memmem() is a GNU extension, which a program that includes the header may not have.
 */
bool kt_text_has(struct kt_text text, struct kt_text part)
{
	return text.len >= part.len && memmem(text.data, text.len, part.data, part.len);
}
