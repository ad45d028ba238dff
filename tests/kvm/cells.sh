#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Which cells `make kvm` runs (tests/kvm/matrix): a few, in which each two values of two axes meet, or
# all of them. No guest is booted. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
kernels='bookworm trixie sid' vcpus='1 4' vapic='on off' qemus='stock newest'
number=0

# check NAME WRONG: right if WRONG, which is what is wrong, is empty.
check() {
	number=$((number + 1))
	[ -z "$2" ] || printf 'not '
	echo "ok $number - kvm cells: $1"
	[ -z "$2" ] || printf '%s\n' "$2" | sed 's/^/# /'
}

some=$(tests/kvm/matrix --cells)
all=$(KVM_CELLS=all tests/kvm/matrix --cells)

# meets PATTERN: a cell is of these values.
meets() {
	printf '%s\n' "$some" | grep -qxE "$1" || echo "no cell is $1"
}

check 'each kernel meets each number of vCPUs, vapic and QEMU' "$(
	for kernel in $kernels; do
		for n in $vcpus; do meets "$kernel $n .* .*"; done
		for v in $vapic; do meets "$kernel .* $v .*"; done
		for q in $qemus; do meets "$kernel .* .* $q"; done
	done
)"
check 'each number of vCPUs meets each vapic and QEMU' "$(
	for n in $vcpus; do
		for v in $vapic; do meets ".* $n $v .*"; done
		for q in $qemus; do meets ".* $n .* $q"; done
	done
)"
check 'vapic on and off meet each QEMU' "$(
	for v in $vapic; do
		for q in $qemus; do meets ".* .* $v $q"; done
	done
)"
check 'six cells are enough' "$([ "$(printf '%s\n' "$some" | wc -l)" = 6 ] || echo "$some")"
check 'KVM_CELLS=all: each cell is there' "$(
	for kernel in $kernels; do
		for n in $vcpus; do
			for v in $vapic; do
				for q in $qemus; do
					printf '%s\n' "$all" | grep -qx "$kernel $n $v $q" ||
						echo "no $kernel $n $v $q"
				done
			done
		done
	done
)"
check 'KVM_CELLS=all: none twice' "$(printf '%s\n' "$all" | sort | uniq -d)"
echo "1..$number"
