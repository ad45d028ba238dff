#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# odd.sh [all|SHAPE...]: guests of odd shape (docs/limits.md), by nothing but their socket. Whatever lies
# in the guest's memory besides its kernel, what is read is what the kernel says that runs. Without an
# argument one cell of each shape, but for those that take much memory; "all" is for `make soak`.
. "$(dirname "$0")/lib"
for f in build/guest/shapes.initrd build/guest/unpack; do
	[ -e $f ] || skip_all "no $f: make guests"
done
all=''
if [ "${1:-}" = all ]; then
	all=1
	shift
fi
shapes=${*:-kexec crash nested restored plugged ${all:+memory}}
old=$(vm/fetch-kernel bookworm) || skip_all 'no kernel of bookworm'
new=$(vm/fetch-kernel trixie) || skip_all 'no kernel of trixie'
not_yet='which no page table maps yet|not in 64-bit mode yet|does not run a kernel yet|--wait'
words='console=ttyS0 panic=-1 oops=panic quiet'

# initrd [FROM TO]...: $work/initrd is the guest's, with more files in it.
initrd() {
	rm -rf "$work/root" && mkdir "$work/root"
	while [ $# -gt 0 ]; do
		mkdir -p "$work/root/$(dirname "$2")"
		cp "$1" "$work/root/$2"
		shift 2
	done
	bsdtar -c --format=newc --uid 0 --gid 0 -f "$work/more" -C "$work/root" .
	cat build/guest/shapes.initrd "$work/more" >"$work/initrd"
	rm -rf "$work/root" "$work/more"
}

# guest NAME KERNEL WORDS ARG...: one that does these words (shapes.c). tell reaches it later.
guest() {
	place=$1 kernel=$2 todo=$3
	shift 3
	mkdir -p "$work/$place"
	rm -f "$work/$place"/go.*
	mkfifo "$work/$place/go.in" "$work/$place/go.out"
	boot "$place" --kernel "$kernel" --initrd "$work/initrd" --append "odd.do=$todo ${append:-}" \
		--qemu-arg -chardev --qemu-arg "pipe,id=go,path=$work/$place/go" --qemu-arg -serial \
		--qemu-arg chardev:go "$@"
}

# tell WORD: and wait until it is done.
has_done() {
	[ "$(grep -ac "^odd: $1 done" "$dir/console")" -ge "$2" ] || grep -aq '^odd: failed' "$dir/console"
}
tell() {
	before=$(grep -ac "^odd: ${1%%:*} done" "$dir/console")
	echo "$1" >"$dir/go.in"
	becomes has_done "${1%%:*}" $((before + 1))
	! grep -a '^odd: failed' "$dir/console" | sed 's/^/# /' | grep .
}

# told_again: another kernel tells its truth in the same guest. It stands behind the first one's.
has_told() {
	[ "$(grep -ac '^truth: told' "$dir/console")" -ge 2 ]
}
has_told_once() {
	grep -aq '^truth: told' "$dir/console"
}
told_again() {
	if ! becomes has_told; then
		not_ok "$1: the next kernel boots" "$(tail -n 5 "$dir/console")"
		return 1
	fi
	tail -c "+$(($(wc -c <"$dir/first") + 1))" "$dir/serial" | gzip -dc >"$dir/truth.json"
}

# equal NAME [CACHE]: every program is what the guest's kernel says; with that cache, or without one.
equal() {
	cache=${2:-$work/none.$tests}
	XDG_CACHE_HOME=$cache run attach "$target" --json --timing --wait 60
	if [ "$status" != 0 ]; then
		not_ok "$1" "$(told)"
	else
		check "$1" build/truth/compare --min-programs 20 "$dir/truth.json" "$work/out"
	fi
	[ "$cache" = "${2:-}" ] || rm -rf "$cache"
}

# ticks NAME: the guest runs on, whatever an earlier kernel said.
ticked() {
	[ "$(grep -ac '^truth: tick' "$dir/console")" -gt "$before" ]
}
ticks() {
	before=$(grep -ac '^truth: tick' "$dir/console")
	check "$1" becomes ticked
}

# end: of the guest.
end() {
	"$truth/stop" "$dir"
	rm -rf "$dir" "$work/cache"
}

# --- a kernel that another kernel booted: what is left of the old one lies in memory ---

kexec() {
	for pair in "$old $new" ${all:+"$new $new" "$new $old"}; do
		# shellcheck disable=SC2086
		set -- $pair
		name="kexec, $(cat "$(dirname "$1")/release") to $(cat "$(dirname "$2")/release")"
		echo "$words truth.progs=77 truth.skip=40" >"$work/line"
		initrd "$2" next build/truth/initrd next.initrd "$work/line" next.cmdline
		guest kexec "$1" truth --memory 768
		equal "$name: the first one" "$work/cache"
		cp "$dir/serial" "$dir/first"
		echo kexec >"$dir/go.in"
		if told_again "$name"; then
			equal "$name: the cache knows the first one" "$work/cache"
			equal "$name: without a cache"
			equal "$name: and with what it knows now" "$work/cache"
			ticks "$name: it runs on"
		fi
		end
	done
}

# --- a crash kernel: loaded, and running; on each CPU, of which the others stand in the old kernel ---

crash() {
	for cell in "$new $old 1" ${all:+"$new $new 0"}; do
		# shellcheck disable=SC2086
		set -- $cell
		name="crash kernel, $(cat "$(dirname "$1")/release") to $(cat "$(dirname "$2")/release"), of CPU $3"
		echo "$words nr_cpus=1 truth.progs=66 truth.skip=40" >"$work/line"
		initrd "$2" next build/truth/initrd next.initrd "$work/line" next.cmdline
		append='crashkernel=256M' guest crash "$1" crash,truth --memory 1024
		equal "$name: it is loaded" "$work/cache"
		equal "$name: it is loaded, without a cache"
		cp "$dir/serial" "$dir/first"
		first=$(jq -c '[.kernel.build_id, .kernel.kaslr_offset]' "$work/out")
		echo "panic:$3" >"$dir/go.in"
		# From the first refusal on, the old kernel is not taken for one that runs.
		refused=0 wrong=''
		until has_told || has_ended "$(cat "$dir/pid")"; do
			XDG_CACHE_HOME=$work/cache run attach "$target" --json
			if [ "$status" = 0 ]; then
				[ "$(jq -c '[.kernel.build_id, .kernel.kaslr_offset]' "$work/out")" != "$first" ] ||
					[ $refused = 0 ] || wrong="the old kernel, after $refused refusals"
			else
				refused=$((refused + 1))
				grep -Eq -- "$not_yet" "$work/err" || wrong=$(told)
			fi
		done
		if [ -z "$wrong" ]; then
			ok "$name: as it boots, the old one is not shown ($refused refusals)"
		else
			not_ok "$name: as it boots, the old one is not shown" "$wrong"
		fi
		if told_again "$name"; then
			equal "$name: the cache knows the first one" "$work/cache"
			equal "$name: without a cache"
			equal "$name: and with what it knows now" "$work/cache"
			ticks "$name: it runs on"
		fi
		end
	done
}

# --- a guest that went through a file: restored, and moved between two attaches ---

restored() {
	kernel=$new
	initrd
	monitor_for from
	# shellcheck disable=SC2086
	guest from "$new" truth $monitor
	equal 'a guest that will be saved' "$work/cache"
	name=$(jq -r .kernel.release "$work/out")
	cp "$dir/truth.json" "$work/truth.json"
	monitor "migrate \"exec:cat >$work/state\"" >/dev/null
	becomes is_saved
	# The guest is elsewhere now; what stands here is what it was.
	XDG_CACHE_HOME=$work/cache run attach "$target" --leave-stopped --json
	check 'saved: what is left here is read, and stays as it is' sh -c \
		"[ $status = 0 ] && build/truth/compare '$dir/truth.json' '$work/out'"
	is 'saved: what is left here stands' paused
	"$truth/stop" "$dir"
	# Elsewhere, and then at the same place, where the cache knows a guest.
	for place in elsewhere from; do
		rm -rf "${work:?}/$place"
		mkdir -p "$work/$place"
		mkfifo "$work/$place/go.in" "$work/$place/go.out"
		boot $place --kernel "$new" --initrd "$work/initrd" --append "odd.do=truth" --no-wait \
			--qemu-arg -chardev --qemu-arg "pipe,id=go,path=$work/$place/go" --qemu-arg -serial \
			--qemu-arg chardev:go --qemu-arg -incoming --qemu-arg "exec:cat $work/state"
		cp "$work/truth.json" "$dir/truth.json"
		ticks "restored $place: it runs"
		equal "restored $place: with a cache" "$work/cache"
		equal "restored $place: without"
		ticks "restored $place: it runs on"
		"$truth/stop" "$dir"
	done
	rm -rf "$work/state" "$work/cache"
}
is_saved() {
	monitor 'info migrate' | grep -aq 'status: completed'
}

# --- memory: more than 4 GiB, plugged in later, given back, in pages of 1 GiB ---

# A process there has another kernel's image in memory, and so have the files of the initramfs.
plugged() {
	build/guest/unpack "$old" "$work/image"
	initrd "$work/image" image
	monitor_for plugged
	# shellcheck disable=SC2086
	append='memhp_default_state=online_kernel' guest plugged "$new" '' --no-wait --memory 640,slots=2,maxmem=4G $monitor
	becomes grep -aq 'odd: ready' "$dir/console"
	monitor 'object_add memory-backend-ram,id=more,size=512M' >/dev/null
	monitor 'device_add pc-dimm,id=dimm,memdev=more' >/dev/null
	# All of the first is below 4 GiB. So the second is a zone of its own, and the one that is preferred.
	tell online:1000
	tell hold:/image
	tell truth
	becomes has_told_once
	gzip -dc <"$dir/serial" >"$dir/truth.json"
	equal 'memory that was plugged in' "$work/cache"
	equal 'memory that was plugged in: without a cache'
	run attach "$target" --vmlinux "$old"
	says 'the image that a process has is not taken for the kernel' 3 \
		"do not belong together: .* the guest runs $(sed 's/[+.]/./g' "$(dirname "$new")/release")"
	ticks 'memory that was plugged in: it runs on'
	end
}

memory() {
	modules=$(dirname "$old")/modules/kernel/drivers/virtio
	initrd "$modules/virtio.ko" modules/1.ko "$modules/virtio_ring.ko" modules/2.ko \
		"$modules/virtio_pci_modern_dev.ko" modules/3.ko "$modules/virtio_pci_legacy_dev.ko" modules/4.ko \
		"$modules/virtio_pci.ko" modules/5.ko "$modules/virtio_balloon.ko" modules/6.ko
	monitor_for memory
	# q35 has all but 2 GiB behind the hole below 4 GiB, and Linux takes that first.
	# shellcheck disable=SC2086
	append='hugepagesz=1G hugepages=1' guest memory "$old" modules,huge,truth --memory 4608 $monitor \
		--qemu-arg -device --qemu-arg virtio-balloon-pci
	equal 'memory behind 4 GiB, and a page of 1 GiB' "$work/cache"
	equal 'memory behind 4 GiB, and a page of 1 GiB: without a cache'
	monitor 'balloon 2000' >/dev/null
	check 'a balloon takes 2.5 GiB of it' becomes ballooned
	equal 'a balloon' "$work/cache"
	equal 'a balloon: without a cache'
	ticks 'a balloon: it runs on'
	end
}
ballooned() {
	monitor 'info balloon' | grep -aq 'actual=2000'
}

# --- other kernels in memory that are none of the guest's ---

# A nested guest, under nested and under shadow paging, of another kernel and of the same.
nested() {
	modules=$(dirname "$old")/modules/kernel
	for cell in "$new 0 1" ${all:+"$old 0 2" "$new 1 2"}; do
		# shellcheck disable=SC2086
		set -- $cell
		[ "$2" = 0 ] && paging='shadow paging' || paging='nested paging'
		name="a nested guest, $paging, $3 vCPUs, $(cat "$(dirname "$1")/release") in $(cat "$(dirname "$old")/release")"
		build/guest/unpack "$1" "$work/image"
		initrd "$work/image" image "$modules/virt/lib/irqbypass.ko" modules/1.ko \
			"$modules/arch/x86/kvm/kvm.ko" modules/2.ko "$modules/arch/x86/kvm/kvm-amd.ko" modules/3-kvm-amd.ko
		append="kvm_amd.npt=$2 nokaslr" guest nested "$old" modules,truth --memory 1024 --smp "$3"
		equal "$name: before it is there" "$work/cache"
		tell nested:/image
		equal "$name: the cache knows the guest" "$work/cache"
		equal "$name: without a cache"
		# Under shadow paging, the tables of a vCPU that is in it map the nested kernel with its proof.
		for _ in 1 2 3 4 5; do
			run attach "$target" --vmlinux "$1" --no-cache --json
			[ "$1" = "$old" ] || [ "$status" != 0 ] || break
		done
		if [ "$1" = "$old" ]; then
			check "$name: with its image" build/truth/compare "$dir/truth.json" "$work/out"
		else
			says "$name: its image is none of the guest's" 3 'the guest runs guests, .* none leads to the kernel 6\.12.*--wait'
		fi
		ticks "$name: it runs on"
		end
	done
}

for shape in $shapes; do
	$shape
done
plan
