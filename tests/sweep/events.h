/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests/sweep/cell has told in DIR/events. */
#ifndef KT_TESTS_SWEEP_EVENTS_H
#define KT_TESTS_SWEEP_EVENTS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct event {
	char what[32];
	double when; /* seconds since boot, hundredths */
	int pid;
	char name[256];
};

struct events {
	struct event v[2048];
	size_t n;
};

static inline const struct events *read_events(const char *path)
{
	static struct events events;
	FILE *f = fopen(path, "re");
	struct event *e = events.v;

	while (f && e < events.v + 2048 &&
	       fscanf(f, "%31s %lf %d %255[^\n]", e->what, &e->when, &e->pid, e->name) == 4)
		e++;
	if (f)
		fclose(f);
	events.n = (size_t)(e - events.v);
	return &events;
}

static inline size_t count_events(const struct events *events, const char *what, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < events->n; i++)
		n += !strcmp(events->v[i].what, what) &&
		     (!name || !strcmp(events->v[i].name, name));
	return n;
}

/* The most that ran at a time, as far as the order of lines tells. */
static inline size_t most_at_a_time(const struct events *events)
{
	size_t now = 0, most = 0;

	for (size_t i = 0; i < events->n; i++) {
		now += !strcmp(events->v[i].what, "begin");
		now -= !strcmp(events->v[i].what, "end");
		most = now > most ? now : most;
	}
	return most;
}

/* The sum of all times from begin to end, in seconds. */
static inline double time_of_all(const struct events *events)
{
	double sum = 0;

	for (size_t i = 0; i < events->n; i++) {
		if (!strcmp(events->v[i].what, "begin"))
			sum -= events->v[i].when;
		if (!strcmp(events->v[i].what, "end"))
			sum += events->v[i].when;
	}
	return sum;
}

/* A zombie does not. */
static inline bool runs(int pid)
{
	char path[64], state = 'Z';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	if (f)
		fclose(f);
	return state != 'Z' && state != 'X';
}

static inline bool any_runs(const struct events *events)
{
	for (size_t i = 0; i < events->n; i++)
		if (runs(events->v[i].pid))
			return true;
	return false;
}

#endif
