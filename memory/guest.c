// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/guest.h"
#include "memory/locate.h"
#include "memory/pagetable.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* A symbol that guest_place() told of. */
struct placed {
	const char *name;
	gaddr_t addr;
};

struct guest {
	struct source source;
	const struct kfacts *facts;
	int64_t kaslr_offset;
	const int64_t *hint;  /* for the search; NULL: none, or the search is over */
	struct pagetable *pt; /* NULL: the stub translates, through the selected vCPU */
	struct guest_paging paging;
	size_t n_cpus;
	bool runs_guests;
	KT_VEC(struct placed) placed;
	struct together *together; /* NULL: there were no walks at once yet */
};

/* A page table to look through. */
struct candidate {
	struct arch_space space;
	size_t cpu;
};

struct candidates {
	KT_VEC(struct candidate) all;
	bool mmu_off;            /* of every vCPU so far */
	bool maybe_nested;       /* some vCPU may be in a guest of the guest */
	const char *unsupported; /* why some vCPU's registers were of no use; NULL: none was */
};

static void candidates_deinit(struct candidates *c)
{
	kt_vec_free(&c->all);
}

static bool candidates_have(const struct candidates *c, const struct arch_space *space)
{
	kt_vec_for_each (&c->all, candidate)
		if (candidate->space.root.addr == space->root.addr &&
		    candidate->space.live == space->live)
			return true;
	return false;
}

/* The page tables of n vCPUs from first on, the likeliest first. */
static struct kt_error *candidates_collect(struct candidates *c, const struct arch *arch,
					   const uint64_t *values, size_t first, size_t n)
{
	c->all.len = 0;
	for (unsigned int rank = 0; rank <= ARCH_MAX_RANK; rank++) {
		for (size_t i = 0; i < n; i++) {
			struct arch_space spaces[ARCH_MAX_SPACES];
			size_t n_spaces = arch->spaces(values + i * arch->n_registers, spaces,
						       &c->unsupported);

			c->mmu_off &= n_spaces == 0;
			for (size_t j = 0; j < n_spaces; j++) {
				c->maybe_nested |= spaces[j].maybe_nested;
				if (spaces[j].rank != rank || candidates_have(c, &spaces[j]))
					continue;
				if (!kt_vec_push(&c->all, (struct candidate){spaces[j], first + i}))
					return kt_error_no_memory();
			}
		}
	}
	return NULL;
}

/* Skips "Linux version " before the release; *len_ret is the length of that. */
static const char *banner_release(const char *banner, size_t *len_ret)
{
	static const char start[] = "Linux version ";

	if (strncmp(banner, start, sizeof(start) - 1) == 0)
		banner += sizeof(start) - 1;
	*len_ret = strcspn(banner, " ");
	return banner;
}

/* "RELEASE (build ID …)", or as much of that as the image tells. */
static void describe_image(const struct kfacts_kernel *kernel, char *ret, size_t size)
{
	const char *release = kernel->release[0] ? kernel->release : "of an unknown release";
	size_t len = (size_t)snprintf(ret, size, "%s", release);

	if (!kernel->build_id_len || len >= size)
		return;
	len += (size_t)snprintf(ret + len, size - len, " (build ID ");
	for (size_t i = 0; i < kernel->build_id_len && len < size; i++)
		len += (size_t)snprintf(ret + len, size - len, "%02x", kernel->build_id[i]);
	if (len < size)
		snprintf(ret + len, size - len, ")");
}

static struct kt_error *mismatch(const struct kfacts_kernel *kernel, const struct located *seen)
{
	struct kt_error *err;
	const char *release;
	char image[256];
	size_t len;

	describe_image(kernel, image, sizeof(image));
	release = banner_release(seen->banner, &len);
	if (!kernel->release[0] && !kernel->build_id_len && seen->banner[0]) /* lists of symbols */
		return kt_error_hint(kt_error_new(KT_ERROR_MISMATCH,
						  "these symbols are not those of the guest's "
						  "kernel, which is %.*s",
						  (int)len, release),
				     "give the list of the guest's own build");
	if (!seen->banner[0])
		err = kt_error_new(KT_ERROR_MISMATCH,
				   "image and guest do not belong together: the image is %s, the "
				   "guest runs another kernel, which does not tell its name",
				   image);
	else if (strlen(kernel->release) == len && memcmp(kernel->release, release, len) == 0)
		err = kt_error_new(KT_ERROR_MISMATCH,
				   "image and guest do not belong together: the image is %s, the "
				   "guest runs another build of it, \"%s\"",
				   image, seen->banner);
	else
		err = kt_error_new(KT_ERROR_MISMATCH,
				   "image and guest do not belong together: the image is %s, the "
				   "guest runs %.*s",
				   image, (int)len, release);
	return kt_error_hint(err, "give the vmlinux or vmlinuz of the guest's own build");
}

/*
 * A kernel that is seen there may be one of a guest of the guest, and so no proof that the facts
 * are of another one than the guest's.
 */
static struct kt_error *nested(const struct kfacts *facts, const struct located *seen)
{
	const char *release;
	struct kt_error *err;
	char image[256];
	size_t len;

	describe_image(kfacts_kernel(facts), image, sizeof(image));
	release = banner_release(seen->banner, &len);
	err = kt_error_new(
		KT_ERROR_NESTED,
		"the guest runs guests, and its vCPUs seem to be in these: none leads to "
		"the kernel %s%s%.*s",
		image, len ? ", one to " : "", (int)len, release);
	return kt_error_hint(err, "--wait SECONDS tries until one does; if the guest itself runs "
				  "another kernel, give the image of that");
}

/* The error when no page table maps the kernel of the facts. */
static struct kt_error *not_found(const struct kfacts *facts, const struct candidates *c,
				  const struct located *seen)
{
	struct kt_error *err;

	if (c->unsupported && !seen->mapped)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "%s", c->unsupported);
	if (seen->text_only)
		return kt_error_new(KT_ERROR_FAULT,
				    "the guest's kernel is there, but no page table that a vCPU "
				    "leads to maps its data (prog_idr)");
	if (seen->crashed && !seen->banner[0])
		return kt_error_hint(
			kt_error_new(KT_ERROR_NOT_READY,
				     "the guest's kernel panicked and left the guest to its crash "
				     "kernel, which no page table maps yet"),
			"--wait SECONDS tries until it does");
	if (c->maybe_nested)
		return nested(facts, seen);
	if (seen->banner[0] || seen->mapped)
		return mismatch(kfacts_kernel(facts), seen);
	err = kt_error_new(KT_ERROR_NOT_READY, "the guest does not run a kernel yet: %s",
			   c->mmu_off ? "its CPUs are not in 64-bit mode (firmware, or early boot)"
				      : "none of its page tables maps one (boot loader, or early "
					"boot)");
	return kt_error_hint(err, "--wait SECONDS tries until it does");
}

#define USER_CODE_MAX 4096

/* An address that is in no list of symbols, from the code that has it. */
static struct kt_error *find_in_user(struct guest *guest, const struct arch *arch,
				     struct pagetable *pt, int64_t kaslr_offset,
				     struct arch_variable *ret)
{
	uint8_t code[USER_CODE_MAX];
	gaddr_t operands[USER_CODE_MAX / 4];
	struct gmem_read read = {.buf = code};
	struct kt_error *err;
	uint64_t size;
	size_t n;

	if (!kfacts_code(guest->facts, arch->variables_user, &read.addr, &size))
		return NULL;
	read.addr += (gaddr_t)kaslr_offset;
	read.len = size < sizeof(code) ? (size_t)size : sizeof(code);
	err = pagetable_read(pt, &read, 1);
	if (err || read.fault)
		return err;
	n = arch->operands(code, read.len, read.addr, operands,
			   sizeof(operands) / sizeof(operands[0]));
	for (size_t i = 0; i < n; i++) {
		if (operands[i] % 4096 || !operands[i])
			continue;
		if (ret->known && ret->addr != operands[i]) {
			ret->known = false; /* it may be either */
			return NULL;
		}
		*ret = (struct arch_variable){.known = true, .addr = operands[i]};
	}
	return NULL;
}

/* Adds the kernel's own table, where only its variables tell of that. */
static struct kt_error *complete_space(struct guest *guest, const struct arch *arch,
				       struct pagetable *pt, int64_t kaslr_offset)
{
	struct arch_variable variables[ARCH_MAX_VARIABLES] = {0};
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kfacts_member consumer = {0}, producer = {0};
	uint8_t bytes[ARCH_MAX_VARIABLES][8];
	struct kt_error *err;

	for (size_t i = 0; i < arch->n_variables; i++) {
		gaddr_t link = 0;

		variables[i].known = kfacts_symbol(guest->facts, arch->variables[i], &link);
		variables[i].addr = link + (gaddr_t)kaslr_offset;
		if (!gmem_batch_add(&batch, variables[i].addr, bytes[i], sizeof(bytes[i])))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, pagetable_read, pt);
	if (err)
		return err;
	for (size_t i = 0; i < arch->n_variables; i++) {
		variables[i].known = variables[i].known && !batch.reads.data[i].fault;
		variables[i].value = kt_load_uint(bytes[i], sizeof(bytes[i]),
						  kfacts_kernel(guest->facts)->big_endian);
	}
	if (!variables[0].known && arch->variables_user)
		err = find_in_user(guest, arch, pt, kaslr_offset, &variables[0]);
	if (err)
		return err;
	if (!kfacts_member(guest->facts, "bpf_ringbuf", "consumer_pos", &consumer) ||
	    !kfacts_member(guest->facts, "bpf_ringbuf", "producer_pos", &producer))
		consumer.offset = producer.offset = 0;
	if (pagetable_complete(pt, variables, producer.offset - consumer.offset))
		return NULL;
	return kt_error_hint(
		kt_error_new(KT_ERROR_UNSUPPORTED,
			     "the kernel does not tell where its page table is and how that is "
			     "made (%s and other symbols of its data)",
			     arch->variables[0]),
		"give --vmlinux, the vmlinux of the guest's own build with its symbols");
}

/*
 * Whether the kernel that was found lies in the guest's physical memory where it thinks that it
 * does. Under shadow paging, a vCPU that is in a guest of the guest has a table that maps that
 * guest's kernel, by addresses of our guest's memory; what that kernel takes for physical addresses
 * are others.
 */
static struct kt_error *is_where_it_thinks(const struct guest *guest, const struct arch *arch,
					   struct pagetable *pt, const struct located *seen,
					   bool *ret)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(guest->facts);
	struct pagetable_query text = {.virtual = kernel->text_link + (gaddr_t)seen->kaslr_offset};
	uint8_t bytes[8];
	struct gmem_read read = {.len = sizeof(bytes), .buf = bytes};
	struct kt_error *err;
	gaddr_t link;

	*ret = true;
	if (!arch->phys_base || !kfacts_symbol(guest->facts, arch->phys_base, &link))
		return NULL;
	read.addr = link + (gaddr_t)seen->kaslr_offset;
	err = pagetable_translate(pt, &text, 1);
	if (!err)
		err = pagetable_read(pt, &read, 1);
	if (!err)
		*ret = text.mapped && !read.fault &&
		       text.physical ==
			       text.virtual - arch->image_map +
				       kt_load_uint(bytes, sizeof(bytes), kernel->big_endian);
	return err;
}

static struct kt_error *try_candidate(struct guest *guest, const struct arch *arch,
				      const struct candidate *candidate, struct located *seen)
{
	const struct source *source = &guest->source;
	bool live = candidate->space.live;
	const struct gmem physical = {source->read_physical, source->context};
	struct gmem memory = {source->read_virtual, source->context};
	struct pagetable *pt;
	struct kt_error *err;

	err = pagetable_create(arch, kfacts_kernel(guest->facts)->big_endian, &candidate->space,
			       &physical, &pt);
	if (err)
		return err;
	if (live)
		err = source->select(source->context, candidate->cpu);
	else
		memory = (struct gmem){pagetable_read, pt};
	if (!err && guest->hint)
		err = locate_at(&memory, guest->facts, *guest->hint, seen);
	if (!err && !seen->found)
		err = locate_kernel(pt, &memory, guest->facts, seen);
	if (!err && seen->found && arch->complete)
		err = complete_space(guest, arch, pt, seen->kaslr_offset);
	if (!err && seen->found && candidate->space.maybe_nested)
		err = is_where_it_thinks(guest, arch, pt, seen, &seen->found);
	if (!err && seen->found) {
		const struct arch_space *space = pagetable_space(pt);

		guest->runs_guests = candidate->space.maybe_nested;
		guest->kaslr_offset = seen->kaslr_offset;
		guest->paging = (struct guest_paging){
			.levels = space->levels,
			.address_bits = arch_space_bits(space),
			.page_size = UINT64_C(1) << space->level[0].shift,
		};
		if (!live)
			guest->pt = kt_take_ptr(pt);
	}
	pagetable_destroy(pt);
	return err;
}

/*
 * As a rule any vCPU will do. So a few are asked first: 250 of them would cost more than a
 * millisecond of the guest's time.
 */
#define FEW_CPUS  4
#define MANY_CPUS 64

/* *found_ret: the kernel is where the hint says, and the first vCPU's page table maps it. */
static struct kt_error *guest_try_hint(struct guest *guest, int64_t hint, bool *found_ret)
{
	const struct gmem memory = {guest->source.read_virtual, guest->source.context};
	struct located seen = {0};
	struct kt_error *err = guest->source.select(guest->source.context, 0);

	if (!err)
		err = locate_at(&memory, guest->facts, hint, &seen);
	*found_ret = !err && seen.found;
	if (*found_ret)
		guest->kaslr_offset = hint;
	return err;
}

/* The architecture, other than that of the facts, whose registers the vCPUs have. NULL: none. */
static struct kt_error *other_arch(struct guest *guest, const struct arch *own,
				   const struct arch **ret)
{
	const struct arch *arch;

	*ret = NULL;
	for (size_t i = 0; (arch = arch_at(i)); i++) {
		_cleanup_free_ uint64_t *values = NULL;
		struct kt_error *err;
		size_t n_cpus;

		if (arch == own)
			continue;
		err = guest->source.registers(guest->source.context, 0, 1, arch->registers,
					      arch->n_registers, &values, &n_cpus);
		if (!err) {
			*ret = arch;
			return NULL;
		}
		if (kt_error_code(err) != KT_ERROR_NOT_FOUND &&
		    kt_error_code(err) != KT_ERROR_UNSUPPORTED)
			return err;
		kt_error_destroy(err);
	}
	return NULL;
}

static struct kt_error *wrong_arch(const struct kfacts_kernel *kernel, const struct arch *guest)
{
	struct kt_error *err;
	char image[256];

	describe_image(kernel, image, sizeof(image));
	if (kernel->release[0] || kernel->build_id_len)
		err = kt_error_new(KT_ERROR_MISMATCH,
				   "image and guest do not belong together: the image is %s for "
				   "%s, the guest is %s",
				   image, kernel->arch, guest->name);
	else
		err = kt_error_new(KT_ERROR_MISMATCH,
				   "these symbols are of a kernel for %s, the guest is %s",
				   kernel->arch, guest->name);
	return kt_error_hint(err, "give the vmlinux or vmlinuz of the guest's own build, or the "
				  "TARGET of the guest that runs this kernel");
}

/* Why the vCPUs lack registers of arch. Takes err, which says which one. */
static struct kt_error *explain_registers(struct guest *guest, const struct arch *arch,
					  struct kt_error *err)
{
	const struct arch *other;
	struct kt_error *own = other_arch(guest, arch, &other);

	if (!own && !other)
		return arch->no_registers ? kt_error_hint(err, "%s", arch->no_registers) : err;
	kt_error_destroy(err);
	return own ? own : wrong_arch(kfacts_kernel(guest->facts), other);
}

static struct kt_error *guest_find(struct guest *guest)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(guest->facts);
	const struct arch *arch = arch_by_name(kernel->arch);
	_cleanup_(candidates_deinit) struct candidates candidates = {.mmu_off = true};
	struct located seen = {0};
	size_t n_cpus = 1;

	if (!arch && !kernel->arch[0])
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "neither the types nor the symbols tell of which "
						  "architecture the kernel is"),
				     "give --vmlinux, the guest's kernel image, too");
	if (!arch)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "the image is of a %s kernel; this version reads x86_64, "
				    "aarch64, riscv64, s390x, ppc64le and "
				    "loongarch64 guests",
				    kernel->arch);
	if (!guest->source.read_physical)
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "the stub cannot read physical memory"),
				     "use QEMU's own stub, 4.1 or later");
	for (size_t first = 0, end = FEW_CPUS; first < n_cpus && first < MANY_CPUS;
	     first = end, end = MANY_CPUS) {
		_cleanup_free_ uint64_t *values = NULL;
		struct kt_error *err;

		err = guest->source.registers(guest->source.context, first, end, arch->registers,
					      arch->n_registers, &values, &n_cpus);
		if (err && kt_error_code(err) == KT_ERROR_NOT_FOUND)
			err = explain_registers(guest, arch, err);
		if (!err)
			err = candidates_collect(&candidates, arch, values, first,
						 (end < n_cpus ? end : n_cpus) - first);
		for (size_t i = 0; !err && i < candidates.all.len && !seen.found; i++)
			err = try_candidate(guest, arch, &candidates.all.data[i], &seen);
		guest->n_cpus = n_cpus;
		if (err || seen.found)
			return err;
	}
	return not_found(guest->facts, &candidates, &seen);
}

/*
 * The proof of the kernel does not cover a BTF file that was given apart. So samples of the file
 * are compared with the guest's own BTF.
 */
static struct kt_error *guest_prove_btf(struct guest *guest)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(guest->facts);
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	uint8_t seen[KFACTS_BTF_SAMPLES][KFACTS_BTF_SAMPLE];
	gaddr_t start = kernel->btf_link + (gaddr_t)guest->kaslr_offset;
	struct kt_error *err;

	if (!kernel->btf_link)
		return NULL;
	for (unsigned int i = 0; i < KFACTS_BTF_SAMPLES; i++)
		if (!gmem_batch_add(&batch, start + kfacts_btf_sample(kernel->btf_size, i), seen[i],
				    KFACTS_BTF_SAMPLE))
			return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (err || (!gmem_batch_fault(&batch, 0, batch.reads.len) &&
		    !memcmp(seen, kernel->btf_samples, sizeof(seen))))
		return err;
	return kt_error_hint(kt_error_new(KT_ERROR_MISMATCH,
					  "the BTF file is not of the kernel that the guest runs, "
					  "which has another BTF"),
			     "--btf takes a copy of the guest's own /sys/kernel/btf/vmlinux");
}

struct kt_error *guest_create(const struct source *source, const struct kfacts *facts,
			      const int64_t *hint, struct guest **ret)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	struct kt_error *err = NULL;
	const struct arch *arch;
	bool found = false;

	if (!guest)
		return kt_error_no_memory();
	guest->source = *source;
	guest->facts = facts;
	guest->hint = hint;
	/* The stub has no part in it where the table is told by the kernel's variables. */
	arch = arch_by_name(kfacts_kernel(facts)->arch);
	if (hint && !(arch && arch->complete))
		err = guest_try_hint(guest, *hint, &found);
	if (!err && !found)
		err = source_explain(source, guest_find(guest));
	guest->hint = NULL;
	if (!err)
		err = guest_prove_btf(guest);
	if (err) {
		guest_destroy(guest);
		return err;
	}
	*ret = guest;
	return NULL;
}

void guest_destroy(struct guest *guest)
{
	if (!guest)
		return;
	pagetable_destroy(guest->pt);
	kt_vec_free(&guest->placed);
	together_destroy(guest->together);
	free(guest);
}

const struct kfacts *guest_facts(const struct guest *guest)
{
	return guest->facts;
}

int64_t guest_kaslr_offset(const struct guest *guest)
{
	return guest->kaslr_offset;
}

bool guest_walks_tables(const struct guest *guest)
{
	return guest->pt != NULL;
}

struct guest_paging guest_paging(const struct guest *guest)
{
	return guest->paging;
}

bool guest_runs_guests(const struct guest *guest)
{
	return guest->runs_guests;
}

size_t guest_cpus(const struct guest *guest)
{
	return guest->n_cpus;
}

bool guest_symbol(const struct guest *guest, const char *name, gaddr_t *ret)
{
	gaddr_t link;

	kt_vec_for_each (&guest->placed, placed) {
		if (strcmp(placed->name, name) != 0)
			continue;
		*ret = placed->addr;
		return true;
	}
	if (!kfacts_symbol(guest->facts, name, &link))
		return false;
	*ret = link + (uint64_t)guest->kaslr_offset;
	return true;
}

bool guest_place(struct guest *guest, const char *name, gaddr_t addr)
{
	return kt_vec_push(&guest->placed, (struct placed){name, addr});
}

static struct kt_error *read_now(void *context, struct gmem_read *reads, size_t count)
{
	struct guest *guest = context;

	if (guest->pt)
		return pagetable_read(guest->pt, reads, count);
	return guest->source.read_virtual(guest->source.context, reads, count);
}

static struct kt_error *read_virtual(void *context, struct gmem_read *reads, size_t count)
{
	struct guest *guest = context;
	struct gmem memory = {read_now, guest};

	if (guest->together)
		memory = together_memory(guest->together);
	return memory.read(memory.source, reads, count);
}

struct kt_error *guest_read(struct guest *guest, struct gmem_batch *batch)
{
	return gmem_batch_read(batch, read_virtual, guest);
}

struct gmem guest_memory(struct guest *guest)
{
	return (struct gmem){read_virtual, guest};
}

struct kt_error *guest_together(struct guest *guest, const struct guest_walk *walks, size_t n)
{
	if (!guest->together)
		guest->together = together_create((struct gmem){read_now, guest});
	return guest->together ? together_run(guest->together, walks, n) : kt_error_no_memory();
}
