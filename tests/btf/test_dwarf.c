// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * DWARF: small objects that compilers make here and now, with what the compiler itself says
 * (offsetof(), sizeof()) for truth; and the vmlinux of distros, which have both BTF and DWARF.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "btf/facts.h"
#include "btf/types.h"
#include "image/image.h"
#include "introspect/inspect.h"
#include "memory/view.h"
#include "util/cleanup.h"
#include "util/clock.h"

/*
 * Each struct by the macros that follow it: M() is a member and B() a bit field, which truth()
 * finds out by filling it with ones. The program that is compiled prints what is right.
 */
static const char source[] =
	"#include <stdio.h>\n#include <stddef.h>\n#include <string.h>\n"
	"typedef unsigned char u8; typedef unsigned short u16; typedef unsigned long long u64;\n"
	"enum colour { RED, GREEN = 7, BLUE = 200 };\n"
	"enum sign { MINUS = -5, NOUGHT = 0, PLUS = 100000 };\n"
	"enum large { LARGE = 0x123456789abcLL, LARGER = -1LL };\n"
	"enum high { HIGH = 0xffffff00u };\n"
	"struct opaque;\n"
	"struct inner { int a; const volatile long b; };\n"
	"struct outer {\n"
	"  char first; struct inner in; struct inner many[3]; int grid[2][5]; struct opaque *hidden;\n"
	"  union { u64 whole; struct { u16 low, high; }; u8 bytes[16]; };\n"
	"  int (*call)(struct outer *); struct outer *next; enum colour colour; double real;\n"
	"  u16 jited:1, gpl:1, mid:3; unsigned int wide:20; u64 huge:40; signed int neg:5; u8 after;\n"
	"  struct { int deep; union { int deeper; char other; }; } named; u8 flexible[];\n"
	"};\n"
	"struct __attribute__((packed)) tight { u8 a; u64 b; u16 c:3; u16 d:13; unsigned int e:7; };\n"
	"static struct { int seq; struct inner inner_held; } core;\n"
	"struct outer outer; struct tight tight; enum colour colour; enum sign sign;\n"
	"enum large large; enum high high; struct shared { int one; int two; } shared;\n"
	"#define M(s, m) printf(\"M %s %s %zu %zu\\n\", #s, #m, offsetof(struct s, m),\\\n"
	"  sizeof(((struct s *)0)->m))\n"
	"#define B(s, m) do { struct s v; memset(&v, 0, sizeof(v)); v.m = -1; bits(#s, #m, &v,\\\n"
	"  sizeof(v)); } while (0)\n"
	"static void bits(const char *s, const char *m, const void *v, size_t n) {\n"
	"  const u8 *p = v; size_t first = 0, count = 0;\n"
	"  for (size_t i = n * 8; i--;) if (p[i / 8] >> i % 8 & 1) { first = i; count++; }\n"
	"  printf(\"B %s %s %zu %zu\\n\", s, m, first, count);\n"
	"}\n"
	"#define S(s) printf(\"S %s - %zu 0\\n\", #s, sizeof(struct s))\n"
	"#define E(e, n) printf(\"E %s %s %lld 0\\n\", #e, #n, (long long)n)\n"
	"int main(void) {\n"
	"  M(outer, first); M(outer, in); M(outer, in.b); M(outer, many); M(outer, grid);\n"
	"  M(outer, hidden); M(outer, whole); M(outer, low); M(outer, high); M(outer, bytes);\n"
	"  M(outer, call); M(outer, next); M(outer, colour); M(outer, real); M(outer, after);\n"
	"  M(outer, named); M(outer, named.deeper); M(inner, b); M(tight, a); M(tight, b);\n"
	"  B(outer, jited); B(outer, gpl); B(outer, mid); B(outer, wide); B(outer, huge);\n"
	"  B(outer, neg); B(tight, c); B(tight, d); B(tight, e);\n"
	"  S(outer); S(inner); S(tight); S(shared); M(shared, two);\n"
	"  E(colour, RED); E(colour, GREEN); E(colour, BLUE); E(sign, MINUS); E(sign, NOUGHT);\n"
	"  E(sign, PLUS); E(large, LARGE); E(large, LARGER); E(high, HIGH);\n"
	"  printf(\"H inner inner_held %zu %zu\\n\", (size_t)((char *)&core.inner_held -\n"
	"    (char *)&core), sizeof(core.inner_held));\n"
	"  return core.seq;\n"
	"}\n";

/* Another unit, which only declares one of them, has others itself, and a like name. */
static const char other[] = "struct inner; struct shared { int one; int two; }; struct shared b;\n"
			    "struct inner *declared; struct inner_not { int x; } nothing;\n";

struct truth {
	char kind, type[32], name[32];
	long long a, b;
};

struct built {
	char dir[64], path[96];
	struct truth truths[64];
	size_t n;
};

static void write_text(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void remove_built(const struct built *b)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", b->dir);
	assert_int_equal(system(cmd), 0);
}

/* False: the compiler or an option of it is not here. */
static bool build(struct built *b, const char *compiler, const char *flags)
{
	char cmd[600], line[200];
	FILE *run;

	*b = (struct built){.dir = "/tmp/ktstr-dwarf-XXXXXX"};
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/program", b->dir);
	write_text(b->dir, "a.c", source);
	write_text(b->dir, "b.c", other);
	snprintf(cmd, sizeof(cmd), "%s -w -O1 %s -o %s %s/a.c %s/b.c >%s/log 2>&1", compiler, flags,
		 b->path, b->dir, b->dir, b->dir);
	if (system(cmd)) {
		remove_built(b);
		return false;
	}
	run = popen(b->path, "r");
	assert_non_null(run);
	while (fgets(line, sizeof(line), run)) {
		struct truth *t = &b->truths[b->n++];

		assert_int_equal(sscanf(line, "%c %31s %31s %lld %lld", &t->kind, t->type, t->name,
					&t->a, &t->b),
				 5);
	}
	assert_int_equal(pclose(run), 0);
	assert_true(b->n > 40);
	return true;
}

struct opened {
	struct image_file file;
	struct image *image;
	struct types *types;
};

static void open_dwarf(const char *path, struct opened *o)
{
	struct kt_error *err;

	*o = (struct opened){0};
	assert_null(image_file_open(path, &o->file));
	assert_null(image_open(o->file.data, o->file.len, &o->image));
	err = types_from_dwarf(o->image, &o->types);
	if (err)
		fail_msg("%s: %s", path, kt_error_message(err));
}

static void close_dwarf(struct opened *o)
{
	types_destroy(o->types);
	image_close(o->image);
	image_file_close(&o->file);
}

static struct kfacts_want want_of(const struct truth *t)
{
	static const enum kfacts_kind kinds[] = {['M'] = KFACTS_MEMBER,
						 ['B'] = KFACTS_MEMBER,
						 ['S'] = KFACTS_SIZE,
						 ['E'] = KFACTS_ENUM,
						 ['H'] = KFACTS_HELD};

	return (struct kfacts_want){.kind = kinds[(int)t->kind],
				    .name = t->type,
				    .path = t->kind == 'S' || t->kind == 'E' ? NULL : t->name,
				    .optional = true};
}

static void check_answer(const struct truth *t, const struct kfacts_answer *a, const char *how)
{
	bool good = a->present;

	switch (t->kind) {
	case 'B':
		good &= a->member.offset * 8 + a->member.bit_shift == t->a &&
			a->member.bit_size == t->b;
		break;
	case 'S': good &= a->value == (uint64_t)t->a; break;
	case 'E':
		good = false;
		for (uint32_t i = 0; i < a->n_enums; i++)
			good |= !strcmp(a->enums[i].name, t->name) && a->enums[i].value == t->a;
		break;
	default: good &= a->member.offset == t->a && a->member.size == t->b && !a->member.bit_size;
	}
	if (!good)
		fail_msg("%s: %c %s.%s is %lld %lld, not %u+%u..%u (%u bytes), %d", how, t->kind,
			 t->type, t->name, t->a, t->b, a->member.offset, a->member.bit_shift,
			 a->member.bit_size, a->member.size, a->present);
}

static void check_built(const struct built *b, const char *how)
{
	struct kfacts_want wants[64];
	struct kfacts_answer answers[64] = {0};
	struct opened o;
	struct kt_error *err;

	for (size_t i = 0; i < b->n; i++)
		wants[i] = want_of(&b->truths[i]);
	wants[b->n] = (struct kfacts_want){KFACTS_SIZE, "opaque", NULL, true};
	wants[b->n + 1] = (struct kfacts_want){KFACTS_MEMBER, "outer", "no_such", true};
	open_dwarf(b->path, &o);
	err = types_resolve(o.types, wants, b->n + 2, answers);
	if (err)
		fail_msg("%s: %s", how, kt_error_message(err));
	for (size_t i = 0; i < b->n; i++)
		check_answer(&b->truths[i], &answers[i], how);
	assert_false(answers[b->n].present);
	assert_false(answers[b->n + 1].present);
	for (size_t i = 0; i < b->n + 2; i++)
		kfacts_answer_deinit(&answers[i]);
	close_dwarf(&o);
	print_message("# %s: %zu answers\n", how, b->n);
}

static void test_compilers(void **state)
{
	static const struct {
		const char *compiler, *flags;
	} ways[] = {
		{"gcc", "-gdwarf-4"},
		{"gcc", "-gdwarf-5"},
		{"gcc", "-gdwarf-3 -gstrict-dwarf"},
		{"gcc", "-gdwarf-4 -gz=zlib"},
		{"gcc", "-gdwarf-5 -gz=zlib"},
		{"gcc", "-gdwarf-5 -gz=zstd"},
		{"gcc", "-gdwarf-5 -fno-merge-debug-strings"},
		{"gcc", "-gdwarf-5 -gdwarf64"},
		{"clang", "-gdwarf-4"},
		{"clang", "-gdwarf-5"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		char how[100];
		struct built b;

		snprintf(how, sizeof(how), "%s %s", ways[i].compiler, ways[i].flags);
		if (!build(&b, ways[i].compiler, ways[i].flags)) {
			print_message("# SKIP: no %s here\n", how);
			continue;
		}
		check_built(&b, how);
		remove_built(&b);
	}
}

static void refuse(const struct built *b, const char *command, const char *words)
{
	struct image_file file = {0};
	struct image *image = NULL;
	struct types *types = NULL;
	struct kt_error *err;
	char cmd[400];

	snprintf(cmd, sizeof(cmd), "cd %s && %s >log 2>&1", b->dir, command);
	if (system(cmd)) {
		print_message("# SKIP: %s\n", command);
		return;
	}
	snprintf(cmd, sizeof(cmd), "%s/refused", b->dir);
	assert_null(image_file_open(cmd, &file));
	assert_null(image_open(file.data, file.len, &image));
	err = types_from_dwarf(image, &types);
	assert_non_null(err);
	if (!strstr(kt_error_message(err), words))
		fail_msg("\"%s\" is not in \"%s\"", words, kt_error_message(err));
	assert_non_null(kt_error_hint_text(err));
	kt_error_destroy(err);
	image_close(image);
	image_file_close(&file);
}

static void test_refusals(void **state)
{
	struct built b;

	(void)state;
	if (!build(&b, "gcc", "-gdwarf-5")) {
		print_message("# SKIP: no gcc\n");
		skip();
	}
	refuse(&b, "strip -g -o refused program", "neither .BTF");
	refuse(&b, "gcc -g -c -o refused a.c", "relocatable object (ET_REL)");
	refuse(&b,
	       "objcopy --only-keep-debug program x.debug && "
	       "objcopy -g --add-gnu-debuglink=x.debug program refused",
	       "in another file, x.debug (.gnu_debuglink)");
	remove_built(&b);
}

/* Every third byte of the debug information is wrong once: an answer, absent, or an error; no
 * crash. */
static void test_damage(void **state)
{
	static const struct kfacts_want wants[] = {
		{KFACTS_MEMBER, "outer", "named.deeper", true},
		{KFACTS_HELD, "inner", "inner_held", true},
		{KFACTS_ENUM, "colour", NULL, true},
		{KFACTS_SIZE, "shared", NULL, true},
	};
	struct image_section info, abbrev;
	struct built b;
	struct opened o;
	size_t errors = 0;

	(void)state;
	if (!build(&b, "gcc", "-gdwarf-5")) {
		print_message("# SKIP: no gcc\n");
		skip();
	}
	open_dwarf(b.path, &o);
	assert_true(image_section(o.image, ".debug_info", &info));
	assert_true(image_section(o.image, ".debug_abbrev", &abbrev));
	for (size_t i = 0; i < info.size + abbrev.size; i += 3) {
		_cleanup_free_ uint8_t *copy = malloc(o.file.len);
		const struct image_section *s = i < info.size ? &info : &abbrev;
		struct kfacts_answer answers[4] = {0};
		struct image *image = NULL;
		struct types *types = NULL;
		struct kt_error *err;

		memcpy(copy, o.file.data, o.file.len);
		copy[(size_t)(s->data - o.file.data) + (i < info.size ? i : i - info.size)] ^=
			(uint8_t)(1 << i % 8);
		assert_null(image_open(copy, o.file.len, &image));
		err = types_from_dwarf(image, &types);
		if (!err)
			err = types_resolve(types, wants, 4, answers);
		errors += err != NULL;
		kt_error_destroy(err);
		for (size_t k = 0; k < 4; k++)
			kfacts_answer_deinit(&answers[k]);
		types_destroy(types);
		image_close(image);
	}
	print_message("# %zu errors of %zu\n", errors, (size_t)(info.size + abbrev.size) / 3);
	assert_true(errors);
	close_dwarf(&o);
	remove_built(&b);
}

/* Big, odd, and those that we live on; every member of each is compared. */
static const char *const structs[] = {
	"bpf_prog",  "bpf_prog_aux", "bpf_verifier_env", "bpf_verifier_log",
	"idr",       "xarray",       "xa_node",          "task_struct",
	"mm_struct", "sk_buff",      "tcp_sock",         "btf",
	"rq",        "inode",        "net_device",       "page",
	"file",      "bpf_map",      "bpf_attach_type",  "bpf_func_id",
};

static void compare_layouts(const char *path, const struct types_layout *a,
			    const struct types_layout *b)
{
	if (a->size != b->size || a->n_members != b->n_members || a->n_enums != b->n_enums)
		fail_msg("%s: %s has %llu bytes and %zu members, %llu and %zu in DWARF", path,
			 a->name, (unsigned long long)a->size, a->n_members,
			 (unsigned long long)b->size, b->n_members);
	for (size_t i = 0; i < a->n_members; i++) {
		const struct types_member *x = &a->members[i], *y = &b->members[i];

		if (strcmp(x->name, y->name) || x->placed != y->placed || x->depth != y->depth ||
		    memcmp(&x->place, &y->place, sizeof(x->place)))
			fail_msg("%s: %s.%s (%s) and %s (%s) differ", path, a->name, x->name,
				 x->type, y->name, y->type);
		if (strcmp(x->type, y->type))
			print_message("# %s: %s.%s is \"%s\", in DWARF \"%s\"\n", path, a->name,
				      x->name, x->type, y->type);
	}
	for (uint32_t i = 0; i < a->n_enums; i++) {
		assert_string_equal(a->enums[i].name, b->enums[i].name);
		assert_int_equal(a->enums[i].value, b->enums[i].value);
	}
}

static void compare_wants(const char *path, struct types *btf, struct types *dwarf)
{
	_cleanup_(wants_deinit) struct wants wants = {0};
	struct kfacts_answer *a, *b;
	int64_t start;
	size_t n, present = 0;

	assert_true(inspect_wants(~0u, &wants));
	n = wants.v.len;
	a = calloc(n, sizeof(*a));
	b = calloc(n, sizeof(*b));
	assert_null(types_resolve(btf, wants.v.data, n, a));
	start = kt_now_ns();
	assert_null(types_resolve(dwarf, wants.v.data, n, b));
	print_message("# %s: DWARF took %lld ms\n", path,
		      (long long)((kt_now_ns() - start) / 1000000));
	for (size_t i = 0; i < n; i++) {
		const struct kfacts_want *w = &wants.v.data[i];

		if (a[i].present != b[i].present || a[i].value != b[i].value ||
		    memcmp(&a[i].member, &b[i].member, sizeof(a[i].member)) ||
		    a[i].n_enums != b[i].n_enums)
			fail_msg("%s: %s.%s differs", path, w->name, w->path ? w->path : "");
		for (uint32_t k = 0; k < a[i].n_enums; k++)
			assert_true(a[i].enums[k].value == b[i].enums[k].value &&
				    !strcmp(a[i].enums[k].name, b[i].enums[k].name));
		present += a[i].present;
		kfacts_answer_deinit(&a[i]);
		kfacts_answer_deinit(&b[i]);
	}
	assert_true(present > 20);
	free(a);
	free(b);
}

static void compare_kernel(const char *path)
{
	struct image_section section;
	struct types *btf = NULL;
	struct opened o;
	size_t members = 0;

	open_dwarf(path, &o);
	if (!image_section(o.image, ".BTF", &section)) {
		print_message("# SKIP: %s has no BTF\n", path);
		close_dwarf(&o);
		return;
	}
	assert_null(types_from_btf(section.data, section.size, 8, &btf));
	compare_wants(path, btf, o.types);
	for (size_t i = 0; i < sizeof(structs) / sizeof(*structs); i++) {
		struct types_layout a = {0}, b = {0};

		assert_null(types_describe(btf, structs[i], NULL, &a));
		assert_null(types_describe(o.types, structs[i], NULL, &b));
		compare_layouts(path, &a, &b);
		members += a.n_members + a.n_enums;
		types_layout_deinit(&a);
		types_layout_deinit(&b);
	}
	print_message("# %s: %zu members and enumerators\n", path, members);
	types_destroy(btf);
	close_dwarf(&o);
}

/* vm/fetch-kernel --dbg fetches them. Each takes some seconds: KTSTR_DWARF_ALL=1 takes them all. */
static void test_kernels(void **state)
{
	const char *env = getenv("KTSTR_KERNELS"), *xdg = getenv("XDG_CACHE_HOME");
	char pattern[400];
	glob_t found;

	(void)state;
	if (env)
		snprintf(pattern, sizeof(pattern), "%s/*/vmlinux", env);
	else if (xdg && *xdg)
		snprintf(pattern, sizeof(pattern), "%s/ktstr-gdb/kernels/*/vmlinux", xdg);
	else
		snprintf(pattern, sizeof(pattern), "%s/.cache/ktstr-gdb/kernels/*/vmlinux",
			 getenv("HOME"));
	if (glob(pattern, 0, NULL, &found)) {
		print_message("# SKIP: no vmlinux with DWARF in %s\n", pattern);
		skip();
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (strstr(found.gl_pathv[i], "cloud-amd64") || getenv("KTSTR_DWARF_ALL"))
			compare_kernel(found.gl_pathv[i]);
	globfree(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compilers),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_kernels),
	};

	return cmocka_run_group_tests_name("btf: DWARF", tests, NULL, NULL);
}
