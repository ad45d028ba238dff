// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The reading of a kernel's files in a process of its own. What it hands back has to be what
 * kfacts_load() says in this process; and it is fenced in. Linked with --wrap=kfacts_load, so that
 * the test can look around where the files are read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "btf/facts_apart.h"
#include "tests/btf/fake_kernel.h"

static const struct kfacts_want wants[] = {
	{KFACTS_SYMBOL, "prog_idr", NULL, false},
	{KFACTS_SYMBOL, "scx_root", NULL, true},
	{KFACTS_MEMBER, "bpf_prog", "gpl_compatible", false},
	{KFACTS_SIZE, "bpf_prog", NULL, false},
	{KFACTS_ENUM, "bpf_prog_type", NULL, false},
	{KFACTS_HELD, "timekeeper", "timekeeper", false},
};
#define N_WANTS (sizeof(wants) / sizeof(*wants))

static char dir[] = "/tmp/ktstr-apart-XXXXXX", image[64], secret[64], cache[64];
static pid_t own;

/* Shared with the child: what is found where the files are read. */
static struct seen {
	int loads;
	bool here;        /* in the process of the test */
	bool fenced;      /* by seccomp, and for good */
	int secret_errno; /* when a file is opened that is nobody's business */
} * seen;

struct kt_error *__real_kfacts_load(const struct kfacts_sources *sources,
				    const struct kfacts_want *list, size_t n, const char *cache_dir,
				    struct kfacts **ret, bool *from_cache_ret);
struct kt_error *__wrap_kfacts_load(const struct kfacts_sources *sources,
				    const struct kfacts_want *list, size_t n, const char *cache_dir,
				    struct kfacts **ret, bool *from_cache_ret);

struct kt_error *__wrap_kfacts_load(const struct kfacts_sources *sources,
				    const struct kfacts_want *list, size_t n, const char *cache_dir,
				    struct kfacts **ret, bool *from_cache_ret)
{
	int fd = open(secret, O_RDONLY | O_CLOEXEC);

	seen->secret_errno = fd < 0 ? errno : 0;
	seen->here = getpid() == own;
	seen->fenced = prctl(PR_GET_SECCOMP) == 2 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	seen->loads++;
	if (fd >= 0)
		close(fd);
	return __real_kfacts_load(sources, list, n, cache_dir, ret, from_cache_ret);
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static struct kt_error *load(const char *path, int fd, const char *cache_dir, struct kfacts **ret,
			     bool *cached_ret)
{
	const struct kfacts_wanted wanted = {wants, N_WANTS, fd, -1};
	struct kt_error *err;

	*seen = (struct seen){0};
	err = kfacts_load_apart(&(struct kfacts_sources){.image = path}, &wanted, cache_dir, ret,
				cached_ret);
	assert_int_equal(seen->loads, 1);
	assert_false(seen->here);
	return err;
}

/* What this process makes of the file itself. */
static void pack_here(struct kt_buf *out)
{
	struct kfacts *facts = NULL;

	assert_null(__real_kfacts_load(&(struct kfacts_sources){.image = image}, wants, N_WANTS,
				       NULL, &facts, NULL));
	kfacts_pack(facts, out);
	assert_false(kt_buf_failed(out));
	kfacts_destroy(facts);
}

/* Takes facts. */
static void check_same(struct kfacts *facts)
{
	struct kt_buf a = KT_BUF_INIT, b = KT_BUF_INIT;

	pack_here(&a);
	kfacts_pack(facts, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	assert_string_equal(kfacts_kernel(facts)->release, FAKE_RELEASE);
	kfacts_destroy(facts);
	kt_buf_deinit(&a);
	kt_buf_deinit(&b);
}

static void test_same(void **state)
{
	struct kfacts *facts = NULL;
	bool cached = true;

	(void)state;
	assert_null(load(image, -1, NULL, &facts, &cached));
	assert_false(cached);
	check_same(facts);
	/* The child fills the cache, and finds what it has. */
	assert_null(load(image, -1, cache, &facts, &cached));
	assert_false(cached);
	check_same(facts);
	assert_null(load(image, -1, cache, &facts, &cached));
	assert_true(cached);
	check_same(facts);
}

/* A kernel out of a guest's memory is no file, but a descriptor that the child has, too. */
static void test_in_memory(void **state)
{
	struct kt_buf elf = KT_BUF_INIT;
	struct kfacts *facts = NULL;
	char path[32];
	int fd = memfd_create("kernel", MFD_CLOEXEC);

	(void)state;
	fake_kernel(&elf, &(struct fake_options){0});
	assert_int_equal(write(fd, elf.data, elf.len), (ssize_t)elf.len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_null(load(path, fd, NULL, &facts, NULL));
	assert_true(seen->fenced);
	check_same(facts);
	close(fd);
	kt_buf_deinit(&elf);
}

static void test_errors(void **state)
{
	const char *const paths[] = {"/nothing/here", secret, "/proc/self/exe"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct kfacts *facts = NULL;
		struct kt_error *apart = load(paths[i], -1, NULL, &facts, NULL);
		struct kt_error *here = __real_kfacts_load(
			&(struct kfacts_sources){.image = paths[i]}, wants, N_WANTS, NULL, &facts,
			NULL);

		assert_true(apart && here);
		assert_int_equal(kt_error_code(apart), kt_error_code(here));
		assert_int_equal(kt_error_errno(apart), kt_error_errno(here));
		assert_string_equal(kt_error_message(apart), kt_error_message(here));
		assert_int_equal(!kt_error_hint_text(apart), !kt_error_hint_text(here));
		kt_error_destroy(apart);
		kt_error_destroy(here);
	}
}

static void test_fence(void **state)
{
	struct kfacts *facts = NULL;

	(void)state;
	assert_null(load(image, -1, cache, &facts, NULL));
	assert_true(seen->fenced);
	/* Where the kernel has Landlock. Without, seccomp cannot tell one file from another. */
	if (seen->secret_errno)
		assert_int_equal(seen->secret_errno, EACCES);
	else
		print_message("no Landlock here: files are not limited\n");
	kfacts_destroy(facts);
}

/* Bytes of a child that somebody took over: cut anywhere, changed anywhere. */
static void test_hostile(void **state)
{
	struct kt_buf bytes = KT_BUF_INIT;
	struct kfacts *facts = NULL;
	struct kt_error *err;

	(void)state;
	pack_here(&bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		/* Of a size of its own, so that a sanitizer sees what is behind it. */
		char *copy = malloc(len + 1);

		memcpy(copy, bytes.data, len);
		err = kfacts_unpack(copy, len, wants, N_WANTS, &facts);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
		kt_error_destroy(err);
		free(copy);
	}
	for (size_t i = 0; i < bytes.len * 8; i++) {
		bytes.data[i / 8] = (char)(bytes.data[i / 8] ^ 1 << i % 8);
		err = kfacts_unpack(bytes.data, bytes.len, wants, N_WANTS, &facts);
		if (err)
			kt_error_destroy(err);
		else
			kfacts_destroy(facts);
		bytes.data[i / 8] = (char)(bytes.data[i / 8] ^ 1 << i % 8);
	}
	/* The answers to other questions. */
	err = kfacts_unpack(bytes.data, bytes.len, wants, N_WANTS - 1, &facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
	kt_error_destroy(err);
	kt_buf_deinit(&bytes);
}

static int set_up(void **state)
{
	struct kt_buf elf = KT_BUF_INIT;

	(void)state;
	own = getpid();
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED || !mkdtemp(dir))
		return -1;
	snprintf(image, sizeof(image), "%s/vmlinux", dir);
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	snprintf(cache, sizeof(cache), "%s/cache", dir);
	fake_kernel(&elf, &(struct fake_options){0});
	write_file(image, elf.data, elf.len);
	write_file(secret, "secret", 6);
	kt_buf_deinit(&elf);
	return mkdir(cache, 0700);
}

static int clean_up(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),    cmocka_unit_test(test_in_memory),
		cmocka_unit_test(test_errors),  cmocka_unit_test(test_fence),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("btf facts apart", tests, set_up, clean_up);
}
