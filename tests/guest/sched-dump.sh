#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Schedulers that end in a guest of collect or of a sweep: what is kept of the instant is what the guest's
# console, and the scheduler itself, say of the end; and a guest that cannot be watched has the same verdict.
#
#   sched-dump.sh [SUITE]...    kernels (trixie-backports); "--series 6.18 trixie-backports", too
. "$(dirname "$0")/lib"
[ $# != 0 ] || set -- trixie-backports
make --no-print-directory -s sched >"$work/make.log" 2>&1 ||
	skip_all "no scheduler to test with: $(tail -n 1 "$work/make.log")"
scheduler=$here/build/sched/scx_fix
# It brings along what the scheduler that it runs needs.
cc -O1 -Wall -Wextra -o "$work/panics" tests/guest/panics.c -Wl,--no-as-needed -lbpf ||
	skip_all 'no compiler, or no libbpf'
mkdir "$work/tmp"
export TMPDIR="$work/tmp" LC_ALL=C.UTF-8
unset XDG_RUNTIME_DIR KTSTR_VERIFIER_RESULT_DIR

# collect ARG...: with JSON, too.
collect() {
	rm -f "$work/dump"
	run collect --accel tcg --kernel "$kernel" "$@"
}

# The exit as the scheduler had it from the kernel: "scx_fix: exit kind 1025: REASON: MESSAGE".
told_by_scheduler() {
	sed -n 's/^scx_fix: exit kind //p' "$1" | tail -n 1
}

# Of the dump the same.
told_by_dump() {
	jq -r '.exit | "\(.kind): \(.reason)\(if (.message // "") == "" then "" else ": \(.message)" end)"' "$1"
}

same_words() {
	[ -n "$(told_by_scheduler "$1")" ] && [ "$(told_by_scheduler "$1")" = "$(told_by_dump "$2")" ] && return
	told_by_scheduler "$1"
	told_by_dump "$2"
	return 1
}

# in_console MESSAGE_OF_THE_DUMP: the verdict quotes the console.
same_as_console() {
	grep -qF "sched_ext: scx_fix: $(jq -r .exit.message "$work/dump")" "$work/out"
}

for suite; do
	# shellcheck disable=SC2086
	kernel=$(vm/fetch-kernel $suite 2>"$work/fetch.log") || {
		skip "$suite" "$(tail -n 1 "$work/fetch.log")" && continue
	}
	release=$(cat "$(dirname "$kernel")/release")

	# --- an error of its own, soon after it has attached ---

	collect --scheduler "$scheduler" --dump "$work/dump" -- kicked 50
	check "$release: an error: exit status 1" test "$status" = 1
	check "$release: its dump is as the scheduler was told" same_words "$work/out" "$work/dump"
	check "$release: and as the console has it" same_as_console
	check "$release: at the instant, with stack, variables and CPUs" jq -e '.event == "error" and .incomplete == null and
		.exit.kind_name == "SCX_EXIT_ERROR_BPF" and (.stack | map(.func) | index("scx_bpf_error_bstr") != null) and
		([.sections[].variables // {} | .. | objects | select(has("exit_kind")).exit_kind] == [0]) and
		(.sched.cpus | length) > 0 and .ops == "scx_fix"' "$work/dump"
	prints "$release: the sum behind the verdict" 1 '^how it ended: SCX_EXIT_ERROR_BPF, scx_bpf_error: scx_fix fails'
	check "$release: with the stack, and where the rest is" grep -q "ktstr-gdb sched --from $work/dump" "$work/out"
	run sched --from "$work/dump" --json
	jq '.sched |= if . == null then null else {} end | (.exit, .blamed, .task) |= if . == null then null else {} end |
		.sections[].variables |= if . == null then null else {} end' "$work/out" >"$work/keyed"
	keys 'sched dump' "$work/keyed"

	# --- one that stalls: the kernel ends it (its watchdog, RCU's), or init gives up before ---

	collect --scheduler "$scheduler" --workload-timeout 40 --dump "$work/dump" -- stalls
	check "$release: a stall: it fails" test "$status" = 1 -o "$status" = 3
	check "$release: a stall: its dump is as the scheduler was told" same_words "$work/out" "$work/dump"
	check "$release: a stall: the tasks that waited are in their queue" jq -e '.ops == "scx_fix_stalls" and
		([.sched.queues[] | select(.kind == "user") | .tasks[]] | length) > 0' "$work/dump"
	jq -r '[.sched.queues[] | select(.kind == "user") | .tasks[]][0].pid' "$work/dump" >"$work/pid"
	run sched --from "$work/dump"
	check "$release: and are shown again" grep -qw "$(cat "$work/pid")" "$work/out"

	# --- the same without --dump, and init does not wait for the kernel ---

	collect --scheduler "$scheduler" --workload-timeout 2 -- stalls
	check "$release: no progress: its sum is there without --dump, too" \
		grep -Eq '^how it ended: SCX_EXIT_(UNREG|SYSRQ|ERROR)' "$work/out"
	check "$release: and how to keep the rest" grep -q -- '--dump FILE keeps them' "$work/out"

	# --- none that attaches: there is no end, and that is said ---

	collect --scheduler /bin/true --dump "$work/dump"
	prints "$release: no scheduler: the verdict" 1 'FAIL, not attached'
	prints "$release: no scheduler: why there is nothing" 1 '^how it ended was not kept: no scheduler was enabled'

	# --- the guest panics under it ---

	collect --scheduler "$work/panics" --file "$scheduler" --dump "$work/dump" -- "$scheduler" good
	prints "$release: a panic: the verdict" 1 'FAIL, the guest crashed: Kernel panic - not syncing: sysrq triggered crash'
	prints "$release: and its sum" 1 '^how it ended: panic: sysrq triggered crash$'
	check "$release: and the dump" jq -e '.event == "panic" and (.panic | contains("sysrq triggered crash")) and
		(.stack | map(.func) | index("sysrq_handle_crash") != null)' "$work/dump"

	# --- one that passes, and one that cannot be watched ---

	collect --scheduler "$scheduler" --dump "$work/dump" -- good
	prints "$release: it passes" 0 ': PASS$'
	check "$release: its end is kept for who asks" same_words "$work/out" "$work/dump"
	collect --scheduler "$scheduler" -- good
	check "$release: and not shown to others" sh -c "! grep -q 'how it ended' '$work/out'"
	collect --scheduler "$scheduler" --gdb "unix:$work/gdb.sock" --dump "$work/dump" -- kicked 50
	prints "$release: unwatched: the same verdict" 1 'FAIL, the scheduler exited during the workload'
	prints "$release: and why it was not kept" 1 '^how it ended was not kept: .*--gdb'
	check "$release: nor is there a file" test ! -e "$work/dump"

	# --- a sweep ---

	cat >"$work/sweep.conf" <<-C
	schedulers = (
		{ name = "good"; scheduler = "$scheduler"; args = ["good"]; workload = "nice"; },
		{ name = "kicked"; scheduler = "$scheduler"; args = ["kicked", "50"]; }
	);
	kernels = ( { name = "k"; image = "$kernel"; } );
	topologies = ( "4cpu-2llc-nosmt" );
	accel = "tcg"; timeout = 300;
	C
	rm -rf "$work/results"
	run sweep "$work/sweep.conf" --results "$work/results" --json
	record=$work/results/verifier~kicked~k~4cpu-2llc-nosmt
	check "$release: sweep: a cell that fails has its dump" sh -c "jq -e '.dump == \"${record##*/}.dump\"' '$record.json' &&
		test -s '$record.dump'"
	check "$release: sweep: which is as the scheduler was told" same_words "$record.log" "$record.dump"
	check "$release: sweep: and with which workload it ran" jq -e '.workload == "mixed"' "$record.json"
	check "$release: sweep: the cell that passes has none" jq -e 'has("dump") or has("no_dump") | not' \
		"$work/results/verifier~good~k~4cpu-2llc-nosmt.json"
	check "$release: sweep: but its workload" jq -e '.workload == "nice"' \
		"$work/results/verifier~good~k~4cpu-2llc-nosmt.json"
	keys 'cell record' "$record.json"
	run report "$work/results" --json
	keys report
	run report "$work/results" --html "$work/page.html"
	for words in '^how it ended: SCX_EXIT_ERROR_BPF, scx_bpf_error: scx_fix fails' '^  scx_claim_exit+0x\|^  scx_.*exit+0x' \
		'^exit: kind 1025 SCX_EXIT_ERROR_BPF' '^  exit_kind = 0\|exit_kind' '<dt>workload</dt><dd>mixed</dd>' \
		'verifier/kicked/k/4cpu-2llc-nosmt --workload mixed</code>'; do
		check "$release: the page has $words" grep -q -- "$words" "$work/page.html"
	done
done
check 'nothing is left of the guests' test -z "$(ls -A "$work/tmp")"
plan
