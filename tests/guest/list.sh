#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The VMs of this host: guests that were started in several ways, by QEMU and by its newest, are listed
# with what QEMU itself says of them. Other VMs may run on this host meanwhile.
. "$(dirname "$0")/lib"
kernel trixie
export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}"

# qemu NAME ARG...: a QEMU that only waits (-S): sets $pid.
qemu() {
	name=$1
	shift
	mkdir -p "$work/$name"
	(cd "$work/$name" && exec "${QEMU:-qemu-system-x86_64}" -S -display none -nodefaults -accel tcg \
		-serial "file:$work/$name/console" "$@" </dev/null >"$work/$name/log" 2>&1) &
	pid=$!
	# tests/truth/stop ends it by these.
	echo "$pid" >"$work/$name/pid"
	guests="$guests $work/$name"
}

# listed FILTER: whether the list has the VM of $pid, and its object is so.
listed() {
	run list --json && jq -e --argjson pid "$pid" ".vms[] | select(.pid == \$pid) | $1" "$work/out"
}

# lists NAME FILTER
lists() {
	if becomes listed "$2"; then
		ok "$1"
	else
		not_ok "$1" "wanted $2
$(cat "$work/$name/log" "$work/err")
$(jq -c --argjson pid "$pid" '.vms[] | select(.pid == $pid)' "$work/out")"
	fi
}

qemu plain -m 64
lists 'a VM without a way in' '.target == null and .ways == [] and .memory == 67108864 and .accel == "tcg" and
	(.why | startswith("it was started without"))'

qemu all -name 'guest=a ☃ VM,debug-threads=on' -uuid 11111111-2222-3333-4444-555555555555 -m size=96M \
	-smp sockets=2,cores=2 -kernel "$kernel" -qmp unix:qmp.sock,server=on,wait=off -gdb unix:gdb.sock,server=on
release=$(cat "$(dirname "$kernel")/release")
lists 'a VM with both, in its working directory' ".target == \"qmp:$work/all/qmp.sock\" and .vcpus == 4 and
	(.ways | map(.target)) == [\"qmp:$work/all/qmp.sock\", \"unix:$work/all/gdb.sock\"] and .why == null and
	.name == \"a ☃ VM\" and .uuid == \"11111111-2222-3333-4444-555555555555\" and .kernel == \"$release\""
keys vms
run list
prints 'the table' 0 " +x86_64 +tcg +4 +96M $(echo "$release" | sed 's/[+.]/./g') +qmp:$work/all/qmp.sock"
run list --csv -o pid,memory,target
prints 'CSV' 0 "^$pid,100663296,qmp:$work/all/qmp.sock"
# Somebody has the monitor for as long as this reads.
mkfifo "$work/busy"
nc_pid=
if command -v python3 >/dev/null; then
	python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(9); sys.stdin.read()' \
		"$work/all/qmp.sock" <"$work/busy" &
	nc_pid=$!
	exec 9>"$work/busy"
	lists 'a monitor that somebody has: the stub is better' ".target == \"unix:$work/all/gdb.sock\" and .ways[0].busy"
	exec 9>&-
	wait "$nc_pid"
	lists 'and when it is free again' ".target == \"qmp:$work/all/qmp.sock\" and (.ways[0].busy | not)"
else
	skip 'a monitor that somebody has' 'no python3'
fi
"$truth/stop" "$work/all"

cat >"$work/vm.cfg" <<C
[machine]
  type = "q35"
[memory]
  size = "80"
[smp-opts]
  cpus = "3"
[chardev "stub"]
  backend = "socket"
  path = "$work/cfg.sock"
  server = "on"
  wait = "off"
C
qemu config -readconfig "$work/vm.cfg" -gdb chardev:stub
lists 'a VM of -readconfig' ".target == \"unix:$work/cfg.sock\" and .vcpus == 3 and .memory == 83886080"

if QEMU=$(tests/newest-qemu 2>"$work/fetch.log"); then
	qemu newest -m 64 -qmp "unix:$work/new.sock,server=on,wait=off" -name newest
	unset QEMU
	lists 'the newest QEMU, behind its loader' ".target == \"qmp:$work/new.sock\" and .name == \"newest\" and
		.memory == 67108864 and .arch == \"x86_64\""
else
	skip 'the newest QEMU' "$(tail -n 1 "$work/fetch.log")"
fi

# Another user sees that it is there.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/nonexistent XDG_CACHE_HOME= \
		"$tool" list --json >"$work/out" 2>"$work/err"
	check 'another user is told whose it is' jq -e --argjson pid "$pid" '.vms[] | select(.pid == $pid) |
		.uid == 0 and .target == null and (.why | contains("by this user"))' "$work/out"
else
	skip 'another user' 'not root, or no setpriv'
fi
run list extra
says 'an argument' 2 'list takes no argument'
run list --sort nonsense
says 'a wrong column' 2 'nonsense'
plan
