// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/locate.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* The image's blocks (of arch->image_align bytes) that are mapped, in order. */
struct blocks {
	KT_VEC(struct pagetable_query) mapped;
};

static void blocks_deinit(struct blocks *blocks)
{
	kt_vec_free(&blocks->mapped);
}

static struct kt_error *blocks_find(const struct arch *arch, struct pagetable *pt,
				    struct blocks *ret)
{
	size_t n = (size_t)((arch->image_end - arch->image_start) / arch->image_align);
	_cleanup_free_ struct pagetable_query *queries = calloc(n, sizeof(*queries));
	struct kt_error *err;

	if (!queries)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		queries[i].virtual = arch->image_start + i * arch->image_align;
	err = pagetable_probe(pt, queries, n, arch->image_level);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		if (queries[i].mapped && !kt_vec_push(&ret->mapped, queries[i]))
			return kt_error_no_memory();
	return NULL;
}

#define NOTE_GNU_BUILD_ID 3

/* Is the image's build ID among the notes? An ELF note: namesz, descsz, type, name, desc. */
static bool notes_have_build_id(const struct kfacts_kernel *kernel, const uint8_t *notes,
				size_t len)
{
	struct kt_cursor c = kt_cursor(notes, len, kernel->big_endian);

	while (!c.failed && c.pos < c.len) {
		uint32_t namesz = kt_cursor_u32(&c);
		uint32_t descsz = kt_cursor_u32(&c);
		uint32_t type = kt_cursor_u32(&c);
		const uint8_t *name = kt_cursor_bytes(&c, ((size_t)namesz + 3) & ~(size_t)3);
		const uint8_t *desc = kt_cursor_bytes(&c, ((size_t)descsz + 3) & ~(size_t)3);

		if (name && desc && type == NOTE_GNU_BUILD_ID && namesz == 4 &&
		    memcmp(name, "GNU", 4) == 0 && descsz == kernel->build_id_len &&
		    memcmp(desc, kernel->build_id, descsz) == 0)
			return true;
	}
	return false;
}

#define MAX_PROOF 4096

static const char banner_start[] = "Linux version ";

/*
 * What has to be in memory if the image is mapped at a block: its notes, or its banner, of which
 * only the start is known where symbols came without an image. And
 * its data: the user's table under PTI maps the text and what is read-only, but no data, on
 * CPUs without PCID (pti_clone_kernel_text()).
 */
struct proof {
	gaddr_t link;
	size_t len;
	bool by_build_id;
	const char *banner; /* if not by build ID */
	gaddr_t data_link;  /* 0: no symbol of data is known */
};

static bool proof_of(const struct kfacts *facts, struct proof *ret)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(facts);
	gaddr_t data = 0;

	kfacts_symbol(facts, "prog_idr", &data);
	if (kernel->build_id_len && kernel->notes_link && kernel->notes_size) {
		uint64_t len = kernel->notes_size;

		*ret = (struct proof){.link = kernel->notes_link,
				      .len = len < MAX_PROOF ? (size_t)len : MAX_PROOF,
				      .by_build_id = true,
				      .data_link = data};
		return true;
	}
	if (kernel->banner_link) {
		bool known = kernel->banner && kernel->banner[0];
		const char *banner = known ? kernel->banner : banner_start;
		size_t len = strlen(banner);

		*ret = (struct proof){.link = kernel->banner_link,
				      .len = len < MAX_PROOF ? len : MAX_PROOF,
				      .banner = banner,
				      .data_link = data};
		return true;
	}
	return false;
}

static bool proof_holds(const struct kfacts_kernel *kernel, const struct proof *proof,
			const uint8_t *data)
{
	if (proof->by_build_id)
		return notes_have_build_id(kernel, data, proof->len);
	return memcmp(data, proof->banner, proof->len) == 0;
}

/* Virtual memory, by way of the table that is looked through. */
struct reader {
	gmem_read_fn *read;
	void *source;
};

/*
 * Tries the image at each of some blocks, all in one batch. *text_only_ret: it is there, but
 * its data is not mapped.
 */
static struct kt_error *try_bases(const struct reader *reader, const struct kfacts_kernel *kernel,
				  const struct proof *proof, const struct pagetable_query *blocks,
				  size_t n, struct located *seen, bool *text_only_ret)
{
	size_t pieces = proof->data_link ? 2 : 1, size = proof->len + 1;
	_cleanup_free_ uint8_t *data = malloc(n * size);
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	if (!data)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		gaddr_t offset = blocks[i].virtual - kernel->text_link;
		uint8_t *at = data + i * size;

		if (!gmem_batch_add(&batch, proof->link + offset, at, proof->len) ||
		    (proof->data_link &&
		     !gmem_batch_add(&batch, proof->data_link + offset, at + proof->len, 1)))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, reader->read, reader->source);
	if (err)
		return err;
	for (size_t i = 0; i < n && !seen->found; i++) {
		if (batch.reads.data[i * pieces].fault ||
		    !proof_holds(kernel, proof, data + i * size))
			continue;
		*text_only_ret = gmem_batch_fault(&batch, i * pieces, (i + 1) * pieces);
		if (*text_only_ret)
			return NULL;
		seen->found = true;
		seen->kaslr_offset = (int64_t)(blocks[i].virtual - kernel->text_link);
	}
	return NULL;
}

/* Enough of a block's start: linux_banner lies within the first page of the read-only data. */
#define BANNER_REACH 2048

static void banner_copy(struct located *seen, const uint8_t *data, size_t len)
{
	size_t n = 0;

	while (n < len && n < sizeof(seen->banner) - 1 && data[n] >= ' ' && data[n] < 0x7f)
		n++;
	memcpy(seen->banner, data, n);
	seen->banner[n] = '\0';
}

/* The guest's own banner, for the message that it is another kernel's. */
static struct kt_error *find_banner(const struct reader *reader, const struct blocks *blocks,
				    struct located *seen)
{
	size_t n = blocks->mapped.len;
	_cleanup_free_ uint8_t *data = malloc(n * BANNER_REACH + 1);
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	if (!data)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (!gmem_batch_add(&batch, blocks->mapped.data[i].virtual, data + i * BANNER_REACH,
				    BANNER_REACH))
			return kt_error_no_memory();
	err = gmem_batch_read(&batch, reader->read, reader->source);
	if (err)
		return err;
	for (size_t i = 0; i < n && !seen->banner[0]; i++) {
		const uint8_t *block = data + i * BANNER_REACH, *p;

		if (batch.reads.data[i].fault)
			continue;
		p = memmem(block, BANNER_REACH, banner_start, sizeof(banner_start) - 1);
		if (p)
			banner_copy(seen, p, BANNER_REACH - (size_t)(p - block));
	}
	return NULL;
}

struct kt_error *locate_kernel(const struct arch *arch, struct pagetable *pt, gmem_read_fn *read,
			       void *source, const struct kfacts *facts, struct located *seen)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(facts);
	const struct reader reader = {read, source};
	_cleanup_(blocks_deinit) struct blocks blocks = {0};
	struct proof proof;
	bool text_only = false;
	struct kt_error *err;

	if (!proof_of(facts, &proof))
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "the image has neither a build ID nor a banner, so nothing can "
				    "prove that it is the guest's");
	err = blocks_find(arch, pt, &blocks);
	if (err || !blocks.mapped.len)
		return err;
	seen->mapped = true;
	/* _text is the lowest block of all but an early kernel (cleanup_highmap()). */
	err = try_bases(&reader, kernel, &proof, blocks.mapped.data, 1, seen, &text_only);
	if (!err && !seen->found && !text_only)
		err = try_bases(&reader, kernel, &proof, blocks.mapped.data, blocks.mapped.len,
				seen, &text_only);
	seen->text_only |= text_only;
	if (err || seen->found || text_only || seen->banner[0])
		return err;
	return find_banner(&reader, &blocks, seen);
}

struct kt_error *locate_at(gmem_read_fn *read, void *source, const struct kfacts *facts,
			   int64_t kaslr_offset, struct located *seen)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(facts);
	const struct pagetable_query block = {
		.virtual = kernel->text_link + (uint64_t)kaslr_offset,
	};
	const struct reader reader = {read, source};
	struct proof proof;
	bool text_only;

	return proof_of(facts, &proof)
		       ? try_bases(&reader, kernel, &proof, &block, 1, seen, &text_only)
		       : NULL;
}
