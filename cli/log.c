// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb log: verifier logs that a person can read. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/input.h"
#include "cli/log_format.h"
#include "cli/options.h"
#include "cli/pager.h"
#include "cli/rewriter.h"
#include "cli/writer.h"
#include "logparse/blocks.h"
#include "logparse/collapse.h"
#include "logparse/logs.h"
#include "logparse/unwrap.h"
#include "render/log_json.h"
#include "render/log_last.h"
#include "render/log_page.h"
#include "render/log_table.h"
#include "render/text.h"
#include "util/cleanup.h"

enum {
	/* In the order of modes[]. */
	OPT_RAW = CLI_OPT_OWN,
	OPT_LAST,
	OPT_STATS,
	OPT_SOURCE,
	OPT_JSON,
	OPT_HTML,
	OPT_FORMAT,
	OPT_SOURCE_ROOT,
	OPT_PROGRAM,
	OPT_PRECISION,
	OPT_NO_PAGER,
};

struct log;

/* What to show: a whole text, or one log after the other, or a table of all logs of all files. */
struct mode {
	const char *option;
	struct kt_error *(*whole)(struct log *log, struct kt_text text); /* NULL: by program */
	struct kt_error *(*program)(struct log *log, const struct kt_log_block *block);
	struct kt_error *(*table)(const struct log *log, char **ret);
	struct kt_error *(*check_sort)(const char *key); /* NULL: --sort and --csv are refused */
	bool is_log;   /* shows the lines of logs, in their colours */
	bool is_about; /* shows the text of --last, in its colours */
	bool is_clean; /* what it shows has colours, and nothing that could control a terminal */
};

struct log {
	const struct mode *mode;
	struct kt_collapse_options collapse;
	const char *program, *sort, *html;
	const struct cli_log_format *format;
	const char *source_root;
	bool csv, no_pager;
	enum cli_color color;

	const char *path;     /* the file at hand; "-": standard input */
	struct kt_text input; /* its text */
	bool has_blocks;      /* that file has libbpf's markers */
	bool incomplete;      /* a file could not be read */
	KT_VEC(struct render_log_program) programs;
	size_t n_wanted;      /* logs of programs that match --program */
	struct kt_buf others; /* names of the other programs, for the error message */
	KT_VEC(struct kt_unwrapped *) unwrapped; /* of texts that had something around the logs */
	const struct kt_unwrapped *wrapped;      /* of the text at hand; NULL: it has nothing */
	struct cli_writer writer;
};

/* The end of an output whose error so far is err. */
static struct kt_error *end_rewriter(struct cli_rewriter *rewriter, struct kt_error *err)
{
	struct kt_error *end = cli_rewriter_end(rewriter);

	if (!err)
		return end;
	kt_error_destroy(end);
	return err;
}

/* Collapses what is, or has, a log; its lines go out with what the input has around them. */
static struct kt_error *collapse(struct log *log, struct kt_text text, bool blocks)
{
	struct cli_rewriter rewriter;
	kt_sink_fn sink = log->wrapped ? cli_rewriter_put : cli_writer_put;
	void *arg = log->wrapped ? (void *)&rewriter : &log->writer;
	struct kt_error *err;

	if (log->wrapped)
		cli_rewriter_init(&rewriter, &log->writer, log->wrapped, log->input, blocks);
	err = blocks ? kt_collapse_blocks_to(text, &log->collapse, sink, arg)
		     : kt_collapse_cycles_to(text, &log->collapse, sink, arg);
	return log->wrapped ? end_rewriter(&rewriter, err) : err;
}

static struct kt_error *raw(struct log *log, struct kt_text text, bool blocks)
{
	struct cli_rewriter rewriter;

	if (!log->wrapped)
		return cli_writer_put(&log->writer, text);
	cli_rewriter_init(&rewriter, &log->writer, log->wrapped, log->input, blocks);
	return end_rewriter(&rewriter, cli_rewriter_put(&rewriter, text));
}

static struct kt_error *raw_whole(struct log *log, struct kt_text text)
{
	return raw(log, text, log->has_blocks);
}

static struct kt_error *raw_program(struct log *log, const struct kt_log_block *block)
{
	return raw(log, block->trace, false);
}

static struct kt_error *collapsed_whole(struct log *log, struct kt_text text)
{
	return collapse(log, text, log->has_blocks);
}

static struct kt_error *collapsed_program(struct log *log, const struct kt_log_block *block)
{
	return collapse(log, block->trace, false);
}

/* The texts of several programs have an empty line between them. */
static struct kt_error *last_program(struct log *log, const struct kt_log_block *block)
{
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err;

	kt_buf_appends(&out, log->n_wanted > 1 ? "\n" : "");
	err = render_log_last_of(block, &out);
	if (!err)
		err = cli_writer_put(&log->writer, (struct kt_text){out.data, out.len});
	if (!err)
		err = cli_writer_end(&log->writer);
	cli_writer_begin(&log->writer, false);
	kt_buf_deinit(&out);
	return err;
}

static struct kt_error *gather_program(struct log *log, const struct kt_log_block *block)
{
	struct render_log_program program = {
		.file = {log->path, strlen(log->path)},
		.log = *block,
		.input = log->input,
		.wrapped = log->wrapped,
	};

	return kt_vec_push(&log->programs, program) ? NULL : kt_error_no_memory();
}

static struct render_log_table_options table_options(const struct log *log)
{
	struct winsize size;
	bool terminal = !log->csv && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;

	return (struct render_log_table_options){
		.sort = log->sort,
		.csv = log->csv,
		.width = terminal ? size.ws_col : 0,
		.color = !log->csv && cli_color_on(log->color, stdout),
	};
}

static struct kt_error *stats_table(const struct log *log, char **ret)
{
	struct render_log_table_options options = table_options(log);

	return render_log_stats(log->programs.data, log->programs.len, &options, ret);
}

static struct kt_error *source_table(const struct log *log, char **ret)
{
	struct render_log_table_options options = table_options(log);

	return render_log_source(log->programs.data, log->programs.len, &options, ret);
}

static struct kt_error *json_table(const struct log *log, char **ret)
{
	return render_log_json(log->programs.data, log->programs.len, &log->collapse, ret);
}

static struct kt_error *html_page(const struct log *log, char **ret)
{
	return kt_format_log_html(log->programs.data, log->programs.len, ret);
}

static struct kt_error *format_table(const struct log *log, char **ret)
{
	struct cli_log_format_wishes wishes = {log->source_root, log->incomplete};

	return cli_log_format_render(log->format, log->programs.data, log->programs.len, &wishes,
				     ret);
}

static const struct mode collapsed = {
	.whole = collapsed_whole,
	.program = collapsed_program,
	.is_log = true,
};

/* At option - OPT_RAW. */
static const struct mode modes[] = {
	{.option = "--raw", .whole = raw_whole, .program = raw_program, .is_log = true},
	{.option = "--last", .program = last_program, .is_about = true},
	{
		.option = "--stats",
		.program = gather_program,
		.table = stats_table,
		.check_sort = render_log_stats_check_sort,
		.is_clean = true,
	},
	{
		.option = "--source",
		.program = gather_program,
		.table = source_table,
		.check_sort = render_log_source_check_sort,
		.is_clean = true,
	},
	{.option = "--json", .program = gather_program, .table = json_table},
	{.option = "--html", .program = gather_program, .table = html_page, .is_clean = true},
	{
		.option = "--format",
		.program = gather_program,
		.table = format_table,
		.is_clean = true,
	},
};

static struct kt_error *set_mode(struct log *log, const struct mode *mode)
{
	if (log->mode != &collapsed && log->mode != mode)
		return kt_error_new(KT_ERROR_USAGE, "%s and %s: one of them", log->mode->option,
				    mode->option);
	log->mode = mode;
	return NULL;
}

static struct kt_error *set_format(struct log *log, const char *name)
{
	const struct cli_log_format *before = log->format;
	struct kt_error *err = cli_log_format_find(name, &log->format);

	if (!err && before && before != log->format)
		err = kt_error_new(KT_ERROR_USAGE, "--format twice: one of them");
	return err ? err : set_mode(log, &modes[OPT_FORMAT - OPT_RAW]);
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct log *log = context;
	switch (option->value) {
	case OPT_FORMAT: return set_format(log, arg);
	case OPT_HTML: log->html = arg; return set_mode(log, &modes[OPT_HTML - OPT_RAW]);
	case OPT_SOURCE_ROOT: log->source_root = arg; return NULL;
	case OPT_PROGRAM: log->program = arg; return NULL;
	case OPT_PRECISION: log->collapse.keep_precision = true; return NULL;
	case OPT_NO_PAGER: log->no_pager = true; return NULL;
	case CLI_OPT_SORT: log->sort = arg; return NULL;
	case CLI_OPT_CSV: log->csv = true; return NULL;
	case CLI_OPT_COLOR: return cli_color_option(arg, &log->color);
	default: return set_mode(log, &modes[option->value - OPT_RAW]);
	}
}

static struct kt_error *check_usage(const struct log *log, int n_files)
{
	const struct mode *mode = log->mode;

	if (log->source_root && !log->format)
		return kt_error_new(KT_ERROR_USAGE, "--source-root is for --format");
	if (log->csv && !mode->check_sort)
		return kt_error_new(KT_ERROR_USAGE, "--csv is for --stats and --source");
	if (log->sort && !mode->check_sort)
		return kt_error_new(KT_ERROR_USAGE, "--sort is for --stats and --source");
	if (log->sort) {
		struct kt_error *err = mode->check_sort(log->sort);

		if (err)
			return kt_error_wrap(err, "--sort");
	}
	if (!n_files && isatty(STDIN_FILENO))
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						  "no log is given: name a FILE, or pipe it to "
						  "standard input"),
				     "try ./my_loader 2>&1 | ktstr-gdb log");
	return NULL;
}

/* Keeps the name of a program that does not match --program. If none does, the error lists them. */
static void remember_other(struct log *log, struct kt_text name)
{
	static const struct kt_text none = KT_TEXT("(no name)");

	if (!name.len)
		name = none;
	if (log->others.len > 200 ||
	    (log->others.len && memmem(log->others.data, log->others.len, name.data, name.len)))
		return;
	kt_buf_appends(&log->others, log->others.len ? ", " : "");
	render_append_visible_bytes(&log->others, name.data, name.len < 80 ? name.len : 80, false);
}

static bool is_wanted(const struct log *log, struct kt_text program)
{
	char name[512]; /* no program's name is that long */

	if (!log->program)
		return true;
	if (program.len >= sizeof(name))
		return false;
	if (program.len)
		memcpy(name, program.data, program.len);
	name[program.len] = '\0';
	return fnmatch(log->program, name, 0) == 0;
}

/* A text without a log is one, of a program without a name: an empty one. */
static struct kt_error *for_each_program(struct log *log, struct kt_text text)
{
	_cleanup_(kt_logs_deinit) struct kt_logs logs = {0};
	struct kt_error *err = kt_logs_find(text, log->wrapped, &logs);

	if (!err && !logs.v.len && !kt_vec_push(&logs.v, kt_logs_none(text)))
		err = kt_error_no_memory();
	for (size_t i = 0; !err && i < logs.v.len; i++) {
		const struct kt_log_block *block = &logs.v.data[i];

		if (is_wanted(log, block->program)) {
			log->n_wanted++;
			err = log->mode->program(log, block);
		} else {
			remember_other(log, block->program);
		}
	}
	return err;
}

/*
 * False: the text has no BEGIN line of libbpf's. Most have none, and memchr() for the letter G
 * takes a fifth of the time of a search for the words. A text may be made of that letter: after too
 * many of them the answer is true.
 */
static bool may_have_begin(struct kt_text text)
{
	size_t misses = 0;
	const char *end = text.data + text.len, *p = text.data;

	while ((p = memchr(p, 'G', (size_t)(end - p)))) {
		if (p - text.data >= 5 && memcmp(p - 5, "-- BE", 5) == 0)
			return true;
		if (++misses > 64 + text.len / 1024)
			return true;
		p++;
	}
	return false;
}

/*
 * A block without an end counts, too. Most texts that have blocks have one in their first lines, so
 * these are searched first.
 */
static bool has_blocks(struct kt_text text)
{
	const char *last = memrchr(text.data, '\n', text.len < 65536 ? text.len : 65536);
	struct kt_log_blocks it;
	struct kt_log_block block;

	if (last) {
		kt_log_blocks_init(&it, (struct kt_text){text.data, (size_t)(last - text.data)});
		if (kt_log_blocks_next(&it, &block))
			return true;
	}
	if (!may_have_begin(text))
		return false;
	kt_log_blocks_init(&it, text);
	return kt_log_blocks_next(&it, &block);
}

/* Takes off what stands around the lines of the text's logs. */
static struct kt_error *unwrap(struct log *log, struct kt_text *text)
{
	struct kt_unwrapped *unwrapped = NULL;
	struct kt_error *err = kt_unwrap(*text, &unwrapped);

	log->wrapped = unwrapped;
	if (err || !unwrapped)
		return err;
	if (!kt_vec_push(&log->unwrapped, unwrapped)) {
		kt_unwrapped_destroy(unwrapped);
		log->wrapped = NULL;
		return kt_error_no_memory();
	}
	*text = kt_unwrapped_text(unwrapped);
	return NULL;
}

/* Shows one text. An error is one of the output: it ends the work. */
static struct kt_error *show(struct log *log, struct kt_text text)
{
	bool whole = log->mode->whole && !log->program;
	struct kt_error *err = NULL;

	/* Nothing to show. The other modes go on: --last says that there is no log. */
	if (!text.len && (log->mode->whole || log->mode->table == json_table))
		return NULL;
	log->has_blocks = false;
	log->wrapped = NULL;
	log->input = text;
	/* Verbatim and without colours, nothing has to be known about a text. */
	if (text.len && (!whole || log->mode->whole != raw_whole || log->writer.color))
		err = unwrap(log, &text);
	if (err)
		return err;
	if (text.len && whole && (log->mode->whole != raw_whole || log->writer.color))
		log->has_blocks = has_blocks(text);
	cli_writer_begin(&log->writer, whole && log->has_blocks);
	err = whole ? log->mode->whole(log, text) : for_each_program(log, text);
	return err ? err : cli_writer_end(&log->writer);
}

/* Reports an error of a file, after the output so far. */
static int fail_after(struct log *log, struct kt_error *err)
{
	struct kt_error *flush = cli_writer_flush(&log->writer);

	kt_error_destroy(flush); /* an error of stdout comes again with the next output */
	return cli_fail(err);
}

/* An error of stdout. EPIPE has no message: the reader (`| head`) has seen enough. */
static int fail_output(const struct log *log, struct kt_error *err)
{
	if (kt_error_errno(err) != EPIPE)
		return cli_fail(err);
	kt_error_destroy(err);
	return log->writer.paged ? CLI_DONE : CLI_CANNOT;
}

static bool is_elf(struct kt_text text)
{
	return text.len > 4 && memcmp(text.data, "\177ELF", 4) == 0;
}

static struct kt_error *no_log_but_elf(const char *path)
{
	return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "%s is an ELF file, and no log", path),
			     "`ktstr-gdb collect FILE.bpf.o --kernel KERNEL` loads a BPF object, "
			     "and shows its logs");
}

/* *status: CLI_CANNOT when the file, or a part of it, could not be read. */
static struct kt_error *show_file(struct log *log, struct cli_input *input, int *status)
{
	struct stat st;
	struct kt_error *err = cli_input_read(log->path, input);

	if (err) {
		*status = fail_after(log, err);
		return NULL;
	}
	if (log->mode->whole != raw_whole && is_elf(input->text)) {
		*status = fail_after(log, no_log_but_elf(log->path));
		return NULL;
	}
	err = show(log, input->text);
	if (err)
		return err;
	if (!input->text.len && !input->error && log->mode->whole && !stat(log->path, &st) &&
	    S_ISREG(st.st_mode))
		cli_note("%s is empty", log->path);
	if (input->error)
		*status = fail_after(log, kt_take_ptr(input->error));
	err = cli_input_check(input, log->path);
	if (err)
		*status = fail_after(log, err);
	if (!log->mode->table)
		cli_input_deinit(input);
	return NULL;
}

static struct kt_error *show_table(struct log *log)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = log->mode->table(log, &text);

	if (err)
		return err;
	if (log->html && strcmp(log->html, "-") != 0) {
		err = cli_replace_file(log->html, text);
		return err ? kt_error_wrap(err, "cannot write %s", log->html) : NULL;
	}
	cli_writer_begin(&log->writer, false);
	err = cli_writer_put(&log->writer, (struct kt_text){text, strlen(text)});
	return err ? err : cli_writer_end(&log->writer);
}

static struct kt_error *nothing_wanted(const struct log *log)
{
	struct kt_error *err = kt_error_new(
		KT_ERROR_NOT_FOUND, "no log of a program that matches \"%s\"", log->program);

	if (!log->others.len)
		return kt_error_hint(err, "the input has no logs: libbpf's BEGIN lines would name "
					  "their programs");
	return kt_error_hint(err, "there are %s", log->others.data);
}

static int show_all(struct log *log, const char *const *paths, size_t n, struct cli_input *inputs)
{
	int status = CLI_DONE;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		log->path = paths[i];
		err = show_file(log, &inputs[i], &status);
	}
	log->incomplete = status != CLI_DONE;
	if (!err && log->mode->table && (log->programs.len || (status == CLI_DONE && !log->html)))
		err = show_table(log);
	if (!err)
		err = cli_writer_flush(&log->writer);
	if (err)
		return fail_output(log, err);
	if (log->program && !log->n_wanted && status == CLI_DONE)
		return cli_fail(nothing_wanted(log));
	return status;
}

static void set_up_writer(struct log *log)
{
	bool terminal = isatty(STDOUT_FILENO);
	bool colored = cli_color_on(log->color, stdout);

	log->writer.visible = !log->mode->is_clean && (terminal || colored);
	log->writer.color = colored && (log->mode->is_log || log->mode->is_about);
	log->writer.about = log->mode->is_about;
	log->writer.pager = terminal && !log->no_pager;
}

static void log_deinit(struct log *log)
{
	kt_vec_free(&log->programs);
	kt_vec_for_each (&log->unwrapped, unwrapped)
		kt_unwrapped_destroy(*unwrapped);
	kt_vec_free(&log->unwrapped);
	kt_buf_deinit(&log->others);
	cli_writer_deinit(&log->writer);
}

static int run(struct log *log, const char *const *paths, size_t n)
{
	static const char *const standard_input[] = {"-"};
	struct cli_input *inputs;
	int status;

	if (!n) {
		paths = standard_input;
		n = 1;
	}
	inputs = calloc(n, sizeof(*inputs));
	if (!inputs)
		return cli_fail(kt_error_no_memory());
	set_up_writer(log);
	status = show_all(log, paths, n, inputs);
	for (size_t i = 0; i < n; i++)
		cli_input_deinit(&inputs[i]);
	free(inputs);
	return status;
}

/* clang-format off */
static const struct cli_option mode_options[] = {
	{"last", OPT_LAST, NULL,
	 "only what leads to the error: the path from the last branch, the instruction, where its "
	 "registers' values came from; why, and what to do (more: ktstr-gdb explain)"},
	{"stats", OPT_STATS, NULL,
	 "a table, one line a program"},
	{"source", OPT_SOURCE, NULL,
	 "what each source line cost the verifier, in instructions; needs a log of level 2, as bpftool "
	 "-d prints it"},
	{"json", OPT_JSON, NULL,
	 "one JSON document"},
	{"format", OPT_FORMAT, "gcc|sarif|github",
	 "the errors, for an editor or a CI service: gcc, sarif or github; at the source line, else at "
	 "that of the log"},
	{"html", OPT_HTML, "FILE",
	 "one page to click through: the state at each step, where a register was set, source beside it; "
	 "needs no network; \"-\": standard output"},
	{"raw", OPT_RAW, NULL,
	 "everything, verbatim"},
	{0},
};

static const struct cli_option own_options[] = {
	{"source-root", OPT_SOURCE_ROOT, "DIR",
	 "for --format: look for source files below DIR, since the kernel names them without their "
	 "folders"},
	{"program", OPT_PROGRAM, "GLOB",
	 "only logs of programs whose name matches"},
	{"precision", OPT_PRECISION, NULL,
	 "keep precision tracking, which is left out where long"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "for --stats and --source: by this column; -KEY the other way around"},
	{"csv", CLI_OPT_CSV, NULL,
	 "for --stats and --source: comma-separated"},
	CLI_COLOR_OPTION,
	{"no-pager", OPT_NO_PAGER, NULL,
	 "do not start a pager; on a terminal it is KTSTR_GDB_PAGER, else PAGER, else less"},
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	_cleanup_(log_deinit) struct log log = {.mode = &collapsed};
	int status = cli_parse(&cli_log_command, argc, argv, take_option, &log);
	struct kt_error *err;

	if (status != CLI_GO_ON)
		return status;
	err = check_usage(&log, argc - optind);
	if (err)
		return cli_fail(err);
	status = run(&log, (const char *const *)argv + optind, (size_t)(argc - optind));
	cli_pager_finish();
	return status;
}

/* clang-format off */
const struct cli_command cli_log_command = {
	.name = "log",
	.summary = "make verifier logs readable",
	.section = CLI_NO_GUEST,
	.uses = {{"log [FILE...]", "a loader's output, its verifier logs collapsed"}},
	.synopsis = "log [OPTIONS] [FILE...]",
	.text = "Shows what a BPF loader printed (./my_loader 2>&1 | ktstr-gdb log), with every\n"
		"verifier log in it collapsed: of a loop the first and the last iteration, and\n"
		"how many there are. What stands around the logs stays as it is: libbpf's\n"
		"markers, a logger's prefix, quotes, a backtrace. FILE may be compressed (zstd,\n"
		"gzip, xz, bzip2, lz4); it is standard input if it is \"-\", or if there is none.",
	.groups = {
		{"What is shown instead", mode_options, NULL},
		{"Options", own_options, NULL},
	},
	.status = "0 done, whatever the logs say; 2 usage; 3 it could not be done",
	.examples = {{"./my_loader 2>&1 | ktstr-gdb log --last",
		      "Why is the program rejected?"},
		     {"ktstr-gdb log load.log",
		      NULL},
		     {"ktstr-gdb log --html page.html load.log",
		      "A page to click through."}},
	.see = "ktstr-gdb-explain(1)",
	.takes = CLI_TAKES_FILES,
	.run = run_command,
};
/* clang-format on */
