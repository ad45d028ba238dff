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

run collect "$objects/demo.bpf.o" "$objects/net.bpf.o" "$objects/trace.bpf.o" "$objects/iter.bpf.o" \
	"$objects/ops.bpf.o" "$work/refused.bpf.o" --kernel "$kernel" --accel tcg --attach --json --keep
pid=$(sed -n 's/.*to end it: kill \([0-9]*\)$/\1/p' "$work/err")
target=$(sed -n 's/.*to read it again: ktstr-gdb attach \([^ ]*\).*/\1/p' "$work/err")
cp "$work/out" "$work/all.json"
check 'one is refused: exit status 1' test "$status" = 1
keys programs "$work/all.json"
for type in xdp sched_cls cgroup_skb cgroup_sock_addr sock_ops cgroup_sysctl sk_lookup socket_filter kprobe \
	tracepoint raw_tracepoint perf_event tracing lsm; do
	check "$type: attached" jq -e --arg t $type '[.programs[] | select(.object != "refused.bpf.o" and .type == $t)] |
		length > 0 and all(.[]; .attach == "attached" and .attach_place != "")' "$work/all.json"
done
check 'a struct_ops alone has no place' jq -e '[.programs[] | select(.type == "struct_ops")] |
	length > 0 and all(.[]; .attach == "no place")' "$work/all.json"
check 'a function that is not there: refused, and why' jq -e '.programs[] | select(.full_name == "nowhere") |
	.attach == "refused" and (.attach_place | test("no_such_function_in_any_kernel.*No such file"))' "$work/all.json"
check 'beside it one is attached' jq -e '.programs[] | select(.full_name == "somewhere") | .attach == "attached"' \
	"$work/all.json"

# What the sources return for the packet: 64 bytes, of which a socket filter sees what follows the Ethernet header.
returns() {
	check "$1 returned $2" jq -e --arg n "$1" --argjson v "$2" \
		'[.programs[] | select(.full_name == $n) | .run_retval] == [$v]' "$work/all.json"
}
returns xdp_pass 2
returns sock_len 50
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
