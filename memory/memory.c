// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "memory/memory.h"
#include "util/cleanup.h"
#include "util/radix.h"

/*
 * A gap that is cheaper to read than a request of its own: QEMU 7.2 needs about 4 us for
 * a pipelined request and 7 ns for each byte of its reply.
 */
#define MERGE_GAP 512

/* The longest merged piece: it fits into one `m` with QEMU 7.2's PacketSize of 0x1000. */
#define MERGE_MAX 2048

#define PAGE_SHIFT 12

bool gmem_batch_add(struct gmem_batch *batch, gaddr_t addr, void *buf, size_t len)
{
	if (!len)
		return true;
	return kt_vec_push(&batch->reads,
			   (struct gmem_read){.addr = addr, .len = len, .buf = buf, .fault = true});
}

bool gmem_batch_fault(const struct gmem_batch *batch, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (batch->reads.data[i].fault)
			return true;
	return false;
}

void gmem_batch_deinit(struct gmem_batch *batch)
{
	kt_vec_free(&batch->reads);
}

/* A merged request: the pieces order[first .. first + count) of the batch. */
struct span {
	gaddr_t addr;
	size_t len;
	size_t first, count;
	uint8_t *data;
};

struct merged {
	struct gmem_read **order; /* the batch's pieces by address */
	KT_VEC(struct span) spans;
	KT_VEC(struct gmem_read) requests; /* one for each span */
	uint8_t *data;                     /* what the spans of several pieces read into */
};

static void merged_deinit(struct merged *m)
{
	free(m->order);
	kt_vec_free(&m->spans);
	kt_vec_free(&m->requests);
	free(m->data);
}

/* The piece may join the span: only pages that one of them touches would be read. */
static bool span_takes(const struct span *span, const struct gmem_read *piece)
{
	gaddr_t end = span->addr + span->len;
	gaddr_t piece_end = piece->addr + piece->len;

	if (end < span->addr || piece_end < piece->addr) /* wraps around the top */
		return false;
	if (piece->addr > end) {
		gaddr_t last_page = (end - 1) >> PAGE_SHIFT;

		if (piece->addr - end > MERGE_GAP)
			return false;
		if (piece->addr >> PAGE_SHIFT > last_page + 1)
			return false;
	}
	return (piece_end > end ? piece_end : end) - span->addr <= MERGE_MAX;
}

/* The pieces of the batch by address. NULL: no memory. */
static struct gmem_read **by_address(struct gmem_batch *batch)
{
	size_t n = batch->reads.len;
	_cleanup_free_ struct kt_radix *keys = malloc(n * sizeof(*keys));
	struct gmem_read **ret = malloc(n * sizeof(struct gmem_read *));

	for (size_t i = 0; keys && i < n; i++)
		keys[i] = (struct kt_radix){batch->reads.data[i].addr, i};
	if (!ret || !keys || !kt_radix_sort(keys, n)) {
		free(ret);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = &batch->reads.data[keys[i].index];
	return ret;
}

static bool merged_build(struct merged *m, struct gmem_batch *batch)
{
	size_t n = batch->reads.len, total = 0;
	uint8_t *data;

	m->order = by_address(batch);
	if (!m->order)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct gmem_read *piece = m->order[i];
		struct span *last = m->spans.len ? &m->spans.data[m->spans.len - 1] : NULL;

		if (last && span_takes(last, piece)) {
			size_t len = (size_t)(piece->addr - last->addr) + piece->len;

			last->len = len > last->len ? len : last->len;
			last->count++;
		} else if (!kt_vec_push(&m->spans, (struct span){.addr = piece->addr,
								 .len = piece->len,
								 .first = i,
								 .count = 1})) {
			return false;
		}
	}

	kt_vec_for_each (&m->spans, span)
		total += span->count > 1 ? span->len : 0;
	m->data = data = malloc(total + 1);
	if (!data || !kt_vec_reserve(&m->requests, m->spans.len))
		return false;
	kt_vec_for_each (&m->spans, span) {
		if (span->count > 1) {
			span->data = data;
			data += span->len;
		} else {
			span->data = m->order[span->first]->buf;
		}
		kt_vec_push(&m->requests, (struct gmem_read){.addr = span->addr,
							     .len = span->len,
							     .buf = span->data});
	}
	return true;
}

/* Copies what the spans read to their pieces. The pieces of spans that faulted go to *again. */
static bool merged_scatter(struct merged *m, struct gmem_batch *again, struct gmem_read ***owners,
			   size_t *n_owners)
{
	size_t n_again = 0;

	for (size_t i = 0; i < m->spans.len; i++)
		if (m->requests.data[i].fault && m->spans.data[i].count > 1)
			n_again += m->spans.data[i].count;
	*n_owners = 0;
	*owners = n_again ? malloc(n_again * sizeof(**owners)) : NULL;
	if (n_again && !*owners)
		return false;

	for (size_t i = 0; i < m->spans.len; i++) {
		const struct span *span = &m->spans.data[i];
		bool fault = m->requests.data[i].fault;

		for (size_t j = 0; j < span->count; j++) {
			struct gmem_read *piece = m->order[span->first + j];

			piece->fault = fault;
			if (span->count == 1)
				continue;
			if (fault) {
				if (!gmem_batch_add(again, piece->addr, piece->buf, piece->len))
					return false;
				(*owners)[(*n_owners)++] = piece;
			} else {
				memcpy(piece->buf, span->data + (piece->addr - span->addr),
				       piece->len);
			}
		}
	}
	return true;
}

struct kt_error *gmem_batch_read(struct gmem_batch *batch, gmem_read_fn *fn, void *source)
{
	_cleanup_(merged_deinit) struct merged m = {0};
	_cleanup_(gmem_batch_deinit) struct gmem_batch again = {0};
	_cleanup_free_ struct gmem_read **owners = NULL;
	struct kt_error *err;
	size_t n_owners;

	if (!batch->reads.len)
		return NULL;
	if (!merged_build(&m, batch))
		return kt_error_no_memory();
	err = fn(source, m.requests.data, m.requests.len);
	if (err)
		return err;
	if (!merged_scatter(&m, &again, &owners, &n_owners))
		return kt_error_no_memory();
	if (n_owners) {
		err = fn(source, again.reads.data, again.reads.len);
		if (err)
			return err;
		for (size_t i = 0; i < n_owners; i++)
			owners[i]->fault = again.reads.data[i].fault;
	}
	return NULL;
}
