// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map.h"
#include "introspect/bpf_map_dump.h"
#include "introspect/bpf_prog.h"
#include "introspect/scx_snapshot.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "watch/reader.h"
#include "watch/sched_dump.h"

/* Of texts of an exit: SCX_EXIT_MSG_LEN is 1024; of its dump: SCX_EXIT_DUMP_DFL_LEN is 32768. */
#define TEXT_MAX   1024
#define DUMP_MAX   (64u << 10)
#define FRAMES_MAX 64 /* SCX_EXIT_BT_LEN */
/* Sections that are read in one stop, at most. */
#define SECTIONS_MAX 64

enum { SCHED_OPS_NAME, SCHED_EXIT_KIND, SCHED_EXIT_INFO, SCHED_BYPASS_DEPTH };
static const struct view_field sched_fields[] = {
	[SCHED_OPS_NAME] = {.path = "ops.name", .max = 127},
	[SCHED_EXIT_KIND] = {.path = "exit_kind.counter"},
	[SCHED_EXIT_INFO] = {.path = "exit_info"},
	[SCHED_BYPASS_DEPTH] = {.path = "bypass_depth", .optional = true}, /* since 7.1 */
};
static const struct view_type sched_type = VIEW_TYPE("scx_sched", sched_fields);

enum {
	INFO_KIND,
	INFO_CODE,
	INFO_CPU,
	INFO_REASON,
	INFO_BT,
	INFO_BT_LEN,
	INFO_MSG,
	INFO_DUMP,
};
static const struct view_field info_fields[] = {
	[INFO_KIND] = {.path = "kind"},
	[INFO_CODE] = {.path = "exit_code", .optional = true},
	[INFO_CPU] = {.path = "exit_cpu", .optional = true}, /* since 7.2 */
	[INFO_REASON] = {.path = "reason", .optional = true},
	[INFO_BT] = {.path = "bt", .optional = true},
	[INFO_BT_LEN] = {.path = "bt_len", .optional = true},
	[INFO_MSG] = {.path = "msg", .optional = true},
	[INFO_DUMP] = {.path = "dump", .optional = true},
};
static const struct view_type info_type = VIEW_TYPE("scx_exit_info", info_fields);

enum { TASK_COMM, TASK_PID, TASK_TGID };
static const struct view_field task_fields[] = {
	[TASK_COMM] = {.path = "comm", .max = 16},
	[TASK_PID] = {.path = "pid"},
	[TASK_TGID] = {.path = "tgid"},
};
static const struct view_type task_type = VIEW_TYPE("task_struct", task_fields);

bool sched_dump_wants(struct wants *wants)
{
	return view_wants(&sched_type, wants) && view_wants(&info_type, wants) &&
	       view_wants(&task_type, wants) && stack_wants(wants) && scx_snapshot_wants(wants) &&
	       bpf_progs_wants(wants) && bpf_maps_wants(wants) && bpf_map_dump_wants(wants) &&
	       wants_add(wants, KFACTS_ENUM, "scx_exit_kind", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "current_task", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "cpu_number", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "pcpu_hot", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "pcpu_hot", "current_task", true) &&
	       wants_add(wants, KFACTS_MEMBER, "pcpu_hot", "cpu_number", true);
}

struct kt_error *sched_dump_views_init(struct sched_dump_views *views, const struct kfacts *facts,
				       int64_t kaslr_offset)
{
	struct kt_error *err = view_init(&views->sched, &sched_type, facts);

	if (!err)
		err = view_init(&views->info, &info_type, facts);
	if (err)
		return err;
	views->has_task = view_try(&views->task, &task_type, facts);
	if (!reader_percpu(facts, "current_task", "current_task", kaslr_offset,
			   &views->current_task))
		views->current_task = 0;
	if (!reader_percpu(facts, "cpu_number", "cpu_number", kaslr_offset, &views->cpu_number))
		views->cpu_number = 0;
	stack_views_init(&views->stack, facts, kaslr_offset);
	return NULL;
}

/* Nothing more can be read, or kept. */
static bool is_fatal(const struct kt_error *err)
{
	enum kt_error_code code = kt_error_code(err);

	return code == KT_ERROR_NO_MEMORY || code == KT_ERROR_CLOSED || code == KT_ERROR_TIMEOUT ||
	       code == KT_ERROR_PROTOCOL || code == KT_ERROR_OS;
}

/* --- the scheduler --- */

/* A text of the guest: up to its NUL, and of what can be shown. */
static void take_text(char *to, size_t size, const void *from, size_t len)
{
	size_t n = strnlen(from ? from : "", from ? len : 0);

	n = n < size ? n : size - 1;
	memcpy(to, from ? from : "", n);
	to[n] = '\0';
}

struct kt_error *sched_see(const struct sched_dump_views *views, const struct gmem *memory,
			   gaddr_t scheduler, struct sched_seen *ret)
{
	_cleanup_(object_deinit) struct object sched = {0}, info = {0};
	struct sched_seen out = {0};
	struct kt_error *err = object_read(&sched, &views->sched, scheduler, memory);
	const void *name;
	size_t len = 0;

	*ret = out;
	if (err || !sched.known)
		return err;
	out.known = true;
	name = view_bytes(&views->sched, sched.image, SCHED_OPS_NAME, &len);
	take_text(out.ops, sizeof(out.ops), name, len);
	out.exit_kind = (int32_t)view_uint(&views->sched, sched.image, SCHED_EXIT_KIND);
	out.exit_info = view_uint(&views->sched, sched.image, SCHED_EXIT_INFO);
	if (view_has(&views->sched, SCHED_BYPASS_DEPTH))
		out.bypass_depth = (struct program_number){
			true, view_uint(&views->sched, sched.image, SCHED_BYPASS_DEPTH)};
	err = object_read(&info, &views->info, out.exit_info, memory);
	if (!err && info.known)
		out.info_kind = (int32_t)view_uint(&views->info, info.image, INFO_KIND);
	*ret = out;
	return err;
}

/* A text somewhere in the guest. NULL: there is none, it is empty, or cannot be read. */
static struct kt_error *read_text(const struct gmem *memory, gaddr_t addr, size_t max, char **ret,
				  bool *cut_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ char *text = calloc(1, max + 1);
	struct kt_error *err;
	size_t got = 0, len;

	if (!text)
		return kt_error_no_memory();
	if (!addr)
		return NULL;
	/* A page at a time: what is behind it may not be mapped. */
	for (size_t at = 0, n; at < max; at += n) {
		n = 4096 - (addr + at) % 4096;
		n = n < max - at ? n : max - at;
		if (!gmem_batch_add(&batch, addr + at, text + at, n))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, memory->read, memory->source);
	if (err)
		return err;
	kt_vec_for_each (&batch.reads, piece) {
		if (piece->fault)
			break;
		got += piece->len;
	}
	text[got] = '\0';
	len = strlen(text);
	*cut_ret = len == max;
	if (len)
		*ret = kt_take_ptr(text);
	return NULL;
}

static struct kt_error *read_frames(const struct gmem *memory, gaddr_t addr, uint64_t n,
				    const struct kfacts *facts, int64_t kaslr_offset,
				    struct scx_exit *ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	uint8_t bt[FRAMES_MAX * 8];
	struct kt_error *err;

	n = n < FRAMES_MAX ? n : FRAMES_MAX;
	if (!addr || !n)
		return NULL;
	if (!gmem_batch_add(&batch, addr, bt, (size_t)n * 8))
		return kt_error_no_memory();
	err = gmem_batch_read(&batch, memory->read, memory->source);
	if (err || batch.reads.data[0].fault)
		return err;
	ret->frames = calloc((size_t)n, sizeof(*ret->frames));
	if (!ret->frames)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		struct scx_frame *frame = &ret->frames[ret->n_frames++];
		const char *func;

		frame->addr = kt_load_uint(bt + i * 8, 8, false);
		func = kfacts_function_around(facts, frame->addr - (uint64_t)kaslr_offset,
					      &frame->offset);
		frame->func = func ? strdup(func) : NULL;
		if (func && !frame->func)
			return kt_error_no_memory();
	}
	return NULL;
}

/* Its own kind is the last thing that the kernel writes of it, but for the reason. */
static struct kt_error *read_info(const struct sched_dump_views *views, const struct gmem *memory,
				  const struct kfacts *facts, int64_t kaslr_offset,
				  const struct object *info, struct scx_exit *out)
{
	const struct view *v = &views->info;
	struct kt_error *err;
	bool cut;

	if (view_has(v, INFO_CODE))
		out->code = (struct program_number){true, view_uint(v, info->image, INFO_CODE)};
	/* -1: none */
	if (view_has(v, INFO_CPU) && (int32_t)view_uint(v, info->image, INFO_CPU) >= 0)
		out->cpu = (struct program_number){true, view_uint(v, info->image, INFO_CPU)};
	err = read_text(memory, view_uint(v, info->image, INFO_REASON), TEXT_MAX, &out->reason,
			&cut);
	if (!err)
		err = read_text(memory, view_uint(v, info->image, INFO_MSG), TEXT_MAX,
				&out->message, &cut);
	if (!err)
		err = read_text(memory, view_uint(v, info->image, INFO_DUMP), DUMP_MAX, &out->dump,
				&out->dump_is_cut);
	return err ? err
		   : read_frames(memory, view_uint(v, info->image, INFO_BT),
				 view_uint(v, info->image, INFO_BT_LEN), facts, kaslr_offset, out);
}

struct kt_error *sched_read_exit(const struct sched_dump_views *views, const struct gmem *memory,
				 const struct kfacts *facts, int64_t kaslr_offset,
				 const struct sched_seen *seen, struct scx_exit *ret)
{
	_cleanup_(object_deinit) struct object info = {0};
	_cleanup_(scx_exit_deinit) struct scx_exit out = {0};
	struct kt_error *err;
	int32_t kind = seen->exit_kind;
	const char *name;

	if (!seen->known)
		return NULL;
	err = object_read(&info, &views->info, seen->exit_info, memory);
	if (!err && info.known) {
		int32_t own = (int32_t)view_uint(&views->info, info.image, INFO_KIND);

		out.is_complete = own != 0;
		/* SCX_EXIT_DONE takes the place of the kind in exit_kind. */
		if (own)
			kind = own;
		if (own)
			err = read_info(views, memory, facts, kaslr_offset, &info, &out);
	}
	if (err)
		return err;
	out.kind = (struct program_number){true, (uint32_t)kind};
	name = kfacts_enum_name(facts, "scx_exit_kind", kind);
	out.kind_name = name ? strdup(name) : NULL;
	if (name && !out.kind_name)
		return kt_error_no_memory();
	*ret = out;
	out = (struct scx_exit){0};
	return NULL;
}

/* --- the CPU --- */

struct kt_error *sched_read_cpu(const struct sched_dump_views *views, const struct stop *stop,
				struct program_number *cpu_ret, struct scx_task *ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_(object_deinit) struct object task = {0};
	struct gmem memory = stop_memory(stop);
	uint8_t cpu[4], current[8];
	struct kt_error *err = NULL;
	const void *comm;
	size_t len = 0;

	*ret = (struct scx_task){0};
	*cpu_ret = (struct program_number){0};
	if (!views->current_task || !views->cpu_number || !views->has_task)
		return NULL;
	if (!gmem_batch_add(&batch, stop->registers[WATCH_CURRENT] + views->cpu_number, cpu,
			    sizeof(cpu)) ||
	    !gmem_batch_add(&batch, stop->registers[WATCH_CURRENT] + views->current_task, current,
			    sizeof(current)))
		return kt_error_no_memory();
	err = gmem_batch_read(&batch, memory.read, memory.source);
	if (err)
		return err;
	if (!batch.reads.data[0].fault)
		*cpu_ret = (struct program_number){true, kt_load_uint(cpu, 4, false)};
	if (batch.reads.data[1].fault)
		return NULL;
	err = object_read(&task, &views->task, kt_load_uint(current, 8, false), &memory);
	if (err || !task.known)
		return err;
	comm = view_bytes(&views->task, task.image, TASK_COMM, &len);
	take_text(ret->comm, sizeof(ret->comm), comm, len);
	ret->pid = (struct program_number){true, view_uint(&views->task, task.image, TASK_PID)};
	ret->tgid = (struct program_number){true, view_uint(&views->task, task.image, TASK_TGID)};
	ret->cpu = *cpu_ret;
	return NULL;
}

static struct kt_error *read_stack(const struct sched_dump_views *views, const struct stop *stop,
				   struct sched_dump *out)
{
	const char *const names[] = {stop->arch->pc, stop->arch->sp, stop->arch->bp};
	struct gmem memory = stop_memory(stop);
	uint64_t values[3];
	struct kt_error *err = rsp_client_registers(stop->client, stop->told.thread, 1, names, 3,
						    values);
	const struct stack_registers registers = {values[0], values[1], values[2]};

	return err ? err
		   : stack_read(&views->stack, &memory, &registers, &out->frames, &out->n_frames,
				&out->frames_cut);
}

struct kt_error *sched_name_frames(const struct stop *stop, const struct kfacts *facts,
				   int64_t kaslr_offset, struct scx_frame *frames, size_t n)
{
	struct guest *guest;
	struct kt_error *err = NULL;
	size_t n_named = 0;

	while (n_named < n && frames[n_named].func)
		n_named++;
	if (n_named == n)
		return NULL;
	err = guest_create(&stop->source, facts, &kaslr_offset, &guest);
	if (!err) {
		err = stack_name(guest, frames, n);
		guest_destroy(guest);
	}
	if (err && !is_fatal(err)) {
		kt_error_destroy(err);
		err = NULL;
	}
	/* Reads of memory may have gone through another vCPU. */
	return err ? err : rsp_client_select(stop->client, stop->told.thread);
}

/* --- the scheduler's variables --- */

/* "scx_fix.bss", ".rodata.str": what libbpf makes of an object's sections. */
static bool is_section(const struct map *map)
{
	static const char *const names[] = {".data", ".bss", ".rodata"};
	const char *dot = strchr(map->name, '.');

	for (size_t i = 0; dot && i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(dot);

		/* A map's name is cut at 15 bytes. */
		n = n < strlen(names[i]) ? n : strlen(names[i]);
		if (n > 1 && !strncmp(dot, names[i], n) && map->type && !strcmp(map->type, "array"))
			return true;
	}
	return false;
}

static bool has_program(const struct sched_dump *out, const struct program *program)
{
	if (!out->snapshot.n_schedulers)
		return program->type && !strcmp(program->type, "struct_ops");
	for (size_t s = 0; s < out->snapshot.n_schedulers; s++) {
		const struct scx_scheduler *scheduler = &out->snapshot.schedulers[s];

		for (size_t i = 0; i < scheduler->n_ops; i++)
			if (scheduler->all_ops[i].prog_id.known &&
			    scheduler->all_ops[i].prog_id.value == program->id)
				return true;
	}
	return false;
}

static bool is_used(const struct sched_dump *out, const struct programs *programs, uint32_t map)
{
	for (size_t i = 0; i < programs->n; i++) {
		const struct program *p = &programs->all[i];

		if (!has_program(out, p))
			continue;
		for (size_t m = 0; m < p->n_map_ids; m++)
			if (p->map_ids[m] == map)
				return true;
	}
	return false;
}

static struct kt_error *read_section(struct guest *guest, uint32_t id, struct sched_dump *out)
{
	const struct map_dump_order order = {.id = id};
	struct map_dump dump;
	struct kt_error *err = bpf_map_dump_read(guest, &order, &dump);
	struct sched_section *all;

	/* A map that makes no sense costs itself. */
	if (err &&
	    (kt_error_code(err) == KT_ERROR_FORMAT || kt_error_code(err) == KT_ERROR_UNSUPPORTED ||
	     kt_error_code(err) == KT_ERROR_NOT_FOUND)) {
		if (!*out->why)
			snprintf(out->why, sizeof(out->why), "%s", kt_error_message(err));
		kt_error_destroy(err);
		return NULL;
	}
	if (err)
		return err;
	all = realloc(out->sections, (out->n_sections + 1) * sizeof(*all));
	if (!all) {
		map_dump_deinit(&dump);
		return kt_error_no_memory();
	}
	out->sections = all;
	out->sections[out->n_sections++] = (struct sched_section){dump};
	return NULL;
}

static struct kt_error *read_sections(struct guest *guest, const struct kfacts *facts,
				      struct sched_dump *out)
{
	_cleanup_(programs_deinit) struct programs programs = {0};
	_cleanup_(maps_deinit) struct maps maps = {0};
	struct bpf_progs *progs = NULL;
	struct bpf_maps *all = NULL;
	struct kt_error *err = bpf_progs_read(guest, &progs);

	if (!err)
		err = bpf_progs_finish(progs, facts, &programs);
	if (!err && !scx_name_programs(&out->snapshot, &programs))
		err = kt_error_no_memory();
	if (!err)
		err = bpf_maps_read(guest, &all);
	if (!err)
		err = bpf_maps_finish(all, facts, &maps);
	for (size_t i = 0; !err && i < maps.n && out->n_sections < SECTIONS_MAX; i++)
		if (is_section(&maps.all[i]) && is_used(out, &programs, maps.all[i].id))
			err = read_section(guest, maps.all[i].id, out);
	bpf_progs_destroy(progs);
	bpf_maps_destroy(all);
	return err;
}

/* --- all --- */

/* What cannot be read for a reason of its own costs that part, and the dump tells. */
static struct kt_error *or_why(struct kt_error *err, struct sched_dump *out)
{
	if (!err || is_fatal(err))
		return err;
	if (!*out->why)
		snprintf(out->why, sizeof(out->why), "%s", kt_error_message(err));
	kt_error_destroy(err);
	return NULL;
}

static struct kt_error *read_snapshot(struct guest *guest, struct sched_dump *out)
{
	struct scx_walk *walk;
	struct kt_error *err = scx_snapshot_read(guest, &walk);

	if (err)
		return err;
	err = scx_snapshot_finish(walk, &out->snapshot);
	out->snapshot_known = !err;
	scx_walk_destroy(walk);
	return err;
}

static struct kt_error *read_guest(struct stop *stop, const struct kfacts *facts,
				   int64_t kaslr_offset, struct sched_dump *out)
{
	struct guest *guest;
	struct kt_error *err = guest_create(&stop->source, facts, &kaslr_offset, &guest);

	if (err)
		return err;
	err = or_why(stack_name(guest, out->frames, out->n_frames), out);
	if (!err)
		err = or_why(read_snapshot(guest, out), out);
	if (!err)
		err = or_why(read_sections(guest, facts, out), out);
	guest_destroy(guest);
	return err;
}

struct kt_error *sched_dump_read(const struct sched_dump_views *views, struct stop *stop,
				 const struct kfacts *facts, int64_t kaslr_offset, bool late,
				 struct sched_dump *ret)
{
	struct sched_dump out = {0};
	struct kt_error *err = NULL;

	if (!late)
		err = sched_read_cpu(views, stop, &out.cpu, &out.task);
	if (!err && !late)
		err = or_why(read_stack(views, stop, &out), &out);
	if (!err)
		err = or_why(read_guest(stop, facts, kaslr_offset, &out), &out);
	/* Reads of memory may have gone through another vCPU. */
	if (!err && !late)
		err = rsp_client_select(stop->client, stop->told.thread);
	if (err) {
		sched_dump_deinit(&out);
		return err;
	}
	*ret = out;
	return NULL;
}
