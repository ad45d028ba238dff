// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "watch/lines.h"

/* Line records of a program, at most; one has 16 bytes. */
#define LINES_MAX 65536
/* Bytes of a file's name or of a line's text that are shown. */
#define TEXT_MAX 200

enum { AUX_LINFO, AUX_NR_LINFO, AUX_LINES_BTF };
static const struct view_field aux_fields[] = {
	[AUX_LINFO] = {.path = "linfo"},
	[AUX_NR_LINFO] = {.path = "nr_linfo"},
	[AUX_LINES_BTF] = {.path = "btf"},
};
static const struct view_type aux_type = VIEW_TYPE("bpf_prog_aux", aux_fields);

enum { BTF_STRINGS, BTF_STR_LEN };
static const struct view_field btf_fields[] = {
	[BTF_STRINGS] = {.path = "strings"},
	[BTF_STR_LEN] = {.path = "hdr.str_len"},
};
static const struct view_type btf_type = VIEW_TYPE("btf", btf_fields);

/* struct bpf_line_info of the UAPI: insn_off, file_name_off, line_off, line_col */
#define LINE_SIZE 16
enum { LINE_INSN = 0, LINE_FILE = 4, LINE_TEXT = 8, LINE_COL = 12 };

bool lines_wants(struct wants *wants)
{
	return view_wants(&aux_type, wants) && view_wants(&btf_type, wants);
}

void lines_views_init(struct lines_views *views, const struct kfacts *facts)
{
	views->known = view_try(&views->aux, &aux_type, facts) &&
		       view_try(&views->btf, &btf_type, facts);
	views->big_endian = kfacts_kernel(facts)->big_endian;
}

/* *ok_ret: all of it could be read. */
static struct kt_error *read_piece(struct guest *guest, gaddr_t addr, void *buf, size_t len,
				   bool *ok_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	*ok_ret = false;
	if (!addr || !len)
		return NULL;
	if (!gmem_batch_add(&batch, addr, buf, len))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	*ok_ret = !err && !batch.reads.data[0].fault;
	return err;
}

struct kt_error *lines_read(const struct lines_views *views, struct guest *guest, gaddr_t aux_addr,
			    struct lines *ret)
{
	_cleanup_(object_deinit) struct object aux = {0}, btf = {0};
	struct gmem memory = guest_memory(guest);
	struct kt_error *err;
	uint64_t n;
	bool ok;

	if (!views->known)
		return NULL;
	err = object_read(&aux, &views->aux, aux_addr, &memory);
	if (!err && aux.known)
		err = object_read(&btf, &views->btf,
				  view_uint(&views->aux, aux.image, AUX_LINES_BTF), &memory);
	if (err || !btf.known)
		return err;
	n = view_uint(&views->aux, aux.image, AUX_NR_LINFO);
	if (!n || n > LINES_MAX)
		return NULL;
	ret->strings = view_uint(&views->btf, btf.image, BTF_STRINGS);
	ret->strings_len = view_uint(&views->btf, btf.image, BTF_STR_LEN);
	ret->records = calloc((size_t)n, LINE_SIZE);
	if (!ret->records)
		return kt_error_no_memory();
	err = read_piece(guest, view_uint(&views->aux, aux.image, AUX_LINFO), ret->records,
			 (size_t)n * LINE_SIZE, &ok);
	ret->n = ok ? (size_t)n : 0;
	return err;
}

void lines_deinit(struct lines *lines)
{
	free(lines->records);
	*lines = (struct lines){0};
}

/* The last record that begins at or before the instruction; NULL: none. */
static const uint8_t *find_record(const struct lines *lines, uint64_t insn, bool big_endian)
{
	size_t low = 0, high = lines->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (kt_load_uint(lines->records + mid * LINE_SIZE + LINE_INSN, 4, big_endian) <=
		    insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? lines->records + (low - 1) * LINE_SIZE : NULL;
}

/* A string of the program's BTF, without leading blanks. */
static struct kt_error *read_string(struct guest *guest, const struct lines *lines, uint64_t offset,
				    char **ret)
{
	char text[TEXT_MAX + 1] = "";
	const char *start = text;
	struct kt_error *err;
	size_t len = TEXT_MAX;
	bool ok;

	if (offset >= lines->strings_len)
		return NULL;
	if (len > lines->strings_len - offset)
		len = (size_t)(lines->strings_len - offset);
	err = read_piece(guest, lines->strings + offset, text, len, &ok);
	if (err || !ok)
		return err;
	while (*start == ' ' || *start == '\t')
		start++;
	if (!*start)
		return NULL;
	*ret = strdup(start);
	return *ret ? NULL : kt_error_no_memory();
}

struct kt_error *lines_find(const struct lines_views *views, struct guest *guest,
			    const struct lines *lines, struct bpf_load_progress *out)
{
	bool big = views->big_endian;
	const uint8_t *record = find_record(lines, out->insn_idx.value, big);
	struct kt_error *err;

	if (!record)
		return NULL;
	err = read_string(guest, lines, kt_load_uint(record + LINE_FILE, 4, big), &out->file);
	if (!err)
		err = read_string(guest, lines, kt_load_uint(record + LINE_TEXT, 4, big),
				  &out->source);
	/* BPF_LINE_INFO_LINE_NUM() */
	out->line = (uint32_t)(kt_load_uint(record + LINE_COL, 4, big) >> 10);
	return err;
}
