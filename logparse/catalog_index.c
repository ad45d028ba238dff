// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/catalog_index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/catalog_data.h"

/* Bytes of a line that are looked at. The kernel's longest message has some 400. */
#define MAX_LINE 1024

static const struct kt_catalog_table *const tables[] = {
	&kt_catalog_registers, &kt_catalog_arithmetic, &kt_catalog_memory,  &kt_catalog_lifetime,
	&kt_catalog_calls,     &kt_catalog_kfuncs,     &kt_catalog_context, &kt_catalog_structure,
	&kt_catalog_policy,    &kt_catalog_limits,     &kt_catalog_load,    &kt_catalog_kernel,
};

#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

const struct kt_catalog_entry *kt_catalog_entry_at(size_t i)
{
	for (size_t t = 0; t < N_TABLES; t++) {
		if (i < tables[t]->n)
			return &tables[t]->entries[i];
		i -= tables[t]->n;
	}
	return NULL;
}

/*
 * The index: each pattern by one of its words, the one that fewest patterns have. A line is tried
 * against the patterns of its words only.
 */
#define MAX_PATTERNS 2048
#define N_BUCKETS    4096

struct ref {
	uint32_t key; /* of its word */
	uint32_t weight;
	const char *pattern;
	const struct kt_catalog_entry *entry;
};

static struct {
	pthread_once_t once;
	size_t n;
	struct ref refs[MAX_PATTERNS]; /* sorted by key, then the heaviest first */
} the_index = {.once = PTHREAD_ONCE_INIT};

static uint32_t hash_word(struct kt_text word)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < word.len; i++)
		hash = (hash ^ (unsigned char)word.data[i]) * 16777619u;
	return hash;
}

static int compare_refs(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return strcmp(x->pattern, y->pattern);
}

static void add_refs(void)
{
	const struct kt_catalog_entry *entry;

	for (size_t i = 0; (entry = kt_catalog_entry_at(i)); i++)
		for (const char *const *p = entry->patterns; *p; p++)
			if (the_index.n < MAX_PATTERNS)
				the_index.refs[the_index.n++] = (struct ref){
					.weight = (uint32_t)kt_pattern_weight(*p) +
						  (entry->overrides ? MAX_LINE : 0),
					.pattern = *p,
					.entry = entry,
				};
}

static void choose_keys(void)
{
	static uint16_t counts[N_BUCKETS];
	struct kt_text rest, word;

	for (size_t i = 0; i < the_index.n; i++) {
		rest = (struct kt_text){the_index.refs[i].pattern,
					strlen(the_index.refs[i].pattern)};
		while (kt_next_word(&rest, true, &word))
			counts[hash_word(word) % N_BUCKETS]++;
	}
	for (size_t i = 0; i < the_index.n; i++) {
		uint16_t least = UINT16_MAX;

		rest = (struct kt_text){the_index.refs[i].pattern,
					strlen(the_index.refs[i].pattern)};
		while (kt_next_word(&rest, true, &word)) {
			uint32_t hash = hash_word(word);

			if (counts[hash % N_BUCKETS] >= least)
				continue;
			least = counts[hash % N_BUCKETS];
			the_index.refs[i].key = hash;
		}
	}
}

static void make_index(void)
{
	add_refs();
	choose_keys();
	qsort(the_index.refs, the_index.n, sizeof(the_index.refs[0]), compare_refs);
}

/* The first pattern of a key; n if there is none. */
static size_t lower_bound(uint32_t key)
{
	size_t low = 0, high = the_index.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (the_index.refs[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/*
 * A few messages have no newline, so that the statistics stand behind them in the same line:
 *	insn 3 cannot call exception cb directlyprocessed 7 insns (limit 1000000) ...	6.12
 */
static struct kt_text first_line(struct kt_text text)
{
	static const struct kt_text stats = KT_TEXT(" insns (limit ");
	struct kt_text line = {0};
	const char *p;

	kt_text_next_line(&text, &line);
	if (line.len > MAX_LINE)
		line.len = MAX_LINE;
	p = line.len ? memmem(line.data, line.len, stats.data, stats.len) : NULL;
	while (p && p > line.data && p[-1] >= '0' && p[-1] <= '9')
		p--;
	if (p && p - line.data > 10 && memcmp(p - 10, "processed ", 10) == 0)
		line.len = (size_t)(p - 10 - line.data);
	return line;
}

const struct kt_catalog_entry *kt_catalog_match(struct kt_text message, struct kt_facts *facts)
{
	struct kt_text line = first_line(message), rest = line, word;
	uint64_t tried[MAX_PATTERNS / 64] = {0};
	const struct ref *best = NULL;

	pthread_once(&the_index.once, make_index);
	while (kt_next_word(&rest, false, &word)) {
		uint32_t key = hash_word(word);

		for (size_t i = lower_bound(key); i < the_index.n; i++) {
			const struct ref *ref = &the_index.refs[i];

			if (ref->key != key || (best && ref->weight <= best->weight))
				break;
			if (tried[i / 64] >> (i % 64) & 1)
				continue;
			tried[i / 64] |= UINT64_C(1) << (i % 64);
			if (kt_pattern_match(ref->pattern, line, NULL))
				best = ref;
		}
	}
	if (best && facts)
		kt_pattern_match(best->pattern, line, facts);
	return best ? best->entry : NULL;
}
