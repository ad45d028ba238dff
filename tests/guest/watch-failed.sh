#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# watch --failed: every load that fails, as the guest's own kernel tells the loaders, and no stop for
# one that passes.
#
#   watch-failed.sh [LOADS]    how many each of the four loaders makes, more than half of them pass (60)
. "$(dirname "$0")/lib"
loads=${1:-60}
. tests/guest/watching

# none_stopped NAME KERNEL: hundreds of loads pass, and nothing but the look every two seconds stops it.
none_stopped() {
	guest "$1" "$2" 'loads.n=0 loads.cost=300'
	watch --failed
	go
	until_says "$dir/console" 'truth: tick 2' 1200
	kill -s INT "$watcher"
	ended
	check "$1: 300 loads that pass stop it not once" jq -se 'last | .stops <= .elapsed_us / 2000000 + 2 and .failed == 0' "$dir/seen"
	check "$1: nothing is shown of them" test "$(grep -c '"event": "load"' "$dir/seen")" = 0
	"$truth/stop" "$dir"
}

for from in bookworm trixie sid trixie-backports; do
	kernel=$(vm/fetch-kernel "$from") || continue
	all_failed "$from" "$kernel" "loads.n=$loads"
done
kernel trixie
none_stopped passing "$kernel"

# --- all of them, where that is asked for ---

guest all "$kernel" 'loads.n=15'
watch --failed --stop-at-all
check 'all: every load stops it' jq -se 'first | .only_failing == false' "$dir/seen"
go
until_says "$dir/console" 'loads: done' 1200
kill -s INT "$watcher"
ended
tr -d '\r' <"$dir/serial" | awk '$1 != "load" || $5 != 0' >"$dir/failed"
check 'all: the same is shown' tests/guest/compare-loads "$dir/failed" "$dir/seen"
check 'all: and what passes is counted' jq -se 'last | .passed > 20' "$dir/seen"
plan
