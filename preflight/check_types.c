// SPDX-License-Identifier: LGPL-2.1-or-later
/* Types of programs, maps and attachments, and what is attached to. */
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "preflight/checks.h"

static const char *or_number(const char *name, char *number, size_t size, int value)
{
	if (name)
		return name;
	snprintf(number, size, "%d", value);
	return number;
}

void pf_check_maps(struct pf_check *check)
{
	struct bpf_map *map;

	/* libbpf creates all maps of an object before it loads the first program. */
	bpf_object__for_each_map (map, check->object->obj) {
		enum bpf_map_type type = bpf_map__type(map);
		char number[16];

		if (check->err || !bpf_map__autocreate(map) ||
		    pf_kernel_has_value(check->kernel, "bpf_map_type", (int)type))
			continue;
		pf_found(check, PREFLIGHT_ALL, KT_LOAD_MAP_TYPE, true, NULL,
			 "map %s is of type %s, which this kernel does not have",
			 bpf_map__name(map),
			 or_number(libbpf_bpf_map_type_str(type), number, sizeof(number),
				   (int)type));
	}
}

/* Those whose attach type the kernel compares with a list when it loads them. */
static bool is_strict(enum bpf_prog_type type)
{
	return type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
	       type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR || type == BPF_PROG_TYPE_CGROUP_SOCKOPT;
}

static void check_attach_type(struct pf_check *check, const struct pf_subject *s,
			      enum bpf_prog_type type)
{
	enum bpf_attach_type attach = bpf_program__expected_attach_type(s->program);
	char number[16];

	if (is_strict(type) && !pf_kernel_has_value(check->kernel, "bpf_attach_type", (int)attach))
		pf_found(check, s->index, KT_LOAD_ATTACH_TYPE, true, NULL,
			 "it attaches as %s, which this kernel does not have",
			 or_number(libbpf_bpf_attach_type_str(attach), number, sizeof(number),
				   (int)attach));
}

/* As libbpf names what a program attaches to in the kernel's BTF. */
struct target {
	const char *prefix;
	uint32_t kind;
	const char *what;
};

static struct target target_of(enum bpf_attach_type attach)
{
	switch (attach) {
	case BPF_TRACE_RAW_TP: return (struct target){"btf_trace_", BTF_KIND_TYPEDEF, "tracepoint"};
	case BPF_TRACE_ITER: return (struct target){"bpf_iter_", BTF_KIND_FUNC, "iterator"};
	case BPF_LSM_MAC:
	case BPF_LSM_CGROUP: return (struct target){"bpf_lsm_", BTF_KIND_FUNC, "LSM hook"};
	default: return (struct target){"", BTF_KIND_FUNC, "function"};
	}
}

static void check_target(struct pf_check *check, const struct pf_subject *s)
{
	const char *section = bpf_program__section_name(s->program);
	const char *name = strchr(section, '/');
	struct target target = target_of(bpf_program__expected_attach_type(s->program));
	char full[256];

	if (!name || !name[1]) {
		pf_found(check, s->index, KT_LOAD_REQUEST, false, NULL,
			 "SEC(\"%s\") does not name what it attaches to: its loader has to",
			 section);
		return;
	}
	name++;
	/* "module:function", since libbpf 1.5 */
	if (strchr(name, ':') ||
	    snprintf(full, sizeof(full), "%s%s", target.prefix, name) >= (int)sizeof(full) ||
	    pf_kernel_find(check->kernel, full, target.kind))
		return;
	/* A module can have no hook for BPF (bpf_lsm_hooks in kernel/bpf/bpf_lsm.c). */
	if (!strcmp(target.prefix, "bpf_lsm_")) {
		pf_found(check, s->index, KT_LOAD_REQUEST, true,
			 pf_kernel_near(check->kernel, target.prefix, name, target.kind),
			 "LSM hook %s, which SEC(\"%s\") attaches to, is not in this kernel", name,
			 section);
		return;
	}
	pf_found_missing(check,
			 (struct pf_missing){s->index, KT_LOAD_REQUEST, target.kind, full, true,
					     pf_kernel_near(check->kernel, target.prefix, name,
							    target.kind)},
			 "%s %s, which SEC(\"%s\") attaches to,", target.what, name, section);
}

static void no_btf(struct pf_check *check, const struct pf_subject *s)
{
	pf_found(check, s->index, KT_LOAD_BTF, true,
		 strdup("a kernel with CONFIG_DEBUG_INFO_BTF=y"),
		 "programs of this type need the kernel's BTF, and this kernel has none");
}

/*
 * Sections that libbpf 1.2 to 1.7 came to know. The libbpf that loads the object may be newer than
 * the one that this tool is built with.
 */
static bool is_newer_section(const char *section)
{
	static const char *const known[] = {
		"tcx/",
		"netkit/",
		"netfilter",
		"uprobe.multi",
		"uretprobe.multi",
		"kprobe.session",
		"uprobe.session",
		"cgroup/connect_unix",
		"cgroup/sendmsg_unix",
		"cgroup/recvmsg_unix",
		"cgroup/getpeername_unix",
		"cgroup/getsockname_unix",
		"sk_skb/verdict",
	};

	section += section[0] == '?';
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strncmp(section, known[i], strlen(known[i])))
			return true;
	return false;
}

static void unknown_section(struct pf_check *check, const struct pf_subject *s)
{
	const char *section = bpf_program__section_name(s->program);

	pf_found(check, s->index, KT_LOAD_OBJECT, !is_newer_section(section), NULL,
		 "libbpf %u.%u, which this tool has, knows no type of program for SEC(\"%s\")",
		 libbpf_major_version(), libbpf_minor_version(), section);
}

void pf_check_type(struct pf_check *check, const struct pf_subject *s)
{
	enum bpf_prog_type type = bpf_program__type(s->program);
	char number[16];

	if (type == BPF_PROG_TYPE_UNSPEC) {
		unknown_section(check, s);
		return;
	}
	if (!check->kernel->btf) {
		if (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
		    type == BPF_PROG_TYPE_STRUCT_OPS)
			no_btf(check, s);
		return;
	}
	if (!pf_kernel_has_value(check->kernel, "bpf_prog_type", (int)type)) {
		pf_found(check, s->index, KT_LOAD_PROG_TYPE, true, NULL,
			 "it is of type %s, which this kernel does not have",
			 or_number(libbpf_bpf_prog_type_str(type), number, sizeof(number),
				   (int)type));
		return;
	}
	check_attach_type(check, s, type);
	if (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM)
		check_target(check, s);
}
