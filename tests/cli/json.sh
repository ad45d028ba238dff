#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# docs/json.md against the documents that the tool prints without a guest. The other documents are
# checked where they are made: by unit tests (tests/lib/json_keys.h), by sweep.sh and by tests/guest/.
# TAP.
. "$(dirname "$0")/../guest/lib"
keys=$here/tests/json-keys

# documents SECTION ARGUMENTS...: the tool is run with each of these; what it prints has all keys of
# that section's table, and no others.
documents() {
	section=$1
	shift
	files=
	for arguments; do
		# shellcheck disable=SC2086
		run $arguments
		[ "$status" = 0 ] || not_ok "$arguments" "$(told)"
		files="$files $work/$((${#files} + 1)).json"
		cp "$work/out" "${files##* }"
	done
	# shellcheck disable=SC2086
	check "$section: every key, both ways" "$keys" --all "$section" $files
}

# --- each schema that the sources name has a section ---

grep -rohE 'ktstr-gdb\.[a-z]+\.v[0-9]+' --include='*.c' cli render model | sort -u |
	while read -r schema; do
		grep -qF "\`$schema\`" docs/json.md || echo "$schema is not in docs/json.md"
	done >"$work/unknown"
check 'each schema has a section' sh -c "cat '$work/unknown' && ! test -s '$work/unknown'"

# --- the table is what is compared: a key renamed on either side is seen ---

run log --json tests/logparse/logs/6.12_bad_bounds.stderr
jq '.programs[0].line = .programs[0].lines | del(.programs[0].lines)' "$work/out" >"$work/renamed"
check 'a renamed key is seen' sh -c "'$keys' log '$work/renamed' >'$work/wrong'; test \$? = 1"
check 'both of its names are told' sh -c "grep -q 'programs\[\].line is not in the table' '$work/wrong' &&
	grep -q 'programs\[\].lines is missing' '$work/wrong'"
jq '.programs[0].lines = "5" | .programs[0].bytes = null' "$work/out" >"$work/renamed"
check 'so are another type, and a null that is not there' sh -c "! '$keys' log '$work/renamed' >'$work/wrong' &&
	grep -q 'lines is string, not integer' '$work/wrong' && grep -q 'bytes is null' '$work/wrong'"

# --- documents ---

documents doctor 'doctor --json'

documents log "log --json tests/logparse/errors/7.3_bad_leak.log tests/logparse/logs/7.3_fx_global.4.log
	tests/logparse/logs/6.12_bad_bounds.stderr" 'log --json tests/logparse/errors/6.1_bad_global.log'

jq -n '{schema: "ktstr-gdb.programs.v1", kernel: {release: "6.12"}, programs: [
	{name: "same", type: "xdp", verified_insns: 10}, {name: "breaks", type: "xdp", verified_insns: 5}]}' \
	>"$work/a"
jq '.programs[0].verified_insns = 0 | .programs |= .[:1] | .failed = [{name: "breaks", verified_insns: 3}]' \
	"$work/a" >"$work/b"
documents diff "diff $work/a $work/b --json" "diff $work/b $work/a --json"

# record DIRECTORY SCHEDULER PASSED INSNS
record() {
	mkdir -p "$work/$1"
	jq -nc --arg scheduler "$2" --argjson passed "$3" --argjson insns "$4" '{scheduler: $scheduler,
		kernel: "6.12", topology: "4cpu-1llc-nosmt", passed: $passed, skipped: false, stats: [
		{name: "enqueue", verified_insns: $insns, type: "struct_ops"},
		{name: "stop", verified_insns: null, failed: true}]}' >"$work/$1/$2.json"
}
record before breaks true 5
record before costs true 5
record now breaks false 5
record now costs true 7
documents report "report $work/now --json" "report $work/now --json --baseline $work/before"
plan
