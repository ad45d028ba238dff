#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The newest QEMU, whose stub behaves differently: no unasked stop reply, packets of 128 KiB.
. "$(dirname "$0")/lib"
kernel trixie
qemu=$(tests/newest-qemu) || skip_all 'no QEMU of the newest suite'
make --no-print-directory -s bpf truth || skip_all 'no BPF objects'

# same NAME OPTION...: a guest under that QEMU, and every field of every program in it.
same() {
	name=$1
	shift
	boot "$name" --kernel "$kernel" --qemu "$qemu" "$@"
	run attach "$target" --vmlinux "$kernel" --json
	check "$name: every field" build/truth/compare --min-programs 100 --min-types 6 \
		"$dir/truth.json" "$work/out"
	alive "$name: the guest runs on"
}

monitor_for idle
# shellcheck disable=SC2086
same idle $monitor
run attach "$target" --vmlinux "$kernel" --leave-stopped
is '--leave-stopped' paused
run attach "$target" --vmlinux "$kernel"
is 'without: it runs on' running
i=0 odd=''
max=$(took "$tool" attach "$target" --vmlinux "$kernel" --no-cache)
while [ $i -lt 12 ]; do
	i=$((i + 1))
	"$tool" attach "$target" --vmlinux "$kernel" --no-cache >"$work/out" 2>"$work/err" &
	pid=$!
	sleep "$(awk "BEGIN { print $max / 1000 * $i / 12 }")"
	kill -s INT $pid 2>/dev/null
	wait $pid 2>/dev/null
	status=$?
	case $(monitor 'info status') in *paused*) odd="stopped for good: $(told)" && break ;; esac
done
check 'SIGINT, at any moment of it' test -z "$odd"
"$truth/stop" "$dir"
same spin --append 'pti=on truth.mode=spin' --gdb tcp
"$truth/stop" "$dir"
run collect --accel tcg --kernel "$kernel" --qemu "$qemu" --object build/bpf/demo.bpf.o --json
check 'collect' jq -e '(.programs | length) == 6 and .failed == []' "$work/out"
plan
