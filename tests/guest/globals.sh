#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# --set and --rodata: a program costs what it costs if its constants are written in its source.
. "$(dirname "$0")/lib"
kernel bookworm
make --no-print-directory -s bpf || skip_all 'no BPF objects'
object=build/bpf/globals.bpf.o

# costs OBJECT OPTION...: "PROGRAM INSNS" of each, in $work/cost.
costs() {
	run collect --accel tcg --kernel "$kernel" "$@"
	awk '$4 == "ok" { print $2, $5 }' "$work/out" >"$work/cost"
	[ -s "$work/cost" ]
}

# The truth: the same program with other constants, by the compiler.
sed 's/bound = 3/bound = 200/; s/verbose = false/verbose = true/; s/mode = MODE_ON/mode = MODE_OFF/
	s/{4, 5, 6}/{4, 5, 60}/; s/= "abc"/= "xbc"/; s/\.high = 2/.high = 2, .per_node = {33, 33, 33, 33}/
	s/= {5, -3, 1000, true, MODE_ON, 1}/= {6, -40, 8000, true, MODE_ON, 0x123456789abcdef}/
	s/huge = 1;/huge = (unsigned __int128)7 << 64;/' \
	tests/bpf/globals.bpf.c >"$work/twin.bpf.c"
if ! clang -O2 -g -target bpf "-I/usr/include/$(uname -m)-linux-gnu" -c -o "$work/twin.bpf.o" "$work/twin.bpf.c"; then
	skip_all 'clang does not compile the twin'
fi
check 'as it is written' costs "$object"
cp "$work/cost" "$work/plain"
check 'the twin' costs "$work/twin.bpf.o"
cp "$work/cost" "$work/twin"
check 'the constants make a difference, to both programs' \
	awk 'NR == FNR { n[$1] = $2; next } n[$1] == $2 || !n[$1] { bad = 1 } END { exit bad }' "$work/plain" "$work/twin"
check '--set: loaded' costs "$object" --set bound=200 --set 'verbose = true' --set mode=MODE_OFF \
	--set 'table[1][2]=60' --set 'comm="xbc"' --set 'limits.per_node[*]=0x21' --set bits.three=6 \
	--set bits.seven=-40 --set bits.across=8000 --set bits.wide=0x123456789abcdef --set huge=0x70000000000000000
check '--set: costs what the twin does' diff "$work/twin" "$work/cost"
printf '# a comment\nmode=MODE_OFF\n\ntable[1] = {4, 5, 60}\n' >"$work/presets"
cat >"$work/rodata.json" <<'J'
[{"formatted":{"key":0,"value":{".rodata":[{"bound":7},{"verbose":true},{"comm":[120,98,99,0,0,0,0,0]},
{"bits":{"three":6,"seven":-40,"across":8000,"one":true,"mode":"MODE_ON","wide":81985529216486895}},
{"huge":"0x70000000000000000"},{"limits":{"low":1,"high":2,"(anon)":{"inner":0},"per_node":[33,33,33,33],"label":[0]}},{"gone":1}]}}}]
J
check '--rodata, --set @FILE: loaded' costs "$object" --rodata "$work/rodata.json" --set "@$work/presets" \
	--set bound=200
check '--rodata, --set @FILE: costs what the twin does, and --set comes last' diff "$work/twin" "$work/cost"
check '--rodata: what the object lacks is told' grep -q 'no object has it: gone' "$work/err"

# --- what is wrong is told before the boot ---

run collect --kernel "$kernel" "$object" --set bund=1
says 'no such variable' 3 "no variable 'bund'; near it: bound"
run collect --kernel "$kernel" "$object" --set bound=4294967296
says 'out of range' 2 'bound: .* does not fit: it takes 0 to 4294967295'
run collect --kernel "$kernel" --run /bin/true --set bound=1
says 'a loader has a copy of its own' 2 'they need --object'
echo '{' >"$work/rodata.json"
run collect --kernel "$kernel" "$object" --rodata "$work/rodata.json"
says 'no JSON' 3 'rodata.json: line .* no JSON.*bpftool map dump'
plan
