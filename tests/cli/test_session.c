// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * --wait is one deadline over all that a command waits for. A stub, which is another process, is
 * a guest that changes from one connection to the next, and counts them: between two tries the tool
 * rests for a time that is known, so that their number tells how long it went on, at most.
 */
#include "tests/cli/tool.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "btf/record.h"
#include "tests/cli/progs_btf.h"

/* What the guest is when a client connects. */
enum guest {
	FIRMWARE, /* no kernel yet: waiting helps */
	OTHER,    /* a kernel, but not the one that the cache has */
	SEEN,     /* the kernel that the cache has */
};

/* --- its memory: FAKE_TEXT is mapped by pages of 2 MiB --- */

#define PML4 0x4000
#define PDPT 0x6000
#define PD   0x8000

static uint64_t table_entry(uint64_t addr)
{
	switch (addr) {
	case PML4 + 511 * 8: return PDPT | 3;
	case PDPT + 510 * 8: return PD | 3;
	default:
		if (addr >= PD + 8 * 8 && addr < PD + 24 * 8)
			return (addr - PD) / 8 << 21 | 0x83;
		return 0;
	}
}

/* The build ID of SEEN is the fake kernel's: a note of 4 bytes of name and 20 of content. */
static const char note[] = "\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0\x07\0\0\0abcdefghijklmnop";

static uint8_t byte_at(enum guest guest, bool physical, uint64_t addr)
{
	if (physical)
		return (uint8_t)(table_entry(addr & ~UINT64_C(7)) >> 8 * (addr & 7));
	if (guest == SEEN && addr >= FAKE_NOTES && addr < FAKE_NOTES + sizeof(note) - 1)
		return (uint8_t)note[addr - FAKE_NOTES];
	return 0;
}

/* --- its stub --- */

static const char target_xml[] =
	"<target><architecture>i386:x86-64</architecture>"
	"<feature name=\"org.gnu.gdb.i386.core\"><reg name=\"rip\" bitsize=\"64\" regnum=\"0\"/>"
	"<reg name=\"cs\" bitsize=\"32\"/><reg name=\"cr0\" bitsize=\"64\"/>"
	"<reg name=\"cr3\" bitsize=\"64\"/><reg name=\"cr4\" bitsize=\"64\"/>"
	"<reg name=\"efer\" bitsize=\"64\"/><reg name=\"eflags\" bitsize=\"64\"/>"
	"</feature></target>";

static void answer(enum guest guest, bool *physical, const char *request, char *reply)
{
	static const uint64_t kernel[] = {
		0xffffffff81000000, 0x10, 0x80050033, PML4, 0x6f0, 0xd01, 0x202};
	static const uint64_t firmware[] = {0xfff0, 0xf000, 0x10, 0, 0, 0, 2};
	const uint64_t *values = guest == FIRMWARE ? firmware : kernel;
	size_t offset, len, size = sizeof(target_xml) - 1;
	unsigned int reg;
	uint64_t addr;

	*reply = '\0';
	if (!strncmp(request, "qSupported", 10)) {
		strcpy(reply, "PacketSize=1000;qXfer:features:read+;multiprocess+");
	} else if (!strcmp(request, "?")) {
		strcpy(reply, "T05thread:p01.01;");
	} else if (!strcmp(request, "qfThreadInfo")) {
		strcpy(reply, "mp01.01");
	} else if (!strcmp(request, "qsThreadInfo")) {
		strcpy(reply, "l");
	} else if (sscanf(request, "qXfer:features:read:target.xml:%zx,%zx", &offset, &len) == 2) {
		snprintf(reply, len + 2, "%c%s", offset + len < size ? 'm' : 'l',
			 target_xml + (offset < size ? offset : size));
	} else if (!strncmp(request, "qXfer:", 6)) {
		strcpy(reply, "E00");
	} else if (sscanf(request, "p%x", &reg) == 1 && reg < 7) {
		for (int i = 0; i < (reg == 1 ? 4 : 8); i++)
			reply += sprintf(reply, "%02x", (uint8_t)(values[reg] >> 8 * i));
	} else if (sscanf(request, "m%" SCNx64 ",%zx", &addr, &len) == 2 && len <= 0x800) {
		for (size_t i = 0; i < len; i++)
			reply += sprintf(reply, "%02x", byte_at(guest, *physical, addr + i));
	} else if (strchr("QHD", *request) && *request) {
		if (!strncmp(request, "Qqemu.PhyMemMode:", 17))
			*physical = request[17] == '1';
		strcpy(reply, "OK");
	}
}

/* What is between packets is passed over. False: the client hung up. */
static bool next_request(FILE *in, char *ret, size_t size)
{
	size_t len = 0;
	int c;

	while ((c = fgetc(in)) != '$')
		if (c == EOF)
			return false;
	while ((c = fgetc(in)) != '#' && c != EOF)
		if (len < size - 1)
			ret[len++] = (char)c;
	ret[len] = '\0';
	return fgetc(in) != EOF && fgetc(in) != EOF;
}

static void serve(int fd, enum guest guest)
{
	FILE *in = fdopen(fd, "r");
	char request[4096], reply[8192];
	bool physical = false;

	dprintf(fd, "$T02thread:01;#04");
	while (next_request(in, request, sizeof(request))) {
		unsigned int sum = 0;

		answer(guest, &physical, request, reply);
		for (const char *p = reply; *p; p++)
			sum += (unsigned char)*p;
		dprintf(fd, "+$%s#%02x", reply, sum & 0xff);
	}
	fclose(in);
}

static char dir[64], target[128];
static volatile int *connections; /* which the stub's process counts */

/* Starts the stub: at connection `turn`, from 1, the guest is `then`; else it is in its firmware.
 */
static pid_t start_stub(int turn, enum guest then)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	*connections = 0;
	strcpy(addr.sun_path, target + strlen("unix:"));
	unlink(addr.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGPIPE, SIG_IGN);
		alarm(300);
		for (;;) {
			int client = accept(fd, NULL, NULL);

			serve(client, ++*connections == turn ? then : FIRMWARE);
		}
	}
	close(fd);
	return pid;
}

static void stop_stub(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The cache knows which kernel was last seen at the target. */
static void fill_cache(void)
{
	static const uint8_t id[4] = {7};
	struct kt_buf btf = KT_BUF_INIT, elf = KT_BUF_INIT;
	const struct cache_name key = cache_key(id, sizeof(id), NULL, 0);
	char cache[96];
	FILE *file = tmpfile();

	progs_btf(&btf);
	fake_kernel(&elf, &(struct fake_options){.build_id = 7, .btf = &btf});
	assert_int_equal(fwrite(elf.data, 1, elf.len, file), elf.len);
	fflush(file);
	snprintf(cache, sizeof(cache), "%s/ktstr-gdb", dir);
	record_store(cache, &key, fileno(file));
	record_store_place(cache, target, &key);
	fclose(file);
	kt_buf_deinit(&btf);
	kt_buf_deinit(&elf);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ktstr-session.XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("XDG_CACHE_HOME", dir, 1);
	snprintf(target, sizeof(target), "unix:%s/sock", dir);
	connections = mmap(NULL, sizeof(*connections), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fill_cache();
	return connections == MAP_FAILED;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/*
 * Two tries are half a second apart, or end at the deadline, so the third connection is not before
 * it. One try more, then it is over: without a second deadline there are no more.
 */
static void one_deadline(const char *command, enum guest third)
{
	pid_t pid = start_stub(3, third);
	const struct tool_run *run = RUN(command, target, "--wait", "1");

	stop_stub(pid);
	tool_refused(run, 3, "not in 64-bit mode yet");
	print_message("%s: %d connections\n", command, *connections);
	assert_in_range(*connections, 1, 4);
}

/* The cache's kernel is waited for. When another one is up, that is gathered, and waited for. */
static void test_seen_then_gathered(void **state)
{
	(void)state;
	one_deadline("attach", OTHER);
}

/* The kernel is proved, the guest resets, and the watch itself has to wait. */
static void test_known_then_watched(void **state)
{
	(void)state;
	one_deadline("watch", SEEN);
}

/* Without --wait there is one try. */
static void test_no_wait(void **state)
{
	pid_t pid = start_stub(0, OTHER);

	(void)state;
	tool_refused(RUN("attach", target), 3, "not in 64-bit mode yet");
	stop_stub(pid);
	assert_int_equal(*connections, 1);
}

/* A guest that comes up in time is read: that it is the cache's kernel is proved. */
static void test_comes_up(void **state)
{
	pid_t pid = start_stub(2, SEEN);

	(void)state;
	/* This memory has no programs' index; to get there is enough. */
	tool_refused(RUN("attach", target, "--wait", "60"), 3, "cannot read the guest's BPF");
	stop_stub(pid);
	assert_int_equal(*connections, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_wait),
		cmocka_unit_test(test_comes_up),
		cmocka_unit_test(test_seen_then_gathered),
		cmocka_unit_test(test_known_then_watched),
	};

	return cmocka_run_group_tests_name("cli session", tests, setup, teardown);
}
