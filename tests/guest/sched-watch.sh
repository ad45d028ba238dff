#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Schedulers that come and end, in each way that there is, watched from outside: each end is caught at
# the instant, its kind and message are those that dmesg has, the stack is the kernel's own backtrace,
# and the guest runs on.
#
#   sched-watch.sh [ROUNDS] [SUITE]...    how often each end (1); kernels (trixie-backports sid)
. "$(dirname "$0")/lib"
rounds=${1:-1}
[ $# = 0 ] || shift
[ $# != 0 ] || set -- trixie-backports sid
make --no-print-directory -s sched build/guest/ends.initrd >"$work/make.log" 2>&1 ||
	skip_all "no scheduler to test with: $(tail -n 1 "$work/make.log")"

# until_says FILE TEXT [N]: it has N lines with TEXT.
until_says() {
	for _ in $(seq 2400); do
		[ "$(grep -ac -- "$2" "$1" 2>/dev/null)" -lt "${3:-1}" ] || return 0
		sleep 0.05
	done
	echo "# nothing said: $2"
	return 1
}

# guest SUITE: boots it; it waits for orders. A scheduler that ends patches code, which does a guest with a
# thread for each CPU no good (docs/notes.md).
guest() {
	dir=$work/$1
	guests="$guests $dir"
	mkdir "$dir"
	mkfifo "$dir/go.in" "$dir/go.out"
	for _ in 1 2 3; do
		target=$("$truth/boot" --dir "$dir" --kernel "$kernel" --initrd build/guest/ends.initrd --smp 2 \
			--append "FIX=$here/build/sched/scx_fix ignore_loglevel" --accel tcg,thread=single --no-wait --qemu-arg -chardev \
			--qemu-arg "pipe,id=go,path=$dir/go" --qemu-arg -serial --qemu-arg chardev:go)
		until_says "$dir/console" 'ends: ready\|Kernel panic'
		grep -aq 'ends: ready' "$dir/console" && return
		echo "# $1: the kernel panicked while it booted; once more"
		"$truth/stop" "$dir"
	done
	not_ok "$1: a guest boots" "$(tail -n 3 "$dir/console")"
	plan
}

# order WORDS: the guest obeys, and says so.
order() {
	said=$(grep -ac '^ends: ok' "$dir/console")
	echo "$*" >"$dir/go.in"
	until_says "$dir/console" '^ends: ok' $((said + 1))
}

# watch ARG...
watch() {
	"$tool" sched watch "$target" --vmlinux "$kernel" --json --dump "$dir/dump" "$@" >"$dir/seen" 2>"$dir/err" \
		</dev/null &
	watcher=$!
	until_says "$dir/seen" '"event": "begin"'
}

# start MODE: until its scheduler is attached.
start() {
	attached=$(grep -ac '^scx_fix: .*, attached' "$dir/console")
	order "start $*"
	until_says "$dir/console" '^scx_fix: .*, attached' $((attached + 1))
}

# gone: the watch has seen the end of one more.
gone() {
	n_gone=$((n_gone + 1))
	until_says "$dir/seen" '"event": "disabled"' $n_gone
}

# The dump of the last end. Those of earlier ones have lower numbers.
dump() {
	n=$(jq -s '[.[] | select(.dump != null)] | length' "$dir/seen")
	[ "$n" = 1 ] && echo "$dir/dump" || echo "$dir/dump.$n"
}

# ends NAME KIND: what was seen of the last end is what dmesg says of it.
ends() {
	gone || return
	file=$(dump)
	grep -a 'sched_ext: BPF scheduler ".*" disabled' "$dir/console" | tail -n 1 |
		sed 's/.*disabled (\(.*\)).*/\1/' | tr -d '\r' >"$work/reason"
	# The message stands behind the line that says that it is disabled; only that of an error does.
	grep -a -A 1 'sched_ext: BPF scheduler ".*" disabled' "$dir/console" | tail -n 1 | tr -d '\r' |
		sed -n 's/.*sched_ext: scx_fix[a-z_]*: //p' >"$work/message"
	if jq -se --rawfile reason "$work/reason" --rawfile message "$work/message" --arg kind "$2" '
		([.[] | select(.event == "exit" or .event == "error")] | last) as $exit |
		([.[] | select(.event == "disabled")] | last) as $gone | $exit.exit.kind_name == $kind and
		$gone.exit.kind_name == $kind and $gone.exit.reason + "\n" == $reason and
		($message == "" or ($gone.exit.message + "\n" == $message and
		$exit.exit.message == $gone.exit.message)) and $exit.late == false' \
		"$dir/seen" >/dev/null 2>"$work/why" &&
		jq -e --arg kind "$2" '.exit.kind_name == $kind and .incomplete == null and (.stack | length > 2) and
			(.sections | length > 0)' "$file" >/dev/null; then
		caught=$((caught + 1))
	else
		echo "# $1: $(cat "$work/why" "$work/reason" "$work/message")"
		jq -c '{incomplete, cpu, stack: (.stack | length), sections: (.sections | length), kind: .exit.kind_name}' \
			"$file" | sed 's/^/# the dump: /'
		tail -n 6 "$dir/seen" | jq -c '{event, late, comm, kind: .exit.kind_name, message: .exit.message, dump}' |
			sed 's/^/# /'
	fi
}

# The kernel's own backtrace (stack_trace_save()), from the first function that both have.
same_stack() {
	jq -e '[.exit.backtrace[] | .func] as $kernel | [.stack[] | .func] as $ours |
		($kernel[1:] | length > 1) and ($ours[-($kernel | length) + 1:] == $kernel[1:])' "$(dump)"
}

# The kernel's words for it in dmesg, "name+0x1/0x20", which may come a moment later than the event: programs of
# BPF and their trampolines are named, too.
same_names() {
	tac "$dir/console" | sed '/BPF scheduler ".*" disabled/q' | tac | tr -d '\r' |
		sed -n 's/^\[ *[0-9.]*\] *\([A-Za-z0-9_.]*+0x[0-9a-f]*\)\/0x[0-9a-f]*\( \[.*\]\)\{0,1\}$/\1\2/p' >"$work/said"
	"$tool" sched --from "$(dump)" | sed -n '/^exit: kind/,$s/^    \([A-Za-z0-9_.]*+0x[0-9a-f]*\( \[.*\]\)\{0,1\}\)$/\1/p' \
		>"$work/named"
	cmp "$work/said" "$work/named" && grep -q '^bpf_prog_[0-9a-f]*_fix_dispatch+0x' "$work/said" &&
		jq -e '[.stack[] | .func] | all and any(startswith("bpf_prog_"))' "$(dump)"
}

# Each line, and the dump, have the keys that docs/json.md says.
documents() {
	head -n 1 "$dir/seen" >"$work/first"
	tail -n 1 "$dir/seen" >"$work/last"
	sed '1d;$d' "$dir/seen" >"$work/between"
	keys 'sched watch begin' "$work/first"
	keys 'sched watch event' "$work/between"
	keys 'sched watch end' "$work/last"
	jq '.sched |= if . == null then null else {} end | (.exit, .blamed, .task) |= if . == null then null else {} end |
		.sections[].variables |= if . == null then null else {} end' "$dir/dump" >"$work/dump"
	keys 'sched dump' "$work/dump"
	jq '{schema, kernel: {release, arch: null, build_id: null, kaslr_offset}, pause_us, sched}' "$dir/dump" >"$work/sched"
	keys sched "$work/sched"
	run sched --from "$dir/dump" --json
	check "$release: the file is what --from --json prints" sh -c 'jq -S . "$1" >"$3/a" && jq -S . "$2" >"$3/b" &&
		cmp "$3/a" "$3/b"' - "$dir/dump" "$work/out" "$work"
}

# What was seen later than it happened, as words.
late() {
	jq -r 'select(.late) | ", \(.event) later"' "$dir/seen"
}

# Loads and schedulers by one command: a scheduler's programs are loaded, it comes, and it goes.
both() {
	"$tool" watch "$target" --vmlinux "$kernel" --json --sched >"$dir/both" 2>"$dir/err" </dev/null &
	watcher=$!
	until_says "$dir/both" '"event": "begin"'
	start good && order end
	until_says "$dir/both" '"event": "disabled"'
	kill -s INT "$watcher"
	wait "$watcher"
	check "$release: loads, too: Ctrl-C ends it" test $? = 0 -a ! -s "$dir/err"
}

# both_seen: of what `sched` says of one that is there now, the loads have each program, with its number.
both_seen() {
	run sched "$target" --vmlinux "$kernel" --json
	check "$release: loads, too: each program of the scheduler, then its life" jq -se --slurpfile sched "$work/out" '
		(map(.event) | index("enabling")) as $comes | .[:$comes] as $before |
		($sched[0].sched.schedulers[0].programs | length > 2) and
		all($sched[0].sched.schedulers[0].programs[]; . as $one | any($before[]; .event == "load" and
			.errno == 0 and .full_name == $one.name and .verified_insns == $one.verified_insns)) and
		([.[$comes:][] | .event | select(IN("enabling", "enabled", "exit", "disabled"))] ==
			["enabling", "enabled", "exit", "disabled"])' "$dir/both"
}

# all NAME KIND COMMAND: it ends so in each round.
all() {
	caught=0
	for _ in $(seq "$rounds"); do
		"$3"
		ends "$1" "$2"
	done
	check "$release: $1: $caught of $rounds caught at the instant, kind and message as in dmesg" \
		test "$caught" = "$rounds"
}

by_error() { start kicked 100 && order wait; }
by_stall() { start stalls-some 100 && order wait; }
by_wrong_cpu() { start wrong-cpu 100 && order wait; }
by_wrong_queue() { start wrong-queue 100 && order wait; }
by_sysrq() { start good && order sysrq S && order wait; }
by_unload() { start good && order end; }
by_hotplug() { start good && order cpu 1 0 && order wait && order cpu 1 1; }

for suite; do
	kernel=$(vm/fetch-kernel "$suite" 2>"$work/fetch.log") || {
		skip "$suite" "$(tail -n 1 "$work/fetch.log")" && continue
	}
	release=$(cat "$(dirname "$kernel")/release")
	guest "$suite"
	n_gone=0
	order spin 4
	watch
	all 'an error of its own' SCX_EXIT_ERROR_BPF by_error
	check "$release: the stack is the kernel's own backtrace" same_stack
	check "$release: it has the names that dmesg has, programs of BPF, too" becomes same_names
	check "$release: the scheduler's variables, by name: it had not heard of its end" jq -e '
		[.sections[] | .variables // {} | to_entries[] | .value[] | to_entries[]] |
		any(.[]; .key == "enqueued" and .value > 0) and any(.[]; .key == "exit_kind" and .value == 0) and
		any(.[]; .key == "fail_after_ms" and .value == 100)' "$(dump)"
	all 'a task that stalls' SCX_EXIT_ERROR_STALL by_stall
	# Whoever it is: on a busy machine it may be another one that waited for so long.
	check "$release: the task that is to blame is found where it waits" jq -e '. as $all | .blamed |
		"\(.comm)[\(.pid)]" as $who | $all.exit.message | startswith("\($who) failed to run for ")' "$(dump)"
	all 'a CPU where a task may not run' SCX_EXIT_ERROR by_wrong_cpu
	all 'a queue that is not there' SCX_EXIT_ERROR by_wrong_queue
	all 'sysrq' SCX_EXIT_SYSRQ by_sysrq
	all 'it is unloaded' SCX_EXIT_UNREG by_unload
	all 'a CPU goes' SCX_EXIT_UNREG_KERN by_hotplug
	start rejects && order end && gone
	check "$release: the task that is refused is named" jq -se --argjson pid "$(tr -d '\r' <"$dir/console" |
		sed -n 's/^ends: pid //p' | tail -n 1)" '[.[] | select(.event == "rejected") | select(.late | not)] |
		all(.rejected == {pid: $pid, comm: "scx_fix"})' "$dir/seen"
	kill -s INT "$watcher"
	wait "$watcher"
	check "$release: Ctrl-C ends it" test $? = 0 -a ! -s "$dir/err"
	documents
	# One that fails at once may do so before it counts as enabled, or never come to that.
	check "$release: each scheduler comes, counts as enabled, ends, and is gone" jq -se '
		[.[] | select(.event | IN("enabling", "enabled", "exit", "error", "disabled")) |
			if .event == "error" then "exit" else .event end] |
		reduce .[] as $event ([]; if $event == "enabling" then . + [[$event]] else .[:-1] + [.[-1] + [$event]] end) |
		length >= 8 and all(.[]; .[0] == "enabling" and .[-1] == "disabled" and
			(.[1:-1] | sort | . == ["enabled", "exit"] or . == ["exit"])) and
		([.[] | select(length == 4)] | length) >= 6' "$dir/seen"
	before=$bad
	# When two vCPUs stop at once, the stub tells of one: a write of the other one is seen a moment later.
	check "$release: what counts is seen as it counts$(late)" jq -se --argjson rounds "$rounds" '
		([.[] | select(.event == "hotplug") | .more] | add) == $rounds * 2 and
		([.[] | select(.event == "rejected") | .more] | add) == 1 and ([.[] | select(.late)] | length) <= 1 and
		([.[] | select(.event == "bypass" and .begins)] | length) == ([.[] | select(.event == "bypass" and
		(.begins | not))] | length)' "$dir/seen"
	[ "$bad" = "$before" ] || jq -c 'select(.event | IN("hotplug", "rejected", "bypass")) | [.event, .late, .begins, .count, .comm]' \
		"$dir/seen" | sed 's/^/# /'
	both
	# The guest's own numbers do not stand still, and nothing is left in it that stops it.
	check "$release: the guest runs on" start good
	both_seen
	watch
	check "$release: a scheduler that is there already" until_says "$dir/seen" '"event": "running"'
	echo 'sysrq c' >"$dir/go.in"
	until_says "$dir/seen" '"event": "end"'
	wait "$watcher"
	check "$release: a panic ends the watch" test $? = 3
	check "$release: and is caught before" jq -se '.[-2].event == "panic" and (.[-2].panic | contains("sysrq triggered crash")) and
		.[-2].dump != null' "$dir/seen"
	run sched --from "$(dump)"
	prints "$release: and it is shown again" 0 '^[0-9:.]* *panic .*sysrq triggered crash'
	check "$release: with the stack" grep -q '^  panic+0x\|^  vpanic+0x' "$work/out"
	"$truth/stop" "$dir"
done
plan
