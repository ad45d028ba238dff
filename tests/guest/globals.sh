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
jq -nR '[inputs | split(" ") | {(.[0]): (.[1] | tonumber)}] | add' "$work/twin" >"$work/twin.json"
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

# --- replay: what a running guest has in its memory, pointers and bit-fields beside it ---

# ended: the guest that was kept.
ended() {
	kill "$1" && becomes has_ended "$1"
}
run collect --accel tcg --kernel "$kernel" "$object" --keep --set bound=200 --set 'verbose = true' \
	--set mode=MODE_OFF --set 'table[1][2]=60' --set 'comm="xbc"' --set 'limits.per_node[*]=0x21' --set bits.three=6 \
	--set bits.seven=-40 --set bits.across=8000 --set bits.wide=0x123456789abcdef --set huge=0x70000000000000000
kept=$(sed -n 's/.*to end it: kill \([0-9]*\)$/\1/p' "$work/err")
target=$(sed -n 's/.*ktstr-gdb attach \([^ ]*\) .*/\1/p' "$work/err")
# Each program was loaded with maps of its own, so each is an object of its own.
for program in loops branches; do
	run replay "$target" --name $program --object "$object" --kernel "$kernel" --accel tcg --json
	cp "$work/out" "$work/replay.json"
	check "replay $program: costs what it costs in the guest, and what the twin does" jq -e --arg name $program \
		--slurpfile twin "$work/twin.json" '.runs[0].result.programs[0].verified_insns as $n |
		($n == .guest.programs[0].verified_insns) and $n == ($twin[0][$name])' "$work/replay.json"
	check "replay $program: the code is the guest's, by its tag" jq -e '.runs[0].other_code == [] and
		.runs[0].result.programs[0].tag == .guest.programs[0].tag' "$work/replay.json"
done
check 'replay: which constants are other ones' jq -e '[.constants[] | [.name, .object, .guest]] |
	map(select(.[0] | IN("limits", "table", "bits", "huge") | not)) == [["bound", 3, 200], ["verbose", false, true],
	["mode", "MODE_ON", "MODE_OFF"], ["comm", "abc", "xbc"]] ' \
	"$work/replay.json"
jq 'del(.guest[], .rodata[].dump[], .runs[].result[]) | .constants[] |= (.object = null | .guest = null)' \
	"$work/replay.json" >"$work/keys"
keys replay "$work/keys"
run replay "$target" --name loops --object "$object" --set bound=3 --kernel "$kernel" --accel tcg
check 'replay --set: comes last, and the guest is a column' awk -v plain="$(awk '$1 == "loops" { print $2 }' "$work/plain")" \
	-v twin="$(awk '$1 == "loops" { print $2 }' "$work/twin")" \
	'$2 == "loops" && $3 == twin && $4 == plain { found = 1 } END { exit !found }' "$work/out"
run replay "$target" --name loops --save-rodata "$work/saved.json"
check 'replay --save-rodata' test "$status" = 0
check '--save-rodata: a negative bit-field as bpftool prints it' \
	jq -e '[.. | objects | select(has("bits")).bits.seven] == ["0x58"]' "$work/saved.json"
check '--save-rodata: collect takes it' costs "$object" --rodata "$work/saved.json" --name loops
check '--save-rodata: costs what the twin does' sh -c "grep '^loops ' '$work/twin' | diff - '$work/cost'"
run replay "$target" --object "$object" --name loops --name branches
says 'replay: constants of two objects' 2 'several maps of .rodata.*map [0-9]+ \(globals.rodata\) and map [0-9]+'
run replay "$target" --object "$object"
says 'replay: no scheduler' 3 "the guest's kernel has no sched_ext.*--id, --name"
run replay "$target" --object "$object" --name nope
says 'replay: no such program' 3 "none of the guest's BPF programs is chosen"
run replay "$target" --object build/bpf/trace.bpf.o --name loops
says 'replay: an object without that program' 3 'trace.bpf.o has no program loops, which the guest has'
sed 's/bound = 3;/bound = 3, added = 4;/; s/i < bound/i < bound + added/' tests/bpf/globals.bpf.c >"$work/newer.bpf.c"
clang -O2 -g -target bpf "-I/usr/include/$(uname -m)-linux-gnu" -c -o "$work/newer.bpf.o" "$work/newer.bpf.c"
run replay "$target" --object "$work/newer.bpf.o" --name loops
says 'replay: an object of another version' 3 "newer.bpf.o: the guest's .rodata is of another object: .*in the version that was loaded"
check 'the guest ended' ended "$kept"

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
