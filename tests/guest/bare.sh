#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Nothing but a socket: guests whose kernel nobody has a file of. What is read has to be what the
# guest's own kernel says, the first time and from then on, after a reboot, and when another
# kernel has come to the same place.
. "$(dirname "$0")/lib"
kernel trixie
export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}"

# fetched SUITE: sets $kernel; false when there is none.
fetched() {
	kernel=$(vm/fetch-kernel "$1" 2>"$work/fetch.log") && return
	skip "$1" "$(tail -n 1 "$work/fetch.log")"
	return 1
}

# bare ARG...: attach with no file, and a cache of this script's own.
bare() {
	XDG_CACHE_HOME=$work/cache run attach "$target" "$@"
}

# equal NAME: what the last run printed as JSON is the truth of the guest in $dir.
equal() {
	if [ "$status" != 0 ]; then
		not_ok "$1" "$(told)"
	else
		check "$1" build/truth/compare --min-programs 100 --min-types 6 "$dir/truth.json" \
			"$work/out"
	fi
}

# gathers NAME yes|no: whether the last run, with --timing, had to read the kernel from memory.
gathers() {
	if grep -q '^gather ' "$work/err"; then did=yes; else did=no; fi
	check "$1: $2" test "$did" = "$2"
}

spin='pti=on truth.mode=spin'
for cell in 'bookworm max,-cx16 5-level' 'bookworm max,-cx16,-la57 4-level-pti' \
	'trixie max,-cx16 5-level-pti' 'trixie max,-cx16,-la57 4-level' \
	'sid max,-cx16 5-level' 'sid max,-cx16,-la57 4-level-pti'; do
	set -- $cell
	fetched "$1" || continue
	case $3 in *-pti) append=$spin ;; *) append= ;; esac
	rm -rf "$work/cache"
	boot guest --kernel "$kernel" --cpu "$2" --append "$append"
	bare --json --timing
	equal "$1, $3: the first time"
	gathers 'from memory' yes
	offset=$(jq .kernel.kaslr_offset "$work/out")
	jq -r .kernel.build_id "$work/out" >"$work/build_id"
	bare --json --timing
	equal "$1, $3: from then on"
	gathers 'from memory' no
	ln -sf gdb.sock "$dir/other.sock"
	XDG_CACHE_HOME=$work/cache run attach "unix:$dir/other.sock" --json --timing
	equal "$1, $3: by another name"
	check "$1, $3: by another name it is known, and not read again" \
		grep -Eq '^known .*: 1 stop, .*, 0 bytes$' "$work/err"
	run attach "$target" --vmlinux "$kernel" --json
	check "$1, $3: its file has the same KASLR offset and build ID" jq -e --argjson o "$offset" \
		--arg b "$(cat "$work/build_id")" '.kernel.kaslr_offset == $o and .kernel.build_id == $b' \
		"$work/out"
	alive "$1, $3: it runs on"
	"$truth/stop" "$dir"
done

# --- the same place, another boot, another kernel ---

kernel trixie
rm -rf "$work/cache"
boot guest --kernel "$kernel"
bare --json
equal 'a guest'
"$truth/stop" "$dir"
boot guest --kernel "$kernel"
bare --json --timing
equal 'booted again'
gathers 'from memory' no
"$truth/stop" "$dir"
if fetched bookworm; then
	boot guest --kernel "$kernel"
	bare --json --timing
	equal 'another kernel at the same place'
	gathers 'from memory' yes
	bare --json --timing
	gathers 'the time after' no
	"$truth/stop" "$dir"
	kernel trixie
	boot guest --kernel "$kernel" --gdb tcp
	bare --json
	equal 'the first one again, elsewhere'
else
	boot guest --kernel "$kernel" --gdb tcp
fi

# --- what else attach can do ---

run attach "$target" --no-cache --json --timing
equal 'without a cache'
gathers 'from memory' yes
mkdir "$work/ro" && : >"$work/file"
for cache in "$work/file" /dev/null/x relative; do
	XDG_CACHE_HOME=$cache run attach "$target" --json
	equal "cache directory: $(basename "$cache")"
done
rm -rf "$work/cache"
XDG_CACHE_HOME=$work/cache run collect "$target" --json
equal 'collect with a TARGET'
for f in "$work"/cache/ktstr-gdb/kernel-id*; do
	# Half a file, as after a power cut, is none; and as none it is read again.
	truncate -s 3000000 "$f"
done
bare --json --timing
equal 'a damaged cache'
gathers 'from memory' yes
bare --json --timing
gathers 'and from then on' no
bare --name 'no such program' --leave-stopped
run attach "$target" --json
equal 'after --leave-stopped'
alive

# --- signals, while it is read ---

# At twelve moments of the time that it takes now; more of them, if none hits.
i=0 odd='' hits=0
max=$(took "$tool" attach "$target" --no-cache)
while [ $i -lt 12 ] || { [ $hits = 0 ] && [ $i -lt 60 ]; }; do
	i=$((i + 1))
	"$tool" attach "$target" --no-cache >"$work/out" 2>"$work/err" &
	pid=$!
	sleep "$(awk "BEGIN { printf \"%.4f\", $max / 1000 * (($i - 1) % 12 + 1) / 12 }")"
	kill -s INT $pid 2>/dev/null
	wait $pid 2>/dev/null
	status=$?
	case $status in
	0) ;;
	3) hits=$((hits + 1)) && grep -q 'interrupted$' "$work/err" || odd=$(told) ;;
	*) [ -s "$work/err" ] && odd=$(told) ;;
	esac
done
if [ -n "$odd" ] || [ $hits = 0 ]; then
	not_ok 'SIGINT while it reads' "$hits in the middle; $odd"
else
	ok "SIGINT while it reads ($hits in the middle)"
fi
alive
"$truth/stop" "$dir"

# --- what was read before an interruption is not read again ---

# kept: interrupts an attach until it leaves a part of the kernel in the cache.
kept() {
	max=$(took "$tool" attach "$target" --no-cache)
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		rm -rf "$work/cache"
		XDG_CACHE_HOME=$work/cache "$tool" attach "$target" >/dev/null 2>&1 &
		pid=$!
		sleep "$(awk "BEGIN { printf \"%.4f\", $max / 1000 * ($i % 10 + 2) / 14 }")"
		kill -s INT $pid 2>/dev/null
		wait $pid 2>/dev/null
		ls "$work"/cache/ktstr-gdb/part-at-* >/dev/null 2>&1 && return
	done
	return 1
}

# bytes: that the last run gathered.
bytes() { sed -n 's/^gather .*, \([0-9]*\) bytes$/\1/p' "$work/err"; }

boot guest --kernel "$kernel"
run attach "$target" --no-cache --json --timing
whole=$(bytes)
check 'interrupted: a part is kept' kept
bare --json --timing
equal 'interrupted: the next one'
check "interrupted: it reads less ($(bytes) of $whole bytes)" [ "$(bytes)" -lt "$whole" ]
check 'interrupted: no part is left' [ -z "$(ls "$work"/cache/ktstr-gdb/part-at-* 2>/dev/null)" ]
alive
if fetched bookworm; then
	kernel trixie
	check 'interrupted: a part is kept again' kept
	"$truth/stop" "$dir"
	fetched bookworm
	boot guest --kernel "$kernel"
	bare --json
	equal 'interrupted: another kernel there, now'
fi
plan
