// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * engine NAME TOOL DIR [OPTION]... CELL...: runs cells by an engine, and prints what it tells:
 * "begun CELL", "ended CELL", "notice TEXT", "error CODE: TEXT", "hint TEXT". SIGTERM cancels.
 *   -j N -r N -t N -p N   max_jobs, retries, timeout, patience
 *   -m MACHINES -a ARG -e ENGINE_ARG
 *   -n CPUS:MIB -k        needs of the cells; under KVM
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "sweep/engine.h"

#define MANY 16

static struct sweep_work work = {.file = "/sweep file.toml", .cancel_fd = -1};
static const char *args[MANY], *engine_args[MANY];
static unsigned cpus = 1, mib = 64;

static void begun(void *arg, size_t job)
{
	(void)arg;
	printf("begun %s\n", work.jobs[job].name);
}

static void ended(void *arg, size_t job)
{
	(void)arg;
	printf("ended %s\n", work.jobs[job].name);
}

static void notice(void *arg, const char *text)
{
	(void)arg;
	printf("notice %s\n", text);
}

static void take_option(int c)
{
	switch (c) {
	case 'j': work.max_jobs = (unsigned)atoi(optarg); break;
	case 'r': work.retries = (unsigned)atoi(optarg); break;
	case 't': work.timeout_s = (unsigned)atoi(optarg); break;
	case 'p': work.patience_s = (unsigned)atoi(optarg); break;
	case 'm': work.machines = optarg; break;
	case 'k': work.kvm = true; break;
	case 'n':
		if (sscanf(optarg, "%u:%u", &cpus, &mib) != 2)
			exit(2);
		break;
	case 'a':
		if (work.n_args == MANY)
			exit(2);
		args[work.n_args++] = optarg;
		break;
	case 'e':
		if (work.n_engine_args == MANY)
			exit(2);
		engine_args[work.n_engine_args++] = optarg;
		break;
	default: exit(2);
	}
}

static void read_words(int argc, char **argv)
{
	struct sweep_job *jobs = calloc((size_t)argc + 1, sizeof(*jobs));
	int c;

	work.tool = argv[2];
	work.results = argv[3];
	optind = 4;
	/* "-": a cell is 1; options before it are for it and those behind it. */
	while ((c = getopt(argc, argv, "-j:r:t:p:m:a:e:n:k")) != -1) {
		if (c != 1)
			take_option(c);
		else if (jobs)
			jobs[work.n_jobs++] = (struct sweep_job){optarg, cpus, mib};
	}
	work.jobs = jobs;
	work.args = args;
	work.engine_args = engine_args;
}

static int cancel_on_sigterm(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static struct kt_error *run(const char *engine)
{
	if (!strcmp(engine, "local"))
		return sweep_run_local(&work);
	if (!strcmp(engine, "parallel"))
		return sweep_run_parallel(&work);
	return sweep_run_slurm(&work);
}

int main(int argc, char **argv)
{
	struct kt_error *err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4)
		return 2;
	read_words(argc, argv);
	work.begun = begun;
	work.ended = ended;
	work.notice = notice;
	work.cancel_fd = cancel_on_sigterm();
	err = run(argv[1]);
	if (err) {
		printf("error %d: %s\n", (int)kt_error_code(err), kt_error_message(err));
		if (kt_error_hint_text(err))
			printf("hint %s\n", kt_error_hint_text(err));
	}
	free((void *)(uintptr_t)work.jobs);
	kt_error_destroy(err);
	return err ? 1 : 0;
}
