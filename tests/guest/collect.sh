#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Guests that the tool boots itself: what is loaded, what is shown, what goes wrong in them.
. "$(dirname "$0")/lib"
kernel trixie
make --no-print-directory -s bpf || skip_all 'no BPF objects'
objects=$here/build/bpf

collect() {
	run collect --accel tcg --kernel "$kernel" "$@"
}

# Nothing is left of the guests that this script had.
tidy() {
	left=$(ls -d "$work"/tmp/ktstr-gdb.* 2>/dev/null)
	[ -z "$left" ] || { echo "$left" && return 1; }
}
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
unset XDG_RUNTIME_DIR

# --- objects: good, bad, and no objects at all ---

echo 'no object' >"$work/text.bpf.o"
: >"$work/empty.bpf.o"
cp /bin/true "$work/x86.bpf.o"
head -c 1500 "$objects/demo.bpf.o" >"$work/short.bpf.o"
for none in text empty x86; do
	collect --object "$objects/demo.bpf.o" --object "$work/$none.bpf.o"
	says "no BPF object: $none" 3 "$none.bpf.o is no BPF object: it is .*; clang "
done
collect --object "$objects/demo.bpf.o" --object "$objects/reject.bpf.o" \
	--object "$work/short.bpf.o" --json
check 'something failed: exit status 1' test "$status" = 1
check 'and nothing on stderr' test ! -s "$work/err"
keys programs
check 'six programs of the demo and one beside the rejected' jq -e '.programs | length == 7' "$work/out"
check 'the rejected one is listed with its log' jq -e '[.failed[] | select(.object == "reject.bpf.o")] |
	length == 1 and .[0].name == "rejected_null_unchecked" and (.[0].log | contains("invalid mem access"))' "$work/out"
check 'an object that was cut off is listed, with why' jq -e '[.failed[] | select(.name == "") |
	.object] == ["short.bpf.o"]' "$work/out"
check 'each with a log' jq -e 'all(.failed[]; .log != "")' "$work/out"
run collect "$objects/reject.bpf.o" --kernel "$kernel" --accel tcg --color always
prints 'as text: the program that passed' 1 '^reject.bpf.o +accepted +.*ok'
prints 'the one that failed is a row, too' 1 '^reject.bpf.o +rejected_null_unchecked +.*✗'
check 'below it its place, error and class' grep -q \
	'rejected_null_unchecked.*: reject.bpf.c:[0-9]*: R0 invalid mem access .* \[[A-Z][A-Za-z ]*\]$' "$work/out"
check 'how the value came about' grep -q 'set at insn [0-9]*: .*bpf_map_lookup_elem' "$work/out"
check 'an errno is no headline' sh -c "! grep -q 'EACCES\|Permission denied' '$work/out'"
prints 'and a line that counts' 1 '^1 of 2 programs failed to load$'
check 'as text: the log of the other' grep -q "invalid mem access" "$work/out"
check '--color always' grep -q "$(printf '\033')" "$work/out"

# --- what is loaded, and what the kernel says of it ---

collect --object "$objects/demo.bpf.o" --name 'module_init_*' --json
check '--name: only these are in the guest' jq -e '.left_out == 4 and ([.programs[].full_name] | sort) ==
	["module_init_begins", "module_init_histogram"]' "$work/out"
# The section is the object's own word for a type.
collect --object "$objects/demo.bpf.o" --type sched_cls,xdp --json
check '--type: only these' jq -e '.left_out == 4 and ([.programs[].section] | sort) == ["tc", "xdp"]' \
	"$work/out"
collect --object "$objects/demo.bpf.o" --name 'no_such_*'
prints 'none is let through' 1 '^nothing was loaded: the filter [(]--name, --type[)] lets none of the 6 programs through$'
# Level 2 has each instruction that is walked, level 4 (statistics) none. At level 1 the kernel drops
# the instructions of a program that it takes.
for level in 1 2 4; do
	collect --object "$objects/demo.bpf.o" --name count_protocols --log-level $level --json
	jq -r '.programs[0].log' "$work/out" >"$work/log$level"
	check "--log-level $level: it ends with what the verifier counted" \
		grep -q '^processed [0-9]* insns ' "$work/log$level"
done
check '--log-level 4 has no instructions' sh -c "! grep -q '^[0-9]*: ([0-9a-f]*) ' '$work/log4'"
check '--log-level 2 has the first one' grep -q '^0: ([0-9a-f]*) ' "$work/log2"
check '--log-level 2 has more' test "$(wc -c <"$work/log2")" -gt "$(wc -c <"$work/log1")"

# --- the same objects on two kernels, side by side ---

not() {
	! "$@"
}

if second=$(vm/fetch-kernel bookworm 2>/dev/null); then
	for k in "$kernel" "$second"; do
		run collect "$objects/demo.bpf.o" "$objects/reject.bpf.o" --kernel "$k" --accel tcg --json
		cp "$work/out" "$work/$(basename "$(dirname "$k")").json"
	done
	run collect "$objects/demo.bpf.o" --kernel "$kernel" --kernel /bin/true --accel tcg
	says 'a kernel that is none: before anything is booted' 3 '/bin/true'
	run collect "$objects/demo.bpf.o" "$objects/reject.bpf.o" --kernel "$kernel" --kernel "$second" \
		--accel tcg --save "$work/both.json"
	check 'a program failed to load: exit status 1' test "$status" = 1
	check 'a row for each program' test "$(grep -c '^\(demo\|reject\).bpf.o ' "$work/out")" = 8
	cp "$work/out" "$work/table"
	jq '.runs[].result |= (if . then {} else . end)' "$work/both.json" >"$work/frame.json"
	keys kernels "$work/frame.json"
	jq '.runs[].result // empty' "$work/both.json" >"$work/results.json"
	keys programs "$work/results.json"
	for i in 0 1; do
		k=$kernel
		[ $i = 0 ] || k=$second
		check "kernel $i: as alone" jq -e --slurpfile alone "$work/$(basename "$(dirname "$k")").json" --argjson i $i '
			def all: ([.programs[] | select(.object) | [.object, .full_name, .verified_insns]] +
				[.failed[] | [.object, .name, .verified_insns]]) | sort;
			(.runs[$i].result | all) == ($alone[0] | all)' "$work/both.json"
	done
	# 6.1 prints neither file nor number of a source line: they are the object's, and those that 6.12 prints.
	# A line that is there twice is none.
	clang -O2 -g -target bpf -D__TARGET_ARCH_x86 "-I/usr/include/$(uname -m)-linux-gnu" -c tests/guest/lines.bpf.c \
		-o "$work/lines.bpf.o"
	run collect "$work/lines.bpf.o" --kernel "$kernel" --kernel "$second" --accel tcg --save "$work/lines.json"
	places() {
		jq -r --argjson i "$1" --arg but "$2" '.runs[$i].result.failed[] | select(.name != $but) |
			"\(.name) \(.file) \(.line)"' "$work/lines.json"
	}
	places 0 fails_somewhere >"$work/wanted"
	check 'source lines, by 6.12' grep -q '^fails_in_subprogram lines.bpf.c [0-9]' "$work/wanted"
	check '6.1: the same, by the object' sh -c 'echo "$1" | diff "$2" -' _ "$(places 1 fails_somewhere)" "$work/wanted"
	check '6.1: none where two lines have that text' jq -e '.runs[1].result.failed[] | select(.name == "fails_somewhere") |
		.file == null and .line == null' "$work/lines.json"
	check 'in words: with its place' grep -q '^fails_here on [^ ]*, [^ ]*: lines.bpf.c:[0-9]*: R0 invalid mem' "$work/out"
	# What is only in memory: by the document of each kernel alone.
	run collect "$objects/demo.bpf.o" --kernel "$kernel" --kernel "$second" --accel tcg \
		--csv -o prog_name,tag,bytes_xlated,bytes_jited
	for k in "$kernel" "$second"; do
		jq -r '.kernel.release as $r | .programs[] | select(.object == "demo.bpf.o") |
			"\($r),\(.full_name),\(.tag),\(.bytes_xlated),\(.bytes_jited)"' \
			"$work/$(basename "$(dirname "$k")").json"
	done | sort >"$work/wanted"
	check 'columns of memory, of two kernels' test "$(wc -l <"$work/wanted")" = 12
	check 'each as of that kernel alone' sh -c "sed 1d '$work/out' | sort | diff '$work/wanted' -"
	# Two kernels of one release: every form calls them the same.
	mkdir -p "$work/a" "$work/b"
	ln -s "$kernel" "$work/a/vmlinuz"
	ln -s "$kernel" "$work/b/vmlinuz"
	run collect "$objects/reject.bpf.o" --kernel "$work/a/vmlinuz" --kernel "$work/b/vmlinuz" \
		--accel tcg --csv --save "$work/twins.json"
	check 'one release twice: in CSV' sh -c "cut -d, -f1 '$work/out' | sort -u | tr '\n' ' ' |
		grep -qx 'a/vmlinuz b/vmlinuz kernel '"
	check 'one release twice: in JSON' jq -e '[.runs[].name] == ["a/vmlinuz", "b/vmlinuz"]' "$work/twins.json"
	check 'one release twice: in words' grep -q '^rejected_null_unchecked on a/vmlinuz, b/vmlinuz: ' "$work/err"
	# One file name twice.
	mkdir -p "$work/old" "$work/new"
	cp "$objects/demo.bpf.o" "$work/old" && cp "$objects/demo.bpf.o" "$work/new"
	run collect "$work/old/demo.bpf.o" "$work/new/demo.bpf.o" --kernel "$kernel" --kernel "$second" \
		--accel tcg
	check 'files of one name: each with its folder' test \
		"$(grep -cE '^(old|new)/demo.bpf.o +checksum_payload +10508 +10508$' "$work/out")" = 2
	# More than can be verified in that time: the kernels keep what was loaded before.
	mkdir "$work/many"
	for i in $(seq 400); do
		ln -s "$objects/slow.bpf.o" "$work/many/slow$i.bpf.o"
	done
	run collect "$objects/demo.bpf.o" "$work"/many/* --kernel "$kernel" --kernel "$second" \
		--accel tcg --timeout 25 --save "$work/cut.json"
	check 'a time limit: exit status 3' test "$status" = 3
	check 'what was loaded is shown' grep -qE '^demo.bpf.o +count_protocols +26 +26$' "$work/out"
	check 'and that it was cut off' grep -q 'and then the run was cut off (6[^ ]*, 6[^ ]*)$' "$work/out"
	jq '.runs[].result' "$work/cut.json" >"$work/results.json"
	keys programs "$work/results.json"
	check 'JSON has it, and null for what was not read' jq -e '[.runs[].result |
		.cut_off and .pause_us == null and ([.programs[] | select(.full_name == "count_protocols") |
		.verified_insns == 26 and .tag == null] == [true])] == [true, true]' "$work/cut.json"
	# Ctrl-C while a kernel hangs: what is done is shown.
	cat >"$work/hangs" <<S
#!/bin/sh
case " \$* " in
*" $second "*) exec sleep 600 ;;
esac
exec qemu-system-x86_64 "\$@"
S
	chmod +x "$work/hangs"
	"$tool" collect "$objects/demo.bpf.o" --kernel "$kernel" --kernel "$second" --accel tcg --no-cache \
		--qemu "$work/hangs" >"$work/cut" 2>"$work/err" </dev/null &
	pid=$!
	one_left() {
		[ "$(pgrep -P "$pid" | wc -l)" = 1 ] && [ -e "$work/both" ]
	}
	both_begun() {
		[ "$(pgrep -P "$pid" | wc -l)" = 2 ] && : >"$work/both"
	}
	check 'two kernels are tried at a time' becomes both_begun
	check 'one of them is done' becomes one_left
	kill -INT "$pid"
	wait "$pid"
	check 'cut off: exit status 3' test $? = 3
	check 'what is done is shown' grep -q '^demo.bpf.o *checksum_payload *10508 *-$' "$work/cut"
	check 'and that it was cut off' grep -q 'cancelled: 1 of 2 kernels are done' "$work/err"

	# As many guests as memory allows, that of the topology counted. A QEMU that tells whether another one is
	# there while it is, and a host that has 3 GiB free: two guests of 1 GiB, or one of 2.
	cat >"$work/counts" <<S
#!/bin/sh
mkdir "$work/there/\$\$"
for _ in \$(seq 60); do
	[ "\$(ls "$work/there" | wc -l)" -lt 2 ] || { : >"$work/together"; break; }
	sleep 0.05
done
rmdir "$work/there/\$\$"
exit 1
S
	chmod +x "$work/counts"
	sed 's/^MemAvailable:.*/MemAvailable: 3145728 kB/' /proc/meminfo >"$work/meminfo"
	# together OPTION...: two guests were there at a time.
	together() {
		mkdir -p "$work/there" && rm -f "$work/together"
		unshare -m sh -c 'mount --bind "$1" /proc/meminfo && shift && exec "$@"' _ "$work/meminfo" \
			timeout 300 "$tool" collect "$objects/demo.bpf.o" --kernel "$kernel" --kernel "$second" \
			--accel tcg --no-cache --qemu "$work/counts" "$@" >"$work/out" 2>"$work/err"
		[ -e "$work/together" ]
	}
	if unshare -m mount --bind "$work/meminfo" /proc/meminfo 2>/dev/null; then
		check 'two guests of 1 GiB fit' together
		check 'two of 2 GiB do not: one after the other' not together --topology 4cpu-2llc-nosmt
		check 'both were tried' grep -q '2 of 2 kernels\|QEMU' "$work/err"
		check 'nor do they with --memory' not together --memory 2048
		check 'with a topology, --memory counts' together --topology 4cpu-2llc-nosmt --memory 1024
	else
		skip 'as many guests as memory allows' 'no mount namespace: not root'
	fi

	# The numbers of the table are those of the document.
	jq -r '.runs[1].result.programs[] | select(.object) | "\(.object) \(.full_name) \(.verified_insns)"' \
		"$work/both.json" >"$work/numbers"
	while read -r file name number; do
		check "the table: $name" awk -v f="$file" -v n="$name" -v v="$number" '
			$1 == f && $2 == n && $4 == v { seen = 1 } END { exit !seen }' "$work/table"
	done <"$work/numbers"
else
	skip 'two kernels side by side' 'no second kernel could be fetched'
fi

# --- Ctrl-C in the middle: what was loaded is shown ---

script -qfec "exec '$tool' collect '$objects/demo.bpf.o' '$objects/slow.bpf.o' --kernel '$kernel' --accel tcg" \
	"$work/tty" </dev/null >"$work/out" 2>&1 &
pid=$!
check 'a slow program is being loaded' becomes grep -q 'loading: [0-9]* done, before' "$work/tty"
kill -INT "$(pgrep -P "$pid")"
wait "$pid"
check 'cut off: those before it are shown' grep -q '^demo.bpf.o *checksum_payload .* 10508 ' "$work/tty"
check 'and that there were more' grep -q 'and then the run was cut off' "$work/tty"

# --- an image that boots, but does not tell where its kernel is: then the guest's memory tells ---

# The header's payload_offset (boot.rst) is off by 16; what unpacks the kernel does not ask it.
cp "$kernel" "$work/untold"
offset=$(($(od -An -tu4 -j584 -N4 "$kernel") + 16))
length=$(($(od -An -tu4 -j588 -N4 "$kernel") - 16))
for n in $offset $length; do
	for shift in 0 8 16 24; do
		# shellcheck disable=SC2059 # the byte is the format
		printf "\\$(printf %03o $((n >> shift & 255)))"
	done
done | dd of="$work/untold" bs=1 seek=584 conv=notrunc 2>/dev/null
run collect --accel tcg --kernel "$work/untold" --modules "$(dirname "$kernel")/modules" \
	--object "$objects/demo.bpf.o" --json
check 'an image that does not tell: read all the same' test "$status" = 0
check 'by its memory, as a note says' grep -q "read from the guest's memory" "$work/err"
check 'and the demo is there' jq -e '[.programs[] | select(.name == "checksum_payload" or
	.full_name == "checksum_payload")] | length == 1' "$work/out"

# --- options that reach the guest, a script as payload, a terminal ---

# The guest has nothing but the script and its interpreter.
cat >"$work/look" <<'S'
#!/bin/sh
for file in cmdline cpuinfo meminfo; do
	while read -r line; do echo "$line"; done </proc/$file
done
echo "args: $*"
echo 'to stderr' >&2
exit 3
S
chmod +x "$work/look"
XDG_CACHE_HOME=${XDG_CACHE_HOME:-$HOME/.cache} TERM=xterm script -qec "stty cols 80
	NO_COLOR=1 '$tool' collect --accel tcg --kernel '$kernel' --run '$work/look' --smp 3 --memory 700 \
	--append 'hello.guest=1' --qemu-arg -name --qemu-arg seen -- one 'two words' -x; echo status: \$?" \
	/dev/null </dev/null | tr -d '\r' >"$work/out"
status=0
prints 'a script: its exit status is told' 0 'look ended with exit status 3'
prints 'and makes ours 1' 0 '^status: 1$'
prints 'its arguments' 0 'args: one two words -x'
prints 'its stderr' 0 'to stderr'
prints '--append' 0 'hello.guest=1'
check '--smp' test "$(grep -c '^processor' "$work/out")" = 3
check '--memory' awk '/MemTotal/ { seen = $2 } END { exit !(seen > 500000 && seen < 720000) }' "$work/out"
check 'a terminal has a progress line' grep -q 'booting the guest\.\.\. [0-9]*s' "$work/out"
check 'NO_COLOR' sh -c "! grep -q '$(printf '\033')\[[0-9;]*m' '$work/out'"

# --- a loader with shared libraries; --keep; --gdb ---

if cc -o "$work/loader" -DOBJECT="\"$objects/demo.bpf.o\"" tests/guest/loader.c -lbpf 2>"$work/cc.log"; then
	collect --run "$work/loader"
	prints 'a loader with shared libraries: its programs' 0 'checksum_payload'
	check 'its output is shown' grep -q '^loaded$' "$work/err"
	check 'its stderr too' grep -q '^and a word on stderr$' "$work/err"
	check 'no progress line, no control characters' sh -c "! grep -q '$(printf '\033\\|\r')' '$work/err'"
	cc -o "$work/slow" -DOBJECT="\"$objects/slow.bpf.o\"" tests/guest/loader.c -lbpf
	# The verifier takes far longer than the time without a new program that means "all loaded".
	collect --run "$work/slow" --json
	check 'a loader is not read in the middle of a load' \
		jq -e '[.programs[].name] == ["before", "long_walk", "behind"]' "$work/out"
	collect --run "$work/loader" --json -- 7
	check 'a loader that fails: exit status 1' test "$status" = 1
	keys programs
	check 'and its own' jq -e '.payload.exited and .payload.exit_code == 7' "$work/out"
else
	skip 'a loader with shared libraries' 'no libbpf to link with'
fi
cat >"$work/qemu" <<S
#!/bin/sh
echo "\$*" >>'$work/qemu.args'
exec qemu-system-x86_64 "\$@"
S
chmod +x "$work/qemu"
port=$((21000 + $$ % 10000))
collect --object "$objects/demo.bpf.o" --keep --gdb ":$port" --qemu "$work/qemu" --qemu-arg -name \
	--qemu-arg seen
prints '--keep: the table' 0 'checksum_payload'
pid=$(sed -n 's/.*to end it: kill \([0-9]*\)$/\1/p' "$work/err")
check 'how to end it is told' test -n "$pid"
check 'its console is where it is told' test -s "$(sed -n 's/.*its console is //p' "$work/err")"
check '--qemu, --qemu-arg' grep -q -- '-name seen' "$work/qemu.args"
again=$(sed -n 's/.*to read it again: ktstr-gdb //p' "$work/err")
# shellcheck disable=SC2086
run $again --json
check 'it is read again, as told' jq -e '.programs | length == 6' "$work/out"
check 'on the port that was asked for' test "${again#*:"$port" }" != "$again"
[ -n "$pid" ] && kill "$pid"
check 'it ends' becomes has_ended "$pid"
becomes tidy
check 'and nothing is left once it was ended' tidy

# --- guests that come to nothing ---

collect --object "$objects/demo.bpf.o" --memory 8
says 'too little memory' 3 'before the guest was up; .*--memory'
# It stands still from power-on: no machine is too fast for that.
collect --object "$objects/demo.bpf.o" --timeout 5 --qemu-arg -S
head -n 1 "$work/err" >"$work/first" && mv "$work/first" "$work/err"
says 'a guest that hangs' 3 'did not come up in time .*--timeout'
collect --object "$objects/demo.bpf.o" --append rdinit=/nonexistent
check 'a panic: the console is shown' grep -q '^--- the guest.s console ends with' "$work/err"
head -n 1 "$work/err" >"$work/first" && mv "$work/first" "$work/err"
says 'a kernel that panics' 3 'the guest died while it booted: Kernel panic - not syncing: VFS'
check 'nothing is left' tidy
plan
