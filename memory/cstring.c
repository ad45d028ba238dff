// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "memory/cstring.h"
#include "util/cleanup.h"

#define PAGE        4096
#define FIRST_PIECE 64 /* names of functions and devices are shorter, as a rule */
#define PIECE       512

void cstring_deinit(struct cstring *string)
{
	kt_buf_deinit(&string->text);
	*string = (struct cstring){0};
}

static bool is_over(const struct cstring *string)
{
	return string->known || string->failed;
}

/* A piece never crosses a page: the string may end in the last page that is mapped. */
static size_t next_len(const struct cstring *string)
{
	size_t to_page = PAGE - (size_t)((string->addr + string->text.len) & (PAGE - 1));
	size_t len = string->text.len ? PIECE : FIRST_PIECE;

	len = len < to_page ? len : to_page;
	return len < CSTRING_MAX - string->text.len ? len : CSTRING_MAX - string->text.len;
}

/* Adds the next piece of each string to the batch; *ret tells whether there was one. */
static struct kt_error *begin(struct cstring *strings, size_t n, struct gmem_batch *batch,
			      uint8_t (*pieces)[PIECE])
{
	for (size_t i = 0; i < n; i++) {
		struct cstring *s = &strings[i];

		s->failed = s->failed || !s->addr || s->text.len >= CSTRING_MAX;
		if (is_over(s))
			continue;
		s->piece = batch->reads.len;
		if (!gmem_batch_add(batch, s->addr + s->text.len, pieces[i], next_len(s)))
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *take(struct cstring *strings, size_t n, const struct gmem_batch *done)
{
	for (size_t i = 0; i < n; i++) {
		struct cstring *s = &strings[i];
		const struct gmem_read *read;
		const char *end;

		if (is_over(s))
			continue;
		read = &done->reads.data[s->piece];
		s->failed = read->fault;
		if (read->fault)
			continue;
		end = memchr(read->buf, '\0', read->len);
		kt_buf_append(&s->text, read->buf,
			      end ? (size_t)(end - (const char *)read->buf) : read->len);
		s->known = end;
		if (kt_buf_failed(&s->text))
			return kt_error_no_memory();
	}
	return NULL;
}

struct kt_error *cstrings_read(const struct gmem *memory, struct cstring *strings, size_t n)
{
	_cleanup_free_ uint8_t(*pieces)[PIECE] = calloc(n + 1, sizeof(*pieces));
	struct kt_error *err = pieces ? NULL : kt_error_no_memory();
	bool more = true;

	/* Each turn reads a byte at least of each string, so that CSTRING_MAX bounds it. */
	while (!err && more) {
		_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};

		err = begin(strings, n, &batch, pieces);
		more = batch.reads.len;
		if (!err && more)
			err = gmem_batch_read(&batch, memory->read, memory->source);
		if (!err)
			err = take(strings, n, &batch);
	}
	return err;
}
