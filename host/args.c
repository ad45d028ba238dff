// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/args.h"
#include "host/options.h"
#include "util/cleanup.h"

/* Groups that a section of -readconfig, or an option, may add to. */
enum group { MACHINE, MEMORY, SMP, ACCEL, NAME, CHARDEV, MON, OBJECT, N_GROUPS };

static const struct {
	const char *option;  /* on the command line */
	const char *section; /* in a file of -readconfig */
	const char *implied; /* the key of a first value that has none */
	bool merges;         /* said again, it adds to what was said before */
} groups[N_GROUPS] = {
	[MACHINE] = {"machine", "machine", "type", true},
	[MEMORY] = {"m", "memory", "size", true},
	[SMP] = {"smp", "smp-opts", "cpus", true},
	[ACCEL] = {"accel", "accel", "accel", false},
	[NAME] = {"name", "name", "guest", true},
	[CHARDEV] = {"chardev", "chardev", "backend", false},
	[MON] = {"mon", "mon", "chardev", false},
	[OBJECT] = {"object", "object", "qom-type", false},
};

struct parser {
	KT_VEC(struct host_options) said[N_GROUPS];
	KT_VEC(const char *) stub_chardevs, qmp_chardevs;
	struct host_args *out;
	bool ok; /* there was memory */
};

/* The options that take no argument, as of QEMU 1.0 to 11.1. All others take one. */
static const char *const without_argument[] = {
	"S",
	"daemonize",
	"enable-fips",
	"enable-hax",
	"enable-kvm",
	"enable-sync-profile",
	"full-screen",
	"h",
	"help",
	"alt-grab",
	"audio-help",
	"ctrl-grab",
	"curses",
	"localtime",
	"mem-prealloc",
	"no-acpi",
	"no-fd-bootchk",
	"no-frame",
	"no-hpet",
	"no-kvm",
	"no-kvm-irqchip",
	"no-kvm-pit",
	"no-kvm-pit-reinjection",
	"no-quit",
	"no-reboot",
	"no-shutdown",
	"no-user-config",
	"nodefaults",
	"nodefconfig",
	"nographic",
	"nouserconfig",
	"old-param",
	"one-insn-per-tb",
	"only-migratable",
	"portrait",
	"preconfig",
	"rtc-td-hack",
	"s",
	"sdl",
	"semihosting",
	"singlestep",
	"snapshot",
	"tdf",
	"usb",
	"version",
	"win2k-hack",
	"xen-attach",
	"xen-create",
	"xen-domid-restrict",
};

static bool takes_argument(const char *option)
{
	for (size_t i = 0; i < sizeof(without_argument) / sizeof(*without_argument); i++)
		if (strcmp(option, without_argument[i]) == 0)
			return false;
	return true;
}

/* A new set of options of the group, or the one that the group has if it merges. */
static struct host_options *open_group(struct parser *p, enum group group)
{
	if (groups[group].merges && p->said[group].len)
		return p->said[group].data;
	if (!kt_vec_push(&p->said[group], (struct host_options){0})) {
		p->ok = false;
		return NULL;
	}
	return &p->said[group].data[p->said[group].len - 1];
}

static void say(struct parser *p, enum group group, const char *text)
{
	struct host_options *options = open_group(p, group);

	if (options && !host_options_parse(options, text, groups[group].implied))
		p->ok = false;
}

static void say_key(struct parser *p, enum group group, const char *key, const char *value)
{
	struct host_options *options = open_group(p, group);

	if (options && !host_options_add(options, key, value))
		p->ok = false;
}

static void set(struct parser *p, char **member, const char *value)
{
	free(*member);
	*member = value ? strdup(value) : NULL;
	p->ok &= *member || !value;
}

/* --- where it listens --- */

static void add_endpoint(struct parser *p, bool stub, const char *path, const char *host,
			 const char *port)
{
	struct host_endpoint end = {
		.path = path ? strdup(path) : NULL,
		.host = path ? NULL : strdup(host ? host : ""),
		.port = path ? NULL : strdup(port),
	};

	if ((path ? end.path != NULL : end.host && end.port) &&
	    (stub ? kt_vec_push(&p->out->stubs, end) : kt_vec_push(&p->out->monitors, end)))
		return;
	free(end.path);
	free(end.host);
	free(end.port);
	p->ok = false;
}

/* A chardev's options. One that connects to somebody, or has its socket from libvirt, is no way. */
static void add_chardev(struct parser *p, bool stub, const struct host_options *options)
{
	const char *backend = host_options_get(options, "backend");
	const char *path = host_options_get(options, "path");
	const char *port = host_options_get(options, "port");

	if (!backend || strcmp(backend, "socket") != 0 || host_options_get(options, "fd") ||
	    !host_options_on(options, "server") || host_options_on(options, "abstract"))
		return;
	if (path || port)
		add_endpoint(p, stub, path, host_options_get(options, "host"), port);
}

/*
 * QEMU's older form of a character device: "unix:PATH,server=on", "tcp:HOST:PORT,server=on".
 * -gdb adds "server=on" to TCP by itself.
 */
static void add_compat(struct parser *p, bool stub, const char *text)
{
	struct host_options options = {0};
	const char *device;
	char *colon;

	if (!strncmp(text, "chardev:", strlen("chardev:"))) {
		text += strlen("chardev:");
		p->ok &= stub ? kt_vec_push(&p->stub_chardevs, text)
			      : kt_vec_push(&p->qmp_chardevs, text);
		return;
	}
	if (!host_options_parse(&options, text, "device")) {
		p->ok = false;
		host_options_deinit(&options);
		return;
	}
	device = host_options_get(&options, "device");
	if (device && !strncmp(device, "unix:", 5) && host_options_on(&options, "server")) {
		add_endpoint(p, stub, device + 5, NULL, NULL);
	} else if (device && !strncmp(device, "tcp:", 4) &&
		   (stub || host_options_on(&options, "server"))) {
		_cleanup_free_ char *host = strdup(device + 4);

		colon = host ? strrchr(host, ':') : NULL;
		p->ok &= host != NULL;
		if (colon) {
			*colon = '\0';
			add_endpoint(p, stub, NULL, host, colon + 1);
		}
	}
	host_options_deinit(&options);
}

static const struct host_options *find_chardev(const struct parser *p, const char *id)
{
	kt_vec_for_each (&p->said[CHARDEV], options) {
		const char *its = host_options_get(options, "id");

		if (its && strcmp(its, id) == 0)
			return options;
	}
	return NULL;
}

/* --- options --- */

static void take_readconfig(struct parser *p, const struct host_reader *files, const char *path);

static void take(struct parser *p, const struct host_reader *files, const char *option,
		 const char *arg)
{
	for (size_t i = 0; i < N_GROUPS; i++)
		if (strcmp(option, groups[i].option) == 0)
			say(p, (enum group)i, arg);
	if (!strcmp(option, "M"))
		say(p, MACHINE, arg);
	else if (!strcmp(option, "enable-kvm"))
		say(p, ACCEL, "kvm");
	else if (!strcmp(option, "kernel"))
		say_key(p, MACHINE, "kernel", arg);
	else if (!strcmp(option, "uuid"))
		set(p, &p->out->uuid, arg);
	else if (!strcmp(option, "s"))
		add_compat(p, true, "tcp::1234");
	else if (!strcmp(option, "gdb"))
		add_compat(p, true, arg);
	else if (!strcmp(option, "qmp") || !strcmp(option, "qmp-pretty"))
		add_compat(p, false, arg);
	else if (!strcmp(option, "monitor"))
		p->out->hmp |= strcmp(arg, "none") != 0;
	else if (!strcmp(option, "readconfig"))
		take_readconfig(p, files, arg);
}

/* --- -readconfig: '[chardev "gdb0"]', then lines '  path = "/run/vm/gdb"' --- */

/* The group of a section's head, N_GROUPS if it is none of ours; its id is cut out of line. */
static enum group section_of(char *line, const char **id_ret)
{
	char *word = line + 1, *end = word + strcspn(word, " \"]");
	char *id = strchr(end, '"'), *close = id ? strchr(id + 1, '"') : NULL;

	*end = '\0';
	*id_ret = NULL;
	if (close) {
		*close = '\0';
		*id_ret = id + 1;
	}
	for (size_t i = 0; i < N_GROUPS; i++)
		if (strcmp(word, groups[i].section) == 0)
			return (enum group)i;
	return N_GROUPS;
}

/* Reads 'key = "value"'. */
static void read_entry(struct parser *p, char *line, struct host_options *options)
{
	char *end = line + strcspn(line, " \t="), *quote = strchr(end, '"');
	char *close = quote ? strchr(quote + 1, '"') : NULL;

	if (!close || end == line)
		return;
	*end = *close = '\0';
	p->ok &= host_options_add(options, line, quote + 1);
}

static void take_readconfig(struct parser *p, const struct host_reader *files, const char *path)
{
	struct kt_buf text = KT_BUF_INIT;
	struct host_options *options = NULL;
	struct kt_error *err = files->read(files->context, path, &text);
	char *save = NULL;

	kt_error_destroy(err);
	for (char *line = err || !text.data ? NULL : strtok_r(text.data, "\n", &save);
	     line && p->ok; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (*line == '[') {
			const char *id;
			enum group group = section_of(line, &id);

			options = group == N_GROUPS ? NULL : open_group(p, group);
			if (options && id)
				p->ok &= host_options_add(options, "id", id);
		} else if (options && *line != '#') {
			read_entry(p, line, options);
		}
	}
	kt_buf_deinit(&text);
}

/* --- numbers --- */

/* More than QEMU can have. */
#define CPUS_MAX 100000

/* A size as in "-m 1.5G": scale is that of a number without a suffix. */
static struct program_number read_size(const char *text, double scale)
{
	static const char suffixes[] = "BKMGTP";
	char *end;
	double value = text && isdigit((unsigned char)*text) ? strtod(text, &end) : -1;
	const char *suffix;

	if (!(value >= 0) || value > 1e15)
		return (struct program_number){0};
	if (*end) {
		suffix = strchr(suffixes, toupper((unsigned char)*end));
		if (!suffix || end[1])
			return (struct program_number){0};
		scale = ldexp(1, (int)(suffix - suffixes) * 10);
	}
	value *= scale;
	return value < 0x1p63 ? (struct program_number){true, (uint64_t)value}
			      : (struct program_number){0};
}

static bool read_count(const struct host_options *options, const char *key, uint64_t *ret)
{
	const char *text = host_options_get(options, key);
	unsigned long n;
	char *end;

	if (!text || !isdigit((unsigned char)*text))
		return false;
	n = strtoul(text, &end, 10);
	if (*end || !n || n >= CPUS_MAX)
		return false;
	*ret = n;
	return true;
}

/* As QEMU works it out: cpus, else maxcpus, else the product of the topology's parts. */
static void sum_up_vcpus(struct parser *p)
{
	static const char *const parts[] = {"sockets", "drawers",  "books", "dies",
					    "modules", "clusters", "cores", "threads"};
	const struct host_options *smp = p->said[SMP].data;
	uint64_t n = 1, part;

	if (smp && !read_count(smp, "cpus", &n) && !read_count(smp, "maxcpus", &n)) {
		for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
			if (n < CPUS_MAX && read_count(smp, parts[i], &part))
				n *= part;
	}
	p->out->vcpus = (struct program_number){n < CPUS_MAX, n};
}

/* -m, or the size of the machine's memory-backend. */
static void sum_up_memory(struct parser *p)
{
	const struct host_options *machine = p->said[MACHINE].data;
	const char *backend = machine ? host_options_get(machine, "memory-backend") : NULL;

	if (p->said[MEMORY].len)
		p->out->memory = read_size(host_options_get(p->said[MEMORY].data, "size"), 0x1p20);
	kt_vec_for_each (&p->said[OBJECT], object) {
		const char *id = host_options_get(object, "id");

		if (!p->out->memory.known && backend && id && !strcmp(backend, id))
			p->out->memory = read_size(host_options_get(object, "size"), 1);
	}
}

/* --- what it comes to --- */

static void sum_up_accel(struct parser *p)
{
	const struct host_options *machine = p->said[MACHINE].data;
	struct kt_buf list = KT_BUF_INIT;

	kt_vec_for_each (&p->said[ACCEL], accel) {
		const char *name = host_options_get(accel, "accel");

		if (name)
			kt_buf_printf(&list, "%s%s", list.len ? ":" : "", name);
	}
	if (list.len)
		set(p, &p->out->accel, list.data);
	else if (machine)
		set(p, &p->out->accel, host_options_get(machine, "accel"));
	p->ok &= !kt_buf_failed(&list);
	kt_buf_deinit(&list);
}

/* libvirt's monitor is '-mon chardev=charmonitor,id=monitor,mode=control' in all its versions. */
static bool is_libvirts(const struct host_options *mon, const char *chardev)
{
	const char *id = host_options_get(mon, "id");

	return id && !strcmp(id, "monitor") && !strcmp(chardev, "charmonitor");
}

static void sum_up_monitors(struct parser *p)
{
	kt_vec_for_each (&p->said[MON], mon) {
		const char *chardev = host_options_get(mon, "chardev");
		const char *mode = host_options_get(mon, "mode");

		if (!chardev)
			continue;
		if (!mode || strcmp(mode, "control") != 0)
			p->out->hmp = true;
		else if (is_libvirts(mon, chardev))
			p->out->libvirt = true;
		else
			p->ok &= kt_vec_push(&p->qmp_chardevs, chardev);
	}
	kt_vec_for_each (&p->stub_chardevs, id) {
		const struct host_options *options = find_chardev(p, *id);

		if (options)
			add_chardev(p, true, options);
	}
	kt_vec_for_each (&p->qmp_chardevs, id) {
		const struct host_options *options = find_chardev(p, *id);

		if (options)
			add_chardev(p, false, options);
	}
}

/* libvirt's key for secrets lies in its directory for the domain, in all its versions since 1.3. */
static void sum_up_libvirt(struct parser *p)
{
	const struct host_options *monitor = find_chardev(p, "charmonitor");
	const char *file = monitor ? host_options_get(monitor, "path") : NULL;

	kt_vec_for_each (&p->said[OBJECT], object) {
		const char *id = host_options_get(object, "id");

		if (!file && id && !strcmp(id, "masterKey0"))
			file = host_options_get(object, "file");
	}
	if (p->out->libvirt)
		set(p, &p->out->libvirt_file, file);
}

static void sum_up(struct parser *p)
{
	if (p->said[NAME].len)
		set(p, &p->out->name, host_options_get(p->said[NAME].data, "guest"));
	if (p->said[MACHINE].len)
		set(p, &p->out->kernel, host_options_get(p->said[MACHINE].data, "kernel"));
	sum_up_accel(p);
	sum_up_vcpus(p);
	sum_up_memory(p);
	sum_up_monitors(p);
	sum_up_libvirt(p);
}

static void parser_deinit(struct parser *p)
{
	for (size_t i = 0; i < N_GROUPS; i++) {
		kt_vec_for_each (&p->said[i], options)
			host_options_deinit(options);
		kt_vec_free(&p->said[i]);
	}
	kt_vec_free(&p->stub_chardevs);
	kt_vec_free(&p->qmp_chardevs);
}

struct kt_error *host_args_parse(const char *const *argv, size_t n, const struct host_reader *files,
				 struct host_args *ret)
{
	struct host_args out = {0};
	struct parser p = {.out = &out, .ok = true};

	if (n > HOST_ARGS_MAX)
		n = HOST_ARGS_MAX;
	for (size_t i = 0; i < n && p.ok; i++) {
		/* QEMU takes "--name", too. What has no dash is a disk. */
		const char *option = argv[i] + strspn(argv[i], "-");

		if (option == argv[i] || option > argv[i] + 2)
			continue;
		if (!takes_argument(option))
			take(&p, files, option, "");
		else if (i + 1 < n)
			take(&p, files, option, argv[++i]);
	}
	if (p.ok)
		sum_up(&p);
	parser_deinit(&p);
	if (p.ok)
		*ret = out;
	else
		host_args_deinit(&out);
	return p.ok ? NULL : kt_error_no_memory();
}

void host_args_deinit(struct host_args *c)
{
	free(c->name);
	free(c->uuid);
	free(c->accel);
	free(c->kernel);
	free(c->libvirt_file);
	kt_vec_for_each (&c->stubs, end) {
		free(end->path);
		free(end->host);
		free(end->port);
	}
	kt_vec_for_each (&c->monitors, end) {
		free(end->path);
		free(end->host);
		free(end->port);
	}
	kt_vec_free(&c->stubs);
	kt_vec_free(&c->monitors);
	*c = (struct host_args){0};
}
