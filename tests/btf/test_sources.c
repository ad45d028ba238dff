// SPDX-License-Identifier: LGPL-2.1-or-later
/* Facts out of raw BTF, System.map and kallsyms files: alone, together, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "btf/facts.h"
#include "btf/symbols.h"
#include "tests/btf/fake_kernel.h"
#include "util/cleanup.h"

static const struct kfacts_want wants[] = {
	{KFACTS_SYMBOL, "prog_idr", NULL, false},
	{KFACTS_SYMBOL, "only_here", NULL, true},
	{KFACTS_SYMBOL, "percpu_thing", NULL, true},
	{KFACTS_MEMBER, "bpf_prog", "aux", false},
	{KFACTS_MEMBER, "bpf_prog", "gpl_compatible", false},
	{KFACTS_SIZE, "bpf_prog", NULL, false},
	{KFACTS_SIZE, "no_struct", NULL, true},
};
#define N_WANTS (sizeof(wants) / sizeof(*wants))

#define KASLR 0x1e000000ull

static char dir[64];

static const char *path_of(const char *name)
{
	static char paths[6][128];
	static unsigned int next;
	char *path = paths[next++ % 6];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static const char *put(const char *name, const void *data, size_t len)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return path;
}

static const char *put_text(const char *name, const char *text)
{
	return put(name, text, strlen(text));
}

static const char *put_image(const struct fake_options *o)
{
	struct kt_buf elf = KT_BUF_INIT;
	const char *path;

	fake_kernel(&elf, o);
	path = put("vmlinux", elf.data, elf.len);
	kt_buf_deinit(&elf);
	return path;
}

static const char *put_btf(void)
{
	struct kt_buf btf = KT_BUF_INIT;
	const char *path;

	fake_btf(&btf);
	path = put("btf", btf.data, btf.len);
	kt_buf_deinit(&btf);
	return path;
}

/* The fake kernel's symbols at an offset, and some of its own. */
static const char *put_symbols(const char *name, uint64_t offset, const char *more)
{
	struct kt_buf text = KT_BUF_INIT;
	const char *path;

	kt_buf_printf(&text, "%016x A percpu_thing\n", 0x1a000);
	kt_buf_printf(&text, "%016llx T _text\n", FAKE_TEXT + offset);
	kt_buf_printf(&text, "%016llx T __x64_sys_bpf\n", FAKE_TEXT + offset + 64);
	kt_buf_printf(&text, "%016llx D linux_banner\n", FAKE_RODATA + offset);
	kt_buf_printf(&text, "%016llx d prog_idr\n", FAKE_PROG_IDR + offset);
	kt_buf_printf(&text, "%016llx d only_here\n", FAKE_DATA + offset);
	kt_buf_printf(&text, "%016llx t prog_idr\t[some_module]\n", FAKE_TEXT);
	kt_buf_appends(&text, more);
	path = put(name, text.data, text.len);
	kt_buf_deinit(&text);
	return path;
}

static struct kfacts *load(const struct kfacts_sources *sources)
{
	struct kfacts *facts = NULL;
	struct kt_error *err = kfacts_load(sources, wants, N_WANTS, NULL, &facts, NULL);

	if (err)
		fail_msg("%s", kt_error_message(err));
	return facts;
}

static void expect_symbol(const struct kfacts *f, const char *name, gaddr_t want)
{
	gaddr_t addr = 0;

	assert_true(kfacts_symbol(f, name, &addr));
	assert_int_equal(addr, want);
}

static void expect_types(const struct kfacts *f)
{
	struct kfacts_member m;
	uint64_t size;

	assert_true(kfacts_member(f, "bpf_prog", "aux", &m));
	assert_int_equal(m.offset, 40);
	assert_true(kfacts_member(f, "bpf_prog", "gpl_compatible", &m));
	assert_true(m.offset == 2 && m.bit_shift == 2 && m.bit_size == 1);
	assert_true(kfacts_size(f, "bpf_prog", &size));
	assert_int_equal(size, 64);
}

static void test_without_image(void **state)
{
	const char *btf = put_btf();

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *list = put_symbols("list", i ? KASLR : 0, "");
		struct kfacts_sources sources = {.btf = btf};
		const struct kfacts_kernel *k;
		struct kfacts *f;

		if (i)
			sources.kallsyms = list;
		else
			sources.system_map = list;
		f = load(&sources);
		k = kfacts_kernel(f);
		assert_string_equal(k->release, "");
		assert_string_equal(k->banner, "");
		assert_int_equal(k->build_id_len, 0);
		assert_string_equal(k->arch, "x86_64");
		assert_string_equal(k->types_from, "BTF file");
		assert_string_equal(k->symbols_from, i ? "kallsyms file" : "System.map");
		assert_int_equal(k->text_link, FAKE_TEXT + (i ? KASLR : 0));
		assert_int_equal(k->banner_link, FAKE_RODATA + (i ? KASLR : 0));
		expect_symbol(f, "prog_idr", FAKE_PROG_IDR + (i ? KASLR : 0));
		assert_int_equal(k->moved_known, !i);
		expect_types(f);
		kfacts_destroy(f);
	}
}

/* An image at its link addresses, symbols at those of a running guest. */
static void test_image_is_moved(void **state)
{
	struct fake_options o = {0};
	struct kfacts_sources sources = {.image = put_image(&o),
					 .kallsyms = put_symbols("kallsyms", KASLR, "")};
	const struct kfacts_kernel *k;
	struct kfacts *f = load(&sources);

	(void)state;
	k = kfacts_kernel(f);
	assert_string_equal(k->release, FAKE_RELEASE);
	assert_int_equal(k->build_id_len, 20);
	assert_int_equal(k->text_link, FAKE_TEXT + KASLR);
	assert_int_equal(k->banner_link, FAKE_RODATA + KASLR);
	assert_int_equal(k->notes_link, FAKE_NOTES + KASLR);
	assert_int_equal(k->notes_size, 36);
	assert_true(k->moved_known && k->moved == KASLR);
	assert_string_equal(k->types_from, "BTF of the image");
	assert_string_equal(k->symbols_from, "kallsyms file");
	expect_symbol(f, "prog_idr", FAKE_PROG_IDR + KASLR);
	kfacts_destroy(f);
}

/* What a list does not have the next source tells, at the list's addresses. */
static void test_sources_fill_up(void **state)
{
	static const char few[] = "ffffffff9f000000 T _text\nffffffffa0000000 D linux_banner\n";
	struct fake_options o = {.no_btf = true};
	struct kfacts_sources sources = {.image = put_image(&o),
					 .btf = put_btf(),
					 .kallsyms = put_symbols("kallsyms", 0x100000, ""),
					 .system_map = put_text("few", few)};
	struct kfacts *f = load(&sources);

	(void)state;
	assert_string_equal(kfacts_kernel(f)->symbols_from, "System.map");
	expect_symbol(f, "prog_idr", FAKE_PROG_IDR + KASLR);
	expect_symbol(f, "only_here", FAKE_DATA + KASLR);
	expect_symbol(f, "percpu_thing", 0x1a000); /* an offset, which does not move */
	kfacts_destroy(f);

	sources.kallsyms = NULL;
	f = load(&sources);
	expect_symbol(f, "prog_idr", FAKE_PROG_IDR + KASLR); /* of the image */
	assert_int_equal(kfacts_kernel(f)->notes_link, FAKE_NOTES + KASLR);
	kfacts_destroy(f);
}

/* An image without symbols of its own has its .text. */
static void test_image_without_symbols(void **state)
{
	struct fake_options o = {.no_symbols = true};
	struct kfacts_sources sources = {.image = put_image(&o),
					 .system_map = put_symbols("map", KASLR, "")};
	struct kfacts *f = load(&sources);

	(void)state;
	assert_int_equal(kfacts_kernel(f)->banner_link, FAKE_RODATA + KASLR);
	assert_int_equal(kfacts_kernel(f)->notes_link, FAKE_NOTES + KASLR);
	kfacts_destroy(f);
}

static void refused(const struct kfacts_sources *sources, enum kt_error_code code,
		    const char *words, const char *hint)
{
	struct kfacts *f = NULL;
	struct kt_error *err = kfacts_load(sources, wants, N_WANTS, NULL, &f, NULL);

	assert_non_null(err);
	if (!strstr(kt_error_message(err), words))
		fail_msg("\"%s\" is not in \"%s\"", words, kt_error_message(err));
	assert_int_equal(kt_error_code(err), code);
	if (hint) {
		assert_non_null(kt_error_hint_text(err));
		if (!strstr(kt_error_hint_text(err), hint))
			fail_msg("\"%s\" is not in \"%s\"", hint, kt_error_hint_text(err));
	}
	kt_error_destroy(err);
}

static void test_lists_refused(void **state)
{
	static const struct {
		const char *text, *words, *hint;
	} lists[] = {
		{"0000000000000000 T _text\n0000000000000000 d prog_idr\n", "all addresses are 0",
		 "kptr_restrict=0"},
		{"ffffffffffffffff B The real System.map is in the linux-image-6.1-dbg package\n",
		 "the real System.map is elsewhere", "-dbg package"},
		{"", "the file is empty", NULL},
		{"ffffffff81000000 T _text\nwhat is this\n", "line 2 is not", "--btf raw BTF"},
		{"\177ELF", "line 1 is not", NULL},
		{"ffffffff81000000 T _text\nffffffff82000000 D linux_banner\n",
		 "no symbol prog_idr", "CONFIG_KALLSYMS_ALL"},
		{"ffffffff82601230 d prog_idr\n", "no symbols _text and linux_banner", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct kfacts_sources sources = {.btf = put_btf(),
						 .kallsyms = put_text("list", lists[i].text)};
		bool absent = strstr(lists[i].words, "no symbol");

		refused(&sources, absent ? KT_ERROR_NOT_FOUND : KT_ERROR_FORMAT, lists[i].words,
			lists[i].hint);
	}
}

static void test_mismatch(void **state)
{
	struct fake_options o = {0};
	struct kfacts_sources sources = {.image = put_image(&o),
					 .system_map = put_text("other",
								"ffffffff81000000 T _text\n"
								"ffffffff82000400 D linux_banner\n"
								"ffffffff82601230 d prog_idr\n")};

	(void)state;
	refused(&sources, KT_ERROR_MISMATCH, "not of the same build", "guest's own build");
}

/* Samples go from the first byte to the last, in order and within. */
static void test_btf_samples(void **state)
{
	static const uint64_t sizes[] = {32, 33, 47, 48, 500, 7000001, 1ull << 30};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(kfacts_btf_sample(sizes[i], 0), 0);
		assert_int_equal(kfacts_btf_sample(sizes[i], KFACTS_BTF_SAMPLES - 1),
				 sizes[i] - KFACTS_BTF_SAMPLE);
		for (unsigned int s = 1; s < KFACTS_BTF_SAMPLES; s++)
			assert_true(kfacts_btf_sample(sizes[i], s) >=
				    kfacts_btf_sample(sizes[i], s - 1));
	}
}

/* A BTF file against what else is known of the kernel's BTF. */
static void test_other_btf(void **state)
{
	struct fake_options o = {0};
	struct kfacts_sources sources = {.image = put_image(&o), .btf = put_btf()};
	struct kt_buf btf = KT_BUF_INIT;
	char symbols[128];
	struct kfacts *f;

	(void)state;
	kfacts_destroy(load(&sources));
	fake_btf(&btf);
	snprintf(symbols, sizeof(symbols), "%016llx D __start_BTF\n%016llx D __stop_BTF\n",
		 FAKE_RODATA + KASLR, FAKE_RODATA + KASLR + btf.len);
	sources = (struct kfacts_sources){.btf = sources.btf,
					  .kallsyms = put_symbols("list", KASLR, symbols)};
	f = load(&sources);
	assert_int_equal(kfacts_kernel(f)->btf_link, FAKE_RODATA + KASLR);
	assert_int_equal(kfacts_kernel(f)->btf_size, btf.len);
	for (unsigned int i = 0; i < KFACTS_BTF_SAMPLES; i++)
		assert_memory_equal(kfacts_kernel(f)->btf_samples[i],
				    btf.data + kfacts_btf_sample(btf.len, i), KFACTS_BTF_SAMPLE);
	kfacts_destroy(f);

	/* As long, and other; longer. */
	btf.data[btf.len - 3] ^= 1;
	sources.btf = put("other", btf.data, btf.len);
	sources.image = put_image(&o);
	refused(&sources, KT_ERROR_MISMATCH, "other: not the BTF of /", "/sys/kernel");
	kt_buf_append(&btf, "12345678", 8);
	sources.btf = put("other", btf.data, btf.len);
	sources.image = NULL;
	refused(&sources, KT_ERROR_MISMATCH, "other: not the BTF of this kernel", "/sys/kernel");
	kt_buf_deinit(&btf);
}

/* What can be had without types, or without symbols, and no more than that. */
static void test_partial(void **state)
{
	struct fake_options no_btf = {.no_btf = true}, no_symbols = {.no_symbols = true};
	struct kfacts_sources sources = {.image = put_image(&no_btf), .partial = true};
	struct kfacts_member member;
	struct kfacts_want some[N_WANTS];
	struct kfacts *f = NULL;
	gaddr_t addr;

	(void)state;
	for (size_t i = 0; i < N_WANTS; i++) {
		some[i] = wants[i];
		some[i].optional = true;
	}
	assert_null(kfacts_load(&sources, some, N_WANTS, NULL, &f, NULL));
	assert_string_equal(kfacts_kernel(f)->types_from, "");
	assert_string_equal(kfacts_kernel(f)->symbols_from, ".symtab of the image");
	expect_symbol(f, "prog_idr", FAKE_PROG_IDR);
	assert_false(kfacts_member(f, "bpf_prog", "aux", &member));
	kfacts_destroy(f);

	sources.image = put_image(&no_symbols);
	assert_null(kfacts_load(&sources, some, N_WANTS, NULL, &f, NULL));
	assert_string_equal(kfacts_kernel(f)->types_from, "BTF of the image");
	assert_string_equal(kfacts_kernel(f)->symbols_from, "");
	assert_string_equal(kfacts_kernel(f)->release, FAKE_RELEASE);
	assert_false(kfacts_symbol(f, "prog_idr", &addr));
	assert_true(kfacts_member(f, "bpf_prog", "aux", &member));
	kfacts_destroy(f);

	sources.image = put_text("text", "no kernel");
	refused(&sources, KT_ERROR_FORMAT, "not a kernel", NULL);
}

/* A name for people in place of a path that they do not know. */
static void test_image_name(void **state)
{
	struct fake_options o = {.no_btf = true};
	struct kfacts_sources sources = {.image = put_image(&o), .image_name = "what it has"};
	struct kt_error *err;
	struct kfacts *f;

	(void)state;
	for (int i = 0; i < 2; i++) {
		err = kfacts_load(&sources, wants, N_WANTS, NULL, &f, NULL);
		assert_non_null(err);
		assert_memory_equal(kt_error_message(err), "what it has: ", 13);
		assert_null(strstr(kt_error_message(err), dir));
		kt_error_destroy(err);
		sources.image = put_text("text", "no kernel");
	}
}

/* What is not there, and what can be given in its place. */
static void test_nothing_tells(void **state)
{
	struct fake_options no_btf = {.no_btf = true}, no_symbols = {.no_symbols = true};
	struct kfacts_sources sources = {.image = put_image(&no_btf)};

	(void)state;
	refused(&sources, KT_ERROR_NOT_FOUND, "neither .BTF", "--btf");
	sources.image = put_image(&no_symbols);
	refused(&sources, KT_ERROR_NOT_FOUND, "no symbols", "--system-map");
	sources = (struct kfacts_sources){.btf = put_btf()};
	refused(&sources, KT_ERROR_USAGE, "where the kernel's symbols are", "--kallsyms");
	sources = (struct kfacts_sources){.kallsyms = put_symbols("list", 0, "")};
	refused(&sources, KT_ERROR_USAGE, "nothing tells the kernel's types", "--btf");
	sources.btf = path_of("not there");
	refused(&sources, KT_ERROR_NOT_FOUND, "not there: no such file", NULL);
}

/* The other byte order, and what is no BTF of a kernel. */
static void test_btf_files(void **state)
{
	struct kfacts_sources sources = {.kallsyms = put_symbols("list", 0, "")};
	struct btf *base, *split, *be;
	struct kt_buf bytes = KT_BUF_INIT;
	const void *data;
	struct kfacts *f;
	uint32_t len;

	(void)state;
	fake_btf(&bytes);
	be = btf__new(bytes.data, (uint32_t)bytes.len);
	assert_non_null(be);
	btf__set_endianness(be, BTF_BIG_ENDIAN);
	data = btf__raw_data(be, &len);
	assert_true(((const uint8_t *)data)[0] == 0xeb);
	sources.btf = put("be", data, len);
	f = load(&sources);
	assert_true(kfacts_kernel(f)->big_endian);
	kfacts_destroy(f);
	btf__free(be);

	base = btf__new(bytes.data, (uint32_t)bytes.len);
	split = btf__new_empty_split(base);
	btf__add_struct(split, "of_a_module", 8);
	data = btf__raw_data(split, &len);
	sources.btf = put("split", data, len);
	refused(&sources, KT_ERROR_FORMAT, "split BTF, a module's", "/sys/kernel/btf/vmlinux");
	btf__free(split);
	btf__free(base);

	sources.btf = put_text("text", "no BTF at all");
	refused(&sources, KT_ERROR_FORMAT, "no magic number", "/sys/kernel/btf/vmlinux");
	kt_buf_deinit(&bytes);
}

/* True: it came from the cache. */
static bool load_cached(const struct kfacts_sources *sources, const char *cache, gaddr_t prog_idr)
{
	struct kfacts *f = NULL;
	bool from_cache = false;

	assert_null(kfacts_load(sources, wants, N_WANTS, cache, &f, &from_cache));
	expect_symbol(f, "prog_idr", prog_idr);
	assert_string_equal(kfacts_kernel(f)->types_from, "BTF file");
	kfacts_destroy(f);
	return from_cache;
}

/* Every source's content is a part of the question. */
static void test_cache(void **state)
{
	struct kfacts_sources sources = {.btf = put_btf(), .kallsyms = put_symbols("list", 0, "")};
	struct fake_options o = {0};
	char cache[128];

	(void)state;
	snprintf(cache, sizeof(cache), "%s/cache", dir);
	assert_false(load_cached(&sources, cache, FAKE_PROG_IDR));
	assert_true(load_cached(&sources, cache, FAKE_PROG_IDR));
	sources.kallsyms = put_symbols("list", KASLR, "");
	assert_false(load_cached(&sources, cache, FAKE_PROG_IDR + KASLR));
	assert_true(load_cached(&sources, cache, FAKE_PROG_IDR + KASLR));
	sources.image = put_image(&o);
	assert_false(load_cached(&sources, cache, FAKE_PROG_IDR + KASLR));
	assert_true(load_cached(&sources, cache, FAKE_PROG_IDR + KASLR));
	o.build_id = 9;
	sources.image = put_image(&o);
	assert_false(load_cached(&sources, cache, FAKE_PROG_IDR + KASLR));
}

static void test_missing(void **state)
{
	struct kfacts_sources sources = {.btf = put_btf(), .kallsyms = put_symbols("list", 0, "")};
	struct kfacts *f = load(&sources);
	const struct kfacts_want *want;
	size_t i = 0;

	(void)state;
	want = kfacts_missing(f, &i);
	assert_non_null(want);
	assert_string_equal(want->name, "no_struct");
	assert_int_equal(want->kind, KFACTS_SIZE);
	assert_null(kfacts_missing(f, &i));
	kfacts_destroy(f);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ktstr-sources-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char cmd[100];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_image),
		cmocka_unit_test(test_image_is_moved),
		cmocka_unit_test(test_sources_fill_up),
		cmocka_unit_test(test_image_without_symbols),
		cmocka_unit_test(test_lists_refused),
		cmocka_unit_test(test_mismatch),
		cmocka_unit_test(test_btf_samples),
		cmocka_unit_test(test_other_btf),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_image_name),
		cmocka_unit_test(test_nothing_tells),
		cmocka_unit_test(test_btf_files),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests_name("btf: sources", tests, setup, teardown);
}
