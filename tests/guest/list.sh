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
run attach "pid:$pid"
says 'and as a TARGET' 3 "process $pid cannot be reached: it was started without .*-qmp unix:PATH"

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
run attach "pid:$pid"
says 'a process that is gone' 3 "there is no process $pid"
run attach "pid:$$"
says 'a process that is no QEMU' 3 "process $$ is no QEMU: it runs /"

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
# --- no TARGET, on a host without other VMs: processes and ports of its own ---

cat >"$work/alone" <<'S'
# start NAME ARG...: a QEMU in the background.
start() {
	name=$1
	shift
	qemu-system-x86_64 -S -display none -nodefaults -accel tcg -m 64 -name "$name" "$@" \
		</dev/null >"$work/alone.log" 2>&1 &
}
# soon COMMAND...
soon() {
	for _ in $(seq 600); do
		"$@" && return
		sleep 0.05
	done
	cat "$work/alone.log" >&2
	exit 1
}
# ask NAME: attach's status and words.
ask() {
	timeout 60 "$tool" attach >"$work/$1.out" 2>"$work/$1.err" </dev/null
	echo $? >"$work/$1.status"
}
ask none
start first -gdb "unix:$work/first.sock,server=on,wait=off"
echo $! >"$work/first.pid"
soon test -S "$work/first.sock"
ask one
start second -gdb "unix:$work/second.sock,server=on,wait=off"
soon test -S "$work/second.sock"
ask two
start third -s
soon grep -qs ':04D2 ' /proc/net/tcp /proc/net/tcp6
ask port
# Who is left ends with this, the first process of its namespace.
exit 0
S
# default NAME STATUS PATTERN: of ask NAME; each line is the tool's.
default() {
	if grep -qx "$2" "$work/$1.status" && grep -Eq -- "$3" "$work/$1.err" && [ ! -s "$work/$1.out" ]; then
		ok "no TARGET: $1"
	else
		not_ok "no TARGET: $1" "wanted $2 and: $3
$(cat "$work/$1.status" "$work/$1.err")"
	fi
}
if work=$work tool=$tool timeout 120 unshare --pid --fork --kill-child --mount-proc --net sh "$work/alone" 2>"$work/unshare"; then
	default none 3 'cannot attach to :1234'
	default one 3 "no TARGET is given; the only VM of this host is unix:$work/first.sock \\(pid $(cat "$work/first.pid")\\)"
	default two 2 "2 VMs run on this host; .* which: unix:$work/first.sock .*first\\), unix:$work/second.sock .*ktstr-gdb list"
	default port 3 'cannot attach to :1234'
else
	skip 'no TARGET' "no namespaces can be made here: $(tail -n 1 "$work/unshare")"
fi

run list extra
says 'an argument' 2 'list takes no argument'
run list --sort nonsense
says 'a wrong column' 2 'nonsense'
plan
