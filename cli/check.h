/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `check` found, and how it is shown (cli/check_view.c, cli/check_text.c). */
#ifndef KT_CLI_CHECK_H
#define KT_CLI_CHECK_H

#include "preflight/apart.h"
#include "util/buf.h"

struct check_object {
	const char *path;
	const char *name; /* what tells it from the others */
	struct kt_buf bytes;
};

struct check_kernel {
	const char *name; /* of the column: the release, else what was given */
	const char *file; /* that it was read from */
	char *head;       /* of the column in text: the release, as short as tells it apart */
	struct preflight_result result;
};

struct check {
	KT_VEC(struct check_object) objects;
	KT_VEC(struct check_kernel) kernels; /* that could be read */
	bool may_fail;                       /* text shows what only may fail, too */
};

enum check_verdict { CHECK_OK, CHECK_FAILS, CHECK_MAY_FAIL, CHECK_OFF };

/*
 * What becomes of a program. *finding_ret (may be NULL): the one that says it, NULL of OK and OFF.
 * An object without programs has one, number 0.
 */
enum check_verdict check_verdict(const struct check *check, size_t kernel, size_t object,
				 size_t program, const struct preflight_finding **finding_ret);

/* "ok", "fails", "may_fail", "off". */
const char *check_verdict_name(enum check_verdict verdict);

const struct preflight_report *check_report(const struct check *check, size_t kernel,
					    size_t object);

/* Programs of all objects. */
size_t check_rows(const struct check *check);

/* How many programs an object has, 1 for one that cannot be opened; its names are "" then. */
size_t check_programs(const struct check *check, size_t object);
const char *check_program_name(const struct check *check, size_t object, size_t program);
const char *check_program_section(const struct check *check, size_t object, size_t program);

/* The whole result. width: of the terminal; 0: there is none. The caller frees *ret.
 * KT_ERROR_NO_MEMORY. */
struct kt_error *check_render_text(const struct check *check, size_t width, bool color, char **ret);
struct kt_error *check_render_csv(const struct check *check, char **ret);
struct kt_error *check_render_json(const struct check *check, char **ret);

#endif
