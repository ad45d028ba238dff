// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/arch.h"
#include "tests/introspect/synth.h"

#define UNUSED_TABLE 0x0a000000 /* a page that is no page table */
#define USER_TABLE   (SYNTH_TABLES | 0x1000)

/* A top table that maps user memory and only a stub of the kernel's entry, as PTI has it. */
static void user_table(struct synth *s)
{
	textmem_map(s->mem, USER_TABLE, 4, 0x400000, SYNTH_HEAP, 1);
	textmem_map(s->mem, USER_TABLE, 4, SYNTH_TEXT + s->kaslr + 0x600000, SYNTH_IMAGE + 0x600000,
		    2);
}

static void cpu(struct synth *s, uint64_t cr3, bool user)
{
	textmem_printf(s->mem, "cpu cr0=0x80050033 cr3=%#llx cr4=0x6f0 efer=0xd01 cs=%#x\n",
		       (unsigned long long)cr3, user ? 0x33 : 0x10);
}

/* Reads the banner through a guest that was found. */
static void check_found(struct synth *s, bool walks)
{
	char banner[sizeof(SYNTH_BANNER)] = "";
	struct gmem_batch batch = {0};
	struct guest *guest;
	struct kt_error *err = synth_guest(s, &guest);
	gaddr_t addr;

	if (err)
		fail_msg("%s", kt_error_message(err));
	assert_true(guest_kaslr_offset(guest) == (int64_t)s->kaslr);
	assert_int_equal(guest_walks_tables(guest), walks);
	assert_ptr_equal(guest_facts(guest), &s->facts);
	assert_true(guest_symbol(guest, "prog_idr", &addr));
	assert_true(addr == SYNTH_TEXT + SYNTH_IDR + s->kaslr);
	assert_false(guest_symbol(guest, "scx_root", &addr));
	assert_true(gmem_batch_add(&batch, SYNTH_TEXT + SYNTH_BANNER_AT + s->kaslr, banner,
				   sizeof(banner) - 1));
	assert_null(guest_read(guest, &batch));
	assert_false(gmem_batch_fault(&batch, 0, 1));
	assert_string_equal(banner, SYNTH_BANNER);
	gmem_batch_deinit(&batch);
	guest_destroy(guest);
	synth_deinit(s);
}

/* The message has to have all of these words in it. */
static void check_error(struct synth *s, enum kt_error_code code, const char *word,
			const char *word2)
{
	struct guest *guest;
	struct kt_error *err = synth_guest(s, &guest);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	if (!strstr(kt_error_message(err), word) ||
	    (word2 && !strstr(kt_error_message(err), word2)))
		fail_msg("%s", kt_error_message(err));
	for (const char *p = kt_error_message(err); *p; p++)
		assert_true(*p >= ' ' && *p < 0x7f);
	kt_error_destroy(err);
	synth_deinit(s);
}

static void test_kaslr_offsets(void **state)
{
	/* None; some; as high as it goes. A 32 MiB lower one than linked is possible, too. */
	static const uint64_t offsets[] = {0, 0x200000, SYNTH_KASLR, 0x3de00000,
					   -UINT64_C(0x800000)};

	(void)state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct synth s;

		synth_init(&s, offsets[i]);
		synth_cpu(&s);
		check_found(&s, false);
	}
}

static void test_five_levels(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	synth_map(&s, SYNTH_TABLES, 5);
	cpu(&s, SYNTH_TABLES, false);
	s.mem->cpus[0].cr4 |= 1 << 12;
	check_found(&s, false);
}

static void test_four_kib_pages(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	for (uint64_t at = 0; at < SYNTH_IMAGE_SIZE; at += 0x1000)
		textmem_map(s.mem, SYNTH_TABLES, 4, SYNTH_TEXT + s.kaslr + at, SYNTH_IMAGE + at, 1);
	cpu(&s, SYNTH_TABLES, false);
	check_found(&s, false);
}

/* Blocks below the image's: an early kernel, before cleanup_highmap(). */
static void test_lowest_block_is_not_the_text(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	textmem_map(s.mem, SYNTH_TABLES, 4, UINT64_C(0xffffffff80000000), 0, 2);
	textmem_map(s.mem, SYNTH_TABLES, 4, UINT64_C(0xffffffff80400000), SYNTH_HEAP, 1);
	synth_cpu(&s);
	check_found(&s, false);
}

/* In user mode under PTI, CR3 has the user's table; the kernel's is beside it. */
static void test_pti_user(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	synth_map(&s, SYNTH_TABLES, 4);
	user_table(&s);
	cpu(&s, USER_TABLE | 0x83, true); /* with a PCID */
	check_found(&s, true);
}

/*
 * Without PCID, the user's table has all of the kernel's text and read-only data
 * (pti_clone_kernel_text()): the proof holds in it, but programs are out of its reach.
 */
static void test_pti_user_with_text(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	synth_map(&s, SYNTH_TABLES, 4);
	for (uint64_t at = 0; at < 0x800000; at += 0x200000)
		textmem_map(s.mem, USER_TABLE, 4, SYNTH_TEXT + s.kaslr + at, SYNTH_IMAGE + at, 2);
	cpu(&s, USER_TABLE, true);
	check_found(&s, true);
}

/* The same at the entry into the kernel, where this table is the first to be tried. */
static void test_pti_entry_with_text(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	synth_map(&s, SYNTH_TABLES, 4);
	for (uint64_t at = 0; at < 0x800000; at += 0x200000)
		textmem_map(s.mem, USER_TABLE, 4, SYNTH_TEXT + s.kaslr + at, SYNTH_IMAGE + at, 2);
	cpu(&s, USER_TABLE, false);
	check_found(&s, true);
}

/* One of many vCPUs is in the kernel: the stub can translate, through that one. */
static void test_pti_one_in_kernel(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	synth_map(&s, SYNTH_TABLES, 4);
	user_table(&s);
	cpu(&s, USER_TABLE, true);
	cpu(&s, USER_TABLE, true);
	cpu(&s, SYNTH_TABLES, false);
	cpu(&s, USER_TABLE, true);
	check_found(&s, false);
}

/* In the kernel on the user's table: the first instructions of an entry. */
static void test_pti_entry(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	synth_map(&s, SYNTH_TABLES, 4);
	user_table(&s);
	cpu(&s, USER_TABLE, false);
	check_found(&s, true);
}

/* Without PTI, bit 12 of CR3 is an ordinary one, and what is beside is anything. */
static void test_bit_12_by_chance(void **state)
{
	for (int user = 0; user <= 1; user++) {
		struct synth s;

		(void)state;
		synth_init(&s, SYNTH_KASLR);
		synth_map(&s, USER_TABLE, 4);
		cpu(&s, USER_TABLE, user);
		check_found(&s, false);
	}
}

static void test_user_without_pti(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	synth_map(&s, SYNTH_TABLES, 4);
	cpu(&s, SYNTH_TABLES, true);
	check_found(&s, false);
}

/* Most vCPUs are not started yet, or in the firmware; number 60 has what is needed. */
static void test_many_cpus(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	for (int i = 0; i < 60; i++)
		textmem_text(s.mem, "cpu cr0=0x10 cr3=0 efer=0");
	synth_cpu(&s);
	for (int i = 0; i < 60; i++)
		textmem_text(s.mem, "cpu cr0=0x10 cr3=0 efer=0");
	check_found(&s, false);
}

static void test_first_cpu_suffices(void **state)
{
	struct guest *guest;
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	for (int i = 0; i < 120; i++)
		synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	assert_true(s.mem->registers_asked <= 8);
	guest_destroy(guest);
	synth_deinit(&s);
}

static void test_mmu_off(void **state)
{
	static const char *const cpus[] = {
		"cpu cr0=0x60000010 cr3=0x8000000 cr4=0x6f0 efer=0",     /* reset */
		"cpu cr0=0x00000011 cr3=0x8000000 cr4=0x6f0 efer=0x500", /* no paging */
		"cpu cr0=0x80000011 cr3=0x8000000 cr4=0x6f0 efer=0",     /* 32 bits */
		"cpu cr0=0x80000010 cr3=0x8000000 cr4=0x6f0 efer=0x500", /* no protection */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		struct synth s;

		synth_init(&s, 0);
		synth_map(&s, SYNTH_TABLES, 4);
		textmem_text(s.mem, cpus[i]);
		check_error(&s, KT_ERROR_NOT_READY, "64-bit mode", NULL);
	}
}

#define PANIC_CPU   0x0a04000
#define CRASH_IMAGE 0x0a04008
#define PHYS_BASE   0x0a05000
/* Another copy of the image: in memory, and where it is mapped. */
#define SECOND       UINT64_C(0x02000000)
#define SECOND_TABLE (SYNTH_TABLES | 0x2000)
#define SECOND_KASLR UINT64_C(0x1f600000)

/* What a kernel at this physical address says of a panic. */
static void panic_words(struct synth *s, gaddr_t image, uint32_t cpu_that_did, uint64_t crash_image)
{
	fake_symbol(&s->facts, "panic_cpu", SYNTH_TEXT + PANIC_CPU);
	fake_symbol(&s->facts, "kexec_crash_image", SYNTH_TEXT + CRASH_IMAGE);
	textmem_put_uint(s->mem, image + PANIC_CPU, cpu_that_did, 4);
	textmem_put_uint(s->mem, image + CRASH_IMAGE, crash_image, 8);
}

/* A vCPU on a table that maps a copy of the image. */
static void second_cpu(struct synth *s, const char *more)
{
	static uint8_t bytes[SYNTH_NOTES_SIZE];

	assert_true(textmem_get(s->mem, SYNTH_IMAGE + SYNTH_NOTES, bytes, sizeof(bytes)));
	textmem_put(s->mem, SECOND + SYNTH_NOTES, bytes, sizeof(bytes));
	textmem_printf(s->mem, "@%#llx \"%s\" @%#llx 0\n",
		       (unsigned long long)SECOND + SYNTH_BANNER_AT, SYNTH_BANNER,
		       (unsigned long long)SECOND + SYNTH_IDR);
	for (uint64_t at = 0; at < SYNTH_IMAGE_SIZE; at += 0x200000)
		textmem_map(s->mem, SECOND_TABLE, 4, SYNTH_TEXT + SECOND_KASLR + at, SECOND + at,
			    2);
	textmem_printf(s->mem, "cpu cr0=0x80050033 cr3=%#llx cr4=0x6f0 efer=0xd01 cs=0x10 %s\n",
		       (unsigned long long)SECOND_TABLE, more);
}

static int64_t found_at(struct synth *s, const int64_t *hint, bool *runs_guests_ret)
{
	struct source source = textmem_source(s->mem);
	struct guest *guest;
	struct kt_error *err = guest_create(&source, &s->facts, hint, &guest);
	int64_t at;

	if (err)
		fail_msg("%s", kt_error_message(err));
	at = guest_kaslr_offset(guest);
	*runs_guests_ret = guest_runs_guests(guest);
	guest_destroy(guest);
	return at;
}

/* A kernel that left the guest to its crash kernel is no guest's any more, though it is all there.
 */
static void test_crashed(void **state)
{
	int64_t hint = SYNTH_KASLR;
	struct synth s;
	bool nests;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	synth_cpu(&s);
	panic_words(&s, SYNTH_IMAGE, UINT32_MAX, 0xffff888000001000); /* loaded */
	check_found(&s, false);
	synth_init(&s, SYNTH_KASLR);
	synth_cpu(&s);
	panic_words(&s, SYNTH_IMAGE, 1, 0); /* there is none: the kernel stays where it panicked */
	check_found(&s, false);
	synth_init(&s, SYNTH_KASLR);
	synth_cpu(&s);
	panic_words(&s, SYNTH_IMAGE, 1, 0xffff888000001000);
	check_error(&s, KT_ERROR_NOT_READY, "crash kernel", NULL);
	/* The same kernel is its crash kernel, on another vCPU; the first one was seen before. */
	for (int i = 0; i < 2; i++) {
		synth_init(&s, SYNTH_KASLR);
		synth_cpu(&s);
		panic_words(&s, SYNTH_IMAGE, 1, 0xffff888000001000);
		panic_words(&s, SECOND, UINT32_MAX, 0);
		second_cpu(&s, "");
		assert_true(found_at(&s, i ? &hint : NULL, &nests) == (int64_t)SECOND_KASLR);
		assert_false(nests);
		synth_deinit(&s);
	}
	/* Another kernel is. */
	synth_init(&s, SYNTH_KASLR);
	synth_cpu(&s);
	panic_words(&s, SYNTH_IMAGE, 1, 0xffff888000001000);
	panic_words(&s, SECOND, UINT32_MAX, 0);
	second_cpu(&s, "");
	textmem_printf(s.mem, "@%#llx \"Linux version 5.0.0-crash\" 0/1 @%#llx 0\n",
		       (unsigned long long)SECOND + SYNTH_BANNER_AT,
		       (unsigned long long)SECOND + SYNTH_NOTES);
	check_error(&s, KT_ERROR_MISMATCH, "6.99.0-synth", "5.0.0-crash");
	/* Its words are not mapped: nothing is known. */
	synth_init(&s, SYNTH_KASLR);
	synth_cpu(&s);
	fake_symbol(&s.facts, "panic_cpu", UINT64_C(0xffffffffa0000000));
	fake_symbol(&s.facts, "kexec_crash_image", UINT64_C(0xfffffffffffffffc));
	check_found(&s, false);
}

static void set_phys_base(struct synth *s, gaddr_t image, uint64_t kaslr, uint64_t error)
{
	fake_symbol(&s->facts, "phys_base", SYNTH_TEXT + PHYS_BASE);
	textmem_put_uint(s->mem, image + PHYS_BASE,
			 image - (SYNTH_TEXT + kaslr - UINT64_C(0xffffffff80000000)) + error, 8);
}

/*
 * A guest with guests. Under shadow paging the table of a vCPU that is in one of these maps that
 * one's kernel, which may be the same build.
 */
static void test_nested(void **state)
{
	static const char *const modes[] = {"efer=0x1d01", "cr4=0x26f0"};
	bool nests;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct synth s;

		/* The guest's own: it is where it thinks. */
		synth_init(&s, SYNTH_KASLR);
		synth_cpu(&s);
		textmem_text(s.mem, modes[i]);
		set_phys_base(&s, SYNTH_IMAGE, SYNTH_KASLR, 0);
		assert_true(found_at(&s, NULL, &nests) == (int64_t)SYNTH_KASLR);
		assert_true(nests);
		synth_deinit(&s);
		/* Another one's; the second vCPU is not in it. */
		for (int both = 0; both < 2; both++) {
			synth_init(&s, SYNTH_KASLR);
			synth_cpu(&s);
			textmem_text(s.mem, modes[i]);
			set_phys_base(&s, SYNTH_IMAGE, SYNTH_KASLR, 0x1000);
			if (!both) {
				check_error(&s, KT_ERROR_NESTED, "6.99.0-synth", "runs guests");
				continue;
			}
			set_phys_base(&s, SECOND, SECOND_KASLR, 0);
			second_cpu(&s, modes[i]);
			assert_true(found_at(&s, NULL, &nests) == (int64_t)SECOND_KASLR);
			assert_true(nests);
			synth_deinit(&s);
		}
		/* Another build's. */
		synth_init(&s, SYNTH_KASLR);
		s.facts.kernel.build_id[0] ^= 1;
		textmem_printf(s.mem, "@%#llx \"Linux version 5.0.0-inner\" 0/1",
			       (unsigned long long)SYNTH_IMAGE + SYNTH_BANNER_AT);
		synth_cpu(&s);
		textmem_text(s.mem, modes[i]);
		check_error(&s, KT_ERROR_NESTED, "6.99.0-synth", "5.0.0-inner");
	}
}

static void test_no_kernel_mapped(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, 0);
	textmem_map(s.mem, SYNTH_TABLES, 4, 0, 0, 3);
	cpu(&s, SYNTH_TABLES, false);
	cpu(&s, UNUSED_TABLE, false);
	check_error(&s, KT_ERROR_NOT_READY, "page tables", NULL);
}

/* Whose registers and memory QEMU itself does not see. The monitor's words are QEMU's (7.2). */
static void test_confidential(void **state)
{
	static const char *const snp[] = {"\"/objects/sev0\"\r\n", "\"sev-snp-guest\"\r\n", NULL};
	static const char *const nameless[] = {"\"/objects/x\"\r\n", NULL};
	static const char *const others[][2] = {
		{"\"\"\r\n"},
		{"Error: Property 'pc-q35-7.2-machine.confidential-guest-support' not found\r\n"},
		{"unknown command: 'qom-get'\r\n"},
		{"\"/objects/a b\"\r\n"},
		{"\"/objects/a\nquit\"\r\n"},
		{"\""},
		{""},
		{NULL},
	};
	struct synth s;

	(void)state;
	synth_init(&s, 0);
	textmem_text(s.mem, "cpu cr0=0x60000010 cr3=0 cr4=0 efer=0");
	s.mem->monitor = snp;
	check_error(&s, KT_ERROR_UNSUPPORTED, "confidential guest (sev-snp-guest)", NULL);
	synth_init(&s, 0);
	cpu(&s, UNUSED_TABLE, false);
	s.mem->monitor = nameless;
	check_error(&s, KT_ERROR_UNSUPPORTED, "confidential guest (/objects/x)", NULL);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		synth_init(&s, 0);
		textmem_text(s.mem, "cpu cr0=0x60000010 cr3=0 cr4=0 efer=0");
		s.mem->monitor = others[i];
		check_error(&s, KT_ERROR_NOT_READY, "64-bit mode", NULL);
	}
}

/* A stub that has the registers of one architecture. */
static const struct arch *stub_arch;

static struct kt_error *registers_of_arch(void *context, size_t first, size_t end,
					  const char *const *names, size_t n_names,
					  uint64_t **values_ret, size_t *n_cpus_ret)
{
	if (stub_arch && names == stub_arch->registers)
		return textmem_registers(context, first, end, names, n_names, values_ret,
					 n_cpus_ret);
	return kt_error_new(KT_ERROR_NOT_FOUND, "it has no register '%s'", names[0]);
}

static void test_another_architecture(void **state)
{
	static const struct arch *const others[] = {&arch_aarch64, &arch_riscv64, &arch_s390x};

	(void)state;
	for (size_t i = 0; i < 2 * 3; i++) {
		struct guest *guest;
		struct source source;
		struct kt_error *err;
		int64_t hint = 0;
		struct synth s;

		synth_init(&s, SYNTH_KASLR);
		synth_cpu(&s);
		source = textmem_source(s.mem);
		source.registers = registers_of_arch;
		stub_arch = others[i / 2];
		err = guest_create(&source, &s.facts, i % 2 ? &hint : NULL, &guest);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_MISMATCH);
		assert_non_null(strstr(kt_error_message(err), "do not belong together"));
		assert_non_null(strstr(kt_error_message(err), "6.99.0-synth"));
		assert_non_null(strstr(kt_error_message(err), "x86_64"));
		assert_non_null(strstr(kt_error_message(err), stub_arch->name));
		assert_non_null(kt_error_hint_text(err));
		kt_error_destroy(err);
		/* Of none that is known: the error says which register there is not. */
		stub_arch = NULL;
		err = guest_create(&source, &s.facts, NULL, &guest);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
		assert_non_null(strstr(kt_error_message(err), "no register 'cr0'"));
		kt_error_destroy(err);
		synth_deinit(&s);
	}
}

static void test_proof_by_banner(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	s.facts.kernel.build_id_len = 0;
	synth_cpu(&s);
	check_found(&s, false);
}

static void test_banner_of_another(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	s.facts.kernel.build_id_len = 0;
	textmem_printf(s.mem, "@%#llx \"Linux version 5.0.0-other\"",
		       (unsigned long long)SYNTH_IMAGE + SYNTH_BANNER_AT);
	synth_cpu(&s);
	check_error(&s, KT_ERROR_MISMATCH, "6.99.0-synth", "5.0.0-other");
}

static void test_mismatch_names_both(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	s.facts.kernel.build_id[19] ^= 1;
	textmem_printf(s.mem, "@%#llx \"Linux version 5.0.0-other\" 0x1b/1 \"[31mred\"",
		       (unsigned long long)SYNTH_IMAGE + SYNTH_BANNER_AT);
	synth_cpu(&s);
	check_error(&s, KT_ERROR_MISMATCH, "6.99.0-synth", "5.0.0-other");
}

/* A banner without an end is cut, one at the very end of what is read too. */
static void test_mismatch_endless_banner(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	s.facts.kernel.build_id[0] ^= 1;
	textmem_printf(s.mem, "@%#llx \"Linux version \"",
		       (unsigned long long)SYNTH_IMAGE + SYNTH_BANNER_AT);
	for (int i = 0; i < 4000; i++)
		textmem_text(s.mem, "\"x\"");
	synth_cpu(&s);
	check_error(&s, KT_ERROR_MISMATCH, "6.99.0-synth", "xxxxxxxx");
}

static void test_mismatch_without_banner(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	s.facts.kernel.build_id[0] ^= 1;
	textmem_printf(s.mem, "@%#llx 0", (unsigned long long)SYNTH_IMAGE + SYNTH_BANNER_AT);
	synth_cpu(&s);
	check_error(&s, KT_ERROR_MISMATCH, "6.99.0-synth", "another kernel");
}

/* Notes in the guest that lie about their sizes prove nothing, and hurt nobody. */
static void test_hostile_notes(void **state)
{
	static const char *const notes[] = {
		"4/4 20/4 3/4 \"GNU\" 0/1",                  /* of another build */
		"0xffffffff/4 20/4 3/4 \"GNU\" 0/1",         /* huge name */
		"4/4 0xffffffff/4 3/4 \"GNU\" 0/1",          /* huge description */
		"0xfffffffd/4 0xfffffffd/4 3/4 \"GNU\" 0/1", /* both, 0 when rounded in 32 bits */
		"0/4 0/4 3/4 0/4",                           /* zero-length ones, all the way */
		"4/4 0/4 3/4 \"GNU\" 0/1",
		"0/4 20/4 3/4",
		"4/4 45/4 3/4 \"GNU\" 0/1", /* over the end, by one */
		"48/4 0/4 3/4",             /* ends with its name */
		"4/4 20/4 1/4 \"GNU\" 0/1", /* not a build ID */
		"4/4 20/4 3/4 \"GNUX\"",
		"3/4 20/4 3/4 \"GNU\" 0/1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		gaddr_t at = SYNTH_IMAGE + SYNTH_NOTES;
		struct synth s;

		synth_init(&s, SYNTH_KASLR);
		textmem_put(s.mem, at, NULL, SYNTH_NOTES_SIZE);
		textmem_printf(s.mem, "@%#llx %s", (unsigned long long)at, notes[i]);
		if (i > 8) /* all but the type or the name is right */
			textmem_put(s.mem, at + 16, s.facts.kernel.build_id, 20);
		synth_cpu(&s);
		check_error(&s, KT_ERROR_MISMATCH, "6.99.0-synth", NULL);
	}
}

/* The build ID behind what is read of the notes does not count; inside, anywhere does. */
static void test_huge_notes_section(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	s.facts.kernel.notes_size = UINT64_MAX;
	textmem_put(s.mem, SYNTH_IMAGE + SYNTH_NOTES + SYNTH_NOTES_SIZE, NULL, 8192);
	synth_cpu(&s);
	check_found(&s, false);
}

static void test_notes_not_mapped(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, SYNTH_KASLR);
	s.facts.kernel.notes_link = UINT64_MAX - 8; /* around the top */
	synth_cpu(&s);
	check_error(&s, KT_ERROR_MISMATCH, "6.99.0-synth", NULL);
}

static void test_no_proof(void **state)
{
	struct synth s;

	(void)state;
	synth_init(&s, 0);
	s.facts.kernel.build_id_len = 0;
	s.facts.kernel.banner_link = 0;
	synth_cpu(&s);
	check_error(&s, KT_ERROR_UNSUPPORTED, "prove", NULL);
}

static void test_other_arch(void **state)
{
	static char arch[] = "ppc64";
	struct synth s;

	(void)state;
	synth_init(&s, 0);
	s.facts.kernel.arch = arch;
	synth_cpu(&s);
	check_error(&s, KT_ERROR_UNSUPPORTED, "ppc64", NULL);
}

static void test_no_physical_memory(void **state)
{
	struct source source;
	struct guest *guest;
	struct kt_error *err;
	struct synth s;

	(void)state;
	synth_init(&s, 0);
	synth_cpu(&s);
	source = textmem_source(s.mem);
	source.read_physical = NULL;
	err = guest_create(&source, &s.facts, NULL, &guest);
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
	synth_deinit(&s);
}

/* Where the guest was when it was last seen: taken only if it is still there. */
static void check_hint(int64_t hint, uint64_t cr3, bool walks)
{
	struct source source;
	struct guest *guest;
	struct kt_error *err;
	struct synth s;

	synth_init(&s, SYNTH_KASLR);
	synth_map(&s, SYNTH_TABLES, 4);
	user_table(&s);
	cpu(&s, cr3, cr3 == USER_TABLE);
	source = textmem_source(s.mem);
	err = guest_create(&source, &s.facts, &hint, &guest);
	if (err)
		fail_msg("%s", kt_error_message(err));
	assert_true(guest_kaslr_offset(guest) == (int64_t)s.kaslr);
	assert_int_equal(guest_walks_tables(guest), walks);
	guest_destroy(guest);
	synth_deinit(&s);
}

static void test_hint(void **state)
{
	(void)state;
	check_hint((int64_t)SYNTH_KASLR, SYNTH_TABLES, false);
	check_hint((int64_t)SYNTH_KASLR + 0x200000, SYNTH_TABLES, false);
	check_hint(0, SYNTH_TABLES, false);
	check_hint(-1, SYNTH_TABLES, false);
	check_hint(INT64_MIN, SYNTH_TABLES, false);
	check_hint((int64_t)SYNTH_KASLR, USER_TABLE, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_kaslr_offsets),
		cmocka_unit_test(test_five_levels),
		cmocka_unit_test(test_four_kib_pages),
		cmocka_unit_test(test_lowest_block_is_not_the_text),
		cmocka_unit_test(test_pti_user),
		cmocka_unit_test(test_pti_user_with_text),
		cmocka_unit_test(test_pti_entry_with_text),
		cmocka_unit_test(test_pti_one_in_kernel),
		cmocka_unit_test(test_pti_entry),
		cmocka_unit_test(test_bit_12_by_chance),
		cmocka_unit_test(test_user_without_pti),
		cmocka_unit_test(test_many_cpus),
		cmocka_unit_test(test_first_cpu_suffices),
		cmocka_unit_test(test_mmu_off),
		cmocka_unit_test(test_crashed),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_no_kernel_mapped),
		cmocka_unit_test(test_another_architecture),
		cmocka_unit_test(test_confidential),
		cmocka_unit_test(test_proof_by_banner),
		cmocka_unit_test(test_banner_of_another),
		cmocka_unit_test(test_mismatch_names_both),
		cmocka_unit_test(test_mismatch_endless_banner),
		cmocka_unit_test(test_mismatch_without_banner),
		cmocka_unit_test(test_hostile_notes),
		cmocka_unit_test(test_huge_notes_section),
		cmocka_unit_test(test_notes_not_mapped),
		cmocka_unit_test(test_no_proof),
		cmocka_unit_test(test_other_arch),
		cmocka_unit_test(test_no_physical_memory),
	};

	return cmocka_run_group_tests_name("guest", tests, NULL, NULL);
}
