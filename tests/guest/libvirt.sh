#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Domains of a real libvirtd, of the system and of a session, under this machine's QEMU and the newest.
# The daemons are this script's own: in a mount namespace, with directories of their own.
if [ "${1:-}" != inside ]; then
	if ! unshare -m true 2>/dev/null; then
		printf 'ok 1 - libvirt: everything # SKIP no mount namespace can be made here\n1..1\n'
		exit 0
	fi
	exec unshare -m --propagation private "$0" inside
fi
. "$(dirname "$0")/lib"
PATH=$PATH:/usr/sbin
for program in libvirtd virsh; do
	command -v $program >/dev/null || skip_all "no $program (libvirt-daemon, libvirt-daemon-driver-qemu, libvirt-clients)"
done
kernel trixie
[ -r build/truth/initrd ] || skip_all 'no build/truth/initrd: make guests'

chmod 755 "$work"
for place in /run/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /etc/libvirt; do
	[ -d $place ] || mkdir -p $place
	mount -t tmpfs tmpfs $place || skip_all "nothing can be mounted on $place"
done
# Debian's libvirtd wants this user, whom only libvirt-daemon-system makes.
if ! id libvirt-qemu >/dev/null 2>&1; then
	{ cat /etc/passwd && echo 'libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin'; } >"$work/passwd"
	{ cat /etc/group && echo 'kvm:x:64055:' && echo 'libvirt-qemu:x:64055:'; } >"$work/group"
	chmod 644 "$work/passwd" "$work/group"
	mount --bind "$work/passwd" /etc/passwd && mount --bind "$work/group" /etc/group
fi
# Files and no virtlogd; QEMU as this user, who may read the kernel; nobody to ask who may connect.
cat >/etc/libvirt/qemu.conf <<C
stdio_handler = "file"
security_driver = "none"
user = "+$(id -u)"
group = "+$(id -g)"
C
echo 'auth_unix_rw = "none"' >/etc/libvirt/libvirtd.conf
export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}"
# Root has no session: that is another user's, who may read these.
mkdir "$work/all" "$work/user"
cp "$kernel" "$work/all/vmlinuz"
cp build/truth/initrd "$tool" "$work/all/"
chmod 644 "$work/all/initrd" "$work/all/vmlinuz"
chown 65534:65534 "$work/user"
user() {
	setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$work/user" XDG_RUNTIME_DIR="$work/user" \
		XDG_CONFIG_HOME="$work/user" XDG_CACHE_HOME="$work/user" "$@"
}
system=qemu:///system session=qemu:///session
virsh() {
	uri=$1
	shift
	if [ "$uri" = $system ]; then
		command virsh -q -c $system "$@"
	else
		user virsh -q -c $session "$@"
	fi
}

end_daemons() {
	for uri in $system $session; do
		for name in $(virsh $uri list --name 2>/dev/null); do
			virsh $uri destroy "$name" >/dev/null 2>&1
		done
	done
	# The session's daemon, which virsh has started.
	for pid in $daemon $(grep -lzsxF "XDG_RUNTIME_DIR=$work/user" /proc/[0-9]*/environ | cut -d/ -f3); do
		kill "$pid" 2>/dev/null
	done
	finish
}
libvirtd >"$work/libvirtd.log" 2>&1 &
daemon=$!
trap end_daemons EXIT

becomes virsh $system version || skip_all "libvirtd does not start: $(tail -n 1 "$work/libvirtd.log")"

# domain URI NAME [EMULATOR]: defines it.
domain() {
	mkdir -p "$work/$2"
	chown 65534 "$work/$2"
	cat >"$work/$2/xml" <<X
<domain type='qemu'>
  <name>$2</name>
  <memory unit='MiB'>512</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>$work/all/vmlinuz</kernel>
    <initrd>$work/all/initrd</initrd>
    <cmdline>console=ttyS0 panic=-1 oops=panic quiet truth.progs=40</cmdline></os>
  <features><acpi/></features>
  <cpu mode='maximum'><feature policy='disable' name='cx16'/></cpu>
  <devices><emulator>${3:-$(command -v qemu-system-x86_64)}</emulator>
    <serial type='file'><source path='$work/$2/console'/><target port='0'/></serial>
    <serial type='file'><source path='$work/$2/serial'/><target port='1'/></serial>
    <memballoon model='none'/></devices>
</domain>
X
	virsh "$1" define "$work/$2/xml" >"$work/virsh" 2>&1
}

# truth NAME: its guest has told it.
truth() { gzip -dc "$work/$1/serial" >"$work/$1/truth.json" 2>/dev/null && [ -s "$work/$1/truth.json" ]; }

starts() {
	dir=$work/$2
	virsh "$1" start "$2" >"$work/virsh" 2>&1 && becomes truth "$2"
}

# reads NAME TARGET
reads() {
	run attach "$2" --vmlinux "$kernel" --json
	if [ "$status" = 0 ]; then
		check "$1" build/truth/compare --min-programs 20 "$dir/truth.json" "$work/out"
	else
		not_ok "$1" "$(told)"
	fi
}

# has URI NAME: what QEMU has, but for the character device of qRcmd.
has() {
	virsh "$1" qemu-monitor-command "$2" '{"execute": "query-chardev"}' | jq -cS \
		'.return | map(select(.filename != "gdb")) | sort_by(.label)' -
	virsh "$1" domstate "$2"
}

# As the session's user: the tool, with this file of its own.
ask_as_user() {
	user timeout 60 "$work/all/ktstr-gdb" attach "$1" >"$work/out" 2>"$work/err" </dev/null
	status=$?
}
domain $system one && domain $system off || skip_all "no domain: $(cat "$work/virsh")"

# --- what needs no guest ---

chmod 700 /run/libvirt/libvirt-sock
ask_as_user libvirt+$system:off
says 'a user who may not connect' 3 'libvirt says: .*[Pp]ermission denied'
chmod 777 /run/libvirt/libvirt-sock
if domain $session off; then
	ask_as_user libvirt:off
	says 'two domains of one name' 2 \
		"'off' names 2 domains; give one of these: libvirt\+$session:[-0-9a-f]{36} \(off\), libvirt\+$system:[-0-9a-f]{36} \(off\)"
	ask_as_user "$(grep -o "libvirt+$system:[-0-9a-f]*" "$work/err" | head -n 1)"
	says 'and one of these' 3 "the domain 'off' does not run"
	# Without a login: the session is where a login would have it.
	mkdir -p /run/user && mount -t tmpfs tmpfs /run/user && mkdir /run/user/65534 &&
		mount --bind "$work/user" /run/user/65534
	user timeout 60 env -u XDG_RUNTIME_DIR "$work/all/ktstr-gdb" attach libvirt:off >"$work/out" 2>"$work/err" </dev/null
	status=$?
	says 'XDG_RUNTIME_DIR is not set: both are seen' 2 "'off' names 2 domains"
	virsh $session undefine off >/dev/null
else
	skip 'two domains of one name' "no session: $(tail -n 1 "$work/virsh")"
fi
ask_as_user libvirt:off
says 'a name that only the system has' 3 "the domain 'off' does not run"
chmod 700 /run/libvirt/libvirt-sock
library=$(ldconfig -p | sed -n 's/.*libvirt-qemu\.so\.0 .*=> //p' | head -n 1)
if [ -n "$library" ]; then
	unshare -m sh -c 'mount --bind /dev/null "$1" && exec timeout 60 "$2" attach libvirt:off' sh "$library" "$tool" \
		>"$work/out" 2>"$work/err" </dev/null
	status=$?
	says 'no library of libvirt' 3 "libvirt's library is not on this machine .*install libvirt0"
fi

# --- guests ---

if starts $system one; then
	has $system one >"$work/before"
	reads 'by its name' "libvirt+$system:one"
	reads 'by its UUID' "libvirt:$(virsh $system domuuid one)"
	reads 'by its id' "libvirt:$(virsh $system list --id | head -n 1)"
	has $system one >"$work/after"
	check 'its QEMU is as before' cmp "$work/before" "$work/after"
	virsh $system suspend one >/dev/null
	reads 'a domain that is paused' "libvirt+$system:one"
	check 'it is still paused' [ "$(virsh $system domstate one)" = paused ]
	virsh $system resume one >/dev/null
	run list --json
	check 'it is listed' jq -e '.vms[] | select(.target == "libvirt:one" and .name == "one")' "$work/out"
	id=$(virsh $system list --id | head -n 1)
	domain $system "$id"
	run attach "libvirt:$id"
	says "a name that is another domain's id" 2 "'$id' names 2 domains; .*\(one\), .*\($id\)"
	virsh $system undefine "$id" >/dev/null
	run attach libvirt:off
	says 'a domain that is shut off' 3 "the domain 'off' does not run"
	run attach libvirt:nobody
	says 'no such domain' 3 "libvirt has no domain 'nobody'"
	run attach "libvirt+test:///default:test"
	says 'a domain that is no QEMU' 3 'not supported'
	run attach libvirt+nothing:///system:one
	says 'a driver that is not there' 3 'libvirt says: '
	run attach libvirt+qemu+ssh://host/system:one
	says 'a domain of another host' 3 'runs on another host'
	virsh $system destroy one
else
	not_ok 'a domain of the system starts' "$(cat "$work/virsh")"
fi
# Root could, but that session's libvirt has the monitor for itself.
own() {
	run attach "pid:$(cat "$work/user/libvirt/qemu/run/$1.pid")"
	says "a domain of somebody's session, by its process" 3 'libvirt session of another user'
	user timeout 300 "$work/all/ktstr-gdb" attach "libvirt:$1" --vmlinux "$work/all/vmlinuz" --json \
		>"$work/out" 2>"$work/err" </dev/null
	status=$?
	check 'a domain of a session, by its user' build/truth/compare --min-programs 20 "$dir/truth.json" "$work/out"
	[ "$status" = 0 ] || told | sed 's/^/# /'
}
if domain $session mine && starts $session mine; then
	own mine
	virsh $session destroy mine
else
	skip 'a domain of a session' "it does not start: $(tail -n 1 "$work/virsh")"
fi
# An old libvirt cannot ask a new QEMU what it can do: it asks this machine's, and starts the new one.
cat >"$work/newest-qemu" <<S
#!/bin/sh
case \$* in
*'-machine none'*) exec qemu-system-x86_64 "\$@" ;;
esac
exec '$(tests/newest-qemu 2>/dev/null)' "\$@"
S
chmod 755 "$work/newest-qemu"
if tests/newest-qemu >/dev/null 2>"$work/virsh" && domain $system newest "$work/newest-qemu" && starts $system newest; then
	virsh $system qemu-monitor-command newest '{"execute": "query-version"}' >"$work/version"
	check 'the newest QEMU it is' [ "$(jq .return.qemu.major "$work/version")" -gt 7 ]
	reads 'the newest QEMU' "libvirt+$system:newest"
	virsh $system destroy newest
else
	skip 'the newest QEMU' "this libvirt cannot run it: $(tail -n 1 "$work/virsh"); $(tail -n 1 "$work/libvirtd.log")"
fi
# A daemon that hangs: the tool gives up in time, and so does its keeper, which waits for libvirt's library.
kill -s STOP "$daemon"
"$tool" attach "libvirt+$system:one" --timeout 1 >"$work/out" 2>"$work/err" </dev/null &
attach=$!
spare_of() {
	spare=$(child $attach ktstr-spare) && [ -n "$spare" ]
}
becomes spare_of
wait $attach
status=$?
says 'a libvirtd that hangs' 3 'does not answer in time'
check 'a libvirtd that hangs: no process waits for it for ever' becomes has_ended "$spare"
kill -s CONT "$daemon"
kill "$daemon"
becomes has_ended "$daemon"
run attach libvirt:one
says 'no libvirtd' 3 'libvirt says: Failed to connect socket .*does libvirtd \(or virtqemud\) run'
plan
