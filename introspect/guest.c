// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/guest.h"
#include "introspect/locate.h"
#include "introspect/pagetable.h"
#include "util/cleanup.h"

struct guest {
	struct source source;
	const struct kfacts *facts;
	int64_t kaslr_offset;
	struct pagetable *pt; /* NULL: the stub translates, through the selected vCPU */
};

/* More vCPUs than these tell nothing new: a page table of any one maps the kernel. */
#define MAX_CANDIDATES 16

struct candidate {
	struct arch_space space;
	size_t cpu;
};

struct candidates {
	struct candidate all[MAX_CANDIDATES];
	size_t n;
	bool mmu_off; /* of every vCPU */
};

static bool candidates_have(const struct candidates *c, const struct arch_space *space)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].space.root == space->root && c->all[i].space.live == space->live)
			return true;
	return false;
}

/* The page tables worth a look, the likeliest first. */
static void candidates_collect(struct candidates *c, const struct arch *arch,
			       const uint64_t *values, size_t n_cpus)
{
	c->mmu_off = true;
	for (unsigned int rank = 0; rank <= 4; rank++) {
		for (size_t cpu = 0; cpu < n_cpus; cpu++) {
			struct arch_space spaces[ARCH_MAX_SPACES];
			size_t n = arch->spaces(values + cpu * arch->n_registers, spaces);

			c->mmu_off &= n == 0;
			for (size_t i = 0; i < n; i++)
				if (spaces[i].rank == rank && c->n < MAX_CANDIDATES &&
				    !candidates_have(c, &spaces[i]))
					c->all[c->n++] = (struct candidate){spaces[i], cpu};
		}
	}
}

/* What is left to say when no page table held the kernel of the facts. */
static struct kt_error *not_found(const struct kfacts *facts, const struct candidates *c,
				  const struct located *seen)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(facts);
	struct kt_error *err;

	if (seen->banner[0]) {
		err = kt_error_new(
			KT_ERROR_MISMATCH,
			"image and guest do not belong together: the image is of \"%s\", "
			"the guest runs \"%s\"",
			kernel->banner, seen->banner);
		return kt_error_hint(err, "give the vmlinux or vmlinuz of the guest's own build");
	}
	if (seen->mapped) {
		err = kt_error_new(KT_ERROR_MISMATCH,
				   "image and guest do not belong together: the guest runs some "
				   "kernel, but not \"%s\"",
				   kernel->banner);
		return kt_error_hint(err, "give the vmlinux or vmlinuz of the guest's own build");
	}
	err = kt_error_new(KT_ERROR_NOT_READY, "the guest does not run a kernel yet: %s",
			   c->mmu_off ? "its CPUs are not in 64-bit mode (firmware, or early boot)"
				      : "none of its page tables maps one (boot loader, or early "
					"boot)");
	return kt_error_hint(err, "--wait SECONDS tries until it does");
}

static struct kt_error *try_candidate(struct guest *guest, const struct arch *arch,
				      const struct candidate *candidate, struct located *seen)
{
	struct pagetable *pt;
	struct kt_error *err;

	err = pagetable_create(arch, kfacts_kernel(guest->facts)->big_endian, &candidate->space,
			       guest->source.read_physical, guest->source.context, &pt);
	if (err)
		return err;
	err = locate_kernel(arch, pt, guest->facts, seen);
	if (!err && seen->found) {
		guest->kaslr_offset = seen->kaslr_offset;
		if (candidate->space.live)
			err = guest->source.select(guest->source.context, candidate->cpu);
		else
			guest->pt = kt_take_ptr(pt);
	}
	pagetable_destroy(pt);
	return err;
}

static struct kt_error *guest_find(struct guest *guest)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(guest->facts);
	const struct arch *arch = arch_by_name(kernel->arch);
	_cleanup_free_ uint64_t *values = NULL;
	struct candidates candidates = {0};
	struct located seen = {0};
	struct kt_error *err;
	size_t n_cpus;

	if (!arch)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "the image is of a %s kernel; this "
				    "version reads x86_64 guests",
				    kernel->arch);
	if (!guest->source.read_physical)
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "the stub cannot read physical memory"),
				     "use QEMU's own stub, 4.1 or later");
	err = guest->source.registers(guest->source.context, arch->registers, arch->n_registers,
				      &values, &n_cpus);
	if (err)
		return err;
	candidates_collect(&candidates, arch, values, n_cpus);
	for (size_t i = 0; i < candidates.n; i++) {
		err = try_candidate(guest, arch, &candidates.all[i], &seen);
		if (err || seen.found)
			return err;
	}
	return not_found(guest->facts, &candidates, &seen);
}

struct kt_error *guest_create(const struct source *source, const struct kfacts *facts,
			      struct guest **ret)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	struct kt_error *err;

	if (!guest)
		return kt_error_no_memory();
	guest->source = *source;
	guest->facts = facts;
	err = guest_find(guest);
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

bool guest_symbol(const struct guest *guest, const char *name, gaddr_t *ret)
{
	gaddr_t link;

	if (!kfacts_symbol(guest->facts, name, &link))
		return false;
	*ret = link + (uint64_t)guest->kaslr_offset;
	return true;
}

struct kt_error *guest_read_fn(void *context, struct gmem_read *reads, size_t count)
{
	struct guest *guest = context;

	if (guest->pt)
		return pagetable_read(guest->pt, reads, count);
	return guest->source.read_virtual(guest->source.context, reads, count);
}

struct kt_error *guest_read(struct guest *guest, struct gmem_batch *batch)
{
	return gmem_batch_read(batch, guest_read_fn, guest);
}
