#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A whole distribution in a guest: systemd with services that are sandboxed, bpftrace, libbpf's tools,
# xdp-tools, tc. Every value that its own bpftool has of programs, maps, links, BTF and struct_ops has to
# be what we read from outside.
#
#   DISTRO_SUITES  kernels of these suites (bookworm trixie sid: 6.1, 6.12 and 7.x)
#   DISTRO_SEEN    1: writes the keys that bpftool printed to tests/distro/seen, of which make bpftool-table
#                  makes the table of docs/bpftool.md
. "$(dirname "$0")/../guest/lib"
root=$(tests/distro/mkroot 2>"$work/err") || skip_all "$(tail -n 1 "$work/err")"

# alike KIND KEY COMMAND...: bpftool's KIND are what the command has under KEY.
alike() {
	kind=$1
	key=$2
	shift 2
	run "$@" "$target" --vmlinux "$kernel" --json
	jq -L tests/distro -nc --arg kind "$kind" --arg key "$key" --slurpfile truth "$dir/truth.json" \
		--slurpfile ours "$work/out" 'include "compare";
			differences($kind; $truth[0][$kind]; $ours[0][$key])[]' >"$work/wrong" 2>&1
	n=$(command jq ".$kind | length" "$dir/truth.json")
	if [ "$status" = 0 ] && [ "$n" -gt 0 ] && [ ! -s "$work/wrong" ]; then
		ok "$release: $n $key, each value as bpftool has it"
	else
		not_ok "$release: $key" "$(wc -l <"$work/wrong") of the values of $n differ: ID, key, bpftool's, ours
$(cut -c 1-200 "$work/wrong")
$(sed 's/^/stderr: /' "$work/err")"
	fi
}

# Functions that programs are attached to, by their links; what replaces a function has its link elsewhere.
trampolines() {
	run trampolines "$target" --vmlinux "$kernel" --json
	jq '[.link[] | select(.type == "tracing" and .prog_type != "ext") | [.id, .prog_id]] | sort' "$dir/truth.json" >"$work/wanted"
	jq '[.trampolines[] | select(.type != "replace") | [.link_id, .prog_id]] | sort' "$work/out" >"$work/got"
	check "$release: $(jq length "$work/wanted") programs on trampolines" diff "$work/wanted" "$work/got"
}

# Programs at perf events; bpftool does not know of those of the type perf_event. Some tools clear the screen
# by a command: for a moment they have a child, with all that they have open, which nobody else sees.
perf() {
	jq -S '.perf | sort_by(.pid, .fd)' "$dir/truth.json" >"$work/wanted"
	run perf "$target" --vmlinux "$kernel" --json
	jq -S --slurpfile truth "$work/wanted" '($truth[0] | map(.pid)) as $pids | ($truth[0] | map(.prog_id)) as $ids |
		[.perf[] | select(.fd_type != "event") | . as $one |
		select(($pids | index($one.pid)) or ($ids | index($one.prog_id) | not)) | {pid, fd, prog_id, fd_type, tracepoint, func, offset, filename,
		addr: (if .func then null else .addr end)} | with_entries(select(.value != null))]' "$work/out" >"$work/got"
	check "$release: $(jq length "$work/wanted") programs at perf events" diff "$work/wanted" "$work/got"
	check "$release: those of the type perf_event: bpftrace's profile" jq -e 'any(.perf[];
		.comm == "bpftrace" and .fd_type == "event" and .event_config == "cpu-clock")' "$work/out"
}

# Where programs hang: cgroups with what is attached to them, by path; and devices. bpftool has no JSON where
# there is a flow dissector, and of an ingress qdisc it has each filter four times.
places() {
	same='sort_by(.cgroup) | map(.programs |= (map({id, attach_type, name}) | sort_by(.attach_type, .id)))'
	jq -S ".cgroup | $same" "$dir/truth.json" >"$work/wanted"
	run cgroup "$target" --vmlinux "$kernel" --json
	jq -S ".cgroups | map(select(.dead | not) | {cgroup, programs}) | $same" "$work/out" >"$work/got"
	check "$release: what is attached to $(jq length "$work/wanted") cgroups" diff "$work/wanted" "$work/got"
	jq -S '.net[0] | {xdp: (.xdp | map({devname, ifindex, mode, id}) | sort_by(.ifindex)),
		tc: (.tc | map({devname, kind, id}) | sort_by(.devname, .kind, .id))}' "$dir/truth.json" >"$work/wanted"
	run net "$target" --vmlinux "$kernel" --json
	jq -S '.net | map(select(.xdp + .tc != []))[0] | {xdp: (.xdp | map({devname, ifindex, mode, id}) | sort_by(.ifindex)),
		tc: (.tc | map({devname, kind, id}) | sort_by(.devname, .kind, .id))}' "$work/out" >"$work/got"
	check "$release: what is attached to devices" diff "$work/wanted" "$work/got"
}

# A system like others hides nothing, while processes come and go.
nothing_hides() {
	for turn in 1 2 3 4 5; do
		run audit "$target" --vmlinux "$kernel" --json
		[ "$status" = 0 ] || break
	done
	check "$release: audit: no false alarm ($turn times)" jq -e '.audit == []' "$work/out"
	check "$release: audit: most are reached" jq -e '(.lists.program.unreached | length) < .lists.program.listed / 10' "$work/out"
}

# Names of functions that several share: bpftool takes any one.
dumps() {
	: >"$work/wrong"
	for id in $(jq '.dumps[1:][].id' "$dir/truth.json"); do
		run prog dump "$id" "$target" --vmlinux "$kernel" --json
		jq -c --argjson id "$id" '.dumps[1:][] | select(.id == $id) | .insns[]' "$dir/truth.json" >"$work/wanted"
		command jq -c '.[]' "$work/out" >"$work/got"
		diff "$work/wanted" "$work/got" >>"$work/wrong"
	done
	n=$(jq '.dumps[1:] | length' "$dir/truth.json")
	check "$release: instructions of $n programs" test "$n" -gt 10 -a ! -s "$work/wrong"
	head -n 5 "$work/wrong" | sed 's/^/# /'
}

# The keys that bpftool printed, with what came of them, as seen has them.
see() {
	jq -L tests/distro -nr --slurpfile truth "$dir/truth.json" "$(cat tests/distro/seen.jq)" "$dir/truth.json" |
		LC_ALL=C sort -u | sed "s/\$/\t$(echo "$release" | cut -d. -f1,2)/" >>"$work/seen"
}

# Adds what was seen now to what was: the releases of each key, in order.
all_seen() {
	cat tests/distro/seen "$work/seen" 2>/dev/null | awk -F '\t' -v OFS='\t' '
		{ key = $1 OFS $2 OFS $3; n = split($4, r, ", ")
		  for (i = 1; i <= n; i++) if (!((key, r[i]) in has)) { has[key, r[i]] = 1; all[key] = all[key] " " r[i] } }
		END { for (key in all) print key, all[key] }' | while IFS='	' read -r kind key verdict releases; do
		# shellcheck disable=SC2086
		printf '%s\t%s\t%s\t%s\n' "$kind" "$key" "$verdict" "$(printf '%s\n' $releases | sort -V | paste -sd, | sed 's/,/, /g')"
	done | LC_ALL=C sort
}

for suite in ${DISTRO_SUITES:-bookworm trixie sid}; do
	kernel "$suite"
	tests/distro/mkmodules "$work/modules" "$(dirname "$kernel")" || exit 1
	cat "$root" "$work/modules" >"$work/initrd"
	boot "$suite" --kernel "$kernel" --initrd "$work/initrd" --memory 3072 --timeout 2400 \
		--append 'systemd.unit=multi-user.target systemd.log_target=null lsm=bpf'
	release=$(jq -r .release "$dir/truth.json")
	check "$release: 200 programs and more, of 12 types and more" jq -e '(.prog | length) >= 200 and
		(.prog | map(.type) | unique | length) >= 12 and (.link | length) > 100' "$dir/truth.json"
	alike prog programs attach
	alike map maps maps
	alike link links links
	alike btf btf btf list
	alike struct_ops struct_ops struct_ops
	trampolines
	perf
	places
	nothing_hides
	dumps
	alive
	see
	"$truth/stop" "$dir"
done
all_seen >"$work/all_seen"
[ -z "${DISTRO_SEEN:-}" ] || [ $bad != 0 ] || cat "$work/all_seen" >tests/distro/seen
cut -f 1-3 tests/distro/seen | LC_ALL=C sort >"$work/known"
if [ ! -s tests/distro/seen ]; then
	skip "the keys that bpftool printed are in the table" "no run has written them: DISTRO_SEEN=1 make distro bpftool-table"
	plan
fi
check "each of the $(wc -l <"$work/seen") keys that bpftool printed is in the table: else DISTRO_SEEN=1 make distro bpftool-table" \
	sh -c '[ -s "$1/seen" ] && cut -f 1-3 "$1/all_seen" | LC_ALL=C sort | comm -23 - "$1/known" >"$1/new"; cat "$1/new"; [ ! -s "$1/new" ]' - "$work"
plan
