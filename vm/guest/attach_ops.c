// SPDX-License-Identifier: LGPL-2.1-or-later
/* A struct_ops is attached as a whole: its map, with all the programs that the map refers to. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "vm/guest/attach_to.h"
#include "vm/guest/objects.h"

#define PROGRAMS_MAX 256
#define GONE_NS      ((int64_t)10 * 1000000000)

/* Structures that are not attached, and why. Names are those of the kernel's types. */
static const struct {
	const char *type, *why;
} no_place[] = {
	{"sched_ext_ops",
	 "it is a scheduler, which would take over the guest; --scheduler runs it"},
	{"hid_bpf_ops", "it needs a HID device"},
};

/* Programs of an object are the same in each copy of it, by their number. */
static int number_of(const struct bpf_object *obj, const struct bpf_program *wanted)
{
	struct bpf_program *prog;
	int i = 0;

	bpf_object__for_each_program (prog, obj) {
		if (prog == wanted)
			return i;
		i++;
	}
	return -1;
}

static struct bpf_program *program_number(const struct bpf_object *obj, int number)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, obj)
		if (!number--)
			return prog;
	return NULL;
}

/* "tcp_congestion_ops" of "tcp_congestion_ops___new", which CO-RE takes for the same. */
static bool is_type(const char *name, const char *type)
{
	size_t len = strlen(type);

	return !strncmp(name, type, len) && (!name[len] || !strncmp(name + len, "___", 3));
}

static const char *type_of(const struct bpf_object *obj, const struct bpf_map *map)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	const char *name = t ? btf__name_by_offset(btf, t->name_off) : NULL;

	return name ? name : "";
}

/* Leaves only that map, and the programs that may be its. NULL: no map refers to prog. */
static struct bpf_map *only_map_of(struct bpf_object *obj, const struct bpf_program *prog)
{
	struct bpf_map *map, *found = NULL;
	struct bpf_program *other;

	bpf_object__for_each_map (map, obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		if (!found && load_maps_refers(obj, map, prog))
			found = map;
		else
			bpf_map__set_autocreate(map, false);
	}
	bpf_object__for_each_program (other, obj)
		bpf_program__set_autoload(other, found && load_maps_refers(obj, found, other));
	return found;
}

/* The kernel frees them some time after the struct_ops, and who reads the guest is not to see them.
 */
static void wait_until_gone(const uint32_t *ids, size_t n)
{
	int64_t deadline = kt_now_ns() + GONE_NS;

	for (size_t i = 0; i < n; i++) {
		int fd;

		while ((fd = bpf_prog_get_fd_by_id(ids[i])) >= 0) {
			close(fd);
			if (kt_now_ns() > deadline)
				return;
			usleep(10000);
		}
	}
}

/* The kernel's IDs of those that are loaded, at most max. */
static size_t list_ids(const struct bpf_object *obj, uint32_t *ids, size_t max)
{
	struct bpf_program *prog;
	size_t n = 0;

	bpf_object__for_each_program (prog, obj) {
		struct bpf_prog_info info = {0};
		uint32_t len = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd >= 0 && n < max && !bpf_obj_get_info_by_fd(fd, &info, &len))
			ids[n++] = info.id;
	}
	return n;
}

static void attach_map(struct bpf_object *obj, struct bpf_map *map, struct attach_result *ret)
{
	const char *type = type_of(obj, map);
	char to[128];
	int err;

	for (size_t i = 0; i < sizeof(no_place) / sizeof(*no_place); i++) {
		if (is_type(type, no_place[i].type)) {
			attach_say(ret, KT_ATTACH_NO_PLACE, "%s", no_place[i].why);
			return;
		}
	}
	snprintf(to, sizeof(to), "%.60s as a whole, %.60s", type, bpf_map__name(map));
	load_maps_fix(obj, NULL);
	err = bpf_object__load(obj);
	if (err) {
		snprintf(to, sizeof(to), "%.60s, a program of which does not load", type);
		attach_say_refused(ret, -err, to);
		return;
	}
	attach_take_link(bpf_map__attach_struct_ops(map), to, ret);
}

void attach_struct_ops(const struct bpf_program *prog, const struct attach_object *object,
		       struct attach_result *ret)
{
	struct kt_buf elf = KT_BUF_INIT;
	struct bpf_object *obj = load_open(object->path, &elf);
	struct bpf_map *map = NULL;
	uint32_t ids[PROGRAMS_MAX];
	size_t n_ids = 0;
	int err = obj ? load_maps_set(obj, object->sets, object->n_sets, object->number) : -errno;

	if (!HAS_LIBBPF_1(4))
		attach_say(ret, KT_ATTACH_NO_PLACE,
			   "a struct_ops is attached as a whole, which the guest's libbpf %s is "
			   "too old for; --scheduler runs one of sched_ext",
			   libbpf_version_string());
	else if (err)
		attach_say_refused(ret, -err, "its object");
	else if (!(map = only_map_of(obj, program_number(obj, number_of(object->obj, prog)))))
		attach_say(ret, KT_ATTACH_NO_PLACE, "no struct_ops of the object has it");
	else
		attach_map(obj, map, ret);
	if (obj)
		n_ids = list_ids(obj, ids, PROGRAMS_MAX);
	load_close(obj, &elf);
	wait_until_gone(ids, n_ids);
}
