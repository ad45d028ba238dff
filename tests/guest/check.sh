#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What `check` foresees, against what comes of it: the same objects, loaded in a guest of each kernel.
# Nothing that loads is called failing, and most of what fails before the verifier judges is foreseen.
. "$(dirname "$0")/lib"
make --no-print-directory -s bpf || skip_all 'no BPF objects'
mkdir "$work/o"
for source in tests/preflight/bpf/*.bpf.c; do
	${CLANG:-clang} -O2 -g -target bpf -D__TARGET_ARCH_x86 -I"/usr/include/$(uname -m)-linux-gnu" -c \
		-o "$work/o/$(basename "$source" .c).o" "$source" || skip_all "$source does not compile"
done
cp build/bpf/*.bpf.o "$work/o"

# Rows of "foreseen", "missed", "alarm" or "loads", an object's program, and the two classes. What the
# verifier itself rejects is nobody's to foresee. A class is one of model/load_class.h. "module": it
# fails because a module is not loaded, and that is said; "unknown": the kernel's modules are not there.
compare='
	["Program Type", "Map Type", "Attach Type", "Helper", "Kfunc", "Ksym", "CO-RE Relocation", "BTF",
		"Load Request", "Policy", "Object"] as $ours |
	($collect[0].failed | map({key: "\(.object):\(.name)", value: (.class // "-")}) | from_entries) as $failed |
	$check[0].programs[] | select(.verdict != "off") |
	. as $program | "\(.object | sub(".*/"; "")):\(.name)" as $id | $failed[$id] as $class |
	any($check[0].findings[]; .module and .object == $program.object and .class == $class and
		(.program == null or .program == $program.name)) as $of_module |
	[(if $class == null then (if .verdict == "fails" then "alarm" else "loads" end)
	  elif .verdict == "fails" then "foreseen"
	  elif $of_module then (if $check[0].kernels[0].modules then "module" else "unknown" end)
	  elif $ours | index([$class]) then "missed" else "verifier" end),
	 $id, .class // "-", $class // "-"] | @tsv'

foreseen=0
missed=0
in_modules=0
for suite in bullseye bookworm trixie sid; do
	if ! image=$(vm/fetch-kernel "$suite" 2>"$work/fetch.log" | head -n 1) || [ -z "$image" ]; then
		skip "check on $suite" "$(tail -n 1 "$work/fetch.log")"
		continue
	fi
	run collect --accel tcg --kernel "$image" "$work"/o/*.bpf.o --json
	mv "$work/out" "$work/collect.json"
	check "$suite: the truth: some load, some do not" test "$status" = 1
	run check --kernel "$image" "$work"/o/*.bpf.o --json
	mv "$work/out" "$work/check.json"
	check "$suite: check says so" test "$status" = 1
	check "$suite: its JSON" tests/json-keys check "$work/check.json"
	jq -nr --slurpfile collect "$work/collect.json" --slurpfile check "$work/check.json" "$compare" \
		>"$work/rows"
	sed "s/^/# $suite: /" "$work/rows" | grep -E 'alarm|missed'
	check "$suite: what loads is not called failing" sh -c "! grep -q '^alarm' '$work/rows'"
	check "$suite: and some load" grep -q '^loads' "$work/rows"
	foreseen=$((foreseen + $(grep -c '^foreseen' "$work/rows")))
	missed=$((missed + $(grep -c '^missed' "$work/rows")))
	in_modules=$((in_modules + $(grep -c '^module' "$work/rows")))
	echo "# $suite: $(grep -c '^unknown' "$work/rows") for want of its modules not sure"
done
echo "# foreseen: $foreseen of $((foreseen + missed)) failures before the verifier's judgement"
check '90 % of them, or more' test $((foreseen * 10)) -ge $(((foreseen + missed) * 9))
check 'and there were many' test "$foreseen" -ge 60
check 'some fail for want of a module, and which one is said' test "$in_modules" -ge 4

# --- as a person has it ---

kernel trixie
run check "$work/o/core.bpf.o" "$work/o/kfunc_gone.bpf.o" --kernel "$kernel"
check 'exit status 1' test "$status" = 1
check 'the nearest member' grep -q 'near it: tgid' "$work/out"
check 'what a check keeps it from is not told' sh -c "! grep -q 'field_guarded on' '$work/out'"
run check "$work/o/ksym_there.bpf.o" --kernel "$kernel"
check 'nothing is found: exit status 0' test "$status" = 0
run check "$work/o/in_module.bpf.o" "$work/o/core.bpf.o" "$work/o/targets.bpf.o" --kernel "$kernel"
check 'the module is named' grep -q 'nf_conntrack, which has' "$work/out"
check 'no line is longer than 80 columns' test "$(LC_ALL=C.UTF-8 awk '{ if (length() > n) n = length() } END { print n }' "$work/out")" -le 80
run check "$work/o/kfunc_gone.bpf.o" --kernel "$kernel" --modules "$work"
check 'where the modules are not, nothing is sure' test "$status" = 0
check 'and that is said once' test "$(grep -c 'what a module could have is not called failing' "$work/err")" = 1
echo 'no object' >"$work/text.bpf.o"
run check "$work/text.bpf.o" --kernel "$kernel"
says 'a text is no object' 3 'text.bpf.o is no BPF object: it is no ELF file'
run check "$work/o/core.bpf.o" --kernel "$kernel" --csv
check 'CSV: a line for each program' test "$(wc -l <"$work/out")" = 12
run check "$work/o/core.bpf.o"
says 'without a kernel' 2 'check needs a kernel'
plan
