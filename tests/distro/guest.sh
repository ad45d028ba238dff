#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# In the guest: brings BPF programs into the kernel in each way that a distribution has, and tells what
# bpftool says of them, over the second serial port, as tests/truth/boot wants it. Then ticks.
exec </dev/null >/dev/console 2>&1
say() {
	echo "truth: $*"
}
depmod
# Old kernels have these in the image.
for module in veth dummy sch_ingress cls_bpf act_bpf nf_defrag_ipv4; do
	modprobe -q $module || say "no module $module"
done
mount -t bpf bpf /sys/fs/bpf 2>/dev/null
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null

# --- devices, and what hangs on them ---

ip link set lo up
ip link add v0 type veth peer name v1
ip link add v2 type veth peer name v3
ip netns add other && ip link set v3 netns other
for device in v0 v1 v2; do
	ip link set $device up
done
tc qdisc add dev v0 clsact
tc filter add dev v0 ingress bpf da obj /bpf/net.bpf.o sec tc || say 'no tc filter'
tc filter add dev v0 egress bpf da obj /bpf/net.bpf.o sec tc || say 'no tc filter'
xdp-loader load -m skb v1 /bpf/demo.bpf.o 2>/dev/null || say 'xdp-loader loads nothing'
ip link set dev v2 xdpgeneric obj /bpf/net.bpf.o sec xdp || say 'no XDP by netlink'
bpftool net attach xdpdrv name xdp_pass dev v0 2>/dev/null

# --- what is pinned ---

for object in /bpf/*.bpf.o; do
	name=$(basename "$object" .bpf.o)
	[ "$name" = reject ] || [ "$name" = slow ] ||
		bpftool prog loadall "$object" "/sys/fs/bpf/$name" autoattach 2>/dev/null ||
		bpftool prog loadall "$object" "/sys/fs/bpf/$name" 2>/dev/null || say "not loaded: $name"
done
bpftool struct_ops register /bpf/ops.bpf.o 2>/dev/null || say 'no struct_ops'

# --- tools, all that stay ---

for tool in /usr/sbin/*-libbpf; do
	"$tool" </dev/null >/dev/null 2>&1 &
done
bpftrace -e 'kprobe:do_nanosleep { @[comm] = count(); }' >/dev/null 2>&1 &
bpftrace -e 'tracepoint:syscalls:sys_enter_openat { @[pid] = count(); }' >/dev/null 2>&1 &
bpftrace -e 'uprobe:/usr/bin/bash:main { @ = count(); }' >/dev/null 2>&1 &
bpftrace -e 'profile:hz:5 { @[kstack] = count(); }' >/dev/null 2>&1 &

# Quiet: no program comes or goes for a while.
ids() {
	bpftool -j prog show | tr '{' '\n' | sed -n 's/^"id":\([0-9]*\),.*/\1/p'
	bpftool -j link show | tr '{' '\n' | sed -n 's/^"id":\([0-9]*\),.*/\1/p'
}
same=0
for _ in $(seq 60); do
	now=$(ids)
	[ "$now" = "${before:-}" ] && same=$((same + 1)) || same=0
	before=$now
	[ $same -ge 4 ] && break
	sleep 3
done
say "quiet: $same; $(bpftool prog show | grep -c '^[0-9]') programs"

dump() {
	printf ',"%s":' "$1"
	shift
	"$@" || printf null
}
{
	printf '{"release":"%s"' "$(uname -r)"
	dump prog bpftool -j prog show
	dump map bpftool -j map show
	dump link bpftool -j link show
	dump btf bpftool -j btf show
	dump net bpftool -j net show
	dump cgroup bpftool -j cgroup tree
	dump perf bpftool -j perf show
	dump struct_ops bpftool -j struct_ops show
	printf ',"dumps":[null'
	for id in $(bpftool prog show | sed -n 's/^\([0-9]*\):.*/\1/p' | awk 'NR % 16 == 0'); do
		printf ',{"id":%s,"insns":%s}' "$id" "$(bpftool -j prog dump xlated id "$id")"
	done
	printf ']'
	printf '}\n'
} >/truth.json
stty -F /dev/ttyS1 raw -echo
gzip -c /truth.json >/dev/ttyS1
stty -F /dev/ttyS1 >/dev/null # drained
say told
tick=0
while sleep 1; do
	tick=$((tick + 1))
	say "tick $tick"
done
