// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_insns_source.h"
#include "introspect/bpf_jited.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define POINTER_SIZE 8 /* 64-bit kernels */

/* The kernel's limit is 256 subprograms; be generous. */
#define MAX_FUNCS 4096
/* A million instructions, with all that a JIT may make of each. */
#define MAX_CODE (64u << 20)
/* KSYM_NAME_LEN since 6.1 */
#define NAME_MAX_LEN 512

enum { PROG_AUX, PROG_FUNC, PROG_JITED_LEN, PROG_LEN };
static const struct view_field prog_fields[] = {
	[PROG_AUX] = {.path = "aux"},
	[PROG_FUNC] = {.path = "bpf_func"},
	[PROG_JITED_LEN] = {.path = "jited_len"},
	[PROG_LEN] = {.path = "len", .optional = true},
};
static const struct view_type prog_type = VIEW_TYPE("bpf_prog", prog_fields);

enum { AUX_ID, AUX_REFCNT, AUX_FUNC, AUX_FUNC_CNT, AUX_KSYM };
static const struct view_field aux_fields[] = {
	[AUX_ID] = {.path = "id"},
	[AUX_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[AUX_FUNC] = {.path = "func"},
	[AUX_FUNC_CNT] = {.path = "func_cnt"},
	/* What kallsyms shows for the JIT's code: bpf_prog_TAG_NAME. Since 5.8. */
	[AUX_KSYM] = {.path = "ksym.name", .max = NAME_MAX_LEN, .optional = true},
};
static const struct view_type aux_type = VIEW_TYPE("bpf_prog_aux", aux_fields);

/* A function: the main program's, or a subprogram's. */
struct part {
	struct object prog, aux;
};

struct reading {
	struct guest *guest;
	struct view prog, aux;
	uint32_t id;
	struct part main;
	KT_VEC(struct part) funcs; /* empty: the program is one function */
};

static void reading_deinit(struct reading *r)
{
	object_deinit(&r->main.prog);
	object_deinit(&r->main.aux);
	kt_vec_for_each (&r->funcs, part) {
		object_deinit(&part->prog);
		object_deinit(&part->aux);
	}
	kt_vec_free(&r->funcs);
}

bool bpf_jited_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_FUNCTIONS, KFACTS_ALL, NULL, true) &&
	       bpf_idr_index_wants("prog_idr", wants) && view_wants(&prog_type, wants) &&
	       view_wants(&aux_type, wants) && insns_source_wants(wants);
}

struct kt_error *bpf_jited_check(const struct kfacts *facts)
{
	static const struct bpf_idr_type progs = {.symbol = "prog_idr", .view = &prog_type};
	struct view aux;
	struct kt_error *err = bpf_idr_check(&progs, facts);

	return err ? err : view_init(&aux, &aux_type, facts);
}

static struct kt_error *unreadable(const struct reading *r, const char *what)
{
	return kt_error_new(KT_ERROR_FAULT, "%s of program %u is not mapped in the guest", what,
			    r->id);
}

static struct kt_error *read_main(struct reading *r)
{
	struct gmem memory = guest_memory(r->guest);
	struct part *main = &r->main;
	gaddr_t addr = 0;
	struct kt_error *err = bpf_idr_find(r->guest, &bpf_idr_progs, r->id, &addr);

	if (!err)
		err = object_read(&main->prog, &r->prog, addr, &memory);
	if (!err && main->prog.known)
		err = object_read(&main->aux, &r->aux,
				  view_uint(&r->prog, main->prog.image, PROG_AUX), &memory);
	if (err)
		return err;
	if (!main->aux.known)
		return unreadable(r, "a part");
	if (view_uint(&r->aux, main->aux.image, AUX_ID) != r->id ||
	    (view_has(&r->aux, AUX_REFCNT) && !view_uint(&r->aux, main->aux.image, AUX_REFCNT)))
		return bpf_idr_none(&bpf_idr_progs, r->id);
	return NULL;
}

/* The bpf_prog of each, then the bpf_prog_aux of each. */
static struct kt_error *read_parts(struct reading *r, const uint8_t *pointers)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch progs = {0}, auxes = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < r->funcs.len && !err; i++)
		err = object_begin(&r->funcs.data[i].prog, &r->prog,
				   kt_load_uint(pointers + i * POINTER_SIZE, POINTER_SIZE,
						r->prog.big_endian),
				   &progs);
	if (!err)
		err = guest_read(r->guest, &progs);
	for (size_t i = 0; i < r->funcs.len && !err; i++) {
		struct part *part = &r->funcs.data[i];

		object_end(&part->prog, &progs);
		if (!part->prog.known)
			return unreadable(r, "a subprogram");
		err = object_begin(&part->aux, &r->aux,
				   view_uint(&r->prog, part->prog.image, PROG_AUX), &auxes);
	}
	if (!err)
		err = guest_read(r->guest, &auxes);
	for (size_t i = 0; i < r->funcs.len && !err; i++)
		object_end(&r->funcs.data[i].aux, &auxes);
	return err;
}

static struct kt_error *read_funcs(struct reading *r)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *pointers = NULL;
	const uint8_t *aux = r->main.aux.image;
	uint64_t n = view_uint(&r->aux, aux, AUX_FUNC_CNT);
	struct kt_error *err;

	if (n > MAX_FUNCS)
		return kt_error_new(KT_ERROR_FORMAT, "program %u claims %llu subprograms", r->id,
				    (unsigned long long)n);
	if (!n)
		return NULL;
	pointers = calloc(n, POINTER_SIZE);
	if (!pointers || !kt_vec_reserve(&r->funcs, n) ||
	    !gmem_batch_add(&batch, view_uint(&r->aux, aux, AUX_FUNC), pointers, n * POINTER_SIZE))
		return kt_error_no_memory();
	memset(r->funcs.data, 0, n * sizeof(*r->funcs.data));
	r->funcs.len = n;
	err = guest_read(r->guest, &batch);
	if (!err && gmem_batch_fault(&batch, 0, batch.reads.len))
		err = unreadable(r, "the list of subprograms");
	return err ? err : read_parts(r, pointers);
}

/* NULL: the kernel keeps none, or it makes no sense. */
static struct kt_error *take_name(const struct reading *r, const struct part *part, char **ret)
{
	size_t len = 0;
	const char *name = part->aux.known ? view_bytes(&r->aux, part->aux.image, AUX_KSYM, &len)
					   : NULL;

	if (!name || !*name || strnlen(name, len) == len)
		return NULL;
	*ret = strdup(name);
	return *ret ? NULL : kt_error_no_memory();
}

/*
 * The reads of one function's code. *total: of all so far. The first function of several has a
 * bpf_prog of its own, but the name is the program's: jit_subprogs() in kernel/bpf/verifier.c.
 */
static struct kt_error *begin_code(const struct reading *r, const struct part *part,
				   struct jited *ret, struct gmem_batch *batch, uint64_t *total)
{
	const struct part *named = ret->funcs.len ? part : &r->main;
	struct jited_func func = {
		.addr = view_uint(&r->prog, part->prog.image, PROG_FUNC),
		.len = view_uint(&r->prog, part->prog.image, PROG_JITED_LEN),
	};
	struct kt_error *err;

	if (!func.len)
		return kt_error_hint(
			kt_error_new(KT_ERROR_NOT_FOUND, "program %u has no machine code", r->id),
			"the guest's kernel interprets it: see net.core.bpf_jit_enable there");
	*total += func.len;
	if (func.len > MAX_CODE || *total > MAX_CODE)
		return kt_error_new(KT_ERROR_FORMAT, "program %u claims %llu bytes of machine code",
				    r->id, (unsigned long long)*total);
	func.code = malloc(func.len);
	err = func.code ? take_name(r, named, &func.name) : kt_error_no_memory();
	if (!err && kt_vec_push(&ret->funcs, func))
		return gmem_batch_add(batch, func.addr, func.code, func.len) ? NULL
									     : kt_error_no_memory();
	free(func.code);
	free(func.name);
	return err ? err : kt_error_no_memory();
}

static struct kt_error *read_code(struct reading *r, struct jited *ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	const struct part *parts = r->funcs.len ? r->funcs.data : &r->main;
	size_t n = r->funcs.len ? r->funcs.len : 1;
	struct kt_error *err = NULL;
	uint64_t total = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = begin_code(r, &parts[i], ret, &batch, &total);
	if (!err)
		err = guest_read(r->guest, &batch);
	if (!err && gmem_batch_fault(&batch, 0, batch.reads.len))
		err = unreadable(r, "the machine code");
	return err;
}

struct kt_error *bpf_jited_read(struct guest *guest, uint32_t id, struct jited *ret)
{
	const struct kfacts *facts = guest_facts(guest);
	_cleanup_(reading_deinit) struct reading r = {.guest = guest, .id = id};
	_cleanup_(insns_source_deinit) struct insns_source source = {0};
	_cleanup_(jited_deinit) struct jited out = {.id = id};
	struct kt_error *err = view_init(&r.prog, &prog_type, facts);

	snprintf(out.arch, sizeof(out.arch), "%s", kfacts_kernel(facts)->arch);
	if (!err)
		err = view_init(&r.aux, &aux_type, facts);
	if (!err)
		err = read_main(&r);
	if (!err)
		err = read_funcs(&r);
	if (!err)
		err = read_code(&r, &out);
	if (!err)
		err = insns_source_read_jited(
			guest, view_uint(&r.prog, r.main.prog.image, PROG_AUX),
			(size_t)view_uint(&r.prog, r.main.prog.image, PROG_LEN), &source);
	if (!err)
		err = insns_source_finish_jited(&source, &out);
	if (err)
		return err;
	*ret = out;
	out = (struct jited){0};
	return NULL;
}

struct kt_error *bpf_jited_callee(const struct kfacts *facts, int64_t kaslr_offset, gaddr_t addr,
				  char **ret)
{
	const char *name = kfacts_function_at(facts, addr - (uint64_t)kaslr_offset);

	*ret = name ? strdup(name) : NULL;
	return *ret || !name ? NULL : kt_error_no_memory();
}
