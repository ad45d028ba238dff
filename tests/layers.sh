#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Data flows one way (docs/architecture.md): no room includes a higher one, and none but cli/,
# the guest's init and the tests prints or exits.
set -u
cd "$(dirname "$0")/.." || exit 1

n=0
check() { # NAME WHAT-IS-WRONG
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# room ROOM ALLOWED: includes of another room, as a pattern
room() {
	check "$1 includes no higher room" "$(
		grep -nE '^#include "[a-z]+/' "$1"/*.[ch] |
			grep -vE "#include \"(($1|util)/|${2:-$1/})"
	)"
}
# circle ROOM: files that need each other, as tsort(1) tells them
circle() {
	check "no files of $1 need each other" "$(
		for f in "$1"/*.[ch]; do
			base=$(basename "${f%.*}")
			grep -oE "^#include \"$1/[a-z0-9_]+" "$f" | sed "s|.*/|$base |"
		done | awk '$1 != $2' | tsort 2>&1 >/dev/null
	)"
}
echo 1..16
room util ''
room gdbrsp ''
room btf 'image/'
room image ''
room introspect '(gdbrsp|btf|image|model)/'
room watch '(introspect|gdbrsp|btf|image|model)/'
room logparse ''
room model 'logparse/'
room render '(model|logparse)/'
room vm '(image|model)/'
room collect '(vm|watch|introspect|model|logparse|gdbrsp|btf|image)/'
room sweep '(collect|vm|model|logparse)/'
circle image
circle btf
check "only cli/ prints" "$(
	grep -nE '\b(printf|puts|putchar|perror|vprintf)\(' \
		util/*.c image/*.c gdbrsp/*.c btf/*.c introspect/*.c watch/*.c logparse/*.c model/*.c render/*.c vm/*.c collect/*.c sweep/*.c
)"
check "only cli/ exits" "$(
	grep -nE '\b(exit|abort)\(' \
		util/*.c image/*.c gdbrsp/*.c btf/*.c introspect/*.c watch/*.c logparse/*.c model/*.c render/*.c vm/*.c collect/*.c sweep/*.c |
		grep -v '_exit('
)"
