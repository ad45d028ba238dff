// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_trampoline.h"
#include "memory/list.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define POINTER_SIZE 8
/* TRAMPOLINE_TABLE_SIZE: since 5.5, the same in each kernel up to 7.3. */
#define TABLE_SIZE 1024
/* A kernel has some 60,000 functions, and a trampoline 38 programs at most (BPF_MAX_TRAMP_LINKS).
 */
#define TRAMPOLINES_MAX 100000
#define PROGS_MAX       200000
/* BPF_TRAMP_MAX is 3. */
#define KINDS_MAX 8

enum { TRAMP_NEXT, TRAMP_NEXT_KEY, TRAMP_KEY, TRAMP_ADDR, TRAMP_EXTENSION, TRAMP_PROGS };
static const struct view_field trampoline_fields[] = {
	[TRAMP_NEXT] = {.path = "hlist.next", .optional = true},         /* up to 6.19 */
	[TRAMP_NEXT_KEY] = {.path = "hlist_key.next", .optional = true}, /* since 7.0 */
	[TRAMP_KEY] = {.path = "key"},
	[TRAMP_ADDR] = {.path = "func.addr"},
	[TRAMP_EXTENSION] = {.path = "extension_prog"},
	[TRAMP_PROGS] = {.path = "progs_hlist", .max = KINDS_MAX * POINTER_SIZE},
};
static const struct view_type trampoline_type = VIEW_TYPE("bpf_trampoline", trampoline_fields);
static const struct list_type trampoline_lists[] = {
	{.view = &trampoline_type, .next = TRAMP_NEXT_KEY, .node = "hlist_key"},
	{.view = &trampoline_type, .next = TRAMP_NEXT, .node = "hlist"},
};
#define N_TRAMPOLINE_LISTS (sizeof(trampoline_lists) / sizeof(trampoline_lists[0]))

/*
 * What is in a trampoline's list of programs: one of three structures, by the kernel's age. Each
 * has the list's node first; the others are the index of a field, 0 where the structure does not
 * have it.
 */
struct node_type {
	struct list_type list;
	unsigned int prog, link, link_id, cookie;
};
#define NODE_NEXT 0
/* Since 7.2 (fsession): the node has a pointer to its link, which may have several. */
static const struct view_field node_fields[] = {
	{.path = "tramp_hlist.next"}, {.path = "link"}, {.path = "cookie"}};
/* Since 5.19: the node is in the link. */
static const struct view_field link_node_fields[] = {{.path = "tramp_hlist.next"},
						     {.path = "link.prog"},
						     {.path = "link.id"},
						     {.path = "cookie"}};
/* Before: the node is in the program. */
static const struct view_field aux_node_fields[] = {{.path = "tramp_hlist.next"}, {.path = "prog"}};
static const struct view_type node_views[] = {
	VIEW_TYPE("bpf_tramp_node", node_fields),
	VIEW_TYPE("bpf_tramp_link", link_node_fields),
	VIEW_TYPE("bpf_prog_aux", aux_node_fields),
};
#define NODE_LIST(nth)                                                                             \
	{                                                                                          \
		.view = &node_views[nth], .next = NODE_NEXT, .node = "tramp_hlist"                 \
	}
static const struct node_type node_types[] = {
	{NODE_LIST(0), .link = 1, .cookie = 2},
	{NODE_LIST(1), .prog = 1, .link_id = 2, .cookie = 3},
	{NODE_LIST(2), .prog = 1},
};
#define N_NODE_TYPES (sizeof(node_types) / sizeof(node_types[0]))

enum { LINK_ID, LINK_PROG };
static const struct view_field link_fields[] = {
	[LINK_ID] = {.path = "id"},
	[LINK_PROG] = {.path = "prog"},
};
static const struct view_type link_type = VIEW_TYPE("bpf_link", link_fields);

/*
 * A program that replaces a function is not in a trampoline's list, and nothing leads from there to
 * its link: that has a pointer to the trampoline. It begins its bpf_tracing_link.
 */
enum { EXTENSION_REFCNT, EXTENSION_ID, EXTENSION_TYPE, EXTENSION_PROG };
static const struct view_field extension_fields[] = {
	[EXTENSION_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[EXTENSION_ID] = {.path = "id"},
	[EXTENSION_TYPE] = {.path = "type"},
	[EXTENSION_PROG] = {.path = "prog"},
};
static const struct view_type extension_type = VIEW_TYPE("bpf_link", extension_fields);
static const struct bpf_idr_type extension_idr = {.symbol = "link_idr",
						  .view = &extension_type,
						  .id = EXTENSION_ID,
						  .refcnt = EXTENSION_REFCNT};
static const struct view_field tracing_fields[] = {{.path = "trampoline"}}; /* since 5.10 */
static const struct view_type tracing_type = VIEW_TYPE("bpf_tracing_link", tracing_fields);
/* That begins with one of those, since 5.19. */
enum { TRAMP_COOKIE, TRAMP_NODE_COOKIE };
static const struct view_field tramp_fields[] = {
	[TRAMP_COOKIE] = {.path = "cookie", .optional = true},
	[TRAMP_NODE_COOKIE] = {.path = "node.cookie", .optional = true}, /* since 7.2 */
};
static const struct view_type tramp_type = VIEW_TYPE("bpf_tramp_link", tramp_fields);

enum { PROG_AUX, PROG_ATTACH };
static const struct view_field prog_fields[] = {
	[PROG_AUX] = {.path = "aux"},
	[PROG_ATTACH] = {.path = "expected_attach_type", .optional = true},
};
static const struct view_type prog_type = VIEW_TYPE("bpf_prog", prog_fields);
static const struct view_field aux_fields[] = {{.path = "id"}};
static const struct view_type aux_type = VIEW_TYPE("bpf_prog_aux", aux_fields);

/* The symbol of the table, in the kernels that have one. */
static const char *const tables[] = {"trampoline_table", "trampoline_key_table"};
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

/* How one kernel lays it all out. */
struct layout {
	const struct list_type *trampolines;
	const struct node_type *node;
	struct view link, prog, aux;
	bool has_link;
};

/* A program of a trampoline. */
struct attached {
	size_t trampoline; /* its entry */
	size_t kind;       /* the list it is in; KINDS_MAX: it replaces the function */
	size_t place;      /* in the list */
	const char *func;  /* the trampoline's; NULL: not known */
	gaddr_t link, prog;
	struct program_number link_id, cookie;
	struct program_number prog_id, attach_type;
};

struct bpf_trampolines {
	struct layout layout;
	int64_t kaslr_offset;
	struct lists trampolines;
	KT_VEC(struct attached) progs;
	size_t n_unreadable;
};

bool bpf_trampolines_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_TABLES; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, tables[i], NULL, true))
			return false;
	for (size_t i = 0; i < N_NODE_TYPES; i++)
		if (!list_wants(&node_types[i].list, wants))
			return false;
	for (size_t i = 0; i < N_TRAMPOLINE_LISTS; i++)
		if (!list_wants(&trampoline_lists[i], wants))
			return false;
	return wants_add(wants, KFACTS_FUNCTIONS, KFACTS_ALL, NULL, true) &&
	       bpf_idr_wants(&extension_idr, wants) && view_wants(&tracing_type, wants) &&
	       view_wants(&tramp_type, wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_link_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_tramp_prog_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_attach_type", NULL, true) &&
	       view_wants(&link_type, wants) && view_wants(&prog_type, wants) &&
	       view_wants(&aux_type, wants);
}

/* Whether this kernel has such lists. */
static bool has_list(const struct list_type *type, const struct kfacts *facts)
{
	struct lists lists;
	bool has = lists_init(&lists, type, facts, 0);

	lists_deinit(&lists);
	return has;
}

static struct kt_error *layout_init(struct layout *ret, const struct kfacts *facts)
{
	struct kt_error *err = view_init(&ret->prog, &prog_type, facts);

	if (!err)
		err = view_init(&ret->aux, &aux_type, facts);
	if (err)
		return err;
	ret->has_link = view_try(&ret->link, &link_type, facts);
	ret->trampolines = NULL;
	ret->node = NULL;
	for (size_t i = 0; i < N_TRAMPOLINE_LISTS && !ret->trampolines; i++)
		if (has_list(&trampoline_lists[i], facts))
			ret->trampolines = &trampoline_lists[i];
	for (size_t i = 0; i < N_NODE_TYPES && !ret->node; i++)
		if (has_list(&node_types[i].list, facts))
			ret->node = &node_types[i];
	if (ret->trampolines && ret->node)
		return NULL;
	return kt_error_new(KT_ERROR_NOT_FOUND, "nothing tells how this kernel lists %s",
			    ret->trampolines ? "the programs of a trampoline" : "trampolines");
}

struct kt_error *bpf_trampolines_check(const struct kfacts *facts)
{
	struct kfacts_member member;
	struct layout layout;
	gaddr_t table;

	for (size_t i = 0; i < N_TABLES; i++)
		if (kfacts_symbol(facts, tables[i], &table))
			return layout_init(&layout, facts);
	if (!kfacts_member(facts, "bpf_trampoline", "key", &member))
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "this kernel has no trampolines: they came with 5.5, and take "
				    "CONFIG_BPF_JIT");
	return bpf_idr_not_placed(tables[0]);
}

static struct kt_error *read_table(struct guest *guest, gaddr_t *heads)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	bool big_endian = kfacts_kernel(guest_facts(guest))->big_endian;
	_cleanup_free_ uint8_t *raw = malloc(TABLE_SIZE * POINTER_SIZE);
	gaddr_t table = 0;
	struct kt_error *err;

	for (size_t i = 0; i < N_TABLES && !table; i++)
		guest_symbol(guest, tables[i], &table);
	if (!raw || !gmem_batch_add(&batch, table, raw, TABLE_SIZE * POINTER_SIZE))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (err)
		return err;
	if (gmem_batch_fault(&batch, 0, batch.reads.len))
		return kt_error_new(KT_ERROR_PROTOCOL,
				    "the guest's table of trampolines, %#llx, is not mapped",
				    (unsigned long long)table);
	for (size_t i = 0; i < TABLE_SIZE; i++)
		heads[i] = kt_load_uint(raw + i * POINTER_SIZE, POINTER_SIZE, big_endian);
	return NULL;
}

/* The lists of programs of each trampoline, and the program that replaces its function. */
static struct kt_error *add_lists(struct bpf_trampolines *t, struct lists *nodes)
{
	const struct view *view = &t->trampolines.view;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < t->trampolines.items.len; i++) {
		const uint8_t *image = t->trampolines.items.data[i].image;
		struct attached attached = {.trampoline = i, .kind = KINDS_MAX};
		size_t len = 0;
		const uint8_t *heads = view_bytes(view, image, TRAMP_PROGS, &len);

		for (size_t kind = 0; (kind + 1) * POINTER_SIZE <= len && !err; kind++)
			err = lists_add(nodes, i * KINDS_MAX + kind, 0,
					kt_load_uint(heads + kind * POINTER_SIZE, POINTER_SIZE,
						     view->big_endian));
		if (err)
			return err;
		attached.prog = view_uint(view, image, TRAMP_EXTENSION);
		if (attached.prog && !kt_vec_push(&t->progs, attached))
			return kt_error_no_memory();
	}
	return NULL;
}

static struct program_number number(const struct view *view, const void *image, unsigned int field)
{
	bool known = image && view_has(view, field);

	return (struct program_number){known, known ? view_uint(view, image, field) : 0};
}

/* field: of a node_type. */
static struct program_number node_number(const struct view *view, const void *image,
					 unsigned int field)
{
	return field ? number(view, image, field) : (struct program_number){0};
}

static bool add_nodes(struct bpf_trampolines *t, const struct lists *nodes)
{
	const struct node_type *type = t->layout.node;
	const struct view *view = &nodes->view;

	for (size_t i = 0; i < nodes->items.len; i++) {
		const struct list_item *item = &nodes->items.data[i];
		struct attached attached = {.trampoline = item->owner / KINDS_MAX,
					    .kind = item->owner % KINDS_MAX,
					    .place = i};

		attached.prog = node_number(view, item->image, type->prog).value;
		attached.link = node_number(view, item->image, type->link).value;
		attached.link_id = node_number(view, item->image, type->link_id);
		attached.cookie = node_number(view, item->image, type->cookie);
		if (!kt_vec_push(&t->progs, attached))
			return false;
	}
	return true;
}

/* The links of those that have a pointer to theirs. */
static struct kt_error *read_links(const struct gmem *memory, struct bpf_trampolines *t,
				   gaddr_t *addrs)
{
	const struct view *view = &t->layout.link;
	_cleanup_(objects_deinit) struct objects links = {0};
	struct kt_error *err;

	if (!t->layout.has_link)
		return NULL;
	for (size_t i = 0; i < t->progs.len; i++)
		addrs[i] = t->progs.data[i].link;
	err = objects_read(memory, view, addrs, t->progs.len, &links);
	for (size_t i = 0; i < t->progs.len && !err; i++) {
		const uint8_t *image = objects_image(&links, i);

		if (!image)
			continue;
		t->progs.data[i].link_id = number(view, image, LINK_ID);
		t->progs.data[i].prog = view_uint(view, image, LINK_PROG);
	}
	return err;
}

static struct kt_error *read_ids(const struct gmem *memory, struct bpf_trampolines *t,
				 gaddr_t *addrs)
{
	_cleanup_(objects_deinit) struct objects progs = {0}, auxes = {0};
	size_t n = t->progs.len;
	struct kt_error *err;

	for (size_t i = 0; i < n; i++)
		addrs[i] = t->progs.data[i].prog;
	err = objects_read(memory, &t->layout.prog, addrs, n, &progs);
	for (size_t i = 0; i < n && !err; i++) {
		addrs[i] = objects_uint(&progs, i, PROG_AUX);
		t->progs.data[i].attach_type = number(&t->layout.prog, objects_image(&progs, i),
						      PROG_ATTACH);
	}
	if (!err)
		err = objects_read(memory, &t->layout.aux, addrs, n, &auxes);
	for (size_t i = 0; i < n && !err; i++) {
		t->progs.data[i].prog_id = number(&t->layout.aux, objects_image(&auxes, i), 0);
		t->n_unreadable += !t->progs.data[i].prog_id.known;
	}
	return err;
}

/* A program that replaces a function, by its trampoline. */
struct extension {
	gaddr_t trampoline;
	struct attached *attached;
};

static int compare_extensions(const void *a, const void *b)
{
	const struct extension *x = a, *y = b;

	return (x->trampoline > y->trampoline) - (x->trampoline < y->trampoline);
}

/* The caller frees *ret. */
static struct kt_error *list_extensions(struct bpf_trampolines *t, struct extension **ret,
					size_t *n_ret)
{
	size_t n = 0;

	*ret = calloc(t->progs.len + 1, sizeof(**ret));
	if (!*ret)
		return kt_error_no_memory();
	kt_vec_for_each (&t->progs, attached)
		if (attached->kind == KINDS_MAX)
			(*ret)[n++] = (struct extension){
				t->trampolines.items.data[attached->trampoline].addr, attached};
	qsort(*ret, n, sizeof(**ret), compare_extensions);
	*n_ret = n;
	return NULL;
}

static bool is_tracing(const struct bpf_idr *idr, const struct bpf_idr_entry *entry,
		       const struct kfacts *facts)
{
	const char *name;

	if (bpf_idr_state(idr, entry) != BPF_IDR_HERE)
		return false;
	name = kfacts_enum_name(facts, "bpf_link_type",
				(int64_t)view_uint(&idr->view, entry->image, EXTENSION_TYPE));
	return name && !strcmp(name, "BPF_LINK_TYPE_TRACING");
}

static struct kt_error *match_links(struct guest *guest, const struct bpf_idr *idr,
				    const struct view *view, const struct extension *extensions,
				    size_t n)
{
	_cleanup_free_ gaddr_t *addrs = calloc(idr->n + 1, sizeof(*addrs));
	_cleanup_(objects_deinit) struct objects links = {0}, tramps = {0};
	const struct gmem memory = guest_memory(guest);
	struct view tramp;
	struct kt_error *err;

	if (!addrs)
		return kt_error_no_memory();
	for (size_t i = 0; i < idr->n; i++)
		if (is_tracing(idr, &idr->entries[i], guest_facts(guest)))
			addrs[i] = idr->entries[i].addr;
	err = objects_read(&memory, view, addrs, idr->n, &links);
	if (!err && view_try(&tramp, &tramp_type, guest_facts(guest)))
		err = objects_read(&memory, &tramp, addrs, idr->n, &tramps);
	for (size_t i = 0; i < idr->n && !err; i++) {
		const struct extension key = {.trampoline = objects_uint(&links, i, 0)};
		const struct extension *found = bsearch(&key, extensions, n, sizeof(key),
							compare_extensions);

		if (!found || found->attached->prog !=
				      view_uint(&idr->view, idr->entries[i].image, EXTENSION_PROG))
			continue;
		found->attached->link_id = number(&idr->view, idr->entries[i].image, EXTENSION_ID);
		if (!tramps.n)
			continue;
		found->attached->cookie = number(&tramp, objects_image(&tramps, i), TRAMP_COOKIE);
		if (!found->attached->cookie.known)
			found->attached->cookie = number(&tramp, objects_image(&tramps, i),
							 TRAMP_NODE_COOKIE);
	}
	return err;
}

/* The links of programs that replace functions; they stay unknown where nothing tells of links. */
static struct kt_error *find_extension_links(struct guest *guest, struct bpf_trampolines *t)
{
	_cleanup_free_ struct extension *extensions = NULL;
	_cleanup_(bpf_idr_deinit) struct bpf_idr idr = {0};
	const struct kfacts *facts = guest_facts(guest);
	struct view view;
	size_t n = 0;
	struct kt_error *err = list_extensions(t, &extensions, &n);

	if (err || !n || !view_try(&view, &tracing_type, facts))
		return err;
	err = bpf_idr_check(&extension_idr, facts);
	if (!err)
		err = bpf_idr_read(guest, &extension_idr, &idr);
	if (!err)
		return match_links(guest, &idr, &view, extensions, n);
	switch (kt_error_code(err)) {
	case KT_ERROR_NOT_FOUND:
	case KT_ERROR_UNSUPPORTED:
	case KT_ERROR_FAULT: kt_error_destroy(err); return NULL;
	default: return err;
	}
}

static struct kt_error *read_programs(struct guest *guest, struct bpf_trampolines *t)
{
	const struct gmem memory = guest_memory(guest);
	_cleanup_(lists_deinit) struct lists nodes = {0};
	_cleanup_free_ gaddr_t *addrs = NULL;
	struct kt_error *err = NULL;

	if (lists_init(&nodes, &t->layout.node->list, guest_facts(guest), PROGS_MAX))
		err = add_lists(t, &nodes);
	if (!err)
		err = lists_read(&nodes, &memory);
	if (err)
		return err;
	t->n_unreadable += nodes.n_damaged;
	if (!add_nodes(t, &nodes))
		return kt_error_no_memory();
	addrs = calloc(t->progs.len + 1, sizeof(*addrs));
	if (!addrs)
		return kt_error_no_memory();
	err = read_links(&memory, t, addrs);
	if (!err)
		err = read_ids(&memory, t, addrs);
	return err ? err : find_extension_links(guest, t);
}

static struct kt_error *read_all(struct guest *guest, struct bpf_trampolines *t)
{
	const struct kfacts *facts = guest_facts(guest);
	const struct gmem memory = guest_memory(guest);
	_cleanup_free_ gaddr_t *heads = calloc(TABLE_SIZE, sizeof(*heads));
	struct kt_error *err = layout_init(&t->layout, facts);

	if (err)
		return err;
	if (!heads)
		return kt_error_no_memory();
	t->kaslr_offset = guest_kaslr_offset(guest);
	err = read_table(guest, heads);
	if (!err && lists_init(&t->trampolines, t->layout.trampolines, facts, TRAMPOLINES_MAX))
		for (size_t i = 0; i < TABLE_SIZE && !err; i++)
			err = lists_add(&t->trampolines, i, 0, heads[i]);
	if (!err)
		err = lists_read(&t->trampolines, &memory);
	t->n_unreadable = t->trampolines.n_damaged;
	return err ? err : read_programs(guest, t);
}

struct kt_error *bpf_trampolines_read(struct guest *guest, struct bpf_trampolines **ret)
{
	struct bpf_trampolines *t = calloc(1, sizeof(*t));
	struct kt_error *err;

	if (!t)
		return kt_error_no_memory();
	err = read_all(guest, t);
	if (err) {
		bpf_trampolines_destroy(t);
		return err;
	}
	*ret = t;
	return NULL;
}

void bpf_trampolines_destroy(struct bpf_trampolines *trampolines)
{
	if (!trampolines)
		return;
	lists_deinit(&trampolines->trampolines);
	kt_vec_free(&trampolines->progs);
	free(trampolines);
}

/* bpf_trampoline_compute_key(): the object's ID, a bit that is set for BTF, the type's ID. */
#define KEY_TYPE_MASK UINT64_C(0x7fffffff)

/* The kernel's own program, without an ID, that runs those of cgroups
 * (bpf_trampoline_link_cgroup_shim()). */
static bool runs_cgroups(const struct attached *attached, const struct kfacts *facts)
{
	const char *type = kfacts_enum_name(facts, "bpf_attach_type",
					    (int64_t)attached->attach_type.value);

	return attached->attach_type.known && type && strcmp(type, "BPF_LSM_CGROUP") == 0;
}

static struct kt_error *row_finish(const struct bpf_trampolines *t, const struct attached *attached,
				   const struct kfacts *facts, struct trampoline *ret)
{
	const struct view *view = &t->trampolines.view;
	const uint8_t *image = t->trampolines.items.data[attached->trampoline].image;
	uint64_t key = view_uint(view, image, TRAMP_KEY);

	ret->addr = number(view, image, TRAMP_ADDR);
	ret->target_obj_id = (struct program_number){true, key >> 32};
	ret->target_btf_id = (struct program_number){true, key & KEY_TYPE_MASK};
	ret->link_id = attached->link_id;
	ret->cookie = attached->cookie;
	if (attached->prog_id.value || !runs_cgroups(attached, facts))
		ret->prog_id = attached->prog_id;
	ret->func = attached->func ? strdup(attached->func) : NULL;
	if (attached->func && !ret->func)
		return kt_error_no_memory();
	if (attached->kind == KINDS_MAX) {
		ret->type = strdup("replace");
		return ret->type ? NULL : kt_error_no_memory();
	}
	return bpf_enum_text(facts, "bpf_tramp_prog_type", "BPF_TRAMP_", attached->kind,
			     &ret->type);
}

static void name_functions(struct bpf_trampolines *t, const struct kfacts *facts)
{
	for (size_t i = 0; i < t->progs.len; i++) {
		struct attached *attached = &t->progs.data[i];
		uint64_t addr = view_uint(&t->trampolines.view,
					  t->trampolines.items.data[attached->trampoline].image,
					  TRAMP_ADDR);

		attached->func = kfacts_function_at(facts, addr - (uint64_t)t->kaslr_offset);
	}
}

/* By function, and in the order in which a function's programs run. */
static int by_place(const void *a, const void *b)
{
	const struct attached *x = a, *y = b;
	int cmp = strcmp(x->func ? x->func : "", y->func ? y->func : "");

	if (cmp)
		return cmp;
	if (x->trampoline != y->trampoline)
		return x->trampoline < y->trampoline ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

struct kt_error *bpf_trampolines_finish(struct bpf_trampolines *trampolines,
					const struct kfacts *facts, struct trampolines *ret)
{
	_cleanup_(trampolines_deinit) struct trampolines out = {
		.n_unreadable = trampolines->n_unreadable};
	struct kt_error *err = NULL;

	out.all = calloc(trampolines->progs.len + 1, sizeof(*out.all));
	if (!out.all)
		return kt_error_no_memory();
	name_functions(trampolines, facts);
	if (trampolines->progs.len)
		qsort(trampolines->progs.data, trampolines->progs.len,
		      sizeof(trampolines->progs.data[0]), by_place);
	for (size_t i = 0; i < trampolines->progs.len && !err; i++)
		err = row_finish(trampolines, &trampolines->progs.data[i], facts,
				 &out.all[out.n++]);
	if (err)
		return err;
	*ret = out;
	out = (struct trampolines){0};
	return NULL;
}
