/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The read-only data of a running kernel, of a few kilobytes: a banner, kallsyms, notes, BTF, in
 * this order and with nothing between notes and BTF, as RO_DATA has it (vmlinux.lds.h).
 */
#ifndef KT_TESTS_BTF_FAKE_MEMORY_H
#define KT_TESTS_BTF_FAKE_MEMORY_H

#include "btf/recover.h"
#include "tests/btf/fake_kernel.h"

#define FM_KASLR 0x1e600000ull

struct fm_options {
	enum kw_release release;
	bool big_endian;
	unsigned int pointer_size; /* 0: 8 */
	bool text_only;            /* no CONFIG_KALLSYMS_ALL */
	bool no_kallsyms, no_btf, no_notes;
	bool decoy; /* a vDSO's build ID before the kernel's */
	bool second_btf;
};

/* Where everything is, which the tests know from writing it. */
struct fm {
	struct kt_buf data;
	gaddr_t addr, text;
	size_t banner, kallsyms, notes, notes_len, btf, btf_len;
	struct fm_options o;
	struct recover_range range;
	struct recover_memory memory;
};

static inline void fm_btf(struct kt_buf *out, bool be)
{
	struct btf *btf = btf__new_empty();
	const void *data;
	uint32_t len;
	int id;

	btf__set_endianness(btf, be ? BTF_BIG_ENDIAN : BTF_LITTLE_ENDIAN);
	id = btf__add_int(btf, "unsigned int", 4, 0);
	btf__add_struct(btf, "bpf_prog", 16);
	btf__add_field(btf, "pages", id, 0, 0);
	btf__add_field(btf, "len", id, 64, 0);
	data = btf__raw_data(btf, &len);
	kt_buf_append(out, data, len);
	btf__free(btf);
}

static inline void fm_note(struct kt_buf *out, uint32_t type, uint8_t first, bool be)
{
	kw_uint(out, 4, 4, be);
	kw_uint(out, 20, 4, be);
	kw_uint(out, type, 4, be);
	kt_buf_append(out, "GNU", 4);
	for (uint8_t i = 0; i < 20; i++)
		kt_buf_appendc(out, (char)(first + i));
}

static inline void fm_align(struct kt_buf *out)
{
	while (out->len % 8)
		kt_buf_appendc(out, '\0');
}

/* One pass; the places of the one before are what the symbols say. */
static inline void fm_write(struct fm *m)
{
	gaddr_t base = m->addr;
	const struct kw_symbol all[] = {
		{m->text, 'T', "_text"},
		{m->text + 0x40, 'T', "_stext"},
		{m->text + 0x1000, 't', "twice"},
		{m->text + 0x2000, 't', "twice"},
		{base + m->banner, 'D', "linux_banner"},
		{base + m->notes, 'R', "__start_notes"},
		{base + m->notes + m->notes_len, 'R', "__stop_notes"},
		{base + m->btf, 'R', "__start_BTF"},
		{base + m->btf + m->btf_len, 'R', "__stop_BTF"},
		{base + 0x100000, 'd', "prog_idr"},
		{base + 0x100010, 'B', "vmcoreinfo_data"},
		{base + 0x100020, 'B', "vmcoreinfo_size"},
	};
	struct kw_options kw = {
		.release = m->o.release,
		.big_endian = m->o.big_endian,
		.pointer_size = m->o.pointer_size,
	};
	struct kt_buf *out = &m->data, tables = KT_BUF_INIT;
	bool be = m->o.big_endian;

	out->len = 0;
	kw_junk(out, 200);
	fm_align(out);
	if (m->o.decoy)
		fm_note(out, 3, 0x77, be);
	m->banner = out->len;
	kt_buf_append(out, FAKE_BANNER "\n", sizeof(FAKE_BANNER "\n"));
	fm_align(out);
	m->kallsyms = out->len;
	if (!m->o.no_kallsyms) {
		kw.addr = base + out->len;
		kw_write(&tables, &kw, all, m->o.text_only ? 4 : sizeof(all) / sizeof(*all));
		kt_buf_append(out, tables.data, tables.len);
		kt_buf_deinit(&tables);
	}
	kw_junk(out, 120);
	fm_align(out);
	m->notes = out->len;
	if (!m->o.no_notes) {
		fm_note(out, 6, 0x11, be);
		fm_note(out, 3, 0xb0, be);
	}
	m->notes_len = out->len - m->notes;
	m->btf = out->len;
	if (!m->o.no_btf)
		fm_btf(out, be);
	m->btf_len = out->len - m->btf;
	kw_junk(out, 100);
	fm_align(out);
	if (m->o.second_btf)
		fm_btf(out, be);
	fm_align(out);
}

static inline struct fm *fm_create(const struct fm_options *o)
{
	struct fm *m = calloc(1, sizeof(*m));

	m->o = *o;
	if (!m->o.pointer_size)
		m->o.pointer_size = 8;
	m->text = FAKE_TEXT + FM_KASLR;
	m->addr = FAKE_RODATA + FM_KASLR;
	if (m->o.pointer_size == 4) {
		m->text = 0xc1000000;
		m->addr = 0xc2000000;
	}
	fm_write(m);
	fm_write(m);
	m->range = (struct recover_range){(const uint8_t *)m->data.data, m->data.len, m->addr};
	m->memory = (struct recover_memory){
		.ranges = &m->range,
		.n = 1,
		.machine = m->o.pointer_size == 8 ? EM_X86_64 : EM_386,
		.big_endian = o->big_endian,
		.pointer_size = m->o.pointer_size,
	};
	return m;
}

static inline void fm_destroy(struct fm *m)
{
	kt_buf_deinit(&m->data);
	free(m);
}

#endif
