// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb check: what is sure to fail when objects are loaded, without a boot. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/boot.h"
#include "cli/check.h"
#include "cli/config.h"
#include "cli/options.h"
#include "kernels/kernels.h"
#include "render/trials.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/path.h"
#include "vm/modules.h"
#include "vm/objects.h"

/* Of an object, in bytes. */
#define OBJECT_MAX ((size_t)256 << 20)

enum { OPT_MAY_FAIL = CLI_OPT_OWN };

struct check_options {
	KT_VEC(const char *) kernels; /* as they were given */
	struct kfacts_sources sources;
	const char *modules; /* NULL: where they are found */
	bool json, csv;
	enum cli_color color;
	struct check check;
	struct kt_kernels found;
	int status; /* the worst so far */
};

static void check_options_deinit(struct check_options *o)
{
	kt_vec_for_each (&o->check.objects, object)
		kt_buf_deinit(&object->bytes);
	kt_vec_for_each (&o->check.kernels, kernel) {
		preflight_result_deinit(&kernel->result);
		free(kernel->head);
	}
	kt_vec_free(&o->check.objects);
	kt_vec_free(&o->check.kernels);
	kt_vec_free(&o->kernels);
	kt_kernels_deinit(&o->found);
}

static struct kt_error *read_objects(struct check *check, char **paths, int n)
{
	for (int i = 0; i < n; i++) {
		struct check_object object = {.path = paths[i],
					      .name = kt_path_apart((const char *const *)paths,
								    (size_t)n, (size_t)i)};
		struct kt_error *err = vm_object_check(paths[i], NULL);

		if (!err)
			err = kt_read_file(paths[i], OBJECT_MAX, &object.bytes);
		if (!err && !kt_vec_push(&check->objects, object))
			err = kt_error_no_memory();
		if (err) {
			kt_buf_deinit(&object.bytes);
			return err;
		}
	}
	return NULL;
}

/* What could not be looked into. */
static void note_limits(const struct check_kernel *kernel)
{
	if (!kernel->result.has_btf)
		cli_note("%s has no BTF: what it lacks is known by its symbols alone",
			 kernel->name);
	if (*kernel->result.why_not_modules)
		cli_note("%s: what a module could have is not called failing: %s", kernel->name,
			 kernel->result.why_not_modules);
}

/* Adds a kernel; one that cannot be read is said, and the others go on. */
static void check_kernel(struct check_options *o, const struct preflight_kernel *files_of_kernel,
			 const char *name)
{
	struct check_kernel kernel = {.file = cli_sources_name(files_of_kernel->sources)};
	struct preflight_file *files = calloc(o->check.objects.len, sizeof(*files));
	struct kt_error *err = files ? NULL : kt_error_no_memory();

	cli_progress("reading the kernel");
	for (size_t i = 0; !err && i < o->check.objects.len; i++) {
		const struct check_object *object = &o->check.objects.data[i];

		files[i] = (struct preflight_file){kt_base_name(object->path), object->bytes.data,
						   object->bytes.len};
	}
	if (!err)
		err = preflight_apart(files_of_kernel, files, o->check.objects.len, cli_cancel_fd(),
				      &kernel.result);
	cli_progress(NULL);
	free(files);
	if (!err) {
		kernel.name = *kernel.result.release ? kernel.result.release : name;
		if (kt_vec_push(&o->check.kernels, kernel)) {
			note_limits(&kernel);
		} else {
			preflight_result_deinit(&kernel.result);
			err = kt_error_no_memory();
		}
	}
	if (err)
		o->status = cli_fail(err);
}

static struct kt_error *find_kernels(struct check_options *o)
{
	struct kt_kernels_options options = cli_kernels_options();

	kt_vec_for_each (&o->kernels, spec) {
		struct kt_error *err = kt_kernels_find(*spec, &options, &o->found);

		if (err)
			return err;
	}
	return kt_kernels_join(&o->found, &options);
}

static struct kt_error *make_heads(struct check *check)
{
	size_t n = check->kernels.len;
	_cleanup_free_ struct render_kernel_trials *named = calloc(n, sizeof(*named));
	struct kt_error *err = named || !n ? NULL : kt_error_no_memory();

	for (size_t i = 0; i < n && !err; i++) {
		const struct check_kernel *kernel = &check->kernels.data[i];
		bool known = *kernel->result.release;

		named[i].release = known ? kernel->result.release : NULL;
		named[i].asked = known ? kernel->file : kernel->name;
	}
	for (size_t i = 0; i < n && !err; i++) {
		struct kt_buf head = KT_BUF_INIT;

		render_kernel_name(named, n, i, &head);
		err = kt_buf_finish(&head, &check->kernels.data[i].head);
	}
	return err;
}

static struct kt_error *render(const struct check_options *o, char **ret)
{
	if (o->json)
		return check_render_json(&o->check, ret);
	if (o->csv)
		return check_render_csv(&o->check, ret);
	return check_render_text(&o->check, cli_terminal_width(), cli_color_on(o->color, stdout),
				 ret);
}

static bool any_fails(const struct check *check)
{
	for (size_t k = 0; k < check->kernels.len; k++)
		for (size_t i = 0; i < check->objects.len; i++)
			for (size_t p = 0; p < check_programs(check, i); p++)
				if (check_verdict(check, k, i, p, NULL) == CHECK_FAILS)
					return true;
	return false;
}

static int show(struct check_options *o)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;
	int status;

	if (!o->check.kernels.len)
		return o->status;
	err = make_heads(&o->check);
	if (!err)
		err = render(o, &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (status == CLI_DONE)
		status = o->status;
	return status == CLI_DONE && any_fails(&o->check) ? CLI_TEST_FAILED : status;
}

/* "vmlinuz-6.1.0-50" has the release in its name; NULL: it has not. */
static const char *release_in_name(const char *image)
{
	const char *name = kt_base_name(image), *dash = strchr(name, '-');

	return !strncmp(name, "vmlinu", 6) && dash ? dash + 1 : NULL;
}

/* The kernel of --vmlinux or --btf, with the modules beside it, or those of this machine. */
static void check_sources(struct check_options *o)
{
	const char *image = o->sources.image, *btf = o->sources.btf;
	_cleanup_free_ char *modules = NULL, *btf_dir = NULL;
	size_t len = btf ? strlen(btf) : 0, end = strlen("/btf/vmlinux");
	struct utsname uts;

	if (image)
		modules = vm_modules_dir(image, release_in_name(image));
	/* /sys/kernel/btf, or a copy, has the BTF of the modules that are loaded, too. */
	if (len >= end && !strcmp(btf + len - end, "/btf/vmlinux"))
		btf_dir = strndup(btf, len - strlen("/vmlinux"));
	if (btf_dir && !modules && !strcmp(btf_dir, "/sys/kernel/btf") && !uname(&uts))
		modules = vm_modules_dir("/boot/vmlinuz", uts.release);
	check_kernel(o,
		     &(struct preflight_kernel){&o->sources, o->modules ? o->modules : modules,
						btf_dir},
		     cli_sources_name(&o->sources));
}

static int run(struct check_options *o, int n, char **paths)
{
	struct kt_error *err = read_objects(&o->check, paths, n);

	if (!err)
		err = find_kernels(o);
	if (!err && o->modules && o->found.v.len + (cli_sources_name(&o->sources) != NULL) > 1)
		err = kt_error_new(KT_ERROR_USAGE, "--modules DIR is for one kernel");
	if (err)
		return cli_fail(err);
	kt_vec_for_each (&o->found.v, kernel) {
		const struct kfacts_sources sources = {.image = kernel->image,
						       .image_name = kernel->source};
		const struct preflight_kernel files = {
			&sources, o->modules ? o->modules : kernel->modules, NULL};

		check_kernel(o, &files, kernel->name);
		if (cli_sleep_ms(0))
			break;
	}
	if (cli_sources_name(&o->sources))
		check_sources(o);
	return show(o);
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct check_options *o = context;
	switch (option->value) {
	case CLI_OPT_KERNEL: return kt_vec_push(&o->kernels, arg) ? NULL : kt_error_no_memory();
	case CLI_OPT_VMLINUX: o->sources.image = arg; return NULL;
	case CLI_OPT_BTF: o->sources.btf = arg; return NULL;
	case CLI_OPT_SYSTEM_MAP: o->sources.system_map = arg; return NULL;
	case CLI_OPT_KALLSYMS: o->sources.kallsyms = arg; return NULL;
	case CLI_OPT_MODULES: o->modules = arg; return NULL;
	case OPT_MAY_FAIL: o->check.may_fail = true; return NULL;
	case CLI_OPT_JSON: o->json = true; return NULL;
	case CLI_OPT_CSV: o->csv = true; return NULL;
	default: return cli_color_option(arg, &o->color);
	}
}

/* The kernels of the settings, if the command line has none. */
static struct kt_error *take_settings(struct check_options *o)
{
	const struct cli_config *config;
	struct kt_error *err = cli_config(&config);

	if (o->kernels.len || cli_sources_name(&o->sources))
		return err;
	for (size_t i = 0; !err && i < config->n_kernels; i++)
		if (!kt_vec_push(&o->kernels, config->kernels[i]))
			err = kt_error_no_memory();
	return err;
}

static struct kt_error *check_usage(const struct check_options *o, int n)
{
	if (n < 1)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "check takes BPF objects"),
				     "as in ktstr-gdb check prog.bpf.o --kernel debian:bookworm");
	if (o->json && o->csv)
		return kt_error_new(KT_ERROR_USAGE, "--json and --csv: choose one");
	if (!o->kernels.len && !cli_sources_name(&o->sources))
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "check needs a kernel"),
				     "--kernel IMAGE, --vmlinux FILE, or --btf FILE; "
				     "/sys/kernel/btf/vmlinux is that of this machine");
	if (cli_sources_name(&o->sources) && !o->sources.image && !o->sources.btf)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						  "check needs the types of that kernel, too"),
				     "--btf FILE or --vmlinux FILE");
	return NULL;
}

/* clang-format off */
static const struct cli_option kernel_options[] = {
	{"kernel", CLI_OPT_KERNEL, "KERNEL",
	 "a vmlinuz, a package, a directory, debian:SUITE, as for collect; may be given again"},
	{"vmlinux", CLI_OPT_VMLINUX, "FILE",
	 "a vmlinux or vmlinuz"},
	{"btf", CLI_OPT_BTF, "FILE",
	 "raw BTF, a copy of a /sys/kernel/btf/vmlinux"},
	{"system-map", CLI_OPT_SYSTEM_MAP, "FILE",
	 "its symbols"},
	{"kallsyms", CLI_OPT_KALLSYMS, "FILE",
	 "its symbols"},
	{"modules", CLI_OPT_MODULES, "DIR",
	 "its modules (found beside an image, in its package, and, for /sys/kernel/btf/vmlinux, of this "
	 "machine)"},
	{0},
};

static const struct cli_option result_options[] = {
	{"may-fail", OPT_MAY_FAIL, NULL,
	 "show what only may fail, too"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	{"csv", CLI_OPT_CSV, NULL,
	 "a line for each program and kernel"},
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	_cleanup_(check_options_deinit) struct check_options o = {0};
	int status = cli_parse(&cli_check_command, argc, argv, take_option, &o);
	struct kt_error *err;

	if (status != CLI_GO_ON)
		return status;
	err = take_settings(&o);
	if (!err)
		err = check_usage(&o, argc - optind);
	return err ? cli_fail(err) : run(&o, argc - optind, argv + optind);
}

/* clang-format off */
const struct cli_command cli_check_command = {
	.name = "check",
	.summary = "what of BPF objects is sure to fail on a kernel",
	.section = CLI_NO_GUEST,
	.uses = {{"check FILE.bpf.o... --kernel IMAGE...", "what is sure to fail in a load"}},
	.synopsis = "check FILE.bpf.o... --kernel IMAGE... [OPTION...]\n"
		    "check FILE.bpf.o... --vmlinux FILE | --btf FILE [OPTION...]",
	.text = "Tells, without a boot, what of BPF objects is sure to fail on kernels: types of\n"
		"programs and maps, helpers, kfuncs, symbols, functions to attach to, struct_ops\n"
		"and CO-RE relocations that a kernel lacks. It says nothing about what the\n"
		"verifier will find: `ktstr-gdb collect` boots the kernel and loads them.\n"
		"\n"
		"  ok           nothing was found\n"
		"  \xe2\x9c\x97 CLASS      the load fails\n"
		"  ? CLASS      the load fails, unless a module is loaded that has, or may have,\n"
		"               what is missing. With --may-fail also: it fails only if the\n"
		"               verifier comes to that code, which a check before it may keep\n"
		"               it from\n"
		"  -            the object says not to load it: SEC(\"?...\")\n"
		"\n"
		"That is of the object as libbpf (up to 1.7) loads it, if its loader changes\n"
		"nothing in it before, and of the modules that come with the kernel.",
	.groups = {
		{"Kernels", kernel_options, NULL},
		{"The result", result_options, NULL},
	},
	.status = "0 nothing will fail; 1 something will; 2 usage; 3 it could not be done: a file is no BPF "
		  "object, or a kernel cannot be read",
	.examples = {{"ktstr-gdb check prog.bpf.o --kernel debian:bookworm --kernel debian:trixie",
		      NULL},
		     {"ktstr-gdb check prog.bpf.o --btf /sys/kernel/btf/vmlinux",
		      "The kernel of this machine."}},
	.see = "ktstr-gdb-collect(1)",
	.takes = CLI_TAKES_FILES,
	.run = run_command,
};
/* clang-format on */
