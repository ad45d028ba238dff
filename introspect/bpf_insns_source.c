// SPDX-License-Identifier: LGPL-2.1-or-later
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "btf/proto.h"
#include "btf/types.h"
#include "introspect/bpf_insns_source.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* Records of the UAPI, of which the kernel keeps arrays. */
#define FUNC_INFO_SIZE 8  /* struct bpf_func_info: insn_off, type_id */
#define POINTER_SIZE   8  /* 64-bit kernels */
#define LINE_INFO_SIZE 16 /* struct bpf_line_info: insn_off, file_name_off, line_off, line_col */

/* BTF_MAX_SIZE of the kernel is 16 MiB, and of its strings another 16 MiB. */
#define MAX_BTF (UINT64_C(32) << 20)

enum { AUX_BTF, AUX_FUNC_INFO, AUX_FUNC_INFO_CNT, AUX_LINFO, AUX_NR_LINFO, AUX_JITED };
static const struct view_field aux_fields[] = {
	[AUX_BTF] = {.path = "btf"},
	[AUX_FUNC_INFO] = {.path = "func_info"},
	[AUX_FUNC_INFO_CNT] = {.path = "func_info_cnt"},
	[AUX_LINFO] = {.path = "linfo"},
	[AUX_NR_LINFO] = {.path = "nr_linfo"},
	[AUX_JITED] = {.path = "jited_linfo", .optional = true},
};
static const struct view_type aux_view = VIEW_TYPE("bpf_prog_aux", aux_fields);

enum { BTF_DATA, BTF_DATA_SIZE };
static const struct view_field btf_fields[] = {
	[BTF_DATA] = {.path = "data"},
	[BTF_DATA_SIZE] = {.path = "data_size"},
};
static const struct view_type btf_view = VIEW_TYPE("btf", btf_fields);

bool insns_source_wants(struct wants *wants)
{
	return view_wants(&aux_view, wants) && view_wants(&btf_view, wants);
}

void insns_source_deinit(struct insns_source *source)
{
	free(source->funcs);
	free(source->lines);
	free(source->jited);
	free(source->btf);
	*source = (struct insns_source){0};
}

/* Room for n records of the guest, which are in the batch then. NULL: no memory. */
static uint8_t *begin(struct gmem_batch *batch, gaddr_t addr, size_t n, size_t size)
{
	uint8_t *records = calloc(n + 1, size);

	if (records && gmem_batch_add(batch, addr, records, n * size))
		return records;
	free(records);
	return NULL;
}

/* The arrays, and where the BTF is. What is too much for the program is damaged, and left out. */
static struct kt_error *read_arrays(struct guest *guest, const struct view *view,
				    const uint8_t *aux, size_t n, struct insns_source *s)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	uint64_t n_funcs = view_uint(view, aux, AUX_FUNC_INFO_CNT);
	uint64_t n_lines = view_uint(view, aux, AUX_NR_LINFO);
	gaddr_t funcs = view_uint(view, aux, AUX_FUNC_INFO);
	gaddr_t lines = view_uint(view, aux, AUX_LINFO);
	struct kt_error *err;

	s->n_funcs = funcs && n_funcs <= n ? (size_t)n_funcs : 0;
	s->n_lines = lines && n_lines <= n ? (size_t)n_lines : 0;
	s->funcs = begin(&batch, funcs, s->n_funcs, FUNC_INFO_SIZE);
	s->lines = s->funcs ? begin(&batch, lines, s->n_lines, LINE_INFO_SIZE) : NULL;
	if (!s->lines)
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && gmem_batch_fault(&batch, 0, batch.reads.len))
		s->n_funcs = s->n_lines = 0;
	return err;
}

static struct kt_error *read_btf(struct guest *guest, gaddr_t addr, struct insns_source *s)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_(object_deinit) struct object object = {0};
	struct gmem memory = guest_memory(guest);
	struct kt_error *err;
	struct view view;
	uint64_t len;

	if (!view_try(&view, &btf_view, guest_facts(guest)))
		return NULL;
	err = object_read(&object, &view, addr, &memory);
	if (err || !object.known)
		return err;
	len = view_uint(&view, object.image, BTF_DATA_SIZE);
	if (!len || len > MAX_BTF)
		return NULL;
	s->btf = begin(&batch, view_uint(&view, object.image, BTF_DATA), (size_t)len, 1);
	if (!s->btf)
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && !gmem_batch_fault(&batch, 0, batch.reads.len))
		s->btf_len = (size_t)len;
	return err;
}

/* Without them there are no lines. A program that is interpreted has none. */
static struct kt_error *read_places(struct guest *guest, gaddr_t addr, struct insns_source *s)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	s->jited = begin(&batch, addr, s->n_lines, POINTER_SIZE);
	if (!s->jited)
		return kt_error_no_memory();
	err = addr ? guest_read(guest, &batch) : NULL;
	if (!err && (!addr || gmem_batch_fault(&batch, 0, batch.reads.len)))
		s->n_lines = 0;
	return err;
}

static struct kt_error *read_source(struct guest *guest, gaddr_t addr, size_t n, bool jited,
				    struct insns_source *ret)
{
	_cleanup_(insns_source_deinit) struct insns_source s = {0};
	_cleanup_(object_deinit) struct object aux = {0};
	struct gmem memory = guest_memory(guest);
	struct kt_error *err;
	struct view view;

	if (!view_try(&view, &aux_view, guest_facts(guest)))
		return NULL;
	s.big_endian = view.big_endian;
	err = object_read(&aux, &view, addr, &memory);
	if (!err && aux.known)
		err = read_arrays(guest, &view, aux.image, n, &s);
	if (!err && aux.known && jited)
		err = read_places(guest, view_uint(&view, aux.image, AUX_JITED), &s);
	if (!err && (s.n_funcs || s.n_lines))
		err = read_btf(guest, view_uint(&view, aux.image, AUX_BTF), &s);
	if (err)
		return err;
	*ret = s;
	s = (struct insns_source){0};
	return NULL;
}

struct kt_error *insns_source_read(struct guest *guest, gaddr_t addr, size_t n,
				   struct insns_source *ret)
{
	return read_source(guest, addr, n, false, ret);
}

struct kt_error *insns_source_read_jited(struct guest *guest, gaddr_t addr, size_t n,
					 struct insns_source *ret)
{
	return read_source(guest, addr, n, true, ret);
}

static uint32_t word(const struct insns_source *s, const uint8_t *record, unsigned int i)
{
	return (uint32_t)kt_load_uint(record + 4 * i, 4, s->big_endian);
}

/* A line's record as text; the strings are the caller's. False: no memory. */
static bool take_line(const struct insns_source *s, const struct btf *btf, const uint8_t *record,
		      struct insn_line *ret)
{
	const char *text = btf__name_by_offset(btf, word(s, record, 2));
	const char *file = btf__name_by_offset(btf, word(s, record, 1));

	*ret = (struct insn_line){
		.source = text ? strdup(text + strspn(text, " \t\n\v\f\r")) : NULL,
		.file = file ? strdup(file) : NULL,
		.line = word(s, record, 3) >> 10,
		.column = word(s, record, 3) & 0x3ff,
	};
	return (!text || ret->source) && (!file || ret->file);
}

/*
 * The line that bpftool shows before each instruction: of those not used up yet the last that
 * begins at it or before it, and each one shown uses up one (bpf_prog_linfo__lfind()). Where each
 * begins at an instruction of its own, in order, that is the line that begins there.
 */
static struct kt_error *put_lines(const struct insns_source *s, const struct btf *btf,
				  struct insns *ret)
{
	size_t used = 0, at = 0;
	bool skip = false;

	ret->lines = calloc(s->n_lines + 1, sizeof(*ret->lines));
	if (!ret->lines)
		return kt_error_no_memory();
	for (size_t i = 0; i < ret->n && used < s->n_lines; i++) {
		struct insn_line *line = &ret->lines[ret->n_lines];

		/* The second half of one has none. */
		skip = !skip && i && ret->all[i - 1].code == (BPF_LD | BPF_IMM | BPF_DW);
		if (skip)
			continue;
		if (word(s, s->lines + used * LINE_INFO_SIZE, 0) > i)
			continue;
		at = at > used ? at : used;
		while (at + 1 < s->n_lines && word(s, s->lines + (at + 1) * LINE_INFO_SIZE, 0) <= i)
			at++;
		ret->n_lines++;
		used++;
		if (!take_line(s, btf, s->lines + at * LINE_INFO_SIZE, line))
			return kt_error_no_memory();
		line->at = (uint32_t)i;
	}
	return NULL;
}

/* *ret stays NULL: the type makes no sense. */
static struct kt_error *take_proto(const struct insns_source *s, const struct btf *btf,
				   const uint8_t *record, char **ret)
{
	struct kt_buf proto = KT_BUF_INIT;

	if (btf_proto(btf, word(s, record, 1), &proto))
		return kt_buf_finish(&proto, ret);
	kt_buf_deinit(&proto);
	return NULL;
}

static struct kt_error *put_functions(const struct insns_source *s, const struct btf *btf,
				      struct insns *ret)
{
	ret->functions = calloc(s->n_funcs + 1, sizeof(*ret->functions));
	if (!ret->functions)
		return kt_error_no_memory();
	for (size_t i = 0; i < s->n_funcs; i++) {
		const uint8_t *record = s->funcs + i * FUNC_INFO_SIZE;
		struct insn_function *function = &ret->functions[ret->n_functions++];
		struct kt_error *err = take_proto(s, btf, record, &function->proto);

		if (err)
			return err;
		function->insn = word(s, record, 0);
	}
	return NULL;
}

static void btf_freep(struct btf **btf)
{
	btf__free(*btf);
}

/* *ret is NULL if there is none, or a damaged one. */
static struct kt_error *parse(const struct insns_source *s, struct btf **ret)
{
	struct kt_error *err;

	if (!s->btf_len)
		return NULL;
	err = types_parse_btf(s->btf, s->btf_len, 0, ret);
	if (!err || kt_error_code(err) == KT_ERROR_NO_MEMORY)
		return err;
	kt_error_destroy(err);
	*ret = NULL;
	return NULL;
}

struct kt_error *insns_source_finish(const struct insns_source *s, struct insns *ret)
{
	_cleanup_(btf_freep) struct btf *btf = NULL;
	struct kt_error *err = parse(s, &btf);

	if (err || !btf)
		return err;
	err = put_functions(s, btf, ret);
	return err ? err : put_lines(s, btf, ret);
}

/* The function that a line's code is in. Lines are in the order of functions, as a rule. */
static struct jited_func *func_at(struct jited *jited, uint64_t addr, size_t *hint)
{
	for (size_t n = 0; n < jited->funcs.len; n++, *hint = (*hint + 1) % jited->funcs.len) {
		struct jited_func *func = &jited->funcs.data[*hint];

		if (addr >= func->addr && addr - func->addr < func->len)
			return func;
	}
	return NULL;
}

struct kt_error *insns_source_finish_jited(const struct insns_source *s, struct jited *ret)
{
	_cleanup_(btf_freep) struct btf *btf = NULL;
	struct kt_error *err = parse(s, &btf);
	size_t hint = 0;

	if (!btf)
		return err;
	for (size_t i = 0; i < s->n_funcs && i < ret->funcs.len && !err; i++)
		err = take_proto(s, btf, s->funcs + i * FUNC_INFO_SIZE, &ret->funcs.data[i].proto);
	for (size_t i = 0; i < s->n_lines && !err; i++) {
		uint64_t addr = kt_load_uint(s->jited + i * POINTER_SIZE, POINTER_SIZE,
					     s->big_endian);
		struct jited_func *func = func_at(ret, addr, &hint);
		struct insn_line line;

		if (!func)
			continue;
		err = take_line(s, btf, s->lines + i * LINE_INFO_SIZE, &line)
			      ? NULL
			      : kt_error_no_memory();
		line.at = (uint32_t)(addr - func->addr);
		if (!err && !kt_vec_push(&func->lines, line))
			err = kt_error_no_memory();
		if (err) {
			free(line.source);
			free(line.file);
		}
	}
	return err;
}
