// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_insns.h"
#include "introspect/bpf_insns_source.h"
#include "introspect/module_symbols.h"
#include "memory/object.h"
#include "memory/xarray.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define POINTER_SIZE 8 /* 64-bit kernels */
#define INSN_SIZE    8 /* sizeof(struct bpf_insn) */

/* The kernel takes a million instructions, and the verifier may add to them. */
#define MAX_INSNS (4u << 20)
/* The kernel's own limits are 64 maps (MAX_USED_MAPS) and 256 subprograms; be generous. */
#define MAX_POINTEES 4096
/* KSYM_NAME_LEN since 6.1 */
#define NAME_MAX_LEN 512
/* Kfuncs of modules that one program calls; the kernel takes 256 (MAX_KFUNC_DESCS). */
#define MAX_KFUNCS 4096

/* Modes and codes that only the kernel uses (include/linux/filter.h). */
#define PROBE_MEM   0x20
#define PROBE_MEM32 0xa0
#define TAIL_CALL   (BPF_JMP | 0xf0)
#define CALL_ARGS   (BPF_JMP | 0xe0)

enum { PROG_LEN, PROG_AUX, PROG_FUNC };
static const struct view_field prog_fields[] = {
	[PROG_LEN] = {.path = "len"},
	[PROG_AUX] = {.path = "aux"},
	[PROG_FUNC] = {.path = "bpf_func"},
};
static const struct view_type prog_view = VIEW_TYPE("bpf_prog", prog_fields);

enum { AUX_ID, AUX_REFCNT, AUX_MAPS, AUX_MAP_CNT, AUX_FUNC, AUX_FUNC_CNT, AUX_KSYM, AUX_STACK };
static const struct view_field aux_fields[] = {
	[AUX_ID] = {.path = "id"},
	[AUX_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[AUX_MAPS] = {.path = "used_maps"},
	[AUX_MAP_CNT] = {.path = "used_map_cnt"},
	[AUX_FUNC] = {.path = "func"},
	[AUX_FUNC_CNT] = {.path = "func_cnt"},
	/* What kallsyms shows for the JIT's code: bpf_prog_TAG_NAME. Since 5.8. */
	[AUX_KSYM] = {.path = "ksym.name", .max = NAME_MAX_LEN, .optional = true},
	[AUX_STACK] = {.path = "stack_depth", .optional = true},
};
static const struct view_type aux_view = VIEW_TYPE("bpf_prog_aux", aux_fields);

enum { MAP_ID, MAP_TYPE, MAP_ENTRIES };
static const struct view_field map_fields[] = {
	[MAP_ID] = {.path = "id"},
	[MAP_TYPE] = {.path = "map_type"},
	[MAP_ENTRIES] = {.path = "max_entries"},
};
static const struct view_type map_view = VIEW_TYPE("bpf_map", map_fields);

/* A map of type array is a bpf_array, which begins with the bpf_map. */
static const struct view_field array_fields[] = {{.path = "elem_size"}};
static const struct view_type array_view = VIEW_TYPE("bpf_array", array_fields);

#define CALL_BASE "__bpf_call_base"

struct bpf_insns {
	uint32_t id;
	bool big_endian;
	int64_t kaslr_offset;
	struct view prog, aux, map, array;
	struct object prog_object, aux_object;
	size_t n, n_maps, n_funcs;
	uint8_t *raw;  /* n instructions */
	uint8_t *maps; /* pointers */
	uint8_t *map_images, *array_images;
	uint8_t *funcs; /* pointers */
	uint8_t *func_progs, *func_auxes;
	bool *func_known;
	int64_t *starts; /* of subprograms */
	bool has_array;
	struct kfacts_member array_value;
	struct insns_source source;
	struct module_symbol *kfuncs; /* of modules, by address, none twice */
	size_t n_kfuncs;
};

bool bpf_insns_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_FUNCTIONS, KFACTS_ALL, NULL, true) &&
	       bpf_idr_index_wants("prog_idr", wants) && view_wants(&prog_view, wants) &&
	       view_wants(&aux_view, wants) && view_wants(&map_view, wants) &&
	       view_wants(&array_view, wants) && insns_source_wants(wants) &&
	       module_symbols_wants(wants) &&
	       wants_add(wants, KFACTS_SYMBOL, CALL_BASE, NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_prog", "insnsi", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_array", "value", true);
}

struct kt_error *bpf_insns_check(const struct kfacts *facts)
{
	static const struct bpf_idr_type progs = {.symbol = "prog_idr", .view = &prog_view};
	struct kfacts_member insnsi;
	struct kt_error *err = bpf_idr_check(&progs, facts);

	if (!err && !kfacts_member(facts, "bpf_prog", "insnsi", &insnsi))
		err = kt_error_new(KT_ERROR_NOT_FOUND,
				   "this kernel's struct bpf_prog has no insnsi");
	return err;
}

static struct kt_error *unreadable(const struct bpf_insns *b, const char *what)
{
	return kt_error_new(KT_ERROR_FAULT, "%s of program %u are not mapped in the guest", what,
			    b->id);
}

static uint64_t aux_uint(const struct bpf_insns *b, unsigned int field)
{
	return view_uint(&b->aux, b->aux_object.image, field);
}

/* The program and its aux have to be readable. */
static struct kt_error *read_prog(struct guest *guest, struct bpf_insns *b, gaddr_t addr)
{
	struct object *prog = &b->prog_object, *aux = &b->aux_object;
	struct gmem memory = guest_memory(guest);
	struct kt_error *err = object_read(prog, &b->prog, addr, &memory);

	if (!err && prog->known)
		err = object_read(aux, &b->aux, view_uint(&b->prog, prog->image, PROG_AUX),
				  &memory);
	if (!err && !aux->known)
		err = unreadable(b, "the parts");
	if (err)
		return err;
	if (aux_uint(b, AUX_ID) != b->id ||
	    (view_has(&b->aux, AUX_REFCNT) && !aux_uint(b, AUX_REFCNT)))
		return bpf_idr_none(&bpf_idr_progs, b->id);
	b->n = (size_t)view_uint(&b->prog, prog->image, PROG_LEN);
	b->n_maps = (size_t)aux_uint(b, AUX_MAP_CNT);
	b->n_funcs = (size_t)aux_uint(b, AUX_FUNC_CNT);
	if (b->n > MAX_INSNS || b->n_maps > MAX_POINTEES || b->n_funcs > MAX_POINTEES)
		return kt_error_new(KT_ERROR_FORMAT,
				    "program %u claims %zu instructions, %zu maps, %zu subprograms",
				    b->id, b->n, b->n_maps, b->n_funcs);
	return NULL;
}

static struct kt_error *read_arrays(struct guest *guest, struct bpf_insns *b, gaddr_t addr)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kfacts_member insnsi;
	struct kt_error *err;

	if (!kfacts_member(guest_facts(guest), "bpf_prog", "insnsi", &insnsi))
		return bpf_insns_check(guest_facts(guest));
	b->raw = calloc(b->n + 1, INSN_SIZE);
	b->maps = calloc(b->n_maps + 1, POINTER_SIZE);
	b->funcs = calloc(b->n_funcs + 1, POINTER_SIZE);
	if (!b->raw || !b->maps || !b->funcs ||
	    !gmem_batch_add(&batch, addr + insnsi.offset, b->raw, b->n * INSN_SIZE) ||
	    !gmem_batch_add(&batch, aux_uint(b, AUX_MAPS), b->maps, b->n_maps * POINTER_SIZE) ||
	    !gmem_batch_add(&batch, aux_uint(b, AUX_FUNC), b->funcs, b->n_funcs * POINTER_SIZE))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && gmem_batch_fault(&batch, 0, batch.reads.len))
		err = unreadable(b, "the instructions");
	return err;
}

static gaddr_t pointer(const struct bpf_insns *b, const uint8_t *array, size_t i)
{
	return kt_load_uint(array + i * POINTER_SIZE, POINTER_SIZE, b->big_endian);
}

/* Instructions that use a map mean nothing without it: each map has to be readable. */
static struct kt_error *read_maps(struct guest *guest, struct bpf_insns *b)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0}, arrays = {0};
	struct kt_error *err;

	b->map_images = calloc(b->n_maps + 1, b->map.size);
	b->array_images = calloc(b->n_maps + 1, b->has_array ? b->array.size : 1);
	if (!b->map_images || !b->array_images)
		return kt_error_no_memory();
	for (size_t i = 0; i < b->n_maps; i++)
		if (!view_read(&b->map, &batch, pointer(b, b->maps, i),
			       b->map_images + i * b->map.size))
			return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && gmem_batch_fault(&batch, 0, batch.reads.len))
		err = unreadable(b, "the maps");
	for (size_t i = 0; i < b->n_maps && !err && b->has_array; i++)
		if (view_uint(&b->map, b->map_images + i * b->map.size, MAP_TYPE) ==
			    BPF_MAP_TYPE_ARRAY &&
		    !view_read(&b->array, &arrays, pointer(b, b->maps, i),
			       b->array_images + i * b->array.size))
			return kt_error_no_memory();
	if (!err)
		err = guest_read(guest, &arrays);
	if (!err && gmem_batch_fault(&arrays, 0, arrays.reads.len))
		err = unreadable(b, "the maps");
	return err;
}

/* Where each subprogram begins: they follow one another. -1: unknown. */
static void find_starts(struct bpf_insns *b)
{
	int64_t start = 0;

	for (size_t i = 0; i < b->n_funcs; i++) {
		b->starts[i] = start;
		if (start < 0 || !b->func_known[i])
			start = -1;
		else
			start += (int64_t)view_uint(&b->prog, b->func_progs + i * b->prog.size,
						    PROG_LEN);
	}
}

/* The subprograms are read for their names only: one that is unreadable stays unknown. */
static struct kt_error *read_funcs(struct guest *guest, struct bpf_insns *b)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0}, next = {0};
	struct kt_error *err;
	size_t at = 0;

	b->func_progs = calloc(b->n_funcs + 1, b->prog.size);
	b->func_auxes = calloc(b->n_funcs + 1, b->aux.size);
	b->func_known = calloc(b->n_funcs + 1, sizeof(*b->func_known));
	b->starts = calloc(b->n_funcs + 1, sizeof(*b->starts));
	if (!b->func_progs || !b->func_auxes || !b->func_known || !b->starts)
		return kt_error_no_memory();
	for (size_t i = 0; i < b->n_funcs; i++)
		if (!view_read(&b->prog, &batch, pointer(b, b->funcs, i),
			       b->func_progs + i * b->prog.size))
			return kt_error_no_memory();
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < b->n_funcs && !err; i++) {
		gaddr_t aux = view_uint(&b->prog, b->func_progs + i * b->prog.size, PROG_AUX);

		b->func_known[i] = !gmem_batch_fault(&batch, i * b->prog.n_spans,
						     (i + 1) * b->prog.n_spans);
		if (b->func_known[i] &&
		    !view_read(&b->aux, &next, aux, b->func_auxes + i * b->aux.size))
			return kt_error_no_memory();
	}
	if (!err)
		err = guest_read(guest, &next);
	for (size_t i = 0; i < b->n_funcs && !err; i++)
		if (b->func_known[i]) {
			b->func_known[i] = !gmem_batch_fault(&next, at, at + b->aux.n_spans);
			at += b->aux.n_spans;
		}
	if (!err)
		find_starts(b);
	return err;
}

static struct insn decode(const uint8_t *raw, bool big_endian)
{
	uint8_t low = raw[1] & 15, high = raw[1] >> 4;

	/* Bit fields: dst_reg comes first. */
	return (struct insn){
		.code = raw[0],
		.dst = big_endian ? high : low,
		.src = big_endian ? low : high,
		.off = (int16_t)kt_load_uint(raw + 2, 2, big_endian),
		.imm = (int32_t)kt_load_uint(raw + 4, 4, big_endian),
	};
}

/* On machines where the JIT reaches any address, a kfunc's imm is its type's ID. */
static bool has_address(const struct kfacts *facts, const struct insn *insn, gaddr_t *link_addr)
{
	if (insn->src == BPF_PSEUDO_KFUNC_CALL && strcmp(kfacts_kernel(facts)->arch, "x86_64") != 0)
		return false;
	if (!kfacts_symbol(facts, CALL_BASE, link_addr))
		return false;
	*link_addr += (uint64_t)(int64_t)insn->imm;
	return true;
}

static int compare_kfunc(const void *a, const void *b)
{
	const struct module_symbol *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* The names of those kfuncs that are none of the kernel's own functions. */
static struct kt_error *read_kfuncs(struct guest *guest, struct bpf_insns *b)
{
	const struct kfacts *facts = guest_facts(guest);
	KT_VEC(struct module_symbol) found = {0};
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct insn insn = decode(b->raw + i * INSN_SIZE, b->big_endian);
		struct module_symbol symbol = {0};
		gaddr_t addr;

		i += insn.code == (BPF_LD | BPF_IMM | BPF_DW);
		if (insn.code != (BPF_JMP | BPF_CALL) || insn.src != BPF_PSEUDO_KFUNC_CALL ||
		    !has_address(facts, &insn, &addr) || kfacts_function_at(facts, addr))
			continue;
		symbol.addr = addr + (uint64_t)b->kaslr_offset;
		if (found.len < MAX_KFUNCS && !kt_vec_push(&found, symbol)) {
			kt_vec_free(&found);
			return kt_error_no_memory();
		}
	}
	if (found.len)
		qsort(found.data, found.len, sizeof(*found.data), compare_kfunc);
	for (size_t i = 0; i < found.len; i++)
		if (!kept || found.data[kept - 1].addr != found.data[i].addr)
			found.data[kept++] = found.data[i];
	b->kfuncs = found.data;
	b->n_kfuncs = kept;
	return module_symbols_read(guest, b->kfuncs, b->n_kfuncs);
}

/* NULL: it is not known. */
static const char *kfunc_at(const struct bpf_insns *b, gaddr_t addr)
{
	const struct module_symbol key = {.addr = addr};
	const struct module_symbol *found = b->n_kfuncs ? bsearch(&key, b->kfuncs, b->n_kfuncs,
								  sizeof(key), compare_kfunc)
							: NULL;

	return found && found->start == addr ? found->name : NULL;
}

static struct kt_error *read_all(struct guest *guest, struct bpf_insns *b)
{
	const struct kfacts *facts = guest_facts(guest);
	struct kt_error *err = view_init(&b->prog, &prog_view, facts);
	gaddr_t addr = 0;

	if (!err)
		err = view_init(&b->aux, &aux_view, facts);
	if (!err)
		err = view_init(&b->map, &map_view, facts);
	if (!err)
		err = bpf_idr_find(guest, &bpf_idr_progs, b->id, &addr);
	if (!err)
		err = read_prog(guest, b, addr);
	if (!err)
		err = read_arrays(guest, b, addr);
	if (!err)
		err = read_maps(guest, b);
	if (!err)
		err = read_funcs(guest, b);
	if (!err)
		err = read_kfuncs(guest, b);
	return err ? err
		   : insns_source_read(guest, view_uint(&b->prog, b->prog_object.image, PROG_AUX),
				       b->n, &b->source);
}

struct kt_error *bpf_insns_read(struct guest *guest, uint32_t id, struct bpf_insns **ret)
{
	struct bpf_insns *b = calloc(1, sizeof(*b));
	struct kt_error *err;

	if (!b)
		return kt_error_no_memory();
	b->id = id;
	b->big_endian = kfacts_kernel(guest_facts(guest))->big_endian;
	b->kaslr_offset = guest_kaslr_offset(guest);
	b->has_array = view_try(&b->array, &array_view, guest_facts(guest)) &&
		       kfacts_member(guest_facts(guest), "bpf_array", "value", &b->array_value);
	err = read_all(guest, b);
	if (err) {
		bpf_insns_destroy(b);
		return err;
	}
	*ret = b;
	return NULL;
}

void bpf_insns_destroy(struct bpf_insns *b)
{
	if (!b)
		return;
	object_deinit(&b->prog_object);
	object_deinit(&b->aux_object);
	free(b->raw);
	free(b->maps);
	free(b->map_images);
	free(b->array_images);
	free(b->funcs);
	free(b->func_progs);
	free(b->func_auxes);
	free(b->func_known);
	free(b->starts);
	insns_source_deinit(&b->source);
	module_symbols_deinit(b->kfuncs, b->n_kfuncs);
	free(b->kfuncs);
	free(b);
}

/* As bpf_map_from_imm(): the instruction has the address of a map, or of its only value. */
static void show_map(const struct bpf_insns *b, struct insn *insn)
{
	uint64_t imm = (uint64_t)(uint32_t)insn[1].imm << 32 | (uint32_t)insn[0].imm;

	for (size_t i = 0; i < b->n_maps; i++) {
		const uint8_t *map = b->map_images + i * b->map.size;
		const uint8_t *array = b->array_images + i * b->array.size;
		gaddr_t addr = pointer(b, b->maps, i), value = addr + b->array_value.offset;
		bool is_map = imm == addr;

		/* array_map_direct_value_meta() */
		if (!is_map &&
		    (!b->has_array || view_uint(&b->map, map, MAP_TYPE) != BPF_MAP_TYPE_ARRAY ||
		     view_uint(&b->map, map, MAP_ENTRIES) != 1 || imm < value ||
		     imm - value >= view_uint(&b->array, array, 0)))
			continue;
		insn[0].src = is_map ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
		insn[0].imm = (int32_t)view_uint(&b->map, map, MAP_ID);
		insn[1].imm = is_map ? 0 : (int32_t)(imm - value);
		return;
	}
}

/* Undoes what the kernel rewrote for itself: a program may not have such codes. */
static void sanitize(struct insn *insn)
{
	uint8_t class = BPF_CLASS(insn->code), mode = BPF_MODE(insn->code);

	if (insn->code == TAIL_CALL)
		insn->imm = BPF_FUNC_tail_call;
	if (insn->code == TAIL_CALL || insn->code == CALL_ARGS)
		insn->code = BPF_JMP | BPF_CALL;
	else if ((class == BPF_LDX && mode == PROBE_MEM) ||
		 ((class == BPF_LDX || class == BPF_STX || class == BPF_ST) && mode == PROBE_MEM32))
		insn->code = (uint8_t)(class | BPF_SIZE(insn->code) | BPF_MEM);
}

/* The k-th subprogram begins at this instruction. */
static bool begins_at(const struct bpf_insns *b, int64_t k, int64_t at)
{
	return k >= 0 && (uint64_t)k < b->n_funcs && b->starts[k] == at && at >= 0;
}

/*
 * In a dump, off is the distance to a subprogram and imm its number. So it is in the program, too,
 * up to 6.12 at least; in 7.2 it is the other way round. The distance is the one that leads to the
 * beginning of that subprogram.
 */
static void show_distance(const struct bpf_insns *b, struct insn *insn, size_t at)
{
	int64_t next = (int64_t)at + 1;
	int16_t number = insn->off;

	if (begins_at(b, insn->imm, next + insn->off) || !begins_at(b, insn->off, next + insn->imm))
		return;
	insn->off = (int16_t)insn->imm;
	insn->imm = number;
}

static struct kt_error *show_subprogram(const struct bpf_insns *b, struct insn *insn)
{
	size_t i = (uint32_t)insn->imm, len = 0;
	const char *name;

	if (i >= b->n_funcs || !b->func_known[i])
		return NULL;
	insn->callee_addr = view_uint(&b->prog, b->func_progs + i * b->prog.size, PROG_FUNC);
	name = view_bytes(&b->aux, b->func_auxes + i * b->aux.size, AUX_KSYM, &len);
	if (!name || !name[0] || strnlen(name, len) == len)
		return NULL;
	insn->callee = strdup(name);
	return insn->callee ? NULL : kt_error_no_memory();
}

static struct kt_error *show_call(const struct bpf_insns *b, const struct kfacts *facts,
				  struct insn *insn, size_t at)
{
	const char *name;
	gaddr_t addr;

	if (insn->src == BPF_PSEUDO_CALL) {
		show_distance(b, insn, at);
		return show_subprogram(b, insn);
	}
	if (!has_address(facts, insn, &addr))
		return NULL;
	insn->callee_addr = addr + (uint64_t)b->kaslr_offset;
	name = kfacts_function_at(facts, addr);
	if (!name && insn->src == BPF_PSEUDO_KFUNC_CALL)
		name = kfunc_at(b, insn->callee_addr);
	insn->callee = name ? strdup(name) : NULL;
	return insn->callee || !name ? NULL : kt_error_no_memory();
}

static struct program_number stack_depth(const struct bpf_insns *b, const uint8_t *aux)
{
	return (struct program_number){view_has(&b->aux, AUX_STACK),
				       view_uint(&b->aux, aux, AUX_STACK)};
}

static struct kt_error *show_subprograms(const struct bpf_insns *b, struct insns *out)
{
	out->subprogs = calloc(b->n_funcs + 1, sizeof(*out->subprogs));
	if (!out->subprogs)
		return kt_error_no_memory();
	out->n_subprogs = b->n_funcs ? b->n_funcs : 1;
	for (size_t i = 0; i < b->n_funcs; i++) {
		if (b->starts[i] >= 0)
			out->subprogs[i].at = (struct program_number){true, (uint64_t)b->starts[i]};
		if (b->func_known[i])
			out->subprogs[i].stack_depth = stack_depth(b,
								   b->func_auxes + i * b->aux.size);
	}
	if (!b->n_funcs)
		out->subprogs[0] = (struct insn_subprog){{true, 0},
							 stack_depth(b, b->aux_object.image)};
	return NULL;
}

struct kt_error *bpf_insns_finish(const struct bpf_insns *b, const struct kfacts *facts,
				  struct insns *ret)
{
	_cleanup_(insns_deinit) struct insns out = {.id = b->id};
	struct kt_error *err = NULL;

	out.all = calloc(b->n + 1, sizeof(*out.all));
	if (!out.all)
		return kt_error_no_memory();
	for (size_t i = 0; i < b->n; i++)
		out.all[i] = decode(b->raw + i * INSN_SIZE, b->big_endian);
	out.n = b->n;
	for (size_t i = 0; i < out.n; i++) {
		struct insn *insn = &out.all[i];

		sanitize(insn);
		if (insn->code == (BPF_JMP | BPF_CALL))
			err = show_call(b, facts, insn, i);
		if (err)
			return err;
		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (i + 1 < out.n)
			show_map(b, insn);
		i++; /* it takes two places */
	}
	err = show_subprograms(b, &out);
	if (!err)
		err = insns_source_finish(&b->source, &out);
	if (err)
		return err;
	*ret = out;
	out = (struct insns){0};
	return NULL;
}
