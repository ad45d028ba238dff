#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# libktstrgdb as another project has it: installed, found with pkg-config, linked both ways. TAP.
#   B=DIR   the build that is installed (build)
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MAKELEVEL MFLAGS
B=${B:-build}
CC=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
root=$dir/root
include=$root/usr/include/ktstr-gdb
export PKG_CONFIG_PATH="$root/usr/lib/pkgconfig"

n=0
# check WHAT COMMAND...: success, and not a word
check() {
	what=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>&1 && ! [ -s "$dir/out" ]; then
		echo "ok $n - libktstrgdb: $what"
	else
		echo "not ok $n - libktstrgdb: $what"
		sed 's/^/# /' "$dir/out" | head -n 20
	fi
}

installs() {
	make --no-print-directory B="$B" PREFIX=/usr DESTDIR="$root" install >"$dir/log" 2>&1 ||
		cat "$dir/log"
	for f in bin/ktstr-gdb lib/libktstrgdb.a lib/libktstrgdb.so.0 lib/libktstrgdb.so \
		lib/pkgconfig/libktstrgdb.pc; do
		[ -s "$root/usr/$f" ] || echo "$f is missing"
	done
	[ "$("$root/usr/bin/ktstr-gdb" --version | grep -o '[0-9][0-9.]*' | head -n 1)" = \
		"$(pkg-config --modversion libktstrgdb)" ] || echo "two versions"
}

# A PREFIX for good, without DESTDIR: where the library is in the end.
prefix_is_in_pc() {
	make --no-print-directory B="$B" PREFIX="$dir/p" LIBDIR="$dir/p/lib64" install-lib \
		>"$dir/log" 2>&1 || cat "$dir/log"
	pc=$dir/p/lib64/pkgconfig/libktstrgdb.pc
	[ "$(PKG_CONFIG_PATH='' pkg-config --libs "$pc" | tr -d ' ')" = "-L$dir/p/lib64-lktstrgdb" ] ||
		pkg-config --libs "$pc"
}

# Only the C library (its ld.so has the thread-local variables) and what draws tables and writes JSON.
needs_little() {
	readelf -dW "$root/usr/lib/libktstrgdb.so.0" >"$dir/dynamic" || return
	sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$dir/dynamic" |
		grep -vE '^(libc|ld[^.]*|libsmartcols|libjansson)\.so\.[0-9]+$'
	grep -q 'SONAME.*\[libktstrgdb\.so\.0\]' "$dir/dynamic" || echo "no soname"
	grep -E 'RPATH|RUNPATH|TEXTREL' "$dir/dynamic"
	return 0
}

# What it exports is what the installed headers declare, and none of the rest.
exports() {
	nm -D --defined-only "$root/usr/lib/libktstrgdb.so.0" | sed -n 's/.* T \([^@]*\).*/\1/p' \
		>"$dir/exported"
	while read -r name; do
		grep -rqE "\\b$name\\(" "$include" || echo "$name is in no header"
	done <"$dir/exported"
	nm -D --defined-only "$root/usr/lib/libktstrgdb.so.0" | grep -vE ' [TA] (kt_|render_|KTSTRGDB_)'
	for name in kt_collapse_cycles kt_collapse_blocks_to kt_extract_verifier_log \
		kt_parse_verifier_stats kt_normalize_verifier_line kt_detect_cycle \
		kt_parse_sched_output kt_error_message kt_buf_deinit render_programs_table; do
		grep -qx "$name" "$dir/exported" || echo "$name is missing"
	done
}

# What was exported once still is, under its version: abi/libktstrgdb.map is never shortened.
keeps() {
	awk '/^KTSTRGDB_/ { node = $1 } /^\t[a-z]/ { sub(/;$/, "", $1); print $1 "@@" node }' \
		abi/libktstrgdb.map | sort >"$dir/kept"
	[ "$(wc -l <"$dir/kept")" -gt 100 ] || echo "abi/libktstrgdb.map is not what it was"
	nm -D --defined-only "$root/usr/lib/libktstrgdb.so.0" | sed -n 's/.* T //p' | sort |
		comm -13 - "$dir/kept" | sed 's/$/ is gone/'
}

# Each header by itself, without a word from the compiler, and none of the private ones.
headers() {
	find "$include" -name '*.h' >"$dir/headers"
	[ -s "$dir/headers" ] || echo "no headers"
	while read -r h; do
		echo "#include \"${h#"$include"/}\"" >"$dir/h.c"
		# shellcheck disable=SC2046
		$CC -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I"$include" \
			$(pkg-config --cflags smartcols jansson) "$dir/h.c" || echo "$h"
		grep -HE 'Not a public header|Internal to' "$h"
	done <"$dir/headers"
	return 0
}

# Where pkg-config knows of the two libraries alone, and from what the compiler read.
builds_alone() {
	mkdir "$dir/pc"
	for p in smartcols jansson; do
		cp "$(pkg-config --variable=pcfiledir $p)/$p.pc" "$dir/pc"
	done
	PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=$dir/pc make --no-print-directory B="$dir/b" CFLAGS=-O0 lib \
		>"$dir/log" 2>&1 || cat "$dir/log"
	find "$dir/b" -name '*.d' -exec cat {} + >"$dir/read"
	grep -q 'logparse/collapse\.h' "$dir/read" || echo "nothing was read"
	grep -oE '[^ ]*(bpf/|libelf|gelf|elfutils|dwarf|archive)[^ ]*\.h' "$dir/read" | sort -u
	grep -oE '^(gdbrsp|btf|vm|cli)/[^ ]*' "$dir/read" | sort -u
	return 0
}

# What spec says of a plain repeat: eight times the same ten lines, but for the registers.
body() { # I
	cat <<EOF
; for (int i = 0; i < 8; i++) { @ a.bpf.c:7
10: (bf) r1 = r6                      ; R1_w=$1 R6=$1
11: (07) r1 += 3                      ; R1_w=$(($1 + 3))
; sum += i; @ a.bpf.c:8
12: (0f) r7 += r1                     ; R1_w=$(($1 + 3)) R7_w=$(($1 * 5))
13: (57) r7 &= 255                    ; R7_w=$(($1 * 5))
14: (b7) r2 = 2                       ; R2_w=2
; } @ a.bpf.c:9
15: (07) r6 += 1                      ; R6_w=$(($1 + 1))
16: (a5) if r6 < 0x8 goto pc-7        ; R6_w=$(($1 + 1))
EOF
}
log() {
	echo "0: R1=ctx() R10=fp0"
	for i in 0 1 2 3 4 5 6 7; do body $i; done
	echo "17: (95) exit"
	echo "processed 75 insns (limit 1000000) max_states_per_insn 1 total_states 2 peak_states 2 mark_read 1"
}
collapsed() {
	echo "0: R1=ctx() R10=fp0"
	echo "--- 8x of the following 10 lines ---"
	body 0
	echo "--- 6 identical iterations omitted ---"
	body 7
	echo "--- end repeat ---"
	log | tail -n 2
}
loader() { # LOG-COMMAND
	printf 'loading\r\n\033[1mlibbpf: prog %s: -- BEGIN PROG LOAD LOG --\n' "'p'"
	$1
	printf -- '-- END PROG LOAD LOG --\nlibbpf: failed\n\377'
}

runs() { # PROGRAM
	log | "$1" >"$dir/got" || return
	collapsed | diff - "$dir/got"
	loader log | "$1" >"$dir/got" || return
	loader collapsed | cmp - "$dir/got"
	"$1" </dev/null
}

shared_example() {
	# shellcheck disable=SC2046
	$CC -Wall -Wextra -Werror examples/collapse.c -o "$dir/shared" \
		$(PKG_CONFIG_SYSROOT_DIR=$root pkg-config --cflags --libs libktstrgdb) || return
	readelf -dW "$dir/shared" | grep -q 'NEEDED.*libktstrgdb\.so\.0' || echo "is not shared"
	export LD_LIBRARY_PATH="$root/usr/lib"
	runs "$dir/shared"
	unset LD_LIBRARY_PATH
}

# All of it static: reading and collapsing needs the C library only.
static_example() {
	# shellcheck disable=SC2046
	$CC -static -Wall -Wextra -Werror examples/collapse.c -o "$dir/static" \
		$(PKG_CONFIG_SYSROOT_DIR=$root pkg-config --cflags --libs libktstrgdb) || return
	readelf -dW "$dir/static" | grep NEEDED
	runs "$dir/static"
}

# The library and the tool say the same, of a log and of what a loader printed.
same_as_tool() {
	log >"$dir/a.log"
	loader log >"$dir/a.stderr"
	for f in "$dir/a.log" "$dir/a.stderr" tests/logparse/logs/*.stderr; do
		"$dir/static" <"$f" >"$dir/got" || return
		"$root/usr/bin/ktstr-gdb" log "$f" | cmp - "$dir/got" || echo "$f"
	done
}

echo 1..10
check "installs, and says its version" installs
check "pkg-config knows where it is" prefix_is_in_pc
check "needs neither libbpf nor libelf, libdwarf or libarchive" needs_little
check "builds without them" builds_alone
check "exports what its headers declare" exports
check "keeps what it exported once" keeps
check "each header stands by itself" headers
check "the example, shared" shared_example
check "the example, static" static_example
check "says what the tool says" same_as_tool
