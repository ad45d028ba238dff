// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Loads BPF objects as veristat does: each program from a freshly opened object in which
 * it is the only one to be loaded, so that one that the verifier rejects takes no other
 * with it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/fdpass.h"
#include "vm/frame.h"
#include "vm/guest/attach.h"
#include "vm/guest/guest.h"
#include "vm/guest/objects.h"

/*
 * A descriptor holds the program, its maps and its BTF in the kernel: nothing else of the
 * object is needed. So the programs of an object are loaded by a child, which leaves no memory
 * behind, and may crash: libbpf does on some damaged objects. Another child goes on then, behind
 * the program that was too much. Parent and child share this.
 */
struct load {
	const struct orders *orders;
	const char *path;
	uint32_t object;
	unsigned nth;      /* the program of the object that is next, and then the loaded one */
	unsigned left_out; /* those that the filter did not let through, of all objects */
	int sock;          /* the child's end, for descriptors that the parent holds */
	char name[256];    /* of the program, cut; "": none was found yet */
	bool done;         /* there is no program nth or behind it */
};

/* What came of loading the program once. */
struct attempt {
	struct bpf_object *obj;
	struct kt_buf elf; /* the file, which obj refers to */
	struct bpf_program *prog;
	int target; /* of freplace: the descriptor of what it is loaded for; -1: none */
	int err;    /* negative errno, or 0 */
	bool has_log;
	struct kt_buf log; /* as a record has it, not yet bounded */
};

/* libbpf's own error numbers are no errno. Its messages say what they mean. */
static int32_t plain_errno(int err)
{
	if (err < __LIBBPF_ERRNO__START)
		return err;
	return err <= LIBBPF_ERRNO__ENDIAN ? ENOEXEC : EINVAL;
}

static void report(struct kt_prog_record *record, struct kt_buf *log)
{
	struct kt_buf payload = KT_BUF_INIT;

	record->error = plain_errno(record->error);
	record->log_dropped += load_log_bound(log);
	record->log = log->data;
	record->log_len = log->len;
	kt_prog_record_encode(&payload, record);
	if (payload.failed)
		die("out of memory");
	channel_send(KT_FRAME_PROG, payload.data, payload.len);
	kt_buf_deinit(&payload);
	kt_buf_deinit(log);
}

static const char *type_name(const struct bpf_program *prog)
{
	const char *name = libbpf_bpf_prog_type_str(bpf_program__type(prog));

	return name && bpf_program__type(prog) != BPF_PROG_TYPE_UNSPEC ? name : "";
}

/* Whether the filter lets it through. */
static bool is_wanted(const struct orders *orders, const struct bpf_program *prog)
{
	bool name = !orders->name_globs.len, type = !orders->types.len;

	kt_vec_for_each (&orders->name_globs, glob)
		name |= !fnmatch(*glob, bpf_program__name(prog), 0);
	kt_vec_for_each (&orders->types, it)
		type |= !strcmp(*it, type_name(prog));
	return name && type;
}

/*
 * The only program that is to be loaded: number load->nth, or the next one that is wanted. By its
 * place in the object, since names need not be unique. NULL: there is none.
 */
static struct bpf_program *only_program(struct bpf_object *obj, struct load *load)
{
	struct bpf_program *prog, *found = NULL;
	unsigned i = 0;

	bpf_object__for_each_program (prog, obj) {
		bool next = i++ >= load->nth && !found;

		if (next && is_wanted(load->orders, prog)) {
			found = prog;
			load->nth = i - 1;
		} else if (next) {
			load->left_out++;
		}
		bpf_program__set_autoload(prog, prog == found);
	}
	load->done = !found;
	return found;
}

static int refuse(int error, const char *why, const struct bpf_program *prog)
{
	kt_buf_printf(&load_log, "prog '%s': %s (the guest has libbpf %s)\n",
		      bpf_program__name(prog), why, libbpf_version_string());
	return -error;
}

/* Sleepable as its loader says, where the name of its section does not. */
static void make_sleepable(const struct orders *orders, struct bpf_program *prog)
{
	kt_vec_for_each (&orders->sleepable_globs, glob)
		if (!fnmatch(*glob, bpf_program__name(prog), 0))
			bpf_program__set_flags(prog, bpf_program__flags(prog) | BPF_F_SLEEPABLE);
}

static int load_only(const struct load *load, struct attempt *a, int log_level)
{
	const struct load_source source = {
		.path = load->path,
		.sets = (const char *const *)load->orders->sets.data,
		.n_sets = load->orders->sets.len,
		.object = load->object,
	};
	static char log[LOG_BUF];
	int err;

	if (bpf_program__type(a->prog) == BPF_PROG_TYPE_EXT)
		a->target = load_target(&source, a->prog);
	if (bpf_program__type(a->prog) == BPF_PROG_TYPE_EXT && a->target < 0)
		return refuse(EINVAL,
			      "a freplace program loads only against its target program, "
			      "and no program of its object that loads has the function which its "
			      "section names; run its own loader",
			      a->prog);
	if (bpf_program__type(a->prog) == BPF_PROG_TYPE_UNSPEC)
		return refuse(EINVAL, "its ELF section's name is no program type that libbpf knows",
			      a->prog);
	load_maps_fix(a->obj, a->prog);
	log[0] = '\0';
	bpf_program__set_log_buf(a->prog, log, sizeof(log));
	bpf_program__set_log_level(a->prog, (uint32_t)log_level);
	err = bpf_object__load(a->obj);
	/* What libbpf says of a load that passed is of no interest. */
	if (!err)
		kt_buf_consume(&load_log, load_log.len);
	a->has_log = load_log_kernel(a->prog, log);
	return err;
}

static void close_attempt(struct attempt *a)
{
	load_close(a->obj, &a->elf);
	if (a->target >= 0)
		close(a->target);
}

/* Takes load_log. False: the object cannot be opened, or has no program that is wanted. */
static bool try(struct load *load, int log_level, struct attempt *ret)
{
	*ret = (struct attempt){.elf = KT_BUF_INIT, .target = -1};
	ret->obj = load_open(load->path, &ret->elf);
	ret->err = ret->obj ? 0 : -errno;
	ret->prog = ret->obj ? only_program(ret->obj, load) : NULL;
	if (ret->prog) {
		snprintf(load->name, sizeof(load->name), "%s", bpf_program__name(ret->prog));
		ret->err = load_maps_set(ret->obj, (const char *const *)load->orders->sets.data,
					 load->orders->sets.len, load->object);
		make_sleepable(load->orders, ret->prog);
		if (!ret->err)
			ret->err = load_only(load, ret, log_level);
	}
	ret->log = load_log_take();
	return ret->prog;
}

/*
 * With statistics alone a program that passes costs nothing more, and of one that fails the trace
 * is missing. Kernels before 5.2 refuse that level, or print the trace all the same; without a
 * level, libbpf asks for the trace of what failed. A log that does not fit is an error that hides
 * the real one. -1: the first attempt tells all.
 */
static int second_level(const struct attempt *a, int log_level)
{
	if (a->err == -ENOSPC && a->has_log)
		return log_level & LOG_TRACE ? LOG_STATS : 0;
	if (a->err == -EINVAL && !a->has_log)
		return 0;
	return a->err && a->has_log && !(log_level & LOG_TRACE) ? LOG_STATS | 1 : -1;
}

/* The trace that did not fit, and then the log that has the real error. */
static void join_logs(struct kt_buf *trace, struct kt_buf *real, struct kt_prog_record *record)
{
	kt_buf_printf(trace,
		      "[... this log did not fit in 16 MB; once more without the trace: ...]\n");
	record->log_dropped += load_log_bound(trace) + load_log_bound(real);
	kt_buf_append(trace, real->data, real->len);
	kt_buf_deinit(real);
	if (trace->failed)
		die("out of memory");
}

/* A second attempt, if one tells more; *a is then what is to be reported. */
static void try_again(struct load *load, int log_level, struct attempt *a,
		      struct kt_prog_record *record)
{
	int level = second_level(a, log_level);
	struct attempt first = *a;

	if (level < 0)
		return;
	close_attempt(&first);
	if (!try(load, level, a))
		die("an object that was there is gone: %s", load->path);
	if (first.err == -ENOSPC && level == LOG_STATS) {
		join_logs(&first.log, &a->log, record);
		a->log = first.log;
	} else if (a->err == -ENOSPC && (level & LOG_TRACE)) {
		join_logs(&a->log, &first.log, record);
		a->err = first.err;
	} else {
		kt_buf_deinit(&first.log);
	}
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* Gives the parent the descriptor to hold. */
static int hand_over(const struct load *load, int fd)
{
	return kt_fd_send(load->sock, "", 1, fd) < 0 ? -errno : 0;
}

static void attach(const struct load *load, const struct attempt *a, struct attach_result *attached,
		   struct kt_prog_record *record)
{
	const struct attach_object object = {
		.obj = a->obj,
		.path = load->path,
		.number = load->object,
		.sets = (const char *const *)load->orders->sets.data,
		.n_sets = load->orders->sets.len,
		.target = a->target,
	};

	attach_program(a->prog, &object, attached);
	record->attach = (uint8_t)attached->outcome;
	record->place = attached->text;
	record->ran = (uint8_t)attached->ran;
	record->retval = attached->ran == KT_TEST_RUN_REFUSED ? (uint32_t)attached->run_error
							      : attached->retval;
}

/*
 * Of an object that cannot be opened, or that has no such program (any more). False: that is its
 * end, of which there is nothing to be told.
 */
static bool has_nothing(struct load *load, struct attempt *a, bool left_out)
{
	load->done = true;
	if (!a->obj) {
		a->err = a->err ? a->err : -ENOENT;
		return true;
	}
	kt_buf_appends(&a->log, "this object has no BPF program\n");
	a->err = -ENOENT;
	return !load->nth && !left_out;
}

/* In the child: loads the next program, reports it, and hands its descriptor to the parent. */
static void load_program(struct load *load)
{
	struct kt_prog_record record = {
		.object = load->object, .section = "", .name = "", .type = "", .place = ""};
	const int level = (int)load->orders->log_level | LOG_STATS;
	const unsigned left_out = load->left_out;
	struct attach_result attached;
	bool tell = true;
	struct attempt a;

	load->name[0] = '\0';
	/* What libbpf said of the last program's end is none of this one's. */
	kt_buf_consume(&load_log, load_log.len);
	if (try(load, level, &a)) {
		try_again(load, level, &a, &record);
		record.section = bpf_program__section_name(a.prog);
		record.name = bpf_program__name(a.prog);
		record.type = type_name(a.prog);
		if (!a.err)
			a.err = hand_over(load, bpf_program__fd(a.prog));
		record.id = a.err ? 0 : program_id(bpf_program__fd(a.prog));
		if (!a.err && load->orders->attach)
			attach(load, &a, &attached, &record);
	} else {
		tell = has_nothing(load, &a, load->left_out > left_out);
	}
	record.error = a.err < 0 ? -a.err : a.err;
	if (tell)
		report(&record, &a.log);
	else
		kt_buf_deinit(&a.log);
	close_attempt(&a);
}

/* Reads until the child closes its end. The descriptors that come stay open for good. */
static void take_over(int sock)
{
	char byte;
	int fd;

	while (kt_fd_receive(sock, &byte, 1, &fd) > 0)
		;
}

static void report_crash(const struct load *load, int signal)
{
	struct kt_prog_record record = {.error = EFAULT,
					.object = load->object,
					.section = "",
					.name = load->name,
					.type = "",
					.place = ""};
	struct kt_buf log = KT_BUF_INIT;

	kt_buf_printf(&log, "libbpf crashed on it (signal %d)\n", signal);
	report(&record, &log);
}

/* The child: from the program on that is next. */
static _Noreturn void load_rest(struct load *load)
{
	while (!load->done) {
		load_program(load);
		load->nth++;
	}
	_exit(0);
}

static void load_in_child(struct load *load)
{
	int socks[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		die("cannot make a socket pair: %s", strerror(errno));
	load->sock = socks[1];
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid) {
		close(socks[0]);
		load_rest(load);
	}
	close(socks[1]);
	take_over(socks[0]);
	close(socks[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return;
	report_crash(load, WTERMSIG(status));
	load->done |= !load->name[0];
	load->nth++;
}

void load_objects(const struct orders *orders)
{
	struct load *load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (load == MAP_FAILED)
		die("out of memory");
	load->orders = orders;
	load_log_init();
	if (orders->attach)
		attach_init();
	for (size_t i = 0; i < orders->objects.len; i++) {
		load->path = orders->objects.data[i];
		load->object = (uint32_t)i;
		load->done = false;
		load->nth = 0;
		while (!load->done)
			load_in_child(load);
	}
	channel_send_number(KT_FRAME_LEFT, (int32_t)load->left_out);
	channel_lifecycle(KT_PHASE_READY, "");
}
