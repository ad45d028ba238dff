// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "btf/facts.h"
#include "tests/btf/fake_kernel.h"
#include "tests/btf/wrap.h"

static const struct kfacts_want wants[] = {
	{KFACTS_SYMBOL, "prog_idr", NULL, false},
	{KFACTS_SYMBOL, "twice", NULL, false},
	{KFACTS_SYMBOL, "shadowed", NULL, false},
	{KFACTS_SYMBOL, "scx_root", NULL, true},
	{KFACTS_MEMBER, "bpf_prog", "aux", false},
	{KFACTS_MEMBER, "bpf_prog", "gpl_compatible", false},
	{KFACTS_MEMBER, "bpf_prog", "digest", false},
	{KFACTS_MEMBER, "bpf_prog", "no_such", true},
	{KFACTS_SIZE, "bpf_prog", NULL, false},
	{KFACTS_ENUM, "bpf_prog_type", NULL, false},
	{KFACTS_HELD, "timekeeper", "timekeeper", false},
	{KFACTS_FUNCTIONS, KFACTS_ALL, NULL, false},
};
#define N_WANTS (sizeof(wants) / sizeof(*wants))

/* A directory of the test's own, with a file to load and a place for the cache. */
struct place {
	char dir[64], file[96], cache[96];
};

static struct place make_place(void)
{
	struct place p = {.dir = "/tmp/ktstr-facts-XXXXXX"};

	assert_non_null(mkdtemp(p.dir));
	snprintf(p.file, sizeof(p.file), "%s/vmlinuz", p.dir);
	snprintf(p.cache, sizeof(p.cache), "%s/some/cache", p.dir);
	return p;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_place(struct place *p)
{
	assert_int_equal(nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void read_file(const char *path, struct kt_buf *buf)
{
	FILE *f = fopen(path, "r");
	char chunk[4096];
	size_t n;

	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)))
		kt_buf_append(buf, chunk, n);
	fclose(f);
}

/* Writes a fake kernel into p->file, as it is or inside a bzImage. */
static void put_kernel(const struct place *p, const struct fake_options *o, bool bzimage)
{
	struct kt_buf elf = KT_BUF_INIT, bz = KT_BUF_INIT;

	fake_kernel(&elf, o);
	if (bzimage)
		wrap_bzimage(&bz, "zstd", elf.data, elf.len);
	else
		kt_buf_append(&bz, elf.data, elf.len);
	write_file(p->file, bz.data, bz.len);
	kt_buf_deinit(&elf);
	kt_buf_deinit(&bz);
}

static void check_facts(const struct kfacts *f, bool build_id)
{
	const struct kfacts_kernel *k = kfacts_kernel(f);
	struct kfacts_member m;
	uint64_t size;
	gaddr_t addr;

	assert_string_equal(k->release, FAKE_RELEASE);
	assert_string_equal(k->banner, FAKE_BANNER);
	assert_string_equal(k->arch, "x86_64");
	assert_false(k->big_endian);
	assert_int_equal(k->build_id_len, build_id ? 20 : 0);
	assert_int_equal(k->text_link, FAKE_TEXT);
	assert_int_equal(k->notes_link, FAKE_NOTES);
	assert_int_equal(k->notes_size, 36);
	assert_int_equal(k->banner_link, FAKE_RODATA);
	assert_true(kfacts_symbol(f, "prog_idr", &addr));
	assert_int_equal(addr, FAKE_PROG_IDR);
	assert_true(kfacts_symbol(f, "twice", &addr));
	assert_int_equal(addr, FAKE_TEXT + 0x1000);
	assert_true(kfacts_symbol(f, "shadowed", &addr));
	assert_int_equal(addr, FAKE_RODATA + 24);
	assert_string_equal(kfacts_function_at(f, FAKE_TEXT + 0x1000), "twice");
	assert_string_equal(kfacts_function_at(f, FAKE_TEXT + 0x2000), "twice");
	assert_null(kfacts_function_at(f, FAKE_TEXT + 0x1001));
	assert_null(kfacts_function_at(f, 0));
	assert_false(kfacts_symbol(f, "scx_root", &addr));
	assert_false(kfacts_symbol(f, "_text", &addr)); /* not asked for */
	assert_true(kfacts_member(f, "bpf_prog", "aux", &m));
	assert_true(m.offset == 40 && m.size == 8 && !m.bit_size);
	assert_true(kfacts_member(f, "bpf_prog", "gpl_compatible", &m));
	assert_true(m.offset == 2 && m.size == 2 && m.bit_shift == 2 && m.bit_size == 1);
	assert_true(kfacts_member(f, "bpf_prog", "digest", &m));
	assert_int_equal(m.offset, 8);
	assert_false(kfacts_member(f, "bpf_prog", "no_such", &m));
	assert_false(kfacts_member(f, "bpf_prog", "pages", &m));
	assert_true(kfacts_member(f, "timekeeper", "timekeeper", &m));
	assert_true(m.offset == 8 && m.size == 24);
	assert_true(kfacts_size(f, "bpf_prog", &size));
	assert_int_equal(size, 64);
	assert_false(kfacts_size(f, "bpf_prog_aux", &size));
	assert_string_equal(kfacts_enum_name(f, "bpf_prog_type", 2), "BPF_PROG_TYPE_KPROBE");
	assert_null(kfacts_enum_name(f, "bpf_prog_type", 1));
	assert_null(kfacts_enum_name(f, "bpf_map_type", 0));
}

/* Loads and checks; tells whether it came from the cache. */
static bool load(const struct place *p, bool cached, bool build_id)
{
	struct kfacts *f = NULL;
	bool from_cache = true;
	struct kt_error *err = kfacts_load(&(struct kfacts_sources){.image = p->file}, wants,
					   N_WANTS, cached ? p->cache : NULL, &f, &from_cache);

	if (err)
		fail_msg("%s", kt_error_message(err));
	check_facts(f, build_id);
	kfacts_destroy(f);
	return from_cache;
}

static void test_symtab_and_kallsyms(void **state)
{
	struct place p = make_place();

	(void)state;
	for (int r = 0; r <= KW_RELEASES; r++) {
		struct fake_options o = {.kallsyms = r < KW_RELEASES,
					 .release = (enum kw_release)r};

		put_kernel(&p, &o, false);
		assert_false(load(&p, false, true));
		put_kernel(&p, &o, true);
		assert_false(load(&p, false, true));
	}
	remove_place(&p);
}

static void test_banner_without_its_symbol(void **state)
{
	struct fake_options o = {.no_banner_symbol = true};
	struct place p = make_place();

	(void)state;
	put_kernel(&p, &o, false);
	assert_false(load(&p, false, true));
	remove_place(&p);
}

static void test_cache_hits(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct fake_options o = {.no_build_id = i & 1, .kallsyms = true};
		struct place p = make_place();
		char parent[96];
		struct stat st;

		put_kernel(&p, &o, i & 2);
		assert_false(load(&p, true, !o.no_build_id));
		assert_true(load(&p, true, !o.no_build_id));
		assert_true(load(&p, true, !o.no_build_id));
		assert_int_equal(stat(p.cache, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		snprintf(parent, sizeof(parent), "%s/some", p.dir);
		assert_int_equal(stat(parent, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		/* Another kernel in the same file. */
		o.build_id = 9;
		put_kernel(&p, &o, i & 2);
		assert_false(load(&p, true, !o.no_build_id));
		assert_true(load(&p, true, !o.no_build_id));
		remove_place(&p);
	}
}

/* vmlinux and vmlinuz of one build share their facts. */
static void test_cache_is_by_build_id(void **state)
{
	struct fake_options o = {0};
	struct place p = make_place();

	(void)state;
	put_kernel(&p, &o, true);
	assert_false(load(&p, true, true));
	put_kernel(&p, &o, false);
	assert_true(load(&p, true, true));
	remove_place(&p);
}

/* A hint is a place's and a kernel's own, and gone when it is damaged. */
static void test_hints(void **state)
{
	struct fake_options o = {0};
	struct place p = make_place();
	struct kfacts *f = NULL;
	int64_t offset = 0;

	(void)state;
	put_kernel(&p, &o, true);
	assert_null(kfacts_load(&(struct kfacts_sources){.image = p.file}, wants, N_WANTS, p.cache,
				&f, NULL));
	assert_false(kfacts_load_hint(f, p.cache, ":1234", &offset));
	kfacts_store_hint(f, p.cache, ":1234", -0x200000);
	kfacts_store_hint(f, p.cache, "unix:/x", 0x1e000000);
	assert_true(kfacts_load_hint(f, p.cache, ":1234", &offset));
	assert_true(offset == -0x200000);
	assert_true(kfacts_load_hint(f, p.cache, "unix:/x", &offset));
	assert_true(offset == 0x1e000000);
	assert_false(kfacts_load_hint(f, p.cache, ":1235", &offset));
	assert_false(kfacts_load_hint(f, NULL, ":1234", &offset));
	kfacts_store_hint(f, NULL, ":1234", 0);
	kfacts_destroy(f);

	o.build_id = 9;
	put_kernel(&p, &o, true);
	assert_null(kfacts_load(&(struct kfacts_sources){.image = p.file}, wants, N_WANTS, p.cache,
				&f, NULL));
	assert_false(kfacts_load_hint(f, p.cache, ":1234", &offset));
	kfacts_destroy(f);
	remove_place(&p);
}

static void test_other_wants_miss(void **state)
{
	struct fake_options o = {0};
	struct place p = make_place();
	struct kfacts_want other[N_WANTS];
	struct kfacts *f = NULL;
	bool from_cache = true;

	(void)state;
	put_kernel(&p, &o, true);
	assert_false(load(&p, true, true));
	memcpy(other, wants, sizeof(wants));
	other[4].path = "pages";
	assert_null(kfacts_load(&(struct kfacts_sources){.image = p.file}, other, N_WANTS, p.cache,
				&f, &from_cache));
	assert_false(from_cache);
	kfacts_destroy(f);
	/* Optional instead of required is another question too. */
	memcpy(other, wants, sizeof(wants));
	other[4].optional = true;
	assert_null(kfacts_load(&(struct kfacts_sources){.image = p.file}, other, N_WANTS, p.cache,
				&f, &from_cache));
	assert_false(from_cache);
	kfacts_destroy(f);
	assert_true(load(&p, true, true));
	remove_place(&p);
}

/* The paths of the files in a directory; at most max. */
static size_t list_files(const char *dir, char (*paths)[400], size_t max)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) && n < max) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			snprintf(paths[n++], 400, "%s/%s", dir, e->d_name);
	}
	closedir(d);
	return n;
}

/* Damages byte i of a cache file: the answers stay right, and the file is written anew. */
static void check_damage(const struct place *p, const char *path, struct kt_buf *whole, size_t i)
{
	struct kt_buf now = KT_BUF_INIT;

	whole->data[i] ^= 0x21;
	write_file(path, whole->data, whole->len);
	whole->data[i] ^= 0x21;
	assert_false(load(p, true, true));
	read_file(path, &now);
	assert_int_equal(now.len, whole->len);
	assert_memory_equal(now.data, whole->data, whole->len);
	kt_buf_deinit(&now);
}

static void test_cache_damaged_at_every_byte(void **state)
{
	struct fake_options o = {.kallsyms = true};
	struct place p = make_place();
	char paths[4][400];

	(void)state;
	put_kernel(&p, &o, true);
	assert_false(load(&p, true, true));
	assert_int_equal(list_files(p.cache, paths, 4), 2);
	for (int file = 0; file < 2; file++) {
		struct kt_buf whole = KT_BUF_INIT;

		read_file(paths[file], &whole);
		for (size_t i = 0; i < whole.len; i++) {
			check_damage(&p, paths[file], &whole, i);
			write_file(paths[file], whole.data, i);
			assert_false(load(&p, true, true)); /* cut there */
		}
		kt_buf_appendc(&whole, 'x');
		write_file(paths[file], whole.data, whole.len);
		assert_false(load(&p, true, true));
		assert_true(load(&p, true, true));
		kt_buf_deinit(&whole);
	}
	remove_place(&p);
}

/* A sound file under another file's name is not taken for it. */
static void test_cache_foreign_file(void **state)
{
	struct fake_options one = {.build_id = 1}, two = {.build_id = 2};
	struct place p = make_place();
	char paths[8][400], first[400];

	(void)state;
	put_kernel(&p, &one, false);
	assert_false(load(&p, true, true));
	assert_int_equal(list_files(p.cache, paths, 8), 1);
	strcpy(first, paths[0]);
	put_kernel(&p, &two, false);
	assert_false(load(&p, true, true));
	assert_int_equal(list_files(p.cache, paths, 8), 2);
	assert_int_equal(rename(first, paths[!strcmp(paths[0], first)]), 0);
	assert_false(load(&p, true, true));
	remove_place(&p);
}

/* A cache that cannot be is no reason to fail: a file where a directory should be, and back. */
static void test_cache_impossible(void **state)
{
	struct fake_options o = {0};
	struct place p = make_place(), bad = p;
	char paths[4][400];

	(void)state;
	put_kernel(&p, &o, true);
	snprintf(bad.cache, sizeof(bad.cache), "%s/vmlinuz/cache", p.dir);
	assert_false(load(&bad, true, true));
	assert_false(load(&bad, true, true));
	assert_false(load(&p, true, true));
	assert_int_equal(list_files(p.cache, paths, 4), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(unlink(paths[i]), 0);
		assert_int_equal(mkdir(paths[i], 0700), 0);
	}
	assert_false(load(&p, true, true));
	assert_int_equal(list_files(p.cache, paths, 4), 2); /* no leftovers */
	remove_place(&p);
}

/* Loads again and again, now and then with the cache swept away. */
static void child_loads(const struct place *p)
{
	char paths[8][400];

	for (int n = 0; n < 20; n++) {
		struct kfacts *f = NULL;

		for (size_t have = n % 5 == 4 ? list_files(p->cache, paths, 8) : 0; have; have--) {
			if (!strstr(paths[have - 1], "new-"))
				unlink(paths[have - 1]);
		}
		if (kfacts_load(&(struct kfacts_sources){.image = p->file}, wants, N_WANTS,
				p->cache, &f, NULL))
			_exit(1);
		check_facts(f, true);
		kfacts_destroy(f);
	}
	_exit(0);
}

static void test_concurrent_writers(void **state)
{
	struct fake_options o = {.kallsyms = true};
	struct place p = make_place();
	char paths[8][400];

	(void)state;
	put_kernel(&p, &o, true);
	for (int i = 0; i < 8; i++) {
		if (!fork())
			child_loads(&p);
	}
	for (int i = 0; i < 8; i++) {
		int status = -1;

		wait(&status);
		assert_int_equal(status, 0);
	}
	load(&p, true, true);
	assert_true(load(&p, true, true));
	/* Nothing of the writing is left behind. */
	for (size_t n = list_files(p.cache, paths, 8); n; n--)
		assert_null(strstr(paths[n - 1], "new-"));
	remove_place(&p);
}

static void expect_error(const struct place *p, const struct kfacts_want *want,
			 enum kt_error_code code, const char *part)
{
	struct kfacts *f = NULL;
	struct kt_error *err = kfacts_load(&(struct kfacts_sources){.image = p->file}, want,
					   want ? 1 : 0, p->cache, &f, NULL);
	char path[128];

	assert_non_null(err);
	assert_null(f);
	if (!strstr(kt_error_message(err), part))
		fail_msg("\"%s\" is not in \"%s\"", part, kt_error_message(err));
	snprintf(path, sizeof(path), "%s: ", p->file);
	assert_int_equal(strncmp(kt_error_message(err), path, strlen(path)), 0);
	assert_null(strchr(kt_error_message(err), '\n'));
	assert_int_equal(kt_error_code(err), code);
	kt_error_destroy(err);
}

static void test_errors(void **state)
{
	static const struct kfacts_want absent[] = {
		{KFACTS_SYMBOL, "no_symbol", NULL, false},
		{KFACTS_MEMBER, "bpf_prog", "no_member", false},
		{KFACTS_MEMBER, "no_struct", "x", false},
		{KFACTS_SIZE, "no_size", NULL, false},
		{KFACTS_ENUM, "no_enum", NULL, false},
		{KFACTS_HELD, "bpf_prog", "nowhere", false},
	};
	static const char *const parts[] = {"no_symbol", "no_member", "no_struct",
					    "no_size",   "no_enum",   "nowhere"};
	struct fake_options o = {0};
	struct place p = make_place();

	(void)state;
	expect_error(&p, NULL, KT_ERROR_NOT_FOUND, "no such file");
	write_file(p.file, "hello\n", 6);
	expect_error(&p, NULL, KT_ERROR_FORMAT, "not a kernel");
	write_file(p.file, "", 0);
	expect_error(&p, NULL, KT_ERROR_FORMAT, "empty");
	put_kernel(&p, &(struct fake_options){.no_btf = true}, true);
	expect_error(&p, wants, KT_ERROR_NOT_FOUND, "CONFIG_DEBUG_INFO_BTF");
	put_kernel(&p, &(struct fake_options){.no_symbols = true}, true);
	expect_error(&p, wants, KT_ERROR_NOT_FOUND, "no symbols");
	put_kernel(&p, &(struct fake_options){.no_banner = true}, true);
	expect_error(&p, wants, KT_ERROR_FORMAT, "banner");
	put_kernel(&p, &o, true);
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		expect_error(&p, &absent[i], KT_ERROR_NOT_FOUND, parts[i]);
	assert_int_equal(truncate(p.file, 2000), 0);
	expect_error(&p, wants, KT_ERROR_FORMAT, "truncated");
	remove_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symtab_and_kallsyms),
		cmocka_unit_test(test_banner_without_its_symbol),
		cmocka_unit_test(test_cache_hits),
		cmocka_unit_test(test_cache_is_by_build_id),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_other_wants_miss),
		cmocka_unit_test(test_cache_damaged_at_every_byte),
		cmocka_unit_test(test_cache_foreign_file),
		cmocka_unit_test(test_cache_impossible),
		cmocka_unit_test(test_concurrent_writers),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("btf: facts and their cache", tests, NULL, NULL);
}
