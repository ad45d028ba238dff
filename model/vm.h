/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VM that runs on this host, as far as its QEMU process tells. Plain data. Not a public header.
 *
 * All text comes from a process that may belong to anybody: it may be any bytes, and untrue.
 */
#ifndef KT_MODEL_VM_H
#define KT_MODEL_VM_H

#include "model/program.h"
#include "util/vec.h"

enum vm_way_kind { VM_WAY_LIBVIRT, VM_WAY_QMP, VM_WAY_STUB };

/* A way to reach a VM. */
struct vm_way {
	enum vm_way_kind kind;
	bool busy;    /* somebody else is connected, and there is place for one */
	char *target; /* as a TARGET is written */
};

struct vm {
	uint32_t pid, uid;
	/* These are NULL if unknown. */
	char *user; /* the name of uid */
	char *name; /* of -name; of libvirt's domains it is the domain */
	char *uuid;
	char *arch;  /* "x86_64" */
	char *accel; /* "kvm", "tcg"; "kvm:tcg" if it is one of several */
	char *image; /* the file of its kernel, as this process can open it */
	/* The release of its kernel; in parentheses if that is what was last seen at its TARGET. */
	char *kernel;
	char *why;                           /* why there is no way, or not a better one */
	struct program_number vcpus, memory; /* memory in bytes */
	KT_VEC(struct vm_way) ways;          /* the best kind first */
};

struct vms {
	KT_VEC(struct vm) v; /* by pid */
};

/* The way to take; NULL: there is none. What knows the run state comes first, if it is not busy. */
const struct vm_way *vm_best_way(const struct vm *vm);

void vm_deinit(struct vm *vm);
void vms_deinit(struct vms *vms);

#endif
