// SPDX-License-Identifier: LGPL-2.1-or-later
/* The program whose function a freplace program replaces: one of the same object. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "vm/guest/objects.h"

/* A program has 256 functions at most (BPF_MAX_SUBPROGS). */
#define FUNCTIONS_MAX 256

/* Whether the loaded program has a function of that name: as the kernel lists its functions. */
static bool has_function(int fd, const struct btf *btf, const char *name)
{
	struct bpf_func_info functions[FUNCTIONS_MAX] = {0};
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	info.nr_func_info = FUNCTIONS_MAX;
	info.func_info_rec_size = sizeof(*functions);
	info.func_info = (uint64_t)(uintptr_t)functions;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return false;
	for (uint32_t i = 0; i < info.nr_func_info && i < FUNCTIONS_MAX; i++) {
		const struct btf_type *t = btf__type_by_id(btf, functions[i].type_id);
		const char *found = t ? btf__name_by_offset(btf, t->name_off) : NULL;

		if (found && !strcmp(found, name))
			return true;
	}
	return false;
}

static bool can_be_target(const struct bpf_program *prog)
{
	return bpf_program__type(prog) != BPF_PROG_TYPE_EXT &&
	       bpf_program__type(prog) != BPF_PROG_TYPE_UNSPEC;
}

/* The descriptor of program number n of the object, if it loads and has the function; else -1. */
static int load_candidate(const struct load_source *source, unsigned n, const char *function,
			  bool *end)
{
	struct kt_buf elf = KT_BUF_INIT;
	struct bpf_object *obj = load_open(source->path, &elf);
	struct bpf_program *prog, *found = NULL;
	unsigned i = 0;
	int fd = -1;

	if (obj) {
		bpf_object__for_each_program (prog, obj) {
			found = i == n ? prog : found;
			bpf_program__set_autoload(prog, i++ == n);
		}
	}
	*end = !found;
	if (found && can_be_target(found)) {
		load_maps_fix(obj, found);
		if (!load_maps_set(obj, source->sets, source->n_sets, source->object) &&
		    !bpf_object__load(obj) &&
		    has_function(bpf_program__fd(found), bpf_object__btf(obj), function))
			fd = fcntl(bpf_program__fd(found), F_DUPFD_CLOEXEC, 3);
	}
	load_close(obj, &elf);
	return fd;
}

int load_target(const struct load_source *source, struct bpf_program *ext)
{
	const char *function = strchr(bpf_program__section_name(ext), '/');
	bool end = !function || !function[1];
	int fd = -1;

	for (unsigned n = 0; !end && fd < 0; n++)
		fd = load_candidate(source, n, function + 1, &end);
	/* What libbpf said of those that are not it. */
	kt_buf_consume(&load_log, load_log.len);
	if (fd >= 0 && bpf_program__set_attach_target(ext, fd, function + 1)) {
		close(fd);
		fd = -1;
	}
	return fd;
}
