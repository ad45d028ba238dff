// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "btf/vmcoreinfo.h"
#include "gdbrsp/client.h"
#include "memory/gather_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/cursor.h"

#define DEFAULT_STOP_NS  INT64_C(3000000)
#define DEFAULT_TOTAL_NS INT64_C(4000000000)
/* Bytes that a stop reads: first; at least; at most, where stops are few. */
#define SIZE_FIRST ((size_t)RSP_GLANCE_MAX)
#define SIZE_MIN   (SIZE_FIRST / 2)
#define SIZE_MOST  ((size_t)1 << 20)
/* Reading in a stop may take so many times as long where all would take too long. */
#define LONGER 6
/* A stretch of read-only data that is shorter is a module's, if anything. */
#define CONSTANTS_MIN ((uint64_t)256 << 10)
/* So often a guest is stopped until one of its vCPUs is in no guest of its own. */
#define NESTED_TRIES 50
/* The most that is read; of a stock kernel it is some 11 MB. */
#define BYTES_MAX ((uint64_t)96 << 20)

struct kt_error *gather_stop(struct gather *g)
{
	struct kt_error *err = g->stops->stop(g->stops->context, &g->source);

	g->stopped = !err;
	if (!err && !g->source.read_physical)
		err = kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						 "the stub cannot read physical memory"),
				    "use QEMU's own stub, 4.1 or later");
	return err;
}

static void count_stop(struct gather *g, int64_t pause)
{
	g->stats.stops++;
	g->stats.paused_ns += pause;
	g->last_pause_ns = pause;
	if (pause > g->stats.longest_ns)
		g->stats.longest_ns = pause;
}

struct kt_error *gather_resume(struct gather *g, struct kt_error *err)
{
	struct kt_error *own;
	int64_t pause = 0;

	if (!g->stopped)
		return err;
	own = g->stops->resume(g->stops->context, &pause);
	g->stopped = false;
	count_stop(g, pause);
	return kt_error_join(err, own);
}

struct kt_error *gather_rest(struct gather *g)
{
	return g->stops->rest ? g->stops->rest(g->stops->context, g->last_pause_ns) : NULL;
}

static struct kt_error *find_image(struct gather *g, const struct record_known **known_ret)
{
	struct kt_error *err = gather_stop(g);

	if (!err)
		err = source_explain(&g->source, gather_find_image(g));
	if (!err)
		err = gather_recognise(g, known_ret);
	return gather_resume(g, err);
}

/* --- reading --- */

static bool is_read(const struct gather_piece *p, enum gather_pass pass)
{
	switch (pass) {
	case GATHER_CONSTANTS: return !p->writable && !p->executable;
	case GATHER_READ_ONLY: return !p->writable;
	default: return true;
	}
}

/* Adds what comes next, up to g->size bytes, and moves *at behind it. */
static bool add_next(struct gather *g, struct gmem_batch *batch, struct gather_progress *at)
{
	uint64_t room = g->size;

	for (; room && at->piece < g->pieces.len; at->piece++, at->offset = 0) {
		struct gather_piece *p = &g->pieces.data[at->piece];
		uint64_t n = p->len - at->offset;

		if (!p->data)
			continue;
		n = n < room ? n : room;
		if (!gmem_batch_add(batch, p->physical + at->offset, p->data + at->offset,
				    (size_t)n))
			return false;
		room -= n;
		at->offset += n;
		at->done += n;
		if (at->offset < p->len)
			break;
	}
	return true;
}

/*
 * How much the next stop reads. Only what reading took tells that it was too much. What comes
 * before, a busy host and many vCPUs make long, and smaller stops do not make it shorter.
 */
static void choose_size(struct gather *g, const struct gather_look *last, uint64_t left)
{
	int64_t spent_ns = kt_now_ns() - g->start_ns;
	int64_t each_ns = spent_ns / (int64_t)g->stats.stops + 1;
	bool late = spent_ns > g->total_ns ||
		    left / g->size > (uint64_t)((g->total_ns - spent_ns) / each_ns);
	int64_t limit = late ? LONGER * g->stop_ns : g->stop_ns;
	size_t most = late ? SIZE_MOST : SIZE_FIRST;

	if (last->read_ns > limit)
		g->size = g->size / 2 > SIZE_MIN ? g->size / 2 : SIZE_MIN;
	else if (last->read_ns < limit / 3 && g->size < most)
		g->size *= 2;
}

/* One stop that reads. */
static struct kt_error *read_stop(struct gather *g, uint64_t all)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct gather_progress at = g->at;
	struct gather_look look = {0};
	struct kt_error *err;

	if (!add_next(g, &batch, &at))
		return kt_error_no_memory();
	err = g->stops->look(g->stops->context, batch.reads.data, batch.reads.len, &look);
	if (err)
		return err;
	count_stop(g, look.pause_ns);
	if (gmem_batch_fault(&batch, 0, batch.reads.len))
		return kt_error_new(KT_ERROR_FAULT,
				    "the guest's page tables lead to where there is no memory");
	g->stats.bytes += at.done - g->at.done;
	g->at = at;
	choose_size(g, &look, all - at.done);
	return NULL;
}

static struct kt_error *read_all(struct gather *g)
{
	const struct gather_options *o = g->options;
	uint64_t all = 0;

	kt_vec_for_each (&g->pieces, p)
		all += p->data ? p->len : 0;
	while (g->at.done < all) {
		struct kt_error *err = gather_rest(g);

		if (!err)
			err = read_stop(g, all);
		if (err)
			return err;
		if (o->progress)
			o->progress(o->context, g->at.done, all);
	}
	return NULL;
}

/* Allocates memory for what the pass reads: pieces that follow each other get one range. */
static struct kt_error *make_ranges(struct gather *g, enum gather_pass pass)
{
	uint64_t total = 0;

	gather_free_ranges(g);
	g->pass = pass;
	g->at = (struct gather_progress){0};
	for (size_t i = 0; i < g->pieces.len;) {
		const struct gather_piece *first = &g->pieces.data[i];
		struct recover_range range = {.addr = first->virtual};
		uint64_t len = 0;
		size_t end = i;
		uint8_t *data;

		for (; end < g->pieces.len; end++) {
			const struct gather_piece *p = &g->pieces.data[end];

			if (!is_read(p, pass) || p->virtual != first->virtual + len ||
			    total + len + p->len > BYTES_MAX)
				break;
			len += p->len;
		}
		if (end == i || (pass == GATHER_CONSTANTS && len < CONSTANTS_MIN)) {
			/* Not of this pass, or more than there is room for. */
			i = end == i ? i + 1 : end;
			continue;
		}
		data = malloc((size_t)len);
		range.data = data;
		range.len = (size_t)len;
		if (!data || !kt_vec_push(&g->ranges, range)) {
			free(data);
			return kt_error_no_memory();
		}
		for (; i < end; i++) {
			g->pieces.data[i].data = data;
			data += g->pieces.data[i].len;
		}
		total += len;
	}
	return NULL;
}

/* Goes on with what an earlier try left, if it is of this kernel. */
static struct kt_error *take_up_kept(struct gather *g)
{
	struct kt_buf *buf = g->options->kept;
	struct gather_kept kept;
	struct kt_error *err;
	bool same = false;

	if (!buf || !gather_kept_open(g, buf, &kept) || kept.pass != g->pass)
		return NULL;
	err = gather_go_on(g, &kept, &same);
	if (!err)
		kt_buf_deinit(buf);
	return err;
}

static struct kt_error *try_pass(struct gather *g, enum gather_pass pass)
{
	struct kt_error *err = make_ranges(g, pass);

	if (!err)
		err = take_up_kept(g);
	if (!err && g->ranges.len)
		err = read_all(g);
	if (err)
		return err;
	g->memory.ranges = g->ranges.data;
	g->memory.n = g->ranges.len;
	return recover_find(&g->memory, &g->kernel);
}

/*
 * All that is looked for is in memory that is read-only and not executable. If a kernel does not
 * protect its memory so (rodata=off, a CPU without NX), more has to be read.
 */
static struct kt_error *recover(struct gather *g)
{
	struct kt_error *err = NULL;

	for (int pass = GATHER_CONSTANTS; pass <= GATHER_ALL; pass++) {
		kt_error_destroy(err);
		err = try_pass(g, (enum gather_pass)pass);
		if (!err || kt_error_code(err) != KT_ERROR_NOT_FOUND)
			return err;
	}
	return err;
}

/* --- where the kernel runs --- */

static struct kt_error *ask_vmcoreinfo(struct gather *g)
{
	struct record_place *place = &g->place;
	char text[VMCOREINFO_MAX];
	struct kt_error *err;
	bool known = false;
	size_t len = 0;

	*place = (struct record_place){
		.text = g->kernel.text ? g->kernel.text : g->image_start,
		.image_start = g->image_start,
		.offset_unknown = true,
	};
	if (!g->kernel.vmcoreinfo_data || !g->kernel.vmcoreinfo_size)
		return NULL;
	for (int i = 1;; i++) {
		err = gather_rest(g);
		if (!err)
			err = gather_stop(g);
		if (!err)
			err = gather_read_vmcoreinfo(g, text, &len);
		err = gather_resume(g, err);
		if (!err || kt_error_code(err) != KT_ERROR_NESTED || i == NESTED_TRIES)
			break;
		kt_error_destroy(err);
	}
	if (!err)
		err = vmcoreinfo_check(text, len, &g->kernel, &place->kaslr_offset, &known);
	place->offset_unknown = !known;
	return err;
}

static void gather_deinit(struct gather *g)
{
	gather_free_ranges(g);
	kt_vec_free(&g->pieces);
	recovered_deinit(&g->kernel);
}

/* The guest or the user ended it, and not what was read. */
static bool was_interrupted(const struct kt_error *err)
{
	switch (kt_error_code(err)) {
	case KT_ERROR_CANCELLED:
	case KT_ERROR_TIMEOUT:
	case KT_ERROR_CLOSED:
	case KT_ERROR_PROTOCOL:
	case KT_ERROR_NESTED:
	case KT_ERROR_OS: return true;
	default: return false;
	}
}

/* Leaves what the next try goes on with. Before this one read anything, that stays as it is. */
static void leave_kept(const struct gather *g, const struct kt_error *err)
{
	if (!g->options->kept)
		return;
	if (!err || !was_interrupted(err))
		kt_buf_deinit(g->options->kept);
	else if (g->at.done)
		gather_keep(g, g->options->kept);
}

struct kt_error *gather_kernel(const struct gather_stops *stops,
			       const struct gather_options *options, struct gathered *ret)
{
	_cleanup_(gather_deinit) struct gather g = {
		.stops = stops,
		.options = options,
		.stop_ns = options->stop_ns ? options->stop_ns : DEFAULT_STOP_NS,
		.total_ns = options->total_ns ? options->total_ns : DEFAULT_TOTAL_NS,
		.start_ns = kt_now_ns(),
		.size = SIZE_FIRST,
	};
	const struct record_known *known = NULL;
	struct kt_error *err;

	err = find_image(&g, &known);
	if (err)
		return err;
	if (!known) {
		err = recover(&g);
		if (!err)
			err = ask_vmcoreinfo(&g);
		leave_kept(&g, err);
	}
	if (err)
		return kt_error_wrap(err, "cannot read the kernel out of the guest's memory");
	g.stats.total_ns = kt_now_ns() - g.start_ns;
	*ret = (struct gathered){
		.known = known,
		.kernel = g.kernel,
		.place = g.place,
		.ranges = g.ranges.data,
		.n_ranges = g.ranges.len,
		.stats = g.stats,
	};
	g.kernel = (struct recovered){0};
	g.ranges.data = NULL;
	g.ranges.len = 0;
	return NULL;
}

void gathered_deinit(struct gathered *gathered)
{
	recovered_deinit(&gathered->kernel);
	for (size_t i = 0; i < gathered->n_ranges; i++)
		free((void *)gathered->ranges[i].data);
	free(gathered->ranges);
	*gathered = (struct gathered){0};
}
