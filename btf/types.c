// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "btf/types.h"

void kfacts_answer_deinit(struct kfacts_answer *answer)
{
	for (uint32_t i = 0; i < answer->n_enums; i++)
		free(answer->enums[i].name);
	free(answer->enums);
	functions_deinit(&answer->functions);
	*answer = (struct kfacts_answer){0};
}

void types_layout_deinit(struct types_layout *layout)
{
	for (size_t i = 0; i < layout->n_members; i++) {
		free(layout->members[i].name);
		free(layout->members[i].type);
	}
	for (uint32_t i = 0; i < layout->n_enums; i++)
		free(layout->enums[i].name);
	free(layout->members);
	free(layout->enums);
	free(layout->name);
	*layout = (struct types_layout){0};
}

struct kt_error *types_describe(struct types *types, const char *name, const char *path,
				struct types_layout *ret)
{
	return types->ops->describe(types, name, path, ret);
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
