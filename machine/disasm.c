// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "machine/disasm.h"
#include "util/buf.h"
#include "util/cleanup.h"

#ifdef KT_CAPSTONE
#include <capstone/capstone.h>
#include <dlfcn.h>
#endif

/* Of bytes that nothing disassembles, in one line. */
#define BYTES_MAX 8

struct names {
	const struct jited *jited;
	machine_name_fn *name_of;
	void *arg;
};

/* Takes operation and operands. */
static struct kt_error *add(struct jited_func *func, struct jited_insn insn)
{
	if (insn.operation && insn.operands && kt_vec_push(&func->insns, insn))
		return NULL;
	free(insn.operation);
	free(insn.operands);
	free(insn.callee);
	return kt_error_no_memory();
}

static struct kt_error *add_bytes(struct jited_func *func, size_t at, size_t n)
{
	struct jited_insn insn = {
		.at = (uint32_t)at, .n = (uint8_t)n, .operation = strdup(".byte")};
	struct kt_buf operands = KT_BUF_INIT;

	for (size_t i = 0; i < n; i++)
		kt_buf_printf(&operands, "%s0x%02x", i ? ", " : "", func->code[at + i]);
	insn.operands = kt_buf_steal(&operands);
	return add(func, insn);
}

static struct kt_error *only_bytes(struct jited *jited)
{
	struct kt_error *err = NULL;

	kt_vec_for_each (&jited->funcs, func) {
		for (size_t at = 0; at < func->len && !err; at += BYTES_MAX) {
			size_t left = func->len - at;

			err = add_bytes(func, at, left < BYTES_MAX ? left : BYTES_MAX);
		}
	}
	return err;
}

#ifdef KT_CAPSTONE

#define WORD(x)   #x
#define NUMBER(x) WORD(x)

/* Its tables are full of addresses: linked in, it made each start of the tool 1.6 times as long. */
static struct {
	bool tried, there;
	__typeof__(cs_open) *open;
	__typeof__(cs_close) *close;
	__typeof__(cs_option) *option;
	__typeof__(cs_malloc) *malloc;
	__typeof__(cs_free) *free;
	__typeof__(cs_disasm_iter) *disasm_iter;
	__typeof__(cs_insn_group) *insn_group;
} cs;

#ifdef KT_STATIC
/* The library of the machine would bring a C library of its own along. */
bool machine_load(void)
{
	cs.open = cs_open;
	cs.close = cs_close;
	cs.option = cs_option;
	cs.malloc = cs_malloc;
	cs.free = cs_free;
	cs.disasm_iter = cs_disasm_iter;
	cs.insn_group = cs_insn_group;
	cs.tried = cs.there = true;
	return true;
}
#else
bool machine_load(void)
{
	void *library;

	if (cs.tried)
		return cs.there;
	cs.tried = true;
	/* Of the very ABI that the header has. */
	library = dlopen("libcapstone.so." NUMBER(CS_API_MAJOR), RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return false;
	cs.open = dlsym(library, "cs_open");
	cs.close = dlsym(library, "cs_close");
	cs.option = dlsym(library, "cs_option");
	cs.malloc = dlsym(library, "cs_malloc");
	cs.free = dlsym(library, "cs_free");
	cs.disasm_iter = dlsym(library, "cs_disasm_iter");
	cs.insn_group = dlsym(library, "cs_insn_group");
	cs.there = cs.open && cs.close && cs.option && cs.malloc && cs.free && cs.disasm_iter &&
		   cs.insn_group;
	return cs.there;
}
#endif

/* False: this library does not know it. */
static bool open_for(const char *arch, csh *ret)
{
	static const struct {
		const char *arch;
		cs_arch machine;
		cs_mode mode;
	} known[] = {
		{"x86_64", CS_ARCH_X86, CS_MODE_64},
		{"aarch64", CS_ARCH_ARM64, CS_MODE_ARM},
		{"s390x", CS_ARCH_SYSZ, CS_MODE_BIG_ENDIAN},
		{"ppc64le", CS_ARCH_PPC, (cs_mode)(CS_MODE_64 | CS_MODE_LITTLE_ENDIAN)},
#if CS_API_MAJOR >= 5
		{"riscv64", CS_ARCH_RISCV, (cs_mode)(CS_MODE_RISCV64 | CS_MODE_RISCVC)},
#endif
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].arch, arch) != 0)
			continue;
		if (cs.open(known[i].machine, known[i].mode, ret) != CS_ERR_OK)
			return false;
		cs.option(*ret, CS_OPT_DETAIL, CS_OPT_ON); /* the groups of an instruction */
		if (known[i].machine == CS_ARCH_X86)
			cs.option(*ret, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
		return true;
	}
	return false;
}

static struct kt_error *name_at(const struct names *names, uint64_t addr, char **ret)
{
	kt_vec_for_each (&names->jited->funcs, func) {
		if (func->addr != addr || !func->name)
			continue;
		*ret = strdup(func->name);
		return *ret ? NULL : kt_error_no_memory();
	}
	return names->name_of(names->arg, addr, ret);
}

/* A call or a jump ends with an address, "0xffffffff81234560" or "#0x10": names what is there. */
static struct kt_error *show_target(const struct names *names, const struct jited_func *func,
				    struct jited_insn *insn)
{
	char *hex = strrchr(insn->operands, 'x'), *end;
	uint64_t addr;
	size_t before;

	/* An indirect one has a register, or memory at it. */
	if (!hex || hex == insn->operands || hex[-1] != '0' || strchr(insn->operands, '('))
		return NULL;
	addr = strtoull(hex + 1, &end, 16);
	if (end == hex + 1 || *end)
		return NULL;
	if (addr - func->addr >= func->len)
		return name_at(names, addr, &insn->callee);
	before = (size_t)(hex - insn->operands) - 1;
	snprintf(hex - 1, strlen(insn->operands) + 1 - before, "0x%llx",
		 (unsigned long long)(addr - func->addr));
	return NULL;
}

static bool leads_away(csh handle, const cs_insn *in)
{
	return cs.insn_group(handle, in, CS_GRP_CALL) || cs.insn_group(handle, in, CS_GRP_JUMP);
}

static struct kt_error *add_insn(const struct names *names, struct jited_func *func, csh handle,
				 const cs_insn *in, size_t at)
{
	struct jited_insn insn = {
		.at = (uint32_t)at,
		.n = (uint8_t)in->size,
		.operation = strdup(in->mnemonic),
		.operands = strdup(in->op_str),
	};
	struct kt_error *err = NULL;

	if (insn.operands && leads_away(handle, in))
		err = show_target(names, func, &insn);
	if (err) {
		free(insn.operation);
		free(insn.operands);
		return err;
	}
	return add(func, insn);
}

static struct kt_error *disassemble(const struct names *names, struct jited_func *func, csh handle,
				    cs_insn *in)
{
	/* Instructions of other machines than x86-64 have an alignment, which data keeps. */
	size_t step = !strcmp(names->jited->arch, "x86_64") ? 1 : 2;
	struct kt_error *err = NULL;
	size_t at = 0;

	while (at < func->len && !err) {
		const uint8_t *code = func->code + at;
		size_t left = func->len - at;
		uint64_t addr = func->addr + at;

		if (cs.disasm_iter(handle, &code, &left, &addr, in)) {
			err = add_insn(names, func, handle, in, at);
			at += in->size;
		} else {
			size_t n = left < step ? left : step;

			err = add_bytes(func, at, n);
			at += n;
		}
	}
	return err;
}

struct kt_error *machine_disassemble(struct jited *jited, machine_name_fn *name_of, void *arg,
				     bool *known_ret)
{
	const struct names names = {jited, name_of, arg};
	struct kt_error *err = NULL;
	cs_insn *in;
	csh handle;

	*known_ret = machine_load() && open_for(jited->arch, &handle);
	if (!*known_ret)
		return only_bytes(jited);
	in = cs.malloc(handle);
	if (!in)
		err = kt_error_no_memory();
	for (size_t i = 0; i < jited->funcs.len && !err; i++)
		err = disassemble(&names, &jited->funcs.data[i], handle, in);
	if (in)
		cs.free(in, 1);
	cs.close(&handle);
	return err;
}

#else

bool machine_load(void)
{
	return false;
}

struct kt_error *machine_disassemble(struct jited *jited, machine_name_fn *name_of, void *arg,
				     bool *known_ret)
{
	(void)name_of;
	(void)arg;
	*known_ret = false;
	return only_bytes(jited);
}

#endif
