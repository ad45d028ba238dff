// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Everything in a guest's memory is hostile: a synthetic kernel (tests/introspect/synth.h)
 * with the input's patches on top is located, walked and rendered.
 *
 * The input's first two bytes choose the shape of the guest; then come patches of 12 bytes:
 * a page of those that there are (2), an offset in it (2), a value (8), of which the lowest
 * two bits of the offset say what it is: 8 bytes as they are, 4 bytes, a pointer to a page of
 * the guest, or an entry of a page table that leads to one. So an input reaches deep without
 * having to guess addresses.
 *
 *	make fuzz; build/fuzz/fuzz/fuzz_guest -rss_limit_mb=1024 -timeout=10 CORPUS
 */
#include "render/programs.h"
#include "tests/introspect/synth.h"
#include "util/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATCH_SIZE 12

/* The pages that a patch may hit, in the order that the synthetic kernel made them. */
struct pages {
	gaddr_t all[512];
	size_t n;
};

static int by_address(const void *a, const void *b)
{
	const gaddr_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void pages_collect(struct pages *pages, const struct textmem *m)
{
	for (size_t i = 0; i < TEXTMEM_SLOTS && pages->n < 512; i++)
		if (m->slots[i])
			pages->all[pages->n++] = m->slots[i]->addr;
	qsort(pages->all, pages->n, sizeof(pages->all[0]), by_address);
}

static void patch(struct synth *s, const struct pages *pages, struct kt_cursor *c)
{
	gaddr_t page = pages->all[kt_cursor_u16(c) % pages->n];
	uint16_t offset = kt_cursor_u16(c);
	uint64_t value = kt_cursor_u64(c);
	gaddr_t target = pages->all[(value >> 16) % pages->n];
	gaddr_t at = page + (offset & 0xffc);

	if (c->failed)
		return;
	switch (offset & 3) {
	case 0: textmem_put_uint(s->mem, at, value, 8); break;
	case 1: textmem_put_uint(s->mem, at, value, 4); break;
	case 2: textmem_put_uint(s->mem, at, synth_va(target) + (value & 0xfff), 8); break;
	default: textmem_put_uint(s->mem, at, target | (value & 0xfff), 8); break;
	}
}

static void kernel(struct synth *s, uint16_t shape)
{
	synth_init(s, shape & 1 ? SYNTH_KASLR : 0);
	for (uint32_t id = 1; id <= (shape >> 4 & 7); id++) {
		struct synth_prog p = synth_prog(s, id);

		synth_maps(s, &p, shape >> 7 & 3, id);
		synth_funcs(s, &p, shape >> 9 & 3);
		if (shape & 2)
			synth_btf(s, &p, "a_name_of_more_than_fifteen");
	}
	if (shape & 4)
		s->facts.kernel.build_id_len = 0;
	synth_cpu(s);
	if (shape & 8) { /* in user mode, under PTI */
		s->mem->cpus[0].cs = 0x33;
		s->mem->cpus[0].cr3 |= 0x1000;
	}
}

static void render(struct programs *programs)
{
	const struct render_guest guest = {.release = "6", .arch = "x86_64"};
	const char *columns = "id,type,name,full_name,tag,insns,jited,loaded,maps";
	char *text;

	if (render_programs_sort(programs, "full_name"))
		abort();
	if (render_programs_table(programs, columns, 80, true, &text))
		abort();
	free(text);
	if (render_programs_csv(programs, columns, &text))
		abort();
	free(text);
	if (render_programs_json(programs, &guest, &text))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_cursor c = kt_cursor(data, size, false);
	struct bpf_progs *progs = NULL;
	struct programs programs = {0};
	struct pages pages = {.n = 0};
	struct guest *guest = NULL;
	struct kt_error *err;
	struct synth s;

	kernel(&s, kt_cursor_u16(&c));
	pages_collect(&pages, s.mem);
	while (!c.failed && c.len - c.pos >= PATCH_SIZE)
		patch(&s, &pages, &c);
	err = synth_guest(&s, &guest);
	if (!err)
		err = bpf_progs_read(guest, &progs);
	if (!err)
		err = bpf_progs_finish(progs, &s.facts, &programs);
	if (!err)
		render(&programs);
	kt_error_destroy(err);
	programs_deinit(&programs);
	bpf_progs_destroy(progs);
	guest_destroy(guest);
	synth_deinit(&s);
	return 0;
}
