// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of perf events, as `perf list` and bpftool have them: <linux/perf_event.h> in words. */
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

#include "introspect/bpf_link_impl.h"
#include "util/buf.h"

static const char *const types[] = {
	[PERF_TYPE_HARDWARE] = "hardware",
	[PERF_TYPE_SOFTWARE] = "software",
	[PERF_TYPE_TRACEPOINT] = "tracepoint",
	[PERF_TYPE_HW_CACHE] = "hw-cache",
	[PERF_TYPE_RAW] = "raw",
	[PERF_TYPE_BREAKPOINT] = "breakpoint",
};

static const char *const hardware[] = {
	[PERF_COUNT_HW_CPU_CYCLES] = "cpu-cycles",
	[PERF_COUNT_HW_INSTRUCTIONS] = "instructions",
	[PERF_COUNT_HW_CACHE_REFERENCES] = "cache-references",
	[PERF_COUNT_HW_CACHE_MISSES] = "cache-misses",
	[PERF_COUNT_HW_BRANCH_INSTRUCTIONS] = "branch-instructions",
	[PERF_COUNT_HW_BRANCH_MISSES] = "branch-misses",
	[PERF_COUNT_HW_BUS_CYCLES] = "bus-cycles",
	[PERF_COUNT_HW_STALLED_CYCLES_FRONTEND] = "stalled-cycles-frontend",
	[PERF_COUNT_HW_STALLED_CYCLES_BACKEND] = "stalled-cycles-backend",
	[PERF_COUNT_HW_REF_CPU_CYCLES] = "ref-cycles",
};

static const char *const software[] = {
	[PERF_COUNT_SW_CPU_CLOCK] = "cpu-clock",
	[PERF_COUNT_SW_TASK_CLOCK] = "task-clock",
	[PERF_COUNT_SW_PAGE_FAULTS] = "page-faults",
	[PERF_COUNT_SW_CONTEXT_SWITCHES] = "context-switches",
	[PERF_COUNT_SW_CPU_MIGRATIONS] = "cpu-migrations",
	[PERF_COUNT_SW_PAGE_FAULTS_MIN] = "minor-faults",
	[PERF_COUNT_SW_PAGE_FAULTS_MAJ] = "major-faults",
	[PERF_COUNT_SW_ALIGNMENT_FAULTS] = "alignment-faults",
	[PERF_COUNT_SW_EMULATION_FAULTS] = "emulation-faults",
	[PERF_COUNT_SW_DUMMY] = "dummy",
	[PERF_COUNT_SW_BPF_OUTPUT] = "bpf-output",
	[PERF_COUNT_SW_CGROUP_SWITCHES] = "cgroup-switches",
};

static const char *const caches[] = {
	[PERF_COUNT_HW_CACHE_L1D] = "L1-dcache", [PERF_COUNT_HW_CACHE_L1I] = "L1-icache",
	[PERF_COUNT_HW_CACHE_LL] = "LLC",        [PERF_COUNT_HW_CACHE_DTLB] = "dTLB",
	[PERF_COUNT_HW_CACHE_ITLB] = "iTLB",     [PERF_COUNT_HW_CACHE_BPU] = "branch",
	[PERF_COUNT_HW_CACHE_NODE] = "node",
};

static const char *const accesses[] = {
	[PERF_COUNT_HW_CACHE_OP_READ] = "load",
	[PERF_COUNT_HW_CACHE_OP_WRITE] = "store",
	[PERF_COUNT_HW_CACHE_OP_PREFETCH] = "prefetch",
};

static const char *const results[] = {
	[PERF_COUNT_HW_CACHE_RESULT_ACCESS] = "refs",
	[PERF_COUNT_HW_CACHE_RESULT_MISS] = "misses",
};

/* clang-format off */
#define NAME(table, i) ((i) < sizeof(table) / sizeof((table)[0]) ? (table)[i] : NULL)
/* clang-format on */

/* A part of a cache event's name: "L1-dcache", "load"; a number if there is no name. */
static void append_part(struct kt_buf *out, const char *name, uint64_t number)
{
	if (name)
		kt_buf_appends(out, name);
	else
		kt_buf_printf(out, "%" PRIu64, number);
}

/* "L1-dcache-load-misses" */
static struct kt_error *cache_name(uint64_t config, char **ret)
{
	uint64_t cache = config & 0xff, access = config >> 8 & 0xff, result = config >> 16;
	struct kt_buf out = KT_BUF_INIT;

	append_part(&out, NAME(caches, cache), cache);
	kt_buf_appendc(&out, '-');
	append_part(&out, NAME(accesses, access), access);
	kt_buf_appendc(&out, '-');
	append_part(&out, NAME(results, result), result);
	return kt_buf_finish(&out, ret);
}

static struct kt_error *copy(const char *name, char **ret)
{
	*ret = name ? strdup(name) : NULL;
	return *ret || !name ? NULL : kt_error_no_memory();
}

struct kt_error *bpf_link_event_names(struct link *link)
{
	uint64_t type = link->event_type.value, config = link->event_config.value;
	struct kt_error *err;

	if (!link->event_type.known || !link->event_config.known)
		return NULL;
	err = copy(NAME(types, type), &link->event_type_name);
	if (err)
		return err;
	switch (type) {
	case PERF_TYPE_HARDWARE: return copy(NAME(hardware, config), &link->event_config_name);
	case PERF_TYPE_SOFTWARE: return copy(NAME(software, config), &link->event_config_name);
	case PERF_TYPE_HW_CACHE: return cache_name(config, &link->event_config_name);
	default: return NULL;
	}
}
