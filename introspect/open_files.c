// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All threads, by the initial PID namespace; their tables of descriptors, each once, since threads
 * share them; the files in those, each once. Every step is one batch, however many there are.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/open_files.h"
#include "memory/object.h"
#include "memory/xarray.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/radix.h"

#define MAX_THREADS 65536
/* Of one table: fs.nr_open, if nobody raised it. What is behind is not read. */
#define MAX_FDS (1u << 20)
#define CHUNK   64u /* descriptors: a word of the bitmap, and of room the least */
/* Of all tables together: a million descriptors, 8 MB. */
#define MAX_CHUNKS (MAX_FDS / CHUNK)
/* A table of more chunks than that is read as far as its bitmap says; others are read whole. */
#define SMALL     4
#define MAX_FOUND (1u << 20) /* descriptors that are asked for */

#define NAMESPACE "init_pid_ns"

static const struct view_field namespace_fields[] = {{.path = "idr.idr_rt.xa_head"}};
static const struct view_type namespace_type = VIEW_TYPE("pid_namespace", namespace_fields);

/* Heads of lists, by enum pid_type: PIDTYPE_PID is 0, PIDTYPE_TGID 1 (since 4.19). */
static const struct view_field pid_fields[] = {{.path = "tasks", .max = 16}};
static const struct view_type pid_type = VIEW_TYPE("pid", pid_fields);

enum { TASK_FILES, TASK_COMM, TASK_TGID = TASK_COMM };
static const struct view_field leader_fields[] = {
	[TASK_FILES] = {.path = "files"},
	[TASK_COMM] = {.path = "comm", .max = 16},
};
static const struct view_type leader_type = VIEW_TYPE("task_struct", leader_fields);

static const struct view_field thread_fields[] = {
	[TASK_FILES] = {.path = "files"},
	[TASK_TGID] = {.path = "tgid"},
};
static const struct view_type thread_type = VIEW_TYPE("task_struct", thread_fields);

static const struct view_field files_fields[] = {{.path = "fdt"}};
static const struct view_type files_type = VIEW_TYPE("files_struct", files_fields);

enum { FDT_MAX_FDS, FDT_FD, FDT_OPEN };
static const struct view_field fdt_fields[] = {
	[FDT_MAX_FDS] = {.path = "max_fds"},
	[FDT_FD] = {.path = "fd"},
	[FDT_OPEN] = {.path = "open_fds"},
};
static const struct view_type fdt_type = VIEW_TYPE("fdtable", fdt_fields);

enum { FILE_OP, FILE_PRIVATE };
static const struct view_field file_fields[] = {
	[FILE_OP] = {.path = "f_op"},
	[FILE_PRIVATE] = {.path = "private_data"},
};
static const struct view_type file_type = VIEW_TYPE("file", file_fields);

/* A thread; the first one of a process has the process's number. */
struct thread {
	gaddr_t task, files;
	uint32_t pid, tgid;
	bool is_leader;
	char comm[16];
	struct object read;
};

/* A process and a table that it, or a thread of it, has. */
struct user {
	gaddr_t files;
	uint32_t tgid;
};

struct table {
	gaddr_t addr, slots;
	size_t first_user, end_user;
	size_t n_chunks;
	uint8_t *bitmap; /* which slots are taken; NULL: any may be */
	size_t bitmap_piece;
	bool failed; /* it cannot be read whole */
	struct object read;
};

/* CHUNK slots of a table, from descriptor `first` on. */
struct chunk {
	size_t table;
	uint32_t first;
	uint8_t slots[CHUNK * 8];
};

/* A slot of a table that is taken. */
struct slot {
	gaddr_t file;
	size_t table;
	uint32_t fd;
};

struct search {
	struct guest *guest;
	bool big_endian;
	gaddr_t links; /* of task_struct.pid_links[PIDTYPE_PID] */
	struct view pid, leader, thread, files, fdt, file;
	const struct open_files_want *wants;
	size_t n_wants;
	gaddr_t *operations;    /* of all who ask; 0: this kernel has none */
	struct thread *threads; /* by pid */
	size_t n_threads;
	struct user *users; /* by files and tgid, none twice */
	size_t n_users;
	struct table *tables;
	size_t n_tables;
	struct chunk *chunks;
	size_t n_chunks;
	KT_VEC(struct slot) open; /* by file */
};

bool open_files_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_SYMBOL, NAMESPACE, NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "task_struct", "pid_links", true) &&
	       view_wants(&namespace_type, wants) && view_wants(&pid_type, wants) &&
	       view_wants(&leader_type, wants) && view_wants(&thread_type, wants) &&
	       view_wants(&files_type, wants) && view_wants(&fdt_type, wants) &&
	       view_wants(&file_type, wants) && xarray_wants(wants);
}

static struct kt_error *init_views(struct search *search, const struct kfacts *facts)
{
	const struct {
		const struct view_type *type;
		struct view *view;
	} views[] = {
		{&pid_type, &search->pid},       {&leader_type, &search->leader},
		{&thread_type, &search->thread}, {&files_type, &search->files},
		{&fdt_type, &search->fdt},       {&file_type, &search->file},
	};
	struct kfacts_member links;

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		struct kt_error *err = view_init(views[i].view, views[i].type, facts);

		if (err)
			return err;
	}
	/* Sizes that no kernel has: the bytes are taken without another look. */
	if (search->pid.fields[0].len < 16 || search->leader.fields[TASK_COMM].len < 16)
		return kt_error_new(KT_ERROR_FORMAT, "the kernel's types of tasks make no sense");
	if (!kfacts_member(facts, "task_struct", "pid_links", &links))
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "this kernel has no task_struct.pid_links (before 4.19)");
	search->links = links.offset;
	return NULL;
}

struct kt_error *open_files_check(const struct kfacts *facts)
{
	struct search search = {0};
	gaddr_t addr;

	return kfacts_symbol(facts, NAMESPACE, &addr) ? init_views(&search, facts)
						      : bpf_idr_not_placed(NAMESPACE);
}

static void search_deinit(struct search *search)
{
	for (size_t i = 0; i < search->n_threads; i++)
		object_deinit(&search->threads[i].read);
	for (size_t i = 0; i < search->n_tables; i++) {
		object_deinit(&search->tables[i].read);
		free(search->tables[i].bitmap);
	}
	free(search->threads);
	free(search->users);
	free(search->tables);
	free(search->chunks);
	free(search->operations);
	kt_vec_free(&search->open);
}

/* --- threads --- */

static struct kt_error *read_namespace(struct search *search, struct xarray_entries *ret)
{
	const struct kfacts *facts = guest_facts(search->guest);
	const struct gmem memory = guest_memory(search->guest);
	_cleanup_(object_deinit) struct object head = {0};
	struct view view;
	gaddr_t addr;
	struct kt_error *err = view_init(&view, &namespace_type, facts);

	if (err)
		return err;
	if (!guest_symbol(search->guest, NAMESPACE, &addr))
		return bpf_idr_not_placed(NAMESPACE);
	err = object_read(&head, &view, addr, &memory);
	if (err)
		return err;
	if (!head.known)
		return kt_error_new(KT_ERROR_FAULT, "%s, at 0x%016llx in the guest, is not mapped",
				    NAMESPACE, (unsigned long long)addr);
	return xarray_walk(facts, &memory, view_uint(&view, head.image, 0), MAX_THREADS, ret);
}

/* The first task in each struct pid's list; a number that only names a group has none. */
static struct kt_error *read_pids(struct search *search, const struct xarray_entries *index)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *images = calloc(index->v.len + 1, search->pid.size);
	size_t spans = search->pid.n_spans;
	struct kt_error *err;

	search->threads = calloc(index->v.len + 1, sizeof(*search->threads));
	if (!images || !search->threads)
		return kt_error_no_memory();
	for (size_t i = 0; i < index->v.len; i++)
		if (!view_read(&search->pid, &batch, index->v.data[i].pointer,
			       images + i * search->pid.size))
			return kt_error_no_memory();
	err = guest_read(search->guest, &batch);
	for (size_t i = 0; i < index->v.len && !err; i++) {
		const uint8_t *heads = view_bytes(&search->pid, images + i * search->pid.size, 0,
						  &(size_t){0});
		struct thread thread = {.pid = (uint32_t)index->v.data[i].index};
		gaddr_t first = kt_load_uint(heads, 8, search->big_endian);

		if (gmem_batch_fault(&batch, i * spans, (i + 1) * spans) || !first)
			continue;
		thread.task = first - search->links;
		thread.is_leader = kt_load_uint(heads + 8, 8, search->big_endian) != 0;
		search->threads[search->n_threads++] = thread;
	}
	return err;
}

static const struct view *thread_view(const struct search *search, const struct thread *thread)
{
	return thread->is_leader ? &search->leader : &search->thread;
}

static void take_thread(const struct search *search, struct thread *thread)
{
	const struct view *view = thread_view(search, thread);
	size_t len;

	thread->files = view_uint(view, thread->read.image, TASK_FILES);
	if (!thread->is_leader) {
		thread->tgid = (uint32_t)view_uint(view, thread->read.image, TASK_TGID);
		return;
	}
	thread->tgid = thread->pid;
	memcpy(thread->comm, view_bytes(view, thread->read.image, TASK_COMM, &len),
	       sizeof(thread->comm) - 1);
}

static struct kt_error *read_threads(struct search *search)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < search->n_threads && !err; i++) {
		struct thread *thread = &search->threads[i];

		err = object_begin(&thread->read, thread_view(search, thread), thread->task,
				   &batch);
	}
	if (!err)
		err = guest_read(search->guest, &batch);
	for (size_t i = 0; i < search->n_threads && !err; i++) {
		object_end(&search->threads[i].read, &batch);
		if (search->threads[i].read.known)
			take_thread(search, &search->threads[i]);
	}
	return err;
}

/* --- tables of descriptors --- */

static int compare_users(const void *a, const void *b)
{
	const struct user *x = a, *y = b;

	if (x->files != y->files)
		return x->files < y->files ? -1 : 1;
	return (x->tgid > y->tgid) - (x->tgid < y->tgid);
}

/* A thread that is ending has no table any more. */
static struct kt_error *find_tables(struct search *search)
{
	size_t n = 0;

	search->users = calloc(search->n_threads + 1, sizeof(*search->users));
	search->tables = calloc(search->n_threads + 1, sizeof(*search->tables));
	if (!search->users || !search->tables)
		return kt_error_no_memory();
	for (size_t i = 0; i < search->n_threads; i++)
		if (search->threads[i].files)
			search->users[n++] = (struct user){search->threads[i].files,
							   search->threads[i].tgid};
	qsort(search->users, n, sizeof(*search->users), compare_users);
	for (size_t i = 0; i < n; i++) {
		struct user user = search->users[i];
		struct table *table = search->n_tables ? &search->tables[search->n_tables - 1]
						       : NULL;

		if (search->n_users && !compare_users(&search->users[search->n_users - 1], &user))
			continue;
		if (!table || table->addr != user.files) {
			table = &search->tables[search->n_tables++];
			*table = (struct table){.addr = user.files, .first_user = search->n_users};
		}
		search->users[search->n_users++] = user;
		table->end_user = search->n_users;
	}
	return NULL;
}

/* Reads an object for each table that is good so far, by the address that it has. */
static struct kt_error *read_of_tables(struct search *search, const struct view *view,
				       const gaddr_t *addrs)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < search->n_tables && !err; i++) {
		object_deinit(&search->tables[i].read);
		if (!search->tables[i].failed)
			err = object_begin(&search->tables[i].read, view, addrs[i], &batch);
	}
	if (!err)
		err = guest_read(search->guest, &batch);
	for (size_t i = 0; i < search->n_tables && !err; i++) {
		object_end(&search->tables[i].read, &batch);
		search->tables[i].failed |= !search->tables[i].read.known;
	}
	return err;
}

static void take_table(const struct search *search, struct table *table)
{
	uint64_t max = view_uint(&search->fdt, table->read.image, FDT_MAX_FDS);

	table->failed = max > MAX_FDS;
	if (table->failed)
		max = MAX_FDS;
	table->slots = view_uint(&search->fdt, table->read.image, FDT_FD);
	table->n_chunks = (size_t)max /
			  CHUNK; /* max_fds is a multiple of that, as the kernel has it */
}

static struct kt_error *read_tables(struct search *search)
{
	_cleanup_free_ gaddr_t *addrs = calloc(search->n_tables + 1, sizeof(*addrs));
	struct kt_error *err;

	if (!addrs)
		return kt_error_no_memory();
	for (size_t i = 0; i < search->n_tables; i++)
		addrs[i] = search->tables[i].addr;
	err = read_of_tables(search, &search->files, addrs);
	for (size_t i = 0; i < search->n_tables && !err; i++)
		addrs[i] = search->tables[i].failed
				   ? 0
				   : view_uint(&search->files, search->tables[i].read.image, 0);
	if (!err)
		err = read_of_tables(search, &search->fdt, addrs);
	for (size_t i = 0; i < search->n_tables && !err; i++)
		if (!search->tables[i].failed)
			take_table(search, &search->tables[i]);
	return err;
}

/* Of the tables that are not small; most guests have none, or a few. */
static struct kt_error *read_bitmaps(struct search *search)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t left = MAX_CHUNKS * 8; /* bitmaps of all together: 8 of the largest */
	struct kt_error *err = NULL;

	for (size_t i = 0; i < search->n_tables; i++) {
		struct table *table = &search->tables[i];
		size_t size = table->n_chunks * 8;
		gaddr_t at;

		if (table->n_chunks <= SMALL)
			continue;
		at = view_uint(&search->fdt, table->read.image, FDT_OPEN);
		if (size > left) {
			table->failed = true;
			table->n_chunks = 0;
			continue;
		}
		left -= size;
		table->bitmap = calloc(1, size);
		table->bitmap_piece = batch.reads.len;
		if (!table->bitmap || !gmem_batch_add(&batch, at, table->bitmap, size))
			return kt_error_no_memory();
	}
	if (batch.reads.len)
		err = guest_read(search->guest, &batch);
	for (size_t i = 0; i < search->n_tables && !err; i++) {
		struct table *table = &search->tables[i];

		if (table->bitmap &&
		    gmem_batch_fault(&batch, table->bitmap_piece, table->bitmap_piece + 1)) {
			table->failed = true;
			table->n_chunks = 0;
		}
	}
	return err;
}

static bool is_taken(const struct search *search, const struct table *table, size_t chunk)
{
	return !table->bitmap || kt_load_uint(table->bitmap + chunk * 8, 8, search->big_endian);
}

/* --- files --- */

/* Which chunks to read: of a table that would be too much, none. */
static struct kt_error *find_chunks(struct search *search)
{
	size_t total = 0;

	for (size_t i = 0; i < search->n_tables; i++) {
		struct table *table = &search->tables[i];
		size_t n = 0;

		for (size_t k = 0; k < table->n_chunks; k++)
			n += is_taken(search, table, k);
		if (n > MAX_CHUNKS - total) {
			table->failed = true;
			table->n_chunks = 0;
			continue;
		}
		total += n;
	}
	search->chunks = calloc(total + 1, sizeof(*search->chunks));
	if (!search->chunks)
		return kt_error_no_memory();
	for (size_t i = 0; i < search->n_tables; i++)
		for (size_t k = 0; k < search->tables[i].n_chunks; k++)
			if (is_taken(search, &search->tables[i], k)) {
				struct chunk *chunk = &search->chunks[search->n_chunks++];

				chunk->table = i;
				chunk->first = (uint32_t)(k * CHUNK);
			}
	return NULL;
}

static bool take_chunk(struct search *search, const struct chunk *chunk)
{
	for (uint32_t i = 0; i < CHUNK; i++) {
		gaddr_t file = kt_load_uint(chunk->slots + i * 8, 8, search->big_endian);
		struct slot open = {file, chunk->table, chunk->first + i};

		if (file && !kt_vec_push(&search->open, open))
			return false;
	}
	return true;
}

/* By the addresses of the files. False: no memory. */
static bool sort_open(struct search *search)
{
	size_t n = search->open.len;
	_cleanup_free_ struct kt_radix *keys = calloc(n + 1, sizeof(*keys));
	struct slot *sorted = calloc(n + 1, sizeof(*sorted));

	for (size_t i = 0; keys && i < n; i++)
		keys[i] = (struct kt_radix){search->open.data[i].file, i};
	if (!sorted || !keys || !kt_radix_sort(keys, n)) {
		free(sorted);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		sorted[i] = search->open.data[keys[i].index];
	free(search->open.data);
	search->open.data = sorted;
	search->open.cap = n + 1;
	return true;
}

static struct kt_error *read_chunks(struct search *search)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	for (size_t i = 0; i < search->n_chunks; i++) {
		struct chunk *chunk = &search->chunks[i];
		gaddr_t at = search->tables[chunk->table].slots + (uint64_t)chunk->first * 8;

		if (!gmem_batch_add(&batch, at, chunk->slots, sizeof(chunk->slots)))
			return kt_error_no_memory();
	}
	err = guest_read(search->guest, &batch);
	if (err)
		return err;
	for (size_t i = 0; i < search->n_chunks; i++) {
		if (gmem_batch_fault(&batch, i, i + 1))
			search->tables[search->chunks[i].table].failed = true;
		else if (!take_chunk(search, &search->chunks[i]))
			return kt_error_no_memory();
	}
	return sort_open(search) ? NULL : kt_error_no_memory();
}

/* --- what they are of --- */

/* operations: those of the want. */
static bool kind_of(const struct open_files_want *want, const gaddr_t *operations, gaddr_t op,
		    unsigned int *ret)
{
	for (size_t i = 0; i < want->n; i++) {
		if (!op || operations[i] != op)
			continue;
		*ret = (unsigned int)i;
		return true;
	}
	return false;
}

static const struct thread *find_thread(const struct search *search, uint32_t pid)
{
	size_t from = 0, to = search->n_threads;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (search->threads[mid].pid < pid)
			from = mid + 1;
		else
			to = mid;
	}
	return from < search->n_threads && search->threads[from].pid == pid ? &search->threads[from]
									    : NULL;
}

/* An element for each process that has the table. False: no memory. */
static bool add_fds(const struct search *search, const struct slot *open, struct open_file found,
		    struct open_files *ret)
{
	struct table *table = &search->tables[open->table];

	found.fd = open->fd;
	for (size_t i = table->first_user; i < table->end_user; i++) {
		const struct thread *leader = find_thread(search, search->users[i].tgid);

		if (ret->v.len == MAX_FOUND) {
			table->failed = true;
			return true;
		}
		found.pid = search->users[i].tgid;
		memset(found.comm, 0, sizeof(found.comm));
		if (leader)
			memcpy(found.comm, leader->comm, sizeof(found.comm));
		if (!kt_vec_push(&ret->v, found))
			return false;
	}
	return true;
}

/* For each who asks for such a file. False: no memory. */
static bool take_file(const struct search *search, const struct slot *open, const uint8_t *image)
{
	gaddr_t op = view_uint(&search->file, image, FILE_OP);
	struct open_file found = {.private_data = view_uint(&search->file, image, FILE_PRIVATE)};
	const gaddr_t *operations = search->operations;

	for (size_t i = 0; i < search->n_wants; i++) {
		const struct open_files_want *want = &search->wants[i];

		if (kind_of(want, operations, op, &found.kind) &&
		    !add_fds(search, open, found, want->ret))
			return false;
		operations += want->n;
	}
	return true;
}

static struct kt_error *take_files(const struct search *search, const struct gmem_batch *done,
				   const uint8_t *images)
{
	size_t spans = search->file.n_spans, file = 0;

	for (size_t i = 0; i < search->open.len; i++) {
		const struct slot *open = &search->open.data[i];

		file += i && open->file != open[-1].file;
		if (gmem_batch_fault(done, file * spans, (file + 1) * spans)) {
			search->tables[open->table].failed = true;
			continue;
		}
		if (!take_file(search, open, images + file * search->file.size))
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *read_files(struct search *search)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *images = calloc(search->open.len + 1, search->file.size);
	struct kt_error *err;
	size_t n = 0;

	if (!images)
		return kt_error_no_memory();
	for (size_t i = 0; i < search->open.len; i++) {
		const struct slot *open = &search->open.data[i];

		if (i && open->file == open[-1].file)
			continue;
		if (!view_read(&search->file, &batch, open->file, images + n++ * search->file.size))
			return kt_error_no_memory();
	}
	err = guest_read(search->guest, &batch);
	return err ? err : take_files(search, &batch, images);
}

static struct kt_error *search_all(struct search *search)
{
	_cleanup_(xarray_entries_deinit) struct xarray_entries index = {0};
	size_t n_unread = 0;
	struct kt_error *err = init_views(search, guest_facts(search->guest));

	if (!err)
		err = read_namespace(search, &index);
	if (!err)
		err = read_pids(search, &index);
	if (!err)
		err = read_threads(search);
	if (!err)
		err = find_tables(search);
	if (!err)
		err = read_tables(search);
	if (!err)
		err = read_bitmaps(search);
	if (!err)
		err = find_chunks(search);
	if (!err)
		err = read_chunks(search);
	if (!err)
		err = read_files(search);
	for (size_t i = 0; i < search->n_tables; i++)
		n_unread += search->tables[i].failed;
	for (size_t i = 0; i < search->n_wants; i++)
		search->wants[i].ret->n_unread += n_unread + index.damaged;
	return err;
}

struct kt_error *open_files_read(struct guest *guest, const struct open_files_want *wants, size_t n)
{
	_cleanup_(search_deinit) struct search search = {
		.guest = guest,
		.big_endian = kfacts_kernel(guest_facts(guest))->big_endian,
		.wants = wants,
		.n_wants = n,
	};
	gaddr_t *next;
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += wants[i].n;
	next = search.operations = calloc(total + 1, sizeof(*search.operations));
	if (!next)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < wants[i].n; k++, next++)
			if (!guest_symbol(guest, wants[i].operations[k], next))
				*next = 0;
	return search_all(&search);
}

void open_files_deinit(struct open_files *files)
{
	kt_vec_free(&files->v);
	*files = (struct open_files){0};
}
