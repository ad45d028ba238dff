/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists of BPF objects: their columns, which of them are shown, and their documents. Internal to
 * render/ and cli/.
 */
#ifndef KT_RENDER_OBJECTS_H
#define KT_RENDER_OBJECTS_H

#include <jansson.h>

#include "model/attached.h"
#include "model/btf.h"
#include "model/cgroup.h"
#include "model/map.h"
#include "model/net.h"
#include "render/filter.h"
#include "render/grid.h"
#include "render/guest.h"

/* Over the rows of what was read, which must outlive the grid. */
struct render_grid render_programs_grid(const struct programs *programs);
struct render_grid render_maps_grid(struct maps *maps);
struct render_grid render_links_grid(struct links *links);
struct render_grid render_btf_grid(struct btf_objects *objects);
struct render_grid render_trampolines_grid(struct trampolines *trampolines);
struct render_grid render_struct_ops_grid(struct struct_ops_list *list);
struct render_grid render_perf_grid(struct perf_progs *progs);
struct render_grid render_cgroups_grid(struct cgroups *cgroups);

struct render_grid render_net_grid(struct net *net);

/* Appends where a perf event of a link is: "do_init_module+0x4", "/bin/sh+0x10", "cpu-clock". */
void render_event_place(const struct link *link, struct kt_buf *out);
/* The type and the configuration of its event; each takes a struct link. */
struct render_cell render_link_event_type(const void *link);
struct render_cell render_link_event_config(const void *link);

/* Those rows as `bpftool -j net` has them, an object a namespace; and what is of no namespace: the
 * whole document. The caller frees *ret. */
struct kt_error *render_net_json(const struct net *net, const struct render_grid *grid,
				 const struct render_guest *guest, char **ret);

/* Those rows as `bpftool -j cgroup tree` has them: an object a cgroup, with its programs. */
json_t *render_cgroups_json(const struct render_grid *grid);

/*
 * Keeps the rows that the filter lets through, in order, by the grid's columns "id", "type", and
 * "name" or "short_name". The others stay in the array, behind n_rows, so that their owner can free
 * them.
 */
void render_objects_filter(struct render_grid *grid, const struct render_filter *filter);

/*
 * The document "ktstr-gdb.WHAT.v1", with all columns of each row under the key WHAT ("maps"). A
 * new reference, NULL without memory.
 */
json_t *render_objects_document(const struct render_grid *grid, const char *what,
				const struct render_guest *guest);

/* The same as text, which the caller frees. */
struct kt_error *render_objects_json(const struct render_grid *grid, const char *what,
				     const struct render_guest *guest, char **ret);

/* The same of an array that the caller made, of which it takes the reference. */
struct kt_error *render_array_json(json_t *array, const char *what,
				   const struct render_guest *guest, char **ret);
/* The same as a document. A new reference, NULL without memory. */
json_t *render_array_document(json_t *array, const char *what, const struct render_guest *guest);

/* The key "kernel" of a document. A new reference, NULL without memory. */
json_t *render_json_kernel(const struct render_guest *guest);

#endif
