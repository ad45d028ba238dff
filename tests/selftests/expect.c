// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * expect OBJECT...: what the kernel's selftests say of each of their programs, as JSON, an object a
 *line.
 *
 * They say it in declaration tags of a function, which a macro for each kind makes (bpf_misc.h of
 *the selftests, where each is explained). N counts up in a file and gives the order, since a
 *compiler may give them in any:
 *
 *	comment:test_expect_failure
 *	comment:test_expect_msg=N=TEXT		Linux 6.12
 *	comment:N:test_expect_msg=TEXT		Linux 7.3
 *
 * Of TEXT, what stands in {{ }} is an extended regular expression, and the rest is itself.
 */
#include <bpf/btf.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TAGS 512

static void die(const char *what, const char *why)
{
	fprintf(stderr, "expect: %s: %s\n", what, why);
	exit(1);
}

static int by_number(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* The tags of function id itself, not of its arguments, in the order of the source. */
static size_t tags_of(const struct btf *btf, unsigned id, const char **tags)
{
	size_t n = 0;

	for (unsigned i = 1; i < btf__type_cnt(btf); i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);

		if (!btf_is_decl_tag(t) || t->type != id || btf_decl_tag(t)->component_idx != -1)
			continue;
		if (n == MAX_TAGS)
			die(btf__str_by_offset(btf, t->name_off), "too many tags");
		tags[n++] = btf__str_by_offset(btf, t->name_off);
	}
	qsort(tags, n, sizeof(*tags), by_number);
	return n;
}

/* Without "comment:" and the number, in either place; *value is what stands behind "=", or "". */
static bool read_tag(const char *tag, char *kind, size_t size, const char **value)
{
	const char *end;

	if (strncmp(tag, "comment:", strlen("comment:")) != 0)
		return false;
	tag += strlen("comment:");
	end = tag + strspn(tag, "0123456789");
	if (end > tag && *end == ':')
		tag = end + 1;
	end = strchrnul(tag, '=');
	if ((size_t)(end - tag) >= size)
		return false;
	memcpy(kind, tag, (size_t)(end - tag));
	kind[end - tag] = '\0';
	*value = *end ? end + 1 : end;
	return true;
}

/* "N=TEXT" of Linux 6.12. */
static const char *text_of(const char *value, bool numbered)
{
	const char *end = value + strspn(value, "0123456789");

	return numbered && *end == '=' ? end + 1 : value;
}

/* The whole as one extended regular expression. */
static json_t *pattern(const char *text)
{
	char *re = calloc(2, strlen(text) + 1), *p = re;
	bool verbatim = true;
	json_t *made;

	while (re && *text) {
		if (!strncmp(text, verbatim ? "{{" : "}}", 2)) {
			verbatim = !verbatim;
			text += 2;
			continue;
		}
		if (verbatim && strchr(".[]\\()*+?{}|^$", *text))
			*p++ = '\\';
		*p++ = *text++;
	}
	made = re ? json_string(re) : NULL;
	free(re);
	return made;
}

static void take_tag(json_t *program, const char *tag)
{
	bool numbered = strncmp(tag, "comment:test_", strlen("comment:test_")) == 0;
	const char *value;
	char kind[64];

	if (!read_tag(tag, kind, sizeof(kind), &value))
		return;
	if (!strcmp(kind, "test_expect_failure"))
		json_object_set_new(program, "fails", json_true());
	else if (!strcmp(kind, "test_expect_success"))
		json_object_set_new(program, "fails", json_false());
	else if (!strcmp(kind, "test_expect_msg"))
		json_array_append_new(json_object_get(program, "messages"),
				      pattern(text_of(value, numbered)));
	else if (!strcmp(kind, "test_arch"))
		json_array_append_new(json_object_get(program, "archs"), json_string(value));
	else if (!strcmp(kind, "test_prog_flags"))
		json_array_append_new(json_object_get(program, "wants"), json_string(value));
	else if (!strcmp(kind, "test_log_level"))
		json_array_append_new(json_object_get(program, "wants"),
				      json_sprintf("log level %s", value));
	else if (!strcmp(kind, "test_btf_path") || !strcmp(kind, "test_btf_func_path"))
		json_array_append_new(json_object_get(program, "wants"),
				      json_sprintf("BTF of %s", value));
	else if (!strcmp(kind, "load_mode"))
		json_array_append_new(json_object_get(program, "wants"), json_string(value));
}

static void print_function(const struct btf *btf, unsigned id, const char *object)
{
	const char *tags[MAX_TAGS];
	size_t n = tags_of(btf, id, tags);
	json_t *program = json_pack("{s:s, s:s, s:n, s:[], s:[], s:[]}", "object", object, "name",
				    btf__str_by_offset(btf, btf__type_by_id(btf, id)->name_off),
				    "fails", "messages", "archs", "wants");

	if (!program)
		die(object, "out of memory");
	for (size_t i = 0; i < n; i++)
		take_tag(program, tags[i]);
	if (n) {
		json_dumpf(program, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		putchar('\n');
	}
	json_decref(program);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct btf *btf = btf__parse(argv[i], NULL);

		if (!btf)
			die(argv[i], "no BTF");
		for (unsigned id = 1; id < btf__type_cnt(btf); id++)
			if (btf_is_func(btf__type_by_id(btf, id)))
				print_function(btf, id, basename(argv[i]));
		btf__free(btf);
	}
	return 0;
}
