// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/inspect_apart.h"
#include "memory/reader_fence.h"
#include "util/apart.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* Of a result. A program takes some hundred bytes. */
#define RESULT_MAX ((size_t)256 << 20)
/* Bytes that a packed program takes at least. */
#define PROGRAM_MIN 90
/* For a child that hangs. Each wait of its own has a deadline, and there are some hundred. */
#define TIMEOUT_MS 600000

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- bytes: numbers are little-endian, strings end with a NUL --- */

/* The numbers of a program, in order. */
static const size_t program_numbers[] = {
	offsetof(struct program, verified_insns),
	offsetof(struct program, bytes_xlated),
	offsetof(struct program, bytes_jited),
	offsetof(struct program, loaded_at),
	offsetof(struct program, uid),
	offsetof(struct program, btf_id),
	offsetof(struct program, run_cnt),
	offsetof(struct program, run_time_ns),
	offsetof(struct program, recursion_misses),
	offsetof(struct program, bytes_memlock),
	offsetof(struct program, orphaned),
	offsetof(struct program, sleepable),
	offsetof(struct program, xdp_has_frags),
	offsetof(struct program, attach_btf_id),
	offsetof(struct program, attach_btf_obj_id),
};

/* Those of an inspection that have 64 bits, likewise. */
static const size_t inspection_numbers[] = {
	offsetof(struct inspection, kaslr_offset),
	offsetof(struct inspection, timing.connect_ns),
	offsetof(struct inspection, timing.locate_ns),
	offsetof(struct inspection, timing.read_ns),
	offsetof(struct inspection, timing.detach_ns),
	offsetof(struct inspection, timing.pause_ns),
	offsetof(struct inspection, timing.finish_ns),
	offsetof(struct inspection, timing.requests),
	offsetof(struct inspection, timing.bytes_read),
	offsetof(struct inspection, timing.round_trips),
};

static void pack_optional(struct kt_buf *out, const char *s)
{
	kt_buf_append_le(out, s != NULL, 1);
	if (s)
		kt_buf_appendz(out, s);
}

static void pack_program(const struct program *program, struct kt_buf *out)
{
	kt_buf_append_le(out, program->id, 4);
	pack_optional(out, program->type);
	kt_buf_appendz(out, program->name);
	pack_optional(out, program->full_name);
	kt_buf_appendz(out, program->tag);
	kt_buf_append_le(out, program->gpl_known, 1);
	kt_buf_append_le(out, program->gpl_compatible, 1);
	for (size_t i = 0; i < N_OF(program_numbers); i++) {
		struct program_number number;

		memcpy(&number, (const char *)program + program_numbers[i], sizeof(number));
		kt_buf_append_le(out, number.known, 1);
		kt_buf_append_le(out, number.value, 8);
	}
	kt_buf_append_le(out, program->map_ids_known, 1);
	kt_buf_append_le(out, program->n_map_ids, 4);
	for (size_t i = 0; i < program->n_map_ids; i++)
		kt_buf_append_le(out, program->map_ids[i], 4);
	pack_optional(out, program->expected_attach_type);
	pack_optional(out, program->attach_btf_name);
	pack_optional(out, program->attach_btf_module);
	pack_optional(out, program->metadata);
	kt_buf_append_le(out, program->prog_tags_known, 1);
	kt_buf_append_le(out, program->n_prog_tags, 4);
	for (size_t i = 0; i < program->n_prog_tags; i++)
		kt_buf_appendz(out, program->prog_tags[i]);
}

void inspection_pack(const struct inspection *inspection, struct kt_buf *out)
{
	const struct programs *programs = &inspection->programs;
	const struct scx_state *scx = &inspection->scx;

	kt_buf_append_le(out, inspection->objects, 4);
	kt_buf_append_le(out, inspection->was_paused, 1);
	for (size_t i = 0; i < N_OF(inspection_numbers); i++) {
		uint64_t number;

		memcpy(&number, (const char *)inspection + inspection_numbers[i], sizeof(number));
		kt_buf_append_le(out, number, 8);
	}
	kt_buf_append_le(out, scx->known, 1);
	kt_buf_append_le(out, scx->is_number, 1);
	kt_buf_appendz(out, scx->state);
	kt_buf_appendz(out, scx->ops);
	kt_buf_append_le(out, programs->n_unreadable, 8);
	kt_buf_append_le(out, programs->n, 4);
	for (size_t i = 0; i < programs->n; i++)
		pack_program(&programs->all[i], out);
}

static void unpack_string(struct kt_cursor *c, char *to, size_t size)
{
	const char *s = kt_cursor_string(c);

	if (s && strlen(s) < size)
		strcpy(to, s);
	else
		c->failed = true;
}

static char *unpack_optional(struct kt_cursor *c)
{
	const char *s = kt_cursor_u8(c) ? kt_cursor_string(c) : NULL;
	char *copy = s ? strdup(s) : NULL;

	c->failed |= s && !copy;
	return copy;
}

static void unpack_map_ids(struct kt_cursor *c, struct program *program)
{
	size_t n = kt_cursor_u32(c);

	if (c->failed || n > (c->len - c->pos) / 4)
		n = 0, c->failed = true;
	program->map_ids = n ? calloc(n, sizeof(*program->map_ids)) : NULL;
	c->failed |= n && !program->map_ids;
	for (size_t i = 0; i < n && !c->failed; i++)
		program->map_ids[i] = kt_cursor_u32(c);
	program->n_map_ids = c->failed ? 0 : n;
}

static void unpack_prog_tags(struct kt_cursor *c, struct program *program)
{
	size_t n = kt_cursor_u32(c);

	/* Each has a NUL at least. */
	if (c->failed || n > c->len - c->pos)
		n = 0, c->failed = true;
	program->prog_tags = n ? calloc(n, sizeof(*program->prog_tags)) : NULL;
	c->failed |= n && !program->prog_tags;
	for (size_t i = 0; i < n && !c->failed; i++)
		unpack_string(c, program->prog_tags[i], sizeof(*program->prog_tags));
	program->n_prog_tags = c->failed ? 0 : n;
}

static void unpack_program(struct kt_cursor *c, struct program *program)
{
	program->id = kt_cursor_u32(c);
	program->type = unpack_optional(c);
	unpack_string(c, program->name, sizeof(program->name));
	program->full_name = unpack_optional(c);
	unpack_string(c, program->tag, sizeof(program->tag));
	program->gpl_known = kt_cursor_u8(c) != 0;
	program->gpl_compatible = kt_cursor_u8(c) != 0;
	for (size_t i = 0; i < N_OF(program_numbers); i++) {
		struct program_number number = {0};

		number.known = kt_cursor_u8(c) != 0;
		number.value = kt_cursor_u64(c);
		memcpy((char *)program + program_numbers[i], &number, sizeof(number));
	}
	program->map_ids_known = kt_cursor_u8(c) != 0;
	unpack_map_ids(c, program);
	program->expected_attach_type = unpack_optional(c);
	program->attach_btf_name = unpack_optional(c);
	program->attach_btf_module = unpack_optional(c);
	program->metadata = unpack_optional(c);
	program->prog_tags_known = kt_cursor_u8(c) != 0;
	unpack_prog_tags(c, program);
}

static void unpack_programs(struct kt_cursor *c, struct programs *programs)
{
	size_t n;

	programs->n_unreadable = (size_t)kt_cursor_u64(c);
	n = kt_cursor_u32(c);
	/* Each has more bytes than PROGRAM_MIN. */
	if (c->failed || n > (c->len - c->pos) / PROGRAM_MIN)
		n = 0, c->failed = true;
	programs->all = n ? calloc(n, sizeof(*programs->all)) : NULL;
	c->failed |= n && !programs->all;
	for (; programs->n < n && !c->failed; programs->n++)
		unpack_program(c, &programs->all[programs->n]);
}

struct kt_error *inspection_unpack(const void *data, size_t len, struct inspection *ret)
{
	struct kt_cursor c = kt_cursor(data, len, false);
	struct inspection out = {.objects = kt_cursor_u32(&c)};

	out.was_paused = kt_cursor_u8(&c) != 0;
	for (size_t i = 0; i < N_OF(inspection_numbers); i++) {
		uint64_t number = kt_cursor_u64(&c);

		memcpy((char *)&out + inspection_numbers[i], &number, sizeof(number));
	}
	out.scx.known = kt_cursor_u8(&c) != 0;
	out.scx.is_number = kt_cursor_u8(&c) != 0;
	unpack_string(&c, out.scx.state, sizeof(out.scx.state));
	unpack_string(&c, out.scx.ops, sizeof(out.scx.ops));
	unpack_programs(&c, &out.programs);
	if (!c.failed && c.pos == c.len) {
		*ret = out;
		return NULL;
	}
	inspection_deinit(&out);
	return kt_error_new(KT_ERROR_PROTOCOL,
			    "the process that reads the guest has a result that makes no sense");
}

/* --- two processes --- */

struct work {
	const struct rsp_target *target;
	const struct rsp_options *options;
	const struct kfacts *facts;
	const struct inspect_options *what;
};

static struct kt_error *read_behind_fence(void *arg, struct kt_buf *result)
{
	const struct work *work = arg;
	struct inspection inspection;
	struct kt_error *err;

	reader_fence_put_up(work->target);
	err = inspect_guest(work->target, work->options, work->facts, work->what, &inspection);
	if (err)
		return err;
	inspection_pack(&inspection, result);
	inspection_deinit(&inspection);
	return NULL;
}

struct kt_error *inspect_guest_apart(const struct rsp_target *target,
				     const struct rsp_options *options, const struct kfacts *facts,
				     const struct inspect_options *what, struct inspection *ret)
{
	struct work work = {target, options, facts, what};
	const int keep[] = {options->cancel_fd, options->trace ? fileno(options->trace) : -1};
	const struct kt_apart apart = {
		.name = "ktstr-reader",
		.what = "the process that reads the guest",
		.work = read_behind_fence,
		.arg = &work,
		.keep = keep,
		.n_keep = N_OF(keep),
		.max = RESULT_MAX,
		.timeout_ms = TIMEOUT_MS,
		.cancel_fd = options->cancel_fd,
	};
	_cleanup_(kt_buf_deinit) struct kt_buf result = KT_BUF_INIT;
	struct kt_error *err = kt_apart(&apart, &result);

	return err ? err : inspection_unpack(result.data, result.len, ret);
}
