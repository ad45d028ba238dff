#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs are loaded and freed while we look: every answer is whole, or a calm message.
. "$(dirname "$0")/lib"
kernel trixie
boot guest --kernel "$kernel" --append truth.churn=1

# What is said of the programs that stay, and of the others whether it is whole and how many.
digest='[.programs[] | select(.name == "churn")] as $passing
	| {stay: [.programs[] | select(.name != "churn") | .id] | sort,
	   whole: all(.programs[]; .type != null and (.tag | length) == 16),
	   passing: ($passing | length > 0)}'
stay=$(jq -c "$digest | .stay" "$dir/truth.json")
i=0 whole=0 refused=0 churned=0 odd=''
while [ $i -lt 200 ] && [ -z "$odd" ]; do
	i=$((i + 1))
	run attach "$target" --vmlinux "$kernel" --json
	if [ "$status" = 0 ]; then
		whole=$((whole + 1))
		case $(jq -c "$digest" "$work/out") in
		"{\"stay\":$stay,\"whole\":true,\"passing\":true}") churned=$((churned + 1)) ;;
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
	ok "$i attaches: $whole whole, $refused refused, a passing program seen in $churned"
else
	not_ok "200 attaches" "attach $i: $odd"
fi
check 'most are whole' test $whole -gt 190
check 'some saw a program that passed' test $churned -gt 0
alive
plan
