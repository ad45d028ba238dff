#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A scheduler, good and bad: each mode gets its verdict and no other, on an older kernel and on the
# newest. Both guests of a mode run at a time.
. "$(dirname "$0")/lib"
fetch() { vm/fetch-kernel "$@" 2>"$work/fetch.log"; }
new=$(fetch trixie-backports) || skip_all "no kernel with sched_ext: $(cat "$work/fetch.log")"
old=$(fetch --series 6.18 trixie-backports) || old=$(fetch --series 6.16 trixie-backports) || old=
make --no-print-directory -s sched >"$work/make.log" 2>&1 ||
	skip_all "no scheduler to test with: $(tail -n 1 "$work/make.log")"
scheduler=$here/build/sched/scx_fix
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
unset XDG_RUNTIME_DIR
[ -n "$old" ] || skip 'kernels 6.16 or 6.18' "$(cat "$work/fetch.log")"

# came_too_late JSON OPTION...: this machine is so busy that nothing was read of a scheduler before it
# ended by itself, that the tasks of a workload did not all run, or that the kernel's watchdog (30 s, and it
# cannot be more) ended a stall before init did.
came_too_late() {
	json=$1
	shift
	case "$* $what" in
	*' dies'* | *' crashes'* | *' kicked'*) late='.run.attach == "attached" and .programs == []' ;;
	*--workload-timeout*) late='.run.verdict == "no_progress" or .run.verdict == "host_too_slow"' ;;
	*' stalls') late='.run.verdict == "host_too_slow" or
		(.run.reason | contains("watchdog failed to check in"))' ;;
	*) late='.run.verdict == "host_too_slow"' ;; # which the machine is, and no scheduler
	esac
	jq -e "$late" "$json" >/dev/null 2>&1
}

# one KERNEL OUT OPTION... : a run, in the background. One that QEMU's TCG killed is run again, and so
# is one in which a busy machine came too late.
one() {
	one_kernel=$1 one_out=$2
	shift 2
	for _ in 1 2 3; do
		timeout 400 "$tool" collect --accel tcg --kernel "$one_kernel" --scheduler "$scheduler" \
			--json "$@" >"$one_out.json" 2>"$one_out.err" </dev/null
		echo $? >"$one_out.status"
		grep -q '"verdict": "guest_crashed"' "$one_out.json" || came_too_late "$one_out.json" "$@" ||
			return
		echo "# $(basename "$(dirname "$one_kernel")"): $(jq -r .run.reason "$one_out.json"); again"
	done
}

# mode VERDICT STATUS MODE [OPTION...]: on each kernel, and what more has to be so of its JSON.
mode() {
	verdict=$1 expected=$2 more=$3 what=$4
	shift 4
	for k in $old $new; do
		out=$work/$(basename "$(dirname "$k")").$(echo "$what" | tr ' ' _)
		# shellcheck disable=SC2086
		one "$k" "$out" "$@" -- $what &
		eval "pid_$(echo "$k" | cksum | cut -d' ' -f1)=\$!"
	done
	wait
	for k in $old $new; do
		out=$work/$(basename "$(dirname "$k")").$(echo "$what" | tr ' ' _)
		release=$(cat "$(dirname "$k")/release")
		status=$(cat "$out.status")
		cp "$out.json" "$work/out" && cp "$out.err" "$work/err"
		if [ "$status" = "$expected" ] && [ "$(jq -r .run.verdict "$out.json")" = "$verdict" ] &&
			jq -e ".run.passed == ($expected == 0) and .run.damaged_frames == 0 and
				(.run.sched_ext.disagree | not) and ($more)" "$out.json" >/dev/null; then
			ok "$release, $what: $verdict"
		else
			not_ok "$release, $what: $verdict" "wanted $expected, and $more
$(told)
$(jq -c 'del(.programs, .run.scheduler_log)' "$out.json")
$(jq -r .run.scheduler_log "$out.json" | head -c 1000)"
		fi
	done
}

attached='.run.attach == "attached" and (.programs | map(.name) | index("fix_enqueue")) and
	all(.programs[]; .verified_insns > 0 and .type == "struct_ops")'
both='.run.sched_ext.memory.state == "enabled" and .run.sched_ext.memory == .run.sched_ext.sysfs'
said='(.run.scheduler_log | contains'

mode pass 0 "$attached and $both and .run.ops == \"scx_fix\" and .run.exit_code == 0 and
	.run.dispatched and $said(\"good, attached\n\") and contains(\"unregistered from user space\"))" good
mode pass 0 "$attached and $both and .run.sched_ext.memory.ops == \"scx_fix_partial\"" partial
mode pass 0 "$attached and .run.dispatched" good --workload-timeout 0.4
mode pass 0 "$attached and $both" forks
mode pass 0 "$attached and .run.exit_code == 137" ignores-term
mode pass 0 "$attached and .run.exit_code == 0 and ($said(\"round 30\n\")) | not)" chats
mode not_attached 1 ".run.attach == \"died\" and .run.exit_code == 1 and (.run.dispatched | not) and
	(.failed | map(.name)) == [\"rejected_dispatch\"] and .failed[0].verified_insns > 100 and
	(.run.reason | contains(\"infinite loop detected\")) and $said(\"BEGIN PROG LOAD LOG\"))" rejected
mode no_progress 1 '.run.attach == "attached" and (.run.dispatched | not) and (.programs | length) == 5 and
	.run.sched_ext.memory.state == "enabled" and (.run.workload | contains("0 of 4 tasks ran"))' stalls
mode scheduler_exited 1 "$attached and .run.exit_code == 3" 'dies 200'
mode scheduler_exited 1 "$attached and .run.exit_code == 139" 'crashes 200'
mode scheduler_exited 1 "$attached and .run.exit_code == 1 and
	(.run.reason | contains(\"the kernel says: sched_ext: scx_fix: \"))" 'kicked 200'
mode not_attached 1 '.run.attach == "not attached" and .programs == [] and
	(.run.reason | contains("is alive, but sched_ext is \"disabled\" after 3"))' hangs --attach-timeout 3
mode not_attached 1 '.run.attach == "not attached" and (.programs | length) == 5' hangs-loaded \
	--attach-timeout 3
mode pass 0 "$attached and .run.log_dropped == 0" flood

# Not a byte is lost, and none is reordered within its stream.
for k in $old $new; do
	out=$work/$(basename "$(dirname "$k")").flood.json
	jq -j .run.scheduler_log "$out" >"$work/flood.log"
	check "$(cat "$(dirname "$k")/release"), the flood's $(wc -c <"$work/flood.log") bytes" \
		build/sched/check-flood <"$work/flood.log"
	check 'they are 50 MB' test "$(wc -c <"$work/flood.log")" -gt 52000000
done

# --- what a person sees ---

collect() {
	run collect --accel tcg --kernel "$new" --scheduler "$scheduler" "$@"
}
collect --save "$work/good.json" -- good
prints 'as text: the verdict comes first' 0 '^scx_fix good, Linux 7[^ ]*: PASS$'
check 'in the first line' sh -c "head -n 1 '$work/out' | grep -q ': PASS$'"
prints 'its programs, with their cost' 0 '^  fix_enqueue {30}verified_insns=[0-9]+$'
check 'and nothing on stderr' test ! -s "$work/err"
keys programs "$work/good.json"
check '--save: the same document' jq -e '.schema == "ktstr-gdb.programs.v1" and .run.passed' "$work/good.json"
check '--save: of good modes' test "$(stat -c %a "$work/good.json")" = 644
collect --raw --save "$work/rejected.json" -- rejected
prints 'rejected: the verdict, and why' 1 'FAIL, not attached: .*exit status 1; the verifier rejected rejected_dispatch: infinite'
jq -j .run.scheduler_log "$work/rejected.json" >"$work/log"
tail -c "$(wc -c <"$work/log")" "$work/out" >"$work/tail"
check '--raw: its log, byte for byte' cmp "$work/log" "$work/tail"
collect -- rejected
prints 'else its repeats are collapsed' 1 '^--- [0-9]+x of the following'
check 'and what led to the error is before it' awk '
	/^rejected_dispatch: infinite loop detected/ { last = NR }
	/BEGIN PROG LOAD LOG/ && !begin { begin = NR }
	END { exit !(last && last < begin) }' "$work/out"
check 'which makes it short' test "$(wc -l <"$work/out")" -lt 150

# --- two runs, compared ---

run diff "$work/good.json" "$work/rejected.json" --fail-on 'delta_pct>10'
check 'diff: exit status 1 for a run that failed' test "$status" = 1
check 'and a program that failed is named' grep -q '^rejected_dispatch .*failed' "$work/out"
if [ -n "$old" ]; then
	run diff --accel tcg --kernel "$old" --kernel "$new" --scheduler "$scheduler" --json -- good
	check 'diff of two kernels' jq -e '.rows | length == 5 and all(.status == "unchanged" or .delta != 0)' "$work/out"
	check 'its exit status' test "$status" = 0
fi
cp "$scheduler" "$work/other"
run diff --accel tcg --kernel "$new" --scheduler "$scheduler" --scheduler "$work/other" --csv -- rejected
check 'diff of two schedulers that fail: exit status 1' test "$status" = 1
check 'and both are told of' test "$(grep -c 'failed: not attached' "$work/err")" = 2
check 'a failed load in both' grep -q '^rejected_dispatch,.*failed-in-both' "$work/out"

# --- workloads: each is what it says, as /proc in the guest has it ---

# workloads NUMBER...: runs these of the list, at a time.
workloads() {
	what=spies
	for i; do
		one "$new" "$work/workload$i" --workload "$(sed -n "${i}p" "$work/kinds")" -- spies &
	done
	wait
}

# workload STATUS FILTER: the next one of the list, the tasks that were seen, and what the run came to.
workload() {
	nth=$((nth + 1))
	json=$work/workload$nth.json
	jq -r .run.scheduler_log "$json" | sed -n 's/^task //p' |
		jq -s --slurpfile run "$json" '{tasks: ., run: $run[0].run}' >"$work/tasks.json"
	if [ "$(cat "$work/workload$nth.status")" = "$1" ] && jq -e "$2" "$work/tasks.json" >/dev/null; then
		ok "workload $(sed -n "${nth}p" "$work/kinds")"
	else
		not_ok "workload $(sed -n "${nth}p" "$work/kinds")" "wanted $1, and $2
$(cat "$work/workload$nth.status" "$work/workload$nth.err")
$(jq -c '.run.verdict, .run.workload, .run.reason' "$json")
$(jq -c '.tasks[]' "$work/tasks.json")"
	fi
}
printf '%s\n' spin yield pipe fork nice pinned cgroups '/usr/bin/md5sum /dev/zero' /bin/false >"$work/kinds"
workloads 1 2
workloads 3 4
workloads 5 6
workloads 7 8
workloads 9
nth=0
four='(.tasks | length) == 4 and all(.tasks[]; .ext) and (.run.workload | contains(": 4 of 4 tasks ran"))'
workload 0 "$four and all(.tasks[]; .states | contains(\"S\") | not) and
	([.tasks[].forced] | add) < 3 * ([.tasks[].ticks] | add)"
workload 0 "$four and ([.tasks[].forced] | add) > 3 * ([.tasks[].ticks] | add)"
workload 0 "$four and ([.tasks[].pipes] | max) >= 8 and ([.tasks[].voluntary] | add) > 3 * ([.tasks[].forced] | add)"
workload 0 '(.tasks | map(select(.child | not)) | length) == 4 and any(.tasks[]; .child) and all(.tasks[]; .ext) and
	(.run.workload | startswith("fork: 4 of 4 tasks ran"))'
workload 0 "$four and ([.tasks[].nice] | sort) == [-10, 0, 5, 10]"
workload 0 "$four and ([.tasks[].cpus] | sort) == [\"0\", \"0\", \"1\", \"1\"]"
workload 0 "$four and ([.tasks[].weight] | sort) == [50, 100, 200, 400]"
workload 0 '(.tasks | length) == 1 and .tasks[0].ext and .tasks[0].name == "md5sum" and
	(.run.workload | startswith("command: 1 of 1 tasks ran"))'
workload 1 '.run.verdict == "no_progress" and (.run.workload | contains("it ended with status 1"))'
collect --workload ./nothing -- good
says 'a command that is not there' 3 '--workload: cannot run ./nothing'

# --- replay: the configuration of a scheduler that runs, and what it costs here ---

# insns FILTER FILE: "NAME INSNS" of a document's programs.
insns() {
	jq -r "$1 | .programs | sort_by(.name)[] | \"\(.name) \(.verified_insns)\"" "$2"
}
run collect --accel tcg --kernel "$new" --run "$scheduler" --keep --json -- kicked 100000000
cp "$work/out" "$work/loader.json"
kept=$(sed -n 's/.*to end it: kill \([0-9]*\)$/\1/p' "$work/err")
target=$(sed -n 's/.*ktstr-gdb attach \([^ ]*\) .*/\1/p' "$work/err")
insns . "$work/loader.json" >"$work/wanted"
run replay "$target" --vmlinux "$new" --object build/sched/scx_fix.bpf.o --kernel "$new" ${old:+--kernel "$old"} \
	--accel tcg --json
cp "$work/out" "$work/replay.json"
check 'replay: the scheduler, and its constants' jq -e '.sched_ext == {state: "enabled", ops: "scx_fix"} and
	(.constants | map([.name, .object, .guest])) == [["fail_after_ms", 0, 100000000]]' "$work/replay.json"
insns '.runs[0].result' "$work/replay.json" >"$work/got"
check 'replay: on its own kernel each program costs what it costs there' diff "$work/wanted" "$work/got"
check 'replay: five programs, fix_init as a sleepable one' test "$(wc -l <"$work/got")" = 5
check 'replay: with constants as written it is another number' sh -c '
	jq -r ".programs[] | \"\(.name) \(.verified_insns)\"" "$1/good.json" | sort >"$1/good"
	sort "$1/got" | diff - "$1/good" | grep -q fix_dispatch' - "$work"
check 'replay: each kernel has a result' jq -e 'all(.runs[]; .exit_status == 0 and (.result.failed == []) and
	(.result.programs | length) == 5)' "$work/replay.json"
run replay "$target" --vmlinux "$new" --object build/sched/scx_fix.bpf.o
prints 'replay: for people' 0 '^fail_after_ms +0 +100000000$'
run attach "$target" --vmlinux "$new"
check 'replay: the guest runs on' test "$status" = 0
check 'its guest ended' sh -c "kill $kept"
becomes has_ended "$kept"

# --- nothing is left ---

# That of a guest that was kept goes a moment after its QEMU.
is_empty() {
	test -z "$(ls -A "$1")"
}
becomes is_empty "$work/tmp"
check 'no directory is left' is_empty "$work/tmp"
plan
