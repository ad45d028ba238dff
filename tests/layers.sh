#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The rooms are as the table of docs/architecture.md has them: a room includes only those of its last
# column, and those are above it in the table. Files do not include each other in a circle, where a .c
# and its .h are one. Only cli/ and the guest's init print or exit. TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/checks"

# check NAME: right if nothing is on stdin, which is what is wrong.
check() {
	printf '%s\n' "$1" >"$work/checks/name"
	sed 's/^/# /' >"$work/checks/wrong"
	echo >>"$work/checks/count"
	[ ! -s "$work/checks/wrong" ] || printf 'not '
	printf 'ok %d - %s\n' "$(wc -l <"$work/checks/count")" "$1"
	cat "$work/checks/wrong"
}

# "ROOM|ALLOWED ALLOWED" of each row "| `watch/` | ... | `introspect`, `util` |".
sed -n '/^## Rooms/,/^## [^R]/s/^| `\([^`]*\)\/` | .* | \(.*\)|$/\1|\2/p' docs/architecture.md |
	tr -d '`,' | sed 's/ *$//' >"$work/table"
# A room may be two folders deep. "FILE ROOM INCLUDED ITS-ROOM" of each include.
ls */*.[ch] vm/guest/*.[ch] third_party/*/*.[ch] | grep -vE '^(bench|build|examples|fuzz|tests)/' >"$work/files"
while read -r file; do
	sed -n 's|^#include "\(\(.*\)/[^/"]*\)".*|'"$file ${file%/*}"' \1 \2|p' "$file"
done <"$work/files" >"$work/includes"

sed 's|/[^/]*$||' "$work/files" | sort -u | while read -r room; do
	grep -q "^$room|" "$work/table" || echo "$room/ is not there"
done | check "each room is in the table of docs/architecture.md"
awk -F '|' '{
	n = split($2, allowed, " ")
	for (i = 1; i <= n; i++)
		if (!(allowed[i] in above) && allowed[i] != "all")
			print $1 "/ may include " allowed[i] "/, which is not above it"
	above[$1]
}' "$work/table" | check "and below all that it may include"
while IFS='|' read -r room allowed; do
	awk -v room="$room" -v allowed=" $room $allowed " '
		$2 == room && !index(allowed, " " $4 " ") && !index(allowed, " all ") { print $1 " includes " $3 }
	' "$work/includes" | check "$room/ includes only ${allowed:-itself}"
done <"$work/table"

# --- circles ---

# "UNIT INCLUDED-UNIT": a.c, a.h and a_impl.h are the unit a.
sed -E 's/(_impl)?\.[ch]\b//g' "$work/includes" | awk '$1 != $3 { print $1, $3 }' | sort -u >"$work/edges"
# One a line, "a b c": a includes b, b includes c, c includes a.
tsort "$work/edges" 2>&1 >/dev/null | sed 's/^tsort: //' |
	awk '/contains a loop/ { if (circle) print circle; circle = ""; next } { circle = circle " " $0 }
		END { if (circle) print circle }' | sed 's/^ //' |
	check "no files include each other in a circle"

# --- only cli/ ---

quiet=$(cut -d'|' -f1 "$work/table" | grep -vxE 'cli|vm/guest' | sed 's|$|/*.c|')
# shellcheck disable=SC2086
grep -nE '\b(printf|puts|putchar|perror|vprintf)\(' $quiet | check "only cli/ prints"
# shellcheck disable=SC2086
grep -nE '\b(exit|abort)\(' $quiet | grep -v '_exit(' | check "only cli/ exits"
echo "1..$(wc -l <"$work/checks/count")"
