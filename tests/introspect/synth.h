/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small synthetic kernel in text memory: an image with its proof, page tables, per-CPU
 * areas, a clock and, in prog_idr, BPF programs. Layouts are of no release, only as odd as
 * real ones are. Include in one file of a program: it brings the fake facts.
 *
 *	physical                 virtual
 *	0x0100_0000  the image   SYNTH_TEXT + kaslr        (2 MiB pages)
 *	0x0400_0000  the heap    SYNTH_DIRECT + physical   (a 1 GiB page)
 *	0x0800_0000  page tables
 */
#ifndef KT_TESTS_INTROSPECT_SYNTH_H
#define KT_TESTS_INTROSPECT_SYNTH_H

#include "introspect/bpf_prog.h"
#include "tests/memory/fake_facts.h"
#include "tests/memory/textmem.h"

#define SYNTH_TEXT       UINT64_C(0xffffffff81000000)
#define SYNTH_DIRECT     UINT64_C(0xffff888000000000)
#define SYNTH_IMAGE      UINT64_C(0x01000000)
#define SYNTH_HEAP       UINT64_C(0x04000000)
#define SYNTH_TABLES     UINT64_C(0x08000000)
#define SYNTH_IMAGE_SIZE UINT64_C(0x01000000)
#define SYNTH_KASLR      UINT64_C(0x0d400000)

#define SYNTH_BANNER "Linux version 6.99.0-synth (nobody@nowhere) #1 SMP"

/* Offsets in the image. */
#define SYNTH_IDR        0x0a00100
#define SYNTH_OFFSETS    0x0a01000
#define SYNTH_MASK       0x0a02000
#define SYNTH_TK         0x0a03000
#define SYNTH_BANNER_AT  0x0800040
#define SYNTH_NOTES      0x0700010
#define SYNTH_NOTES_SIZE 60

struct synth {
	struct textmem *mem;
	struct kfacts facts;
	uint64_t kaslr;
	gaddr_t heap; /* where the next object goes */
	gaddr_t leaf; /* the one node of prog_idr: IDs below 64 */
};

static inline void synth_facts_bpf(struct kfacts *f)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"idr", "idr_rt.xa_head", 8, 8},
		{"xa_node", "shift", 0, 1},
		{"xa_node", "slots", 40, 512},
		{"bpf_prog", "len", 8, 4},
		{"bpf_prog", "jited_len", 12, 4},
		{"bpf_prog", "type", 4, 4},
		{"bpf_prog", "tag", 16, 32},
		{"bpf_prog", "stats", 48, 8},
		{"bpf_prog", "aux", 56, 8},
		{"bpf_prog_aux", "refcnt.counter", 0, 8},
		{"bpf_prog_aux", "used_map_cnt", 8, 4},
		{"bpf_prog_aux", "func_cnt", 24, 4},
		{"bpf_prog_aux", "func_idx", 28, 4},
		{"bpf_prog_aux", "id", 40, 4},
		{"bpf_prog_aux", "verified_insns", 44, 4},
		{"bpf_prog_aux", "func", 104, 8},
		{"bpf_prog_aux", "used_maps", 112, 8},
		{"bpf_prog_aux", "user", 504, 8},
		{"bpf_prog_aux", "load_time", 512, 8},
		{"bpf_prog_aux", "name", 520, 16},
		{"bpf_prog_aux", "btf", 600, 8},
		{"bpf_prog_aux", "func_info", 608, 8},
		{"bpf_prog_aux", "func_info_cnt", 616, 4},
		{"bpf_map", "id", 20, 4},
		{"user_struct", "uid.val", 24, 4},
		{"bpf_prog_stats", "cnt", 0, 8},
		{"bpf_prog_stats", "nsecs", 8, 8},
		{"bpf_prog_stats", "misses", 16, 8},
		{"btf", "types", 0, 8},
		{"btf", "nr_types", 8, 4},
		{"btf", "strings", 16, 8},
		{"btf", "hdr.str_len", 44, 4},
		{"btf", "id", 64, 4},
		{"btf", "start_id", 68, 4},
		{"bpf_func_info", "type_id", 4, 4},
		{"btf_type", "name_off", 0, 4},
		{"timekeeper", "offs_real", 80, 8},
		{"timekeeper", "offs_boot", 88, 8},
		{"timekeeper", "timekeeper", 8, 280}, /* as held by tk_core */
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(f, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_set(f, (struct fake_fact){
			    .kind = KFACTS_MEMBER,
			    .name = "bpf_prog",
			    .path = "gpl_compatible",
			    .member = {.offset = 2, .size = 1, .bit_shift = 3, .bit_size = 1}});
	fake_size(f, "cpumask", 16);
	fake_size(f, "bpf_func_info", 8);
	fake_enum(f, "bpf_prog_type", "BPF_PROG_TYPE_SCHED_CLS", 3);
	fake_enum(f, "bpf_prog_type", "BPF_PROG_TYPE_TRACING", 26);
	fake_enum(f, "bpf_prog_type", "SOMETHING_ELSE", 27);
}

static inline void synth_facts(struct kfacts *f)
{
	static char release[] = "6.99.0-synth", banner[] = SYNTH_BANNER, arch[] = "x86_64";

	f->kernel = (struct kfacts_kernel){
		.release = release,
		.banner = banner,
		.arch = arch,
		.build_id_len = 20,
		.text_link = SYNTH_TEXT,
		.notes_link = SYNTH_TEXT + SYNTH_NOTES,
		.notes_size = SYNTH_NOTES_SIZE,
		.banner_link = SYNTH_TEXT + SYNTH_BANNER_AT,
	};
	for (uint8_t i = 0; i < 20; i++)
		f->kernel.build_id[i] = (uint8_t)(0xb0 + i);
	fake_symbol(f, "prog_idr", SYNTH_TEXT + SYNTH_IDR);
	fake_symbol(f, "__per_cpu_offset", SYNTH_TEXT + SYNTH_OFFSETS);
	fake_symbol(f, "__cpu_possible_mask", SYNTH_TEXT + SYNTH_MASK);
	fake_symbol(f, "tk_core", SYNTH_TEXT + SYNTH_TK);
	synth_facts_bpf(f);
}

static inline gaddr_t synth_va(gaddr_t physical)
{
	return SYNTH_DIRECT + physical;
}

/* Room on the heap, of zeros; its physical address. */
static inline gaddr_t synth_alloc(struct synth *s, size_t size)
{
	gaddr_t at = s->heap;

	textmem_put(s->mem, at, NULL, size);
	s->heap += (size + 15) & ~(size_t)15;
	return at;
}

/* An IDR at that offset in the image, with one node, whose slots are the IDs below 64: at 40. */
static inline gaddr_t synth_idr(struct synth *s, const char *symbol, uint32_t offset)
{
	gaddr_t leaf = synth_alloc(s, 40 + 512);

	fake_symbol(&s->facts, symbol, SYNTH_TEXT + offset);
	textmem_printf(s->mem, "@%#llx %#llx\n", (unsigned long long)SYNTH_IMAGE + offset + 8,
		       (unsigned long long)synth_va(leaf) | 2);
	return leaf;
}

/* The kernel's page table: the image, less what cleanup_highmap() drops, and all of memory. */
static inline void synth_map(struct synth *s, gaddr_t root, unsigned int levels)
{
	for (uint64_t at = 0; at < SYNTH_IMAGE_SIZE; at += 0x200000)
		textmem_map(s->mem, root, levels, SYNTH_TEXT + s->kaslr + at, SYNTH_IMAGE + at, 2);
	textmem_map(s->mem, root, levels, SYNTH_DIRECT, 0, 3);
}

/* An image with notes (another one first, then the build ID) and a banner; no vCPU yet. */
static inline void synth_init(struct synth *s, uint64_t kaslr)
{
	*s = (struct synth){.mem = textmem_create(), .kaslr = kaslr, .heap = SYNTH_HEAP};
	s->mem->next_table = SYNTH_TABLES + 0x10000;
	synth_facts(&s->facts);
	textmem_printf(s->mem, "@%#llx \"%s\" 0x0a/2\n",
		       (unsigned long long)SYNTH_IMAGE + SYNTH_BANNER_AT, SYNTH_BANNER);
	textmem_printf(s->mem, "@%#llx 4/4 5/4 6/4 \"Xen\" 0/1 \"12345\" +3\n",
		       (unsigned long long)SYNTH_IMAGE + SYNTH_NOTES);
	textmem_text(s->mem, "4/4 20/4 3/4 \"GNU\" 0/1");
	textmem_put(s->mem, s->mem->at, s->facts.kernel.build_id, 20);
	/* CPUs 0, 1 and 3 of 128. */
	textmem_printf(s->mem, "@%#llx 0xb 0\n", (unsigned long long)SYNTH_IMAGE + SYNTH_MASK);
	textmem_printf(s->mem, "@%#llx 0x1000 0x2000 0xdead000 0x4000\n",
		       (unsigned long long)SYNTH_IMAGE + SYNTH_OFFSETS);
	/* Real time 1700000000 s at boot, after 5 s of sleep. */
	textmem_printf(s->mem, "@%#llx 1700000000000000000 5000000000\n",
		       (unsigned long long)SYNTH_IMAGE + SYNTH_TK + 8 + 80);
	s->leaf = synth_alloc(s, 40 + 512);
	textmem_printf(s->mem, "@%#llx %#llx\n", (unsigned long long)SYNTH_IMAGE + SYNTH_IDR + 8,
		       (unsigned long long)synth_va(s->leaf) | 2);
}

static inline void synth_deinit(struct synth *s)
{
	textmem_destroy(s->mem);
}

/* A vCPU in the kernel, on its page table. */
static inline void synth_cpu(struct synth *s)
{
	synth_map(s, SYNTH_TABLES, 4);
	textmem_printf(s->mem, "cpu cr0=0x80050033 cr3=%#llx cr4=0x6f0 efer=0xd01 cs=0x10\n",
		       (unsigned long long)SYNTH_TABLES);
}

static inline struct kt_error *synth_guest(struct synth *s, struct guest **ret)
{
	struct source source = textmem_source(s->mem);

	return guest_create(&source, &s->facts, NULL, ret);
}

/* A program, and where its parts are (physical) for a test to break them. */
struct synth_prog {
	gaddr_t prog, aux, user, stats, maps, funcs, btf, types, type, strings, func_info;
};

/* At a member of an object, by the fake facts. */
static inline void synth_set(struct synth *s, const char *type, const char *path, gaddr_t at,
			     uint64_t value)
{
	const struct fake_fact *f = fake_find(&s->facts, KFACTS_MEMBER, type, path);

	if (!f)
		abort();
	textmem_put_uint(s->mem, at + f->member.offset, value,
			 f->member.size > 8 ? 8 : f->member.size);
}

/*
 * Program `id`: 15 instructions of sched_cls, name "prog_NN", 1000 + id verified, loaded
 * 60 s after boot by user 33; run 10, 20, 40 times on the three CPUs.
 */
static inline struct synth_prog synth_prog(struct synth *s, uint32_t id)
{
	struct synth_prog p = {.prog = synth_alloc(s, 64), .aux = synth_alloc(s, 640)};
	static const uint64_t offsets[] = {0x1000, 0x2000, 0x4000};
	char name[17];

	p.user = synth_alloc(s, 32);
	p.stats = synth_alloc(s, 0x5000);
	textmem_put_uint(s->mem, p.prog + 2, 0xf7 | 8, 1);
	synth_set(s, "bpf_prog", "type", p.prog, 3);
	synth_set(s, "bpf_prog", "len", p.prog, 15);
	synth_set(s, "bpf_prog", "jited_len", p.prog, 120);
	for (uint8_t i = 0; i < 32; i++)
		textmem_put_uint(s->mem, p.prog + 16 + i, (uint8_t)(0xa0 + i), 1);
	synth_set(s, "bpf_prog", "stats", p.prog, synth_va(p.stats));
	synth_set(s, "bpf_prog", "aux", p.prog, synth_va(p.aux));
	synth_set(s, "bpf_prog_aux", "refcnt.counter", p.aux, 1);
	synth_set(s, "bpf_prog_aux", "id", p.aux, id);
	synth_set(s, "bpf_prog_aux", "verified_insns", p.aux, 1000 + id);
	synth_set(s, "bpf_prog_aux", "user", p.aux, synth_va(p.user));
	synth_set(s, "bpf_prog_aux", "load_time", p.aux, UINT64_C(60000000000));
	snprintf(name, sizeof(name), "prog_%u", id);
	textmem_put(s->mem, p.aux + 520, name, strlen(name));
	synth_set(s, "user_struct", "uid.val", p.user, 33);
	for (unsigned int i = 0; i < 3; i++)
		textmem_printf(s->mem, "@%#llx %u %u %u\n",
			       (unsigned long long)(p.stats + offsets[i]), 10u << i, 100u << i,
			       1u << i);
	if (id < 64)
		textmem_put_uint(s->mem, s->leaf + 40 + 8 * id, synth_va(p.prog), 8);
	return p;
}

/* Maps with the IDs first, first + 1, ... */
static inline void synth_maps(struct synth *s, struct synth_prog *p, uint32_t n, uint32_t first)
{
	p->maps = synth_alloc(s, 8 * n);
	for (uint32_t i = 0; i < n; i++) {
		gaddr_t map = synth_alloc(s, 32);

		synth_set(s, "bpf_map", "id", map, first + i);
		textmem_put_uint(s->mem, p->maps + 8 * i, synth_va(map), 8);
	}
	synth_set(s, "bpf_prog_aux", "used_maps", p->aux, synth_va(p->maps));
	synth_set(s, "bpf_prog_aux", "used_map_cnt", p->aux, n);
}

/* Subprograms that are 100, 200, ... bytes long when jited. */
static inline void synth_funcs(struct synth *s, struct synth_prog *p, uint32_t n)
{
	p->funcs = synth_alloc(s, 8 * n);
	for (uint32_t i = 0; i < n; i++) {
		gaddr_t func = synth_alloc(s, 64);

		synth_set(s, "bpf_prog", "jited_len", func, 100 * (i + 1));
		textmem_put_uint(s->mem, p->funcs + 8 * i, synth_va(func), 8);
	}
	synth_set(s, "bpf_prog_aux", "func", p->aux, synth_va(p->funcs));
	synth_set(s, "bpf_prog_aux", "func_cnt", p->aux, n);
}

/* BTF with ID 77, in which func_info[0] is type 2, whose name is full. */
static inline void synth_btf(struct synth *s, struct synth_prog *p, const char *full)
{
	size_t len = strlen(full);

	p->btf = synth_alloc(s, 80);
	p->types = synth_alloc(s, 8 * 3);
	p->type = synth_alloc(s, 12);
	p->func_info = synth_alloc(s, 8);
	p->strings = synth_alloc(s, 5 + len + 1);
	textmem_put(s->mem, p->strings, "\0int\0", 5);
	textmem_put(s->mem, p->strings + 5, full, len);
	textmem_put_uint(s->mem, p->types + 16, synth_va(p->type), 8);
	synth_set(s, "btf_type", "name_off", p->type, 5);
	synth_set(s, "btf", "types", p->btf, synth_va(p->types));
	synth_set(s, "btf", "nr_types", p->btf, 3);
	synth_set(s, "btf", "strings", p->btf, synth_va(p->strings));
	synth_set(s, "btf", "hdr.str_len", p->btf, 5 + len + 1);
	synth_set(s, "btf", "id", p->btf, 77);
	synth_set(s, "bpf_func_info", "type_id", p->func_info, 2);
	synth_set(s, "bpf_prog_aux", "btf", p->aux, synth_va(p->btf));
	synth_set(s, "bpf_prog_aux", "func_info", p->aux, synth_va(p->func_info));
	synth_set(s, "bpf_prog_aux", "func_info_cnt", p->aux, 1);
	textmem_put(s->mem, p->aux + 520, NULL, 16);
	textmem_put(s->mem, p->aux + 520, full, len < 15 ? len : 15);
}

#endif
