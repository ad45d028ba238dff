// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb list: the VMs of this host. */
#include <pwd.h>
#include <string.h>

#include "btf/facts.h"
#include "btf/record.h"
#include "cli/show.h"
#include "host/process.h"
#include "render/vms.h"
#include "util/cleanup.h"
#include "util/fence.h"
#include "util/io.h"

/* The release of the kernel in a file, NULL if it has none that can be read. */
static char *release_of(const char *path, const char *cache_dir)
{
	const struct kfacts_sources sources = {.image = path};
	struct kfacts *facts = NULL;
	struct kt_error *err = kfacts_load(&sources, NULL, 0, cache_dir, &facts, NULL);
	char *release = NULL;

	if (!err && kfacts_kernel(facts)->release && *kfacts_kernel(facts)->release)
		release = strdup(kfacts_kernel(facts)->release);
	kfacts_destroy(facts);
	kt_error_destroy(err);
	return release;
}

/* The release of the kernel that was last seen at one of the VM's targets, NULL if none was. */
static char *release_seen(const struct vm *vm, const char *cache_dir)
{
	kt_vec_for_each (&vm->ways, way) {
		_cleanup_free_ char *path = NULL, *release = NULL, *seen = NULL;
		struct cache_name key;

		if (!record_load_place(cache_dir, way->target, &key))
			continue;
		path = record_find(cache_dir, &key);
		release = path ? release_of(path, cache_dir) : NULL;
		if (release && asprintf(&seen, "(%s)", release) >= 0)
			return kt_take_ptr(seen);
	}
	return NULL;
}

static void add_users(struct vms *vms)
{
	kt_vec_for_each (&vms->v, vm) {
		const struct passwd *user = getpwuid(vm->uid);

		vm->user = user ? strdup(user->pw_name) : NULL;
	}
}

static void add_kernels(struct vms *vms, const char *cache_dir)
{
	kt_vec_for_each (&vms->v, vm) {
		if (vm->image)
			vm->kernel = release_of(vm->image, cache_dir);
		if (!vm->kernel)
			vm->kernel = release_seen(vm, cache_dir);
	}
}

/* How many images are looked at: the fence keeps a file open for each. */
#define IMAGES_MAX 256

/*
 * The images are named by processes of whoever, and may be made to harm who parses them. Forgets
 * the images that are one too many. False: no memory.
 */
static bool put_up_fence(struct vms *vms, const char *cache_dir)
{
	struct kt_fence fence = {0};
	bool ok = kt_vec_push(&fence.places, (struct kt_fence_place){"/usr/lib", KT_FENCE_READ}) &&
		  kt_vec_push(&fence.places, (struct kt_fence_place){"/proc/self", KT_FENCE_READ});

	if (cache_dir) {
		kt_error_destroy(kt_mkdir_p(cache_dir, 0700));
		ok &= kt_vec_push(&fence.places,
				  (struct kt_fence_place){cache_dir, KT_FENCE_WRITE});
	}
	kt_vec_for_each (&vms->v, vm) {
		if (fence.places.len > IMAGES_MAX)
			free(kt_take_ptr(vm->image));
		if (vm->image)
			ok &= kt_vec_push(&fence.places,
					  (struct kt_fence_place){vm->image, KT_FENCE_READ});
	}
	if (ok)
		kt_fence_put_up(&fence);
	kt_vec_free(&fence.places);
	return ok;
}

static int list(const struct cli_output *output, bool no_cache)
{
	_cleanup_free_ char *cache_dir = no_cache ? NULL : kt_cache_dir(), *text = NULL;
	_cleanup_(vms_deinit) struct vms vms = {0};
	const struct host_proc proc = {.root = "/proc", .uid = geteuid()};
	struct kt_error *err = cli_output_check(output);
	struct render_grid grid;
	int status;

	if (!err)
		err = host_vms_read(&proc, &vms);
	if (err)
		return cli_fail(err);
	add_users(&vms);
	if (!put_up_fence(&vms, cache_dir))
		return cli_fail(kt_error_no_memory());
	cli_progress("reading the kernels' images");
	add_kernels(&vms, cache_dir);
	cli_progress(NULL);
	grid = render_vms_grid(&vms);
	err = render_grid_sort(&grid, output->sort);
	if (!err)
		err = output->json ? render_vms_json(&grid, &text)
				   : cli_render_grid(&grid, output, cli_terminal_width(), &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (!vms.v.len && !output->json && !output->csv)
		cli_note("this user sees no QEMU process on this host");
	return status;
}

static struct render_grid columns(void)
{
	struct vms none = {0};

	return render_vms_grid(&none);
}

struct command_line {
	struct cli_output output;
	bool no_cache;
};

/* clang-format off */
static const struct cli_option own_options[] = {
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first, ids the smallest; -KEY turns "
	 "it around"},
	{"output", 'o', "LIST",
	 "columns: pid, name, uuid, uid, user, arch, accel, vcpus, memory, kernel, image, target, ways, "
	 "why"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a VM"},
	{"no-cache", CLI_OPT_NO_CACHE, NULL,
	 "do not use, or fill, the cache of kernels"},
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct command_line *line = context;
	bool taken;

	if (option->value != CLI_OPT_NO_CACHE)
		return cli_output_option(&line->output, option->value, arg, &taken);
	line->no_cache = true;
	return NULL;
}

static int run_command(int argc, char **argv)
{
	const struct render_grid grid = columns();
	struct command_line line = {.output.grid = &grid};
	int status = cli_parse(&cli_list_command, argc, argv, take_option, &line);

	if (status != CLI_GO_ON)
		return status;
	if (argc > optind)
		return cli_fail(kt_error_new(KT_ERROR_USAGE, "list takes no argument, not \"%s\"",
					     argv[optind]));
	return list(&line.output, line.no_cache);
}

/* clang-format off */
const struct cli_command cli_list_command = {
	.name = "list",
	.summary = "the VMs of this host, and how to reach them",
	.section = CLI_HOST,
	.uses = {{"list", "the VMs of this host, and how to reach them"}},
	.synopsis = "list [OPTION...]",
	.text = "Lists the QEMU processes of this host that this user may see, and the TARGET by\n"
		"which each can be read. No guest is stopped, and no monitor is connected to.\n"
		"\n"
		"TARGET is a libvirt domain, a QMP monitor or a GDB stub; BUT says why there is\n"
		"none, or why it does not work now. pid:N is a TARGET, too: the same, by QEMU's\n"
		"process. ACCEL and CPUS are those in use under KVM, if the process is this\n"
		"user's, and else what the command line says. KERNEL is that of the image that\n"
		"QEMU booted, or what ktstr-gdb last saw at this TARGET, then in parentheses.",
	.groups = {
		{"Options", own_options, NULL},
	},
	.examples = {{"ktstr-gdb list",
		      NULL},
		     {"ktstr-gdb list --json",
		      NULL}},
	.grid = columns,
	.see = "virsh(1)",
	.takes = CLI_TAKES_NOTHING,
	.run = run_command,
};
/* clang-format on */
