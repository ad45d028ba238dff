// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/progress.h"

/* Most loads are done before. */
#define FIRST_SAMPLE_NS INT64_C(500000000)
/* The share of time that samples may take, unless somebody says. */
#define SHARE 0.01
/* A person cannot follow samples that are closer. */
#define SAMPLE_MIN_NS INT64_C(250000000)
/* A guest whose numbers grow faster than this in a second has made them up. */
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

bool progress_wants(struct wants *wants)
{
	return view_wants(&env_type, wants) && lines_wants(wants);
}

struct kt_error *progress_init(struct progress *progress, const struct reader *reader,
			       double max_overhead)
{
	progress->on = true;
	/* The other half is for the loads themselves. */
	progress->max_overhead = max_overhead > 0 ? max_overhead / 2 : SHARE;
	progress->reader = reader;
	lines_views_init(&progress->lines, reader->facts);
	return view_init(&progress->env, &env_type, reader->facts);
}

void progress_begin(struct progress *progress, gaddr_t env, struct sampled *sampled)
{
	int64_t now = progress->reader->stop->since_ns;

	sampled->env = env;
	sampled->since_ns = now;
	/* A sample that is planned already comes soon enough, and keeps to max_overhead. */
	if (progress->next_ns < now)
		progress->next_ns = now + FIRST_SAMPLE_NS;
}

void sampled_deinit(struct sampled *sampled)
{
	lines_deinit(&sampled->lines);
	*sampled = (struct sampled){0};
}

/* The program's BTF came after bpf_vlog_init(), and with it the name that is not cut. */
static struct kt_error *read_full_name(const struct progress *progress, const struct gmem *memory,
				       struct prog *prog, struct bpf_load *load)
{
	const struct prog_views *views = &progress->reader->progs;
	struct kt_error *err = prog_name_read(views, prog, memory);

	free(load->full_name);
	load->full_name = NULL;
	return err ? err : prog_full_name(views, prog, &load->full_name);
}

/* Its lines and its full name, once: they do not change while it is verified. */
static struct kt_error *read_program(const struct progress *progress, struct guest *guest,
				     gaddr_t addr, struct bpf_load *load, struct sampled *sampled)
{
	const struct prog_views *views = &progress->reader->progs;
	_cleanup_(prog_deinit) struct prog prog = {0};
	struct gmem memory = guest_memory(guest);
	struct kt_error *err;
	gaddr_t aux = 0;

	sampled->program_read = true;
	err = object_read(&prog.prog, &views->prog, addr, &memory);
	if (!err && prog.prog.known) {
		aux = view_uint(&views->prog, prog.prog.image, PROG_AUX);
		err = object_read(&prog.aux, &views->aux, aux, &memory);
	}
	if (err || !prog.aux.known)
		return err;
	err = read_full_name(progress, &memory, &prog, load);
	return err ? err : lines_read(&progress->lines, guest, aux, &sampled->lines);
}

static struct program_number number(const struct view *view, const void *image, unsigned int field)
{
	return (struct program_number){view_has(view, field), view_uint(view, image, field)};
}

/* By how much a number grew in a second. */
static struct program_number rate(struct program_number now, uint64_t before, int64_t ns)
{
	if (!now.known || ns <= 0 || now.value < before ||
	    now.value - before > RATE_MAX / 1000000000 * (uint64_t)ns)
		return (struct program_number){0};
	return (struct program_number){true,
				       (uint64_t)((double)(now.value - before) * 1e9 / (double)ns)};
}

static void take_rates(struct sampled *sampled, int64_t now_ns, struct bpf_load_progress *out)
{
	int64_t ns = sampled->at_ns ? now_ns - sampled->at_ns : 0;

	out->insns_rate = rate(out->verified_insns, sampled->insns, ns);
	out->states_rate = rate(out->total_states, sampled->states, ns);
	sampled->at_ns = now_ns;
	sampled->insns = out->verified_insns.value;
	sampled->states = out->total_states.value;
}

struct kt_error *progress_sample(const struct progress *progress, struct guest *guest,
				 struct sampled *sampled, struct bpf_load *load,
				 struct bpf_load_progress *out)
{
	const struct view *view = &progress->env;
	_cleanup_(object_deinit) struct object env = {0};
	int64_t now_ns = progress->reader->stop->since_ns;
	struct gmem memory = guest_memory(guest);
	struct kt_error *err = object_read(&env, view, sampled->env, &memory);

	if (err || !env.known)
		return err;
	out->insn_idx = number(view, env.image, ENV_INSN_IDX);
	out->verified_insns = number(view, env.image, ENV_INSN_PROCESSED);
	out->total_states = number(view, env.image, ENV_TOTAL_STATES);
	out->peak_states = number(view, env.image, ENV_PEAK_STATES);
	memcpy(out->comm, load->comm, sizeof(out->comm));
	memcpy(out->name, load->name, sizeof(out->name));
	out->pid = load->pid;
	out->since_ns = now_ns - sampled->since_ns;
	take_rates(sampled, now_ns, out);
	/* When instructions are processed, check_btf_info() is over, and the BTF there. */
	if (!sampled->program_read && out->verified_insns.value)
		err = read_program(progress, guest, view_uint(view, env.image, ENV_PROG), load,
				   sampled);
	if (!err && load->full_name) {
		out->full_name = strdup(load->full_name);
		if (!out->full_name)
			err = kt_error_no_memory();
	}
	return err ? err : lines_find(&progress->lines, guest, &sampled->lines, out);
}

void progress_plan(struct progress *progress)
{
	int64_t now = kt_now_ns(), cost = now - progress->reader->stop->since_ns;
	int64_t wait = (int64_t)((double)cost / progress->max_overhead);

	progress->next_ns = now + (wait > SAMPLE_MIN_NS ? wait : SAMPLE_MIN_NS);
}
