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

# Within a second.
nothing_left() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -z "$(left)" ] && return 0
		sleep 0.1
	done
	left
	return 1
}

# ends SIGNAL WHEN: a collect that gets the signal after so many seconds, or as soon as there is
# such a file that is not empty, or such words on the console.
ends() {
	rm -f "$work/trace"
	"$tool" collect --accel tcg --kernel "$kernel" --object "$object" --trace "$work/trace" \
		>"$work/out" 2>"$work/err" &
	pid=$!
	case $2 in
	[0-9]*) sleep "$2" ;;
	*)
		for _ in $(seq 400); do
			[ -s "$2" ] && break
			grep -aqs "$2" "$work"/tmp/ktstr-gdb.*/console.log && break
			sleep 0.05
		done
		;;
	esac
	seen=$(left | grep -c cmdline)
	kill -s "$1" $pid
	wait $pid 2>/dev/null
	status=$?
	[ "$1" = KILL ] || says "SIG$1, $2 (processes: $seen)" 3 'cancelled|interrupted'
	check "SIG$1, $2: nothing is left" nothing_left
}

for t in 0.1 0.15 0.2 0.3 0.5 1 3; do
	ends INT $t
done
ends TERM 2
ends HUP 0.7
for t in 0.1 0.25 0.5 2; do
	ends KILL $t
done

# While the init works: it begins, and its first program is loaded.
ends INT 'Run /init as init'
ends KILL 'Run /init as init'
plan
