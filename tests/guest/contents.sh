#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# map dump and btf of a guest that runs already: each key, value and type as bpftool in the guest has it.
#
#   CONTENTS_SUITES  kernels of these suites (bookworm trixie sid: 6.1, 6.12 and 7.x)
. "$(dirname "$0")/lib"
initrd=build/guest/objects.initrd
[ -r $initrd ] || skip_all "no $initrd: make guests, which needs bpftool"

# id NAME: the map's.
id() {
	jq --arg name "$1" '[.maps[] | select(.name == $name)][0].id' "$dir/truth.json"
}

# dump NAME OPTION...: the map of that name, as JSON.
dump() {
	map=$(id "$1")
	shift
	run map dump "$map" "$target" --vmlinux "$kernel" --json "$@"
}

# Every map that bpftool dumped. It has the order of the kernel's own walk. Variables behind a double,
# which it does not know, are missing there; IDs of inner maps it has since 6.9.
contents() {
	same='(.. | objects | select(has(".rodata"))[".rodata"]) |= map(select(has("ratio") or has("text") | not)) |
		map(del(.inner_map_id)) | sort_by(.key)'
	jq -c ".contents[] | {id, entries: (.entries | $same)}" "$dir/truth.json" >"$work/wanted"
	: >"$work/whole"
	for map in $(jq '.contents[].id' "$dir/truth.json"); do
		timeout 300 "$tool" map dump id "$map" "$target" --vmlinux "$kernel" --json 2>&3 |
			tee -a "$work/whole" | command jq -c --argjson id "$map" "{id: \$id, entries: ($same)}"
	done >"$work/got" 3>"$work/err"
	n=$(wc -l <"$work/wanted")
	if [ "$n" -gt 30 ] && [ ! -s "$work/err" ] && why=$(diff "$work/wanted" "$work/got"); then
		ok "$release: the contents of $n maps, $(jq -s 'map(.entries | length) | add' "$work/got") entries"
	else
		not_ok "$release: contents of maps" "$(head -n 4 "$work/err")
$(echo "$why" | cut -c 1-2000)"
	fi
	for what in .values .inner_map_id .formatted.key .formatted.value '.formatted.value[".rodata"]?'; do
		check "$release: some have $what" jq -es "any(.[][]; $what)" "$work/whole"
	done
}

# What the guest did tells what has to be there: bpftool dumps no queue.
rings() {
	dump d_queue
	check "$release: a queue, the oldest first" jq -e 'map(.value[0]) == ["0x67", "0x68", "0xc8", "0xc9", "0xca"]' "$work/out"
	dump d_stack
	check "$release: a stack, the newest first" jq -e 'map(.value[0]) == ["0xca", "0xc9", "0xc8", "0x65", "0x64"]' "$work/out"
}

# 20000 entries, in parts: none is missing, none is there twice, and each has its value.
parts() {
	dump d_big
	check "$release: a large map" jq -e 'def number: map(ltrimstr("0x") | explode |
			map(if . > 96 then . - 87 else . - 48 end) | .[0] * 16 + .[1]) |
			.[0] + 256 * .[1] + 65536 * .[2];
		length == 20000 and (map(.key | number) | sort) == [range(20000)] and
		all(.[]; (.value[:3] | number) == 7 * (.key | number) and (.value | length) == 96)' "$work/out"
	check "$release: its size is told first" grep -Eq \
		'^ktstr-gdb: map [0-9]+ has room for 30000 entries, 3.0 MB: it is read in parts, and the guest runs' "$work/err"
	check "$release: and how many stops it took" grep -Eq 'it took [2-9] stops: entries that changed' "$work/err"
	dump d_big --max-entries 7
	check "$release: --max-entries" jq -e 'length == 7' "$work/out"
	dump d_array --max-entries 2
	check "$release: --max-entries of an array" jq -e 'map(.key[0]) == ["0x00", "0x01"]' "$work/out"
}

# bpftool says who has an object open, too.
btf() {
	fields='map({id, size, prog_ids: (.prog_ids | sort), map_ids: (.map_ids | sort), kernel, name: (.name // "")})'
	jq -S ".btf | $fields" "$dir/truth.json" >"$work/wanted"
	run btf list "$target" --vmlinux "$kernel" --json
	keys btf
	jq -S ".btf | $fields" "$work/out" >"$work/got"
	check "$release: BTF objects" diff "$work/wanted" "$work/got"
	check "$release: more than 5 of them, with programs and maps" jq -e \
		'length > 5 and any(.[]; .prog_ids != [] and .map_ids != [])' "$work/got"
	jq -r '.btf_as_c[] | "object \(.id)", .c' "$dir/truth.json" >"$work/wanted"
	for object in $(jq '.btf_as_c[].id' "$dir/truth.json"); do
		echo "object $object"
		timeout 300 "$tool" btf dump id "$object" format c "$target" --vmlinux "$kernel" 2>&1
		echo # put_string() has the last line's newline, and jq adds one
	done >"$work/got"
	if [ "$(grep -c '^struct' "$work/wanted")" -gt 3 ] && why=$(diff "$work/wanted" "$work/got"); then
		ok "$release: $(jq '.btf_as_c | length' "$dir/truth.json") objects as C"
	else
		not_ok "$release: BTF as C" "$why"
	fi
}

for suite in ${CONTENTS_SUITES:-bookworm trixie sid}; do
	kernel "$suite"
	boot "$suite" --kernel "$kernel" --initrd "$initrd" --timeout 600 \
		--append 'truth.links=1 truth.maps=1 truth.progs=48'
	release=$(jq -r .kernel.release "$dir/truth.json")
	contents
	rings
	parts
	btf
	alive
done

# --- what may be asked of it, with the last guest ---

dump d_pcpu_hash
keys 'map dump'
run map dump "$(id globals.bss)" "$target" --vmlinux "$kernel"
prints 'variables by name' 0 '^value: \{".bss": \[\{"zeroed": 0\}'
run map dump "$(id d_progs)" "$target" --vmlinux "$kernel"
prints 'an empty slot is no entry' 0 '^Found 1 element$'
run map dump "$(id events)" "$target" --vmlinux "$kernel"
says 'a type that is not read' 3 'is of type ringbuf, whose contents are not read; array, .* can be read'
run map dump 4000000 "$target" --vmlinux "$kernel"
says 'no such map' 3 'no map has the id 4000000'
run map dump x "$target" --vmlinux "$kernel"
says 'an ID is a number' 2 'map dump takes a whole number'
run map show
says 'no such command of map' 2 '"show" is no command of map'
run btf dump 4000000 "$target" --vmlinux "$kernel"
says 'no such BTF object' 3 'no BTF object has the id 4000000'
run btf dump 1 format go "$target" --vmlinux "$kernel"
says 'no such format' 2 'btf dump has the format c, not "go"'
run btf list "$target" --vmlinux "$kernel" --type x
says 'BTF objects have no types' 2 'BTF objects have no types'
run btf list "$target" --vmlinux "$kernel" --name vmlinux -o id,kernel --csv
check 'btf list --name, -o' test "$(paste -sd' ' "$work/out")" = 'id,kernel 1,yes'
run btf dump 1 "$target" --vmlinux "$kernel"
prints 'the types of the kernel' 0 '^struct task_struct \{$'
alive
plan
