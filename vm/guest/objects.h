/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of loading an object's program, for objects.c. All run in the child that loads one. */
#ifndef KT_VM_GUEST_OBJECTS_H
#define KT_VM_GUEST_OBJECTS_H

#include <bpf/libbpf.h>

#include "vm/guest/load_log.h"

/* --- the object: load_open.c --- */

/*
 * Opens the object; program arrays have no values then. *elf is its file, which has to stay as long
 * as it does. NULL, and errno is set: it is none; why is in load_log.
 */
struct bpf_object *load_open(const char *path, struct kt_buf *elf);

/* Also of NULL. */
void load_close(struct bpf_object *obj, struct kt_buf *elf);

/* --- the object's maps: load_maps.c --- */

/*
 * Puts bytes into the object's global variables: values of the order "set", of those the ones for
 * this object. 0, or a negative errno, with the reason in load_log.
 */
int load_maps_set(struct bpf_object *obj, const char *const *sets, size_t n, size_t object);

/*
 * What would keep prog, the only program that is loaded, from its maps though it is all right. prog
 * NULL: more than one is, and the struct_ops stay as they are.
 */
void load_maps_fix(struct bpf_object *obj, const struct bpf_program *prog);

/* Whether prog is a member of that struct_ops. False also before libbpf 1.4, which does not tell.
 */
bool load_maps_refers(const struct bpf_object *obj, const struct bpf_map *map,
		      const struct bpf_program *prog);

/* --- what a freplace program replaces: load_target.c --- */

/* An object, and the values that its global variables are to have: load_maps_set(). */
struct load_source {
	const char *path;
	const char *const *sets;
	size_t n_sets, object;
};

/*
 * Loads the program of the object that has the function which `ext`, not yet loaded, names in its
 * section "freplace/FUNCTION", with the same values as ext, and tells ext. Its descriptor, which is
 * the caller's, and has to stay until ext is attached; -1: there is none that loads.
 */
int load_target(const struct load_source *source, struct bpf_program *ext);

/* --- the kernel's types: kernel_btf.c --- */

/* Reads them now, so that no load has to. What keeps it from that is told by the loads. */
void kernel_btf_read(void);

#endif
