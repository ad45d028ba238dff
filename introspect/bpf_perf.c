// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_link_impl.h"
#include "introspect/bpf_perf.h"
#include "introspect/open_files.h"
#include "memory/object.h"
#include "util/cleanup.h"

/* Events and links that descriptors lead to. */
#define MAX_EVENTS 65536

enum { KIND_EVENT };
static const char *const operations[] = {
	[KIND_EVENT] = "perf_fops", "bpf_link_fops", "bpf_link_fops_poll" /* since 6.11 */
};
#define N_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static const struct view_field link_fields[] = {{.path = "type"}};
static const struct view_type link_type = VIEW_TYPE("bpf_link", link_fields);

#define RAW "RAW_TRACEPOINT"

/* clang-format off */
static const struct link_row raw_rows[] = {
	{RAW, LINK_AT(prog_id), VALUE_NUMBER,
	 .hops = {HOP("bpf_link", "prog"), HOP("bpf_prog", "aux"), HOP("bpf_prog_aux", "id")}},
	{RAW, VALUE_AT(has_prog), VALUE_IS_SET, .hops = {HOP("bpf_link", "prog")}},
	{RAW, LINK_AT(tracepoint), VALUE_TEXT,
	 .hops = {HOP("bpf_raw_tp_link", "btp"), HOP("bpf_raw_event_map", "tp"), HOP("tracepoint", "name")}},
};
/* clang-format on */
static const struct link_rows raw_table = LINK_ROWS(raw_rows);

/* What descriptors lead to. */
struct event {
	gaddr_t addr;
	bool is_event, is_raw; /* neither: a link of another type */
};

struct bpf_perf {
	struct open_files files; /* by what they lead to */
	struct event *events;    /* each once, in that order */
	size_t n_events, n_unread;
	struct link_layout event_layout, raw_layout;
	struct link_chains chains;
	struct bpf_link_calls calls;
	struct link_values *values; /* of each event */
};

bool bpf_perf_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_OPERATIONS; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, operations[i], NULL, true))
			return false;
	return open_files_wants(wants) && view_wants(&link_type, wants) &&
	       bpf_link_perf_wants(wants) && link_rows_want(&raw_table, wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_link_type", NULL, true);
}

struct kt_error *bpf_perf_check(const struct kfacts *facts)
{
	struct kfacts_member prog;
	gaddr_t addr;

	if (!kfacts_member(facts, "perf_event", "prog", &prog))
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "this kernel's perf events have no BPF programs");
	if (!kfacts_symbol(facts, operations[KIND_EVENT], &addr))
		return kt_error_new(KT_ERROR_NOT_FOUND, "nothing tells where %s is",
				    operations[KIND_EVENT]);
	return open_files_check(facts);
}

/* --- what the descriptors lead to --- */

static int compare_files(const void *a, const void *b)
{
	const struct open_file *x = a, *y = b;

	if (x->private_data != y->private_data)
		return x->private_data < y->private_data ? -1 : 1;
	return (x->kind != KIND_EVENT) - (y->kind != KIND_EVENT);
}

static bool leads_to(const struct open_file *file, const struct event *event)
{
	return file->private_data == event->addr && (file->kind == KIND_EVENT) == event->is_event;
}

static struct kt_error *find_events(struct bpf_perf *perf)
{
	perf->events = calloc(perf->files.v.len + 1, sizeof(*perf->events));
	if (!perf->events)
		return kt_error_no_memory();
	if (perf->files.v.len)
		qsort(perf->files.v.data, perf->files.v.len, sizeof(*perf->files.v.data),
		      compare_files);
	for (size_t i = 0; i < perf->files.v.len; i++) {
		const struct open_file *file = &perf->files.v.data[i];

		if (perf->n_events && leads_to(file, &perf->events[perf->n_events - 1]))
			continue;
		if (perf->n_events == MAX_EVENTS) {
			perf->n_unread += perf->files.v.len - i;
			perf->files.v.len = i;
			break;
		}
		perf->events[perf->n_events++] = (struct event){
			.addr = file->private_data, .is_event = file->kind == KIND_EVENT};
	}
	return NULL;
}

/* Which links are to raw tracepoints. */
static struct kt_error *read_types(struct guest *guest, struct bpf_perf *perf)
{
	const struct kfacts *facts = guest_facts(guest);
	const struct gmem memory = guest_memory(guest);
	_cleanup_free_ gaddr_t *addrs = calloc(perf->n_events + 1, sizeof(*addrs));
	_cleanup_(objects_deinit) struct objects links = {0};
	struct kt_error *err;
	struct view view;

	if (!addrs)
		return kt_error_no_memory();
	if (!view_try(&view, &link_type, facts)) /* before 5.7 */
		return NULL;
	for (size_t i = 0; i < perf->n_events; i++)
		addrs[i] = perf->events[i].is_event ? 0 : perf->events[i].addr;
	err = objects_read(&memory, &view, addrs, perf->n_events, &links);
	for (size_t i = 0; i < perf->n_events && !err; i++) {
		const uint8_t *image = objects_image(&links, i);
		const char *type = image ? kfacts_enum_name(facts, "bpf_link_type",
							    (int64_t)view_uint(&view, image, 0))
					 : NULL;

		perf->n_unread += addrs[i] && !image;
		perf->events[i].is_raw = type && strcmp(type, "BPF_LINK_TYPE_" RAW) == 0;
	}
	return err;
}

static struct kt_error *read_events(struct guest *guest, struct bpf_perf *perf)
{
	const struct kfacts *facts = guest_facts(guest);
	struct kt_error *err = link_layout_init(&perf->event_layout, &bpf_link_event_rows, facts);

	if (!err)
		err = link_layout_init(&perf->raw_layout, &raw_table, facts);
	for (size_t i = 0; i < perf->n_events && !err; i++) {
		const struct event *event = &perf->events[i];

		if (!event->is_event && !event->is_raw)
			continue;
		if (!link_chains_begin(&perf->chains,
				       event->is_raw ? &perf->raw_layout : &perf->event_layout,
				       event->is_raw ? RAW : "event", i, event->addr))
			err = kt_error_no_memory();
	}
	if (!err)
		err = link_chains_read(&perf->chains, guest);
	if (!err)
		link_chains_take_numbers(&perf->chains, perf->values);
	return err ? err : bpf_link_calls_read(guest, perf->values, perf->n_events, &perf->calls);
}

struct kt_error *bpf_perf_begin(struct bpf_perf **ret, struct open_files_want *want_ret)
{
	struct bpf_perf *perf = calloc(1, sizeof(*perf));

	if (!perf)
		return kt_error_no_memory();
	*want_ret = (struct open_files_want){operations, N_OPERATIONS, &perf->files};
	*ret = perf;
	return NULL;
}

struct kt_error *bpf_perf_follow(struct bpf_perf *perf, struct guest *guest)
{
	struct kt_error *err = find_events(perf);

	if (err)
		return err;
	perf->n_unread += perf->files.n_unread;
	perf->values = calloc(perf->n_events + 1, sizeof(*perf->values));
	if (!perf->values)
		return kt_error_no_memory();
	err = read_types(guest, perf);
	return err ? err : read_events(guest, perf);
}

struct kt_error *bpf_perf_read(struct guest *guest, struct bpf_perf **ret)
{
	struct open_files_want want;
	struct bpf_perf *perf = NULL;
	struct kt_error *err = bpf_perf_begin(&perf, &want);

	if (!err)
		err = open_files_read(guest, &want, 1);
	if (!err)
		err = bpf_perf_follow(perf, guest);
	if (err) {
		bpf_perf_destroy(perf);
		return err;
	}
	*ret = perf;
	return NULL;
}

void bpf_perf_destroy(struct bpf_perf *perf)
{
	if (!perf)
		return;
	for (size_t i = 0; perf->values && i < perf->n_events; i++)
		link_deinit(&perf->values[i].link);
	free(perf->values);
	free(perf->events);
	link_chains_deinit(&perf->chains);
	bpf_link_calls_deinit(&perf->calls);
	link_layout_deinit(&perf->event_layout);
	link_layout_deinit(&perf->raw_layout);
	open_files_deinit(&perf->files);
	free(perf);
}

/* --- rows --- */

/* A kprobe without a function was given by its address, and one with a function has an offset. */
static struct kt_error *finish_event(struct link_values *values)
{
	struct link *link = &values->link;
	struct kt_error *err = bpf_link_perf_finish(values);

	if (!link->func || link->func[0])
		return err;
	free(link->func);
	link->func = NULL;
	link->offset = (struct program_number){0};
	return err;
}

static struct kt_error *finish_one(const struct event *event, struct link_values *values)
{
	if (event->is_event)
		return finish_event(values);
	values->link.perf_type = strdup("raw_tracepoint");
	return values->link.perf_type ? NULL : kt_error_no_memory();
}

/* *taken_ret: a program runs there, so the event is the last one of out. */
static struct kt_error *take_event(struct bpf_perf *perf, size_t i, struct perf_progs *out,
				   bool *taken_ret)
{
	struct link_values *values = &perf->values[i];
	struct kt_error *err;

	*taken_ret = false;
	if (!perf->events[i].is_event && !perf->events[i].is_raw)
		return NULL;
	if (!values->has_prog.known)
		out->n_unreadable++;
	if (!values->has_prog.value)
		return NULL;
	err = finish_one(&perf->events[i], values);
	if (err)
		return err;
	out->events[out->n_events++] = values->link;
	values->link = (struct link){0};
	*taken_ret = true;
	return NULL;
}

static int compare_progs(const void *a, const void *b)
{
	const struct perf_prog *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

static void sort(struct perf_progs *progs)
{
	size_t kept = 0;

	if (progs->n)
		qsort(progs->all, progs->n, sizeof(*progs->all), compare_progs);
	for (size_t i = 0; i < progs->n; i++)
		if (!kept || compare_progs(&progs->all[kept - 1], &progs->all[i]))
			progs->all[kept++] = progs->all[i];
	progs->n = kept;
}

static struct kt_error *take_all(struct bpf_perf *perf, struct perf_progs *out)
{
	size_t event = 0;
	bool taken = false;

	for (size_t i = 0; i < perf->files.v.len; i++) {
		const struct open_file *file = &perf->files.v.data[i];
		struct perf_prog prog = {.pid = file->pid, .fd = file->fd};
		struct kt_error *err = NULL;

		if (i && !leads_to(file, &perf->events[event]))
			event++;
		if (!i || !leads_to(&file[-1], &perf->events[event]))
			err = take_event(perf, event, out, &taken);
		if (err)
			return err;
		if (!taken)
			continue;
		memcpy(prog.comm, file->comm, sizeof(prog.comm));
		prog.event = &out->events[out->n_events - 1];
		out->all[out->n++] = prog;
	}
	sort(out);
	return NULL;
}

struct kt_error *bpf_perf_finish(struct bpf_perf *perf, const struct kfacts *facts,
				 struct perf_progs *ret)
{
	_cleanup_(perf_progs_deinit) struct perf_progs out = {.n_unreadable = perf->n_unread};
	struct kt_error *err = link_chains_take_texts(&perf->chains, facts, perf->values);

	if (!err)
		err = link_chains_take_texts(&perf->calls.chains, facts, perf->values);
	if (err)
		return err;
	out.events = calloc(perf->n_events + 1, sizeof(*out.events));
	out.all = calloc(perf->files.v.len + 1, sizeof(*out.all));
	if (!out.events || !out.all)
		return kt_error_no_memory();
	err = take_all(perf, &out);
	if (err)
		return err;
	*ret = out;
	out = (struct perf_progs){0};
	return NULL;
}
