// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "vm/accel.h"
#include "vm/blobs.h"
#include "vm/topology.h"

/*
 * A CPU from Intel: CPUID leaves 4 and 0xB tell every kernel its caches and threads. TCG's "max" is
 * from AMD, which tells them by leaves 0x8000001D and 0x8000001E; those are there only with
 * topoext, which TCG does not have. Linux before 6.9 does not see threads of one core then. The
 * model is Cascade Lake's, an ordinary one.
 */
#define TCG_CPU TCG_MAX_CPU ",vendor=GenuineIntel,family=6,model=85,stepping=7"

/*
 * KVM keeps the host's vendor, by which its MSRs go. Without topoext, which "max" does not set of
 * itself, Linux takes eight APIC ids of an AMD of family 0x17 or later for sharers of a cache.
 */
#define KVM_AMD_CPU "max,topoext=on"

/* The limit of q35 in QEMU 7.2; it is 4096 since 9.0. All presets are below: QEMU is not asked. */
#define QEMU_MAX_CPUS 288

/* 255 is the broadcast id, and higher ids need an x2APIC. */
#define XAPIC_MAX_ID 254

#define PRESET(name, n, l, c, t, memory)                                                           \
	{                                                                                          \
		name, n, l, c, t, memory, (l) * (c) * (t)                                          \
	}

static const struct vm_topology presets[] = {
	PRESET("4cpu-1llc-nosmt", 1, 1, 4, 1, 2048),
	PRESET("4cpu-2llc-nosmt", 1, 2, 2, 1, 2048),
	PRESET("9cpu-3llc-nosmt", 1, 3, 3, 1, 2048),
	PRESET("15cpu-5llc-nosmt", 1, 5, 3, 1, 2048),
	PRESET("14cpu-7llc-nosmt", 1, 7, 2, 1, 2048),
	PRESET("8cpu-2llc-smt", 1, 2, 2, 2, 2048),
	PRESET("12cpu-3llc-smt", 1, 3, 2, 2, 2048),
	PRESET("32cpu-4llc-smt", 1, 4, 4, 2, 2048),
	PRESET("32cpu-4llc-nosmt", 1, 4, 8, 1, 2048),
	PRESET("64cpu-8llc-smt", 1, 8, 4, 2, 2048),
	PRESET("64cpu-8llc-nosmt", 1, 8, 8, 1, 2048),
	PRESET("128cpu-4llc-smt", 1, 4, 16, 2, 2048),
	PRESET("128cpu-4llc-nosmt", 1, 4, 32, 1, 2048),
	PRESET("128cpu-8llc-smt", 1, 8, 8, 2, 2048),
	PRESET("128cpu-8llc-nosmt", 1, 8, 16, 1, 2048),
	PRESET("240cpu-15llc-smt", 1, 15, 8, 2, 2048),
	PRESET("240cpu-15llc-nosmt", 1, 15, 16, 1, 2048),
	PRESET("252cpu-14llc-smt", 1, 14, 9, 2, 4096),
	PRESET("252cpu-14llc-nosmt", 1, 14, 18, 1, 4096),
	PRESET("2numa-16cpu-4llc-nosmt", 2, 4, 4, 1, 2048),
	PRESET("2numa-32cpu-2llc-smt", 2, 2, 8, 2, 2048),
	PRESET("4numa-32cpu-8llc-nosmt", 4, 8, 4, 1, 2048),
};

#define N_PRESETS (sizeof(presets) / sizeof(*presets))

const struct vm_topology *vm_topologies(size_t *n_ret)
{
	*n_ret = N_PRESETS;
	return presets;
}

const struct vm_topology *vm_topology_by_name(const char *name)
{
	for (size_t i = 0; i < N_PRESETS; i++)
		if (!strcmp(presets[i].name, name))
			return &presets[i];
	return NULL;
}

static unsigned width(unsigned n)
{
	unsigned bits = 0;

	while (1U << bits < n)
		bits++;
	return bits;
}

unsigned vm_topology_max_apic_id(const struct vm_topology *t)
{
	unsigned threads = width(t->threads_per_core), cores = width(t->cores_per_llc);

	return (t->llcs - 1) << (cores + threads) | (t->cores_per_llc - 1) << threads |
	       (t->threads_per_core - 1);
}

static bool host_is_amd(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "vendor_id", 9))
			return strstr(line, "AuthenticAMD") || strstr(line, "HygonGenuine");
	return false;
}

static bool is_tcg(const char *accel)
{
	return !strncmp(accel, "tcg", 3);
}

const char *vm_topology_cpu(const char *accel)
{
	if (is_tcg(accel))
		return TCG_CPU;
	return host_is_amd() ? KVM_AMD_CPU : "max";
}

static struct kt_blob_topology find_blob(const char *name)
{
	const struct kt_blob_topology *blob = kt_blob_topologies;

	while (strcmp(blob->name, name) != 0)
		blob++; /* tests/vm/test_topology.c checks that each preset has one */
	return *blob;
}

/* Copies a line of the file. A size in MiB, of all memory or of a node, is scaled. */
static void write_line(const struct vm_topology *t, unsigned memory_mib, const char *line,
		       size_t len, struct kt_buf *out)
{
	static const char size[] = "  size = \"";
	unsigned long mib;
	char *end;

	if (!memory_mib || len < sizeof(size) || strncmp(line, size, sizeof(size) - 1) != 0) {
		kt_buf_append(out, line, len);
		return;
	}
	mib = strtoul(line + sizeof(size) - 1, &end, 10);
	memory_mib /= t->numa_nodes;
	if (mib == t->memory_mib)
		memory_mib *= t->numa_nodes;
	kt_buf_printf(out, "%s%u%.*s", size, memory_mib, (int)(line + len - end), end);
}

void vm_topology_write(const struct vm_topology *t, unsigned memory_mib, struct kt_buf *out)
{
	struct kt_blob_topology blob = find_blob(t->name);
	const char *p = (const char *)blob.start, *end = (const char *)blob.end;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *next = newline ? newline + 1 : end;

		write_line(t, memory_mib, p, (size_t)(next - p), out);
		p = next;
	}
}

static uint64_t host_memory_mib(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size >> 20 : 0;
}

/* If /dev/kvm cannot be used, QEMU will say so. */
static void kvm_limits(struct vm_topology_limits *limits)
{
	_cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int cpus, ids;

	if (fd < 0)
		return;
	cpus = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	ids = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID);
	limits->max_cpus = cpus > 0 ? (unsigned)cpus : 0;
	limits->max_apic_id = ids > 0 ? (unsigned)ids - 1 : 0;
	if (ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_X2APIC_API) <= 0)
		limits->max_apic_id = XAPIC_MAX_ID;
}

void vm_topology_limits(const char *accel, struct vm_topology_limits *ret)
{
	*ret = (struct vm_topology_limits){
		.accel = accel ? accel : vm_default_accel(),
		.memory_mib = host_memory_mib(),
		.qemu_max_cpus = QEMU_MAX_CPUS,
	};
	if (is_tcg(ret->accel))
		ret->max_apic_id = XAPIC_MAX_ID;
	else
		kvm_limits(ret);
}

#define UNSUPPORTED(...) kt_error_new(KT_ERROR_UNSUPPORTED, __VA_ARGS__)

/*
 * QEMU 7.2 under TCG: "current -smp configuration requires kernel irqchip and X2APIC API support."
 * 11.1 has an x2APIC for TCG, and wants an intel-iommu with it, with which Linux 6.12 brings its
 * 252 CPUs up, but not itself within 270 s.
 */
struct kt_error *vm_topology_check(const struct vm_topology *t, unsigned memory_mib,
				   const struct vm_topology_limits *limits)
{
	unsigned cpus = limits->max_cpus ? limits->max_cpus : UINT32_MAX;
	unsigned apic_id = vm_topology_max_apic_id(t);

	memory_mib = memory_mib ? memory_mib : t->memory_mib;
	if (limits->memory_mib && memory_mib >= limits->memory_mib)
		return UNSUPPORTED("%s needs %u MiB of memory; this host has %" PRIu64, t->name,
				   memory_mib, limits->memory_mib);
	if (t->cpus > limits->qemu_max_cpus)
		return UNSUPPORTED("%s has %u CPUs; QEMU's machine has %u at most", t->name,
				   t->cpus, limits->qemu_max_cpus);
	if (t->cpus > cpus)
		return UNSUPPORTED("%s has %u CPUs; accel %s has %u at most here", t->name, t->cpus,
				   limits->accel, cpus);
	if (limits->max_apic_id && apic_id > limits->max_apic_id)
		return UNSUPPORTED("%s has APIC ids up to %u; with accel %s they end at %u here%s",
				   t->name, apic_id, limits->accel, limits->max_apic_id,
				   is_tcg(limits->accel) ? ": it takes KVM" : "");
	return NULL;
}
