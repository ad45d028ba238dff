// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "watch/asked.h"

/* enum bpf_cmd of the UAPI */
#define BPF_PROG_LOAD 5
/* libbpf asks for 16 MiB at most; the kernel takes up to 1 GiB. */
#define MAX_LOG ((size_t)64 << 20)
/* So much of a log's end has the statistics. Of a log whose end nobody tells, as much at once. */
#define LOG_TAIL  4096
#define LOG_PIECE 16384
#define PAGE      4096
/* To find the statistics alone, no more of a log is read. */
#define MAX_FOR_TAIL ((size_t)1 << 20)
/* The bits of a log level that any kernel knows. */
#define LOG_LEVELS 15u
/* No kernel's are larger. */
#define REGS_MAX 1024
#define ATTR_MAX 512
#define TASK_MAX (1 << 20)

static bool registers_wants(struct wants *wants, const struct watch_arch *arch)
{
	return wants_add(wants, KFACTS_MEMBER, "pt_regs", arch->syscall_number.path, true) &&
	       wants_add(wants, KFACTS_MEMBER, "pt_regs", arch->syscall_args[0].path, true) &&
	       wants_add(wants, KFACTS_MEMBER, "pt_regs", arch->syscall_args[1].path, true) &&
	       wants_add(wants, KFACTS_MEMBER, "pt_regs", arch->syscall_args[2].path, true);
}

bool asked_wants(struct wants *wants)
{
	static const char *const attr[] = {"log_level", "log_size", "log_buf", "log_true_size"};
	const struct watch_arch *arch;

	for (size_t i = 0; i < sizeof(attr) / sizeof(attr[0]); i++)
		if (!wants_add(wants, KFACTS_MEMBER, "bpf_attr", attr[i], true))
			return false;
	for (size_t i = 0; (arch = watch_arch_at(i)); i++)
		if (arch->syscall_number.path && !registers_wants(wants, arch))
			return false;
	return wants_add(wants, KFACTS_SIZE, "pt_regs", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "task_struct", "stack", true) &&
	       /* In pcpu_hot from 6.2 to 6.14, else a variable. */
	       wants_add(wants, KFACTS_SYMBOL, "cpu_current_top_of_stack", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "pcpu_hot", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "pcpu_hot", "top_of_stack", true);
}

static bool find_member(const struct kfacts *facts, const char *type, const char *path,
			uint64_t max, struct kfacts_member *ret)
{
	return kfacts_member(facts, type, path, ret) && ret->size && ret->size <= 8 &&
	       !ret->bit_size && ret->offset <= max - ret->size;
}

/* A member of pt_regs. */
static bool find_register(const struct kfacts *facts, const struct watch_member *member,
			  struct kfacts_member *ret)
{
	uint64_t element = member->is_array ? (uint64_t)member->element * 8 : 0;

	if (!member->is_array)
		return find_member(facts, "pt_regs", member->path, REGS_MAX, ret);
	if (!kfacts_member(facts, "pt_regs", member->path, ret) || ret->bit_size ||
	    element + 8 > ret->size || ret->offset > REGS_MAX - ret->size)
		return false;
	ret->offset += (uint32_t)element;
	ret->size = 8;
	return true;
}

/* What leads to the end of the kernel stack of the task that runs. */
static bool find_stack(struct asked_reader *reader, const struct watch_arch *arch,
		       const struct kfacts *facts, int64_t kaslr_offset)
{
	reader->by_task = arch->current_is == WATCH_CURRENT_TASK;
	return reader->by_task
		       ? find_member(facts, "task_struct", "stack", TASK_MAX, &reader->stack)
		       : reader_percpu(facts, "cpu_current_top_of_stack", "top_of_stack",
				       kaslr_offset, &reader->stack_top);
}

void asked_init(struct asked_reader *reader, const struct watch_arch *arch,
		const struct kfacts *facts, int64_t kaslr_offset)
{
	*reader = (struct asked_reader){.big_endian = kfacts_kernel(facts)->big_endian};
	reader->known = arch->syscall_number.path &&
			find_stack(reader, arch, facts, kaslr_offset) &&
			kfacts_size(facts, "pt_regs", &reader->regs_size) &&
			reader->regs_size <= REGS_MAX &&
			find_register(facts, &arch->syscall_number, &reader->number) &&
			find_register(facts, &arch->syscall_args[0], &reader->args[0]) &&
			find_register(facts, &arch->syscall_args[1], &reader->args[1]) &&
			find_register(facts, &arch->syscall_args[2], &reader->args[2]) &&
			find_member(facts, "bpf_attr", "log_level", ATTR_MAX, &reader->log_level) &&
			find_member(facts, "bpf_attr", "log_size", ATTR_MAX, &reader->log_size) &&
			find_member(facts, "bpf_attr", "log_buf", ATTR_MAX, &reader->log_buf);
	reader->has_used = find_member(facts, "bpf_attr", "log_true_size", ATTR_MAX, &reader->used);
}

/* --- reading --- */

/* *complete: the vCPU's memory has all of these bytes. */
static struct kt_error *read_bytes(struct stop *stop, gaddr_t addr, void *bytes, size_t len,
				   bool *complete)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct gmem memory = stop_loader_memory(stop);
	struct kt_error *err;

	*complete = false;
	if (!gmem_batch_add(&batch, addr, bytes, len))
		return kt_error_no_memory();
	err = gmem_batch_read(&batch, memory.read, memory.source);
	*complete = !err && !gmem_batch_fault(&batch, 0, 1);
	return err;
}

static uint64_t value_of(const struct asked_reader *reader, const uint8_t *bytes,
			 const struct kfacts_member *member)
{
	return kt_load_uint(bytes + member->offset, member->size, reader->big_endian);
}

static bool is_load(const struct asked_reader *reader, const struct stop *stop, const uint8_t *regs)
{
	return value_of(reader, regs, &reader->number) == stop->arch->bpf_number &&
	       (uint32_t)value_of(reader, regs, &reader->args[0]) == BPF_PROG_LOAD;
}

/*
 * How long a kernel stack is no type tells. So the registers are looked for at the end of each
 * length that there is. *known_ret: one of them has what the system call for a load has.
 */
static struct kt_error *read_by_task(const struct asked_reader *reader, struct stop *stop,
				     uint8_t regs[REGS_MAX], bool *known_ret)
{
	static const uint64_t lengths[] = {0x4000, 0x2000, 0x8000, 0x10000, 0x20000};
	gaddr_t at = stop->registers[WATCH_CURRENT] + reader->stack.offset;
	uint8_t pointer[8];
	struct kt_error *err;

	*known_ret = false;
	err = read_bytes(stop, at, pointer, sizeof(pointer), known_ret);
	if (err || !*known_ret)
		return err;
	at = kt_load_uint(pointer, sizeof(pointer), reader->big_endian);
	*known_ret = false;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]) && !err && !*known_ret; i++) {
		err = read_bytes(stop, at + lengths[i] - reader->regs_size, regs,
				 (size_t)reader->regs_size, known_ret);
		*known_ret = *known_ret && is_load(reader, stop, regs);
	}
	return err;
}

/* *known_ret: these are the arguments of bpf(2) for the load of a program. */
static struct kt_error *read_arguments(const struct asked_reader *reader, struct stop *stop,
				       uint8_t regs[REGS_MAX], bool *known_ret)
{
	uint8_t pointer[8];
	struct kt_error *err;
	bool complete;
	gaddr_t top;

	if (reader->by_task)
		return read_by_task(reader, stop, regs, known_ret);
	*known_ret = false;
	err = read_bytes(stop, stop->registers[WATCH_CURRENT] + reader->stack_top, pointer,
			 sizeof(pointer), &complete);
	if (err || !complete)
		return err;
	top = kt_load_uint(pointer, sizeof(pointer), reader->big_endian);
	err = read_bytes(stop, top - reader->regs_size, regs, (size_t)reader->regs_size, &complete);
	if (err || !complete)
		return err;
	*known_ret = is_load(reader, stop, regs);
	return NULL;
}

static bool has(const struct kfacts_member *member, uint64_t size)
{
	return member->offset + member->size <= size;
}

struct kt_error *asked_read(const struct asked_reader *reader, struct stop *stop, struct asked *ret)
{
	uint8_t regs[REGS_MAX], attr[ATTR_MAX] = {0};
	struct kt_error *err;
	uint64_t size;
	bool known;

	*ret = (struct asked){0};
	if (!reader->known)
		return NULL;
	err = read_arguments(reader, stop, regs, &known);
	if (err || !known)
		return err;
	/* What an old loader does not have is 0. */
	size = (uint32_t)value_of(reader, regs, &reader->args[2]);
	if (size > ATTR_MAX)
		size = ATTR_MAX;
	err = read_bytes(stop, value_of(reader, regs, &reader->args[1]), attr, (size_t)size,
			 &known);
	if (err || !known)
		return err;
	*ret = (struct asked){
		.known = true,
		.log_level = (uint32_t)value_of(reader, attr, &reader->log_level),
		.log_size = (uint32_t)value_of(reader, attr, &reader->log_size),
		.log_buf = value_of(reader, attr, &reader->log_buf),
		.used_known = reader->has_used && has(&reader->used, size),
	};
	if (ret->used_known)
		ret->used = (uint32_t)value_of(reader, attr, &reader->used);
	return NULL;
}

/* --- the log --- */

/* bpf_verifier_log_attr_valid(): with anything else, the verifier has not even begun. */
static bool has_log(const struct asked *asked)
{
	return asked->log_level && !(asked->log_level & ~LOG_LEVELS) && asked->log_buf &&
	       asked->log_size > 1 && asked->log_size <= UINT32_MAX >> 2;
}

/* Makes the len bytes the load's log. Takes text. */
static void take_text(struct bpf_load *load, char *text, size_t len)
{
	free(load->log);
	load->log = text;
	load->log_len = len;
}

/* "processed 12 insns …" is its last line, and there is no NUL in it. */
static bool is_end(const char *text, size_t len)
{
	static const char key[] = "processed ";
	const char *line;

	if (!len || text[len - 1] != '\n' || memchr(text, '\0', len))
		return false;
	line = memrchr(text, '\n', len - 1);
	line = line ? line + 1 : text;
	return (size_t)(text + len - line) > strlen(key) && !memcmp(line, key, strlen(key));
}

/*
 * The longest that the text ever was is known, and it may have become shorter (bpf_vlog_reset()).
 * The statistics come last, and only once: if they are at that end, it is the text's end.
 */
static struct kt_error *read_from_end(const struct asked *asked, struct stop *stop, bool all,
				      struct bpf_load *load)
{
	uint32_t end = asked->used < asked->log_size ? asked->used : asked->log_size;
	size_t len = end > 1 ? end - 1 : 0, tail = len < LOG_TAIL ? len : LOG_TAIL;
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = NULL;
	bool complete = false;

	if (!len || len > MAX_LOG)
		return NULL;
	text = malloc(len);
	if (!text)
		return kt_error_no_memory();
	err = read_bytes(stop, asked->log_buf + len - tail, text + len - tail, tail, &complete);
	if (err || !complete || !is_end(text + len - tail, tail))
		return err;
	if (all && len > tail)
		err = read_bytes(stop, asked->log_buf, text, len - tail, &complete);
	else if (len > tail)
		memmove(text, text + len - tail, tail);
	if (err || !complete)
		return err;
	load->log_bytes = (struct program_number){true, asked->used - 1};
	take_text(load, kt_take_ptr(text), all ? len : tail);
	return NULL;
}

/* *got: the bytes up to the first page that the loader has never touched. */
static struct kt_error *read_pages(struct stop *stop, gaddr_t addr, char *bytes, size_t len,
				   size_t *got)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct gmem memory = stop_loader_memory(stop);
	struct kt_error *err;

	for (size_t at = 0, n; at < len; at += n) {
		n = PAGE - (addr + at) % PAGE;
		if (n > len - at)
			n = len - at;
		if (!gmem_batch_add(&batch, addr + at, bytes + at, n))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, memory.read, memory.source);
	*got = 0;
	for (size_t i = 0; !err && i < batch.reads.len && !batch.reads.data[i].fault; i++)
		*got += batch.reads.data[i].len;
	return err;
}

/* Piece by piece, up to the NUL that the kernel puts behind the text. */
static struct kt_error *read_from_start(const struct asked *asked, struct stop *stop, size_t most,
					struct bpf_load *load)
{
	size_t max = asked->log_size < most ? asked->log_size : most, wanted, got;
	struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err = NULL;
	const char *end = NULL;
	char piece[LOG_PIECE];

	do {
		wanted = max - text.len < LOG_PIECE ? max - text.len : LOG_PIECE;
		err = read_pages(stop, asked->log_buf + text.len, piece, wanted, &got);
		end = err ? NULL : memchr(piece, '\0', got);
		if (!err)
			kt_buf_append(&text, piece, end ? (size_t)(end - piece) : got);
		if (!err && kt_buf_failed(&text))
			err = kt_error_no_memory();
	} while (!err && !end && got == wanted && text.len < max);
	if (!err && end && text.len) {
		/* One that fills its buffer may have been cut. */
		load->log_bytes = (struct program_number){text.len + 1 < asked->log_size, text.len};
		take_text(load, kt_take_ptr(text.data), text.len);
	}
	kt_buf_deinit(&text);
	return err;
}

struct kt_error *asked_log(const struct asked *asked, struct stop *stop, bool all,
			   struct bpf_load *load)
{
	struct kt_error *err = NULL;

	if (!has_log(asked))
		return NULL;
	if (asked->used_known)
		err = read_from_end(asked, stop, all, load);
	if (err || load->log)
		return err;
	return read_from_start(asked, stop, all ? MAX_LOG : MAX_FOR_TAIL, load);
}
