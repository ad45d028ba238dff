#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest that somebody else's tool started: virtme-ng's `vng --debug` (docs/targets.md), under TCG, with
# Debian's stock 6.1. Every program that the tool sees is what the guest's own bpftool says.
#
# Its ports are always the same. So all of it runs in a network namespace of its own.
. "$(dirname "$0")/../guest/lib"
script=vng

# What needs the network comes before that.
if [ -z "${VNG:-}" ]; then
	VNG=$(tests/virtme-ng 2>"$work/err") || skip_all "no virtme-ng: $(tail -n 1 "$work/err")"
	kernel=$(vm/fetch-kernel bookworm amd64 2>"$work/err") || skip_all "no kernel: $(tail -n 1 "$work/err")"
	bpftool=$(PATH=$PATH:/usr/sbin command -v bpftool) || skip_all 'no bpftool; try: apt-get install bpftool'
	[ -r build/bpf/demo.bpf.o ] || skip_all 'no build/bpf/demo.bpf.o: make bpf'
	own=-n
	[ "$(id -u)" = 0 ] || own=-rn
	unshare $own true 2>/dev/null || skip_all 'no network namespace of its own can be made (unshare -n)'
	export VNG kernel bpftool
	rm -rf "$work"
	exec unshare $own sh -c 'ip link set lo up; exec "$0"' "$here/tests/kvm/vng.sh"
fi

# vng looks for the modules beneath a directory above the kernel. The guest's root is this machine's.
release=$(cat "$(dirname "$kernel")/release")
modules=$work/root/lib/modules/$release
mkdir -p "$work/root/boot" "$modules/kernel/drivers/char" "$modules/kernel/fs" "$modules/kernel/net" "$work/shared"
cp "$kernel" "$work/root/boot/vmlinuz"
from=$(dirname "$kernel")/modules
cp "$from"/modules.* "$modules/"
for part in drivers/virtio drivers/char/virtio_console.ko fs/9p fs/netfs fs/fscache fs/overlayfs net/9p; do
	cp -r "$from/kernel/$part" "$modules/kernel/${part%/*}/"
done
PATH=$PATH:/usr/sbin depmod -b "$work/root" "$release"
cat >"$work/shared/run" <<S
#!/bin/sh
cd $work/shared
mount -t bpf bpf /sys/fs/bpf 2>/dev/null
$bpftool prog loadall demo.bpf.o /sys/fs/bpf/demo 2>load.log
$bpftool -j prog show >shown
while :; do
	date >>ticks
	sleep 1
done
S
chmod +x "$work/shared/run"
cp build/bpf/demo.bpf.o "$work/shared/"
"$VNG" -r "$work/root/boot/vmlinuz" --disable-kvm --debug -v --rwdir "$work/shared" \
	--qemu-opts="-pidfile $work/pid" --exec "$work/shared/run" >"$work/log" 2>&1 </dev/null &
vng=$!
end_vng() {
	[ ! -s "$work/pid" ] || kill "$(cat "$work/pid")" 2>/dev/null
	becomes has_ended $vng || kill $vng
}
trap 'end_vng; finish' EXIT

# ticks: the guest's program runs, twice as many seconds as it did.
ticks() {
	[ "$(wc -l <"$work/shared/ticks")" -gt "$1" ]
}
runs() {
	now=$(wc -l <"$work/shared/ticks")
	check "$1: the guest runs on" becomes ticks "$now"
}

# Its init is a shell script, and TCG is slow.
up() {
	becomes test -s "$work/shared/ticks" || becomes test -s "$work/shared/ticks" || becomes test -s "$work/shared/ticks"
}
if ! up; then
	not_ok 'vng boots a guest' "$(tail -n 5 "$work/log")"
	plan
fi
pid=$(cat "$work/pid")
wanted='map({id, tag, type, bytes_xlated, bytes_jited}) | sort_by(.id)'
jq -cS "$wanted" "$work/shared/shown" >"$work/wanted"
check 'the guest has programs' jq -e 'length >= 5' "$work/wanted"

# equal NAME: the last run's programs are those that the guest's bpftool showed.
equal() {
	if [ "$status" != 0 ]; then
		not_ok "$1" "$(told)"
		return
	fi
	jq -cS ".programs | $wanted" "$work/out" >"$work/seen"
	check "$1: every program is what the guest's bpftool says" diff "$work/wanted" "$work/seen"
	runs "$1"
}

run list --json
check 'list: it is there, with its monitor' jq -e --argjson pid "$pid" \
	'.vms | map(select(.pid == $pid)) | length == 1 and .[0].name == "virtme-ng" and .[0].target == "qmp:localhost:3636"' "$work/out"
run attach --json
equal 'no TARGET'
run attach localhost:1234 --vmlinux "$kernel" --json
equal 'the port of its stub'
run attach qmp:localhost:3636 --json
equal 'its monitor'
run attach "pid:$pid" --json
equal 'by its process'
plan
