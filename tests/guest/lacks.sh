#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A kernel that lacks something: the error names what is missing and what can be given for it, info
# shows the rest, and with what was given all is read. Then a kernel that lacks nothing, told by each
# kind of file alone and together; and files of another kernel, which are refused by name.
. "$(dirname "$0")/lib"
XDG_CACHE_HOME_OF_KERNELS=${XDG_CACHE_HOME:-$HOME/.cache}
memory="the guest's kernel, as its memory has it: "

# fetched SUITE...: sets $kernel, and $vmlinux with --dbg; false when there is none.
fetched() {
	kernel=$(XDG_CACHE_HOME=$XDG_CACHE_HOME_OF_KERNELS vm/fetch-kernel "$@" 2>"$work/fetch.log") &&
		kernel=$(echo "$kernel" | head -n 1) && vmlinux=$(dirname "$kernel")/vmlinux && return
	skip "$*" "$(tail -n 1 "$work/fetch.log")"
	return 1
}

# can ARCH: a guest of it can be booted here.
can() {
	[ -r "build/truth/initrd-$1" ] && command -v "qemu-system-$1" >/dev/null && return
	skip "a guest of $1" "no qemu-system-$1, or no make truth-$1"
	return 1
}

# tool ARG...: with a cache of this script's own.
asks() {
	XDG_CACHE_HOME=$work/cache run "$@"
}

# equal NAME: what the last run printed as JSON is the truth of the guest in $dir.
equal() {
	if [ "$status" != 0 ]; then
		not_ok "$1" "$(told)"
	else
		check "$1" build/truth/compare --min-programs 60 --min-types 6 "$dir/truth.json" "$work/out"
	fi
}

# info NAME FILTER: info succeeds, and its JSON is so.
info() {
	asks info "$target" --json
	if [ "$status" != 0 ]; then
		not_ok "$1" "$(told)"
	else
		check "$1" jq -e "$2" "$work/out"
	fi
}

# nameless NAME: no path of ours in what the last run said.
nameless() {
	if grep -q -e /proc/self -e "$work/cache" "$work/err"; then
		not_ok "$1" "$(told)"
	else
		ok "$1"
	fi
}

# --- no verified_insns, no sched_ext ---

if fetched bullseye cloud-amd64; then
	boot x510 --kernel "$kernel" --timeout 240
	asks attach "$target" --json
	equal 'x86_64 5.10'
	check 'x86_64 5.10: no number of verified instructions, not 0' jq -e \
		'all(.programs[]; .verified_insns == null)' "$work/out"
	info 'x86_64 5.10: info says so' '[.features[] | select(.name == "verified_insns")] |
		.[0].works == false and (.[0].why | contains("5.16"))'
	check 'x86_64 5.10: watch works in part' jq -e '[.features[] | select(.name == "watch")] |
		.[0].works and (.[0].why | contains("results only"))' "$work/out"
	for what in maps links; do
		asks $what "$target" --json
		check "x86_64 5.10: $what" jq -e "(.$what | length) > 0" "$work/out"
	done
	asks watch "$target" --json --duration 3
	check 'x86_64 5.10: watch begins, and ends' jq -s -e \
		'.[0].sees_verifier == false and .[-1].event == "end"' "$work/out"
	alive
	"$truth/stop" "$dir"
fi

# --- kallsyms without data ---

if can aarch64 && fetched bullseye cloud-arm64; then
	boot arm510 --kernel "$kernel" --timeout 240
	for command in attach maps links 'prog dump'; do
		case $command in
		'prog dump') asks prog dump 6 "$target" ;;
		*) asks $command "$target" ;;
		esac
		says "aarch64 5.10: $command names what to give" 3 \
			"^ktstr-gdb: ${memory}nothing tells where [a-z]*_idr is: .*--system-map FILE.*--vmlinux"
		nameless "aarch64 5.10: $command names no file that nobody gave"
	done
	info 'aarch64 5.10: info shows the rest' '(.kernel.release | startswith("5.10")) and
		.kernel.build_id != null and .programs == null and (.types_from | contains("BTF"))'
	check 'aarch64 5.10: and what to give' jq -e '[.features[] | select(.name == "programs")] |
		.[0].works == false and (.[0].hint | contains("--system-map"))' "$work/out"
	if fetched --dbg bullseye cloud-arm64; then
		nm "$vmlinux" >"$work/arm.map"
		asks attach "$target" --system-map "$work/arm.map" --json
		equal 'aarch64 5.10: its System.map is enough'
		# The vmlinux has the same build ID as what its memory had, but more symbols.
		asks attach "$target" --vmlinux "$vmlinux" --json
		equal 'aarch64 5.10: its vmlinux is enough'
		asks attach "$target"
		says 'aarch64 5.10: and without it as before' 3 "nothing tells where prog_idr is"
		sed 's/ T __arm64_sys_bpf$/ T another/; s/ T __arm64_sys_bind$/ T __arm64_sys_bpf/' \
			"$work/arm.map" >"$work/other.map"
		asks attach "$target" --system-map "$work/other.map"
		says 'aarch64 5.10: a System.map of another build is refused by name' 3 \
			'other.map: .*__arm64_sys_bpf is elsewhere|not of the same build as the System.map'
	fi
	alive
	"$truth/stop" "$dir"
fi

# --- no BTF ---

if can s390x && fetched bookworm s390x; then
	boot s390 --kernel "$kernel" --timeout 240
	for command in attach maps links; do
		asks $command "$target"
		says "s390x 6.1: $command names what to give" 3 \
			"^ktstr-gdb: ${memory}no types: .*vmlinux of the build's debug package.*--btf"
		nameless "s390x 6.1: $command names no file that nobody gave"
	done
	info 's390x 6.1: info shows the rest' '(.kernel.release | startswith("6.1")) and
		.programs == null and .types_from == null and (.symbols_from | contains("kallsyms"))'
	check 's390x 6.1: and what to give' jq -e '[.features[] | select(.name == "programs")] |
		.[0].works == false and (.[0].why | contains("types")) and
		(.[0].hint | contains("--btf"))' "$work/out"
	if fetched --dbg bookworm s390x; then
		asks attach "$target" --vmlinux "$vmlinux" --json
		equal 's390x 6.1: the DWARF of its vmlinux is enough'
	fi
	alive
	"$truth/stop" "$dir"
fi

# --- each source alone, and together ---

# btf_of VMLINUX FILE: its .BTF as the kernel has it in /sys/kernel/btf/vmlinux.
btf_of() {
	objcopy --dump-section ".BTF=$2" "$1" /dev/null 2>/dev/null
	[ -s "$2" ]
}

# moved OFFSET: System.map to what /proc/kallsyms has with KASLR. Per-CPU offsets do not move.
moved() {
	while read -r addr type name; do
		case $addr in
		ffffffff*) printf 'ffffffff%08x %s %s\n' $((0x${addr#ffffffff} + $1)) "$type" "$name" ;;
		*) echo "$addr $type $name" ;;
		esac
	done
}

if fetched --dbg bookworm cloud-amd64; then
	btf_of "$vmlinux" "$work/other.btf"
	nm "$vmlinux" >"$work/other.map"
fi
if fetched --dbg trixie cloud-amd64 && [ -s "$work/other.btf" ]; then
	boot x612 --kernel "$kernel" --timeout 240
	nm "$vmlinux" >"$work/System.map"
	asks attach "$target" --vmlinux "$kernel" --json
	equal 'x86_64 6.12: vmlinuz'
	release=$(jq .kernel.release "$work/out")
	moved "$(jq .kernel.kaslr_offset "$work/out")" <"$work/System.map" >"$work/kallsyms"
	btf_of "$vmlinux" "$work/btf"
	objcopy --remove-section=.BTF "$vmlinux" "$work/dwarf"
	set -- "--btf $work/btf" "--system-map $work/System.map" "--kallsyms $work/kallsyms" \
		"--btf $work/btf --kallsyms $work/kallsyms" "--btf $work/btf --system-map $work/System.map" \
		"--system-map $work/System.map --kallsyms $work/kallsyms" "--vmlinux $vmlinux" \
		"--vmlinux $vmlinux --btf $work/btf --system-map $work/System.map --kallsyms $work/kallsyms" \
		"--vmlinux $work/dwarf" "--vmlinux $work/dwarf --btf $work/btf"
	for files; do
		# shellcheck disable=SC2086
		asks attach "$target" $files --json
		# Which release it is no list of symbols tells: it is not there then, and the rest equal.
		jq --argjson release "$release" '.kernel.release //= $release' "$work/out" >"$work/whole" 2>&1 &&
			mv "$work/whole" "$work/out"
		equal "x86_64 6.12: $(echo "$files" | sed "s|[^ ]*/||g")"
	done
	# As long as the kernel's own, as good, and yet another's: other names. struct btf_header has
	# the strings' offset, behind itself, in bytes 16 to 19.
	strings=$(($(od -An -tu4 -j16 -N4 "$work/btf") + $(od -An -tu4 -j4 -N4 "$work/btf")))
	{
		head -c "$strings" "$work/btf"
		tail -c "+$((strings + 1))" "$work/btf" | LC_ALL=C tr 'A-Z0-9' 'B-ZA1-90'
	} >"$work/long.btf"
	for other in other long; do
		for files in '' "--kallsyms $work/kallsyms" "--system-map $work/System.map" "--vmlinux $vmlinux"; do
			# shellcheck disable=SC2086
			asks attach "$target" --btf "$work/$other.btf" $files
			says "x86_64 6.12: $other BTF is refused: $(echo "$files" | sed "s|[^ ]*/||g")" 3 \
				'(other|long).btf: not the BTF of|the BTF file is not of the kernel'
		done
	done
	asks attach "$target" --system-map "$work/other.map"
	says 'x86_64 6.12: a System.map of another build' 3 'other.map'
	asks attach "$target" --system-map "$work/other.map" --btf "$work/btf"
	says 'x86_64 6.12: and with the right BTF' 3 'btf: not the BTF of this kernel'
	alive
fi
plan
