// SPDX-License-Identifier: LGPL-2.1-or-later
#include "watch/stop.h"
#include "memory/pagetable.h"
#include "memory/percpu.h"
#include "util/clock.h"

/* A vCPU that does not move by as many steps will not: it goes on as it is. */
#define STEPS_MAX 8

bool stop_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_PARAM, "bpf_vlog_finalize", "bpf_verifier_log", true) &&
	       wants_add(wants, KFACTS_PARAM, "bpf_vlog_init", "bpf_verifier_log", true) &&
	       percpu_wants(wants);
}

/* The register of the parameter that is the log; the first, where the types do not tell. */
static const char *log_register(const struct watch_arch *arch, const struct kfacts *facts,
				const char *function)
{
	uint64_t at;

	if (!kfacts_param(facts, function, "bpf_verifier_log", &at) || at >= arch->n_args)
		at = 0;
	return arch->args[at];
}

void stop_init(struct stop *stop, struct rsp_client *client, const struct watch_arch *arch,
	       const struct kfacts *facts)
{
	*stop = (struct stop){
		.since_ns = kt_now_ns(),
		.client = client,
		.arch = arch,
		.source = source_from_stub(client),
		.big_endian = kfacts_kernel(facts)->big_endian,
		.no_percpu = arch->current_is == WATCH_CURRENT_PERCPU && percpu_is_up(facts),
		.names =
			{
				[WATCH_PC] = arch->pc,
				[WATCH_FINALIZE_LOG] = log_register(arch, facts,
								    "bpf_vlog_finalize"),
				[WATCH_INIT_LOG] = log_register(arch, facts, "bpf_vlog_init"),
				[WATCH_ARGUMENT] = arch->args[0],
				[WATCH_RESULT] = arch->result,
				[WATCH_CURRENT] = arch->current,
			},
	};
}

static struct kt_error *begin(struct stop *stop, struct kt_error *err)
{
	stop->since_ns = kt_now_ns();
	stop->code_known = false;
	stop->n_writes = 0;
	return err;
}

struct kt_error *stop_wait(struct stop *stop, int64_t wait_ms)
{
	return begin(stop, rsp_client_wait(stop->client, wait_ms > 0 ? wait_ms * 1000000 : wait_ms,
					   &stop->told));
}

struct kt_error *stop_interrupt(struct stop *stop)
{
	return begin(stop, rsp_client_interrupt(stop->client, &stop->told));
}

struct kt_error *stop_registers(struct stop *stop)
{
	struct kt_error *err;

	if (!stop->told.thread)
		return kt_error_new(KT_ERROR_PROTOCOL,
				    "the GDB stub does not tell which vCPU stopped");
	err = rsp_client_select(stop->client, stop->told.thread);
	if (!err)
		err = rsp_client_registers(stop->client, stop->told.thread, 1, stop->names,
					   WATCH_REGISTERS, stop->registers);
	if (!err && stop->no_percpu)
		stop->registers[WATCH_CURRENT] = 0;
	return err;
}

struct gmem stop_memory(const struct stop *stop)
{
	return (struct gmem){stop->source.read_virtual, stop->source.context};
}

/* Through the process's page table, which the stub's own reads do not go through. */
static struct kt_error *read_by_table(struct stop *stop, const struct arch *arch,
				      struct gmem_read *reads, size_t count)
{
	const struct gmem physical = {stop->source.read_physical, stop->source.context};
	uint64_t values[ARCH_MAX_REGISTERS];
	struct arch_space space;
	struct pagetable *table;
	struct kt_error *err;

	err = rsp_client_registers(stop->client, stop->told.thread, 1, arch->user_registers,
				   arch->n_user_registers, values);
	if (err || !arch->user_space(values, &space))
		return err;
	err = pagetable_create(arch, stop->big_endian, &space, &physical, &table);
	if (err)
		return err;
	err = pagetable_read(table, reads, count);
	pagetable_destroy(table);
	return err;
}

static struct kt_error *read_loader(void *source, struct gmem_read *reads, size_t count)
{
	struct stop *stop = source;
	const struct arch *arch = arch_by_name(stop->arch->name);
	struct kt_error *err = stop->source.read_virtual(stop->source.context, reads, count);
	bool complete = true;

	for (size_t i = 0; i < count; i++)
		complete = complete && !reads[i].fault;
	if (err || complete || !arch || !arch->user_space || !stop->source.read_physical)
		return err;
	return read_by_table(stop, arch, reads, count);
}

struct gmem stop_loader_memory(struct stop *stop)
{
	return (struct gmem){&read_loader, stop};
}

struct kt_error *stop_read(struct stop *stop, struct gmem_batch *batch, bool *complete)
{
	struct gmem memory = stop_memory(stop);
	struct kt_error *err = gmem_batch_read(batch, memory.read, memory.source);

	*complete = !err && !gmem_batch_fault(batch, 0, batch->reads.len);
	batch->reads.len = 0;
	return err;
}

struct kt_error *stop_read_with_code(struct stop *stop, struct gmem_batch *batch, bool *complete)
{
	struct gmem memory = stop_memory(stop);
	size_t n = batch->reads.len;
	struct kt_error *err;

	*complete = false;
	if (!gmem_batch_add(batch, stop->registers[WATCH_PC], stop->code, WATCH_CODE_LEN))
		return kt_error_no_memory();
	err = gmem_batch_read(batch, memory.read, memory.source);
	stop->code_known = !err && !gmem_batch_fault(batch, n, n + 1);
	*complete = !err && !gmem_batch_fault(batch, 0, n);
	batch->reads.len = 0;
	return err;
}

/*
 * One step of the vCPU. A stop of another vCPU, or one that is told a second time, may end it
 * before the instruction was executed: then it is begun anew. No kernel has a jump to itself there.
 */
static struct kt_error *step(struct stop *stop)
{
	const struct rsp_thread *thread = stop->told.thread;
	const gaddr_t pc = stop->registers[WATCH_PC];
	struct kt_error *err = NULL;
	struct rsp_stop stepped;
	uint64_t now = pc;

	for (int i = 0; i < STEPS_MAX && now == pc && !err; i++) {
		err = rsp_client_step(stop->client, thread, &stepped);
		if (!err)
			err = rsp_client_registers(stop->client, thread, 1, &stop->names[WATCH_PC],
						   1, &now);
	}
	return err;
}

/* The other vCPUs stand still meanwhile, so that none gets past the breakpoint unseen. */
static struct kt_error *step_over(struct stop *stop)
{
	gaddr_t pc = stop->registers[WATCH_PC];
	size_t len = stop->arch->breakpoint_len;
	struct kt_error *err = rsp_client_breakpoint(stop->client, pc, len, false);

	if (!err)
		err = step(stop);
	return err ? err : rsp_client_breakpoint(stop->client, pc, len, true);
}

struct kt_error *stop_pass(struct stop *stop)
{
	if (stop->code_known)
		stop->n_writes = stop->arch->emulate(stop->code, WATCH_CODE_LEN, stop->registers,
						     stop->writes);
	return stop->n_writes ? NULL : step_over(stop);
}

struct kt_error *stop_resume(struct stop *stop)
{
	struct kt_error *err = rsp_client_resume(stop->client, stop->told.thread, stop->writes,
						 stop->n_writes);

	stop->n_writes = 0;
	stop->stood_ns += kt_now_ns() - stop->since_ns;
	return err;
}
