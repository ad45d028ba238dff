#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# GNU parallel (here and through an sshd of the test's own) and Slurm (of the test's own, one node)
# as engines of a sweep, with tests/sweep/cell in place of the tool. TAP, the plan last.
#   engines.sh [parallel] [ssh] [slurm]   only those
#   B=DIR                                 the build (build/san, or build)
# shellcheck source=tests/guest/lib
. "$(dirname "$0")/../guest/lib"
# shellcheck source=tests/sweep/lib
. tests/sweep/lib
B=${B:-$([ -x build/san/tests/sweep/engine ] && echo build/san || echo build)}
program=$here/$B/tests/sweep/engine
cell=$here/tests/sweep/cell
engines=${*:-parallel ssh slurm}
# What nobody should have to quote.
results="$work/re's\"ults {} {#} \$x%j;"
ssh=
slurmctld=
trap 'end_daemons; finish' EXIT

# sweep OPTION|CELL...: runs cells by the engine, from an empty directory.
sweep() {
	rm -rf "$results"
	mkdir -p "$results"
	# shellcheck disable=SC2086
	timeout -k 60 300 "$program" "$engine" "$cell" "$results" ${machines:+-m "$machines"} "$@" \
		>"$work/told"
}

# sweep_and_stop CONDITION OPTION|CELL...: and cancels it when that is so.
sweep_and_stop() {
	condition=$1
	shift
	rm -rf "$results"
	mkdir -p "$results"
	"$program" "$engine" "$cell" "$results" ${machines:+-m "$machines"} "$@" >"$work/told" &
	sweeper=$!
	# shellcheck disable=SC2086
	within 120 $condition || echo "never: $condition"
	kill "$sweeper"
	gone_within 120 "$sweeper" || { kill -9 "$sweeper"; echo "it does not stop"; }
	wait "$sweeper" 2>/dev/null
}

# events WHAT NAME: how many there are. Once a process: Slurm tells a cell to end, and so does the
# script that Slurm tells as well.
events() {
	what=$1 name=$2 awk 'BEGIN { what = ENVIRON["what"]; name = ENVIRON["name"]; n = 0 }
		$1 == what && !told[$3]++ { sub(/^[^ ]* [^ ]* [^ ]* /, ""); n += name == "" || $0 == name }
		END { print n }' "$results/events" 2>/dev/null || echo 0
}
begun_are() { [ "$(events begin '')" -ge "$1" ]; }

# expect WHAT NAME COUNT
expect() {
	[ "$(events "$1" "$2")" = "$3" ] || echo "$2: $1 $(events "$1" "$2") times, and not $3"
}

at_a_time() {
	awk '$1 == "begin" { if (++now > most) most = now } $1 == "end" { now-- }
		END { print most + 0 }' "$results/events"
}

nothing_runs() {
	[ -e "$results/events" ] || return 0
	while read -r _ _ pid _; do
		! runs "$pid" || return
	done <"$results/events"
}

# Nothing of the sweep's own is left, but what is meant to stay.
nothing_left() {
	within 60 nothing_runs || echo "a cell still runs"
	[ "$engine" != slurm ] || [ -z "$(squeue -h)" ] || squeue
	for f in "$results"/.sweep.*; do
		[ ! -e "$f" ] || echo "$f is left"
	done
}

told_so() { # PATTERN
	grep -qE "$1" "$work/told" || { echo "did not tell: $1" && cat "$work/told"; }
}

# check_that NAME FUNCTION: ok when it says nothing
check_that() {
	checked=$1
	shift
	why=$("$@" 2>&1)
	if [ -z "$why" ]; then ok "$checked"; else not_ok "$checked" "$why"; fi
}

odd_names() {
	# shellcheck disable=SC2016
	printf '%s\n' 'v/a b/pass/x' "v/it's/pass/x" 'v/"q"/pass/x' 'v/$HOME/pass/x' 'v/a\b/pass/x' \
		'v/`id`/pass/x' 'v/é✓/pass/x' 'v/{}/pass/{#}' 'v/-n/pass/x' 'v/a;b&c|d/pass/*' \
		'v/%s\n/pass/!' 'v/	#~/pass/ '
}

runs_each_once() {
	set --
	while IFS= read -r name; do
		set -- "$@" "$name"
	done <"$work/names"
	sweep -r 2 -a --arg -a "it's \"one\" \$ARG" "$@" || cat "$work/told"
	for name; do
		expect begin "$name" 1
		expect end "$name" 1
		for what in begun ended; do
			[ "$(grep -cxF "$what $name" "$work/told")" = 1 ] || echo "not once: $what $name"
		done
		[ "$(cat "$results/.logs/$name.out")" = "output of $name" ] || echo "no output: $name"
		record=$results/records/$(printf %s "$name" | tr / _)
		[ "$(cat "$record")" = "it's \"one\" \$ARG" ] || echo "no record: $name"
	done
	nothing_left
}

tries_again() {
	sweep -r 2 v/s/fail/x v/s/pass/x v/s/skip/x v/s/broken/x v/s/flaky/x || cat "$work/told"
	expect begin v/s/fail/x 3
	expect begin v/s/pass/x 1
	expect begin v/s/skip/x 1
	expect begin v/s/broken/x 3
	expect begin v/s/flaky/x 2
	[ "$(grep -c '^ended' "$work/told")" = 5 ] || cat "$work/told"
	nothing_left
}

ends_what_hangs_in() { # SECONDS
	sweep -t "$1" -r 1 v/s/hang/x v/s/pass/x v/s/deaf/x || cat "$work/told"
	expect begin v/s/hang/x 2
	expect term v/s/hang/x 2
	expect begin v/s/deaf/x 2
	expect end v/s/pass/x 1
	nothing_left
}

# A busy machine may not begin a cell within a second: then it has more.
ends_what_hangs() {
	for seconds in 1 5 20; do
		odd=$(ends_what_hangs_in $seconds)
		[ -n "$odd" ] || return
		case "$(events begin v/s/hang/x) $(events begin v/s/deaf/x) $(events end v/s/pass/x)" in
		'2 2 1') break ;;
		esac
	done
	echo "$odd"
}

# A cell ends once three have begun: as many run at a time, and no more.
keeps_to_max_jobs() { # MACHINES
	sweep -j 3 v/s/meet3/1 v/s/meet3/2 v/s/meet3/3 v/s/meet3/4 v/s/meet3/5 \
		v/s/meet3/6 v/s/meet3/7 v/s/meet3/8 v/s/meet3/9 || cat "$work/told"
	expect end '' 9
	[ "$(at_a_time)" -le $((3 * $1)) ] || echo "$(at_a_time) at a time"
	[ "$(at_a_time)" -ge 3 ] || echo "only $(at_a_time) at a time"
}

# The two that end have, and one that hangs is wherever there is room: none is just about to begin.
all_rest_hang() { # CELLS
	begun_are $(($1 + 2)) && [ "$(find "$results/records" -type f | wc -l)" = 2 ]
}
stops() { # MACHINES
	sweep_and_stop "all_rest_hang $((2 * $1))" -j 2 -n 2:64 v/s/pass/1 v/s/pass/2 -n 1:64 v/s/hang/1 \
		v/s/hang/2 v/s/hang/3 v/s/hang/4 v/s/hang/5 v/s/hang/6 v/s/hang/7
	told_so '^error 12: cancelled'
	[ "$(events term '')" = "$(($(events begin '') - 2))" ] || cat "$results/events"
	[ "$(find "$results/records" -type f | wc -l)" = 2 ] || ls -R "$results"
	begun_are 9 && echo "it began them all"
	nothing_left
}

is_missing() { # PACKAGE
	PATH=/nonexistent "$program" "$engine" "$cell" "$results" v/s/pass/x >"$work/told"
	told_so '^error .* is not installed'
	told_so "^hint try: sudo apt-get install $1\$"
}

common() { # MACHINES
	odd_names >"$work/names"
	check_that "$title: twelve cells, each once, whatever its name" runs_each_once
	check_that "$title: what did not pass is tried again" tries_again
	check_that "$title: what hangs is ended" ends_what_hangs
	check_that "$title: so many at a time" keeps_to_max_jobs "$1"
	check_that "$title: stops when told, and keeps what is done" stops "$1"
}

# GNU parallel.

# Killed, so that it can tell nobody: what is here ends with it.
dies_with_us() {
	rm -rf "$results"
	mkdir "$results"
	"$program" parallel "$cell" "$results" -j 3 v/s/hang/1 v/s/hang/2 v/s/hang/3 >"$work/told" &
	sweeper=$!
	within 60 begun_are 3
	kill -9 "$sweeper"
	wait "$sweeper" 2>/dev/null
	within 60 nothing_runs || echo "a cell still runs"
	expect term '' 3
}

# One at a time on each; the first cell ends once a second has begun.
both_machines_work() {
	sweep -j 1 v/s/meet2/1 v/s/meet2/2 v/s/meet2/3 v/s/meet2/4 v/s/meet2/5 v/s/meet2/6 ||
		cat "$work/told"
	expect end '' 6
	for m in one two; do
		cut -f 2 "$results/.logs/parallel.joblog" | grep -q "$m\$" || echo "$m has done nothing"
	done
}

no_such_machine() {
	machines="ssh -F $work/ssh/config -p 1 one" sweep v/s/pass/1 v/s/pass/2
	told_so '^error .*2 of 2 cells could not be started: .*[Rr]efused'
	told_so '^hint each machine needs'
}

# It goes on with the machine that is there.
half_there() {
	machines="ssh -F $work/ssh/config -p 1 one,$ssh two" sweep -r 3 v/s/pass/1 v/s/pass/2 v/s/pass/3 ||
		cat "$work/told"
	expect end '' 3
}

test_parallel() {
	engine=parallel title=parallel machines=
	common 1
	check_that "$title: killed, it takes its cells along" dies_with_us
	check_that "$title: not installed" is_missing parallel
}

test_ssh() {
	engine=parallel title='parallel, by ssh'
	if ! start_sshd; then
		not_ok "$title: an sshd on loopback" "$(cat "$work/sshd.out")"
		return
	fi
	machines="$ssh one,$ssh two"
	common 2
	check_that "$title: every machine works" both_machines_work
	check_that "$title: a machine that is not there" no_such_machine
	check_that "$title: one of two is not there" half_there
}

# Slurm.

asks_for_what_is_needed() {
	sweep -n 1:100 v/s/need/1 v/s/need/2 -k -n 3:200 v/s/need/3 || cat "$work/told"
	expect 1-356 '' 2
	expect 3-456 v/s/need/3 1
	sweep -n 4:100 v/s/need/1 -n 2:200 v/s/need/2 || cat "$work/told"
	expect 1-356 v/s/need/1 1
	expect 1-456 v/s/need/2 1
	sweep -j 1 -n 4:100 v/s/need/1 -n 2:200 v/s/need/2 || cat "$work/told"
	expect 1-456 '' 2
}

# More than any node has, in Slurm's words.
asks_for_too_much() {
	sweep -n 1:99999999 v/s/pass/1
	told_so '^error .*Slurm: sbatch: error: '
}

is_cancelled_by_somebody() {
	rm -rf "$results"
	mkdir "$results"
	"$program" slurm "$cell" "$results" -r 2 v/s/pass/1 v/s/hang/1 v/s/hang/2 >"$work/told" &
	sweeper=$!
	within 60 begun_are 3
	within 60 sh -c '! squeue -h -t running -o %K | grep -qx 0'
	scancel --user=root
	gone_within 120 "$sweeper" || { kill "$sweeper"; echo "it still waits"; }
	wait "$sweeper" 2>/dev/null
	expect begin '' 3
	expect end v/s/pass/1 1
	told_so '^error .*2 of 3 cells came to no end, of which Slurm says: CANCELLED'
	nothing_left
}

node_is_down() {
	scontrol update nodename="$(hostname)" state=down reason=test || return
	sweep -p 3 v/s/pass/1 v/s/pass/2
	scontrol update nodename="$(hostname)" state=resume
	told_so '^notice 2 cells wait for Slurm, which says: '
	told_so '^error .*Slurm has run nothing for 3 seconds, and says: '
	told_so '^hint sinfo'
	expect begin '' 0
	nothing_left
	within 60 sh -c 'sinfo -h -o %T | grep -qx idle' || sinfo
}

# The node comes back while a sweep waits for it.
node_comes_back() {
	scontrol update nodename="$(hostname)" state=down reason=test || return
	rm -f "$work/told" # of the sweep before
	(within 120 grep -q '^notice ' "$work/told" && scontrol update nodename="$(hostname)" state=resume) &
	sweep -p 100 v/s/pass/1 v/s/pass/2 || cat "$work/told"
	wait $!
	told_so '^notice 2 cells wait for Slurm'
	expect end '' 2
}

# It asks while there is no controller: the squeue that it runs tells of that.
controller_restarts() {
	rm -rf "$results"
	mkdir -p "$results" "$work/bin"
	printf '#!/bin/sh\n: >"%s"\nexec "%s" "$@"\n' "$work/asked" "$(command -v squeue)" >"$work/bin/squeue"
	chmod +x "$work/bin/squeue"
	PATH=$work/bin:$PATH "$program" slurm "$cell" "$results" -j 2 v/s/sleep3/1 v/s/sleep3/2 v/s/sleep3/3 \
		>"$work/told" &
	sweeper=$!
	within 60 begun_are 2
	end_daemon "$slurmctld"
	rm -f "$work/asked"
	within 60 test -e "$work/asked" || echo "it does not ask"
	start_slurmctld
	gone_within 180 "$sweeper" || { kill "$sweeper"; echo "it still waits"; }
	wait "$sweeper" || cat "$work/told"
	expect end '' 3
	nothing_left
}

test_slurm() {
	engine=slurm title=slurm machines=
	if ! start_slurm; then
		not_ok "$title: a Slurm on loopback" "$(tail -n 5 "$work"/munged.out "$work"/slurm*.out)"
		return
	fi
	common 1
	check_that "$title: asks for what is needed" asks_for_what_is_needed
	check_that "$title: asks for too much" asks_for_too_much
	check_that "$title: cancelled by somebody else" is_cancelled_by_somebody
	check_that "$title: the node is down" node_is_down
	check_that "$title: the node comes back" node_comes_back
	check_that "$title: the controller restarts" controller_restarts
	check_that "$title: not installed" is_missing slurm-client
}

# needs ENGINE PACKAGES PROGRAM...: is all there?
needs() {
	title=$1 packages=$2
	shift 2
	for p; do
		PATH=$PATH:/usr/sbin command -v "$p" >/dev/null && continue
		skip "$title" "$p is not installed: apt-get install $packages"
		return 1
	done
}

[ -x "$program" ] || skip_all "no $program: make tests"
for e in $engines; do
	case $e in
	parallel) needs parallel parallel parallel && test_parallel ;;
	ssh)
		needs 'parallel, by ssh' 'parallel openssh-server openssh-client' parallel ssh sshd &&
			test_ssh
		;;
	slurm)
		if [ "$(id -u)" != 0 ]; then
			skip slurm "its daemons want root"
		else
			needs slurm 'slurmctld slurmd slurm-client munge' munged slurmctld slurmd sbatch &&
				test_slurm
		fi
		;;
	esac
done
plan
