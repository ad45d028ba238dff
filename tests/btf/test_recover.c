// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "btf/facts.h"
#include "btf/record.h"
#include "btf/symbols.h"
#include "btf/vmcoreinfo.h"
#include "image/image.h"
#include "tests/btf/fake_memory.h"

static void must(struct kt_error *err)
{
	if (err)
		fail_msg("%s", kt_error_message(err));
}

/* The error has this code, and all of its message can be shown. */
static void refused(struct fm *m, enum kt_error_code code, const char *word)
{
	struct recovered r;
	struct kt_error *err = recover_find(&m->memory, &r);

	assert_non_null(err);
	if (kt_error_code(err) != code || !strstr(kt_error_message(err), word))
		fail_msg("%s", kt_error_message(err));
	for (const char *p = kt_error_message(err); *p; p++)
		assert_true(*p >= ' ' && *p < 0x7f);
	kt_error_destroy(err);
}

static void check_build_id(const struct recovered *r, uint8_t first)
{
	assert_int_equal(r->build_id_len, 20);
	for (uint8_t i = 0; i < 20; i++)
		assert_int_equal(r->build_id[i], (uint8_t)(first + i));
}

/* What was found is where it was put. */
static void check_places(const struct fm *m, const struct recovered *r)
{
	const uint8_t *data = (const uint8_t *)m->data.data;

	assert_string_equal(r->banner, FAKE_BANNER);
	assert_string_equal(r->release, FAKE_RELEASE);
	assert_true(r->banner_addr == m->addr + m->banner);
	if (r->btf) {
		assert_ptr_equal(r->btf, data + m->btf);
		assert_int_equal(r->btf_len, m->btf_len);
		assert_true(r->btf_addr == m->addr + m->btf);
	}
	if (r->build_id_len) {
		check_build_id(r, 0xb0);
		assert_true(r->notes >= data + m->notes);
		assert_true(r->notes + r->notes_len == data + m->notes + m->notes_len);
		assert_true(r->notes_addr == m->addr + (gaddr_t)(r->notes - data));
	}
}

static void test_everything(void **state)
{
	(void)state;
	for (int release = 0; release < KW_RELEASES; release++) {
		for (int be = 0; be < 2; be++) {
			for (unsigned int size = 4; size <= 8; size += 4) {
				struct fm *m = fm_create(&(struct fm_options){
					.release = (enum kw_release)release,
					.big_endian = be,
					.pointer_size = size,
					.decoy = true,
					.second_btf = true,
				});
				struct recovered r;

				must(recover_find(&m->memory, &r));
				check_places(m, &r);
				assert_non_null(r.btf);
				assert_int_equal(r.notes_len, m->notes_len);
				assert_true(r.has_kallsyms);
				assert_true(r.text == m->text && r.stext == m->text + 0x40);
				assert_true(r.vmcoreinfo_data == m->addr + 0x100010);
				recovered_deinit(&r);
				fm_destroy(m);
			}
		}
	}
}

/* Without symbols of data, shapes and the order of sections have to do. */
static void test_by_shape(void **state)
{
	(void)state;
	for (int be = 0; be < 2; be++) {
		for (int none = 0; none < 2; none++) {
			struct fm *m = fm_create(&(struct fm_options){
				.release = KW_6_4,
				.big_endian = be,
				.text_only = !none,
				.no_kallsyms = none,
				.decoy = true,
			});
			struct recovered r;

			must(recover_find(&m->memory, &r));
			check_places(m, &r);
			assert_non_null(r.btf);
			check_build_id(&r, 0xb0);
			assert_int_equal(r.has_kallsyms, !none);
			recovered_deinit(&r);
			fm_destroy(m);
		}
	}
}

static void test_what_is_not_there(void **state)
{
	struct fm *m = fm_create(&(struct fm_options){.release = KW_6_4, .no_btf = true});
	struct recovered r;

	(void)state;
	must(recover_find(&m->memory, &r));
	assert_null(r.btf);
	check_build_id(&r, 0xb0);
	recovered_deinit(&r);
	fm_destroy(m);

	m = fm_create(&(struct fm_options){
		.text_only = true, .no_btf = true, .decoy = true, .release = KW_7_0});
	must(recover_find(&m->memory, &r));
	assert_null(r.btf);
	assert_non_null(strstr(r.no_btf, "no BTF"));
	/* The only build ID left may be anybody's. */
	assert_int_equal(r.build_id_len, 0);
	recovered_deinit(&r);
	fm_destroy(m);

	m = fm_create(&(struct fm_options){.text_only = true, .second_btf = true});
	must(recover_find(&m->memory, &r));
	assert_null(r.btf);
	assert_non_null(strstr(r.no_btf, "two places"));
	recovered_deinit(&r);
	fm_destroy(m);

	m = fm_create(&(struct fm_options){.no_kallsyms = true});
	memset(m->data.data + m->banner, 'x', 8);
	refused(m, KT_ERROR_NOT_FOUND, "Linux version");
	fm_destroy(m);
}

/* The weak banner, without the build's number, is not the kernel's: before it or behind it. */
static void test_weak_banner(void **state)
{
	static const char weak[] = "Linux version 6.99.1-fake (me@here) (a compiler) # SMP\n";

	(void)state;
	for (int before = 0; before < 2; before++) {
		struct fm *m = fm_create(&(struct fm_options){.no_kallsyms = true});
		/* kw_junk()'s 200 bytes come first; behind the BTF, 100. */
		size_t at = before ? 64 : m->btf + m->btf_len + 8;
		struct recovered r;

		memcpy(m->data.data + at, weak, sizeof(weak));
		must(recover_find(&m->memory, &r));
		check_places(m, &r);
		recovered_deinit(&r);
		/* Where there is no other, it is better than none. */
		memset(m->data.data + m->banner, 'x', 8);
		must(recover_find(&m->memory, &r));
		assert_true(r.banner_addr == m->addr + at);
		recovered_deinit(&r);
		fm_destroy(m);
	}
}

/* Symbols that lead to something else: an error, and no second guess. */
static void test_contradictions(void **state)
{
	struct fm *m = fm_create(&(struct fm_options){.release = KW_6_4});

	(void)state;
	m->data.data[m->banner + 3] = 'x';
	refused(m, KT_ERROR_FORMAT, "linux_banner");
	m->data.data[m->banner + 3] = 'u';
	m->data.data[m->banner + 20] = '\033';
	refused(m, KT_ERROR_FORMAT, "the banner has no end");
	m->data.data[m->banner + 20] = 'x';
	m->data.data[m->btf + 2] = 2;
	refused(m, KT_ERROR_FORMAT, "__start_BTF");
	m->data.data[m->btf + 2] = 1;
	m->data.data[m->notes + 36] = 5;
	refused(m, KT_ERROR_FORMAT, "__start_notes");
	fm_destroy(m);
}

/* Every number of the BTF's header, with values that are too small, too large, and odd. */
static void test_btf_lengths(void **state)
{
	(void)state;
	for (int symbols = 0; symbols < 2; symbols++) {
		struct fm *m = fm_create(
			&(struct fm_options){.release = KW_6_4, .text_only = !symbols});

		for (size_t field = 4; field < 24; field += 4) {
			uint8_t *p = (uint8_t *)m->data.data + m->btf + field;
			uint32_t was = (uint32_t)kt_load_uint(p, 4, false);
			const uint32_t values[] = {0,          1,          was - 1,   was + 1,
						   was + 4096, 0x7fffffff, 0xffffffff};

			for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
				struct recovered r;
				struct kt_error *err;

				/* A zero behind the strings is one more of them. */
				if (values[i] == was ||
				    (!symbols && field == 20 && values[i] == was + 1))
					continue;
				memcpy(p, &values[i], 4);
				err = recover_find(&m->memory, &r);
				if (symbols) {
					if (!err)
						fail_msg("field %zu, %u for %u", field, values[i],
							 was);
					assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
					kt_error_destroy(err);
				} else {
					must(err);
					assert_null(r.btf);
					recovered_deinit(&r);
				}
			}
			memcpy(p, &was, 4);
		}
		fm_destroy(m);
	}
}

/* Memory that ends anywhere, and bytes that are anything: what is found is right, or nothing. */
static void test_damage(void **state)
{
	struct fm *m = fm_create(&(struct fm_options){.release = KW_6_1, .decoy = true});
	uint32_t x = 12345;

	(void)state;
	for (size_t len = 0; len < m->data.len; len++) {
		uint8_t *part = malloc(len + 1);
		struct recover_range range = {part, len, m->addr};
		struct recover_memory memory = m->memory;
		struct recovered r;
		struct kt_error *err;

		memcpy(part, m->data.data, len);
		memory.ranges = &range;
		err = recover_find(&memory, &r);
		if (!err) {
			assert_string_equal(r.release, FAKE_RELEASE);
			if (r.build_id_len)
				check_build_id(&r, 0xb0);
			recovered_deinit(&r);
		}
		kt_error_destroy(err);
		free(part);
	}
	for (int i = 0; i < 3000; i++) {
		uint8_t *p;
		struct recovered r;
		struct kt_error *err;
		uint8_t was;

		x = x * 1103515245 + 12345;
		p = (uint8_t *)m->data.data + (x >> 8) % m->data.len;
		was = *p;
		*p = (uint8_t)(x >> 3);
		err = recover_find(&m->memory, &r);
		if (!err)
			recovered_deinit(&r);
		kt_error_destroy(err);
		*p = was;
	}
	fm_destroy(m);
}

/* A flat Image: addresses are counted from a base of 0 until it has relocated itself. */
static void test_flat_image(void **state)
{
	struct fm *m = fm_create(&(struct fm_options){.release = KW_6_15});
	struct recovered r;
	struct kallsyms k;
	size_t base_at;

	(void)state;
	must(recover_find(&m->memory, &r));
	k = r.kallsyms;
	recovered_deinit(&r);
	assert_int_equal(k.encoding, KALLSYMS_RELATIVE);
	base_at = (k.values + (size_t)k.num_syms * 4 + 7) & ~(size_t)7;
	assert_true(kt_load_uint(m->data.data + base_at, 8, false) == m->text);
	memset(m->data.data + base_at, 0, 8);
	must(recover_find(&m->memory, &r));
	assert_false(r.has_kallsyms);
	recovered_deinit(&r);
	m->memory.unrelocated_base = m->text;
	must(recover_find(&m->memory, &r));
	assert_true(r.has_kallsyms);
	assert_true(r.text == m->text);
	check_places(m, &r);
	recovered_deinit(&r);
	fm_destroy(m);
}

/* --- vmcoreinfo --- */

static void test_vmcoreinfo(void **state)
{
	struct fm *m = fm_create(&(struct fm_options){.release = KW_6_4});
	struct {
		const char *release, *id;
		gaddr_t stext;
		const char *wrong;
	} cases[] = {
		{FAKE_RELEASE, "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3", m->text + 0x40, NULL},
		{"6.99.2-fake", "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3", m->text + 0x40,
		 "6.99.2-fake"},
		{FAKE_RELEASE, "a0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3", m->text + 0x40, "a0b1"},
		{FAKE_RELEASE, "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3", m->text, "_stext"},
	};
	struct recovered r;

	(void)state;
	must(recover_find(&m->memory, &r));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kt_buf text = KT_BUF_INIT;
		struct kt_error *err;
		int64_t offset = 0;
		bool known = false;

		kt_buf_printf(&text,
			      "OSRELEASE=%s\nBUILD-ID=%s\nPAGESIZE=4096\n"
			      "SYMBOL(_stext)=%llx\nKERNELOFFSET=%llx\n",
			      cases[i].release, cases[i].id, (unsigned long long)cases[i].stext,
			      (unsigned long long)FM_KASLR);
		err = vmcoreinfo_check(text.data, text.len, &r, &offset, &known);
		if (!cases[i].wrong) {
			must(err);
			assert_true(known && offset == FM_KASLR);
		} else {
			assert_non_null(err);
			assert_non_null(strstr(kt_error_message(err), cases[i].wrong));
			kt_error_destroy(err);
		}
		kt_buf_deinit(&text);
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const odd[] = {"", "KERNELOFFSET=\n",
						  "KERNELOFFSET=12345678901234567"};
		int64_t offset;
		bool known = true;

		must(vmcoreinfo_check(odd[i], strlen(odd[i]), &r, &offset, &known));
		assert_false(known);
	}
	recovered_deinit(&r);
	fm_destroy(m);
}

/* --- the record --- */

static const struct kfacts_want wants[] = {
	{KFACTS_SYMBOL, "prog_idr", NULL, false},
	{KFACTS_SYMBOL, "twice", NULL, false},
	{KFACTS_SYMBOL, "absent", NULL, true},
	{KFACTS_MEMBER, "bpf_prog", "len", false},
};
#define N_WANTS (sizeof(wants) / sizeof(*wants))

static void check_facts(const struct fm *m, const struct kfacts *facts)
{
	const struct kfacts_kernel *k = kfacts_kernel(facts);
	struct kfacts_member member;
	gaddr_t addr;

	assert_string_equal(k->release, FAKE_RELEASE);
	assert_string_equal(k->banner, FAKE_BANNER);
	assert_string_equal(k->arch, "x86_64");
	assert_true(k->text_link == FAKE_TEXT);
	assert_true(k->moved_known);
	assert_true(k->banner_link == FAKE_RODATA + m->banner);
	assert_true(k->notes_link == FAKE_RODATA + m->notes);
	assert_int_equal(k->notes_size, m->notes_len);
	assert_int_equal(k->build_id_len, 20);
	assert_int_equal(k->build_id[0], 0xb0);
	assert_true(kfacts_symbol(facts, "prog_idr", &addr));
	assert_true(addr == FAKE_RODATA + 0x100000);
	assert_true(kfacts_symbol(facts, "twice", &addr));
	assert_true(addr == FAKE_TEXT + 0x1000);
	assert_false(kfacts_symbol(facts, "absent", &addr));
	assert_true(kfacts_member(facts, "bpf_prog", "len", &member));
	assert_int_equal(member.offset, 8);
}

/*
 * A recorded kernel has fewer symbols than the vmlinux of the same build, and maybe addresses of
 * one boot: in the cache, neither may pass for the other.
 */
static void test_record_is_no_vmlinux(void **state)
{
	struct fm *m = fm_create(&(struct fm_options){.release = KW_6_4});
	char dir[] = "/tmp/ktstr-record-XXXXXX", cmd[64];
	struct kfacts *facts;
	struct recovered r;

	(void)state;
	assert_non_null(mkdtemp(dir));
	must(recover_find(&m->memory, &r));
	for (int i = 0; i < 2; i++) {
		struct record_place place = {
			.text = m->text, .kaslr_offset = i ? FM_KASLR : 0, .offset_unknown = !i};
		struct record_path path;
		const struct kfacts_sources sources = {.image = path.s};
		bool cached;
		int fd;

		must(record_write(&r, &place, &fd));
		path = record_path(fd);
		for (int again = 0; again < 2; again++) {
			must(kfacts_load(&sources, wants, N_WANTS, dir, &facts, &cached));
			assert_int_equal(cached, again);
			assert_int_equal(kfacts_kernel(facts)->moved_known, i);
			kfacts_destroy(facts);
		}
		close(fd);
	}
	recovered_deinit(&r);
	fm_destroy(m);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	assert_int_equal(system(cmd), 0);
}

static void test_record(void **state)
{
	(void)state;
	for (int release = 0; release < KW_RELEASES; release++) {
		struct fm *m = fm_create(&(struct fm_options){.release = (enum kw_release)release});
		struct record_place place = {.text = m->text, .kaslr_offset = FM_KASLR};
		struct record_path path;
		const struct kfacts_sources sources = {.image = path.s};
		struct kfacts *facts;
		struct recovered r;
		int fd;

		must(recover_find(&m->memory, &r));
		must(record_write(&r, &place, &fd));
		path = record_path(fd);
		must(kfacts_load(&sources, wants, N_WANTS, NULL, &facts, NULL));
		check_facts(m, facts);
		kfacts_destroy(facts);
		close(fd);
		recovered_deinit(&r);
		fm_destroy(m);
	}
}

/* What is mapped elsewhere, an initramfs with BPF objects, is none of the kernel's. */
static void test_btf_elsewhere(void **state)
{
	struct fm *m = fm_create(&(struct fm_options){.release = KW_6_4, .text_only = true});
	struct kt_buf other = KT_BUF_INIT;
	struct recover_range ranges[2];
	struct recovered r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		fm_btf(&other, false);
		fm_align(&other);
	}
	for (size_t kernel = 0; kernel < 2; kernel++) {
		ranges[kernel] = m->range;
		ranges[1 - kernel] = (struct recover_range){(const uint8_t *)other.data, other.len,
							    0xfffffbfffdc00000};
		m->memory.ranges = ranges;
		m->memory.n = 2;
		must(recover_find(&m->memory, &r));
		assert_true(r.btf_addr == m->addr + m->btf);
		assert_int_equal(r.btf_len, m->btf_len);
		assert_int_equal(r.build_id_len, 20);
		recovered_deinit(&r);
	}
	kt_buf_deinit(&other);
	fm_destroy(m);
}

/* Nobody told the offset: addresses stay as they are, and that is known. */
static void test_record_unplaced(void **state)
{
	struct fm *m = fm_create(&(struct fm_options){.release = KW_6_4});
	struct record_place place = {.text = m->text, .offset_unknown = true};
	struct record_path path;
	const struct kfacts_sources sources = {.image = path.s};
	struct kfacts *facts;
	struct recovered r;
	gaddr_t addr;
	int fd;

	(void)state;
	must(recover_find(&m->memory, &r));
	must(record_write(&r, &place, &fd));
	path = record_path(fd);
	must(kfacts_load(&sources, wants, N_WANTS, NULL, &facts, NULL));
	assert_false(kfacts_kernel(facts)->moved_known);
	assert_true(kfacts_kernel(facts)->text_link == m->text);
	assert_true(kfacts_symbol(facts, "prog_idr", &addr));
	assert_true(addr == m->addr + 0x100000);
	kfacts_destroy(facts);
	close(fd);
	recovered_deinit(&r);
	fm_destroy(m);
}

/* Big-endian and 32 bits: as another reader of ELF has it. */
static void test_record_foreign(void **state)
{
	(void)state;
	for (unsigned int size = 4; size <= 8; size += 4) {
		struct fm *m = fm_create(&(struct fm_options){
			.release = KW_6_4, .big_endian = true, .pointer_size = size});
		struct record_place place = {.text = m->text, .kaslr_offset = 0x1000};
		struct image_file file = {0};
		struct image *image;
		struct symbols syms;
		struct recovered r;
		gaddr_t addr;
		int fd;

		must(recover_find(&m->memory, &r));
		must(record_write(&r, &place, &fd));
		must(image_file_open(record_path(fd).s, &file));
		must(image_open(file.data, file.len, &image));
		assert_true(image_big_endian(image));
		assert_int_equal(image_pointer_size(image), size);
		assert_true(symbols_init(&syms, 1));
		symbols_want(&syms, "prog_idr");
		must(symbols_load(&syms, image));
		assert_string_equal(syms.source, ".symtab");
		assert_true(symbols_get(&syms, "prog_idr", &addr));
		assert_true(addr == m->addr + 0x100000 - 0x1000);
		symbols_deinit(&syms);
		image_close(image);
		image_file_close(&file);
		close(fd);
		recovered_deinit(&r);
		fm_destroy(m);
	}
}

/* In the cache: found whole, or not found. */
static void test_record_cache(void **state)
{
	char dir[] = "/tmp/ktstr-record-XXXXXX", other[] = "idffff";
	struct fm *m = fm_create(&(struct fm_options){.release = KW_7_0});
	struct record_place place = {.text = m->text, .kaslr_offset = FM_KASLR};
	struct cache_name key, seen;
	struct recovered r;
	char *path;
	FILE *f;
	long len;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	must(recover_find(&m->memory, &r));
	must(record_write(&r, &place, &fd));
	key = record_key(&r);
	assert_null(record_find(dir, &key));
	record_store(dir, &key, fd);
	path = record_find(dir, &key);
	assert_non_null(path);
	memcpy(seen.s, other, sizeof(other));
	assert_null(record_find(dir, &seen));
	f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	len = ftell(f);
	for (long at = 0; at < len; at += 97) {
		int was;
		char *again;

		fseek(f, at, SEEK_SET);
		was = fgetc(f);
		fseek(f, at, SEEK_SET);
		fputc(was ^ 4, f);
		fflush(f);
		again = record_find(dir, &key);
		assert_null(again);
		fseek(f, at, SEEK_SET);
		fputc(was, f);
		fflush(f);
	}
	fclose(f);
	assert_int_equal(truncate(path, len / 2), 0);
	assert_null(record_find(dir, &key));

	assert_false(record_load_place(dir, ":1234", &seen));
	record_store_place(dir, ":1234", &key);
	assert_true(record_load_place(dir, ":1234", &seen));
	assert_string_equal(seen.s, key.s);
	assert_false(record_load_place(dir, ":1235", &seen));
	assert_false(record_load_place(NULL, ":1234", &seen));
	unlink(path);
	free(path);
	close(fd);
	recovered_deinit(&r);
	fm_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_by_shape),
		cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_weak_banner),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_btf_lengths),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_flat_image),
		cmocka_unit_test(test_vmcoreinfo),
		cmocka_unit_test(test_record_is_no_vmlinux),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_btf_elsewhere),
		cmocka_unit_test(test_record_unplaced),
		cmocka_unit_test(test_record_foreign),
		cmocka_unit_test(test_record_cache),
	};

	return cmocka_run_group_tests_name("btf: recovered kernels", tests, NULL, NULL);
}
