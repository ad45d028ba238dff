#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How the tool is built, and that it leaves no core file. TAP.
#   KTSTR_GDB=FILE   the tool (build/ktstr-gdb, which has no sanitizer)
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=${KTSTR_GDB:-build/ktstr-gdb}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

n=0 bad=0
check() { # WHAT PATTERN FILE
	n=$((n + 1))
	if grep -Eq -- "$2" "$3"; then
		echo "ok $n - hardened: $1"
	else
		bad=1
		echo "not ok $n - hardened: $1"
		echo "# no '$2'"
	fi
}

readelf -hlWd --dyn-syms "$tool" >"$dir/elf"
check 'it is loaded anywhere' 'Type: +DYN' "$dir/elf"
check 'its relocated data is read-only' GNU_RELRO "$dir/elf"
check 'all of it is bound at the start' 'BIND_NOW|FLAGS_1.*NOW' "$dir/elf"
check 'its stack is not executable' 'GNU_STACK .* RW ' "$dir/elf"
check 'its stack is watched' __stack_chk_fail "$dir/elf"
check 'its string functions are the checked ones' '__(mem|s|vsn|f)[a-z]+_chk' "$dir/elf"

# As it waits for its input, under a limit that allows a core file, if there is such a limit.
most=1
[ "$(ulimit -H -c)" != 0 ] || most=0
mkfifo "$dir/in"
(
	ulimit -S -c "$(ulimit -H -c)"
	exec "$tool" log - <"$dir/in" >/dev/null 2>&1
) &
pid=$!
exec 3>"$dir/in"
for _ in $(seq 600); do
	cat "/proc/$pid/limits" >"$dir/limits"
	grep -q "^Max core file size  *$most " "$dir/limits" && break
	sleep 0.1
done
exec 3>&-
wait $pid
check 'it leaves no core file' "^Max core file size  *$most " "$dir/limits"
echo "1..$n"
exit $bad
