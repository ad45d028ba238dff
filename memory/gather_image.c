// SPDX-License-Identifier: LGPL-2.1-or-later
/* Finds a stopped guest's kernel image by page tables, before anything is known of the kernel. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "btf/vmcoreinfo.h"
#include "image/kind.h"
#include "memory/gather_impl.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* As in memory/guest.c: the page table of any vCPU maps the kernel, as a rule. */
#define FEW_CPUS  4
#define MANY_CPUS 64

/* No kernel has less read-only data. */
#define IMAGE_CONSTANTS_MIN (UINT64_C(1) << 19)

/* A stock kernel of ppc64le takes 48 MB. */
#define LINEAR_IMAGE_MAX (UINT64_C(64) << 20)

void gather_free_ranges(struct gather *g)
{
	kt_vec_for_each (&g->ranges, range)
		free((void *)range->data);
	kt_vec_free(&g->ranges);
	kt_vec_for_each (&g->pieces, piece)
		piece->data = NULL;
}

/* ELF machine and byte order of the kernels of each architecture. */
static const struct {
	const char *name;
	uint16_t machine;
	bool big_endian;
} kernels[] = {
	{"x86_64", EM_X86_64, false}, {"aarch64", EM_AARCH64, false},
	{"riscv64", EM_RISCV, false}, {"s390x", EM_S390, true},
	{"ppc64le", EM_PPC64, false}, {"loongarch64", EM_LOONGARCH, false},
};

static bool describe(const struct arch *arch, struct recover_memory *ret)
{
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		if (strcmp(kernels[i].name, arch->name))
			continue;
		ret->machine = kernels[i].machine;
		ret->big_endian = kernels[i].big_endian;
		ret->pointer_size = 8;
		return true;
	}
	return false;
}

/* How many bytes of read-only data are mapped. */
static uint64_t constants(const struct gather *g)
{
	uint64_t sum = 0;

	kt_vec_for_each (&g->pieces, p)
		if (!p->writable && !p->executable)
			sum += p->len;
	return sum;
}

/* The longest piece of that; NULL: there is none. */
static const struct gather_piece *longest_constants(const struct gather *g)
{
	const struct gather_piece *longest = NULL;

	kt_vec_for_each (&g->pieces, p)
		if (!p->writable && !p->executable && (!longest || p->len > longest->len))
			longest = p;
	return longest;
}

/*
 * Whether most of the read-only data lies in physical memory as it does in virtual memory: all of
 * an image does, and modules do not. Under shadow paging, an image that a guest of the guest has
 * mapped is scattered over our guest's memory.
 */
static bool is_in_one_piece(const struct gather *g)
{
	const struct gather_piece *longest = longest_constants(g);
	uint64_t sum = constants(g), same = 0;

	kt_vec_for_each (&g->pieces, p)
		if (!p->executable && !p->writable &&
		    p->virtual - p->physical == longest->virtual - longest->physical)
			same += p->len;
	return same > sum / 2;
}

/* Text comes right before the read-only data; modules may lie before both. */
static void find_start(struct gather *g)
{
	const struct gather_piece *text = NULL;
	uint64_t most = 0;

	kt_vec_for_each (&g->pieces, p) {
		if (p->executable)
			text = p;
		if (p->executable || p->writable || p->len <= most)
			continue;
		most = p->len;
		g->image_start = text ? text->virtual : p->virtual;
	}
}

/* Where an image begins in a linear range, at a multiple of align; *ret is len if nowhere. */
static struct kt_error *image_in(struct pagetable *pt, const struct pagetable_range *range,
				 uint64_t align, uint64_t *ret)
{
	size_t n = (size_t)(range->len / align);
	_cleanup_free_ gaddr_t *addrs = calloc(n + 1, sizeof(*addrs));
	_cleanup_free_ bool *is_image = calloc(n + 1, sizeof(*is_image));
	struct kt_error *err;

	if (!addrs || !is_image)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		addrs[i] = range->virtual + i * align;
	err = pagetable_has_image(pt, addrs, n, is_image);
	*ret = range->len;
	for (size_t i = 0; i < n && !err && *ret == range->len; i++)
		if (is_image[i])
			*ret = i * align;
	return err;
}

/* Linear ranges are there always, a kernel in them is not: leaves what an image may take. */
static struct kt_error *keep_images(struct pagetable *pt, const struct arch_space *space,
				    struct pagetable_ranges *ranges)
{
	struct kt_error *err = NULL;
	size_t n = 0;

	if (!space->linear_len)
		return NULL;
	for (size_t i = 0; i < ranges->all.len && !err; i++) {
		struct pagetable_range range = ranges->all.data[i];
		uint64_t skip;

		err = image_in(pt, &range, space->image_align, &skip);
		if (err || skip == range.len)
			continue;
		range.virtual += skip;
		range.physical += skip;
		range.len -= skip;
		if (range.len > LINEAR_IMAGE_MAX)
			range.len = LINEAR_IMAGE_MAX;
		ranges->all.data[n++] = range;
	}
	ranges->all.len = n;
	return err;
}

static struct kt_error *map_image(struct gather *g, const struct arch_space *space)
{
	const struct gmem physical = {g->source.read_physical, g->source.context};
	_cleanup_(pagetable_ranges_deinit) struct pagetable_ranges ranges = {0};
	struct pagetable *pt;
	struct kt_error *err;

	g->pieces.len = 0;
	err = pagetable_create(g->arch, g->memory.big_endian, space, &physical, &pt);
	if (err)
		return err;
	err = pagetable_enumerate(pt, space->image_first, space->image_last, 1, &ranges);
	if (!err)
		err = keep_images(pt, space, &ranges);
	pagetable_destroy(pt);
	if (err)
		return err;
	kt_vec_for_each (&ranges.all, r) {
		struct gather_piece piece = {
			.virtual = r->virtual,
			.physical = r->physical,
			.len = r->len,
			.writable = r->writable,
			.executable = r->executable,
		};

		if (!kt_vec_push(&g->pieces, piece))
			return kt_error_no_memory();
	}
	find_start(g);
	return NULL;
}

/*
 * Registers of the vCPUs [0, end). Finds out the architecture: it is the one whose registers the
 * stub has.
 */
static struct kt_error *read_registers(struct gather *g, size_t end, uint64_t **values_ret,
				       size_t *n_ret)
{
	const struct arch *lacking = NULL;

	for (size_t i = 0;; i++) {
		const struct arch *arch = arch_at(i);
		struct kt_error *err;

		if (!arch || !describe(arch, &g->memory)) {
			err = kt_error_new(KT_ERROR_UNSUPPORTED,
					   "the guest's architecture is none that can be read");
			return lacking ? kt_error_hint(err, "if it is %s: %s", lacking->name,
						       lacking->no_registers)
				       : err;
		}
		err = g->source.registers(g->source.context, 0, end, arch->registers,
					  arch->n_registers, values_ret, n_ret);
		if (err && kt_error_code(err) == KT_ERROR_NOT_FOUND) {
			lacking = arch->no_registers ? arch : lacking;
			kt_error_destroy(err);
			continue;
		}
		g->arch = arch;
		return err;
	}
}

/* The page tables of some vCPUs; those that most likely map the kernel come first. */
struct spaces {
	KT_VEC(struct arch_space) all;
	size_t n_live; /* the first of all: those of vCPUs that were not stopped for good */
	const char *unsupported; /* why some vCPU's registers were of no use */
};

static void spaces_deinit(struct spaces *spaces)
{
	kt_vec_free(&spaces->all);
}

/* Those of the vCPUs [0, end), of *n_ret that there are. */
static struct kt_error *spaces_of(struct gather *g, size_t end, struct spaces *ret, size_t *n_ret)
{
	_cleanup_free_ uint64_t *values = NULL;
	struct kt_error *err;
	size_t n;

	ret->all.len = 0;
	err = read_registers(g, end, &values, n_ret);
	if (err)
		return err;
	n = *n_ret < end ? *n_ret : end;
	for (unsigned int rank = 0; rank <= ARCH_MAX_RANK; rank++) {
		for (size_t i = 0; i < n; i++) {
			struct arch_space found[ARCH_MAX_SPACES];
			size_t n_found = g->arch->spaces(values + i * g->arch->n_registers, found,
							 &ret->unsupported);

			for (size_t j = 0; j < n_found; j++)
				if (found[j].rank == rank && !kt_vec_push(&ret->all, found[j]))
					return kt_error_no_memory();
		}
	}
	return NULL;
}

/* Whether the vCPU of this space was stopped for good. */
static struct kt_error *is_stopped(struct gather *g, const struct arch_space *space, bool *ret)
{
	const struct gmem physical = {g->source.read_physical, g->source.context};
	uint8_t byte;
	struct gmem_read read = {.addr = space->after_halt - 1, .len = 1, .buf = &byte};
	struct pagetable *pt;
	struct kt_error *err;

	*ret = false;
	if (!space->after_halt)
		return NULL;
	err = pagetable_create(g->arch, g->memory.big_endian, space, &physical, &pt);
	if (err)
		return err;
	err = pagetable_read(pt, &read, 1);
	pagetable_destroy(pt);
	*ret = !err && !read.fault && g->arch->is_halt(byte);
	return err;
}

/*
 * Spaces of vCPUs that were stopped for good come last: a kernel that panicked stops all vCPUs but
 * the one that boots its crash kernel.
 */
static struct kt_error *stopped_last(struct gather *g, struct spaces *spaces)
{
	_cleanup_(spaces_deinit) struct spaces stopped = {0};
	size_t n = 0;

	for (size_t i = 0; i < spaces->all.len; i++) {
		struct arch_space space = spaces->all.data[i];
		struct kt_error *err;
		bool is;

		err = is_stopped(g, &space, &is);
		if (err)
			return err;
		if (!is)
			spaces->all.data[n++] = space;
		else if (!kt_vec_push(&stopped.all, space))
			return kt_error_no_memory();
	}
	spaces->n_live = n;
	for (size_t i = 0; i < stopped.all.len; i++)
		spaces->all.data[n++] = stopped.all.data[i];
	return NULL;
}

static struct kt_error *find_spaces(struct gather *g, struct spaces *ret)
{
	size_t n;
	struct kt_error *err = spaces_of(g, FEW_CPUS, ret, &n);

	if (!err)
		err = stopped_last(g, ret);
	if (err || ret->n_live || n <= FEW_CPUS)
		return err;
	err = spaces_of(g, MANY_CPUS, ret, &n);
	return err ? err : stopped_last(g, ret);
}

static struct kt_error *nested(void)
{
	return kt_error_hint(kt_error_new(KT_ERROR_NESTED,
					  "the guest runs guests, and its vCPUs seem to be in "
					  "these: none leads to its own kernel"),
			     "--wait SECONDS tries until one does");
}

static struct kt_error *not_ready(const struct spaces *spaces)
{
	if (spaces->unsupported)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "%s", spaces->unsupported);
	kt_vec_for_each (&spaces->all, space)
		if (space->maybe_nested)
			return nested();
	return kt_error_hint(
		kt_error_new(KT_ERROR_NOT_READY, "the guest does not run a kernel yet: %s",
			     spaces->all.len
				     ? "none of its page tables maps one (boot loader, or early "
				       "boot)"
				     : "its CPUs are not in 64-bit mode (firmware, or early "
				       "boot)"),
		"--wait SECONDS tries until it does");
}

/* How sure it is that what a space maps is the guest's kernel, most sure first. */
enum likeness {
	ONE_PIECE, /* an image, in one piece */
	IMAGE,     /* an image */
	ANYTHING,  /* something: an early kernel has nothing that is read-only */
	N_LIKENESSES,
};

static bool is_like(const struct gather *g, enum likeness likeness)
{
	/* Under PTI, a user's table maps a few pages of the text, and none of the data. */
	if (likeness == ANYTHING)
		return g->pieces.len;
	return constants(g) >= IMAGE_CONSTANTS_MIN && (likeness == IMAGE || is_in_one_piece(g));
}

/* So many addresses at a time are translated. A kernel's own map is the first of what is there. */
#define PLACES_MAX 512

/*
 * *ret: some entry of direct_level in the range maps this physical address, at the address's own
 * offset in such an entry.
 */
static struct kt_error *maps_at_offset(struct pagetable *pt, const struct pagetable_range *range,
				       gaddr_t physical, bool *ret)
{
	uint64_t size = UINT64_C(1)
			<< pagetable_space(pt)->level[pagetable_arch(pt)->direct_level - 1].shift;
	struct pagetable_query queries[PLACES_MAX];
	uint64_t n_all = range->len / size;

	*ret = false;
	for (uint64_t done = 0, n; done < n_all; done += n) {
		struct kt_error *err;

		n = n_all - done < PLACES_MAX ? n_all - done : PLACES_MAX;
		for (uint64_t i = 0; i < n; i++)
			queries[i].virtual = range->virtual + (done + i) * size + physical % size;
		err = pagetable_translate(pt, queries, (size_t)n);
		if (err)
			return err;
		for (uint64_t i = 0; i < n; i++)
			*ret |= queries[i].mapped && queries[i].physical == physical;
		if (*ret)
			return NULL;
	}
	return NULL;
}

/*
 * Whether the image lies in physical memory where the kernel's own map of that has it. Under shadow
 * paging, the image of a guest of the guest may be in one piece, too; but what that guest takes
 * for physical addresses are others, and so its map of them has other offsets.
 */
static struct kt_error *is_in_direct_map(const struct gather *g, const struct arch_space *space,
					 bool *ret)
{
	const struct gmem physical = {g->source.read_physical, g->source.context};
	_cleanup_(pagetable_ranges_deinit) struct pagetable_ranges ranges = {0};
	const struct gather_piece *longest = longest_constants(g);
	const struct arch *arch = g->arch;
	struct pagetable *pt;
	struct kt_error *err;

	*ret = false;
	err = pagetable_create(arch, g->memory.big_endian, space, &physical, &pt);
	if (err)
		return err;
	err = pagetable_enumerate(pt, arch->direct_first, arch->direct_last, arch->direct_level,
				  &ranges);
	for (size_t i = 0; !err && !*ret && i < ranges.all.len; i++)
		err = maps_at_offset(pt, &ranges.all.data[i], longest->physical, ret);
	pagetable_destroy(pt);
	return err;
}

/* Whether what the space maps is an image that is likely the guest's own, and as much so. */
static struct kt_error *is_own(const struct gather *g, const struct arch_space *space,
			       enum likeness likeness, bool *ret)
{
	*ret = is_like(g, likeness);
	if (!*ret || !space->maybe_nested)
		return NULL;
	/* A guest's guest maps anything; who runs one has booted. */
	*ret = likeness == ONE_PIECE;
	return *ret ? is_in_direct_map(g, space, ret) : NULL;
}

/* Maps the likeliest image that the spaces [first, end) lead to. */
static struct kt_error *map_likeliest(struct gather *g, const struct spaces *spaces, size_t first,
				      size_t end, bool *found_ret)
{
	*found_ret = false;
	for (int likeness = 0; likeness < N_LIKENESSES; likeness++) {
		for (size_t i = first; i < end; i++) {
			const struct arch_space *space = &spaces->all.data[i];
			struct kt_error *err = map_image(g, space);

			if (!err)
				err = is_own(g, space, (enum likeness)likeness, found_ret);
			if (err || *found_ret)
				return err;
		}
	}
	return NULL;
}

struct kt_error *gather_find_image(struct gather *g)
{
	_cleanup_(spaces_deinit) struct spaces spaces = {0};
	struct kt_error *err = find_spaces(g, &spaces);
	bool found = false;

	if (!err)
		err = map_likeliest(g, &spaces, 0, spaces.n_live, &found);
	if (!err && !found)
		err = map_likeliest(g, &spaces, spaces.n_live, spaces.all.len, &found);
	return err || found ? err : not_ready(&spaces);
}

/* --- a kernel that is known --- */

/* *ret is where n bytes at a virtual address of the image lie. False: not in one piece. */
static bool translate(const struct gather *g, gaddr_t virtual, size_t n, gaddr_t *ret)
{
	kt_vec_for_each (&g->pieces, p) {
		uint64_t offset = virtual - p->virtual;

		if (offset < p->len && n <= p->len - offset) {
			*ret = p->physical + offset;
			return true;
		}
	}
	return false;
}

static bool has_build_id(const struct gather *g, const struct record_known *known,
			 const uint8_t *notes)
{
	uint8_t id[sizeof(known->build_id)];
	size_t len = recover_build_id(notes, known->notes_len, g->memory.big_endian, id,
				      sizeof(id));

	return len && len == known->build_id_len && !memcmp(id, known->build_id, len);
}

struct kt_error *gather_recognise(struct gather *g, const struct record_known **ret)
{
	const struct record_known *known = g->options->known;
	size_t n = g->options->n_known, n_reads = 0;
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *notes = malloc(n * RECORD_NOTES_MAX + 1);
	_cleanup_free_ size_t *which = calloc(n + 1, sizeof(*which));
	struct kt_error *err;

	*ret = NULL;
	if (!notes || !which)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		gaddr_t at;

		if (known[i].machine != g->memory.machine ||
		    !translate(g, g->image_start + known[i].notes, known[i].notes_len, &at))
			continue;
		if (!gmem_batch_add(&batch, at, notes + n_reads * RECORD_NOTES_MAX,
				    known[i].notes_len))
			return kt_error_no_memory();
		which[n_reads++] = i;
	}
	if (!n_reads)
		return NULL;
	err = gmem_batch_read(&batch, g->source.read_physical, g->source.context);
	for (size_t i = 0; !err && i < n_reads && !*ret; i++)
		if (!batch.reads.data[i].fault &&
		    has_build_id(g, &known[which[i]], notes + i * RECORD_NOTES_MAX))
			*ret = &known[which[i]];
	return err;
}

/* --- vmcoreinfo --- */

/* Whether the table maps the image that was found, and not that of a guest of the guest, say. */
static struct kt_error *maps_image(const struct gather *g, struct pagetable *pt, bool *ret)
{
	struct pagetable_query query = {.virtual = g->image_start};
	struct kt_error *err = pagetable_translate(pt, &query, 1);
	gaddr_t physical;

	*ret = !err && query.mapped && translate(g, g->image_start, 1, &physical) &&
	       query.physical == physical;
	return err;
}

/*
 * The text that the kernel's pointer vmcoreinfo_data leads to, whose length is in its
 * vmcoreinfo_size. *len_ret is left alone when this page table does not map one of them, or the
 * length is none that a vmcoreinfo has.
 */
static struct kt_error *read_text(struct gather *g, struct pagetable *pt, char text[4096],
				  size_t *len_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_(gmem_batch_deinit) struct gmem_batch again = {0};
	unsigned int word = g->kernel.pointer_size;
	bool be = g->kernel.big_endian;
	uint8_t pointer[8], size[8];
	struct kt_error *err;
	uint64_t len;

	if (!gmem_batch_add(&batch, g->kernel.vmcoreinfo_data, pointer, word) ||
	    !gmem_batch_add(&batch, g->kernel.vmcoreinfo_size, size, word))
		return kt_error_no_memory();
	err = gmem_batch_read(&batch, pagetable_read, pt);
	if (err || gmem_batch_fault(&batch, 0, 2))
		return err;
	len = kt_load_uint(size, word, be);
	if (!len || len > VMCOREINFO_MAX)
		return NULL;
	if (!gmem_batch_add(&again, kt_load_uint(pointer, word, be), text, (size_t)len))
		return kt_error_no_memory();
	err = gmem_batch_read(&again, pagetable_read, pt);
	if (!err && !again.reads.data[0].fault)
		*len_ret = (size_t)len;
	return err;
}

struct kt_error *gather_read_vmcoreinfo(struct gather *g, char text[4096], size_t *len_ret)
{
	const struct gmem physical = {g->source.read_physical, g->source.context};
	_cleanup_(spaces_deinit) struct spaces spaces = {0};
	struct kt_error *err = find_spaces(g, &spaces);
	bool passed_over = false;

	*len_ret = 0;
	for (size_t i = 0; !err && !*len_ret && i < spaces.all.len; i++) {
		const struct arch_space *space = &spaces.all.data[i];
		struct pagetable *pt;
		bool ours = true;

		err = pagetable_create(g->arch, g->memory.big_endian, space, &physical, &pt);
		if (err)
			return err;
		if (space->maybe_nested)
			err = maps_image(g, pt, &ours);
		if (!err && ours)
			err = read_text(g, pt, text, len_ret);
		passed_over |= !ours;
		pagetable_destroy(pt);
	}
	return err || *len_ret || !passed_over ? err : nested();
}
