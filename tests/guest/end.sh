#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# However a collect ends, nothing of it outlives it: no QEMU, no guard, no directory.
. "$(dirname "$0")/lib"
kernel trixie
make --no-print-directory -s bpf || skip_all 'no BPF objects'
object=$here/build/bpf/demo.bpf.o
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
unset XDG_RUNTIME_DIR

echo "$work/tmp/ktstr-gdb." >"$work/pattern" # so that grep itself does not have it
# Who has one of our directories in its command line, and the directories themselves.
left() {
	ls -d "$work"/tmp/ktstr-gdb.* 2>/dev/null
	grep -alF -f "$work/pattern" /proc/[0-9]*/cmdline 2>/dev/null
}

is_tidy() { [ -z "$(left)" ]; }

# Soon: a guard works on after its tool has ended.
nothing_left() {
	becomes is_tidy && return
	left
	return 1
}

console_says() { grep -aqs "$1" "$work"/tmp/ktstr-gdb.*/console.log; }

# ends SIGNAL WHEN: a collect that gets the signal so many seconds after it has begun to handle
# signals (KILL: after its start), or as soon as there are such words on the console.
ends() {
	rm -f "$work/trace"
	# Booted, not restored: the moments are those of a boot.
	"$tool" collect --accel tcg --no-cache --kernel "$kernel" --object "$object" --trace "$work/trace" \
		>"$work/out" 2>"$work/err" &
	pid=$!
	case $2 in
	[0-9]*)
		[ "$1" = KILL ] || becomes takes_signals $pid
		sleep "$2"
		;;
	*) becomes console_says "$2" ;;
	esac
	seen=$(left | grep -c cmdline)
	kill -s "$1" $pid
	wait $pid 2>/dev/null
	status=$?
	[ "$1" = KILL ] || says "SIG$1, $2 (processes: $seen)" 3 'cancelled|interrupted'
	check "SIG$1, $2: nothing is left" nothing_left
}

# No guest is up within a second under TCG. Later moments are the console's.
for t in 0 0.1 0.15 0.2 0.3 0.5 1 'Linux version'; do
	ends INT "$t"
done
ends TERM 'Linux version'
ends HUP 0.7
for t in 0.1 0.25 0.5 'Linux version'; do
	ends KILL "$t"
done

# While the init works: it begins, and its first program is loaded.
ends INT 'Run /init as init'
ends KILL 'Run /init as init'
plan
