#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# killed.sh [TIMES]: whatever ends the tool while the guest stands still, the guest runs again
# within 200 ms, and the stub is as it was: SIGKILL at 200 random moments of an attach, and some
# of a crash, of a full stop and of Ctrl-Z. Half a minute.
times=${1:-200}
. "$(dirname "$0")/lib"
kernel trixie
. tests/guest/killing
boot guest --kernel "$kernel" --qemu-arg -qmp --qemu-arg "unix:$work/guest/qmp,server=on,wait=off"

killed 'SIGKILL' 9 "$times" "$tool" attach "$target" --vmlinux "$kernel"
killed 'SIGKILL, reading the image' 9 $((times / 10)) \
	"$tool" attach "$target" --vmlinux "$kernel" --no-cache
killed 'SIGKILL, reading the kernel out of memory' 9 $((times / 4)) \
	"$tool" attach "$target" --no-cache
killed 'SIGSEGV' 11 $((times / 10)) "$tool" attach "$target" --vmlinux "$kernel"
killed 'SIGINT' 2 $((times / 10)) "$tool" attach "$target" --vmlinux "$kernel"
killed 'SIGHUP' 1 $((times / 10)) "$tool" attach "$target" --vmlinux "$kernel"
killed 'SIGSTOP' 19 $((times / 10)) "$tool" attach "$target" --vmlinux "$kernel"
killed 'SIGTSTP, which is Ctrl-Z' 20 $((times / 10)) "$tool" attach "$target" --vmlinux "$kernel"
if "$tool" watch --help >/dev/null 2>&1; then
	"$truth/stop" "$dir"
	boot loading --kernel "$kernel" --append truth.churn=1 \
		--qemu-arg -qmp --qemu-arg "unix:$work/loading/qmp,server=on,wait=off"
	for sig in 9 19; do
		killed "watch, signal $sig" $sig "$times" \
			"$tool" watch "$target" --vmlinux "$kernel" --duration 0.2
	done
fi
alive
plan
