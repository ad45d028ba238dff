// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_link_chain.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define POINTER_SIZE 8 /* 64-bit kernels */

struct link_chain {
	const struct link_row *row;
	const struct kfacts_member *members; /* of the row's hops */
	bool big_endian;
	size_t link; /* its index in the IDR */
	size_t hop;
	gaddr_t addr; /* of the structure that has the next member */
	uint64_t value;
	bool broken;  /* something could not be read */
	bool null;    /* a null pointer led no further */
	size_t piece; /* in the batch */
	size_t text;  /* in the strings */
	uint8_t raw[POINTER_SIZE];
};

static bool has_hop(const struct link_row *row, size_t hop)
{
	return hop < LINK_HOPS && row->hops[hop].type;
}

static bool is_text(const struct link_row *row)
{
	return row->value == VALUE_TEXT || row->value == VALUE_STRING;
}

bool link_rows_want(const struct link_rows *rows, struct wants *wants)
{
	for (size_t i = 0; i < rows->n; i++)
		for (size_t h = 0; has_hop(&rows->rows[i], h); h++)
			if (!wants_add(wants, KFACTS_MEMBER, rows->rows[i].hops[h].type,
				       rows->rows[i].hops[h].path, true))
				return false;
	return true;
}

void link_chains_deinit(struct link_chains *chains)
{
	for (size_t i = 0; i < chains->n_texts; i++)
		cstring_deinit(&chains->texts[i]);
	free(chains->texts);
	kt_vec_free(&chains->v);
	*chains = (struct link_chains){0};
}

static bool resolve(const struct kfacts *facts, const struct link_row *row,
		    struct kfacts_member *members)
{
	for (size_t h = 0; has_hop(row, h); h++) {
		const struct link_hop *hop = &row->hops[h];

		if (!kfacts_member(facts, hop->type, hop->path, &members[h]))
			return false;
		if (hop->how == HOP_FIRST)
			members[h].size = POINTER_SIZE; /* list_head.next is its first member */
		if (hop->how == HOP_READ && (members[h].size > POINTER_SIZE || !members[h].size))
			return false;
	}
	return true;
}

struct kt_error *link_layout_init(struct link_layout *ret, const struct link_rows *rows,
				  const struct kfacts *facts)
{
	*ret = (struct link_layout){
		.rows = rows,
		.members = calloc(rows->n, sizeof(*ret->members)),
		.has = calloc(rows->n, sizeof(*ret->has)),
		.big_endian = kfacts_kernel(facts)->big_endian,
	};
	if (!ret->members || !ret->has)
		return kt_error_no_memory();
	for (size_t i = 0; i < rows->n; i++)
		ret->has[i] = resolve(facts, &rows->rows[i], ret->members[i]);
	return NULL;
}

void link_layout_deinit(struct link_layout *layout)
{
	free(layout->members);
	free(layout->has);
	*layout = (struct link_layout){0};
}

static bool applies(const struct link_row *row, const char *type)
{
	static const char prefix[] = "BPF_LINK_TYPE_";

	if (!row->link)
		return true;
	if (type && strncmp(type, prefix, sizeof(prefix) - 1) == 0)
		type += sizeof(prefix) - 1;
	return type && strcmp(type, row->link) == 0;
}

static bool is_found(const struct link_chains *chains, size_t from, size_t at)
{
	for (size_t i = from; i < chains->v.len; i++)
		if (chains->v.data[i].row->at == at)
			return true;
	return false;
}

bool link_chains_begin(struct link_chains *chains, const struct link_layout *layout,
		       const char *type, size_t link, gaddr_t start)
{
	struct link_chain chain = {.big_endian = layout->big_endian, .link = link, .addr = start};
	size_t from = chains->v.len;

	for (size_t i = 0; i < layout->rows->n; i++) {
		const struct link_row *row = &layout->rows->rows[i];

		if (!layout->has[i] || !applies(row, type) || is_found(chains, from, row->at))
			continue;
		chain.row = row;
		chain.members = layout->members[i];
		if (!kt_vec_push(&chains->v, chain))
			return false;
	}
	return true;
}

static uint64_t load(const uint8_t *raw, const struct kfacts_member *member, bool big_endian)
{
	uint64_t value = kt_load_uint(raw, member->size, big_endian);

	if (member->bit_size && member->bit_size < 64)
		value = value >> member->bit_shift & ((UINT64_C(1) << member->bit_size) - 1);
	return value;
}

static bool is_over(const struct link_chain *c)
{
	return c->broken || c->null || !has_hop(c->row, c->hop);
}

/* Goes on to the next member that has to be read. */
static void skip_unread(struct link_chain *c)
{
	for (; !is_over(c); c->hop++) {
		enum link_hop_how how = c->row->hops[c->hop].how;
		uint32_t offset = c->members[c->hop].offset;

		if (how != HOP_IN && how != HOP_UP)
			return;
		c->addr = how == HOP_IN ? c->addr + offset : c->addr - offset;
		c->value = c->addr;
	}
}

static void take_hop(struct link_chain *c)
{
	const struct kfacts_member *member = &c->members[c->hop];

	c->value = load(c->raw, member, c->big_endian);
	c->broken = c->row->hops[c->hop].how == HOP_FIRST && c->value == c->addr + member->offset;
	c->addr = c->value;
	c->hop++;
	c->null = !c->addr && has_hop(c->row, c->hop);
}

/* Reads the next member of all chains. *more tells whether there was one. */
static struct kt_error *step(struct link_chains *chains, struct guest *guest, bool *more)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	for (size_t i = 0; i < chains->v.len; i++) {
		struct link_chain *c = &chains->v.data[i];
		const struct kfacts_member *member;

		skip_unread(c);
		if (is_over(c))
			continue;
		member = &c->members[c->hop];
		c->piece = batch.reads.len;
		if (!gmem_batch_add(&batch, c->addr + member->offset, c->raw, member->size))
			return kt_error_no_memory();
	}
	*more = batch.reads.len;
	err = *more ? guest_read(guest, &batch) : NULL;
	for (size_t i = 0; i < chains->v.len && !err; i++) {
		struct link_chain *c = &chains->v.data[i];

		if (is_over(c))
			continue;
		if (batch.reads.data[c->piece].fault)
			c->broken = true;
		else
			take_hop(c);
	}
	return err;
}

static struct kt_error *read_texts(struct link_chains *chains, struct guest *guest)
{
	const struct gmem memory = guest_memory(guest);

	chains->texts = calloc(chains->v.len + 1, sizeof(*chains->texts));
	if (!chains->texts)
		return kt_error_no_memory();
	for (size_t i = 0; i < chains->v.len; i++) {
		struct link_chain *c = &chains->v.data[i];

		if (!is_text(c->row) || c->broken || c->null)
			continue;
		c->text = chains->n_texts++;
		chains->texts[c->text].addr = c->value;
	}
	return cstrings_read(&memory, chains->texts, chains->n_texts);
}

struct kt_error *link_chains_read(struct link_chains *chains, struct guest *guest)
{
	struct kt_error *err = NULL;
	bool more = true;

	while (more && !err) /* LINK_HOPS times at most */
		err = step(chains, guest, &more);
	return err ? err : read_texts(chains, guest);
}

static bool is_number(const struct link_row *row)
{
	return row->value <= VALUE_SIGNED;
}

void link_chains_take_numbers(const struct link_chains *chains, struct link_values *values)
{
	for (size_t i = 0; i < chains->v.len; i++) {
		const struct link_chain *c = &chains->v.data[i];
		struct program_number *number = (void *)((char *)&values[c->link] + c->row->at);
		uint64_t value = c->null ? 0 : c->value;

		if (!is_number(c->row) || c->broken || (c->null && !c->row->or_zero))
			continue;
		if (c->row->value == VALUE_IS_SET)
			value = value != 0;
		else if (c->row->value == VALUE_SIGNED)
			value = (uint64_t)(int64_t)(int32_t)value;
		*number = (struct program_number){.known = true, .value = value};
	}
}

static struct kt_error *take_string(const struct cstring *string, bool may_be_null, char **ret)
{
	if (!string->known && (string->addr || !may_be_null))
		return NULL;
	*ret = strdup(string->text.data ? string->text.data : "");
	return *ret ? NULL : kt_error_no_memory();
}

static struct kt_error *take_text(const struct link_chains *chains, const struct link_chain *c,
				  const struct kfacts *facts, char **ret)
{
	if (c->row->value == VALUE_ATTACH_TYPE)
		return bpf_enum_text(facts, "bpf_attach_type", "BPF_", c->value, ret);
	if (c->row->value == VALUE_PROG_TYPE)
		return bpf_enum_text(facts, "bpf_prog_type", "BPF_PROG_TYPE_", c->value, ret);
	return take_string(&chains->texts[c->text], c->row->value == VALUE_STRING, ret);
}

struct kt_error *link_chains_take_texts(const struct link_chains *chains,
					const struct kfacts *facts, struct link_values *values)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < chains->v.len && !err; i++) {
		const struct link_chain *c = &chains->v.data[i];

		if (!is_number(c->row) && !c->broken && !c->null)
			err = take_text(chains, c, facts,
					(void *)((char *)&values[c->link] + c->row->at));
	}
	return err;
}
