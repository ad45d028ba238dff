#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Topology presets: what the guest's kernel has in /sys against what nodes, caches, cores and
# threads come to. TOPOLOGIES="NAME..." asks for others than the usual ones, or "all". Of presets that
# differ in numbers alone the usual ones have one; "make matrix" has the others that are small.
. "$(dirname "$0")/lib"
kernel trixie
old=$kernel
new=$(vm/fetch-kernel trixie-backports 2>"$work/new.log") || new=
cc -O2 -static -o "$work/topology" tests/guest/topology.c 2>"$work/cc.log" ||
	skip_all "no payload: $(tail -n 1 "$work/cc.log")"

# The table of spec.md: nodes, caches, cores a cache, threads a core.
presets='4cpu-1llc-nosmt 1 1 4 1
4cpu-2llc-nosmt 1 2 2 1
9cpu-3llc-nosmt 1 3 3 1
15cpu-5llc-nosmt 1 5 3 1
14cpu-7llc-nosmt 1 7 2 1
8cpu-2llc-smt 1 2 2 2
12cpu-3llc-smt 1 3 2 2
32cpu-4llc-smt 1 4 4 2
32cpu-4llc-nosmt 1 4 8 1
64cpu-8llc-smt 1 8 4 2
64cpu-8llc-nosmt 1 8 8 1
128cpu-4llc-smt 1 4 16 2
128cpu-4llc-nosmt 1 4 32 1
128cpu-8llc-smt 1 8 8 2
128cpu-8llc-nosmt 1 8 16 1
240cpu-15llc-smt 1 15 8 2
240cpu-15llc-nosmt 1 15 16 1
252cpu-14llc-smt 1 14 9 2
252cpu-14llc-nosmt 1 14 18 1
2numa-16cpu-4llc-nosmt 2 4 4 1
2numa-32cpu-2llc-smt 2 2 8 2
4numa-32cpu-8llc-nosmt 4 8 4 1'

echo "$presets" >"$work/presets"

# The payload's output comes on stderr.

# expected N L C T: the payload's lines, but for dies, cores and memory.
expected() {
	awk -v n="$1" -v l="$2" -v c="$3" -v t="$4" '
	function list(first, len) { return len == 1 ? first : first "-" first + len - 1 }
	BEGIN {
		for (i = 0; i < l * c * t; i++) {
			llc = int(i / (c * t))
			printf "cpu %d llc %s smt %s node %d package %d\n", i,
				list(llc * c * t, c * t), list(int(i / t) * t, t), int(llc / (l / n)), llc
		}
		for (i = 0; i < n; i++)
			printf "node %d cpus %s\n", i, list(i * l * c * t / n, l * c * t / n)
		printf "online %s\n", list(0, l * c * t)
	}'
}

# Each core is t CPUs of one package, and there are l * c. A package is a die.
cores() {
	awk -v caches="$1" -v cores="$(($1 * $2))" -v t="$3" '
	$1 == "cpu" { seen[$10 " " $14]++; dies[$10 " " $12] }
	END {
		for (s in seen) { n++; bad += seen[s] != t }
		for (d in dies) n_dies++
		print n " cores, " n_dies " dies"
		exit n != cores || n_dies != caches || bad
	}' "$work/err"
}

# An even share of MIB for each of N nodes, but for what the kernel itself takes.
memory() {
	awk -v n="$1" -v mib="$2" '
	$1 == "memory" { print; nodes++; share = $5 / 1024 / (mib / n); bad += share > 1 || share < 0.8 }
	END { exit nodes != n || bad }' "$work/err"
}

# preset KERNEL MIB NAME N L C T [OPTION...]
preset() {
	image=$1 mib=$2 name=$3 n=$4 l=$5 c=$6 t=$7
	shift 7
	what="$(cat "$(dirname "$image")/release"), $name"
	began=$(date +%s)
	for _ in 1 2 3; do
		# No other run wants these guests: to keep them would push better ones out of the cache.
		timeout 900 "$tool" collect --accel tcg --kernel "$image" --topology "$name" \
			--no-cache --timeout 800 --run "$work/topology" "$@" >"$work/out" 2>"$work/err" </dev/null
		status=$?
		grep -q 'the guest died' "$work/err" || break
	done
	echo "# $what: $(($(date +%s) - began)) s"
	if grep -q "$name has APIC ids up to" "$work/err"; then
		skip "$what" "$(sed 's/^ktstr-gdb: //' "$work/err")"
		return
	fi
	expected "$n" "$l" "$c" "$t" >"$work/expected"
	sed -n 's/ die .*//; /^\(cpu\|node\|online\) /p' "$work/err" >"$work/seen"
	why=
	# 1: it prints what it sees, and loads nothing.
	if [ "$status" = 1 ] && why=$(diff "$work/expected" "$work/seen" 2>&1); then
		ok "$what: caches, siblings, nodes"
	else
		not_ok "$what: caches, siblings, nodes" "$why
$(told)"
	fi
	check "$what: cores" cores "$l" "$c" "$t"
	check "$what: memory" memory "$n" "$mib"
}

# wanted NAME N L C T: of presets.
wanted() {
	case " $usual " in *" all "* | *" $1 "*) ;; *) return ;; esac
	mib=2048
	[ "${1#252cpu}" = "$1" ] || mib=4096
	preset "$old" $mib "$@"
}

usual=${TOPOLOGIES:-4cpu-2llc-nosmt 9cpu-3llc-nosmt 14cpu-7llc-nosmt 8cpu-2llc-smt 64cpu-8llc-smt
	2numa-16cpu-4llc-nosmt 2numa-32cpu-2llc-smt 252cpu-14llc-smt}
usual=$(echo "$usual" | tr '\n\t' '  ')
while read -r line; do
	# shellcheck disable=SC2086
	wanted $line
done <<P
$presets
P
# Before 6.9 Linux had AMD's threads only by a leaf that TCG does not have.
if older=$(vm/fetch-kernel bookworm 2>"$work/fetch.log"); then
	preset "$older" 2048 8cpu-2llc-smt 1 2 2 2
else
	skip 'kernel 6.1' "$(cat "$work/fetch.log")"
fi
if [ -n "$new" ]; then
	preset "$new" 2048 12cpu-3llc-smt 1 3 2 2
	preset "$new" 2048 4numa-32cpu-8llc-nosmt 4 8 4 1
else
	skip 'a 7.x kernel' "$(cat "$work/new.log")"
fi
preset "$old" 1500 2numa-16cpu-4llc-nosmt 2 4 4 1 --memory 1500
run collect --topology list
awk 'NF == 7 && NR > 1 { print $1, $3, $4, $5, $6 }' "$work/out" >"$work/listed"
check '--topology list: all of them' diff "$work/presets" "$work/listed"
run collect --kernel "$old" --run "$work/topology" --topology 2numa-16cpu
says 'one that is not there' 2 "no topology '2numa-16cpu'; near it: 2numa-16cpu-4llc-nosmt"
run collect --kernel "$old" --run "$work/topology" --topology 4cpu-1llc-nosmt --smp 4
says '--smp too' 2 'one of them'
run collect --accel tcg --kernel "$old" --run "$work/topology" --topology 4cpu-1llc-nosmt --memory 9999999
says 'more memory than the host has' 3 '4cpu-1llc-nosmt needs 9999999 MiB of memory; this host has'
run collect --accel tcg --kernel "$old" --run "$work/topology" --topology 252cpu-14llc-nosmt
says 'what TCG cannot give' 3 'APIC ids up to .* it takes KVM'
plan
