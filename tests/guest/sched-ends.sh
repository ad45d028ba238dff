#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A scheduler's run that comes to no good end: the guest panics or hangs, QEMU is killed, frames
# are damaged, there is no virtio. Each is named, and nothing is left.
. "$(dirname "$0")/lib"
fetch() { vm/fetch-kernel "$@" 2>"$work/fetch.log"; }
kernel=$(fetch trixie-backports) || skip_all "no kernel with sched_ext: $(cat "$work/fetch.log")"
make --no-print-directory -s sched >"$work/make.log" 2>&1 ||
	skip_all "no scheduler to test with: $(tail -n 1 "$work/make.log")"
scheduler=$here/build/sched/scx_fix
# The hog brings along what the scheduler that it runs needs.
cc -O1 -Wall -Wextra -o "$work/hog" tests/guest/hog.c -Wl,--no-as-needed -lbpf &&
	cc -O1 -Wall -Wextra -o "$work/damage" tests/guest/damage.c || skip_all 'no compiler, or no libbpf'
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
unset XDG_RUNTIME_DIR
echo "$work/tmp/ktstr-gdb." >"$work/pattern" # so that grep itself does not have it

is_tidy() {
	left=$(ls -A "$work/tmp"; grep -alF -f "$work/pattern" /proc/[0-9]*/cmdline 2>/dev/null)
	[ -z "$left" ]
}

# Soon: a guard works on after its tool has ended.
tidy() {
	becomes is_tidy && return
	echo "$left"
	return 1
}

collect() {
	run collect --accel tcg --kernel "$kernel" "$@"
}

# wrapper COMMANDS: a QEMU that does something before it starts; $dir is its private directory.
wrapper() {
	cat >"$work/qemu" <<S
#!/bin/sh
echo \$\$ >'$work/qemu.pid'
for arg; do case \$arg in */guest.cfg) dir=\${arg%/*} ;; esac; done
$1
exec qemu-system-x86_64 "\$@"
S
	chmod +x "$work/qemu"
	rm -f "$work/qemu.pid"
}

private_says() { grep -aqs "$2" "$work"/tmp/ktstr-gdb.*/"$1"; }

# meanwhile SIGNAL FILE WORDS: QEMU gets a signal once FILE (NAME in the private directory) has
# these words; then there is $work/signalled.
meanwhile() {
	rm -f "$work/signalled"
	becomes private_says "$2" "$3" || return
	: >"$work/signalled"
	kill -s "$1" "$(cat "$work/qemu.pid")"
}

# --- the kernel has no sched_ext ---

for suite in bookworm trixie; do
	stock=$(fetch "$suite") || { skip "a kernel without sched_ext" "no $suite" && continue; }
	run collect --accel tcg --kernel "$stock" --scheduler "$scheduler" -- good
	says "$suite" 3 'this kernel has no sched_ext \(CONFIG_SCHED_CLASS_EXT\)'
done
check 'nothing was booted for that' tidy

# --- the guest panics ---

cat >"$work/panic" <<'S'
#!/bin/sh
echo 'about to panic'
printf 'and a line that is not over'
i=0
while [ $i -lt 100000 ]; do i=$((i + 1)); done
echo c >/proc/sysrq-trigger
S
chmod +x "$work/panic"
collect --scheduler "$work/panic"
prints 'a panic: the verdict' 1 '^panic, Linux .*: FAIL, the guest crashed: Kernel panic - not syncing: sysrq triggered crash'
check 'with the end of the console' grep -q '^--- the guest.s console ends with' "$work/err"
check 'and the panic in it' grep -q 'Kernel panic - not syncing' "$work/err"
check 'what it had printed is there' grep -q '^about to panic' "$work/out"
check 'to the last byte' grep -q '^and a line that is not over$' "$work/out"
check 'a panic: nothing is left' tidy

# It panics when it is ready, and before it is read: the tool stands still meanwhile.
wrapper ''
"$tool" collect --accel tcg --kernel "$kernel" --qemu "$work/qemu" --attach-timeout 0.1 --scheduler "$work/panic" \
	>"$work/out" 2>"$work/err" </dev/null &
pid=$!
becomes private_says console.log 'Run /init as init'
kill -s STOP $pid
becomes private_says console.log 'Kernel panic'
becomes has_ended "$(cat "$work/qemu.pid")"
kill -s CONT $pid
wait $pid
status=$?
prints 'a panic before it is read: the verdict' 1 ': FAIL, the guest crashed: Kernel panic - not syncing: sysrq triggered crash'
check 'what it had printed is there, too' grep -q '^about to panic' "$work/out"
check 'nothing is left of it, too' tidy

# --- the guest hangs ---

# A busy machine may not come to the hang within 15 s: then it has more.
for seconds in 15 75; do
	collect --scheduler "$work/hog" --timeout $seconds
	! grep -q '^hog: taking' "$work/out" || break
done
prints 'a hang before attach' 1 ': FAIL, timed out before the scheduler attached'
check 'with the end of the console' grep -q '^--- the guest.s console ends with' "$work/err"
check 'what it had printed is there' grep -q '^hog: taking 2 CPUs' "$work/out"
for seconds in 15 75; do
	collect --scheduler "$work/hog" --file "$scheduler" --timeout $seconds --json -- "$scheduler" good
	! grep -q 'hog: taking' "$work/out" || break
done
check 'a hang after attach' jq -e '.run.reason == "timed out after the scheduler attached"' "$work/out"
check 'its exit status' test "$status" = 1
check 'its programs were read all the same' jq -e '.programs | length == 5' "$work/out"
check 'a hang: nothing is left' tidy
wrapper ''
for seconds in 12 75; do
	meanwhile STOP console.log 'Run /init as init' &
	collect --scheduler "$scheduler" --qemu "$work/qemu" --timeout $seconds -- good
	wait
	[ ! -e "$work/signalled" ] || break
done
check 'a QEMU that stands still: it was stopped' test -e "$work/signalled"
check 'a QEMU that stands still: within the deadline' test "$status" != 124
check 'it is named' grep -Eq 'timed out|did not come up in time|took too long' "$work/out" "$work/err"
check 'nothing is left of it' tidy

# --- QEMU is killed ---

wrapper ''
meanwhile KILL console.log 'Run /init as init' &
collect --scheduler "$scheduler" --qemu "$work/qemu" -- hangs
wait
check 'a killed QEMU: exit status 3' test "$status" = 3
check 'it is named' grep -q '^ktstr-gdb: QEMU was killed by signal 9' "$work/err"
check 'with the end of the console' grep -q '^--- the guest.s console ends with' "$work/err"
check 'nothing is left of it' tidy
wrapper ''
meanwhile KILL console.log '"scx_fix" enabled' &
collect --scheduler "$scheduler" --qemu "$work/qemu" -- flood
wait
check 'a QEMU killed after attach: exit status 3' test "$status" = 3
check 'it is named, too' grep -q '^ktstr-gdb: QEMU was killed by signal 9' "$work/err"

# --- frames that are damaged ---

wrapper "'$work/damage' \"\$dir/proxy.sock\" \"\$dir/bulk.sock\" 7 '$work/damaged' &
sed -i \"s|/bulk.sock|/proxy.sock|\" \"\$dir/guest.cfg\"
while [ ! -S \"\$dir/proxy.sock\" ]; do sleep 0.01; done"
collect --scheduler "$scheduler" --qemu "$work/qemu" --json -- flood 5
becomes test -s "$work/damaged" # it counts when its QEMU has ended
damaged=$(cat "$work/damaged")
check "$damaged frames were damaged" test "$damaged" -gt 5
check 'they are counted' jq -e ".run.damaged_frames == $damaged" "$work/out"
check 'the verdict is none the worse' jq -e '.run.verdict == "pass"' "$work/out"
check 'each hole in the log is marked' test \
	"$(jq -j .run.scheduler_log "$work/out" | grep -o 'damaged frame' | wc -l)" -gt 3
collect --scheduler "$scheduler" --qemu "$work/qemu" -- flood 1
prints 'as text: they are reported' 0 '^  DAMAGED: [0-9]+ frames from the guest'
check 'damage: nothing is left' tidy

# --- no virtio ---

collect --append initcall_blacklist=virtio_console_init --scheduler "$scheduler" --json -- flood 1
check 'over the serial port: the verdict' jq -e '.run.verdict == "pass" and .run.damaged_frames == 0' "$work/out"
jq -j .run.scheduler_log "$work/out" >"$work/log"
check 'over the serial port: its output' build/sched/check-flood <"$work/log"
check 'all of it' test "$(wc -c <"$work/log")" -gt 1000000
cat >"$work/look" <<'S'
#!/bin/sh
for f in /dev/vport*; do echo "$f"; done
S
chmod +x "$work/look"
if stock=$(fetch bookworm) && [ -d "$(dirname "$stock")/modules" ]; then
	run collect --accel tcg --kernel "$stock" --run "$work/look"
	check '6.1: virtio from its modules, found beside the image' grep -q '^/dev/vport0p1' "$work/err"
	cp "$stock" "$work/vmlinuz"
	run collect --accel tcg --kernel "$work/vmlinuz" --run "$work/look"
	check '6.1 without them: the serial port' grep -q '^/dev/vport\*' "$work/err"
	run collect --accel tcg --kernel "$work/vmlinuz" --modules "$(dirname "$stock")/modules" --run "$work/look"
	check '6.1: --modules' grep -q '^/dev/vport0p1' "$work/err"
	run collect --accel tcg --kernel "$work/vmlinuz" --modules "$work/none" --run "$work/look"
	says '--modules that are not there' 3 'no modules of the guest.s kernel: .*none'
else
	skip 'the kernel has virtio as modules' 'no bookworm'
fi

# --- what is no scheduler ---

collect --scheduler "$work/none"
says 'a scheduler that is not there' 3 'none: No such file'
collect --scheduler "$work/fetch.log"
says 'one that cannot be run' 3 'fetch.log'
collect --scheduler /bin/true
prints 'one that ends at once' 1 'FAIL, not attached: the scheduler ended before it attached, exit status 0'
collect --scheduler "$scheduler" --save "$work/none/x.json" -- good
says '--save into no directory: no guest is booted' 3 'cannot write .*none/x.json: No such file'
collect --scheduler "$scheduler" --save /dev/full -- good
check '--save where there is no room: exit status 3' test "$status" = 3
check 'the result is shown all the same' grep -q '^scx_fix good, Linux .*: PASS$' "$work/out"
check 'and why' grep -q 'cannot save the result to /dev/full: ' "$work/err"
check 'nothing is left at the end' tidy
plan
