// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/loader.h"

#include <ctype.h>
#include <errno.h>

#include "logparse/catalog_index.h"
#include "logparse/failure.h"

#define MAX_LOADER_LINE 1024 /* of a longer line only as much is read */
#define MAX_PREFIXES    16   /* ": " in a line behind which a message may begin */

/* What bpf(BPF_PROG_LOAD) fails with, its name, and how libraries put it. */
static const struct {
	int error;
	const char *name;
	const char *words; /* lower case */
} errors[] = {
	{EPERM, "EPERM", "operation not permitted"},
	{ENOENT, "ENOENT", "no such file or directory"},
	{ESRCH, "ESRCH", "no such process"},
	{E2BIG, "E2BIG", "argument list too long"},
	{EBADF, "EBADF", "bad file descriptor"},
	{EAGAIN, "EAGAIN", "resource temporarily unavailable"},
	{ENOMEM, "ENOMEM", "cannot allocate memory"},
	{EACCES, "EACCES", "permission denied"},
	{EFAULT, "EFAULT", "bad address"},
	{EINVAL, "EINVAL", "invalid argument"},
	{ENOSPC, "ENOSPC", "no space left on device"},
	{ERANGE, "ERANGE", "result out of range"},
	{ENOSYS, "ENOSYS", "function not implemented"},
	{EOPNOTSUPP, "EOPNOTSUPP", "operation not supported"},
	{KT_ERRNO_NOTSUPP, "ENOTSUPP", "unknown error 524"},
};

#define N_ERRORS (sizeof(errors) / sizeof(errors[0]))

const char *kt_loader_errno_name(int error)
{
	for (size_t i = 0; i < N_ERRORS; i++)
		if (errors[i].error == error)
			return errors[i].name;
	return NULL;
}

static struct kt_text trim(struct kt_text text)
{
	while (text.len && isspace((unsigned char)text.data[0]))
		text = kt_text_from(text, 1);
	while (text.len && isspace((unsigned char)text.data[text.len - 1]))
		text.len--;
	return text;
}

/* The first `what`, which is in lower case, in either case; or NULL. */
static const char *find(struct kt_text text, const char *what)
{
	size_t len = strlen(what);

	for (size_t i = 0; i + len <= text.len; i++) {
		size_t n = 0;

		while (n < len && tolower((unsigned char)text.data[i + n]) == what[n])
			n++;
		if (n == len)
			return text.data + i;
	}
	return NULL;
}

static bool has(struct kt_text text, const char *what)
{
	return find(text, what);
}

static bool has_any(struct kt_text text, const char *const *words)
{
	for (; *words; words++)
		if (has(text, *words))
			return true;
	return false;
}

/* A number of up to three digits; 0: there is none. */
static int take_number(struct kt_text text)
{
	int n = 0;
	size_t i = 0;

	for (; i < text.len && i < 3 && isdigit((unsigned char)text.data[i]); i++)
		n = n * 10 + (text.data[i] - '0');
	return i < text.len && isalnum((unsigned char)text.data[i]) ? 0 : n;
}

static bool is_errno(int n)
{
	return (n > 0 && n < 134) || n == KT_ERRNO_NOTSUPP;
}

/* "errno 13", "os error 13", "errno: 13", "errno=13" */
static int errno_behind(struct kt_text line, const char *word)
{
	const char *p = find(line, word);
	struct kt_text rest;

	if (!p)
		return 0;
	rest = kt_text_from(line, (size_t)(p - line.data) + strlen(word));
	while (rest.len && memchr(" :=-(", rest.data[0], 5))
		rest = kt_text_from(rest, 1);
	return take_number(rest);
}

/* "failed to load: -7", "err=-13", "-EINVAL": behind a blank, a colon or the like. */
static int negative_errno(struct kt_text line)
{
	for (size_t i = 1; i + 1 < line.len; i++) {
		struct kt_text rest = kt_text_from(line, i + 1);
		int n;

		if (line.data[i] != '-' || !memchr(" :=('", line.data[i - 1], 5))
			continue;
		n = take_number(rest);
		if (is_errno(n))
			return n;
		for (size_t k = 0; k < N_ERRORS; k++) {
			struct kt_text name = {errors[k].name, strlen(errors[k].name)};

			if (kt_text_starts_with(rest, name) &&
			    (rest.len == name.len || !isalnum((unsigned char)rest.data[name.len])))
				return errors[k].error;
		}
	}
	return 0;
}

static int errno_of(struct kt_text line)
{
	static const char *const words[] = {"os error", "errno", "error code", "err"};
	int n;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		n = errno_behind(line, words[i]);
		if (is_errno(n))
			return n;
	}
	n = negative_errno(line);
	for (size_t i = 0; !n && i < N_ERRORS; i++)
		if (has(line, errors[i].words))
			n = errors[i].error;
	return n;
}

static bool says_errno(struct kt_text line)
{
	for (size_t i = 0; i < N_ERRORS; i++)
		if (has(line, errors[i].words))
			return true;
	return false;
}

/* A name is behind the first word, and ends before the second. */
static const struct {
	const char *before, *behind;
} name_forms[] = {
	{"prog '", "'"},    /* libbpf */
	{"program '", "'"}, /* libbpf; aya */
	{"program \"", "\""},
	{"program `", "`"},
	{"prog section '", "'"},                 /* iproute2 */
	{"bpf program b'", "'"},                 /* bcc */
	{"error loading bpf program for ", "."}, /* bpftrace */
	{"error loading program: ", " "},
};

/* Also "program NAME: load program", as cilium/ebpf has it. */
static struct kt_text program_of(struct kt_text line)
{
	struct kt_text rest;
	const char *p, *end;

	for (size_t i = 0; i < sizeof(name_forms) / sizeof(name_forms[0]); i++) {
		p = find(line, name_forms[i].before);
		if (!p)
			continue;
		rest = kt_text_from(line, (size_t)(p - line.data) + strlen(name_forms[i].before));
		end = memchr(rest.data, name_forms[i].behind[0], rest.len);
		if (!end && name_forms[i].behind[0] == ' ')
			end = rest.data + rest.len;
		if (end && end > rest.data && !memchr(rest.data, ' ', (size_t)(end - rest.data)))
			return kt_text_head(rest, (size_t)(end - rest.data));
	}
	p = memmem(line.data, line.len, ": load program", 14);
	if (!p)
		return (struct kt_text){0};
	rest = kt_text_head(line, (size_t)(p - line.data));
	end = memrchr(rest.data, ' ', rest.len);
	if (!end || end - rest.data < 7 || memcmp(end - 7, "program", 7) != 0)
		return (struct kt_text){0};
	return kt_text_from(rest, (size_t)(end + 1 - rest.data));
}

/*
 * libbpf names the program whose load failed, and then says of the whole object that it failed.
 *That is not of a program that was loaded before: libbpf: prog 'other': BPF program load failed:
 *Invalid argument libbpf: failed to load object 'two.bpf.o'
 */
struct reader {
	struct kt_loader_words *words;
	bool named; /* only lines that name the program */
	bool other; /* another program has failed; what names none is of that */
};

static bool is_of_other(struct reader *r, struct kt_text line, struct kt_text program, bool failed)
{
	struct kt_text ours = r->words->program;

	if (!program.len)
		return r->named || (r->other && failed);
	if (kt_text_equals(program, ours)) {
		r->other = false;
		return false;
	}
	r->other |= failed && ours.len && has(line, "prog '");
	return r->named || ours.len;
}

static void read_line(struct reader *r, struct kt_text line)
{
	struct kt_text program = program_of(line);
	bool failed = log_says_failed(line, says_errno(line), r->words->of_btf);
	struct kt_loader_words *words = r->words;
	int error = errno_of(line);

	if (is_of_other(r, line, program, failed))
		return;
	if (!words->program.len)
		words->program = program;
	/* The line that says most: it has the reason, too. */
	if (failed && (!words->said.len || (error && !errno_of(words->said))))
		words->said = line;
	words->failed |= failed;
	/* An error by itself, "1: Permission denied (os error 13)", is the end of a chain. */
	if (error && !words->error && (failed || words->failed || has(line, "os error")))
		words->error = error;
}

void kt_loader_read(struct kt_text lines, bool named, struct kt_loader_words *words)
{
	struct reader r = {.words = words, .named = named};
	struct kt_text line;

	while (kt_text_next_line(&lines, &line))
		read_line(&r, trim(kt_text_head(line, MAX_LOADER_LINE)));
}

int kt_loader_find_errno(struct kt_text text)
{
	struct kt_text name, line = trim(kt_text_head(text, MAX_LOADER_LINE));

	for (size_t i = 0; i < N_ERRORS; i++) {
		name = (struct kt_text){errors[i].name, strlen(errors[i].name)};
		if (kt_text_equals(line, name))
			return errors[i].error;
	}
	if (line.len > 1 && line.data[0] == '-' && is_errno(take_number(kt_text_from(line, 1))))
		return take_number(kt_text_from(line, 1));
	return errno_of(line);
}

bool kt_loader_take_omitted(struct kt_text *line, uint32_t *ret)
{
	static const struct kt_text end = KT_TEXT(" line(s) omitted)");
	struct kt_text text = trim(*line);
	uint64_t n = 0, unit = 1;

	if (text.len <= end.len || memcmp(text.data + text.len - end.len, end.data, end.len) != 0)
		return false;
	text.len -= end.len;
	for (; text.len && isdigit((unsigned char)text.data[text.len - 1]) && unit < 1000000000;
	     text.len--, unit *= 10)
		n += unit * (uint64_t)(text.data[text.len - 1] - '0');
	if (text.len > 11 && memcmp(text.data + text.len - 11, "truncated, ", 11) == 0)
		text.len -= 11;
	if (unit == 1 || text.len < 2 || text.data[text.len - 1] != '(')
		return false;
	text.len--;
	*ret = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	*line = trim(text);
	return true;
}

bool log_is_elision(struct kt_text line)
{
	static const char *const words[] = {"truncated", "snip",   "omitted", "cut",
					    "skipped",   "elided", "shorten", NULL};
	static const char dots[] = ".[](){}<> \t-\342\200\246"; /* the last three are U+2026 */
	size_t n = 0;

	line = trim(line);
	if (!line.len || line.len > 64)
		return false;
	while (n < line.len && memchr(dots, line.data[n], sizeof(dots) - 1))
		n++;
	if (n == line.len)
		return memmem(line.data, line.len, "..", 2) ||
		       memmem(line.data, line.len, "\342\200\246", 3);
	return memchr("[(<.", line.data[0], 4) && has_any(line, words);
}

/* "$ sudo ./prog", "root@host:~# bpftool prog load" */
static bool is_prompt(struct kt_text line)
{
	const char *p;

	if (kt_text_starts_with(line, KT_TEXT("$ ")) || kt_text_starts_with(line, KT_TEXT("# ")))
		return true;
	p = memchr(line.data, '@', line.len < 64 ? line.len : 64);
	if (!p)
		return false;
	line = kt_text_from(line, (size_t)(p - line.data));
	line = kt_text_head(line, 80);
	return memmem(line.data, line.len, "$ ", 2) || memmem(line.data, line.len, "# ", 2);
}

/* "10:41:53", which no line of the kernel's has. */
static bool has_time(struct kt_text line)
{
	for (size_t i = 2; i + 6 <= line.len && i < 80; i++)
		if (line.data[i] == ':' && line.data[i + 3] == ':' &&
		    isdigit((unsigned char)line.data[i - 1]) &&
		    isdigit((unsigned char)line.data[i - 2]) &&
		    isdigit((unsigned char)line.data[i + 1]) &&
		    isdigit((unsigned char)line.data[i + 2]) &&
		    isdigit((unsigned char)line.data[i + 4]))
			return true;
	return false;
}

bool log_is_loader_line(struct kt_text line)
{
	static const char *const begin[] = {
		"libbpf: ", "error:",    "error ",          "warn",           "caused by:",
		"thread '", "traceback", "stack backtrace", "note: run with", "goroutine ",
		"panic:",   "fatal",     "bpf: failed",     "info ",          "debug ",
		"level=",   "time=",     "hint:",           "exception",      "{",
		"-- end ",  "[warn",     "[error",          "signed-off-by:", "---"};
	static const char *const within[] = {"(os error ",
					     "verifier output",
					     "verifier log",
					     "verifier analysis",
					     "bpf_prog_load",
					     "load program",
					     "program load",
					     "failed to load",
					     "error loading",
					     "couldn't load",
					     "kernel error log",
					     "could not load",
					     "unable to load",
					     "rejected:",
					     "errno",
					     NULL};

	line = trim(kt_text_head(line, MAX_LOADER_LINE));
	if (!line.len || is_prompt(line) || has_time(line) ||
	    kt_text_starts_with(line, KT_TEXT("```")) || kt_text_starts_with(line, KT_TEXT(">")))
		return true;
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		if (find(kt_text_head(line, strlen(begin[i])), begin[i]))
			return true;
	return has_any(line, within);
}

/* Behind "permission denied: ", how Go puts an errno; where it begins otherwise. */
static struct kt_text behind_errno(struct kt_text text)
{
	for (size_t i = 0; i < N_ERRORS; i++) {
		size_t len = strlen(errors[i].words);

		if (text.len > len + 2 &&
		    find(kt_text_head(text, len), errors[i].words) == text.data &&
		    memcmp(text.data + len, ": ", 2) == 0)
			return kt_text_from(text, len + 2);
	}
	return text;
}

bool log_find_quote(struct kt_text line, size_t *ret)
{
	static const char *const words[] = {
		"verifier output: ", "verifier log: ", "kernel error log: ", "load program: "};
	struct kt_text text = kt_text_head(line, MAX_LOADER_LINE), rest;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *p = find(text, words[i]);

		if (!p)
			continue;
		rest = kt_text_from(text, (size_t)(p - text.data) + strlen(words[i]));
		/* Go has the errno before what it quotes, and may quote nothing. */
		if (words[i][0] == 'l') {
			struct kt_text behind = behind_errno(rest);

			if (behind.data == rest.data)
				continue;
			rest = behind;
		}
		if (!trim(rest).len)
			continue;
		*ret = (size_t)(rest.data - line.data);
		return true;
	}
	return false;
}

bool log_find_message(struct kt_text line, size_t *ret)
{
	struct kt_text rest = trim(kt_text_head(line, MAX_LOADER_LINE));

	if (log_find_quote(line, ret))
		return true;
	for (int i = 0; rest.len && i < MAX_PREFIXES; i++) {
		const char *p;

		if (kt_catalog_match(rest, NULL) && !log_is_loader_line(rest)) {
			*ret = (size_t)(rest.data - line.data);
			return true;
		}
		p = memmem(rest.data, rest.len, ": ", 2);
		if (!p)
			return false;
		rest = kt_text_from(rest, (size_t)(p + 2 - rest.data));
	}
	return false;
}

/* " R7_w=inv2097152", " fp-8=mmmm????" within a line. */
static bool has_state(struct kt_text line)
{
	for (size_t i = 0; i + 3 < line.len; i++) {
		size_t n = i + 2;

		if (i && line.data[i - 1] != ' ')
			continue;
		if (memcmp(line.data + i, "fp-", 3) == 0)
			n = i + 3;
		else if (line.data[i] != 'R' || !isdigit((unsigned char)line.data[i + 1]))
			continue;
		while (n < line.len && isdigit((unsigned char)line.data[n]))
			n++;
		if (n < line.len && line.data[n] == '_')
			for (n++; n < line.len && islower((unsigned char)line.data[n]); n++)
				;
		if (n < line.len && line.data[n] == '=')
			return true;
	}
	return false;
}

/* The beginning of a line of the kernel's, "mark_precis", and no more. */
static bool is_beginning(struct kt_text line)
{
	static const char *const words[] = {"mark_precise: frame", "processed ", "last_idx ",
					    "verification time ",  "regs=",      "parent already ",
					    "parent didn't have ", "from ",      "propagating ",
					    "stack depth "};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (line.len < strlen(words[i]) && line.len > 1 &&
		    memcmp(line.data, words[i], line.len) == 0)
			return true;
	return false;
}

bool log_is_fragment(struct kt_text line)
{
	size_t n = 0;

	line = trim(line);
	while (n < line.len && isdigit((unsigned char)line.data[n]))
		n++;
	if (n && n < 8 &&
	    (n == line.len || (line.data[n] == ':' && line.len - n < 8 &&
			       (n + 1 == line.len || line.data[n + 1] == ' '))))
		return true;
	if (is_beginning(line))
		return true;
	return has_state(line) && !kt_text_starts_with(line, KT_TEXT("cur state:")) &&
	       !kt_text_starts_with(line, KT_TEXT("old state:"));
}
