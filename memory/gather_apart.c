// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <sys/mman.h>

#include "memory/gather_apart.h"
#include "memory/gather_stub.h"
#include "memory/reader_fence.h"
#include "util/apart.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/io.h"

/* Of a result. A record has at most what is gathered (96 MiB) and its symbols. */
#define RESULT_MAX ((size_t)256 << 20)
/* For a child that hangs. Each wait of its own has a deadline, and there are some hundred. */
#define TIMEOUT_MS 600000

/*
 * A result is the numbers of struct gather_stats, eight bytes each, little-endian, in the order of
 * the structure; and then the record.
 */
#define STATS_LEN 40

struct work {
	const struct rsp_target *target;
	const struct rsp_options *options;
};

static struct kt_error *pack(const struct gathered *gathered, struct kt_buf *result)
{
	const struct gather_stats *stats = &gathered->stats;
	_cleanup_(kt_buf_deinit) struct kt_buf record = KT_BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct kt_error *err = record_write(&gathered->kernel, &gathered->place, &fd);

	if (!err)
		err = kt_read_all(fd, RESULT_MAX - STATS_LEN, &record);
	if (err)
		return err;
	kt_buf_append_le(result, stats->stops, 8);
	kt_buf_append_le(result, (uint64_t)stats->longest_ns, 8);
	kt_buf_append_le(result, (uint64_t)stats->paused_ns, 8);
	kt_buf_append_le(result, (uint64_t)stats->total_ns, 8);
	kt_buf_append_le(result, stats->bytes, 8);
	kt_buf_append(result, record.data, record.len);
	return NULL;
}

static struct kt_error *gather_behind_fence(void *arg, struct kt_buf *result)
{
	const struct work *work = arg;
	struct gather_stub stub = {.target = work->target, .options = work->options};
	const struct gather_stops stops = gather_stub_stops(&stub);
	const struct gather_options options = {0};
	struct gathered gathered;
	struct kt_error *err;

	reader_fence_put_up(work->target);
	err = gather_kernel(&stops, &options, &gathered);
	gather_stub_deinit(&stub);
	if (err)
		return err;
	err = pack(&gathered, result);
	gathered_deinit(&gathered);
	return err;
}

static struct kt_error *unpack(const struct kt_buf *result, struct gather_stats *stats_ret,
			       int *fd_ret)
{
	struct kt_cursor c = kt_cursor(result->data, result->len, false);
	_cleanup_close_ int fd = memfd_create("gathered kernel", MFD_CLOEXEC);
	struct gather_stats stats = {
		.stops = (size_t)kt_cursor_u64(&c),
		.longest_ns = (int64_t)kt_cursor_u64(&c),
		.paused_ns = (int64_t)kt_cursor_u64(&c),
		.total_ns = (int64_t)kt_cursor_u64(&c),
		.bytes = kt_cursor_u64(&c),
	};
	struct kt_error *err;

	if (c.failed || c.pos == c.len)
		return kt_error_new(KT_ERROR_PROTOCOL,
				    "the process that reads the kernel out of the guest's memory "
				    "has a result that makes no sense");
	if (fd < 0)
		return kt_error_os(errno, "cannot create a file in memory");
	err = kt_write_all(fd, result->data + c.pos, c.len - c.pos);
	if (err)
		return kt_error_wrap(err, "cannot write to a file in memory");
	*stats_ret = stats;
	*fd_ret = kt_take_fd(&fd);
	return NULL;
}

struct kt_error *gather_kernel_apart(const struct rsp_target *target,
				     const struct rsp_options *options,
				     struct gather_stats *stats_ret, int *fd_ret)
{
	struct work work = {target, options};
	const int keep[] = {options->cancel_fd, options->trace ? fileno(options->trace) : -1};
	const struct kt_apart apart = {
		.name = "ktstr-gather",
		.what = "the process that reads the kernel out of the guest's memory",
		.work = gather_behind_fence,
		.arg = &work,
		.keep = keep,
		.n_keep = sizeof(keep) / sizeof(*keep),
		.max = RESULT_MAX,
		.timeout_ms = TIMEOUT_MS,
		.cancel_fd = options->cancel_fd,
	};
	_cleanup_(kt_buf_deinit) struct kt_buf result = KT_BUF_INIT;
	struct kt_error *err = kt_apart(&apart, &result);

	return err ? err : unpack(&result, stats_ret, fd_ret);
}
