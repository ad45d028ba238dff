/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The GDB stub of a fake QEMU, over the synthetic kernel of tests/introspect/synth.h. */
#ifndef KT_TESTS_COLLECT_FAKE_STUB_H
#define KT_TESTS_COLLECT_FAKE_STUB_H

#include "tests/collect/fake_qemu.h"
#include "tests/introspect/synth.h"

#define STUB_TEXT_MAX 8192

static const char *const fake_registers[] = {"cr0", "cr3", "cr4", "efer", "cs", "eflags", "rip"};

/* Listens where guest.cfg says. */
static inline int fake_stub_listen(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", fake.gdb);
	fake_check(!bind(fd, (struct sockaddr *)&addr, sizeof(addr)) && !listen(fd, 1), "no stub");
	return fd;
}

static inline void fake_hex(char *out, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", ((const uint8_t *)data)[i]);
}

static inline void fake_describe(char *out, const char *request)
{
	if (!strstr(request, ":target.xml:0,")) {
		strcpy(out, strstr(request, ":target.xml:") ? "l" : "E00");
		return;
	}
	out += sprintf(out, "l<target>");
	for (size_t i = 0; i < sizeof(fake_registers) / sizeof(*fake_registers); i++)
		out += sprintf(out, "<reg name=\"%s\" bitsize=\"64\"/>", fake_registers[i]);
	strcpy(out, "</target>");
}

static inline void fake_read_memory(char *out, struct synth *s, bool physical, const char *request)
{
	uint8_t bytes[STUB_TEXT_MAX / 2 - 16];
	unsigned long long addr;
	size_t len;

	fake_check(sscanf(request, "m%llx,%zx", &addr, &len) == 2 && len <= sizeof(bytes),
		   "an odd read");
	if (physical ? textmem_get(s->mem, addr, bytes, len)
		     : textmem_get_virtual(s->mem, addr, bytes, len))
		fake_hex(out, bytes, len);
	else
		strcpy(out, "E14");
}

/* What QEMU 7.2 answers, as far as anybody here asks. */
static inline void fake_answer(char *out, struct synth *s, bool *physical, const char *request)
{
	uint64_t value;

	out[0] = '\0';
	if (!strncmp(request, "qSupported", 10)) {
		strcpy(out, "PacketSize=1000;qXfer:features:read+;multiprocess+");
	} else if (!strcmp(request, "?")) {
		strcpy(out, "T05thread:p01.01;");
	} else if (!strncmp(request, "Qqemu.PhyMemMode:", 17)) {
		*physical = request[17] == '1';
		strcpy(out, "OK");
	} else if (!strcmp(request, "qfThreadInfo")) {
		strcpy(out, "mp01.01");
	} else if (!strcmp(request, "qsThreadInfo")) {
		strcpy(out, "l");
	} else if (!strncmp(request, "qXfer:features:read:", 20)) {
		fake_describe(out, request);
	} else if (request[0] == 'H' || request[0] == 'D') {
		strcpy(out, "OK");
	} else if (request[0] == 'p') {
		value = textmem_cpu_value(&s->mem->cpus[0],
					  fake_registers[strtoul(request + 1, NULL, 16)]);
		fake_hex(out, &value, 8);
	} else if (request[0] == 'm') {
		fake_read_memory(out, s, *physical, request);
	}
}

static inline void fake_reply(int fd, const char *text)
{
	char packet[STUB_TEXT_MAX + 8];
	uint8_t sum = 0;

	for (const char *p = text; *p; p++)
		sum = (uint8_t)(sum + *p);
	snprintf(packet, sizeof(packet), "+$%s#%02x", text, sum);
	fake_put(fd, packet, strlen(packet));
}

/* One visit, of which the guest is stopped: from connect to detach. */
static inline void fake_stub_serve(int listen_fd, struct synth *s)
{
	int fd = accept(listen_fd, NULL, NULL), c;
	FILE *in = fdopen(fd, "r");
	char request[STUB_TEXT_MAX], reply[STUB_TEXT_MAX];
	bool physical = false;

	fake_check(in, "nobody came");
	fake_put(fd, "$T02thread:01;#04", 17);
	do {
		size_t len = 0;

		while ((c = getc(in)) != EOF && c != '$')
			;
		while ((c = getc(in)) != EOF && c != '#' && len < sizeof(request) - 1)
			request[len++] = (char)c;
		request[len] = '\0';
		if (c == EOF || getc(in) == EOF || getc(in) == EOF)
			break;
		fake_answer(reply, s, &physical, request);
		fake_reply(fd, reply);
	} while (request[0] != 'D');
	fclose(in);
}

#endif
