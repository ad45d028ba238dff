// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/objects.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define OBJECTS                                                                                    \
	(INSPECT_PROGRAMS | INSPECT_MAPS | INSPECT_LINKS | INSPECT_INSNS | INSPECT_SCX |           \
	 INSPECT_JITED | INSPECT_MAP_DUMP | INSPECT_BTF | INSPECT_LOADS | NOT_READ)
/* Only whether they could be. */
#define NOT_READ                                                                                   \
	(INSPECT_CGROUPS | INSPECT_NET | INSPECT_HOLDERS | INSPECT_TRAMPOLINES |                   \
	 INSPECT_STRUCT_OPS | INSPECT_SCHED)

/* Something that ktstr-gdb does, and what it needs of a kernel: an object, a symbol or a member. */
struct feature {
	const char *name;
	unsigned int object; /* INSPECT_*: inspect_check() tells; 0: see symbol or member */
	const char *symbol;
	const char *type, *member;
	const char *without; /* the message when the kernel lacks symbol or member */
	bool partly;         /* without them, a part of it works still */
};

static const struct feature features[] = {
	{.name = "programs", .object = INSPECT_PROGRAMS},
	{.name = "verified_insns",
	 .type = "bpf_prog_aux",
	 .member = "verified_insns",
	 .without = "this kernel does not keep it; Linux 5.16 and later do"},
	{.name = "full names",
	 .type = "bpf_prog_aux",
	 .member = "func_info",
	 .without = "this kernel's programs have no BTF; Linux 5.0 and later do"},
	{.name = "maps", .object = INSPECT_MAPS},
	{.name = "map dump", .object = INSPECT_MAP_DUMP},
	{.name = "links", .object = INSPECT_LINKS},
	{.name = "holders", .object = INSPECT_HOLDERS},
	{.name = "trampolines", .object = INSPECT_TRAMPOLINES},
	{.name = "struct_ops", .object = INSPECT_STRUCT_OPS},
	{.name = "perf", .object = INSPECT_PERF},
	{.name = "sched", .object = INSPECT_SCHED},
	{.name = "cgroup", .object = INSPECT_CGROUPS},
	{.name = "net", .object = INSPECT_NET},
	{.name = "btf list", .object = INSPECT_BTF},
	{.name = "prog dump", .object = INSPECT_INSNS},
	{.name = "prog dump jited", .object = INSPECT_JITED},
	{.name = "watch",
	 .symbol = "bpf_vlog_finalize",
	 .without = "results only: the verifier's numbers need Linux 6.4 and later",
	 .partly = true},
};
#define N_FEATURES (sizeof(features) / sizeof(features[0]))

/* Whether a feature works. */
struct verdict {
	bool works; /* at least in part */
	char *why;  /* why it does not, or only in part; NULL: it works */
	char *hint; /* what the user can try; may be NULL */
};

/* NULL: it works, on this kernel. KT_ERROR_PARTIAL: in part. */
static struct kt_error *objection(const struct feature *feature, const struct kfacts *facts)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(facts);
	struct kfacts_member member;
	gaddr_t addr;

	if (feature->object)
		return inspect_check(feature->object, facts);
	if (!kernel->types_from[0])
		return kt_error_new(KT_ERROR_NOT_FOUND, "nothing tells the kernel's types");
	if (feature->symbol ? kfacts_symbol(facts, feature->symbol, &addr)
			    : kfacts_member(facts, feature->type, feature->member, &member))
		return NULL;
	return kt_error_new(feature->partly ? KT_ERROR_PARTIAL : KT_ERROR_NOT_FOUND, "%s",
			    feature->without);
}

static struct kt_error *judge(const struct feature *feature, const struct kfacts *facts,
			      struct verdict *ret)
{
	struct kt_error *why = objection(feature, facts);
	const char *hint = why ? kt_error_hint_text(why) : NULL;
	bool whole = true;

	ret->works = !why;
	if (why) {
		ret->why = strdup(kt_error_message(why));
		ret->hint = hint ? strdup(hint) : NULL;
		ret->works = kt_error_code(why) == KT_ERROR_PARTIAL;
		whole = ret->why && (ret->hint || !hint);
	}
	kt_error_destroy(why);
	return whole ? NULL : kt_error_no_memory();
}

struct judgement {
	struct verdict all[N_FEATURES];
};

static void judgement_deinit(struct judgement *judgement)
{
	for (size_t i = 0; i < N_FEATURES; i++) {
		free(judgement->all[i].why);
		free(judgement->all[i].hint);
	}
}

static struct kt_error *judge_all(const struct kfacts *facts, struct judgement *ret)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < N_FEATURES && !err; i++)
		err = judge(&features[i], facts, &ret->all[i]);
	return err;
}

/*
 * Names the source of symbols or types. Without a path there was no image, but a record of the
 * guest's memory, whose .symtab is the guest's kallsyms.
 */
static void from(struct kt_buf *out, const char *text, const char *path)
{
	static const char image[] = " of the image";
	size_t len = strlen(text), end = sizeof(image) - 1;

	if (!*text)
		kt_buf_appends(out, "none");
	else if (!path && !strcmp(text, ".symtab of the image"))
		kt_buf_appends(out, "kallsyms, from the guest's memory");
	else if (!path && len > end && !strcmp(text + len - end, image))
		kt_buf_printf(out, "%.*s, from the guest's memory", (int)(len - end), text);
	else
		kt_buf_appends(out, text);
}

static void line(struct kt_buf *out, const char *key)
{
	kt_buf_printf(out, "%-14s", key);
}

static void text_line(struct kt_buf *out, const char *key, const char *text)
{
	line(out, key);
	render_append_visible(out, text && *text ? text : "-", false);
	kt_buf_appendc(out, '\n');
}

static void paging_line(struct kt_buf *out, const struct guest_paging *paging)
{
	if (!paging->levels)
		return;
	line(out, "page tables");
	kt_buf_printf(out, "%u levels, %u-bit addresses, pages of %" PRIu64 " KiB\n",
		      paging->levels, paging->address_bits, paging->page_size / 1024);
}

/* The number of objects, or "-" if they could not be read. */
static void count_line(struct kt_buf *out, const struct inspection *inspection, unsigned int object,
		       const char *key, size_t n)
{
	line(out, key);
	if (inspection->objects & object)
		kt_buf_printf(out, "%zu\n", n);
	else
		kt_buf_appends(out, "-\n");
}

static void kernel_lines(struct kt_buf *out, const struct cli_result *result, const char *path)
{
	const struct inspection *inspection = result->inspection;
	const struct kfacts_kernel *kernel = kfacts_kernel(result->session->facts);
	char build_id[CLI_BUILD_ID_MAX];
	struct render_guest guest = cli_render_guest(result, build_id);
	int64_t kaslr = guest.kaslr_offset;

	text_line(out, "kernel", kernel->release);
	text_line(out, "build ID", build_id);
	text_line(out, "architecture", kernel->arch);
	paging_line(out, &inspection->paging);
	line(out, "KASLR offset");
	if (guest.kaslr_unknown)
		kt_buf_appends(out, "-\n");
	else
		kt_buf_printf(out, "%s0x%" PRIx64 "\n", kaslr < 0 ? "-" : "",
			      kaslr < 0 ? -(uint64_t)kaslr : (uint64_t)kaslr);
	if (inspection->n_cpus) {
		line(out, "CPUs");
		kt_buf_printf(out, "%zu\n", inspection->n_cpus);
	}
	line(out, "symbols");
	from(out, kernel->symbols_from, path);
	kt_buf_appendc(out, '\n');
	line(out, "types");
	from(out, kernel->types_from, path);
	kt_buf_appendc(out, '\n');
}

static void emulator_line(struct kt_buf *out, const struct emulator *emulator)
{
	line(out, "QEMU");
	kt_buf_appends(out, *emulator->version ? emulator->version : "-");
	if (emulator->kvm.known)
		kt_buf_appends(out, emulator->kvm.value ? ", KVM" : ", no KVM");
	kt_buf_appendc(out, '\n');
}

static void scx_line(struct kt_buf *out, const struct cli_result *result)
{
	const struct scx_state *scx = &result->inspection->scx;
	const struct kfacts_kernel *kernel = kfacts_kernel(result->session->facts);
	bool can_tell = kernel->types_from[0] && kernel->symbols_from[0];

	line(out, "sched_ext");
	if (can_tell && !scx_supported(result->session->facts))
		kt_buf_appends(out, "none (CONFIG_SCHED_CLASS_EXT)");
	else
		render_append_visible(out, scx->known ? scx->state : "-", false);
	if (scx->ops[0]) {
		kt_buf_appends(out, ", ");
		render_append_visible(out, scx->ops, false);
	}
	kt_buf_appendc(out, '\n');
}

static void feature_lines(struct kt_buf *out, const struct judgement *judgement)
{
	kt_buf_appends(out, "\nWhat works on this guest:\n");
	for (size_t i = 0; i < N_FEATURES; i++) {
		const struct verdict *v = &judgement->all[i];

		kt_buf_printf(out, "  %-16s%s", features[i].name,
			      !v->works ? "no: "
			      : v->why  ? "in part: "
					: "yes");
		if (v->why)
			render_append_visible(out, v->why, false);
		kt_buf_appendc(out, '\n');
	}
}

/* Features often have the same hint: each hint is printed once. */
static void hint_lines(struct kt_buf *out, const struct judgement *judgement)
{
	for (size_t i = 0; i < N_FEATURES; i++) {
		const char *hint = judgement->all[i].hint;
		bool said = false;

		for (size_t j = 0; j < i && hint; j++)
			said |= judgement->all[j].hint && !strcmp(judgement->all[j].hint, hint);
		if (!hint || said)
			continue;
		kt_buf_appends(out, "To have the rest, ");
		render_append_visible(out, hint, false);
		kt_buf_appendc(out, '\n');
	}
}

static struct kt_error *render_text(const struct cli_result *result,
				    const struct judgement *judgement, const char *path, char **ret)
{
	const struct inspection *inspection = result->inspection;
	struct kt_buf out = KT_BUF_INIT;

	kernel_lines(&out, result, path);
	emulator_line(&out, &inspection->emulator);
	count_line(&out, inspection, INSPECT_PROGRAMS, "programs", inspection->programs.n);
	count_line(&out, inspection, INSPECT_MAPS, "maps", inspection->maps.n);
	count_line(&out, inspection, INSPECT_LINKS, "links", inspection->links.n);
	scx_line(&out, result);
	feature_lines(&out, judgement);
	hint_lines(&out, judgement);
	return kt_buf_finish(&out, ret);
}

static json_t *json_count(const struct inspection *inspection, unsigned int object, size_t n)
{
	return inspection->objects & object ? kt_json_u64(n) : json_null();
}

static json_t *json_features(const struct judgement *judgement)
{
	json_t *array = json_array();

	for (size_t i = 0; i < N_FEATURES; i++) {
		json_t *json = json_object();
		const struct verdict *v = &judgement->all[i];

		json_object_set_new(json, "name", json_string(features[i].name));
		json_object_set_new(json, "works", json_boolean(v->works));
		json_object_set_new(json, "why", kt_json_text(v->why));
		json_object_set_new(json, "hint", kt_json_text(v->hint));
		json_array_append_new(array, json);
	}
	return array;
}

static json_t *json_from(const char *text, const char *path)
{
	struct kt_buf out = KT_BUF_INIT;
	char *s = NULL;
	json_t *json;

	if (!*text)
		return json_null();
	from(&out, text, path);
	kt_error_destroy(kt_buf_finish(&out, &s));
	json = s ? kt_json_text(s) : NULL;
	free(s);
	return json;
}

static struct kt_error *render_json(const struct cli_result *result,
				    const struct judgement *judgement, const char *path, char **ret)
{
	const struct inspection *inspection = result->inspection;
	const struct kfacts_kernel *kernel = kfacts_kernel(result->session->facts);
	const struct guest_paging *paging = &inspection->paging;
	const struct emulator *emulator = &inspection->emulator;
	json_t *root = json_object(), *json = json_object(), *scx = json_object();
	json_t *qemu = json_object();
	char build_id[CLI_BUILD_ID_MAX];
	struct render_guest guest = cli_render_guest(result, build_id);

	json_object_set_new(root, "schema", json_string("ktstr-gdb.info.v1"));
	json_object_set_new(root, "kernel", render_json_kernel(&guest));
	json_object_set_new(root, "pause_us", json_integer(guest.pause_us));
	json_object_set_new(json, "levels", json_integer(paging->levels));
	json_object_set_new(json, "address_bits", json_integer(paging->address_bits));
	json_object_set_new(json, "page_size", kt_json_u64(paging->page_size));
	json_object_set_new(root, "page_tables", json);
	json_object_set_new(root, "cpus", kt_json_u64(inspection->n_cpus));
	json_object_set_new(qemu, "version",
			    kt_json_text(*emulator->version ? emulator->version : NULL));
	json_object_set_new(qemu, "kvm",
			    emulator->kvm.known ? json_boolean(emulator->kvm.value) : json_null());
	json_object_set_new(root, "qemu", qemu);
	json_object_set_new(root, "symbols_from", json_from(kernel->symbols_from, path));
	json_object_set_new(root, "types_from", json_from(kernel->types_from, path));
	json_object_set_new(root, "programs",
			    json_count(inspection, INSPECT_PROGRAMS, inspection->programs.n));
	json_object_set_new(root, "maps", json_count(inspection, INSPECT_MAPS, inspection->maps.n));
	json_object_set_new(root, "links",
			    json_count(inspection, INSPECT_LINKS, inspection->links.n));
	json_object_set_new(scx, "state",
			    inspection->scx.known ? kt_json_text(inspection->scx.state)
						  : json_null());
	json_object_set_new(scx, "ops",
			    inspection->scx.ops[0] ? kt_json_text(inspection->scx.ops)
						   : json_null());
	json_object_set_new(root, "sched_ext", scx);
	json_object_set_new(root, "features", json_features(judgement));
	return kt_json_dump(root, ret);
}

static int show(const struct cli_args *args)
{
	const struct inspect_options what = {
		.objects = OBJECTS | INSPECT_AVAILABLE,
		.not_read = NOT_READ,
		.paging = true,
		.emulator = true,
	};
	_cleanup_(cli_session_deinit) struct cli_session session = {0};
	_cleanup_(judgement_deinit) struct judgement judgement = {0};
	_cleanup_free_ char *text = NULL;
	const struct cli_result result = {.session = &session, .inspection = &session.inspection};
	const char *path = args->guest.vmlinux;
	struct kt_error *err = cli_session_open(&session, &args->guest, args->target, NULL);
	int status;

	if (!err)
		err = cli_session_read(&session, &what);
	if (!err)
		err = judge_all(session.facts, &judgement);
	if (!err)
		err = args->output.json ? render_json(&result, &judgement, path, &text)
					: render_text(&result, &judgement, path, &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (args->output.timing)
		cli_print_timing(&result);
	return status;
}

/* clang-format off */
static const struct cli_option output_options[] = {
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	struct cli_args args = {0};
	int status = cli_parse_args(&cli_info_command, argc, argv, &args);

	if (status == CLI_GO_ON)
		status = show(&args);
	cli_output_deinit(&args.output);
	return status;
}

/* clang-format off */
const struct cli_command cli_info_command = {
	.name = "info",
	.summary = "the kernel of a running guest, and what works on it",
	.section = CLI_RUNNING,
	.uses = {{"info [TARGET]", "its kernel, and what works on it"}},
	.synopsis = "info [TARGET] [OPTION...]",
	.text = "Prints what kernel a running QEMU guest has, and what QEMU it runs in; where the\n"
		"kernel's symbols and types come from, how many BPF objects it holds, and\n"
		"what of ktstr-gdb works on it.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb info :1234",
		      NULL}},
	.see = "ktstr-gdb-list(1)",
	.takes = CLI_TAKES_TARGET,
	.run = run_command,
};
/* clang-format on */
