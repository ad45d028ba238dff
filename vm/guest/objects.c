// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Loads BPF objects as veristat does: each program from a freshly opened object in which
 * it is the only one to be loaded, so that one that the verifier rejects takes no other
 * with it.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/fdpass.h"
#include "vm/frame.h"
#include "vm/guest/guest.h"

/*
 * A rejected program's log can have 16 MB, and the serial port is slow. A reader needs its
 * beginning and its end.
 */
#define LOG_HEAD (128u << 10)
#define LOG_TAIL (256u << 10)

/*
 * Room for the kernel's log. libbpf's own buffer would double, with one more verification
 * each time, until everything fits: minutes under TCG, and 100 MB for what is cut anyway.
 */
#define LOG_BUF (16u << 20)

#define LOG_LEVEL_STATS 4 /* BPF_LOG_STATS, a name that the UAPI keeps to itself */

/* libbpf's messages since the last reset. Its print function has no context pointer. */
static struct kt_buf captured;

/* If a program is loaded twice: libbpf's bounded messages of the first time. */
static struct kt_buf earlier;
static uint32_t earlier_dropped;

__attribute__((format(printf, 2, 0))) static int capture(enum libbpf_print_level level,
							 const char *fmt, va_list ap)
{
	if (level != LIBBPF_DEBUG)
		kt_buf_vprintf(&captured, fmt, ap);
	return 0;
}

static void capture_reset(void)
{
	kt_buf_deinit(&captured);
	captured = (struct kt_buf)KT_BUF_INIT;
}

/* Leaves lines out of the middle of a big log, and puts a line there that says so. */
static uint32_t bound_log(struct kt_buf *log)
{
	struct kt_buf bounded = KT_BUF_INIT;
	const char *head_end, *tail;
	size_t dropped;

	if (log->len <= LOG_HEAD + LOG_TAIL)
		return 0;
	head_end = memrchr(log->data, '\n', LOG_HEAD);
	head_end = head_end ? head_end + 1 : log->data + LOG_HEAD;
	tail = memchr(log->data + log->len - LOG_TAIL, '\n', LOG_TAIL - 1);
	tail = tail ? tail + 1 : log->data + log->len - LOG_TAIL;
	dropped = (size_t)(tail - head_end);
	kt_buf_append(&bounded, log->data, (size_t)(head_end - log->data));
	kt_buf_printf(&bounded, "[... %zu bytes of this log were left out here ...]\n", dropped);
	kt_buf_append(&bounded, tail, (size_t)(log->data + log->len - tail));
	kt_buf_deinit(log);
	*log = bounded;
	return (uint32_t)dropped;
}

/* libbpf's own error numbers are no errno. Its messages say what they mean. */
static int32_t plain_errno(int err)
{
	if (err < __LIBBPF_ERRNO__START)
		return err;
	return err <= LIBBPF_ERRNO__ENDIAN ? ENOEXEC : EINVAL;
}

static void report(struct kt_prog_record *record)
{
	struct kt_buf payload = KT_BUF_INIT;

	record->error = plain_errno(record->error);
	if (record->error) {
		record->log_dropped = earlier_dropped + bound_log(&captured);
		kt_buf_append(&earlier, captured.data, captured.len);
		if (earlier.failed)
			die("out of memory");
		record->log = earlier.data;
		record->log_len = earlier.len;
	}
	kt_prog_record_encode(&payload, record);
	if (payload.failed)
		die("out of memory");
	channel_send(KT_FRAME_PROG, payload.data, payload.len);
	kt_buf_deinit(&payload);
	kt_buf_deinit(&earlier);
	earlier = (struct kt_buf)KT_BUF_INIT;
}

/*
 * libbpf 1.4 and later loads every program that a struct_ops map refers to, whatever
 * autoload says. Clears the map's other function pointers: its initial value holds them as
 * struct bpf_program *. Older libraries have no such value, and no such habit.
 */
static void mask_other_ops(struct bpf_object *obj, struct bpf_map *map,
			   const struct bpf_program *prog)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	size_t size = 0;
	char *value = (char *)bpf_map__initial_value(map, &size); /* const until libbpf 1.4 */

	if (!value || !t || !btf_is_struct(t))
		return;
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *member = &btf_members(t)[i];
		size_t offset = member->offset / 8;

		if (!btf_is_ptr(btf__type_by_id(btf, member->type)))
			continue;
		if (offset + sizeof(prog) > size || !memcmp(value + offset, &prog, sizeof(prog)))
			continue;
		memset(value + offset, 0, sizeof(prog));
	}
}

/* libbpf 1.1 crashes on a struct_ops map that is not created; 1.4 does not. */
#define CAN_OMIT_STRUCT_OPS (LIBBPF_MAJOR_VERSION > 1 || LIBBPF_MINOR_VERSION >= 4)

static void fix_map(struct bpf_object *obj, struct bpf_map *map, const struct bpf_program *prog)
{
	/* Each program is loaded from its own copy of the object: pins would collide. */
	bpf_map__set_pin_path(map, NULL);
	switch ((int)bpf_map__type(map)) {
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
	case 32: /* BPF_MAP_TYPE_CGRP_STORAGE, Linux 6.2: some headers lack it */ break;
	case BPF_MAP_TYPE_STRUCT_OPS:
		/* One that this kernel lacks would fail programs that do not need it. */
		if (CAN_OMIT_STRUCT_OPS && bpf_program__type(prog) != BPF_PROG_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(map, false);
		else
			mask_other_ops(obj, map, prog);
		break;
	default:
		/* Its loader would set it, to the number of CPUs for example. */
		if (!bpf_map__max_entries(map))
			bpf_map__set_max_entries(map, 1);
	}
}

/* By its place in the object, since names need not be unique. */
static struct bpf_program *only_program(struct bpf_object *obj, unsigned nth)
{
	struct bpf_program *prog, *found = NULL;
	unsigned i = 0;

	bpf_object__for_each_program(prog, obj)
	{
		bpf_program__set_autoload(prog, i == nth);
		if (i++ == nth)
			found = prog;
	}
	return found;
}

static int refuse(int error, const char *why, const struct bpf_program *prog)
{
	kt_buf_printf(&captured, "prog '%s': %s\n", bpf_program__name(prog), why);
	return -error;
}

/* As libbpf prints it, so that readers need to know one form only. */
static void capture_kernel_log(const struct bpf_program *prog, const char *log)
{
	size_t len = strnlen(log, LOG_BUF);

	if (!len)
		return;
	kt_buf_printf(&captured, "libbpf: prog '%s': -- BEGIN PROG LOAD LOG --\n",
		      bpf_program__name(prog));
	kt_buf_append(&captured, log, len);
	kt_buf_appends(&captured, log[len - 1] == '\n' ? "" : "\n");
	kt_buf_appends(&captured, "-- END PROG LOAD LOG --\n");
}

static int load_only(struct bpf_object *obj, struct bpf_program *prog, uint32_t log_level)
{
	static char log[LOG_BUF];
	struct bpf_map *map;
	int err;

	if (bpf_program__type(prog) == BPF_PROG_TYPE_EXT)
		return refuse(EINVAL,
			      "a freplace program loads only against its target program, "
			      "which an object alone does not name; run its own loader",
			      prog);
	if (bpf_program__type(prog) == BPF_PROG_TYPE_UNSPEC)
		return refuse(EINVAL, "its ELF section's name is no program type that libbpf knows",
			      prog);
	bpf_object__for_each_map(map, obj) fix_map(obj, map, prog);
	log[0] = '\0';
	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, log_level);
	err = bpf_object__load(obj);
	if (err)
		capture_kernel_log(prog, log);
	return err;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* Text for the parent, and a descriptor for it to hold, or -1. */
static int hand_over(int sock, const char *text, int fd)
{
	return kt_fd_send(sock, text, strlen(text) + 1, fd) < 0 ? -errno : 0;
}

/*
 * Loads program nth of the object, reports it, and hands its descriptor to the parent;
 * false: there is no such program.
 */
static bool load_program(int sock, const char *path, uint32_t object, unsigned nth,
			 uint32_t log_level)
{
	struct kt_prog_record record = {.object = object, .section = "", .name = ""};
	struct bpf_program *prog;
	struct bpf_object *obj;
	int err;

	capture_reset();
	obj = bpf_object__open_file(path, NULL);
	if (!obj) {
		record.error = errno;
		report(&record);
		return false;
	}
	prog = only_program(obj, nth);
	if (!prog) {
		record.error = ENOENT;
		kt_buf_appends(&captured, "this object has no BPF program\n");
		if (nth == 0)
			report(&record);
		return false;
	}
	record.section = bpf_program__section_name(prog);
	record.name = bpf_program__name(prog);
	hand_over(sock, record.name, -1);
	err = load_only(obj, prog, log_level);
	/*
	 * The log is bigger than its buffer, and that error hides the real one. With statistics
	 * alone, the verifier's last messages and the real error come.
	 */
	if (err == -ENOSPC && log_level == 0) {
		kt_buf_printf(&captured,
			      "[... this log did not fit in %u MB; once more without "
			      "the trace: ...]\n",
			      LOG_BUF >> 20);
		earlier_dropped = bound_log(&captured);
		earlier = captured;
		captured = (struct kt_buf)KT_BUF_INIT;
		return load_program(sock, path, object, nth, LOG_LEVEL_STATS);
	}
	if (!err)
		err = hand_over(sock, record.name, bpf_program__fd(prog));
	record.error = err < 0 ? -err : err;
	record.id = err ? 0 : program_id(bpf_program__fd(prog));
	report(&record);
	return true;
}

/* Reads until the child closes its end. The descriptors that come stay open for good. */
static void take_over(int sock, char *name, size_t size)
{
	int fd;

	while (kt_fd_receive(sock, name, size - 1, &fd) > 0)
		;
}

/*
 * A descriptor holds the program, its maps and its BTF in the kernel: nothing else of the
 * object is needed. So each load is a child's, which leaves no memory behind, and may crash:
 * libbpf does on some damaged objects.
 */
static bool load_in_child(const char *path, uint32_t object, unsigned nth)
{
	struct kt_prog_record crash = {.error = EFAULT, .object = object, .section = ""};
	char name[256] = "";
	int socks[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		die("cannot make a socket pair: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid) {
		close(socks[0]);
		_exit(!load_program(socks[1], path, object, nth, 0));
	}
	close(socks[1]);
	take_over(socks[0], name, sizeof(name));
	close(socks[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return !WEXITSTATUS(status);
	capture_reset();
	kt_buf_printf(&captured, "libbpf crashed on it (signal %d)\n", WTERMSIG(status));
	crash.name = name;
	report(&crash);
	return name[0];
}

void load_objects(const struct orders *orders)
{
	libbpf_set_print(capture);
	for (size_t i = 0; i < orders->objects.len; i++) {
		for (unsigned nth = 0; load_in_child(orders->objects.data[i], (uint32_t)i, nth);
		     nth++)
			;
	}
	channel_lifecycle(KT_PHASE_READY, "");
}
