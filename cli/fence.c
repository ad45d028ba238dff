// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "cli/fence.h"
#include "util/cleanup.h"
#include "util/fence.h"
#include "util/io.h"

/* Read by the C library, and by the sanitizers after a crash. They hold no secrets. */
static const char *const of_system[] = {
	"/usr/lib",       "/usr/lib64",     "/usr/share",
	"/etc/localtime", "/proc/self/exe", "/sys/devices/system/cpu/online",
};

/* Read to resolve the name of a host. */
static const char *const of_resolver[] = {
	"/lib",
	"/etc/gai.conf",
	"/etc/host.conf",
	"/etc/hosts",
	"/etc/ld.so.cache",
	"/etc/nsswitch.conf",
	"/etc/resolv.conf",
	"/etc/services",
	"/run/systemd/resolve",
	"/dev/urandom",
};

static bool add(struct kt_fence *fence, enum kt_fence_right right, const char *path)
{
	return !path || kt_vec_push(&fence->places, (struct kt_fence_place){path, right});
}

static bool add_places(struct kt_fence *fence, const struct kfacts_sources *files,
		       const char *cache_dir, const char *results_dir)
{
	/* The guardian (gdbrsp/guardian.h) reads there whether its parent is stopped. */
	bool ok = add(fence, KT_FENCE_READ, "/proc/self");

	for (size_t i = 0; i < sizeof(of_system) / sizeof(*of_system); i++)
		ok &= add(fence, KT_FENCE_READ, of_system[i]);
	for (size_t i = 0; fence->tcp_port && i < sizeof(of_resolver) / sizeof(*of_resolver); i++)
		ok &= add(fence, KT_FENCE_READ, of_resolver[i]);
	ok &= add(fence, KT_FENCE_READ, files->image);
	ok &= add(fence, KT_FENCE_READ, files->btf);
	ok &= add(fence, KT_FENCE_READ, files->system_map);
	ok &= add(fence, KT_FENCE_READ, files->kallsyms);
	ok &= add(fence, KT_FENCE_WRITE, "/dev/null");
	ok &= add(fence, KT_FENCE_WRITE, cache_dir);
	ok &= add(fence, KT_FENCE_WRITE, results_dir);
	return ok;
}

struct kt_error *cli_fence(const struct rsp_target *target, const struct kfacts_sources *files,
			   const char *cache_dir, const char *results_dir)
{
	struct kt_fence fence = {.tcp_port = target->port ? (uint16_t)atoi(target->port) : 0};
	bool ok;

	/* Only a place that exists can be allowed. Without it, nothing is cached. */
	if (cache_dir)
		kt_error_destroy(kt_mkdir_p(cache_dir, 0700));
	ok = add_places(&fence, files, cache_dir, results_dir);
	if (ok)
		kt_fence_put_up(&fence);
	kt_vec_free(&fence.places);
	return ok ? NULL : kt_error_no_memory();
}
