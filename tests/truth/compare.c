// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * compare TRUTH RESULT: whether `ktstr-gdb attach --json` (RESULT) says of every program what the
 * guest's own kernel says (TRUTH, see init.c). Each difference is a line on stdout.
 * Exit status: 0 equal; 1 not; 2 usage; 3 a document cannot be read.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRUTH_SCHEMA  "ktstr-gdb.truth.v1"
#define RESULT_SCHEMA "ktstr-gdb.programs.v1"

/* The one field that both sides compute: each rounds the offset of the clocks for itself. */
#define LOADED_AT_SLACK 1

static const char *const fields[] = {
	"type",
	"name",
	"short_name",
	"full_name",
	"tag",
	"verified_insns",
	"bytes_xlated",
	"jited",
	"bytes_jited",
	"loaded_at",
	"uid",
	"gpl_compatible",
	"map_ids",
	"btf_id",
	"run_cnt",
	"run_time_ns",
	"recursion_misses",
	"bytes_memlock",
	"orphaned",
	"sleepable",
	"xdp_has_frags",
	"expected_attach_type",
	"attach_btf_id",
	"attach_btf_name",
	"prog_tags",
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static size_t n_differences;

static void differ(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void differ(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	n_differences++;
}

/*
 * jansson takes no integer above INT64_MAX, and a link's addresses are such. Nothing that is
 * compared here is: of a longer number its first 18 digits are left.
 */
static void shorten_numbers(char *text)
{
	bool quoted = false;
	size_t digits = 0;

	for (char *c = text; *c; c++) {
		if (quoted && *c == '\\' && c[1]) {
			c++;
			continue;
		}
		quoted ^= *c == '"';
		digits = !quoted && *c >= '0' && *c <= '9' ? digits + 1 : 0;
		if (digits > 18)
			*c = ' ';
	}
}

/* The caller frees it. */
static char *read_text(const char *path)
{
	FILE *from = strcmp(path, "-") ? fopen(path, "re") : stdin, *to;
	char *text = NULL, buf[4096];
	size_t size, n;

	to = from ? open_memstream(&text, &size) : NULL;
	if (!to) {
		fprintf(stderr, "compare: %s: %s\n", path, strerror(errno));
		exit(3);
	}
	while ((n = fread(buf, 1, sizeof(buf), from)) > 0)
		fwrite(buf, 1, n, to);
	fclose(from);
	fclose(to);
	return text;
}

static json_t *load(const char *path, const char *schema)
{
	char *text = read_text(path);
	json_error_t error;
	json_t *doc;
	const char *found;

	shorten_numbers(text);
	doc = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	free(text);
	if (!doc) {
		fprintf(stderr, "compare: %s:%d: %s\n", path, error.line, error.text);
		exit(3);
	}
	found = json_string_value(json_object_get(doc, "schema"));
	if (!found || strcmp(found, schema) || !json_is_array(json_object_get(doc, "programs"))) {
		fprintf(stderr, "compare: %s is no document of %s\n", path, schema);
		exit(3);
	}
	return doc;
}

/* The programs of a document by id; "side" names the document in what is printed. */
static json_t *index_by_id(const json_t *programs, const char *side)
{
	json_t *index = json_object(), *program;
	size_t i;

	json_array_foreach(programs, i, program)
	{
		const json_t *id = json_object_get(program, "id");
		char key[32];

		if (!json_is_integer(id) || json_integer_value(id) <= 0) {
			differ("%s: entry %zu has no id", side, i);
			continue;
		}
		snprintf(key, sizeof(key), "%lld", (long long)json_integer_value(id));
		if (json_object_get(index, key))
			differ("program %s: listed twice in %s", key, side);
		json_object_set(index, key, program);
	}
	return index;
}

static bool same(const char *field, const json_t *truth, const json_t *result)
{
	long long apart;

	if (strcmp(field, "loaded_at"))
		return json_equal(truth, result);
	if (!json_is_integer(truth) || !json_is_integer(result))
		return false;
	apart = (long long)(json_integer_value(truth) - json_integer_value(result));
	return llabs(apart) <= LOADED_AT_SLACK;
}

static void compare_program(const char *id, const json_t *truth, const json_t *result)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		const json_t *want = json_object_get(truth, fields[i]);
		const json_t *got = json_object_get(result, fields[i]);
		char *want_text, *got_text;

		/* A truth that lacks a field would make every result right. */
		if (want && got && same(fields[i], want, got))
			continue;
		/* The kernel keeps it since 5.5, and tells it since 6.0. */
		if (json_is_null(want) && json_is_integer(got) &&
		    !strcmp(fields[i], "attach_btf_id"))
			continue;
		want_text = want ? json_dumps(want, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
		got_text = got ? json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
		differ("program %s: %s is %s, not %s", id, fields[i],
		       want_text ? want_text : "unknown to the guest",
		       got_text ? got_text : "there");
		free(want_text);
		free(got_text);
	}
}

static size_t count_types(const json_t *programs)
{
	json_t *types = json_object(), *program;
	size_t i, n;

	json_array_foreach(programs, i, program)
	{
		const char *type = json_string_value(json_object_get(program, "type"));

		if (type)
			json_object_set_new(types, type, json_true());
	}
	n = json_object_size(types);
	json_decref(types);
	return n;
}

static void compare_programs(const json_t *truth, const json_t *result, const char *allow_extra)
{
	json_t *want = index_by_id(truth, "the truth"), *got = index_by_id(result, "the result");
	const char *id;
	json_t *program;

	json_object_foreach(want, id, program)
	{
		const json_t *other = json_object_get(got, id);

		if (other)
			compare_program(id, program, other);
		else
			differ("program %s: missing (%s)", id,
			       json_string_value(json_object_get(program, "full_name")));
	}
	json_object_foreach(got, id, program)
	{
		const char *name = json_string_value(json_object_get(program, "name"));

		if (json_object_get(want, id) ||
		    (allow_extra && name && !strcmp(name, allow_extra)))
			continue;
		differ("program %s: not in the guest (%s)", id, name ? name : "no name");
	}
	json_decref(want);
	json_decref(got);
}

/* What the kernel says of itself, as far as both documents have it. */
static void compare_kernels(const json_t *truth, const json_t *result)
{
	static const char *const keys[] = {"release", "arch"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *want = json_string_value(json_object_get(truth, keys[i]));
		const char *got = json_string_value(json_object_get(result, keys[i]));

		if (!want || !got || strcmp(want, got))
			differ("kernel: %s is %s, not %s", keys[i], want ? want : "unknown",
			       got ? got : "there");
	}
}

static void usage(FILE *to)
{
	fputs("usage: compare [--min-programs N] [--min-types N] [--allow-extra NAME] TRUTH RESULT\n",
	      to);
}

static size_t number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text) {
		usage(stderr);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"min-programs", required_argument, NULL, 'p'},
		{"min-types", required_argument, NULL, 't'},
		{"allow-extra", required_argument, NULL, 'x'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	size_t min_programs = 0, min_types = 0, n_programs, n_types;
	const char *allow_extra = NULL;
	json_t *truth, *result, *programs;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p': min_programs = number(optarg); break;
		case 't': min_types = number(optarg); break;
		case 'x': allow_extra = optarg; break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (argc - optind != 2) {
		usage(stderr);
		return 2;
	}
	truth = load(argv[optind], TRUTH_SCHEMA);
	result = load(argv[optind + 1], RESULT_SCHEMA);
	programs = json_object_get(truth, "programs");
	n_programs = json_array_size(programs);
	n_types = count_types(programs);

	if (!json_is_true(json_object_get(truth, "quiet")))
		differ("the guest was not quiet: its truth did not stand still");
	if (n_programs < min_programs)
		differ("%zu programs, fewer than %zu", n_programs, min_programs);
	if (n_types < min_types)
		differ("%zu types, fewer than %zu", n_types, min_types);
	compare_kernels(json_object_get(truth, "kernel"), json_object_get(result, "kernel"));
	compare_programs(programs, json_object_get(result, "programs"), allow_extra);
	if (!n_differences)
		printf("%zu programs of %zu types: equal\n", n_programs, n_types);
	json_decref(truth);
	json_decref(result);
	return n_differences ? 1 : 0;
}
