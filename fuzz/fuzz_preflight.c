// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a BPF object, checked against a kernel that lacks nearly all: every finding is about
 * a program that there is, and is the same after it went from a child to its parent.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "preflight/core_ext.h"
#include "preflight/preflight.h"
#include "util/cursor.h"
#include "util/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A few types of the names that objects ask for. */
static struct btf *make_types(void)
{
	struct btf *btf = btf__new_empty();
	int u32_ = btf__add_int(btf, "unsigned int", 4, 0), array, proto;

	array = btf__add_array(btf, u32_, u32_, 4);
	btf__add_struct(btf, "module", 4); /* it can load modules */
	btf__add_field(btf, "state", u32_, 0, 0);
	btf__add_struct(btf, "task_struct", 24);
	btf__add_field(btf, "pid", u32_, 0, 0);
	btf__add_field(btf, "comm", array, 64, 0);
	btf__add_struct(btf, "tcp_congestion_ops", 8);
	btf__add_field(btf, "flags", u32_, 0, 0);
	btf__add_enum(btf, "bpf_func_id", 4);
	btf__add_enum_value(btf, "BPF_FUNC_map_lookup_elem", 1);
	btf__add_enum(btf, "bpf_prog_type", 4);
	btf__add_enum_value(btf, "BPF_PROG_TYPE_SOCKET_FILTER", 1);
	btf__add_enum(btf, "bpf_map_type", 4);
	btf__add_enum_value(btf, "BPF_MAP_TYPE_HASH", 1);
	proto = btf__add_func_proto(btf, u32_);
	btf__add_func_param(btf, "a", u32_);
	btf__add_func(btf, "bpf_prog_put", BTF_FUNC_GLOBAL, proto);
	return btf;
}

static void check_report(const struct preflight_report *report)
{
	struct kt_buf bytes = KT_BUF_INIT;
	struct preflight_report copy;
	struct kt_cursor c;

	kt_vec_for_each (&report->findings, f)
		if (!f->what || (f->sure && f->module) ||
		    (f->program != PREFLIGHT_ALL && f->program >= report->programs.len))
			abort();
	preflight_pack(report, &bytes);
	c = kt_cursor(bytes.data, bytes.len, false);
	if (preflight_unpack(&c, &copy) || c.pos != c.len ||
	    copy.findings.len != report->findings.len)
		abort();
	for (size_t i = 0; i < copy.findings.len; i++)
		if (strcmp(copy.findings.data[i].what, report->findings.data[i].what) ||
		    copy.findings.data[i].sure != report->findings.data[i].sure)
			abort();
	preflight_report_deinit(&copy);
	kt_buf_deinit(&bytes);
}

static void check_object(const struct pf_object *object)
{
	struct pf_modules modules = {0};
	struct preflight_report report;
	struct btf *types = make_types();
	struct pf_kernel kernel;

	if (pf_kernel_init(types, NULL, &modules, &kernel))
		abort();
	/* First nothing is known of modules, then that there are none. */
	for (int i = 0; i < 2; i++) {
		if (preflight_check(object, &kernel, &report))
			abort();
		check_report(&report);
		preflight_report_deinit(&report);
		modules.none = modules.complete = true;
	}
	pf_kernel_deinit(&kernel);
	pf_modules_deinit(&modules);
	btf__free(types);
}

static void damage(uint8_t *bytes, size_t len, const uint8_t *data, size_t size)
{
	for (; size >= 4; data += 4, size -= 4)
		bytes[((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % len] = data[3];
}

/* The types as they are in the damaged file, if libbpf takes them. */
static void take_types(struct pf_object *object)
{
	size_t index;
	const struct pf_section *s = pf_section_find(object, ".BTF", &index);
	struct btf *btf = s ? btf__new(s->data, (uint32_t)s->len) : NULL;

	if (!btf)
		return;
	btf__free(object->btf);
	object->btf = btf;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_buf bytes = KT_BUF_INIT;
	struct pf_object object;

	libbpf_set_print(NULL);
	if (kt_read_file("fuzz/objects/core.bpf.o", 1 << 20, &bytes) ||
	    pf_object_open(bytes.data, bytes.len, "fuzz", &object))
		abort();
	damage((uint8_t *)bytes.data, bytes.len, data, size);
	take_types(&object);
	if (pf_core_read(&object))
		abort();
	check_object(&object);
	pf_object_close(&object);
	kt_buf_deinit(&bytes);
	return 0;
}
