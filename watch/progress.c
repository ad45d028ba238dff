// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Loads that are in the verifier right now. bpf_vlog_init() tells where a load's
 * bpf_verifier_env is; from then on it is looked at in short stops from outside.
 */
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/cursor.h"
#include "watch/watch_impl.h"

/* Samples closer than this tell a person nothing. */
#define SAMPLE_MIN_NS INT64_C(250000000)
/* Loads looked at in one stop, at most. */
#define SAMPLE_MAX 16
/* Line records of a program, at most; one has 16 bytes. */
#define LINES_MAX 65536
#define TEXT_MAX  200
/* Instructions and states a second, at most. */
#define RATE_MAX (UINT64_C(1) << 40)

enum { ENV_INSN_IDX, ENV_PROG, ENV_INSN_PROCESSED, ENV_TOTAL_STATES, ENV_PEAK_STATES };
static const struct view_field env_fields[] = {
	[ENV_INSN_IDX] = {.path = "insn_idx"},
	[ENV_PROG] = {.path = "prog"},
	[ENV_INSN_PROCESSED] = {.path = "insn_processed"},
	[ENV_TOTAL_STATES] = {.path = "total_states", .optional = true},
	[ENV_PEAK_STATES] = {.path = "peak_states", .optional = true},
};
static const struct view_type env_type = VIEW_TYPE("bpf_verifier_env", env_fields);

enum { AUX_LINFO, AUX_NR_LINFO, AUX_LINES_BTF };
static const struct view_field aux_fields[] = {
	[AUX_LINFO] = {.path = "linfo"},
	[AUX_NR_LINFO] = {.path = "nr_linfo"},
	[AUX_LINES_BTF] = {.path = "btf"},
};
static const struct view_type aux_type = VIEW_TYPE("bpf_prog_aux", aux_fields);

enum { BTF_STRINGS, BTF_STR_LEN };
static const struct view_field btf_fields[] = {
	[BTF_STRINGS] = {.path = "strings"},
	[BTF_STR_LEN] = {.path = "hdr.str_len"},
};
static const struct view_type btf_type = VIEW_TYPE("btf", btf_fields);

/* struct bpf_line_info of the UAPI: insn_off, file_name_off, line_off, line_col */
#define LINE_SIZE 16
enum { LINE_INSN = 0, LINE_FILE = 4, LINE_TEXT = 8, LINE_COL = 12 };

bool watch_progress_wants(struct wants *wants)
{
	return view_wants(&env_type, wants) && view_wants(&aux_type, wants) &&
	       view_wants(&btf_type, wants);
}

struct kt_error *watch_progress_init(struct watch *watch)
{
	struct kt_error *err;

	if (!watch->options.progress)
		return NULL;
	err = view_init(&watch->progress.env, &env_type, watch->facts);
	if (err)
		return err;
	/* Without these the source line stays unknown, and that is all. */
	err = view_init(&watch->progress.aux, &aux_type, watch->facts);
	if (!err)
		err = view_init(&watch->progress.btf, &btf_type, watch->facts);
	watch->progress.has_lines = !err;
	kt_error_destroy(err);
	return NULL;
}

static bool is_sampled(const struct watch_pending *p)
{
	return p->env && !p->finalized;
}

int64_t watch_next_sample_ns(const struct watch *watch)
{
	if (watch->options.progress)
		kt_vec_for_each (&watch->pending, p)
			if (is_sampled(p))
				return watch->progress.next_ns;
	return INT64_MAX;
}

/* What one took sets how many there may be. */
static void plan_next(struct watch *watch)
{
	int64_t now = kt_now_ns(), cost = now - watch->stopped_ns;
	int64_t wait = (int64_t)((double)cost / watch->options.max_overhead);

	watch->progress.next_ns = now + (wait > SAMPLE_MIN_NS ? wait : SAMPLE_MIN_NS);
}

/* Reads one piece. *ok_ret: it is there. */
static struct kt_error *read_piece(struct guest *guest, gaddr_t addr, void *buf, size_t len,
				   bool *ok_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	*ok_ret = false;
	if (!addr || !len)
		return NULL;
	if (!gmem_batch_add(&batch, addr, buf, len))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	*ok_ret = !err && !batch.reads.data[0].fault;
	return err;
}

static struct kt_error *read_view(struct guest *guest, const struct view *view, gaddr_t addr,
				  uint8_t **image, bool *ok_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct pieces_of pieces;
	struct kt_error *err;
	bool known = false;

	*ok_ret = false;
	err = walk_begin(view, &batch, addr, image, &pieces, &known);
	if (err || !known)
		return err;
	err = guest_read(guest, &batch);
	*ok_ret = !err && !gmem_batch_fault(&batch, 0, batch.reads.len);
	return err;
}

/* The program's line records, once: they do not change while it is verified. */
static struct kt_error *read_lines(struct watch *watch, struct guest *guest,
				   struct watch_pending *p, gaddr_t aux_addr)
{
	_cleanup_free_ uint8_t *aux = NULL, *btf = NULL;
	struct kt_error *err;
	uint64_t n;
	bool ok;

	err = read_view(guest, &watch->progress.aux, aux_addr, &aux, &ok);
	if (!err && ok)
		err = read_view(guest, &watch->progress.btf,
				view_uint(&watch->progress.aux, aux, AUX_LINES_BTF), &btf, &ok);
	if (err || !ok)
		return err;
	n = view_uint(&watch->progress.aux, aux, AUX_NR_LINFO);
	if (!n || n > LINES_MAX)
		return NULL;
	p->strings = view_uint(&watch->progress.btf, btf, BTF_STRINGS);
	p->strings_len = view_uint(&watch->progress.btf, btf, BTF_STR_LEN);
	p->lines = calloc((size_t)n, LINE_SIZE);
	if (!p->lines)
		return kt_error_no_memory();
	err = read_piece(guest, view_uint(&watch->progress.aux, aux, AUX_LINFO), p->lines,
			 (size_t)n * LINE_SIZE, &ok);
	p->n_lines = ok ? (size_t)n : 0;
	return err;
}

/* The program's BTF came after bpf_vlog_init(), and with it the name that is not cut. */
static struct kt_error *read_full_name(struct watch *watch, struct guest *guest,
				       struct watch_pending *p, struct walk_entry *entry)
{
	_cleanup_(program_deinit) struct program program = {0};
	struct kt_error *err = watch_read_name(watch, guest, entry);

	if (!err)
		err = name_finish(&watch->progs, entry, &program);
	free(p->load.full_name); /* as bpf_vlog_init() had it: cut */
	p->load.full_name = kt_take_ptr(program.full_name);
	return err;
}

/* What the program has to say of itself, once. */
static struct kt_error *read_program(struct watch *watch, struct guest *guest,
				     struct watch_pending *p, gaddr_t prog)
{
	const struct bpf_progs *progs = &watch->progs;
	struct walk_entry entry = {0};
	struct kt_error *err;
	gaddr_t aux = 0;
	bool ok;

	p->lines_read = true;
	err = read_view(guest, &progs->prog, prog, &entry.prog, &ok);
	if (!err && ok) {
		aux = view_uint(&progs->prog, entry.prog, PROG_AUX);
		err = read_view(guest, &progs->aux, aux, &entry.aux, &ok);
	}
	if (!err && ok)
		err = read_full_name(watch, guest, p, &entry);
	if (!err && ok && watch->progress.has_lines)
		err = read_lines(watch, guest, p, aux);
	free(entry.prog);
	free(entry.aux);
	name_deinit(&entry);
	return err;
}

/* The record of the last line that begins at or before the instruction; NULL: none. */
static const uint8_t *find_line(const struct watch *watch, const struct watch_pending *p,
				uint64_t insn)
{
	size_t low = 0, high = p->n_lines;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (kt_load_uint(p->lines + mid * LINE_SIZE + LINE_INSN, 4,
				 watch->progs.big_endian) <= insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? p->lines + (low - 1) * LINE_SIZE : NULL;
}

/* A string of the program's BTF, without the blanks that it begins with. */
static struct kt_error *read_string(struct guest *guest, const struct watch_pending *p,
				    uint64_t offset, char **ret)
{
	char text[TEXT_MAX + 1] = "";
	const char *start = text;
	struct kt_error *err;
	size_t len = TEXT_MAX;
	bool ok;

	if (offset >= p->strings_len)
		return NULL;
	if (len > p->strings_len - offset)
		len = (size_t)(p->strings_len - offset);
	err = read_piece(guest, p->strings + offset, text, len, &ok);
	if (err || !ok)
		return err;
	while (*start == ' ' || *start == '\t')
		start++;
	if (!*start)
		return NULL;
	*ret = strdup(start);
	return *ret ? NULL : kt_error_no_memory();
}

static struct kt_error *take_line(struct watch *watch, struct guest *guest, struct watch_pending *p,
				  struct bpf_load_progress *out)
{
	const uint8_t *line = find_line(watch, p, out->insn_idx.value);
	bool big = watch->progs.big_endian;
	struct kt_error *err;

	if (!line)
		return NULL;
	err = read_string(guest, p, kt_load_uint(line + LINE_FILE, 4, big), &out->file);
	if (!err)
		err = read_string(guest, p, kt_load_uint(line + LINE_TEXT, 4, big), &out->source);
	/* BPF_LINE_INFO_LINE_NUM() */
	out->line = (uint32_t)(kt_load_uint(line + LINE_COL, 4, big) >> 10);
	return err;
}

static struct program_number number(const struct view *view, const void *image, unsigned int field)
{
	return (struct program_number){view_has(view, field), view_uint(view, image, field)};
}

/* A second, since the sample before. */
static struct program_number rate(const struct watch *watch, const struct watch_pending *p,
				  struct program_number now, uint64_t before)
{
	int64_t ns = watch->stopped_ns - p->sampled_ns;

	/* More than that a second nothing can grow: then the numbers are none. */
	if (!now.known || !p->sampled_ns || ns <= 0 || now.value < before ||
	    now.value - before > RATE_MAX / 1000000000 * (uint64_t)ns)
		return (struct program_number){0};
	return (struct program_number){true,
				       (uint64_t)((double)(now.value - before) * 1e9 / (double)ns)};
}

static void take_rates(const struct watch *watch, struct watch_pending *p,
		       struct bpf_load_progress *out)
{
	out->insns_rate = rate(watch, p, out->verified_insns, p->sampled_insns);
	out->states_rate = rate(watch, p, out->total_states, p->sampled_states);
	p->sampled_ns = watch->stopped_ns;
	p->sampled_insns = out->verified_insns.value;
	p->sampled_states = out->total_states.value;
}

static struct kt_error *sample(struct watch *watch, struct guest *guest, struct watch_pending *p,
			       struct bpf_load_progress *out)
{
	const struct view *view = &watch->progress.env;
	_cleanup_free_ uint8_t *env = NULL;
	struct kt_error *err;
	bool ok;

	err = read_view(guest, view, p->env, &env, &ok);
	if (err || !ok)
		return err;
	out->insn_idx = number(view, env, ENV_INSN_IDX);
	out->verified_insns = number(view, env, ENV_INSN_PROCESSED);
	out->total_states = number(view, env, ENV_TOTAL_STATES);
	out->peak_states = number(view, env, ENV_PEAK_STATES);
	memcpy(out->comm, p->load.comm, sizeof(out->comm));
	memcpy(out->name, p->load.name, sizeof(out->name));
	out->pid = p->load.pid;
	out->since_ns = watch->stopped_ns - p->since_ns;
	take_rates(watch, p, out);
	/* Once it is being walked through, check_btf_info() is over. */
	if (!p->lines_read && out->verified_insns.value)
		err = read_program(watch, guest, p, view_uint(view, env, ENV_PROG));
	if (!err && p->load.full_name) {
		out->full_name = strdup(p->load.full_name);
		if (!out->full_name)
			err = kt_error_no_memory();
	}
	return err || !p->n_lines ? err : take_line(watch, guest, p, out);
}

struct kt_error *watch_sample(struct watch *watch, struct guest *guest)
{
	struct kt_error *err = NULL;
	size_t n = 0;

	kt_vec_for_each (&watch->pending, p) {
		struct watch_event event = {.kind = WATCH_PROGRESS};

		if (err || !is_sampled(p) || n++ >= SAMPLE_MAX)
			continue;
		err = sample(watch, guest, p, &event.progress);
		if (!err && event.progress.verified_insns.known &&
		    kt_vec_push(&watch->queue, event))
			continue;
		bpf_load_progress_deinit(&event.progress);
	}
	plan_next(watch);
	return err;
}
