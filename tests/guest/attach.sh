#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest that runs already, and everything that a person may do to it or ask of it.
. "$(dirname "$0")/lib"
kernel trixie
monitor_for guest
# shellcheck disable=SC2086
boot guest --kernel "$kernel" --gdb tcp $monitor
socket=${target#unix:}

attach() {
	run attach "$target" --vmlinux "$kernel" "$@"
}

# --- what is shown ---

attach
prints 'a table' 0 '^ +ID TYPE +NAME'
all=$(($(wc -l <"$work/out") - 1))
check 'nothing on stderr' test ! -s "$work/err"
attach --json
check 'JSON: every program' jq -e ".schema == \"ktstr-gdb.programs.v1\" and (.programs | length) == $all" "$work/out"
keys programs
cp "$work/out" "$work/all.json"
attach --csv
check 'CSV: every program, and a header' test "$(wc -l <"$work/out")" = $((all + 1))
type=$(jq -r '.programs[0].type' "$work/all.json")
id=$(jq -r '.programs[0].id' "$work/all.json")
name=$(jq -r '[.programs[].name | select(length > 3)][0]' "$work/all.json")
attach --type "$type,xdp" --json
check '--type' jq -e --arg t "$type" '(.programs | length) > 0 and all(.programs[]; .type == $t or .type == "xdp")' "$work/out"
attach --id "$id,99999" --json
check '--id' jq -e "[.programs[].id] == [$id]" "$work/out"
attach --name "$(printf %.3s "$name")*" --json
check '--name' jq -e --arg n "$name" 'any(.programs[]; .name == $n)' "$work/out"
attach --sort verified_insns -o id,verified_insns
check '--sort, -o' sh -c "sed 1d '$work/out' | awk '{print \$2}' | grep -v '^-' | sort -rnc"
attach --sort=-id -o id
check '--sort upside down' sh -c "sed 1d '$work/out' | sort -nc || sed 1d '$work/out' | sort -rnc"
attach --name 'no such program'
if [ "$status" = 0 ] && grep -q "none of the guest's $all BPF programs" "$work/err"; then
	ok 'none that was asked for: said so'
else
	not_ok 'none that was asked for: said so' "$(told)"
fi
attach --timing
check '--timing, on stderr' grep -q '^pause .* ms' "$work/err"
attach --trace "$work/trace"
check '--trace' grep -q '^> qSupported' "$work/trace"
run collect --vmlinux "$kernel" "$target" --json
check 'collect with a TARGET is attach' jq -e "(.programs | length) == $all" "$work/out"

# --- a terminal ---

# on_terminal COMMAND: its output on a terminal of 80 columns, into $work/tty.
on_terminal() {
	TERM=xterm script -qec "stty cols 80; $1" /dev/null </dev/null | tr -d '\r' >"$work/tty"
}

on_terminal "'$tool' attach '$target' --vmlinux '$kernel'"
plain=$(sed 's/\x1b\[[0-9;]*[mK]//g' "$work/tty" | wc -L)
check "no line is longer than the terminal ($plain)" test "$plain" -le 80
check 'the terminal shows them all' test "$(wc -l <"$work/tty")" = $((all + 1))
on_terminal "NO_COLOR=1 '$tool' attach '$target' --vmlinux '$kernel'"
check 'NO_COLOR' sh -c "! grep -q '$(printf '\033')' '$work/tty'"

# --- stdout that takes nothing ---

for sink in /dev/full closed; do
	if [ $sink = closed ]; then
		"$tool" attach "$target" --vmlinux "$kernel" >&- 2>"$work/err"
	else
		"$tool" attach "$target" --vmlinux "$kernel" >"$sink" 2>"$work/err"
	fi
	status=$?
	: >"$work/out"
	says "stdout is $sink" 3 'cannot write the result to stdout'
done
"$tool" attach "$target" --vmlinux "$kernel" 2>"$work/err" | head -n 1 >"$work/out"
check 'stdout is head: not a word' test "$(wc -l <"$work/out")" = 1 -a ! -s "$work/err"
"$tool" attach "$target" --vmlinux "$kernel" >"$work/out" 2>&-
check 'stderr is closed' test "$(wc -l <"$work/out")" = $((all + 1))
alive 'the guest runs on, so far'

# --- the cache ---

mkdir "$work/ro" && chmod 500 "$work/ro" && : >"$work/file"
for cache in "$work/ro" "$work/file" /dev/null/x relative; do
	XDG_CACHE_HOME=$cache attach
	check "cache directory: $(basename "$cache")" test "$status" = 0 -a ! -s "$work/err"
done
(
	unset HOME XDG_CACHE_HOME
	attach
	[ "$status" = 0 ] && [ ! -s "$work/err" ]
)
check 'no HOME' test $? = 0

# --- the wrong kernel ---

for suite in bookworm sid; do
	other=$(vm/fetch-kernel $suite) || continue
	attach --vmlinux "$other"
	says "an image of $suite" 3 'do not belong together: the image is .* the guest runs 6\..*; give'
	alive
done

# --- somebody else at the stub ---

"$here/tests/guest/hold" "$socket" "$work/release" >"$work/hold" 2>&1 &
hold=$!
becomes grep -q holding "$work/hold"
attach --timeout 1
: >"$work/release"
says 'another debugger is attached' 3 'went silent: .*one debugger at a time'
wait $hold
alive 'the guest runs on after both'
attach
prints 'once it is gone, as ever' 0 '^ +ID TYPE +NAME'

# --- stopped guests ---

attach --leave-stopped
is '--leave-stopped: it is' paused
attach --leave-stopped
is 'again: still' paused
attach
is 'without: it runs on' running
alive
monitor stop >/dev/null
is 'paused by the monitor' paused
attach
prints 'a paused guest is read' 0 '^ +ID TYPE +NAME'
check 'it is said that it runs now' grep -q 'was paused before, and runs now' "$work/err"
monitor cont >/dev/null

# --- signals, at any moment of it ---

# interrupted SIGNAL RUNS OPTION...: one line and status 3, or done, or not begun; the guest runs. The
# signals come at moments of the time that an attach takes now; more of them, if none hits.
interrupted() {
	signal=$1 runs=$2 i=0 odd='' hits=0
	shift 2
	max=$(took "$tool" attach "$target" --vmlinux "$kernel" "$@")
	while [ $i -lt "$runs" ] || { [ $hits = 0 ] && [ $i -lt $((5 * runs)) ]; }; do
		i=$((i + 1))
		moment=$(((i - 1) % runs + 1))
		: >"$work/err"
		"$tool" attach "$target" --vmlinux "$kernel" "$@" >"$work/out" 2>"$work/err" &
		pid=$!
		sleep "$(awk "BEGIN { printf \"%.4f\", $max / 1000 * $moment / $runs }")"
		kill -s "$signal" $pid 2>/dev/null
		wait $pid 2>/dev/null
		status=$?
		case $status in
		0) [ -s "$work/err" ] && odd=$(told) ;;
		3)
			hits=$((hits + 1))
			grep -q 'interrupted$' "$work/err" && [ "$(wc -l <"$work/err")" = 1 ] &&
				[ ! -s "$work/out" ] || odd=$(told)
			;;
		# Before the tool's own first instruction.
		129 | 130 | 143) [ -s "$work/err" ] && odd=$(told) ;;
		*) odd=$(told) ;;
		esac
		words=$(monitor 'info status')
		case $words in *paused*) odd="stopped for good after $max ms * $moment / $runs: $(told)" && break ;; esac
	done
	if [ -n "$odd" ]; then
		not_ok "SIG$signal, $runs times $*" "$odd"
		monitor cont >/dev/null
	elif [ $hits = 0 ]; then
		not_ok "SIG$signal, $runs times $*" 'none of them hit'
	else
		ok "SIG$signal, $runs times $* ($hits in the middle)"
	fi
}

# TCP's state 01 is a connection, of which QEMU need not know yet.
connected() {
	takes_signals $pid && grep -q ":$(printf %04X "${socket##*:}") [0-9A-F]*:[0-9A-F]* 01 " /proc/net/tcp
}
signal_arrived() { ! grep -qs '^ShdPnd:.*[1-9a-f]' "/proc/$pid/status"; }

# In the greeting, for sure: a QEMU that is frozen answers only after the signal.
kill -s STOP "$(cat "$dir/pid")"
"$tool" attach "$target" --vmlinux "$kernel" >"$work/out" 2>"$work/err" &
pid=$!
becomes connected
kill -s INT $pid
becomes signal_arrived
kill -s CONT "$(cat "$dir/pid")"
wait $pid
status=$?
says 'SIGINT in the greeting' 3 'interrupted$'
is 'and the guest runs on' running
interrupted TERM 40
interrupted INT 12 --no-cache
interrupted HUP 12
alive 'the guest runs on after all that'
plan
