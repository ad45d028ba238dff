#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# foreign.sh [aarch64|riscv64]...: the tool at KVM guests of other architectures, each in an outer guest
# (tests/kvm/outer-foreign). TAP, the plan last. An architecture that this machine lacks something for is
# skipped, with the reason.
#
#   aarch64   guests of 1 and of 2 vCPUs: every program is read right, with the image and without
#   riscv64   QEMU's stub has no register satp under KVM, so that no program can be found: the tool must
#             say so, and leave the guest running
#
# Until something has QEMU fetch a vCPU's registers from KVM, its stub reports old ones. An attach that
# forgets to have them fetched fails only on such a guest. So nothing here speaks to the stub before the
# first attach, and the guests have a UART and no PCI device: the setup of virtio-pci has QEMU fetch the
# registers of one vCPU.
# shellcheck source=tests/guest/lib
. "$(dirname "$0")/../guest/lib"
# shellcheck disable=SC2034
script=kvm-foreign
# Seconds. They bound a hang: of a boot until the guest has told the truth, of a run of the tool, of
# a tick, and of the outer guest.
boot_deadline=1200 tool_deadline=1800 tick_deadline=600
export OUTER_TIMEOUT="${OUTER_TIMEOUT:-5400}"
outer='' asked=''

# Ends the tool and the outer guest, and the inner guest with it.
end_all() {
	for pid in $asked $outer; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	asked='' outer=''
}
trap 'end_all; finish' EXIT

# last_line FILE: the last line of a console, without the ticks.
last_line() {
	tr -d '\r' <"$1" 2>/dev/null | grep -av -e '^truth: tick' -e '^$' | tail -n 1 | cut -c 1-200
}

# prepare ARCH: builds what its guests need and sets $kernel, or says in $why what is missing.
prepare() {
	case $1 in
	aarch64) suite=trixie flavour=cloud-arm64 ;;
	riscv64) suite=sid flavour=riscv64 ;;
	esac
	for command in "qemu-system-$1" "$1-linux-gnu-ld"; do
		command -v "$command" >/dev/null || {
			why="not installed: $command; tests/deps foreign installs it"
			return 1
		}
	done
	make --no-print-directory -s "truth-$1" B=build >"$work/said" 2>&1 &&
		kernel=$(vm/fetch-kernel "$suite" "$flavour" 2>"$work/said") &&
		tests/kvm/outer-foreign build "$1" "$work/outer-$1" >"$work/said" 2>&1 && return
	why=$(tail -n 1 "$work/said" | cut -c 1-200)
	return 1
}

# What the outer guest runs, as "sh guests ARCH SMP...": one inner guest after the other. The console of
# one is guest-SMP/console. It runs until there is a file guest-SMP/stop.
put_guests() {
	cat >"$share/guests" <<'G'
arch=$1
shift
[ -c /dev/kvm ] || { echo 'outer: no /dev/kvm'; exit 1; }
case $arch in
aarch64) machine=virt,gic-version=host console=ttyAMA0 ;;
*) machine=virt console=ttyS0 ;;
esac
for smp; do
	dir=guest-$smp
	qemu-system-$arch -accel kvm -cpu host -machine $machine -m 1024 -smp $smp -display none -nodefaults \
		-no-reboot -serial file:$dir/console -kernel kernel -initrd initrd -gdb tcp:0.0.0.0:1234 \
		-append "console=$console panic=-1 oops=panic quiet truth.tell=console truth.progs=20" \
		>$dir/qemu.log 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null && [ ! -e $dir/stop ]; do sleep 1; done
	kill $pid 2>/dev/null
	wait $pid
	echo $? >$dir/ended
done
G
}

# A port that nobody listens on. If somebody takes it meanwhile, QEMU ends at once, and the next
# attempt takes another one.
free_port() {
	port=$((${port:-20000 + $$ % 10000} + 7))
	while grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$port") [0-9A-F]*:[0-9A-F]* 0A" /proc/net/tcp; do
		port=$((port + 7))
	done
}

# start ARCH SMP...: the outer guest in the background. $share is its /share.
start() {
	arch=$1
	share=$work/share-$arch-$try
	for smp in "$@"; do
		mkdir -p "$share/guest-$smp"
	done
	cp "$kernel" "$share/kernel"
	cp "build/truth/initrd-$arch" "$share/initrd"
	put_guests
	free_port
	target=127.0.0.1:$port
	tests/kvm/outer-foreign run "$arch" "$work/outer-$arch" "$share" "$port" guests "$@" 2>"$work/run" &
	outer=$!
}

# Waits until the guest in $dir has told the truth. If it does not, the reason is in $why: the machine
# is at fault, and not the tool, which has not been run yet.
wait_for_truth() {
	deadline=$(($(date +%s) + boot_deadline))
	until grep -aqs '^truth: told' "$dir/console"; do
		if grep -qs '^outer: no /dev/kvm' "$share/out"; then
			no_kvm=1 why='the outer guest has no KVM'
		elif has_ended "$outer"; then
			why="the outer guest died: $(last_line "$share/console") $(tail -n 1 "$share/qemu.log")"
		elif [ -e "$dir/ended" ] || grep -aqs -e 'Kernel panic' -e 'truth: failed' "$dir/console"; then
			why="the guest died: $(last_line "$dir/console") $(tail -n 1 "$dir/qemu.log")"
		elif [ "$(date +%s)" -ge $deadline ]; then
			why="no truth after $boot_deadline s: $(last_line "$dir/console")"
		else
			sleep 0.5
			continue
		fi
		return 1
	done
	echo "$outer" >"$dir/pid"
	tr -d '\r' <"$dir/console" | sed -n 's/^truth: base64 //p' | base64 -d | gzip -dc >"$dir/truth.json" || {
		why='the truth came mutilated'
		return 1
	}
}

# ask ARG...: as the library's run, with a deadline for an emulated host, and in the background, so
# that a signal ends it at once. What it keeps of a kernel is in $dir.
ask() {
	XDG_CACHE_HOME=$dir/cache timeout "$tool_deadline" "$tool" "$@" >"$work/out" 2>"$work/err" </dev/null &
	asked=$!
	wait "$asked"
	status=$?
	asked=''
}

# equal NAME: what the last run printed as JSON is the truth of the guest in $dir.
equal() {
	if [ "$status" != 0 ]; then
		not_ok "$1" "$(told)"
	else
		check "$1" build/truth/compare --min-programs 20 --min-types 6 "$dir/truth.json" "$work/out"
	fi
}

# The runs at one guest, after it has told the truth.
attach_equals() {
	ask attach "$target" --vmlinux "$kernel" --timeout 60 --json
	equal "$cell: the first attach, right after the boot, with the image"
	ask attach "$target" --vmlinux "$kernel" --timeout 60 --json --timing
	equal "$cell: again"
	check "$cell: what is known of the kernel came from the cache" grep -q 'from the cache' "$work/err"
	ask attach "$target" --no-cache --timeout 100 --json
	equal "$cell: the socket alone"
}

attach_is_refused() {
	ask attach "$target" --vmlinux "$kernel" --timeout 60 --json
	says "$cell: the first attach, right after the boot, is refused: no satp" 3 satp
	# Without an image the tool knows an architecture by its registers. satp is one of those.
	ask attach "$target" --timeout 60 --json
	says "$cell: the socket alone is refused, too" 3 satp
}

# attempt ARCH SMP...: an outer guest, and in it a guest with each number of vCPUs. Returns 1, with the
# reason in $why, where a guest died or did not come up.
attempt() {
	start "$@"
	shift
	for smp; do
		dir=$share/guest-$smp
		began=$(date +%s)
		wait_for_truth || return
		cell="$arch, $(cat "$(dirname "$kernel")/release"), $smp vCPU$([ "$smp" = 1 ] || echo s)"
		echo "# $cell: the truth came after $(($(date +%s) - began)) s"
		began=$(date +%s)
		case $arch in
		aarch64) attach_equals ;;
		*) attach_is_refused ;;
		esac
		check "$cell: the guest runs on" "$truth/alive" "$dir" $tick_deadline
		echo "# $cell: the runs took $(($(date +%s) - began)) s"
		if has_ended "$outer"; then
			why="the outer guest died: $(last_line "$share/console")"
			return 1
		fi
		: >"$dir/stop"
	done
	grep -aohE '(VHE|nVHE) mode initialized|hypervisor extension available' "$share/console" |
		sed "s/^/# $arch: KVM of the outer guest: /"
}

# test_arch ARCH SMP...: a machine that fails says nothing of the tool, neither good nor bad. So its lines
# are dropped, and it is booted once more.
test_arch() {
	before=$tests bad_before=$bad no_kvm=''
	for try in 1 2; do
		tests=$before bad=$bad_before
		attempt "$@" >"$work/lines" && failed='' || failed=1
		end_all
		if [ -z "$failed" ] || [ -n "$no_kvm" ]; then
			break
		fi
		echo "# $1, attempt $try: $why"
	done
	if [ -n "$no_kvm" ]; then
		skip "$1" "$why"
	else
		cat "$work/lines"
		[ -z "$failed" ] || not_ok "$1: the guests" "$why"
	fi
}

[ $# -gt 0 ] || set -- aarch64 riscv64
for wanted; do
	case $wanted in
	aarch64) smps='1 2' ;;
	riscv64) smps=1 ;;
	*)
		echo 'usage: foreign.sh [aarch64|riscv64]...' >&2
		exit 2
		;;
	esac
	if prepare "$wanted"; then
		# shellcheck disable=SC2086
		test_arch "$wanted" $smps
	else
		skip "$wanted" "$why"
	fi
done
plan
