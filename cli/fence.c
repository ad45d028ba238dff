// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a process that reads a guest may still open; docs/security.md tells why. */
#include <stdlib.h>

#include "btf/cache.h"
#include "cli/cli.h"
#include "util/cleanup.h"
#include "util/fence.h"

/* For the C library, and for what a crash has to say. None of these is anybody's secret. */
static const char *const of_system[] = {
	"/usr/lib",       "/usr/lib64",     "/usr/share",
	"/etc/localtime", "/proc/self/exe", "/sys/devices/system/cpu/online",
};

/* For the names of hosts. */
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

static bool add_places(struct kt_fence *fence, const struct cli_guest *guest, const char *cache_dir,
		       const char *results_dir)
{
	/* The guardian looks there whether its parent is stopped. */
	bool ok = add(fence, KT_FENCE_READ, "/proc/self");

	for (size_t i = 0; i < sizeof(of_system) / sizeof(*of_system); i++)
		ok &= add(fence, KT_FENCE_READ, of_system[i]);
	for (size_t i = 0; fence->tcp_port && i < sizeof(of_resolver) / sizeof(*of_resolver); i++)
		ok &= add(fence, KT_FENCE_READ, of_resolver[i]);
	ok &= add(fence, KT_FENCE_READ, guest->vmlinux);
	ok &= add(fence, KT_FENCE_READ, guest->btf);
	ok &= add(fence, KT_FENCE_READ, guest->system_map);
	ok &= add(fence, KT_FENCE_READ, guest->kallsyms);
	ok &= add(fence, KT_FENCE_WRITE, "/dev/null");
	ok &= add(fence, KT_FENCE_WRITE, cache_dir);
	ok &= add(fence, KT_FENCE_WRITE, results_dir);
	return ok;
}

struct kt_error *cli_fence(const struct rsp_target *target, const struct cli_guest *guest,
			   const char *results_dir)
{
	_cleanup_free_ char *cache_dir = guest->no_cache ? NULL : cli_cache_dir();
	struct rsp_options options;
	struct kt_fence fence = {.tcp_port = target->port ? (uint16_t)atoi(target->port) : 0};
	/* What is open stays so. */
	struct kt_error *err = cli_stub_options(guest, &options);

	if (err)
		return err;
	if (cache_dir)
		cache_make_dir(cache_dir);
	if (add_places(&fence, guest, cache_dir, results_dir))
		kt_fence_put_up(&fence);
	else
		err = kt_error_no_memory();
	kt_vec_free(&fence.places);
	return err;
}
