#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# churn.sh [TIMES]: programs are loaded and freed while we look (200 times; `make soak` 1,000): every
# answer is whole, or a calm message, and has no program that the guest had not loaded.
times=${1:-200}
. "$(dirname "$0")/lib"
kernel trixie
boot guest --kernel "$kernel" --append truth.churn=1

# What the guest loads without end are programs of four types in turn (tests/truth/init.c: churn()),
# and ids go up by one: id modulo 4 tells the type, with a distance that is the same for the life of
# this guest. All four have the same instructions, and so the same tag and numbers.
rule='["socket_filter", "kprobe", "sched_cls", "sched_act"] as $turn
	| [.programs[] | select(.name == "churn")
		| [((.id - (.type as $t | $turn | index($t))) % 4 + 4) % 4,
		   .tag, .verified_insns, .bytes_xlated]]
	| unique'
# What is said of the programs that stay, and of the others whether it is whole and how many.
digest='[.programs[] | select(.name == "churn")] as $passing
	| {stay: [.programs[] | select(.name != "churn") | .id] | sort,
	   whole: all(.programs[]; .type != null and (.tag | length) == 16),
	   passing: ($passing | length > 0)}'
stay=$(jq -c "$digest | .stay" "$dir/truth.json")
i=0 whole=0 refused=0 churned=0 odd='' known=''
while [ $i -lt "$times" ] && [ -z "$odd" ]; do
	i=$((i + 1))
	run attach "$target" --vmlinux "$kernel" --json
	if [ "$status" = 0 ]; then
		whole=$((whole + 1))
		case $(jq -c "$digest" "$work/out") in
		"{\"stay\":$stay,\"whole\":true,\"passing\":true}")
			churned=$((churned + 1))
			seen=$(jq -c "$rule" "$work/out" 2>&1)
			known=${known:-$seen}
			[ "$seen" = "$known" ] || odd="a row of no program: $seen, and not $known"
			;;
		"{\"stay\":$stay,\"whole\":true,\"passing\":false}") ;;
		*) odd="not what it is: $(jq -c "$digest" "$work/out"); stay: $stay" ;;
		esac
	elif [ "$status" = 3 ] && [ "$(wc -l <"$work/err")" = 1 ] && [ ! -s "$work/out" ]; then
		refused=$((refused + 1))
	else
		odd=$(told)
	fi
done
if [ -z "$odd" ]; then
	ok "$i of $times: $whole whole, $refused refused, a passing program seen in $churned"
else
	not_ok "$((i - 1)) of $times" "attach $i: $odd"
fi
check 'most are whole' test $whole -gt $((times * 19 / 20))
# One kind only, of the right distance.
check 'all that pass are what the guest loads' test "$(echo "${known:-[]}" | jq length)" = 1
check 'some saw a program that passed' test $churned -gt 0
# The lists and what leads to their objects are read in one stop, but a load takes several steps.
i=0 alarms=''
while [ $i -lt $((times / 10)) ]; do
	i=$((i + 1))
	run audit "$target" --vmlinux "$kernel" --json
	[ "$status" = 0 ] || alarms="$alarms $(jq -c '.audit' "$work/out" || told)"
done
check "audit: no false alarm in $i" test -z "$alarms"
alive
plan
