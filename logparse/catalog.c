// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/catalog.h"

#include <ctype.h>
#include <stdlib.h>

#include "logparse/catalog_index.h"
#include "logparse/catalog_template.h"
#include "util/cleanup.h"

/* Lines of a message that are looked at, and bytes of a register's value that reads well in prose.
 */
#define MAX_LINES 16
#define MAX_VALUE 48

static struct kt_text text_of(const char *s)
{
	return (struct kt_text){s, strlen(s)};
}

const struct kt_catalog_entry *kt_catalog_at(size_t i)
{
	return kt_catalog_entry_at(i);
}

const struct kt_catalog_entry *kt_catalog_by_id(struct kt_text id)
{
	const struct kt_catalog_entry *entry;

	for (size_t i = 0; (entry = kt_catalog_entry_at(i)); i++)
		if (kt_text_equals(id, text_of(entry->id)))
			return entry;
	return NULL;
}

const struct kt_catalog_entry *kt_catalog_find(struct kt_text message)
{
	return kt_catalog_match(message, NULL);
}

/* --- the facts of a log --- */

static const char *find(struct kt_text text, const char *what)
{
	return text.len ? memmem(text.data, text.len, what, strlen(what)) : NULL;
}

/* Of "(85) call bpf_map_lookup_elem#1" the function; empty: the instruction is no such call. */
static struct kt_text called(struct kt_text insn)
{
	const char *p = find(insn, ") call "), *end = insn.data + insn.len;
	struct kt_text name;

	if (!p)
		return (struct kt_text){0};
	name.data = p += strlen(") call ");
	while (p < end && kt_is_word_char(*p))
		p++;
	name.len = (size_t)(p - name.data);
	/* "call pc+3": a function of the program, which is not named here. */
	return p < end && *p == '#' ? name : (struct kt_text){0};
}

/* "R3" of "R3", "r3", "arg#2" and "arg 2"; empty: it is none of the eleven registers. */
static struct kt_text register_of(struct kt_text name, char buf[4])
{
	bool arg = name.len && (name.data[0] == 'a' || name.data[0] == 'A');
	size_t i = name.len;
	unsigned int n = 0;

	while (i && isdigit((unsigned char)name.data[i - 1]))
		i--;
	if (i == name.len || name.len - i > 2 || name.data[name.len - 1] == ')')
		return (struct kt_text){0};
	for (; i < name.len; i++)
		n = n * 10 + (unsigned int)(name.data[i] - '0');
	n += arg;
	if (n > 10 || (arg && n > 5))
		return (struct kt_text){0};
	return (struct kt_text){buf, (size_t)snprintf(buf, 4, "R%u", n)};
}

/* Facts, and the texts in them that are slices of nothing else. */
struct gathered {
	struct kt_facts facts;
	char reg[4], size_reg[4], at[16], set[24], lost_at[24], clobber[24], unbound[24], index[4],
		index_at[24];
};

static struct kt_text number_text(char *buf, size_t size, const char *prefix, uint32_t number)
{
	return (struct kt_text){buf, (size_t)snprintf(buf, size, "%s%u", prefix, number)};
}

/* The subject that the facts are about: the register that the message names, or a reference. */
static const struct kt_last_subject *find_subject(const struct kt_log_last *last,
						  struct kt_text reg)
{
	char name[4];

	for (size_t i = 0; i < last->n_subjects; i++) {
		const struct kt_last_subject *s = &last->subjects[i];

		if (s->kind == KT_LAST_SUBJECT_REF && !reg.len)
			return s;
		if (s->kind != KT_LAST_SUBJECT_REG || s->number < 0 || s->number > 10)
			continue;
		snprintf(name, sizeof(name), "R%d", s->number);
		if (kt_text_equals(reg, text_of(name)))
			return s;
	}
	return NULL;
}

/* Where the value comes from: the step before which nothing is known. */
static void add_origin(struct gathered *g, const struct kt_last_subject *s)
{
	const struct kt_last_step *step;

	if (!s->n_steps)
		return;
	step = &s->steps[s->n_steps - 1];
	if (step->insn.index != KT_LINE_NO_INDEX)
		kt_facts_add(&g->facts, KT_TEXT("set"),
			     number_text(g->set, sizeof(g->set), "insn ", step->insn.index));
	if (step->how == KT_LAST_RESULT || step->how == KT_LAST_ACQUIRED)
		kt_facts_add(&g->facts, KT_TEXT("from"), called(step->insn.insn));
}

/* The steps that took something from a value: its type, or its bound. */
static void add_losses(struct gathered *g, const struct kt_last_subject *s)
{
	for (size_t i = 0; i < s->n_steps; i++) {
		const struct kt_last_insn *insn = &s->steps[i].insn;

		if (insn->index == KT_LINE_NO_INDEX)
			continue;
		if (s->steps[i].how == KT_LAST_LOST && called(insn->insn).len) {
			kt_facts_add(&g->facts, KT_TEXT("lost"), called(insn->insn));
			kt_facts_add(&g->facts, KT_TEXT("lost_at"),
				     number_text(g->lost_at, sizeof(g->lost_at), "insn ",
						 insn->index));
			if (s->was.len <= MAX_VALUE)
				kt_facts_add(&g->facts, KT_TEXT("was"), s->was);
		}
		if (s->steps[i].how == KT_LAST_CLOBBER)
			kt_facts_add(&g->facts, KT_TEXT("clobber"),
				     number_text(g->clobber, sizeof(g->clobber), "insn ",
						 insn->index));
		if (s->steps[i].unbounds)
			kt_facts_add(&g->facts, KT_TEXT("unbound"),
				     number_text(g->unbound, sizeof(g->unbound), "insn ",
						 insn->index));
	}
}

/* The register that was added to the address, and the one that a helper takes the size from. */
static void add_roles(struct gathered *g, const struct kt_log_last *last)
{
	for (size_t i = 0; i < last->n_subjects; i++) {
		const struct kt_last_subject *s = &last->subjects[i];

		if (s->kind != KT_LAST_SUBJECT_REG || s->number < 0 || s->number > 10 ||
		    s->role == KT_LAST_ROLE_NONE)
			continue;
		add_losses(g, s);
		if (s->role == KT_LAST_ROLE_SIZE)
			kt_facts_add(&g->facts, KT_TEXT("size_reg"),
				     number_text(g->size_reg, sizeof(g->size_reg), "R",
						 (uint32_t)s->number));
		if (s->role != KT_LAST_ROLE_OFFSET || s->before == KT_LINE_NO_INDEX)
			continue;
		kt_facts_add(&g->facts, KT_TEXT("index"),
			     number_text(g->index, sizeof(g->index), "R", (uint32_t)s->number));
		kt_facts_add(&g->facts, KT_TEXT("index_at"),
			     number_text(g->index_at, sizeof(g->index_at), "insn ", s->before));
	}
}

/*
 * The number behind a name of a register's value, where equal ones are printed once:
 *	scalar(smin=smin32=0,smax=umax=smax32=umax32=56,var_off=(0x0; 0x38))	6.12
 *	inv(id=0,umax_value=56,var_off=(0x0; 0x38))				5.10
 */
static struct kt_text bound(struct kt_text value, const char *name)
{
	const char *p = find(value, name), *end = value.data + value.len, *begin;

	if (!p)
		return (struct kt_text){0};
	for (begin = p; p < end && *p != ',' && *p != ')'; p++)
		if (*p == '=')
			begin = p + 1;
	return (struct kt_text){begin, (size_t)(p - begin)};
}

static void add_value(struct gathered *g, struct kt_text value)
{
	struct kt_text min = bound(value, "smin="), max = bound(value, "umax=");

	if (value.len <= MAX_VALUE)
		kt_facts_add(&g->facts, KT_TEXT("value"), value);
	kt_facts_add(&g->facts, KT_TEXT("min"), min.len ? min : bound(value, "smin_value="));
	kt_facts_add(&g->facts, KT_TEXT("max"), max.len ? max : bound(value, "umax_value="));
}

static void add_register(struct gathered *g, const struct kt_log_last *last)
{
	const struct kt_last_subject *s;
	struct kt_text reg = {0};

	for (size_t i = 0; i < g->facts.n; i++) {
		if (!kt_text_equals(g->facts.v[i].name, KT_TEXT("reg")))
			continue;
		reg = register_of(g->facts.v[i].value, g->reg);
		if (reg.len)
			g->facts.v[i].value = reg;
	}
	s = find_subject(last, reg);
	if (!s)
		return;
	add_value(g, s->value);
	add_origin(g, s);
	add_losses(g, s);
	if (s->origin == KT_LAST_ORIGIN_ENTRY && !s->frame)
		kt_facts_add(&g->facts, KT_TEXT("global"), last->func);
}

/*
 * What the instruction does to memory:
 *	(61) r1 = *(u32 *)(r0 +0)
 *	(7b) *(u64 *)(r0 +0) = r1
 */
static void add_access(struct gathered *g, struct kt_text insn)
{
	static const struct {
		const char *type;
		struct kt_text size;
	} sizes[] = {
		{"*(u8 *)", KT_TEXT("1")},  {"*(u16 *)", KT_TEXT("2")}, {"*(u32 *)", KT_TEXT("4")},
		{"*(u64 *)", KT_TEXT("8")}, {"*(s8 *)", KT_TEXT("1")},  {"*(s16 *)", KT_TEXT("2")},
		{"*(s32 *)", KT_TEXT("4")},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *p = find(insn, sizes[i].type);

		if (!p)
			continue;
		kt_facts_add(&g->facts, KT_TEXT("size"), sizes[i].size);
		kt_facts_add(&g->facts, KT_TEXT("does"),
			     p > insn.data + 5 ? KT_TEXT("reads") : KT_TEXT("writes"));
	}
}

/* Types of registers, in plain words. Those of 5.10 are "inv", "map_value_or_null". */
static const struct {
	const char *type, *what;
} plain[] = {
	{"scalar", "a number, not a pointer"},
	{"inv", "a number, not a pointer"},
	{"ctx", "the pointer to the context"},
	{"fp", "a pointer to the stack"},
	{"map_ptr", "a pointer to a map"},
	{"map_value", "a pointer to a map's value"},
	{"map_key", "a pointer to a map's key"},
	{"pkt", "a pointer into the packet"},
	{"pkt_meta", "a pointer to the packet's metadata"},
	{"pkt_end", "the pointer to the packet's end"},
	{"mem", "a pointer to memory"},
	{"ringbuf_mem", "a pointer to a record of a ring buffer"},
	{"alloc_mem", "a pointer to allocated memory"},
	{"sock", "a pointer to a socket"},
	{"sock_common", "a pointer to a socket's common part"},
	{"tcp_sock", "a pointer to a TCP socket"},
	{"xdp_sock", "a pointer to an XDP socket"},
	{"flow_keys", "a pointer to the flow keys"},
	{"func", "a pointer to a function"},
	{"arena", "a pointer into an arena"},
	{"untrusted_ptr_", "a kernel pointer that is not trusted"},
	{"rcu_ptr_", "a kernel pointer that is good in an RCU section only"},
	{"ptr_", "a pointer to a kernel object"},
	{"trusted_ptr_", "a kernel pointer that is trusted"},
	{"?", "nothing that can be read"},
};

static void add_what(struct gathered *g)
{
	struct kt_text type = kt_facts_get(&g->facts, KT_TEXT("type"));

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (kt_text_equals(type, text_of(plain[i].type)))
			kt_facts_add(&g->facts, KT_TEXT("what"), text_of(plain[i].what));
}

/* The entry of a message: of its lines the one that says most. Their facts count together. */
static const struct kt_catalog_entry *match_message(const struct kt_log_last *last,
						    struct kt_facts *facts)
{
	const struct kt_catalog_entry *entry = kt_catalog_match(last->headline, facts), *other;
	struct kt_text rest = last->error, line;

	for (size_t i = 0; i < MAX_LINES && kt_text_next_line(&rest, &line); i++) {
		if (line.data == last->headline.data)
			continue;
		other = kt_catalog_match(line, facts);
		if (!entry || (other && entry->general && !other->general))
			entry = other;
	}
	return entry;
}

static void gather(struct gathered *g, const struct kt_log_last *last)
{
	struct kt_text insn = last->at.insn;

	add_register(g, last);
	add_roles(g, last);
	if (last->at.index != KT_LINE_NO_INDEX)
		kt_facts_add(&g->facts, KT_TEXT("at"),
			     number_text(g->at, sizeof(g->at), "", last->at.index));
	kt_facts_add(&g->facts, KT_TEXT("call"), called(insn));
	add_access(g, insn);
	add_what(g);
}

static long number_of(const struct kt_facts *facts, struct kt_text name)
{
	struct kt_text value = kt_facts_get(facts, name);
	char digits[24] = "";

	memcpy(digits, value.data ? value.data : "", value.len < 23 ? value.len : 23);
	return strtol(digits, NULL, 0);
}

/*
 * "invalid read from stack R10 off=-8 size=8" may be of bytes within the 512 of the stack: then
 * nothing was written there, and the frame is not that large yet.
 */
static const struct kt_catalog_entry *refine(const struct kt_catalog_entry *entry,
					     const struct kt_facts *facts)
{
	long off = number_of(facts, KT_TEXT("off")), bytes = number_of(facts, KT_TEXT("bytes"));

	if (!entry || strcmp(entry->id, "stack-bounds") != 0 || off < -512 || off >= 0 ||
	    bytes <= 0 || off + bytes > 0)
		return entry;
	return kt_catalog_by_id(KT_TEXT("stack-uninitialized"));
}

/* --- what the kernel itself says --- */

/*
 * The text of a section of the explanation, in one line:
 *	Reason:
 *	  R8 has never been initialized on this path, so the verifier cannot use it as an
 *	  input.
 */
static struct kt_error *read_section(struct kt_text explanation, struct kt_text heading, char **ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct kt_text line;
	bool inside = false;

	*ret = NULL;
	while (kt_text_next_line(&explanation, &line)) {
		if (inside && (!line.len || line.data[0] != ' '))
			break;
		if (inside) {
			while (line.len && line.data[0] == ' ') {
				line.data++;
				line.len--;
			}
			if (text.len)
				kt_buf_appendc(&text, ' ');
			kt_buf_append(&text, line.data, line.len);
		}
		inside |= kt_text_equals(line, heading);
	}
	return text.len || kt_buf_failed(&text) ? kt_buf_finish(&text, ret) : NULL;
}

/* "Memory Safety" of "Verification failed: Memory Safety: Access outside bounds". */
static struct kt_text kernel_class(struct kt_text explanation)
{
	static const struct kt_text prefix = KT_TEXT("Verification failed: ");
	struct kt_text line;
	const char *colon;

	if (!kt_text_next_line(&explanation, &line) || !kt_text_starts_with(line, prefix))
		return (struct kt_text){0};
	line.data += prefix.len;
	line.len -= prefix.len;
	colon = find(line, ": ");
	return (struct kt_text){line.data, colon ? (size_t)(colon - line.data) : line.len};
}

static struct kt_error *add_of_kernel(struct kt_catalog_why *why, struct kt_text explanation)
{
	char *suggestion = NULL;
	struct kt_error *err;

	why->class = kernel_class(explanation);
	why->by_kernel = why->class.len;
	err = read_section(explanation, KT_TEXT("Reason:"), &why->reason);
	if (!err)
		err = read_section(explanation, KT_TEXT("Suggestion:"), &suggestion);
	if (!err && suggestion)
		why->remedies[why->n_remedies++] = suggestion;
	return err;
}

/* --- the answer --- */

static struct kt_error *fill(const char *template, const struct kt_facts *facts, char **ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;

	kt_template_fill(template, facts, &text);
	return kt_buf_finish(&text, ret);
}

static struct kt_error *add_of_entry(struct kt_catalog_why *why, const struct kt_facts *facts)
{
	struct kt_error *err = NULL;

	if (!why->class.len)
		why->class = text_of(why->entry->class);
	if (!why->reason)
		err = fill(why->entry->reason, facts, &why->reason);
	for (size_t i = 0; !err && why->entry->remedies[i]; i++) {
		char *remedy = NULL;

		err = fill(why->entry->remedies[i], facts, &remedy);
		/* One that is for other logs, "[<global>...]", is empty. */
		if (err || !*remedy)
			free(remedy);
		else
			why->remedies[why->n_remedies++] = remedy;
	}
	return err;
}

struct kt_error *kt_catalog_explain(const struct kt_log_last *last, struct kt_catalog_why *ret)
{
	struct kt_catalog_why why = {0};
	struct gathered g = {0};
	struct kt_error *err = NULL;

	if (last->outcome == KT_LAST_FAILED) {
		why.entry = refine(match_message(last, &g.facts), &g.facts);
		gather(&g, last);
		if (last->explanation.len)
			err = add_of_kernel(&why, last->explanation);
		if (!err && why.entry)
			err = add_of_entry(&why, &g.facts);
	}
	if (err) {
		kt_catalog_why_deinit(&why);
		return err;
	}
	*ret = why;
	return NULL;
}

struct kt_error *kt_catalog_general(const struct kt_catalog_entry *entry,
				    struct kt_catalog_why *ret)
{
	static const struct kt_facts none;
	struct kt_catalog_why why = {.entry = entry};
	struct kt_error *err = add_of_entry(&why, &none);

	if (err) {
		kt_catalog_why_deinit(&why);
		return err;
	}
	*ret = why;
	return NULL;
}

void kt_catalog_why_deinit(struct kt_catalog_why *why)
{
	free(why->reason);
	for (size_t i = 0; i < why->n_remedies; i++)
		free(why->remedies[i]);
	*why = (struct kt_catalog_why){0};
}

struct kt_error *kt_catalog_reason(const struct kt_catalog_entry *entry, char **ret)
{
	static const struct kt_facts none;

	return fill(entry->reason, &none, ret);
}
