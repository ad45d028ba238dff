// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel of a guest that is no x86-64: by what its vCPUs' registers say in each of the modes
 * that they may be in. Page tables are written by the manuals (formats.h); virtual reads are
 * answered from the list of what was mapped, not by a walk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/guest.h"
#include "tests/memory/fake_facts.h"
#include "tests/memory/formats.h"

#define IMAGE_AT   UINT64_C(0x04000000)
#define TABLES_AT  UINT64_C(0x08000000)
#define HANDLER_AT 0x500 /* of the text: what the anchor is */

/* Pages of the image. */
enum { TEXT_PAGES = 4, RODATA = TEXT_PAGES, DATA, IMAGE_PAGES };

struct machine {
	struct textmem *mem;
	struct build_format f;
	struct build build;
	struct kfacts facts;
	uint64_t values[ARCH_MAX_REGISTERS];
	int64_t kaslr;
	uint64_t page;
	gaddr_t image_at; /* physical */
	size_t n_selected;
};

static void put_image(struct machine *m)
{
	gaddr_t notes = m->image_at + RODATA * m->page;

	for (unsigned int i = 0; i < IMAGE_PAGES; i++) {
		bool mapped;

		textmem_put(m->mem, m->image_at + i * m->page, NULL, m->page);
		if (m->f.variables) /* it is in the linear map */
			continue;
		mapped = build_map(&m->build,
				   m->facts.kernel.text_link + (uint64_t)m->kaslr + i * m->page,
				   m->image_at + i * m->page, m->f.levels - 1, i == DATA,
				   i < TEXT_PAGES);
		assert_true(mapped);
	}
	textmem_put_uint(m->mem, notes, 4, 4);
	textmem_put_uint(m->mem, notes + 4, 20, 4);
	textmem_put_uint(m->mem, notes + 8, 3, 4);
	textmem_put(m->mem, notes + 12, "GNU", 4);
	textmem_put(m->mem, notes + 16, m->facts.kernel.build_id, 20);
}

/* A kernel linked to an address, and a vCPU that runs in it. */
static void machine_init(struct machine *m, const struct build_format *f, gaddr_t link,
			 int64_t kaslr)
{
	static char release[] = "6.99.0-arch", banner[] = "Linux version 6.99.0-arch (a@b) #1";

	*m = (struct machine){
		.mem = textmem_create(),
		.f = *f,
		.kaslr = kaslr,
		.page = UINT64_C(1) << f->shift[f->levels - 1],
		.image_at = f->variables ? 0 : IMAGE_AT,
	};
	m->facts.kernel = (struct kfacts_kernel){
		.release = release,
		.banner = banner,
		.arch = (char *)(uintptr_t)f->arch->name,
		.big_endian = f->big_endian,
		.build_id_len = 20,
		.text_link = link,
		.notes_link = link + RODATA * m->page,
		.notes_size = 36,
	};
	for (uint8_t i = 0; i < 20; i++)
		m->facts.kernel.build_id[i] = (uint8_t)(0xb0 + i);
	fake_symbol(&m->facts, "prog_idr", link + DATA * m->page + 0x40);
	if (f->arch->anchor)
		fake_symbol(&m->facts, f->arch->anchor, link + HANDLER_AT);
	build_init(&m->build, &m->f, m->mem, TABLES_AT);
	put_image(m);
	f->registers(f, m->build.root, m->values);
}

static void set(struct machine *m, const char *name, uint64_t value)
{
	build_register(m->f.arch, m->values, name, value);
}

static struct kt_error *registers(void *context, size_t first, size_t end, const char *const *names,
				  size_t n_names, uint64_t **values_ret, size_t *n_cpus_ret)
{
	struct machine *m = context;

	assert_ptr_equal(names, m->f.arch->registers);
	assert_int_equal(first, 0);
	assert_true(end >= 1);
	*values_ret = malloc(n_names * sizeof(**values_ret));
	assert_non_null(*values_ret);
	memcpy(*values_ret, m->values, n_names * sizeof(**values_ret));
	*n_cpus_ret = 1;
	return NULL;
}

static struct kt_error *select_cpu(void *context, size_t cpu)
{
	assert_int_equal(cpu, 0);
	((struct machine *)context)->n_selected++;
	return NULL;
}

static bool translate(const struct build *b, gaddr_t va, gaddr_t *ret)
{
	for (size_t i = 0; i < b->n_pages; i++) {
		if (va - b->pages[i].va < b->pages[i].size) {
			*ret = b->pages[i].pa + (va - b->pages[i].va);
			return true;
		}
	}
	return false;
}

static struct kt_error *read_virtual(void *context, struct gmem_read *reads, size_t count)
{
	struct machine *m = context;

	for (size_t i = 0; i < count; i++) {
		bool ok = true;

		for (size_t at = 0; at < reads[i].len && ok; at++) {
			gaddr_t pa;

			ok = translate(&m->build, reads[i].addr + at, &pa) &&
			     textmem_get(m->mem, pa, (uint8_t *)reads[i].buf + at, 1);
		}
		textmem_answer(&reads[i], ok);
	}
	return NULL;
}

static struct kt_error *read_physical(void *context, struct gmem_read *reads, size_t count)
{
	return textmem_read_physical(((struct machine *)context)->mem, reads, count);
}

static struct kt_error *create(struct machine *m, struct guest **ret)
{
	const struct source source = {
		.context = m,
		.registers = registers,
		.select = select_cpu,
		.read_virtual = read_virtual,
		.read_physical = read_physical,
	};

	return guest_create(&source, &m->facts, NULL, ret);
}

/* What it took in physical reads, page tables for the most part, is *bytes_ret. */
static void check_found(struct machine *m, bool walks, uint64_t *bytes_ret)
{
	struct gmem_batch batch = {0};
	struct guest *guest;
	struct kt_error *err = create(m, &guest);
	struct guest_paging paging;
	gaddr_t addr;
	char gnu[4];

	if (err)
		fail_msg("%s", kt_error_message(err));
	if (bytes_ret)
		*bytes_ret = m->mem->bytes;
	assert_true(guest_kaslr_offset(guest) == m->kaslr);
	assert_int_equal(guest_walks_tables(guest), walks);
	paging = guest_paging(guest);
	assert_int_equal(paging.levels, m->f.levels);
	assert_true(paging.page_size == m->page);
	assert_true(guest_symbol(guest, "prog_idr", &addr));
	assert_true(addr == m->facts.kernel.text_link + (uint64_t)m->kaslr + DATA * m->page + 0x40);
	assert_true(gmem_batch_add(&batch, m->facts.kernel.notes_link + (uint64_t)m->kaslr + 12,
				   gnu, sizeof(gnu)));
	assert_null(guest_read(guest, &batch));
	assert_false(gmem_batch_fault(&batch, 0, 1));
	assert_memory_equal(gnu, "GNU", 4);
	gmem_batch_deinit(&batch);
	guest_destroy(guest);
	textmem_destroy(m->mem);
}

static void check_error(struct machine *m, enum kt_error_code code, const char *words)
{
	struct guest *guest;
	struct kt_error *err = create(m, &guest);

	assert_non_null(err);
	if (kt_error_code(err) != code || !strstr(kt_error_message(err), words))
		fail_msg("%s", kt_error_message(err));
	kt_error_destroy(err);
	textmem_destroy(m->mem);
}

/* --- aarch64 --- */

#define EL0 UINT64_C(0x60000000)

static void arm_init(struct machine *m, unsigned int granule, unsigned int va_bits)
{
	const struct build_format f = format_arm(granule, va_bits, false);

	machine_init(m, &f, f.va_low + 0x80000000, 0x2340000);
}

static const struct {
	unsigned int granule, va_bits;
} arm_kinds[] = {{12, 48}, {12, 39}, {14, 47}, {16, 42}, {16, 48}};
#define ARM_KINDS (sizeof(arm_kinds) / sizeof(arm_kinds[0]))

static gaddr_t handler(const struct machine *m)
{
	return m->facts.kernel.text_link + (uint64_t)m->kaslr + HANDLER_AT;
}

static void test_arm_in_kernel(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARM_KINDS; i++) {
		struct machine m;

		arm_init(&m, arm_kinds[i].granule, arm_kinds[i].va_bits);
		check_found(&m, false, NULL);
	}
}

/* In user mode the stub translates as for the process, whose tables do not have the kernel. */
static void test_arm_user(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARM_KINDS; i++) {
		struct machine m;

		arm_init(&m, arm_kinds[i].granule, arm_kinds[i].va_bits);
		set(&m, "cpsr", EL0);
		check_found(&m, true, NULL);
	}
}

/* VBAR_EL1 says where the vectors are: then no table is looked through. */
static void test_arm_anchor(void **state)
{
	uint64_t searched, told;
	struct machine m;

	(void)state;
	arm_init(&m, 12, 48);
	set(&m, "cpsr", EL0);
	check_found(&m, true, &searched);
	arm_init(&m, 12, 48);
	set(&m, "cpsr", EL0);
	set(&m, "VBAR_EL1", handler(&m));
	check_found(&m, true, &told);
	assert_true(told < searched);
	/* One that leads elsewhere is no more than not knowing. */
	arm_init(&m, 12, 48);
	set(&m, "cpsr", EL0);
	set(&m, "VBAR_EL1", handler(&m) + 0x10000);
	check_found(&m, true, NULL);
}

/* KPTI: TTBR1 has the trampoline's table, one or two pages before the kernel's. */
static void test_arm_kpti(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARM_KINDS; i++) {
		unsigned int granule = arm_kinds[i / 2].granule;
		uint64_t before = (i % 2 + 1) << granule;
		struct machine m;

		arm_init(&m, granule, arm_kinds[i / 2].va_bits);
		textmem_put(m.mem, m.build.root - before, NULL, before);
		set(&m, "cpsr", EL0);
		set(&m, "TTBR1_EL1", m.build.root - before);
		check_found(&m, true, NULL);
	}
}

/* Where swapper_pg_dir and kimage_voffset would be linked, to be where they are here. */
static void know_root(struct machine *m, int64_t error)
{
	gaddr_t link = m->facts.kernel.text_link, voffset = DATA * m->page + 0x80;

	fake_symbol(&m->facts, "swapper_pg_dir", link + (m->build.root - IMAGE_AT));
	fake_symbol(&m->facts, "kimage_voffset", link + voffset);
	textmem_put_uint(m->mem, IMAGE_AT + voffset,
			 link + (uint64_t)m->kaslr - IMAGE_AT + (uint64_t)error, 8);
}

/* The table's own place tells the kernel's, and what is there is proved as ever. */
static void test_arm_root(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARM_KINDS; i++) {
		uint64_t before = (i % 2 + 1) << arm_kinds[i / 2].granule;
		uint64_t bytes[3];

		for (size_t turn = 0; turn < 3; turn++) {
			struct machine m;

			arm_init(&m, arm_kinds[i / 2].granule, arm_kinds[i / 2].va_bits);
			textmem_put(m.mem, m.build.root - before, NULL, before);
			set(&m, "cpsr", EL0);
			set(&m, "TTBR1_EL1", m.build.root - before);
			if (turn)
				know_root(&m, turn == 1 ? 0 : 0x10000);
			check_found(&m, true, &bytes[turn]);
		}
		assert_true(bytes[1] < bytes[0]);
		assert_true(bytes[2] > bytes[1]);
	}
}

/* A kernel for 52 bits of addresses, on a CPU with 48: the last 64 of its top table's 1024 entries
 * are used. */
static void test_arm_end_of_root(void **state)
{
	uint64_t bytes[2];

	(void)state;
	for (size_t turn = 0; turn < 2; turn++) {
		struct machine m;
		uint8_t entries[64 * 8];

		arm_init(&m, 16, 48);
		assert_true(textmem_get(m.mem, m.build.root, entries, sizeof(entries)));
		textmem_put(m.mem, m.build.root + (1024 - 64) * 8, entries, sizeof(entries));
		set(&m, "cpsr", EL0);
		set(&m, "TTBR1_EL1", m.build.root + (1024 - 64) * 8);
		if (turn)
			know_root(&m, 0);
		check_found(&m, true, &bytes[turn]);
	}
	assert_true(bytes[1] < bytes[0]);
}

static void test_arm_early(void **state)
{
	struct machine m;

	(void)state;
	arm_init(&m, 12, 48);
	set(&m, "SCTLR_EL1", 0x30d00800);
	check_error(&m, KT_ERROR_NOT_READY, "does not run a kernel yet");
}

/* A hypervisor's, or a VHE kernel's, whose registers are not all there. */
static void test_arm_el2(void **state)
{
	struct machine m;
	uint64_t tcr = 0, ttbr = 0;

	(void)state;
	arm_init(&m, 12, 48);
	set(&m, "cpsr", 0x600003c9);
	check_error(&m, KT_ERROR_UNSUPPORTED, "EL2");
	arm_init(&m, 12, 48);
	for (size_t i = 0; i < arch_aarch64.n_registers; i++) {
		tcr = strcmp(arch_aarch64.registers[i], "TCR_EL1") ? tcr : m.values[i];
		ttbr = strcmp(arch_aarch64.registers[i], "TTBR1_EL1") ? ttbr : m.values[i];
	}
	set(&m, "cpsr", 0x600003c9);
	set(&m, "SCTLR_EL2", 0x3475d99d);
	set(&m, "HCR_EL2", UINT64_C(1) << 34);
	set(&m, "TCR_EL2", tcr);
	set(&m, "TTBR1_EL2", ttbr);
	set(&m, "TTBR1_EL1", 0);
	check_found(&m, false, NULL);
}

static void test_arm_other_build(void **state)
{
	struct machine m;

	(void)state;
	arm_init(&m, 12, 48);
	m.facts.kernel.build_id[19]++;
	check_error(&m, KT_ERROR_MISMATCH, "do not belong together");
}

/* --- s390x --- */

static void s390_init(struct machine *m, unsigned int levels, int64_t kaslr)
{
	const struct build_format f = format_s390(levels);

	machine_init(m, &f, 0x100000, kaslr);
	textmem_put(m->mem, 0, NULL, 0x2000); /* the lowcore */
}

static void test_s390_in_kernel(void **state)
{
	(void)state;
	for (unsigned int levels = 3; levels <= 5; levels++) {
		struct machine m;

		s390_init(&m, levels, 0);
		check_found(&m, false, NULL);
		s390_init(&m, levels, 0x12300000);
		check_found(&m, false, NULL);
	}
}

/* A process has the primary space; the kernel's is the home space all the time. */
static void test_s390_user(void **state)
{
	(void)state;
	for (unsigned int levels = 3; levels <= 5; levels++) {
		struct machine m;

		s390_init(&m, levels, 0x12300000);
		set(&m, "pswm", UINT64_C(0x0705000180000000));
		check_found(&m, true, NULL);
	}
}

/* The lowcore's new PSW of program interruptions leads into the kernel. */
static void test_s390_lowcore(void **state)
{
	uint64_t searched, told;
	struct machine m;

	(void)state;
	s390_init(&m, 3, 0x12300000);
	check_found(&m, false, &searched);
	s390_init(&m, 3, 0x12300000);
	textmem_put_uint(m.mem, 0x1d8, handler(&m), 8);
	check_found(&m, false, &told);
	assert_true(told < searched);
	/* In the wrong byte order it is no address of a kernel. */
	s390_init(&m, 3, 0x12300000);
	textmem_put_uint(m.mem, 0x1d8, __builtin_bswap64(handler(&m)), 8);
	check_found(&m, false, NULL);
}

static void test_s390_early(void **state)
{
	struct machine m;

	(void)state;
	s390_init(&m, 3, 0);
	set(&m, "cr1", 0);
	set(&m, "cr7", 0);
	set(&m, "cr13", 0);
	check_error(&m, KT_ERROR_NOT_READY, "does not run a kernel yet");
}

/* --- ppc64le: in the linear map at physical address 0; the rest by the kernel's variables --- */

static void ppc_init(struct machine *m, unsigned int granule, bool radix)
{
	const struct build_format f = format_ppc(granule, radix);
	struct arch_variable variables[ARCH_MAX_VARIABLES] = {0};

	machine_init(m, &f, PPC_LINEAR, 0);
	m->facts.kernel.big_endian = false;
	assert_true(build_map(&m->build, f.va_low + 5 * m->page, IMAGE_AT, 3, true, false));
	textmem_put(m->mem, IMAGE_AT, "a page", 6);
	m->mem->big_endian = false;
	textmem_put_uint(m->mem, RODATA * m->page, 4, 4);
	textmem_put_uint(m->mem, RODATA * m->page + 4, 20, 4);
	textmem_put_uint(m->mem, RODATA * m->page + 8, 3, 4);
	textmem_put(m->mem, 0x5c, "0nur", 4);
	f.variables(&f, m->build.root, variables);
	for (size_t i = 0; i < f.arch->n_variables; i++) {
		gaddr_t at = DATA * m->page + 0x100 + 8 * i;

		fake_symbol(&m->facts, f.arch->variables[i],
			    variables[i].addr ? variables[i].addr : PPC_LINEAR + at);
		textmem_put_uint(m->mem, at, variables[i].value, 8);
	}
}

static void test_ppc(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct gmem_batch batch = {0};
		struct guest *guest;
		struct machine m;
		char text[6];

		ppc_init(&m, i & 1 ? 16 : 12, i & 2);
		assert_null(create(&m, &guest));
		assert_true(gmem_batch_add(&batch, m.f.va_low + 5 * m.page, text, sizeof(text)));
		assert_null(guest_read(guest, &batch));
		assert_false(gmem_batch_fault(&batch, 0, 1));
		assert_memory_equal(text, "a page", 6);
		gmem_batch_deinit(&batch);
		guest_destroy(guest);
		check_found(&m, true, NULL);
	}
}

/* Nothing tells whether physical memory has a kernel, but how images begin. */
static void test_ppc_no_kernel(void **state)
{
	struct machine m;

	(void)state;
	ppc_init(&m, 12, true);
	m.facts.kernel.build_id[19]++;
	check_error(&m, KT_ERROR_MISMATCH, "do not belong together");
	ppc_init(&m, 12, true);
	m.facts.kernel.build_id[19]++;
	textmem_put(m.mem, 0x5c, "none", 4);
	check_error(&m, KT_ERROR_NOT_READY, "does not run a kernel yet");
	ppc_init(&m, 12, true);
	set(&m, "msr", UINT64_C(0x3010000000000080));
	check_error(&m, KT_ERROR_NOT_READY, "does not run a kernel yet");
	ppc_init(&m, 12, true);
	textmem_put_uint(m.mem, DATA * m.page + 0x100 + 8, 77, 8);
	check_error(&m, KT_ERROR_UNSUPPORTED, "swapper_pg_dir");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arm_in_kernel),   cmocka_unit_test(test_arm_user),
		cmocka_unit_test(test_arm_anchor),      cmocka_unit_test(test_arm_kpti),
		cmocka_unit_test(test_arm_root),        cmocka_unit_test(test_arm_end_of_root),
		cmocka_unit_test(test_arm_early),       cmocka_unit_test(test_arm_el2),
		cmocka_unit_test(test_arm_other_build), cmocka_unit_test(test_s390_in_kernel),
		cmocka_unit_test(test_s390_user),       cmocka_unit_test(test_s390_lowcore),
		cmocka_unit_test(test_s390_early),      cmocka_unit_test(test_ppc),
		cmocka_unit_test(test_ppc_no_kernel),
	};

	return cmocka_run_group_tests_name("memory/guest_arch", tests, NULL, NULL);
}
