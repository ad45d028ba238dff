// SPDX-License-Identifier: LGPL-2.1-or-later
/* Every format of page tables, made by a second implementation (formats.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/pagetable.h"
#include "tests/memory/formats.h"
#include "tests/memory/rng.h"

static struct build_format all_formats[32];
static size_t n_formats;

static void formats_fill(void)
{
	static const struct {
		unsigned int granule, va_bits;
		bool wide;
	} arm[] = {
		{12, 36, false}, {12, 39, false}, {12, 42, false}, {12, 48, false}, {12, 48, true},
		{12, 52, true},  {14, 36, false}, {14, 47, false}, {14, 48, false}, {14, 47, true},
		{14, 52, true},  {16, 42, false}, {16, 48, false}, {16, 48, true},  {16, 52, true},
	};

	all_formats[n_formats++] = format_x86(4);
	all_formats[n_formats++] = format_x86(5);
	for (size_t i = 0; i < sizeof(arm) / sizeof(arm[0]); i++)
		all_formats[n_formats++] = format_arm(arm[i].granule, arm[i].va_bits, arm[i].wide);
	for (unsigned int levels = 3; levels <= 5; levels++)
		all_formats[n_formats++] = format_riscv(levels);
	for (unsigned int levels = 2; levels <= 5; levels++)
		all_formats[n_formats++] = format_s390(levels);
}

/* Without a register that leads to it. */
static void formats_fill_linear(void)
{
	for (unsigned int i = 0; i < 4; i++)
		all_formats[n_formats++] = format_ppc(i & 1 ? 16 : 12, i & 2);
	all_formats[n_formats++] = format_loong(12, 4);
	all_formats[n_formats++] = format_loong(14, 3);
	all_formats[n_formats++] = format_loong(16, 2);
}

static struct arch_space space_of(const struct build_format *f, gaddr_t root)
{
	struct arch_space spaces[ARCH_MAX_SPACES];
	uint64_t values[ARCH_MAX_REGISTERS] = {0};
	const char *unsupported = NULL;

	f->registers(f, root, values);
	assert_in_range(f->arch->n_registers, 1, ARCH_MAX_REGISTERS);
	assert_in_range(f->arch->spaces(values, spaces, &unsupported), 1, ARCH_MAX_SPACES);
	assert_null(unsupported);
	if (f->variables) {
		struct arch_variable variables[ARCH_MAX_VARIABLES] = {0};

		assert_int_equal(spaces[0].levels, 0);
		f->variables(f, root, variables);
		assert_true(f->arch->complete(variables, f->page_size, &spaces[0]));
		/* The test's own table is all that is to be seen. */
		spaces[0].linear_len = 0;
	}
	assert_int_equal(spaces[0].live, !f->variables);
	assert_int_equal(spaces[0].rank, 0);
	assert_int_equal(spaces[0].root.addr, root);
	assert_int_equal(spaces[0].levels, f->levels);
	return spaces[0];
}

static struct pagetable *table_of(const struct build_format *f, struct textmem *m, gaddr_t root)
{
	struct arch_space space = space_of(f, root);
	struct pagetable *pt;

	assert_null(pagetable_create(f->arch, f->big_endian, &space,
				     &(struct gmem){textmem_read_physical, m}, &pt));
	return pt;
}

/* Pages here and there, some of them neighbours, of every size that there is. */
static void fill(struct build *b, uint64_t *rng)
{
	const struct build_format *f = b->f;

	for (unsigned int i = 0; i < 120; i++) {
		unsigned int level = f->levels - 1 - (unsigned int)rng_below(rng, 3);
		gaddr_t va = f->va_low + rng_below(rng, f->va_high - f->va_low);
		gaddr_t pa = rng_next(rng) & f->pa_high;
		uint64_t near = rng_next(rng);

		if (level >= f->levels || !f->leaf[level])
			level = f->levels - 1;
		if (b->n_pages && near & 1) {
			const struct build_page *page = &b->pages[b->n_pages - 1];

			va = page->va + page->size;
			pa = near & 2 ? page->pa + page->size : pa;
			if (va < f->va_low || va > f->va_high || pa > f->pa_high)
				continue;
		}
		build_map(b, va, pa, level, rng_below(rng, 2), rng_below(rng, 2));
	}
}

static const struct build_page *page_of(const struct build *b, gaddr_t va)
{
	for (size_t i = 0; i < b->n_pages; i++)
		if (va - b->pages[i].va < b->pages[i].size)
			return &b->pages[i];
	return NULL;
}

static void check_translation(const struct build *b, struct pagetable *pt, uint64_t *rng)
{
	for (unsigned int i = 0; i < 4 * b->n_pages; i++) {
		const struct build_page *page = &b->pages[i / 4];
		struct pagetable_query q = {
			.virtual = page->va + rng_below(rng, page->size),
		};
		const struct build_page *truth;

		/* A neighbour, mapped or not. */
		if (i % 4 == 3)
			q.virtual = page->va + page->size + (rng_next(rng) & 0xfff);
		truth = page_of(b, q.virtual);
		assert_null(pagetable_translate(pt, &q, 1));
		assert_int_equal(q.mapped, truth != NULL);
		if (!truth)
			continue;
		assert_int_equal(q.physical, truth->pa + (q.virtual - truth->va));
		assert_int_equal(q.left, truth->va + truth->size - q.virtual);
	}
}

static void check_ranges(const struct build *b, const struct pagetable_ranges *ranges)
{
	uint64_t mapped = 0, found = 0;

	assert_false(ranges->cut);
	for (size_t i = 0; i < b->n_pages; i++)
		mapped += b->pages[i].size;
	for (size_t i = 0; i < ranges->all.len; i++) {
		const struct pagetable_range *r = &ranges->all.data[i];

		assert_false(r->below);
		found += r->len;
		/* Each piece is of a page, and as that says. */
		for (uint64_t done = 0; done < r->len;) {
			const struct build_page *page = page_of(b, r->virtual + done);

			assert_non_null(page);
			assert_int_equal(r->virtual + done, page->va);
			assert_int_equal(r->physical + done, page->pa);
			assert_int_equal(r->writable, page->writable);
			assert_int_equal(r->executable, page->executable);
			done += page->size;
		}
		if (i) {
			/* In order, and no two of one kind side by side. */
			const struct pagetable_range *p = r - 1;

			assert_true(p->virtual + p->len <= r->virtual);
			assert_false(p->virtual + p->len == r->virtual &&
				     p->physical + p->len == r->physical &&
				     p->writable == r->writable && p->executable == r->executable);
		}
	}
	assert_int_equal(found, mapped);
}

static void test_every_format(void **state)
{
	uint64_t rng = 7;

	(void)state;
	for (size_t i = 0; i < n_formats; i++) {
		const struct build_format *f = &all_formats[i];
		struct textmem *m = textmem_create();
		struct pagetable_ranges ranges;
		struct pagetable *pt;
		struct build b;

		print_message("%s: granule %u, %u bits\n", f->name, f->granule, f->va_bits);
		/* Where entries have address bits in odd places, tables are there too. */
		build_init(&b, f, m, f->wide ? UINT64_C(0x000f000000400000) : 0x400000);
		fill(&b, &rng);
		assert_true(b.n_pages > 60);
		pt = table_of(f, m, b.root);
		check_translation(&b, pt, &rng);
		m->calls = 0;
		assert_null(pagetable_enumerate(pt, 0, UINT64_MAX, 1, &ranges));
		assert_true(m->calls <= f->levels);
		check_ranges(&b, &ranges);
		pagetable_ranges_deinit(&ranges);
		pagetable_destroy(pt);
		textmem_destroy(m);
	}
}

/* A part of a space: what lies in it, and the whole of what begins or ends in it. */
static void test_part_of_a_space(void **state)
{
	uint64_t rng = 3;

	(void)state;
	for (size_t i = 0; i < n_formats; i++) {
		const struct build_format *f = &all_formats[i];
		struct textmem *m = textmem_create();
		struct pagetable_ranges ranges;
		struct pagetable *pt;
		struct build b;

		build_init(&b, f, m, 0x400000);
		fill(&b, &rng);
		pt = table_of(f, m, b.root);
		for (size_t k = 0; k < b.n_pages; k++) {
			const struct build_page *page = &b.pages[k];

			assert_null(pagetable_enumerate(pt, page->va + page->size / 2,
							page->va + page->size - 1, 1, &ranges));
			assert_int_equal(ranges.all.len, 1);
			assert_int_equal(ranges.all.data[0].virtual, page->va);
			assert_int_equal(ranges.all.data[0].len, page->size);
			pagetable_ranges_deinit(&ranges);
		}
		pagetable_destroy(pt);
		textmem_destroy(m);
	}
}

/* Only the tables of the upper levels: what they lead to is there, whatever is below. */
static void test_not_below(void **state)
{
	struct build_format f = format_x86(4);
	struct textmem *m = textmem_create();
	struct pagetable_ranges ranges;
	struct pagetable *pt;
	struct build b;

	(void)state;
	build_init(&b, &f, m, 0x400000);
	assert_true(build_map(&b, UINT64_C(0xffffffff81000000), 0x1000000, 2, false, true));
	assert_true(build_map(&b, UINT64_C(0xffffffff81200000), 0x1200000, 2, false, true));
	assert_true(build_map(&b, UINT64_C(0xffffffff81401000), 0x7000, 3, true, false));
	pt = table_of(&f, m, b.root);
	assert_null(pagetable_enumerate(pt, UINT64_C(0xffffffff80000000),
					UINT64_C(0xffffffffbfffffff), 2, &ranges));
	assert_int_equal(ranges.all.len, 2);
	assert_int_equal(ranges.all.data[0].virtual, UINT64_C(0xffffffff81000000));
	assert_int_equal(ranges.all.data[0].len, 0x400000);
	assert_false(ranges.all.data[0].below);
	assert_int_equal(ranges.all.data[1].virtual, UINT64_C(0xffffffff81400000));
	assert_int_equal(ranges.all.data[1].len, 0x200000);
	assert_true(ranges.all.data[1].below);
	pagetable_ranges_deinit(&ranges);
	pagetable_destroy(pt);
	textmem_destroy(m);
}

/* Every entry leads to the table that it is in, or to where no memory is. */
static void test_tables_that_lead_nowhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_formats; i++) {
		const struct build_format *f = &all_formats[i];
		struct textmem *m = textmem_create();
		struct pagetable_query q = {.virtual = f->va_high & ~UINT64_C(0xffffff)};
		struct pagetable_ranges ranges;
		struct pagetable *pt;
		struct build b;

		build_init(&b, f, m, 0x400000);
		for (unsigned int k = 0; k < 1u << f->bits[0]; k++)
			textmem_put_uint(m, b.root + 8 * k,
					 f->table(f, 0, k % 4 ? b.root : f->pa_high & ~0xffffull),
					 8);
		pt = table_of(f, m, b.root);
		assert_null(pagetable_translate(pt, &q, 1));
		m->bytes = 0;
		assert_null(pagetable_enumerate(pt, 0, UINT64_MAX, 1, &ranges));
		/* Each level has the table a few times, and no more. */
		assert_true(m->bytes <= (UINT64_C(8) << 13) * 16 * f->levels);
		pagetable_ranges_deinit(&ranges);
		pagetable_destroy(pt);
		textmem_destroy(m);
	}
}

/* A tree of tables that are all different, and far more than any guest has. */
static struct kt_error *endless_read(void *source, struct gmem_read *reads, size_t count)
{
	uint64_t *total = source;

	for (size_t i = 0; i < count; i++) {
		uint8_t *bytes = reads[i].buf;

		for (size_t k = 0; k + 8 <= reads[i].len; k += 8) {
			gaddr_t at = reads[i].addr + k;
			uint64_t e = ((at * 512 + 0x1000) & UINT64_C(0x000ffffffffff000)) | 0x67;

			memcpy(bytes + k, &e, 8);
		}
		reads[i].fault = false;
		*total += reads[i].len;
	}
	return NULL;
}

static void test_endless_tables(void **state)
{
	struct build_format f = format_x86(5);
	struct arch_space space = space_of(&f, 0x1000);
	struct pagetable_ranges ranges;
	struct pagetable *pt;
	uint64_t total = 0;

	(void)state;
	assert_null(pagetable_create(&arch_x86_64, false, &space,
				     &(struct gmem){endless_read, &total}, &pt));
	assert_null(pagetable_enumerate(pt, 0, UINT64_MAX, 1, &ranges));
	assert_true(ranges.cut);
	assert_true(total <= UINT64_C(160) << 20);
	pagetable_ranges_deinit(&ranges);
	pagetable_destroy(pt);
}

/* s390x: tables may begin late and end early; what is cut off is not there, whatever it says. */
static void test_lengths_of_tables(void **state)
{
	struct build_format f = format_s390(3);
	struct textmem *m = textmem_create();
	struct pagetable_ranges ranges;
	struct pagetable *pt;
	struct build b;

	(void)state;
	build_init(&b, &f, m, 0x400000);
	/* A segment in each quarter of the segment table, but its offset is 1 and its length 2. */
	for (gaddr_t i = 0; i < 4; i++)
		assert_true(build_map(&b, i << 29, i << 20, 1, true, true));
	textmem_put_uint(m, b.root, (build_get(&b, b.root) & ~UINT64_C(0xff)) | 1 << 6 | 2 | 1 << 2,
			 8);
	pt = table_of(&f, m, b.root);
	for (gaddr_t i = 0; i < 4; i++) {
		struct pagetable_query q = {.virtual = (i << 29) + 5};

		assert_null(pagetable_translate(pt, &q, 1));
		assert_int_equal(q.mapped, i == 1 || i == 2);
		assert_true(!q.mapped || q.physical == (i << 20) + 5);
	}
	assert_null(pagetable_enumerate(pt, 0, UINT64_MAX, 1, &ranges));
	assert_int_equal(ranges.all.len, 2);
	assert_int_equal(ranges.all.data[0].virtual, 1 << 29);
	assert_int_equal(ranges.all.data[1].virtual, 1 << 30);
	pagetable_ranges_deinit(&ranges);
	pagetable_destroy(pt);
	textmem_destroy(m);
}

/* RISC-V, Svnapot: sixteen entries of one page of 64 KiB. */
static void test_napot(void **state)
{
	struct build_format f = format_riscv(3);
	struct textmem *m = textmem_create();
	gaddr_t va = UINT64_C(0xffffffc000010000);
	struct pagetable_ranges ranges;
	struct pagetable *pt;
	struct build b;

	(void)state;
	build_init(&b, &f, m, 0x400000);
	for (gaddr_t i = 0; i < 16; i++) {
		gaddr_t at = build_entry(&b, va + (i << 12), 2);

		textmem_put_uint(m, at, UINT64_C(1) << 63 | (0x120000 | 0x8000) >> 2 | 0xc7, 8);
	}
	pt = table_of(&f, m, b.root);
	for (gaddr_t i = 0; i < 16; i++) {
		struct pagetable_query q = {.virtual = va + (i << 12) + 0x123};

		assert_null(pagetable_translate(pt, &q, 1));
		assert_true(q.mapped);
		assert_int_equal(q.physical, 0x120123 + (i << 12));
		assert_int_equal(q.left, 0x10000 - (i << 12) - 0x123);
	}
	assert_null(pagetable_enumerate(pt, va, va + 0xffff, 1, &ranges));
	assert_int_equal(ranges.all.len, 1);
	assert_int_equal(ranges.all.data[0].physical, 0x120000);
	assert_int_equal(ranges.all.data[0].len, 0x10000);
	pagetable_ranges_deinit(&ranges);
	pagetable_destroy(pt);
	textmem_destroy(m);
}

static size_t spaces_with(const struct build_format *f, gaddr_t root, const char *name,
			  uint64_t value, struct arch_space *ret, const char **unsupported)
{
	uint64_t values[ARCH_MAX_REGISTERS] = {0};

	*unsupported = NULL;
	f->registers(f, root, values);
	build_register(f->arch, values, name, value);
	return f->arch->spaces(values, ret, unsupported);
}

/* --- a process's table, while the kernel runs --- */

static void test_user_aarch64(void **state)
{
	/* cpsr, TCR_EL1, TTBR0_EL1, TCR_EL2, TTBR0_EL2; EL1 with 48 bits of 4 KiB pages, and EL2 */
	uint64_t el1[] = {0x3c5, 0x00400032b5593519 & ~UINT64_C(63), 0x0012000041234000, 0, 0};
	uint64_t el2[] = {0x3c9, 0, 0x1000, 0x00400032b5593519 & ~UINT64_C(63), 0x00120000dead8000};
	struct arch_space space;

	(void)state;
	assert_int_equal(arch_aarch64.n_user_registers, 5);
	el1[1] |= 16; /* T0SZ */
	el2[3] |= 25;
	assert_true(arch_aarch64.user_space(el1, &space));
	assert_int_equal(space.root.addr, 0x41234000); /* without the ASID */
	assert_int_equal(space.levels, 4);
	assert_int_equal(space.form, ARCH_FORM_LOW);
	assert_true(arch_aarch64.user_space(el2, &space));
	assert_int_equal(space.root.addr, 0xdead8000);
	assert_int_equal(space.levels, 3);
	/* Granules: TG0 is 1 for 64 KiB, 2 for 16 KiB, and 3 is reserved. */
	el1[1] |= UINT64_C(1) << 14;
	assert_true(arch_aarch64.user_space(el1, &space));
	assert_int_equal(space.level[0].shift, 16);
	el1[1] ^= UINT64_C(3) << 14;
	assert_true(arch_aarch64.user_space(el1, &space));
	assert_int_equal(space.level[0].shift, 14);
	el1[1] |= UINT64_C(3) << 14;
	assert_false(arch_aarch64.user_space(el1, &space));
	/* EPD0: nothing is translated; more bits than there are */
	el1[1] = (el1[1] & ~(UINT64_C(3) << 14)) | UINT64_C(1) << 7;
	assert_false(arch_aarch64.user_space(el1, &space));
	el1[1] &= ~(UINT64_C(1) << 7 | 63);
	assert_false(arch_aarch64.user_space(el1, &space));
}

static void test_user_s390x(void **state)
{
	struct arch_space space;

	(void)state;
	assert_int_equal(arch_s390x.n_user_registers, 1);
	assert_string_equal(arch_s390x.user_registers[0], "cr7");
	/* An ASCE of three levels, and bits of the kernel's own; none; a real space. */
	assert_true(arch_s390x.user_space((const uint64_t[]){0x8012c1c7}, &space));
	assert_int_equal(space.root.addr, 0x8012c000);
	assert_int_equal(space.levels, 3);
	assert_false(arch_s390x.user_space((const uint64_t[]){0}, &space));
	assert_false(arch_s390x.user_space((const uint64_t[]){0x8012c1e7}, &space));
}

static void test_aarch64_registers(void **state)
{
	struct build_format f = format_arm(12, 48, false);
	struct arch_space s[ARCH_MAX_SPACES];
	const char *why;

	(void)state;
	/* The MMU is off; firmware at EL3. */
	assert_int_equal(spaces_with(&f, 0x1000, "SCTLR_EL1", 0x30d00980, s, &why), 0);
	assert_null(why);
	assert_int_equal(spaces_with(&f, 0x1000, "cpsr", 0x3cd, s, &why), 0);
	/* At EL2 without its registers: said, not guessed. */
	assert_int_equal(spaces_with(&f, 0x1000, "cpsr", 0x3c9, s, &why), 0);
	assert_non_null(strstr(why, "EL2"));
	/* In user mode: the stub sees only the process; the kernel's may be behind a trampoline. */
	assert_int_equal(spaces_with(&f, 0x10000, "cpsr", 0x80000000, s, &why), 3);
	assert_false(s[0].live || s[1].live || s[2].live);
	assert_int_equal(s[0].root.addr, 0x10000);
	assert_int_equal(s[1].root.addr, 0x12000);
	assert_int_equal(s[2].root.addr, 0x11000);
	assert_true(s[0].rank < s[1].rank && s[1].rank < s[2].rank);
	/* A tag in the top byte, if the kernel has them; never in the lower half. */
	assert_int_equal(spaces_with(&f, 0x1000, "TCR_EL1", UINT64_C(0x4580100010), s, &why), 3);
	assert_true(arch_space_has(&s[0], UINT64_C(0xf0ff800080001234)));
	assert_false(arch_space_has(&s[0], UINT64_C(0xf07f800080001234)));
	assert_int_equal(spaces_with(&f, 0x1000, "TCR_EL1", UINT64_C(0x0580100010), s, &why), 3);
	assert_false(arch_space_has(&s[0], UINT64_C(0xf0ff800080001234)));
	assert_true(arch_space_has(&s[0], UINT64_C(0xffff800080001234)));
}

static void test_riscv64_registers(void **state)
{
	struct build_format f = format_riscv(4);
	struct arch_space s[ARCH_MAX_SPACES];
	const char *why;

	(void)state;
	assert_int_equal(spaces_with(&f, 0x1000, "satp", 0, s, &why), 0);
	assert_null(why);
	assert_int_equal(spaces_with(&f, 0x1000, "satp", UINT64_C(11) << 60 | 1, s, &why), 0);
	assert_non_null(why);
	assert_int_equal(spaces_with(&f, 0x1000, "priv", 0, s, &why), 1);
	assert_false(s[0].live);
	assert_int_equal(spaces_with(&f, 0x1000, "priv", 3, s, &why), 1);
	assert_false(s[0].live);
}

static void test_s390x_registers(void **state)
{
	struct build_format f = format_s390(3);
	struct arch_space s[ARCH_MAX_SPACES];
	const char *why;

	(void)state;
	/* In user mode, in the primary space. */
	assert_int_equal(spaces_with(&f, 0x4000, "pswm", UINT64_C(0x0705200180000000), s, &why), 3);
	assert_int_equal(s[0].root.addr, 0x4000);
	assert_false(s[0].live);
	assert_true(s[1].live && s[1].root.addr == 0x1234000);
	/* No translation; a real space; a CPU that is not set up. */
	assert_int_equal(spaces_with(&f, 0x4000, "pswm", UINT64_C(0x0004c00180000000), s, &why), 3);
	assert_false(s[0].live || s[1].live || s[2].live);
	assert_int_equal(spaces_with(&f, 0x4000, "cr13", 0x4027, s, &why), 2);
	assert_int_equal(spaces_with(&f, 0x4000, "cr13", 0, s, &why), 2);
}

/* Addresses of the linear map are physical ones, and the table has no say. */
static void test_linear(void **state)
{
	struct build_format f = format_ppc(12, true);
	struct arch_variable variables[ARCH_MAX_VARIABLES] = {0};
	struct textmem *m = textmem_create();
	struct arch_space space[ARCH_MAX_SPACES];
	struct pagetable_ranges ranges;
	struct pagetable_query q;
	struct pagetable *pt;
	struct build b;
	const char *why;

	(void)state;
	build_init(&b, &f, m, 0x400000);
	assert_true(build_map(&b, PPC_LINEAR + 0x5000, 0x7000, 3, true, true));
	assert_true(build_map(&b, UINT64_C(0xc008000000003000), 0x9000, 3, true, false));
	assert_int_equal(spaces_with(&f, b.root, "msr", 0x9033, space, &why), 1);
	assert_null(pagetable_create(f.arch, false, &space[0],
				     &(struct gmem){textmem_read_physical, m}, &pt));
	f.variables(&f, b.root, variables);
	for (int complete = 0; complete < 2; complete++) {
		assert_true(!complete || pagetable_complete(pt, variables, 0));
		q = (struct pagetable_query){.virtual = PPC_LINEAR + 0x5008};
		assert_null(pagetable_translate(pt, &q, 1));
		assert_true(q.mapped);
		assert_int_equal(q.physical, 0x5008);
		q.virtual = UINT64_C(0xc008000000003010);
		assert_null(pagetable_translate(pt, &q, 1));
		assert_int_equal(q.mapped, complete);
		assert_true(!complete || q.physical == 0x9010);
		q.virtual = 0x5008;
		assert_null(pagetable_translate(pt, &q, 1));
		assert_false(q.mapped);
		assert_null(pagetable_enumerate(pt, PPC_LINEAR + 0x4000, UINT64_MAX, 1, &ranges));
		assert_int_equal(ranges.all.len, 1 + complete);
		assert_int_equal(ranges.all.data[0].virtual, PPC_LINEAR + 0x4000);
		assert_int_equal(ranges.all.data[0].physical, 0x4000);
		assert_false(ranges.all.data[0].writable || ranges.all.data[0].executable);
		if (complete)
			assert_int_equal(ranges.all.data[1].virtual, UINT64_C(0xc008000000003000));
		pagetable_ranges_deinit(&ranges);
		assert_null(pagetable_enumerate(pt, 0, PPC_LINEAR - 1, 1, &ranges));
		assert_int_equal(ranges.all.len, 0);
		pagetable_ranges_deinit(&ranges);
	}
	pagetable_destroy(pt);
	textmem_destroy(m);
}

/* Variables that no kernel has: more bits than an address, a table that is not in memory, none. */
static void test_ppc64le_variables(void **state)
{
	struct build_format f = format_ppc(12, true);
	struct arch_space s[ARCH_MAX_SPACES];
	const char *why;

	(void)state;
	assert_int_equal(spaces_with(&f, 0, "msr", 0x9033, s, &why), 1);
	for (size_t i = 0; i <= arch_ppc64le.n_variables; i++) {
		struct arch_variable variables[ARCH_MAX_VARIABLES] = {0};
		struct arch_space space = s[0];

		f.variables(&f, 0x1000, variables);
		if (i < arch_ppc64le.n_variables)
			variables[i].known = false;
		assert_int_equal(arch_ppc64le.complete(variables, 0, &space),
				 i == arch_ppc64le.n_variables);
	}
	for (size_t i = 0; i <= 4; i++) {
		struct arch_variable variables[ARCH_MAX_VARIABLES] = {0};
		struct arch_space space = s[0];

		f.variables(&f, 0x1000, variables);
		variables[i].value = UINT64_MAX - 3;
		if (!i)
			variables[i].addr = UINT64_C(0xc008000000000000);
		assert_false(arch_ppc64le.complete(variables, 0, &space));
	}
	/* A big-endian vCPU: firmware. As the stub's bytes are read, the other way round. */
	assert_int_equal(spaces_with(&f, 0, "msr", __builtin_bswap64(0x8000000000001030), s, &why),
			 0);
	assert_null(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_format),
		cmocka_unit_test(test_part_of_a_space),
		cmocka_unit_test(test_not_below),
		cmocka_unit_test(test_tables_that_lead_nowhere),
		cmocka_unit_test(test_endless_tables),
		cmocka_unit_test(test_lengths_of_tables),
		cmocka_unit_test(test_napot),
		cmocka_unit_test(test_aarch64_registers),
		cmocka_unit_test(test_user_aarch64),
		cmocka_unit_test(test_user_s390x),
		cmocka_unit_test(test_riscv64_registers),
		cmocka_unit_test(test_s390x_registers),
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_ppc64le_variables),
	};

	formats_fill();
	formats_fill_linear();
	return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
