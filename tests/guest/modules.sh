#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs that refer to what only modules have (a function that fentry or fexit is for, kfuncs): by name, as
# the guest's own kernel and bpftool in the guest say.
#
#   MODULES_SUITES  kernels of these suites (bookworm sid: 6.1 and 7.x)
. "$(dirname "$0")/lib"
[ -r build/guest/modules.initrd ] || skip_all 'no build/guest/modules.initrd: make guests, which needs bpftool'
modules='libcrc32c nf_defrag_ipv4 nf_defrag_ipv6 nf_conntrack veth dummy'

# guest_says NAME: that part of what the guest has guest_says.
guest_says() {
	sed -n "/^== $1\$/,/^== /p" "$dir/serial" | sed '/^== /d; /^$/d'
}

# Each line of bpftool's dump, with the names of kfuncs.
dumps() {
	sed -n 's/^== xlated //p' "$dir/serial" >"$work/ids"
	while read -r id; do
		guest_says "xlated $id"
	done <"$work/ids" >"$work/wanted"
	while read -r id; do
		"$tool" prog dump "$id" "$target" --vmlinux "$kernel" </dev/null
	done <"$work/ids" >"$work/got" 2>"$work/err"
	check "$release: $(wc -l <"$work/got") lines of instructions, with kfuncs by name" sh -c '
		grep -q "call bpf_skb_ct_lookup#" "$1" && grep -q "call bpf_ct_release#" "$1" && diff "$1" "$2"' - \
		"$work/wanted" "$work/got"
}

for suite in ${MODULES_SUITES:-bookworm sid}; do
	kernel=$(vm/fetch-kernel "$suite" 2>"$work/fetch.log") || {
		skip "$suite" "$(tail -n 1 "$work/fetch.log")" && continue
	}
	release=$(cat "$(dirname "$kernel")/release")
	dir=$work/$suite
	guests="$guests $dir"
	mkdir -p "$dir" "$work/root-$suite/modules"
	for module in $modules; do
		for file in $(find "${kernel%/*}/modules" -name "$module.ko*"); do
			case $file in
			*.xz) xz -dc "$file" >"$work/root-$suite/modules/$module.ko" ;;
			*) cp "$file" "$work/root-$suite/modules/$module.ko" ;;
			esac
		done
	done
	{
		cat build/guest/modules.initrd
		bsdtar -c --format=newc --uid 0 --gid 0 -f - -C "$work/root-$suite" .
	} >"$work/$suite.initrd"
	target=$("$truth/boot" --dir "$dir" --kernel "$kernel" --initrd "$work/$suite.initrd" --no-wait --append \
		"MODULES=$(echo "$modules" | tr ' ' ,)")
	becomes grep -aq 'modules: ready' "$dir/console" || {
		not_ok "$release: a guest with modules" "$(tail -n 5 "$dir/console")"
		continue
	}
	dumps
	run attach "$target" --vmlinux "$kernel" --json
	keys programs
	check "$release: what a program is for, and the module that has it" jq -e '[.programs[] | select(.type == "tracing") |
		[.name, .attach_btf_name, .attach_btf_module]] | sort ==
		[["mod_fentry", "veth_dellink", "veth"], ["mod_fexit", "dummy_xmit", "dummy"]]' "$work/out"
	check "$release: no module for what is for nothing" jq -e 'all(.programs[] | select(.type != "tracing");
		.attach_btf_name == null and .attach_btf_module == null)' "$work/out"
	# "veth_dellink [veth] (1) R   D"
	guest_says functions | sed -n 's/^\([a-z0-9_]* \[[a-z0-9_]*\]\) .*/\1/p' | sort >"$work/wanted"
	run trampolines "$target" --vmlinux "$kernel"
	sed -n 's/^\([a-z0-9_]* \[[a-z0-9_]*\]\) .*/\1/p' "$work/out" | sort >"$work/got"
	check "$release: trampolines, of the functions and modules that ftrace names" sh -c '
		[ "$(wc -l <"$1")" = 2 ] && diff "$1" "$2"' - "$work/wanted" "$work/got"
	id=$(tail -n 1 "$work/ids")
	run prog dump jited "$id" "$target" --vmlinux "$kernel"
	check "$release: the machine code calls them by name" sh -c '
		! grep -q callq "$1" || { grep -q "<bpf_skb_ct_lookup>" "$1" && grep -q "<bpf_ct_release>" "$1"; }' - "$work/out"
	run btf list "$target" --vmlinux "$kernel" --json
	guest_says btf | jq -cS '[.[] | select((.name // "") != "") | {id, name, size}]' >"$work/wanted"
	jq -cS '[.btf[] | select((.name // "") != "") | {id, name, size}]' "$work/out" >"$work/got"
	check "$release: BTF of modules, by name" diff "$work/wanted" "$work/got"
	"$truth/stop" "$dir"
done
plan
