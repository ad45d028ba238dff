// SPDX-License-Identifier: LGPL-2.1-or-later
/* QEMU's command lines, as QEMU's manual, libvirt, Proxmox and people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "host/args.h"
#include "host/options.h"

/* The file of every -readconfig. */
static const char *config;

static struct kt_error *read_config(void *context, const char *path, struct kt_buf *ret)
{
	(void)context;
	if (!config || strcmp(path, "vm.cfg") != 0)
		return kt_error_new(KT_ERROR_NOT_FOUND, "%s", path);
	kt_buf_appends(ret, config);
	return NULL;
}

static struct host_args parsed;

static const struct host_args *parse(const char *const *args, size_t n)
{
	static const struct host_reader files = {.read = read_config};

	host_args_deinit(&parsed);
	assert_null(host_args_parse(args, n, &files, &parsed));
	return &parsed;
}

#define PARSE(...)                                                                                 \
	parse((const char *const[]){__VA_ARGS__},                                                  \
	      sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void assert_path(const struct host_endpoint *end, const char *path)
{
	assert_non_null(end->path);
	assert_string_equal(end->path, path);
}

static void assert_tcp(const struct host_endpoint *end, const char *host, const char *port)
{
	assert_null(end->path);
	assert_string_equal(end->host, host);
	assert_string_equal(end->port, port);
}

static void test_options(void **state)
{
	struct host_options o = {0};

	(void)state;
	assert_true(host_options_parse(&o, "socket,path=/a,,b=c,server,nowait,id=x", "backend"));
	assert_string_equal(host_options_get(&o, "backend"), "socket");
	assert_string_equal(host_options_get(&o, "path"), "/a,b=c");
	assert_true(host_options_on(&o, "server"));
	assert_string_equal(host_options_get(&o, "wait"), "off");
	assert_false(host_options_on(&o, "wait"));
	assert_null(host_options_get(&o, "none"));
	host_options_deinit(&o);
	assert_true(host_options_parse(&o,
				       "{\"qom-type\": \"memory-backend-ram\", \"size\": 536870912,"
				       " \"share\": true, \"x\": {\"y\": 1}}",
				       "qom-type"));
	assert_string_equal(host_options_get(&o, "qom-type"), "memory-backend-ram");
	assert_string_equal(host_options_get(&o, "size"), "536870912");
	assert_true(host_options_on(&o, "share"));
	assert_null(host_options_get(&o, "x"));
	host_options_deinit(&o);
	/* The last one counts. What is broken says nothing. */
	assert_true(host_options_parse(&o, "a=1,a=2,=,,,=3,", NULL));
	assert_string_equal(host_options_get(&o, "a"), "2");
	host_options_deinit(&o);
	assert_true(host_options_parse(&o, "{\"a\": ", "x"));
	assert_int_equal(o.v.len, 0);
	assert_true(host_options_parse(&o, "", "x"));
	assert_int_equal(o.v.len, 0);
	host_options_deinit(&o);
}

static void test_machine(void **state)
{
	const struct host_args *c;

	(void)state;
	c = PARSE("-name", "guest=web,debug-threads=on", "-machine", "q35,accel=kvm:tcg", "-smp",
		  "4", "-m", "2G", "-kernel", "/boot/vmlinuz", "-append", "-s -gdb tcp::1", "-uuid",
		  "u-u");
	assert_string_equal(c->name, "web");
	assert_string_equal(c->uuid, "u-u");
	assert_string_equal(c->accel, "kvm:tcg");
	assert_string_equal(c->kernel, "/boot/vmlinuz");
	assert_int_equal(c->vcpus.value, 4);
	assert_int_equal(c->memory.value, UINT64_C(2) << 30);
	/* -append has words that look like options. */
	assert_int_equal(c->stubs.len, 0);

	c = PARSE("--name", "plain", "-enable-kvm", "-M", "pc", "-m", "size=1.5G,slots=2,maxmem=8G",
		  "disk.img");
	assert_string_equal(c->name, "plain");
	assert_string_equal(c->accel, "kvm");
	assert_int_equal(c->memory.value, UINT64_C(1536) << 20);
	assert_int_equal(c->vcpus.value, 1);

	c = PARSE("-accel", "kvm", "-accel", "tcg,thread=single", "-machine", "kernel=/k,type=pc");
	assert_string_equal(c->accel, "kvm:tcg");
	assert_string_equal(c->kernel, "/k");
	assert_false(c->memory.known);
	assert_null(c->name);

	assert_null(PARSE("-nographic", "-S")->accel);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t mib;
	} sizes[] = {{"512", 512},    {"512M", 512},   {"1g", 1024}, {"1048576k", 1024},
		     {"1T", 1 << 20}, {"size=64", 64}, {"0x10", 16}, {"", 0},
		     {"-1", 0},       {"nan", 0},      {"1e300", 0}, {"5Q", 0},
		     {"5Gi", 0},      {"99999999P", 0}};
	static const struct {
		const char *text;
		uint64_t n;
	} cpus[] = {{"8", 8},
		    {"cpus=3,maxcpus=8", 3},
		    {"maxcpus=8", 8},
		    {"sockets=2,cores=3,threads=2", 12},
		    {"2,sockets=2,cores=1", 2},
		    {"dies=2,clusters=2", 4},
		    {"0", 1},
		    {"-4", 1},
		    {"x", 1},
		    {"99999999999999999999", 1},
		    {"sockets=99999,cores=99999", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const struct host_args *c = PARSE("-m", sizes[i].text);

		assert_int_equal(c->memory.known, sizes[i].mib != 0);
		assert_int_equal(c->memory.value, sizes[i].mib << 20);
	}
	for (size_t i = 0; i < sizeof(cpus) / sizeof(*cpus); i++) {
		const struct host_args *c = PARSE("-smp", cpus[i].text);

		assert_int_equal(c->vcpus.known, cpus[i].n != 0);
		if (cpus[i].n)
			assert_int_equal(c->vcpus.value, cpus[i].n);
	}
}

static void test_stubs(void **state)
{
	const struct host_args *c;

	(void)state;
	assert_tcp(PARSE("-s")->stubs.data, "", "1234");
	assert_tcp(PARSE("-gdb", "tcp:127.0.0.1:5")->stubs.data, "127.0.0.1", "5");
	assert_tcp(PARSE("-gdb", "tcp:[::1]:5,nodelay=on")->stubs.data, "[::1]", "5");
	assert_path(PARSE("-gdb", "unix:/a,,b,server=on,wait=off")->stubs.data, "/a,b");
	assert_path(PARSE("-gdb", "unix:/a,server,nowait")->stubs.data, "/a");
	assert_path(PARSE("-gdb", "chardev:g", "-chardev",
			  "socket,path=gdb,server=on,wait=off,id=g")
			    ->stubs.data,
		    "gdb");
	/* It connects to a debugger, is none, or is none of ours. */
	assert_int_equal(PARSE("-gdb", "unix:/a")->stubs.len, 0);
	assert_int_equal(PARSE("-gdb", "chardev:g", "-chardev", "socket,path=/a,id=g")->stubs.len,
			 0);
	assert_int_equal(PARSE("-gdb", "chardev:g", "-chardev", "pty,id=g")->stubs.len, 0);
	assert_int_equal(PARSE("-gdb", "chardev:h")->stubs.len, 0);
	assert_int_equal(PARSE("-gdb", "stdio")->stubs.len, 0);
	assert_int_equal(PARSE("-gdb", "none")->stubs.len, 0);
	assert_int_equal(PARSE("-gdb")->stubs.len, 0);
	c = PARSE("-s", "-gdb", "unix:/a,server=on");
	assert_int_equal(c->stubs.len, 2);
}

static void test_monitors(void **state)
{
	const struct host_args *c;

	(void)state;
	assert_path(PARSE("-qmp", "unix:/q,server=on,wait=off")->monitors.data, "/q");
	assert_path(PARSE("-qmp-pretty", "unix:q,server,nowait")->monitors.data, "q");
	assert_tcp(PARSE("-qmp", "tcp:localhost:4444,server=on")->monitors.data, "localhost",
		   "4444");
	assert_path(PARSE("-qmp", "chardev:c", "-chardev", "socket,id=c,path=/q,server=on")
			    ->monitors.data,
		    "/q");
	/* Proxmox: the second one is QEMU's own connection to a daemon. */
	c = PARSE("-id", "100", "-name", "vm,debug-threads=on", "-no-shutdown", "-chardev",
		  "socket,id=qmp,path=/var/run/qemu-server/100.qmp,server=on,wait=off", "-mon",
		  "chardev=qmp,mode=control", "-chardev",
		  "socket,id=qmp-event,path=/var/run/qmeventd.sock,reconnect-ms=5000", "-mon",
		  "chardev=qmp-event,mode=control");
	assert_int_equal(c->monitors.len, 1);
	assert_path(c->monitors.data, "/var/run/qemu-server/100.qmp");
	assert_false(c->hmp);
	assert_false(c->libvirt);

	c = PARSE("-monitor", "unix:/m,server=on", "-qmp", "tcp:h:1", "-qmp", "stdio");
	assert_int_equal(c->monitors.len, 0);
	assert_true(c->hmp);
	assert_false(PARSE("-monitor", "none")->hmp);
	assert_true(PARSE("-mon", "chardev=x")->hmp);
}

/* As libvirt 9.0 starts a domain, less what says nothing here. */
static void test_libvirt(void **state)
{
	const struct host_args *c;

	(void)state;
	c = PARSE("-name", "guest=web,debug-threads=on", "-S", "-object",
		  "{\"qom-type\":\"secret\",\"id\":\"masterKey0\",\"format\":\"raw\",\"file\":"
		  "\"/var/lib/libvirt/qemu/domain-1-web/master-key.aes\"}",
		  "-machine", "pc-q35-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram",
		  "-accel", "tcg", "-m", "512", "-object",
		  "{\"qom-type\":\"memory-backend-ram\",\"id\":\"pc.ram\",\"size\":536870912}",
		  "-smp", "2,sockets=2,cores=1,threads=1", "-uuid",
		  "d5d3a1ac-1111-4e4e-8888-0123456789ab", "-no-user-config", "-nodefaults",
		  "-chardev", "socket,id=charmonitor,fd=23,server=on,wait=off", "-mon",
		  "chardev=charmonitor,id=monitor,mode=control", "-no-shutdown");
	assert_true(c->libvirt);
	assert_string_equal(c->name, "web");
	assert_string_equal(c->libvirt_file, "/var/lib/libvirt/qemu/domain-1-web/master-key.aes");
	assert_int_equal(c->monitors.len, 0);
	assert_int_equal(c->memory.value, 512 << 20);
	/* libvirt 11 gives the size to the backend alone, with -m in KiB. */
	c = PARSE("-machine", "q35,memory-backend=pc.ram", "-object",
		  "{\"qom-type\":\"memory-backend-ram\",\"id\":\"pc.ram\",\"size\":1048576}");
	assert_int_equal(c->memory.value, 1 << 20);
}

static void test_readconfig(void **state)
{
	const struct host_args *c;

	(void)state;
	config =
		"# qemu config file\n"
		"[machine]\n  type = \"q35\"\n  accel = \"tcg\"\n"
		"[memory]\n\tsize = \"768\"\n"
		"[smp-opts]\n  cpus = \"3\"\n"
		"[name]\n  guest = \"from a file\"\n"
		"[device \"d\"]\n  size = \"5\"\n"
		"[chardev \"gdb0\"]\n  backend = \"socket\"\n  path = \"/run/gdb\"\n"
		"  server = \"on\"\n"
		"[mon \"m\"]\n  chardev = \"q\"\n  mode = \"control\"\n"
		"[chardev \"q\"]\n  backend = \"socket\"\n  path = \"/run/qmp\"\n  server = \"on\"";
	c = PARSE("-readconfig", "vm.cfg", "-gdb", "chardev:gdb0");
	assert_string_equal(c->accel, "tcg");
	assert_string_equal(c->name, "from a file");
	assert_int_equal(c->memory.value, 768 << 20);
	assert_int_equal(c->vcpus.value, 3);
	assert_int_equal(c->stubs.len, 1);
	assert_path(c->stubs.data, "/run/gdb");
	assert_int_equal(c->monitors.len, 1);
	assert_path(c->monitors.data, "/run/qmp");
	/* Anything may be in that file. */
	config =
		"[\n[]\n[\"\n[machine\naccel\n= \"x\"\n  = \"\naccel = \"\naccel = \"a\n[memory]]\"]\"";
	c = PARSE("-readconfig", "vm.cfg", "-readconfig", "other", "-readconfig");
	assert_null(c->accel);
	config = "";
	PARSE("-readconfig", "vm.cfg");
	config = NULL;
}

/* More than anybody has, and nothing at all. */
static void test_many(void **state)
{
	static const char *many[HOST_ARGS_MAX * 2];

	(void)state;
	for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++)
		many[i] = "-s";
	assert_int_equal(parse(many, sizeof(many) / sizeof(*many))->stubs.len, HOST_ARGS_MAX);
	assert_int_equal(parse(many, 0)->stubs.len, 0);
	PARSE("", "-", "--", "---s", "-chardev", "", "-mon", "", "-gdb", "", "-qmp",
	      "unix:", "-qmp", "tcp:", "-object", "{", "-m");
	host_args_deinit(&parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),    cmocka_unit_test(test_machine),
		cmocka_unit_test(test_numbers),    cmocka_unit_test(test_stubs),
		cmocka_unit_test(test_monitors),   cmocka_unit_test(test_libvirt),
		cmocka_unit_test(test_readconfig), cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("host args", tests, NULL, NULL);
}
