// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "btf/cache.h"
#include "btf/facts.h"
#include "btf/facts_kernel.h"
#include "btf/sources.h"
#include "util/cleanup.h"

struct kfacts {
	struct kfacts_kernel kernel;
	struct kfacts_want *wants; /* copies */
	struct kfacts_answer *answers;
	size_t n;
};

static void kfacts_destroyp(struct kfacts **facts)
{
	kfacts_destroy(*facts);
}

static bool copy_want(struct kfacts_want *to, const struct kfacts_want *from)
{
	*to = *from;
	to->name = strdup(from->name);
	to->path = from->path ? strdup(from->path) : NULL;
	return to->name && (to->path || !from->path);
}

static struct kfacts *kfacts_new(const struct kfacts_want *wants, size_t n)
{
	_cleanup_(kfacts_destroyp) struct kfacts *facts = calloc(1, sizeof(*facts));

	if (!facts)
		return NULL;
	facts->wants = calloc(n ? n : 1, sizeof(*facts->wants));
	facts->answers = calloc(n ? n : 1, sizeof(*facts->answers));
	if (!facts->wants || !facts->answers)
		return NULL;
	while (facts->n < n) {
		size_t i = facts->n++;

		if (!copy_want(&facts->wants[i], &wants[i]))
			return NULL;
	}
	return kt_take_ptr(facts);
}

void kfacts_destroy(struct kfacts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; i < facts->n; i++) {
		free((char *)facts->wants[i].name);
		free((char *)facts->wants[i].path);
		kfacts_answer_deinit(&facts->answers[i]);
	}
	free(facts->wants);
	free(facts->answers);
	facts_kernel_deinit(&facts->kernel);
	free(facts);
}

static struct kt_error *absent(const struct kfacts_want *want, const char *source,
			       const char *types)
{
	switch (want->kind) {
	case KFACTS_SYMBOL:
	case KFACTS_CODE:
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND, "no symbol %s in its %s",
						  want->name, source),
				     "static variables need CONFIG_KALLSYMS_ALL, or --system-map "
				     "of the same build, or its vmlinux (the debug package)");
	case KFACTS_MEMBER:
		return kt_error_new(KT_ERROR_NOT_FOUND, "no member %s in struct %s of its %s",
				    want->path, want->name, types);
	case KFACTS_HELD:
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "no one place in its %s where a struct holds struct %s %s",
				    types, want->name, want->path);
	case KFACTS_ENUM:
		return kt_error_new(KT_ERROR_NOT_FOUND, "no enum %s in its %s", want->name, types);
	case KFACTS_PARAM:
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "no function %s in its %s that takes a struct %s", want->name,
				    types, want->path);
	case KFACTS_FUNCTIONS:
		return kt_error_new(KT_ERROR_NOT_FOUND, "no functions in its %s", source);
	default:
		return kt_error_new(KT_ERROR_NOT_FOUND, "no struct %s in its %s", want->name,
				    types);
	}
}

/* An error if a required want has no answer. */
static struct kt_error *check(const struct kfacts *facts, const struct sources *sources,
			      const char *symbols, const char *types)
{
	for (size_t i = 0; i < facts->n; i++) {
		const struct kfacts_want *want = &facts->wants[i];

		if (!facts->answers[i].present && !want->optional)
			return kt_error_wrap(absent(want, symbols, types), "%s",
					     want->kind == KFACTS_SYMBOL ||
							     want->kind == KFACTS_CODE
						     ? sources_symbols_path(sources)
						     : sources_types_path(sources));
	}
	return NULL;
}

/* False: no memory. */
static bool take_symbols(struct kfacts *facts, struct symbols *syms)
{
	if (syms->want_functions && !functions_finish(&syms->functions))
		return false;
	for (size_t i = 0; i < facts->n; i++) {
		struct kfacts_answer *answer = &facts->answers[i];
		gaddr_t end;

		if (facts->wants[i].kind == KFACTS_SYMBOL)
			answer->present = symbols_get(syms, facts->wants[i].name, &answer->value);
		if (facts->wants[i].kind == KFACTS_CODE &&
		    symbols_get_end(syms, facts->wants[i].name, &answer->value, &end)) {
			answer->present = true;
			answer->size = end - answer->value;
		}
		if (facts->wants[i].kind != KFACTS_FUNCTIONS)
			continue;
		answer->present = syms->functions.v.len;
		answer->functions = syms->functions;
		syms->functions = (struct functions){0};
	}
	return true;
}

/* True, and *err destroyed: a source is missing, and the caller allows that. */
static bool may_lack(bool may, struct kt_error **err)
{
	if (!may || !*err || kt_error_code(*err) != KT_ERROR_NOT_FOUND)
		return false;
	kt_error_destroy(*err);
	*err = NULL;
	return true;
}

static struct kt_error *resolve_types(struct sources *sources, struct kfacts *facts,
				      const char **name_ret)
{
	_cleanup_(types_destroyp) struct types *types = NULL;
	const char *from;
	struct kt_error *err = sources_types(sources, &types, &from);

	if (may_lack(sources->paths.partial, &err)) {
		facts->kernel.types_from = strdup("");
		return facts->kernel.types_from ? NULL : kt_error_no_memory();
	}
	if (err)
		return err;
	if (!sources->image)
		facts->kernel.big_endian = types_big_endian(types);
	facts->kernel.types_from = strdup(from);
	if (!facts->kernel.types_from)
		return kt_error_no_memory();
	*name_ret = types->ops->name;
	return kt_error_wrap(types_resolve(types, facts->wants, facts->n, facts->answers), "%s",
			     sources_types_path(sources));
}

static struct kt_error *resolve_with(struct sources *sources, struct symbols *syms,
				     struct kfacts *facts)
{
	const char *types = "types";
	struct kt_error *err;
	gaddr_t shift;

	facts_kernel_wants(syms);
	for (size_t i = 0; i < facts->n; i++) {
		if (facts->wants[i].kind == KFACTS_SYMBOL)
			symbols_want(syms, facts->wants[i].name);
		if (facts->wants[i].kind == KFACTS_CODE &&
		    !symbols_want_end(syms, facts->wants[i].name))
			return kt_error_no_memory();
		syms->want_functions |= facts->wants[i].kind == KFACTS_FUNCTIONS;
	}
	err = sources_symbols(sources, syms, &shift);
	if (may_lack(sources->paths.partial || !facts->n, &err))
		shift = 0;
	if (err)
		return err;
	facts->kernel.symbols_from = sources_symbols_from(sources, syms);
	if (!facts->kernel.symbols_from)
		return kt_error_no_memory();
	err = kt_error_wrap(facts_kernel_read(sources->image, syms, shift, &facts->kernel), "%s",
			    sources->image ? sources_image_name(sources)
					   : sources_symbols_path(sources));
	if (!err)
		err = sources_prove_btf(sources, syms, &facts->kernel);
	if (!err && facts->n)
		err = resolve_types(sources, facts, &types);
	else if (!err && !(facts->kernel.types_from = strdup("")))
		err = kt_error_no_memory();
	if (err)
		return err;
	if (sources->paths.system_map)
		facts->kernel.moved_known = true; /* it has link addresses */
	if (!take_symbols(facts, syms))
		return kt_error_no_memory();
	return check(facts, sources, syms->source, types);
}

static struct kt_error *resolve(struct sources *sources, struct kfacts *facts)
{
	struct symbols syms;
	struct kt_error *err;

	if (!symbols_init(&syms, facts->n + FACTS_KERNEL_WANTS))
		return kt_error_no_memory();
	err = resolve_with(sources, &syms, facts);
	symbols_deinit(&syms);
	return err;
}

static bool load_cached(const char *dir, const struct cache_name *key, struct kfacts *facts)
{
	struct cache_name name = cache_facts_name(key, facts->wants, facts->n);
	struct kt_buf payload = KT_BUF_INIT;
	bool ok = cache_read(dir, &name, &payload) &&
		  cache_decode_facts(payload.data, payload.len, facts->wants, facts->n,
				     &facts->kernel, facts->answers);

	kt_buf_deinit(&payload);
	if (ok)
		return true;
	/* A broken file may have filled some answers. */
	facts_kernel_deinit(&facts->kernel);
	for (size_t i = 0; i < facts->n; i++)
		kfacts_answer_deinit(&facts->answers[i]);
	return false;
}

static void store(const char *dir, const struct cache_name *key, const struct kfacts *facts)
{
	struct cache_name name = cache_facts_name(key, facts->wants, facts->n);
	struct kt_buf payload = KT_BUF_INIT;

	cache_encode_facts(&payload, &facts->kernel, facts->wants, facts->answers, facts->n);
	if (!kt_buf_failed(&payload))
		cache_write(dir, &name, payload.data, payload.len);
	kt_buf_deinit(&payload);
}

/* By the key that an earlier run stored for a compressed file with this content. */
static bool load_noted(const char *dir, const struct cache_name *note, struct kfacts *facts)
{
	struct kt_buf payload = KT_BUF_INIT;
	struct cache_name key = {0};
	bool ok = cache_read(dir, note, &payload) && payload.len < sizeof(key.s);

	if (ok) {
		memcpy(key.s, payload.data, payload.len);
		ok = load_cached(dir, &key, facts);
	}
	kt_buf_deinit(&payload);
	return ok;
}

/* For a compressed image alone, whose build ID is not known without unpacking it. */
static struct kt_error *load_compressed(struct sources *sources, const char *dir,
					struct kfacts *facts, bool *from_cache)
{
	struct cache_name hash = cache_content_hash(sources->file.data, sources->file.len);
	struct cache_name note = cache_image_name(&hash), key;
	struct kt_error *err;

	*from_cache = load_noted(dir, &note, facts);
	if (*from_cache)
		return NULL;
	err = resolve(sources, facts);
	if (err)
		return err;
	key = sources_image_key(sources);
	store(dir, &key, facts);
	cache_write(dir, &note, key.s, strlen(key.s));
	return NULL;
}

static struct kt_error *load_keyed(struct sources *sources, const char *dir, struct kfacts *facts,
				   bool *from_cache)
{
	struct cache_name key;
	struct kt_error *err;

	if (sources_only_image(sources)) {
		/* An ELF: opening it costs little, and the build ID is in its notes. */
		err = sources_open_image(sources);
		if (!err)
			key = sources_image_key(sources);
	} else {
		err = sources_key(sources, &key);
	}
	if (err)
		return err;
	*from_cache = load_cached(dir, &key, facts);
	if (*from_cache)
		return NULL;
	err = resolve(sources, facts);
	if (!err)
		store(dir, &key, facts);
	return err;
}

struct kt_error *kfacts_load(const struct kfacts_sources *paths, const struct kfacts_want *wants,
			     size_t n_wants, const char *cache_dir, struct kfacts **ret,
			     bool *from_cache_ret)
{
	_cleanup_(kfacts_destroyp) struct kfacts *facts = kfacts_new(wants, n_wants);
	struct sources sources = {0};
	bool from_cache = false;
	struct kt_error *err;

	if (!facts)
		return kt_error_no_memory();
	err = sources_open(paths, &sources);
	if (!err && !cache_dir)
		err = resolve(&sources, facts);
	else if (!err && sources_only_image(&sources) && !sources.file.is_elf)
		err = load_compressed(&sources, cache_dir, facts, &from_cache);
	else if (!err)
		err = load_keyed(&sources, cache_dir, facts, &from_cache);
	sources_close(&sources);
	if (err)
		return err;
	*ret = kt_take_ptr(facts);
	if (from_cache_ret)
		*from_cache_ret = from_cache;
	return NULL;
}

void kfacts_pack(const struct kfacts *facts, struct kt_buf *out)
{
	cache_encode_facts(out, &facts->kernel, facts->wants, facts->answers, facts->n);
}

struct kt_error *kfacts_unpack(const void *data, size_t len, const struct kfacts_want *wants,
			       size_t n_wants, struct kfacts **ret)
{
	_cleanup_(kfacts_destroyp) struct kfacts *facts = kfacts_new(wants, n_wants);

	if (!facts)
		return kt_error_no_memory();
	if (!cache_decode_facts(data, len, facts->wants, facts->n, &facts->kernel, facts->answers))
		return kt_error_new(KT_ERROR_PROTOCOL, "what is told of the kernel makes no sense");
	*ret = kt_take_ptr(facts);
	return NULL;
}

const struct kfacts_kernel *kfacts_kernel(const struct kfacts *facts)
{
	return &facts->kernel;
}

static bool is_member(enum kfacts_kind kind)
{
	return kind == KFACTS_MEMBER || kind == KFACTS_HELD;
}

/* The answer to a want, or NULL if it is absent. kind MEMBER also finds HELD. */
static const struct kfacts_answer *find(const struct kfacts *facts, enum kfacts_kind kind,
					const char *name, const char *path)
{
	for (size_t i = 0; i < facts->n; i++) {
		const struct kfacts_want *want = &facts->wants[i];
		bool fits = is_member(kind) ? is_member(want->kind) : want->kind == kind;

		if (fits && facts->answers[i].present && !strcmp(want->name, name) &&
		    (!path || !strcmp(want->path, path)))
			return &facts->answers[i];
	}
	return NULL;
}

bool kfacts_symbol(const struct kfacts *facts, const char *name, gaddr_t *link_addr_ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_SYMBOL, name, NULL);

	if (a)
		*link_addr_ret = a->value;
	return a;
}

bool kfacts_code(const struct kfacts *facts, const char *name, gaddr_t *link_addr_ret,
		 uint64_t *size_ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_CODE, name, NULL);

	if (a) {
		*link_addr_ret = a->value;
		*size_ret = a->size;
	}
	return a;
}

bool kfacts_member(const struct kfacts *facts, const char *type, const char *path,
		   struct kfacts_member *ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_MEMBER, type, path);

	if (a)
		*ret = a->member;
	return a;
}

bool kfacts_size(const struct kfacts *facts, const char *type, uint64_t *ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_SIZE, type, NULL);

	if (a)
		*ret = a->value;
	return a;
}

bool kfacts_param(const struct kfacts *facts, const char *function, const char *type, uint64_t *ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_PARAM, function, type);

	if (a)
		*ret = a->value;
	return a;
}

const char *kfacts_function_at(const struct kfacts *facts, gaddr_t link_addr)
{
	const struct kfacts_answer *a = find(facts, KFACTS_FUNCTIONS, KFACTS_ALL, NULL);

	return a ? functions_at(&a->functions, link_addr) : NULL;
}

const char *kfacts_function_around(const struct kfacts *facts, gaddr_t link_addr,
				   uint64_t *offset_ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_FUNCTIONS, KFACTS_ALL, NULL);

	return a ? functions_around(&a->functions, link_addr, offset_ret) : NULL;
}

const struct kfacts_want *kfacts_missing(const struct kfacts *facts, size_t *i)
{
	while (*i < facts->n) {
		size_t at = (*i)++;

		if (!facts->answers[at].present)
			return &facts->wants[at];
	}
	return NULL;
}

const char *kfacts_enum_name(const struct kfacts *facts, const char *type, int64_t value)
{
	const struct kfacts_answer *a = find(facts, KFACTS_ENUM, type, NULL);

	for (uint32_t i = 0; a && i < a->n_enums; i++) {
		if (a->enums[i].value == value)
			return a->enums[i].name;
	}
	return NULL;
}

bool kfacts_enum_value(const struct kfacts *facts, const char *type, const char *name, int64_t *ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_ENUM, type, NULL);

	for (uint32_t i = 0; a && i < a->n_enums; i++) {
		if (strcmp(a->enums[i].name, name))
			continue;
		*ret = a->enums[i].value;
		return true;
	}
	return false;
}

const char *kfacts_nth_member(const struct kfacts *facts, const char *type, size_t i,
			      uint32_t *offset_ret)
{
	const struct kfacts_answer *a = find(facts, KFACTS_MEMBERS, type, NULL);

	if (!a || i >= a->n_enums)
		return NULL;
	*offset_ret = (uint32_t)a->enums[i].value;
	return a->enums[i].name;
}
