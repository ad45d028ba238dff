#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Loads watched as they happen in guests of other architectures, against what the guest's own kernel
# tells the loaders. An architecture that this machine lacks something for is skipped, with what it is.
#
#   watch-foreign.sh [LOADS]   how many each of the four loaders makes (42)
#   FOREIGN_ARCHES             of these only (aarch64 riscv64 s390x)
#   FOREIGN_KERNELS            all: each of the kernels below, not the first that is to be had
. "$(dirname "$0")/lib"
loads=${1:-42}
. tests/guest/watching

# The kernels of an architecture, as "SUITE FLAVOUR" lines. Not every mirror has each.
kernels() {
	case $1 in
	aarch64) printf '%s\n' 'trixie cloud-arm64' 'sid cloud-arm64' ;;
	riscv64) printf '%s\n' 'sid riscv64' 'trixie riscv64' ;;
	s390x) printf '%s\n' 'sid s390x' 'trixie s390x' ;;
	esac
}

# prepare ARCH: builds the guest, or says in $why what is missing.
prepare() {
	for command in "qemu-system-$1" "$1-linux-gnu-ld"; do
		command -v "$command" >/dev/null || {
			why="not installed: $command; tests/deps foreign installs it"
			return 1
		}
	done
	make --no-print-directory -s "build/guest/watch-$1.initrd" B=build >"$work/make" 2>&1 || {
		why=$(tail -n 1 "$work/make")
		return 1
	}
}

# foreign NAME: boots $kernel of $arch; it waits for a line at its console. A boot that hangs, as one of
# riscv64 did once, is begun anew.
foreign() {
	dir=$work/$1
	guests="$guests $dir"
	for _ in 1 2 3; do
		mkdir -p "$dir"
		mkfifo "$dir/tty.in" "$dir/tty.out"
		target=$("$truth/boot" --dir "$dir" --kernel "$kernel" --initrd "build/guest/watch-$arch.initrd" \
			--smp 4 --append "loads.n=$loads loads.go=console" --no-wait --console "$dir/tty" ${KTSTR_BOOT:-})
		cat "$dir/tty.out" >"$dir/console" 2>/dev/null &
		until_says "$dir/console" 'loads: ready' 60 && return
		last=$(tail -n 3 "$dir/console")
		"$truth/stop" "$dir"
		rm -rf "$dir"
	done
	not_ok "$1: a guest boots" "its last words: $last"
	plan
}

# loaded: lets the loaders load, and waits until they are done; $dir/serial is what they were told.
loaded() {
	echo go >"$dir/tty.in"
	until_says "$dir/console" 'loads: done' 600
	kill -s INT "$watcher"
	ended
	tr -d '\r' <"$dir/console" | grep -a '^load \|^early ' >"$dir/serial"
}

watched() {
	foreign "$arch-all"
	watch --logs "$dir/logs"
	loaded
	check "$arch: Ctrl-C ends it" test "$status" = 0 -a ! -s "$dir/err"
	n=$(grep -c '^load' "$dir/serial")
	check "$arch: $n loads, each seen once, every number and every log equal ($(tail -n 1 "$dir/seen" | jq .median_pause_us) us in the median)" \
		tests/guest/compare-loads "$dir/serial" "$dir/seen" "$dir/logs"
	alive "$arch: the guest runs on"
	# Once a second something is loaded: a breakpoint left behind would stop it for good.
	watch --count 1 --all
	ended
	check "$arch: a load of the same guest" jq -se '[.[] | select(.event == "load" and .name == "tick")] | length == 1' "$dir/seen"
	alive "$arch: and again after a second watch"
}

# What cannot be, by name; the guest runs on.
refused() {
	run watch "$target" --vmlinux "$kernel" --failed
	says "$arch: only loads that fail" 3 "in $arch guests.*jump by a table"
	watch --failed --stop-at-all --count 1 --duration 3
	ended
	check "$arch: but all of them" jq -se 'first | .only_failing == false' "$dir/seen"
	alive "$arch: and it runs on"
}

failed() {
	foreign "$arch-failed"
	watch --failed --logs "$dir/logs"
	check "$arch: only loads that fail are to stop it" jq -se 'first | .only_failing' "$dir/seen"
	loaded
	awk '$1 != "load" || $5 != 0' "$dir/serial" >"$dir/failed"
	check "$arch: $(grep -c . "$dir/failed") loads that fail, each seen once, every number and every log equal" \
		tests/guest/compare-loads "$dir/failed" "$dir/seen" "$dir/logs"
	alive "$arch: the guest runs on"
}

for arch in ${FOREIGN_ARCHES:-aarch64 riscv64 s390x}; do
	if ! prepare "$arch"; then
		skip "$arch" "$why"
		continue
	fi
	none=1
	kernels "$arch" >"$work/kernels"
	while read -r suite flavour; do
		[ $none = 1 ] || [ "${FOREIGN_KERNELS:-}" = all ] || break
		if ! kernel=$(vm/fetch-kernel "$suite" "$flavour" 2>"$work/fetch"); then
			skip "$suite $flavour" "$(tail -n 1 "$work/fetch" | cut -c 1-200)"
			continue
		fi
		none=0
		watched
		run watch "$target" --vmlinux "$kernel" --sched
		says "$arch: events of sched_ext" 3 "x86_64 guests only.*$arch"
		if [ "$arch" = aarch64 ]; then
			"$truth/stop" "$dir"
			failed
		else
			refused
		fi
		"$truth/stop" "$dir"
		rm -rf "$work/$arch"-*
	done <"$work/kernels"
	[ $none = 0 ] || skip "$arch" 'no kernel of it is to be had from this mirror'
done
plan
