// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/vm.h"

const struct vm_way *vm_best_way(const struct vm *vm)
{
	const struct vm_way *busy = NULL;

	kt_vec_for_each (&vm->ways, way) {
		if (!way->busy)
			return way;
		if (!busy)
			busy = way;
	}
	return busy;
}

void vm_deinit(struct vm *vm)
{
	free(vm->user);
	free(vm->name);
	free(vm->uuid);
	free(vm->arch);
	free(vm->accel);
	free(vm->image);
	free(vm->kernel);
	free(vm->why);
	kt_vec_for_each (&vm->ways, way)
		free(way->target);
	kt_vec_free(&vm->ways);
	*vm = (struct vm){0};
}

void vms_deinit(struct vms *vms)
{
	kt_vec_for_each (&vms->v, vm)
		vm_deinit(vm);
	kt_vec_free(&vms->v);
}
