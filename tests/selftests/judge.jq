# SPDX-License-Identifier: LGPL-2.1-or-later
# What came of each program that the kernel has to reject: KERNEL, RESULT, PROGRAM, WHY, separated by tabs.
#
#	headline, below   where --last has the expected message
#	missing           --last does not have it
#	lost              the collapsed log does not have it
#	verdict           the tool does not say that the load failed
#	no message        none is expected
#	accepted, other message, not verified   it could not be tested, and WHY has the reason
#
# and whether there are a class, a reason and a remedy: explained, unexplained.
#
# Input: release; expect: of tests/selftests/expect; failed: of collect --json; logs: the programs of
# log --json, of files PROGRAM.log; last: what log --last printed, behind a line "\x1ePROGRAM.log" each.

def name: (.object | rtrimstr(".bpf.o")) + "." + .name;

# The lines that match the patterns, each behind the one before; null where one does not.
def matched($patterns):
	reduce $patterns[] as $p ({text: ., lines: []};
		if . == null then . else
			(.text | [match($p)][0]) as $m |
			if $m == null then null else
				((.text[:$m.offset] | split("\n") | last // "") +
					(.text[$m.offset:] | split("\n")[0])) as $line |
				{text: .text[$m.offset + $m.length:], lines: (.lines + [$line])}
			end
		end) | if . == null then null else .lines end;

# What the verifier tells on its way, and no message: some tests expect a state, or a step of precision
# tracking, too.
def told_on_the_way:
	test("^[0-9]+: |^[0-9]+->[0-9]+: |^from [0-9]+ to |^mark_precise: |^(last_idx|parent state|regs=)|^frame[0-9]*[ :]|^R[0-9]+(_[a-z]+)?=")
	or test("^(Validating .*\\.\\.\\.|Func#.* is global and assumed valid\\.|caller:|returning from callee:|to caller at)");

def has($text): . as $line | $text | contains($line);

# libbpf never came to the verifier: its own words, without the numbers and names that differ.
def refusal:
	if test("not found in kernel or module BTFs") then "a function of the kernel's test module"
	elif test("failed to find kernel BTF type ID") then "an attach point of the kernel's test module"
	elif test("no program type that libbpf knows") then "a section that collect's libbpf does not know"
	else split("\n") | map(select(startswith("libbpf: ") and (test("failed to load object") | not)))[0] // "libbpf refused it"
	end;

# collect does not set these.
def wanted: "it wants " + (.wants | join(", "));

def unwrapped: if type == "array" then join("") else . // "" end;
def explained: [.class, .reason, .remedy] | all(unwrapped | length > 0);

# What the verifier printed, as libbpf passes it on: a log of the object's BTF, which has all expectations in
# it, may stand before that. null: there is none.
def verifier_log: split("-- BEGIN PROG LOAD LOG --\n") | if length < 2 then null else last end;

# Of a program that was rejected, and is expected to be. A log goes with what the tool says of it.
def judged($log; $said; $last):
	.messages as $patterns
	| ($log | verifier_log) as $text
	| (if $text then $text | matched($patterns) else null end) as $lines
	| ($said.last.error // $said.error // "") as $headline
	| if $text == null then ["not verified", ($log | refusal)]
	elif $said.verdict != "failed" then ["verdict", "its verdict is \($said.verdict)"]
	elif $lines == null then ["other message", if .wants != [] then wanted else "this kernel says: \($headline)" end]
	elif $lines == [] then ["no message", ""]
	else
		[$lines[] | select(told_on_the_way | not)] as $messages
		| [$messages[] | select(has($last) | not)] as $missing
		| [$messages[] | select(has($said.collapsed // "") | not)] as $lost
		| if $missing != [] then ["missing", $missing[0]]
		elif $lost != [] then ["lost", $lost[0]]
		elif any($lines[]; has($headline)) then ["headline", ""]
		elif any($lines[]; has($last)) or any($patterns[]; . as $p | $last | test($p)) then ["below", ""]
		else ["missing", $lines[0]]
		end
	end;

def of_file: split("/") | last | rtrimstr(".log");

. as $in
| (.logs | map({key: (.file | of_file), value: .}) | from_entries) as $logs
| (.last | split("\u001e")[1:] | map(split("\n") | {key: (.[0] | of_file), value: (.[1:] | join("\n"))})
	| from_entries) as $lasts
| (.failed | map(name as $name | {key: $name, value: {log, said: $logs[$name], last: $lasts[$name]}})
	| from_entries) as $failed
| (
	.expect[]
	| select(.fails and (.archs == [] or (.archs | index("X86_64"))))
	| name as $name
	| $failed[$name] as $f
	| (if $f == null
		then ["accepted", if .wants != [] then wanted else "this kernel takes it" end]
		else judged($f.log; $f.said; $f.last) end) as [$result, $why]
	| [$in.release, $result, $name, $why, if $f.said | explained then "explained" else "unexplained" end]
), (
	# The others that failed: expected or not, what the verifier refused has failed.
	.expect[]
	| select(.fails | not)
	| name as $name
	| $failed[$name]
	| select(. != null and (.log | verifier_log) != null and .said.verdict != "failed")
	| [$in.release, "verdict", $name, "its verdict is \(.said.verdict)", ""]
)
| @tsv
