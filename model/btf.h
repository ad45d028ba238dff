/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Not a public header. BTF objects as the guest's kernel has them: plain data. */
#ifndef KT_MODEL_BTF_H
#define KT_MODEL_BTF_H

#include "model/map.h"

struct btf_object {
	uint32_t id;
	char name[64]; /* "vmlinux", or a module's; "": a program's or a map's, or Linux before 5.11
			*/
	struct program_number size;   /* bytes */
	struct program_number kernel; /* 1: the kernel's own, or a module's; since 5.11 */
	uint32_t base_id;             /* the object that it continues; 0: none */
	/* Who uses it, by ID. NULL: nobody, or nobody asked. */
	uint32_t *prog_ids, *map_ids;
	size_t n_prog_ids, n_map_ids;
	struct held held; /* borrowed, as a program's */
};

struct btf_objects {
	struct btf_object *all; /* by id */
	size_t n;
	size_t n_unreadable; /* entries of the IDR that could not be read, and are not in `all` */
};

/* Bytes of one object: [offset, offset + len) of its data. */
struct btf_data {
	struct btf_object object;
	uint64_t offset;
	uint8_t *data;
	size_t len;
};

/* Fills prog_ids and map_ids. False: no memory. */
bool btf_objects_find_users(struct btf_objects *objects, const struct programs *programs,
			    const struct maps *maps);

static inline void btf_objects_deinit(struct btf_objects *objects)
{
	for (size_t i = 0; i < objects->n; i++) {
		free(objects->all[i].prog_ids);
		free(objects->all[i].map_ids);
	}
	free(objects->all);
	*objects = (struct btf_objects){0};
}

static inline void btf_data_deinit(struct btf_data *data)
{
	free(data->data);
	*data = (struct btf_data){0};
}

#endif
