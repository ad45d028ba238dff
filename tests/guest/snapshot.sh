#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A kernel is booted once: what a restored guest says equals what a booted one says, its clock and its
# random numbers are its own, and a snapshot that is of no use costs a boot and nothing else.
#
# SNAPSHOT_SUITES are the kernels.
. "$(dirname "$0")/lib"
make --no-print-directory -s bpf many || skip_all 'no BPF objects'
objects=$here/build/bpf
export XDG_CACHE_HOME="$work/cache"
kept=$XDG_CACHE_HOME/ktstr-gdb/snapshots
mkdir -p "$XDG_CACHE_HOME" "$work/tmp"
export TMPDIR="$work/tmp"
unset XDG_RUNTIME_DIR

load() {
	run collect --accel tcg --kernel "$kernel" "$@"
}

# What a run says of programs, also of those that were rejected, with their logs; without what differs
# by nature: ids, times, and addresses; with them comes how long the JIT's code is (of one program in a
# hundred, on 7.2, by three bytes, and between two guests of either kind).
numbers() {
	jq -S '[(.programs, .failed)[] | del(.id, .map_ids, .btf_id, .loaded_at, .attach_btf_id,
		.verification_time_us, .log_bytes, .bytes_jited) |
		.log |= (. // "" | gsub("verification time [0-9]+ usec"; "") | gsub("0xff[0-9a-f]{14}"; "ADDRESS"))]' "$1"
}

snapshots() {
	ls "$kept" 2>/dev/null | grep -c '\.snap$'
}

all_objects=''
for o in demo calls iter loops maps net reject; do
	all_objects="$all_objects --object $objects/$o.bpf.o"
done
# Two hundred more, of eight types.
for o in "$objects"/many/*.bpf.o; do
	all_objects="$all_objects --object $o"
done

# restored FILE: the --timing there says that the guest was not booted.
restored() {
	grep -q '^boot .* from a snapshot' "$1"
}

same_numbers() {
	before=$(snapshots)
	# shellcheck disable=SC2086
	for n in first second fresh; do
		option=''
		[ $n = fresh ] && option=--no-cache
		load $all_objects --json --timing $option
		cp "$work/out" "$work/$n.json"
		cp "$work/err" "$work/$n.err"
		numbers "$work/$n.json" >"$work/$n"
	done
	check "$1: there are numbers of two hundred programs" test "$(jq 'map(select(.verified_insns)) | length' "$work/fresh")" -ge 200
	check "$1: and forty rejections" test "$(jq 'map(select(.class)) | length' "$work/fresh")" -ge 40
	check "$1: the first run leaves a snapshot, and --no-cache none" test "$(snapshots)" = $((before + 1))
	check "$1: the second is restored" restored "$work/second.err"
	check "$1: the first and --no-cache are not" sh -c "! grep -q 'from a snapshot' '$work/first.err' '$work/fresh.err'"
	check "$1: the first equals a boot without snapshots" diff "$work/first" "$work/fresh"
	check "$1: so does the second" diff "$work/second" "$work/fresh"
}

for suite in ${SNAPSHOT_SUITES:-bookworm sid trixie}; do
	kernel=$(vm/fetch-kernel "$suite") || { skip "$suite" 'no such kernel here'; continue; }
	same_numbers "$suite"
done
check 'others may neither read nor enter' test "$(stat -c %a "$kept" "$kept"/*.snap | sort -u | tr '\n' ' ')" = '600 700 '

# --- the guest's own word: clock and random numbers ---

cat >"$work/look" <<'S'
#!/bin/sh
read -r uuid </proc/sys/kernel/random/uuid
echo "uuid: $uuid"
echo "clock: $(date +%s)"
S
chmod +x "$work/look"
for n in 1 2; do
	sleep 2 # so that a clock that stood still is seen
	from=$(date +%s)
	load --run "$work/look" --file /bin/date --timing
	to=$(date +%s)
	cat "$work/out" "$work/err" >"$work/look.$n"
	check "look $n: it is a restored guest" restored "$work/look.$n"
	clock=$(sed -n 's/.*clock: \([0-9]*\).*/\1/p' "$work/look.$n")
	check "look $n: its clock is the host's, within a second" \
		test "${clock:-0}" -ge $((from - 1)) -a "${clock:-0}" -le $((to + 1))
	sed -n 's/.*uuid: //p' "$work/look.$n" >"$work/uuid.$n"
done
check 'each guest has random numbers of its own' sh -c "test -s '$work/uuid.1' && ! cmp -s '$work/uuid.1' '$work/uuid.2'"

# --- what makes another snapshot ---

before=$(snapshots)
load --object "$objects/demo.bpf.o" --append hello.guest=1 --timing
check 'another --append: booted' sh -c "! grep -q 'from a snapshot' '$work/err'"
check 'and a snapshot of its own' test "$(snapshots)" = $((before + 1))
load --object "$objects/demo.bpf.o" --qemu-arg -name --qemu-arg x --timing
check '--qemu-arg: booted, and not kept' test "$(snapshots)" = $((before + 1))

# --- a snapshot that is of no use ---

load --object "$objects/demo.bpf.o" --json
numbers "$work/out" >"$work/right"
damaged() {
	load --object "$objects/demo.bpf.o" --json --timing
	numbers "$work/out" >"$work/now"
	check "$1: booted" sh -c "! grep -q 'from a snapshot' '$work/err'"
	check "$1: exit status 0" test "$status" = 0
	check "$1: the numbers are right" cmp "$work/now" "$work/right"
	check "$1: nothing is said of it" sh -c "! grep -v '^[a-z]* *[0-9]' '$work/err' | grep -q ."
	check "$1: a good one is in its place" test "$(snapshots)" = "$before"
}
newest() {
	ls -t "$kept"/*.snap | head -n 1
}
before=$(snapshots)
truncate -s 50000000 "$(newest)"
damaged 'cut off'
printf '\377\001\377' | dd of="$(newest)" bs=1 seek=40000000 conv=notrunc 2>/dev/null
damaged 'bits flipped'

# --- killed while it is kept; two at once ---

rm -f "$kept"/*
"$tool" collect --accel tcg --kernel "$kernel" --object "$objects/demo.bpf.o" >/dev/null 2>&1 &
pid=$!
is_written() {
	ls -l "/proc/$pid/fd" | grep -q "$kept/#.*deleted" || has_ended $pid
}
becomes is_written
kill -KILL $pid
wait $pid 2>/dev/null
check 'killed while it was kept: nothing is left' test -z "$(ls -A "$kept")"
gone() { ! ls -d "$work"/tmp/ktstr-gdb.* >/dev/null 2>&1; }
check 'nor of its guest' becomes gone
for n in 1 2; do
	"$tool" collect --accel tcg --kernel "$kernel" --object "$objects/demo.bpf.o" --json >"$work/at$n" 2>&1 &
	eval "pid$n=$!"
done
# shellcheck disable=SC2154
wait "$pid1" && wait "$pid2"
for n in 1 2; do
	numbers "$work/at$n" >"$work/now"
	check "two at once, $n: the numbers are right" cmp "$work/now" "$work/right"
done
check 'one snapshot' test "$(snapshots)" = 1

# --- what is kept, and away with it ---

run cache
check 'cache: the snapshot, its kernel and size' grep -Eq "^snapshots +[0-9.]+ MiB .*$kernel" "$work/out"
run cache clear --snapshots
check 'cache clear --snapshots: it says what is gone' grep -Eq '^snapshots +[0-9.]+ MiB +1$' "$work/out"
check 'and it is' test -z "$(ls -A "$kept")"
plan
