// SPDX-License-Identifier: LGPL-2.1-or-later
/* Who holds objects of a synthetic kernel, whose memory may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/bpf_holders.h"
#include "tests/introspect/spoil.h"
#include "tests/introspect/tasks.h"

/* Offsets in the image where synth.h has nothing. */
#define FS_TYPE 0x0b00400
#define NSPROXY 0x0b00500

enum { PROG_FOPS, MAP_FOPS, LINK_FOPS, BTF_FOPS, PROG_IOPS, MAP_IOPS, LINK_IOPS, N_OPS };
static const char *const ops[N_OPS] = {
	"bpf_prog_fops", "bpf_map_fops", "bpf_link_fops", "btf_fops",
	"bpf_prog_iops", "bpf_map_iops", "bpf_link_iops",
};

static gaddr_t first_ns;       /* the initial mount namespace */
static struct synth_prog prog; /* ID 5 */
static gaddr_t map;            /* ID 7 */

static const struct {
	const char *type, *path;
	uint32_t offset, size;
} members[] = {
	{"bpf_link", "id", 8, 4},
	{"file_system_type", "fs_supers.first", 8, 8},
	{"super_block", "s_instances", 8, 16},
	{"super_block", "s_instances.next", 8, 8},
	{"super_block", "s_root", 24, 8},
	{"super_block", "s_mounts", 32, 16},
	{"super_block", "s_mounts.next", 32, 8},
	{"mount", "mnt_parent", 0, 8},
	{"mount", "mnt_mountpoint", 8, 8},
	{"mount", "mnt", 16, 16},
	{"mount", "mnt.mnt_root", 16, 8},
	{"mount", "mnt_ns", 32, 8},
	{"mount", "mnt_instance", 40, 16},
	{"mount", "mnt_instance.next", 40, 8},
	{"nsproxy", "mnt_ns", 8, 8},
	{"dentry", "d_parent", 0, 8},
	{"dentry", "d_name.name", 8, 8},
	{"dentry", "d_hash.pprev", 16, 8},
	{"dentry", "d_inode", 24, 8},
	{"dentry", "d_child", 32, 16},
	{"dentry", "d_child.next", 32, 8},
	{"dentry", "d_subdirs", 48, 16},
	{"dentry", "d_subdirs.next", 48, 8},
	{"inode", "i_op", 0, 8},
	{"inode", "i_private", 8, 8},
};

static void set(const char *type, const char *path, gaddr_t at, uint64_t value)
{
	synth_set(&s, type, path, at, value);
}

static int setup_holders(void **state)
{
	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	setup_tasks(ops, N_OPS);
	fake_symbol(&s.facts, "bpf_fs_type", SYNTH_TEXT + FS_TYPE);
	fake_symbol(&s.facts, "init_nsproxy", SYNTH_TEXT + NSPROXY);
	set("file_system_type", "fs_supers.first", SYNTH_IMAGE + FS_TYPE, 0);
	first_ns = synth_va(synth_alloc(&s, 16));
	set("nsproxy", "mnt_ns", SYNTH_IMAGE + NSPROXY, first_ns);
	prog = synth_prog(&s, 5);
	map = synth_alloc(&s, 32);
	set("bpf_map", "id", map, 7);
	return 0;
}

/* --- processes --- */

static struct kt_error *try_read(struct holdings *ret)
{
	struct guest *guest;
	struct kt_error *err;

	synth_cpu(&s);
	err = synth_guest(&s, &guest);
	if (err)
		return err;
	err = bpf_holders_read(guest, ret);
	guest_destroy(guest);
	return err;
}

static struct holdings read_all(void)
{
	struct holdings out = {0};
	struct kt_error *err = try_read(&out);

	if (err)
		fail_msg("%s", kt_error_message(err));
	return out;
}

/* "5:1(init)3 5:1(init)4": of one kind, each descriptor in its place. */
static void assert_fds(const struct holdings *all, enum held_kind kind, const char *wanted)
{
	char text[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < all->n_fds; i++) {
		const struct held_fd *fd = &all->fds[i];

		if (fd->of.kind == kind)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u:%u(%s)%u",
						len ? " " : "", fd->of.id, fd->pid, fd->comm,
						fd->fd);
	}
	assert_string_equal(text, wanted);
}

static void test_processes(void **state)
{
	struct table shared = put_table(64), own = put_table(64), large = put_table(1024);
	gaddr_t file = put_file(PROG_FOPS, prog.prog), other = put_file(N_OPS, map);
	gaddr_t link = synth_alloc(&s, 96), btf = synth_alloc(&s, 80);
	struct holdings all;
	struct held held;

	(void)state;
	set("bpf_link", "id", link, 9);
	set("btf", "id", btf, 11);
	put_fd(&shared, 3, file);
	put_fd(&shared, 4, other); /* no BPF object's */
	put_fd(&shared, 63, put_file(LINK_FOPS, link));
	put_fd(&own, 3, file); /* the same file */
	put_fd(&own, 0, put_file(MAP_FOPS, map));
	put_fd(&large, 5, put_file(BTF_FOPS, btf));
	put_fd(&large, 1000, put_file(MAP_FOPS, map));
	put_task(1, 1, shared.files, "init");
	put_task(2, 1, shared.files, "thread");
	put_task(3, 1, own.files, "apart");
	put_task(10, 10, shared.files, "sixteen_letters_");
	put_task(20, 20, large.files, "large");
	put_task(30, 30, 0, "ending");
	put_task(31, 30, own.files, "left");
	all = read_all();
	assert_true(all.fds_known && all.pins_known);
	assert_int_equal(all.n_unread, 0);
	assert_fds(&all, HELD_PROG, "5:1(init)3 5:10(sixteen_letters)3 5:30(ending)3");
	assert_fds(&all, HELD_MAP, "7:1(init)0 7:20(large)1000 7:30(ending)0");
	assert_fds(&all, HELD_LINK, "9:1(init)63 9:10(sixteen_letters)63");
	assert_fds(&all, HELD_BTF, "11:20(large)5");
	held = holdings_of(&all, (struct held_object){HELD_MAP, 7});
	assert_int_equal(held.n_fds, 3);
	assert_int_equal(held.fds[0].pid, 1);
	held = holdings_of(&all, (struct held_object){HELD_MAP, UINT32_MAX});
	assert_true(held.fds_known && !held.n_fds && !held.n_pins);
	holdings_deinit(&all);
}

/* Each is left out, or read as far as it goes; the rest is as it should be. */
static void test_broken_tables(void **state)
{
	struct table good = put_table(64), wild = put_table(64), gone = put_table(64);
	struct table no_slots = put_table(64), no_bitmap = put_table(512), lost = put_table(64);
	gaddr_t task;
	struct holdings all;

	(void)state;
	put_fd(&good, 3, put_file(MAP_FOPS, map));
	put_fd(&good, 4, NOWHERE);
	put_fd(&good, 5, put_file(MAP_FOPS, 0));
	put_fd(&good, 6, put_file(PROG_FOPS, synth_alloc(&s, 64))); /* has no aux */
	put_fd(&good, 7, put_file(LINK_FOPS, synth_alloc(&s, 96))); /* of ID 0 */
	/* Its bitmap is beyond all there is. */
	set("fdtable", "max_fds", wild.fdt, UINT32_MAX);
	set("fdtable", "open_fds", wild.fdt, NOWHERE);
	set("files_struct", "fdt", gone.files, NOWHERE);
	set("fdtable", "fd", no_slots.fdt, NOWHERE);
	set("fdtable", "open_fds", no_bitmap.fdt, NOWHERE);
	set("files_struct", "fdt", lost.files, 0);
	put_task(1, 1, good.files, "good");
	put_task(2, 2, wild.files, "wild");
	put_task(3, 3, gone.files, "gone");
	put_task(4, 4, no_slots.files, "no_slots");
	put_task(5, 5, no_bitmap.files, "no_bitmap");
	put_task(6, 6, lost.files, "lost");
	task = put_task(7, 7, good.files, "");
	textmem_put(s.mem, task + 8, "\033[31m\n\xff\x9b", 8);
	textmem_put_uint(s.mem, pids + 40 + 8 * 8, NOWHERE, 8); /* no pid is there */
	put_task(9, 4000000000u, good.files, "orphan");
	all = read_all();
	assert_fds(&all, HELD_MAP, "7:1(good)3 7:7(\033[31m\n\xff\x9b)3 7:4000000000()3");
	assert_fds(&all, HELD_PROG, "");
	assert_fds(&all, HELD_LINK, "");
	assert_int_equal(all.n_unread, 6);
	holdings_deinit(&all);
}

/* A bitmap that says that each of a million descriptors is open, of many tables. */
static void test_too_many(void **state)
{
	struct holdings all;

	(void)state;
	for (uint32_t id = 1; id < 64; id++) {
		struct table t = put_table(64);

		put_task(id, id, t.files, "many");
		set("fdtable", "max_fds", t.fdt, 1 << 20);
		/* The whole heap has nothing else that is this large: the image, which is not 0. */
		set("fdtable", "open_fds", t.fdt, SYNTH_TEXT + s.kaslr);
	}
	textmem_put_uint(s.mem, SYNTH_IMAGE, UINT64_MAX, 8);
	for (gaddr_t at = 0; at < (1 << 20) / 8; at += 8)
		textmem_put_uint(s.mem, SYNTH_IMAGE + at, UINT64_MAX, 8);
	all = read_all();
	assert_int_equal(all.n_fds, 0);
	assert_int_equal(all.n_unread, 63);
	holdings_deinit(&all);
}

/* --- bpffs --- */

/* Empty lists. */
static gaddr_t put_super(gaddr_t root)
{
	gaddr_t super = synth_alloc(&s, 64);

	set("super_block", "s_root", super, synth_va(root));
	set("super_block", "s_mounts.next", super, synth_va(super) + 32);
	return super;
}

static void add_super(gaddr_t super)
{
	uint64_t first = 0;
	struct gmem_read read = {SYNTH_IMAGE + FS_TYPE + 8, 8, &first, false};

	assert_null(textmem_read_physical(s.mem, &read, 1));
	set("super_block", "s_instances.next", super, first);
	set("file_system_type", "fs_supers.first", SYNTH_IMAGE + FS_TYPE, synth_va(super) + 8);
}

static gaddr_t put_dentry(gaddr_t parent, const char *name, gaddr_t inode)
{
	gaddr_t dentry = synth_alloc(&s, 64), text = synth_alloc(&s, strlen(name) + 1);
	uint64_t next = 0;
	struct gmem_read read = {parent + 48, 8, &next, false};

	textmem_put(s.mem, text, name, strlen(name));
	set("dentry", "d_parent", dentry, synth_va(parent ? parent : dentry));
	set("dentry", "d_name.name", dentry, synth_va(text));
	set("dentry", "d_hash.pprev", dentry, parent ? 1 : 0);
	set("dentry", "d_inode", dentry, inode ? synth_va(inode) : 0);
	set("dentry", "d_subdirs.next", dentry, synth_va(dentry) + 48);
	if (!parent)
		return dentry;
	assert_null(textmem_read_physical(s.mem, &read, 1));
	set("dentry", "d_child.next", dentry, next);
	set("dentry", "d_subdirs.next", parent, synth_va(dentry) + 32);
	return dentry;
}

static gaddr_t put_inode(int op, gaddr_t object)
{
	gaddr_t inode = synth_alloc(&s, 32);

	set("inode", "i_op", inode, OPS + s.kaslr + 16 * (unsigned int)op);
	set("inode", "i_private", inode, synth_va(object));
	return inode;
}

/* A mount of that part of a superblock. */
static gaddr_t put_mount(gaddr_t super, gaddr_t root, gaddr_t ns)
{
	gaddr_t mount = synth_alloc(&s, 64);
	uint64_t next = 0;
	struct gmem_read read = {super + 32, 8, &next, false};

	assert_null(textmem_read_physical(s.mem, &read, 1));
	set("mount", "mnt_parent", mount, synth_va(mount));
	set("mount", "mnt.mnt_root", mount, synth_va(root));
	set("mount", "mnt_ns", mount, ns);
	set("mount", "mnt_instance.next", mount, next);
	set("super_block", "s_mounts.next", super, synth_va(mount) + 40);
	return mount;
}

static void assert_pins(const struct holdings *all, const char *wanted)
{
	char text[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < all->n_pins; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d:%u %s",
					len ? ", " : "", (int)all->pins[i].of.kind,
					all->pins[i].of.id, all->pins[i].path);
	assert_string_equal(text, wanted);
}

static void test_pins(void **state)
{
	gaddr_t root = put_dentry(0, "/", 0), other = put_dentry(0, "/", 0);
	gaddr_t super = put_super(root), contained = put_super(other), unmounted = put_super(other);
	gaddr_t dir = put_dentry(root, "dir", put_inode(N_OPS, map)), gone;
	gaddr_t base = put_dentry(0, "/", 0), place = put_dentry(base, "bpf", 0), mount, below;
	struct holdings all;

	(void)state;
	put_dentry(root, "prog", put_inode(PROG_IOPS, prog.prog));
	put_dentry(dir, "map", put_inode(MAP_IOPS, map));
	put_dentry(dir, "again", put_inode(MAP_IOPS, map));
	put_dentry(root, "negative", 0);
	gone = put_dentry(root, "gone", put_inode(MAP_IOPS, map));
	set("dentry", "d_hash.pprev", gone, 0);
	put_dentry(other, "map", put_inode(MAP_IOPS, map));
	below = put_mount(super, base, first_ns); /* is not bpffs: what the others are mounted on */
	set("super_block", "s_mounts.next", super, synth_va(super) + 32);
	mount = put_mount(super, root, first_ns);
	set("mount", "mnt_parent", mount, synth_va(below));
	set("mount", "mnt_mountpoint", mount, synth_va(place));
	put_mount(super, dir, first_ns); /* of a part, at the top of everything */
	put_mount(super, root, first_ns + 16);
	put_mount(contained, other, first_ns + 16);
	add_super(super);
	add_super(contained);
	add_super(unmounted);
	all = read_all();
	/* The root of `unmounted` is that of another one. */
	assert_int_equal(all.n_unread, 1);
	assert_pins(&all,
		    "0:5 /bpf/prog, 1:7 /again, 1:7 /bpf/dir/again, 1:7 /bpf/dir/map, 1:7 /map");
	holdings_deinit(&all);
}

static void test_circles(void **state)
{
	gaddr_t root = put_dentry(0, "/", 0), super = put_super(root), lost = put_super(root);
	gaddr_t first = put_dentry(root, "first", put_inode(MAP_IOPS, map)), dir, mount;
	struct holdings all;

	(void)state;
	/* Children that follow each other, and a directory in itself. */
	set("dentry", "d_child.next", first, synth_va(first) + 32);
	dir = put_dentry(root, "dir", 0);
	set("dentry", "d_subdirs.next", dir, synth_va(dir) + 32);
	set("dentry", "d_subdirs.next", put_dentry(root, "wild", 0), NOWHERE);
	mount = put_mount(super, root, first_ns);
	set("mount", "mnt_instance.next", mount, synth_va(mount) + 40);
	add_super(lost);
	add_super(super);
	set("super_block", "s_root", lost, NOWHERE);
	set("super_block", "s_mounts.next", lost, NOWHERE);
	set("super_block", "s_instances.next", lost, synth_va(super) + 8);
	all = read_all();
	assert_pins(&all, "1:7 /first");
	assert_int_equal(all.n_unread, 7);
	holdings_deinit(&all);
}

/* A kernel that leaves those symbols out of its list. */
static void test_no_bpffs(void **state)
{
	struct table t = put_table(64);
	struct kt_error *err;
	struct holdings all;

	(void)state;
	put_fd(&t, 3, put_file(MAP_FOPS, map));
	put_task(1, 1, t.files, "init");
	fake_drop(&s.facts, KFACTS_SYMBOL, "bpf_map_iops", NULL);
	all = read_all();
	assert_true(all.fds_known && !all.pins_known);
	assert_fds(&all, HELD_MAP, "7:1(init)3");
	holdings_deinit(&all);
	assert_null(bpf_holders_check(&s.facts));
	fake_drop(&s.facts, KFACTS_SYMBOL, "init_pid_ns", NULL);
	err = bpf_holders_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
}

/* --- each word spoiled --- */

static void make_everything(void)
{
	struct table shared = put_table(64), large = put_table(512);
	gaddr_t root = put_dentry(0, "/", 0), super = put_super(root);

	put_fd(&shared, 3, put_file(PROG_FOPS, prog.prog));
	put_fd(&large, 500, put_file(MAP_FOPS, map));
	put_task(1, 1, shared.files, "init");
	put_task(2, 1, large.files, "thread");
	put_dentry(put_dentry(root, "dir", 0), "map", put_inode(MAP_IOPS, map));
	put_dentry(root, "prog", put_inode(PROG_IOPS, prog.prog));
	put_mount(super, root, first_ns);
	add_super(super);
}

static bool reads_spoiled(void)
{
	struct holdings all = {0};
	struct kt_error *err = try_read(&all);
	bool read = !err;

	assert_true(all.n_fds <= 64 && all.n_pins <= 64);
	kt_error_destroy(err);
	holdings_deinit(&all);
	return read;
}

static void test_each_word(void **state)
{
	(void)state;
	spoil_each_word(setup_holders, make_everything, reads_spoiled, 81);
}

#define TEST_HOLDERS(name) cmocka_unit_test_setup_teardown(name, setup_holders, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_HOLDERS(test_processes), TEST_HOLDERS(test_broken_tables),
		TEST_HOLDERS(test_too_many),  TEST_HOLDERS(test_pins),
		TEST_HOLDERS(test_circles),   TEST_HOLDERS(test_no_bpffs),
		TEST_HOLDERS(test_each_word),
	};

	return cmocka_run_group_tests_name("introspect/bpf_holders", tests, NULL, NULL);
}
