// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_prog_one.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define POINTER_SIZE 8 /* 64-bit kernels */

/* KSYM_NAME_LEN since 6.1, and with it the longest name of a function. */
#define FULL_NAME_MAX 512

static const struct view_field prog_fields[] = {
	[PROG_LEN] = {.path = "len"},
	[PROG_JITED_LEN] = {.path = "jited_len"},
	[PROG_TYPE] = {.path = "type"},
	/* In a union with a SHA-256 digest of 32 bytes since 6.18: the tag is its start. */
	[PROG_TAG] = {.path = "tag", .max = 8},
	[PROG_GPL] = {.path = "gpl_compatible"},
	[PROG_AUX] = {.path = "aux"},
	[PROG_STATS] = {.path = "stats", .optional = true}, /* in bpf_prog since 5.12 */
	[PROG_PAGES] = {.path = "pages", .optional = true},
	[PROG_ATTACH] = {.path = "expected_attach_type", .optional = true},
	[PROG_SLEEPABLE] = {.path = "sleepable", .optional = true}, /* in bpf_prog since 6.9 */
};
static const struct view_type prog_type = VIEW_TYPE("bpf_prog", prog_fields);

static const struct view_field aux_fields[] = {
	[AUX_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[AUX_ID] = {.path = "id"},
	[AUX_NAME] = {.path = "name", .max = 16},
	[AUX_VERIFIED_INSNS] = {.path = "verified_insns", .optional = true}, /* since 5.16 */
	[AUX_LOAD_TIME] = {.path = "load_time"},
	[AUX_USER] = {.path = "user", .optional = true},
	[AUX_USED_MAPS] = {.path = "used_maps"},
	[AUX_USED_MAP_CNT] = {.path = "used_map_cnt"},
	[AUX_FUNC] = {.path = "func"},
	[AUX_FUNC_CNT] = {.path = "func_cnt"},
	[AUX_BTF] = {.path = "btf", .optional = true},
	[AUX_FUNC_INFO] = {.path = "func_info", .optional = true},
	[AUX_FUNC_INFO_CNT] = {.path = "func_info_cnt", .optional = true},
	[AUX_FUNC_IDX] = {.path = "func_idx", .optional = true},
	[AUX_STATS] = {.path = "stats", .optional = true}, /* here up to 5.11 */
	[AUX_ATTACH_BTF_ID] = {.path = "attach_btf_id", .optional = true},
	[AUX_ATTACH_NAME] = {.path = "attach_func_name", .optional = true},
	[AUX_SLEEPABLE] = {.path = "sleepable", .optional = true},     /* here up to 6.8 */
	[AUX_XDP_FRAGS] = {.path = "xdp_has_frags", .optional = true}, /* since 5.18 */
	[AUX_OFFLOAD] = {.path = "offload", .optional = true},
	[AUX_DEV_BOUND] = {.path = "dev_bound", .optional = true}, /* since 6.3 */
	[AUX_OFFLOADED] = {.path = "offload_requested", .optional = true},
	[AUX_ATTACH_BTF] = {.path = "attach_btf", .optional = true}, /* since 5.11 */
};
static const struct view_type aux_type = VIEW_TYPE("bpf_prog_aux", aux_fields);

enum { BTF_ID, BTF_TYPES, BTF_NR_TYPES, BTF_STRINGS, BTF_STR_LEN, BTF_START_ID, BTF_NAME };
static const struct view_field btf_fields[] = {
	[BTF_ID] = {.path = "id"},
	[BTF_TYPES] = {.path = "types", .optional = true},
	[BTF_NR_TYPES] = {.path = "nr_types", .optional = true},
	[BTF_STRINGS] = {.path = "strings", .optional = true},
	[BTF_STR_LEN] = {.path = "hdr.str_len", .optional = true},
	[BTF_START_ID] = {.path = "start_id", .optional = true},    /* since 5.11 */
	[BTF_NAME] = {.path = "name", .max = 64, .optional = true}, /* likewise */
};
static const struct view_type btf_view_type = VIEW_TYPE("btf", btf_fields);

/*
 * Both positions of a ring buffer begin a page of their own, one behind the other (since 5.8). No
 * type has the size of a page itself.
 */
bool prog_page_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_MEMBER, "bpf_ringbuf", "consumer_pos", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_ringbuf", "producer_pos", true);
}

uint64_t prog_page_size(const struct kfacts *facts)
{
	struct kfacts_member consumer, producer;

	if (!kfacts_member(facts, "bpf_ringbuf", "consumer_pos", &consumer) ||
	    !kfacts_member(facts, "bpf_ringbuf", "producer_pos", &producer) ||
	    producer.offset <= consumer.offset)
		return 0;
	return producer.offset - consumer.offset;
}

static const struct view_field func_info_fields[] = {{.path = "type_id"}};
static const struct view_type func_info_type = VIEW_TYPE("bpf_func_info", func_info_fields);

static const struct view_field btf_type_fields[] = {{.path = "name_off"}};
static const struct view_type btf_type_type = VIEW_TYPE("btf_type", btf_type_fields);

bool prog_wants(struct wants *wants)
{
	return view_wants(&prog_type, wants) && view_wants(&aux_type, wants) &&
	       prog_page_wants(wants) && view_wants(&btf_view_type, wants) &&
	       view_wants(&func_info_type, wants) && view_wants(&btf_type_type, wants) &&
	       wants_add(wants, KFACTS_SIZE, "bpf_func_info", NULL, true);
}

struct kt_error *prog_check(const struct kfacts *facts)
{
	struct prog_views views;

	return prog_views_init(&views, facts);
}

struct kt_error *prog_views_init(struct prog_views *views, const struct kfacts *facts)
{
	struct kt_error *err = view_init(&views->prog, &prog_type, facts);

	if (!err)
		err = view_init(&views->aux, &aux_type, facts);
	if (err)
		return err;
	views->has_btf = view_try(&views->btf, &btf_view_type, facts);
	views->has_func_info = view_try(&views->func_info, &func_info_type, facts);
	views->has_btf_type = view_try(&views->btf_type, &btf_type_type, facts);
	views->big_endian = kfacts_kernel(facts)->big_endian;
	views->page_size = prog_page_size(facts);
	return NULL;
}

void prog_deinit(struct prog *prog)
{
	object_deinit(&prog->prog);
	object_deinit(&prog->aux);
	object_deinit(&prog->btf);
	free(prog->name.text);
	prog->name.text = NULL;
}

size_t prog_short_name(const struct prog_views *views, const struct prog *prog, const char **ret)
{
	size_t len = 0;
	const char *name = view_bytes(&views->aux, prog->aux.image, AUX_NAME, &len);

	*ret = name;
	return name ? strnlen(name, len < SHORT_NAME_MAX ? len : SHORT_NAME_MAX) : 0;
}

/* struct bpf_func_info of the UAPI: insn_off, type_id. The kernel keeps records of this size. */
#define FUNC_INFO_SIZE 8

static bool wants_full_name(const struct prog_views *views, const struct prog *prog)
{
	const uint8_t *aux = prog->aux.image;
	const char *name;

	return prog->btf.known && views->has_func_info && views->has_btf_type &&
	       view_uint(&views->aux, aux, AUX_FUNC_INFO) &&
	       view_uint(&views->aux, aux, AUX_FUNC_IDX) <
		       view_uint(&views->aux, aux, AUX_FUNC_INFO_CNT) &&
	       prog_short_name(views, prog, &name) == SHORT_NAME_MAX;
}

struct kt_error *prog_name_begin(const struct prog_views *views, struct prog *prog,
				 struct gmem_batch *batch)
{
	const struct view *aux = &views->aux;
	gaddr_t func_info = view_uint(aux, prog->aux.image, AUX_FUNC_INFO) +
			    view_uint(aux, prog->aux.image, AUX_FUNC_IDX) * FUNC_INFO_SIZE;
	struct kt_error *err;

	if (!views->has_btf)
		return NULL;
	err = object_begin(&prog->btf, &views->btf, view_uint(aux, prog->aux.image, AUX_BTF),
			   batch);
	if (err || !wants_full_name(views, prog))
		return err;
	prog->name.first = batch->reads.len;
	if (!view_read(&views->func_info, batch, func_info, prog->name.link))
		return kt_error_no_memory();
	prog->name.end = batch->reads.len;
	prog->name.known = true;
	return NULL;
}

/* Where the next link of the chain is; 0: nowhere, the name stays unknown. */
static gaddr_t next_link(const struct prog_views *views, const struct prog *prog, unsigned int step,
			 size_t *len)
{
	const uint8_t *btf = prog->btf.image, *link = prog->name.link;
	uint64_t id, start, offset, str_len;

	switch (step) {
	case 1:
		id = view_uint(&views->func_info, link, 0);
		start = view_uint(&views->btf, btf, BTF_START_ID);
		if (id < start || id - start >= view_uint(&views->btf, btf, BTF_NR_TYPES))
			return 0;
		*len = POINTER_SIZE;
		return view_uint(&views->btf, btf, BTF_TYPES) + (id - start) * POINTER_SIZE;
	case 2:
		*len = views->btf_type.size;
		return kt_load_uint(link, POINTER_SIZE, views->big_endian) +
		       views->btf_type.spans[0].offset;
	default:
		offset = view_uint(&views->btf_type, link, 0);
		str_len = view_uint(&views->btf, btf, BTF_STR_LEN);
		if (!offset || offset >= str_len)
			return 0;
		*len = str_len - offset < FULL_NAME_MAX ? (size_t)(str_len - offset)
							: FULL_NAME_MAX;
		return view_uint(&views->btf, btf, BTF_STRINGS) + offset;
	}
}

struct kt_error *prog_name_step(const struct prog_views *views, struct prog *prog,
				unsigned int step, const struct gmem_batch *done,
				struct gmem_batch *batch)
{
	void *buf = prog->name.link;
	size_t len = 0;
	gaddr_t addr;

	if (step == 1)
		object_end(&prog->btf, done);
	prog_name_end(prog, done);
	prog->name.known = prog->name.known && prog->btf.known;
	if (!prog->name.known)
		return NULL;
	addr = next_link(views, prog, step, &len);
	prog->name.known = addr && (step == NAME_STEPS || len <= sizeof(prog->name.link));
	if (!prog->name.known)
		return NULL;
	if (step == NAME_STEPS) {
		buf = prog->name.text = calloc(1, len + 1);
		prog->name.max = len;
		if (!buf)
			return kt_error_no_memory();
	}
	prog->name.first = batch->reads.len;
	if (!gmem_batch_add(batch, addr, buf, len))
		return kt_error_no_memory();
	prog->name.end = batch->reads.len;
	return NULL;
}

void prog_name_end(struct prog *prog, const struct gmem_batch *done)
{
	/* The pieces of a chain that broke earlier are those of an earlier batch. */
	prog->name.known = prog->name.known &&
			   !gmem_batch_fault(done, prog->name.first, prog->name.end);
}

struct kt_error *prog_name_read(const struct prog_views *views, struct prog *prog,
				const struct gmem *memory)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;
	const char *name;

	if (prog_short_name(views, prog, &name) < SHORT_NAME_MAX)
		return NULL;
	err = prog_name_begin(views, prog, &batch);
	for (unsigned int step = 1; !err && step <= NAME_STEPS + 1; step++) {
		_cleanup_(gmem_batch_deinit) struct gmem_batch done = batch;

		batch = (struct gmem_batch){0};
		err = gmem_batch_read(&done, memory->read, memory->source);
		if (!err && step <= NAME_STEPS)
			err = prog_name_step(views, prog, step, &done, &batch);
		else if (!err)
			prog_name_end(prog, &done);
	}
	return err;
}

struct kt_error *prog_full_name(const struct prog_views *views, const struct prog *prog, char **ret)
{
	const char *text = prog->name.text;
	const char *name;
	size_t len = prog_short_name(views, prog, &name);

	/* Without BTF the kernel itself knows no longer name. */
	if (len < SHORT_NAME_MAX || !view_uint(&views->aux, prog->aux.image, AUX_FUNC_INFO)) {
		*ret = strndup(name, len);
	} else if (prog->name.known && text[0] && strnlen(text, prog->name.max) < prog->name.max) {
		*ret = strdup(text);
	} else {
		*ret = NULL;
		return NULL;
	}
	return *ret ? NULL : kt_error_no_memory();
}

void prog_tag_text(const uint8_t *tag, size_t len, char ret[17])
{
	for (size_t i = 0; i < len && i < 8; i++)
		snprintf(ret + 2 * i, 3, "%02x", tag[i]);
}

uint64_t prog_btf_object_id(const struct prog_views *views, const struct object *btf)
{
	return view_uint(&views->btf, btf->image, BTF_ID);
}

size_t prog_btf_module(const struct prog_views *views, const struct object *btf, const char **ret)
{
	size_t len = 0;
	const char *name = view_bytes(&views->btf, btf->image, BTF_NAME, &len);

	len = name ? strnlen(name, len) : 0;
	*ret = name;
	return len == strlen("vmlinux") && !memcmp(name, "vmlinux", len) ? 0 : len;
}

struct program_number prog_btf_id(const struct prog_views *views, const struct prog *prog)
{
	if (views->has_btf && !view_uint(&views->aux, prog->aux.image, AUX_BTF))
		return (struct program_number){.known = true};
	if (prog->btf.known)
		return (struct program_number){true, prog_btf_object_id(views, &prog->btf)};
	return (struct program_number){0};
}
