#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Maps and links of a guest that runs already: each value as the guest's own kernel has it.
. "$(dirname "$0")/lib"

# same WHAT: the last run's document has the very objects of the truth, each value the same.
same() {
	jq -S ".$1 | map(del(.func_cnt))" "$dir/truth.json" >"$work/wanted"
	jq -S ".$1 | map(del(.func_cnt))" "$work/out" >"$work/got"
	if [ "$(jq length "$work/wanted")" -gt "$2" ] &&
		why=$(diff "$work/wanted" "$work/got"); then
		ok "$release: all $(jq length "$work/got") $1"
	else
		not_ok "$release: $1" "$why
$(told)"
	fi
}

for suite in ${OBJECTS_SUITES:-bookworm trixie sid}; do
	kernel "$suite"
	boot "$suite" --kernel "$kernel" --append 'truth.links=1 truth.progs=60'
	release=$(jq -r .kernel.release "$dir/truth.json")
	run maps "$target" --vmlinux "$kernel" --json
	same maps 40
	run links "$target" --vmlinux "$kernel" --json
	same links 4
	alive
	"$truth/stop" "$dir"
done
plan
