// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A stub that serves stale registers, as QEMU's does under KVM: `p` reads and `P` writes a copy,
 * which a request that fetches (qThreadExtraInfo, g, m) makes that of the vCPU, once in each stop.
 * What is written to a copy that was not fetched is lost.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tests/gdbrsp/visit.h"

#define CR0_RESET   UINT64_C(0x60000010)
#define CR0_RUNNING UINT64_C(0x80050033)
#define EFER_LMA    UINT64_C(0xd01)
#define N_CPUS      2

enum { RIP, CR0, EFER, N_REGISTERS };

struct cpu {
	uint64_t real[N_REGISTERS], copy[N_REGISTERS];
	bool fetched;
};

static struct cpu cpus[N_CPUS];
static size_t selected;
static unsigned int n_fetches;

/* After the boot: the vCPUs are in the kernel, the copies are those of the reset. */
static void boot(void)
{
	for (size_t i = 0; i < N_CPUS; i++)
		cpus[i] = (struct cpu){
			.real = {0xffffffff81000000 + i, CR0_RUNNING, EFER_LMA},
			.copy = {0xfff0, CR0_RESET, 0},
		};
	selected = n_fetches = 0;
}

/* The guest runs for a while. */
static void run(void)
{
	for (size_t i = 0; i < N_CPUS; i++) {
		struct cpu *cpu = &cpus[i];

		if (cpu->fetched)
			memcpy(cpu->real, cpu->copy, sizeof(cpu->real));
		cpu->real[RIP] += 0x100;
		cpu->fetched = false;
	}
}

static void fetch(size_t i)
{
	if (!cpus[i].fetched)
		memcpy(cpus[i].copy, cpus[i].real, sizeof(cpus[i].copy));
	cpus[i].fetched = true;
	n_fetches++;
}

static const char *hex(uint64_t value)
{
	static char text[17];

	for (size_t i = 0; i < 8; i++)
		snprintf(text + 2 * i, 3, "%02x", (unsigned int)(value >> 8 * i & 0xff));
	return text;
}

static uint64_t from_hex(const char *text)
{
	uint64_t value = 0;

	for (unsigned int i = 0, byte; i < 8 && sscanf(text + 2 * i, "%2x", &byte) == 1; i++)
		value |= (uint64_t)byte << 8 * i;
	return value;
}

/* Up to the detach, which the script has to have. */
static const char *serve(const char *request)
{
	unsigned int n;
	char value[17];
	size_t id;

	if (!strncmp(request, "qXfer:features:read:target.xml:0", 32))
		return "l<target><reg name=\"rip\" bitsize=\"64\"/><reg name=\"cr0\" bitsize=\"64\"/>"
		       "<reg name=\"efer\" bitsize=\"64\"/></target>";
	if (!strncmp(request, "qXfer", 5))
		return "E00";
	if (sscanf(request, "Hgp01.%zx", &id) == 1) {
		selected = id - 1;
		return "OK";
	}
	if (sscanf(request, "qThreadExtraInfo,p01.%zx", &id) == 1) {
		fetch(id - 1);
		return "4350552330";
	}
	if (sscanf(request, "p%x", &n) == 1)
		return hex(cpus[selected].copy[n]);
	if (sscanf(request, "P%x=%16s", &n, value) == 2) {
		cpus[selected].copy[n] = from_hex(value);
		return "OK";
	}
	if (!strncmp(request, "qSupported", 10))
		return "PacketSize=1000";
	if (!strcmp(request, "vCont;c")) {
		run();
		selected = 1; /* the one that stopped */
		return "T05thread:p01.02;";
	}
	return NULL;
}

static const struct stub_step script[] = {
	STUB_HELLO, {STUB_SERVE, NULL, 0, serve}, STUB_BYE, {STUB_END}};

struct session {
	struct rsp_client *client;
	struct stub *stub;
	const struct rsp_thread *threads;
	size_t n;
};

static struct session begin(void)
{
	struct session s;

	boot();
	assert_no_error(connect_to(script, &options, &s.stub, &s.client));
	assert_no_error(rsp_client_threads(s.client, &s.threads, &s.n));
	assert_int_equal(s.n, N_CPUS);
	return s;
}

static void finish(struct session *s)
{
	rsp_client_destroy(s->client);
	assert_joined(s->stub);
}

/* Nobody has spoken to the stub since the boot. */
static void test_first_attach(void **state)
{
	const char *const names[] = {"cr0", "efer", "rip"};
	struct session s = begin();
	uint64_t values[3 * N_CPUS];

	(void)state;
	assert_no_error(rsp_client_registers(s.client, s.threads, s.n, names, 3, values));
	for (size_t i = 0; i < N_CPUS; i++) {
		assert_true(values[3 * i] == CR0_RUNNING);
		assert_true(values[3 * i + 1] == EFER_LMA);
		assert_true(values[3 * i + 2] == cpus[i].real[RIP]);
	}
	/* Once in a stop is enough. */
	assert_no_error(rsp_client_registers(s.client, s.threads, s.n, names, 3, values));
	assert_int_equal(n_fetches, N_CPUS);
	finish(&s);
}

/* What was fetched in one stop is stale in the next. */
static void test_each_stop(void **state)
{
	const char *const names[] = {"rip"};
	struct session s = begin();

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct rsp_stop stop;
		uint64_t rip;

		assert_no_error(rsp_client_registers(s.client, s.threads, 1, names, 1, &rip));
		assert_true(rip == cpus[0].real[RIP]);
		assert_no_error(rsp_client_resume(s.client, NULL, NULL, 0));
		assert_no_error(rsp_client_wait(s.client, -1, &stop));
		assert_ptr_equal(stop.thread, &s.threads[1]);
		assert_no_error(rsp_client_registers(s.client, stop.thread, 1, names, 1, &rip));
		assert_true(rip == cpus[1].real[RIP]);
	}
	finish(&s);
}

/* A register is written to what the vCPU has now, whether or not somebody read it before. */
static void test_writes(void **state)
{
	static const struct rsp_write write = {"rip", UINT64_C(0xffffffff82000000)};
	struct session s = begin();
	struct rsp_stop stop;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_no_error(rsp_client_resume(s.client, &s.threads[0], &write, 1));
		assert_no_error(rsp_client_wait(s.client, -1, &stop));
		assert_true(cpus[0].real[RIP] == write.value + 0x100);
		assert_true(cpus[0].real[CR0] == CR0_RUNNING);
	}
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_attach),
		cmocka_unit_test(test_each_stop),
		cmocka_unit_test(test_writes),
	};

	return cmocka_run_group_tests_name("gdbrsp/stale", tests, NULL, NULL);
}
