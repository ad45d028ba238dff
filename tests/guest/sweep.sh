#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A small sweep for real: schedulers that pass, fail, and fail on some topologies only, on two kernels.
. "$(dirname "$0")/lib"
fetch() { vm/fetch-kernel "$@" 2>"$work/fetch.log"; }
fetch trixie-backports >/dev/null || skip_all "no kernel with sched_ext: $(cat "$work/fetch.log")"
fetch --series 6.18 trixie-backports >/dev/null || skip_all "no second kernel: $(cat "$work/fetch.log")"
make --no-print-directory -s sched bpf >"$work/make.log" 2>&1 ||
	skip_all "no scheduler to test with: $(tail -n 1 "$work/make.log")"
mkdir "$work/tmp"
export TMPDIR="$work/tmp" LC_ALL=C.UTF-8
unset XDG_RUNTIME_DIR KTSTR_VERIFIER_RESULT_DIR

# On an odd number of caches it attaches, and never dispatches.
cc -O1 -Wall -Wextra -o "$work/odd" tests/guest/odd.c -Wl,--no-as-needed -lbpf ||
	skip_all 'no compiler, or no libbpf'
cat >"$work/sweep.conf" <<E2
schedulers = (
	{ name = "good"; scheduler = "$here/build/sched/scx_fix"; args = ["spies"]; cpus = [1, 8];
		workload = "nice"; },
	{ name = "odd"; scheduler = "odd"; args = ["$here/build/sched/scx_fix"];
		files = ["$here/build/sched/scx_fix"]; llcs = [2, 0]; },
	{ name = "objects"; objects = ["$here/build/bpf/demo.bpf.o", "$here/build/bpf/reject.bpf.o"]; cpus = [4, 4]; }
);
kernels = ( "debian:trixie-backports", "debian:trixie-backports/6.18" );
topologies = ( "4cpu-2llc-nosmt", "9cpu-3llc-nosmt", "252cpu-14llc-smt" );
accel = "tcg"; timeout = 300; retries = 1;
E2
run sweep "$work/sweep.conf" --list
check 'its cells' test "$(wc -l <"$work/out")" = 10
# The large one is skipped on a host like this, or is another test's affair.
# On a busy machine the kernel's own watchdog (30 s, and it cannot be more) may end the stall before
# init does: such a cell says nothing, and is run again.
for _ in 1 2 3; do
	timeout 2000 "$tool" sweep "$work/sweep.conf" --results "$work/results" --filter '*/[49]cpu*' --resume \
		>"$work/out" 2>"$work/err" </dev/null
	status=$?
	grep -l 'watchdog failed to check in' "$work"/results/*.json >"$work/late" || break
	xargs rm <"$work/late"
done
check 'a sweep in which something fails: exit status 1' test "$status" = 1
# A kernel a row is wider than 80 columns here, so a kernel is a column.
prints 'kernels, with their releases' 1 '^KERNEL +trixie-backports-6.18 \(6\.18\.[0-9.]+\) +trixie-backports \([7-9]\.[0-9.]+\)$'
prints 'a program on both kernels' 1 '^fix_enqueue +383 +383$'
prints 'a scheduler that passes' 1 '^4cpu-2llc-nosmt +✓ +✓ +✗'
prints 'and one that fails on an odd number of caches' 1 '^9cpu-3llc-nosmt +- +✗ +-'
prints 'the failing combinations, with why' 1 '^ *odd / trixie-backports / 9cpu-3llc-nosmt: attached, but the workload'
prints 'the tally' 1 '^8 cells: 4 passed, 4 failed, 0 skipped'
check 'the workload that the file asks for' grep -q '^task {"name": "ktstr-nice", .*"nice": 10,' "$work"/results/*good*6.18*.log
one=$(ls "$work"/results/*odd*6.18*9cpu*.json)
check 'a record has what spec.md says' jq -e '.scheduler == "odd" and .kernel == "trixie-backports-6.18" and
	.topology == "9cpu-3llc-nosmt" and .passed == false and .skipped == false and
	(.stats | map(.name) | index("stall_enqueue")) and all(.stats[]; .verified_insns > 0)' "$one"
keys 'cell record' "$one"
check 'what failed was tried again' jq -e '.attempts == 2' "$one"
check 'the guest saw three caches' grep -q '^caches: 3$' "${one%.json}.log"
objects=$(ls "$work"/results/*objects*6.18*.json)
check 'objects: one that is rejected fails the cell' jq -e '(.passed | not) and
	(.stats | map(select(.failed)) | map(.name)) == ["rejected_null_unchecked"] and (.stats | length) == 8' "$objects"
check 'and it is named with its place and the error' jq -e '.reason |
	test("^rejected_null_unchecked: reject.bpf.c:[0-9]+: R0 invalid mem access .* \\[.+\\]$")' "$objects"
check 'what led to it, and its log are kept' sh -c "jq -e '.last | contains(\"bpf_map_lookup_elem\")' '$objects' &&
	grep -q 'BEGIN PROG LOAD LOG' '${objects%.json}.log'"
"$tool" report "$work/results" --junit >"$work/junit"
check 'JUnit has that, too' sh -c "grep -q '<failure message=\"rejected_null_unchecked: reject.bpf.c:' '$work/junit' &&
	grep -q 'path since the start' '$work/junit'"
rm "$one"
run sweep "$work/sweep.conf" --cell 'odd/trixie-backports-6.18/4cpu-2llc-nosmt' --results "$work/results"
check 'a cell by its name: exit status 0' test "$status" = 0
check 'and a line' grep -q ': PASS$' "$work/err"

# --- the same cells, run by others: on two machines, by ssh; as a job array ---

# shellcheck source=tests/sweep/lib
. tests/sweep/lib
trap 'end_daemons; finish' EXIT
mkdir "$work/reference"
cp "$work"/results/*good*4cpu* "$work/reference"
run report "$work/reference"
cp "$work/out" "$work/reference.txt"
# by NAME ENGINE OPTION...
by() {
	name=$1
	shift
	timeout 1000 "$tool" sweep "$work/sweep.conf" --results "$work/$name" --filter 'good/*/4cpu*' \
		--engine "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	if [ $status = 0 ] && "$tool" report "$work/$name" | cmp -s - "$work/reference.txt"; then
		ok "by $name: the same report"
	else
		not_ok "by $name: the same report" "$(told)"
	fi
}
if ! command -v parallel >/dev/null || ! PATH=$PATH:/usr/sbin command -v sshd >/dev/null; then
	skip 'by ssh' 'GNU parallel or sshd is not installed'
elif start_sshd; then
	by ssh parallel --machines "$ssh one,$ssh two" --jobs 1
else
	not_ok 'by ssh: an sshd on loopback' "$(cat "$work/sshd.out")"
fi
if [ "$(id -u)" != 0 ] || ! PATH=$PATH:/usr/sbin command -v slurmctld slurmd munged sbatch >/dev/null; then
	skip 'by slurm' 'Slurm is not installed, or this is not root'
elif start_slurm; then
	by slurm slurm
else
	not_ok 'by slurm: a Slurm on loopback' "$(tail -n 5 "$work"/munged.out "$work"/slurm*.out)"
fi
check 'nothing is left of the guests' test -z "$(ls -A "$work/tmp")"
plan
