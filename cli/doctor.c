// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb doctor: what of QEMU, KVM, kernels and the rest is here, and how to get what is not. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/config.h"
#include "cli/options.h"
#include "host/process.h"
#include "machine/disasm.h"
#include "model/json.h"
#include "render/text.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "vm/accel.h"
#include "vm/machine.h"

/* What is known of one thing. */
struct finding {
	const char *what; /* "QEMU for x86_64" */
	bool ok, needed;  /* needed: without it no guest boots here */
	char *detail;     /* the file, or what is wrong */
	char *get;        /* the command that gets it; NULL: none is needed, or none is known */
};

struct doctor {
	KT_VEC(struct finding) v;
	bool json, failed;
};

static void doctor_deinit(struct doctor *d)
{
	kt_vec_for_each (&d->v, finding) {
		free(finding->detail);
		free(finding->get);
	}
	kt_vec_free(&d->v);
}

/* Takes detail and get, which malloc() made; detail NULL: no memory. */
static void found(struct doctor *d, const char *what, bool ok, char *detail, char *get)
{
	if (detail && kt_vec_push(&d->v, (struct finding){what, ok, false, detail, get}))
		return;
	d->failed = true;
	free(detail);
	free(get);
}

static char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *fmt, ...)
{
	va_list ap;
	char *ret;

	va_start(ap, fmt);
	if (vasprintf(&ret, fmt, ap) < 0)
		ret = NULL;
	va_end(ap);
	return ret;
}

/* --- this host --- */

/* The path of a program, which the caller frees; NULL: it is not in PATH. */
static char *program(const char *name)
{
	const char *path = getenv("PATH");

	for (const char *dir = path ? path : "/usr/bin:/bin"; *dir;) {
		size_t len = strcspn(dir, ":");
		char *file = text("%.*s/%s", (int)len, dir, name);

		if (file && access(file, X_OK) == 0)
			return file;
		free(file);
		dir += len + (dir[len] == ':');
	}
	return NULL;
}

/* How this distribution installs packages. Each name is that of Debian, and that of Fedora. */
static char *install(const char *debian, const char *fedora)
{
	_cleanup_free_ char *apt = program("apt-get"), *dnf = program("dnf");

	if (apt && debian)
		return text("apt install %s", debian);
	return dnf && fedora ? text("dnf install %s", fedora) : NULL;
}

static void find_program(struct doctor *d, const char *what, const char *name, const char *debian,
			 const char *fedora, const char *for_what)
{
	char *path = program(name);

	if (path)
		found(d, what, true, path, NULL);
	else
		found(d, what, false, text("no %s: %s", name, for_what), install(debian, fedora));
}

/* --- what boots a guest --- */

static void find_qemus(struct doctor *d)
{
	static const struct {
		const char *arch, *what, *qemu, *debian, *fedora;
	} all[] = {
		{"x86_64", "QEMU for x86_64", "qemu-system-x86_64", "qemu-system-x86",
		 "qemu-system-x86"},
		{"aarch64", "QEMU for aarch64", "qemu-system-aarch64", "qemu-system-arm",
		 "qemu-system-aarch64"},
		{"riscv64", "QEMU for riscv64", "qemu-system-riscv64",
		 "qemu-system-misc # or qemu-system-riscv", "qemu-system-riscv"},
		{"s390x", "QEMU for s390x", "qemu-system-s390x",
		 "qemu-system-misc # or qemu-system-s390x", "qemu-system-s390x"},
		{"ppc64le", "QEMU for ppc64le", "qemu-system-ppc64", "qemu-system-ppc",
		 "qemu-system-ppc"},
		{"loongarch64", "QEMU for loong64", "qemu-system-loongarch64", "qemu-system-misc",
		 "qemu-system-loongarch64"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		find_program(d, all[i].what, all[i].qemu, all[i].debian, all[i].fedora,
			     "guests of that architecture cannot be booted");
	if (d->v.len)
		d->v.data[0].needed = true;
}

static void find_inits(struct doctor *d)
{
	static const struct {
		const char *arch, *what;
	} all[] = {
		{"x86_64", "init for x86_64"},   {"aarch64", "init for aarch64"},
		{"riscv64", "init for riscv64"}, {"s390x", "init for s390x"},
		{"ppc64le", "init for ppc64le"}, {"loongarch64", "init for loong64"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const struct vm_machine *machine = vm_machine_by_arch(all[i].arch);
		_cleanup_free_ void *file = NULL;
		const void *data;
		size_t size;
		struct kt_error *err;

		if (!machine)
			continue;
		err = vm_machine_init(machine, &data, &size, &file);
		found(d, all[i].what, !err,
		      err    ? text("%s", kt_error_message(err))
		      : file ? text("beside the tool, %zu bytes", size)
			     : text("in the tool"),
		      err ? text("make foreign FOREIGN=%s", all[i].arch) : NULL);
		kt_error_destroy(err);
	}
}

static void find_kvm(struct doctor *d)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		if (strcmp(vm_default_accel(), "kvm") == 0)
			found(d, "KVM", true,
			      text("/dev/kvm can be opened; the first boot tells whether guests "
				   "run"),
			      NULL);
		else
			found(d, "KVM", false,
			      text("a guest hung under it since this machine was booted: TCG is "
				   "used"),
			      text("ktstr-gdb collect --accel kvm ..."));
	} else if (errno == EACCES) {
		found(d, "KVM", false, text("/dev/kvm is there, and this user may not open it"),
		      text("sudo adduser $USER kvm  # and log in again"));
	} else {
		found(d, "KVM", false, text("no /dev/kvm: guests run under TCG, and slower"), NULL);
	}
}

/* --- kernels, and the cache --- */

static void find_kernels(struct doctor *d)
{
	_cleanup_free_ char *cache = kt_cache_dir(), *path = NULL;
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	if (!cache) {
		found(d, "cache", false, text("no home: HOME and XDG_CACHE_HOME are not set"),
		      NULL);
		return;
	}
	path = text("%s/kernels", cache);
	dir = path ? opendir(path) : NULL;
	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	if (access(cache, W_OK) && errno != ENOENT)
		found(d, "cache", false, text("%s: %s", cache, strerror(errno)), NULL);
	else
		found(d, "cache", true, text("%s", cache), NULL);
	found(d, "kernels", n > 0, n ? text("%zu fetched before", n) : text("none is fetched yet"),
	      n ? NULL : text("ktstr-gdb fetch-kernel trixie"));
}

static void find_settings(struct doctor *d)
{
	_cleanup_free_ char *path = cli_config_path();
	const struct cli_config *config;
	struct kt_error *err = cli_config(&config);

	if (err)
		found(d, "settings", false, text("%s", kt_error_message(err)), NULL);
	else if (path && access(path, R_OK) == 0)
		found(d, "settings", true, text("%s", path), NULL);
	kt_error_destroy(err);
}

/* --- guests that run --- */

static void find_vms(struct doctor *d)
{
	_cleanup_(vms_deinit) struct vms vms = {0};
	const struct host_proc proc = {.root = "/proc", .uid = geteuid()};
	struct kt_error *err = host_vms_read(&proc, &vms);
	size_t n = 0;

	kt_vec_for_each (&vms.v, vm)
		n += vm->ways.len > 0;
	if (err)
		found(d, "VMs", false, text("%s", kt_error_message(err)), NULL);
	else
		found(d, "VMs", true, text("%zu QEMU processes, %zu can be read", vms.v.len, n),
		      vms.v.len ? text("ktstr-gdb list") : NULL);
	kt_error_destroy(err);
}

static void find_libvirt(struct doctor *d)
{
	if (access("/run/libvirt/libvirt-sock", R_OK | W_OK) == 0 ||
	    access("/run/libvirt/virtqemud-sock", R_OK | W_OK) == 0)
		found(d, "libvirt", true, text("qemu:///system can be asked"), NULL);
	else if (errno == EACCES)
		found(d, "libvirt", false,
		      text("its socket is there, and this user may not open it"),
		      text("sudo adduser $USER libvirt  # and log in again"));
	else
		found(d, "libvirt", false,
		      text("no daemon of the system listens: libvirt:DOMAIN "
			   "needs one"),
		      install("libvirt-daemon-system", "libvirt"));
}

/* --- the whole --- */

static void examine(struct doctor *d)
{
	find_qemus(d);
	find_kvm(d);
	find_inits(d);
	find_program(d, "apt", "apt-get", NULL, NULL, "debian:SUITE cannot be fetched");
	find_kernels(d);
	find_settings(d);
	find_vms(d);
	find_libvirt(d);
	found(d, "capstone", machine_load(),
	      machine_load() ? text("disassembles what the JIT made")
			     : text("no libcapstone: `prog dump jited` shows bytes alone"),
	      machine_load() ? NULL : install("libcapstone4 # or libcapstone5", "capstone"));
	find_program(d, "Slurm", "sbatch", "slurm-client", "slurm",
		     "`sweep --engine slurm` is not possible");
	find_program(d, "GNU parallel", "parallel", "parallel", "parallel",
		     "`sweep --engine parallel` is not possible");
	find_program(d, "man", "man", "man-db", "man-db", "`ktstr-gdb help` shows short texts");
}

static char *as_text(const struct doctor *d)
{
	struct kt_buf out = KT_BUF_INIT;

	kt_vec_for_each (&d->v, f) {
		kt_buf_printf(&out, "%-4s %-17s ", f->ok ? "ok" : f->needed ? "NO" : "-", f->what);
		render_append_visible(&out, f->detail, false);
		kt_buf_appendc(&out, '\n');
		if (f->get)
			kt_buf_printf(&out, "%-22s %s\n", "", f->get);
	}
	return kt_buf_steal(&out);
}

static char *as_json(const struct doctor *d)
{
	json_t *array = json_array(), *document;
	char *ret = NULL;
	bool ok = array;

	kt_vec_for_each (&d->v, f)
		ok = ok && !json_array_append_new(array, json_pack("{s:s, s:b, s:b, s:o, s:o}",
								   "what", f->what, "ok", f->ok,
								   "needed", f->needed, "detail",
								   kt_json_text(f->detail), "get",
								   kt_json_text(f->get)));
	document = json_pack("{s:s, s:o}", "schema", "ktstr-gdb.doctor.v1", "findings", array);
	if (ok && document) {
		_cleanup_free_ char *dumped = json_dumps(document,
							 JSON_INDENT(2) | JSON_ENSURE_ASCII);

		ret = dumped ? text("%s\n", dumped) : NULL;
	}
	json_decref(document);
	return ret;
}

/* clang-format off */
static const struct cli_option own_options[] = {
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	{0},
};
/* clang-format on */

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct doctor *d = context;

	(void)option;
	(void)arg;
	d->json = true;
	return NULL;
}

static int run_command(int argc, char **argv)
{
	_cleanup_(doctor_deinit) struct doctor d = {0};
	int status = cli_parse(&cli_doctor_command, argc, argv, take_option, &d);
	_cleanup_free_ char *out = NULL;
	bool lacks = false;

	if (status != CLI_GO_ON)
		return status;
	if (argc > optind)
		return cli_fail(kt_error_new(KT_ERROR_USAGE, "doctor takes no argument, not \"%s\"",
					     argv[optind]));
	examine(&d);
	out = d.failed ? NULL : d.json ? as_json(&d) : as_text(&d);
	if (!out)
		return cli_fail(kt_error_no_memory());
	kt_vec_for_each (&d.v, f)
		lacks |= f->needed && !f->ok;
	status = cli_print(out);
	return status == CLI_DONE && lacks ? CLI_TEST_FAILED : status;
}

/* clang-format off */
const struct cli_command cli_doctor_command = {
	.name = "doctor",
	.summary = "what this host has of what ktstr-gdb uses",
	.section = CLI_HOST,
	.uses = {{"doctor", "what this host has, and how to get what it lacks"}},
	.synopsis = "doctor [OPTION...]",
	.text = "Tells what of QEMU, KVM, kernels, the inits that guests run, libvirt and the\n"
		"engines of a sweep is on this host, what each lacks, and the command that gets\n"
		"it. Nothing is changed, and no guest is stopped.\n"
		"\n"
		"  ok   it is here\n"
		"  -    it is not, and something that ktstr-gdb can do needs it\n"
		"  NO   it is not, and no guest can be booted without it",
	.groups = {{"Options", own_options, NULL}},
	.status = "0 a guest can be booted here; 1 it cannot; 2 usage; 3 it could not be done",
	.examples = {{"ktstr-gdb doctor", NULL}},
	.see = "ktstr-gdb-list(1), ktstr-gdb-fetch-kernel(1)",
	.without_settings = true,
	.takes = CLI_TAKES_NOTHING,
	.run = run_command,
};
/* clang-format on */
