#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# qmp.sh [TIMES]: a guest without a GDB stub, by QEMU's monitor. Afterwards QEMU is as before: no
# stub, no character device, no descriptor more; the guest runs, or is paused, as it was.
times=${1:-20}
. "$(dirname "$0")/lib"
kernel trixie
. tests/guest/killing
[ -x build/guest/qmp ] || skip_all 'no build/guest/qmp: make guests'

# guest NAME ARG...: one with a monitor for the tool, and another one ($dir/qmp) for us.
guest() {
	name=$1
	shift
	boot "$name" --kernel "$kernel" --gdb none --qemu-arg -qmp --qemu-arg "unix:$work/$name/qmp,server=on,wait=off" "$@"
}

# ask COMMAND...: the "return" of each.
ask() {
	build/guest/qmp "$dir/qmp" "$@" | jq -c .return -
}

# What QEMU has. The character device "gdb" is QEMU's own, for qRcmd; it stays once there was a stub.
state() {
	ask query-status query-chardev | jq -cS 'if type == "array" then
		map(select(.filename != "gdb" and (.label | startswith("compat_monitor") | not))) | sort_by(.label) else . end' -
	find "/proc/$(cat "$dir/pid")/fd" -type l -printf '%l\n' | sed 's/\[[0-9]*\]//' | sort
}

same_state() {
	state >"$work/now"
	cmp -s "$work/before" "$work/now"
}

# as_before NAME
as_before() {
	if becomes same_state; then ok "$1: QEMU is as before"; else
		not_ok "$1: QEMU is as before" "$(diff "$work/before" "$work/now")"
	fi
}

# equal NAME: what the last run printed as JSON is the truth.
equal() {
	[ "$status" = 0 ] || { not_ok "$1" "$(told)" && return; }
	check "$1" build/truth/compare --min-programs 20 "$dir/truth.json" "$work/out"
}

# refused NAME PATTERN: attach says so in one line, and changes nothing.
refused() {
	run attach "$target" --vmlinux "$kernel" --timeout 1
	says "$1" 3 "$2"
}

both() {
	run attach "$target" --vmlinux "$kernel" --json
	equal "$1: every program"
	as_before "$1"
	run attach "$target" --no-cache --json
	equal "$1: the monitor alone"
	as_before "$1, the monitor alone"
}

guest plain --append 'truth.churn=0 truth.progs=40' --qemu-arg -qmp --qemu-arg tcp:127.0.0.1:0,server=on,wait=off
state >"$work/before"
both plain
for command in maps links info; do
	run "$command" "$target" --vmlinux "$kernel" --json
	check "$command" [ "$status" = 0 ]
done
run watch "$target" --vmlinux "$kernel" --duration 0.5
check 'watch' [ "$status" = 0 ]
as_before 'maps, links, info, watch'
run collect --vmlinux "$kernel" "$target" --json
check 'collect' [ "$status" = 0 ]
as_before 'collect'
# A monitor that cannot pass a socket.
port=$(ask query-chardev | jq -r '.[].filename | select(startswith("disconnected:tcp:")) | match(":([0-9]+),").captures[0].string' -)
run attach "qmp:127.0.0.1:$port" --vmlinux "$kernel" --json
equal 'a monitor by TCP'
as_before 'a monitor by TCP'
# A monitor that is not there yet; its path is one from here.
(cd "$work" && exec "$tool" attach qmp:later --wait 60 --vmlinux "$kernel" --json >"$work/out" 2>"$work/err" </dev/null) &
waits=$!
becomes takes_signals $waits
ln -s "$dir/monitor" "$work/later"
wait $waits
status=$?
equal '--wait'

run attach "pid:$(cat "$dir/pid")" --vmlinux "$kernel" --json
equal 'by its process'
run attach "qmp:$dir/qmp" --vmlinux "$kernel" --leave-stopped --json
equal '--leave-stopped'
check 'the guest stands still' jq -es '.[0].return.running == false' <<J
$(build/guest/qmp "$dir/qmp" query-status)
J
ask cont >/dev/null
alive

ask stop >/dev/null
state >"$work/before"
both 'a paused guest'
ask cont >/dev/null
alive
state >"$work/before"

# --- who ends the tool at any moment ---
n=0 bad_state=''
while [ $n -lt "$times" ]; do
	n=$((n + 1))
	set -- attach
	[ $((n % 2)) = 0 ] || set -- watch --duration 0.2
	build/guest/killer "$dir/qmp" 9 1 -- "$tool" "$@" "$target" --vmlinux "$kernel" >"$work/found" 2>&1 ||
		bad_state="$bad_state $n: $(cat "$work/found")"
	becomes same_state || bad_state="$bad_state $n: $(diff "$work/before" "$work/now")"
done
check "SIGKILL at $times moments: the guest runs on, QEMU is as before" [ -z "$bad_state" ]
[ -z "$bad_state" ] || echo "# $bad_state"
run attach "$target" --vmlinux "$kernel" --json
equal 'after that'

# --- who ends the keeper of the monitor alone ---

keeper_of() {
	spare=$(child "$1" ktstr-spare)
	keeper=$(child "${spare:-none}" ktstr-keeper)
	[ -n "$keeper" ]
}
began() {
	grep -q '"event": "begin"' "$work/seen"
}
rm -f "$work/seen"
"$tool" watch "$target" --vmlinux "$kernel" --json --duration 3 >"$work/seen" 2>"$work/err" </dev/null &
watcher=$!
becomes began
becomes keeper_of $watcher
kill -s KILL "$keeper"
wait $watcher
status=$?
check 'the keeper is killed: the watch goes on to its end' jq -se 'last | .event == "end" and .elapsed_us > 2000000' "$work/seen"
check 'the keeper is killed: exit status 0' [ $status = 0 ]
check 'the keeper is killed: one line says so' [ "$(grep -c "^ktstr-gdb: the process that kept QEMU's monitor is gone" "$work/err")/$(wc -l <"$work/err")" = 1/1 ]
alive 'the keeper is killed: the guest runs on'
as_before 'the keeper is killed'
# Keeper and tool: the spare does it all.
rm -f "$work/seen"
"$tool" watch "$target" --vmlinux "$kernel" --json >"$work/seen" 2>"$work/err" </dev/null &
watcher=$!
becomes began
becomes keeper_of $watcher
kill -s KILL "$keeper" $watcher
wait $watcher 2>/dev/null
as_before 'keeper and tool are killed'
alive 'keeper and tool are killed: the guest runs on'

# --- who may not ---
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp "$tool" "$work/tool"
	chmod 711 "$work"
	chmod 700 "$dir"
	timeout 60 setpriv --reuid 65534 --regid 65534 --clear-groups "$work/tool" attach "$target" \
		--vmlinux "$kernel" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	says 'another user' 3 'cannot connect: Permission denied; who starts QEMU may'
else
	skip 'another user' 'needs root and setpriv'
fi

# --- a guest that is being migrated, to where it takes hours ---
migration() {
	ask query-migrate | jq -r "$1" -
}
migration_is() {
	[ "$(migration .status)" = "$1" ]
}
sends_on() {
	[ "$(migration .ram.transferred)" -gt "$sent" ]
}
ask '{"execute": "migrate-set-parameters", "arguments": {"max-bandwidth": 100000}}' \
	'{"execute": "migrate", "arguments": {"uri": "exec:cat >/dev/null"}}' >/dev/null
becomes migration_is active
state >"$work/before"
sent=$(migration .ram.transferred)
refused 'a guest that is being migrated' "the guest is being migrated \('active'\)"
check 'being migrated: QEMU is as before' same_state
check 'being migrated: that goes on' becomes sends_on
check 'being migrated: and is not over' migration_is active
alive 'being migrated: the guest runs on'
ask migrate_cancel >/dev/null
becomes migration_is cancelled
run attach "$target" --vmlinux "$kernel" --json
equal 'after a migration that was cancelled'
state >"$work/before"

# --- who else is there ---
mkfifo "$work/hold"
build/guest/qmp "$dir/monitor" --hold <"$work/hold" >"$work/held" &
exec 9>"$work/hold"
becomes grep -q held "$work/held"
refused 'a monitor that somebody has' 'no greeting of QMP comes.*one client at a time'
exec 9>&-
wait $!
# A stub that is there is used, and stays; one that is in use is nobody else's.
ask '{"execute": "human-monitor-command", "arguments": {"command-line": "gdbserver unix:'"$dir"'/own,server=on,wait=off"}}' >/dev/null
state >"$work/before"
run attach "$target" --vmlinux "$kernel" --json
equal 'a stub that is there'
as_before 'a stub that is there'
"$tool" watch "unix:$dir/own" --vmlinux "$kernel" --duration 60 --json >"$work/seen" 2>&1 </dev/null &
watcher=$!
stub_is_used() {
	ask query-chardev | grep -q '"unix:[^"]*own[^"]*"'
}
becomes stub_is_used
run attach "$target" --vmlinux "$kernel" --timeout 1
says 'a stub that somebody uses' 3 "somebody else uses the guest's GDB stub"
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
"$truth/stop" "$dir"

# --- other things that listen ---
guest odd --no-wait --qemu-arg -S --qemu-arg -monitor --qemu-arg "unix:$work/odd/hmp,server=on,wait=off"
target=qmp:$dir/hmp
refused 'a monitor for people' 'monitor for people \(HMP\), and not QMP'
target=qmp:$dir/console
refused 'a file' 'Socket operation on non-socket|not a socket'
target=qmp:$dir/nothing
refused 'nothing there' 'No such file or directory'
target=qmp:
run attach "$target"
says 'no path' 2 'qmp:'
"$truth/stop" "$dir"
guest incoming --no-wait --qemu-arg -incoming --qemu-arg defer
refused 'a guest that is to be migrated here' "the guest is not there yet: QEMU is in state 'inmigrate'"
"$truth/stop" "$dir"
plan
