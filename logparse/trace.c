// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/trace.h"

#include "logparse/state.h"

static void skip_blanks(struct kt_text *text)
{
	while (text->len && (text->data[0] == ' ' || text->data[0] == '\t'))
		kt_text_skip(text, 1);
}

static void trim_end(struct kt_text *text)
{
	while (text->len && memchr(" \t\r", text->data[text->len - 1], 4))
		text->len--;
}

/* A decimal number below 2^32 - 1 off the front. */
static bool take_number(struct kt_text *text, uint32_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < text->len && text->data[n] >= '0' && text->data[n] <= '9'; n++) {
		value = value * 10 + (uint64_t)(text->data[n] - '0');
		if (value >= UINT32_MAX)
			return false;
	}
	if (!n)
		return false;
	kt_text_skip(text, n);
	*ret = (uint32_t)value;
	return true;
}

static bool starts_with_any(struct kt_text line, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (kt_text_starts_with(line, (struct kt_text){*prefixes, strlen(*prefixes)}))
			return true;
	return false;
}

/* See trace.h. The text itself may hold an " @ "; the place is behind the last one. */
bool kt_source_ref_read(struct kt_text line, struct kt_source_ref *ret)
{
	struct kt_text text = line, place, rest;
	const char *at = NULL, *colon = NULL;
	uint32_t number;

	if (!kt_text_take(&text, KT_TEXT(";")))
		return false;
	trim_end(&text);
	*ret = (struct kt_source_ref){.text = text};
	for (size_t i = text.len; i >= 3 && !at; i--)
		if (memcmp(text.data + i - 3, " @ ", 3) == 0)
			at = text.data + i - 3;
	if (at) {
		place = (struct kt_text){at + 3, (size_t)(text.data + text.len - at - 3)};
		colon = memrchr(place.data, ':', place.len);
	}
	if (colon) {
		rest = (struct kt_text){colon + 1, (size_t)(place.data + place.len - colon - 1)};
		if (take_number(&rest, &number) && !rest.len) {
			ret->text.len = (size_t)(at - text.data);
			ret->file = (struct kt_text){place.data, (size_t)(colon - place.data)};
			ret->line = number;
		}
	}
	skip_blanks(&ret->text);
	trim_end(&ret->text);
	return true;
}

bool kt_source_line_is_rest(struct kt_text line)
{
	struct kt_state_items it;
	struct kt_state_item item;

	if (!kt_text_take(&line, KT_TEXT(";")))
		return false;
	kt_state_items_init(&it, line);
	while (kt_state_items_next(&it, &item))
		if (item.place == KT_PLACE_REG || item.place == KT_PLACE_SLOT)
			return true;
	return false;
}

void kt_trace_init(struct kt_trace *trace, struct kt_text log)
{
	*trace = (struct kt_trace){.rest = log, .line = 1, .return_to = KT_LINE_NO_INDEX};
}

/* Looks at the first line of rest. False: there is none. */
static bool peek(struct kt_trace *trace)
{
	struct kt_text rest = trace->rest;

	if (trace->line_size)
		return true;
	if (!kt_text_next_line(&rest, &trace->line_text))
		return false;
	trace->line_size = trace->rest.len - rest.len;
	kt_line_read(trace->line_text, &trace->read);
	if (trace->line_text.len && trace->line_text.data[trace->line_text.len - 1] == '\r')
		trace->line_text.len--;
	return true;
}

/* The line that was looked at becomes part of the event. */
static void consume(struct kt_trace *trace, struct kt_event *ev)
{
	ev->text.len += trace->line_size;
	ev->n_lines++;
	trace->line++;
	kt_text_skip(&trace->rest, trace->line_size);
	trace->line_size = 0;
}

/* State that is printed says at which depth it is; it begins with "frame1:" but for depth 0. */
static void take_state(struct kt_trace *trace, struct kt_event *ev, struct kt_text state)
{
	struct kt_state_items it;

	skip_blanks(&state);
	trim_end(&state);
	kt_state_items_init(&it, state);
	ev->state = state;
	ev->frame = trace->frame = it.frame;
}

/*
 * cilium/ebpf makes one line of the log's last two. No instruction has a colon and a blank in it:
 *	7: (61) r0 = *(u32 *)(r0 +0): R0 invalid mem access 'scalar'
 */
static size_t before_colon(struct kt_text insn)
{
	const char *p = insn.len ? memmem(insn.data, insn.len, ": ", 2) : NULL;

	return p ? (size_t)(p - insn.data) : insn.len;
}

/*
 * Where an instruction ends that something is glued to, when the verifier's log was taken back
 * to behind it (level 1):
 *	8: (ad) if r3 < r2 goto pc-3 BPF program is too large. Processed 1000001 insn
 *	36: (55) if r3 != 0x7 goto pc-3 34: R1=trusted_ptr_task_struct() R3=scalar() R10=fp0
 *	7: (85) call bpf_iter_num_next#70247 8: R0=...
 * It is the word behind "goto" or "call".
 */
static size_t insn_len(struct kt_text insn)
{
	static const char *const words[] = {"goto ", "gotol ", "may_goto ", "call "};
	const char *end = insn.data + insn.len, *p = NULL;

	for (size_t i = 0; i < 4 && !p; i++) {
		p = memmem(insn.data, insn.len, words[i], strlen(words[i]));
		if (p)
			p += strlen(words[i]);
	}
	if (!p) {
		p = memmem(insn.data, insn.len, " BPF program is too large.", 26);
		return p ? (size_t)(p - insn.data) : before_colon(insn);
	}
	/* A newline may be written as "\\n" still. */
	while (p < end && *p != ' ' && *p != '\\')
		p++;
	return (size_t)(p - insn.data) - (p < end && p[-1] == ':');
}

static uint8_t hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0');
	return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : 0;
}

/* Classes 5 and 6, BPF_JMP and BPF_JMP32, but for "(05) goto pc+2", "(06) gotol" and "(95) exit".
 */
static bool may_branch(uint8_t opcode)
{
	return ((opcode & 7) == 5 || (opcode & 7) == 6) && opcode != 0x05 && opcode != 0x06 &&
	       opcode != 0x95;
}

static bool is_alu(uint8_t opcode)
{
	return (opcode & 7) == 4 || (opcode & 7) == 7;
}

static bool is_call(uint8_t opcode)
{
	return opcode == 0x85 || opcode == 0x8d;
}

/*
 * Behind a semicolon. A jump alters little: who prints the frame pointer with it prints
 * everything. A call alters that much when a callback has returned. What is no state is a source
 * line, and only a branch that was taken up puts it there; but "(95) exit ; Return value".
 */
static void read_comment(struct kt_trace *trace, struct kt_event *ev, struct kt_text comment)
{
	struct kt_text text = comment;

	kt_text_skip(&text, 1);
	skip_blanks(&text);
	if (text.len && !kt_state_is(text)) {
		ev->resumed = may_branch(ev->opcode);
		if (ev->resumed)
			ev->behind = comment;
		return;
	}
	take_state(trace, ev, text);
	ev->resumed = may_branch(ev->opcode) && !is_call(ev->opcode) && ev->state.len &&
		      memmem(ev->state.data, ev->state.len, "R10=", 4);
}

/*
 * What stands behind an instruction: "       ; R1_w=3", a message, or what follows where the log
 * was taken back to here (level 1):
 *	12: (56) if w0 != 0x7 goto pc-3 10: R10=fp0
 *	8: (16) if w1 == 0x0 goto pc+4 ; total++; @ branch.bpf.c:46
 *	11: (47) r6 |= 8 11: R6=0 R10=fp0	7.2: once for each sign of r6
 */
static void read_behind(struct kt_trace *trace, struct kt_event *ev, struct kt_text rest)
{
	struct kt_text glued;
	uint32_t index;

	if (!kt_text_take(&rest, KT_TEXT(":")))
		kt_text_take(&rest, KT_TEXT("\\n"));
	skip_blanks(&rest);
	trim_end(&rest);
	glued = rest;
	if (kt_text_starts_with(rest, KT_TEXT(";"))) {
		read_comment(trace, ev, rest);
	} else if (take_number(&glued, &index) && kt_text_take(&glued, KT_TEXT(":")) &&
		   kt_state_is(glued)) {
		take_state(trace, ev, glued);
		ev->resumed = may_branch(ev->opcode) || is_alu(ev->opcode);
	} else if (kt_state_is(rest)) {
		take_state(trace, ev, rest);
	} else {
		ev->message = rest;
	}
}

static void read_insn(struct kt_trace *trace, struct kt_event *ev)
{
	const struct kt_line *read = &trace->read;
	struct kt_text line = trace->line_text;
	uint32_t frame = trace->frame;
	size_t len;

	ev->insn = (struct kt_text){line.data + read->index_len, line.len - read->index_len};
	if (ev->insn.len >= 4 && ev->insn.data[0] == '(')
		ev->opcode = (uint8_t)(hex_digit(ev->insn.data[1]) << 4 |
				       hex_digit(ev->insn.data[2]));
	/* If kt_line_read() saw state, it knows where the state begins. */
	if (read->fixed_len >= read->index_len && read->fixed_len < line.len)
		len = read->fixed_len - read->index_len;
	else
		len = insn_len(ev->insn);
	read_behind(trace, ev,
		    (struct kt_text){ev->insn.data + len,
				     (size_t)(line.data + line.len - ev->insn.data) - len});
	ev->insn.len = len;
	trim_end(&ev->insn);
	ev->index = read->index;
	/*
	 * The state says it, too, which matters where the log begins inside a function. What stands
	 * behind an exit is of what follows.
	 */
	/* State that is glued to a call is that of the callback that it enters. */
	if (ev->state.len && ev->opcode != 0x95 && !(is_call(ev->opcode) && ev->resumed))
		ev->frame = trace->frame;
	else
		ev->frame = frame;
	trace->return_to = KT_LINE_NO_INDEX;
}

static bool is_stats(struct kt_text line)
{
	static const char *const prefixes[] = {
		"processed ",         /* "processed 8 insns (limit 1000000) ..." */
		"verification time ", /* "verification time 534 usec" */
		"stack depth ",       /* "stack depth 8+0+0 max 16" */
		"insns processed ",   /* "insns processed 14+122"; 7.2 */
		NULL,
	};
	uint32_t n;

	/* "subprog 1 (glob_fn) global insns_self 122 insns_total 122 stack 0"; 7.3 */
	return starts_with_any(line, prefixes) ||
	       (kt_text_take(&line, KT_TEXT("subprog ")) && take_number(&line, &n) &&
		kt_text_take(&line, KT_TEXT(" (")));
}

/* The headings of what is listed before the trace; level 2. */
static bool is_listing(struct kt_text line)
{
	static const char *const prefixes[] = {
		"subprog#",       /* "subprog#0: analyzing (depth 0)...", "subprog#0 main:" */
		"stack use/def ", /* "stack use/def subprog#0 bad_leak (d0,cs0):" */
		"Live regs before insn:", /* since 6.16 */
		"topo_order[",            /* "topo_order[0] = bad_leak"; 7.2 */
		NULL,
	};

	return starts_with_any(line, prefixes);
}

/* "func#1 @13" */
static bool is_func_row(struct kt_text line)
{
	uint32_t n;

	return kt_text_take(&line, KT_TEXT("func#")) && take_number(&line, &n) &&
	       kt_text_take(&line, KT_TEXT(" @")) && take_number(&line, &n);
}

/*
 * What the verifier says in passing:
 *	reg type unsupported for arg#0 function bad_leak#51		6.1, each program
 *	arg#0 reference type('UNKNOWN ') size cannot be determined: -22	6.12, likewise
 *	Global function bad_enqueue() doesn't return scalar. Only those are supported.	6.16
 *	func 'vfs_open' arg1 has btf_id 420 type STRUCT 'file'
 *	Func#1 ('glob_fn') is global and assumed valid.
 *	Func#1 is safe for any args that match its prototype
 *	(5) frame 0 insn 3 +live -2
 * The first three are errors where a global function is validated by itself.
 */
static bool is_note(const struct kt_trace *trace, struct kt_text line)
{
	struct kt_text rest = line;
	uint32_t n;

	if (kt_text_take(&rest, KT_TEXT("arg#")))
		return !trace->after_subprog && take_number(&rest, &n) &&
		       kt_text_starts_with(rest, KT_TEXT(" reference type("));
	if (kt_text_starts_with(line, KT_TEXT("reg type unsupported for arg#")))
		return !trace->after_subprog;
	if (kt_text_starts_with(line, KT_TEXT("Global function ")))
		return !trace->after_subprog && memmem(line.data, line.len, "return scalar", 13);
	if (kt_text_starts_with(line, KT_TEXT("func '")))
		return memmem(line.data, line.len, " has btf_id ", 12);
	if (kt_text_take(&rest, KT_TEXT("Func#")))
		return memmem(rest.data, rest.len, " is global and ", 15) ||
		       memmem(rest.data, rest.len, " is safe for ", 13);
	return kt_text_take(&rest, KT_TEXT("(")) && take_number(&rest, &n) &&
	       kt_text_take(&rest, KT_TEXT(") frame "));
}

/*
 * The block of 7.3. Its own lines are blank, indented or headings; what comes behind it may
 * be "BPF_EXIT instruction in main prog would lead to reference leak".
 *
 *	Verification failed: Memory Safety: Access outside bounds
 *
 *	Reason:
 *	  The verifier cannot prove offset + access_size <= object_size. ...
 */
static void read_explanation(struct kt_trace *trace, struct kt_event *ev)
{
	struct kt_text line;

	ev->kind = KT_EVENT_EXPLANATION;
	do {
		consume(trace, ev);
		if (!peek(trace))
			return;
		line = trace->line_text;
	} while (!line.len || kt_text_starts_with(line, KT_TEXT("  ")) ||
		 (line.data[0] >= 'A' && line.data[0] <= 'Z' && line.data[line.len - 1] == ':'));
}

/*
 * Rows of tables. From the hundredth on a row looks as an executed instruction does, since its
 * index has three columns.
 */
static void read_table(struct kt_trace *trace, struct kt_event *ev)
{
	bool listing = false;

	ev->kind = KT_EVENT_TABLE;
	do {
		listing |= is_listing(trace->line_text) || trace->read.kind == KT_LINE_TABLE;
		consume(trace, ev);
		if (!peek(trace))
			return;
	} while (trace->read.kind == KT_LINE_TABLE || is_listing(trace->line_text) ||
		 is_func_row(trace->line_text) ||
		 (listing && trace->read.kind == KT_LINE_INSN && trace->read.index >= 100));
}

/*
 * Backtracking. Up to 6.3 the state that it came to stands on a line of its own, before
 * "parent ..."; up to 5.16 without that:
 *	regs=1 stack=0 before 10: (bf) r2 = r0
 *	 R0_rw=invP(id=0) R6_rw=map_value(id=0,off=0,ks=4,vs=12,imm=0) R10=fp0
 *	parent already had regs=1 stack=0 marks
 */
static void read_precision(struct kt_trace *trace, struct kt_event *ev)
{
	bool over;

	ev->kind = KT_EVENT_PRECISION;
	do {
		over = kt_text_starts_with(trace->line_text, KT_TEXT("parent ")) ||
		       kt_text_starts_with(trace->line_text, KT_TEXT("mark_precise: "));
		consume(trace, ev);
		if (!peek(trace))
			return;
	} while (trace->read.kind == KT_LINE_PRECISION ||
		 (!over && trace->read.kind == KT_LINE_STATE &&
		  trace->read.index == KT_LINE_NO_INDEX));
}

/* A line of state without an index, which a heading was. */
static void take_frame_state(struct kt_trace *trace, struct kt_event *ev)
{
	if (!peek(trace) || trace->read.kind != KT_LINE_STATE ||
	    trace->read.index != KT_LINE_NO_INDEX)
		return;
	take_state(trace, ev, trace->line_text);
	consume(trace, ev);
}

/*
 *	caller:
 *	 R6_w=fp(off=-300,umax=3,var_off=(0x0; 0x3)) R10=fp0 fp-304=mmmm????
 *	callee:
 *	 frame1: R1_w=scalar(umax=3,var_off=(0x0; 0x3)) R10=fp0
 */
static void read_call(struct kt_trace *trace, struct kt_event *ev)
{
	ev->kind = KT_EVENT_CALL;
	consume(trace, ev);
	take_frame_state(trace, ev);
	if (!peek(trace) || !kt_text_starts_with(trace->line_text, KT_TEXT("callee:")))
		return;
	consume(trace, ev);
	take_frame_state(trace, ev);
}

/* "to caller at 9:" */
static bool is_to_caller(struct kt_text line, uint32_t *ret)
{
	return kt_text_take(&line, KT_TEXT("to caller at ")) && take_number(&line, ret) &&
	       kt_text_starts_with(line, KT_TEXT(":"));
}

static void read_to_caller(struct kt_trace *trace, struct kt_event *ev, uint32_t index)
{
	ev->kind = KT_EVENT_RETURN;
	ev->index = trace->return_to = index;
	consume(trace, ev);
	take_frame_state(trace, ev);
}

/*
 *	returning from callee:
 *	 frame1: R0_w=scalar(umax=255,var_off=(0x0; 0xff)) R1_w=3 R10=fp0
 *	to caller at 9:
 *	 R0_w=scalar(umax=255,var_off=(0x0; 0xff)) R6=fp-300 R10=fp0
 */
static void read_return(struct kt_trace *trace, struct kt_event *ev)
{
	uint32_t index;

	ev->kind = KT_EVENT_RETURN;
	consume(trace, ev);
	take_frame_state(trace, ev);
	if (peek(trace) && is_to_caller(trace->line_text, &index))
		read_to_caller(trace, ev, index);
}

/*
 *	from 44 to 34: R0_w=1 R1=pkt(off=14,r=54)
 *	from 41 to 48: safe
 *	from 3 to 5 (speculative execution): R0=...
 * Level 2 also prints it behind a return, where no branch was put off.
 */
static void read_pop(struct kt_trace *trace, struct kt_event *ev)
{
	const struct kt_line *read = &trace->read;
	struct kt_text line = trace->line_text;
	const char *colon = memchr(line.data, ':', line.len);
	struct kt_text rest = line;

	kt_text_skip(&rest, colon ? (size_t)(colon + 1 - line.data) : line.len);
	ev->index = read->index;
	ev->from = read->from;
	ev->speculative = memmem(line.data, line.len - rest.len, "(speculative ", 13);
	skip_blanks(&rest);
	trim_end(&rest);
	if (rest.len == 4 && memcmp(rest.data, "safe", 4) == 0) {
		ev->kind = KT_EVENT_PRUNED;
		return;
	}
	ev->kind = read->index == trace->return_to ? KT_EVENT_RETURN : KT_EVENT_POP;
	trace->return_to = KT_LINE_NO_INDEX;
	if (kt_state_is(rest))
		take_state(trace, ev, rest);
}

/* "Validating glob_bad() func#1...": a global function, by itself, any arguments. */
static bool read_subprog(struct kt_trace *trace, struct kt_event *ev)
{
	struct kt_text line = trace->line_text;
	const char *func = memmem(line.data, line.len, " func#", 6);

	if (!func || !kt_text_starts_with(line, KT_TEXT("Validating ")))
		return false;
	ev->kind = KT_EVENT_SUBPROG;
	kt_text_skip(&line, (size_t)(func - line.data) + 6);
	if (!take_number(&line, &ev->index))
		ev->index = KT_LINE_NO_INDEX;
	ev->frame = trace->frame = 0;
	return true;
}

/* Handles a line that line.h knows only as text. True: it is consumed. */
static bool read_text(struct kt_trace *trace, struct kt_event *ev)
{
	struct kt_text line = trace->line_text;
	uint32_t index;

	if (is_stats(line)) {
		ev->kind = KT_EVENT_STATS;
	} else if (kt_text_starts_with(line, KT_TEXT("Verification failed: "))) {
		read_explanation(trace, ev);
		return true;
	} else if (kt_text_starts_with(line, KT_TEXT("caller:"))) {
		read_call(trace, ev);
		return true;
	} else if (kt_text_starts_with(line, KT_TEXT("returning from callee:"))) {
		read_return(trace, ev);
		return true;
	} else if (is_to_caller(line, &index)) {
		read_to_caller(trace, ev, index);
		return true;
	} else if (is_listing(line) || is_func_row(line)) {
		read_table(trace, ev);
		return true;
	} else if (is_note(trace, line)) {
		ev->kind = KT_EVENT_NOTE;
	} else {
		read_subprog(trace, ev);
	}
	return false;
}

static void read_state(struct kt_trace *trace, struct kt_event *ev)
{
	struct kt_text state = trace->line_text;

	ev->kind = KT_EVENT_STATE;
	ev->index = trace->read.index;
	kt_text_skip(&state, trace->read.index_len);
	take_state(trace, ev, state);
}

/* Reads the line that was looked at, and maybe some after it. True: they are consumed. */
static bool read_event(struct kt_trace *trace, struct kt_event *ev)
{
	switch (trace->read.kind) {
	case KT_LINE_INSN:
		ev->kind = KT_EVENT_INSN;
		read_insn(trace, ev);
		return false;
	case KT_LINE_STATE: read_state(trace, ev); return false;
	case KT_LINE_SOURCE:
		if (trace->line == 1 && kt_source_line_is_rest(trace->line_text))
			return false;
		ev->kind = KT_EVENT_SOURCE;
		kt_source_ref_read(trace->line_text, &trace->source);
		return false;
	case KT_LINE_POP: read_pop(trace, ev); return false;
	case KT_LINE_SAFE:
		ev->kind = KT_EVENT_PRUNED;
		ev->index = trace->read.index;
		return false;
	case KT_LINE_PRECISION: read_precision(trace, ev); return true;
	case KT_LINE_TABLE: read_table(trace, ev); return true;
	case KT_LINE_NOTE: ev->kind = KT_EVENT_NOTE; return false;
	case KT_LINE_TEXT: return read_text(trace, ev);
	case KT_LINE_MARK:
	case KT_LINE_BLANK: break;
	}
	return false;
}

bool kt_trace_next(struct kt_trace *trace, struct kt_event *ret)
{
	struct kt_event ev = {
		.kind = KT_EVENT_TEXT,
		.line = trace->line,
		.text = {trace->rest.data, 0},
		.index = KT_LINE_NO_INDEX,
		.from = KT_LINE_NO_INDEX,
		.frame = trace->frame,
	};

	if (!peek(trace))
		return false;
	if (!read_event(trace, &ev))
		consume(trace, &ev);
	ev.source = trace->source;
	if (ev.behind.len)
		kt_source_ref_read(ev.behind, &trace->source);
	trace->after_subprog = ev.kind == KT_EVENT_SUBPROG;
	*ret = ev;
	return true;
}
