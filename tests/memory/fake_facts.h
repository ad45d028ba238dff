/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts out of a small table instead of a kernel image. A program that includes this (in one
 * file) defines btf/facts.h itself, so that the linker leaves the real one in its archive.
 */
#ifndef KT_TESTS_INTROSPECT_FAKE_FACTS_H
#define KT_TESTS_INTROSPECT_FAKE_FACTS_H

#include <stdlib.h>
#include <string.h>

#include "btf/facts.h"

#define FAKE_MAX 320

struct kfacts {
	struct kfacts_kernel kernel;
	struct fake_fact {
		const char *name, *path; /* path: of members; the text of enumerators */
		struct kfacts_member member;
		uint64_t value; /* a symbol's address, a size, an enumerator's value */
		enum kfacts_kind kind;
	} all[FAKE_MAX];
	size_t n;
};

static inline struct fake_fact *fake_find(const struct kfacts *facts, enum kfacts_kind kind,
					  const char *name, const char *path)
{
	for (size_t i = 0; i < facts->n; i++) {
		const struct fake_fact *f = &facts->all[i];

		if (f->kind == kind && strcmp(f->name, name) == 0 &&
		    (!path || strcmp(f->path, path) == 0))
			return (struct fake_fact *)(uintptr_t)f;
	}
	return NULL;
}

/* Adds a fact, or changes it. */
static inline struct fake_fact *fake_set(struct kfacts *facts, struct fake_fact fact)
{
	struct fake_fact *f = fact.kind == KFACTS_ENUM
				      ? NULL
				      : fake_find(facts, fact.kind, fact.name, fact.path);

	if (!f) {
		if (facts->n == FAKE_MAX)
			abort();
		f = &facts->all[facts->n++];
	}
	*f = fact;
	return f;
}

static inline void fake_member(struct kfacts *facts, const char *type, const char *path,
			       uint32_t offset, uint32_t size)
{
	fake_set(facts, (struct fake_fact){.kind = KFACTS_MEMBER,
					   .name = type,
					   .path = path,
					   .member = {.offset = offset, .size = size}});
}

static inline void fake_symbol(struct kfacts *facts, const char *name, gaddr_t addr)
{
	fake_set(facts, (struct fake_fact){.kind = KFACTS_SYMBOL, .name = name, .value = addr});
}

static inline void fake_code(struct kfacts *facts, const char *name, gaddr_t addr, uint32_t size)
{
	fake_set(facts,
		 (struct fake_fact){
			 .kind = KFACTS_CODE, .name = name, .value = addr, .member.size = size});
}

static inline void fake_size(struct kfacts *facts, const char *name, uint64_t size)
{
	fake_set(facts, (struct fake_fact){.kind = KFACTS_SIZE, .name = name, .value = size});
}

static inline void fake_enum(struct kfacts *facts, const char *name, const char *text,
			     uint64_t value)
{
	fake_set(facts, (struct fake_fact){
				.kind = KFACTS_ENUM, .name = name, .path = text, .value = value});
}

/* As if the kernel did not have it. */
static inline void fake_drop(struct kfacts *facts, enum kfacts_kind kind, const char *name,
			     const char *path)
{
	struct fake_fact *f = fake_find(facts, kind, name, path);

	if (!f)
		abort();
	*f = facts->all[--facts->n];
}

const struct kfacts_kernel *kfacts_kernel(const struct kfacts *facts)
{
	return &facts->kernel;
}

bool kfacts_symbol(const struct kfacts *facts, const char *name, gaddr_t *link_addr_ret)
{
	const struct fake_fact *f = fake_find(facts, KFACTS_SYMBOL, name, NULL);

	if (f)
		*link_addr_ret = f->value;
	return f;
}

bool kfacts_code(const struct kfacts *facts, const char *name, gaddr_t *link_addr_ret,
		 uint64_t *size_ret)
{
	const struct fake_fact *f = fake_find(facts, KFACTS_CODE, name, NULL);

	if (f) {
		*link_addr_ret = f->value;
		*size_ret = f->member.size;
	}
	return f;
}

bool kfacts_member(const struct kfacts *facts, const char *type, const char *path,
		   struct kfacts_member *ret)
{
	const struct fake_fact *f = fake_find(facts, KFACTS_MEMBER, type, path);

	if (f)
		*ret = f->member;
	return f;
}

bool kfacts_size(const struct kfacts *facts, const char *type, uint64_t *ret)
{
	const struct fake_fact *f = fake_find(facts, KFACTS_SIZE, type, NULL);

	if (f)
		*ret = f->value;
	return f;
}

bool kfacts_param(const struct kfacts *facts, const char *function, const char *type, uint64_t *ret)
{
	const struct fake_fact *f = fake_find(facts, KFACTS_PARAM, function, type);

	if (f)
		*ret = f->value;
	return f;
}

/* Of the symbols that there are. */
const char *kfacts_function_at(const struct kfacts *facts, gaddr_t link_addr)
{
	for (size_t i = 0; i < facts->n; i++)
		if (facts->all[i].kind == KFACTS_SYMBOL && facts->all[i].value == link_addr)
			return facts->all[i].name;
	return NULL;
}

/* The same for an address in it: the nearest symbol within 64 KB. */
const char *kfacts_function_around(const struct kfacts *facts, gaddr_t link_addr,
				   uint64_t *offset_ret)
{
	const char *found = NULL;

	*offset_ret = 0x10000;
	for (size_t i = 0; i < facts->n; i++) {
		const struct fake_fact *f = &facts->all[i];

		if (f->kind != KFACTS_SYMBOL || link_addr - f->value >= *offset_ret)
			continue;
		*offset_ret = link_addr - f->value;
		found = f->name;
	}
	return found;
}

bool kfacts_enum_value(const struct kfacts *facts, const char *type, const char *name, int64_t *ret)
{
	const struct fake_fact *f = fake_find(facts, KFACTS_ENUM, type, name);

	if (f)
		*ret = (int64_t)f->value;
	return f;
}

/* Those that were added as KFACTS_MEMBERS, each as a fact of its own. */
const char *kfacts_nth_member(const struct kfacts *facts, const char *type, size_t i,
			      uint32_t *offset_ret)
{
	for (size_t at = 0; at < facts->n; at++) {
		const struct fake_fact *f = &facts->all[at];

		if (f->kind != KFACTS_MEMBERS || strcmp(f->name, type) || i--)
			continue;
		*offset_ret = (uint32_t)f->value;
		return f->path;
	}
	return NULL;
}

const char *kfacts_enum_name(const struct kfacts *facts, const char *type, int64_t value)
{
	for (size_t i = 0; i < facts->n; i++)
		if (facts->all[i].kind == KFACTS_ENUM && strcmp(facts->all[i].name, type) == 0 &&
		    facts->all[i].value == (uint64_t)value)
			return facts->all[i].path;
	return NULL;
}

#endif
