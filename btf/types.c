// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "btf/types.h"

void kfacts_answer_deinit(struct kfacts_answer *answer)
{
	for (uint32_t i = 0; i < answer->n_enums; i++)
		free(answer->enums[i].name);
	free(answer->enums);
	*answer = (struct kfacts_answer){0};
}

struct kt_error *types_resolve(struct types *types, const struct kfacts_want *wants, size_t n,
			       struct kfacts_answer *answers)
{
	return types->ops->resolve(types, wants, n, answers);
}

bool types_big_endian(const struct types *types)
{
	return types->ops->big_endian(types);
}

void types_destroy(struct types *types)
{
	if (types)
		types->ops->destroy(types);
}

void types_destroyp(struct types **types)
{
	types_destroy(*types);
}
