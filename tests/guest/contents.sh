#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# map dump and btf of a guest that runs already: each key, value and type as bpftool in the guest has it.
#
#   CONTENTS_SUITES  kernels of these suites (bookworm trixie sid: 6.1, 6.12 and 7.x)
. "$(dirname "$0")/lib"
. tests/guest/hidden
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
# which it does not know, are missing there; IDs of inner maps it has since 6.9. What a stack or socket
# is, it does not say.
contents() {
	same='(.. | objects | select(has(".rodata"))[".rodata"]) |= map(select(has("ratio") or has("text") | not)) |
		map(del(.inner_map_id, .stack, .socket)) | sort_by(.key)'
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
	for what in .values .inner_map_id .formatted.key .formatted.value '.formatted.value[".rodata"]?' \
		.value.error? .formatted.value.data? .formatted.value.common? .socket.cookie .stack; do
		# Up to 6.8 the state of a struct_ops is no struct of its own.
		[ "$suite $what" != 'bookworm .formatted.value.common?' ] || continue
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

# Each lookup that bpftool did; of keys that are not there null, and the exit status is 1.
lookups() {
	jq -c '.lookups[] | {map, key, found: (.entry != null), entry: (.entry | del(.inner_map_id?))}' \
		"$dir/truth.json" >"$work/wanted"
	jq -r '.lookups[] | "\(.map) \(.key | join(" "))"' "$dir/truth.json" >"$work/list"
	while read -r map key; do
		# shellcheck disable=SC2086
		run map lookup id "$(id "$map")" key $key "$target" --vmlinux "$kernel" --json
		command jq -c --arg map "$map" --arg key "$key" --argjson status "$status" \
			'{map: $map, key: ($key | split(" ")), found: ($status == 0),
			entry: (if . then del(.inner_map_id) else . end)}' "$work/out"
	done <"$work/list" >"$work/got"
	check "$release: $(wc -l <"$work/list") lookups" diff "$work/wanted" "$work/got"
	check "$release: found and not" jq -es 'length > 15 and (map(select(.found)) | length) > 10 and any(.[]; .found | not)' "$work/got"
}

# has WHAT: the guest's kernel could make it.
has() {
	jq -e ".made.$1" "$dir/truth.json" >/dev/null
}

# The keys, but for those of a map's own types.
own_keys() {
	jq 'map(del(.formatted))' "$work/out" >"$work/keys"
	keys 'map dump' "$work/keys"
}

# storage MAP OWNER...: the value of each owner, "OWNER number word", and nothing else.
storage() {
	dump "d_$1"
	own_keys
	shift
	printf '%s\n' "$@" >"$work/wanted"
	jq -r '.[] | .formatted.value as $v | del(.value, .formatted) | "\(tojson) \($v.number) \($v.word)"' \
		"$work/out" | sort >"$work/got"
	check "$release: storage of $(cut -d'"' -f 2 "$work/wanted" | head -n 1)s" diff "$work/wanted" "$work/got"
}

# Which bpftool cannot dump: the test's guest says what it put there.
made() {
	eval "$(jq -r '.made | to_entries[] | select(.value | type == "number" or type == "string") |
		"\(.key)=\(.value)"' "$dir/truth.json")"
	if has task_storage; then
		storage task "{\"task\":{\"pid\":$self,\"tgid\":$self,\"comm\":\"init\"}} 1 self" \
			"{\"task\":{\"pid\":$child,\"tgid\":$child,\"comm\":\"init\"}} 2 child"
		storage sk "{\"socket\":{\"cookie\":$sock_cookie,\"family\":2,\"protocol\":6,\"port\":7777,\"peer_port\":0}} 4 sock"
	fi
	! has inode_storage || storage inode "{\"inode\":{\"ino\":$inode,\"dev\":\"$rootdev\",\"sb\":\"rootfs\"}} 3 file"
	! has cgrp_storage || storage cgrp "{\"cgroup\":{\"id\":$cgroup}} 5 below"
	dump d_ring
	check "$release: a ring buffer's positions" jq -e --slurpfile truth "$dir/truth.json" \
		'map(.ringbuf | {size, consumer_pos, producer_pos}) == [$truth[0].made.ring]' "$work/out"
	if has user_ring; then
		dump d_user_ring
		check "$release: those of a user_ringbuf" jq -e \
			'map(.ringbuf | [.size, .consumer_pos, .producer_pos]) == [[8192, 0, 64]]' "$work/out"
	fi
	if has bloom; then
		dump d_bloom
		own_keys
		check "$release: a Bloom filter" jq -e 'length == 1 and (.[0].bloom_filter |
			.hash_funcs == 3 and .bits == 512 and .bits_set > 5 and .bits_set <= 15)' "$work/out"
	fi
	if has arena; then
		dump d_arena
		own_keys
		check "$release: an arena's pages" jq -e --argjson at "$arena_addr" '
			map(.page | [.index, .addr - $at]) == [[2, 8192], [7, 28672]] and
			.[0].value[4:7] == ["0x00", "0x61", "0x00"] and .[1].value[0] == "0x62" and
			all(.[]; (.value | length) == 4096 and (.value | map(select(. != "0x00")) | length) == 1)' "$work/out"
	fi
	dump d_stacks
	own_keys
	check "$release: a stack's functions" jq -e 'map(.stack[1:] | map(.func)) | length == 1 and
		(.[0] | index(["bpf_prog_test_run_raw_tp", "__sys_bpf"]) and index("do_syscall_64"))' "$work/out"
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
	jq -r '.btf_as_c[] | "object \(.id)", .raw' "$dir/truth.json" >"$work/wanted"
	jq -c '.btf_as_c[].json' "$dir/truth.json" >"$work/wanted.json"
	for object in $(jq '.btf_as_c[].id' "$dir/truth.json"); do
		echo "object $object"
		timeout 300 "$tool" btf dump id "$object" format raw "$target" --vmlinux "$kernel" 2>&1
		echo
		timeout 300 "$tool" btf dump "$object" "$target" --vmlinux "$kernel" --json 2>&1 |
			command jq -c . >&3
	done >"$work/got" 3>"$work/got.json"
	check "$release: types one by one, $(grep -c '^\[' "$work/got")" diff "$work/wanted" "$work/got"
	check "$release: and as JSON" diff "$work/wanted.json" "$work/got.json"
}

# What is hidden, and in a slot of a map.
slots() {
	hidden prog_idr "$(jq '[.programs[] | select(.name == "in_a_slot")][0].id' "$dir/truth.json")" program \
		"contains(\"slot 2 of map $(id d_progs)\")"
	hidden map_idr "$(id d_inner)" map "contains(\"slot 2 of map $(id d_maps)\")"
}

for suite in ${CONTENTS_SUITES:-bookworm trixie sid}; do
	kernel "$suite"
	boot "$suite" --kernel "$kernel" --initrd "$initrd" --timeout 600 \
		--append 'truth.links=1 truth.maps=1 truth.progs=48'
	release=$(jq -r .kernel.release "$dir/truth.json")
	contents
	rings
	made
	lookups
	parts
	btf
	slots
	alive
done

# --- what may be asked of it, with the last guest ---

dump d_pcpu_hash
keys 'map dump'
run map dump "$(id globals.bss)" "$target" --vmlinux "$kernel"
prints 'variables by name' 0 '^value: \{".bss": \[\{"zeroed": 0\}'
run map dump "$(id d_progs)" "$target" --vmlinux "$kernel"
prints 'an empty slot is no entry' 0 '^Found 1 element$'
run map dump "$(id d_stacks)" "$target" --vmlinux "$kernel"
prints 'a stack for people' 0 '^  ffffffff[0-9a-f]{8} __sys_bpf\+0x[0-9a-f]+$'
run map dump "$(id d_sockmap)" "$target" --vmlinux "$kernel"
prints 'an empty slot, which is no element' 0 '^value: <no entry>$'
prints 'a socket for people' 0 '^socket: cookie [0-9]+, family 2, protocol 6, port 7777, peer_port 0$'
prints 'and the one element' 0 '^Found 1 element$'
run map dump "$(id d_perf)" "$target" --vmlinux "$kernel"
prints 'a map without lookups' 0 '^value: - \(Unknown error 524\)$'
run map dump 4000000 "$target" --vmlinux "$kernel"
says 'no such map' 3 'no map has the id 4000000'
run map dump x "$target" --vmlinux "$kernel"
says 'an ID is a number' 2 'map dump takes a whole number'
run map lookup "$(id d_hash)" "$target" key hex 07 00 00 00 55 55 --vmlinux "$kernel"
prints 'a lookup for people' 0 '^key: 07 00 00 00 55 55$'
run map lookup "$(id d_hash)" key 1 2 3 4 5 6 "$target" --vmlinux "$kernel"
prints 'a key that is not there' 1 '^Not found$'
run map lookup "$(id d_hash)" key 1 2 "$target" --vmlinux "$kernel"
says 'a key that is too short' 2 'a key of map [0-9]+ has 6 bytes, not 2'
run map lookup "$(id d_ring)" key 1 "$target" --vmlinux "$kernel"
says 'a map without keys' 3 'is of type ringbuf, which has no keys'
run map lookup 1 key 256 "$target" --vmlinux "$kernel"
says 'a byte that is none' 2 '"256" is no byte of a key'
run map lookup 1 "$target" --vmlinux "$kernel"
says 'no key' 2 'map lookup needs a key'
run map bogus
says 'no such command of map' 2 '"bogus" is no command of map'
run btf dump 4000000 "$target" --vmlinux "$kernel"
says 'no such BTF object' 3 'no BTF object has the id 4000000'
run btf dump 1 format go "$target" --vmlinux "$kernel"
says 'no such format' 2 'btf dump has the formats c and raw, not "go"'
run btf dump 1 format c "$target" --vmlinux "$kernel" --json
says 'C is no JSON' 2 '--json is of format raw'
run btf list "$target" --vmlinux "$kernel" --type x
says 'BTF objects have no types' 2 'btf has no option --type'
run btf list "$target" --vmlinux "$kernel" --name vmlinux -o id,kernel --csv
check 'btf list --name, -o' test "$(paste -sd' ' "$work/out")" = 'id,kernel 1,yes'
run btf dump 1 "$target" --vmlinux "$kernel"
prints 'the types of the kernel' 0 '^struct task_struct \{$'
run btf dump "$(jq '.btf_as_c[-1].id' "$dir/truth.json")" "$target" --vmlinux "$kernel" --json
keys 'btf dump'
run btf dump 1 "$target" --vmlinux "$kernel" --json
check 'more than 20000 of them' jq -e '.types | length > 20000 and (map(.id) == [range(1; length + 1)])' "$work/out"
alive
plan
