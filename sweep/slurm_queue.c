// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/command.h"
#include "sweep/slurm_queue.h"
#include "util/cleanup.h"
#include "util/vec.h"

/* Timeouts. Slurm's commands wait for the controller themselves, mostly 10 s, and try again. */
#define ASK_S    60
#define SUBMIT_S 120

/* "MaxArraySize            = 1001": one more than the largest task number. */
struct kt_error *slurm_array_max(size_t *ret)
{
	const char *const argv[] = {"scontrol", "show", "config", NULL};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = sweep_command(argv, ASK_S, -1, &text);
	const char *at;
	unsigned long n;

	if (err)
		return kt_error_hint(kt_error_wrap(err, "Slurm"),
				     "this machine has to belong to a cluster whose controller "
				     "answers: try sinfo");
	at = strstr(text, "MaxArraySize");
	if (!at || sscanf(at, "MaxArraySize = %lu", &n) != 1)
		return kt_error_new(KT_ERROR_PROTOCOL, "Slurm does not tell its MaxArraySize");
	if (n < 2)
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "this Slurm has no job arrays"),
				     "set MaxArraySize in slurm.conf");
	*ret = n;
	return NULL;
}

/* Reads sbatch --parsable: "NUMBER" or "NUMBER;CLUSTER", maybe after lines with warnings. */
static struct kt_error *read_number(char *text, unsigned long *ret)
{
	const char *line = sweep_last_line(text);
	char *end;
	unsigned long n = strtoul(line, &end, 10);

	if (end == line || (*end && *end != ';'))
		return kt_error_new(KT_ERROR_PROTOCOL, "sbatch does not tell a job number: %s",
				    line);
	*ret = n;
	return NULL;
}

/* The needs come first, so that the user's own options can override them. */
static struct kt_error *submit_argv(const struct slurm_request *r, const char *const *needs,
				    const char *const *ours, unsigned long *ret)
{
	struct {
		KT_VEC(const char *) v;
	} argv = {0};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;
	bool ok = kt_vec_push(&argv.v, "sbatch");

	for (; *needs; needs++)
		ok = ok && kt_vec_push(&argv.v, *needs);
	for (size_t i = 0; i < r->n_args; i++)
		ok = ok && kt_vec_push(&argv.v, r->args[i]);
	for (; *ours; ours++)
		ok = ok && kt_vec_push(&argv.v, *ours);
	ok = ok && kt_vec_push(&argv.v, r->script) && kt_vec_push(&argv.v, NULL);
	err = ok ? sweep_command(argv.v.data, SUBMIT_S, -1, &text) : kt_error_no_memory();
	kt_vec_free(&argv.v);
	return kt_error_wrap(err ? err : read_number(text, ret), "Slurm");
}

struct kt_error *slurm_submit(const struct slurm_request *r, unsigned long *ret)
{
	char cpus[48], memory[48], time[48], array[96];
	const char *needs[] = {"--nodes=1", "--ntasks=1", cpus, memory, NULL, NULL};
	const char *ours[] = {"--parsable", "--open-mode=append", "--job-name", r->name, "--chdir",
			      r->dir,       "--output",           r->output,    array,   NULL};

	snprintf(cpus, sizeof(cpus), "--cpus-per-task=%u", r->cpus);
	snprintf(memory, sizeof(memory), "--mem=%uM", r->memory_mib);
	/* In minutes. Later than the cell's own timeout: for a node where that does not work. */
	snprintf(time, sizeof(time), "--time=%u", r->timeout_s / 60 + 2);
	if (r->timeout_s)
		needs[4] = time; /* otherwise the partition's limit counts */
	if (r->at_a_time)
		snprintf(array, sizeof(array), "--array=0-%zu%%%u", r->n_tasks - 1, r->at_a_time);
	else
		snprintf(array, sizeof(array), "--array=0-%zu", r->n_tasks - 1);
	return submit_argv(r, needs, ours, ret);
}

static enum slurm_state state_of(const char *word)
{
	static const char *const ended[] = {"CANCELLED", "TIMEOUT",  "NODE_FAIL",     "PREEMPTED",
					    "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY", "REVOKED"};

	if (!strcmp(word, "COMPLETED"))
		return SLURM_COMPLETED;
	if (!strcmp(word, "FAILED"))
		return SLURM_FAILED;
	if (!strcmp(word, "PENDING") || !strncmp(word, "REQUEUE", 7))
		return SLURM_PENDING;
	for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++)
		if (!strcmp(word, ended[i]))
			return SLURM_ENDED;
	return SLURM_ACTIVE;
}

/* "JOB TASK STATE REASON", as in "7 2 RUNNING None", "7 3-11%2 PENDING Resources". */
static bool read_line(const char *text, struct slurm_line *line)
{
	char task[32], *end;
	int at = 0;

	if (sscanf(text, "%lu %31s %31s %n", &line->array, task, line->word, &at) < 3 || !at)
		return false;
	line->task = isdigit((unsigned char)task[0]) ? strtol(task, &end, 10) : -1;
	/* Pending tasks come as a list, which squeue cuts if it is long. */
	if (line->task >= 0 && *end)
		line->task = -1;
	line->state = state_of(line->word);
	line->reason = text + at;
	return true;
}

struct kt_error *slurm_queue(const char *name, int cancel_fd,
			     void (*tell)(void *arg, const struct slurm_line *line), void *arg)
{
	const char *const argv[] = {"squeue", "--noheader", "--name",      name, "--states",
				    "all",    "--format",   "%F %K %T %r", NULL};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = sweep_command(argv, ASK_S, cancel_fd, &text);
	char *rest = text, *at;
	struct slurm_line line;

	if (err)
		return kt_error_code(err) == KT_ERROR_CANCELLED ? err : kt_error_wrap(err, "Slurm");
	while ((at = strsep(&rest, "\n")))
		if (read_line(at, &line))
			tell(arg, &line);
	return NULL;
}

struct kt_error *slurm_cancel(const char *name)
{
	const char *const argv[] = {"scancel", "--name", name, NULL};
	_cleanup_free_ char *text = NULL;

	return kt_error_wrap(sweep_command(argv, ASK_S, -1, &text), "Slurm");
}

bool slurm_reason_is_bad(const char *reason)
{
	/* Parts of squeue's words: NodeDown, ReqNodeNotAvail, PartitionInactive, JobHeldAdmin, ...
	 */
	static const char *const bad[] = {"down",
					  "notavail",
					  "inactive",
					  "partitionconfig",
					  "partitionnodelimit",
					  "partitiontimelimit",
					  "badconstraints",
					  "held"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcasestr(reason, bad[i]))
			return true;
	return false;
}
