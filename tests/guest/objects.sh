#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Maps, links and instructions of a guest that runs already: each value as the guest's own kernel
# has it, each line of a dump as bpftool in the guest has it.
#
#   OBJECTS_SUITES  kernels of these suites (bookworm trixie sid: 6.1, 6.12 and 7.x)
. "$(dirname "$0")/lib"
. tests/guest/same
. tests/guest/hidden
initrd=build/guest/objects.initrd
[ -r $initrd ] || skip_all "no $initrd: make guests, which needs bpftool"

# The functions are those that ftrace has, the programs those of the links; nothing else is there.
trampolines() {
	run trampolines "$target" --vmlinux "$kernel" --json
	keys trampolines
	check "$release: trampolines, of the functions that ftrace names" sh -c '
		jq -S "[.direct_functions[]] | unique" "$1" >"$3/wanted"
		jq -S "[.trampolines[] | select(.type != \"replace\") | .func] | unique" "$2" >"$3/got"
		[ "$(jq length "$3/got")" -gt 2 ] && diff "$3/wanted" "$3/got"' - "$dir/truth.json" "$work/out" "$work"
	# The kernel tells a link's cookie since 6.19.
	jq -S '[.links[] | select(.type == "tracing") | {link_id: .id, prog_id, cookie, target_obj_id,
		target_btf_id}] | sort_by(.link_id)' "$dir/truth.json" >"$work/wanted"
	jq -S --slurpfile wanted "$work/wanted" '[.trampolines[] | {link_id, prog_id, cookie, target_obj_id, target_btf_id}] |
		sort_by(.link_id) | if $wanted[0][0].cookie == null then map(.cookie = null) else . end' "$work/out" >"$work/got"
	check "$release: their programs, links and cookies" diff "$work/wanted" "$work/got"
	check "$release: one replaces a function of a program" jq -e --slurpfile truth "$dir/truth.json" '
		($truth[0].programs | map({(.name): .id}) | add) as $ids | [.trampolines[] | select(.type == "replace")] |
		length == 1 and .[0].prog_id == $ids.replaces and .[0].target_obj_id == $ids.md_uses' "$work/out"
	check "$release: a program has a name, and the type that its link has" jq -e --slurpfile truth "$dir/truth.json" '
		($truth[0].links | map({(.id | tostring): .attach_type}) | add) as $types |
		all(.trampolines[]; .link_id as $link | .name != null and ({replace: [$types[$link | tostring]], fentry: ["trace_fentry"],
			fexit: ["trace_fexit", "lsm_mac"], modify_return: ["modify_return", "lsm_mac"]}[.type] |
			index($types[$link | tostring])) != null)' "$work/out"
}

struct_ops() {
	run struct_ops "$target" --vmlinux "$kernel" --json
	keys struct_ops
	check "$release: struct_ops" sh -c '
		jq -S .struct_ops "$1" >"$3/wanted"
		jq -S "[.struct_ops[] | {id, name, kernel_struct_ops}]" "$2" >"$3/got"
		[ "$(jq length "$3/got")" -gt 0 ] && diff "$3/wanted" "$3/got"' - "$dir/truth.json" "$work/out" "$work"
	# ops.bpf.o has three, and was loaded last when it was attached.
	jq -S '[.programs[] | select(.type == "struct_ops") | .id] | sort | .[-3:]' "$dir/truth.json" >"$work/wanted"
	jq -S '[.struct_ops[] | select(.state != "init") | .progs[].prog_id] | sort' "$work/out" >"$work/got"
	check "$release: the programs of the struct_ops that is attached" diff "$work/wanted" "$work/got"
	check "$release: each is the member that it is for" jq -e '{fixture_ssthresh: "ssthresh", fixture_undo: "undo_cwnd",
		fixture_congestion_avoidance: "cong_avoid"} as $members |
		all(.struct_ops[].progs[]; $members[.name] == .member)' "$work/out"
}

# What one program calls, by each line of bpftool's dump of it; its maps by name; the stack of each function
# by the verifier's log, to which the kernel adds 24 bytes where it inlines bpf_loop().
shown() {
	jq -r '.dumps[] | select(.text | contains("call ")) | .id' "$dir/truth.json" | head -n 24 >"$work/ids"
	: >"$work/shown"
	while read -r id; do
		"$tool" prog show "$id" "$target" --vmlinux "$kernel" --json 2>&3 </dev/null >>"$work/shown"
	done <"$work/ids" 3>"$work/err"
	jq -c '.dumps[] | {id, calls: [.text | scan("call ([^#\n]+)#-?[0-9]") | .[0]] | unique}' "$dir/truth.json" |
		jq -c --slurpfile got "$work/shown" 'select(.id as $id | any($got[]; .programs[0].id == $id))' >"$work/wanted"
	jq -c '.programs[0] | {id, calls: (.helpers + .kfuncs | unique)}' "$work/shown" |
		sed 's/"0x\([0-9a-f]*\)"/"0x\1"/g' >"$work/got"
	check "$release: what $(wc -l <"$work/got") programs call" sh -c '
		[ "$(jq -s "map(.calls) | add | unique | length" "$1")" -gt 8 ] && diff "$1" "$2"' - "$work/wanted" "$work/got"
	check "$release: their maps by name" jq -es --slurpfile truth "$dir/truth.json" '
		($truth[0].maps | map({("\(.id)"): {id, name, type}}) | add) as $maps | (map(.programs[0].maps | length) | add) > 5 and
		all(.[].programs[0]; .map_ids == (.maps | map(.id)) and all(.maps[]; . == $maps["\(.id)"]))' "$work/shown"
	check "$release: the stack of their functions" jq -es --slurpfile truth "$dir/truth.json" '
		($truth[0].programs | map({("\(.id)"): .stack_depth}) | add) as $told |
		[.[].programs[0] | select($told["\(.id)"]) | {name, told: ($told["\(.id)"] | split("+") | map(tonumber)),
			got: .functions | map(.stack_depth), jited}] as $all |
		($all | map(.told | length) | max) > 2 and ($all | map(.told | max) | max) > 16 and
		all($all[] | select(.jited); (.told | length) == (.got | length) and (. as $one | all(range(.told | length);
			$one.got[.] - $one.told[.] | . == 0 or (. == 24 and ($one.name | contains("loop"))))))' "$work/shown"
	check "$release: their functions have tags, places and prototypes" jq -es 'all(.[].programs[0];
		(.prog_tags == (.functions | map(.tag)) or (.jited | not)) and .functions[0].at == 0 and
		(.btf_id == 0 or all(.functions[]; .proto != null)))' "$work/shown"
	check "$release: prog show: its keys" tests/json-keys programs "$work/shown"
	run prog show "$(head -n 1 "$work/ids")" "$target" --vmlinux "$kernel"
	check "$release: prog show: 80 columns" awk 'length > 80 { bad = 1 } END { exit bad || NR < 12 }' "$work/out"
	run prog show "$target" --vmlinux "$kernel" --csv -o id
	check "$release: prog show without an ID" test "$(wc -l <"$work/out")" = "$(($(jq '.programs | length' "$dir/truth.json") + 1))"
}

# Of every program, and of each alone, what bpftool says: it leaves out what is empty. Numbers as texts, since jq
# would round them.
metadata() {
	sed -E 's/([:[,] *)([0-9]{16,})/\1"\2"/g' "$dir/truth.json" |
		command jq -cS '.prog_show[] | {id, metadata: (.metadata // {})}' >"$work/wanted"
	run attach "$target" --vmlinux "$kernel" --json
	sed -E 's/([:[,] *)([0-9]{16,})/\1"\2"/g' "$work/out" | command jq -cS '.programs[] | {id, metadata}' >"$work/got"
	check "$release: metadata of $(wc -l <"$work/got") programs" sh -c '
		[ "$(grep -c bytes "$1")" = 2 ] && [ "$(wc -l <"$1")" -gt 30 ] && diff "$1" "$2"' - "$work/wanted" "$work/got"
	for name in md_uses md_uses_not; do
		id=$(jq --arg name $name '.programs[] | select(.name == $name) | .id' "$dir/truth.json")
		run prog show --json "$id" "$target" --vmlinux "$kernel"
		sed -E 's/([:[,] *)([0-9]{16,})/\1"\2"/g' "$work/out" | command jq -cS '.programs[] | {id, metadata}' >"$work/got"
		check "$release: metadata of $name alone" sh -c 'grep "^{\"id\":$1," "$2" | diff - "$3"' - "$id" "$work/wanted" "$work/got"
	done
	run prog show id "$id" "$target" --vmlinux "$kernel"
	prints "$release: metadata for people" 0 '^metadata +version = \{"major": 1, "minor": 20, "suffix": "rc3"\}$'
	check "$release: each variable on a line" test "$(grep -c ^metadata "$work/out")" = 7
	run attach "$target" --vmlinux "$kernel" --id "$id" --csv -o id,metadata
	check "$release: a column of metadata" grep -q '^[0-9]*,"{""author"": ""a' "$work/out"
	run attach "$target" --vmlinux "$kernel" --name 'md_*' -o id,metadata
	check "$release: and in a table" test "$(grep -c ' large = 18364758544493064720, below = -7, ' "$work/out")" = 2
}

# bpftool has the address of a kprobe without a function alone, nothing of programs of perf events, and
# no descriptors of threads that have their own; those are in held_fds.
perf() {
	run perf "$target" --vmlinux "$kernel" --json
	keys perf
	jq -S '.perf | sort_by(.pid, .fd)' "$dir/truth.json" >"$work/wanted"
	jq -S '[.perf[] | select(.fd_type != "event") | {pid, fd, prog_id, fd_type, tracepoint, func, offset, filename,
		addr: (if .func then null else .addr end)} | with_entries(select(.value != null))]' "$work/out" >"$work/got"
	check "$release: $(jq length "$work/wanted") programs at perf events" jq -en --slurpfile wanted "$work/wanted" \
		--slurpfile got "$work/got" --slurpfile truth "$dir/truth.json" '$wanted[0] as $wanted | $got[0] as $got |
		($wanted | map(.fd_type) | unique | length) == 6 and ($wanted | map(select(.addr)) | length) > 1 and
		($wanted - $got) == [] and ($got | unique_by(.pid, .fd) | length) == ($got | length) and
		all(($got - $wanted)[]; . as $more | any($truth[0].held_fds[]; .kind == "link" and .pid == $more.pid and
			.fd == $more.fd))'
	check "$release: perf: what links say of the same events, and the events of init by ioctl" jq -e \
		--slurpfile truth "$dir/truth.json" '
		def of: {prog_id, type: (.fd_type // .perf_type), addr, cookie, event_type, event_config};
		def events: map(select(.type == "event"));
		([$truth[0].links[] | select(.type == "perf_event") | of]) as $links | [.perf[] | of] as $got |
		($links | map(if .cookie == null then del(.cookie) else . end) | all(. as $l | $got |
			any(. as $g | $l | to_entries | all(.value == null or .value == $g[.key])))) and
		($got | events | length) > 1 and ($got | events |
			all(.event_type == "software" and .event_config == "dummy"))' "$work/out"
	check "$release: perf: names" jq -e --slurpfile truth "$dir/truth.json" '
		($truth[0].programs | map({("\(.id)"): .name}) | add) as $names |
		all(.perf[]; .name[:15] == ($names["\(.prog_id)"] // "")[:15])' "$work/out"
	run perf "$target" --vmlinux "$kernel" --type kprobe,uprobe
	check "$release: perf --type, 80 columns" awk 'length > 80 { bad = 1 } / (kprobe|uprobe) / { n++ }
		/kretprobe|tracepoint/ { bad = 1 } END { exit bad || n < 4 }' "$work/out"
	run perf show "$target" --vmlinux "$kernel" --type kprope
	says "$release: perf: a type that is mistyped" 2 'there is no event type "kprope"; did you mean kprobe?'
	run perf show "$target" --vmlinux "$kernel" --type xyz
	says "$release: perf: no such type" 2 'there are raw_tracepoint, tracepoint, kprobe'
}

# Nothing hides here; and the guest's list may lack what it likes.
audit() {
	run audit "$target" --vmlinux "$kernel" --json
	keys audit
	check "$release: audit: all that runs or is held is listed" jq -e --slurpfile truth "$dir/truth.json" '.audit == [] and
		.lists.program.listed == ($truth[0].programs | length) and .lists.map.listed == ($truth[0].maps | length) and
		.lists.link.listed == ($truth[0].links | length)' "$work/out"
	check "$release: audit: processes hold all programs but those of struct_ops, links and pins" jq -e \
		'(.lists.program.unreached | length) == 0' "$work/out"
	jq '.programs | map({id}) | .[1:] + [{id: 4000000}]' "$dir/truth.json" >"$work/told"
	run audit "$target" --vmlinux "$kernel" --json --against "$work/told"
	check "$release: audit --against" jq -e --slurpfile truth "$dir/truth.json" --argjson status "$status" '$status == 1 and
		(.audit | map([.problem, .id])) == [["not_told", $truth[0].programs[0].id], ["only_told", 4000000]]' "$work/out"
}

# One of each kind, and of each the place that leads to it in another way.
hide() {
	run trampolines "$target" --vmlinux "$kernel" --json
	jq -c '[.trampolines[] | select(.type == "fentry" and .func and .link_id)][0]' "$work/out" >"$work/fentry"
	link=$(jq .link_id "$work/fentry") prog=$(jq .prog_id "$work/fentry")
	hidden prog_idr "$prog" program "contains(\"link $link\") and contains(\"fentry of $(jq -r .func "$work/fentry")\") and
		contains(\"(init)\")"
	hidden link_idr "$link" link 'contains("fentry of") and contains("(init)")'
	map=$(jq '[.programs[] | .map_ids[]?][0]' "$dir/truth.json")
	hidden map_idr "$map" map 'contains("program ") and contains("(init)")'
	run perf "$target" --vmlinux "$kernel" --type event --json
	hidden prog_idr "$(jq '.perf[0].prog_id' "$work/out")" program 'contains("event of process")'
	run audit "$target" --vmlinux "$kernel" --json
	check "$release: audit: all is back" jq -e '.audit == []' "$work/out"
}

for suite in ${OBJECTS_SUITES:-bookworm trixie sid}; do
	kernel "$suite"
	boot "$suite" --kernel "$kernel" --initrd "$initrd" --timeout 300 \
		--append 'truth.links=1 truth.dump=1 truth.progs=48'
	release=$(jq -r .kernel.release "$dir/truth.json")
	run maps "$target" --vmlinux "$kernel" --json
	same maps 40
	keys maps
	run links "$target" --vmlinux "$kernel" --json
	same links 20
	keys links
	held
	run links "$target" --vmlinux "$kernel"
	check "$release: the table of links has 80 columns at most" awk 'length > 80 { print; bad = 1 } END { exit bad || NR < 20 }' "$work/out"
	trampolines
	struct_ops
	perf
	audit
	hide
	dumps
	shown
	metadata
	dump_json
	graphs
	keys 'prog dump'
	dump_jited
	info
	keys info
	check 'info: QEMU says what it is' jq -e --arg version "$(qemu-system-x86_64 --version |
		sed -n '1s/.*version \([0-9.]*\).*/\1/p')" '.qemu == {version: $version, kvm: false}' "$work/out"
	alive
done

# --- what may be asked of it, with the last guest ---

map=$(jq '.maps[3].id' "$dir/truth.json")
run maps "$target" --vmlinux "$kernel" --id "$map" -o id
check 'maps --id, -o' test "$(sed 's/ //g' "$work/out" | paste -sd,)" = "ID,$map"
run maps "$target" --vmlinux "$kernel" --type hash --csv
check 'maps --type, --csv' test "$(grep -c ,hash, "$work/out")" = \
	"$(jq '[.maps[] | select(.type == "hash")] | length' "$dir/truth.json")"
run links "$target" --vmlinux "$kernel" --sort=-id --json
check 'links --sort' jq -e '[.links[].id] | length > 4 and . == (sort | reverse)' "$work/out"
run links "$target" --vmlinux "$kernel" --name x
says 'links have no names' 2 'links has no option --name'
run maps "$target" --vmlinux "$kernel" --id "$map" --csv -o id,pids
check 'a column asks for holders' grep -Eq "^$map,.*init\(1\)" "$work/out"
run struct_ops "$target" --vmlinux "$kernel" --holders
says 'no holders of struct_ops' 2 'struct_ops has no option --holders'
run maps "$target" --vmlinux "$kernel" -o id,nope
says 'no such column' 2 'no column "nope"; there are id, type, name'
run maps "$target" --vmlinux "$kernel" --type hsah
says 'a map type that is mistyped' 2 'there is no map type "hsah"; did you mean hash?'
run maps "$target" --vmlinux "$kernel" --type zyxw
says 'no such map type' 2 'this kernel has no map type "zyxw"; it has hash, array'
run attach "$target" --vmlinux "$kernel" --type xdp,XDP
says 'a program type in another case' 2 'there is no program type "XDP"; did you mean xdp?'
run attach "$target" --vmlinux "$kernel" --type xdp,zyxw
says 'no such program type' 2 'this kernel has no program type "zyxw"; it has socket_filter'
run prog dump 4000000 "$target" --vmlinux "$kernel"
says 'no such program' 3 'no program has the id 4000000'
run replay "$target" --vmlinux "$kernel" --save-rodata "$work/rodata.json"
says 'replay: no scheduler is loaded' 3 'no sched_ext scheduler is loaded in the guest: sched_ext is disabled; --id'
run prog dump x "$target" --vmlinux "$kernel"
says 'an ID is a number' 2 'prog dump takes a whole number'
run prog dump 1 --visual --json "$target" --vmlinux "$kernel"
says 'a graph is no JSON' 2 '--visual is for the text of xlated'
run prog display
says 'no such command' 2 '"display" is no command of prog'
run prog dump 1 "unix:$work/nowhere" --vmlinux "$kernel"
says 'no such target' 3 nowhere
run maps "unix:$work/nowhere" --vmlinux "$kernel"
says 'maps: no such target' 3 nowhere
alive
plan
