// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What was gathered before a try was interrupted, as bytes, little-endian:
 *
 *	u32 machine, u32 pass, u32 n, n times { u64 virtual, physical, len; u8 flags }
 *	u64 done, and as many bytes: of the pieces that the pass reads, one behind the other
 *
 * The next try goes on with it only if the image has the very same pieces, and if samples of all
 * that is kept are in the guest's memory still. So two kernels are never mixed.
 */
#include <string.h>

#include "memory/gather_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/cursor.h"

/* A stock kernel has some 11 MB. Of more than this, the beginning is kept. */
#define KEPT_MAX ((uint64_t)32 << 20)
/* Of each stretch so long, one sample: some hundred in all, which take a millisecond. */
#define SAMPLE_EVERY ((uint64_t)128 << 10)
#define SAMPLE_LEN   32u

static unsigned int flags_of(const struct gather_piece *p)
{
	return (p->writable ? 1 : 0) | (p->executable ? 2 : 0);
}

/* --- keeping --- */

void gather_keep(const struct gather *g, struct kt_buf *ret)
{
	uint64_t left = g->at.done < KEPT_MAX ? g->at.done : KEPT_MAX;

	kt_buf_deinit(ret);
	if (!left)
		return;
	kt_buf_append_le(ret, g->memory.machine, 4);
	kt_buf_append_le(ret, g->pass, 4);
	kt_buf_append_le(ret, g->pieces.len, 4);
	kt_vec_for_each (&g->pieces, p) {
		kt_buf_append_le(ret, p->virtual, 8);
		kt_buf_append_le(ret, p->physical, 8);
		kt_buf_append_le(ret, p->len, 8);
		kt_buf_append_le(ret, flags_of(p), 1);
	}
	kt_buf_append_le(ret, left, 8);
	kt_vec_for_each (&g->pieces, p) {
		uint64_t n = p->data ? (p->len < left ? p->len : left) : 0;

		kt_buf_append(ret, p->data, (size_t)n);
		left -= n;
	}
	if (kt_buf_failed(ret))
		kt_buf_deinit(ret);
}

/* --- going on --- */

bool gather_kept_open(const struct gather *g, const struct kt_buf *kept, struct gather_kept *ret)
{
	struct kt_cursor c = kt_cursor(kept->data, kept->len, false);
	struct gather_kept out = {0};

	if (!kept->len || kt_cursor_u32(&c) != g->memory.machine)
		return false;
	out.pass = (enum gather_pass)kt_cursor_u32(&c);
	if (out.pass > GATHER_ALL || kt_cursor_u32(&c) != g->pieces.len)
		return false;
	kt_vec_for_each (&g->pieces, p) {
		if (kt_cursor_u64(&c) != p->virtual || kt_cursor_u64(&c) != p->physical ||
		    kt_cursor_u64(&c) != p->len || kt_cursor_u8(&c) != flags_of(p))
			return false;
	}
	out.done = kt_cursor_u64(&c);
	out.data = kt_cursor_bytes(&c, (size_t)out.done);
	if (c.failed || c.pos != c.len || out.done > KEPT_MAX)
		return false;
	*ret = out;
	return true;
}

/*
 * A place in data for a sample of n bytes. It cannot be foreseen, and is not among zeros, which
 * prove nothing, unless there is nothing else.
 */
static size_t choose(const uint8_t *data, size_t len, size_t n, uint64_t *random)
{
	size_t start, places = len - n + 1;

	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
	start = (size_t)(*random >> 33) % places;
	for (size_t i = 0; i < places; i++)
		if (data[(start + i) % places])
			return (start + i) % places;
	return start;
}

struct samples {
	struct gmem_batch batch;
	KT_VEC(const uint8_t *) kept; /* of each read, which goes to the same place in seen */
	uint8_t *seen;
};

static void samples_deinit(struct samples *s)
{
	gmem_batch_deinit(&s->batch);
	kt_vec_free(&s->kept);
	free(s->seen);
}

static bool choose_all(const struct gather *g, const struct gather_kept *kept, struct samples *s)
{
	uint64_t random = (uint64_t)kt_now_ns(), before = 0;

	/* Each piece has one sample more than it has whole stretches, at most. */
	s->seen = malloc((size_t)(kept->done / SAMPLE_EVERY + g->pieces.len) * SAMPLE_LEN + 1);
	if (!s->seen)
		return false;
	kt_vec_for_each (&g->pieces, p) {
		uint64_t n = p->data ? p->len : 0, len;

		n = n < kept->done - before ? n : kept->done - before;
		for (uint64_t at = 0; at < n; at += len) {
			const uint8_t *data = kept->data + before + at;
			size_t size, place;

			len = n - at < SAMPLE_EVERY ? n - at : SAMPLE_EVERY;
			size = len < SAMPLE_LEN ? (size_t)len : SAMPLE_LEN;
			place = choose(data, (size_t)len, size, &random);
			if (!gmem_batch_add(&s->batch, p->physical + at + place,
					    s->seen + s->kept.len * SAMPLE_LEN, size) ||
			    !kt_vec_push(&s->kept, data + place))
				return false;
		}
		before += n;
	}
	return true;
}

static bool samples_hold(const struct samples *s)
{
	for (size_t i = 0; i < s->kept.len; i++) {
		const struct gmem_read *read = &s->batch.reads.data[i];

		if (read->fault || memcmp(s->seen + i * SAMPLE_LEN, s->kept.data[i], read->len))
			return false;
	}
	return true;
}

/* Puts what is kept into the ranges, and where reading goes on into g->at. */
static void take_up(struct gather *g, const struct gather_kept *kept)
{
	g->at = (struct gather_progress){0};
	for (; g->at.piece < g->pieces.len; g->at.piece++) {
		struct gather_piece *p = &g->pieces.data[g->at.piece];
		uint64_t left = kept->done - g->at.done, n = p->len < left ? p->len : left;

		if (!p->data)
			continue;
		memcpy(p->data, kept->data + g->at.done, (size_t)n);
		g->at.done += n;
		if (n < p->len) {
			g->at.offset = n;
			return;
		}
	}
}

struct kt_error *gather_go_on(struct gather *g, const struct gather_kept *kept, bool *same_ret)
{
	_cleanup_(samples_deinit) struct samples samples = {0};
	uint64_t room = 0;
	struct kt_error *err;

	*same_ret = false;
	kt_vec_for_each (&g->pieces, p)
		room += p->data ? p->len : 0;
	if (kept->done > room)
		return NULL;
	if (!choose_all(g, kept, &samples))
		return kt_error_no_memory();
	err = gather_rest(g);
	if (!err)
		err = gather_stop(g);
	if (!err)
		err = gmem_batch_read(&samples.batch, g->source.read_physical, g->source.context);
	err = gather_resume(g, err);
	if (err)
		return err;
	*same_ret = samples_hold(&samples);
	if (*same_ret)
		take_up(g, kept);
	return NULL;
}
