#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Guests of other architectures: what they say of themselves, what the tool reads of them, and what
# is refused. An architecture that this machine lacks something for is skipped, with what it is.
#
#   FOREIGN_ARCHES   of these only (aarch64 riscv64 s390x ppc64le loongarch64)
#   FOREIGN_KERNELS  all: each of the kernels below, not the first that is to be had
. "$(dirname "$0")/lib"

# The kernels of an architecture, as "SUITE FLAVOUR" lines. Not every mirror has each. arm64's 6.1 has
# no data in its kallsyms (CONFIG_KALLSYMS_ALL is off).
kernels() {
	case $1 in
	aarch64) printf '%s\n' 'trixie cloud-arm64' 'sid cloud-arm64' 'bookworm cloud-arm64' ;;
	riscv64) printf '%s\n' 'sid riscv64' 'trixie riscv64' ;;
	s390x) printf '%s\n' 'sid s390x' 'trixie s390x' 'bookworm s390x' ;;
	ppc64le) printf '%s\n' 'sid powerpc64le' 'sid powerpc64le-64k' 'trixie powerpc64le' \
		'trixie powerpc64le-64k' ;;
	loongarch64) printf '%s\n' 'sid loong64' ;;
	esac
}

# prepare ARCH: builds what its guests need, or says in $why what is missing.
prepare() {
	case $1 in
	ppc64le) emulator=qemu-system-ppc64 linker=powerpc64le-linux-gnu-ld ;;
	loongarch64)
		# Debian 12's boots no kernel without firmware; its clang-19 does without binutils.
		linker=ld.lld-19
		emulator=$(tests/newest-qemu loongarch64 2>&1) || {
			why=$(echo "$emulator" | tail -n 1)
			return 1
		}
		EVENTS_QEMU=$emulator
		export EVENTS_QEMU
		;;
	*) emulator=qemu-system-$1 linker=$1-linux-gnu-ld ;;
	esac
	for command in "$emulator" "$linker"; do
		command -v "$command" >/dev/null || {
			why="not installed: $command; tests/deps foreign installs it"
			return 1
		}
	done
	make --no-print-directory -s foreign "truth-$1" "bpf-$1" build/tests/guest/events \
		FOREIGN="$1" B=build >"$work/make" 2>&1 || {
		why=$(tail -n 1 "$work/make")
		return 1
	}
	# The init is looked for beside whoever boots.
	[ -e build/tests/guest/"ktstr-init-$1" ] || ln -s "../../ktstr-init-$1" build/tests/guest/
}

# --- what vm/ does: the guest comes up, and its init loads objects ---

# loads NAME KERNEL: init tells of each program, and holds what may pass: of Debian's kernels, riscv64's
# take no program of an LSM, s390x's have no JIT, and in 6.1 no BTF; what is bad, none takes.
loads() {
	status=0
	timeout 180 build/tests/guest/events "$2" "$objects/demo.bpf.o" "$objects/reject.bpf.o" \
		>"$work/events" 2>&1 || status=$?
	told_of=$(grep -c '^program ' "$work/events")
	held=$(grep -c '^program .* 0 [1-9][0-9]*$' "$work/events")
	case $arch in aarch64) least=7 ;; riscv64 | ppc64le) least=6 ;; *) least=1 ;; esac
	if [ $status = 0 ] && [ "$told_of" = 8 ] && [ "$held" -ge $least ] &&
		grep -q '^program accepted 0 ' "$work/events" &&
		grep -q '^program rejected_null_unchecked 13 0$' "$work/events"; then
		ok "$1"
	else
		not_ok "$1" "status $status, $held programs
$(cat "$work/events")"
	fi
}

# collects NAME KERNEL: the tool shows what init held, by name.
collects() {
	sed -n 's/^program \(.*\) 0 [1-9][0-9]*$/\1/p' "$work/events" | sort >"$work/held"
	run collect --accel tcg --timeout 80 ${EVENTS_QEMU:+--qemu "$EVENTS_QEMU"} --kernel "$2" --object "$objects/demo.bpf.o" \
		--object "$objects/reject.bpf.o" --json
	jq -r '.programs[].full_name' "$work/out" 2>/dev/null | sort >"$work/shown"
	if [ -s "$work/held" ] && cmp -s "$work/held" "$work/shown"; then
		ok "$1"
	else
		not_ok "$1" "$(told)"
	fi
}

# --- what the tool reads: every field of every program, twice: from the guest, from the cache ---

# attached NAME HOW [OPTION...]
attached() {
	name=$1 how=$2
	shift 2
	XDG_CACHE_HOME=$dir/cache run attach "$target" --json "$@"
	if [ "$status" != 0 ]; then
		not_ok "$name, attach $how" "$(told)"
		return
	fi
	check "$name, attach $how: every program as the guest's kernel has it" \
		build/truth/compare --min-programs 100 --min-types 6 "$dir/truth.json" "$work/out"
	check "$name, attach $how: the architecture" test "$(jq -r .kernel.arch "$work/out")" = "$arch"
}

equals_truth() {
	if [ "$(jq .kernel.btf "$dir/truth.json")" = false ]; then
		for _ in 1 2 3; do
			run attach "$target" --json --timeout 30
			grep -q BTF "$work/err" && break
			told | sed 's/^/# another try: /'
		done
		check "$1 has no BTF, and that is what is told" grep -q BTF "$work/err"
		# Its types are in the debug package's vmlinux.
		if [ "$arch" = loongarch64 ] && vm/fetch-kernel --dbg "$suite" "$flavour" >"$work/fetch" 2>&1; then
			attached "$1" 'with its vmlinux' --vmlinux "$(dirname "$2")/vmlinux"
			attached "$1" 'with its vmlinux, again' --vmlinux "$(dirname "$2")/vmlinux"
		fi
		return
	fi
	attached "$1" 'with nothing'
	attached "$1" 'with nothing, again'
	attached "$1" 'with its image' --vmlinux "$2"
}

for arch in ${FOREIGN_ARCHES:-aarch64 riscv64 s390x ppc64le loongarch64}; do
	unset EVENTS_QEMU
	if ! prepare "$arch"; then
		skip "$arch" "$why"
		continue
	fi
	objects=$here/build/bpf/$arch
	none=1
	kernels "$arch" >"$work/kernels"
	while read -r suite flavour; do
		[ $none = 1 ] || [ "${FOREIGN_KERNELS:-}" = all ] || break
		if ! kernel=$(vm/fetch-kernel "$suite" "$flavour" 2>"$work/fetch"); then
			skip "$suite $flavour" "$(tail -n 1 "$work/fetch" | cut -c 1-200)"
			continue
		fi
		name=$(cat "$(dirname "$kernel")/release")
		loads "$name: init loads objects" "$kernel"
		has_btf=1
		"$tool" layout bpf_prog --vmlinux "$kernel" >"$work/layout" 2>&1 || has_btf=''
		[ -z "$has_btf" ] || collects "$name: collect" "$kernel"
		if [ $none = 1 ]; then
			# Away from its modules, a kernel whose virtio is one has the serial port left.
			if [ "$arch" = aarch64 ]; then
				cp "$kernel" "$work/vmlinuz"
				loads "$name: without its modules" "$work/vmlinuz"
			fi
		fi
		none=0
		boot "$arch-$suite" --kernel "$kernel" --timeout 180
		equals_truth "$name" "$kernel"
		alive "$name runs on"
		"$truth/stop" "$dir"
		# The other MMU, which has other tables.
		if [ "$arch" = ppc64le ]; then
			boot "$arch-$suite-hash" --kernel "$kernel" --timeout 180 --append 'disable_radix loglevel=7'
			check "$name: its MMU is the hash table" grep -aq 'hash-mmu: Initializing hash mmu' "$dir/console"
			equals_truth "$name, hash MMU" "$kernel"
			"$truth/stop" "$dir"
		fi
	done <"$work/kernels"
	[ $none = 0 ] || skip "$arch" 'no kernel of it is to be had from this mirror'
done
plan
