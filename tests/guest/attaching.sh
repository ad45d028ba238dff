#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# collect --attach: programs are attached to something harmless, run once, and detached again.
. "$(dirname "$0")/lib"
kernel trixie
make --no-print-directory -s bpf || skip_all 'no BPF objects'
objects=$here/build/bpf

cat >"$work/refused.bpf.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
SEC("kprobe/no_such_function_in_any_kernel") int nowhere(void *ctx) { return 0; }
SEC("kprobe/") int aimless(void *ctx) { return 0; }
SEC("cgroup/sysctl") int somewhere(void *ctx) { return 1; }
char _license[] SEC("license") = "GPL";
C
clang -O2 -g -target bpf -c "$work/refused.bpf.c" -o "$work/refused.bpf.o" || skip_all 'no clang for BPF'
compile() {
	clang -O2 -g -Wall -target bpf -D__TARGET_ARCH_x86 "-I/usr/include/$(uname -m)-linux-gnu" -Itests/bpf -c "$1" -o "$work/$2"
}
# A congestion control of a name that the kernel has already.
sed 's/\.name = "fixture"/.name = "reno"/' tests/bpf/ops.bpf.c >"$work/taken.bpf.c"
compile "$work/taken.bpf.c" taken.bpf.o && compile tests/guest/places.bpf.c places.bpf.o || skip_all 'no clang for BPF'

run collect "$objects/demo.bpf.o" "$objects/net.bpf.o" "$objects/trace.bpf.o" "$objects/iter.bpf.o" \
	"$objects/ops.bpf.o" "$work/refused.bpf.o" "$work/places.bpf.o" "$work/taken.bpf.o" --kernel "$kernel" --accel tcg --attach --json --keep
pid=$(sed -n 's/.*to end it: kill \([0-9]*\)$/\1/p' "$work/err")
target=$(sed -n 's/.*to read it again: ktstr-gdb attach \([^ ]*\).*/\1/p' "$work/err")
cp "$work/out" "$work/all.json"
check 'one is refused: exit status 1' test "$status" = 1
keys programs "$work/all.json"
for type in xdp sched_cls cgroup_skb cgroup_sock_addr sock_ops cgroup_sysctl sk_lookup socket_filter kprobe \
	tracepoint raw_tracepoint perf_event tracing lsm struct_ops lwt_in lwt_out lwt_xmit netfilter ext; do
	check "$type: attached" jq -e --arg t $type '[.programs[] | select(.type == $t and .section != "usdt" and
		(.object | IN("refused.bpf.o", "taken.bpf.o") | not))] |
		length > 0 and all(.[]; .attach == "attached" and .attach_place != "")' "$work/all.json"
done
check 'a function that is not there: refused, and why' jq -e '.programs[] | select(.full_name == "nowhere") |
	.attach == "refused" and (.attach_place | test("no_such_function_in_any_kernel.*No such file"))' "$work/all.json"
check 'beside it one is attached' jq -e '.programs[] | select(.full_name == "somewhere") | .attach == "attached"' \
	"$work/all.json"

# The kernel's own word on a struct_ops: its name is taken. The programs that were loaded for it are gone.
check 'a struct_ops of a name that is taken: refused' jq -e '[.programs[] | select(.object == "taken.bpf.o")] |
	length == 3 and all(.[]; .attach == "refused" and (.attach_place | test("tcp_congestion_ops.*: File exists")))' \
	"$work/all.json"
check 'no program but those of the objects' jq -e '[.programs[] | select(.object == null)] == []' "$work/all.json"
check 'a freplace for a function that is nowhere: not loaded' jq -e '[.failed[] | select(.name == "of_nothing")] |
	length == 1 and (.[0].message | test("no program of its object that loads has the function"))' "$work/all.json"

# What programs count of their own runs: uprobes one by the attachment; of packets one by the attachment, and
# one by bpf(2), but for netfilter, which sees the answer to the packet, too.
runs() {
	id=$(jq -r --arg n "$1" '.programs[] | select(.full_name == $n) | .map_ids[0]' "$work/all.json")
	run map dump id "$id" "$target" --json
	check "$1 ran $2 times" jq -e --argjson n "$2" '.[0].formatted.value[".bss"][0].runs == $n' "$work/out"
}
for name in at_function at_function_of_a_program at_return at_functions; do
	runs $name 1
done
for name in route_in route_out route_xmit; do
	runs $name 2
done
runs local_input 3
runs at_no_probe 0

# What the sources return for the packet: 64 bytes, of which a socket filter sees what follows the Ethernet header.
returns() {
	check "$1 returned $2" jq -e --arg n "$1" --argjson v "$2" \
		'[.programs[] | select(.full_name == $n) | .run_retval] == [$v]' "$work/all.json"
}
returns xdp_pass 2
returns sock_len 50
returns target 7
returns replacement 40
check 'a kprobe was not run' jq -e '.programs[] | select(.full_name == "module_init_begins") | .run_retval == null' \
	"$work/all.json"

# The kernel's own links: all were detached.
run links "$target" --json
check 'nothing is attached any more' jq -e '.links == []' "$work/out"
[ -n "$pid" ] && kill "$pid"

run collect "$work/refused.bpf.o" --kernel "$kernel" --accel tcg --attach
prints 'as a table: a column, and' 1 '^refused.bpf.o +somewhere .* attached '
prints 'a line that says why' 1 '^nowhere: it loads, but is not attached to kprobe/no_such_function.*No such file'
run collect --run /bin/true --attach --kernel "$kernel"
says 'of a loader it is refused' 2 'attach is for objects'
plan
