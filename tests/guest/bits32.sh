#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Guests of 32 bits: refused by name, each stock kernel and each guest that runs it.
. "$(dirname "$0")/lib"

# runs NAME QEMU ARG...: a guest of "$kernel", without an init, in $dir.
runs() {
	dir=$work/$1
	shift
	mkdir -p "$dir"
	guests="$guests $dir"
	"$@" -display none -nodefaults -accel tcg -m 256 -no-reboot -kernel "$kernel" \
		-serial "file:$dir/console" -gdb "unix:$dir/gdb.sock,server=on,wait=off" \
		>"$dir/qemu.log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
}

# refused NAME ARCH CONSOLE: the guest of $dir, when its kernel has begun to run.
refused() {
	becomes grep -aq 'Linux version' "$dir/console"
	run attach "unix:$dir/gdb.sock"
	says "$1: attach" 3 "a guest of 32 bits \\($2\\)"
	"$truth/stop" "$dir"
}

if ! kernel=$(vm/fetch-kernel bookworm 686 2>"$work/fetch"); then
	skip i386 "$(tail -n 1 "$work/fetch")"
else
	run collect --accel tcg --kernel "$kernel" --object build/bpf/demo.bpf.o
	says "a kernel of i386: collect" 3 'a kernel of 32 bits \(i386\)'
	runs i386 qemu-system-i386 -append 'console=ttyS0 panic=0'
	refused 'i386, on a processor of 32 bits' i386
	runs i386-64 qemu-system-x86_64 -append 'console=ttyS0 panic=0'
	refused 'i386, on a processor of 64 bits' i386
fi
if ! command -v qemu-system-arm >/dev/null; then
	skip armhf 'not installed: qemu-system-arm; tests/deps foreign installs it'
elif ! kernel=$(vm/fetch-kernel sid armmp 2>"$work/fetch"); then
	skip armhf "$(tail -n 1 "$work/fetch")"
else
	run collect --accel tcg --kernel "$kernel" --object build/bpf/demo.bpf.o
	says "a kernel of armhf: collect" 3 'a kernel of 32 bits \(arm\)'
	runs armhf qemu-system-arm -M virt -append 'console=ttyAMA0 panic=0'
	refused armhf arm
fi
plan
