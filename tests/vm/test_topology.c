// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "vm/topology.h"

/* The table of the presets, as it was asked for: NUMA nodes, caches, cores, threads. */
static const char spec[] = "| 4cpu-1llc-nosmt | 1 1 4 1 | 128cpu-4llc-smt | 1 4 16 2 |\n"
			   "| 4cpu-2llc-nosmt | 1 2 2 1 | 128cpu-4llc-nosmt | 1 4 32 1 |\n"
			   "| 9cpu-3llc-nosmt | 1 3 3 1 | 128cpu-8llc-smt | 1 8 8 2 |\n"
			   "| 15cpu-5llc-nosmt | 1 5 3 1 | 128cpu-8llc-nosmt | 1 8 16 1 |\n"
			   "| 14cpu-7llc-nosmt | 1 7 2 1 | 240cpu-15llc-smt | 1 15 8 2 |\n"
			   "| 8cpu-2llc-smt | 1 2 2 2 | 240cpu-15llc-nosmt | 1 15 16 1 |\n"
			   "| 12cpu-3llc-smt | 1 3 2 2 | 252cpu-14llc-smt | 1 14 9 2 |\n"
			   "| 32cpu-4llc-smt | 1 4 4 2 | 252cpu-14llc-nosmt | 1 14 18 1 |\n"
			   "| 32cpu-4llc-nosmt | 1 4 8 1 | 2numa-16cpu-4llc-nosmt | 2 4 4 1 |\n"
			   "| 64cpu-8llc-smt | 1 8 4 2 | 2numa-32cpu-2llc-smt | 2 2 8 2 |\n"
			   "| 64cpu-8llc-nosmt | 1 8 8 1 | 4numa-32cpu-8llc-nosmt | 4 8 4 1 |\n";

static void check_numbers(const char *name, unsigned n, unsigned l, unsigned c, unsigned t)
{
	const struct vm_topology *p = vm_topology_by_name(name);
	unsigned cpus = 0;

	if (!p)
		fail_msg("no preset %s", name);
	assert_string_equal(p->name, name);
	assert_int_equal(p->numa_nodes, n);
	assert_int_equal(p->llcs, l);
	assert_int_equal(p->cores_per_llc, c);
	assert_int_equal(p->threads_per_core, t);
	assert_int_equal(p->cpus, l * c * t);
	assert_int_equal(p->llcs % p->numa_nodes, 0);
	sscanf(strstr(name, "numa") ? strchr(name, '-') + 1 : name, "%ucpu", &cpus);
	assert_int_equal(p->cpus, cpus);
	assert_int_equal(p->memory_mib, cpus == 252 ? 4096 : 2048);
}

static void test_table(void **state)
{
	const char *row = spec;
	size_t seen = 0, n_presets;

	(void)state;
	vm_topologies(&n_presets);
	while (*row) {
		char name[2][40];
		unsigned v[2][4];

		assert_int_equal(sscanf(row, "| %39s | %u %u %u %u | %39s | %u %u %u %u |", name[0],
					&v[0][0], &v[0][1], &v[0][2], &v[0][3], name[1], &v[1][0],
					&v[1][1], &v[1][2], &v[1][3]),
				 10);
		for (int i = 0; i < 2; i++, seen++)
			check_numbers(name[i], v[i][0], v[i][1], v[i][2], v[i][3]);
		row = strchr(row, '\n') + 1;
	}
	assert_int_equal(seen, n_presets);
	assert_null(vm_topology_by_name("4cpu"));
	assert_null(vm_topology_by_name(""));
}

/* A file's groups: "GROUP.KEY=VALUE" a line, or "GROUP.ID.KEY=VALUE". */
struct config {
	char text[16384];
	size_t len;
};

static void read_config(const char *text, struct config *ret)
{
	char group[128] = "", key[64], value[64], id[64];

	ret->len = 0;
	while (*text) {
		size_t len = strcspn(text, "\n");
		char line[256];

		assert_in_range(len, 0, sizeof(line) - 1);
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		if (sscanf(line, "[%63[a-z-] \"%63[^\"]\"]", group, id) == 2)
			snprintf(group + strlen(group), 1 + sizeof(id), ".%s", id);
		else if (line[0] == '[')
			sscanf(line, "[%63[^]]", group);
		else if (sscanf(line, " %63[a-z-] = \"%63[^\"]\"", key, value) == 2)
			ret->len += (size_t)snprintf(ret->text + ret->len,
						     sizeof(ret->text) - ret->len, "%s.%s=%s\n",
						     group, key, value);
		else if (line[0] && line[0] != '#')
			fail_msg("not understood: %s", line);
		text += len + !!text[len];
	}
}

/* What has to be in the file, from n, l, c and t alone. */
static void expect_config(const struct vm_topology *p, unsigned node_mib, struct kt_buf *out)
{
	if (vm_topology_max_apic_id(p) > 254)
		kt_buf_appends(out, "machine.kernel-irqchip=split\n");
	kt_buf_printf(out, "smp-opts.cpus=%u\nsmp-opts.sockets=%u\nsmp-opts.dies=1\n", p->cpus,
		      p->llcs);
	kt_buf_printf(out, "smp-opts.cores=%u\nsmp-opts.threads=%u\n", p->cores_per_llc,
		      p->threads_per_core);
	kt_buf_printf(out, "memory.size=%u\n", node_mib * p->numa_nodes);
	if (p->numa_nodes == 1)
		return;
	for (unsigned i = 0; i < p->numa_nodes; i++)
		kt_buf_printf(out,
			      "object.ram%u.qom-type=memory-backend-ram\nobject.ram%u.size=%uM\n"
			      "numa.type=node\nnuma.nodeid=%u\nnuma.memdev=ram%u\n",
			      i, i, node_mib, i, i);
	for (unsigned i = 0; i < p->llcs; i++)
		kt_buf_printf(out, "numa.type=cpu\nnuma.node-id=%u\nnuma.socket-id=%u\n",
			      i / (p->llcs / p->numa_nodes), i);
}

static void check_file(const struct vm_topology *p, unsigned memory_mib, unsigned node_mib)
{
	struct kt_buf text = KT_BUF_INIT, expected = KT_BUF_INIT;
	static struct config seen;

	vm_topology_write(p, memory_mib, &text);
	kt_buf_appends(&text, "");
	read_config(text.data, &seen);
	expect_config(p, node_mib, &expected);
	assert_string_equal(seen.text, expected.data);
	kt_buf_deinit(&text);
	kt_buf_deinit(&expected);
}

static void test_files(void **state)
{
	const struct vm_topology *all;
	size_t n;

	(void)state;
	all = vm_topologies(&n);
	for (size_t i = 0; i < n; i++) {
		check_file(&all[i], 0, all[i].memory_mib / all[i].numa_nodes);
		check_file(&all[i], 1003, 1003 / all[i].numa_nodes);
		check_file(&all[i], all[i].memory_mib / all[i].numa_nodes,
			   all[i].memory_mib / all[i].numa_nodes / all[i].numa_nodes);
	}
}

static void test_no_other_files(void **state)
{
	DIR *dir = opendir("qemu-configs/topologies");
	size_t n, seen = 0;
	struct dirent *entry;
	char name[256];

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s", entry->d_name);
		assert_non_null(strstr(name, ".cfg"));
		*strstr(name, ".cfg") = '\0';
		if (!vm_topology_by_name(name))
			fail_msg("%s is no preset", entry->d_name);
		seen++;
	}
	closedir(dir);
	vm_topologies(&n);
	assert_int_equal(seen, n);
}

static void test_apic_ids(void **state)
{
	static const struct {
		const char *name;
		unsigned id;
	} cases[] = {
		{"4cpu-1llc-nosmt", 3},    {"9cpu-3llc-nosmt", 10},     {"12cpu-3llc-smt", 11},
		{"128cpu-4llc-smt", 127},  {"240cpu-15llc-smt", 239},   {"240cpu-15llc-nosmt", 239},
		{"252cpu-14llc-smt", 433}, {"252cpu-14llc-nosmt", 433},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(vm_topology_max_apic_id(vm_topology_by_name(cases[i].name)),
				 cases[i].id);
}

/* WHY is a part of the reason; NULL: it fits. */
static void check_limits(const char *name, unsigned memory_mib, struct vm_topology_limits limits,
			 const char *why)
{
	struct kt_error *err = vm_topology_check(vm_topology_by_name(name), memory_mib, &limits);

	if (!why) {
		assert_null(err);
		return;
	}
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	if (!strstr(kt_error_message(err), why))
		fail_msg("'%s' has no '%s'", kt_error_message(err), why);
	kt_error_destroy(err);
}

static void test_limits(void **state)
{
	const struct vm_topology_limits tcg = {"tcg", 8000, 0, 254, 288};
	const struct vm_topology_limits kvm = {"kvm", 8000, 1024, 4095, 288};
	struct vm_topology_limits low = kvm;

	(void)state;
	check_limits("240cpu-15llc-smt", 0, tcg, NULL);
	check_limits("252cpu-14llc-smt", 0, tcg,
		     "APIC ids up to 433; with accel tcg they end at 254");
	check_limits("252cpu-14llc-smt", 0, kvm, NULL);
	check_limits("4cpu-1llc-nosmt", 8000, tcg, "needs 8000 MiB of memory; this host has 8000");
	check_limits("4cpu-1llc-nosmt", 7999, tcg, NULL);
	low.memory_mib = 4096;
	check_limits("252cpu-14llc-smt", 0, low, "needs 4096 MiB");
	check_limits("252cpu-14llc-smt", 1000, low, NULL);
	check_limits("240cpu-15llc-smt", 0, low, NULL);
	low = kvm;
	low.max_cpus = 239;
	check_limits("240cpu-15llc-smt", 0, low, "240 CPUs; accel kvm has 239 at most");
	low.max_cpus = 0;
	check_limits("240cpu-15llc-smt", 0, low, NULL);
	low.qemu_max_cpus = 239;
	check_limits("240cpu-15llc-smt", 0, low, "240 CPUs; QEMU's machine has 239");
	low = kvm;
	low.max_apic_id = 254;
	check_limits("252cpu-14llc-nosmt", 0, low, "with accel kvm they end at 254 here");
	low.max_apic_id = 0;
	low.memory_mib = 0;
	check_limits("252cpu-14llc-nosmt", 0, low, NULL);
}

static void test_host(void **state)
{
	struct vm_topology_limits limits;

	(void)state;
	vm_topology_limits("tcg,thread=multi", &limits);
	assert_string_equal(limits.accel, "tcg,thread=multi");
	assert_int_equal(limits.max_apic_id, 254);
	assert_true(limits.memory_mib > 0);
	vm_topology_limits(NULL, &limits);
	assert_non_null(limits.accel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),          cmocka_unit_test(test_files),
		cmocka_unit_test(test_no_other_files), cmocka_unit_test(test_apic_ids),
		cmocka_unit_test(test_limits),         cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests_name("vm/topology", tests, NULL, NULL);
}
