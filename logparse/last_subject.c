// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/last_subject.h"

#include <ctype.h>
#include <stdio.h>

#include "logparse/last_walk.h"
#include "logparse/value.h"

uint32_t kt_last_number_behind(struct kt_text text, const char *what)
{
	const char *p = kt_path_find(text, what), *end;
	uint64_t n = 0;

	if (!p)
		return KT_LINE_NO_INDEX;
	end = text.data + text.len;
	p += strlen(what);
	if (p == end || !isdigit((unsigned char)*p))
		return KT_LINE_NO_INDEX;
	for (; p < end && isdigit((unsigned char)*p) && n < UINT32_MAX; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	return n < UINT32_MAX ? (uint32_t)n : KT_LINE_NO_INDEX;
}

static struct kt_last_subject *add_subject(struct kt_log_last *out, enum kt_last_subject_kind kind,
					   int32_t number, bool named)
{
	struct kt_last_subject *s;

	for (size_t i = 0; i < out->n_subjects; i++)
		if (out->subjects[i].kind == kind && out->subjects[i].number == number)
			return NULL;
	if (out->n_subjects == KT_LAST_MAX_SUBJECTS)
		return NULL;
	s = &out->subjects[out->n_subjects++];
	*s = (struct kt_last_subject){.kind = kind, .number = number, .named = named};
	return s;
}

/* Adds each register that text names: a letter, its number, and no part of a longer word. */
static void add_registers(struct kt_log_last *out, struct kt_text text, const char *letters,
			  bool named)
{
	for (size_t i = 0; i + 1 < text.len; i++) {
		size_t n = i + 1;
		int32_t number = 0;

		if (!strchr(letters, text.data[i]) || !text.data[i] ||
		    (i && (isalnum((unsigned char)text.data[i - 1]) || text.data[i - 1] == '_')))
			continue;
		for (; n < text.len && n < i + 3 && isdigit((unsigned char)text.data[n]); n++)
			number = number * 10 + (text.data[n] - '0');
		if (n == i + 1 || number > 10 ||
		    (n < text.len && (isalnum((unsigned char)text.data[n]) || text.data[n] == '_')))
			continue;
		add_subject(out, KT_LAST_SUBJECT_REG, number, named);
	}
}

/*
 * The stack slot that a message is about:
 *	invalid read from stack off -16+0 size 8			5.10
 *	invalid indirect access to stack R3 off=-16 size=32		6.1
 *	invalid read from stack R2 off -4+0 size 4
 */
static void add_slot(struct kt_log_last *out, struct kt_text line)
{
	const char *p = kt_path_find(line, " off"), *end = p ? line.data + line.len : p;
	int32_t offset = 0, add = 0;

	if (!p || !kt_path_find(line, "stack") || end - p < 7 || (p[4] != ' ' && p[4] != '=') ||
	    p[5] != '-')
		return;
	for (p += 6; p < end && isdigit((unsigned char)*p) && offset < 10000; p++)
		offset = offset * 10 + (*p - '0');
	if (p < end && *p == '+')
		for (p++; p < end && isdigit((unsigned char)*p) && add < 10000; p++)
			add = add * 10 + (*p - '0');
	if (offset > add && offset <= 512)
		add_subject(out, KT_LAST_SUBJECT_SLOT, add - offset, true);
}

/*
 * Arguments of functions, of which R1 is the first:
 *	arg#0 pointer type STRUCT task_struct must point to scalar, or struct with scalar
 *	kernel function bpf_x args#0 expected pointer to ctx, but got scalar	5.13 to 6.1
 *	expected an initialized iter_num as arg #0				6.12
 *	Possibly NULL pointer passed to trusted arg0
 *	Possibly NULL pointer passed to helper arg2		of a helper it is the register: R2
 *	Expected an initialized dynptr as arg #1		6.1, likewise
 */
static void add_arguments(struct kt_log_last *out, struct kt_text line)
{
	struct kt_text rest = line;
	const char *p;

	while ((p = kt_path_find(rest, "arg"))) {
		bool is_reg = (p - line.data >= 7 && !memcmp(p - 7, "helper ", 7)) ||
			      kt_text_starts_with(line, KT_TEXT("Expected a"));

		rest.len -= (size_t)(p + 3 - rest.data);
		rest.data = p + 3;
		for (size_t i = 0; rest.len && i < 2 && strchr("s #", rest.data[0]); i++) {
			rest.data++;
			rest.len--;
		}
		if (rest.len && rest.data[0] >= '0' && rest.data[0] < '5' &&
		    (rest.len == 1 || !isdigit((unsigned char)rest.data[1])))
			add_subject(out, KT_LAST_SUBJECT_REG, rest.data[0] - '0' + !is_reg, true);
	}
}

/* Adds the subjects that the message names. Returns the instruction that took a reference. */
static uint32_t add_named(struct kt_log_last *out)
{
	struct kt_text rest = out->error, line;
	uint32_t acquired = KT_LINE_NO_INDEX, id;

	while (kt_text_next_line(&rest, &line)) {
		if (kt_text_starts_with(line, KT_TEXT("cur state:")) ||
		    kt_text_starts_with(line, KT_TEXT("old state:")) ||
		    kt_text_starts_with(line, KT_TEXT(";")))
			continue;
		/* "Unreleased reference id=2 alloc_insn=4" */
		id = kt_last_number_behind(line, "reference id=");
		if (id < INT32_MAX && acquired == KT_LINE_NO_INDEX) {
			acquired = kt_last_number_behind(line, "alloc_insn=");
			if (acquired != KT_LINE_NO_INDEX)
				add_subject(out, KT_LAST_SUBJECT_REF, (int32_t)id, true);
		}
		add_registers(out, line, "R", true);
		add_slot(out, line);
		if (out->at.insn.len && kt_path_find(out->at.insn, "call "))
			add_arguments(out, line);
	}
	return acquired;
}

/*
 * The registers of an instruction whose error names none ("only read is supported"): of an
 * access the base of the address, else all. LD_ABS and LD_IND only write r0.
 *	(63) *(u32 *)(r1 +0) = r2
 *	(50) r0 = *(u16 *)skb[r7 + 2]
 */
static void add_of_insn(struct kt_log_last *out)
{
	struct kt_text insn = out->at.insn, base;
	const char *p = kt_path_find(insn, " *)(");

	if (insn.len < 5 || insn.data[0] != '(' || kt_path_find(insn, "call "))
		return;
	if (!p) {
		const char *skb = kt_path_find(insn, " *)skb[");
		size_t front = skb ? (size_t)(skb - insn.data) : 4;

		insn.data += front;
		insn.len -= front;
		add_registers(out, insn, "rw", false);
		return;
	}
	base = (struct kt_text){p + 4, (size_t)(insn.data + insn.len - p - 4)};
	if (base.len > 3)
		base.len = 3;
	add_registers(out, base, "r", false);
}

static uint32_t add_subjects(struct kt_log_last *last)
{
	uint32_t acquired;

	/* An instruction that libbpf made invalid has no registers; names in its message are
	 * others'. */
	if (last->at.insn.len && last->at.insn.data[0] == '<')
		return KT_LINE_NO_INDEX;
	acquired = add_named(last);
	if (!last->n_subjects)
		add_of_insn(last);
	return acquired;
}

/* What stands behind `what` in the line, up to one of the characters of end. */
static struct kt_text text_behind(struct kt_text line, const char *what, const char *end)
{
	const char *p = kt_path_find(line, what);
	struct kt_text ret = {0};

	if (!p)
		return ret;
	ret.data = p + strlen(what);
	while (ret.data + ret.len < line.data + line.len && !strchr(end, ret.data[ret.len]))
		ret.len++;
	return ret;
}

/*
 * What the message says of a register's type:
 *	R7 invalid mem access 'scalar'
 *	R1 type=inv expected=sock_common, sock, tcp_sock, xdp_sock, ptr_
 *	R2 pointer arithmetic on map_value_or_null prohibited, null-check it first
 *	R6 !read_ok
 *	arg#0 expected pointer to ctx, but got scalar
 */
static void read_type(const struct kt_log_last *last, int32_t reg, struct kt_last_query *query)
{
	struct kt_text rest = last->error, line;
	char what[64];

	while (kt_text_next_line(&rest, &line)) {
		snprintf(what, sizeof(what), "R%d !read_ok", reg);
		query->unreadable |= kt_path_find(line, what) != NULL;
		snprintf(what, sizeof(what), "R%d invalid mem access '", reg);
		if (!query->type.len)
			query->type = text_behind(line, what, "'\n");
		snprintf(what, sizeof(what), "R%d type=", reg);
		if (!query->type.len)
			query->type = text_behind(line, what, " \n");
		snprintf(what, sizeof(what), "R%d pointer arithmetic on ", reg);
		if (!query->type.len)
			query->type = text_behind(line, what, " \n");
		snprintf(what, sizeof(what), "arg#%d expected pointer to ctx, but got ", reg - 1);
		if (!query->type.len)
			query->type = text_behind(line, what, " \n");
	}
}

/* Is it the size of an access, or where it leads to, that the verifier does not accept? */
static bool is_about_bounds(struct kt_text error)
{
	static const char *const words[] = {
		"outside of the allowed memory range", /* "R1 max value is outside of the ..." */
		"unbounded",                           /* "R2 unbounded memory access, ..." */
		"min value is negative",               /* "R4 min value is negative, either ..." */
		"invalid access to ",                  /* "invalid access to map value, ..." */
		"invalid variable-offset",             /* "... indirect access to stack R2 ..." */
		"variable offset",                     /* "... variable offset var_off=..." */
		"invalid zero-size", /* "R2 invalid zero-sized read: u64=[0,32]" */
		"invalid indirect",  /* "invalid indirect access to stack ..." */
		"to stack R",        /* "invalid write to stack R1 off=-8 size=16" */
		"from stack R",
		" off=",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (kt_path_find(error, words[i]))
			return true;
	return false;
}

struct asking {
	const struct kt_path *path;
	const struct kt_path_sources *sources;
	struct kt_log_last *last;
};

/* What a register holds just before the instruction that failed. */
static bool value_of(const struct asking *a, int32_t reg, struct kt_text *ret)
{
	struct kt_last_subject subject = {.kind = KT_LAST_SUBJECT_REG, .number = reg};
	struct kt_last_query query = {.acquired = KT_LINE_NO_INDEX};

	kt_path_explain(a->path, a->sources, &query, &subject);
	*ret = subject.value;
	return ret->len;
}

/*
 * Helpers that take memory, and its size in the next register. Their messages name the memory
 * alone. The log proves which register is the size, where it prints its value:
 *	invalid access to map value, value_size=70 off=0 size=16383	R2=scalar(umax=16383)
 *	invalid indirect access to stack R1 off=-8 size=16		R2=16
 * These messages name the size itself:
 *	R2 min value is negative, either use unsigned or 'var &= const'
 *	R2 unbounded memory access, use 'var &= const' or 'if (var < const)'
 *	R2 invalid zero-sized read: u64=[0,32]
 */
static void find_size(const struct asking *a)
{
	struct kt_log_last *last = a->last;
	uint32_t size = kt_last_number_behind(last->error, " size=");
	struct kt_text value;
	uint64_t max;
	int32_t reg;

	if (!kt_path_find(last->at.insn, "call ") || !last->n_subjects ||
	    last->subjects[0].kind != KT_LAST_SUBJECT_REG)
		return;
	reg = last->subjects[0].number;
	if (kt_path_find(last->error, "use unsigned or 'var &= const'") ||
	    kt_path_find(last->error, "unbounded memory access, use 'var") ||
	    kt_path_find(last->error, " invalid zero-sized ")) {
		last->subjects[0].role = KT_LAST_ROLE_SIZE;
		return;
	}
	if (size == KT_LINE_NO_INDEX)
		size = kt_last_number_behind(last->error, " size ");
	if (size == KT_LINE_NO_INDEX || reg < 1 || reg > 4 || !value_of(a, reg + 1, &value) ||
	    kt_value_rank(value) != KT_VALUE_SCALAR || !kt_value_max(value, &max) || max != size)
		return;
	if (add_subject(last, KT_LAST_SUBJECT_REG, reg + 1, false))
		last->subjects[last->n_subjects - 1].role = KT_LAST_ROLE_SIZE;
}

static void explain(const struct asking *a, struct kt_last_query *query, size_t i)
{
	struct kt_last_subject *subject = &a->last->subjects[i];

	if (subject->kind == KT_LAST_SUBJECT_REG)
		read_type(a->last, subject->number, query);
	kt_path_explain(a->path, a->sources, query, subject);
}

/* The register that was added to an address, or to a size, that is out of bounds. */
static void add_offset(const struct asking *a, struct kt_last_query *found)
{
	struct kt_log_last *last = a->last;
	struct kt_last_subject *subject;

	if (last->n_subjects == KT_LAST_MAX_SUBJECTS)
		return;
	subject = &last->subjects[last->n_subjects++];
	*subject = (struct kt_last_subject){
		.kind = KT_LAST_SUBJECT_REG,
		.role = KT_LAST_ROLE_OFFSET,
		.number = (int32_t)found->operand,
	};
	*found = (struct kt_last_query){
		.acquired = KT_LINE_NO_INDEX,
		.step = found->operand_step,
	};
	kt_path_explain(a->path, a->sources, found, subject);
}

void kt_last_find_subjects(const struct kt_path *path, const struct kt_path_sources *sources,
			   struct kt_log_last *last)
{
	struct asking a = {path, sources, last};
	struct kt_last_query added = {0};
	uint32_t acquired = add_subjects(last);
	bool bounds = is_about_bounds(last->error);

	if (bounds)
		find_size(&a);
	for (size_t i = 0, n = last->n_subjects; i < n; i++) {
		struct kt_last_query query = {.acquired = acquired};

		explain(&a, &query, i);
		if (query.operand_step && !added.operand_step)
			added = query;
	}
	if (bounds && added.operand_step)
		add_offset(&a, &added);
}
