#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The state of sched_ext in a guest that stands still: as the scheduler itself counts it in its maps, as
# the guest's sysfs has it, and as the kernel says on the console how it ended.
. "$(dirname "$0")/lib"
fetch() { vm/fetch-kernel "$@" 2>"$work/fetch.log"; }
initrd=build/sched/hold.initrd
make --no-print-directory -s sched build/guest/qmp >"$work/make.log" 2>&1 ||
	skip_all "no scheduler to test with: $(tail -n 1 "$work/make.log")"
tasks=20

# ask COMMAND: of QEMU's monitor.
ask() {
	build/guest/qmp "$dir/qmp" "$1" >"$work/asked"
}

on_console() {
	grep -aEq -- "$1" "$dir/console"
}

came_or_died() {
	on_console "$1" || on_console 'Kernel panic' || ! kill -0 "$(cat "$dir/pid")" 2>/dev/null
}

# What the kernel says of its own death, from where it begins.
crash() {
	tr -d '\r' <"$dir/console" | grep -aE 'BUG:|Oops|WARNING:|RIP:|Comm:|Kernel panic|general protection' | head -n 8
}

# guest NAME WORDS PATTERN: one with a monitor for the tool, and another one for us, once its console
# has such a line. One that QEMU's TCG killed is booted again.
guest() {
	for try in 1 2 3; do
		mkdir -p "$work/$1$try"
		boot "$1$try" --kernel "$kernel" --initrd "$initrd" --no-wait --gdb none --append "$2" \
			--qemu-arg -qmp --qemu-arg "unix:$work/$1$try/qmp,server=on,wait=off"
		becomes came_or_died "$3"
		on_console "$3" && return
		on_console 'Kernel panic' || break
		echo "# the guest died:"
		crash | sed 's/^/# /'
		"$truth/stop" "$dir"
	done
	not_ok "$release: $3" "$(tail -n 10 "$dir/console")"
	return 1
}

# All lines up to the last tick that was printed completely.
last_tick() {
	tr -d '\r' <"$dir/console" | grep -a '^hold: ' | tac | sed -n '/^hold: tick /,$p' | tac |
		awk '/^hold: tick / { n = NR } { line[NR] = $0 } END { for (i = 1; i <= n; i++) print line[i] }'
}
# told_by_guest NAME: the last value that the guest's sysfs had.
told_by_guest() {
	last_tick | sed -n "s/^hold: $1 //p" | tail -n 1
}

ticks() {
	grep -ac '^hold: tick ' "$dir/console"
}
ticked() {
	[ "$(ticks)" -gt "$1" ]
}

# The event counters that the guest printed last, as ["NAME", VALUE] each.
events() {
	last_tick | sed -n 's/^hold: \(SCX_EV_[A-Z_]*\) \([0-9]*\)$/["\1",\2]/p' |
		tac | awk '!seen[$0 ~ /"[A-Z_]*"/ ? substr($0, 1, index($0, ",")) : $0]++' | tac | jq -cs .
}

# The map of that name as an array, typed.
typed() {
	run maps "$target" --vmlinux "$kernel" --name "$1" --json
	run map dump "$(jq '.maps[0].id' "$work/out")" "$target" --vmlinux "$kernel" --json
	cp "$work/out" "$2"
}

# What the scheduler noted in its maps, in the form of the JSON: queues by id, tasks in their order.
wanted_queues() {
	typed held_tasks "$work/held"
	typed 'scx_fix*.bss' "$work/bss"
	jq -S --slurpfile bss "$work/bss" '
		([$bss[0] | .. | objects | select(has("held_depth")) | .held_depth] | first) as $depth |
		def text: if type == "string" then . else map(select(. != 0) | if type == "number" then [.] | implode else . end) | join("") end;
		[.[].formatted | {pid: .key} + .value] | group_by(.queue) | map({
			id: .[0].queue,
			depth: $depth[.[0].queue - 4096],
			by_vtime: (.[0].queue == 4099),
			tasks: (sort_by(if .queue == 4099 then .vtime else .order end) |
				map({pid, comm: (.comm | text), weight, slice_ns: .slice} + if .queue == 4099 then {vtime} else {} end))
		})' "$work/held"
}

state() {
	release=$(cat "$(dirname "$kernel")/release")
	guest "$1" "hold.tasks=$tasks" '^scx_fix: holds [0-9]' || return
	# All of its tasks wait by now: nothing changes any more.
	now=$(ticks)
	becomes ticked $((now + 1))
	ask stop
	run sched "$target" --vmlinux "$kernel" --json
	cp "$work/out" "$work/sched"
	keys sched
	check "$release: nothing is torn" jq -e '.sched | (.torn | not) and .unreadable == 0 and
		all(.queues[]; (.torn or .cut or .uneven) | not)' "$work/sched"
	wanted_queues >"$work/wanted"
	jq -S '[.sched.queues[] | select(.kind == "user") | {id, depth, by_vtime, tasks: (.by_vtime as $v | .tasks | map(
		{pid, comm, weight, slice_ns} + if $v then {vtime} else {} end))}]' "$work/sched" >"$work/got"
	check "$release: its queues, and their tasks in order, as the scheduler has them in its maps" sh -c '
		[ "$(jq "map(.tasks | length) | add" "$1")" = "$3" ] && diff "$1" "$2"' - "$work/wanted" "$work/got" $tasks
	check "$release: who waits longer is earlier in the queue" jq -e '[.sched.queues[] | select(.kind == "user" and
		(.by_vtime | not)) | [.tasks[].waits_ms]] | all(. == (sort | reverse) and (.[0] < 600000))' "$work/sched"
	check "$release: its programs, by op, and how often they ran" jq -e --argjson held $tasks '.sched.schedulers[0] |
		.ops == "scx_fix_holds" and .attached and .root and .flag_names == ["ENQ_LAST", "SWITCH_PARTIAL"] and
		.timeout_ms == 15000 and (.programs | map({(.op): .}) | add |
		(keys == ["enqueue", "exit", "init", "select_cpu"]) and all(.[]; .name | startswith("hold_")) and
		.enqueue.run_cnt == $held and .init.run_cnt == 1 and .exit.run_cnt == 0 and .enqueue.verified_insns > 20)' "$work/sched"
	run attach "$target" --vmlinux "$kernel" --json
	check "$release: with the cost that attach has" jq -e --slurpfile sched "$work/sched" '
		([.programs[] | {id, verified_insns}] | sort_by(.id)) as $all |
		[$sched[0].sched.schedulers[0].programs[] | {id, verified_insns}] | all(. as $one | $all | index($one))' "$work/out"
	events >"$work/wanted"
	jq -c '[.sched.schedulers[0].events[] | [.name, .value]]' "$work/sched" >"$work/got"
	check "$release: event counters as in /sys/kernel/sched_ext/root/events" sh -c '
		[ "$(jq length "$1")" -gt 5 ] && diff "$1" "$2"' - "$work/wanted" "$work/got"
	for value in state switch_all nr_rejected hotplug_seq enable_seq; do
		key=$value
		[ $value != switch_all ] || key=switched_all
		check "$release: $value as sysfs has it" test "$(jq -r ".sched.$key" "$work/sched" |
			sed 's/true/1/; s/false/0/')" = "$(told_by_guest $value)"
	done
	check "$release: enabled since its helper thread runs" jq -e --argjson start "$(told_by_guest helper)" \
		--argjson btime "$(told_by_guest btime)" '(.sched.schedulers[0].since_ns / 1e9 - ($btime + $start / 100)) |
		. > -1.5 and . < 1.5' "$work/sched"
	check "$release: CPUs, each with a task, as many as there are" jq -e '.sched.cpus | length == 2 and
		all(.online and .current.comm != null and .local_depth != null and (.flag_names | index("ONLINE")))' "$work/sched"
	run sched "$target" --vmlinux "$kernel"
	check "$release: the table has 80 columns at most" awk 'length > 80 { print; bad = 1 } END { exit bad || NR < 30 }' "$work/out"
	prints "$release: a task in it" 0 '^user 0x1000 +[0-9]+ held-'
	now=$(ticks)
	ask cont
	check "$release: the guest runs on" becomes ticked "$now"
	ended "$1"
}

# The watchdog finds that nothing runs; the kernel says so to the scheduler, and on the console. On a
# busy machine the kernel may find something else before, such as a CPU that is locked up. One that
# QEMU's TCG killed meanwhile is booted again.
ended() {
	for try in 1 2 3; do
		becomes came_or_died '^scx_fix: ended, kind'
		on_console '^scx_fix: ended, kind' && break
		on_console 'Kernel panic' || break
		echo "# the guest died, unread since it ran on:"
		crash | sed 's/^/# /'
		"$truth/stop" "$dir"
		guest "$1-ended$try-" "hold.tasks=$tasks" '^scx_fix: holds [0-9]' || return
	done
	if ! on_console '^scx_fix: ended, kind'; then
		not_ok "$release: the watchdog ends it" "$(crash; tail -n 10 "$dir/console")"
		return
	fi
	run sched "$target" --vmlinux "$kernel" --json
	cp "$work/out" "$work/sched"
	keys sched
	said=$(tr -d '\r' <"$dir/console" | sed -n 's/^scx_fix: ended, kind //p')
	check "$release: how it ended, as the kernel told the scheduler" test "$(jq -r '.sched.schedulers[0].exit |
		"\(.kind): \(.reason): \(.message)"' "$work/sched")" = "$said"
	check "$release: and on the console" sh -c 'tr -d "\r" <"$1" | grep -aF "$2" | grep -aq "sched_ext: scx_fix_holds: "' - \
		"$dir/console" "$(jq -r '.sched.schedulers[0].exit.message' "$work/sched")"
	kind=${said%%:*}
	check "$release: it is ended, of which a dump is left, with its tasks" jq -e --arg kind "$kind" '.sched |
		.state == "disabled" and (.schedulers | length) == 1 and (.schedulers[0] | (.attached | not) and
		.exit.complete and (.exit.dump | contains("held-")) and (.exit.dump | contains("triggered exit kind " + $kind)))' "$work/sched"
	if [ "$kind" = 1026 ]; then
		check "$release: by the watchdog, whose backtrace is there" jq -e '.sched.schedulers[0].exit |
			.kind_name == "SCX_EXIT_ERROR_STALL" and (.backtrace | length) > 3 and
			any(.backtrace[]; (.func // "") | contains("watchdog"))' "$work/sched"
	else
		skip "$release: by the watchdog" "the kernel ended it before: $said"
	fi
	run sched "$target" --vmlinux "$kernel"
	prints "$release: as text, too" 0 "^exit: kind $kind SCX_EXIT_ERROR(_STALL)? [(](runnable task stall|runtime error)[)]"
	now=$(ticks)
	check "$release: the guest runs on" becomes ticked $((now + 1))
}

# --- one that schedules: read in the middle of it ---

busy() {
	guest busy 'hold.tasks=40 hold.mode=partial' '^hold: tick 3' || return
	events >"$work/before"
	for i in 1 2 3 4 5 6 7 8; do
		run sched "$target" --vmlinux "$kernel" --json
		jq -c . "$work/out" >>"$work/reads"
	done
	now=$(ticks)
	becomes ticked $((now + 2))
	events >"$work/after"
	check "$release: 8 reads of a busy scheduler: no list is torn" jq -es 'length == 8 and all(.[].sched;
		.state == "enabled" and (.torn | not) and .unreadable == 0 and all(.queues[]; .torn | not))' "$work/reads"
	check "$release: tasks wait or run, and are those that there are" jq -es '[.[].sched |
		[.queues[].tasks[].comm, (.cpus[].current | select(.sched_ext) | .comm)] | map(select(startswith("held-")))] |
		all(length > 5 and length <= 40 and (unique | length) == length)' "$work/reads"
	check "$release: counters are between those before and after" jq -es --slurpfile before "$work/before" \
		--slurpfile after "$work/after" '($before[0] | map({(.[0]): .[1]}) | add) as $from |
		($after[0] | map({(.[0]): .[1]}) | add) as $to |
		all(.[].sched.schedulers[0].events[]; .value >= $from[.name] and .value <= $to[.name])' "$work/reads"
}

suites=0
for suite in '--series 6.18 trixie-backports' sid trixie-backports; do
	# shellcheck disable=SC2086
	kernel=$(fetch $suite) || { skip "a kernel of $suite" "$(cat "$work/fetch.log")" && continue; }
	suites=$((suites + 1))
	state "state$suites"
	"$truth/stop" "$dir"
done
if [ $suites -gt 0 ]; then
	busy
	# A kernel without sched_ext has no state of it.
	kernel trixie
	run sched "unix:$work/nowhere" --vmlinux "$kernel"
	says 'a kernel without sched_ext' 3 'has no sched_ext'
fi
plan
