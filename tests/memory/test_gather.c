// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A kernel gathered out of text memory, whose guest is stopped and let go by a fake.
 *
 *	physical                     virtual
 *	0x0100_0000  text, 4 MiB     fm->text     2 MiB pages, executable
 *	0x0200_0000  rodata, 1 MiB   fm->addr     4 KiB pages
 *	0x0300_0000  data, a page    behind it    holds vmcoreinfo_data, vmcoreinfo_size
 *	0x0300_1000  vmcoreinfo      DIRECT + physical
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <unistd.h>

#include <cmocka.h>

#include "memory/gather.h"
#include "tests/btf/fake_memory.h"
#include "tests/memory/textmem.h"
#include "util/clock.h"

#define TABLES     UINT64_C(0x08000000)
#define TEXT       UINT64_C(0x01000000)
#define RODATA     UINT64_C(0x02000000)
#define DATA       UINT64_C(0x03000000)
#define INFO       UINT64_C(0x03001000)
#define DIRECT     UINT64_C(0xffff888000000000)
#define RODATA_LEN UINT64_C(0x100000)

struct world {
	struct textmem *mem;
	struct fm *fm;
	unsigned int levels;
	/* The fake that stops it. */
	bool stopped;
	size_t stops, rests;
	size_t fail_stop, fail_resume, cancel; /* at the n-th; 0: never */
	int64_t byte_ns;                       /* what reading a byte takes, by its own clock */
	int64_t stop_ns;                       /* what a stop takes, less than a second */
	size_t most, least;                    /* bytes that a stop read */
	void (*between)(struct world *w);      /* while it runs */
	struct gather_options options;
};

static struct kt_error *world_stop(void *context, struct source *source_ret)
{
	struct world *w = context;

	assert_false(w->stopped);
	if (++w->stops == w->fail_stop)
		return kt_error_new(KT_ERROR_CLOSED, "it hung up");
	w->stopped = true;
	*source_ret = textmem_source(w->mem);
	return NULL;
}

static struct kt_error *world_resume(void *context, int64_t *pause_ns_ret)
{
	struct world *w = context;

	assert_true(w->stopped);
	w->stopped = false;
	*pause_ns_ret = (int64_t)w->stops * 1000;
	if (w->stops == w->fail_resume)
		return kt_error_hint(kt_error_new(KT_ERROR_CLOSED, "cannot detach"),
				     "it may be stopped still");
	if (w->between)
		w->between(w);
	return NULL;
}

/* As slow as its world is. */
static struct kt_error *world_look(void *context, struct gmem_read *reads, size_t n,
				   struct gather_look *ret)
{
	struct world *w = context;
	struct source source;
	struct kt_error *err = world_stop(w, &source), *own;
	size_t bytes = 0;

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		bytes += reads[i].len;
	w->most = bytes > w->most ? bytes : w->most;
	w->least = !w->least || bytes < w->least ? bytes : w->least;
	err = source.read_physical(source.context, reads, n);
	own = world_resume(w, &ret->pause_ns);
	ret->read_ns = (int64_t)bytes * w->byte_ns;
	if (w->stop_ns)
		nanosleep(&(struct timespec){.tv_nsec = w->stop_ns}, NULL);
	return kt_error_join(err, own);
}

static struct kt_error *world_rest(void *context, int64_t ns)
{
	struct world *w = context;

	assert_false(w->stopped);
	assert_true(ns == (int64_t)w->stops * 1000);
	return ++w->rests == w->cancel ? kt_error_new(KT_ERROR_CANCELLED, "interrupted") : NULL;
}

/* The leaf of a page of 4 KiB or 2 MiB, as the kernel protects it. */
static void map_in(struct world *w, gaddr_t table, gaddr_t va, gaddr_t pa, unsigned int level,
		   bool ro, bool nx)
{
	uint64_t e = 0;

	textmem_map(w->mem, table, w->levels, va, pa, level);
	for (unsigned int l = w->levels;; l--) {
		gaddr_t at = table + (va >> (3 + 9 * l) & 511) * 8;

		assert_true(textmem_get(w->mem, at, &e, 8));
		if (l == level) {
			e = (e & ~(uint64_t)(ro ? 2 : 0)) | (uint64_t)nx << 63;
			textmem_put_uint(w->mem, at, e, 8);
			return;
		}
		table = e & UINT64_C(0x000ffffffffff000);
	}
}

static void map(struct world *w, gaddr_t va, gaddr_t pa, unsigned int level, bool ro, bool nx)
{
	map_in(w, TABLES, va, pa, level, ro, nx);
}

static void world_init(struct world *w, unsigned int levels, bool protect)
{
	*w = (struct world){
		.mem = textmem_create(),
		.fm = fm_create(&(struct fm_options){.release = KW_6_4, .decoy = true}),
		.levels = levels,
	};
	w->mem->next_table = TABLES + 0x10000;
	textmem_put(w->mem, TEXT, NULL, 0x400000);
	textmem_put(w->mem, RODATA, NULL, RODATA_LEN);
	textmem_put(w->mem, RODATA, w->fm->data.data, w->fm->data.len);
	textmem_printf(w->mem, "@%#llx 0 0 %#llx 0 %#llx\n", (unsigned long long)DATA,
		       (unsigned long long)(DIRECT + INFO), 200ull);
	textmem_printf(w->mem,
		       "@%#llx \"OSRELEASE=%s\" 0x0a/1 \"SYMBOL(_stext)=%llx\" 0x0a/1 "
		       "\"KERNELOFFSET=%llx\" 0x0a/1 +300\n",
		       (unsigned long long)INFO, FAKE_RELEASE,
		       (unsigned long long)w->fm->text + 0x40, FM_KASLR);
	for (uint64_t at = 0; at < 0x400000; at += 0x200000)
		map(w, w->fm->text + at, TEXT + at, 2, protect, false);
	for (uint64_t at = 0; at < RODATA_LEN; at += 0x1000)
		map(w, w->fm->addr + at, RODATA + at, 1, protect, protect);
	map(w, w->fm->addr + RODATA_LEN, DATA, 1, false, protect);
	map(w, DIRECT + INFO, INFO, 1, false, true);
	map(w, DIRECT + RODATA, RODATA, 2, true, true);
}

static void cpu(struct world *w, uint64_t cr3, bool user)
{
	textmem_printf(w->mem, "cpu cr0=0x80050033 cr3=%#llx cr4=%#x efer=0xd01 cs=%#x\n",
		       (unsigned long long)cr3, w->levels == 5 ? 0x16f0 : 0x6f0,
		       user ? 0x33 : 0x10);
}

static void world_deinit(struct world *w)
{
	assert_false(w->stopped);
	textmem_destroy(w->mem);
	fm_destroy(w->fm);
}

static struct kt_error *gather(struct world *w, int64_t stop_ns, struct gathered *ret)
{
	const struct gather_stops stops = {
		.context = w,
		.stop = world_stop,
		.resume = world_resume,
		.look = world_look,
		.rest = world_rest,
	};

	struct gather_options options = w->options;

	options.stop_ns = stop_ns;
	return gather_kernel(&stops, &options, ret);
}

/* It finds what was put there; gives the number of stops. */
static size_t found(struct world *w, int64_t stop_ns, bool offset_known)
{
	struct gathered g;
	struct kt_error *err = gather(w, stop_ns, &g);
	size_t stops;

	if (err)
		fail_msg("%s", kt_error_message(err));
	assert_string_equal(g.kernel.release, FAKE_RELEASE);
	assert_int_equal(g.kernel.machine, EM_X86_64);
	assert_true(g.kernel.text == w->fm->text && g.place.text == w->fm->text);
	assert_true(g.kernel.btf_addr == w->fm->addr + w->fm->btf);
	assert_memory_equal(g.kernel.btf, w->fm->data.data + w->fm->btf, w->fm->btf_len);
	assert_int_equal(g.kernel.build_id[0], 0xb0);
	assert_int_equal(g.place.offset_unknown, !offset_known);
	if (offset_known)
		assert_true(g.place.kaslr_offset == FM_KASLR);
	stops = g.stats.stops;
	assert_int_equal(stops, w->stops);
	assert_true(g.stats.longest_ns == (int64_t)stops * 1000);
	assert_true(g.stats.paused_ns == (int64_t)(stops * (stops + 1) / 2) * 1000);
	gathered_deinit(&g);
	world_deinit(w);
	return stops;
}

static void refused(struct world *w, int64_t stop_ns, enum kt_error_code code, const char *word)
{
	struct gathered g;
	struct kt_error *err = gather(w, stop_ns, &g);

	assert_non_null(err);
	if (kt_error_code(err) != code || !strstr(kt_error_message(err), word))
		fail_msg("%s", kt_error_message(err));
	kt_error_destroy(err);
	world_deinit(w);
}

static void test_found(void **state)
{
	struct world w;

	(void)state;
	for (unsigned int levels = 4; levels <= 5; levels++) {
		world_init(&w, levels, true);
		cpu(&w, TABLES, false);
		found(&w, INT64_C(1000000000), true);
		/* In user mode, without page-table isolation. */
		world_init(&w, levels, true);
		cpu(&w, TABLES, true);
		found(&w, 0, true);
		/* With it: the user's table has nothing of the kernel's. */
		world_init(&w, levels, true);
		textmem_put(w.mem, TABLES | 0x1000, NULL, 4096);
		cpu(&w, TABLES | 0x1000, true);
		cpu(&w, TABLES | 0x1000, true);
		found(&w, 0, true);
		/* rodata=off */
		world_init(&w, levels, false);
		cpu(&w, TABLES, false);
		found(&w, 0, true);
	}
}

/*
 * 64 KiB a stop. Where reading is slow, 32 KiB, and never less; where it is only the stops that are
 * slow, no less than 64.
 */
static void test_many_stops(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 4, true);
	cpu(&w, TABLES, false);
	assert_true(found(&w, 0, true) > RODATA_LEN / 65536);
	assert_int_equal(w.most, 65536);
	world_init(&w, 4, true);
	cpu(&w, TABLES, false);
	w.byte_ns = 1000;
	assert_true(found(&w, 0, true) > RODATA_LEN / 65536 * 2 - 2);
	assert_int_equal(w.most, 65536);
	/* The last one reads what is left. */
	assert_true(w.least > 0 && w.least <= 32768);
}

/* Where all of it would take too long, and not because of reading, stops read more. */
static void test_slow_stops(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 4, true);
	cpu(&w, TABLES, false);
	w.stop_ns = 4000000;
	w.options.total_ns = 1000000;
	assert_true(found(&w, 0, true) < 8);
	assert_true(w.most > 131072);
	/* But not if they read as slowly as that. */
	world_init(&w, 4, true);
	cpu(&w, TABLES, false);
	w.stop_ns = 4000000;
	w.byte_ns = 1000;
	w.options.total_ns = 1000000;
	assert_true(found(&w, 0, true) > RODATA_LEN / 65536 * 2 - 2);
}

static void test_vmcoreinfo(void **state)
{
	struct world w;

	(void)state;
	/* Not there, too long, or not mapped: then nobody told the offset. */
	world_init(&w, 4, true);
	textmem_put_uint(w.mem, DATA + 0x10, 0, 8);
	cpu(&w, TABLES, false);
	found(&w, 0, false);
	world_init(&w, 4, true);
	textmem_put_uint(w.mem, DATA + 0x20, 4097, 8);
	cpu(&w, TABLES, false);
	found(&w, 0, false);
	world_init(&w, 4, true);
	textmem_put_uint(w.mem, DATA + 0x10, DIRECT + 0x7000000, 8);
	cpu(&w, TABLES, false);
	found(&w, 0, false);
	/* That of another kernel. */
	world_init(&w, 4, true);
	textmem_printf(w.mem, "@%#llx \"OSRELEASE=6.99.2\"\n", (unsigned long long)INFO);
	cpu(&w, TABLES, false);
	refused(&w, 0, KT_ERROR_FORMAT, "6.99.2");
}

#define OTHER       UINT64_C(0x05000000) /* the read-only data of another kernel */
#define OTHER_TEXT  UINT64_C(0x05800000)
#define OTHER_TABLE (TABLES | 0x2000)

/* A table that maps that at the same place, in pages one behind the other, or in pairs swapped. */
static void map_other(struct world *w, bool scattered)
{
	textmem_put(w->mem, OTHER, NULL, RODATA_LEN);
	textmem_put(w->mem, OTHER_TEXT, NULL, 0x200000);
	map_in(w, OTHER_TABLE, w->fm->text, OTHER_TEXT, 2, true, false);
	for (uint64_t at = 0; at < RODATA_LEN; at += 0x1000)
		map_in(w, OTHER_TABLE, w->fm->addr + at, OTHER + (scattered ? at ^ 0x1000 : at), 1,
		       true, true);
}

/* A vCPU there that takes no interrupts, behind the byte of code. */
static void stopped_cpu(struct world *w, unsigned int code)
{
	textmem_put_uint(w->mem, OTHER_TEXT + 0x1233, code, 1);
	cpu(w, OTHER_TABLE, false);
	textmem_printf(w->mem, "eflags=2 rip=%#llx\n", (unsigned long long)w->fm->text + 0x1234);
}

/* What a crash kernel left behind is looked at last. */
static void test_stopped_for_good(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 4, true);
	map_other(&w, false);
	stopped_cpu(&w, 0xf4);
	cpu(&w, TABLES, false);
	found(&w, 0, true);
	/* An early kernel, which has nothing that is read-only yet. */
	world_init(&w, 4, false);
	map_other(&w, false);
	stopped_cpu(&w, 0xf4);
	cpu(&w, TABLES, false);
	found(&w, 0, true);
	/* The first few, and more, are stopped. */
	world_init(&w, 4, true);
	map_other(&w, false);
	for (int i = 0; i < 6; i++)
		stopped_cpu(&w, 0xf4);
	cpu(&w, TABLES, false);
	found(&w, 0, true);
	/* It has not halted: it runs. */
	world_init(&w, 4, true);
	map_other(&w, false);
	stopped_cpu(&w, 0x90);
	cpu(&w, TABLES, false);
	refused(&w, 0, KT_ERROR_NOT_FOUND, "Linux version");
	/* All are: there is nothing else, as in a guest that was halted. */
	world_init(&w, 4, true);
	map_other(&w, false);
	stopped_cpu(&w, 0xf4);
	refused(&w, 0, KT_ERROR_NOT_FOUND, "Linux version");
	/* Where that code would be, nothing is mapped. */
	world_init(&w, 4, true);
	cpu(&w, TABLES, false);
	textmem_text(w.mem, "eflags=2 rip=0");
	found(&w, 0, true);
}

/* It goes into a guest of the guest, and stays there. */
static void enters(struct world *w)
{
	w->mem->cpus[0].cr3 = OTHER_TABLE;
}

static void test_nested(void **state)
{
	struct world w;

	(void)state;
	/* Under shadow paging: the other kernel lies in pieces. */
	world_init(&w, 4, true);
	map_other(&w, true);
	cpu(&w, OTHER_TABLE, false);
	textmem_text(w.mem, "efer=0x1d01");
	cpu(&w, TABLES, false);
	textmem_text(w.mem, "efer=0x1d01");
	found(&w, 0, true);
	world_init(&w, 4, true);
	map_other(&w, true);
	cpu(&w, OTHER_TABLE, false);
	textmem_text(w.mem, "efer=0x1d01");
	refused(&w, 0, KT_ERROR_NESTED, "runs guests");
	/* Or in one; and its own map of what it takes for physical memory is none, or another. */
	for (int i = 0; i < 4; i++) {
		world_init(&w, i < 2 ? 4 : 5, true);
		map_other(&w, false);
		if (i % 2)
			for (gaddr_t gib = 0; gib < 3; gib++)
				map_in(&w, OTHER_TABLE, DIRECT + (gib << 30) + 0x1000000,
				       OTHER + gib * 0x200000, 2, true, true);
		cpu(&w, OTHER_TABLE, false);
		textmem_text(w.mem, "efer=0x1d01");
		if (i % 2) {
			refused(&w, 0, KT_ERROR_NESTED, "runs guests");
			continue;
		}
		cpu(&w, TABLES, false);
		textmem_text(w.mem, "efer=0x1d01");
		found(&w, 0, true);
	}
	/* Under nested paging: nothing is mapped. */
	world_init(&w, 4, true);
	textmem_put(w.mem, OTHER_TABLE, NULL, 4096);
	cpu(&w, OTHER_TABLE, false);
	textmem_text(w.mem, "cr4=0x26f0");
	refused(&w, 0, KT_ERROR_NESTED, "runs guests");
	/* Found; but never again out of it, when vmcoreinfo is asked for. */
	world_init(&w, 4, true);
	map_other(&w, true);
	w.between = enters;
	cpu(&w, TABLES, false);
	textmem_text(w.mem, "efer=0x1d01");
	refused(&w, 0, KT_ERROR_NESTED, "runs guests");
	/* Without guests, an image in pieces is as good. */
	world_init(&w, 4, true);
	map_other(&w, true);
	cpu(&w, OTHER_TABLE, false);
	refused(&w, 0, KT_ERROR_NOT_FOUND, "Linux version");
}

static void test_not_ready(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 4, true);
	textmem_text(w.mem, "cpu cr0=0x10 cr3=0 cr4=0 efer=0 cs=0xf000\n");
	refused(&w, 0, KT_ERROR_NOT_READY, "not in 64-bit mode");
	world_init(&w, 4, true);
	textmem_put(w.mem, 0x0a000000, NULL, 4096);
	cpu(&w, 0x0a000000, false);
	refused(&w, 0, KT_ERROR_NOT_READY, "none of its page tables");
	/* The table itself is where there is no memory. */
	world_init(&w, 4, true);
	cpu(&w, 0x7f000000, false);
	refused(&w, 0, KT_ERROR_NOT_READY, "none of its page tables");
}

/* Tables that lead to themselves, and tables whose every entry is the same one. */
static void test_odd_tables(void **state)
{
	struct world w;
	struct gathered g;
	struct kt_error *err;

	(void)state;
	world_init(&w, 4, true);
	textmem_put_uint(w.mem, TABLES + 511 * 8, TABLES | 0x67, 8);
	cpu(&w, TABLES, false);
	err = gather(&w, 0, &g);
	assert_non_null(err);
	kt_error_destroy(err);
	world_deinit(&w);

	for (int leaf = 0; leaf < 2; leaf++) {
		world_init(&w, 4, true);
		textmem_put_uint(w.mem, TABLES + 511 * 8, 0x0a000067, 8);
		textmem_put_uint(w.mem, 0x0a000000 + 510 * 8, 0x0a001067, 8);
		for (uint64_t i = 0; i < 512; i++) {
			textmem_put_uint(w.mem, 0x0a001000 + 8 * i,
					 leaf ? RODATA | 0xe1 | UINT64_C(1) << 63 : 0x0a002067, 8);
			textmem_put_uint(w.mem, 0x0a002000 + 8 * i,
					 RODATA | 0x61 | UINT64_C(1) << 63, 8);
		}
		textmem_put(w.mem, RODATA, NULL, 0x200000);
		cpu(&w, TABLES, false);
		err = gather(&w, INT64_C(1000000000), &g);
		assert_non_null(err);
		kt_error_destroy(err);
		/* 96 MiB at most, and page tables. */
		assert_true(w.mem->bytes < UINT64_C(3) * (100 << 20));
		world_deinit(&w);
	}
}

static void test_no_memory_there(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 4, true);
	map(&w, w.fm->addr + 0x8000, 0x7f000000, 1, true, true);
	cpu(&w, TABLES, false);
	refused(&w, 0, KT_ERROR_FAULT, "no memory");
}

/* Another kernel from the third stop on; none; and one that has not begun. */
static void wipe(struct world *w)
{
	if (w->stops == 1)
		textmem_put(w->mem, RODATA, NULL, RODATA_LEN);
}

static void forge(struct world *w)
{
	if (w->stops == 1)
		textmem_put_uint(w->mem, RODATA + w->fm->banner, 0x4141414141414141, 8);
}

static void test_guest_changes(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 4, true);
	cpu(&w, TABLES, false);
	w.between = wipe;
	refused(&w, 1, KT_ERROR_NOT_FOUND, "Linux version");
	world_init(&w, 4, true);
	cpu(&w, TABLES, false);
	w.between = forge;
	refused(&w, 0, KT_ERROR_FORMAT, "linux_banner");
}

/* Whatever fails, and whenever: the guest is let go, and asked for nothing after that. */
static void test_failures(void **state)
{
	struct world w;

	(void)state;
	for (size_t n = 1; n <= 3; n++) {
		world_init(&w, 4, true);
		cpu(&w, TABLES, false);
		w.fail_stop = n;
		refused(&w, INT64_C(1000000000), KT_ERROR_CLOSED, "hung up");
		world_init(&w, 4, true);
		cpu(&w, TABLES, false);
		w.fail_resume = n;
		refused(&w, INT64_C(1000000000), KT_ERROR_CLOSED, "cannot detach");
	}
	for (size_t n = 1; n <= 2; n++) {
		world_init(&w, 4, true);
		cpu(&w, TABLES, false);
		w.cancel = n;
		refused(&w, INT64_C(1000000000), KT_ERROR_CANCELLED, "interrupted");
	}
}

/* The guest may be left stopped, whatever else failed, and whatever the hint for that is. */
static void test_both_fail(void **state)
{
	for (int with_hint = 0; with_hint < 2; with_hint++) {
		struct gathered g;
		struct kt_error *err;
		struct world w;

		(void)state;
		world_init(&w, 4, true);
		if (with_hint)
			textmem_text(w.mem, "cpu cr0=0x10 cr3=0 cr4=0 efer=0 cs=0xf000\n");
		else
			cpu(&w, TABLES, false);
		if (!with_hint)
			map(&w, w.fm->addr + 0x8000, 0x7f000000, 1, true, true);
		w.fail_resume = with_hint ? 1 : 2;
		err = gather(&w, INT64_C(1000000000), &g);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err),
				 with_hint ? KT_ERROR_NOT_READY : KT_ERROR_CLOSED);
		assert_non_null(strstr(kt_error_message(err), "cannot detach"));
		assert_non_null(kt_error_hint_text(err));
		assert_string_equal(kt_error_hint_text(err), "it may be stopped still");
		kt_error_destroy(err);
		world_deinit(&w);
	}
}

/* --- interrupted, and gone on with --- */

/* Interrupted at the n-th rest; *kept is what it leaves. The world is gone then. */
static void interrupted(struct world *w, size_t n, struct kt_buf *kept)
{
	w->cancel = n;
	w->byte_ns = 1000;
	w->options.kept = kept;
	refused(w, 1, KT_ERROR_CANCELLED, "interrupted");
}

/* Finds the kernel with what is kept; gives the number of bytes that it read. */
static uint64_t found_with(struct world *w, struct kt_buf *kept)
{
	struct gathered g;
	struct kt_error *err;
	uint64_t bytes;

	w->options.kept = kept;
	err = gather(w, INT64_C(60000000000), &g);
	if (err)
		fail_msg("%s", kt_error_message(err));
	assert_memory_equal(g.kernel.btf, w->fm->data.data + w->fm->btf, w->fm->btf_len);
	assert_true(g.kernel.banner_addr == w->fm->addr + w->fm->banner);
	assert_memory_equal(g.kernel.banner, w->fm->data.data + w->fm->banner,
			    strlen(g.kernel.banner));
	assert_true(kept->len == 0);
	bytes = g.stats.bytes;
	gathered_deinit(&g);
	return bytes;
}

static void new_world(struct world *w)
{
	world_init(w, 4, true);
	cpu(w, TABLES, false);
}

/* In front of the bytes that are kept: three pieces, text, constants and data. */
#define KEPT_HEADER (12 + 3 * 25 + 8)

static void test_goes_on(void **state)
{
	struct kt_buf kept = KT_BUF_INIT;
	bool had_some = false;
	size_t before = 0;
	struct world w;

	(void)state;
	for (size_t n = 1; n <= 30; n++) {
		size_t had;

		new_world(&w);
		interrupted(&w, n, &kept);
		had = kept.len ? kept.len - KEPT_HEADER : 0;
		had_some |= had > 0;
		new_world(&w);
		assert_true(found_with(&w, &kept) == RODATA_LEN - had);
		/* The image and vmcoreinfo; what is left, if there is something; and the samples.
		 */
		assert_int_equal(w.stops, 2 + (RODATA_LEN - had + 65535) / 65536 + (had > 0));
		world_deinit(&w);
	}
	assert_true(had_some);
	/* Again and again: each try adds to what is there. */
	while (before < RODATA_LEN / 2) {
		new_world(&w);
		interrupted(&w, 8, &kept);
		assert_true(kept.len - KEPT_HEADER > before);
		before = kept.len - KEPT_HEADER;
	}
	new_world(&w);
	assert_true(found_with(&w, &kept) == RODATA_LEN - before);
	world_deinit(&w);
	kt_buf_deinit(&kept);
}

/* A try that comes to nothing before it reads leaves what is there; a kernel that is none does not.
 */
static void test_kept_or_not(void **state)
{
	struct kt_buf kept = KT_BUF_INIT;
	size_t len;
	struct world w;

	(void)state;
	new_world(&w);
	interrupted(&w, 20, &kept);
	len = kept.len;
	for (size_t n = 1; n <= 2; n++) {
		new_world(&w);
		w.options.kept = &kept;
		w.fail_stop = n;
		refused(&w, 0, KT_ERROR_CLOSED, "hung up");
		assert_int_equal(kept.len, len);
	}
	world_init(&w, 4, true);
	textmem_text(w.mem, "cpu cr0=0x10 cr3=0 cr4=0 efer=0 cs=0xf000\n");
	w.options.kept = &kept;
	refused(&w, 0, KT_ERROR_NOT_READY, "not in 64-bit mode");
	assert_int_equal(kept.len, len);
	new_world(&w);
	w.options.kept = &kept;
	textmem_put(w.mem, RODATA, NULL, RODATA_LEN);
	refused(&w, 0, KT_ERROR_NOT_FOUND, "Linux version");
	assert_int_equal(kept.len, 0);
	kt_buf_deinit(&kept);
}

/* What the fake kernel leaves free of its constants. */
static void fill(struct world *w, int byte)
{
	static uint8_t page[0x1000];

	memset(page, byte, sizeof(page));
	for (uint64_t at = (w->fm->data.len + 0xfff) & ~UINT64_C(0xfff); at < RODATA_LEN;
	     at += sizeof(page))
		textmem_put(w->mem, RODATA + at, page, sizeof(page));
}

/* Two kernels are never mixed: with other bytes, or at another place, all is read again. */
static void test_another_kernel(void **state)
{
	struct kt_buf kept = KT_BUF_INIT;
	struct world w;

	(void)state;
	new_world(&w);
	fill(&w, 1);
	interrupted(&w, 20, &kept);
	/* The same pages, and another kernel in them. */
	new_world(&w);
	fm_destroy(w.fm);
	w.fm = fm_create(&(struct fm_options){.release = KW_6_4, .second_btf = true});
	textmem_put(w.mem, RODATA, NULL, RODATA_LEN);
	textmem_put(w.mem, RODATA, w.fm->data.data, w.fm->data.len);
	fill(&w, 2);
	assert_true(found_with(&w, &kept) == RODATA_LEN);
	world_deinit(&w);
	/* The same kernel, one page of it elsewhere. */
	new_world(&w);
	interrupted(&w, 20, &kept);
	new_world(&w);
	textmem_put(w.mem, 0x7000000, NULL, 0x1000);
	map(&w, w.fm->addr + RODATA_LEN - 0x1000, 0x7000000, 1, true, true);
	assert_true(found_with(&w, &kept) == RODATA_LEN);
	world_deinit(&w);
	kt_buf_deinit(&kept);
}

/* The file of the cache may say anything: it is passed over, or it is proved. */
static void test_odd_kept(void **state)
{
	struct kt_buf kept = KT_BUF_INIT, odd = KT_BUF_INIT;
	struct world w;

	(void)state;
	new_world(&w);
	interrupted(&w, 20, &kept);
	for (size_t i = 0; i < 2 * KEPT_HEADER; i++) {
		size_t at = i / 2;

		kt_buf_append(&odd, kept.data, i % 2 ? kept.len : at);
		if (i % 2)
			odd.data[at] = (char)(odd.data[at] ^ 0xff);
		new_world(&w);
		assert_true(found_with(&w, &odd) == RODATA_LEN);
		world_deinit(&w);
		kt_buf_deinit(&odd);
	}
	kt_buf_deinit(&kept);
}

/* --- recognised --- */

static struct record_known known_of(const struct world *w)
{
	struct record_known known = {
		.key = {"the guest's"},
		.machine = EM_X86_64,
		.notes = w->fm->addr + w->fm->notes - w->fm->text,
		.notes_len = w->fm->notes_len,
		.build_id_len = 20,
	};

	for (uint8_t i = 0; i < 20; i++)
		known.build_id[i] = (uint8_t)(0xb0 + i);
	return known;
}

static void test_recognised(void **state)
{
	struct record_known known[4];
	struct gathered g;
	struct world w;

	(void)state;
	new_world(&w);
	for (size_t i = 0; i < 4; i++)
		known[i] = known_of(&w);
	known[0].build_id[19] ^= 1;
	known[1].notes += 4;
	known[2].notes = UINT64_C(1) << 40;
	w.options.known = known;
	w.options.n_known = 4;
	assert_null(gather(&w, 0, &g));
	assert_ptr_equal(g.known, &known[3]);
	assert_int_equal(w.stops, 1);
	assert_int_equal(g.stats.stops, 1);
	gathered_deinit(&g);
	world_deinit(&w);
	/* None of them. */
	new_world(&w);
	known[3].machine = EM_AARCH64;
	w.options.known = known;
	w.options.n_known = 4;
	found(&w, 0, true);
}

/* --- progress --- */

static void take_progress(void *context, uint64_t done, uint64_t all)
{
	uint64_t *before = context;

	assert_true(done >= *before && done <= all && all == RODATA_LEN);
	*before = done;
}

static void test_progress(void **state)
{
	uint64_t done = 0;
	struct world w;

	(void)state;
	new_world(&w);
	w.options.progress = take_progress;
	w.options.context = &done;
	found(&w, 1, true);
	assert_true(done == RODATA_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),           cmocka_unit_test(test_many_stops),
		cmocka_unit_test(test_slow_stops),      cmocka_unit_test(test_vmcoreinfo),
		cmocka_unit_test(test_not_ready),       cmocka_unit_test(test_stopped_for_good),
		cmocka_unit_test(test_nested),          cmocka_unit_test(test_odd_tables),
		cmocka_unit_test(test_no_memory_there), cmocka_unit_test(test_guest_changes),
		cmocka_unit_test(test_failures),        cmocka_unit_test(test_both_fail),
		cmocka_unit_test(test_goes_on),         cmocka_unit_test(test_kept_or_not),
		cmocka_unit_test(test_another_kernel),  cmocka_unit_test(test_odd_kept),
		cmocka_unit_test(test_recognised),      cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests_name("memory: gathering a kernel", tests, NULL, NULL);
}
