// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "introspect/inspect.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* Everything that the stop holds, to be released however it ends. */
struct stop {
	struct rsp_client *client;
	bool kept;            /* the connection was there before */
	unsigned int objects; /* that are read */
	struct guest *guest;
	struct bpf_progs *progs;
	struct bpf_maps *maps;
	struct bpf_metadata *metadata;
	struct bpf_links *links;
	struct bpf_insns *insns;
	struct jited jited;
	struct code_names code;
	struct btf_objects btfs;
	struct btf_data btf;
	struct map_dump dump;
	struct bpf_cgroups *cgroups;
	struct bpf_net *net;
	struct scx_state scx;
	struct scx_walk *sched;
	struct bpf_trampolines *trampolines;
	struct struct_ops_list struct_ops;
	struct bpf_perf *perf;
	struct holdings holdings;
	struct slots slots;
};

static void stop_deinit(struct stop *stop)
{
	bpf_progs_destroy(stop->progs);
	bpf_maps_destroy(stop->maps);
	bpf_metadata_destroy(stop->metadata);
	bpf_links_destroy(stop->links);
	bpf_insns_destroy(stop->insns);
	jited_deinit(&stop->jited);
	code_names_deinit(&stop->code);
	btf_objects_deinit(&stop->btfs);
	btf_data_deinit(&stop->btf);
	map_dump_deinit(&stop->dump);
	bpf_trampolines_destroy(stop->trampolines);
	struct_ops_list_deinit(&stop->struct_ops);
	bpf_perf_destroy(stop->perf);
	bpf_cgroups_destroy(stop->cgroups);
	bpf_net_destroy(stop->net);
	holdings_deinit(&stop->holdings);
	slots_deinit(&stop->slots);
	scx_walk_destroy(stop->sched);
	guest_destroy(stop->guest);
	rsp_client_destroy(stop->client);
}

static struct kt_error *read_progs(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return bpf_progs_read(stop->guest, &stop->progs);
}

static struct kt_error *finish_progs(struct stop *stop, const struct kfacts *facts,
				     struct inspection *out)
{
	return bpf_progs_finish(stop->progs, facts, &out->programs);
}

static struct kt_error *read_metadata(struct stop *stop, const struct inspect_options *what)
{
	return bpf_metadata_read(stop->guest, what->prog_id, &stop->metadata);
}

static struct kt_error *finish_metadata(struct stop *stop, const struct kfacts *facts,
					struct inspection *out)
{
	(void)facts;
	return bpf_metadata_finish(stop->metadata, &out->programs);
}

static struct kt_error *read_maps(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return bpf_maps_read(stop->guest, &stop->maps);
}

static struct kt_error *finish_maps(struct stop *stop, const struct kfacts *facts,
				    struct inspection *out)
{
	return bpf_maps_finish(stop->maps, facts, &out->maps);
}

static struct kt_error *read_links(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return bpf_links_read(stop->guest, &stop->links);
}

static struct kt_error *finish_links(struct stop *stop, const struct kfacts *facts,
				     struct inspection *out)
{
	return bpf_links_finish(stop->links, facts, &out->links);
}

static struct kt_error *read_insns(struct stop *stop, const struct inspect_options *what)
{
	/* No program has ID 0: who asks for that wants the facts alone. */
	return what->prog_id ? bpf_insns_read(stop->guest, what->prog_id, &stop->insns) : NULL;
}

static struct kt_error *finish_insns(struct stop *stop, const struct kfacts *facts,
				     struct inspection *out)
{
	return stop->insns ? bpf_insns_finish(stop->insns, facts, &out->insns) : NULL;
}

static struct kt_error *read_jited(struct stop *stop, const struct inspect_options *what)
{
	return what->prog_id ? bpf_jited_read(stop->guest, what->prog_id, &stop->jited) : NULL;
}

static struct kt_error *read_btfs(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return bpf_btf_list(stop->guest, &stop->btfs);
}

static struct kt_error *read_btf_data(struct stop *stop, const struct inspect_options *what)
{
	return what->btf_id ? bpf_btf_read(stop->guest, what->btf_id, what->btf_offset, &stop->btf)
			    : NULL;
}

static struct kt_error *read_map_dump(struct stop *stop, const struct inspect_options *what)
{
	return what->map ? bpf_map_dump_read(stop->guest, what->map, &stop->dump) : NULL;
}

static struct kt_error *read_trampolines(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return bpf_trampolines_read(stop->guest, &stop->trampolines);
}

static struct kt_error *finish_trampolines(struct stop *stop, const struct kfacts *facts,
					   struct inspection *out)
{
	return bpf_trampolines_finish(stop->trampolines, facts, &out->trampolines);
}

static struct kt_error *read_struct_ops(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return bpf_struct_ops_read(stop->guest, &stop->struct_ops);
}

/* Who holds objects is found in the same files. */
static struct kt_error *read_perf(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	if (stop->objects & INSPECT_HOLDERS)
		return NULL; /* read_holders() reads it */
	return bpf_perf_read(stop->guest, &stop->perf);
}

static struct kt_error *finish_perf(struct stop *stop, const struct kfacts *facts,
				    struct inspection *out)
{
	return bpf_perf_finish(stop->perf, facts, &out->perf);
}

static struct kt_error *read_cgroups(struct stop *stop, const struct inspect_options *what)
{
	return bpf_cgroups_read(stop->guest, what->effective, &stop->cgroups);
}

static struct kt_error *finish_cgroups(struct stop *stop, const struct kfacts *facts,
				       struct inspection *out)
{
	return bpf_cgroups_finish(stop->cgroups, facts, &out->cgroups);
}

static struct kt_error *read_net(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return bpf_net_read(stop->guest, &stop->net);
}

static struct kt_error *finish_net(struct stop *stop, const struct kfacts *facts,
				   struct inspection *out)
{
	return bpf_net_finish(stop->net, facts, &out->net);
}

static struct kt_error *read_holders(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	if (stop->objects & INSPECT_PERF)
		return bpf_holders_read_with_perf(stop->guest, &stop->holdings, &stop->perf);
	return bpf_holders_read(stop->guest, &stop->holdings);
}

static struct kt_error *read_slots(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return bpf_slots_read(stop->guest, &stop->slots);
}

/* Takes what the stop holds as it is: it was plain data from the start. */
#define FINISH_BY_TAKING(name, member)                                                             \
	static struct kt_error *name(struct stop *stop, const struct kfacts *facts,                \
				     struct inspection *out)                                       \
	{                                                                                          \
		(void)facts;                                                                       \
		out->member = stop->member;                                                        \
		memset(&stop->member, 0, sizeof(stop->member));                                    \
		return NULL;                                                                       \
	}

FINISH_BY_TAKING(finish_jited, jited)
FINISH_BY_TAKING(finish_code, code)
FINISH_BY_TAKING(finish_btfs, btfs)
FINISH_BY_TAKING(finish_btf_data, btf)
FINISH_BY_TAKING(finish_map_dump, dump)
FINISH_BY_TAKING(finish_struct_ops, struct_ops)
FINISH_BY_TAKING(finish_holders, holdings)
FINISH_BY_TAKING(finish_slots, slots)

static struct kt_error *read_scx(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return scx_read(stop->guest, &stop->scx);
}

static struct kt_error *finish_scx(struct stop *stop, const struct kfacts *facts,
				   struct inspection *out)
{
	(void)facts;
	out->scx = stop->scx;
	return NULL;
}

static struct kt_error *read_sched(struct stop *stop, const struct inspect_options *what)
{
	(void)what;
	return scx_snapshot_read(stop->guest, &stop->sched);
}

static struct kt_error *finish_sched(struct stop *stop, const struct kfacts *facts,
				     struct inspection *out)
{
	(void)facts;
	return scx_snapshot_finish(stop->sched, &out->sched);
}

/* No kernel is refused: without sched_ext the state is unknown. */
static struct kt_error *check_scx(const struct kfacts *facts)
{
	(void)facts;
	return NULL;
}

static struct kt_error *read_code(struct stop *stop, const struct inspect_options *what)
{
	return code_names_of(stop->guest, what->addrs, what->n_addrs, &stop->code);
}

/* A kernel without any of it has no such names. */
static struct kt_error *check_code(const struct kfacts *facts)
{
	(void)facts;
	return NULL;
}

/* One for each kind of object: reads in the stop, and finishes when the guest runs again. */
static const struct walker {
	unsigned int object;
	const char *what;
	bool (*wants)(struct wants *wants);
	struct kt_error *(*check)(const struct kfacts *facts);
	struct kt_error *(*read)(struct stop *stop, const struct inspect_options *what);
	struct kt_error *(*finish)(struct stop *stop, const struct kfacts *facts,
				   struct inspection *out);
} walkers[] = {
	{INSPECT_PROGRAMS, "BPF programs", bpf_progs_wants, bpf_progs_check, read_progs,
	 finish_progs},
	/* Behind programs, which it adds to. */
	{INSPECT_METADATA, "metadata", bpf_metadata_wants, bpf_metadata_check, read_metadata,
	 finish_metadata},
	{INSPECT_MAPS, "BPF maps", bpf_maps_wants, bpf_maps_check, read_maps, finish_maps},
	{INSPECT_LINKS, "BPF links", bpf_links_wants, bpf_links_check, read_links, finish_links},
	{INSPECT_INSNS, "instructions", bpf_insns_wants, bpf_insns_check, read_insns, finish_insns},
	{INSPECT_JITED, "machine code", bpf_jited_wants, bpf_jited_check, read_jited, finish_jited},
	{INSPECT_CODE, "names of code", code_names_wants, check_code, read_code, finish_code},
	{INSPECT_BTF, "BTF objects", bpf_btf_wants, bpf_btf_check, read_btfs, finish_btfs},
	{INSPECT_BTF_DATA, "BTF", bpf_btf_wants, bpf_btf_check, read_btf_data, finish_btf_data},
	{INSPECT_MAP_DUMP, "map", bpf_map_dump_wants, bpf_map_dump_check, read_map_dump,
	 finish_map_dump},
	{INSPECT_TRAMPOLINES, "trampolines", bpf_trampolines_wants, bpf_trampolines_check,
	 read_trampolines, finish_trampolines},
	{INSPECT_STRUCT_OPS, "struct_ops", bpf_struct_ops_wants, bpf_struct_ops_check,
	 read_struct_ops, finish_struct_ops},
	{INSPECT_PERF, "perf events", bpf_perf_wants, bpf_perf_check, read_perf, finish_perf},
	{INSPECT_CGROUPS, "cgroups", bpf_cgroups_wants, bpf_cgroups_check, read_cgroups,
	 finish_cgroups},
	{INSPECT_NET, "network", bpf_net_wants, bpf_net_check, read_net, finish_net},
	{INSPECT_HOLDERS, "processes and bpffs", bpf_holders_wants, bpf_holders_check, read_holders,
	 finish_holders},
	{INSPECT_SLOTS, "slots of maps", bpf_slots_wants, bpf_slots_check, read_slots,
	 finish_slots},
	{INSPECT_SCX, "sched_ext state", scx_wants, check_scx, read_scx, finish_scx},
	{INSPECT_SCHED, "schedulers", scx_snapshot_wants, scx_snapshot_check, read_sched,
	 finish_sched},
};
#define N_WALKERS (sizeof(walkers) / sizeof(walkers[0]))

/* Every walker but that of sched_ext needs both types and symbols. */
static struct kt_error *check_walker(const struct walker *walker, const struct kfacts *facts)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(facts);

	if (walker->object == INSPECT_SCX)
		return walker->check(facts);
	if (!kernel->types_from[0])
		return kt_error_hint(
			kt_error_new(KT_ERROR_NOT_FOUND, "nothing tells the kernel's types"),
			"give --btf FILE, a copy of the guest's /sys/kernel/btf/vmlinux if it has "
			"that, or --vmlinux FILE with BTF or DWARF (the debug package)");
	if (!kernel->symbols_from[0])
		return kt_error_hint(
			kt_error_new(KT_ERROR_NOT_FOUND, "nothing tells the kernel's symbols"),
			"give --system-map FILE, the System.map of the same build, --kallsyms "
			"FILE, a copy of the guest's /proc/kallsyms, or --vmlinux FILE (the debug "
			"package)");
	return walker->check(facts);
}

bool inspect_wants(unsigned int objects, struct wants *wants)
{
	for (size_t i = 0; i < N_WALKERS; i++)
		if (objects & walkers[i].object && !walkers[i].wants(wants))
			return false;
	return true;
}

struct kt_error *inspect_check(unsigned int objects, const struct kfacts *facts)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < N_WALKERS && !err; i++)
		if (objects & walkers[i].object && !(objects & INSPECT_AVAILABLE))
			err = check_walker(&walkers[i], facts);
	return err;
}

/* The objects to read: all that were asked for, or those that the facts suffice for. */
static unsigned int available(unsigned int objects, const struct kfacts *facts)
{
	unsigned int ret = 0;

	for (size_t i = 0; i < N_WALKERS; i++) {
		struct kt_error *err = NULL;

		if (objects & INSPECT_AVAILABLE)
			err = check_walker(&walkers[i], facts);
		if (!err)
			ret |= objects & walkers[i].object;
		kt_error_destroy(err);
	}
	return ret;
}

/* Nanoseconds since *mark, which moves to now. */
static int64_t lap(int64_t *mark)
{
	int64_t now = kt_now_ns(), ns = now - *mark;

	*mark = now;
	return ns;
}

/* A walker at work. */
struct work {
	const struct walker *walker;
	struct stop *stop;
	const struct inspect_options *what;
};

static struct kt_error *run_walker(void *arg)
{
	const struct work *work = arg;

	return kt_error_wrap(work->walker->read(work->stop, work->what),
			     "cannot read the guest's %s", work->walker->what);
}

static struct kt_error *read_all(struct stop *stop, const struct inspect_options *what,
				 unsigned int objects)
{
	struct work works[N_WALKERS];
	struct guest_walk walks[N_WALKERS];
	size_t n = 0;

	for (size_t i = 0; i < N_WALKERS; i++) {
		if (!(objects & walkers[i].object))
			continue;
		works[n] = (struct work){&walkers[i], stop, what};
		walks[n] = (struct guest_walk){run_walker, &works[n]};
		n++;
	}
	return guest_together(stop->guest, walks, n);
}

static struct kt_error *read_stopped(struct stop *stop, const struct kfacts *facts,
				     const struct inspect_options *what, int64_t *mark,
				     struct inspection *out)
{
	struct source source = source_from_stub(stop->client);
	struct kt_error *err = guest_create(&source, facts, what->paging ? NULL : what->hint,
					    &stop->guest);

	if (err)
		return err;
	out->timing.locate_ns = lap(mark);
	out->kaslr_offset = guest_kaslr_offset(stop->guest);
	out->paging = guest_paging(stop->guest);
	out->n_cpus = guest_cpus(stop->guest);
	out->runs_guests = guest_runs_guests(stop->guest);
	stop->objects = out->objects & ~what->not_read;
	err = read_all(stop, what, stop->objects);
	if (!err && what->emulator)
		err = emulator_ask(stop->client, &out->emulator);
	out->timing.read_ns = lap(mark);
	return err;
}

static void share_holdings(struct inspection *out)
{
	const struct holdings *all = &out->holdings;

#define SHARE(list, which)                                                                         \
	for (size_t i = 0; i < (list).n; i++)                                                      \
	(list).all[i].held = holdings_of(all, (struct held_object){which, (list).all[i].id})
	SHARE(out->programs, HELD_PROG);
	SHARE(out->maps, HELD_MAP);
	SHARE(out->links, HELD_LINK);
	SHARE(out->btfs, HELD_BTF);
#undef SHARE
}

static struct kt_error *finish_all(struct stop *stop, const struct kfacts *facts,
				   const struct inspect_options *what, struct inspection *out)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < N_WALKERS && !err; i++)
		if (out->objects & ~what->not_read & walkers[i].object)
			err = walkers[i].finish(stop, facts, out);
	if (!err)
		share_holdings(out);
	return err;
}

/*
 * Reads a guest that is stopped, and detaches. since_ns: when connecting, or stopping it, began.
 */
static struct kt_error *inspect(struct stop *stop, const struct kfacts *facts,
				const struct inspect_options *what, int64_t since_ns,
				struct inspection *ret)
{
	const struct rsp_stats *stats = rsp_client_stats(stop->client);
	struct inspection out = {.objects = available(what->objects, facts)};
	struct rsp_stats before = stop->kept ? *stats : (struct rsp_stats){0};
	int64_t mark = kt_now_ns();
	struct kt_error *err, *detach_err;

	out.timing.connect_ns = mark - since_ns;
	out.was_paused = !rsp_client_was_running(stop->client);
	err = read_stopped(stop, facts, what, &mark, &out);
	detach_err = rsp_client_detach(stop->client);
	out.timing.detach_ns = lap(&mark);
	err = kt_error_join(err, detach_err);
	if (err)
		return err;
	out.timing.pause_ns = mark - (stop->kept ? since_ns : stats->connected_ns);
	out.timing.requests = stats->requests - before.requests;
	out.timing.bytes_read = stats->bytes_read - before.bytes_read;
	out.timing.round_trips = stats->round_trips - before.round_trips;
	err = finish_all(stop, facts, what, &out);
	if (err) {
		inspection_deinit(&out);
		return err;
	}
	out.timing.finish_ns = lap(&mark);
	*ret = out;
	return NULL;
}

/* What a walk of a large guest takes. Each open file of each process takes the most. */
#define HEAP         (1u << 20)
#define HEAP_HOLDERS (4u << 20)

struct kt_error *inspect_guest(const struct rsp_target *target, const struct rsp_options *options,
			       const struct kfacts *facts, const struct inspect_options *what,
			       struct inspection *ret)
{
	struct rsp_options mine = options ? *options : (struct rsp_options){.cancel_fd = -1};
	_cleanup_(stop_deinit) struct stop stop = {0};
	int64_t start = kt_now_ns();
	struct kt_error *err;

	mine.heap_bytes = what->objects & INSPECT_HOLDERS ? HEAP_HOLDERS : HEAP;
	err = rsp_client_connect(target, &mine, &stop.client);
	return err ? err : inspect(&stop, facts, what, start, ret);
}

struct kt_error *inspect_client(struct rsp_client *client, const struct kfacts *facts,
				const struct inspect_options *what, struct inspection *ret)
{
	_cleanup_(stop_deinit) struct stop stop = {.client = client, .kept = true};
	int64_t start = kt_now_ns();
	struct kt_error *err = NULL;
	struct rsp_stop told;

	if (rsp_client_runs(client))
		err = rsp_client_interrupt(client, &told);
	return err ? err : inspect(&stop, facts, what, start, ret);
}

struct kt_error *inspect_found(struct guest *guest, const struct kfacts *facts,
			       const struct inspect_options *what, struct inspection *ret)
{
	struct inspection out = {.objects = available(what->objects, facts)};
	_cleanup_(stop_deinit) struct stop stop = {.guest = guest};
	int64_t mark = kt_now_ns();
	struct kt_error *err;

	out.kaslr_offset = guest_kaslr_offset(guest);
	out.n_cpus = guest_cpus(guest);
	err = read_all(&stop, what, out.objects & ~what->not_read);
	stop.guest = NULL; /* it is the caller's */
	out.timing.read_ns = lap(&mark);
	if (!err)
		err = finish_all(&stop, facts, what, &out);
	out.timing.finish_ns = lap(&mark);
	if (!err)
		*ret = out;
	else
		inspection_deinit(&out);
	return err;
}

void inspection_deinit(struct inspection *inspection)
{
	programs_deinit(&inspection->programs);
	maps_deinit(&inspection->maps);
	links_deinit(&inspection->links);
	insns_deinit(&inspection->insns);
	jited_deinit(&inspection->jited);
	code_names_deinit(&inspection->code);
	btf_objects_deinit(&inspection->btfs);
	btf_data_deinit(&inspection->btf);
	map_dump_deinit(&inspection->dump);
	trampolines_deinit(&inspection->trampolines);
	struct_ops_list_deinit(&inspection->struct_ops);
	perf_progs_deinit(&inspection->perf);
	cgroups_deinit(&inspection->cgroups);
	net_deinit(&inspection->net);
	holdings_deinit(&inspection->holdings);
	slots_deinit(&inspection->slots);
	scx_snapshot_deinit(&inspection->sched);
}
