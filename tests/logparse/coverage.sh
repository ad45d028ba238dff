#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The catalogue has an entry for at least 95 % of the error messages in the verifier's sources, of four
# series. messages.awk says what an error message is; where the sources cannot be fetched, the series is
# skipped. TAP. COVERAGE_SHOW=1 shows each message with its entry.
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=${KTSTR_GDB:-build/ktstr-gdb}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
n=0
wrong=0

# Is there an entry for the message? An id is in the first line of what explain prints.
entry_of() {
	"$tool" explain -- "$1" >"$work/entry" 2>/dev/null </dev/null || return 1
	sed -n '1s/^\([a-z0-9-]*\): .*/\1/p' "$work/entry" | grep .
}

cover() {
	# shellcheck disable=SC2046
	(cd "$1" && awk -f "$OLDPWD/tests/logparse/messages.awk" $(find . -name '*.c' | sort)) |
		cut -f2- | sort -u >"$work/messages"
	all=0 with=0
	: >"$work/without"
	while IFS= read -r message; do
		all=$((all + 1))
		if id=$(entry_of "$message"); then
			with=$((with + 1))
			[ -z "${COVERAGE_SHOW:-}" ] || echo "# $id: $message"
		else
			echo "#   without an entry: $message" >>"$work/without"
		fi
	done <"$work/messages"
}

for suite in bullseye bookworm trixie trixie-backports; do
	n=$((n + 1))
	if ! source=$(tests/logparse/fetch-source "$suite" 2>"$work/why"); then
		echo "ok $n - messages of $suite's kernel # SKIP $(cat "$work/why")"
		continue
	fi
	cover "$source"
	# Fewer messages than any of them has: then the rules find none, and say nothing.
	if [ "$all" -lt 250 ] || [ $((with * 100)) -lt $((all * 95)) ]; then
		printf 'not '
		wrong=1
	fi
	echo "ok $n - $(cat "$source/version"): $with of $all messages have an entry"
	cat "$work/without"
done
echo "1..$n"
exit "$wrong"
