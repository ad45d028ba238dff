// SPDX-License-Identifier: LGPL-2.1-or-later
/* The reading of a guest in a process of its own: what it hands back, and that it is fenced in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "introspect/inspect_apart.h"
#include "util/cleanup.h"

/* All values differ, so that none can take another one's place. */
static struct inspection make(struct program programs[2])
{
	static uint32_t map_ids[] = {70, 71, 72};
	static char tags[2][17] = {"0123456789abcdef", "fedcba9876543210"};
	struct inspection inspection = {
		.objects = INSPECT_PROGRAMS | INSPECT_SCX,
		.kaslr_offset = -4096,
		.was_paused = true,
		.timing = {.connect_ns = 1,
			   .locate_ns = 2,
			   .read_ns = 3,
			   .detach_ns = 4,
			   .pause_ns = 5,
			   .finish_ns = 6,
			   .requests = 7,
			   .bytes_read = 8,
			   .round_trips = 9},
		.scx = {.known = true, .state = "enabled", .ops = "simple"},
		.programs = {.all = programs, .n = 2, .n_unreadable = 10},
	};

	programs[0] = (struct program){
		.id = 11,
		.type = (char *)"xdp",
		.name = "first",
		.full_name = (char *)"first_one",
		.tag = "0123456789abcdef",
		.gpl_known = true,
		.gpl_compatible = true,
		.verified_insns = {true, 12},
		.bytes_xlated = {true, 13},
		.bytes_jited = {true, 14},
		.loaded_at = {true, 15},
		.uid = {true, 16},
		.btf_id = {true, 17},
		.run_cnt = {true, 18},
		.run_time_ns = {true, UINT64_MAX},
		.recursion_misses = {true, 20},
		.bytes_memlock = {true, 22},
		.orphaned = {true, 0},
		.sleepable = {true, 1},
		.xdp_has_frags = {true, 1},
		.attach_btf_id = {true, 23},
		.expected_attach_type = (char *)"xdp",
		.attach_btf_name = (char *)"do_exit",
		.attach_btf_module = (char *)"veth",
		.metadata = (char *)"{}",
		.prog_tags = tags,
		.n_prog_tags = 2,
		.prog_tags_known = true,
		.map_ids = map_ids,
		.n_map_ids = 3,
		.map_ids_known = true,
	};
	programs[1] = (struct program){.id = 21};
	return inspection;
}

static void check_program(const struct program *a, const struct program *b)
{
	assert_int_equal(a->id, b->id);
	assert_string_equal(a->type ? a->type : "-", b->type ? b->type : "-");
	assert_string_equal(a->full_name ? a->full_name : "-", b->full_name ? b->full_name : "-");
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->tag, b->tag);
	assert_int_equal(a->gpl_known, b->gpl_known);
	assert_int_equal(a->gpl_compatible, b->gpl_compatible);
	assert_int_equal(a->map_ids_known, b->map_ids_known);
	assert_int_equal(a->n_map_ids, b->n_map_ids);
	if (a->n_map_ids)
		assert_memory_equal(a->map_ids, b->map_ids, a->n_map_ids * sizeof(*a->map_ids));
#define SAME(member)                                                                               \
	do {                                                                                       \
		assert_int_equal(a->member.known, b->member.known);                                \
		assert_true(a->member.value == b->member.value);                                   \
	} while (0)
	assert_string_equal(a->expected_attach_type ? a->expected_attach_type : "-",
			    b->expected_attach_type ? b->expected_attach_type : "-");
	assert_string_equal(a->attach_btf_name ? a->attach_btf_name : "-",
			    b->attach_btf_name ? b->attach_btf_name : "-");
	assert_string_equal(a->attach_btf_module ? a->attach_btf_module : "-",
			    b->attach_btf_module ? b->attach_btf_module : "-");
	assert_string_equal(a->metadata ? a->metadata : "-", b->metadata ? b->metadata : "-");
	assert_int_equal(a->prog_tags_known, b->prog_tags_known);
	assert_int_equal(a->n_prog_tags, b->n_prog_tags);
	if (a->n_prog_tags)
		assert_memory_equal(a->prog_tags, b->prog_tags, a->n_prog_tags * 17);
	SAME(bytes_memlock);
	SAME(orphaned);
	SAME(sleepable);
	SAME(xdp_has_frags);
	SAME(attach_btf_id);
	SAME(verified_insns);
	SAME(bytes_xlated);
	SAME(bytes_jited);
	SAME(loaded_at);
	SAME(uid);
	SAME(btf_id);
	SAME(run_cnt);
	SAME(run_time_ns);
	SAME(recursion_misses);
#undef SAME
}

static void test_bytes(void **state)
{
	struct program programs[2];
	struct inspection in = make(programs), out;
	struct kt_buf bytes = KT_BUF_INIT;

	(void)state;
	inspection_pack(&in, &bytes);
	assert_false(kt_buf_failed(&bytes));
	assert_null(inspection_unpack(bytes.data, bytes.len, &out));
	assert_int_equal(out.objects, in.objects);
	assert_true(out.was_paused);
	assert_true(out.kaslr_offset == in.kaslr_offset);
	assert_memory_equal(&out.timing, &in.timing, sizeof(in.timing));
	assert_memory_equal(&out.scx, &in.scx, sizeof(in.scx));
	assert_int_equal(out.programs.n, 2);
	assert_int_equal(out.programs.n_unreadable, 10);
	for (size_t i = 0; i < 2; i++)
		check_program(&in.programs.all[i], &out.programs.all[i]);
	inspection_deinit(&out);
	kt_buf_deinit(&bytes);
}

/* Bytes of a child that somebody took over: cut anywhere, changed anywhere. */
static void test_hostile(void **state)
{
	struct program programs[2];
	struct inspection in = make(programs), out;
	struct kt_buf bytes = KT_BUF_INIT;
	struct kt_error *err;

	(void)state;
	inspection_pack(&in, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		/* Of a size of its own, so that a sanitizer sees what is behind it. */
		char *copy = malloc(len + 1);

		memcpy(copy, bytes.data, len);
		err = inspection_unpack(copy, len, &out);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
		kt_error_destroy(err);
		free(copy);
	}
	for (size_t i = 0; i < bytes.len; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			bytes.data[i] = (char)(bytes.data[i] ^ 1 << bit);
			err = inspection_unpack(bytes.data, bytes.len, &out);
			if (err)
				kt_error_destroy(err);
			else
				inspection_deinit(&out);
			bytes.data[i] = (char)(bytes.data[i] ^ 1 << bit);
		}
	}
	kt_buf_deinit(&bytes);
}

/* --- the process --- */

/* Takes one client, and looks at the process that it is. Exit status: 0 it is behind a fence. */
static _Noreturn void look_at_client(int sock)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	char path[64], line[256];
	bool filters = false, no_privileges = false;
	int fd = accept(sock, NULL, NULL);
	FILE *f;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		_exit(2);
	if (cred.pid == getppid())
		_exit(3);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)cred.pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		filters |= !strcmp(line, "Seccomp:\t2\n");
		no_privileges |= !strcmp(line, "NoNewPrivs:\t1\n");
	}
	_exit(filters && no_privileges ? 0 : 4);
}

static void test_fence(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_(rsp_target_deinit) struct rsp_target target = {0};
	const struct rsp_options options = {.timeout_ms = 10000, .cancel_fd = -1};
	const struct inspect_options what = {.objects = INSPECT_AVAILABLE};
	char dir[] = "/tmp/ktstr-test.XXXXXX", text[128];
	struct inspection inspection;
	struct kt_error *err;
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(sock, 1), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		look_at_client(sock);
	close(sock);
	snprintf(text, sizeof(text), "unix:%s", addr.sun_path);
	assert_null(rsp_target_parse(text, &target));
	/* No facts are needed: the stub hangs up before they are. The error is the child's own. */
	err = inspect_guest_apart(&target, &options, NULL, &what, &inspection);
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	assert_non_null(strstr(kt_error_message(err), text));
	assert_non_null(kt_error_hint_text(err));
	kt_error_destroy(err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	unlink(addr.sun_path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_fence),
	};

	return cmocka_run_group_tests_name("introspect inspect apart", tests, NULL, NULL);
}
