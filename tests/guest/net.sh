#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is attached to cgroups and to the network of a guest that runs already: each field as bpftool
# in the guest has it, or the guest's own kernel where bpftool knows less.
#
#   NET_SUITES  kernels of these suites (bookworm sid: 6.1 and 7.x; trixie is 6.12)
. "$(dirname "$0")/lib"
initrd=build/guest/objects.initrd
[ -r $initrd ] || skip_all "no $initrd: make guests, which needs bpftool"
[ -x /usr/sbin/tc ] || skip_all 'no tc and ip (iproute2), with which the guest attaches programs'

# with_modules SUITE: sets $initrd, with what ip and tc need of this kernel's modules.
with_modules() {
	mkdir -p "$work/root-$1/modules"
	for module in veth dummy cls_bpf sch_ingress sch_prio sch_htb sch_hfsc; do
		for file in $(find "${kernel%/*}/modules" -name "$module.ko*"); do
			case $file in
			*.xz) xz -dc "$file" >"$work/root-$1/modules/$module.ko" ;;
			*) cp "$file" "$work/root-$1/modules/$module.ko" ;;
			esac
		done
	done
	initrd=$work/$1.initrd
	{
		cat build/guest/objects.initrd
		bsdtar -c --format=newc --uid 0 --gid 0 -f - -C "$work/root-$1" .
	} >"$initrd"
}

# compare NAME: $work/wanted and $work/got, which has more than $2 lines.
compare() {
	if [ "$(wc -l <"$work/wanted")" -gt "$2" ] && why=$(diff "$work/wanted" "$work/got"); then
		ok "$release: $1"
	else
		not_ok "$release: $1" "$why
$(cat "$work/err")"
	fi
}

# bpftool of 6.1 has "" for the function of a program that has none, and later ones nothing.
cgroups() {
	for what in cgroups effective; do
		option=
		[ $what = cgroups ] || option=--effective
		# shellcheck disable=SC2086
		run cgroup "$target" --vmlinux "$kernel" --json $option
		keys cgroups
		same='sort_by(.cgroup) | map(.programs |= (map(.attach_btf_name |= (. // "")) | sort_by(.attach_type)))'
		jq -S ".$what | $same" "$dir/truth.json" >"$work/wanted"
		jq -S --arg what $what ".cgroups | map(select(.dead | not) | {cgroup, programs: (.programs |
			map({id, attach_type, attach_flags, name, attach_btf_name, attach_btf_obj_id, attach_btf_id} |
			if \$what == \"effective\" then del(.attach_flags) else . end))}) | $same" "$work/out" >"$work/got"
		compare "$what" 100
	done
	run cgroup "$target" --vmlinux "$kernel" --json
	check "$release: a cgroup that was removed, and still has its program" jq -e \
		'.cgroups | map(select(.dead)) | map(.path, .programs[0].name) == ["/gone", "cg_skb0"]' "$work/out"
	jq -S '[.links[] | select(.type == "cgroup") | {id, prog_id, cgroup_id, attach_type}] | sort_by(.id)' \
		"$dir/truth.json" >"$work/wanted"
	jq -S '[.cgroups[] | .cgroup_id as $id | .programs[] | select(.link_id > 0) |
		{id: .link_id, prog_id: .id, cgroup_id: $id, attach_type}] | sort_by(.id)' "$work/out" >"$work/got"
	compare 'links to cgroups' 10
	for one in '/a.slice:cgroup_slice' '/sys/fs/cgroup/a.slice effective:cgroup_slice_effective' '/d:cgroup_d'; do
		# shellcheck disable=SC2086
		run cgroup show ${one%:*} "$target" --vmlinux "$kernel" --json
		jq -S --arg key "${one#*:}" '.[$key] | map(.attach_btf_name |= (. // "")) | sort_by(.attach_type, .id)' "$dir/truth.json" >"$work/wanted"
		jq -S --argjson effective "$(case $one in *effective*) echo true ;; *) echo false ;; esac)" '.cgroups | map(.programs[]) |
			map({id, attach_type, attach_flags, name, attach_btf_name: (.attach_btf_name // ""), attach_btf_obj_id,
			attach_btf_id} | if $effective then del(.attach_flags) else . end) | sort_by(.attach_type, .id)' "$work/out" >"$work/got"
		for file in wanted got; do
			jq 'map(with_entries(select(.value != null)))' "$work/$file" >"$work/told"
			mv "$work/told" "$work/$file"
		done
		compare "cgroup show ${one%:*}" 1
	done
	run cgroup tree "$target" --vmlinux "$kernel"
	check "$release: the table of cgroups has 80 columns at most" awk 'length > 80 { bad = 1 } END { exit bad || NR < 10 }' "$work/out"
}

# bpftool prints ["id":5], which is no JSON. Of a qdisc "ingress" it has each filter four times: for the
# qdisc, and for each place that it asks for by itself. Those of hfsc's root it has for the qdisc, and for the class.
bpftool_net='.net | map({netns_ino, told: (.text | gsub("\\[\"id\":(?<n>[0-9]+)\\]"; "[{\"id\":\(.n)}]") | fromjson[0])}) |
	map({netns_ino, xdp: .told.xdp, flow_dissector: .told.flow_dissector, tc: .told.tc} |
		.tc |= (. as $all | map(select(.kind == "ingress" or (.devname as $dev |
			any($all[]; .kind == "ingress" and .devname == $dev) | not))) | map(select(.kind == "hfsc" | not)) +
				($all | map(select(.kind == "hfsc")) | unique))) | sort_by(.netns_ino)'

net() {
	run net "$target" --vmlinux "$kernel" --json
	keys net
	# As they run; but those of different classes are in no order.
	order='(.[] | .xdp, .tc) |= sort_by(.ifindex, .kind, (select(.kind == "htb" or .kind == "hfsc") | .name) // "")'
	jq -S "$bpftool_net | $order" "$dir/truth.json" >"$work/wanted"
	jq -S ".net | map({netns_ino, xdp: (.xdp | map({devname, ifindex, mode, id})),
		flow_dissector: (.flow_dissector | map({id})),
		tc: (.tc | map(select(.chain != null) | {devname, ifindex, kind, name, id} |
			with_entries(select(.value != null))))}) | sort_by(.netns_ino) | $order" "$work/out" >"$work/got"
	compare 'XDP, tc, flow dissector' 80
	check "$release: among them those of classes" jq -e '[.[].tc[] | select(.kind == "htb" or .kind == "hfsc") | .kind] |
		sort == ["hfsc", "hfsc", "htb", "htb", "htb", "htb"]' "$work/got"
	jq -S '.net | map({netns_ino, mprogs}) | sort_by(.netns_ino)' "$dir/truth.json" >"$work/wanted"
	jq -S '.net | map({netns_ino, mprogs: (.tc | map(select(.chain == null) |
		{devname, ifindex, kind, prog_id, link_id}))}) | sort_by(.netns_ino)' "$work/out" >"$work/got"
	for file in wanted got; do
		jq -S 'map(.mprogs |= sort_by(.ifindex, .kind))' "$work/$file" >"$work/sorted"
		mv "$work/sorted" "$work/$file"
	done
	compare 'tcx and netkit' 5
	jq -S '.sockmap | sort_by(.map_id, .attach_type) | .[]' "$dir/truth.json" >"$work/wanted"
	jq -S '.sockmap | map({map_id, attach_type, id}) | sort_by(.map_id, .attach_type) | .[]' "$work/out" >"$work/got"
	compare 'programs of sockmaps' 24
	check "$release: their links and names" jq -e --slurpfile truth "$dir/truth.json" '
		($truth[0].programs | map({("\(.id)"): .name}) | add) as $names |
		($truth[0].links | map(select(.type == "sockmap" and .prog_id) | .id) | sort) as $links |
		all(.sockmap[]; .name == $names["\(.id)"]) and
		([.sockmap[].link_id | select(. > 0)] | sort) == $links' "$work/out"
	for type in netfilter xdp netns; do
		jq -S --arg type $type '[.links[] | select(.type == $type and .ifindex != 0) |
			{id, prog_id, pf: (.pf // null), hook: (.hook // null), prio: (.prio // null),
				ifindex: (.ifindex // null)}] | sort_by(.id)' "$dir/truth.json" >"$work/wanted"
		jq -S --arg type $type '[.net[] | if $type == "netns" then .flow_dissector + .sk_lookup else .[$type] end |
			.[] | select(.link_id > 0) | {id: .link_id, prog_id: .id, pf: (.pf // null),
				hook: (.hook // null), prio: (.prio // null),
				ifindex: (.ifindex // null)}] | sort_by(.id)' "$work/out" >"$work/got"
		compare "links of type $type" 0
	done
	run net show dev v0 "$target" --vmlinux "$kernel" --json
	jq -S '[.net_v0 | gsub("\\[\"id\":(?<n>[0-9]+)\\]"; "[{\"id\":\(.n)}]") | fromjson[0] | (.xdp[] | del(.name)), .tc[] | {devname, kind, name, id, mode}] |
		sort_by(.kind, .id)' "$dir/truth.json" >"$work/wanted"
	jq -S '[.net[] | (.xdp[] | del(.name)), (.tc[] | select(.chain != null)) | {devname, kind, name, id, mode}] | sort_by(.kind, .id)' "$work/out" >"$work/got"
	compare 'net show dev v0' 5
	check "$release: net show dev: what is of no device stays" jq -e 'any(.net[]; .flow_dissector != [])' "$work/out"
	run net "$target" --vmlinux "$kernel" --json
	check "$release: filters in their order" jq -e '[.net[].tc[] | select(.devname == "v0" and .kind == "clsact/ingress") |
		[.chain, .prio, .handle, .direct_action]] ==
		[[0, 1, 1, true], [0, 2, 7, false], [0, 2, 1, true], [3, 49152, 1, true]]' "$work/out"
	check "$release: a classic filter" jq -e '[.net[].tc[] | select(.classic)] |
		length == 1 and .[0].id == null and .[0].devname == "v0"' "$work/out"
	run net "$target" --vmlinux "$kernel"
	check "$release: the table of the network has 80 columns at most" awk 'length > 80 { bad = 1 } END { exit bad || NR < 10 }' "$work/out"
}

for suite in ${NET_SUITES:-bookworm sid}; do
	kernel "$suite"
	with_modules "$suite"
	boot "$suite" --kernel "$kernel" --initrd "$initrd" --timeout 300 \
		--append 'truth.attached=1 truth.links=1 truth.objects=0 truth.progs=8'
	release=$(jq -r .kernel.release "$dir/truth.json")
	cgroups
	net
	alive
	run links "$target" --vmlinux "$kernel" --json
	jq -e 'any(.links[]; .type == "kprobe_multi")' "$dir/truth.json" >"$work/told" || continue # Debian's 6.1
	check "$release: a function of a module, by its name" jq -e '[.links[] | select(.type == "kprobe_multi") | .funcs[] |
		select(.module)] | length == 1 and (.[0] | .func == "veth_dellink" and .module == "veth" and .cookie == 4660)' "$work/out"
	check "$release: functions of the kernel are in no module" jq -e '[.links[] | select(.type == "kprobe_multi") | .funcs[] |
		select(.module | not) | .func] | unique == ["do_init_module", "kernel_restart", "panic"]' "$work/out"
done

# --- what may be asked of it, with the last guest ---

run net "$target" --vmlinux "$kernel" --name n_cls1 --csv -o devname,kind
check 'net --name, -o, --csv' grep -qx 'v0,tcx/ingress' "$work/out"
run net "$target" --vmlinux "$kernel" --type xdp
says 'net has no --type' 2 'net has no option --type'
run cgroup "$target" --vmlinux "$kernel" --type cgroup_device -o name --csv
check 'cgroup --type' test "$(paste -sd' ' "$work/out")" = 'name cg_device'
run cgroup show "$target" --vmlinux "$kernel"
says 'cgroup show without one' 2 'needs a cgroup, a path that begins with "/"'
run cgroup show /nowhere "$target" --vmlinux "$kernel" --json
check 'cgroup show of none' jq -e '.cgroups == []' "$work/out"
run net show dev
says 'net show dev without one' 2 "needs a device's name"
plan
