// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "memory/pages.h"
#include "util/cleanup.h"

#define PAGE_SIZE  4096u /* no machine has smaller ones */
#define TABLE_SIZE (2 * PAGES_MAX)

struct page {
	gaddr_t addr;
	uint8_t *data; /* NULL: it is not mapped */
};

struct pages {
	struct gmem below;
	struct page all[PAGES_MAX];
	size_t n;
	size_t table[TABLE_SIZE]; /* by address: 1 + the index in all; 0: free */
};

struct pages *pages_create(struct gmem below)
{
	struct pages *pages = calloc(1, sizeof(*pages));

	if (pages)
		pages->below = below;
	return pages;
}

void pages_destroy(struct pages *pages)
{
	if (!pages)
		return;
	for (size_t i = 0; i < pages->n; i++)
		free(pages->all[i].data);
	free(pages);
}

/* Where the page is in the table, or would be. */
static size_t *find(struct pages *pages, gaddr_t addr)
{
	size_t i = (size_t)(addr / PAGE_SIZE * UINT64_C(0x9e3779b97f4a7c15) >> 32) % TABLE_SIZE;

	while (pages->table[i] && pages->all[pages->table[i] - 1].addr != addr)
		i = (i + 1) % TABLE_SIZE;
	return &pages->table[i];
}

static gaddr_t first_page(const struct gmem_read *read)
{
	return read->addr & ~(gaddr_t)(PAGE_SIZE - 1);
}

/* How many pages a piece touches; 0 for one that goes beyond the end of all addresses. */
static size_t count_pages(const struct gmem_read *read)
{
	gaddr_t last = read->addr + (read->len - 1);

	return last < read->addr ? 0 : (size_t)((last - first_page(read)) / PAGE_SIZE) + 1;
}

/* Adds what the piece touches and is not there to the batch. */
static bool want(struct pages *pages, const struct gmem_read *read, struct gmem_batch *batch)
{
	size_t n = count_pages(read);

	for (size_t i = 0; i < n && pages->n < PAGES_MAX; i++) {
		struct page page = {.addr = first_page(read) + i * PAGE_SIZE};
		size_t *at = find(pages, page.addr);

		if (*at)
			continue;
		page.data = malloc(PAGE_SIZE);
		if (!page.data || !gmem_batch_add(batch, page.addr, page.data, PAGE_SIZE)) {
			free(page.data);
			return false;
		}
		pages->all[pages->n++] = page;
		*at = pages->n;
	}
	return true;
}

static struct kt_error *fetch(struct pages *pages, const struct gmem_read *reads, size_t count)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t first = pages->n;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < count; i++)
		if (!want(pages, &reads[i], &batch))
			return kt_error_no_memory();
	if (batch.reads.len)
		err = pages->below.read(pages->below.source, batch.reads.data, batch.reads.len);
	for (size_t i = 0; i < batch.reads.len && !err; i++)
		if (batch.reads.data[i].fault)
			free(kt_take_ptr(pages->all[first + i].data));
	return err;
}

/* False: a page of it is not kept, and it has to be read by itself. */
static bool copy(struct pages *pages, struct gmem_read *read)
{
	size_t n = count_pages(read), done = 0;

	read->fault = false;
	for (size_t i = 0; i < n; i++) {
		gaddr_t addr = first_page(read) + i * PAGE_SIZE;
		size_t at = *find(pages, addr), from = (size_t)(i ? 0 : read->addr - addr), len;

		if (!at)
			return false;
		len = PAGE_SIZE - from < read->len - done ? PAGE_SIZE - from : read->len - done;
		if (pages->all[at - 1].data)
			memcpy((uint8_t *)read->buf + done, pages->all[at - 1].data + from, len);
		else
			read->fault = true;
		done += len;
	}
	return n;
}

static struct kt_error *read_pages(void *source, struct gmem_read *reads, size_t count)
{
	struct pages *pages = source;
	struct kt_error *err = fetch(pages, reads, count);

	for (size_t i = 0; i < count && !err; i++)
		if (!copy(pages, &reads[i]))
			err = pages->below.read(pages->below.source, &reads[i], 1);
	return err;
}

struct gmem pages_memory(struct pages *pages)
{
	return (struct gmem){read_pages, pages};
}
