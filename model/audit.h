/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. Do the guest's lists of BPF objects tell all? What the kernel's IDRs list,
 * beside what something in the kernel runs or holds: links, trampolines, cgroups, devices, files of
 * processes. Pure functions over plain data that one stop read.
 */
#ifndef KT_MODEL_AUDIT_H
#define KT_MODEL_AUDIT_H

#include <jansson.h>

#include "model/attached.h"
#include "model/btf.h"
#include "model/cgroup.h"
#include "model/holders.h"
#include "model/map.h"
#include "model/net.h"
#include "model/slots.h"
#include "util/error.h"
#include "util/vec.h"

enum audit_kind { AUDIT_PROG, AUDIT_MAP, AUDIT_LINK, AUDIT_BTF, AUDIT_N_KINDS };

/* An object, and where something leads to it. */
struct audit_place {
	enum audit_kind kind;
	uint32_t id; /* 0: the object has none, which no object has that was not taken out */
	char *where; /* "link 12", "fentry of tcp_v4_rcv" */
};

/* All places, to be filled by the functions below; zeros are an empty one. */
struct audit {
	KT_VEC(struct audit_place) places;
};

/* Each adds the places that its list has. KT_ERROR_NO_MEMORY. */
struct kt_error *audit_programs(struct audit *audit, const struct programs *programs);
struct kt_error *audit_maps(struct audit *audit, const struct maps *maps);
struct kt_error *audit_links(struct audit *audit, const struct links *links);
struct kt_error *audit_trampolines(struct audit *audit, const struct trampolines *trampolines);
struct kt_error *audit_struct_ops(struct audit *audit, const struct struct_ops_list *list);
struct kt_error *audit_perf(struct audit *audit, const struct perf_progs *progs);
struct kt_error *audit_cgroups(struct audit *audit, const struct cgroups *cgroups);
struct kt_error *audit_net(struct audit *audit, const struct net *net);
struct kt_error *audit_slots(struct audit *audit, const struct slots *slots);
struct kt_error *audit_holdings(struct audit *audit, const struct holdings *holdings);
/* One place; the rest is as for printf(). */
struct kt_error *audit_see(struct audit *audit, enum audit_kind kind, uint32_t id, const char *fmt,
			   ...) __attribute__((format(printf, 4, 5)));

enum audit_problem {
	AUDIT_HIDDEN,     /* something leads to it, and the kernel's own index does not list it */
	AUDIT_WITHOUT_ID, /* something leads to it, and it has no ID any more */
	AUDIT_NOT_TOLD,   /* the index lists it, and the guest's bpftool did not (--against) */
	AUDIT_ONLY_TOLD,  /* the other way round */
};

struct audit_finding {
	enum audit_kind kind;
	enum audit_problem problem;
	uint32_t id;
	char *where; /* the places, with ", " between them; NULL: of what was (not) told */
};

/* What is listed, and by what of it nothing leads to. */
struct audit_count {
	size_t listed, n_unreached;
	uint32_t *unreached; /* IDs */
};

struct audit_result {
	struct audit_finding *all; /* by kind, problem, id */
	size_t n;
	struct audit_count counts[AUDIT_N_KINDS];
};

/*
 * Compares. told: what the guest's own bpftool printed (`bpftool -j prog show`), or NULL. The
 * caller owns *ret. KT_ERROR_FORMAT: told is no such list.
 */
struct kt_error *audit_finish(struct audit *audit, const struct programs *programs,
			      const struct maps *maps, const struct links *links,
			      const struct btf_objects *btfs, const json_t *told,
			      struct audit_result *ret);

/*
 * Leaves of *result what is in `again`, too, which was read a moment later: an object that is made
 * or removed just then may be on one side alone.
 */
void audit_keep_both(struct audit_result *result, const struct audit_result *again);

/* "program", "map", "link", "BTF object". */
const char *audit_kind_name(enum audit_kind kind);

void audit_deinit(struct audit *audit);
void audit_result_deinit(struct audit_result *result);

#endif
