// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Against truth: distro kernels in $KTSTR_KERNELS (by default those that the other tests
 * fetched), one folder each with a vmlinuz and perhaps a vmlinux and a System.map.
 *
 * Members are compared with what bpftool reads out of the same .BTF, symbols with
 * System.map and .symtab.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <glob.h>
#include <string.h>

#include "btf/facts.h"
#include "btf/symbols.h"
#include "image/image.h"
#include "util/cleanup.h"
#include "util/vec.h"

/* Structs whose every named member is compared: big, odd, and the ones that we live on. */
static const char *const structs[] = {
	"bpf_prog", "bpf_prog_aux", "bpf_verifier_env", "bpf_verifier_log", "idr",      "xarray",
	"xa_node",  "task_struct",  "mm_struct",        "sk_buff",          "tcp_sock", "btf",
};
#define N_STRUCTS (sizeof(structs) / sizeof(*structs))

struct kernels {
	glob_t vmlinuz;
	char dir[300];
};

static bool find_kernels(struct kernels *k, const char *name)
{
	const char *env = getenv("KTSTR_KERNELS"), *xdg = getenv("XDG_CACHE_HOME");
	char pattern[400];

	if (env)
		snprintf(k->dir, sizeof(k->dir), "%s", env);
	else if (xdg && *xdg)
		snprintf(k->dir, sizeof(k->dir), "%s/ktstr-gdb/kernels", xdg);
	else
		snprintf(k->dir, sizeof(k->dir), "%s/.cache/ktstr-gdb/kernels", getenv("HOME"));
	/* Of x86_64: the images of other architectures hold no ELF. */
	snprintf(pattern, sizeof(pattern), "%s/*amd64/%s", k->dir, name);
	return !glob(pattern, 0, NULL, &k->vmlinuz);
}

static void skip_without(const struct kernels *k, const char *what)
{
	print_message("# SKIP: no %s below %s\n", what, k->dir);
	skip();
}

struct member {
	struct kfacts_want want;
	char name[64];
	unsigned int bits, bitfield;
};

struct members {
	KT_VEC(struct member) v;
};

/*
 * Reads lines of "bpftool btf dump file FILE format raw":
 *   [53] STRUCT 'bpf_prog' size=72 vlen=20
 *   	'jited' type_id=9 bits_offset=16 bitfield_size=1
 */
static void read_dump(FILE *f, struct members *ret)
{
	const char *in = NULL;
	char line[512];

	while (fgets(line, sizeof(line), f)) {
		struct member m = {.want.optional = true};
		char name[256];

		if (line[0] == '[') {
			in = NULL;
			for (size_t i = 0;
			     sscanf(line, "[%*d] STRUCT '%255[^']'", name) == 1 && i < N_STRUCTS;
			     i++) {
				if (!strcmp(name, structs[i]))
					in = structs[i];
			}
		} else if (in &&
			   sscanf(line, "\t'%63[^']' type_id=%*u bits_offset=%u bitfield_size=%u",
				  m.name, &m.bits, &m.bitfield) >= 2 &&
			   strcmp(m.name, "(anon)")) {
			m.want.name = in;
			assert_true(kt_vec_push(&ret->v, m));
		}
	}
}

/* False without a bpftool. */
static bool dump_btf(const char *path, struct members *ret)
{
	struct image_file file = {0};
	struct image *image = NULL;
	struct image_section btf;
	char temp[] = "/tmp/ktstr-btf-XXXXXX", cmd[200];
	int fd = mkstemp(temp);
	FILE *f;

	assert_true(fd >= 0);
	assert_null(image_file_open(path, &file));
	assert_null(image_open(file.data, file.len, &image));
	assert_true(image_section(image, ".BTF", &btf));
	assert_int_equal(write(fd, btf.data, btf.size), btf.size);
	close(fd);
	snprintf(cmd, sizeof(cmd),
		 "PATH=$PATH:/usr/sbin:/sbin bpftool btf dump file %s format raw 2>/dev/null",
		 temp);
	f = popen(cmd, "r");
	assert_non_null(f);
	read_dump(f, ret);
	pclose(f);
	unlink(temp);
	image_close(image);
	image_file_close(&file);
	return ret->v.len;
}

static void compare_members(const char *path, struct members *members)
{
	_cleanup_free_ struct kfacts_want *wants = calloc(members->v.len, sizeof(*wants));
	struct kfacts *facts = NULL;
	struct kt_error *err;

	for (size_t i = 0; i < members->v.len; i++) {
		wants[i] = members->v.data[i].want;
		wants[i].kind = KFACTS_MEMBER;
		wants[i].path = members->v.data[i].name;
	}
	err = kfacts_load(&(struct kfacts_sources){.image = path}, wants, members->v.len, NULL,
			  &facts, NULL);
	if (err)
		fail_msg("%s", kt_error_message(err));
	kt_vec_for_each (&members->v, m) {
		struct kfacts_member got;

		if (!kfacts_member(facts, m->want.name, m->name, &got))
			fail_msg("%s: no %s.%s", path, m->want.name, m->name);
		if (got.offset * 8 + got.bit_shift != m->bits || got.bit_size != m->bitfield)
			fail_msg("%s: %s.%s is at bit %u, not at %u", path, m->want.name, m->name,
				 m->bits, got.offset * 8 + got.bit_shift);
	}
	print_message("# %s: %s, %zu members\n", path, kfacts_kernel(facts)->release,
		      members->v.len);
	kfacts_destroy(facts);
}

static void test_members_against_bpftool(void **state)
{
	struct kernels k;

	(void)state;
	if (!find_kernels(&k, "vmlinuz"))
		skip_without(&k, "vmlinuz");
	for (size_t i = 0; i < k.vmlinuz.gl_pathc; i++) {
		struct members members = {0};

		if (!dump_btf(k.vmlinuz.gl_pathv[i], &members))
			skip_without(&k, "bpftool, with kernels");
		assert_true(members.v.len > 400);
		compare_members(k.vmlinuz.gl_pathv[i], &members);
		kt_vec_free(&members.v);
	}
	globfree(&k.vmlinuz);
}

/* What ktstr-gdb cannot do without, and the shape of what is known about the kernel. */
static void test_essentials(void **state)
{
	static const struct kfacts_want wants[] = {
		{KFACTS_SYMBOL, "prog_idr", NULL, false},
		{KFACTS_SYMBOL, "init_mm", NULL, false},
		{KFACTS_MEMBER, "idr", "idr_rt.xa_head", false},
		{KFACTS_MEMBER, "bpf_prog", "tag", false},
		{KFACTS_MEMBER, "bpf_prog", "aux", false},
		{KFACTS_HELD, "timekeeper", "timekeeper", true},
		{KFACTS_ENUM, "bpf_prog_type", NULL, false},
	};
	struct kernels k;

	(void)state;
	if (!find_kernels(&k, "vmlinu[xz]"))
		skip_without(&k, "vmlinuz");
	for (size_t i = 0; i < k.vmlinuz.gl_pathc; i++) {
		struct kfacts *f = NULL;
		struct kt_error *err = kfacts_load(
			&(struct kfacts_sources){.image = k.vmlinuz.gl_pathv[i]}, wants,
			sizeof(wants) / sizeof(*wants), NULL, &f, NULL);
		const struct kfacts_kernel *kernel;
		gaddr_t idr;

		if (err)
			fail_msg("%s", kt_error_message(err));
		kernel = kfacts_kernel(f);
		assert_true(kfacts_symbol(f, "prog_idr", &idr));
		assert_true(idr > kernel->text_link);
		assert_true(kernel->notes_link > kernel->text_link && kernel->notes_size >= 36);
		assert_true(kernel->banner_link > kernel->text_link);
		assert_int_equal(kernel->build_id_len, 20);
		assert_non_null(strstr(kernel->banner, kernel->release));
		assert_string_equal(kfacts_enum_name(f, "bpf_prog_type", 3),
				    "BPF_PROG_TYPE_SCHED_CLS");
		kfacts_destroy(f);
	}
	globfree(&k.vmlinuz);
}

struct named {
	char *name;
	gaddr_t addr;
};

struct names {
	KT_VEC(struct named) v;
};

static int by_name_and_addr(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->addr > y->addr) - (x->addr < y->addr);
}

static void add_name(struct names *names, const char *name, gaddr_t addr)
{
	struct named n = {strdup(name), addr};

	assert_true(n.name && kt_vec_push(&names->v, n));
}

static void free_names(struct names *names)
{
	kt_vec_for_each (&names->v, n)
		free(n->name);
	kt_vec_free(&names->v);
}

static void read_kallsyms(const char *path, struct names *ret)
{
	struct image_file file = {0};
	struct image *image = NULL;
	struct kallsyms_iter it;
	struct kallsyms k;

	assert_null(image_file_open(path, &file));
	assert_null(image_open(file.data, file.len, &image));
	assert_null(symbols_find_kallsyms(image, &k));
	for (kallsyms_iter_init(&it, &k); kallsyms_next(&it);)
		add_name(ret, it.name, it.addr);
	image_close(image);
	image_file_close(&file);
	qsort(ret->v.data, ret->v.len, sizeof(*ret->v.data), by_name_and_addr);
}

/* Some packages have a System.map of one line that tells where the real one is. */
static bool read_system_map(const char *path, struct names *ret)
{
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	unsigned long long addr;
	char name[1024];

	while (f && fscanf(f, "%llx %*c %1023[^\n]\n", &addr, name) == 2)
		add_name(ret, name, addr);
	if (ret->v.len < 1000)
		return false;
	qsort(ret->v.data, ret->v.len, sizeof(*ret->v.data), by_name_and_addr);
	return true;
}

/* Both sorted. kallsyms leaves out some absolute symbols, and adds none. */
static void compare_names(const char *path, const struct names *kallsyms, const struct names *map)
{
	size_t i = 0, only_map = 0;

	kt_vec_for_each (&map->v, m) {
		if (i < kallsyms->v.len && !by_name_and_addr(&kallsyms->v.data[i], m))
			i++;
		else
			only_map++;
	}
	if (i != kallsyms->v.len)
		fail_msg("%s: System.map has no %s at 0x%llx", path, kallsyms->v.data[i].name,
			 (unsigned long long)kallsyms->v.data[i].addr);
	assert_true(only_map < map->v.len / 100);
	print_message("# %s: %zu symbols\n", path, i);
}

static void test_kallsyms_against_system_map(void **state)
{
	struct kernels k;
	size_t compared = 0;

	(void)state;
	if (!find_kernels(&k, "vmlinuz"))
		skip_without(&k, "vmlinuz");
	for (size_t i = 0; i < k.vmlinuz.gl_pathc; i++) {
		struct names kallsyms = {0}, map = {0};
		char path[400];

		snprintf(path, sizeof(path), "%.380s", k.vmlinuz.gl_pathv[i]);
		strcpy(strrchr(path, '/'), "/System.map");
		if (read_system_map(path, &map)) {
			read_kallsyms(k.vmlinuz.gl_pathv[i], &kallsyms);
			compare_names(k.vmlinuz.gl_pathv[i], &kallsyms, &map);
			compared++;
		}
		free_names(&kallsyms);
		free_names(&map);
	}
	globfree(&k.vmlinuz);
	if (!compared)
		skip_without(&k, "whole System.map");
}

/* The two sources of symbols answer every name alike, static ones that share it included. */
static void compare_sources(const char *path)
{
	struct names all = {0};
	struct symbols a, b;
	struct image_file file = {0};
	struct image *image = NULL;
	struct kallsyms k;
	size_t same = 0;

	read_kallsyms(path, &all);
	assert_true(symbols_init(&a, all.v.len) && symbols_init(&b, all.v.len));
	kt_vec_for_each (&all.v, n) {
		symbols_want(&a, n->name);
		symbols_want(&b, n->name);
	}
	assert_null(image_file_open(path, &file));
	assert_null(image_open(file.data, file.len, &image));
	assert_null(symbols_load(&a, image));
	assert_string_equal(a.source, ".symtab");
	assert_null(symbols_find_kallsyms(image, &k));
	symbols_load_kallsyms(&b, &k);
	kt_vec_for_each (&all.v, n) {
		gaddr_t x = 0, y = 1;

		if (!symbols_get(&a, n->name, &x) || !symbols_get(&b, n->name, &y) || x != y)
			fail_msg("%s: %s is 0x%llx in .symtab, 0x%llx in kallsyms", path, n->name,
				 (unsigned long long)x, (unsigned long long)y);
		same++;
	}
	print_message("# %s: %zu symbols\n", path, same);
	symbols_deinit(&a);
	symbols_deinit(&b);
	image_close(image);
	image_file_close(&file);
	free_names(&all);
}

static void test_kallsyms_against_symtab(void **state)
{
	struct kernels k;

	(void)state;
	if (!find_kernels(&k, "vmlinux"))
		skip_without(&k, "vmlinux");
	for (size_t i = 0; i < k.vmlinuz.gl_pathc; i++)
		compare_sources(k.vmlinuz.gl_pathv[i]);
	globfree(&k.vmlinuz);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_against_bpftool),
		cmocka_unit_test(test_essentials),
		cmocka_unit_test(test_kallsyms_against_system_map),
		cmocka_unit_test(test_kallsyms_against_symtab),
	};

	return cmocka_run_group_tests_name("btf: real kernels", tests, NULL, NULL);
}
