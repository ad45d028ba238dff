#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest that does not run a kernel yet: stopped at power-on, in firmware, in early boot.
. "$(dirname "$0")/lib"
kernel trixie
not_yet='(not in 64-bit mode yet|does not run a kernel yet|not mapped|wait until|--wait)'

# --- firmware: QEMU with nothing to boot ---

dir=$work/firmware
mkdir -p "$dir"
guests="$guests $dir"
qemu-system-x86_64 -display none -nodefaults -accel tcg -machine q35 -m 64 -no-reboot \
	-serial "file:$dir/console" -gdb "unix:$dir/gdb.sock,server=on,wait=off" \
	>"$dir/qemu.log" 2>&1 &
echo $! >"$dir/pid"
becomes test -S "$dir/gdb.sock"
run attach "unix:$dir/gdb.sock" --vmlinux "$kernel"
says 'a QEMU that sits in its firmware' 3 'not in 64-bit mode yet .*--wait'
begin=$(date +%s)
run attach "unix:$dir/gdb.sock" --vmlinux "$kernel" --wait 2 --trace "$work/trace"
says 'the same after --wait 2' 3 'not in 64-bit mode yet'
took=$(($(date +%s) - begin)) # seconds
check "which took that long ($took s)" test $took -ge 2
# Half a second lies between two tries, so there is no room for more.
tries=$(grep -c '^> qSupported' "$work/trace")
check "and not longer: $tries tries, 5 at most" test "$tries" -ge 1 -a "$tries" -le 5
"$truth/stop" "$dir"

# --- nobody there yet ---

"$tool" attach "unix:$work/late/gdb.sock" --vmlinux "$kernel" --wait 300 --json \
	>"$work/late.json" 2>"$work/late.err" &
waiting=$!

# --- from power-on until there is a kernel ---

monitor_for late
# shellcheck disable=SC2086
boot late --kernel "$kernel" --no-wait --qemu-arg -S $monitor
run attach "$target" --vmlinux "$kernel" --leave-stopped
says 'stopped at power-on' 3 'not in 64-bit mode yet'
is 'stopped as before' paused
monitor cont >/dev/null
tries=0 odd='' deadline=$(($(date +%s) + 300))
while [ "$(date +%s)" -lt $deadline ]; do
	tries=$((tries + 1))
	run attach "$target" --vmlinux "$kernel"
	[ "$status" = 0 ] && break
	if [ "$status" != 3 ] || [ "$(wc -l <"$work/err")" != 1 ] || [ -s "$work/out" ] ||
		! grep -Eq "$not_yet" "$work/err"; then
		# The other one, which waits, is served just now.
		grep -q 'one debugger at a time' "$work/err" && continue
		odd=$(told)
		break
	fi
done
if [ -z "$odd" ] && [ "$status" = 0 ]; then
	ok "attached again and again from power-on: $((tries - 1)) refusals"
else
	not_ok 'attached again and again from power-on' "try $tries: $odd $(told)"
fi
wait $waiting
status=$?
check '--wait from before QEMU was there: it got through' test $status = 0 -a ! -s "$work/late.err"
check 'with a whole document' jq -e .programs "$work/late.json"
becomes grep -aq 'truth: told' "$dir/console"
alive 'the guest booted as if nothing had been'
run attach "$target" --vmlinux "$kernel" --json
prints 'and has its programs' 0 'verified_insns'
plan
