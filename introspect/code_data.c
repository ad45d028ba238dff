// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "introspect/code_data.h"
#include "memory/arch.h"
#include "util/cleanup.h"

/* So much of a function is read. Larger ones point to too much that is of others. */
#define MAX_CODE     8192
#define MAX_OPERANDS 1024

bool code_data_wants(const struct code_data *data, struct wants *wants)
{
	for (size_t i = 0; i < CODE_DATA_USERS && data->users[i]; i++)
		if (!wants_add(wants, KFACTS_CODE, data->users[i], NULL, true))
			return false;
	return wants_add(wants, KFACTS_SYMBOL, data->symbol, NULL, true);
}

static const struct arch *arch_of(const struct kfacts *facts)
{
	const struct arch *arch = arch_by_name(kfacts_kernel(facts)->arch);

	return arch && arch->operands ? arch : NULL;
}

bool code_data_known(const struct code_data *data, const struct kfacts *facts)
{
	size_t known = 0;

	for (size_t i = 0; i < CODE_DATA_USERS && data->users[i]; i++) {
		gaddr_t addr;
		uint64_t size;

		known += kfacts_code(facts, data->users[i], &addr, &size);
	}
	return known >= 2 && arch_of(facts);
}

void code_places_deinit(struct code_places *places)
{
	kt_vec_free(&places->v);
}

/* The functions' code, one behind the other. */
struct code {
	uint8_t *bytes;
	struct {
		gaddr_t addr;
		size_t len;
	} functions[CODE_DATA_USERS];
	size_t n;
};

static void code_deinit(struct code *code)
{
	free(code->bytes);
}

static struct kt_error *read_code(const struct code_data *data, struct guest *guest,
				  struct code *code)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	code->bytes = malloc((size_t)CODE_DATA_USERS * MAX_CODE);
	if (!code->bytes)
		return kt_error_no_memory();
	for (size_t i = 0; i < CODE_DATA_USERS && data->users[i]; i++) {
		uint64_t size;
		gaddr_t addr;

		if (!kfacts_code(guest_facts(guest), data->users[i], &addr, &size))
			continue;
		addr += (gaddr_t)guest_kaslr_offset(guest);
		code->functions[code->n].addr = addr;
		code->functions[code->n].len = size < MAX_CODE ? (size_t)size : MAX_CODE;
		if (!gmem_batch_add(&batch, addr, code->bytes + code->n * MAX_CODE,
				    code->functions[code->n].len))
			return kt_error_no_memory();
		code->n++;
	}
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < code->n && !err; i++)
		if (batch.reads.data[i].fault)
			code->functions[i].len = 0;
	return err;
}

static int by_address(const void *a, const void *b)
{
	gaddr_t x = *(const gaddr_t *)a, y = *(const gaddr_t *)b;

	return (x > y) - (x < y);
}

/* The operands of one function, in order, each once. */
static size_t operands_of(const struct arch *arch, const struct code *code, size_t i, gaddr_t *ret)
{
	size_t n = arch->operands(code->bytes + i * MAX_CODE, code->functions[i].len,
				  code->functions[i].addr, ret, MAX_OPERANDS);
	size_t kept = 0;

	qsort(ret, n, sizeof(*ret), by_address);
	for (size_t j = 0; j < n; j++)
		if (!j || ret[j] != ret[j - 1])
			ret[kept++] = ret[j];
	return kept;
}

struct kt_error *code_data_places(const struct code_data *data, struct guest *guest,
				  struct code_places *ret)
{
	const struct arch *arch = arch_of(guest_facts(guest));
	_cleanup_(code_deinit) struct code code = {0};
	_cleanup_free_ gaddr_t *all = calloc((size_t)CODE_DATA_USERS * MAX_OPERANDS, sizeof(*all));
	struct kt_error *err;
	size_t n = 0;

	if (!all)
		return kt_error_no_memory();
	if (!arch)
		return NULL;
	err = read_code(data, guest, &code);
	if (err)
		return err;
	for (size_t i = 0; i < code.n; i++)
		n += operands_of(arch, &code, i, all + n);
	qsort(all, n, sizeof(*all), by_address);
	for (size_t i = 1; i < n; i++)
		if (all[i] == all[i - 1] && (i < 2 || all[i] != all[i - 2]) &&
		    !kt_vec_push(&ret->v, all[i]))
			return kt_error_no_memory();
	return NULL;
}
