#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A loader of the user's own that does not do what it should: what is told, and the exit status.
. "$(dirname "$0")/lib"
kernel trixie
make --no-print-directory -s bpf || skip_all 'no BPF objects'
for object in demo reject slow; do
	cc -o "$work/$object" -DOBJECT="\"$here/build/bpf/$object.bpf.o\"" tests/guest/loader.c -lbpf \
		2>"$work/cc.log" || skip_all 'no libbpf to link with'
done

collect() {
	run collect --accel tcg --kernel "$kernel" "$@"
}

# --- it loads nothing ---

printf '#!/bin/sh\necho idle\nexec sleep 1000\n' >"$work/idle"
printf '#!/bin/sh\necho done already\n' >"$work/ends"
printf '#!/bin/sh\ni=0\nwhile [ $i -lt 1000 ]; do i=$((i + 1)); echo "line $i"; done\nkill -9 $$\n' >"$work/killed"
chmod +x "$work/idle" "$work/ends" "$work/killed"
collect --run "$work/idle" --file "$(command -v sleep)" --load-timeout 2
check 'loads nothing: exit status 1' test "$status" = 1
check 'loads nothing: what it printed' grep -qx idle "$work/err"
check 'loads nothing: which limit, which option' \
	grep -q 'idle loaded nothing in 2 seconds; --load-timeout SECONDS' "$work/err"
collect --run "$work/ends" --json
check 'ends at once, with success: exit status 1' test "$status" = 1
keys programs
check 'ends at once: the reason' jq -e '.payload.exited and .payload.exit_code == 0 and
	(.payload.passed | not) and (.payload.reason | startswith("loaded nothing"))' "$work/out"
collect --run "$work/killed"
check 'killed: exit status 1' test "$status" = 1
check 'killed: by which signal' grep -q 'killed was killed by signal 9' "$work/err"
check 'much output: its end' grep -qx 'line 1000' "$work/err"
check 'much output: not its beginning, which is told' sh -c "! grep -qx 'line 1' '$work/err' &&
	grep -q '800 lines before these: --raw' '$work/err'"
collect --run "$work/killed" --raw
check '--raw: all of it' test "$(grep -cE '^line [0-9]+$' "$work/err")" = 1000
collect --run "$work/killed" --live
check '--live: all of it, once' test "$(grep -cE '^line [0-9]+$' "$work/err")" = 1000

# --- it is cut off, or gives the verifier too little time to see anything ---

# The verifier takes longer than that; on a slow host the loader does before it comes to it.
collect --run "$work/slow" --load-timeout 0.5
check 'cut off: exit status 1' test "$status" = 1
check 'cut off: which limit, which option' \
	grep -qE 'slow (was cut off: it was still loading|loaded nothing).* 0.5 seconds; --load-timeout SECONDS' \
	"$work/err"
collect --run "$work/slow" --load-timeout 200 --json
check 'with more time: passed' test "$status" = 0
check 'with more time: all of it' jq -e '.payload.passed and .payload.reason == null and
	[.programs[].name] == ["before", "long_walk", "behind"]' "$work/out"

# --- its program is rejected ---

collect --run "$work/reject"
check 'rejected: exit status 1' test "$status" = 1
check 'rejected: its name' grep -q '1 of its programs was rejected: rejected_null_unchecked' "$work/err"
check 'rejected: the headline' grep -qF "R0 invalid mem access 'map_value_or_null'" "$work/out"
check 'rejected: what leads to it' grep -qE 'set at insn [0-9]+:.*bpf_map_lookup_elem' "$work/out"
check 'rejected: its place in the source' grep -q 'reject.bpf.c:25' "$work/out"
collect --run "$work/reject" --csv
check 'rejected: CSV has only rows' test "$(wc -l <"$work/out")" = 1
check 'rejected: then the headline is on stderr' grep -qF "R0 invalid mem access" "$work/err"
# The truth is what the verifier said, which the document has as the loader printed it.
collect --run "$work/reject" --json
keys programs
check 'rejected: in JSON with its name and error' jq -e '.failed | length == 1 and (.[0] |
	.name == "rejected_null_unchecked" and .message == "R0 invalid mem access \u0027map_value_or_null\u0027" and
	.file == "reject.bpf.c" and .line == 25 and (.class | length > 0))' "$work/out"
check 'rejected: its numbers are those of its log' jq -e '(.payload.output |
	capture("processed (?<insns>[0-9]+) insns .*total_states (?<states>[0-9]+)")) as $said |
	.failed[0] | "\(.verified_insns)" == $said.insns and "\(.total_states)" == $said.states' "$work/out"
collect --run "$work/demo" --settle 0.2 --json
check 'one that is good: nothing failed' jq -e '.failed == []' "$work/out"
collect --run "$work/demo" --settle 0.2
check 'one that is good: exit status 0' test "$status" = 0
check 'one that is good: nothing is told' sh -c "! grep -q ktstr-gdb: '$work/err'"

# --- options that need it ---

collect --object build/bpf/demo.bpf.o --settle 1
says '--settle without --run' 2 '--settle need --run'
collect --object build/bpf/demo.bpf.o --live
says '--live without a program' 2 '--live needs --run or --scheduler'
plan
