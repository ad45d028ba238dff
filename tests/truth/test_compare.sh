#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whether compare sees what it is there to see: every field of a good result, wrong once. TAP.
# Takes a truth.json of a real guest, or makes do with three programs of its own.
set -u
cd "$(dirname "$0")/../.." || exit 1
compare=${COMPARE:-build/truth/compare}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0
failed=0

if [ $# -gt 0 ]; then
	cp "$1" "$dir/truth"
else
	jq -n '
	def program(id): {id: id, type: "xdp", type_id: 6, name: "p", short_name: "p", full_name: "p",
		tag: "00112233aabbccdd", verified_insns: 2, bytes_xlated: 16, jited: true,
		bytes_jited: 19, load_time_ns: 1, loaded_at: 1700000000, uid: 0,
		gpl_compatible: true, map_ids: [3, 1], btf_id: 4, run_cnt: 5, run_time_ns: 60,
		recursion_misses: 7, bytes_memlock: 4096, orphaned: false, sleepable: true,
		xdp_has_frags: true, expected_attach_type: "xdp", attach_btf_id: 8,
		attach_btf_name: "f", prog_tags: ["00112233aabbccdd"]};
	{schema: "ktstr-gdb.truth.v1", kernel: {release: "6.1", arch: "x86_64"}, quiet: true,
	 programs: [program(4), program(9) + {type: "kprobe", map_ids: []}, program(70)]}' \
		>"$dir/truth"
fi
jq '{schema: "ktstr-gdb.programs.v1", kernel: .kernel, pause_us: 1400,
	programs: [.programs[] | del(.type_id, .load_time_ns)]}' "$dir/truth" >"$dir/good"

# check WHAT STATUS PATTERN TRUTH-FILTER RESULT-FILTER [OPTION...]
check() {
	what=$1 want=$2 pattern=$3
	jq "$4" "$dir/truth" >"$dir/t"
	jq "$5" "$dir/good" >"$dir/r"
	shift 5
	"$compare" "$@" "$dir/t" "$dir/r" >"$dir/out" 2>&1
	got=$?
	n=$((n + 1))
	if [ $got = "$want" ] && grep -q -- "$pattern" "$dir/out"; then
		echo "ok $n - compare: $what"
	else
		echo "not ok $n - compare: $what"
		echo "# exit status $got, wanted $want and '$pattern':"
		sed 's/^/# /' "$dir/out" | head -n 5
		failed=1
	fi
}

check 'a good result is equal' 0 'equal$' . .
check 'the order of programs does not matter' 0 'equal$' . '.programs |= reverse'
check 'fields of the result alone are no difference' 0 'equal$' . '.programs[].more = 1'
check 'a second of load time is no difference' 0 'equal$' . '.programs[].loaded_at += 1'
check 'nor is one less' 0 'equal$' . '.programs[].loaded_at -= 1'
check 'two seconds are' 1 'loaded_at is' . '.programs[1].loaded_at += 2'

for field in verified_insns bytes_xlated bytes_jited uid btf_id run_cnt run_time_ns \
	recursion_misses bytes_memlock attach_btf_id; do
	check "$field is one more" 1 ": $field is" . ".programs[1].$field += 1"
	check "$field is null" 1 ": $field is" . ".programs[1].$field = null"
done
for field in type name short_name full_name tag expected_attach_type attach_btf_name; do
	check "$field is another" 1 ": $field is" . ".programs[1].$field += \"x\""
done
for field in jited gpl_compatible orphaned sleepable xdp_has_frags; do
	check "$field is inverted" 1 ": $field is" . ".programs[1].$field |= not"
done
check 'a map too many' 1 ': map_ids is' . '.programs[1].map_ids += [99]'
check 'maps in another order' 1 ': map_ids is' '.programs[0].map_ids = [3, 1]' \
	'.programs[0].map_ids = [1, 3]'
for field in type name short_name full_name tag verified_insns bytes_xlated jited bytes_jited loaded_at uid \
	gpl_compatible map_ids btf_id run_cnt run_time_ns recursion_misses bytes_memlock orphaned \
	sleepable xdp_has_frags expected_attach_type attach_btf_id attach_btf_name prog_tags; do
	check "$field is missing in the result" 1 ": $field is .*, not there" . \
		"del(.programs[0].$field)"
	check "$field is missing in the truth" 1 ": $field is unknown" \
		"del(.programs[0].$field)" .
done
check 'a number given as text' 1 ': uid is' . '.programs[0].uid |= tostring'
check 'a program is missing' 1 ': missing' . 'del(.programs[1])'
check 'a program is invented' 1 'not in the guest' . '.programs += [.programs[0] | .id = 99999]'
check 'a program is listed twice' 1 'listed twice' . '.programs += [.programs[0]]'
check 'a program without an id' 1 'has no id' . 'del(.programs[0].id)'
check 'no programs' 1 ': missing' . '.programs = []'
check 'another kernel' 1 'kernel: release' . '.kernel.release = "6.2"'
check 'a guest that is not quiet' 1 'not quiet' '.quiet = false' .
check 'too few programs' 1 'fewer than 99999' . . --min-programs 99999
check 'too few types' 1 'fewer than 99' . . --min-types 99
check 'enough of both' 0 'equal$' . . --min-programs 3 --min-types 2
check 'a program that may be extra' 0 'equal$' . \
	'.programs += [.programs[0] | .id = 99999 | .name = "churn"]' --allow-extra churn
check 'and one that may not' 1 'not in the guest' . \
	'.programs += [.programs[0] | .id = 99999 | .name = "other"]' --allow-extra churn
check 'another schema' 3 'no document of' . '.schema = "ktstr-gdb.programs.v2"'
check 'a result that is no JSON' 3 'compare:' . 'halt'
check 'an unknown option' 2 'usage' . . --no-such-option
echo "1..$n"
exit $failed
