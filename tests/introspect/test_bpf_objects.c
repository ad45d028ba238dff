// SPDX-License-Identifier: LGPL-2.1-or-later
/* Maps, links and instructions of a synthetic kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/inspect.h"
#include "tests/introspect/modules.h"
#include "tests/introspect/walk.h"

/* Offsets in the image, where synth.h has nothing. */
#define MAP_IDR   0x0b00100
#define LINK_IDR  0x0b00200
#define CPUS      3 /* that are possible in synth.h: 0, 1, 3 */
#define CALL_BASE UINT64_C(0xffffffff81200000)

static gaddr_t map_leaf, link_leaf;

static int setup_objects(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_map", "refcnt.counter", 8, 8},
		{"bpf_map", "map_type", 16, 4},
		{"bpf_map", "name", 32, 16},
		{"bpf_map", "map_flags", 48, 4},
		{"bpf_map", "key_size", 52, 4},
		{"bpf_map", "value_size", 56, 4},
		{"bpf_map", "max_entries", 60, 4},
		{"bpf_map", "frozen", 64, 1},
		{"bpf_map", "btf", 72, 8},
		{"bpf_array", "elem_size", 80, 4},
		{"bpf_array", "value", 96, 0},
		{"bpf_link", "refcnt.counter", 0, 8},
		{"bpf_link", "id", 8, 4},
		{"bpf_link", "type", 12, 4},
		{"bpf_link", "prog", 16, 8},
		{"bpf_raw_tp_link", "btp", 24, 8},
		{"bpf_raw_event_map", "tp", 0, 8},
		{"tracepoint", "name", 8, 8},
		{"bpf_tracing_link", "attach_type", 24, 4},
		{"bpf_tracing_link", "trampoline", 32, 8},
		{"bpf_trampoline", "key", 8, 8},
		{"bpf_prog", "insnsi", 64, 0},
		{"bpf_prog_aux", "stack_depth", 636, 4},
		{"bpf_prog", "bpf_func", 40, 8},
		{"bpf_prog_aux", "ksym.name", 620, 16},
	};

	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_ARRAY", 2);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_CGROUP_STORAGE_DEPRECATED", 19);
	fake_enum(&s.facts, "bpf_link_type", "BPF_LINK_TYPE_RAW_TRACEPOINT", 1);
	fake_enum(&s.facts, "bpf_link_type", "BPF_LINK_TYPE_TRACING", 2);
	fake_enum(&s.facts, "bpf_attach_type", "BPF_TRACE_FENTRY", 24);
	fake_symbol(&s.facts, "__bpf_call_base", CALL_BASE);
	fake_symbol(&s.facts, "bpf_ktime_get_ns", CALL_BASE + 0x1230);
	map_leaf = synth_idr(&s, "map_idr", MAP_IDR);
	link_leaf = synth_idr(&s, "link_idr", LINK_IDR);
	return 0;
}

static gaddr_t put_map(uint32_t id, uint32_t type)
{
	gaddr_t map = synth_alloc(&s, 128);

	synth_set(&s, "bpf_map", "refcnt.counter", map, 1);
	synth_set(&s, "bpf_map", "id", map, id);
	synth_set(&s, "bpf_map", "map_type", map, type);
	synth_set(&s, "bpf_map", "key_size", map, 4);
	synth_set(&s, "bpf_map", "value_size", map, UINT32_MAX);
	synth_set(&s, "bpf_map", "max_entries", map, 1);
	synth_set(&s, "bpf_map", "frozen", map, 1);
	textmem_put(s.mem, map + 32, "0123456789abcdef", 16); /* without a NUL */
	textmem_put_uint(s.mem, map_leaf + 40 + 8 * id, synth_va(map), 8);
	return map;
}

static gaddr_t put_link(uint32_t id, uint32_t type, gaddr_t prog)
{
	gaddr_t link = synth_alloc(&s, 64);

	synth_set(&s, "bpf_link", "refcnt.counter", link, 1);
	synth_set(&s, "bpf_link", "id", link, id);
	synth_set(&s, "bpf_link", "type", link, type);
	synth_set(&s, "bpf_link", "prog", link, synth_va(prog));
	textmem_put_uint(s.mem, link_leaf + 40 + 8 * id, synth_va(link), 8);
	return link;
}

static struct guest *guest(void)
{
	struct guest *ret;

	synth_cpu(&s);
	assert_null(synth_guest(&s, &ret));
	return ret;
}

static struct maps read_maps(void)
{
	struct guest *g = guest();
	struct bpf_maps *maps;
	struct maps out;

	assert_null(bpf_maps_read(g, &maps));
	guest_destroy(g);
	assert_null(bpf_maps_finish(maps, &s.facts, &out));
	bpf_maps_destroy(maps);
	return out;
}

static struct links read_links(void)
{
	struct guest *g = guest();
	struct bpf_links *links;
	struct links out;

	assert_null(bpf_links_read(g, &links));
	guest_destroy(g);
	assert_null(bpf_links_finish(links, &s.facts, &out));
	bpf_links_destroy(links);
	return out;
}

static struct kt_error *read_insns(uint32_t id, struct insns *ret)
{
	struct guest *g = guest();
	struct bpf_insns *insns;
	struct kt_error *err = bpf_insns_read(g, id, &insns);

	guest_destroy(g);
	if (err)
		return err;
	err = bpf_insns_finish(insns, &s.facts, ret);
	bpf_insns_destroy(insns);
	return err;
}

static void test_map(void **state)
{
	gaddr_t map = put_map(5, 19), btf = synth_alloc(&s, 80);
	struct maps maps;

	(void)state;
	put_map(6, 77); /* no such type */
	synth_set(&s, "bpf_map", "btf", map, synth_va(btf));
	synth_set(&s, "btf", "id", btf, 1234);
	maps = read_maps();
	assert_int_equal(maps.n, 2);
	assert_int_equal(maps.all[0].id, 5);
	assert_string_equal(maps.all[0].type, "cgroup_storage");
	assert_string_equal(maps.all[0].name, "0123456789abcde");
	assert_number(maps.all[0].bytes_value, UINT32_MAX);
	assert_number(maps.all[0].frozen, 1);
	assert_number(maps.all[0].btf_id, 1234);
	assert_null(maps.all[1].type);
	assert_number(maps.all[1].btf_id, 0);
	maps_deinit(&maps);
}

/* Dying ones are no maps any more; damaged ones are counted. */
static void test_maps_left_out(void **state)
{
	struct maps maps;

	(void)state;
	synth_set(&s, "bpf_map", "refcnt.counter", put_map(1, 2), 0);
	synth_set(&s, "bpf_map", "id", put_map(2, 2), 0);
	synth_set(&s, "bpf_map", "id", put_map(3, 2), 4);
	textmem_put_uint(s.mem, map_leaf + 40 + 8 * 9, NOWHERE, 8);
	put_map(10, 2);
	maps = read_maps();
	assert_int_equal(maps.n, 1);
	assert_int_equal(maps.all[0].id, 10);
	assert_int_equal(maps.n_unreadable, 2);
	maps_deinit(&maps);
}

static void test_links(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);
	gaddr_t raw = put_link(3, 1, p.prog), tracing = put_link(4, 2, p.prog);
	gaddr_t btp = synth_alloc(&s, 8), tp = synth_alloc(&s, 16), name = synth_alloc(&s, 16);
	gaddr_t trampoline = synth_alloc(&s, 16);
	struct links links;

	(void)state;
	textmem_put_uint(s.mem, raw + 24, synth_va(btp), 8);
	textmem_put_uint(s.mem, btp, synth_va(tp), 8);
	textmem_put_uint(s.mem, tp + 8, synth_va(name), 8);
	textmem_put(s.mem, name, "sched_switch", 12);
	textmem_put_uint(s.mem, tracing + 24, 24, 4);
	textmem_put_uint(s.mem, tracing + 32, synth_va(trampoline), 8);
	textmem_put_uint(s.mem, trampoline + 8, UINT64_C(9) << 32 | 0x80000000 | 1234, 8);
	links = read_links();
	assert_int_equal(links.n, 2);
	assert_string_equal(links.all[0].type, "raw_tracepoint");
	assert_string_equal(links.all[0].tp_name, "sched_switch");
	assert_string_equal(links.all[0].prog_type, "sched_cls");
	assert_number(links.all[0].prog_id, 7);
	assert_unknown(links.all[0].target_obj_id);
	assert_string_equal(links.all[1].attach_type, "trace_fentry");
	assert_null(links.all[1].tp_name);
	assert_number(links.all[1].target_obj_id, 9);
	assert_number(links.all[1].target_btf_id, 1234);
	links_deinit(&links);
}

/* The kernel's rule for a type is that of its own release. */
static void test_memory(void **state)
{
	gaddr_t array = put_map(1, 2), percpu = put_map(2, 6), hash = put_map(3, 1);
	gaddr_t wild = put_map(4, 28), unknown = put_map(5, 99), storage = put_map(6, 28);
	struct maps maps;

	(void)state;
	fake_size(&s.facts, "bpf_array", 96);
	fake_size(&s.facts, "bpf_htab", 128);
	fake_size(&s.facts, "bucket", 16);
	fake_size(&s.facts, "bpf_local_storage_map", 100);
	fake_size(&s.facts, "bpf_local_storage_map_bucket", 16);
	fake_member(&s.facts, "bpf_htab", "n_buckets", 80, 4);
	fake_member(&s.facts, "bpf_htab", "elem_size", 84, 4);
	fake_member(&s.facts, "bpf_htab", "extra_elems", 88, 8);
	fake_member(&s.facts, "bpf_htab", "use_percpu_counter", 96, 1);
	fake_member(&s.facts, "bpf_htab", "count.counter", 100, 4);
	fake_member(&s.facts, "bpf_local_storage_map", "bucket_log", 80, 4);
	synth_set(&s, "bpf_map", "value_size", percpu, 12);
	synth_set(&s, "bpf_map", "max_entries", percpu, 5);
	synth_set(&s, "bpf_array", "elem_size", array, 8);
	synth_set(&s, "bpf_array", "elem_size", percpu, 16);
	synth_set(&s, "bpf_map", "max_entries", hash, 10);
	synth_set(&s, "bpf_htab", "n_buckets", hash, 16);
	synth_set(&s, "bpf_htab", "elem_size", hash, 64);
	synth_set(&s, "bpf_htab", "extra_elems", hash, 1);
	synth_set(&s, "bpf_local_storage_map", "bucket_log", wild, 64);
	synth_set(&s, "bpf_local_storage_map", "bucket_log", storage, 3);
	(void)unknown;

	/* Up to 6.3: what keys and values take, in pages, whose size nothing tells yet. */
	maps = read_maps();
	assert_unknown(maps.all[0].bytes_memlock);
	maps_deinit(&maps);
	fake_member(&s.facts, "bpf_ringbuf", "consumer_pos", 4096, 8);
	fake_member(&s.facts, "bpf_ringbuf", "producer_pos", 8192, 8);
	maps = read_maps();
	assert_number(maps.all[1].bytes_memlock, 4096);
	assert_number(maps.all[4].bytes_memlock, UINT64_C(0x100001000));
	maps_deinit(&maps);

	fake_member(&s.facts, "bpf_map_ops", "map_mem_usage", 0, 8);
	maps = read_maps();
	assert_number(maps.all[0].bytes_memlock, 96 + 8);
	assert_number(maps.all[1].bytes_memlock, 96 + 5 * 8 + 5 * 16 * CPUS);
	assert_number(maps.all[2].bytes_memlock, 128 + 16 * 16 + (10 + CPUS) * 64 + 8 * CPUS);
	assert_unknown(maps.all[3].bytes_memlock);
	assert_unknown(maps.all[4].bytes_memlock);
	assert_number(maps.all[5].bytes_memlock, 100 + 8 * 16);
	maps_deinit(&maps);

	/* Without elements that wait: those that there are, unless each CPU counts its own. */
	synth_set(&s, "bpf_map", "map_flags", hash, 1);
	synth_set(&s, "bpf_htab", "count.counter", hash, 3);
	maps = read_maps();
	assert_number(maps.all[2].bytes_memlock, 128 + 16 * 16 + 3 * (64 + 8));
	maps_deinit(&maps);
	synth_set(&s, "bpf_htab", "use_percpu_counter", hash, 1);
	maps = read_maps();
	assert_unknown(maps.all[2].bytes_memlock);
	maps_deinit(&maps);

	/* Up to 5.10: pages. */
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_map_ops", "map_mem_usage");
	fake_member(&s.facts, "bpf_map", "memory.pages", 84, 4);
	synth_set(&s, "bpf_map", "memory.pages", array, 3);
	maps = read_maps();
	assert_number(maps.all[0].bytes_memlock, 3 * 4096);
	maps_deinit(&maps);
}

/* A chain that breaks leaves its value unknown, and no other. */
static void test_broken_chains(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);
	gaddr_t raw = put_link(3, 1, p.prog), lost = put_link(4, 2, p.prog), btp;
	struct links links;

	(void)state;
	btp = synth_alloc(&s, 8);
	textmem_put_uint(s.mem, raw + 24, synth_va(btp), 8); /* to a null pointer */
	textmem_put_uint(s.mem, lost + 16, NOWHERE, 8);
	textmem_put_uint(s.mem, lost + 24, 99, 4); /* no such attach type */
	textmem_put_uint(s.mem, lost + 32, NOWHERE, 8);
	links = read_links();
	assert_int_equal(links.n, 2);
	assert_number(links.all[0].prog_id, 7);
	assert_null(links.all[0].tp_name);
	assert_unknown(links.all[1].prog_id);
	assert_null(links.all[1].prog_type);
	assert_null(links.all[1].attach_type);
	assert_unknown(links.all[1].target_obj_id);
	links_deinit(&links);
}

/* A program whose instructions follow the structure, as the kernel has them. */
static struct synth_prog put_prog(uint32_t id, const uint64_t *insns, uint32_t n)
{
	struct synth_prog p = synth_prog(&s, id), copy = p;

	copy.prog = synth_alloc(&s, 64 + 8 * (size_t)n);
	synth_set(&s, "bpf_prog", "len", copy.prog, n);
	synth_set(&s, "bpf_prog", "aux", copy.prog, synth_va(p.aux));
	for (uint32_t i = 0; i < n; i++)
		textmem_put_uint(s.mem, copy.prog + 64 + 8 * i, insns[i], 8);
	textmem_put_uint(s.mem, s.leaf + 40 + 8 * id, synth_va(copy.prog), 8);
	return copy;
}

/* A map's address becomes its ID, that of its value an offset; the kernel's own codes go. */
static void test_insns(void **state)
{
	gaddr_t map = put_map(5, 2), pointers = synth_alloc(&s, 8);
	uint64_t addr = synth_va(map), value = addr + 96 + 8;
	const uint64_t raw[] = {
		0x0118 | addr << 32,
		addr & 0xffffffff00000000,
		0x0118 | value << 32,
		value & 0xffffffff00000000,
		0x0118 | (value + 8) << 32,
		value & 0xffffffff00000000,
		0x2139,                        /* LDX PROBE_MEM DW */
		0xf5,                          /* tail call */
		0x85 | UINT64_C(0x1230) << 32, /* a helper */
		0x85 | UINT64_C(0x1231) << 32, /* what nobody knows */
		0x95,
	};
	struct synth_prog p = put_prog(7, raw, sizeof(raw) / sizeof(raw[0]));
	struct insns insns;

	(void)state;
	synth_set(&s, "bpf_array", "elem_size", map, 16);
	textmem_put_uint(s.mem, pointers, addr, 8);
	synth_set(&s, "bpf_prog_aux", "used_maps", p.aux, synth_va(pointers));
	synth_set(&s, "bpf_prog_aux", "used_map_cnt", p.aux, 1);
	synth_set(&s, "bpf_prog_aux", "stack_depth", p.aux, 32);
	assert_null(read_insns(7, &insns));
	assert_int_equal(insns.n, sizeof(raw) / sizeof(raw[0]));
	assert_int_equal(insns.all[0].src, 1);
	assert_int_equal(insns.all[0].imm, 5);
	assert_int_equal(insns.all[1].imm, 0);
	assert_int_equal(insns.all[2].src, 2);
	assert_int_equal(insns.all[2].imm, 5);
	assert_int_equal(insns.all[3].imm, 8);
	assert_int_equal(insns.all[4].src, 0); /* behind the value */
	assert_int_equal(insns.all[6].code, 0x79);
	assert_int_equal(insns.all[6].dst, 1);
	assert_int_equal(insns.all[6].src, 2);
	assert_int_equal(insns.all[7].code, 0x85);
	assert_int_equal(insns.all[7].imm, 12);
	assert_string_equal(insns.all[8].callee, "bpf_ktime_get_ns");
	assert_null(insns.all[9].callee);
	assert_int_equal(insns.all[9].callee_addr, CALL_BASE + SYNTH_KASLR + 0x1231);
	assert_int_equal(insns.n_subprogs, 1);
	assert_number(insns.subprogs[0].stack_depth, 32);
	insns_deinit(&insns);
}

/* Kfuncs: the kernel's own, a module's, one that is in no module's list. */
static void test_kfuncs(void **state)
{
	const uint64_t raw[] = {
		0x2085 | UINT64_C(0x1230) << 32,
		0x2085 | UINT64_C(0x10000040) << 32,
		0x2085 | UINT64_C(0x10000044) << 32,
		0x2085 | UINT64_C(0x20000000) << 32,
		0x85 | UINT64_C(0x10000010) << 32, /* no kfunc */
		0x95,
	};
	struct insns insns;

	(void)state;
	setup_modules();
	put_module("mod", CALL_BASE + s.kaslr + 0x10000000);
	put_prog(7, raw, sizeof(raw) / sizeof(raw[0]));
	assert_null(read_insns(7, &insns));
	assert_string_equal(insns.all[0].callee, "bpf_ktime_get_ns");
	assert_string_equal(insns.all[1].callee, "second");
	assert_null(insns.all[2].callee);
	assert_null(insns.all[3].callee);
	assert_null(insns.all[4].callee);
	assert_int_equal(insns.all[3].callee_addr, CALL_BASE + s.kaslr + 0x20000000);
	insns_deinit(&insns);
}

/* A call has its way in off and the subprogram's number in imm, or (7.2) the other way round. */
static void test_subprogram(void **state)
{
	for (unsigned int swapped = 0; swapped < 2; swapped++) {
		const uint64_t call = 0x1085 | UINT64_C(2) << (swapped ? 32 : 16) |
				      UINT64_C(1) << (swapped ? 16 : 32);
		const uint64_t raw[] = {call, 0xb7, 0x95, 0x95};
		struct synth_prog p = put_prog(7, raw, 4);
		struct insns insns;
		gaddr_t sub, aux;

		synth_funcs(&s, &p, 2);
		sub = synth_alloc(&s, 64);
		aux = synth_alloc(&s, 640);
		synth_set(&s, "bpf_prog", "len", sub, 1);
		synth_set(&s, "bpf_prog_aux", "stack_depth", aux, 48);
		synth_set(&s, "bpf_prog", "aux", sub, synth_va(aux));
		synth_set(&s, "bpf_prog", "bpf_func", sub, 0x1234);
		textmem_put(s.mem, aux + 620, "bpf_prog_ab_sub", 16);
		textmem_put_uint(s.mem, p.funcs + 8, synth_va(sub), 8);
		sub = synth_alloc(&s, 64);
		synth_set(&s, "bpf_prog", "len", sub, 3);
		synth_set(&s, "bpf_prog", "aux", sub, synth_va(aux));
		textmem_put_uint(s.mem, p.funcs, synth_va(sub), 8);
		assert_null(read_insns(7, &insns));
		assert_int_equal(insns.all[0].off, 2);
		assert_int_equal(insns.all[0].imm, 1);
		assert_string_equal(insns.all[0].callee, "bpf_prog_ab_sub");
		assert_int_equal(insns.all[0].callee_addr, 0x1234);
		assert_int_equal(insns.n_subprogs, 2);
		assert_number(insns.subprogs[1].at, 3);
		assert_number(insns.subprogs[1].stack_depth, 48);
		insns_deinit(&insns);
	}
	(void)state;
}

static void refused(uint32_t id, enum kt_error_code code, const char *words)
{
	struct insns insns;
	struct kt_error *err = read_insns(id, &insns);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	assert_non_null(strstr(kt_error_message(err), words));
	kt_error_destroy(err);
}

static void test_insns_refused(void **state)
{
	const uint64_t raw[] = {0x95};
	struct synth_prog p = put_prog(7, raw, 1);
	struct kt_error *err;

	(void)state;
	refused(8, KT_ERROR_NOT_FOUND, "no program has the id 8");
	synth_set(&s, "bpf_prog", "len", p.prog, UINT32_MAX);
	refused(7, KT_ERROR_FORMAT, "claims 4294967295 instructions");
	synth_set(&s, "bpf_prog", "len", p.prog, 1);
	synth_set(&s, "bpf_prog_aux", "used_map_cnt", p.aux, 1);
	synth_set(&s, "bpf_prog_aux", "used_maps", p.aux, NOWHERE);
	refused(7, KT_ERROR_FAULT, "of program 7 are not mapped");
	synth_set(&s, "bpf_prog_aux", "refcnt.counter", p.aux, 0);
	refused(7, KT_ERROR_NOT_FOUND, "no program has the id 7");
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_prog", "insnsi");
	err = bpf_insns_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
}

/* A kernel without links (before 5.7), and one whose image hides the IDR. */
static void test_checks(void **state)
{
	struct kt_error *err;

	(void)state;
	assert_null(bpf_maps_check(&s.facts));
	fake_drop(&s.facts, KFACTS_SYMBOL, "link_idr", NULL);
	err = bpf_links_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
	fake_drop(&s.facts, KFACTS_MEMBER, "bpf_link", "id");
	err = bpf_links_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
}

#define TEST_OBJECTS(name) cmocka_unit_test_setup_teardown(name, setup_objects, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_OBJECTS(test_memory), TEST_OBJECTS(test_kfuncs),
		TEST_OBJECTS(test_map),    TEST_OBJECTS(test_maps_left_out),
		TEST_OBJECTS(test_links),  TEST_OBJECTS(test_broken_chains),
		TEST_OBJECTS(test_insns),  TEST_OBJECTS(test_insns_refused),
		TEST_OBJECTS(test_checks), TEST_OBJECTS(test_subprogram),
	};

	return cmocka_run_group_tests_name("bpf objects", tests, NULL, NULL);
}
