// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reading a guest of whose kernel there is no file. */
#include <unistd.h>

#include "btf/record.h"
#include "cli/cli.h"
#include "introspect/gather_stub.h"
#include "util/cleanup.h"
#include "util/clock.h"

static struct kt_error *gather_once(const struct rsp_target *target, const struct cli_guest *guest,
				    struct gathered *ret, bool *was_paused)
{
	struct gather_stub stub = {.target = target};
	struct rsp_options options;
	struct gather_stops stops;
	struct kt_error *err = cli_stub_options(guest, &options);

	if (err)
		return err;
	stub.options = &options;
	stops = gather_stub_stops(&stub);
	err = gather_kernel(&stops, 0, ret);
	gather_stub_deinit(&stub);
	*was_paused |= stub.was_paused;
	return err;
}

static struct kt_error *gather(const struct rsp_target *target, const struct cli_guest *guest,
			       struct gathered *ret, bool *was_paused)
{
	int64_t deadline = kt_deadline_ms((int64_t)(guest->wait_s * 1000));

	for (;;) {
		struct kt_error *err;

		cli_progress("reading the kernel out of the guest's memory");
		err = gather_once(target, guest, ret, was_paused);
		if (!err || !cli_worth_waiting(err) || !kt_deadline_left_ms(deadline))
			return err;
		cli_progress("waiting for the guest");
		if (cli_sleep_ms(500))
			return err;
		kt_error_destroy(err);
	}
}

/* Facts of a recorded kernel, which is a file as any other; other files come before it. */
static struct kt_error *load(const char *path, const struct cli_guest *guest, unsigned int objects,
			     struct cli_result *result, struct kfacts **ret)
{
	struct kfacts_sources sources = cli_sources(guest);

	sources.image = path;
	sources.image_name = "the guest's kernel, as its memory has it";
	return cli_load_facts(&sources, !guest->no_cache, objects, ret, &result->resolve_ns,
			      &result->cached);
}

/* Of what was gathered: from the cache if this build was seen before. */
static struct kt_error *load_gathered(const struct gathered *gathered, const char *cache_dir,
				      const char *place, const struct cli_guest *guest,
				      unsigned int objects, struct cli_result *result,
				      struct kfacts **ret)
{
	struct cache_name key = record_key(&gathered->kernel);
	_cleanup_free_ char *path = record_find(cache_dir, &key);
	_cleanup_close_ int fd = -1;
	struct kt_error *err;

	if (!path) {
		err = record_write(&gathered->kernel, &gathered->place, &fd);
		if (err)
			return err;
		record_store(cache_dir, &key, fd);
	}
	record_store_place(cache_dir, place, &key);
	return load(path ? path : record_path(fd).s, guest, objects, result, ret);
}

/* *found_ret: the kernel that was last seen here is here still, and was read. */
static struct kt_error *inspect_seen(const struct rsp_target *target, const struct cli_guest *guest,
				     const char *cache_dir, const struct inspect_options *what,
				     struct cli_result *result, struct kfacts **facts_ret,
				     bool *found_ret)
{
	_cleanup_free_ char *path = NULL;
	struct cache_name key;
	struct kt_error *err;

	*found_ret = false;
	if (!record_load_place(cache_dir, target->text, &key))
		return NULL;
	path = record_find(cache_dir, &key);
	err = path ? load(path, guest, what->objects, result, facts_ret) : NULL;
	if (!path || err) {
		/* Not there any more, or not as it was: then from memory again. */
		kt_error_destroy(err);
		return NULL;
	}
	err = cli_inspect(target, guest, *facts_ret, what, result->inspection);
	*found_ret = !err;
	if (err && kt_error_code(err) == KT_ERROR_MISMATCH) {
		kt_error_destroy(err);
		kfacts_destroy(*facts_ret);
		*facts_ret = NULL;
		return NULL;
	}
	return err;
}

struct kt_error *cli_inspect_unknown(const struct rsp_target *target, const struct cli_guest *guest,
				     const struct inspect_options *what, struct cli_result *result,
				     struct kfacts **facts_ret)
{
	_cleanup_free_ char *cache_dir = guest->no_cache ? NULL : cli_cache_dir();
	_cleanup_(gathered_deinit) struct gathered gathered = {0};
	bool found, was_paused = false;
	struct kt_error *err;

	err = inspect_seen(target, guest, cache_dir, what, result, facts_ret, &found);
	if (err || found)
		return err;
	err = gather(target, guest, &gathered, &was_paused);
	if (!err)
		err = load_gathered(&gathered, cache_dir, target->text, guest, what->objects,
				    result, facts_ret);
	if (!err)
		err = cli_inspect(target, guest, *facts_ret, what, result->inspection);
	if (err)
		return err;
	result->gathered = gathered.stats;
	result->inspection->was_paused |= was_paused;
	return NULL;
}
