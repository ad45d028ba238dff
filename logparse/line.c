// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/line.h"

/* A bounded look at a line; every helper leaves `at` where it is when it does not match. */
struct scan {
	const char *at, *end;
};

static bool take(struct scan *s, struct kt_text what)
{
	if ((size_t)(s->end - s->at) < what.len || memcmp(s->at, what.data, what.len) != 0)
		return false;
	s->at += what.len;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal number that fits an instruction index. */
static bool take_number(struct scan *s, uint32_t *ret)
{
	const char *p = s->at;
	uint64_t value = 0;

	while (p < s->end && is_digit(*p) && p - s->at < 10)
		value = value * 10 + (uint64_t)(*p++ - '0');
	if (p == s->at || (p < s->end && is_digit(*p)) || value >= KT_LINE_NO_INDEX)
		return false;
	s->at = p;
	*ret = (uint32_t)value;
	return true;
}

static void skip_spaces(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
		s->at++;
}

/*
 * Whether register state begins here: "R1_w=3", "frame1: R0=...", "fp-8=mmmm????", "refs=2",
 * " cb" behind a callback's state, or nothing, which is state that says nothing:
 *	30: (85) call bpf_iter_num_destroy#57994      ;
 */
static bool is_state(struct scan s)
{
	skip_spaces(&s);
	if (s.at == s.end)
		return true;
	switch (*s.at) {
	case 'R': return s.end - s.at > 1 && is_digit(s.at[1]);
	case 'f':
		if (take(&s, KT_TEXT("frame")))
			return s.at < s.end && is_digit(*s.at);
		return take(&s, KT_TEXT("fp-"));
	case 'r': return take(&s, KT_TEXT("refs="));
	case 'c': return take(&s, KT_TEXT("cb")) && s.at == s.end;
	default: return false;
	}
}

/* Of "(ad) if r3 < r2 goto pc-3": the opcode's class is BPF_JMP or BPF_JMP32, 5 or 6. */
static bool is_jump(const char *opcode)
{
	char low = opcode[2];

	return low == '5' || low == '6' || low == 'd' || low == 'e';
}

/* "R1=", "R10_w=": not "R1 type=scalar expected=fp", which is an error. */
static bool is_register(struct scan s)
{
	uint32_t reg;

	if (!take(&s, KT_TEXT("R")) || !take_number(&s, &reg) || reg > 10)
		return false;
	if (take(&s, KT_TEXT("_")))
		while (s.at < s.end && *s.at >= 'a' && *s.at <= 'z')
			s.at++;
	return take(&s, KT_TEXT("="));
}

/* Where " 11: R6=0 R10=fp0" begins, which is glued on behind an instruction; or NULL. */
static const char *find_glued(struct scan s)
{
	for (const char *p = s.at; (p = memchr(p, ':', (size_t)(s.end - p))); p++) {
		const char *number = p;

		while (number > s.at && is_digit(number[-1]))
			number--;
		if (number < p && number > s.at && number[-1] == ' ' && s.end - p > 2 &&
		    p[1] == ' ' && is_state((struct scan){p + 1, s.end}))
			return number - 1;
	}
	return NULL;
}

/*
 * Where an instruction's text ends and its state begins; the end where it has none. Up to
 * 6.1, state is also glued on behind a jump, with the index of the next instruction:
 *	8: (ad) if r3 < r2 goto pc-3          ; R0=scalar() R1=3
 *	8: (ad) if r3 < r2 goto pc-3 6: R0=scalar() R1=0
 *	8: (ad) if r3 < r2 goto pc-3 BPF program is too large. Processed 1000001 insn
 * Since 7.2 behind what is executed once for each sign of r6:
 *	11: (47) r6 |= 8 11: R6=0 R10=fp0
 */
static const char *insn_end(struct scan s)
{
	static const struct kt_text jump = {"goto pc", 7};
	const char *p = s.at;
	struct scan state;
	uint32_t index;

	while ((p = memchr(p, ';', (size_t)(s.end - p)))) {
		state = (struct scan){p + 1, s.end};
		if (p > s.at && (p[-1] == ' ' || p[-1] == '\t') && is_state(state)) {
			while (p > s.at && (p[-1] == ' ' || p[-1] == '\t'))
				p--;
			return p;
		}
		p++;
	}
	if (s.end - s.at > 4 && !is_jump(s.at)) {
		p = find_glued(s);
		return p ? p : s.end;
	}
	p = s.end - s.at > 4 ? memchr(s.at, 'g', (size_t)(s.end - s.at)) : NULL;
	if (!p || !kt_text_starts_with((struct kt_text){p, (size_t)(s.end - p)}, jump))
		return s.end;
	p += jump.len;
	if (p < s.end && (*p == '+' || *p == '-'))
		p++;
	while (p < s.end && is_digit(*p))
		p++;
	state = (struct scan){p, s.end};
	if (p == s.end || *p != ' ')
		return s.end;
	skip_spaces(&state);
	if (take_number(&state, &index) && !take(&state, KT_TEXT(":")))
		return s.end;
	return is_state(state) ? p : s.end;
}

/*
 * What libbpf puts in the place of an instruction that it has made invalid, because what it refers
 * to does not exist:
 *	1: <invalid kfunc call>
 *	1: <invalid CO-RE relocation>
 *	1: <invalid BPF map reference>
 */
static bool is_placeholder(struct scan s)
{
	return take(&s, KT_TEXT(" <invalid ")) && s.end[-1] == '>';
}

/* What begins with a number: an instruction, bare state, or "15: safe". */
static void read_indexed(struct scan s, const char *start, struct kt_line *ret)
{
	const char *colon;

	if (!take_number(&s, &ret->index) || !take(&s, KT_TEXT(":"))) {
		ret->index = KT_LINE_NO_INDEX;
		return;
	}
	colon = s.at;
	if ((s.end - s.at >= 5 && s.at[0] == ' ' && s.at[1] == '(' && s.at[4] == ')') ||
	    is_placeholder(s)) {
		s.at += 1;
		ret->kind = KT_LINE_INSN;
		ret->index_len = (size_t)(s.at - start);
		ret->fixed_len = (size_t)(insn_end(s) - start);
		return;
	}
	if (s.end - s.at == 5 && memcmp(s.at, " safe", 5) == 0) {
		ret->kind = KT_LINE_SAFE;
		ret->index_len = (size_t)(s.at + 1 - start);
	} else if (s.at < s.end && *s.at == ' ' && is_state(s)) {
		ret->kind = KT_LINE_STATE;
		ret->index_len = ret->fixed_len = (size_t)(colon - start);
	} else {
		ret->index_len = (size_t)(s.at - start) + (s.at < s.end && *s.at == ' ');
	}
}

/*
 * What begins with white space: state without an index, or a row of a listing (7.2 and later,
 * level 2; the middle one since 6.16):
 *	 R6_w=ptr_file() R8_w=0 R10=fp0
 *	  1   2: .12....... (bf) r3 = r2
 *	 10: (05) goto pc-9
 *	  5: (85) call bpf_iter_num_new#70246	r1: fp0-8 -> _
 */
static void read_indented(struct scan s, const char *start, struct kt_line *ret)
{
	uint32_t index, second;

	skip_spaces(&s);
	if (s.at == s.end) {
		ret->kind = KT_LINE_BLANK;
		ret->fixed_len = 0;
	} else if (*s.at == 'R' || *s.at == 'f') {
		if (!is_state(s))
			return;
		ret->kind = KT_LINE_STATE;
		ret->fixed_len = 0;
	} else if (take_number(&s, &index)) {
		skip_spaces(&s);
		if (take_number(&s, &second))
			index = second;
		if (!take(&s, KT_TEXT(":")))
			return;
		ret->kind = KT_LINE_TABLE;
		ret->index = index;
		ret->index_len = (size_t)(s.at - start) + (s.at < s.end && *s.at == ' ');
	}
}

/*
 * A branch that was put off, or pruned at once:
 *	from 44 to 34: R0_w=1 R1=pkt(off=14,r=54)
 *	from 41 to 48: safe
 *	from 3 to 5 (speculative execution): R0=...
 */
static bool read_pop(struct scan s, const char *start, struct kt_line *ret)
{
	uint32_t from, to;

	if (!take(&s, KT_TEXT("from ")) || !take_number(&s, &from) || !take(&s, KT_TEXT(" to ")) ||
	    !take_number(&s, &to))
		return false;
	take(&s, KT_TEXT(" (speculative execution)"));
	if (!take(&s, KT_TEXT(":")))
		return false;
	ret->kind = KT_LINE_POP;
	ret->from = from;
	ret->index = to;
	if (is_state(s))
		ret->fixed_len = (size_t)(s.at - start);
	return true;
}

/*
 * Precision tracking. 5.10 (the state has a line of its own there), 6.1, then 6.4 and later:
 *	parent didn't have regs=4 stack=0 marks
 *	last_idx 9 first_idx 2
 *	regs=2 stack=0 before 8: (bf) r2 = r3
 *	parent didn't have regs=2 stack=0 marks: R1_rw=P3 R10=fp0
 *	propagating r6
 *	mark_precise: frame0: last_idx 9 first_idx 2 subseq_idx -1
 *	mark_precise: frame0: regs=r1 stack= before 8: (bf) r2 = r3
 *	mark_precise: frame0: parent state regs=r1 stack=:  R1_rw=P3 R10=fp0
 *	frame 0: propagating r8,r9
 */
static bool is_precision(struct scan s)
{
	uint32_t frame;

	switch (*s.at) {
	case 'm': return take(&s, KT_TEXT("mark_precise: "));
	case 'l': return take(&s, KT_TEXT("last_idx "));
	case 'r': return take(&s, KT_TEXT("regs="));
	case 'p':
		return take(&s, KT_TEXT("parent didn't have regs=")) ||
		       take(&s, KT_TEXT("parent already had regs=")) ||
		       take(&s, KT_TEXT("propagating "));
	case 'f':
		return take(&s, KT_TEXT("force_precise: ")) ||
		       (take(&s, KT_TEXT("frame ")) && take_number(&s, &frame) &&
			take(&s, KT_TEXT(": propagating ")));
	default: return false;
	}
}

void kt_line_read(struct kt_text line, struct kt_line *ret)
{
	struct scan s;

	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	s = (struct scan){line.data, line.data + line.len};
	*ret = (struct kt_line){
		.kind = KT_LINE_TEXT,
		.index = KT_LINE_NO_INDEX,
		.from = KT_LINE_NO_INDEX,
		.fixed_len = line.len,
	};
	if (!line.len) {
		ret->kind = KT_LINE_BLANK;
		return;
	}
	switch (*s.at) {
	case '0' ... '9': read_indexed(s, line.data, ret); return;
	case ' ':
	case '\t': read_indented(s, line.data, ret); return;
	case ';': ret->kind = KT_LINE_SOURCE; return;
	case 'R': /* state whose blank before it got lost: "R0=inv(id=0) R1_w=inv66 R10=fp0" */
		if (is_register(s)) {
			ret->kind = KT_LINE_STATE;
			ret->fixed_len = 0;
		}
		return;
	case 'a': /* among the rows of a listing: "arg JOIN insn 5 -> 7 r1: fp0-8 + fp0 ? => fp0 ?"
		   */
		if (take(&s, KT_TEXT("arg JOIN insn ")))
			ret->kind = KT_LINE_TABLE;
		return;
	case '-':
		if (line.len > 8 && take(&s, KT_TEXT("--- ")) && memcmp(s.end - 4, " ---", 4) == 0)
			ret->kind = KT_LINE_MARK;
		return;
	case 'S':
		if (take(&s, KT_TEXT("SCC ")))
			ret->kind = KT_LINE_NOTE;
		return;
	default:
		if (is_precision(s))
			ret->kind = KT_LINE_PRECISION;
		else if (*s.at == 'f')
			read_pop(s, line.data, ret);
	}
}

/* Behind the next blank, or the end. */
static void skip_word(struct scan *s)
{
	const char *p = memchr(s->at, ' ', (size_t)(s->end - s->at));

	s->at = p ? p + 1 : s->end;
}

void kt_precision_parts(struct kt_text line, struct kt_text *what, struct kt_text *insn)
{
	struct scan s = {line.data, line.data + line.len};
	uint32_t index;

	if (line.len && s.end[-1] == '\r')
		s.end--;
	if (take(&s, KT_TEXT("mark_precise: ")) || take(&s, KT_TEXT("force_precise: ")) ||
	    take(&s, KT_TEXT("frame ")))
		skip_word(&s); /* "frame0:" */
	*what = (struct kt_text){line.data, 0};
	*insn = (struct kt_text){s.end, 0};
	while (s.at < s.end && ((*s.at >= 'a' && *s.at <= 'z') || *s.at == '_'))
		s.at++;
	what->len = (size_t)(s.at - line.data);
	skip_word(&s); /* "regs=r1", and then "stack=" */
	skip_word(&s);
	if (take(&s, KT_TEXT("before ")) && take_number(&s, &index) && take(&s, KT_TEXT(":")))
		*insn = (struct kt_text){s.at, (size_t)(s.end - s.at)};
}

void kt_normalize_verifier_line(struct kt_text line, struct kt_buf *out)
{
	struct kt_text what, insn;
	struct kt_line l;

	kt_line_read(line, &l);
	if (l.kind != KT_LINE_PRECISION) {
		kt_buf_append(out, line.data, l.fixed_len);
		return;
	}
	kt_precision_parts(line, &what, &insn);
	kt_buf_append(out, what.data, what.len);
	if (insn.len) {
		kt_buf_appends(out, " before:");
		kt_buf_append(out, insn.data, insn.len);
	}
}
