#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Maps, links and instructions of a guest that runs already: each value as the guest's own kernel
# has it, each line of a dump as bpftool in the guest has it.
#
#   OBJECTS_SUITES  kernels of these suites (bookworm trixie sid: 6.1, 6.12 and 7.x)
. "$(dirname "$0")/lib"
. tests/guest/same
initrd=build/guest/objects.initrd
[ -r $initrd ] || skip_all "no $initrd: make guests, which needs bpftool"

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
	run links "$target" --vmlinux "$kernel"
	check "$release: the table of links has 80 columns at most" awk 'length > 80 { print; bad = 1 } END { exit bad || NR < 20 }' "$work/out"
	dumps
	dump_json
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
says 'links have no names' 2 'links have no names'
run maps "$target" --vmlinux "$kernel" -o id,nope
says 'no such column' 2 'no column "nope"; there are id, type, name'
run maps "$target" --vmlinux "$kernel" --type hsah
says 'no such map type' 2 'this kernel has no map type "hsah"; it has hash, array'
run attach "$target" --vmlinux "$kernel" --type xdp,xpd
says 'no such program type' 2 'this kernel has no program type "xpd"; it has socket_filter'
run prog dump 4000000 "$target" --vmlinux "$kernel"
says 'no such program' 3 'no program has the id 4000000'
run prog dump x "$target" --vmlinux "$kernel"
says 'an ID is a number' 2 'prog dump takes a whole number'
run prog show
says 'no such command' 2 '"show" is no command of prog'
run prog dump 1 "unix:$work/nowhere" --vmlinux "$kernel"
says 'no such target' 3 nowhere
run maps "unix:$work/nowhere" --vmlinux "$kernel"
says 'maps: no such target' 3 nowhere
alive
plan
