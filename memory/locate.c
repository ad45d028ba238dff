// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "memory/locate.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* Where the image may begin, as run-time addresses of _text. */
struct bases {
	KT_VEC(gaddr_t) all;
	KT_VEC(struct pagetable_range) mapped; /* where images are */
};

static void bases_deinit(struct bases *bases)
{
	kt_vec_free(&bases->all);
	kt_vec_free(&bases->mapped);
}

/* More than a real guest has mappings of text (modules, BPF programs) of 4 KiB each. */
#define MAX_BASES 16384

static bool bases_add(struct bases *bases, gaddr_t base)
{
	return bases->all.len >= MAX_BASES || kt_vec_push(&bases->all, base);
}

/* The image begins at a multiple of image_align: each that is mapped is a candidate. */
static bool bases_by_blocks(struct bases *bases, const struct arch_space *space,
			    const struct pagetable_range *range)
{
	for (uint64_t done = 0; done < range->len; done += space->image_align)
		if (!bases_add(bases, range->virtual + done))
			return false;
	return true;
}

/*
 * The image begins with its text: with _text, or with _stext where the code before it serves only
 * to boot and is not mapped later (arm64 since 5.11).
 */
static bool bases_by_text(struct bases *bases, const struct kfacts *facts,
			  const struct pagetable_range *range, const struct pagetable_range *before)
{
	gaddr_t stext;

	if (!range->executable || (before && before->executable == range->executable &&
				   before->writable == range->writable &&
				   before->virtual + before->len == range->virtual))
		return true;
	if (kfacts_symbol(facts, "_stext", &stext) && stext != kfacts_kernel(facts)->text_link &&
	    !bases_add(bases, range->virtual - (stext - kfacts_kernel(facts)->text_link)))
		return false;
	return bases_add(bases, range->virtual);
}

/* Drops what is no start of an image, where an architecture can tell. */
static struct kt_error *bases_keep_images(struct pagetable *pt, struct bases *bases)
{
	_cleanup_free_ bool *is_image = NULL;
	struct kt_error *err;
	size_t n = 0;

	if (!pagetable_arch(pt)->image_head)
		return NULL;
	is_image = calloc(bases->all.len + 1, sizeof(*is_image));
	if (!is_image)
		return kt_error_no_memory();
	err = pagetable_has_image(pt, bases->all.data, bases->all.len, is_image);
	for (size_t i = 0; i < bases->all.len && !err; i++)
		if (is_image[i])
			bases->all.data[n++] = bases->all.data[i];
	bases->all.len = err ? bases->all.len : n;
	return err;
}

static struct kt_error *bases_find(const struct arch_space *space, struct pagetable *pt,
				   const struct kfacts *facts, struct bases *ret)
{
	_cleanup_(pagetable_ranges_deinit) struct pagetable_ranges ranges = {0};
	struct kt_error *err = pagetable_enumerate(pt, space->image_first, space->image_last,
						   space->image_level, &ranges);

	if (err)
		return err;
	for (size_t i = 0; i < ranges.all.len; i++) {
		const struct pagetable_range *range = &ranges.all.data[i];

		if (!(space->image_align ? bases_by_blocks(ret, space, range)
					 : bases_by_text(ret, facts, range, i ? range - 1 : NULL)))
			return kt_error_no_memory();
	}
	ret->mapped.data = kt_take_ptr(ranges.all.data);
	ret->mapped.len = ranges.all.len;
	ret->mapped.cap = ranges.all.cap;
	return bases_keep_images(pt, ret);
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
 * The proof that the image is mapped at a base: its notes are there with the build ID, or its
 * banner. Where the symbols came without an image, only the start of the banner is known. And its
 * data (prog_idr) is mapped: on CPUs without PCID the user's page table under PTI maps the text and
 * the read-only data only (pti_clone_kernel_text()).
 */
struct proof {
	gaddr_t link;
	size_t len;
	bool by_build_id;
	const char *banner; /* if not by build ID */
	gaddr_t data_link;  /* 0: no symbol of data is known */
	/* panic_cpu and kexec_crash_image; 0: one of them is not known */
	gaddr_t panic_link, crash_link;
};

/* What is read at a base. */
struct proof_bytes {
	uint8_t data;
	uint8_t panic_cpu[4], crash_image[8];
	uint8_t proof[]; /* as many as the proof has */
};

static bool proof_of(const struct kfacts *facts, struct proof *ret)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(facts);
	gaddr_t data = 0, panic = 0, crash = 0;

	kfacts_symbol(facts, "prog_idr", &data);
	if (!kfacts_symbol(facts, "kexec_crash_image", &crash) ||
	    !kfacts_symbol(facts, "panic_cpu", &panic))
		panic = 0;
	if (kernel->build_id_len && kernel->notes_link && kernel->notes_size) {
		uint64_t len = kernel->notes_size;

		*ret = (struct proof){.link = kernel->notes_link,
				      .len = len < MAX_PROOF ? (size_t)len : MAX_PROOF,
				      .by_build_id = true,
				      .data_link = data,
				      .panic_link = panic,
				      .crash_link = crash};
		return true;
	}
	if (kernel->banner_link) {
		bool known = kernel->banner && kernel->banner[0];
		const char *banner = known ? kernel->banner : banner_start;
		size_t len = strlen(banner);

		*ret = (struct proof){.link = kernel->banner_link,
				      .len = len < MAX_PROOF ? len : MAX_PROOF,
				      .banner = banner,
				      .data_link = data,
				      .panic_link = panic,
				      .crash_link = crash};
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

/* One search for the kernel. */
struct search {
	struct pagetable *pt;           /* NULL: only one place is tried */
	const struct arch_space *space; /* pt's */
	const struct gmem *memory;      /* virtual, by way of pt */
	const struct kfacts *facts;
	const struct kfacts_kernel *kernel;
	struct proof proof;
	struct located *seen;
};

/*
 * A kernel that panics with a crash kernel at hand lets that one run, and never runs again. Its
 * memory stays, and so do the page tables of the vCPUs that it stopped. panic_cpu is -1
 * (PANIC_CPU_INVALID) until then.
 */
static bool has_crashed(const struct kfacts_kernel *kernel, const struct proof_bytes *bytes)
{
	return (uint32_t)kt_load_uint(bytes->panic_cpu, 4, kernel->big_endian) != UINT32_MAX &&
	       kt_load_uint(bytes->crash_image, 8, kernel->big_endian);
}

static struct proof_bytes *bytes_at(uint8_t *all, const struct proof *proof, size_t i)
{
	/* Of bytes alone, so that it may lie anywhere. */
	return (struct proof_bytes *)(all + i * (sizeof(struct proof_bytes) + proof->len));
}

static bool add_proof(struct gmem_batch *batch, const struct proof *proof, gaddr_t offset,
		      struct proof_bytes *bytes)
{
	return gmem_batch_add(batch, proof->link + offset, bytes->proof, proof->len) &&
	       (!proof->data_link ||
		gmem_batch_add(batch, proof->data_link + offset, &bytes->data, 1)) &&
	       (!proof->panic_link ||
		(gmem_batch_add(batch, proof->panic_link + offset, bytes->panic_cpu, 4) &&
		 gmem_batch_add(batch, proof->crash_link + offset, bytes->crash_image, 8)));
}

/*
 * Tries the image at each of n bases, in one batch. *useless_ret: the kernel is there, but is none
 * that can be read: seen->text_only or ->crashed says why.
 */
static struct kt_error *try_bases(const struct search *search, const gaddr_t *bases, size_t n,
				  bool *useless_ret)
{
	const struct kfacts_kernel *kernel = search->kernel;
	const struct proof *proof = &search->proof;
	struct located *seen = search->seen;
	size_t of_data = proof->data_link ? 1 : 0, of_panic = proof->panic_link ? 2 : 0;
	size_t pieces = 1 + of_data + of_panic;
	_cleanup_free_ uint8_t *all = malloc(n * (sizeof(struct proof_bytes) + proof->len));
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	if (!all)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (!add_proof(&batch, proof, bases[i] - kernel->text_link,
			       bytes_at(all, proof, i)))
			return kt_error_no_memory();
	err = gmem_batch_read(&batch, search->memory->read, search->memory->source);
	if (err)
		return err;
	for (size_t i = 0; i < n && !seen->found && !*useless_ret; i++) {
		size_t at = i * pieces, data_at = at + 1, panic_at = data_at + of_data;
		const struct proof_bytes *bytes = bytes_at(all, proof, i);

		if (batch.reads.data[at].fault || !proof_holds(kernel, proof, bytes->proof))
			continue;
		if (gmem_batch_fault(&batch, data_at, panic_at))
			*useless_ret = seen->text_only = true;
		else if (of_panic && !gmem_batch_fault(&batch, panic_at, at + pieces) &&
			 has_crashed(kernel, bytes))
			*useless_ret = seen->crashed = true;
		else
			seen->found = true;
		if (seen->found)
			seen->kaslr_offset = (int64_t)(bases[i] - kernel->text_link);
	}
	return NULL;
}

/*
 * So much is read from the start of each place where read-only data may begin. linux_banner is
 * among the first of that data, since init/ is linked first (init/version.c).
 */
#define BANNER_REACH 2048

static void banner_copy(struct located *seen, const uint8_t *data, size_t len)
{
	size_t n = 0;

	while (n < len && n < sizeof(seen->banner) - 1 && data[n] >= ' ' && data[n] < 0x7f)
		n++;
	memcpy(seen->banner, data, n);
	seen->banner[n] = '\0';
}

/*
 * Adds the reads of those places: each place where the image may begin if there is an alignment
 * (that of the read-only data is the same), else each mapping that is read-only and not code.
 */
static struct kt_error *banner_places(const struct arch_space *space, const struct bases *bases,
				      struct gmem_batch *batch, uint8_t **data_ret)
{
	size_t n = space->image_align ? bases->all.len : bases->mapped.len;
	uint8_t *data;

	n = n < MAX_BASES ? n : MAX_BASES;
	data = *data_ret = malloc(n * BANNER_REACH + 1);
	if (!data)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		const struct pagetable_range *range = &bases->mapped.data[i];

		if (!space->image_align && (range->writable || range->executable))
			continue;
		if (!gmem_batch_add(batch, space->image_align ? bases->all.data[i] : range->virtual,
				    data + i * BANNER_REACH, BANNER_REACH))
			return kt_error_no_memory();
	}
	return NULL;
}

/* The guest's own banner, for the message that its kernel is another one. */
static struct kt_error *find_banner(const struct search *search, const struct bases *bases)
{
	struct located *seen = search->seen;
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = banner_places(search->space, bases, &batch, &data);

	if (!err)
		err = gmem_batch_read(&batch, search->memory->read, search->memory->source);
	if (err)
		return err;
	for (size_t i = 0; i < batch.reads.len && !seen->banner[0]; i++) {
		const uint8_t *block = batch.reads.data[i].buf, *p;

		if (batch.reads.data[i].fault)
			continue;
		p = memmem(block, BANNER_REACH, banner_start, sizeof(banner_start) - 1);
		if (p)
			banner_copy(seen, p, BANNER_REACH - (size_t)(p - block));
	}
	return NULL;
}

/* So many bases are tried at once: the right one is likely among the first. */
#define FEW_BASES 512

static struct kt_error *try_all(const struct search *search, const struct bases *bases,
				bool *useless_ret)
{
	struct kt_error *err = NULL;
	/* _text is the lowest block of all but an early kernel (x86-64's cleanup_highmap()). */
	size_t n = 1;

	for (size_t i = 0; !err && i < bases->all.len && !search->seen->found && !*useless_ret;
	     i += n) {
		n = !i ? 1 : bases->all.len - i < FEW_BASES ? bases->all.len - i : FEW_BASES;
		err = try_bases(search, bases->all.data + i, n, useless_ret);
	}
	return err;
}

/* A number of the kernel at a physical address; *known_ret false: nothing is mapped there. */
static struct kt_error *read_number(const struct search *search, gaddr_t physical, uint64_t *ret,
				    bool *known_ret)
{
	uint8_t bytes[8];
	struct gmem_read read = {.addr = physical, .len = sizeof(bytes), .buf = bytes};
	struct kt_error *err = pagetable_read_physical(search->pt, &read, 1);

	*known_ret = !err && !read.fault;
	if (*known_ret)
		*ret = kt_load_uint(bytes, sizeof(bytes), search->kernel->big_endian);
	return err;
}

/* Where a pointer into the kernel leads to, which saves the search. */
static struct kt_error *try_anchor(const struct search *search)
{
	const struct arch *arch = pagetable_arch(search->pt);
	gaddr_t link, base = search->space->anchor;
	struct kt_error *err;
	bool useless = false, known;

	/* In a linear range the kernel runs where it is linked to, but for KASLR. */
	if (search->space->linear_len) {
		base = search->kernel->text_link;
		return try_bases(search, &base, 1, &useless);
	}
	if (!arch->anchor || !kfacts_symbol(search->facts, arch->anchor, &link))
		return NULL;
	if (!base && arch->anchor_at) {
		err = read_number(search, arch->anchor_at, &base, &known);
		if (err)
			return err;
	}
	if (!base)
		return NULL;
	base -= link - search->kernel->text_link;
	return try_bases(search, &base, 1, &useless);
}

/* Where the table itself lies in physical memory tells where the kernel does: no search, either. */
static struct kt_error *try_root(const struct search *search)
{
	const struct arch *arch = pagetable_arch(search->pt);
	const struct kfacts_kernel *kernel = search->kernel;
	gaddr_t root, voffset, physical, base;
	struct kt_error *err;
	bool useless = false, known;

	if (!arch->root || !kfacts_symbol(search->facts, arch->root, &root) ||
	    !kfacts_symbol(search->facts, arch->voffset, &voffset))
		return NULL;
	/*
	 * The table is a page. arm64 for 52 bits on a CPU that has 48 uses the end of it (64-KiB
	 * pages, TTBR1_BADDR_4852_OFFSET).
	 */
	physical = search->space->root.addr & ~((UINT64_C(1) << search->space->level[0].shift) - 1);
	physical -= root - kernel->text_link;
	err = read_number(search, physical + (voffset - kernel->text_link), &base, &known);
	if (err || !known)
		return err;
	base += physical;
	return try_bases(search, &base, 1, &useless);
}

struct kt_error *locate_kernel(struct pagetable *pt, const struct gmem *memory,
			       const struct kfacts *facts, struct located *seen)
{
	_cleanup_(bases_deinit) struct bases bases = {0};
	struct search search = {
		.pt = pt,
		.space = pagetable_space(pt),
		.memory = memory,
		.facts = facts,
		.kernel = kfacts_kernel(facts),
		.seen = seen,
	};
	bool useless = false;
	struct kt_error *err;

	if (!proof_of(facts, &search.proof))
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "the image has neither a build ID nor a banner, so nothing can "
				    "prove that it is the guest's");
	err = try_anchor(&search);
	if (!err && !seen->found)
		err = try_root(&search);
	if (err || seen->found)
		return err;
	err = bases_find(search.space, pt, facts, &bases);
	if (err || !bases.all.len)
		return err;
	seen->mapped = true;
	err = try_all(&search, &bases, &useless);
	if (err || seen->found || useless || seen->banner[0])
		return err;
	return find_banner(&search, &bases);
}

struct kt_error *locate_at(const struct gmem *memory, const struct kfacts *facts,
			   int64_t kaslr_offset, struct located *seen)
{
	struct search search = {
		.memory = memory,
		.facts = facts,
		.kernel = kfacts_kernel(facts),
		.seen = seen,
	};
	gaddr_t base = search.kernel->text_link + (uint64_t)kaslr_offset;
	bool useless = false;

	return proof_of(facts, &search.proof) ? try_bases(&search, &base, 1, &useless) : NULL;
}

/* What completes a space; see struct arch. */
static bool want_variables(struct wants *wants)
{
	const struct arch *arch;

	for (size_t i = 0; (arch = arch_at(i)); i++) {
		for (size_t k = 0; k < arch->n_variables; k++)
			if (!wants_add(wants, KFACTS_SYMBOL, arch->variables[k], NULL, true))
				return false;
		if (arch->variables_user &&
		    !wants_add(wants, KFACTS_CODE, arch->variables_user, NULL, true))
			return false;
	}
	/* These two are a page apart. */
	return wants_add(wants, KFACTS_MEMBER, "bpf_ringbuf", "consumer_pos", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_ringbuf", "producer_pos", true);
}

bool locate_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_SYMBOL, "prog_idr", NULL, true) && /* see struct proof */
	       wants_add(wants, KFACTS_SYMBOL, "panic_cpu", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "phys_base", NULL, true) && /* x86 */
	       wants_add(wants, KFACTS_SYMBOL, "kexec_crash_image", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "_stext", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "vectors", NULL, true) && /* arm64 */
	       wants_add(wants, KFACTS_SYMBOL, "swapper_pg_dir", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "kimage_voffset", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "handle_exception", NULL, true) &&  /* riscv */
	       wants_add(wants, KFACTS_SYMBOL, "pgm_check_handler", NULL, true) && /* s390 */
	       want_variables(wants);
}
