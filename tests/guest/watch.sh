#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Loads watched as they happen, against what the guest's own kernel tells the loaders.
#
#   watch.sh [LOADS]    how many each of the four loaders makes on 6.12 (250)
. "$(dirname "$0")/lib"
loads=${1:-250}
. tests/guest/watching

kernel trixie
all_equal multi "$kernel" "loads.n=$loads" tcg,thread=multi
"$truth/stop" "$dir"
all_equal single "$kernel" "loads.n=$((loads / 5 + 1))" tcg,thread=single
"$truth/stop" "$dir"

for from in 'trixie-backports --series 6.16' 'trixie-backports --series 6.18' sid trixie-backports; do
	# shellcheck disable=SC2086
	kernel=$(set -- $from; suite=$1; shift; vm/fetch-kernel "$@" "$suite") || continue
	all_equal "$(basename "$(dirname "$kernel")")" "$kernel" loads.n=15
	"$truth/stop" "$dir"
done

# --- how far a load is ---

kernel trixie
guest slow "$kernel" 'loads.n=1 loads.slow=1'
watch --progress
go
until_says "$dir/seen" '"name": "slow_with_a_long_name".*"type": "xdp"' 300
# Whether this machine's debugger can call a function in a process: gdb 13 cannot where the processor has
# more state than it knows ("Couldn't write extended state status"), and the process dies of it.
debugger_calls() {
	sleep 600 &
	sleeper=$!
	becomes [ "/proc/$sleeper/exe" -ef "$(command -v sleep)" ]
	gdb -q -batch -p $sleeper -ex 'print ((int (*)(void))getpid)()' 2>/dev/null </dev/null |
		grep -qxF "\$1 = $sleeper"
	can=$?
	kill $sleeper 2>/dev/null
	return $can
}

# In its own process, by a debugger: what whoever took it over could do.
try() {
	gdb -q -batch -p "$watcher" -ex "print $1" 2>/dev/null </dev/null | sed -n 's/^\$1 = //p'
}
open='((int (*)(const char *, int, ...))open)'
exec='((int (*)(const char *, void *, void *))execve)'
if debugger_calls; then
	check 'fence: what it needs, it can open' test "$(try "$open(\"/etc/localtime\", 0)")" -gt 2
	check 'fence: a program is not started' test "$(try "$exec(\"/bin/true\", 0, 0)")" = -1
	# landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
	echo '#include <unistd.h>
int main(void) { return syscall(444, 0, 0, 1) < 1; }' >"$work/landlock.c"
	if cc -o "$work/landlock" "$work/landlock.c" && "$work/landlock"; then
		check 'fence: a file of the user is not opened' test "$(try "$open(\"$here/README.md\", 0)")" = -1
	else
		skip 'fence: a file of the user is not opened' 'this machine has no Landlock'
	fi
else
	skip 'fence: in the living process' 'the debugger of this machine cannot call a function in a process'
fi
kill -s INT "$watcher"
ended
for event in begin load progress end; do
	keys "watch $event" "$dir/seen"
done
check 'progress: samples of the slow load, that grow' jq -se '[.[] | select(.event == "progress" and .name == "slow_with_a_long_name") | .verified_insns] | length > 1 and . == sort and last > first' "$dir/seen"
check 'progress: less than what it came to' jq -se '([.[] | select(.event == "load" and .name == "slow_with_a_long_name")][0].verified_insns) as $all | all(.[] | select(.event == "progress" and .name == "slow_with_a_long_name"); .verified_insns <= $all)' "$dir/seen"
check 'progress: the source line at hand, the name that is not cut, how fast it goes' jq -se '
	[.[] | select(.event == "progress" and .name == "slow_with_a_long_name")] |
	all(.[]; .full_name == "slow_with_a_long_name" and .file == "/src/slow.bpf.c" and
		([.insn, .line, .source] | IN([0, 10, "int turns = 300000;"], [1, 11, "turns--;"], [2, 12, "while (turns)"], [3, 13, "return 0;"],
			[4, 13, "return 0;"]))) and
	(last | .insns_per_s > 0 and .states_per_s > 0)' "$dir/seen"
check 'progress: and at the load itself' jq -se 'any(.[]; .event == "load" and .full_name == "slow_with_a_long_name")' "$dir/seen"
# It is 1 % that is promised; one look that a busy machine interrupts may cost a second.
check 'progress: it is stopped to look for 10 % of the time at most' jq -se 'last | .look_us < .elapsed_us * 0.1 + 1000000' "$dir/seen"
"$truth/stop" "$dir"

# --- what a load costs, by the guest's own clock ---

# The same loads without a watch and with one. A busy machine makes either of them longer, so what is
# told may be off by a factor of two here; on a quiet one it is within 20 %.
guest cost "$kernel" 'loads.n=1 loads.cost=100'
watch
go
until_says "$dir/console" 'loads: done' 600
kill -s INT "$watcher"
ended
quiet=$(grep '^cost' "$dir/serial" | sed -n '2s/cost //p')
watched=$(grep '^cost' "$dir/serial" | sed -n '3s/cost //p')
cost=$(((watched - quiet) / 100 / 1000))
told=$(tail -n 1 "$dir/seen" | jq .load_cost_us)
check "cost: a load took $cost us more by the guest's clock, and $told are told" \
	jq -en --argjson cost "$cost" --argjson told "$told" '$told >= $cost / 2 and $told <= $cost * 2 + 1000'
check 'cost: how far its clock is behind is no more than it stood still' jq -se 'last |
	.clock_behind_us == null or (.clock_behind_us >= -100000 and .clock_behind_us <= .pause_us * 1.5 + 1000000)' "$dir/seen"

# --- a watch that costs more than it may ---

# A load a second takes more than a hundredth of a percent on any machine. First the samples go, then
# the watch, each time after five seconds.
watch --progress --max-overhead 0.01
ended
check 'overhead: the watch ends by itself' test "$status" = 3
check 'overhead: first it shows no more progress' grep -Eq '^ktstr-gdb: the guest was stopped for [0-9.]+ % of the last seconds, --max-overhead is 0.01 %; no more progress is shown$' "$dir/err"
check 'overhead: then it says why it ends' grep -Eq '^ktstr-gdb: the watch ends: the guest was stopped for [0-9.]+ % of the last seconds, --max-overhead is 0.01 %; it runs on unwatched$' "$dir/err"
check 'overhead: and nothing else' test "$(wc -l <"$dir/err")" = 2
check 'overhead: its last word is the summary' jq -se 'last | .event == "end" and .pause_us > .elapsed_us * 0.0001' "$dir/seen"
alive 'overhead: the guest runs on'
# No breakpoint is left: loads go on in a guest that nobody watches.
watch --count 2
ended
check 'overhead: and can be watched again' test "$status" = 0
"$truth/stop" "$dir"

# --- guests that end ---

# ends_by HOW WHY: the watch ended, since the guest did, and says so.
ends_by() {
	ended
	if [ "$status" = 3 ] && grep -Eq "the watch ends: .*($2)" "$dir/err" &&
		[ "$(wc -l <"$dir/err")" = 1 ]; then
		ok "$1: a clear line"
	else
		not_ok "$1: a clear line" "$(told)"
	fi
	check "$1: what was seen so far" tests/guest/compare-loads "$dir/serial" "$dir/seen"
	"$truth/stop" "$dir"
}

gone='the guest (is gone|shut down)|QEMU (ended|closed)'
for how in panic reboot poweroff; do
	guest "$how" "$kernel" "loads.n=2 loads.end=$how"
	watch
	go
	case $how in
	panic) ends_by "$how" "the guest's kernel panicked" ;;
	*) ends_by "$how" "$gone" ;;
	esac
done

more='--qemu-arg -action --qemu-arg reboot=reset'
guest again "$kernel" 'loads.n=2 loads.end=reboot'
more=
watch
go
ends_by 'a reboot that QEMU goes along with' 'the guest rebooted'

guest quit "$kernel" 'loads.n=2'
watch
go
until_says "$dir/console" 'loads: done' 300
echo quit >"$dir/monitor.in"
ends_by 'QEMU quits' "$gone"

guest stopped "$kernel" 'loads.n=2'
watch
go
until_says "$dir/console" 'loads: done' 300
# A stop that comes while the watch has stopped the guest itself is lost: QEMU does not tell of it.
pause_it() {
	echo stop >"$dir/monitor.in"
	has_ended "$watcher"
}
becomes pause_it
ended
check 'paused in the monitor: a clear line' grep -q 'the watch ends: the guest was paused' "$dir/err"
check 'paused in the monitor: what was seen so far' tests/guest/compare-loads "$dir/serial" "$dir/seen"
echo 'info status' >"$dir/monitor.in"
until_says "$dir/monitor.said" 'VM status: paused' 120
check 'paused in the monitor: it is still' test $? = 0
echo cont >"$dir/monitor.in"
alive 'paused in the monitor: and runs on by cont'
"$truth/stop" "$dir"

# --- before 6.4 ---

kernel bookworm
guest old "$kernel" 'loads.n=5'
watch
go
until_says "$dir/console" 'loads: done' 300
kill -s INT "$watcher"
ended
check '6.1: it says what it does not see' grep -q 'no bpf_vlog_finalize' "$dir/err"
awk '$1 == "load" { print $4, $5 } $1 == "early" { print $2, $3 }' "$dir/serial" | sort >"$dir/told"
jq -r 'select(.event == "load" and .pid != 1) | "\(.pid) \(.errno)"' "$dir/seen" | sort >"$dir/results"
check '6.1: every result' diff "$dir/told" "$dir/results"
# What a program that passed has cost, its aux keeps (5.16).
awk '$1 == "load" && $5 == 0 { sub(/.*processed /, $2 " "); print $1, $2 }' "$dir/serial" |
	sort >"$dir/told"
jq -r 'select(.event == "load" and .pid != 1 and .errno == 0) | "\(.name) \(.verified_insns)"' \
	"$dir/seen" | sort >"$dir/results"
check '6.1: the names and instructions of those that passed' diff "$dir/told" "$dir/results"

# --- Ctrl-Z: the guest is let go at once, and whoever types fg is told so ---

watch --last
check '6.1: no log is promised' grep -q 'no logs' "$dir/err"
kill -s STOP "$watcher"
alive 'Ctrl-Z: the guest runs on'
kill -s CONT "$watcher"
ended
check 'Ctrl-Z: exit status 3' test "$status" = 3
check 'Ctrl-Z: what happened' grep -q 'the watch ends: it was stopped (by Ctrl-Z?)' "$dir/err"
plan
