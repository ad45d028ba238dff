// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/last_subject.h"

#include <ctype.h>

#include "logparse/last_path.h"

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
 */
static void add_arguments(struct kt_log_last *out, struct kt_text line)
{
	struct kt_text rest = line;
	const char *p;

	while ((p = kt_path_find(rest, "arg"))) {
		rest.len -= (size_t)(p + 3 - rest.data);
		rest.data = p + 3;
		for (size_t i = 0; rest.len && i < 2 && strchr("s #", rest.data[0]); i++) {
			rest.data++;
			rest.len--;
		}
		if (rest.len && rest.data[0] >= '0' && rest.data[0] < '5' &&
		    (rest.len == 1 || !isdigit((unsigned char)rest.data[1])))
			add_subject(out, KT_LAST_SUBJECT_REG, rest.data[0] - '0' + 1, true);
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
 * access the base of the address, else all.
 *	(63) *(u32 *)(r1 +0) = r2
 */
static void add_of_insn(struct kt_log_last *out)
{
	struct kt_text insn = out->at.insn, base;
	const char *p = kt_path_find(insn, " *)(");

	if (insn.len < 5 || insn.data[0] != '(' || kt_path_find(insn, "call "))
		return;
	if (!p) {
		insn.data += 4;
		insn.len -= 4;
		add_registers(out, insn, "rw", false);
		return;
	}
	base = (struct kt_text){p + 4, (size_t)(insn.data + insn.len - p - 4)};
	if (base.len > 3)
		base.len = 3;
	add_registers(out, base, "r", false);
}

uint32_t kt_last_add_subjects(struct kt_log_last *last)
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
